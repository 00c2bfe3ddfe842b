//! What SORT asks of the store: elements, values of other keys by pattern, and a place
//! for the outcome.

use std::cell::OnceCell;
use std::ops::Range;

use bytes::Bytes;

use crate::base::clock::Millis;
use crate::ds::list::{End, Limit, List};
use crate::ds::packed::Elem;
use crate::ds::quicklist::QuickList;
use crate::ds::set::Set;

use super::db::Db;
use super::dict::{Key, Ttl};
use super::entry::{CollectionRef, Entry, NewCollection, NewValue, ValueRef};
use super::error::Error;
use super::journal::Event;
use super::keyspace::Busy;

/// A collection to sort, taken out of the lock.
#[derive(Debug)]
pub struct Sortable {
    image: NewCollection,
    /// The members of a set, which stand in its table one by one, side by side.
    members: OnceCell<QuickList>,
}

/// The length of a collection that can be sorted.
fn sortable_len(value: ValueRef<'_>) -> Option<usize> {
    match value {
        ValueRef::Collection(CollectionRef::List(list)) => Some(list.len()),
        ValueRef::Collection(CollectionRef::Set(set)) => Some(set.len()),
        ValueRef::Collection(CollectionRef::ZSet(zset)) => Some(zset.len()),
        _ => None,
    }
}

impl Sortable {
    fn new(image: NewCollection) -> Sortable {
        let members = OnceCell::new();
        Sortable { image, members }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        sortable_len(ValueRef::Collection(self.image.view())).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the collection at `key` is still as it was.
    fn is_current(&self, found: Option<ValueRef<'_>>) -> bool {
        match (self.image.view(), found) {
            (CollectionRef::List(image), Some(ValueRef::Collection(CollectionRef::List(list)))) => {
                list.is_as(image)
            }
            (CollectionRef::Set(image), Some(ValueRef::Collection(CollectionRef::Set(set)))) => {
                set.is_as(image)
            }
            (CollectionRef::ZSet(image), Some(ValueRef::Collection(CollectionRef::ZSet(zset)))) => {
                zset.is_as(image)
            }
            (CollectionRef::List(image), None) => image.is_empty(),
            _ => false,
        }
    }

    /// Whether its elements are in no order of their own.
    pub fn is_unordered(&self) -> bool {
        matches!(self.image, NewCollection::Set(_))
    }

    fn members<'s>(&'s self, set: &Set) -> &'s QuickList {
        self.members.get_or_init(|| {
            let mut members = QuickList::new();
            for member in set.iter() {
                let push = |text: &[u8]| members.push(End::Tail, text, Limit::from_config(-5));
                member.elem().with_bytes(push);
            }
            members
        })
    }

    /// The elements of a range of its own order, from either end. O(range), and what it
    /// takes to come to it.
    pub fn elems(&self, range: Range<usize>, reverse: bool) -> Vec<Elem<'_>> {
        match self.image.view() {
            CollectionRef::List(list) => in_order(list.range(range), reverse),
            CollectionRef::Set(set) => in_order(self.members(set).range(range), reverse),
            CollectionRef::ZSet(zset) => {
                in_order(zset.range(range).map(|entry| entry.member), reverse)
            }
            _ => unreachable!("made of what can be sorted only"),
        }
    }
}

fn in_order<'a>(elems: impl DoubleEndedIterator<Item = Elem<'a>>, reverse: bool) -> Vec<Elem<'a>> {
    if reverse {
        elems.rev().collect()
    } else {
        elems.collect()
    }
}

/// A name of keys, or of fields in hashes, with a place for an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern<'a> {
    /// `#`: the element itself.
    Element,
    /// Without a star; names nothing.
    Constant,
    Key {
        before: &'a [u8],
        after: &'a [u8],
        field: Option<&'a [u8]>,
    },
}

impl<'a> Pattern<'a> {
    /// Reads `before*after` and `before*after->field`.
    pub fn parse(text: &'a [u8]) -> Pattern<'a> {
        if text == b"#" {
            return Pattern::Element;
        }
        let Some(star) = memchr::memchr(b'*', text) else {
            return Pattern::Constant;
        };
        let (before, rest) = (&text[..star], &text[star + 1..]);
        let arrow = memchr::memmem::find(rest, b"->").filter(|at| at + 2 < rest.len());
        Pattern::Key {
            before,
            after: &rest[..arrow.unwrap_or(rest.len())],
            field: arrow.map(|at| &rest[at + 2..]),
        }
    }

    /// Whether it takes a look at another key.
    pub fn is_key(&self) -> bool {
        matches!(self, Pattern::Key { .. })
    }
}

impl Db<'_> {
    /// The length of what is sorted at `key`, for a reading command.
    pub fn sort_len(&mut self, key: Key<'_>) -> Result<usize, Error> {
        match self.read(key) {
            None => Ok(0),
            Some(entry) => sortable_len(entry.value()).ok_or(Error::WrongType),
        }
    }

