//! What FLUSHALL and FLUSHDB have taken out, kept for a while so that it can be brought
//! back.
//!
//! ```text
//! flush    the tables go to the shelf as they are; the keyspace is empty at once
//! undo     the keys come back, segment by segment, each as a change of its own
//! end      the time is over, or memory is needed: what is left is dropped
//! ```
//!
//! A key that has been made since the flush stays as it is. What comes back is told to
//! everybody as any other change is: watchers, waiters, caches, the log. So a log that
//! knows no UNDO repeats it, and who reads meanwhile sees some keys back and others not.
//!
//! The shelf is in memory alone. What is on it belongs to a database and follows it when
//! that is exchanged. An undo under way ends when something is flushed or exchanged
//! meanwhile; what has not come back is still on the shelf.
//!
//! Must stay true: the shelf changes what belongs where only under the locks of all
//! shards; its own lock is taken after them, and nothing after it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use parking_lot::Mutex;

use super::db::Db;
use super::dict::{Dict, Key};
use super::entry::Entry;
use super::journal::Event;
use super::keyspace::{DATABASES, Footprint};
use crate::base::clock::Millis;
use crate::base::hash::KeyHasher;
use crate::base::rng::Rng;

/// Flushes that are kept at once; of more the oldest is dropped.
const FLUSHES_MAX: usize = 16;

/// See the head of this file.
#[derive(Default)]
pub struct Shelf {
    state: Mutex<State>,
    /// How many flushes it holds, for those who only ask that.
    held: AtomicUsize,
}

#[derive(Default)]
struct State {
    /// The latest is the last.
    flushes: Vec<Flush>,
    /// Flushes and exchanges so far.
    changes: u64,
    /// The flush that is being undone.
    undoing: Option<u64>,
    /// Where the databases are by now that stood in this order when that began.
    places: [usize; DATABASES],
}

/// What one flush has taken out.
struct Flush {
    /// Of the flushes and exchanges.
    number: u64,
    /// It was one of all databases.
    all: bool,
    until: Millis,
    parts: Vec<Part>,
}

/// A dict that was taken out: one shard's part of a database.
pub(super) struct Part {
    shard: usize,
    db: usize,
    dict: Arc<Dict>,
    /// Where to go on with taking entries out.
    cursor: u64,
}

impl Part {
    pub(super) fn new(shard: usize, db: usize, dict: Arc<Dict>) -> Part {
        Part {
            shard,
            db,
            dict,
            cursor: 0,
        }
    }

    /// The dict, to be dropped; nothing while a snapshot has it, which drops it then.
    fn into_dict(self) -> Option<Dict> {
        Arc::into_inner(self.dict)
    }
}

/// Why there is nothing to bring back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nothing was flushed, or too long ago.
    Nothing,
    /// Another undo is under way.
    Undoing,
    /// A snapshot has still to save what was flushed.
    Saving,
}

/// Something was flushed or exchanged during an undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// What is on the shelf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub flushes: usize,
    pub keys: usize,
    /// About as many bytes of memory.
    pub bytes: usize,
    /// When the latest is dropped.
    pub until: Millis,
}

