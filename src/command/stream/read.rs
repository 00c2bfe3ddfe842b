//! XREAD and XREADGROUP: what is new in several streams.
//!
//! With BLOCK, who finds nothing waits until one of the streams has changed, and
//! then reads again: from the ids that the words meant when it began to wait.

use super::options::entry_id;
use super::{no_group, quoting, write_entries, write_entry, write_id};
use crate::base::clock::Millis;
use crate::command::args::Args;
use crate::command::block::{self, Block};
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome, Stop};
use crate::command::error::Error;
use crate::ds::stream::{Ids, Stream, StreamId};
use crate::resp::{Argv, Reply, Version};
use crate::store::entry::Type;
use crate::store::stream::{Delivered, GroupRead};
use crate::store::{Footprint, Key};

/// Where the specification of XREADGROUP's keys looks for STREAMS from.
const STREAMS_FROM: usize = 4;

/// What both commands are told.
#[derive(Clone, Copy, Debug)]
struct Request<'a> {
    argv: Argv<'a>,
    /// The most entries of each stream.
    count: usize,
    group: Option<(&'a [u8], &'a [u8])>,
    no_ack: bool,
    /// Whether it waits for entries, and until when.
    block: Option<Option<Millis>>,
    /// The first key; the ids stand behind the keys.
    first: usize,
    streams: usize,
}

impl<'a> Request<'a> {
    fn parse(ctx: &Ctx<'_, '_>, argv: Argv<'a>, grouped: bool) -> Result<Request<'a>, Error> {
        const ONLY_GROUP: Error = Error::text(
            "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
        );
        const ONLY_NOACK: Error = Error::text(
            "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
        );
        const NO_GROUP: Error = Error::text("ERR Missing GROUP option for XREADGROUP");
        let mut args = Args::from(argv, 1);
        let mut request = Request {
            argv,
            count: usize::MAX,
            group: None,
            no_ack: false,
            block: None,
            first: 0,
            streams: 0,
        };
        while !args.is_done() && request.first == 0 {
            let behind = args.left() - 1;
            if behind >= 1 && args.word("BLOCK") {
                request.block = Some(block::millis(&mut args, ctx.db.now)?);
            } else if behind >= 1 && args.word("COUNT") {
                let count = usize::try_from(args.int()?).unwrap_or(0);
                request.count = if count == 0 { usize::MAX } else { count };
            } else if behind >= 1 && args.word("STREAMS") {
                request.first = args.position();
            } else if behind >= 2 && args.word("GROUP") {
                if !grouped {
                    return Err(ONLY_GROUP);
                }
                request.group = Some((args.bytes()?, args.bytes()?));
            } else if args.word("NOACK") {
                if !grouped {
                    return Err(ONLY_NOACK);
                }
                request.no_ack = true;
            } else {
                return Err(Error::Syntax);
            }
        }
        if request.first == 0 {
            return Err(Error::Syntax);
        }
        if !args.left().is_multiple_of(2) {
            return Err(unbalanced(ctx, grouped));
        }
        if grouped && request.group.is_none() {
            return Err(NO_GROUP);
        }
        request.streams = args.left() / 2;
        Ok(request)
    }

    /// The `nth` key.
    fn key(&self, ctx: &Ctx<'_, '_>, nth: usize) -> Key<'a> {
        let bytes = self.argv.get(self.first + nth);
        match ctx.hashes.get(nth) {
            Some(_) if !self.is_mislead() => ctx.nth_key(self.argv, nth, self.first + nth),
            _ => ctx.db.key(bytes),
        }
    }

