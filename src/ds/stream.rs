//! The value of a stream key: entries in the order of their ids, and the groups
//! that read them.
//!
//! ```text
//! nodes    id -> Arc<Node>     a run of entries in one packed sequence, kept under
//!                              the id it began with (see `node`)
//! groups   name -> Arc<Group>  who has read how far, and what is pending (`group`)
//! ```
//!
//! The shape is Redis's own, down to the bytes of a node, so that dumps and files
//! are exchanged as they are. Both directories are ordered maps of shared nodes
//! ([`OrdMap`]): an image of a stream is two reference counts more whatever its
//! size, and a writer that meets an image copies the one node it changes.
//!
//! What must stay true: the entries of a node have ids from its own up to the next
//! node's; `len` is the number of live entries, and a node without one is not kept;
//! `last_id` is not below any entry's; `first_id` is that of the first live entry,
//! or the least id without one. Unlike the other collections a stream may be
//! empty: its last id and its groups outlive its entries.

mod group;
mod id;
mod lag;
mod load;
mod node;
mod range;
#[cfg(test)]
mod tests;
mod trim;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ordmap::OrdMap;

pub use group::{Consumer, ConsumerId, Group, Pending};
pub use id::{NewId, StreamId};
pub use load::{Counters, GroupLoader, Invalid, Loader};
pub use node::{Entry, Fields, Node};
pub use range::{ALL, Ids, Range, RangeBack};
pub use trim::{FrontCut, Keep, References, Trim};

/// The nodes of a stream by the ids they began with.
pub type Directory = OrdMap<StreamId, Arc<Node>>;

/// The most bytes of one node, whatever is configured; and of one entry.
pub const NODE_BYTES_MAX: usize = 1 << 30;

/// When a node is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLimit {
    /// Bytes as a listpack; 0 for [`NODE_BYTES_MAX`].
    pub bytes: usize,
    /// Entries, deleted ones too; 0 for any number.
    pub entries: usize,
}

impl NodeLimit {
    fn bytes_max(self) -> usize {
        match self.bytes {
            0 => NODE_BYTES_MAX,
            bytes => bytes.min(NODE_BYTES_MAX),
        }
    }

    /// Whether an entry with so many bytes of text starts a new node.
    fn is_full(self, node: &Node, text_len: usize) -> bool {
        node.byte_len() + text_len >= self.bytes_max()
            || self.entries > 0 && node.total() >= self.entries
    }
}

/// Why an entry cannot have the id it was to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdRefused {
    /// It is not above the last one.
    TooSmall,
    /// There is no id above the last one.
    Exhausted,
}

/// A stream value.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    nodes: Directory,
    len: usize,
    last_id: StreamId,
    first_id: StreamId,
    max_deleted_id: StreamId,
    entries_added: u64,
    /// Another number whenever entries go, and for each stream: as long as it is that
    /// of an image, what was added since is all that has changed about the entries.
    edition: u64,
    groups: OrdMap<Box<[u8]>, Arc<Group>>,
}

