//! Sorted sets against a plain model, over the switch of encodings.

use std::collections::BTreeMap;

use super::member::counted;
use super::*;
use crate::base::rng::Rng;

const LIMITS: Limits = Limits {
    entries: 8,
    value: 10,
};

fn seed(test: &str) -> u64 {
    let given = std::env::var("FLASHKV_SEED").ok();
    let seed =
        (given.and_then(|text| text.parse().ok())).unwrap_or_else(|| Rng::random().next_u64());
    println!("{test}: FLASHKV_SEED={seed}");
    seed
}

fn listed(zset: &ZSet) -> Vec<(f64, Vec<u8>)> {
    zset.iter().map(|e| (e.score, e.member.to_vec())).collect()
}

/// What a scan reports, in order.
fn scanned(zset: &ZSet) -> Vec<(f64, Vec<u8>)> {
    let (mut seen, mut cursor) = (Vec::new(), 0);
    loop {
        cursor = zset.scan(cursor, |e| seen.push((e.score, e.member.to_vec())));
        if cursor == 0 {
            break;
        }
    }
    seen.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    seen
}

type Model = BTreeMap<Vec<u8>, f64>;

fn sorted(model: &Model) -> Vec<(f64, Vec<u8>)> {
    let mut all: Vec<_> = model.iter().map(|(m, s)| (*s, m.clone())).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    all
}

fn text(rng: &mut Rng, members: u64) -> Vec<u8> {
    match rng.below(30) {
        0 => b"a member too long".to_vec(),
        1 => Vec::new(),
        _ => rng.below(members).to_string().into_bytes(),
    }
}

fn score(rng: &mut Rng) -> f64 {
    match rng.below(8) {
        0 => f64::INFINITY,
        1 => f64::NEG_INFINITY,
        2 => 0.1 + rng.below(9) as f64,
        _ => rng.below(7) as f64 - 3.0,
    }
}

fn step(rng: &mut Rng, members: u64, zset: &mut ZSet, model: &mut Model) {
    let (member, score) = (text(rng, members), score(rng));
    let old = model.get(&member).copied();
    match rng.below(10) {
        0..=4 => {
            let change = zset.upsert(&member, LIMITS, |seen| {
                assert_eq!(seen, old);
                Some(score)
            });
            let want = match old {
                None => Change::Added(score),
                Some(old) if old == score => Change::Kept(old),
                Some(_) => Change::Moved(score),
            };
            assert_eq!(change, want);
            model.insert(member, score);
        }
        5 => assert_eq!(zset.upsert(&member, LIMITS, |_| None), Change::Refused),
        6 | 7 => assert_eq!(zset.remove(&member), model.remove(&member)),
        8 if rng.below(4) == 0 => {
            let start = rng.below(8) as usize;
            // Some are many: those leave a large set little by little.
            let most = [4, 150][rng.below(2) as usize];
            let gone = start..start + rng.below(most) as usize;
            let want: Vec<_> = sorted(model)
                .into_iter()
                .skip(start)
                .take(gone.len())
                .collect();
            assert_eq!(zset.remove_ranks(gone), want.len());
            model.retain(|member, _| !want.iter().any(|(_, gone)| gone == member));
            if rng.below(3) == 0 {
                while zset.sweep(7) {}
            }
        }
        9 if rng.below(10) == 0 => assert_eq!(scanned(zset), listed(zset)),
        _ => {
            assert_eq!(zset.score(&member), old);
            let rank = sorted(model).iter().position(|(_, m)| *m == member);
            assert_eq!(zset.rank(&member), rank.zip(old));
        }
    }
}

#[test]
fn agrees_with_a_plain_model() {
    let seed = seed("agrees_with_a_plain_model");
    let before = counted::alive();
    for round in 0..30 {
        let mut rng = Rng::seeded(seed.wrapping_add(round));
        let members = [6, 40, 400][round as usize % 3];
        let (mut zset, mut model) = (ZSet::new(), Model::new());
        let mut images = Vec::new();
        for _ in 0..1500 {
            step(&mut rng, members, &mut zset, &mut model);
            assert_eq!(zset.len(), model.len());
            if rng.below(100) == 0 {
                images.push((zset.image(), sorted(&model)));
                assert!(zset.is_as(&images[images.len() - 1].0));
            }
        }
        assert_eq!(listed(&zset), sorted(&model));
        images
            .iter()
            .for_each(|(image, then)| assert_eq!(listed(image), *then));
    }
    assert_eq!(counted::alive(), before, "every element is freed");
}

