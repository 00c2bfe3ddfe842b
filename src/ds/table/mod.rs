#![allow(unsafe_code)]
//! The hash table: cache-line buckets in segments that split one at a time.
//!
//! It keeps owning one-word pointers ([`Thin`]), for the keyspace and for large
//! sets and hashes. What it is made for:
//!
//! - **a lookup is two lines**: the bucket line says by tags which pointers to
//!   follow, and both lines and entries can be prefetched by hash alone;
//! - **growth never pauses**: at most one segment of about 270 elements is
//!   rebuilt by an insertion, and one leaf of directory copied, 32 KiB at most;
//! - **memory follows the number of elements** closely at any size, 10 to 13
//!   bytes each, because segments grow in small steps before they split;
//! - **everything is in hash order**, so that a cursor is a place in the space
//!   of hashes and means the same whatever grows, splits or shrinks meanwhile.
//!
//! ```text
//! hash   | used by the caller | prefix: segment | window |    ...   | tag  |
//! path                        | prefix: segment | window |    ...   | tag  | 0 |
//!
//! directory --prefix--> segment: [header][bucket][bucket]...  --tag--> 2 of them
//! ```
//!
//! The *path* of an element is its hash without the top bits that the caller
//! has used up (to choose a shard), shifted to the top. A segment of depth d
//! holds all elements whose paths share their first d bits.
//!
//! | file | is |
//! |---|---|
//! | bucket | the line: tags, addresses, windows |
//! | segment | header and buckets, two choices, sizes |
//! | directory | path to segment, splitting |
//! | mod | the table: find, insert, remove |
//! | slot | elements and their borrows |
//! | walk | scan, due, sample, drain: all that goes along the paths |
//!
//! [`Table::image`] gives a second table that shares all segments. Whoever changes
//! a shared segment, the image or the original, first puts a copy of it, elements
//! included, in its place ([`Table::segment_mut`] is the one way to change one). So
//! an image costs a copy of the directory, and a reader of it needs no lock.
//!
//! Must stay true:
//! - each element is owned by exactly one lane or spill item, and that by those
//!   who hold the segment together; the last to let go drops it;
//! - a segment with several holders is not changed;
//! - segments split and change size but never merge, until the table is empty
//!   and freed as a whole; hence depths only rise while an element lives, which
//!   is what makes scans exact;
//! - the hash given with an element is the same at every call, and what
//!   `rehash` says of it.

mod bucket;
mod directory;
mod segment;
mod slot;
#[cfg(test)]
mod tests;
mod walk;

use std::marker::PhantomData;

use bucket::{Bucket, Item, Tag};
use directory::Directory;
use segment::{SegMut, SegPtr, Spot, buckets_above, buckets_for, window_of};
use slot::{Place, revive, stow};

pub use slot::{Entry, Ref, RefMut, Slot, Thin, Vacant};
pub use walk::{CURSOR_BITS, Due, DueStep, Iter, has_passed};

/// A hash table of owning one-word pointers. See the module's head.
pub struct Table<E: Thin> {
    directory: Directory,
    len: usize,
    /// Bytes of all segments.
    segment_bytes: usize,
    /// Places of the largest segment there ever was since the table was empty.
    places_max: u32,
    /// Depth of the deepest segment since the table was empty.
    depth_max: u8,
    hash_bits_used: u8,
    least: walk::Least,
    elements: PhantomData<E>,
}

// SAFETY: the addresses are elements owned by this table and its images, as by
// `Arc`s: each thread that has one may read them, and any may be the one to drop them.
unsafe impl<E: Thin + Send + Sync> Send for Table<E> {}
// SAFETY: a shared borrow of the table gives shared borrows of elements, and images,
// which another thread may be the last to hold.
unsafe impl<E: Thin + Send + Sync> Sync for Table<E> {}

