#![allow(unsafe_code)]
//! The keyspace: 64 shards, each behind a `RwLock`, and the locks of a batch.
//!
//! A key's shard is the top six bits of its hash. A shard holds that part of every
//! database, so that commands over two databases need no lock of their own.
//!
//! # Lock order
//!
//! 1. shards, ascending by index;
//! 2. the journal's own lock;
//! 3. queues (completions, reaper).
//!
//! Nobody who holds a later one takes an earlier one. What a group of commands
//! touches is known before it runs, as a [`Footprint`]: a mask of shards to read
//! and one to write. [`Locks`] takes the whole footprint at once, each shard once,
//! so that every command of the group is atomic to everybody else. The reactor
//! only ever tries; whoever may wait takes the shards in ascending order.
//!
//! No lock is held over I/O, and none for long: walks over the keyspace go shard
//! by shard and slice by slice ([`Locks::visit`]).

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::lock_api::RawRwLock as _;
use parking_lot::{RwLock, RwLockReadGuard};

use crate::base::hash::KeyHasher;

use super::dict::{Dict, Key};
use super::snapshot::{Brake, Cut, Kept, Snapshots};
use super::undo::Shelf;
use super::waiters::Waiters;
use super::watch::Watchers;

/// Databases per server; `databases` may only lower it.
pub const DATABASES: usize = 16;
/// Number of shards: the bits of a footprint mask.
pub const SHARDS: usize = 1 << SHARD_BITS;
/// Bits of the hash that choose the shard.
pub const SHARD_BITS: u32 = 6;

/// The shard that keys of this hash live in.
#[inline]
pub fn shard_of(hash: u64) -> usize {
    (hash >> (64 - SHARD_BITS)) as usize
}

/// One shard: its part of each database.
#[derive(Default)]
pub struct Shard {
    pub(super) dicts: [Dict; DATABASES],
    /// Who watches keys of this shard.
    pub(super) watchers: Watchers,
    /// Who waits for them.
    pub(super) waiters: Waiters,
}

impl Shard {
    /// The shard's part of database `db`.
    #[inline]
    pub fn dict(&self, db: usize) -> &Dict {
        &self.dicts[db]
    }

    /// The shard's part of database `db`, for change.
    #[inline]
    pub fn dict_mut(&mut self, db: usize) -> &mut Dict {
        &mut self.dicts[db]
    }

    /// Exchanges two databases.
    pub fn swap(&mut self, a: usize, b: usize) {
        self.dicts.swap(a, b);
    }

    /// A dict that a snapshot has not got all of yet.
    pub(super) fn unsaved(&self) -> Option<(&Dict, &Cut)> {
        let unsaved = |dict| {
            let cut = Dict::cut(dict)?;
            cut.cursor()?;
            Some((dict, cut))
        };
        self.dicts.iter().find_map(unsaved)
    }

    /// Ends the snapshot of all dicts.
    pub(super) fn take_off_cuts(&mut self) {
        self.dicts.iter_mut().for_each(|dict| dict.set_cut(None));
    }
}

/// A shard on its own cache lines, so that neighbours' locks do not collide.
#[repr(align(128))]
#[derive(Default)]
struct Cell(RwLock<Shard>);

/// All shards, and the hash that spreads keys over them.
pub struct Keyspace {
    cells: Box<[Cell; SHARDS]>,
    hasher: KeyHasher,
    /// How many want to know of some key's change. Raised under the lock of the key's
    /// shard, so who holds that lock sees it.
    observers: AtomicUsize,
    pub(super) snapshots: Snapshots,
    shelf: Shelf,
}

impl Keyspace {
    /// An empty keyspace whose keys are hashed by `hasher`.
    pub fn new(hasher: KeyHasher) -> Keyspace {
        Keyspace {
            cells: Box::new(std::array::from_fn(|_| Cell::default())),
            hasher,
            observers: AtomicUsize::new(0),
            snapshots: Snapshots::default(),
            shelf: Shelf::default(),
        }
    }

