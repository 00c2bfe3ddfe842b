#![allow(unsafe_code)]
//! What the table hands out: the `Thin` trait of its elements and the borrows
//! of a single one.
//!
//! The table holds an element as 48 bits of address. A borrow brings the
//! element back as a value that must not drop: [`Ref`] for reading, and
//! [`RefMut`], which also puts the address back when it ends, since an element
//! may reallocate itself while it is changed.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

use super::Table;
use super::bucket::Tag;
use super::segment::{SegMut, Spot};

/// An owning pointer of one word, such as `Box` of a sized type.
///
/// # Safety
/// `into_raw` gives up ownership for an address that `from_raw` turns back into
/// an equal element, any number of times as long as all but one of them are
/// forgotten. Moving the element does not move what it points to, and sharing
/// `&Self` between threads needs no more than `Self: Sync`.
///
/// The address is a multiple of eight and below 2^48. All allocators meet that
/// on x86_64 and aarch64, where user space asks for 57- or 52-bit addresses
/// only by explicit hints to `mmap`; the table asserts it on each insertion.
pub unsafe trait Thin: Sized {
    /// Makes an equal element that stands on its own, for elements that tables may
    /// share ([`Table::image`]). A table of others pays nothing for sharing.
    const DUPLICATE: Option<fn(&Self) -> Self> = None;

    fn into_raw(self) -> NonNull<u8>;

    /// # Safety
    /// `raw` came from `into_raw`, and of all elements made from it only one
    /// is ever dropped or changed.
    unsafe fn from_raw(raw: NonNull<u8>) -> Self;
}

// SAFETY: a box is its address; the trait's demands on the address are asserted.
unsafe impl<T> Thin for Box<T> {
    fn into_raw(self) -> NonNull<u8> {
        const {
            assert!(
                align_of::<T>() >= 8,
                "elements of a table are 8-byte aligned"
            )
        };
        NonNull::from(Box::leak(self)).cast()
    }

    // SAFETY: asks of its caller what the trait asks.
    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        // SAFETY: the address came from a leaked box of this very type.
        unsafe { Box::from_raw(raw.cast::<T>().as_ptr()) }
    }
}

/// The number a bucket keeps for an element.
#[inline]
pub(super) fn stow<E: Thin>(element: E) -> u64 {
    let addr = element.into_raw().as_ptr().expose_provenance() as u64;
    assert!(
        addr >> 48 == 0 && addr.is_multiple_of(8),
        "{addr:#x} is no 8-byte aligned 48-bit address"
    );
    addr
}

/// The element again.
///
/// # Safety
/// `addr` came from `stow::<E>`, and is not at the same time an element that is
/// dropped or changed elsewhere. (That is so as long as a segment is held that has
/// it: what several tables hold, none of them changes.)
#[inline]
pub(super) unsafe fn revive<E: Thin>(addr: u64) -> E {
    let raw = ptr::with_exposed_provenance_mut(addr as usize);
    // SAFETY: stowed addresses came from a NonNull; the rest is the caller's.
    unsafe { E::from_raw(NonNull::new_unchecked(raw)) }
}

/// A shared borrow of an element.
pub struct Ref<'a, E> {
    element: ManuallyDrop<E>,
    table: PhantomData<&'a E>,
}

impl<E: Thin> Ref<'_, E> {
    /// # Safety
    /// As for [`revive`], for the lifetime chosen.
    #[inline]
    pub(super) unsafe fn new(addr: u64) -> Self {
        // SAFETY: the caller's promise.
        let element = ManuallyDrop::new(unsafe { revive(addr) });
        Ref {
            element,
            table: PhantomData,
        }
    }
}

impl<E> Deref for Ref<'_, E> {
    type Target = E;

    #[inline]
    fn deref(&self) -> &E {
        &self.element
    }
}

/// An exclusive borrow of an element.
///
/// As long as it lives the element is out of the table, its lane vacant. So if
/// it is forgotten (`mem::forget`), the element leaks and is found no more, but
/// the table never keeps the address of an allocation that was replaced.
pub struct RefMut<'a, E: Thin> {
    element: ManuallyDrop<E>,
    segment: SegMut<'a>,
    spot: Spot,
    tag: Tag,
    table: PhantomData<&'a mut E>,
}

impl<E: Thin> Deref for RefMut<'_, E> {
    type Target = E;

    #[inline]
    fn deref(&self) -> &E {
        &self.element
    }
}

impl<E: Thin> DerefMut for RefMut<'_, E> {
    #[inline]
    fn deref_mut(&mut self) -> &mut E {
        &mut self.element
    }
}

impl<E: Thin> Drop for RefMut<'_, E> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: taken once, here; the field is not used again.
        let element = unsafe { ManuallyDrop::take(&mut self.element) };
        self.segment.restore(self.spot, self.tag, stow(element));
    }
}

/// The place of an element that is in the table.
pub struct Slot<'a, E: Thin> {
    pub(super) table: &'a mut Table<E>,
    pub(super) path: u64,
    pub(super) spot: Spot,
}

impl<'a, E: Thin> Slot<'a, E> {
    #[inline]
    pub fn get(&self) -> Ref<'_, E> {
        // SAFETY: the table owns the element, and is borrowed as long.
        unsafe { Ref::new(self.table.addr(self.path, self.spot)) }
    }

    /// The element for change; it may become another allocation, not another
    /// hash.
    #[inline]
    pub fn get_mut(&mut self) -> RefMut<'_, E> {
        Slot {
            table: self.table,
            path: self.path,
            spot: self.spot,
        }
        .into_mut()
    }

    /// As [`Slot::get_mut`], for as long as the table is borrowed.
    #[inline]
    pub fn into_mut(self) -> RefMut<'a, E> {
        let Slot { table, path, spot } = self;
        let Some(mut segment) = table.segment_mut(path) else {
            unreachable!("a spot has a segment")
        };
        let (tag, addr) = segment.hold(spot);
        // SAFETY: the table owned the element; its address is out of the table
        // until it is stowed back.
        let element = ManuallyDrop::new(unsafe { revive(addr) });
        RefMut {
            element,
            segment,
            spot,
            tag,
            table: PhantomData,
        }
    }

    /// Puts an element of the same hash in this place; gives back the old one.
    #[inline]
    pub fn replace(&mut self, element: E) -> E {
        let old = (self.table).exchange_addr(self.path, self.spot, stow(element));
        // SAFETY: the table owned it and has forgotten its address.
        unsafe { revive(old) }
    }

    /// Takes the element out of the table. Amortized O(1).
    #[inline]
    pub fn remove(self) -> E {
        self.table.take(self.path, self.spot)
    }

    /// See [`Table::note_min`].
    #[inline]
    pub fn note_min(&mut self, value: u64) {
        self.table.note_min_at(self.path, value);
    }
}

/// A place where the table has no element yet.
pub struct Vacant<'a, E: Thin> {
    pub(super) table: &'a mut Table<E>,
    pub(super) hash: u64,
}

impl<E: Thin> Vacant<'_, E> {
    /// As [`Table::insert_new`].
    #[inline]
    pub fn insert(self, element: E, rehash: impl Fn(&E) -> u64) {
        self.table.insert_new(self.hash, element, rehash);
    }
}

/// What [`Table::entry`] finds.
pub enum Entry<'a, E: Thin> {
    Occupied(Slot<'a, E>),
    Vacant(Vacant<'a, E>),
}
