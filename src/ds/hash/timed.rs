//! A small hash whose fields may expire: the pairs, and a deadline for each field
//! in an array beside them.
//!
//! Eight bytes a field, and no walk over the pairs to find what is due. Redis
//! keeps the deadlines inside the sequence, sorted; for so few fields a scan of
//! the array is as quick, and the pairs stay what they are without deadlines.
//!
//! Must stay true: there are as many deadlines as fields, in their order; no
//! deadline is below `earliest`.

use super::NEVER;
use super::pairs::{Pairs, Place};

/// Pairs with deadlines.
#[derive(Clone, Debug)]
pub(super) struct Timed {
    pub(super) pairs: Pairs,
    deadlines: Vec<i64>,
    pub(super) earliest: i64,
}

impl Timed {
    /// Gives every field of `pairs` the deadline [`NEVER`]. O(fields).
    pub(super) fn of(pairs: Pairs) -> Timed {
        Timed {
            deadlines: vec![NEVER; pairs.len()],
            pairs,
            earliest: NEVER,
        }
    }

    /// Whether both are the same fields with the same deadlines. O(bytes).
    pub(super) fn is_as(&self, other: &Timed) -> bool {
        self.pairs.is_as(&other.pairs) && self.deadlines == other.deadlines
    }

    #[inline]
    pub(super) fn deadline(&self, index: usize) -> i64 {
        self.deadlines[index]
    }

    pub(super) fn set_deadline(&mut self, index: usize, deadline: i64) {
        self.deadlines[index] = deadline;
        self.earliest = self.earliest.min(deadline);
    }

    pub(super) fn push(&mut self, name: &[u8], value: &[u8], deadline: i64) {
        self.pairs.push(name, value);
        self.deadlines.push(deadline);
        self.earliest = self.earliest.min(deadline);
    }

    pub(super) fn remove(&mut self, place: Place) {
        self.pairs.remove(place);
        self.deadlines.remove(place.index);
    }

    pub(super) fn deadlines(&self) -> impl Iterator<Item = i64> {
        self.deadlines.iter().copied()
    }

    /// Removes the fields whose deadline is up to `now` and hands their names to
    /// `gone`. O(bytes).
    pub(super) fn remove_due(&mut self, now: i64, mut gone: impl FnMut(&[u8])) {
        let mut index = 0;
        let mut names = true;
        let deadlines = &self.deadlines;
        self.pairs.0.retain(|elem| {
            let due = deadlines[index] <= now;
            if due && names {
                elem.with_bytes(&mut gone);
            }
            index += usize::from(!names);
            names = !names;
            !due
        });
        self.deadlines.retain(|&deadline| deadline > now);
        self.earliest = self.deadlines().min().unwrap_or(NEVER);
    }

    pub(super) fn mem_bytes(&self) -> usize {
        size_of::<Timed>() + self.pairs.0.mem_bytes() + self.deadlines.capacity() * 8
    }
}
