//! Replies and error texts as Redis gives them, and what a scan promises.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::rng::Rng;
use crate::command::testing::{Rig, START, expect, seed};

const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";
const SYNTAX: &str = "-ERR syntax error";
const SAME: &str = "-ERR source and destination objects are the same";

fn rig() -> Rig {
    let mut rig = Rig::new();
    expect(
        &mut rig,
        &[
            ("SET s abc", "+OK"),
            ("SET i 10", "+OK"),
            ("RPUSH l a b c", ":3"),
        ],
    );
    rig
}

#[test]
fn keys_of_any_type() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("EXISTS s s none", ":2"),
            ("TOUCH s s none", ":2"),
            ("TYPE s", "+string"),
            ("TYPE l", "+list"),
            ("TYPE none", "+none"),
            ("RENAME none a", "-ERR no such key"),
            ("RENAME none none", "-ERR no such key"),
            ("RENAMENX none s", "-ERR no such key"),
            ("RENAME s s", "+OK"),
            ("RENAMENX s s", ":0"),
            ("RENAMENX s l", ":0"),
            ("EXPIRE s 100", ":1"),
            ("RENAME s l", "+OK"),
            ("TTL l", ":100"),
            ("GET l", "$3 abc"),
            ("DEL l l i", ":2"),
            ("UNLINK l", ":0"),
        ],
    );
}

#[test]
fn copies_and_moves() {
    let mut rig = rig();
    let no_db = "-ERR DB index is out of range";
    let int_range = "-ERR value is out of range, value must between -2147483648 and 2147483647";
    expect(
        &mut rig,
        &[
            ("COPY s s", SAME),
            ("COPY s s DB", SYNTAX),
            ("COPY s t DB x", NOT_INTEGER),
            ("COPY s t DB 99", no_db),
            ("COPY s t DB -1", no_db),
            ("COPY s t DB 99999999999", int_range),
            ("COPY s t FOO", SYNTAX),
            ("COPY none t", ":0"),
            ("COPY s l", ":0"),
            ("COPY s l REPLACE", ":1"),
            ("COPY s s DB 3", ":1"),
            ("MOVE s x", NOT_INTEGER),
            ("MOVE s 99", no_db),
            ("MOVE s 0", SAME),
            ("MOVE s 99999999999", int_range),
            ("MOVE none 1", ":0"),
            ("MOVE s 3", ":0"),
            ("MOVE i 3", ":1"),
            ("GET i", "$-1"),
        ],
    );
    rig.session.db = 3;
    assert_eq!(rig.line("MGET s i"), "*2 $3 abc $2 10");
}

#[test]
fn expiry_options() {
    let mut rig = rig();
    let gt_lt = "-ERR GT and LT options at the same time are not compatible";
    let nx = "-ERR NX and XX, GT or LT options at the same time are not compatible";
    expect(
        &mut rig,
        &[
            ("EXPIRE s x FOO", "-ERR Unsupported option FOO"),
            ("EXPIRE s x", NOT_INTEGER),
            ("EXPIRE s 10 NX XX", nx),
            ("EXPIRE s 10 GT LT", gt_lt),
            ("EXPIRE s 10 NX FOO", "-ERR Unsupported option FOO"),
            ("EXPIRE s 10 NX GT", nx),
            ("EXPIRE s 10 XX GT", ":0"),
            ("EXPIRE s 10 XX", ":0"),
            ("EXPIRE s 10 GT", ":0"),
            ("EXPIRE s 10 LT", ":1"),
            ("EXPIRE s 20 LT", ":0"),
            ("EXPIRE s 20 NX", ":0"),
            ("EXPIRE s 20 GT", ":1"),
            ("EXPIRE s 30 nx nx", ":0"),
            ("TTL s", ":20"),
            ("PERSIST s", ":1"),
            ("PERSIST s", ":0"),
            ("TTL s", ":-1"),
            ("PTTL none", ":-2"),
            ("PEXPIREAT none 9223372036854775807", ":0"),
            ("PEXPIREAT s 1720000001499", ":1"),
            ("TTL s", ":1"),
            ("PTTL s", ":1499"),
            ("EXPIRETIME s", ":1720000001"),
            ("PEXPIRETIME s", ":1720000001499"),
            ("EXPIREAT s 1720000002", ":1"),
            ("PTTL s", ":2000"),
            ("EXPIRE s -1", ":1"),
            ("EXISTS s", ":0"),
        ],
    );
    for (line, name) in [
        ("EXPIRE i 9223372036854775807", "expire"),
        ("EXPIRE i -9223372036854775808", "expire"),
        ("PEXPIRE i 9223372036854775807", "pexpire"),
        ("EXPIREAT i 9223372036854775807", "expireat"),
    ] {
        let want = format!("-ERR invalid expire time in '{name}' command");
        assert_eq!(rig.line(line), want);
    }
}

