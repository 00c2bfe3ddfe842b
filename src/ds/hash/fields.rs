//! A large hash: a table of fields, each one allocation.
//!
//! A copy shares the table's segments, and whoever changes a shared one copies it
//! first. Fields that expire are noted in the table's per-segment minimum, so that those
//! due are found without looking at the others.

use super::field::Field;
use super::{Given, Item, NEVER, Until};
use crate::base::hash::KeyHasher;
use crate::ds::packed::Elem;
use crate::ds::table::{Due, Entry, Table};

/// Steps of a scan, of about 16 fields each, that a measure of the memory takes.
const MEASURED_STEPS: usize = 8;

/// A table of fields with the hash that spreads them.
pub(super) struct Fields {
    table: Table<Field>,
    hasher: KeyHasher,
    /// Where the walk for what is due goes on.
    due_cursor: u64,
}

fn item(field: &Field) -> Item<'_> {
    Item {
        name: Elem::Str(field.name()),
        value: field.value(),
        deadline: field.deadline(),
    }
}

impl Fields {
    pub(super) fn new(hasher: &KeyHasher) -> Fields {
        Fields {
            table: Table::new(0),
            hasher: hasher.clone(),
            due_cursor: 0,
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// See [`Table::is_as`].
    pub(super) fn is_as(&self, image: &Fields) -> bool {
        self.table.is_as(&image.table)
    }

    /// No deadline is below this.
    #[inline]
    pub(super) fn earliest(&self) -> i64 {
        i64::try_from(self.table.min_overall()).unwrap_or(NEVER)
    }

    #[inline]
    pub(super) fn find<R>(&self, name: &[u8], read: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let hash = self.hasher.hash(name);
        let found = self.table.find(hash, |field| field.name() == name)?;
        Some(read(item(&found)))
    }

    /// Sets a field; whether it was there.
    #[inline]
    pub(super) fn set(&mut self, name: &[u8], value: Given<'_>, until: Until) -> bool {
        let hash = self.hasher.hash(name);
        let hasher = &self.hasher;
        match self.table.entry(hash, |field| field.name() == name) {
            Entry::Occupied(mut slot) => {
                let mut field = slot.get_mut();
                let deadline = until.deadline(field.deadline());
                field.set(value, deadline);
                drop(field);
                if deadline != NEVER {
                    slot.note_min(noted(deadline));
                }
                true
            }
            Entry::Vacant(vacant) => {
                let deadline = until.deadline(NEVER);
                let field = Field::new(name, value, deadline);
                vacant.insert(field, |field| hasher.hash(field.name()));
                if deadline != NEVER {
                    self.table.note_min(hash, noted(deadline));
                }
                false
            }
        }
    }

    /// Sets the deadline of a field that is there.
    pub(super) fn set_deadline(&mut self, name: &[u8], deadline: i64) {
        let hash = self.hasher.hash(name);
        if let Some(mut slot) = self.table.find_mut(hash, |field| field.name() == name) {
            slot.get_mut().set_deadline(deadline);
            slot.note_min(noted(deadline));
        }
    }

    /// Removes a field and hands it to `read`.
    pub(super) fn remove<R>(&mut self, name: &[u8], read: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let hash = self.hasher.hash(name);
        let slot = self.table.find_mut(hash, |field| field.name() == name)?;
        let field = slot.remove();
        Some(read(item(&field)))
    }

    /// Removes what is due up to `now` from a few segments; whether more may be.
    pub(super) fn remove_due(
        &mut self,
        now: i64,
        segments_max: usize,
        mut gone: impl FnMut(&[u8]),
    ) -> bool {
        let step = self.table.due(
            self.due_cursor,
            noted(now),
            segments_max,
            |field| match field.deadline() {
                NEVER => Due::Keep(u64::MAX),
                at if at <= now => Due::Remove,
                at => Due::Keep(noted(at)),
            },
            |field| gone(field.name()),
        );
        self.due_cursor = step.cursor;
        step.cursor != 0
    }

    pub(super) fn for_each(&self, mut each: impl FnMut(Item<'_>)) {
        self.table.for_each(|field| each(item(field)));
    }

    pub(super) fn scan(&self, cursor: u64, mut each: impl FnMut(Item<'_>)) -> u64 {
        self.table.scan(cursor, |field| each(item(field)))
    }

    pub(super) fn sample<R>(
        &self,
        rand: impl FnMut() -> u64,
        read: impl FnOnce(Item<'_>) -> R,
    ) -> Option<R> {
        let field = self.table.sample(rand)?;
        Some(read(item(&field)))
    }

    /// Bytes allocated: exact for the table, by a sample for the fields. O(1).
    pub(super) fn mem_bytes(&self) -> usize {
        let (mut fields, mut bytes, mut cursor) = (0, 0, 0);
        for _ in 0..MEASURED_STEPS {
            cursor = self.table.scan(cursor, |field| {
                fields += 1;
                bytes += field.mem_bytes();
            });
            if cursor == 0 {
                break;
            }
        }
        let all = self.table.len() * bytes / fields.max(1);
        size_of::<Fields>() + self.table.mem_bytes() + all
    }
}

impl Clone for Fields {
    /// The same fields in shared segments. O(segments).
    fn clone(&self) -> Fields {
        Fields {
            table: self.table.image(),
            hasher: self.hasher.clone(),
            due_cursor: self.due_cursor,
        }
    }
}

/// A deadline as the table notes it.
fn noted(deadline: i64) -> u64 {
    match deadline {
        NEVER => u64::MAX,
        at => at.max(0) as u64,
    }
}
