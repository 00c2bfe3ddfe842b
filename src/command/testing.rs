//! A server without sockets and threads, for tests: commands go in as words, the
//! reply comes out as bytes, and the clock stands where the test puts it.
//!
//! [`Rig::run`] does for one command what the executor does for a batch: look it
//! up, take its footprint, run it, commit its effects, give the locks back.

pub mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::io::IoSlice;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use parking_lot::Mutex;

use super::call::{Stopwatch, note_gone};
use super::ctx::{Ctx, MemoryUse, Services, Stop};
use super::session::Session;
use super::table::{Command, Table};
use crate::base::clock::Millis;
use crate::base::hash::KeyHasher;
use crate::base::rng::Rng;
use crate::clients::Clients;
use crate::config::{Config, Id};
use crate::control::Nobody;
use crate::ds::hash::NEVER;
use crate::metrics::{Metrics, Observed, Rates, ThreadMetrics};
use crate::persist::nowhere::Nowhere;
use crate::persist::service::Persistence;
use crate::pubsub::PubSub;
use crate::resp::write::SLICES_MAX;
use crate::resp::{Argv, Limits, Reply, Requests, Version};
use crate::store::entry::{CollectionRef, Entry, ValueRef};
use crate::store::journal::{Effect, Interest, Journal, Notes};
use crate::store::{DATABASES, Db, Footprint, Keyspace, Locks, Patience, SHARDS};

/// When the tests' clock starts: in 2024, in milliseconds.
pub const START: Millis = 1_720_000_000_000;

/// One command with its database.
pub type Recorded = (usize, Vec<Vec<u8>>);

/// A journal that keeps the commands it is told.
#[derive(Default)]
pub struct Recorder {
    pub commands: Mutex<Vec<Recorded>>,
    pub events: Mutex<Vec<&'static str>>,
}

impl Journal for Recorder {
    fn interest(&self) -> Interest {
        Interest::ALL
    }

    fn record(&self, notes: &Notes) {
        for effect in notes.iter() {
            match effect {
                Effect::Command { db, words } => {
                    let words = words.iter().map(<[u8]>::to_vec).collect();
                    self.commands.lock().push((db, words));
                }
                Effect::Touched { event, .. } => self.events.lock().push(event.name),
                Effect::Flushed { .. }
                | Effect::Caller { .. }
                | Effect::Read { .. }
                | Effect::UnitBegin
                | Effect::UnitEnd => {}
            }
        }
    }
}

/// What a key holds, in a form that compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    Text(Vec<u8>),
    List(Vec<Vec<u8>>),
    Hash(HeldFields),
    /// Members with the texts of their scores, in order.
    ZSet(Vec<(Vec<u8>, Vec<u8>)>),
    Set(BTreeSet<Vec<u8>>),
    Stream(streams::State),
}

/// The fields of a hash: value and deadline.
pub type HeldFields = BTreeMap<Vec<u8>, (Vec<u8>, Option<Millis>)>;

impl Held {
    /// What is left of it at `now`, if anything is.
    pub fn live(mut self, now: Millis) -> Option<Held> {
        if let Held::Hash(fields) = &mut self {
            fields.retain(|_, (_, at)| at.is_none_or(|at| at > now));
            if fields.is_empty() {
                return None;
            }
        }
        Some(self)
    }

    /// What an entry holds.
    pub fn of(entry: &Entry) -> Held {
        match entry.value() {
            ValueRef::Int(int) => Held::Text(int.to_string().into_bytes()),
            ValueRef::Str(text) => Held::Text(text.to_vec()),
            ValueRef::Shared(text) => Held::Text(text.to_vec()),
            ValueRef::Collection(CollectionRef::List(list)) => {
                Held::List(list.iter().map(|elem| elem.to_vec()).collect())
            }
            ValueRef::Collection(CollectionRef::Hash(hash)) => {
                let mut fields = HeldFields::new();
                hash.for_each(i64::MIN, |item| {
                    let at = (item.deadline != NEVER).then_some(item.deadline);
                    let value = item.value.with(<[u8]>::to_vec);
                    fields.insert(item.name.to_vec(), (value, at));
                });
                assert_eq!(hash.len(), fields.len());
                Held::Hash(fields)
            }
            ValueRef::Collection(CollectionRef::ZSet(zset)) => {
                let text = |score| {
                    let mut text = Vec::new();
                    crate::base::float::push_f64(&mut text, score);
                    text
                };
                let entries = zset.iter();
                Held::ZSet(
                    entries
                        .map(|e| (e.member.to_vec(), text(e.score)))
                        .collect(),
                )
            }
            ValueRef::Collection(CollectionRef::Set(set)) => {
                Held::Set(set.iter().map(|item| item.elem().to_vec()).collect())
            }
            ValueRef::Collection(CollectionRef::Stream(stream)) => {
                Held::Stream(streams::State::of(stream))
            }
        }
    }
}

