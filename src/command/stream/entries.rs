//! Entries: adding, counting, reading ranges, deleting, trimming.

use super::options::{self, TrimOptions, entry_id, entry_ids, interval};
use super::{read_stream, write_entries, write_id};
use crate::command::args::Args;
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome, Stop};
use crate::command::error::Error;
use crate::ds::stream::{NewId, References, Stream, StreamId, Trim};
use crate::resp::Argv;
use crate::store::Key;
use crate::store::stream::{Addition, Fate, NewIds};

/// Nodes that one step of cost stands for when they are removed.
const NODES_OF_COST: usize = 4;

/// Leaves a trim that removes many nodes, or looks at many entries, to the pool; there,
/// says whether it does.
fn afford_trim(
    ctx: &Ctx<'_, '_>,
    key: Key<'_>,
    trim: Option<Trim>,
    more: usize,
) -> Result<bool, Stop> {
    let cost = match (trim, ctx.db.peek_stream(key)) {
        (Some(trim), Ok(Some(stream))) => {
            let nodes = stream.trim_cost(trim, LIGHT_COST / NODES_OF_COST + 1);
            nodes * NODES_OF_COST + stream.trim_looks_at(trim, LIGHT_COST + 1)
        }
        _ => 0,
    };
    ctx.afford(more + cost)?;
    Ok(cost > LIGHT_COST)
}

pub fn xadd(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const ZERO: Error = Error::text("ERR The ID specified in XADD must be greater than 0-0");
    let mut args = Args::from(argv, 2);
    let options = TrimOptions::read(&mut args, true)?;
    let Some(id) = options
        .id
        .filter(|_| args.left() >= 2 && args.left().is_multiple_of(2))
    else {
        return Err(Error::Arity(ctx.command.full_name.clone()).into());
    };
    if id == NewId::Exact(StreamId::MIN) {
        return Err(ZERO.into());
    }
    let (key, limit) = (ctx.key(argv), ctx.stream_limit());
    let trim = options.trim(limit.entries);
    let much = afford_trim(ctx, key, trim, args.left() / 2)?;
    let first = args.position();
    let fields = (first..argv.len())
        .step_by(2)
        .map(|at| (argv.get(at), argv.get(at + 1)));
    let addition = Addition {
        id,
        create: !options.no_create,
        trim,
        limit,
        much,
    };
    match ctx.db.stream_add(key, addition, fields)? {
        Some(id) => write_id(ctx.reply, id),
        None => ctx.reply.null(),
    }
    Ok(())
}

pub fn xtrim(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let options = TrimOptions::read(&mut Args::from(argv, 2), false)?;
    let Some(trim) = options.trim(ctx.stream_limit().entries) else {
        return Err(Error::Syntax.into());
    };
    let key = ctx.key(argv);
    let much = afford_trim(ctx, key, Some(trim), 0)?;
    let removed = ctx.db.stream_trim(key, trim, much)?;
    ctx.reply.len(removed);
    Ok(())
}

pub fn xlen(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let len = (ctx.db.stream(key)?).map_or(0, |stream| stream.len());
    ctx.reply.len(len);
    Ok(())
}

fn range(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, ascending: bool) -> Outcome {
    let (start, end) = if ascending { (2, 3) } else { (3, 2) };
    let ids = interval(argv.get(start), argv.get(end))?;
    let mut args = Args::from(argv, 4);
    let mut count = None;
    while !args.is_done() {
        if args.left() < 2 || !args.word("COUNT") {
            return Err(Error::Syntax.into());
        }
        count = Some(usize::try_from(args.int()?).unwrap_or(0));
    }
    let max = count.unwrap_or(usize::MAX);
    let some = |stream: &Stream| stream.count(&ids, max.min(LIGHT_COST + 1));
    let key = ctx.key(argv);
    let found = read_stream(ctx, key, some, |reply, stream| {
        if max == 0 {
            return reply.null_array();
        }
        let count = stream.count(&ids, max);
        if ascending {
            write_entries(reply, count, stream.range(ids.clone()));
        } else {
            write_entries(reply, count, stream.range_back(ids.clone()));
        }
    })?;
    if found.is_none() {
        ctx.reply.array(0);
    }
    Ok(())
}

