//! The grammar of a number's text, shared by both precisions.
//!
//! It is what C's `strtod` accepts in the "C" locale, made stricter the way
//! Redis makes it: the number must fill the whole text (so no blanks and no NUL
//! anywhere), and NaN does not exist.
//!
//! ```text
//! text    = [+-] ( "inf" | "infinity" | decimal | "0x" hexadecimal )
//! decimal = digits [ "." digits ] [ e [+-] digits ]      some digit before the e
//! hexadecimal = the same in base 16, with a binary exponent behind p
//! ```
//!
//! Letters may be of either case; one of the two digit groups may be empty.

/// What a text that fits the grammar says.
#[derive(Debug)]
pub(super) enum Text<'a> {
    Infinity { negative: bool },
    Number(Numeral<'a>),
}

/// A finite number, still in its digits:
/// `whole.fraction` in `radix`, times `radix.base_of_exponent() ^ exponent`.
#[derive(Debug)]
pub(super) struct Numeral<'a> {
    pub negative: bool,
    pub radix: Radix,
    pub whole: &'a [u8],
    pub fraction: &'a [u8],
    /// The written exponent, saturated at +-[`EXPONENT_CAP`].
    pub exponent: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Radix {
    Decimal,
    Hexadecimal,
}

/// Reads `text` as one number; `None` where the grammar does not fit.
pub(super) fn scan(text: &[u8]) -> Option<Text<'_>> {
    let (negative, rest) = split_sign(text);
    if rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity") {
        return Some(Text::Infinity { negative });
    }
    let (radix, rest) = match rest {
        [b'0', b'x' | b'X', rest @ ..] => (Radix::Hexadecimal, rest),
        _ => (Radix::Decimal, rest),
    };
    let (whole, rest) = split_digits(rest, radix);
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => split_digits(rest, radix),
        _ => (&rest[..0], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent = match rest {
        [] => 0,
        [mark, rest @ ..] if radix.is_exponent_mark(*mark) => scan_exponent(rest)?,
        _ => return None,
    };
    Some(Text::Number(Numeral {
        negative,
        radix,
        whole,
        fraction,
        exponent,
    }))
}

impl Numeral<'_> {
    /// All digits, most significant first, as they are written.
    pub fn digits(&self) -> impl DoubleEndedIterator<Item = u8> {
        self.whole.iter().chain(self.fraction).copied()
    }

    /// Whether the number is zero, whatever its exponent.
    pub fn is_zero(&self) -> bool {
        self.digits().all(|digit| digit == b'0')
    }

    /// A hexadecimal numeral as `(mantissa, exponent, inexact)`: the magnitude
    /// is `mantissa * 2^exponent`, plus less than `2^exponent` if `inexact`,
    /// and then `mantissa` has more than 120 bits.
    pub fn to_binary(&self) -> (u128, i64, bool) {
        debug_assert_eq!(self.radix, Radix::Hexadecimal);
        let mut mantissa = 0u128;
        let mut exponent = self.exponent - 4 * self.fraction.len() as i64;
        let mut inexact = false;
        for digit in self.digits() {
            if mantissa >> (u128::BITS - 4) == 0 {
                mantissa = mantissa << 4 | u128::from(hex_value(digit));
            } else {
                exponent += 4;
                inexact |= digit != b'0';
            }
        }
        (mantissa, exponent, inexact)
    }
}

impl Radix {
    fn has_digit(self, byte: u8) -> bool {
        match self {
            Self::Decimal => byte.is_ascii_digit(),
            Self::Hexadecimal => byte.is_ascii_hexdigit(),
        }
    }

    fn is_exponent_mark(self, byte: u8) -> bool {
        match self {
            Self::Decimal => byte.eq_ignore_ascii_case(&b'e'),
            Self::Hexadecimal => byte.eq_ignore_ascii_case(&b'p'),
        }
    }
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn split_digits(text: &[u8], radix: Radix) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|&byte| !radix.has_digit(byte))
        .unwrap_or(text.len());
    text.split_at(end)
}

fn scan_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = split_sign(text);
    if digits.is_empty() {
        return None;
    }
    let mut magnitude = 0i64;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        magnitude = (magnitude * 10 + i64::from(byte - b'0')).min(EXPONENT_CAP);
    }
    Some(if negative { -magnitude } else { magnitude })
}

/// `digit` must be a hexadecimal digit.
fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// Where a written exponent stops to count: far beyond what the digits of any
/// text that fits into memory could make up for, and far from overflow.
const EXPONENT_CAP: i64 = 1 << 50;
