//! The map against `BTreeMap`, with images that must not change.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::*;
use crate::base::rng::Rng;

fn seed(test: &str) -> u64 {
    let seed = (std::env::var("FLASHKV_SEED").ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| Rng::random().next_u64());
    println!("{test}: FLASHKV_SEED={seed}");
    seed
}

impl<K: Ord + Clone + std::fmt::Debug, V: Clone> OrdMap<K, V> {
    /// Checks the rules of the tree; its depth.
    fn check(&self) -> usize {
        let depth = self.root.as_ref().map_or(0, |root| root.check(None, None));
        assert_eq!(self.iter().count(), self.len);
        depth
    }
}

impl<K: Ord + Clone + std::fmt::Debug, V> Node<K, V> {
    fn check(&self, low: Option<&K>, high: Option<&K>) -> usize {
        assert!(self.len() > 0 && self.len() <= FANOUT);
        match self {
            Node::Leaf(leaf) => {
                assert_eq!(leaf.keys.len(), leaf.values.len());
                assert!(leaf.keys.is_sorted_by(|a, b| a < b));
                assert!(low.is_none_or(|low| low <= &leaf.keys[0]));
                assert!(high.is_none_or(|high| high > leaf.keys.last().unwrap()));
                1
            }
            Node::Inner(inner) => {
                assert_eq!(inner.keys.len(), inner.children.len());
                let bounds = |at: usize| if at == 0 { low } else { inner.keys.get(at) };
                let depths: Vec<usize> = (inner.children.iter().enumerate())
                    .map(|(at, child)| child.check(bounds(at), inner.keys.get(at + 1).or(high)))
                    .collect();
                assert!(depths.iter().all(|depth| *depth == depths[0]));
                1 + depths[0]
            }
        }
    }
}

fn pairs(map: &OrdMap<u32, u64>) -> Vec<(u32, u64)> {
    map.iter().map(|(key, value)| (*key, *value)).collect()
}

#[test]
fn agrees_with_a_plain_map() {
    let mut rng = Rng::seeded(seed("ordmap::agrees_with_a_plain_map"));
    for round in 0..12 {
        let space = [20, 300, 5000, 100_000][round % 4];
        let (mut map, mut model) = (OrdMap::default(), BTreeMap::new());
        for phase in 0..4 {
            let image = (map.clone(), pairs(&map));
            for _ in 0..3000 {
                let key = rng.below(space) as u32;
                // Phases of growth and of removal, so that nodes split and join.
                if rng.below(4) < 1 + 2 * (phase % 2) {
                    assert_eq!(map.remove(&key), model.remove(&key));
                } else {
                    let value = rng.next_u64();
                    assert_eq!(map.insert(key, value), model.insert(key, value));
                }
            }
            map.check();
            assert_eq!(pairs(&image.0), image.1, "an image stays as it was");
            agree(&map, &model, &mut rng, space);
        }
    }
}

fn agree(map: &OrdMap<u32, u64>, model: &BTreeMap<u32, u64>, rng: &mut Rng, space: u64) {
    let owned = |(key, value): (&u32, &u64)| (*key, *value);
    assert_eq!(map.len(), model.len());
    assert!(map.iter().eq(model.iter()));
    assert_eq!(map.first().map(owned), model.iter().next().map(owned));
    assert_eq!(map.last().map(owned), model.iter().next_back().map(owned));
    for _ in 0..50 {
        let key = rng.below(space) as u32;
        assert_eq!(map.get(&key), model.get(&key));
        assert_eq!(
            map.floor(&key).map(owned),
            model.range(..=key).next_back().map(owned)
        );
        for bound in [Bound::Included(&key), Bound::Excluded(&key)] {
            let ahead = model.range((bound, Bound::Unbounded));
            assert!(map.range_from(bound).eq(ahead));
            let back = model.range((Bound::Unbounded, bound)).rev();
            assert!(map.range_back(bound).eq(back));
        }
        let floor = model.range(..=key).next_back().map_or(0, |pair| *pair.0);
        assert!(map.range_from_floor(&key).eq(model.range(floor..)));
    }
}

#[test]
fn ascending_keys_leave_full_nodes() {
    let mut map = OrdMap::default();
    for key in 0..100_000u32 {
        map.insert(key, key);
    }
    assert_eq!(map.check(), 3, "three levels of 64 hold 262144 keys");
}

#[test]
fn draining_from_either_end_empties_the_map() {
    for from_front in [true, false] {
        let mut map = OrdMap::default();
        for key in 0..10_000u32 {
            map.insert(key, ());
        }
        for nth in 0..10_000u32 {
            let key = if from_front {
                map.pop_first().map(|pair| pair.0)
            } else {
                let last = map.last().map(|pair| *pair.0);
                last.filter(|key| map.remove(key).is_some())
            };
            assert_eq!(key, Some(if from_front { nth } else { 9_999 - nth }));
            if nth % 97 == 0 {
                map.check();
            }
        }
        assert!(map.is_empty() && map.first().is_none() && map.iter().next().is_none());
    }
}

#[test]
fn cuts_leave_two_sound_maps() {
    let mut rng = Rng::seeded(seed("ordmap::cuts_leave_two_sound_maps"));
    for round in 0..200 {
        let space = [1, 60, 3000, 50_000][round % 4];
        let (mut map, mut model) = (OrdMap::default(), BTreeMap::new());
        for _ in 0..rng.below(space) + 1 {
            let (key, value) = (rng.below(space) as u32, rng.next_u64());
            map.insert(key, value);
            model.insert(key, value);
        }
        let image = map.clone();
        let key = rng.below(space + 2) as u32;
        let rest = model.split_off(&key);
        let front = map.cut_front(&key, model.len());
        assert_eq!(image.len(), model.len() + rest.len());
        for (map, model) in [(&front, &model), (&map, &rest)] {
            map.check();
            agree(map, model, &mut rng, space);
        }
        image.check();
        let mut model = rest;
        for _ in 0..500 {
            let key = rng.below(space) as u32;
            if rng.below(3) == 0 {
                assert_eq!(map.insert(key, 1), model.insert(key, 1));
            } else {
                assert_eq!(map.remove(&key), model.remove(&key));
            }
        }
        map.check();
        agree(&map, &model, &mut rng, space);
    }
}

#[test]
fn changes_in_place_do_not_reach_an_image() {
    let mut map = OrdMap::default();
    for key in 0..1000u32 {
        map.insert(key, 0u64);
    }
    let image = map.clone();
    *map.get_mut(&500).unwrap() = 7;
    *map.last_mut().unwrap().1 = 8;
    assert_eq!((map.get(&500), map.get(&999)), (Some(&7), Some(&8)));
    assert_eq!((image.get(&500), image.get(&999)), (Some(&0), Some(&0)));
    assert!(map.get_mut(&5000).is_none());
}
