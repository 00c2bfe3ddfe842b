//! Hashes: the typed API over [`crate::ds::hash::Hash`].
//!
//! A hash is never stored empty: who takes the last field removes the key. Fields
//! may expire (see `expire`). A reader passes over those that are due; a change
//! removes those that it names first, tells that they are gone, and then finds them
//! absent like any other.

mod expire;

use crate::base::float::Extended;
use crate::base::num;
use crate::ds::hash::{Given, Growth, Hash, Limit, NEVER, Text, Until};

use super::collection::Held;
use super::db::Db;
use super::dict::Key;
use super::error::Error;
use super::journal::Event;
use super::string::SetIf;

pub use expire::{FieldTtl, FieldVerdict};

const HSET: Event = Event::hash("hset");
const HDEL: Event = Event::hash("hdel");

/// A name with the value to be set.
pub type Pair<'v> = (&'v [u8], Given<'v>);

impl<'k> Db<'k> {
    /// The hash at `key`, for reading. O(1).
    #[inline]
    pub fn hash(&mut self, key: Key<'_>) -> Result<Option<Held<'_, Hash>>, Error> {
        self.collection(key)
    }

    /// What finding one field of the hash at `key` takes, in fields looked at.
    pub fn hash_find_effort(&self, key: Key<'_>) -> Result<usize, Error> {
        Ok((self.peek_collection::<Hash>(key)?).map_or(1, |hash| hash.find_effort()))
    }

    fn growth(&self, limit: Limit) -> Growth<'k> {
        Growth {
            limit,
            hasher: self.locks.keyspace().hasher(),
        }
    }

    /// Sets fields; how many are new. Amortised O(1) for each field.
    pub fn hash_set<'v>(
        &mut self,
        key: Key<'_>,
        pairs: impl ExactSizeIterator<Item = Pair<'v>> + Clone,
        limit: Limit,
    ) -> Result<usize, Error> {
        let growth = self.growth(limit);
        let names = pairs.clone().map(|(name, _)| name);
        let (new, all) = self.change_fields_or_new(key, names, |hash| {
            set_all(hash, pairs, Until::At(NEVER), growth)
        })?;
        self.touched(key.bytes, HSET);
        self.effects.dirty += all as u64 - 1;
        Ok(new)
    }

    /// Sets a field that is absent; whether it was.
    pub fn hash_set_new(
        &mut self,
        key: Key<'_>,
        (name, value): Pair<'_>,
        limit: Limit,
    ) -> Result<bool, Error> {
        let (growth, now) = (self.growth(limit), self.now);
        let names = std::iter::once(name);
        let new = self.change_fields_or_new(key, names, |hash| {
            let new = !hash.contains(name, now);
            if new {
                hash.set(name, value, Until::At(NEVER), growth);
            }
            new
        })?;
        if new {
            self.touched(key.bytes, HSET);
        }
        Ok(new)
    }

    /// Sets fields together, with a common deadline or none, if the condition holds
    /// for all of them; whether it did. A deadline that has passed removes them.
    pub fn hash_set_ex<'v>(
        &mut self,
        key: Key<'_>,
        pairs: impl ExactSizeIterator<Item = Pair<'v>> + Clone,
        condition: SetIf,
        until: Until,
        limit: Limit,
    ) -> Result<bool, Error> {
        let (growth, now) = (self.growth(limit), self.now);
        let names = pairs.clone().map(|(name, _)| name);
        let texts = pairs.clone();
        let past = matches!(until, Until::At(at) if at <= now);
        let count = self.change_fields_or_new(key, names.clone(), |hash| {
            let allowed = match condition {
                SetIf::Always => true,
                SetIf::Absent => names.clone().all(|name| !hash.contains(name, now)),
                SetIf::Present => names.clone().all(|name| hash.contains(name, now)),
            };
            if !allowed {
                return None;
            }
            if past {
                return Some(names.map(|name| hash.remove(name, |_| ())).count());
            }
            Some(set_all(hash, pairs, until, growth).1)
        })?;
        let Some(count) = count else {
            return Ok(false);
        };
        self.touched(key.bytes, HSET);
        self.effects.dirty += count as u64 - 1;
        self.tell_set_ex(key, texts, until, past);
        Ok(true)
    }

    /// Removes fields; how many there were. O(1) for each, or O(bytes) of a packed
    /// hash. With `much`, beside the locks.
    pub fn hash_delete<'v>(
        &mut self,
        key: Key<'_>,
        names: impl Iterator<Item = &'v [u8]> + Clone,
        much: bool,
    ) -> Result<usize, Error> {
        let removed = self.change_fields(key, names.clone(), much, |hash| {
            let names = names.clone();
            names.filter_map(|name| hash.remove(name, |_| ())).count()
        })?;
        let removed = removed.unwrap_or(0);
        self.tell_removed(key, removed);
        Ok(removed)
    }

    /// Removes fields and hands the value of each, `None` if it is absent, to
    /// `each`.
    pub fn hash_get_delete<'v>(
        &mut self,
        key: Key<'_>,
        names: impl Iterator<Item = &'v [u8]> + Clone,
        mut each: impl FnMut(Option<Text<'_>>),
    ) -> Result<(), Error> {
        let mut take = |hash: &mut Hash, name| {
            let found = hash.remove(name, |item| each(Some(item.value)));
            if found.is_none() {
                each(None);
            }
            usize::from(found.is_some())
        };
        let removed = self.change_fields(key, names.clone(), false, |hash| {
            names.clone().map(|name| take(hash, name)).sum::<usize>()
        })?;
        match removed {
            Some(removed) => self.tell_removed(key, removed),
            None => names.for_each(|_| each(None)),
        }
        Ok(())
    }

    fn tell_removed(&mut self, key: Key<'_>, count: usize) {
        if count > 0 {
            self.touched(key.bytes, HDEL);
            self.effects.dirty += count as u64 - 1;
            self.settle(key);
        }
    }

    /// Adds `delta` to the integer in a field, 0 if it is absent; the deadline
    /// stays.
    pub fn hash_increment(
        &mut self,
        key: Key<'_>,
        name: &[u8],
        delta: i64,
        limit: Limit,
    ) -> Result<i64, Error> {
        let (growth, now) = (self.growth(limit), self.now);
        let sum = self.change_fields_or_new(key, std::iter::once(name), |hash| {
            let old = hash.find(name, now, |item| integer(item.value));
            let old = old.unwrap_or(Ok(0))?;
            let sum = old.checked_add(delta).ok_or(Error::Overflow)?;
            let mut digits = itoa::Buffer::new();
            let text = Given::Text(digits.format(sum).as_bytes());
            hash.set(name, text, Until::Keep, growth);
            Ok::<_, Error>(sum)
        })??;
        self.touched(key.bytes, Event::hash("hincrby"));
        Ok(sum)
    }

    /// Adds `delta` to the number in a field, 0 if it is absent; the text of the
    /// sum. The deadline stays.
    pub fn hash_increment_float(
        &mut self,
        key: Key<'_>,
        name: &[u8],
        delta: Extended,
        limit: Limit,
    ) -> Result<Vec<u8>, Error> {
        let (growth, now) = (self.growth(limit), self.now);
        let (text, volatile) =
            self.change_fields_or_new(key, std::iter::once(name), |hash| {
                let old = hash.find(name, now, |item| {
                    let number = item.value.with(Extended::parse);
                    (number, item.deadline != NEVER)
                });
                let (old, volatile) = old.unwrap_or_else(|| (Extended::parse(b"0"), false));
                let old = old.ok_or(Error::HashNotFloat)?;
                let sum = old.checked_add(delta).ok_or(Error::NotFinite)?;
                let text = sum.to_redis_text();
                hash.set(name, Given::Text(&text), Until::Keep, growth);
                Ok::<_, Error>((text, volatile))
            })??;
        self.touched(key.bytes, Event::hash("hincrbyfloat"));
        if volatile {
            let args = [
                b"HSETEX", key.bytes, b"KEEPTTL", b"FIELDS", b"1", name, &text,
            ];
            self.log_instead(&args);
        } else {
            self.log_instead(&[b"HSET", key.bytes, name, &text]);
        }
        Ok(text)
    }

    /// Changes the hash at `key`, of which the named fields that are due have been
    /// removed; `None` without one; with `much`, beside the locks. Whoever leaves it
    /// empty calls [`Db::settle`].
    fn change_fields<'v, R>(
        &mut self,
        key: Key<'_>,
        names: impl Iterator<Item = &'v [u8]> + Clone,
        much: bool,
        mut change: impl FnMut(&mut Hash) -> R,
    ) -> Result<Option<R>, Error> {
        let (now, mut gone) = (self.now, Vec::new());
        let result = self.change_much(key, much, |hash: &mut Hash| {
            gone.clear();
            remove_named_due(hash, names.clone(), now, &mut gone);
            change(hash)
        })?;
        if !gone.is_empty() {
            self.tell_fields_expired(key, gone.len(), &gone);
            self.settle(key);
        }
        Ok(result)
    }

    /// As [`Db::change_fields`], on a new hash where there is none. One that is left
    /// empty is not kept.
    #[inline]
    fn change_fields_or_new<'v, R>(
        &mut self,
        key: Key<'_>,
        names: impl Iterator<Item = &'v [u8]>,
        change: impl FnOnce(&mut Hash) -> R,
    ) -> Result<R, Error> {
        let (now, mut gone) = (self.now, Vec::new());
        let result = self.change_or_new(key, |hash: &mut Hash| {
            remove_named_due(hash, names, now, &mut gone);
            change(hash)
        })?;
        if !gone.is_empty() {
            self.tell_fields_expired(key, gone.len(), &gone);
            self.settle(key);
        }
        Ok(result)
    }
}

