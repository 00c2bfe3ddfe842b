//! The value of a set key: a sorted array of integers or one packed sequence while
//! small, a hash table when large.
//!
//! ```text
//! intset ---(first member that is no integer)---> listpack
//!    |                                               |
//!    +------(too many members, or too long a one)----+---> hashtable
//! ```
//!
//! The rules are those of Redis 7.2: a conversion happens where an addition exceeds
//! a limit, and none leads back. A command that adds several members announces how
//! many ([`Set::announce`]), so that `OBJECT ENCODING` answers as Redis does.
//!
//! Images ([`Set::image`]) share the segments of a large set and copy a small one.
//! [`Set::is_as`] tells whether a set is still as an image of it was taken, which
//! is what a computation without locks asks before it stores its result.
//!
//! What must stay true: members are distinct; a set value is never stored empty
//! (the caller deletes the key); rules are passed in with each change, since they
//! are settings, and sets of older ones stay valid.

mod algebra;
mod large;
mod random;
#[cfg(test)]
mod tests;

use crate::base::hash::KeyHasher;
use crate::base::num;

use super::intset::{self, IntSet};
use super::member::Member;
use super::packed::{self, Elem, Needle, Packed};
use super::table::{self, Ref};

use large::Large;

pub use algebra::{Difference, Intersection, difference, union};
pub use random::Taken;

/// A listpack of this size takes no further member, as in Redis.
const LISTPACK_BYTES_MAX: usize = 1 << 30;

/// How a set is kept; named as `OBJECT ENCODING` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// A sorted array of integers.
    Intset,
    /// One packed sequence.
    Listpack,
    /// A hash table.
    Hashtable,
}

impl Encoding {
    /// Redis's name of the encoding.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Intset => "intset",
            Encoding::Listpack => "listpack",
            Encoding::Hashtable => "hashtable",
        }
    }
}

/// Up to where a set stays small, and how a large one hashes.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'h> {
    /// `set-max-intset-entries`.
    pub intset_entries: usize,
    /// `set-max-listpack-entries`.
    pub listpack_entries: usize,
    /// `set-max-listpack-value`, in bytes.
    pub listpack_value: usize,
    /// The same for all sets of a server.
    pub hasher: &'h KeyHasher,
}

/// A set value.
#[derive(Debug)]
pub struct Set {
    repr: Repr,
}

#[derive(Debug)]
enum Repr {
    Ints(IntSet),
    Packed(Packed),
    Large(Box<Large>),
}

const _: () = assert!(size_of::<Set>() <= 40);

impl Default for Set {
    fn default() -> Set {
        Set {
            repr: Repr::Packed(Packed::new()),
        }
    }
}

impl From<IntSet> for Set {
    fn from(ints: IntSet) -> Set {
        Set {
            repr: Repr::Ints(ints),
        }
    }
}

impl From<Packed> for Set {
    /// The caller vouches that the elements are distinct.
    fn from(packed: Packed) -> Set {
        Set {
            repr: Repr::Packed(packed),
        }
    }
}

