//! Streams: the typed API over [`crate::ds::stream::Stream`], of which this file
//! has what is done to entries and `groups` what is done by groups.
//!
//! A stream is kept although it is empty: its last id and its groups are worth
//! something. What depends on the clock or on how nodes happen to be cut is told to
//! the journal as it was decided: an id instead of `*`, an exact length instead of
//! an approximate one.

mod groups;

use crate::ds::stream::{
    Directory, FrontCut, IdRefused, NODE_BYTES_MAX, NewId, NodeLimit, References, Stream, StreamId,
    Trim,
};

use super::collection::Held;
use super::db::Db;
use super::dict::Key;
use super::entry::{Entry, NewValue};
use super::error::Error;
use super::journal::Event;

pub use groups::{AutoClaim, AutoClaimed, Claim, Claimed, Delivered, GroupRead};

impl From<IdRefused> for Error {
    fn from(refused: IdRefused) -> Error {
        match refused {
            IdRefused::TooSmall => Error::StreamIdTooSmall,
            IdRefused::Exhausted => Error::StreamIdsExhausted,
        }
    }
}

/// How an entry is added.
#[derive(Clone, Copy, Debug)]
pub struct Addition {
    pub id: NewId,
    /// Whether a stream is made where there is none.
    pub create: bool,
    pub trim: Option<Trim>,
    pub limit: NodeLimit,
    /// Whether the trim takes long.
    pub much: bool,
}

/// What is set of a stream (XSETID).
#[derive(Clone, Copy, Debug)]
pub struct NewIds {
    pub last: StreamId,
    pub added: Option<u64>,
    pub max_deleted: Option<StreamId>,
}

/// What became of an entry that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Unknown,
    Deleted,
    /// It is still referred to.
    Kept,
}

/// What an addition has done.
struct Added {
    id: StreamId,
    trimmed: usize,
    gone: [Directory; 2],
    len: usize,
}

