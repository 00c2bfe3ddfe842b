//! MONITOR: who monitors is told of every command, once, in the order in which the data
//! has seen them, behind its own replies; secrets are not shown; who does not read is closed.

mod support;

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use support::{Client, Reply, Server, eventually};

/// How long anything may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);
const MODES: [&str; 3] = ["adaptive", "pool", "inline"];
/// Elements that are too many for the reactor to read.
const LARGE: usize = 5000;
const WRITERS: usize = 4;
const WRITES: usize = 200;
const READS: usize = 40;

fn tests_a_peer() -> bool {
    let path = std::env::var("FLASHKV_TEST_SERVER").unwrap_or_default();
    ["redis", "valkey"].iter().any(|name| path.contains(name))
}

/// A server of this dispatch mode, which no other server has.
fn server(mode: &str) -> Server {
    if tests_a_peer() {
        Server::start()
    } else {
        Server::with(&["--dispatch", mode])
    }
}

fn monitor(server: &Server) -> Client {
    let mut client = server.client();
    assert_eq!(client.cmd(&["MONITOR"]).text(), "OK");
    client
}

/// What the next line tells beside the time.
fn told(client: &mut Client) -> String {
    let line = client.read_reply().reply.text();
    let (time, rest) = line.split_once(' ').expect("time and rest");
    assert!(time.parse::<f64>().is_ok_and(|time| time > 1e9), "{line}");
    rest.to_owned()
}

/// The words of the next line, of whomever.
fn told_words(client: &mut Client) -> String {
    let line = told(client);
    let (_, words) = line.split_once("] ").expect("place and words");
    words.to_owned()
}

