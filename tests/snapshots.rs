//! Snapshots of a running server: saved, loaded again, consistent while everything changes,
//! and refused where they are damaged.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use support::{
    Client, Product, Reply, Rng, Server, eventually, poll_until, require_tool, run_bounded,
};

/// How long a save or a load may take.
const LIMIT: Duration = Duration::from_secs(60);

fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_flashkv"))
}

/// A server on the files of another, which may have ended.
fn reopen(dir: &Path, directives: &[&str]) -> Server {
    let dir = dir.to_str().expect("a path of text");
    let all = [&["--dir", dir], directives].concat();
    Server::launch(&binary(), Product::FlashKv, &all)
}

/// One field of INFO persistence.
fn field(client: &mut Client, name: &str) -> String {
    let info = client.cmd(&["INFO", "persistence"]).text();
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {info}"))
        .trim()
        .to_owned()
}

fn wait_for_save(client: &mut Client) {
    eventually(LIMIT, "the save ends", || {
        field(client, "rdb_bgsave_in_progress") == "0"
    });
}

fn fill(client: &mut Client, keys: usize) {
    for nth in 0..keys {
        client.send(&["SET", &format!("fill:{nth}"), &format!("value:{nth}")]);
    }
    (0..keys).for_each(|_| drop(client.read_reply()));
}

/// One of each type, in two databases.
fn fill_types(client: &mut Client) {
    for line in [
        "SET text hello",
        "SET number 12345 PXAT 4000000000123",
        "RPUSH list a b 3",
        "SADD set a b c",
        "SADD ints 1 2 3",
        "ZADD zset 1 a 2.5 b",
        "HSET hash f v g w",
        "HPEXPIREAT hash 4000000000456 FIELDS 1 f",
        "XADD stream 1-1 f v",
        "XGROUP CREATE stream group 0",
        "SELECT 5",
        "SET other 5",
        "SELECT 0",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let reply = client.cmd(&words);
        assert!(!reply.is_error(), "{line}: {reply:?}");
    }
}

