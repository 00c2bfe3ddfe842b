//! A large sorted set: a table finds elements by their text, a tree keeps them in
//! order, and both hold the same elements.
//!
//! Redis calls this encoding `skiplist`. A look-up by text costs the table's two lines
//! and the element; everything about order is the tree's.

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

fn hash_of(member: &Member) -> u64 {
    HASHER.hash(member.bytes())
}

/// See the head of the file.
#[derive(Debug)]
pub struct Indexed {
    tree: Tree,
    table: Index,
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
            member_bytes,
        }
    }

    /// The order of the elements.
    #[inline]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The score of the element with this text. O(1).
    pub fn score(&self, text: &[u8]) -> Option<f64> {
        let found = (self.table.0).find(HASHER.hash(text), |member| member.bytes() == text);
        found.map(|member| member.score())
    }

    /// Asks `decide` which score an element shall have, given the one it has, and
    /// sets it. O(log n).
    pub fn upsert(
        &mut self,
        text: &[u8],
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> Change {
        let entry = (self.table.0).entry(HASHER.hash(text), |member| member.bytes() == text);
        let (old, vacant) = match entry {
            Slot::Occupied(slot) => (Some(slot.get().score()), None),
            Slot::Vacant(vacant) => (None, Some(vacant)),
        };
        let Some(new) = decide(old) else {
            return Change::Refused;
        };
        match (old, vacant) {
            (Some(old), _) if old == new => Change::Kept(old),
            (Some(old), _) => {
                self.rescore(text, old, new);
                Change::Moved(new)
            }
            (None, vacant) => {
                let member = Member::new(text, new);
                self.member_bytes += Member::size_of(text.len());
                if let Some(vacant) = vacant {
                    vacant.insert(member.clone(), hash_of);
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
        let slot = (self.table.0).find_mut(HASHER.hash(text), |member| member.bytes() == text)?;
        let member = slot.remove();
        let score = member.score();
        self.member_bytes -= Member::size_of(text.len());
        self.tree.remove(Pick::Key(score, text));
        Some(score)
    }

    /// Takes out the element of this rank. O(log n).
    pub fn remove_rank(&mut self, rank: usize) -> Option<(f64, Member)> {
        let (score, member) = self.tree.remove(Pick::Rank(rank))?;
        let hash = hash_of(&member);
        if let Some(slot) = (self.table.0).find_mut(hash, |m| m.bytes() == member.bytes()) {
            drop(slot.remove());
        }
        self.member_bytes -= Member::size_of(member.bytes().len());
        Some((score, member))
    }

    /// Fetches what will be touched when elements next to the one of this rank, at an
    /// end, are taken out one after the other: who pops one mostly pops more, and they
    /// lie anywhere in memory. A hint.
    #[inline]
    pub fn foresee(&self, rank: usize) {
        let ahead = |distance| match rank {
            0 => self.tree.get(distance),
            _ => rank.checked_sub(distance).and_then(|at| self.tree.get(at)),
        };
        if let Some((_, member)) = ahead(ELEMENT_AHEAD) {
            member.prefetch();
        }
        if let Some((_, member)) = ahead(BUCKET_AHEAD) {
            self.table.0.prefetch_bucket(hash_of(member));
        }
    }

    /// Reports some elements and says where to go on; see [`Table::scan`].
    pub fn scan(&self, cursor: u64, mut each: impl FnMut(&Member)) -> u64 {
        self.table.0.scan(cursor, |member| each(member))
    }

    /// Bytes allocated beside the struct itself. O(nodes).
    pub fn mem_bytes(&self) -> usize {
        self.tree.mem_bytes() + self.table.0.mem_bytes() + self.member_bytes
    }
}
