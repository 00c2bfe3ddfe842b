//! Calling a command: the one place where a handler is run.
//!
//! Whoever runs commands (the executor, a transaction, a replay) has passed the
//! gates, holds the locks of the command's footprint, and calls [`call`]: it runs
//! the handler, answers with the error it ends in, notes how to repeat what it has
//! changed, and counts.

use super::block::Block;
use super::ctx::{Ctx, Stop};
use super::error::Error;
use super::spec::Flags;
use super::table::Command;
use crate::base::sys;
use crate::clients::TrackFlags;
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

/// Measures calls one after the other: each takes the time since the one before.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    ticks: u64,
    /// Whether the distribution of times is kept (`latency-tracking`).
    pub tracks_times: bool,
}

impl Stopwatch {
    /// Starts now.
    #[inline]
    pub fn start(tracks_times: bool) -> Stopwatch {
        Stopwatch {
            ticks: sys::ticks(),
            tracks_times,
        }
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
    let (mark, errors) = (ctx.reply.mark(), ctx.reply.errors());
    let (dirty, reads) = (ctx.db.effects.dirty, ctx.db.effects.reads());
    let (mut failed, mut blocked) = (false, None);
    if ctx.session.tracks_reads {
        note_reads(ctx, argv);
    }
    match (ctx.command.spec.run)(ctx, argv) {
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
            ctx.db.commit(&mut argv.iter());
        }
    }
    if ctx.db.wants_callers() {
        note_caller(ctx);
    }
    // A call that waits is counted when it begins to.
    if !ctx.resumed {
        count(ctx.metrics, ctx.command, failed, ctx.stopwatch);
    } else if failed {
        ctx.metrics
            .command(ctx.command.index as usize)
            .failed
            .add(1);
    }
    blocked.map_or(Called::Done, Called::Blocked)
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

/// Counts a call and the time it took.
#[inline]
fn count(metrics: &ThreadMetrics, command: &Command, failed: bool, stopwatch: &mut Stopwatch) {
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
}

/// Answers with an error, and counts it by its code.
pub fn answer_error(error: &Error, reply: &mut Reply, metrics: &ThreadMetrics) {
    let line = error.line();
    metrics.error(&line);
    reply.error(&line);
}
