//! The list commands.
//!
//! What grows with the list is told before it starts ([`Ctx::afford`]), so that
//! the reactor leaves it to the pool; and a large range is read from an image of
//! the list, after the locks are given back.

mod blocking;
mod blocking_rows;
mod rows;
#[cfg(test)]
mod tests;

pub use blocking_rows::SPECS as BLOCKING_SPECS;
pub use rows::SPECS;

use std::ops::Range;

use super::args::Args;
use super::ctx::{Ctx, LIGHT_COST, Outcome, Stop, afford};
use super::error::Error;
use crate::ds::list::{End, List, Search, Side, resolve_index, resolve_range};
use crate::ds::packed::{Elem, Value};
use crate::resp::{Argv, Reply};
use crate::store::entry::Type;
use crate::store::{self, Key};

fn write_elem(reply: &mut Reply, elem: Elem<'_>) {
    match elem {
        Elem::Int(int) => reply.bulk_int(int),
        Elem::Str(bytes) => reply.bulk(bytes),
    }
}

fn write_value(reply: &mut Reply, value: &Value) {
    match value {
        Value::Int(int) => reply.bulk_int(*int),
        Value::Str(bytes) => reply.bulk_shared(bytes),
    }
}

/// Hands the list at `key` to `read`; whether there is one. Where `cost` says
/// that reading takes long, it happens on an image without the locks.
fn read_list(
    ctx: &mut Ctx<'_, '_>,
    key: Key<'_>,
    cost: impl FnOnce(&List) -> usize,
    read: impl FnOnce(&mut Reply, &List),
) -> Result<bool, Stop> {
    let alone = ctx.alone;
    let Some(list) = ctx.db.list(key)? else {
        return Ok(false);
    };
    let cost = cost(&list);
    afford(alone, cost)?;
    if cost <= LIGHT_COST {
        read(ctx.reply, &list);
        return Ok(true);
    }
    let image = list.image();
    ctx.db.release();
    read(ctx.reply, &image);
    Ok(true)
}

// Ends.

fn push(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, end: End, existing: bool) -> Outcome {
    let (key, limit) = (ctx.key(argv), ctx.list_limit());
    let values = argv.from(2).iter();
    ctx.afford(values.len())?;
    let len = ctx.db.list_push(key, end, values, existing, limit)?;
    ctx.reply.len(len);
    Ok(())
}

fn lpush(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    push(ctx, argv, End::Head, false)
}

fn rpush(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    push(ctx, argv, End::Tail, false)
}

fn lpushx(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    push(ctx, argv, End::Head, true)
}

fn rpushx(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    push(ctx, argv, End::Tail, true)
}

fn pop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, end: End) -> Outcome {
    match argv.len() {
        2 => pop_one(ctx, argv, end),
        3 => pop_many(ctx, argv, end),
        _ => Err(Error::Arity(ctx.command.full_name.clone()).into()),
    }
}

fn pop_one(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, end: End) -> Outcome {
    let (key, limit) = (ctx.key(argv), ctx.list_limit());
    let reply = &mut *ctx.reply;
    let popped = (ctx.db).list_pop(key, end, limit, |elem| write_elem(reply, elem))?;
    if popped.is_none() {
        ctx.reply.null();
    }
    Ok(())
}

fn pop_many(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, end: End) -> Outcome {
    const RANGE: Error = Error::text("ERR value is out of range, must be positive");
    let count = Args::from(argv, 2).int_or(RANGE)?;
    let count = usize::try_from(count).map_err(|_| RANGE)?;
    let (key, limit) = (ctx.key(argv), ctx.list_limit());
    let len = ctx.db.list_len(key)?;
    ctx.afford(count.min(len))?;
    let much = count.min(len) > LIGHT_COST;
    let reply = &mut *ctx.reply;
    let mark = reply.mark();
    let found = (ctx.db).list_pop_many(key, end, count, (limit, much), |list, gone| {
        reply.rewind(mark);
        write_popped(reply, list, gone, end)
    })?;
    if !found {
        ctx.reply.rewind(mark);
        ctx.reply.null_array();
    }
    Ok(())
}

/// The elements that go, in the order in which one after the other is popped.
fn write_popped(reply: &mut Reply, list: &List, gone: Range<usize>, end: End) {
    reply.array(gone.len());
    let elems = list.range(gone);
    match end {
        End::Head => elems.for_each(|elem| write_elem(reply, elem)),
        End::Tail => elems.rev().for_each(|elem| write_elem(reply, elem)),
    }
}

