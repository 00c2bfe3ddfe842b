#![allow(unsafe_code)]
//! One key with its value: a single allocation behind one thin pointer.
//!
//! ```text
//! byte    0     1      2      3     4..8           [8]       [4]      klen
//!       +-----+------+------+-----+--------------+---------+--------+-----+-------+
//!       |kind |flags |epoch |klen | stamp24|vlen8| expiry  | klen32 | key | value |
//!       +-----+------+------+-----+--------------+---------+--------+-----+-------+
//!                                                 if EXPIRE if LONG
//! value   Int: 8 bytes | Inline: vlen bytes | others: 8-byte owning pointer
//! ```
//!
//! Small keys with small values are most of what such a server holds; a header of
//! eight bytes and no second allocation is what makes them cheap, and a lookup
//! touches one cache line for header, key and value.
//!
//! Must stay true:
//! - the allocation's size follows from the header alone ([`Entry::size`]),
//!   rounded up to [`GRAIN`]; whoever changes the header so that the rounded size
//!   changes moves the entry to a new allocation;
//! - a value pointer is owned by exactly this entry;
//! - `stamp` and `epoch` are the fields that readers write (relaxed atomic stores).
//!
//! `epoch` is the number of the last snapshot that the entry was handed over to before a
//! change, or is too new for; see snapshot.rs.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

use bytes::{Bytes, BytesMut};

use crate::base::clock::Millis;
use crate::ds::table::Thin;

mod prefetch;
mod value;

pub use value::{Collection, CollectionRef, Kind, NewCollection, NewValue, Type, ValueRef};

/// Longest string kept inside the entry; measured, a second allocation costs more
/// than the copy up to here.
pub const INLINE_MAX: usize = 192;
/// Longest string that OBJECT ENCODING calls `embstr`, as in Redis.
const EMBSTR_MAX: usize = 44;
/// A value that takes more frees than this is handed out when it is replaced, so
/// that the caller can have it dropped elsewhere.
const IN_PLACE_EFFORT: usize = 3;
/// Allocations are multiples of this, which every allocator's classes are too.
const GRAIN: usize = 8;
const HEADER: usize = size_of::<Header>();
/// `klen` of a key whose length follows in four bytes.
const KLEN_LONG: u8 = 255;

const EXPIRE: u8 = 1;
/// The string has been appended to or set by range: Redis calls it `raw`.
const RAW: u8 = 2;

#[repr(C)]
struct Header {
    kind: Kind,
    flags: u8,
    epoch: AtomicU8,
    klen: u8,
    /// The access stamp in the upper 24 bits, the inline length in the lower 8.
    stamp_vlen: AtomicU32,
}

/// What an allocation must hold: decided before it is made.
#[derive(Clone, Copy)]
struct Shape {
    kind: Kind,
    expire: bool,
    klen: usize,
    room: usize,
}

impl Shape {
    fn key_at(self) -> usize {
        let long = self.klen >= KLEN_LONG as usize;
        HEADER + if self.expire { 8 } else { 0 } + if long { 4 } else { 0 }
    }

    fn size(self) -> usize {
        (self.key_at() + self.klen + self.room).next_multiple_of(GRAIN)
    }
}

/// A key with its value, expiry and access stamp. One pointer wide.
pub struct Entry(NonNull<Header>);

// SAFETY: an entry owns its allocation and its value; nothing in it is tied to a
// thread.
unsafe impl Send for Entry {}
// SAFETY: through `&Entry` only the stamp is written, atomically.
unsafe impl Sync for Entry {}

// SAFETY: the pointer is the entry; allocations are aligned to GRAIN = 8.
unsafe impl Thin for Entry {
    fn into_raw(self) -> NonNull<u8> {
        let ptr = self.0.cast();
        std::mem::forget(self);
        ptr
    }

    // SAFETY: asks of its caller what the trait asks.
    unsafe fn from_raw(ptr: NonNull<u8>) -> Self {
        Entry(ptr.cast())
    }
}

