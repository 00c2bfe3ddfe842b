#![allow(unsafe_code)]
//! One field of a large hash: a single allocation behind one thin pointer.
//!
//! ```text
//! byte   0          1        [8]        [4]     name   value
//!      +----------+--------+----------+-------+------+-------+
//!      |t| name 7 | value  | deadline | len32 | ...  | ...   |
//!      +----------+--------+----------+-------+------+-------+
//!                           if t       if 127
//! value   0..=192: so many bytes inline | 255: an owning pointer to shared bytes
//! ```
//!
//! Most fields and values are a few bytes long, so that a header of two bytes and
//! nothing beside it is what makes a large hash cheap: a field of 14 bytes with a
//! value of 16 is 32 bytes, and a look-up touches one line for all of it.
//!
//! Must stay true: the size of the allocation follows from the two header bytes and
//! the name's length ([`Shape::size`]); a pointer to shared bytes is owned by
//! exactly this field.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use bytes::Bytes;

use super::{Given, NEVER, Text};
use crate::ds::table::Thin;

/// Longest value kept inside the field.
const INLINE_MAX: usize = 192;
/// The value byte of shared bytes.
const SHARED: u8 = 255;
/// The name bits of a name whose length follows in four bytes.
const NAME_LONG: u8 = 127;
const TIMED: u8 = 0x80;
const HEADER: usize = 2;
/// Allocations are multiples of this, which is also what tables ask of addresses.
const GRAIN: usize = 8;

const _: () = assert!(INLINE_MAX < SHARED as usize);

/// What an allocation holds.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    timed: bool,
    name: usize,
    /// Bytes of the value inside.
    room: usize,
    shared: bool,
}

impl Shape {
    fn of(name: &[u8], value: &Given<'_>, deadline: i64) -> Shape {
        let len = value.as_slice().len();
        let shared = len > INLINE_MAX;
        Shape {
            timed: deadline != NEVER,
            name: name.len(),
            room: if shared { size_of::<*mut Bytes>() } else { len },
            shared,
        }
    }

    #[inline]
    fn name_at(self) -> usize {
        let long = self.name >= usize::from(NAME_LONG);
        HEADER + if self.timed { 8 } else { 0 } + if long { 4 } else { 0 }
    }

    #[inline]
    fn value_at(self) -> usize {
        self.name_at() + self.name
    }

    #[inline]
    fn size(self) -> usize {
        (self.value_at() + self.room).next_multiple_of(GRAIN)
    }

    fn header(self) -> [u8; HEADER] {
        let name = self.name.min(usize::from(NAME_LONG)) as u8;
        let value = if self.shared { SHARED } else { self.room as u8 };
        [name | if self.timed { TIMED } else { 0 }, value]
    }
}

/// A field: name, value, deadline.
pub(super) struct Field(NonNull<u8>);

// SAFETY: a field owns its allocation and its value, neither tied to a thread.
unsafe impl Send for Field {}
// SAFETY: nothing in a field changes through `&Field`.
unsafe impl Sync for Field {}

// SAFETY: the pointer is the field; allocations are aligned to GRAIN = 8.
unsafe impl Thin for Field {
    const DUPLICATE: Option<fn(&Field) -> Field> = Some(Field::clone);

    fn into_raw(self) -> NonNull<u8> {
        let ptr = self.0;
        std::mem::forget(self);
        ptr
    }

    // SAFETY: asks of its caller what the trait asks.
    unsafe fn from_raw(raw: NonNull<u8>) -> Field {
        Field(raw)
    }
}

impl Field {
    /// A field; long values are kept as shared bytes. O(length).
    pub(super) fn new(name: &[u8], value: Given<'_>, deadline: i64) -> Field {
        let shape = Shape::of(name, &value, deadline);
        let layout = layout(shape.size());
        // SAFETY: the size is at least that of the header, hence not zero.
        let Some(ptr) = NonNull::new(unsafe { alloc(layout) }) else {
            handle_alloc_error(layout)
        };
        let mut field = Field(ptr);
        field.write(0, &shape.header());
        if shape.timed {
            field.write(HEADER, &deadline.to_ne_bytes());
        }
        if name.len() >= usize::from(NAME_LONG) {
            field.write(shape.name_at() - 4, &(name.len() as u32).to_ne_bytes());
        }
        field.write(shape.name_at(), name);
        field.write_value(shape, value);
        field
    }

    /// Copies bytes to a place inside the allocation.
    #[inline]
    fn write(&mut self, at: usize, bytes: &[u8]) {
        // SAFETY: places and lengths come from the shape that the allocation was
        // made for, and `&mut self` is the only access.
        unsafe {
            let to = self.0.as_ptr().add(at);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
    }

    #[inline]
    fn write_value(&mut self, shape: Shape, value: Given<'_>) {
        if shape.shared {
            let boxed = Box::into_raw(Box::new(value.into_bytes()));
            self.write(shape.value_at(), &boxed.expose_provenance().to_ne_bytes());
        } else {
            self.write(shape.value_at(), value.as_slice());
        }
    }

    #[inline]
    fn bytes(&self, at: usize, len: usize) -> &[u8] {
        // SAFETY: places and lengths come from the field's own shape, whose bytes
        // are all written when it is made.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(at), len) }
    }

    #[inline]
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(self.bytes(at, N));
        out
    }

    #[inline]
    fn shape(&self) -> Shape {
        let [first, value] = self.array(0);
        let timed = first & TIMED != 0;
        let name = match first & !TIMED {
            NAME_LONG => {
                let at = HEADER + if timed { 8 } else { 0 };
                u32::from_ne_bytes(self.array(at)) as usize
            }
            short => usize::from(short),
        };
        let shared = value == SHARED;
        Shape {
            timed,
            name,
            room: if shared { 8 } else { usize::from(value) },
            shared,
        }
    }