fn lpop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    pop(ctx, argv, End::Head)
}

fn rpop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    pop(ctx, argv, End::Tail)
}

fn end_named(args: &mut Args<'_>) -> Result<End, Error> {
    if args.word("LEFT") {
        Ok(End::Head)
    } else if args.word("RIGHT") {
        Ok(End::Tail)
    } else {
        Err(Error::Syntax)
    }
}

fn lmpop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let options = multi_pop_options(Args::from(argv, 1))?;
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
    let limit = ctx.list_limit();
    for nth in 0..keys {
        let key = ctx.nth_key(argv, nth, first + nth);
        let count = count.min(ctx.db.list_len(key)?);
        if count == 0 {
            continue;
        }
        ctx.afford(count)?;
        let much = count > LIGHT_COST;
        let (reply, mut popped) = (&mut *ctx.reply, 0);
        let mark = reply.mark();
        let found = (ctx.db).list_pop_many(key, end, count, (limit, much), |list, gone| {
            popped = gone.len();
            reply.rewind(mark);
            reply.array(2);
            reply.bulk(key.bytes);
            write_popped(reply, list, gone, end)
        })?;
        if !found {
            // Somebody else has taken it meanwhile.
            ctx.reply.rewind(mark);
            continue;
        }
        let mut digits = itoa::Buffer::new();
        let name: &[u8] = if end == End::Head { b"LPOP" } else { b"RPOP" };
        (ctx.db).log_instead(&[name, key.bytes, digits.format(popped).as_bytes()]);
        return Ok(true);
    }
    Ok(false)
}

/// The arguments of LMPOP: how many keys, which end, how many elements at most.
fn multi_pop_options(mut args: Args<'_>) -> Result<(usize, End, usize), Error> {
    const KEYS: Error = Error::text("ERR numkeys should be greater than 0");
    const COUNT: Error = Error::text("ERR count should be greater than 0");
    let positive = |args: &mut Args<'_>, error: Error| match args.size_or(error.clone())? {
        0 => Err(error),
        number => Ok(number),
    };
    let keys = positive(&mut args, KEYS)?;
    for _ in 0..keys {
        args.bytes()?;
    }
    let end = end_named(&mut args)?;
    let count = if args.word("COUNT") {
        positive(&mut args, COUNT)?
    } else {
        1
    };
    args.end()?;
    Ok((keys, end, count))
}

fn move_element(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, from_end: End, to_end: End) -> Outcome {
    let (from, to) = (ctx.nth_key(argv, 0, 1), ctx.nth_key(argv, 1, 2));
    let limit = ctx.list_limit();
    match ctx.db.list_move((from, from_end), (to, to_end), limit)? {
        Some(value) => write_value(ctx.reply, &value),
        None => ctx.reply.null(),
    }
    Ok(())
}

fn lmove(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 3);
    let (from_end, to_end) = (end_named(&mut args)?, end_named(&mut args)?);
    move_element(ctx, argv, from_end, to_end)
}

fn rpoplpush(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    move_element(ctx, argv, End::Tail, End::Head)
}

// Reads.

fn llen(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let len = (ctx.db.list(key)?).map_or(0, |list| list.len());
    ctx.reply.len(len);
    Ok(())
}

fn lindex(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    // Redis looks at the index only when there is a list.
    if !ctx.db.expect_type(key, Type::List)? {
        ctx.reply.null();
        return Ok(());
    }
    let index = Args::from(argv, 2).int()?;
    read_list(
        ctx,
        key,
        |list| resolve_index(index, list.len()).map_or(0, |at| steps_to(list, at)),
        |reply, list| match resolve_index(index, list.len()).and_then(|at| list.get(at)) {
            Some(elem) => write_elem(reply, elem),
            None => reply.null(),
        },
    )?;
    Ok(())
}

/// What it takes at most to find an element: it is looked for from the nearer end,
/// node by node.
fn steps_to(list: &List, index: usize) -> usize {
    let from_end = list.len() - 1 - index;
    list.node_count().min(index.min(from_end))
}

