//! Who goes, who stays, and who is told.

use parking_lot::Mutex;

use super::*;
use crate::base::hash::KeyHasher;
use crate::store::dict::Ttl;
use crate::store::entry::NewValue;
use crate::store::journal::{Effect, Interest, Journal, Notes, Silent};
use crate::store::usage::Lfu;
use crate::store::{Keyspace, Locks, Patience};

const NOW: Millis = 1_720_000_000_000;
const LFU: Lfu = Lfu {
    log_factor: 10,
    decay_minutes: 1,
};
const POLICIES: [&str; 7] = [
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
];

/// Printed, so that a failure can be repeated.
fn seed(test: &str) -> u64 {
    let seed = (std::env::var("FLASHKV_SEED").ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| Rng::random().next_u64());
    println!("{test}: FLASHKV_SEED={seed}");
    seed
}

fn policy(name: &str) -> Policy {
    Policy::from_name(name).expect("one that evicts")
}

fn keyspace(seed: u64) -> Keyspace {
    Keyspace::new(KeyHasher::seeded(seed))
}

/// A view of all shards at `now`.
fn view<'k>(keyspace: &'k Keyspace, policy: Policy, now: Millis, seed: u64) -> Db<'k> {
    let mut db = Db::new(Locks::new(keyspace, Patience::Wait), &Silent, now);
    if policy.rank == Rank::Lfu {
        db.count_uses(LFU, Rng::seeded(seed));
    }
    db
}

/// Stores key `i` in one of two databases.
fn store(db: &mut Db<'_>, i: u32, ttl: Ttl) {
    db.index = (i % 2) as usize * 3;
    db.set(db.key(&i.to_be_bytes()), NewValue::Int(1), ttl);
}

fn is_there(db: &mut Db<'_>, i: u32) -> bool {
    db.index = (i % 2) as usize * 3;
    db.peek(db.key(&i.to_be_bytes())).is_some()
}

/// Evicts `count` keys, or until there is nothing to evict; how many have gone.
fn evict(db: &mut Db<'_>, policy: Policy, count: usize, seed: u64) -> usize {
    let mut evictor = Evictor::new(policy, 5);
    let mut rng = Rng::seeded(seed);
    let (mut gone, mut vain) = (0, 0);
    while gone < count {
        match evictor.evict_one(db, &mut rng) {
            Evicted::One => gone += 1,
            Evicted::Nothing => break,
            Evicted::Busy => vain += 1,
        }
        assert!(db.locks.is_empty());
        assert!(vain < 10_000, "keys are there and none is found");
    }
    gone
}

#[test]
fn a_volatile_policy_takes_all_keys_that_expire_and_no_other() {
    const KEYS: u32 = 100_000;
    let seed = seed("a_volatile_policy_takes_all_keys_that_expire_and_no_other");
    for name in POLICIES {
        // From every third key down to one in ten thousand.
        for every in [3, 10_000] {
            let (policy, keyspace) = (policy(name), keyspace(seed));
            let mut db = view(&keyspace, policy, NOW, seed);
            db.acquire(Footprint::ALL_WRITE);
            for i in 0..KEYS {
                let expires = i % every == 0;
                let at = Ttl::At(NOW + 1000 + Millis::from(i));
                store(&mut db, i, if expires { at } else { Ttl::Clear });
            }
            db.release();
            let volatile = KEYS.div_ceil(every) as usize;
            let want = if policy.volatile { volatile } else { 5000 };
            assert_eq!(evict(&mut db, policy, want.max(5000), seed), want, "{name}");
            assert_eq!(db.effects.evicted, want as u64);
            db.acquire(Footprint::ALL_READ);
            let left = (0..KEYS).filter(|&i| is_there(&mut db, i)).count();
            assert_eq!(left, KEYS as usize - want, "{name}");
            if policy.volatile {
                let kept = (0..KEYS).filter(|i| i % every != 0);
                assert!(kept.into_iter().all(|i| is_there(&mut db, i)), "{name}");
            }
        }
    }
}

