//! The value of a sorted set key: one packed sequence while small, a table and a tree
//! when large.
//!
//! ```text
//! listpack --(an element too many, or a member too long)--> skiplist
//! ```
//!
//! There is no way back, as in Redis: only a set that is made as a whole (ZUNIONSTORE)
//! takes the smallest form that fits. The names are Redis's; the large form is a B-tree
//! with ranks (tree.rs) beside a hash table (indexed.rs), over shared elements
//! (member.rs).
//!
//! An [image](ZSet::image) is for readers who work while writers go on. It has the order
//! alone, so it costs O(1) and knows no look-up by text; whoever changes one turns it into
//! a set of its own first. [`ZSet::copied`] is that set.
//!
//! What must stay true: a sorted set is never stored empty (the caller deletes the key);
//! no score is NaN; the limits are passed in with each change, since they are settings,
//! and sets of older limits stay valid.

mod indexed;
mod member;
mod pairs;
mod span;
#[cfg(test)]
mod tests;
mod tree;

use std::ops::Range as Ranks;

use indexed::Indexed;
use member::Member;
use tree::Tree;

use super::packed::{Elem, Packed};

pub use span::{LexBound, LexRange, ScoreRange, Span};

/// How a sorted set is kept; named as `OBJECT ENCODING` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// One packed sequence.
    Listpack,
    /// A table and a tree.
    Skiplist,
}

impl Encoding {
    /// Redis's name of the encoding.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Listpack => "listpack",
            Encoding::Skiplist => "skiplist",
        }
    }
}

/// How large a packed sorted set may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most elements.
    pub entries: usize,
    /// Longest member in bytes.
    pub value: usize,
}

/// One element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'a> {
    pub member: Elem<'a>,
    pub score: f64,
}

/// What has become of an element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// It is as it was, since none was wanted.
    Refused,
    /// It had this score already.
    Kept(f64),
    /// It is new, with this score.
    Added(f64),
    /// It has this score now.
    Moved(f64),
}

/// A sorted set.
#[derive(Debug)]
pub struct ZSet {
    repr: Repr,
}

#[derive(Debug)]
enum Repr {
    Packed(Packed),
    Large(Box<Large>),
}

#[derive(Debug)]
enum Large {
    Indexed(Indexed),
    /// The order alone: an image.
    Image(Tree),
}

impl Large {
    fn of_sorted(elements: impl Iterator<Item = (f64, Member)>) -> Repr {
        Repr::Large(Box::new(Large::Indexed(Indexed::from_sorted(elements))))
    }

    fn tree(&self) -> &Tree {
        match self {
            Large::Indexed(indexed) => indexed.tree(),
            Large::Image(tree) => tree,
        }
    }
}

