//! A large list: a directory of packed nodes.
//!
//! ```text
//! nodes: [ len, Arc<Packed> ] [ len, Arc<Packed> ] [ 1, huge element ] ...
//! ```
//!
//! Each node stays within a [`Limit`], so a push, a pop or an insertion moves
//! at most one node's bytes; an element larger than the limit gets a node of
//! its own, as shared bytes. An index is found by adding up the lengths in
//! the directory from the nearer end, then walking within one node.
//!
//! Readers of many elements take an [`QuickList::image`]: a copy of the
//! directory, not of the elements. A writer copies a node only while an image
//! holds it.
//!
//! What must stay true:
//! - no node is empty, and `len` is the sum of the nodes' lengths;
//! - a node's content changes only through `edit`, which keeps both;
//! - where an operation removed or split something, neighbours that fit one
//!   node are one node, so that removals cannot leave a chain of tiny nodes.
//!   Pops do not merge: they empty the end node anyway.

mod iter;
mod limit;
mod node;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range as Indexes;

use bytes::Bytes;

use super::packed::{Elem, Needle, Packed, Value};
use node::Node;

pub use iter::Range;
pub use limit::Limit;
pub use node::NodeView;

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where index 0 is; LEFT in commands.
    Head,
    /// Where index -1 is; RIGHT in commands.
    Tail,
}

/// On which side of a pivot an insertion goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before the pivot.
    Before,
    /// After the pivot.
    After,
}

/// A list of byte strings in packed nodes.
#[derive(Clone, Debug, Default)]
pub struct QuickList {
    nodes: VecDeque<Node>,
    len: usize,
}

impl QuickList {
    /// An empty list; allocates nothing.
    pub fn new() -> QuickList {
        QuickList::default()
    }

    /// A list of one node, whatever its size.
    pub fn from_packed(packed: Packed) -> QuickList {
        let mut list = QuickList::new();
        list.append_packed(packed);
        list
    }

