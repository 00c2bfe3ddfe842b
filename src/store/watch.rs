//! WATCH: who wants to know whether a key changes before its transaction runs.
//!
//! A watcher stands in the shard of the key, registered under its lock, so no change
//! slips by between the look at the key and the registration. Whoever changes a key
//! marks its watchers under the same lock ([`Db::notify`]); a marked one is done and
//! leaves the shard. What is not logically a change marks nobody: the removal of a
//! key that had expired before it was watched.
//!
//! The owner reads its mark with the locks of all watched keys held, and so sees
//! every change that comes before its transaction.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::db::Db;
use super::dict::Key;
use super::keyspace::{Footprint, SHARDS, Shard};

/// Bytes that a watched key takes beside its text, which the client and the shard have:
/// both records, and the shard's place for them, about.
const WATCHED_COST: usize = size_of::<Watched>() + size_of::<Watcher>() + 64;

/// One key that a client watches, as its shard knows it.
#[derive(Debug)]
struct Watcher {
    db: usize,
    /// Whether the key was there, and had not expired, when it was watched.
    lived: bool,
    changed: Arc<AtomicBool>,
}

/// The watchers of one shard by key.
#[derive(Debug, Default)]
pub struct Watchers(HashMap<Box<[u8]>, Vec<Watcher>>);

impl Watchers {
    fn add(&mut self, key: &[u8], watcher: Watcher) {
        self.0.entry(key.into()).or_default().push(watcher);
    }

    /// Removes the watchers of `key` that `leaves` chooses; how many.
    fn remove(&mut self, key: &[u8], mut leaves: impl FnMut(&Watcher) -> bool) -> usize {
        let Some(watchers) = self.0.get_mut(key) else {
            return 0;
        };
        let before = watchers.len();
        watchers.retain(|watcher| !leaves(watcher));
        let left = watchers.len();
        if left == 0 {
            self.0.remove(key);
        }
        before - left
    }
}

/// A key that is watched, as its client knows it.
#[derive(Debug)]
struct Watched {
    db: usize,
    key: Box<[u8]>,
    hash: u64,
    lived: bool,
}

/// The keys that one client watches.
#[derive(Debug, Default)]
pub struct Watch {
    changed: Arc<AtomicBool>,
    keys: Vec<Watched>,
    /// Bytes that all of them take.
    bytes: usize,
}

impl Watch {
    /// Whether nothing is watched.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many keys are watched.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Bytes that the watched keys take, here and in their shards.
    #[inline]
    pub fn mem_bytes(&self) -> usize {
        self.bytes
    }

    /// The shards of the watched keys, for writing: there the watchers stand.
    pub fn footprint(&self) -> Footprint {
        let mut footprint = Footprint::NONE;
        self.keys
            .iter()
            .for_each(|one| footprint.add(one.hash, true));
        footprint
    }

    /// Whether some watched key is known to have changed. To be sure that none has,
    /// ask [`Db::has_changed`].
    pub fn is_marked(&self) -> bool {
        self.changed.load(Relaxed)
    }
}

