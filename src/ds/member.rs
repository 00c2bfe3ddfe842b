#![allow(unsafe_code)]
//! A byte string of its own: one thin pointer to one allocation that holds its
//! length and its bytes. The member of a large set.
//!
//! ```text
//! below 255 bytes:  length(1)                  bytes ...
//! longer:           255(1)  length(8, native)  bytes ...
//! ```
//!
//! Most members are short, and there are many: fifteen bytes make one allocation of
//! sixteen, where pointer, length and capacity alone would be more than that.
//!
//! Must stay true: the size of the allocation follows from its first bytes, which
//! never change.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::fmt;
use std::ptr::NonNull;
use std::slice;

use super::table::Thin;

/// The first byte of a member whose length follows in eight bytes.
const LONG: u8 = 255;

/// Bytes before those of a long member.
const LONG_HEADER: usize = 1 + size_of::<usize>();

/// What tables demand of an address, and what allocators give anyway.
const ALIGN: usize = 8;

/// An owned, immutable byte string behind one thin pointer.
pub struct Member(NonNull<u8>);

// SAFETY: a member owns its allocation, and nothing of it is tied to a thread.
unsafe impl Send for Member {}
// SAFETY: a member never changes.
unsafe impl Sync for Member {}

// SAFETY: the pointer is the member; allocations are aligned to 8.
unsafe impl Thin for Member {
    const DUPLICATE: Option<fn(&Self) -> Self> = Some(|member| Member::new(member.bytes()));

    #[inline]
    fn into_raw(self) -> NonNull<u8> {
        let raw = self.0;
        std::mem::forget(self);
        raw
    }

    // SAFETY: asks of its caller what the trait asks.
    #[inline]
    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        Member(raw)
    }
}

fn header_of(len: usize) -> usize {
    if len < LONG as usize { 1 } else { LONG_HEADER }
}

fn layout_of(len: usize) -> Layout {
    let size = header_of(len) + len;
    let Ok(layout) = Layout::from_size_align(size, ALIGN) else {
        unreachable!("as long as a slice is long, with a header of nine bytes")
    };
    layout
}

impl Member {
    /// A copy of `bytes`.
    #[inline]
    pub fn new(bytes: &[u8]) -> Member {
        let layout = layout_of(bytes.len());
        // SAFETY: the layout has at least the byte of the header.
        let raw = unsafe { alloc(layout) };
        let Some(raw) = NonNull::new(raw) else {
            handle_alloc_error(layout)
        };
        // SAFETY: the allocation has room for the header and then the bytes, which
        // are the caller's and so do not overlap it.
        unsafe {
            if bytes.len() < LONG as usize {
                raw.write(bytes.len() as u8);
            } else {
                raw.write(LONG);
                raw.add(1).cast::<usize>().write_unaligned(bytes.len());
            }
            let into = raw.add(header_of(bytes.len()));
            into.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len());
        }
        Member(raw)
    }

    #[inline]
    fn len(&self) -> usize {
        // SAFETY: a member's allocation starts with its header, the first byte of
        // which says whether a length follows.
        unsafe {
            match self.0.read() {
                LONG => self.0.add(1).cast::<usize>().read_unaligned(),
                len => len as usize,
            }
        }
    }

    /// The byte string.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        let len = self.len();
        // SAFETY: behind the header stand as many bytes, written by `new` and not
        // changed or freed before the member is dropped.
        unsafe { slice::from_raw_parts(self.0.add(header_of(len)).as_ptr(), len) }
    }

    /// Bytes allocated for a member of this length, as allocators round them.
    pub fn mem_bytes(len: usize) -> usize {
        (header_of(len) + len).next_multiple_of(ALIGN)
    }
}

impl Drop for Member {
    #[inline]
    fn drop(&mut self) {
        let layout = layout_of(self.len());
        // SAFETY: allocated by `new` with this very layout, and dropped once.
        unsafe { dealloc(self.0.as_ptr(), layout) };
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back() {
        let (short, long) = if cfg!(miri) {
            (40, 300)
        } else {
            (600, 1 << 20)
        };
        for len in (0..short).chain([65_535, 65_536, long]) {
            let bytes: Vec<u8> = (0..len).map(|at| (at * 7) as u8).collect();
            let member = Member::new(&bytes);
            assert_eq!(member.bytes(), bytes);
            let raw = member.into_raw();
            assert_eq!(raw.as_ptr() as usize % 8, 0);
            // SAFETY: just taken apart, and put together once.
            let again = unsafe { Member::from_raw(raw) };
            let copy = Member::DUPLICATE.map(|duplicate| duplicate(&again));
            drop(again);
            assert_eq!(copy.map(|copy| copy.bytes().to_vec()), Some(bytes));
        }
    }

    #[test]
    fn fifteen_bytes_take_sixteen() {
        assert_eq!(Member::mem_bytes(15), 16);
        assert_eq!(size_of::<Option<Member>>(), 8);
    }
}
