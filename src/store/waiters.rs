//! Blocked clients: who waits for a key to hold data.
//!
//! A waiter stands in the queue of each of its keys, in the key's shard, registered
//! under the locks under which nothing was found: no data slips by in between. Who
//! changes a key that somebody waits for notes it as ready ([`Db::notify`]); when the
//! whole command, transaction or script is done and before its locks are given back,
//! the executor serves the waiters of each ready key, first come, first served, by
//! running their commands again.
//!
//! For that the locks of what a waiter's command touches are needed too (the other
//! keys, a destination). They are known beforehand: [`Db::waiters_need`] says it of
//! the shards that are held, and the executor extends its locks by them before it
//! runs anything.
//!
//! A waiter whose wait has ended otherwise stays in its queues until it is met or
//! removed; nobody can claim it any more.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::db::Db;
use super::entry::Type;
use super::keyspace::{Footprint, SHARDS};
use crate::base::wait::Wait;

/// A key's bytes with their hash, kept for as long as somebody waits for it.
pub type WaitKey = (Box<[u8]>, u64);

/// One client that waits.
pub struct Waiter {
    pub wait: Arc<Wait>,
    pub db: usize,
    keys: Vec<WaitKey>,
    /// What a key must hold to be worth a try; any change is, without one.
    wants: Option<Type>,
    /// What its command touches.
    needs: Footprint,
    /// What the executor needs to run its command again: none of the store's business.
    pub caller: Box<dyn Any + Send + Sync>,
}

impl Waiter {
    /// A waiter for `keys` of database `db`, whose command touches `needs`.
    pub fn new(
        (db, keys): (usize, Vec<WaitKey>),
        wants: Option<Type>,
        needs: Footprint,
        caller: Box<dyn Any + Send + Sync>,
    ) -> Waiter {
        let mut needs = needs;
        keys.iter().for_each(|(_, hash)| needs.add(*hash, true));
        Waiter {
            wait: Arc::default(),
            db,
            keys,
            wants,
            needs,
            caller,
        }
    }

    /// What has to be locked to serve it or to remove it.
    pub fn needs(&self) -> Footprint {
        self.needs
    }

    /// Whether it waits for any change of its keys.
    pub fn wants(&self) -> Option<Type> {
        self.wants
    }
}

/// The waiters of one shard.
#[derive(Default)]
pub struct Waiters {
    by_key: HashMap<Box<[u8]>, VecDeque<Arc<Waiter>>>,
    /// At least what all of them need.
    needs: Footprint,
}

impl Waiters {
    /// Whether somebody waits for `key` in database `db`.
    fn wait_for(&self, db: usize, key: &[u8]) -> bool {
        (self.by_key.get(key)).is_some_and(|queue| queue.iter().any(|one| one.db == db))
    }

    fn add(&mut self, key: &[u8], waiter: &Arc<Waiter>) {
        self.needs.add_all(waiter.needs);
        let queue = self.by_key.entry(key.into()).or_default();
        queue.push_back(Arc::clone(waiter));
    }

    /// Removes a waiter from the queue of `key`; how many times it stood there.
    fn remove(&mut self, key: &[u8], waiter: &Arc<Waiter>) -> usize {
        let Some(queue) = self.by_key.get_mut(key) else {
            return 0;
        };
        let before = queue.len();
        // Mostly it is the first.
        if queue.front().is_some_and(|one| Arc::ptr_eq(one, waiter)) {
            queue.pop_front();
        } else {
            queue.retain(|one| !Arc::ptr_eq(one, waiter));
        }
        let left = queue.len();
        if left == 0 {
            self.by_key.remove(key);
            if self.by_key.is_empty() {
                *self = Waiters::default();
            }
        }
        before - left
    }
}

