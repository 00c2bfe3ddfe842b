//! XGROUP, XACK and XPENDING: groups, and what is pending in them.

use super::options::{edge_id, entry_id, entry_ids, interval};
use super::{no_group, no_group_in, no_such_form, read_stream, write_id};
use crate::command::args::Args;
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome, Stop};
use crate::command::error::Error;
use crate::command::help;
use crate::ds::stream::{Group, Ids, Stream};
use crate::resp::{Argv, Reply};
use crate::store::Key;
use crate::store::entry::Type;

/// The key of an XGROUP subcommand.
fn key<'a>(ctx: &Ctx<'_, '_>, argv: Argv<'a>) -> Key<'a> {
    ctx.nth_key(argv, 0, 2)
}

/// What CREATE and SETID are told besides the id.
#[derive(Clone, Copy, Debug, Default)]
struct GroupOptions {
    make_stream: bool,
    entries_read: Option<i64>,
}

impl GroupOptions {
    fn parse(argv: Argv<'_>, creates: bool) -> Result<GroupOptions, Error> {
        const NEGATIVE: Error = Error::text("ERR value for ENTRIESREAD must be positive or -1");
        let mut args = Args::from(argv, 5);
        let mut options = GroupOptions::default();
        while !args.is_done() {
            if creates && args.word("MKSTREAM") {
                options.make_stream = true;
            } else if args.left() > 1 && args.word("ENTRIESREAD") {
                options.entries_read = match args.int()? {
                    -1 => None,
                    ..0 => return Err(NEGATIVE),
                    read => Some(read),
                };
            } else {
                return Err(no_such_form("XGROUP", argv.get(1)));
            }
        }
        Ok(options)
    }
}

/// Refuses a key that holds no stream; with `group`, one without that group.
fn expect_group(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, group: Option<&[u8]>) -> Result<(), Stop> {
    const NO_STREAM: Error = Error::text(
        "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want \
         to use the MKSTREAM option to create an empty stream automatically.",
    );
    let key = key(ctx, argv);
    let Some(stream) = ctx.db.peek_stream(key)? else {
        return Err(NO_STREAM.into());
    };
    match group {
        Some(group) if stream.group(group).is_none() => Err(no_group_in(key.bytes, group).into()),
        _ => Ok(()),
    }
}

pub fn xgroup_create(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    /// Each option once.
    const ARGS_MAX: usize = 8;
    let options = GroupOptions::parse(argv, true)?;
    if options.make_stream {
        ctx.db.expect_type(key(ctx, argv), Type::Stream)?;
    } else {
        expect_group(ctx, argv, None)?;
    }
    if argv.len() > ARGS_MAX {
        return Err(no_such_form("XGROUP", argv.get(1)).into());
    }
    let start = match argv.get(4) {
        b"$" => None,
        id => Some(entry_id(id)?),
    };
    let key = key(ctx, argv);
    ctx.db
        .group_create(key, argv.get(3), start, options.entries_read)?;
    ctx.reply.ok();
    Ok(())
}

pub fn xgroup_setid(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let options = GroupOptions::parse(argv, false)?;
    expect_group(ctx, argv, Some(argv.get(3)))?;
    if !matches!(argv.len(), 5 | 7) {
        return Err(no_such_form("XGROUP", argv.get(1)).into());
    }
    let start = match argv.get(4) {
        b"$" => None,
        id => Some(edge_id(id)?),
    };
    let key = key(ctx, argv);
    ctx.db
        .group_set_id(key, argv.get(3), start, options.entries_read)?;
    ctx.reply.ok();
    Ok(())
}

pub fn xgroup_destroy(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    expect_group(ctx, argv, None)?;
    let removed = ctx.db.group_destroy(key(ctx, argv), argv.get(3))?;
    ctx.reply.int(i64::from(removed));
    Ok(())
}

pub fn xgroup_createconsumer(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    expect_group(ctx, argv, Some(argv.get(3)))?;
    let key = key(ctx, argv);
    let added = ctx.db.group_add_consumer(key, argv.get(3), argv.get(4))?;
    ctx.reply.int(i64::from(added == Some(true)));
    Ok(())
}

pub fn xgroup_delconsumer(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    expect_group(ctx, argv, Some(argv.get(3)))?;
    let (key, group, name) = (key(ctx, argv), argv.get(3), argv.get(4));
    let pending = |stream: &Stream| {
        let consumer = stream.group(group)?.consumer_named(name)?;
        Some(consumer.pending_len())
    };
    let cost = (ctx.db.peek_stream(key)?).and_then(|stream| pending(&stream));
    let cost = cost.unwrap_or(0);
    ctx.afford(cost)?;
    let pending = (ctx.db).group_remove_consumer(key, group, name, cost > LIGHT_COST)?;
    ctx.reply.len(pending.unwrap_or(0));
    Ok(())
}

