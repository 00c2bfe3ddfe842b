//! A packed sequence of byte strings: many small elements, one allocation.
//!
//! Small lists, hashes, sets and sorted sets are kept this way, and large
//! lists are chains of such nodes. Each element costs its bytes plus two, and
//! integers less than their text; a pointer per element would cost more than
//! most elements do.
//!
//! The entry bytes are those of Redis's listpack (see `entry`), so that
//! writing a dump is one copy: header, entries, 0xFF. The six header bytes
//! and the terminator are not stored, since the struct knows length and count.
//!
//! ```text
//! listpack:  total(4, little)  count(2, little)  entries ...  0xFF
//! in memory:                         [ room |  entries  | room ]
//! ```
//!
//! The room at both ends (see `gap`) makes a push or a pop at either end cost
//! O(1) bytes moved, amortised, where a listpack moves everything for a push
//! at its head.
//!
//! What must stay true:
//! - the buffer holds whole, valid entries and `count` is their number; bytes
//!   from outside come in only through [`Packed::from_entries`] and
//!   [`Packed::from_listpack`], which check every one of them;
//! - a [`Pos`] is the offset of an entry; it is good until the sequence changes
//!   before it;
//! - entries never exceed [`Packed::BYTES_MAX`]: the caller asks
//!   [`Packed::can_hold`] where its own limits do not see to it.

mod distinct;
mod elem;
mod entry;
mod gap;
mod iter;
#[cfg(test)]
pub(super) mod tests;

use std::ops::Range;

use gap::GapBuf;

use crate::base::sys;

pub use distinct::distinct;
pub use elem::{Elem, Needle, Value};
pub use entry::Corrupt;
pub use iter::Iter;

/// Bytes a listpack has before its entries: total length and count.
const HEADER_BYTES: usize = 6;

/// Bytes that a processor fetches at once.
const CACHE_LINE: usize = 64;

/// What [`Packed::prefetch`] fetches at most; the processor goes on by itself.
const FETCHED_MAX: usize = 256;

/// What ends a listpack.
const TERMINATOR: u8 = 0xFF;

/// The count of a listpack with this many entries or more is not recorded.
const COUNT_UNKNOWN: u16 = u16::MAX;

/// The place of one entry in a [`Packed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pos(u32);

/// A sequence of byte strings in one allocation, in listpack encoding.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    gap: GapBuf,
    count: u32,
}

const _: () = assert!(size_of::<Packed>() == 32 && size_of::<Option<Packed>>() == 32);

impl Packed {
    /// The most bytes the entries may take together.
    pub const BYTES_MAX: usize = u32::MAX as usize - HEADER_BYTES - 1;

    /// An empty sequence; allocates nothing.
    pub fn new() -> Packed {
        Packed::default()
    }

    /// An empty sequence with about `room` bytes to grow into, at its front or
    /// at its back.
    pub fn with_room(room: usize, at_front: bool) -> Packed {
        Packed {
            gap: GapBuf::with_room(room, at_front),
            count: 0,
        }
    }

    /// Copies entry bytes that come from outside, after checking all of them;
    /// `count` is how many entries they must be, if that is known. O(bytes).
    pub fn from_entries(bytes: &[u8], count: Option<usize>) -> Result<Packed, Corrupt> {
        if bytes.len() > Packed::BYTES_MAX {
            return Err(Corrupt::Frame);
        }
        let (mut at, mut found) = (0, 0);
        while at < bytes.len() {
            at += entry::check(&bytes[at..])?;
            found += 1;
        }
        if count.is_some_and(|count| count != found) {
            return Err(Corrupt::Count);
        }
        Ok(Packed {
            gap: GapBuf::from_slice(bytes),
            count: found as u32,
        })
    }

    /// Fetches the first entries, [`FETCHED_MAX`] bytes of them. A hint.
    pub fn prefetch(&self) {
        let bytes = self.gap.bytes();
        for line in bytes.chunks(CACHE_LINE).take(FETCHED_MAX / CACHE_LINE) {
            sys::prefetch_read(line.as_ptr());
        }
    }

