//! Threads of both lanes over one keyspace. Bounded in count, not in time; the
//! run under ThreadSanitizer (`make tsan`) is this test.

use std::collections::VecDeque;

use super::*;

const THREADS: u64 = 4;
const BATCHES: usize = 250;
const DEPTH: usize = 16;
const COUNTERS: u64 = 5;
const LISTS: u64 = 3;

/// What the answered commands add up to.
#[derive(Default)]
struct Ledger {
    increments: i64,
    /// Elements pushed less elements popped.
    elements: i64,
}

/// How a reply is accounted for.
#[derive(Clone, Copy)]
enum Kind {
    Increment,
    Push,
    Pop,
    Twins,
    Other,
}

fn command(rng: &mut Rng) -> (String, Kind) {
    let any = rng.next_u64() % 1000;
    let (counter, list, key) = (any % COUNTERS, any % LISTS, any % 50);
    match rng.next_u64() % 16 {
        0..=3 => (format!("INCR counter:{counter}"), Kind::Increment),
        4 | 5 => (
            format!("MSET t:1 {any} t:2 {any} t:3 {any} t:4 {any}"),
            Kind::Other,
        ),
        6 | 7 => ("MGET t:1 t:2 t:3 t:4".into(), Kind::Twins),
        8 => ("DEL t:1 t:2 t:3 t:4".into(), Kind::Other),
        9 => (format!("LPUSH list:{list} {any}"), Kind::Push),
        10 => (format!("LPOP list:{list}"), Kind::Pop),
        11 => (format!("SET key:{key} {any} PX 1"), Kind::Other),
        12 => (format!("EXPIRE key:{key} {key}"), Kind::Other),
        13 => ("KEYS list:*".into(), Kind::Other),
        14 => ("SCAN 0 COUNT 5".into(), Kind::Other),
        _ => (format!("LRANGE list:{list} 0 -1"), Kind::Other),
    }
}

/// Reads one reply and returns its scalars; `None` stands for a null.
fn read(lines: &mut VecDeque<&str>) -> Vec<Option<String>> {
    let head = lines.pop_front().expect("a reply for each command");
    match (&head[..1], head[1..].parse::<i64>()) {
        ("*", Ok(count)) => (0..count).flat_map(|_| read(lines)).collect(),
        ("$", Ok(0..)) => vec![lines.pop_front().map(str::to_owned)],
        ("$", _) => vec![None],
        ("-", _) => panic!("refused: {head}"),
        _ => vec![Some(head[1..].to_owned())],
    }
}

impl Ledger {
    fn enter(&mut self, kind: Kind, reply: &[Option<String>]) {
        match kind {
            Kind::Increment => self.increments += 1,
            Kind::Push => self.elements += 1,
            Kind::Pop => self.elements -= i64::from(reply[0].is_some()),
            Kind::Twins => {
                let alike = reply.len() == 4 && reply.iter().all(|one| *one == reply[0]);
                assert!(alike, "half a command seen: {reply:?}");
            }
            Kind::Other => {}
        }
    }
}

/// Runs a batch on `first`, and what that lane leaves on the pool's, as the
/// reactor and its workers do.
fn finish(first: &mut Executor, pool: &mut Executor, batch: &mut Box<Batch>) -> String {
    let one = std::slice::from_mut(batch);
    first.turn(one, clock::now());
    if one[0].halt.take().is_some() {
        pool.turn(one, clock::now());
    }
    assert_eq!((batch.halt, batch.waiting()), (None, 0));
    replies(batch)
}

fn drive(host: &Host, lane: Lane, mut rng: Rng) -> Ledger {
    let (mut first, mut pool) = (host.executor(lane), host.executor(Lane::Pool));
    let mut ledger = Ledger::default();
    let mut batch = batch(&[]);
    for _ in 0..BATCHES {
        let (mut lines, kinds): (Vec<_>, Vec<_>) = (0..DEPTH).map(|_| command(&mut rng)).unzip();
        // Another database is emptied meanwhile; it shares all shards.
        lines.extend(["SELECT 1", "SET x 1", "FLUSHDB", "SELECT 0"].map(String::from));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        send(&mut batch, &lines);
        let text = finish(&mut first, &mut pool, &mut batch);
        let mut answered: VecDeque<&str> = text.split_terminator("\r\n").collect();
        for kind in kinds {
            ledger.enter(kind, &read(&mut answered));
        }
        assert_eq!(answered.make_contiguous().join(" "), "+OK +OK +OK +OK");
    }
    ledger
}

/// From the environment to repeat a failure, else random.
fn seed() -> u64 {
    let told = std::env::var("FLASHKV_SEED").ok();
    let told = told.and_then(|text| text.parse().ok());
    let seed = told.unwrap_or_else(|| Rng::random().next_u64());
    println!("lanes_and_threads_add_up: FLASHKV_SEED={seed}");
    seed
}

#[test]
fn lanes_and_threads_add_up() {
    let seed = seed();
    let host = Host::new();
    let mut sums = Ledger::default();
    std::thread::scope(|scope| {
        let host = &host;
        let drivers: Vec<_> = (0..THREADS)
            .map(|n| {
                let lane = if n % 2 == 0 { Lane::Light } else { Lane::Pool };
                let rng = Rng::seeded(seed.wrapping_add(n));
                scope.spawn(move || drive(host, lane, rng))
            })
            .collect();
        for driver in drivers {
            let ledger = driver.join().expect("no thread saw anything wrong");
            sums.increments += ledger.increments;
            sums.elements += ledger.elements;
        }
    });
    let total = |name: &str, count: u64| -> i64 {
        let lines: Vec<String> = (0..count).map(|n| format!("{name}:{n}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let text = run(&host, Lane::Pool, &mut batch(&lines));
        let mut lines: VecDeque<&str> = text.split_terminator("\r\n").collect();
        let replies = (0..count).flat_map(|_| read(&mut lines)).flatten();
        replies
            .map(|number| number.parse::<i64>().expect("a number"))
            .sum()
    };
    assert_eq!(total("GET counter", COUNTERS), sums.increments);
    assert_eq!(total("LLEN list", LISTS), sums.elements);
}
