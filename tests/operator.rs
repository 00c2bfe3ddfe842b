//! What the operator relies on, over real connections: logs of what was slow or large,
//! hot and big keys found by themselves, pauses that hold up nobody else, and limits on
//! the memory of clients.

mod support;

use std::time::Duration;

use support::{Client, Reply, Server, eventually};

/// How long anything may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);
/// Nothing comes within this time where nothing may come.
const QUIET: Duration = Duration::from_millis(150);

fn tests_a_peer() -> bool {
    let path = std::env::var("FLASHKV_TEST_SERVER").unwrap_or_default();
    ["redis", "valkey"].iter().any(|name| path.contains(name))
}

/// One field of INFO as a number.
fn info(client: &mut Client, field: &str) -> i64 {
    let text = client.cmd(&["INFO", "everything"]).text();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let value = value.unwrap_or_else(|| panic!("no field {field}"));
    value.parse().expect("a number")
}

fn words(reply: &Reply) -> Vec<String> {
    reply.items().iter().map(Reply::text).collect()
}

#[test]
fn slow_commands_are_logged_with_caller_and_wait() {
    let server = Server::with(&[
        "--slowlog-log-slower-than",
        "50000",
        "--enable-debug-command",
        "yes",
    ]);
    let mut client = server.client();
    client.cmd(&["CLIENT", "SETNAME", "sleeper"]);
    client.cmd(&["PING"]);
    client.cmd(&["DEBUG", "SLEEP", "0.1"]);
    let log = client.cmd(&["SLOWLOG", "GET"]);
    assert_eq!(log.items().len(), 1, "{log:?}");
    let entry = log.items()[0].items();
    assert!(
        entry[2].integer().is_some_and(|us| us >= 100_000),
        "{entry:?}"
    );
    assert_eq!(words(&entry[3]), ["DEBUG", "SLEEP", "0.1"]);
    assert!(entry[4].text().starts_with("127.0.0.1:"));
    assert_eq!(entry[5].text(), "sleeper");
    if tests_a_peer() {
        return;
    }
    // The second of a pipeline waits for the first.
    client.send_raw(b"DEBUG SLEEP 0.1\r\nDEBUG SLEEP 0.1\r\n");
    client.read_reply();
    client.read_reply();
    let details = client.cmd(&["SLOWLOG", "DETAILS", "1"]);
    let parts = details.items()[0].items();
    let waited = parts.iter().position(|part| part.text() == "waited-usec");
    let waited = parts[waited.expect("the part") + 1].integer();
    assert!(waited.is_some_and(|us| us >= 100_000), "{parts:?}");
}

#[test]
fn commands_of_a_transaction_are_logged_one_by_one() {
    let server = Server::with(&[
        "--slowlog-log-slower-than",
        "50000",
        "--enable-debug-command",
        "yes",
    ]);
    let mut client = server.client();
    client.cmd(&["MULTI"]);
    client.cmd(&["DEBUG", "SLEEP", "0.1"]);
    client.cmd(&["EXEC"]);
    let log = client.cmd(&["SLOWLOG", "GET"]);
    assert_eq!(log.items().len(), 1, "{log:?}");
    assert_eq!(words(&log.items()[0].items()[3]), ["DEBUG", "SLEEP", "0.1"]);
}

#[test]
fn secrets_are_not_logged() {
    let server = Server::with(&["--slowlog-log-slower-than", "0"]);
    let mut client = server.client();
    client.cmd(&["SLOWLOG", "RESET"]);
    client.cmd(&["CONFIG", "SET", "requirepass", "topsecret"]);
    client.cmd(&["AUTH", "topsecret"]);
    client.cmd(&["AUTH", "default", "topsecret"]);
    client.cmd(&["HELLO", "2", "AUTH", "default", "topsecret"]);
    let log = client.cmd(&["SLOWLOG", "GET"]);
    assert_eq!(log.items().len(), 5, "{log:?}");
    let shown: Vec<_> = log
        .items()
        .iter()
        .map(|entry| words(&entry.items()[3]))
        .collect();
    assert!(!format!("{shown:?}").contains("topsecret"), "{shown:?}");
    assert_eq!(shown[2], ["AUTH", "(redacted)"]);
}

