//! Building a stream from its saved form, which may say anything.
//!
//! The parts are handed over in the order in which Redis saves them; each is
//! checked as it comes, and [`Loader::finish`] checks what only the whole shows.
//! No count that the form announces is taken as given or allocated for. What comes
//! out holds all that a stream built by commands holds.

use std::sync::Arc;

use super::Stream;
use super::group::{ConsumerId, Group, Pending};
use super::id::StreamId;
use super::node::Node;
use crate::ds::packed::Corrupt;

/// Why a saved form is not one of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// A node is no listpack, or one of something else.
    Node(Corrupt),
    /// Ids do not ascend from node to node.
    Order,
    /// The length or the last id contradicts the entries.
    Counters,
    /// A name or an id is there twice.
    Twice,
    /// Something is pending with no consumer, with two, or with one alone.
    Pending,
}

/// What a saved stream says about itself besides its entries. Its first id, which
/// newer forms tell, is found out anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    pub len: u64,
    pub last_id: StreamId,
    /// The least id where the form does not tell it.
    pub max_deleted_id: StreamId,
    /// The length where the form does not tell it.
    pub entries_added: u64,
}

/// A stream in the making.
#[derive(Debug, Default)]
pub struct Loader {
    stream: Stream,
    /// The greatest id so far.
    top: Option<StreamId>,
}

impl Loader {
    /// Takes the next node: the id it is kept under, and its listpack. O(bytes).
    pub fn node(&mut self, base: StreamId, listpack: &[u8]) -> Result<(), Invalid> {
        let node = Node::from_listpack(base, listpack).map_err(Invalid::Node)?;
        if self.top.is_some_and(|top| base <= top) {
            return Err(Invalid::Order);
        }
        self.top = node.last_id(base).or(Some(base));
        // Redis keeps a node whose entries are all deleted.
        if node.live() == 0 {
            return Ok(());
        }
        self.stream.len += node.live();
        self.stream.nodes.insert(base, Arc::new(node));
        Ok(())
    }

    /// Takes the counters, after the last node.
    pub fn counters(&mut self, told: Counters) -> Result<(), Invalid> {
        let stream = &mut self.stream;
        if told.len != stream.len as u64 || self.top.is_some_and(|top| top > told.last_id) {
            return Err(Invalid::Counters);
        }
        stream.last_id = told.last_id;
        stream.first_id = stream.edge(true).unwrap_or(StreamId::MIN);
        stream.max_deleted_id = told.max_deleted_id;
        stream.entries_added = told.entries_added;
        Ok(())
    }

    /// How many entries were ever added up to `id`, for forms that do not tell what a
    /// group has read.
    pub fn distance_to(&self, id: StreamId) -> Option<i64> {
        self.stream.distance_to(id)
    }

    /// Takes a finished group.
    pub fn group(&mut self, name: &[u8], group: GroupLoader) -> Result<(), Invalid> {
        let group = group.finish()?;
        if !self.stream.add_group(name, group) {
            return Err(Invalid::Twice);
        }
        Ok(())
    }

    /// The stream.
    pub fn finish(self) -> Stream {
        self.stream
    }
}

/// A group in the making: first all that is pending in it, then its consumers and
/// what is pending with each.
#[derive(Debug)]
pub struct GroupLoader {
    group: Group,
    /// Pending ids that have found their consumer.
    owned: usize,
}

/// Stands for the consumer of what is pending until it is known.
const NOBODY: ConsumerId = ConsumerId(0);

impl GroupLoader {
    /// A group that stands behind `last_id`.
    pub fn new(last_id: StreamId, entries_read: Option<i64>) -> GroupLoader {
        GroupLoader {
            group: Group::new(last_id, entries_read),
            owned: 0,
        }
    }

    /// Takes something that is pending: when it was delivered last, and how often; that is
    /// more than can be counted only where it is not true.
    pub fn pending(&mut self, id: StreamId, time: i64, count: u64) -> Result<(), Invalid> {
        let pending = Pending {
            time,
            count: i64::try_from(count).unwrap_or(i64::MAX),
            consumer: NOBODY,
        };
        match self.group.pending.insert(id, pending) {
            None => Ok(()),
            Some(_) => Err(Invalid::Twice),
        }
    }

    /// Takes a consumer; the ids that are pending with it follow by
    /// [`GroupLoader::owns`].
    pub fn consumer(
        &mut self,
        name: &[u8],
        seen: i64,
        active: Option<i64>,
    ) -> Result<ConsumerId, Invalid> {
        let added = self.group.add_consumer(name, seen).ok_or(Invalid::Twice)?;
        if let Some(consumer) = self.group.consumer_mut(added) {
            consumer.active = active;
        }
        Ok(added)
    }

    /// Takes an id that is pending with this consumer.
    pub fn owns(&mut self, consumer: ConsumerId, id: StreamId) -> Result<(), Invalid> {
        let pending = self.group.pending.get_mut(&id).ok_or(Invalid::Pending)?;
        if pending.consumer != NOBODY {
            return Err(Invalid::Pending);
        }
        pending.consumer = consumer;
        let owner = self.group.consumer_mut(consumer).ok_or(Invalid::Pending)?;
        owner.pending.insert(id, ());
        self.owned += 1;
        Ok(())
    }

    fn finish(self) -> Result<Group, Invalid> {
        if self.owned != self.group.pending_len() {
            return Err(Invalid::Pending);
        }
        Ok(self.group)
    }
}
