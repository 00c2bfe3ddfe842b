//! Objects to bytes, in the format of a [`Target`].
//!
//! What is packed in memory is written as it lies; what is indexed, element by element.

use super::write::{Sink, Writer};
use super::{Target, kind};
use crate::base::clock::Millis;
use crate::ds::hash::{Hash, NEVER};
use crate::ds::list::List;
use crate::ds::packed::Packed;
use crate::ds::quicklist::NodeView;
use crate::ds::set::{Set, View};
use crate::ds::stream::{Group, Stream, StreamId};
use crate::ds::zset::ZSet;
use crate::store::entry::{CollectionRef, ValueRef};

/// How the nodes of a list are announced.
const PLAIN: u8 = 1;
const PACKED: u8 = 2;
/// How Valkey writes that a field has no deadline.
const VALKEY_NEVER: i64 = -1;

/// The kind that `value` is written as, and the target whose format that takes: the one
/// asked for, or a later one where that does not know what the value has.
pub fn form(value: ValueRef<'_>, now: Millis, target: Target) -> (u8, Target) {
    let kind = match value {
        ValueRef::Int(_) | ValueRef::Str(_) | ValueRef::Shared(_) => kind::STRING,
        ValueRef::Collection(CollectionRef::List(_)) => kind::LIST_QUICKLIST_2,
        ValueRef::Collection(CollectionRef::Set(set)) => match set.view() {
            View::Ints(_) => kind::SET_INTSET,
            View::Packed(_) if target >= Target::Redis72 => kind::SET_LISTPACK,
            View::Packed(_) | View::Large => kind::SET,
        },
        ValueRef::Collection(CollectionRef::Stream(_)) => match target {
            Target::Redis70 => kind::STREAM_LISTPACKS_2,
            _ => kind::STREAM_LISTPACKS_3,
        },
        ValueRef::Collection(CollectionRef::ZSet(zset)) => match zset.listpack() {
            Some(_) => kind::ZSET_LISTPACK,
            None => kind::ZSET_2,
        },
        ValueRef::Collection(CollectionRef::Hash(hash)) => {
            return hash_form(hash, now, target);
        }
    };
    (kind, target)
}

/// Writes the body of `value` as the kind that [`form`] has named at the same time.
/// O(bytes).
pub fn body<S: Sink>(out: &mut Writer<S>, value: ValueRef<'_>, now: Millis, kind: u8) {
    match value {
        ValueRef::Int(int) => out.int(int),
        ValueRef::Str(text) => out.text(text),
        ValueRef::Shared(text) => out.text(text),
        ValueRef::Collection(CollectionRef::List(value)) => list(out, value),
        ValueRef::Collection(CollectionRef::Set(value)) => set(out, value, kind),
        ValueRef::Collection(CollectionRef::Stream(value)) => stream(out, value, kind),
        ValueRef::Collection(CollectionRef::ZSet(value)) => zset(out, value),
        ValueRef::Collection(CollectionRef::Hash(value)) => hash(out, value, now, kind),
    }
}

fn listpack<S: Sink>(out: &mut Writer<S>, packed: &Packed) {
    let mut bytes = Vec::new();
    packed.write_listpack(&mut bytes);
    out.blob(&bytes);
}

fn list<S: Sink>(out: &mut Writer<S>, value: &List) {
    out.count(value.node_count());
    for node in value.nodes() {
        match node {
            NodeView::Plain(bytes) => {
                out.byte(PLAIN);
                out.blob(bytes);
            }
            NodeView::Packed(packed) => {
                out.byte(PACKED);
                listpack(out, packed);
            }
        }
    }
}

fn set<S: Sink>(out: &mut Writer<S>, value: &Set, kind: u8) {
    match (value.view(), kind) {
        (View::Ints(ints), kind::SET_INTSET) => {
            let mut bytes = Vec::new();
            ints.write_blob(&mut bytes);
            out.blob(&bytes);
        }
        (View::Packed(packed), kind::SET_LISTPACK) => listpack(out, packed),
        _ => {
            out.count(value.len());
            value.iter().for_each(|member| out.elem(member.elem()));
        }
    }
}

