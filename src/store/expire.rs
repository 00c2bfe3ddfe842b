//! Expiry: when keys go, and the step that removes those nobody asks for.
//!
//! An expired key is invisible at once, to readers too ([`Db::peek`],
//! [`Db::read`]); so are fields of hashes that expire by themselves. It is removed by the next writer that meets it, right after the
//! reader that meets it, or by [`Expirer::step`], which the reactor calls from a
//! timer. The step knows from the tables' per-segment minimum where to look, so it
//! costs nothing while nothing is due; it takes each shard's lock for one slice of
//! a few segments only, and passes shards that somebody else holds.

use std::time::{Duration, Instant};

use crate::base::clock::Millis;

use super::db::Db;
use super::dict::Key;
use super::journal::Event;
use super::keyspace::{DATABASES, Footprint, SHARDS};

/// Segments visited under one lock: about five hundred entries, some 50 us.
const SEGMENTS_PER_SLICE: usize = 2;

/// When an EXPIRE takes effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpireIf {
    pub absent: bool,
    pub present: bool,
    pub greater: bool,
    pub less: bool,
}

impl ExpireIf {
    pub(super) fn allows(self, old: Option<Millis>, new: Millis) -> bool {
        // No expiry counts as an infinite one for GT and LT.
        !(self.absent && old.is_some()
            || self.present && old.is_none()
            || self.greater && old.is_none_or(|old| new <= old)
            || self.less && old.is_some_and(|old| new >= old))
    }
}

impl Db<'_> {
    /// Lets `key` expire at `at`; whether it does. A time in the past removes it.
    pub fn expire(&mut self, key: Key<'_>, at: Millis, condition: ExpireIf) -> bool {
        let Some(old) = self.write(key).map(|entry| entry.expire_at()) else {
            return false;
        };
        if !condition.allows(old, at) {
            return false;
        }
        if at <= self.now {
            if let Some(entry) = self.take(key) {
                self.discard(entry);
            }
            self.touched(key.bytes, Event::generic("del"));
            self.log_instead(&[b"DEL", key.bytes]);
            return true;
        }
        self.dict_mut(key).set_expire(key, Some(at));
        self.touched(key.bytes, Event::generic("expire"));
        let mut text = itoa::Buffer::new();
        let at = text.format(at).as_bytes();
        self.log_instead(&[b"PEXPIREAT", key.bytes, at]);
        true
    }

    /// Lets `key` live for ever; whether it would have expired.
    pub fn persist(&mut self, key: Key<'_>) -> bool {
        let volatile = (self.write(key)).is_some_and(|entry| entry.expire_at().is_some());
        if volatile {
            self.dict_mut(key).set_expire(key, None);
            self.touched(key.bytes, Event::generic("persist"));
        }
        volatile
    }

    /// When `key` expires: `None` without the key, `Some(None)` if never.
    pub fn expiry(&mut self, key: Key<'_>) -> Option<Option<Millis>> {
        self.look(key).map(|entry| entry.expire_at())
    }
}

/// What a step of the expirer has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepReport {
    pub removed: u64,
    /// Work was left when the time was over.
    pub unfinished: bool,
    /// A shard that had work was held by somebody else.
    pub skipped: bool,
}

/// Where the active expiry goes on.
#[derive(Clone, Debug, Default)]
pub struct Expirer {
    shard: usize,
    db: usize,
    cursor: u64,
    /// Keys of the last slice with fields that have expired.
    partly: Vec<Box<[u8]>>,
}

impl Expirer {
    /// Removes expired keys for at most `budget`; holds no lock before and after.
    pub fn step(&mut self, db: &mut Db<'_>, budget: Duration) -> StepReport {
        let started = Instant::now();
        let mut report = StepReport::default();
        // One round visits every dict once; a dict with much to do keeps its turn.
        for _ in 0..SHARDS * DATABASES {
            let mut more = true;
            while more || !self.partly.is_empty() {
                if started.elapsed() >= budget {
                    report.unfinished = true;
                    return report;
                }
                match self.partly.pop() {
                    Some(key) => self.slice_of_fields(db, key, &mut report),
                    None => more = self.slice(db, &mut report),
                }
            }
            self.advance();
        }
        report
    }

    /// Removes expired fields of one hash, those of a few segments.
    fn slice_of_fields(&mut self, db: &mut Db<'_>, key: Box<[u8]>, report: &mut StepReport) {
        if !self.lock(db, report) {
            return;
        }
        db.index = self.db;
        let found = db.locks.keyspace().key(&key);
        let (removed, more) = db.reclaim_fields(found);
        db.release();
        report.removed += removed as u64;
        if more {
            self.partly.push(key);
        }
    }

    /// Takes the shard's lock, if nobody has it.
    fn lock(&self, db: &mut Db<'_>, report: &mut StepReport) -> bool {
        let footprint = Footprint {
            read: 0,
            write: 1 << self.shard,
        };
        let free = db.acquire(footprint) == 0;
        report.skipped |= !free;
        free
    }

    /// Visits a few segments; whether the dict has more that may be due.
    fn slice(&mut self, db: &mut Db<'_>, report: &mut StepReport) -> bool {
        let (now, index) = (db.now, self.db);
        let due = db.locks.visit(self.shard, |shard| {
            (shard.dict(index).next_expiry()).is_some_and(|at| at <= now)
        });
        match due {
            Ok(true) => {}
            Ok(false) => return false,
            Err(_) => {
                report.skipped = true;
                return false;
            }
        }
        if !self.lock(db, report) {
            return false;
        }
        let mut gone = Vec::new();
        let partly = &mut self.partly;
        let hasher = db.locks.keyspace().hasher();
        let dict = db.locks.shard_mut(self.shard).dict_mut(index);
        let step = dict.expire_step(
            self.cursor,
            now,
            SEGMENTS_PER_SLICE,
            hasher,
            |entry| gone.push(entry),
            |entry| partly.push(entry.key().into()),
        );
        self.cursor = step.cursor;
        db.index = index;
        report.removed += gone.len() as u64;
        for entry in gone {
            let key = entry.key().to_vec();
            db.expired(&key, entry);
        }
        db.release();
        self.cursor != 0
    }

    fn advance(&mut self) {
        self.cursor = 0;
        self.db = (self.db + 1) % DATABASES;
        if self.db == 0 {
            self.shard = (self.shard + 1) % SHARDS;
        }
    }
}

#[cfg(test)]
mod tests;
