//! What all collection types have in common in the keyspace: how a command comes
//! to one, that a wrong type is refused, and that an empty one is not kept.
//!
//! The typed APIs (list.rs and its kin) are written on top of this. Must stay
//! true: whoever removes elements calls [`Db::settle`] before it returns.

use std::marker::PhantomData;
use std::ops::Deref;

use crate::ds::table::{Ref, RefMut};

use super::db::Db;
use super::dict::{Key, Ttl};
use super::entry::{Collection, Entry, NewValue, ValueRef};
use super::error::Error;
use super::journal::Event;

/// A collection as it is read; holds the entry it stands in.
pub struct Held<'a, T>(Ref<'a, Entry>, PhantomData<&'a T>);

impl<T: Collection> Deref for Held<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self.0.get::<T>() {
            Some(value) => value,
            None => unreachable!("made of entries of this type only"),
        }
    }
}

fn hold<T: Collection>(found: Option<Ref<'_, Entry>>) -> Result<Option<Held<'_, T>>, Error> {
    match found {
        None => Ok(None),
        Some(entry) if entry.get::<T>().is_some() => Ok(Some(Held(entry, PhantomData))),
        Some(_) => Err(Error::WrongType),
    }
}

impl Db<'_> {
    /// The collection at `key` for a reading command: counted as hit or miss, and
    /// stamped as used. O(1).
    #[inline]
    pub fn collection<T: Collection>(
        &mut self,
        key: Key<'_>,
    ) -> Result<Option<Held<'_, T>>, Error> {
        hold(self.read(key))
    }

    /// The collection at `key` without any trace of the look-up, for a changing
    /// command that has to know something first. O(1).
    #[inline]
    pub fn peek_collection<T: Collection>(
        &self,
        key: Key<'_>,
    ) -> Result<Option<Held<'_, T>>, Error> {
        hold(self.peek(key))
    }

    /// The entry of the collection at `key`, for change.
    #[inline]
    pub(super) fn collection_entry<T: Collection>(
        &mut self,
        key: Key<'_>,
    ) -> Result<Option<RefMut<'_, Entry>>, Error> {
        match self.write(key) {
            Some(entry) if entry.get::<T>().is_none() => Err(Error::WrongType),
            found => Ok(found),
        }
    }

    /// Changes the collection at `key`; `None` without one. Whoever calls this may
    /// leave it empty and calls [`Db::settle`] then.
    #[inline]
    pub(super) fn change<T: Collection, R>(
        &mut self,
        key: Key<'_>,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<Option<R>, Error> {
        let mut entry = self.collection_entry::<T>(key)?;
        Ok((entry.as_mut()).and_then(|entry| entry.get_mut::<T>().map(change)))
    }

    /// Changes the collection at `key`, a new one where there is none. One that
    /// `change` leaves empty is not stored.
    pub(super) fn change_or_new<T: Collection + Default, R>(
        &mut self,
        key: Key<'_>,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Error> {
        if let Some(mut entry) = self.collection_entry::<T>(key)?
            && let Some(value) = entry.get_mut::<T>()
        {
            return Ok(change(value));
        }
        let mut value = T::default();
        let result = change(&mut value);
        if !Collection::is_empty(&value) {
            self.put(key, NewValue::collection(value), Ttl::Clear);
        }
        Ok(result)
    }

    /// Removes the key of a collection that has become empty; whether it was.
    pub(super) fn settle(&mut self, key: Key<'_>) -> bool {
        let empty = self.peek(key).is_some_and(|entry| match entry.value() {
            ValueRef::Collection(value) => value.is_empty(),
            _ => false,
        });
        if empty && let Some(entry) = self.take(key) {
            self.discard(entry);
            self.notify(key.bytes, Event::generic("del"));
        }
        empty
    }
}
