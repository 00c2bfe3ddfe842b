//! Snapshots: every key as it was at one moment, while others go on changing them.
//!
//! ```text
//! start    all shards locked for a moment: each dict with keys gets a `Cut`
//! walk     one dict after the other in hash order, some entries per lock
//! writers  before they change, remove or replace an entry: hand its old image over,
//!          unless the walk has passed it, it was handed over, or it is newer than the cut
//! end      the cuts are taken off again
//! ```
//!
//! What the walk has passed is known by its place in the dict, as for SCAN. What was
//! handed over, or is newer, is known by a mark in the entry: the snapshot's number
//! ([`Entry::epoch`]). Numbers are used again after 255 snapshots; before that all marks
//! are wiped out.
//!
//! So each key that was there at the cut is emitted exactly once, as it was: by the walk,
//! or by whoever changed it first. Large values are shared with the image that is handed
//! over, small ones copied.
//!
//! A dict that FLUSHDB takes out goes to the snapshot as a whole, which may share it with
//! the shelf (`undo`): nobody changes it any more before the snapshot has let go of it. Who wants to abort
//! instead ([`Handle::cancel`]) says so first.
//!
//! The walk holds a shard for reading for about a microsecond at a time: it looks at a
//! few entries to have them in the cache, lets go, and takes them in a second look. A
//! reactor that tries the lock for writing spins for longer than that.
//!
//! Must stay true: a dict's `Cut` is only asked and changed under its shard's lock; the
//! walk's place in it moves under the lock for reading, by the walker alone. Queue and
//! brake are taken after shards, and nothing after them.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::base::clock::Millis;
use crate::base::rng::Rng;

use super::dict::Dict;
use super::entry::{Entry, ValueRef};
use super::image::Image;
use super::keyspace::{DATABASES, Footprint, Keyspace, Locks, Patience, SHARDS, Shard};
use super::walk::Sizes;

/// Bytes that an image takes beside its key and value.
const OLD_BYTES: usize = 96;
/// How long a writer waits at most for the saver to catch up: a disk that hangs stops
/// nobody for good, and memory grows instead.
const BRAKE_MAX: Duration = Duration::from_secs(1);
/// Room for copies that is kept between two looks.
const TAKEN_KEPT_MAX: usize = 1 << 20;

/// A key as it was.
pub struct Item<'a> {
    pub db: usize,
    pub key: &'a [u8],
    pub value: ValueRef<'a>,
    pub expire: Option<Millis>,
    /// The access stamp.
    pub stamp: u32,
}

/// An entry as it was before it was changed.
struct Old {
    db: usize,
    key: Box<[u8]>,
    value: Image,
    expire: Option<Millis>,
    stamp: u32,
    /// What it counts for.
    bytes: usize,
    _hold: Hold,
}

enum Handed {
    Entry(Old),
    /// A dict that was taken out, with its cut.
    Table(Arc<Dict>, Hold),
}

/// How much memory snapshots have ever been handed, and have let go of: it is in use, but
/// no data any more.
#[derive(Debug, Default)]
pub struct Kept {
    handed: AtomicU64,
    let_go: AtomicU64,
}

impl Kept {
    /// Bytes ever handed over.
    pub fn handed(&self) -> u64 {
        self.handed.load(Relaxed)
    }

    /// Of them, let go of by now.
    pub fn let_go(&self) -> u64 {
        self.let_go.load(Relaxed)
    }
}

/// Counts while something lies with a snapshot. It goes after what it counts.
struct Hold {
    bytes: u64,
    kept: Arc<Kept>,
}

impl Hold {
    fn new(kept: &Arc<Kept>, bytes: usize) -> Hold {
        let (bytes, kept) = (bytes as u64, Arc::clone(kept));
        kept.handed.fetch_add(bytes, Relaxed);
        Hold { bytes, kept }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.kept.let_go.fetch_add(self.bytes, Relaxed);
    }
}

/// What writers and the saver share of one snapshot.
#[derive(Default)]
pub(super) struct Exchange {
    queue: Mutex<Vec<Handed>>,
    /// Bytes of the images in the queue.
    bytes: AtomicUsize,
    cancelled: AtomicBool,
    kept: Arc<Kept>,
}

/// What a dict knows of the snapshot that is being taken of it.
pub(super) struct Cut {
    exchange: Arc<Exchange>,
    brake: Arc<Brake>,
    /// The dict's database when the snapshot began.
    db: usize,
    epoch: u8,
    cursor: AtomicU64,
    done: AtomicBool,
}

impl Cut {
    /// The mark of entries that the walk leaves out.
    pub(super) fn epoch(&self) -> u8 {
        self.epoch
    }