impl Entry {
    /// An entry for `key` with `value`; strings take their tightest form.
    pub fn new(key: &[u8], value: NewValue<'_>, expire: Option<Millis>, stamp: u32) -> Entry {
        Entry::build(key, value.settle(), expire, stamp)
    }

    /// As [`Entry::new`], for a settled value.
    fn build(key: &[u8], value: NewValue<'_>, expire: Option<Millis>, stamp: u32) -> Entry {
        let shape = Shape {
            kind: value.kind(),
            expire: expire.is_some(),
            klen: key.len(),
            room: value.room(),
        };
        let mut entry = Entry::allocate(shape, stamp);
        // SAFETY: the allocation of `shape` has room for the key at key_at.
        unsafe {
            let at = entry.byte(shape.key_at());
            std::ptr::copy_nonoverlapping(key.as_ptr(), at, key.len());
        }
        if let Some(at) = expire {
            entry.write_expire(at);
        }
        entry.write_value(value);
        entry
    }

    /// Allocates and writes the header; key, expiry and value are not set yet.
    fn allocate(shape: Shape, stamp: u32) -> Entry {
        let layout = layout(shape.size());
        // SAFETY: the size is at least HEADER, hence not zero.
        let ptr = unsafe { alloc(layout) };
        let Some(ptr) = NonNull::new(ptr.cast::<Header>()) else {
            handle_alloc_error(layout)
        };
        let long = shape.klen >= KLEN_LONG as usize;
        let header = Header {
            kind: shape.kind,
            flags: if shape.expire { EXPIRE } else { 0 },
            epoch: AtomicU8::new(0),
            klen: if long { KLEN_LONG } else { shape.klen as u8 },
            stamp_vlen: AtomicU32::new(stamp << 8 | shape.inline_len()),
        };
        let entry = Entry(ptr);
        // SAFETY: fresh memory, large enough and aligned for the header.
        unsafe { ptr.write(header) };
        if long {
            // SAFETY: key_at leaves four bytes in front of a long key.
            unsafe {
                let at = entry.byte(shape.key_at() - 4).cast::<u32>();
                at.write_unaligned(shape.klen as u32);
            }
        }
        entry
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: the allocation starts with its header.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn header_mut(&mut self) -> &mut Header {
        // SAFETY: as above, and `&mut self` is the only access.
        unsafe { self.0.as_mut() }
    }

    #[inline]
    fn byte(&self, offset: usize) -> *mut u8 {
        // SAFETY: offsets come from Shape and stay inside the allocation.
        unsafe { self.0.as_ptr().cast::<u8>().add(offset) }
    }

    /// Where the key stands in the allocation, and its length.
    #[inline]
    fn key_span(&self) -> (usize, usize) {
        let header = self.header();
        let at = HEADER + usize::from(header.flags & EXPIRE) * 8;
        if header.klen != KLEN_LONG {
            return (at, usize::from(header.klen));
        }
        // SAFETY: a long key has its length in four bytes there.
        let klen = unsafe { self.byte(at).cast::<u32>().read_unaligned() };
        (at + 4, klen as usize)
    }

    /// Length of an inline value.
    #[inline]
    fn inline_len(&self) -> usize {
        (self.header().stamp_vlen.load(Relaxed) & 0xff) as usize
    }

    #[inline]
    fn shape(&self) -> Shape {
        let header = self.header();
        let room = match header.kind {
            Kind::Inline => self.inline_len(),
            _ => 8,
        };
        Shape {
            kind: header.kind,
            expire: header.flags & EXPIRE != 0,
            klen: self.key_span().1,
            room,
        }
    }

    /// The key's bytes.
    #[inline]
    pub fn key(&self) -> &[u8] {
        let (at, len) = self.key_span();
        // SAFETY: so many bytes of key stand there.
        unsafe { std::slice::from_raw_parts(self.byte(at), len) }
    }

    /// When the key expires, in milliseconds since the Unix epoch.
    #[inline]
    pub fn expire_at(&self) -> Option<Millis> {
        if self.header().flags & EXPIRE == 0 {
            return None;
        }
        // SAFETY: with EXPIRE, eight bytes of expiry follow the header.
        Some(unsafe { self.byte(HEADER).cast::<Millis>().read_unaligned() })
    }

    /// Whether the key has expired at `now`.
    #[inline]
    pub fn is_expired(&self, now: Millis) -> bool {
        self.expire_at().is_some_and(|at| at <= now)
    }

    /// Whether neither the key nor a part of its value can expire, as is so of most.
    #[inline]
    pub fn is_lasting(&self) -> bool {
        let header = self.header();
        header.flags & EXPIRE == 0 && !header.kind.parts_expire()
    }

    /// Whether the key counts as absent at `now`: it has expired, or all of its
    /// value has.
    #[inline]
    pub fn is_gone(&self, now: Millis) -> bool {
        self.is_expired(now) || self.is_spent(now)
    }

    /// Whether all of the value has expired at `now`, though the key has not. May say
    /// no of a large one.
    #[inline]
    pub fn is_spent(&self, now: Millis) -> bool {
        let due = self.parts_due_at() <= now;
        due && matches!(self.value(), ValueRef::Collection(value) if value.is_spent(now))
    }

    /// No part of the value expires before this time, while the key lives on.
    #[inline]
    pub fn parts_due_at(&self) -> Millis {
        if !self.header().kind.parts_expire() {
            return Millis::MAX;
        }
        match self.value() {
            ValueRef::Collection(value) => value.earliest(),
            _ => Millis::MAX,
        }
    }

    fn write_expire(&mut self, at: Millis) {
        // SAFETY: the caller's shape has room for the expiry behind the header.
        unsafe { self.byte(HEADER).cast::<Millis>().write_unaligned(at) };
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> ValueRef<'_> {
        let at = self.value_at();
        // SAFETY: `kind` says which value stands behind the key; pointers there
        // are owned by this entry and live as long.
        unsafe {
            match self.header().kind {
                Kind::Int => ValueRef::Int(at.cast::<i64>().read_unaligned()),
                Kind::Inline => ValueRef::Str(std::slice::from_raw_parts(at, self.inline_len())),
                Kind::Shared => ValueRef::Shared(&*at.cast::<*const Bytes>().read_unaligned()),
                kind => {
                    let raw = at.cast::<*const ()>().read_unaligned();
                    ValueRef::Collection(CollectionRef::from_raw(kind, raw))
                }
            }
        }
    }

    /// The collection, if the value is one of this type.
    #[inline]
    pub fn get<T: Collection>(&self) -> Option<&T> {
        if self.header().kind != T::KIND {
            return None;
        }
        // SAFETY: a pointer to this type stands there, owned by this entry.
        Some(unsafe { &*self.value_at().cast::<*const T>().read_unaligned() })
    }

    /// The collection for change, if the value is one of this type.
    #[inline]
    pub fn get_mut<T: Collection>(&mut self) -> Option<&mut T> {
        if self.header().kind != T::KIND {
            return None;
        }
        // SAFETY: as above, and `&mut self` is the only access.
        Some(unsafe { &mut *self.value_at().cast::<*mut T>().read_unaligned() })
    }

    #[inline]
    fn value_at(&self) -> *mut u8 {
        let (at, len) = self.key_span();
        self.byte(at + len)
    }

    /// The type of the value.
    #[inline]
    pub fn value_type(&self) -> Type {
        self.header().kind.value_type()
    }

    /// The encoding by the name OBJECT ENCODING has for it.
    pub fn encoding(&self) -> &'static str {
        match self.value() {
            ValueRef::Int(_) => "int",
            ValueRef::Collection(value) => value.encoding_name(),
            ValueRef::Str(s) if self.header().flags & RAW == 0 && s.len() <= EMBSTR_MAX => "embstr",
            ValueRef::Str(_) | ValueRef::Shared(_) => "raw",
        }
    }