impl Shelf {
    /// Whether there is nothing on it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.held.load(Relaxed) == 0
    }

    /// Notes a flush, and keeps what it has taken out if there is a time until which to do
    /// so. What is to be dropped instead.
    pub(super) fn put(&self, parts: Vec<Part>, all: bool, until: Option<Millis>) -> Vec<Dict> {
        let mut state = self.state.lock();
        state.changes += 1;
        let Some(until) = until.filter(|_| !parts.is_empty()) else {
            return parts.into_iter().filter_map(Part::into_dict).collect();
        };
        let number = state.changes;
        state.flushes.push(Flush {
            number,
            all,
            until,
            parts,
        });
        let spare = state.flushes.len().saturating_sub(FLUSHES_MAX);
        let dropped: Vec<Flush> = state.flushes.drain(..spare).collect();
        self.held.store(state.flushes.len(), Relaxed);
        drop(state);
        dicts_of(dropped)
    }

    /// Two databases change places, and what was taken out of them follows.
    pub(super) fn exchange(&self, a: usize, b: usize) {
        let mut state = self.state.lock();
        let State {
            flushes,
            changes,
            places,
            ..
        } = &mut *state;
        *changes += 1;
        let parts = flushes.iter_mut().flat_map(|flush| &mut flush.parts);
        for db in parts.map(|part| &mut part.db).chain(places) {
            *db = match *db {
                db if db == a => b,
                db if db == b => a,
                db => db,
            };
        }
    }

    /// Takes what nobody may have back any more at `now`, or all, off the shelf.
    pub fn clear(&self, now: Millis, all: bool) -> Vec<Dict> {
        let mut state = self.state.lock();
        let undoing = state.undoing;
        let (over, kept) = std::mem::take(&mut state.flushes)
            .into_iter()
            .partition(|flush| (all || flush.until <= now) && undoing != Some(flush.number));
        state.flushes = kept;
        self.held.store(state.flushes.len(), Relaxed);
        drop(state);
        dicts_of(over)
    }

    /// What there is.
    pub fn held(&self, rng: &mut Rng) -> Held {
        let state = self.state.lock();
        let mut held = Held {
            flushes: state.flushes.len(),
            until: (state.flushes.iter().map(|flush| flush.until).max()).unwrap_or(0),
            ..Held::default()
        };
        for part in state.flushes.iter().flat_map(|flush| &flush.parts) {
            held.keys += part.dict.len();
            held.bytes += part.dict.about_bytes(rng);
        }
        held
    }

    /// Begins to undo the last flush of all databases, or what the last flush has taken out
    /// of database `db`.
    ///
    /// # Errors
    /// Why that can't be.
    pub fn undo(&self, db: Option<usize>) -> Result<Undo<'_>, Refused> {
        let mut state = self.state.lock();
        if state.undoing.is_some() {
            return Err(Refused::Undoing);
        }
        let wanted = |part: &Part| db.is_none_or(|db| db == part.db);
        let fits = |flush: &Flush| db.is_some() || flush.all;
        let mut flushes = state.flushes.iter_mut().rev();
        let found = flushes.find(|flush| fits(flush) && flush.parts.iter().any(wanted));
        let flush = found.ok_or(Refused::Nothing)?;
        let mut parts = flush.parts.iter_mut().filter(|part| wanted(part));
        if parts.any(|part| Arc::get_mut(&mut part.dict).is_none()) {
            return Err(Refused::Saving);
        }
        let number = flush.number;
        state.undoing = Some(number);
        state.places = std::array::from_fn(|db| db);
        Ok(Undo {
            shelf: self,
            number,
            db,
            changes: state.changes,
            keys: 0,
        })
    }
}

fn dicts_of(flushes: Vec<Flush>) -> Vec<Dict> {
    let parts = flushes.into_iter().flat_map(|flush| flush.parts);
    parts.filter_map(Part::into_dict).collect()
}

/// An undo under way.
pub struct Undo<'s> {
    shelf: &'s Shelf,
    number: u64,
    db: Option<usize>,
    /// The flushes and exchanges before it began.
    changes: u64,
    /// How many keys have come back.
    pub keys: u64,
}

/// Some entries on their way back.
struct Taken {
    shard: usize,
    db: usize,
    entries: Vec<Entry>,
}

impl Undo<'_> {
    /// The next entries; `None` when all are taken, or nobody may go on.
    fn take(&self) -> Option<Taken> {
        let mut state = self.shelf.state.lock();
        if state.changes != self.changes {
            return None;
        }
        let number = self.number;
        let flush = (state.flushes.iter_mut()).find(|flush| flush.number == number)?;
        loop {
            let wanted = |part: &Part| self.db.is_none_or(|db| db == part.db);
            let at = flush.parts.iter().position(wanted)?;
            let part = &mut flush.parts[at];
            let dict = Arc::get_mut(&mut part.dict)?;
            let mut entries = Vec::new();
            if !dict.is_empty() {
                part.cursor = dict.drain_segment(part.cursor, |entry| entries.push(entry));
            }
            let (shard, db) = (part.shard, part.db);
            if dict.is_empty() {
                flush.parts.swap_remove(at);
            }
            if !entries.is_empty() {
                return Some(Taken { shard, db, entries });
            }
        }
    }

    /// Puts entries back on the shelf that could not go further.
    fn put_back(&self, taken: Taken, hasher: &KeyHasher) {
        let mut state = self.shelf.state.lock();
        let Taken { shard, db, entries } = taken;
        let (db, number) = (state.places[db], self.number);
        let Some(flush) = (state.flushes.iter_mut()).find(|flush| flush.number == number) else {
            return;
        };
        let mut dict = Dict::default();
        for entry in entries {
            dict.insert(hasher.hash(entry.key()), entry, hasher);
        }
        flush.parts.push(Part::new(shard, db, Arc::new(dict)));
    }

    /// Whether something was flushed or exchanged since it began. Asked with a shard
    /// locked, it stays so until that is given back.
    fn is_interrupted(&self) -> bool {
        self.shelf.state.lock().changes != self.changes
    }
}

