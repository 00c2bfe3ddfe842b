#![allow(unsafe_code)]
//! How many bits of a string are set.
//!
//! Processors count the bits of a word or of a vector of words in a step or two, but a
//! program that is to run on all of a kind may not take that for granted: whether this
//! one can is asked when it runs. One that cannot adds up words before it counts.

/// How many bits are set. O(length).
pub fn ones(bytes: &[u8]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { ones_wide(bytes) };
    }
    ones_portable(bytes)
}

/// Word by word, of which the compiler makes vector instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn ones_wide(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_ne_bytes(*word));
    let rest: u32 = rest.iter().map(|byte| byte.count_ones()).sum();
    words.fold(u64::from(rest), |sum, word| {
        sum + u64::from(word.count_ones())
    }) as usize
}

fn ones_portable(bytes: &[u8]) -> usize {
    let (blocks, rest) = bytes.as_chunks::<128>();
    let blocks: usize = blocks.iter().map(block_ones).sum();
    let rest: u32 = rest.iter().map(|byte| byte.count_ones()).sum();
    blocks + rest as usize
}

/// Counts by carry-save adders (Harley and Seal): sixteen words are added up bit
/// by bit, as full adders do it, before any bits are counted. That takes about
/// five operations a word where counting each takes a dozen.
fn block_ones(block: &[u8; 128]) -> usize {
    /// The sum of three bits in each place: low bits and carries.
    fn add(a: u64, b: u64, c: u64) -> (u64, u64) {
        let half = a ^ b;
        (half ^ c, (a & b) | (half & c))
    }
    let mut words = [0u64; 16];
    let (parts, _) = block.as_chunks::<8>();
    for (word, part) in words.iter_mut().zip(parts) {
        *word = u64::from_ne_bytes(*part);
    }
    let (mut one, mut two, mut four, mut eight, mut sixteen) = (0, 0, 0, 0, 0);
    for half in words.as_chunks::<8>().0 {
        let mut fours = [0; 2];
        for (carry, w) in fours.iter_mut().zip(half.as_chunks::<4>().0) {
            let (low, two_a) = add(one, w[0], w[1]);
            let (low, two_b) = add(low, w[2], w[3]);
            one = low;
            (two, *carry) = add(two, two_a, two_b);
        }
        let (low, carry) = add(four, fours[0], fours[1]);
        four = low;
        (eight, sixteen) = (eight ^ carry, sixteen | (eight & carry));
    }
    let ones = |word: u64| word.count_ones() as usize;
    ones(one) + 2 * ones(two) + 4 * ones(four) + 8 * ones(eight) + 16 * ones(sixteen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_count_alike() {
        let mut state = 1u64;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .take(5000)
        .collect();
        for (start, end) in [(0, 0), (0, 7), (3, 11), (1, 130), (5, 4999), (0, 5000)] {
            let part = &bytes[start..end];
            let want: u32 = part.iter().map(|byte| byte.count_ones()).sum();
            assert_eq!(ones(part), want as usize);
            assert_eq!(ones_portable(part), want as usize);
        }
    }
}
