//! MEMORY: what the data costs, and what the allocator makes of it.

mod doctor;
mod overview;
mod rows;
mod stats;

pub(super) use overview::Overview;
pub(super) use rows::SPEC;

use super::super::args::Args;
use crate::base::{heap, num};
use crate::command::ctx::{Ctx, Outcome, afford};
use crate::command::error::Error;
use crate::command::help;
use crate::resp::Argv;
use crate::store;
use crate::store::entry::Entry;

/// A key's part of the table: the mean over tables of all sizes (`ds::table`). What its
/// own segment has depends on its neighbours.
const TABLE_SHARE: usize = 12;

/// MEMORY USAGE: the key, its value and its part of the table. Looking does not count
/// as using. The types measure themselves without visiting each element, so the number
/// of samples is only checked.
fn usage(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    check_samples(argv)?;
    let Some(entry) = ctx.db.peek(ctx.nth_key(argv, 0, 2)) else {
        ctx.reply.null();
        return Ok(());
    };
    // A value takes about as many steps to measure as to drop, if not less.
    afford(ctx.alone, entry.drop_effort())?;
    let bytes = entry_bytes(&entry);
    ctx.reply.len(bytes);
    Ok(())
}

fn entry_bytes(entry: &Entry) -> usize {
    let own = entry.size();
    heap::size_class(own) + entry.mem_bytes() - own + TABLE_SHARE
}

fn check_samples(argv: Argv<'_>) -> Result<(), Error> {
    let mut args = Args::from(argv, 3);
    while !args.is_done() {
        if !args.word("samples") {
            return Err(Error::Syntax);
        }
        let text = args.bytes()?;
        let count = num::parse_i64(text).ok_or(Error::Store(store::Error::NotInteger))?;
        if count < 0 {
            return Err(Error::Syntax);
        }
    }
    Ok(())
}

/// MEMORY PURGE.
fn purge(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    heap::purge();
    ctx.reply.ok();
    Ok(())
}

fn malloc_stats(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.reply.verbatim("txt", heap::report().as_bytes());
    Ok(())
}

fn help(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    help::write(ctx.reply, "MEMORY", HELP);
    Ok(())
}

const HELP: &[&str] = &[
    "DOCTOR",
    "    Return memory problems reports.",
    "MALLOC-STATS",
    "    Return internal statistics report from the memory allocator.",
    "PURGE",
    "    Attempt to purge dirty pages for reclamation by the allocator.",
    "STATS",
    "    Return information about the memory usage of the server.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value. Nested values are",
    "    sampled up to <count> times (default: 5, 0 means sample all).",
];

#[cfg(test)]
mod tests;