    /// The text of the `nth` id.
    fn id(&self, nth: usize) -> &'a [u8] {
        self.argv.get(self.first + self.streams + nth)
    }

    /// Whether the specification of the keys finds STREAMS where it is the name of
    /// a group or a consumer.
    fn is_mislead(&self) -> bool {
        (STREAMS_FROM..self.first.saturating_sub(1))
            .any(|at| self.argv.get(at).eq_ignore_ascii_case(b"STREAMS"))
    }

    /// Waits for one of the streams, if it was asked to; `None` without BLOCK. The ids
    /// stand for themselves from now on.
    fn wait(&self, ctx: &mut Ctx<'_, '_>) -> Outcome {
        let Some(until) = self.block else {
            ctx.reply.null_array();
            return Ok(());
        };
        let keys = (0..self.streams).map(|nth| self.key(ctx, nth));
        let mut block = Block::on(keys, Type::Stream, until);
        if self.group.is_some() {
            // It has to learn that the stream or the group is gone, too.
            block.wants = None;
        } else {
            block.words = Some(self.words_from_now(ctx)?);
        }
        ctx.block(block)
    }

    /// The command with `$` and `+` replaced by the ids that they mean now.
    fn words_from_now(&self, ctx: &mut Ctx<'_, '_>) -> Result<Vec<Vec<u8>>, Error> {
        let mut words: Vec<Vec<u8>> = self.argv.iter().map(<[u8]>::to_vec).collect();
        for nth in 0..self.streams {
            if matches!(self.id(nth), b"$" | b"+") {
                let stream = ctx.db.stream(self.key(ctx, nth))?;
                let last = stream.map_or(StreamId::MIN, |stream| stream.last_id());
                words[self.first + self.streams + nth] = last.to_string().into_bytes();
            }
        }
        Ok(words)
    }

    /// Sees to it that the locks are those of the real keys.
    fn lock(&self, ctx: &mut Ctx<'_, '_>) -> Outcome {
        if !self.is_mislead() {
            return Ok(());
        }
        // Only who runs alone may exchange its locks.
        if !ctx.alone {
            return Err(Stop::Defer);
        }
        let mut footprint = Footprint::NONE;
        (0..self.streams).for_each(|nth| footprint.add(self.key(ctx, nth).hash, true));
        ctx.db.release();
        ctx.db.acquire(footprint);
        Ok(())
    }
}

fn unbalanced(ctx: &Ctx<'_, '_>, grouped: bool) -> Error {
    let id: &[u8] = if grouped { b">" } else { b"$" };
    quoting(&[
        b"ERR Unbalanced '",
        ctx.command.full_name.as_bytes(),
        b"' list of streams: for each stream key an ID or '",
        id,
        b"' must be specified.",
    ])
}

/// Begins the part of the reply that is about one stream.
fn write_stream(reply: &mut Reply, name: &[u8]) {
    if reply.version() == Version::Resp2 {
        reply.array(2);
    }
    reply.bulk(name);
}

/// Begins a reply about so many streams.
fn write_streams(reply: &mut Reply, count: usize) {
    match reply.version() {
        Version::Resp2 => reply.array(count),
        Version::Resp3 => reply.map(count),
    }
}

/// The ids that XREAD asks for by this word; `None` if there can be none.
fn wanted(text: &[u8], stream: Option<&Stream>) -> Result<Option<Ids>, Error> {
    const ONLY_GROUPED: Error = Error::text(
        "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> \
         <consumer> option.",
    );
    let last = stream.map(Stream::last_id);
    let after = match text {
        b">" => return Err(ONLY_GROUPED),
        b"+" => {
            let top = stream.and_then(|stream| stream.edge(false));
            return Ok(top.map(|top| top..=top));
        }
        b"$" => last.unwrap_or(StreamId::MIN),
        id => entry_id(id)?,
    };
    let behind_last = last.is_none_or(|last| after >= last);
    let from = after.next().filter(|_| !behind_last);
    Ok(from.map(|from| from..=StreamId::MAX))
}

/// Entries of one stream that a reply is made of.
struct Found {
    nth: usize,
    image: Stream,
    ids: Ids,
    /// As many as were counted so far.
    count: usize,
}

