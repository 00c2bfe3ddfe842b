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
//! which are eight registers, at a time.

use super::{REGISTERS, Values};

/// Bytes of the registers.
pub(super) const LEN: usize = REGISTERS / 4 * 3;

const MASK: u64 = 0x3f;

/// Raises a register to `rank`; whether it was lower. O(1).
pub(super) fn raise(registers: &mut [u8], index: usize, rank: u8) -> bool {
    let at = index / 4 * 3;
    let group = &mut registers[at..at + 3];
    let mut bits = u32::from_le_bytes([group[0], group[1], group[2], 0]);
    let shift = 6 * (index % 4);
    if bits >> shift & MASK as u32 >= u32::from(rank) {
        return false;
    }
    bits = bits & !((MASK as u32) << shift) | u32::from(rank) << shift;
    group.copy_from_slice(&bits.to_le_bytes()[..3]);
    true
}

/// Raises each of `values` to what the register has. O(registers).
pub(super) fn merge(registers: &[u8], values: &mut Values) {
    let (groups, _) = registers.as_chunks::<6>();
    let (eights, _) = values.as_chunks_mut::<8>();
    for (group, eight) in groups.iter().zip(eights) {
        let [a, b, c, d, e, f] = *group;
        let bits = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
        for (nth, value) in eight.iter_mut().enumerate() {
            *value = (*value).max((bits >> (6 * nth) & MASK) as u8);
        }
    }
}

/// Writes all registers. O(registers).
pub(super) fn pack(values: &Values, registers: &mut [u8]) {
    let (groups, _) = registers.as_chunks_mut::<6>();
    let (eights, _) = values.as_chunks::<8>();
    for (group, eight) in groups.iter_mut().zip(eights) {
        let bits = (eight.iter().rev()).fold(0, |bits, &value| bits << 6 | u64::from(value) & MASK);
        group.copy_from_slice(&bits.to_le_bytes()[..6]);
    }
}
