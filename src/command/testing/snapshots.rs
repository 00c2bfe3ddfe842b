//! A snapshot against the data of its moment, while random commands change everything: every
//! key exactly once, as it was.

use std::sync::Arc;
use std::time::Duration;

use super::property::Stream;
use super::{Data, Held, Rig, seed};
use crate::base::rng::Rng;
use crate::store::entry::{Entry, NewValue, ValueRef};
use crate::store::expire::Expirer;
use crate::store::snapshot::{Item, Snapshot, Stopped};
use crate::store::{Db, Keyspace, Locks, Patience};

/// Keys beside the few that the random commands meet on.
const KEYS: u64 = 4000;
/// Before all times: nothing has expired, and all is looked at.
const NEVER_YET: i64 = i64::MIN;

fn held(item: &Item<'_>) -> Held {
    let value = match item.value {
        ValueRef::Int(int) => NewValue::Int(int),
        ValueRef::Str(text) => NewValue::Text(text),
        ValueRef::Shared(text) => NewValue::Shared(text.clone()),
        ValueRef::Collection(value) => NewValue::Collection(value.copied()),
    };
    Held::of(&Entry::new(item.key, value, item.expire, 0))
}

/// One change of the many keys, or of the whole.
fn change(rig: &mut Rig, stream: &mut Stream) {
    let key = format!("key:{}", stream.rng.below(2 * KEYS));
    let other = format!("key:{}", stream.rng.below(2 * KEYS));
    let line = match stream.rng.below(400) {
        0 => "flushdb".to_owned(),
        1 => "swapdb 0 1".to_owned(),
        2 if stream.rng.below(4) == 0 => "flushall".to_owned(),
        3..20 => format!("select {}", stream.rng.below(3)),
        20..60 => format!("del {key}"),
        60..100 => format!("append {key} tail"),
        100..120 => format!("rename {key} {other}"),
        120..140 => format!("copy {key} {other} replace"),
        140..160 => format!("move {key} {}", stream.rng.below(3)),
        160..180 => format!("pexpire {key} {}", 1 + stream.rng.below(50)),
        180..200 => format!("persist {key}"),
        200..220 => format!("setrange {key} 3 {}", "y".repeat(300)),
        220..300 => format!("set {key} {}", stream.rng.below(1 << 40)),
        _ => stream.next(),
    };
    rig.line(&line);
    if stream.rng.below(50) == 0 {
        rig.now += 10;
    }
    if stream.rng.below(200) == 0 {
        let locks = Locks::new(&rig.services.keyspace, Patience::Wait);
        let mut db = Db::new(locks, &rig.journal, rig.now);
        Expirer::default().step(&mut db, Duration::from_secs(1));
    }
}

fn filled(stream: &mut Stream, keys: u64) -> Rig {
    let mut rig = Rig::new();
    for nth in 0..keys {
        let line = match nth % 7 {
            0 => format!("rpush key:{nth} a b c"),
            1 => format!(
                "set key:{nth} {} px {}",
                "v".repeat(200),
                1 + stream.rng.below(90)
            ),
            2 => format!("hset key:{nth} field {nth}"),
            _ => format!("set key:{nth} value:{nth}"),
        };
        rig.line(&line);
        if nth % 100 == 0 {
            rig.line(&format!("select {}", stream.rng.below(3)));
        }
    }
    (0..200).for_each(|_| drop(rig.line(&stream.next())));
    rig
}

/// Takes a snapshot with `changes` changes after each key, and compares it.
fn take(rig: &mut Rig, stream: &mut Stream, changes: u64) {
    let keyspace: Arc<Keyspace> = Arc::clone(&rig.services.keyspace);
    let mut locks = Locks::new(&keyspace, Patience::Wait);
    let want = rig.data_at(NEVER_YET);
    let started = Snapshot::start(&keyspace, &mut locks, 0, || ());
    let (snapshot, ()) = started.expect("no other runs");
    let keys: usize = snapshot.sizes().iter().map(|sizes| sizes.keys).sum();
    assert_eq!(keys, want.len());
    let mut found = Data::new();
    let result = snapshot.walk(&mut locks, |item| {
        let twice = found.insert((item.db, item.key.to_vec()), (held(&item), item.expire));
        assert!(twice.is_none(), "{} comes twice", item.key.escape_ascii());
        (0..changes).for_each(|_| change(rig, stream));
        Ok::<_, ()>(())
    });
    assert_eq!(result, Ok(()));
    for (key, value) in &want {
        assert_eq!(found.get(key), Some(value), "{key:?}");
    }
    assert_eq!(found.len(), want.len());
}