    /// Copies a whole listpack, header and terminator included, after
    /// checking all of it. O(bytes).
    pub fn from_listpack(bytes: &[u8]) -> Result<Packed, Corrupt> {
        let (header, rest) = bytes
            .split_first_chunk::<HEADER_BYTES>()
            .ok_or(Corrupt::Frame)?;
        let [a, b, c, d, e, f] = *header;
        let (&end, entries) = rest.split_last().ok_or(Corrupt::Frame)?;
        if u32::from_le_bytes([a, b, c, d]) as usize != bytes.len() || end != TERMINATOR {
            return Err(Corrupt::Frame);
        }
        let count = u16::from_le_bytes([e, f]);
        Packed::from_entries(
            entries,
            (count != COUNT_UNKNOWN).then_some(usize::from(count)),
        )
    }

    /// Appends the sequence as a listpack, [`Packed::listpack_len`] bytes.
    pub fn write_listpack(&self, out: &mut Vec<u8>) {
        let count = u16::try_from(self.count).unwrap_or(COUNT_UNKNOWN);
        out.reserve(self.listpack_len());
        out.extend_from_slice(&(self.listpack_len() as u32).to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(self.entries());
        out.push(TERMINATOR);
    }

    /// Number of elements. O(1).
    #[inline]
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are no elements. O(1).
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Size of the entries in bytes. O(1).
    #[inline]
    pub fn byte_len(&self) -> usize {
        self.gap.len()
    }

    /// Size in bytes of the sequence as a listpack, with header and
    /// terminator; Redis's size limits are in this measure. O(1).
    #[inline]
    pub fn listpack_len(&self) -> usize {
        self.byte_len() + HEADER_BYTES + 1
    }

    /// The entries as stored, one after the other.
    #[inline]
    pub fn entries(&self) -> &[u8] {
        self.gap.bytes()
    }

    /// Heap memory held, in bytes, without the struct itself.
    pub fn mem_bytes(&self) -> usize {
        self.gap.capacity()
    }

    /// The bytes that `value` would take as an entry.
    pub fn entry_size(value: &[u8]) -> usize {
        Packed::elem_size(Elem::parse(value))
    }

    /// The bytes that an element would take as an entry.
    #[inline]
    pub fn elem_size(elem: Elem<'_>) -> usize {
        entry::size(elem)
    }

    /// Whether `bytes` more bytes of entries may be added.
    pub fn can_hold(&self, bytes: usize) -> bool {
        bytes <= Packed::BYTES_MAX - self.byte_len()
    }

    /// Gives back unused memory. O(bytes) if there is any.
    pub fn shrink_to_fit(&mut self) {
        self.gap.shrink_to_fit();
    }

    /// Appends an element. Amortised O(length of `value`).
    #[inline]
    pub fn push_back(&mut self, value: &[u8]) {
        self.push_back_elem(Elem::parse(value));
    }

    /// Prepends an element. Amortised O(length of `value`).
    #[inline]
    pub fn push_front(&mut self, value: &[u8]) {
        self.push_front_elem(Elem::parse(value));
    }

    /// Appends an element that is parsed already.
    #[inline]
    pub fn push_back_elem(&mut self, elem: Elem<'_>) {
        self.insert_at(self.byte_len(), elem);
    }

    /// Prepends an element that is parsed already.
    #[inline]
    pub fn push_front_elem(&mut self, elem: Elem<'_>) {
        self.insert_at(0, elem);
    }

    /// Removes and returns the first element. Amortised O(its length).
    pub fn pop_front(&mut self) -> Option<Value> {
        self.pop_front_with(|elem| elem.to_value())
    }

    /// Removes and returns the last element. Amortised O(its length).
    pub fn pop_back(&mut self) -> Option<Value> {
        self.pop_back_with(|elem| elem.to_value())
    }

    /// Hands the first element to `read` and removes it; nothing is copied.
    #[inline]
    pub fn pop_front_with<R>(&mut self, read: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        self.pop_at(self.first()?, read)
    }

    /// Hands the last element to `read` and removes it; nothing is copied.
    #[inline]
    pub fn pop_back_with<R>(&mut self, read: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        self.pop_at(self.last()?, read)
    }

    /// Place of the first element. O(1).
    #[inline]
    pub fn first(&self) -> Option<Pos> {
        (self.count > 0).then_some(Pos(0))
    }

    /// Place of the last element. O(1).
    #[inline]
    pub fn last(&self) -> Option<Pos> {
        (self.count > 0).then(|| Pos(entry::last(self.entries()) as u32))
    }

    /// The place after `pos`. O(1).
    #[inline]
    pub fn next(&self, pos: Pos) -> Option<Pos> {
        let next = pos.0 as usize + entry::size_at(self.tail(pos));
        (next < self.byte_len()).then_some(Pos(next as u32))
    }

    /// The place before `pos`. O(1).
    #[inline]
    pub fn prev(&self, pos: Pos) -> Option<Pos> {
        let head = &self.entries()[..pos.0 as usize];
        (!head.is_empty()).then(|| Pos(entry::last(head) as u32))
    }

    /// The element at `pos`. O(1).
    #[inline]
    pub fn get(&self, pos: Pos) -> Elem<'_> {
        entry::decode(self.tail(pos)).0
    }

