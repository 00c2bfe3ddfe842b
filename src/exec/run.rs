//! Running batches: the one function that the reactor, the workers, replay and the
//! tests call. It does not know which thread it is on, only its lane.
//!
//! # Groups
//!
//! Commands are run in groups of up to [`GROUP_MAX`], gathered over all batches of
//! the turn:
//!
//! ```text
//! plan     look the command up, hash its keys, add up the footprint
//! lock     the union of all footprints, each shard once
//! prefetch the bucket lines of all keys, then the entries
//! execute  in order: gates, handler, counters, journal
//! release  then drop garbage, and remove what readers found expired
//! ```
//!
//! A look-up in a large table is two cache misses one after the other. Thirty-two
//! look-ups that are prefetched together wait for them once.
//!
//! Commands that lock by themselves, take all shards, or are large run in a group
//! of their own. On the light lane, what is slow or meets a held shard halts its
//! batch, and the pool goes on with it.
//!
//! Must stay true: the commands of one batch run in order, and once a batch is
//! halted none of its later commands runs.

mod admit;
mod logged;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::batch::{Batch, Halt};
use super::blocked::Blocked;
use super::evict::Room;
use super::gate::{self, Refusal};
use super::policy;
use super::reaper::Reaper;
use crate::base::clock::Millis;
use crate::base::rng::Rng;
use crate::clients::pause::Scope;
use crate::command::call::{Called, Stopwatch, call};
use crate::command::{Command, Ctx, Error, Flags, ReplyMode, Services, Session, Table};
use crate::config::Id;
use crate::metrics::ThreadMetrics;
use crate::persist::aof::log::Log;
use crate::resp::{Argv, Reply};
use crate::store::expire::{Expirer, StepReport};
use crate::store::journal::Journal;
use crate::store::usage::Stamping;
use crate::store::waiters::Waiter;
use crate::store::watch::Watch;
use crate::store::{Db, Footprint, Locks, Patience, shard_of};

/// Commands of one group: enough to fill a core's memory parallelism (measured: 16
/// suffice), few enough that locks are held for some microseconds only.
pub const GROUP_MAX: usize = 32;

const QUEUE_FULL: Error = Error::text("ERR the transaction is too large");

/// Who runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The reactor: never waits, leaves heavy work to others.
    Light,
    /// A worker.
    Pool,
}

/// A command that is ready to be run.
struct Planned {
    batch: u32,
    /// Its place among the batch's waiting commands.
    nth: u32,
    command: Option<&'static Command>,
    footprint: Footprint,
    /// The database that is selected now; a SELECT before it may change that, which
    /// costs no more than a vain prefetch.
    db: usize,
    /// Its keys' hashes in the executor's scratch.
    hashes: std::ops::Range<u32>,
}

/// What one thread needs to run batches.
pub struct Executor {
    pub(super) services: Arc<Services>,
    journal: Arc<dyn Journal>,
    pub(super) metrics: Arc<ThreadMetrics>,
    pub(super) reaper: Reaper,
    pub(super) rng: Rng,
    lane: Lane,
    group: Vec<Planned>,
    hashes: Vec<u64>,
    /// Whether persistence keeps some commands out in this turn.
    closed: bool,
    expirer: Expirer,
    pub(super) room: Room,
    /// Watches whose clients want them no more, and that still stand in the shards.
    parted: Vec<Watch>,
    /// Measures and observes calls; copied for a group and put back.
    pub(super) stopwatch: Stopwatch,
    /// What CLIENT PAUSE lets wait.
    pub(super) paused: Option<Scope>,
    /// Waits that are over and may still stand in the shards.
    pub(super) forgotten: Vec<Arc<Waiter>>,
    /// Keys that have changed and whose waiters could not be served at once.
    pub(super) late: Vec<(usize, Box<[u8]>)>,
    /// The append-only file, where there may be one.
    log: Option<Arc<Log>>,
    /// It is broken: commands that change data are refused.
    refuses_writes: bool,
    /// The data is being replayed: the time of use that it gets.
    replay_at: Option<Millis>,
}

