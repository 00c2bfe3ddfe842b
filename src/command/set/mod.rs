//! The set commands. Random members stand in `random`, what is computed from
//! several sets in `algebra`.
//!
//! What grows with a set is told before it starts ([`Ctx::afford`]), so that the
//! reactor leaves it to the pool; and a large set is read from an image, after the
//! locks are given back.

mod algebra;
mod random;
mod rows;
#[cfg(test)]
mod tests;

pub use rows::SPECS;

use algebra::{sdiff, sdiffstore, sinter, sintercard, sinterstore, sunion, sunionstore};
use random::{spop, srandmember};

use super::args::Args;
use super::ctx::{Ctx, LIGHT_COST, Outcome, Stop, afford};
use super::error::Error;
use super::scan::{COUNT_DEFAULT, cursor, matches, scan_count};
use crate::base::rng::Rng;
use crate::ds::packed::Elem;
use crate::ds::set::Set;
use crate::resp::{Argv, Reply};
use crate::store::Key;
use crate::store::entry::Type;

fn write_elem(reply: &mut Reply, elem: Elem<'_>) {
    match elem {
        Elem::Int(int) => reply.bulk_int(int),
        Elem::Str(bytes) => reply.bulk(bytes),
    }
}

fn write_members(reply: &mut Reply, set: &Set) {
    reply.set(set.len());
    (set.iter()).for_each(|member| write_elem(reply, member.elem()));
}

/// Hands the set at `key` to `read`; whether there is one. Where `cost` says that
/// reading takes long, it happens on an image without the locks.
fn read_set(
    ctx: &mut Ctx<'_, '_>,
    key: Key<'_>,
    cost: impl FnOnce(&Set) -> usize,
    read: impl FnOnce(&mut Reply, &mut Rng, &Set),
) -> Result<bool, Stop> {
    let Some(set) = ctx.db.read_set(key)? else {
        return Ok(false);
    };
    let cost = cost(&set);
    afford(ctx.alone, cost)?;
    if cost <= LIGHT_COST {
        read(ctx.reply, ctx.rng, &set);
        return Ok(true);
    }
    let image = set.image();
    ctx.db.release();
    read(ctx.reply, ctx.rng, &image);
    Ok(true)
}

// One set.

fn sadd(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (key, rules) = (ctx.key(argv), ctx.set_rules());
    let members = argv.from(2).iter();
    ctx.afford(members.len())?;
    let added = ctx.db.set_add(key, members, rules)?;
    ctx.reply.len(added);
    Ok(())
}

fn srem(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let members = argv.from(2).iter();
    ctx.afford(members.len())?;
    let much = members.len() > LIGHT_COST;
    let removed = ctx.db.set_remove(key, members, much)?;
    ctx.reply.len(removed);
    Ok(())
}

fn scard(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let len = (ctx.db.read_set(key)?).map_or(0, |set| set.len());
    ctx.reply.len(len);
    Ok(())
}

fn sismember(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let set = ctx.db.read_set(key)?;
    let found = set.is_some_and(|set| set.contains(argv.get(2)));
    ctx.reply.int(i64::from(found));
    Ok(())
}

fn smismember(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let members = argv.from(2).iter();
    ctx.afford(members.len())?;
    let set = ctx.db.read_set(key)?;
    ctx.reply.array(members.len());
    for member in members {
        let found = set.as_ref().is_some_and(|set| set.contains(member));
        ctx.reply.int(i64::from(found));
    }
    Ok(())
}

fn smembers(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    if !read_set(ctx, key, Set::len, |reply, _, set| {
        write_members(reply, set);
    })? {
        ctx.reply.set(0);
    }
    Ok(())
}

fn smove(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (from, to) = (ctx.nth_key(argv, 0, 1), ctx.nth_key(argv, 1, 2));
    let rules = ctx.set_rules();
    let moved = ctx.db.set_move(from, to, argv.get(3), rules)?;
    ctx.reply.int(i64::from(moved));
    Ok(())
}

/// The pattern and the count of SSCAN.
fn scan_options(mut args: Args<'_>) -> Result<(Option<&[u8]>, usize), Error> {
    let (mut pattern, mut count) = (None, COUNT_DEFAULT);
    while !args.is_done() {
        if args.word("MATCH") {
            pattern = Some(args.bytes()?);
        } else if args.word("COUNT") {
            count = scan_count(&mut args)?;
        } else {
            return Err(Error::Syntax);
        }
    }
    Ok((pattern, count))
}

fn sscan(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (key, cursor) = (ctx.key(argv), cursor(argv.get(2))?);
    // Redis looks at the options only when there is a set.
    if !ctx.db.expect_type(key, Type::Set)? {
        return write_scan(ctx.reply, 0, &[]);
    }
    let (pattern, count) = scan_options(Args::from(argv, 3))?;
    let cost = |set: &Set| count.min(set.len());
    read_set(ctx, key, cost, |reply, _, set| {
        let mut found: Vec<Vec<u8>> = Vec::new();
        let next = set.scan(cursor, count, |elem| {
            elem.with_bytes(|text| {
                if pattern.is_none_or(|pattern| matches(pattern, text)) {
                    found.push(text.to_vec());
                }
            });
        });
        let _ = write_scan(reply, next, &found);
    })?;
    Ok(())
}

fn write_scan(reply: &mut Reply, cursor: u64, found: &[Vec<u8>]) -> Outcome {
    reply.array(2);
    reply.bulk(itoa::Buffer::new().format(cursor).as_bytes());
    reply.array(found.len());
    found.iter().for_each(|member| reply.bulk(member));
    Ok(())
}
