//! The packed sequence against a plain model, its bytes, and corrupt input.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

type Model = VecDeque<Vec<u8>>;

/// Texts around every boundary of the encoding: integer widths and signs,
/// string header sizes, backlen sizes.
pub(crate) fn text() -> impl Strategy<Value = Vec<u8>> {
    const EDGES: &[i64] = &[0, 127, 4_096, 32_768, 8_388_608, 2_147_483_648, i64::MAX];
    let near = (proptest::sample::select(EDGES), -2i64..=2, any::<bool>()).prop_map(
        |(edge, step, negative)| {
            let value = edge.saturating_add(step);
            if negative {
                value.saturating_neg()
            } else {
                value
            }
            .to_string()
            .into_bytes()
        },
    );
    const LENGTHS: &[usize] = &[0, 1, 5, 62, 63, 64, 125, 126, 127, 128, 4_094, 4_095, 4_096];
    const LONG: &[usize] = &[8_191, 16_376, 16_378, 16_383, 32_767, 65_536];
    let run = |len: usize| (any::<u8>(), Just(len)).prop_map(|(byte, len)| vec![byte; len]);
    prop_oneof![
        6 => near,
        2 => any::<i64>().prop_map(|value| value.to_string().into_bytes()),
        4 => proptest::collection::vec(any::<u8>(), 0..12),
        2 => Just(b"a".to_vec()),
        3 => proptest::sample::select(LENGTHS).prop_flat_map(run),
        1 => proptest::sample::select(LONG).prop_flat_map(run),
    ]
}

