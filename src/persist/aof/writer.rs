//! The log's writer: takes what was recorded to the file, makes it durable, and says so.
//! One thread, beside all others; whoever records only leaves bytes in memory.
//!
//! ```text
//! take -> write -> sync, if it is due -> publish -> go over to the next file, if cut
//! ```
//!
//! - `always`: all that has been recorded up to the end of a turn is written and synced
//!   together: a group commit. Who waits is told after the sync. On a quick disk who has run
//!   the commands syncs; on a slow one, or while somebody else syncs, this thread does, and
//!   others go on running commands meanwhile, which make up the next group.
//! - `everysec`, `no`: who has recorded writes before the replies go out, which is a copy
//!   into the system's memory; a killed process then loses nothing. While this thread syncs,
//!   once a second, or data is being written out elsewhere, a write could have to wait for
//!   the disk. Then it is left to a turn of this thread, within a millisecond after.
//!
//! Must stay true: after a failed sync or write the file is left alone for good. What it
//! lacks comes back only with a rewrite from memory. With `always` nothing can be
//! promised any more, and the process ends.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::buffer::Buffer;
use super::files::{Files, Open, shown};
use super::log::{Fsync, Log, Phase, Taken};
use super::status::Status;
use crate::base::clock;
use crate::base::sys::error_text;

/// How often what was recorded is written, unless replies wait for it.
const WRITE_EVERY: Duration = Duration::from_millis(1);
/// How often it is synced with `everysec`.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// The longest sleep; a changed configuration is seen after it.
const SLEEP_MAX: Duration = Duration::from_millis(100);
/// The longest sync that is better done where commands run than by a thread that must be
/// woken for it, and wake another afterwards. On a busy machine both take some 100 us each;
/// what is read meanwhile could not be answered before the sync has ended anyway.
const QUICK_SYNC: Duration = Duration::from_micros(500);
/// Longer syncs are told.
const SLOW_SYNC: Duration = Duration::from_secs(2);

/// What the writer asks of the rest, in every turn.
pub trait Surroundings: Send + Sync {
    /// The policy that is configured.
    fn fsync(&self) -> Fsync;
    /// Whether syncs shall be left out for now: `no-appendfsync-on-rewrite`.
    fn skips_syncs(&self) -> bool;
    /// Whether chunks are to have checksums.
    fn sums(&self) -> bool;
    /// Ends the process: what was promised can't be kept.
    fn give_up(&self, reason: &str);
}

/// See the head of this file.
pub struct Writer {
    log: Arc<Log>,
    files: Arc<Mutex<Files>>,
    status: Arc<Status>,
    around: Arc<dyn Surroundings>,
    open: Option<Open>,
    spare: Buffer,
    last_sync: Instant,
    /// How long the last one took.
    last_took: Duration,
}

impl Writer {
    /// A writer that goes on with `open`; without, it waits for a cut.
    pub fn new(
        log: Arc<Log>,
        files: Arc<Mutex<Files>>,
        status: Arc<Status>,
        around: Arc<dyn Surroundings>,
        open: Option<Open>,
    ) -> Writer {
        Writer {
            log,
            files,
            status,
            around,
            open,
            spare: Buffer::default(),
            last_sync: Instant::now(),
            last_took: Duration::MAX,
        }
    }

    /// Works until the log is stopped.
    pub fn run(writer: &Mutex<Writer>) {
        let log = Arc::clone(&writer.lock().log);
        let mut rested = true;
        loop {
            let limit = writer.lock().rest(rested);
            log.sleep(limit);
            match writer.lock().turn(Instant::now()) {
                Turn::Stop => return,
                Turn::Worked => rested = false,
                Turn::Idle => rested = true,
            }
        }
    }

    /// How long it may sleep: with `always` who has recorded wakes it at the end of a turn,
    /// else who has recorded writes, or the next turn does.
    fn rest(&self, rested: bool) -> Duration {
        match self.around.fsync() {
            Fsync::Always => self.until_sync(),
            _ if rested => self.until_sync(),
            _ => WRITE_EVERY,
        }
    }

    /// Writes what was recorded, for one who does not want to wait for the next turn, and
    /// with `always` syncs it, if that is quick: no other file. Whether that is done.
    pub fn write_now(&mut self, now: Instant) -> bool {
        let policy = self.around.fsync();
        let syncs = policy == Fsync::Always;
        if self.open.is_none() || syncs && !self.syncs_quickly() {
            return false;
        }
        let Some(end) = self.log.take_plain(&mut self.spare) else {
            return false;
        };
        let mut bytes = std::mem::take(&mut self.spare);
        let mut result = self.write(&mut bytes);
        bytes.clear();
        self.spare = bytes;
        if result.is_ok() {
            self.log.set_written(end);
            if syncs && self.owes() {
                result = self.sync(now);
            }
        }
        match result {
            Ok(()) if syncs => self.log.set_durable(end),
            Ok(()) => {}
            Err(failure) => self.fail(&failure, policy),
        }
        true
    }

    /// Whether a sync takes no longer than it takes to have another thread do it.
    fn syncs_quickly(&self) -> bool {
        self.last_took <= QUICK_SYNC && !self.around.skips_syncs()
    }

    /// Whether something was written that is not durable.
    fn owes(&self) -> bool {
        (self.open.as_ref()).is_some_and(|open| open.durable < open.len)
    }

