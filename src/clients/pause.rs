//! CLIENT PAUSE: until when commands wait, and which.
//!
//! Whoever runs commands looks once a turn. A batch that has come to a command that
//! must wait goes back to its connection, and the reactor runs it again when the
//! pause is over: nobody is blocked meanwhile.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::base::clock::Millis;

/// What waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What may change data, or tell others.
    Writes,
    All,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Pause {
    /// In milliseconds since the Unix epoch; 0 for no pause.
    until: AtomicI64,
    all: AtomicBool,
    /// Moves with each change.
    changes: AtomicU64,
    /// Connections that wait; stored by the reactor.
    waiting: AtomicUsize,
}

impl Pause {
    /// What waits at `now`.
    #[inline]
    pub fn scope(&self, now: Millis) -> Option<Scope> {
        if self.until.load(Relaxed) <= now {
            return None;
        }
        Some(if self.all.load(Relaxed) {
            Scope::All
        } else {
            Scope::Writes
        })
    }

    /// Begins a pause. One that goes on neither ends sooner nor lets more through for
    /// another.
    pub fn begin(&self, until: Millis, scope: Scope, now: Millis) {
        let going_on = self.scope(now);
        let all = scope == Scope::All || going_on == Some(Scope::All);
        self.all.store(all, Relaxed);
        let old = if going_on.is_some() {
            self.until.load(Relaxed)
        } else {
            0
        };
        self.until.store(until.max(old), Relaxed);
        self.changes.fetch_add(1, Relaxed);
    }

    /// Ends the pause.
    pub fn end(&self) {
        self.until.store(0, Relaxed);
        self.changes.fetch_add(1, Relaxed);
    }

    /// When the pause ends; 0 without one.
    pub fn until(&self) -> Millis {
        self.until.load(Relaxed)
    }

    /// How often it has changed; whoever has seen another number looks again.
    pub fn changes(&self) -> u64 {
        self.changes.load(Relaxed)
    }

    /// How many connections wait for the end.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// Tells how many connections wait.
    pub fn set_waiting(&self, count: usize) {
        self.waiting.store(count, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_by_itself_or_when_told() {
        let pause = Pause::default();
        assert_eq!(pause.scope(0), None);
        pause.begin(100, Scope::Writes, 10);
        assert_eq!(pause.scope(99), Some(Scope::Writes));
        assert_eq!(pause.scope(100), None);
        pause.end();
        assert_eq!(pause.scope(50), None);
        assert_eq!(pause.changes(), 2);
    }

    #[test]
    fn the_stricter_of_two_holds() {
        let pause = Pause::default();
        pause.begin(100, Scope::All, 10);
        pause.begin(50, Scope::Writes, 20);
        assert_eq!(pause.scope(60), Some(Scope::All));
        // What is over does not count.
        pause.begin(300, Scope::Writes, 200);
        assert_eq!(pause.scope(250), Some(Scope::Writes));
    }
}
