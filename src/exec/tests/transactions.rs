//! Transactions on both lanes: which of them the reactor runs, what a held shard
//! does, and that a watch ends with its connection.

use super::*;
use crate::store::{Footprint, Locks, Patience};

#[test]
fn light_transactions_are_run_where_they_were_read_and_heavy_ones_in_the_pool() {
    let host = Host::new();
    let mut light = batch(&[
        "MULTI",
        "SET a 1",
        "LPUSH l x",
        "MGET a b",
        "LPOP l",
        "EXEC",
    ]);
    let want = "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n\
                *4\r\n+OK\r\n:1\r\n*2\r\n$1\r\n1\r\n$-1\r\n$1\r\nx\r\n";
    assert_eq!(run(&host, Lane::Light, &mut light), want);
    assert_eq!((light.halt, light.waiting()), (None, 0));
    for heavy in ["KEYS *", "LPOP l 5", "SMEMBERS s", "SORT l"] {
        let mut batch = batch(&["MULTI", "INCR n", heavy, "EXEC", "PING"]);
        let queued = run(&host, Lane::Light, &mut batch);
        assert_eq!(queued, "+OK\r\n+QUEUED\r\n+QUEUED\r\n", "{heavy}");
        assert_eq!((batch.halt, batch.waiting()), (Some(Halt::Slow), 2));
        batch.halt = None;
        let rest = run(&host, Lane::Pool, &mut batch);
        assert!(
            rest.starts_with("*2\r\n:") && rest.ends_with("+PONG\r\n"),
            "{rest}"
        );
    }
}

#[test]
fn a_held_shard_halts_a_transaction_before_its_first_command() {
    let host = Host::new();
    let held = host.services.keyspace.key(b"b");
    let mut footprint = Footprint::NONE;
    footprint.add(held.hash, true);
    let mut locks = Locks::new(&host.services.keyspace, Patience::Wait);
    locks.acquire(footprint);
    let mut one = batch(&["MULTI", "SET a 1", "SET b 1", "EXEC"]);
    let queued = "+OK\r\n+QUEUED\r\n+QUEUED\r\n";
    assert_eq!(run(&host, Lane::Light, &mut one), queued);
    assert_eq!((one.halt, one.waiting()), (Some(Halt::Busy), 1));
    assert_eq!(run(&host, Lane::Light, &mut batch(&["EXISTS a"])), ":0\r\n");
    locks.release();
    one.halt = None;
    assert_eq!(run(&host, Lane::Light, &mut one), "*2\r\n+OK\r\n+OK\r\n");
}

#[test]
fn a_watch_ends_with_its_connection() {
    let host = Host::new();
    let mut executor = host.executor(Lane::Light);
    let mut watching = batch(&["WATCH a b"]);
    assert_eq!(run(&host, Lane::Light, &mut watching), "+OK\r\n");
    assert!(host.services.keyspace.is_observed());
    let mut locks = Locks::new(&host.services.keyspace, Patience::Wait);
    locks.acquire(Footprint::ALL_READ);
    executor.part(watching.session);
    assert!(host.services.keyspace.is_observed(), "its shards are held");
    locks.release();
    executor.take_leave();
    assert!(!host.services.keyspace.is_observed());
}

#[test]
fn what_is_queued_is_bounded() {
    let host = Host::new();
    let limit = host
        .services
        .config
        .set(Id::CLIENT_QUERY_BUFFER_LIMIT, b"1mb");
    assert!(limit.is_ok());
    let value = "x".repeat(60_000);
    let set = format!("SET a {value}");
    let mut lines = vec!["MULTI"];
    lines.extend(std::iter::repeat_n(set.as_str(), 20));
    lines.extend(["EXEC", "EXISTS a"]);
    let text = run(&host, Lane::Light, &mut batch(&lines));
    assert!(text.contains("-ERR the transaction is too large"), "{text}");
    assert!(
        text.ends_with("-EXECABORT Transaction discarded because of previous errors.\r\n:0\r\n")
    );
}
