//! Saving and loading as the server does them: one save at a time, its state for INFO, its
//! outcome for the gates.
//!
//! ```text
//! BGSAVE, save points   cut here, under all shards; the rest on the saver's thread
//! SAVE                  cut and written here, while others go on
//! last save             written under all shards, which are never given back
//! ```
//!
//! Must stay true: `State::running` is set from before the cut until the file is in its
//! place or given up, so that two saves never share the temporary file. The state's lock is
//! taken after shards and held for a moment only.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};

use super::disk::Disk;
use super::load::{self, Manner, Progress, Task};
use super::rdb::file::read::Rules as ReadRules;
use super::rdb::file::source::FileSource;
use super::save::{self, Rules, SaveError};
use super::slow::Slow;
use crate::base::clock::{self, Millis};
use crate::base::sys;
use crate::config::{Config, Id};
use crate::store::snapshot::{Handle, Snapshot};
use crate::store::{Footprint, Keyspace, Locks, Patience};

/// How long the save points leave a failed save alone, as in Redis.
const RETRY_DELAY: Duration = Duration::from_secs(5);
/// How often a closing service looks whether what it has cancelled is over.
const CLOSE_LOOK: Duration = Duration::from_millis(5);
/// Who saves or rewrites gives way to those who serve clients.
pub(super) const SAVER_NICENESS: i32 = 5;

/// Why a save does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another one runs.
    Running,
    /// Something else takes a snapshot.
    Busy,
    /// The last save is being made, or the thread cannot be started.
    Failed,
}

/// Who waits for a save.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Background,
    Foreground,
    /// The end of the server.
    Last,
}

/// A save that is under way.
struct Running {
    started: Instant,
    handle: Option<Handle>,
    background: bool,
    total: u64,
    done: Arc<AtomicU64>,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    scheduled: bool,
    /// No save begins any more.
    closed: bool,
    last_save_secs: i64,
    last_try: Option<Instant>,
    last_took: Option<Duration>,
    saves: u64,
}

/// What INFO tells of saving.
#[derive(Clone, Copy, Debug, Default)]
pub struct SaveStatus {
    pub background: bool,
    pub keys_done: u64,
    pub keys_total: u64,
    pub waiting_bytes: usize,
    pub current_secs: Option<u64>,
    pub last_secs: Option<u64>,
    pub last_save_secs: i64,
    pub last_ok: bool,
    pub saves: u64,
}

/// A save whose moment is fixed.
struct Job {
    snapshot: Snapshot,
    path: PathBuf,
    rules: Rules,
    now: Millis,
    /// Changes until the cut.
    changes: i64,
    done: Arc<AtomicU64>,
    started: Instant,
    background: bool,
}

/// See the head of this file.
pub struct Persistence {
    config: Arc<Config>,
    keyspace: Arc<Keyspace>,
    disk: Arc<dyn Disk>,
    used_memory: fn() -> u64,
    state: Mutex<State>,
    ended: Condvar,
    /// Changes that the last save has, on the scale of the counter of changes.
    saved_changes: AtomicI64,
    failed: AtomicBool,
    loading: AtomicBool,
    loading_since: AtomicI64,
    progress: Progress,
    functions: Mutex<Vec<Bytes>>,
    /// The pauses of the last save or rewrite that had some.
    slow: Mutex<Option<Slow>>,
}

impl Persistence {
    /// The persistence of `keyspace` on `disk`.
    pub fn new(
        config: Arc<Config>,
        keyspace: Arc<Keyspace>,
        disk: Arc<dyn Disk>,
        used_memory: fn() -> u64,
        now: Millis,
    ) -> Persistence {
        Persistence {
            config,
            keyspace,
            disk,
            used_memory,
            state: Mutex::new(State {
                last_save_secs: now / 1000,
                ..State::default()
            }),
            ended: Condvar::new(),
            saved_changes: AtomicI64::new(0),
            failed: AtomicBool::new(false),
            loading: AtomicBool::new(false),
            loading_since: AtomicI64::new(0),
            progress: Progress::default(),
            functions: Mutex::default(),
            slow: Mutex::default(),
        }
    }