fn assert_types(client: &mut Client) {
    for (line, want) in [
        ("GET text", "hello"),
        ("PEXPIRETIME number", "4000000000123"),
        ("LINDEX list 2", "3"),
        ("SISMEMBER set b", "1"),
        ("OBJECT ENCODING ints", "intset"),
        ("ZSCORE zset b", "2.5"),
        ("HGET hash g", "w"),
        ("XLEN stream", "1"),
        ("DBSIZE", "8"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let reply = client.cmd(&words);
        let shown = (reply.integer()).map_or_else(|| reply.text(), |int| int.to_string());
        assert_eq!(shown, want, "{line}");
    }
    let deadlines = client.cmd(&["HPEXPIRETIME", "hash", "FIELDS", "2", "f", "g"]);
    let deadlines: Vec<_> = deadlines.items().iter().map(Reply::integer).collect();
    assert_eq!(deadlines, [Some(4_000_000_000_456), Some(-1)]);
    client.cmd(&["SELECT", "5"]);
    assert_eq!(client.cmd(&["GET", "other"]).text(), "5");
    client.cmd(&["SELECT", "0"]);
}

#[test]
fn what_was_saved_is_there_after_a_start() {
    for target in ["redis-7.0", "redis-7.2", "redis-7.4", "valkey-9"] {
        let server = Server::with(&["--save", "", "--rdb-target", target]);
        let mut client = server.client();
        fill_types(&mut client);
        assert_eq!(client.cmd(&["SAVE"]).text(), "OK");
        assert_eq!(field(&mut client, "rdb_changes_since_last_save"), "0");
        client.cmd(&["SET", "unsaved", "1"]);
        let again = reopen(server.dir(), &["--save", ""]);
        let mut client = again.client();
        assert_types(&mut client);
        assert_eq!(field(&mut client, "rdb_last_load_keys_loaded"), "9");
        assert!(
            !server
                .dir()
                .join(format!("temp-{}.rdb", server.pid()))
                .exists()
        );
    }
}

#[test]
fn debug_reload_keeps_everything() {
    let server = Server::with(&["--enable-debug-command", "yes", "--save", ""]);
    let mut client = server.client();
    fill_types(&mut client);
    for options in [&[][..], &["NOSAVE"], &["NOSAVE", "NOFLUSH", "MERGE"]] {
        let words = [&["DEBUG", "RELOAD"], options].concat();
        assert_eq!(client.cmd(&words).text(), "OK", "{words:?}");
        assert_types(&mut client);
    }
    client.cmd(&["PSETEX", "short", "1", "x"]);
    eventually(LIMIT, "it expires", || {
        client.cmd(&["EXISTS", "short"]).integer() == Some(0)
    });
    let refused = client.cmd(&["DEBUG", "RELOAD", "FOO"]);
    assert!(refused.is_error(), "{refused:?}");
}

#[test]
fn an_orderly_end_saves_and_nosave_does_not() {
    for (end, kept) in [
        ("SHUTDOWN", true),
        ("SHUTDOWN NOSAVE", false),
        ("signal", true),
    ] {
        let mut server = Server::with(&["--save", "3600 1"]);
        let mut client = server.client();
        client.cmd(&["SET", "key", "value"]);
        let words: Vec<&str> = end.split(' ').collect();
        match end {
            "signal" => {
                let pid = server.pid().to_string();
                run_bounded(Command::new("kill").arg(&pid), b"", LIMIT);
            }
            _ => client.send(&words),
        }
        let status = server.wait_exit(LIMIT).expect("it ends");
        assert!(status.success(), "{end}: {}", server.log());
        let again = reopen(server.dir(), &["--save", ""]);
        let there = again.client().cmd(&["EXISTS", "key"]).integer() == Some(1);
        assert_eq!(there, kept, "{end}");
    }
}

/// A directory stands where the file would go: every save fails.
#[test]
fn a_failed_save_stops_writes_and_a_good_one_lets_them_go_on() {
    let mut server = Server::with(&["--save", "3600 100000"]);
    let mut client = server.client();
    let wall = server.dir().join("dump.rdb");
    fs::create_dir_all(wall.join("inside")).expect("a directory in a fresh one");
    client.cmd(&["SET", "key", "1"]);
    assert_eq!(client.cmd(&["SAVE"]).text(), "ERR");
    assert_eq!(
        client.cmd(&["SET", "key", "2"]).text(),
        "OK",
        "only a save in background counts"
    );
    assert_eq!(client.cmd(&["BGSAVE"]).text(), "Background saving started");
    wait_for_save(&mut client);
    assert_eq!(field(&mut client, "rdb_last_bgsave_status"), "err");
    for command in [&["SET", "key", "3"][..], &["PING"]] {
        let reply = client.cmd(command);
        assert!(
            reply
                .text()
                .starts_with("MISCONF Redis is configured to save RDB"),
            "{reply:?}"
        );
    }
    assert_eq!(client.cmd(&["GET", "key"]).text(), "2");
    let refused = client.cmd(&["SHUTDOWN"]).text();
    assert_eq!(refused, "ERR Errors trying to SHUTDOWN. Check logs.");
    client.cmd(&["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]);
    assert_eq!(client.cmd(&["SET", "key", "3"]).text(), "OK");
    client.cmd(&["CONFIG", "SET", "stop-writes-on-bgsave-error", "yes"]);
    fs::remove_dir_all(&wall).expect("it was just made");
    client.cmd(&["BGSAVE"]);
    wait_for_save(&mut client);
    assert_eq!(field(&mut client, "rdb_last_bgsave_status"), "ok");
    assert_eq!(client.cmd(&["SET", "key", "4"]).text(), "OK");
    client.send(&["SHUTDOWN"]);
    assert!(
        server
            .wait_exit(LIMIT)
            .is_some_and(|status| status.success())
    );
}

#[test]
fn a_save_can_be_watched_and_cancelled() {
    let server = Server::with(&["--save", ""]);
    let mut client = server.client();
    fill(&mut client, 2000);
    let before = client.cmd(&["LASTSAVE"]).integer();
    client.cmd(&["CONFIG", "SET", "rdb-key-save-delay", "10000"]);
    let none = client.cmd(&["BGSAVE", "CANCEL"]).text();
    assert_eq!(
        none,
        "ERR Background saving is currently not in progress or scheduled"
    );
    assert_eq!(client.cmd(&["BGSAVE"]).text(), "Background saving started");
    assert_eq!(field(&mut client, "rdb_bgsave_in_progress"), "1");
    assert_eq!(field(&mut client, "current_save_keys_total"), "2000");
    let second = client.cmd(&["BGSAVE"]).text();
    assert_eq!(second, "ERR Background save already in progress");
    assert_eq!(
        client.cmd(&["SAVE"]).text(),
        "ERR Background save already in progress"
    );
    assert_eq!(
        client.cmd(&["BGSAVE", "CANCEL"]).text(),
        "Background saving cancelled"
    );
    wait_for_save(&mut client);
    assert_eq!(field(&mut client, "rdb_last_bgsave_status"), "ok");
    assert_eq!(client.cmd(&["LASTSAVE"]).integer(), before);
    assert!(!server.dir().join("dump.rdb").exists());
    // FLUSHALL ends a save too: its file would bring the data back.
    client.cmd(&["BGSAVE"]);
    client.cmd(&["FLUSHALL"]);
    wait_for_save(&mut client);
    assert!(!server.dir().join("dump.rdb").exists());
    client.cmd(&["CONFIG", "SET", "rdb-key-save-delay", "0"]);
    client.cmd(&["MULTI"]);
    client.cmd(&["BGSAVE"]);
    let scheduled = client.cmd(&["EXEC"]);
    assert_eq!(scheduled.items()[0].text(), "Background saving scheduled");
    eventually(LIMIT, "a scheduled save is made", || {
        server.dir().join("dump.rdb").exists()
    });
}

#[test]
fn save_points_save() {
    let server = Server::with(&["--save", "1 5"]);
    let mut client = server.client();
    (0..5).for_each(|nth| drop(client.cmd(&["SET", &format!("key:{nth}"), "1"])));
    eventually(LIMIT, "the point is reached", || {
        field(&mut client, "rdb_changes_since_last_save") == "0"
    });
    assert!(server.dir().join("dump.rdb").exists());
    // Statistics that are reset do not hide changes.
    client.cmd(&["SET", "one", "1"]);
    client.cmd(&["CONFIG", "RESETSTAT"]);
    assert_eq!(field(&mut client, "rdb_changes_since_last_save"), "1");
}

#[test]
fn while_loading_only_some_commands_are_answered() {
    let server = Server::with(&["--save", ""]);
    let mut client = server.client();
    fill(&mut client, 3000);
    client.cmd(&["SAVE"]);
    let dir = server.dir().to_str().expect("a path of text");
    let directives = ["--dir", dir, "--key-load-delay", "300", "--save", ""];
    let slow = Server::spawn(&binary(), Product::FlashKv, &directives);
    let mut client = poll_until(LIMIT, || Client::open(slow.port()).ok()).expect("it listens");
    let refused = client.cmd(&["GET", "fill:1"]);
    assert_eq!(
        refused.text(),
        "LOADING Redis is loading the dataset in memory"
    );
    assert_eq!(field(&mut client, "loading"), "1");
    assert_ne!(field(&mut client, "loading_total_bytes"), "0");
    assert!(!slow.log().contains("Ready to accept"));
    eventually(LIMIT, "it is loaded", || {
        field(&mut client, "loading") == "0"
    });
    assert_eq!(client.cmd(&["DBSIZE"]).integer(), Some(3000));
    assert!(slow.log().contains("Ready to accept"));
}

#[test]
fn a_dataset_beyond_maxmemory_loads() {
    let server = Server::with(&["--save", ""]);
    let mut client = server.client();
    fill(&mut client, 20_000);
    client.cmd(&["SAVE"]);
    let small = [
        "--maxmemory",
        "1mb",
        "--maxmemory-policy",
        "noeviction",
        "--save",
        "",
    ];
    let again = reopen(server.dir(), &small);
    assert_eq!(again.client().cmd(&["DBSIZE"]).integer(), Some(20_000));
}

#[test]
fn a_damaged_file_is_no_start() {
    let server = Server::with(&["--save", ""]);
    let mut client = server.client();
    fill(&mut client, 100);
    client.cmd(&["SAVE"]);
    let file = server.dir().join("dump.rdb");
    let mut bytes = fs::read(&file).expect("the saved file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&file, &bytes).expect("write it back");
    let dir = server.dir().to_str().expect("a path of text");
    let mut broken = Server::spawn(&binary(), Product::FlashKv, &["--dir", dir]);
    let status = broken.wait_exit(LIMIT).expect("it gives up");
    assert_eq!(status.code(), Some(1));
    let log = broken.log();
    assert!(log.contains("dump.rdb: at offset"), "{log}");
}

fn check(file: &Path) -> Output {
    let mut command = Command::new(binary());
    run_bounded(command.arg("--check-rdb").arg(file), b"", LIMIT)
}

/// What `--check-rdb` says, and what redis-check-rdb says.
#[test]
fn verdicts_on_files_agree_with_those_of_redis() {
    let Some(theirs) = require_tool("redis-check-rdb") else {
        return;
    };
    let seed = Rng::seed_from_env("verdicts_on_files_agree_with_those_of_redis");
    let mut rng = Rng::new(seed);
    let server = Server::with(&["--save", ""]);
    let mut client = server.client();
    fill_types(&mut client);
    client.cmd(&["SAVE"]);
    let good = fs::read(server.dir().join("dump.rdb")).expect("the saved file");
    let file = server.dir().join("checked.rdb");
    for round in 0..40 {
        let mut bytes = good.clone();
        match round {
            0 => {}
            1..20 => bytes.truncate(rng.below(good.len())),
            _ => bytes[rng.below(good.len())] ^= 1 << rng.below(8),
        }
        fs::write(&file, &bytes).expect("write a copy");
        let ours = check(&file);
        let other = run_bounded(Command::new(&theirs).arg(&file), b"", LIMIT);
        let text = String::from_utf8_lossy(&ours.stdout).into_owned()
            + &String::from_utf8_lossy(&ours.stderr);
        assert_eq!(
            ours.status.success(),
            other.status.success(),
            "FLASHKV_SEED={seed}, round {round}: {text}"
        );
        assert_eq!(ours.status.success(), round == 0, "{text}");
        assert!(text.contains("keys read"), "{text}");
    }
    assert_eq!(check(Path::new("no-such-file")).status.code(), Some(1));
}

const ACCOUNTS: usize = 300;
const BALANCE: i64 = 1000;
const WRITERS: usize = 3;

/// Moves money between accounts until told to stop. MSET needs to know what is there, so
/// each writer has accounts of its own for it.
fn transfer(server: &Server, writer: usize, seed: u64, stop: &AtomicBool) {
    let mut rng = Rng::new(seed ^ writer as u64);
    let mut client = server.client();
    let mut own = vec![BALANCE; ACCOUNTS];
    while !stop.load(Relaxed) {
        let (from, to) = (rng.below(ACCOUNTS), rng.below(ACCOUNTS));
        let amount = rng.below(50) as i64;
        if from != to && rng.one_in(2) {
            own[from] -= amount;
            own[to] += amount;
            let names = [from, to].map(|nth| format!("own:{writer}:{nth}"));
            let sums = [from, to].map(|nth| own[nth].to_string());
            client.cmd(&["MSET", &names[0], &sums[0], &names[1], &sums[1]]);
        } else {
            let names = [from, to].map(|nth| format!("account:{nth}"));
            let amount = amount.to_string();
            client.cmd(&["MULTI"]);
            client.cmd(&["DECRBY", &names[0], &amount]);
            client.cmd(&["INCRBY", &names[1], &amount]);
            client.cmd(&["EXEC"]);
        }
        // What grows and shrinks makes tables split meanwhile.
        let key = format!("grown:{writer}:{}", rng.below(20_000));
        match rng.one_in(3) {
            true => client.cmd(&["DEL", &key]),
            false => client.cmd(&["SET", &key, &amount.to_string()]),
        };
    }
}

/// The money in a server, and how many accounts it lies in.
fn money(client: &mut Client) -> (i64, usize) {
    let names = (0..ACCOUNTS).map(|nth| format!("account:{nth}"));
    let owned =
        (0..WRITERS).flat_map(|writer| (0..ACCOUNTS).map(move |nth| format!("own:{writer}:{nth}")));
    let words: Vec<String> = ["MGET".to_owned()]
        .into_iter()
        .chain(names)
        .chain(owned)
        .collect();
    let reply = client.cmd(&words);
    let values: Vec<i64> = (reply.items().iter())
        .filter_map(|value| value.text().parse().ok())
        .collect();
    (values.iter().sum(), values.len())
}

/// Each file is of one moment: no transfer is in it by half.
#[test]
fn the_sum_is_conserved_in_every_snapshot() {
    const SAVES: usize = 5;
    let Some(redis) = require_tool("redis-server") else {
        return;
    };
    let seed = Rng::seed_from_env("the_sum_is_conserved_in_every_snapshot");
    let server = Server::with(&["--save", "", "--rdb-key-save-delay", "1"]);
    let mut client = server.client();
    for nth in 0..ACCOUNTS {
        client.cmd(&["SET", &format!("account:{nth}"), &BALANCE.to_string()]);
        for writer in 0..WRITERS {
            client.cmd(&["SET", &format!("own:{writer}:{nth}"), &BALANCE.to_string()]);
        }
    }
    fill(&mut client, 3000);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (server, stop) = (&server, &stop);
            scope.spawn(move || transfer(server, writer, seed, stop));
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..SAVES {
                let started = client.cmd(&["BGSAVE"]).text();
                assert_eq!(started, "Background saving started");
                wait_for_save(&mut client);
                let dir = server.dir().to_str().expect("a path of text");
                let loaded = Server::launch(&redis, Product::Peer, &["--dir", dir]);
                let accounts = ACCOUNTS * (1 + WRITERS);
                let want = (accounts as i64 * BALANCE, accounts);
                assert_eq!(money(&mut loaded.client()), want, "FLASHKV_SEED={seed}");
            }
        }));
        stop.store(true, Relaxed);
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    let accounts = ACCOUNTS * (1 + WRITERS);
    assert_eq!(money(&mut client).0, accounts as i64 * BALANCE);
}
