//! Splitting a line into arguments with Redis's quoting rules.
//!
//! One grammar serves inline commands and configuration files: words parted by
//! blanks; `"..."` with the escapes `\n \r \t \b \a \xHH` and `\` before anything
//! else; `'...'` with `\'` only; a closing quote must be followed by a blank or
//! the end.

/// The quotes of a line do not balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unbalanced;

/// Splits `line` into its arguments and hands each to `each`.
pub fn split(line: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), Unbalanced> {
    let mut rest = line;
    let mut word = Vec::new();
    loop {
        // Every blank that ends a word is skipped here, so each round gets further.
        let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
        rest = &rest[blanks..];
        // Redis stops at a NUL as C strings do.
        if rest.is_empty() || rest[0] == 0 {
            return Ok(());
        }
        word.clear();
        rest = one_word(rest, &mut word)?;
        each(&word);
    }
}

/// Reads one word into `word`; what follows it.
fn one_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        match rest {
            [] | [0, ..] => return Ok(rest),
            [b'"', tail @ ..] => return double_quoted(tail, word),
            [b'\'', tail @ ..] => return single_quoted(tail, word),
            [byte, ..] if ends_word(*byte) => return Ok(rest),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        rest = match rest {
            [] | [0, ..] => return Err(Unbalanced),
            [b'"', tail @ ..] => return after_quote(tail),
            [b'\\', b'x', high, low, tail @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(hex(*high) << 4 | hex(*low));
                tail
            }
            [b'\\', escaped, tail @ ..] => {
                word.push(unescape(*escaped));
                tail
            }
            [byte, tail @ ..] => {
                word.push(*byte);
                tail
            }
        }
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        rest = match rest {
            [] | [0, ..] => return Err(Unbalanced),
            [b'\\', b'\'', tail @ ..] => {
                word.push(b'\'');
                tail
            }
            [b'\'', tail @ ..] => return after_quote(tail),
            [byte, tail @ ..] => {
                word.push(*byte);
                tail
            }
        }
    }
}

/// A closing quote must end its word.
fn after_quote(rest: &[u8]) -> Result<&[u8], Unbalanced> {
    match rest {
        [byte, ..] if !is_blank(*byte) && *byte != 0 => Err(Unbalanced),
        _ => Ok(rest),
    }
}

/// What may stand between words: C's `isspace`.
pub fn is_blank(byte: u8) -> bool {
    ends_word(byte) || matches!(byte, 0x0b | 0x0c)
}

/// What ends a word that is not quoted: not all of the blanks do, as in Redis.
pub fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// A word as it stands in a line that [`split`] reads back: in quotes only where it must be.
pub fn quoted(word: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !word.is_empty() && word.iter().all(plain) {
        return word.to_vec();
    }
    let mut out = Vec::new();
    push_quoted(&mut out, word);
    out
}

/// Writes a word in quotes, as Redis shows arguments; what is not printable as an escape.
pub fn push_quoted(out: &mut Vec<u8>, word: &[u8]) {
    out.push(b'"');
    for &byte in word {
        let letter = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            7 => b'a',
            8 => b'b',
            b' '..=b'~' => {
                out.push(byte);
                continue;
            }
            _ => {
                let digits =
                    [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[digit as usize]);
                out.extend_from_slice(&[b'\\', b'x', digits[0], digits[1]]);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', letter]);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
        let mut out = Vec::new();
        split(line, |word| out.push(word.to_vec())).map(|()| out)
    }

    #[test]
    fn words_quotes_and_escapes() {
        for (line, want) in [
            (&b"set k v"[..], vec![&b"set"[..], b"k", b"v"]),
            (b"  set\tk  ", vec![b"set", b"k"]),
            (b"", vec![]),
            (b"   ", vec![]),
            (b"set k \"a b\"", vec![b"set", b"k", b"a b"]),
            (
                b"set k \"\\x00\\n\\\"\\q\"",
                vec![b"set", b"k", b"\x00\n\"q"],
            ),
            (b"set k 'a\\'b\\n'", vec![b"set", b"k", b"a'b\\n"]),
            (b"set k \"\"", vec![b"set", b"k", b""]),
            (b"foo\"bar\"", vec![b"foobar"]),
            (b"\x0ba\x0b\x0cb \x0b", vec![b"a\x0b\x0cb"]),
            (b"a \"\\xzz\"", vec![b"a", b"xzz"]),
        ] {
            let want: Vec<Vec<u8>> = want.into_iter().map(<[u8]>::to_vec).collect();
            assert_eq!(words(line), Ok(want), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn unbalanced_quotes_are_an_error() {
        for line in [
            &b"set k \"a"[..],
            b"set k 'a",
            b"\"a\"b",
            b"'a'b",
            b"\"a\\",
            b"\"",
        ] {
            assert_eq!(words(line), Err(Unbalanced), "{}", line.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_line_ends(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut words = 0;
            let _ = split(&line, |_| words += 1);
            prop_assert!(words <= line.len());
        }

        #[test]
        fn what_is_quoted_is_read_back(word in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut line = quoted(&word);
            line.push(b' ');
            push_quoted(&mut line, &word);
            prop_assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)));
            prop_assert_eq!(words(&line), Ok(vec![word.clone(), word]));
        }

        #[test]
        fn blanks_and_quotes_end(line in "[ \t\r\n\x0b\x0ca\"'\\\\x0]{0,40}") {
            let mut words = 0;
            let _ = split(line.as_bytes(), |_| words += 1);
            prop_assert!(words <= line.len());
        }
    }
}
