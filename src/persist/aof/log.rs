//! The log as everybody but its writer sees it: a buffer that records go to, positions
//! that say how far they have got, and the state of the whole.
//!
//! # Positions
//!
//! Every byte that was ever recorded has a position, counted from the start of the
//! process across all files.
//!
//! ```text
//! durable <= written <= recorded
//!    |          |          +--- in memory, under the locks of the shards that changed
//!    |          +--- in the hands of the system: survives the end of the process
//!    +--- on the disk: survives the loss of power
//! ```
//!
//! # A cut
//!
//! A rewrite takes an image of all data at one moment, and what follows belongs to
//! another file than what came before. [`Log::cut`] is called at that moment, with all
//! shards locked: from then on records gather in `next`. The writer, once it has written
//! and synced everything before, opens the new file and goes on with it.
//!
//! Must stay true: nothing is done under this lock but copying bytes; a position never
//! goes back; what was recorded before a failure that lost it is never called durable.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::buffer::{Buffer, Recorder};
use super::manifest::FileInfo;
use super::record::Encoder;

/// Bytes that may wait for the writer before who changes data has to wait too: a second
/// of the most a disk takes.
pub const WAITING_MAX: u64 = 256 << 20;

/// When what was recorded is made durable: `appendfsync`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// Before anybody is told of it.
    Always,
    EverySecond,
    /// When the system likes to.
    Never,
}

impl Fsync {
    /// The policy with this name in the configuration.
    pub fn from_name(name: &str) -> Fsync {
        match name {
            "always" => Fsync::Always,
            "no" => Fsync::Never,
            _ => Fsync::EverySecond,
        }
    }
}

/// What becomes of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// They are dropped: `appendonly no`.
    #[default]
    Off,
    /// They are dropped until the next cut, and gather in a file apart from then on; with
    /// the base that belongs to it, it becomes the log.
    Starting,
    /// They go to the log.
    On,
    /// The log's file can't be trusted any more. As `Starting`, and writes are refused.
    Broken,
}

/// What the configuration says about recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Whether chunks have checksums.
    pub sums: bool,
    /// Whether the time is noted.
    pub times: bool,
}

/// What one turn of the writer finds to do.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub bytes: Buffer,
    /// The position at their end.
    pub end: u64,
    /// What follows goes to a new file.
    pub cut: bool,
    pub phase: Phase,
    pub stop: bool,
}

#[derive(Default)]
struct State {
    phase: Phase,
    buffer: Buffer,
    /// What was recorded since a cut that the writer has not reached.
    next: Option<Buffer>,
    encoder: Encoder,
    /// How the last cut has ended: the file that follows it, if that has a name yet.
    switched: Option<Result<Option<FileInfo>, String>>,
    /// The writer sleeps and has to be woken.
    asleep: bool,
    stop: bool,
    /// Why it is broken.
    failure: Option<String>,
}

