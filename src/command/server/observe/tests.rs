//! The operator's commands, over what the tests put into the logs and tables.

use crate::command::Table;
use crate::command::testing::server::{NOW, Server};
use crate::config::Id;
use crate::metrics::commandlog::{Entry, Kind};
use crate::resp::Version;

fn entry(value: u64, args: &[&str]) -> Entry {
    Entry {
        id: 0,
        unix_secs: 1_700_000_000,
        value,
        waited_us: 7,
        args: args.iter().map(|arg| arg.as_bytes().to_vec()).collect(),
        address: "127.0.0.1:9".to_owned(),
        client_name: b"me".to_vec(),
    }
}

#[test]
fn slowlog() {
    let mut server = Server::new();
    assert_eq!(server.run("slowlog get"), "*0\r\n");
    for value in 1..=12 {
        let log = server.services.observed.logs.of(Kind::Slow);
        log.add(entry(value, &["get", "k"]), 128);
    }
    assert_eq!(server.run("slowlog len"), ":12\r\n");
    assert!(server.run("slowlog get").starts_with("*10\r\n"));
    assert!(server.run("slowlog get -1").starts_with("*12\r\n"));
    assert_eq!(
        server.run("slowlog get 1"),
        "*1\r\n*6\r\n:11\r\n:1700000000\r\n:12\r\n*2\r\n$3\r\nget\r\n$1\r\nk\r\n\
         $11\r\n127.0.0.1:9\r\n$2\r\nme\r\n"
    );
    assert_eq!(
        server.run("slowlog get -2"),
        "-ERR count should be greater than or equal to -1\r\n"
    );
    assert!(
        server
            .run("slowlog details 1")
            .contains("waited-usec\r\n:7\r\n")
    );
    assert_eq!(server.run("slowlog reset"), "+OK\r\n");
    assert_eq!(server.run("slowlog len"), ":0\r\n");
}

#[test]
fn commandlog_has_three_logs() {
    let mut server = Server::new();
    let log = server.services.observed.logs.of(Kind::LargeReply);
    log.add(entry(5, &["get", "k"]), 128);
    assert_eq!(server.run("commandlog len large-reply"), ":1\r\n");
    assert_eq!(server.run("commandlog len LARGE-REQUEST"), ":0\r\n");
    assert_eq!(server.run("commandlog len slow"), ":0\r\n");
    assert!(
        server
            .run("commandlog get -1 large-reply")
            .starts_with("*1\r\n*6\r\n:0\r\n")
    );
    assert!(
        server
            .run("commandlog len odd")
            .starts_with("-ERR type should be")
    );
    assert_eq!(server.run("commandlog reset large-reply"), "+OK\r\n");
    assert_eq!(server.run("commandlog len large-reply"), ":0\r\n");
}

#[test]
fn latency_events() {
    let mut server = Server::new();
    assert!(server.run("latency doctor").contains("monitor is off"));
    server.run("config set latency-monitor-threshold 10");
    assert!(server.run("latency doctor").contains("No event"));
    let latency = &server.services.observed.latency;
    latency.record("command", NOW / 1000 - 5, 40);
    latency.record("command", NOW / 1000, 30);
    let at = NOW / 1000;
    assert_eq!(
        server.run("latency latest"),
        format!("*1\r\n*4\r\n$7\r\ncommand\r\n:{at}\r\n:30\r\n:40\r\n")
    );
    assert!(
        server
            .run("latency history command")
            .starts_with("*2\r\n*2\r\n")
    );
    assert_eq!(server.run("latency history other"), "*0\r\n");
    assert!(
        server
            .run("latency graph command")
            .contains("high 40 ms, low 30 ms")
    );
    assert_eq!(
        server.run("latency graph other"),
        "-ERR No samples available for event 'other'\r\n"
    );
    assert!(server.run("latency doctor").contains("command: 2 spikes"));
    assert_eq!(server.run("latency reset other"), ":0\r\n");
    assert_eq!(server.run("latency reset"), ":1\r\n");
}

#[test]
fn latency_histogram_counts_up() {
    let mut server = Server::new();
    assert_eq!(server.run("latency histogram get"), "*0\r\n");
    let get = Table::get().find(b"get").unwrap();
    let counters = server.metrics().command(get.index.into());
    let times = counters.times.get_or_init(Box::default);
    let us = crate::base::sys::ticks_per_us();
    for time in [0.5, 0.5, 3.0, 1000.0] {
        times.record((time * us) as u64);
    }
    server.version = Version::Resp3;
    let told = server.run("latency histogram GET nosuch");
    assert!(told.starts_with("%1\r\n$3\r\nget\r\n%2\r\n$5\r\ncalls\r\n:4\r\n$14\r\nhistogram_usec\r\n%3\r\n:1\r\n:2\r\n:4\r\n:3\r\n"), "{told}");
    assert!(told.ends_with(":4\r\n"), "{told}");
}

#[test]
fn hot_and_big_keys() {
    let mut server = Server::with(&[(Id::DATABASES, "16")]);
    assert_eq!(server.run("hotkeys get"), "*0\r\n");
    let hot = &server.services.observed.hot_keys;
    (0..3).for_each(|_| hot.sample(2, 1, b"k", NOW));
    hot.sample(2, 2, b"j", NOW);
    assert_eq!(
        server.run("hotkeys get count 1"),
        "*1\r\n*10\r\n$3\r\nkey\r\n$1\r\nk\r\n$2\r\ndb\r\n:2\r\n$5\r\ncalls\r\n:192\r\n\
         $5\r\nerror\r\n:0\r\n$7\r\npercent\r\n$2\r\n75\r\n"
    );
    assert_eq!(
        server.run("hotkeys get count x"),
        "-ERR count should be 0 or more\r\n"
    );
    assert_eq!(server.run("hotkeys get 3"), "-ERR syntax error\r\n");
    assert_eq!(server.run("hotkeys reset"), "+OK\r\n");
    assert_eq!(server.run("hotkeys get"), "*0\r\n");
    assert_eq!(server.run("hotkeys big"), "*0\r\n");
}
