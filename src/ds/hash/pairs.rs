//! A small hash: fields and values by turns in one packed sequence.
//!
//! A field is found by walking, which for the few fields that such a hash may have
//! is as quick as hashing. Fields have numbers, by which the deadlines beside the
//! sequence are found (see `timed`).
//!
//! Must stay true: the number of elements is even, and no name stands twice.

use crate::ds::packed::{Elem, Needle, Packed, Pos};

/// Where a field stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) index: usize,
    name: Pos,
    value: Pos,
}

/// Fields and values by turns.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs(pub(super) Packed);

impl Pairs {
    /// An empty one with room for about so many bytes.
    pub(super) fn with_room(bytes: usize) -> Pairs {
        Pairs(Packed::with_room(bytes, false))
    }

    /// Whether both are the same bytes. O(bytes).
    pub(super) fn is_as(&self, other: &Pairs) -> bool {
        self.0.entries() == other.0.entries()
    }

    /// Number of fields. O(1).
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.len() / 2
    }

    /// Where the field of this name stands. O(bytes).
    #[inline]
    pub(super) fn find(&self, name: &[u8]) -> Option<Place> {
        let needle = Needle::new(name);
        let mut next = self.0.first();
        let mut index = 0;
        while let Some(name) = next {
            let value = self.0.next(name)?;
            if self.0.get(name).matches(&needle) {
                return Some(Place { index, name, value });
            }
            next = self.0.next(value);
            index += 1;
        }
        None
    }

    #[inline]
    pub(super) fn value(&self, place: Place) -> Elem<'_> {
        self.0.get(place.value)
    }

    /// The field with this number. O(distance to the nearer end).
    pub(super) fn get(&self, index: usize) -> Option<(Elem<'_>, Elem<'_>)> {
        let mut elems = self.0.iter_from(index * 2);
        Some((elems.next()?, elems.next()?))
    }

    /// Adds a field that is absent. Amortised O(length).
    #[inline]
    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) {
        self.0.push_back(name);
        self.0.push_back(value);
    }

    /// Replaces a value. O(bytes to the nearer end).
    #[inline]
    pub(super) fn replace(&mut self, place: Place, value: &[u8]) {
        self.0.replace(place.value, value);
    }

    /// Removes a field. O(bytes to the nearer end).
    pub(super) fn remove(&mut self, place: Place) {
        self.0.remove(place.value);
        self.0.remove(place.name);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Elem<'_>, Elem<'_>)> {
        let mut elems = self.0.iter();
        std::iter::from_fn(move || Some((elems.next()?, elems.next()?)))
    }
}
