//! Everything at once: tables that are images of each other, each with a scan under
//! way, changed by all operations there are in an order that a seed decides. Each
//! seed also decides which operations are frequent and which do not happen, since
//! what a rare one breaks a frequent one would mend.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::share::Shared;
use super::*;

const SEEDS: u64 = if cfg!(miri) { 2 } else { 2000 };
const STEPS: usize = if cfg!(miri) { 120 } else { 250 };
const SIDES_MAX: usize = 4;
/// Values are deadlines, too; what is expired is mostly half of them.
const DUE_MAX: u64 = 1000;

/// A scan under way: how often each element was reported that was there when it
/// began and has been there ever since.
#[derive(Clone, Default)]
struct Walk {
    cursor: u64,
    residents: BTreeMap<u64, u32>,
}

/// A table, what must be in it, and a scan.
struct Side {
    table: Table<Shared>,
    model: BTreeMap<u64, u64>,
    walk: Option<Walk>,
    /// Where [`Side::expire`] goes on.
    expiry: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Insert,
    Fill,
    Replace,
    Edit,
    Move,
    Delete,
    Purge,
    Sample,
    TakeSample,
    Scan,
    Expire,
    Panic,
    Drain,
    Image,
    Drop,
}

const STEPS_ALL: [Step; 15] = [
    Step::Insert,
    Step::Fill,
    Step::Replace,
    Step::Edit,
    Step::Move,
    Step::Delete,
    Step::Purge,
    Step::Sample,
    Step::TakeSample,
    Step::Scan,
    Step::Expire,
    Step::Panic,
    Step::Drain,
    Step::Image,
    Step::Drop,
];

/// What a seed has decided, and what all its tables have in common.
struct World {
    rng: Rng,
    hashing: Hashing,
    keys: u64,
    alive: Arc<AtomicUsize>,
}

impl World {
    fn key(&mut self) -> u64 {
        self.rng.below(self.keys)
    }

    fn value(&mut self) -> u64 {
        self.rng.below(DUE_MAX)
    }

    fn make(&self, key: u64, value: u64) -> Shared {
        Shared::new(key, value, &self.alive)
    }
}