/// See the head of this file.
#[derive(Default)]
pub struct Log {
    state: Mutex<State>,
    work: Condvar,
    progress: Condvar,
    recorded: AtomicU64,
    /// Up to where the writer has been asked to go at once. Changed under the state's lock.
    released: AtomicU64,
    written: AtomicU64,
    durable: AtomicU64,
    /// Whether replies wait until what they depend on is durable.
    holds: AtomicBool,
    /// Whether writes are refused.
    broken: AtomicBool,
    /// Whether records are kept: in `On`, and behind the cut of a phase that begins.
    /// Changed under the state's lock.
    keeps: AtomicBool,
    /// Bytes of the writer's buffer, for INFO.
    room: AtomicU64,
    /// Microseconds to sleep before each write.
    sleep_us: AtomicU64,
    listener: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Log {
    /// A log that drops what it is given until it is started.
    pub fn new() -> Log {
        Log::default()
    }

    /// Has `listener` called whenever more has become durable that somebody may wait for.
    pub fn listen(&self, listener: Box<dyn Fn() + Send + Sync>) {
        // The second one would never hear of anything; there is one.
        let _ = self.listener.set(listener);
    }

    /// Whether records are kept at all. Who holds a shard's lock sees no cut that comes
    /// later and every one that came before.
    #[inline]
    pub fn keeps_records(&self) -> bool {
        self.keeps.load(Acquire)
    }

    /// What becomes of records now.
    pub fn phase(&self) -> Phase {
        self.state.lock().phase
    }

    /// Takes what `put` records as one piece, `second` being the time. Called under the
    /// locks of the shards that have changed. The position at its end.
    pub fn record(&self, format: Format, second: i64, put: impl FnOnce(&mut Recorder<'_>)) -> u64 {
        let mut state = self.state.lock();
        if !self.keeps.load(Relaxed) {
            return self.recorded.load(Relaxed);
        }
        let State {
            buffer,
            next,
            encoder,
            ..
        } = &mut *state;
        let buffer = next.as_mut().unwrap_or(buffer);
        let before = buffer.len();
        let mut recorder = buffer.record(encoder, format.sums);
        if format.times {
            recorder.time(second);
        }
        put(&mut recorder);
        drop(recorder);
        let more = (buffer.len() - before) as u64;
        self.recorded.fetch_add(more, Release) + more
    }

    /// What has been recorded is all that comes for now: who has recorded it has come to the
    /// end of a turn, and somebody may wait for it. So what a turn records is synced at once.
    #[inline]
    pub fn release(&self) {
        let recorded = self.recorded.load(Relaxed);
        if self.released.load(Relaxed) < recorded {
            self.release_up_to(recorded);
        }
    }

    fn release_up_to(&self, position: u64) {
        let mut state = self.state.lock();
        self.released.fetch_max(position, Relaxed);
        if std::mem::take(&mut state.asleep) {
            self.work.notify_one();
        }
    }

    /// What follows from now on belongs to another file; see the head of this file. Whether
    /// there is a log at all.
    pub fn cut(&self) -> bool {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Off => return false,
            Phase::On => {}
            Phase::Starting | Phase::Broken => {
                self.forget(&mut state);
                self.keeps.store(true, Release);
            }
        }
        state.switched = None;
        state.next.get_or_insert_default();
        state.encoder.restart();
        self.wake(&mut state);
        true
    }

    /// Changes what becomes of records, where the present phase is one of `from`; whether
    /// it was.
    pub(super) fn change(&self, from: &[Phase], to: Phase) -> bool {
        let mut state = self.state.lock();
        if !from.contains(&state.phase) {
            return false;
        }
        let keeps = match to {
            Phase::On => true,
            Phase::Off => {
                // What was recorded before is still written.
                give_up_cut(&mut state, "the log was switched off");
                false
            }
            Phase::Starting | Phase::Broken => {
                self.forget(&mut state);
                false
            }
        };
        self.keeps.store(keeps, Release);
        if to != Phase::Broken {
            state.failure = None;
            self.broken.store(false, Release);
        }
        state.phase = to;
        self.wake(&mut state);
        true
    }

    /// Notes that what was recorded can't be kept: refuses writes from now on.
    pub(super) fn fail(&self, reason: String) {
        let mut state = self.state.lock();
        state.switched = Some(Err(reason.clone()));
        state.failure = Some(reason);
        state.phase = Phase::Broken;
        self.keeps.store(false, Release);
        self.forget(&mut state);
        self.broken.store(true, Release);
        self.progress.notify_all();
    }

    /// Drops what waits: a rewrite from memory takes its place.
    fn forget(&self, state: &mut State) {
        state.buffer.clear();
        state.next = None;
        state.encoder.restart();
        // Nobody shall wait for it; `broken` says what has become of it.
        self.written.store(self.recorded.load(Relaxed), Release);
    }

    /// Whether the log is broken, so that writes have to be refused.
    #[inline]
    pub fn is_broken(&self) -> bool {
        self.broken.load(Relaxed)
    }

    /// Why it is broken.
    pub fn failure(&self) -> Option<String> {
        self.state.lock().failure.clone()
    }

    /// The position of the last record.
    #[inline]
    pub fn recorded(&self) -> u64 {
        self.recorded.load(Acquire)
    }

    /// Up to where the system has it.
    pub fn written(&self) -> u64 {
        self.written.load(Acquire)
    }

    /// Up to where the disk has it.
    #[inline]
    pub fn durable(&self) -> u64 {
        self.durable.load(Acquire)
    }

    /// Whether something was recorded that the system does not have yet.
    #[inline]
    pub fn has_unwritten(&self) -> bool {
        self.recorded.load(Relaxed) > self.written.load(Relaxed)
    }

    /// Whether replies have to wait until what they depend on is durable.
    #[inline]
    pub fn holds_replies(&self) -> bool {
        self.holds.load(Relaxed)
    }

    /// Whether so much waits to be written that who changes data has to wait.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.recorded
            .load(Relaxed)
            .saturating_sub(self.written.load(Relaxed))
            > WAITING_MAX
    }

    /// Waits until the writer has caught up, at most `limit`; whether it has.
    pub fn wait_for_room(&self, limit: Duration) -> bool {
        self.wait_until(limit, |log| !log.is_full() || log.is_broken())
    }

    /// Waits until `position` is durable, at most `limit`; whether it is.
    pub fn wait_for_durable(&self, position: u64, limit: Duration) -> bool {
        self.wait_until(limit, |log| log.durable() >= position)
    }

    /// Waits until `position` is with the system, at most `limit`; whether it is.
    pub(super) fn wait_for_written(&self, position: u64, limit: Duration) -> bool {
        self.wait_until(limit, |log| log.written() >= position)
    }

    /// Has records dropped for a while: what they would repeat comes from the log itself.
    pub(super) fn pause(&self, pauses: bool) {
        let state = self.state.lock();
        if state.phase == Phase::On {
            self.keeps.store(!pauses, Release);
        }
    }

    /// Waits until the writer has gone over to the file behind the last cut. That file,
    /// if it has a name already.
    pub(super) fn wait_for_switch(&self, limit: Duration) -> Result<Option<FileInfo>, String> {
        let deadline = Instant::now() + limit;
        let mut state = self.state.lock();
        loop {
            if let Some(result) = state.switched.take() {
                return result;
            }
            if self.progress.wait_until(&mut state, deadline).timed_out() {
                return Err("the log's writer does not get there".to_owned());
            }
        }
    }