    /// Whether anybody wants to know of the change of some key.
    #[inline]
    pub fn is_observed(&self) -> bool {
        self.observers.load(Relaxed) != 0
    }

    /// Counts those that begin to observe a key, under its shard's lock.
    pub(super) fn add_observers(&self, count: usize) {
        self.observers.fetch_add(count, Relaxed);
    }

    /// Counts those that observe no more.
    pub(super) fn remove_observers(&self, count: usize) {
        self.observers.fetch_sub(count, Relaxed);
    }

    /// What snapshots have been handed, and have let go of.
    pub fn kept(&self) -> &Kept {
        &self.snapshots.kept
    }

    /// What was flushed and can be brought back.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// The hash of keys.
    #[inline]
    pub fn hasher(&self) -> &KeyHasher {
        &self.hasher
    }

    /// `bytes` as a key.
    #[inline]
    pub fn key<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        Key {
            bytes,
            hash: self.hasher.hash(bytes),
        }
    }
}

/// The shards that commands read and write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    pub read: u64,
    pub write: u64,
}

impl Footprint {
    pub const NONE: Footprint = Footprint { read: 0, write: 0 };
    pub const ALL_READ: Footprint = Footprint { read: !0, write: 0 };
    pub const ALL_WRITE: Footprint = Footprint { read: 0, write: !0 };

    /// Adds the shard of a key.
    #[inline]
    pub fn add(&mut self, hash: u64, write: bool) {
        let bit = 1u64 << shard_of(hash);
        if write {
            self.write |= bit;
        } else {
            self.read |= bit;
        }
    }

    /// Adds another footprint.
    #[inline]
    pub fn add_all(&mut self, other: Footprint) {
        self.read |= other.read;
        self.write |= other.write;
    }

    /// Whether all that `other` needs is part of this.
    #[inline]
    pub fn covers(self, other: Footprint) -> bool {
        other.write & !self.write | other.read & !self.shards() == 0
    }

    /// All shards touched.
    #[inline]
    pub fn shards(self) -> u64 {
        self.read | self.write
    }
}

/// Whether to wait for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Give up when somebody holds it: the reactor's way.
    Try,
    Wait,
    /// Wait, and for a look at a shard without standing in its queue: whoever gives a lock
    /// back that somebody queues for has to wake him, which takes microseconds.
    Polite,
}

/// A shard was held by somebody else and the caller does not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// The shard locks that one thread holds. Gives them back on drop.
pub struct Locks<'k> {
    keyspace: &'k Keyspace,
    read: u64,
    write: u64,
    patience: Patience,
    /// A unit runs, which gives back nothing before its end.
    pinned: bool,
}

impl<'k> Locks<'k> {
    /// Holds nothing yet.
    pub fn new(keyspace: &'k Keyspace, patience: Patience) -> Locks<'k> {
        Locks {
            keyspace,
            read: 0,
            write: 0,
            patience,
            pinned: false,
        }
    }

    /// The keyspace the locks are of.
    #[inline]
    pub fn keyspace(&self) -> &'k Keyspace {
        self.keyspace
    }

    /// How this thread waits.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// Takes the shards of a footprint; those to write exclusively. The mask of
    /// shards that could not be had, always 0 for who waits.
    ///
    /// Holds nothing before, so that ascending order is kept; or is pinned, and holds
    /// all of it.
    pub fn acquire(&mut self, footprint: Footprint) -> u64 {
        if self.pinned {
            let held = self.held().covers(footprint);
            assert!(held, "a unit holds what its commands need");
            return 0;
        }
        debug_assert_eq!(self.read | self.write, 0);
        let brake = self.brake();
        if brake.is_on() && footprint.write != 0 {
            match self.patience {
                Patience::Try => return footprint.shards(),
                Patience::Wait | Patience::Polite => brake.wait(),
            }
        }
        let mut busy = 0;
        let mut rest = footprint.shards();
        while rest != 0 {
            let bit = rest & rest.wrapping_neg();
            rest ^= bit;
            let write = footprint.write & bit != 0;
            if !self.lock(bit.trailing_zeros() as usize, write) {
                busy |= bit;
            } else if write {
                self.write |= bit;
            } else {
                self.read |= bit;
            }
        }
        busy
    }

