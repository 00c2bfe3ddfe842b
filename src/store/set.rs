//! Sets: the typed API over [`crate::ds::set::Set`].
//!
//! A set is never stored empty: who takes the last member removes the key.
//!
//! What is computed from several sets may take long, and then happens beside the
//! locks ([`Db::aside`]).

use crate::base::rng::Rng;
use crate::ds::packed::Elem;
use crate::ds::set::{Rules, Set, Taken};

use super::collection::Held;
use super::db::Db;
use super::dict::{Key, Ttl};
use super::entry::NewValue;
use super::error::Error;
use super::journal::Event;

/// Members of one SREM in the journal.
const LOGGED_MEMBERS_MAX: usize = 1024;

impl Db<'_> {
    /// The set at `key`, for reading. O(1).
    pub fn read_set(&mut self, key: Key<'_>) -> Result<Option<Held<'_, Set>>, Error> {
        self.collection(key)
    }

    /// Size of the set at `key` as a changing command sees it; 0 without one.
    pub fn set_len(&self, key: Key<'_>) -> Result<usize, Error> {
        Ok((self.peek_collection::<Set>(key)?).map_or(0, |set| set.len()))
    }

    /// Adds members, of which there is at least one; how many are new.
    pub fn set_add<'v>(
        &mut self,
        key: Key<'_>,
        members: impl ExactSizeIterator<Item = &'v [u8]> + Clone,
        rules: Rules<'_>,
    ) -> Result<usize, Error> {
        let added = self.change_or_new(key, |set: &mut Set| {
            let first = members.clone().next().unwrap_or_default();
            set.announce(first, members.len(), rules);
            members.filter(|member| set.add(member, rules)).count()
        })?;
        self.set_touched(key, "sadd", added);
        Ok(added)
    }

    /// Removes members; how many there were. With `much`, beside the locks.
    pub fn set_remove<'v>(
        &mut self,
        key: Key<'_>,
        members: impl Iterator<Item = &'v [u8]> + Clone,
        much: bool,
    ) -> Result<usize, Error> {
        let removed = self.change_much(key, much, |set: &mut Set| {
            let members = members.clone();
            members.filter(|member| set.remove(member)).count()
        })?;
        let removed = removed.unwrap_or(0);
        if removed > 0 {
            self.set_touched(key, "srem", removed);
            self.settle(key);
        }
        Ok(removed)
    }

    /// Moves a member from one set to another; whether it was there.
    pub fn set_move(
        &mut self,
        from: Key<'_>,
        to: Key<'_>,
        member: &[u8],
        rules: Rules<'_>,
    ) -> Result<bool, Error> {
        if self.collection_entry::<Set>(from)?.is_none() {
            return Ok(false);
        }
        self.collection_entry::<Set>(to)?;
        if from.bytes == to.bytes {
            let set = self.peek_collection::<Set>(from)?;
            return Ok(set.is_some_and(|set| set.contains(member)));
        }
        if self.set_remove(from, std::iter::once(member), false)? == 0 {
            return Ok(false);
        }
        self.set_add(to, std::iter::once(member), rules)?;
        Ok(true)
    }

    /// Takes a random member out and hands it to `read`; whether there was one.
    pub fn set_pop(
        &mut self,
        key: Key<'_>,
        rng: &mut Rng,
        read: impl FnOnce(Elem<'_>),
    ) -> Result<bool, Error> {
        let logs = self.is_logged();
        let mut text = Vec::new();
        let popped = self.change(key, |set: &mut Set| {
            let read = |elem: Elem<'_>| {
                read(elem);
                if logs {
                    elem.write_to(&mut text);
                }
            };
            (set.take_random(rng, read).is_some(), set.is_empty())
        })?;
        let Some((true, empty)) = popped else {
            return Ok(false);
        };
        self.log_instead(&[b"SREM", key.bytes, &text]);
        self.touched(key.bytes, Event::set("spop"));
        if empty {
            self.settle(key);
        }
        Ok(true)
    }

    /// Takes `count` random members out, fewer than there are.
    pub fn set_pop_many(
        &mut self,
        key: Key<'_>,
        count: usize,
        rng: &mut Rng,
        rules: Rules<'_>,
    ) -> Result<Vec<Taken>, Error> {
        let taken = self.change(key, |set: &mut Set| {
            let taken = set.take_many(count, rng);
            set.settle_after_taking(count, rules);
            taken
        })?;
        let taken = taken.unwrap_or_default();
        let removals = if self.is_logged() {
            removals(key, &taken)
        } else {
            Vec::new()
        };
        self.popped(key, taken.len(), removals);
        Ok(taken)
    }

    /// As [`Db::set_pop_many`] for a count that takes long: beside the locks. What was
    /// taken goes to `reply`, which may be called again, and is not to keep anything of
    /// the time before then.
    pub fn set_pop_aside(
        &mut self,
        key: Key<'_>,
        count: usize,
        (rng, rules): (&mut Rng, Rules<'_>),
        mut reply: impl FnMut(&[Taken]),
    ) -> Result<(), Error> {
        let logs = self.is_logged();
        let (rest, taken, removals) = self.compute_aside(&[key], |sets| {
            let mut rest = sets[0].map(Set::image).unwrap_or_default();
            let taken = rest.take_many(count, rng);
            rest.settle_after_taking(count, rules);
            reply(&taken);
            let removals = if logs && !rest.is_empty() {
                removals(key, &taken)
            } else {
                Vec::new()
            };
            (rest, taken, removals)
        })?;
        // Somebody may have begun to take note meanwhile.
        let removals = if self.is_logged() && !logs {
            self::removals(key, &taken)
        } else {
            removals
        };
        self.effects.images.push(Box::new(taken));
        if rest.is_empty() {
            self.set_pop_all(key);
        } else {
            self.put(key, NewValue::collection(rest), Ttl::Keep);
            self.popped(key, count, removals);
        }
        Ok(())
    }

    /// Removes the set at `key`, whose members have all been popped.
    pub fn set_pop_all(&mut self, key: Key<'_>) {
        let Some(entry) = self.take(key) else {
            return;
        };
        let len = entry.get::<Set>().map_or(1, Set::len);
        self.discard(entry);
        self.log_instead(&[b"DEL", key.bytes]);
        self.set_touched(key, "spop", len);
        self.notify(key.bytes, Event::generic("del"));
    }

    fn popped(&mut self, key: Key<'_>, count: usize, removals: Vec<Vec<Vec<u8>>>) {
        for removal in removals {
            self.log_owned(removal);
        }
        self.set_touched(key, "spop", count);
    }

    /// Tells one event for `changes` changes; nothing for none.
    fn set_touched(&mut self, key: Key<'_>, event: &'static str, changes: usize) {
        if changes > 0 {
            self.touched(key.bytes, Event::set(event));
            self.effects.dirty += changes as u64 - 1;
        }
    }

    /// Stores the result of a computation, whatever was at `key`; an empty one
    /// removes the key. The size of the result.
    pub fn set_store(&mut self, key: Key<'_>, set: Set, event: &'static str) -> usize {
        let len = set.len();
        if len > 0 {
            self.put(key, NewValue::collection(set), Ttl::Clear);
            self.touched(key.bytes, Event::set(event));
        } else {
            self.delete(key);
        }
        len
    }

    /// Reads the keys as sets, for a command that computes from all of them: each
    /// counted as hit or miss, another type refused.
    pub fn visit_sets<'a>(&mut self, keys: impl Iterator<Item = Key<'a>>) -> Result<(), Error> {
        for key in keys {
            self.read_set(key)?;
        }
        Ok(())
    }

    /// The sets at `keys`, without any trace of the look-up.
    pub fn peek_sets(&self, keys: &[Key<'_>]) -> Result<Vec<Option<Held<'_, Set>>>, Error> {
        keys.iter().map(|key| self.peek_collection(*key)).collect()
    }

    /// What `compute` makes of the sets at `keys`, as they are when this returns. For
    /// who may give the locks back.
    pub fn compute_aside<R>(
        &mut self,
        keys: &[Key<'_>],
        mut compute: impl FnMut(&[Option<&Set>]) -> R,
    ) -> Result<R, Error> {
        let done = self.aside(
            |db| db.set_images(keys),
            |db, images| db.are_as(keys, images),
            |images| compute(&refs(images)),
        )?;
        if let Some(done) = done {
            return Ok(done);
        }
        let held = self.peek_sets(keys)?;
        let sets: Vec<Option<&Set>> = held.iter().map(Option::as_deref).collect();
        Ok(compute(&sets))
    }

    /// Images of the sets at `keys`. O(members / 200).
    pub fn set_images(&self, keys: &[Key<'_>]) -> Result<Vec<Option<Set>>, Error> {
        let held = self.peek_sets(keys)?;
        Ok((held.iter())
            .map(|set| set.as_ref().map(|set| set.image()))
            .collect())
    }

    /// Whether the sets at `keys` are as these images of them.
    fn are_as(&self, keys: &[Key<'_>], images: &[Option<Set>]) -> bool {
        keys.iter().zip(images).all(|(key, image)| {
            match (self.peek_collection::<Set>(*key), image) {
                (Ok(Some(set)), Some(image)) => set.is_as(image),
                (Ok(None), None) => true,
                _ => false,
            }
        })
    }
}

/// The commands that repeat a removal by chance.
fn removals(key: Key<'_>, taken: &[Taken]) -> Vec<Vec<Vec<u8>>> {
    let removal = |some: &[Taken]| {
        let words = [b"SREM".to_vec(), key.bytes.to_vec()].into_iter();
        let members = some.iter().map(|one| one.elem().to_vec());
        words.chain(members).collect()
    };
    taken.chunks(LOGGED_MEMBERS_MAX).map(removal).collect()
}

fn refs(sets: &[Option<Set>]) -> Vec<Option<&Set>> {
    sets.iter().map(Option::as_ref).collect()
}