    /// Writes a settled value whose room the allocation has; the old value has
    /// been dropped or moved out.
    #[inline]
    fn write_value(&mut self, value: NewValue<'_>) {
        let at = self.value_at();
        // SAFETY: `at` has `value.room()` bytes, by the shape.
        unsafe {
            match value {
                NewValue::Int(int) => at.cast::<i64>().write_unaligned(int),
                NewValue::Str(text) | NewValue::Text(text) => {
                    std::ptr::copy_nonoverlapping(text.as_ptr(), at, text.len());
                }
                NewValue::Shared(bytes) => {
                    let boxed = Box::into_raw(Box::new(bytes));
                    at.cast::<*mut Bytes>().write_unaligned(boxed);
                }
                NewValue::Collection(value) => {
                    at.cast::<*mut ()>().write_unaligned(value.into_raw());
                }
            }
        }
    }

    /// Replaces the value; in place where the new one fits exactly. The old value
    /// is dropped here unless it is large, then it is returned for the reaper.
    #[inline]
    pub fn set_value(&mut self, value: NewValue<'_>) -> Option<Entry> {
        let value = value.settle();
        let old = self.shape();
        let new = Shape {
            kind: value.kind(),
            room: value.room(),
            ..old
        };
        let owns = !matches!(old.kind, Kind::Int | Kind::Inline);
        if new.size() != old.size() || owns && self.drop_effort() > IN_PLACE_EFFORT {
            return Some(self.exchange(value));
        }
        if owns {
            self.drop_value();
        }
        let header = self.header_mut();
        header.kind = new.kind;
        header.flags &= !RAW;
        let stamp = *header.stamp_vlen.get_mut() & !0xff;
        *header.stamp_vlen.get_mut() = stamp | new.inline_len();
        self.write_value(value);
        None
    }

