//! Requests: from received bytes to commands.
//!
//! ```text
//! input   *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\nvv\r\n*2\r\n$3\r\nGE
//!                     ^^^        ^        ^^                  ^ parsed up to here
//! args                (8,3)    (17,1)   (24,2)                  the open command's
//! ```
//!
//! Arguments are ranges of the one input buffer: nothing is copied and nothing is
//! allocated per command. The parser is resumable: what it has understood of an
//! incomplete command stays, so that bytes are looked at once however they are cut
//! (a million-argument MSET arriving in 16 KiB reads stays linear).
//!
//! Two kinds of argument live outside the buffer, in `apart`: a large bulk string
//! that has not fully arrived is received straight into an own buffer, which a SET
//! then keeps as the value; and the words of an inline command with quotes.
//!
//! Invariants: declared lengths are limits, never allocation sizes, a buffer grows
//! with the bytes received; `input.len() <= INPUT_MAX`, so that offsets fit 31 bits.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memchr2};

use crate::base::{num, split};

mod saved;

pub use saved::Saved;

/// Longest line: inline command, `*count` or `$length` (Redis's
/// `PROTO_INLINE_MAX_SIZE`).
pub const LINE_MAX: usize = 64 * 1024;
/// A bulk string of at least this size that has not fully arrived gets its own
/// buffer (Redis's `PROTO_MBULK_BIG_ARG`).
pub const BIG_ARG: usize = 32 * 1024;
/// Offsets keep one bit to mark arguments that live apart.
pub const INPUT_MAX: usize = APART as usize - 1;
/// First room given to a large argument; it doubles with the bytes received.
const BIG_FIRST: usize = 2 * BIG_ARG;
/// Bytes of a client that has not authenticated yet are worth little.
const UNAUTHENTICATED_ARGS: i64 = 10;
const UNAUTHENTICATED_BULK: i64 = 16 * 1024;
/// Commands that one batch of a client may hold; what follows waits for the next.
pub const BATCH_COMMANDS_MAX: usize = 1024;

/// Room for arguments that a quiet connection keeps: for those of a full batch.
const ARGS_KEPT: usize = 4 * BATCH_COMMANDS_MAX;
const APART: u32 = 1 << 31;

/// What a client may declare at this moment.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest bulk string in bytes (`proto-max-bulk-len`).
    pub bulk_max: i64,
    /// Whether the client may already send real work. Before that, arguments are
    /// few and small, and commands are parsed one at a time, since the first may
    /// change the limits for the second.
    pub authenticated: bool,
}

/// The bytes are not a request; the connection ends after the error is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    InlineTooBig,
    CountLineTooBig,
    LengthLineTooBig,
    UnbalancedQuotes,
    InvalidCount,
    InvalidLength,
    UnauthenticatedCount,
    UnauthenticatedLength,
    ExpectedBulk(u8),
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Protocol error: ")?;
        match self {
            Self::InlineTooBig => f.write_str("too big inline request"),
            Self::CountLineTooBig => f.write_str("too big mbulk count string"),
            Self::LengthLineTooBig => f.write_str("too big bulk count string"),
            Self::UnbalancedQuotes => f.write_str("unbalanced quotes in request"),
            Self::InvalidCount => f.write_str("invalid multibulk length"),
            Self::InvalidLength => f.write_str("invalid bulk length"),
            Self::UnauthenticatedCount => f.write_str("unauthenticated multibulk length"),
            Self::UnauthenticatedLength => f.write_str("unauthenticated bulk length"),
            Self::ExpectedBulk(got) => write!(f, "expected '$', got '{}'", *got as char),
        }
    }
}

/// Where one argument's bytes stand: a range of the input, or an index into
/// `apart`.
#[derive(Clone, Copy, Debug)]
struct Arg {
    at: u32,
    len: u32,
}

/// One complete command: its slice of `args`.
#[derive(Clone, Copy, Debug)]
struct Command {
    first: u32,
    count: u32,
}

/// The arguments of one command, name first.
#[derive(Clone, Copy)]
pub struct Argv<'a> {
    input: &'a [u8],
    apart: &'a [Bytes],
    args: &'a [Arg],
}

impl<'a> Argv<'a> {
    /// Number of arguments, the name included; at least 1.
    #[inline]
    pub fn len(&self) -> usize {
        self.args.len()
    }

    /// Whether there is no argument, which no parsed command has.
    pub fn is_empty(&self) -> bool {
        self.args.is_empty()
    }

