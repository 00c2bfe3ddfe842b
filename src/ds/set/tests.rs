//! Sets against a plain model, over every switch of encoding.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::base::rng::Rng;

type Model = BTreeSet<Vec<u8>>;

/// Rules that few members reach, and Redis's own.
fn all_rules(hasher: &KeyHasher) -> [Rules<'_>; 3] {
    let rules = |intset_entries, listpack_entries, listpack_value| Rules {
        intset_entries,
        listpack_entries,
        listpack_value,
        hasher,
    };
    [rules(512, 128, 64), rules(6, 10, 8), rules(0, 0, 0)]
}

fn member(rng: &mut Rng, kinds: u64) -> Vec<u8> {
    match rng.below(kinds) {
        0 => (rng.below(40) as i64 - 20).to_string().into_bytes(),
        1 => (rng.below(900) as i64 * 7_000_000_000)
            .to_string()
            .into_bytes(),
        2 => format!("m{}", rng.below(30)).into_bytes(),
        3 => format!("member-{}", rng.below(700)).into_bytes(),
        4 => vec![b'x'; rng.below(70) as usize],
        _ => vec![b'y'; rng.below(400) as usize],
    }
}

fn contents(set: &Set) -> Model {
    let members: Vec<Vec<u8>> = set.iter().map(|item| item.elem().to_vec()).collect();
    let model: Model = members.iter().cloned().collect();
    assert_eq!((model.len(), model.len()), (members.len(), set.len()));
    model
}

fn scanned(set: &Set, count: usize) -> Model {
    let (mut cursor, mut seen) = (0, Model::new());
    loop {
        cursor = set.scan(cursor, count, |elem| assert!(seen.insert(elem.to_vec())));
        if cursor == 0 {
            return seen;
        }
    }
}

fn check(set: &Set, model: &Model, rng: &mut Rng) {
    assert_eq!(&contents(set), model);
    assert_eq!(&scanned(set, 1 + rng.below(20) as usize), model);
    for _ in 0..20 {
        let text = member(rng, 6);
        assert_eq!(set.contains(&text), model.contains(&text));
        assert_eq!(set.contains_elem(Elem::parse(&text)), model.contains(&text));
    }
    let count = rng.below(2 * model.len() as u64 + 2) as usize;
    let chosen: Vec<Vec<u8>> = (set.choose(count, rng).iter())
        .map(|i| i.elem().to_vec())
        .collect();
    assert_eq!(chosen.len(), count.min(model.len()));
    let distinct: Model = chosen.into_iter().collect();
    assert!(distinct.is_subset(model) && distinct.len() == count.min(model.len()));
    let mut drawn = 0;
    set.draw(7, rng, |elem| {
        drawn += 1;
        assert!(model.contains(&elem.to_vec()));
    });
    assert_eq!(drawn, if model.is_empty() { 0 } else { 7 });
    assert_eq!(set.random(rng).is_some(), !model.is_empty());
}

fn interleave(seed: u64, rules: Rules<'_>) {
    eprintln!("seed {seed} {rules:?}");
    let mut rng = Rng::seeded(seed);
    let (mut set, mut model) = (Set::new(), Model::new());
    let mut images: Vec<(Set, Model)> = Vec::new();
    let kinds = 1 + rng.below(6);
    for step in 0..3000 {
        let text = member(&mut rng, kinds);
        match rng.below(40) {
            0..=22 => assert_eq!(set.add(&text, rules), model.insert(text)),
            23..=31 => assert_eq!(set.remove(&text), model.remove(&text)),
            32 if step % 4 == 0 => set.announce(&text, rng.below(200) as usize, rules),
            33 => {
                let taken = set.take_random(&mut rng, |elem| elem.to_vec());
                assert_eq!(taken.is_none(), model.is_empty());
                assert!(taken.is_none_or(|text| model.remove(&text)));
            }
            34 if step % 7 == 0 => {
                let count = rng.below(model.len() as u64 + 3) as usize;
                for taken in set.take_many(count, &mut rng) {
                    assert!(model.remove(&taken.elem().to_vec()));
                }
                set.settle_after_taking(count, rules);
            }
            35 if images.len() < 3 => images.push((set.image(), model.clone())),
            36 => images.clear(),
            _ => {}
        }
        if step % 200 == 0 {
            check(&set, &model, &mut rng);
            (images.iter()).for_each(|(image, model)| assert_eq!(&contents(image), model));
        }
    }
    check(&set, &model, &mut rng);
}

