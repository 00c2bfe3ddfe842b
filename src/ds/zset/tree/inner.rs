//! An inner node: children with how many elements each holds, and where each begins.
//!
//! `keys[i]` separates child `i` from the one before: no element of child `i` comes
//! before it, every element of child `i - 1` does. It need not be an element that is
//! still there; it only has to separate. `keys[0]` separates nothing and may be
//! anything.

use std::sync::Arc;

use super::super::member::Member;
use super::leaf::{LEAF_MAX, Leaf};
use super::{Pick, precedes};

/// Children of a full inner node: few enough to be shifted and copied quickly.
pub const INNER_MAX: usize = 32;
/// A leaf with fewer elements is filled from its neighbour, or joins it.
const LEAF_MIN: usize = LEAF_MAX / 4;
/// Two leaves join only if some room is left, so that the next insertion does not
/// split them again.
const JOINED_MAX: usize = LEAF_MAX - LEAF_MAX / 8;
/// A full leaf gives to a neighbour only if that has this much room: the work of
/// moving is then shared by several insertions.
const GIVE_MIN: usize = LEAF_MAX / 8;

/// Where a child begins.
pub type Key = (f64, Member);

/// A node, shared with images of the tree.
#[derive(Clone)]
pub enum Child {
    Leaf(Arc<Leaf>),
    Inner(Arc<Inner>),
}

/// A node above leaves or above other inner nodes.
#[derive(Clone, Default)]
pub struct Inner {
    keys: Vec<Key>,
    /// Elements below each child.
    counts: Vec<usize>,
    kids: Vec<Child>,
}

impl Child {
    /// Elements or children of the node itself.
    pub fn len(&self) -> usize {
        match self {
            Child::Leaf(leaf) => leaf.len(),
            Child::Inner(inner) => inner.kids.len(),
        }
    }

    pub fn is_full(&self) -> bool {
        match self {
            Child::Leaf(leaf) => leaf.len() == LEAF_MAX,
            Child::Inner(inner) => inner.kids.len() == INNER_MAX,
        }
    }

    /// Inserts an element that is not there; the node is not full.
    pub fn insert(&mut self, score: f64, member: Member) {
        match self {
            Child::Leaf(leaf) => {
                let leaf = Arc::make_mut(leaf);
                let at = leaf.partition(&mut |s, m| precedes(s, m, score, member.bytes()));
                leaf.insert(at, score, member);
            }
            Child::Inner(inner) => Arc::make_mut(inner).insert(score, member),
        }
    }

    /// Takes out the element that is meant, if it is there.
    pub fn remove(&mut self, pick: Pick<'_>) -> Option<Key> {
        match self {
            Child::Leaf(leaf) => {
                let at = pick.place(leaf)?;
                Some(Arc::make_mut(leaf).remove(at))
            }
            Child::Inner(inner) => Arc::make_mut(inner).remove(pick),
        }
    }

    /// Where the node begins, by a key that [`Inner`] may keep for it.
    fn first_key(&self) -> Option<Key> {
        match self {
            Child::Leaf(leaf) => (leaf.len() > 0).then(|| {
                let (score, member) = leaf.get(0);
                (score, member.clone())
            }),
            Child::Inner(inner) => inner.keys.first().cloned(),
        }
    }
}

impl Inner {
    /// A node above one child that holds `count` elements.
    pub fn above(child: Child, count: usize) -> Inner {
        let mut inner = Inner::default();
        inner.push(child, count);
        inner
    }

    /// Appends a child that holds `count` elements; an empty one is left out.
    pub fn push(&mut self, child: Child, count: usize) {
        if let Some(key) = child.first_key() {
            self.insert_kid(self.kids.len(), key, count, child);
        }
    }

    pub fn kids(&self) -> &[Child] {
        &self.kids
    }