fn zset<S: Sink>(out: &mut Writer<S>, value: &ZSet) {
    if let Some(packed) = value.listpack() {
        return listpack(out, packed);
    }
    out.count(value.len());
    // From the greatest on: who inserts what comes at the front of a list is quick so.
    for entry in value.iter().rev() {
        out.elem(entry.member);
        out.score(entry.score);
    }
}

fn stream<S: Sink>(out: &mut Writer<S>, value: &Stream, kind: u8) {
    out.count(value.node_count());
    for (base, node) in value.nodes() {
        out.blob(&base.to_bytes());
        listpack(out, node.packed());
    }
    out.count(value.len());
    id(out, value.last_id());
    id(out, value.first_id());
    id(out, value.max_deleted_id());
    out.number(value.entries_added());
    out.count(value.group_count());
    for (name, one) in value.groups() {
        out.text(name);
        group(out, one, kind);
    }
}

fn id<S: Sink>(out: &mut Writer<S>, id: StreamId) {
    out.number(id.ms);
    out.number(id.seq);
}

fn group<S: Sink>(out: &mut Writer<S>, value: &Group, kind: u8) {
    /// What is not known, of entries read and of times.
    const UNKNOWN: i64 = -1;
    id(out, value.last_id);
    out.number(value.entries_read.unwrap_or(UNKNOWN).cast_unsigned());
    out.count(value.pending_len());
    for (id, pending) in value.pending_from(StreamId::MIN) {
        out.raw(&id.to_bytes());
        out.millis(pending.time);
        out.number(pending.count.cast_unsigned());
    }
    out.count(value.consumer_len());
    for consumer in value.consumers() {
        out.text(consumer.name());
        out.millis(consumer.seen);
        if kind == kind::STREAM_LISTPACKS_3 {
            out.millis(consumer.active.unwrap_or(UNKNOWN));
        }
        out.count(consumer.pending_len());
        for id in consumer.pending_from(StreamId::MIN) {
            out.raw(&id.to_bytes());
        }
    }
}

fn hash_form(hash: &Hash, now: Millis, target: Target) -> (u8, Target) {
    if hash.packed().is_some() {
        return (kind::HASH_LISTPACK, target);
    }
    if earliest(hash, now) == NEVER {
        return (kind::HASH, target);
    }
    match target {
        Target::Redis74 => (kind::HASH_METADATA, target),
        _ => (kind::HASH_2, Target::Valkey9),
    }
}

/// The earliest deadline of a live field.
fn earliest(hash: &Hash, now: Millis) -> i64 {
    let mut earliest = NEVER;
    if hash.earliest() != NEVER {
        hash.for_each(now, |item| earliest = earliest.min(item.deadline));
    }
    earliest
}

fn hash<S: Sink>(out: &mut Writer<S>, value: &Hash, now: Millis, kind: u8) {
    if let (kind::HASH_LISTPACK, Some(packed)) = (kind, value.packed()) {
        return listpack(out, packed);
    }
    let earliest = match kind {
        kind::HASH_METADATA => earliest(value, now),
        _ => NEVER,
    };
    if kind == kind::HASH_METADATA {
        out.millis(earliest);
    }
    out.count(value.live_len(now));
    value.for_each(now, |item| {
        let deadline = Some(item.deadline).filter(|&at| at != NEVER);
        if kind == kind::HASH_METADATA {
            out.number(deadline.map_or(0, |at| at.abs_diff(earliest) + 1));
        }
        out.elem(item.name);
        item.value.with(|text| out.text(text));
        if kind == kind::HASH_2 {
            out.millis(deadline.unwrap_or(VALKEY_NEVER));
        }
    });
}