#[test]
fn an_empty_keyspace_has_nothing_and_a_held_one_is_busy() {
    for name in POLICIES {
        let (policy, keyspace) = (policy(name), keyspace(1));
        let mut db = view(&keyspace, policy, NOW, 1);
        let mut evictor = Evictor::new(policy, 5);
        let mut rng = Rng::seeded(1);
        assert_eq!(evictor.evict_one(&mut db, &mut rng), Evicted::Nothing);
        db.acquire(Footprint::ALL_WRITE);
        store(&mut db, 1, Ttl::At(NOW + 5));
        let mut other = Db::new(Locks::new(&keyspace, Patience::Try), &Silent, NOW);
        assert_eq!(evictor.evict_one(&mut other, &mut rng), Evicted::Busy);
        db.release();
        assert_eq!(evictor.evict_one(&mut other, &mut rng), Evicted::One);
        assert_eq!(evictor.evict_one(&mut other, &mut rng), Evicted::Nothing);
    }
}

/// Of 20,000 keys every fourth is hot. How many hot and cold ones are left of each 100
/// when half of all have been evicted.
fn left_of_hot_and_cold(name: &str, seed: u64) -> (usize, usize) {
    const KEYS: u32 = 20_000;
    let (policy, keyspace) = (policy(name), keyspace(seed));
    let mut db = view(&keyspace, policy, NOW, seed);
    db.acquire(Footprint::ALL_WRITE);
    (0..KEYS).for_each(|i| store(&mut db, i, Ttl::At(NOW + 10_000_000)));
    for round in 1..=20 {
        (db.now, db.used_at) = (NOW + round * 1000, NOW + round * 1000);
        for i in (0..KEYS).step_by(4) {
            db.index = (i % 2) as usize * 3;
            assert!(db.read(db.key(&i.to_be_bytes())).is_some());
        }
    }
    db.release();
    assert_eq!(evict(&mut db, policy, KEYS as usize / 2, seed), 10_000);
    db.acquire(Footprint::ALL_READ);
    let hot = (0..KEYS).filter(|&i| i % 4 == 0 && is_there(&mut db, i));
    let hot = hot.count();
    let cold = (0..KEYS).filter(|&i| i % 4 != 0 && is_there(&mut db, i));
    let cold = cold.count();
    assert_eq!(hot + cold, 10_000);
    (hot * 100 / 5000, cold * 100 / 15_000)
}

#[test]
fn hot_keys_outlive_cold_ones() {
    let seed = seed("hot_keys_outlive_cold_ones");
    for name in ["allkeys-lru", "volatile-lru", "allkeys-lfu", "volatile-lfu"] {
        let (hot, cold) = left_of_hot_and_cold(name, seed);
        // Perfect would be 100 and 33.
        assert!(hot >= 97 && cold <= 36, "{name}: {hot} {cold}");
    }
    let (hot, cold) = left_of_hot_and_cold("allkeys-random", seed);
    assert!(
        hot.abs_diff(50) < 8 && cold.abs_diff(50) < 8,
        "{hot} {cold}"
    );
}

#[test]
fn the_soonest_to_expire_go_first() {
    const KEYS: u32 = 10_000;
    let seed = seed("the_soonest_to_expire_go_first");
    let (policy, keyspace) = (policy("volatile-ttl"), keyspace(seed));
    let mut db = view(&keyspace, policy, NOW, seed);
    db.acquire(Footprint::ALL_WRITE);
    (0..KEYS).for_each(|i| store(&mut db, i, Ttl::At(NOW + 1000 + Millis::from(i))));
    db.release();
    assert_eq!(evict(&mut db, policy, 2500, seed), 2500);
    db.acquire(Footprint::ALL_READ);
    let late = (KEYS / 2..KEYS).filter(|&i| is_there(&mut db, i)).count();
    let soon = (0..KEYS / 8).filter(|&i| is_there(&mut db, i)).count();
    // Five keys are looked at for each that goes, so of any group a share of
    // exp(-5 * ln(4 / 3)) is never looked at: some 300. By chance 940 would be left.
    assert!(late > 4900 && soon < 400, "{late} {soon}");
}

