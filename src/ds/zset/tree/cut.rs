//! Cutting a tree in parts and joining parts, by moving whole nodes: O(log n) whatever
//! the number of elements that change sides.
//!
//! ```text
//! cut   the path to the place is split, node by node; what stands beside it stays
//! join  the lower tree becomes a child at its height along the edge of the higher
//! ```
//!
//! Must stay true: all leaves are equally deep. Nodes along a cut may be left with
//! little in them, an inner node with a single child; changes nearby fill them or join
//! them with neighbours, as after a removal.

use std::ops::Range;
use std::sync::Arc;

use super::Tree;
use super::inner::{Child, INNER_MAX, Inner, Key};
use super::leaf::Leaf;

/// A node with the number of its elements that found no place where it was to go.
type Surplus = Option<(Child, usize)>;

/// A tree on its way into a higher one.
struct Graft {
    root: Child,
    height: usize,
    len: usize,
}

impl Tree {
    /// Takes the elements of a range of ranks out, as a tree of their own. O(log n).
    pub fn cut(&mut self, ranks: Range<usize>) -> Tree {
        let end = ranks.end.min(self.len);
        let start = ranks.start.min(end);
        let (head, rest) = std::mem::take(self).split(start);
        let (middle, tail) = rest.split(end - start);
        *self = head.join(tail);
        middle
    }

    /// The first `rank` elements, and the others.
    fn split(self, rank: usize) -> (Tree, Tree) {
        let len = self.len;
        let (left, right) = self.root.split(rank);
        (Tree::of(left, rank), Tree::of(right, len - rank))
    }

    fn of(root: Option<Child>, len: usize) -> Tree {
        match root.filter(|_| len > 0) {
            Some(root) => Tree { root, len }.lowered(),
            None => Tree::default(),
        }
    }

    /// The tree without roots that have a single child.
    fn lowered(mut self) -> Tree {
        self.lower();
        self
    }

    /// A tree of the elements of both; all of `other` come behind those of this one.
    fn join(self, other: Tree) -> Tree {
        if self.len == 0 || other.len == 0 {
            return if self.len == 0 { other } else { self };
        }
        let len = self.len + other.len;
        let Some(begin) = other.root.begin() else {
            return self;
        };
        let (ours, theirs) = (self.root.height(), other.root.height());
        let (first, second) = (self.len, other.len);
        let (mut left, mut right) = (self.root, other.root);
        let root = if ours >= theirs {
            let graft = Graft {
                root: right,
                height: theirs,
                len: second,
            };
            match left.append(ours, graft, &begin) {
                None => left,
                Some((node, count)) => pair((left, len - count), begin, (node, count)),
            }
        } else {
            let graft = Graft {
                root: left,
                height: ours,
                len: first,
            };
            match right.prepend(theirs, graft, &begin) {
                None => right,
                Some((node, count)) => pair((node, count), begin, (right, len - count)),
            }
        };
        Tree { root, len }.lowered()
    }
}

/// A node above two with their numbers of elements; the second begins at `begin`.
fn pair(left: (Child, usize), begin: Key, right: (Child, usize)) -> Child {
    let mut root = Inner::above(left.0, left.1);
    root.insert_kid(1, begin, right.1, right.0);
    Child::Inner(Arc::new(root))
}

impl Child {
    /// Levels below this node.
    fn height(&self) -> usize {
        match self {
            Child::Leaf(_) => 0,
            Child::Inner(inner) => inner.kids().first().map_or(0, |kid| 1 + kid.height()),
        }
    }

    /// The first element.
    fn begin(&self) -> Option<Key> {
        match self {
            Child::Leaf(leaf) => (leaf.len() > 0).then(|| {
                let (score, member) = leaf.get(0);
                (score, member.clone())
            }),
            Child::Inner(inner) => inner.kids().first()?.begin(),
        }
    }

    /// The first `rank` elements, and the others; nodes of the same height.
    fn split(self, rank: usize) -> (Option<Child>, Option<Child>) {
        match self {
            whole if rank == 0 => (None, Some(whole)),
            Child::Leaf(leaf) if rank >= leaf.len() => (Some(Child::Leaf(leaf)), None),
            Child::Leaf(mut leaf) => {
                let (mut next, count) = (Leaf::new(), leaf.len() - rank);
                Arc::make_mut(&mut leaf).give_to_next(&mut next, count);
                (Some(Child::Leaf(leaf)), Some(Child::Leaf(Arc::new(next))))
            }
            Child::Inner(inner) => match inner.child_of_rank(rank) {
                None => (Some(Child::Inner(inner)), None),
                Some((at, below)) => split_inner(inner, at, below),
            },
        }
    }

    /// Hangs a tree behind this one, of which this node is the root. What finds no
    /// place below is a node for the place behind it.
    fn append(&mut self, height: usize, graft: Graft, begin: &Key) -> Surplus {
        if height == graft.height {
            return Some((graft.root, graft.len));
        }
        let Child::Inner(inner) = self else {
            unreachable!("a leaf has no height")
        };
        let (inner, len) = (Arc::make_mut(inner), graft.len);
        let last = inner.kids().len() - 1;
        let surplus = inner.kid_mut(last).append(height - 1, graft, begin);
        inner.add_count(last, len - surplus.as_ref().map_or(0, |(_, count)| *count));
        let (node, count) = surplus?;
        if last + 1 < INNER_MAX {
            inner.insert_kid(last + 1, begin.clone(), count, node);
            return None;
        }
        Some((Child::Inner(Arc::new(Inner::above(node, count))), count))
    }

    /// As [`Child::append`], before this one, which begins at `begin`.
    fn prepend(&mut self, height: usize, graft: Graft, begin: &Key) -> Surplus {
        if height == graft.height {
            return Some((graft.root, graft.len));
        }
        let Child::Inner(inner) = self else {
            unreachable!("a leaf has no height")
        };
        let (inner, len) = (Arc::make_mut(inner), graft.len);
        let surplus = inner.kid_mut(0).prepend(height - 1, graft, begin);
        inner.add_count(0, len - surplus.as_ref().map_or(0, |(_, count)| *count));
        let (node, count) = surplus?;
        if inner.kids().len() < INNER_MAX {
            // What was first has to be told from the one before now.
            inner.set_key(0, begin.clone());
            inner.insert_kid(0, begin.clone(), count, node);
            return None;
        }
        Some((Child::Inner(Arc::new(Inner::above(node, count))), count))
    }
}

/// Splits an inner node within its child `at`, of which `below` elements go left.
fn split_inner(mut inner: Arc<Inner>, at: usize, below: usize) -> (Option<Child>, Option<Child>) {
    let left = Arc::make_mut(&mut inner);
    let mut right = left.split_off(at);
    let (key, count, kid) = right.remove_kid(0);
    let (head, tail) = kid.split(below);
    if let Some(tail) = tail {
        right.insert_kid(0, key.clone(), count - below, tail);
    }
    if let Some(head) = head {
        left.insert_kid(left.kids().len(), key, below, head);
    }
    let some = |inner: &Inner| !inner.kids().is_empty();
    let right = some(&right).then(|| Child::Inner(Arc::new(right)));
    let left = some(left).then_some(());
    (left.map(|()| Child::Inner(inner)), right)
}
