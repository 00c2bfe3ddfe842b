//! Cutting a stream at its old end, by length or by id.
//!
//! Whole nodes go first; within the node that is cut, entries are marked as
//! deleted. An approximate cut takes whole nodes only.

use super::id::StreamId;
use super::{Directory, Stream};

/// What a trim leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The last so many entries.
    Last(usize),
    /// The entries from this id on.
    From(StreamId),
}

/// A demand to trim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    pub keep: Keep,
    /// Remove whole nodes only.
    pub approximate: bool,
    /// The most entries to remove; 0 for any number. Whole nodes are removed only
    /// as they fit in.
    pub limit: usize,
}

impl Stream {
    /// Trims; how many entries went, and the nodes that went with them, whose drop
    /// may take long. O(nodes removed * log nodes + bytes of a node).
    pub fn trim(&mut self, trim: Trim) -> (usize, Directory) {
        let (mut removed, mut gone) = (0, Directory::default());
        while let Some((&base, node)) = self.nodes.first() {
            let live = node.live();
            if self.is_trimmed(trim.keep) || trim.limit > 0 && removed + live > trim.limit {
                break;
            }
            let whole = match trim.keep {
                Keep::Last(len) => self.len - live >= len,
                Keep::From(id) => node.last_id(base).is_none_or(|last| last < id),
            };
            if whole {
                self.len -= live;
                removed += live;
                if let Some((base, node)) = self.nodes.pop_first() {
                    gone.insert(base, node);
                }
                continue;
            }
            if !trim.approximate {
                removed += self.trim_within(base, trim.keep);
            }
            break;
        }
        if removed > 0 {
            self.first_id = self.edge(true).unwrap_or(StreamId::MIN);
        }
        (removed, gone)
    }

    fn is_trimmed(&self, keep: Keep) -> bool {
        matches!(keep, Keep::Last(len) if self.len <= len)
    }

    /// Marks entries of the first node as deleted.
    fn trim_within(&mut self, base: StreamId, keep: Keep) -> usize {
        let surplus = match keep {
            Keep::Last(len) => self.len - len,
            Keep::From(_) => usize::MAX,
        };
        let removed = self.node_mut(base).map_or(0, |node| {
            node.delete_front(base, |deleted, id| match keep {
                Keep::Last(_) => deleted < surplus,
                Keep::From(least) => id < least,
            })
        });
        self.len -= removed;
        // Behind the last live entry there may have been deleted ones.
        if self.nodes.get(&base).is_some_and(|node| node.live() == 0) {
            self.nodes.remove(&base);
        }
        removed
    }

    /// How many nodes a trim will remove; not more than `max` are told. O(nodes
    /// removed).
    pub fn trim_cost(&self, trim: Trim, max: usize) -> usize {
        let mut left = self.len;
        (self.nodes.iter())
            .take(max)
            .take_while(|(base, node)| {
                let live = node.live();
                let goes = match trim.keep {
                    Keep::Last(len) => left.saturating_sub(live) >= len && left > len,
                    Keep::From(id) => **base < id,
                };
                left -= live;
                goes && (trim.limit == 0 || self.len - left <= trim.limit)
            })
            .count()
    }
}
