//! Glob patterns as Redis matches them: `*`, `?`, `[abc]`, `[a-z]`, `[^a]`, and
//! `\x` for a literal `x`.
//!
//! Redis's matcher recurses at every `*`, which an attacker turns into
//! exponential time. This one remembers only the last `*`: when what follows it
//! fails, that star swallows one byte more. The result is the same, since an
//! earlier star never needs to grow once a later one has been reached. A budget
//! of steps bounds even the quadratic rest: a match that exhausts it is a
//! mismatch. As in Redis, an empty text matches the empty pattern alone; that `*`
//! names everything is for the caller to know.

/// Steps one match may take; a 1 KiB name against any honest pattern needs a few
/// thousand, the quadratic worst case of 64 KiB against 64 KiB would need 4e9.
const STEPS_MAX: u32 = 10_000_000;

/// Whether letters of different case are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Sensitive,
    Insensitive,
}

/// Whether `text` matches `pattern` as a whole, case-sensitively.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    matches_case(pattern, text, Case::Sensitive)
}

/// Whether `text` matches `pattern` as a whole.
pub fn matches_case(pattern: &[u8], text: &[u8], case: Case) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut p, mut t) = (0, 0);
    // Where the last star stands, and how far it has swallowed.
    let mut star: Option<(usize, usize)> = None;
    for _ in 0..STEPS_MAX {
        if t == text.len() {
            return pattern[p..].iter().all(|&b| b == b'*');
        }
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            if p == pattern.len() {
                return true;
            }
            star = Some((p, t));
            continue;
        }
        match one(&pattern[p..], text[t], case) {
            Some(used) => {
                p += used;
                t += 1;
            }
            None => {
                let Some((after_star, swallowed)) = star else {
                    return false;
                };
                p = after_star;
                t = swallowed + 1;
                star = Some((after_star, t));
            }
        }
    }
    false
}

/// Matches one byte against the pattern's first item; the item's length if it
/// does.
fn one(pattern: &[u8], byte: u8, case: Case) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] => {
            let (hit, used) = class(rest, byte, case);
            hit.then_some(used + 1)
        }
        [b'\\', literal, ..] => same(*literal, byte, case).then_some(2),
        [literal, ..] => same(*literal, byte, case).then_some(1),
    }
}

/// Matches a character class whose `[` has been read: whether it holds `byte`,
/// and how many pattern bytes it took. An unclosed class ends with the pattern,
/// as in Redis.
fn class(pattern: &[u8], byte: u8, case: Case) -> (bool, usize) {
    let negated = pattern.first() == Some(&b'^');
    let mut i = usize::from(negated);
    let mut hit = false;
    while i < pattern.len() && pattern[i] != b']' {
        match &pattern[i..] {
            [b'\\', literal, ..] => {
                hit |= *literal == byte;
                i += 2;
            }
            [low, b'-', high, ..] => {
                hit |= in_range(*low, *high, byte, case);
                i += 3;
            }
            [literal, ..] => {
                hit |= same(*literal, byte, case);
                i += 1;
            }
            [] => break,
        }
    }
    (hit != negated, (i + 1).min(pattern.len()))
}

fn in_range(low: u8, high: u8, byte: u8, case: Case) -> bool {
    let fold = |b: u8| match case {
        Case::Sensitive => b,
        Case::Insensitive => b.to_ascii_lowercase(),
    };
    let (low, high) = (low.min(high), low.max(high));
    (fold(low)..=fold(high)).contains(&fold(byte))
}

fn same(a: u8, b: u8, case: Case) -> bool {
    match case {
        Case::Sensitive => a == b,
        Case::Insensitive => a.eq_ignore_ascii_case(&b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_forms_of_a_pattern() {
        for (pattern, text, want) in [
            ("*", "", false),
            ("**", "", false),
            ("", "", true),
            ("*", "a", true),
            ("a*", "a", true),
            ("", "a", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h*llo", "heeeello", true),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hello", false),
            ("h[^e]llo", "hbllo", true),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h\\?llo", "h?llo", true),
            ("h\\?llo", "hello", false),
            ("*foo*bar", "xfooyfoobar", true),
            ("*foo*bar", "xfooybaz", false),
            ("a**b", "axxb", true),
            ("[a", "a", true),
            ("[\\]]", "]", true),
            ("[]", "a", false),
            ("a\\", "a\\", true),
            ("**", "anything", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                want,
                "{pattern} ~ {text}"
            );
        }
    }

    #[test]
    fn case_can_be_ignored() {
        assert!(matches_case(b"MAX*", b"maxmemory", Case::Insensitive));
        assert!(!matches(b"MAX*", b"maxmemory"));
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = b"a*".repeat(400);
        let text = vec![b'a'; 60_000];
        let mut miss = pattern.clone();
        miss.push(b'b');
        assert!(matches(&pattern, &text));
        assert!(!matches(&miss, &text));
    }

    /// The textbook recursive matcher, exponential and obviously right.
    fn model(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|i| model(rest, &text[i..])),
            _ => match text {
                [] => false,
                [byte, tail @ ..] => one(pattern, *byte, Case::Sensitive)
                    .is_some_and(|used| model(&pattern[used..], tail)),
            },
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_recursive_matcher(pattern in "[ab*?\\[\\]^\\-]{0,8}", text in "[ab\\-]{0,8}") {
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            let want = model(pattern, text) && (pattern.is_empty() || !text.is_empty());
            prop_assert_eq!(matches(pattern, text), want);
        }
    }
}
