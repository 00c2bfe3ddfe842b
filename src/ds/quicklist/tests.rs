//! The quicklist against a plain model, its node invariants, and its images.

use proptest::prelude::*;

use super::*;
use crate::ds::packed::tests::text;

type Model = VecDeque<Vec<u8>>;

#[derive(Clone, Debug)]
enum Op {
    Push(End, Vec<u8>),
    Pop(End),
    Set(usize, Vec<u8>),
    InsertAt(usize, Vec<u8>),
    Insert(Side, usize, Vec<u8>),
    Remove(End, usize, usize),
    Trim(usize, usize),
    Image,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Head), Just(End::Tail)]
}

fn op() -> impl Strategy<Value = Op> {
    let at = 0usize..10_000;
    let side = prop_oneof![Just(Side::Before), Just(Side::After)];
    prop_oneof![
        12 => (end(), text()).prop_map(|(e, v)| Op::Push(e, v)),
        3 => end().prop_map(Op::Pop),
        4 => (at.clone(), text()).prop_map(|(i, v)| Op::Set(i, v)),
        5 => (at.clone(), text()).prop_map(|(i, v)| Op::InsertAt(i, v)),
        3 => (side, at.clone(), text()).prop_map(|(s, i, v)| Op::Insert(s, i, v)),
        3 => (end(), 1usize..4, at.clone()).prop_map(|(e, n, i)| Op::Remove(e, n, i)),
        1 => (0usize..8, 0usize..8).prop_map(|(a, b)| Op::Trim(a, b)),
        1 => Just(Op::Image),
    ]
}

fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![-5i32..=-1, 1i32..6, Just(128)].prop_map(Limit::from_config)
}

/// Removes as the list should, the slow way.
fn remove_from_model(model: &mut Model, from: End, max: usize, value: &[u8]) -> usize {
    let mut removed = 0;
    while removed < max {
        let hit = match from {
            End::Head => model.iter().position(|m| m == value),
            End::Tail => model.iter().rposition(|m| m == value),
        };
        let Some(at) = hit else { break };
        model.remove(at);
        removed += 1;
    }
    removed
}

fn apply(list: &mut QuickList, model: &mut Model, op: Op, limit: Limit) {
    let len = model.len();
    match op {
        Op::Push(End::Head, v) => (list.push(End::Head, &v, limit), model.push_front(v)).1,
        Op::Push(End::Tail, v) => (list.push(End::Tail, &v, limit), model.push_back(v)).1,
        Op::Pop(end) => {
            let popped = if end == End::Head {
                model.pop_front()
            } else {
                model.pop_back()
            };
            assert_eq!(list.pop(end).map(|v| v.as_elem().to_vec()), popped);
        }
        Op::Set(i, v) => {
            let at = i % (len + 1);
            assert_eq!(list.set(at, &v, limit), at < len);
            if at < len {
                model[at] = v;
            }
        }
        Op::InsertAt(i, v) => {
            list.insert_at(i % (len + 1), &v, limit);
            model.insert(i % (len + 1), v);
        }
        Op::Insert(side, i, v) => {
            let pivot = model
                .get(i % (len + 1))
                .cloned()
                .unwrap_or(b"no such element".to_vec());
            let found = model.iter().position(|m| *m == pivot);
            if let Some(at) = found {
                model.insert(at + usize::from(side == Side::After), v.clone());
            }
            let new_len = list.insert(side, &Needle::new(&pivot), &v, limit);
            assert_eq!(new_len, found.map(|_| len + 1));
        }
        Op::Remove(from, max, i) => {
            let value = model.get(i % (len + 1)).cloned().unwrap_or(b"a".to_vec());
            let removed = remove_from_model(model, from, max, &value);
            assert_eq!(list.remove(from, max, &Needle::new(&value), limit), removed);
        }
        Op::Trim(head, tail) => {
            let keep = head.min(len)..len.saturating_sub(tail).max(head.min(len));
            model.truncate(keep.end);
            model.drain(..keep.start);
            list.trim(keep, limit);
        }
        Op::Image => {}
    }
}

fn agree(list: &QuickList, model: &Model) {
    assert_eq!(list.len(), model.len());
    assert!(list.iter().map(Elem::to_vec).eq(model.iter().cloned()));
    assert_eq!(list.nodes.iter().map(Node::len).sum::<usize>(), list.len());
    for node in &list.nodes {
        assert!(node.len() > 0);
        assert!(
            node.as_packed()
                .is_none_or(|packed| packed.len() == node.len())
        );
    }
}

/// Nodes of several elements are within the limit.
fn within(list: &QuickList, limit: Limit) {
    for packed in list
        .nodes
        .iter()
        .filter_map(Node::as_packed)
        .filter(|p| p.len() > 1)
    {
        assert!(limit.allows(packed.listpack_len(), packed.len()));
    }
}

