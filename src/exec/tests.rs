//! The executor without sockets: order, halts, gates, deferral, and several
//! threads of both lanes over one keyspace, with sums that must come out exactly.

use std::io::IoSlice;
use std::sync::Arc;

use super::batch::Nowhere;
use super::reaper::Reaper;
use super::{Batch, ConnId, Executor, Halt, Lane, Services};
use crate::base::clock;
use crate::base::rng::Rng;
use crate::clients::Clients;
use crate::command::MemoryUse;
use crate::config::{Config, Id};
use crate::control::Nobody;
use crate::resp::Limits;
use crate::resp::write::SLICES_MAX;
use crate::store::journal::Silent;

mod concurrent;
mod transactions;

/// What the executors of one server share.
struct Host {
    services: Arc<Services>,
    reaper: Reaper,
}

impl Host {
    fn new() -> Host {
        let config = Arc::new(Config::new());
        let services = Services::new(config, Arc::new(Nobody), 1, MemoryUse::default);
        Host {
            services: Arc::new(services),
            reaper: Reaper::start().expect("a thread for the reaper").0,
        }
    }

    fn executor(&self, lane: Lane) -> Executor {
        let services = Arc::clone(&self.services);
        let reaper = self.reaper.clone();
        Executor::new(services, Arc::new(Silent), reaper, Rng::seeded(1), lane)
    }
}

/// The batch of a new connection that has sent these inline commands.
fn batch(lines: &[&str]) -> Box<Batch> {
    let id = ConnId {
        slot: 0,
        generation: 0,
    };
    let mut batch = Box::new(Batch::new(id, Clients::detached(), true, Arc::new(Nowhere)));
    send(&mut batch, lines);
    batch
}

fn send(batch: &mut Batch, lines: &[&str]) {
    let limits = Limits {
        bulk_max: 512 << 20,
        authenticated: true,
    };
    batch
        .requests
        .feed(format!("{}\r\n", lines.join("\r\n")).as_bytes());
    batch.requests.parse(limits).expect("good requests");
}

/// Takes the replies written so far.
fn replies(batch: &mut Batch) -> String {
    let mut text = Vec::new();
    while !batch.reply.is_empty() {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let used = batch.reply.slices(&mut slices);
        let start = text.len();
        slices[..used]
            .iter()
            .for_each(|slice| text.extend_from_slice(slice));
        batch.reply.advance(text.len() - start);
    }
    String::from_utf8(text).expect("the tests send text")
}

/// Runs one batch on a lane and returns what it replied.
fn run(host: &Host, lane: Lane, batch: &mut Box<Batch>) -> String {
    host.executor(lane)
        .turn(std::slice::from_mut(batch), clock::now());
    replies(batch)
}

fn reply_to(lines: &[&str]) -> String {
    run(&Host::new(), Lane::Pool, &mut batch(lines))
}

#[test]
fn nothing_waits_while_a_log_is_replayed() {
    let host = Host::new();
    let lines = ["BLPOP list 0", "RPUSH list a", "LLEN list"];
    let mut batch = batch(&lines);
    let mut executor = host.executor(Lane::Pool).replaying(clock::now());
    executor.turn(std::slice::from_mut(&mut batch), clock::now());
    assert_eq!(replies(&mut batch), "$-1\r\n:1\r\n:1\r\n");
    assert!(batch.halt.is_none() && batch.blocked.is_none());
}

#[test]
fn commands_of_a_batch_run_in_order() {
    let lines: Vec<String> = (0..100).map(|n| format!("APPEND k {}", n % 10)).collect();
    let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    lines.extend(["GET k", "DEL k", "GET k"]);
    let text = reply_to(&lines);
    let digits = "0123456789".repeat(10);
    assert!(text.ends_with(&format!("$100\r\n{digits}\r\n:1\r\n$-1\r\n")));
}

#[test]
fn batches_of_one_turn_are_answered_each_to_its_own() {
    let host = Host::new();
    let mut batches: Vec<Box<Batch>> = (0..5)
        .map(|n| batch(&[&format!("SET k{n} {n}"), &format!("GET k{n}"), "INCR sum"]))
        .collect();
    host.executor(Lane::Light).turn(&mut batches, clock::now());
    for (n, batch) in batches.iter_mut().enumerate() {
        let want = format!("+OK\r\n$1\r\n{n}\r\n:{}\r\n", n + 1);
        assert_eq!((replies(batch), batch.waiting()), (want, 0));
    }
}

