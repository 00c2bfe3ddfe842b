//! The tree against a sorted vector, with images taken on the way.

use super::super::member::counted;
use super::*;
use crate::base::rng::Rng;

type Plain = Vec<(f64, Vec<u8>)>;

fn plain(tree: &Tree) -> Plain {
    let elements = tree.range(0..tree.len());
    elements.map(|(s, m)| (s, m.bytes().to_vec())).collect()
}

/// Checks what must stay true of every node; the separators there are.
fn check(child: &Child, low: Option<(f64, &[u8])>, keys: &mut usize) -> usize {
    match child {
        Child::Leaf(leaf) => {
            for at in 0..leaf.len() {
                let (score, member) = leaf.get(at);
                if let Some((low, text)) = low {
                    assert!(!precedes(score, member, low, text), "before its separator");
                }
            }
            leaf.len()
        }
        Child::Inner(inner) => {
            assert!(inner.kids().len() <= INNER_MAX);
            *keys += inner.kids().len();
            let mut total = 0;
            for (at, kid) in inner.kids().iter().enumerate() {
                let low = if at == 0 { low } else { Some(inner.key(at)) };
                let count = check(kid, low, keys);
                assert!(count > 0, "an empty child");
                assert_eq!(count, inner.counts()[at]);
                total += count;
            }
            total
        }
    }
}

fn checked(tree: &Tree) -> usize {
    let mut keys = 0;
    assert_eq!(check(&tree.root, None, &mut keys), tree.len());
    keys
}

/// A score of its own draw, or the next of a rising or falling run.
fn draw(rng: &mut Rng, spread: u64, turn: u64) -> (f64, Vec<u8>) {
    let score = match spread {
        0 => {
            let (run, at) = (turn / 150, (turn % 150) as f64);
            let start = (run * 7919 % 23) as f64 * 100.0;
            if run % 2 == 0 { start + at } else { start - at }
        }
        _ => rng.below(spread) as f64 - 3.0,
    };
    let text = format!("m{}", rng.below(3000)).into_bytes();
    (score, text)
}

fn place(plain: &Plain, key: &(f64, Vec<u8>)) -> Result<usize, usize> {
    plain.binary_search_by(|other| {
        (other.0.partial_cmp(&key.0))
            .expect("no NaN")
            .then_with(|| other.1.cmp(&key.1))
    })
}

fn step(rng: &mut Rng, (spread, turn): (u64, u64), tree: &mut Tree, model: &mut Plain) {
    let growing = turn % 3000 < 2000;
    let key = draw(rng, spread, turn);
    match place(model, &key) {
        Err(at) if growing || rng.below(3) == 0 => {
            tree.insert(key.0, Member::new(&key.1, key.0));
            model.insert(at, key);
        }
        Ok(at) if !growing => {
            let removed = tree.remove(Pick::Key(key.0, &key.1)).expect("it is there");
            assert_eq!((removed.0, removed.1.bytes()), (key.0, &key.1[..]));
            model.remove(at);
        }
        Err(at) => {
            assert_eq!(tree.rank(key.0, &key.1), at);
            assert!(tree.remove(Pick::Key(key.0, &key.1)).is_none());
        }
        Ok(at) => assert_eq!(tree.rank(key.0, &key.1), at),
    }
    if !growing && !model.is_empty() && rng.below(2) == 0 {
        let at = match rng.below(3) {
            0 => 0,
            1 => model.len() - 1,
            _ => rng.below(model.len() as u64) as usize,
        };
        let (score, member) = tree.remove(Pick::Rank(at)).expect("it is there");
        let (want, text) = model.remove(at);
        assert_eq!((score, member.bytes()), (want, &text[..]));
    }
}

