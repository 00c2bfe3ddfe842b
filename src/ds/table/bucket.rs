#![allow(unsafe_code)]
//! One cache line of the table: seven tags, seven 48-bit pointers, seven
//! six-bit windows and one flag.
//!
//! ```text
//! byte  0        14     16                                     58       64
//!       | 7 x u16 | u16 |             7 x 48 bit               | 7 x 6  |
//!       |  tags   |flags|  addresses, little endian            | window |
//! ```
//!
//! Tags and flags are one 128-bit vector, so "which lanes hold this tag" is one
//! compare. A tag is never zero, hence a zero tag *is* the vacant lane and
//! there is no occupancy field that could disagree with it. The window (the
//! hash bits that follow the segment's prefix) keeps the elements of a segment
//! in hash order for scans without touching them; six bits of it times seven
//! lanes is exactly what the line has left.
//!
//! A bucket owns nothing: it stores addresses as numbers. Who owns them is the
//! table's business.
//!
//! Invariant: a lane's address and window are meaningful only while its tag is
//! not zero.

/// Lanes in a bucket.
pub(super) const LANES: usize = 7;

/// Bits of hash kept per lane after the segment's prefix.
pub(super) const WINDOW_BITS: u32 = 6;

const ADDRESS_BYTES: usize = 6;
const ADDRESS_MASK: u64 = (1 << 48) - 1;
const WINDOW_AT: usize = LANES * ADDRESS_BYTES;
const WINDOW_MASK: u64 = (1 << WINDOW_BITS) - 1;
const FLAGS: usize = LANES;
const SPILLED: u16 = 1;
const ALL_LANES: u8 = (1 << LANES) - 1;

const _: () = assert!(size_of::<Bucket>() == 64);
const _: () = assert!(WINDOW_AT * 8 + LANES * WINDOW_BITS as usize <= 48 * 8);

/// Sixteen bits of an element's hash, never zero. It says which lanes to look
/// at and, through [`Tag::buckets`], in which two buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(u16);

impl Tag {
    /// No element's tag: what a vacant lane holds.
    pub(super) const VACANT: Tag = Tag(0);

    /// The tag of a hash: its low bits, those that prefixes reach last.
    #[inline]
    pub(super) fn of(hash: u64) -> Tag {
        Tag((hash as u16).max(1))
    }

    /// The two buckets, of `count`, where an element of this tag may stand.
    /// They differ whenever there are two to choose from.
    #[inline]
    pub(super) fn buckets(self, count: usize) -> (usize, usize) {
        let first = scale(self.0, count);
        let second = scale(self.0.wrapping_mul(SCRAMBLE), count);
        if second != first {
            return (first, second);
        }
        let next = first + 1;
        (first, if next == count { 0 } else { next })
    }

    /// The other one of the two buckets, for an element that stands in `bucket`.
    #[inline]
    pub(super) fn other_bucket(self, count: usize, bucket: usize) -> usize {
        let (first, second) = self.buckets(count);
        first ^ second ^ bucket
    }
}

/// Odd, so that multiplying by it permutes the tags; its high bits then depend
/// on all bits of the tag, and the second bucket says nothing about the first.
const SCRAMBLE: u16 = 0x9e35;

#[inline]
fn scale(bits: u16, count: usize) -> usize {
    (usize::from(bits) * count) >> 16
}

/// What a lane holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) addr: u64,
    pub(super) tag: Tag,
    pub(super) window: u8,
}

/// Number of a lane. Always below [`LANES`]: only [`Lanes`] and
/// [`Bucket::occupied_lane`] make them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lane(u8);

impl Lane {
    #[inline]
    fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A set of lanes, iterated in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lanes(u8);

impl Lanes {
    #[cfg(test)]
    pub(super) const ALL: Lanes = Lanes(ALL_LANES);

    #[inline]
    pub(super) fn first(self) -> Option<Lane> {
        (self.0 != 0).then(|| Lane(self.0.trailing_zeros() as u8))
    }