impl Side {
    fn slot(&mut self, hashing: Hashing, key: u64) -> Option<Slot<'_, Shared>> {
        let slot = (self.table).find_mut(hashing.hash(key), |it| it.0.key == key);
        let found = slot.as_ref().map(|slot| slot.get().0.value);
        assert_eq!(found, self.model.get(&key).copied());
        slot
    }

    /// What is not in the table any more is nothing that a scan has to report.
    fn gone(&mut self, key: u64) {
        assert!(self.model.remove(&key).is_some());
        if let Some(walk) = &mut self.walk {
            walk.residents.remove(&key);
        }
    }

    fn noted(&mut self, hashing: Hashing, key: u64, value: u64) {
        self.table.note_min(hashing.hash(key), value);
        self.model.insert(key, value);
    }

    fn insert(&mut self, world: &mut World, key: u64) {
        let (value, hashing) = (world.value(), world.hashing);
        let found = (self.table).entry(hashing.hash(key), |it| it.0.key == key);
        match found {
            Entry::Occupied(_) => assert!(self.model.contains_key(&key)),
            Entry::Vacant(vacant) => {
                assert!(!self.model.contains_key(&key));
                if world.rng.below(8) > 0 {
                    vacant.insert(world.make(key, value), |it| hashing.hash(it.0.key));
                    self.noted(hashing, key, value);
                }
            }
        }
    }

    fn replace(&mut self, world: &mut World, key: u64) {
        let (value, hashing) = (world.value(), world.hashing);
        let fresh = world.make(key, value);
        let Some(mut slot) = self.slot(hashing, key) else {
            return;
        };
        let old = slot.replace(fresh).0.value;
        assert_eq!(slot.get().0.value, value);
        slot.note_min(value);
        assert_eq!(self.model.insert(key, value), Some(old));
    }

    /// Changes an element where it lies, or moves it to another allocation.
    fn edit(&mut self, world: &mut World, key: u64, moves: bool) {
        let (value, hashing) = (world.value(), world.hashing);
        let fresh = moves.then(|| world.make(key, value));
        let Some(mut slot) = self.slot(hashing, key) else {
            return;
        };
        match fresh {
            Some(fresh) => *slot.get_mut() = fresh,
            None => slot.get_mut().0.value = value,
        }
        assert_eq!(slot.get().0.value, value);
        let mut again = slot.into_mut();
        again.0.value += 0;
        drop(again);
        self.noted(hashing, key, value);
    }

    fn delete(&mut self, world: &mut World, key: u64) {
        if let Some(slot) = self.slot(world.hashing, key) {
            drop(slot.remove());
            self.gone(key);
        }
    }

    fn sample(&mut self, world: &mut World, take: bool) {
        let rng = &mut world.rng;
        if take {
            let taken = self.table.take_sample(|| rng.next());
            assert_eq!(taken.is_none(), self.model.is_empty());
            if let Some(taken) = taken {
                assert_eq!(self.model.get(&taken.0.key), Some(&taken.0.value));
                self.gone(taken.0.key);
            }
        } else {
            let drawn = self.table.sample(|| rng.next());
            assert_eq!(drawn.is_none(), self.model.is_empty());
            assert!(drawn.is_none_or(|it| self.model.get(&it.0.key) == Some(&it.0.value)));
        }
    }

    fn scan(&mut self, world: &mut World) {
        let mut walk = self.walk.take().unwrap_or_else(|| Walk {
            cursor: 0,
            residents: self.model.keys().map(|&key| (key, 0)).collect(),
        });
        let model = &self.model;
        let report = |it: &Shared| {
            assert_eq!(model.get(&it.0.key), Some(&it.0.value));
            if let Some(count) = walk.residents.get_mut(&it.0.key) {
                *count += 1;
            }
        };
        walk.cursor = if world.rng.below(4) == 0 {
            self.table.scan_segment(walk.cursor, report)
        } else {
            self.table.scan(walk.cursor, report)
        };
        assert!(walk.residents.values().all(|&count| count <= 1));
        if walk.cursor != 0 {
            self.walk = Some(walk);
        } else {
            assert!(walk.residents.values().all(|&count| count == 1));
        }
    }

    /// Removes what is due up to `now` from a few segments, the next ones or the first.
    fn expire(&mut self, world: &mut World) {
        let (now, segments) = (world.value() / 2, 1 + world.rng.below(3) as usize);
        let first = if world.rng.below(4) == 0 {
            0
        } else {
            self.expiry
        };
        let mut removed = Vec::new();
        let visit = |it: &Shared| match it.0.value <= now {
            true => Due::Remove,
            false => Due::Keep(it.0.value),
        };
        let step = (self.table).due(first, now, segments, visit, |it| removed.push(it.0.key));
        removed.into_iter().for_each(|key| self.gone(key));
        if first == 0 && step.cursor == 0 {
            assert!(self.model.values().all(|&value| value > now));
        }
        self.expiry = step.cursor;
    }

    /// As [`Side::expire`], and whoever is asked gives up.
    fn panic(&mut self, world: &mut World) {
        let mut asked = world.rng.below(20);
        let visit = |it: &Shared| {
            if asked == 0 {
                resume_unwind(Box::new("asked to stop"));
            }
            asked -= 1;
            match it.0.key % 2 {
                0 => Due::Remove,
                _ => Due::Keep(it.0.value),
            }
        };
        let walk = AssertUnwindSafe(|| self.table.due(0, DUE_MAX, 2, visit, drop));
        drop(catch_unwind(walk));
        let left: Vec<u64> = self.table.iter().map(|it| it.0.key).collect();
        let gone: Vec<u64> = (self.model.keys().copied())
            .filter(|key| key.is_multiple_of(2) && !left.contains(key))
            .collect();
        gone.into_iter().for_each(|key| self.gone(key));
    }

    fn drain(&mut self, world: &mut World) {
        let (mut cursor, mut taken) = (0, Vec::new());
        for _ in 0..1 + world.rng.below(3) {
            cursor = (self.table).drain_some(cursor, 1, |it| taken.push(it.0.key));
            if cursor == 0 {
                break;
            }
        }
        taken.into_iter().for_each(|key| self.gone(key));
        assert!(cursor != 0 || self.model.is_empty());
    }

    fn image(&self) -> Side {
        let image = Side {
            table: self.table.image(),
            model: self.model.clone(),
            walk: self.walk.clone(),
            expiry: self.expiry,
        };
        assert!(self.table.is_as(&image.table) && image.table.is_as(&self.table));
        image
    }

    fn check(&self, hashing: Hashing) {
        assert_eq!(self.table.len(), self.model.len());
        let seen: Vec<(u64, u64)> = (self.table.iter().map(|it| (it.0.key, it.0.value))).collect();
        assert_eq!(seen.len(), self.model.len());
        let seen: BTreeMap<u64, u64> = seen.into_iter().collect();
        assert_eq!(seen, self.model);
        for (&key, &value) in &self.model {
            let found = (self.table).find(hashing.hash(key), |it| it.0.key == key);
            assert_eq!(found.map(|it| it.0.value), Some(value));
        }
        let least = self.model.values().copied().min().unwrap_or(u64::MAX);
        assert!(
            self.table.min_overall() <= least,
            "deadlines are not missed"
        );
    }
}