/// The next [`Stream::edition`].
fn next_edition() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Stream {
    /// Number of entries. O(1).
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry. O(1).
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The greatest id that an entry had or that was set. O(1).
    pub fn last_id(&self) -> StreamId {
        self.last_id
    }

    /// The id of the first entry; the least id without one. O(1).
    pub fn first_id(&self) -> StreamId {
        self.first_id
    }

    /// The greatest id that was deleted, if any was, else the least id. O(1).
    pub fn max_deleted_id(&self) -> StreamId {
        self.max_deleted_id
    }

    /// Entries ever added. O(1).
    pub fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// The stream as it is now, for a reader that works while writers go on. O(1).
    pub fn image(&self) -> Stream {
        self.clone()
    }

    /// As [`Stream::image`], without the groups, which then change at no cost
    /// while it lives. O(1).
    pub fn image_of_entries(&self) -> Stream {
        Stream {
            nodes: self.nodes.clone(),
            groups: OrdMap::default(),
            ..*self
        }
    }

    /// Whether `image` was taken of this stream and nothing has changed since. O(1).
    pub fn is_as(&self, image: &Stream) -> bool {
        let ids = |stream: &Stream| (stream.last_id, stream.max_deleted_id, stream.entries_added);
        self.nodes.is_as(&image.nodes)
            && self.groups.is_as(&image.groups)
            && ids(self) == ids(image)
    }

    /// The nodes in order, for those who save them as they are. O(1) a step.
    pub fn nodes(&self) -> impl Iterator<Item = (StreamId, &Node)> {
        self.nodes.iter().map(|(id, node)| (*id, &**node))
    }

    /// Number of nodes. O(1).
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// How many nodes Redis's tree has for these nodes. O(nodes).
    pub fn radix_node_count(&self) -> usize {
        range::radix_nodes(&self.nodes)
    }

    /// Heap memory held, in bytes, shared or not: of a long stream an estimate from
    /// its first nodes. O(1) for the nodes, O(groups).
    pub fn mem_bytes(&self) -> usize {
        /// Nodes that are measured one by one.
        const SAMPLED: usize = 64;
        let sampled = self.nodes.len().min(SAMPLED);
        let nodes = self.nodes().take(sampled);
        let bytes: usize = nodes
            .map(|(_, node)| size_of::<Node>() + node.mem_bytes())
            .sum();
        let nodes = bytes as u128 * self.nodes.len() as u128 / sampled.max(1) as u128;
        let groups = self
            .groups
            .iter()
            .map(|(name, group)| name.len() + group.mem_bytes());
        nodes as usize + self.nodes.mem_bytes() + groups.sum::<usize>()
    }

    /// Steps that dropping the stream takes, roughly. O(groups).
    pub fn drop_effort(&self) -> usize {
        let groups = self.groups.iter().map(|(_, group)| group.drop_effort());
        1 + self.nodes.len() + groups.sum::<usize>()
    }

    /// A stream of nothing but these nodes, for dropping them elsewhere.
    pub fn of_nodes(nodes: Directory) -> Stream {
        Stream {
            nodes,
            ..Stream::default()
        }
    }

    // Adding and deleting.

    /// The id of the next entry, at this time in milliseconds. O(1).
    pub fn next_id(&self, wanted: NewId, now: u64) -> Result<StreamId, IdRefused> {
        let last = self.last_id;
        if last == StreamId::MAX {
            return Err(IdRefused::Exhausted);
        }
        let id = match wanted {
            NewId::Auto if now > last.ms => StreamId::new(now, 0),
            NewId::Auto => last.next().ok_or(IdRefused::Exhausted)?,
            NewId::Within(ms) if ms == last.ms => {
                let seq = last.seq.checked_add(1).ok_or(IdRefused::TooSmall)?;
                StreamId::new(ms, seq)
            }
            NewId::Within(ms) => StreamId::new(ms, 0),
            NewId::Exact(id) => id,
        };
        if id > last {
            Ok(id)
        } else {
            Err(IdRefused::TooSmall)
        }
    }

    /// Appends an entry under an id from [`Stream::next_id`]; its texts are not
    /// more than [`NODE_BYTES_MAX`] together. O(log nodes + bytes of the entry),
    /// amortised.
    pub fn append<'v>(
        &mut self,
        id: StreamId,
        fields: impl Iterator<Item = (&'v [u8], &'v [u8])> + Clone,
        limit: NodeLimit,
    ) {
        debug_assert!(id > self.last_id, "ids ascend");
        let text_len = (fields.clone())
            .map(|(name, value)| name.len() + value.len())
            .sum();
        let mut room = 0;
        let full = match self.nodes.last() {
            None => true,
            Some((_, node)) if limit.is_full(node, text_len) => {
                // The next node grows as large as this one has.
                room = node.byte_len();
                true
            }
            Some(_) => false,
        };
        if full {
            self.start_node(id, fields.clone(), room);
        }
        if let Some((base, node)) = self.nodes.last_mut() {
            Arc::make_mut(node).push(*base, id, fields);
        }
        self.len += 1;
        // A saved form may have said anything.
        self.entries_added = self.entries_added.wrapping_add(1);
        self.last_id = id;
        if self.len == 1 {
            self.first_id = id;
            self.edition = next_edition();
        }
    }

    fn start_node<'v>(
        &mut self,
        id: StreamId,
        fields: impl Iterator<Item = (&'v [u8], &'v [u8])> + Clone,
        room: usize,
    ) {
        if let Some((_, full)) = self.nodes.last_mut() {
            Arc::make_mut(full).shrink_to_fit();
        }
        self.nodes.insert(id, Arc::new(Node::new(fields, room)));
    }

    fn node_mut(&mut self, base: StreamId) -> Option<&mut Node> {
        self.nodes.get_mut(&base).map(Arc::make_mut)
    }

    /// Deletes the entries with these ids; how many there were. O(ids * (log nodes
    /// + bytes of a node)).
    pub fn delete(&mut self, ids: &[StreamId]) -> usize {
        let mut deleted = 0;
        let mut first_gone = false;
        for &id in ids {
            if self.delete_one(id) {
                first_gone |= id == self.first_id;
                self.max_deleted_id = self.max_deleted_id.max(id);
                deleted += 1;
            }
        }
        if deleted > 0 {
            self.edition = next_edition();
        }
        if deleted > 0 && self.len == 0 {
            self.first_id = StreamId::MIN;
        } else if first_gone {
            self.first_id = self.edge(true).unwrap_or(StreamId::MIN);
        }
        deleted
    }

    fn delete_one(&mut self, id: StreamId) -> bool {
        let Some((&base, node)) = self.nodes.floor(&id) else {
            return false;
        };
        if node.find(base, id).is_none() {
            return false;
        }
        if node.live() == 1 {
            self.nodes.remove(&base);
        } else if let Some(node) = self.node_mut(base) {
            node.delete(base, id);
        }
        self.len -= 1;
        true
    }

    /// Sets the last id, and the other two where they are given (XSETID). The
    /// caller has seen to it that no entry contradicts them.
    pub fn set_ids(&mut self, last: StreamId, added: Option<u64>, max_deleted: Option<StreamId>) {
        self.last_id = last;
        self.entries_added = added.unwrap_or(self.entries_added);
        self.max_deleted_id = max_deleted.unwrap_or(self.max_deleted_id);
    }

    // Groups.

    /// How many groups there are. O(1).
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// The groups in the order of their names.
    pub fn groups(&self) -> impl Iterator<Item = (&[u8], &Group)> {
        self.groups.iter().map(|(name, group)| (&**name, &**group))
    }

    /// The group with this name. O(log groups).
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name).map(|group| &**group)
    }

    /// The group with this name, for change. O(log groups).
    pub fn group_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        self.groups.get_mut(name).map(Arc::make_mut)
    }

    /// The group with this name as it is now. O(log groups).
    pub fn group_image(&self, name: &[u8]) -> Option<Arc<Group>> {
        self.groups.get(name).cloned()
    }

    /// Whether the group with this name is as `image` was taken of it. O(log groups).
    pub fn group_is_as(&self, name: &[u8], image: &Arc<Group>) -> bool {
        (self.groups.get(name)).is_some_and(|group| Arc::ptr_eq(group, image))
    }

    /// Puts a group in the place of the one with this name. O(log groups).
    pub fn replace_group(&mut self, name: &[u8], group: Group) {
        if let Some(old) = self.groups.get_mut(name) {
            *old = Arc::new(group);
        }
    }

    /// Adds a group; whether there was none of that name. O(log groups).
    pub fn add_group(&mut self, name: &[u8], group: Group) -> bool {
        if self.groups.contains(name) {
            return false;
        }
        self.groups.insert(Box::from(name), Arc::new(group));
        true
    }

    /// Removes a group; as a stream of nothing but that group, whose drop may take
    /// long. O(log groups).
    pub fn remove_group(&mut self, name: &[u8]) -> Option<Stream> {
        let group = self.groups.remove(name)?;
        let mut alone = Stream::default();
        alone.groups.insert(Box::from(name), group);
        Some(alone)
    }

    /// Ends that `id` is pending, in every group; whether it was in any. O(groups *
    /// log n).
    pub fn acknowledge_everywhere(&mut self, id: StreamId) -> bool {
        let holders: Vec<Box<[u8]>> = (self.groups.iter())
            .filter(|(_, group)| group.pending(id).is_some())
            .map(|(name, _)| name.clone())
            .collect();
        for name in &holders {
            if let Some(group) = self.group_mut(name) {
                group.acknowledge(id);
            }
        }
        !holders.is_empty()
    }

    /// Whether every group is done with `id`: it was delivered and is not pending.
    /// O(groups * log n).
    pub fn is_done_with(&self, id: StreamId) -> bool {
        let mut groups = self.groups.iter();
        groups.all(|(_, group)| id <= group.last_id && group.pending(id).is_none())
    }
}