#[test]
fn agrees_with_a_sorted_vector_and_images_stay_as_they_were() {
    let before = counted::alive();
    let seed = std::env::var("FLASHKV_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| Rng::random().next_u64());
    println!("FLASHKV_SEED={seed}");
    for round in 0..16 {
        let mut rng = Rng::seeded(seed.wrapping_add(round));
        // Few scores: long runs of ties; many: none.
        let spread = [2, 50, 1 << 40, 0][round as usize % 4];
        let (mut tree, mut model) = (Tree::default(), Plain::new());
        let mut images: Vec<(Tree, Plain)> = Vec::new();
        for turn in 0..6000 {
            step(&mut rng, (spread, turn), &mut tree, &mut model);
            if rng.below(400) == 0 {
                images.push((tree.clone(), model.clone()));
                assert!(tree.is_as(&images[images.len() - 1].0));
            }
            if rng.below(500) == 0 {
                checked(&tree);
                assert_eq!(plain(&tree), model);
            }
        }
        for (image, then) in &images {
            assert_eq!(plain(image), *then);
        }
        drop(images);
        let keys = checked(&tree);
        let alive = (counted::alive() - before) as usize;
        assert!(
            alive >= tree.len() && alive <= tree.len() + keys,
            "{alive} alive"
        );
        while tree.remove(Pick::Rank(0)).is_some() {}
        assert_eq!(counted::alive(), before);
    }
}

#[test]
fn cuts_leave_the_rest_in_order() {
    let before = counted::alive();
    let seed = (std::env::var("FLASHKV_SEED").ok()).and_then(|text| text.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| Rng::random().next_u64());
    println!("FLASHKV_SEED={seed}");
    let mut rng = Rng::seeded(seed);
    for round in 0..60 {
        let len = [0, 1, 50, 70, 3000, 70_000][round % 6];
        let elements = (0..len).map(|i| {
            let score = f64::from(i / 3);
            (score, Member::new(format!("{i:09}").as_bytes(), score))
        });
        let mut tree = Tree::from_sorted(elements);
        let mut model = plain(&tree);
        for turn in 0..8 {
            let (image, then) = (tree.clone(), model.clone());
            let mut end = || match rng.below(4) {
                0 => 0,
                1 => model.len(),
                _ => rng.below(model.len() as u64 + 1) as usize,
            };
            let (a, b) = (end(), end());
            let ranks = a.min(b)..a.max(b);
            let middle = tree.cut(ranks.clone());
            let gone: Plain = model.drain(ranks).collect();
            assert_eq!((plain(&tree), plain(&middle)), (model.clone(), gone));
            checked(&tree);
            checked(&middle);
            if turn % 2 == 0 {
                assert_eq!(plain(&image), then, "an image stays as it was");
            }
            drop((image, middle));
            // Changes go on in what a cut has left.
            for change in 0..400 {
                step(
                    &mut rng,
                    (1 << 40, 3000 * turn + 5 * change),
                    &mut tree,
                    &mut model,
                );
            }
            checked(&tree);
            assert_eq!(plain(&tree), model);
        }
    }
    assert_eq!(counted::alive(), before);
}

#[test]
fn ranges_from_both_ends() {
    let elements = (0..1000).map(|i| (f64::from(i), Member::new(b"x", 0.0)));
    let tree = Tree::from_sorted(elements);
    checked(&tree);
    let mut range = tree.range(100..900);
    let (mut low, mut high) = (100, 900);
    while range.len() > 0 {
        assert_eq!(range.next().map(|(s, _)| s), Some(f64::from(low)));
        low += 1;
        for _ in 0..2 {
            if range.len() > 0 {
                high -= 1;
                assert_eq!(range.next_back().map(|(s, _)| s), Some(f64::from(high)));
            }
        }
    }
    assert_eq!(low, high);
    assert_eq!(tree.range(990..2000).count(), 10);
    assert_eq!(tree.range(2000..3000).count(), 0);
}

/// Leaves per element filled, over all orders in which elements usually come.
fn fill(tree: &Tree) -> f64 {
    fn leaves(child: &Child) -> usize {
        match child {
            Child::Leaf(_) => 1,
            Child::Inner(inner) => inner.kids().iter().map(leaves).sum(),
        }
    }
    tree.len() as f64 / (leaves(&tree.root) * LEAF_MAX) as f64
}

#[test]
fn leaves_are_well_filled() {
    let build = |score: &dyn Fn(u64) -> u64| {
        let mut tree = Tree::default();
        for i in 0..20_000 {
            let score = score(i) as f64;
            tree.insert(score, Member::new(&i.to_be_bytes(), score));
        }
        checked(&tree);
        fill(&tree)
    };
    let (rising, falling) = (build(&|i| i), build(&|i| (1 << 21) - i));
    assert!(rising > 0.95 && falling > 0.95, "{rising} {falling}");
    let random = build(&|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40);
    assert!(random > 0.8, "{random}");
}

#[test]
fn a_changed_tree_is_not_the_same() {
    let mut tree = Tree::default();
    tree.insert(1.0, Member::new(b"a", 1.0));
    let image = tree.clone();
    assert!(tree.is_as(&image));
    let (_, member) = tree.remove(Pick::Rank(0)).expect("one element");
    tree.insert(1.0, member);
    assert!(!tree.is_as(&image));
}
