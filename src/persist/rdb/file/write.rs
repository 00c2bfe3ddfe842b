//! Writing a file.

use super::{DEADLINES, MAGIC, MAGIC_VALKEY, Usage, opcode};
use crate::base::clock::Millis;
use crate::ds::hash::{Hash, NEVER};
use crate::persist::rdb::write::{Sink, Writer};
use crate::persist::rdb::{Target, VALKEY_FIRST, encode, kind};
use crate::store::entry::{CollectionRef, ValueRef};

/// Writes the items of one file into a sink.
pub struct FileWriter<S> {
    out: Writer<S>,
    target: Target,
    /// The database of the last key.
    db: Option<usize>,
}

impl<S: Sink> FileWriter<S> {
    /// A file that has its header.
    pub fn new(sink: S, target: Target, compress: bool) -> FileWriter<S> {
        let mut out = Writer::new(sink, compress);
        let version = target.version();
        if version < VALKEY_FIRST {
            out.raw(MAGIC);
            out.raw(format!("{version:04}").as_bytes());
        } else {
            out.raw(MAGIC_VALKEY);
            out.raw(format!("{version:03}").as_bytes());
        }
        FileWriter {
            out,
            target,
            db: None,
        }
    }

    /// A field that readers may ignore.
    pub fn aux(&mut self, name: &str, value: &[u8]) {
        self.out.byte(opcode::AUX);
        self.out.text(name.as_bytes());
        self.out.text(value);
    }

    /// A library of functions.
    pub fn function(&mut self, code: &[u8]) {
        self.out.byte(opcode::FUNCTION);
        self.out.text(code);
    }

    /// How many keys database `db` has, and how many of them expire: a hint for readers.
    pub fn size(&mut self, db: usize, keys: usize, volatile: usize) {
        self.select(db);
        self.out.byte(opcode::RESIZE);
        self.out.count(keys);
        self.out.count(volatile);
    }

    /// A key as it is at `now`. Nothing is written of a hash whose fields have all expired.
    pub fn pair(
        &mut self,
        db: usize,
        key: &[u8],
        value: ValueRef<'_>,
        expire: Option<Millis>,
        usage: Usage,
        now: Millis,
    ) {
        if let ValueRef::Collection(CollectionRef::Hash(hash)) = value
            && hash.live_len(now) == 0
        {
            return;
        }
        self.select(db);
        let kind = self.form(value, now);
        if let Some(at) = expire {
            self.out.byte(opcode::EXPIRE_MS);
            self.out.millis(at);
        }
        match usage {
            Usage::Unknown => {}
            Usage::Idle(secs) => {
                self.out.byte(opcode::IDLE);
                self.out.number(secs);
            }
            Usage::Frequency(count) => self.out.raw(&[opcode::FREQUENCY, count]),
        }
        self.out.byte(kind);
        self.out.text(key);
        encode::body(&mut self.out, value, now, kind);
    }

    /// The end, but for the checksum of all that the sink was given.
    pub fn finish(mut self) -> S {
        self.out.byte(opcode::END);
        self.out.into_sink()
    }

    /// The sink, to see how it is.
    pub fn sink(&mut self) -> &mut S {
        self.out.sink()
    }

    fn select(&mut self, db: usize) {
        if self.db != Some(db) {
            self.db = Some(db);
            self.out.byte(opcode::SELECT);
            self.out.count(db);
        }
    }

    /// The kind that `value` is written as. What the target has no form for stands in an
    /// AUX item before it.
    fn form(&mut self, value: ValueRef<'_>, now: Millis) -> u8 {
        let (kind, needed) = encode::form(value, now, self.target);
        if let ValueRef::Collection(CollectionRef::Hash(hash)) = value
            && needed > self.target
        {
            let deadlines = deadlines(hash, now);
            self.aux(DEADLINES, &deadlines);
            return kind::HASH;
        }
        kind
    }
}

/// See [`DEADLINES`].
fn deadlines(hash: &Hash, now: Millis) -> Vec<u8> {
    let mut earliest = NEVER;
    hash.for_each(now, |item| earliest = earliest.min(item.deadline));
    let mut out = Writer::new(Vec::new(), false);
    out.millis(earliest);
    hash.for_each(now, |item| {
        out.number(match item.deadline {
            NEVER => 0,
            at => at.abs_diff(earliest) + 1,
        });
    });
    out.into_sink()
}
