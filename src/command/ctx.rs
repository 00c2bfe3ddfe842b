//! What a handler holds while it runs.
//!
//! A handler has three beats: arguments through a cursor, one typed call on the
//! store, one reply. It checks nothing that a gate has checked.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::block::Block;
use super::call::Stopwatch;
use super::error::Error;
use super::session::Session;
use super::table::{Command, Table};
use crate::base::clock;
use crate::base::hash::KeyHasher;
use crate::base::heap;
use crate::base::rng::Rng;
use crate::clients::Clients;
use crate::config::{Config, Id};
pub use crate::control::Control;
use crate::ds::hash;
use crate::ds::list::Limit;
use crate::ds::set::Rules;
use crate::ds::stream::NodeLimit;
use crate::ds::zset;
use crate::metrics::{Metrics, Observed, Rates, ThreadMetrics};
use crate::persist::aof::service::Aof;
use crate::persist::disk::RealDisk;
use crate::persist::service::Persistence;
use crate::pubsub::PubSub;
use crate::resp::{Argv, Reply};
use crate::store::usage::Lfu;
use crate::store::{self, Busy, Db, Key, Keyspace};

/// How a handler ends: with a reply written, or by one of these.
pub type Outcome = Result<(), Stop>;

/// Why a handler has not replied.
#[derive(Debug)]
pub enum Stop {
    /// It answers with an error; nothing has changed.
    Error(Error),
    /// It has found nothing and waits.
    Block(Box<Block>),
    /// It is too much work here: run it again, alone, in the pool. Nothing has
    /// changed and nothing was replied.
    Defer,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(error)
    }
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Stop {
        Stop::Error(Error::Store(error))
    }
}

impl From<Busy> for Stop {
    fn from(Busy: Busy) -> Stop {
        Stop::Defer
    }
}

/// Elements or keys that a command may handle on the reactor; about 50 us of work.
pub const LIGHT_COST: usize = 1024;

/// As [`Ctx::afford`], where a part of the context is already borrowed.
#[inline]
pub fn afford(alone: bool, cost: usize) -> Outcome {
    if cost > LIGHT_COST && !alone {
        return Err(Stop::Defer);
    }
    Ok(())
}

/// The parts of the server that commands of the server and connection families
/// look at.
pub struct Services {
    pub config: Arc<Config>,
    pub clients: Clients,
    pub pubsub: PubSub,
    pub metrics: Metrics,
    /// Fed by the reactor's cron.
    pub rates: Rates,
    /// Notable commands, latency events, hot and big keys.
    pub observed: Observed,
    pub commands: &'static Table,
    pub keyspace: Arc<Keyspace>,
    pub persist: Arc<Persistence>,
    pub control: Arc<dyn Control>,
    pub started: Instant,
    /// 40 hexadecimal digits that name this run of the server.
    pub run_id: String,
    /// DEBUG SET-ACTIVE-EXPIRE.
    pub active_expire: AtomicBool,
    /// The TCP port that is really listened on, 0 without one.
    pub port: u16,
    pub workers: usize,
    /// What watches over the process, by the words of the `supervised` directive.
    pub supervised: &'static str,
    /// How much memory is in use.
    pub memory: fn() -> MemoryUse,
    /// The append-only file; set once, at the start.
    pub aof: OnceLock<Arc<Aof>>,
}

impl Services {
    /// The services of an empty server that starts now. The port is the configured
    /// one; `memory` says what the allocator has handed out.
    pub fn new(
        config: Arc<Config>,
        control: Arc<dyn Control>,
        workers: usize,
        memory: fn() -> MemoryUse,
    ) -> Services {
        let commands = Table::get();
        let keyspace = Arc::new(Keyspace::new(KeyHasher::random()));
        let persist = Services::persistence_of(&config, &keyspace);
        let clients = Clients::default();
        let deliverer = Arc::clone(&control);
        (clients.post).call_when_due(Box::new(move || deliverer.wake()));
        let pubsub = PubSub::default();
        (pubsub.events).set_classes(&config.text(Id::NOTIFY_KEYSPACE_EVENTS));
        Services {
            clients,
            pubsub,
            metrics: Metrics::new(commands.len()),
            rates: Rates::default(),
            observed: Observed::default(),
            commands,
            keyspace,
            persist,
            control,
            started: Instant::now(),
            run_id: Rng::random().hex(40),
            active_expire: AtomicBool::new(true),
            port: config.int(Id::PORT) as u16,
            workers,
            supervised: config.choice(Id::SUPERVISED),
            memory,
            aof: OnceLock::new(),
            config,
        }
    }

    /// Changes of the data since the counters were reset.
    pub fn changes(&self) -> i64 {
        self.metrics.totals().dirty.cast_signed()
    }

    /// Ends saving for good, with a last save if that is asked for; whether the server
    /// may end. Waits for the saver and the disk; called without locks.
    pub fn close(&self, save: bool) -> bool {
        if !save {
            self.persist.close();
            return true;
        }
        let result = self.persist.save_for_good(clock::now(), self.changes());
        if result.is_err() {
            log::warn!("Error trying to save the DB, can't exit.");
        }
        result.is_ok()
    }

    /// The persistence of this keyspace on the disk of this machine.
    pub fn persistence_of(config: &Arc<Config>, keyspace: &Arc<Keyspace>) -> Arc<Persistence> {
        Arc::new(Persistence::new(
            Arc::clone(config),
            Arc::clone(keyspace),
            Arc::new(RealDisk),
            heap::in_use,
            clock::now(),
        ))
    }

    /// The append-only file, on or off; `None` in a process without a disk.
    #[inline]
    pub fn aof(&self) -> Option<&Arc<Aof>> {
        self.aof.get()
    }
}

