//! Streams: nodes, counters, groups, what is pending in each and with whom.
//!
//! ```text
//! count { id(16) listpack } length last-id
//!     [ first-id greatest-deleted-id added ]                      second form
//! count { name last-id [ read ]                                   second form
//!     count { id(16) time(8) deliveries }
//!     count { name seen(8) [ active(8) ] count { id(16) } } }     third form
//! ```

use crate::ds::stream::{Counters, GroupLoader, Invalid, Loader, Stream, StreamId};
use crate::persist::rdb::read::Source;
use crate::persist::rdb::{Error, kind};

/// Bytes of an id in the key of a node and where something is pending.
const ID_BYTES: usize = 16;

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Error {
        match invalid {
            Invalid::Node(_) => Error::Packed,
            Invalid::Twice => Error::Duplicate,
            Invalid::Order | Invalid::Counters | Invalid::Pending => Error::Stream,
        }
    }
}

/// The stream of this kind. O(bytes log bytes).
pub(super) fn read<S: Source>(source: &mut S, kind: u8) -> Result<Stream, Error> {
    let mut loader = Loader::default();
    let mut base = Vec::new();
    for _ in 0..source.count(2 + ID_BYTES)? {
        source.text_into(&mut base)?;
        let base = <[u8; ID_BYTES]>::try_from(base.as_slice()).map_err(|_| Error::Stream)?;
        let base = StreamId::from_bytes(base);
        source
            .text()?
            .with(|listpack| loader.node(base, listpack))?;
    }
    let (len, last_id) = (source.number()?, id(source)?);
    let mut counters = Counters {
        len,
        last_id,
        max_deleted_id: StreamId::MIN,
        entries_added: len,
    };
    if kind != kind::STREAM_LISTPACKS {
        // The first id is found out anew.
        id(source)?;
        counters.max_deleted_id = id(source)?;
        counters.entries_added = source.number()?;
    }
    loader.counters(counters)?;
    let mut name = Vec::new();
    for _ in 0..source.count(5)? {
        source.text_into(&mut name)?;
        let group = group(source, kind, &loader)?;
        loader.group(&name, group)?;
    }
    Ok(loader.finish())
}

fn id<S: Source>(source: &mut S) -> Result<StreamId, Error> {
    Ok(StreamId::new(source.number()?, source.number()?))
}

fn raw_id<S: Source>(source: &mut S) -> Result<StreamId, Error> {
    Ok(StreamId::from_bytes(source.array()?))
}

fn group<S: Source>(source: &mut S, kind: u8, loader: &Loader) -> Result<GroupLoader, Error> {
    let last_id = id(source)?;
    let read = if kind == kind::STREAM_LISTPACKS {
        loader.distance_to(last_id)
    } else {
        // A number that is not known is written as -1.
        Some(source.number()?.cast_signed()).filter(|&read| read >= 0)
    };
    let mut group = GroupLoader::new(last_id, read);
    for _ in 0..source.count(ID_BYTES + 9)? {
        let (id, time) = (raw_id(source)?, source.millis()?);
        group.pending(id, time, source.number()?)?;
    }
    let mut name = Vec::new();
    for _ in 0..source.count(10)? {
        source.text_into(&mut name)?;
        let seen = source.millis()?;
        let active = match kind {
            kind::STREAM_LISTPACKS_3 => source.millis()?,
            // The best guess there is.
            _ => seen,
        };
        // What is not known is written as -1.
        let active = Some(active).filter(|&at| at >= 0);
        let consumer = group.consumer(&name, seen, active)?;
        for _ in 0..source.count(ID_BYTES)? {
            group.owns(consumer, raw_id(source)?)?;
        }
    }
    Ok(group)
}
