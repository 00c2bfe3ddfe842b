//! The x87 80-bit extended format in software.
//!
//! Redis computes INCRBYFLOAT and HINCRBYFLOAT in C's `long double`. What a client
//! reads back shows that format's 64-bit mantissa: `10.5 + 0.1` is `10.6`, where a
//! double would say `10.59999999999999964` at the 17 decimals Redis prints. So the
//! format is done here, on every processor alike: correctly rounded reading, one
//! correctly rounded operation (addition), and exact printing.
//!
//! The usual amounts, up to 19 significant digits with up to 18 decimals, never
//! leave 128-bit arithmetic; only the rest goes through [`Natural`].
//!
//! There is no NaN: no text reads as one, and the sum that would be one is
//! refused where it would arise.

use super::natural::Natural;
use super::round::EXTENDED;
use super::scan::{Numeral, Radix, Text, scan};

/// A number of the x87 extended format: 64 bits of mantissa, magnitudes from
/// `2^-16445` (about 3.6e-4951) to about 1.19e4932, or an infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extended {
    negative: bool,
    magnitude: Magnitude,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Magnitude {
    /// `mantissa * 2^exponent`. The mantissa's top bit is set unless the exponent
    /// is the format's least, so that each value has one representation.
    Finite {
        mantissa: u64,
        exponent: i32,
    },
    Infinite,
}

impl Extended {
    /// Reads a number as Redis reads the arguments and the stored values of
    /// INCRBYFLOAT and HINCRBYFLOAT, rounding to nearest, ties to even.
    ///
    /// Takes decimal and hexadecimal (`0x1.8p3`) floats and infinities, with or
    /// without a sign. `None` for anything else: blanks anywhere, a rest behind the
    /// number, NaN, a number too large for the format, one other than zero
    /// that rounds to zero, or [`MAX_TEXT_LEN`] bytes or more.
    ///
    /// Linear for usual amounts; at most quadratic in the length of the text plus
    /// the size of its exponent, which stays below 1 ms at the limits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() >= MAX_TEXT_LEN {
            return None;
        }
        let (negative, magnitude) = match scan(text)? {
            Text::Infinity { negative } => (negative, Magnitude::Infinite),
            Text::Number(numeral) => (numeral.negative, read_magnitude(&numeral)?),
        };
        Some(Self {
            negative,
            magnitude,
        })
    }

    /// A double, exactly; `None` for NaN.
    pub fn from_f64(value: f64) -> Option<Self> {
        if value.is_nan() {
            return None;
        }
        let bits = value.abs().to_bits();
        let (field, fraction) = (bits >> 52, bits & ((1 << 52) - 1));
        let magnitude = if value.is_infinite() {
            Magnitude::Infinite
        } else {
            // Denormal numbers have the least exponent and lack the leading one.
            let lead = u64::from(field > 0) << 52;
            let exponent = field.max(1) as i64 - 1075;
            let (mantissa, exponent) =
                EXTENDED.round(u128::from(fraction | lead), exponent, false)?;
            Magnitude::Finite { mantissa, exponent }
        };
        Some(Self {
            negative: value.is_sign_negative(),
            magnitude,
        })
    }

    /// The sum, rounded to nearest, ties to even; `None` where it would be NaN or
    /// infinite, which Redis answers with `increment would produce NaN or Infinity`.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let (mut large, mut small) = (self.finite_parts()?, other.finite_parts()?);
        if (large.exponent, large.mantissa) < (small.exponent, small.mantissa) {
            std::mem::swap(&mut large, &mut small);
        }
        let (small_wide, lost) = align(&small, large.exponent);
        let large_wide = u128::from(large.mantissa) << GUARD_BITS;
        let wide = if large.negative == small.negative {
            large_wide + small_wide
        } else {
            // Rounds the difference down where bits were lost, so that what is
            // missing from it is again less than one unit.
            large_wide - small_wide - u128::from(lost)
        };
        let exponent = i64::from(large.exponent) - i64::from(GUARD_BITS);
        let (mantissa, exponent) = EXTENDED.round(wide, exponent, lost)?;
        Some(Self {
            negative: large.negative,
            magnitude: Magnitude::Finite { mantissa, exponent },
        })
    }

    /// Whether this is an infinity, which HINCRBYFLOAT refuses as an increment.
    pub fn is_infinite(self) -> bool {
        self.magnitude == Magnitude::Infinite
    }

    /// The text Redis stores and replies: plain decimals without an exponent,
    /// rounded to 17 behind the point, no trailing zeros, no `-0`; infinities are
    /// `inf` and `-inf`. Up to 4933 digits, for which it takes about 0.5 ms.
    pub fn to_redis_text(self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.negative {
            out.push(b'-');
        }
        match self.magnitude {
            Magnitude::Infinite => out.extend_from_slice(b"inf"),
            Magnitude::Finite { mantissa, exponent } if exponent >= 0 => {
                push_integer(&mut out, mantissa, exponent.unsigned_abs());
            }
            Magnitude::Finite { mantissa, exponent } => {
                push_fixed_point(&mut out, to_fixed_point(mantissa, exponent.unsigned_abs()));
            }
        }
        if out == b"-0" {
            out.remove(0);
        }
        out
    }

    /// `10^power`, rounded to 64 bits, as `(mantissa, exponent)` with the
    /// mantissa's top bit set. `power` must be within +-4900.
    pub(super) fn power_of_ten(power: i32) -> (u64, i32) {
        let one = Natural::from_u64(1);
        let (mantissa, exponent, inexact) = match power {
            0.. => multiply(one, power.unsigned_abs()),
            _ => divide(one, power.unsigned_abs()),
        };
        let rounded = EXTENDED.round(mantissa, exponent, inexact);
        // Finite, and far from both ends of the format, by the bound on `power`.
        rounded.expect("a power of ten within the format's range")
    }

    fn finite_parts(self) -> Option<Parts> {
        match self.magnitude {
            Magnitude::Finite { mantissa, exponent } => Some(Parts {
                negative: self.negative,
                mantissa,
                exponent,
            }),
            Magnitude::Infinite => None,
        }
    }
}

