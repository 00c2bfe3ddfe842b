//! A run of entries in one packed sequence, element for element as Redis packs
//! the nodes of its streams.
//!
//! ```text
//! node   = live deleted count name ... 0   entry entry ...
//! entry  = flags ms seq value ...                    pieces    same names
//!        | flags ms seq count (name value) ...       pieces    names of its own
//! flags  = 1 for deleted, 2 for same names
//! ms seq = distances from the id under which the node is kept, which is that of
//!          the entry it began with; they wrap
//! pieces = elements of the entry before this one, for a reader from behind
//! ```
//!
//! `live` and `deleted` count the entries; `count` and the names are those of the
//! first entry, and an entry with the same ones in the same order does not repeat
//! them. A deleted entry keeps its place: only its flag and the two counts change.
//!
//! What must stay true: the elements are exactly these, ids ascend, and all
//! numbers are stored as integers. [`Node::from_listpack`], the one door for bytes
//! from outside, checks it.

use super::id::StreamId;
use crate::base::num;
use crate::ds::packed::{Corrupt, Elem, Iter, Packed};

const DELETED: i64 = 1;
const SAME_NAMES: i64 = 2;

/// Elements before the names of the first entry.
const HEAD: usize = 3;
/// Elements of every entry before its own names and values.
const ENTRY_HEAD: usize = 3;

/// The numbers of the elements that count entries.
const LIVE_AT: usize = 0;
const DELETED_AT: usize = 1;

/// Entries that are packed together.
#[derive(Clone, Debug)]
pub struct Node {
    packed: Packed,
}

/// The number in an element of which it is known that it is one.
fn int(elem: Option<Elem<'_>>) -> i64 {
    match elem {
        Some(Elem::Int(value)) => value,
        _ => unreachable!("a node is checked when it comes in"),
    }
}

/// As [`int`], for a count.
fn size(elem: Option<Elem<'_>>) -> usize {
    int(elem) as usize
}

/// Whether a stored element has this text.
#[inline]
fn is_text(elem: Elem<'_>, text: &[u8]) -> bool {
    match elem {
        Elem::Str(bytes) => bytes == text,
        Elem::Int(value) => num::parse_i64(text) == Some(value),
    }
}

