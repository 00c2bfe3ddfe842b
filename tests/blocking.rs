//! Commands that wait: order, ends of a wait of every kind, and elements that are
//! given exactly once whatever races. Deadlines are bounds of failure, not of success.

mod support;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use support::{Client, Reply, Rng, Server, eventually};

const DISPATCHES: [&str; 3] = ["adaptive", "pool", "inline"];
const SILENCE: Duration = Duration::from_millis(100);
const LIMIT: Duration = Duration::from_secs(20);

fn server(dispatch: &str) -> Server {
    Server::with(&["--dispatch", dispatch, "--workers", "2"])
}

fn blocked(client: &mut Client) -> usize {
    let info = client.cmd(&["INFO", "clients"]).text();
    let line = (info.lines()).find_map(|line| line.strip_prefix("blocked_clients:"));
    line.expect("the field").parse().expect("a number")
}

fn until_blocked(client: &mut Client, count: usize) {
    eventually(LIMIT, &format!("{count} clients are blocked"), || {
        blocked(client) == count
    });
}

fn id(client: &mut Client) -> String {
    let id = client.cmd(&["CLIENT", "ID"]).integer();
    id.expect("an id").to_string()
}

#[test]
fn first_come_first_served_and_nothing_is_seen_in_between() {
    for dispatch in DISPATCHES {
        let server = server(dispatch);
        let mut other = server.client();
        let mut waiting: Vec<Client> = (0..3).map(|_| server.client()).collect();
        for (n, client) in waiting.iter_mut().enumerate() {
            client.send(&["BLPOP", "a", "b", "0"]);
            until_blocked(&mut other, n + 1);
        }
        // One command, one element: the list is gone again before the next command.
        other.send(&["RPUSH", "b", "1"]);
        other.send(&["LLEN", "b"]);
        other.send(&["EXISTS", "b"]);
        assert_eq!(other.read_reply().raw, b":1\r\n");
        assert_eq!(other.read_reply().raw, b":0\r\n");
        assert_eq!(other.read_reply().raw, b":0\r\n");
        assert_eq!(waiting[0].read_reply().raw, b"*2\r\n$1\r\nb\r\n$1\r\n1\r\n");
        other.expect(&["RPUSH", "a", "2", "3", "4"], ":3\r\n");
        assert_eq!(waiting[1].read_reply().raw, b"*2\r\n$1\r\na\r\n$1\r\n2\r\n");
        assert_eq!(waiting[2].read_reply().raw, b"*2\r\n$1\r\na\r\n$1\r\n3\r\n");
        other.expect(&["LRANGE", "a", "0", "-1"], "*1\r\n$1\r\n4\r\n");
        assert_eq!(blocked(&mut other), 0);
    }
}

#[test]
fn a_transaction_is_over_before_anybody_is_served() {
    for dispatch in DISPATCHES {
        let server = server(dispatch);
        let (mut waiting, mut other) = (server.client(), server.client());
        waiting.send(&["BLPOP", "a", "0"]);
        until_blocked(&mut other, 1);
        other.expect(&["MULTI"], "+OK\r\n");
        other.expect(&["RPUSH", "a", "1"], "+QUEUED\r\n");
        other.expect(&["DEL", "a"], "+QUEUED\r\n");
        other.expect(&["EXEC"], "*2\r\n:1\r\n:1\r\n");
        assert!(waiting.stays_silent(SILENCE), "served what was gone");
        other.expect(&["MULTI"], "+OK\r\n");
        other.expect(&["RPUSH", "a", "1"], "+QUEUED\r\n");
        other.expect(&["LPUSH", "a", "0"], "+QUEUED\r\n");
        other.expect(&["EXEC"], "*2\r\n:1\r\n:2\r\n");
        assert_eq!(waiting.read_reply().raw, b"*2\r\n$1\r\na\r\n$1\r\n0\r\n");
    }
}

