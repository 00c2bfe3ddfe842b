//! Images: each stays exactly as it was taken, whatever happens to the original
//! or to other images, and the last holder drops each element once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::*;

/// An element that counts how many of its kind live.
pub(super) struct Shared(pub(super) Box<Held>);

pub(super) struct Held {
    pub(super) key: u64,
    pub(super) value: u64,
    alive: Arc<AtomicUsize>,
}

impl Shared {
    pub(super) fn new(key: u64, value: u64, alive: &Arc<AtomicUsize>) -> Shared {
        alive.fetch_add(1, Ordering::Relaxed);
        Shared(Box::new(Held {
            key,
            value,
            alive: Arc::clone(alive),
        }))
    }

    fn duplicate(&self) -> Shared {
        Shared::new(self.0.key, self.0.value, &self.0.alive)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

// SAFETY: the box is the element, and a box keeps the trait's promises.
unsafe impl Thin for Shared {
    const DUPLICATE: Option<fn(&Self) -> Self> = Some(Shared::duplicate);

    fn into_raw(self) -> NonNull<u8> {
        let shared = std::mem::ManuallyDrop::new(self);
        NonNull::from(&*shared.0).cast()
    }

    // SAFETY: asks of its caller what the trait asks.
    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        // SAFETY: the address is that of a forgotten box of this type.
        Shared(unsafe { Box::from_raw(raw.cast().as_ptr()) })
    }
}

type Model = BTreeMap<u64, u64>;

/// A table with its model; some of them share segments.
struct Side {
    table: Table<Shared>,
    model: Model,
}

impl Side {
    fn new() -> Side {
        Side {
            table: Table::new(0),
            model: Model::new(),
        }
    }

    fn image(&self) -> Side {
        Side {
            table: self.table.image(),
            model: self.model.clone(),
        }
    }

    fn set(&mut self, hashing: Hashing, element: Shared) {
        let (key, value) = (element.0.key, element.0.value);
        match self.table.entry(hashing.hash(key), |it| it.0.key == key) {
            Entry::Occupied(mut slot) if value % 2 == 0 => *slot.get_mut() = element,
            Entry::Occupied(mut slot) => drop(slot.replace(element)),
            Entry::Vacant(place) => place.insert(element, |it| hashing.hash(it.0.key)),
        }
        self.model.insert(key, value);
    }

    fn delete(&mut self, hashing: Hashing, key: u64) {
        let slot = self.table.find_mut(hashing.hash(key), |it| it.0.key == key);
        let removed = slot.map(|slot| slot.remove().0.value);
        assert_eq!(removed, self.model.remove(&key));
    }

    /// Takes out what has an even value: all segments change.
    fn purge(&mut self) {
        let visit = |it: &Shared| match it.0.value % 2 {
            0 => Due::Remove,
            _ => Due::Keep(0),
        };
        self.table.due(0, u64::MAX, usize::MAX, visit, drop);
        self.model.retain(|_, value| *value % 2 != 0);
    }

    fn drain(&mut self) {
        let mut taken = Model::new();
        while !self.table.is_empty() {
            self.table.drain_some(0, usize::MAX, |it| {
                assert!(taken.insert(it.0.key, it.0.value).is_none());
            });
        }
        assert_eq!(taken, std::mem::take(&mut self.model));
    }