pub fn xread(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let request = Request::parse(ctx, argv, false)?;
    let mut found: Vec<Found> = Vec::new();
    let mut cost = 0;
    for nth in 0..request.streams {
        let stream = ctx.db.stream(request.key(ctx, nth))?;
        let Some(ids) = wanted(request.id(nth), stream.as_deref())? else {
            continue;
        };
        let Some(stream) = stream else { continue };
        let count = stream.count(&ids, request.count.min(LIGHT_COST + 1));
        if count > 0 {
            let image = stream.image_of_entries();
            cost += count;
            found.push(Found {
                nth,
                image,
                ids,
                count,
            });
        }
    }
    ctx.afford(cost)?;
    if cost > LIGHT_COST {
        ctx.db.release();
    }
    if found.is_empty() {
        return request.wait(ctx);
    }
    write_streams(ctx.reply, found.len());
    for one in found {
        write_stream(ctx.reply, argv.get(request.first + one.nth));
        let count = if one.count > LIGHT_COST {
            one.image.count(&one.ids, request.count)
        } else {
            one.count
        };
        write_entries(ctx.reply, count, one.image.range(one.ids));
    }
    Ok(())
}

/// The id behind which XREADGROUP asks for history; `None` for what is new.
fn history(text: &[u8]) -> Result<Option<StreamId>, Error> {
    const MEANINGLESS: Error = Error::text(
        "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history \
         of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ \
         ID would just return an empty result set.",
    );
    match text {
        b"$" => Err(MEANINGLESS),
        b">" => Ok(None),
        // The greatest id is how Redis marks the word for new entries.
        id => Ok(Some(entry_id(id)?).filter(|id| *id != StreamId::MAX)),
    }
}

/// Entries that a delivery would be made of, at least roughly.
fn delivery_cost(stream: &Stream, read: &GroupRead<'_>) -> Option<usize> {
    let group = stream.group(read.group)?;
    let max = read.count.min(LIGHT_COST + 1);
    Some(match (read.after, group.last_id.next()) {
        (Some(_), _) => {
            let consumer = group.consumer_named(read.consumer);
            consumer.map_or(0, |consumer| consumer.pending_len().min(max))
        }
        (None, Some(from)) => stream.count(&(from..=StreamId::MAX), max),
        (None, None) => 0,
    })
}

pub fn xreadgroup(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let request = Request::parse(ctx, argv, true)?;
    request.lock(ctx)?;
    let (group, consumer) = request.group.unwrap_or_default();
    let mut reads = Vec::new();
    let mut cost = 0;
    for nth in 0..request.streams {
        let key = request.key(ctx, nth);
        let stream = ctx.db.stream(key)?;
        let mut read = GroupRead {
            group,
            consumer,
            after: None,
            count: request.count,
            no_ack: request.no_ack,
        };
        let known = stream
            .as_ref()
            .is_some_and(|stream| stream.group(group).is_some());
        if !known {
            return Err(no_group(key.bytes, group, " in XREADGROUP with GROUP option").into());
        }
        read.after = history(request.id(nth))?;
        cost += stream
            .and_then(|stream| delivery_cost(&stream, &read))
            .unwrap_or(0);
        reads.push((key, read));
    }
    ctx.afford(cost)?;
    // Of several streams none may be let out of sight once one has changed.
    let much = cost > LIGHT_COST && request.streams == 1;
    let mut replies = Vec::new();
    for (key, read) in &reads {
        match ctx.db.group_read(*key, read, much)? {
            None | Some(Delivered::Nothing) => {}
            Some(delivered) => replies.push((key.bytes, delivered)),
        }
    }
    if replies.is_empty() {
        return request.wait(ctx);
    }
    write_deliveries(ctx.reply, replies);
    Ok(())
}

fn write_deliveries(reply: &mut Reply, deliveries: Vec<(&[u8], Delivered)>) {
    write_streams(reply, deliveries.len());
    for (name, delivered) in deliveries {
        write_stream(reply, name);
        match delivered {
            Delivered::Nothing => reply.array(0),
            Delivered::New(image, from, count) => {
                write_entries(reply, count, image.range(from..=StreamId::MAX));
            }
            Delivered::History(image, ids) => {
                reply.array(ids.len());
                ids.into_iter()
                    .for_each(|id| write_history(reply, &image, id));
            }
        }
    }
}

/// An entry of a consumer's history, which may be gone from the stream.
fn write_history(reply: &mut Reply, image: &Stream, id: StreamId) {
    match image.get(id) {
        Some(entry) => write_entry(reply, &entry),
        None => {
            reply.array(2);
            write_id(reply, id);
            reply.null_array();
        }
    }
}