/// A set as it is kept, for those who save it as it is.
#[derive(Debug)]
pub enum View<'a> {
    Ints(&'a IntSet),
    Packed(&'a Packed),
    Large,
}

impl Set {
    /// An empty set; allocates nothing.
    pub fn new() -> Set {
        Set::default()
    }

    /// A set of these members, which need not be distinct, kept as Redis keeps one
    /// that was filled with them one by one.
    pub fn gather<'a>(members: impl Iterator<Item = Item<'a>>, rules: Rules<'_>) -> Set {
        let mut set = Set::from(IntSet::new());
        members.for_each(|member| {
            member.elem().with_bytes(|text| set.add(text, rules));
        });
        set
    }

    /// An empty hash table, for members that will be too many for less.
    pub fn large(rules: Rules<'_>) -> Set {
        Set {
            repr: Repr::Large(Box::new(Large::new(rules.hasher))),
        }
    }

    /// Number of members. O(1).
    #[inline]
    pub fn len(&self) -> usize {
        match &self.repr {
            Repr::Ints(ints) => ints.len(),
            Repr::Packed(packed) => packed.len(),
            Repr::Large(large) => large.len(),
        }
    }

    /// Whether there are no members. O(1).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the set is kept at present. O(1).
    pub fn encoding(&self) -> Encoding {
        match &self.repr {
            Repr::Ints(_) => Encoding::Intset,
            Repr::Packed(_) => Encoding::Listpack,
            Repr::Large(_) => Encoding::Hashtable,
        }
    }

    /// The set as it is kept.
    pub fn view(&self) -> View<'_> {
        match &self.repr {
            Repr::Ints(ints) => View::Ints(ints),
            Repr::Packed(packed) => View::Packed(packed),
            Repr::Large(_) => View::Large,
        }
    }

    /// The set as it is now, for a reader that works while writers go on. O(bytes)
    /// for a small one; O(N / 200) for a large one, which shares its segments.
    pub fn image(&self) -> Set {
        let repr = match &self.repr {
            Repr::Ints(ints) => Repr::Ints(ints.clone()),
            Repr::Packed(packed) => Repr::Packed(packed.clone()),
            Repr::Large(large) => Repr::Large(Box::new(large.image())),
        };
        Set { repr }
    }

    /// Whether `image` was taken of this set and it has not changed since. May say
    /// no where a change was undone. Costs what taking the image did.
    pub fn is_as(&self, image: &Set) -> bool {
        match (&self.repr, &image.repr) {
            (Repr::Ints(a), Repr::Ints(b)) => a == b,
            (Repr::Packed(a), Repr::Packed(b)) => a.entries() == b.entries(),
            (Repr::Large(a), Repr::Large(b)) => a.is_as(b),
            _ => false,
        }
    }

    /// Heap memory held, in bytes, shared or not, without the struct itself. O(1).
    pub fn mem_bytes(&self) -> usize {
        match &self.repr {
            Repr::Ints(ints) => ints.mem_bytes(),
            Repr::Packed(packed) => packed.mem_bytes(),
            Repr::Large(large) => size_of::<Large>() + large.mem_bytes(),
        }
    }

    /// Roughly how many allocations dropping the set frees. O(1).
    pub fn drop_effort(&self) -> usize {
        match &self.repr {
            Repr::Ints(_) | Repr::Packed(_) => 1,
            Repr::Large(large) => 1 + large.len(),
        }
    }

    /// Whether `text` is a member. O(log N) for an intset, O(bytes) for a listpack,
    /// else O(1).
    #[inline]
    pub fn contains(&self, text: &[u8]) -> bool {
        match &self.repr {
            Repr::Ints(ints) => num::parse_i64(text).is_some_and(|value| ints.contains(value)),
            Repr::Packed(packed) => packed.find(&Needle::new(text)).is_some(),
            Repr::Large(large) => large.contains(text),
        }
    }

    /// As [`Set::contains`], for a member of another set.
    #[inline]
    pub fn contains_elem(&self, elem: Elem<'_>) -> bool {
        match (&self.repr, elem) {
            (Repr::Ints(ints), Elem::Int(value)) => ints.contains(value),
            _ => elem.with_bytes(|text| self.contains(text)),
        }
    }

    /// All members, in no promised order (rising, for an intset).
    pub fn iter(&self) -> Iter<'_> {
        match &self.repr {
            Repr::Ints(ints) => Iter::Ints(ints, 0),
            Repr::Packed(packed) => Iter::Packed(packed.iter()),
            Repr::Large(large) => Iter::Large(large.iter()),
        }
    }

    /// Hands about `count` members to `each` and returns the cursor to go on with, 0
    /// at the end; a small set gives all at once. What is a member from the first to
    /// the last call is handed over exactly once.
    pub fn scan(&self, cursor: u64, count: usize, mut each: impl FnMut(Elem<'_>)) -> u64 {
        match &self.repr {
            Repr::Large(large) => large.scan(cursor, count, each),
            _ => {
                self.iter().for_each(|member| each(member.elem()));
                0
            }
        }
    }

    /// Prepares for the addition of `count` members, the first of which is `first`,
    /// by choosing the encoding that Redis chooses then.
    #[inline]
    pub fn announce(&mut self, first: &[u8], count: usize, rules: Rules<'_>) {
        let fits = match &self.repr {
            Repr::Large(_) => true,
            Repr::Ints(_) => count <= rules.intset_entries,
            Repr::Packed(packed) if packed.is_empty() => {
                if count <= rules.intset_entries && num::parse_i64(first).is_some() {
                    *self = IntSet::new().into();
                    return;
                }
                count <= rules.listpack_entries
            }
            Repr::Packed(_) => count <= rules.listpack_entries,
        };
        if !fits {
            self.enlarge(rules);
        }
    }

    /// Adds a member; whether it is new. Amortised O(1) for a large set, else
    /// O(bytes).
    #[inline]
    pub fn add(&mut self, text: &[u8], rules: Rules<'_>) -> bool {
        match &mut self.repr {
            Repr::Large(large) => large.insert(text),
            Repr::Packed(packed) => {
                if packed.find(&Needle::new(text)).is_some() {
                    return false;
                }
                if rules.allow_packed(packed, text.len()) {
                    packed.push_back(text);
                    return true;
                }
                self.enlarge(rules);
                self.add(text, rules)
            }
            Repr::Ints(ints) => {
                if let Some(value) = num::parse_i64(text) {
                    let added = ints.insert(value);
                    if ints.len() > rules.intset_entries.min(intset::LEN_MAX) {
                        self.enlarge(rules);
                    }
                    return added;
                }
                self.leave_ints(text.len(), rules);
                self.add(text, rules)
            }
        }
    }

    /// Removes a member; whether there was one. Costs what [`Set::contains`] does,
    /// and O(bytes) for a small set.
    #[inline]
    pub fn remove(&mut self, text: &[u8]) -> bool {
        match &mut self.repr {
            Repr::Ints(ints) => num::parse_i64(text).is_some_and(|value| ints.remove(value)),
            Repr::Packed(packed) => {
                let found = packed.find(&Needle::new(text));
                let at = found.and_then(|index| packed.index(index as i64));
                at.into_iter().for_each(|at| packed.remove(at));
                found.is_some()
            }
            Repr::Large(large) => large.remove(text),
        }
    }

    /// Becomes a hash table.
    #[cold]
    fn enlarge(&mut self, rules: Rules<'_>) {
        let mut large = Large::new(rules.hasher);
        self.iter().for_each(|member| {
            member.elem().with_bytes(|text| large.insert(text));
        });
        self.repr = Repr::Large(Box::new(large));
    }

    /// Stops being an intset because a text of this length is to be added.
    #[cold]
    fn leave_ints(&mut self, text_len: usize, rules: Rules<'_>) {
        let Repr::Ints(ints) = &self.repr else {
            return;
        };
        // As Redis estimates it: all numbers as long as the longest.
        let ends = [ints.get(0), ints.iter().next_back()];
        let longest = ends.into_iter().flatten().map(num::i64_text_len).max();
        let longest = longest.unwrap_or(0);
        let bytes = ints.len() * (longest + 2) + text_len;
        if ints.len() < rules.listpack_entries
            && text_len.max(longest) <= rules.listpack_value
            && bytes < LISTPACK_BYTES_MAX
        {
            let mut packed = Packed::new();
            (ints.iter()).for_each(|value| packed.push_back_elem(Elem::Int(value)));
            *self = packed.into();
        } else {
            self.enlarge(rules);
        }
    }
}

