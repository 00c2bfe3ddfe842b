//! Objects from bytes: any kind that Redis up to 8 and Valkey up to 9 write.
//!
//! There is one file for each data type. It knows the type's kinds and turns each into
//! calls of the type's own builder, which also says what was there already; so a value
//! that comes in has the encoding that the present settings give it, however it was
//! written.

mod hash;
mod list;
mod set;
mod stream;
mod zset;

use super::read::{Source, Text};
use super::{Error, kind};
use crate::ds::hash::Growth;
use crate::ds::list::Limit;
use crate::ds::set::Rules;
use crate::ds::zset::Limits;
use crate::store::entry::{Collection, NewCollection};
use crate::store::image::Image;

/// The settings that choose encodings.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'h> {
    pub list: Limit,
    pub hash: Growth<'h>,
    pub set: Rules<'h>,
    pub zset: Limits,
}

/// The object of this kind, as a server of this version of the format writes it.
///
/// # Errors
/// When the bytes are not such an object. Takes memory in proportion to the bytes that
/// are there, times 88 where they are compressed.
pub fn object<S: Source>(
    source: &mut S,
    kind: u8,
    version: u16,
    layout: &Layout<'_>,
) -> Result<Image, Error> {
    Ok(match kind {
        kind::STRING => match source.text()? {
            Text::Int(int) => Image::Int(int),
            text => Image::Text(text.into_bytes()),
        },
        kind::LIST | kind::LIST_ZIPLIST | kind::LIST_QUICKLIST | kind::LIST_QUICKLIST_2 => {
            collection(list::read(source, kind, layout.list)?)?
        }
        kind::SET | kind::SET_INTSET | kind::SET_LISTPACK => {
            collection(set::read(source, kind, layout.set)?)?
        }
        kind::ZSET | kind::ZSET_2 | kind::ZSET_ZIPLIST | kind::ZSET_LISTPACK => {
            collection(zset::read(source, kind, layout.zset)?)?
        }
        kind::HASH
        | kind::HASH_ZIPMAP
        | kind::HASH_ZIPLIST
        | kind::HASH_LISTPACK
        | kind::HASH_METADATA_PRE_GA..=kind::HASH_LISTPACK_EX => {
            collection(hash::read(source, kind, version, layout.hash)?)?
        }
        kind::STREAM_LISTPACKS | kind::STREAM_LISTPACKS_2 | kind::STREAM_LISTPACKS_3 => {
            collection(stream::read(source, kind)?)?
        }
        kind::MODULE_PRE_GA | kind::MODULE_2 => return Err(module(source)?),
        kind => return Err(Error::Kind(kind)),
    })
}

/// A plain hash whose fields have these deadlines, in its order.
///
/// # Errors
/// When the bytes are no such hash, or the deadlines are of another.
pub(super) fn hash_with<S: Source>(
    source: &mut S,
    deadlines: Vec<i64>,
    layout: &Layout<'_>,
) -> Result<NewCollection, Error> {
    let hash = hash::read_with(source, deadlines, layout.hash)?;
    Ok(Box::new(hash).into_new())
}

/// Wraps a collection; one without elements is never written.
fn collection<T: Collection>(value: T) -> Result<Image, Error> {
    if Collection::is_empty(&value) {
        return Err(Error::Empty);
    }
    let new: NewCollection = Box::new(value).into_new();
    Ok(Image::Collection(new))
}

/// The name of the module whose value follows: nine letters of six bits each, above ten
/// bits of version.
pub(super) fn module<S: Source>(source: &mut S) -> Result<Error, Error> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let id = source.number()?;
    let letter = |i: usize| LETTERS[(id >> (58 - 6 * i) & 0x3f) as usize];
    Ok(Error::Module(std::array::from_fn(letter)))
}
