//! The schema side by side with a real redis-server: the same CONFIG SET to both must
//! give the same reply, and CONFIG GET the same value after it.
//!
//! Named exceptions are directives whose range or effect differs on purpose; each has
//! its reason beside it. Where redis-server is not installed the test says so.

mod support;

use std::path::Path;

use flashkv::config::file::Loader;
use flashkv::config::schema::{Change, Id};
use flashkv::config::{Config, Protected};
use support::{Client, Reply, Server};

/// A status or an error as it came, or the value of a setting.
fn told(client: &mut Client, words: &[&str]) -> String {
    match client.cmd(words) {
        Reply::Array(pair) => pair[1].text(),
        Reply::Error(text) => format!("-{}", lossy(&text)),
        reply => format!("+{}", reply.text()),
    }
}

/// Directives that are not compared, and why.
const APART: &[(&str, &str)] = &[
    ("bind", "Redis would listen elsewhere"),
    ("port", "Redis would listen elsewhere"),
    ("tls-port", "Redis would load certificates"),
    ("requirepass", "Redis would want it of us"),
    ("masteruser", "Redis shows an empty one otherwise"),
    ("maxclients", "Redis asks the system for descriptors"),
    ("activedefrag", "depends on how Redis was built"),
    ("disable-thp", "depends on the system"),
    ("oom-score-adj", "depends on the rights of the process"),
    (
        "oom-score-adj-values",
        "depends on the rights of the process",
    ),
    ("proto-max-bulk-len", "ends at 4 GB here"),
    ("databases", "ends at 16 here"),
    (
        "proc-title-template",
        "Redis expands it to see whether it can",
    ),
    (
        "repl-backlog-size",
        "Redis raises it to the least it can work with",
    ),
    ("maxmemory", "Redis would refuse or evict"),
    ("notify-keyspace-events", "Redis 7.0 forgets n beside A"),
];

/// Values that each directive is offered; most are refused by most.
const OFFERS: &[&str] = &[
    "",
    " ",
    "0",
    "1",
    "-1",
    "5",
    "+5",
    "05",
    "-0",
    "10",
    "100",
    "101",
    "1000",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967296",
    "9223372036854775807",
    "1k",
    "1kb",
    "1Mb",
    "2GB",
    "3b",
    "1x",
    "1.5",
    "1e3",
    "yes",
    "NO",
    "maybe",
    "local",
    "50%",
    "101%",
    "-1%",
    "%",
    "save",
    "nosave force",
    "save nosave",
    "default now",
    "60 1",
    "60  1",
    "60 1 5",
    "0 1",
    "normal 1 2 3",
    "normal 1kb 2 3 pubsub 4 5 6",
    "replica 0 0",
    "other 0 0 0",
    "99.9",
    "50 99.99",
    "a b",
    "a/b",
    "everysec",
    "Always",
    "notice",
    "allkeys-lru",
    "{title}",
    "{bad}",
    "x{",
];

fn comparable(id: Id, name: &str) -> bool {
    let apart = |(other, _): &(&str, &str)| id.row().name == *other || name == *other;
    let tls = name.starts_with("tls-");
    !tls && !APART.iter().any(apart) && id.row().change == Change::AnyTime
}

#[test]
fn config_set_and_get_answer_as_redis_does() {
    let Some(server) = Server::redis(&[]) else {
        return;
    };
    let mut redis = server.client();
    let ours = Config::new();
    ours.set(Id::SAVE, b"").expect("valid");
    let known = include_str!("../src/config/tests/redis_7_0_15.txt").lines();
    let (mut compared, mut differ) = (0, Vec::new());
    for name in known.filter_map(|line| line.split('\t').next()) {
        let id = Id::find(name.as_bytes()).unwrap_or_else(|| panic!("{name} is missing"));
        if !comparable(id, name) {
            continue;
        }
        for offer in OFFERS {
            let theirs = told(&mut redis, &["CONFIG", "SET", name, offer]);
            note(
                &mut differ,
                "SET",
                name,
                offer,
                set(&ours, name, offer),
                theirs,
            );
            let theirs = told(&mut redis, &["CONFIG", "GET", name]);
            note(
                &mut differ,
                "GET",
                name,
                offer,
                lossy(&ours.printed(id)),
                theirs,
            );
            compared += 1;
        }
    }
    println!("{compared} sets compared");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(compared > 100 * OFFERS.len());
}

fn note(
    differ: &mut Vec<String>,
    what: &str,
    name: &str,
    offer: &str,
    ours: String,
    theirs: String,
) {
    if ours != theirs {
        differ.push(format!(
            "CONFIG {what} {name} {offer:?}\n  ours   {ours}\n  theirs {theirs}"
        ));
    }
}

fn set(config: &Config, name: &str, value: &str) -> String {
    let pair = [(name.as_bytes(), value.as_bytes())];
    match config.set_many(&pair, Protected::Refused, &mut |_| Ok(())) {
        Ok(_) => "+OK".to_owned(),
        Err(error) => format!("-{error}"),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_packaged_redis_conf_can_be_used() {
    let path = Path::new("/etc/redis/redis.conf");
    let Ok(text) = std::fs::read(path) else {
        println!("skipped: {} cannot be read", path.display());
        return;
    };
    let mut loader = Loader::new();
    loader.lines("redis.conf", &text);
    let (config, warnings) = loader.finish().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.int(Id::PORT), 6379);
    println!("{warnings:#?}");
}
