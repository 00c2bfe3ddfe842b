//! Reading a file: each item to a visitor, until its end and checksum.

use std::io::Read;

use bytes::Bytes;

use super::source::FileSource;
use super::{
    CHECKSUM_FIRST, DEADLINES, Doing, HEADER_BYTES, LoadError, MAGIC, MAGIC_VALKEY, Problem, Usage,
    opcode,
};
use crate::base::clock::Millis;
use crate::base::num;
use crate::ds::hash::NEVER;
use crate::persist::rdb::decode::{self, Layout};
use crate::persist::rdb::payload::is_known_version;
use crate::persist::rdb::read::{Source, Text};
use crate::persist::rdb::{Error, kind};
use crate::store::entry::{INLINE_MAX, NewValue};
use crate::store::image::Image;

/// Keys between two calls of [`Visitor::progress`].
const PROGRESS_KEYS: u64 = 1024;

/// A key of a file.
pub struct Pair<'a> {
    pub db: usize,
    pub key: &'a [u8],
    pub value: NewValue<'a>,
    pub expire: Option<Millis>,
    pub usage: Usage,
}

/// What takes the items of a file.
pub trait Visitor {
    /// The file's version.
    fn version(&mut self, _version: u16) {}
    /// A field that may be ignored.
    fn aux(&mut self, _name: &[u8], _value: &[u8]) {}
    /// A library of functions.
    fn function(&mut self, _code: Bytes) {}
    /// A key.
    ///
    /// # Errors
    /// When the file must not have it.
    fn pair(&mut self, pair: Pair<'_>) -> Result<(), Problem>;
    /// A key whose collection has no element, as old versions of Redis have written: it is
    /// left out.
    fn empty(&mut self, _key: &[u8]) {}
    /// Called now and then with the bytes that have been read.
    fn progress(&mut self, _bytes: u64) {}
}

/// How a file is read.
pub struct Rules<'h> {
    pub layout: Layout<'h>,
    /// Databases that there may be.
    pub databases: usize,
    /// Compare the checksum.
    pub checksum: bool,
}

/// What has been read of the next key.
#[derive(Default)]
struct Head {
    expire: Option<Millis>,
    usage: Usage,
    /// When the fields of the hash expire.
    deadlines: Option<Vec<i64>>,
}

struct Loader<'a, R, V> {
    source: &'a mut FileSource<R>,
    visitor: &'a mut V,
    rules: &'a Rules<'a>,
    version: u16,
    db: usize,
    doing: Doing,
    key: Vec<u8>,
    keys: u64,
}

/// Reads a file from its magic to its checksum. O(bytes); memory for one value at a time.
///
/// # Errors
/// At the first thing that is wrong.
pub fn load<R: Read, V: Visitor>(
    source: &mut FileSource<R>,
    visitor: &mut V,
    rules: &Rules<'_>,
) -> Result<(), LoadError> {
    let mut loader = Loader {
        source,
        visitor,
        rules,
        version: 0,
        db: 0,
        doing: Doing::Start,
        key: Vec::new(),
        keys: 0,
    };
    let result = loader.file();
    let (doing, key) = (loader.doing, std::mem::take(&mut loader.key));
    result.map_err(|problem| LoadError {
        offset: source.offset(),
        doing,
        key: matches!(doing, Doing::Value(_)).then_some(key),
        problem: source.take_error().map_or(problem, Problem::Input),
    })
}

/// What an item has been.
enum Item {
    /// A word on the next key, or one on the file.
    Word,
    Key(u8),
    End,
}

