//! The hash commands.
//!
//! What grows with the hash is told before it starts ([`Ctx::afford`]), so that the
//! reactor leaves it to the pool; and a large hash is read from an image, after the
//! locks are given back. Which fields have expired is decided by the time of the
//! batch, for all of a command alike.

mod expire;
mod expire_rows;
mod random;
mod rows;
mod scan;
#[cfg(test)]
mod tests;

pub use expire_rows::EXPIRE_SPECS;
pub use rows::SPECS;

use super::args::Args;
use super::ctx::{Ctx, LIGHT_COST, Outcome, Stop, afford};
use super::error::Error;
use crate::base::clock::Millis;
use crate::base::float::Extended;
use crate::ds::hash::{Given, Hash, Text};
use crate::ds::packed::Elem;
use crate::resp::{Argv, Reply};
use crate::store::{self, Key};

/// Longest value that is copied from the request; a longer one that was received
/// into its own buffer is kept there.
const COPY_MAX: usize = 192;
/// Fields of a packed hash that are passed in the time that one element takes.
const PASSED_PER_COST: usize = 16;
/// Names that a command may have without a look at how they are found.
const NAMES_FREE: usize = 16;

fn write_name(reply: &mut Reply, name: Elem<'_>) {
    match name {
        Elem::Int(int) => reply.bulk_int(int),
        Elem::Str(bytes) => reply.bulk(bytes),
    }
}

fn write_text(reply: &mut Reply, text: Text<'_>) {
    match text {
        Text::Int(int) => reply.bulk_int(int),
        Text::Str(bytes) => reply.bulk(bytes),
        Text::Shared(bytes) => reply.bulk_shared(bytes),
    }
}

fn write_nullable(reply: &mut Reply, text: Option<Text<'_>>) {
    match text {
        Some(text) => write_text(reply, text),
        None => reply.null(),
    }
}

/// Argument `at` as a value to store.
fn given<'a>(argv: Argv<'a>, at: usize) -> Given<'a> {
    let text = argv.get(at);
    if text.len() > COPY_MAX
        && let Some(shared) = argv.shared(at)
    {
        return Given::Shared(shared);
    }
    Given::Text(text)
}

/// The arguments as names with values.
fn pairs<'a>(argv: Argv<'a>) -> impl ExactSizeIterator<Item = (&'a [u8], Given<'a>)> + Clone {
    (0..argv.len() / 2).map(move |i| (argv.get(2 * i), given(argv, 2 * i + 1)))
}

/// Leaves a command that names many fields of a hash to the pool.
fn afford_names(ctx: &Ctx<'_, '_>, key: Key<'_>, count: usize) -> Outcome {
    if count <= NAMES_FREE {
        return Ok(());
    }
    let effort = 1 + ctx.db.hash_find_effort(key)? / PASSED_PER_COST;
    ctx.afford(count.saturating_mul(effort))
}

/// Hands the hash at `key` to `read`, with the time; whether there is one. Where
/// `cost` says that reading takes long, it happens on an image without the locks.
fn read_hash(
    ctx: &mut Ctx<'_, '_>,
    key: Key<'_>,
    cost: impl FnOnce(&Hash) -> usize,
    read: impl FnOnce(&mut Reply, &Hash, Millis),
) -> Result<bool, Stop> {
    let (alone, now) = (ctx.alone, ctx.db.now);
    let Some(hash) = ctx.db.hash(key)? else {
        return Ok(false);
    };
    let cost = cost(&hash);
    afford(alone, cost)?;
    if cost <= LIGHT_COST {
        read(ctx.reply, &hash, now);
        return Ok(true);
    }
    let image = hash.image();
    ctx.db.release();
    read(ctx.reply, &image, now);
    Ok(true)
}

// Setting.

