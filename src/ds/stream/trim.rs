//! Cutting a stream at its old end, by length or by id.
//!
//! Whole nodes go first; within the node that is cut, entries are marked as
//! deleted. An approximate cut takes whole nodes only.
//!
//! What goes may still be referred to by pending entries of groups. [`References`]
//! says what becomes of that: as in Redis 8.2 the references stay, or go too, or
//! hold the entry. A cut that leaves out entries which are held goes on behind
//! them, so that what is left of it may have gaps.

use super::id::StreamId;
use super::node::Node;
use super::{Directory, Stream, next_edition};

/// What becomes of references to a deleted entry in groups' pending entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum References {
    /// They stay.
    Keep,
    /// They go.
    Delete,
    /// While there are some, or a group has not come so far, the entry stays.
    Acknowledged,
}

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
    pub references: References,
}

/// Whole nodes at the old end, found on an image: all before the one kept under `base`.
#[derive(Clone, Copy, Debug)]
pub struct FrontCut {
    base: StreamId,
    nodes: usize,
    live: usize,
    edition: u64,
}

/// What a trim takes of one node.
struct Cut {
    base: StreamId,
    ids: Vec<StreamId>,
    whole: bool,
}

impl Stream {
    /// Trims; how many entries went, and the nodes that went with them, whose drop
    /// may take long. O(nodes removed * log nodes + bytes of a node), or, where
    /// groups have a say, O(entries looked at * groups * log n).
    pub fn trim(&mut self, trim: Trim) -> (usize, Directory) {
        match trim.references {
            References::Delete if !self.groups.is_empty() => {
                let before = self.image_of_entries();
                let trimmed = self.trim_all(trim);
                if trimmed.0 > 0 {
                    self.forget_trimmed(&before);
                }
                trimmed
            }
            References::Acknowledged if !self.groups.is_empty() => {
                (self.trim_acknowledged(trim), Directory::default())
            }
            _ => self.trim_all(trim),
        }
    }

