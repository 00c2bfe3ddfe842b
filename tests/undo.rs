//! FLUSHALL UNDO against the real binary: what a flush has removed comes back whole, with
//! its times to live, told to everybody whom it concerns, and a log repeats it, here and in
//! redis-server.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use support::{Client, Product, Reply, Rng, Server, TempDir, eventually, require_tool};

const LIMIT: Duration = Duration::from_secs(30);

fn server(more: &[&str]) -> Server {
    let mut directives = vec![
        "--save",
        "",
        "--flush-undo-window",
        "600",
        "--enable-debug-command",
        "yes",
    ];
    directives.extend_from_slice(more);
    Server::with(&directives)
}

/// A key of each type and encoding, some of which expire, in two databases.
fn fill(client: &mut Client) {
    let many: Vec<String> = (0..2000).map(|n| format!("member-{n}")).collect();
    let large = "x".repeat(100_000);
    let mut cmd = |words: &[&str]| assert!(!client.cmd(words).is_error(), "{words:?}");
    cmd(&["SET", "int", "12"]);
    cmd(&["SET", "text", "hello", "EX", "1000"]);
    cmd(&["SET", "large", &large]);
    for (command, name) in [("RPUSH", "list"), ("SADD", "set"), ("PFADD", "hll")] {
        cmd(&[command, name, "a", "b", "c"]);
        let large = format!("{name}-many");
        let words: Vec<&str> = [command, &large]
            .into_iter()
            .chain(many.iter().map(String::as_str))
            .collect();
        cmd(&words);
    }
    cmd(&["SADD", "intset", "1", "2", "3"]);
    cmd(&["ZADD", "zset", "1", "a", "2.5", "b"]);
    cmd(&["XADD", "stream", "1-1", "field", "value"]);
    cmd(&["XGROUP", "CREATE", "stream", "group", "0"]);
    for n in &many {
        cmd(&["HSET", "hash-many", n, n]);
        cmd(&["ZADD", "zset-many", "1", n]);
    }
    cmd(&["HSET", "hash", "a", "1", "b", "2"]);
    cmd(&["PEXPIREAT", "hash", "33177117420000"]);
    cmd(&["SELECT", "5"]);
    cmd(&["SET", "elsewhere", "1"]);
    cmd(&["SELECT", "0"]);
}

/// What there is in the databases 0 and 5: of each key a digest, for a stream its payload,
/// with its groups, and when it expires.
fn content(client: &mut Client) -> BTreeMap<(usize, String), (String, i64)> {
    let mut content = BTreeMap::new();
    for db in [0, 5] {
        client.cmd(&["SELECT", &db.to_string()]);
        for key in client.cmd(&["KEYS", "*"]).items() {
            let key = key.text();
            let value = match client.cmd(&["TYPE", &key]).text().as_str() {
                "stream" => format!("{:?}", client.cmd(&["DUMP", &key])),
                _ => client.cmd(&["DEBUG", "DIGEST-VALUE", &key]).items()[0].text(),
            };
            let expiry = client.cmd(&["PEXPIRETIME", &key]);
            content.insert((db, key), (value, expiry.integer().expect("a time")));
        }
    }
    client.cmd(&["SELECT", "0"]);
    content
}

fn info(client: &mut Client, field: &str) -> i64 {
    let text = client.cmd(&["INFO", "everything"]).text();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let value = line.and_then(|rest| rest.strip_prefix(':'));
    value.and_then(|value| value.parse().ok()).expect(field)
}

#[test]
fn everything_comes_back_as_it_was() {
    for dispatch in ["adaptive", "pool", "inline"] {
        let server = server(&["--dispatch", dispatch]);
        let mut client = server.client();
        fill(&mut client);
        let before = content(&mut client);
        client.expect(&["FLUSHALL"], "+OK\r\n");
        assert!(content(&mut client).is_empty());
        assert_eq!(info(&mut client, "flush_undo_keys"), before.len() as i64);
        assert!(info(&mut client, "flush_undo_bytes") > 100_000);
        let count = client.cmd(&["FLUSHALL", "UNDO"]);
        assert_eq!(count, Reply::Integer(before.len() as i64));
        assert_eq!(content(&mut client), before);
        assert_eq!(info(&mut client, "flush_undo_flushes"), 0);
    }
}

