//! The register of connected clients: what CLIENT LIST shows and CLIENT KILL asks
//! for.
//!
//! Each connection shares one [`Client`] record with its session. What changes
//! often is an atomic that only the holder of the session stores; names change
//! rarely and stand behind a lock. The register itself is locked when a client
//! comes or goes and when somebody lists it, never per command. Nobody but the
//! reactor touches sockets: a kill is a flag and a wake-up.

pub mod pause;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicU8, AtomicU16, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use parking_lot::Mutex;

use crate::base::clock::Millis;
use crate::base::wait::{Phase, Wait};
use pause::Pause;

pub mod inbox;
pub mod monitor;
pub mod track;

pub use inbox::{Inbox, Letter, Post};
use monitor::Monitors;
pub use track::{SharedFlags, TrackFlags};

/// Texts that a client tells about itself.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub name: Vec<u8>,
    pub lib_name: Vec<u8>,
    pub lib_version: Vec<u8>,
}

/// One connection as others see it.
#[derive(Debug)]
pub struct Client {
    pub id: u64,
    /// Peer and own address, as Redis prints them.
    pub address: Box<str>,
    pub local_address: Box<str>,
    pub fd: i32,
    /// Whether it came over a Unix socket.
    pub unix: bool,
    pub created: Millis,
    /// When it last sent a command.
    pub last_active: AtomicI64,
    pub db: AtomicU8,
    pub resp: AtomicU8,
    /// The command it ran last: an index into the table of commands, or
    /// [`NO_COMMAND`].
    pub last_command: AtomicU16,
    pub no_evict: AtomicBool,
    /// Its commands leave the times of use of keys as they are (CLIENT NO-TOUCH).
    pub no_touch: AtomicBool,
    /// Its wait for data, while it is blocked.
    pub wait: Mutex<Option<Arc<Wait>>>,
    /// Where the reactor finds it; see [`Clients::ring`].
    pub token: AtomicU64,
    /// Commands queued in its transaction, -1 without one.
    pub queued: AtomicI32,
    /// The reactor shall end it.
    pub killed: AtomicBool,
    /// Bytes of input waiting and of memory for input, the same of output, and its parts.
    pub input_len: AtomicUsize,
    /// Of a command that has not fully arrived, bytes of the arguments that have.
    pub input_args: AtomicUsize,
    pub input_room: AtomicUsize,
    pub output_len: AtomicUsize,
    pub output_room: AtomicUsize,
    pub output_parts: AtomicUsize,
    /// Bytes of the commands queued in its transaction, and of the keys it watches.
    pub queue_room: AtomicUsize,
    pub watch_room: AtomicUsize,
    /// Bytes of the names it listens to and of the prefixes it tracks; changed under the
    /// locks of their registries.
    pub names_room: AtomicUsize,
    /// Its part of [`Clients::uncounted_bytes`]; stored by the holder of the session.
    buffer_bytes: AtomicUsize,
    /// Bytes received and sent since it connected.
    pub received: AtomicU64,
    pub sent: AtomicU64,
    /// Boxed, as most clients tell nothing.
    names: Mutex<Option<Box<Names>>>,
    /// Subscriptions to channels, patterns and shard channels; changed under the lock
    /// of their registry.
    pub subscriptions: [AtomicUsize; 3],
    /// How it tracks keys, and which client is told instead; 0 for itself.
    pub track_flags: SharedFlags,
    pub redirect: AtomicU64,
    /// Its connection is closed; stored under the lock of the registry of subscriptions.
    pub gone: AtomicBool,
    /// It is told of every command (MONITOR).
    pub monitors: AtomicBool,
    /// What it is told without having asked.
    pub inbox: Inbox,
}

/// Bytes that a name takes beside its text in the maps which lead from it to its
/// listener and back, about.
const NAME_COST: usize = 128;

/// Bytes that a channel, pattern or prefix takes for one who listens to it. Its text may be
/// shared, but counts for each: anyone may be the last.
pub fn name_bytes(name: &[u8]) -> usize {
    name.len() + NAME_COST
}

/// No command has run yet.
pub const NO_COMMAND: u16 = u16::MAX;