    /// Slows writers down while a snapshot cannot keep up with them.
    #[inline]
    fn brake(&self) -> &'k Brake {
        &self.keyspace.snapshots.brake
    }

    #[inline]
    fn lock(&self, index: usize, write: bool) -> bool {
        // SAFETY: `raw` is used for locking only; what is locked here is recorded
        // in the masks and unlocked by `release`, on this thread.
        let raw = unsafe { self.keyspace.cells[index].0.raw() };
        match (self.patience, write) {
            (Patience::Try, true) => try_briefly(|| raw.try_lock_exclusive()),
            (Patience::Try, false) => try_briefly(|| raw.try_lock_shared()),
            (_, true) => {
                raw.lock_exclusive();
                true
            }
            (_, false) => {
                raw.lock_shared();
                true
            }
        }
    }

    /// Gives all locks back, unless they are pinned.
    pub fn release(&mut self) {
        if self.pinned {
            return;
        }
        for (mask, write) in [(self.read, false), (self.write, true)] {
            let mut rest = mask;
            while rest != 0 {
                let index = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                // SAFETY: the masks hold exactly the locks that `acquire` took,
                // and `&mut self` proves that no borrow of a shard is alive.
                unsafe {
                    let raw = self.keyspace.cells[index].0.raw();
                    if write {
                        raw.unlock_exclusive();
                    } else {
                        raw.unlock_shared();
                    }
                }
            }
        }
        (self.read, self.write) = (0, 0);
    }

    /// Keeps the locks that are held through every [`Locks::release`] and
    /// [`Locks::acquire`] up to [`Locks::unpin`].
    pub fn pin(&mut self) {
        self.pinned = true;
    }

    /// Ends what [`Locks::pin`] has begun.
    pub fn unpin(&mut self) {
        self.pinned = false;
    }

    /// Whether a unit runs.
    #[inline]
    pub fn is_pinned(&self) -> bool {
        self.pinned
    }

    /// What is held, to be taken again after a while without.
    pub fn held(&self) -> Footprint {
        Footprint {
            read: self.read,
            write: self.write,
        }
    }

    /// Whether any shard is held.
    pub fn is_empty(&self) -> bool {
        self.read | self.write == 0
    }

    /// A shard that is held.
    ///
    /// # Panics
    /// If the shard is not part of the acquired footprint: a bug in a key spec.
    #[inline]
    pub fn shard(&self, index: usize) -> &Shard {
        assert!(self.holds(index), "shard not held");
        // SAFETY: the shard is locked by us, shared or exclusively, until
        // `release`, which needs `&mut self` and so ends this borrow.
        unsafe { &*self.keyspace.cells[index].0.data_ptr() }
    }

    /// A shard that is held for writing.
    ///
    /// # Panics
    /// If it is not: a bug in a key spec.
    #[inline]
    pub fn shard_mut(&mut self, index: usize) -> &mut Shard {
        assert!(self.write >> index & 1 == 1, "shard not held for writing");
        // SAFETY: the shard is locked exclusively by us; `&mut self` makes this
        // the only borrow of it, since all go through `self`.
        unsafe { &mut *self.keyspace.cells[index].0.data_ptr() }
    }

    /// Whether a shard is held.
    #[inline]
    pub fn holds(&self, index: usize) -> bool {
        (self.read | self.write) >> index & 1 == 1
    }

    /// Whether a shard is held for writing.
    #[inline]
    pub fn holds_write(&self, index: usize) -> bool {
        self.write >> index & 1 == 1
    }

    /// Looks at a shard for a moment: under the lock that is held, or under one
    /// that is taken for this call alone.
    pub fn visit<R>(&self, index: usize, look: impl FnOnce(&Shard) -> R) -> Result<R, Busy> {
        if (self.read | self.write) >> index & 1 == 1 {
            return Ok(look(self.shard(index)));
        }
        assert!(!self.pinned, "a unit takes no lock out of order");
        let cell = &self.keyspace.cells[index].0;
        match self.patience {
            Patience::Wait => Ok(look(&cell.read())),
            Patience::Polite => Ok(look(&read_politely(cell))),
            Patience::Try => cell.try_read().map(|shard| look(&shard)).ok_or(Busy),
        }
    }

    /// Changes a shard for a moment, as [`Locks::visit`].
    pub fn visit_mut<R>(
        &mut self,
        index: usize,
        change: impl FnOnce(&mut Shard) -> R,
    ) -> Result<R, Busy> {
        if self.holds_write(index) {
            return Ok(change(self.shard_mut(index)));
        }
        assert!(self.read >> index & 1 == 0, "a read lock cannot be raised");
        assert!(!self.pinned, "a unit takes no lock out of order");
        let cell = &self.keyspace.cells[index].0;
        match self.patience {
            Patience::Wait | Patience::Polite => Ok(change(&mut cell.write())),
            Patience::Try => cell.try_write().map(|mut s| change(&mut s)).ok_or(Busy),
        }
    }
}

