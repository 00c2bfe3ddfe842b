#![allow(unsafe_code)]
//! A segment: a header line and 1 to 39 buckets in one allocation, the unit
//! that grows, shrinks and splits.
//!
//! An element stands in one of two buckets, both told by its tag. A full pair
//! makes room by moving one element to that element's other bucket, which
//! brings segments to about 95 % before they must grow. Since a tag alone says
//! both buckets, a segment is rebuilt at another size without touching any
//! element; only a split does, as it needs one more bit of each hash.
//!
//! Sizes rise in steps of about a fifth, so that a table is never far from
//! full at any number of elements, and whole allocations (header included) are
//! 64 bytes times 2 to 8 and then the size classes that allocators have, four
//! to the doubling.
//!
//! What finds no place in its two buckets at the largest size, and cannot be
//! split either, stands in the *spill*: a plain vector. With honest hashes it
//! is empty practically always; with equal hashes it keeps the table correct.
//!
//! A segment holds addresses and owns none of them: freeing one drops nothing
//! but itself. `SegPtr` is a plain copyable address of a segment; the borrows
//! [`Seg`] and [`SegMut`] are what code works on, and the directory alone hands
//! them out, tied to its own lifetime.
//!
//! Several tables may hold one segment (see `Table::image`); it counts them, as
//! `Arc` counts. A segment of several holders, and what its items point to, is
//! never changed; that of one holder is as private as if it had never been shared:
//! only a holder makes another one, so the count cannot rise behind its back. Who
//! lets go does so with Release, and who finds itself alone does so with Acquire:
//! all that others have read is done before it changes or frees anything.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::mem;
use std::process;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};

use super::bucket::{Bucket, Item, LANES, Lane, Tag, WINDOW_BITS};

/// Bucket counts a segment may have; with the header line: 2..8 lines, then
/// 10, 12, 14, 16, 20, 24, 28, 32 and 40.
const STEPS: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15, 19, 23, 27, 31, 39];

/// Most buckets of a segment.
const BUCKETS_MAX: usize = STEPS[STEPS.len() - 1] as usize;

/// Bytes of a line, and the alignment of segments.
const LINE: usize = 64;

/// A new segment is at most this full, in percent: room for a fifth more.
const FILL_PERCENT: usize = 85;

const _: () = assert!(size_of::<Header>() <= LINE && BUCKETS_MAX < LINE);

/// What a segment knows of itself, in a line of its own that lookups never read.
#[repr(C, align(64))]
pub(super) struct Header {
    /// No element's noted value is below this.
    pub(super) min: u64,
    /// Elements that found no lane.
    spill: Vec<Item>,
    /// Elements, spill included.
    pub(super) count: u32,
    /// Bits of the path that all elements share.
    pub(super) depth: u32,
    /// Directories that hold the segment.
    holders: AtomicU32,
}

/// More holders than memory can have directories for: the count is wrong.
const HOLDERS_MAX: u32 = u32::MAX / 2;

impl Header {
    /// Whether the segment has more than one holder. If not, nobody else reads it.
    #[inline]
    pub(super) fn is_shared(&self) -> bool {
        self.holders.load(Ordering::Acquire) != 1
    }

    /// Counts one holder more. Called by one that holds it already, through whom it
    /// reaches the new one.
    pub(super) fn hold_once_more(&self) {
        if self.holders.fetch_add(1, Ordering::Relaxed) > HOLDERS_MAX {
            process::abort();
        }
    }

