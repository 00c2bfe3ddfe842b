//! The value of a hash key: one packed sequence while small, a table of fields
//! when large.
//!
//! ```text
//! listpack   --(a field gets a deadline)------------------> listpackex
//! listpack   --(a long text, or too many fields)----------> hashtable
//! listpackex --(likewise)---------------------------------> hashtable
//! ```
//!
//! The rules are Redis 7.2's, and as there no hash goes back. A field may have a
//! deadline, a number that rises with time; whoever reads says which number it is
//! now, and fields whose deadline has come are not reported. They stay in place
//! until [`Hash::remove_due`] takes them out, or a change of the same name.
//!
//! What must stay true: a hash value is never stored empty (the caller deletes the
//! key); no field's deadline is below [`Hash::earliest`]; the limits are passed in
//! with each change, since they are settings that may change between any two.

mod field;
mod fields;
mod pairs;
#[cfg(test)]
mod tests;
mod timed;

use bytes::Bytes;

use super::packed::{Elem, Packed};
use crate::base::hash::KeyHasher;
use crate::base::num;
use fields::Fields;
use pairs::Pairs;
use timed::Timed;

/// The deadline of a field that does not expire.
pub const NEVER: i64 = i64::MAX;

/// Bytes of the largest packed hash, whatever the limits are; as in Redis.
const PACKED_BYTES_MAX: usize = 1 << 30;

/// Most fields of a hash of which it is found out whether all are due.
const SPENT_MAX: usize = 512;

/// Bytes that a short name and value take in a packed hash beside their own.
const PAIR_OVERHEAD: usize = 4;

/// How a hash is kept; named as `OBJECT ENCODING` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// One packed sequence.
    Listpack,
    /// One packed sequence, some of whose fields have deadlines or had.
    ListpackEx,
    /// A table of fields.
    Hashtable,
}

impl Encoding {
    /// Redis's name of the encoding.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Listpack => "listpack",
            Encoding::ListpackEx => "listpackex",
            Encoding::Hashtable => "hashtable",
        }
    }
}

/// Up to where a hash is kept packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Most fields.
    pub entries: usize,
    /// Most bytes of one name or value.
    pub value: usize,
}

/// What a hash needs to know to grow: when it becomes a table, and the hash that
/// spreads the table's fields.
#[derive(Clone, Copy, Debug)]
pub struct Growth<'h> {
    pub limit: Limit,
    pub hasher: &'h KeyHasher,
}

/// A value as it is read.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    Int(i64),
    Str(&'a [u8]),
    Shared(&'a Bytes),
}

impl<'a> Text<'a> {
    /// Calls `with` with the text, without allocating.
    pub fn with<R>(self, with: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Text::Int(int) => with(itoa::Buffer::new().format(int).as_bytes()),
            Text::Str(bytes) => with(bytes),
            Text::Shared(bytes) => with(bytes),
        }
    }

    /// Length of the text in bytes.
    pub fn len(self) -> usize {
        match self {
            Text::Int(int) => num::i64_text_len(int),
            Text::Str(bytes) => bytes.len(),
            Text::Shared(bytes) => bytes.len(),
        }
    }

    /// Whether the text has no bytes.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The same text to be stored; integers stand in packed hashes only.
    fn to_given(self) -> Given<'a> {
        match self {
            Text::Int(_) => unreachable!("fields of a table hold bytes"),
            Text::Str(bytes) => Given::Text(bytes),
            Text::Shared(bytes) => Given::Shared(bytes.clone()),
        }
    }
}

impl<'a> From<Elem<'a>> for Text<'a> {
    fn from(elem: Elem<'a>) -> Text<'a> {
        match elem {
            Elem::Int(int) => Text::Int(int),
            Elem::Str(bytes) => Text::Str(bytes),
        }
    }
}

/// A value on its way into a hash.
#[derive(Clone, Debug)]
pub enum Given<'a> {
    Text(&'a [u8]),
    /// A long one that is kept where it lies.
    Shared(Bytes),
}

impl Given<'_> {
    /// The bytes.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Given::Text(bytes) => bytes,
            Given::Shared(bytes) => bytes,
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Given::Text(bytes) => Bytes::copy_from_slice(bytes),
            Given::Shared(bytes) => bytes,
        }
    }
}

/// What becomes of a field's deadline when its value is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// It stays; [`NEVER`] for a new field.
    Keep,
    /// It is this from now on.
    At(i64),
}

impl Until {
    fn deadline(self, old: i64) -> i64 {
        match self {
            Until::Keep => old,
            Until::At(at) => at,
        }
    }
}

/// A field as it is read.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    pub name: Elem<'a>,
    pub value: Text<'a>,
    pub deadline: i64,
}