impl Node {
    /// A node for entries like one with these fields, with about `room` bytes to
    /// grow into; it has none yet.
    pub fn new<'v>(
        fields: impl Iterator<Item = (&'v [u8], &'v [u8])> + Clone,
        room: usize,
    ) -> Node {
        let mut packed = Packed::with_room(room, false);
        let count = fields.clone().count();
        for number in [0, 0, count as i64] {
            packed.push_back_elem(Elem::Int(number));
        }
        fields.for_each(|(name, _)| packed.push_back(name));
        packed.push_back_elem(Elem::Int(0));
        Node { packed }
    }

    /// Entries that are not deleted. O(1).
    pub fn live(&self) -> usize {
        size(self.packed.iter().next())
    }

    /// Entries, deleted ones too. O(1).
    pub fn total(&self) -> usize {
        let mut iter = self.packed.iter();
        size(iter.next()) + size(iter.next())
    }

    /// The sequence itself, for those who save it as it is.
    pub fn packed(&self) -> &Packed {
        &self.packed
    }

    /// Size as a listpack in bytes, by which nodes are limited. O(1).
    pub fn byte_len(&self) -> usize {
        self.packed.listpack_len()
    }

    /// Gives back the room that no entry will need. O(bytes).
    pub fn shrink_to_fit(&mut self) {
        self.packed.shrink_to_fit();
    }

    /// Heap memory held, in bytes.
    pub fn mem_bytes(&self) -> usize {
        self.packed.mem_bytes()
    }

    /// Appends an entry to the node that is kept under `base`. O(bytes of the
    /// entry), amortised.
    pub fn push<'v>(
        &mut self,
        base: StreamId,
        id: StreamId,
        fields: impl Iterator<Item = (&'v [u8], &'v [u8])> + Clone,
    ) {
        let count = fields.clone().count();
        let same = self.has_names(fields.clone().map(|(name, _)| name), count);
        self.add_to(LIVE_AT, 1);
        let number = |packed: &mut Packed, value| packed.push_back_elem(Elem::Int(value));
        number(&mut self.packed, if same { SAME_NAMES } else { 0 });
        number(&mut self.packed, id.ms.wrapping_sub(base.ms) as i64);
        number(&mut self.packed, id.seq.wrapping_sub(base.seq) as i64);
        if same {
            fields.for_each(|(_, value)| self.packed.push_back(value));
        } else {
            number(&mut self.packed, count as i64);
            for (name, value) in fields {
                self.packed.push_back(name);
                self.packed.push_back(value);
            }
        }
        let own = if same { count } else { 2 * count + 1 };
        number(&mut self.packed, (ENTRY_HEAD + own) as i64);
    }

    /// Whether the names are those of the first entry.
    fn has_names<'v>(&self, names: impl Iterator<Item = &'v [u8]>, count: usize) -> bool {
        let mut iter = self.packed.iter();
        let first = size(iter.nth(HEAD - 1));
        first == count && iter.zip(names).all(|(elem, name)| is_text(elem, name))
    }

    /// Adds to one of the two counts.
    fn add_to(&mut self, at: usize, delta: i64) {
        let Some(pos) = self.packed.index(at as i64) else {
            return;
        };
        let number = int(Some(self.packed.get(pos))) + delta;
        (self.packed).replace(pos, itoa::Buffer::new().format(number).as_bytes());
    }

    /// The entries of the node that is kept under `base`, deleted ones too.
    pub fn entries(&self, base: StreamId) -> Entries<'_> {
        let mut rest = self.packed.iter();
        let count = size(rest.nth(HEAD - 1));
        let names = rest.split_front(count);
        rest.next();
        Entries {
            base,
            names,
            rest,
            total: self.packed.len(),
        }
    }

    /// The entry with this id, unless it is deleted. O(bytes).
    pub fn find(&self, base: StreamId, id: StreamId) -> Option<Entry<'_>> {
        let entry = self.entries(base).find(|entry| entry.id >= id)?;
        (entry.id == id && !entry.deleted).then_some(entry)
    }

    /// The greatest id of the entries, deleted ones too. O(bytes of an entry).
    pub fn last_id(&self, base: StreamId) -> Option<StreamId> {
        self.entries(base).next_back().map(|entry| entry.id)
    }

    /// Deletes the entry with this id; whether there was one. O(bytes).
    pub fn delete(&mut self, base: StreamId, id: StreamId) -> bool {
        let mut entries = self.entries(base);
        let mut at = entries.position();
        while let Some(entry) = entries.next() {
            if entry.id >= id {
                if entry.id > id || entry.deleted {
                    return false;
                }
                let flags = entry.flags();
                self.mark(at, flags);
                self.add_to(LIVE_AT, -1);
                self.add_to(DELETED_AT, 1);
                return true;
            }
            at = entries.position();
        }
        false
    }

    /// Deletes the first entries for as long as `goes` says so of the number
    /// deleted so far and the id of the next; how many. O(bytes).
    pub fn delete_front(
        &mut self,
        base: StreamId,
        mut goes: impl FnMut(usize, StreamId) -> bool,
    ) -> usize {
        let mut marks = Vec::new();
        let mut entries = self.entries(base);
        let mut at = entries.position();
        while let Some(entry) = entries.next() {
            if !goes(marks.len(), entry.id) {
                break;
            }
            if !entry.deleted {
                marks.push((at, entry.flags()));
            }
            at = entries.position();
        }
        marks.iter().for_each(|(at, flags)| self.mark(*at, *flags));
        self.add_to(LIVE_AT, -(marks.len() as i64));
        self.add_to(DELETED_AT, marks.len() as i64);
        marks.len()
    }

    /// Sets the deleted bit of the flags, which are element `at`. All flags take
    /// the same two bytes.
    fn mark(&mut self, at: usize, flags: i64) {
        if let Some(pos) = self.packed.index(at as i64) {
            let text = [b'0' + (flags | DELETED) as u8];
            self.packed.replace(pos, &text);
        }
    }

    /// Copies a listpack from outside after checking all of it: the elements are
    /// those of a node kept under `base`, and its ids ascend. O(bytes).
    pub fn from_listpack(base: StreamId, bytes: &[u8]) -> Result<Node, Corrupt> {
        let node = Node {
            packed: Packed::from_listpack(bytes)?,
        };
        check(&node.packed, base).ok_or(Corrupt::Count)?;
        Ok(node)
    }
}

