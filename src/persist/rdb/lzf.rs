//! LZF, the compression of strings in RDB files.
//!
//! ```text
//! 000nnnnn bytes                  the next n + 1 bytes as they are
//! lllooooo oooooooo               l + 2 bytes from o + 1 bytes back, l in 1..=6
//! 111ooooo llllllll oooooooo      l + 9 bytes from o + 1 bytes back
//! ```
//!
//! A match may reach into what it produces, which repeats a pattern. Any stream of this
//! form is good for every reader; which matches a writer finds is its own affair.

use super::Error;

/// The longest run of plain bytes.
const RUN_MAX: usize = 32;
/// How far back a match may lie.
const DISTANCE_MAX: usize = 1 << 13;
/// The shortest match worth its two bytes.
const MATCH_MIN: usize = 3;
/// The longest match: what three bits and a byte can say.
const MATCH_MAX: usize = 7 + 255 + 2;
/// What one byte of input yields at most: a longest match takes three.
const EXPANSION_MAX: usize = MATCH_MAX / 3;
/// A compressed form has to save so many bytes, as in Redis.
const SAVING_MIN: usize = 4;
/// Sizes of the table of places, as powers of two: it should not cost more to clear
/// than a short text costs to read.
const TABLE_BITS: std::ops::RangeInclusive<u32> = 8..=14;
/// After so many places without a match the search takes longer steps.
const PATIENCE: usize = 64;

/// Compresses one text after the other, keeping its memory in between.
#[derive(Debug, Default)]
pub struct Compressor {
    /// For a hash of three bytes, one more than the place where they last stood.
    places: Vec<u32>,
    out: Vec<u8>,
}

impl Compressor {
    /// The compressed form of `text`, if it is shorter by enough. O(text).
    pub fn compress(&mut self, text: &[u8]) -> Option<&[u8]> {
        let budget = text.len().checked_sub(SAVING_MIN + 1)?;
        u32::try_from(text.len()).ok()?;
        let bits = text
            .len()
            .ilog2()
            .clamp(*TABLE_BITS.start(), *TABLE_BITS.end());
        self.places.clear();
        self.places.resize(1 << bits, 0);
        self.out.clear();
        let (mut at, mut plain, mut misses) = (0, 0, 0);
        while at + MATCH_MIN <= text.len() {
            let Some((from, len)) = self.find(text, at, bits) else {
                at += 1 + misses / PATIENCE;
                misses += 1;
                continue;
            };
            misses = 0;
            self.put_plain(&text[plain..at]);
            self.put_match(at - from - 1, len);
            at += len;
            plain = at;
            if self.out.len() > budget {
                return None;
            }
        }
        self.put_plain(&text[plain..]);
        (self.out.len() <= budget).then_some(&self.out)
    }

    /// The match at `at`, as its place and length; notes `at` in the table.
    #[inline]
    fn find(&mut self, text: &[u8], at: usize, bits: u32) -> Option<(usize, usize)> {
        let three = u32::from_be_bytes([0, text[at], text[at + 1], text[at + 2]]);
        let hash = three.wrapping_mul(0x9E37_79B1) >> (32 - bits);
        let place = &mut self.places[hash as usize];
        let from = std::mem::replace(place, at as u32 + 1).checked_sub(1)? as usize;
        if at - from > DISTANCE_MAX || text[from..from + MATCH_MIN] != text[at..at + MATCH_MIN] {
            return None;
        }
        let max = MATCH_MAX.min(text.len() - at);
        let (before, here) = (&text[from..from + max], &text[at..at + max]);
        Some((
            from,
            MATCH_MIN + common(&before[MATCH_MIN..], &here[MATCH_MIN..]),
        ))
    }

    fn put_plain(&mut self, bytes: &[u8]) {
        for run in bytes.chunks(RUN_MAX) {
            self.out.push(run.len() as u8 - 1);
            self.out.extend_from_slice(run);
        }
    }

    fn put_match(&mut self, back: usize, len: usize) {
        let [high, low] = (back as u16).to_be_bytes();
        match len - 2 {
            short @ 0..7 => self.out.push((short as u8) << 5 | high),
            long => self.out.extend([7 << 5 | high, (long - 7) as u8]),
        }
        self.out.push(low);
    }
}

