//! Money moves between accounts: by MULTI and EXEC, by WATCH with a comparison, and
//! under the eyes of readers that take many accounts at once. The sum never changes.
//! Bounded in count, in all three dispatch modes.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use support::{Client, Reply, Rng, Server};

const ACCOUNTS: usize = 12;
const START: i64 = 1000;
const TRANSFERS: usize = 400;
const READS: usize = 300;

fn account(n: usize) -> String {
    format!("account:{n}")
}

fn balances(reply: &Reply) -> Vec<i64> {
    let Reply::Array(items) = reply else {
        panic!("not an array: {reply:?}");
    };
    items.iter().map(number).collect()
}

fn number(reply: &Reply) -> i64 {
    let number = reply.integer().or_else(|| reply.text().parse().ok());
    number.unwrap_or_else(|| panic!("no number: {reply:?}"))
}

fn two_accounts(rng: &mut Rng) -> (String, String, i64) {
    let from = rng.below(ACCOUNTS);
    let to = (from + 1 + rng.below(ACCOUNTS - 1)) % ACCOUNTS;
    (account(from), account(to), rng.below(100) as i64)
}

/// Transfers that are right whatever happens in between.
fn transfer(client: &mut Client, rng: &mut Rng) {
    for _ in 0..TRANSFERS {
        let (from, to, amount) = two_accounts(rng);
        let amount = amount.to_string();
        client.expect(&["MULTI"], "+OK\r\n");
        client.expect(&["DECRBY", &from, &amount], "+QUEUED\r\n");
        client.expect(&["INCRBY", &to, &amount], "+QUEUED\r\n");
        assert_eq!(balances(&client.cmd(&["EXEC"])).len(), 2);
    }
}

/// Transfers that compute from what they have read, and are dropped if somebody has
/// changed it; how many were made.
fn compare_and_transfer(client: &mut Client, rng: &mut Rng) -> usize {
    let mut made = 0;
    for _ in 0..TRANSFERS {
        let (from, to, amount) = two_accounts(rng);
        client.expect(&["WATCH", &from, &to], "+OK\r\n");
        let read = balances(&client.cmd(&["MGET", &from, &to]));
        client.expect(&["MULTI"], "+OK\r\n");
        let (less, more) = (read[0] - amount, read[1] + amount);
        client.expect(&["SET", &from, &less.to_string()], "+QUEUED\r\n");
        client.expect(&["SET", &to, &more.to_string()], "+QUEUED\r\n");
        made += usize::from(matches!(client.cmd(&["EXEC"]), Reply::Array(_)));
    }
    made
}

fn read_sums(client: &mut Client, in_transaction: bool) {
    let keys: Vec<String> = (0..ACCOUNTS).map(account).collect();
    let mut mget = vec!["MGET"];
    mget.extend(keys.iter().map(String::as_str));
    for _ in 0..READS {
        let seen = if in_transaction {
            client.expect(&["MULTI"], "+OK\r\n");
            for key in &keys {
                client.expect(&["GET", key], "+QUEUED\r\n");
            }
            client.cmd(&["EXEC"])
        } else {
            client.cmd(&mget)
        };
        let sum: i64 = balances(&seen).iter().sum();
        assert_eq!(sum, ACCOUNTS as i64 * START, "{seen:?}");
    }
}

fn bank(test: &str, dispatch: &str) {
    let server = Server::with(&["--dispatch", dispatch, "--workers", "2"]);
    let seed = Rng::seed_from_env(test);
    let mut teller = server.client();
    for n in 0..ACCOUNTS {
        teller.expect(&["SET", &account(n), &START.to_string()], "+OK\r\n");
    }
    let compared = AtomicUsize::new(0);
    thread::scope(|scope| {
        for n in 0..3 {
            let (mut client, mut rng) = (server.client(), Rng::stream(seed, n));
            scope.spawn(move || transfer(&mut client, &mut rng));
            let (mut client, mut rng) = (server.client(), Rng::stream(seed, 10 + n));
            let compared = &compared;
            scope.spawn(move || {
                compared.fetch_add(compare_and_transfer(&mut client, &mut rng), Relaxed);
            });
        }
        for in_transaction in [true, false, true, false] {
            let mut client = server.client();
            scope.spawn(move || read_sums(&mut client, in_transaction));
        }
    });
    let compared = compared.into_inner();
    println!("{test}: {compared} of {} comparisons held", 3 * TRANSFERS);
    assert!(compared > 0, "no comparison ever held");
    read_sums(&mut teller, false);
}

#[test]
fn the_bank_keeps_its_sum_adaptive() {
    bank("bank_adaptive", "adaptive");
}

#[test]
fn the_bank_keeps_its_sum_pool() {
    bank("bank_pool", "pool");
}

#[test]
fn the_bank_keeps_its_sum_inline() {
    bank("bank_inline", "inline");
}