impl<'a> Item<'a> {
    fn packed((name, value): (Elem<'a>, Elem<'a>), deadline: i64) -> Item<'a> {
        let value = value.into();
        Item {
            name,
            value,
            deadline,
        }
    }

    fn is_live(&self, now: i64) -> bool {
        self.deadline > now
    }
}

/// A hash value.
#[derive(Clone)]
pub struct Hash {
    repr: Repr,
}

#[derive(Clone)]
enum Repr {
    Pairs(Pairs),
    Other(Box<Other>),
}

#[derive(Clone)]
enum Other {
    Timed(Timed),
    Fields(Fields),
}

const _: () = assert!(size_of::<Hash>() <= 32);

impl Default for Hash {
    fn default() -> Hash {
        Repr::Pairs(Pairs::default()).into()
    }
}

impl From<Repr> for Hash {
    fn from(repr: Repr) -> Hash {
        Hash { repr }
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut map = f.debug_map();
        self.for_each(i64::MIN, |item| {
            map.entry(&item.name, &item.value);
        });
        map.finish()
    }
}

/// Runs one of three expressions by how the hash is kept.
macro_rules! by_repr {
    (ref $repr:expr, $pairs:ident => $one:expr, $timed:ident => $two:expr, $fields:ident => $three:expr) => {
        match $repr {
            Repr::Pairs($pairs) => $one,
            Repr::Other(other) => match &**other {
                Other::Timed($timed) => $two,
                Other::Fields($fields) => $three,
            },
        }
    };
    ($repr:expr, $pairs:ident => $one:expr, $timed:ident => $two:expr, $fields:ident => $three:expr) => {
        match $repr {
            Repr::Pairs($pairs) => $one,
            Repr::Other(other) => match &mut **other {
                Other::Timed($timed) => $two,
                Other::Fields($fields) => $three,
            },
        }
    };
}

impl Hash {
    /// An empty hash; allocates nothing.
    pub fn new() -> Hash {
        Hash::default()
    }

    /// A hash that is kept as this sequence of names and values by turns. The caller
    /// vouches that no name stands twice. O(1).
    pub fn from_packed(packed: Packed) -> Hash {
        debug_assert_eq!(packed.len() % 2, 0, "names and values");
        Repr::Pairs(Pairs(packed)).into()
    }

    /// Number of fields, those that are due included. O(1).
    #[inline]
    pub fn len(&self) -> usize {
        by_repr!(ref &self.repr, pairs => pairs.len(), timed => timed.pairs.len(), fields => fields.len())
    }

    /// Whether there are no fields. O(1).
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the hash is kept at present. O(1).
    pub fn encoding(&self) -> Encoding {
        by_repr!(ref &self.repr,
            _pairs => Encoding::Listpack,
            _timed => Encoding::ListpackEx,
            _fields => Encoding::Hashtable)
    }

    /// No field's deadline is below this: [`NEVER`] if none has one. Exact after
    /// all that was due is removed, then perhaps too low. O(1).
    #[inline]
    pub fn earliest(&self) -> i64 {
        by_repr!(ref &self.repr, _pairs => NEVER, timed => timed.earliest, fields => fields.earliest())
    }

    /// Number of fields that are live at `now`. O(1) while nothing may be due, else
    /// O(fields).
    pub fn live_len(&self, now: i64) -> usize {
        if self.earliest() > now {
            return self.len();
        }
        let mut live = 0;
        self.for_each(now, |_| live += 1);
        live
    }

    /// Whether there are fields and all are due at `now`. O(1) while nothing may be
    /// due; of a hash with more than some hundred fields it says no, for O(1).
    pub fn is_spent(&self, now: i64) -> bool {
        let few = (1..=SPENT_MAX).contains(&self.len());
        self.earliest() <= now && few && self.live_len(now) == 0
    }

    /// What [`Hash::live_len`] takes, in fields looked at.
    pub fn live_len_effort(&self, now: i64) -> usize {
        if self.earliest() > now { 1 } else { self.len() }
    }

    /// What finding one field takes, in fields looked at. O(1).
    pub fn find_effort(&self) -> usize {
        match self.encoding() {
            Encoding::Hashtable => 1,
            Encoding::Listpack | Encoding::ListpackEx => self.len(),
        }
    }

