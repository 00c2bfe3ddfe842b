//! The stream commands.
//!
//! | file | has |
//! |---|---|
//! | entries | XADD, XLEN, XRANGE, XDEL, XTRIM and kin |
//! | options | ids and intervals, and the options of XADD and XTRIM |
//! | read | XREAD, XREADGROUP |
//! | groups | XGROUP, XACK, XPENDING |
//! | claim | XCLAIM, XAUTOCLAIM |
//! | info | XINFO |
//!
//! What grows with a stream is told before it starts ([`Ctx::afford`]), so that the
//! reactor leaves it to the pool; and what is much is read from an image of the
//! stream, after the locks are given back.

mod claim;
mod entries;
mod groups;
mod info;
mod options;
mod read;
mod rows;
#[cfg(test)]
mod tests;

pub use rows::SPECS;

use super::ctx::{Ctx, LIGHT_COST, Stop, afford};
use super::error::Error;
use crate::ds::packed::Elem;
use crate::ds::stream::{Entry, Stream, StreamId};
use crate::resp::Reply;
use crate::store::Key;

fn write_elem(reply: &mut Reply, elem: Elem<'_>) {
    match elem {
        Elem::Int(int) => reply.bulk_int(int),
        Elem::Str(bytes) => reply.bulk(bytes),
    }
}

fn write_id(reply: &mut Reply, id: StreamId) {
    id.with_text(|text| reply.bulk(text));
}

/// An entry as clients get it: its id, and its names and values in turn.
fn write_entry(reply: &mut Reply, entry: &Entry<'_>) {
    let fields = entry.fields();
    reply.array(2);
    write_id(reply, entry.id);
    reply.array(2 * fields.len());
    for (name, value) in fields {
        write_elem(reply, name);
        write_elem(reply, value);
    }
}

/// So many entries as an array.
fn write_entries<'a>(reply: &mut Reply, count: usize, entries: impl Iterator<Item = Entry<'a>>) {
    reply.array(count);
    let entries = entries.take(count);
    entries.for_each(|entry| write_entry(reply, &entry));
}

/// Hands the stream at `key` to `read`; `None` without one. Where `cost` says that
/// reading takes long, it happens on an image without the locks.
fn read_stream<R>(
    ctx: &mut Ctx<'_, '_>,
    key: Key<'_>,
    cost: impl FnOnce(&Stream) -> usize,
    read: impl FnOnce(&mut Reply, &Stream) -> R,
) -> Result<Option<R>, Stop> {
    let alone = ctx.alone;
    let Some(stream) = ctx.db.stream(key)? else {
        return Ok(None);
    };
    let cost = cost(&stream);
    afford(alone, cost)?;
    if cost <= LIGHT_COST {
        return Ok(Some(read(ctx.reply, &stream)));
    }
    let image = stream.image();
    ctx.db.release();
    Ok(Some(read(ctx.reply, &image)))
}

/// An error that quotes what a client named. Redis quotes C strings: up to a NUL.
fn quoting(parts: &[&[u8]]) -> Error {
    let shown = |part: &&[u8]| -> Vec<u8> {
        let text = part.split(|&byte| byte == 0).next();
        text.unwrap_or_default().to_vec()
    };
    Error::Bytes(parts.iter().flat_map(shown).collect())
}

/// There is no such stream, or no such group in it.
fn no_group(key: &[u8], group: &[u8], behind: &str) -> Error {
    quoting(&[
        b"NOGROUP No such key '",
        key,
        b"' or consumer group '",
        group,
        b"'",
        behind.as_bytes(),
    ])
}

/// There is no such group in the stream.
fn no_group_in(key: &[u8], group: &[u8]) -> Error {
    quoting(&[
        b"NOGROUP No such consumer group '",
        group,
        b"' for key name '",
        key,
        b"'",
    ])
}

/// A subcommand that is called in a form it does not have.
fn no_such_form(container: &str, sub: &[u8]) -> Error {
    /// Bytes of the subcommand's name that are quoted.
    const SHOWN_MAX: usize = 128;
    quoting(&[
        b"ERR unknown subcommand or wrong number of arguments for '",
        &sub[..sub.len().min(SHOWN_MAX)],
        b"'. Try ",
        container.as_bytes(),
        b" HELP.",
    ])
}
