//! The list value against a plain model, and when its encoding changes.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::ds::packed::tests::text;

type Model = VecDeque<Vec<u8>>;

#[derive(Clone, Debug)]
enum Op {
    Push(End, Vec<u8>),
    PushAll(End, Vec<Vec<u8>>),
    Pop(End),
    Set(i64, Vec<u8>),
    Insert(Side, usize, Vec<u8>),
    Remove(i64, usize),
    Trim(i64, i64),
    Image,
}

fn op() -> impl Strategy<Value = Op> {
    let end = || prop_oneof![Just(End::Head), Just(End::Tail)];
    let side = prop_oneof![Just(Side::Before), Just(Side::After)];
    prop_oneof![
        6 => (end(), text()).prop_map(|(e, v)| Op::Push(e, v)),
        2 => (end(), proptest::collection::vec(text(), 1..6)).prop_map(|(e, v)| Op::PushAll(e, v)),
        4 => end().prop_map(Op::Pop),
        3 => (-40i64..40, text()).prop_map(|(i, v)| Op::Set(i, v)),
        3 => (side, 0usize..50, text()).prop_map(|(s, i, v)| Op::Insert(s, i, v)),
        3 => (-3i64..4, 0usize..50).prop_map(|(n, i)| Op::Remove(n, i)),
        1 => (-40i64..6, -6i64..40).prop_map(|(a, b)| Op::Trim(a, b)),
        1 => Just(Op::Image),
    ]
}

fn push_model(model: &mut Model, end: End, value: Vec<u8>) {
    match end {
        End::Head => model.push_front(value),
        End::Tail => model.push_back(value),
    }
}

fn remove_from_model(model: &mut Model, count: i64, value: &[u8]) -> usize {
    let mut left = if count == 0 {
        usize::MAX
    } else {
        count.unsigned_abs() as usize
    };
    let before = model.len();
    let mut keep = |m: &Vec<u8>| {
        let hit = m == value && left > 0;
        left -= usize::from(hit);
        !hit
    };
    if count < 0 {
        let kept: Vec<_> = model.drain(..).rev().filter(|m| keep(m)).collect();
        model.extend(kept.into_iter().rev());
    } else {
        model.retain(|m| keep(m));
    }
    before - model.len()
}

fn apply(list: &mut List, model: &mut Model, op: Op, limit: Limit) {
    let len = model.len();
    let pick = |model: &Model, i: usize| model.get(i).cloned().unwrap_or(b"a".to_vec());
    match op {
        Op::Push(end, v) => {
            list.push(end, &v, limit);
            push_model(model, end, v);
        }
        Op::PushAll(end, values) => {
            list.push_all(end, values.iter().map(Vec::as_slice), limit);
            values.into_iter().for_each(|v| push_model(model, end, v));
        }
        Op::Pop(end) => {
            let popped = if end == End::Head {
                model.pop_front()
            } else {
                model.pop_back()
            };
            assert_eq!(list.pop(end, limit).map(|v| v.as_elem().to_vec()), popped);
        }
        Op::Set(i, v) => {
            if let Some(at) = resolve_index(i, len) {
                assert!(list.set(at, &v, limit));
                model[at] = v;
            }
        }
        Op::Insert(side, i, v) => {
            let pivot = pick(model, i);
            let found = model.iter().position(|m| *m == pivot);
            assert_eq!(list.insert(side, &pivot, &v, limit), found.map(|_| len + 1));
            if let Some(at) = found {
                model.insert(at + usize::from(side == Side::After), v);
            }
        }
        Op::Remove(count, i) => {
            let value = pick(model, i);
            let removed = remove_from_model(model, count, &value);
            assert_eq!(list.remove(count, &value, limit), removed);
        }
        Op::Trim(start, stop) => {
            let keep = resolve_range(start, stop, len).unwrap_or(0..0);
            model.truncate(keep.end);
            model.drain(..keep.start);
            list.trim(keep, limit);
        }
        Op::Image => {}
    }
}