    /// Becomes another allocation with a settled value; the one before.
    fn exchange(&mut self, value: NewValue<'_>) -> Entry {
        let fresh = Entry::build(self.key(), value, self.expire_at(), self.stamp());
        fresh.set_epoch(self.epoch());
        std::mem::replace(self, fresh)
    }

    /// The value, if it is stored as an integer.
    #[inline]
    pub fn int(&self) -> Option<i64> {
        if self.header().kind != Kind::Int {
            return None;
        }
        // SAFETY: `kind` says that eight bytes of integer stand there.
        Some(unsafe { self.value_at().cast::<i64>().read_unaligned() })
    }

    /// Overwrites an integer with another, the whole of INCR's write.
    #[inline]
    pub fn set_int(&mut self, value: i64) -> bool {
        if self.header().kind != Kind::Int {
            return false;
        }
        // SAFETY: as above, and `&mut self` is the only access.
        unsafe { self.value_at().cast::<i64>().write_unaligned(value) };
        true
    }

    /// Sets or clears the expiry. O(size of the entry) when that changes whether
    /// there is one, since the entry moves.
    pub fn set_expire(&mut self, expire: Option<Millis>) {
        let shape = self.shape();
        if let (Some(at), true) = (expire, shape.expire) {
            return self.write_expire(at);
        }
        if expire.is_some() == shape.expire {
            return;
        }
        let mut moved = Entry::allocate(
            Shape {
                expire: expire.is_some(),
                ..shape
            },
            self.stamp(),
        );
        moved.header_mut().flags |= self.header().flags & RAW;
        moved.set_epoch(self.epoch());
        if let Some(at) = expire {
            moved.write_expire(at);
        }
        // SAFETY: key and value stand side by side in both, with the same
        // lengths; the value moves, and the old entry is freed without it.
        unsafe {
            let from = self.byte(shape.key_at());
            let to = moved.byte(moved.shape().key_at());
            std::ptr::copy_nonoverlapping(from, to, shape.klen + shape.room);
        }
        std::mem::replace(self, moved).free();
    }

    /// Changes the bytes of a string through `change`, amortised O(bytes added)
    /// for appends. Marks the string `raw`, as Redis does.
    ///
    /// Returns `None` when the value is not a string.
    pub fn edit_string<R>(&mut self, change: impl FnOnce(&mut BytesMut) -> R) -> Option<R> {
        let mut text = match self.value() {
            ValueRef::Collection(_) => return None,
            ValueRef::Int(int) => BytesMut::from(itoa::Buffer::new().format(int)),
            ValueRef::Str(text) => BytesMut::from(text),
            ValueRef::Shared(_) => self.take_shared(),
        };
        let result = change(&mut text);
        if text.len() <= INLINE_MAX {
            self.set_raw_text(&text);
        } else {
            self.set_large(text.freeze());
        }
        self.header_mut().flags |= RAW;
        Some(result)
    }