    /// Number of elements. O(1).
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements. O(1).
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of nodes. O(1).
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes from head to tail, for those who save them as they are.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = NodeView<'_>> {
        self.nodes.iter().map(Node::view)
    }

    /// Heap memory held, in bytes, shared or not, without the struct itself.
    /// O(nodes).
    pub fn mem_bytes(&self) -> usize {
        let directory = self.nodes.capacity() * size_of::<Node>();
        directory + self.nodes.iter().map(Node::mem_bytes).sum::<usize>()
    }

    /// The list as it is now, for a reader that works while writers go on.
    /// Shares all elements. O(nodes).
    pub fn image(&self) -> QuickList {
        self.clone()
    }

    /// Whether the nodes are those of `image`, each shared with it. O(nodes).
    pub fn is_as(&self, image: &QuickList) -> bool {
        let mut nodes = self.nodes.iter().zip(&image.nodes);
        self.nodes.len() == image.nodes.len() && nodes.all(|(a, b)| a.is_shared_with(b))
    }

    /// Appends a node as it was saved; an empty one is left out.
    pub fn append_packed(&mut self, packed: Packed) {
        if !packed.is_empty() {
            self.len += packed.len();
            self.nodes.push_back(Node::packed(packed));
        }
    }

    /// Appends one huge element, shared.
    pub fn append_plain(&mut self, bytes: Bytes) {
        self.len += 1;
        self.nodes.push_back(Node::plain(bytes));
    }

    /// Adds an element at an end. Amortised O(length of `value`).
    #[inline]
    pub fn push(&mut self, end: End, value: &[u8], limit: Limit) {
        let elem = Elem::parse(value);
        let entry_bytes = Packed::elem_size(elem);
        let node = match end {
            End::Head => self.nodes.front_mut(),
            End::Tail => self.nodes.back_mut(),
        };
        match node.filter(|node| node.admits(entry_bytes, limit)) {
            Some(node) => {
                node.edit(|packed| match end {
                    End::Head => packed.push_front_elem(elem),
                    End::Tail => packed.push_back_elem(elem),
                });
                self.len += 1;
            }
            None => self.push_node(end, value, limit),
        }
    }

    /// Removes and returns the element at an end; a huge one is shared, not
    /// copied. Amortised O(its length).
    pub fn pop(&mut self, end: End) -> Option<Value> {
        let value = match end {
            End::Head => self.nodes.front()?.value(0),
            End::Tail => self
                .nodes
                .back()
                .and_then(|node| node.value(node.len() - 1)),
        };
        self.pop_with(end, |_| ())?;
        value
    }

    /// Hands the element at an end to `read` and removes it. Amortised
    /// O(its length).
    #[inline]
    pub fn pop_with<R>(&mut self, end: End, read: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        let node = match end {
            End::Head => self.nodes.front_mut()?,
            End::Tail => self.nodes.back_mut()?,
        };
        let (out, left) = match node.as_plain() {
            Some(bytes) => (read(Elem::Str(bytes)), 0),
            None => {
                let out = node.edit(|packed| match end {
                    End::Head => packed.pop_front_with(read),
                    End::Tail => packed.pop_back_with(read),
                })??;
                (out, node.len())
            }
        };
        self.len -= 1;
        if left == 0 {
            self.drop_node(end);
        }
        Some(out)
    }

    /// The element with this index. O(nodes to the nearer end).
    pub fn get(&self, index: usize) -> Option<Elem<'_>> {
        let (node, at) = self.place(index)?;
        self.nodes[node].get(at)
    }

    /// As [`QuickList::get`], owned; a huge element is shared, not copied.
    pub fn value(&self, index: usize) -> Option<Value> {
        let (node, at) = self.place(index)?;
        self.nodes[node].value(at)
    }

    /// All elements, from either end.
    pub fn iter(&self) -> Range<'_> {
        self.range(0..self.len)
    }

    /// The elements of a range of indexes, from either end; what lies beyond
    /// the list is left out. O(nodes to the nearer end) to begin with.
    pub fn range(&self, indexes: Indexes<usize>) -> Range<'_> {
        Range::of_nodes(&self.nodes, self.len, indexes)
    }

    /// Replaces the element with this index; `false` if there is none.
    /// O(nodes to the nearer end + bytes of a node).
    pub fn set(&mut self, index: usize, value: &[u8], limit: Limit) -> bool {
        let Some((node, at)) = self.place(index) else {
            return false;
        };
        if !self.set_within(node, at, value, limit) {
            self.insert_at(index, value, limit);
            self.remove_at(index + 1, limit);
        }
        true
    }

    /// Inserts an element beside the first one equal to `pivot` and returns
    /// the new length; `None`, and no change, if there is none. O(N).
    pub fn insert(
        &mut self,
        side: Side,
        pivot: &Needle<'_>,
        value: &[u8],
        limit: Limit,
    ) -> Option<usize> {
        let found = self.iter().position(|elem| elem.matches(pivot))?;
        let index = if side == Side::Before {
            found
        } else {
            found + 1
        };
        self.insert_at(index, value, limit);
        Some(self.len)
    }

    /// Inserts an element so that it has this index, which is at most the
    /// length. O(nodes to the nearer end + bytes of a node).
    pub fn insert_at(&mut self, index: usize, value: &[u8], limit: Limit) {
        let Some((node, at)) = self.place(index) else {
            return self.push(End::Tail, value, limit);
        };
        let entry_bytes = Packed::entry_size(value);
        if self.nodes[node].admits(entry_bytes, limit) {
            self.edit(node, |packed| match packed.index(at as i64) {
                Some(pos) => packed.insert_before(pos, value),
                None => packed.push_back(value),
            });
        } else if at > 0 {
            self.split(node, at);
            self.insert_node(node + 1, value, limit);
            self.merge_around(node + 1, limit);
        } else if node > 0 && self.nodes[node - 1].admits(entry_bytes, limit) {
            self.edit(node - 1, |packed| packed.push_back(value));
        } else {
            self.insert_node(node, value, limit);
        }
    }

    /// Removes up to `max` elements equal to the needle, beginning at `from`;
    /// returns how many there were. O(N).
    pub fn remove(&mut self, from: End, max: usize, needle: &Needle<'_>, limit: Limit) -> usize {
        let mut left = max;
        for step in 0..self.nodes.len() {
            let at = if from == End::Head {
                step
            } else {
                self.nodes.len() - 1 - step
            };
            left -= self.remove_in(at, from, left, needle);
            if left == 0 {
                break;
            }
        }
        if left < max {
            self.compact(limit);
        }
        max - left
    }

    /// Keeps only the elements of a range of indexes. O(nodes dropped).
    pub fn trim(&mut self, keep: Indexes<usize>, limit: Limit) {
        let end = keep.end.min(self.len);
        let start = keep.start.min(end);
        self.drop_elems(End::Tail, self.len - end);
        self.drop_elems(End::Head, start);
        if let Some(last) = self.nodes.len().checked_sub(1) {
            self.merge_around(last, limit);
            self.merge_around(0, limit);
        }
    }

    /// Takes all elements out as one packed sequence if they are one packed
    /// node within the limit; else `None`, and no change. O(1), or O(bytes) if
    /// an image holds the node.
    #[inline]
    pub fn take_packed(&mut self, limit: Limit) -> Option<Packed> {
        if self.nodes.len() != 1 {
            return None;
        }
        let packed = self.nodes.front()?.as_packed()?;
        if !limit.allows(packed.listpack_len(), packed.len()) {
            return None;
        }
        self.len = 0;
        self.nodes.pop_front()?.into_packed()
    }

    /// Node and number within it of the element with this index.
    fn place(&self, index: usize) -> Option<(usize, usize)> {
        (index < self.len).then(|| place_of(&self.nodes, self.len, index))
    }

    /// Changes a packed node and keeps the total; `None` for a plain one.
    fn edit<R>(&mut self, at: usize, change: impl FnOnce(&mut Packed) -> R) -> Option<R> {
        let node = &mut self.nodes[at];
        let before = node.len();
        let out = node.edit(change);
        self.len = self.len - before + node.len();
        out
    }

    #[cold]
    fn push_node(&mut self, end: End, value: &[u8], limit: Limit) {
        let full = match end {
            End::Head => self.nodes.front_mut(),
            End::Tail => self.nodes.back_mut(),
        };
        let node = match full {
            Some(full) => {
                full.seal();
                full.successor(value, end == End::Head, limit)
            }
            None => Node::with(value, limit),
        };
        match end {
            End::Head => self.nodes.push_front(node),
            End::Tail => self.nodes.push_back(node),
        }
        self.len += 1;
    }

    fn insert_node(&mut self, at: usize, value: &[u8], limit: Limit) {
        self.nodes.insert(at, Node::with(value, limit));
        self.len += 1;
    }

    fn drop_node(&mut self, end: End) {
        match end {
            End::Head => self.nodes.pop_front(),
            End::Tail => self.nodes.pop_back(),
        };
    }

    /// Cuts a packed node before its element `at`, which is not its first.
    fn split(&mut self, node: usize, at: usize) {
        if let Some(rest) = self.nodes[node].edit(|packed| packed.split_off(at)) {
            self.nodes.insert(node + 1, Node::packed(rest));
        }
    }

    /// Replaces an element in its node if the outcome is within the limit.
    fn set_within(&mut self, node: usize, at: usize, value: &[u8], limit: Limit) -> bool {
        if limit.is_huge(value.len()) {
            if self.nodes[node].as_packed().is_none() {
                self.nodes[node] = Node::plain(Bytes::copy_from_slice(value));
                return true;
            }
            return false;
        }
        let Some(packed) = self.nodes[node].as_packed() else {
            return false;
        };
        let Some(pos) = packed.index(at as i64) else {
            return false;
        };
        let rest = packed.listpack_len() - Packed::elem_size(packed.get(pos));
        let allowed = limit.allows(rest + Packed::entry_size(value), packed.len());
        if allowed {
            self.edit(node, |packed| packed.replace(pos, value));
        }
        allowed
    }

    /// Removes the element with this index, which exists.
    fn remove_at(&mut self, index: usize, limit: Limit) {
        let Some((node, at)) = self.place(index) else {
            return;
        };
        if self.nodes[node].len() == 1 {
            self.nodes.remove(node);
            self.len -= 1;
        } else {
            self.edit(node, |packed| packed.remove_range(at, 1));
        }
        if node < self.nodes.len() {
            self.merge_around(node, limit);
        }
    }

    /// Removes up to `max` needles from one node, from the end `from`; may
    /// leave it empty. A node without any is not touched, so not copied.
    fn remove_in(&mut self, at: usize, from: End, max: usize, needle: &Needle<'_>) -> usize {
        let Some(packed) = self.nodes[at].as_packed() else {
            return self.remove_plain(at, needle);
        };
        if packed.find(needle).is_none() {
            return 0;
        }
        self.edit(at, |packed| {
            packed.remove_matches(from == End::Tail, max, needle)
        })
        .unwrap_or(0)
    }

    fn remove_plain(&mut self, at: usize, needle: &Needle<'_>) -> usize {
        let hit = self.nodes[at]
            .get(0)
            .is_some_and(|elem| elem.matches(needle));
        if hit {
            self.nodes[at] = Node::packed(Packed::new());
            self.len -= 1;
        }
        usize::from(hit)
    }

    /// Drops empty nodes and merges neighbours that fit. O(nodes).
    fn compact(&mut self, limit: Limit) {
        for node in std::mem::take(&mut self.nodes) {
            match self.nodes.back_mut() {
                _ if node.len() == 0 => {}
                Some(last) if last.fits_with(&node, limit) => last.absorb(node),
                _ => self.nodes.push_back(node),
            }
        }
    }

    /// Drops `count` elements at an end, whole nodes at once.
    fn drop_elems(&mut self, end: End, count: usize) {
        let mut left = count;
        while left > 0 {
            let at = if end == End::Head {
                0
            } else {
                self.nodes.len() - 1
            };
            let len = self.nodes[at].len();
            if len <= left {
                self.drop_node(end);
                self.len -= len;
            } else {
                let start = if end == End::Head { 0 } else { len - left };
                self.edit(at, |packed| packed.remove_range(start, left));
            }
            left = left.saturating_sub(len);
        }
    }

    /// Merges the node with its neighbours where they fit.
    fn merge_around(&mut self, node: usize, limit: Limit) {
        self.merge_with_next(node, limit);
        if node > 0 {
            self.merge_with_next(node - 1, limit);
        }
    }

    fn merge_with_next(&mut self, node: usize, limit: Limit) {
        let fits = match (self.nodes.get(node), self.nodes.get(node + 1)) {
            (Some(a), Some(b)) => a.fits_with(b, limit),
            _ => false,
        };
        if fits && let Some(next) = self.nodes.remove(node + 1) {
            self.nodes[node].absorb(next);
        }
    }
}

/// Node and number within it of the element with this index, which is less
/// than `len`, the sum of the nodes' lengths. O(nodes to the nearer end).
fn place_of(nodes: &VecDeque<Node>, len: usize, index: usize) -> (usize, usize) {
    if index < len / 2 {
        let mut at = index;
        for (number, node) in nodes.iter().enumerate() {
            if at < node.len() {
                return (number, at);
            }
            at -= node.len();
        }
    } else {
        let mut from_end = len - index;
        for (number, node) in nodes.iter().enumerate().rev() {
            if from_end <= node.len() {
                return (number, node.len() - from_end);
            }
            from_end -= node.len();
        }
    }
    unreachable!("the nodes' lengths add up to the list's")
}

impl<'a> IntoIterator for &'a QuickList {
    type Item = Elem<'a>;
    type IntoIter = Range<'a>;

    fn into_iter(self) -> Range<'a> {
        self.iter()
    }
}
