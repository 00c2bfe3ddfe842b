//! Consumer groups: who has read how far, and who has been given what.
//!
//! ```text
//! Group     pending    id -> time, count, consumer     what nobody has acknowledged
//!           consumers  number -> Consumer              each number once
//!           names      name -> number
//! Consumer  pending    ids                             its part of the group's
//! ```
//!
//! What must stay true: an id is pending with a consumer exactly if the group has
//! it as pending with that consumer. All of it is ordered maps, so a copy of a
//! group with a million pending entries costs nothing.

use std::ops::Bound;
use std::sync::Arc;

use super::id::StreamId;
use super::range::Ids;
use crate::ds::ordmap::OrdMap;

/// The number of a consumer in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConsumerId(pub(super) u64);

/// An entry that was delivered and is not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// When it was delivered last, in milliseconds.
    pub time: i64,
    /// How often, as far as replies and the log can tell it.
    pub count: i64,
    /// To whom.
    pub consumer: ConsumerId,
}

/// A member of a group.
#[derive(Clone, Debug)]
pub struct Consumer {
    pub(super) name: Arc<[u8]>,
    /// When it asked for something last, in milliseconds.
    pub seen: i64,
    /// When it was given something last, if ever.
    pub active: Option<i64>,
    pub(super) pending: OrdMap<StreamId, ()>,
}

impl Consumer {
    /// The consumer's name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// How many entries are pending with it. O(1).
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// The ids that are pending with it, from `start` on.
    pub fn pending_from(&self, start: StreamId) -> impl Iterator<Item = StreamId> {
        (self.pending.range_from(Bound::Included(&start))).map(|(id, ())| *id)
    }
}

/// A consumer group.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The last id that was delivered.
    pub last_id: StreamId,
    /// Entries of the stream that the group has read, if that is known.
    pub entries_read: Option<i64>,
    pub(super) pending: OrdMap<StreamId, Pending>,
    pub(super) consumers: OrdMap<ConsumerId, Arc<Consumer>>,
    pub(super) names: OrdMap<Arc<[u8]>, ConsumerId>,
}

impl Group {
    /// A group that stands behind `last_id`.
    pub fn new(last_id: StreamId, entries_read: Option<i64>) -> Group {
        Group {
            last_id,
            entries_read,
            ..Group::default()
        }
    }

    /// How many entries are pending. O(1).
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// The first and the last id that is pending. O(log n).
    pub fn pending_edges(&self) -> Option<(StreamId, StreamId)> {
        Some((*self.pending.first()?.0, *self.pending.last()?.0))
    }

    /// The entry that is pending under `id`. O(log n).
    pub fn pending(&self, id: StreamId) -> Option<Pending> {
        self.pending.get(&id).copied()
    }

    /// The entries that are pending, from `start` on.
    pub fn pending_from(&self, start: StreamId) -> impl Iterator<Item = (StreamId, &Pending)> {
        (self.pending.range_from(Bound::Included(&start))).map(|(id, pending)| (*id, pending))
    }

    /// The entries that are pending under these ids, with `owner` alone if there
    /// is one.
    pub fn pending_within<'a>(
        &'a self,
        ids: &Ids,
        owner: Option<&'a Consumer>,
    ) -> Box<dyn Iterator<Item = (StreamId, &'a Pending)> + 'a> {
        let (start, end) = (*ids.start(), *ids.end());
        let within = move |id: &StreamId| *id <= end;
        match owner {
            None => Box::new(
                self.pending_from(start)
                    .take_while(move |(id, _)| within(id)),
            ),
            Some(owner) => Box::new(
                (owner.pending_from(start).take_while(within))
                    .filter_map(|id| Some((id, self.pending.get(&id)?))),
            ),
        }
    }

    /// How many consumers there are. O(1).
    pub fn consumer_len(&self) -> usize {
        self.names.len()
    }

    /// The consumers in the order of their names.
    pub fn consumers(&self) -> impl Iterator<Item = &Consumer> {
        (self.names.iter()).filter_map(|(_, number)| self.consumer(*number))
    }

    /// The consumer with this number. O(log n).
    pub fn consumer(&self, number: ConsumerId) -> Option<&Consumer> {
        self.consumers.get(&number).map(|consumer| &**consumer)
    }

    /// The number of the consumer with this name. O(log n).
    pub fn find_consumer(&self, name: &[u8]) -> Option<ConsumerId> {
        self.names.get(name).copied()
    }

    /// The consumer with this name. O(log n).
    pub fn consumer_named(&self, name: &[u8]) -> Option<&Consumer> {
        self.consumer(self.find_consumer(name)?)
    }

    /// The consumer with this number, for change. O(log n).
    pub fn consumer_mut(&mut self, number: ConsumerId) -> Option<&mut Consumer> {
        self.consumers.get_mut(&number).map(Arc::make_mut)
    }

    /// Adds a consumer that was seen at `now`; `None` if there is one of that name.
    /// O(log n).
    pub fn add_consumer(&mut self, name: &[u8], now: i64) -> Option<ConsumerId> {
        if self.names.contains(name) {
            return None;
        }
        let last = self.consumers.last().map_or(0, |(number, _)| number.0);
        let (number, name) = (ConsumerId(last + 1), Arc::from(name));
        self.names.insert(Arc::clone(&name), number);
        let consumer = Consumer {
            name,
            seen: now,
            active: None,
            pending: OrdMap::default(),
        };
        self.consumers.insert(number, Arc::new(consumer));
        Some(number)
    }

    /// Removes a consumer with all that is pending with it; how much that was.
    /// O(pending log n).
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let number = self.names.remove(name)?;
        let consumer = self.consumers.remove(&number)?;
        for (id, ()) in consumer.pending.iter() {
            self.pending.remove(id);
        }
        Some(consumer.pending.len())
    }

    /// Has `id` pending with a consumer as said, whoever had it before. O(log n).
    pub fn assign(&mut self, id: StreamId, pending: Pending) {
        let old = self.pending.insert(id, pending);
        let owner = old.map(|old| old.consumer);
        if owner == Some(pending.consumer) {
            return;
        }
        if let Some(owner) = owner.and_then(|owner| self.consumer_mut(owner)) {
            owner.pending.remove(&id);
        }
        if let Some(owner) = self.consumer_mut(pending.consumer) {
            owner.pending.insert(id, ());
        }
    }

    /// Ends that `id` is pending; whether it was. O(log n).
    pub fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(old) = self.pending.remove(&id) else {
            return false;
        };
        if let Some(owner) = self.consumer_mut(old.consumer) {
            owner.pending.remove(&id);
        }
        true
    }

    /// Steps that dropping the group takes, roughly. O(1).
    pub(super) fn drop_effort(&self) -> usize {
        1 + self.pending.len() / 16 + self.consumers.len()
    }

    /// Heap memory held, in bytes, roughly. O(1).
    pub(super) fn mem_bytes(&self) -> usize {
        size_of::<Group>()
            + self.pending.mem_bytes()
            + self.pending.len() * size_of::<StreamId>()
            + self.consumers.len() * (size_of::<Consumer>() + 2 * size_of::<Arc<[u8]>>())
    }
}
