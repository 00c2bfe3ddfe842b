//! The reactor: one thread, one poller, every socket.
//!
//! # A turn
//!
//! ```text
//! poll ......... events: new connections, readable and writable ones, signals
//! read ......... once from each connection that is due; parse
//! run .......... light batches together; heavy ones go to the pool
//! send ......... one write per connection; the rest when it is writable
//! completions .. batches come back from the pool
//! timers ....... expiry, cron
//! ```
//!
//! Every loop here has a bound: [`EVENTS_MAX`] events, a thousand new
//! connections and [`BATCHES_MAX`] batches a turn, one read and at most 1 MiB of
//! writes per connection. What is left over waits in `due` for the next turn, which
//! then does not sleep.
//!
//! Must stay true: nothing here waits. Locks of shards are tried, sockets do not
//! block, files are the log's alone; what it writes and syncs here is quick
//! (`persist::aof::writer`).

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use mio::event::Event;
use mio::{Events, Interest, Poll, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;
use slab::Slab;

use super::conn::{Conn, READ_SIZE, Read};
use super::control::{ControlHandle, Shutdown};
use super::listen::Listeners;
use super::spin::Spinner;
use crate::base::clock::{self, Millis};
use crate::base::sys;
use crate::base::wait::Phase;
use crate::exec::batch::ConnId;
use crate::exec::policy::Dispatch;
use crate::exec::{Batch, Executor, Halt, Pool, Services, WakeFlag};
use crate::systemd::Notifier;

mod admit;
mod budget;
mod cached;
mod cron;
mod life;
mod mail;
mod output;
mod pause;
mod waits;
mod web;

/// Events taken from the poller at once.
const EVENTS_MAX: usize = 1024;
/// Batches run in one turn.
const BATCHES_MAX: usize = 256;
/// Receive and output buffers kept for the next connection that needs one.
const SPARE_BUFFERS: usize = 256;
/// Room that a kept output buffer may have.
const SPARE_OUTPUT_MAX: usize = 64 * 1024;
/// How long a shutdown waits for workers and for slow readers.
const DRAIN_MAX: Duration = Duration::from_secs(10);

const WAKER: Token = Token(usize::MAX);
const SIGNALS: Token = Token(usize::MAX - 1);
const LISTENERS: usize = usize::MAX - 64;

/// The token under which the poller is woken.
pub const WAKER_TOKEN: Token = WAKER;

/// What the reactor is built from.
pub struct Parts {
    pub poll: Poll,
    pub services: Arc<Services>,
    pub control: Arc<ControlHandle>,
    pub executor: Executor,
    pub pool: Pool,
    pub flag: Arc<WakeFlag>,
    pub notifier: Notifier,
    pub dispatch: Dispatch,
    /// What goes on before clients are served; nothing where the server is ready.
    pub starting: Option<Box<dyn Starting>>,
}

/// The start of the server while the reactor runs already: the data is being loaded.
pub trait Starting {
    /// How it has ended: what to tell, or why there is no server. `None` while it goes on.
    fn poll(&mut self) -> Option<Result<String, String>>;
    /// How far it is.
    fn status(&self) -> String;
}

/// See the head of this file.
pub struct Reactor {
    poll: Poll,
    signals: Signals,
    services: Arc<Services>,
    control: Arc<ControlHandle>,
    executor: Executor,
    pool: Pool,
    flag: Arc<WakeFlag>,
    notifier: Notifier,
    dispatch: Dispatch,
    cores: usize,
    spinner: Spinner,
    cron: cron::Cron,
    conns: Slab<Conn>,
    next_generation: u32,
    /// Connections to look at in this turn or the next.
    due: VecDeque<usize>,
    /// Tokens of clients with mail, to be brought in this turn or the next.
    mail: VecDeque<u64>,
    /// Batches of this turn.
    turn: Vec<Box<Batch>>,
    finished: Vec<Box<Batch>>,
    inputs: Vec<BytesMut>,
    outputs: Vec<Vec<u8>>,
    limits: cached::Cached,
    web: web::Web,
    paused: pause::Paused,
    budget: budget::Budget,
    /// When blocked connections give up.
    deadlines: BTreeSet<Deadline>,
    /// Connections whose replies wait until what they depend on is durable.
    held: Vec<usize>,
    /// Connections that wait for the log to become durable, and for nothing else.
    log_waits: BTreeSet<usize>,
    accept_again: Option<Instant>,
    drain_until: Option<Instant>,
    starting: Option<Box<dyn Starting>>,
    /// A last save is being made, for a signal.
    ending: bool,
    /// That save has failed; the server goes on.
    end_failed: Arc<AtomicBool>,
}

/// When a blocked connection gives up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Deadline {
    at: Millis,
    slot: usize,
    generation: u32,
}

