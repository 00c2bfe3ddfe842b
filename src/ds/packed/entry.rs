//! The bytes of one entry: Redis's listpack element.
//!
//! ```text
//! entry   = body backlen
//! body    = 0xxxxxxx                          unsigned, 7 bits
//!         | 10llllll bytes                    string, up to 63 bytes
//!         | 110xxxxx xxxxxxxx                 signed, 13 bits, high bits first
//!         | 1110llll llllllll bytes           string, up to 4095 bytes
//!         | 11110000 len(4, little) bytes     string, longer
//!         | 11110001 .. 11110100 int(little)  signed, 2, 3, 4 or 8 bytes
//! backlen = length of the body in 7-bit groups, high group first; every
//!           byte but the first has its top bit set, so that a reader coming
//!           from behind knows when to stop
//! ```
//!
//! Two things are taken over as they are because real files depend on them:
//! the longest length of each backlen size is one less than its bits allow
//! (16383 needs three bytes), and 0xFF is never a tag, since it ends a
//! listpack.
//!
//! What must stay true: `write` produces exactly `size` bytes; `decode`,
//! `last` and `size_at` are handed bytes that `write` made or `check` passed,
//! and only `check` may be handed anything else.

use super::Elem;

const TAG_STR6: u8 = 0x80;
const TAG_INT13: u8 = 0xC0;
const TAG_STR12: u8 = 0xE0;
const TAG_STR32: u8 = 0xF0;
const TAG_INT16: u8 = 0xF1;
const TAG_INT24: u8 = 0xF2;
const TAG_INT32: u8 = 0xF3;
const TAG_INT64: u8 = 0xF4;

const STR6_MAX: usize = 63;
const STR12_MAX: usize = 4095;

/// The first lengths that need two, three, four and five bytes of backlen.
const BACKLEN_STEPS: [usize; 4] = [128, 16_383, 2_097_151, 268_435_455];

/// Why bytes are not a sequence of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corrupt {
    /// A header that contradicts the length of the data, or no terminator.
    Frame,
    /// An entry begins with a byte that names no encoding.
    Tag,
    /// An entry reaches beyond the end of the data.
    Truncated,
    /// The length behind an entry is not that of the entry.
    Backlen,
    /// The number of entries is not the announced one.
    Count,
}

/// Encoded size of an element in bytes, backlen included.
#[inline]
pub(super) fn size(elem: Elem<'_>) -> usize {
    let body = body_len(elem);
    body + backlen_len(body)
}

/// Writes the entry of `elem` over `out`, which is exactly its size.
#[inline]
pub(super) fn write(out: &mut [u8], elem: Elem<'_>) {
    let body = body_len(elem);
    let (head, back) = out.split_at_mut(body);
    match elem {
        Elem::Int(value) => write_int(head, value),
        Elem::Str(bytes) => write_str(head, bytes),
    }
    write_backlen(back, body);
}

/// The first entry of `bytes` and its size.
#[inline]
pub(super) fn decode(bytes: &[u8]) -> (Elem<'_>, usize) {
    let tag = bytes[0];
    if tag < TAG_STR6 {
        (Elem::Int(i64::from(tag)), 2)
    } else if tag < TAG_INT13 {
        let len = usize::from(tag & 0x3F);
        (Elem::Str(&bytes[1..1 + len]), len + 2)
    } else {
        decode_long(bytes)
    }
}

/// The size of the first entry of `bytes`.
#[inline]
pub(super) fn size_at(bytes: &[u8]) -> usize {
    let tag = bytes[0];
    if tag < TAG_STR6 {
        2
    } else if tag < TAG_INT13 {
        usize::from(tag & 0x3F) + 2
    } else {
        // The tag is known and the header complete: `check` or `write` saw to it.
        let body = body_len_at(bytes).unwrap_or_else(|_| unreachable!("unchecked entry bytes"));
        body + backlen_len(body)
    }
}

/// Where the last entry of `bytes` begins.
#[inline]
pub(super) fn last(bytes: &[u8]) -> usize {
    let mut at = bytes.len() - 1;
    let mut body = usize::from(bytes[at] & 0x7F);
    let mut shift = 7;
    while bytes[at] & 0x80 != 0 {
        at -= 1;
        body |= usize::from(bytes[at] & 0x7F) << shift;
        shift += 7;
    }
    at - body
}

/// The size of the first entry of `bytes`, which may be anything.
pub(super) fn check(bytes: &[u8]) -> Result<usize, Corrupt> {
    let body = body_len_at(bytes)?;
    if body < BACKLEN_STEPS[0] {
        let &found = bytes.get(body).ok_or(Corrupt::Truncated)?;
        let is_right = usize::from(found) == body;
        return is_right.then_some(body + 1).ok_or(Corrupt::Backlen);
    }
    let size = body + backlen_len(body);
    let found = bytes.get(body..size).ok_or(Corrupt::Truncated)?;
    let mut expected = [0; 5];
    let expected = &mut expected[..size - body];
    write_backlen(expected, body);
    if found == expected {
        Ok(size)
    } else {
        Err(Corrupt::Backlen)
    }
}

