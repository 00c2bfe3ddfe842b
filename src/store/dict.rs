//! One database's part of one shard: its entries and how many of them expire.
//!
//! Every insertion, removal and change of an expiry goes through here, so that the
//! count of volatile keys and the table's notion of the earliest expiry of each
//! segment stay true.
//!
//! While a snapshot is taken of the dict, every change goes by [`Dict::keep_old`] first,
//! and every new entry gets the snapshot's mark: here, and nowhere else.

use std::sync::Arc;

use crate::base::clock::Millis;
use crate::base::hash::{KeyHasher, same_key};
use crate::base::rng::Rng;
use crate::ds::table::{self, Due, DueStep, Ref, Slot, Table};

use super::SHARD_BITS;
use super::entry::{Entry, NewValue};
use super::snapshot::Cut;

/// A key's bytes with their hash, computed once.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    pub bytes: &'a [u8],
    pub hash: u64,
}

impl Key<'_> {
    /// The shard that holds the key.
    #[inline]
    pub fn shard(&self) -> usize {
        super::shard_of(self.hash)
    }
}

/// What becomes of a key's expiry when it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    Keep,
    Clear,
    At(Millis),
}

/// One key in so many expires, or more: then drawing until one does is quicker than
/// asking the segments.
const VOLATILE_DENSE: usize = 8;
/// Segments whose keys are asked in one sample when few expire; about 200 us.
const NOTED_SEGMENTS_MAX: usize = 16;

/// Entries measured for the mean of a table; there are tables enough.
const MEASURED: usize = 8;

/// The entries of one database in one shard.
pub struct Dict {
    table: Table<Entry>,
    volatile: usize,
    /// The snapshot that is being taken.
    cut: Option<Box<Cut>>,
}

impl Default for Dict {
    fn default() -> Self {
        Dict {
            table: Table::new(SHARD_BITS),
            volatile: 0,
            cut: None,
        }
    }
}

impl Dict {
    /// Number of keys, expired ones that have not been removed included.
    #[inline]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Number of keys that have an expiry.
    pub fn volatile(&self) -> usize {
        self.volatile
    }

    /// The table, for walks and measures.
    pub fn table(&self) -> &Table<Entry> {
        &self.table
    }