/// Every way in which a key can come to hold a list, a sorted set or a stream.
#[test]
fn whatever_makes_data_appear_wakes() {
    let ways: &[(&str, &[&str], &[&str])] = &[
        ("BLPOP a 0", &["RPUSH b 1"], &["LMOVE b a LEFT LEFT"]),
        ("BLPOP a 0", &["RPUSH b 1"], &["RPOPLPUSH b a"]),
        ("BLPOP a 0", &["RPUSH b 1"], &["RENAME b a"]),
        ("BLPOP a 0", &["RPUSH b 1"], &["COPY b a"]),
        ("BLPOP a 0", &["RPUSH b 1"], &["SORT b STORE a"]),
        ("BLPOP a 0", &["SELECT 1", "RPUSH a 1"], &["MOVE a 0"]),
        ("BLPOP a 0", &["SELECT 1", "RPUSH a 1"], &["SWAPDB 0 1"]),
        ("BLPOP a 0", &[], &["LPUSH a 1"]),
        ("BLPOP a 0", &[], &["SET a y", "DEL a", "LPUSH a 1"]),
        ("BRPOP a 0", &[], &["LPUSH a 1 2"]),
        ("BLMOVE a d LEFT RIGHT 0", &[], &["LPUSH a 1"]),
        ("BRPOPLPUSH a d 0", &[], &["LPUSH a 1"]),
        ("BLMPOP 0 2 x a LEFT COUNT 2", &[], &["LPUSH a 1 2 3"]),
        ("BZPOPMIN a 0", &[], &["ZADD a 1 m"]),
        ("BZPOPMAX a 0", &[], &["ZADD a 1 m"]),
        ("BZMPOP 0 2 x a MAX", &[], &["ZADD a 1 m"]),
        ("BZPOPMIN a 0", &["ZADD b 1 m"], &["ZUNIONSTORE a 1 b"]),
        ("BZPOPMIN a 0", &["ZADD b 1 m"], &["ZRANGESTORE a b 0 -1"]),
        ("BZPOPMIN a 0", &[], &["GEOADD a 1 1 m"]),
        ("XREAD BLOCK 0 STREAMS a $", &[], &["XADD a * f v"]),
        (
            "XREAD BLOCK 0 STREAMS a 0",
            &["XADD b * f v"],
            &["RENAME b a"],
        ),
    ];
    for dispatch in DISPATCHES {
        let server = server(dispatch);
        let words = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
        for (wait, before, after) in ways {
            let (mut waiting, mut other) = (server.client(), server.client());
            other.cmd(&["FLUSHALL"]);
            before.iter().for_each(|line| {
                other.cmd(&words(line));
            });
            waiting.send(&words(wait));
            until_blocked(&mut other, 1);
            for line in *after {
                let reply = other.cmd(&words(line));
                assert!(!matches!(reply, Reply::Error(_)), "{line}: {reply:?}");
            }
            let got = waiting.read_reply().reply;
            assert!(
                !matches!(got, Reply::Nil | Reply::Error(_)),
                "{wait} {after:?}: {got:?}"
            );
            assert_eq!(blocked(&mut other), 0, "{wait} {after:?}");
        }
    }
}

#[test]
fn a_wait_ends_by_time_by_call_and_by_going_away() {
    for dispatch in DISPATCHES {
        let server = server(dispatch);
        let (mut waiting, mut other) = (server.client(), server.client());
        waiting.expect(&["BLPOP", "a", "0.01"], "*-1\r\n");
        waiting.expect(&["XREAD", "BLOCK", "5", "STREAMS", "s", "$"], "*-1\r\n");
        waiting.expect(&["WAIT", "1", "5"], ":0\r\n");
        let id = id(&mut waiting);
        other.expect(&["CLIENT", "UNBLOCK", &id], ":0\r\n");
        waiting.send(&["BLPOP", "a", "0"]);
        waiting.send(&["PING"]);
        until_blocked(&mut other, 1);
        other.expect(&["CLIENT", "UNBLOCK", &id], ":1\r\n");
        assert_eq!(waiting.read_reply().raw, b"*-1\r\n");
        assert_eq!(waiting.read_reply().raw, b"+PONG\r\n");
        waiting.send(&["BZPOPMIN", "a", "0"]);
        until_blocked(&mut other, 1);
        other.expect(&["CLIENT", "UNBLOCK", &id, "ERROR"], ":1\r\n");
        let refused = waiting.read_reply().reply.text();
        assert_eq!(refused, "UNBLOCKED client unblocked via CLIENT UNBLOCK");
        // Who has gone takes nothing along.
        waiting.send(&["BLPOP", "a", "0"]);
        until_blocked(&mut other, 1);
        drop(waiting);
        until_blocked(&mut other, 0);
        other.expect(&["RPUSH", "a", "1"], ":1\r\n");
        other.expect(&["LPOP", "a"], "$1\r\n1\r\n");
    }
}

#[test]
fn a_group_reader_learns_that_stream_or_group_is_gone() {
    for dispatch in DISPATCHES {
        let server = server(dispatch);
        let (mut waiting, mut other) = (server.client(), server.client());
        let read = [
            "XREADGROUP",
            "GROUP",
            "g",
            "me",
            "BLOCK",
            "0",
            "STREAMS",
            "s",
            ">",
        ];
        for gone in [
            &["DEL", "s"][..],
            &["XGROUP", "DESTROY", "s", "g"],
            &["FLUSHALL"],
            &["PEXPIRE", "s", "1"],
            &["SET", "s", "x"],
        ] {
            other.cmd(&["DEL", "s"]);
            other.expect(&["XGROUP", "CREATE", "s", "g", "$", "MKSTREAM"], "+OK\r\n");
            waiting.send(&read);
            until_blocked(&mut other, 1);
            other.cmd(gone);
            let told = waiting.read_reply().reply.text();
            let want = if gone[0] == "SET" {
                "WRONGTYPE"
            } else {
                "NOGROUP"
            };
            assert!(told.starts_with(want), "{gone:?}: {told}");
        }
        other.cmd(&["DEL", "s"]);
        other.expect(&["XGROUP", "CREATE", "s", "g", "$", "MKSTREAM"], "+OK\r\n");
        waiting.send(&read);
        until_blocked(&mut other, 1);
        other.expect(&["XADD", "s", "1-1", "f", "v"], "$3\r\n1-1\r\n");
        let got = waiting.read_reply().raw;
        assert_eq!(
            got,
            b"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
        );
    }
}