/// A finite number taken apart for addition.
struct Parts {
    negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// Texts of this length or more are refused, as Redis's buffer refuses them.
pub const MAX_TEXT_LEN: usize = 5 * 1024;

/// How many bits behind the mantissa an addition keeps apart from the sticky rest.
const GUARD_BITS: u32 = 62;

/// `small` in units of `2^(exponent - GUARD_BITS)`, and whether bits were lost
/// below that. `exponent` must not be below its own.
fn align(small: &Parts, exponent: i32) -> (u128, bool) {
    let wide = u128::from(small.mantissa) << GUARD_BITS;
    let shift = exponent.abs_diff(small.exponent);
    let aligned = wide.checked_shr(shift).unwrap_or(0);
    (aligned, wide.trailing_zeros() < shift && wide != 0)
}

/// Rounds a numeral to the format; `None` where it overflows, or underflows to
/// zero without being zero (C's ERANGE, which Redis refuses).
fn read_magnitude(numeral: &Numeral<'_>) -> Option<Magnitude> {
    let (mantissa, exponent, inexact) = match numeral.radix {
        Radix::Decimal => decimal_to_binary(numeral)?,
        Radix::Hexadecimal => numeral.to_binary(),
    };
    let is_zero = mantissa == 0;
    let (mantissa, exponent) = EXTENDED.round(mantissa, exponent, inexact)?;
    let in_range = is_zero || mantissa != 0;
    in_range.then_some(Magnitude::Finite { mantissa, exponent })
}

/// A decimal numeral as `(mantissa, exponent, inexact)` for [`EXTENDED`] to
/// round; `None` where it is certain to be out of range.
fn decimal_to_binary(numeral: &Numeral<'_>) -> Option<(u128, i64, bool)> {
    let mut digits: Vec<u8> = numeral.digits().skip_while(|&b| b == b'0').collect();
    let written = digits.len();
    digits.truncate(
        digits
            .iter()
            .rposition(|&b| b != b'0')
            .map_or(0, |at| at + 1),
    );
    if digits.is_empty() {
        return Some((0, 0, false));
    }
    let trimmed = (written - digits.len()) as i64;
    let power = numeral.exponent - numeral.fraction.len() as i64 + trimmed;
    // The value is below 10^decimals and at least a tenth of that.
    let decimals = power + digits.len() as i64;
    if !DECIMALS_MIN_MAX.contains(&decimals) {
        return None;
    }
    // In range by the check above, given the bound on the text's length.
    let (power_abs, is_integer) = (power.unsigned_abs() as u32, power >= 0);
    Some(
        match (digits.len() <= DIGITS_MAX_FAST, power_abs <= POWER_MAX_FAST) {
            (true, true) => scale_small(parse_digits(&digits), power_abs, is_integer),
            _ if is_integer => multiply(Natural::from_decimal(&digits), power_abs),
            _ => divide(Natural::from_decimal(&digits), power_abs),
        },
    )
}

/// `digits * 10^power`, or `digits / 10^power` where that is not an integer;
/// `digits` is not zero.
fn scale_small(digits: u64, power: u32, is_integer: bool) -> (u128, i64, bool) {
    let scale = u128::from(10u64.pow(power));
    if is_integer {
        return (u128::from(digits) * scale, 0, false);
    }
    // The dividend has 128 bits and the divisor at most 60: the quotient has more
    // than the 64 that rounding needs.
    let shift = u128::from(digits).leading_zeros();
    let dividend = u128::from(digits) << shift;
    (dividend / scale, -i64::from(shift), dividend % scale != 0)
}

/// `digits * 10^power`.
fn multiply(mut digits: Natural, power: u32) -> (u128, i64, bool) {
    digits.mul_pow5(power);
    let (mantissa, shift, inexact) = digits.top_bits();
    (mantissa, shift as i64 + i64::from(power), inexact)
}

/// `digits / 10^power`; `digits` is not zero.
fn divide(mut digits: Natural, power: u32) -> (u128, i64, bool) {
    let mut divisor = Natural::from_u64(1);
    divisor.mul_pow5(power);
    let (dividend_bits, divisor_bits) = (digits.bit_len(), divisor.bit_len());
    digits.shl(divisor_bits.saturating_sub(dividend_bits));
    divisor.shl(dividend_bits.saturating_sub(divisor_bits));
    let (quotient, inexact) = digits.divide(&divisor, QUOTIENT_BITS);
    let exponent = dividend_bits as i64
        - divisor_bits as i64
        - i64::from(QUOTIENT_BITS - 1)
        - i64::from(power);
    (quotient, exponent, inexact)
}

/// `digits` are at most 19 ASCII digits.
fn parse_digits(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))
}