impl Executor {
    /// An executor for one thread.
    pub fn new(
        services: Arc<Services>,
        journal: Arc<dyn Journal>,
        reaper: Reaper,
        rng: Rng,
        lane: Lane,
    ) -> Executor {
        let metrics = services.metrics.thread();
        reaper.count_in(&services.metrics.backlog);
        Executor {
            journal,
            metrics,
            reaper,
            rng,
            lane,
            group: Vec::with_capacity(GROUP_MAX),
            hashes: Vec::with_capacity(GROUP_MAX),
            closed: false,
            expirer: Expirer::default(),
            room: Room::new(),
            parted: Vec::new(),
            stopwatch: Stopwatch::observing(),
            paused: None,
            forgotten: Vec::new(),
            late: Vec::new(),
            log: services.aof().map(|aof| Arc::clone(aof.log())),
            refuses_writes: false,
            replay_at: None,
            services,
        }
    }

    /// Makes it run what was logged, at `now`: nothing expires meanwhile.
    pub fn replaying(mut self, now: Millis) -> Executor {
        self.replay_at = Some(now);
        self
    }

    /// What a view of the keyspace is made from.
    pub(super) fn handles(&self) -> (Arc<Services>, Arc<dyn Journal>) {
        (Arc::clone(&self.services), Arc::clone(&self.journal))
    }

    /// The counters of this thread.
    pub fn metrics(&self) -> &Arc<ThreadMetrics> {
        &self.metrics
    }

    /// Runs the waiting commands of all batches, in order within each. A batch that
    /// could not be finished here says why in `halt`.
    pub fn turn(&mut self, batches: &mut [Box<Batch>], now: Millis) {
        let services = Arc::clone(&self.services);
        let journal = Arc::clone(&self.journal);
        let patience = match self.lane {
            Lane::Light => Patience::Try,
            Lane::Pool => Patience::Wait,
        };
        let locks = Locks::new(&services.keyspace, patience);
        let mut db = Db::new(locks, &*journal, now);
        if let Some(used_at) = self.replay_at {
            // What had expired when it was logged was told apart, as a DEL.
            (db.now, db.used_at) = (0, used_at);
        }
        self.stopwatch.tracks_times = services.config.flag(Id::LATENCY_TRACKING);
        self.paused = services.clients.pause.scope(now);
        self.closed = services.persist.closes_gates() && self.replay_at.is_none();
        self.room.count_uses(&mut db, &mut self.rng);
        for index in 0..batches.len() {
            self.plan_batch(batches, index, &mut db);
        }
        self.run_group(batches, &mut db);
        self.write_log();
        for batch in batches {
            batch.settle();
        }
        self.take_leave();
    }

    /// One step of the active expiry, for at most `budget`; nothing while it is
    /// switched off.
    pub fn expire(&mut self, now: Millis, budget: Duration) -> StepReport {
        // What is paused must not change by itself either.
        let paused = self.services.clients.pause.scope(now).is_some();
        let loading = self.services.persist.is_loading();
        if paused || loading || !self.services.active_expire.load(Relaxed) {
            return StepReport::default();
        }
        let services = Arc::clone(&self.services);
        let journal = Arc::clone(&self.journal);
        let locks = Locks::new(&services.keyspace, Patience::Try);
        let mut db = Db::new(locks, &*journal, now);
        let report = self.expirer.step(&mut db, budget);
        if report.unfinished {
            self.metrics.counters.expire_cut_short.add(1);
        }
        self.after_group(&mut db);
        self.write_log();
        report
    }

    /// Takes leave of a connection that has gone: it watches no more. What is held by
    /// somebody else now is tried again by [`Executor::take_leave`].
    pub fn part(&mut self, session: Session) {
        if session.watch.is_empty() {
            return;
        }
        self.parted.push(session.watch);
        self.take_leave();
    }

    /// Ends the watches of connections that have gone, where their shards are free.
    pub fn take_leave(&mut self) {
        if self.parted.is_empty() && self.forgotten.is_empty() {
            return;
        }
        let services = Arc::clone(&self.services);
        let journal = Arc::clone(&self.journal);
        let locks = Locks::new(&services.keyspace, Patience::Try);
        let mut db = Db::new(locks, &*journal, 0);
        self.parted.retain_mut(|watch| {
            let busy = db.acquire(watch.footprint());
            if busy == 0 {
                db.unwatch(watch);
            }
            db.release();
            busy != 0
        });
        self.forgotten.retain(|waiter| {
            let busy = db.acquire(waiter.needs());
            if busy == 0 {
                db.unpark(waiter);
            }
            db.release();
            busy != 0
        });
    }