impl Drop for Undo<'_> {
    /// A flush of which nothing is left goes off the shelf.
    fn drop(&mut self) {
        let mut state = self.shelf.state.lock();
        state.undoing = None;
        state.flushes.retain(|flush| !flush.parts.is_empty());
        self.shelf.held.store(state.flushes.len(), Relaxed);
    }
}

impl Db<'_> {
    /// Brings some more keys back; whether there may be others. `encode` makes the command
    /// that makes such a key. Holds no locks before and after.
    ///
    /// # Errors
    /// When something was flushed or exchanged meanwhile.
    pub fn undo_some(
        &mut self,
        undo: &mut Undo<'_>,
        encode: impl Fn(usize, &Entry) -> Vec<Vec<u8>>,
    ) -> Result<bool, Interrupted> {
        let Some(taken) = undo.take() else {
            return match undo.is_interrupted() {
                true => Err(Interrupted),
                false => Ok(false),
            };
        };
        // What is large takes its time, and better without the lock.
        let db = taken.db;
        let all = |entries: &[Entry]| entries.iter().map(|entry| encode(db, entry)).collect();
        let mut commands: Vec<Vec<Vec<u8>>> = Vec::new();
        if self.is_logged() {
            commands = all(&taken.entries);
        }
        let footprint = Footprint {
            read: 0,
            write: 1 << taken.shard,
        };
        self.acquire(footprint);
        if undo.is_interrupted() {
            undo.put_back(taken, self.locks.keyspace().hasher());
            self.release();
            return Err(Interrupted);
        }
        if self.is_logged() && commands.is_empty() {
            commands = all(&taken.entries);
        }
        self.index = taken.db;
        let mut commands = commands.iter();
        for entry in taken.entries {
            let command = commands.next();
            undo.keys += u64::from(self.bring_back(entry, command.map(Vec::as_slice)));
        }
        self.release();
        Ok(true)
    }

    /// Ends an undo, as the last thing its command does: how to repeat it is noted.
    pub fn end_undo(&mut self, undo: &Undo<'_>) {
        if undo.keys > 0 {
            self.log_no_more();
        }
    }

    /// Puts an entry in its place, unless its time has come or there is another.
    fn bring_back(&mut self, entry: Entry, command: Option<&[Vec<u8>]>) -> bool {
        let name = entry.key().to_vec();
        let key: Key<'_> = self.key(&name);
        self.expire_if_due(key);
        if entry.is_gone(self.now) || self.dict(key).find(key).is_some() {
            self.discard(entry);
            return false;
        }
        self.tell_if_new(key);
        // A mark of a snapshot that has ended might be taken for one of another.
        entry.set_epoch(0);
        let hasher = self.locks.keyspace().hasher();
        self.dict_mut(key).insert(key.hash, entry, hasher);
        self.touched(key.bytes, Event::generic("restore"));
        if let Some(words) = command.filter(|_| self.is_logged()) {
            self.note_words(self.index, words);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::journal::{Interest, Journal, Notes};
    use super::super::keyspace::{Keyspace, Locks, Patience};
    use super::super::snapshot::Snapshot;
    use super::*;
    use crate::store::dict::Ttl;
    use crate::store::entry::NewValue;

    struct Deaf;

    impl Journal for Deaf {
        fn interest(&self) -> Interest {
            Interest::NONE
        }

        fn record(&self, _notes: &Notes) {}
    }

    /// Keys enough for several segments of some shard.
    const KEYS: u64 = 60_000;

    fn with_db(test: impl FnOnce(&mut Db<'_>, &Arc<Keyspace>)) {
        let keyspace = Arc::new(Keyspace::new(KeyHasher::seeded(1)));
        let mut db = Db::new(Locks::new(&keyspace, Patience::Wait), &Deaf, 1000);
        test(&mut db, &keyspace);
    }

    fn fill(db: &mut Db<'_>, range: std::ops::Range<u64>) {
        db.acquire(Footprint::ALL_WRITE);
        for n in range {
            let name = n.to_string();
            db.put(db.key(name.as_bytes()), NewValue::Int(n as i64), Ttl::Clear);
        }
        db.release();
    }

    fn flush(db: &mut Db<'_>, index: Option<usize>) {
        db.acquire(Footprint::ALL_WRITE);
        db.flush(index, Some(5000));
        db.release();
    }

    fn keys(db: &Db<'_>, index: usize) -> u64 {
        db.sizes(index).expect("who waits is never told busy").keys as u64
    }

    fn undo_all(db: &mut Db<'_>, undo: &mut Undo<'_>) -> Result<u64, Interrupted> {
        while db.undo_some(undo, |_, _| Vec::new())? {}
        Ok(undo.keys)
    }

    #[test]
    fn an_exchange_or_a_flush_ends_an_undo_and_loses_nothing() {
        for swaps in [true, false] {
            with_db(|db, keyspace| {
                fill(db, 0..KEYS);
                flush(db, None);
                let mut undo = keyspace.shelf().undo(None).expect("a flush");
                assert_eq!(
                    keyspace.shelf().undo(None).err(),
                    Some(Refused::Undoing),
                    "one at a time"
                );
                assert_eq!(db.undo_some(&mut undo, |_, _| Vec::new()), Ok(true));
                let first = undo.keys;
                assert!(first > 0 && first < KEYS / 2, "{first}");
                // Some are on their way when it happens.
                let taken = undo.take().expect("more entries");
                db.acquire(Footprint::ALL_WRITE);
                match swaps {
                    true => db.swap_databases(0, 1),
                    false => db.flush(Some(0), Some(5000)),
                }
                db.release();
                undo.put_back(taken, keyspace.hasher());
                assert_eq!(undo_all(db, &mut undo), Err(Interrupted));
                drop(undo);
                let mut undo = keyspace.shelf().undo(None).expect("the rest of the flush");
                assert_eq!(undo_all(db, &mut undo), Ok(KEYS - first));
                drop(undo);
                if swaps {
                    assert_eq!((keys(db, 0), keys(db, 1)), (0, KEYS));
                } else {
                    assert_eq!(keys(db, 0), KEYS - first);
                    let mut undo = keyspace.shelf().undo(Some(0)).expect("the later flush");
                    assert_eq!(undo_all(db, &mut undo), Ok(first));
                }
                assert!(keyspace.shelf().is_empty());
            });
        }
    }

    #[test]
    fn what_a_snapshot_has_still_to_save_waits_for_it() {
        with_db(|db, keyspace| {
            fill(db, 0..100);
            let mut own = Locks::new(keyspace, Patience::Wait);
            let (snapshot, ()) =
                Snapshot::start(keyspace, &mut own, 0, || ()).expect("no other snapshot");
            flush(db, Some(0));
            fill(db, 0..3);
            assert_eq!(keyspace.shelf().undo(None).err(), Some(Refused::Nothing));
            assert_eq!(keyspace.shelf().undo(Some(0)).err(), Some(Refused::Saving));
            let mut saved = 0;
            let walked = snapshot.walk(&mut own, |_| {
                saved += 1;
                Ok::<(), ()>(())
            });
            assert_eq!((walked, saved), (Ok(()), 100));
            let mut undo = keyspace.shelf().undo(Some(0)).expect("a flush");
            assert_eq!(undo_all(db, &mut undo), Ok(97));
            drop(undo);
            assert_eq!(keys(db, 0), 100);
        });
    }

    #[test]
    fn flushes_go_when_their_time_is_over_or_there_are_too_many() {
        with_db(|db, keyspace| {
            let count = FLUSHES_MAX as u64 + 3;
            for n in 0..count {
                fill(db, n..n + 1);
                flush(db, None);
            }
            let shelf = keyspace.shelf();
            let held = shelf.held(&mut Rng::seeded(1));
            assert_eq!((held.flushes, held.keys, held.until), (16, 16, 5000));
            assert!(held.bytes > 0);
            assert_eq!(db.effects.emptied.len(), 3);
            assert!(shelf.clear(4999, false).is_empty());
            let undo = shelf.undo(None).expect("a flush");
            assert_eq!(shelf.clear(5000, false).len(), 15, "one is being undone");
            drop(undo);
            assert_eq!(shelf.clear(0, true).len(), 1);
            assert!(shelf.is_empty());
        });
    }
}