#[test]
fn large_requests_and_replies_are_logged() {
    if tests_a_peer() {
        return println!("skipped: COMMANDLOG is not Redis's");
    }
    let server = Server::start();
    let mut client = server.client();
    let value = "x".repeat(2 << 20);
    client.cmd(&["SET", "small", "x"]);
    client.cmd(&["SET", "large", &value]);
    client.cmd(&["GET", "small"]);
    client.cmd(&["GET", "large"]);
    for (kind, command) in [("large-request", "SET"), ("large-reply", "GET")] {
        let log = client.cmd(&["COMMANDLOG", "GET", "-1", kind]);
        assert_eq!(log.items().len(), 1, "{kind}: {log:?}");
        let entry = log.items()[0].items();
        assert!(
            entry[2].integer().is_some_and(|bytes| bytes >= 2 << 20),
            "{entry:?}"
        );
        assert_eq!(words(&entry[3])[..2], [command, "large"]);
    }
    // In a transaction as well.
    client.cmd(&["COMMANDLOG", "RESET", "large-request"]);
    client.cmd(&["MULTI"]);
    client.cmd(&["SET", "large", &value]);
    client.cmd(&["SET", "small", "x"]);
    client.cmd(&["EXEC"]);
    let log = client.cmd(&["COMMANDLOG", "GET", "-1", "large-request"]);
    assert_eq!(words(&log.items()[0].items()[3])[..2], ["SET", "large"]);
}

#[test]
fn latency_events_of_commands() {
    let server = Server::with(&[
        "--latency-monitor-threshold",
        "50",
        "--enable-debug-command",
        "yes",
    ]);
    let mut client = server.client();
    client.cmd(&["DEBUG", "SLEEP", "0.1"]);
    let latest = client.cmd(&["LATENCY", "LATEST"]);
    assert_eq!(latest.items()[0].items()[0].text(), "command");
    assert!(
        latest.items()[0].items()[2]
            .integer()
            .is_some_and(|ms| ms >= 100)
    );
    assert!(
        client
            .cmd(&["LATENCY", "GRAPH", "command"])
            .text()
            .starts_with("command - high ")
    );
    assert_eq!(client.cmd(&["LATENCY", "RESET"]).integer(), Some(1));
}

#[test]
fn hot_and_big_keys_are_found() {
    if tests_a_peer() {
        return println!("skipped: HOTKEYS is not Redis's");
    }
    for dispatch in ["adaptive", "pool"] {
        let server = Server::with(&["--dispatch", dispatch]);
        let mut client = server.client();
        for i in 0..500 {
            client.cmd(&["SET", &format!("key:{i}"), "v"]);
        }
        let members: Vec<String> = (0..2000).map(|i| format!("member:{i}")).collect();
        let mut command = vec!["SADD", "the-big-one"];
        command.extend(members.iter().map(String::as_str));
        client.cmd(&command);
        let gets = "GET the-hot-one\r\n".repeat(500);
        for _ in 0..4 {
            client.send_raw(gets.as_bytes());
            (0..500).for_each(|_| drop(client.read_reply()));
        }
        let hot = client.cmd(&["HOTKEYS", "GET", "COUNT", "1"]);
        let first = hot.items()[0].items();
        assert_eq!(first[1].text(), "the-hot-one", "{hot:?}");
        eventually(LIMIT, "the big key is found", || {
            let big = client.cmd(&["HOTKEYS", "BIG", "COUNT", "1"]);
            let first = big.items().first().map(|key| key.items()[1].text());
            first.as_deref() == Some("the-big-one")
        });
        // What is deleted is forgotten with the next round.
        client.cmd(&["DEL", "the-big-one"]);
        eventually(LIMIT, "the deleted key is gone", || {
            !format!("{:?}", client.cmd(&["HOTKEYS", "BIG"])).contains("the-big-one")
        });
    }
}

