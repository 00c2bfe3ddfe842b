//! Limits on what clients may hold and how long they may stay, over real connections:
//! who exceeds them is closed, everybody else goes on, and no limit is for another's
//! memory.

mod support;

use std::time::Duration;

use support::{Client, Server, encode, eventually};

/// How long anything may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);
const MB: u64 = 1 << 20;

fn tests_a_peer() -> bool {
    let path = std::env::var("FLASHKV_TEST_SERVER").unwrap_or_default();
    ["redis", "valkey"].iter().any(|name| path.contains(name))
}

fn info(client: &mut Client, field: &str) -> u64 {
    let text = client.cmd(&["INFO", "everything"]).text();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let value = line.unwrap_or_else(|| panic!("INFO has no {field}"));
    value.parse().expect("a number")
}

/// A field of CLIENT LIST, of the client with this name.
fn listed(observer: &mut Client, name: &str, field: &str) -> Option<u64> {
    let text = observer.cmd(&["CLIENT", "LIST"]).text();
    let line = (text.lines()).find(|line| line.contains(&format!(" name={name} ")))?;
    let value = (line.split(' ')).find_map(|word| word.strip_prefix(field)?.strip_prefix('='));
    value?.parse().ok()
}

fn named(server: &Server, name: &str) -> Client {
    let mut client = server.client();
    client.expect(&["CLIENT", "SETNAME", name], "+OK\r\n");
    client
}

#[test]
fn who_says_nothing_for_too_long_is_closed() {
    let server = Server::start();
    let mut subscriber = named(&server, "subscriber");
    subscriber.cmd(&["SUBSCRIBE", "news"]);
    let mut waiting = named(&server, "waiting");
    waiting.send(&["BLPOP", "list", "0"]);
    let mut idle = named(&server, "idle");
    let mut observer = server.client();
    observer.expect(&["CONFIG", "SET", "timeout", "1"], "+OK\r\n");
    // Asking is what keeps the observer.
    eventually(LIMIT, "the idle client is closed", || {
        listed(&mut observer, "idle", "id").is_none()
    });
    assert!(idle.read_to_close(LIMIT).expect("the end").is_empty());
    // Those have been quiet for longer.
    observer.expect(&["PUBLISH", "news", "x"], ":1\r\n");
    assert_eq!(subscriber.read_reply().reply.items().len(), 3);
    observer.expect(&["RPUSH", "list", "x"], ":1\r\n");
    assert_eq!(waiting.read_reply().reply.items().len(), 2);
    observer.expect(&["CONFIG", "SET", "timeout", "0"], "+OK\r\n");
}

/// The kernel's timer of the server's end of a connection: which one, and in how many
/// hundredths of a second.
fn timer(client: &Client) -> (u8, u64) {
    let ours = client.stream().local_addr().expect("an address").port();
    let theirs = client.stream().peer_addr().expect("an address").port();
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux's table");
    let end = |port: u16| format!("0100007F:{port:04X}");
    let line = (table.lines())
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|words| words[1] == end(theirs) && words[2] == end(ours));
    let line = line.expect("the connection");
    let (which, when) = line[5].split_once(':').expect("two numbers");
    let number = |text| u64::from_str_radix(text, 16).expect("a number");
    (number(which) as u8, number(when))
}

#[test]
#[cfg(target_os = "linux")]
fn quiet_connections_are_probed_as_configured() {
    const KEEPALIVE: u8 = 2;
    let server = Server::start();
    let mut observer = server.client();
    for (secs, wanted) in [("300", Some(300)), ("60", Some(60)), ("0", None)] {
        observer.expect(&["CONFIG", "SET", "tcp-keepalive", secs], "+OK\r\n");
        let mut client = server.client();
        client.expect(&["PING"], "+PONG\r\n");
        // A delayed acknowledgement may have its time first.
        eventually(LIMIT, "the timer is set", || {
            let (which, when) = timer(&client);
            match wanted {
                Some(secs) => which == KEEPALIVE && when <= secs * 100 && when > (secs - 40) * 100,
                None => which == 0,
            }
        });
    }
}