impl Db<'_> {
    /// The stream at `key`, for reading. O(1).
    pub fn stream(&mut self, key: Key<'_>) -> Result<Option<Held<'_, Stream>>, Error> {
        self.collection(key)
    }

    /// The stream at `key` as a changing command sees it. O(1).
    pub fn peek_stream(&self, key: Key<'_>) -> Result<Option<Held<'_, Stream>>, Error> {
        self.peek_collection(key)
    }

    /// Appends an entry, and trims if asked to; its id. `None` where there is no
    /// stream and none is to be made.
    pub fn stream_add<'v>(
        &mut self,
        key: Key<'_>,
        addition: Addition,
        fields: impl Iterator<Item = (&'v [u8], &'v [u8])> + Clone,
    ) -> Result<Option<StreamId>, Error> {
        let text_len: usize = (fields.clone())
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if text_len > NODE_BYTES_MAX {
            self.peek_stream(key)?;
            return Err(Error::StreamEntryTooLarge);
        }
        let now = u64::try_from(self.now).unwrap_or(0);
        let cut = match addition.trim {
            Some(trim) if addition.much => self.front_cut(key, trim)?,
            _ => None,
        };
        let add = |stream: &mut Stream| -> Result<Added, Error> {
            let id = stream.next_id(addition.id, now)?;
            stream.append(id, fields.clone(), addition.limit);
            let (trimmed, gone) = (addition.trim).map_or_else(Default::default, |trim| {
                trim_from(stream, trim, cut.as_ref())
            });
            let len = stream.len();
            Ok(Added {
                id,
                trimmed,
                gone,
                len,
            })
        };
        let added = if addition.create {
            self.change_or_new(key, add)?
        } else {
            match self.change(key, add)? {
                Some(added) => added,
                None => return Ok(None),
            }
        }?;
        self.touched(key.bytes, Event::stream("xadd"));
        if added.trimmed > 0 {
            self.notify(key.bytes, Event::stream("xtrim"));
        }
        self.log_addition(key, &addition, &added, fields);
        added
            .gone
            .into_iter()
            .for_each(|gone| self.drop_nodes(gone));
        Ok(Some(added.id))
    }

    /// Has the journal take an addition as it was decided.
    fn log_addition<'v>(
        &mut self,
        key: Key<'_>,
        addition: &Addition,
        added: &Added,
        fields: impl Iterator<Item = (&'v [u8], &'v [u8])>,
    ) {
        let approximate = addition.trim.is_some_and(|trim| trim.approximate);
        let decided = matches!(addition.id, NewId::Exact(_)) && !approximate;
        if decided || !self.is_logged() {
            return;
        }
        let (id, len) = (added.id.to_text(), added.len.to_string());
        let mut args: Vec<&[u8]> = vec![b"XADD", key.bytes];
        // Whatever was trimmed, the same entries are left by their number.
        if let Some(trim) = addition.trim.filter(|_| added.trimmed > 0) {
            args.extend(references_word(trim.references));
            args.extend([b"MAXLEN", b"=".as_slice(), len.as_bytes()]);
        }
        args.push(&id);
        args.extend(fields.flat_map(|(name, value)| [name, value]));
        self.log_instead(&args);
    }

    /// Finds out beside the locks which nodes a trim takes; `None` if none, or if a cut
    /// would not end as the trim does.
    fn front_cut(&mut self, key: Key<'_>, trim: Trim) -> Result<Option<FrontCut>, Error> {
        if trim.limit > 0 || trim.references != References::Keep {
            return Ok(None);
        }
        let image = |db: &Db<'_>| Ok(db.peek_stream(key)?.map(|stream| stream.image_of_entries()));
        let cut = self.aside(
            image,
            |_, _| true,
            |image| image.as_ref().and_then(|stream| stream.front_cut(trim)),
        )?;
        Ok(cut.flatten())
    }

    /// Trims the stream at `key`; how many entries went. With `much`, what takes long is
    /// done beside the locks.
    pub fn stream_trim(&mut self, key: Key<'_>, trim: Trim, much: bool) -> Result<usize, Error> {
        let cut = if much {
            self.front_cut(key, trim)?
        } else {
            None
        };
        let trimmed = self.change(key, |stream: &mut Stream| {
            (trim_from(stream, trim, cut.as_ref()), stream.len())
        })?;
        let Some(((removed, gone), len)) = trimmed else {
            return Ok(0);
        };
        if removed > 0 {
            self.touched_times(key.bytes, Event::stream("xtrim"), removed);
            if trim.approximate {
                let len = len.to_string();
                let mut args = vec![b"XTRIM", key.bytes, b"MAXLEN", b"=", len.as_bytes()];
                args.extend(references_word(trim.references));
                self.log_instead(&args);
            }
        }
        gone.into_iter().for_each(|gone| self.drop_nodes(gone));
        Ok(removed)
    }

    /// Deletes entries; how many there were.
    pub fn stream_delete(&mut self, key: Key<'_>, ids: &[StreamId]) -> Result<usize, Error> {
        let deleted = self.change(key, |stream: &mut Stream| stream.delete(ids))?;
        let deleted = deleted.unwrap_or(0);
        if deleted > 0 {
            self.touched_times(key.bytes, Event::stream("xdel"), deleted);
        }
        Ok(deleted)
    }

    /// Deletes entries with regard to the groups; what became of each. With `group`
    /// they are acknowledged there first, and only those that were pending in it
    /// are looked at. `None` where there is no stream, or no such group.
    pub fn stream_delete_with(
        &mut self,
        key: Key<'_>,
        group: Option<&[u8]>,
        references: References,
        ids: &[StreamId],
    ) -> Result<Option<Vec<Fate>>, Error> {
        let done = self.change(key, |stream: &mut Stream| {
            if group.is_some_and(|group| stream.group(group).is_none()) {
                return None;
            }
            let (mut changes, mut deleted) = (0, 0);
            let mut fates = Vec::new();
            for &id in ids {
                let fate = match group {
                    Some(group) => acknowledge_and_delete(stream, group, references, id),
                    None => delete_with(stream, references, id, &mut changes),
                };
                changes += usize::from(group.is_some() && fate != Fate::Unknown);
                deleted += usize::from(fate == Fate::Deleted);
                fates.push(fate);
            }
            Some((fates, changes, deleted))
        })?;
        let Some(Some((fates, changes, deleted))) = done else {
            return Ok(None);
        };
        if deleted > 0 {
            self.touched_times(key.bytes, Event::stream("xdel"), deleted);
        } else {
            self.effects.dirty += changes as u64;
        }
        Ok(Some(fates))
    }

    /// Sets the last id of a stream and what goes with it.
    pub fn stream_set_ids(&mut self, key: Key<'_>, ids: NewIds) -> Result<(), Error> {
        let done = self.change(key, |stream: &mut Stream| {
            if ids.last < stream.max_deleted_id() {
                return Err(Error::StreamIdBelowDeleted);
            }
            if stream.edge(false).is_some_and(|top| ids.last < top) {
                return Err(Error::StreamIdBelowTop);
            }
            let len = stream.len() as u64;
            if ids.added.is_some_and(|added| added < len) {
                return Err(Error::StreamAddedBelowLength);
            }
            stream.set_ids(ids.last, ids.added, ids.max_deleted);
            Ok(())
        })?;
        done.ok_or(Error::NoSuchKey)??;
        self.touched(key.bytes, Event::stream("xsetid"));
        Ok(())
    }

    /// Tells an event that stands for several changes.
    fn touched_times(&mut self, key: &[u8], event: Event, changes: usize) {
        self.notify(key, event);
        self.effects.dirty += changes as u64;
    }

    /// Drops nodes, elsewhere if there are many.
    fn drop_nodes(&mut self, nodes: Directory) {
        if !nodes.is_empty() {
            self.drop_stream(Stream::of_nodes(nodes));
        }
    }

    /// Drops what was a part of a stream, elsewhere if it is large.
    fn drop_stream(&mut self, part: Stream) {
        self.discard(Entry::new(b"", NewValue::collection(part), None, 0));
    }
}

