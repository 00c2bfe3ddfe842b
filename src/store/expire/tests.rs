//! The active expiry removes what is due, all of it, and nothing else.

use super::*;
use crate::base::hash::KeyHasher;
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
    db.locks.acquire(Footprint::ALL_WRITE);
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
