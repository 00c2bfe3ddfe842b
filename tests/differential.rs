//! FlashKV and a real redis-server side by side: the same random commands to
//! both, the same bytes back from both.
//!
//! The oracle is Redis 7.0.15 because Debian has it; where 7.2 differs, and
//! where a reply cannot be the same, `differential/agree.rs` says so, case by
//! case. `FLASHKV_SEED` replays a failure, `FLASHKV_DIFF_OPS` makes a run longer
//! or shorter (commands per connection).

mod support;

#[path = "differential/agree.rs"]
mod agree;
#[path = "differential/duel.rs"]
mod duel;
#[path = "differential/grammar.rs"]
mod grammar;
#[path = "differential/rules.rs"]
mod rules;
#[path = "differential/values.rs"]
mod values;

use std::thread;

use duel::Duel;
use grammar::Grammar;
use support::{Rng, Server};

/// Commands of a connection that has the servers to itself.
const OPS_ALONE: usize = 25_000;

/// Commands of each connection among others.
const OPS_AMONG_OTHERS: usize = 4_000;

/// Connections at once.
const CONNECTIONS: usize = 8;

fn ops(default: usize) -> usize {
    let given = std::env::var("FLASHKV_DIFF_OPS").ok();
    given.map_or(default, |text| {
        text.parse().expect("FLASHKV_DIFF_OPS is a number")
    })
}

/// Our server in the given mode and Redis, or nothing where there is no Redis.
fn servers(dispatch: &str) -> Option<(Server, Server)> {
    let redis = Server::redis(&[])?;
    Some((
        Server::with(&["--dispatch", dispatch, "--workers", "2"]),
        redis,
    ))
}

/// One connection, all commands, those about whole databases too.
fn alone(test: &str, dispatch: &str, protocol: u8) {
    let Some((ours, redis)) = servers(dispatch) else {
        return;
    };
    let seed = Rng::seed_from_env(test);
    let mut grammar = Grammar::new(Rng::stream(seed, 0), "", true, protocol);
    let label = format!("{test} (FLASHKV_SEED={seed})");
    let mut duel = Duel::new(&label, ours.port(), redis.port(), protocol);
    duel.run(&mut grammar, ops(OPS_ALONE));
    Duel::new(&label, ours.port(), redis.port(), protocol).compare_data();
}

/// Several connections at once, each on keys of its own: what one of them sees
/// must not depend on the others.
fn together(test: &str, dispatch: &str) {
    let Some((ours, redis)) = servers(dispatch) else {
        return;
    };
    let seed = Rng::seed_from_env(test);
    let label = format!("{test} (FLASHKV_SEED={seed})");
    let (our_port, their_port) = (ours.port(), redis.port());
    thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let label = format!("{label}, connection {number}");
            scope.spawn(move || {
                let protocol = 2 + (number % 2) as u8;
                let rng = Rng::stream(seed, number as u64);
                let prefix = format!("c{number}:");
                let mut grammar = Grammar::new(rng, &prefix, false, protocol);
                let mut duel = Duel::new(&label, our_port, their_port, protocol);
                duel.run(&mut grammar, ops(OPS_AMONG_OTHERS));
            });
        }
    });
    Duel::new(&label, our_port, their_port, 2).compare_data();
}

#[test]
fn adaptive_resp2() {
    alone("adaptive_resp2", "adaptive", 2);
}

#[test]
fn adaptive_resp3() {
    alone("adaptive_resp3", "adaptive", 3);
}

#[test]
fn pool_resp2() {
    alone("pool_resp2", "pool", 2);
}

#[test]
fn pool_resp3() {
    alone("pool_resp3", "pool", 3);
}

#[test]
fn inline_resp2() {
    alone("inline_resp2", "inline", 2);
}

#[test]
fn inline_resp3() {
    alone("inline_resp3", "inline", 3);
}

#[test]
fn adaptive_together() {
    together("adaptive_together", "adaptive");
}

#[test]
fn pool_together() {
    together("pool_together", "pool");
}

#[test]
fn inline_together() {
    together("inline_together", "inline");
}