    /// The entry of `key`, expired or not.
    #[inline]
    pub fn find(&self, key: Key<'_>) -> Option<Ref<'_, Entry>> {
        self.table
            .find(key.hash, |entry| same_key(entry.key(), key.bytes))
    }

    /// The entry of `key` for change. Its expiry is changed through
    /// [`Dict::set_expire`] alone.
    #[inline]
    pub fn find_mut(&mut self, key: Key<'_>) -> Option<Slot<'_, Entry>> {
        if self.cut.is_some() {
            self.keep_old(key);
        }
        self.table
            .find_mut(key.hash, |entry| same_key(entry.key(), key.bytes))
    }

    /// Adds an entry whose key is absent.
    pub fn insert(&mut self, hash: u64, entry: Entry, hasher: &KeyHasher) {
        if self.cut.is_some() {
            entry.set_epoch(self.epoch());
        }
        let (expire, parts_due_at) = (entry.expire_at(), entry.parts_due_at());
        self.table
            .insert_new(hash, entry, |entry| hasher.hash(entry.key()));
        self.count_expire(hash, None, expire);
        self.note_parts(hash, parts_due_at);
    }

    /// Adds an entry whose key may be there: then it takes that one's place, or is
    /// given back.
    ///
    /// # Errors
    /// The entry, if it is refused.
    pub fn load(
        &mut self,
        hash: u64,
        entry: Entry,
        replace: bool,
        hasher: &KeyHasher,
    ) -> Result<(), Entry> {
        let key = Key {
            bytes: entry.key(),
            hash,
        };
        if self.find(key).is_some() {
            if !replace {
                return Err(entry);
            }
            self.remove(key);
        }
        self.insert(hash, entry, hasher);
        Ok(())
    }

    /// Sets `key` to `value`. What the key was before is returned if dropping it
    /// is left to the caller.
    #[inline]
    pub fn put(
        &mut self,
        key: Key<'_>,
        value: NewValue<'_>,
        ttl: Ttl,
        stamp: u32,
        hasher: &KeyHasher,
    ) -> Option<Entry> {
        let mut epoch = 0;
        if self.cut.is_some() {
            self.keep_old(key);
            epoch = self.epoch();
        }
        let found = self
            .table
            .entry(key.hash, |entry| same_key(entry.key(), key.bytes));
        let (old, before, after) = match found {
            table::Entry::Occupied(slot) => {
                let mut entry = slot.into_mut();
                let before = entry.expire_at();
                let old = entry.set_value(value);
                match ttl {
                    Ttl::Keep => {}
                    Ttl::Clear if before.is_none() => {}
                    Ttl::Clear => entry.set_expire(None),
                    Ttl::At(at) => entry.set_expire(Some(at)),
                }
                entry.touch(stamp);
                (old, before, entry.expire_at())
            }
            table::Entry::Vacant(vacant) => {
                let expire = match ttl {
                    Ttl::At(at) => Some(at),
                    Ttl::Keep | Ttl::Clear => None,
                };
                let entry = Entry::new(key.bytes, value, expire, stamp);
                entry.set_epoch(epoch);
                vacant.insert(entry, |entry| hasher.hash(entry.key()));
                (None, None, expire)
            }
        };
        self.count_expire(key.hash, before, after);
        old
    }

    /// Removes `key`.
    pub fn remove(&mut self, key: Key<'_>) -> Option<Entry> {
        let entry = self.find_mut(key)?.remove();
        self.volatile -= usize::from(entry.expire_at().is_some());
        Some(entry)
    }

    /// Sets or clears the expiry of `key`; whether there is such a key.
    pub fn set_expire(&mut self, key: Key<'_>, expire: Option<Millis>) -> bool {
        let Some(slot) = self.find_mut(key) else {
            return false;
        };
        let mut entry = slot.into_mut();
        let before = entry.expire_at();
        entry.set_expire(expire);
        drop(entry);
        self.count_expire(key.hash, before, expire);
        true
    }

    #[inline]
    fn count_expire(&mut self, hash: u64, before: Option<Millis>, after: Option<Millis>) {
        if before == after {
            return;
        }
        self.volatile += usize::from(after.is_some());
        self.volatile -= usize::from(before.is_some());
        if let Some(at) = after {
            self.table.note_min(hash, at.max(0) as u64);
        }
    }

    /// Notes when the first part of the value of this hash's key expires.
    #[inline]
    pub fn note_parts(&mut self, hash: u64, at: Millis) {
        if at != Millis::MAX {
            self.table.note_min(hash, at.max(0) as u64);
        }
    }

    /// Earliest possible expiry of any key or part of a value; `None` when nothing
    /// expires.
    pub fn next_expiry(&self) -> Option<Millis> {
        i64::try_from(self.table.min_overall()).ok()
    }

    /// Whether anything may have expired at `now`.
    #[inline]
    pub fn is_due(&self, now: Millis) -> bool {
        self.table.min_overall() <= now.max(0) as u64
    }

    /// Removes expired keys from the next `segments_max` segments that have some,
    /// and reports the keys of which a part has expired.
    pub fn expire_step(
        &mut self,
        cursor: u64,
        now: Millis,
        segments_max: usize,
        hasher: &KeyHasher,
        mut removed: impl FnMut(Entry),
        mut partly: impl FnMut(&Entry),
    ) -> DueStep {
        let volatile = &mut self.volatile;
        let cut = self.cut.as_deref();
        self.table.due(
            cursor,
            now.max(0) as u64,
            segments_max,
            |entry| {
                let whole = entry.expire_at().unwrap_or(Millis::MAX);
                if whole <= now {
                    return Due::Remove;
                }
                let part = entry.parts_due_at();
                if part <= now {
                    partly(entry);
                }
                match whole.min(part) {
                    Millis::MAX => Due::Keep(u64::MAX),
                    // What is reported is looked at again, until nothing is due.
                    at => Due::Keep(at.max(0) as u64),
                }
            },
            |entry| {
                *volatile -= 1;
                if let Some(cut) = cut {
                    keep(cut, &entry, hasher.hash(entry.key()));
                }
                removed(entry);
            },
        )
    }

    /// The dict, leaving an empty one; nothing if a snapshot has use for it.
    pub fn take(&mut self) -> Option<Dict> {
        Arc::into_inner(self.take_shared())
    }

    /// The dict, leaving an empty one; shared with a snapshot if that has use for it.
    pub(super) fn take_shared(&mut self) -> Arc<Dict> {
        let dict = Arc::new(std::mem::take(self));
        let unsaved = dict.cut().filter(|cut| cut.cursor().is_some());
        if let Some(cut) = unsaved {
            Cut::keep_table(cut.exchange(), Arc::clone(&dict));
        }
        dict
    }

    /// Begins or ends a snapshot.
    pub(super) fn set_cut(&mut self, cut: Option<Box<Cut>>) {
        self.cut = cut;
    }

    /// The snapshot that is being taken.
    pub(super) fn cut(&self) -> Option<&Cut> {
        self.cut.as_deref()
    }

    /// Whether a change of the entry of `key` first leaves an image of it to a snapshot.
    pub fn is_unsaved(&self, key: Key<'_>) -> bool {
        (self.cut()).is_some_and(|cut| !has_passed(cut, key.hash))
    }

    /// Leaves an image of the entry of `key` to the snapshot, if that has not got it.
    #[cold]
    fn keep_old(&self, key: Key<'_>) {
        if let Some(cut) = self.cut()
            && let Some(entry) = self.find(key)
        {
            keep(cut, &entry, key.hash);
        }
    }

    /// The mark of new entries.
    #[inline]
    fn epoch(&self) -> u8 {
        match &self.cut {
            Some(cut) if cut.cursor().is_some() => cut.epoch(),
            _ => 0,
        }
    }

    /// Bytes of table and entries, by the mean of a few.
    pub fn about_bytes(&self, rng: &mut Rng) -> usize {
        let (mut seen, mut bytes) = (0, 0);
        self.sample(MEASURED, false, &mut || rng.next_u64(), |entry| {
            seen += 1;
            bytes += entry.mem_bytes();
        });
        self.table.mem_bytes() + bytes * self.len() / seen.max(1)
    }

    /// Shows about `count` random keys to `see`, with `volatile` only such as expire, which
    /// may be more if they are few and far between, or none.
    pub fn sample(
        &self,
        count: usize,
        volatile: bool,
        rand: &mut impl FnMut() -> u64,
        mut see: impl FnMut(&Entry),
    ) {
        let mut found = 0;
        if !volatile {
            while found < count
                && let Some(entry) = self.table.sample(&mut *rand)
            {
                see(&entry);
                found += 1;
            }
            return;
        }
        if self.volatile == 0 {
            return;
        }
        let mut see_volatile = |entry: &Entry| {
            let shown = entry.expire_at().is_some();
            if shown {
                see(entry);
            }
            shown
        };
        if self.volatile * VOLATILE_DENSE >= self.len() {
            // Twice as often as it takes on average.
            for _ in 0..count * VOLATILE_DENSE * 2 {
                let entry = self.table.sample(&mut *rand);
                found += usize::from(entry.is_some_and(|entry| see_volatile(&entry)));
                if found == count {
                    return;
                }
            }
        }
        if found == 0 {
            self.table
                .sample_noted(rand(), NOTED_SEGMENTS_MAX, see_volatile);
        }
    }

    /// Takes the entries out of the next segment and gives them to `sink`; 0 when it was the
    /// last.
    pub(super) fn drain_segment(&mut self, cursor: u64, sink: impl FnMut(Entry)) -> u64 {
        self.volatile = 0;
        self.table.drain_some(cursor, 1, sink)
    }

    /// Takes the entries out of the next segments; 0 when all are out.
    pub fn drain_some(&mut self, cursor: u64, segments_max: usize) -> u64 {
        self.volatile = 0;
        self.table.drain_some(cursor, segments_max, drop)
    }
}

/// Whether the walk of a snapshot is beyond entries of this hash, or over.
fn has_passed(cut: &Cut, hash: u64) -> bool {
    (cut.cursor()).is_none_or(|cursor| table::has_passed(SHARD_BITS, cursor, hash))
}

fn keep(cut: &Cut, entry: &Entry, hash: u64) {
    if !has_passed(cut, hash) {
        cut.keep(entry);
    }
}