#[test]
fn nothing_runs_behind_a_halt() {
    let host = Host::new();
    let mut slow = batch(&["SET a 1", "KEYS *", "SET b 2"]);
    assert_eq!(run(&host, Lane::Light, &mut slow), "+OK\r\n");
    assert_eq!((slow.halt, slow.waiting()), (Some(Halt::Slow), 2));
    let seen = run(&host, Lane::Light, &mut batch(&["MGET a b"]));
    assert_eq!(seen, "*2\r\n$1\r\n1\r\n$-1\r\n");
    slow.halt = None;
    let rest = run(&host, Lane::Pool, &mut slow);
    assert_eq!(rest, "*1\r\n$1\r\na\r\n+OK\r\n");
    assert_eq!((slow.halt, slow.waiting()), (None, 0));
}

#[test]
fn quit_ends_the_batch() {
    let host = Host::new();
    let mut last = batch(&["PING", "QUIT", "SET a 1"]);
    assert_eq!(run(&host, Lane::Light, &mut last), "+PONG\r\n+OK\r\n");
    assert_eq!(last.halt, Some(Halt::Close));
    assert_eq!(run(&host, Lane::Light, &mut batch(&["EXISTS a"])), ":0\r\n");
}

#[test]
fn a_held_shard_halts_the_light_lane_only_where_it_is_needed() {
    use crate::store::{Footprint, Locks, Patience};
    let host = Host::new();
    let mut locks = Locks::new(&host.services.keyspace, Patience::Wait);
    locks.acquire(Footprint::ALL_READ);
    let mut one = batch(&["PING", "SET a 1", "PING"]);
    assert_eq!(run(&host, Lane::Light, &mut one), "+PONG\r\n");
    assert_eq!((one.halt, one.waiting()), (Some(Halt::Busy), 2));
    locks.release();
    one.halt = None;
    assert_eq!(run(&host, Lane::Light, &mut one), "+OK\r\n+PONG\r\n");
}

#[test]
fn what_is_too_much_beside_others_is_run_again_alone() {
    let host = Host::new();
    let elements = " x".repeat(1000);
    let fill = format!("RPUSH l{elements}");
    run(&host, Lane::Pool, &mut batch(&[&fill, &fill, &fill]));
    let lines = [
        "INCR n",
        "LRANGE l 0 -1",
        "INCR n",
        "LRANGE l 0 -1",
        "INCR n",
    ];
    let range = format!("*3000\r\n{}", "$1\r\nx\r\n".repeat(3000));
    let whole = format!(":1\r\n{range}:2\r\n{range}:3\r\n");
    let mut light = batch(&lines);
    assert_eq!(run(&host, Lane::Light, &mut light), ":1\r\n");
    assert_eq!(light.halt, Some(Halt::Slow));
    run(&host, Lane::Pool, &mut batch(&["DEL n"]));
    assert_eq!(run(&host, Lane::Pool, &mut batch(&lines)), whole);
}

#[test]
fn gates_refuse_in_order_and_in_these_words() {
    let mut stranger = batch(&["NONSENSE a", "CONFIG NONSENSE", "GET", "GET a", "CLIENT ID"]);
    stranger.session.authenticated = false;
    let noauth = "-NOAUTH Authentication required.\r\n";
    let want = [
        "-ERR unknown command 'NONSENSE', with args beginning with: 'a' \r\n",
        "-ERR unknown subcommand 'NONSENSE'. Try CONFIG HELP.\r\n",
        "-ERR wrong number of arguments for 'get' command\r\n",
        noauth,
        noauth,
    ];
    assert_eq!(run(&Host::new(), Lane::Light, &mut stranger), want.concat());
}

#[test]
fn a_refused_slow_command_needs_no_worker() {
    let host = Host::new();
    let mut one = batch(&["KEYS", "PING"]);
    let want = "-ERR wrong number of arguments for 'keys' command\r\n+PONG\r\n";
    assert_eq!(run(&host, Lane::Light, &mut one), want);
}

#[test]
fn client_reply_silences() {
    let lines = [
        "CLIENT REPLY OFF",
        "SET a 1",
        "NONSENSE",
        "CLIENT REPLY ON",
        "GET a",
    ];
    assert_eq!(reply_to(&lines), "+OK\r\n$1\r\n1\r\n");
    let lines = [
        "CLIENT REPLY SKIP",
        "SET a 1",
        "GET a",
        "CLIENT REPLY SKIP",
        "NONSENSE",
        "PING",
    ];
    assert_eq!(reply_to(&lines), "$1\r\n1\r\n+PONG\r\n");
}
