//! A sorted array of distinct integers: the small set that costs the least.
//!
//! All elements have the width of the widest one ever added: 16, 32 or 64 bits. A
//! number that needs more makes the whole array wider; removing it does not make
//! the array narrower again. Finding is a binary search, changing moves bytes.
//!
//! The bytes are those of Redis's intset, so that a dump is one copy:
//!
//! ```text
//! intset:  width in bytes(4, little)  count(4, little)  elements, little endian ...
//! in memory:                                             elements
//! ```
//!
//! Must stay true: the elements rise strictly; bytes from outside come in through
//! [`IntSet::from_blob`] alone, which checks that they do.

use std::fmt;

/// Bytes before the elements of an intset: width and count.
const HEADER_BYTES: usize = 8;

/// More elements than this no intset has, whatever the configuration allows, as in
/// Redis.
pub const LEN_MAX: usize = 1 << 30;

/// Bytes of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Width {
    Two = 2,
    Four = 4,
    Eight = 8,
}

impl Width {
    fn of(value: i64) -> Width {
        if i16::try_from(value).is_ok() {
            Width::Two
        } else if i32::try_from(value).is_ok() {
            Width::Four
        } else {
            Width::Eight
        }
    }
}

/// Bytes that are no intset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an intset: wrong header, length or order")
    }
}

impl std::error::Error for Corrupt {}

/// A set of integers. See the head of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntSet {
    elements: Vec<u8>,
    width: Width,
}

impl Default for IntSet {
    fn default() -> IntSet {
        IntSet {
            elements: Vec::new(),
            width: Width::Two,
        }
    }
}

impl IntSet {
    /// An empty set; allocates nothing.
    pub fn new() -> IntSet {
        IntSet::default()
    }

    /// Copies an intset that comes from outside, after checking all of it. O(N).
    pub fn from_blob(bytes: &[u8]) -> Result<IntSet, Corrupt> {
        let (header, elements) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(Corrupt)?;
        let [a, b, c, d, e, f, g, h] = *header;
        let width = match u32::from_le_bytes([a, b, c, d]) {
            2 => Width::Two,
            4 => Width::Four,
            8 => Width::Eight,
            _ => return Err(Corrupt),
        };
        let count = u32::from_le_bytes([e, f, g, h]) as usize;
        if count == 0 || Some(elements.len()) != count.checked_mul(width as usize) {
            return Err(Corrupt);
        }
        let set = IntSet {
            elements: elements.to_vec(),
            width,
        };
        let rises = set.iter().zip(set.iter().skip(1)).all(|(a, b)| a < b);
        if rises { Ok(set) } else { Err(Corrupt) }
    }