fn lrange(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 2);
    let (start, stop) = (args.int()?, args.int()?);
    let range = |list: &List| resolve_range(start, stop, list.len()).unwrap_or(0..0);
    let key = ctx.key(argv);
    let found = read_list(
        ctx,
        key,
        |list| {
            let range = range(list);
            let walk = (!range.is_empty()).then(|| steps_to(list, range.start));
            range.len() + walk.unwrap_or(0)
        },
        |reply, list| {
            let range = range(list);
            reply.array(range.len());
            (list.range(range)).for_each(|elem| write_elem(reply, elem));
        },
    )?;
    if !found {
        ctx.reply.array(0);
    }
    Ok(())
}

/// The options of LPOS: what to search, and whether many are asked for.
fn search_options(mut args: Args<'_>) -> Result<(Search, bool), Error> {
    const ZERO_RANK: Error = Error::text(
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
         or use negative to start from the end of the list",
    );
    const RANK_RANGE: Error = Error::text(
        "ERR value is out of range, value must between \
         -9223372036854775807 and 9223372036854775807",
    );
    let mut search = Search {
        rank: 1,
        count: 1,
        max_len: 0,
    };
    let mut many = false;
    while !args.is_done() {
        if args.word("RANK") {
            search.rank = match args.int()? {
                0 => return Err(ZERO_RANK),
                i64::MIN => return Err(RANK_RANGE),
                rank => rank,
            };
        } else if args.word("COUNT") {
            search.count = args.size_or(Error::text("ERR COUNT can't be negative"))?;
            many = true;
        } else if args.word("MAXLEN") {
            search.max_len = args.size_or(Error::text("ERR MAXLEN can't be negative"))?;
        } else {
            return Err(Error::Syntax);
        }
    }
    Ok((search, many))
}

fn lpos(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (search, many) = search_options(Args::from(argv, 3))?;
    let steps = |list: &List| match search.max_len {
        0 => list.len(),
        max => list.len().min(max),
    };
    let key = ctx.key(argv);
    let found = read_list(ctx, key, steps, |reply, list| {
        let positions = list.positions(argv.get(2), search);
        if many {
            reply.array(positions.len());
            positions.into_iter().for_each(|at| reply.len(at));
        } else {
            match positions.first() {
                Some(at) => reply.len(*at),
                None => reply.null(),
            }
        }
    })?;
    match (found, many) {
        (true, _) => {}
        (false, true) => ctx.reply.array(0),
        (false, false) => ctx.reply.null(),
    }
    Ok(())
}

// Changes in the middle.

fn lset(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (key, limit) = (ctx.key(argv), ctx.list_limit());
    // Redis looks at the index only when there is a list.
    if !ctx.db.expect_type(key, Type::List)? {
        return Err(store::Error::NoSuchKey.into());
    }
    let index = Args::from(argv, 2).int()?;
    let nodes = ctx.db.list_nodes(key)?;
    ctx.afford(nodes)?;
    ctx.db.list_set(key, index, argv.get(3), limit)?;
    ctx.reply.ok();
    Ok(())
}

fn lrem(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let count = Args::from(argv, 2).int()?;
    let (key, limit) = (ctx.key(argv), ctx.list_limit());
    let len = ctx.db.list_len(key)?;
    ctx.afford(len)?;
    let how = (limit, len > LIGHT_COST);
    let removed = ctx.db.list_remove(key, count, argv.get(3), how)?;
    ctx.reply.len(removed);
    Ok(())
}

fn linsert(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 2);
    let side = if args.word("BEFORE") {
        Side::Before
    } else if args.word("AFTER") {
        Side::After
    } else {
        return Err(Error::Syntax.into());
    };
    let (key, limit) = (ctx.key(argv), ctx.list_limit());
    let len = ctx.db.list_len(key)?;
    ctx.afford(len)?;
    let how = (limit, len > LIGHT_COST);
    let len = (ctx.db).list_insert(key, side, argv.get(3), argv.get(4), how)?;
    ctx.reply.int(len);
    Ok(())
}

fn ltrim(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 2);
    let (start, stop) = (args.int()?, args.int()?);
    let (key, limit) = (ctx.key(argv), ctx.list_limit());
    let nodes = ctx.db.list_nodes(key)?;
    ctx.afford(nodes)?;
    ctx.db
        .list_trim(key, start, stop, (limit, nodes > LIGHT_COST))?;
    ctx.reply.ok();
    Ok(())
}
