//! SORT and SORT_RO.
//!
//! Without patterns that name other keys, a small SORT runs like any other command. A
//! large one sorts an image of its source without a lock. With patterns it always goes
//! to the pool, since it locks by itself what the patterns name:
//!
//! - up to [`LIGHT_COST`] look-ups happen under all shards, for reading: nothing changes
//!   between any two of them, as in Redis;
//! - beyond that nobody should wait for it: the source is an image, every other key is
//!   looked at under its own lock for a moment, and so the outcome may mix what keys
//!   held at different moments of the run. Each value was there during the run.
//!
//! STORE writes what has been put together without a lock; the journal is told the
//! outcome, not the command. If the source has changed meanwhile, the sort starts over,
//! and after [`ROUNDS`] vain attempts it runs under the locks.

mod order;

use std::ops::Range;

use bytes::Bytes;

use crate::base::clock::Millis;
use crate::command::args::Args;
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome, Stop};
use crate::command::error::Error;
use crate::ds::list::{End, Limit, List};
use crate::ds::packed::Elem;
use crate::persist::rdb::{Target, payload};
use crate::resp::{Argv, Reply};
use crate::store::entry::{Collection, ValueRef};
use crate::store::sort::{Pattern, Sortable};
use crate::store::{Db, Footprint, Key};

use order::{Order, score};

/// Vain attempts to put together what STORE keeps, before it is done under the locks.
const ROUNDS: usize = 3;

/// The arguments of SORT.
struct Options<'a> {
    order: Order,
    by: Option<Pattern<'a>>,
    get: Vec<Pattern<'a>>,
    offset: i64,
    count: i64,
    /// Where the argument of STORE stands.
    store: Option<usize>,
}