    /// Argument `index`; empty when there is none, which no caller that has
    /// checked the arity sees.
    #[inline]
    pub fn get(&self, index: usize) -> &'a [u8] {
        match self.args.get(index) {
            None => b"",
            Some(arg) if arg.at & APART != 0 => &self.apart[(arg.at ^ APART) as usize],
            Some(arg) => &self.input[arg.at as usize..][..arg.len as usize],
        }
    }

    /// Argument `index` as bytes that outlive the request: shared without a copy
    /// where it was received into its own buffer.
    pub fn shared(&self, index: usize) -> Option<Bytes> {
        let arg = self.args.get(index)?;
        if arg.at & APART == 0 {
            return None;
        }
        Some(self.apart[(arg.at ^ APART) as usize].clone())
    }

    /// The arguments from `first` on.
    pub fn from(&self, first: usize) -> Argv<'a> {
        Argv {
            args: self.args.get(first..).unwrap_or_default(),
            ..*self
        }
    }

    /// All arguments in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        (0..self.len()).map(move |i| self.get(i))
    }

    /// Bytes of all arguments together.
    pub fn byte_len(&self) -> usize {
        self.args.iter().map(|a| a.len as usize).sum()
    }
}

impl fmt::Debug for Argv<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|arg| arg.escape_ascii().to_string()))
            .finish()
    }
}

/// What the parser is in the middle of.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    /// Arguments still to come; 0 between commands.
    args_left: u32,
    /// Length of the bulk string whose `$` line has been read.
    bulk: Option<u32>,
    /// The open command's first argument in `args`.
    first: u32,
}

/// A large argument on its way in: bytes so far, and how many with its CRLF.
#[derive(Debug)]
struct Filling {
    bytes: BytesMut,
    want: usize,
}

/// A connection's received bytes and the commands found in them.
#[derive(Debug, Default)]
pub struct Requests {
    input: BytesMut,
    parsed: usize,
    args: Vec<Arg>,
    commands: Vec<Command>,
    apart: Vec<Bytes>,
    filling: Option<Filling>,
    open: Open,
    /// The first complete command that has not been taken.
    next: usize,
    /// Parsing stopped at the limit of commands, not for want of bytes.
    cut: bool,
}

impl Requests {
    /// Where to receive into, and how many bytes at most; at least `room` bytes
    /// are free unless a large argument wants fewer.
    pub fn spare(&mut self, room: usize) -> (&mut BytesMut, usize) {
        match &mut self.filling {
            Some(filling) => {
                let left = filling.want - filling.bytes.len();
                // Grow with what has come, and to the exact size once half is here.
                let have = filling.bytes.len();
                if filling.bytes.capacity() == have {
                    // Not by `reserve`, which takes more: the store may keep the buffer.
                    let more = left.min(have.max(BIG_FIRST));
                    let mut larger = BytesMut::with_capacity(have + more);
                    larger.extend_from_slice(&filling.bytes);
                    filling.bytes = larger;
                }
                let free = filling.bytes.capacity() - have;
                (&mut filling.bytes, left.min(free))
            }
            None => {
                if self.input.capacity() - self.input.len() < room.div_ceil(2) {
                    self.input.reserve(room);
                }
                let free = self.input.capacity() - self.input.len();
                (&mut self.input, free)
            }
        }
    }

