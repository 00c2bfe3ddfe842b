//! The one door through which effects leave the store.
//!
//! Two things are told of a write: that a key was touched, by which event (for key
//! events and client caches), and the command that repeats the effect (for the
//! append-only file and replicas). The command is an effect, not the input: times
//! are absolute, random choices are made, an expiry is a DEL.
//!
//! Effects gather in the [`Notes`] of the thread that works, without a lock, and
//! are handed to the [`Journal`] in one call while the guards of the shards that
//! changed are still held: so the order of what is told is the order of execution,
//! and what a group of commands costs beyond its own work is one lock.
//!
//! A journal only takes note, in memory: no I/O and no waiting happens under a
//! shard guard, and it never calls back into the store.

use std::ops::Range;

/// The class of a key event, as `notify-keyspace-events` groups them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventClass {
    Generic,
    String,
    List,
    Hash,
    Set,
    SortedSet,
    Stream,
    Expired,
    Evicted,
    /// A reading command has not found the key.
    Missed,
    /// The key was not there before.
    New,
}

/// What happened to a key: Redis's event name and its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub name: &'static str,
    pub class: EventClass,
}

impl Event {
    const fn of(class: EventClass, name: &'static str) -> Event {
        Event { name, class }
    }

    pub const fn generic(name: &'static str) -> Event {
        Event::of(EventClass::Generic, name)
    }

    pub const fn string(name: &'static str) -> Event {
        Event::of(EventClass::String, name)
    }

    pub const fn list(name: &'static str) -> Event {
        Event::of(EventClass::List, name)
    }

    pub const fn hash(name: &'static str) -> Event {
        Event::of(EventClass::Hash, name)
    }

    pub const fn set(name: &'static str) -> Event {
        Event::of(EventClass::Set, name)
    }

    pub const fn sorted_set(name: &'static str) -> Event {
        Event::of(EventClass::SortedSet, name)
    }

    pub const fn stream(name: &'static str) -> Event {
        Event::of(EventClass::Stream, name)
    }

    pub const EXPIRED: Event = Event::of(EventClass::Expired, "expired");
    pub const EVICTED: Event = Event::of(EventClass::Evicted, "evicted");
    pub const MISSED: Event = Event::of(EventClass::Missed, "keymiss");
    pub const NEW: Event = Event::of(EventClass::New, "new");
}

/// What somebody wants to be told. Read once under the locks of each group of
/// commands, so that whoever changes it under all locks has changed it for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest(pub u8);

impl Interest {
    pub const NONE: Interest = Interest(0);
    /// The commands that repeat the changes.
    pub const COMMANDS: Interest = Interest(1);
    /// The keys that are touched, and by which event.
    pub const EVENTS: Interest = Interest(2);
    pub const ALL: Interest = Interest(3);
    /// Beside events, reads that do not find their key.
    pub const MISSES: Interest = Interest(4);
    /// Beside events, that a key was not there before.
    pub const NEW_KEYS: Interest = Interest(8);
    /// Which client has caused what was noted.
    pub const CALLERS: Interest = Interest(16);

    /// Whether any of `other`'s bits is set.
    #[inline]
    pub const fn has(self, other: Interest) -> bool {
        self.0 & other.0 != 0
    }

    /// Both together.
    pub const fn with(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }
}

/// One thing to take note of.
#[derive(Clone, Copy, Debug)]
pub enum Effect<'a> {
    /// `key` of database `db` has changed.
    Touched {
        db: usize,
        key: &'a [u8],
        event: Event,
    },
    /// A database (or all, without one) has been emptied or exchanged.
    Flushed {
        db: Option<usize>,
    },
    /// Running the words in database `db` repeats the change.
    Command {
        db: usize,
        words: Words<'a>,
    },
    /// This client has caused what stands before, up to the `Caller` before.
    Caller {
        client: u64,
    },
    /// This client reads `key` and wants to know when it changes.
    Read {
        client: u64,
        key: &'a [u8],
    },
    /// What follows up to the next `UnitEnd` is to be repeated wholly or not at all.
    UnitBegin,
    UnitEnd,
}

/// The words of a command.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    bytes: &'a [u8],
    /// Where each word ends, behind the start of the first.
    start: usize,
    ends: &'a [usize],
}

impl<'a> Words<'a> {
    /// How many there are; at least one.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none, which is never.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The words in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        let mut from = self.start;
        (self.ends.iter()).map(move |&end| &self.bytes[std::mem::replace(&mut from, end)..end])
    }
}

impl std::fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = self.iter().map(|word| word.escape_ascii().to_string());
        f.debug_list().entries(words).finish()
    }
}

/// Effects of the commands that hold their locks now, in order.
#[derive(Debug, Default)]
pub struct Notes {
    notes: Vec<Note>,
    bytes: Vec<u8>,
    /// Where words end in `bytes`.
    ends: Vec<usize>,
}

/// An [`Effect`] whose bytes stand in the arena.
#[derive(Clone, Debug)]
enum Note {
    Touched {
        db: u8,
        key: Range<usize>,
        event: Event,
    },
    Flushed {
        db: Option<u8>,
    },
    Command {
        db: u8,
        start: usize,
        ends: Range<usize>,
    },
    Caller {
        client: u64,
    },
    Read {
        client: u64,
        key: Range<usize>,
    },
    UnitBegin,
    UnitEnd,
}

