//! The active expiry removes what is due, all of it, and nothing else.

use super::*;
use crate::base::hash::KeyHasher;
use crate::ds::hash::{Given, Limit};
use crate::store::dict::Ttl;
use crate::store::entry::NewValue;
use crate::store::journal::Silent;
use crate::store::{Keyspace, Locks, Patience};

const NOW: Millis = 1_720_000_000_000;
const KEYS: u32 = 5000;

/// Keys in two databases of which every third expires, at `NOW` + its number.
fn filled() -> Keyspace {
    let keyspace = Keyspace::new(KeyHasher::seeded(1));
    let mut db = Db::new(Locks::new(&keyspace, Patience::Wait), &Silent, NOW - 1);
    db.acquire(Footprint::ALL_WRITE);
    for i in 0..KEYS {
        db.index = (i % 2) as usize * 15;
        let ttl = match i % 3 {
            0 => Ttl::At(NOW + Millis::from(i)),
            _ => Ttl::Clear,
        };
        db.set(keyspace.key(&i.to_be_bytes()), NewValue::Int(1), ttl);
    }
    drop(db);
    keyspace
}

fn counts(db: &Db<'_>) -> (usize, usize) {
    let sizes = [0, 15].map(|index| db.sizes(index).expect("nobody else holds a lock"));
    let keys = sizes.iter().map(|sizes| sizes.keys).sum();
    (keys, sizes.iter().map(|sizes| sizes.volatile).sum())
}

/// How many of the numbers below `end` are divisible by three.
fn thirds(end: u32) -> usize {
    end.div_ceil(3) as usize
}

#[test]
fn removes_what_is_due_and_nothing_else() {
    let keyspace = filled();
    let mut expirer = Expirer::default();
    for due in [0, 1, 1000, 2500, KEYS] {
        let now = NOW + Millis::from(due) - 1;
        let mut db = Db::new(Locks::new(&keyspace, Patience::Try), &Silent, now);
        let report = expirer.step(&mut db, Duration::from_secs(60));
        assert!(!report.unfinished && !report.skipped);
        assert!(db.locks.is_empty());
        let volatile = thirds(KEYS) - thirds(due);
        assert_eq!(counts(&db), (KEYS as usize - thirds(due), volatile));
    }
}

#[test]
fn a_step_without_time_says_that_work_is_left() {
    let keyspace = filled();
    let later = NOW + Millis::from(KEYS);
    let mut db = Db::new(Locks::new(&keyspace, Patience::Try), &Silent, later);
    let mut expirer = Expirer::default();
    let report = expirer.step(&mut db, Duration::ZERO);
    assert!(report.unfinished && report.removed == 0);
}

#[test]
fn a_held_shard_is_passed() {
    let keyspace = filled();
    let mut holder = Locks::new(&keyspace, Patience::Wait);
    holder.acquire(Footprint { read: 1, write: 0 });
    let later = NOW + Millis::from(KEYS);
    let mut db = Db::new(Locks::new(&keyspace, Patience::Try), &Silent, later);
    let mut expirer = Expirer::default();
    let report = expirer.step(&mut db, Duration::from_secs(60));
    let held = (holder.shard(0).dict(0).volatile()) + holder.shard(0).dict(15).volatile();
    assert!(report.skipped && held > 0);
    assert_eq!(report.removed as usize, thirds(KEYS) - held);
    holder.release();
    expirer.step(&mut db, Duration::from_secs(60));
    assert_eq!(counts(&db), (KEYS as usize - thirds(KEYS), 0));
}

const LIMIT: Limit = Limit {
    entries: 64,
    value: 64,
};

/// Hashes of so many fields each, of which every second expires at `NOW`, and one
/// of which nothing is left then.
fn hashes(sizes: &[u32]) -> Keyspace {
    let keyspace = Keyspace::new(KeyHasher::seeded(1));
    let mut db = Db::new(Locks::new(&keyspace, Patience::Wait), &Silent, NOW - 1);
    db.acquire(Footprint::ALL_WRITE);
    for &size in sizes {
        let name = size.to_be_bytes();
        let key = keyspace.key(&name);
        let names: Vec<[u8; 4]> = (0..size).map(u32::to_be_bytes).collect();
        let pairs = names.iter().map(|name| (&name[..], Given::Text(b"value")));
        db.hash_set(key, pairs, LIMIT).expect("a new key");
        let names = names.iter().step_by(2).map(|name| &name[..]);
        db.hash_expire(key, NOW, ExpireIf::default(), names, |_| ())
            .expect("a hash");
    }
    drop(db);
    keyspace
}

fn fields(db: &mut Db<'_>, size: u32) -> Option<usize> {
    db.acquire(Footprint::ALL_READ);
    let name = size.to_be_bytes();
    let key = db.key(&name);
    let found = db.hash(key).expect("a hash").map(|hash| hash.len());
    db.release();
    found
}

#[test]
fn fields_that_are_due_are_removed_and_no_others() {
    let sizes = [1, 2, 60, 500, 20_000];
    let keyspace = hashes(&sizes);
    let mut expirer = Expirer::default();
    for now in [NOW - 1, NOW] {
        let mut db = Db::new(Locks::new(&keyspace, Patience::Try), &Silent, now);
        let report = expirer.step(&mut db, Duration::from_secs(60));
        assert!(!report.unfinished && !report.skipped);
        let due = sizes.iter().map(|size| u64::from(size.div_ceil(2))).sum();
        assert_eq!(report.removed, if now < NOW { 0 } else { due });
        assert_eq!(db.effects.expired_fields, report.removed);
        for size in sizes {
            let left = if now < NOW { size } else { size / 2 };
            let left = (left > 0).then_some(left as usize);
            assert_eq!(fields(&mut db, size), left, "of {size}");
        }
    }
    let mut db = Db::new(Locks::new(&keyspace, Patience::Try), &Silent, NOW);
    expirer.step(&mut db, Duration::from_secs(60));
    let due = |shard: usize| db.locks.visit(shard, |shard| shard.dict(0).next_expiry());
    assert!((0..SHARDS).all(|shard| due(shard) == Ok(None)));
}

#[test]
fn a_large_hash_is_left_and_taken_up_again() {
    let keyspace = hashes(&[20_000]);
    let mut expirer = Expirer::default();
    let mut steps = 0;
    loop {
        let mut db = Db::new(Locks::new(&keyspace, Patience::Try), &Silent, NOW);
        steps += 1;
        if !expirer.step(&mut db, Duration::from_micros(50)).unfinished {
            break;
        }
    }
    assert!(steps > 1);
    let mut db = Db::new(Locks::new(&keyspace, Patience::Try), &Silent, NOW);
    assert_eq!(fields(&mut db, 20_000), Some(10_000));
}