    #[inline]
    pub(super) fn len(self) -> usize {
        self.0.count_ones() as usize
    }
}

impl Iterator for Lanes {
    type Item = Lane;

    #[inline]
    fn next(&mut self) -> Option<Lane> {
        let lane = self.first()?;
        self.0 &= self.0 - 1;
        Some(lane)
    }
}

/// The cache line. All zeroes is an empty bucket.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Bucket {
    tags: [u16; LANES + 1],
    body: [u8; 48],
}

impl Bucket {
    /// Lanes whose tag is `tag`.
    #[inline]
    pub(super) fn matches(&self, tag: Tag) -> Lanes {
        Lanes(equal_lanes(&self.tags, tag.0) & ALL_LANES)
    }

    #[inline]
    pub(super) fn vacant(&self) -> Lanes {
        self.matches(Tag::VACANT)
    }

    #[inline]
    pub(super) fn occupied(&self) -> Lanes {
        Lanes(self.vacant().0 ^ ALL_LANES)
    }

    /// The lane with this number, if it is one and occupied.
    #[inline]
    pub(super) fn occupied_lane(&self, number: usize) -> Option<Lane> {
        let held = self.tags[..LANES].get(number)?;
        (*held != Tag::VACANT.0).then_some(Lane(number as u8))
    }

    #[inline]
    pub(super) fn addr(&self, lane: Lane) -> u64 {
        // SAFETY: a lane is below 7, so the eight bytes read start at 36 at
        // most and end within the 48 bytes of the body.
        let at = unsafe { self.body.as_ptr().add(lane.index() * ADDRESS_BYTES) };
        // SAFETY: as above; any eight bytes are a valid u64, unaligned allowed.
        let word = unsafe { at.cast::<u64>().read_unaligned() };
        u64::from_le(word) & ADDRESS_MASK
    }

    #[inline]
    pub(super) fn set_addr(&mut self, lane: Lane, addr: u64) {
        debug_assert!(addr & !ADDRESS_MASK == 0);
        let at = lane.index() * ADDRESS_BYTES;
        self.body[at..at + ADDRESS_BYTES].copy_from_slice(&addr.to_le_bytes()[..ADDRESS_BYTES]);
    }

    #[inline]
    pub(super) fn tag(&self, lane: Lane) -> Tag {
        Tag(self.tags[lane.index()])
    }

    #[inline]
    pub(super) fn window(&self, lane: Lane) -> u8 {
        ((self.windows() >> shift_of(lane)) & WINDOW_MASK) as u8
    }

    #[inline]
    pub(super) fn item(&self, lane: Lane) -> Item {
        Item {
            addr: self.addr(lane),
            tag: self.tag(lane),
            window: self.window(lane),
        }
    }

    /// Fills a vacant lane.
    #[inline]
    pub(super) fn put(&mut self, lane: Lane, item: Item) {
        debug_assert!(self.tag(lane) == Tag::VACANT);
        self.tags[lane.index()] = item.tag.0;
        self.set_addr(lane, item.addr);
        self.set_window(lane, item.window);
    }

    /// Empties an occupied lane and says what it held.
    #[inline]
    pub(super) fn take(&mut self, lane: Lane) -> Item {
        let item = self.item(lane);
        self.tags[lane.index()] = Tag::VACANT.0;
        item
    }

    /// Makes an occupied lane vacant for a while and says by which tag it is found.
    /// Address and window stay.
    #[inline]
    pub(super) fn hold(&mut self, lane: Lane) -> Tag {
        Tag(std::mem::replace(
            &mut self.tags[lane.index()],
            Tag::VACANT.0,
        ))
    }

    /// Ends [`Bucket::hold`].
    #[inline]
    pub(super) fn restore(&mut self, lane: Lane, tag: Tag) {
        debug_assert!(self.tag(lane) == Tag::VACANT);
        self.tags[lane.index()] = tag.0;
    }

