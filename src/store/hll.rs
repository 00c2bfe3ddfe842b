//! HyperLogLogs: the typed API over [`crate::ds::hll`]. The value is a string.
//!
//! A dense counter is changed in place. A sparse one, a few kilobytes at most, is
//! changed in a copy that is stored when all went well: bytes that turn out to be
//! corrupt half way leave no half a change behind.

use bytes::Bytes;

use crate::ds::hll::{self, Encoding, Invalid, Registers};

use super::db::Db;
use super::dict::{Key, Ttl};
use super::error::Error;
use super::journal::Event;
use super::string::{Str, as_string};

const PFADD: Event = Event::string("pfadd");

/// Longest string that can be a counter: all registers in sparse runs of two bytes.
const LEN_MAX: usize = 16 + 2 * hll::REGISTERS;

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Error {
        match invalid {
            Invalid::Foreign => Error::NotHll,
            Invalid::Corrupt => Error::CorruptHll,
        }
    }
}

/// Looks at a string as a counter.
fn counter<R>(
    string: &Str<'_>,
    read: impl FnOnce(&[u8]) -> Result<R, Invalid>,
) -> Result<R, Error> {
    string.with(|bytes| {
        hll::encoding(bytes)?;
        if bytes.len() > LEN_MAX {
            return Err(Error::CorruptHll);
        }
        Ok(read(bytes)?)
    })
}

impl Db<'_> {
    /// Looks at the counter at `key` for a reading command; `None` without one.
    fn read_hll<R>(
        &mut self,
        key: Key<'_>,
        read: impl FnOnce(&[u8]) -> Result<R, Invalid>,
    ) -> Result<Option<R>, Error> {
        let string = self.string(key)?;
        string.map(|string| counter(&string, read)).transpose()
    }

    /// As [`Db::read_hll`], without any trace of the look-up.
    pub fn peek_hll<R>(
        &self,
        key: Key<'_>,
        read: impl FnOnce(&[u8]) -> Result<R, Invalid>,
    ) -> Result<Option<R>, Error> {
        let string = self.peek(key).map(as_string).transpose()?;
        string.map(|string| counter(&string, read)).transpose()
    }

    /// Adds elements to the counter at `key`, a new one where there is none;
    /// whether that changed it. A sparse one becomes dense where it would exceed
    /// `sparse_max` bytes. O(bytes of the elements) when dense, O(length) for each
    /// element when sparse.
    pub fn hll_add<'e>(
        &mut self,
        key: Key<'_>,
        elements: impl Iterator<Item = &'e [u8]>,
        sparse_max: usize,
    ) -> Result<bool, Error> {
        let changed = match self.peek_hll(key, hll::encoding)? {
            None => {
                let mut bytes = hll::empty();
                let changed = hll::add(&mut bytes, elements, sparse_max)?;
                hll::make_stale(&mut bytes);
                self.put_raw(key, Bytes::from(bytes), Ttl::Clear);
                changed + 1
            }
            Some(Encoding::Dense) => {
                let add = |bytes: &mut [u8]| hll::add_dense(bytes, elements);
                self.overwrite_string(key, add).unwrap_or(0)
            }
            Some(Encoding::Sparse) => self.change_hll(key, |bytes| {
                let changed = hll::add(bytes, elements, sparse_max)?;
                Ok((changed, changed > 0))
            })?,
        };
        if changed > 0 {
            self.touched(key.bytes, PFADD);
            self.effects.dirty += changed as u64 - 1;
        }
        Ok(changed > 0)
    }

    /// Changes a copy of the counter at `key`, an empty one where there is none,
    /// and stores it if `change` says so. Tells nothing.
    fn change_hll<R>(
        &mut self,
        key: Key<'_>,
        change: impl FnOnce(&mut Vec<u8>) -> Result<(R, bool), Invalid>,
    ) -> Result<R, Error> {
        let copy = self.peek_hll(key, |bytes| Ok(bytes.to_vec()))?;
        let is_new = copy.is_none();
        let mut bytes = copy.unwrap_or_else(hll::empty);
        let (result, changed) = change(&mut bytes)?;
        if is_new {
            self.put_raw(key, Bytes::from(bytes), Ttl::Clear);
        } else if changed && let Some(mut entry) = self.write(key) {
            entry.edit_string(|text| {
                text.clear();
                text.extend_from_slice(&bytes);
            });
        }
        Ok(result)
    }

    /// The estimate of the counter at `key`, 0 without one. It is kept in the
    /// counter for the next time. O(1) while nothing is added.
    pub fn hll_estimate(&mut self, key: Key<'_>) -> Result<u64, Error> {
        let known = self.read_hll(key, |bytes| match hll::cached(bytes) {
            Some(estimate) => Ok((estimate, true)),
            None => Ok((hll::estimate(bytes)?, false)),
        })?;
        let Some((estimate, is_cached)) = known else {
            return Ok(0);
        };
        if !is_cached {
            self.overwrite_string(key, |bytes| hll::cache(bytes, estimate));
            // No event: to whoever counts, nothing has changed.
            self.effects.dirty += 1;
        }
        Ok(estimate)
    }

    /// Takes over the registers of the counter at `key`; its encoding, `None`
    /// without one. O(registers).
    pub fn hll_merge(
        &mut self,
        key: Key<'_>,
        registers: &mut Registers,
    ) -> Result<Option<Encoding>, Error> {
        self.read_hll(key, |bytes| registers.merge(bytes))
    }

    /// Writes registers, none of which is below its own, into the counter at `key`,
    /// a new one where there is none; into a dense one if `dense` asks for it.
    /// O(registers).
    pub fn hll_store(
        &mut self,
        key: Key<'_>,
        registers: &Registers,
        dense: bool,
        sparse_max: usize,
    ) -> Result<(), Error> {
        self.change_hll(key, |bytes| {
            registers.write(bytes, dense, sparse_max)?;
            Ok(((), true))
        })?;
        self.touched(key.bytes, PFADD);
        Ok(())
    }

    /// Makes the counter at `key` dense; whether it was sparse, `None` without one.
    /// O(registers).
    pub fn hll_make_dense(&mut self, key: Key<'_>) -> Result<Option<bool>, Error> {
        if self.peek_hll(key, hll::encoding)?.is_none() {
            return Ok(None);
        }
        let made = self.change_hll(key, |bytes| {
            let made = hll::make_dense(bytes)?;
            Ok((made, made))
        })?;
        self.effects.dirty += u64::from(made);
        Ok(Some(made))
    }
}
