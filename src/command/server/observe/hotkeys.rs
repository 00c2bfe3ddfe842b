//! HOTKEYS: the keys that are used most and those that take most memory. Both
//! tables are always on and bounded (`crate::metrics::keys`).

use crate::command::args::Args;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::command::help;
use crate::resp::Argv;

/// Keys told where no count is given.
const COUNT_DEFAULT: usize = 10;

pub(super) fn get(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let count = count(argv)?;
    let hottest = ctx.services.observed.hot_keys.hottest(count, ctx.db.now);
    ctx.reply.array(hottest.len());
    for key in &hottest {
        ctx.reply.map(5);
        ctx.reply.bulk(b"key");
        ctx.reply.bulk(&key.name);
        ctx.reply.bulk(b"db");
        ctx.reply.int(key.db.into());
        ctx.reply.bulk(b"calls");
        ctx.reply.int(key.calls as i64);
        ctx.reply.bulk(b"error");
        ctx.reply.int(key.error as i64);
        ctx.reply.bulk(b"percent");
        ctx.reply.double((key.share * 10_000.0).round() / 100.0);
    }
    Ok(())
}

pub(super) fn big(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let count = count(argv)?;
    let largest = ctx.services.observed.big_keys.largest(count);
    ctx.reply.array(largest.len());
    for key in &largest {
        ctx.reply.map(5);
        ctx.reply.bulk(b"key");
        ctx.reply.bulk(&key.name);
        ctx.reply.bulk(b"db");
        ctx.reply.int(key.db.into());
        ctx.reply.bulk(b"type");
        ctx.reply.bulk(key.type_name.as_bytes());
        ctx.reply.bulk(b"bytes");
        ctx.reply.int(key.bytes as i64);
        ctx.reply.bulk(b"elements");
        ctx.reply.int(key.elements as i64);
    }
    Ok(())
}

pub(super) fn reset(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.services.observed.hot_keys.reset();
    ctx.reply.ok();
    Ok(())
}

fn count(argv: Argv<'_>) -> Result<usize, Error> {
    let mut args = Args::from(argv, 2);
    if args.is_done() {
        return Ok(COUNT_DEFAULT);
    }
    if !args.word("count") {
        return Err(Error::Syntax);
    }
    let count = args.size_or(Error::text("ERR count should be 0 or more"))?;
    args.end()?;
    Ok(count)
}

pub(super) fn help(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    help::write(ctx.reply, "HOTKEYS", HELP);
    Ok(())
}

const HELP: &[&str] = &[
    "BIG [COUNT <count>]",
    "    Return the <count> (default: 10) keys that take most memory, largest first: key,",
    "    database, type, bytes and elements. They come from a walk over all keys that goes",
    "    on in the background; a change is seen when the next round has ended.",
    "GET [COUNT <count>]",
    "    Return the <count> (default: 10) keys that are used most, hottest first: key,",
    "    database, estimated calls (older ones count less: half after a minute), by how much",
    "    they may be too high, and the percentage of all calls. Where all keys are used alike",
    "    there are none.",
    "RESET",
    "    Forget which keys were used.",
];