    /// The disk that everything is written to.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    // Saving.

    /// Begins a save in the background. `locks` hold all shards for writing, or none;
    /// `changes` is the counter of changes.
    ///
    /// # Errors
    /// When it does not begin.
    pub fn begin(
        self: &Arc<Self>,
        locks: &mut Locks<'_>,
        now: Millis,
        changes: i64,
    ) -> Result<(), Refused> {
        let job = self.cut(locks, now, changes, Kind::Background)?;
        log::info!("Background saving started");
        let service = Arc::clone(self);
        let work = move || {
            // Where that cannot be, it only takes its turns like others.
            let _ = sys::be_nice(SAVER_NICENESS);
            let mut locks = Locks::new(&service.keyspace, Patience::Polite);
            // The log tells how it ended.
            let _ = service.run(job, &mut locks);
        };
        let thread = std::thread::Builder::new().name("saver".into()).spawn(work);
        thread.map(drop).map_err(|error| {
            log::warn!("Can't save in background: {error}");
            self.end(Instant::now(), true, Err(()));
            Refused::Failed
        })
    }

    /// Saves and comes back when it is done; others go on meanwhile. Holds no locks, or
    /// all for writing.
    ///
    /// # Errors
    /// When it does not begin, or fails, which the log tells.
    pub fn save(&self, locks: &mut Locks<'_>, now: Millis, changes: i64) -> Result<(), Refused> {
        self.save_as(Kind::Foreground, locks, now, changes)
    }

    fn save_as(
        &self,
        kind: Kind,
        locks: &mut Locks<'_>,
        now: Millis,
        changes: i64,
    ) -> Result<(), Refused> {
        let job = self.cut(locks, now, changes, kind)?;
        self.run(job, locks).map_err(|_| Refused::Failed)
    }

    /// The pauses of a save or rewrite that begins; none without `rdb-key-save-delay`.
    pub fn slow_down(&self) -> Option<Slow> {
        let micros = self
            .config
            .int(Id::RDB_KEY_SAVE_DELAY)
            .max(0)
            .unsigned_abs();
        let slow = (micros > 0).then(|| Slow::new(Duration::from_micros(micros)));
        *self.slow.lock() = slow.clone();
        slow
    }

    /// Has the save or rewrite fail that `rdb-key-save-delay` slows down; whether there
    /// is one.
    pub fn fail_slow(&self) -> bool {
        let slow = self.slow.lock().take().filter(Slow::is_used);
        slow.iter().for_each(Slow::fail);
        slow.is_some()
    }

    /// Makes a save begin as soon as that is possible.
    pub fn schedule(&self) {
        self.state.lock().scheduled = true;
    }

    /// Whether a save of an empty keyspace runs, as FLUSHALL has one made.
    pub fn is_saving_nothing(&self) -> bool {
        let state = self.state.lock();
        (state.running.as_ref())
            .is_some_and(|running| running.handle.is_some() && running.total == 0)
    }

    /// Waits until such a save is over. Called without locks.
    pub fn wait_for_nothing(&self) {
        let mut state = self.state.lock();
        while (state.running.as_ref()).is_some_and(|running| running.total == 0) {
            self.ended.wait(&mut state);
        }
    }

    /// Waits until no save runs. Called without locks.
    #[cfg(test)]
    fn wait(&self) {
        let mut state = self.state.lock();
        while state.running.is_some() {
            self.ended.wait(&mut state);
        }
    }

    /// Stops a save in the background; whether there was one.
    pub fn cancel(&self) -> bool {
        let state = self.state.lock();
        let running = state.running.as_ref().filter(|running| running.background);
        if let Some(handle) = running.and_then(|running| running.handle.as_ref()) {
            handle.cancel();
        }
        running.is_some()
    }

    /// Takes back a [`Persistence::schedule`]; whether there was one.
    pub fn unschedule(&self) -> bool {
        std::mem::take(&mut self.state.lock().scheduled)
    }

