//! Client-side caching: who has read which key, and who is told that it has changed.
//!
//! Two modes. A client that tracks what it reads is noted with each key of its reading
//! commands, and told once of the next change of that key; then the key is forgotten.
//! A client that broadcasts (BCAST) is told of every change of keys with its prefixes, and
//! nothing is noted of what it reads.
//!
//! Reads are noted and changes told while the key's shard is locked. So a change that
//! comes after a read finds it noted, and its message lies in the inbox, which is sent
//! behind the reply that held the old value.
//!
//! A message goes to the client itself, or to the one it has named (REDIRECT). In RESP2
//! there are no pushes: there only a redirection to a subscriber works, whose messages
//! come from the channel `__redis__:invalidate`.
//!
//! Must stay true: the table has at most `tracking-table-max-keys` keys for longer than
//! a turn of the cron. What is dropped to keep that is told as if it had changed. The
//! table's lock is taken under those of shards; only the register of clients and inboxes are locked
//! under it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::{Mutex, MutexGuard};

use super::message::Message;
use crate::clients::{Client, Clients, TrackFlags, name_bytes};
use crate::resp::Reply;

/// Keys dropped at once to get back to the bound: some 100 us of work.
const DROPS_MAX: usize = 1000;

/// What a client wants of CLIENT TRACKING ON.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    pub flags: TrackFlags,
    /// The client that is told instead; 0 for none.
    pub redirect: u64,
    pub prefixes: Vec<&'a [u8]>,
}

/// See the head of this file.
#[derive(Default)]
pub struct Tracking {
    table: Mutex<Table>,
    /// Clients that track; read without the lock.
    trackers: AtomicUsize,
}

#[derive(Default)]
struct Table {
    trackers: HashMap<u64, Tracker>,
    keys: HashMap<Arc<[u8]>, Readers>,
    /// The keys once more, so that one can be drawn at random.
    order: Vec<Arc<[u8]>>,
    /// Readers of all keys together.
    items: usize,
    prefixes: BTreeMap<Box<[u8]>, Prefix>,
}

struct Tracker {
    client: Arc<Client>,
    prefixes: BTreeSet<Box<[u8]>>,
}

struct Readers {
    ids: BTreeSet<u64>,
    /// Where the key stands in `order`.
    at: usize,
}

#[derive(Default)]
struct Prefix {
    listeners: BTreeSet<u64>,
    /// Keys that have changed since the last broadcast, and who did it last.
    changed: BTreeMap<Box<[u8]>, u64>,
}

/// How much is tracked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    pub clients: usize,
    pub keys: usize,
    pub items: usize,
    pub prefixes: usize,
}

/// Two prefixes of one client of which one begins with the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    pub given: Vec<u8>,
    pub other: Vec<u8>,
    /// Whether the other is one the client has already.
    pub existing: bool,
}

impl Tracking {
    /// Whether any client tracks.
    #[inline]
    pub fn is_active(&self) -> bool {
        self.trackers.load(Relaxed) > 0
    }

    /// Has a client track, or track otherwise than before; prefixes add up.
    ///
    /// # Errors
    /// When prefixes overlap; nothing changes then.
    pub fn enable(&self, client: &Arc<Client>, options: &Options<'_>) -> Result<(), Overlap> {
        let mut table = self.table.lock();
        let broadcasts = options.flags.has(TrackFlags::BCAST);
        if broadcasts {
            table.check_prefixes(client.id, &options.prefixes)?;
        }
        if client.gone.load(Relaxed) {
            return Ok(());
        }
        let tracker = Tracker {
            client: Arc::clone(client),
            prefixes: BTreeSet::new(),
        };
        table.trackers.entry(client.id).or_insert(tracker);
        client.track_flags.store(options.flags);
        client.redirect.store(options.redirect, Relaxed);
        if broadcasts && options.prefixes.is_empty() {
            table.add_prefix(client.id, b"");
        } else if broadcasts {
            (options.prefixes.iter()).for_each(|prefix| table.add_prefix(client.id, prefix));
        }
        self.trackers.store(table.trackers.len(), Relaxed);
        Ok(())
    }

    /// Has a client track no more. The keys it is noted with are forgotten as they
    /// change.
    pub fn disable(&self, client: &Client) {
        if client.track_flags.load().has(TrackFlags::ON) {
            self.forget(client);
        }
    }

