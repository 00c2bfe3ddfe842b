//! What can be done to keys of any type.

use super::db::Db;
use super::dict::Key;
use super::entry::{Entry, NewValue};
use super::error::Error;
use super::journal::Event;

impl Db<'_> {
    /// Whether `key` is there; counted as a read, but its stamp stays.
    pub fn exists(&mut self, key: Key<'_>) -> bool {
        self.look(key).is_some()
    }

    /// Stamps `key` as used now; whether it is there.
    pub fn touch(&mut self, key: Key<'_>) -> bool {
        self.read(key).is_some()
    }

    /// Removes `key`; whether it was there. O(1): large values are dropped
    /// elsewhere.
    pub fn delete(&mut self, key: Key<'_>) -> bool {
        let Some(entry) = self.take(key) else {
            return false;
        };
        self.discard(entry);
        self.touched(key.bytes, Event::generic("del"));
        true
    }

    /// Moves the value of `from` to `to`, expiry included. `Ok(false)` if `to`
    /// exists and may not be replaced.
    pub fn rename(&mut self, from: Key<'_>, to: Key<'_>, replace: bool) -> Result<bool, Error> {
        if self.peek(from).is_none() {
            self.expire_if_due(from);
            return Err(Error::NoSuchKey);
        }
        if from.bytes == to.bytes {
            return Ok(replace);
        }
        if !replace && self.peek(to).is_some() {
            return Ok(false);
        }
        if let Some(old) = self.take(to) {
            self.discard(old);
        }
        let Some(entry) = self.take(from) else {
            return Err(Error::NoSuchKey);
        };
        self.insert(to, entry.renamed(to.bytes));
        self.notify(from.bytes, Event::generic("rename_from"));
        self.touched(to.bytes, Event::generic("rename_to"));
        Ok(true)
    }

    /// Moves `key` to another database; whether it did. The target keeps its own.
    pub fn move_key(&mut self, key: Key<'_>, to_db: usize) -> bool {
        let from_db = self.index;
        if self.peek(key).is_none() {
            self.expire_if_due(key);
            return false;
        }
        self.index = to_db;
        self.expire_if_due(key);
        let occupied = self.peek(key).is_some();
        self.index = from_db;
        if occupied {
            return false;
        }
        let Some(entry) = self.take(key) else {
            return false;
        };
        self.index = to_db;
        self.insert(key, entry);
        self.index = from_db;
        self.touched(key.bytes, Event::generic("move_from"));
        self.index = to_db;
        self.notify(key.bytes, Event::generic("move_to"));
        self.index = from_db;
        true
    }

    /// Copies `from` to `to`, which is in a database; whether it did. With `much`, what
    /// takes long is done beside the locks.
    pub fn copy(
        &mut self,
        from: Key<'_>,
        (to, to_db): (Key<'_>, usize),
        replace: bool,
        much: bool,
    ) -> bool {
        let from_db = self.index;
        let made = if much { self.zset_copied(from) } else { None };
        let Some(copy) = self.read(from).map(|entry| match made {
            Some(zset) => entry.with_value(to.bytes, NewValue::collection(zset)),
            None => entry.copied(to.bytes),
        }) else {
            return false;
        };
        self.index = to_db;
        self.expire_if_due(to);
        if !replace && self.peek(to).is_some() {
            self.index = from_db;
            return false;
        }
        if let Some(old) = self.take(to) {
            self.discard(old);
        }
        self.insert(to, copy);
        self.touched(to.bytes, Event::generic("copy_to"));
        self.index = from_db;
        true
    }

    /// Adds an entry under a key that is absent.
    fn insert(&mut self, key: Key<'_>, entry: Entry) {
        self.tell_if_new(key);
        let hasher = self.locks.keyspace().hasher();
        self.dict_mut(key).insert(key.hash, entry, hasher);
    }
}