    /// Ends what is being saved, for good, and waits for that. Called without locks.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        while let Some(running) = &state.running {
            running.handle.iter().for_each(Handle::cancel);
            self.ended.wait_for(&mut state, CLOSE_LOOK);
        }
        drop(state);
        // Snapshots that others take end too.
        while Snapshot::cancel_any(&self.keyspace) {
            std::thread::sleep(CLOSE_LOOK);
        }
    }

    /// Lets saves begin again after [`Persistence::close`].
    pub fn reopen(&self) {
        self.state.lock().closed = false;
    }

    /// The save that the server ends with: takes all shards, and keeps them where it
    /// succeeds, so that nothing is acknowledged that the file has not.
    ///
    /// # Errors
    /// When there is no new file. The shards are free again then.
    pub fn save_for_good(&self, now: Millis, changes: i64) -> Result<(), Refused> {
        self.close();
        let mut locks = Locks::new(&self.keyspace, Patience::Wait);
        locks.acquire(Footprint::ALL_WRITE);
        let result = self.save_as(Kind::Last, &mut locks, now, changes);
        match result {
            Ok(()) => std::mem::forget(locks),
            Err(_) => self.reopen(),
        }
        result
    }

    /// Saves if something asks for it: a schedule, or a point of `save`. Called now and
    /// then by a thread that does not wait.
    pub fn cron(self: &Arc<Self>, now: Millis, changes: i64) {
        if self.is_loading() || !self.is_due(now, changes) {
            return;
        }
        let mut locks = Locks::new(&self.keyspace, Patience::Try);
        if locks.acquire(Footprint::ALL_WRITE) == 0 && self.begin(&mut locks, now, changes).is_ok()
        {
            self.state.lock().scheduled = false;
        }
    }

    fn is_due(&self, now: Millis, changes: i64) -> bool {
        let state = self.state.lock();
        if state.running.is_some() || state.closed {
            return false;
        }
        if state.scheduled {
            return true;
        }
        let unsaved = self.unsaved(changes);
        let passed = (now / 1000 - state.last_save_secs).max(0) as u64;
        let rested = (state.last_try).is_none_or(|at| at.elapsed() > RETRY_DELAY);
        if unsaved <= 0 || self.has_failed() && !rested {
            return false;
        }
        let points = self.config.save_points();
        let due =
            (points.iter()).find(|point| unsaved as u64 >= point.changes && passed > point.seconds);
        if let Some(point) = due {
            log::info!(
                "{} changes in {} seconds. Saving...",
                point.changes,
                point.seconds
            );
        }
        due.is_some()
    }

    fn cut(
        &self,
        locks: &mut Locks<'_>,
        now: Millis,
        changes: i64,
        kind: Kind,
    ) -> Result<Job, Refused> {
        let background = kind == Kind::Background;
        let done = Arc::new(AtomicU64::new(0));
        let started = Instant::now();
        {
            let mut state = self.state.lock();
            if state.running.is_some() {
                return Err(Refused::Running);
            }
            if state.closed && kind != Kind::Last {
                return Err(Refused::Failed);
            }
            state.running = Some(Running {
                started,
                handle: None,
                background,
                total: 0,
                done: Arc::clone(&done),
            });
        }
        let budget = self.config.size(Id::SNAPSHOT_MEMORY_BUDGET);
        let Some((snapshot, ())) = Snapshot::start(&self.keyspace, locks, budget, || ()) else {
            self.state.lock().running = None;
            return Err(Refused::Busy);
        };
        let mut state = self.state.lock();
        state.saves += 1;
        state.last_try = Some(started);
        if let Some(running) = &mut state.running {
            running.handle = Some(snapshot.handle());
            running.total = snapshot.sizes().iter().map(|sizes| sizes.keys as u64).sum();
        }
        drop(state);
        let functions = self.functions.lock().clone();
        Ok(Job {
            snapshot,
            path: self.path(),
            rules: Rules {
                used_memory: (self.used_memory)(),
                functions,
                slow: self.slow_down(),
                ..Rules::from_config(&self.config)
            },
            now,
            changes,
            done,
            started,
            background,
        })
    }

    fn run(&self, job: Job, locks: &mut Locks<'_>) -> Result<(), SaveError> {
        let Job {
            snapshot,
            path,
            rules,
            now,
            changes,
            done,
            started,
            background,
        } = job;
        let temp = path.with_file_name(format!("temp-{}.rdb", std::process::id()));
        let saved = save::replace(&*self.disk, &path, &temp, |file| {
            save::write(snapshot, locks, file, &rules, now, &done)
        });
        match &saved {
            Ok(bytes) => {
                log::info!(
                    "DB saved on disk: {bytes} bytes in {:.3} s",
                    started.elapsed().as_secs_f64()
                );
                self.saved_changes.store(changes, Relaxed);
                self.state.lock().last_save_secs = clock::now() / 1000;
            }
            Err(SaveError::Cancelled) => log::warn!("The save was cancelled"),
            Err(SaveError::Disk(error)) => {
                log::warn!("Error saving the DB to {}: {error}", path.display());
                Snapshot::take_off(locks);
            }
        }
        let outcome = match &saved {
            Ok(_) => Ok(true),
            Err(SaveError::Cancelled) => Ok(false),
            Err(SaveError::Disk(_)) => Err(()),
        };
        self.end(started, background, outcome);
        saved.map(drop)
    }

    /// Notes how a save has ended: with a file, cancelled, or failed.
    fn end(&self, started: Instant, background: bool, outcome: Result<bool, ()>) {
        match outcome {
            Ok(true) => self.failed.store(false, Relaxed),
            Err(()) if background => self.failed.store(true, Relaxed),
            _ => {}
        }
        let mut state = self.state.lock();
        if background {
            state.last_took = Some(started.elapsed());
        }
        state.running = None;
        self.ended.notify_all();
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(self.config.string(Id::DBFILENAME))
    }

    // What others ask.

    /// When the data was last saved, in seconds since the Unix epoch; the start of the
    /// server before.
    pub fn last_save_secs(&self) -> i64 {
        self.state.lock().last_save_secs
    }

    /// Whether the last save in the background has failed.
    #[inline]
    pub fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// Whether writes are refused because the last save has failed.
    pub fn stops_writes(&self) -> bool {
        self.has_failed()
            && self.config.flag(Id::STOP_WRITES_ON_BGSAVE_ERROR)
            && !self.config.save_points().is_empty()
    }

    /// Whether some commands may have to be refused: a quick look, before a closer one.
    #[inline]
    pub fn closes_gates(&self) -> bool {
        self.is_loading() || self.has_failed()
    }

    /// Whether any save is under way.
    pub fn is_saving(&self) -> bool {
        self.state.lock().running.is_some()
    }

    /// Changes that the last save does not have, of `changes` in all.
    pub fn unsaved(&self, changes: i64) -> i64 {
        (changes - self.saved_changes.load(Relaxed)).max(0)
    }

    /// Nothing of `changes` has to be saved: the data is what a file has.
    pub fn changes_are_saved(&self, changes: i64) {
        self.saved_changes.store(changes, Relaxed);
    }

    /// The counter of changes starts again at 0, having been at `changes`.
    pub fn changes_were_reset(&self, changes: i64) {
        self.saved_changes.fetch_sub(changes, Relaxed);
    }

    /// How saving is.
    pub fn save_status(&self) -> SaveStatus {
        let state = self.state.lock();
        let running = state.running.as_ref();
        SaveStatus {
            background: running.is_some_and(|running| running.background),
            keys_done: running.map_or(0, |running| running.done.load(Relaxed)),
            keys_total: running.map_or(0, |running| running.total),
            waiting_bytes: running
                .and_then(|running| running.handle.as_ref())
                .map_or(0, Handle::waiting_bytes),
            current_secs: running.map(|running| running.started.elapsed().as_secs()),
            last_secs: state.last_took.map(|took| took.as_secs()),
            last_save_secs: state.last_save_secs,
            last_ok: !self.has_failed(),
            saves: state.saves,
        }
    }

    // Loading.

    /// Whether the data is being loaded: nearly nothing is answered meanwhile.
    #[inline]
    pub fn is_loading(&self) -> bool {
        self.loading.load(Relaxed)
    }

    /// Says that loading begins or has ended.
    pub fn set_loading(&self, loading: bool) {
        self.loading_since.store(clock::now() / 1000, Relaxed);
        self.loading.store(loading, Relaxed);
    }

    /// When the load began, in seconds since the Unix epoch.
    pub fn loading_since_secs(&self) -> i64 {
        self.loading_since.load(Relaxed)
    }

    /// How far loading is, or how the last one went.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The size of the file that a start would load; `None` without one.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn file_size(&self) -> io::Result<Option<u64>> {
        match self.disk.size(&self.path()) {
            Ok(size) => Ok(Some(size)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Loads the file into the keyspace. `locks` hold all shards for writing, or none.
    ///
    /// # Errors
    /// A text that says where and why the file cannot be loaded.
    pub fn load(&self, locks: &mut Locks<'_>, replace: bool, now: Millis) -> Result<(), String> {
        let path = self.path();
        let told = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let size = self.disk.size(&path).map_err(|error| told(&error))?;
        let input = self.disk.read(&path).map_err(|error| told(&error))?;
        let started = Instant::now();
        for counter in [
            &self.progress.loaded_bytes,
            &self.progress.loaded_keys,
            &self.progress.expired_keys,
        ] {
            counter.store(0, Relaxed);
        }
        self.progress.total_bytes.store(size, Relaxed);
        let task = self.load_task(false, replace, now);
        let mut source = FileSource::new(input, size, task.rules.checksum);
        let functions = load::load(&mut source, locks, &task).map_err(|error| told(&error))?;
        *self.functions.lock() = functions;
        self.progress.loaded_bytes.store(size, Relaxed);
        log::info!(
            "Done loading RDB, keys loaded: {}, keys expired: {}.",
            self.progress.loaded_keys.load(Relaxed),
            self.progress.expired_keys.load(Relaxed)
        );
        log::info!(
            "DB loaded from disk: {:.3} seconds",
            started.elapsed().as_secs_f64()
        );
        Ok(())
    }

    /// Loads the snapshot that `input`, of `size` bytes, begins with, as the base of an
    /// append-only file: what has expired stays, because the commands that follow count on
    /// it. How many bytes it took.
    ///
    /// # Errors
    /// A text that says where and why it cannot be loaded.
    pub fn load_base(&self, input: Box<dyn io::Read + Send>, size: u64) -> Result<u64, String> {
        let task = self.load_task(true, false, clock::now());
        let mut source = FileSource::new(input, size, task.rules.checksum);
        let mut locks = Locks::new(&self.keyspace, Patience::Wait);
        let functions = load::load(&mut source, &mut locks, &task);
        *self.functions.lock() = functions.map_err(|error| error.to_string())?;
        Ok(source.offset())
    }

    fn load_task(&self, keep_expired: bool, replace: bool, now: Millis) -> Task<'_> {
        Task {
            rules: ReadRules {
                layout: load::layout(&self.config, &self.keyspace),
                databases: self.config.size(Id::DATABASES),
                checksum: self.config.flag(Id::RDBCHECKSUM),
            },
            manner: Manner {
                keep_expired,
                replace,
                is_lfu: self.config.choice(Id::MAXMEMORY_POLICY).ends_with("-lfu"),
                key_delay: Duration::from_micros(self.config.int(Id::KEY_LOAD_DELAY).max(0) as u64),
            },
            now,
            progress: &self.progress,
        }
    }

    /// Libraries of functions that the data came with, which are only kept.
    pub fn functions(&self) -> Vec<Bytes> {
        self.functions.lock().clone()
    }

    /// Loads the file at the start of the server.
    ///
    /// # Errors
    /// As [`Persistence::load`].
    pub fn load_at_start(&self) -> Result<(), String> {
        let mut locks = Locks::new(&self.keyspace, Patience::Wait);
        self.load(&mut locks, false, clock::now())
    }
}

#[cfg(test)]
mod tests;