/// All data: by database and key, what it holds and when it expires.
pub type Data = BTreeMap<(usize, Vec<u8>), (Held, Option<Millis>)>;

/// The server without sockets.
pub struct Rig {
    pub services: Services,
    pub journal: Recorder,
    pub session: Session,
    pub now: Millis,
    pub version: Version,
    /// Whether the last command had to be left to the pool.
    pub deferred: bool,
    metrics: Arc<ThreadMetrics>,
    rng: Rng,
}

/// The persistence of a server that has no disk.
pub fn unsaved(config: &Arc<Config>, keyspace: &Arc<Keyspace>) -> Arc<Persistence> {
    Arc::new(Persistence::new(
        Arc::clone(config),
        Arc::clone(keyspace),
        Arc::new(Nowhere),
        || 0,
        START,
    ))
}

impl Rig {
    /// An empty server at [`START`].
    pub fn new() -> Rig {
        let commands = Table::get();
        let metrics = Metrics::new(commands.len());
        let config = Arc::new(Config::new());
        // Only the tests take snapshots.
        config.set(Id::SAVE, b"").expect("no save points");
        let keyspace = Arc::new(Keyspace::new(KeyHasher::seeded(1)));
        Rig {
            metrics: metrics.thread(),
            services: Services {
                aof: std::sync::OnceLock::new(),
                config: Arc::clone(&config),
                clients: Clients::default(),
                pubsub: PubSub::default(),
                metrics,
                commands,
                persist: unsaved(&config, &keyspace),
                keyspace,
                control: Arc::new(Nobody),
                started: Instant::now(),
                run_id: String::new(),
                active_expire: AtomicBool::new(true),
                port: 0,
                workers: 1,
                rates: Rates::default(),
                observed: Observed::default(),
                supervised: "no",
                memory: MemoryUse::default,
            },
            journal: Recorder::default(),
            session: Session::new(Clients::detached(), true),
            now: START,
            version: Version::Resp2,
            deferred: false,
            rng: Rng::seeded(1),
        }
    }

    /// Runs a command line split at blanks; `""` stands for an empty word.
    pub fn line(&mut self, line: &str) -> String {
        let words: Vec<&[u8]> = (line.split_ascii_whitespace())
            .map(|word| {
                if word == "\"\"" {
                    b"".as_slice()
                } else {
                    word.as_bytes()
                }
            })
            .collect();
        let reply = self.run(&words);
        String::from_utf8_lossy(&reply)
            .replace("\r\n", " ")
            .trim_end()
            .to_owned()
    }

    /// Runs one command and returns its reply.
    pub fn run(&mut self, words: &[&[u8]]) -> Vec<u8> {
        let mut requests = Requests::default();
        requests.feed(&encoded(words));
        let limits = Limits {
            bulk_max: 512 << 20,
            authenticated: true,
        };
        requests.parse(limits).expect("encoded above");
        let argv = requests.peek(0).expect("encoded above");
        let command = command_of(argv);
        let mut reply = Reply::default();
        reply.set_version(self.version);
        if !command.spec.accepts(argv.len()) {
            let name = &command.full_name;
            reply.error(format!("ERR wrong number of arguments for '{name}' command").as_bytes());
            return bytes_of(&mut reply);
        }
        let mark = reply.mark();
        self.deferred = false;
        let done = self.attempt(command, argv, &mut reply, false);
        let done = if matches!(done, Err(Stop::Defer)) {
            assert_eq!(reply.pending(), 0, "nothing is replied before a defer");
            assert!(
                !command.is_light(argv),
                "{argv:?} is called light and defers"
            );
            self.deferred = true;
            reply.rewind(mark);
            self.attempt(command, argv, &mut reply, true)
        } else {
            done
        };
        match done {
            Ok(()) => {}
            Err(Stop::Error(error)) => {
                reply.rewind(mark);
                reply.error(&error.line());
            }
            Err(Stop::Block(block)) => block.nothing.write(&mut reply),
            Err(Stop::Defer) => panic!("{argv:?} defers in the pool too"),
        }
        bytes_of(&mut reply)
    }

