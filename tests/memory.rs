//! What the allocator counts, and that nobody allocates who need not.
//!
//! The allocator is the server's. It counts per thread what was ever allocated, so a
//! command that allocates nothing leaves that count as it is; and its sum over all
//! threads is compared with a ledger of what the test has allocated and freed.
//!
//! The tests take turns, so that the sum is of one of them. What the harness allocates
//! meanwhile is far below [`NOISE`].

use std::io::IoSlice;
use std::sync::{Arc, Mutex, MutexGuard};

use flashkv::base::heap::{self, Heap};
use flashkv::base::rng::Rng;
use flashkv::clients::Clients;
use flashkv::command::{MemoryUse, Services};
use flashkv::config::{Config, Id};
use flashkv::control::Nobody;
use flashkv::exec::batch::Nowhere;
use flashkv::exec::reaper::Reaper;
use flashkv::exec::{Batch, ConnId, Executor, Lane};
use flashkv::resp::Limits;
use flashkv::resp::write::SLICES_MAX;
use flashkv::store::journal::Silent;

#[global_allocator]
static ALLOCATOR: Heap = Heap;

/// Bytes that other threads of the harness may allocate or free meanwhile, and that their
/// caches may hold: half a percent of what is measured.
const NOISE: u64 = 256 * 1024;
const NOW: i64 = 1_700_000_000_000;

fn turn_of_mine() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Sizes of all kinds: tiny, small, of pages, large.
fn blocks() -> Vec<Vec<u8>> {
    let sizes = |n: usize| match n % 100 {
        0 => 100_000 + n,
        1..5 => 4096 + n,
        rest => 1 + rest * 9,
    };
    (0..20_000).map(|n| Vec::with_capacity(sizes(n))).collect()
}

fn size_of_all(blocks: &[Vec<u8>]) -> u64 {
    let classes = blocks
        .iter()
        .map(|block| heap::size_class(block.capacity()));
    classes.sum::<usize>() as u64
}

fn assert_near(found: u64, wanted: u64, what: &str) {
    let off = found.abs_diff(wanted);
    assert!(off <= NOISE, "{what}: {found}, not {wanted}");
}

#[test]
fn the_sum_is_what_is_held() {
    let _turn = turn_of_mine();
    let before = heap::in_use();
    let mut kept = blocks();
    let list = heap::size_class(kept.capacity() * size_of::<Vec<u8>>()) as u64;
    let held = size_of_all(&kept) + list;
    assert_near(heap::in_use() - before, held, "all held");
    assert!(heap::stats().allocated >= heap::in_use());
    assert!(heap::peak() >= before + held - NOISE);

    // What another thread frees is freed, and what it allocated stays when it ends.
    let half = kept.split_off(kept.len() / 2);
    let freed = std::thread::spawn(move || {
        drop(half);
        blocks()
    });
    let others = freed.join().unwrap();
    let other_list = heap::size_class(others.capacity() * size_of::<Vec<u8>>()) as u64;
    let held = size_of_all(&kept) + list + size_of_all(&others) + other_list;
    assert_near(heap::in_use() - before, held, "one half from a thread");
    drop((kept, others));
    assert_near(heap::in_use(), before, "all freed");
}

#[test]
fn the_quick_answer_knows_the_own_thread() {
    let _turn = turn_of_mine();
    let before = heap::in_use_about(NOW);
    let held = blocks();
    let list = heap::size_class(held.capacity() * size_of::<Vec<u8>>()) as u64;
    let wanted = before + size_of_all(&held) + list;
    // At the same time of the clock no sum is made.
    assert_near(heap::in_use_about(NOW), wanted, "own work at once");
    assert_near(heap::in_use_about(NOW + heap::SUM_AGE_MAX), wanted, "a sum");
    drop(held);
    assert_near(heap::in_use_about(NOW + heap::SUM_AGE_MAX), before, "freed");
}

#[test]
fn a_purge_returns_free_pages() {
    let _turn = turn_of_mine();
    const BYTES: u64 = 64 << 20;
    let held: Vec<Box<[u8; 1024]>> = (0..BYTES / 1024).map(|_| Box::new([1; 1024])).collect();
    let full = heap::stats().resident;
    drop(held);
    heap::purge();
    let empty = heap::stats().resident;
    assert!(empty + BYTES * 9 / 10 < full, "{full} to {empty}");
}

/// The reactor's executor and one connection.
struct LightLane {
    executor: Executor,
    batches: [Box<Batch>; 1],
}

