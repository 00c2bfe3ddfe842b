//! Sorted sets: the typed API over [`crate::ds::zset::ZSet`].
//!
//! A sorted set is never stored empty: who takes the last element removes the key.
//!
//! What reads several keys, and what stores the result of a long reading, works on
//! images; combine.rs has the rules.

mod combine;

use std::iter;
use std::ops::Range;

use crate::ds::zset::{Change, Entry, Limits, Span, ZSet};

use super::collection::Held;
use super::db::Db;
use super::dict::{Key, Ttl};
use super::entry::NewValue;
use super::error::Error;
use super::journal::Event;

pub use combine::{Aggregate, Combined, Op, Plan, taken};

/// Elements that leave a set in full with the command that removes them; of more, a
/// part is let go of later ([`ZSet::sweep`]).
const SWEPT_AT_ONCE: usize = 31;

/// Which elements an update may touch, as the options of ZADD say it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// Only elements that are not there (NX).
    pub only_new: bool,
    /// Only elements that are there (XX).
    pub only_old: bool,
    /// An element that is there only if its score rises (GT)...
    pub only_up: bool,
    /// ...or falls (LT).
    pub only_down: bool,
    /// The scores are increments (INCR).
    pub add: bool,
}

impl Rules {
    /// The score that an element gets, given the one it has; `Ok(None)` leaves it as
    /// it is.
    fn decide(self, old: Option<f64>, score: f64) -> Result<Option<f64>, Error> {
        let Some(old) = old else {
            return Ok((!self.only_old).then_some(score));
        };
        if self.only_new {
            return Ok(None);
        }
        let new = if self.add { old + score } else { score };
        if new.is_nan() {
            return Err(Error::ScoreNotNumber);
        }
        let barred = self.only_up && new <= old || self.only_down && new >= old;
        Ok((!barred).then_some(new))
    }
}

/// What an update has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Updated {
    pub added: usize,
    pub moved: usize,
    /// The score of the last element that the rules did not leave out.
    pub score: Option<f64>,
}

/// An end of a sorted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Min,
    Max,
}

impl End {
    /// The ranks of the `count` elements at this end of `len`.
    fn ranks(self, count: usize, len: usize) -> Range<usize> {
        let count = count.min(len);
        match self {
            End::Min => 0..count,
            End::Max => len - count..len,
        }
    }

    /// Has elements read, from this end on.
    fn read<R>(
        self,
        zset: &ZSet,
        ranks: Range<usize>,
        read: impl FnOnce(usize, &mut dyn Iterator<Item = Entry<'_>>) -> R,
    ) -> R {
        let (count, mut entries) = (ranks.len(), zset.range(ranks));
        match self {
            End::Min => read(count, &mut entries),
            End::Max => read(count, &mut entries.rev()),
        }
    }

    fn event(self) -> &'static str {
        match self {
            End::Min => "zpopmin",
            End::Max => "zpopmax",
        }
    }
}

/// Elements of one set, by rank or by what they are.
#[derive(Clone, Copy, Debug)]
pub enum Slice<'a> {
    /// From one signed rank to another, both included; -1 is the last element.
    Ranks(i64, i64),
    Span(Span<'a>),
}

impl Slice<'_> {
    /// The ranks that are meant in `zset`. O(log n), or O(n) for a small set.
    pub fn ranks(&self, zset: &ZSet) -> Range<usize> {
        match *self {
            Slice::Ranks(start, stop) => signed_range(start, stop, zset.len()),
            Slice::Span(span) => zset.ranks(&span),
        }
    }

    fn removal(&self) -> Event {
        Event::sorted_set(match self {
            Slice::Ranks(..) => "zremrangebyrank",
            Slice::Span(Span::Score(_)) => "zremrangebyscore",
            Slice::Span(Span::Lex(_)) => "zremrangebylex",
        })
    }
}

/// The ranks that a signed, inclusive range names, cut to the set.
pub fn signed_range(start: i64, stop: i64, len: usize) -> Range<usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_head = |rank: i64| if rank < 0 { rank + len } else { rank };
    let start = from_head(start).max(0);
    let stop = from_head(stop).min(len - 1);
    if start > stop {
        return 0..0;
    }
    start as usize..stop as usize + 1
}

