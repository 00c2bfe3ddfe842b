//! The sorted set commands: here those on single elements and on the ends; ranges and
//! combinations have files of their own.
//!
//! What grows with the set is told before it starts ([`Ctx::afford`]), so that the
//! reactor leaves it to the pool; and much is read from an image of the set, after the
//! locks are given back.

mod blocking;
mod combine;
mod random;
mod range;
mod rows;
mod scan;
#[cfg(test)]
mod tests;

pub use blocking::SPECS as BLOCKING_SPECS;
pub use combine::SPECS as COMBINE_SPECS;
pub use range::SPECS as RANGE_SPECS;
pub use rows::SPECS;

use random::zrandmember;
use range::{zcount, zlexcount};
use scan::zscan;

use super::args::Args;
use super::ctx::{Ctx, LIGHT_COST, Outcome, Stop};
use super::error::Error;
use super::scored;
use crate::base::num;
use crate::ds::packed::Elem;
use crate::ds::zset::Entry;
use crate::resp::{Argv, Reply, Version};
use crate::store::Key;
use crate::store::zset::{End, Rules};

// Scores.

/// The options of ZADD: what it may touch, and whether moved elements count (CH).
fn zadd_options(args: &mut Args<'_>) -> Result<(Rules, bool), Error> {
    /// What the options begin with, in lower case.
    const FIRST: &[u8] = b"nxglci";
    let (mut rules, mut changed) = (Rules::default(), false);
    loop {
        // Mostly a score comes first.
        let first = args.peek().and_then(|arg| arg.first());
        if first.is_none_or(|first| !FIRST.contains(&first.to_ascii_lowercase())) {
            return Ok((rules, changed));
        }
        if args.word("NX") {
            rules.only_new = true;
        } else if args.word("XX") {
            rules.only_old = true;
        } else if args.word("GT") {
            rules.only_up = true;
        } else if args.word("LT") {
            rules.only_down = true;
        } else if args.word("CH") {
            changed = true;
        } else if args.word("INCR") {
            rules.add = true;
        } else {
            return Ok((rules, changed));
        }
    }
}

fn check_options(rules: Rules, args: &Args<'_>) -> Result<(), Error> {
    if args.is_done() || !args.left().is_multiple_of(2) {
        return Err(Error::Syntax);
    }
    if rules.only_new && rules.only_old {
        return Err(Error::text(
            "ERR XX and NX options at the same time are not compatible",
        ));
    }
    let exclusive = [rules.only_new, rules.only_up, rules.only_down];
    if exclusive.into_iter().filter(|option| *option).count() > 1 {
        return Err(Error::text(
            "ERR GT, LT, and/or NX options at the same time are not compatible",
        ));
    }
    if rules.add && args.left() > 2 {
        return Err(Error::text(
            "ERR INCR option supports a single increment-element pair",
        ));
    }
    Ok(())
}

fn zadd(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 2);
    let (rules, changed) = zadd_options(&mut args)?;
    check_options(rules, &args)?;
    update(ctx, argv, args, rules, changed)
}

fn zincrby(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let rules = Rules {
        add: true,
        ..Rules::default()
    };
    update(ctx, argv, Args::from(argv, 2), rules, false)
}

/// Updates the elements that the rest of the arguments name.
fn update(
    ctx: &mut Ctx<'_, '_>,
    argv: Argv<'_>,
    mut args: Args<'_>,
    rules: Rules,
    changed: bool,
) -> Outcome {
    let (key, limits) = (ctx.key(argv), ctx.zset_limits());
    let updated = if args.left() == 2 {
        let pair = (args.float()?, args.bytes()?);
        (ctx.db).zset_update(key, std::iter::once(pair), rules, limits)?
    } else {
        let mut pairs = Vec::with_capacity(args.left() / 2);
        while !args.is_done() {
            pairs.push((args.float()?, args.bytes()?));
        }
        ctx.afford(pairs.len())?;
        (ctx.db).zset_update(key, pairs.iter().copied(), rules, limits)?
    };
    match (rules.add, updated.score) {
        (true, Some(score)) => ctx.reply.double(score),
        (true, None) => ctx.reply.null(),
        (false, _) if changed => ctx.reply.len(updated.added + updated.moved),
        (false, _) => ctx.reply.len(updated.added),
    }
    Ok(())
}

fn zrem(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (key, members) = (ctx.key(argv), argv.from(2).iter());
    ctx.afford(members.len())?;
    let removed = ctx.db.zset_remove(key, members)?;
    ctx.reply.len(removed);
    Ok(())
}

fn write_score(reply: &mut Reply, score: Option<f64>) {
    match score {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}

fn zscore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let score = (ctx.db.zset(key)?).and_then(|zset| zset.score(argv.get(2)));
    write_score(ctx.reply, score);
    Ok(())
}

fn zmscore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (key, members) = (ctx.key(argv), argv.from(2).iter());
    ctx.afford(members.len())?;
    let zset = ctx.db.zset(key)?;
    ctx.reply.array(members.len());
    for member in members {
        let score = zset.as_ref().and_then(|zset| zset.score(member));
        write_score(ctx.reply, score);
    }
    Ok(())
}

fn zcard(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let len = (ctx.db.zset(key)?).map_or(0, |zset| zset.len());
    ctx.reply.len(len);
    Ok(())
}

// Ranks.

