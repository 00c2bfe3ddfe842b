//! Streams against a plain map, in all sizes of nodes; their saved form, whole and
//! corrupted.

use std::collections::BTreeMap;

use super::*;
use crate::base::rng::Rng;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;
type Model = BTreeMap<StreamId, Fields>;

const SMALL: NodeLimit = NodeLimit {
    bytes: 4096,
    entries: 4,
};
const USUAL: NodeLimit = NodeLimit {
    bytes: 4096,
    entries: 100,
};

fn seed(test: &str) -> u64 {
    let seed = (std::env::var("FLASHKV_SEED").ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| Rng::random().next_u64());
    println!("{test}: FLASHKV_SEED={seed}");
    seed
}

fn id(ms: u64, seq: u64) -> StreamId {
    StreamId::new(ms, seq)
}

fn add(stream: &mut Stream, at: StreamId, fields: &Fields, limit: NodeLimit) {
    let fields = fields
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()));
    stream.append(at, fields, limit);
}

fn fields(rng: &mut Rng) -> Fields {
    let text = |rng: &mut Rng| match rng.below(6) {
        0 => rng.below(300).to_string().into_bytes(),
        1 => vec![b'x'; rng.below(90) as usize],
        2 => b"-12345678901".to_vec(),
        _ => [b"name".as_slice(), b"age", b"", b"007"][rng.below(4) as usize].to_vec(),
    };
    match rng.below(3) {
        0 => (0..1 + rng.below(4))
            .map(|_| (text(rng), text(rng)))
            .collect(),
        _ => vec![(b"name".to_vec(), text(rng)), (b"17".to_vec(), text(rng))],
    }
}

fn owned(entry: Entry<'_>) -> (StreamId, Fields) {
    let fields = entry
        .fields()
        .map(|(name, value)| (name.to_vec(), value.to_vec()));
    (entry.id, fields.collect())
}

/// Checks the stream against the model, and the rules of its nodes.
fn check(stream: &Stream, model: &Model) {
    let all: Vec<_> = stream.range(ALL).map(owned).collect();
    let want: Vec<_> = model
        .iter()
        .map(|(id, fields)| (*id, fields.clone()))
        .collect();
    assert_eq!(all, want);
    let back: Vec<_> = stream.range_back(ALL).map(owned).collect();
    assert!(back.iter().eq(want.iter().rev()));
    assert_eq!(stream.len(), model.len());
    assert_eq!(
        stream.first_id(),
        model.keys().next().copied().unwrap_or_default()
    );
    for (base, node) in stream.nodes() {
        let live = node.entries(base).filter(|entry| !entry.deleted).count();
        assert_eq!(
            (node.live(), node.total()),
            (live, node.entries(base).count())
        );
        assert!(live > 0, "a node without entries is not kept");
    }
}

fn any_range(rng: &mut Rng, top: u64) -> Ids {
    let mut end = || id(rng.below(top + 2), rng.below(4));
    let (a, b) = (end(), end());
    if a < b { a..=b } else { b..=a }
}

fn agree_on_ranges(stream: &Stream, model: &Model, rng: &mut Rng, top: u64) {
    for _ in 0..20 {
        let ids = any_range(rng, top);
        let want: Vec<StreamId> = model.range(ids.clone()).map(|pair| *pair.0).collect();
        let found: Vec<StreamId> = stream.range(ids.clone()).map(|entry| entry.id).collect();
        assert_eq!(found, want);
        let back = stream.range_back(ids.clone()).map(|entry| entry.id);
        assert!(back.eq(want.iter().rev().copied()));
        let max = rng.below(40) as usize;
        assert_eq!(stream.count(&ids, max), want.len().min(max), "{ids:?}");
        let one = *ids.start();
        assert_eq!(
            stream.get(one).map(owned).map(|pair| pair.1),
            model.get(&one).cloned()
        );
    }
}

#[test]
fn agrees_with_a_plain_map() {
    let mut rng = Rng::seeded(seed("stream::agrees_with_a_plain_map"));
    for round in 0..30 {
        let limit = [SMALL, USUAL][round % 2];
        let (mut stream, mut model) = (Stream::default(), Model::new());
        let mut top = 0;
        for _ in 0..400 {
            let image = (rng.below(20) == 0).then(|| (stream.image(), model.clone()));
            match rng.below(10) {
                0..=6 => {
                    top += rng.below(2);
                    let wanted = NewId::Within(top);
                    if let Ok(at) = stream.next_id(wanted, 0) {
                        let fields = fields(&mut rng);
                        add(&mut stream, at, &fields, limit);
                        model.insert(at, fields);
                    }
                }
                7 | 8 => {
                    let ids: Vec<StreamId> = (0..3)
                        .map(|_| id(rng.below(top + 1), rng.below(3)))
                        .collect();
                    let gone = ids.iter().filter(|id| model.remove(id).is_some()).count();
                    assert_eq!(stream.delete(&ids), gone);
                }
                _ => trim(&mut stream, &mut model, &mut rng, top),
            }
            if let Some((image, model)) = image {
                check(&image, &model);
            }
        }
        check(&stream, &model);
        agree_on_ranges(&stream, &model, &mut rng, top);
        assert_eq!(
            reloaded(&stream).map(|again| text_of(&again)),
            Ok(text_of(&stream))
        );
    }
}

