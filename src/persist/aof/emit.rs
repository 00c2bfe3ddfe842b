//! Keys as the commands that make them: a base without a snapshot
//! (`aof-use-rdb-preamble no`), which any server of the family runs.
//!
//! A string is a SET. What has elements is a RESTORE of what DUMP would reply: one command
//! whatever its type, with everything that belongs to it.

use super::record::{Encoder, push_words};
use crate::base::clock::Millis;
use crate::persist::rdb::{Target, payload};
use crate::store::entry::ValueRef;

/// A key as it is written out.
pub struct Pair<'a> {
    pub db: usize,
    pub key: &'a [u8],
    pub value: ValueRef<'a>,
    pub expire: Option<Millis>,
}

/// Appends the commands that make a key as it is at `now`.
pub fn push_pair(
    pair: &Pair<'_>,
    now: Millis,
    target: Target,
    encoder: &mut Encoder,
    out: &mut Vec<u8>,
) {
    encoder.select(pair.db, out);
    with_words(pair, now, target, |words| {
        push_words(words.iter().copied(), out);
    });
}

/// Shows the command that makes a key as it is at `now`.
pub fn with_words<R>(
    pair: &Pair<'_>,
    now: Millis,
    target: Target,
    show: impl FnOnce(&[&[u8]]) -> R,
) -> R {
    let (mut digits, mut number) = (itoa::Buffer::new(), itoa::Buffer::new());
    let expire = digits.format(pair.expire.unwrap_or(0)).as_bytes();
    let text: &[u8] = match pair.value {
        ValueRef::Int(int) => number.format(int).as_bytes(),
        ValueRef::Str(text) => text,
        ValueRef::Shared(text) => text,
        ValueRef::Collection(_) => {
            let payload = payload::write(pair.value, now, target, false);
            return show(&[b"RESTORE", pair.key, expire, &payload, b"ABSTTL"]);
        }
    };
    let words: [&[u8]; 5] = [b"SET", pair.key, text, b"PXAT", expire];
    show(&words[..if pair.expire.is_some() { 5 } else { 3 }])
}