#[derive(Clone, Debug)]
enum Op {
    PushBack(Vec<u8>),
    PushFront(Vec<u8>),
    PopBack,
    PopFront,
    Before(usize, Vec<u8>),
    After(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    Remove(usize),
    RemoveRange(usize, usize),
    Retain(Vec<u8>),
    SplitAppend(usize),
    SplitPrepend(usize),
    Shrink,
}

fn op() -> impl Strategy<Value = Op> {
    let at = 0usize..64;
    prop_oneof![
        5 => text().prop_map(Op::PushBack),
        5 => text().prop_map(Op::PushFront),
        2 => Just(Op::PopBack),
        2 => Just(Op::PopFront),
        2 => (at.clone(), text()).prop_map(|(i, v)| Op::Before(i, v)),
        2 => (at.clone(), text()).prop_map(|(i, v)| Op::After(i, v)),
        3 => (at.clone(), text()).prop_map(|(i, v)| Op::Replace(i, v)),
        2 => at.clone().prop_map(Op::Remove),
        1 => (at.clone(), 0usize..6).prop_map(|(i, n)| Op::RemoveRange(i, n)),
        1 => text().prop_map(Op::Retain),
        1 => at.clone().prop_map(Op::SplitAppend),
        1 => at.prop_map(Op::SplitPrepend),
        1 => Just(Op::Shrink),
    ]
}

fn apply(packed: &mut Packed, model: &mut Model, op: Op) {
    let len = model.len();
    let at = |i: usize| if len == 0 { 0 } else { i % len };
    let pos = |packed: &Packed, i: usize| packed.index(at(i) as i64);
    match op {
        Op::PushBack(v) => (packed.push_back(&v), model.push_back(v)).1,
        Op::PushFront(v) => (packed.push_front(&v), model.push_front(v)).1,
        Op::PopBack => {
            assert_eq!(
                packed.pop_back().map(|v| v.as_elem().to_vec()),
                model.pop_back()
            );
        }
        Op::PopFront => {
            assert_eq!(
                packed.pop_front().map(|v| v.as_elem().to_vec()),
                model.pop_front()
            );
        }
        Op::Before(i, v) => {
            if let Some(pos) = pos(packed, i) {
                packed.insert_before(pos, &v);
                model.insert(at(i), v);
            }
        }
        Op::After(i, v) => {
            if let Some(pos) = pos(packed, i) {
                packed.insert_after(pos, &v);
                model.insert(at(i) + 1, v);
            }
        }
        Op::Replace(i, v) => {
            if let Some(pos) = pos(packed, i) {
                packed.replace(pos, &v);
                model[at(i)] = v;
            }
        }
        Op::Remove(i) => {
            if let Some(pos) = pos(packed, i) {
                packed.remove(pos);
                model.remove(at(i));
            }
        }
        Op::RemoveRange(i, n) => {
            let start = i.min(len);
            let n = n.min(len - start);
            model.drain(start..start + n);
            assert_eq!(packed.remove_range(i, n), n);
        }
        Op::Retain(v) => {
            let needle = Needle::new(&v);
            let hits = packed.count(&needle);
            assert_eq!(packed.find(&needle), model.iter().position(|m| *m == v));
            assert_eq!(packed.retain(|elem| !elem.matches(&needle)), hits);
            model.retain(|m| *m != v);
            assert_eq!(len - model.len(), hits);
        }
        Op::SplitAppend(i) => {
            let rest = packed.split_off(i);
            assert_eq!(rest.len(), len.saturating_sub(i));
            packed.append(&rest);
        }
        Op::SplitPrepend(i) => {
            let rest = packed.split_off(i);
            packed.prepend(&rest);
            model.rotate_right(rest.len());
        }
        Op::Shrink => packed.shrink_to_fit(),
    }
}

fn agree(packed: &Packed, model: &Model) {
    assert_eq!(packed.len(), model.len());
    assert_eq!(packed.is_empty(), model.is_empty());
    assert!(packed.iter().map(Elem::to_vec).eq(model.iter().cloned()));
    assert!(
        packed
            .iter()
            .rev()
            .map(Elem::to_vec)
            .eq(model.iter().rev().cloned())
    );
    let size: usize = model.iter().map(|v| Packed::entry_size(v)).sum();
    assert_eq!(packed.byte_len(), size);
    assert!(packed.mem_bytes() >= size);
}

fn agree_by_position(packed: &Packed, model: &Model) {
    let (mut up, mut down) = (packed.first(), packed.last());
    for i in 0..model.len() {
        let from_end = packed.index(-1 - i as i64);
        assert_eq!((packed.index(i as i64), from_end), (up, down));
        assert!(packed.get(up.unwrap()).eq_bytes(&model[i]));
        up = packed.next(up.unwrap());
        down = packed.prev(down.unwrap());
        assert!(
            packed
                .iter_from(i)
                .map(Elem::to_vec)
                .eq(model.range(i..).cloned())
        );
        assert!(
            packed
                .iter_to(i)
                .map(Elem::to_vec)
                .eq(model.range(..i).cloned())
        );
    }
    assert_eq!((up, down), (None, None));
    let beyond = model.len() as i64;
    assert_eq!(
        (packed.index(beyond), packed.index(-beyond - 1)),
        (None, None)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn behaves_like_a_deque(ops in proptest::collection::vec(op(), 1..120)) {
        let (mut packed, mut model) = (Packed::new(), Model::new());
        for op in ops {
            apply(&mut packed, &mut model, op);
            agree(&packed, &model);
        }
        agree_by_position(&packed, &model);
        let copy = Packed::from_entries(packed.entries(), Some(model.len())).unwrap();
        agree(&copy, &model);
        let mut bytes = Vec::new();
        packed.write_listpack(&mut bytes);
        prop_assert_eq!(bytes.len(), packed.listpack_len());
        agree(&Packed::from_listpack(&bytes).unwrap(), &model);
    }

    #[test]
    fn corrupt_bytes_are_refused_or_readable(
        texts in proptest::collection::vec(text(), 1..12),
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), 0u8..8), 1..4),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut packed = Packed::new();
        texts.iter().for_each(|text| packed.push_back(text));
        let mut bytes = packed.entries().to_vec();
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        read_all(&bytes);
        read_all(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn noise_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        read_all(&bytes);
        let _ = Packed::from_listpack(&bytes);
    }
}

/// What passes the check can be walked from both ends without a panic.
fn read_all(bytes: &[u8]) {
    if let Ok(packed) = Packed::from_entries(bytes, None) {
        assert_eq!(packed.iter().count(), packed.len());
        let mut back: Vec<_> = packed.iter().rev().collect();
        back.reverse();
        assert!(packed.iter().eq(back));
    }
}

