//! The keyspace as one command sees it: the locks that are held, the selected
//! database, the time, and what the command causes.
//!
//! The typed APIs (string.rs, list.rs, keys.rs ...) are methods of [`Db`]. They
//! find entries through [`Db::read`] and [`Db::write`], which hide expired keys,
//! and they tell every change through [`Db::touched`].
//!
//! Must stay true: whatever a method changes, it tells before it returns, while
//! the shard is still locked.

use std::collections::{BTreeSet, VecDeque};

use crate::base::clock::Millis;
use crate::base::rng::Rng;
use crate::ds::table::{Ref, RefMut};

use super::dict::{Dict, Key, Ttl};
use super::entry::{Entry, NewValue, Type};
use super::error::Error;
use super::journal::{Event, Interest, Journal, Notes};
use super::keyspace::{Footprint, Locks, Patience};
use super::usage::{self, COUNTER_NEW, Lfu, Stamping};

/// Entries whose drop frees more allocations than this go to the reaper.
pub const REAP_MIN: usize = 64;

/// What commands have caused beside their replies, collected until the locks are
/// given back.
#[derive(Default)]
pub struct Effects {
    /// Reads that found their key, and that did not.
    pub hits: u64,
    pub misses: u64,
    /// Keys removed because they had expired.
    pub expired: u64,
    /// Fields of hashes removed because they had expired.
    pub expired_fields: u64,
    /// Keys removed to make room.
    pub evicted: u64,
    /// Changes of the data.
    pub dirty: u64,
    /// Removed entries that are too large to drop here.
    pub garbage: Vec<Entry>,
    /// Emptied tables, to be dropped elsewhere.
    pub emptied: Vec<Dict>,
    /// Images that have served their turn, to be dropped without the locks.
    pub images: Vec<Box<dyn Send>>,
    /// Keys of values that have more to let go of than one command should wait for.
    pub unswept: Vec<(usize, Box<[u8]>)>,
    /// Keys that have expired, or a part of whose value has, that a reader met and
    /// could not remove.
    pub stale: Vec<(usize, Box<[u8]>)>,
    /// Those of them, and of a changing command's own keys, that the journal has been told
    /// are gone, since the locks were taken.
    told_gone: BTreeSet<(usize, Box<[u8]>)>,
    /// Keys that somebody waits for and that have changed.
    pub ready: VecDeque<(usize, Box<[u8]>)>,
    /// Commands that repeat the change, where the client's own would not.
    instead: Vec<Vec<Vec<u8>>>,
    /// What repeats the change has been noted already.
    noted: bool,
}

/// The counts of reads at some moment; see [`Effects::rewind_reads`].
#[derive(Clone, Copy, Debug)]
pub struct Reads {
    hits: u64,
    misses: u64,
    stale: usize,
}

impl Effects {
    /// The counts of reads so far.
    #[inline]
    pub fn reads(&self) -> Reads {
        Reads {
            hits: self.hits,
            misses: self.misses,
            stale: self.stale.len(),
        }
    }

    fn rewind_reads(&mut self, then: Reads) {
        (self.hits, self.misses) = (then.hits, then.misses);
        self.stale.truncate(then.stale);
    }
}

/// LFU at work: the settings, and the dice for uses that may count or not.
struct Counting {
    lfu: Lfu,
    rng: Rng,
}

/// The engine in the hands of one thread.
pub struct Db<'k> {
    pub locks: Locks<'k>,
    /// The selected database.
    pub index: usize,
    /// The time of the batch.
    pub now: Millis,
    /// The time of use that keys are stamped with; as `now`, but for a replay.
    pub used_at: Millis,
    /// How using a key shows in its stamp.
    pub stamping: Stamping,
    /// The policy counts how often keys are used.
    lfu: Option<Counting>,
    pub effects: Effects,
    /// What is wanted by those who listen to effects, as of the last [`Db::acquire`].
    interest: Interest,
    /// What they will be told when the locks are given back.
    notes: Notes,
    journal: &'k dyn Journal,
}

impl Drop for Db<'_> {
    fn drop(&mut self) {
        self.locks.unpin();
        self.release();
    }
}