    fn plan_batch(&mut self, batches: &mut [Box<Batch>], index: usize, db: &mut Db<'_>) {
        let waiting = batches[index].waiting();
        for nth in 0..waiting {
            if batches[index].halt.is_some() {
                return;
            }
            let Some(argv) = batches[index].requests.peek(nth) else {
                return;
            };
            let command = resolve(self.services.commands, argv);
            if self.must_wait(command, argv, &batches[index].session) {
                self.run_group(batches, db);
                batches[index].halt.get_or_insert(Halt::Paused);
                return;
            }
            if batches[index].session.txn.is_some() && gate::is_queued(command) {
                self.enqueue(&mut batches[index], nth, command, db);
                continue;
            }
            let args = argv.len();
            let alone = command.is_some_and(|c| policy::is_alone(c, args));
            if alone {
                self.run_group(batches, db);
                self.run_alone(batches, index, nth, command, db);
                // It may have been CLIENT PAUSE.
                self.paused = self.services.clients.pause.scope(db.now);
                continue;
            }
            let session = &batches[index].session;
            db.index = session.db;
            let planned = self.plan(argv, (index, nth), command, session, db);
            self.group.push(planned);
            if self.group.len() == GROUP_MAX {
                self.run_group(batches, db);
            }
        }
    }

    /// Queues a command of a transaction, if it passes the gates. Nothing of its batch
    /// waits in the group: MULTI ran by itself.
    fn enqueue(
        &mut self,
        batch: &mut Batch,
        nth: usize,
        command: Option<&'static Command>,
        db: &mut Db<'_>,
    ) {
        if self.look_at_room(db) {
            batch.take_mail();
        }
        let Batch {
            session,
            requests,
            reply,
            ..
        } = batch;
        let Some(argv) = requests.peek(nth) else {
            return;
        };
        let passed = self.admit(command, argv, session);
        let refused = match (passed, &mut session.txn) {
            (Ok(command), Some(txn)) => {
                let mark = reply.mark();
                let hasher = db.locks.keyspace().hasher();
                let bytes_max = self.services.config.size(Id::CLIENT_QUERY_BUFFER_LIMIT);
                if txn.queue(command, argv, hasher, bytes_max) {
                    reply.simple("QUEUED");
                    if session.reply_mode != ReplyMode::On {
                        apply_reply_mode(session, reply, mark);
                    }
                    None
                } else {
                    Some(Refusal::Error(QUEUE_FULL))
                }
            }
            (Err(refusal), ..) => Some(refusal),
            _ => None,
        };
        if let Some(refusal) = refused {
            self.refuse(batch, command, refusal);
        }
        batch.session.publish_txn();
        batch.done += 1;
    }

    #[inline]
    fn plan(
        &mut self,
        argv: Argv<'_>,
        (index, nth): (usize, usize),
        command: Option<&'static Command>,
        session: &Session,
        db: &Db<'_>,
    ) -> Planned {
        let start = self.hashes.len() as u32;
        let footprint = match command {
            Some(command) if command.spec.flags.has(Flags::SESSION_KEYS) => {
                let runs = command.spec.flags.has(Flags::RUNS_QUEUE);
                if let Some(txn) = session.txn.as_deref().filter(|_| runs) {
                    self.hashes.extend_from_slice(txn.hashes());
                }
                session.txn_footprint(runs)
            }
            Some(command) => {
                let hasher = db.locks.keyspace().hasher();
                command.footprint(argv, hasher, &mut self.hashes)
            }
            None => Footprint::NONE,
        };
        Planned {
            batch: index as u32,
            nth: nth as u32,
            command,
            footprint,
            db: db.index,
            hashes: start..self.hashes.len() as u32,
        }
    }

    /// Runs a command with nobody beside it.
    fn run_alone(
        &mut self,
        batches: &mut [Box<Batch>],
        index: usize,
        nth: usize,
        command: Option<&'static Command>,
        db: &mut Db<'_>,
    ) {
        let batch = &mut batches[index];
        let Some(argv) = batch.requests.peek(nth) else {
            return;
        };
        if batch.halt.is_some() {
            return;
        }
        let session = &batch.session;
        let slow = command.is_some_and(|c| {
            policy::is_slow(c, argv.len())
                || c.spec.flags.has(Flags::RUNS_QUEUE)
                    && (session.txn.as_ref()).is_some_and(|txn| !txn.all(Command::is_light))
        });
        // A refusal needs no worker.
        let passes = || self.pass(command, argv, session).is_ok();
        if slow && self.lane == Lane::Light && passes() {
            batch.halt = Some(Halt::Slow);
            return;
        }
        db.index = session.db;
        let planned = self.plan(argv, (index, nth), command, session, db);
        self.group.push(planned);
        self.run_group_as(batches, db, self.lane == Lane::Pool);
    }

