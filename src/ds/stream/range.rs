//! Walking a stream: the entries between two ids, in either order.

use std::ops::{Bound, RangeInclusive};
use std::sync::Arc;

use super::id::StreamId;
use super::node::{Entries, Entry, Node};
use super::{Directory, Stream};
use crate::ds::ordmap;

/// The ids from a least to a greatest one, both included.
pub type Ids = RangeInclusive<StreamId>;

/// All ids.
pub const ALL: Ids = StreamId::MIN..=StreamId::MAX;

impl Stream {
    /// The entries with these ids, ascending. O(log nodes + bytes of a node) to
    /// begin with.
    pub fn range(&self, ids: Ids) -> Range<'_> {
        Range {
            nodes: self.nodes.range_from_floor(ids.start()),
            entries: None,
            ids,
        }
    }

    /// The entries with these ids, descending. Costs as [`Stream::range`].
    pub fn range_back(&self, ids: Ids) -> RangeBack<'_> {
        RangeBack {
            nodes: self.nodes.range_back(Bound::Included(ids.end())),
            entries: None,
            ids,
        }
    }

    /// The entry with this id. O(log nodes + bytes of a node).
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        let (base, node) = self.nodes.floor(&id)?;
        node.find(*base, id)
    }

    /// How many entries have these ids; not more than `max` are told. O(bytes of
    /// two nodes + nodes between them).
    pub fn count(&self, ids: &Ids, max: usize) -> usize {
        let mut nodes = self.nodes.range_from_floor(ids.start()).peekable();
        let mut found = 0;
        while let Some((base, node)) = nodes.next() {
            if found >= max || base > ids.end() {
                break;
            }
            let above = nodes.peek().map(|(next, _)| **next);
            let whole = base >= ids.start()
                && match above {
                    Some(next) => ids.end().next().is_none_or(|end| end >= next),
                    None => *ids.end() >= self.last_id,
                };
            found += if whole {
                node.live()
            } else {
                count_within(node, *base, ids)
            };
        }
        found.min(max)
    }

    /// The least or the greatest id of an entry. O(log nodes + bytes of a node).
    pub fn edge(&self, first: bool) -> Option<StreamId> {
        let entry = if first {
            self.range(ALL).next()
        } else {
            self.range_back(ALL).next()
        };
        entry.map(|entry| entry.id)
    }
}

fn count_within(node: &Node, base: StreamId, ids: &Ids) -> usize {
    (node.entries(base))
        .take_while(|entry| entry.id <= *ids.end())
        .filter(|entry| !entry.deleted && entry.id >= *ids.start())
        .count()
}

/// Entries in ascending order.
#[derive(Clone, Debug)]
pub struct Range<'a> {
    nodes: ordmap::Iter<'a, StreamId, Arc<Node>>,
    entries: Option<Entries<'a>>,
    ids: Ids,
}

impl<'a> Iterator for Range<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let Some(entries) = &mut self.entries else {
                let (base, node) = self.nodes.next()?;
                self.entries = Some(node.entries(*base));
                continue;
            };
            match entries.next() {
                None => self.entries = None,
                Some(entry) if entry.id > *self.ids.end() => return None,
                Some(entry) if entry.deleted || entry.id < *self.ids.start() => {}
                found => return found,
            }
        }
    }
}

/// Entries in descending order.
#[derive(Clone, Debug)]
pub struct RangeBack<'a> {
    nodes: ordmap::IterBack<'a, StreamId, Arc<Node>>,
    entries: Option<Entries<'a>>,
    ids: Ids,
}

impl<'a> Iterator for RangeBack<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let Some(entries) = &mut self.entries else {
                let (base, node) = self.nodes.next()?;
                self.entries = Some(node.entries(*base));
                continue;
            };
            match entries.next_back() {
                None => self.entries = None,
                Some(entry) if entry.id < *self.ids.start() => return None,
                Some(entry) if entry.deleted || entry.id > *self.ids.end() => {}
                found => return found,
            }
        }
    }
}

/// How many nodes a tree of Redis's own kind would have for these keys: one for
/// each run of bytes that several keys share, one for each place where they part,
/// one for the rest of each key, and one where it ends. XINFO STREAM tells it.
/// O(nodes).
pub(super) fn radix_nodes(nodes: &Directory) -> usize {
    let keys: Vec<[u8; 16]> = nodes.iter().map(|(id, _)| id.to_bytes()).collect();
    radix_nodes_below(&keys, 0).max(1)
}

fn radix_nodes_below(keys: &[[u8; 16]], depth: usize) -> usize {
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
        return 0;
    };
    if keys.len() == 1 {
        return 1 + usize::from(depth < first.len());
    }
    let shared = (depth..first.len()).take_while(|&at| first[at] == last[at]);
    let parting = depth + shared.count();
    let below = (keys.chunk_by(|a, b| a[parting] == b[parting]))
        .map(|group| radix_nodes_below(group, parting + 1));
    1 + usize::from(parting > depth) + below.sum::<usize>()
}
