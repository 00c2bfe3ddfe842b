//! The generic commands: what can be done to a key of any type.
//!
//! | file | has |
//! |---|---|
//! | mod | DEL and kin, TYPE, RENAME, COPY, MOVE |
//! | expire | EXPIRE, TTL and their variants |
//! | scan | SCAN, KEYS, RANDOMKEY |
//! | object | OBJECT |
//! | dump | DUMP, RESTORE |
//! | sort | SORT, SORT_RO |

mod dump;
mod expire;
mod object;
mod rows;
mod scan;
mod sort;
#[cfg(test)]
mod tests;

pub use rows::SPECS;

use dump::{dump, restore};
use expire::{expire, expireat, expiretime, persist, pexpire, pexpireat, pexpiretime, pttl, ttl};
use object::{object_encoding, object_freq, object_help, object_idletime, object_refcount};
use scan::{keys, randomkey, scan};
use sort::{sort, sort_ro};

use super::args::Args;
use super::ctx::{Ctx, LIGHT_COST, Outcome};
use super::error::Error;
use crate::resp::Argv;
use crate::store::{Db, Key};

const SAME_OBJECT: Error = Error::text("ERR source and destination objects are the same");

/// Counts the keys for which `test` holds; a key given twice counts twice.
fn count_keys(
    ctx: &mut Ctx<'_, '_>,
    argv: Argv<'_>,
    test: impl Fn(&mut Db<'_>, Key<'_>) -> bool,
) -> Outcome {
    let count = argv.len() - 1;
    ctx.afford(count)?;
    let mut hits = 0;
    for nth in 0..count {
        let key = ctx.nth_key(argv, nth, nth + 1);
        hits += usize::from(test(ctx.db, key));
    }
    ctx.reply.len(hits);
    Ok(())
}

fn del(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    count_keys(ctx, argv, |db, key| db.delete(key))
}

/// As DEL, which leaves large values to the reaper too.
fn unlink(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    del(ctx, argv)
}

fn exists(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    count_keys(ctx, argv, |db, key| db.exists(key))
}

fn touch(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    count_keys(ctx, argv, |db, key| db.touch(key))
}

fn type_(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let found = ctx.db.type_of(ctx.key(argv));
    ctx.reply.simple(found.map_or("none", |kind| kind.name()));
    Ok(())
}

fn rename(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (from, to) = (ctx.nth_key(argv, 0, 1), ctx.nth_key(argv, 1, 2));
    ctx.db.rename(from, to, true)?;
    ctx.reply.ok();
    Ok(())
}

fn renamenx(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (from, to) = (ctx.nth_key(argv, 0, 1), ctx.nth_key(argv, 1, 2));
    let done = ctx.db.rename(from, to, false)?;
    ctx.reply.int(i64::from(done));
    Ok(())
}

fn copy(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 3);
    let (mut to_db, mut replace) = (ctx.db.index, false);
    while !args.is_done() {
        if args.word("REPLACE") {
            replace = true;
        } else if args.word("DB") {
            to_db = args.database(ctx.databases())?;
        } else {
            return Err(Error::Syntax.into());
        }
    }
    let (from, to) = (ctx.nth_key(argv, 0, 1), ctx.nth_key(argv, 1, 2));
    if to_db == ctx.db.index && from.bytes == to.bytes {
        return Err(SAME_OBJECT.into());
    }
    // A copy makes about as many steps as a drop.
    let steps = (ctx.db.peek(from)).map_or(0, |entry| entry.drop_effort());
    ctx.afford(steps)?;
    let done = (ctx.db).copy(from, (to, to_db), replace, steps > LIGHT_COST);
    ctx.reply.int(i64::from(done));
    Ok(())
}

fn move_(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let to_db = Args::from(argv, 2).database(ctx.databases())?;
    if to_db == ctx.db.index {
        return Err(SAME_OBJECT.into());
    }
    let done = ctx.db.move_key(ctx.key(argv), to_db);
    ctx.reply.int(i64::from(done));
    Ok(())
}