/// How LFU counts.
pub fn lfu_settings(config: &Config) -> Lfu {
    Lfu {
        log_factor: config.size(Id::LFU_LOG_FACTOR) as u32,
        decay_minutes: config.size(Id::LFU_DECAY_TIME) as u32,
    }
}

/// What the allocator says.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryUse {
    /// Bytes in allocations that somebody holds.
    pub used: u64,
    /// The most that was seen.
    pub peak: u64,
    /// When the server was ready.
    pub startup: u64,
    /// The allocator's own view.
    pub heap: heap::Stats,
}

/// One command's view of everything it may use.
pub struct Ctx<'a, 'k> {
    pub db: &'a mut Db<'k>,
    pub session: &'a mut Session,
    pub reply: &'a mut Reply,
    pub services: &'a Services,
    pub metrics: &'a ThreadMetrics,
    pub rng: &'a mut Rng,
    pub command: &'static Command,
    /// Hashes of the keys, in the order of the key specifications.
    pub hashes: &'a [u64],
    /// Whether the command may take its time: it runs in the pool and shares its
    /// locks with no other command.
    pub alone: bool,
    /// Whether the command has waited, and is run again.
    pub resumed: bool,
    pub stopwatch: &'a mut Stopwatch,
}

impl<'s, 'k> Ctx<'s, 'k> {
    /// The only or first key, argument 1, with the hash computed for the footprint.
    #[inline]
    pub fn key<'a>(&self, argv: Argv<'a>) -> Key<'a> {
        Key {
            bytes: argv.get(1),
            hash: self.hashes[0],
        }
    }

    /// The `nth` key of the command, which is argument `position`.
    #[inline]
    pub fn nth_key<'a>(&self, argv: Argv<'a>, nth: usize, position: usize) -> Key<'a> {
        Key {
            bytes: argv.get(position),
            hash: self.hashes[nth],
        }
    }

    /// The view of a command that runs as a part of this one, under the same locks:
    /// nothing is left to the pool any more.
    pub fn inner<'c>(&'c mut self, command: &'static Command, hashes: &'c [u64]) -> Ctx<'c, 'k> {
        self.db.index = self.session.db;
        Ctx {
            db: self.db,
            session: self.session,
            reply: self.reply,
            services: self.services,
            metrics: self.metrics,
            rng: self.rng,
            command,
            hashes,
            alone: true,
            resumed: false,
            stopwatch: self.stopwatch,
        }
    }

    /// Leaves the command to the pool if it is too much work for the reactor;
    /// called before anything has changed.
    #[inline]
    pub fn afford(&self, cost: usize) -> Outcome {
        afford(self.alone, cost)
    }

    /// How many databases clients may select.
    pub fn databases(&self) -> usize {
        (self.services.config).size(Id::DATABASES)
    }

    /// The limits of a list's nodes.
    #[inline]
    pub fn list_limit(&self) -> Limit {
        let configured = self.services.config.int(Id::LIST_MAX_LISTPACK_SIZE);
        Limit::from_config(configured as i32)
    }

    /// The longest sparse HyperLogLog.
    pub fn hll_sparse_max(&self) -> usize {
        self.services.config.size(Id::HLL_SPARSE_MAX_BYTES)
    }

    /// Up to where a hash is kept packed.
    #[inline]
    pub fn hash_limit(&self) -> hash::Limit {
        hash::Limit {
            entries: self.services.config.size(Id::HASH_MAX_LISTPACK_ENTRIES),
            value: self.services.config.size(Id::HASH_MAX_LISTPACK_VALUE),
        }
    }

    /// How large a packed sorted set may become.
    #[inline]
    pub fn zset_limits(&self) -> zset::Limits {
        let config = &self.services.config;
        zset::Limits {
            entries: config.size(Id::ZSET_MAX_LISTPACK_ENTRIES),
            value: config.size(Id::ZSET_MAX_LISTPACK_VALUE),
        }
    }

    /// Up to where sets stay small, and how large ones hash.
    #[inline]
    pub fn set_rules(&self) -> Rules<'s> {
        let services = self.services;
        Rules {
            intset_entries: services.config.size(Id::SET_MAX_INTSET_ENTRIES),
            listpack_entries: services.config.size(Id::SET_MAX_LISTPACK_ENTRIES),
            listpack_value: services.config.size(Id::SET_MAX_LISTPACK_VALUE),
            hasher: services.keyspace.hasher(),
        }
    }

    /// The limits of a stream's nodes.
    #[inline]
    pub fn stream_limit(&self) -> NodeLimit {
        let config = &self.services.config;
        NodeLimit {
            bytes: config.size(Id::STREAM_NODE_MAX_BYTES),
            entries: config.size(Id::STREAM_NODE_MAX_ENTRIES),
        }
    }

    /// The settings by which stamps count uses, if the policy is one that does.
    pub fn lfu(&self) -> Option<Lfu> {
        let config = &self.services.config;
        let counts = config.choice(Id::MAXMEMORY_POLICY).ends_with("-lfu");
        counts.then(|| lfu_settings(config))
    }

    /// The longest string a command may make.
    #[inline]
    pub fn string_max(&self) -> usize {
        let config = &self.services.config;
        let max = config.size(Id::PROTO_MAX_BULK_LEN);
        match config.size(Id::MAX_VALUE_BYTES) {
            limit @ 1.. if config.choice(Id::VALUE_LIMITS_ACTION) == "refuse" => max.min(limit),
            _ => max,
        }
    }

    /// Asks the server to end.
    pub fn shut_down(&self, now: bool) {
        self.services.control.shut_down(now);
    }
}