/// What there is to read in order.
enum Order<'a> {
    Packed(&'a Packed),
    Tree(&'a Tree),
}

const _: () = assert!(size_of::<ZSet>() <= 32);

impl Default for ZSet {
    fn default() -> ZSet {
        ZSet {
            repr: Repr::Packed(Packed::new()),
        }
    }
}

impl ZSet {
    /// An empty set; allocates nothing.
    pub fn new() -> ZSet {
        ZSet::default()
    }

    /// A set of elements that come in order, each member once, in the smallest form
    /// that fits. O(n).
    pub fn from_sorted(elements: &[(f64, impl AsRef<[u8]>)], limits: Limits) -> ZSet {
        let longest = elements.iter().map(|(_, m)| m.as_ref().len()).max();
        let fits = elements.len() <= limits.entries && longest.unwrap_or(0) <= limits.value;
        let repr = if fits {
            let mut packed = Packed::new();
            for (score, member) in elements {
                pairs::push(&mut packed, member.as_ref(), *score);
            }
            Repr::Packed(packed)
        } else {
            let members = (elements.iter())
                .map(|(score, member)| (*score, Member::new(member.as_ref(), *score)));
            Large::of_sorted(members)
        };
        ZSet { repr }
    }

    /// A set that is kept as this sequence of members and scores; `None` if it is none:
    /// a score that is no number, a wrong order, a member twice. O(n log n).
    pub fn from_listpack(packed: Packed) -> Option<ZSet> {
        let repr = Repr::Packed(packed);
        match &repr {
            Repr::Packed(packed) if pairs::is_valid(packed) => Some(ZSet { repr }),
            _ => None,
        }
    }

    /// The sequence of members and scores, of a set that is kept as one.
    pub fn listpack(&self) -> Option<&Packed> {
        match &self.repr {
            Repr::Packed(packed) => Some(packed),
            _ => None,
        }
    }

    fn order(&self) -> Order<'_> {
        match &self.repr {
            Repr::Packed(packed) => Order::Packed(packed),
            Repr::Large(large) => Order::Tree(large.tree()),
        }
    }

    /// Number of elements. O(1).
    pub fn len(&self) -> usize {
        match self.order() {
            Order::Packed(packed) => packed.len() / 2,
            Order::Tree(tree) => tree.len(),
        }
    }

    /// Whether there are no elements. O(1).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the set is kept at present. O(1).
    pub fn encoding(&self) -> Encoding {
        match self.order() {
            Order::Packed(_) => Encoding::Listpack,
            Order::Tree(_) => Encoding::Skiplist,
        }
    }

    /// The set as it is now, for a reader that works while writers go on; good for
    /// everything in order. O(bytes) for a listpack, else O(1).
    pub fn image(&self) -> ZSet {
        ZSet {
            repr: match self.order() {
                Order::Packed(packed) => Repr::Packed(packed.clone()),
                Order::Tree(tree) => Repr::Large(Box::new(Large::Image(tree.clone()))),
            },
        }
    }

    /// A set with the same elements that shares nothing with this one. O(n).
    pub fn copied(&self) -> ZSet {
        ZSet {
            repr: match self.order() {
                Order::Packed(packed) => Repr::Packed(packed.clone()),
                Order::Tree(tree) => {
                    let elements = tree.range(0..tree.len());
                    let copies = elements.map(|(s, m)| (s, Member::new(m.bytes(), s)));
                    Large::of_sorted(copies)
                }
            },
        }
    }

    /// Whether nothing has changed since `image` was taken of this set. Compares a
    /// listpack, else O(1).
    pub fn is_as(&self, image: &ZSet) -> bool {
        match (self.order(), image.order()) {
            (Order::Packed(a), Order::Packed(b)) => a.entries() == b.entries(),
            (Order::Tree(a), Order::Tree(b)) => a.is_as(b),
            _ => false,
        }
    }

    /// Heap memory held, in bytes, without the struct itself. O(nodes).
    pub fn mem_bytes(&self) -> usize {
        match &self.repr {
            Repr::Packed(packed) => packed.mem_bytes(),
            Repr::Large(large) => match &**large {
                Large::Indexed(indexed) => size_of::<Large>() + indexed.mem_bytes(),
                Large::Image(tree) => size_of::<Large>() + tree.mem_bytes(),
            },
        }
    }

    /// Roughly how many allocations dropping the set frees. O(1).
    pub fn drop_effort(&self) -> usize {
        match &self.repr {
            Repr::Packed(_) => 1,
            Repr::Large(large) => match &**large {
                Large::Indexed(indexed) => 1 + indexed.drop_effort(),
                Large::Image(tree) => 1 + tree.len(),
            },
        }
    }

    /// The score of a member. O(n) for a listpack and for an image, else O(1).
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match &self.repr {
            Repr::Packed(packed) => pairs::find(packed, member).map(|found| found.score),
            Repr::Large(large) => match &**large {
                Large::Indexed(indexed) => indexed.score(member),
                Large::Image(tree) => {
                    let mut elements = tree.range(0..tree.len());
                    elements
                        .find(|(_, m)| m.bytes() == member)
                        .map(|(score, _)| score)
                }
            },
        }
    }

    /// How many elements come before a member, and its score. O(log n), or as
    /// [`ZSet::score`].
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        match self.order() {
            Order::Packed(packed) => {
                pairs::find(packed, member).map(|found| (found.rank, found.score))
            }
            Order::Tree(tree) => {
                let score = self.score(member)?;
                Some((tree.rank(score, member), score))
            }
        }
    }

    /// The ranks of the elements in a span. O(log n), or O(n) for a listpack.
    pub fn ranks(&self, span: &Span<'_>) -> Ranks<usize> {
        if span.is_empty() {
            return 0..0;
        }
        let (start, end) = match (self.order(), span) {
            (Order::Packed(packed), Span::Score(range)) => (
                pairs::partition(packed, |entry| range.is_behind(entry.score)),
                pairs::partition(packed, |entry| range.reaches(entry.score)),
            ),
            (Order::Packed(packed), Span::Lex(range)) => (
                pairs::partition(packed, |e| {
                    e.member.with_bytes(|text| range.is_behind(text))
                }),
                pairs::partition(packed, |e| e.member.with_bytes(|text| range.reaches(text))),
            ),
            (Order::Tree(tree), Span::Score(range)) => (
                tree.partition(|score, _| range.is_behind(score)),
                tree.partition(|score, _| range.reaches(score)),
            ),
            (Order::Tree(tree), Span::Lex(range)) => (
                tree.partition(|_, member| range.is_behind(member.bytes())),
                tree.partition(|_, member| range.reaches(member.bytes())),
            ),
        };
        start..end.max(start)
    }

    /// All elements, from either end.
    pub fn iter(&self) -> Entries<'_> {
        self.range(0..self.len())
    }

    /// The elements of a range of ranks, from either end; what lies beyond the set is
    /// left out. O(log n) to begin with.
    pub fn range(&self, ranks: Ranks<usize>) -> Entries<'_> {
        let end = ranks.end.min(self.len());
        let start = ranks.start.min(end);
        Entries(match self.order() {
            Order::Packed(packed) => Walk::Packed {
                front: pairs::from(packed, start),
                back: pairs::to(packed, end),
                left: end - start,
            },
            Order::Tree(tree) => Walk::Tree(tree.range(start..end)),
        })
    }

    /// The element of this rank. O(log n), or O(n) for a listpack.
    pub fn get(&self, rank: usize) -> Option<Entry<'_>> {
        self.range(rank..rank.saturating_add(1)).next()
    }

    /// Announces that elements are about to be added, the longest among the first of
    /// them of `len` bytes: Redis chooses the form of a new set by that.
    pub fn expect(&mut self, count: usize, len: usize, limits: Limits) {
        let is_new = self.is_empty();
        if count > limits.entries || is_new && len > limits.value {
            self.index();
        }
    }

    /// Asks `decide` which score a member shall have, given the one it has, and sets
    /// it; `None` leaves all as it is. O(log n), or O(n) for a listpack.
    pub fn upsert(
        &mut self,
        member: &[u8],
        limits: Limits,
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> Change {
        let packed = match &mut self.repr {
            Repr::Packed(packed) => packed,
            _ => return self.index().upsert(member, decide),
        };
        let found = pairs::find(packed, member);
        let old = found.as_ref().map(|found| found.score);
        let Some(new) = decide(old) else {
            return Change::Refused;
        };
        match found {
            Some(found) if found.score == new => Change::Kept(new),
            Some(found) => {
                pairs::remove(packed, &found);
                pairs::insert(packed, member, new);
                Change::Moved(new)
            }
            None if packed.len() / 2 < limits.entries && member.len() <= limits.value => {
                pairs::insert(packed, member, new);
                Change::Added(new)
            }
            None => self.index().upsert(member, |_| Some(new)),
        }
    }

    /// Takes a member out; its score. O(log n), or O(n) for a listpack.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match &mut self.repr {
            Repr::Packed(packed) => {
                let found = pairs::find(packed, member)?;
                pairs::remove(packed, &found);
                Some(found.score)
            }
            _ => self.index().remove(member),
        }
    }

    /// Takes out the element of this rank and hands it to `read`; `None` if there is
    /// none. O(log n), or O(n) for a listpack.
    pub fn take<R>(&mut self, rank: usize, read: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
        if let Repr::Packed(packed) = &mut self.repr {
            let entry = pairs::from(packed, rank).next();
            let taken = entry.map(read);
            packed.remove_range(2 * rank, 2 * usize::from(taken.is_some()));
            return taken;
        }
        let indexed = self.index();
        indexed.foresee(rank);
        let (score, member) = indexed.remove_rank(rank)?;
        Some(read(of_tree((score, &member))))
    }

    /// Takes out the elements of a range of ranks; how many. O(log n) for each, or
    /// O(n) for a listpack; many of them leave later ([`ZSet::sweep`]), at O(log n) for
    /// all.
    pub fn remove_ranks(&mut self, ranks: Ranks<usize>) -> usize {
        /// From here on a cut is less work.
        const CUT_MIN: usize = 32;
        let end = ranks.end.min(self.len());
        let count = end.saturating_sub(ranks.start);
        match &mut self.repr {
            Repr::Packed(packed) => {
                packed.remove_range(2 * ranks.start, 2 * count);
            }
            _ if count >= CUT_MIN => self.index().cut(ranks.start..end),
            _ => {
                let indexed = self.index();
                for _ in 0..count {
                    indexed.remove_rank(ranks.start);
                }
            }
        }
        count
    }

    /// Goes on with what [`ZSet::remove_ranks`] has begun, for up to `max` elements;
    /// whether there is more. O(log n) for each.
    pub fn sweep(&mut self, max: usize) -> bool {
        match &mut self.repr {
            Repr::Large(large) => match &mut **large {
                Large::Indexed(indexed) => indexed.sweep(max),
                Large::Image(_) => false,
            },
            Repr::Packed(_) => false,
        }
    }

    /// Reports some elements, all of a listpack, and says where to go on. Start with
    /// zero; zero again is the end. An element present throughout is reported exactly
    /// once. Not for images.
    pub fn scan(&self, cursor: u64, mut each: impl FnMut(Entry<'_>)) -> u64 {
        if let Repr::Large(large) = &self.repr
            && let Large::Indexed(indexed) = &**large
        {
            return indexed.scan(cursor, |member| each(of_tree((member.score(), member))));
        }
        self.iter().for_each(each);
        0
    }

    /// The large form, which a set in another one takes now.
    fn index(&mut self) -> &mut Indexed {
        let is_indexed = |large: &Large| matches!(large, Large::Indexed(_));
        if !matches!(&self.repr, Repr::Large(large) if is_indexed(large)) {
            let elements = (self.iter()).map(|Entry { member, score }| {
                (score, member.with_bytes(|text| Member::new(text, score)))
            });
            self.repr = Large::of_sorted(elements);
        }
        if let Repr::Large(large) = &mut self.repr
            && let Large::Indexed(indexed) = &mut **large
        {
            return indexed;
        }
        unreachable!("it is indexed by now")
    }
}

