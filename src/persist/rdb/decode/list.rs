//! Lists: single elements, or nodes of packed ones.

use crate::ds::list::{End, Limit, List};
use crate::ds::packed::Packed;
use crate::ds::quicklist::QuickList;
use crate::persist::rdb::packed::{self, Form};
use crate::persist::rdb::read::Source;
use crate::persist::rdb::{Error, kind};

/// What a node of a quicklist holds.
const PLAIN: u64 = 1;
const PACKED: u64 = 2;

/// The list of this kind. O(bytes).
pub(super) fn read<S: Source>(source: &mut S, kind: u8, limit: Limit) -> Result<List, Error> {
    let mut quick = QuickList::new();
    match kind {
        kind::LIST => {
            for _ in 0..source.count(1)? {
                source
                    .text()?
                    .with(|text| quick.push(End::Tail, text, limit));
            }
        }
        kind::LIST_ZIPLIST => append(&mut quick, packed::read(source, Form::Ziplist)?, limit),
        kind::LIST_QUICKLIST => {
            for _ in 0..source.count(1)? {
                append(&mut quick, packed::read(source, Form::Ziplist)?, limit);
            }
        }
        _ => {
            for _ in 0..source.count(2)? {
                node(source, &mut quick, limit)?;
            }
        }
    }
    Ok(match quick.take_packed(limit) {
        Some(packed) => packed.into(),
        None if quick.is_empty() => List::new(),
        None => quick.into(),
    })
}

fn node<S: Source>(source: &mut S, quick: &mut QuickList, limit: Limit) -> Result<(), Error> {
    match source.number()? {
        PLAIN => {
            let text = source.text()?;
            if text.with(|text| limit.is_huge(text.len())) {
                quick.append_plain(text.into_bytes());
            } else {
                text.with(|text| quick.push(End::Tail, text, limit));
            }
        }
        PACKED => append(quick, packed::read(source, Form::Listpack)?, limit),
        _ => return Err(Error::Packed),
    }
    Ok(())
}

/// Appends a node: as it is if it is within the limit, so that no node is ever larger
/// than an edit of it may cost; else its elements.
fn append(quick: &mut QuickList, packed: Packed, limit: Limit) {
    if limit.allows(packed.listpack_len(), packed.len()) {
        return quick.append_packed(packed);
    }
    packed
        .iter()
        .for_each(|elem| elem.with_bytes(|text| quick.push(End::Tail, text, limit)));
}