    /// The separator before child `at`.
    #[cfg(test)]
    pub fn key(&self, at: usize) -> (f64, &[u8]) {
        (self.keys[at].0, self.keys[at].1.bytes())
    }

    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// Elements below.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The only child, if there is just one.
    pub fn only_kid(&self) -> Option<&Child> {
        match &self.kids[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The last child that begins before the place which `before` leads to. O(log n).
    #[inline]
    pub fn child_at(&self, before: &mut impl FnMut(f64, &Member) -> bool) -> usize {
        let (mut low, mut high) = (1, self.keys.len());
        while low < high {
            let middle = (low + high) / 2;
            let (score, member) = &self.keys[middle];
            if before(*score, member) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low - 1
    }

    /// The child to which an element belongs: keys up to it lie before it.
    fn child_for(&self, score: f64, bytes: &[u8]) -> usize {
        self.child_at(&mut |s, m| s < score || s == score && m.bytes() <= bytes)
    }

    fn insert(&mut self, score: f64, member: Member) {
        let mut at = self.child_for(score, member.bytes());
        if self.kids[at].is_full() {
            self.make_room(at, score, member.bytes());
            at = self.child_for(score, member.bytes());
        }
        self.counts[at] += 1;
        self.kids[at].insert(score, member);
    }

    fn remove(&mut self, pick: Pick<'_>) -> Option<Key> {
        let (at, pick) = match pick {
            Pick::Rank(rank) => {
                let (at, rank) = self.child_of_rank(rank)?;
                (at, Pick::Rank(rank))
            }
            Pick::Key(score, bytes) => (self.child_for(score, bytes), pick),
        };
        let removed = self.kids[at].remove(pick)?;
        self.counts[at] -= 1;
        self.mend(at);
        Some(removed)
    }

    /// The child that holds the element of this rank, and its rank there.
    #[inline]
    pub fn child_of_rank(&self, mut rank: usize) -> Option<(usize, usize)> {
        for (at, count) in self.counts.iter().enumerate() {
            if rank < *count {
                return Some((at, rank));
            }
            rank -= count;
        }
        None
    }

    /// Child `at`, for change; who changes how much it holds says so.
    pub fn kid_mut(&mut self, at: usize) -> &mut Child {
        &mut self.kids[at]
    }

    /// Notes that child `at` holds so many elements more.
    pub fn add_count(&mut self, at: usize, more: usize) {
        self.counts[at] += more;
    }

    /// Replaces the separator before child `at`.
    pub fn set_key(&mut self, at: usize, key: Key) {
        self.keys[at] = key;
    }

    /// Takes out the children from `at` on, as a node of their own.
    pub fn split_off(&mut self, at: usize) -> Inner {
        Inner {
            keys: self.keys.split_off(at),
            counts: self.counts.split_off(at),
            kids: self.kids.split_off(at),
        }
    }

    /// Adds a child that holds `count` elements before child `at`.
    pub fn insert_kid(&mut self, at: usize, key: Key, count: usize, child: Child) {
        self.keys.insert(at, key);
        self.counts.insert(at, count);
        self.kids.insert(at, child);
    }

    /// Takes out child `at`.
    pub fn remove_kid(&mut self, at: usize) -> (Key, usize, Child) {
        (
            self.keys.remove(at),
            self.counts.remove(at),
            self.kids.remove(at),
        )
    }

    /// Makes room in the full child `at`, where this element is to go. The node itself
    /// is not full.
    fn make_room(&mut self, at: usize, score: f64, bytes: &[u8]) {
        let Child::Leaf(leaf) = &self.kids[at] else {
            return self.split_inner(at, score, bytes);
        };
        let place = leaf.partition(&mut |s, m| precedes(s, m, score, bytes));
        let (at_start, at_end) = (place < GIVE_MIN, place > LEAF_MAX - GIVE_MIN);
        let room = |at: usize| {
            let count = self.counts.get(at).copied();
            count.map_or(0, |count| LEAF_MAX - count)
        };
        let left = if at > 0 { room(at - 1) } else { 0 };
        let right = room(at + 1);
        // Insertions in order come again to the same end: there a neighbour is
        // filled to the brim, so that leaves which are left behind are full. What is
        // given then never reaches the place, which stays in this leaf.
        match (at_start, at_end) {
            (_, true) if left > 0 => self.give_left(at, left.min(place - 1)),
            (true, _) if right > 0 => self.give_right(at, right.min(LEAF_MAX - place)),
            (_, true) if at + 1 == self.kids.len() => {
                self.split_leaf(at, place.min(LEAF_MAX - 1));
            }
            (true, _) if at == 0 => self.split_leaf(at, place.max(1)),
            _ if left >= GIVE_MIN && left >= right => self.give_left(at, left / 2),
            _ if right >= GIVE_MIN => self.give_right(at, right / 2),
            _ => self.split_with_neighbour(at),
        }
    }

    /// Splits a full leaf before its element `keep`.
    fn split_leaf(&mut self, at: usize, keep: usize) {
        let count = self.counts[at] - keep;
        let mut next = Leaf::new();
        if let Child::Leaf(leaf) = &mut self.kids[at] {
            Arc::make_mut(leaf).give_to_next(&mut next, count);
        }
        self.counts[at] = keep;
        let next = Child::Leaf(Arc::new(next));
        if let Some(key) = next.first_key() {
            self.insert_kid(at + 1, key, count, next);
        }
    }

    /// Makes three leaves of the full leaf `at` and a neighbour that is nearly so, or
    /// two of it alone.
    fn split_with_neighbour(&mut self, at: usize) {
        if self.kids.len() == 1 {
            return self.split_leaf(at, LEAF_MAX / 2);
        }
        // Of two neighbours, the last third of each is a leaf of its own.
        let first = if at > 0 { at - 1 } else { at };
        let third = (self.counts[first] + self.counts[first + 1]) / 3;
        let keep = self.counts[first + 1] - third;
        self.split_leaf(first + 1, keep);
        let surplus = self.counts[first].saturating_sub(third);
        self.give_right(first, surplus.min(LEAF_MAX - self.counts[first + 1]));
    }

    /// Leaf `at` gives its first `count` elements to the one before.
    fn give_left(&mut self, at: usize, count: usize) {
        let (head, tail) = self.kids.split_at_mut(at);
        if let (Some(Child::Leaf(left)), Some(Child::Leaf(leaf))) =
            (head.last_mut(), tail.first_mut())
        {
            Arc::make_mut(leaf).give_to_previous(Arc::make_mut(left), count);
        }
        self.counts[at - 1] += count;
        self.counts[at] -= count;
        self.renew_key(at);
    }

    /// Leaf `at` gives its last `count` elements to the one behind.
    fn give_right(&mut self, at: usize, count: usize) {
        let (head, tail) = self.kids.split_at_mut(at + 1);
        if let (Some(Child::Leaf(leaf)), Some(Child::Leaf(right))) =
            (head.last_mut(), tail.first_mut())
        {
            Arc::make_mut(leaf).give_to_next(Arc::make_mut(right), count);
        }
        self.counts[at] -= count;
        self.counts[at + 1] += count;
        self.renew_key(at + 1);
    }

    fn renew_key(&mut self, at: usize) {
        if let Some(key) = self.kids[at].first_key() {
            self.keys[at] = key;
        }
    }

    /// Splits the full inner child `at`: in the middle, or behind its last child where
    /// insertions come in order.
    fn split_inner(&mut self, at: usize, score: f64, bytes: &[u8]) {
        let is_last = at + 1 == self.kids.len();
        let Child::Inner(inner) = &mut self.kids[at] else {
            return;
        };
        let inner = Arc::make_mut(inner);
        let at_end = is_last && inner.child_for(score, bytes) + 1 == inner.kids.len();
        let keep = if at_end { INNER_MAX - 1 } else { INNER_MAX / 2 };
        let next = inner.split_off(keep);
        let count = next.total();
        self.counts[at] -= count;
        let next = Child::Inner(Arc::new(next));
        if let Some(key) = next.first_key() {
            self.insert_kid(at + 1, key, count, next);
        }
    }

    /// Looks after child `at`, which has lost an element.
    fn mend(&mut self, at: usize) {
        if self.counts[at] == 0 {
            self.remove_kid(at);
            return;
        }
        let few = match &self.kids[at] {
            Child::Leaf(leaf) => leaf.len() < LEAF_MIN,
            Child::Inner(inner) => inner.kids.len() < INNER_MAX / 4,
        };
        if !few || self.kids.len() == 1 {
            return;
        }
        let left = if at + 1 < self.kids.len() { at } else { at - 1 };
        match &self.kids[left] {
            Child::Leaf(_) => self.join_leaves(left),
            Child::Inner(_) => self.join_inners(left),
        }
    }

    /// Makes one leaf of `left` and the next, or two of the same size.
    fn join_leaves(&mut self, left: usize) {
        let (ours, theirs) = (self.counts[left], self.counts[left + 1]);
        if ours + theirs <= JOINED_MAX {
            self.give_left(left + 1, theirs);
            self.remove_kid(left + 1);
        } else if ours < theirs {
            self.give_left(left + 1, (theirs - ours) / 2);
        } else {
            self.give_right(left, (ours - theirs) / 2);
        }
    }

    /// Makes one inner node of `left` and the next, if all their children fit.
    fn join_inners(&mut self, left: usize) {
        if self.kids[left].len() + self.kids[left + 1].len() > INNER_MAX {
            return;
        }
        let (key, count, next) = self.remove_kid(left + 1);
        let (Child::Inner(inner), Child::Inner(mut next)) = (&mut self.kids[left], next) else {
            return;
        };
        let (inner, next) = (Arc::make_mut(inner), Arc::make_mut(&mut next));
        // The first key of a node may have been undercut; the one above holds.
        if let Some(first) = next.keys.first_mut() {
            *first = key;
        }
        inner.keys.append(&mut next.keys);
        inner.counts.append(&mut next.counts);
        inner.kids.append(&mut next.kids);
        self.counts[left] += count;
    }

    /// Bytes allocated for the node and all below, without the elements.
    pub fn mem_bytes(&self) -> usize {
        let own = size_of::<Inner>()
            + self.keys.capacity() * size_of::<Key>()
            + self.counts.capacity() * size_of::<usize>()
            + self.kids.capacity() * size_of::<Child>();
        own + self.kids.iter().map(Child::mem_bytes).sum::<usize>()
    }
}

impl Child {
    /// Bytes allocated for the node and all below, without the elements.
    pub fn mem_bytes(&self) -> usize {
        /// The counters of an `Arc`.
        const COUNTERS: usize = 2 * size_of::<usize>();
        COUNTERS
            + match self {
                Child::Leaf(_) => size_of::<Leaf>(),
                Child::Inner(inner) => inner.mem_bytes(),
            }
    }
}
