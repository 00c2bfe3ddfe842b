//! Rewrites that fail, are cancelled or keep files, and DEBUG LOADAOF: what tests of Redis
//! do to them, over real connections.

use std::fs;

use super::support::{Client, Server, eventually};
use super::{Dir, LIMIT, info, number, wait_for_rewrite};

fn start(dir: &Dir) -> Server {
    let debug = ["--enable-debug-command", "yes", "--save", ""];
    let quiet = ["--auto-aof-rewrite-percentage", "0"];
    dir.start(&[debug.as_slice(), &quiet].concat())
}

fn ask(client: &mut Client, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    client.cmd(&words).text()
}

fn manifest(dir: &Dir) -> String {
    fs::read_to_string(&dir.files(".manifest")[0]).expect("the manifest")
}

/// Half an hour for each key.
const SLOW: &str = "CONFIG SET rdb-key-save-delay 2000000000";
const QUICK: &str = "CONFIG SET rdb-key-save-delay 0";

#[test]
fn a_rewrite_that_is_made_to_fail_loses_nothing() {
    let dir = Dir::new("fail");
    let server = start(&dir);
    let mut client = server.client();
    for preamble in ["yes", "no"] {
        client.cmd(&["CONFIG", "SET", "aof-use-rdb-preamble", preamble]);
        ask(&mut client, SLOW);
        ask(&mut client, "INCR before");
        ask(&mut client, "BGREWRITEAOF");
        assert_eq!(ask(&mut client, "DEBUG FAIL-SAVE"), "OK");
        eventually(LIMIT, "the rewrite ends", || {
            info(&mut client, "aof_rewrite_in_progress") == "0"
        });
        assert_eq!(info(&mut client, "aof_last_bgrewrite_status"), "err");
        ask(&mut client, "INCR after");
        let digest = ask(&mut client, "DEBUG DIGEST");
        assert_eq!(ask(&mut client, "DEBUG LOADAOF"), "OK");
        assert_eq!(ask(&mut client, "DEBUG DIGEST"), digest);
        assert_eq!(info(&mut client, "rdb_changes_since_last_save"), "0");
        ask(&mut client, QUICK);
        ask(&mut client, "BGREWRITEAOF");
        wait_for_rewrite(&mut client);
    }
    assert_eq!(number(&mut client, "before"), 2);
    let none = "ERR no save or rewrite that rdb-key-save-delay slows down";
    assert_eq!(ask(&mut client, "DEBUG FAIL-SAVE"), none);
}

#[test]
fn a_rewrite_ends_with_the_log() {
    let dir = Dir::new("cancel");
    let server = start(&dir);
    let mut client = server.client();
    ask(&mut client, "SET key 1");
    ask(&mut client, SLOW);
    ask(&mut client, "BGREWRITEAOF");
    assert_eq!(ask(&mut client, "CONFIG SET appendonly no"), "OK");
    eventually(LIMIT, "the rewrite ends", || {
        info(&mut client, "aof_rewrite_in_progress") == "0"
    });
    let log = server.log();
    assert!(log.contains("Killing running AOF rewrite child"), "{log}");
    assert!(
        log.contains("Background AOF rewrite was cancelled"),
        "{log}"
    );
}

#[test]
fn files_of_the_past_are_kept_for_as_long_as_that_is_wanted() {
    let dir = Dir::new("history");
    let server = start(&dir);
    let mut client = server.client();
    ask(&mut client, "CONFIG SET aof-disable-auto-gc yes");
    for _ in 0..2 {
        ask(&mut client, "INCR key");
        ask(&mut client, "BGREWRITEAOF");
        wait_for_rewrite(&mut client);
    }
    assert_eq!(manifest(&dir).matches(" type h\n").count(), 4);
    assert_eq!(dir.files(".base.rdb").len(), 3);
    assert_eq!(ask(&mut client, "CONFIG SET aof-disable-auto-gc no"), "OK");
    assert_eq!(manifest(&dir).matches(" type h\n").count(), 0);
    assert_eq!(dir.files(".base.rdb").len(), 1);
    assert_eq!(dir.files(".incr.aof").len(), 1);
}

#[test]
fn the_log_is_loaded_again_as_the_manifest_has_it_now() {
    let dir = Dir::new("again");
    let server = start(&dir);
    let mut client = server.client();
    ask(&mut client, "DEBUG POPULATE 1000 key 20");
    assert_eq!(ask(&mut client, "DEBUG LOADAOF"), "OK");
    assert_eq!(
        client.cmd(&["DBSIZE"]).integer(),
        Some(1000),
        "they are logged"
    );
    fs::write(
        dir.log().join("more.aof"),
        "*2\r\n$4\r\nINCR\r\n$4\r\nmore\r\n",
    )
    .expect("a file");
    let line = "file more.aof seq 100 type i\n";
    fs::write(&dir.files(".manifest")[0], manifest(&dir) + line).expect("the manifest");
    assert_eq!(ask(&mut client, "DEBUG LOADAOF"), "OK");
    assert_eq!(client.cmd(&["DBSIZE"]).integer(), Some(1001));
    assert_eq!(number(&mut client, "more"), 1);
    fs::write(&dir.files(".manifest")[0], "nonsense\n").expect("the manifest");
    let failed = "ERR Error trying to load the AOF files, check server logs";
    assert_eq!(ask(&mut client, "DEBUG LOADAOF"), failed);
}

/// A rewrite that has just begun may not be cancelled before the next look at it.
#[test]
fn who_rewrites_next_does_not_notice_one_that_is_cancelled() {
    let dir = Dir::new("cancelled");
    let server = start(&dir);
    let mut client = server.client();
    ask(&mut client, "SET key 1");
    for _ in 0..10 {
        assert_eq!(ask(&mut client, "CONFIG SET appendonly yes"), "OK");
        wait_for_rewrite(&mut client);
        ask(&mut client, SLOW);
        let begun = "Background append only file rewriting started";
        assert_eq!(ask(&mut client, "BGREWRITEAOF"), begun);
        assert_eq!(ask(&mut client, "CONFIG SET appendonly no"), "OK");
        ask(&mut client, QUICK);
        assert_eq!(ask(&mut client, "BGREWRITEAOF"), begun);
        wait_for_rewrite(&mut client);
    }
}

/// With save points FLUSHALL has the empty data saved; who saves next does not notice.
#[test]
fn a_flush_is_saved_and_keeps_nobody_from_saving() {
    let dir = Dir::new("flush");
    let server = start(&dir);
    let mut client = server.client();
    client.cmd(&["CONFIG", "SET", "save", "3600 1"]);
    for nth in 0..20 {
        ask(&mut client, "SET key 1");
        ask(&mut client, "FLUSHALL");
        let (line, begun) = match nth % 2 {
            0 => (
                "BGREWRITEAOF",
                "Background append only file rewriting started",
            ),
            _ => ("BGSAVE", "Background saving started"),
        };
        assert_eq!(ask(&mut client, line), begun);
        eventually(LIMIT, "it ends", || {
            info(&mut client, "aof_rewrite_in_progress") == "0"
                && info(&mut client, "rdb_bgsave_in_progress") == "0"
        });
        assert_eq!(info(&mut client, "rdb_changes_since_last_save"), "0");
    }
}
