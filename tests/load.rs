//! Many clients at once: what they do together adds up exactly, nobody sees half
//! of a command, and clients that die in the middle take nothing with them.
//!
//! Bounded in count, not in time: a slow machine takes longer and proves the same.

mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use support::{Client, Reply, Rng, Server, encode, eventually, run_bounded, skip_or_fail};

const CLIENTS: usize = 500;
const THREADS: usize = 10;
const ROUNDS: usize = 8;
const DEPTH: usize = 50;
const COUNTERS: usize = 7;
const LISTS: usize = 5;
/// Keys that are only ever set together, to one and the same value.
const TWINS: usize = 8;

const IDLE: usize = 10_000;
const ACTIVE: usize = 50;
/// Files that this process needs for its ends of the connections, and the server,
/// which is a process of its own with the same limit, for its ends.
const FILES_NEEDED: u64 = (IDLE + ACTIVE + 200) as u64;

/// What the commands that were answered must have done.
#[derive(Default)]
struct Ledger {
    increments: HashMap<usize, i64>,
    pushes: HashMap<usize, i64>,
}

impl Ledger {
    fn merge(&mut self, other: Ledger) {
        for (key, count) in other.increments {
            *self.increments.entry(key).or_default() += count;
        }
        for (key, count) in other.pushes {
            *self.pushes.entry(key).or_default() += count;
        }
    }
}

/// What a reply has to look like.
enum Expect {
    Integer,
    Ok,
    /// All elements are the same.
    Alike,
    Any,
}

fn twins(name: &str, value: Option<&str>) -> Vec<String> {
    let mut args = vec![name.to_string()];
    for number in 0..TWINS {
        args.push(format!("twin:{number}"));
        args.extend(value.map(str::to_string));
    }
    args
}

/// One random command, entered into the ledger.
fn command(rng: &mut Rng, ledger: &mut Ledger) -> (Vec<u8>, Expect) {
    match rng.below(8) {
        0..=2 => {
            let counter = rng.below(COUNTERS);
            *ledger.increments.entry(counter).or_default() += 1;
            (
                encode(&["INCR", &format!("counter:{counter}")]),
                Expect::Integer,
            )
        }
        3 => {
            let list = rng.below(LISTS);
            *ledger.pushes.entry(list).or_default() += 2;
            (
                encode(&["RPUSH", &format!("list:{list}"), "a", "b"]),
                Expect::Integer,
            )
        }
        4 => (
            encode(&twins("MSET", Some(&rng.next_u64().to_string()))),
            Expect::Ok,
        ),
        5 => (encode(&twins("MGET", None)), Expect::Alike),
        6 => (
            encode(&["SET", &format!("key:{}", rng.below(10_000)), "value"]),
            Expect::Ok,
        ),
        _ => (
            encode(&["GET", &format!("key:{}", rng.below(10_000))]),
            Expect::Any,
        ),
    }
}

/// One pipeline of random commands on one client, its replies checked.
fn pipeline(client: &mut Client, rng: &mut Rng, ledger: &mut Ledger) {
    let mut bytes = Vec::new();
    let mut expected = Vec::new();
    for _ in 0..DEPTH {
        let (command, expect) = command(rng, ledger);
        bytes.extend_from_slice(&command);
        expected.push(expect);
    }
    client.send_raw(&bytes);
    for expect in expected {
        let answer = client.read_reply();
        match expect {
            Expect::Integer => assert!(answer.reply.integer().is_some(), "{answer}"),
            Expect::Ok => assert_eq!(answer.raw, b"+OK\r\n"),
            Expect::Alike => {
                let items = answer.reply.items();
                assert_eq!(items.len(), TWINS);
                assert!(
                    items.iter().all(|item| item == &items[0]),
                    "MSET half seen: {answer}"
                );
            }
            Expect::Any => assert!(!answer.reply.is_error(), "{answer}"),
        }
    }
}

fn check_totals(server: &Server, ledger: &Ledger) {
    let mut client = server.client();
    for (counter, total) in &ledger.increments {
        let total = total.to_string();
        let key = format!("counter:{counter}");
        client.expect(&["GET", &key], format!("${}\r\n{total}\r\n", total.len()));
    }
    for (list, length) in &ledger.pushes {
        client.expect(&["LLEN", &format!("list:{list}")], format!(":{length}\r\n"));
    }
}

/// All the clients of one thread, a pipeline on each in turn.
fn drive(server: &Server, seed: u64, thread: usize) -> Ledger {
    let mut rng = Rng::stream(seed, thread as u64);
    let mut ledger = Ledger::default();
    let mut clients: Vec<Client> = (0..CLIENTS / THREADS).map(|_| server.client()).collect();
    for _ in 0..ROUNDS {
        for client in &mut clients {
            pipeline(client, &mut rng, &mut ledger);
        }
    }
    ledger
}

fn five_hundred_clients(test: &str, dispatch: &str) {
    let server = Server::with(&["--dispatch", dispatch, "--workers", "2"]);
    let seed = Rng::seed_from_env(test);
    let mut ledger = Ledger::default();
    thread::scope(|scope| {
        let drivers: Vec<_> = (0..THREADS)
            .map(|number| {
                scope.spawn({
                    let server = &server;
                    move || drive(server, seed, number)
                })
            })
            .collect();
        for driver in drivers {
            ledger.merge(driver.join().expect("no client saw anything wrong"));
        }
    });
    check_totals(&server, &ledger);
}