/// How many bytes two texts of one length have in common at the start.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    let (words, others) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    for (nth, (&word, &other)) in words.iter().zip(others).enumerate() {
        let differing = u64::from_le_bytes(word) ^ u64::from_le_bytes(other);
        if differing != 0 {
            return nth * 8 + differing.trailing_zeros() as usize / 8;
        }
    }
    let start = words.len() * 8;
    let rest = a[start..].iter().zip(&b[start..]);
    start + rest.take_while(|(a, b)| a == b).count()
}

/// The text of `len` bytes that `packed` is the compressed form of. O(len).
///
/// # Errors
/// When it is not the form of any text, or of one with another length. Memory is only
/// taken for what `packed` can yield.
pub fn decompress(packed: &[u8], len: usize) -> Result<Vec<u8>, Error> {
    if len > packed.len().saturating_mul(EXPANSION_MAX) {
        return Err(Error::Compression);
    }
    let mut out = Vec::with_capacity(len);
    let mut rest = packed;
    while let Some((&control, behind)) = rest.split_first() {
        rest = behind;
        let (back, count) = match usize::from(control) {
            run @ 0..RUN_MAX => {
                let plain = take(&mut rest, run + 1)?;
                if plain.len() > len - out.len() {
                    return Err(Error::Compression);
                }
                out.extend_from_slice(plain);
                continue;
            }
            head => {
                let mut count = head >> 5;
                if count == 7 {
                    count += usize::from(take(&mut rest, 1)?[0]);
                }
                let low = usize::from(take(&mut rest, 1)?[0]);
                ((head & 0x1f) << 8 | low, count + 2)
            }
        };
        let from = out.len().checked_sub(back + 1);
        let from = from.ok_or(Error::Compression)?;
        if count > len - out.len() {
            return Err(Error::Compression);
        }
        repeat(&mut out, from, count);
    }
    if out.len() == len {
        Ok(out)
    } else {
        Err(Error::Compression)
    }
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], Error> {
    let (taken, behind) = rest.split_at_checked(len).ok_or(Error::Compression)?;
    *rest = behind;
    Ok(taken)
}

/// Appends `count` bytes from place `from` on, which may be among those appended.
fn repeat(out: &mut Vec<u8>, from: usize, count: usize) {
    let mut left = count;
    while left > 0 {
        let step = left.min(out.len() - from);
        out.extend_from_within(from..from + step);
        left -= step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;

    fn round_trip(text: &[u8]) -> Option<usize> {
        let mut compressor = Compressor::default();
        let packed = compressor.compress(text)?;
        assert!(packed.len() + SAVING_MIN < text.len());
        assert_eq!(decompress(packed, text.len()).as_deref(), Ok(text));
        Some(packed.len())
    }

    #[test]
    fn what_repeats_gets_short() {
        assert!(round_trip(&[b'x'; 1000]).is_some_and(|len| len < 20));
        assert!(round_trip(&b"abcdefg".repeat(100)).is_some_and(|len| len < 40));
        assert!(round_trip(&b"key:000001 key:000002 key:000003".repeat(9)).is_some());
        assert_eq!(round_trip(b""), None);
        assert_eq!(round_trip(b"abcd"), None);
        let noise: Vec<u8> = (0..5000u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let _ = round_trip(&noise);
    }

    #[test]
    fn random_texts_come_back() {
        let mut rng = Rng::seeded(7);
        for letters in [1u64, 2, 5, 60, 256] {
            for len in [5, 21, 100, 1000, 9000, 70_000] {
                let text: Vec<u8> = (0..len).map(|_| rng.below(letters) as u8).collect();
                round_trip(&text);
            }
        }
    }

    #[test]
    fn damage_is_refused() {
        let mut rng = Rng::seeded(11);
        let text = b"some text, and some text again, and again some text".repeat(5);
        let packed = Compressor::default().compress(&text).map(<[u8]>::to_vec);
        let packed = packed.expect("it repeats");
        for _ in 0..5000 {
            let mut bad = packed.clone();
            let at = rng.below(bad.len() as u64) as usize;
            bad[at] ^= 1 << rng.below(8);
            bad.truncate(bad.len() - rng.below(3) as usize);
            if let Ok(out) = decompress(&bad, text.len()) {
                assert_eq!(out.len(), text.len());
            }
        }
        assert_eq!(decompress(&packed, text.len() + 1), Err(Error::Compression));
        assert_eq!(decompress(&packed, usize::MAX), Err(Error::Compression));
        assert_eq!(decompress(b"\x20\x00", 3), Err(Error::Compression));
    }
}
