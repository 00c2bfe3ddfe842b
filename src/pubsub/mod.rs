//! Publish and subscribe: who listens to what, and the way of a message.
//!
//! One registry holds the subscriptions to channels, patterns and shard channels. A
//! publisher puts its message into the inboxes of all who listen while it holds the
//! registry's lock, so every subscriber gets the messages in the same order; the
//! reactor sends them ([`crate::clients::inbox`]). A message is written once for each
//! protocol version, and large ones are shared by all inboxes.
//!
//! Who subscribes or unsubscribes writes the confirmations into its own reply under
//! the same lock, behind what its inbox held: nothing of a channel comes before the
//! confirmation of its subscription or after that of its end.
//!
//! Lock order: the registry, or the table of [`tracking`]; then an inbox. Whoever holds locks of shards or the
//! journal may take the registry's, never the other way round.

pub mod events;
mod message;
mod registry;
#[cfg(test)]
mod tests;
pub mod tracking;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::clients::{Client, Post};
use crate::resp::Reply;

pub use events::KeyEvents;
pub use message::Message;
use registry::Registry;
pub use tracking::{Options, Overlap, Tracking};

/// What one can subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Channel,
    /// All channels whose names match.
    Pattern,
    /// Channels of SSUBSCRIBE: names of their own, without patterns.
    Shard,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Channel, Kind::Pattern, Kind::Shard];

    fn index(self) -> usize {
        self as usize
    }

    /// The first words of confirmations, and the kinds that they count.
    fn words(self) -> (&'static str, &'static str, &'static [Kind]) {
        match self {
            Kind::Channel => ("subscribe", "unsubscribe", &[Kind::Channel, Kind::Pattern]),
            Kind::Pattern => (
                "psubscribe",
                "punsubscribe",
                &[Kind::Channel, Kind::Pattern],
            ),
            Kind::Shard => ("ssubscribe", "sunsubscribe", &[Kind::Shard]),
        }
    }
}

/// See the head of this file.
#[derive(Default)]
pub struct PubSub {
    registry: Mutex<Registry>,
    /// Names that somebody listens to, by kind: read without the lock.
    names: [AtomicUsize; 3],
    /// Clients that cache what they read.
    pub tracking: Tracking,
    /// What happens to keys.
    pub events: KeyEvents,
}

impl PubSub {
    /// Subscribes a client to names, and confirms each in `reply`; with `drains` what
    /// the client's inbox holds is put before.
    pub fn subscribe<'a>(
        &self,
        client: &Arc<Client>,
        kind: Kind,
        names: impl Iterator<Item = &'a [u8]>,
        drains: bool,
        reply: &mut Reply,
    ) {
        let mut registry = self.registry.lock();
        if drains {
            client.inbox.drain_into(reply);
        }
        let (word, _, counted) = kind.words();
        for name in names {
            registry.add(client, kind, name);
            confirm(reply, word, Some(name), count(client, counted));
        }
        self.note_sizes(&registry);
    }

    /// Ends subscriptions, those to `names` or without any all of this kind, and
    /// confirms each in `reply`.
    pub fn unsubscribe<'a>(
        &self,
        client: &Arc<Client>,
        kind: Kind,
        names: Option<impl Iterator<Item = &'a [u8]>>,
        drains: bool,
        reply: &mut Reply,
    ) {
        let mut registry = self.registry.lock();
        if drains {
            client.inbox.drain_into(reply);
        }
        let (_, word, counted) = kind.words();
        let own = match names {
            Some(_) => Vec::new(),
            None => registry.names_of(client, kind),
        };
        let mut end = |name: &[u8]| {
            registry.remove(client, kind, name);
            confirm(reply, word, Some(name), count(client, counted));
        };
        match names {
            Some(names) => names.for_each(end),
            None if own.is_empty() => confirm(reply, word, None, count(client, counted)),
            None => own.iter().for_each(|name| end(name)),
        }
        self.note_sizes(&registry);
    }

    /// Ends all subscriptions of a client, and its tracking, without a word.
    pub fn release(&self, client: &Arc<Client>) {
        self.tracking.disable(client);
        if client.is_subscriber() {
            let mut registry = self.registry.lock();
            registry.remove_all(client);
            self.note_sizes(&registry);
        }
    }

    /// As [`PubSub::release`], for a client that has gone: it gets no more, whoever
    /// still holds its session.
    pub fn forget(&self, client: &Arc<Client>) {
        let mut registry = self.registry.lock();
        client.gone.store(true, Relaxed);
        registry.remove_all(client);
        self.note_sizes(&registry);
        drop(registry);
        self.tracking.forget(client);
    }

    /// Sends a message to all who listen to `channel`; how many that are.
    pub fn publish(&self, post: &Post, channel: &[u8], text: &[u8]) -> usize {
        if !self.has_listeners() {
            return 0;
        }
        let registry = self.registry.lock();
        registry.publish(post, channel, text)
    }

    /// As [`PubSub::publish`], for a shard channel.
    pub fn publish_shard(&self, post: &Post, channel: &[u8], text: &[u8]) -> usize {
        let registry = self.registry.lock();
        registry.publish_shard(post, channel, text)
    }

    /// Whether anybody listens to a channel or a pattern.
    pub fn has_listeners(&self) -> bool {
        let [channels, patterns, _] = self.sizes();
        channels + patterns > 0
    }

    /// How many names of each kind somebody listens to, in the order of [`Kind`].
    pub fn sizes(&self) -> [usize; 3] {
        std::array::from_fn(|i| self.names[i].load(Relaxed))
    }

    /// The names of a kind that somebody listens to and `admits` lets through.
    pub fn names(&self, kind: Kind, admits: impl Fn(&[u8]) -> bool) -> Vec<Arc<[u8]>> {
        let registry = self.registry.lock();
        let names = registry.names(kind);
        names.filter(|name| admits(name)).cloned().collect()
    }

    /// How many listen to this very name.
    pub fn listeners(&self, kind: Kind, name: &[u8]) -> usize {
        self.registry.lock().listeners(kind, name)
    }

    fn note_sizes(&self, registry: &Registry) {
        for kind in Kind::ALL {
            self.names[kind.index()].store(registry.names(kind).len(), Relaxed);
        }
    }
}

fn count(client: &Client, kinds: &[Kind]) -> usize {
    let counts = kinds.iter().map(|kind| &client.subscriptions[kind.index()]);
    counts.map(|count| count.load(Relaxed)).sum()
}

fn confirm(reply: &mut Reply, word: &str, name: Option<&[u8]>, count: usize) {
    reply.push(3);
    reply.bulk(word.as_bytes());
    match name {
        Some(name) => reply.bulk(name),
        None => reply.null(),
    }
    reply.len(count);
}
