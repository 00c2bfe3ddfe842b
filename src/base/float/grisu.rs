//! The digits of a double by Grisu2 (Florian Loitsch, "Printing Floating-Point
//! Numbers Quickly and Accurately with Integers", PLDI 2010).
//!
//! Why an algorithm that is not the best known one: Redis 7.2 prints with it, and
//! in about one random double of 250 it misses the shortest text or the nearest
//! digit (`-1.5471825031341819e-78` for `-1.547182503134182e-78`). A client that
//! compares a reply byte for byte would see the difference, so the very choices
//! of that implementation are kept: which cached power is taken, and
//! how the last digit is moved.
//!
//! The idea: `low < value < high` are the bounds within which any decimal reads
//! back as `value`. Scale all three by a power of ten so that `high` has its binary
//! point inside of its 64 bits, then take digits of `high` from the top until what
//! is left of it is less than the width of the interval:
//!
//! ```text
//!     low         value      taken        high
//! -----|------------|----------|-----------|-----
//!      |            |          |<--  rest -->|      rest <= width: stop here
//!      |            |<------- distance ----->|
//!      |<------------- width --------------->|
//! ```
//!
//! and last walk `taken` down by units of its last digit while that brings it
//! nearer to `value`. Scaling errs by at most one unit in the last place, so `low`
//! and `high` are each moved inward by one: what is printed always reads back.

use std::sync::LazyLock;

use super::extended::Extended;

/// Decimal digits of a double: its magnitude is `digits * 10^power`, with
/// `digits` read as an integer.
pub(super) struct Decimal {
    digits: [u8; DIGITS_MAX],
    len: usize,
    pub power: i32,
}

impl Decimal {
    /// The digits, ASCII; the first is not zero.
    pub fn digits(&self) -> &[u8] {
        &self.digits[..self.len]
    }

    /// `digit` must be below ten.
    fn push(&mut self, digit: u64) {
        self.digits[self.len] = b'0' + digit as u8;
        self.len += 1;
    }

    /// Lowers the last digit while that brings the number nearer to the value.
    fn approach(&mut self, mut rest: u64, unit: u64, width: u64, distance: u64) {
        while rest < distance
            && width - rest >= unit
            && (rest + unit < distance || distance - rest > rest + unit - distance)
        {
            self.digits[self.len - 1] -= 1;
            rest += unit;
        }
    }
}

/// The digits of the magnitude of `value`, which must be finite and not zero.
pub(super) fn shortest(value: f64) -> Decimal {
    let (value, low, high) = with_bounds(value);
    let power = cached_power(high.exponent);
    let [value, low, high] = [value, low, high].map(|scaled| scaled.multiply(power.factor));
    generate(
        value.mantissa,
        low.mantissa + 1,
        Scaled {
            mantissa: high.mantissa - 1,
            ..high
        },
        -power.power,
    )
}

/// `mantissa * 2^exponent`.
#[derive(Clone, Copy)]
struct Scaled {
    mantissa: u64,
    exponent: i32,
}

impl Scaled {
    fn normalized(self) -> Self {
        let shift = self.mantissa.leading_zeros();
        Self {
            mantissa: self.mantissa << shift,
            exponent: self.exponent - shift as i32,
        }
    }

    /// The product's upper 64 bits, rounded half up.
    fn multiply(self, other: Self) -> Self {
        let product = u128::from(self.mantissa) * u128::from(other.mantissa);
        Self {
            mantissa: ((product + (1 << 63)) >> 64) as u64,
            exponent: self.exponent + other.exponent + 64,
        }
    }
}

