//! The log as the server runs it: started and switched off, rewritten when it has grown or
//! has to be repaired.
//!
//! # A rewrite
//!
//! ```text
//! rewriter   cut (all shards, a moment)   base: temp file, synced   rename   manifest
//! writer        old file: last bytes, sync | next file ------------------------>
//! ```
//!
//! Until the manifest is in its place, the old files are the log, the new one of commands
//! among them; then they are history and removed. Where there is no log to go on with, at a
//! start or after a failure, commands gather in a file that no manifest names until their
//! base is there too.
//!
//! Must stay true: at most one rewrite at a time; the locks of this file are taken after
//! shards and never while waiting for the writer.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::files::{Files, Open, shown};
use super::load::{self, Loaded, Rules, Target};
use super::log::{Format, Fsync, Log, Phase};
use super::manifest::FileInfo;
use super::pace::Pace;
use super::status::Status;
use super::writer::{Surroundings, Writer};
use crate::base::clock;
use crate::base::sys::error_text;
use crate::config::{Config, Id};
use crate::persist::disk::{Disk, File};
use crate::store::journal::{Effect, Interest, Journal, Notes};

/// How long the writer may take to get to a cut: it has at most a full buffer to write.
const SWITCH_MAX: Duration = Duration::from_secs(600);
/// How long a reload waits for the writer.
const RELOAD_WAIT_MAX: Duration = Duration::from_secs(60);

/// Why there is no base.
#[derive(Debug)]
pub enum BaseError {
    /// Something else takes an image of the data.
    Busy,
    /// The log was switched off, or the server ends.
    Cancelled,
    Failed(String),
}

/// Writes all data as it is at one moment.
pub trait BaseWriter: Send + Sync {
    /// Writes the data to `file`, durably, in the form of a snapshot or as commands. Calls
    /// `cut` at the moment that the data is taken of, with all shards locked. Its length.
    ///
    /// # Errors
    /// When there is no file; `cut` may have been called.
    fn write(
        &self,
        file: Arc<dyn File>,
        as_snapshot: bool,
        cut: &mut dyn FnMut(),
    ) -> Result<u64, BaseError>;

    /// Ends a [`BaseWriter::write`] that is under way.
    fn cancel(&self);

    /// Whether something else takes an image of the data.
    fn is_busy(&self) -> bool;

    /// Whether data is being written out, by this or something else.
    fn is_working(&self) -> bool;

    /// Ends the process; see [`Surroundings::give_up`].
    fn give_up(&self, reason: &str);
}

/// What a request for a rewrite has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Started,
    /// It begins when that is possible.
    Scheduled,
    /// One is under way.
    Running,
    Failed,
}

/// See the head of this file.
pub struct Aof {
    config: Arc<Config>,
    log: Arc<Log>,
    files: Arc<Mutex<Files>>,
    status: Arc<Status>,
    base: Arc<dyn BaseWriter>,
    pace: Mutex<Pace>,
    /// Told when a rewrite has ended.
    ended: Condvar,
    writer: OnceLock<Arc<Mutex<Writer>>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
    reloader: OnceLock<Reloader>,
}

/// Loads the log into the empty data.
pub type Reloader = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

impl Aof {
    /// The log in the configured directory of `disk`, which is off.
    ///
    /// # Errors
    /// A text that says what is wrong with the manifest.
    pub fn new(
        config: Arc<Config>,
        disk: Arc<dyn Disk>,
        base: Arc<dyn BaseWriter>,
    ) -> Result<Aof, String> {
        let dir = PathBuf::from(config.string(Id::APPENDDIRNAME));
        let files = Files::open(disk, &dir, &config.text(Id::APPENDFILENAME))?;
        Ok(Aof {
            config,
            log: Arc::new(Log::new()),
            files: Arc::new(Mutex::new(files)),
            status: Arc::default(),
            base,
            pace: Mutex::default(),
            ended: Condvar::new(),
            writer: OnceLock::new(),
            thread: Mutex::default(),
            reloader: OnceLock::new(),
        })
    }

    /// Where effects go.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// What INFO tells.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// How records are to be written.
    pub fn format(&self) -> Format {
        Format {
            sums: self.config.flag(Id::AOF_CHECKSUM),
            times: self.config.flag(Id::AOF_TIMESTAMP_ENABLED),
        }
    }