    /// Whether some element whose first bucket is this one stands in the spill.
    #[inline]
    pub(super) fn has_spilled(&self) -> bool {
        self.tags[FLAGS] & SPILLED != 0
    }

    pub(super) fn set_spilled(&mut self) {
        self.tags[FLAGS] |= SPILLED;
    }

    #[inline]
    fn windows(&self) -> u64 {
        let mut word = [0; 8];
        word[..6].copy_from_slice(&self.body[WINDOW_AT..]);
        u64::from_le_bytes(word)
    }

    #[inline]
    fn set_window(&mut self, lane: Lane, window: u8) {
        let shift = shift_of(lane);
        let word = self.windows() & !(WINDOW_MASK << shift) | u64::from(window) << shift;
        self.body[WINDOW_AT..].copy_from_slice(&word.to_le_bytes()[..6]);
    }
}

#[inline]
fn shift_of(lane: Lane) -> u32 {
    u32::from(lane.0) * WINDOW_BITS
}

/// Bit i is set where `tags[i] == tag`.
#[cfg(target_arch = "x86_64")]
#[inline]
fn equal_lanes(tags: &[u16; 8], tag: u16) -> u8 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi16, _mm_loadu_si128, _mm_movemask_epi8, _mm_packs_epi16,
        _mm_set1_epi16, _mm_setzero_si128,
    };
    // SAFETY: SSE2 is part of x86_64, and the 16 bytes loaded are the array.
    unsafe {
        let line = _mm_loadu_si128(tags.as_ptr().cast::<__m128i>());
        let equal = _mm_cmpeq_epi16(line, _mm_set1_epi16(tag as i16));
        _mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())) as u8
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn equal_lanes(tags: &[u16; 8], tag: u16) -> u8 {
    equal_lanes_portable(tags, tag)
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn equal_lanes_portable(tags: &[u16; 8], tag: u16) -> u8 {
    let bit = |(lane, &held): (usize, &u16)| u8::from(held == tag) << lane;
    tags.iter()
        .enumerate()
        .map(bit)
        .fold(0, |set, bit| set | bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Bucket {
        Bucket {
            tags: [0; 8],
            body: [0; 48],
        }
    }

    fn item(n: u64) -> Item {
        let addr = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) & ADDRESS_MASK) & !7;
        Item {
            addr,
            tag: Tag::of(n * 31 + 5),
            window: (n * 11 % 64) as u8,
        }
    }

    #[test]
    fn lanes_do_not_disturb_each_other() {
        let mut bucket = empty();
        for (n, lane) in Lanes::ALL.enumerate() {
            bucket.put(lane, item(n as u64));
        }
        bucket.set_spilled();
        for (n, lane) in Lanes::ALL.enumerate() {
            assert_eq!(bucket.item(lane), item(n as u64));
        }
        assert_eq!(bucket.vacant().len(), 0);
        let third = bucket.matches(item(3).tag).first().unwrap();
        assert_eq!(bucket.take(third), item(3));
        assert_eq!(bucket.vacant().len(), 1);
        assert_eq!(bucket.occupied().len(), 6);
        assert!(bucket.has_spilled());
    }

    #[test]
    fn vector_and_portable_match_agree() {
        let mut tags = [0u16; 8];
        for round in 0..4096u32 {
            for (i, tag) in tags.iter_mut().enumerate() {
                *tag = ((round >> i) & 3) as u16;
            }
            for tag in 0..4 {
                assert_eq!(equal_lanes(&tags, tag), equal_lanes_portable(&tags, tag));
            }
        }
    }

    #[test]
    fn both_buckets_are_known_from_either() {
        for tag in (1..=u16::MAX).map(Tag) {
            for count in [2usize, 3, 7, 23, 39] {
                let (first, second) = tag.buckets(count);
                assert!(first < count && second < count && first != second);
                assert_eq!(tag.other_bucket(count, first), second);
                assert_eq!(tag.other_bucket(count, second), first);
            }
            assert_eq!(tag.buckets(1), (0, 0));
        }
    }
}