fn trim(stream: &mut Stream, model: &mut Model, rng: &mut Rng, top: u64) {
    let keep = if rng.below(2) == 0 {
        Keep::Last(model.len().saturating_sub(rng.below(12) as usize))
    } else {
        Keep::From(id(rng.below(top / 2 + 1), rng.below(3)))
    };
    let trim = Trim {
        keep,
        approximate: rng.below(3) == 0,
        limit: 0,
        references: References::Keep,
    };
    let before: Vec<StreamId> = model.keys().copied().collect();
    let (removed, gone) = stream.trim(trim);
    before
        .iter()
        .take(removed)
        .for_each(|id| drop(model.remove(id)));
    match keep {
        _ if trim.approximate => {
            assert!(gone.iter().map(|(_, node)| node.live()).sum::<usize>() == removed)
        }
        Keep::Last(len) => assert_eq!(model.len(), before.len().min(len)),
        Keep::From(least) => assert!(model.keys().next().is_none_or(|first| *first >= least)),
    }
    check(stream, model);
}

/// A stream of so many entries, with two groups that have read most of it and are not
/// done with all of that.
fn read_by_groups(rng: &mut Rng, count: u64) -> Stream {
    let mut stream = Stream::default();
    for nth in 1..=count {
        add(&mut stream, id(nth, 0), &fields(rng), SMALL);
    }
    for name in [b"a".as_slice(), b"b"] {
        let mut group = Group::new(id(count - rng.below(count / 4), 0), None);
        let consumer = group.add_consumer(b"c", 0).unwrap();
        for nth in (1..=group.last_id.ms).filter(|_| rng.below(6) == 0) {
            let pending = Pending {
                time: 0,
                count: 1,
                consumer,
            };
            group.assign(id(nth, 0), pending);
        }
        stream.add_group(name, group);
    }
    stream
}

fn pending_of(stream: &Stream) -> Vec<Vec<StreamId>> {
    let of = |group: &Group| (group.pending_from(StreamId::MIN).map(|pair| pair.0)).collect();
    stream.groups().map(|(_, group)| of(group)).collect()
}

#[test]
fn trims_as_groups_allow() {
    let mut rng = Rng::seeded(seed("stream::trims_as_groups_allow"));
    for round in 0..200 {
        let mut stream = read_by_groups(&mut rng, 40);
        let before: Vec<StreamId> = stream.range(ALL).map(|entry| entry.id).collect();
        let (pending, done) = (pending_of(&stream), stream.image());
        let keep = match round % 2 {
            0 => Keep::Last(rng.below(45) as usize),
            _ => Keep::From(id(rng.below(45), 0)),
        };
        let references = [References::Delete, References::Acknowledged][round / 2 % 2];
        let trim = Trim {
            keep,
            approximate: false,
            limit: 0,
            references,
        };
        let (removed, _) = stream.trim(trim);
        let surplus = match keep {
            Keep::Last(len) => before.len().saturating_sub(len),
            Keep::From(_) => before.len(),
        };
        let may_go = |id: &&StreamId| {
            let old = !matches!(keep, Keep::From(least) if **id >= least);
            old && (references == References::Delete || done.is_done_with(**id))
        };
        let gone: Vec<StreamId> = before
            .iter()
            .filter(may_go)
            .take(surplus)
            .copied()
            .collect();
        let left: Vec<StreamId> = stream.range(ALL).map(|entry| entry.id).collect();
        assert_eq!(removed, gone.len());
        assert!(
            left.iter()
                .eq(before.iter().filter(|id| !gone.contains(id)))
        );
        assert_eq!(
            (stream.len(), stream.first_id()),
            (left.len(), left.first().copied().unwrap_or_default())
        );
        let kept = |ids: &Vec<StreamId>| {
            ids.iter()
                .filter(|id| !gone.contains(id))
                .copied()
                .collect()
        };
        let want: Vec<Vec<StreamId>> = pending.iter().map(kept).collect();
        assert_eq!(pending_of(&stream), want);
        let model: Model = stream.range(ALL).map(owned).collect();
        check(&stream, &model);
    }
}