impl Db<'_> {
    /// Watches `key`, whose shard is locked for writing.
    pub fn watch(&mut self, key: Key<'_>, watch: &mut Watch) {
        let db = self.index;
        let known = (watch.keys.iter()).any(|one| one.db == db && *one.key == *key.bytes);
        if known {
            return;
        }
        let lived = self.peek(key).is_some();
        watch.bytes += 2 * key.bytes.len() + WATCHED_COST;
        watch.keys.push(Watched {
            db,
            key: key.bytes.into(),
            hash: key.hash,
            lived,
        });
        let watcher = Watcher {
            db,
            lived,
            changed: Arc::clone(&watch.changed),
        };
        self.locks.keyspace().add_observers(1);
        let shard = self.locks.shard_mut(key.shard());
        shard.watchers.add(key.bytes, watcher);
    }

    /// Whether a watched key has changed or expired. The locks of
    /// [`Watch::footprint`] are held.
    pub fn has_changed(&mut self, watch: &Watch) -> bool {
        watch.is_marked()
            || watch.keys.iter().any(|one| {
                let (bytes, hash) = (&*one.key, one.hash);
                let key = Key { bytes, hash };
                let dict = self.locks.shard(key.shard()).dict(one.db);
                one.lived && dict.find(key).is_some_and(|entry| entry.is_gone(self.now))
            })
    }

    /// Watches nothing more. The locks of [`Watch::footprint`] are held.
    pub fn unwatch(&mut self, watch: &mut Watch) {
        for one in watch.keys.drain(..) {
            let shard = self.locks.shard_mut(super::shard_of(one.hash));
            let own = |watcher: &Watcher| Arc::ptr_eq(&watcher.changed, &watch.changed);
            let gone = shard.watchers.remove(&one.key, own);
            self.locks.keyspace().remove_observers(gone);
        }
        (watch.changed, watch.bytes) = (Arc::default(), 0);
    }

    /// Marks the watchers of a key that has changed, its shard being locked.
    #[cold]
    pub(super) fn tell_observers(&mut self, key: &[u8]) {
        let (key, db) = (self.key(key), self.index);
        if !self.locks.holds_write(key.shard()) {
            // Who only reads changes nothing.
            return;
        }
        let lives = self.peek(key).is_some();
        let shard = self.locks.shard_mut(key.shard());
        let gone = shard.watchers.remove(key.bytes, |watcher| {
            let changed = watcher.db == db && (watcher.lived || lives);
            if changed {
                watcher.changed.store(true, Relaxed);
            }
            changed
        });
        self.locks.keyspace().remove_observers(gone);
        self.note_ready(db, key.bytes, key.shard());
    }

    /// Marks the watchers of keys that are there in database `db`, or any without
    /// one, or come to be there: before it is emptied, or exchanged for `other`.
    /// Needs all shards for writing.
    pub(super) fn tell_all_observers(&mut self, db: Option<usize>, other: Option<usize>) {
        let now = self.now;
        for shard in 0..SHARDS {
            let keyspace = self.locks.keyspace();
            let Shard {
                dicts, watchers, ..
            } = self.locks.shard_mut(shard);
            let lives = |key: &[u8], db: usize| {
                let found = dicts[db].find(keyspace.key(key));
                found.is_some_and(|entry| !entry.is_gone(now))
            };
            watchers.0.retain(|key, watching| {
                let before = watching.len();
                watching.retain(|one| {
                    let concerned = db.is_none_or(|db| db == one.db);
                    let changed = concerned
                        && (lives(key, one.db) || other.is_some_and(|other| lives(key, other)));
                    if changed {
                        one.changed.store(true, Relaxed);
                    }
                    !changed
                });
                keyspace.remove_observers(before - watching.len());
                !watching.is_empty()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::KeyHasher;
    use crate::store::entry::NewValue;
    use crate::store::journal::{Event, Silent};
    use crate::store::{Keyspace, Locks, Patience, Ttl};

    const NOW: i64 = 1_700_000_000_000;

    fn with_db(run: impl FnOnce(&mut Db<'_>)) {
        let keyspace = Keyspace::new(KeyHasher::seeded(1));
        let locks = Locks::new(&keyspace, Patience::Wait);
        let mut db = Db::new(locks, &Silent, NOW);
        db.acquire(Footprint::ALL_WRITE);
        run(&mut db);
        db.release();
    }

    fn set(db: &mut Db<'_>, key: &[u8], ttl: Ttl) {
        db.put(db.key(key), NewValue::Str(b"v"), ttl);
        db.touched(key, Event::string("set"));
    }

    #[test]
    fn a_change_marks_those_who_watch_the_key_in_that_database() {
        with_db(|db| {
            let (mut ours, mut other) = (Watch::default(), Watch::default());
            db.watch(db.key(b"a"), &mut ours);
            db.index = 1;
            db.watch(db.key(b"a"), &mut other);
            set(db, b"b", Ttl::Clear);
            assert!(!db.has_changed(&ours) && !db.has_changed(&other));
            set(db, b"a", Ttl::Clear);
            assert!(!db.has_changed(&ours) && db.has_changed(&other));
            db.unwatch(&mut ours);
            db.unwatch(&mut other);
            assert!(!db.locks.keyspace().is_observed());
            assert!(!db.has_changed(&other), "a new watch starts clean");
        });
    }

    #[test]
    fn expiry_is_a_change_only_for_who_saw_the_key_alive() {
        with_db(|db| {
            set(db, b"a", Ttl::At(NOW + 10));
            let (mut before, mut after) = (Watch::default(), Watch::default());
            db.watch(db.key(b"a"), &mut before);
            db.now = NOW + 10;
            db.watch(db.key(b"a"), &mut after);
            assert!(db.has_changed(&before) && !db.has_changed(&after));
            assert!(db.expire_if_due(db.key(b"a")));
            assert!(before.is_marked() && !db.has_changed(&after));
            set(db, b"a", Ttl::Clear);
            assert!(db.has_changed(&after));
        });
    }

    #[test]
    fn emptying_and_exchanging_databases_changes_what_is_or_comes_to_be_there() {
        with_db(|db| {
            set(db, b"here", Ttl::Clear);
            db.index = 1;
            set(db, b"there", Ttl::Clear);
            db.index = 0;
            let mut watches: Vec<Watch> = [b"here".as_slice(), b"there", b"nowhere"]
                .iter()
                .map(|key| {
                    let mut watch = Watch::default();
                    db.watch(db.key(key), &mut watch);
                    watch
                })
                .collect();
            db.swap_databases(0, 1);
            let marked: Vec<bool> = watches.iter().map(Watch::is_marked).collect();
            assert_eq!(marked, [true, true, false]);
            watches.iter_mut().for_each(|watch| db.unwatch(watch));
            let (mut there, mut nowhere) = (Watch::default(), Watch::default());
            db.watch(db.key(b"there"), &mut there);
            db.watch(db.key(b"nowhere"), &mut nowhere);
            db.flush(None, None);
            assert!(there.is_marked() && !nowhere.is_marked());
        });
    }
}