#[test]
fn an_expired_key_is_gone_for_all_and_told_once() {
    let mut rig = rig();
    rig.line("PEXPIRE s 10");
    rig.now += 10;
    rig.journal.commands.lock().clear();
    expect(&mut rig, &[("TYPE s", "+none"), ("EXISTS s", ":0")]);
    let told = std::mem::take(&mut *rig.journal.commands.lock());
    assert_eq!(told, [(0, vec![b"DEL".to_vec(), b"s".to_vec()])]);
    assert_eq!(rig.line("SETNX s new"), ":1");
}

#[test]
fn a_key_that_a_change_finds_gone_is_told_of_once_before_it() {
    let mut rig = rig();
    for line in ["SADD gone x", "SADD there y", "PEXPIRE gone 10"] {
        rig.line(line);
    }
    rig.now += 10;
    for (line, change) in [
        // The one is met by its reading, the other as a key of the command.
        ("SUNIONSTORE to gone there gone", "SUNIONSTORE"),
        ("COPY there copy", "COPY"),
    ] {
        rig.journal.commands.lock().clear();
        rig.line(line);
        let told = std::mem::take(&mut *rig.journal.commands.lock());
        let names: Vec<_> = told.iter().map(|(_, words)| words[0].clone()).collect();
        let at = names.iter().position(|name| name == change.as_bytes());
        let before = &names[..at.expect("the change is told")];
        let dels = usize::from(change == "SUNIONSTORE");
        assert_eq!(before, vec![b"DEL".to_vec(); dels], "{line}: {told:?}");
    }
}

#[test]
fn object() {
    let mut rig = rig();
    let no_lfu = "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. \
                  Please note that when switching between policies at runtime LRU and LFU data \
                  will take some time to adjust.";
    expect(
        &mut rig,
        &[
            ("OBJECT ENCODING s", "$6 embstr"),
            ("OBJECT ENCODING i", "$3 int"),
            ("OBJECT ENCODING l", "$8 listpack"),
            ("OBJECT ENCODING none", "$-1"),
            ("OBJECT REFCOUNT i", ":2147483647"),
            ("OBJECT REFCOUNT s", ":1"),
            ("SET j 10000", "+OK"),
            ("OBJECT REFCOUNT j", ":1"),
            ("OBJECT FREQ s", no_lfu),
            ("OBJECT FREQ none", "$-1"),
            ("OBJECT IDLETIME none", "$-1"),
            (
                "OBJECT ENCODING",
                "-ERR wrong number of arguments for 'object|encoding' command",
            ),
        ],
    );
    rig.now = START + 5000;
    assert_eq!(rig.line("EXISTS s"), ":1");
    assert_eq!(rig.line("OBJECT IDLETIME s"), ":5");
    assert_eq!(rig.line("GET s"), "$3 abc");
    assert_eq!(rig.line("OBJECT IDLETIME s"), ":0");
    assert!(
        rig.line("OBJECT HELP")
            .starts_with("*15 +OBJECT <subcommand>")
    );
}