#[test]
fn every_command_is_told_when_it_runs() {
    for mode in MODES {
        let server = server(mode);
        let mut other = server.client();
        other.cmd(&["PING"]);
        let mut monitors = [monitor(&server), monitor(&server)];
        assert!(other.cmd(&["CLIENT", "LIST"]).text().contains("flags=O"));
        other.cmd(&["SET", "a\"b", "\r\n\u{1}"]);
        other.cmd(&["GET"]);
        other.cmd(&["CONFIG", "GET", "maxclients"]);
        other.cmd(&["AUTH", "secret"]);
        other.cmd(&["HELLO", "2", "AUTH", "user", "secret"]);
        other.cmd(&["MULTI"]);
        other.cmd(&["SELECT", "1"]);
        other.cmd(&["INCR", "n"]);
        other.cmd(&["MONITOR"]);
        let replies = other.cmd(&["EXEC"]);
        let denied = replies.items()[2].text();
        assert!(denied.contains("DENY BLOCKING"), "{replies:?}");
        // It waits, is told once, and is served by one that is told too.
        other.send(&["BLPOP", "list", "0"]);
        let mut pusher = server.client();
        eventually(LIMIT, "it waits", || {
            (pusher.cmd(&["CLIENT", "LIST"]).text()).contains("cmd=blpop")
        });
        pusher.cmd(&["SELECT", "1"]);
        pusher.cmd(&["RPUSH", "list", "v"]);
        assert_eq!(other.read_reply().reply.items().len(), 2);
        other.cmd(&["ECHO", "end"]);
        let address = |client: &Client| client.stream().local_addr().expect("an address");
        let [place, pushers] = [&other, &pusher].map(address);
        let wanted = [
            (0, place, r#""SET" "a\"b" "\r\n\x01""#),
            (0, place, r#""AUTH" "(redacted)""#),
            (0, place, r#""HELLO" "2" "AUTH" "(redacted)" "(redacted)""#),
            (0, place, r#""MULTI""#),
            (1, place, r#""SELECT" "1""#),
            (1, place, r#""INCR" "n""#),
            (1, place, r#""EXEC""#),
            (1, place, r#""BLPOP" "list" "0""#),
            (1, pushers, r#""SELECT" "1""#),
            (1, pushers, r#""RPUSH" "list" "v""#),
            (1, place, r#""ECHO" "end""#),
        ];
        for (db, place, words) in wanted {
            for monitor in &mut monitors {
                assert_eq!(told(monitor), format!("[{db} {place}] {words}"));
            }
        }
    }
}

#[test]
fn the_end_of_a_transaction_is_told_even_if_it_is_refused() {
    let server = Server::start();
    let (mut monitor, mut other) = (monitor(&server), server.client());
    other.cmd(&["MULTI"]);
    assert!(other.cmd(&["NO-SUCH-COMMAND"]).is_error());
    assert!(other.cmd(&["EXEC"]).text().starts_with("EXECABORT"));
    other.cmd(&["MULTI"]);
    other.cmd(&["SET", "k", "v"]);
    assert!(other.cmd(&["EXEC", "now"]).text().starts_with("EXECABORT"));
    other.cmd(&["MULTI"]);
    other.cmd(&["SET", "k", "v"]);
    other.cmd(&["DISCARD"]);
    for words in [
        r#""MULTI""#,
        r#""EXEC""#,
        r#""MULTI""#,
        r#""EXEC" "now""#,
        r#""MULTI""#,
        r#""DISCARD""#,
    ] {
        assert_eq!(told_words(&mut monitor), words);
    }
}

#[test]
fn who_monitors_is_told_behind_its_replies_until_reset() {
    for mode in MODES {
        let server = server(mode);
        let (mut monitor, mut other) = (server.client(), server.client());
        monitor
            .send_raw(b"MONITOR\r\nPING one\r\nMONITOR\r\nPING two\r\nGET k\r\nRESET\r\nGET k\r\n");
        assert_eq!(monitor.read_reply().reply.text(), "OK");
        assert_eq!(monitor.read_reply().reply.text(), "one");
        assert_eq!(told_words(&mut monitor), r#""PING" "one""#);
        // The second MONITOR is not answered, as in Redis.
        assert_eq!(monitor.read_reply().reply.text(), "two");
        assert_eq!(told_words(&mut monitor), r#""PING" "two""#);
        let refused = monitor.read_reply().reply.text();
        assert_eq!(refused, "ERR Replica can't interact with the keyspace");
        assert_eq!(monitor.read_reply().reply.text(), "RESET");
        assert_eq!(monitor.read_reply().reply, Reply::Nil);
        other.cmd(&["SET", "k", "v"]);
        assert_eq!(monitor.cmd(&["GET", "k"]).text(), "v");
        assert!(!other.cmd(&["CLIENT", "LIST"]).text().contains("flags=O"));
    }
}

#[test]
fn who_monitors_is_not_paused() {
    // It ends with the pause: Redis lets nobody end it.
    let server = Server::start();
    let (mut monitor, mut operator) = (monitor(&server), server.client());
    operator.cmd(&["CLIENT", "PAUSE", "600000", "ALL"]);
    assert_eq!(monitor.cmd(&["PING"]).text(), "PONG");
    assert_eq!(told_words(&mut monitor), r#""PING""#);
}

#[test]
fn who_monitors_is_not_idle() {
    let server = Server::with(&["--timeout", "1"]);
    let (mut monitor, mut operator) = (monitor(&server), server.client());
    let mut idle = server.client();
    idle.cmd(&["PING"]);
    assert_eq!(told_words(&mut monitor), r#""PING""#);
    eventually(LIMIT, "the idle client is closed", || {
        operator.cmd(&["CLIENT", "LIST"]).text().lines().count() == 2
    });
    operator.cmd(&["ECHO", "still"]);
    assert_eq!(told_words(&mut monitor), r#""ECHO" "still""#);
}

#[test]
fn who_does_not_read_is_closed_and_hinders_nobody() {
    for mode in MODES {
        let server = server(mode);
        let mut other = server.client();
        other.cmd(&[
            "CONFIG",
            "SET",
            "client-output-buffer-limit",
            "normal 1000000 0 0",
        ]);
        let mut silent = monitor(&server);
        let value = "x".repeat(10_000);
        // More than the buffers of the kernel take, too.
        eventually(LIMIT, "it is closed", || {
            for _ in 0..100 {
                assert_eq!(other.cmd(&["SET", "k", &value]).text(), "OK");
            }
            !other.cmd(&["CLIENT", "LIST"]).text().contains("flags=O")
        });
        assert!(silent.read_to_close(LIMIT).is_ok());
        assert_eq!(other.cmd(&["GET", "k"]).text(), value);
    }
}

/// Sets a key to values of its own, and notes what was there before each.
fn swaps(mut client: Client, writer: usize) -> HashMap<String, String> {
    let mut before = HashMap::new();
    for n in 0..WRITES {
        let value = format!("{writer}-{n}");
        before.insert(value.clone(), client.cmd(&["GETSET", "k", &value]).text());
        client.cmd(&["RPUSH", "list", &value]);
    }
    before
}

/// How many elements each reading of the whole list has found.
fn readings(mut client: Client) -> Vec<usize> {
    let read = |_| client.cmd(&["LRANGE", "list", "0", "-1"]).items().len();
    (0..READS).map(read).collect()
}

#[test]
fn commands_are_told_in_the_order_in_which_the_data_has_seen_them() {
    for mode in MODES {
        let server = server(mode);
        let mut setup = server.client();
        setup.cmd(&["SET", "k", "first"]);
        let elements = (0..LARGE).map(|n| format!("element:{n}"));
        let push: Vec<String> = ["RPUSH".to_owned(), "list".to_owned()]
            .into_iter()
            .chain(elements)
            .collect();
        setup.cmd(&push);
        let mut monitor = monitor(&server);
        let (before, seen) = thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|n| (n, server.client()))
                .map(|(n, client)| scope.spawn(move || swaps(client, n)))
                .collect();
            let client = server.client();
            let reader = scope.spawn(move || readings(client));
            let before: HashMap<String, String> = (writers.into_iter())
                .flat_map(|writer| writer.join().expect("no panic"))
                .collect();
            (before, reader.join().expect("no panic"))
        });
        setup.cmd(&["ECHO", "end"]);
        let (mut value, mut pushed, mut reads) = ("first".to_owned(), LARGE, seen.iter());
        loop {
            let words = told_words(&mut monitor);
            let words: Vec<&str> = words
                .split(' ')
                .map(|word| word.trim_matches('"'))
                .collect();
            match words[..] {
                ["GETSET", "k", next] => {
                    assert_eq!(before[next], value);
                    value = next.to_owned();
                }
                ["RPUSH", ..] => pushed += 1,
                ["LRANGE", ..] => assert_eq!(reads.next(), Some(&pushed), "{mode}"),
                _ => break,
            }
        }
        assert_eq!(pushed, LARGE + WRITERS * WRITES);
        assert_eq!(reads.next(), None);
    }
}
