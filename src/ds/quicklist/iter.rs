//! A range of elements, over many nodes or over one.
//!
//! Either end finds its place when it is first asked, so that a forward walk
//! never pays for locating the far end. The two ends share nothing but the
//! indexes still to be visited; they may stand in the same node.

use std::collections::VecDeque;
use std::ops::Range as Indexes;

use super::node::{Node, NodeIter};
use super::place_of;
use crate::ds::packed::{Elem, Packed};

/// The elements of a range of indexes, from either end.
#[derive(Clone, Debug)]
pub struct Range<'a> {
    source: Source<'a>,
    left: Indexes<usize>,
    front: Option<Cursor<'a>>,
    back: Option<Cursor<'a>>,
}

/// Where the elements are; the length goes with the nodes to find places
/// from the nearer end.
#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    One(&'a Packed),
    Many(&'a VecDeque<Node>, usize),
}

#[derive(Clone, Debug)]
struct Cursor<'a> {
    node: usize,
    elems: NodeIter<'a>,
}

impl<'a> Range<'a> {
    /// Over one packed sequence; `indexes` beyond its end are left out.
    pub fn of_packed(packed: &'a Packed, indexes: Indexes<usize>) -> Range<'a> {
        Range::new(Source::One(packed), indexes, packed.len())
    }

    pub(super) fn of_nodes(
        nodes: &'a VecDeque<Node>,
        len: usize,
        indexes: Indexes<usize>,
    ) -> Range<'a> {
        Range::new(Source::Many(nodes, len), indexes, len)
    }

    fn new(source: Source<'a>, indexes: Indexes<usize>, len: usize) -> Range<'a> {
        let end = indexes.end.min(len);
        Range {
            source,
            left: indexes.start.min(end)..end,
            front: None,
            back: None,
        }
    }

    #[cold]
    fn seek_front(&self) -> Cursor<'a> {
        match self.source {
            Source::One(packed) => Cursor {
                node: 0,
                elems: NodeIter::Packed(packed.iter_from(self.left.start)),
            },
            Source::Many(nodes, len) => {
                let (node, at) = place_of(nodes, len, self.left.start);
                Cursor {
                    node,
                    elems: nodes[node].iter_from(at),
                }
            }
        }
    }

    #[cold]
    fn seek_back(&self) -> Cursor<'a> {
        match self.source {
            Source::One(packed) => Cursor {
                node: 0,
                elems: NodeIter::Packed(packed.iter_to(self.left.end)),
            },
            Source::Many(nodes, len) => {
                let (node, at) = place_of(nodes, len, self.left.end - 1);
                Cursor {
                    node,
                    elems: nodes[node].iter_to(at + 1),
                }
            }
        }
    }
}

impl<'a> Source<'a> {
    /// The elements of the node with this number, if there is one.
    #[cold]
    fn node(self, at: usize) -> Option<NodeIter<'a>> {
        match self {
            Source::One(_) => None,
            Source::Many(nodes, _) => nodes.get(at).map(|node| node.iter_from(0)),
        }
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = Elem<'a>;

    #[inline]
    fn next(&mut self) -> Option<Elem<'a>> {
        if self.left.is_empty() {
            return None;
        }
        let mut cursor = match self.front.take() {
            Some(cursor) => cursor,
            None => self.seek_front(),
        };
        self.left.start += 1;
        loop {
            if let Some(elem) = cursor.elems.next() {
                self.front = Some(cursor);
                return Some(elem);
            }
            cursor.node += 1;
            cursor.elems = self.source.node(cursor.node)?;
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.len(), Some(self.left.len()))
    }
}

impl<'a> DoubleEndedIterator for Range<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Elem<'a>> {
        if self.left.is_empty() {
            return None;
        }
        let mut cursor = match self.back.take() {
            Some(cursor) => cursor,
            None => self.seek_back(),
        };
        self.left.end -= 1;
        loop {
            if let Some(elem) = cursor.elems.next_back() {
                self.back = Some(cursor);
                return Some(elem);
            }
            cursor.node = cursor.node.checked_sub(1)?;
            cursor.elems = self.source.node(cursor.node)?;
        }
    }
}

impl ExactSizeIterator for Range<'_> {}