#[test]
fn scan_arguments() {
    let mut rig = rig();
    let invalid = "-ERR invalid cursor";
    expect(
        &mut rig,
        &[
            ("SCAN x", invalid),
            ("SCAN x COUNT x", invalid),
            ("SCAN 18446744073709551616", invalid),
            ("SCAN \" 0\"", invalid),
            ("SCAN -", invalid),
            ("SCAN +0 MATCH [is]", "*2 $1 0 *2 $1 i $1 s"),
            ("SCAN \"\" MATCH [is]", "*2 $1 0 *2 $1 i $1 s"),
            ("SCAN -18446744073709551616", invalid),
            ("SCAN -1 MATCH none", "*2 $1 0 *0"),
            ("SCAN 0 COUNT 0", SYNTAX),
            ("SCAN 0 COUNT x", NOT_INTEGER),
            ("SCAN 0 FOO", SYNTAX),
            ("SCAN 0 MATCH", SYNTAX),
            ("SCAN 0 TYPE foo", "*2 $1 0 *0"),
            ("SCAN 0 TYPE LIST", "*2 $1 0 *1 $1 l"),
            ("SCAN 0 MATCH [is]", "*2 $1 0 *2 $1 i $1 s"),
            ("KEYS l*", "*1 $1 l"),
            ("KEYS z*", "*0"),
            (
                "RANDOMKEY x",
                "-ERR wrong number of arguments for 'randomkey' command",
            ),
        ],
    );
    rig.session.db = 1;
    assert_eq!(rig.line("RANDOMKEY"), "$-1");
    assert_eq!(rig.line("SCAN 0"), "*2 $1 0 *0");
}

/// The cursor and the keys of a reply to SCAN.
fn scanned(rig: &mut Rig, cursor: &str, count: u64) -> (String, Vec<String>) {
    let reply = rig.line(&format!("SCAN {cursor} COUNT {count}"));
    let mut words = reply.split(' ').skip(2).map(str::to_owned);
    let cursor = words.next().expect("a cursor");
    let keys = words.skip(1).skip(1).step_by(2).collect();
    (cursor, keys)
}

#[test]
fn a_scan_reports_what_stays_exactly_once() {
    let mut rng = Rng::seeded(seed("a_scan_reports_what_stays_exactly_once"));
    for _ in 0..10 {
        let mut rig = Rig::new();
        let lasting: BTreeSet<String> = (0..rng.below(3000)).map(|i| format!("stay:{i}")).collect();
        for key in &lasting {
            rig.line(&format!("SET {key} v"));
        }
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut cursor = "0".to_owned();
        loop {
            let (next, keys) = scanned(&mut rig, &cursor, 1 + rng.below(100));
            for key in keys {
                *seen.entry(key).or_default() += 1;
            }
            for _ in 0..rng.below(200) {
                let (verb, key) = (rng.below(2), rng.below(2000));
                rig.line(&match verb {
                    0 => format!("SET come:{key} v"),
                    _ => format!("DEL come:{key}"),
                });
            }
            cursor = next;
            if cursor == "0" {
                break;
            }
        }
        for key in &lasting {
            assert_eq!(seen.get(key), Some(&1), "{key}");
        }
    }
}

#[test]
fn walks_see_all_live_keys() {
    let mut rig = Rig::new();
    for i in 0..2000 {
        rig.line(&format!("SET key:{i} v"));
    }
    for i in 0..1000 {
        rig.line(&format!("PEXPIRE key:{i} 10"));
    }
    rig.now += 10;
    let live: BTreeSet<String> = (1000..2000).map(|i| format!("key:{i}")).collect();
    let words = |reply: String| -> BTreeSet<String> {
        (reply.split(' ').map(str::to_owned))
            .filter(|word| word.starts_with("key:"))
            .collect()
    };
    assert_eq!(words(rig.line("KEYS *")), live);
    assert_eq!(words(rig.line("SCAN 0 COUNT 100000")), live);
    assert!(rig.deferred, "a long scan is left to the pool");
    assert_eq!(words(rig.line("KEYS key:199?")).len(), 10);
    for _ in 0..100 {
        let key = words(rig.line("RANDOMKEY"));
        assert!(key.len() == 1 && key.is_subset(&live), "{key:?}");
    }
}