    /// Bytes of all files that there are to load; 0 where they can't be looked at.
    pub fn files_size(&self) -> u64 {
        self.files.lock().size().unwrap_or(0)
    }

    /// Whether there is a log, or the single file of an older Redis.
    pub fn has_files(&self) -> bool {
        let files = self.files.lock();
        !files.manifest().is_empty() || files.has_old()
    }

    // Start and end.

    /// Loads what there is into `target`, all or up to the second `until`.
    ///
    /// # Errors
    /// A text that says why the log can't be loaded.
    pub fn load(&self, until: Option<i64>, target: &mut dyn Target) -> Result<Loaded, String> {
        let mut files = self.files.lock();
        files.reread()?;
        files.adopt_old()?;
        let rules = Rules {
            truncated: self.config.flag(Id::AOF_LOAD_TRUNCATED),
            corrupt_tail_max: self.config.size(Id::AOF_LOAD_CORRUPT_TAIL_MAX_SIZE) as u64,
            until,
        };
        let loaded = load::load(&files, rules, target)?;
        self.status.base_size.store(loaded.base_bytes, Relaxed);
        Ok(loaded)
    }

    /// Opens the log for writing, after it has been loaded: the last file, or new ones
    /// where there are none. With `anew` the data becomes the base of a log of its own, and
    /// what was there is kept on the disk.
    ///
    /// # Errors
    /// A text that says what failed.
    pub fn open(&self, anew: bool) -> Result<(), String> {
        let opened = self
            .open_files(anew)
            .map_err(|error| format!("Can't open the append-only file: {}", error_text(&error)))?;
        self.log.change(&[Phase::Off], Phase::On);
        self.start_writer(Some(opened))?;
        self.apply_fsync();
        Ok(())
    }

    /// Sees to it that what was recorded is with the system before replies go out, and with
    /// `always` on the disk, unless that might take long: then the writer's thread is asked.
    /// Called by whoever has run commands, without locks.
    #[inline]
    pub fn write_now(&self) {
        if self.log.has_unwritten() {
            self.write_or_ask();
        }
    }

    fn write_or_ask(&self) {
        let holds = self.log.holds_replies();
        if !holds && self.base.is_working() {
            return;
        }
        let writer = self.writer.get().and_then(|writer| writer.try_lock());
        let done = writer.is_some_and(|mut writer| writer.write_now(Instant::now()));
        if !done && holds {
            self.log.release();
        }
    }

    /// Lets `appendfsync` be felt at once.
    pub fn apply_fsync(&self) {
        let always = Fsync::from_name(self.config.choice(Id::APPENDFSYNC)) == Fsync::Always;
        self.log
            .hold_replies(always && self.log.phase() == Phase::On);
        self.log.wake_writer();
    }

    fn open_files(&self, anew: bool) -> io::Result<Open> {
        let mut files = self.files.lock();
        files.make_dir()?;
        files.remove_temporary();
        if files.manifest().is_empty() || anew {
            self.begin_base(&mut files, anew)?;
        }
        let (open, info, is_new) = files.open_last(self.config.flag(Id::AOF_CHECKSUM))?;
        let doing = if is_new { "Creating" } else { "Opening" };
        log::info!(
            "{doing} AOF incr file {} on server start",
            shown(&info.name)
        );
        self.collect_in(&mut files);
        let total = files.size().map_err(|(_, error)| error)?;
        self.status.size.store(total, Relaxed);
        if self.status.base_size.load(Relaxed) == 0 {
            let base_size = total.saturating_sub(open.len);
            self.status.base_size.store(base_size, Relaxed);
        }
        Ok(open)
    }

    fn begin_base(&self, files: &mut Files, anew: bool) -> io::Result<()> {
        let temp = files.temp_base();
        let as_snapshot = self.config.flag(Id::AOF_USE_RDB_PREAMBLE);
        let file = files.disk().create(&temp)?;
        let written = self.base.write(file, as_snapshot, &mut || {});
        written.map_err(|error| io::Error::other(describe(&error)))?;
        let base = files.place_base(&temp, as_snapshot)?;
        log::info!(
            "Creating AOF base file {} on server start",
            shown(&base.name)
        );
        if anew {
            for info in files.restart_with(base)? {
                log::warn!(
                    "The file {} is no longer part of the log",
                    shown(&info.name)
                );
            }
            return Ok(());
        }
        files.change(|manifest| manifest.rewritten(base, Vec::new()))
    }

