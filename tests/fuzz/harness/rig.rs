//! A server without sockets: the executor of a worker, one connection, a disk in memory.

use std::io;
use std::sync::{Arc, OnceLock};

use flashkv::base::clock::{self, Millis};
use flashkv::base::hash::KeyHasher;
use flashkv::base::rng::Rng;
use flashkv::clients::Clients;
use flashkv::command::{Command, Flags, MemoryUse, Services, Table};
use flashkv::config::{Config, Id};
use flashkv::control::Nobody;
use flashkv::exec::batch::Nowhere;
use flashkv::exec::reaper::Reaper;
use flashkv::exec::replay::Replay;
use flashkv::exec::{Batch, ConnId, Executor, Lane};
use flashkv::persist::aof::load::Target;
use flashkv::persist::service::Persistence;
use flashkv::store::journal::Silent;
use flashkv::store::{Keyspace, Locks, Patience};

use super::LIMITS;
use super::disk::MemDisk;

/// Settings under which some elements make a large value. Every other input has the
/// usual ones, by its length.
const NARROW: &[(Id, &str)] = &[
    (Id::LIST_MAX_LISTPACK_SIZE, "4"),
    (Id::HASH_MAX_LISTPACK_ENTRIES, "4"),
    (Id::HASH_MAX_LISTPACK_VALUE, "16"),
    (Id::SET_MAX_INTSET_ENTRIES, "4"),
    (Id::SET_MAX_LISTPACK_ENTRIES, "4"),
    (Id::SET_MAX_LISTPACK_VALUE, "16"),
    (Id::ZSET_MAX_LISTPACK_ENTRIES, "4"),
    (Id::ZSET_MAX_LISTPACK_VALUE, "16"),
    (Id::STREAM_NODE_MAX_ENTRIES, "4"),
];
/// Settings of all rigs. Strings are short, or few bytes of commands could make long ones;
/// what is saved has all that is kept.
const ALWAYS: &[(Id, &str)] = &[
    (Id::PROTO_MAX_BULK_LEN, "1mb"),
    (Id::RDBCHECKSUM, "no"),
    (Id::RDB_TARGET, "valkey-9"),
    (Id::ENABLE_DEBUG_COMMAND, "yes"),
];
/// See the head of this file.
pub struct Rig {
    pub services: Arc<Services>,
    pub disk: MemDisk,
    pub now: Millis,
    /// Chooses the settings.
    pub size: usize,
    executor: Executor,
    batch: [Box<Batch>; 1],
}

/// One for the whole process.
fn reaper() -> Reaper {
    static REAPER: OnceLock<std::sync::Mutex<Reaper>> = OnceLock::new();
    let reaper = REAPER.get_or_init(|| {
        let (reaper, _) = Reaper::start().expect("a thread for the reaper");
        std::sync::Mutex::new(reaper)
    });
    reaper.lock().expect("nobody panics here").clone()
}

fn executor(services: &Arc<Services>) -> Executor {
    let services = Arc::clone(services);
    Executor::new(
        services,
        Arc::new(Silent),
        reaper(),
        Rng::seeded(1),
        Lane::Pool,
    )
}

impl Rig {
    /// An empty server over `disk`, with the settings for inputs of `size` bytes.
    pub fn new(disk: &MemDisk, size: usize) -> Rig {
        let config = Config::new();
        let narrow = if size.is_multiple_of(2) { NARROW } else { &[] };
        for (id, text) in ALWAYS.iter().chain(narrow) {
            config.set(*id, text.as_bytes()).expect("a good setting");
        }
        let config = Arc::new(config);
        let (now, keyspace) = (clock::now(), Arc::new(Keyspace::new(KeyHasher::seeded(1))));
        let mut services =
            Services::new(Arc::clone(&config), Arc::new(Nobody), 1, MemoryUse::default);
        let on_disk = Arc::new(disk.clone());
        let persist = Persistence::new(config, Arc::clone(&keyspace), on_disk, || 0, now);
        services.persist = Arc::new(persist);
        services.keyspace = keyspace;
        let services = Arc::new(services);
        let id = ConnId {
            slot: 0,
            generation: 0,
        };
        let batch = Batch::new(id, Clients::detached(), true, Arc::new(Nowhere));
        Rig {
            executor: executor(&services),
            services,
            disk: disk.clone(),
            now,
            size,
            batch: [Box::new(batch)],
        }
    }

    /// Another server over the same disk.
    pub fn again(&self) -> Rig {
        Rig {
            now: self.now,
            ..Rig::new(&self.disk, self.size)
        }
    }

    /// Runs a command; its reply.
    pub fn run(&mut self, words: &[&[u8]]) -> Vec<u8> {
        let [batch] = &mut self.batch;
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend(format!("${}\r\n", word.len()).into_bytes());
            bytes.extend(*word);
            bytes.extend(b"\r\n");
        }
        batch.requests.feed(&bytes);
        batch.requests.parse(LIMITS).expect("a good request");
        self.executor.turn(&mut self.batch, self.now);
        let [batch] = &mut self.batch;
        assert!(batch.halt.is_none() && batch.waiting() == 0, "{words:?}");
        std::mem::take(&mut batch.reply).into_bytes().to_vec()
    }

    /// Loads the snapshot on its disk.
    pub fn load_snapshot(&self) -> Result<(), String> {
        self.services.persist.load_at_start()
    }

    /// Saves a snapshot to its disk.
    pub fn save(&self) {
        let mut locks = Locks::new(&self.services.keyspace, Patience::Wait);
        let saved = self.services.persist.save(&mut locks, self.now, 0);
        saved.expect("a disk on which everything works");
    }

    /// Runs what a log has: `load` feeds it.
    pub fn replay(
        &mut self,
        load: impl FnOnce(&mut dyn Target) -> Result<(), String>,
    ) -> Result<(), String> {
        let persist = Arc::clone(&self.services.persist);
        let snapshot = |input: Box<dyn io::Read + Send>, size| persist.load_base(input, size);
        let replay = Replay::new(executor(&self.services), &snapshot, &|_| {}, self.now);
        load(&mut Data { replay })
    }
}

/// Lets only commands through that are about data: no log has others, and what some of
/// them do, such as sleeping, is no fault of the loader.
struct Data<'a> {
    replay: Replay<'a>,
}

impl Target for Data<'_> {
    fn snapshot(&mut self, input: Box<dyn io::Read + Send>, size: u64) -> Result<u64, String> {
        self.replay.snapshot(input, size)
    }

    fn command(&mut self, raw: &[u8], name: &[u8]) -> Result<(), String> {
        const AROUND: [&[u8]; 3] = [b"select", b"multi", b"exec"];
        let writes = |command: &Command| command.spec.flags.has(Flags::WRITE);
        let is_about_data = |command: &Command| {
            writes(command)
                || command.subcommands.iter().any(writes)
                || AROUND.contains(&command.full_name.as_bytes())
        };
        match Table::get().find(name) {
            Some(command) if !is_about_data(command) => Ok(()),
            _ => self.replay.command(raw, name),
        }
    }

    fn settle(&mut self) -> Result<(), String> {
        self.replay.settle()
    }

    fn abandon(&mut self) {
        self.replay.abandon();
    }

    fn progress(&mut self, bytes: u64) {
        self.replay.progress(bytes);
    }
}
