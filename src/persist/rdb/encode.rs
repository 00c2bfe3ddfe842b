//! Objects to bytes, in the format of a [`Target`].
//!
//! What is packed in memory is written as it lies; what is indexed, element by element.

use super::write::{Sink, Writer};
use super::{Target, kind};
use crate::ds::list::List;
use crate::ds::quicklist::NodeView;
use crate::store::entry::{CollectionRef, ValueRef};

/// How the nodes of a list are announced.
const PLAIN: u8 = 1;
const PACKED: u8 = 2;

/// The kind that `value` is written as, and the target whose format that takes: the one
/// asked for, or a later one where that does not know what the value has.
pub fn form(value: ValueRef<'_>, target: Target) -> (u8, Target) {
    let kind = match value {
        ValueRef::Int(_) | ValueRef::Str(_) | ValueRef::Shared(_) => kind::STRING,
        ValueRef::Collection(CollectionRef::List(_)) => kind::LIST_QUICKLIST_2,
    };
    (kind, target)
}

/// Writes the body of `value` as the kind that [`form`] has named. O(bytes).
pub fn body<S: Sink>(out: &mut Writer<S>, value: ValueRef<'_>, kind: u8) {
    debug_assert!(kind <= kind::HASH_LISTPACK_EX);
    match value {
        ValueRef::Int(int) => out.int(int),
        ValueRef::Str(text) => out.text(text),
        ValueRef::Shared(text) => out.text(text),
        ValueRef::Collection(CollectionRef::List(value)) => list(out, value),
    }
}

fn list<S: Sink>(out: &mut Writer<S>, value: &List) {
    out.count(value.node_count());
    let mut listpack = Vec::new();
    for node in value.nodes() {
        match node {
            NodeView::Plain(bytes) => {
                out.byte(PLAIN);
                out.blob(bytes);
            }
            NodeView::Packed(packed) => {
                out.byte(PACKED);
                listpack.clear();
                packed.write_listpack(&mut listpack);
                out.blob(&listpack);
            }
        }
    }
}
