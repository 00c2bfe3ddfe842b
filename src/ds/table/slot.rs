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
use super::segment::{SegMut, SegPtr, Spot};

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
    stowable(address(element))
}

/// The address of an element that is given up.
#[inline]
fn address<E: Thin>(element: E) -> u64 {
    element.into_raw().as_ptr().expose_provenance() as u64
}

/// `addr`, which the table can keep.
#[inline]
fn stowable(addr: u64) -> u64 {
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

/// Where an element was found: true as long as its segment is in the table.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) segment: SegPtr,
    pub(super) spot: Spot,
}

/// An exclusive borrow of an element.
///
/// As long as it lives the element is out of the table, its lane vacant. So if
/// it is forgotten (`mem::forget`), the element leaks and is found no more, but
/// the table never finds the address of an allocation that was replaced.
pub struct RefMut<'a, E: Thin> {
    element: ManuallyDrop<E>,
    segment: SegMut<'a>,
    spot: Spot,
    tag: Tag,
    /// The element's address when it was borrowed, which the lane still has.
    addr: u64,
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
        let addr = address(element);
        if addr != self.addr {
            self.segment.set_addr(self.spot, stowable(addr));
        }
        self.segment.restore(self.spot, self.tag);
    }
}

/// The place of an element that is in the table.
pub struct Slot<'a, E: Thin> {
    pub(super) table: &'a mut Table<E>,
    pub(super) path: u64,
    pub(super) place: Place,
}

impl<'a, E: Thin> Slot<'a, E> {
    #[inline]
    pub fn get(&self) -> Ref<'_, E> {
        let Place { segment, spot } = self.place;
        // SAFETY: the segment is in the table, which is borrowed as long, and so is
        // the element, which the table owns.
        unsafe { Ref::new(segment.borrow().addr(spot)) }
    }

    /// Sees to it that the segment is the table's alone.
    #[inline]
    fn own(&mut self) {
        self.place.segment = self.table.owned(self.path, self.place.segment);
    }

    /// The element for change; it may become another allocation, not another
    /// hash.
    #[inline]
    pub fn get_mut(&mut self) -> RefMut<'_, E> {
        self.own();
        Slot {
            table: self.table,
            path: self.path,
            place: self.place,
        }
        .into_mut()
    }

    /// As [`Slot::get_mut`], for as long as the table is borrowed.
    #[inline]
    pub fn into_mut(mut self) -> RefMut<'a, E> {
        self.own();
        let Place { segment, spot } = self.place;
        // SAFETY: the segment is in the table, and the table's alone, whose exclusive
        // borrow makes this the only borrow of it; it lasts as long.
        let mut segment = unsafe { segment.borrow_mut() };
        let addr = segment.view().addr(spot);
        let tag = segment.hold(spot);
        // SAFETY: the table owned the element; its address is found by nobody
        // until the borrow ends.
        let element = ManuallyDrop::new(unsafe { revive(addr) });
        RefMut {
            element,
            segment,
            spot,
            tag,
            addr,
            table: PhantomData,
        }
    }

    /// Puts an element of the same hash in this place; gives back the old one.
    #[inline]
    pub fn replace(&mut self, element: E) -> E {
        self.own();
        let Place { segment, spot } = self.place;
        // SAFETY: as in `into_mut`, and the borrow ends with this call.
        let mut segment = unsafe { segment.borrow_mut() };
        let old = segment.view().addr(spot);
        segment.set_addr(spot, stow(element));
        // SAFETY: the table owned it and has forgotten its address.
        unsafe { revive(old) }
    }

    /// Takes the element out of the table. Amortized O(1).
    #[inline]
    pub fn remove(self) -> E {
        self.table.take(self.path, self.place.spot)
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
