//! Hashes: pairs one by one or packed, with deadlines or without.
//!
//! ```text
//! Redis 7.4    earliest(8) count { deadline - earliest + 1, or 0 } name value ...
//!              before its release without `earliest`, the deadlines as they are
//! packed       earliest(8) listpack of name, value, deadline or 0, ...
//! Valkey 9     count name value deadline(8, -1 for none) ...
//! ```

use crate::ds::hash::{Given, Growth, Hash, NEVER, Until};
use crate::ds::packed::{Elem, Packed, distinct};
use crate::persist::rdb::packed::{self, Form};
use crate::persist::rdb::read::Source;
use crate::persist::rdb::{Error, VALKEY_FIRST, kind};

/// How Valkey writes that a field has no deadline.
const VALKEY_NEVER: i64 = -1;

/// The hash of this kind. O(bytes).
pub(super) fn read<S: Source>(
    source: &mut S,
    kind: u8,
    version: u16,
    growth: Growth<'_>,
) -> Result<Hash, Error> {
    match kind {
        kind::HASH => fields(source, growth, |_| Ok(NEVER), |_| Ok(NEVER)),
        kind::HASH_ZIPMAP => {
            let packed = source.text()?.with(packed::zipmap)?;
            pairs(packed, growth)
        }
        kind::HASH_ZIPLIST => pairs(packed::read(source, Form::Ziplist)?, growth),
        kind::HASH_LISTPACK => pairs(packed::read(source, Form::Listpack)?, growth),
        kind::HASH_2 if version >= VALKEY_FIRST => fields(
            source,
            growth,
            |_| Ok(NEVER),
            |source| match source.millis()? {
                VALKEY_NEVER => Ok(NEVER),
                at => deadline(at.try_into().map_err(|_| Error::Time)?),
            },
        ),
        _ if version >= VALKEY_FIRST => Err(Error::Kind(kind)),
        kind::HASH_METADATA_PRE_GA => relative(source, growth, 1),
        kind::HASH_METADATA => {
            let earliest = source.millis()?;
            let earliest = u64::try_from(earliest).map_err(|_| Error::Time)?;
            relative(source, growth, earliest)
        }
        kind::HASH_LISTPACK_EX_PRE_GA => triples(packed::read(source, Form::Listpack)?, growth),
        _ => {
            source.millis()?;
            triples(packed::read(source, Form::Listpack)?, growth)
        }
    }
}

/// A hash of [`kind::HASH`] whose fields have these deadlines.
pub(super) fn read_with<S: Source>(
    source: &mut S,
    deadlines: Vec<i64>,
    growth: Growth<'_>,
) -> Result<Hash, Error> {
    let count = deadlines.len();
    let mut next = deadlines.into_iter();
    let before = |_: &mut S| next.next().ok_or(Error::Time);
    let hash = fields(source, growth, before, |_| Ok(NEVER))?;
    match hash.len() {
        0 => Err(Error::Empty),
        len if len == count => Ok(hash),
        _ => Err(Error::Time),
    }
}

/// A deadline that was written; [`NEVER`] itself is none.
fn deadline(at: u64) -> Result<i64, Error> {
    match i64::try_from(at) {
        Ok(at) if at != NEVER => Ok(at),
        _ => Err(Error::Time),
    }
}

/// Fields whose deadlines count from one less than `base`.
fn relative<S: Source>(source: &mut S, growth: Growth<'_>, base: u64) -> Result<Hash, Error> {
    let before = |source: &mut S| match source.number()? {
        0 => Ok(NEVER),
        after => deadline(after.checked_add(base).ok_or(Error::Time)? - 1),
    };
    fields(source, growth, before, |_| Ok(NEVER))
}

/// Fields one by one, with what stands before and behind each: a deadline at most.
fn fields<S: Source>(
    source: &mut S,
    growth: Growth<'_>,
    mut before: impl FnMut(&mut S) -> Result<i64, Error>,
    mut behind: impl FnMut(&mut S) -> Result<i64, Error>,
) -> Result<Hash, Error> {
    let count = source.count(2)?;
    let mut hash = Hash::new();
    hash.announce(count, 0, 0, growth);
    let (mut name, mut value) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let at = before(source)?;
        source.text_into(&mut name)?;
        source.text_into(&mut value)?;
        let at = at.min(behind(source)?);
        add(&mut hash, &name, &value, at, growth)?;
    }
    Ok(hash)
}

fn add(
    hash: &mut Hash,
    name: &[u8],
    value: &[u8],
    deadline: i64,
    growth: Growth<'_>,
) -> Result<(), Error> {
    if hash.set(name, Given::Text(value), Until::At(deadline), growth) {
        return Err(Error::Duplicate);
    }
    Ok(())
}

/// Names and values by turns: as they are if the hash may be kept so.
fn pairs(packed: Packed, growth: Growth<'_>) -> Result<Hash, Error> {
    if packed.len() % 2 == 1 {
        return Err(Error::Packed);
    }
    let names = packed.iter().step_by(2);
    let short = |elem: Elem<'_>| elem.text_len() <= growth.limit.value;
    if names.len() <= growth.limit.entries && packed.iter().all(short) {
        if !distinct(names) {
            return Err(Error::Duplicate);
        }
        return Ok(Hash::from_packed(packed));
    }
    let mut hash = Hash::new();
    hash.announce(names.len(), 0, 0, growth);
    for (name, value) in names.zip(packed.iter().skip(1).step_by(2)) {
        name.with_bytes(|name| {
            value.with_bytes(|value| add(&mut hash, name, value, NEVER, growth))
        })?;
    }
    Ok(hash)
}

/// Names, values and deadlines by turns.
fn triples(packed: Packed, growth: Growth<'_>) -> Result<Hash, Error> {
    if !packed.len().is_multiple_of(3) {
        return Err(Error::Packed);
    }
    let mut hash = Hash::new();
    hash.announce(packed.len() / 3, 0, 0, growth);
    let mut elems = packed.iter();
    while let (Some(name), Some(value), Some(at)) = (elems.next(), elems.next(), elems.next()) {
        let at = match at {
            Elem::Int(0) => NEVER,
            Elem::Int(at) => deadline(at.try_into().map_err(|_| Error::Time)?)?,
            Elem::Str(_) => return Err(Error::Time),
        };
        name.with_bytes(|name| value.with_bytes(|value| add(&mut hash, name, value, at, growth)))?;
    }
    Ok(hash)
}
