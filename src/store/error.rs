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
    NotHll,
    CorruptHll,
    ScoreNotNumber,
    StreamIdTooSmall,
    StreamIdsExhausted,
    StreamEntryTooLarge,
    StreamIdBelowDeleted,
    StreamIdBelowTop,
    StreamAddedBelowLength,
    GroupExists,
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
            Self::NotHll => "WRONGTYPE Key is not a valid HyperLogLog string value.",
            Self::CorruptHll => "INVALIDOBJ Corrupted HLL object detected",
            Self::ScoreNotNumber => "ERR resulting score is not a number (NaN)",
            Self::StreamIdTooSmall => {
                "ERR The ID specified in XADD is equal or smaller than the target stream top item"
            }
            Self::StreamIdsExhausted => {
                "ERR The stream has exhausted the last possible ID, unable to add more items"
            }
            Self::StreamEntryTooLarge => "ERR Elements are too large to be stored",
            Self::StreamIdBelowDeleted => {
                "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
            }
            Self::StreamIdBelowTop => {
                "ERR The ID specified in XSETID is smaller than the target stream top item"
            }
            Self::StreamAddedBelowLength => {
                "ERR The entries_added specified in XSETID is smaller than the target stream length"
            }
            Self::GroupExists => "BUSYGROUP Consumer Group name already exists",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Error {}