    fn wait_until(&self, limit: Duration, reached: impl Fn(&Log) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        let mut state = self.state.lock();
        while !reached(self) {
            if self.progress.wait_until(&mut state, deadline).timed_out() {
                return reached(self);
            }
        }
        true
    }

    /// Bytes that wait to be written, and the room of the buffers.
    pub fn waiting(&self) -> (u64, u64) {
        let state = self.state.lock();
        let next = state.next.as_ref();
        let waiting = state.buffer.len() + next.map_or(0, Buffer::len);
        let room = state.buffer.room() + next.map_or(0, Buffer::room);
        (waiting as u64, room as u64 + self.room.load(Relaxed))
    }

    /// Ends the log: the writer writes and syncs what there is, and stops.
    pub fn stop(&self) {
        let mut state = self.state.lock();
        state.stop = true;
        give_up_cut(&mut state, "the server ends");
        self.keeps.store(false, Release);
        self.wake(&mut state);
    }

    /// Has the writer look how things are.
    pub(super) fn wake_writer(&self) {
        self.wake(&mut self.state.lock());
    }

    fn wake(&self, state: &mut State) {
        state.asleep = false;
        self.work.notify_one();
    }

    /// Has whoever writes to the file sleep before: DEBUG AOF-FLUSH-SLEEP.
    pub fn sleep_before_writes(&self, time: Duration) {
        self.sleep_us.store(time.as_micros() as u64, Relaxed);
    }

    // The writer's side.

    /// Sleeps as long as it was asked to before a write.
    pub(super) fn sleep_before_write(&self) {
        let micros = self.sleep_us.load(Relaxed);
        if micros > 0 {
            std::thread::sleep(Duration::from_micros(micros));
        }
    }

    /// Sets whether replies wait.
    pub(super) fn hold_replies(&self, holds: bool) {
        if self.holds.swap(holds, Relaxed) && !holds {
            self.tell_listener();
        }
    }

    /// Sleeps until there is something to do at once, or `limit` has passed.
    pub(super) fn sleep(&self, limit: Duration) {
        let mut state = self.state.lock();
        let released = self.released.load(Relaxed) > self.written.load(Relaxed);
        if released || state.next.is_some() || state.stop {
            return;
        }
        state.asleep = true;
        self.work.wait_for(&mut state, limit);
        state.asleep = false;
    }

    /// Exchanges `spare`, which is empty, for what has been recorded.
    pub(super) fn take(&self, spare: Buffer) -> Taken {
        self.room.store(spare.room() as u64, Relaxed);
        let mut state = self.state.lock();
        let behind = state.next.as_ref().map_or(0, Buffer::len) as u64;
        Taken {
            bytes: std::mem::replace(&mut state.buffer, spare),
            end: self.recorded.load(Relaxed) - behind,
            cut: state.next.is_some(),
            phase: state.phase,
            stop: state.stop,
        }
    }

    /// As [`Log::take`], where there is nothing to do but to write; `None` where the writer
    /// itself has to see to it.
    pub(super) fn take_plain(&self, spare: &mut Buffer) -> Option<u64> {
        let mut state = self.state.lock();
        if state.phase != Phase::On || state.next.is_some() || state.stop {
            return None;
        }
        std::mem::swap(&mut state.buffer, spare);
        Some(self.recorded.load(Relaxed))
    }

    /// The writer has reached the cut: what gathers behind it comes next, in the file that
    /// was begun for it, or in the old one if that is the log.
    pub(super) fn switched(&self, file: Result<Option<FileInfo>, String>) {
        let mut state = self.state.lock();
        if let Some(mut next) = state.next.take() {
            if file.is_err() && state.phase != Phase::On {
                // The old file lacks what was dropped before the cut.
                self.keeps.store(false, Release);
                self.forget(&mut state);
            } else {
                state.buffer.append(&mut next);
            }
            state.switched = Some(file);
        }
        self.progress.notify_all();
    }

    /// Everything up to `position` is with the system.
    pub(super) fn set_written(&self, position: u64) {
        if self.written.fetch_max(position, Release) < position {
            self.tell_progress();
        }
    }

    /// Everything up to `position` is on the disk.
    pub(super) fn set_durable(&self, position: u64) {
        if self.durable.fetch_max(position, Release) < position {
            self.tell_progress();
            self.tell_listener();
        }
    }

    fn tell_progress(&self) {
        // Under the lock, so that who has looked and not yet slept does not miss it.
        drop(self.state.lock());
        self.progress.notify_all();
    }

    fn tell_listener(&self) {
        if let Some(listener) = self.listener.get() {
            listener();
        }
    }
}

/// Lets what follows a cut that the writer has not reached go on in the old file.
fn give_up_cut(state: &mut State, why: &str) {
    if let Some(mut next) = state.next.take() {
        state.buffer.append(&mut next);
        state.switched = Some(Err(why.to_owned()));
    }
}