impl LightLane {
    fn new() -> LightLane {
        let config = Arc::new(Config::new());
        // A busy machine may interrupt any command for long enough to be logged.
        config.set(Id::SLOWLOG_LOG_SLOWER_THAN, b"-1").unwrap();
        let services = Services::new(config, Arc::new(Nobody), 1, MemoryUse::default);
        let (reaper, _) = Reaper::start().unwrap();
        let (services, journal) = (Arc::new(services), Arc::new(Silent));
        let executor = Executor::new(services, journal, reaper, Rng::seeded(1), Lane::Light);
        let id = ConnId {
            slot: 0,
            generation: 0,
        };
        let batch = Batch::new(id, Clients::detached(), true, Arc::new(Nowhere));
        LightLane {
            executor,
            batches: [Box::new(batch)],
        }
    }

    /// What a turn of the reactor does for one connection.
    fn turn(&mut self, received: &[u8]) {
        let limits = Limits {
            bulk_max: 512 << 20,
            authenticated: true,
        };
        let batch = &mut self.batches[0];
        batch.requests.feed(received);
        batch.requests.parse(limits).unwrap();
        self.executor.turn(&mut self.batches, NOW);
        let batch = &mut self.batches[0];
        assert!(batch.halt.is_none() && batch.reply.errors() == 0);
        while !batch.reply.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let used = batch.reply.slices(&mut slices);
            let count = slices[..used].iter().map(|slice| slice.len()).sum();
            batch.reply.advance(count);
        }
    }

    /// Bytes allocated by many turns like this after as many to get used to it.
    fn allocates(&mut self, received: &[u8]) -> u64 {
        const TURNS: usize = 3000;
        (0..TURNS).for_each(|_| self.turn(received));
        let before = heap::allocated_by_thread();
        (0..TURNS).for_each(|_| self.turn(received));
        heap::allocated_by_thread() - before
    }
}

/// Commands of words, one after the other.
fn encode(lines: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        bytes.extend(format!("*{}\r\n", words.len()).bytes());
        for word in words {
            bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
        }
    }
    bytes
}

#[test]
fn the_light_lane_allocates_nothing() {
    const TEXT: &str = "0123456789abcdef0123456789abcdef";
    let _turn = turn_of_mine();
    let before = heap::allocated_by_thread();
    drop(std::hint::black_box(Box::new([0_u8; 100])));
    assert_eq!(
        heap::allocated_by_thread() - before,
        112,
        "the count counts"
    );
    let mut lane = LightLane::new();
    let prepare = [
        format!("SET key {TEXT}"),
        "SET number 1000000".to_owned(),
        format!("SET volatile {TEXT} EX 1000"),
        "RPUSH list a b c d e f g h i j k l m n o p".to_owned(),
    ];
    let prepare: Vec<&str> = prepare.iter().map(String::as_str).collect();
    lane.turn(&encode(&prepare));
    let set = format!("SET key {TEXT}");
    let set_ex = format!("SET volatile {TEXT} EX 500");
    let mset = format!("MSET key {TEXT} volatile2 {TEXT} key3 {TEXT}");
    let steady: [(&str, Vec<&str>); 16] = [
        ("PING", vec!["PING"]),
        ("GET, hit", vec!["GET key"]),
        ("GET, an integer", vec!["GET number"]),
        ("GET, miss", vec!["GET nothing"]),
        ("SET, same size", vec![&set]),
        ("SET with an expiry", vec![&set_ex]),
        ("INCR", vec!["INCR number"]),
        ("EXPIRE, again", vec!["EXPIRE volatile 700", "TTL volatile"]),
        ("EXISTS and STRLEN", vec!["EXISTS key", "STRLEN key"]),
        ("MGET", vec!["MGET key number nothing"]),
        ("MSET", vec![&mset]),
        ("LPUSH and LPOP", vec!["LPUSH list z", "LPOP list"]),
        ("RPUSH and LPOP", vec!["RPUSH list z", "LPOP list"]),
        (
            "LRANGE",
            vec!["LRANGE list 0 9", "LLEN list", "LINDEX list 3"],
        ),
        ("a pipeline of SET", vec![&set; 64]),
        ("a pipeline of GET", vec!["GET key"; 100]),
    ];
    let wrong: Vec<String> = (steady.iter())
        .map(|(name, lines)| (name, lane.allocates(&encode(lines))))
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(name, bytes)| format!("{name}: {bytes} bytes"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