#[test]
fn newer_keys_stay_and_expired_ones_stay_away() {
    let server = server(&[]);
    let mut client = server.client();
    for words in [
        "SET a old",
        "SET b old",
        "SET brief old PX 1",
        "FLUSHALL",
        "SET a new",
    ] {
        client.cmd(&words.split(' ').collect::<Vec<_>>());
    }
    // Until it would have expired.
    client.cmd(&["SET", "clock", "x", "PX", "5"]);
    eventually(LIMIT, "a key expires", || {
        client.cmd(&["EXISTS", "clock"]) == Reply::Integer(0)
    });
    client.expect(&["FLUSHALL", "UNDO"], ":1\r\n");
    client.expect(
        &["MGET", "a", "b", "brief"],
        "*3\r\n$3\r\nnew\r\n$3\r\nold\r\n$-1\r\n",
    );
}

#[test]
fn what_was_flushed_follows_its_database() {
    let server = server(&[]);
    let mut client = server.client();
    client.cmd(&["SET", "a", "1"]);
    client.expect(&["FLUSHDB"], "+OK\r\n");
    client.expect(&["SWAPDB", "0", "3"], "+OK\r\n");
    client.expect(
        &["FLUSHDB", "UNDO"],
        "-ERR Nothing to undo: nothing was flushed within flush-undo-window\r\n",
    );
    client.cmd(&["SELECT", "3"]);
    client.expect(&["FLUSHDB", "UNDO"], ":1\r\n");
    client.expect(&["GET", "a"], "$1\r\n1\r\n");
}

#[test]
fn everybody_hears_of_it() {
    let server = server(&["--notify-keyspace-events", "KEA"]);
    let mut client = server.client();
    client.cmd(&["RPUSH", "list", "x"]);
    client.cmd(&["SET", "a", "1"]);
    client.cmd(&["FLUSHALL"]);
    let (mut watcher, mut waiter) = (server.client(), server.client());
    watcher.cmd(&["WATCH", "a"]);
    watcher.cmd(&["MULTI"]);
    watcher.cmd(&["PING"]);
    waiter.send(&["BLPOP", "list", "0"]);
    eventually(LIMIT, "a client waits", || {
        info(&mut client, "blocked_clients") == 1
    });
    let mut cache = server.client();
    cache.cmd(&["HELLO", "3"]);
    cache.cmd(&["CLIENT", "TRACKING", "ON"]);
    cache.expect(&["GET", "a"], "_\r\n");
    let mut listener = server.client();
    listener.cmd(&["SUBSCRIBE", "__keyevent@0__:restore"]);
    client.expect(&["FLUSHALL", "UNDO"], ":2\r\n");
    watcher.expect(&["EXEC"], "*-1\r\n");
    assert_eq!(waiter.read_reply().reply.items()[1].text(), "x");
    client.expect(&["EXISTS", "list"], ":0\r\n");
    let told = cache.read_reply().reply;
    assert_eq!(told.items()[1].items()[0].text(), "a");
    let mut events: Vec<String> = (0..2)
        .map(|_| listener.read_reply().reply.items()[2].text())
        .collect();
    events.sort();
    assert_eq!(events, ["a", "list"]);
}

#[test]
fn the_window_ends() {
    let server = server(&[]);
    let mut client = server.client();
    client.cmd(&["CONFIG", "SET", "flush-undo-window", "1"]);
    client.cmd(&["SET", "a", "1"]);
    client.cmd(&["FLUSHALL"]);
    eventually(LIMIT, "the flush is forgotten", || {
        info(&mut client, "flush_undo_flushes") == 0
    });
    assert!(client.cmd(&["FLUSHALL", "UNDO"]).is_error());
    client.cmd(&["CONFIG", "SET", "flush-undo-window", "600"]);
    client.cmd(&["SET", "a", "1"]);
    client.cmd(&["FLUSHALL"]);
    assert_eq!(info(&mut client, "flush_undo_flushes"), 1);
    client.cmd(&["CONFIG", "SET", "flush-undo-window", "0"]);
    eventually(LIMIT, "the flush is forgotten", || {
        info(&mut client, "flush_undo_flushes") == 0
    });
}