impl<E: Thin> Table<E> {
    /// An empty table; allocates nothing. The caller has used the top
    /// `hash_bits_used` bits (at most 16) of all hashes, so they are alike.
    pub const fn new(hash_bits_used: u32) -> Self {
        assert!(hash_bits_used <= 16);
        Table {
            directory: Directory::EMPTY,
            len: 0,
            segment_bytes: 0,
            places_max: 0,
            depth_max: 0,
            hash_bits_used: hash_bits_used as u8,
            least: walk::Least::NONE,
            elements: PhantomData,
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that the table has allocated for itself: not the elements, nor
    /// `size_of::<Table>()`.
    pub fn mem_bytes(&self) -> usize {
        self.segment_bytes + self.directory.bytes()
    }

    /// Number of segments, the unit of walks.
    ///
    /// A table that becomes empty frees them all, unless they are more than 512:
    /// that would be a pause of milliseconds in whatever removes the last
    /// element. Such a table keeps them, 128 bytes each, until it is drained or
    /// dropped; so who finds `is_empty()` and segments had better put a new table
    /// in its place and leave this one to a thread that has time.
    pub fn segments(&self) -> usize {
        self.directory.segments()
    }

    #[inline]
    fn path(&self, hash: u64) -> u64 {
        hash << self.hash_bits_used
    }

    /// Where the element of this hash stands that `eq` accepts, and its address.
    #[inline]
    fn locate(&self, hash: u64, mut eq: impl FnMut(&E) -> bool) -> Option<(Place, u64)> {
        let segment = self.directory.ptr(self.path(hash))?;
        // SAFETY: entries of the directory hold live segments, and no borrow of one
        // outlives this call; addresses in a segment are stowed elements that the
        // table owns, and the borrow of each ends before the table can change.
        let (spot, addr) = unsafe {
            let eq = |addr| eq(&*Ref::<E>::new(addr));
            segment.borrow().locate(Tag::of(hash), eq)?
        };
        Some((Place { segment, spot }, addr))
    }

    /// The element of this hash that `eq` accepts. O(1): two cache lines at
    /// most besides the elements of equal tag, of which `eq` sees one in a
    /// hundred in vain.
    #[inline]
    pub fn find(&self, hash: u64, eq: impl FnMut(&E) -> bool) -> Option<Ref<'_, E>> {
        let (_, addr) = self.locate(hash, eq)?;
        // SAFETY: the table owns the element and is borrowed as long.
        Some(unsafe { Ref::new(addr) })
    }

    /// As [`Table::find`], for change.
    #[inline]
    pub fn find_mut(&mut self, hash: u64, eq: impl FnMut(&E) -> bool) -> Option<Slot<'_, E>> {
        let (place, _) = self.locate(hash, eq)?;
        let path = self.path(hash);
        Some(Slot {
            table: self,
            path,
            place,
        })
    }