/// A stream as text, for comparison.
fn text_of(stream: &Stream) -> String {
    let entries: Vec<_> = stream.range(ALL).map(owned).collect();
    let groups: Vec<_> = stream.groups().collect();
    let ids = (stream.last_id(), stream.first_id(), stream.max_deleted_id());
    format!("{ids:?} {} {entries:?} {groups:?}", stream.entries_added())
}

/// The parts of a saved stream.
fn saved(stream: &Stream) -> (Vec<(StreamId, Vec<u8>)>, Counters) {
    let nodes = stream.nodes().map(|(id, node)| {
        let mut bytes = Vec::new();
        node.packed().write_listpack(&mut bytes);
        (id, bytes)
    });
    let counters = Counters {
        len: stream.len() as u64,
        last_id: stream.last_id(),
        max_deleted_id: stream.max_deleted_id(),
        entries_added: stream.entries_added(),
    };
    (nodes.collect(), counters)
}

fn load(nodes: &[(StreamId, Vec<u8>)], counters: Counters) -> Result<Stream, Invalid> {
    let mut loader = Loader::default();
    for (id, bytes) in nodes {
        loader.node(*id, bytes)?;
    }
    loader.counters(counters)?;
    Ok(loader.finish())
}

fn reloaded(stream: &Stream) -> Result<Stream, Invalid> {
    let (nodes, counters) = saved(stream);
    load(&nodes, counters)
}

#[test]
fn a_corrupted_form_is_refused_or_makes_a_sound_stream() {
    let mut rng = Rng::seeded(seed("stream::a_corrupted_form_is_refused"));
    let mut stream = Stream::default();
    for nth in 1..40 {
        add(&mut stream, id(nth, 0), &fields(&mut rng), SMALL);
    }
    stream.delete(&[id(3, 0), id(5, 0), id(39, 0)]);
    let (nodes, counters) = saved(&stream);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let (mut nodes, mut counters) = (nodes.clone(), counters);
        for _ in 0..1 + rng.below(3) {
            let at = rng.below(nodes.len() as u64) as usize;
            let bytes = &mut nodes[at].1;
            let place = rng.below(bytes.len() as u64) as usize;
            bytes[place] = match rng.below(3) {
                0 => bytes[place].wrapping_add(1),
                1 => bytes[place] ^ (1 << rng.below(8)),
                _ => rng.next_u64() as u8,
            };
        }
        if rng.below(10) == 0 {
            let (a, b) = (rng.below(nodes.len() as u64), rng.below(nodes.len() as u64));
            nodes.swap(a as usize, b as usize);
        }
        if rng.below(10) == 0 {
            counters.len = rng.next_u64();
        }
        if let Ok(mut stream) = load(&nodes, counters) {
            accepted += 1;
            let model: Model = stream.range(ALL).map(owned).collect();
            check(&stream, &model);
            stream.delete(&[id(8, 0), id(9, 0)]);
            stream.trim(Trim {
                keep: Keep::Last(5),
                approximate: false,
                limit: 0,
                references: References::Keep,
            });
        }
    }
    println!("{accepted} of 20000 changed forms are streams");
}

#[test]
fn nodes_are_redis_nodes_byte_for_byte() {
    // Of a stream node as redis-server 7.0.15 dumps it: XADD s 5-1 a 1 b x,
    // XADD s 5-2 a 2 b y, XADD s 6-0 c 3, XDEL s 5-2.
    let want = [
        &[48, 0, 0, 0, 24, 0][..],
        &[2, 1, 1, 1, 2, 1, 0x81, b'a', 2, 0x81, b'b', 2, 0, 1],
        &[2, 1, 0, 1, 0, 1, 1, 1, 0x81, b'x', 2, 5, 1],
    ]
    .concat();
    let mut stream = Stream::default();
    let pairs = |pairs: &[(&str, &str)]| -> Fields {
        let owned = |text: &str| text.as_bytes().to_vec();
        pairs
            .iter()
            .map(|(name, value)| (owned(name), owned(value)))
            .collect()
    };
    add(
        &mut stream,
        id(5, 1),
        &pairs(&[("a", "1"), ("b", "x")]),
        USUAL,
    );
    add(
        &mut stream,
        id(5, 2),
        &pairs(&[("a", "2"), ("b", "y")]),
        USUAL,
    );
    add(&mut stream, id(6, 0), &pairs(&[("c", "3")]), USUAL);
    stream.delete(&[id(5, 2)]);
    let (nodes, _) = saved(&stream);
    assert_eq!(nodes.len(), 1);
    let bytes = &nodes[0].1;
    assert_eq!(bytes[6..6 + want.len() - 6], want[6..]);
    let tombstone = [3, 1, 0, 1, 1, 1, 2, 1, 0x81, b'y', 2, 5, 1];
    let other_names = [
        0, 1, 1, 1, 0xDF, 0xFF, 2, 1, 1, 0x81, b'c', 2, 3, 1, 6, 1, 0xFF,
    ];
    assert_eq!(
        bytes[want.len()..],
        [&tombstone[..], &other_names[..]].concat()
    );
}