    fn check(&self, hashing: Hashing) {
        assert_eq!(self.table.len(), self.model.len());
        let seen: Vec<(u64, u64)> = (self.table.iter().map(|it| (it.0.key, it.0.value))).collect();
        assert_eq!(seen.len(), self.model.len());
        assert_eq!(seen.into_iter().collect::<Model>(), self.model);
        let (mut cursor, mut scanned) = (0, Model::new());
        loop {
            cursor = (self.table).scan(cursor, |it| {
                assert!(scanned.insert(it.0.key, it.0.value).is_none());
            });
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(scanned, self.model);
        for (&key, &value) in &self.model {
            let found = self.table.find(hashing.hash(key), |it| it.0.key == key);
            assert_eq!(found.map(|it| it.0.value), Some(value));
        }
    }
}

/// A few tables that are images of each other at several removes, changed at random.
fn interleave(seed: u64, hashing: Hashing) {
    eprintln!("seed {seed} {hashing:?}");
    let (mut rng, alive) = (Rng(seed), Arc::new(AtomicUsize::new(0)));
    let keys = [6, 80, 900, 5000][rng.below(4) as usize];
    let mut sides = vec![Side::new()];
    for step in 0..4000 {
        let at = rng.below(sides.len() as u64) as usize;
        let key = rng.below(keys);
        match rng.below(if step % 1500 > 900 { 8 } else { 6 }) {
            0..=3 => sides[at].set(hashing, Shared::new(key, rng.next(), &alive)),
            _ => sides[at].delete(hashing, key),
        }
        match rng.below(400) {
            0 if sides.len() < 5 => {
                let image = sides[at].image();
                sides.push(image);
            }
            1 if sides.len() > 1 => drop(sides.swap_remove(at)),
            2 if step % 5 == 0 => sides[at].purge(),
            3 if step % 9 == 0 => sides[at].drain(),
            _ => {}
        }
        if step % 500 == 0 {
            sides.iter().for_each(|side| side.check(hashing));
        }
    }
    sides.iter().for_each(|side| side.check(hashing));
    while !sides.is_empty() {
        drop(sides.swap_remove(rng.below(sides.len() as u64) as usize));
        sides.iter().for_each(|side| side.check(hashing));
    }
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn images_stay_as_taken_under_any_interleaving() {
    let runs = if cfg!(miri) { 1 } else { 60 };
    (0..runs).for_each(|seed| interleave(seed, Hashing::Honest));
    (0..runs / 4).for_each(|seed| interleave(seed, Hashing::SamePrefix));
    (0..runs / 4).for_each(|seed| interleave(seed, Hashing::FewHashes));
}

fn filled(keys: u64, alive: &Arc<AtomicUsize>) -> Side {
    let mut side = Side::new();
    (0..keys).for_each(|key| side.set(Hashing::Honest, Shared::new(key, key, alive)));
    side
}

#[test]
fn an_image_costs_no_element_and_a_change_one_segment() {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut side = filled(20_000, &alive);
    let image = side.image();
    assert_eq!(alive.load(Ordering::Relaxed), 20_000);
    side.delete(Hashing::Honest, 7);
    let copied = alive.load(Ordering::Relaxed) - 20_000;
    assert!((1..280).contains(&copied), "{copied} elements copied");
    side.set(Hashing::Honest, Shared::new(7, 7, &alive));
    assert!(alive.load(Ordering::Relaxed) - 20_000 <= copied + 2);
    drop(side);
    assert_eq!(alive.load(Ordering::Relaxed), 20_000);
    image.check(Hashing::Honest);
    drop(image);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn what_nobody_shares_any_more_is_changed_in_place() {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut side = filled(3000, &alive);
    drop(side.image());
    (0..3000).for_each(|key| side.set(Hashing::Honest, Shared::new(key, 1, &alive)));
    assert_eq!(alive.load(Ordering::Relaxed), 3000);
    side.check(Hashing::Honest);
}

#[test]
fn an_empty_table_has_an_image() {
    let table: Table<Shared> = Table::new(3);
    let mut image = table.image();
    assert!(image.is_empty() && image.iter().next().is_none());
    let alive = Arc::new(AtomicUsize::new(0));
    image.insert_new(mix(1), Shared::new(1, 1, &alive), |it| mix(it.0.key));
    assert_eq!((table.len(), image.len()), (0, 1));
}

#[test]
fn threads_read_images_while_the_original_changes() {
    let (keys, rounds) = if cfg!(miri) { (300, 3) } else { (20_000, 30) };
    let alive = Arc::new(AtomicUsize::new(0));
    let side = Mutex::new(filled(keys, &alive));
    thread::scope(|scope| {
        for reader in 0..3 {
            let side = &side;
            scope.spawn(move || {
                let mut rng = Rng(reader);
                for _ in 0..rounds {
                    let mut image = side.lock().unwrap().image();
                    image.check(Hashing::Honest);
                    let key = rng.below(keys);
                    if image.model.contains_key(&key) {
                        image.delete(Hashing::Honest, key);
                    }
                }
            });
        }
        let mut rng = Rng(99);
        for round in 0..rounds * 20 {
            let mut side = side.lock().unwrap();
            for _ in 0..keys / 100 {
                let element = Shared::new(rng.below(keys), round, &alive);
                side.set(Hashing::Honest, element);
                side.delete(Hashing::Honest, rng.below(keys));
            }
        }
    });
    let side = side.into_inner().unwrap();
    side.check(Hashing::Honest);
    assert_eq!(alive.load(Ordering::Relaxed), side.model.len());
    drop(side);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}