    /// Appends the set as an intset, header included.
    pub fn write_blob(&self, out: &mut Vec<u8>) {
        out.reserve(self.blob_len());
        out.extend_from_slice(&(self.width as u32).to_le_bytes());
        out.extend_from_slice(&(self.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.elements);
    }

    /// Bytes of the set as an intset.
    pub fn blob_len(&self) -> usize {
        HEADER_BYTES + self.elements.len()
    }

    /// Number of elements. O(1).
    #[inline]
    pub fn len(&self) -> usize {
        self.elements.len() / self.width as usize
    }

    /// Whether there are no elements.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Heap memory held, in bytes, without the struct itself.
    pub fn mem_bytes(&self) -> usize {
        self.elements.capacity()
    }

    /// The element with number `index` in rising order.
    #[inline]
    pub fn get(&self, index: usize) -> Option<i64> {
        let at = index.checked_mul(self.width as usize)?;
        let bytes = self.elements.get(at..at + self.width as usize)?;
        Some(match *bytes {
            [a, b] => i64::from(i16::from_le_bytes([a, b])),
            [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => return None,
        })
    }

    /// Whether `value` is an element. O(log N).
    #[inline]
    pub fn contains(&self, value: i64) -> bool {
        Width::of(value) <= self.width && self.search(value).is_ok()
    }

    /// The elements in rising order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = i64> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Adds an element; whether it is new. O(N).
    pub fn insert(&mut self, value: i64) -> bool {
        if Width::of(value) > self.width {
            self.widen(Width::of(value));
        }
        let Err(index) = self.search(value) else {
            return false;
        };
        let (at, width) = (index * self.width as usize, self.width as usize);
        if self.elements.len() + width > self.elements.capacity() {
            // A little more each time: many sets have a handful of elements, and
            // doubling would waste what they are packed for.
            let room = (self.elements.len() / 4).max(4 * width);
            self.elements.reserve_exact(room);
        }
        let bytes = &value.to_le_bytes()[..width];
        self.elements.splice(at..at, bytes.iter().copied());
        true
    }

    /// Removes an element; whether there was one. O(N).
    pub fn remove(&mut self, value: i64) -> bool {
        if !self.contains(value) {
            return false;
        }
        let Ok(index) = self.search(value) else {
            return false;
        };
        let at = index * self.width as usize;
        self.elements.drain(at..at + self.width as usize);
        true
    }

    /// Where `value` stands, or where it would.
    fn search(&self, value: i64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.get(middle).map(|found| found.cmp(&value)) {
                Some(std::cmp::Ordering::Less) => low = middle + 1,
                Some(std::cmp::Ordering::Equal) => return Ok(middle),
                _ => high = middle,
            }
        }
        Err(low)
    }

    fn widen(&mut self, width: Width) {
        let mut elements = Vec::with_capacity((self.len() + 1) * width as usize);
        for value in self.iter() {
            elements.extend_from_slice(&value.to_le_bytes()[..width as usize]);
        }
        *self = IntSet { elements, width };
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::rng::Rng;

    fn blob(set: &IntSet) -> Vec<u8> {
        let mut out = Vec::new();
        set.write_blob(&mut out);
        out
    }

    #[test]
    fn agrees_with_a_plain_set() {
        for seed in 0..200 {
            eprintln!("seed {seed}");
            let mut rng = Rng::seeded(seed);
            let (mut set, mut model) = (IntSet::new(), BTreeSet::new());
            let shift = [50, 40, 20, 0][rng.below(4) as usize];
            for _ in 0..400 {
                let value = (rng.next_u64() as i64 >> 3 >> shift) / 8;
                if rng.below(3) == 0 {
                    assert_eq!(set.remove(value), model.remove(&value));
                } else {
                    assert_eq!(set.insert(value), model.insert(value));
                }
                assert_eq!(set.contains(value), model.contains(&value));
                assert_eq!(set.len(), model.len());
            }
            assert!(set.iter().eq(model.iter().copied()));
            assert!(set.iter().rev().eq(model.iter().rev().copied()));
            if !set.is_empty() {
                assert_eq!(IntSet::from_blob(&blob(&set)), Ok(set));
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_redis() {
        let mut set = IntSet::new();
        assert!([3, -1, 2].into_iter().all(|value| set.insert(value)));
        let small = [2, 0, 0, 0, 3, 0, 0, 0, 0xff, 0xff, 2, 0, 3, 0];
        assert_eq!(blob(&set), small);
        set.insert(70_000);
        let wide = [
            4, 0, 0, 0, 4, 0, 0, 0, 255, 255, 255, 255, 2, 0, 0, 0, 3, 0, 0, 0, 0x70, 0x11, 1, 0,
        ];
        assert_eq!(blob(&set), wide);
        set.insert(i64::MIN);
        assert_eq!(set.iter().next(), Some(i64::MIN));
        assert_eq!(set.blob_len(), 8 + 5 * 8);
    }

    #[test]
    fn what_is_no_intset_is_refused() {
        let good = [2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 2, 0];
        assert!(IntSet::from_blob(&good).is_ok());
        for len in 0..good.len() {
            assert_eq!(IntSet::from_blob(&good[..len]), Err(Corrupt));
        }
        // Each breaks one rule: width, count, order, order, none at all.
        for (at, byte) in [(0, 3), (4, 1), (8, 2), (8, 3), (4, 0), (7, 0x80)] {
            let mut bad = good;
            bad[at] = byte;
            assert_eq!(IntSet::from_blob(&bad), Err(Corrupt), "{at}");
        }
        assert_eq!(IntSet::from_blob(&[2, 0, 0, 0, 0, 0, 0, 0]), Err(Corrupt));
    }
}
