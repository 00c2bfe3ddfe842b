//! What the families that answer with members and scores share: sorted sets and geo.

use super::ctx::{Ctx, LIGHT_COST, Stop, afford};
use crate::ds::packed::Elem;
use crate::ds::zset::{Entry, ZSet};
use crate::resp::{Reply, Version};
use crate::store::Key;

/// A member as a bulk string.
#[inline]
pub fn member(reply: &mut Reply, member: Elem<'_>) {
    match member {
        Elem::Int(int) => reply.bulk_int(int),
        Elem::Str(bytes) => reply.bulk(bytes),
    }
}

/// The head of an answer of `count` elements: with scores a flat array in RESP2 and one
/// of pairs in RESP3.
pub fn head(reply: &mut Reply, count: usize, with_scores: bool) {
    let flat = with_scores && reply.version() == Version::Resp2;
    reply.array(if flat { 2 * count } else { count });
}

/// One element of such an answer.
#[inline]
pub fn element(reply: &mut Reply, name: Elem<'_>, score: f64, with_scores: bool) {
    if with_scores && reply.version() == Version::Resp3 {
        reply.array(2);
    }
    member(reply, name);
    if with_scores {
        reply.double(score);
    }
}

/// A whole answer.
pub fn elements<'e>(
    reply: &mut Reply,
    entries: impl ExactSizeIterator<Item = Entry<'e>>,
    with_scores: bool,
) {
    head(reply, entries.len(), with_scores);
    entries.for_each(|entry| element(reply, entry.member, entry.score, with_scores));
}

/// Hands the sorted set at `key` to `read`; whether there is one. Where `cost` says
/// that reading takes long, it happens on an image without the locks, which knows the
/// order alone.
pub fn read_zset(
    ctx: &mut Ctx<'_, '_>,
    key: Key<'_>,
    cost: impl FnOnce(&ZSet) -> usize,
    read: impl FnOnce(&mut Reply, &ZSet),
) -> Result<bool, Stop> {
    let alone = ctx.alone;
    let Some(zset) = ctx.db.zset(key)? else {
        return Ok(false);
    };
    let cost = cost(&zset);
    afford(alone, cost)?;
    if cost <= LIGHT_COST {
        read(ctx.reply, &zset);
        return Ok(true);
    }
    let image = zset.image();
    ctx.db.release();
    read(ctx.reply, &image);
    Ok(true)
}
