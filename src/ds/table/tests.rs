//! The table against plain models: seeded interleavings of everything, exact
//! scans, drops counted, bytes per element computed.

#![allow(unsafe_code)]
// Callbacks get `&E`, and the element here is a box.
#![allow(clippy::borrowed_box)]

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

mod any;
mod figures;
mod share;

/// SplitMix64: small, seeded, good enough for choosing.
#[derive(Clone)]
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// How the keys of a run hash: well, or as an attacker would like.
#[derive(Clone, Copy, Debug)]
enum Hashing {
    Honest,
    /// The same first 20 bits for all.
    SamePrefix,
    /// Eight hashes for all.
    FewHashes,
}

impl Hashing {
    fn hash(self, key: u64) -> u64 {
        match self {
            Hashing::Honest => mix(key),
            Hashing::SamePrefix => (mix(key) >> 20) | (0xa_5a5a << 44),
            Hashing::FewHashes => mix(key % 8),
        }
    }
}

struct Item {
    key: u64,
    value: u64,
    due: u64,
    drops: Arc<AtomicUsize>,
}

impl Drop for Item {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

/// The table and its model, driven together.
struct Twin {
    table: Table<Box<Item>>,
    model: HashMap<u64, (u64, u64)>,
    hashing: Hashing,
    made: usize,
    drops: Arc<AtomicUsize>,
}

impl Twin {
    fn new(hashing: Hashing, hash_bits_used: u32) -> Twin {
        let drops = Arc::new(AtomicUsize::new(0));
        Twin {
            table: Table::new(hash_bits_used),
            model: HashMap::new(),
            hashing,
            made: 0,
            drops,
        }
    }

    fn make(&mut self, key: u64, value: u64, due: u64) -> Box<Item> {
        self.made += 1;
        Box::new(Item {
            key,
            value,
            due,
            drops: Arc::clone(&self.drops),
        })
    }

    fn set(&mut self, key: u64, value: u64, due: u64) {
        let (hash, hashing) = (self.hashing.hash(key), self.hashing);
        let item = self.make(key, value, due);
        match self.table.entry(hash, |item| item.key == key) {
            Entry::Occupied(mut slot) => {
                let old = slot.replace(item);
                slot.note_min(due);
                assert_eq!(
                    Some((old.value, old.due)),
                    self.model.insert(key, (value, due))
                );
            }
            Entry::Vacant(vacant) => {
                vacant.insert(item, |item| hashing.hash(item.key));
                self.table.note_min(hash, due);
                assert_eq!(None, self.model.insert(key, (value, due)));
            }
        }
    }

    /// Changes the element, which moves to another allocation.
    fn bump(&mut self, key: u64) {
        let drops = Arc::clone(&self.drops);
        let hash = self.hashing.hash(key);
        let slot = self.table.find_mut(hash, |item| item.key == key);
        assert_eq!(slot.is_some(), self.model.contains_key(&key));
        let Some(mut slot) = slot else { return };
        let (value, due) = (slot.get().value + 1, slot.get().due);
        let moved = Box::new(Item {
            key,
            value,
            due,
            drops,
        });
        *slot.get_mut() = moved;
        self.made += 1;
        assert_eq!(slot.get().value, value);
        self.model.insert(key, (value, due));
    }

    fn delete(&mut self, key: u64) {
        let slot = self
            .table
            .find_mut(self.hashing.hash(key), |item| item.key == key);
        let removed = slot.map(Slot::remove).map(|item| (item.value, item.due));
        assert_eq!(removed, self.model.remove(&key));
    }

    fn find(&self, key: u64) {
        let found = self
            .table
            .find(self.hashing.hash(key), |item| item.key == key);
        let found = found.map(|item| (item.value, item.due));
        assert_eq!(found, self.model.get(&key).copied());
        if let Some(hint) = self.table.prefetch_bucket(self.hashing.hash(key)) {
            hint.prefetch_entry();
        }
    }

    fn sample(&self, rng: &mut Rng) {
        match self.table.sample(|| rng.next()) {
            Some(item) => assert_eq!(self.model.get(&item.key), Some(&(item.value, item.due))),
            None => assert!(self.model.is_empty()),
        }
    }

    /// One whole walk in steps of `segments`: all that was due must be gone.
    fn expire(&mut self, now: u64, segments: usize) {
        let mut cursor = 0;
        loop {
            let model = &mut self.model;
            let visit = |item: &Box<Item>| match item.due <= now {
                true => Due::Remove,
                false => Due::Keep(item.due),
            };
            let removed = |item: Box<Item>| assert!(model.remove(&item.key).unwrap().1 <= now);
            cursor = self.table.due(cursor, now, segments, visit, removed).cursor;
            if cursor == 0 {
                break;
            }
        }
        assert!(self.model.values().all(|&(_, due)| due > now));
        let least = self.model.values().map(|&(_, due)| due).min();
        assert!(self.table.min_overall() <= least.unwrap_or(u64::MAX));
    }