    /// Where the walk stands; `None` when it is through, or nobody wants it any more.
    pub(super) fn cursor(&self) -> Option<u64> {
        let over = self.done.load(Relaxed) || self.exchange.cancelled.load(Relaxed);
        (!over).then(|| self.cursor.load(Relaxed))
    }

    /// Hands an entry over that the walk has not passed, unless that has been done.
    pub(super) fn keep(&self, entry: &Entry) {
        if entry.epoch() == self.epoch {
            return;
        }
        entry.set_epoch(self.epoch);
        let bytes = entry.mem_bytes() + OLD_BYTES;
        let old = Old {
            db: self.db,
            key: entry.key().into(),
            value: Image::of(entry.value()),
            expire: entry.expire_at(),
            stamp: entry.stamp(),
            bytes,
            _hold: Hold::new(&self.exchange.kept, bytes),
        };
        // Counted first: the saver may be through with it as soon as it is there.
        let before = self.exchange.bytes.fetch_add(bytes, Relaxed);
        self.exchange.queue.lock().push(Handed::Entry(old));
        self.brake.press(before + bytes);
    }

    /// Hands over a whole dict that is taken out of the keyspace.
    pub(super) fn keep_table(exchange: &Exchange, dict: Arc<Dict>) {
        // Any seed will do to look at some entries.
        let bytes = dict.about_bytes(&mut Rng::seeded(dict.len() as u64));
        let hold = Hold::new(&exchange.kept, bytes);
        exchange.queue.lock().push(Handed::Table(dict, hold));
    }

    pub(super) fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }
}

/// Slows writers down while the images that they have handed over take too much memory.
#[derive(Default)]
pub struct Brake {
    on: AtomicBool,
    budget_bytes: AtomicUsize,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Brake {
    /// Whether writers shall wait.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.on.load(Relaxed)
    }

    /// Waits until it is off, for a second at most. Called without any lock.
    #[cold]
    pub fn wait(&self) {
        let mut guard = self.lock.lock();
        if self.is_on() {
            self.changed.wait_for(&mut guard, BRAKE_MAX);
        }
    }

    fn press(&self, bytes: usize) {
        let budget = self.budget_bytes.load(Relaxed);
        if budget > 0 && bytes > budget && !self.is_on() {
            self.on.store(true, Relaxed);
        }
    }

    fn ease(&self, bytes: usize) {
        if self.is_on() && bytes <= self.budget_bytes.load(Relaxed) / 2 {
            let _guard = self.lock.lock();
            self.on.store(false, Relaxed);
            self.changed.notify_all();
        }
    }
}

/// What a keyspace knows of its snapshots.
#[derive(Default)]
pub(super) struct Snapshots {
    running: AtomicBool,
    /// Those of the snapshot that runs.
    current: Mutex<Weak<Exchange>>,
    epoch: AtomicU8,
    pub(super) brake: Arc<Brake>,
    pub(super) kept: Arc<Kept>,
}

/// Stops a snapshot from elsewhere, and says how far it is.
#[derive(Clone)]
pub struct Handle(Arc<Exchange>);

impl Handle {
    /// Has the snapshot end early; [`Snapshot::walk`] says so.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Relaxed);
    }

    /// Whether somebody has asked for that.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Relaxed)
    }

    /// Bytes of images that wait to be saved.
    pub fn waiting_bytes(&self) -> usize {
        self.0.bytes.load(Relaxed)
    }
}

/// A snapshot that has begun. Ends with [`Snapshot::walk`], or when it is dropped.
pub struct Snapshot {
    keyspace: Arc<Keyspace>,
    exchange: Arc<Exchange>,
    sizes: [Sizes; DATABASES],
    taken: Taken,
}

/// Why a walk has not come to its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Stopped<E> {
    Cancelled,
    /// What takes the keys has failed.
    Sink(E),
}

impl Snapshot {
    /// Fixes the moment: what is there now is what the snapshot will have. `at_cut` is
    /// called in that very moment, under all locks. `None` while another one runs.
    ///
    /// `locks` hold all shards for writing, or none.
    pub fn start<R>(
        keyspace: &Arc<Keyspace>,
        locks: &mut Locks<'_>,
        budget_bytes: usize,
        at_cut: impl FnOnce() -> R,
    ) -> Option<(Snapshot, R)> {
        let state = &keyspace.snapshots;
        if state.running.swap(true, Relaxed) {
            return None;
        }
        let epoch = next_epoch(state, locks);
        let exchange = Arc::new(Exchange {
            kept: Arc::clone(&state.kept),
            ..Exchange::default()
        });
        *state.current.lock() = Arc::downgrade(&exchange);
        state.brake.budget_bytes.store(budget_bytes, Relaxed);
        let mut own = Locks::new(keyspace, Patience::Wait);
        let (sizes, result) = if locks.is_empty() {
            own.acquire(Footprint::ALL_WRITE);
            (cut_all(&mut own, &exchange, epoch), at_cut())
        } else {
            (cut_all(locks, &exchange, epoch), at_cut())
        };
        drop(own);
        let snapshot = Snapshot {
            keyspace: Arc::clone(keyspace),
            exchange,
            sizes,
            taken: Taken::default(),
        };
        Some((snapshot, result))
    }