fn stream(seed: u64) -> Stream {
    Stream {
        rng: Rng::seeded(seed),
        ttl: 1..2000,
    }
}

#[test]
fn a_snapshot_is_of_one_moment() {
    let seed = seed("a_snapshot_is_of_one_moment");
    for round in 0..6 {
        let mut stream = stream(seed.wrapping_add(round));
        let mut rig = filled(&mut stream, KEYS);
        for changes in [0, 1, 3] {
            take(&mut rig, &mut stream, changes);
        }
    }
}

/// The marks in entries are numbers of one byte.
#[test]
fn many_snapshots_one_after_the_other() {
    let seed = seed("many_snapshots_one_after_the_other");
    let mut stream = stream(seed);
    let mut rig = filled(&mut stream, 60);
    for _ in 0..600 {
        (0..20).for_each(|_| change(&mut rig, &mut stream));
        take(&mut rig, &mut stream, 1);
    }
}

/// A table that is emptied and grows again under the walk's feet.
#[test]
fn keys_that_all_go_and_come_again() {
    let mut stream = stream(1);
    let mut rig = filled(&mut stream, 0);
    for nth in 0..2000 {
        rig.line(&format!("set again:{nth} old"));
    }
    let keyspace = Arc::clone(&rig.services.keyspace);
    let mut locks = Locks::new(&keyspace, Patience::Wait);
    let want = rig.data_at(NEVER_YET).len();
    let (snapshot, ()) = Snapshot::start(&keyspace, &mut locks, 0, || ()).expect("no other runs");
    let mut seen = 0;
    let result = snapshot.walk(&mut locks, |item| {
        seen += 1;
        if seen % 500 == 0 {
            (0..2000).for_each(|nth| drop(rig.line(&format!("del again:{nth}"))));
            (0..2000).for_each(|nth| drop(rig.line(&format!("set again:{nth} new"))));
        }
        if item.key.starts_with(b"again:") {
            assert_eq!(held(&item), Held::Text(b"old".to_vec()));
        }
        Ok::<_, ()>(())
    });
    assert_eq!((result, seen), (Ok(()), want));
}

#[test]
fn a_cancelled_snapshot_leaves_no_trace() {
    let mut stream = stream(2);
    let mut rig = filled(&mut stream, 500);
    let keyspace = Arc::clone(&rig.services.keyspace);
    let mut locks = Locks::new(&keyspace, Patience::Wait);
    let (snapshot, ()) = Snapshot::start(&keyspace, &mut locks, 0, || ()).expect("no other runs");
    assert!(
        Snapshot::start(&keyspace, &mut locks, 0, || ()).is_none(),
        "one at a time"
    );
    let handle = snapshot.handle();
    let result = snapshot.walk(&mut locks, |_| {
        rig.line("set key:1 changed");
        rig.line("flushall");
        handle.cancel();
        Ok::<_, ()>(())
    });
    assert_eq!(result, Err(Stopped::Cancelled));
    (0..100).for_each(|nth| drop(rig.line(&format!("set key:{nth} x"))));
    take(&mut rig, &mut stream, 1);
}

/// What waits for the disk is bounded: beyond the budget, who tries is sent away.
#[test]
fn the_brake_holds_writers_back_and_lets_go() {
    let mut stream = stream(3);
    let mut rig = filled(&mut stream, 2000);
    rig.line("select 0");
    let keyspace = Arc::clone(&rig.services.keyspace);
    let mut locks = Locks::new(&keyspace, Patience::Wait);
    let (snapshot, ()) = Snapshot::start(&keyspace, &mut locks, 300, || ()).expect("no other runs");
    let mut footprint = crate::store::Footprint::NONE;
    footprint.add(keyspace.key(b"k").hash, true);
    let tries = || {
        let mut locks = Locks::new(&keyspace, Patience::Try);
        locks.acquire(footprint) == 0
    };
    let mut nth = 0;
    let (mut stopped, mut eased) = (false, false);
    let result = snapshot.walk(&mut locks, |_| {
        if !stopped {
            rig.line(&format!("set key:{nth} changed"));
            nth += 1;
            stopped = !tries();
        } else {
            eased |= tries();
        }
        Ok::<_, ()>(())
    });
    assert_eq!((result, stopped, eased), (Ok(()), true, true));
    assert!(tries());
}
