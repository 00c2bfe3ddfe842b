//! The fan-out of effects: one journal for the store, several listeners behind it.
//!
//! Each listener says for itself what it wants, at any time; who changes that and
//! must not miss anything does so while it holds all shards.

use std::sync::Arc;

use crate::store::journal::{Interest, Journal, Notes};

/// Listeners in the order in which they are told.
#[derive(Default)]
pub struct Hub(Vec<Arc<dyn Journal>>);

impl Hub {
    /// A hub for these listeners: first those whose order others depend on.
    pub fn new(listeners: Vec<Arc<dyn Journal>>) -> Hub {
        Hub(listeners)
    }
}

impl Journal for Hub {
    fn interest(&self) -> Interest {
        let wanted = self.0.iter().map(|listener| listener.interest());
        wanted.fold(Interest::NONE, Interest::with)
    }

    fn record(&self, notes: &Notes) {
        let interested = (self.0.iter()).filter(|one| one.interest() != Interest::NONE);
        interested.for_each(|listener| listener.record(notes));
    }

    fn released(&self) {
        self.0.iter().for_each(|listener| listener.released());
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::store::journal::Event;

    struct Wants(Interest, Mutex<usize>);

    impl Journal for Wants {
        fn interest(&self) -> Interest {
            self.0
        }

        fn record(&self, notes: &Notes) {
            *self.1.lock() += notes.iter().count();
        }
    }

    #[test]
    fn who_wants_something_is_told() {
        let idle = Arc::new(Wants(Interest::NONE, Mutex::default()));
        let log = Arc::new(Wants(Interest::COMMANDS, Mutex::default()));
        let hub = Hub::new(vec![idle.clone(), log.clone()]);
        assert_eq!(hub.interest(), Interest::COMMANDS);
        let mut notes = Notes::default();
        notes.touched(0, b"key", Event::generic("del"));
        notes.command(0, [b"DEL".as_slice(), b"key"].into_iter());
        hub.record(&notes);
        assert_eq!((*idle.1.lock(), *log.1.lock()), (0, 2));
        assert_eq!(Hub::default().interest(), Interest::NONE);
    }
}
