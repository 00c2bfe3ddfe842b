//! SLOWLOG, as Redis has it, and COMMANDLOG, Valkey's wider form of it.
//!
//! An entry has Redis's six parts, which clients take apart by position. What else
//! is known, the time that the request waited before it was served, is told by
//! SLOWLOG DETAILS, where each part has a name.

use crate::base::num;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::command::help;
use crate::metrics::commandlog::{Entry, Kind, Log};
use crate::resp::{Argv, Reply};

/// Entries told where no count is given.
const COUNT_DEFAULT: usize = 10;

fn log<'a>(ctx: &Ctx<'a, '_>, kind: Kind) -> &'a Log {
    ctx.services.observed.logs.of(kind)
}

// SLOWLOG.

pub(super) fn slow_get(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let count = match argv.len() {
        2 => COUNT_DEFAULT,
        3 => count(argv.get(2))?,
        _ => return Err(unknown(argv, "SLOWLOG").into()),
    };
    tell(ctx, Kind::Slow, count, write_entry);
    Ok(())
}

pub(super) fn slow_details(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let count = match argv.len() {
        2 => COUNT_DEFAULT,
        3 => count(argv.get(2))?,
        _ => return Err(unknown(argv, "SLOWLOG").into()),
    };
    tell(ctx, Kind::Slow, count, write_details);
    Ok(())
}

pub(super) fn slow_len(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.reply.len(log(ctx, Kind::Slow).len());
    Ok(())
}

pub(super) fn slow_reset(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    log(ctx, Kind::Slow).reset();
    ctx.reply.ok();
    Ok(())
}

pub(super) fn slow_help(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    help::write(ctx.reply, "SLOWLOG", SLOW_HELP);
    Ok(())
}

// COMMANDLOG.

pub(super) fn get(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let count = count(argv.get(2))?;
    tell(ctx, kind(argv.get(3))?, count, write_entry);
    Ok(())
}

pub(super) fn len(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let kind = kind(argv.get(2))?;
    ctx.reply.len(log(ctx, kind).len());
    Ok(())
}

pub(super) fn reset(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let kind = kind(argv.get(2))?;
    log(ctx, kind).reset();
    ctx.reply.ok();
    Ok(())
}

pub(super) fn help(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    help::write(ctx.reply, "COMMANDLOG", HELP);
    Ok(())
}

fn kind(name: &[u8]) -> Result<Kind, Error> {
    match name.to_ascii_lowercase().as_slice() {
        b"slow" => Ok(Kind::Slow),
        b"large-request" => Ok(Kind::LargeRequest),
        b"large-reply" => Ok(Kind::LargeReply),
        _ => Err(Error::text(
            "ERR type should be one of the following: slow, large-request, large-reply",
        )),
    }
}

/// How many entries are wanted; -1 stands for all.
fn count(text: &[u8]) -> Result<usize, Error> {
    match num::parse_i64(text) {
        Some(-1) => Ok(usize::MAX),
        Some(count @ 0..) => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
        _ => Err(Error::text(
            "ERR count should be greater than or equal to -1",
        )),
    }
}

/// Redis takes a wrong number of arguments for a subcommand that it does not know.
fn unknown(argv: Argv<'_>, command: &str) -> Error {
    let shown = String::from_utf8_lossy(argv.get(1)).into_owned();
    Error::Text(
        format!(
            "ERR unknown subcommand or wrong number of arguments for '{shown}'. Try {command} HELP."
        )
        .into(),
    )
}

fn tell(ctx: &mut Ctx<'_, '_>, kind: Kind, count: usize, write: fn(&mut Reply, &Entry)) {
    let entries = log(ctx, kind).newest(count);
    ctx.reply.array(entries.len());
    entries.iter().for_each(|entry| write(ctx.reply, entry));
}

fn write_entry(reply: &mut Reply, entry: &Entry) {
    reply.array(6);
    reply.int(entry.id as i64);
    reply.int(entry.unix_secs);
    reply.int(entry.value as i64);
    write_args(reply, entry);
    reply.bulk(entry.address.as_bytes());
    reply.bulk(&entry.client_name);
}

fn write_details(reply: &mut Reply, entry: &Entry) {
    reply.map(7);
    let numbers = [
        ("id", entry.id as i64),
        ("time", entry.unix_secs),
        ("served-usec", entry.value as i64),
        ("waited-usec", entry.waited_us as i64),
    ];
    for (name, number) in numbers {
        reply.bulk(name.as_bytes());
        reply.int(number);
    }
    reply.bulk(b"args");
    write_args(reply, entry);
    reply.bulk(b"client");
    reply.bulk(entry.address.as_bytes());
    reply.bulk(b"client-name");
    reply.bulk(&entry.client_name);
}

fn write_args(reply: &mut Reply, entry: &Entry) {
    reply.array(entry.args.len());
    entry.args.iter().for_each(|arg| reply.bulk(arg));
}

const SLOW_HELP: &[&str] = &[
    "DETAILS [<count>]",
    "    Return the same entries with named parts, and with the time that each request",
    "    waited before it was served.",
    "GET [<count>]",
    "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
    "    Entries are made of:",
    "    id, timestamp, time in microseconds, arguments array, client IP and port,",
    "    client name",
    "LEN",
    "    Return the length of the slowlog.",
    "RESET",
    "    Reset the slowlog.",
];

const HELP: &[&str] = &[
    "GET <count> <type>",
    "    Return top <count> entries of the specified <type> from the commandlog (-1 mean all).",
    "    Entries are made of:",
    "    id, timestamp,",
    "    time in microseconds for type of slow,",
    "    or size in bytes for type of large-request,",
    "    or size in bytes for type of large-reply",
    "    arguments array, client IP and port,",
    "    client name",
    "LEN <type>",
    "    Return the length of the specified type of commandlog.",
    "RESET <type>",
    "    Reset the specified type of commandlog.",
];