/// Elements in order, from either end.
#[derive(Clone)]
pub struct Entries<'a>(Walk<'a>);

#[derive(Clone)]
enum Walk<'a> {
    /// Two walks towards each other, as the ends are found from the nearer side.
    Packed {
        front: pairs::Pairs<'a>,
        back: pairs::Pairs<'a>,
        left: usize,
    },
    Tree(tree::Range<'a>),
}

fn of_tree<'a>((score, member): (f64, &'a Member)) -> Entry<'a> {
    Entry {
        member: Elem::Str(member.bytes()),
        score,
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        match &mut self.0 {
            Walk::Packed { front, left, .. } => {
                *left = left.checked_sub(1)?;
                front.next()
            }
            Walk::Tree(range) => range.next().map(of_tree),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.0 {
            Walk::Packed { left, .. } => *left,
            Walk::Tree(range) => range.len(),
        };
        (left, Some(left))
    }
}

impl<'a> DoubleEndedIterator for Entries<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Entry<'a>> {
        match &mut self.0 {
            Walk::Packed { back, left, .. } => {
                *left = left.checked_sub(1)?;
                back.next_back()
            }
            Walk::Tree(range) => range.next_back().map(of_tree),
        }
    }
}

impl ExactSizeIterator for Entries<'_> {}
