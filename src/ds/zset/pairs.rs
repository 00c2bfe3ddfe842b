//! A small sorted set: one packed sequence of member, score, member, score, in order.
//!
//! Scores are the texts that Redis puts into its listpacks, integers as integers, so
//! that a dump is a copy. Everything here is linear in the sequence, which the limits
//! keep short.

use super::Entry;
use crate::base::float;
use crate::ds::packed::{Elem, Iter, Needle, Packed, Pos, distinct};

/// The score that an entry stands for; `None` if it is no number.
pub fn parse_score(elem: Elem<'_>) -> Option<f64> {
    match elem {
        Elem::Int(int) => Some(int as f64),
        Elem::Str(text) => float::parse_f64(text),
    }
}

/// As [`parse_score`], of an entry that this file or [`is_valid`] has seen.
fn score_of(elem: Elem<'_>) -> f64 {
    parse_score(elem).unwrap_or_default()
}

/// Whether a sequence that comes from outside is a sorted set: pairs with scores, in
/// order, no member twice.
pub fn is_valid(packed: &Packed) -> bool {
    is_in_order(packed) && distinct(packed.iter().step_by(2))
}

fn is_in_order(packed: &Packed) -> bool {
    let mut elems = packed.iter();
    let mut last: Option<(f64, Elem<'_>)> = None;
    while let Some(member) = elems.next() {
        let Some(score) = elems.next().and_then(parse_score) else {
            return false;
        };
        if last.is_some_and(|last| !comes_before(last, (score, member))) {
            return false;
        }
        last = Some((score, member));
    }
    true
}

fn comes_before((score, member): (f64, Elem<'_>), (next, behind): (f64, Elem<'_>)) -> bool {
    let texts = || member.with_bytes(|text| behind.with_bytes(|behind| text < behind));
    score < next || score == next && texts()
}

/// The elements from one place on, from either end.
#[derive(Clone, Debug)]
pub struct Pairs<'a>(Iter<'a>);

impl<'a> Iterator for Pairs<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        let member = self.0.next()?;
        let score = score_of(self.0.next()?);
        Some(Entry { member, score })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.0.len() / 2;
        (left, Some(left))
    }
}

impl DoubleEndedIterator for Pairs<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let score = score_of(self.0.next_back()?);
        let member = self.0.next_back()?;
        Some(Entry { member, score })
    }
}

/// The elements from rank `start` on.
pub fn from(packed: &Packed, start: usize) -> Pairs<'_> {
    Pairs(packed.iter_from(2 * start))
}

/// The elements before rank `end`.
pub fn to(packed: &Packed, end: usize) -> Pairs<'_> {
    Pairs(packed.iter_to(2 * end))
}

/// An element that was looked for.
pub struct Found {
    pub rank: usize,
    pub score: f64,
    at: Pos,
}

/// The element with this text.
pub fn find(packed: &Packed, member: &[u8]) -> Option<Found> {
    let needle = Needle::new(member);
    let mut at = packed.first();
    let mut rank = 0;
    while let Some(pos) = at {
        let score_at = packed.next(pos)?;
        if packed.get(pos).matches(&needle) {
            let score = score_of(packed.get(score_at));
            return Some(Found {
                rank,
                score,
                at: pos,
            });
        }
        at = packed.next(score_at);
        rank += 1;
    }
    None
}

/// Takes out an element that was found.
pub fn remove(packed: &mut Packed, found: &Found) {
    packed.remove(found.at);
    packed.remove(found.at);
}

/// The text that stands for a score; as in Redis, a zero loses its sign here.
fn score_text(score: f64) -> Vec<u8> {
    let mut text = Vec::new();
    float::push_f64(&mut text, if score == 0.0 { 0.0 } else { score });
    text
}

/// Puts an element that is not there in its place.
pub fn insert(packed: &mut Packed, member: &[u8], score: f64) {
    let text = score_text(score);
    let mut at = packed.first();
    while let Some(pos) = at {
        let Some(score_at) = packed.next(pos) else {
            break;
        };
        let other = score_of(packed.get(score_at));
        let is_later =
            score < other || score == other && packed.get(pos).with_bytes(|other| member < other);
        if is_later {
            packed.insert_before(pos, &text);
            packed.insert_before(pos, member);
            return;
        }
        at = packed.next(score_at);
    }
    packed.push_back(member);
    packed.push_back(&text);
}

/// Appends an element that comes behind all others.
pub fn push(packed: &mut Packed, member: &[u8], score: f64) {
    packed.push_back(member);
    packed.push_back(&score_text(score));
}

/// How many elements from the start satisfy `before`, which holds up to some element
/// and not beyond.
pub fn partition(packed: &Packed, mut before: impl FnMut(&Entry<'_>) -> bool) -> usize {
    from(packed, 0).take_while(|entry| before(entry)).count()
}