#[test]
fn every_length_around_a_boundary_survives() {
    for len in [
        62usize, 63, 64, 126, 127, 128, 4_095, 4_096, 16_377, 16_378, 16_383, 2_097_151,
    ] {
        for len in len - 1..=len + 1 {
            let mut packed = Packed::new();
            packed.push_back(b"head");
            packed.push_back(&vec![b'x'; len]);
            packed.push_back(b"tail");
            let pos = packed.index(-2).unwrap();
            assert_eq!(packed.get(pos).text_len(), len);
            assert!(packed.get(packed.prev(pos).unwrap()).eq_bytes(b"head"));
            assert!(Packed::from_entries(packed.entries(), Some(3)).is_ok());
        }
    }
}

/// As DUMP of redis-server 7.0.15 gives them for the same elements.
#[test]
fn entry_bytes_are_those_of_redis() {
    let cases: [(&[u8], &[u8]); 12] = [
        (b"127", &[0x7F, 1]),
        (b"128", &[0xC0, 0x80, 2]),
        (b"-1", &[0xDF, 0xFF, 2]),
        (b"-4096", &[0xD0, 0x00, 2]),
        (b"4096", &[0xF1, 0x00, 0x10, 3]),
        (b"-32769", &[0xF2, 0xFF, 0x7F, 0xFF, 4]),
        (b"8388608", &[0xF3, 0x00, 0x00, 0x80, 0x00, 5]),
        (
            b"-2147483649",
            &[0xF4, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 9],
        ),
        (b"", &[0x80, 1]),
        (b"abc", &[0x83, b'a', b'b', b'c', 4]),
        (b"007", &[0x83, b'0', b'0', b'7', 4]),
        (b"-0", &[0x82, b'-', b'0', 3]),
    ];
    for (text, bytes) in cases {
        let mut packed = Packed::new();
        packed.push_back(text);
        assert_eq!(packed.entries(), bytes, "{text:?}");
    }
    // A body of 16382 bytes has two bytes of backlen, one of 16383 has three.
    for (len, tail) in [
        (16_377usize, &[0x7F, 0xFE][..]),
        (16_378, &[0x00, 0xFF, 0xFF]),
    ] {
        let mut packed = Packed::new();
        packed.push_back(&vec![b'x'; len]);
        assert_eq!(packed.byte_len(), 5 + len + tail.len());
        assert!(packed.entries().ends_with(tail));
    }
}

#[test]
fn frames_that_lie_are_refused() {
    let mut packed = Packed::new();
    packed.push_back(b"one");
    packed.push_back(b"2");
    let mut good = Vec::new();
    packed.write_listpack(&mut good);
    assert!(Packed::from_listpack(&good).is_ok());
    for (at, refusal) in [
        (0, Corrupt::Frame),
        (4, Corrupt::Count),
        (10, Corrupt::Backlen),
    ] {
        let mut bad = good.clone();
        bad[at] += 1;
        assert_eq!(Packed::from_listpack(&bad).unwrap_err(), refusal);
    }
    assert_eq!(
        Packed::from_listpack(&good[..5]).unwrap_err(),
        Corrupt::Frame
    );
    assert_eq!(
        Packed::from_listpack(&good[..good.len() - 1]).unwrap_err(),
        Corrupt::Frame
    );
    assert_eq!(
        Packed::from_entries(&[0xFF], None).unwrap_err(),
        Corrupt::Tag
    );
    assert_eq!(
        Packed::from_entries(&[0xF5, 1], None).unwrap_err(),
        Corrupt::Tag
    );
    let huge = [0xF0, 0xFF, 0xFF, 0xFF, 0xFF, b'x'];
    assert_eq!(
        Packed::from_entries(&huge, None).unwrap_err(),
        Corrupt::Truncated
    );
}

#[test]
fn ten_short_elements_fit_a_hundred_bytes() {
    let mut packed = Packed::new();
    for i in 0..10 {
        packed.push_back(&b"elements"[..3 + i % 6]);
    }
    assert!(packed.mem_bytes() <= 100, "{}", packed.mem_bytes());
    assert_eq!(Packed::new().mem_bytes(), 0);
}

#[test]
fn many_entries_have_no_count_in_the_header() {
    let mut packed = Packed::new();
    for _ in 0..70_000 {
        packed.push_back(b"7");
    }
    let mut bytes = Vec::new();
    packed.write_listpack(&mut bytes);
    assert_eq!(bytes[4..6], [0xFF, 0xFF]);
    assert_eq!(Packed::from_listpack(&bytes).unwrap().len(), 70_000);
}