    #[inline]
    pub(super) fn name(&self) -> &[u8] {
        let shape = self.shape();
        self.bytes(shape.name_at(), shape.name)
    }

    #[inline]
    pub(super) fn value(&self) -> Text<'_> {
        let shape = self.shape();
        if shape.shared {
            // SAFETY: the pointer is this field's own, and lives as long.
            return Text::Shared(unsafe { &*self.shared(shape) });
        }
        Text::Str(self.bytes(shape.value_at(), shape.room))
    }

    fn shared(&self, shape: Shape) -> *mut Bytes {
        let address = usize::from_ne_bytes(self.array(shape.value_at()));
        std::ptr::with_exposed_provenance_mut(address)
    }

    /// When the field expires, [`NEVER`] if it does not.
    #[inline]
    pub(super) fn deadline(&self) -> i64 {
        if self.array::<1>(0)[0] & TIMED == 0 {
            return NEVER;
        }
        i64::from_ne_bytes(self.array(HEADER))
    }

    /// Replaces value and deadline; in place where the size allows it. O(length).
    pub(super) fn set(&mut self, value: Given<'_>, deadline: i64) {
        let old = self.shape();
        let new = Shape {
            timed: deadline != NEVER,
            ..Shape::of(self.name(), &value, deadline)
        };
        if old.shared || old.timed != new.timed || old.size() != new.size() {
            *self = Field::new(self.name(), value, deadline);
            return;
        }
        self.write(0, &new.header());
        if new.timed {
            self.write(HEADER, &deadline.to_ne_bytes());
        }
        self.write_value(new, value);
    }

    /// Replaces the deadline; moves the field where it had none or keeps none.
    pub(super) fn set_deadline(&mut self, deadline: i64) {
        if self.shape().timed && deadline != NEVER {
            return self.write(HEADER, &deadline.to_ne_bytes());
        }
        if deadline != self.deadline() {
            *self = Field::new(self.name(), self.value().to_given(), deadline);
        }
    }

    /// Bytes of the field with what it owns.
    pub(super) fn mem_bytes(&self) -> usize {
        let shared = match self.value() {
            Text::Shared(bytes) => size_of::<Bytes>() + bytes.len(),
            _ => 0,
        };
        self.shape().size() + shared
    }
}

impl Clone for Field {
    fn clone(&self) -> Field {
        Field::new(self.name(), self.value().to_given(), self.deadline())
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        let shape = self.shape();
        if shape.shared {
            // SAFETY: the pointer came from a box and is owned by this field alone.
            drop(unsafe { Box::from_raw(self.shared(shape)) });
        }
        // SAFETY: allocated with this layout; nothing reads it after the drop.
        unsafe { dealloc(self.0.as_ptr(), layout(shape.size())) };
    }
}

fn layout(size: usize) -> Layout {
    debug_assert!(size <= isize::MAX as usize - GRAIN);
    // SAFETY: GRAIN is a power of two; a size is a name of at most 4 GiB and small
    // change, far below isize::MAX.
    unsafe { Layout::from_size_align_unchecked(size, GRAIN) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINES: [i64; 3] = [NEVER, 0, 1 << 45];
    const LENGTHS: [usize; 9] = [0, 1, 14, 126, 127, 128, 192, 193, 100_000];

    fn assert_holds(field: &Field, name: &[u8], value: &[u8], deadline: i64) {
        assert_eq!(field.name(), name);
        assert_eq!(field.value().to_given().as_slice(), value);
        assert_eq!(field.deadline(), deadline);
    }

    #[test]
    fn every_shape_holds_what_it_was_given() {
        for name in LENGTHS.map(|len| vec![b'n'; len]) {
            for value in LENGTHS.map(|len| vec![b'v'; len]) {
                for deadline in DEADLINES {
                    let field = Field::new(&name, Given::Text(&value), deadline);
                    assert_holds(&field, &name, &value, deadline);
                    assert_holds(&field.clone(), &name, &value, deadline);
                    assert!(field.mem_bytes() >= name.len() + value.len() + HEADER);
                }
            }
        }
    }

    #[test]
    fn changes_in_place_and_by_moving_agree() {
        for from in LENGTHS.map(|len| vec![b'a'; len]) {
            for to in LENGTHS.map(|len| vec![b'b'; len]) {
                for (old, new) in DEADLINES.into_iter().zip([5, NEVER, 7]) {
                    let mut field = Field::new(b"name", Given::Text(&from), old);
                    field.set(Given::Text(&to), new);
                    assert_holds(&field, b"name", &to, new);
                    field.set_deadline(old);
                    assert_holds(&field, b"name", &to, old);
                }
            }
        }
    }

    #[test]
    fn a_common_field_takes_thirty_two_bytes() {
        let field = Field::new(&[b'f'; 14], Given::Text(&[b'v'; 16]), NEVER);
        assert_eq!(field.mem_bytes(), 32);
    }

    #[test]
    fn a_long_value_is_shared_not_copied() {
        let value = Bytes::from(vec![b'x'; 1000]);
        let field = Field::new(b"name", Given::Shared(value.clone()), NEVER);
        let copy = field.clone();
        for field in [field, copy] {
            let Text::Shared(held) = field.value() else {
                panic!("a long value is kept as shared bytes");
            };
            assert_eq!(held.as_ptr(), value.as_ptr());
        }
    }
}