    fn attempt(
        &mut self,
        command: &'static Command,
        argv: Argv<'_>,
        reply: &mut Reply,
        alone: bool,
    ) -> Result<(), Stop> {
        let keyspace = &self.services.keyspace;
        let mut hashes = Vec::new();
        let footprint = command.footprint(argv, keyspace.hasher(), &mut hashes);
        let patience = if alone { Patience::Wait } else { Patience::Try };
        let mut db = Db::new(Locks::new(keyspace, patience), &self.journal, self.now);
        db.index = self.session.db;
        assert_eq!(db.acquire(footprint), 0);
        let mut stopwatch = Stopwatch::start(false);
        let mut ctx = Ctx {
            db: &mut db,
            session: &mut self.session,
            reply,
            services: &self.services,
            metrics: &self.metrics,
            rng: &mut self.rng,
            command,
            hashes: &hashes,
            alone,
            resumed: false,
            stopwatch: &mut stopwatch,
        };
        let done = (command.spec.run)(&mut ctx, argv);
        if done.is_err() {
            assert_eq!(ctx.db.effects.dirty, 0, "{argv:?} failed and changed data");
        }
        if ctx.db.effects.dirty > 0 {
            note_gone(&mut ctx, argv);
            db.commit(&mut argv.iter());
        }
        db.release();
        db.remove_stale();
        done
    }

    /// The bytes of the string at a key of database 0; panics without one.
    pub fn string(&self, key: &[u8]) -> bytes::Bytes {
        let mut locks = Locks::new(&self.services.keyspace, Patience::Wait);
        locks.acquire(Footprint::ALL_READ);
        let db = Db::new(locks, &self.journal, self.now);
        let image = db.string_image(db.key(key)).expect("a string");
        image.expect("a key")
    }

    /// The whole data set, expired keys left out.
    pub fn data(&self) -> Data {
        self.data_at(self.now)
    }

    /// The data set as it is seen at `now`.
    pub fn data_at(&self, now: Millis) -> Data {
        let mut locks = Locks::new(&self.services.keyspace, Patience::Wait);
        locks.acquire(Footprint::ALL_READ);
        let mut data = Data::new();
        for (shard, db) in (0..SHARDS).flat_map(|s| (0..DATABASES).map(move |d| (s, d))) {
            let dict = locks.shard(shard).dict(db);
            let (mut keys, mut volatile) = (0, 0);
            dict.table().for_each(|entry| {
                keys += 1;
                volatile += usize::from(entry.expire_at().is_some());
                if !entry.is_expired(now)
                    && let Some(held) = Held::of(entry).live(now)
                {
                    let held = (held, entry.expire_at());
                    let twice = data.insert((db, entry.key().to_vec()), held);
                    assert!(twice.is_none(), "a key is there twice");
                }
            });
            assert_eq!((dict.len(), dict.volatile()), (keys, volatile));
        }
        data
    }
}

fn command_of(argv: Argv<'_>) -> &'static Command {
    let name = argv.get(0);
    let command = Table::get().find(name);
    let command = command.unwrap_or_else(|| panic!("no command {:?}", name.escape_ascii()));
    if command.subcommands.is_empty() {
        return command;
    }
    command.subcommand(argv.get(1)).expect("a known subcommand")
}

fn encoded(words: &[&[u8]]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn bytes_of(reply: &mut Reply) -> Vec<u8> {
    let mut out = Vec::new();
    while !reply.is_empty() {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let used = reply.slices(&mut slices);
        let step: Vec<u8> = slices[..used]
            .iter()
            .flat_map(|slice| slice.to_vec())
            .collect();
        reply.advance(step.len());
        out.extend_from_slice(&step);
    }
    out
}

/// Runs lines and compares their replies, line breaks shown as blanks.
pub fn expect(rig: &mut Rig, script: &[(&str, &str)]) {
    for (line, want) in script {
        assert_eq!(rig.line(line), *want, "reply to {line}");
    }
}

/// A seed for a property test: from the environment to repeat a failure, else
/// random; printed, so that a failure can be repeated.
pub fn seed(test: &str) -> u64 {
    let seed = (std::env::var("FLASHKV_SEED").ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| Rng::random().next_u64());
    println!("{test}: FLASHKV_SEED={seed}");
    seed
}

mod model;
mod property;
mod snapshots;
mod streams;