    /// The element's slot, or the right to insert it.
    #[inline]
    pub fn entry(&mut self, hash: u64, eq: impl FnMut(&E) -> bool) -> Entry<'_, E> {
        let path = self.path(hash);
        match self.locate(hash, eq) {
            Some((place, _)) => Entry::Occupied(Slot {
                table: self,
                path,
                place,
            }),
            None => Entry::Vacant(Vacant { table: self, hash }),
        }
    }

    /// Adds an element that is not in the table. Amortized O(1), and never more
    /// than one segment rebuilt or split (again, if the split was lopsided).
    ///
    /// # Panics
    /// If the element's address breaks the rules of [`Thin`].
    #[inline]
    pub fn insert_new(&mut self, hash: u64, element: E, rehash: impl Fn(&E) -> u64) {
        let (path, tag) = (self.path(hash), Tag::of(hash));
        loop {
            let Some(mut segment) = self.segment_mut(path) else {
                self.start();
                continue;
            };
            if let Some(place) = segment.vacancy(tag) {
                let window = window_of(path, segment.head.depth);
                segment.put(
                    place,
                    Item {
                        addr: stow(element),
                        tag,
                        window,
                    },
                );
                self.len += 1;
                return;
            }
            if !self.make_room(path, &rehash) {
                return self.insert_spilled(path, tag, element);
            }
        }
    }

    /// A table of the same elements that shares all segments with this one, and
    /// stays as it is now whatever happens to this one (and the other way round).
    /// O(segments), one header touched for each, under which the
    /// table's lock may be held for reading.
    pub fn image(&self) -> Table<E> {
        const {
            assert!(
                E::DUPLICATE.is_some(),
                "what cannot be copied is not shared"
            )
        };
        Table {
            directory: self.directory.image(),
            least: self.least,
            elements: PhantomData,
            ..*self
        }
    }

    /// Whether `image` was taken of this table, or this one of it, and neither has
    /// changed since. O(segments), by comparison of addresses.
    pub fn is_as(&self, image: &Table<E>) -> bool {
        self.directory.is_as(&image.directory)
    }

    /// The segment of `path` for change, which is this table's alone: one that is
    /// not yet is copied first, and its spots stay the same.
    #[inline]
    fn segment_mut(&mut self, path: u64) -> Option<SegMut<'_>> {
        self.own(path);
        self.directory.get_mut(path)
    }

    /// The segment of `path`, this table's alone. `found` is the one that stood there
    /// a moment ago, and stands there still unless it had to be copied.
    #[inline]
    fn owned(&mut self, path: u64, found: SegPtr) -> SegPtr {
        if E::DUPLICATE.is_none() {
            return found;
        }
        self.own(path);
        self.directory.ptr(path).unwrap_or(found)
    }

    /// Makes the segment of `path` this table's alone.
    #[inline]
    fn own(&mut self, path: u64) {
        if let Some(duplicate) = E::DUPLICATE
            && self.directory.is_shared(path)
        {
            self.unshare(path, duplicate);
        }
    }

    #[cold]
    fn unshare(&mut self, path: u64, duplicate: fn(&E) -> E) {
        let Some(segment) = self.directory.get(path) else {
            return;
        };
        let before = segment.bytes();
        segment.for_each(|item| prefetch_addr(item.addr));
        // SAFETY: the table holds the segment, and with it the element, until the
        // copy has taken its place.
        let copied = |addr| stow(duplicate(&*unsafe { Ref::<E>::new(addr) }));
        self.directory.unshare(path, copied, drop_elements::<E>);
        self.recount(path, before);
    }

    #[cold]
    fn start(&mut self) {
        let first = SegPtr::alloc(1, 0, u64::MAX);
        self.directory.start(first);
        self.recount(0, 0);
    }

    /// Adds what its full segment can neither grow nor split for.
    #[cold]
    fn insert_spilled(&mut self, path: u64, tag: Tag, element: E) {
        let Some(mut segment) = self.segment_mut(path) else {
            return;
        };
        let before = segment.view().bytes();
        let window = window_of(path, segment.head.depth);
        segment.put_anywhere(Item {
            addr: stow(element),
            tag,
            window,
        });
        self.len += 1;
        self.recount(path, before);
    }

    /// Makes the segment of `path` larger, or two. False if neither is possible.
    #[cold]
    fn make_room(&mut self, path: u64, rehash: &impl Fn(&E) -> u64) -> bool {
        let Some(segment) = self.directory.get(path) else {
            return false;
        };
        let (buckets, depth) = (segment.buckets.len(), segment.head.depth);
        if let Some(buckets) = buckets_above(buckets) {
            self.resize(path, buckets);
            return true;
        }
        if !self.directory.make_deeper(path, depth) {
            return false;
        }
        self.split(path, rehash);
        true
    }

    /// Rebuilds the segment of `path` with another number of buckets, which
    /// touches no element.
    fn resize(&mut self, path: u64, buckets: usize) {
        let Some(segment) = self.directory.get(path) else {
            return;
        };
        let (before, depth, min) = (segment.bytes(), segment.head.depth, segment.head.min);
        let fresh = SegPtr::build(&segment.items(), buckets, depth, min);
        self.directory.replace(path, fresh);
        self.recount(path, before);
    }

    /// Splits the segment of `path` by the next bit of its elements' paths.
    /// Both halves keep its minimum: never too late.
    fn split(&mut self, path: u64, rehash: &impl Fn(&E) -> u64) {
        let Some(segment) = self.directory.get(path) else {
            return;
        };
        let (before, min) = (segment.bytes(), segment.head.min);
        let depth = segment.head.depth + 1;
        let halves = self.halves(path, rehash).map(|items| {
            let ptr = SegPtr::build(&items, buckets_for(items.len()), depth, min);
            (ptr, items.len())
        });
        self.directory
            .replace_by_two(path, halves.map(|(ptr, _)| ptr));
        self.depth_max = self.depth_max.max(depth as u8);
        let bit = 1 << (64 - depth);
        self.recount(path & !bit, before);
        self.recount(path | bit, 0);
    }

    /// The items of the segment of `path` by the next bit, their windows moved
    /// on by it.
    fn halves(&self, path: u64, rehash: &impl Fn(&E) -> u64) -> [Vec<Item>; 2] {
        let mut halves = [Vec::new(), Vec::new()];
        let Some(segment) = self.directory.get(path) else {
            return halves;
        };
        let depth = segment.head.depth + 1;
        let items = segment.items();
        for (i, item) in items.iter().enumerate() {
            if let Some(ahead) = items.get(i + SPLIT_AHEAD) {
                prefetch_addr(ahead.addr);
            }
            // SAFETY: the table owns the element and does not change meanwhile.
            let path = self.path(rehash(&*unsafe { Ref::<E>::new(item.addr) }));
            let side = (path >> (64 - depth)) & 1;
            halves[side as usize].push(Item {
                window: window_of(path, depth),
                ..*item
            });
        }
        halves
    }

    /// Accounts for the segment of `path`, which took the place of `before` bytes.
    fn recount(&mut self, path: u64, before: usize) {
        let Some(segment) = self.directory.get(path) else {
            return;
        };
        let (after, places) = (segment.bytes(), segment.places());
        self.segment_bytes = self.segment_bytes + after - before;
        self.places_max = self.places_max.max(places as u32);
    }

    #[inline]
    fn addr(&self, path: u64, spot: Spot) -> u64 {
        let Some(segment) = self.directory.get(path) else {
            unreachable!("a spot has a segment")
        };
        segment.addr(spot)
    }

    /// Takes the element at `spot` out, and gives memory back where much is free.
    #[inline]
    fn take(&mut self, path: u64, spot: Spot) -> E {
        let Some(mut segment) = self.segment_mut(path) else {
            unreachable!("a spot has a segment")
        };
        let addr = segment.take(spot);
        let sparse = segment.view().is_sparse();
        self.len -= 1;
        if sparse || self.len == 0 {
            self.give_back(path);
        }
        // SAFETY: the table owned the element and has forgotten its address.
        unsafe { revive(addr) }
    }

    /// Frees an emptied table's memory if that is quick, or makes the sparse segment of `path`
    /// smaller: to half full, so that neither growth nor shrinking is near.
    #[cold]
    fn give_back(&mut self, path: u64) {
        if self.len == 0 && self.segments() <= RESET_SEGMENTS {
            return self.reset();
        }
        let Some(segment) = self.directory.get(path) else {
            return;
        };
        if segment.is_sparse() {
            let count = segment.head.count as usize;
            self.resize(path, buckets_for(count * 2));
        }
    }

    /// Lets go of all segments, which hold no element.
    fn reset(&mut self) {
        self.directory.clear(drop_elements::<E>);
        *self = Table::new(u32::from(self.hash_bits_used));
    }

    /// Fetches the two bucket lines of this hash, and says how to fetch the elements a
    /// few hashes later. Costs a few instructions, changes nothing.
    #[inline]
    pub fn prefetch_bucket(&self, hash: u64) -> Option<Hint<'_>> {
        let segment = self.directory.get(self.path(hash))?;
        let tag = Tag::of(hash);
        let (first, second) = tag.buckets(segment.buckets.len());
        let buckets = [&segment.buckets[first], &segment.buckets[second]];
        buckets.iter().for_each(|&bucket| prefetch(bucket));
        Some(Hint { buckets, tag })
    }
}