    /// Place of the element with number `index`, counted from the end if
    /// negative (-1 is the last). O(distance to the nearer end).
    pub fn index(&self, index: i64) -> Option<Pos> {
        let len = i64::from(self.count);
        let index = if index < 0 { index + len } else { index };
        (0..len)
            .contains(&index)
            .then(|| Pos(self.offset_of(index as usize) as u32))
    }

    /// Inserts an element before `pos`. O(bytes to the nearer end).
    pub fn insert_before(&mut self, pos: Pos, value: &[u8]) {
        self.insert_at(pos.0 as usize, Elem::parse(value));
    }

    /// Inserts an element after `pos`. O(bytes to the nearer end).
    pub fn insert_after(&mut self, pos: Pos, value: &[u8]) {
        let size = entry::size_at(self.tail(pos));
        self.insert_at(pos.0 as usize + size, Elem::parse(value));
    }

    /// Replaces the element at `pos`. O(bytes to the nearer end), or O(length
    /// of `value`) when its entry has the same size.
    pub fn replace(&mut self, pos: Pos, value: &[u8]) {
        let (at, elem) = (pos.0 as usize, Elem::parse(value));
        let (old, new) = (entry::size_at(self.tail(pos)), entry::size(elem));
        if new > old {
            self.gap.open(at, new - old);
        } else if new < old {
            self.gap.close(at, old - new);
        }
        entry::write(&mut self.gap.bytes_mut()[at..at + new], elem);
    }

    /// Removes the element at `pos`. O(bytes to the nearer end).
    pub fn remove(&mut self, pos: Pos) {
        self.pop_at(pos, |_| ());
    }

    /// Removes up to `count` elements from number `start` on; returns how many
    /// there were. O(bytes).
    pub fn remove_range(&mut self, start: usize, count: usize) -> usize {
        let start = start.min(self.len());
        let count = count.min(self.len() - start);
        let bytes = self.bytes_of(start..start + count);
        self.gap.close(bytes.start, bytes.len());
        self.count -= count as u32;
        count
    }

