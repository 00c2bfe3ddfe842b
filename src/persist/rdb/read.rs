//! Reading lengths, strings and numbers.
//!
//! Everything comes from a [`Source`], which hands out the next bytes and knows how
//! many are left. Nothing is reserved for a length that has been read: whatever is
//! made grows with the bytes that have really come.

use bytes::Bytes;

use super::{Error, lzf};
use crate::base::float;

/// The bits that announce something else than a length.
const SPECIAL: u8 = 0b11;
/// What they announce.
pub(super) const INT8: u8 = 0;
pub(super) const INT16: u8 = 1;
pub(super) const INT32: u8 = 2;
pub(super) const LZF: u8 = 3;
pub(super) const LEN32: u8 = 0x80;
pub(super) const LEN64: u8 = 0x81;

/// How a score that is no plain number begins.
const SCORE_NAN: u8 = 253;
const SCORE_INFINITY: u8 = 254;
const SCORE_MINUS_INFINITY: u8 = 255;

/// A string as it is read.
#[derive(Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// It was written as a number.
    Int(i64),
    Bytes(&'a [u8]),
    /// It was compressed.
    Unpacked(Vec<u8>),
}

impl Text<'_> {
    /// Calls `with` with the string's bytes.
    #[inline]
    pub fn with<R>(&self, with: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Text::Int(int) => with(itoa::Buffer::new().format(*int).as_bytes()),
            Text::Bytes(bytes) => with(bytes),
            Text::Unpacked(bytes) => with(bytes),
        }
    }

    /// The string's bytes for keeping.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Text::Unpacked(bytes) => Bytes::from(bytes),
            text => text.with(Bytes::copy_from_slice),
        }
    }
}

enum Head {
    Len(u64),
    Special(u8),
}

/// Where an object is read from.
pub trait Source {
    /// The next `len` bytes.
    fn take(&mut self, len: usize) -> Result<&[u8], Error>;

    /// How many bytes are left.
    fn left(&self) -> usize;

    /// The next `N` bytes.
    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let bytes = self.take(N)?.first_chunk();
        Ok(*bytes.unwrap_or_else(|| unreachable!("take gives what is asked for")))
    }

    /// The next byte.
    #[inline]
    fn byte(&mut self) -> Result<u8, Error> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// A number in the form of a length.
    #[inline]
    fn number(&mut self) -> Result<u64, Error> {
        match head(self)? {
            Head::Len(len) => Ok(len),
            Head::Special(_) => Err(Error::Length),
        }
    }

    /// How many items follow, each of which has at least `item_bytes` bytes.
    fn count(&mut self, item_bytes: usize) -> Result<usize, Error> {
        let count = usize::try_from(self.number()?).map_err(|_| Error::Length)?;
        if count > self.left() / item_bytes {
            return Err(Error::Truncated);
        }
        Ok(count)
    }

    /// A string.
    #[inline]
    fn text(&mut self) -> Result<Text<'_>, Error> {
        match head(self)? {
            Head::Len(len) => Ok(Text::Bytes(self.take(size(len)?)?)),
            Head::Special(INT8) => Ok(Text::Int(i8::from_le_bytes(self.array()?).into())),
            Head::Special(INT16) => Ok(Text::Int(i16::from_le_bytes(self.array()?).into())),
            Head::Special(INT32) => Ok(Text::Int(i32::from_le_bytes(self.array()?).into())),
            Head::Special(LZF) => {
                let (packed, len) = (size(self.number()?)?, size(self.number()?)?);
                Ok(Text::Unpacked(lzf::decompress(self.take(packed)?, len)?))
            }
            Head::Special(_) => Err(Error::Length),
        }
    }

    /// A string into a buffer whose content it replaces.
    #[inline]
    fn text_into(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.clear();
        self.text()?.with(|bytes| out.extend_from_slice(bytes));
        Ok(())
    }

    /// A point in time, in milliseconds.
    fn millis(&mut self) -> Result<i64, Error> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// A score in eight bytes.
    fn score(&mut self) -> Result<f64, Error> {
        let score = f64::from_le_bytes(self.array()?);
        if score.is_nan() {
            return Err(Error::Score);
        }
        Ok(score)
    }

    /// A score as text.
    fn score_text(&mut self) -> Result<f64, Error> {
        match self.byte()? {
            SCORE_NAN => Err(Error::Score),
            SCORE_INFINITY => Ok(f64::INFINITY),
            SCORE_MINUS_INFINITY => Ok(f64::NEG_INFINITY),
            len => float::parse_f64(self.take(len.into())?).ok_or(Error::Score),
        }
    }
}

fn size(len: u64) -> Result<usize, Error> {
    usize::try_from(len).map_err(|_| Error::Length)
}

#[inline]
fn head<S: Source + ?Sized>(source: &mut S) -> Result<Head, Error> {
    let first = source.byte()?;
    Ok(match first >> 6 {
        0 => Head::Len(first.into()),
        1 => Head::Len(u16::from_be_bytes([first & 0x3f, source.byte()?]).into()),
        SPECIAL => Head::Special(first & 0x3f),
        _ if first == LEN32 => Head::Len(u32::from_be_bytes(source.array()?).into()),
        _ if first == LEN64 => Head::Len(u64::from_be_bytes(source.array()?)),
        _ => return Err(Error::Length),
    })
}

impl Source for &[u8] {
    #[inline]
    fn take(&mut self, len: usize) -> Result<&[u8], Error> {
        let (taken, rest) = self.split_at_checked(len).ok_or(Error::Truncated)?;
        *self = rest;
        Ok(taken)
    }

    #[inline]
    fn left(&self) -> usize {
        self.len()
    }
}
