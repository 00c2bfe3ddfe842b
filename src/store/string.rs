//! Strings: bytes, or an integer where the text is one.

use bytes::Bytes;

use crate::base::float::Extended;
use crate::base::num;
use crate::ds::table::Ref;

use super::db::Db;
use super::dict::{Key, Ttl};
use super::entry::{Entry, INLINE_MAX, NewValue, Type, ValueRef};
use super::error::Error;
use super::journal::Event;
use super::keyspace::Footprint;

const SET: Event = Event::string("set");

/// A string as it is read; holds the entry it stands in.
pub struct Str<'a>(Ref<'a, Entry>);

/// The bytes of a string, wherever they lie.
#[derive(Clone, Copy)]
pub enum StrRef<'a> {
    Int(i64),
    Bytes(&'a [u8]),
    Shared(&'a Bytes),
}

impl Str<'_> {
    /// The string's bytes.
    #[inline]
    pub fn get(&self) -> StrRef<'_> {
        match self.0.value() {
            ValueRef::Int(int) => StrRef::Int(int),
            ValueRef::Str(bytes) => StrRef::Bytes(bytes),
            ValueRef::Shared(bytes) => StrRef::Shared(bytes),
            ValueRef::Collection(_) => unreachable!("a Str is made of strings only"),
        }
    }

    /// A copy that outlives the lock.
    pub fn to_bytes(&self) -> Bytes {
        match self.get() {
            StrRef::Int(int) => Bytes::copy_from_slice(itoa::Buffer::new().format(int).as_bytes()),
            StrRef::Bytes(bytes) => Bytes::copy_from_slice(bytes),
            StrRef::Shared(bytes) => bytes.clone(),
        }
    }

    /// Calls `with` with the bytes as one slice.
    pub fn with<R>(&self, with: impl FnOnce(&[u8]) -> R) -> R {
        match self.get() {
            StrRef::Int(int) => with(itoa::Buffer::new().format(int).as_bytes()),
            StrRef::Bytes(bytes) => with(bytes),
            StrRef::Shared(bytes) => with(bytes),
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        match self.get() {
            StrRef::Int(int) => num::i64_text_len(int),
            StrRef::Bytes(bytes) => bytes.len(),
            StrRef::Shared(bytes) => bytes.len(),
        }
    }

    /// Whether the string is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// When SET writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SetIf {
    #[default]
    Always,
    Absent,
    Present,
}