    fn start_writer(&self, open: Option<Open>) -> Result<(), String> {
        let mut thread = self.thread.lock();
        if thread.is_some() {
            return Ok(());
        }
        let around = Arc::new(Around {
            config: Arc::clone(&self.config),
            base: Arc::clone(&self.base),
        });
        let work = Writer::new(
            Arc::clone(&self.log),
            Arc::clone(&self.files),
            Arc::clone(&self.status),
            around,
            open,
        );
        let work = Arc::clone(self.writer.get_or_init(|| Arc::new(Mutex::new(work))));
        let builder = std::thread::Builder::new().name("log-writer".into());
        let started = builder.spawn(move || Writer::run(&work));
        *thread = Some(started.map_err(|error| format!("Can't start a thread: {error}"))?);
        Ok(())
    }

    /// Writes and syncs what there is, and ends the log. Called without locks, when
    /// nothing is recorded any more.
    pub fn close(&self) {
        self.base.cancel();
        self.log.stop();
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            log::error!("the log's writer has panicked");
        }
    }

    /// Says how [`Aof::reload`] is done.
    pub fn set_reloader(&self, reloader: Reloader) {
        // There is one.
        let _ = self.reloader.set(reloader);
    }

    /// Loads the log again, as DEBUG LOADAOF wants it: `empty` removes all data and sees
    /// to it that nobody gets at it before this returns. Called without locks.
    ///
    /// # Errors
    /// A text that says why it can't be loaded; the data is then a part of it.
    pub fn reload(&self, empty: impl FnOnce()) -> Result<(), String> {
        if !self
            .log
            .wait_for_written(self.log.recorded(), RELOAD_WAIT_MAX)
        {
            return Err("the log's writer does not get there".into());
        }
        self.log.pause(true);
        empty();
        let result = match self.reloader.get() {
            Some(reload) => reload(),
            None => Err("nobody loads it".into()),
        };
        self.log.pause(false);
        result
    }

    // At run time.

    /// Switches the log on or off, as `appendonly` says now.
    ///
    /// # Errors
    /// When it can't be switched on.
    pub fn switch(self: &Arc<Self>) -> Result<(), String> {
        if !self.config.flag(Id::APPENDONLY) {
            let phases = [Phase::On, Phase::Starting, Phase::Broken];
            if self.log.change(&phases, Phase::Off) {
                self.cancel_rewrite();
                self.pace.lock().scheduled = false;
            }
            return Ok(());
        }
        if self.log.change(&[Phase::Off], Phase::Starting) {
            self.start_writer(None)?;
            match self.rewrite() {
                Asked::Failed => {
                    self.log.change(&[Phase::Starting], Phase::Off);
                    return Err("Unable to turn on AOF. Check server logs.".into());
                }
                Asked::Running | Asked::Scheduled => {
                    // One that runs has no part in what gathers from now on.
                    self.cancel_rewrite();
                    self.pace.lock().scheduled = true;
                }
                Asked::Started => {}
            }
        }
        Ok(())
    }

    /// Begins a rewrite that somebody asks for.
    pub fn rewrite(self: &Arc<Self>) -> Asked {
        {
            let mut pace = self.pace.lock();
            if pace.running.is_some() {
                return Asked::Running;
            }
            pace.forget_failures();
            if self.base.is_busy() {
                pace.scheduled = true;
                return Asked::Scheduled;
            }
        }
        self.begin_rewrite()
    }

    /// Whether a rewrite runs that has been cancelled.
    pub fn is_ending(&self) -> bool {
        self.pace.lock().is_ending()
    }

    /// Waits until it has ended. Called without locks, while somebody calls [`Aof::cron`].
    pub fn wait_for_end(&self) {
        let mut pace = self.pace.lock();
        while pace.is_ending() {
            self.ended.wait(&mut pace);
        }
    }

    fn cancel_rewrite(&self) {
        let mut pace = self.pace.lock();
        if pace.running.is_some() {
            // Redis's words.
            log::info!("Killing running AOF rewrite child");
            pace.cancelled = true;
            self.base.cancel();
        }
    }

    /// Removes the files of the past, unless they are to be kept. Called without locks, by
    /// who may wait for the disk.
    pub fn collect(&self) {
        self.collect_in(&mut self.files.lock());
    }

    fn collect_in(&self, files: &mut Files) {
        if !self.config.flag(Id::AOF_DISABLE_AUTO_GC) {
            files.remove_history();
        }
    }

    /// Has a rewrite begin as soon as that is possible.
    pub fn schedule(&self) {
        self.pace.lock().scheduled = true;
    }

    /// Begins a rewrite if one is due. Called ten times a second.
    pub fn cron(self: &Arc<Self>) {
        if self.is_due() && !self.base.is_busy() {
            self.begin_rewrite();
        }
    }

    fn is_due(&self) -> bool {
        let phase = self.log.phase();
        let mut pace = self.pace.lock();
        if pace.running.is_some() {
            if pace.cancelled {
                // It may not have come to where it can be met.
                self.base.cancel();
            }
            return false;
        }
        if pace.scheduled {
            return true;
        }
        let growth = match phase {
            Phase::Off => return false,
            Phase::Starting | Phase::Broken => None,
            Phase::On => match self.growth() {
                None => return false,
                grown => grown,
            },
        };
        if pace.holds_back() {
            return false;
        }
        if let Some(growth) = growth {
            log::info!("Starting automatic rewriting of AOF on {growth}% growth");
        }
        true
    }

    /// By how many percent the log has grown, if it is so much that it has to be rewritten.
    fn growth(&self) -> Option<u128> {
        let percentage = self
            .config
            .int(Id::AUTO_AOF_REWRITE_PERCENTAGE)
            .unsigned_abs();
        let size = self.status.size.load(Relaxed);
        if percentage == 0 || size <= self.config.size(Id::AUTO_AOF_REWRITE_MIN_SIZE) as u64 {
            return None;
        }
        let base = self.status.base_size.load(Relaxed).max(1);
        let growth = (u128::from(size) * 100 / u128::from(base)).saturating_sub(100);
        (growth >= u128::from(percentage)).then_some(growth)
    }

    fn begin_rewrite(self: &Arc<Self>) -> Asked {
        if !self.pace.lock().begin() {
            return Asked::Running;
        }
        self.status.rewrites.fetch_add(1, Relaxed);
        let service = Arc::clone(self);
        let thread = std::thread::Builder::new().name("log-rewriter".into());
        let started = thread.spawn(move || {
            let result = service.run_rewrite();
            service.end_rewrite(&result);
        });
        match started {
            Ok(_) => {
                log::info!("Background append only file rewriting started");
                Asked::Started
            }
            Err(error) => {
                let failed = BaseError::Failed(format!("Can't start a thread: {error}"));
                self.end_rewrite(&Err(failed));
                Asked::Failed
            }
        }
    }

    fn end_rewrite(&self, result: &Result<(), BaseError>) {
        // What gathered for a base that does not come is dropped.
        self.log.change(&[Phase::Starting], Phase::Starting);
        if result.is_err() && self.log.phase() != Phase::On {
            self.files.lock().remove_temp_incr();
        }
        let mut pace = self.pace.lock();
        let started = pace.running.take().unwrap_or_else(Instant::now);
        self.ended.notify_all();
        self.status
            .last_rewrite_secs
            .store(started.elapsed().as_secs() as i64, Relaxed);
        match result {
            Ok(()) => {
                log::info!("Background AOF rewrite finished successfully");
                self.status.failures.store(0, Relaxed);
                self.status.last_rewrite_ok.store(true, Relaxed);
                pace.forget_failures();
            }
            Err(BaseError::Busy) => pace.scheduled |= !pace.cancelled,
            Err(BaseError::Cancelled) => log::warn!("Background AOF rewrite was cancelled"),
            Err(BaseError::Failed(why)) => {
                log::warn!("Background AOF rewrite terminated with error: {why}");
                self.status.last_rewrite_ok.store(false, Relaxed);
                let failures = self.status.failures.fetch_add(1, Relaxed) + 1;
                pace.note_failure(failures);
            }
        }
    }

    /// Writes the base and makes it, and what was recorded since, the log.
    pub(super) fn run_rewrite(&self) -> Result<(), BaseError> {
        let temp = {
            let files = self.files.lock();
            files.make_dir().map_err(|error| failed(&error))?;
            files.temp_base()
        };
        let result = self.write_base(&temp);
        if result.is_err() {
            let files = self.files.lock();
            files.remove(&temp);
        }
        result
    }

    fn write_base(&self, temp: &Path) -> Result<(), BaseError> {
        let as_snapshot = self.config.flag(Id::AOF_USE_RDB_PREAMBLE);
        let disk = Arc::clone(self.files.lock().disk());
        let file = disk.create(temp).map_err(|error| failed(&error))?;
        let mut has_log = false;
        let log = &self.log;
        let base_bytes = self
            .base
            .write(file, as_snapshot, &mut || has_log = log.cut())?;
        if !has_log {
            return self.finish(temp, as_snapshot, base_bytes, None);
        }
        let switched = self
            .log
            .wait_for_switch(SWITCH_MAX)
            .map_err(BaseError::Failed)?;
        self.finish(temp, as_snapshot, base_bytes, Some(switched))
    }

    /// The base is whole: changes the manifest. `incr` is what follows it: nothing without
    /// a log, a file that the manifest has already, or the one that has no name yet.
    fn finish(
        &self,
        temp: &Path,
        as_snapshot: bool,
        base_bytes: u64,
        incr: Option<Option<FileInfo>>,
    ) -> Result<(), BaseError> {
        let mut files = self.files.lock();
        let base = files
            .place_base(temp, as_snapshot)
            .map_err(|error| failed(&error))?;
        log::info!(
            "Successfully created the AOF base file {}",
            shown(&base.name)
        );
        let changed = match incr {
            None => files.change(|manifest| manifest.rewritten(base, Vec::new())),
            Some(Some(incr)) => files.rewritten(base, &incr),
            Some(None) => {
                let incr = files.place_temp_incr().map_err(|error| failed(&error))?;
                files.rewritten(base, &incr)
            }
        };
        changed.map_err(|error| failed(&error))?;
        self.log
            .change(&[Phase::Starting, Phase::Broken], Phase::On);
        self.apply_fsync();
        let total = files.size().unwrap_or((base_bytes).max(1));
        self.status.size.store(total, Relaxed);
        self.status.base_size.store(total, Relaxed);
        self.collect_in(&mut files);
        Ok(())
    }

    // What others ask.

    /// Since when a rewrite runs, and whether one is scheduled.
    pub fn rewriting(&self) -> (Option<Duration>, bool) {
        let pace = self.pace.lock();
        (pace.running.map(|since| since.elapsed()), pace.scheduled)
    }
}

