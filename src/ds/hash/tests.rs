//! The hash value against a plain map, over all switches of its encoding.

use std::collections::BTreeMap;

use super::*;
use crate::base::rng::Rng;

/// Name to value and deadline.
type Model = BTreeMap<Vec<u8>, (Vec<u8>, i64)>;

fn seed(test: &str) -> u64 {
    let seed = (std::env::var("FLASHKV_SEED").ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| Rng::random().next_u64());
    println!("{test}: FLASHKV_SEED={seed}");
    seed
}

fn text(rng: &mut Rng, names: u64) -> Vec<u8> {
    match rng.below(10) {
        0 => rng.below(names).to_string().into_bytes(),
        1 => vec![b'x'; 60 + rng.below(10) as usize],
        2 if rng.below(8) == 0 => vec![b'y'; 180 + rng.below(200) as usize],
        _ => format!("field-{}", rng.below(names)).into_bytes(),
    }
}

fn contents(hash: &Hash, now: i64) -> Model {
    let mut model = Model::new();
    hash.for_each(now, |item| {
        let value = item.value.with(<[u8]>::to_vec);
        let twice = model.insert(item.name.to_vec(), (value, item.deadline));
        assert!(twice.is_none(), "a field is there twice");
    });
    model
}

fn live(model: &Model, now: i64) -> Model {
    let live = model.iter().filter(|(_, (_, at))| *at > now);
    live.map(|(name, held)| (name.clone(), held.clone()))
        .collect()
}

fn scanned(hash: &Hash, now: i64) -> Model {
    let (mut model, mut cursor) = (Model::new(), 0);
    loop {
        cursor = hash.scan(cursor, now, |item| {
            let value = item.value.with(<[u8]>::to_vec);
            let twice = model.insert(item.name.to_vec(), (value, item.deadline));
            assert!(twice.is_none(), "a scan reports a field twice");
        });
        if cursor == 0 {
            return model;
        }
    }
}

struct Bench {
    rng: Rng,
    hash: Hash,
    model: Model,
    hasher: KeyHasher,
    limit: Limit,
    names: u64,
    now: i64,
}

impl Bench {
    fn deadline(&mut self) -> i64 {
        match self.rng.below(3) {
            0 => NEVER,
            _ => self.now + 1 + self.rng.below(40) as i64,
        }
    }

    fn step(&mut self) {
        self.now += self.rng.below(3) as i64;
        let name = text(&mut self.rng, self.names);
        match self.rng.below(12) {
            0..=5 => self.set(&name),
            6 => {
                let removed = self.hash.remove(&name, |item| item.value.len());
                let expected = self.model.remove(&name).map(|(value, _)| value.len());
                assert_eq!(removed, expected);
            }
            7 | 8 => {
                let deadline = self.deadline();
                if let Some(held) = self.model.get_mut(&name) {
                    held.1 = deadline;
                    self.hash.set_deadline(&name, deadline);
                }
            }
            9 => self.remove_due(),
            10 => {
                let was_due = self.hash.remove_if_due(&name, self.now);
                let due = (self.model.get(&name)).is_some_and(|(_, at)| *at <= self.now);
                assert_eq!(was_due, due);
                if due {
                    self.model.remove(&name);
                }
            }
            _ => self.image(),
        }
        let found = self.hash.find(&name, self.now, |item| {
            (item.value.with(<[u8]>::to_vec), item.deadline)
        });
        let expected = self.model.get(&name).filter(|(_, at)| *at > self.now);
        assert_eq!(found.as_ref(), expected);
        let earliest = self.model.values().map(|(_, at)| *at).min();
        assert!(self.hash.earliest() <= earliest.unwrap_or(NEVER));
        assert_eq!(self.hash.len(), self.model.len());
    }

    fn set(&mut self, name: &[u8]) {
        let value = text(&mut self.rng, self.names);
        let growth = Growth {
            limit: self.limit,
            hasher: &self.hasher,
        };
        let until = match self.rng.below(3) {
            0 => Until::Keep,
            1 => Until::At(NEVER),
            _ => Until::At(self.now + 1 + self.rng.below(40) as i64),
        };
        let was_there = self.hash.set(name, Given::Text(&value), until, growth);
        let old = self.model.get(name).map(|(_, at)| *at);
        assert_eq!(was_there, old.is_some());
        let deadline = until.deadline(old.unwrap_or(NEVER));
        self.model.insert(name.to_vec(), (value, deadline));
    }