impl Db<'_> {
    /// Registers a waiter. Its keys' shards are locked for writing.
    pub fn park(&mut self, waiter: &Arc<Waiter>) {
        self.locks.keyspace().add_observers(waiter.keys.len());
        for (key, hash) in &waiter.keys {
            let shard = self.locks.shard_mut(super::shard_of(*hash));
            shard.waiters.add(key, waiter);
        }
    }

    /// Removes a waiter. Its keys' shards are locked for writing.
    pub fn unpark(&mut self, waiter: &Arc<Waiter>) {
        for (key, hash) in &waiter.keys {
            let shard = self.locks.shard_mut(super::shard_of(*hash));
            let gone = shard.waiters.remove(key, waiter);
            self.locks.keyspace().remove_observers(gone);
        }
    }

    /// What is needed to serve those who wait in the shards that are held for
    /// writing.
    pub fn waiters_need(&self) -> Footprint {
        let mut needs = Footprint::NONE;
        for shard in self.shards_with_waiters() {
            needs.add_all(self.locks.shard(shard).waiters.needs);
        }
        needs
    }

    /// The shards held for writing in which somebody waits.
    pub fn shards_with_waiters(&self) -> impl Iterator<Item = usize> + '_ {
        (0..SHARDS)
            .filter(|&shard| self.locks.holds_write(shard))
            .filter(|&shard| !self.locks.shard(shard).waiters.by_key.is_empty())
    }

    /// Notes that a key may have become what somebody waits for.
    pub(super) fn note_ready(&mut self, db: usize, key: &[u8], shard: usize) {
        if self.locks.shard(shard).waiters.wait_for(db, key) {
            let ready = &mut self.effects.ready;
            if !(ready.iter()).any(|(other, known)| *other == db && **known == *key) {
                ready.push_back((db, key.into()));
            }
        }
    }

    /// Notes all keys that somebody waits for in database `db`, or in any: after
    /// databases have been emptied or exchanged. Needs all shards for writing.
    pub(super) fn note_all_ready(&mut self, db: Option<usize>) {
        for shard in 0..SHARDS {
            let waiters = &self.locks.shard(shard).waiters;
            for (key, queue) in &waiters.by_key {
                let ready = &mut self.effects.ready;
                let waiting = queue.iter().map(|one| one.db);
                let mut dbs: Vec<usize> = waiting
                    .filter(|one| db.is_none_or(|db| db == *one))
                    .collect();
                dbs.sort_unstable();
                dbs.dedup();
                dbs.into_iter()
                    .for_each(|db| ready.push_back((db, key.clone())));
            }
        }
    }

    /// Those who wait for `key` in database `db` and may be served now, first come
    /// first; the key's shard is held.
    pub fn waiters_of(&self, db: usize, key: &[u8]) -> Vec<Arc<Waiter>> {
        let key = self.key(key);
        let shard = self.locks.shard(key.shard());
        let Some(queue) = shard.waiters.by_key.get(key.bytes) else {
            return Vec::new();
        };
        let found = shard.dict(db).find(key);
        let held = found.filter(|entry| !entry.is_gone(self.now));
        let held = held.map(|entry| entry.value_type());
        (queue.iter())
            .filter(|one| one.db == db && one.wants.is_none_or(|wanted| held == Some(wanted)))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::KeyHasher;
    use crate::store::journal::{Event, Silent};
    use crate::store::{Keyspace, Locks, Patience, Ttl, entry::NewValue};

    fn waiter(db: &Db<'_>, keys: &[&[u8]], wants: Option<Type>) -> Arc<Waiter> {
        let keys = (keys.iter())
            .map(|key| (Box::from(*key), db.key(key).hash))
            .collect();
        let of = (db.index, keys);
        Arc::new(Waiter::new(of, wants, Footprint::NONE, Box::new(())))
    }

    #[test]
    fn who_waits_is_found_in_order_by_type_and_database() {
        let keyspace = Keyspace::new(KeyHasher::seeded(1));
        let locks = Locks::new(&keyspace, Patience::Wait);
        let mut db = Db::new(locks, &Silent, 1000);
        db.acquire(Footprint::ALL_WRITE);
        let first = waiter(&db, &[b"a", b"b"], Some(Type::String));
        let second = waiter(&db, &[b"a"], None);
        let list = waiter(&db, &[b"a"], Some(Type::List));
        db.index = 1;
        let elsewhere = waiter(&db, &[b"a"], None);
        db.index = 0;
        for one in [&first, &second, &list, &elsewhere] {
            db.park(one);
        }
        assert!(db.waiters_need().write.count_ones() >= 1);
        db.put(db.key(b"a"), NewValue::Str(b"x"), Ttl::Clear);
        db.touched(b"a", Event::string("set"));
        db.touched(b"a", Event::string("set"));
        db.touched(b"c", Event::string("set"));
        assert_eq!(db.effects.ready, [(0, Box::from(b"a".as_slice()))]);
        let found = db.waiters_of(0, b"a");
        assert_eq!(found.len(), 2);
        assert!(Arc::ptr_eq(&found[0], &first) && Arc::ptr_eq(&found[1], &second));
        for one in [&first, &second, &list, &elsewhere] {
            db.unpark(one);
        }
        assert_eq!(db.waiters_need(), Footprint::NONE);
        assert!(!keyspace.is_observed());
    }
}
