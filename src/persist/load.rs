//! Keys of a file into the keyspace.
//!
//! One thread reads the file and makes its entries, another one puts them in. Keys go in by
//! groups, so that the cache misses of a group are waited for together, and each group takes
//! its shards' locks once.

use std::io::{self, Read};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

use bytes::Bytes;

use super::rdb::decode::Layout;
use super::rdb::file::read::{self, Pair, Rules, Visitor, aux_number};
use super::rdb::file::source::FileSource;
use super::rdb::file::{Doing, LoadError, Problem, Usage};
use crate::base::clock::Millis;
use crate::base::hash::KeyHasher;
use crate::config::{Config, Id};
use crate::ds::hash::{self, Growth};
use crate::ds::list::Limit;
use crate::ds::set;
use crate::ds::zset;
use crate::store::entry::Entry;
use crate::store::usage::{self, COUNTER_NEW, Lfu, STAMP_MASK};
use crate::store::{Footprint, Keyspace, Locks, shard_of};

/// Keys that go in together: a wake-up of who puts them in costs as much as ten keys.
const GROUP: usize = 256;
/// Groups that are ready and wait to go in.
const GROUPS_AHEAD: usize = 8;
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
    /// When the file says it was written, in seconds since the Unix epoch.
    pub file_secs: AtomicU64,
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

/// How a snapshot is loaded.
pub struct Task<'a> {
    pub rules: Rules<'a>,
    pub manner: Manner,
    pub now: Millis,
    pub progress: &'a Progress,
}

/// Loads a snapshot into the keyspace; the libraries of functions that came with it. One
/// thread reads while this one fills in. `locks` hold all shards for writing, or none.
///
/// # Errors
/// At the first thing that is wrong.
pub fn load<R: Read + Send>(
    source: &mut FileSource<R>,
    locks: &mut Locks<'_>,
    task: &Task<'_>,
) -> Result<Vec<Bytes>, LoadError> {
    let (sender, groups) = mpsc::sync_channel(GROUPS_AHEAD);
    let hasher = locks.keyspace().hasher();
    let from = &mut *source;
    let (read, filled) = std::thread::scope(|scope| {
        let work = move || read_groups(from, Gatherer::new(hasher, task, sender));
        let name = "loader-reader".into();
        let reader = (std::thread::Builder::new().name(name)).spawn_scoped(scope, work);
        let reader = reader.map_err(no_thread)?;
        let filled = fill(locks, groups, task.manner.replace);
        let read = reader.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((read, filled))
    })?;
    filled.map_err(|key| LoadError {
        offset: source.offset(),
        doing: Doing::Insert,
        key: Some(key),
        problem: Problem::DuplicateKey,
    })?;
    read
}

fn no_thread(error: io::Error) -> LoadError {
    LoadError {
        offset: 0,
        doing: Doing::Start,
        key: None,
        problem: Problem::Input(error),
    }
}

/// A key that is ready to go in.
struct Ready {
    db: usize,
    hash: u64,
    entry: Entry,
}

/// Puts in one group after the other, until there are no more.
///
/// # Errors
/// The first key that is there already. Who sends the groups finds nobody who takes them.
fn fill(locks: &mut Locks<'_>, groups: Receiver<Vec<Ready>>, replace: bool) -> Result<(), Vec<u8>> {
    let held = !locks.is_empty();
    for group in groups {
        if !held {
            let mut footprint = Footprint::NONE;
            for ready in &group {
                footprint.add(ready.hash, true);
            }
            locks.acquire(footprint);
        }
        let filled = put_in(locks, group, replace);
        if !held {
            locks.release();
        }
        filled?;
    }
    Ok(())
}

fn put_in(locks: &mut Locks<'_>, group: Vec<Ready>, replace: bool) -> Result<(), Vec<u8>> {
    for Ready { db, hash, .. } in &group {
        let dict = locks.shard(shard_of(*hash)).dict(*db);
        dict.table().prefetch_bucket(*hash);
    }
    let hasher = locks.keyspace().hasher();
    for Ready { db, hash, entry } in group {
        let dict = locks.shard_mut(shard_of(hash)).dict_mut(db);
        dict.load(hash, entry, replace, hasher)
            .map_err(|entry| entry.key().to_vec())?;
    }
    Ok(())
}

