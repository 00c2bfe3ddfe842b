//! What can be wrong with a request to the store. The display of each is the text
//! that goes over the wire.

use std::fmt;

/// A request that the data does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    WrongType,
    NotInteger,
    NotFloat,
    NotFinite,
    HashNotInteger,
    HashNotFloat,
    Overflow,
    DecrementOverflow,
    NoSuchKey,
    IndexOutOfRange,
    OffsetOutOfRange,
    StringTooLong,
    ScoreNotNumber,
}

impl Error {
    /// The whole error line, with its code word.
    pub fn text(self) -> &'static str {
        match self {
            Self::WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value",
            Self::NotInteger => "ERR value is not an integer or out of range",
            Self::NotFloat => "ERR value is not a valid float",
            Self::NotFinite => "ERR increment would produce NaN or Infinity",
            Self::HashNotInteger => "ERR hash value is not an integer",
            Self::HashNotFloat => "ERR hash value is not a float",
            Self::Overflow => "ERR increment or decrement would overflow",
            Self::DecrementOverflow => "ERR decrement would overflow",
            Self::NoSuchKey => "ERR no such key",
            Self::IndexOutOfRange => "ERR index out of range",
            Self::OffsetOutOfRange => "ERR offset is out of range",
            Self::StringTooLong => "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
            Self::ScoreNotNumber => "ERR resulting score is not a number (NaN)",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Error {}