    /// Takes the cuts of a snapshot off that has ended without its walk. They are of no
    /// effect, but every change looks at them.
    pub fn take_off(locks: &mut Locks<'_>) {
        for shard in 0..SHARDS {
            let _ = locks.visit_mut(shard, Shard::take_off_cuts);
        }
    }

    /// Cancels whatever snapshot of `keyspace` runs; whether one does.
    pub fn cancel_any(keyspace: &Keyspace) -> bool {
        let state = &keyspace.snapshots;
        let current = state.current.lock().upgrade();
        (current.iter()).for_each(|exchange| exchange.cancelled.store(true, Relaxed));
        state.running.load(Relaxed)
    }

    /// How many keys each database had.
    pub fn sizes(&self) -> &[Sizes; DATABASES] {
        &self.sizes
    }

    /// To stop it from elsewhere.
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.exchange))
    }

    /// Hands every key to `emit`, in no order but that of its own; `locks` are the
    /// caller's, which may hold all shards or none, and wait for them.
    ///
    /// # Errors
    /// When `emit` fails or somebody cancels; then not all keys were emitted.
    pub fn walk<E>(
        mut self,
        locks: &mut Locks<'_>,
        mut emit: impl FnMut(Item<'_>) -> Result<(), E>,
    ) -> Result<(), Stopped<E>> {
        let result = self.walk_shards(locks, &mut emit);
        Snapshot::take_off(locks);
        // Now that nobody hands anything over any more, the queue ends.
        result.and_then(|()| self.drain(&mut emit))
    }

    fn walk_shards<E>(
        &mut self,
        locks: &Locks<'_>,
        emit: &mut impl FnMut(Item<'_>) -> Result<(), E>,
    ) -> Result<(), Stopped<E>> {
        for shard in 0..SHARDS {
            loop {
                self.drain(emit)?;
                if !self.look(locks, shard) {
                    break;
                }
                self.taken.emit(emit).map_err(Stopped::Sink)?;
            }
        }
        Ok(())
    }

    /// Takes some entries of a shard; false when there are none left.
    fn look(&mut self, locks: &Locks<'_>, shard: usize) -> bool {
        // The first looks bring the entries and their values into the cache, so that the
        // last, which copies, is short.
        for prefetch in [
            Entry::prefetch,
            Entry::prefetch_value,
            Entry::prefetch_elements,
        ] {
            let _ = locks.visit(shard, |shard| {
                if let Some((dict, cut)) = shard.unsaved() {
                    dict.table().scan(cut.cursor.load(Relaxed), prefetch);
                }
            });
        }
        let taken = &mut self.taken;
        let more = locks.visit(shard, |shard| {
            let unsaved = shard.unsaved();
            unsaved.map(|(dict, cut)| step(dict, cut, taken)).is_some()
        });
        more.unwrap_or(false)
    }

    /// Emits what writers have handed over.
    fn drain<E>(
        &mut self,
        emit: &mut impl FnMut(Item<'_>) -> Result<(), E>,
    ) -> Result<(), Stopped<E>> {
        loop {
            if self.exchange.cancelled.load(Relaxed) {
                return Err(Stopped::Cancelled);
            }
            let handed = std::mem::take(&mut *self.exchange.queue.lock());
            if handed.is_empty() {
                // A writer that has pressed after the last of them was through would
                // wait for nothing.
                let waiting = self.exchange.bytes.load(Relaxed);
                self.keyspace.snapshots.brake.ease(waiting);
                return Ok(());
            }
            for one in handed {
                match one {
                    Handed::Entry(old) => self.emit_old(old, emit).map_err(Stopped::Sink)?,
                    Handed::Table(dict, _hold) => self.emit_table(&dict, emit)?,
                }
            }
        }
    }

    fn emit_old<E>(
        &self,
        old: Old,
        emit: &mut impl FnMut(Item<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let result = emit(Item {
            db: old.db,
            key: &old.key,
            value: old.value.value(),
            expire: old.expire,
            stamp: old.stamp,
        });
        let left = self.exchange.bytes.fetch_sub(old.bytes, Relaxed) - old.bytes;
        self.keyspace.snapshots.brake.ease(left);
        result
    }

    /// Emits what is left of a dict that nobody else has.
    fn emit_table<E>(
        &mut self,
        dict: &Dict,
        emit: &mut impl FnMut(Item<'_>) -> Result<(), E>,
    ) -> Result<(), Stopped<E>> {
        let Some(cut) = dict.cut() else {
            return Ok(());
        };
        while cut.cursor().is_some() {
            step(dict, cut, &mut self.taken);
            self.taken.emit(emit).map_err(Stopped::Sink)?;
        }
        if self.exchange.cancelled.load(Relaxed) {
            return Err(Stopped::Cancelled);
        }
        Ok(())
    }
}

impl Drop for Snapshot {
    /// A cut that is still on a dict is of no effect from here on.
    fn drop(&mut self) {
        self.exchange.cancelled.store(true, Relaxed);
        drop(std::mem::take(&mut *self.exchange.queue.lock()));
        let state = &self.keyspace.snapshots;
        state.brake.ease(0);
        state.running.store(false, Relaxed);
    }
}

/// Begins the snapshot in every dict that has keys; how many there are. All shards are held
/// for writing.
fn cut_all(locks: &mut Locks<'_>, exchange: &Arc<Exchange>, epoch: u8) -> [Sizes; DATABASES] {
    let brake = Arc::clone(&locks.keyspace().snapshots.brake);
    let mut sizes = [Sizes::default(); DATABASES];
    for shard in 0..SHARDS {
        for (db, sizes) in sizes.iter_mut().enumerate() {
            let dict = locks.shard_mut(shard).dict_mut(db);
            if dict.is_empty() {
                continue;
            }
            sizes.keys += dict.len();
            sizes.volatile += dict.volatile();
            dict.set_cut(Some(Box::new(Cut {
                exchange: Arc::clone(exchange),
                brake: Arc::clone(&brake),
                db,
                epoch,
                cursor: AtomicU64::new(0),
                done: AtomicBool::new(false),
            })));
        }
    }
    sizes
}

/// The number of the next snapshot. When all have been used, the marks of the past go.
fn next_epoch(state: &Snapshots, locks: &Locks<'_>) -> u8 {
    let last = state.epoch.load(Relaxed);
    if last == u8::MAX {
        for shard in 0..SHARDS {
            (0..DATABASES).for_each(|db| wipe(locks, shard, db));
        }
    }
    let next = last.wrapping_add(1).max(1);
    state.epoch.store(next, Relaxed);
    next
}

/// Wipes out the marks of one dict, a segment at a time. No snapshot runs, so nobody
/// makes new ones.
fn wipe(locks: &Locks<'_>, shard: usize, db: usize) {
    let mut cursor = 0;
    loop {
        let next = locks.visit(shard, |shard| {
            let table = shard.dict(db).table();
            table.scan_segment(cursor, |entry| entry.set_epoch(0))
        });
        cursor = next.unwrap_or(0);
        if cursor == 0 {
            return;
        }
    }
}

/// Takes the next few entries of a dict; 0 when it was the last.
fn step(dict: &Dict, cut: &Cut, taken: &mut Taken) -> u64 {
    let next = dict.table().scan(cut.cursor.load(Relaxed), |entry| {
        if entry.epoch() != cut.epoch {
            taken.add(cut.db, entry);
        }
    });
    cut.cursor.store(next, Relaxed);
    if next == 0 {
        cut.done.store(true, Relaxed);
    }
    next
}

/// Entries that the walk has copied under the lock, to be emitted without it.
#[derive(Default)]
struct Taken {
    /// Keys and short texts.
    bytes: Vec<u8>,
    items: Vec<Copied>,
}

struct Copied {
    db: usize,
    key: Range<usize>,
    value: CopiedValue,
    expire: Option<Millis>,
    stamp: u32,
}

enum CopiedValue {
    Text(Range<usize>),
    Image(Image),
}

impl Taken {
    fn add(&mut self, db: usize, entry: &Entry) {
        let key = self.copy(entry.key());
        let value = match entry.value() {
            ValueRef::Str(text) => CopiedValue::Text(self.copy(text)),
            value => CopiedValue::Image(Image::of(value)),
        };
        self.items.push(Copied {
            db,
            key,
            value,
            expire: entry.expire_at(),
            stamp: entry.stamp(),
        });
    }

    fn copy(&mut self, bytes: &[u8]) -> Range<usize> {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        from..self.bytes.len()
    }

    /// Emits all and forgets them.
    fn emit<E>(&mut self, emit: &mut impl FnMut(Item<'_>) -> Result<(), E>) -> Result<(), E> {
        for item in self.items.drain(..) {
            emit(Item {
                db: item.db,
                key: &self.bytes[item.key],
                value: match &item.value {
                    CopiedValue::Text(text) => ValueRef::Str(&self.bytes[text.clone()]),
                    CopiedValue::Image(image) => image.value(),
                },
                expire: item.expire,
                stamp: item.stamp,
            })?;
        }
        self.bytes.clear();
        self.bytes.shrink_to(TAKEN_KEPT_MAX);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