/// `mantissa / 2^shift` in units of `10^-DECIMALS`, rounded to nearest, ties to
/// even as the C library does it.
fn to_fixed_point(mantissa: u64, shift: u32) -> u128 {
    // Less than 2^121.
    let scaled = u128::from(mantissa) * FIXED_POINT_ONE;
    let whole = scaled.checked_shr(shift).unwrap_or(0);
    let lost = scaled - whole.checked_shl(shift).unwrap_or(0);
    let half = 1u128.checked_shl(shift - 1).unwrap_or(u128::MAX);
    let up = lost > half || lost == half && whole & 1 == 1;
    whole + u128::from(up)
}

/// Appends `units * 10^-DECIMALS` without trailing zeros.
fn push_fixed_point(out: &mut Vec<u8>, units: u128) {
    let mut buffer = itoa::Buffer::new();
    out.extend_from_slice(buffer.format(units / FIXED_POINT_ONE).as_bytes());
    // The leading one keeps the zeros behind the point.
    let fraction = buffer.format(FIXED_POINT_ONE + units % FIXED_POINT_ONE);
    let fraction = fraction[1..].trim_end_matches('0');
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction.as_bytes());
    }
}

/// Appends `mantissa * 2^shift`.
fn push_integer(out: &mut Vec<u8>, mantissa: u64, shift: u32) {
    if shift <= u64::BITS {
        let value = u128::from(mantissa) << shift;
        out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    } else {
        let mut value = Natural::from_u64(mantissa);
        value.shl(shift as usize);
        value.push_decimal(out);
    }
}

/// Decimal magnitudes outside of which a number cannot fit the format: the
/// largest finite value has 4933 digits, half of the least one is 1.8e-4951.
const DECIMALS_MIN_MAX: std::ops::RangeInclusive<i64> = -4950..=4933;

/// Any 19 digits fit a `u64`.
const DIGITS_MAX_FAST: usize = 19;

/// `10^18` has 60 bits: with a dividend of 128 a quotient keeps 4 to spare.
const POWER_MAX_FAST: u32 = 18;

/// Bits of a long quotient: some more than the 64 of the mantissa.
const QUOTIENT_BITS: u32 = 72;

/// Redis prints 17 decimals, the last one rounded.
const DECIMALS: u32 = 17;
const FIXED_POINT_ONE: u128 = 10u128.pow(DECIMALS);