fn decode_long(bytes: &[u8]) -> (Elem<'_>, usize) {
    match bytes[0] {
        TAG_INT13..TAG_STR12 => {
            let bits = u16::from_be_bytes([bytes[0], bytes[1]]) << 3;
            (Elem::Int(i64::from(bits.cast_signed() >> 3)), 3)
        }
        TAG_STR12..TAG_STR32 => long_str(bytes, 2),
        TAG_STR32 => long_str(bytes, 5),
        _ => long_int(bytes),
    }
}

fn long_str(bytes: &[u8], header: usize) -> (Elem<'_>, usize) {
    let size = size_at(bytes);
    let body = if header == 2 {
        str12_len(bytes)
    } else {
        str32_len(bytes)
    };
    (Elem::Str(&bytes[header..header + body]), size)
}

fn long_int(bytes: &[u8]) -> (Elem<'_>, usize) {
    let size = size_at(bytes);
    let width = size - 2;
    let mut wide = [0; 8];
    wide[8 - width..].copy_from_slice(&bytes[1..1 + width]);
    // The bytes stand at the top, so the shift brings the sign down with them.
    (
        Elem::Int(i64::from_le_bytes(wide) >> (8 * (8 - width))),
        size,
    )
}

/// Length of the body that `bytes` begin with, from its header alone.
fn body_len_at(bytes: &[u8]) -> Result<usize, Corrupt> {
    let header = |len| {
        if bytes.len() >= len {
            Ok(())
        } else {
            Err(Corrupt::Truncated)
        }
    };
    header(1)?;
    match bytes[0] {
        0..TAG_STR6 => Ok(1),
        tag @ TAG_STR6..TAG_INT13 => Ok(1 + usize::from(tag & 0x3F)),
        TAG_INT13..TAG_STR12 => Ok(2),
        TAG_STR12..TAG_STR32 => header(2).map(|()| 2 + str12_len(bytes)),
        TAG_STR32 => header(5).map(|()| 5 + str32_len(bytes)),
        TAG_INT16 => Ok(3),
        TAG_INT24 => Ok(4),
        TAG_INT32 => Ok(5),
        TAG_INT64 => Ok(9),
        _ => Err(Corrupt::Tag),
    }
}

fn str12_len(bytes: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([bytes[0] & 0x0F, bytes[1]]))
}

fn str32_len(bytes: &[u8]) -> usize {
    u32::from_le_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]) as usize
}

#[inline]
fn body_len(elem: Elem<'_>) -> usize {
    match elem {
        Elem::Int(value) => int_body_len(value),
        Elem::Str(bytes) if bytes.len() <= STR6_MAX => 1 + bytes.len(),
        Elem::Str(bytes) if bytes.len() <= STR12_MAX => 2 + bytes.len(),
        Elem::Str(bytes) => 5 + bytes.len(),
    }
}

fn int_body_len(value: i64) -> usize {
    match value {
        0..=127 => 1,
        -4_096..=4_095 => 2,
        -32_768..=32_767 => 3,
        -8_388_608..=8_388_607 => 4,
        -2_147_483_648..=2_147_483_647 => 5,
        _ => 9,
    }
}

/// Writes the body of an integer; its width is the length of `out`.
fn write_int(out: &mut [u8], value: i64) {
    let little = value.to_le_bytes();
    out[0] = match out.len() {
        1 => little[0],
        2 => TAG_INT13 | (little[1] & 0x1F),
        3 => TAG_INT16,
        4 => TAG_INT24,
        5 => TAG_INT32,
        _ => TAG_INT64,
    };
    match out.len() {
        1 => {}
        2 => out[1] = little[0],
        len => out[1..].copy_from_slice(&little[..len - 1]),
    }
}

#[inline]
fn write_str(out: &mut [u8], bytes: &[u8]) {
    let len = bytes.len();
    let header = out.len() - len;
    match header {
        1 => out[0] = TAG_STR6 | len as u8,
        2 => {
            out[0] = TAG_STR12 | (len >> 8) as u8;
            out[1] = len as u8;
        }
        _ => {
            out[0] = TAG_STR32;
            out[1..5].copy_from_slice(&(len as u32).to_le_bytes());
        }
    }
    out[header..].copy_from_slice(bytes);
}

#[inline]
fn backlen_len(body: usize) -> usize {
    if body < BACKLEN_STEPS[0] {
        return 1;
    }
    1 + BACKLEN_STEPS.iter().filter(|&&step| body >= step).count()
}

/// Writes `body` over `out`, whose length is its `backlen_len`.
#[inline]
fn write_backlen(out: &mut [u8], body: usize) {
    let mut rest = body;
    for byte in out.iter_mut().rev() {
        *byte = (rest & 0x7F) as u8 | 0x80;
        rest >>= 7;
    }
    out[0] &= 0x7F;
}
