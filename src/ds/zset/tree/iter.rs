//! Walking a range of ranks from either end. The next leaf is found by rank, which costs
//! a descent for some fifty elements and needs no stack.

use super::super::member::Member;
use super::Tree;
use super::leaf::Leaf;

/// Elements with their scores, in order.
#[derive(Clone)]
pub struct Range<'a> {
    tree: &'a Tree,
    /// Ranks still to come.
    start: usize,
    end: usize,
    /// The leaf that holds `start`, with its place there.
    front: Option<(&'a Leaf, usize)>,
    /// The leaf that holds `end - 1`, with its place there plus one.
    back: Option<(&'a Leaf, usize)>,
}

impl<'a> Range<'a> {
    pub(super) fn new(tree: &'a Tree, ranks: std::ops::Range<usize>) -> Range<'a> {
        let end = ranks.end.min(tree.len());
        Range {
            tree,
            start: ranks.start.min(end),
            end,
            front: None,
            back: None,
        }
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = (f64, &'a Member);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.start == self.end {
            return None;
        }
        let (leaf, at) = match self.front {
            Some((leaf, at)) if at < leaf.len() => (leaf, at),
            _ => self.tree.locate(self.start)?,
        };
        self.front = Some((leaf, at + 1));
        self.start += 1;
        Some(leaf.get(at))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.start, Some(self.end - self.start))
    }
}

impl<'a> DoubleEndedIterator for Range<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.start == self.end {
            return None;
        }
        self.end -= 1;
        let (leaf, at) = match self.back {
            Some((leaf, at)) if at > 0 => (leaf, at - 1),
            _ => self.tree.locate(self.end)?,
        };
        self.back = Some((leaf, at));
        Some(leaf.get(at))
    }
}

impl ExactSizeIterator for Range<'_> {}