    /// Changes bytes of a string that keeps its length, through `change`: in place,
    /// unless somebody else reads it. O(1) beside the change then. Marks the string
    /// `raw`, as [`Entry::edit_string`] does.
    ///
    /// Returns `None` when the value is not a string.
    pub fn overwrite_string<R>(&mut self, change: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        if self.header().kind != Kind::Inline {
            return self.edit_string(|text| change(text));
        }
        self.header_mut().flags |= RAW;
        let (at, len) = (self.value_at(), self.shape().room);
        // SAFETY: an inline value is `room` bytes of text; `&mut self` is the only
        // access to them.
        Some(change(unsafe { std::slice::from_raw_parts_mut(at, len) }))
    }

    /// Bytes that the next edit of the string has to copy, because others read it
    /// where it lies.
    pub fn edit_copies(&self) -> usize {
        match self.value() {
            ValueRef::Shared(bytes) if !bytes.is_unique() => bytes.len(),
            _ => 0,
        }
    }

    /// Moves a shared string out, uniquely owned where nobody else reads it.
    fn take_shared(&mut self) -> BytesMut {
        debug_assert_eq!(self.header().kind, Kind::Shared);
        // SAFETY: kind is Shared, the pointer is this entry's own.
        let bytes = unsafe { &mut *self.value_at().cast::<*mut Bytes>().read_unaligned() };
        let bytes = std::mem::take(bytes);
        bytes
            .try_into_mut()
            .unwrap_or_else(|shared| BytesMut::from(&shared[..]))
    }

    fn set_large(&mut self, bytes: Bytes) {
        if self.header().kind == Kind::Shared {
            // SAFETY: as in take_shared; behind a key the pointer is unaligned.
            unsafe { *self.value_at().cast::<*mut Bytes>().read_unaligned() = bytes };
        } else {
            drop(self.set_value(NewValue::Shared(bytes)));
        }
    }

    /// Stores a short text as a string even where it reads as an integer: after
    /// an APPEND Redis keeps it `raw`.
    fn set_raw_text(&mut self, text: &[u8]) {
        let old = self.shape();
        let new = Shape {
            kind: Kind::Inline,
            room: text.len(),
            ..old
        };
        let mut fresh = Entry::allocate(new, self.stamp());
        fresh.set_epoch(self.epoch());
        if let Some(at) = self.expire_at() {
            fresh.write_expire(at);
        }
        // SAFETY: `fresh` has the same key length, and room for the text.
        unsafe {
            let key_at = fresh.byte(new.key_at());
            std::ptr::copy_nonoverlapping(self.byte(old.key_at()), key_at, old.klen);
            std::ptr::copy_nonoverlapping(text.as_ptr(), key_at.add(old.klen), text.len());
        }
        *self = fresh;
    }

    /// Gives the entry another key; the value moves.
    pub fn renamed(self, key: &[u8]) -> Entry {
        let old = self.shape();
        let shape = Shape {
            klen: key.len(),
            ..old
        };
        let mut fresh = Entry::allocate(shape, self.stamp());
        fresh.header_mut().flags |= self.header().flags & RAW;
        if let Some(at) = self.expire_at() {
            fresh.write_expire(at);
        }
        // SAFETY: `fresh` has room for the new key and the old value; the value
        // moves, and the old entry is freed without it.
        unsafe {
            let key_at = fresh.byte(shape.key_at());
            std::ptr::copy_nonoverlapping(key.as_ptr(), key_at, key.len());
            std::ptr::copy_nonoverlapping(self.value_at(), key_at.add(key.len()), old.room);
        }
        self.free();
        fresh
    }

    /// An entry for another key that expires with this one, and has this value.
    pub fn with_value(&self, key: &[u8], value: NewValue<'_>) -> Entry {
        Entry::build(key, value.settle(), self.expire_at(), self.stamp())
    }