impl Reactor {
    /// A reactor over these parts, with signals and listeners registered.
    ///
    /// # Errors
    /// When the poller or the signal handlers cannot be set up.
    pub fn new(parts: Parts) -> io::Result<Reactor> {
        let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
        let registry = parts.poll.registry();
        registry.register(&mut signals, SIGNALS, Interest::READABLE)?;
        let cores = sys::num_cpus();
        let mut reactor = Reactor {
            limits: cached::Cached::read(&parts.services),
            cron: cron::Cron::new(&parts.notifier),
            poll: parts.poll,
            signals,
            services: parts.services,
            control: parts.control,
            executor: parts.executor,
            pool: parts.pool,
            flag: parts.flag,
            notifier: parts.notifier,
            dispatch: parts.dispatch,
            cores,
            spinner: Spinner::new(cores),
            conns: Slab::new(),
            next_generation: 0,
            due: VecDeque::new(),
            mail: VecDeque::new(),
            turn: Vec::with_capacity(BATCHES_MAX),
            finished: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            web: web::Web::default(),
            paused: pause::Paused::default(),
            budget: budget::Budget::default(),
            deadlines: BTreeSet::new(),
            held: Vec::new(),
            log_waits: BTreeSet::new(),
            accept_again: None,
            drain_until: None,
            starting: parts.starting,
            ending: false,
            end_failed: Arc::default(),
        };
        reactor.listen()?;
        reactor.listen_web()?;
        Ok(reactor)
    }

    /// Tells the log and the service manager that clients may come.
    pub fn announce(&self, text: &str) {
        log::info!("{text}");
        self.notifier.ready(text);
    }

    /// Serves until the server is asked to end.
    ///
    /// # Errors
    /// When the poller fails.
    pub fn run(mut self) -> io::Result<()> {
        self.ask_scheduler();
        let mut events = Events::with_capacity(EVENTS_MAX);
        while !self.is_finished() {
            self.poll_events(&mut events)?;
            let (now, began) = (clock::now(), sys::ticks());
            let mut worked = !events.is_empty() || !self.due.is_empty() || !self.mail.is_empty();
            for event in &events {
                if !self.web.takes(event) {
                    self.on_event(event);
                }
            }
            if self.flag.take() {
                worked = true;
                self.on_wake();
                self.resume_paused(now);
            }
            self.run_due(now);
            self.enforce_budget();
            self.end_rung_waits();
            self.deliver_mail();
            // After the others, so that who left in this turn has made room.
            self.accept_due();
            self.run_web(now);
            self.run_timers(now);
            self.go_on_starting()?;
            if worked {
                self.spinner.worked(Instant::now(), self.limits.spin);
            }
            self.count_turn(began);
        }
        self.end();
        Ok(())
    }

    /// Counts a turn and the time it has taken since `began`.
    fn count_turn(&self, began: u64) {
        let spent = sys::ticks().saturating_sub(began);
        let metrics = self.executor.metrics();
        metrics.counters.turns.add(1);
        metrics.counters.turn_ticks.add(spent);
        metrics.turn_ticks_max.note(spent);
    }