/// Trims a stream, of which nodes may be known that go.
fn trim_from(stream: &mut Stream, trim: Trim, cut: Option<&FrontCut>) -> (usize, [Directory; 2]) {
    let known = cut.filter(|cut| stream.admits(cut));
    let (first, front) = known.map_or_else(Default::default, |cut| stream.take_front(cut));
    let (rest, gone) = stream.trim(trim);
    (first + rest, [front, gone])
}

/// How a command says what becomes of references; what is usual is not said.
fn references_word(references: References) -> Option<&'static [u8]> {
    match references {
        References::Keep => None,
        References::Delete => Some(b"DELREF"),
        References::Acknowledged => Some(b"ACKED"),
    }
}

/// Deletes an entry as `references` says. A reference to an entry that is gone
/// goes with the others.
fn delete_with(
    stream: &mut Stream,
    references: References,
    id: StreamId,
    changes: &mut usize,
) -> Fate {
    if references == References::Delete {
        *changes += usize::from(stream.acknowledge_everywhere(id));
    }
    if stream.get(id).is_none() {
        return Fate::Unknown;
    }
    if references == References::Acknowledged && !stream.is_done_with(id) {
        return Fate::Kept;
    }
    stream.delete(&[id]);
    *changes += 1;
    Fate::Deleted
}

/// Ends that an entry is pending in a group, and deletes it as `references` says.
fn acknowledge_and_delete(
    stream: &mut Stream,
    group: &[u8],
    references: References,
    id: StreamId,
) -> Fate {
    let pending = (stream.group_mut(group)).is_some_and(|group| group.acknowledge(id));
    if !pending {
        return Fate::Unknown;
    }
    // That it was pending here is a change already, whatever comes of the rest.
    match delete_with(stream, references, id, &mut 0) {
        Fate::Kept => Fate::Kept,
        _ => Fate::Deleted,
    }
}