    /// A copy under another key, sharing what can be shared.
    pub fn copied(&self, key: &[u8]) -> Entry {
        let value = match self.value() {
            ValueRef::Int(int) => NewValue::Int(int),
            ValueRef::Str(text) => NewValue::Text(text),
            ValueRef::Shared(bytes) => NewValue::Shared(bytes.clone()),
            ValueRef::Collection(value) => NewValue::Collection(value.copied()),
        };
        let mut copy = Entry::build(key, value, self.expire_at(), self.stamp());
        copy.header_mut().flags |= self.header().flags & RAW;
        copy
    }

    /// The number of the snapshot that has nothing more to get of the entry; 0 if that
    /// is none.
    #[inline]
    pub(super) fn epoch(&self) -> u8 {
        self.header().epoch.load(Relaxed)
    }

    #[inline]
    pub(super) fn set_epoch(&self, epoch: u8) {
        self.header().epoch.store(epoch, Relaxed);
    }

    /// The access stamp: 24 bits of the LRU clock.
    #[inline]
    pub fn stamp(&self) -> u32 {
        self.header().stamp_vlen.load(Relaxed) >> 8
    }

    /// Sets the access stamp. Readers call this too; the line is written only
    /// when the stamp changes.
    #[inline]
    pub fn touch(&self, stamp: u32) {
        let cell = &self.header().stamp_vlen;
        let old = cell.load(Relaxed);
        let new = stamp << 8 | (old & 0xff);
        if new != old {
            cell.store(new, Relaxed);
        }
    }

    /// Bytes of the entry's own allocation.
    #[inline]
    pub fn size(&self) -> usize {
        self.shape().size()
    }

    /// Bytes of the entry with all that it owns.
    pub fn mem_bytes(&self) -> usize {
        self.size()
            + match self.value() {
                ValueRef::Int(_) | ValueRef::Str(_) => 0,
                ValueRef::Shared(bytes) => size_of::<Bytes>() + bytes.len(),
                ValueRef::Collection(value) => value.mem_bytes(),
            }
    }

    /// Roughly how many allocations dropping this entry frees.
    pub fn drop_effort(&self) -> usize {
        match self.value() {
            ValueRef::Int(_) | ValueRef::Str(_) => 1,
            // Returning megabytes to the system takes about as long as many
            // small frees.
            ValueRef::Shared(bytes) => 2 + bytes.len() / 65536,
            ValueRef::Collection(value) => value.drop_effort(),
        }
    }

    fn drop_value(&mut self) {
        let at = self.value_at();
        // SAFETY: the pointer is owned by this entry, and is overwritten or
        // freed with the entry right after.
        unsafe {
            match self.header().kind {
                Kind::Int | Kind::Inline => {}
                Kind::Shared => drop(Box::from_raw(at.cast::<*mut Bytes>().read_unaligned())),
                kind => {
                    let raw = at.cast::<*mut ()>().read_unaligned();
                    drop(NewCollection::from_raw(kind, raw));
                }
            }
        }
    }

    /// Frees the allocation without its value, which has moved on.
    fn free(self) {
        let layout = layout(self.size());
        // SAFETY: allocated with this layout, and forgotten next.
        unsafe { dealloc(self.0.as_ptr().cast(), layout) };
        std::mem::forget(self);
    }
}

impl Shape {
    fn inline_len(self) -> u32 {
        match self.kind {
            Kind::Inline => self.room as u32,
            _ => 0,
        }
    }
}

fn layout(size: usize) -> Layout {
    debug_assert!(size <= isize::MAX as usize - GRAIN);
    // SAFETY: GRAIN is a power of two; a size is a key of at most 4 GiB and small
    // change, far below isize::MAX.
    unsafe { Layout::from_size_align_unchecked(size, GRAIN) }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.drop_value();
        // SAFETY: allocated with this layout; nothing reads it after the drop.
        unsafe { dealloc(self.0.as_ptr().cast(), layout(self.size())) };
    }
}

#[cfg(test)]
mod tests;