    /// Appends received bytes, for those who do not receive in place.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (buffer, max) = self.spare(bytes.len());
            let (now, later) = bytes.split_at(max.min(bytes.len()));
            buffer.extend_from_slice(now);
            bytes = later;
            if !later.is_empty() {
                self.finish_filling();
            }
        }
    }

    /// Parses what has been received. Complete commands, if any, can be taken
    /// even when an error follows them.
    pub fn parse(&mut self, limits: Limits) -> Result<(), ProtocolError> {
        let commands_max = if limits.authenticated {
            BATCH_COMMANDS_MAX
        } else {
            1
        };
        self.finish_filling();
        self.cut = false;
        while self.filling.is_none() {
            if self.commands.len() >= commands_max {
                self.cut = self.parsed < self.input.len();
                break;
            }
            let more = if self.open.args_left > 0 {
                self.multibulk_args(limits)?
            } else if limits.authenticated && self.plain_command() {
                true
            } else {
                self.command_start(limits)?
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    /// Whether there may be more commands in what has been received than a batch
    /// holds: parse again once these are done.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Lends one of the spare receive buffers to a connection that has none.
    pub fn borrow_from(&mut self, spare: &mut Vec<BytesMut>) {
        if self.input.capacity() == 0
            && let Some(buffer) = spare.pop()
        {
            self.input = buffer;
        }
    }

    /// Takes the receive buffer back while it is empty, so that quiet connections
    /// hold none.
    pub fn reclaim(&mut self) -> Option<BytesMut> {
        if !self.is_idle() || self.ready() > 0 || self.input.capacity() == 0 {
            return None;
        }
        self.reset();
        if self.args.capacity() > ARGS_KEPT {
            self.args = Vec::new();
        }
        Some(std::mem::take(&mut self.input))
    }

    /// Number of complete commands not yet taken.
    #[inline]
    pub fn ready(&self) -> usize {
        self.commands.len() - self.next
    }

    /// The `index`-th complete command that has not been taken.
    #[inline]
    pub fn peek(&self, index: usize) -> Option<Argv<'_>> {
        let command = self.commands.get(self.next + index)?;
        Some(Argv {
            input: &self.input,
            apart: &self.apart,
            args: &self.args[command.first as usize..][..command.count as usize],
        })
    }

    /// Marks the first `count` complete commands as done.
    #[inline]
    pub fn take(&mut self, count: usize) {
        self.next += count;
        debug_assert!(self.next <= self.commands.len());
    }

    /// Drops the bytes of taken commands; what is open moves to the front.
    pub fn compact(&mut self) {
        if self.next < self.commands.len() {
            return;
        }
        self.commands.clear();
        self.next = 0;
        if self.open.args_left == 0 && self.filling.is_none() && self.parsed == self.input.len() {
            self.input.clear();
            self.parsed = 0;
            self.args.clear();
            self.apart.clear();
            return;
        }
        self.compact_open();
    }

    /// Moves the open command's bytes and arguments to the front.
    fn compact_open(&mut self) {
        let first = if self.open.args_left > 0 {
            self.open.first as usize
        } else {
            self.args.len()
        };
        let open_args = &self.args[first..];
        let in_input = open_args.iter().find(|a| a.at & APART == 0);
        let keep_from = in_input.map_or(self.parsed, |a| a.at as usize);
        let apart_from = (open_args.iter())
            .find(|a| a.at & APART != 0)
            .map_or(self.apart.len(), |a| (a.at ^ APART) as usize);
        self.args.drain(..first);
        self.apart.drain(..apart_from);
        self.open.first = 0;
        for arg in &mut self.args {
            arg.at -= if arg.at & APART == 0 {
                keep_from as u32
            } else {
                apart_from as u32
            };
        }
        self.input.advance(keep_from);
        self.parsed -= keep_from;
    }

    /// Whether nothing is held: neither bytes nor a half-read command.
    pub fn is_idle(&self) -> bool {
        self.input.is_empty() && self.open.args_left == 0 && self.filling.is_none()
    }

    /// Bytes received and not yet dropped.
    pub fn byte_len(&self) -> usize {
        self.input.len() + self.filling.as_ref().map_or(0, |f| f.bytes.len())
    }

    /// Bytes of a command that has not fully arrived: of the arguments that have (Redis's
    /// `argv-mem`), and of what follows them (`qbuf`).
    pub fn open_lens(&self) -> (usize, usize) {
        let apart: usize = self.apart.iter().map(Bytes::len).sum();
        (self.parsed + apart, self.byte_len() - self.parsed)
    }

    /// Bytes of all requests together, those parts that live apart included: no request
    /// is larger.
    #[inline]
    pub fn size(&self) -> usize {
        self.input.len() + self.apart.iter().map(Bytes::len).sum::<usize>()
    }

    /// Bytes of memory held.
    pub fn mem_bytes(&self) -> usize {
        self.input.capacity()
            + self.args.capacity() * size_of::<Arg>()
            + self.commands.capacity() * size_of::<Command>()
            + self.apart.iter().map(Bytes::len).sum::<usize>()
            + self.filling.as_ref().map_or(0, |f| f.bytes.capacity())
    }

    /// Gives unused memory back; for a connection that has gone quiet.
    pub fn shrink(&mut self) {
        self.compact();
        self.input = BytesMut::from(&self.input[..]);
        self.args.shrink_to_fit();
        self.commands.shrink_to_fit();
        self.apart.shrink_to_fit();
    }

    /// Forgets everything, keeping the buffers for the next user.
    pub fn reset(&mut self) {
        self.input.clear();
        self.args.clear();
        self.commands.clear();
        self.apart.clear();
        (self.parsed, self.next, self.cut) = (0, 0, false);
        (self.filling, self.open) = (None, Open::default());
    }

    /// Reads a whole command that has arrived and whose numbers are short, which is
    /// nearly every one; else changes nothing and leaves it to the steps below.
    #[inline]
    fn plain_command(&mut self) -> bool {
        let input = &self.input[self.parsed..];
        let Some((count, mut at)) = short_number(input, b'*') else {
            return false;
        };
        let first = self.args.len();
        self.args.reserve(count);
        for _ in 0..count {
            let whole = short_number(&input[at..], b'$')
                .map(|(len, line)| (at + line, len))
                .filter(|(start, len)| start + len + 2 <= input.len());
            let Some((start, len)) = whole else {
                self.args.truncate(first);
                return false;
            };
            self.args.push(Arg {
                at: (self.parsed + start) as u32,
                len: len as u32,
            });
            at = start + len + 2;
        }
        self.parsed += at;
        if count > 0 {
            self.commands.push(Command {
                first: first as u32,
                count: count as u32,
            });
        }
        true
    }

    /// Starts a command; whether the parser got anywhere.
    fn command_start(&mut self, limits: Limits) -> Result<bool, ProtocolError> {
        match self.input.get(self.parsed) {
            None => Ok(false),
            Some(b'*') => self.multibulk_count(limits),
            Some(_) => self.inline(),
        }
    }

    fn multibulk_count(&mut self, limits: Limits) -> Result<bool, ProtocolError> {
        let Some((line, next)) = self.line(ProtocolError::CountLineTooBig)? else {
            return Ok(false);
        };
        let count = num::parse_i64(&line[1..])
            .filter(|&n| n <= i64::from(i32::MAX))
            .ok_or(ProtocolError::InvalidCount)?;
        if count > UNAUTHENTICATED_ARGS && !limits.authenticated {
            return Err(ProtocolError::UnauthenticatedCount);
        }
        self.parsed = next;
        // Redis ignores `*0` and negative counts.
        self.open = Open {
            args_left: count.max(0) as u32,
            bulk: None,
            first: self.args.len() as u32,
        };
        Ok(true)
    }

    /// Reads arguments of the open command; whether the parser can go on.
    fn multibulk_args(&mut self, limits: Limits) -> Result<bool, ProtocolError> {
        while self.open.args_left > 0 {
            let len = match self.open.bulk {
                Some(len) => len as usize,
                None => match self.bulk_length(limits)? {
                    Some(len) => len,
                    None => return Ok(false),
                },
            };
            if self.input.len() - self.parsed < len + 2 {
                self.open.bulk = Some(len as u32);
                self.fill_apart(len);
                return Ok(false);
            }
            self.args.push(Arg {
                at: self.parsed as u32,
                len: len as u32,
            });
            self.parsed += len + 2;
            self.argument_done();
        }
        Ok(true)
    }

    #[inline]
    fn bulk_length(&mut self, limits: Limits) -> Result<Option<usize>, ProtocolError> {
        match short_number(&self.input[self.parsed..], b'$') {
            Some((len, line)) => {
                self.parsed += line;
                Ok(Some(len))
            }
            None => self.bulk_length_any(limits),
        }
    }

    #[cold]
    fn bulk_length_any(&mut self, limits: Limits) -> Result<Option<usize>, ProtocolError> {
        let Some((line, next)) = self.line(ProtocolError::LengthLineTooBig)? else {
            return Ok(None);
        };
        let (marker, digits) = line.split_first().unwrap_or((&b'\r', b""));
        if *marker != b'$' {
            return Err(ProtocolError::ExpectedBulk(*marker));
        }
        let len = num::parse_i64(digits)
            .filter(|&n| (0..=limits.bulk_max).contains(&n) && u32::try_from(n).is_ok())
            .ok_or(ProtocolError::InvalidLength)?;
        if len > UNAUTHENTICATED_BULK && !limits.authenticated {
            return Err(ProtocolError::UnauthenticatedLength);
        }
        self.parsed = next;
        Ok(Some(len as usize))
    }

    /// The line at `parsed` without its CRLF, and where the next one starts;
    /// `None` when it has not fully arrived.
    fn line(&self, too_big: ProtocolError) -> Result<Option<(&[u8], usize)>, ProtocolError> {
        let rest = &self.input[self.parsed..];
        match memchr(b'\r', rest) {
            Some(end) if end + 2 <= rest.len() => Ok(Some((&rest[..end], self.parsed + end + 2))),
            Some(_) => Ok(None),
            None if rest.len() > LINE_MAX => Err(too_big),
            None => Ok(None),
        }
    }

    /// Counts an argument as read; completes the command with the last one.
    #[inline]
    fn argument_done(&mut self) {
        self.open.bulk = None;
        self.open.args_left -= 1;
        if self.open.args_left == 0 {
            self.commands.push(Command {
                first: self.open.first,
                count: self.args.len() as u32 - self.open.first,
            });
        }
    }

    /// Moves a large, incomplete argument into its own buffer.
    fn fill_apart(&mut self, len: usize) {
        if len < BIG_ARG {
            return;
        }
        let received = &self.input[self.parsed..];
        let want = len + 2;
        let mut bytes = BytesMut::with_capacity(want.min(received.len().max(BIG_FIRST)));
        bytes.extend_from_slice(received);
        self.input.truncate(self.parsed);
        self.filling = Some(Filling { bytes, want });
    }

    /// Turns a large argument that has fully arrived into an argument.
    fn finish_filling(&mut self) {
        let Some(filling) = &mut self.filling else {
            return;
        };
        if filling.bytes.len() < filling.want {
            return;
        }
        let len = filling.want - 2;
        filling.bytes.truncate(len);
        let bytes = std::mem::take(&mut filling.bytes).freeze();
        self.filling = None;
        self.push_apart(bytes);
        self.argument_done();
    }

    fn push_apart(&mut self, bytes: Bytes) {
        self.args.push(Arg {
            at: APART | self.apart.len() as u32,
            len: bytes.len() as u32,
        });
        self.apart.push(bytes);
    }

    /// Reads one inline command; whether there was a whole line.
    fn inline(&mut self) -> Result<bool, ProtocolError> {
        let rest = &self.input[self.parsed..];
        // Redis looks for the end with C's `strchr`: a NUL before it hides it for ever.
        let end = memchr2(b'\n', 0, rest).filter(|&at| rest[at] == b'\n');
        let Some(end) = end else {
            return if rest.len() > LINE_MAX {
                Err(ProtocolError::InlineTooBig)
            } else {
                Ok(false)
            };
        };
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        let first = self.args.len() as u32;
        if line.iter().any(|b| matches!(b, b'"' | b'\'')) {
            let mut words = Vec::new();
            split::split(line, |word| words.push(Bytes::copy_from_slice(word)))
                .map_err(|split::Unbalanced| ProtocolError::UnbalancedQuotes)?;
            words.into_iter().for_each(|word| self.push_apart(word));
        } else {
            push_plain_words(&mut self.args, line, self.parsed);
        }
        self.parsed += end + 1;
        let count = self.args.len() as u32 - first;
        if count > 0 {
            self.commands.push(Command { first, count });
        }
        Ok(true)
    }
}

/// The number of one or two digits in the line behind `marker`, and the length of
/// that line with its end; `None` for every other line.
#[inline]
fn short_number(input: &[u8], marker: u8) -> Option<(usize, usize)> {
    let digit = |byte: u8| usize::from(byte.wrapping_sub(b'0'));
    match *input {
        [first, a, b'\r', b'\n', ..] if first == marker && digit(a) < 10 => Some((digit(a), 4)),
        [first, a, b, b'\r', b'\n', ..]
            if first == marker && (1..10).contains(&digit(a)) && digit(b) < 10 =>
        {
            Some((digit(a) * 10 + digit(b), 5))
        }
        _ => None,
    }
}

/// Splits a line without quotes in place, as [`split::split`] would; `base` is its offset
/// in the input.
fn push_plain_words(args: &mut Vec<Arg>, line: &[u8], base: usize) {
    let mut at = 0;
    loop {
        at += count_while(&line[at..], split::is_blank);
        if at == line.len() {
            return;
        }
        let len = count_while(&line[at..], |byte| !split::ends_word(byte));
        args.push(Arg {
            at: (base + at) as u32,
            len: len as u32,
        });
        at += len;
    }
}

fn count_while(bytes: &[u8], holds: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|&&byte| holds(byte)).count()
}

#[cfg(test)]
mod tests;