fn agree(list: &List, model: &Model) {
    assert_eq!(
        (list.len(), list.is_empty()),
        (model.len(), model.is_empty())
    );
    assert!(list.iter().map(Elem::to_vec).eq(model.iter().cloned()));
    assert!(
        list.iter()
            .rev()
            .map(Elem::to_vec)
            .eq(model.iter().rev().cloned())
    );
    for i in 0..=model.len() {
        assert_eq!(list.get(i).map(Elem::to_vec).as_ref(), model.get(i));
        assert_eq!(
            list.value(i).map(|v| v.as_elem().to_vec()).as_ref(),
            model.get(i)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn behaves_like_a_deque(
        config in prop_oneof![-5i32..=-1, 1i32..9],
        ops in proptest::collection::vec(op(), 1..120),
    ) {
        let limit = Limit::from_config(config);
        let (mut list, mut model) = (List::new(), Model::new());
        let mut images = Vec::new();
        for op in ops {
            if matches!(op, Op::Image) {
                images.push((list.image(), model.clone()));
            }
            apply(&mut list, &mut model, op, limit);
            agree(&list, &model);
        }
        for (image, model) in &images {
            agree(image, model);
        }
    }

    #[test]
    fn positions_are_those_of_a_plain_search(
        texts in proptest::collection::vec(0u8..3, 0..40),
        rank in -5i64..=5,
        count in 0usize..4,
        max_len in 0usize..50,
        config in prop_oneof![Just(-2i32), Just(4)],
    ) {
        let mut list = List::new();
        for text in &texts {
            list.push(End::Tail, text.to_string().as_bytes(), Limit::from_config(config));
        }
        let mut order: Vec<usize> = (0..texts.len()).collect();
        if rank < 0 {
            order.reverse();
        }
        order.truncate(if max_len == 0 { usize::MAX } else { max_len });
        order.retain(|&i| texts[i] == 1);
        let skip = (rank.unsigned_abs() as usize).wrapping_sub(1).min(order.len());
        order.drain(..skip);
        order.truncate(if count == 0 { usize::MAX } else { count });
        prop_assert_eq!(list.positions(b"1", Search { rank, count, max_len }), order);
    }
}

fn filled(count: usize, limit: Limit) -> List {
    let mut list = List::new();
    (0..count).for_each(|_| list.push(End::Tail, b"e", limit));
    list
}

#[test]
fn encodings_change_at_the_limit_and_at_half_of_it() {
    let limit = Limit::from_config(10);
    let mut list = filled(10, limit);
    assert_eq!(list.encoding(), Encoding::Listpack);
    list.push(End::Head, b"e", limit);
    assert_eq!(
        (list.encoding(), list.node_count()),
        (Encoding::Quicklist, 2)
    );
    for len in (6..11).rev() {
        list.pop(End::Head, limit);
        assert_eq!((list.len(), list.encoding()), (len, Encoding::Quicklist));
    }
    list.pop(End::Head, limit);
    assert_eq!((list.len(), list.encoding().name()), (5, "listpack"));
}

#[test]
fn a_batch_is_announced_as_a_whole() {
    let limit = Limit::from_config(-1);
    let mut list = List::new();
    let values = [vec![b'x'; 2_000], vec![b'y'; 2_090]];
    list.push_all(End::Tail, values.iter().map(Vec::as_slice), limit);
    assert_eq!(list.encoding(), Encoding::Quicklist);
    assert_eq!(list.len(), 2);
}

#[test]
fn a_huge_element_makes_a_quicklist_and_its_removal_a_listpack() {
    let limit = Limit::from_config(-2);
    let mut list = filled(3, limit);
    assert!(list.set(1, &vec![b'h'; 9_000], limit));
    assert_eq!(
        (list.encoding(), list.node_count()),
        (Encoding::Quicklist, 3)
    );
    assert!(list.set(1, b"small", limit));
    assert_eq!(list.encoding(), Encoding::Listpack);
    assert!(!list.set(3, b"beyond", limit));
    assert!(
        list.iter()
            .map(Elem::to_vec)
            .eq([b"e".to_vec(), b"small".to_vec(), b"e".to_vec()])
    );
}

#[test]
fn nodes_are_seen_as_they_are_saved() {
    let limit = Limit::from_config(4);
    assert_eq!(filled(3, limit).nodes().count(), 1);
    let list = filled(9, limit);
    let mut copy = QuickList::new();
    for node in list.nodes() {
        match node {
            NodeView::Packed(packed) => copy.append_packed(packed.clone()),
            NodeView::Plain(bytes) => copy.append_plain(bytes.clone()),
        }
    }
    assert!(List::from(copy).iter().eq(list.iter()));
}

#[test]
fn indexes_and_ranges_resolve_as_clients_expect() {
    assert_eq!(resolve_index(0, 3), Some(0));
    assert_eq!(resolve_index(-1, 3), Some(2));
    assert_eq!(resolve_index(-3, 3), Some(0));
    for beyond in [3, -4, i64::MAX, i64::MIN] {
        assert_eq!(resolve_index(beyond, 3), None);
    }
    assert_eq!(resolve_index(0, 0), None);
    assert_eq!(resolve_range(0, -1, 5), Some(0..5));
    assert_eq!(resolve_range(-2, 100, 5), Some(3..5));
    assert_eq!(resolve_range(-100, 1, 5), Some(0..2));
    assert_eq!(resolve_range(i64::MIN, i64::MAX, 5), Some(0..5));
    for (start, stop) in [(5, 9), (3, 2), (0, -6), (i64::MAX, i64::MIN), (-1, -2)] {
        assert_eq!(resolve_range(start, stop, 5), None);
    }
    assert_eq!(resolve_range(0, -1, 0), None);
}
