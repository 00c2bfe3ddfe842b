//! Publish and subscribe over real connections: messages arrive, in one order for all,
//! never within a reply; who does not read is closed, who has gone is forgotten.

mod support;

use std::thread;
use std::time::Duration;

use support::{Client, Reply, Rng, Server, eventually};

const LIMIT: Duration = Duration::from_secs(20);
const MODES: [&str; 3] = ["adaptive", "pool", "inline"];

fn server(dispatch: &str) -> Server {
    Server::with(&["--dispatch", dispatch, "--workers", "2"])
}

/// A connection that has been told that it is subscribed.
fn subscriber(server: &Server, command: &str, name: &str) -> Client {
    let mut client = server.client();
    let reply = client.cmd(&[command, name]);
    assert_eq!(reply.items()[1].text(), name);
    client
}

/// The words of the next message.
fn message(client: &mut Client) -> Vec<String> {
    let reply = client.read_reply().reply;
    reply.items().iter().map(Reply::text).collect()
}

#[test]
fn messages_arrive_by_channel_pattern_and_shard_channel() {
    for mode in MODES {
        let server = server(mode);
        let mut channel = subscriber(&server, "SUBSCRIBE", "news");
        let mut pattern = subscriber(&server, "PSUBSCRIBE", "n*");
        let mut shard = subscriber(&server, "SSUBSCRIBE", "news");
        let mut resp3 = server.client();
        resp3.cmd(&["HELLO", "3"]);
        resp3.cmd(&["SUBSCRIBE", "news"]);
        let mut publisher = server.client();
        publisher.expect(&["PUBLISH", "news", "hello"], ":3\r\n");
        publisher.expect(&["SPUBLISH", "news", "shard"], ":1\r\n");
        assert_eq!(message(&mut channel), ["message", "news", "hello"]);
        assert_eq!(message(&mut pattern), ["pmessage", "n*", "news", "hello"]);
        assert_eq!(message(&mut shard), ["smessage", "news", "shard"]);
        let raw = resp3.read_reply().raw;
        assert_eq!(raw, b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n");
    }
}

/// Messages of every size, some of which are shared by all outputs.
#[test]
fn large_messages_arrive_whole() {
    let server = server("adaptive");
    let mut subscribers: Vec<Client> = (0..3)
        .map(|_| subscriber(&server, "SUBSCRIBE", "c"))
        .collect();
    let mut publisher = server.client();
    for size in [0, 1, 16_000, 16 * 1024, 70_000, 3 << 20] {
        let text = "x".repeat(size);
        publisher.expect(&["PUBLISH", "c", &text], ":3\r\n");
        for subscriber in &mut subscribers {
            assert_eq!(message(subscriber), ["message", "c", &text]);
        }
    }
}

#[test]
fn two_publishers_and_eight_subscribers_see_one_order() {
    const MESSAGES: usize = 3000;
    const DEPTH: usize = 50;
    for mode in MODES {
        let server = server(mode);
        let port = server.port();
        let subscribers: Vec<Client> = (0..8)
            .map(|n| subscriber(&server, ["SUBSCRIBE", "PSUBSCRIBE"][n % 2], "c"))
            .collect();
        let read = |mut client: Client| {
            let texts = (0..2 * MESSAGES).map(|_| message(&mut client).pop());
            texts.collect::<Option<Vec<String>>>()
        };
        let seen: Vec<_> = thread::scope(|scope| {
            let readers: Vec<_> = (subscribers.into_iter())
                .map(|client| scope.spawn(move || read(client)))
                .collect();
            for publisher in 0..2 {
                scope.spawn(move || {
                    let mut client = Client::connect(port);
                    for first in (0..MESSAGES).step_by(DEPTH) {
                        for n in first..first + DEPTH {
                            client.send(&["PUBLISH", "c", &format!("{publisher}:{n}")]);
                        }
                        for _ in 0..DEPTH {
                            assert_eq!(client.read_reply().reply, Reply::Integer(8));
                        }
                    }
                });
            }
            let joined = readers.into_iter().map(|reader| reader.join());
            joined.map(|seen| seen.expect("no panic")).collect()
        });
        let first = seen[0].clone().expect("texts");
        assert!(
            seen.iter().all(|texts| texts.as_ref() == Some(&first)),
            "{mode}"
        );
        for publisher in 0..2 {
            let own: Vec<&String> = (first.iter())
                .filter(|text| text.starts_with(&format!("{publisher}:")))
                .collect();
            let sent: Vec<String> = (0..MESSAGES).map(|n| format!("{publisher}:{n}")).collect();
            assert_eq!(own, sent.iter().collect::<Vec<_>>(), "{mode}");
        }
    }
}

/// While one publishes, another subscribes and unsubscribes, and asks for more beside
/// it: what it gets stands between confirmations and never within a reply.
#[test]
fn confirmations_enclose_messages() {
    const ROUNDS: usize = 300;
    for mode in MODES {
        let server = server(mode);
        let port = server.port();
        let seed = Rng::seed_from_env("confirmations_enclose_messages");
        let mut rng = Rng::new(seed);
        let mut noise = subscriber(&server, "SUBSCRIBE", "stop");
        thread::scope(|scope| {
            scope.spawn(move || {
                let mut publisher = Client::connect(port);
                let mut sent = 0;
                while publisher.cmd(&["PUBSUB", "NUMSUB", "stop"]).items()[1] != Reply::Integer(0) {
                    for _ in 0..20 {
                        publisher.cmd(&["PUBLISH", "c", &sent.to_string()]);
                        sent += 1;
                    }
                }
            });
            let mut client = server.client();
            client.cmd(&["HELLO", "3"]);
            let mut last = -1;
            for _ in 0..ROUNDS {
                client.send(&["SUBSCRIBE", "c"]);
                let pings = rng.below(5);
                (0..pings).for_each(|_| client.send(&["PING"]));
                client.send(&["UNSUBSCRIBE", "c"]);
                let mut pongs = 0;
                assert_eq!(message(&mut client)[0], "subscribe");
                loop {
                    let reply = client.read_reply().reply;
                    let items: Vec<String> = reply.items().iter().map(Reply::text).collect();
                    match items.first().map(String::as_str) {
                        Some("message") => {
                            let n: i64 = items[2].parse().expect("a number");
                            assert!(n > last, "{n} after {last}");
                            last = n;
                        }
                        Some("unsubscribe") => break,
                        _ => {
                            assert_eq!(reply, Reply::Simple(b"PONG".to_vec()));
                            pongs += 1;
                        }
                    }
                }
                assert_eq!(pongs, pings);
                client.expect(&["ECHO", "quiet"], "$5\r\nquiet\r\n");
            }
            noise.cmd(&["UNSUBSCRIBE", "stop"]);
        });
    }
}

#[test]
fn a_subscriber_that_does_not_read_is_closed() {
    for mode in MODES {
        let server = Server::with(&[
            "--dispatch",
            mode,
            "--workers",
            "2",
            "--client-output-buffer-limit",
            "pubsub 1mb 0 0",
        ]);
        let _slow = subscriber(&server, "SUBSCRIBE", "c");
        let mut publisher = server.client();
        let text = "x".repeat(10_000);
        eventually(LIMIT, "the slow subscriber is closed", || {
            publisher.cmd(&["PUBLISH", "c", &text]) == Reply::Integer(0)
        });
        let info = publisher.cmd(&["INFO", "stats"]).text();
        assert!(info.contains("client_output_buffer_limit_disconnections:1"));
        assert!(info.contains("pubsub_channels:0"));
    }
}

#[test]
fn who_has_gone_is_forgotten() {
    let server = server("adaptive");
    let mut watcher = server.client();
    let clients: Vec<Client> = (0..20)
        .map(|n| subscriber(&server, "PSUBSCRIBE", &format!("{n}*")))
        .collect();
    watcher.expect(&["PUBSUB", "NUMPAT"], ":20\r\n");
    drop(clients);
    eventually(LIMIT, "no pattern is left", || {
        watcher.cmd(&["PUBSUB", "NUMPAT"]) == Reply::Integer(0)
    });
}

/// A message of a worker wakes a sleeping reactor, and one that waits behind a slow
/// command of its subscriber comes after it.
#[test]
fn messages_pass_between_threads() {
    for mode in MODES {
        let server = Server::with(&[
            "--dispatch",
            mode,
            "--workers",
            "2",
            "--enable-debug-command",
            "yes",
        ]);
        let mut other = subscriber(&server, "SUBSCRIBE", "c");
        let mut busy = server.client();
        busy.cmd(&["HELLO", "3"]);
        busy.cmd(&["SUBSCRIBE", "c"]);
        busy.send(&["DEBUG", "SLEEP", "0.2"]);
        let mut publisher = server.client();
        for n in 0..50 {
            publisher.expect(&["PUBLISH", "c", &n.to_string()], ":2\r\n");
            assert_eq!(message(&mut other)[2], n.to_string());
        }
        let mut seen = Vec::new();
        let mut replied = false;
        while seen.len() < 50 || !replied {
            match busy.read_reply().reply {
                Reply::Push(items) => seen.push(items[2].text()),
                reply => replied = reply == Reply::Simple(b"OK".to_vec()),
            }
        }
        let expected: Vec<String> = (0..50).map(|n: i32| n.to_string()).collect();
        assert_eq!(seen, expected);
    }
}