#[test]
fn a_pause_holds_up_writers_alone() {
    for dispatch in ["adaptive", "pool", "inline"] {
        let server = Server::with(&["--dispatch", dispatch]);
        let (mut operator, mut writer) = (server.client(), server.client());
        let mut reader = server.client();
        operator.cmd(&["SET", "k", "old"]);
        operator.cmd(&["CLIENT", "PAUSE", "600000", "WRITE"]);
        // What comes before the write is answered, what comes after waits with it.
        writer.send_raw(b"GET k\r\nSET k new\r\nGET k\r\n");
        assert_eq!(writer.read_reply().reply.text(), "old");
        assert!(writer.stays_silent(QUIET));
        assert_eq!(reader.cmd(&["GET", "k"]).text(), "old");
        assert!(reader.cmd(&["SET", "k"]).is_error());
        eventually(LIMIT, "one client is blocked", || {
            info(&mut operator, "blocked_clients") == 1
        });
        operator.cmd(&["CLIENT", "UNPAUSE"]);
        assert_eq!(writer.read_reply().reply.text(), "OK");
        assert_eq!(writer.read_reply().reply.text(), "new");
        eventually(LIMIT, "nobody is blocked", || {
            info(&mut operator, "blocked_clients") == 0
        });
    }
}

#[test]
fn a_pause_of_all_ends_by_itself() {
    let server = Server::start();
    let (mut operator, mut other) = (server.client(), server.client());
    other.cmd(&["PING"]);
    // The pause begins with the very next command of the pipeline.
    operator.send_raw(b"CLIENT PAUSE 300 ALL\r\nPING\r\n");
    assert_eq!(operator.read_reply().reply.text(), "OK");
    let started = std::time::Instant::now();
    assert_eq!(operator.read_reply().reply.text(), "PONG");
    assert!(
        started.elapsed() >= Duration::from_millis(100),
        "it did not wait"
    );
    assert_eq!(other.cmd(&["PING"]).text(), "PONG");
}

#[test]
fn transactions_wait_for_the_end_of_a_pause_if_they_write() {
    let server = Server::start();
    let (mut operator, mut writer, mut reader) =
        (server.client(), server.client(), server.client());
    writer.cmd(&["MULTI"]);
    writer.cmd(&["SET", "k", "v"]);
    operator.cmd(&["CLIENT", "PAUSE", "600000", "WRITE"]);
    writer.send_raw(b"EXEC\r\n");
    assert!(writer.stays_silent(QUIET));
    reader.cmd(&["MULTI"]);
    reader.cmd(&["GET", "k"]);
    assert_eq!(reader.cmd(&["EXEC"]).items(), [Reply::Nil]);
    operator.cmd(&["CLIENT", "UNPAUSE"]);
    assert_eq!(writer.read_reply().reply.items().len(), 1);
}

#[test]
fn nothing_expires_during_a_pause() {
    let server = Server::start();
    let mut client = server.client();
    client.cmd(&["SET", "k", "v", "PX", "20"]);
    client.cmd(&["CLIENT", "PAUSE", "600000", "WRITE"]);
    let before = info(&mut client, "expired_keys");
    eventually(LIMIT, "the key is invisible", || {
        client.cmd(&["GET", "k"]) == Reply::Nil
    });
    assert_eq!(info(&mut client, "expired_keys"), before);
    client.cmd(&["CLIENT", "UNPAUSE"]);
    eventually(LIMIT, "the key is removed", || {
        info(&mut client, "expired_keys") == before + 1
    });
}

#[test]
fn a_paused_client_can_be_killed() {
    let server = Server::start();
    let (mut operator, mut writer) = (server.client(), server.client());
    let id = writer
        .cmd(&["CLIENT", "ID"])
        .integer()
        .expect("an id")
        .to_string();
    operator.cmd(&["CLIENT", "PAUSE", "600000", "WRITE"]);
    writer.send_raw(b"SET k v\r\n");
    eventually(LIMIT, "one client is blocked", || {
        info(&mut operator, "blocked_clients") == 1
    });
    operator.cmd(&["CLIENT", "KILL", "ID", &id]);
    assert!(writer.read_to_close(LIMIT).expect("the end").is_empty());
    eventually(LIMIT, "nobody is blocked", || {
        info(&mut operator, "blocked_clients") == 0
    });
    operator.cmd(&["CLIENT", "UNPAUSE"]);
    assert_eq!(operator.cmd(&["EXISTS", "k"]).integer(), Some(0));
}

