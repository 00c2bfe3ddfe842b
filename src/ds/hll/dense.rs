//! The dense registers: 16384 values of six bits, from the low bits of each byte
//! up.
//!
//! ```text
//! byte     0        1        2
//!       +--------+--------+--------+
//!       |11000000|22221111|33333322|   digit: the register the bit belongs to
//!       +--------+--------+--------+
//! ```
//!
//! Four registers are three bytes, so what goes over all of them takes six bytes,
//! which are eight registers, at a time: these are spread over the eight bytes of a
//! word, or pushed together, in three steps of halves.

use super::{REGISTERS, Values};

/// Bytes of the registers.
pub(super) const LEN: usize = REGISTERS / 4 * 3;

const MASK: u32 = 0x3f;

/// Raises a register to `rank`; whether it was lower. O(1).
pub(super) fn raise(registers: &mut [u8], index: usize, rank: u8) -> bool {
    let at = index / 4 * 3;
    let group = &mut registers[at..at + 3];
    let mut bits = u32::from_le_bytes([group[0], group[1], group[2], 0]);
    let shift = 6 * (index % 4);
    if bits >> shift & MASK >= u32::from(rank) {
        return false;
    }
    bits = bits & !(MASK << shift) | u32::from(rank) << shift;
    group.copy_from_slice(&bits.to_le_bytes()[..3]);
    true
}

/// Raises each of `values` to what the register has. O(registers).
pub(super) fn merge(registers: &[u8], values: &mut Values) {
    /// Words that are spread before any value is compared, so that vectors fill.
    const WORDS: usize = 8;
    let (groups, _) = registers.as_chunks::<{ 6 * WORDS }>();
    let (blocks, _) = values.as_chunks_mut::<{ 8 * WORDS }>();
    for (group, block) in groups.iter().zip(blocks) {
        let mut found = [0; 8 * WORDS];
        let (sixes, _) = group.as_chunks::<6>();
        let (eights, _) = found.as_chunks_mut::<8>();
        for (six, eight) in sixes.iter().zip(eights) {
            *eight = spread(*six);
        }
        for (value, found) in block.iter_mut().zip(found) {
            *value = (*value).max(found);
        }
    }
}

/// Eight registers, a byte each.
#[inline]
fn spread([a, b, c, d, e, f]: [u8; 6]) -> [u8; 8] {
    let bits = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
    let bits = bits & 0xff_ffff | (bits & 0xffff_ff00_0000) << 8;
    let bits = bits & 0xfff_0000_0fff | (bits & 0xff_f000_00ff_f000) << 4;
    let bits = bits & 0x3f_003f_003f_003f | (bits & 0x0fc0_0fc0_0fc0_0fc0) << 2;
    bits.to_le_bytes()
}

/// Writes all registers. O(registers).
pub(super) fn pack(values: &Values, registers: &mut [u8]) {
    let (groups, _) = registers.as_chunks_mut::<6>();
    let (eights, _) = values.as_chunks::<8>();
    for (group, eight) in groups.iter_mut().zip(eights) {
        let bits = u64::from_le_bytes(*eight);
        let bits = bits & 0x3f_003f_003f_003f | (bits & 0x3f00_3f00_3f00_3f00) >> 2;
        let bits = bits & 0xfff_0000_0fff | (bits & 0xfff_0000_0fff_0000) >> 4;
        let bits = bits & 0xff_ffff | (bits & 0xff_ffff_0000_0000) >> 8;
        group.copy_from_slice(&bits.to_le_bytes()[..6]);
    }
}