/// Memory is taken from what was flushed before any key has to go for it.
#[test]
fn memory_that_is_needed_is_taken_from_it_first() {
    let server = server(&["--maxmemory-policy", "allkeys-lru"]);
    let mut client = server.client();
    let value = "x".repeat(10_000);
    let fill = |client: &mut Client, name: &str, count: usize| {
        for n in 0..count {
            client.cmd(&["SET", &format!("{name}{n}"), &value]);
        }
    };
    fill(&mut client, "old", 2000);
    client.cmd(&["FLUSHALL"]);
    let used = info(&mut client, "used_memory");
    assert!(used > 20_000_000, "what was flushed counts: {used}");
    fill(&mut client, "new", 100);
    client.cmd(&[
        "CONFIG",
        "SET",
        "maxmemory",
        &(used + 1_200_000).to_string(),
    ]);
    fill(&mut client, "more", 500);
    assert_eq!(info(&mut client, "flush_undo_flushes"), 0);
    assert_eq!(info(&mut client, "evicted_keys"), 0);
    client.expect(&["DBSIZE"], ":600\r\n");
}

/// The directory of a test, with a log in it.
struct Dir(TempDir);

impl Dir {
    fn new(name: &str) -> Dir {
        Dir(TempDir::new(name))
    }

    fn server(&self, more: &[&str]) -> Server {
        let mut directives = vec![
            "--dir",
            self.0.text(),
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
        ];
        directives.extend_from_slice(more);
        server(&directives)
    }
}

fn kill(mut server: Server) {
    let pid = server.pid().to_string();
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid])
        .status();
    assert!(killed.is_ok_and(|status| status.success()));
    assert!(server.wait_exit(LIMIT).is_some());
}

#[test]
fn a_log_repeats_a_flush_and_its_undo() {
    let dir = Dir::new("log");
    let server = dir.server(&[]);
    let mut client = server.client();
    fill(&mut client);
    let before = content(&mut client);
    client.cmd(&["FLUSHALL"]);
    kill(server);
    let server = dir.server(&[]);
    let mut client = server.client();
    assert!(content(&mut client).is_empty(), "a restart ends the window");
    fill(&mut client);
    client.cmd(&["FLUSHALL"]);
    client.cmd(&["SET", "after", "1"]);
    client.expect(&["FLUSHALL", "UNDO"], format!(":{}\r\n", before.len()));
    client.cmd(&["INCR", "after"]);
    let after = content(&mut client);
    assert_eq!(after.len(), before.len() + 1);
    kill(server);
    let server = dir.server(&[]);
    assert_eq!(content(&mut server.client()), after);
    drop(server);
    let Some(redis) = require_tool("redis-server") else {
        return;
    };
    let path = dir.0.text();
    let directives = [
        "--dir",
        path,
        "--appendonly",
        "yes",
        "--enable-debug-command",
        "yes",
    ];
    let peer = Server::launch(&redis, Product::Peer, &directives);
    let mut peer = peer.client();
    for ((db, key), (_, expiry)) in &after {
        peer.cmd(&["SELECT", &db.to_string()]);
        let found = peer.cmd(&["PEXPIRETIME", key]);
        assert_eq!(found, Reply::Integer(*expiry), "{key}");
    }
}

/// Flushes, undoing, swaps, rewrites and saves in any order: what is there is what a plain
/// model has, and what the log repeats.
#[test]
fn any_order_of_steps_ends_as_the_model_says_and_in_the_log() {
    let seed = Rng::seed_from_env("any_order_of_steps");
    let dir = Dir::new("model");
    let server = dir.server(&[]);
    let mut client = server.client();
    let mut rng = Rng::stream(seed, 1);
    let mut model = Model::default();
    for _ in 0..1500 {
        model.step(&mut client, &mut rng);
    }
    model.compare(&mut client);
    let undone = model.undone;
    assert!(undone > 20, "{undone} keys came back");
    eventually(LIMIT, "nothing is being saved", || {
        info(&mut client, "rdb_bgsave_in_progress") == 0
            && info(&mut client, "aof_rewrite_in_progress") == 0
    });
    client.expect(&["DEBUG", "LOADAOF"], "+OK\r\n");
    model.compare(&mut client);
    kill(server);
    let server = dir.server(&[]);
    model.compare(&mut server.client());
}

type Data = BTreeMap<String, i64>;

/// One flush: whether of all databases, and what it has removed from which.
struct Flushed(bool, BTreeMap<usize, Data>);