fn rank(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, from: End) -> Outcome {
    let mut args = Args::from(argv, 3);
    if args.left() > 1 {
        return Err(Error::Arity(ctx.command.full_name.clone()).into());
    }
    let with_score = args.word("WITHSCORE");
    args.end()?;
    let key = ctx.key(argv);
    let found = ctx.db.zset(key)?.and_then(|zset| {
        let (rank, score) = zset.rank(argv.get(2))?;
        Some(match from {
            End::Min => (rank, score),
            End::Max => (zset.len() - 1 - rank, score),
        })
    });
    match (found, with_score) {
        (None, false) => ctx.reply.null(),
        (None, true) => ctx.reply.null_array(),
        (Some((rank, _)), false) => ctx.reply.len(rank),
        (Some((rank, score)), true) => {
            ctx.reply.array(2);
            ctx.reply.len(rank);
            ctx.reply.double(score);
        }
    }
    Ok(())
}

fn zrank(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    rank(ctx, argv, End::Min)
}

fn zrevrank(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    rank(ctx, argv, End::Max)
}

// Ends.

/// Pops elements and has them written to the reply; what `write` returns, nothing
/// without a set. Defers if they are many.
fn pop_from<R>(
    ctx: &mut Ctx<'_, '_>,
    key: Key<'_>,
    (end, count): (End, usize),
    mut write: impl FnMut(&mut Reply, usize, &mut dyn Iterator<Item = Entry<'_>>) -> R,
) -> Result<Option<R>, Stop> {
    let cost = if count <= 1 {
        count
    } else {
        let len = (ctx.db.peek_zset(key)?).map_or(0, |zset| zset.len());
        count.min(len)
    };
    ctx.afford(cost)?;
    let reply = &mut *ctx.reply;
    if cost <= LIGHT_COST {
        let popped = (ctx.db).zset_pop(key, end, count, |count, entries| {
            write(reply, count, entries)
        });
        return Ok(popped?);
    }
    let mark = reply.mark();
    let popped = (ctx.db).zset_pop_many(key, end, count, |count, entries| {
        reply.rewind(mark);
        write(reply, count, entries)
    });
    if !matches!(popped, Ok(Some(_))) {
        reply.rewind(mark);
    }
    Ok(popped?)
}

fn pop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, end: End) -> Outcome {
    const RANGE: Error = Error::text("ERR value is out of range, must be positive");
    let mut args = Args::from(argv, 2);
    if args.left() > 1 {
        return Err(Error::Syntax.into());
    }
    let one = args.is_done();
    let count = if one { 1 } else { args.size_or(RANGE)? };
    let key = ctx.key(argv);
    // A single element stands alone in RESP3 too.
    let nested = ctx.reply.version() == Version::Resp3 && !one;
    let popped = pop_from(ctx, key, (end, count), |reply, count, entries| {
        reply.array(if nested { count } else { 2 * count });
        entries.for_each(|entry| scored_pair(reply, entry.member, entry.score, nested));
    })?;
    if popped.is_none() {
        ctx.reply.array(0);
    }
    Ok(())
}

fn scored_pair(reply: &mut Reply, member: Elem<'_>, score: f64, nested: bool) {
    if nested {
        reply.array(2);
    }
    scored::member(reply, member);
    reply.double(score);
}

fn zpopmin(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    pop(ctx, argv, End::Min)
}

fn zpopmax(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    pop(ctx, argv, End::Max)
}

/// The arguments of ZMPOP from argument `at` on: how many keys, which end, how many
/// elements at most.
fn zmpop_options(argv: Argv<'_>, at: usize) -> Result<(usize, End, usize), Error> {
    const KEYS: Error = Error::text("ERR numkeys should be greater than 0");
    const COUNT: Error = Error::text("ERR count should be greater than 0");
    let keys = Args::from(argv, at).size_or(KEYS)?;
    if keys == 0 {
        return Err(KEYS);
    }
    let mut args = Args::from(argv, keys.saturating_add(at + 1));
    let end = if args.word("MIN") {
        End::Min
    } else if args.word("MAX") {
        End::Max
    } else {
        return Err(Error::Syntax);
    };
    let mut count = 1;
    if args.left() > 1 && args.word("COUNT") {
        count = args.size_or(COUNT)?;
        if count == 0 {
            return Err(COUNT);
        }
    }
    args.end()?;
    Ok((keys, end, count))
}

fn zmpop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let options = zmpop_options(argv, 1)?;
    if !multi_pop(ctx, argv, 2, options)? {
        ctx.reply.null_array();
    }
    Ok(())
}

/// Pops from the first of the keys, which stand at argument `first`, that has
/// elements; whether one has.
fn multi_pop(
    ctx: &mut Ctx<'_, '_>,
    argv: Argv<'_>,
    first: usize,
    (keys, end, count): (usize, End, usize),
) -> Result<bool, Stop> {
    for nth in 0..keys {
        let key = ctx.nth_key(argv, nth, first + nth);
        let popped = pop_from(ctx, key, (end, count), |reply, count, entries| {
            reply.array(2);
            reply.bulk(key.bytes);
            reply.array(count);
            entries.for_each(|entry| scored_pair(reply, entry.member, entry.score, true));
            count
        })?;
        if let Some(popped) = popped {
            log_pop(ctx, key, end, popped);
            return Ok(true);
        }
    }
    Ok(false)
}

/// What ZMPOP has done, without the keys it passed.
fn log_pop(ctx: &mut Ctx<'_, '_>, key: Key<'_>, end: End, count: usize) {
    let name = match end {
        End::Min => b"ZPOPMIN",
        End::Max => b"ZPOPMAX",
    };
    let mut text = Vec::new();
    num::push_i64(&mut text, count as i64);
    ctx.db.log_instead(&[name, key.bytes, &text]);
}
