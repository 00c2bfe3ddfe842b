//! The survey: a slow walk over all entries that finds the largest keys.
//!
//! A step looks at whole segments for as long as it is given, under the lock of one
//! shard for one segment at a time, and only if nobody else has it. A round begins no
//! sooner than [`ROUND_MS_MIN`] after the last, and not at all while nothing changes:
//! an idle server rests.

use std::time::{Duration, Instant};

use super::Services;
use crate::base::clock::Millis;
use crate::metrics::keys::{Round, Seen};
use crate::store::entry::{CollectionRef, Entry, ValueRef};
use crate::store::journal::Silent;
use crate::store::{DATABASES, Db, Locks, Patience};

/// Time between the beginnings of two rounds.
const ROUND_MS_MIN: i64 = 2_000;
/// A value with more parts than this is not measured but estimated.
const MEASURED_PARTS_MAX: usize = 65_536;
/// What a part of a value with so many parts takes: an element of a sorted set with
/// its places in table and tree, a full node of a list.
const ZSET_ELEMENT_BYTES: usize = 90;
const LIST_NODE_BYTES: usize = 8 * 1024;

/// Where the walk goes on.
#[derive(Debug, Default)]
pub struct Surveyor {
    round: Option<Round>,
    db: usize,
    cursor: u64,
    began: Millis,
    /// Changes of the data when the round began.
    changes: Option<u64>,
}

impl Surveyor {
    /// Goes on for at most `budget`. `changes` counts those of the data since the start.
    pub fn step(&mut self, services: &Services, now: Millis, changes: u64, budget: Duration) {
        if self.round.is_none() {
            let rests = (0..ROUND_MS_MIN).contains(&(now - self.began));
            if rests || self.changes == Some(changes) {
                return;
            }
            (self.db, self.cursor, self.began) = (0, 0, now);
            self.changes = Some(changes);
        }
        let mut round = self.round.take().unwrap_or_default();
        let started = Instant::now();
        let locks = Locks::new(&services.keyspace, Patience::Try);
        let mut db = Db::new(locks, &Silent, now);
        let big_keys = &services.observed.big_keys;
        while self.db < DATABASES {
            if started.elapsed() >= budget || !self.walk_on(&mut db, &mut round) {
                big_keys.preview(&round);
                self.round = Some(round);
                return;
            }
        }
        big_keys.end_round(round);
    }

    /// Looks at one segment; false if somebody has its shard.
    fn walk_on(&mut self, db: &mut Db<'_>, round: &mut Round) -> bool {
        db.index = self.db;
        let index = self.db as u8;
        let step = db.walk_segment(self.cursor, |entry| {
            let (bytes, elements) = measure(entry);
            round.see(Seen {
                db: index,
                name: entry.key(),
                type_name: entry.value_type().name(),
                bytes: bytes as u64,
                elements: elements as u64,
            });
        });
        let Ok(cursor) = step else {
            return false;
        };
        self.cursor = cursor;
        self.db += usize::from(cursor == 0);
        true
    }
}

/// Bytes of an entry with its value, and the number of its elements.
fn measure(entry: &Entry) -> (usize, usize) {
    let elements = match entry.value() {
        ValueRef::Int(_) => return (entry.size(), 8),
        ValueRef::Str(text) => return (entry.size(), text.len()),
        ValueRef::Shared(text) => return (entry.mem_bytes(), text.len()),
        ValueRef::Collection(value) => value.len(),
    };
    let bytes = match entry.value() {
        ValueRef::Collection(CollectionRef::ZSet(zset)) if zset.len() > MEASURED_PARTS_MAX => {
            zset.len() * ZSET_ELEMENT_BYTES
        }
        ValueRef::Collection(CollectionRef::List(list))
            if list.node_count() > MEASURED_PARTS_MAX =>
        {
            list.node_count() * LIST_NODE_BYTES
        }
        _ => entry.mem_bytes(),
    };
    (bytes, elements)
}
