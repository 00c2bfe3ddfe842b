//! All live data of a server in a form that compares, read in full by the ways that
//! readers have.

use std::collections::BTreeMap;

use flashkv::ds::stream::{ALL, Stream, StreamId};
use flashkv::store::entry::{CollectionRef, Entry, ValueRef};
use flashkv::store::{DATABASES, Footprint, Keyspace, Locks, Patience, SHARDS};

/// The values and expiries of keys, by database and name.
pub type Contents = BTreeMap<(usize, Vec<u8>), Content>;

/// What a key has.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    pub kind: &'static str,
    pub expire: Option<i64>,
    /// Its elements, each as a text; sorted where they have no order.
    pub parts: Vec<String>,
    /// The least element, or the name of the first group.
    pub sample: Vec<u8>,
}

/// Reads everything that is live at `now`.
pub fn contents(keyspace: &Keyspace, now: i64) -> Contents {
    let mut all = Contents::new();
    let mut locks = Locks::new(keyspace, Patience::Wait);
    locks.acquire(Footprint::ALL_WRITE);
    for shard in 0..SHARDS {
        for db in 0..DATABASES {
            locks.shard(shard).dict(db).table().for_each(|entry| {
                if !entry.is_gone(now) {
                    let twin = all.insert((db, entry.key().to_vec()), content(entry, now));
                    assert!(twin.is_none(), "a key twice");
                }
            });
        }
    }
    all
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn content(entry: &Entry, now: i64) -> Content {
    let (mut parts, mut sample) = (Vec::new(), None);
    let mut keep = |bytes: &[u8]| {
        if sample.as_deref().is_none_or(|least| bytes < least) {
            sample = Some(bytes.to_vec());
        }
        text(bytes)
    };
    let kind = match entry.value() {
        ValueRef::Int(int) => {
            parts.push(int.to_string());
            "string"
        }
        ValueRef::Str(bytes) => {
            parts.push(text(bytes));
            "string"
        }
        ValueRef::Shared(bytes) => {
            parts.push(text(bytes));
            "string"
        }
        ValueRef::Collection(CollectionRef::List(list)) => {
            parts.extend(list.iter().map(|elem| elem.with_bytes(&mut keep)));
            assert_eq!(parts.len(), list.len());
            "list"
        }
        ValueRef::Collection(CollectionRef::Hash(hash)) => {
            hash.for_each(now, |item| {
                let name = item.name.with_bytes(&mut keep);
                let value = item.value.with(text);
                parts.push(format!("{name} = {value} until {}", item.deadline));
            });
            assert_eq!(parts.len(), hash.live_len(now));
            parts.sort_unstable();
            "hash"
        }
        ValueRef::Collection(CollectionRef::Set(set)) => {
            parts.extend(set.iter().map(|member| member.elem().with_bytes(&mut keep)));
            assert_eq!(parts.len(), set.len());
            parts.sort_unstable();
            "set"
        }
        ValueRef::Collection(CollectionRef::ZSet(zset)) => {
            let entries = zset.iter();
            let shown =
                entries.map(|e| format!("{:?} {}", e.score, e.member.with_bytes(&mut keep)));
            parts.extend(shown);
            assert_eq!(parts.len(), zset.len());
            "zset"
        }
        ValueRef::Collection(CollectionRef::Stream(stream)) => {
            stream_parts(stream, &mut parts);
            let group = stream.groups().next();
            group.into_iter().for_each(|(name, _)| drop(keep(name)));
            "stream"
        }
    };
    assert!(
        kind == "string" || kind == "stream" || !parts.is_empty(),
        "empty {kind}"
    );
    Content {
        kind,
        expire: entry.expire_at(),
        parts,
        sample: sample.unwrap_or_default(),
    }
}

fn stream_parts(stream: &Stream, parts: &mut Vec<String>) {
    parts.push(format!(
        "{} {:?} {:?} {}",
        stream.len(),
        stream.last_id(),
        stream.max_deleted_id(),
        stream.entries_added()
    ));
    let mut len = 0;
    for entry in stream.range(ALL) {
        let fields = entry.fields().map(|(name, value)| {
            let (name, value) = (name.with_bytes(text), value.with_bytes(text));
            format!("{name} = {value}")
        });
        parts.push(format!("{:?} {:?}", entry.id, fields.collect::<Vec<_>>()));
        len += 1;
    }
    assert_eq!(len, stream.len());
    for (name, group) in stream.groups() {
        let (last_id, read) = (group.last_id, group.entries_read);
        parts.push(format!("group {} {last_id:?} {read:?}", text(name)));
        for (id, pending) in group.pending_from(StreamId::MIN) {
            let owner = group
                .consumer(pending.consumer)
                .map(|owner| text(owner.name()));
            let (time, count) = (pending.time, pending.count);
            parts.push(format!("pending {id:?} {time} {count} {owner:?}"));
        }
        for consumer in group.consumers() {
            let owned = consumer.pending_from(StreamId::MIN).count();
            assert_eq!(owned, consumer.pending_len());
            let (seen, active) = (consumer.seen, consumer.active);
            parts.push(format!(
                "consumer {} {seen} {active:?} {owned}",
                text(consumer.name())
            ));
        }
    }
}
