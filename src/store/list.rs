//! Lists: the typed API over [`crate::ds::list::List`].
//!
//! A list is never stored empty: who takes the last element removes the key.

use crate::ds::list::{End, Limit, List, Side, resolve_index, resolve_range};
use crate::ds::packed::Value;

use super::collection::Held;
use super::db::Db;
use super::dict::Key;
use super::error::Error;
use super::journal::Event;

/// The event of adding at this end.
fn push_event(end: End) -> Event {
    Event::list(match end {
        End::Head => "lpush",
        End::Tail => "rpush",
    })
}

fn pop_event(end: End) -> Event {
    Event::list(match end {
        End::Head => "lpop",
        End::Tail => "rpop",
    })
}

impl Db<'_> {
    /// The list at `key`, for reading. O(1).
    pub fn list(&mut self, key: Key<'_>) -> Result<Option<Held<'_, List>>, Error> {
        self.collection(key)
    }

    /// Length of the list at `key` as a changing command sees it; 0 without one.
    pub fn list_len(&self, key: Key<'_>) -> Result<usize, Error> {
        Ok((self.peek_collection::<List>(key)?).map_or(0, |list| list.len()))
    }

    /// Number of nodes of the list at `key`, which bounds the work of reaching an
    /// element; 0 without one.
    pub fn list_nodes(&self, key: Key<'_>) -> Result<usize, Error> {
        Ok((self.peek_collection::<List>(key)?).map_or(0, |list| list.node_count()))
    }

    /// Adds elements at an end; the new length. With `existing`, only to a list
    /// that is there; else 0.
    pub fn list_push<'v>(
        &mut self,
        key: Key<'_>,
        end: End,
        values: impl Iterator<Item = &'v [u8]> + Clone,
        existing: bool,
        limit: Limit,
    ) -> Result<usize, Error> {
        let push = |list: &mut List| {
            list.push_all(end, values, limit);
            list.len()
        };
        let len = if existing {
            match self.change(key, push)? {
                Some(len) => len,
                None => return Ok(0),
            }
        } else {
            self.change_or_new(key, push)?
        };
        self.touched(key.bytes, push_event(end));
        Ok(len)
    }

    /// Removes one element at an end and hands its text to `read`.
    pub fn list_pop<R>(
        &mut self,
        key: Key<'_>,
        end: End,
        limit: Limit,
        read: impl FnOnce(crate::ds::packed::Elem<'_>) -> R,
    ) -> Result<Option<R>, Error> {
        let popped = self.change(key, |list: &mut List| {
            (list.pop_with(end, limit, read), list.is_empty())
        })?;
        let Some((value, empty)) = popped else {
            return Ok(None);
        };
        self.touched(key.bytes, pop_event(end));
        if empty {
            self.settle(key);
        }
        Ok(value)
    }

    /// Removes up to `count` elements at an end, handing the list to `read` with
    /// the range that goes. With `much`, beside the locks, where `read` may be called
    /// again.
    pub fn list_pop_many(
        &mut self,
        key: Key<'_>,
        end: End,
        count: usize,
        (limit, much): (Limit, bool),
        mut read: impl FnMut(&List, std::ops::Range<usize>),
    ) -> Result<bool, Error> {
        let popped = self.change_much(key, much, |list: &mut List| {
            let len = list.len();
            let count = count.min(len);
            let (gone, kept) = match end {
                End::Head => (0..count, count..len),
                End::Tail => (len - count..len, 0..len - count),
            };
            read(list, gone);
            if count > 0 {
                list.trim(kept, limit);
            }
            count
        })?;
        let Some(count) = popped else {
            return Ok(false);
        };
        if count > 0 {
            self.touched(key.bytes, pop_event(end));
            self.settle(key);
        }
        Ok(true)
    }

    /// Replaces the element with this index.
    pub fn list_set(
        &mut self,
        key: Key<'_>,
        index: i64,
        value: &[u8],
        limit: Limit,
    ) -> Result<(), Error> {
        let done = self.change(key, |list: &mut List| {
            resolve_index(index, list.len()).is_some_and(|at| list.set(at, value, limit))
        })?;
        match done {
            None => Err(Error::NoSuchKey),
            Some(false) => Err(Error::IndexOutOfRange),
            Some(true) => {
                self.touched(key.bytes, Event::list("lset"));
                Ok(())
            }
        }
    }

    /// Removes elements equal to `value` (LREM's `count`); how many. With `much`,
    /// beside the locks.
    pub fn list_remove(
        &mut self,
        key: Key<'_>,
        count: i64,
        value: &[u8],
        (limit, much): (Limit, bool),
    ) -> Result<usize, Error> {
        let remove = |list: &mut List| list.remove(count, value, limit);
        let removed = self.change_much(key, much, remove)?;
        let removed = removed.unwrap_or(0);
        if removed > 0 {
            self.touched(key.bytes, Event::list("lrem"));
            self.settle(key);
        }
        Ok(removed)
    }

    /// Inserts beside the first element equal to `pivot`: the new length, -1
    /// without such an element, 0 without a list. With `much`, beside the locks.
    pub fn list_insert(
        &mut self,
        key: Key<'_>,
        side: Side,
        pivot: &[u8],
        value: &[u8],
        (limit, much): (Limit, bool),
    ) -> Result<i64, Error> {
        match self.change_much(key, much, |list: &mut List| {
            list.insert(side, pivot, value, limit)
        })? {
            None => Ok(0),
            Some(None) => Ok(-1),
            Some(Some(len)) => {
                self.touched(key.bytes, Event::list("linsert"));
                Ok(len as i64)
            }
        }
    }

    /// Keeps only a range of the list. With `much`, beside the locks.
    pub fn list_trim(
        &mut self,
        key: Key<'_>,
        start: i64,
        stop: i64,
        (limit, much): (Limit, bool),
    ) -> Result<(), Error> {
        let trimmed = self.change_much(key, much, |list: &mut List| {
            let keep = resolve_range(start, stop, list.len()).unwrap_or(0..0);
            list.trim(keep, limit);
        })?;
        if trimmed.is_some() {
            self.touched(key.bytes, Event::list("ltrim"));
            self.settle(key);
        }
        Ok(())
    }

    /// Moves one element from an end of `from` to an end of `to`.
    pub fn list_move(
        &mut self,
        (from, from_end): (Key<'_>, End),
        (to, to_end): (Key<'_>, End),
        limit: Limit,
    ) -> Result<Option<Value>, Error> {
        if self.collection_entry::<List>(from)?.is_none() {
            return Ok(None);
        }
        self.collection_entry::<List>(to)?;
        let Some(Some(value)) = self.change(from, |list: &mut List| list.pop(from_end, limit))?
        else {
            return Ok(None);
        };
        // The destination first: it may be the very list that is empty now.
        let text = value.as_elem().to_vec();
        let texts = std::iter::once(text.as_slice());
        self.list_push(to, to_end, texts, false, limit)?;
        self.touched(from.bytes, pop_event(from_end));
        self.settle(from);
        Ok(Some(value))
    }
}