#[test]
fn agrees_with_a_plain_set_in_every_encoding() {
    let hasher = KeyHasher::seeded(3);
    for rules in all_rules(&hasher) {
        (0..40).for_each(|seed| interleave(seed, rules));
    }
}

#[test]
fn algebra_agrees_with_plain_sets() {
    let hasher = KeyHasher::seeded(3);
    for (seed, rules) in (0..300).map(|seed| (seed, all_rules(&hasher)[seed as usize % 3])) {
        eprintln!("seed {seed}");
        let mut rng = Rng::seeded(seed);
        let models: Vec<Model> = (0..1 + rng.below(4))
            .map(|_| {
                let (len, kinds) = ([3, 30, 300, 2000][rng.below(4) as usize], 1 + rng.below(5));
                (0..rng.below(len))
                    .map(|_| member(&mut rng, kinds))
                    .collect()
            })
            .collect();
        let sets: Vec<Set> = (models.iter())
            .map(|model| {
                let mut set = Set::new();
                model.iter().for_each(|text| assert!(set.add(text, rules)));
                set
            })
            .collect();
        let refs: Vec<&Set> = sets.iter().collect();
        let all = models
            .iter()
            .cloned()
            .reduce(|a, b| &a | &b)
            .unwrap_or_default();
        let both = models
            .iter()
            .cloned()
            .reduce(|a, b| &a & &b)
            .unwrap_or_default();
        let rest = models
            .iter()
            .cloned()
            .reduce(|a, b| &a - &b)
            .unwrap_or_default();
        let shared = Intersection::of(&refs).into_iter().flatten();
        for (result, model) in [
            (union(&refs, rules), all),
            (Set::gather(shared, rules), both),
            (difference(refs[0], &refs[1..], rules), rest),
        ] {
            check(&result, &model, &mut rng);
            assert_eq!(result.encoding(), by_members(&model, rules));
        }
        // Nothing happened to the sets themselves.
        (sets.iter().zip(&models)).for_each(|(set, model)| assert_eq!(&contents(set), model));
    }
}

/// The encoding of a set that was filled with these members and lost none.
fn by_members(model: &Model, rules: Rules<'_>) -> Encoding {
    let integers = model.iter().all(|text| num::parse_i64(text).is_some());
    let longest = model.iter().map(Vec::len).max().unwrap_or(0);
    if integers && model.len() <= rules.intset_entries {
        Encoding::Intset
    } else if !integers && model.len() <= rules.listpack_entries && longest <= rules.listpack_value
    {
        Encoding::Listpack
    } else {
        Encoding::Hashtable
    }
}

#[test]
fn encodings_switch_where_redis_switches() {
    let hasher = KeyHasher::seeded(3);
    let rules = all_rules(&hasher)[0];
    let fill = |texts: &mut dyn Iterator<Item = String>| {
        let mut set = Set::new();
        for text in texts {
            if set.is_empty() {
                set.announce(text.as_bytes(), 1, rules);
            }
            set.add(text.as_bytes(), rules);
        }
        set.encoding()
    };
    let ints = |n: i64| (0..n).map(|n| n.to_string());
    let texts = |n: i64| (0..n).map(|n| format!("t{n}"));
    assert_eq!(fill(&mut ints(512)), Encoding::Intset);
    assert_eq!(fill(&mut ints(513)), Encoding::Hashtable);
    assert_eq!(fill(&mut texts(128)), Encoding::Listpack);
    assert_eq!(fill(&mut texts(129)), Encoding::Hashtable);
    assert_eq!(fill(&mut ints(127).chain(texts(1))), Encoding::Listpack);
    assert_eq!(fill(&mut ints(128).chain(texts(1))), Encoding::Hashtable);
    assert_eq!(fill(&mut ["x".repeat(64)].into_iter()), Encoding::Listpack);
    assert_eq!(fill(&mut ["x".repeat(65)].into_iter()), Encoding::Hashtable);
    let announced = |first: &str, count| {
        let mut set = Set::new();
        set.announce(first.as_bytes(), count, rules);
        set.encoding()
    };
    assert_eq!(announced("1", 512), Encoding::Intset);
    assert_eq!(announced("1", 513), Encoding::Hashtable);
    assert_eq!(announced("a", 128), Encoding::Listpack);
    assert_eq!(announced("a", 129), Encoding::Hashtable);
}

