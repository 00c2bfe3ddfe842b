//! A large sorted set: a table finds elements by their text, a tree keeps them in
//! order, and both hold the same elements.
//!
//! Redis calls this encoding `skiplist`. A look-up by text costs the table's two lines
//! and the element; everything about order is the tree's.
//!
//! Elements that go together by rank ([`Indexed::cut`]) leave the tree at once and the
//! table little by little: [`Indexed::sweep`] takes some out, and so does every change.
//! As long as there are such *leaving* elements, what is found in the table counts only
//! if the tree holds it too.
//!
//! Must stay true: the table holds the elements of the tree and of `leaving`, of equal
//! texts only the one that came last.

use std::ops::Range;
use std::sync::LazyLock;

use super::Change;
use super::member::Member;
use super::tree::{Pick, Tree};
use crate::base::hash::KeyHasher;
use crate::ds::table::{Entry as Slot, Table};

/// The hash of members: one seed for the process, which nobody outside knows.
static HASHER: LazyLock<KeyHasher> = LazyLock::new(KeyHasher::random);

/// How many removals ahead an element is fetched.
const ELEMENT_AHEAD: usize = 8;
/// How many removals ahead its place in the table is, by the text that is there then.
const BUCKET_AHEAD: usize = 4;

/// Leaving elements that each change takes out of the table.
const SWEPT_PER_CHANGE: usize = 4;

fn hash_of(member: &Member) -> u64 {
    HASHER.hash(member.bytes())
}

/// Whether the tree holds this very element. O(log n).
fn holds(tree: &Tree, member: &Member) -> bool {
    let rank = tree.rank(member.score(), member.bytes());
    (tree.get(rank)).is_some_and(|(_, found)| found.is(member))
}

/// See the head of the file.
#[derive(Debug)]
pub struct Indexed {
    tree: Tree,
    table: Index,
    /// Elements that have left the tree and are still in the table.
    leaving: Vec<Tree>,
    /// Bytes of the elements.
    member_bytes: usize,
}

struct Index(Table<Member>);

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}

impl Indexed {
    /// A set of elements that come in order, each once. O(n).
    pub fn from_sorted(elements: impl Iterator<Item = (f64, Member)>) -> Indexed {
        let tree = Tree::from_sorted(elements);
        let mut table = Table::new(0);
        let mut member_bytes = 0;
        for (_, member) in tree.range(0..tree.len()) {
            member_bytes += Member::size_of(member.bytes().len());
            table.insert_new(hash_of(member), member.clone(), hash_of);
        }
        Indexed {
            tree,
            table: Index(table),
            leaving: Vec::new(),
            member_bytes,
        }
    }

    /// The order of the elements.
    #[inline]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The score of the element with this text. O(1), or O(log n) while elements are
    /// leaving.
    pub fn score(&self, text: &[u8]) -> Option<f64> {
        let found = (self.table.0).find(HASHER.hash(text), |member| member.bytes() == text)?;
        self.is_live(&found).then(|| found.score())
    }

    #[inline]
    fn is_live(&self, member: &Member) -> bool {
        self.leaving.is_empty() || holds(&self.tree, member)
    }