/// Removes the named fields that are due.
#[inline]
fn remove_named_due<'v>(
    hash: &mut Hash,
    names: impl Iterator<Item = &'v [u8]>,
    now: i64,
    gone: &mut Vec<&'v [u8]>,
) {
    if hash.earliest() <= now {
        gone.extend(names.filter(|name| hash.remove_if_due(name, now)));
    }
}

/// Sets fields; how many are new, and how many there are.
#[inline]
fn set_all<'v>(
    hash: &mut Hash,
    pairs: impl ExactSizeIterator<Item = Pair<'v>> + Clone,
    until: Until,
    growth: Growth<'_>,
) -> (usize, usize) {
    let all = pairs.len();
    // What is announced of one pair is seen when it is set.
    if all > 1 {
        announce(hash, pairs.clone(), growth);
    }
    let mut new = 0;
    for (name, value) in pairs {
        new += usize::from(!hash.set(name, value, until, growth));
    }
    (new, all)
}

fn announce<'v>(
    hash: &mut Hash,
    pairs: impl ExactSizeIterator<Item = Pair<'v>>,
    growth: Growth<'_>,
) {
    let (all, mut bytes, mut longest) = (pairs.len(), 0, 0);
    for (name, value) in pairs {
        let value = value.as_slice().len();
        bytes += name.len() + value;
        longest = longest.max(name.len()).max(value);
    }
    hash.announce(all, bytes, longest, growth);
}

fn integer(text: Text<'_>) -> Result<i64, Error> {
    match text {
        Text::Int(int) => Ok(int),
        other => other.with(num::parse_i64).ok_or(Error::HashNotInteger),
    }
}