    fn trim_all(&mut self, trim: Trim) -> (usize, Directory) {
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
            self.front_is_gone();
        }
        (removed, gone)
    }

    fn front_is_gone(&mut self) {
        self.first_id = self.edge(true).unwrap_or(StreamId::MIN);
        self.edition = next_edition();
    }

    /// The whole nodes that a trim takes, but for the last node, which may grow. Asked
    /// of an image, for [`Stream::take_front`]. O(nodes).
    pub fn front_cut(&self, trim: Trim) -> Option<FrontCut> {
        let (mut nodes, mut live) = (0, 0);
        for (base, node) in self.nodes() {
            let more = live + node.live();
            let goes = match trim.keep {
                Keep::Last(len) => self.len - live > len && self.len - more >= len,
                Keep::From(id) => node.last_id(base).is_none_or(|last| last < id),
            };
            if !goes || nodes + 1 == self.nodes.len() {
                let edition = self.edition;
                return (nodes > 0).then_some(FrontCut {
                    base,
                    nodes,
                    live,
                    edition,
                });
            }
            (nodes, live) = (nodes + 1, more);
        }
        None
    }

    /// Whether a cut that was found on an image holds for this stream.
    pub fn admits(&self, cut: &FrontCut) -> bool {
        self.edition == cut.edition
    }

    /// Takes out nodes that a trim takes, as [`Stream::trim`] does; how many entries went,
    /// and the nodes. The cut is admitted. O(log nodes).
    pub fn take_front(&mut self, cut: &FrontCut) -> (usize, Directory) {
        debug_assert!(self.admits(cut));
        let gone = self.nodes.cut_front(&cut.base, cut.nodes);
        self.len -= cut.live;
        self.front_is_gone();
        (cut.live, gone)
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

    /// Ends that entries are pending which were in the stream `before`, and have
    /// been trimmed since.
    fn forget_trimmed(&mut self, before: &Stream) {
        let kept = self.edge(true);
        let is_trimmed = |id: &StreamId| kept.is_none_or(|first| *id < first);
        let names: Vec<Box<[u8]>> = self.groups.iter().map(|(name, _)| name.clone()).collect();
        for name in &names {
            let pending = self.group(name).into_iter().flat_map(|group| {
                (group.pending_from(StreamId::MIN).map(|(id, _)| id)).take_while(is_trimmed)
            });
            let gone: Vec<StreamId> = pending.filter(|id| before.get(*id).is_some()).collect();
            if gone.is_empty() {
                continue;
            }
            if let Some(group) = self.group_mut(name) {
                for id in gone {
                    group.acknowledge(id);
                }
            }
        }
    }

    /// Removes what a trim would, but for what a group is not done with.
    fn trim_acknowledged(&mut self, trim: Trim) -> usize {
        let cuts = self.acknowledged_cuts(trim);
        let kept_first = self.first_kept(&cuts);
        let mut removed = 0;
        for cut in &cuts {
            removed += cut.ids.len();
            self.len -= cut.ids.len();
            if cut.whole {
                self.nodes.remove(&cut.base);
            } else if let Some(node) = self.node_mut(cut.base) {
                for id in &cut.ids {
                    node.delete(cut.base, *id);
                }
            }
        }
        // What goes from behind an entry that stays leaves a gap.
        let last = cuts.last().and_then(|cut| cut.ids.last());
        if let Some(&last) = last.filter(|last| kept_first.is_some_and(|kept| kept < **last)) {
            self.max_deleted_id = self.max_deleted_id.max(last);
        }
        if removed > 0 {
            self.front_is_gone();
        }
        removed
    }

    /// The first entry that the cuts leave.
    fn first_kept(&self, cuts: &[Cut]) -> Option<StreamId> {
        let mut going = cuts.iter().flat_map(|cut| &cut.ids);
        let mut entries = self.range(super::ALL);
        entries
            .find(|entry| going.next() != Some(&entry.id))
            .map(|entry| entry.id)
    }

    /// Which entries a trim takes if it leaves those that groups are not done with.
    fn acknowledged_cuts(&self, trim: Trim) -> Vec<Cut> {
        // No entry behind this one was delivered to all groups.
        let delivered = self.groups.iter().map(|(_, group)| group.last_id).min();
        let mut surplus = match trim.keep {
            Keep::Last(len) => self.len.saturating_sub(len),
            Keep::From(_) => usize::MAX,
        };
        let (mut cuts, mut seen) = (Vec::new(), 0);
        for (base, node) in self.nodes() {
            let live = node.live();
            seen += live;
            let ended = surplus == 0 || delivered.is_some_and(|last| base > last);
            if ended || trim.limit > 0 && seen > trim.limit {
                break;
            }
            let is_within = match trim.keep {
                Keep::Last(_) => live <= surplus,
                Keep::From(id) => node.last_id(base).is_none_or(|last| last < id),
            };
            if trim.approximate && !is_within {
                break;
            }
            let ids = self.acknowledged_of(base, node, trim.keep, surplus);
            surplus -= ids.len();
            if !ids.is_empty() {
                let whole = ids.len() == live;
                cuts.push(Cut { base, ids, whole });
            }
        }
        cuts
    }

    /// The first entries of a node, up to `max`, that are not kept and that all groups
    /// are done with.
    fn acknowledged_of(
        &self,
        base: StreamId,
        node: &Node,
        keep: Keep,
        max: usize,
    ) -> Vec<StreamId> {
        (node.entries(base).filter(|entry| !entry.deleted))
            .map(|entry| entry.id)
            .take_while(|id| !matches!(keep, Keep::From(least) if *id >= least))
            .filter(|id| self.is_done_with(*id))
            .take(max)
            .collect()
    }

    /// How many entries a trim looks at one by one because of the groups; not more
    /// than `max` are told. O(nodes).
    pub fn trim_looks_at(&self, trim: Trim, max: usize) -> usize {
        if trim.references == References::Keep {
            return 0;
        }
        let going = match trim.keep {
            Keep::Last(len) => self.len.saturating_sub(len),
            Keep::From(id) => self.count(&(StreamId::MIN..=id), max),
        };
        going.min(max).saturating_mul(self.group_count())
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
