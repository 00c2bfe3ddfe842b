//! Calling a command: the one place where a handler is run.
//!
//! Whoever runs commands (the executor, a transaction, a replay) has passed the
//! gates, holds the locks of the command's footprint, and calls [`call`]: it runs
//! the handler, answers with the error it ends in, notes how to repeat what it has
//! changed, and counts.

use super::block::Block;
use super::ctx::{Ctx, Outcome, Stop};
use super::error::Error;
use super::limits;
use super::monitor;
use super::notable::{self, Thresholds};
use super::session::ReplyMode;
use super::spec::Flags;
use super::table::Command;
use crate::base::sys;
use crate::clients::TrackFlags;
use crate::config::Config;
use crate::metrics::keys::SAMPLE_EVERY;
use crate::metrics::{Histogram, ThreadMetrics};
use crate::resp::{Argv, Reply};

/// How a call has ended.
#[derive(Debug)]
pub enum Called {
    /// The command has been answered, be it with an error.
    Done,
    /// It is too much work here. Nothing has changed and nothing was replied.
    Deferred,
    /// It has found nothing and waits; nothing was replied.
    Blocked(Box<Block>),
}

/// Measures calls one after the other: each takes the time since the one before. And
/// says which of them are looked at more closely.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    ticks: u64,
    /// Whether the distribution of times is kept (`latency-tracking`).
    pub tracks_times: bool,
    /// When the request arrived, in ticks, and a bound on its bytes.
    pub arrived: u64,
    pub request_bytes: usize,
    thresholds: Thresholds,
    /// Somebody is told of every call (MONITOR).
    monitored: bool,
    /// Calls until the next is sampled for the table of hot keys.
    sample_in: u32,
}

impl Stopwatch {
    /// Starts now, and measures only.
    pub fn start(tracks_times: bool) -> Stopwatch {
        Stopwatch {
            ticks: sys::ticks(),
            tracks_times,
            arrived: 0,
            request_bytes: 0,
            thresholds: Thresholds::NONE,
            monitored: false,
            sample_in: u32::MAX,
        }
    }

    /// One that notes what is notable and samples keys.
    pub fn observing() -> Stopwatch {
        Stopwatch {
            sample_in: SAMPLE_EVERY,
            ..Stopwatch::start(true)
        }
    }

    /// Starts again, with the thresholds that are configured now.
    #[inline]
    pub fn restart(&mut self, config: &Config, monitored: bool) {
        self.monitored = monitored;
        self.thresholds.renew(config);
        self.ticks = sys::ticks();
    }

    /// Somebody is told of calls from the next one on.
    pub fn note_monitor(&mut self) {
        self.monitored = true;
    }

    /// Ticks since the last lap.
    #[inline]
    fn lap(&mut self) -> u64 {
        let now = sys::ticks();
        now.saturating_sub(std::mem::replace(&mut self.ticks, now))
    }
}