/// Where elements of one hash may stand: what [`Table::prefetch_bucket`] has found.
pub struct Hint<'t> {
    buckets: [&'t Bucket; 2],
    tag: Tag,
}

impl Hint<'_> {
    /// Fetches the first line of each element whose tag is that of the hash. Reads the
    /// bucket lines.
    #[inline]
    pub fn prefetch_entry(&self) {
        for bucket in self.buckets {
            bucket
                .matches(self.tag)
                .for_each(|lane| prefetch_addr(bucket.addr(lane)));
        }
    }
}

impl<E: Thin> Drop for Table<E> {
    fn drop(&mut self) {
        self.directory.clear(drop_elements::<E>);
    }
}

/// Drops the elements of a segment that its last holder has let go.
fn drop_elements<E: Thin>(mut segment: SegMut<'_>) {
    (segment.view()).for_each(|item| prefetch_addr(item.addr));
    segment.retain(|addr| {
        // SAFETY: nobody holds the segment any more, and the lane is emptied next.
        drop(unsafe { revive::<E>(addr) });
        false
    });
}

/// An emptied table frees this many segments at once, which takes about 50 us;
/// a larger one keeps them, at their smallest.
const RESET_SEGMENTS: usize = 512;

/// How many elements ahead a split fetches; about what a core keeps in flight.
const SPLIT_AHEAD: usize = 12;

#[inline]
fn prefetch_addr(addr: u64) {
    prefetch(std::ptr::without_provenance::<u8>(addr as usize));
}

#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn prefetch<T>(at: *const T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a prefetch never faults, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
}

#[cfg(target_arch = "aarch64")]
#[inline]
pub(super) fn prefetch<T>(at: *const T) {
    // SAFETY: a prefetch never faults, whatever the address.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{0}]", in(reg) at,
            options(nostack, readonly, preserves_flags));
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline]
pub(super) fn prefetch<T>(_: *const T) {}