#[test]
fn ids_are_chosen_as_redis_chooses_them() {
    let mut stream = Stream::default();
    assert_eq!(stream.next_id(NewId::Within(0), 0), Ok(id(0, 1)));
    assert_eq!(stream.next_id(NewId::Auto, 5), Ok(id(5, 0)));
    stream.set_ids(id(7, u64::MAX), None, None);
    assert_eq!(stream.next_id(NewId::Auto, 5), Ok(id(8, 0)));
    assert_eq!(
        stream.next_id(NewId::Within(7), 5),
        Err(IdRefused::TooSmall)
    );
    assert_eq!(
        stream.next_id(NewId::Exact(id(7, 0)), 5),
        Err(IdRefused::TooSmall)
    );
    stream.set_ids(StreamId::MAX, None, None);
    assert_eq!(stream.next_id(NewId::Auto, 5), Err(IdRefused::Exhausted));
}

#[test]
fn a_group_is_loaded_only_whole() {
    let mut group = GroupLoader::new(id(3, 0), Some(3));
    group.pending(id(1, 0), 10, 2).unwrap();
    group.pending(id(2, 0), 11, 1).unwrap();
    assert_eq!(group.pending(id(2, 0), 11, 1), Err(Invalid::Twice));
    let alice = group.consumer(b"alice", 5, None).unwrap();
    assert_eq!(group.consumer(b"alice", 5, None), Err(Invalid::Twice));
    group.owns(alice, id(1, 0)).unwrap();
    assert_eq!(group.owns(alice, id(1, 0)), Err(Invalid::Pending));
    assert_eq!(group.owns(alice, id(9, 0)), Err(Invalid::Pending));
    let mut loader = Loader::default();
    assert_eq!(loader.group(b"g", group), Err(Invalid::Pending));
    let mut group = GroupLoader::new(id(3, 0), None);
    group.pending(id(2, 0), 11, 1).unwrap();
    let bob = group.consumer(b"bob", 5, Some(6)).unwrap();
    group.owns(bob, id(2, 0)).unwrap();
    loader.group(b"g", group).unwrap();
    let stream = loader.finish();
    let group = stream.group(b"g").unwrap();
    assert_eq!(group.consumer_named(b"bob").unwrap().pending_len(), 1);
    assert_eq!(group.pending_edges(), Some((id(2, 0), id(2, 0))));
}

#[test]
fn an_image_of_many_entries_costs_nothing_and_stays() {
    let mut stream = Stream::default();
    let fields = vec![(b"f".to_vec(), b"v".to_vec())];
    for nth in 1..=20_000 {
        add(&mut stream, id(nth, 0), &fields, USUAL);
    }
    assert_eq!(stream.node_count(), 200);
    let image = stream.image();
    stream.delete(&[id(1, 0), id(10_000, 0)]);
    stream.trim(Trim {
        keep: Keep::Last(10),
        approximate: false,
        limit: 0,
        references: References::Keep,
    });
    assert_eq!((image.len(), image.range(ALL).count()), (20_000, 20_000));
    assert_eq!((stream.len(), stream.range(ALL).count()), (10, 10));
}

#[test]
fn redis_counts_the_nodes_of_its_tree() {
    let mut stream = Stream::default();
    assert_eq!(stream.radix_node_count(), 1);
    let fields = vec![(b"f".to_vec(), b"v".to_vec())];
    let one = NodeLimit {
        bytes: 0,
        entries: 1,
    };
    // As XINFO STREAM of redis-server 7.0.15 says after each of these.
    for (at, want) in [
        (id(1, 0), 2),
        (id(2, 0), 6),
        (id(2, 1), 8),
        (id(300, 0), 11),
    ] {
        add(&mut stream, at, &fields, one);
        assert_eq!(stream.radix_node_count(), want, "{at}");
    }
}

#[test]
fn a_counter_at_its_end_begins_anew() {
    let counters = Counters {
        len: 0,
        last_id: id(1, 0),
        max_deleted_id: StreamId::MIN,
        entries_added: u64::MAX,
    };
    let mut stream = load(&[], counters).expect("counters may be anything");
    stream.append(id(2, 0), [(&b"f"[..], &b"v"[..])].into_iter(), USUAL);
    assert_eq!((stream.len(), stream.entries_added()), (1, 0));
}
