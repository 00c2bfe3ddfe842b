//! Key events: messages about what happens to keys (`notify-keyspace-events`).
//!
//! They are gathered while the shards that changed are locked, in one queue, so that
//! their order is the order of execution; and published when the locks are given back,
//! by whoever comes first, under the lock of the registry. Nothing is gathered while
//! nobody listens to any channel or pattern.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use parking_lot::Mutex;

use super::PubSub;
use crate::clients::Post;
use crate::store::journal::{Effect, Event, EventClass, Interest, Notes};

/// Which events are published and how, as bits by the letters of the directive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Classes(u32);

impl Classes {
    /// Reads the stored form of the directive.
    fn read(letters: &[u8]) -> Classes {
        let bits = letters.iter().map(|letter| match letter {
            b'A' => IN_ALL.iter().map(|letter| bit(*letter)).sum(),
            letter => bit(*letter),
        });
        Classes(bits.fold(0, |all, bits| all | bits))
    }

    fn has(self, letter: u8) -> bool {
        self.0 & bit(letter) != 0
    }

    fn admits(self, class: EventClass) -> bool {
        self.has(letter_of(class))
    }
}

/// The classes that `A` stands for.
const IN_ALL: &[u8] = b"g$lshzxetd";

/// One bit for each letter, upper and lower case, and `$`.
fn bit(letter: u8) -> u32 {
    match letter {
        b'K' => 1 << 26,
        b'E' => 1 << 27,
        b'$' => 1 << 28,
        letter => 1 << (letter.wrapping_sub(b'a') % 26),
    }
}

fn letter_of(class: EventClass) -> u8 {
    match class {
        EventClass::Generic => b'g',
        EventClass::String => b'$',
        EventClass::List => b'l',
        EventClass::Hash => b'h',
        EventClass::Set => b's',
        EventClass::SortedSet => b'z',
        EventClass::Stream => b't',
        EventClass::Expired => b'x',
        EventClass::Evicted => b'e',
        EventClass::Missed => b'm',
        EventClass::New => b'n',
    }
}

/// One event that waits to be published.
#[derive(Debug)]
struct Waiting {
    db: usize,
    key: Box<[u8]>,
    name: &'static str,
}

/// See the head of this file.
#[derive(Default)]
pub struct KeyEvents {
    classes: AtomicU32,
    queue: Mutex<Vec<Waiting>>,
    waits: AtomicBool,
}

impl KeyEvents {
    /// Takes the classes from the stored form of the directive.
    pub fn set_classes(&self, letters: &[u8]) {
        self.classes.store(Classes::read(letters).0, Relaxed);
    }

    fn classes(&self) -> Classes {
        Classes(self.classes.load(Relaxed))
    }

    /// What has to be noted of changes, if anybody listens.
    pub fn interest(&self) -> Interest {
        let classes = self.classes();
        if !classes.has(b'K') && !classes.has(b'E') {
            return Interest::NONE;
        }
        let wants = |letter, interest| {
            if classes.has(letter) {
                interest
            } else {
                Interest::NONE
            }
        };
        Interest::EVENTS
            .with(wants(b'm', Interest::MISSES))
            .with(wants(b'n', Interest::NEW_KEYS))
    }

    /// Queues the events among the notes; called with the locks of the shards held.
    pub fn gather(&self, notes: &Notes) {
        let classes = self.classes();
        let mut queue = self.queue.lock();
        for effect in notes.iter() {
            if let Effect::Touched { db, key, event } = effect
                && event_is_told(event)
                && classes.admits(event.class)
            {
                queue.push(Waiting {
                    db,
                    key: key.into(),
                    name: event.name,
                });
            }
        }
        self.waits.store(!queue.is_empty(), Relaxed);
    }
}

/// Some changes have no event.
fn event_is_told(event: Event) -> bool {
    !event.name.is_empty()
}

impl PubSub {
    /// Publishes what has been gathered; called without locks of shards.
    pub fn publish_events(&self, post: &Post) {
        if !self.events.waits.load(Relaxed) {
            return;
        }
        let registry = self.registry.lock();
        let waiting = {
            let mut queue = self.events.queue.lock();
            self.events.waits.store(false, Relaxed);
            std::mem::take(&mut *queue)
        };
        let classes = self.events.classes();
        let mut channel = Vec::new();
        for Waiting { db, key, name } in &waiting {
            if classes.has(b'K') {
                name_channel(&mut channel, "keyspace", *db, key);
                registry.publish(post, &channel, name.as_bytes());
            }
            if classes.has(b'E') {
                name_channel(&mut channel, "keyevent", *db, name.as_bytes());
                registry.publish(post, &channel, key);
            }
        }
    }
}

fn name_channel(channel: &mut Vec<u8>, kind: &str, db: usize, end: &[u8]) {
    channel.clear();
    channel.extend_from_slice(format!("__{kind}@{db}__:").as_bytes());
    channel.extend_from_slice(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_choose_classes_and_form() {
        let events = KeyEvents::default();
        assert_eq!(events.interest(), Interest::NONE);
        events.set_classes(b"A");
        assert_eq!(events.interest(), Interest::NONE, "neither K nor E");
        events.set_classes(b"KA");
        assert_eq!(events.interest(), Interest::EVENTS);
        events.set_classes(b"lmEn");
        let all = Interest::EVENTS
            .with(Interest::MISSES)
            .with(Interest::NEW_KEYS);
        assert_eq!(events.interest(), all);
        let classes = events.classes();
        assert!(classes.admits(EventClass::List) && classes.admits(EventClass::Missed));
        assert!(!classes.admits(EventClass::Set) && !classes.has(b'K'));
        let every = Classes::read(b"A");
        assert!(every.admits(EventClass::Expired) && every.admits(EventClass::String));
        assert!(!every.admits(EventClass::Missed) && !every.admits(EventClass::New));
    }

    #[test]
    fn every_letter_has_a_bit_of_its_own() {
        let letters = b"g$lshzxetdmnKE";
        let all = letters.iter().fold(0, |all, letter| all | bit(*letter));
        assert_eq!(all.count_ones() as usize, letters.len());
    }
}
