//! Whole RDB files: what stands around the objects.
//!
//! ```text
//! file      "REDIS" version(4 digits) | "VALKEY" version(3 digits)
//!           { item } FF crc64(8, little, over all before it; 0: none)
//! item      FA name value               AUX: what readers may ignore
//!           F5 code                     a library of functions
//!           FE db | FB keys volatile    the database of what follows, and its size
//!           FC at(8) | FD at(4) | F8 idle-seconds | F9 frequency(1)
//!                                       of the next key: expiry, last use
//!           kind key body               a key
//! ```
//!
//! | file | has |
//! |---|---|
//! | source | a stream of bytes with its offset and checksum |
//! | read | the loader: items to a [`read::Visitor`] |
//! | write | the writer |
//!
//! **Fields that expire.** RDB 10 and 11 have no form for them. A hash that has some is
//! written there as a plain hash, and an AUX item before it says when its fields expire
//! ([`DEADLINES`]). This server reads both; an older Redis ignores the AUX item, and keeps
//! the fields for ever.

pub mod read;
pub mod source;
pub mod write;

use std::fmt;
use std::io;

use super::Error;

/// The first byte of an item that is no key.
pub(super) mod opcode {
    /// Valkey: how many keys a slot of a cluster has.
    pub const SLOT_INFO: u8 = 244;
    pub const FUNCTION: u8 = 245;
    pub const FUNCTION_PRE_GA: u8 = 246;
    pub const MODULE_AUX: u8 = 247;
    pub const IDLE: u8 = 248;
    pub const FREQUENCY: u8 = 249;
    pub const AUX: u8 = 250;
    pub const RESIZE: u8 = 251;
    pub const EXPIRE_MS: u8 = 252;
    pub const EXPIRE_SECS: u8 = 253;
    pub const SELECT: u8 = 254;
    pub const END: u8 = 255;
}

pub(super) const MAGIC: &[u8; 5] = b"REDIS";
pub(super) const MAGIC_VALKEY: &[u8; 6] = b"VALKEY";
/// Bytes of magic and version.
pub(super) const HEADER_BYTES: usize = 9;
/// The first version that ends in a checksum.
pub const CHECKSUM_FIRST: u16 = 5;

/// The AUX item that says when the fields of the next hash expire:
/// `earliest(8) { deadline - earliest + 1, or 0 }` in the order of the fields.
pub const DEADLINES: &str = "flashkv-field-deadlines";

/// What a key's header says of its use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Usage {
    #[default]
    Unknown,
    /// Seconds since it was last used.
    Idle(u64),
    /// The logarithmic counter of uses.
    Frequency(u8),
}

/// What was being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    Start,
    Item,
    Aux,
    Function,
    Key,
    Value(u8),
    /// What was read goes in.
    Insert,
    Checksum,
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum Problem {
    /// It does not begin as an RDB file does.
    Signature,
    Version(u16),
    /// A database beyond those that are configured.
    Database(u64),
    /// A key twice.
    DuplicateKey,
    /// What takes the items takes no more: it knows why.
    GivenUp,
    /// Its checksum is another than the one at its end.
    Checksum {
        found: u64,
        expected: u64,
    },
    /// Functions as release candidates of Redis 7.0 wrote them.
    FunctionForm,
    /// Data that belongs to the module of this name.
    Module([u8; 9]),
    Object(Error),
    /// The system cannot read it.
    Input(io::Error),
}

/// Why a file cannot be loaded, and where.
#[derive(Debug)]
pub struct LoadError {
    /// Bytes of the file that were read before.
    pub offset: u64,
    pub doing: Doing,
    /// The key whose value was read.
    pub key: Option<Vec<u8>>,
    pub problem: Problem,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Signature => f.write_str("wrong signature: this is no RDB file"),
            Problem::Version(version) => write!(f, "RDB version {version} is not known here"),
            Problem::Database(db) => write!(f, "database {db} is beyond `databases`"),
            Problem::DuplicateKey => f.write_str("key twice in a database"),
            Problem::GivenUp => f.write_str("given up"),
            Problem::Checksum { found, expected } => {
                write!(
                    f,
                    "CRC error: checksum {found:016x}, but the content has {expected:016x}"
                )
            }
            Problem::FunctionForm => {
                f.write_str("functions in the form of a release candidate of Redis 7.0")
            }
            Problem::Module(name) => {
                let name = String::from_utf8_lossy(name);
                write!(f, "data of module {name}, which is not loaded")
            }
            Problem::Object(Error::Truncated) => f.write_str("unexpected end of the file"),
            Problem::Object(error) => error.fmt(f),
            Problem::Input(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doing::Start => "reading its start",
            Doing::Item => "reading what comes next",
            Doing::Aux => "reading an AUX field",
            Doing::Function => "reading functions",
            Doing::Key => "reading a key",
            Doing::Value(kind) => return write!(f, "reading a value of kind {kind}"),
            Doing::Insert => "putting in the value",
            Doing::Checksum => "checking its checksum",
        })
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at offset {}, {}", self.offset, self.doing)?;
        if let Some(key) = &self.key {
            write!(f, " of key '{}'", key.escape_ascii())?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for LoadError {}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        match error {
            Error::Module(name) => Problem::Module(name),
            error => Problem::Object(error),
        }
    }
}