/// One step on one of the tables.
fn step(world: &mut World, sides: &mut Vec<Side>, step: Step) {
    let at = world.rng.below(sides.len() as u64) as usize;
    let key = world.key();
    let many = world.rng.below(world.keys / 2 + 1);
    let room = sides.len() < SIDES_MAX;
    let side = &mut sides[at];
    match step {
        Step::Insert => side.insert(world, key),
        Step::Fill => (key..key + many).for_each(|key| side.insert(world, key % world.keys)),
        Step::Replace => side.replace(world, key),
        Step::Edit => side.edit(world, key, false),
        Step::Move => side.edit(world, key, true),
        Step::Delete => side.delete(world, key),
        Step::Purge => (key..key + many).for_each(|key| side.delete(world, key % world.keys)),
        Step::Sample => side.sample(world, false),
        Step::TakeSample => side.sample(world, true),
        Step::Scan => side.scan(world),
        Step::Expire => side.expire(world),
        Step::Panic => side.panic(world),
        Step::Drain => side.drain(world),
        Step::Image if room => {
            let image = side.image();
            sides.push(image);
        }
        Step::Drop if sides.len() > 1 => drop(sides.swap_remove(at)),
        Step::Image | Step::Drop => {}
    }
}

/// How frequent each step is: many not at all, some much more than others.
fn weights(rng: &mut Rng) -> [u64; STEPS_ALL.len()] {
    STEPS_ALL.map(|step| match step {
        Step::Insert | Step::Fill => 1 + rng.below(8),
        Step::Drain | Step::Panic => rng.below(6) / 4,
        _ => [0, 1, 2, 8][rng.below(4) as usize],
    })
}

fn choose(rng: &mut Rng, weights: &[u64]) -> Step {
    let mut drawn = rng.below(weights.iter().sum());
    let chosen = weights.iter().position(|&weight| {
        let hit = drawn < weight;
        drawn = drawn.wrapping_sub(weight);
        hit
    });
    STEPS_ALL[chosen.expect("drawn below the sum")]
}

fn run(seed: u64) {
    let mut rng = Rng(seed);
    let weights = weights(&mut rng);
    let mut world = World {
        hashing: match seed % 8 {
            0 => Hashing::SamePrefix,
            1 => Hashing::FewHashes,
            _ => Hashing::Honest,
        },
        keys: [5, 40, 300, 2500][rng.below(4) as usize],
        alive: Arc::new(AtomicUsize::new(0)),
        rng,
    };
    let mut sides = vec![Side {
        table: Table::new(6 * (seed % 2) as u32),
        model: BTreeMap::new(),
        walk: None,
        expiry: 0,
    }];
    for n in 0..STEPS {
        let chosen = choose(&mut world.rng, &weights);
        step(&mut world, &mut sides, chosen);
        if n % 64 == 63 {
            sides.iter().for_each(|side| side.check(world.hashing));
        }
    }
    for side in &mut sides {
        side.check(world.hashing);
        while side.walk.is_some() {
            side.scan(&mut world);
        }
    }
    drop(sides);
    assert_eq!(world.alive.load(Ordering::Relaxed), 0);
}

#[test]
fn agrees_with_a_model_whatever_is_done_in_whatever_order() {
    let told = std::env::var("FLASHKV_SEED").ok();
    let seeds = match told.and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..SEEDS,
    };
    for seed in seeds {
        let held = catch_unwind(|| run(seed));
        assert!(held.is_ok(), "FLASHKV_SEED={seed}");
    }
}
