//! Walks over the whole keyspace: SCAN, KEYS, RANDOMKEY, counts.
//!
//! A walk holds one shard's lock for one small slice at a time, so nobody waits
//! for it. Keys come in hash order; the cursor of SCAN is a place in that order
//! with the shard in its low six bits, and what is there throughout is reported
//! exactly once.

use crate::base::clock::Millis;
use crate::base::rng::Rng;
use crate::ds::table::CURSOR_BITS;

use super::db::Db;
use super::entry::Entry;
use super::keyspace::{Busy, DATABASES, SHARDS};
use super::undo::Part;

const _: () = assert!(CURSOR_BITS + super::SHARD_BITS <= 64);

/// Draws of RANDOMKEY before it takes what a scan finds first: in a keyspace of
/// mostly expired keys every draw may meet one.
const RANDOM_DRAWS: usize = 128;

/// Sizes of one database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    pub keys: usize,
    pub volatile: usize,
    pub table_bytes: usize,
}

impl Db<'_> {
    /// Counts of database `db`. O(shards).
    pub fn sizes(&self, db: usize) -> Result<Sizes, Busy> {
        let mut sizes = Sizes::default();
        for shard in 0..SHARDS {
            self.locks.visit(shard, |shard| {
                let dict = shard.dict(db);
                sizes.keys += dict.len();
                sizes.volatile += dict.volatile();
                sizes.table_bytes += dict.table().mem_bytes();
            })?;
        }
        Ok(sizes)
    }

    /// One small step of a scan: reports a few live entries and returns the cursor
    /// to go on with, 0 at the end.
    pub fn scan_step(&self, cursor: u64, each: impl FnMut(&Entry)) -> Result<u64, Busy> {
        self.walk_step(cursor, false, each)
    }

    /// One step over a whole segment, about 250 entries.
    pub fn walk_segment(&self, cursor: u64, each: impl FnMut(&Entry)) -> Result<u64, Busy> {
        self.walk_step(cursor, true, each)
    }

    fn walk_step(
        &self,
        cursor: u64,
        whole: bool,
        mut each: impl FnMut(&Entry),
    ) -> Result<u64, Busy> {
        let shard = (cursor % SHARDS as u64) as usize;
        let inner = cursor / SHARDS as u64;
        let now: Millis = self.now;
        let next = self.locks.visit(shard, |s| {
            let table = s.dict(self.index).table();
            let live = |entry: &Entry| {
                if !entry.is_gone(now) {
                    each(entry);
                }
            };
            if whole {
                table.scan_segment(inner, live)
            } else {
                table.scan(inner, live)
            }
        })?;
        Ok(match next {
            0 if shard + 1 == SHARDS => 0,
            0 => shard as u64 + 1,
            inner => inner * SHARDS as u64 + shard as u64,
        })
    }

    /// A key drawn uniformly from all live keys.
    pub fn random_key(&self, rng: &mut Rng) -> Result<Option<Vec<u8>>, Busy> {
        let mut ends = [0u64; SHARDS];
        let mut total = 0;
        for (shard, end) in ends.iter_mut().enumerate() {
            total += self.locks.visit(shard, |s| s.dict(self.index).len())? as u64;
            *end = total;
        }
        for _ in 0..if total == 0 { 0 } else { RANDOM_DRAWS } {
            let draw = rng.below(total);
            let shard = ends.partition_point(|&end| end <= draw);
            let found = self.locks.visit(shard, |s| {
                let entry = s.dict(self.index).table().sample(|| rng.next_u64())?;
                (!entry.is_gone(self.now)).then(|| entry.key().to_vec())
            })?;
            if found.is_some() {
                return Ok(found);
            }
        }
        self.first_key()
    }

    /// The first live key in hash order.
    fn first_key(&self) -> Result<Option<Vec<u8>>, Busy> {
        let mut cursor = 0;
        loop {
            let mut found = None;
            cursor = self.walk_segment(cursor, |entry| {
                found.get_or_insert_with(|| entry.key().to_vec());
            })?;
            if found.is_some() || cursor == 0 {
                return Ok(found);
            }
        }
    }

    /// Empties one database, or all. The tables are dropped elsewhere, or can be brought back
    /// before `keep_until`. Needs all shards for writing.
    pub fn flush(&mut self, db: Option<usize>, keep_until: Option<Millis>) {
        if self.locks.keyspace().is_observed() {
            self.tell_all_observers(db, None);
        }
        let range = db.map_or(0..DATABASES, |db| db..db + 1);
        let (mut removed, mut parts) = (0, Vec::new());
        for shard in 0..SHARDS {
            for index in range.clone() {
                let dict = self.locks.shard_mut(shard).dict_mut(index);
                if !dict.is_empty() {
                    removed += dict.len() as u64;
                    parts.push(Part::new(shard, index, dict.take_shared()));
                }
            }
        }
        let shelf = self.locks.keyspace().shelf();
        let dropped = shelf.put(parts, db.is_none(), keep_until);
        self.effects.emptied.extend(dropped);
        if self.locks.keyspace().is_observed() {
            self.note_all_ready(db);
        }
        // Redis counts a flush as a change even of an empty keyspace.
        self.effects.dirty += removed.max(1);
        self.flushed(db);
    }

    /// Empties all databases without a word to the journal: what comes next replaces the
    /// data. Needs all shards for writing.
    pub fn empty(&mut self) {
        for shard in 0..SHARDS {
            for index in 0..DATABASES {
                let dict = self.locks.shard_mut(shard).dict_mut(index);
                if !dict.is_empty() {
                    self.effects.emptied.extend(dict.take());
                }
            }
        }
        // An undo that is under way ends.
        let shelf = self.locks.keyspace().shelf();
        shelf.put(Vec::new(), true, None);
    }

    /// Exchanges two databases. Needs all shards for writing.
    pub fn swap_databases(&mut self, a: usize, b: usize) {
        if self.locks.keyspace().is_observed() {
            self.tell_all_observers(Some(a), Some(b));
            self.tell_all_observers(Some(b), Some(a));
        }
        for shard in 0..SHARDS {
            self.locks.shard_mut(shard).swap(a, b);
        }
        self.locks.keyspace().shelf().exchange(a, b);
        if self.locks.keyspace().is_observed() {
            self.note_all_ready(Some(a));
            self.note_all_ready(Some(b));
        }
        self.effects.dirty += 1;
        self.flushed(Some(a));
        self.flushed(Some(b));
    }
}