#[test]
fn spans_agree_with_a_filter() {
    let mut rng = Rng::seeded(seed("spans_agree_with_a_filter"));
    for entries in [0, 1000] {
        let limits = Limits { entries, value: 64 };
        let mut zset = ZSet::new();
        for _ in 0..300 {
            let member = text(&mut rng, 500);
            let score = score(&mut rng);
            zset.upsert(&member, limits, |_| Some(score));
        }
        for _ in 0..500 {
            let range = ScoreRange {
                min: score(&mut rng),
                min_open: rng.below(2) == 0,
                max: score(&mut rng),
                max_open: rng.below(2) == 0,
            };
            let inside = |e: &Entry<'_>| !range.is_behind(e.score) && range.reaches(e.score);
            let want: Vec<_> = zset.iter().filter(inside).collect();
            let found: Vec<_> = zset.range(zset.ranks(&Span::Score(range))).collect();
            assert_eq!(found, want, "{range:?}");
        }
    }
}

#[test]
fn spans_of_texts() {
    for entries in [0, 100] {
        let limits = Limits { entries, value: 64 };
        let mut zset = ZSet::new();
        for member in ["a", "b", "c", "d"] {
            zset.upsert(member.as_bytes(), limits, |_| Some(0.0));
        }
        use LexBound::{Closed, Greatest, Least, Open};
        for (min, max, want) in [
            (Least, Greatest, 0..4),
            (Greatest, Least, 0..0),
            (Closed(b"b"), Closed(b"c"), 1..3),
            (Open(b"b"), Open(b"d"), 2..3),
            (Open(b"b"), Open(b"b"), 0..0),
            (Closed(b"b"), Open(b"b"), 0..0),
            (Closed(b"bb"), Greatest, 2..4),
        ] {
            assert_eq!(zset.ranks(&Span::Lex(LexRange { min, max })), want);
        }
    }
}

#[test]
fn encodings_switch_as_in_redis() {
    let mut zset = ZSet::new();
    for i in 0..LIMITS.entries {
        zset.upsert(&[b'a' + i as u8], LIMITS, |_| Some(1.0));
    }
    assert_eq!(zset.encoding(), Encoding::Listpack);
    zset.upsert(b"a", LIMITS, |_| Some(2.0));
    assert_eq!(zset.encoding(), Encoding::Listpack);
    zset.upsert(b"z", LIMITS, |_| Some(1.0));
    assert_eq!(zset.encoding(), Encoding::Skiplist);
    zset.remove_ranks(0..8);
    assert_eq!((zset.len(), zset.encoding()), (1, Encoding::Skiplist));
    let mut new = ZSet::new();
    new.expect(9, 1, LIMITS);
    assert_eq!(new.encoding(), Encoding::Skiplist);
    let whole = ZSet::from_sorted(&listed(&zset), LIMITS);
    assert_eq!(
        (listed(&whole), whole.encoding()),
        (listed(&zset), Encoding::Listpack)
    );
}

#[test]
fn a_scan_reports_each_element_once() {
    let mut zset = ZSet::new();
    for i in 0..1000u32 {
        zset.upsert(i.to_string().as_bytes(), LIMITS, |_| Some(f64::from(i)));
    }
    assert_eq!(scanned(&zset), listed(&zset));
}

#[test]
fn an_image_can_become_a_set_of_its_own() {
    let mut zset = ZSet::new();
    for i in 0..100u32 {
        zset.upsert(i.to_string().as_bytes(), LIMITS, |_| Some(f64::from(i)));
    }
    let mut copy = zset.image();
    assert_eq!(copy.score(b"50"), Some(50.0));
    copy.upsert(b"50", LIMITS, |_| Some(-1.0));
    assert_eq!(
        (copy.rank(b"50"), zset.score(b"50")),
        (Some((0, -1.0)), Some(50.0))
    );
    let copy = zset.copied();
    assert_eq!((listed(&copy), copy.is_as(&zset)), (listed(&zset), false));
}

#[test]
fn only_sorted_pairs_are_a_listpack() {
    let packed = |elems: &[&str]| {
        let mut packed = Packed::new();
        elems
            .iter()
            .for_each(|elem| packed.push_back(elem.as_bytes()));
        ZSet::from_listpack(packed)
    };
    assert!(packed(&["a", "1", "b", "1.5", "c", "inf"]).is_some());
    assert!(packed(&["a", "1", "b"]).is_none());
    assert!(packed(&["a", "x"]).is_none());
    assert!(packed(&["a", "2", "b", "1"]).is_none());
    assert!(packed(&["a", "1", "a", "2"]).is_none());
}

#[test]
fn a_packed_zero_has_no_sign() {
    for limit in [10, 0] {
        let limits = Limits {
            entries: limit,
            value: 64,
        };
        let mut zset = ZSet::new();
        zset.upsert(b"a", limits, |_| Some(-0.0));
        let made = ZSet::from_sorted(&[(-0.0, b"a")], limits);
        for zset in [zset, made] {
            let signed = zset.score(b"a").is_some_and(f64::is_sign_negative);
            assert_eq!(signed, limit == 0);
        }
    }
}
