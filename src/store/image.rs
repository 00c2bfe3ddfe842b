//! A value by itself, outside the keyspace: what a reader takes along when it gives
//! the locks back, and what a loader has made and not yet stored.

use bytes::Bytes;

use crate::base::clock::Millis;

use super::db::Db;
use super::dict::{Key, Ttl};
use super::entry::{INLINE_MAX, NewCollection, NewValue, ValueRef};
use super::journal::Event;
use super::usage::{COUNTER_NEW, Lfu, STAMP_MASK};

/// A value of any type. Large ones share their parts with the entry they come from.
#[derive(Debug)]
pub enum Image {
    Int(i64),
    Text(Bytes),
    Collection(NewCollection),
}

impl Image {
    /// What `value` is now. O(1) but for short strings and packed collections, which
    /// are copied, and for the directories of large ones.
    pub fn of(value: ValueRef<'_>) -> Image {
        match value {
            ValueRef::Int(int) => Image::Int(int),
            ValueRef::Str(text) => Image::Text(Bytes::copy_from_slice(text)),
            ValueRef::Shared(text) => Image::Text(text.clone()),
            ValueRef::Collection(value) => Image::Collection(value.image()),
        }
    }

    /// Whether no part of it is left at `now`, however large it is: of large hashes the
    /// keyspace finds that out field by field. O(fields) where some may be due.
    pub fn is_spent(&self, now: Millis) -> bool {
        match self {
            Image::Collection(NewCollection::Hash(hash)) => {
                hash.earliest() <= now && hash.live_len(now) == 0
            }
            _ => false,
        }
    }

    /// The value for reading.
    pub fn value(&self) -> ValueRef<'_> {
        match self {
            Image::Int(int) => ValueRef::Int(*int),
            Image::Text(text) => ValueRef::Shared(text),
            Image::Collection(value) => ValueRef::Collection(value.view()),
        }
    }
}

/// What RESTORE says of a key beside its value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Restored {
    /// When it expires.
    pub expire: Option<Millis>,
    /// For how many seconds it has not been used; means nothing where uses are counted.
    pub idle_secs: u64,
    /// Its counter of uses; means nothing where they are not counted.
    pub frequency: Option<u8>,
}

impl Db<'_> {
    /// Stores a value under `key`, whatever was there. One that has expired already
    /// only removes what was there; whether a key is there now.
    pub fn restore(&mut self, key: Key<'_>, image: Image, with: Restored) -> bool {
        if with.expire.is_some_and(|at| at <= self.now) {
            if let Some(old) = self.take(key) {
                self.discard(old);
                self.touched(key.bytes, Event::generic("del"));
                self.log_instead(&[b"DEL", key.bytes]);
            }
            return false;
        }
        let ttl = with.expire.map_or(Ttl::Clear, Ttl::At);
        match image {
            Image::Int(int) => self.put(key, NewValue::Int(int), ttl),
            Image::Text(text) if text.len() > INLINE_MAX => {
                self.put(key, NewValue::Shared(text), ttl);
            }
            Image::Text(text) => self.put(key, NewValue::Str(&text), ttl),
            Image::Collection(value) => self.put(key, NewValue::Collection(value), ttl),
        }
        let stamp = match (self.lfu(), with.frequency, with.idle_secs) {
            (Some(_), counter, _) => Some(Lfu::stamp(counter.unwrap_or(COUNTER_NEW), self.used_at)),
            (None, _, idle @ 1..) => {
                let idle = (idle & u64::from(STAMP_MASK)) as u32;
                Some(self.stamp().wrapping_sub(idle) & STAMP_MASK)
            }
            _ => None,
        };
        if let (Some(stamp), Some(entry)) = (stamp, self.peek(key)) {
            entry.touch(stamp);
        }
        self.touched(key.bytes, Event::generic("restore"));
        true
    }
}
