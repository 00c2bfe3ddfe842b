//! DEBUG DIGEST and DEBUG DIGEST-VALUE: a number that is the same for the same data,
//! however it is kept and in whatever order it was written.
//!
//! What has an order is mixed in that order; keys, members and fields, which have none, are
//! mixed each by itself and added up. As in Redis that a key expires counts, and not when;
//! of a stream its entries count. The numbers themselves are not Redis's.
//!
//! Keys are looked at a segment at a time, and read without locks from images: what changes
//! meanwhile is in the digest or not.

use std::fmt;

use twox_hash::XxHash3_64;

use crate::base::clock::Millis;
use crate::command::ctx::{Ctx, Outcome};
use crate::ds::hash::Hash;
use crate::ds::packed::Elem;
use crate::ds::stream::ALL;
use crate::resp::Argv;
use crate::store::DATABASES;
use crate::store::entry::{CollectionRef, Entry, ValueRef};
use crate::store::image::Image;

/// Hexadecimal digits that are shown, as many as Redis shows.
const DIGITS: usize = 40;
const LANES: usize = 3;

/// See the head of this file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Digest([u64; LANES]);

impl Digest {
    fn of(bytes: &[u8]) -> Digest {
        let mut digest = Digest::default();
        digest.mix(bytes);
        digest
    }

    /// Goes on with `bytes`, behind what was mixed before.
    fn mix(&mut self, bytes: &[u8]) {
        for (number, lane) in (1u64..).zip(&mut self.0) {
            let seed = lane.rotate_left(1) ^ number;
            *lane = XxHash3_64::oneshot_with_seed(seed, bytes);
        }
    }

    fn mix_elem(&mut self, elem: Elem<'_>) {
        elem.with_bytes(|text| self.mix(text));
    }

    /// Adds another one; in which order does not matter.
    fn add(&mut self, other: Digest) {
        for (lane, more) in self.0.iter_mut().zip(other.0) {
            *lane = lane.wrapping_add(more);
        }
    }

    /// Goes on with another one.
    fn mix_digest(&mut self, other: Digest) {
        for lane in other.0 {
            self.mix(&lane.to_le_bytes());
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: String = self.0.iter().map(|lane| format!("{lane:016x}")).collect();
        f.write_str(&all[..DIGITS])
    }
}

/// A key as it is read without locks.
struct Taken {
    key: Vec<u8>,
    value: Image,
    expires: bool,
}

impl Taken {
    fn of(entry: &Entry) -> Taken {
        Taken {
            key: entry.key().to_vec(),
            value: Image::of(entry.value()),
            expires: entry.expire_at().is_some(),
        }
    }

    /// The digest of value and expiry.
    fn digest(&self, now: Millis) -> Digest {
        let mut digest = of_value(self.value.value(), now);
        if self.expires {
            digest.mix(b"expires");
        }
        digest
    }
}

/// DEBUG DIGEST: of all databases.
pub(super) fn all(ctx: &mut Ctx<'_, '_>) -> Outcome {
    let mut total = Digest::default();
    for db in 0..DATABASES {
        ctx.db.index = db;
        let mut cursor = 0;
        loop {
            let mut some = Vec::new();
            cursor = ctx
                .db
                .walk_segment(cursor, |entry| some.push(Taken::of(entry)))?;
            for taken in some {
                let mut digest = Digest::of(&db.to_le_bytes());
                digest.mix(&taken.key);
                digest.mix_digest(taken.digest(ctx.db.now));
                total.add(digest);
            }
            if cursor == 0 {
                break;
            }
        }
    }
    ctx.db.index = ctx.session.db;
    ctx.reply.simple(&total.to_string());
    Ok(())
}

/// DEBUG DIGEST-VALUE: of each of the keys, whatever its name; zeros for one that is not
/// there.
pub(super) fn values(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    ctx.reply.array(argv.len() - 2);
    for at in 2..argv.len() {
        let (db, key) = (&ctx.db, ctx.db.key(argv.get(at)));
        let taken = db.locks.visit(key.shard(), |shard| {
            let entry = shard.dict(db.index).find(key);
            let live = entry.filter(|entry| !entry.is_gone(db.now));
            live.map(|entry| Taken::of(&entry))
        })?;
        let digest = taken.map_or(Digest::default(), |taken| taken.digest(ctx.db.now));
        ctx.reply.simple(&digest.to_string());
    }
    Ok(())
}

fn of_value(value: ValueRef<'_>, now: Millis) -> Digest {
    let mut digest = Digest::default();
    match value {
        ValueRef::Int(int) => digest.mix_elem(Elem::Int(int)),
        ValueRef::Str(text) => digest.mix(text),
        ValueRef::Shared(text) => digest.mix(text),
        ValueRef::Collection(value) => {
            digest.mix(name_of(value).as_bytes());
            add_collection(&mut digest, value, now);
        }
    }
    digest
}

fn name_of(value: CollectionRef<'_>) -> &'static str {
    match value {
        CollectionRef::List(_) => "list",
        CollectionRef::Set(_) => "set",
        CollectionRef::ZSet(_) => "zset",
        CollectionRef::Hash(_) => "hash",
        CollectionRef::Stream(_) => "stream",
    }
}

fn add_collection(digest: &mut Digest, value: CollectionRef<'_>, now: Millis) {
    match value {
        CollectionRef::List(list) => list.iter().for_each(|elem| digest.mix_elem(elem)),
        CollectionRef::Set(set) => {
            for member in set.iter() {
                digest.add(member.elem().with_bytes(Digest::of));
            }
        }
        CollectionRef::ZSet(zset) => {
            for entry in zset.iter() {
                let mut one = entry.member.with_bytes(Digest::of);
                // Zero has two signs, and is one number.
                one.mix(&(entry.score + 0.0).to_le_bytes());
                digest.add(one);
            }
        }
        CollectionRef::Hash(hash) => add_fields(digest, hash, now),
        CollectionRef::Stream(stream) => {
            for entry in stream.range(ALL) {
                digest.mix(&entry.id.to_bytes());
                for (name, value) in entry.fields() {
                    digest.mix_elem(name);
                    digest.mix_elem(value);
                }
            }
        }
    }
}

fn add_fields(digest: &mut Digest, hash: &Hash, now: Millis) {
    hash.for_each(now, |field| {
        let mut one = field.name.with_bytes(Digest::of);
        field.value.with(|text| one.mix(text));
        digest.add(one);
    });
}
