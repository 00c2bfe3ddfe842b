//! Damage: a few changes at places and of kinds that loaders are likely to mind.

use super::support::Rng;

/// Bytes that mean something to one of the formats: lengths at their limits, ends, tags.
const TELLING: &[u8] =
    b"\x00\x01\x3f\x40\x7f\x80\x81\xc0\xc2\xc3\xf0\xf1\xfa\xfc\xfe\xff019-\r\n$*#";
/// Changes of one input.
const CHANGES_MAX: usize = 4;
/// Bytes that are taken from elsewhere, doubled or removed together.
const SPAN_MAX: usize = 40;

/// One of `inputs`, damaged.
pub fn damaged(inputs: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = inputs[rng.below(inputs.len())].clone();
    for _ in 0..=rng.below(CHANGES_MAX) {
        let other = &inputs[rng.below(inputs.len())];
        change(&mut bytes, other, rng);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], rng: &mut Rng) {
    if bytes.is_empty() {
        return;
    }
    let at = rng.below(bytes.len());
    match rng.below(10) {
        0 => bytes.truncate(at),
        1 => {
            let span = span(bytes.len(), rng);
            bytes.drain(span);
        }
        2 => {
            let copied = bytes[span(bytes.len(), rng)].to_vec();
            bytes.splice(at..at, copied);
        }
        3 => {
            let taken = other[span(other.len(), rng)].iter().copied();
            bytes.splice(at..at, taken);
        }
        4 => bytes.insert(at, TELLING[rng.below(TELLING.len())]),
        5 => bytes[at] = rng.next_u64() as u8,
        6 | 7 => bytes[at] = TELLING[rng.below(TELLING.len())],
        8 => bytes[at] = bytes[at].wrapping_add(if rng.one_in(2) { 1 } else { 0xff }),
        _ => bytes[at] ^= 1 << rng.below(8),
    }
}

fn span(len: usize, rng: &mut Rng) -> std::ops::Range<usize> {
    let start = rng.below(len.max(1)).min(len);
    start..len.min(start + 1 + rng.below(SPAN_MAX))
}