    /// Removes the elements for which `keep` is false, in one pass; returns
    /// how many. O(bytes).
    pub fn retain(&mut self, mut keep: impl FnMut(Elem<'_>) -> bool) -> usize {
        let before = self.count;
        let bytes = self.gap.bytes_mut();
        let (mut read, mut write) = (0, 0);
        while read < bytes.len() {
            let (elem, size) = entry::decode(&bytes[read..]);
            if keep(elem) {
                if write < read {
                    bytes.copy_within(read..read + size, write);
                }
                write += size;
            } else {
                self.count -= 1;
            }
            read += size;
        }
        self.gap.truncate(write);
        (before - self.count) as usize
    }

    /// Removes up to `max` elements that are the needle, the last ones if
    /// `from_back`; returns how many there were. O(bytes).
    pub fn remove_matches(&mut self, from_back: bool, max: usize, needle: &Needle<'_>) -> usize {
        let found = self.count(needle);
        let take = found.min(max);
        if take == 0 {
            return 0;
        }
        let mut spare = if from_back { found - take } else { 0 };
        let mut left = take;
        self.retain(|elem| {
            if left == 0 || !elem.matches(needle) {
                return true;
            }
            let spared = spare > 0;
            if spared {
                spare -= 1
            } else {
                left -= 1
            }
            spared
        })
    }

    /// Number of the first element that is the needle. O(bytes).
    pub fn find(&self, needle: &Needle<'_>) -> Option<usize> {
        self.iter().position(|elem| elem.matches(needle))
    }

    /// Number of elements that are the needle. O(bytes).
    pub fn count(&self, needle: &Needle<'_>) -> usize {
        self.iter().filter(|elem| elem.matches(needle)).count()
    }

    /// Cuts the sequence before number `index` and returns the rest, which is
    /// empty if there is no such element. O(bytes of the rest).
    pub fn split_off(&mut self, index: usize) -> Packed {
        let index = index.min(self.len());
        let cut = self.offset_of(index);
        let rest = GapBuf::from_slice(&self.entries()[cut..]);
        let rest = Packed {
            gap: rest,
            count: self.count - index as u32,
        };
        self.gap.truncate(cut);
        self.count = index as u32;
        rest
    }

    /// Appends all elements of `other`. O(bytes of `other`), amortised.
    pub fn append(&mut self, other: &Packed) {
        self.splice_at(self.byte_len(), other);
    }

    /// Prepends all elements of `other`. O(bytes of `other`), amortised.
    pub fn prepend(&mut self, other: &Packed) {
        self.splice_at(0, other);
    }

    /// All elements, from either end.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter::new(self.entries(), self.len())
    }

    /// The elements from number `start` on, from either end; none if there is
    /// no such element. O(distance to the nearer end) to begin with.
    pub fn iter_from(&self, start: usize) -> Iter<'_> {
        let start = start.min(self.len());
        Iter::new(&self.entries()[self.offset_of(start)..], self.len() - start)
    }

    /// The elements before number `end`, from either end. O(distance to the
    /// nearer end) to begin with.
    pub fn iter_to(&self, end: usize) -> Iter<'_> {
        let end = end.min(self.len());
        Iter::new(&self.entries()[..self.offset_of(end)], end)
    }

    fn tail(&self, pos: Pos) -> &[u8] {
        &self.entries()[pos.0 as usize..]
    }

    fn bytes_of(&self, range: Range<usize>) -> Range<usize> {
        self.offset_of(range.start)..self.offset_of(range.end)
    }

    /// Offset of the entry with number `index <= len`, from the nearer end.
    fn offset_of(&self, index: usize) -> usize {
        let bytes = self.entries();
        if index <= self.len() / 2 {
            (0..index).fold(0, |at, _| at + entry::size_at(&bytes[at..]))
        } else {
            (index..self.len()).fold(bytes.len(), |at, _| entry::last(&bytes[..at]))
        }
    }

    #[inline]
    fn insert_at(&mut self, at: usize, elem: Elem<'_>) {
        let size = entry::size(elem);
        debug_assert!(
            self.can_hold(size),
            "the caller's limits keep entries addressable"
        );
        entry::write(self.gap.open(at, size), elem);
        self.count += 1;
    }

    #[inline]
    fn pop_at<R>(&mut self, pos: Pos, read: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        let (elem, size) = entry::decode(self.tail(pos));
        let out = read(elem);
        self.gap.close(pos.0 as usize, size);
        self.count -= 1;
        Some(out)
    }

    fn splice_at(&mut self, at: usize, other: &Packed) {
        debug_assert!(
            self.can_hold(other.byte_len()),
            "the caller's limits keep entries addressable"
        );
        self.gap
            .open(at, other.byte_len())
            .copy_from_slice(other.entries());
        self.count += other.count;
    }
}

impl<'a> IntoIterator for &'a Packed {
    type Item = Elem<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