/// Bytes of buffers that count as data: so that memory in use, which has them too, is
/// what `maxmemory` says while few clients ask for little.
pub const BUFFERS_COUNTED: usize = 64 * 1024;

/// The addresses and times that a fresh client has.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    pub address: String,
    pub local_address: String,
    pub fd: i32,
    pub unix: bool,
    pub now: Millis,
}

impl Client {
    fn new(id: u64, arrival: Arrival) -> Client {
        Client {
            id,
            address: arrival.address.into(),
            local_address: arrival.local_address.into(),
            fd: arrival.fd,
            unix: arrival.unix,
            created: arrival.now,
            last_active: AtomicI64::new(arrival.now),
            db: AtomicU8::new(0),
            resp: AtomicU8::new(2),
            last_command: AtomicU16::new(NO_COMMAND),
            no_evict: AtomicBool::new(false),
            no_touch: AtomicBool::new(false),
            wait: Mutex::default(),
            token: AtomicU64::new(0),
            queued: AtomicI32::new(-1),
            killed: AtomicBool::new(false),
            input_len: AtomicUsize::new(0),
            input_args: AtomicUsize::new(0),
            input_room: AtomicUsize::new(0),
            output_len: AtomicUsize::new(0),
            output_room: AtomicUsize::new(0),
            output_parts: AtomicUsize::new(0),
            queue_room: AtomicUsize::new(0),
            watch_room: AtomicUsize::new(0),
            names_room: AtomicUsize::new(0),
            buffer_bytes: AtomicUsize::new(0),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            names: Mutex::default(),
            subscriptions: Default::default(),
            track_flags: SharedFlags::default(),
            redirect: AtomicU64::new(0),
            gone: AtomicBool::new(false),
            monitors: AtomicBool::new(false),
            inbox: Inbox::default(),
        }
    }

    /// What it has told about itself.
    pub fn names(&self) -> Names {
        self.names.lock().as_deref().cloned().unwrap_or_default()
    }

    /// Changes what it has told about itself.
    pub fn rename(&self, change: impl FnOnce(&mut Names)) {
        change(self.names.lock().get_or_insert_default());
    }

    /// Whether it is subscribed to anything.
    pub fn is_subscriber(&self) -> bool {
        (self.subscriptions.iter()).any(|count| count.load(Relaxed) > 0)
    }

    /// Whether it is there to be told, and need not say anything.
    pub fn only_listens(&self) -> bool {
        self.is_subscriber() || self.monitors.load(Relaxed)
    }

    /// Where what it tracks is told: the id of a client, 0 for itself, -1 for nowhere.
    pub fn redirection(&self) -> i64 {
        match self.track_flags.load().has(TrackFlags::ON) {
            true => self.redirect.load(Relaxed) as i64,
            false => -1,
        }
    }

    /// Memory that it takes with its buffers and all that is kept for it, in bytes.
    pub fn mem_bytes(&self) -> usize {
        let rooms = [
            &self.input_room,
            &self.output_room,
            &self.queue_room,
            &self.watch_room,
            &self.names_room,
        ];
        let held: usize = rooms.iter().map(|room| room.load(Relaxed)).sum();
        size_of::<Client>() + held
    }

    /// Whether it comes from this machine: what `local` admits in
    /// `enable-debug-command` and its like.
    pub fn is_local(&self) -> bool {
        let host = self.address.rsplit_once(':').map_or("", |(host, _)| host);
        self.unix || matches!(host, "127.0.0.1" | "[::1]")
    }
}

/// All connected clients by id.
#[derive(Default)]
pub struct Clients {
    /// Brings messages to clients.
    pub post: Post,
    by_id: Mutex<BTreeMap<u64, Arc<Client>>>,
    next_id: AtomicU64,
    kills: AtomicBool,
    count: AtomicUsize,
    /// CLIENT PAUSE.
    pub pause: Pause,
    /// Who is told of commands.
    pub monitors: Monitors,
    blocked: AtomicUsize,
    /// Bytes of all clients' buffers, and of those that wait for a client.
    buffer_bytes: AtomicUsize,
    spare_bytes: AtomicUsize,
    /// Tokens of clients whose wait has ended.
    rung: Mutex<Vec<u64>>,
    has_rung: AtomicBool,
}

