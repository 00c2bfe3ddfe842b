//! Who listens to effects beside the log: key events, and the clients that cache.

use std::sync::Arc;

use super::Services;
use crate::config::Id;
use crate::pubsub::tracking::Changes;
use crate::store::journal::{Effect, Event, EventClass, Interest, Journal, Notes};

/// Publishes what happens to keys.
pub struct KeyEventListener(pub Arc<Services>);

impl Journal for KeyEventListener {
    fn interest(&self) -> Interest {
        let pubsub = &self.0.pubsub;
        let wanted = pubsub.events.interest();
        if wanted == Interest::NONE || !pubsub.has_listeners() {
            return Interest::NONE;
        }
        wanted
    }

    fn record(&self, notes: &Notes) {
        self.0.pubsub.events.gather(notes);
    }

    fn released(&self) {
        self.0.pubsub.publish_events(&self.0.clients.post);
    }
}

/// Tells clients that what they have read has changed.
pub struct CacheListener(pub Arc<Services>);

impl Journal for CacheListener {
    fn interest(&self) -> Interest {
        if self.0.pubsub.tracking.is_active() {
            Interest::EVENTS.with(Interest::CALLERS)
        } else {
            Interest::NONE
        }
    }

    /// Who has caused a change is noted behind it.
    fn record(&self, notes: &Notes) {
        let max = self.0.config.size(Id::TRACKING_TABLE_MAX_KEYS);
        let mut changes = self.0.pubsub.tracking.begin(&self.0.clients, max);
        let mut touched: Vec<(&[u8], Event)> = Vec::new();
        for effect in notes.iter() {
            match effect {
                Effect::Touched { key, event, .. } if is_change(event) => {
                    touched.push((key, event));
                }
                Effect::Caller { client } => tell(&mut changes, &mut touched, client),
                Effect::Read { client, key } => {
                    tell(&mut changes, &mut touched, 0);
                    changes.read(client, key);
                }
                Effect::Flushed { .. } => {
                    tell(&mut changes, &mut touched, 0);
                    changes.all();
                }
                _ => {}
            }
        }
        tell(&mut changes, &mut touched, 0);
    }
}

fn is_change(event: Event) -> bool {
    !matches!(event.class, EventClass::Missed | EventClass::New)
}

/// Tells what `by` has changed; that a key's time has come is nobody's doing.
fn tell(changes: &mut Changes<'_>, touched: &mut Vec<(&[u8], Event)>, by: u64) {
    for (key, event) in touched.drain(..) {
        let by = if event.class == EventClass::Expired {
            0
        } else {
            by
        };
        changes.key(key, by);
    }
}
