#![allow(unsafe_code)]
//! The directory: from the first bits of a path to the segment they lead to.
//!
//! A segment of depth d answers for all paths that share its d-bit prefix, so
//! it stands in every directory entry under that prefix. Splitting a segment
//! that fills a single entry first doubles its *leaf*, which copies pointers
//! and nothing else. A table has one leaf until that would exceed
//! [`FLAT_BITS`]; then it has [`WIDE_BITS`] bits worth of leaves that double
//! each on its own. So no doubling copies more than a 256th of a large
//! directory: 8 KiB at ten million elements, 1 MiB at a billion.
//!
//! The directory holds the segments, alone or with images of itself, and owns
//! nothing of what their items point to. Here a `SegPtr` becomes a borrow, always one
//! bounded by the borrow of the directory; only what was found for an element keeps
//! its segment's address, so that nobody looks it up twice (slot.rs).
//!
//! Must stay true: every entry holds a live segment; a segment of depth d
//! stands in all entries under its prefix and nowhere else; no two segments
//! share a path; each segment counts this directory once as its holder.

use super::prefetch;
use super::segment::{Seg, SegMut, SegPtr, span_end};

/// A single leaf has at most this many bits: 4096 entries, 32 KiB.
const FLAT_BITS: u32 = 12;

/// Path bits that choose the leaf of a wide directory.
const WIDE_BITS: u32 = 8;

/// Most bits a segment's prefix may have. With the window behind it, a path is
/// told apart up to 48 bits, which is what a scan cursor holds.
pub(super) const DEPTH_MAX: u32 = 42;

#[derive(Clone, PartialEq, Eq)]
struct Leaf {
    /// Two to the power of `bits` entries.
    entries: Box<[SegPtr]>,
    bits: u32,
}

impl Leaf {
    /// `path` without the bits that led to this leaf.
    #[inline]
    fn index(&self, path: u64) -> usize {
        // At most 63, so that the shift wraps nothing.
        (path >> 1).wrapping_shr(63 - self.bits) as usize
    }

    fn double(&mut self) {
        self.entries = self
            .entries
            .iter()
            .flat_map(|&entry| [entry, entry])
            .collect();
        self.bits += 1;
    }

    /// Sets every entry under the prefix of `depth` bits.
    fn set(&mut self, path: u64, depth: u32, ptr: SegPtr) {
        let first = self.index(path & !(u64::MAX >> depth));
        let last = self.index(path | (u64::MAX >> depth));
        self.entries[first..=last].fill(ptr);
    }

    fn bytes(&self) -> usize {
        size_of_val::<[SegPtr]>(&self.entries)
    }
}

#[derive(Clone, PartialEq, Eq)]
enum Shape {
    Empty,
    Flat(Leaf),
    Wide(Box<[Leaf]>),
}

/// How many entries ahead an image fetches the headers that it counts itself in.
const IMAGE_AHEAD: usize = 16;

/// See the head of the file.
pub(super) struct Directory {
    shape: Shape,
    segments: u32,
}

impl Directory {
    pub(super) const EMPTY: Directory = Directory {
        shape: Shape::Empty,
        segments: 0,
    };

    /// The segment in which elements of this path stand, if there is any yet.
    #[inline]
    pub(super) fn ptr(&self, path: u64) -> Option<SegPtr> {
        let (leaf, rest) = match &self.shape {
            Shape::Flat(leaf) => (leaf, path),
            Shape::Wide(leaves) => (&leaves[leaf_of(path)], path << WIDE_BITS),
            Shape::Empty => return None,
        };
        Some(leaf.entries[leaf.index(rest)])
    }

