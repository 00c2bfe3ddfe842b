//! The base of the log: all data as of one cut, written by the walk of a snapshot, as an
//! RDB file or as the commands that make it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;

use super::emit::{Pair, push_pair};
use super::record::Encoder;
use super::service::{BaseError, BaseWriter};
use crate::base::clock;
use crate::base::sys::{self, error_text};
use crate::config::{Config, Id};
use crate::persist::disk::File;
use crate::persist::output::SYNC_BYTES;
use crate::persist::save::{self, Rules, SaveError};
use crate::persist::service::{Persistence, SAVER_NICENESS};
use crate::store::snapshot::{Handle, Snapshot, Stopped};
use crate::store::{Keyspace, Locks, Patience};

/// Bytes of commands that are written at once.
const BUFFER: usize = 128 << 10;

/// See the head of this file.
pub struct SnapshotBase {
    config: Arc<Config>,
    keyspace: Arc<Keyspace>,
    persist: Arc<Persistence>,
    running: Mutex<Option<Handle>>,
}

impl SnapshotBase {
    /// Writes the data of `keyspace`, which `persist` saves too.
    pub fn new(
        config: Arc<Config>,
        keyspace: Arc<Keyspace>,
        persist: Arc<Persistence>,
    ) -> SnapshotBase {
        SnapshotBase {
            config,
            keyspace,
            persist,
            running: Mutex::default(),
        }
    }

    fn write_snapshot(
        &self,
        snapshot: Snapshot,
        locks: &mut Locks<'_>,
        file: Arc<dyn File>,
    ) -> Result<u64, SaveError> {
        let rules = Rules {
            is_aof_base: true,
            syncs: self.config.flag(Id::AOF_REWRITE_INCREMENTAL_FSYNC),
            functions: self.persist.functions(),
            slow: self.persist.slow_down(),
            ..Rules::from_config(&self.config)
        };
        let done = AtomicU64::new(0);
        save::write(snapshot, locks, file, &rules, clock::now(), &done)
    }

    fn write_commands(
        &self,
        snapshot: Snapshot,
        locks: &mut Locks<'_>,
        file: &dyn File,
    ) -> Result<u64, SaveError> {
        let now = clock::now();
        let target = Rules::from_config(&self.config).target;
        let (slow, handle) = (self.persist.slow_down(), snapshot.handle());
        let syncs = self.config.flag(Id::AOF_REWRITE_INCREMENTAL_FSYNC);
        let mut out = Commands {
            file,
            encoder: Encoder::default(),
            buffer: Vec::with_capacity(2 * BUFFER),
            written: 0,
            unsynced: 0,
            syncs,
        };
        if self.config.flag(Id::AOF_TIMESTAMP_ENABLED) {
            out.encoder.time(now / 1000, &mut out.buffer);
        }
        let result = snapshot.walk(locks, |item| {
            let pair = Pair {
                db: item.db,
                key: item.key,
                value: item.value,
                expire: item.expire,
            };
            push_pair(&pair, now, target, &mut out.encoder, &mut out.buffer);
            if let Some(slow) = &slow {
                slow.pause(&handle)?;
            }
            out.drain(BUFFER)
        });
        match result {
            Ok(()) => {}
            Err(Stopped::Cancelled) => return Err(SaveError::Cancelled),
            Err(Stopped::Sink(error)) => return Err(error.into()),
        }
        out.drain(0)?;
        file.sync()?;
        Ok(out.written)
    }
}

impl BaseWriter for SnapshotBase {
    fn write(
        &self,
        file: Arc<dyn File>,
        as_snapshot: bool,
        cut: &mut dyn FnMut(),
    ) -> Result<u64, BaseError> {
        // Where that cannot be, it only takes its turns like others.
        let _ = sys::be_nice(SAVER_NICENESS);
        let mut locks = Locks::new(&self.keyspace, Patience::Polite);
        let budget = self.config.size(Id::SNAPSHOT_MEMORY_BUDGET);
        let started = Snapshot::start(&self.keyspace, &mut locks, budget, cut);
        let Some((snapshot, ())) = started else {
            return Err(BaseError::Busy);
        };
        *self.running.lock() = Some(snapshot.handle());
        let result = match as_snapshot {
            true => self.write_snapshot(snapshot, &mut locks, file),
            false => self.write_commands(snapshot, &mut locks, &*file),
        };
        *self.running.lock() = None;
        if let Err(SaveError::Disk(_)) = &result {
            Snapshot::take_off(&mut locks);
        }
        result.map_err(|error| match error {
            SaveError::Cancelled => BaseError::Cancelled,
            SaveError::Disk(error) => BaseError::Failed(error_text(&error)),
        })
    }

    fn cancel(&self) {
        if let Some(handle) = &*self.running.lock() {
            handle.cancel();
        }
    }

    fn is_busy(&self) -> bool {
        self.persist.is_saving() || self.persist.is_loading()
    }

    fn is_working(&self) -> bool {
        self.is_busy() || self.running.lock().is_some()
    }

    fn give_up(&self, reason: &str) {
        log::error!("{reason}. Exiting...");
        std::process::exit(1);
    }
}

/// Commands on their way to a file.
struct Commands<'a> {
    file: &'a dyn File,
    encoder: Encoder,
    buffer: Vec<u8>,
    written: u64,
    unsynced: usize,
    syncs: bool,
}

impl Commands<'_> {
    /// Writes what has gathered, if it is more than `keep` bytes.
    fn drain(&mut self, keep: usize) -> io::Result<()> {
        if self.buffer.len() <= keep {
            return Ok(());
        }
        self.file.write_all(&self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.unsynced += self.buffer.len();
        self.buffer.clear();
        if self.syncs && self.unsynced >= SYNC_BYTES {
            self.unsynced = 0;
            self.file.sync()?;
        }
        Ok(())
    }
}
