//! What clients can observe together, checked from recorded histories.
//!
//! **Single keys** are linearizable: for the calls of several clients on one key, each
//! with the time it began and ended, there is an order that respects those times and
//! in which every reply is right. The search is Wing and Gong's, with Lowe's memory of
//! configurations that were tried.
//!
//! **Transactions** over several lists are strictly serializable: every element is
//! appended once, so a list that is read tells the order in which its elements came;
//! from these orders follow the edges of the dependency graph (who wrote before whom,
//! who read what from whom, who overwrote what somebody had read), and from the clock
//! those of real time. A cycle is an anomaly.
//!
//! Both run in all three dispatch modes, bounded in count.

mod support;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::thread;
use std::time::Instant;

use support::{Client, Reply, Rng, Server};

const CLIENTS: usize = 6;
const KEYS: usize = 60;
const CALLS_PER_KEY: usize = 6;
const TRANSACTIONS: usize = 250;
const LISTS: usize = 4;

fn server(dispatch: &str) -> Server {
    Server::with(&["--dispatch", dispatch, "--workers", "2"])
}

// Single keys.

#[derive(Clone, Debug)]
enum Call {
    Get(Option<i64>),
    Set(i64),
    /// The value before.
    GetSet(i64, Option<i64>),
    Incr(i64),
    /// Whether it was there.
    Del(bool),
    /// Whether it was set.
    SetNx(i64, bool),
}

#[derive(Clone, Debug)]
struct Timed {
    call: Call,
    began: u128,
    ended: u128,
}

impl Call {
    /// The value after the call, if its reply is right for the value before.
    fn apply(&self, before: Option<i64>) -> Option<Option<i64>> {
        match *self {
            Call::Get(seen) => (seen == before).then_some(before),
            Call::Set(value) => Some(Some(value)),
            Call::GetSet(value, seen) => (seen == before).then_some(Some(value)),
            Call::Incr(after) => (before.unwrap_or(0) + 1 == after).then_some(Some(after)),
            Call::Del(was) => (was == before.is_some()).then_some(None),
            Call::SetNx(value, set) if set => before.is_none().then_some(Some(value)),
            Call::SetNx(..) => before.is_some().then_some(before),
        }
    }
}

/// Whether there is an order of the calls in which all replies are right.
fn is_linearizable(history: &[Timed]) -> bool {
    assert!(history.len() <= 64, "done calls are bits of a word");
    let all = if history.len() == 64 {
        !0
    } else {
        (1u64 << history.len()) - 1
    };
    let mut tried = HashSet::new();
    let mut open = vec![(0u64, None)];
    while let Some((done, value)) = open.pop() {
        if done == all {
            return true;
        }
        if !tried.insert((done, value)) {
            continue;
        }
        let left = || (0..history.len()).filter(|n| done >> n & 1 == 0);
        let first_end = left().map(|n| history[n].ended).min().unwrap_or(0);
        // Next can only be a call that began before any that is left has ended.
        for n in left().filter(|&n| history[n].began <= first_end) {
            if let Some(after) = history[n].call.apply(value) {
                open.push((done | 1 << n, after));
            }
        }
    }
    false
}

fn number(reply: &Reply) -> Option<i64> {
    reply.integer().or_else(|| reply.text().parse().ok())
}

fn random_call(client: &mut Client, key: &str, rng: &mut Rng) -> Call {
    let value = rng.below(1000) as i64;
    let text = value.to_string();
    match rng.below(7) {
        0 | 1 => Call::Get(number(&client.cmd(&["GET", key]))),
        2 => {
            client.expect(&["SET", key, &text], "+OK\r\n");
            Call::Set(value)
        }
        3 => Call::GetSet(value, number(&client.cmd(&["GETSET", key, &text]))),
        4 => Call::Incr(number(&client.cmd(&["INCR", key])).expect("a number")),
        5 => Call::Del(client.cmd(&["DEL", key]).integer() == Some(1)),
        _ => Call::SetNx(
            value,
            client.cmd(&["SETNX", key, &text]).integer() == Some(1),
        ),
    }
}

