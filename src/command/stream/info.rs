//! XINFO: what a stream, its groups and their consumers look like.

use super::{no_group_in, no_such_form, read_stream, write_entries, write_entry, write_id};
use crate::command::args::Args;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::command::help;
use crate::ds::stream::{ALL, Consumer, Group, Stream, StreamId};
use crate::resp::{Argv, Reply};
use crate::store;

/// Entries, and pending ones of each list, that FULL shows if nothing else is said.
const FULL_COUNT: usize = 10;

fn name(reply: &mut Reply, name: &str) {
    reply.bulk(name.as_bytes());
}

fn named_int(reply: &mut Reply, text: &str, value: i64) {
    name(reply, text);
    reply.int(value);
}

fn named_id(reply: &mut Reply, text: &str, id: StreamId) {
    name(reply, text);
    write_id(reply, id);
}

fn named_known(reply: &mut Reply, text: &str, value: Option<i64>) {
    name(reply, text);
    match value {
        Some(value) => reply.int(value),
        None => reply.null(),
    }
}

/// What behind FULL says how much to show; `None` without FULL.
fn full_count(argv: Argv<'_>) -> Result<Option<usize>, Error> {
    let other_form = || no_such_form("XINFO", argv.get(1));
    let mut args = Args::from(argv, 3);
    match args.left() {
        0 => return Ok(None),
        1 | 3 if args.word("FULL") => {}
        _ => return Err(other_form()),
    }
    if args.is_done() {
        return Ok(Some(FULL_COUNT));
    }
    if !args.word("COUNT") {
        return Err(other_form());
    }
    Ok(Some(match args.int()? {
        ..0 => FULL_COUNT,
        0 => usize::MAX,
        count => count as usize,
    }))
}

/// Roughly how many things FULL shows of each list up to `count`.
fn full_cost(stream: &Stream, count: usize) -> usize {
    let groups = stream.groups().map(|(_, group)| {
        let pending = group.pending_len();
        // Each is pending in the group, and with a consumer.
        let of_consumers = pending.min(count.saturating_mul(group.consumer_len()));
        1 + pending.min(count) + group.consumer_len() + of_consumers
    });
    stream.len().min(count) + stream.node_count() + groups.sum::<usize>()
}

pub fn xinfo_stream(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.nth_key(argv, 0, 2);
    // Redis looks at the options only when there is a stream.
    if ctx.db.peek_stream(key)?.is_none() {
        return Err(store::Error::NoSuchKey.into());
    }
    let full = full_count(argv)?;
    let cost = |stream: &Stream| match full {
        None => stream.node_count(),
        Some(count) => full_cost(stream, count),
    };
    let found = read_stream(ctx, key, cost, |reply, stream| {
        reply.map(if full.is_some() { 9 } else { 10 });
        write_counters(reply, stream);
        match full {
            None => write_edges(reply, stream),
            Some(count) => write_full(reply, stream, count),
        }
    })?;
    found.ok_or(store::Error::NoSuchKey.into())
}

fn write_counters(reply: &mut Reply, stream: &Stream) {
    named_int(reply, "length", stream.len() as i64);
    named_int(reply, "radix-tree-keys", stream.node_count() as i64);
    named_int(reply, "radix-tree-nodes", stream.radix_node_count() as i64);
    named_id(reply, "last-generated-id", stream.last_id());
    named_id(reply, "max-deleted-entry-id", stream.max_deleted_id());
    named_int(reply, "entries-added", stream.entries_added() as i64);
    named_id(reply, "recorded-first-entry-id", stream.first_id());
}

fn write_edges(reply: &mut Reply, stream: &Stream) {
    named_int(reply, "groups", stream.group_count() as i64);
    let edges = [
        ("first-entry", stream.range(ALL).next()),
        ("last-entry", stream.range_back(ALL).next()),
    ];
    for (text, entry) in edges {
        name(reply, text);
        match entry {
            Some(entry) => write_entry(reply, &entry),
            None => reply.null(),
        }
    }
}

