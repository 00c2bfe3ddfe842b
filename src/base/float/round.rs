//! Rounding to a binary floating-point format, to nearest, ties to even: the one
//! place where precision is lost.

/// A binary format whose finite values are `mantissa * 2^exponent` with
/// `mantissa < 2^bits` and `exponent` in `exponent_min..=exponent_max`.
pub(super) struct Format {
    bits: u32,
    exponent_min: i32,
    exponent_max: i32,
}

/// IEEE 754 binary64, the C `double`.
pub(super) const DOUBLE: Format = Format {
    bits: 53,
    exponent_min: -1074,
    exponent_max: 971,
};

/// The x87 80-bit extended format, the C `long double` of x86-64.
pub(super) const EXTENDED: Format = Format {
    bits: 64,
    exponent_min: -16445,
    exponent_max: 16320,
};

impl Format {
    /// The format's value nearest to `mantissa * 2^exponent`, as `(mantissa,
    /// exponent)` with the mantissa's top bit set unless the exponent is the
    /// least; `None` if the magnitude is too large to be finite.
    ///
    /// `inexact` says that the true magnitude lies above the one given by less
    /// than one unit of `mantissa`, which then must have more than `bits` bits.
    pub fn round(&self, mantissa: u128, exponent: i64, inexact: bool) -> Option<(u64, i32)> {
        debug_assert!(!inexact || u128::BITS - mantissa.leading_zeros() > self.bits);
        if mantissa == 0 {
            return Some((0, self.exponent_min));
        }
        // With the top bit in place at least 64 bits go, so that what `inexact`
        // stands for is always below the half.
        let shift = mantissa.leading_zeros();
        let mantissa = mantissa << shift;
        let exponent = exponent - i64::from(shift);
        let dropped =
            i64::from(u128::BITS - self.bits).max(i64::from(self.exponent_min) - exponent);
        if dropped > i64::from(u128::BITS) {
            return Some((0, self.exponent_min));
        }
        let kept = mantissa.checked_shr(dropped as u32).unwrap_or(0);
        let lost = mantissa - kept.checked_shl(dropped as u32).unwrap_or(0);
        let half = 1u128 << (dropped - 1);
        let up = lost > half || lost == half && (inexact || kept & 1 == 1);
        self.settle(kept + u128::from(up), exponent + dropped)
    }

    /// Renormalizes a mantissa that rounding has carried to `2^bits`, and
    /// refuses what has grown beyond the largest finite value.
    fn settle(&self, mantissa: u128, exponent: i64) -> Option<(u64, i32)> {
        let carry = (mantissa >> self.bits) as u32;
        let exponent = exponent + i64::from(carry);
        let in_range = exponent <= i64::from(self.exponent_max);
        in_range.then_some(((mantissa >> carry) as u64, exponent as i32))
    }
}