const WAITING: usize = 1000;
const PUSHERS: usize = 4;
const PUSHED: usize = 300;

/// A thousand blocked clients and racing pushes, kills, calls and timeouts: every
/// element is received once or still in its list.
fn race(test: &str, dispatch: &str) {
    let server = server(dispatch);
    let seed = Rng::seed_from_env(test);
    let mut rng = Rng::stream(seed, 0);
    let mut waiting: Vec<Client> = (0..WAITING).map(|_| server.client()).collect();
    let ids: Vec<String> = waiting.iter_mut().map(id).collect();
    let moves: Vec<bool> = waiting
        .iter_mut()
        .map(|one| wait_at_random(one, &mut rng))
        .collect();
    let killed = thread::scope(|scope| {
        for n in 0..PUSHERS {
            let (mut client, mut rng) = (server.client(), Rng::stream(seed, 1 + n as u64));
            scope.spawn(move || push_at_random(&mut client, n, &mut rng));
        }
        let (mut client, mut rng) = (server.client(), Rng::stream(seed, 99));
        let ids = &ids;
        let calls = scope.spawn(move || {
            let mut killed = 0;
            for _ in 0..200 {
                let id = &ids[rng.below(WAITING)];
                if rng.one_in(10) {
                    let reply = client.cmd(&["CLIENT", "KILL", "ID", id]);
                    killed += reply.integer().expect("a count");
                } else {
                    client.cmd(&["CLIENT", "UNBLOCK", id]);
                }
            }
            killed
        });
        calls.join().expect("the calls are answered")
    });
    let mut other = server.client();
    // Who still waits is called off, so that all have been answered or closed.
    for id in &ids {
        other.cmd(&["CLIENT", "UNBLOCK", id]);
    }
    let mut times: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let mut closed = 0;
    for (client, moves) in waiting.iter_mut().zip(moves) {
        match client.try_read() {
            Ok(answer) if !moves => note(&answer.reply, &mut times),
            Ok(_) => {}
            Err(_) => closed += 1,
        }
    }
    for key in KEYS.iter().chain(&["moved"]) {
        let Reply::Array(left) = other.cmd(&["LRANGE", key, "0", "-1"]) else {
            panic!("not a list");
        };
        for element in left {
            *times.entry(element.text().into_bytes()).or_default() += 1;
        }
    }
    println!(
        "{test}: {killed} killed, {closed} closed, {} elements",
        times.len()
    );
    assert!(times.values().all(|&times| times == 1), "given twice");
    // An element may be on its way to a client that is killed at that moment.
    let lost = PUSHERS * PUSHED - times.len();
    assert!(
        lost <= closed,
        "{lost} elements are lost, {closed} clients were closed"
    );
    assert_eq!(blocked(&mut other), 0);
}

const KEYS: [&str; 3] = ["k1", "k2", "k3"];

/// Sends a command that waits; whether it moves what it gets to another list.
fn wait_at_random(client: &mut Client, rng: &mut Rng) -> bool {
    let first = rng.below(3);
    let timeout = if rng.one_in(4) { "0.05" } else { "0" };
    let (a, b) = (KEYS[first], KEYS[(first + 1) % 3]);
    let kind = rng.below(3);
    match kind {
        0 => client.send(&["BLPOP", a, b, timeout]),
        1 => client.send(&["BRPOP", a, timeout]),
        _ => client.send(&["BLMOVE", a, "moved", "LEFT", "RIGHT", timeout]),
    }
    kind == 2
}

fn push_at_random(client: &mut Client, n: usize, rng: &mut Rng) {
    for i in 0..PUSHED {
        let element = format!("{n}:{i}");
        let push = if rng.one_in(2) { "LPUSH" } else { "RPUSH" };
        let reply = client.cmd(&[push, KEYS[rng.below(3)], &element]);
        assert!(reply.integer().is_some(), "{reply:?}");
    }
}

/// Notes the element of a reply, if it is one.
fn note(reply: &Reply, times: &mut BTreeMap<Vec<u8>, usize>) {
    if let Reply::Array(parts) = reply {
        *times.entry(parts[1].text().into_bytes()).or_default() += 1;
    }
}

#[test]
fn every_element_is_accounted_for_adaptive() {
    race("race_adaptive", "adaptive");
}

#[test]
fn every_element_is_accounted_for_pool() {
    race("race_pool", "pool");
}

#[test]
fn every_element_is_accounted_for_inline() {
    race("race_inline", "inline");
}
