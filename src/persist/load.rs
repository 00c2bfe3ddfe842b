//! Keys of a file into the keyspace.
//!
//! Keys go in by groups, so that the cache misses of a group are waited for together, and
//! each group takes its shards' locks once.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;

use super::rdb::decode::Layout;
use super::rdb::file::Problem;
use super::rdb::file::Usage;
use super::rdb::file::read::{Pair, Visitor, aux_number};
use crate::base::clock::Millis;
use crate::config::{Config, Id};
use crate::ds::hash::{self, Growth};
use crate::ds::list::Limit;
use crate::ds::set::Rules;
use crate::ds::zset;
use crate::store::db::STAMP_MASK;
use crate::store::entry::Entry;
use crate::store::{Footprint, Keyspace, Locks, shard_of};

/// Keys that go in together.
const GROUP: usize = 32;
/// Empty keys that are named in the log.
const EMPTY_NAMED_MAX: u64 = 10;

/// How far loading has come; read by others meanwhile.
#[derive(Debug, Default)]
pub struct Progress {
    pub total_bytes: AtomicU64,
    pub loaded_bytes: AtomicU64,
    pub loaded_keys: AtomicU64,
    pub expired_keys: AtomicU64,
    /// What the file says that its data took in memory.
    pub file_memory: AtomicU64,
}

/// What becomes of keys that are special.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Keep keys that have expired: what follows counts on them.
    pub keep_expired: bool,
    /// Let keys of the file replace those that are there; else they are an error.
    pub replace: bool,
    /// The access stamps count uses.
    pub is_lfu: bool,
    /// Slept after each key, for tests that need a slow load.
    pub key_delay: Duration,
}

/// A key that is ready to go in.
struct Ready {
    db: usize,
    hash: u64,
    entry: Entry,
}

/// Puts what is read of a file into a keyspace. [`Filler::finish`] ends it.
pub struct Filler<'a, 'k> {
    keyspace: &'k Keyspace,
    /// The caller's: those that it holds are used.
    locks: &'a mut Locks<'k>,
    progress: &'a Progress,
    manner: Manner,
    now: Millis,
    group: Vec<Ready>,
    empty: u64,
    /// Libraries of functions, which are only kept.
    pub functions: Vec<Bytes>,
}

impl<'a, 'k> Filler<'a, 'k> {
    /// A filler that has filled in nothing yet. `locks` hold all shards for writing, or
    /// none.
    pub fn new(
        locks: &'a mut Locks<'k>,
        progress: &'a Progress,
        manner: Manner,
        now: Millis,
    ) -> Filler<'a, 'k> {
        Filler {
            keyspace: locks.keyspace(),
            locks,
            progress,
            manner,
            now,
            group: Vec::with_capacity(GROUP),
            empty: 0,
            functions: Vec::new(),
        }
    }

    /// Puts in what is left.
    ///
    /// # Errors
    /// When one of the keys is there already.
    pub fn finish(&mut self) -> Result<(), Problem> {
        self.put_in()?;
        if self.empty > 0 {
            log::warn!("{} empty keys were skipped", self.empty);
        }
        Ok(())
    }

    fn put_in(&mut self) -> Result<(), Problem> {
        let mut footprint = Footprint::NONE;
        for ready in &self.group {
            footprint.add(ready.hash, true);
        }
        let held = !self.locks.is_empty();
        if !held {
            self.locks.acquire(footprint);
        }
        for Ready { db, hash, .. } in &self.group {
            let dict = self.locks.shard(shard_of(*hash)).dict(*db);
            dict.table().prefetch_bucket(*hash);
        }
        let mut result = Ok(());
        for Ready { db, hash, entry } in self.group.drain(..) {
            let dict = self.locks.shard_mut(shard_of(hash)).dict_mut(db);
            let hasher = self.keyspace.hasher();
            if !dict.load(hash, entry, self.manner.replace, hasher) {
                result = Err(Problem::DuplicateKey);
            }
        }
        if !held {
            self.locks.release();
        }
        result
    }

    /// The access stamp of a key.
    fn stamp(&self, usage: Usage) -> u32 {
        const LFU_START: u32 = 5;
        let clock = (self.now / 1000) as u32 & STAMP_MASK;
        let minutes = (self.now / 60_000) as u32 & 0xffff;
        match (usage, self.manner.is_lfu) {
            (Usage::Frequency(count), true) => minutes << 8 | u32::from(count),
            (_, true) => minutes << 8 | LFU_START,
            (Usage::Idle(secs), false) => {
                let idle = secs.min(u64::from(STAMP_MASK)) as u32;
                clock.wrapping_sub(idle) & STAMP_MASK
            }
            (_, false) => clock,
        }
    }
}

impl Visitor for Filler<'_, '_> {
    fn aux(&mut self, name: &[u8], value: &[u8]) {
        let text = value.escape_ascii();
        match name {
            b"redis-ver" | b"valkey-ver" => log::info!("Loading RDB produced by version {text}"),
            b"used-mem" => {
                let bytes = aux_number(value).unwrap_or(0).max(0).unsigned_abs();
                self.progress.file_memory.store(bytes, Relaxed);
            }
            [b'%', ..] => log::info!("RDB '{}': {text}", name.escape_ascii()),
            _ => log::debug!("RDB field {}: {text}", name.escape_ascii()),
        }
    }

    fn function(&mut self, code: Bytes) {
        self.functions.push(code);
    }

    fn pair(&mut self, pair: Pair<'_>) -> Result<(), Problem> {
        let expired = pair.expire.is_some_and(|at| at < self.now);
        if expired && !self.manner.keep_expired {
            self.progress.expired_keys.fetch_add(1, Relaxed);
            return Ok(());
        }
        self.progress.loaded_keys.fetch_add(1, Relaxed);
        if !self.manner.key_delay.is_zero() {
            std::thread::sleep(self.manner.key_delay);
        }
        let stamp = self.stamp(pair.usage);
        self.group.push(Ready {
            db: pair.db,
            hash: self.keyspace.hasher().hash(pair.key),
            entry: Entry::new(pair.key, pair.value, pair.expire, stamp),
        });
        if self.group.len() < GROUP {
            return Ok(());
        }
        self.put_in()
    }

    fn empty(&mut self, key: &[u8]) {
        self.empty += 1;
        if self.empty <= EMPTY_NAMED_MAX {
            log::warn!("Skipping empty key: {}", key.escape_ascii());
        }
    }

    fn progress(&mut self, bytes: u64) {
        self.progress.loaded_bytes.store(bytes, Relaxed);
    }
}

/// The settings that choose encodings.
pub fn layout<'k>(config: &Config, keyspace: &'k Keyspace) -> Layout<'k> {
    let hasher = keyspace.hasher();
    Layout {
        list: Limit::from_config(config.int(Id::LIST_MAX_LISTPACK_SIZE) as i32),
        hash: Growth {
            limit: hash::Limit {
                entries: config.size(Id::HASH_MAX_LISTPACK_ENTRIES),
                value: config.size(Id::HASH_MAX_LISTPACK_VALUE),
            },
            hasher,
        },
        set: Rules {
            intset_entries: config.size(Id::SET_MAX_INTSET_ENTRIES),
            listpack_entries: config.size(Id::SET_MAX_LISTPACK_ENTRIES),
            listpack_value: config.size(Id::SET_MAX_LISTPACK_VALUE),
            hasher,
        },
        zset: zset::Limits {
            entries: config.size(Id::ZSET_MAX_LISTPACK_ENTRIES),
            value: config.size(Id::ZSET_MAX_LISTPACK_VALUE),
        },
    }
}
