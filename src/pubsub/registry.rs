//! Who listens to what: each name with its listeners, each listener with its names.
//!
//! Both directions are kept, so that publishing costs by the listeners of a channel and
//! the patterns there are, and leaving by what the one who leaves had.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::{Kind, Message};
use crate::base::glob;
use crate::clients::{Client, Post, name_bytes};

/// The listeners of one name by client id.
type Listeners = BTreeMap<u64, Arc<Client>>;
/// The names of one kind that somebody listens to.
type Names = HashMap<Arc<[u8]>, Listeners>;

/// See the head of this file.
#[derive(Default)]
pub struct Registry {
    names: [Names; 3],
    /// What each client listens to, by its id and kind.
    own: HashMap<u64, [BTreeSet<Arc<[u8]>>; 3]>,
}

impl Registry {
    /// Has a client listen to a name. Nothing happens if it does already, or has gone.
    pub fn add(&mut self, client: &Arc<Client>, kind: Kind, name: &[u8]) {
        if client.gone.load(Relaxed) {
            return;
        }
        let own = &mut self.own.entry(client.id).or_default()[kind.index()];
        if own.contains(name) {
            return;
        }
        let names = &mut self.names[kind.index()];
        let name = match names.get_key_value(name) {
            Some((shared, _)) => Arc::clone(shared),
            None => Arc::from(name),
        };
        own.insert(Arc::clone(&name));
        client.names_room.fetch_add(name_bytes(&name), Relaxed);
        client.subscriptions[kind.index()].store(own.len(), Relaxed);
        let listeners = names.entry(name).or_default();
        listeners.insert(client.id, Arc::clone(client));
    }

    /// Has a client not listen to a name any more.
    pub fn remove(&mut self, client: &Client, kind: Kind, name: &[u8]) {
        let Some(all) = self.own.get_mut(&client.id) else {
            return;
        };
        let own = &mut all[kind.index()];
        if !own.remove(name) {
            return;
        }
        client.names_room.fetch_sub(name_bytes(name), Relaxed);
        client.subscriptions[kind.index()].store(own.len(), Relaxed);
        if all.iter().all(BTreeSet::is_empty) {
            self.own.remove(&client.id);
        }
        self.strike(client.id, kind, name);
    }

    /// Has a client listen to nothing any more.
    pub fn remove_all(&mut self, client: &Client) {
        let Some(own) = self.own.remove(&client.id) else {
            return;
        };
        for (kind, names) in Kind::ALL.into_iter().zip(own) {
            client.subscriptions[kind.index()].store(0, Relaxed);
            let bytes: usize = names.iter().map(|name| name_bytes(name)).sum();
            client.names_room.fetch_sub(bytes, Relaxed);
            names
                .iter()
                .for_each(|name| self.strike(client.id, kind, name));
        }
    }

    /// Takes a client off the listeners of a name; a name without any is forgotten.
    fn strike(&mut self, id: u64, kind: Kind, name: &[u8]) {
        let names = &mut self.names[kind.index()];
        if let Some(listeners) = names.get_mut(name) {
            listeners.remove(&id);
            if listeners.is_empty() {
                names.remove(name);
            }
        }
    }

    /// What a client listens to.
    pub fn names_of(&self, client: &Client, kind: Kind) -> Vec<Arc<[u8]>> {
        let own = self.own.get(&client.id);
        own.map_or_else(Vec::new, |own| own[kind.index()].iter().cloned().collect())
    }

    /// The names that somebody listens to.
    pub fn names(&self, kind: Kind) -> impl ExactSizeIterator<Item = &Arc<[u8]>> {
        self.names[kind.index()].keys()
    }

    /// How many listen to this very name.
    pub fn listeners(&self, kind: Kind, name: &[u8]) -> usize {
        self.names[kind.index()].get(name).map_or(0, Listeners::len)
    }

    /// Sends to the listeners of a channel, then to those of each matching pattern; how
    /// many that are.
    pub fn publish(&self, post: &Post, channel: &[u8], text: &[u8]) -> usize {
        let mut sent = self.send(post, Kind::Channel, channel, &[b"message", channel, text]);
        for pattern in self.names(Kind::Pattern) {
            if glob::matches(pattern, channel) {
                let words = [b"pmessage", &**pattern, channel, text];
                sent += self.send(post, Kind::Pattern, pattern, &words);
            }
        }
        sent
    }

    /// Sends to the listeners of a shard channel; how many that are.
    pub fn publish_shard(&self, post: &Post, channel: &[u8], text: &[u8]) -> usize {
        self.send(post, Kind::Shard, channel, &[b"smessage", channel, text])
    }

    fn send(&self, post: &Post, kind: Kind, name: &[u8], words: &[&[u8]]) -> usize {
        let Some(listeners) = self.names[kind.index()].get(name) else {
            return 0;
        };
        let mut message = Message::new(words);
        for client in listeners.values() {
            post.send(client, &mut message);
        }
        listeners.len()
    }
}
