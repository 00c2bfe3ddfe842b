//! One batch end to end without a socket: receive, parse, run, reply. Nanoseconds
//! per command, by command, length of the pipeline and number of keys.
//!
//! `cargo bench --bench batch [keys ...]`; 100,000 and 4 million keys unless told
//! otherwise. `--count COMMAND N` (commands with `+` between them take turns) runs
//! N commands in pipelines of 16 or a bit more over 10,000 keys, or elements of one key,
//! and measures nothing: bench/callgrind.sh counts the instructions within [`Bench::counted_turn`].

mod timing;

use std::hint::black_box;
use std::io::IoSlice;
use std::sync::Arc;

use flashkv::base::clock;
use flashkv::base::rng::Rng;
use flashkv::clients::Clients;
use flashkv::command::{MemoryUse, Services};
use flashkv::config::Config;
use flashkv::control::Nobody;
use flashkv::exec::batch::Nowhere;
use flashkv::exec::reaper::Reaper;
use flashkv::exec::{Batch, ConnId, Executor, Lane};
use flashkv::resp::write::SLICES_MAX;
use flashkv::resp::{Limits, Reply};
use flashkv::store::journal::Silent;
use timing::{push_command, report};

#[global_allocator]
static ALLOCATOR: flashkv::base::heap::Heap = flashkv::base::heap::Heap;

/// Commands of one measurement.
const COMMANDS: usize = 1 << 19;
/// Lists, each with an element.
const LISTS: usize = 100;
const COUNTED_KEYS: usize = 10_000;
const COUNTED_DEPTH: usize = 16;
const LIMITS: Limits = Limits {
    bulk_max: 512 << 20,
    authenticated: true,
};

/// The reactor's executor and one connection.
struct Bench {
    executor: Executor,
    batches: [Box<Batch>; 1],
}

impl Bench {
    fn new() -> Bench {
        let config = Arc::new(Config::new());
        let services = Services::new(config, Arc::new(Nobody), 1, MemoryUse::default);
        let (reaper, _) = Reaper::start().expect("a thread for the reaper");
        let (services, journal) = (Arc::new(services), Arc::new(Silent));
        let executor = Executor::new(services, journal, reaper, Rng::seeded(1), Lane::Light);
        let id = ConnId {
            slot: 0,
            generation: 0,
        };
        let batch = Batch::new(id, Clients::detached(), true, Arc::new(Nowhere));
        Bench {
            executor,
            batches: [Box::new(batch)],
        }
    }

    /// What a turn of the reactor does for one connection.
    fn turn(&mut self, received: &[u8]) {
        let batch = &mut self.batches[0];
        batch.requests.feed(received);
        batch.requests.parse(LIMITS).expect("good requests");
        self.executor.turn(&mut self.batches, clock::now());
        let batch = &mut self.batches[0];
        assert!(batch.halt.is_none() && batch.reply.errors() == 0);
        send(&mut batch.reply);
    }

    /// A turn by a name of its own, for the counter.
    #[inline(never)]
    fn counted_turn(&mut self, received: &[u8]) {
        self.turn(received);
    }

    fn fill(&mut self, keys: usize) {
        self.fill_with("SET", keys);
    }

    fn fill_with(&mut self, command: &str, count: usize) {
        for first in (0..count).step_by(64) {
            let mut bytes = Vec::new();
            (first..count.min(first + 64)).for_each(|n| push(command, n, &mut bytes));
            self.turn(&bytes);
        }
        let mut bytes = Vec::new();
        (0..LISTS).for_each(|n| push("LPUSH", n, &mut bytes));
        self.turn(&bytes);
    }
}

fn send(reply: &mut Reply) {
    while !reply.is_empty() {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let used = reply.slices(&mut slices);
        let count = slices[..used].iter().map(|slice| slice.len()).sum();
        black_box(&slices);
        reply.advance(count);
    }
}

/// Appends the command for key `n`, or for element `n` of one key.
fn push(command: &str, n: usize, bytes: &mut Vec<u8>) {
    let element = format!("element:{n:012}");
    let element = element.as_bytes();
    match command {
        "SADD" => return push_command(bytes, &[b"SADD", b"set", element]),
        "HSET" => return push_command(bytes, &[b"HSET", b"hash", element, b"VXK"]),
        "ZADD" => {
            // Another score each time that an element comes again.
            let score = (n + bytes.len()) * 7919 % COUNTED_KEYS;
            let score = score.to_string();
            return push_command(bytes, &[b"ZADD", b"zset", score.as_bytes(), element]);
        }
        "SPOP" => return push_command(bytes, &[b"SPOP", b"set"]),
        "ZPOPMIN" => return push_command(bytes, &[b"ZPOPMIN", b"zset"]),
        "MULTI" | "EXEC" => return push_command(bytes, &[command.as_bytes()]),
        _ => {}
    }
    let key = match command {
        "INCR" => format!("num:{n:012}"),
        "LPUSH" | "LPOP" => format!("lst:{:012}", n % LISTS),
        _ => format!("key:{n:012}"),
    };
    let (command, key) = (command.as_bytes(), key.as_bytes());
    match command {
        b"SET" | b"LPUSH" => push_command(bytes, &[command, key, &[b'v'; 32]]),
        _ => push_command(bytes, &[command, key]),
    }
}

/// Pipelines of at least `depth` commands on keys in random order; the same each time.
/// Several commands, with `+` between them, take turns on the same key.
fn pipelines(command: &str, commands: usize, depth: usize, keys: usize) -> Vec<Vec<u8>> {
    let mut rng = Rng::seeded(7);
    let round = command.split('+').count();
    let rounds = depth.div_ceil(round);
    (0..commands / (round * rounds))
        .map(|_| {
            let mut bytes = Vec::new();
            for _ in 0..rounds {
                let n = (rng.next_u64() % keys as u64) as usize;
                command
                    .split('+')
                    .for_each(|name| push(name, n, &mut bytes));
            }
            bytes
        })
        .collect()
}

fn measure(keys: usize) {
    let mut bench = Bench::new();
    bench.fill(keys);
    for command in ["GET", "SET", "INCR", "LPUSH"] {
        for depth in [1, 16, 64] {
            let pipelines = pipelines(command, COMMANDS, depth, keys);
            let name = format!("{command}, pipeline of {depth}, {keys} keys");
            report(&name, COMMANDS, || {
                pipelines.iter().for_each(|bytes| bench.turn(bytes));
            });
        }
    }
}

/// For an instruction counter, which looks at [`Bench::counted_turn`] alone.
fn count(command: &str, commands: usize) {
    let mut bench = Bench::new();
    bench.fill(COUNTED_KEYS);
    match command {
        // What is taken out has to be there; twice, so that the end is not near.
        "SPOP" => bench.fill_with("SADD", 2 * commands),
        "ZPOPMIN" => bench.fill_with("ZADD", 2 * commands),
        _ => {}
    }
    let runs = pipelines(command, commands, COUNTED_DEPTH, COUNTED_KEYS);
    runs.iter().for_each(|bytes| bench.counted_turn(bytes));
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    if let ["--count", command, commands] = words[..] {
        return count(command, commands.parse().expect("a number of commands"));
    }
    let told: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let sizes = if told.is_empty() {
        vec![100_000, 4_000_000]
    } else {
        told
    };
    sizes.into_iter().for_each(measure);
}
