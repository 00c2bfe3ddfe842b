//! One node: a shared packed sequence, or one huge element.

use std::sync::Arc;

use bytes::Bytes;

use super::Limit;
use crate::ds::packed::{self, Elem, Packed, Value};

/// A sealed node gives back its room if that is more than this share (1/16).
const SEAL_SHARE: usize = 16;

/// The share (1/4) of a full node's bytes that the next one begins with.
const FIRST_SHARE: usize = 4;

/// What a node holds, for those who save it as it is.
#[derive(Clone, Copy, Debug)]
pub enum NodeView<'a> {
    /// Several elements.
    Packed(&'a Packed),
    /// One element, too large for a packed node.
    Plain(&'a Bytes),
}

/// One node of a quicklist.
///
/// `len` repeats the length of the packed sequence: a walk over the directory
/// to find an index then reads the directory alone, not a line of every node.
#[derive(Clone, Debug)]
pub(super) struct Node {
    len: u32,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Packed(Arc<Packed>),
    Plain(Bytes),
}

impl Node {
    pub(super) fn packed(packed: Packed) -> Node {
        Node {
            len: packed.len() as u32,
            body: Body::Packed(Arc::new(packed)),
        }
    }

    pub(super) fn plain(bytes: Bytes) -> Node {
        Node {
            len: 1,
            body: Body::Plain(bytes),
        }
    }

    /// A node with the one element `value`, after or before this one, which is
    /// full. It begins with a share of the room that this one needed: it is
    /// likely to need it too, and growing there in small steps costs more
    /// than the pushes themselves.
    pub(super) fn successor(&self, value: &[u8], at_front: bool, limit: Limit) -> Node {
        let room = self
            .as_packed()
            .map_or(0, |full| full.byte_len() / FIRST_SHARE);
        if limit.is_huge(value.len()) || room == 0 {
            return Node::with(value, limit);
        }
        let mut packed = Packed::with_room(room, at_front);
        if at_front {
            packed.push_front(value)
        } else {
            packed.push_back(value)
        }
        Node::packed(packed)
    }

    /// A node with the one element `value`, packed unless it is huge.
    pub(super) fn with(value: &[u8], limit: Limit) -> Node {
        if limit.is_huge(value.len()) {
            return Node::plain(Bytes::copy_from_slice(value));
        }
        let mut packed = Packed::new();
        packed.push_back(value);
        Node::packed(packed)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    pub(super) fn view(&self) -> NodeView<'_> {
        match &self.body {
            Body::Packed(packed) => NodeView::Packed(packed),
            Body::Plain(bytes) => NodeView::Plain(bytes),
        }
    }

    #[inline]
    pub(super) fn as_packed(&self) -> Option<&Packed> {
        match &self.body {
            Body::Packed(packed) => Some(packed),
            Body::Plain(_) => None,
        }
    }

    /// The bytes of a huge element, if the node is one.
    #[inline]
    pub(super) fn as_plain(&self) -> Option<&Bytes> {
        match &self.body {
            Body::Packed(_) => None,
            Body::Plain(bytes) => Some(bytes),
        }
    }

    /// Whether the two are one node in memory.
    pub(super) fn is_shared_with(&self, other: &Node) -> bool {
        match (&self.body, &other.body) {
            (Body::Packed(a), Body::Packed(b)) => Arc::ptr_eq(a, b),
            (Body::Plain(a), Body::Plain(b)) => (a.as_ptr(), a.len()) == (b.as_ptr(), b.len()),
            _ => false,
        }
    }

    /// The packed sequence of a lone node, copied only if it is shared.
    pub(super) fn into_packed(self) -> Option<Packed> {
        match self.body {
            Body::Packed(packed) => Some(Arc::unwrap_or_clone(packed)),
            Body::Plain(_) => None,
        }
    }

    /// Changes a packed node, copying it first if an image holds it; `None`,
    /// and no change, for a plain one.
    #[inline]
    pub(super) fn edit<R>(&mut self, change: impl FnOnce(&mut Packed) -> R) -> Option<R> {
        let Body::Packed(shared) = &mut self.body else {
            return None;
        };
        let packed = Arc::make_mut(shared);
        let out = change(packed);
        self.len = packed.len() as u32;
        Some(out)
    }

    /// The element with number `at`, which exists.
    pub(super) fn get(&self, at: usize) -> Option<Elem<'_>> {
        match &self.body {
            Body::Packed(packed) => packed.index(at as i64).map(|pos| packed.get(pos)),
            Body::Plain(bytes) => Some(Elem::Str(bytes)),
        }
    }

    /// As [`Node::get`], owned; a huge element is shared.
    pub(super) fn value(&self, at: usize) -> Option<Value> {
        match &self.body {
            Body::Packed(packed) => packed
                .index(at as i64)
                .map(|pos| packed.get(pos).to_value()),
            Body::Plain(bytes) => Some(Value::Str(bytes.clone())),
        }
    }

    /// Whether a packed node may take one more entry of this size.
    #[inline]
    pub(super) fn admits(&self, entry_bytes: usize, limit: Limit) -> bool {
        self.as_packed().is_some_and(|packed| {
            limit.allows(packed.listpack_len() + entry_bytes, packed.len() + 1)
        })
    }

    /// Whether the two nodes together would be one node within the limit.
    pub(super) fn fits_with(&self, next: &Node, limit: Limit) -> bool {
        match (self.as_packed(), next.as_packed()) {
            (Some(a), Some(b)) => limit.allows(a.listpack_len() + b.byte_len(), a.len() + b.len()),
            _ => false,
        }
    }

    /// Takes over the elements of the node behind; the smaller part is copied.
    pub(super) fn absorb(&mut self, mut next: Node) {
        if self.len < next.len {
            std::mem::swap(self, &mut next);
            if let Some(head) = next.as_packed() {
                self.edit(|packed| packed.prepend(head));
            }
        } else if let Some(tail) = next.as_packed() {
            self.edit(|packed| packed.append(tail));
        }
    }

    /// Called when pushes move on to another node: nothing more will come, so
    /// room to grow is waste. An image's node is left as it is.
    pub(super) fn seal(&mut self) {
        if let Body::Packed(shared) = &mut self.body
            && let Some(packed) = Arc::get_mut(shared)
            && packed.mem_bytes() - packed.byte_len() > packed.mem_bytes() / SEAL_SHARE
        {
            packed.shrink_to_fit();
        }
    }

    /// Heap memory held, in bytes, shared or not.
    pub(super) fn mem_bytes(&self) -> usize {
        const ARC_COUNTS: usize = 2 * size_of::<usize>();
        match &self.body {
            Body::Packed(packed) => ARC_COUNTS + size_of::<Packed>() + packed.mem_bytes(),
            Body::Plain(bytes) => bytes.len(),
        }
    }

    /// The elements from number `start` on.
    #[inline]
    pub(super) fn iter_from(&self, start: usize) -> NodeIter<'_> {
        match &self.body {
            Body::Packed(packed) => NodeIter::Packed(packed.iter_from(start)),
            Body::Plain(bytes) => NodeIter::Plain((start == 0).then_some(bytes)),
        }
    }

    /// The elements before number `end`.
    pub(super) fn iter_to(&self, end: usize) -> NodeIter<'_> {
        match &self.body {
            Body::Packed(packed) => NodeIter::Packed(packed.iter_to(end)),
            Body::Plain(bytes) => NodeIter::Plain((end > 0).then_some(bytes)),
        }
    }
}

/// The elements of one node, from either end.
#[derive(Clone, Debug)]
pub(super) enum NodeIter<'a> {
    Packed(packed::Iter<'a>),
    Plain(Option<&'a Bytes>),
}

impl<'a> Iterator for NodeIter<'a> {
    type Item = Elem<'a>;

    #[inline]
    fn next(&mut self) -> Option<Elem<'a>> {
        match self {
            NodeIter::Packed(iter) => iter.next(),
            NodeIter::Plain(bytes) => bytes.take().map(|bytes| Elem::Str(bytes)),
        }
    }
}

impl DoubleEndedIterator for NodeIter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        match self {
            NodeIter::Packed(iter) => iter.next_back(),
            NodeIter::Plain(bytes) => bytes.take().map(|bytes| Elem::Str(bytes)),
        }
    }
}
