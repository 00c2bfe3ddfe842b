//! HRANDFIELD.
//!
//! Distinct fields are drawn in one pass that keeps each with the chance that is
//! left for it, or, where few of many are wanted, one by one until enough differ.
//! Repeated ones are drawn one by one. Fields that are due but not removed yet are
//! rare and short-lived; with any, the pass over the live ones is taken.

use std::collections::HashSet;

use super::{read_hash, write_name, write_text};
use crate::base::clock::Millis;
use crate::base::rng::Rng;
use crate::command::args::Args;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::ds::hash::{Hash, Item, Text};
use crate::ds::packed::Elem;
use crate::resp::{Argv, Reply, Version};

/// Of fewer than one field in so many, draws one by one rarely meet a field twice.
const SPARSE_FACTOR: usize = 3;

/// Draws from a packed hash for which copying all its fields is not worth it.
const PACKED_DRAWS_MAX: usize = 4;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    count: usize,
    repeated: bool,
    values: bool,
}

impl Wanted {
    fn parse(mut args: Args<'_>) -> Result<Wanted, Error> {
        const RANGE: Error = Error::text(
            "ERR value is out of range, value must between \
             -9223372036854775807 and 9223372036854775807",
        );
        const TOO_MANY: Error = Error::text("ERR value is out of range");
        let count = args.int()?;
        if count == i64::MIN {
            return Err(RANGE);
        }
        let values = args.word("WITHVALUES");
        args.end()?;
        if values && count.unsigned_abs() > i64::MAX as u64 / 2 {
            return Err(TOO_MANY);
        }
        Ok(Wanted {
            count: usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX),
            repeated: count < 0,
            values,
        })
    }

    /// What answering takes, in fields.
    fn cost(self, hash: &Hash, now: Millis) -> usize {
        let pass = self.count.saturating_mul(SPARSE_FACTOR) >= hash.len();
        if self.repeated {
            self.count
        } else if pass || hash.earliest() <= now || hash.find_effort() > 1 {
            hash.len()
        } else {
            self.count
        }
    }

    fn header(self, reply: &mut Reply, count: usize) {
        let flat = self.values && reply.version() == Version::Resp2;
        reply.array(if flat { count * 2 } else { count });
    }

    fn write(self, reply: &mut Reply, name: Elem<'_>, value: Text<'_>) {
        if self.values && reply.version() == Version::Resp3 {
            reply.array(2);
        }
        write_name(reply, name);
        if self.values {
            write_text(reply, value);
        }
    }
}

pub(super) fn hrandfield(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    if argv.len() == 2 {
        return one(ctx, argv);
    }
    let wanted = Wanted::parse(Args::from(argv, 2))?;
    let (key, now) = (ctx.key(argv), ctx.db.now);
    // The closure cannot borrow the context's generator: it is seeded from it.
    let mut rng = Rng::seeded(ctx.rng.next_u64());
    let cost = |hash: &Hash| wanted.cost(hash, now);
    let found = read_hash(ctx, key, cost, |reply, hash, now| {
        if wanted.repeated {
            repeated(reply, hash, now, wanted, &mut rng);
        } else if wanted.cost(hash, now) < hash.len() {
            sparse(reply, hash, wanted, &mut rng);
        } else {
            subset(reply, hash, now, wanted, &mut rng);
        }
    })?;
    if !found {
        ctx.reply.array(0);
    }
    Ok(())
}

fn one(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (key, now) = (ctx.key(argv), ctx.db.now);
    let mut rng = Rng::seeded(ctx.rng.next_u64());
    let cost = |hash: &Hash| hash.live_len_effort(now);
    let found = read_hash(ctx, key, cost, |reply, hash, now| {
        let write = |item: Item<'_>| write_name(reply, item.name);
        if hash.earliest() > now {
            hash.sample(|| rng.next_u64(), write);
            return;
        }
        match drawn_live(hash, now, &mut rng) {
            Some(name) => reply.bulk(&name),
            None => reply.null(),
        }
    })?;
    if !found {
        ctx.reply.null();
    }
    Ok(())
}

/// The name of a random one of the live fields.
fn drawn_live(hash: &Hash, now: Millis, rng: &mut Rng) -> Option<Vec<u8>> {
    let (mut met, mut drawn) = (0, None);
    hash.for_each(now, |item| {
        met += 1;
        if rng.below(met) == 0 {
            drawn = Some(item.name.to_vec());
        }
    });
    drawn
}

/// Distinct fields in one pass over the live ones.
fn subset(reply: &mut Reply, hash: &Hash, now: Millis, wanted: Wanted, rng: &mut Rng) {
    let mut left = hash.live_len(now);
    let mut missing = wanted.count.min(left);
    wanted.header(reply, missing);
    hash.for_each(now, |item| {
        if rng.below(left as u64) < missing as u64 {
            wanted.write(reply, item.name, item.value);
            missing -= 1;
        }
        left -= 1;
    });
}

/// A few distinct fields of many, all live.
fn sparse(reply: &mut Reply, hash: &Hash, wanted: Wanted, rng: &mut Rng) {
    wanted.header(reply, wanted.count);
    let mut seen = HashSet::with_capacity(wanted.count);
    while seen.len() < wanted.count {
        hash.sample(
            || rng.next_u64(),
            |item| {
                if seen.insert(item.name.to_vec()) {
                    wanted.write(reply, item.name, item.value);
                }
            },
        );
    }
}

fn repeated(reply: &mut Reply, hash: &Hash, now: Millis, wanted: Wanted, rng: &mut Rng) {
    let packed = hash.find_effort() > 1 && wanted.count > PACKED_DRAWS_MAX;
    if packed || hash.earliest() <= now {
        return repeated_live(reply, hash, now, wanted, rng);
    }
    wanted.header(reply, wanted.count);
    for _ in 0..wanted.count {
        if reply.dropped() > 0 {
            return;
        }
        hash.sample(
            || rng.next_u64(),
            |item| wanted.write(reply, item.name, item.value),
        );
    }
}

/// Draws from copies of the live fields.
fn repeated_live(reply: &mut Reply, hash: &Hash, now: Millis, wanted: Wanted, rng: &mut Rng) {
    let mut live = Vec::with_capacity(hash.len());
    hash.for_each(now, |item| {
        live.push((item.name.to_vec(), item.value.with(<[u8]>::to_vec)));
    });
    let count = if live.is_empty() { 0 } else { wanted.count };
    wanted.header(reply, count);
    for _ in 0..count {
        if reply.dropped() > 0 {
            return;
        }
        let (name, value) = &live[rng.below(live.len() as u64) as usize];
        wanted.write(reply, Elem::Str(name), Text::Str(value));
    }
}