impl<'k> Db<'k> {
    /// A view of database 0 that holds no locks yet.
    pub fn new(locks: Locks<'k>, journal: &'k dyn Journal, now: Millis) -> Db<'k> {
        Db {
            locks,
            index: 0,
            now,
            used_at: now,
            stamping: Stamping::Lru,
            lfu: None,
            effects: Effects::default(),
            interest: journal.interest(),
            notes: Notes::default(),
            journal,
        }
    }

    /// Takes the shards of a footprint, as [`Locks::acquire`] does, and looks what is
    /// wanted of their changes.
    #[inline]
    pub fn acquire(&mut self, footprint: Footprint) -> u64 {
        let busy = self.locks.acquire(footprint);
        self.interest = self.journal.interest();
        busy
    }

    /// Tells what has been noted and gives the locks back. Inside a unit, whose locks
    /// are pinned, both wait for its end.
    #[inline]
    pub fn release(&mut self) {
        if self.locks.is_pinned() {
            return;
        }
        if self.notes.is_empty() {
            return self.locks.release();
        }
        self.journal.record(&self.notes);
        self.notes.clear();
        self.effects.told_gone.clear();
        self.locks.release();
        self.journal.released();
    }

    /// Whether a unit has begun and not ended.
    pub fn is_in_unit(&self) -> bool {
        self.locks.is_pinned()
    }

    /// Begins a unit: commands that are atomic to every observer and are repeated
    /// together or not at all. The locks that are held stay until it ends.
    pub fn begin_unit(&mut self) {
        self.locks.pin();
        if self.is_logged() {
            self.notes.begin_unit();
        }
    }

    /// Ends the unit; the locks are still held.
    pub fn end_unit(&mut self) {
        if self.is_logged() {
            self.notes.end_unit();
        }
        self.locks.unpin();
    }

    /// `bytes` as a key of this keyspace.
    #[inline]
    pub fn key<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        self.locks.keyspace().key(bytes)
    }

    /// The LRU clock.
    #[inline]
    pub fn stamp(&self) -> u32 {
        usage::clock(self.used_at)
    }

    /// Has stamps count uses, by the dice of `rng`.
    pub fn count_uses(&mut self, lfu: Lfu, rng: Rng) {
        self.stamping = Stamping::Lfu;
        self.lfu = Some(Counting { lfu, rng });
    }

    /// The settings by which stamps count uses, if they do.
    pub fn lfu(&self) -> Option<Lfu> {
        self.lfu.as_ref().map(|counting| counting.lfu)
    }

    /// The stamp of a key that was not there.
    pub(super) fn stamp_of_new(&self) -> u32 {
        match self.lfu {
            Some(_) => Lfu::stamp(COUNTER_NEW, self.used_at),
            None => self.stamp(),
        }
    }

    /// What a stamp becomes by a use.
    pub(super) fn stamp_after_use(&mut self, stamp: u32) -> u32 {
        match (self.stamping, &mut self.lfu) {
            (Stamping::Lfu, Some(counting)) => {
                counting.lfu.used(stamp, self.used_at, &mut counting.rng)
            }
            (Stamping::Lru, _) => self.stamp(),
            _ => stamp,
        }
    }

    #[inline]
    pub(super) fn dict(&self, key: Key<'_>) -> &Dict {
        self.locks.shard(key.shard()).dict(self.index)
    }

    #[inline]
    pub(super) fn dict_mut(&mut self, key: Key<'_>) -> &mut Dict {
        self.locks.shard_mut(key.shard()).dict_mut(self.index)
    }

    /// The live entry of `key`, without any trace of the look-up.
    #[inline]
    pub fn peek(&self, key: Key<'_>) -> Option<Ref<'_, Entry>> {
        self.dict(key)
            .find(key)
            .filter(|entry| !entry.is_gone(self.now))
    }

    /// The live entry of `key` for a reading command: counted as hit or miss, and
    /// stamped as used. An expired one is noted for removal.
    #[inline]
    pub fn read(&mut self, key: Key<'_>) -> Option<Ref<'_, Entry>> {
        if self.stamping != Stamping::Lru {
            return self.read_counting(key);
        }
        let stamp = self.stamp();
        let entry = self.look(key)?;
        entry.touch(stamp);
        Some(entry)
    }

    #[cold]
    fn read_counting(&mut self, key: Key<'_>) -> Option<Ref<'_, Entry>> {
        let before = self.look(key)?.stamp();
        let stamp = self.stamp_after_use(before);
        let entry = self.dict(key).find(key)?;
        entry.touch(stamp);
        Some(entry)
    }

    /// As [`Db::read`], for commands that ask about a key without using it: its
    /// stamp stays.
    #[inline]
    pub fn look(&mut self, key: Key<'_>) -> Option<Ref<'_, Entry>> {
        let dict = self.locks.shard(key.shard()).dict(self.index);
        match dict.find(key) {
            Some(entry) if entry.is_lasting() => {
                self.effects.hits += 1;
                Some(entry)
            }
            Some(entry) if !entry.is_gone(self.now) => {
                self.effects.hits += 1;
                if entry.parts_due_at() <= self.now {
                    let stale = (self.index, Box::from(key.bytes));
                    self.effects.stale.push(stale);
                }
                Some(entry)
            }
            found => {
                self.effects.misses += 1;
                if found.is_some() {
                    let stale = (self.index, Box::from(key.bytes));
                    self.effects.stale.push(stale);
                }
                if self.interest.has(Interest::MISSES) {
                    self.notes.touched(self.index, key.bytes, Event::MISSED);
                }
                None
            }
        }
    }

    /// The live entry of `key` for a changing command: an expired one is removed
    /// first, a live one stamped as used.
    #[inline]
    pub fn write(&mut self, key: Key<'_>) -> Option<RefMut<'_, Entry>> {
        let now = self.now;
        if self.dict_mut(key).is_due(now) {
            self.remove_if_gone(key);
        }
        if self.stamping != Stamping::Lru {
            return self.write_counting(key);
        }
        let stamp = self.stamp();
        let entry = self.dict_mut(key).find_mut(key)?.into_mut();
        entry.touch(stamp);
        Some(entry)
    }

    #[cold]
    fn write_counting(&mut self, key: Key<'_>) -> Option<RefMut<'_, Entry>> {
        let before = self.dict(key).find(key)?.stamp();
        let stamp = self.stamp_after_use(before);
        let entry = self.dict_mut(key).find_mut(key)?.into_mut();
        entry.touch(stamp);
        Some(entry)
    }

    /// Removes `key` if it has expired; whether it had.
    #[inline]
    pub fn expire_if_due(&mut self, key: Key<'_>) -> bool {
        // Mostly nothing in the table is due: spare it a second look-up.
        self.dict(key).is_due(self.now) && self.remove_if_gone(key)
    }

    #[cold]
    fn remove_if_gone(&mut self, key: Key<'_>) -> bool {
        let now = self.now;
        let Some(entry) = (self.dict(key).find(key)).filter(|entry| entry.is_gone(now)) else {
            return false;
        };
        if !entry.is_expired(now) {
            while (self.dict(key).find(key)).is_some_and(|entry| entry.is_gone(now)) {
                self.reclaim_fields(key);
            }
        } else if let Some(entry) = self.dict_mut(key).remove(key) {
            self.expired(key.bytes, entry);
        }
        true
    }

    /// Tells that an entry has been removed because its time had come.
    pub(super) fn expired(&mut self, key: &[u8], entry: Entry) {
        self.effects.expired += 1;
        self.discard(entry);
        self.notify(key, Event::EXPIRED);
        self.note_command(&[b"DEL", key]);
    }

    /// Tells that an entry has been removed to make room.
    pub(super) fn evicted(&mut self, key: &[u8], entry: Entry) {
        self.effects.evicted += 1;
        self.discard(entry);
        self.notify(key, Event::EVICTED);
        self.note_command(&[b"DEL", key]);
    }

    /// Removes the expired keys that readers have met since the locks were taken,
    /// and some of the expired fields. Holds no locks before and after.
    pub fn remove_stale(&mut self) {
        while let Some((db, key)) = self.effects.stale.pop() {
            let key = self.locks.keyspace().key(&key);
            let mut footprint = Footprint::NONE;
            footprint.add(key.hash, true);
            if self.acquire(footprint) == 0 {
                self.index = db;
                if !self.expire_if_due(key) {
                    self.reclaim_fields(key);
                }
            }
            self.release();
        }
    }

    /// Goes on with what commands have left to be let go of, slice by slice; who does not
    /// wait for locks does one of each, and changes to come do the rest. Holds no locks
    /// before and after.
    pub fn sweep(&mut self) {
        /// About 100 us.
        const SLICE: usize = 256;
        self.stamping = Stamping::Off;
        while let Some((db, key)) = self.effects.unswept.pop() {
            let key = self.locks.keyspace().key(&key);
            let mut footprint = Footprint::NONE;
            footprint.add(key.hash, true);
            let mut more = true;
            while more {
                let free = self.acquire(footprint) == 0;
                self.index = db;
                more = free && self.zset_sweep(key, SLICE);
                self.release();
                more &= self.locks.patience() == Patience::Wait;
            }
        }
    }

    /// Stores a value under `key`, whatever was there.
    pub(super) fn put(&mut self, key: Key<'_>, value: NewValue<'_>, ttl: Ttl) {
        let now = self.now;
        if self.dict_mut(key).is_due(now) {
            self.remove_if_gone(key);
        }
        self.tell_if_new(key);
        let stamp = if self.lfu.is_some() {
            self.stamp_of_stored(key)
        } else {
            self.stamp()
        };
        let hasher = self.locks.keyspace().hasher();
        let old = self.dict_mut(key).put(key, value, ttl, stamp, hasher);
        if let Some(old) = old {
            self.discard(old);
        }
    }

    /// The stamp of a key that is stored now.
    #[cold]
    fn stamp_of_stored(&mut self, key: Key<'_>) -> u32 {
        let before = self.dict(key).find(key).map(|entry| entry.stamp());
        match before {
            Some(stamp) => self.stamp_after_use(stamp),
            None => self.stamp_of_new(),
        }
    }

    /// Tells those who want to know that a value will be stored under a key that is
    /// not there.
    #[inline]
    pub(super) fn tell_if_new(&mut self, key: Key<'_>) {
        if self.interest.has(Interest::NEW_KEYS) && self.dict(key).find(key).is_none() {
            self.notes.touched(self.index, key.bytes, Event::NEW);
        }
    }

    /// Whether anybody wants to know who causes effects.
    #[inline]
    pub fn wants_callers(&self) -> bool {
        self.interest.has(Interest::CALLERS)
    }

    /// Notes that a client reads `key` and wants to know when it changes. Told with
    /// the changes that come before and after, in order.
    pub fn note_read(&mut self, client: u64, key: &[u8]) {
        self.notes.read(client, key);
    }

    /// Notes which client has caused what was noted since the last call.
    pub fn note_caller(&mut self, client: u64) {
        self.notes.caller(client);
    }

    /// Forgets the reads since `then`: the command will run again.
    pub fn rewind_reads(&mut self, then: Reads) {
        if self.interest.has(Interest::MISSES) {
            let misses = self.effects.misses - then.misses;
            self.notes.forget_misses(misses as usize);
        }
        self.effects.rewind_reads(then);
    }

    /// Removes `key`, expired or not; whether a live key is gone.
    pub(super) fn take(&mut self, key: Key<'_>) -> Option<Entry> {
        if self.expire_if_due(key) {
            return None;
        }
        self.dict_mut(key).remove(key)
    }

    /// Drops a removed entry: here if that is quick, else through the reaper.
    #[inline]
    pub fn discard(&mut self, entry: Entry) {
        if entry.drop_effort() > REAP_MIN {
            self.effects.garbage.push(entry);
        }
    }

    /// Tells that `key` has changed. Called with its shard locked.
    #[inline]
    pub fn touched(&mut self, key: &[u8], event: Event) {
        self.effects.dirty += 1;
        self.notify(key, event);
    }

    /// Tells an event that does not count as one more change.
    #[inline]
    pub fn notify(&mut self, key: &[u8], event: Event) {
        if self.locks.keyspace().is_observed() {
            self.tell_observers(key);
        }
        if self.interest.has(Interest::EVENTS) {
            self.notes.touched(self.index, key, event);
        }
    }

    /// Tells that databases have been emptied or exchanged.
    pub(super) fn flushed(&mut self, db: Option<usize>) {
        if self.interest != Interest::NONE {
            self.notes.flushed(db);
        }
    }

    /// Has the journal take this command instead of the client's own: times made
    /// absolute, conditions decided.
    #[inline]
    pub fn log_instead(&mut self, args: &[&[u8]]) {
        if self.is_logged() {
            let owned = args.iter().map(|arg| arg.to_vec()).collect();
            self.effects.instead.push(owned);
        }
    }

    /// As [`Db::log_instead`], for a command whose arguments are long.
    pub fn log_owned(&mut self, args: Vec<Vec<u8>>) {
        if self.is_logged() {
            self.effects.instead.push(args);
        }
    }

    /// Has the journal take nothing at the end of the command that runs: what repeats its
    /// changes was noted with each of them. Called last, where something has changed.
    pub(super) fn log_no_more(&mut self) {
        self.effects.noted = self.is_logged();
    }

    /// Notes a command that repeats a change of database `db`.
    pub(super) fn note_words(&mut self, db: usize, words: &[Vec<u8>]) {
        self.notes.command(db, words.iter().map(Vec::as_slice));
    }

    /// Whether anybody wants the commands that repeat changes; without, none need be
    /// put together.
    #[inline]
    pub fn is_logged(&self) -> bool {
        self.interest.has(Interest::COMMANDS)
    }

    /// Ends a command that has changed something: notes how to repeat it. `argv` is
    /// the client's own command. Called with the locks held.
    pub fn commit(&mut self, argv: &mut dyn Iterator<Item = &[u8]>) {
        if !self.is_logged() {
            return;
        }
        self.note_stale();
        if std::mem::take(&mut self.effects.noted) {
            return;
        }
        let instead = std::mem::take(&mut self.effects.instead);
        if instead.is_empty() {
            return self.notes.command(self.index, argv);
        }
        let several = instead.len() > 1;
        if several {
            self.notes.begin_unit();
        }
        for command in &instead {
            let words = command.iter().map(Vec::as_slice);
            self.notes.command(self.index, words);
        }
        if several {
            self.notes.end_unit();
        }
    }

    /// Notes that the keys are gone which have expired, or all of whose parts have, and
    /// which readers have met and could not remove: what was computed from their absence
    /// must come out the same when it is repeated.
    fn note_stale(&mut self) {
        let stale = std::mem::take(&mut self.effects.stale);
        for (db, key) in &stale {
            self.note_gone(*db, key);
        }
        self.effects.stale = stale;
    }

    /// Notes that `key` is gone, if it has expired and is still there. What is not locked
    /// has not been looked at: the words of XREADGROUP can hide which are its keys.
    pub fn note_if_gone(&mut self, key: &[u8]) {
        let shard = self.key(key).shard();
        if self.is_logged() && self.locks.holds(shard) {
            self.note_gone(self.index, key);
        }
    }

    fn note_gone(&mut self, db: usize, key: &[u8]) {
        let key = self.key(key);
        let dict = self.locks.shard(key.shard()).dict(db);
        let gone = (dict.find(key)).is_some_and(|entry| entry.is_gone(self.now));
        if gone && self.effects.told_gone.insert((db, key.bytes.into())) {
            let words: [&[u8]; 2] = [b"DEL", key.bytes];
            self.notes.command(db, words.into_iter());
        }
    }

    /// Notes a command at once, ahead of the one that runs.
    pub(super) fn note_command(&mut self, words: &[&[u8]]) {
        if self.is_logged() {
            self.notes.command(self.index, words.iter().copied());
        }
    }

    /// The type of a live key, for a command that only asks for it.
    pub fn type_of(&mut self, key: Key<'_>) -> Option<Type> {
        self.look(key).map(|entry| entry.value_type())
    }

    /// Refuses a live key of another type than `want`; whether there is one.
    pub fn expect_type(&mut self, key: Key<'_>, want: Type) -> Result<bool, Error> {
        match self.peek(key).map(|entry| entry.value_type()) {
            Some(found) if found != want => Err(Error::WrongType),
            found => Ok(found.is_some()),
        }
    }
}
