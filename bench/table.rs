//! What the table costs: time per lookup alone and in prefetched batches, per
//! insertion and removal, the longest insertion, and bytes per key by size.
//!
//! `cargo bench --bench table [keys]`; 4 million keys unless told otherwise.
//! Figures are for comparison within one run on one machine. Means are of
//! processor time where the system tells it (Linux), so that other load shows
//! less. The longest call is the longest of the *shortest* of three equal runs,
//! call by call: what the table does recurs, what the scheduler does does not.

// Callbacks get `&E`, and the element here is a box.
#![allow(clippy::borrowed_box)]

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use flashkv::base::heap::Heap;
use flashkv::ds::table::Table;

#[global_allocator]
static ALLOCATOR: Heap = Heap;

/// A key and a value in one allocation, about the size of a small entry.
struct Pair {
    key: u64,
    value: u64,
    _rest: [u64; 2],
}

type Shards = Vec<Table<Box<Pair>>>;

const SHARD_BITS: u32 = 6;
const LOOKUPS: u64 = 8_000_000;

fn main() {
    let told = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    let keys: u64 = told.unwrap_or(4_000_000);
    let mut shards = build(keys);
    for round in 1..=3 {
        println!("round {round}");
        lookups(&shards, keys);
    }
    walks(&shards, keys);
    remove_all(&mut shards, keys);
    longest_calls(keys);
    println!("bytes of table per key, 64 shards:");
    curve();
}

fn build(keys: u64) -> Shards {
    let start = now();
    let mut shards: Shards = (0..1 << SHARD_BITS)
        .map(|_| Table::new(SHARD_BITS))
        .collect();
    for key in 0..keys {
        let hash = hash(key);
        shards[shard(hash)].insert_new(hash, pair(key), hash_of);
    }
    report(
        "insert, allocation of the element included",
        now() - start,
        keys,
    );
    shards
}

fn remove_all(shards: &mut Shards, keys: u64) {
    let start = now();
    for key in 0..keys {
        let hash = hash(key);
        let slot = shards[shard(hash)].find_mut(hash, |pair| pair.key == key);
        drop(slot.map(|slot| slot.remove()));
    }
    report(
        "remove, release of the element included",
        now() - start,
        keys,
    );
    assert!(shards.iter().all(|table| table.mem_bytes() == 0));
}

/// Growth and shrinking of one table, unsharded, as a large set would be.
fn longest_calls(keys: u64) {
    let (mut inserts, mut removals) = (Longest::default(), Longest::default());
    for _ in 0..3 {
        let mut table = Table::new(0);
        for key in 0..keys {
            let pair = pair(key);
            inserts.time(|| table.insert_new(hash(key), pair, hash_of));
        }
        for key in 0..keys {
            let find = |pair: &Box<Pair>| pair.key == key;
            let pair = removals.time(|| table.find_mut(hash(key), find).map(|slot| slot.remove()));
            assert!(pair.is_some());
        }
        inserts.restart();
        removals.restart();
    }
    println!("one table of {keys}, insert: {inserts}");
    println!("one table of {keys}, remove: {removals}");
}

fn lookups(shards: &Shards, keys: u64) {
    let keys_at = |n: u64| hash(n ^ 0x5eed) % keys;
    let get = |key: u64| {
        let hash = hash(key);
        let found = shards[shard(hash)].find(hash, |pair| pair.key == key);
        found.map_or(0, |pair| pair.value)
    };
    let start = now();
    let mut sum = 0u64;
    for n in 0..LOOKUPS {
        // Each key depends on the value before, as if each came with a request.
        sum = sum.wrapping_add(get(keys_at(n + (sum & 1))));
    }
    report("find, one at a time", now() - start, LOOKUPS);
    for batch in [4u64, 16, 32] {
        let start = now();
        for first in (0..LOOKUPS).step_by(batch as usize) {
            let hashes = || (first..first + batch).map(|n| hash(keys_at(n)));
            let mut hints = [const { None }; 32];
            for (hint, hash) in hints.iter_mut().zip(hashes()) {
                *hint = shards[shard(hash)].prefetch_bucket(hash);
            }
            (hints.iter().flatten()).for_each(|hint| hint.prefetch_entry());
            for n in first..first + batch {
                sum = sum.wrapping_add(get(keys_at(n)));
            }
        }
        report(&format!("find, batches of {batch}"), now() - start, LOOKUPS);
    }
    let start = now();
    for n in 0..LOOKUPS {
        sum = sum.wrapping_add(get(keys + keys_at(n)));
    }
    report("find, absent keys", now() - start, LOOKUPS);
    black_box(sum);
}