    #[inline]
    pub(super) fn get(&self, path: u64) -> Option<Seg<'_>> {
        // SAFETY: entries hold live segments, and the borrow of the directory
        // keeps mutable borrows away as long as the result lives.
        self.ptr(path).map(|ptr| unsafe { ptr.borrow() })
    }

    #[inline]
    pub(super) fn get_mut(&mut self, path: u64) -> Option<SegMut<'_>> {
        // SAFETY: entries hold live segments. The exclusive borrow of the directory
        // makes this the only borrow of any that it holds alone, and of shared ones
        // the table asks for none ([`Directory::unshare`] comes first).
        self.ptr(path).map(|ptr| unsafe { ptr.borrow_mut() })
    }

    /// Whether the segment of `path` has other holders.
    #[inline]
    pub(super) fn is_shared(&self, path: u64) -> bool {
        (self.get(path)).is_some_and(|segment| segment.head.is_shared())
    }

    /// Makes `ptr` the one segment of an empty directory.
    pub(super) fn start(&mut self, ptr: SegPtr) {
        debug_assert!(self.segments == 0);
        self.shape = Shape::Flat(Leaf {
            entries: Box::new([ptr]),
            bits: 0,
        });
        self.segments = 1;
    }

    /// Puts `ptr` in the place of the segment of `path`, which is freed: it is held
    /// here alone, and the new one, of the same depth, has all its items.
    pub(super) fn replace(&mut self, path: u64, ptr: SegPtr) {
        if let Some(old) = self.exchange(path, ptr) {
            // SAFETY: no entry holds `old` any more, nor does another directory.
            unsafe { old.free() };
        }
    }

    /// Puts a copy, with other addresses, in the place of a shared segment. What
    /// others have let go meanwhile goes to `last` before it is freed.
    pub(super) fn unshare(
        &mut self,
        path: u64,
        other: impl FnMut(u64) -> u64,
        mut last: impl FnMut(SegMut<'_>),
    ) {
        let Some(segment) = self.get(path) else {
            return;
        };
        let copy = segment.copied(other);
        if let Some(old) = self.exchange(path, copy) {
            // SAFETY: no entry holds `old` any more.
            unsafe { let_go(old, &mut last) };
        }
    }

    /// Puts `ptr` in the place of the segment of `path`, of the same depth, and
    /// gives that back.
    fn exchange(&mut self, path: u64, ptr: SegPtr) -> Option<SegPtr> {
        let Some(old) = self.ptr(path) else {
            self.start(ptr);
            return None;
        };
        // SAFETY: `old` is live, and nothing is borrowed: `self` is exclusive.
        let depth = unsafe { old.borrow() }.head.depth;
        self.set(path, depth, ptr);
        Some(old)
    }

    /// Puts two segments, one bit deeper, in the place of the segment of `path`.
    /// [`Directory::make_deeper`] must have allowed it.
    pub(super) fn replace_by_two(&mut self, path: u64, halves: [SegPtr; 2]) {
        let Some(old) = self.ptr(path) else {
            unreachable!("only a full segment splits")
        };
        // SAFETY: as in `replace`.
        let depth = unsafe { old.borrow() }.head.depth;
        let bit = 1 << (63 - depth);
        self.set(path & !bit, depth + 1, halves[0]);
        self.set(path | bit, depth + 1, halves[1]);
        self.segments += 1;
        // SAFETY: both halves of its range are overwritten, so no entry holds it;
        // who splits a segment holds it alone.
        unsafe { old.free() };
    }

    /// Sees to it that the segment of `path`, of depth `depth`, can split.
    /// Refuses where that would take a directory out of all proportion to the
    /// number of segments, as elements of equal hash would demand.
    pub(super) fn make_deeper(&mut self, path: u64, depth: u32) -> bool {
        if self.bits_at(path) > depth {
            return true;
        }
        if depth >= DEPTH_MAX || !self.may_double(path) {
            return false;
        }
        match &mut self.shape {
            Shape::Flat(leaf) if leaf.bits < FLAT_BITS => leaf.double(),
            Shape::Flat(leaf) => {
                let leaves = widen(leaf);
                self.shape = Shape::Wide(leaves);
                return self.make_deeper(path, depth);
            }
            Shape::Wide(leaves) => leaves[leaf_of(path)].double(),
            Shape::Empty => return false,
        }
        true
    }

    /// Path bits that the directory tells apart at `path`.
    fn bits_at(&self, path: u64) -> u32 {
        match &self.shape {
            Shape::Empty => 0,
            Shape::Flat(leaf) => leaf.bits,
            Shape::Wide(leaves) => WIDE_BITS + leaves[leaf_of(path)].bits,
        }
    }

    /// Honest hashes keep segments within a bit or two of the same depth; a
    /// leaf of sixteen entries per segment is four bits beyond.
    fn may_double(&self, path: u64) -> bool {
        let leaves_log2 = if let Shape::Wide(_) = self.shape {
            WIDE_BITS
        } else {
            0
        };
        let entries = 1 << (self.bits_at(path) - leaves_log2);
        entries <= 32 + 8 * (u64::from(self.segments) >> leaves_log2)
    }

    fn set(&mut self, path: u64, depth: u32, ptr: SegPtr) {
        match &mut self.shape {
            Shape::Empty => {}
            Shape::Flat(leaf) => leaf.set(path, depth, ptr),
            Shape::Wide(leaves) if depth >= WIDE_BITS => {
                leaves[leaf_of(path)].set(path << WIDE_BITS, depth - WIDE_BITS, ptr);
            }
            Shape::Wide(leaves) => {
                let first = leaf_of(path & !(u64::MAX >> depth));
                let last = leaf_of(path | (u64::MAX >> depth));
                leaves[first..=last]
                    .iter_mut()
                    .for_each(|leaf| leaf.entries.fill(ptr));
            }
        }
    }

    pub(super) fn segments(&self) -> usize {
        self.segments as usize
    }

    /// Bytes of the entries and leaves, segments not included. O(1), or O(256)
    /// for a large table.
    pub(super) fn bytes(&self) -> usize {
        match &self.shape {
            Shape::Empty => 0,
            Shape::Flat(leaf) => leaf.bytes(),
            Shape::Wide(leaves) => {
                size_of_val::<[Leaf]>(leaves) + leaves.iter().map(Leaf::bytes).sum::<usize>()
            }
        }
    }

    /// A directory of the same segments, each of which counts it as a holder.
    /// O(segments), a few nanoseconds each.
    pub(super) fn image(&self) -> Directory {
        let leaves = match &self.shape {
            Shape::Empty => &[],
            Shape::Flat(leaf) => std::slice::from_ref(leaf),
            Shape::Wide(leaves) => &leaves[..],
        };
        let mut last = None;
        for entries in leaves.iter().map(|leaf| &leaf.entries) {
            for (i, &ptr) in entries.iter().enumerate() {
                if let Some(ahead) = entries.get(i + IMAGE_AHEAD) {
                    prefetch(ahead.base().as_ptr());
                }
                // The entries of one segment stand side by side.
                if last.replace(ptr) != Some(ptr) {
                    // SAFETY: entries hold live segments, and `self` is borrowed.
                    unsafe { ptr.borrow() }.head.hold_once_more();
                }
            }
        }
        Directory {
            shape: self.shape.clone(),
            segments: self.segments,
        }
    }

    /// Whether both hold the very same segments. As both hold them, neither can
    /// have changed one since.
    pub(super) fn is_as(&self, other: &Directory) -> bool {
        self.shape == other.shape
    }

    /// Lets go of all segments and frees the directory itself. Segments that nobody
    /// else holds go to `last`, which sees to their elements, and are freed.
    pub(super) fn clear(&mut self, mut last: impl FnMut(SegMut<'_>)) {
        let mut path = 0;
        while let Some(ptr) = self.ptr(path) {
            // SAFETY: live until freed below, and nothing else is borrowed.
            let depth = unsafe { ptr.borrow() }.head.depth;
            path = span_end(path, depth);
            // SAFETY: the walk leaves each segment's whole range at once, so
            // it meets each segment once and none again.
            unsafe { let_go(ptr, &mut last) };
            if path == 0 {
                break;
            }
        }
        *self = Directory::EMPTY;
    }
}

/// Lets go of a segment; the last holder hands it to `last` and frees it.
///
/// # Safety
/// The segment is held for the caller's directory, which does not use it again.
unsafe fn let_go(ptr: SegPtr, last: &mut impl FnMut(SegMut<'_>)) {
    // SAFETY: held until this very call, so alive; nothing of it is borrowed mutably.
    if unsafe { ptr.borrow() }.head.let_go() {
        // SAFETY: nobody holds it any more, so this borrow is the only one.
        last(unsafe { ptr.borrow_mut() });
        // SAFETY: as above, and the borrow has ended.
        unsafe { ptr.free() };
    }
}

#[inline]
fn leaf_of(path: u64) -> usize {
    (path >> (64 - WIDE_BITS)) as usize
}

fn widen(leaf: &Leaf) -> Box<[Leaf]> {
    let bits = leaf.bits - WIDE_BITS;
    let part = |entries: &[SegPtr]| Leaf {
        entries: entries.into(),
        bits,
    };
    leaf.entries.chunks(1 << bits).map(part).collect()
}
