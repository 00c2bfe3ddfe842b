//! A snapshot to a file: written beside the old one, made durable, then put in its place.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;

use super::disk::{Disk, File};
use super::output::Output;
use super::rdb::Target;
use super::rdb::file::Usage;
use super::rdb::file::write::FileWriter;
use super::slow::Slow;
use crate::base::clock::Millis;
use crate::config::cli::REDIS_COMPAT;
use crate::config::{Config, Id};
use crate::store::Locks;
use crate::store::snapshot::{Item, Snapshot, Stopped};
use crate::store::usage::STAMP_MASK;

/// The part of an access stamp that counts uses.
const LFU_COUNTER_MASK: u32 = 0xff;

/// What is written of the use of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uses {
    Nothing,
    Idle,
    Frequency,
}

impl Uses {
    /// What the eviction policy of this name needs.
    pub fn of_policy(name: &str) -> Uses {
        if name.ends_with("-lru") {
            Uses::Idle
        } else if name.ends_with("-lfu") {
            Uses::Frequency
        } else {
            Uses::Nothing
        }
    }

    fn of(self, stamp: u32, now: u32) -> Usage {
        match self {
            Uses::Nothing => Usage::Unknown,
            Uses::Idle => Usage::Idle((now.wrapping_sub(stamp) & STAMP_MASK).into()),
            Uses::Frequency => Usage::Frequency((stamp & LFU_COUNTER_MASK) as u8),
        }
    }
}

/// How a file is written.
#[derive(Clone, Debug)]
pub struct Rules {
    pub target: Target,
    pub compress: bool,
    pub checksum: bool,
    /// Make the file durable step by step.
    pub syncs: bool,
    pub uses: Uses,
    /// Pauses after each key, for tests that need a slow save.
    pub slow: Option<Slow>,
    /// Bytes in use, for the file's head.
    pub used_memory: u64,
    /// Whether the file is the base of an append-only file.
    pub is_aof_base: bool,
    /// Libraries of functions.
    pub functions: Vec<Bytes>,
}

impl Rules {
    /// The rules that the configuration gives.
    pub fn from_config(config: &Config) -> Rules {
        Rules {
            target: Target::from_name(config.choice(Id::RDB_TARGET)),
            compress: config.flag(Id::RDBCOMPRESSION),
            checksum: config.flag(Id::RDBCHECKSUM),
            syncs: config.flag(Id::RDB_SAVE_INCREMENTAL_FSYNC),
            uses: Uses::of_policy(config.choice(Id::MAXMEMORY_POLICY)),
            slow: None,
            used_memory: 0,
            is_aof_base: false,
            functions: Vec::new(),
        }
    }
}

/// Why there is no file.
#[derive(Debug)]
pub enum SaveError {
    Cancelled,
    Disk(io::Error),
}

impl From<io::Error> for SaveError {
    fn from(error: io::Error) -> SaveError {
        SaveError::Disk(error)
    }
}

/// Writes a snapshot, taken at `now`, to `file`, durably; its length. Counts the keys in `done`.
///
/// # Errors
/// When the disk fails or somebody cancels.
pub fn write(
    snapshot: Snapshot,
    locks: &mut Locks<'_>,
    file: Arc<dyn File>,
    rules: &Rules,
    now: Millis,
    done: &AtomicU64,
) -> Result<u64, SaveError> {
    let output = Output::new(file, rules.checksum, rules.syncs);
    let mut writer = FileWriter::new(output, rules.target, rules.compress);
    head(&mut writer, rules, now);
    for (db, sizes) in snapshot.sizes().iter().enumerate() {
        if sizes.keys > 0 {
            writer.size(db, sizes.keys, sizes.volatile);
        }
    }
    let clock = (now / 1000) as u32 & STAMP_MASK;
    let handle = snapshot.handle();
    let mut paused = Ok(());
    let emit = |item: Item<'_>| {
        let usage = rules.uses.of(item.stamp, clock);
        writer.pair(item.db, item.key, item.value, item.expire, usage, now);
        done.fetch_add(1, Relaxed);
        if let Some(slow) = &rules.slow {
            paused = slow.pause(&handle);
        }
        if paused.is_err() || writer.sink().has_failed() {
            Err(())
        } else {
            Ok(())
        }
    };
    match snapshot.walk(locks, emit) {
        Err(Stopped::Cancelled) => return Err(SaveError::Cancelled),
        // The pause or the output tells why.
        Ok(()) | Err(Stopped::Sink(())) => paused?,
    }
    Ok(writer.finish().finish()?)
}

fn head(writer: &mut FileWriter<Output>, rules: &Rules, now: Millis) {
    let mut number = itoa::Buffer::new();
    writer.aux("redis-ver", REDIS_COMPAT.as_bytes());
    writer.aux("flashkv-ver", env!("CARGO_PKG_VERSION").as_bytes());
    writer.aux("redis-bits", number.format(usize::BITS).as_bytes());
    writer.aux("ctime", number.format(now / 1000).as_bytes());
    writer.aux("used-mem", number.format(rules.used_memory).as_bytes());
    writer.aux("aof-base", if rules.is_aof_base { b"1" } else { b"0" });
    (rules.functions.iter()).for_each(|code| writer.function(code));
}

/// Puts a new file in the place of `path`: `fill` writes it under another name and makes it
/// durable.
///
/// # Errors
/// When it does not get there; the old file is then untouched.
pub fn replace<R>(
    disk: &dyn Disk,
    path: &Path,
    temp: &Path,
    fill: impl FnOnce(Arc<dyn File>) -> Result<R, SaveError>,
) -> Result<R, SaveError> {
    let filled = disk.create(temp).map_err(SaveError::from).and_then(fill);
    let result = filled.and_then(|result| {
        disk.rename(temp, path)?;
        let dir = path.parent().unwrap_or(Path::new(""));
        disk.sync_dir(dir)?;
        Ok(result)
    });
    if result.is_err() {
        // It may not be there, or stay: the next save overwrites it.
        let _ = disk.remove(temp);
    }
    result
}