pub fn xgroup_help(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    help::write(ctx.reply, "XGROUP", HELP);
    Ok(())
}

/// The words of Redis, which tools compare with.
const HELP: &[&str] = &[
    "CREATE <key> <groupname> <id|$> [option]",
    "    Create a new consumer group. Options are:",
    "    * MKSTREAM",
    "      Create the empty stream if it does not exist.",
    "    * ENTRIESREAD entries_read",
    "      Set the group's entries_read counter (internal use).",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Create a new consumer in the specified group.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove the specified consumer.",
    "DESTROY <key> <groupname>",
    "    Remove the specified group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
    "    Set the current group ID and entries_read counter.",
];

pub fn xack(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (key, group) = (ctx.key(argv), argv.get(2));
    let known = (ctx.db.stream(key)?).is_some_and(|stream| stream.group(group).is_some());
    // Redis looks at the ids only when there is a group.
    if !known {
        ctx.reply.int(0);
        return Ok(());
    }
    let ids = entry_ids(argv, 3)?;
    ctx.afford(ids.len())?;
    let acknowledged = ctx.db.group_acknowledge(key, group, &ids)?;
    ctx.reply.len(acknowledged);
    Ok(())
}

/// What the long form of XPENDING asks for.
#[derive(Clone, Debug)]
struct Search<'a> {
    ids: Ids,
    count: usize,
    min_idle: i64,
    consumer: Option<&'a [u8]>,
}

impl<'a> Search<'a> {
    fn parse(argv: Argv<'a>) -> Result<Search<'a>, Error> {
        let mut args = Args::from(argv, 3);
        let mut min_idle = 0;
        if args.word("IDLE") {
            min_idle = args.int()?;
        }
        if args.left() < 3 {
            return Err(Error::Syntax);
        }
        let (start, end) = (args.bytes()?, args.bytes()?);
        let count = usize::try_from(args.int()?).unwrap_or(0);
        let ids = interval(start, end)?;
        Ok(Search {
            ids,
            count,
            min_idle,
            consumer: args.peek(),
        })
    }

    /// Pending entries that it looks at, at most.
    fn cost(&self, group: &Group) -> usize {
        if self.min_idle != 0 {
            group.pending_len()
        } else {
            group.pending_len().min(self.count)
        }
    }

    fn write(&self, reply: &mut Reply, group: &Group, now: i64) {
        let owner = match self.consumer.map(|name| group.consumer_named(name)) {
            Some(None) => return reply.array(0),
            owner => owner.flatten(),
        };
        let idle = |time: i64| now.saturating_sub(time);
        let found: Vec<_> = (group.pending_within(&self.ids, owner))
            .filter(|(_, pending)| self.min_idle == 0 || idle(pending.time) >= self.min_idle)
            .take(self.count)
            .collect();
        reply.array(found.len());
        for (id, pending) in found {
            reply.array(4);
            write_id(reply, id);
            let owner = group.consumer(pending.consumer);
            reply.bulk(owner.map_or(b"", |owner| owner.name()));
            reply.int(idle(pending.time).max(0));
            reply.int(pending.count);
        }
    }
}

pub fn xpending(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let search = match argv.len() {
        3 => None,
        6..=9 => Some(Search::parse(argv)?),
        _ => return Err(Error::Syntax.into()),
    };
    let (key, name, now) = (ctx.key(argv), argv.get(2), ctx.db.now);
    let cost = |stream: &Stream| {
        let group = stream.group(name);
        group.map_or(0, |group| match &search {
            None => group.consumer_len(),
            Some(search) => search.cost(group),
        })
    };
    let found = read_stream(ctx, key, cost, |reply, stream| {
        let group = stream.group(name)?;
        match &search {
            None => write_summary(reply, group),
            Some(search) => search.write(reply, group, now),
        }
        Some(())
    })?;
    match found.flatten() {
        Some(()) => Ok(()),
        None => Err(no_group(key.bytes, name, "").into()),
    }
}

/// How much is pending, from which id to which, and with whom.
fn write_summary(reply: &mut Reply, group: &Group) {
    reply.array(4);
    reply.len(group.pending_len());
    let Some((first, last)) = group.pending_edges() else {
        reply.null();
        reply.null();
        return reply.null_array();
    };
    write_id(reply, first);
    write_id(reply, last);
    let busy = || (group.consumers()).filter(|consumer| consumer.pending_len() > 0);
    reply.array(busy().count());
    for consumer in busy() {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_int(consumer.pending_len() as i64);
    }
}
