//! The value of a list key: one packed sequence while small, a quicklist when
//! large.
//!
//! ```text
//! listpack --(an addition would exceed the limit)--------------> quicklist
//! listpack <--(a removal leaves one node of at most half of it)-- quicklist
//! ```
//!
//! The rules are those of Redis 7.2, and so is the gap between them: a list
//! that stays near the limit does not convert to and fro. Before an addition
//! the lengths of the new texts are counted, not their entries; a command
//! that adds several announces them all at once ([`List::push_all`]), so that
//! `OBJECT ENCODING` answers as Redis does.
//!
//! What must stay true: a list value is never stored empty (the caller deletes
//! the key); the limit is passed in with each change, since it is a setting
//! that may change between any two of them, and lists of older limits stay
//! valid.

#[cfg(test)]
mod tests;

use std::ops::Range as Indexes;

use super::packed::{Elem, Needle, Packed, Value};
use super::quicklist::{NodeView, QuickList};

pub use super::quicklist::{End, Limit, Range, Side};

/// How a list is kept; named as `OBJECT ENCODING` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// One packed sequence.
    Listpack,
    /// A directory of nodes.
    Quicklist,
}

impl Encoding {
    /// Redis's name of the encoding.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Listpack => "listpack",
            Encoding::Quicklist => "quicklist",
        }
    }
}

/// What LPOS asks for besides the element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// The first match to report: 1 is the first from the head, -1 the first
    /// from the tail, 2 the second, and so on; 0 matches nothing.
    pub rank: i64,
    /// The most matches to report; 0 for all.
    pub count: usize,
    /// The most elements to compare; 0 for all.
    pub max_len: usize,
}

/// A list value.
#[derive(Clone, Debug)]
pub struct List {
    repr: Repr,
}

#[derive(Clone, Debug)]
enum Repr {
    Packed(Packed),
    Quick(Box<QuickList>),
}

const _: () = assert!(size_of::<List>() <= 32);

impl Default for List {
    fn default() -> List {
        List {
            repr: Repr::Packed(Packed::new()),
        }
    }
}

impl From<Packed> for List {
    fn from(packed: Packed) -> List {
        List {
            repr: Repr::Packed(packed),
        }
    }
}

impl From<QuickList> for List {
    fn from(quick: QuickList) -> List {
        List {
            repr: Repr::Quick(Box::new(quick)),
        }
    }
}

impl List {
    /// An empty list; allocates nothing.
    pub fn new() -> List {
        List::default()
    }

    /// Number of elements. O(1).
    pub fn len(&self) -> usize {
        match &self.repr {
            Repr::Packed(packed) => packed.len(),
            Repr::Quick(quick) => quick.len(),
        }
    }

    /// Whether there are no elements. O(1).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the list is kept at present. O(1).
    pub fn encoding(&self) -> Encoding {
        match &self.repr {
            Repr::Packed(_) => Encoding::Listpack,
            Repr::Quick(_) => Encoding::Quicklist,
        }
    }

    /// The list as it is now, for a reader that works while writers go on.
    /// O(bytes) for a listpack, O(nodes) for a quicklist.
    pub fn image(&self) -> List {
        self.clone()
    }

    /// Whether `image` was taken of this list and it has not changed since. May say no
    /// where a change was undone. Costs what taking the image did.
    pub fn is_as(&self, image: &List) -> bool {
        match (&self.repr, &image.repr) {
            (Repr::Packed(a), Repr::Packed(b)) => a.entries() == b.entries(),
            (Repr::Quick(a), Repr::Quick(b)) => a.is_as(b),
            _ => false,
        }
    }

    /// Heap memory held, in bytes, shared or not, without the struct itself.
    /// O(nodes).
    pub fn mem_bytes(&self) -> usize {
        match &self.repr {
            Repr::Packed(packed) => packed.mem_bytes(),
            Repr::Quick(quick) => size_of::<QuickList>() + quick.mem_bytes(),
        }
    }

    /// Number of nodes; dropping the list takes about this many steps. O(1).
    pub fn node_count(&self) -> usize {
        match &self.repr {
            Repr::Packed(_) => 1,
            Repr::Quick(quick) => quick.node_count(),
        }
    }

    /// Roughly how many allocations dropping the list frees. O(1).
    pub fn drop_effort(&self) -> usize {
        1 + self.node_count()
    }