    fn run_group(&mut self, batches: &mut [Box<Batch>], db: &mut Db<'_>) {
        self.run_group_as(batches, db, false);
    }

    /// Runs the gathered commands. With `alone` there is one, and it may take its
    /// time.
    fn run_group_as(&mut self, batches: &mut [Box<Batch>], db: &mut Db<'_>, alone: bool) {
        if self.group.is_empty() {
            return;
        }
        if self.look_at_room(db) {
            // What clients were told of it comes before the replies that it was for.
            batches.iter_mut().for_each(|batch| batch.take_mail());
        }
        let mut union = Footprint::NONE;
        for planned in &self.group {
            union.add_all(planned.footprint);
        }
        let stalled = self.look_at_log(union);
        let mut busy = db.acquire(union);
        if self.services.keyspace.is_observed() {
            busy = Executor::lock_for_waiters(db, union, busy);
        }
        busy |= stalled;
        if self.hashes.len() > 1 {
            self.prefetch(db, busy);
        }
        let group = std::mem::take(&mut self.group);
        let mut stopwatch = self.stopwatch;
        stopwatch.restart(&self.services.config, self.is_monitored());
        for planned in &group {
            let batch = &mut batches[planned.batch as usize];
            if batch.halt.is_some() {
                continue;
            }
            if planned.footprint.shards() & busy != 0 {
                batch.halt = Some(Halt::Busy);
                continue;
            }
            self.run_one(batch, planned, db, alone, &mut stopwatch);
        }
        db.release();
        self.note_dependence(batches, &group);
        self.stopwatch = stopwatch;
        self.hashes.clear();
        self.after_group(db);
        if self.room.is_limited() {
            self.note_buffers(batches, group.iter().map(|planned| planned.batch as usize));
        }
        self.rerun_deferred(batches, &group, db);
        self.group = group;
        self.group.clear();
    }

    /// In the pool, a command that was too much beside others is run again, alone;
    /// then the rest of its batch.
    fn rerun_deferred(&mut self, batches: &mut [Box<Batch>], group: &[Planned], db: &mut Db<'_>) {
        if self.lane == Lane::Light {
            return;
        }
        let mut last = u32::MAX;
        for planned in group {
            let index = planned.batch as usize;
            let batch = &mut batches[index];
            if planned.batch == last || batch.halt != Some(Halt::Slow) {
                continue;
            }
            last = planned.batch;
            batch.halt = None;
            let first = batch.done;
            let until = group
                .iter()
                .filter(|p| p.batch == last)
                .map(|p| p.nth as usize)
                .max();
            for nth in first..=until.unwrap_or(first) {
                let Some(argv) = batches[index].requests.peek(nth) else {
                    break;
                };
                let command = resolve(self.services.commands, argv);
                self.run_alone(batches, index, nth, command, db);
            }
        }
    }

    /// Asks memory for the lines that the group will read.
    fn prefetch(&self, db: &Db<'_>, busy: u64) {
        for part in self.group.chunk_by(|a, b| a.db == b.db) {
            let (Some(first), Some(last)) = (part.first(), part.last()) else {
                continue;
            };
            let hashes = &self.hashes[first.hashes.start as usize..last.hashes.end as usize];
            for some in hashes.chunks(GROUP_MAX) {
                prefetch_keys(db, first.db, some, busy);
            }
        }
    }

