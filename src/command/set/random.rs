//! SPOP and SRANDMEMBER.

use super::{read_set, write_elem, write_members};
use crate::command::args::Args;
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome};
use crate::command::error::Error;
use crate::ds::set::{Set, Taken};
use crate::resp::{Argv, Reply};
use crate::store;

/// A choice of more than this part of a set passes all of it.
const PASSED_PART: usize = 3;
/// Members drawn between two looks at whether there is a reply still.
const DRAWS_A_LOOK: usize = 4096;

pub fn spop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const RANGE: Error = Error::text("ERR value is out of range, must be positive");
    match argv.len() {
        2 => pop_one(ctx, argv),
        3 => {
            let count = Args::from(argv, 2).size_or(RANGE)?;
            pop_many(ctx, argv, count)
        }
        _ => Err(Error::Syntax.into()),
    }
}

fn pop_one(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let reply = &mut *ctx.reply;
    if !ctx
        .db
        .set_pop(key, ctx.rng, |elem| write_elem(reply, elem))?
    {
        ctx.reply.null();
    }
    Ok(())
}

fn write_taken(reply: &mut Reply, taken: &[Taken]) {
    reply.set(taken.len());
    taken.iter().for_each(|one| write_elem(reply, one.elem()));
}

fn pop_many(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, count: usize) -> Outcome {
    let (key, rules) = (ctx.key(argv), ctx.set_rules());
    let len = ctx.db.set_len(key)?;
    let count = count.min(len);
    ctx.afford(count)?;
    if count > LIGHT_COST {
        let mark = ctx.reply.mark();
        let reply = &mut *ctx.reply;
        let write = |taken: &[Taken]| {
            reply.rewind(mark);
            write_taken(reply, taken);
        };
        ctx.db.set_pop_aside(key, count, (ctx.rng, rules), write)?;
    } else if count == len {
        match ctx.db.peek_sets(&[key])?.first() {
            Some(Some(set)) => write_members(ctx.reply, set),
            _ => ctx.reply.set(0),
        }
        ctx.db.set_pop_all(key);
    } else {
        let taken = ctx.db.set_pop_many(key, count, ctx.rng, rules)?;
        write_taken(ctx.reply, &taken);
    }
    Ok(())
}

pub fn srandmember(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    match argv.len() {
        2 => random_one(ctx, argv),
        3 => random_many(ctx, argv),
        _ => Err(Error::Syntax.into()),
    }
}

fn random_one(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let found = read_set(
        ctx,
        key,
        |_| 1,
        |reply, rng, set| match set.random(rng) {
            Some(member) => write_elem(reply, member.elem()),
            None => reply.null(),
        },
    )?;
    if !found {
        ctx.reply.null();
    }
    Ok(())
}

/// Several members: different ones for a positive count, any for a negative one.
fn random_many(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const RANGE: Error = Error::text(
        "ERR value is out of range, value must between \
         -9223372036854775807 and 9223372036854775807",
    );
    let count = match Args::from(argv, 2).int_or(store::Error::NotInteger.into())? {
        i64::MIN => return Err(RANGE.into()),
        count => count,
    };
    let key = ctx.key(argv);
    let many = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let found = if count < 0 {
        read_set(
            ctx,
            key,
            |_| many,
            |reply, rng, set| {
                reply.array(many);
                let mut left = many;
                while left > 0 && reply.dropped() == 0 {
                    let some = left.min(DRAWS_A_LOOK);
                    set.draw(some, rng, |elem| write_elem(reply, elem));
                    left -= some;
                }
            },
        )?
    } else {
        let cost = |set: &Set| match many.min(set.len()) {
            many if many > set.len() / PASSED_PART => set.len(),
            many => many,
        };
        read_set(ctx, key, cost, |reply, rng, set| {
            let chosen = set.choose(many, rng);
            reply.array(chosen.len());
            chosen
                .iter()
                .for_each(|member| write_elem(reply, member.elem()));
        })?
    };
    if !found {
        ctx.reply.array(0);
    }
    Ok(())
}