impl Clients {
    /// Registers a new client. Ids rise and are never used twice.
    pub fn register(&self, arrival: Arrival) -> Arc<Client> {
        let id = self.next_id.fetch_add(1, Relaxed) + 1;
        let client = Arc::new(Client::new(id, arrival));
        self.by_id.lock().insert(id, Arc::clone(&client));
        self.count.fetch_add(1, Relaxed);
        client
    }

    /// A client without a connection, for tests and for replaying.
    pub fn detached() -> Arc<Client> {
        Arc::new(Client::new(0, Arrival::default()))
    }

    /// Forgets a client that has gone.
    pub fn remove(&self, id: u64) {
        let removed = self.by_id.lock().remove(&id);
        if let Some(client) = removed {
            client.inbox.shut();
            self.count.fetch_sub(1, Relaxed);
        }
    }

    /// How many are connected.
    pub fn count(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Notes how many bytes the buffers of a client take now; 0 when it has gone. Only the
    /// holder of its session calls this.
    pub fn note_buffers(&self, client: &Client, bytes: usize) {
        let before = client.buffer_bytes.load(Relaxed);
        if bytes != before {
            client.buffer_bytes.store(bytes, Relaxed);
            // Wraps on its way to what it was.
            self.buffer_bytes
                .fetch_add(bytes.wrapping_sub(before), Relaxed);
        }
    }

    /// Notes how many bytes wait in buffers for a client that needs one.
    pub fn note_spare(&self, bytes: usize) {
        self.spare_bytes.store(bytes, Relaxed);
    }

    /// Bytes of buffers that `maxmemory` does not count. [`BUFFERS_COUNTED`] it does.
    pub fn uncounted_bytes(&self) -> usize {
        let all = self.buffer_bytes.load(Relaxed) + self.spare_bytes.load(Relaxed);
        all.saturating_sub(BUFFERS_COUNTED) + inbox::mail_bytes()
    }

    /// All clients, oldest first.
    pub fn all(&self) -> Vec<Arc<Client>> {
        self.by_id.lock().values().cloned().collect()
    }

    /// The client with this id.
    pub fn get(&self, id: u64) -> Option<Arc<Client>> {
        self.by_id.lock().get(&id).cloned()
    }

    /// Notes that a client is blocked, or is so no more.
    pub fn set_wait(&self, client: &Client, wait: Option<Arc<Wait>>) {
        let mut current = client.wait.lock();
        match (current.is_some(), wait.is_some()) {
            (false, true) => self.blocked.fetch_add(1, Relaxed),
            (true, false) => self.blocked.fetch_sub(1, Relaxed),
            _ => 0,
        };
        *current = wait;
    }

    /// How many are blocked.
    pub fn blocked(&self) -> usize {
        self.blocked.load(Relaxed)
    }

    /// Ends a client's wait in this way, if it is blocked; whether it was. The caller
    /// wakes the reactor.
    pub fn unblock(&self, client: &Client, how: Phase) -> bool {
        let ended = (client.wait.lock().as_ref()).is_some_and(|wait| wait.end(how));
        if ended {
            self.ring(client);
        }
        ended
    }

    /// Tells the reactor that the wait of a client has ended; the caller wakes it.
    pub fn ring(&self, client: &Client) {
        self.rung.lock().push(client.token.load(Relaxed));
        self.has_rung.store(true, Release);
    }

    /// The tokens of clients whose wait has ended since the last call.
    pub fn take_rung(&self) -> Vec<u64> {
        if self.has_rung.load(Relaxed) && self.has_rung.swap(false, Acquire) {
            std::mem::take(&mut *self.rung.lock())
        } else {
            Vec::new()
        }
    }

    /// Asks the reactor to end a client; the caller wakes it.
    pub fn kill(&self, client: &Client) {
        client.killed.store(true, Relaxed);
        self.kills.store(true, Release);
    }

    /// Whether somebody was killed since the last call.
    pub fn take_kills(&self) -> bool {
        self.kills.load(Relaxed) && self.kills.swap(false, Acquire)
    }
}