fn failed(error: &io::Error) -> BaseError {
    BaseError::Failed(error_text(error))
}

fn describe(error: &BaseError) -> String {
    match error {
        BaseError::Busy => "a snapshot is being taken".into(),
        BaseError::Cancelled => "cancelled".into(),
        BaseError::Failed(why) => why.clone(),
    }
}

impl Journal for Aof {
    fn interest(&self) -> Interest {
        match self.log.keeps_records() {
            true => Interest::COMMANDS,
            false => Interest::NONE,
        }
    }

    fn record(&self, notes: &Notes) {
        let format = self.format();
        let second = if format.times { clock::now() / 1000 } else { 0 };
        self.log.record(format, second, |recorder| {
            for effect in notes.iter() {
                match effect {
                    Effect::Command { db, words } => recorder.command(db, words.iter()),
                    Effect::UnitBegin => recorder.begin(),
                    Effect::UnitEnd => recorder.end(),
                    Effect::Touched { .. }
                    | Effect::Flushed { .. }
                    | Effect::Caller { .. }
                    | Effect::Read { .. } => {}
                }
            }
        });
    }
}

/// What the writer asks for, from the configuration.
struct Around {
    config: Arc<Config>,
    base: Arc<dyn BaseWriter>,
}

impl Surroundings for Around {
    fn fsync(&self) -> Fsync {
        Fsync::from_name(self.config.choice(Id::APPENDFSYNC))
    }

    fn skips_syncs(&self) -> bool {
        self.config.flag(Id::NO_APPENDFSYNC_ON_REWRITE) && self.base.is_working()
    }

    fn sums(&self) -> bool {
        self.config.flag(Id::AOF_CHECKSUM)
    }

    fn give_up(&self, reason: &str) {
        self.base.give_up(reason);
    }
}

#[cfg(test)]
mod tests;