impl Db<'_> {
    /// The sorted set at `key`, for reading. O(1).
    #[inline]
    pub fn zset(&mut self, key: Key<'_>) -> Result<Option<Held<'_, ZSet>>, Error> {
        self.collection(key)
    }

    /// The sorted set at `key` as a changing command sees it, without a trace.
    pub fn peek_zset(&self, key: Key<'_>) -> Result<Option<Held<'_, ZSet>>, Error> {
        self.peek_collection(key)
    }

    /// Sets or raises scores, in order. O(log n) for each.
    ///
    /// # Errors
    /// Where an increment would make a score NaN; nothing has changed then, since only
    /// one element may be incremented at a time.
    pub fn zset_update<'v>(
        &mut self,
        key: Key<'_>,
        pairs: impl ExactSizeIterator<Item = (f64, &'v [u8])> + Clone,
        rules: Rules,
        limits: Limits,
    ) -> Result<Updated, Error> {
        debug_assert!(!rules.add || pairs.len() == 1);
        let update = |zset: &mut ZSet| {
            let len = pairs.clone().next().map_or(0, |(_, member)| member.len());
            zset.expect(pairs.len(), len, limits);
            let mut updated = Updated::default();
            for (score, member) in pairs {
                let mut failed = None;
                let change = zset.upsert(member, limits, |old| {
                    let decided = rules.decide(old, score);
                    decided.unwrap_or_else(|error| {
                        failed = Some(error);
                        None
                    })
                });
                if let Some(error) = failed {
                    return Err(error);
                }
                updated.note(change);
            }
            Ok(updated)
        };
        let updated = if rules.only_old {
            self.change(key, update)?
                .unwrap_or(Ok(Updated::default()))?
        } else {
            self.change_or_new(key, update)??
        };
        if updated.added + updated.moved > 0 {
            let event = if rules.add { "zincr" } else { "zadd" };
            self.touched(key.bytes, Event::sorted_set(event));
        }
        Ok(updated)
    }

    /// Removes members; how many were there. O(log n) for each.
    pub fn zset_remove<'v>(
        &mut self,
        key: Key<'_>,
        members: impl Iterator<Item = &'v [u8]>,
    ) -> Result<usize, Error> {
        let removed = self.change(key, |zset: &mut ZSet| {
            let removed = members.filter(|member| zset.remove(member).is_some());
            (removed.count(), zset.is_empty())
        })?;
        Ok(self.told(key, removed.unwrap_or_default(), Event::sorted_set("zrem")))
    }

    /// Removes the elements of a slice; how many. O(log n), or O(n) for a small set.
    pub fn zset_remove_slice(&mut self, key: Key<'_>, slice: Slice<'_>) -> Result<usize, Error> {
        let removed = self.change(key, |zset: &mut ZSet| {
            let ranks = slice.ranks(zset);
            (zset.remove_ranks(ranks), zset.is_empty())
        })?;
        Ok(self.told_many(key, removed.unwrap_or_default(), slice.removal()))
    }

    /// As [`Db::told`], where the set may have more to let go of.
    fn told_many(&mut self, key: Key<'_>, removed: (usize, bool), event: Event) -> usize {
        if removed.0 > SWEPT_AT_ONCE && !removed.1 {
            self.effects.unswept.push((self.index, key.bytes.into()));
        }
        self.told(key, removed, event)
    }

    /// Goes on with the removal of many elements; whether there is more to do.
    pub(super) fn zset_sweep(&mut self, key: Key<'_>, max: usize) -> bool {
        let swept = self.change(key, |zset: &mut ZSet| zset.sweep(max));
        matches!(swept, Ok(Some(true)))
    }

    /// Tells how many elements were removed, and removes the key if the set is empty
    /// then.
    fn told(&mut self, key: Key<'_>, (removed, empty): (usize, bool), event: Event) -> usize {
        if removed > 0 {
            self.touched(key.bytes, event);
        }
        if empty {
            self.settle(key);
        }
        removed
    }

    /// Removes up to `count` elements at an end. `read` is told first how many that
    /// are, then handed each, from that end on. `None` without a set. O(log n) for each.
    #[inline]
    pub fn zset_pop<R>(
        &mut self,
        key: Key<'_>,
        end: End,
        count: usize,
        read: impl FnOnce(usize, &mut dyn Iterator<Item = Entry<'_>>) -> R,
    ) -> Result<Option<R>, Error> {
        let popped = self.change(key, |zset: &mut ZSet| {
            let ranks = end.ranks(count, zset.len());
            let (read, removed) = if ranks.len() == 1 {
                let taken = zset.take(ranks.start, |entry| read(1, &mut iter::once(entry)));
                (taken?, 1)
            } else {
                let read = end.read(zset, ranks.clone(), read);
                (read, zset.remove_ranks(ranks))
            };
            Some((read, (removed, zset.is_empty())))
        })?;
        let Some((read, removed)) = popped.flatten() else {
            return Ok(None);
        };
        self.told_many(key, removed, Event::sorted_set(end.event()));
        Ok(Some(read))
    }

    /// As [`Db::zset_pop`] for many elements, which are read beside the locks. Then
    /// `read` may be called again, and is not to keep anything of the time before.
    pub fn zset_pop_many<R>(
        &mut self,
        key: Key<'_>,
        end: End,
        count: usize,
        mut read: impl FnMut(usize, &mut dyn Iterator<Item = Entry<'_>>) -> R,
    ) -> Result<Option<R>, Error> {
        let popped = self.zset_aside(key, |zset| {
            end.read(zset, end.ranks(count, zset.len()), &mut read)
        })?;
        let Some(popped) = popped else {
            return self.zset_pop(key, end, count, read);
        };
        let removed = self.change(key, |zset: &mut ZSet| {
            let ranks = end.ranks(count, zset.len());
            (zset.remove_ranks(ranks), zset.is_empty())
        })?;
        let event = Event::sorted_set(end.event());
        self.told_many(key, removed.unwrap_or_default(), event);
        Ok(popped)
    }

    /// What `compute` makes of the set at `key`, if there is one, beside the locks; as
    /// [`Db::aside`].
    fn zset_aside<R>(
        &mut self,
        key: Key<'_>,
        mut compute: impl FnMut(&ZSet) -> R,
    ) -> Result<Option<Option<R>>, Error> {
        let image = |db: &Db<'_>| Ok(db.peek_zset(key)?.map(|zset| zset.image()));
        let unchanged = |db: &Db<'_>, image: &Option<ZSet>| match (db.peek_zset(key), image) {
            (Ok(Some(zset)), Some(image)) => zset.is_as(image),
            (Ok(None), None) => true,
            _ => false,
        };
        self.aside(image, unchanged, |image| image.as_ref().map(&mut compute))
    }

    /// A copy of the set at `key` that can be changed on its own, made beside the locks;
    /// `None` where there is no set, or it did not come to rest.
    pub(super) fn zset_copied(&mut self, key: Key<'_>) -> Option<ZSet> {
        self.zset_aside(key, ZSet::copied).ok()??
    }

    /// Stores a computed set under `key`, whatever was there; without elements it only
    /// removes that. How many elements there are.
    pub(super) fn zset_put(&mut self, key: Key<'_>, zset: ZSet, event: &'static str) -> usize {
        let len = zset.len();
        if len == 0 {
            self.delete(key);
        } else {
            self.put(key, NewValue::collection(zset), Ttl::Clear);
            self.touched(key.bytes, Event::sorted_set(event));
        }
        len
    }
}

impl Updated {
    fn note(&mut self, change: Change) {
        let score = match change {
            Change::Refused => return,
            Change::Kept(score) => score,
            Change::Added(score) => {
                self.added += 1;
                score
            }
            Change::Moved(score) => {
                self.moved += 1;
                score
            }
        };
        self.score = Some(score);
    }
}