#[test]
fn who_was_used_since_it_was_seen_stays() {
    let (policy, keyspace) = (policy("allkeys-lru"), keyspace(1));
    let mut db = view(&keyspace, policy, NOW, 1);
    db.acquire(Footprint::ALL_WRITE);
    (0..2).for_each(|i| store(&mut db, i, Ttl::Clear));
    db.release();
    let mut evictor = Evictor::new(policy, 64);
    (db.now, db.used_at) = (NOW + 60_000, NOW + 60_000);
    let mut rng = Rng::seeded(2);
    while evictor.pool.len() < 2 {
        assert_eq!(evictor.look_around(&db, &mut rng), Evicted::One);
    }
    db.acquire(Footprint::ALL_WRITE);
    db.index = 0;
    assert!(db.touch(db.key(&0_u32.to_be_bytes())));
    db.release();
    assert_eq!(evictor.evict_one(&mut db, &mut rng), Evicted::One);
    db.acquire(Footprint::ALL_READ);
    assert!(is_there(&mut db, 0) && !is_there(&mut db, 1));
}

#[test]
fn what_has_expired_goes_as_expired() {
    let (policy, keyspace) = (policy("allkeys-lru"), keyspace(1));
    let mut db = view(&keyspace, policy, NOW, 1);
    db.acquire(Footprint::ALL_WRITE);
    store(&mut db, 0, Ttl::At(NOW + 10));
    db.release();
    db.now = NOW + 10;
    assert_eq!(evict(&mut db, policy, 5, 1), 1);
    assert_eq!((db.effects.evicted, db.effects.expired), (0, 1));
}

#[derive(Default)]
struct Listener(Mutex<Vec<String>>);

impl Journal for Listener {
    fn interest(&self) -> Interest {
        Interest::ALL
    }

    fn record(&self, notes: &Notes) {
        let told = notes.iter().map(|effect| match effect {
            Effect::Touched { db, key, event } => {
                format!("{db} {} {:?}", key.escape_ascii(), event)
            }
            other => format!("{other:?}"),
        });
        self.0.lock().extend(told);
    }
}

#[test]
fn an_eviction_is_an_event_and_a_del_in_the_log() {
    let (keyspace, listener) = (keyspace(1), Listener::default());
    let mut db = Db::new(Locks::new(&keyspace, Patience::Wait), &listener, NOW);
    db.acquire(Footprint::ALL_WRITE);
    db.index = 3;
    db.set(db.key(b"key"), NewValue::Int(1), Ttl::Clear);
    db.release();
    listener.0.lock().clear();
    assert_eq!(evict(&mut db, policy("allkeys-random"), 9, 1), 1);
    let told = listener.0.lock().join("\n");
    assert_eq!(
        told,
        "3 key Event { name: \"evicted\", class: Evicted }\n\
         Command { db: 3, words: [\"DEL\", \"key\"] }"
    );
}

#[test]
fn the_pool_keeps_the_best_and_each_key_once() {
    let mut pool = Vec::new();
    for round in 0..3 {
        for score in 0..40_u64 {
            let key = (score * 7 % 40).to_be_bytes();
            offer(&mut pool, score * 7 % 40 + round, 0, &key);
        }
    }
    assert_eq!(pool.len(), POOL_MAX);
    assert!(pool.is_sorted_by_key(|candidate| candidate.score));
    assert!(pool[0].score >= 23, "{pool:?}");
    let mut keys: Vec<_> = pool.iter().map(|candidate| &candidate.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), POOL_MAX);
}