pub fn xrange(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    range(ctx, argv, true)
}

pub fn xrevrange(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    range(ctx, argv, false)
}

pub fn xdel(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    // Redis looks at the ids only when there is a stream.
    if ctx.db.peek_stream(key)?.is_none() {
        ctx.reply.int(0);
        return Ok(());
    }
    let ids = entry_ids(argv, 2)?;
    ctx.afford(ids.len())?;
    let deleted = ctx.db.stream_delete(key, &ids)?;
    ctx.reply.len(deleted);
    Ok(())
}

/// What XDELEX and XACKDEL are told: what becomes of references, and the ids.
fn deletion(mut args: Args<'_>) -> Result<(References, Vec<StreamId>), Error> {
    const NOT_POSITIVE: Error = Error::text("ERR Number of IDs must be a positive integer");
    const MISMATCH: Error =
        Error::text("ERR The `numids` parameter must match the number of arguments");
    let (mut references, mut ids) = (References::Keep, None);
    while !args.is_done() {
        if let Some(said) = options::references(&mut args) {
            references = said;
        } else if ids.is_none() && args.word("IDS") {
            let count = args.size_or(NOT_POSITIVE)?;
            if count == 0 {
                return Err(NOT_POSITIVE);
            }
            if count > args.left() {
                return Err(MISMATCH);
            }
            let named: Result<Vec<_>, _> = (0..count).map(|_| args.bytes()).collect();
            ids = Some(named?);
        } else {
            return Err(Error::Syntax);
        }
    }
    let ids = ids.ok_or(Error::Syntax)?;
    let ids: Result<Vec<_>, _> = ids.into_iter().map(entry_id).collect();
    Ok((references, ids?))
}

fn delete_with(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, group: Option<&[u8]>) -> Outcome {
    let first = if group.is_some() { 3 } else { 2 };
    let (references, ids) = deletion(Args::from(argv, first))?;
    let key = ctx.key(argv);
    let groups = (ctx.db.peek_stream(key)?).map_or(0, |stream| stream.group_count());
    let each = match references {
        References::Keep => 1,
        _ => 1 + groups,
    };
    ctx.afford(ids.len().saturating_mul(each))?;
    let fates = ctx.db.stream_delete_with(key, group, references, &ids)?;
    let fates = fates.unwrap_or_else(|| vec![Fate::Unknown; ids.len()]);
    ctx.reply.array(fates.len());
    for fate in fates {
        ctx.reply.int(match fate {
            Fate::Unknown => -1,
            Fate::Deleted => 1,
            Fate::Kept => 2,
        });
    }
    Ok(())
}

pub fn xdelex(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    delete_with(ctx, argv, None)
}

pub fn xackdel(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    delete_with(ctx, argv, Some(argv.get(2)))
}

pub fn xsetid(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const NEGATIVE: Error = Error::text("ERR entries_added must be positive");
    const BELOW: Error = Error::text(
        "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
    );
    let mut ids = NewIds {
        last: entry_id(argv.get(2))?,
        added: None,
        max_deleted: None,
    };
    let mut args = Args::from(argv, 3);
    while !args.is_done() {
        let valued = args.left() > 1;
        if valued && args.word("ENTRIESADDED") {
            ids.added = Some(u64::try_from(args.int()?).map_err(|_| NEGATIVE)?);
        } else if valued && args.word("MAXDELETEDID") {
            let deleted = entry_id(args.bytes()?)?;
            if ids.last < deleted {
                return Err(BELOW.into());
            }
            // The least id stands for none, and changes nothing.
            ids.max_deleted = Some(deleted).filter(|id| *id != StreamId::MIN);
        } else {
            return Err(Error::Syntax.into());
        }
    }
    ctx.db.stream_set_ids(ctx.key(argv), ids)?;
    ctx.reply.ok();
    Ok(())
}