/// Room that is kept for the next group; what one giant command has taken is not.
const KEPT_MAX: usize = 64 * 1024;

impl Notes {
    /// Whether there is nothing to tell.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// Notes that `key` of database `db` has changed.
    pub fn touched(&mut self, db: usize, key: &[u8], event: Event) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.notes.push(Note::Touched {
            db: db as u8,
            key: start..self.bytes.len(),
            event,
        });
    }

    /// Notes that a database, or all, has been emptied or exchanged.
    pub fn flushed(&mut self, db: Option<usize>) {
        let db = db.map(|db| db as u8);
        self.notes.push(Note::Flushed { db });
    }

    /// Notes a command that repeats a change in database `db`.
    pub fn command<'w>(&mut self, db: usize, words: impl Iterator<Item = &'w [u8]>) {
        let (start, first) = (self.bytes.len(), self.ends.len());
        for word in words {
            self.bytes.extend_from_slice(word);
            self.ends.push(self.bytes.len());
        }
        self.notes.push(Note::Command {
            db: db as u8,
            start,
            ends: first..self.ends.len(),
        });
    }

    /// Notes which client has caused what was noted since the last call.
    pub fn caller(&mut self, client: u64) {
        if !matches!(self.notes.last(), None | Some(Note::Caller { .. })) {
            self.notes.push(Note::Caller { client });
        }
    }

    /// Notes that a client reads `key` and wants to know when it changes.
    pub fn read(&mut self, client: u64, key: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let key = start..self.bytes.len();
        self.notes.push(Note::Read { client, key });
    }

    /// Forgets the last `count` notes, which are of missed keys.
    pub fn forget_misses(&mut self, count: usize) {
        let left = self.notes.len().saturating_sub(count);
        self.notes.truncate(left);
    }

    /// Begins a unit. Units do not nest: of an inner one only the outer is seen.
    pub fn begin_unit(&mut self) {
        self.notes.push(Note::UnitBegin);
    }

    /// Ends the unit that was begun last.
    pub fn end_unit(&mut self) {
        self.notes.push(Note::UnitEnd);
    }

    /// The effects in order.
    pub fn iter(&self) -> impl Iterator<Item = Effect<'_>> {
        self.notes.iter().map(|note| match note {
            Note::Touched { db, key, event } => Effect::Touched {
                db: usize::from(*db),
                key: &self.bytes[key.clone()],
                event: *event,
            },
            Note::Flushed { db } => Effect::Flushed {
                db: db.map(usize::from),
            },
            Note::Command { db, start, ends } => Effect::Command {
                db: usize::from(*db),
                words: Words {
                    bytes: &self.bytes,
                    start: *start,
                    ends: &self.ends[ends.clone()],
                },
            },
            Note::Caller { client } => Effect::Caller { client: *client },
            Note::Read { client, key } => Effect::Read {
                client: *client,
                key: &self.bytes[key.clone()],
            },
            Note::UnitBegin => Effect::UnitBegin,
            Note::UnitEnd => Effect::UnitEnd,
        })
    }

    /// Forgets everything, keeping some room.
    pub fn clear(&mut self) {
        self.notes.clear();
        self.bytes.clear();
        self.ends.clear();
        self.bytes.shrink_to(KEPT_MAX);
        self.notes.shrink_to(KEPT_MAX / size_of::<Note>());
        self.ends.shrink_to(KEPT_MAX / size_of::<usize>());
    }
}

/// Takes note of effects. Called under shard guards: quick, and never back into
/// the store.
pub trait Journal: Send + Sync {
    /// What is wanted; without, effects are not even put together.
    fn interest(&self) -> Interest;
    /// Takes note of what commands have caused, in order.
    fn record(&self, notes: &Notes);
    /// The shards that changed are free again: what may not be done under their locks.
    fn released(&self) {}
}

/// The journal nobody listens to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Journal for Silent {
    fn interest(&self) -> Interest {
        Interest::NONE
    }

    fn record(&self, _notes: &Notes) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_tell_what_was_noted_in_order() {
        let mut notes = Notes::default();
        notes.begin_unit();
        notes.touched(3, b"key", Event::generic("del"));
        notes.command(3, [b"DEL".as_slice(), b"", b"key"].into_iter());
        notes.command(0, [b"PING".as_slice()].into_iter());
        notes.flushed(None);
        notes.end_unit();
        let told: Vec<String> = notes.iter().map(|effect| format!("{effect:?}")).collect();
        assert_eq!(told.len(), 6);
        assert!(told[1].contains("db: 3") && told[1].contains("\"del\""));
        assert_eq!(told[2], r#"Command { db: 3, words: ["DEL", "", "key"] }"#);
        assert_eq!(told[3], r#"Command { db: 0, words: ["PING"] }"#);
        assert_eq!(told[4], "Flushed { db: None }");
        notes.clear();
        assert!(notes.is_empty() && notes.iter().next().is_none());
    }
}