/// `(value, low, high)`, all with the exponent of `high`, which is normalized.
fn with_bounds(value: f64) -> (Scaled, Scaled, Scaled) {
    let bits = value.to_bits();
    let fraction = bits & (HIDDEN_BIT - 1);
    let biased = (bits >> 52) as i32 & 0x7ff;
    let (mantissa, exponent) = match biased {
        0 => (fraction, -1074),
        _ => (fraction | HIDDEN_BIT, biased - 1075),
    };
    let high = Scaled {
        mantissa: 2 * mantissa + 1,
        exponent: exponent - 1,
    }
    .normalized();
    // Below a power of two the doubles lie twice as dense.
    let narrow = if mantissa == HIDDEN_BIT { 2 } else { 1 };
    let at_high = |mantissa: u64, exponent: i32| Scaled {
        mantissa: mantissa << (exponent - high.exponent),
        exponent: high.exponent,
    };
    let low = at_high((mantissa << narrow) - 1, exponent - narrow);
    (at_high(mantissa, exponent), low, high)
}

/// Takes the digits of `high` down to where they tell `value` apart; `power` is
/// the power of ten that scaling has put aside.
fn generate(value: u64, low: u64, high: Scaled, power: i32) -> Decimal {
    let (mut distance, mut width) = (high.mantissa - value, high.mantissa - low);
    let point = high.exponent.unsigned_abs();
    let one = 1u64 << point;
    let mut out = Decimal {
        digits: [0; DIGITS_MAX],
        len: 0,
        power,
    };
    let mut rest = high.mantissa;
    // The whole part is not zero: the mantissa has at least 63 bits, `point` at
    // most 60. Nor does a unit, being at most that part, overflow.
    let places = (rest >> point).ilog10() + 1;
    for place in (0..places).rev() {
        let unit = 10u64.pow(place) << point;
        out.push(rest / unit);
        rest %= unit;
        if rest <= width {
            out.power += place as i32;
            out.approach(rest, unit, width, distance);
            return out;
        }
    }
    // The width grows tenfold each time and the rest stays below one, so this ends;
    // until then the width is at most one, 2^60, and has room for the factor.
    loop {
        rest *= 10;
        width *= 10;
        distance *= 10;
        out.power -= 1;
        out.push(rest >> point);
        rest &= one - 1;
        if rest < width {
            out.approach(rest, one, width, distance);
            return out;
        }
    }
}

/// `10^power`, to 64 bits.
#[derive(Clone, Copy)]
struct CachedPower {
    factor: Scaled,
    power: i32,
}

/// A power of ten that brings a number of exponent `exponent` to one within
/// [`POINT_RANGE`]. More than one may do; the search starts where the reference
/// implementation's does, because which is taken shows in the digits.
fn cached_power(exponent: i32) -> CachedPower {
    let guess = -f64::from(exponent + CACHED_POWERS as i32) * std::f64::consts::LOG10_2;
    let mut index = ((guess as i32 - CACHED_FIRST) / CACHED_STEP) as usize;
    loop {
        let cached = CACHED[index];
        let point = exponent + cached.factor.exponent + 64;
        if point < *POINT_RANGE.start() {
            index += 1;
        } else if point > *POINT_RANGE.end() {
            index -= 1;
        } else {
            return cached;
        }
    }
}

/// Every eighth power of ten, each correctly rounded to the 64 bits that are the
/// mantissa of the extended format.
static CACHED: LazyLock<[CachedPower; CACHED_POWERS]> = LazyLock::new(|| {
    std::array::from_fn(|index| {
        let power = CACHED_FIRST + CACHED_STEP * index as i32;
        let (mantissa, exponent) = Extended::power_of_ten(power);
        CachedPower {
            factor: Scaled { mantissa, exponent },
            power,
        }
    })
});

const CACHED_POWERS: usize = 87;
const CACHED_FIRST: i32 = -348;
const CACHED_STEP: i32 = 8;

/// Exponents of a scaled number: its whole part then fits 32 bits, and its
/// fraction leaves room for a factor of ten.
const POINT_RANGE: std::ops::RangeInclusive<i32> = -60..=-32;

/// 17 always tell doubles apart; one more for the algorithm's imprecision.
const DIGITS_MAX: usize = 18;

const HIDDEN_BIT: u64 = 1 << 52;
