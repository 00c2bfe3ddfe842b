//! Floating-point numbers as Redis reads and writes them, byte for byte.
//!
//! Redis has two kinds, and two ways of printing:
//!
//! - **Doubles**: scores, coordinates, timeouts. [`parse_f64`] reads an argument,
//!   [`push_f64`] writes a reply.
//! - **Extended**: the `long double` of INCRBYFLOAT and HINCRBYFLOAT; see
//!   [`Extended`].
//!
//! Redis changed its printing of doubles in 7.2, and 7.2 is what counts here. To
//! 7.0 a double was `%.17g`; since 7.2 it is an integer up to `2^62`, else the digits
//! Grisu2 finds, laid out by a rule of its own:
//!
//! ```text
//! value                    7.0                      7.2 and here
//! 0.1                      0.10000000000000001      0.1
//! 1e-6                     9.9999999999999995e-07   0.000001
//! 1e-7                     9.9999999999999995e-08   1e-7
//! 0.0001234567             0.0001234567             1.234567e-4
//! 1234567.1234567          1234567.1234567          1.2345671234567e+6
//! 1e18                     1e+18                    1000000000000000000
//! 1e20, 1e21               1e+20, 1e+21             1e+20, 1e+21
//! 123e20                   1.2300000000000001e+22   12300000000000001000000
//! 5e-324                   4.9406564584124654e-324  5e-324
//! 1.7976931348623157e308   1.7976931348623157e+308  the same
//! inf, -inf, nan, -0       inf, -inf, nan, -0       the same
//! ```
//!
//! What must stay true: whatever is printed from a finite double reads back as
//! that double, and nothing reads as NaN.

mod extended;
mod general;
mod grisu;
mod natural;
mod round;
mod scan;
#[cfg(test)]
mod tests;

pub use extended::{Extended, MAX_TEXT_LEN};
pub use general::push_general;

use round::DOUBLE;
use scan::{Numeral, Radix, Text, scan};

/// Reads a double as Redis reads its double arguments, rounding to nearest.
///
/// Takes decimal and hexadecimal (`0x1.8p3`) floats, `inf` and `infinity` in any
/// case, each with or without a sign. `None` for anything else: an empty text,
/// blanks anywhere, a rest behind the number, NaN, a number too large to be
/// finite, or one other than zero that rounds to zero. Linear in the text.
///
/// One departure: a decimal exponent of six digits or more may count for less than
/// it says, which only a text with 100,000 zeros to make up for it could show.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    if let Some(value) = short_decimal(text) {
        return Some(value);
    }
    match scan(text)? {
        Text::Infinity { negative } => Some(with_sign(f64::INFINITY, negative)),
        Text::Number(numeral) => {
            let value = match numeral.radix {
                Radix::Decimal => std::str::from_utf8(text).ok()?.parse().ok()?,
                Radix::Hexadecimal => with_sign(round_hex(&numeral)?, numeral.negative),
            };
            let underflow = value == 0.0 && !numeral.is_zero();
            (value.is_finite() && !underflow).then_some(value)
        }
    }
}

/// What most scores are: so few digits, with a point among them or none, that an `f64`
/// holds them exactly as an integer. Divided by a power of ten that is exact too, it is
/// rounded once, and so to nearest.
#[inline]
fn short_decimal(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > DIGITS_MAX {
        return None;
    }
    let (mut value, mut point) = (0u64, None);
    for (at, byte) in digits.iter().enumerate() {
        match byte.wrapping_sub(b'0') {
            digit @ 0..10 => value = value * 10 + u64::from(digit),
            _ if *byte == b'.' && point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let (before, behind) = point.map_or((digits.len(), 0), |at| (at, digits.len() - at - 1));
    if before == 0 || point.is_some() && behind == 0 {
        return None;
    }
    Some(with_sign(value as f64 / TENS[behind], negative))
}

/// Digits that always fit an `f64`; texts with more bytes take the long way.
const DIGITS_MAX: usize = 15;
/// The powers of ten up to that of so many digits, all exact.
const TENS: [f64; DIGITS_MAX] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
];

/// Appends the text of `value` as Redis 7.2 replies it and stores it: at most 25
/// bytes, see the table above.
pub fn push_f64(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(b"nan");
    } else if value.is_sign_negative() {
        out.push(b'-');
        push_magnitude(out, -value);
    } else {
        push_magnitude(out, value);
    }
}

fn push_magnitude(out: &mut Vec<u8>, value: f64) {
    if value.is_infinite() {
        out.extend_from_slice(b"inf");
    } else if value <= INTEGER_MAX && value.fract() == 0.0 {
        out.extend_from_slice(itoa::Buffer::new().format(value as u64).as_bytes());
    } else {
        let decimal = grisu::shortest(value);
        push_digits(out, decimal.digits(), decimal.power);
    }
}

/// Lays out `digits * 10^power`: plainly where few zeros have to be added or the
/// number is not far from one, else as `d.ddde+x`.
fn push_digits(out: &mut Vec<u8>, digits: &[u8], power: i32) {
    let exponent = power + digits.len() as i32 - 1;
    if (0..=ZEROS_MAX).contains(&power) {
        out.extend_from_slice(digits);
        out.resize(out.len() + power.unsigned_abs() as usize, b'0');
    } else if power < 0 && (power >= -DECIMALS_MAX || exponent.abs() <= PLAIN_EXPONENT_MAX) {
        push_decimals(out, digits, power.unsigned_abs() as usize);
    } else {
        push_scientific(out, digits, exponent);
    }
}

/// Appends `digits` with the point `decimals` places from their end.
fn push_decimals(out: &mut Vec<u8>, digits: &[u8], decimals: usize) {
    match digits.len().checked_sub(decimals) {
        Some(whole) if whole > 0 => {
            out.extend_from_slice(&digits[..whole]);
            out.push(b'.');
            out.extend_from_slice(&digits[whole..]);
        }
        _ => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + decimals - digits.len(), b'0');
            out.extend_from_slice(digits);
        }
    }
}

fn push_scientific(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let (first, others) = digits.split_at(1);
    out.extend_from_slice(first);
    if !others.is_empty() {
        out.push(b'.');
        out.extend_from_slice(others);
    }
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    let mut buffer = itoa::Buffer::new();
    out.extend_from_slice(buffer.format(exponent.unsigned_abs()).as_bytes());
}

fn with_sign(magnitude: f64, negative: bool) -> f64 {
    if negative { -magnitude } else { magnitude }
}

/// The magnitude of a hexadecimal numeral; `None` if it is too large.
fn round_hex(numeral: &Numeral<'_>) -> Option<f64> {
    let (mantissa, exponent, inexact) = numeral.to_binary();
    let (mantissa, exponent) = DOUBLE.round(mantissa, exponent, inexact)?;
    // The mantissa's top bit, 2^52, is not stored: added in, it carries into the
    // exponent field, which therefore starts one lower. Denormal numbers lack the
    // bit and have the least exponent, so their field stays 0 as it must.
    let field = u64::from((exponent + 1074).unsigned_abs());
    Some(f64::from_bits((field << 52) + mantissa))
}

/// Up to here, `2^62`, an integer is printed with all its digits.
const INTEGER_MAX: f64 = (1u64 << 62) as f64;

/// How many zeros a plain integer has behind its digits at most.
const ZEROS_MAX: i32 = 7;

/// A number of at most so many decimals is plain, ...
const DECIMALS_MAX: i32 = 6;

/// ... and so is one with more of them from `10^-3` to below `10^4`.
const PLAIN_EXPONENT_MAX: i32 = 3;