impl<R: Read, V: Visitor> Loader<'_, R, V> {
    fn file(&mut self) -> Result<(), Problem> {
        self.header()?;
        let mut head = Head::default();
        loop {
            self.doing = Doing::Item;
            match self.item(&mut head)? {
                Item::Word => {}
                Item::Key(kind) => self.pair(kind, std::mem::take(&mut head))?,
                Item::End => break,
            }
        }
        self.doing = Doing::Checksum;
        self.checksum()
    }

    fn header(&mut self) -> Result<(), Problem> {
        let header: [u8; HEADER_BYTES] = self.source.array()?;
        let digits = (header.strip_prefix(MAGIC)).or_else(|| header.strip_prefix(MAGIC_VALKEY));
        let digits = digits.ok_or(Problem::Signature)?;
        let version = digits.iter().try_fold(0, |version: u16, digit| {
            digit
                .is_ascii_digit()
                .then(|| version * 10 + u16::from(digit - b'0'))
        });
        let version = version.ok_or(Problem::Signature)?;
        if version == 0 || !is_known_version(version) {
            return Err(Problem::Version(version));
        }
        self.version = version;
        self.visitor.version(version);
        Ok(())
    }

    fn item(&mut self, head: &mut Head) -> Result<Item, Problem> {
        match self.source.byte()? {
            opcode::EXPIRE_MS => head.expire = Some(self.source.millis()?),
            opcode::EXPIRE_SECS => {
                let secs = i32::from_le_bytes(self.source.array()?);
                head.expire = Some(i64::from(secs) * 1000);
            }
            opcode::IDLE => head.usage = Usage::Idle(self.source.number()?),
            opcode::FREQUENCY => head.usage = Usage::Frequency(self.source.byte()?),
            opcode::SELECT => {
                let db = self.source.number()?;
                let within = usize::try_from(db)
                    .ok()
                    .filter(|&db| db < self.rules.databases);
                self.db = within.ok_or(Problem::Database(db))?;
            }
            opcode::RESIZE => self.numbers(2)?,
            opcode::SLOT_INFO => self.numbers(3)?,
            opcode::AUX => self.aux(head)?,
            opcode::FUNCTION => {
                self.doing = Doing::Function;
                let code = self.source.text()?.into_bytes();
                self.visitor.function(code);
            }
            opcode::FUNCTION_PRE_GA => return Err(Problem::FunctionForm),
            opcode::MODULE_AUX => return Err(decode::module(self.source)?.into()),
            opcode::END => return Ok(Item::End),
            kind => return Ok(Item::Key(kind)),
        }
        Ok(Item::Word)
    }

    /// Numbers that only help a server to make room.
    fn numbers(&mut self, count: usize) -> Result<(), Error> {
        (0..count).try_for_each(|_| self.source.number().map(drop))
    }

    fn aux(&mut self, head: &mut Head) -> Result<(), Problem> {
        self.doing = Doing::Aux;
        let name = self.source.text()?.into_bytes();
        let value = self.source.text()?.into_bytes();
        if name == DEADLINES.as_bytes() {
            head.deadlines = Some(deadlines(&value)?);
        } else {
            self.visitor.aux(&name, &value);
        }
        Ok(())
    }

    fn pair(&mut self, kind: u8, head: Head) -> Result<(), Problem> {
        if !is_object(kind) {
            return Err(Error::Kind(kind).into());
        }
        self.doing = Doing::Key;
        self.source.text_into(&mut self.key)?;
        self.doing = Doing::Value(kind);
        self.keys += 1;
        if self.keys.is_multiple_of(PROGRESS_KEYS) {
            self.visitor.progress(self.source.offset());
        }
        let Head {
            expire,
            usage,
            deadlines,
        } = head;
        let (db, key) = (self.db, self.key.as_slice());
        let pair = |value| Pair {
            db,
            key,
            value,
            expire,
            usage,
        };
        let image;
        let value = match (kind, deadlines) {
            (kind::STRING, _) => match self.source.text()? {
                Text::Int(int) => NewValue::Int(int),
                Text::Bytes(text) => return self.visitor.pair(pair(NewValue::Str(text))),
                Text::Unpacked(text) => {
                    image = Bytes::from(text);
                    string(&image)
                }
            },
            (kind::HASH, Some(deadlines)) => {
                let hash = decode::hash_with(self.source, deadlines, &self.rules.layout)?;
                NewValue::Collection(hash)
            }
            _ => match decode::object(self.source, kind, self.version, &self.rules.layout) {
                Ok(Image::Int(int)) => NewValue::Int(int),
                Ok(Image::Text(text)) => {
                    image = text;
                    string(&image)
                }
                Ok(Image::Collection(value)) => NewValue::Collection(value),
                Err(Error::Empty) => {
                    self.visitor.empty(key);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            },
        };
        self.visitor.pair(pair(value))
    }

    fn checksum(&mut self) -> Result<(), Problem> {
        if self.version < CHECKSUM_FIRST {
            return Ok(());
        }
        let expected = self.source.checksum();
        let found = u64::from_le_bytes(self.source.array()?);
        if self.rules.checksum && found != 0 && found != expected {
            return Err(Problem::Checksum { found, expected });
        }
        Ok(())
    }
}

/// A string of a file as a value: as it lies where it is long.
fn string(text: &Bytes) -> NewValue<'_> {
    if text.len() > INLINE_MAX {
        NewValue::Shared(text.clone())
    } else {
        NewValue::Str(text)
    }
}

/// Whether objects of this kind exist; other bytes are damage, and reading a key behind
/// one would only hide that.
fn is_object(kind: u8) -> bool {
    matches!(kind, kind::STRING..=kind::MODULE_2 | kind::HASH_ZIPMAP..=kind::HASH_LISTPACK_EX)
}

/// See [`DEADLINES`].
///
/// # Errors
/// [`Error::Time`], also where they are cut off: their end is not that of the file.
fn deadlines(text: &[u8]) -> Result<Vec<i64>, Error> {
    valid_deadlines(text).ok_or(Error::Time)
}

fn valid_deadlines(mut text: &[u8]) -> Option<Vec<i64>> {
    let earliest = u64::try_from(text.millis().ok()?).ok()?;
    let mut deadlines = Vec::new();
    while text.left() > 0 {
        deadlines.push(match text.number().ok()? {
            0 => NEVER,
            after => {
                let at = i64::try_from(earliest.checked_add(after - 1)?).ok()?;
                Some(at).filter(|&at| at != NEVER)?
            }
        });
    }
    Some(deadlines)
}

/// A number that an AUX field holds as text.
pub fn aux_number(value: &[u8]) -> Option<i64> {
    num::parse_i64(value)
}
