//! Key events of FlashKV and a real redis-server side by side: the same random commands
//! to both, the same events from both, in the same order.
//!
//! The commands are those of the differential tests. After each, what a subscriber to
//! all events has been told is compared; where the servers differ for a reason,
//! [`EXCEPTIONS`] says so. `FLASHKV_SEED` replays a failure.

mod support;

#[path = "differential/grammar.rs"]
mod grammar;
#[path = "differential/rules.rs"]
mod rules;
#[path = "differential/values.rs"]
#[allow(dead_code, reason = "some values are for other tests")]
mod values;

use std::time::Duration;

use grammar::{Grammar, Op, Step};
use support::{Client, Reply, Rng, Server, encode, escape, eventually};

/// Commands of a stream.
const OPS: usize = 12_000;
/// Commands sent before their events are compared.
const DEPTH: usize = 1;
/// Differences shown.
const SHOWN_MAX: usize = 20;
const LIMIT: Duration = Duration::from_secs(20);

/// Commands whose events differ for a reason, and what of them is left out.
struct Exception {
    #[allow(dead_code, reason = "the reason is for the reader of the table")]
    reason: &'static str,
    applies: fn(&Op) -> bool,
}

const EXCEPTIONS: &[Exception] = &[Exception {
    reason: "they change the connection that events are asked for through",
    applies: |op| {
        let name = op.name();
        matches!(
            name.as_str(),
            "CLIENT" | "RESET" | "HELLO" | "AUTH" | "CONFIG" | "QUIT"
        )
    },
}];

/// A server with somebody who works and somebody who listens.
struct Side {
    worker: Client,
    listener: Client,
}

impl Side {
    fn new(server: &Server, classes: &str) -> Side {
        let mut worker = server.client();
        worker.expect(
            &["CONFIG", "SET", "notify-keyspace-events", classes],
            "+OK\r\n",
        );
        let mut listener = server.client();
        listener.cmd(&["PSUBSCRIBE", "__key*__:*"]);
        listener.cmd(&["SUBSCRIBE", "end"]);
        Side { worker, listener }
    }

    /// The events that a command has caused, after its reply.
    fn run(&mut self, op: &Op) -> Vec<String> {
        self.worker.send_raw(&encode(&op.args));
        self.worker.read_reply();
        self.worker.expect(&["PUBLISH", "end", ""], ":1\r\n");
        let mut events = Vec::new();
        loop {
            let message = self.listener.read_reply().reply;
            let words: Vec<&[u8]> = message.items().iter().filter_map(Reply::bytes).collect();
            match words.as_slice() {
                [b"pmessage", _, channel, text] => {
                    events.push(format!("{} {}", escape(channel), escape(text)));
                }
                _ => return events,
            }
        }
    }
}

fn shown(op: &Op) -> String {
    let words: Vec<String> = op.args.iter().map(|arg| escape(arg)).collect();
    words.join(" ")
}

fn compare(test: &str, dispatch: &str, classes: &str) {
    let Some(redis) = Server::redis(&[]) else {
        return;
    };
    let ours = Server::with(&["--dispatch", dispatch, "--workers", "2"]);
    let (mut ours, mut theirs) = (Side::new(&ours, classes), Side::new(&redis, classes));
    let seed = Rng::seed_from_env(test);
    let mut grammar = Grammar::new(Rng::stream(seed, 0), "", true, 2);
    let mut differences = Vec::new();
    let mut compared = 0;
    while compared < OPS && differences.len() < SHOWN_MAX {
        let Step::Commands(ops) = grammar.step() else {
            continue;
        };
        for op in ops.iter().filter(|op| op.answered).take(DEPTH) {
            if EXCEPTIONS.iter().any(|exception| (exception.applies)(op)) {
                continue;
            }
            let (our_events, their_events) = (ours.run(op), theirs.run(op));
            compared += 1;
            if our_events != their_events {
                differences.push(format!(
                    "{}\n  ours:   {our_events:?}\n  theirs: {their_events:?}",
                    shown(op)
                ));
            }
        }
    }
    let text = differences.join("\n");
    assert!(differences.is_empty(), "FLASHKV_SEED={seed}\n{text}");
}

#[test]
fn adaptive_events() {
    compare("adaptive_events", "adaptive", "KEA");
}

#[test]
fn pool_events() {
    compare("pool_events", "pool", "EA");
}

#[test]
fn new_keys_and_misses() {
    compare("new_keys_and_misses", "adaptive", "Enm");
}

/// Expired keys are told of, whoever finds them: a reader, a writer or the timer.
#[test]
fn expired_keys_are_told_of() {
    for dispatch in ["adaptive", "pool", "inline"] {
        let server = Server::with(&["--dispatch", dispatch, "--workers", "2"]);
        let mut side = Side::new(&server, "Ex");
        for n in 0..20 {
            side.worker.cmd(&["SET", &format!("k{n}"), "v", "PX", "30"]);
        }
        eventually(LIMIT, "all keys are gone", || {
            (0..5).for_each(|n| {
                side.worker.cmd(&["GET", &format!("k{n}")]);
                side.worker.cmd(&["APPEND", &format!("k{}", n + 5), ""]);
            });
            side.worker.cmd(&["DBSIZE"]) == Reply::Integer(0)
        });
        let mut keys: Vec<String> = (0..20)
            .map(|_| side.listener.read_reply().reply.items()[3].text())
            .collect();
        keys.sort();
        let mut expected: Vec<String> = (0..20).map(|n| format!("k{n}")).collect();
        expected.sort();
        assert_eq!(keys, expected, "{dispatch}");
    }
}

/// The events of one key come in the order of its changes, whichever threads made them.
#[test]
fn events_of_a_key_are_in_order() {
    const CHANGES: usize = 2000;
    for dispatch in ["adaptive", "pool", "inline"] {
        let server = Server::with(&["--dispatch", dispatch, "--workers", "3"]);
        let mut side = Side::new(&server, "El");
        let port = server.port();
        std::thread::scope(|scope| {
            for command in ["RPUSH", "LPOP"] {
                scope.spawn(move || {
                    let mut client = Client::connect(port);
                    for _ in 0..CHANGES / 50 {
                        (0..50).for_each(|_| {
                            let words = ["RPUSH", "k", "v"];
                            client.send(if command == "RPUSH" {
                                &words
                            } else {
                                &["LPOP", "k"]
                            });
                        });
                        (0..50).for_each(|_| drop(client.read_reply()));
                    }
                });
            }
        });
        side.worker.cmd(&["PUBLISH", "end", ""]);
        let mut held = 0;
        loop {
            let message = side.listener.read_reply().reply;
            match message.items() {
                [_, _, channel, _] if channel.text().ends_with("rpush") => held += 1,
                [_, _, channel, _] if channel.text().ends_with("lpop") => {
                    held -= 1;
                    assert!(held >= 0, "{dispatch}: popped before it was pushed");
                }
                _ => break,
            }
        }
        let left = side.worker.cmd(&["LLEN", "k"]);
        assert_eq!(left, Reply::Integer(held), "{dispatch}");
    }
}