fn write_full(reply: &mut Reply, stream: &Stream, count: usize) {
    name(reply, "entries");
    write_entries(reply, stream.len().min(count), stream.range(ALL));
    name(reply, "groups");
    reply.array(stream.group_count());
    for (text, group) in stream.groups() {
        reply.map(7);
        name(reply, "name");
        reply.bulk(text);
        named_id(reply, "last-delivered-id", group.last_id);
        named_known(reply, "entries-read", group.entries_read);
        named_known(reply, "lag", stream.lag(group));
        named_int(reply, "pel-count", group.pending_len() as i64);
        write_full_pending(reply, group, count);
        name(reply, "consumers");
        reply.array(group.consumer_len());
        for consumer in group.consumers() {
            write_full_consumer(reply, group, consumer, count);
        }
    }
}

fn write_full_pending(reply: &mut Reply, group: &Group, count: usize) {
    name(reply, "pending");
    let shown = group.pending_len().min(count);
    reply.array(shown);
    for (id, pending) in group.pending_from(StreamId::MIN).take(shown) {
        reply.array(4);
        write_id(reply, id);
        let owner = group.consumer(pending.consumer);
        reply.bulk(owner.map_or(b"", Consumer::name));
        reply.int(pending.time);
        reply.int(pending.count);
    }
}

fn write_full_consumer(reply: &mut Reply, group: &Group, consumer: &Consumer, count: usize) {
    reply.map(5);
    name(reply, "name");
    reply.bulk(consumer.name());
    named_int(reply, "seen-time", consumer.seen);
    named_int(reply, "active-time", consumer.active.unwrap_or(-1));
    named_int(reply, "pel-count", consumer.pending_len() as i64);
    name(reply, "pending");
    let shown = consumer.pending_len().min(count);
    reply.array(shown);
    for id in consumer.pending_from(StreamId::MIN).take(shown) {
        reply.array(3);
        write_id(reply, id);
        let pending = group.pending(id);
        reply.int(pending.map_or(0, |pending| pending.time));
        reply.int(pending.map_or(0, |pending| pending.count));
    }
}

pub fn xinfo_groups(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.nth_key(argv, 0, 2);
    let found = read_stream(ctx, key, Stream::group_count, |reply, stream| {
        reply.array(stream.group_count());
        for (text, group) in stream.groups() {
            reply.map(6);
            name(reply, "name");
            reply.bulk(text);
            named_int(reply, "consumers", group.consumer_len() as i64);
            named_int(reply, "pending", group.pending_len() as i64);
            named_id(reply, "last-delivered-id", group.last_id);
            named_known(reply, "entries-read", group.entries_read);
            named_known(reply, "lag", stream.lag(group));
        }
    })?;
    found.ok_or(store::Error::NoSuchKey.into())
}

pub fn xinfo_consumers(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (key, text, now) = (ctx.nth_key(argv, 0, 2), argv.get(3), ctx.db.now);
    let cost = |stream: &Stream| stream.group(text).map_or(0, Group::consumer_len);
    let found = read_stream(ctx, key, cost, |reply, stream| {
        let group = stream.group(text)?;
        reply.array(group.consumer_len());
        for consumer in group.consumers() {
            reply.map(4);
            name(reply, "name");
            reply.bulk(consumer.name());
            named_int(reply, "pending", consumer.pending_len() as i64);
            named_int(reply, "idle", now.saturating_sub(consumer.seen).max(0));
            let inactive = consumer
                .active
                .map_or(-1, |active| now.saturating_sub(active));
            named_int(reply, "inactive", inactive);
        }
        Some(())
    })?;
    let found = found.ok_or(store::Error::NoSuchKey)?;
    found.ok_or_else(|| no_group_in(key.bytes, text).into())
}

pub fn xinfo_help(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    help::write(ctx.reply, "XINFO", HELP);
    Ok(())
}

/// The words of Redis, which tools compare with.
const HELP: &[&str] = &[
    "CONSUMERS <key> <groupname>",
    "    Show consumers of <groupname>.",
    "GROUPS <key>",
    "    Show the stream consumer groups.",
    "STREAM <key> [FULL [COUNT <count>]",
    "    Show information about the stream.",
];
