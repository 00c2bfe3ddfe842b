//! Values in Redis's RDB format: what DUMP replies, RESTORE takes, and snapshots are
//! made of.
//!
//! | file | has |
//! |---|---|
//! | read, write | lengths, strings and numbers |
//! | lzf | the compression of strings |
//! | packed | listpacks, ziplists and zipmaps that come from outside |
//! | decode | objects, a file for each data type |
//! | encode | objects |
//! | payload | the envelope of DUMP: version and checksum |
//! | file | whole files |
//!
//! Whatever is read may be anything: bytes that a client made up, a damaged file, a
//! newer format. So reading never panics, never trusts a length before the bytes are
//! there, and refuses what could not have been written: elements twice in a set, scores
//! that are not numbers, nodes that contradict their headers. What it accepts is a
//! value like any other, in the form that the present settings give it.
//!
//! ```text
//! length   00llllll | 01llllll llllllll | 80 l(4, big) | 81 l(8, big)
//!          11000000 int(1)  11000001 int(2)  11000010 int(4)   a string that is a number
//!          11000011 length(packed) length(text) bytes          a string in LZF
//! string   length bytes, or one of the last two lines
//! object   kind(1) body, where the body starts behind the key in a file
//! ```

pub mod decode;
pub mod encode;
pub mod file;
pub mod lzf;
mod packed;
pub mod payload;
pub mod read;
pub mod write;

#[cfg(test)]
mod tests;

use std::fmt;

/// What follows: the first byte of an object.
pub mod kind {
    pub const STRING: u8 = 0;
    pub const LIST: u8 = 1;
    pub const SET: u8 = 2;
    /// Scores as text.
    pub const ZSET: u8 = 3;
    pub const HASH: u8 = 4;
    /// Scores as binary doubles.
    pub const ZSET_2: u8 = 5;
    pub const MODULE_PRE_GA: u8 = 6;
    pub const MODULE_2: u8 = 7;
    pub const HASH_ZIPMAP: u8 = 9;
    pub const LIST_ZIPLIST: u8 = 10;
    pub const SET_INTSET: u8 = 11;
    pub const ZSET_ZIPLIST: u8 = 12;
    pub const HASH_ZIPLIST: u8 = 13;
    /// Nodes that are ziplists.
    pub const LIST_QUICKLIST: u8 = 14;
    pub const STREAM_LISTPACKS: u8 = 15;
    pub const HASH_LISTPACK: u8 = 16;
    pub const ZSET_LISTPACK: u8 = 17;
    /// Nodes that are listpacks or single elements.
    pub const LIST_QUICKLIST_2: u8 = 18;
    /// With first and greatest deleted id, and entries read by groups.
    pub const STREAM_LISTPACKS_2: u8 = 19;
    pub const SET_LISTPACK: u8 = 20;
    /// With the time at which consumers were last given something.
    pub const STREAM_LISTPACKS_3: u8 = 21;
    /// Valkey 9: fields with absolute expiries. Before it, the same number stood for
    /// [`HASH_METADATA_PRE_GA`].
    pub const HASH_2: u8 = 22;
    /// Release candidates of Redis 7.4.
    pub const HASH_METADATA_PRE_GA: u8 = 22;
    pub const HASH_LISTPACK_EX_PRE_GA: u8 = 23;
    /// Redis 7.4: fields with expiries that count from the earliest one.
    pub const HASH_METADATA: u8 = 24;
    /// Redis 7.4: a listpack of fields, values and expiries.
    pub const HASH_LISTPACK_EX: u8 = 25;
}

/// The first version of Valkey's own; below it numbers are Redis's.
const VALKEY_FIRST: u16 = 80;

/// Whose format is written: the oldest server that has to understand it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// RDB 10: no packed sets of strings, no activity times of consumers.
    #[default]
    Redis70,
    /// RDB 11, which Valkey up to 8 writes too.
    Redis72,
    /// RDB 12: fields of hashes that expire.
    Redis74,
    /// RDB 80: the same in a form of its own.
    Valkey9,
}

impl Target {
    /// The names of the `rdb-target` setting, in the order of the variants.
    pub const NAMES: [&str; 4] = ["redis-7.0", "redis-7.2", "redis-7.4", "valkey-9"];

    /// The target with this name in the configuration.
    pub fn from_name(name: &str) -> Target {
        match name {
            "redis-7.2" => Target::Redis72,
            "redis-7.4" => Target::Redis74,
            "valkey-9" => Target::Valkey9,
            _ => Target::Redis70,
        }
    }

    /// The number of the format.
    pub fn version(self) -> u16 {
        match self {
            Target::Redis70 => 10,
            Target::Redis72 => 11,
            Target::Redis74 => 12,
            Target::Valkey9 => VALKEY_FIRST,
        }
    }
}

/// Why bytes are not an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// It ends in the middle.
    Truncated,
    /// A length that no machine could hold, or a string where a length should be.
    Length,
    /// A string whose compressed form is damaged.
    Compression,
    /// A kind of object that is unknown here.
    Kind(u8),
    /// The value of a module, with its name.
    Module([u8; 9]),
    /// A damaged listpack, ziplist, zipmap or intset.
    Packed,
    /// A collection without elements.
    Empty,
    /// An element twice.
    Duplicate,
    /// A score that is not a number.
    Score,
    /// A time that cannot be.
    Time,
    /// Parts of a stream that contradict each other.
    Stream,
    /// Something behind the object.
    Trailing,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Error::Truncated => "ends in the middle",
            Error::Length => "impossible length",
            Error::Compression => "damaged compressed string",
            Error::Kind(kind) => return write!(f, "unknown kind of object {kind}"),
            Error::Module(name) => {
                let name = String::from_utf8_lossy(name);
                return write!(f, "value of module {name}, which is not loaded");
            }
            Error::Packed => "damaged packed elements",
            Error::Empty => "collection without elements",
            Error::Duplicate => "element twice in a collection",
            Error::Score => "score that is not a number",
            Error::Time => "impossible time",
            Error::Stream => "inconsistent stream",
            Error::Trailing => "something behind the object",
        };
        f.write_str(text)
    }
}

impl std::error::Error for Error {}