fn single_keys(test: &str, dispatch: &str) {
    let server = server(dispatch);
    let seed = Rng::seed_from_env(test);
    let start = Instant::now();
    let mut histories: HashMap<usize, Vec<Timed>> = HashMap::new();
    let recorded: Vec<Vec<(usize, Timed)>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|n| {
                let (mut client, mut rng) = (server.client(), Rng::stream(seed, n as u64));
                scope.spawn(move || {
                    let mut calls = Vec::new();
                    for key in 0..KEYS {
                        for _ in 0..CALLS_PER_KEY {
                            let began = start.elapsed().as_nanos();
                            let call = random_call(&mut client, &format!("key:{key}"), &mut rng);
                            let ended = start.elapsed().as_nanos();
                            calls.push((key, Timed { call, began, ended }));
                        }
                    }
                    calls
                })
            })
            .collect();
        (threads.into_iter())
            .map(|thread| thread.join().expect("a client that is answered"))
            .collect()
    });
    for (key, timed) in recorded.into_iter().flatten() {
        histories.entry(key).or_default().push(timed);
    }
    for (key, history) in &histories {
        assert!(is_linearizable(history), "key {key}: {history:#?}");
    }
}

// Transactions.

#[derive(Debug, Default)]
struct Txn {
    began: u128,
    ended: u128,
    appended: Vec<(usize, i64)>,
    read: Vec<(usize, Vec<i64>)>,
}

fn random_transaction(client: &mut Client, rng: &mut Rng, next: &mut i64, start: Instant) -> Txn {
    let mut txn = Txn {
        began: start.elapsed().as_nanos(),
        ..Txn::default()
    };
    client.expect(&["MULTI"], "+OK\r\n");
    let mut reads = Vec::new();
    let calls = 1 + rng.below(4);
    for _ in 0..calls {
        let list = rng.below(LISTS);
        let key = format!("list:{list}");
        if rng.one_in(2) {
            *next += 1;
            client.expect(&["RPUSH", &key, &next.to_string()], "+QUEUED\r\n");
            txn.appended.push((list, *next));
            reads.push(None);
        } else {
            client.expect(&["LRANGE", &key, "0", "-1"], "+QUEUED\r\n");
            reads.push(Some(list));
        }
    }
    let Reply::Array(replies) = client.cmd(&["EXEC"]) else {
        panic!("not executed");
    };
    txn.ended = start.elapsed().as_nanos();
    for (list, reply) in reads.into_iter().zip(replies) {
        if let (Some(list), Reply::Array(items)) = (list, reply) {
            let items = items.iter().filter_map(number).collect();
            txn.read.push((list, items));
        }
    }
    txn
}

/// The order in which the elements of each list came: the longest that was read,
/// with which every other reading has to agree.
fn orders(txns: &[Txn], last: &[Vec<i64>]) -> Vec<Vec<i64>> {
    for (list, seen) in txns.iter().flat_map(|txn| &txn.read) {
        assert!(
            last[*list].starts_with(seen),
            "list {list}: {seen:?} is no prefix"
        );
    }
    last.to_vec()
}

/// A cycle of the dependency graph, if there is one.
fn cycle(txns: &[Txn], orders: &[Vec<i64>]) -> Option<usize> {
    let mut writer = BTreeMap::new();
    for (n, txn) in txns.iter().enumerate() {
        txn.appended.iter().for_each(|&(list, element)| {
            writer.insert((list, element), n);
        });
    }
    let mut after: Vec<HashSet<usize>> = vec![HashSet::new(); txns.len()];
    let mut edge = |from: usize, to: usize| {
        if from != to {
            after[from].insert(to);
        }
    };
    for (list, order) in orders.iter().enumerate() {
        for pair in order.windows(2) {
            edge(writer[&(list, pair[0])], writer[&(list, pair[1])]);
        }
    }
    for (n, txn) in txns.iter().enumerate() {
        let own = |list: usize, element: i64| txn.appended.contains(&(list, element));
        for (list, seen) in &txn.read {
            if let Some(&last) = seen.last() {
                edge(writer[&(*list, last)], n);
            }
            let next = orders[*list].get(seen.len());
            if let Some(&next) = next.filter(|&&next| !own(*list, next)) {
                edge(n, writer[&(*list, next)]);
            }
        }
    }
    for (a, first) in txns.iter().enumerate() {
        for (b, second) in txns.iter().enumerate() {
            if first.ended < second.began {
                after[a].insert(b);
            }
        }
    }
    topological(&after)
}

