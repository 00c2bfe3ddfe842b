//! The order of SORT: by numbers or texts, of the elements themselves or of what other
//! keys hold for them.

use std::cmp::Ordering;
use std::ops::Range;

use bytes::Bytes;

use crate::base::float;
use crate::command::error::Error;
use crate::ds::packed::Elem;

const NOT_DOUBLES: Error = Error::text("ERR One or more scores can't be converted into double");

/// How elements are put in order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Order {
    pub descending: bool,
    /// By bytes rather than numbers.
    pub alpha: bool,
}

impl Order {
    /// The elements of a range of the sorted order. O(N + M log M) for a range that
    /// ends with the first M.
    pub fn of_elems<'a>(
        self,
        elems: Vec<Elem<'a>>,
        range: Range<usize>,
    ) -> Result<Vec<Elem<'a>>, Error> {
        if self.alpha {
            let mut elems = elems;
            self.arrange(&mut elems, &range, |a, b| by_text(*a, *b));
            return Ok(elems.split_off(range.start));
        }
        let scores = elems.into_iter().map(|elem| Ok((score_of(elem)?, elem)));
        self.by_score(scores.collect::<Result<_, Error>>()?, range)
    }

    /// As [`Order::of_elems`], by the numbers that `weight` gives; 0 without one.
    pub fn by_number<'a>(
        self,
        elems: Vec<Elem<'a>>,
        range: Range<usize>,
        mut weight: impl FnMut(Elem<'a>) -> Result<Option<f64>, Error>,
    ) -> Result<Vec<Elem<'a>>, Error> {
        let weighed = |elem| Ok((weight(elem)?.unwrap_or(0.0), elem));
        let scores = elems.into_iter().map(weighed);
        self.by_score(scores.collect::<Result<_, Error>>()?, range)
    }

    /// As [`Order::of_elems`], by the texts that `weight` gives; those without one come
    /// first, and equal ones stay in their order.
    pub fn by_text<'a, E>(
        self,
        elems: Vec<Elem<'a>>,
        range: Range<usize>,
        mut weight: impl FnMut(Elem<'a>) -> Result<Option<Bytes>, E>,
    ) -> Result<Vec<Elem<'a>>, E> {
        let weighed = elems.into_iter().map(|elem| Ok((weight(elem)?, elem)));
        let mut weighed = weighed.collect::<Result<Vec<_>, E>>()?;
        weighed.sort_by(|(a, _), (b, _)| self.directed(a.cmp(b)));
        let wanted = weighed.drain(range);
        Ok(wanted.map(|(_, elem)| elem).collect())
    }

    fn by_score<'a>(
        self,
        mut scores: Vec<(f64, Elem<'a>)>,
        range: Range<usize>,
    ) -> Result<Vec<Elem<'a>>, Error> {
        self.arrange(&mut scores, &range, |(a, x), (b, y)| {
            let by_number = a.partial_cmp(b).unwrap_or(Ordering::Equal);
            by_number.then_with(|| by_text(*x, *y))
        });
        let wanted = scores.drain(range);
        Ok(wanted.map(|(_, elem)| elem).collect())
    }

    /// Sorts the first `range.end` of `items` and drops the others.
    fn arrange<T>(
        self,
        items: &mut Vec<T>,
        range: &Range<usize>,
        compare: impl Fn(&T, &T) -> Ordering,
    ) {
        let compare = |a: &T, b: &T| self.directed(compare(a, b));
        if range.end < items.len() {
            items.select_nth_unstable_by(range.end, compare);
            items.truncate(range.end);
        }
        items.sort_unstable_by(compare);
    }

    fn directed(self, order: Ordering) -> Ordering {
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }
}

fn by_text(a: Elem<'_>, b: Elem<'_>) -> Ordering {
    match (a, b) {
        (Elem::Str(a), Elem::Str(b)) => a.cmp(b),
        (a, b) => a.with_bytes(|a| b.with_bytes(|b| a.cmp(b))),
    }
}

fn score_of(elem: Elem<'_>) -> Result<f64, Error> {
    match elem {
        Elem::Int(int) => Ok(int as f64),
        Elem::Str(text) => score(text),
    }
}

/// A number as C's strtod reads it for Redis: up to a NUL, behind blanks, and nothing at
/// all as 0.
pub fn score(text: &[u8]) -> Result<f64, Error> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Ok(0.0);
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | 0x09..=0x0d);
    let blanks = text.iter().take_while(|byte| is_blank(byte)).count();
    float::parse_f64(&text[blanks..]).ok_or(NOT_DOUBLES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_what_c_reads() {
        for (text, want) in [
            ("", Some(0.0)),
            ("  1.5", Some(1.5)),
            ("1\0x", Some(1.0)),
            ("0x10", Some(16.0)),
            ("-inf", Some(f64::NEG_INFINITY)),
            (" ", None),
            ("1 ", None),
            ("nan", None),
            ("1e999", None),
        ] {
            assert_eq!(score(text.as_bytes()).ok(), want, "{text:?}");
        }
    }

    #[test]
    fn a_range_is_cut_out_of_the_whole_order() {
        let numbers: Vec<Elem<'_>> = (0..100).map(|i| Elem::Int(i * 37 % 100)).collect();
        for descending in [false, true] {
            let order = Order {
                descending,
                alpha: false,
            };
            let whole = order.of_elems(numbers.clone(), 0..100).expect("numbers");
            let part = order.of_elems(numbers.clone(), 10..20).expect("numbers");
            assert_eq!(part, whole[10..20]);
            let first = if descending { 99 } else { 0 };
            assert_eq!(whole[0], Elem::Int(first));
        }
    }
}