#[test]
fn an_image_tells_whether_its_set_has_changed() {
    let hasher = KeyHasher::seeded(3);
    let rules = all_rules(&hasher)[0];
    for texts in [&["1", "2"][..], &["a", "b"][..]] {
        for large in [false, true] {
            let mut set = Set::new();
            texts
                .iter()
                .for_each(|text| assert!(set.add(text.as_bytes(), rules)));
            (0..if large { 3000 } else { 0 }).for_each(|n: i32| {
                set.add(format!("{n:09}").as_bytes(), rules);
            });
            let image = set.image();
            assert!(set.is_as(&image) && image.is_as(&set) && set.is_as(&set.image()));
            assert!(!set.add(texts[0].as_bytes(), rules));
            assert!(!set.remove(b"no such"));
            assert!(set.is_as(&image));
            set.remove(texts[0].as_bytes());
            assert!(!set.is_as(&image));
            assert!(!Set::new().is_as(&image));
        }
    }
}

/// Chi square of the counts around their mean, and what it may be.
fn is_even(hits: &BTreeMap<Vec<u8>, f64>, kinds: usize) -> bool {
    let mean = hits.values().sum::<f64>() / kinds as f64;
    let missing = (kinds - hits.len()) as f64 * mean;
    let chi: f64 = hits.values().map(|hit| (hit - mean).powi(2) / mean).sum();
    chi + missing < kinds as f64 + 5.0 * (2.0 * kinds as f64).sqrt()
}

#[test]
fn every_choice_is_equally_likely() {
    let hasher = KeyHasher::seeded(3);
    let rules = all_rules(&hasher)[0];
    let mut rng = Rng::seeded(5);
    for (prefix, kinds) in [("", 40), ("a", 40), ("b", 400)] {
        let mut set = Set::new();
        (0..kinds).for_each(|n| assert!(set.add(format!("{prefix}{n}").as_bytes(), rules)));
        // One, a few, most, and the rest after most were taken.
        for ways in 0..4 {
            let mut hits: BTreeMap<Vec<u8>, f64> = BTreeMap::new();
            let mut hit = |elem: Elem<'_>| *hits.entry(elem.to_vec()).or_default() += 1.0;
            for _ in 0..4000 {
                match ways {
                    0 => hit(set.random(&mut rng).unwrap().elem()),
                    1 => (set.choose(5, &mut rng).iter()).for_each(|item| hit(item.elem())),
                    2 => {
                        let chosen = set.choose(kinds - 3, &mut rng);
                        let chosen: Model = chosen.iter().map(|i| i.elem().to_vec()).collect();
                        let left = set.iter().filter(|i| !chosen.contains(&i.elem().to_vec()));
                        left.for_each(|item| hit(item.elem()));
                    }
                    _ => {
                        let mut copy = set.image();
                        copy.take_many(4, &mut rng)
                            .iter()
                            .for_each(|taken| hit(taken.elem()));
                    }
                }
            }
            assert!(is_even(&hits, kinds), "{prefix}{kinds} {ways}: {hits:?}");
        }
    }
}

#[test]
fn a_large_set_is_emptied_at_random_and_gives_its_memory_back() {
    let hasher = KeyHasher::seeded(3);
    let rules = all_rules(&hasher)[0];
    let mut rng = Rng::seeded(5);
    let mut set = Set::new();
    (0..200_000u32).for_each(|n| assert!(set.add(format!("{n:015}").as_bytes(), rules)));
    let per_member = set.mem_bytes() as f64 / 200_000.0;
    assert!(per_member < 31.0, "{per_member} bytes for each member");
    let mut model = contents(&set);
    while model.len() > 100 {
        assert!(
            set.take_random(&mut rng, |elem| model.remove(&elem.to_vec()))
                .unwrap()
        );
    }
    assert_eq!(contents(&set), model);
    assert!(
        set.mem_bytes() < 100 * 200,
        "{} bytes for 100",
        set.mem_bytes()
    );
    while set
        .take_random(&mut rng, |elem| model.remove(&elem.to_vec()))
        .is_some()
    {}
    assert!(set.is_empty() && model.is_empty());
}