impl Rules<'_> {
    fn allow_packed(&self, packed: &Packed, text_len: usize) -> bool {
        packed.len() < self.listpack_entries
            && text_len <= self.listpack_value
            && packed.listpack_len() + text_len < LISTPACK_BYTES_MAX
    }

    /// Whether a set of so many members cannot be a small one.
    pub fn is_beyond_small(&self, len: usize) -> bool {
        len > self.intset_entries.max(self.listpack_entries)
    }
}

/// A member as it is read.
pub enum Item<'a> {
    Elem(Elem<'a>),
    Held(Ref<'a, Member>),
}

impl Item<'_> {
    /// What it is; a number may come as text.
    #[inline]
    pub fn elem(&self) -> Elem<'_> {
        match self {
            Item::Elem(elem) => *elem,
            Item::Held(member) => Elem::Str(member.bytes()),
        }
    }
}

/// The members of a set.
pub enum Iter<'a> {
    Ints(&'a IntSet, usize),
    Packed(packed::Iter<'a>),
    Large(table::Iter<'a, Member>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        match self {
            Iter::Large(members) => members.next().map(Item::Held),
            Iter::Packed(elems) => elems.next().map(Item::Elem),
            Iter::Ints(ints, at) => {
                let value = ints.get(*at)?;
                *at += 1;
                Some(Item::Elem(Elem::Int(value)))
            }
        }
    }
}

impl<'a> IntoIterator for &'a Set {
    type Item = Item<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
