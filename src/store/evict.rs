//! Eviction: which keys go when there is no room for more.
//!
//! As in Redis no key is known to be the very best to go. Some random keys are looked
//! at, the best of them stay in a small pool of candidates between one eviction and the
//! next, and the best of the pool goes: after a few rounds the pool holds keys that are
//! good candidates among thousands.
//!
//! A round looks at one random shard, under its lock for reading; keys are spread over
//! shards by their hash, so this is as good as looking at all. Then the shard of the
//! victim is locked for writing. A candidate that has been used since it was
//! seen, or is no candidate any more, is passed over.
//!
//! Must stay true: holds no lock before and after; a policy over volatile keys never
//! removes one without an expiry.

use super::db::Db;
use super::entry::Entry;
use super::keyspace::{DATABASES, Footprint, SHARDS, Shard};
use super::usage;
use crate::base::clock::Millis;
use crate::base::rng::Rng;

/// Candidates kept, as in Redis.
const POOL_MAX: usize = 16;
/// Keys looked at in one round at the most, whatever `maxmemory-samples` says.
pub const SAMPLES_MAX: usize = 64;
/// Rounds that may find no key to remove before others are let in: where very few keys
/// expire, each may look at a thousand in vain.
const ROUNDS_MAX: usize = 16;

/// By what keys are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// The longest without a use.
    Lru,
    /// The least often used.
    Lfu,
    /// The soonest to expire.
    Ttl,
    Random,
}

/// Which keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub rank: Rank,
    /// Only keys with an expiry.
    pub volatile: bool,
}

impl Policy {
    /// The policy with this name in `maxmemory-policy`; `None` for the one that
    /// evicts nothing.
    pub fn from_name(name: &str) -> Option<Policy> {
        let (keys, rank) = name.split_once('-')?;
        let rank = match rank {
            "lru" => Rank::Lru,
            "lfu" => Rank::Lfu,
            "ttl" => Rank::Ttl,
            _ => Rank::Random,
        };
        let volatile = keys == "volatile";
        Some(Policy { rank, volatile })
    }

    /// How well `entry` can be spared; more is better.
    fn score(self, entry: &Entry, db: &View) -> u64 {
        match self.rank {
            Rank::Lru => usage::idle_secs(entry.stamp(), db.now).into(),
            Rank::Lfu => {
                let frequency = db.lfu.map_or(0, |lfu| lfu.frequency(entry.stamp(), db.now));
                (u8::MAX - frequency).into()
            }
            Rank::Ttl => {
                let at = entry.expire_at().unwrap_or(Millis::MAX);
                u64::MAX - at.max(0).unsigned_abs()
            }
            Rank::Random => 0,
        }
    }

    fn concerns(self, entry: &Entry) -> bool {
        !self.volatile || entry.expire_at().is_some()
    }
}

/// What a score depends on beside the entry.
struct View {
    now: Millis,
    lfu: Option<usage::Lfu>,
}

impl View {
    fn of(db: &Db<'_>) -> View {
        View {
            now: db.now,
            lfu: db.lfu(),
        }
    }
}

/// How an eviction has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evicted {
    /// A key has gone.
    One,
    /// No key that may go is there.
    Nothing,
    /// Others hold the shards, or what was chosen has changed: try again later.
    Busy,
}

#[derive(Debug)]
struct Candidate {
    score: u64,
    db: usize,
    key: Box<[u8]>,
}

/// Chooses keys and removes them, for one thread.
#[derive(Debug)]
pub struct Evictor {
    policy: Policy,
    samples: usize,
    /// In ascending order of score.
    pool: Vec<Candidate>,
}

impl Evictor {
    /// An evictor that looks at `samples` keys in each round.
    pub fn new(policy: Policy, samples: usize) -> Evictor {
        let samples = match policy.rank {
            Rank::Random => 1,
            _ => samples.clamp(1, SAMPLES_MAX),
        };
        Evictor {
            policy,
            samples,
            pool: Vec::with_capacity(POOL_MAX),
        }
    }

    /// Removes one key and tells of it. Changes `db.index`.
    pub fn evict_one(&mut self, db: &mut Db<'_>, rng: &mut Rng) -> Evicted {
        for _ in 0..ROUNDS_MAX {
            let found = self.look_around(db, rng);
            if found != Evicted::One && self.pool.is_empty() {
                return found;
            }
            while let Some(candidate) = self.pool.pop() {
                if self.remove(db, &candidate) {
                    return Evicted::One;
                }
            }
        }
        Evicted::Busy
    }

    /// Puts the best of some random keys into the pool: those of a random shard, or of
    /// the next that has any.
    fn look_around(&mut self, db: &Db<'_>, rng: &mut Rng) -> Evicted {
        let view = View::of(db);
        let first = rng.below(SHARDS as u64) as usize;
        let mut nothing = Evicted::Nothing;
        for step in 0..SHARDS {
            let shard = (first + step) % SHARDS;
            let seen = db
                .locks
                .visit(shard, |shard| self.look_at(shard, &view, rng));
            match seen {
                Ok(true) => return Evicted::One,
                Ok(false) => {}
                Err(_) => nothing = Evicted::Busy,
            }
        }
        nothing
    }

    /// Looks at some keys of one shard; whether it has any.
    fn look_at(&mut self, shard: &Shard, view: &View, rng: &mut Rng) -> bool {
        let policy = self.policy;
        let keys_in = |index: usize| {
            let dict = shard.dict(index);
            if policy.volatile {
                dict.volatile()
            } else {
                dict.len()
            }
        };
        let total: usize = (0..DATABASES).map(keys_in).sum();
        if total == 0 {
            return false;
        }
        // A database is drawn by its number of keys, so all keys are equally likely.
        let mut nth = rng.below(total as u64) as usize;
        let drawn = (0..DATABASES).find(|&index| {
            let keys = keys_in(index);
            let here = nth < keys;
            nth = nth.saturating_sub(keys);
            here
        });
        let index = drawn.unwrap_or(0);
        let mut rand = || rng.next_u64();
        let dict = shard.dict(index);
        dict.sample(self.samples, policy.volatile, &mut rand, |entry| {
            let score = policy.score(entry, view);
            offer(&mut self.pool, score, index, entry.key());
        });
        true
    }

    /// Removes a candidate, if it still is one.
    fn remove(&self, db: &mut Db<'_>, candidate: &Candidate) -> bool {
        let view = View::of(db);
        let key = db.locks.keyspace().key(&candidate.key);
        let mut footprint = Footprint::NONE;
        footprint.add(key.hash, true);
        db.index = candidate.db;
        let removed = db.acquire(footprint) == 0
            && (db.expire_if_due(key)
                || db.peek(key).is_some_and(|entry| {
                    self.policy.concerns(&entry)
                        && self.policy.score(&entry, &view) >= candidate.score
                }) && match db.take(key) {
                    Some(entry) => {
                        db.evicted(key.bytes, entry);
                        true
                    }
                    None => false,
                });
        db.release();
        removed
    }
}

/// Puts a key into the pool if there is room or it is better than the worst there.
fn offer(pool: &mut Vec<Candidate>, score: u64, db: usize, key: &[u8]) {
    let at = pool.partition_point(|other| other.score < score);
    if pool.len() == POOL_MAX && at == 0 {
        return;
    }
    if (pool.iter()).any(|other| other.db == db && *other.key == *key) {
        return;
    }
    let candidate = Candidate {
        score,
        db,
        key: key.into(),
    };
    pool.insert(at, candidate);
    if pool.len() > POOL_MAX {
        pool.remove(0);
    }
}

#[cfg(test)]
mod tests;