/// Reads to the end, and sends what is left.
fn read_groups<R: Read>(
    source: &mut FileSource<R>,
    mut gatherer: Gatherer<'_>,
) -> Result<Vec<Bytes>, LoadError> {
    let task = gatherer.task;
    read::load(source, &mut gatherer, &task.rules)?;
    // Who took the groups has an error of its own if it has gone.
    let _ = gatherer.send();
    if gatherer.empty > 0 {
        log::warn!("{} empty keys were skipped", gatherer.empty);
    }
    Ok(gatherer.functions)
}

/// Makes groups of what is read.
struct Gatherer<'a> {
    hasher: &'a KeyHasher,
    task: &'a Task<'a>,
    sender: SyncSender<Vec<Ready>>,
    group: Vec<Ready>,
    empty: u64,
    /// Libraries of functions, which are only kept.
    functions: Vec<Bytes>,
}

impl<'a> Gatherer<'a> {
    fn new(
        hasher: &'a KeyHasher,
        task: &'a Task<'a>,
        sender: SyncSender<Vec<Ready>>,
    ) -> Gatherer<'a> {
        Gatherer {
            hasher,
            task,
            sender,
            group: Vec::with_capacity(GROUP),
            empty: 0,
            functions: Vec::new(),
        }
    }

    fn send(&mut self) -> Result<(), Problem> {
        let group = std::mem::replace(&mut self.group, Vec::with_capacity(GROUP));
        self.sender.send(group).map_err(|_| Problem::GivenUp)
    }

    /// The access stamp of a key.
    fn stamp(&self, uses: Usage) -> u32 {
        let now = self.task.now;
        let clock = usage::clock(now);
        match (uses, self.task.manner.is_lfu) {
            (Usage::Frequency(count), true) => Lfu::stamp(count, now),
            (_, true) => Lfu::stamp(COUNTER_NEW, now),
            (Usage::Idle(secs), false) => {
                let idle = secs.min(u64::from(STAMP_MASK)) as u32;
                clock.wrapping_sub(idle) & STAMP_MASK
            }
            (_, false) => clock,
        }
    }
}

impl Visitor for Gatherer<'_> {
    fn aux(&mut self, name: &[u8], value: &[u8]) {
        let text = value.escape_ascii();
        match name {
            b"redis-ver" | b"valkey-ver" => log::info!("Loading RDB produced by version {text}"),
            b"used-mem" => {
                let bytes = aux_number(value).unwrap_or(0).max(0).unsigned_abs();
                self.task.progress.file_memory.store(bytes, Relaxed);
            }
            b"ctime" => {
                let secs = aux_number(value).unwrap_or(0).max(0).unsigned_abs();
                self.task.progress.file_secs.store(secs, Relaxed);
            }
            [b'%', ..] => log::info!("RDB '{}': {text}", name.escape_ascii()),
            _ => log::debug!("RDB field {}: {text}", name.escape_ascii()),
        }
    }

    fn function(&mut self, code: Bytes) {
        self.functions.push(code);
    }

    fn pair(&mut self, pair: Pair<'_>) -> Result<(), Problem> {
        let expired = pair.expire.is_some_and(|at| at < self.task.now);
        if expired && !self.task.manner.keep_expired {
            self.task.progress.expired_keys.fetch_add(1, Relaxed);
            return Ok(());
        }
        self.task.progress.loaded_keys.fetch_add(1, Relaxed);
        if !self.task.manner.key_delay.is_zero() {
            std::thread::sleep(self.task.manner.key_delay);
        }
        let stamp = self.stamp(pair.usage);
        self.group.push(Ready {
            db: pair.db,
            hash: self.hasher.hash(pair.key),
            entry: Entry::new(pair.key, pair.value, pair.expire, stamp),
        });
        if self.group.len() < GROUP {
            return Ok(());
        }
        self.send()
    }

    fn empty(&mut self, key: &[u8]) {
        self.empty += 1;
        if self.empty <= EMPTY_NAMED_MAX {
            log::warn!("Skipping empty key: {}", key.escape_ascii());
        }
    }

    fn progress(&mut self, bytes: u64) {
        self.task.progress.loaded_bytes.store(bytes, Relaxed);
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
        set: set::Rules {
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
