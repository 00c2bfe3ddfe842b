//! Fields that expire: setting, clearing and telling their deadlines, and removing
//! those that are due.
//!
//! A deadline is noted in the hash, and the hash's earliest one beside the key, in
//! the minimum that the keyspace's table keeps for each segment
//! ([`super::super::dict::Dict::note_parts`]). So the active expiry finds hashes
//! with something due as it finds keys, and removes of each a slice at a time.
//!
//! Must stay true: whoever sets a deadline calls [`Db::note_fields`].

use crate::base::clock::Millis;
use crate::ds::hash::{Hash, NEVER, Text, Until};

use super::{HDEL, Pair};
use crate::store::db::Db;
use crate::store::dict::Key;
use crate::store::error::Error;
use crate::store::expire::ExpireIf;
use crate::store::journal::Event;

const HEXPIRE: Event = Event::hash("hexpire");
const HPERSIST: Event = Event::hash("hpersist");

/// Segments of a large hash visited under one lock: about a thousand fields.
const SEGMENTS_PER_SLICE: usize = 4;

/// What became of one field's deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldVerdict {
    /// There is no such field.
    Absent,
    /// It has no deadline to be cleared.
    Lasting,
    /// The condition does not hold.
    Refused,
    Done,
    /// The time has passed already, and the field is gone.
    Deleted,
}

/// What reading a field does to its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldTtl {
    Keep,
    Clear,
    At(Millis),
}

/// What a change of deadlines has done, by the fields' names.
#[derive(Default)]
struct Done<'v> {
    set: Vec<&'v [u8]>,
    deleted: Vec<&'v [u8]>,
}

impl<'v> Done<'v> {
    /// Sets the deadline of a field that is there.
    fn set(&mut self, hash: &mut Hash, name: &'v [u8], at: Millis, now: Millis) -> FieldVerdict {
        if at <= now {
            hash.remove(name, |_| ());
            self.deleted.push(name);
            return FieldVerdict::Deleted;
        }
        hash.set_deadline(name, at);
        self.set.push(name);
        FieldVerdict::Done
    }
}