    fn run_one(
        &mut self,
        batch: &mut Batch,
        planned: &Planned,
        db: &mut Db<'_>,
        alone: bool,
        stopwatch: &mut Stopwatch,
    ) {
        let Batch {
            session,
            requests,
            reply,
            arrived,
            ..
        } = batch;
        let Some(argv) = requests.peek(planned.nth as usize) else {
            return;
        };
        let command = match self.admit(planned.command, argv, session) {
            Ok(command) => command,
            Err(refusal) => {
                self.tell_if_exec(planned.command, argv, session);
                self.refuse(batch, planned.command, refusal);
                batch.done += 1;
                return;
            }
        };
        session.client.last_command.store(command.index, Relaxed);
        let mark = reply.mark();
        (stopwatch.arrived, stopwatch.request_bytes) = (*arrived, requests.size());
        db.index = session.db;
        db.stamping = self.stamping_of(session);
        let called = call(
            &mut Ctx {
                db,
                session,
                reply,
                services: &self.services,
                metrics: &self.metrics,
                rng: &mut self.rng,
                command,
                hashes: &self.hashes[planned.hashes.start as usize..planned.hashes.end as usize],
                alone,
                resumed: false,
                stopwatch,
            },
            argv,
        );
        match called {
            Called::Done => {}
            Called::Deferred => {
                batch.halt = Some(Halt::Slow);
                return;
            }
            // No log has this; who is not there must not take what comes later.
            Called::Blocked(_) if self.replay_at.is_some() => reply.null(),
            Called::Blocked(block) => {
                let blocked = Blocked::new(*block, (command, argv), session, planned.footprint);
                return self.wait(batch, blocked, db);
            }
        }
        if session.reply_mode != ReplyMode::On {
            apply_reply_mode(session, reply, mark);
        }
        batch.halt = session.close.then_some(Halt::Close);
        batch.done += 1;
        if !db.effects.ready.is_empty() {
            self.serve_ready(db, stopwatch);
        }
    }

    /// How a client's use of a key shows in its stamp.
    #[inline]
    fn stamping_of(&self, session: &Session) -> Stamping {
        match session.client.no_touch.load(Relaxed) {
            true => Stamping::Off,
            false => self.room.stamping,
        }
    }

    /// Has the last command of a batch wait, registered under the locks that are held.
    fn wait(&self, batch: &mut Batch, blocked: Blocked, db: &mut Db<'_>) {
        let clients = &self.services.clients;
        clients.set_wait(&batch.session.client, Some(Arc::clone(blocked.wait())));
        db.park(blocked.waiter());
        batch.blocked = Some(blocked);
        batch.halt = Some(Halt::Blocked);
        batch.done += 1;
    }

    /// What follows when the locks are given back.
    pub(super) fn after_group(&mut self, db: &mut Db<'_>) {
        if self.paused.is_some() {
            db.effects.stale.clear();
        } else if !db.effects.stale.is_empty() {
            db.remove_stale();
        }
        if !db.effects.ready.is_empty() || !self.late.is_empty() {
            self.serve_late(db);
        }
        if !db.effects.unswept.is_empty() {
            db.sweep();
        }
        let effects = &mut db.effects;
        let counters = &self.metrics.counters;
        counters.hits.add(effects.hits);
        counters.misses.add(effects.misses);
        counters.expired.add(effects.expired);
        counters.expired_fields.add(effects.expired_fields);
        counters.evicted.add(effects.evicted);
        counters.dirty.add(effects.dirty);
        (effects.hits, effects.misses) = (0, 0);
        (effects.expired, effects.dirty) = (0, 0);
        (effects.expired_fields, effects.evicted) = (0, 0);
        self.give_garbage(db);
        db.effects.images.clear();
    }
}

/// Asks for the lines of at most [`GROUP_MAX`] keys: those of the tables, which tell
/// where the entries are, and then those of the entries.
fn prefetch_keys(db: &Db<'_>, index: usize, hashes: &[u64], busy: u64) {
    let mut hints = [const { None }; GROUP_MAX];
    for (&hash, hint) in hashes.iter().zip(&mut hints) {
        let shard = shard_of(hash);
        if busy >> shard & 1 == 0 {
            let dict = db.locks.shard(shard).dict(index);
            *hint = dict.table().prefetch_bucket(hash);
        }
    }
    for hint in hints.iter().take(hashes.len()).flatten() {
        hint.prefetch_entry();
    }
}

/// The command that is called, down to its subcommand.
#[inline]
fn resolve(table: &'static Table, argv: Argv<'_>) -> Option<&'static Command> {
    let command = table.find(argv.get(0))?;
    if !command.subcommands.is_empty()
        && argv.len() > 1
        && let Some(sub) = command.subcommand(argv.get(1))
    {
        return Some(sub);
    }
    Some(command)
}

/// Drops the reply of a client that has asked for silence, unless it is a push.
fn apply_reply_mode(session: &mut Session, reply: &mut Reply, mark: crate::resp::write::Mark) {
    if !std::mem::take(&mut session.pushed) {
        reply.rewind(mark);
    }
    session.reply_mode = session.reply_mode.after_command();
}
