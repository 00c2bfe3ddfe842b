//! Damaged files and payloads, and requests in pieces: refused with a reason, or data like
//! any other. What that means says tests/fuzz/harness, which libFuzzer drives as well
//! (`make fuzz`); here it is driven by a seed.
//!
//! The undamaged ones are made by this server, by redis-server and by valkey-server, a
//! small one for each type and encoding. With `FLASHKV_FUZZ_SEEDS=dir` they are written
//! there, in a folder for each reader, for libFuzzer to begin with.
//!
//! `FLASHKV_FUZZ_RUNS` says how many damaged ones each reader gets. The damage is the same
//! in every run unless `FLASHKV_SEED` asks for another: to look for what nobody knows yet is
//! what `make fuzz` is for.

#[path = "damage/corpus.rs"]
mod corpus;
#[path = "fuzz/harness/mod.rs"]
mod harness;
#[path = "damage/mutate.rs"]
mod mutate;
mod support;
#[path = "damage/verdicts.rs"]
mod verdicts;

use std::fs;
use std::path::Path;

use flashkv::base::heap::{self, Heap};

use corpus::Corpus;
use support::Rng;

#[global_allocator]
static ALLOCATOR: Heap = Heap;

const RUNS: usize = 1500;
const SEED: u64 = 1;
/// Bytes that all servers of one run allocate, one after the other, whatever the input.
const BASE_BYTES: u64 = 64 << 20;
/// What one byte may become, all told: a byte of compressed text is 88 of plain text, each
/// perhaps an element, and everything is read, written and compared some times.
const GROWTH_MAX: u64 = 88 * 48 * 20;

/// The inputs of all readers; made once.
fn corpus() -> &'static Corpus {
    static CORPUS: std::sync::OnceLock<Corpus> = std::sync::OnceLock::new();
    CORPUS.get_or_init(Corpus::make)
}

/// The seed of a test.
fn seed(test: &str) -> u64 {
    match std::env::var_os("FLASHKV_SEED") {
        Some(_) => Rng::seed_from_env(test),
        None => SEED,
    }
}

fn runs() -> usize {
    let asked = std::env::var("FLASHKV_FUZZ_RUNS").ok();
    asked.and_then(|runs| runs.parse().ok()).unwrap_or(RUNS)
}

/// Gives `read` all inputs, which it has to accept, and then damaged ones.
fn damage(name: &str, inputs: &[Vec<u8>], read: fn(&[u8]) -> bool) {
    let seed = seed(name);
    for input in inputs {
        assert!(read(input), "undamaged: {}", input.escape_ascii());
    }
    let mut accepted = 0;
    for nth in 0..runs() {
        let mut rng = Rng::stream(seed, nth as u64);
        let input = mutate::damaged(inputs, &mut rng);
        let before = heap::allocated_by_thread();
        let result = std::panic::catch_unwind(|| read(&input));
        let allocated = heap::allocated_by_thread() - before;
        let shown = || {
            format!(
                "{name}, FLASHKV_SEED={seed}, run {nth}: {}",
                input.escape_ascii()
            )
        };
        match result {
            Ok(taken) => accepted += usize::from(taken),
            Err(panic) => {
                eprintln!("{}", shown());
                std::panic::resume_unwind(panic);
            }
        }
        let bound = BASE_BYTES + input.len() as u64 * GROWTH_MAX;
        assert!(allocated <= bound, "{allocated} bytes: {}", shown());
    }
    println!("{name}: {accepted} of {} accepted", runs());
    assert!(accepted > 0, "some damage makes other data");
    assert!(accepted < runs(), "some damage is refused");
}

#[test]
fn snapshots() {
    damage("snapshots", &corpus().rdb, harness::rdb);
}

#[test]
fn logs() {
    damage("logs", &corpus().aof, harness::aof);
}

#[test]
fn payloads() {
    damage("payloads", &corpus().restore, harness::restore);
}

#[test]
fn requests() {
    damage("requests", &corpus().request, harness::request);
}

/// Writes the inputs for libFuzzer, if it is asked for.
#[test]
fn seeds() {
    let Some(dir) = std::env::var_os("FLASHKV_FUZZ_SEEDS") else {
        return;
    };
    let corpus = corpus();
    for (name, inputs) in [
        ("rdb", &corpus.rdb),
        ("aof", &corpus.aof),
        ("restore", &corpus.restore),
        ("request", &corpus.request),
    ] {
        let folder = Path::new(&dir).join(name);
        fs::create_dir_all(&folder).expect("a folder for seeds");
        for (nth, input) in inputs.iter().enumerate() {
            fs::write(folder.join(format!("seed-{nth:03}")), input).expect("room for a seed");
        }
    }
}
