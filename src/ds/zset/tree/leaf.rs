//! A leaf: scores and elements in order, side by side in one allocation.

use std::ops::Range;

use super::super::member::Member;

/// Elements of a full leaf: with the counters of its `Arc` it fills 1016 bytes, just
/// below an allocator's class of 1024.
pub const LEAF_MAX: usize = 62;

/// A run of elements. It may begin behind the first place, so that taking out its first
/// element again and again moves nothing.
#[derive(Clone)]
pub struct Leaf {
    /// The place of the first element.
    start: u32,
    len: u32,
    scores: [f64; LEAF_MAX],
    /// Set from `start` on, `len` of them.
    members: [Option<Member>; LEAF_MAX],
}

impl Leaf {
    /// An empty leaf.
    pub fn new() -> Leaf {
        Leaf {
            start: 0,
            len: 0,
            scores: [0.0; LEAF_MAX],
            members: [const { None }; LEAF_MAX],
        }
    }

    /// Number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// The places of the elements.
    #[inline]
    fn places(&self) -> Range<usize> {
        self.start as usize..self.start as usize + self.len()
    }

    /// Moves the elements to the first places.
    #[cold]
    fn move_to_front(&mut self) {
        let places = self.places();
        self.scores.copy_within(places.clone(), 0);
        self.members[..places.end].rotate_left(places.start);
        self.start = 0;
    }

    /// The element at `at`, which is below the length.
    #[inline]
    pub fn get(&self, at: usize) -> (f64, &Member) {
        let place = self.start as usize + at;
        match &self.members[place] {
            Some(member) => (self.scores[place], member),
            None => unreachable!("a place behind the elements of a leaf"),
        }
    }

    /// How many elements from the start satisfy `before`, which holds up to some
    /// element and not beyond. O(log n).
    #[inline]
    pub fn partition(&self, before: &mut impl FnMut(f64, &Member) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
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
        debug_assert!(self.len() < LEAF_MAX && at <= self.len());
        if self.places().end == LEAF_MAX {
            self.move_to_front();
        }
        let (place, end) = (self.start as usize + at, self.places().end);
        self.scores.copy_within(place..end, place + 1);
        self.scores[place] = score;
        self.members[place..=end].rotate_right(1);
        self.members[place] = Some(member);
        self.len += 1;
    }

    /// Appends an element; there is room.
    pub fn push(&mut self, score: f64, member: Member) {
        self.insert(self.len(), score, member);
    }

    /// Takes the element at `at` out.
    #[inline]
    pub fn remove(&mut self, at: usize) -> (f64, Member) {
        let (place, end) = (self.start as usize + at, self.places().end);
        let score = self.scores[place];
        let Some(member) = self.members[place].take() else {
            unreachable!("a place behind the elements of a leaf")
        };
        if at == 0 {
            self.start += 1;
        } else {
            self.scores.copy_within(place + 1..end, place);
            self.members[place..end].rotate_left(1);
        }
        self.len -= 1;
        (score, member)
    }

    /// Moves the last `count` elements to the front of `next`, which has room.
    pub fn give_to_next(&mut self, next: &mut Leaf, count: usize) {
        debug_assert!(count <= self.len() && next.len() + count <= LEAF_MAX);
        self.move_to_front();
        next.move_to_front();
        let (len, from) = (next.len(), self.len() - count);
        next.scores.copy_within(0..len, count);
        next.members[..len + count].rotate_right(count);
        next.scores[..count].copy_from_slice(&self.scores[from..from + count]);
        let given = &mut self.members[from..from + count];
        for (to, from) in next.members.iter_mut().zip(given) {
            *to = from.take();
        }
        self.len -= count as u32;
        next.len += count as u32;
    }

    /// Moves the first `count` elements to the end of `previous`, which has room.
    pub fn give_to_previous(&mut self, previous: &mut Leaf, count: usize) {
        debug_assert!(count <= self.len() && previous.len() + count <= LEAF_MAX);
        self.move_to_front();
        previous.move_to_front();
        let to = previous.len();
        previous.scores[to..to + count].copy_from_slice(&self.scores[..count]);
        let places = previous.members[to..].iter_mut();
        for (to, from) in places.zip(&mut self.members[..count]) {
            *to = from.take();
        }
        self.start = count as u32;
        self.len -= count as u32;
        previous.len += count as u32;
    }
}
