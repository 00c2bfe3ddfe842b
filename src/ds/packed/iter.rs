//! Walking the entries, from the front, from the back, or from both.

use super::{Elem, entry};

/// The elements of a run of entries, from either end.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    left: usize,
}

impl<'a> Iter<'a> {
    /// Over `bytes`, which are exactly `left` valid entries.
    #[inline]
    pub(super) fn new(bytes: &'a [u8], left: usize) -> Iter<'a> {
        Iter { bytes, left }
    }
}

impl<'a> Iter<'a> {
    /// Takes the first `n` elements off, all if there are fewer, for a reader of
    /// their own. O(n).
    pub fn split_front(&mut self, n: usize) -> Iter<'a> {
        let n = n.min(self.left);
        let cut = (0..n).fold(0, |at, _| at + entry::size_at(&self.bytes[at..]));
        let (front, rest) = self.bytes.split_at(cut);
        (self.bytes, self.left) = (rest, self.left - n);
        Iter::new(front, n)
    }

    /// Takes the last `n` elements off, all if there are fewer, for a reader of
    /// their own. O(n).
    pub fn split_back(&mut self, n: usize) -> Iter<'a> {
        let n = n.min(self.left);
        let cut = (0..n).fold(self.bytes.len(), |at, _| entry::last(&self.bytes[..at]));
        let (rest, back) = self.bytes.split_at(cut);
        (self.bytes, self.left) = (rest, self.left - n);
        Iter::new(back, n)
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Elem<'a>;

    #[inline]
    fn next(&mut self) -> Option<Elem<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (elem, size) = entry::decode(self.bytes);
        self.bytes = &self.bytes[size..];
        Some(elem)
    }

    /// Passes over what is skipped without looking at it.
    #[inline]
    fn nth(&mut self, n: usize) -> Option<Elem<'a>> {
        for _ in 0..n {
            self.left = self.left.checked_sub(1)?;
            self.bytes = &self.bytes[entry::size_at(self.bytes)..];
        }
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Elem<'a>> {
        self.left = self.left.checked_sub(1)?;
        let at = entry::last(self.bytes);
        let (elem, _) = entry::decode(&self.bytes[at..]);
        self.bytes = &self.bytes[..at];
        Some(elem)
    }
}

impl ExactSizeIterator for Iter<'_> {}