    /// Asks `decide` which score an element shall have, given the one it has, and
    /// sets it. O(log n).
    pub fn upsert(
        &mut self,
        text: &[u8],
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> Change {
        self.sweep(SWEPT_PER_CHANGE);
        let entry = (self.table.0).entry(HASHER.hash(text), |member| member.bytes() == text);
        let (old, place) = match entry {
            Slot::Occupied(slot) if self.leaving.is_empty() || holds(&self.tree, &slot.get()) => {
                (Some(slot.get().score()), None)
            }
            absent => (None, Some(absent)),
        };
        let Some(new) = decide(old) else {
            return Change::Refused;
        };
        match (old, place) {
            (Some(old), _) if old == new => Change::Kept(old),
            (Some(old), _) => {
                self.rescore(text, old, new);
                Change::Moved(new)
            }
            (None, place) => {
                let member = Member::new(text, new);
                self.member_bytes += Member::size_of(text.len());
                match place {
                    Some(Slot::Vacant(vacant)) => vacant.insert(member.clone(), hash_of),
                    Some(Slot::Occupied(mut leaving)) => drop(leaving.replace(member.clone())),
                    None => {}
                }
                self.tree.insert(new, member);
                Change::Added(new)
            }
        }
    }

    fn rescore(&mut self, text: &[u8], old: f64, new: f64) {
        if let Some((_, member)) = self.tree.remove(Pick::Key(old, text)) {
            member.set_score(new);
            self.tree.insert(new, member);
        }
    }

    /// Takes out the element with this text; its score. O(log n).
    pub fn remove(&mut self, text: &[u8]) -> Option<f64> {
        self.sweep(SWEPT_PER_CHANGE);
        let slot = (self.table.0).find_mut(HASHER.hash(text), |member| member.bytes() == text)?;
        if !self.leaving.is_empty() && !holds(&self.tree, &slot.get()) {
            return None;
        }
        let member = slot.remove();
        let score = member.score();
        self.member_bytes -= Member::size_of(text.len());
        self.tree.remove(Pick::Key(score, text));
        Some(score)
    }

    /// Takes out the element of this rank. O(log n).
    pub fn remove_rank(&mut self, rank: usize) -> Option<(f64, Member)> {
        self.sweep(SWEPT_PER_CHANGE);
        let (score, member) = self.tree.remove(Pick::Rank(rank))?;
        self.forget(&member);
        Some((score, member))
    }

    /// Takes out the elements of a range of ranks, which leave the table later.
    /// O(log n).
    pub fn cut(&mut self, ranks: Range<usize>) {
        let leaving = self.tree.cut(ranks);
        if leaving.len() > 0 {
            self.leaving.push(leaving);
        }
    }

    /// Takes up to `max` leaving elements out of the table; whether there are more.
    /// O(log n) for each.
    #[inline]
    pub fn sweep(&mut self, max: usize) -> bool {
        !self.leaving.is_empty() && self.sweep_some(max)
    }

    #[cold]
    fn sweep_some(&mut self, max: usize) -> bool {
        for _ in 0..max {
            let Some(tree) = self.leaving.last_mut() else {
                return false;
            };
            match tree.remove(Pick::Rank(tree.len().saturating_sub(1))) {
                Some((_, member)) => self.forget(&member),
                None => drop(self.leaving.pop()),
            }
        }
        !self.leaving.is_empty()
    }

    /// Takes an element out of the table, if it is there and not another one of the
    /// same text.
    fn forget(&mut self, member: &Member) {
        if let Some(slot) = (self.table.0).find_mut(hash_of(member), |found| found.is(member)) {
            drop(slot.remove());
        }
        self.member_bytes -= Member::size_of(member.bytes().len());
    }

    /// Elements that are still to be freed when the set is dropped.
    pub fn drop_effort(&self) -> usize {
        self.tree.len() + self.leaving.iter().map(Tree::len).sum::<usize>()
    }

    /// Fetches what will be touched when elements next to the one of this rank, at an
    /// end, are taken out one after the other: who pops one mostly pops more, and they
    /// lie anywhere in memory. A hint.
    #[inline]
    pub fn foresee(&self, rank: usize) {
        let [element, bucket] = match rank {
            0 => self.tree.get_two(ELEMENT_AHEAD, BUCKET_AHEAD),
            _ => {
                let ahead = |distance| rank.checked_sub(distance).and_then(|at| self.tree.get(at));
                [ahead(ELEMENT_AHEAD), ahead(BUCKET_AHEAD)]
            }
        };
        if let Some((_, member)) = element {
            member.prefetch();
        }
        if let Some((_, member)) = bucket {
            self.table.0.prefetch_bucket(hash_of(member));
        }
    }

    /// Reports some elements and says where to go on; see [`Table::scan`].
    pub fn scan(&self, cursor: u64, mut each: impl FnMut(&Member)) -> u64 {
        self.table.0.scan(cursor, |member| {
            if self.is_live(member) {
                each(member);
            }
        })
    }

    /// Bytes allocated beside the struct itself. O(nodes).
    pub fn mem_bytes(&self) -> usize {
        let trees = self.leaving.iter().chain([&self.tree]);
        let nodes: usize = trees.map(Tree::mem_bytes).sum();
        nodes + self.table.0.mem_bytes() + self.member_bytes
    }
}