fn set(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Result<usize, Stop> {
    if !argv.len().is_multiple_of(2) {
        return Err(Error::Arity(ctx.command.full_name.clone()).into());
    }
    let (key, limit) = (ctx.key(argv), ctx.hash_limit());
    let pairs = pairs(argv.from(2));
    afford_names(ctx, key, argv.len() / 2)?;
    Ok(ctx.db.hash_set(key, pairs, limit)?)
}

fn hset(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let new = set(ctx, argv)?;
    ctx.reply.len(new);
    Ok(())
}

fn hmset(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    set(ctx, argv)?;
    ctx.reply.ok();
    Ok(())
}

fn hsetnx(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (key, limit) = (ctx.key(argv), ctx.hash_limit());
    let pair = (argv.get(2), given(argv, 3));
    let new = ctx.db.hash_set_new(key, pair, limit)?;
    ctx.reply.int(i64::from(new));
    Ok(())
}

fn hincrby(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let delta = Args::from(argv, 3).int()?;
    let (key, limit) = (ctx.key(argv), ctx.hash_limit());
    let sum = ctx.db.hash_increment(key, argv.get(2), delta, limit)?;
    ctx.reply.int(sum);
    Ok(())
}

fn hincrbyfloat(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const INFINITE: Error = Error::text("ERR value is NaN or Infinity");
    let delta = Extended::parse(argv.get(3)).ok_or(store::Error::NotFloat)?;
    if delta.is_infinite() {
        return Err(INFINITE.into());
    }
    let (key, limit) = (ctx.key(argv), ctx.hash_limit());
    let sum = (ctx.db).hash_increment_float(key, argv.get(2), delta, limit)?;
    ctx.reply.bulk(&sum);
    Ok(())
}

fn hdel(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (key, names) = (ctx.key(argv), argv.from(2));
    afford_names(ctx, key, names.len())?;
    let much = names.len() > LIGHT_COST;
    let removed = ctx.db.hash_delete(key, names.iter(), much)?;
    ctx.reply.len(removed);
    Ok(())
}

// Reading one field, or some.

/// Hands the field that argument 2 names to `read`, unless there is none.
fn find<R>(
    ctx: &mut Ctx<'_, '_>,
    argv: Argv<'_>,
    read: impl FnOnce(&mut Reply, Text<'_>) -> R,
) -> Result<Option<R>, Stop> {
    let (key, alone, now) = (ctx.key(argv), ctx.alone, ctx.db.now);
    let reply = &mut *ctx.reply;
    let Some(hash) = ctx.db.hash(key)? else {
        return Ok(None);
    };
    afford(alone, hash.find_effort())?;
    Ok(hash.find(argv.get(2), now, |item| read(reply, item.value)))
}

fn hget(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    if find(ctx, argv, write_text)?.is_none() {
        ctx.reply.null();
    }
    Ok(())
}

fn hexists(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let found = find(ctx, argv, |_, _| ())?.is_some();
    ctx.reply.int(i64::from(found));
    Ok(())
}

fn hstrlen(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let len = find(ctx, argv, |_, text| text.len())?;
    ctx.reply.len(len.unwrap_or(0));
    Ok(())
}

fn hmget(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (key, now, names) = (ctx.key(argv), ctx.db.now, argv.from(2));
    afford_names(ctx, key, names.len())?;
    let reply = &mut *ctx.reply;
    let hash = ctx.db.hash(key)?;
    reply.array(names.len());
    for name in names.iter() {
        let found = (hash.as_ref())
            .and_then(|hash| hash.find(name, now, |item| write_text(reply, item.value)));
        if found.is_none() {
            reply.null();
        }
    }
    Ok(())
}

// Reading all.

fn hlen(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (key, now) = (ctx.key(argv), ctx.db.now);
    let cost = |hash: &Hash| hash.live_len_effort(now);
    let found = read_hash(ctx, key, cost, |reply, hash, now| {
        reply.len(hash.live_len(now));
    })?;
    if !found {
        ctx.reply.int(0);
    }
    Ok(())
}

fn hgetall(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let found = read_hash(ctx, key, Hash::len, |reply, hash, now| {
        reply.map(hash.live_len(now));
        hash.for_each(now, |item| {
            write_name(reply, item.name);
            write_text(reply, item.value);
        });
    })?;
    if !found {
        ctx.reply.map(0);
    }
    Ok(())
}

fn hkeys(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let found = read_hash(ctx, key, Hash::len, |reply, hash, now| {
        reply.array(hash.live_len(now));
        hash.for_each(now, |item| write_name(reply, item.name));
    })?;
    if !found {
        ctx.reply.array(0);
    }
    Ok(())
}

fn hvals(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let found = read_hash(ctx, key, Hash::len, |reply, hash, now| {
        reply.array(hash.live_len(now));
        hash.for_each(now, |item| write_text(reply, item.value));
    })?;
    if !found {
        ctx.reply.array(0);
    }
    Ok(())
}
