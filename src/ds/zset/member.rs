#![allow(unsafe_code)]
//! One element of a large sorted set: a single allocation behind one thin, counted
//! pointer.
//!
//! ```text
//! byte   0       4        8           16          16 + len
//!      +-------+--------+-----------+-----------+----------+
//!      | refs  | length | score     | bytes     | to 8     |
//!      +-------+--------+-----------+-----------+----------+
//! ```
//!
//! The table that finds elements by their text and the tree that keeps them in order
//! hold the same element, and so do images of the tree that readers work on. Whoever
//! goes last frees it. An `Arc<[u8]>` would do the same with twice the pointer and a
//! second counter, 16 bytes more for each element.
//!
//! Must stay true:
//! - text and length never change;
//! - the score here is that of the live set, for look-ups by text. It is changed in
//!   place, while images may be read: who reads in order takes the score that stands
//!   beside the pointer in the tree's leaf.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};

use crate::ds::table::{Thin, prefetch};

const HEADER: usize = size_of::<Header>();
/// Allocations are multiples of this, which every allocator's classes are too.
const GRAIN: usize = 8;
/// References beyond which the process ends rather than let the counter wrap; two
/// are usual, and one more for each image.
const REFS_MAX: u32 = u32::MAX / 2;

#[repr(C)]
struct Header {
    refs: AtomicU32,
    len: u32,
    score: AtomicU64,
}

/// A shared element. Cloning it shares it.
pub struct Member(NonNull<Header>);

// SAFETY: the text never changes, and counter and score are atomics.
unsafe impl Send for Member {}
// SAFETY: as above.
unsafe impl Sync for Member {}

// SAFETY: the pointer is the element; its allocation does not move and is aligned to
// GRAIN = 8.
unsafe impl Thin for Member {
    fn into_raw(self) -> NonNull<u8> {
        let ptr = self.0.cast();
        std::mem::forget(self);
        ptr
    }

    // SAFETY: asks of its caller what the trait asks.
    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        Member(raw.cast())
    }
}

impl Member {
    /// A new element.
    ///
    /// # Panics
    /// If the text has 4 GiB or more.
    pub fn new(bytes: &[u8], score: f64) -> Member {
        let len = u32::try_from(bytes.len()).expect("a member is shorter than 4 GiB");
        let layout = layout(bytes.len());
        // SAFETY: the size is at least that of the header, hence not zero.
        let ptr = unsafe { alloc(layout) };
        let Some(ptr) = NonNull::new(ptr.cast::<Header>()) else {
            handle_alloc_error(layout)
        };
        let header = Header {
            refs: AtomicU32::new(1),
            len,
            score: AtomicU64::new(score.to_bits()),
        };
        // SAFETY: fresh memory, aligned for the header, with room for it and the text.
        unsafe {
            ptr.write(header);
            let to = ptr.add(1).cast::<u8>().as_ptr();
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
        #[cfg(test)]
        counted::born();
        Member(ptr)
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: the allocation starts with its header and lives as long as `self`.
        unsafe { self.0.as_ref() }
    }

    /// The text.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        let len = self.header().len as usize;
        // SAFETY: `len` bytes of text stand behind the header and never change.
        unsafe { std::slice::from_raw_parts(self.0.add(1).cast::<u8>().as_ptr(), len) }
    }

    /// Whether both are one and the same element.
    #[inline]
    pub fn is(&self, other: &Member) -> bool {
        self.0 == other.0
    }

    /// Fetches the first line of the element. A hint.
    #[inline]
    pub fn prefetch(&self) {
        prefetch(self.0.as_ptr());
    }

    /// The score in the live set.
    #[inline]
    pub fn score(&self) -> f64 {
        f64::from_bits(self.header().score.load(Relaxed))
    }

    /// Changes the score in the live set.
    #[inline]
    pub fn set_score(&self, score: f64) {
        self.header().score.store(score.to_bits(), Relaxed);
    }

    /// Bytes allocated for an element with a text of this length.
    pub fn size_of(len: usize) -> usize {
        layout(len).size()
    }
}

impl Clone for Member {
    #[inline]
    fn clone(&self) -> Member {
        let refs = self.header().refs.fetch_add(1, Relaxed);
        if refs > REFS_MAX {
            std::process::abort();
        }
        Member(self.0)
    }
}

impl Drop for Member {
    #[inline]
    fn drop(&mut self) {
        if self.header().refs.fetch_sub(1, Release) != 1 {
            return;
        }
        // What others did through their references has happened before the free.
        fence(Acquire);
        let layout = layout(self.header().len as usize);
        // SAFETY: allocated with this layout, and this was the last reference.
        unsafe { dealloc(self.0.as_ptr().cast(), layout) };
        #[cfg(test)]
        counted::died();
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.bytes().escape_ascii().to_string())
    }
}

fn layout(len: usize) -> Layout {
    let size = (HEADER + len).next_multiple_of(GRAIN);
    // SAFETY: GRAIN is a power of two, and the size far below isize::MAX, since a
    // length fits 32 bits.
    unsafe { Layout::from_size_align_unchecked(size, GRAIN) }
}

/// Counts the elements that a test's thread has made and not yet freed.
#[cfg(test)]
pub mod counted {
    use std::cell::Cell;

    thread_local!(static ALIVE: Cell<i64> = const { Cell::new(0) });

    pub(super) fn born() {
        ALIVE.with(|alive| alive.set(alive.get() + 1));
    }

    pub(super) fn died() {
        ALIVE.with(|alive| alive.set(alive.get() - 1));
    }

    /// Elements alive that this thread made, less those of others that it freed.
    pub fn alive() -> i64 {
        ALIVE.with(Cell::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_freed_once_by_whoever_goes_last() {
        let before = counted::alive();
        for len in [0, 1, 7, 8, 9, 255, 70_000] {
            let text = vec![b'x'; len];
            let first = Member::new(&text, 1.5);
            let second = first.clone();
            first.set_score(-2.5);
            drop(first);
            assert_eq!((second.bytes(), second.score()), (&text[..], -2.5));
            assert_eq!(counted::alive(), before + 1);
            drop(second);
            assert_eq!(counted::alive(), before);
        }
    }

    #[test]
    fn fifteen_bytes_of_text_take_thirty_two() {
        assert_eq!(Member::size_of(15), 32);
        assert_eq!(size_of::<Option<Member>>(), 8);
    }
}