/// Some member of a cycle, by taking away what nothing points to.
fn topological(after: &[HashSet<usize>]) -> Option<usize> {
    let mut pointed = vec![0; after.len()];
    after.iter().flatten().for_each(|&to| pointed[to] += 1);
    let mut free: Vec<usize> = (0..after.len()).filter(|&n| pointed[n] == 0).collect();
    while let Some(n) = free.pop() {
        for &to in &after[n] {
            pointed[to] -= 1;
            if pointed[to] == 0 {
                free.push(to);
            }
        }
    }
    pointed.iter().position(|&left| left > 0)
}

fn transactions(test: &str, dispatch: &str) {
    let server = server(dispatch);
    let seed = Rng::seed_from_env(test);
    let start = Instant::now();
    let txns: Vec<Txn> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|n| {
                let (mut client, mut rng) = (server.client(), Rng::stream(seed, n as u64));
                let mut next = n as i64 * 1_000_000;
                scope.spawn(move || -> Vec<Txn> {
                    (0..TRANSACTIONS)
                        .map(|_| random_transaction(&mut client, &mut rng, &mut next, start))
                        .collect()
                })
            })
            .collect();
        (threads.into_iter())
            .flat_map(|thread| thread.join().expect("a client that is answered"))
            .collect()
    });
    let mut client = server.client();
    let last: Vec<Vec<i64>> = (0..LISTS)
        .map(
            |list| match client.cmd(&["LRANGE", &format!("list:{list}"), "0", "-1"]) {
                Reply::Array(items) => items.iter().filter_map(number).collect(),
                other => panic!("no list: {other:?}"),
            },
        )
        .collect();
    let orders = orders(&txns, &last);
    let found = cycle(&txns, &orders);
    assert!(found.is_none(), "in a cycle: {:?}", found.map(|n| &txns[n]));
}

#[test]
fn single_keys_are_linearizable() {
    for dispatch in ["adaptive", "pool", "inline"] {
        single_keys(&format!("single_keys_{dispatch}"), dispatch);
    }
}

#[test]
fn transactions_are_strictly_serializable() {
    for dispatch in ["adaptive", "pool", "inline"] {
        transactions(&format!("transactions_{dispatch}"), dispatch);
    }
}

// The checkers themselves.

fn timed(call: Call, began: u128, ended: u128) -> Timed {
    Timed { call, began, ended }
}

#[test]
fn a_history_out_of_order_is_found() {
    let good = [
        timed(Call::Set(1), 0, 10),
        timed(Call::Get(None), 1, 3),
        timed(Call::Get(Some(1)), 4, 6),
        timed(Call::Incr(2), 11, 12),
    ];
    assert!(is_linearizable(&good));
    // One has seen the value, and who began after that has not.
    let stale = [
        timed(Call::Set(1), 0, 10),
        timed(Call::Get(Some(1)), 1, 3),
        timed(Call::Get(None), 4, 6),
    ];
    assert!(!is_linearizable(&stale));
    let lost = [timed(Call::Incr(1), 0, 5), timed(Call::Incr(1), 1, 6)];
    assert!(!is_linearizable(&lost));
}

#[test]
fn an_anomaly_is_found() {
    let txn = |began, ended, appended: &[(usize, i64)], read: &[(usize, &[i64])]| Txn {
        began,
        ended,
        appended: appended.to_vec(),
        read: read
            .iter()
            .map(|(list, seen)| (*list, seen.to_vec()))
            .collect(),
    };
    let orders = vec![vec![1], vec![2]];
    // Each has missed what the other wrote.
    let skew = [
        txn(0, 9, &[(0, 1)], &[(1, &[])]),
        txn(1, 8, &[(1, 2)], &[(0, &[])]),
    ];
    assert!(cycle(&skew, &orders).is_some());
    // The second began when the first had ended, and has not seen it.
    let stale = [txn(0, 1, &[(0, 1)], &[]), txn(2, 3, &[(1, 2)], &[(0, &[])])];
    assert!(cycle(&stale, &orders).is_some());
    let good = [
        txn(0, 5, &[(0, 1)], &[(1, &[])]),
        txn(1, 8, &[(1, 2)], &[(0, &[1])]),
    ];
    assert!(cycle(&good, &orders).is_none());
}
