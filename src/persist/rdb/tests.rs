//! Values of every type and encoding come back as they were, for every target, and
//! damage is refused without harm.

mod damage;
mod file;
mod older;

use std::collections::{BTreeMap, BTreeSet};

use super::decode::Layout;
use super::payload::{self, Payload};
use super::{Error, Target};
use crate::base::crc64::crc64;
use crate::base::hash::KeyHasher;
use crate::base::rng::Rng;
use crate::ds::hash::{Given, Growth, Hash, Limit as HashLimit, NEVER, Until};
use crate::ds::list::{End, Limit, List};
use crate::ds::set::{Rules, Set};
use crate::ds::stream::{ALL, Group, NodeLimit, Pending, Stream, StreamId};
use crate::ds::zset::{Limits, ZSet};
use crate::store::entry::{Collection, CollectionRef, ValueRef};
use crate::store::image::Image;

/// The present, in milliseconds.
const NOW: i64 = 1_720_000_000_000;
const TARGETS: [Target; 4] = [
    Target::Redis70,
    Target::Redis72,
    Target::Redis74,
    Target::Valkey9,
];

/// What a value holds, in a form that compares.
#[derive(Clone, Debug, PartialEq)]
enum Plain {
    Text(Vec<u8>),
    List(Vec<Vec<u8>>),
    Hash(BTreeMap<Vec<u8>, (Vec<u8>, i64)>),
    Set(BTreeSet<Vec<u8>>),
    ZSet(Vec<(Vec<u8>, f64)>),
    /// Counters, entries, groups, consumers and what is pending, as texts.
    Stream(Vec<String>),
}

/// Reads a value completely.
fn plain(value: ValueRef<'_>) -> Plain {
    match value {
        ValueRef::Int(int) => Plain::Text(int.to_string().into_bytes()),
        ValueRef::Str(text) => Plain::Text(text.to_vec()),
        ValueRef::Shared(text) => Plain::Text(text.to_vec()),
        ValueRef::Collection(CollectionRef::List(list)) => {
            Plain::List(list.iter().map(|elem| elem.to_vec()).collect())
        }
        ValueRef::Collection(CollectionRef::Hash(hash)) => {
            let mut fields = BTreeMap::new();
            hash.for_each(i64::MIN, |item| {
                let value = item.value.with(<[u8]>::to_vec);
                fields.insert(item.name.to_vec(), (value, item.deadline));
            });
            assert_eq!(fields.len(), hash.len());
            Plain::Hash(fields)
        }
        ValueRef::Collection(CollectionRef::Stream(stream)) => Plain::Stream(parts(stream)),
        ValueRef::Collection(CollectionRef::Set(set)) => {
            let members: BTreeSet<Vec<u8>> = set.iter().map(|m| m.elem().to_vec()).collect();
            assert_eq!(members.len(), set.len());
            Plain::Set(members)
        }
        ValueRef::Collection(CollectionRef::ZSet(zset)) => {
            let entries = zset.iter();
            Plain::ZSet(entries.map(|e| (e.member.to_vec(), e.score)).collect())
        }
    }
}

/// All parts of a stream but the times that the oldest form does not tell.
fn parts(stream: &Stream) -> Vec<String> {
    let counters = (stream.len(), stream.last_id(), stream.first_id());
    let mut parts = vec![format!(
        "{counters:?} {:?} {}",
        stream.max_deleted_id(),
        stream.entries_added()
    )];
    for entry in stream.range(ALL) {
        let fields: Vec<_> = (entry.fields())
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect();
        parts.push(format!("{:?} {fields:?}", entry.id));
    }
    for (name, group) in stream.groups() {
        parts.push(format!(
            "{name:?} {:?} {:?}",
            group.last_id, group.entries_read
        ));
        for (id, pending) in group.pending_from(StreamId::MIN) {
            let owner = group.consumer(pending.consumer).map(|owner| owner.name());
            parts.push(format!(
                "{id:?} {} {} {owner:?}",
                pending.time, pending.count
            ));
        }
        for consumer in group.consumers() {
            let pending = consumer.pending_from(StreamId::MIN).count();
            parts.push(format!("{:?} {} {pending}", consumer.name(), consumer.seen));
        }
    }
    parts
}