    /// As [`Tracking::disable`], for a client that has gone, whoever still holds its
    /// session and may enable it now.
    pub fn forget(&self, client: &Client) {
        let mut table = self.table.lock();
        client.track_flags.store(TrackFlags::NONE);
        let Some(tracker) = table.trackers.remove(&client.id) else {
            return;
        };
        for prefix in tracker.prefixes {
            client.names_room.fetch_sub(name_bytes(&prefix), Relaxed);
            if let Some(entry) = table.prefixes.get_mut(&prefix) {
                entry.listeners.remove(&client.id);
                if entry.listeners.is_empty() {
                    table.prefixes.remove(&prefix);
                }
            }
        }
        table.drop_unwanted();
        self.trackers.store(table.trackers.len(), Relaxed);
    }

    /// The prefixes of a client that broadcasts, in order.
    pub fn prefixes(&self, client: &Client) -> Vec<Box<[u8]>> {
        let table = self.table.lock();
        let tracker = table.trackers.get(&client.id);
        tracker.map_or_else(Vec::new, |one| one.prefixes.iter().cloned().collect())
    }

    /// Drops keys until there are no more than `max`, or so many as one call may.
    pub fn trim(&self, clients: &Clients, max: usize) {
        self.table.lock().trim(clients, max);
    }

    /// Takes the table to tell reads and changes to, with the shards of their keys
    /// locked. No more than `max` keys are kept, or without end if that is 0.
    pub fn begin<'t>(&'t self, clients: &'t Clients, max: usize) -> Changes<'t> {
        Changes {
            table: self.table.lock(),
            clients,
            max,
            broadcasts: false,
        }
    }

    /// How much is tracked.
    pub fn sizes(&self) -> Sizes {
        let table = self.table.lock();
        Sizes {
            clients: table.trackers.len(),
            keys: table.keys.len(),
            items: table.items,
            prefixes: table.prefixes.len(),
        }
    }
}

/// Reads and changes that are told together, in order: the broadcasts of all of them
/// are one message.
pub struct Changes<'t> {
    table: MutexGuard<'t, Table>,
    clients: &'t Clients,
    max: usize,
    broadcasts: bool,
}

impl Changes<'_> {
    /// Notes that a client has read a key.
    pub fn read(&mut self, client: u64, key: &[u8]) {
        self.table.note_read(client, key);
    }

    /// Tells that `by` has changed a key; 0 for nobody.
    pub fn key(&mut self, key: &[u8], by: u64) {
        self.broadcasts |= self.table.note_change(key, by);
        self.table.tell_readers(self.clients, key, by);
    }

    /// Tells that all keys may have changed.
    pub fn all(&mut self) {
        self.table.tell_all(self.clients);
    }
}

impl Drop for Changes<'_> {
    fn drop(&mut self) {
        if self.broadcasts {
            self.table.broadcast(self.clients);
        }
        self.table.trim(self.clients, self.max);
    }
}

impl Table {
    fn check_prefixes(&self, id: u64, given: &[&[u8]]) -> Result<(), Overlap> {
        let meet = |a: &[u8], b: &[u8]| a.starts_with(b) || b.starts_with(a);
        let own = self.trackers.get(&id).map(|tracker| &tracker.prefixes);
        for (i, prefix) in given.iter().enumerate() {
            let old = own.and_then(|own| own.iter().find(|other| meet(prefix, other)));
            let new = given[i + 1..].iter().find(|other| meet(prefix, other));
            let other = old.map(|old| &**old).or(new.copied());
            if let Some(other) = other {
                return Err(Overlap {
                    given: prefix.to_vec(),
                    other: other.to_vec(),
                    existing: old.is_some(),
                });
            }
        }
        Ok(())
    }

    fn add_prefix(&mut self, id: u64, prefix: &[u8]) {
        let entry = self.prefixes.entry(prefix.into()).or_default();
        entry.listeners.insert(id);
        if let Some(tracker) = self.trackers.get_mut(&id)
            && tracker.prefixes.insert(prefix.into())
        {
            tracker
                .client
                .names_room
                .fetch_add(name_bytes(prefix), Relaxed);
        }
    }