    /// Waits for events: not at all while there is work or while spinning.
    fn poll_events(&mut self, events: &mut Events) -> io::Result<()> {
        let now = Instant::now();
        let waiting = !self.due.is_empty() || !self.mail.is_empty() || self.web.is_due();
        // Who syncs the log needs the processor more than who looks whether that is done.
        let spins = self.held.is_empty() && self.spinner.is_spinning();
        let busy = waiting || spins && self.spinner.goes_on(now);
        let asleep = !busy && self.flag.may_sleep();
        let timeout = if asleep {
            let accept = self
                .accept_again
                .map(|at| at.saturating_duration_since(now));
            self.cron
                .until_next(now)
                .min(accept.unwrap_or(Duration::MAX))
                .min(self.until_deadline())
        } else {
            Duration::ZERO
        };
        let result = self.poll.poll(events, Some(timeout));
        if asleep {
            self.flag.awake();
        }
        match result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            result => result,
        }
    }

    /// How long until the first blocked connection gives up.
    fn until_deadline(&self) -> Duration {
        self.deadlines.first().map_or(Duration::MAX, |due| {
            Duration::from_millis((due.at - clock::now()).max(0) as u64)
        })
    }

    fn on_event(&mut self, event: &Event) {
        match event.token() {
            WAKER => {}
            SIGNALS => self.on_signals(),
            Token(token) if token >= LISTENERS => self.accept_again = Some(Instant::now()),
            Token(token) => {
                let (slot, generation) = (token & 0xffff_ffff, (token >> 32) as u32);
                let Some(conn) = self.conns.get_mut(slot) else {
                    return;
                };
                if conn.generation != generation {
                    return;
                }
                if event.is_readable() || event.is_read_closed() || event.is_error() {
                    conn.readable = true;
                }
                if event.is_read_closed() {
                    conn.ending = true;
                }
                if event.is_writable()
                    && let Some(batch) = &mut conn.batch
                {
                    batch.full = false;
                }
                self.queue(slot);
            }
        }
    }

    /// Looks at what other threads have left: completions, kills, new listeners.
    fn on_wake(&mut self) {
        let mut finished = std::mem::take(&mut self.finished);
        self.pool.take_finished(&mut finished);
        for batch in finished.drain(..) {
            self.on_completion(batch);
        }
        self.finished = finished;
        self.follow_log();
        self.enforce_budget();
        if self.services.clients.take_kills() {
            self.close_killed();
        }
        if let Err(error) = self.listen().and_then(|()| self.listen_web()) {
            log::warn!("Cannot serve the new listening sockets: {error}");
        }
    }

    /// Has the poller watch the listening sockets, where they are new to it.
    fn listen(&mut self) -> io::Result<()> {
        if !self.control.take_exchanged() {
            return Ok(());
        }
        let registry = self.poll.registry();
        for (i, listener) in self.control.listeners().iter_mut().enumerate() {
            registry.register(listener, Token(LISTENERS + i), Interest::READABLE)?;
        }
        Ok(())
    }

    // Work.

    fn queue(&mut self, slot: usize) {
        if let Some(conn) = self.conns.get_mut(slot)
            && !conn.queued
        {
            conn.queued = true;
            self.due.push_back(slot);
        }
    }

    /// Reads the connections that are due and runs what they ask for.
    fn run_due(&mut self, now: Millis) {
        let mut commands = 0;
        for _ in 0..self.due.len().min(BATCHES_MAX) {
            let Some(slot) = self.due.pop_front() else {
                break;
            };
            if let Some(batch) = self.read(slot, now) {
                commands += batch.waiting();
                let spread = self
                    .dispatch
                    .spreads(commands, self.cores, || self.pool.idle());
                if spread && batch.waiting() > 0 {
                    self.hand_over(batch);
                } else {
                    self.turn.push(batch);
                }
            }
        }
        if self.turn.is_empty() {
            return;
        }
        self.note_buffers();
        let mut turn = std::mem::take(&mut self.turn);
        self.executor.turn(&mut turn, now);
        // Who has waited is told before who has ended the wait.
        self.end_rung_waits();
        for batch in turn.drain(..) {
            self.after_run(batch);
        }
        self.turn = turn;
    }

    /// Reads a connection; its batch if there is something to run.
    fn read(&mut self, slot: usize, now: Millis) -> Option<Box<Batch>> {
        let conn = self.conns.get_mut(slot)?;
        conn.queued = false;
        if conn.batch.as_ref()?.can_send() {
            self.send_rest(slot);
        }
        let conn = self.conns.get_mut(slot)?;
        let batch = conn.batch.as_mut()?;
        batch.requests.borrow_from(&mut self.inputs);
        batch.reply.borrow_from(&mut self.outputs);
        let counters = &self.executor.metrics().counters;
        let found = conn.read(self.limits.bulk_max, counters, now);
        match found {
            Read::Work => {
                let bytes = conn.batch.as_ref()?.requests.size();
                if self.limits.client_bytes_max > 0 && bytes > 4 * READ_SIZE {
                    // It may be too much, and gone when it has run.
                    self.account(slot);
                    self.enforce_budget();
                }
                let conn = self.conns.get_mut(slot)?;
                let mut batch = conn.batch.take()?;
                let limit = output::limit(&self.limits.output, &batch.session.client);
                batch.reply.set_limit(limit.hard as usize);
                return Some(batch);
            }
            Read::Nothing => self.after_idle_read(slot),
            Read::Broken => self.close(slot),
        }
        None
    }

    fn after_idle_read(&mut self, slot: usize) {
        let Some(conn) = self.conns.get(slot) else {
            return;
        };
        let too_much = (conn.batch.as_ref())
            .is_some_and(|batch| batch.requests.byte_len() > self.limits.query_max);
        if too_much {
            let counters = &self.executor.metrics().counters;
            counters.input_limit_closed.add(1);
            log::warn!(
                "Closing client that reached max query buffer length: {}",
                conn.client.address
            );
            return self.close(slot);
        }
        self.settle(slot);
    }

    /// A batch has been run on the reactor.
    fn after_run(&mut self, mut batch: Box<Batch>) {
        match batch.halt {
            Some(Halt::Slow | Halt::Busy) => self.hand_over(batch),
            _ => {
                self.executor.metrics().counters.run_inline.add(1);
                batch.tell_protocol_error();
                self.on_completion(batch);
            }
        }
    }

    fn hand_over(&mut self, mut batch: Box<Batch>) {
        self.executor.metrics().counters.handed_over.add(1);
        // What is replied already need not wait for a slow command.
        self.send(&mut batch);
        self.pool.submit(batch);
    }

    /// A batch has come back; its connection may be gone.
    fn on_completion(&mut self, batch: Box<Batch>) {
        let slot = batch.id.slot as usize;
        let present = (self.conns.get(slot)).is_some_and(|c| c.generation == batch.id.generation);
        if present {
            self.return_batch(batch);
        } else {
            if let Some(blocked) = &batch.blocked {
                blocked.wait().end(Phase::Gone);
                self.executor.forget(blocked);
                self.services.clients.set_wait(&batch.session.client, None);
            }
            self.executor.part(batch.session);
        }
    }

    /// Gives a batch back to its connection and sends its replies.
    fn return_batch(&mut self, mut batch: Box<Batch>) {
        if batch.halt.take() == Some(Halt::Paused) {
            self.park(batch.id);
        }
        batch.take_mail();
        self.send(&mut batch);
        let slot = batch.id.slot as usize;
        let blocked = batch.blocked.take();
        if let Some(conn) = self.conns.get_mut(slot) {
            conn.batch = Some(batch);
            self.settle(slot);
        }
        if let Some(blocked) = blocked {
            self.block(slot, blocked);
        }
    }

    fn send(&self, batch: &mut Batch) {
        batch.send(&self.executor.metrics().counters);
    }

    /// Sends what is left of a connection's output.
    fn send_rest(&mut self, slot: usize) {
        let Some(mut batch) = self.conns.get_mut(slot).and_then(|conn| conn.batch.take()) else {
            return;
        };
        self.send(&mut batch);
        if let Some(conn) = self.conns.get_mut(slot) {
            conn.batch = Some(batch);
            self.settle(slot);
        }
    }

    /// Brings a connection whose batch is here into a resting state: closed, or
    /// registered for what it waits for, its buffers returned, queued if there is
    /// more to do.
    fn settle(&mut self, slot: usize) {
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        let killed = conn.client.killed.load(Relaxed);
        if conn.is_over() || killed {
            return self.close(slot);
        }
        let Some(batch) = &mut conn.batch else {
            return;
        };
        if batch.is_held() {
            // The log's writer wakes the reactor when it has got there.
            self.held.push(slot);
            return;
        }
        let unsent = batch.reply.pending();
        let dropped = batch.reply.dropped();
        if unsent + dropped > 0 || conn.client.inbox.is_overrun() {
            if self.is_over_output_limit(slot, unsent, dropped) {
                return;
            }
        } else {
            conn.over_soft_since = None;
        }
        self.return_buffers(slot);
        self.register_interest(slot, unsent > 0);
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        let has_more = conn.has_more();
        self.account(slot);
        if has_more {
            self.queue(slot);
        }
    }

    /// Registers for writability while there is something to send, and only then.
    fn register_interest(&mut self, slot: usize, unsent: bool) {
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        if conn.wants_write == unsent {
            return;
        }
        conn.wants_write = unsent;
        let interest = if unsent {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        let id = ConnId {
            slot: slot as u32,
            generation: conn.generation,
        };
        let socket = Arc::clone(&conn.socket);
        let registry = self.poll.registry();
        if let Err(error) = registry.reregister(&mut &*socket, token(id), interest) {
            log::warn!("A connection cannot be polled: {error}");
            self.close(slot);
        }
    }

    /// Takes empty buffers back, so that quiet connections hold none.
    fn return_buffers(&mut self, slot: usize) {
        let Some(batch) = self
            .conns
            .get_mut(slot)
            .and_then(|conn| conn.batch.as_mut())
        else {
            return;
        };
        if let Some(buffer) = batch.requests.reclaim()
            && self.inputs.len() < SPARE_BUFFERS
            && buffer.capacity() <= 4 * READ_SIZE
        {
            self.inputs.push(buffer);
        }
        if let Some(buffer) = batch.reply.reclaim()
            && self.outputs.len() < SPARE_BUFFERS
            && buffer.capacity() <= SPARE_OUTPUT_MAX
        {
            self.outputs.push(buffer);
        }
    }

    // Ends.

    fn close_killed(&mut self) {
        let killed: Vec<usize> = (self.conns.iter())
            .filter(|(_, conn)| conn.client.killed.load(Relaxed))
            .map(|(slot, _)| slot)
            .collect();
        killed.into_iter().for_each(|slot| self.close(slot));
    }

    /// Closes a connection. A batch in flight keeps the descriptor open until it
    /// is back; its completion is dropped.
    fn close(&mut self, slot: usize) {
        self.leave_wait(slot);
        let Some(conn) = self.conns.try_remove(slot) else {
            return;
        };
        // Both fail only for a socket that is gone already.
        let _ = self.poll.registry().deregister(&mut &*conn.socket);
        self.discount(&conn);
        self.services.clients.remove(conn.client.id);
        self.services.pubsub.forget(&conn.client);
        self.services.clients.monitors.remove(&conn.client);
        match conn.batch {
            Some(batch) => self.executor.part(batch.session),
            None => {
                let _ = conn.socket.shutdown();
            }
        }
    }

    /// Whether the server has come to its end; begins it when it is asked for.
    fn is_finished(&mut self) -> bool {
        let shutdown = self.control.shutdown();
        if shutdown == Shutdown::No {
            return false;
        }
        if self.drain_until.is_none() {
            self.notifier.stopping("Shutting down");
            log::warn!("User requested shutdown...");
            self.drain_until = Some(Instant::now() + DRAIN_MAX);
            *self.control.listeners() = Listeners::default();
        }
        let out_of_time = self.drain_until.is_some_and(|at| Instant::now() >= at);
        let drained = self.pool.in_flight() == 0 && !self.conns.iter().any(|(_, conn)| owes(conn));
        shutdown == Shutdown::Now || drained || out_of_time
    }

    fn end(self) {
        drop(self.conns);
        self.pool.stop();
        log::warn!("FlashKV is now ready to exit, bye bye...");
    }
}

/// Whether a connection still has replies coming.
fn owes(conn: &Conn) -> bool {
    (conn.batch.as_ref()).is_none_or(|batch| !batch.reply.is_empty() && !batch.broken)
}

fn token(id: ConnId) -> Token {
    Token((id.generation as usize) << 32 | id.slot as usize)
}