    /// Hands the field of this name to `read`, unless it is due. O(1), or O(bytes)
    /// of a packed hash.
    #[inline]
    pub fn find<R>(&self, name: &[u8], now: i64, read: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let found = |item: Item<'_>| item.is_live(now).then(|| read(item));
        match &self.repr {
            Repr::Pairs(pairs) => {
                let value = pairs.value(pairs.find(name)?);
                found(Item::packed((Elem::Str(name), value), NEVER))
            }
            Repr::Other(other) => match &**other {
                Other::Timed(timed) => {
                    let place = timed.pairs.find(name)?;
                    let value = timed.pairs.value(place);
                    let deadline = timed.deadline(place.index);
                    found(Item::packed((Elem::Str(name), value), deadline))
                }
                Other::Fields(fields) => fields.find(name, found)?,
            },
        }
    }

    /// Whether there is a field of this name that is not due.
    pub fn contains(&self, name: &[u8], now: i64) -> bool {
        self.find(name, now, |_| ()).is_some()
    }

    /// Announces `count` names and values that will be set, of so many bytes together
    /// and the longest of so many: a hash that cannot hold them packed becomes a
    /// table at once, and a new one makes room.
    pub fn announce(&mut self, count: usize, bytes: usize, longest: usize, growth: Growth<'_>) {
        let limit = growth.limit;
        if self.encoding() == Encoding::Hashtable {
            return;
        }
        if count > limit.entries || longest > limit.value {
            self.become_table(growth.hasher);
        } else if count > 1
            && let Repr::Pairs(pairs) = &mut self.repr
            && pairs.len() == 0
        {
            *pairs = Pairs::with_room(bytes + count * PAIR_OVERHEAD);
        }
    }

    /// Sets a field; whether it was there. Amortised O(1) for a table, O(bytes)
    /// for a packed hash.
    pub fn set(&mut self, name: &[u8], value: Given<'_>, until: Until, growth: Growth<'_>) -> bool {
        self.make_fit(name, value.as_slice(), until, growth);
        let was_there = by_repr!(&mut self.repr,
            pairs => match pairs.find(name) {
                Some(place) => { pairs.replace(place, value.as_slice()); true }
                None => { pairs.push(name, value.as_slice()); false }
            },
            timed => match timed.pairs.find(name) {
                Some(place) => {
                    timed.pairs.replace(place, value.as_slice());
                    let old = timed.deadline(place.index);
                    timed.set_deadline(place.index, until.deadline(old));
                    true
                }
                None => {
                    timed.push(name, value.as_slice(), until.deadline(NEVER));
                    false
                }
            },
            fields => return fields.set(name, value, until)
        );
        if self.len() > growth.limit.entries {
            self.become_table(growth.hasher);
        }
        was_there
    }

    /// Changes the encoding if a field of this kind does not fit in.
    #[inline]
    fn make_fit(&mut self, name: &[u8], value: &[u8], until: Until, growth: Growth<'_>) {
        let packed = by_repr!(ref &self.repr,
            pairs => &pairs.0,
            timed => &timed.pairs.0,
            _fields => return);
        let longest = name.len().max(value.len());
        let bytes = packed.listpack_len() + Packed::entry_size(name) + Packed::entry_size(value);
        if longest > growth.limit.value || bytes > PACKED_BYTES_MAX {
            self.become_table(growth.hasher);
        } else if matches!(until, Until::At(at) if at != NEVER) {
            self.become_timed();
        }
    }

    fn become_timed(&mut self) {
        if let Repr::Pairs(pairs) = &mut self.repr {
            let timed = Timed::of(std::mem::take(pairs));
            self.repr = Repr::Other(Box::new(Other::Timed(timed)));
        }
    }

    #[cold]
    fn become_table(&mut self, hasher: &KeyHasher) {
        let mut fields = Fields::new(hasher);
        self.for_each(i64::MIN, |item| {
            let until = Until::At(item.deadline);
            item.name.with_bytes(|name| {
                item.value
                    .with(|value| fields.set(name, Given::Text(value), until))
            });
        });
        self.repr = Repr::Other(Box::new(Other::Fields(fields)));
    }

    /// Sets the deadline of a field that is there, [`NEVER`] to clear it.
    pub fn set_deadline(&mut self, name: &[u8], deadline: i64) {
        self.become_timed();
        by_repr!(&mut self.repr,
            _pairs => {},
            timed => if let Some(place) = timed.pairs.find(name) {
                timed.set_deadline(place.index, deadline);
            },
            fields => fields.set_deadline(name, deadline))
    }

    /// Removes the field of this name, due or not, and hands it to `read`.
    pub fn remove<R>(&mut self, name: &[u8], read: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        by_repr!(&mut self.repr,
            pairs => {
                let place = pairs.find(name)?;
                let out = read(Item::packed((Elem::Str(name), pairs.value(place)), NEVER));
                pairs.remove(place);
                Some(out)
            },
            timed => {
                let place = timed.pairs.find(name)?;
                let pair = (Elem::Str(name), timed.pairs.value(place));
                let out = read(Item::packed(pair, timed.deadline(place.index)));
                timed.remove(place);
                Some(out)
            },
            fields => fields.remove(name, read))
    }