fn walks(shards: &Shards, keys: u64) {
    let (mut steps, mut found) = (0, 0u64);
    let start = now();
    for table in shards {
        let mut cursor = 0;
        loop {
            cursor = table.scan(cursor, |_| found += 1);
            steps += 1;
            if cursor == 0 {
                break;
            }
        }
    }
    assert_eq!(found, keys);
    report("scan, per element", now() - start, keys);
    println!("  {:.1} elements to a step", keys as f64 / f64::from(steps));
    let start = now();
    let mut state = 1;
    let draws = 1_000_000;
    for n in 0..draws {
        let rand = || {
            state += 1;
            hash(state)
        };
        black_box(shards[n % shards.len()].sample(rand));
    }
    report("sample", now() - start, draws as u64);
}

fn curve() {
    let mut shards: Shards = (0..1 << SHARD_BITS)
        .map(|_| Table::new(SHARD_BITS))
        .collect();
    let (mut key, mut size) = (0, 10_000.0);
    let (mut sum, mut count, mut worst) = (0.0, 0, 0f64);
    while size <= 10_000_000.0 {
        while key < size as u64 {
            let hash = hash(key);
            shards[shard(hash)].insert_new(hash, pair(key), hash_of);
            key += 1;
        }
        let own = shards.len() * size_of::<Table<Box<Pair>>>();
        let bytes = own + shards.iter().map(Table::mem_bytes).sum::<usize>();
        let per_key = bytes as f64 / key as f64;
        println!("  {key:>9} {per_key:>6.2}");
        worst = worst.max(per_key);
        if key >= 100_000 {
            (sum, count) = (sum + per_key, count + 1);
        }
        size *= 1.15;
    }
    println!(
        "  mean from 100k: {:.2}, worst: {worst:.2}",
        sum / f64::from(count)
    );
}

/// The time of each of many calls, the least of several equal runs.
#[derive(Default)]
struct Longest {
    least: Vec<u32>,
    call: usize,
}

impl Longest {
    fn restart(&mut self) {
        self.call = 0;
    }

    fn time<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = call();
        let took = begun.elapsed().as_nanos() as u32;
        match self.least.get_mut(self.call) {
            Some(least) => *least = took.min(*least),
            None => self.least.push(took),
        }
        self.call += 1;
        result
    }
}

impl std::fmt::Display for Longest {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let mut sorted = self.least.clone();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        let us = |n: usize| f64::from(sorted.get(n).copied().unwrap_or(0)) / 1000.0;
        write!(
            f,
            "longest {:.1} us, tenth {:.1} us, hundredth {:.1} us",
            us(0),
            us(9),
            us(99)
        )
    }
}

/// Processor time of this thread, or the wall's where that is unknown.
fn now() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let spent = stat.split(' ').next().and_then(|ns| ns.parse().ok());
    spent.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

fn report(what: &str, took: Duration, times: u64) {
    println!("{what}: {:.1} ns", took.as_nanos() as f64 / times as f64);
}

fn pair(key: u64) -> Box<Pair> {
    Box::new(Pair {
        key,
        value: key * 3,
        _rest: [0; 2],
    })
}

fn hash_of(pair: &Box<Pair>) -> u64 {
    hash(pair.key)
}

fn hash(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

fn shard(hash: u64) -> usize {
    (hash >> (64 - SHARD_BITS)) as usize
}