    /// The nodes from head to tail, for those who save them as they are.
    pub fn nodes(&self) -> impl Iterator<Item = NodeView<'_>> {
        let (one, many) = match &self.repr {
            Repr::Packed(packed) => (Some(NodeView::Packed(packed)), None),
            Repr::Quick(quick) => (None, Some(quick.nodes())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Adds one element at an end. Amortised O(length of `value`).
    #[inline]
    pub fn push(&mut self, end: End, value: &[u8], limit: Limit) {
        self.grow(value.len(), 1, limit);
        self.push_grown(end, value, limit);
    }

    /// Adds elements at an end, one after the other, so that several pushed
    /// at the head come to stand in reverse. Amortised O(bytes).
    pub fn push_all<'v, I>(&mut self, end: End, values: I, limit: Limit)
    where
        I: Iterator<Item = &'v [u8]> + Clone,
    {
        let (bytes, count) = values.clone().fold((0, 0), |(bytes, count), value| {
            (bytes + value.len(), count + 1)
        });
        self.grow(bytes, count, limit);
        values.for_each(|value| self.push_grown(end, value, limit));
    }

    /// Removes and returns the element at an end. Amortised O(its length).
    pub fn pop(&mut self, end: End, limit: Limit) -> Option<Value> {
        let value = match (&mut self.repr, end) {
            (Repr::Packed(packed), End::Head) => packed.pop_front(),
            (Repr::Packed(packed), End::Tail) => packed.pop_back(),
            (Repr::Quick(quick), end) => quick.pop(end),
        };
        self.shrink(limit);
        value
    }

    /// Hands the element at an end to `read` and removes it, without a copy.
    /// Several at once: read a range, then [`List::trim`].
    #[inline]
    pub fn pop_with<R>(
        &mut self,
        end: End,
        limit: Limit,
        read: impl FnOnce(Elem<'_>) -> R,
    ) -> Option<R> {
        let out = match (&mut self.repr, end) {
            (Repr::Packed(packed), End::Head) => packed.pop_front_with(read),
            (Repr::Packed(packed), End::Tail) => packed.pop_back_with(read),
            (Repr::Quick(quick), end) => quick.pop_with(end, read),
        };
        self.shrink(limit);
        out
    }

    /// The element with this index. O(elements of a node + nodes).
    pub fn get(&self, index: usize) -> Option<Elem<'_>> {
        match &self.repr {
            Repr::Packed(packed) => {
                let pos = packed.index(i64::try_from(index).ok()?)?;
                Some(packed.get(pos))
            }
            Repr::Quick(quick) => quick.get(index),
        }
    }

    /// As [`List::get`], owned; a huge element is shared, not copied.
    pub fn value(&self, index: usize) -> Option<Value> {
        match &self.repr {
            Repr::Packed(_) => self.get(index).map(|elem| elem.to_value()),
            Repr::Quick(quick) => quick.value(index),
        }
    }

    /// All elements, from either end.
    pub fn iter(&self) -> Range<'_> {
        self.range(0..self.len())
    }

    /// The elements of a range of indexes, from either end; what lies beyond
    /// the list is left out.
    #[inline]
    pub fn range(&self, indexes: Indexes<usize>) -> Range<'_> {
        match &self.repr {
            Repr::Packed(packed) => Range::of_packed(packed, indexes),
            Repr::Quick(quick) => quick.range(indexes),
        }
    }

    /// Replaces the element with this index; `false` if there is none.
    pub fn set(&mut self, index: usize, value: &[u8], limit: Limit) -> bool {
        self.grow(value.len(), 1, limit);
        let done = match &mut self.repr {
            Repr::Packed(packed) => set_packed(packed, index, value),
            Repr::Quick(quick) => quick.set(index, value, limit),
        };
        if done {
            self.shrink(limit);
        }
        done
    }

    /// Inserts an element beside the first one equal to `pivot` and returns
    /// the new length; `None` if there is none. O(N).
    pub fn insert(
        &mut self,
        side: Side,
        pivot: &[u8],
        value: &[u8],
        limit: Limit,
    ) -> Option<usize> {
        self.grow(value.len(), 1, limit);
        let pivot = Needle::new(pivot);
        match &mut self.repr {
            Repr::Packed(packed) => insert_packed(packed, side, &pivot, value),
            Repr::Quick(quick) => quick.insert(side, &pivot, value, limit),
        }
    }