fn layout(hasher: &KeyHasher) -> Layout<'_> {
    Layout {
        list: Limit::from_config(-2),
        hash: Growth {
            limit: HashLimit {
                entries: 128,
                value: 64,
            },
            hasher,
        },
        set: Rules {
            intset_entries: 128,
            listpack_entries: 128,
            listpack_value: 64,
            hasher,
        },
        zset: Limits {
            entries: 128,
            value: 64,
        },
    }
}

/// An object in an envelope of this version.
fn enveloped(object: &[u8], version: u16) -> Vec<u8> {
    let mut payload = object.to_vec();
    payload.extend(version.to_le_bytes());
    payload.extend(crc64(0, &payload).to_le_bytes());
    payload
}

fn read(payload: &[u8], hasher: &KeyHasher) -> Result<Image, Error> {
    let payload = Payload::open(payload).expect("the envelope is right");
    payload.value(&layout(hasher))
}

fn image<T: Collection>(value: T) -> Image {
    Image::Collection(Box::new(value).into_new())
}

/// A text as elements have them: numbers at all widths, short and long ones.
fn text(rng: &mut Rng) -> Vec<u8> {
    match rng.below(8) {
        0 => (rng.next_u64() as i64 >> rng.below(64))
            .to_string()
            .into_bytes(),
        1 => b"repeated ".repeat(rng.below(12) as usize),
        2 => (0..rng.below(90)).map(|_| rng.next_u64() as u8).collect(),
        3 if rng.below(20) == 0 => vec![b'x'; rng.below(20_000) as usize],
        _ => format!("element:{}", rng.below(1 << 20)).into_bytes(),
    }
}

/// How many elements a random value has: around the switches of encodings.
fn count(rng: &mut Rng) -> u64 {
    match rng.below(4) {
        0 => 1 + rng.below(5),
        1 => 120 + rng.below(16),
        2 => 1 + rng.below(60),
        _ => 1 + rng.below(1000),
    }
}

/// A random value of each type in turn.
fn value(rng: &mut Rng, nth: u64, layout: &Layout<'_>) -> Image {
    match nth % 6 {
        0 => match rng.below(3) {
            0 => Image::Int(rng.next_u64() as i64 >> rng.below(64)),
            _ => Image::Text(text(rng).into()),
        },
        1 => {
            let mut list = List::new();
            for _ in 0..count(rng) {
                list.push(End::Tail, &text(rng), layout.list);
            }
            image(list)
        }
        2 => {
            let mut hash = Hash::new();
            let expiring = rng.below(2) == 0;
            for _ in 0..count(rng) {
                let at = match rng.below(3) {
                    0 if expiring => NOW + 1 + rng.below(1 << 40) as i64,
                    _ => NEVER,
                };
                let (name, value) = (text(rng), text(rng));
                hash.set(&name, Given::Text(&value), Until::At(at), layout.hash);
            }
            image(hash)
        }
        4 => image(stream(rng)),
        3 => {
            let mut set = Set::new();
            let numbers = rng.below(3) == 0;
            for _ in 0..count(rng) {
                let member = match numbers {
                    true => (rng.next_u64() as i64 >> 40).to_string().into_bytes(),
                    false => text(rng),
                };
                set.announce(&member, 1, layout.set);
                set.add(&member, layout.set);
            }
            image(set)
        }
        _ => {
            let mut zset = ZSet::new();
            for _ in 0..count(rng) {
                let score = match rng.below(4) {
                    0 => rng.below(10) as f64,
                    1 => f64::INFINITY,
                    2 => -(rng.next_u64() as f64) / 7.0,
                    _ => rng.below(1 << 40) as f64 / 1000.0,
                };
                zset.upsert(&text(rng), layout.zset, |_| Some(score));
            }
            image(zset)
        }
    }
}