    /// What is sorted at `key`, as it is now; without a trace of the look-up.
    pub fn sort_image(&self, key: Key<'_>) -> Result<Sortable, Error> {
        match self.peek(key) {
            None => Ok(Sortable::new(NewCollection::List(Box::default()))),
            Some(entry) => match entry.value() {
                ValueRef::Collection(value) if sortable_len(entry.value()).is_some() => {
                    Ok(Sortable::new(value.image()))
                }
                _ => Err(Error::WrongType),
            },
        }
    }

    /// Whether what is sorted at `key` is still as this image of it.
    pub fn sort_is_current(&self, key: Key<'_>, image: &Sortable) -> bool {
        match self.peek(key) {
            None => image.is_current(None),
            Some(entry) => image.is_current(Some(entry.value())),
        }
    }

    /// Hands what `pattern` names for `elem` to `read`, `None` if that is nothing. Holds
    /// the shard of the key for this look alone, unless it is held already. `name` is
    /// room to put names together in.
    pub fn sort_look<R>(
        &self,
        pattern: Pattern<'_>,
        elem: Elem<'_>,
        name: &mut Vec<u8>,
        read: impl FnOnce(Option<&[u8]>) -> R,
    ) -> Result<R, Busy> {
        let (before, after, field) = match pattern {
            Pattern::Element => return Ok(elem.with_bytes(|text| read(Some(text)))),
            Pattern::Constant => return Ok(read(None)),
            Pattern::Key {
                before,
                after,
                field,
            } => (before, after, field),
        };
        name.clear();
        name.extend_from_slice(before);
        elem.write_to(name);
        name.extend_from_slice(after);
        let key = self.key(name);
        self.locks.visit(key.shard(), |shard| {
            let found = shard.dict(self.index).find(key);
            match found.filter(|entry| !entry.is_gone(self.now)) {
                Some(entry) => text_of(&entry, field, self.now, read),
                None => read(None),
            }
        })
    }

    /// Makes `list` the value of `key`, or removes the key if it is empty. `again`
    /// repeats that, should anybody take note.
    pub fn sort_store(&mut self, key: Key<'_>, list: List, again: Vec<Vec<u8>>) {
        if list.is_empty() {
            if self.delete(key) {
                self.log_instead(&[b"DEL", key.bytes]);
            }
            return;
        }
        // Every element counts as a change, as in Redis.
        self.effects.dirty += list.len() as u64 - 1;
        self.put(key, NewValue::collection(list), Ttl::Clear);
        self.touched(key.bytes, Event::list("sortstore"));
        self.log_owned(again);
    }
}

/// The text of a string, or of a hash's field if one is named.
fn text_of<R>(
    entry: &Entry,
    field: Option<&[u8]>,
    now: Millis,
    read: impl FnOnce(Option<&[u8]>) -> R,
) -> R {
    match (entry.value(), field) {
        (ValueRef::Int(int), None) => read(Some(itoa::Buffer::new().format(int).as_bytes())),
        (ValueRef::Str(text), None) => read(Some(text)),
        (ValueRef::Shared(text), None) => read(Some(text)),
        (ValueRef::Collection(CollectionRef::Hash(hash)), Some(name)) => {
            let value = hash.find(name, now, |item| item.value.with(Bytes::copy_from_slice));
            read(value.as_deref())
        }
        _ => read(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_read_as_redis_reads_them() {
        let key =
            |before: &'static str, after: &'static str, field: Option<&'static str>| Pattern::Key {
                before: before.as_bytes(),
                after: after.as_bytes(),
                field: field.map(str::as_bytes),
            };
        for (text, want) in [
            ("#", Pattern::Element),
            ("##", Pattern::Constant),
            ("nosort", Pattern::Constant),
            ("a->b", Pattern::Constant),
            ("w_*", key("w_", "", None)),
            ("w_*_x", key("w_", "_x", None)),
            ("w_*->f", key("w_", "", Some("f"))),
            ("w*->f->g*", key("w", "", Some("f->g*"))),
            ("w_*->", key("w_", "->", None)),
            ("a->b*", key("a->b", "", None)),
        ] {
            assert_eq!(Pattern::parse(text.as_bytes()), want, "{text}");
        }
    }
}
