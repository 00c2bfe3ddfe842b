//! LATENCY: the events that took long, and how long commands take.

use crate::base::{clock, sys};
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::command::help;
use crate::command::table::Command;
use crate::metrics::CommandTotals;
use crate::resp::Argv;

use super::{latency_graph, latency_report};
use crate::config::Id;

/// Classes of LATENCY HISTOGRAM: powers of two of 1.024 us, up to ten minutes.
const CLASSES: usize = 40;

pub(super) fn latest(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    let all = ctx.services.observed.latency.all();
    ctx.reply.array(all.len());
    for (event, series) in &all {
        let last = series.last();
        ctx.reply.array(4);
        ctx.reply.bulk(event.as_bytes());
        ctx.reply.int(last.unix_secs);
        ctx.reply.int(last.millis as i64);
        ctx.reply.int(series.max_ms as i64);
    }
    Ok(())
}

pub(super) fn history(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let series = ctx.services.observed.latency.series(argv.get(2));
    let samples = series.map(|series| series.samples).unwrap_or_default();
    ctx.reply.array(samples.len());
    for sample in samples {
        ctx.reply.array(2);
        ctx.reply.int(sample.unix_secs);
        ctx.reply.int(sample.millis as i64);
    }
    Ok(())
}

pub(super) fn reset(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let latency = &ctx.services.observed.latency;
    let count = if argv.len() == 2 {
        latency.reset_all()
    } else {
        let events = argv.from(2).iter();
        events.filter(|event| latency.reset(event)).count()
    };
    ctx.reply.len(count);
    Ok(())
}

pub(super) fn graph(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let event = argv.get(2);
    let Some(series) = ctx.services.observed.latency.series(event) else {
        let text = [b"ERR No samples available for event '", event, b"'"];
        return Err(Error::Bytes(text.concat()).into());
    };
    let name = String::from_utf8_lossy(event);
    let graph = latency_graph::draw(&name, &series, clock::secs_of(ctx.db.now));
    ctx.reply.verbatim("txt", graph.as_bytes());
    Ok(())
}

pub(super) fn doctor(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    let services = ctx.services;
    let threshold = services.config.size(Id::LATENCY_MONITOR_THRESHOLD) as u64;
    let slower_than = services.config.int(Id::SLOWLOG_LOG_SLOWER_THAN);
    let all = services.observed.latency.all();
    let report = latency_report::write(&all, threshold, slower_than);
    ctx.reply.verbatim("txt", report.as_bytes());
    Ok(())
}

/// By command, all commands or those named, a container standing for its
/// subcommands: the number of calls, and how many took at most so many microseconds.
pub(super) fn histogram(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let table = ctx.services.commands;
    let mut wanted: Vec<&'static Command> = Vec::new();
    if argv.len() == 2 {
        wanted.extend(table.iter_all());
    }
    for name in argv.from(2).iter() {
        if let Some(command) = table.find_full(name) {
            wanted.push(command);
            wanted.extend(&command.subcommands);
        }
    }
    let measured: Vec<(&Command, CommandTotals)> = (wanted.into_iter())
        .map(|command| (command, ctx.services.metrics.command(command.index.into())))
        .filter(|(_, totals)| totals.times.total() > 0)
        .collect();
    ctx.reply.map(measured.len());
    for (command, totals) in &measured {
        ctx.reply.bulk(command.full_name.as_bytes());
        write_histogram(ctx, totals);
    }
    Ok(())
}

fn write_histogram(ctx: &mut Ctx<'_, '_>, totals: &CommandTotals) {
    let classes = by_class(totals);
    ctx.reply.map(2);
    ctx.reply.bulk(b"calls");
    ctx.reply.int(totals.times.total() as i64);
    ctx.reply.bulk(b"histogram_usec");
    ctx.reply
        .map(classes.iter().filter(|&&count| count > 0).count());
    let mut cumulative = 0;
    for (class, &count) in classes.iter().enumerate() {
        cumulative += count;
        if count > 0 {
            ctx.reply.int((class_end_ns(class) / 1000) as i64);
            ctx.reply.int(cumulative as i64);
        }
    }
}

/// The last nanosecond of a class. Redis keeps two significant digits, hence the
/// last of the steps of 1/128 that begins at the power of two.
fn class_end_ns(class: usize) -> u64 {
    ((1024 + 8) << class) - 1
}

fn by_class(totals: &CommandTotals) -> [u64; CLASSES] {
    let mut classes = [0; CLASSES];
    let ns_per_tick = 1000.0 / sys::ticks_per_us();
    for (ticks, count) in totals.times.iter() {
        let ns = (ticks as f64 * ns_per_tick) as u64;
        let class = (0..CLASSES).find(|&class| ns <= class_end_ns(class));
        classes[class.unwrap_or(CLASSES - 1)] += count;
    }
    classes
}

pub(super) fn help(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    help::write(ctx.reply, "LATENCY", HELP);
    Ok(())
}

const HELP: &[&str] = &[
    "DOCTOR",
    "    Return a human readable latency analysis report.",
    "GRAPH <event>",
    "    Return an ASCII latency graph for the <event> class.",
    "HISTORY <event>",
    "    Return time-latency samples for the <event> class.",
    "LATEST",
    "    Return the latest latency samples for all events.",
    "RESET [<event> ...]",
    "    Reset latency data of one or more <event> classes.",
    "    (default: reset all data for all event classes)",
    "HISTOGRAM [COMMAND ...]",
    "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
    "    If no commands are specified then all histograms are replied.",
];
