//! Natural numbers of any size, with just the operations that exact conversion
//! between binary and decimal needs.
//!
//! Size is bounded by the callers: at most `MAX_TEXT_LEN` decimal digits, times
//! a power of ten or two within the exponent range of the extended format, is
//! less than 40,000 bits. At that size the plain quadratic ways are the right
//! ones.

use std::cmp::Ordering;

/// A natural number; limbs least significant first, the last one never zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Natural(Vec<u64>);

impl Natural {
    pub fn from_u64(value: u64) -> Self {
        let mut natural = Self(vec![value]);
        natural.trim();
        natural
    }

    /// The number with these decimal digits (ASCII), most significant first.
    pub fn from_decimal(digits: &[u8]) -> Self {
        let mut natural = Self::default();
        for chunk in digits.chunks(DECIMAL_CHUNK) {
            let value = chunk
                .iter()
                .fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
            natural.mul_add(10u64.pow(chunk.len() as u32), value);
        }
        natural
    }

    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Position of the highest bit set, plus one; 0 for zero.
    pub fn bit_len(&self) -> usize {
        match self.0.last() {
            Some(top) => self.0.len() * LIMB_BITS - top.leading_zeros() as usize,
            None => 0,
        }
    }

    /// `self = self * factor + addend`.
    pub fn mul_add(&mut self, factor: u64, addend: u64) {
        let mut carry = addend;
        for limb in &mut self.0 {
            (*limb, carry) = limb.carrying_mul(factor, carry);
        }
        self.0.push(carry);
        self.trim();
    }

    /// `self = self * 5^power`.
    pub fn mul_pow5(&mut self, power: u32) {
        for _ in 0..power / POW5_CHUNK {
            self.mul_add(5u64.pow(POW5_CHUNK), 0);
        }
        self.mul_add(5u64.pow(power % POW5_CHUNK), 0);
    }

    /// `self = self * 2^bits`.
    pub fn shl(&mut self, bits: usize) {
        if self.is_zero() {
            return;
        }
        // Below 64, so that the factor fits a limb.
        self.mul_add(1 << (bits % LIMB_BITS), 0);
        self.0
            .splice(0..0, std::iter::repeat_n(0, bits / LIMB_BITS));
    }

    /// `self = self - other`, which must not be larger.
    pub fn sub(&mut self, other: &Self) {
        let mut borrow = false;
        for (index, limb) in self.0.iter_mut().enumerate() {
            let subtrahend = other.0.get(index).copied().unwrap_or(0);
            (*limb, borrow) = limb.borrowing_sub(subtrahend, borrow);
        }
        debug_assert!(!borrow);
        self.trim();
    }

    /// The top 128 bits as `(mantissa, shift, inexact)`: the number is
    /// `mantissa * 2^shift`, plus less than `2^shift` if `inexact`.
    pub fn top_bits(&self) -> (u128, usize, bool) {
        let shift = self.bit_len().saturating_sub(u128::BITS as usize);
        let (skipped, offset) = (shift / LIMB_BITS, (shift % LIMB_BITS) as u32);
        let limb = |index: usize| u128::from(self.0.get(skipped + index).copied().unwrap_or(0));
        let low = limb(0) | limb(1) << 64;
        let mantissa = match offset {
            0 => low,
            _ => low >> offset | limb(2) << (u128::BITS - offset),
        };
        let below = self.0.iter().take(skipped).any(|&limb| limb != 0);
        let inexact = below || limb(0) & ((1 << offset) - 1) != 0;
        (mantissa, shift, inexact)
    }

    /// `floor(self * 2^(bits - 1) / divisor)` for two numbers of one bit length
    /// (so the quotient has `bits` bits or one less), and whether it is inexact.
    pub fn divide(mut self, divisor: &Self, bits: u32) -> (u128, bool) {
        debug_assert_eq!(self.bit_len(), divisor.bit_len());
        let mut quotient = 0u128;
        // Restoring division: `self < 2 * divisor` holds before each step.
        for _ in 0..bits {
            quotient <<= 1;
            if self >= *divisor {
                self.sub(divisor);
                quotient |= 1;
            }
            self.shl(1);
        }
        (quotient, !self.is_zero())
    }

    /// Appends the decimal digits; nothing for zero.
    pub fn push_decimal(mut self, out: &mut Vec<u8>) {
        let mut chunks = Vec::with_capacity(self.0.len() + self.0.len() / 32 + 1);
        while !self.is_zero() {
            chunks.push(self.div_small(10u64.pow(DECIMAL_CHUNK as u32)));
        }
        let mut buffer = itoa::Buffer::new();
        for (index, chunk) in chunks.into_iter().rev().enumerate() {
            let digits = buffer.format(chunk).as_bytes();
            let padding = if index == 0 {
                0
            } else {
                DECIMAL_CHUNK - digits.len()
            };
            out.resize(out.len() + padding, b'0');
            out.extend_from_slice(digits);
        }
    }

    /// `self = self / divisor`; returns the remainder.
    fn div_small(&mut self, divisor: u64) -> u64 {
        let mut remainder = 0u128;
        for limb in self.0.iter_mut().rev() {
            let part = remainder << LIMB_BITS | u128::from(*limb);
            // The quotient fits a limb because the remainder is below the divisor.
            *limb = (part / u128::from(divisor)) as u64;
            remainder = part % u128::from(divisor);
        }
        self.trim();
        remainder as u64
    }

    fn trim(&mut self) {
        let len = self
            .0
            .iter()
            .rposition(|&limb| limb != 0)
            .map_or(0, |top| top + 1);
        self.0.truncate(len);
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_len = self.0.len().cmp(&other.0.len());
        by_len.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const LIMB_BITS: usize = u64::BITS as usize;

/// The largest power of ten that fits a limb is `10^19`.
const DECIMAL_CHUNK: usize = 19;

/// The largest power of five that fits a limb is `5^27`.
const POW5_CHUNK: u32 = 27;