    fn check(&self) {
        assert_eq!(self.table.len(), self.model.len());
        assert_eq!(self.table.is_empty(), self.model.is_empty());
        assert_eq!(self.table.mem_bytes() == 0, self.model.is_empty());
        let mut seen = BTreeMap::new();
        self.table.for_each(|item| {
            assert!(seen.insert(item.key, (item.value, item.due)).is_none());
        });
        assert_eq!(seen, self.model.iter().map(|(&k, &v)| (k, v)).collect());
        assert_eq!(
            self.made - self.drops.load(Ordering::Relaxed),
            self.model.len()
        );
        self.check_bytes();
    }

    /// `mem_bytes` is kept by differences; this counts anew.
    fn check_bytes(&self) {
        let (mut path, mut bytes, mut segments, mut items) = (0, 0, 0, 0);
        while let Some(segment) = self.table.directory.get(path) {
            bytes += segment.bytes();
            segments += 1;
            items += segment.head.count as usize;
            path = segment.end(path);
            if path == 0 {
                break;
            }
        }
        assert_eq!(self.table.segments(), segments);
        assert_eq!(self.table.len(), items);
        assert_eq!(self.table.mem_bytes(), bytes + self.table.directory.bytes());
    }
}

fn interleave(seed: u64, hashing: Hashing, steps: usize) {
    eprintln!("seed {seed} {hashing:?}");
    let mut rng = Rng(seed);
    let mut twin = Twin::new(hashing, (seed % 3) as u32 * 3);
    let keys = [8, 60, 700, 6000][rng.below(4) as usize];
    let mut growing = true;
    for step in 0..steps {
        if rng.below(500) == 0 {
            growing = !growing;
        }
        let key = rng.below(keys);
        match rng.below(16) {
            0..=7 if growing => twin.set(key, rng.next() >> 1, rng.below(1 << 20)),
            0..=7 => twin.delete(key),
            8 => twin.set(key, rng.next() >> 1, rng.below(1 << 20)),
            9 => twin.delete(key),
            10 => twin.bump(key),
            11 => twin.sample(&mut rng),
            12 if rng.below(100) == 0 => twin.expire(rng.clone().below(1 << 18), 3),
            _ => twin.find(key),
        }
        if step % 1024 == 0 {
            twin.check();
        }
    }
    twin.check();
    let (made, drops) = (twin.made, Arc::clone(&twin.drops));
    drop(twin.table);
    assert_eq!(made, drops.load(Ordering::Relaxed));
}

const RUNS: u64 = if cfg!(miri) { 3 } else { 400 };

#[test]
fn agrees_with_a_map_under_any_interleaving() {
    (0..RUNS).for_each(|seed| interleave(seed, Hashing::Honest, 6000));
}

#[test]
fn agrees_with_a_map_when_hashes_collide() {
    (0..RUNS / 8).for_each(|seed| interleave(seed, Hashing::SamePrefix, 6000));
    (0..RUNS / 8).for_each(|seed| interleave(seed, Hashing::FewHashes, 3000));
}

/// Iterates while the table changes between the steps; the elements of
/// `residents` stay throughout.
fn scan_exactly_once(seed: u64) {
    eprintln!("seed {seed}");
    let mut rng = Rng(seed);
    let mut twin = Twin::new(Hashing::Honest, 6 * (seed % 2) as u32);
    let residents_max = [3, 40, 900, 5000][rng.below(4) as usize];
    let residents = 1 + rng.below(residents_max);
    (0..residents).for_each(|key| twin.set(key, 0, u64::MAX));
    let churn = rng.below(400);
    let mut seen = vec![0; residents as usize];
    let mut cursor = 0;
    loop {
        let mut note = |item: &Box<Item>| {
            if let Some(count) = seen.get_mut(item.key as usize) {
                *count += 1;
            }
        };
        cursor = match rng.below(8) {
            0 => twin.table.scan_segment(cursor, &mut note),
            _ => twin.table.scan(cursor, &mut note),
        };
        assert!(cursor < 1 << CURSOR_BITS);
        if cursor == 0 {
            break;
        }
        for _ in 0..churn {
            let key = residents + rng.below(20_000);
            match (cursor >> 30) % 3 {
                0 => twin.delete(key),
                _ => twin.set(key, 1, u64::MAX),
            }
        }
    }
    assert!(
        seen.iter().all(|&count| count == 1),
        "seed {seed}: {seen:?}"
    );
}

#[test]
fn scan_reports_residents_exactly_once() {
    (0..RUNS).for_each(scan_exactly_once);
}

#[test]
fn scan_steps_are_small_and_in_hash_order() {
    let mut twin = Twin::new(Hashing::Honest, 0);
    (0..50_000).for_each(|key| twin.set(key, 0, 0));
    let (mut cursor, mut steps, mut total) = (0, 0, 0);
    loop {
        let mut hashes = Vec::new();
        let next = twin.table.scan(cursor, |item| hashes.push(mix(item.key)));
        assert!(hashes.iter().all(|hash| hash >> 16 >= cursor));
        assert!(next == 0 || hashes.iter().all(|hash| hash >> 16 < next));
        assert!(
            hashes
                .iter()
                .all(|&hash| next == 0 || twin.table.has_passed(next, hash))
        );
        assert!(hashes.len() <= 48, "{}", hashes.len());
        (steps, total) = (steps + 1, total + hashes.len());
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(total, 50_000);
    let mean = total as f64 / steps as f64;
    assert!((7.0..17.0).contains(&mean), "mean {mean}");
}

#[test]
fn any_cursor_is_harmless() {
    let mut twin = Twin::new(Hashing::Honest, 6);
    (0..3000).for_each(|key| twin.set(key, 0, 0));
    let mut rng = Rng(1);
    for _ in 0..20_000 {
        let cursor = rng.next() >> rng.below(64);
        assert!(twin.table.scan(cursor, |_| ()) < 1 << CURSOR_BITS);
        twin.table.due(cursor, 0, 1, |_| Due::Keep(5), |_| ());
    }
    twin.check();
}

#[test]
fn samples_are_uniform() {
    for keys in [1u64, 5, 100, 700, 3000] {
        let mut twin = Twin::new(Hashing::Honest, 0);
        (0..keys * 2).for_each(|key| twin.set(key, 0, 0));
        (keys..keys * 2).for_each(|key| twin.delete(key));
        let mut rng = Rng(keys);
        let mut hits = vec![0f64; keys as usize];
        let mean = 200.0;
        for _ in 0..keys * 200 {
            hits[twin.table.sample(|| rng.next()).unwrap().key as usize] += 1.0;
        }
        let chi: f64 = hits
            .iter()
            .map(|hit| (hit - mean) * (hit - mean) / mean)
            .sum();
        let free = keys as f64;
        assert!(
            chi < free + 5.0 * (2.0 * free).sqrt(),
            "{keys} keys: chi square {chi}"
        );
    }
}

#[test]
fn due_visits_only_where_the_minimum_says() {
    let mut twin = Twin::new(Hashing::Honest, 0);
    (0..20_000).for_each(|key| twin.set(key, 0, 1_000_000));
    twin.set(20_000, 0, 10);
    assert_eq!(twin.table.min_overall(), 10);
    let visit = |item: &Box<Item>| {
        if item.due <= 50 {
            Due::Remove
        } else {
            Due::Keep(item.due)
        }
    };
    let (mut cursor, mut segments, mut removed) = (0, 0, 0);
    loop {
        let step = twin.table.due(cursor, 50, 1, visit, |_| removed += 1);
        (cursor, segments) = (step.cursor, segments + step.segments);
        if cursor == 0 {
            break;
        }
    }
    assert_eq!((segments, removed), (1, 1));
    assert_eq!(twin.table.min_overall(), 1_000_000);
}

#[test]
fn drains_in_slices_and_frees_all() {
    let mut twin = Twin::new(Hashing::Honest, 0);
    (0..30_000).for_each(|key| twin.set(key, 0, 0));
    let (mut cursor, mut taken) = (0, 0);
    loop {
        let before = taken;
        cursor = twin.table.drain_some(cursor, 4, |_| taken += 1);
        assert!(taken - before <= 4 * 280);
        assert_eq!(twin.table.len(), 30_000 - taken);
        if cursor == 0 {
            break;
        }
        twin.check_bytes();
    }
    assert_eq!((taken, twin.table.mem_bytes()), (30_000, 0));
    assert_eq!(twin.drops.load(Ordering::Relaxed), 30_000);
}

#[test]
fn memory_follows_deletion() {
    let mut twin = Twin::new(Hashing::Honest, 0);
    (0..50_000).for_each(|key| twin.set(key, 0, 0));
    let full = twin.table.mem_bytes();
    (0..49_000).for_each(|key| twin.delete(key));
    assert!(twin.table.mem_bytes() * 8 < full);
    twin.check();
    (49_000..50_000).for_each(|key| twin.delete(key));
    assert_eq!(twin.table.mem_bytes(), 0);
}

#[test]
fn a_large_table_is_emptied_without_a_pause() {
    let keys = if cfg!(miri) { 0 } else { 300_000 };
    let mut table: Table<Fake> = Table::new(0);
    for key in 0..keys {
        table.insert_new(mix(key), Fake(key), |fake| mix(fake.0));
    }
    for key in 0..keys {
        table
            .find_mut(mix(key), |fake| fake.0 == key)
            .map(Slot::remove)
            .unwrap();
    }
    assert!(table.is_empty() && table.mem_bytes() <= table.segments() * 128 + 40_000);
    assert!(table.sample(|| 1).is_none());
    let step = table.due(0, 1, 9, |_| Due::Remove, drop);
    assert_eq!((step.cursor, step.visited), (0, 0));
    table.insert_new(mix(7), Fake(7), |fake| mix(fake.0));
    assert_eq!(table.sample(|| 1).map(|fake| fake.0), Some(7));
    let mut drained = 0;
    assert_eq!(table.drain_some(0, usize::MAX, |_| drained += 1), 0);
    assert_eq!((drained, table.mem_bytes(), table.segments()), (1, 0, 0));
}

#[test]
fn equal_hashes_neither_loop_nor_eat_memory() {
    let mut twin = Twin::new(Hashing::FewHashes, 6);
    (0..4000).for_each(|key| twin.set(key, key, 0));
    assert!(
        twin.table.mem_bytes() < 4000 * 60,
        "{}",
        twin.table.mem_bytes()
    );
    (0..4000).for_each(|key| twin.find(key));
    (0..4000).for_each(|key| twin.delete(key));
    assert_eq!(twin.table.mem_bytes(), 0);
}

#[test]
fn a_panic_in_a_callback_loses_nothing() {
    let mut twin = Twin::new(Hashing::Honest, 0);
    (0..5000).for_each(|key| twin.set(key, 0, 5));
    let mut asked = 0;
    let visit = |item: &Box<Item>| {
        asked += 1;
        assert!(asked < 100, "asked to stop");
        if item.key.is_multiple_of(2) {
            Due::Remove
        } else {
            Due::Keep(5)
        }
    };
    let walk = AssertUnwindSafe(|| twin.table.due(0, 5, 9, visit, drop));
    assert!(catch_unwind(walk).is_err());
    let left: Vec<u64> = {
        let mut left = Vec::new();
        twin.table.for_each(|item| left.push(item.key));
        left
    };
    twin.model.retain(|key, _| left.contains(key));
    twin.check();
}

#[test]
fn a_forgotten_borrow_leaks_and_nothing_worse() {
    for hashing in [Hashing::Honest, Hashing::FewHashes] {
        let mut twin = Twin::new(hashing, 0);
        (0..4000).for_each(|key| twin.set(key, 0, 5));
        for key in (0..4000).step_by(9) {
            let moved = twin.make(key, 1, 5);
            let slot = twin
                .table
                .find_mut(hashing.hash(key), |item| item.key == key);
            let mut borrow = slot.unwrap().into_mut();
            *borrow = moved;
            std::mem::forget(borrow);
            assert!(
                twin.table
                    .find(hashing.hash(key), |item| item.key == key)
                    .is_none()
            );
        }
        (1..4000).step_by(9).for_each(|key| twin.delete(key));
        twin.table.for_each(|item| assert!(item.key % 9 > 1));
        twin.table.due(0, 5, 1, |_| Due::Remove, drop);
        assert_eq!(twin.table.drain_some(0, usize::MAX, drop), 0);
    }
}

#[test]
fn an_empty_table_is_small_and_owns_nothing() {
    let table: Table<Box<u64>> = Table::new(6);
    assert!(size_of_val(&table) <= 96, "{}", size_of_val(&table));
    assert_eq!(
        (table.mem_bytes(), table.segments(), table.scan(0, |_| ())),
        (0, 0, 0)
    );
    assert!(table.find(7, |_| true).is_none());
}

/// An element that is only its address: no allocation, hashed by number.
struct Fake(u64);

// SAFETY: the address is never followed, and Fake does not drop.
unsafe impl Thin for Fake {
    fn into_raw(self) -> NonNull<u8> {
        NonNull::new(ptr::without_provenance_mut((self.0 as usize + 1) * 8)).unwrap()
    }

    unsafe fn from_raw(raw: NonNull<u8>) -> Fake {
        Fake(raw.addr().get() as u64 / 8 - 1)
    }
}

#[test]
fn small_tables_are_small() {
    let mut table: Table<Fake> = Table::new(0);
    for key in 0..20 {
        table.insert_new(mix(key), Fake(key), |fake| mix(fake.0));
        let lanes = (key as usize + 1).div_ceil(7) + 2;
        assert!(
            table.mem_bytes() <= (lanes + 1) * 64,
            "{} at {key}",
            table.mem_bytes()
        );
    }
}