/// Sends commands, whose replies need not come, until the client is gone.
fn send_until_closed(client: &mut Client, mut command: impl FnMut(usize) -> Vec<u8>) {
    const COMMANDS_MAX: usize = 500_000;
    for n in (0..COMMANDS_MAX).step_by(100) {
        let bytes: Vec<u8> = (n..n + 100).flat_map(&mut command).collect();
        if client.try_send(&bytes).is_err() {
            return;
        }
    }
    panic!("it may have as much as it likes");
}

#[test]
fn all_that_a_client_has_kept_for_it_counts() {
    let server = Server::start();
    let mut observer = named(&server, "observer");
    observer.expect(&["CLIENT", "NO-EVICT", "on"], "+OK\r\n");
    let name = |n: usize| format!("{n:06}");
    let queued = |n: usize| encode(&["SET", &name(n), "some value"]);
    let watched = |n: usize| encode(&["WATCH", &name(n)]);
    let channel = |n: usize| encode(&["SUBSCRIBE", &name(n)]);
    let pattern = |n: usize| encode(&["PSUBSCRIBE", &name(n)]);
    let shard = |n: usize| encode(&["SSUBSCRIBE", &name(n)]);
    let prefix = |n: usize| encode(&["CLIENT", "TRACKING", "on", "BCAST", "PREFIX", &name(n)]);
    type Make<'a> = &'a dyn Fn(usize) -> Vec<u8>;
    let kinds: [(&str, Make<'_>); 6] = [
        ("queued", &queued),
        ("watched", &watched),
        ("channels", &channel),
        ("patterns", &pattern),
        ("shards", &shard),
        ("prefixes", &prefix),
    ];
    for (evicted, (kind, make)) in kinds.into_iter().enumerate() {
        observer.expect(&["CONFIG", "SET", "maxmemory-clients", "0"], "+OK\r\n");
        let mut client = named(&server, kind);
        let before = listed(&mut observer, kind, "tot-mem");
        // Prefixes are for RESP3.
        client.cmd(&["HELLO", "3"]);
        if kind == "queued" {
            client.expect(&["MULTI"], "+OK\r\n");
        }
        client.send_raw(&(0..10).flat_map(make).collect::<Vec<u8>>());
        (0..10).for_each(|_| drop(client.read_reply()));
        eventually(LIMIT, &format!("{kind} count"), || {
            listed(&mut observer, kind, "tot-mem") > before.map(|bytes| bytes + 100)
        });
        observer.expect(&["CONFIG", "SET", "maxmemory-clients", "300kb"], "+OK\r\n");
        send_until_closed(&mut client, make);
        eventually(LIMIT, &format!("{kind} are evicted"), || {
            info(&mut observer, "evicted_clients") == evicted as u64 + 1
        });
    }
}

#[test]
fn a_share_of_a_share_is_a_limit_too() {
    if tests_a_peer() {
        return println!("skipped: peers take no share of the machine");
    }
    let server = Server::with(&["--maxmemory", "1%", "--maxmemory-clients", "1%"]);
    let mut observer = server.client();
    observer.expect(&["CLIENT", "NO-EVICT", "on"], "+OK\r\n");
    let limit = info(&mut observer, "maxmemory") / 100;
    let mut client = server.client();
    let _ = client.try_send(format!("*2\r\n$4\r\nECHO\r\n${}\r\n", 2 * limit).as_bytes());
    let part = vec![b'x'; limit as usize / 4];
    let _ = (0..7).try_for_each(|_| client.try_send(&part));
    eventually(LIMIT, "the client is evicted", || {
        info(&mut observer, "evicted_clients") == 1
    });
}

#[test]
fn a_limit_that_is_lowered_holds_at_once() {
    let server = Server::start();
    let mut observer = server.client();
    observer.expect(&["CLIENT", "NO-EVICT", "on"], "+OK\r\n");
    let mut client = named(&server, "large");
    client.send_raw(format!("*2\r\n$2000000\r\n{}", "x".repeat(1_000_000)).as_bytes());
    eventually(LIMIT, "it has arrived", || {
        listed(&mut observer, "large", "qbuf") >= Some(1_000_000)
    });
    observer.expect(&["CONFIG", "SET", "maxmemory-clients", "500kb"], "+OK\r\n");
    assert_eq!(listed(&mut observer, "large", "id"), None);
}

#[test]
fn what_is_queued_and_watched_evicts_no_keys() {
    let server = Server::with(&[
        "--save",
        "",
        "--maxmemory",
        "10mb",
        "--maxmemory-policy",
        "allkeys-lru",
    ]);
    if tests_a_peer() {
        return println!("skipped: what clients hold evicts keys there");
    }
    let mut observer = server.client();
    let value = vec![b'v'; 100_000];
    for key in 0..50 {
        observer.expect(&[b"SET", key.to_string().as_bytes(), &value], "+OK\r\n");
    }
    let mut client = named(&server, "keeper");
    for n in 0..2_000 {
        client.expect(&["WATCH", &format!("no-such-key:{n}")], "+OK\r\n");
    }
    client.expect(&["MULTI"], "+OK\r\n");
    for _ in 0..120 {
        client.expect(&[&b"SET"[..], b"k", &value], "+QUEUED\r\n");
    }
    assert!(listed(&mut observer, "keeper", "multi-mem") >= Some(12_000_000));
    assert!(info(&mut observer, "mem_not_counted_for_evict") > 11 * MB);
    observer.expect(&["SET", "small", "x"], "+OK\r\n");
    assert_eq!(info(&mut observer, "evicted_keys"), 0);
    client.expect(&["DISCARD"], "+OK\r\n");
    eventually(LIMIT, "it is given back", || {
        listed(&mut observer, "keeper", "tot-mem") < Some(100_000)
    });
}

#[test]
fn a_reply_without_an_end_ends_at_the_limit() {
    let server = Server::with(&["--client-output-buffer-limit", "normal 1mb 0 0"]);
    let mut observer = server.client();
    let peak = info(&mut observer, "used_memory_peak");
    observer.cmd(&["HSET", "hash", "field", "value"]);
    observer.cmd(&["SADD", "set", "member"]);
    observer.cmd(&["ZADD", "zset", "1", "member"]);
    for (command, key) in [
        ("HRANDFIELD", "hash"),
        ("SRANDMEMBER", "set"),
        ("ZRANDMEMBER", "zset"),
    ] {
        let mut client = server.client();
        client.send(&[command, key, "-999999999"]);
        let rest = client.read_to_close(LIMIT).expect("the end");
        assert!(rest.is_empty(), "{command}: {} bytes", rest.len());
    }
    let more = info(&mut observer, "used_memory_peak") - peak;
    assert!(more < 20 * MB, "{more}");
    // In a transaction all commands run, and nothing of it is replied.
    let mut client = server.client();
    for command in [
        &["MULTI"][..],
        &["SRANDMEMBER", "set", "-300000"],
        &["SET", "done", "1"],
    ] {
        client.cmd(command);
    }
    client.send(&["EXEC"]);
    assert!(client.read_to_close(LIMIT).expect("the end").is_empty());
    observer.expect(&["GET", "done"], "$1\r\n1\r\n");
}

#[test]
fn who_reads_too_slowly_for_too_long_is_closed() {
    let server = Server::with(&["--client-output-buffer-limit", "normal 0 100kb 1"]);
    let mut observer = server.client();
    observer.expect(&["SET", "k", &"x".repeat(100_000)], "+OK\r\n");
    let mut slow = named(&server, "slow");
    let mut quick = named(&server, "quick");
    // More than sockets take.
    let requests = encode(&["GET", "k"]).repeat(300);
    slow.send_raw(&requests);
    quick.send_raw(&requests);
    (0..300).for_each(|_| drop(quick.read_reply()));
    eventually(LIMIT, "the slow client is closed", || {
        listed(&mut observer, "slow", "id").is_none()
    });
    quick.expect(&["PING"], "+PONG\r\n");
}

#[test]
fn a_large_value_takes_what_it_has() {
    let server = Server::with(&["--save", ""]);
    let mut client = server.client();
    for len in [300_000, 3_000_000] {
        client.expect(&["FLUSHALL", "SYNC"], "+OK\r\n");
        let before = info(&mut client, "used_memory");
        for key in 0..20 {
            let key = format!("key:{key}");
            client.expect(&["SET", &key, &"x".repeat(len)], "+OK\r\n");
        }
        let each = (info(&mut client, "used_memory") - before) / 20;
        assert!(each < len as u64 * 13 / 10, "{each} for {len}");
    }
}