    /// Counts one holder less; whether that was the last one, which frees it.
    pub(super) fn let_go(&self) -> bool {
        self.holders.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

/// Address of a segment with its bucket count in the low six bits, so that a
/// lookup goes from the directory straight to the right bucket line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegPtr(NonNull<u8>);

impl SegPtr {
    /// An empty segment. `buckets` is one of the steps.
    pub(super) fn alloc(buckets: usize, depth: u32, min: u64) -> SegPtr {
        let layout = layout_of(buckets);
        // SAFETY: the layout has a size of at least two lines.
        let base = unsafe { alloc_zeroed(layout) };
        let Some(base) = NonNull::new(base) else {
            handle_alloc_error(layout)
        };
        let header = Header {
            min,
            spill: Vec::new(),
            count: 0,
            depth,
            holders: AtomicU32::new(1),
        };
        // SAFETY: the first line of the fresh, 64-byte aligned block is for
        // the header; the zeroed lines behind it are empty buckets.
        unsafe { base.cast::<Header>().write(header) };
        SegPtr(base.map_addr(|addr| addr | buckets))
    }

    /// A segment of fitting size that holds `items`.
    pub(super) fn build(items: &[Item], buckets: usize, depth: u32, min: u64) -> SegPtr {
        let ptr = SegPtr::alloc(buckets, depth, min);
        // SAFETY: just allocated, and nobody else knows it yet.
        let mut seg = unsafe { ptr.borrow_mut() };
        for &item in items {
            seg.put_anywhere(item);
        }
        ptr
    }

    #[inline]
    fn bucket_count(self) -> usize {
        self.0.addr().get() % LINE
    }

    #[inline]
    pub(super) fn base(self) -> NonNull<u8> {
        let buckets = self.bucket_count();
        // SAFETY: the tagged address is the base plus `buckets` (below 64),
        // so going back by it stays in the allocation.
        unsafe { self.0.sub(buckets) }
    }

    /// # Safety
    /// The segment is alive and not mutably borrowed during `'a`.
    #[inline]
    pub(super) unsafe fn borrow<'a>(self) -> Seg<'a> {
        let head = self.base().cast::<Header>();
        // SAFETY: the caller vouches for life and aliasing; behind the header
        // line stand `bucket_count` initialized buckets.
        unsafe {
            let lines = head.add(1).cast::<Bucket>().as_ptr();
            Seg {
                head: head.as_ref(),
                buckets: slice::from_raw_parts(lines, self.bucket_count()),
            }
        }
    }

    /// # Safety
    /// The segment is alive and not otherwise borrowed during `'a`.
    #[inline]
    pub(super) unsafe fn borrow_mut<'a>(self) -> SegMut<'a> {
        let mut head = self.base().cast::<Header>();
        // SAFETY: as for `borrow`, exclusively; header and buckets are disjoint.
        unsafe {
            let lines = head.add(1).cast::<Bucket>().as_ptr();
            let buckets = slice::from_raw_parts_mut(lines, self.bucket_count());
            SegMut {
                head: head.as_mut(),
                buckets,
            }
        }
    }

    /// Frees the segment and its spill; what its items point to stays.
    ///
    /// # Safety
    /// The segment is alive, not borrowed, and never used again.
    pub(super) unsafe fn free(self) {
        let base = self.base();
        // SAFETY: the header was written by `alloc`, which also allocated the
        // block with this very layout; the caller vouches for the rest.
        unsafe {
            base.cast::<Header>().drop_in_place();
            dealloc(base.as_ptr(), layout_of(self.bucket_count()));
        }
    }
}

fn layout_of(buckets: usize) -> Layout {
    let Ok(layout) = Layout::from_size_align((buckets + 1) * LINE, LINE) else {
        unreachable!("64 lines are no invalid layout");
    };
    layout
}

/// The smallest bucket count that holds `count` items with room to grow.
pub(super) fn buckets_for(count: usize) -> usize {
    let roomy = |step: &&u8| usize::from(**step) * LANES * FILL_PERCENT >= count * 100;
    STEPS
        .iter()
        .find(roomy)
        .map_or(BUCKETS_MAX, |&step| usize::from(step))
}

/// The next larger bucket count, if there is one.
pub(super) fn buckets_above(buckets: usize) -> Option<usize> {
    STEPS
        .iter()
        .map(|&step| usize::from(step))
        .find(|&step| step > buckets)
}

/// Where an element stands in its segment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spot {
    Lane(u8, Lane),
    Spill(u32),
}

/// A segment borrowed for reading.
#[derive(Clone, Copy)]
pub(super) struct Seg<'a> {
    pub(super) head: &'a Header,
    pub(super) buckets: &'a [Bucket],
}

impl<'a> Seg<'a> {
    /// The element of this tag whose address satisfies `eq`, and its address.
    #[inline]
    pub(super) fn locate(self, tag: Tag, mut eq: impl FnMut(u64) -> bool) -> Option<(Spot, u64)> {
        let (first, second) = tag.buckets(self.buckets.len());
        // Two in five lookups go on to the second line, absent keys always do.
        super::prefetch(&raw const self.buckets[second]);
        for at in [first, second] {
            let bucket = &self.buckets[at];
            for lane in bucket.matches(tag) {
                let addr = bucket.addr(lane);
                if eq(addr) {
                    return Some((Spot::Lane(at as u8, lane), addr));
                }
            }
        }
        if !self.buckets[first].has_spilled() {
            return None;
        }
        let mut spill = self.head.spill.iter().enumerate();
        let (i, item) = spill.find(|(_, item)| item.tag == tag && eq(item.addr))?;
        Some((Spot::Spill(i as u32), item.addr))
    }

