//! What a connection is to its commands. It moves into the batch and comes back
//! with it: whoever holds the session is the only one who can change it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::spec::Flags;
use super::table::Command;
use crate::base::hash::KeyHasher;
use crate::clients::{Client, TrackFlags};
use crate::resp::{Argv, Saved};
use crate::store::Footprint;
use crate::store::watch::Watch;

/// CLIENT REPLY's setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplyMode {
    #[default]
    On,
    Off,
    /// The next reply is dropped; `Skip` becomes `SkipNow` with the next command.
    SkipNext,
    SkipNow,
}

impl ReplyMode {
    /// What it becomes when a command has been passed over in silence.
    pub fn after_command(self) -> ReplyMode {
        match self {
            ReplyMode::Off => ReplyMode::Off,
            // CLIENT REPLY SKIP itself: the next one is it.
            ReplyMode::SkipNext => ReplyMode::SkipNow,
            ReplyMode::On | ReplyMode::SkipNow => ReplyMode::On,
        }
    }
}

/// A transaction that is being queued: from MULTI to EXEC or DISCARD.
#[derive(Debug, Default)]
pub struct Txn {
    /// What is queued, command and arguments side by side.
    commands: Vec<&'static Command>,
    requests: Saved,
    /// Hashes of all keys in order, and where each command's end.
    hashes: Vec<u64>,
    hash_ends: Vec<u32>,
    footprint: Footprint,
    /// A command was refused: EXEC will be, and nothing more is kept for it.
    aborted: bool,
    /// One of the commands, kept or not, may need memory.
    grows: bool,
}

/// Commands of a transaction that room is made for when it begins.
const USUAL_COMMANDS: usize = 16;

impl Txn {
    /// How many commands are queued.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether none is queued.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Whether a command has been refused.
    pub fn is_aborted(&self) -> bool {
        self.aborted
    }

    /// Dooms the transaction and forgets what is queued.
    pub fn abort(&mut self) {
        *self = Txn {
            aborted: true,
            grows: self.grows,
            ..Txn::default()
        };
    }

    /// Whether a command that may need memory has been queued, also if it is forgotten.
    pub fn grows(&self) -> bool {
        self.grows
    }

    /// Bytes held, those of each queued request among them.
    pub fn mem_bytes(&self) -> usize {
        self.requests.mem_bytes() + self.hashes.capacity() * size_of::<u64>()
    }

    /// Queues a command. `false` when more than `bytes_max` would be held.
    pub fn queue(
        &mut self,
        command: &'static Command,
        argv: Argv<'_>,
        hasher: &KeyHasher,
        bytes_max: usize,
    ) -> bool {
        if self.aborted {
            return true;
        }
        if self.is_empty() {
            self.make_room();
        }
        let fits = self.mem_bytes() + argv.byte_len() <= bytes_max;
        if !fits || !self.requests.push(argv) {
            return false;
        }
        let footprint = command.footprint(argv, hasher, &mut self.hashes);
        self.footprint.add_all(if command.needs_all_shards(argv) {
            Footprint::ALL_WRITE
        } else {
            footprint
        });
        self.hash_ends.push(self.hashes.len() as u32);
        self.commands.push(command);
        self.grows |= command.spec.flags.has(Flags::DENYOOM);
        true
    }

    /// Room for a transaction of usual size at once; that is some hundred bytes.
    fn make_room(&mut self) {
        self.commands.reserve(USUAL_COMMANDS);
        self.hashes.reserve(USUAL_COMMANDS);
        self.hash_ends.reserve(USUAL_COMMANDS);
        self.requests.reserve(USUAL_COMMANDS);
    }

    /// Command `index` with its arguments and the hashes of its keys.
    pub fn get(&self, index: usize) -> Option<(&'static Command, Argv<'_>, &[u64])> {
        let start = index.checked_sub(1).map_or(0, |last| self.hash_ends[last]);
        let hashes = start as usize..*self.hash_ends.get(index)? as usize;
        let argv = self.requests.get(index)?;
        Some((self.commands[index], argv, &self.hashes[hashes]))
    }

    /// Whether `is_so` of every command that is queued.
    pub fn all(&self, is_so: impl Fn(&'static Command, Argv<'_>) -> bool) -> bool {
        (0..self.len())
            .filter_map(|index| self.get(index))
            .all(|(command, argv, _)| is_so(command, argv))
    }

    /// The hashes of all keys that are queued.
    pub fn hashes(&self) -> &[u64] {
        &self.hashes
    }
}

/// The state of one connection that commands read and change.
#[derive(Debug)]
pub struct Session {
    /// The selected database.
    pub db: usize,
    /// Whether commands beyond AUTH and HELLO are open to it.
    pub authenticated: bool,
    pub reply_mode: ReplyMode,
    /// The command's reply is a push, which comes whatever CLIENT REPLY says.
    pub pushed: bool,
    /// Subscribed, in RESP2: whatever is sent is a message, so few commands make
    /// sense.
    pub only_listens: bool,
    /// It is told of every command, and asks for no data (MONITOR).
    pub monitors: bool,
    /// Tracks what it reads: the keys of reading commands may have to be noted.
    pub tracks_reads: bool,
    /// End the connection once what has been replied is sent.
    pub close: bool,
    /// The transaction that is being queued.
    pub txn: Option<Box<Txn>>,
    /// The keys that are watched.
    pub watch: Watch,
    /// It has changed logged data since `logged_to`.
    pub has_written: bool,
    /// A position in the log that all it had changed stands before.
    pub logged_to: u64,
    /// What others may see of the connection.
    pub client: Arc<Client>,
}

impl Session {
    /// The session of a fresh connection.
    pub fn new(client: Arc<Client>, authenticated: bool) -> Session {
        Session {
            db: 0,
            authenticated,
            reply_mode: ReplyMode::On,
            pushed: false,
            only_listens: false,
            monitors: false,
            tracks_reads: false,
            close: false,
            txn: None,
            watch: Watch::default(),
            has_written: false,
            logged_to: 0,
            client,
        }
    }

    /// What a command needs that ends the transaction: with `runs`, the shards of
    /// what is queued too.
    pub fn txn_footprint(&self, runs: bool) -> Footprint {
        let mut footprint = self.watch.footprint();
        if let Some(txn) = self.txn.as_deref().filter(|_| runs) {
            footprint.add_all(txn.footprint);
        }
        footprint
    }

    /// Tells the register of clients how many commands are queued.
    pub fn publish_txn(&self) {
        let queued = self.txn.as_ref().map_or(-1, |txn| txn.len() as i32);
        self.client.queued.store(queued, Relaxed);
    }

    /// Adapts to a change of what is tracked.
    pub fn note_tracking(&mut self) {
        let flags = self.client.track_flags.load();
        self.tracks_reads = flags.has(TrackFlags::ON) && !flags.has(TrackFlags::BCAST);
    }

    /// Says that what the command replies is a push.
    pub fn note_push(&mut self) {
        self.pushed = self.reply_mode != ReplyMode::On;
    }

    /// Adapts to a change of the subscriptions or of the protocol version.
    pub fn note_subscriptions(&mut self) {
        self.only_listens = self.client.is_subscriber() && self.client.resp.load(Relaxed) == 2;
    }
}
