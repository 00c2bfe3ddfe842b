//! One record of a file of commands: where it ends, or why it is none.
//!
//! As strict as redis-check-aof, whose words the reasons are: a loader that lets things
//! pass would run what was never written.

use std::fmt;
use std::ops::Range;

use memchr::memchr;

use super::record::ANNOTATION_MAX;

/// Digits of a count or a length.
const DIGITS_MAX: usize = 18;
/// Most arguments of a command, as in Redis.
const ARGS_MAX: u64 = i32::MAX as u64;

/// What the bytes begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A record of `len` bytes.
    Record { len: usize, kind: Kind },
    /// The beginning of one; all is well so far.
    More,
    /// Something else.
    Bad(Flaw),
}

/// What a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Annotation,
    Command {
        args: usize,
        /// Where its name stands.
        name: Range<usize>,
    },
}

/// Where and why bytes are not a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Bytes before it that were in order.
    pub at: usize,
    /// Lines before it, as redis-check-aof counts them.
    pub lines: usize,
    pub reason: Reason,
}

/// See [`Flaw`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It begins like nothing that stands in such a file.
    Start,
    Prefix {
        want: u8,
        got: u8,
    },
    Newline {
        got: [u8; 2],
    },
    Count,
    LongAnnotation,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Start => f.write_str("format error"),
            Reason::Prefix { want, got } => write!(
                f,
                "Expected prefix '{}', got: '{}'",
                char::from(*want),
                got.escape_ascii()
            ),
            Reason::Newline { got: [a, b] } => {
                write!(f, "Expected \\r\\n, got: {a:02x}{b:02x}")
            }
            Reason::Count => f.write_str("a command without arguments"),
            Reason::LongAnnotation => f.write_str("an annotation that is too long"),
        }
    }
}

/// Why reading a part stops.
enum Stop {
    More,
    Bad(usize, Reason),
}

/// Looks at the record at the start of `bytes`. O(its length).
pub fn parse(bytes: &[u8]) -> Parsed {
    let mut lines = 0;
    let result = match bytes.first() {
        None => return Parsed::More,
        Some(b'#') => annotation(bytes),
        Some(b'*') => command(bytes, &mut lines),
        Some(_) => Err(Stop::Bad(0, Reason::Start)),
    };
    match result {
        Ok((len, kind)) => Parsed::Record { len, kind },
        Err(Stop::More) => Parsed::More,
        Err(Stop::Bad(at, reason)) => Parsed::Bad(Flaw { at, lines, reason }),
    }
}

fn annotation(bytes: &[u8]) -> Result<(usize, Kind), Stop> {
    let window = &bytes[..bytes.len().min(ANNOTATION_MAX)];
    match memchr(b'\n', window) {
        Some(end) => Ok((end + 1, Kind::Annotation)),
        None if bytes.len() >= ANNOTATION_MAX => Err(Stop::Bad(0, Reason::LongAnnotation)),
        None => Err(Stop::More),
    }
}

fn command(bytes: &[u8], lines: &mut usize) -> Result<(usize, Kind), Stop> {
    let (args, mut at) = number_line(bytes, 0, b'*')?;
    *lines += 1;
    if args == 0 || args > ARGS_MAX {
        return Err(Stop::Bad(0, Reason::Count));
    }
    let mut name = 0..0;
    for nth in 0..args {
        let (len, start) = number_line(bytes, at, b'$')?;
        *lines += 1;
        let end = start.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
        // Compared this way round, an impossible length is one that never arrives.
        if bytes.len() < end.saturating_add(2) {
            return Err(match bytes.get(end) {
                Some(&byte) if byte != b'\r' => newline_at(bytes, end),
                _ => Stop::More,
            });
        }
        if &bytes[end..end + 2] != b"\r\n" {
            return Err(newline_at(bytes, end));
        }
        *lines += 1;
        if nth == 0 {
            name = start..end;
        }
        at = end + 2;
    }
    let args = args as usize;
    Ok((at, Kind::Command { args, name }))
}

/// The number behind `marker` and where the next line begins.
#[inline]
fn number_line(bytes: &[u8], at: usize, marker: u8) -> Result<(u64, usize), Stop> {
    let Some(&got) = bytes.get(at) else {
        return Err(Stop::More);
    };
    if got != marker {
        let want = marker;
        return Err(Stop::Bad(at, Reason::Prefix { want, got }));
    }
    let mut number = 0u64;
    let mut end = at + 1;
    while let Some(digit) = bytes.get(end).map(|byte| byte.wrapping_sub(b'0')) {
        if digit > 9 || end - at > DIGITS_MAX {
            break;
        }
        number = number * 10 + u64::from(digit);
        end += 1;
    }
    match (bytes.get(end), bytes.get(end + 1)) {
        (Some(b'\r'), Some(b'\n')) if end > at + 1 => Ok((number, end + 2)),
        (None, _) => Err(Stop::More),
        (Some(b'\r'), None) if end > at + 1 => Err(Stop::More),
        _ => Err(newline_at(bytes, end)),
    }
}

fn newline_at(bytes: &[u8], at: usize) -> Stop {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let got = [byte(at), byte(at + 1)];
    Stop::Bad(at, Reason::Newline { got })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\nv\n\r\n";

    fn flaw(bytes: &[u8]) -> Flaw {
        match parse(bytes) {
            Parsed::Bad(flaw) => flaw,
            other => panic!("{other:?} for {}", bytes.escape_ascii()),
        }
    }

    #[test]
    fn records_end_where_they_end() {
        let mut two = SET.to_vec();
        two.extend_from_slice(b"#TS:1\r\n");
        let kind = Kind::Command {
            args: 3,
            name: 8..11,
        };
        assert_eq!(
            parse(&two),
            Parsed::Record {
                len: SET.len(),
                kind
            }
        );
        let kind = Kind::Annotation;
        assert_eq!(parse(&two[SET.len()..]), Parsed::Record { len: 7, kind });
    }

    #[test]
    fn every_beginning_of_a_record_is_one() {
        for cut in 0..SET.len() {
            assert_eq!(parse(&SET[..cut]), Parsed::More, "{cut}");
        }
        assert_eq!(parse(b"#TS:17"), Parsed::More);
        assert_eq!(parse(b"*1\r\n$999999999999999999\r\nx"), Parsed::More);
    }

    #[test]
    fn what_is_no_record_is_told_apart() {
        assert_eq!(flaw(b"!!!").reason, Reason::Start);
        assert_eq!(flaw(b"*0\r\n").reason, Reason::Count);
        assert_eq!(flaw(b"*-1\r\n").at, 1);
        assert_eq!(
            flaw(b"*1\r\n:3\r\n").reason.to_string(),
            "Expected prefix '$', got: ':'"
        );
        let late = flaw(b"*1\r\n$3\r\nSETx");
        assert_eq!((late.at, late.lines), (11, 2));
        assert_eq!(late.reason.to_string(), "Expected \\r\\n, got: 7800");
        assert_eq!(flaw(b"*1\n$").at, 2);
        assert_eq!(flaw(&[b'#'; ANNOTATION_MAX]).reason, Reason::LongAnnotation);
        assert_eq!(flaw(b"*12345678901234567890\r\n").at, DIGITS_MAX + 1);
    }
}