    #[inline]
    pub(super) fn addr(self, spot: Spot) -> u64 {
        match spot {
            Spot::Lane(bucket, lane) => self.buckets[usize::from(bucket)].addr(lane),
            Spot::Spill(i) => self.head.spill[i as usize].addr,
        }
    }

    /// Calls `visit` with every item.
    #[inline]
    pub(super) fn for_each(self, mut visit: impl FnMut(Item)) {
        for bucket in self.buckets {
            bucket.occupied().for_each(|lane| visit(bucket.item(lane)));
        }
        self.spilled().for_each(visit);
    }

    /// All items, in no particular order.
    pub(super) fn items(self) -> Vec<Item> {
        let mut items = Vec::with_capacity(self.head.count as usize + 1);
        self.for_each(|item| items.push(item));
        items
    }

    /// The spot of the n-th item in the order of the lines.
    pub(super) fn nth(self, mut n: usize) -> Option<Spot> {
        for (at, bucket) in self.buckets.iter().enumerate() {
            let mut lanes = bucket.occupied();
            if n < lanes.len() {
                return lanes.nth(n).map(|lane| Spot::Lane(at as u8, lane));
            }
            n -= lanes.len();
        }
        let spill = self.head.spill.iter().enumerate();
        let mut held = spill.filter(|(_, item)| item.tag != Tag::VACANT);
        held.nth(n).map(|(i, _)| Spot::Spill(i as u32))
    }

    /// How many lanes and spill items there are, vacant ones included.
    pub(super) fn places(self) -> usize {
        self.buckets.len() * LANES + self.head.spill.len()
    }

    /// The spot at one of the places, if something stands there. Reads nothing if
    /// the place is beyond the segment's size.
    #[inline]
    pub(super) fn occupied(self, place: usize) -> Option<Spot> {
        let (at, lane) = (place / LANES, place % LANES);
        if let Some(bucket) = self.buckets.get(at) {
            let lane = bucket.occupied_lane(lane)?;
            return Some(Spot::Lane(at as u8, lane));
        }
        if self.buckets.len() < BUCKETS_MAX {
            return None;
        }
        let i = place - self.buckets.len() * LANES;
        let item = self.head.spill.get(i)?;
        (item.tag != Tag::VACANT).then_some(Spot::Spill(i as u32))
    }

    /// The spill without what is held.
    fn spilled(self) -> impl Iterator<Item = Item> + 'a {
        self.head
            .spill
            .iter()
            .copied()
            .filter(|item| item.tag != Tag::VACANT)
    }

    /// A segment of the same shape, spots included, with other addresses in the
    /// place of these.
    pub(super) fn copied(self, mut other: impl FnMut(u64) -> u64) -> SegPtr {
        let ptr = SegPtr::alloc(self.buckets.len(), self.head.depth, self.head.min);
        // SAFETY: just allocated, and nobody else knows it yet.
        let copy = unsafe { ptr.borrow_mut() };
        for (from, to) in self.buckets.iter().zip(copy.buckets) {
            *to = *from;
            for lane in from.occupied() {
                to.set_addr(lane, other(from.addr(lane)));
            }
        }
        copy.head.spill.clone_from(&self.head.spill);
        let spilled = copy.head.spill.iter_mut();
        for item in spilled.filter(|item| item.tag != Tag::VACANT) {
            item.addr = other(item.addr);
        }
        copy.head.count = self.head.count;
        ptr
    }

    /// Bytes allocated for the segment, its spill included.
    pub(super) fn bytes(self) -> usize {
        (self.buckets.len() + 1) * LINE + self.head.spill.capacity() * size_of::<Item>()
    }

    /// Whether three quarters of the lanes are vacant and a smaller size exists.
    #[inline]
    pub(super) fn is_sparse(self) -> bool {
        self.head.count as usize * 4 <= self.buckets.len() * LANES && self.buckets.len() > 1
    }

    /// First path behind those of this segment, zero for the last segment.
    #[inline]
    pub(super) fn end(self, path: u64) -> u64 {
        span_end(path, self.head.depth)
    }
}

/// A segment borrowed for change.
pub(super) struct SegMut<'a> {
    pub(super) head: &'a mut Header,
    buckets: &'a mut [Bucket],
}