    /// Removes elements equal to `value` and returns how many: `count` from
    /// the head if positive, from the tail if negative, all if zero. O(N).
    pub fn remove(&mut self, count: i64, value: &[u8], limit: Limit) -> usize {
        let from = if count < 0 { End::Tail } else { End::Head };
        let max = match count {
            0 => usize::MAX,
            count => usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX),
        };
        let needle = Needle::new(value);
        let removed = match &mut self.repr {
            Repr::Packed(packed) => packed.remove_matches(from == End::Tail, max, &needle),
            Repr::Quick(quick) => quick.remove(from, max, &needle, limit),
        };
        if removed > 0 {
            self.shrink(limit);
        }
        removed
    }

    /// Keeps only the elements of a range of indexes. O(elements removed) at
    /// most, O(nodes removed) for a quicklist.
    pub fn trim(&mut self, keep: Indexes<usize>, limit: Limit) {
        match &mut self.repr {
            Repr::Packed(packed) => {
                let start = keep.start.min(keep.end);
                packed.remove_range(keep.end, usize::MAX);
                packed.remove_range(0, start);
            }
            Repr::Quick(quick) => quick.trim(keep, limit),
        }
        self.shrink(limit);
    }

    /// The indexes of elements equal to `value`, in the order in which they
    /// are met: rising, or falling if the rank is negative. O(N).
    pub fn positions(&self, value: &[u8], search: Search) -> Vec<usize> {
        let needle = Needle::new(value);
        let max_len = if search.max_len == 0 {
            self.len()
        } else {
            search.max_len
        };
        let elems = self.iter().enumerate();
        if search.rank < 0 {
            matches(elems.rev().take(max_len), &needle, search)
        } else {
            matches(elems.take(max_len), &needle, search)
        }
    }

    #[inline]
    fn push_grown(&mut self, end: End, value: &[u8], limit: Limit) {
        match (&mut self.repr, end) {
            (Repr::Packed(packed), End::Head) => packed.push_front(value),
            (Repr::Packed(packed), End::Tail) => packed.push_back(value),
            (Repr::Quick(quick), end) => quick.push(end, value, limit),
        }
    }

    /// Becomes a quicklist if an addition of this size exceeds the limit.
    #[inline]
    fn grow(&mut self, add_bytes: usize, add_count: usize, limit: Limit) {
        if let Repr::Packed(packed) = &mut self.repr
            && !limit.allows(packed.listpack_len() + add_bytes, packed.len() + add_count)
        {
            *self = QuickList::from_packed(std::mem::take(packed)).into();
        }
    }

    /// Becomes a listpack again if one node within half the limit is left.
    #[inline]
    fn shrink(&mut self, limit: Limit) {
        if let Repr::Quick(quick) = &mut self.repr
            && let Some(packed) = quick.take_packed(limit.halved())
        {
            *self = packed.into();
        }
    }
}

impl<'a> IntoIterator for &'a List {
    type Item = Elem<'a>;
    type IntoIter = Range<'a>;

    fn into_iter(self) -> Range<'a> {
        self.iter()
    }
}

/// The index that a client's signed index names; -1 is the last element.
pub fn resolve_index(index: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    let index = if index < 0 { index + len } else { index };
    (0..len).contains(&index).then_some(index as usize)
}

/// The indexes that a client's signed, inclusive range names, cut to the
/// list; `None` if that is no element.
pub fn resolve_range(start: i64, stop: i64, len: usize) -> Option<Indexes<usize>> {
    let len = i64::try_from(len).ok()?;
    let from_head = |index: i64| if index < 0 { index + len } else { index };
    let start = from_head(start).max(0);
    let stop = from_head(stop).min(len - 1);
    (start <= stop).then(|| start as usize..stop as usize + 1)
}

fn matches<'a>(
    elems: impl Iterator<Item = (usize, Elem<'a>)>,
    needle: &Needle<'_>,
    search: Search,
) -> Vec<usize> {
    let Some(skip) = search.rank.unsigned_abs().checked_sub(1) else {
        return Vec::new();
    };
    let skip = usize::try_from(skip).unwrap_or(usize::MAX);
    let count = if search.count == 0 {
        usize::MAX
    } else {
        search.count
    };
    let found = elems
        .filter(|(_, elem)| elem.matches(needle))
        .map(|(index, _)| index);
    found.skip(skip).take(count).collect()
}

fn set_packed(packed: &mut Packed, index: usize, value: &[u8]) -> bool {
    let Some(pos) = i64::try_from(index)
        .ok()
        .and_then(|index| packed.index(index))
    else {
        return false;
    };
    packed.replace(pos, value);
    true
}

fn insert_packed(
    packed: &mut Packed,
    side: Side,
    pivot: &Needle<'_>,
    value: &[u8],
) -> Option<usize> {
    let pos = packed
        .find(pivot)
        .and_then(|index| packed.index(index as i64))?;
    match side {
        Side::Before => packed.insert_before(pos, value),
        Side::After => packed.insert_after(pos, value),
    }
    Some(packed.len())
}