pub(super) fn as_string(entry: Ref<'_, Entry>) -> Result<Str<'_>, Error> {
    match entry.value_type() {
        Type::String => Ok(Str(entry)),
        _ => Err(Error::WrongType),
    }
}

impl Db<'_> {
    /// The string at `key`. O(1).
    #[inline]
    pub fn string(&mut self, key: Key<'_>) -> Result<Option<Str<'_>>, Error> {
        self.read(key).map(as_string).transpose()
    }

    /// Length of the string at `key` as a changing command sees it; 0 without one.
    pub fn string_len(&self, key: Key<'_>) -> Result<usize, Error> {
        self.peek(key).map_or(Ok(0), |entry| string_len(&entry))
    }

    /// The string at `key` as it is now, to be read when the locks are given back;
    /// without any trace of the look-up. O(1), or O(length) up to
    /// [`INLINE_MAX`](super::entry::INLINE_MAX).
    pub fn string_image(&self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        let string = self.peek(key).map(as_string).transpose()?;
        Ok(string.map(|string| string.to_bytes()))
    }

    /// Bytes to be filled or copied before the string at `key`, made `len` long if
    /// it is shorter, can be changed in place.
    pub fn string_edit_bytes(&self, key: Key<'_>, len: usize) -> Result<usize, Error> {
        let Some(entry) = self.peek(key) else {
            return Ok(len);
        };
        let grown = len.saturating_sub(string_len(&entry)?);
        if self.dict(key).is_unsaved(key) {
            // A snapshot will hold the string that is there now.
            return Ok(grown + string_len(&entry)?);
        }
        Ok(grown + entry.edit_copies())
    }

    /// Sets `key` to a string that is `raw` whatever its length, as Redis's commands
    /// for bits make it. O(length) up to [`INLINE_MAX`](super::entry::INLINE_MAX),
    /// else O(1). Tells nothing.
    pub(super) fn put_raw(&mut self, key: Key<'_>, bytes: Bytes, ttl: Ttl) {
        if bytes.len() > INLINE_MAX {
            return self.put(key, NewValue::Shared(bytes), ttl);
        }
        self.put(key, NewValue::Text(&bytes), ttl);
        if let Some(mut entry) = self.write(key) {
            entry.overwrite_string(|_| ());
        }
    }

    /// Makes the string at `key`, which may not be there, at least `len` bytes long,
    /// filled up with zero bytes; whether it was shorter. Tells nothing.
    /// O(bytes added), amortised.
    pub(super) fn grow_string(&mut self, key: Key<'_>, len: usize) -> Result<bool, Error> {
        let Some(mut entry) = self.write(key) else {
            self.put_raw(key, Bytes::from(vec![0; len]), Ttl::Clear);
            return Ok(true);
        };
        if string_len(&entry)? >= len {
            return Ok(false);
        }
        entry.edit_string(|text| text.resize(len, 0));
        Ok(true)
    }

    /// Changes bytes of the string at `key` where they lie; `None` without one.
    /// Tells nothing. O(1) beside the change, unless it is read elsewhere.
    pub(super) fn overwrite_string<R>(
        &mut self,
        key: Key<'_>,
        change: impl FnOnce(&mut [u8]) -> R,
    ) -> Option<R> {
        self.write(key)?.overwrite_string(change)
    }

    /// Sets `key` to a string. O(length).
    pub fn set(&mut self, key: Key<'_>, value: NewValue<'_>, ttl: Ttl) {
        // An expiry in the past removes the key at once, as in Redis.
        if let Ttl::At(at) = ttl
            && at <= self.now
        {
            self.expire_if_due(key);
            self.tell_if_new(key);
            if let Some(old) = self.take(key) {
                self.discard(old);
            }
            self.touched(key.bytes, SET);
            self.notify(key.bytes, Event::generic("expire"));
            self.notify(key.bytes, Event::EXPIRED);
            return self.log_instead(&[b"DEL", key.bytes]);
        }
        if let Ttl::At(at) = ttl {
            let mut digits = itoa::Buffer::new();
            let at = digits.format(at).as_bytes();
            value.with_text(|text| self.log_instead(&[b"SET", key.bytes, text, b"PXAT", at]));
        }
        self.put(key, value, ttl);
        self.touched(key.bytes, SET);
        if let Ttl::At(_) = ttl {
            self.notify(key.bytes, Event::generic("expire"));
        }
    }

    /// Whether a conditional SET may write.
    pub fn set_allowed(&mut self, key: Key<'_>, condition: SetIf) -> bool {
        match condition {
            SetIf::Always => true,
            SetIf::Absent => self.peek(key).is_none(),
            SetIf::Present => self.peek(key).is_some(),
        }
    }

    /// Adds `delta` to the integer at `key`, 0 if there is none. O(1).
    #[inline]
    pub fn increment(&mut self, key: Key<'_>, delta: i64) -> Result<i64, Error> {
        let Some(mut entry) = self.write(key) else {
            self.put(key, NewValue::Int(delta), Ttl::Clear);
            self.touched(key.bytes, Event::string("incrby"));
            return Ok(delta);
        };
        let old = integer(&entry)?;
        let new = old.checked_add(delta).ok_or(Error::Overflow)?;
        let replaced = if entry.set_int(new) {
            None
        } else {
            entry.set_value(NewValue::Int(new))
        };
        drop(entry);
        drop(replaced);
        self.touched(key.bytes, Event::string("incrby"));
        Ok(new)
    }

    /// Adds `delta` to the number at `key`, 0 if there is none; the text of the
    /// sum. O(length).
    pub fn increment_float(&mut self, key: Key<'_>, delta: Extended) -> Result<Vec<u8>, Error> {
        let old = match self.write(key) {
            None => Extended::parse(b"0"),
            Some(entry) => match entry.value() {
                ValueRef::Int(int) => Extended::parse(itoa::Buffer::new().format(int).as_bytes()),
                ValueRef::Str(text) => Extended::parse(text),
                ValueRef::Shared(text) => Extended::parse(text),
                ValueRef::Collection(_) => return Err(Error::WrongType),
            },
        };
        let old = old.ok_or(Error::NotFloat)?;
        let sum = old.checked_add(delta).ok_or(Error::NotFinite)?;
        let text = sum.to_redis_text();
        self.put(key, NewValue::Text(&text), Ttl::Keep);
        self.touched(key.bytes, Event::string("incrbyfloat"));
        self.log_instead(&[b"SET", key.bytes, &text, b"KEEPTTL"]);
        Ok(text)
    }

    /// Sets several keys at once, if `condition` holds for each of them; whether it
    /// did. O(keys).
    pub fn set_many<'v>(
        &mut self,
        pairs: impl Iterator<Item = (Key<'v>, NewValue<'v>)> + Clone,
        condition: SetIf,
        ttl: Ttl,
    ) -> bool {
        if !(pairs.clone()).all(|(key, _)| self.set_allowed(key, condition)) {
            return false;
        }
        pairs.for_each(|(key, value)| self.set(key, value, ttl));
        true
    }

    /// Has the journal take a plain SET instead of the client's own command, for
    /// one with a condition that is decided. With [`Ttl::At`], [`Db::set`] does.
    pub fn log_set(&mut self, key: Key<'_>, value: &NewValue<'_>, ttl: Ttl) {
        value.with_text(|text| match ttl {
            Ttl::Clear => self.log_instead(&[b"SET", key.bytes, text]),
            Ttl::Keep => self.log_instead(&[b"SET", key.bytes, text, b"KEEPTTL"]),
            Ttl::At(_) => {}
        });
    }

    /// Sets those of the keys that are not there, as the last thing that a command does. Holds
    /// no locks before and after, and one key's at a time. O(keys).
    pub fn populate(&mut self, pairs: impl Iterator<Item = (Vec<u8>, Vec<u8>)>) {
        let dirty = self.effects.dirty;
        for (name, value) in pairs {
            let key = self.key(&name);
            let mut footprint = Footprint::NONE;
            footprint.add(key.hash, true);
            self.acquire(footprint);
            if self.set_allowed(key, SetIf::Absent) {
                self.set(key, NewValue::Str(&value), Ttl::Clear);
                if self.is_logged() {
                    let words = [b"SET".to_vec(), name, value];
                    self.note_words(self.index, &words);
                }
            }
            self.release();
        }
        if self.effects.dirty != dirty {
            self.log_no_more();
        }
    }

    /// Appends to the string at `key`; its new length. Amortised O(added bytes).
    pub fn append(&mut self, key: Key<'_>, bytes: &[u8], len_max: usize) -> Result<usize, Error> {
        let Some(mut entry) = self.write(key) else {
            self.put(key, NewValue::Str(bytes), Ttl::Clear);
            self.touched(key.bytes, Event::string("append"));
            return Ok(bytes.len());
        };
        let old = string_len(&entry)?;
        if old + bytes.len() > len_max {
            return Err(Error::StringTooLong);
        }
        entry.edit_string(|text| text.extend_from_slice(bytes));
        drop(entry);
        self.touched(key.bytes, Event::string("append"));
        Ok(old + bytes.len())
    }

    /// Overwrites the string from `offset` on, zero bytes filling a gap; its new
    /// length. O(length added or moved).
    pub fn set_range(
        &mut self,
        key: Key<'_>,
        offset: usize,
        bytes: &[u8],
        len_max: usize,
    ) -> Result<usize, Error> {
        let end = offset.saturating_add(bytes.len());
        let old = self.string_len(key)?;
        if bytes.is_empty() {
            return Ok(old);
        }
        if end > len_max {
            return Err(Error::StringTooLong);
        }
        self.grow_string(key, end)?;
        self.overwrite_string(key, |text| text[offset..end].copy_from_slice(bytes));
        self.touched(key.bytes, Event::string("setrange"));
        Ok(old.max(end))
    }

    /// Removes `key`, since a comparison allows it; told as a plain DEL. O(1).
    pub fn delete_compared(&mut self, key: Key<'_>) {
        if self.delete(key) {
            self.log_instead(&[b"DEL", key.bytes]);
        }
    }

    /// Removes the string at `key` and returns it. O(1).
    pub fn get_delete(&mut self, key: Key<'_>) -> Result<Option<Bytes>, Error> {
        let Some(old) = self.string(key)?.map(|s| s.to_bytes()) else {
            return Ok(None);
        };
        self.delete_compared(key);
        Ok(Some(old))
    }
}

/// The value as an integer, for arithmetic.
#[inline]
fn integer(entry: &Entry) -> Result<i64, Error> {
    match entry.int() {
        Some(int) => Ok(int),
        None => parsed_integer(entry),
    }
}

#[cold]
fn parsed_integer(entry: &Entry) -> Result<i64, Error> {
    match entry.value() {
        ValueRef::Int(int) => Ok(int),
        ValueRef::Str(text) => num::parse_i64(text).ok_or(Error::NotInteger),
        ValueRef::Shared(_) => Err(Error::NotInteger),
        ValueRef::Collection(_) => Err(Error::WrongType),
    }
}

fn string_len(entry: &Entry) -> Result<usize, Error> {
    match entry.value() {
        ValueRef::Int(int) => Ok(num::i64_text_len(int)),
        ValueRef::Str(text) => Ok(text.len()),
        ValueRef::Shared(bytes) => Ok(bytes.len()),
        ValueRef::Collection(_) => Err(Error::WrongType),
    }
}
