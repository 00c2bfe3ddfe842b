//! Integers of 1 to 64 bits at any bit of a string: what BITFIELD reads and
//! writes.
//!
//! A field is handled in a window of 16 bytes around it, which the widest one at
//! the worst offset (nine bytes) fits.

/// The type of a field: `i1` to `i64`, `u1` to `u63`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    signed: bool,
    bits: u32,
}

/// What becomes of a value that the field cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// It loses its upper bits.
    #[default]
    Wrap,
    /// It becomes the nearest that fits.
    Saturate,
    /// Nothing is written.
    Fail,
}

impl Field {
    /// A field of so many bits; unsigned ones have at most 63, so that every value
    /// is an `i64`.
    pub fn new(signed: bool, bits: u32) -> Option<Field> {
        let max = if signed { 64 } else { 63 };
        (1..=max).contains(&bits).then_some(Field { signed, bits })
    }

    /// The width in bits.
    pub fn bits(self) -> usize {
        self.bits as usize
    }

    /// The value at a bit offset; bits behind the end are 0. O(1).
    pub fn read(self, bytes: &[u8], offset: usize) -> i64 {
        let window = window(bytes, offset) << (offset % 8);
        if self.signed {
            (window.cast_signed() >> (128 - self.bits)) as i64
        } else {
            (window >> (128 - self.bits)) as i64
        }
    }

    /// Writes the lower bits of a value. O(1).
    ///
    /// # Panics
    /// If the string ends within the field.
    pub fn write(self, bytes: &mut [u8], offset: usize, value: i64) {
        let shift = 128 - self.bits - (offset % 8) as u32;
        let mask = (u128::MAX >> (128 - self.bits)) << shift;
        let field = (value.cast_unsigned() as u128) << shift & mask;
        let window = (window(bytes, offset) & !mask) | field;
        let (first, end) = (offset / 8, (offset + self.bits()).div_ceil(8));
        let len = end - first;
        bytes[first..end].copy_from_slice(&window.to_be_bytes()[..len]);
    }

    /// `value + delta` as the field can hold it, and whether it had to be changed
    /// for that.
    pub fn add(self, value: i64, delta: i64, overflow: Overflow) -> (i64, bool) {
        let saturated = if self.signed {
            self.signed_limit(value, delta)
        } else {
            self.unsigned_limit(value.cast_unsigned(), delta)
        };
        match (saturated, overflow) {
            (None, _) => (value.wrapping_add(delta), false),
            (Some(limit), Overflow::Saturate) => (limit, true),
            (Some(_), _) => (self.wrapped(value.wrapping_add(delta)), true),
        }
    }

    /// The limit that a sum passes. A difference may wrap around in here: that is
    /// how Redis takes a SET of the smallest `i64` for too large, not too small.
    fn signed_limit(self, value: i64, delta: i64) -> Option<i64> {
        let max = i64::MAX >> (64 - self.bits);
        let min = !max;
        let (above, below) = (max.wrapping_sub(value), min.wrapping_sub(value));
        // With all 64 bits a difference says nothing about values of the other sign.
        let narrow = self.bits < 64;
        if value > max || ((narrow || value >= 0 && delta > 0) && delta > above) {
            Some(max)
        } else if value < min || ((narrow || value < 0 && delta < 0) && delta < below) {
            Some(min)
        } else {
            None
        }
    }

    fn unsigned_limit(self, value: u64, delta: i64) -> Option<i64> {
        let max = (1u64 << self.bits) - 1;
        let above = max.wrapping_sub(value).cast_signed();
        let below = value.wrapping_neg().cast_signed();
        if value > max || (delta > 0 && delta > above) {
            Some(max.cast_signed())
        } else if delta < 0 && delta < below {
            Some(0)
        } else {
            None
        }
    }

    /// The lower bits of a value, read as this field reads them.
    pub(super) fn wrapped(self, value: i64) -> i64 {
        let shift = 64 - self.bits;
        if self.signed {
            value << shift >> shift
        } else {
            (value.cast_unsigned() << shift >> shift).cast_signed()
        }
    }
}

/// The bytes from that of a bit on, zero bytes behind the end.
fn window(bytes: &[u8], offset: usize) -> u128 {
    let mut window = [0; 16];
    let from = bytes.get(offset / 8..).unwrap_or_default();
    // Nine bytes are the most that a field can touch.
    let len = from.len().min(9);
    window[..len].copy_from_slice(&from[..len]);
    u128::from_be_bytes(window)
}