/// The elements of a sequence as numbers, where they are some.
struct Numbers<'a>(Iter<'a>);

impl Numbers<'_> {
    fn int(&mut self) -> Option<i64> {
        match self.0.next()? {
            Elem::Int(value) => Some(value),
            Elem::Str(_) => None,
        }
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.int()?).ok()
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        (self.0.split_front(count).len() == count).then_some(())
    }
}

/// Whether the elements are those of a node; nothing announced is believed.
fn check(packed: &Packed, base: StreamId) -> Option<()> {
    let mut elems = Numbers(packed.iter());
    let (live, deleted, names) = (elems.size()?, elems.size()?, elems.size()?);
    elems.skip(names)?;
    if elems.int()? != 0 {
        return None;
    }
    let (mut found_live, mut found_deleted) = (0, 0);
    let mut last = None;
    while elems.0.len() > 0 {
        let flags = elems.int()?;
        let id = resolve(base, elems.int()?, elems.int()?);
        let own = match flags {
            0 | DELETED => {
                let count = elems.size()?;
                count.checked_mul(2)?.checked_add(1)?
            }
            flags if flags & !DELETED == SAME_NAMES => names,
            _ => return None,
        };
        let has_count = usize::from(flags & SAME_NAMES == 0);
        elems.skip(own - has_count)?;
        let ascends = last.map_or(id >= base, |last| id > last);
        if elems.size()? != ENTRY_HEAD + own || !ascends {
            return None;
        }
        last = Some(id);
        found_live += usize::from(flags & DELETED == 0);
        found_deleted += usize::from(flags & DELETED != 0);
    }
    (found_live == live && found_deleted == deleted).then_some(())
}

fn resolve(base: StreamId, ms: i64, seq: i64) -> StreamId {
    StreamId::new(
        base.ms.wrapping_add(ms as u64),
        base.seq.wrapping_add(seq as u64),
    )
}

/// The entries of a node, from either end.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    base: StreamId,
    names: Iter<'a>,
    rest: Iter<'a>,
    total: usize,
}

impl<'a> Entries<'a> {
    /// The number of the element that the next entry begins with.
    fn position(&self) -> usize {
        self.total - self.rest.len()
    }

    /// The entry that `elems` begin with; nothing of it is left there but the
    /// count of its pieces.
    fn read(&self, elems: &mut Iter<'a>) -> Entry<'a> {
        let flags = int(elems.next());
        let (ms, seq) = (int(elems.next()), int(elems.next()));
        let names = (flags & SAME_NAMES != 0).then(|| self.names.clone());
        let body = match &names {
            Some(names) => elems.split_front(names.len()),
            None => {
                let count = size(elems.next());
                elems.split_front(2 * count)
            }
        };
        Entry {
            id: resolve(self.base, ms, seq),
            deleted: flags & DELETED != 0,
            fields: Fields { names, body },
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        if self.rest.len() == 0 {
            return None;
        }
        let mut elems = self.rest.clone();
        let entry = self.read(&mut elems);
        elems.next();
        self.rest = elems;
        Some(entry)
    }
}

impl<'a> DoubleEndedIterator for Entries<'a> {
    fn next_back(&mut self) -> Option<Entry<'a>> {
        let pieces = self.rest.next_back()?;
        let mut elems = self.rest.split_back(size(Some(pieces)));
        Some(self.read(&mut elems))
    }
}

/// One entry of a stream.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub id: StreamId,
    pub(super) deleted: bool,
    fields: Fields<'a>,
}

impl<'a> Entry<'a> {
    /// The fields: names and values, in the order in which they were given.
    pub fn fields(&self) -> Fields<'a> {
        self.fields.clone()
    }

    fn flags(&self) -> i64 {
        let same = self.fields.names.is_some();
        let names = if same { SAME_NAMES } else { 0 };
        names | i64::from(self.deleted)
    }
}

/// The fields of an entry.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    /// The names, if they are those of the node's first entry.
    names: Option<Iter<'a>>,
    body: Iter<'a>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Elem<'a>, Elem<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let name = match &mut self.names {
            Some(names) => names.next()?,
            None => self.body.next()?,
        };
        Some((name, self.body.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let each = if self.names.is_some() { 1 } else { 2 };
        let left = self.body.len() / each;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Fields<'_> {}