impl SegMut<'_> {
    #[inline]
    pub(super) fn view(&self) -> Seg<'_> {
        Seg {
            head: self.head,
            buckets: self.buckets,
        }
    }

    /// A vacant lane for `tag`, made by moving one element if need be.
    #[inline]
    pub(super) fn vacancy(&mut self, tag: Tag) -> Option<(usize, Lane)> {
        let (first, second) = tag.buckets(self.buckets.len());
        let (one, two) = (self.buckets[first].vacant(), self.buckets[second].vacant());
        let (at, lanes) = if one.len() >= two.len() {
            (first, one)
        } else {
            (second, two)
        };
        if let Some(lane) = lanes.first() {
            return Some((at, lane));
        }
        self.displace(first).or_else(|| self.displace(second))
    }

    /// Moves one element of the full bucket `from` to its other bucket.
    fn displace(&mut self, from: usize) -> Option<(usize, Lane)> {
        for lane in self.buckets[from].occupied() {
            let other = self.buckets[from]
                .tag(lane)
                .other_bucket(self.buckets.len(), from);
            if let Some(free) = self.buckets[other].vacant().first() {
                let item = self.buckets[from].take(lane);
                self.buckets[other].put(free, item);
                return Some((from, lane));
            }
        }
        None
    }

    #[inline]
    pub(super) fn put(&mut self, (bucket, lane): (usize, Lane), item: Item) {
        self.buckets[bucket].put(lane, item);
        self.head.count += 1;
    }

    /// Puts the item into a lane, or into the spill.
    pub(super) fn put_anywhere(&mut self, item: Item) {
        if let Some(place) = self.vacancy(item.tag) {
            return self.put(place, item);
        }
        let (first, _) = item.tag.buckets(self.buckets.len());
        self.buckets[first].set_spilled();
        self.head.spill.push(item);
        self.head.count += 1;
    }

    #[inline]
    pub(super) fn set_addr(&mut self, spot: Spot, addr: u64) {
        match spot {
            Spot::Lane(bucket, lane) => self.buckets[usize::from(bucket)].set_addr(lane, addr),
            Spot::Spill(i) => self.head.spill[i as usize].addr = addr,
        }
    }

    /// Makes the place at `spot` vacant, though it still counts, until
    /// [`SegMut::restore`]: so that nothing finds an address that may change.
    #[inline]
    pub(super) fn hold(&mut self, spot: Spot) -> Tag {
        match spot {
            Spot::Lane(bucket, lane) => self.buckets[usize::from(bucket)].hold(lane),
            Spot::Spill(i) => mem::replace(&mut self.head.spill[i as usize].tag, Tag::VACANT),
        }
    }

    /// Lets the address that stands at `spot` be found again.
    #[inline]
    pub(super) fn restore(&mut self, spot: Spot, tag: Tag) {
        match spot {
            Spot::Lane(bucket, lane) => self.buckets[usize::from(bucket)].restore(lane, tag),
            Spot::Spill(i) => self.head.spill[i as usize].tag = tag,
        }
    }

    /// Takes an element out. Spots of other elements in the spill may change.
    #[inline]
    pub(super) fn take(&mut self, spot: Spot) -> u64 {
        self.head.count -= 1;
        match spot {
            Spot::Lane(bucket, lane) => self.buckets[usize::from(bucket)].take(lane).addr,
            Spot::Spill(i) => self.head.spill.swap_remove(i as usize).addr,
        }
    }

    /// Asks `keep` about every address; those refused are out of the segment
    /// before `keep` is asked again.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(u64) -> bool) {
        for bucket in self.buckets.iter_mut() {
            for lane in bucket.occupied() {
                if !keep(bucket.addr(lane)) {
                    bucket.take(lane);
                    self.head.count -= 1;
                }
            }
        }
        // From the end, so that what swaps into the gap was asked already.
        for i in (0..self.head.spill.len()).rev() {
            let item = self.head.spill[i];
            if item.tag == Tag::VACANT || !keep(item.addr) {
                self.head.spill.swap_remove(i);
                self.head.count -= 1;
            }
        }
    }
}

/// The window of a path under a prefix of `depth` bits.
#[inline]
pub(super) fn window_of(path: u64, depth: u32) -> u8 {
    ((path << depth) >> (64 - WINDOW_BITS)) as u8
}

/// First path behind those that share the first `bits` bits with `path`; zero
/// behind the last.
#[inline]
pub(super) fn span_end(path: u64, bits: u32) -> u64 {
    (path | (u64::MAX >> bits)).wrapping_add(1)
}