impl Db<'_> {
    /// Lets fields expire at `at`, which is told of each to `each`. O(1) for each
    /// field, or O(bytes) of a packed hash.
    pub fn hash_expire<'v>(
        &mut self,
        key: Key<'_>,
        at: Millis,
        condition: ExpireIf,
        names: impl Iterator<Item = &'v [u8]> + Clone,
        mut each: impl FnMut(FieldVerdict),
    ) -> Result<(), Error> {
        let (now, mut done) = (self.now, Done::default());
        let found = self.change_fields(key, names.clone(), false, |hash| {
            for name in names.clone() {
                let old = hash.find(name, now, |item| item.deadline);
                each(match old {
                    None => FieldVerdict::Absent,
                    Some(old) if !condition.allows(deadline(old), at) => FieldVerdict::Refused,
                    Some(_) => done.set(hash, name, at, now),
                });
            }
        })?;
        match found {
            Some(()) => self.tell_deadlines(key, at, &done),
            None => names.for_each(|_| each(FieldVerdict::Absent)),
        }
        Ok(())
    }

    /// Lets fields live for ever.
    pub fn hash_persist<'v>(
        &mut self,
        key: Key<'_>,
        names: impl Iterator<Item = &'v [u8]> + Clone,
        mut each: impl FnMut(FieldVerdict),
    ) -> Result<(), Error> {
        let (now, mut cleared) = (self.now, false);
        let found = self.change_fields(key, names.clone(), false, |hash| {
            for name in names.clone() {
                each(match hash.find(name, now, |item| item.deadline) {
                    None => FieldVerdict::Absent,
                    Some(NEVER) => FieldVerdict::Lasting,
                    Some(_) => {
                        hash.set_deadline(name, NEVER);
                        cleared = true;
                        FieldVerdict::Done
                    }
                });
            }
        })?;
        if found.is_none() {
            names.for_each(|_| each(FieldVerdict::Absent));
        }
        if cleared {
            self.touched(key.bytes, HPERSIST);
        }
        Ok(())
    }

    /// Hands the value of each field, `None` if it is absent, to `each`, and changes
    /// the deadlines of those that are there.
    pub fn hash_get_ex<'v>(
        &mut self,
        key: Key<'_>,
        ttl: FieldTtl,
        names: impl Iterator<Item = &'v [u8]> + Clone,
        mut each: impl FnMut(Option<Text<'_>>),
    ) -> Result<(), Error> {
        let (now, mut done, mut cleared) = (self.now, Done::default(), Vec::new());
        let found = self.change_fields(key, names.clone(), false, |hash| {
            for name in names.clone() {
                let old = hash.find(name, now, |item| {
                    each(Some(item.value));
                    item.deadline
                });
                match (old, ttl) {
                    (None, _) => each(None),
                    (Some(_), FieldTtl::At(at)) => {
                        done.set(hash, name, at, now);
                    }
                    (Some(old), FieldTtl::Clear) if old != NEVER => {
                        hash.set_deadline(name, NEVER);
                        cleared.push(name);
                    }
                    _ => {}
                }
            }
        })?;
        if found.is_none() {
            names.for_each(|_| each(None));
        }
        if let FieldTtl::At(at) = ttl {
            self.tell_deadlines(key, at, &done);
        }
        if !cleared.is_empty() {
            self.touched(key.bytes, HPERSIST);
            self.log_fields(&[b"HPERSIST", key.bytes, b"FIELDS"], &cleared);
        }
        Ok(())
    }

    /// Tells what HSETEX has done beside setting values.
    pub(super) fn tell_set_ex<'v>(
        &mut self,
        key: Key<'_>,
        pairs: impl Iterator<Item = Pair<'v>> + Clone,
        until: Until,
        past: bool,
    ) {
        let Until::At(at) = until else {
            return;
        };
        if past {
            let names: Vec<&[u8]> = pairs.map(|(name, _)| name).collect();
            self.notify(key.bytes, HDEL);
            self.log_removed(key, &names);
            self.settle(key);
            return;
        }
        if at == NEVER {
            return;
        }
        self.notify(key.bytes, HEXPIRE);
        self.note_fields(key, at);
        if self.is_logged() {
            let (mut at_digits, mut digits) = (itoa::Buffer::new(), itoa::Buffer::new());
            let given: Vec<Pair<'_>> = pairs.collect();
            let at = at_digits.format(at).as_bytes();
            let count = digits.format(given.len()).as_bytes();
            let mut args = vec![b"HSETEX", key.bytes, b"PXAT", at, b"FIELDS", count];
            for (name, value) in &given {
                args.extend([*name, value.as_slice()]);
            }
            self.log_instead(&args);
        }
    }

    /// Tells that fields have got the deadline `at` or, where that has passed, are
    /// gone.
    fn tell_deadlines(&mut self, key: Key<'_>, at: Millis, done: &Done<'_>) {
        let count = done.set.len() + done.deleted.len();
        if count == 0 {
            return;
        }
        self.effects.dirty += count as u64 - 1;
        if !done.deleted.is_empty() {
            self.touched(key.bytes, HDEL);
            self.log_removed(key, &done.deleted);
            self.settle(key);
            return;
        }
        self.touched(key.bytes, HEXPIRE);
        self.note_fields(key, at);
        let mut digits = itoa::Buffer::new();
        let at = digits.format(at).as_bytes();
        self.log_fields(&[b"HPEXPIREAT", key.bytes, at, b"FIELDS"], &done.set);
    }

    /// Has the active expiry look at the hash at `at`.
    fn note_fields(&mut self, key: Key<'_>, at: Millis) {
        self.dict_mut(key).note_parts(key.hash, at);
    }

    fn log_removed(&mut self, key: Key<'_>, names: &[&[u8]]) {
        if self.is_logged() {
            self.log_instead(&[&[b"HDEL", key.bytes], names].concat());
        }
    }

    /// Logs a command that ends with the number of the names and the names.
    fn log_fields(&mut self, head: &[&[u8]], names: &[&[u8]]) {
        if self.is_logged() {
            let mut digits = itoa::Buffer::new();
            let count = [digits.format(names.len()).as_bytes()];
            self.log_instead(&[head, &count, names].concat());
        }
    }

    /// Tells that fields have been removed because their time had come.
    pub(super) fn tell_fields_expired(&mut self, key: Key<'_>, count: usize, names: &[&[u8]]) {
        self.effects.expired_fields += count as u64;
        self.notify(key.bytes, Event::hash("hexpired"));
        if self.is_logged() {
            self.note_command(&[&[b"HDEL", key.bytes], names].concat());
        }
    }

    /// Removes fields of the hash at `key` that are due, of a large one those in a
    /// few segments, and the key if none is left: how many, and whether there may be
    /// more. Called with the shard locked for writing.
    pub(in crate::store) fn reclaim_fields(&mut self, key: Key<'_>) -> (usize, bool) {
        let (now, heard) = (self.now, self.is_logged());
        let (mut count, mut names) = (0, Vec::new());
        let Some(slot) = self.dict_mut(key).find_mut(key) else {
            return (0, false);
        };
        let mut entry = slot.into_mut();
        let Some(hash) = entry.get_mut::<Hash>() else {
            return (0, false);
        };
        let more = hash.remove_due(now, SEGMENTS_PER_SLICE, |name| {
            count += 1;
            if heard {
                names.push(name.to_vec());
            }
        });
        let earliest = hash.earliest();
        drop(entry);
        self.note_fields(key, earliest);
        if count > 0 {
            let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
            self.tell_fields_expired(key, count, &names);
            self.settle(key);
        }
        (count, more)
    }
}

/// A field's deadline as the expiry of a key is told.
fn deadline(at: i64) -> Option<Millis> {
    (at != NEVER).then_some(at)
}
