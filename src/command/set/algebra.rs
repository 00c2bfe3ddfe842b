//! SINTER, SUNION and SDIFF, with what stores or counts their results.
//!
//! Large ones are computed from images without the locks. A result that is replied
//! with is that of the moment when the images were taken; one that is stored is
//! that of the moment when it is ([`store::Db::compute_aside`]).

use super::{write_elem, write_members};
use crate::command::args::Args;
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome};
use crate::command::error::Error;
use crate::ds::set::{Difference, Intersection, Item, Rules, Set, difference, union};
use crate::resp::{Argv, Reply};
use crate::store::Key;

/// What is computed from several sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Intersection,
    Union,
    Difference,
}

/// The sets of a command in its order; `None` for a key without one.
type Sets<'a> = [Option<&'a Set>];

/// The sets that are there.
fn present<'a>(sets: &Sets<'a>) -> Vec<&'a Set> {
    sets.iter().copied().flatten().collect()
}

/// The members of the intersection; none where a set is missing.
fn intersection<'a>(sets: &Sets<'a>) -> impl Iterator<Item = Item<'a>> {
    let all: Option<Vec<&Set>> = sets.iter().copied().collect();
    let members = all.and_then(|sets| Intersection::of(&sets));
    members.into_iter().flatten()
}

impl Operation {
    /// The event of storing the result.
    fn event(self) -> &'static str {
        match self {
            Operation::Intersection => "sinterstore",
            Operation::Union => "sunionstore",
            Operation::Difference => "sdiffstore",
        }
    }

    /// How many members are handled.
    fn cost(self, sets: &Sets<'_>) -> usize {
        let lens = sets.iter().map(|set| set.map_or(0, Set::len));
        match self {
            Operation::Intersection => lens.min().unwrap_or(0).saturating_mul(sets.len()),
            Operation::Union => lens.sum(),
            Operation::Difference => match sets {
                [Some(first), others @ ..] => Difference::plan(first, &present(others)).1,
                _ => 0,
            },
        }
    }

    fn compute(self, sets: &Sets<'_>, rules: Rules<'_>) -> Set {
        match self {
            Operation::Intersection => Set::gather(intersection(sets), rules),
            Operation::Union => union(&present(sets), rules),
            Operation::Difference => match sets {
                [Some(first), others @ ..] => difference(first, &present(others), rules),
                _ => Set::new(),
            },
        }
    }
}

/// The command's keys from number `nth` on, which are its arguments from `at` on.
fn keys_from<'a>(ctx: &Ctx<'_, '_>, argv: Argv<'a>, nth: usize, at: usize) -> Vec<Key<'a>> {
    (nth..ctx.hashes.len())
        .map(|n| ctx.nth_key(argv, n, at + n - nth))
        .collect()
}

/// Hands the sets at `keys` to `read`; from images without the locks, if handling
/// as many members as `cost` says takes long.
fn read_sets(
    ctx: &mut Ctx<'_, '_>,
    keys: &[Key<'_>],
    cost: impl FnOnce(&Sets<'_>) -> usize,
    read: impl FnOnce(&mut Reply, &Sets<'_>),
) -> Outcome {
    ctx.db.visit_sets(keys.iter().copied())?;
    let held = ctx.db.peek_sets(keys)?;
    let sets: Vec<Option<&Set>> = held.iter().map(Option::as_deref).collect();
    let cost = cost(&sets);
    ctx.afford(cost)?;
    if cost <= LIGHT_COST {
        read(ctx.reply, &sets);
        return Ok(());
    }
    let images = ctx.db.set_images(keys)?;
    ctx.db.release();
    let sets: Vec<Option<&Set>> = images.iter().map(Option::as_ref).collect();
    read(ctx.reply, &sets);
    Ok(())
}

pub fn sinter(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let keys = keys_from(ctx, argv, 0, 1);
    let cost = |sets: &Sets<'_>| Operation::Intersection.cost(sets);
    read_sets(ctx, &keys, cost, |reply, sets| {
        let members: Vec<Item<'_>> = intersection(sets).collect();
        reply.set(members.len());
        (members.iter()).for_each(|member| write_elem(reply, member.elem()));
    })
}

pub fn sintercard(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const NO_KEYS: Error = Error::text("ERR numkeys should be greater than 0");
    const TOO_MANY: Error = Error::text("ERR Number of keys can't be greater than number of args");
    let mut args = Args::from(argv, 1);
    let count = match args.size_or(NO_KEYS)? {
        0 => return Err(NO_KEYS.into()),
        count if count > args.left() => return Err(TOO_MANY.into()),
        count => count,
    };
    let mut args = Args::from(argv, 2 + count);
    let mut limit = 0;
    while !args.is_done() {
        if !args.word("LIMIT") {
            return Err(Error::Syntax.into());
        }
        limit = args.size_or(Error::text("ERR LIMIT can't be negative"))?;
    }
    let most = if limit == 0 { usize::MAX } else { limit };
    let keys = keys_from(ctx, argv, 0, 2);
    let cost = |sets: &Sets<'_>| Operation::Intersection.cost(sets);
    read_sets(ctx, &keys, cost, |reply, sets| {
        reply.len(intersection(sets).take(most).count());
    })
}

/// Replies with the result as a set of its own.
fn reply_with(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, operation: Operation) -> Outcome {
    let (keys, rules) = (keys_from(ctx, argv, 0, 1), ctx.set_rules());
    let cost = |sets: &Sets<'_>| operation.cost(sets);
    read_sets(ctx, &keys, cost, |reply, sets| {
        write_members(reply, &operation.compute(sets, rules));
    })
}

pub fn sunion(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    reply_with(ctx, argv, Operation::Union)
}

pub fn sdiff(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    reply_with(ctx, argv, Operation::Difference)
}

/// Stores the result at the first key and replies with its size.
fn store(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, operation: Operation) -> Outcome {
    let (to, keys) = (ctx.nth_key(argv, 0, 1), keys_from(ctx, argv, 1, 2));
    let rules = ctx.set_rules();
    ctx.db.visit_sets(keys.iter().copied())?;
    let held = ctx.db.peek_sets(&keys)?;
    let sets: Vec<Option<&Set>> = held.iter().map(Option::as_deref).collect();
    let cost = operation.cost(&sets);
    ctx.afford(cost)?;
    let result = if cost <= LIGHT_COST {
        operation.compute(&sets, rules)
    } else {
        let compute = |sets: &Sets<'_>| operation.compute(sets, rules);
        ctx.db.compute_aside(&keys, compute)?
    };
    let len = ctx.db.set_store(to, result, operation.event());
    ctx.reply.len(len);
    Ok(())
}

pub fn sinterstore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    store(ctx, argv, Operation::Intersection)
}

pub fn sunionstore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    store(ctx, argv, Operation::Union)
}

pub fn sdiffstore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    store(ctx, argv, Operation::Difference)
}
