//! Replies as lines that people can read, and their comparison.
//!
//! Every element of a reply is one line, as it is on the wire: `+OK`, `-ERR ...`,
//! `:1`, `$-1`, `*-1`, `_`, `#t`, `,1.5`, and the headers `*2`, `%1`, `~3`, `>2`,
//! whose elements follow, indented. Only strings differ: `"text"` stands for
//! `$4`, `text`, with the bytes that are not printable escaped, and `="txt:..."`
//! for a verbatim string.
//!
//! An expected line may also be
//!
//! - `:10..20`, an integer between these, both included;
//! - `like PATTERN`, where `*` stands for anything;
//! - `any`, one line whatever it is; alone, a whole reply that is no error;
//! - `unordered`, as the first: the lines that follow in any order.

/// Lets the lines that follow come in any order.
pub const UNORDERED: &str = "unordered";

/// The lines of one reply.
///
/// # Panics
/// When `raw` is not a whole reply.
pub fn lines(raw: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let rest = push_value(raw, 0, &mut lines);
    assert!(rest.is_empty(), "more than a reply");
    lines
}

/// Renders the first value of `raw` and returns what follows it.
fn push_value<'a>(raw: &'a [u8], depth: usize, lines: &mut Vec<String>) -> &'a [u8] {
    let end = raw.windows(2).position(|two| two == b"\r\n");
    let end = end.expect("a reply has whole lines");
    let (head, mut rest) = (&raw[..end], &raw[end + 2..]);
    let count = std::str::from_utf8(&head[1..]).ok();
    let count = count.and_then(|digits| digits.parse::<usize>().ok());
    let indent = "  ".repeat(depth);
    match (head[0], count) {
        (kind @ (b'$' | b'='), Some(len)) => {
            let mark = if kind == b'=' { "=" } else { "" };
            lines.push(format!("{indent}{mark}\"{}\"", escaped(&rest[..len])));
            rest = &rest[len + 2..];
        }
        (kind @ (b'*' | b'~' | b'>' | b'%'), Some(count)) => {
            lines.push(format!("{indent}{}", escaped(head)));
            let elements = if kind == b'%' { 2 * count } else { count };
            for _ in 0..elements {
                rest = push_value(rest, depth + 1, lines);
            }
        }
        _ => lines.push(format!("{indent}{}", String::from_utf8_lossy(head))),
    }
    rest
}

fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\'", "'")
}

/// Whether the lines of a reply are what the script expects.
pub fn matches(expected: &[String], got: &[String]) -> bool {
    let got: Vec<&str> = got.iter().map(|line| line.trim()).collect();
    let expected: Vec<&str> = expected.iter().map(|line| line.trim()).collect();
    match expected.as_slice() {
        ["any"] => got.first().is_some_and(|line| !line.starts_with('-')),
        [UNORDERED, rest @ ..] => {
            let mut got = got;
            let mut rest = rest.to_vec();
            got.sort_unstable();
            rest.sort_unstable();
            all_match(&rest, &got)
        }
        lines => all_match(lines, &got),
    }
}

fn all_match(expected: &[&str], got: &[&str]) -> bool {
    expected.len() == got.len() && expected.iter().zip(got).all(|(e, g)| line_matches(e, g))
}

fn line_matches(expected: &str, got: &str) -> bool {
    if expected == got || expected == "any" {
        return true;
    }
    if let Some(pattern) = expected.strip_prefix("like ") {
        return glob(pattern, got);
    }
    in_range(expected, got).unwrap_or(false)
}

fn in_range(expected: &str, got: &str) -> Option<bool> {
    let (low, high) = expected.strip_prefix(':')?.split_once("..")?;
    let range = low.parse::<i64>().ok()?..=high.parse::<i64>().ok()?;
    Some(range.contains(&got.strip_prefix(':')?.parse().ok()?))
}

/// Whether `text` is `pattern`, in which `*` stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(head) else {
        return false;
    };
    (0..=rest.len()).any(|at| rest.is_char_boundary(at) && glob(tail, &rest[at..]))
}

#[test]
fn notation_reads_replies() {
    let raw = b"*3\r\n$4\r\na\"\r\n\r\n%1\r\n+k\r\n#t\r\n*-1\r\n";
    let want = [
        "*3",
        "  \"a\\\"\\r\\n\"",
        "  %1",
        "    +k",
        "    #t",
        "  *-1",
    ];
    assert_eq!(lines(raw), want);
}

#[test]
fn notation_matches_what_it_should_only() {
    let check = |expected: &[&str], got: &[&str]| {
        let owned = |lines: &[&str]| lines.iter().map(|l| l.to_string()).collect::<Vec<_>>();
        matches(&owned(expected), &owned(got))
    };
    assert!(check(&["any"], &["*1", ":1"]) && !check(&["any"], &["-ERR x"]));
    assert!(check(&[":1..5"], &[":5"]) && !check(&[":1..5"], &[":6"]));
    assert!(check(&["like \"*b*\""], &["\"abc\""]) && !check(&["like \"*b\""], &["\"abc\""]));
    assert!(check(&["unordered", "*2", ":1", ":2"], &["*2", ":2", ":1"]));
    assert!(!check(&["*2", ":1", ":2"], &["*2", ":2", ":1"]) && !check(&[], &["+OK"]));
}