impl<'a> Options<'a> {
    fn read(mut args: Args<'a>, read_only: bool) -> Result<Options<'a>, Error> {
        let mut options = Options {
            order: Order::default(),
            by: None,
            get: Vec::new(),
            offset: 0,
            count: -1,
            store: None,
        };
        while !args.is_done() {
            let left = args.left() - 1;
            if args.word("ASC") {
                options.order.descending = false;
            } else if args.word("DESC") {
                options.order.descending = true;
            } else if args.word("ALPHA") {
                options.order.alpha = true;
            } else if left >= 2 && args.word("LIMIT") {
                (options.offset, options.count) = (args.int()?, args.int()?);
            } else if left >= 1 && !read_only && args.word("STORE") {
                options.store = Some(args.position());
                args.bytes()?;
            } else if left >= 1 && args.word("BY") {
                options.by = Some(Pattern::parse(args.bytes()?));
            } else if left >= 1 && args.word("GET") {
                options.get.push(Pattern::parse(args.bytes()?));
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }

    /// Other keys that are looked at for each element.
    fn looks(&self) -> usize {
        let patterns = self.by.iter().chain(&self.get);
        patterns.filter(|pattern| pattern.is_key()).count()
    }

    /// What sorting so many elements takes, in elements and look-ups.
    fn work(&self, len: usize) -> usize {
        len.saturating_mul(self.looks().max(1))
    }

    /// The elements asked for, of `len`.
    fn range(&self, len: usize) -> Range<usize> {
        let cut = |number: i64| usize::try_from(number).unwrap_or(0).min(len);
        let start = cut(self.offset);
        let count = if self.count < 0 { len } else { cut(self.count) };
        start..(start + count).min(len)
    }
}

/// What another key holds for an element.
struct Looks<'a, 'k> {
    db: &'a Db<'k>,
    name: Vec<u8>,
}

impl<'a, 'k> Looks<'a, 'k> {
    fn new(db: &'a Db<'k>) -> Looks<'a, 'k> {
        let name = Vec::new();
        Looks { db, name }
    }

    fn look<R>(
        &mut self,
        pattern: Pattern<'_>,
        elem: Elem<'_>,
        read: impl FnOnce(Option<&[u8]>) -> R,
    ) -> Result<R, Stop> {
        Ok(self.db.sort_look(pattern, elem, &mut self.name, read)?)
    }
}

/// The elements that SORT answers with, in order.
fn sorted<'s>(
    source: &'s Sortable,
    options: &Options<'_>,
    looks: &mut Looks<'_, '_>,
) -> Result<Vec<Elem<'s>>, Stop> {
    let (len, mut order) = (source.len(), options.order);
    let range = options.range(len);
    let all = || source.elems(0..len, false);
    match options.by {
        // The outcome of STORE must not depend on the order of a table.
        Some(by) if !by.is_key() && source.is_unordered() && options.store.is_some() => {
            order.alpha = true;
            Ok(order.of_elems(all(), range)?)
        }
        Some(by) if !by.is_key() => {
            let reverse = order.descending && !source.is_unordered();
            let range = if reverse {
                len - range.end..len - range.start
            } else {
                range
            };
            Ok(source.elems(range, reverse))
        }
        Some(by) if order.alpha => order.by_text(all(), range, |elem| {
            looks.look(by, elem, |text| text.map(Bytes::copy_from_slice))
        }),
        Some(by) => {
            let mut stop = None;
            let weight = |elem| match looks.look(by, elem, |text| text.map(score).transpose()) {
                Ok(weight) => weight,
                Err(why) => {
                    stop = Some(why);
                    Ok(None)
                }
            };
            let elems = order.by_number(all(), range, weight);
            stop.map_or(Ok(()), Err)?;
            Ok(elems?)
        }
        None => Ok(order.of_elems(all(), range)?),
    }
}

/// Hands the values of the answer to `each`.
fn values(
    elems: &[Elem<'_>],
    get: &[Pattern<'_>],
    looks: &mut Looks<'_, '_>,
    mut each: impl FnMut(Option<&[u8]>),
) -> Result<(), Stop> {
    for &elem in elems {
        if get.is_empty() {
            elem.with_bytes(|text| each(Some(text)));
        }
        for &pattern in get {
            looks.look(pattern, elem, &mut each)?;
        }
    }
    Ok(())
}

fn write_reply(
    reply: &mut Reply,
    source: &Sortable,
    options: &Options<'_>,
    looks: &mut Looks<'_, '_>,
) -> Outcome {
    let elems = sorted(source, options, looks)?;
    reply.array(elems.len() * options.get.len().max(1));
    values(&elems, &options.get, looks, |text| match text {
        Some(text) => reply.bulk(text),
        None => reply.null(),
    })
}

/// The list that STORE keeps.
fn stored_list(
    source: &Sortable,
    options: &Options<'_>,
    limit: Limit,
    looks: &mut Looks<'_, '_>,
) -> Result<List, Stop> {
    let elems = sorted(source, options, looks)?;
    let mut list = List::new();
    values(&elems, &options.get, looks, |text| {
        list.push(End::Tail, text.unwrap_or_default(), limit);
    })?;
    Ok(list)
}

/// The command that repeats storing `list`.
fn repeat_store(now: Millis, to: Key<'_>, list: &List) -> Vec<Vec<u8>> {
    let value = ValueRef::Collection(Collection::as_ref(list));
    let payload = payload::write(value, now, Target::default(), true);
    let words = [b"RESTORE".as_slice(), to.bytes, b"0"];
    let mut command: Vec<Vec<u8>> = words.map(<[u8]>::to_vec).into();
    command.extend([payload, b"REPLACE".to_vec()]);
    command
}

fn sort_generic(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, read_only: bool) -> Outcome {
    let options = Options::read(Args::from(argv, 2), read_only)?;
    let from = ctx.key(argv);
    let to = options.store.map(|at| ctx.nth_key(argv, 1, at));
    let len = ctx.db.sort_len(from)?;
    ctx.afford(len)?;
    if options.looks() > 0 {
        if !ctx.alone {
            return Err(Stop::Defer);
        }
        if options.work(len) <= LIGHT_COST {
            let mut footprint = Footprint::ALL_READ;
            to.into_iter().for_each(|to| footprint.add(to.hash, true));
            ctx.db.release();
            ctx.db.acquire(footprint);
        }
    }
    match to {
        None => reply_sorted(ctx, &options, from),
        Some(to) => store_sorted(ctx, &options, (from, to)),
    }
}

fn reply_sorted(ctx: &mut Ctx<'_, '_>, options: &Options<'_>, from: Key<'_>) -> Outcome {
    let source = ctx.db.sort_image(from)?;
    if options.work(source.len()) > LIGHT_COST {
        ctx.db.release();
    }
    let mut looks = Looks::new(ctx.db);
    write_reply(ctx.reply, &source, options, &mut looks)
}

fn store_sorted(
    ctx: &mut Ctx<'_, '_>,
    options: &Options<'_>,
    (from, to): (Key<'_>, Key<'_>),
) -> Outcome {
    let footprint = ctx.db.locks.held();
    for round in 0.. {
        let source = ctx.db.sort_image(from)?;
        let aside = options.work(source.len()) > LIGHT_COST && round < ROUNDS;
        if aside {
            ctx.db.release();
        }
        let list = stored_list(&source, options, ctx.list_limit(), &mut Looks::new(ctx.db))?;
        let again = if ctx.db.is_logged() {
            repeat_store(ctx.db.now, to, &list)
        } else {
            Vec::new()
        };
        if aside {
            ctx.db.acquire(footprint);
        }
        if !aside || ctx.db.sort_is_current(from, &source) {
            ctx.reply.len(list.len());
            ctx.db.sort_store(to, list, again);
            break;
        }
    }
    Ok(())
}

pub fn sort(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    sort_generic(ctx, argv, false)
}

pub fn sort_ro(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    sort_generic(ctx, argv, true)
}

#[cfg(test)]
mod tests;
