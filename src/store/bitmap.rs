//! Strings as bitmaps: the typed API over [`crate::ds::bits`].
//!
//! A change finds its string grown to what it needs and works in place; what
//! changed nothing and added nothing is not told, as in Redis.

use bytes::Bytes;

use crate::ds::bits::{self, Field, Overflow};

use super::db::Db;
use super::dict::{Key, Ttl};
use super::error::Error;
use super::journal::Event;

const SETBIT: Event = Event::string("setbit");

/// What BITFIELD does with one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Get,
    Set(i64, Overflow),
    Add(i64, Overflow),
}

/// One step of BITFIELD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub field: Field,
    /// In bits.
    pub offset: usize,
    pub action: Action,
}

impl Step {
    /// Length in bytes that the step needs the string to have; 0 for one that only
    /// reads.
    pub fn len_needed(&self) -> usize {
        match self.action {
            Action::Get => 0,
            _ => (self.offset + self.field.bits()).div_ceil(8),
        }
    }

    /// Does the step; what it answers, `None` for an overflow that forbids it, and
    /// whether the field has another value now.
    fn run(self, bytes: &mut [u8]) -> (Option<i64>, bool) {
        let old = self.field.read(bytes, self.offset);
        let (sum, overflow, fails) = match self.action {
            Action::Get => return (Some(old), false),
            Action::Set(value, overflow) => self.limited(value, 0, overflow),
            Action::Add(delta, overflow) => self.limited(old, delta, overflow),
        };
        if overflow && fails {
            return (None, false);
        }
        self.field.write(bytes, self.offset, sum);
        let answer = match self.action {
            Action::Add(..) => sum,
            _ => old,
        };
        (Some(answer), sum != old)
    }

    fn limited(self, value: i64, delta: i64, overflow: Overflow) -> (i64, bool, bool) {
        let (sum, changed) = self.field.add(value, delta, overflow);
        (sum, changed, overflow == Overflow::Fail)
    }
}

impl Db<'_> {
    /// Sets a bit of the string at `key`, which grows where it is too short; what
    /// the bit was. O(1), or O(bytes added).
    pub fn set_bit(&mut self, key: Key<'_>, offset: usize, on: bool) -> Result<bool, Error> {
        let grown = self.grow_string(key, offset / 8 + 1)?;
        let old = self.overwrite_string(key, |bytes| bits::set(bytes, offset, on));
        let old = old.unwrap_or(false);
        if grown || old != on {
            self.touched(key.bytes, SETBIT);
        }
        Ok(old)
    }

    /// Runs steps of which some write on the string at `key`, which grows where it
    /// is too short; each step's answer goes to `answer`. O(steps), or O(bytes
    /// added).
    pub fn bit_fields(
        &mut self,
        key: Key<'_>,
        steps: &[Step],
        mut answer: impl FnMut(Option<i64>),
    ) -> Result<(), Error> {
        let len = steps.iter().map(Step::len_needed).max().unwrap_or(0);
        let grown = self.grow_string(key, len)?;
        let changed = self.overwrite_string(key, |bytes| {
            let mut changed = 0;
            for step in steps {
                let (value, change) = step.run(bytes);
                answer(value);
                changed += u64::from(change);
            }
            changed
        });
        let changed = changed.unwrap_or(0);
        if grown || changed > 0 {
            self.touched(key.bytes, SETBIT);
            self.effects.dirty += changed.saturating_sub(1);
        }
        Ok(())
    }

    /// Answers steps that only read, of a string that is not changed. O(steps).
    pub fn read_fields(
        &mut self,
        key: Key<'_>,
        steps: &[Step],
        mut answer: impl FnMut(i64),
    ) -> Result<(), Error> {
        let string = self.string(key)?;
        let mut read = |bytes: &[u8]| {
            for step in steps {
                answer(step.field.read(bytes, step.offset));
            }
        };
        match string {
            Some(string) => string.with(read),
            None => read(b""),
        }
        Ok(())
    }

    /// Stores what BITOP has computed; an empty result removes the key. O(1), or
    /// O(length) of a short one.
    pub fn store_bits(&mut self, key: Key<'_>, result: Vec<u8>) {
        if !result.is_empty() {
            self.put_raw(key, Bytes::from(result), Ttl::Clear);
            return self.touched(key.bytes, Event::string("set"));
        }
        if let Some(entry) = self.take(key) {
            self.discard(entry);
            self.touched(key.bytes, Event::generic("del"));
        }
    }
}