    /// How long it may sleep.
    fn until_sync(&self) -> Duration {
        let owes = self.owes();
        match self.around.fsync() {
            Fsync::EverySecond if owes => {
                (self.last_sync + SYNC_EVERY).saturating_duration_since(Instant::now())
            }
            // It was left out for the sake of a rewrite.
            Fsync::Always if owes => WRITE_EVERY,
            _ => SLEEP_MAX,
        }
    }

    /// One turn; see the head of this file.
    pub(super) fn turn(&mut self, now: Instant) -> Turn {
        let policy = self.around.fsync();
        let mut taken = self.log.take(std::mem::take(&mut self.spare));
        self.log
            .hold_replies(policy == Fsync::Always && taken.phase == Phase::On);
        let worked = !taken.bytes.is_empty();
        let result = self.carry_on(&mut taken, policy, now);
        taken.bytes.clear();
        self.spare = std::mem::take(&mut taken.bytes);
        match result {
            Err(failure) => self.fail(&failure, policy),
            Ok(()) if taken.phase == Phase::Off => self.open = None,
            Ok(()) if taken.cut => self.switch(taken.phase),
            Ok(()) => {}
        }
        match (taken.stop, worked) {
            (true, _) => Turn::Stop,
            (_, true) => Turn::Worked,
            _ => Turn::Idle,
        }
    }

    fn carry_on(&mut self, taken: &mut Taken, policy: Fsync, now: Instant) -> Result<(), Failure> {
        self.write(&mut taken.bytes)?;
        self.log.set_written(taken.end);
        let last = taken.cut || taken.stop || taken.phase == Phase::Off;
        if self.sync_is_due(policy, last, now) {
            self.sync(now)?;
        }
        // What gathers beside the log is no promise before it is a part of it.
        let all = self
            .open
            .as_ref()
            .is_some_and(|open| open.durable == open.len);
        let waived = policy == Fsync::Always && self.around.skips_syncs();
        if taken.phase == Phase::On && (all || waived) {
            self.log.set_durable(taken.end);
        }
        Ok(())
    }

    fn write(&mut self, bytes: &mut Buffer) -> Result<(), Failure> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        if bytes.is_empty() {
            return Ok(());
        }
        self.log.sleep_before_write();
        let bytes = bytes.seal(open.durable);
        if let Err(error) = open.file.write_all(bytes) {
            // Some of it may be there: a start would take it for a cut end.
            if let Err(error) = open.file.truncate(open.len) {
                log::warn!(
                    "Could not remove short write from the append-only file: {}",
                    error_text(&error)
                );
            }
            return Err(Failure {
                what: "writing to",
                error,
            });
        }
        open.len += bytes.len() as u64;
        self.status.size.fetch_add(bytes.len() as u64, Relaxed);
        Ok(())
    }

    fn sync_is_due(&self, policy: Fsync, last: bool, now: Instant) -> bool {
        let due = match policy {
            Fsync::Always => true,
            Fsync::EverySecond => now.saturating_duration_since(self.last_sync) >= SYNC_EVERY,
            Fsync::Never => false,
        };
        self.owes() && (last || due && !self.around.skips_syncs())
    }

    fn sync(&mut self, now: Instant) -> Result<(), Failure> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        open.file.sync().map_err(|error| Failure {
            what: "syncing",
            error,
        })?;
        open.durable = open.len;
        self.last_sync = now;
        let took = now.elapsed();
        self.last_took = took;
        self.status.syncs.fetch_add(1, Relaxed);
        if took > SLOW_SYNC {
            self.status.delayed_syncs.fetch_add(1, Relaxed);
            log::info!("AOF fsync took {:.1} s (disk is busy?)", took.as_secs_f64());
        }
        self.status.synced_ms.store(clock::now(), Relaxed);
        Ok(())
    }

    fn fail(&mut self, failure: &Failure, policy: Fsync) {
        let reason = error_text(&failure.error);
        log::error!("Error {} the AOF file: {reason}", failure.what);
        self.open = None;
        if policy == Fsync::Always {
            self.around.give_up(&format!(
                "Can't recover from AOF write error when the AOF fsync policy is 'always': {reason}"
            ));
        }
        self.log.fail(reason);
    }

    /// Everything before a cut is durable: what follows gets its own file.
    fn switch(&mut self, phase: Phase) {
        let begun = if phase == Phase::On {
            let begun = self.files.lock().begin_incr(self.around.sums());
            begun.map(|(open, info)| (open, Some(info)))
        } else {
            let begun = self.files.lock().begin_temp_incr(self.around.sums());
            begun.map(|open| (open, None))
        };
        let result = match begun {
            Ok((open, info)) => {
                let name = info.as_ref().map(|info| shown(&info.name));
                let name = name.unwrap_or_else(|| "that waits for its base".to_owned());
                log::info!("Creating AOF incr file {name} on background rewrite");
                self.open = Some(open);
                Ok(info)
            }
            // The log goes on in the old file, if that is one, and the rewrite will not be used.
            Err(error) => {
                if phase != Phase::On {
                    self.open = None;
                }
                let reason = error_text(&error);
                log::warn!("Can't open the append-only file: {reason}");
                Err(reason)
            }
        };
        self.log.switched(result);
    }
}

/// What a turn was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Idle,
    Worked,
    Stop,
}

struct Failure {
    what: &'static str,
    error: io::Error,
}