fn agree_by_index(list: &QuickList, model: &Model) {
    let len = model.len();
    for (i, text) in model.iter().enumerate() {
        assert!(list.get(i).unwrap().eq_bytes(text));
        assert_eq!(list.value(i).unwrap().as_elem().to_vec(), *text);
    }
    assert!(list.get(len).is_none() && list.value(len).is_none());
    for start in (0..=len).step_by(1 + len / 7) {
        for end in (start..=len).step_by(1 + len / 5) {
            let range = list.range(start..end);
            assert_eq!(range.len(), end - start);
            assert!(
                range
                    .clone()
                    .map(Elem::to_vec)
                    .eq(model.range(start..end).cloned())
            );
            assert!(
                range
                    .rev()
                    .map(Elem::to_vec)
                    .eq(model.range(start..end).rev().cloned())
            );
        }
    }
    let (mut both, mut expected) = (list.iter(), model.iter());
    for i in 0..=len {
        let (got, want) = if i % 3 == 0 {
            (both.next_back(), expected.next_back())
        } else {
            (both.next(), expected.next())
        };
        assert_eq!(got.map(Elem::to_vec).as_ref(), want);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn behaves_like_a_deque(limit in limit(), ops in proptest::collection::vec(op(), 1..160)) {
        let (mut list, mut model) = (QuickList::new(), Model::new());
        let mut images = Vec::new();
        for op in ops {
            if matches!(op, Op::Image) {
                images.push((list.image(), model.clone()));
            }
            apply(&mut list, &mut model, op, limit);
            agree(&list, &model);
            within(&list, limit);
        }
        agree_by_index(&list, &model);
        for (image, model) in &images {
            agree(image, model);
        }
    }

    #[test]
    fn a_changed_limit_is_no_obstacle(
        steps in proptest::collection::vec((limit(), op()), 1..120),
    ) {
        let (mut list, mut model) = (QuickList::new(), Model::new());
        for (limit, op) in steps {
            apply(&mut list, &mut model, op, limit);
            agree(&list, &model);
        }
    }
}

fn numbers(count: usize, limit: Limit) -> QuickList {
    let mut list = QuickList::new();
    for i in 0..count {
        list.push(End::Tail, format!("element:{i}").as_bytes(), limit);
    }
    list
}

#[test]
fn removals_leave_no_chain_of_small_nodes() {
    let limit = Limit::from_config(-1);
    let mut list = numbers(5_000, limit);
    for i in (0..5_000).filter(|i| i % 10 != 0) {
        let text = format!("element:{i}");
        if i % 2 == 0 {
            assert_eq!(
                list.remove(End::Tail, 1, &Needle::new(text.as_bytes()), limit),
                1
            );
        } else {
            let at = list.iter().position(|elem| elem.eq_bytes(text.as_bytes()));
            list.remove_at(at.unwrap(), limit);
        }
    }
    assert_eq!(list.len(), 500);
    for pair in 1..list.nodes.len() {
        assert!(!list.nodes[pair - 1].fits_with(&list.nodes[pair], limit));
    }
}

#[test]
fn trim_keeps_whole_nodes_and_cuts_two() {
    let limit = Limit::from_config(100);
    let mut list = numbers(10_000, limit);
    list.trim(150..9_850, limit);
    assert_eq!((list.len(), list.node_count()), (9_700, 98));
    assert!(list.get(0).unwrap().eq_bytes(b"element:150"));
    assert!(list.get(9_699).unwrap().eq_bytes(b"element:9849"));
    list.trim(5..5, limit);
    assert_eq!((list.len(), list.node_count()), (0, 0));
}

#[test]
fn a_huge_element_is_shared_not_copied() {
    let limit = Limit::from_config(-2);
    let mut list = numbers(10, limit);
    let huge = vec![b'h'; 100_000];
    list.insert_at(5, &huge, limit);
    assert_eq!(list.node_count(), 3);
    let (Some(Value::Str(a)), Some(Value::Str(b))) = (list.value(5), list.image().value(5)) else {
        panic!("a huge element is a string");
    };
    assert_eq!(a.as_ptr(), b.as_ptr());
    list.trim(5..6, limit);
    let Some(Value::Str(popped)) = list.pop(End::Tail) else {
        panic!("one element is left")
    };
    assert_eq!((popped.as_ptr(), list.is_empty()), (a.as_ptr(), true));
}

#[test]
fn a_writer_copies_only_the_node_it_changes() {
    let limit = Limit::from_config(-2);
    let mut list = numbers(5_000, limit);
    let image = list.image();
    list.set(2_500, b"changed", limit);
    let entries = |list: &QuickList| -> Vec<*const u8> {
        list.nodes
            .iter()
            .filter_map(Node::as_packed)
            .map(|p| p.entries().as_ptr())
            .collect()
    };
    let differing = entries(&list)
        .iter()
        .zip(entries(&image))
        .filter(|(a, b)| **a != *b)
        .count();
    assert_eq!(differing, 1);
    assert!(image.get(2_500).unwrap().eq_bytes(b"element:2500"));
}

#[test]
fn sealed_nodes_waste_little() {
    let list = numbers(100_000, Limit::from_config(-2));
    let bytes: usize = list
        .nodes
        .iter()
        .filter_map(Node::as_packed)
        .map(Packed::byte_len)
        .sum();
    assert!(
        list.mem_bytes() < bytes + bytes / 16,
        "{} for {bytes}",
        list.mem_bytes()
    );
}
