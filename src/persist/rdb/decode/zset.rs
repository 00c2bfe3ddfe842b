//! Sorted sets: members with scores in any order, or packed in theirs.

use std::cmp::Ordering;

use crate::base::float;
use crate::ds::packed::{Elem, Packed, distinct};
use crate::ds::zset::{Limits, ZSet};
use crate::persist::rdb::packed::{self, Form};
use crate::persist::rdb::read::Source;
use crate::persist::rdb::{Error, kind};

type Element = (f64, Vec<u8>);

/// The sorted set of this kind. O(n log n).
pub(super) fn read<S: Source>(source: &mut S, kind: u8, limits: Limits) -> Result<ZSet, Error> {
    match kind {
        kind::ZSET => elements(source, 2, limits, S::score_text),
        kind::ZSET_2 => elements(source, 9, limits, S::score),
        kind::ZSET_ZIPLIST => pairs(packed::read(source, Form::Ziplist)?, limits),
        _ => pairs(packed::read(source, Form::Listpack)?, limits),
    }
}

/// Elements one by one, each of at least so many bytes.
fn elements<S: Source>(
    source: &mut S,
    bytes_min: usize,
    limits: Limits,
    score: impl Fn(&mut S) -> Result<f64, Error>,
) -> Result<ZSet, Error> {
    let mut elements: Vec<Element> = Vec::new();
    for _ in 0..source.count(bytes_min)? {
        let member = source.text()?.with(<[u8]>::to_vec);
        elements.push((score(source)?, member));
    }
    sorted(elements, limits)
}

fn sorted(mut elements: Vec<Element>, limits: Limits) -> Result<ZSet, Error> {
    elements.sort_unstable_by(|(a, x), (b, y)| {
        let by_score = a.partial_cmp(b).unwrap_or(Ordering::Equal);
        by_score.then_with(|| x.cmp(y))
    });
    if !distinct(elements.iter().map(|(_, member)| Elem::Str(member))) {
        return Err(Error::Duplicate);
    }
    Ok(ZSet::from_sorted(&elements, limits))
}

/// Members and scores by turns: as they are if the set may be kept so.
fn pairs(packed: Packed, limits: Limits) -> Result<ZSet, Error> {
    if packed.len() % 2 == 1 {
        return Err(Error::Packed);
    }
    let mut members = packed.iter().step_by(2);
    let fits = members.len() <= limits.entries;
    if fits && members.all(|member| member.text_len() <= limits.value) {
        return ZSet::from_listpack(packed).ok_or(Error::Packed);
    }
    let mut elems = packed.iter();
    let mut elements = Vec::new();
    while let (Some(member), Some(score)) = (elems.next(), elems.next()) {
        let member = member.with_bytes(<[u8]>::to_vec);
        elements.push((number(score).ok_or(Error::Score)?, member));
    }
    sorted(elements, limits)
}

fn number(elem: Elem<'_>) -> Option<f64> {
    match elem {
        Elem::Int(int) => Some(int as f64),
        Elem::Str(text) => float::parse_f64(text),
    }
}