    fn note_read(&mut self, id: u64, key: &[u8]) {
        if let Some(readers) = self.keys.get_mut(key) {
            self.items += usize::from(readers.ids.insert(id));
            return;
        }
        let key: Arc<[u8]> = key.into();
        let readers = Readers {
            ids: BTreeSet::from([id]),
            at: self.order.len(),
        };
        self.order.push(Arc::clone(&key));
        self.keys.insert(key, readers);
        self.items += 1;
    }

    /// Takes a key out; who has read it.
    fn forget(&mut self, key: &[u8]) -> Option<BTreeSet<u64>> {
        let Readers { ids, at } = self.keys.remove(key)?;
        self.items -= ids.len();
        self.order.swap_remove(at);
        if let Some(moved) = self.order.get(at)
            && let Some(readers) = self.keys.get_mut(moved)
        {
            readers.at = at;
        }
        Some(ids)
    }

    /// Drops keys if nobody tracks any more, so many as one call may.
    fn drop_unwanted(&mut self) {
        if self.trackers.is_empty() {
            for _ in 0..self.order.len().min(DROPS_MAX) {
                let key = Arc::clone(&self.order[self.order.len() - 1]);
                self.forget(&key);
            }
        }
    }

    fn trim(&mut self, clients: &Clients, max: usize) {
        self.drop_unwanted();
        if max == 0 {
            return;
        }
        for _ in 0..self.order.len().saturating_sub(max).min(DROPS_MAX) {
            let any = fastrand::usize(..self.order.len());
            let key = Arc::clone(&self.order[any]);
            self.tell_readers(clients, &key, 0);
        }
    }

    /// Tells those who have read `key`, which is forgotten.
    fn tell_readers(&mut self, clients: &Clients, key: &[u8], by: u64) {
        for id in self.forget(key).unwrap_or_default() {
            let Some(tracker) = self.trackers.get(&id) else {
                continue;
            };
            let flags = tracker.client.track_flags.load();
            let own = id == by && flags.has(TrackFlags::NOLOOP);
            if !own && !flags.has(TrackFlags::BCAST) {
                send(clients, &tracker.client, &|reply| {
                    reply.array(1);
                    reply.bulk(key);
                });
            }
        }
    }

    fn tell_all(&mut self, clients: &Clients) {
        for tracker in self.trackers.values() {
            send(clients, &tracker.client, &Reply::null);
        }
        (self.keys, self.order, self.items) = (HashMap::new(), Vec::new(), 0);
    }

    /// Notes a change for those who broadcast; whether there is any with such a prefix.
    fn note_change(&mut self, key: &[u8], by: u64) -> bool {
        let mut noted = false;
        for (prefix, entry) in &mut self.prefixes {
            if key.starts_with(prefix) {
                entry.changed.insert(key.into(), by);
                noted = true;
            }
        }
        noted
    }

    fn broadcast(&mut self, clients: &Clients) {
        for entry in self.prefixes.values_mut() {
            let changed = std::mem::take(&mut entry.changed);
            for id in &entry.listeners {
                let Some(tracker) = self.trackers.get(id) else {
                    continue;
                };
                let own = tracker.client.track_flags.load().has(TrackFlags::NOLOOP);
                let told = || (changed.iter()).filter(|(_, by)| !own || *by != id);
                let count = told().count();
                if count > 0 {
                    send(clients, &tracker.client, &|reply| {
                        reply.array(count);
                        told().for_each(|(key, _)| reply.bulk(key));
                    });
                }
            }
        }
    }
}

/// Tells a client, or the one it has named, that what `keys` writes has changed.
fn send(clients: &Clients, client: &Client, keys: &dyn Fn(&mut Reply)) {
    const PUSH: &[&[u8]] = &[b"invalidate"];
    const MESSAGE: &[&[u8]] = &[b"message", b"__redis__:invalidate"];
    let redirect = client.redirect.load(Relaxed);
    if redirect == 0 {
        let mut message = Message::by_version(None, PUSH, keys);
        return clients.post.send(client, &mut message);
    }
    match clients.get(redirect) {
        Some(other) => {
            let resp2 = other.is_subscriber().then_some(MESSAGE);
            let mut message = Message::by_version(resp2, PUSH, keys);
            clients.post.send(&other, &mut message);
        }
        None => {
            client.track_flags.add(TrackFlags::BROKEN_REDIRECT);
            let id = |reply: &mut Reply| reply.int(redirect as i64);
            let mut message = Message::by_version(None, &[b"tracking-redir-broken"], &id);
            clients.post.send(client, &mut message);
        }
    }
}
