//! The order of a large sorted set: a B-tree with ranks.
//!
//! ```text
//! inner   keys | counts | children
//!                          |
//! leaf                   scores | elements      by score, then by text
//! ```
//!
//! Every node is behind an `Arc`. An image is a clone of the root, made in O(1); the
//! writer copies a node only while an image shares it (`Arc::make_mut`), so after an
//! image it copies the nodes on its path, once each. Who holds an image also has a proof
//! at hand that nothing has changed: a writer cannot keep the root ([`Tree::is_as`]).
//!
//! Counts in the inner nodes give ranks: where a score, a text or an element begins is
//! found by one descent, and every range is a range of ranks. Scores stand in the
//! leaves, beside the pointers, so that a descent touches elements only between equal
//! scores.
//!
//! Nodes are kept full: a leaf gives to its neighbours before it splits, two full ones
//! become three, and insertions in order leave full leaves behind. Removal joins leaves
//! that become small. Inner nodes are few and only kept from becoming tiny.
//!
//! Must stay true: elements are ordered by score (no NaN), those of equal score by text,
//! and no two are equal in both.

mod cut;
mod inner;
mod iter;
mod leaf;

use std::sync::Arc;

use inner::{Child, INNER_MAX, Inner};
use leaf::{LEAF_MAX, Leaf};

pub use iter::Range;

use super::member::Member;

/// Whether `member` comes before what has this score and text. Looks at the element
/// only between equal scores.
#[inline]
fn precedes(score: f64, member: &Member, other: f64, text: &[u8]) -> bool {
    score < other || score == other && member.bytes() < text
}

/// Which element is meant.
#[derive(Clone, Copy)]
pub enum Pick<'a> {
    Key(f64, &'a [u8]),
    Rank(usize),
}

impl Pick<'_> {
    /// Its place in the leaf, if it is there.
    fn place(self, leaf: &Leaf) -> Option<usize> {
        match self {
            Pick::Rank(rank) => (rank < leaf.len()).then_some(rank),
            Pick::Key(score, bytes) => {
                let at = leaf.partition(&mut |s, m| precedes(s, m, score, bytes));
                let is_it = at < leaf.len() && {
                    let (found, member) = leaf.get(at);
                    found == score && member.bytes() == bytes
                };
                is_it.then_some(at)
            }
        }
    }
}

/// Elements in order. Cloning it makes an image.
#[derive(Clone)]
pub struct Tree {
    root: Child,
    len: usize,
}

impl Default for Tree {
    fn default() -> Tree {
        Tree {
            root: Child::Leaf(Arc::new(Leaf::new())),
            len: 0,
        }
    }
}

impl Tree {
    /// A tree of elements that come in order, its nodes full. O(n).
    pub fn from_sorted(elements: impl Iterator<Item = (f64, Member)>) -> Tree {
        let mut level: Vec<(Child, usize)> = Vec::new();
        let mut leaf = Leaf::new();
        let mut len = 0;
        for (score, member) in elements {
            if leaf.len() == LEAF_MAX {
                let full = std::mem::replace(&mut leaf, Leaf::new());
                level.push((Child::Leaf(Arc::new(full)), LEAF_MAX));
            }
            leaf.push(score, member);
            len += 1;
        }
        let count = leaf.len();
        level.push((Child::Leaf(Arc::new(leaf)), count));
        while level.len() > 1 {
            let below = std::mem::take(&mut level).into_iter();
            for (child, count) in below {
                match level.last_mut() {
                    Some((Child::Inner(inner), total)) if inner.kids().len() < INNER_MAX => {
                        Arc::make_mut(inner).push(child, count);
                        *total += count;
                    }
                    _ => {
                        let inner = Inner::above(child, count);
                        level.push((Child::Inner(Arc::new(inner)), count));
                    }
                }
            }
        }
        let root = level.pop().map(|(child, _)| child);
        Tree {
            root: root.unwrap_or_else(|| Tree::default().root),
            len,
        }
    }

    /// Number of elements. O(1).
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether this and `image` hold the same elements with the same scores because
    /// nothing has changed since the image was taken. O(1).
    pub fn is_as(&self, image: &Tree) -> bool {
        match (&self.root, &image.root) {
            (Child::Leaf(a), Child::Leaf(b)) => Arc::ptr_eq(a, b),
            (Child::Inner(a), Child::Inner(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Adds an element that is not there. O(log n).
    pub fn insert(&mut self, score: f64, member: Member) {
        if self.root.is_full() {
            let old = std::mem::replace(&mut self.root, Tree::default().root);
            self.root = Child::Inner(Arc::new(Inner::above(old, self.len)));
        }
        self.root.insert(score, member);
        self.len += 1;
    }

    /// Takes an element out; `None` if it is not there. O(log n).
    pub fn remove(&mut self, pick: Pick<'_>) -> Option<(f64, Member)> {
        let removed = self.root.remove(pick)?;
        self.len -= 1;
        if self.len == 0 {
            *self = Tree::default();
        }
        self.lower();
        Some(removed)
    }

    /// Does away with roots that have a single child.
    fn lower(&mut self) {
        while let Child::Inner(inner) = &self.root
            && let Some(only) = inner.only_kid()
        {
            self.root = only.clone();
        }
    }

    /// How many elements from the start satisfy `before`, which holds up to some
    /// element and not beyond. O(log n).
    #[inline]
    pub fn partition(&self, mut before: impl FnMut(f64, &Member) -> bool) -> usize {
        let mut rank = 0;
        let mut node = &self.root;
        loop {
            match node {
                Child::Leaf(leaf) => return rank + leaf.partition(&mut before),
                Child::Inner(inner) => {
                    let at = inner.child_at(&mut before);
                    rank += inner.counts()[..at].iter().sum::<usize>();
                    node = &inner.kids()[at];
                }
            }
        }
    }

    /// How many elements come before this one, which need not be there. O(log n).
    pub fn rank(&self, score: f64, bytes: &[u8]) -> usize {
        self.partition(|s, m| precedes(s, m, score, bytes))
    }

    /// The element of this rank. O(log n).
    #[inline]
    pub fn get(&self, rank: usize) -> Option<(f64, &Member)> {
        let (leaf, at) = self.locate(rank)?;
        Some(leaf.get(at))
    }

    /// The elements of two ranks, of which the second is a little lower: mostly they
    /// stand in one leaf. O(log n).
    #[inline]
    pub fn get_two(&self, rank: usize, lower: usize) -> [Option<(f64, &Member)>; 2] {
        match self.locate(rank) {
            Some((leaf, at)) if at >= rank - lower => {
                [Some(leaf.get(at)), Some(leaf.get(at - (rank - lower)))]
            }
            _ => [self.get(rank), self.get(lower)],
        }
    }

    /// The leaf that holds the element of this rank, and its place there.
    fn locate(&self, mut rank: usize) -> Option<(&Leaf, usize)> {
        let mut node = &self.root;
        loop {
            match node {
                Child::Leaf(leaf) => return (rank < leaf.len()).then_some((leaf, rank)),
                Child::Inner(inner) => {
                    let (at, below) = inner.child_of_rank(rank)?;
                    rank = below;
                    node = &inner.kids()[at];
                }
            }
        }
    }

    /// The elements of a range of ranks, from either end. O(log n) for each leaf.
    pub fn range(&self, ranks: std::ops::Range<usize>) -> Range<'_> {
        Range::new(self, ranks)
    }

    /// Bytes allocated for the nodes. O(nodes).
    pub fn mem_bytes(&self) -> usize {
        self.root.mem_bytes()
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.range(0..self.len)).finish()
    }
}

#[cfg(test)]
mod tests;
