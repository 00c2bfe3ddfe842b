//! A leaf: scores and elements in order, side by side in one allocation.

use super::super::member::Member;

/// Elements of a full leaf: with the counters of its `Arc` it fills 1016 bytes, just
/// below an allocator's class of 1024.
pub const LEAF_MAX: usize = 62;

/// A run of elements.
#[derive(Clone)]
pub struct Leaf {
    len: usize,
    scores: [f64; LEAF_MAX],
    /// Set up to `len`.
    members: [Option<Member>; LEAF_MAX],
}

impl Leaf {
    /// An empty leaf.
    pub fn new() -> Leaf {
        Leaf {
            len: 0,
            scores: [0.0; LEAF_MAX],
            members: [const { None }; LEAF_MAX],
        }
    }

    /// Number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// The element at `at`, which is below the length.
    #[inline]
    pub fn get(&self, at: usize) -> (f64, &Member) {
        match &self.members[at] {
            Some(member) => (self.scores[at], member),
            None => unreachable!("a place behind the elements of a leaf"),
        }
    }

    /// How many elements from the start satisfy `before`, which holds up to some
    /// element and not beyond. O(log n).
    #[inline]
    pub fn partition(&self, before: &mut impl FnMut(f64, &Member) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = (low + high) / 2;
            let (score, member) = self.get(middle);
            if before(score, member) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Inserts an element before the one at `at`; there is room.
    #[inline]
    pub fn insert(&mut self, at: usize, score: f64, member: Member) {
        debug_assert!(self.len < LEAF_MAX && at <= self.len);
        self.scores.copy_within(at..self.len, at + 1);
        self.scores[at] = score;
        self.members[at..=self.len].rotate_right(1);
        self.members[at] = Some(member);
        self.len += 1;
    }

    /// Appends an element; there is room.
    pub fn push(&mut self, score: f64, member: Member) {
        self.insert(self.len, score, member);
    }

    /// Takes the element at `at` out.
    #[inline]
    pub fn remove(&mut self, at: usize) -> (f64, Member) {
        let score = self.scores[at];
        let Some(member) = self.members[at].take() else {
            unreachable!("a place behind the elements of a leaf")
        };
        self.scores.copy_within(at + 1..self.len, at);
        self.members[at..self.len].rotate_left(1);
        self.len -= 1;
        (score, member)
    }

    /// Moves the last `count` elements to the front of `next`, which has room.
    pub fn give_to_next(&mut self, next: &mut Leaf, count: usize) {
        debug_assert!(count <= self.len && next.len + count <= LEAF_MAX);
        let from = self.len - count;
        next.scores.copy_within(0..next.len, count);
        next.members[..next.len + count].rotate_right(count);
        next.scores[..count].copy_from_slice(&self.scores[from..self.len]);
        for (to, from) in next
            .members
            .iter_mut()
            .zip(&mut self.members[from..self.len])
        {
            *to = from.take();
        }
        self.len = from;
        next.len += count;
    }

    /// Moves the first `count` elements to the end of `previous`, which has room.
    pub fn give_to_previous(&mut self, previous: &mut Leaf, count: usize) {
        debug_assert!(count <= self.len && previous.len + count <= LEAF_MAX);
        let to = previous.len;
        previous.scores[to..to + count].copy_from_slice(&self.scores[..count]);
        let places = previous.members[to..].iter_mut();
        for (to, from) in places.zip(&mut self.members[..count]) {
            *to = from.take();
        }
        self.scores.copy_within(count..self.len, 0);
        self.members[..self.len].rotate_left(count);
        self.len -= count;
        previous.len += count;
    }
}
