//! Sets: members one by one or packed, or an intset.

use crate::ds::intset::IntSet;
use crate::ds::packed::{Elem, Packed, distinct};
use crate::ds::set::{Rules, Set};
use crate::persist::rdb::packed::{self, Form};
use crate::persist::rdb::read::Source;
use crate::persist::rdb::{Error, kind};

/// The set of this kind. O(bytes).
pub(super) fn read<S: Source>(source: &mut S, kind: u8, rules: Rules<'_>) -> Result<Set, Error> {
    match kind {
        kind::SET => {
            let count = source.count(1)?;
            let mut set = empty(count, rules);
            for _ in 0..count {
                source.text()?.with(|text| add(&mut set, text, rules))?;
            }
            Ok(set)
        }
        kind::SET_INTSET => {
            let ints = source.text()?.with(IntSet::from_blob);
            let ints = ints.map_err(|_| Error::Packed)?;
            if ints.len() <= rules.intset_entries {
                return Ok(ints.into());
            }
            gather(ints.len(), ints.iter().map(Elem::Int), rules)
        }
        _ => members(packed::read(source, Form::Listpack)?, rules),
    }
}

/// A set for so many members.
fn empty(count: usize, rules: Rules<'_>) -> Set {
    if rules.is_beyond_small(count) {
        Set::large(rules)
    } else {
        IntSet::new().into()
    }
}

fn add(set: &mut Set, text: &[u8], rules: Rules<'_>) -> Result<(), Error> {
    if set.add(text, rules) {
        Ok(())
    } else {
        Err(Error::Duplicate)
    }
}

fn gather<'a>(
    count: usize,
    members: impl Iterator<Item = Elem<'a>>,
    rules: Rules<'_>,
) -> Result<Set, Error> {
    let mut set = empty(count, rules);
    for member in members {
        member.with_bytes(|text| add(&mut set, text, rules))?;
    }
    Ok(set)
}

/// Packed members: as they are if the set may be kept so.
fn members(packed: Packed, rules: Rules<'_>) -> Result<Set, Error> {
    let short = |elem: Elem<'_>| elem.text_len() <= rules.listpack_value;
    if packed.len() > rules.listpack_entries || !packed.iter().all(short) {
        return gather(packed.len(), packed.iter(), rules);
    }
    if !distinct(packed.iter()) {
        return Err(Error::Duplicate);
    }
    Ok(packed.into())
}