    fn remove_due(&mut self) {
        let mut gone = Vec::new();
        while self
            .hash
            .remove_due(self.now, 2, |name| gone.push(name.to_vec()))
        {}
        gone.sort();
        let due = (self.model.iter()).filter(|(_, (_, at))| *at <= self.now);
        let due: Vec<_> = due.map(|(name, _)| name.clone()).collect();
        assert_eq!(gone, due);
        self.model.retain(|_, (_, at)| *at > self.now);
    }

    /// An image stays as it is while its original changes.
    fn image(&mut self) {
        let image = self.hash.image();
        let (then, now) = (self.model.clone(), self.now);
        for _ in 0..3 {
            let name = text(&mut self.rng, self.names);
            self.set(&name);
        }
        assert_eq!(contents(&image, i64::MIN), then);
        assert_eq!(image.live_len(now), live(&then, now).len());
    }
}

#[test]
fn agrees_with_a_plain_map() {
    let mut rng = Rng::seeded(seed("agrees_with_a_plain_map"));
    for (round, names) in [4, 20, 60, 700, 4000].into_iter().enumerate() {
        let mut bench = Bench {
            rng: Rng::seeded(rng.next_u64()),
            hash: Hash::new(),
            model: Model::new(),
            hasher: KeyHasher::seeded(round as u64),
            limit: Limit {
                entries: [512, 8, 0, 512, 128][round],
                value: [64, 1000, 64, 64, 64][round],
            },
            names,
            now: 1000,
        };
        for step in 0..4000 {
            bench.step();
            if step % 100 == 0 {
                let Bench {
                    hash, model, now, ..
                } = &bench;
                assert_eq!(contents(hash, i64::MIN), *model);
                assert_eq!(contents(hash, *now), live(model, *now));
                assert_eq!(scanned(hash, *now), live(model, *now));
                assert_eq!(hash.live_len(*now), live(model, *now).len());
            }
        }
    }
}

fn growth(hasher: &KeyHasher) -> Growth<'_> {
    Growth {
        limit: Limit {
            entries: 4,
            value: 8,
        },
        hasher,
    }
}

fn of(pairs: &[(&str, &str)], hasher: &KeyHasher) -> Hash {
    let mut hash = Hash::new();
    for (name, value) in pairs {
        let value = Given::Text(value.as_bytes());
        hash.set(name.as_bytes(), value, Until::At(NEVER), growth(hasher));
    }
    hash
}

#[test]
fn encodings_change_as_redis_changes_them() {
    let hasher = KeyHasher::seeded(1);
    let few = [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")];
    let mut hash = of(&few, &hasher);
    assert_eq!(hash.encoding(), Encoding::Listpack);
    hash.set_deadline(b"a", 5);
    assert_eq!(hash.encoding(), Encoding::ListpackEx);
    hash.set_deadline(b"a", NEVER);
    assert_eq!(hash.encoding(), Encoding::ListpackEx);
    hash.set(b"e", Given::Text(b"5"), Until::Keep, growth(&hasher));
    assert_eq!(hash.encoding(), Encoding::Hashtable);
    hash.remove(b"e", |_| ());
    assert_eq!(hash.encoding(), Encoding::Hashtable);
    for pair in [("a", "123456789"), ("123456789", "a")] {
        assert_eq!(of(&[pair], &hasher).encoding(), Encoding::Hashtable);
    }
    let mut hash = of(&few, &hasher);
    hash.announce(4, 100, 8, growth(&hasher));
    assert_eq!(hash.encoding(), Encoding::Listpack);
    for (count, longest) in [(5, 8), (4, 9)] {
        let mut hash = hash.clone();
        hash.announce(count, 100, longest, growth(&hasher));
        assert_eq!(hash.encoding(), Encoding::Hashtable);
        assert_eq!(hash.len(), 4);
    }
}

#[test]
fn samples_reach_every_field() {
    let hasher = KeyHasher::seeded(1);
    let mut rng = Rng::seeded(seed("samples_reach_every_field"));
    for count in [1, 3, 40, 2000] {
        let mut hash = Hash::new();
        for i in 0..count {
            let name = format!("field-{i}");
            let growth = Growth {
                limit: Limit {
                    entries: 100,
                    value: 64,
                },
                hasher: &hasher,
            };
            let value = Given::Text(b"value");
            hash.set(name.as_bytes(), value, Until::Keep, growth);
        }
        let mut met = std::collections::BTreeSet::new();
        for _ in 0..count * 30 {
            met.insert(hash.sample(|| rng.next_u64(), |item| item.name.to_vec()));
        }
        assert_eq!(met.len(), count);
    }
    assert!(Hash::new().sample(|| 0, |_| ()).is_none());
}