#[test]
fn the_largest_clients_go_when_all_are_too_large() {
    let server = Server::with(&["--maxmemory-clients", "24mb"]);
    let mut operator = server.client();
    operator.cmd(&["CLIENT", "NO-EVICT", "on"]);
    let (mut small, mut large, mut spared) = (server.client(), server.client(), server.client());
    small.cmd(&["PING"]);
    spared.cmd(&["CLIENT", "NO-EVICT", "on"]);
    // Arguments that do not end: their buffers stay.
    let part = "x".repeat(5 << 20);
    spared.send_raw(format!("*2\r\n$4\r\nECHO\r\n$6000000\r\n{part}").as_bytes());
    let _ = large.try_send(b"*2\r\n$4\r\nECHO\r\n$100000000\r\n");
    // It may be gone before it has sent all.
    let _ = (0..8).try_for_each(|_| large.try_send(part.as_bytes()));
    eventually(LIMIT, "one client is evicted", || {
        info(&mut operator, "evicted_clients") == 1
    });
    let end = large.read_to_close(LIMIT).expect("the end");
    assert!(end.is_empty());
    assert_eq!(small.cmd(&["PING"]).text(), "PONG");
    spared.send_raw("x".repeat(6_000_000 - part.len()).as_bytes());
    spared.send_raw(b"\r\n");
    let echoed = spared.read_reply().reply;
    assert_eq!(echoed.bytes().map(<[u8]>::len), Some(6_000_000));
}

#[test]
fn values_have_limits_if_wanted() {
    if tests_a_peer() {
        return println!("skipped: Redis has no such limits");
    }
    let server = Server::with(&["--max-value-bytes", "10", "--max-collection-elements", "3"]);
    let mut client = server.client();
    let refused = |reply: Reply| reply.text().starts_with("LIMIT ");
    assert_eq!(client.cmd(&["SET", "k", "0123456789"]).text(), "OK");
    assert!(refused(client.cmd(&["SET", "k", "0123456789a"])));
    assert!(client.cmd(&["APPEND", "k", "a"]).is_error());
    assert!(client.cmd(&["SETRANGE", "k", "10", "a"]).is_error());
    assert!(refused(client.cmd(&["RPUSH", "list", "0123456789a"])));
    assert_eq!(
        client.cmd(&["RPUSH", "list", "a", "b", "c"]).integer(),
        Some(3)
    );
    assert!(refused(client.cmd(&["RPUSH", "list", "d"])));
    assert!(refused(client.cmd(&["SADD", "set", "a", "b", "c", "d"])));
    assert_eq!(
        client.cmd(&["HSET", "h", "a", "1", "b", "2"]).integer(),
        Some(2)
    );
    assert!(refused(client.cmd(&["HSET", "h", "c", "1", "d", "2"])));
    assert_eq!(client.cmd(&["HSET", "h", "c", "1"]).integer(), Some(1));
    // In a transaction the refusal is the reply of its command alone.
    client.cmd(&["MULTI"]);
    client.cmd(&["RPUSH", "list", "d"]);
    client.cmd(&["LPOP", "list"]);
    client.cmd(&["RPUSH", "list", "d"]);
    let replies = client.cmd(&["EXEC"]);
    assert!(replies.items()[0].is_error(), "{replies:?}");
    assert_eq!(replies.items()[2].integer(), Some(3));
    client.cmd(&["CONFIG", "SET", "value-limits-action", "warn"]);
    assert_eq!(client.cmd(&["RPUSH", "list", "e"]).integer(), Some(4));
    assert!(
        server.log().contains("max-collection-elements (3)"),
        "{}",
        server.log()
    );
}
