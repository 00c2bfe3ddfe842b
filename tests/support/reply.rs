//! A reply as it came: the parsed form for looking inside, the raw bytes for
//! comparing. Both are kept because two replies can mean the same and differ on
//! the wire (`$-1` and `_`), and that difference is what some tests are about.

use std::fmt;
use std::io::{self, BufRead, Read};

/// One reply of RESP2 or RESP3.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reply {
    /// `+text`
    Simple(Vec<u8>),
    /// `-text`
    Error(Vec<u8>),
    /// `:n`
    Integer(i64),
    /// `$len`
    Bulk(Vec<u8>),
    /// `$-1`, `*-1` and `_`
    Nil,
    /// `*n`
    Array(Vec<Reply>),
    /// `%n`, keys and values in turn
    Map(Vec<Reply>),
    /// `~n`
    Set(Vec<Reply>),
    /// `>n`
    Push(Vec<Reply>),
    /// `,text`, not parsed: its spelling is part of the contract
    Double(Vec<u8>),
    /// `#t` or `#f`
    Bool(bool),
    /// `(digits`
    BigNumber(Vec<u8>),
    /// `=len`, with its three-letter format
    Verbatim(Vec<u8>),
}

impl Reply {
    /// The number of an integer reply.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Reply::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The bytes of a string of any kind, an error's text among them.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Reply::Simple(text) | Reply::Error(text) | Reply::Bulk(text) => Some(text),
            Reply::Double(text) | Reply::BigNumber(text) | Reply::Verbatim(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of a string, replaced where they are not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes().unwrap_or_default()).into_owned()
    }

    /// The elements of an array, a map, a set or a push.
    pub fn items(&self) -> &[Reply] {
        match self {
            Reply::Array(items) | Reply::Map(items) => items,
            Reply::Set(items) | Reply::Push(items) => items,
            _ => &[],
        }
    }

    /// Whether this is an error reply.
    pub fn is_error(&self) -> bool {
        matches!(self, Reply::Error(_))
    }
}

/// A reply with the bytes it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the bytes mean.
    pub reply: Reply,
    /// The bytes, header lines and CRLF included.
    pub raw: Vec<u8>,
}

impl Answer {
    /// Reads one reply. Blocks until it is whole.
    ///
    /// # Errors
    /// What reading yields; `UnexpectedEof` when the peer closes, `InvalidData`
    /// for bytes that are no reply.
    pub fn read(input: &mut impl BufRead) -> io::Result<Self> {
        let mut raw = Vec::new();
        let reply = read_value(input, &mut raw)?;
        Ok(Self { reply, raw })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&escape(&self.raw))
    }
}

fn read_value(input: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<Reply> {
    let line = read_line(input, raw)?;
    let (kind, rest) = line.split_first().ok_or_else(|| not_resp(&line))?;
    let rest = rest.to_vec();
    Ok(match kind {
        b'+' => Reply::Simple(rest),
        b'-' => Reply::Error(rest),
        b':' => Reply::Integer(number(&rest)?),
        b',' => Reply::Double(rest),
        b'(' => Reply::BigNumber(rest),
        b'#' => Reply::Bool(rest == b"t"),
        b'_' => Reply::Nil,
        b'$' => match number(&rest)? {
            -1 => Reply::Nil,
            length => Reply::Bulk(read_body(input, raw, length)?),
        },
        b'=' => Reply::Verbatim(read_body(input, raw, number(&rest)?)?),
        b'*' => match number(&rest)? {
            -1 => Reply::Nil,
            count => Reply::Array(read_values(input, raw, count)?),
        },
        b'%' => Reply::Map(read_values(input, raw, 2 * number(&rest)?)?),
        b'~' => Reply::Set(read_values(input, raw, number(&rest)?)?),
        b'>' => Reply::Push(read_values(input, raw, number(&rest)?)?),
        _ => return Err(not_resp(&line)),
    })
}

fn read_values(input: &mut impl BufRead, raw: &mut Vec<u8>, count: i64) -> io::Result<Vec<Reply>> {
    (0..count).map(|_| read_value(input, raw)).collect()
}

/// One line without its CRLF; `raw` gets it whole.
fn read_line(input: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let start = raw.len();
    input.read_until(b'\n', raw)?;
    match raw[start..].strip_suffix(b"\r\n") {
        Some(line) => Ok(line.to_vec()),
        None if raw.ends_with(b"\n") => Err(not_resp(&raw[start..])),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// The `length` bytes of a bulk; `raw` gets them and the CRLF behind them.
fn read_body(input: &mut impl BufRead, raw: &mut Vec<u8>, length: i64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(length).map_err(|_| not_resp(raw))?;
    let start = raw.len();
    let got = input.by_ref().take(length as u64 + 2).read_to_end(raw)?;
    if got < length + 2 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if !raw.ends_with(b"\r\n") {
        return Err(not_resp(&raw[start..]));
    }
    Ok(raw[start..start + length].to_vec())
}

fn number(digits: &[u8]) -> io::Result<i64> {
    let text = std::str::from_utf8(digits).map_err(|_| not_resp(digits))?;
    text.parse().map_err(|_| not_resp(digits))
}

fn not_resp(bytes: &[u8]) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("not RESP: {}", escape(bytes)),
    )
}

/// Bytes in a form that a terminal shows, cut after a few hundred.
pub fn escape(bytes: &[u8]) -> String {
    const SHOWN_MAX: usize = 400;
    let shown = &bytes[..bytes.len().min(SHOWN_MAX)];
    let mut text = shown.escape_ascii().to_string();
    if bytes.len() > SHOWN_MAX {
        text.push_str(&format!("... ({} bytes)", bytes.len()));
    }
    text
}
