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

    /// The front's first element in the node it enters: its place at the
    /// beginning, else the node behind.
    #[cold]
    fn enter_front(&mut self) -> Option<Elem<'a>> {
        let mut cursor = match &self.front {
            None => self.seek_front(),
            Some(done) => self.source.cursor(done.node + 1)?,
        };
        let elem = cursor.elems.next();
        self.front = Some(cursor);
        elem
    }

    /// As [`Range::enter_front`], from the back.
    #[cold]
    fn enter_back(&mut self) -> Option<Elem<'a>> {
        let mut cursor = match &self.back {
            None => self.seek_back(),
            Some(done) => self.source.cursor(done.node.checked_sub(1)?)?,
        };
        let elem = cursor.elems.next_back();
        self.back = Some(cursor);
        elem
    }

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
    /// All elements of the node with this number, if there is one.
    fn cursor(self, node: usize) -> Option<Cursor<'a>> {
        match self {
            Source::One(_) => None,
            Source::Many(nodes, _) => {
                let elems = nodes.get(node)?.iter_from(0);
                Some(Cursor { node, elems })
            }
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
        let elem = match self.front.as_mut().and_then(|cursor| cursor.elems.next()) {
            Some(elem) => elem,
            None => self.enter_front()?,
        };
        self.left.start += 1;
        Some(elem)
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
        let elem = match self
            .back
            .as_mut()
            .and_then(|cursor| cursor.elems.next_back())
        {
            Some(elem) => elem,
            None => self.enter_back()?,
        };
        self.left.end -= 1;
        Some(elem)
    }
}

impl ExactSizeIterator for Range<'_> {}