    /// Removes the field of this name if it is due at `now`; whether it was.
    pub fn remove_if_due(&mut self, name: &[u8], now: i64) -> bool {
        let due = self.find(name, i64::MIN, |item| !item.is_live(now));
        due == Some(true) && self.remove(name, |_| ()).is_some()
    }

    /// Removes fields that are due at `now`, of a table those in the next
    /// `segments_max` segments, and hands their names to `gone`; whether there may
    /// be more.
    pub fn remove_due(&mut self, now: i64, segments_max: usize, gone: impl FnMut(&[u8])) -> bool {
        if self.earliest() > now {
            return false;
        }
        by_repr!(&mut self.repr,
            _pairs => false,
            timed => { timed.remove_due(now, gone); false },
            fields => fields.remove_due(now, segments_max, gone))
    }

    /// Calls `each` with all fields that are live at `now`. O(fields).
    pub fn for_each(&self, now: i64, mut each: impl FnMut(Item<'_>)) {
        let mut live = |item: Item<'_>| {
            if item.is_live(now) {
                each(item);
            }
        };
        by_repr!(ref &self.repr,
            pairs => pairs.iter().for_each(|pair| live(Item::packed(pair, NEVER))),
            timed => timed.pairs.iter().zip(timed.deadlines())
                .for_each(|(pair, deadline)| live(Item::packed(pair, deadline))),
            fields => fields.for_each(live))
    }

    /// One step of a walk over the live fields, of a table about 16 of them; where
    /// to go on, 0 at the end. What is there throughout is reported exactly once.
    pub fn scan(&self, cursor: u64, now: i64, mut each: impl FnMut(Item<'_>)) -> u64 {
        if let Repr::Other(other) = &self.repr
            && let Other::Fields(fields) = &**other
        {
            return fields.scan(cursor, |item| {
                if item.is_live(now) {
                    each(item);
                }
            });
        }
        self.for_each(now, each);
        0
    }

    /// Hands a random field to `read`, each equally likely, those that are due
    /// included; `None` without fields. O(1) for a table, O(bytes) packed.
    pub fn sample<R>(
        &self,
        mut rand: impl FnMut() -> u64,
        read: impl FnOnce(Item<'_>) -> R,
    ) -> Option<R> {
        let len = self.len() as u128;
        let mut index = || ((u128::from(rand()) * len) >> 64) as usize;
        match &self.repr {
            Repr::Pairs(pairs) => {
                let pair = pairs.get(index())?;
                Some(read(Item::packed(pair, NEVER)))
            }
            Repr::Other(other) => match &**other {
                Other::Timed(timed) => {
                    let index = index();
                    let pair = timed.pairs.get(index)?;
                    Some(read(Item::packed(pair, timed.deadline(index))))
                }
                Other::Fields(fields) => fields.sample(rand, read),
            },
        }
    }

    /// The hash as it is now, for a reader that works while writers go on.
    /// O(bytes) of a packed hash, O(segments) of a table.
    pub fn image(&self) -> Hash {
        self.clone()
    }

    /// Whether `image` was taken of this hash and it has not changed since. May say no
    /// where a change was undone. Costs what taking the image did.
    pub fn is_as(&self, image: &Hash) -> bool {
        match (&self.repr, &image.repr) {
            (Repr::Pairs(a), Repr::Pairs(b)) => a.is_as(b),
            (Repr::Other(a), Repr::Other(b)) => match (&**a, &**b) {
                (Other::Timed(a), Other::Timed(b)) => a.is_as(b),
                (Other::Fields(a), Other::Fields(b)) => a.is_as(b),
                _ => false,
            },
            _ => false,
        }
    }

    /// The packed sequence of names and values by turns, without deadlines, for
    /// those who save it as it is.
    pub fn packed(&self) -> Option<&Packed> {
        match &self.repr {
            Repr::Pairs(pairs) => Some(&pairs.0),
            Repr::Other(_) => None,
        }
    }

    /// Heap memory held, in bytes, without the struct itself; an estimate for a
    /// table. O(1).
    pub fn mem_bytes(&self) -> usize {
        by_repr!(ref &self.repr,
            pairs => pairs.0.mem_bytes(),
            timed => timed.mem_bytes(),
            fields => fields.mem_bytes())
    }

    /// Roughly how many allocations dropping the hash frees. O(1).
    pub fn drop_effort(&self) -> usize {
        match self.encoding() {
            Encoding::Listpack => 1,
            Encoding::ListpackEx => 3,
            Encoding::Hashtable => 2 + self.len(),
        }
    }
}
