//! Key events of FlashKV and a real redis-server side by side: the same random commands
//! to both, the same events from both, in the same order.
//!
//! The commands are those of the differential tests. After each, what a subscriber to
//! all events has been told is compared; where the servers differ for a reason,
//! `EXCEPTIONS` says so. `FLASHKV_SEED` replays a failure.

mod support;

#[path = "differential/grammar.rs"]
#[allow(dead_code, reason = "some of it is for the other tests")]
mod grammar;
#[path = "differential/rules.rs"]
mod rules;
#[path = "differential/values.rs"]
#[allow(dead_code, reason = "some values are for other tests")]
mod values;

use std::collections::BTreeMap;
use std::time::Duration;

use grammar::{Grammar, Op, Step};
use support::{Client, Reply, Rng, Server, encode, escape, eventually};

/// Commands of a stream.
const OPS: usize = 12_000;
/// Differences shown.
const SHOWN_MAX: usize = 20;
const LIMIT: Duration = Duration::from_secs(20);

/// A liberty: which commands it is about, and which of their events are left out.
struct Exception {
    #[allow(dead_code, reason = "the reason is for the reader of the table")]
    reason: &'static str,
    applies: fn(&Op) -> bool,
    /// By the end of its channel.
    event: &'static str,
}

const EXCEPTIONS: &[Exception] = &[
    Exception {
        reason: "a string that grows for fields which then are not set is told of here; Redis \
            tells nobody, not even its replicas",
        applies: |op| op.name() == "BITFIELD",
        event: ":setbit",
    },
    Exception {
        reason: "7.2 makes a consumer when it asks, 7.0 when it is given something",
        applies: |op| matches!(op.name().as_str(), "XCLAIM" | "XAUTOCLAIM" | "XREADGROUP"),
        event: ":xgroup-createconsumer",
    },
    Exception {
        reason: "a consumer that only 7.2 has made is there to be deleted",
        applies: |op| op.name() == "XGROUP",
        event: ":xgroup-delconsumer",
    },
    Exception {
        reason: "and is not made once more",
        applies: |op| op.name() == "XGROUP",
        event: ":xgroup-createconsumer",
    },
    Exception {
        reason: "what reads images, or looks at a key before it reads it, misses nothing here; \
            Redis looks twice at what XREAD reads, and never at what OBJECT does",
        applies: |op| {
            let name = op.name();
            let walks = ["Z", "SORT", "BIT", "GEO", "X", "OBJECT", "LINDEX"];
            let scans = name.ends_with("SCAN");
            scans || walks.iter().any(|start| name.starts_with(start))
        },
        event: ":keymiss",
    },
];

/// Commands that change the connection through which events are asked for.
fn is_about_connection(op: &Op) -> bool {
    matches!(
        op.name().as_str(),
        "CLIENT" | "RESET" | "HELLO" | "AUTH" | "CONFIG" | "QUIT"
    )
}

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

    /// The events that a command has caused.
    fn run(&mut self, op: &Op) -> Vec<String> {
        self.worker.send_raw(&encode(&op.args));
        let refused = self.worker.read_reply().reply.is_error();
        self.worker.expect(&["PUBLISH", "end", ""], ":1\r\n");
        let left_out = |channel: &[u8]| {
            // When a key is found to have expired is each server's own affair, and what is
            // looked at before an argument is refused as well.
            channel.ends_with(b":expired")
                || refused && channel.ends_with(b":keymiss")
                || (EXCEPTIONS.iter()).any(|exception| {
                    channel.ends_with(exception.event.as_bytes()) && (exception.applies)(op)
                })
        };
        let mut events = Vec::new();
        loop {
            let message = self.listener.read_reply().reply;
            let words: Vec<&[u8]> = message.items().iter().filter_map(Reply::bytes).collect();
            match words.as_slice() {
                [b"pmessage", _, channel, text] => {
                    // The same event by its key, in the form of the other channel.
                    let other = [b":", *text].concat();
                    if !left_out(channel) && !left_out(&other) {
                        events.push(format!("{} {}", escape(channel), escape(text)));
                    }
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
    let mut differences = BTreeMap::new();
    let mut compared = 0;
    while compared < OPS && differences.len() < SHOWN_MAX {
        let Step::Commands(ops) = grammar.step() else {
            continue;
        };
        let compares = |op: &&Op| op.answered && !is_about_connection(op);
        for op in ops.iter().filter(compares) {
            let (our_events, their_events) = (ours.run(op), theirs.run(op));
            compared += 1;
            if our_events != their_events {
                // One of each kind is enough.
                let kind = (op.name(), our_events.len(), their_events.len());
                let text = format!(
                    "{}\n  ours:   {our_events:?}\n  theirs: {their_events:?}",
                    shown(op)
                );
                differences.entry(kind).or_insert(text);
            }
        }
    }
    let texts: Vec<String> = differences.into_values().collect();
    assert!(
        texts.is_empty(),
        "FLASHKV_SEED={seed}\n{}",
        texts.join("\n")
    );
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
                side.worker.cmd(&["HDEL", &format!("k{}", n + 5), "f"]);
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
