//! A server without sockets for the tests of the server and connection families:
//! one client, commands as lines of words, replies as text.

use std::io::IoSlice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use crate::base::hash::KeyHasher;
use crate::base::rng::Rng;
use crate::clients::{Arrival, Clients};
use crate::command::call::Stopwatch;
use crate::command::ctx::{Control, MemoryUse};
use crate::command::testing::unsaved;
use crate::command::{Command, Ctx, Outcome, Services, Session, Stop, Table};
use crate::config::{Config, Id};
use crate::metrics::{Metrics, Observed, Rates, ThreadMetrics};
use crate::pubsub::PubSub;
use crate::resp::write::SLICES_MAX;
use crate::resp::{Argv, Limits, Reply, Requests, Version};
use crate::store::journal::Silent;
use crate::store::{Db, Keyspace, Locks, Patience};

/// The time of every command: fixed, so that replies are.
pub const NOW: i64 = 1_700_000_000_000;

/// What the server was asked to do.
#[derive(Debug, Default)]
pub struct Asked {
    pub wakes: AtomicUsize,
    pub ends: AtomicUsize,
    pub applied: AtomicUsize,
    /// Refuse to apply anything.
    pub refuse: AtomicBool,
}

impl Control for Asked {
    fn wake(&self) {
        self.wakes.fetch_add(1, Relaxed);
    }

    fn shut_down(&self, _now: bool) {
        self.ends.fetch_add(1, Relaxed);
    }

    fn apply(&self, _id: Id) -> Result<(), String> {
        self.applied.fetch_add(1, Relaxed);
        if self.refuse.load(Relaxed) {
            return Err("refused".to_owned());
        }
        Ok(())
    }
}

/// The server and the one client that the test speaks as.
pub struct Server {
    pub services: Services,
    pub asked: Arc<Asked>,
    pub session: Session,
    pub version: Version,
    thread: Arc<ThreadMetrics>,
    rng: Rng,
}

impl Server {
    pub fn new() -> Server {
        Server::with(&[])
    }

    /// A server with these directives set.
    pub fn with(settings: &[(Id, &str)]) -> Server {
        let config = Config::new();
        for (id, text) in settings {
            config.set(*id, text.as_bytes()).unwrap();
        }
        let asked = Arc::new(Asked::default());
        let table = Table::get();
        let metrics = Metrics::new(table.len());
        let thread = metrics.thread();
        let config = Arc::new(config);
        let keyspace = Arc::new(Keyspace::new(KeyHasher::seeded(1)));
        let services = Services {
            aof: std::sync::OnceLock::new(),
            config: Arc::clone(&config),
            clients: Clients::default(),
            pubsub: PubSub::default(),
            metrics,
            rates: Rates::default(),
            observed: Observed::default(),
            commands: table,
            persist: unsaved(&config, &keyspace),
            keyspace,
            control: Arc::clone(&asked) as Arc<dyn Control>,
            started: Instant::now(),
            run_id: "0123456789".repeat(4),
            active_expire: AtomicBool::new(true),
            port: 6379,
            workers: 2,
            supervised: "no",
            memory: || MemoryUse {
                used: 1000,
                peak: 2000,
                ..MemoryUse::default()
            },
        };
        let client = services.clients.register(arrival(1));
        let open = services.config.text(Id::REQUIREPASS).is_empty();
        Server {
            services,
            asked,
            session: Session::new(client, open),
            version: Version::Resp2,
            thread,
            rng: Rng::seeded(7),
        }
    }

    /// Runs a command of words separated by blanks.
    pub fn run(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        self.run_words(&words)
    }

    /// Runs a command as an executor does, deferring once if it is asked to.
    pub fn run_words(&mut self, words: &[&str]) -> String {
        let mut requests = Requests::default();
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        requests.feed(text.as_bytes());
        let limits = Limits {
            bulk_max: 1 << 20,
            authenticated: true,
        };
        requests.parse(limits).unwrap();
        let argv = requests.peek(0).unwrap();
        let command = resolve(argv);
        assert!(command.spec.accepts(argv.len()), "{words:?}");
        let mut reply = Reply::default();
        reply.set_version(self.version);
        let outcome = match self.attempt(command, argv, &mut reply, false) {
            Err(Stop::Defer) => self.attempt(command, argv, &mut reply, true),
            outcome => outcome,
        };
        if let Err(Stop::Error(error)) = outcome {
            reply.error(&error.line());
        }
        self.version = reply.version();
        written(&reply)
    }

    fn attempt(
        &mut self,
        command: &'static Command,
        argv: Argv<'_>,
        reply: &mut Reply,
        alone: bool,
    ) -> Outcome {
        let keyspace = &self.services.keyspace;
        let mut hashes = Vec::new();
        let footprint = command.footprint(argv, keyspace.hasher(), &mut hashes);
        let mut locks = Locks::new(keyspace, Patience::Wait);
        assert_eq!(locks.acquire(footprint), 0);
        let mut db = Db::new(locks, &Silent, NOW);
        db.index = self.session.db;
        let mut stopwatch = Stopwatch::start(false);
        let mut ctx = Ctx {
            db: &mut db,
            session: &mut self.session,
            reply,
            services: &self.services,
            metrics: &self.thread,
            rng: &mut self.rng,
            command,
            hashes: &hashes,
            alone,
            resumed: false,
            stopwatch: &mut stopwatch,
        };
        (command.spec.run)(&mut ctx, argv)
    }

    /// Puts strings into the selected database.
    pub fn fill(&mut self, keys: &[&str]) {
        let keyspace = &self.services.keyspace;
        let mut locks = Locks::new(keyspace, Patience::Wait);
        for key in keys {
            let key = keyspace.key(key.as_bytes());
            locks
                .visit_mut(key.shard(), |shard| {
                    shard.dict_mut(self.session.db).put(
                        key,
                        crate::store::entry::NewValue::Str(b"value"),
                        crate::store::Ttl::Clear,
                        0,
                        keyspace.hasher(),
                    );
                })
                .unwrap();
        }
    }

    /// Connects another client.
    pub fn connect(&self, port: u16) -> Arc<crate::clients::Client> {
        self.services.clients.register(arrival(port))
    }

    pub fn metrics(&self) -> &ThreadMetrics {
        &self.thread
    }
}

fn arrival(port: u16) -> Arrival {
    Arrival {
        address: format!("127.0.0.1:{port}"),
        local_address: "127.0.0.1:6379".to_owned(),
        fd: 8,
        unix: false,
        now: NOW - 5000,
    }
}

fn resolve(argv: Argv<'_>) -> &'static Command {
    let command = Table::get().find(argv.get(0)).unwrap();
    if command.subcommands.is_empty() || argv.len() == 1 {
        return command;
    }
    command.subcommand(argv.get(1)).unwrap()
}

fn written(reply: &Reply) -> String {
    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
    let used = reply.slices(&mut slices);
    let bytes: Vec<u8> = slices[..used].iter().flat_map(|s| s.to_vec()).collect();
    assert_eq!(bytes.len(), reply.pending());
    String::from_utf8(bytes).unwrap()
}
