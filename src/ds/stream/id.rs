//! The id of an entry: a time in milliseconds and a number within it, in one
//! order; and how Redis reads such ids from text.

use std::fmt;

use crate::base::num;

/// Longest text of an id that is looked at, as in Redis.
const TEXT_MAX: usize = 127;
/// Longest text that an id has: two numbers of 20 digits and a dash.
const PRINTED_MAX: usize = 41;

/// The id of a stream's entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    pub ms: u64,
    pub seq: u64,
}

impl StreamId {
    /// The least id, which no entry has.
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    /// The greatest id.
    pub const MAX: StreamId = StreamId {
        ms: u64::MAX,
        seq: u64::MAX,
    };

    /// The id of these parts.
    pub fn new(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    /// The least id above this one.
    pub fn next(self) -> Option<StreamId> {
        match (self.ms, self.seq) {
            (u64::MAX, u64::MAX) => None,
            (ms, u64::MAX) => Some(StreamId::new(ms + 1, 0)),
            (ms, seq) => Some(StreamId::new(ms, seq + 1)),
        }
    }

    /// The greatest id below this one.
    pub fn prev(self) -> Option<StreamId> {
        match (self.ms, self.seq) {
            (0, 0) => None,
            (ms, 0) => Some(StreamId::new(ms - 1, u64::MAX)),
            (ms, seq) => Some(StreamId::new(ms, seq - 1)),
        }
    }

    /// The id as 16 bytes that sort as ids do.
    pub fn to_bytes(self) -> [u8; 16] {
        let whole = u128::from(self.ms) << 64 | u128::from(self.seq);
        whole.to_be_bytes()
    }

    /// The id that [`StreamId::to_bytes`] gave.
    pub fn from_bytes(bytes: [u8; 16]) -> StreamId {
        let whole = u128::from_be_bytes(bytes);
        StreamId::new((whole >> 64) as u64, whole as u64)
    }

    /// Calls `with` with the id's text, without allocating.
    #[inline]
    pub fn with_text<R>(self, with: impl FnOnce(&[u8]) -> R) -> R {
        let mut text = [0; PRINTED_MAX];
        let mut digits = itoa::Buffer::new();
        let ms = digits.format(self.ms).as_bytes();
        let dash = ms.len();
        text[..dash].copy_from_slice(ms);
        text[dash] = b'-';
        let seq = digits.format(self.seq).as_bytes();
        let end = dash + 1 + seq.len();
        text[dash + 1..end].copy_from_slice(seq);
        with(&text[..end])
    }

    /// The id's text.
    pub fn to_text(self) -> Vec<u8> {
        self.with_text(<[u8]>::to_vec)
    }

    /// Reads `ms-seq`, or `ms` alone, which stands for the number `missing_seq`
    /// within it.
    pub fn parse(text: &[u8], missing_seq: u64) -> Option<StreamId> {
        let (ms, seq) = halves(text)?;
        let seq = match seq {
            Some(seq) => parse_number(seq)?,
            None => missing_seq,
        };
        Some(StreamId::new(parse_number(ms)?, seq))
    }

    /// As [`StreamId::parse`], where `-` stands for the least id and `+` for the
    /// greatest.
    pub fn parse_edge(text: &[u8], missing_seq: u64) -> Option<StreamId> {
        match text {
            b"-" => Some(StreamId::MIN),
            b"+" => Some(StreamId::MAX),
            _ => StreamId::parse(text, missing_seq),
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// What an entry's id is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewId {
    /// `*`: by the clock.
    Auto,
    /// `ms-*`: the next number within that time.
    Within(u64),
    /// This one.
    Exact(StreamId),
}

impl NewId {
    /// Reads what XADD takes for an id.
    pub fn parse(text: &[u8]) -> Option<NewId> {
        if text == b"*" {
            return Some(NewId::Auto);
        }
        match halves(text)? {
            (ms, Some(b"*")) => Some(NewId::Within(parse_number(ms)?)),
            _ => StreamId::parse(text, 0).map(NewId::Exact),
        }
    }
}

/// The parts before and behind the first dash. Redis reads a C string: a NUL ends
/// the text.
fn halves(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let text = text.split(|&byte| byte == 0).next()?;
    Some(match text.iter().position(|&byte| byte == b'-') {
        Some(dash) => (&text[..dash], Some(&text[dash + 1..])),
        None => (text, None),
    })
}

/// A number as Redis reads it: canonical and not negative, or else whatever C's
/// strtoull takes, which is blanks, a sign (a negative number counts down from
/// 2^64) and leading zeros.
fn parse_number(text: &[u8]) -> Option<u64> {
    if let Some(number) = num::parse_i64(text) {
        return u64::try_from(number).ok();
    }
    let start = text.iter().position(|byte| !is_blank(*byte));
    let text = &text[start.unwrap_or(text.len())..];
    let negative = text.starts_with(b"-");
    let digits = &text[usize::from(negative || text.starts_with(b"+"))..];
    if digits.is_empty() {
        return None;
    }
    let number = digits.iter().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })?;
    Some(if negative {
        number.wrapping_neg()
    } else {
        number
    })
}

/// What C's isspace calls a blank.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_redis_reads_them() {
        let max = u64::MAX.to_string();
        let cases: [(&str, Option<StreamId>); 18] = [
            ("5", Some(StreamId::new(5, 9))),
            ("5-3", Some(StreamId::new(5, 3))),
            ("0-0", Some(StreamId::MIN)),
            (&format!("{max}-{max}"), Some(StreamId::MAX)),
            ("18446744073709551616", None),
            ("05-03", Some(StreamId::new(5, 3))),
            (" 5-+3", Some(StreamId::new(5, 3))),
            ("5--03", Some(StreamId::new(5, 3u64.wrapping_neg()))),
            ("5--3", None),
            ("5- ", None),
            ("5-3 ", None),
            ("-5", None),
            ("", None),
            ("-", None),
            ("5-", None),
            ("5-3-1", None),
            ("5-3\0junk", Some(StreamId::new(5, 3))),
            (&"0".repeat(128), None),
        ];
        for (text, want) in cases {
            assert_eq!(StreamId::parse(text.as_bytes(), 9), want, "{text:?}");
        }
        assert_eq!(StreamId::parse_edge(b"-", 0), Some(StreamId::MIN));
        assert_eq!(StreamId::parse_edge(b"+", 0), Some(StreamId::MAX));
        assert_eq!(NewId::parse(b"*"), Some(NewId::Auto));
        assert_eq!(NewId::parse(b"7-*"), Some(NewId::Within(7)));
        assert_eq!(NewId::parse(b"7-**"), None);
        assert_eq!(NewId::parse(b"7"), Some(NewId::Exact(StreamId::new(7, 0))));
    }

    #[test]
    fn neighbours_text_and_bytes() {
        let edge = StreamId::new(4, u64::MAX);
        assert_eq!(edge.next(), Some(StreamId::new(5, 0)));
        assert_eq!(StreamId::new(5, 0).prev(), Some(edge));
        assert_eq!((StreamId::MIN.prev(), StreamId::MAX.next()), (None, None));
        for id in [StreamId::MIN, edge, StreamId::MAX, StreamId::new(1, 2)] {
            assert_eq!(id.to_text(), id.to_string().as_bytes());
            assert_eq!(StreamId::parse(&id.to_text(), 0), Some(id));
            assert_eq!(StreamId::from_bytes(id.to_bytes()), id);
        }
        assert!(edge.to_bytes() < StreamId::new(5, 0).to_bytes());
    }
}
