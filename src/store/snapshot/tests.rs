//! A snapshot and writers at the same time, in threads of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::Snapshot;
use crate::base::hash::KeyHasher;
use crate::base::rng::Rng;
use crate::store::dict::Ttl;
use crate::store::entry::NewValue;
use crate::store::journal::{Interest, Journal, Notes};
use crate::store::keyspace::{Keyspace, Locks, Patience};
use crate::store::{Db, Footprint};

struct Deaf;

impl Journal for Deaf {
    fn interest(&self) -> Interest {
        Interest::NONE
    }

    fn record(&self, _notes: &Notes) {}
}

const KEYS: u64 = 20_000;
const SNAPSHOTS: usize = 20;
const WRITERS: u64 = 2;
/// So little that writers wait for the saver now and then.
const BUDGET_BYTES: usize = 64 << 10;

fn put(db: &mut Db<'_>, n: u64, value: u64) {
    let name = n.to_string();
    let key = db.key(name.as_bytes());
    let mut footprint = Footprint::NONE;
    footprint.add(key.hash, true);
    db.acquire(footprint);
    db.put(key, NewValue::Int(value as i64), Ttl::Clear);
    db.release();
}

/// Has the writers end, when the test fails too.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

fn write_until(keyspace: &Arc<Keyspace>, seed: u64, ended: &AtomicBool, written: &AtomicU64) {
    let mut rng = Rng::seeded(seed);
    let mut db = Db::new(Locks::new(keyspace, Patience::Wait), &Deaf, 1000);
    while !ended.load(Relaxed) {
        put(&mut db, rng.below(KEYS), rng.below(1 << 40));
        written.fetch_add(1, Relaxed);
        let brake = &keyspace.snapshots.brake;
        if brake.is_on() {
            brake.wait();
        }
    }
}

/// Each key is emitted once, and every image that a writer hands over is counted before
/// the saver can be through with it: then the count comes back to zero, and never below.
#[test]
fn writers_and_the_saver_agree_on_what_waits() {
    let keyspace = Arc::new(Keyspace::new(KeyHasher::seeded(1)));
    let mut db = Db::new(Locks::new(&keyspace, Patience::Wait), &Deaf, 1000);
    (0..KEYS).for_each(|n| put(&mut db, n, n));
    let (ended, written) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for seed in 0..WRITERS {
            let (keyspace, ended, written) = (&keyspace, &ended, &written);
            scope.spawn(move || write_until(keyspace, seed, ended, written));
        }
        let _ends = Ends(&ended);
        for _ in 0..SNAPSHOTS {
            let mut locks = Locks::new(&keyspace, Patience::Wait);
            let started = Snapshot::start(&keyspace, &mut locks, BUDGET_BYTES, || ());
            let (snapshot, ()) = started.expect("the only snapshot");
            let handle = snapshot.handle();
            let mut emitted = 0;
            let walked = snapshot.walk(&mut locks, |_| -> Result<(), ()> {
                emitted += 1;
                Ok(())
            });
            assert_eq!(walked, Ok(()));
            assert_eq!(emitted, KEYS);
            assert_eq!(handle.waiting_bytes(), 0);
        }
    });
    assert!(written.load(Relaxed) > 0);
}