#[test]
fn five_hundred_clients_adaptive() {
    five_hundred_clients("five_hundred_clients_adaptive", "adaptive");
}

#[test]
fn five_hundred_clients_pool() {
    five_hundred_clients("five_hundred_clients_pool", "pool");
}

#[test]
fn five_hundred_clients_inline() {
    five_hundred_clients("five_hundred_clients_inline", "inline");
}

/// Clients that send a pipeline and vanish, some in the middle of a command, while
/// others count exactly.
#[test]
fn clients_that_die() {
    const DEATHS: usize = 300;
    let server = Server::start();
    let seed = Rng::seed_from_env("clients_that_die");
    let done = AtomicBool::new(false);
    let mut ledger = Ledger::default();
    thread::scope(|scope| {
        let survivor = scope.spawn(|| {
            let mut rng = Rng::stream(seed, 1);
            let mut ledger = Ledger::default();
            let mut client = server.client();
            while !done.load(Ordering::Relaxed) {
                pipeline(&mut client, &mut rng, &mut ledger);
            }
            ledger
        });
        let mut rng = Rng::stream(seed, 0);
        for _ in 0..DEATHS {
            let mut victim = server.client();
            let mut bytes = encode(&["MGET", "twin:0", "twin:1"]).repeat(rng.below(200));
            bytes.extend_from_slice(&encode(&["SET", "doomed", "value"]));
            bytes.truncate(bytes.len() - rng.below(20));
            // Unread replies in its buffer make the kernel reset the connection.
            victim.send_raw(&bytes);
        }
        done.store(true, Ordering::Relaxed);
        ledger = survivor.join().expect("the survivor saw nothing wrong");
    });
    check_totals(&server, &ledger);
    server.client().expect(&["PING"], "+PONG\r\n");
}

/// How many files this process may open; children inherit the same limit.
/// A reply far larger than what is sent in one turn arrives whole, to a client that
/// reads at once and to one that lets the sockets fill up first. It is made of many
/// parts, so that a turn may end while the socket would take more.
#[test]
fn large_replies_arrive_whole() {
    const FULL_LIMIT: Duration = Duration::from_secs(20);
    const VALUE: usize = 40_000;
    for dispatch in ["adaptive", "pool"] {
        let server = Server::with(&["--dispatch", dispatch]);
        let mut client = server.client();
        client.expect(&["SET".as_bytes(), b"big", &[b'v'; VALUE]], "+OK\r\n");
        for count in [1, 26, 27, 1000] {
            let mut mget = vec!["MGET"];
            mget.resize(1 + count, "big");
            let is_whole = |reply: Reply| {
                let items = reply.items();
                let all = items
                    .iter()
                    .all(|item| item.bytes().map(<[u8]>::len) == Some(VALUE));
                items.len() == count && all
            };
            assert!(is_whole(client.cmd(&mget)), "{count} values at once");
            client.send(&mget);
            client.send(&mget);
            if count == 1000 {
                let full = || {
                    let list = server.client().cmd(&["CLIENT", "LIST"]).text();
                    list.lines().any(|line| !line.contains(" oll=0 "))
                };
                eventually(FULL_LIMIT, "the sockets are full", full);
            }
            for _ in 0..2 {
                assert!(is_whole(client.read_reply().reply), "{count} values late");
            }
        }
    }
}

fn open_files_max() -> u64 {
    let mut command = std::process::Command::new("sh");
    let limit = std::time::Duration::from_secs(10);
    let output = run_bounded(command.args(["-c", "ulimit -n"]), b"", limit);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // "unlimited" is no number, and more than enough.
    text.trim().parse().unwrap_or(u64::MAX)
}

#[test]
fn ten_thousand_idle_and_fifty_active() {
    if open_files_max() < FILES_NEEDED {
        return skip_or_fail(&format!("ulimit -n is below {FILES_NEEDED}"));
    }
    let server = Server::with(&["--maxclients", "10100"]);
    server.client().expect(&["PING"], "+PONG\r\n");
    let before = server.resident_bytes();
    let mut idle: Vec<Client> = (0..IDLE).map(|_| server.client()).collect();
    for client in &mut idle {
        client.expect(&["PING"], "+PONG\r\n");
    }
    if let (Some(before), Some(after)) = (before, server.resident_bytes()) {
        let each = after.saturating_sub(before) / IDLE as u64;
        println!("{IDLE} idle connections: {each} bytes of resident memory each");
    }
    let seed = Rng::seed_from_env("ten_thousand_idle_and_fifty_active");
    let started = Instant::now();
    let mut rng = Rng::stream(seed, 0);
    let mut ledger = Ledger::default();
    let mut active: Vec<Client> = (0..ACTIVE).map(|_| server.client()).collect();
    for _ in 0..ROUNDS {
        for client in &mut active {
            pipeline(client, &mut rng, &mut ledger);
        }
    }
    println!(
        "{} commands beside them in {:?}",
        ACTIVE * ROUNDS * DEPTH,
        started.elapsed()
    );
    check_totals(&server, &ledger);
    for client in idle.iter_mut().step_by(97) {
        client.expect(&["PING"], "+PONG\r\n");
    }
}
