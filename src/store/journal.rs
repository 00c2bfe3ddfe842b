//! The one door through which effects leave the store.
//!
//! A write is told to the [`Journal`] while the guard of the shard it changed is
//! held, so the order of what is told is the order of execution. Two things are
//! told: that a key was touched, by which event (for watchers, key events, client
//! caches and blocked clients), and the command that repeats the effect (for the
//! append-only file and replicas). The command is an effect, not the input: times
//! are absolute, random choices are made, an expiry is a DEL.
//!
//! A journal only takes note, in memory: no I/O and no waiting happens under a
//! shard guard, and it never calls back into the store.

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

    pub const EXPIRED: Event = Event {
        name: "expired",
        class: EventClass::Expired,
    };
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
    Flushed { db: Option<usize> },
    /// Running `args` in database `db` repeats the change.
    Command { db: usize, args: &'a [&'a [u8]] },
}

/// Takes note of effects. Called under shard guards: quick, and never back into
/// the store.
pub trait Journal: Send + Sync {
    /// Whether anybody listens; without, effects are not even put together.
    fn is_active(&self) -> bool;
    /// Takes note of one effect.
    fn record(&self, effect: Effect<'_>);
}

/// The journal nobody listens to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Journal for Silent {
    fn is_active(&self) -> bool {
        false
    }

    fn record(&self, _effect: Effect<'_>) {}
}