/// Runs `ctx.command`; see the head of this file.
#[inline]
pub fn call(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Called {
    if ctx.stopwatch.monitored {
        call_and_tell(ctx, argv)
    } else {
        call_untold(ctx, argv)
    }
}

/// As [`call`], where somebody is told of every call: once, and while the locks are held,
/// so that calls are told in the order in which they saw the data. Who reads a large value
/// takes an image and gives the locks back, and is told of before; others are told of when
/// they have run, as in Redis.
#[cold]
fn call_and_tell(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Called {
    if ctx.resumed {
        return call_untold(ctx, argv);
    }
    let is_read = ctx.command.spec.flags.has(Flags::READONLY);
    // Nothing that runs alone is deferred.
    let first = ctx.alone && is_read && !ctx.db.is_in_unit();
    if first {
        tell(ctx, argv);
    }
    let called = call_untold(ctx, argv);
    if !first && !matches!(called, Called::Deferred) {
        tell(ctx, argv);
    }
    called
}

/// Tells of a call. What a client is told of its own command comes behind the reply.
fn tell(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) {
    monitor::tell(ctx.services, ctx.command, argv, ctx.session);
    let session = &ctx.session;
    if session.monitors && session.reply_mode == ReplyMode::On && !ctx.db.is_in_unit() {
        session.client.inbox.drain_into(ctx.reply);
    }
    // The next call does not pay for it.
    ctx.stopwatch.lap();
}

#[inline]
fn call_untold(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Called {
    let (mark, errors) = (ctx.reply.mark(), ctx.reply.errors());
    let (dirty, reads) = (ctx.db.effects.dirty, ctx.db.effects.reads());
    let started = ctx.stopwatch.ticks;
    let (mut failed, mut blocked) = (false, None);
    if ctx.session.tracks_reads {
        note_reads(ctx, argv);
    }
    match run(ctx, argv) {
        Ok(()) => {}
        Err(Stop::Defer) => {
            // It will run again, and count its reads then.
            ctx.db.rewind_reads(reads);
            ctx.reply.rewind(mark);
            return Called::Deferred;
        }
        Err(Stop::Block(block)) => {
            ctx.reply.rewind(mark);
            blocked = Some(block);
        }
        Err(Stop::Error(error)) => {
            ctx.reply.rewind(mark);
            answer_error(&error, ctx.reply, ctx.metrics);
            failed = true;
        }
    }
    // What runs others has had their changes and errors counted as theirs.
    if !ctx.command.spec.flags.has(Flags::RUNS_QUEUE) {
        failed |= ctx.reply.errors() != errors;
        if ctx.db.effects.dirty != dirty && ctx.db.is_logged() {
            ctx.session.has_written = true;
            ctx.db.index = ctx.session.db;
            if ctx.hashes.len() != 1 {
                note_gone(ctx, argv);
            }
            ctx.db.commit(&mut argv.iter());
        }
    }
    if ctx.db.wants_callers() {
        note_caller(ctx);
    }
    // A call that waits is counted when it begins to, and looked at when it has ended.
    let ticks = if ctx.resumed {
        let counters = ctx.metrics.command(ctx.command.index as usize);
        counters.failed.add(u64::from(failed));
        ctx.stopwatch.lap()
    } else {
        count(ctx.metrics, ctx.command, failed, ctx.stopwatch)
    };
    if let Some(block) = blocked {
        return Called::Blocked(block);
    }
    observe(ctx, argv, (ticks, ctx.reply.bytes_since(mark)), started);
    Called::Done
}

/// Notes that a client which caches reads the command's keys. Before it does: whatever
/// locks it gives back on its way, what changes a key after that finds it noted.
#[cold]
fn note_reads(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) {
    let (session, flags) = (&*ctx.session, ctx.command.spec.flags);
    let reads = flags.has(Flags::READONLY) && !flags.has(Flags::PUBSUB);
    if reads && session.client.track_flags.load().notes_reads() {
        for at in ctx.command.key_positions(argv) {
            ctx.db.note_read(ctx.session.client.id, argv.get(at));
        }
    }
}

/// Notes which of the command's keys have expired: some look at images of them, or only
/// whether they are there, and what follows from their absence must come out the same
/// when it is repeated.
pub(super) fn note_gone(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) {
    for at in ctx.command.key_positions(argv) {
        ctx.db.note_if_gone(argv.get(at));
    }
}

/// Notes whose doing the command's effects are. What CLIENT CACHING has said holds for
/// one command that is no CLIENT, or one transaction.
#[cold]
fn note_caller(ctx: &mut Ctx<'_, '_>) {
    let client = &ctx.session.client;
    ctx.db.note_caller(client.id);
    let ends = !ctx.db.is_in_unit() && ctx.session.txn.is_none();
    let ends = ends && !ctx.command.full_name.starts_with("client|");
    if ctx.session.tracks_reads && ends {
        client.track_flags.take(TrackFlags::CACHING);
    }
}

/// Runs the handler, unless the command makes a value too large.
#[inline]
fn run(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    if ctx.stopwatch.thresholds.values_limited && ctx.command.spec.flags.has(Flags::DENYOOM) {
        limits::check(ctx, argv)?;
    }
    (ctx.command.spec.run)(ctx, argv)
}

/// Notes a call that is notable, and every now and then which key it used. It `started`
/// then, ran for so many ticks and has said so many bytes.
#[inline]
fn observe(
    ctx: &mut Ctx<'_, '_>,
    argv: Argv<'_>,
    (ticks, reply_bytes): (u64, usize),
    started: u64,
) {
    let request_bytes = ctx.stopwatch.request_bytes;
    let thresholds = &ctx.stopwatch.thresholds;
    let is_notable = thresholds.are_met(ticks, request_bytes, reply_bytes);
    ctx.stopwatch.sample_in = ctx.stopwatch.sample_in.wrapping_sub(1);
    let is_sampled = ctx.stopwatch.sample_in == 0;
    if !is_notable && !is_sampled {
        return;
    }
    let call = notable::Call {
        command: ctx.command,
        argv,
        client: &ctx.session.client,
        now: ctx.db.now,
        ticks,
        // Who was blocked has not waited for us.
        waited_ticks: match ctx.resumed {
            true => 0,
            false => started.saturating_sub(ctx.stopwatch.arrived),
        },
        reply_bytes,
    };
    if is_notable {
        notable::note(ctx.services, &call);
    }
    if is_sampled {
        // A gap that varies, so that no pattern of commands falls through it.
        let nth = ctx.rng.below(u64::from(SAMPLE_EVERY)) as u32;
        ctx.stopwatch.sample_in = SAMPLE_EVERY / 2 + nth;
        notable::sample_key(ctx.services, &call, ctx.hashes, nth as usize);
    }
}

/// Counts a call and the time it took, which it returns.
#[inline]
fn count(
    metrics: &ThreadMetrics,
    command: &Command,
    failed: bool,
    stopwatch: &mut Stopwatch,
) -> u64 {
    let counters = metrics.command(command.index as usize);
    if failed {
        counters.failed.add(1);
    }
    metrics.counters.commands.add(1);
    let spent = stopwatch.lap();
    counters.calls.add(1);
    counters.ticks.add(spent);
    if stopwatch.tracks_times {
        let times = counters
            .times
            .get_or_init(|| Box::new(Histogram::default()));
        times.record(spent);
    }
    spent
}

/// Answers with an error, and counts it by its code.
pub fn answer_error(error: &Error, reply: &mut Reply, metrics: &ThreadMetrics) {
    let line = error.line();
    metrics.error(&line);
    reply.error(&line);
}