const DBS: usize = 3;

#[derive(Default)]
struct Model {
    dbs: [Data; DBS],
    shelf: Vec<Flushed>,
    selected: usize,
    undone: usize,
}

impl Model {
    fn step(&mut self, client: &mut Client, rng: &mut Rng) {
        let (a, b) = (rng.below(DBS), rng.below(DBS));
        let key = format!("k{}", rng.below(40));
        match rng.below(30) {
            0 => self.flush(client, None),
            1 | 2 => self.flush(client, Some(self.selected)),
            3 | 4 => self.undo(client, None),
            5..=7 => self.undo(client, Some(self.selected)),
            8 => {
                client.expect(&["SWAPDB", &a.to_string(), &b.to_string()], "+OK\r\n");
                self.swap(a, b);
            }
            9 if rng.below(4) == 0 => drop(client.cmd(&["BGREWRITEAOF"])),
            10 if rng.below(4) == 0 => drop(client.cmd(&["BGSAVE"])),
            11..=13 => {
                client.expect(&["SELECT", &a.to_string()], "+OK\r\n");
                self.selected = a;
            }
            14 => {
                client.cmd(&["DEL", &key]);
                self.dbs[self.selected].remove(&key);
            }
            _ => {
                let value = self.dbs[self.selected].entry(key.clone()).or_default();
                *value += 1;
                assert_eq!(client.cmd(&["INCR", &key]), Reply::Integer(*value));
            }
        }
    }

    fn flush(&mut self, client: &mut Client, db: Option<usize>) {
        let name = if db.is_some() { "FLUSHDB" } else { "FLUSHALL" };
        client.expect(&[name], "+OK\r\n");
        let range = db.map_or(0..DBS, |db| db..db + 1);
        let taken = range.map(|db| (db, std::mem::take(&mut self.dbs[db])));
        let taken: BTreeMap<usize, Data> = taken.filter(|(_, data)| !data.is_empty()).collect();
        if !taken.is_empty() {
            self.shelf.push(Flushed(db.is_none(), taken));
        }
        if self.shelf.len() > 16 {
            self.shelf.remove(0);
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.dbs.swap(a, b);
        for Flushed(_, parts) in &mut self.shelf {
            let taken = std::mem::take(parts).into_iter();
            *parts = taken
                .map(|(db, data)| match db {
                    db if db == a => (b, data),
                    db if db == b => (a, data),
                    db => (db, data),
                })
                .collect();
        }
    }

    fn undo(&mut self, client: &mut Client, db: Option<usize>) {
        let name = if db.is_some() { "FLUSHDB" } else { "FLUSHALL" };
        let fits = |Flushed(all, parts): &Flushed| match db {
            Some(db) => parts.contains_key(&db),
            None => *all,
        };
        let at = self.shelf.iter().rposition(fits);
        let mut reply = client.cmd(&[name, "UNDO"]);
        // A snapshot has it for a while.
        eventually(LIMIT, "an undo is possible", || {
            let waits = reply.text().contains("snapshot");
            if waits {
                reply = client.cmd(&[name, "UNDO"]);
            }
            !waits
        });
        let Some(at) = at else {
            return assert!(reply.is_error(), "{reply:?}");
        };
        let parts = &mut self.shelf[at].1;
        let back: Vec<(usize, Data)> = match db {
            Some(db) => parts
                .remove(&db)
                .map(|data| (db, data))
                .into_iter()
                .collect(),
            None => std::mem::take(parts).into_iter().collect(),
        };
        self.shelf.retain(|flushed| !flushed.1.is_empty());
        let mut count = 0;
        for (db, data) in back {
            for (key, value) in data {
                count += i64::from(!self.dbs[db].contains_key(&key));
                self.dbs[db].entry(key).or_insert(value);
            }
        }
        self.undone += count as usize;
        assert_eq!(reply, Reply::Integer(count));
    }

    fn compare(&self, client: &mut Client) {
        for (db, data) in self.dbs.iter().enumerate() {
            client.cmd(&["SELECT", &db.to_string()]);
            client.expect(&["DBSIZE"], format!(":{}\r\n", data.len()));
            for (key, value) in data {
                assert_eq!(client.cmd(&["GET", key]).text(), value.to_string());
            }
        }
        client.cmd(&["SELECT", &self.selected.to_string()]);
    }
}