impl Drop for Locks<'_> {
    fn drop(&mut self) {
        self.unpin();
        self.release();
    }
}

/// Takes a lock between two others who hold it, without queueing; after many tries it
/// queues after all.
fn read_politely(cell: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    const TRIES: usize = 10_000;
    const SPINS: usize = 64;
    for _ in 0..TRIES {
        for _ in 0..SPINS {
            if let Some(guard) = cell.try_read() {
                return guard;
            }
            std::hint::spin_loop();
        }
        std::thread::yield_now();
    }
    cell.read()
}

/// Tries a lock a few times: a worker's critical sections are often shorter than
/// a hand-over of the batch would be.
#[inline]
fn try_briefly(mut attempt: impl FnMut() -> bool) -> bool {
    const TRIES: usize = 32;
    if attempt() {
        return true;
    }
    for _ in 0..TRIES {
        std::hint::spin_loop();
        if attempt() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footprint_locks_each_shard_once() {
        let keyspace = Keyspace::new(KeyHasher::seeded(1));
        let mut footprint = Footprint::NONE;
        for i in 0..500u32 {
            footprint.add(keyspace.key(&i.to_be_bytes()).hash, i % 3 == 0);
        }
        let mut locks = Locks::new(&keyspace, Patience::Wait);
        assert_eq!(locks.acquire(footprint), 0);
        let mut other = Locks::new(&keyspace, Patience::Try);
        assert_eq!(other.acquire(Footprint::ALL_WRITE), footprint.shards());
        other.release();
        locks.release();
        assert_eq!(other.acquire(Footprint::ALL_WRITE), 0);
    }

    #[test]
    fn readers_share_and_writers_do_not() {
        let keyspace = Keyspace::new(KeyHasher::seeded(1));
        let mut a = Locks::new(&keyspace, Patience::Wait);
        let mut b = Locks::new(&keyspace, Patience::Try);
        a.acquire(Footprint {
            read: 0b1,
            write: 0b10,
        });
        assert_eq!(
            b.acquire(Footprint {
                read: 0b11,
                write: 0
            }),
            0b10
        );
        b.release();
        assert_eq!(b.visit(1, |_| ()), Err(Busy));
        assert_eq!(a.visit(1, |shard| shard.dict(0).len()), Ok(0));
    }

    #[test]
    #[should_panic(expected = "not held")]
    fn touching_a_shard_outside_the_footprint_is_a_bug() {
        let keyspace = Keyspace::new(KeyHasher::seeded(1));
        Locks::new(&keyspace, Patience::Wait).shard(3);
    }
}