/// A stream with deleted entries, groups, consumers and pending entries.
fn stream(rng: &mut Rng) -> Stream {
    let limit = NodeLimit {
        bytes: 4096,
        entries: 100,
    };
    let mut stream = Stream::default();
    let len = count(rng);
    for nth in 1..=len {
        let fields: Vec<_> = (0..1 + rng.below(3))
            .map(|_| (text(rng), text(rng)))
            .collect();
        let fields = fields
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()));
        stream.append(StreamId::new(1000 + nth / 3, nth), fields, limit);
    }
    let some = |rng: &mut Rng| {
        let nth = 1 + rng.below(len);
        StreamId::new(1000 + nth / 3, nth)
    };
    for _ in 0..rng.below(9) {
        let id = some(rng);
        stream.delete(&[id]);
    }
    for name in 0..rng.below(3) {
        let mut group = Group::new(some(rng), Some(rng.below(len) as i64).filter(|n| *n > 3));
        for consumer in [b"alice", b"bobby"] {
            let Some(consumer) = group.add_consumer(consumer, NOW) else {
                continue;
            };
            for _ in 0..rng.below(20) {
                let (time, count) = (NOW - rng.below(99) as i64, 1 + rng.below(5) as i64);
                let pending = Pending {
                    time,
                    count,
                    consumer,
                };
                group.assign(some(rng), pending);
            }
        }
        stream.add_group(format!("group{name}").as_bytes(), group);
    }
    stream
}

fn encoding(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Collection(value) => value.encoding_name(),
        _ => "string",
    }
}

#[test]
fn values_come_back_from_every_target() {
    let seed = Rng::random().next_u64();
    println!("values_come_back_from_every_target: seed {seed}");
    let (mut rng, hasher) = (Rng::seeded(seed), KeyHasher::seeded(1));
    for nth in 0..400 {
        let value = value(&mut rng, nth, &layout(&hasher));
        for target in TARGETS {
            let compress = rng.below(2) == 0;
            let payload = payload::write(value.value(), NOW, target, compress);
            let again = read(&payload, &hasher).expect("it was just written");
            assert_eq!(plain(again.value()), plain(value.value()), "value {nth}");
            let (before, after) = (encoding(value.value()), encoding(again.value()));
            if !(before, after).eq(&("quicklist", "listpack")) {
                assert_eq!(before, after, "value {nth}");
            }
        }
    }
}

/// Before 7.2 nothing tells when a consumer was given something; when it was seen is the
/// best guess.
#[test]
fn the_active_time_of_a_consumer_needs_the_form_of_7_2() {
    let hasher = KeyHasher::seeded(1);
    let mut group = Group::new(StreamId::MIN, None);
    for (name, active) in [(b"a", None), (b"b", Some(NOW - 7))] {
        let added = group.add_consumer(name, NOW).expect("a new name");
        group.consumer_mut(added).expect("it is there").active = active;
    }
    let mut stream = Stream::default();
    stream.add_group(b"g", group);
    let stream = image(stream);
    for target in TARGETS {
        let payload = payload::write(stream.value(), NOW, target, true);
        let again = read(&payload, &hasher).expect("it was just written");
        let ValueRef::Collection(CollectionRef::Stream(stream)) = again.value() else {
            panic!("a stream was written");
        };
        let group = stream.group(b"g").expect("it was written");
        let times: Vec<_> = group.consumers().map(|c| (c.seen, c.active)).collect();
        let want = match target {
            Target::Redis70 => [(NOW, Some(NOW)), (NOW, Some(NOW))],
            _ => [(NOW, None), (NOW, Some(NOW - 7))],
        };
        assert_eq!(times, want, "{target:?}");
    }
}

#[test]
fn fields_that_are_due_are_left_out() {
    let hasher = KeyHasher::seeded(1);
    let mut hash = Hash::new();
    let growth = layout(&hasher).hash;
    for (name, at) in [("a", NOW), ("b", NOW + 1), ("c", NEVER)] {
        hash.set(name.as_bytes(), Given::Text(b"1"), Until::At(at), growth);
    }
    let value = image(hash);
    for target in TARGETS {
        let payload = payload::write(value.value(), NOW, target, true);
        let again = read(&payload, &hasher).expect("it was just written");
        let Plain::Hash(fields) = plain(again.value()) else {
            panic!("a hash was written");
        };
        let names: Vec<&[u8]> = fields.keys().map(Vec::as_slice).collect();
        assert_eq!(names, [b"b", b"c"]);
    }
}
