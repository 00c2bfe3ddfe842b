//! Strings as arrays of bits: bit 0 is the most significant bit of byte 0, as in
//! Redis.
//!
//! ```text
//! byte        0                 1
//! bit   0 1 2 3 4 5 6 7   8 9 10 ...
//!       |<- u5 at 2 ->|
//! ```
//!
//! What runs over whole strings goes by words and blocks, in loops that the
//! compiler turns into vector instructions; the bits before the first and behind
//! the last whole byte of a range are masked, not looped over.
//!
//! Must stay true: nothing here grows a string. Reading behind the end gives zero
//! bits; whoever writes has made room.

use std::ops::Range;

mod field;
mod ones;
#[cfg(test)]
mod tests;

pub use field::{Field, Overflow};
use ones::ones;

/// Bytes that [`combine`] computes at a time: the parts of a few sources together
/// fit the first-level cache.
const BLOCK: usize = 4096;

/// A bit; false behind the end. O(1).
pub fn get(bytes: &[u8], offset: usize) -> bool {
    (bytes.get(offset / 8)).is_some_and(|byte| byte >> (7 - offset % 8) & 1 == 1)
}

/// Sets a bit to `on` and returns what it was. O(1).
///
/// # Panics
/// If the string ends before it.
pub fn set(bytes: &mut [u8], offset: usize, on: bool) -> bool {
    let byte = &mut bytes[offset / 8];
    let mask = 0x80 >> (offset % 8);
    let old = *byte & mask != 0;
    *byte = if on { *byte | mask } else { *byte & !mask };
    old
}

/// The bits of the first byte that a range of bits starts in.
fn head_mask(bits: &Range<usize>) -> u8 {
    0xff >> (bits.start % 8)
}

/// The bits of the last byte that a range of bits ends in.
fn tail_mask(bits: &Range<usize>) -> u8 {
    0xff << (7 - (bits.end - 1) % 8)
}

/// How many bits of a range, which lies within the string, are set. O(length of
/// the range).
pub fn count(bytes: &[u8], bits: Range<usize>) -> usize {
    if bits.is_empty() {
        return 0;
    }
    let (first, last) = (bits.start / 8, (bits.end - 1) / 8);
    let before = bytes[first] & !head_mask(&bits);
    let behind = bytes[last] & !tail_mask(&bits);
    ones(&bytes[first..=last]) - (before.count_ones() + behind.count_ones()) as usize
}

/// The first bit of a range within the string that is `value`. O(length of the
/// range).
pub fn find(bytes: &[u8], value: bool, bits: Range<usize>) -> Option<usize> {
    if bits.is_empty() {
        return None;
    }
    // A byte whose bits all have the other value.
    let filler = if value { 0 } else { 0xff };
    let (first, last) = (bits.start / 8, (bits.end - 1) / 8);
    let wanted = |at: usize| {
        let head = if at == first { head_mask(&bits) } else { 0xff };
        let tail = if at == last { tail_mask(&bits) } else { 0xff };
        (bytes[at] ^ filler) & head & tail
    };
    let in_byte = |at: usize| match wanted(at) {
        0 => None,
        byte => Some(8 * at + byte.leading_zeros() as usize),
    };
    in_byte(first).or_else(|| {
        let middle = bytes.get(first + 1..last).unwrap_or_default();
        let at = first_other(middle, filler).map_or(last, |at| first + 1 + at);
        in_byte(at)
    })
}

/// The first byte that is not `filler`.
fn first_other(bytes: &[u8], filler: u8) -> Option<usize> {
    let (blocks, _) = bytes.as_chunks::<64>();
    let differs = |block: &[u8; 64]| block.iter().fold(0, |sum, byte| sum | (byte ^ filler)) != 0;
    let skipped = 64 * blocks.iter().take_while(|block| !differs(block)).count();
    let at = bytes[skipped..].iter().position(|&byte| byte != filler)?;
    Some(skipped + at)
}

/// What BITOP computes of its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    And,
    Or,
    Xor,
    /// Of one source.
    Not,
    /// What the first has and no other.
    Diff,
    /// What any other has and the first has not.
    Diff1,
    /// What the first has and any other.
    AndOr,
    /// What exactly one has.
    One,
}

impl Op {
    /// The operation with this name, in any case.
    pub fn named(name: &[u8]) -> Option<Op> {
        let names = [
            ("AND", Op::And),
            ("OR", Op::Or),
            ("XOR", Op::Xor),
            ("NOT", Op::Not),
            ("DIFF", Op::Diff),
            ("DIFF1", Op::Diff1),
            ("ANDOR", Op::AndOr),
            ("ONE", Op::One),
        ];
        (names.into_iter())
            .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
            .map(|(_, op)| op)
    }
}

/// The sources combined bit by bit, as long as the longest of them; shorter ones
/// count as filled up with zero bytes. O(sources * longest).
pub fn combine(op: Op, sources: &[&[u8]]) -> Vec<u8> {
    let len = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    let mut result = vec![0; len];
    for (nth, out) in result.chunks_mut(BLOCK).enumerate() {
        let (start, end) = (nth * BLOCK, nth * BLOCK + out.len());
        let mut parts = (sources.iter())
            .map(|source| source.get(start..end.min(source.len())).unwrap_or_default());
        let first = parts.next().unwrap_or_default();
        combine_block(op, out, first, parts);
    }
    result
}

/// One block of [`combine`], into zero bytes.
fn combine_block<'a>(op: Op, out: &mut [u8], first: &[u8], others: impl Iterator<Item = &'a [u8]>) {
    // The first source, or for One the bits that were met more than once.
    let mut side = [0; BLOCK];
    let side = &mut side[..out.len()];
    match op {
        Op::Diff | Op::Diff1 | Op::AndOr => side[..first.len()].copy_from_slice(first),
        _ => out[..first.len()].copy_from_slice(first),
    }
    for other in others {
        match op {
            Op::And => {
                apply(out, other, |a, b| a & b);
                out[other.len()..].fill(0);
            }
            Op::Xor => apply(out, other, |a, b| a ^ b),
            Op::One => {
                for ((once, more), b) in out.iter_mut().zip(side.iter_mut()).zip(other) {
                    *more |= *once & b;
                    *once = (*once ^ b) & !*more;
                }
            }
            Op::Or | Op::Not | Op::Diff | Op::Diff1 | Op::AndOr => apply(out, other, |a, b| a | b),
        }
    }
    match op {
        Op::Not => out.iter_mut().for_each(|byte| *byte = !*byte),
        Op::Diff => apply(out, side, |any, x| x & !any),
        Op::Diff1 => apply(out, side, |any, x| !x & any),
        Op::AndOr => apply(out, side, |any, x| x & any),
        Op::And | Op::Or | Op::Xor | Op::One => {}
    }
}

#[inline]
fn apply(out: &mut [u8], with: &[u8], op: impl Fn(u8, u8) -> u8) {
    for (a, b) in out.iter_mut().zip(with) {
        *a = op(*a, *b);
    }
}
