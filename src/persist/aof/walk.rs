//! Going through a file of commands from front to back: what of it holds, and what of
//! that a visitor gets to see.
//!
//! There are two ways for a file to be damaged, and they are told apart:
//! - **cut off**: it ends in the middle of a record, a unit or a chunk, or its last chunk
//!   does not have its checksum and nothing behind it says that it was ever durable. So
//!   ends the file of a server that was killed or lost its power; what is left out was
//!   promised to nobody.
//! - **damaged**: anything else. The loader refuses it.
//!
//! Must stay true: of a chunk nothing is shown before its checksum has been seen to fit;
//! memory grows with the bytes that are there, not with lengths that stand in them.

use std::fmt;
use std::io::{self, Read};

use super::parse::{Flaw, Kind, Parsed, Reason, parse};
use super::record::{HEAD_LEN, HEAD_TAG, Head, timestamp};

/// Bytes asked for at a time; more where a record is larger.
const READ_SIZE: usize = 1 << 20;

/// What gets to see the commands of a file.
pub trait Visit {
    /// A whole command, as it stands in the file; `name` is its first argument.
    ///
    /// # Errors
    /// Why the walk has to end.
    fn command(&mut self, raw: &[u8], name: &[u8]) -> Result<(), String>;

    /// The walk has come to this place of the file, between two units.
    ///
    /// # Errors
    /// Why the walk has to end.
    fn reached(&mut self, _offset: u64) -> Result<(), String> {
        Ok(())
    }
}

/// A visitor that only wants to know how far a file holds.
pub struct Survey;

impl Visit for Survey {
    fn command(&mut self, _raw: &[u8], _name: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

/// How a walk has ended.
#[derive(Debug)]
pub struct Walked {
    /// Bytes of the file that are in order: up to the last whole unit.
    pub good: u64,
    /// Units behind `good` have been shown: of a chunk whose checksum fits, and whose content
    /// is damaged all the same. Whoever has run them must not cut the file off at `good`.
    pub is_ahead: bool,
    /// Lines up to where it ended, from 1, as redis-check-aof counts them.
    pub line: u64,
    pub end: End,
}

/// See [`Walked`].
#[derive(Debug)]
pub enum End {
    /// The file is whole.
    Whole,
    /// It is cut off.
    Cut(Cut),
    /// The time that was asked for is over at `good`.
    Time,
    /// It is damaged at this offset.
    Damaged(u64, Damage),
    /// It could not be read.
    Io(io::Error),
    /// The visitor has had enough.
    Refused(String),
}

/// What a file is cut off in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Record,
    Unit,
    Chunk,
}

/// What is wrong with a damaged file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    Record(Reason),
    /// A chunk's bytes are not those that were durable once.
    Checksum,
    /// MULTI in a unit, or EXEC without one.
    Bracket(&'static str),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Record(reason) => reason.fmt(f),
            Damage::Checksum => f.write_str("Checksum mismatch in data that was durable"),
            Damage::Bracket(name) => write!(f, "Unexpected {name}"),
        }
    }
}

/// Walks through `input`, whose first byte stands at `offset` of its file. Nothing that
/// was written after the second `until` is shown.
pub fn walk(
    input: &mut dyn Read,
    offset: u64,
    until: Option<i64>,
    visitor: &mut dyn Visit,
) -> Walked {
    let mut walker = Walker {
        source: Source::new(input, offset),
        until: until.unwrap_or(i64::MAX),
        good: offset,
        is_ahead: false,
        line: 1,
        in_unit: false,
        after_chunk: false,
        visitor,
    };
    let end = walker.run();
    Walked {
        good: walker.good,
        is_ahead: walker.is_ahead,
        line: walker.line,
        end,
    }
}

struct Walker<'a> {
    source: Source<'a>,
    until: i64,
    good: u64,
    /// See [`Walked`].
    is_ahead: bool,
    line: u64,
    in_unit: bool,
    /// A chunk ends here.
    after_chunk: bool,
    visitor: &'a mut dyn Visit,
}

impl Walker<'_> {
    fn run(&mut self) -> End {
        loop {
            match self.step() {
                Ok(()) => {}
                Err(end) => return end,
            }
        }
    }

    /// One record or one chunk.
    fn step(&mut self) -> Result<(), End> {
        let parsed = self.source.record().map_err(End::Io)?;
        let (len, kind) = match parsed {
            Parsed::Record { len, kind } => (len, kind),
            Parsed::More if !self.source.bytes().is_empty() => return Err(End::Cut(Cut::Record)),
            Parsed::More if self.in_unit => return Err(End::Cut(Cut::Unit)),
            Parsed::More => return Err(End::Whole),
            Parsed::Bad(flaw) => return Err(self.flawed(&flaw)),
        };
        if kind == Kind::Annotation {
            let line = &self.source.bytes()[..len];
            if let Some(head) = Head::parse(line) {
                return self.chunk(head);
            }
            // A head that the power has cut short, and what came behind it.
            if line.starts_with(HEAD_TAG) || line.contains(&0) {
                return Err(self.torn(Damage::Checksum));
            }
        }
        self.after_chunk = false;
        self.record(0, len, kind)?;
        self.pass(len)
    }

    /// A head and what follows it.
    fn chunk(&mut self, head: Head) -> Result<(), End> {
        let whole = HEAD_LEN + head.len as usize;
        let have = self.source.ensure(whole).map_err(End::Io)?;
        let body = self.source.bytes().get(HEAD_LEN..whole);
        if !have || !body.is_some_and(|body| head.fits(body)) {
            self.after_chunk = true;
            return Err(self.torn(Damage::Checksum));
        }
        self.after_chunk = true;
        let mut at = HEAD_LEN;
        while at < whole {
            match parse(&self.source.bytes()[at..whole]) {
                Parsed::Record { len, kind } => {
                    self.record(at, len, kind)?;
                    at += len;
                }
                // Its checksum fits: it was written like this.
                Parsed::More => return Err(self.damaged(at, Damage::Record(Reason::Count))),
                Parsed::Bad(flaw) => {
                    return Err(self.damaged(at + flaw.at, Damage::Record(flaw.reason)));
                }
            }
        }
        self.pass(whole)
    }

    /// Shows the record at `at` of the bytes that are here.
    fn record(&mut self, at: usize, len: usize, kind: Kind) -> Result<(), End> {
        let raw = &self.source.bytes()[at..at + len];
        match kind {
            Kind::Annotation => match timestamp(raw) {
                Some(second) if second > self.until => Err(End::Time),
                _ => Ok(()),
            },
            Kind::Command { args, name } => {
                self.line += 1 + 2 * args as u64;
                let name = &raw[name];
                let begins = name.eq_ignore_ascii_case(b"multi");
                let ends = name.eq_ignore_ascii_case(b"exec");
                let misplaced = begins && self.in_unit || ends && !self.in_unit;
                if misplaced {
                    let name = if begins { "MULTI" } else { "EXEC" };
                    return Err(self.damaged(at, Damage::Bracket(name)));
                }
                self.in_unit = (self.in_unit || begins) && !ends;
                self.is_ahead |= !self.in_unit;
                self.visitor.command(raw, name).map_err(End::Refused)
            }
        }
    }

    /// Leaves what has been shown behind.
    fn pass(&mut self, len: usize) -> Result<(), End> {
        self.source.pass(len);
        if !self.in_unit {
            self.good = self.source.offset;
            self.is_ahead = false;
            self.visitor.reached(self.good).map_err(End::Refused)?;
        }
        Ok(())
    }

    fn damaged(&self, at: usize, damage: Damage) -> End {
        End::Damaged(self.source.offset + at as u64, damage)
    }

    /// Here is no record: the end that the power has torn, or damage.
    fn flawed(&mut self, flaw: &Flaw) -> End {
        self.line += flaw.lines as u64;
        let damage = Damage::Record(flaw.reason);
        let at_chunk = matches!(self.source.bytes().first(), Some(b'#' | 0));
        if self.in_unit || flaw.at > 0 || !self.after_chunk && !at_chunk {
            return self.damaged(flaw.at, damage);
        }
        self.torn(damage)
    }

    /// Something at this place is not what was written: that is the end of a file that was
    /// cut off, unless a later chunk knows that this place was durable, or nothing tells
    /// that there ever were chunks.
    fn torn(&mut self, damage: Damage) -> End {
        let start = self.source.offset;
        let evident = self.after_chunk || self.source.bytes().starts_with(HEAD_TAG);
        match self.source.scan() {
            Err(error) => End::Io(error),
            Ok(Rest::Durable(durable)) if durable > start => End::Damaged(start, Damage::Checksum),
            Ok(Rest::Other) if !evident => End::Damaged(start, damage),
            Ok(_) => End::Cut(Cut::Chunk),
        }
    }
}

/// What lies behind a place where a file is torn.
enum Rest {
    /// Nothing but zeros: room that was never written to.
    Zeros,
    /// Whole chunks, the most that one of them calls durable.
    Durable(u64),
    Other,
}

/// The bytes of a file that have been read and not yet left behind.
struct Source<'a> {
    input: &'a mut dyn Read,
    buffer: Vec<u8>,
    at: usize,
    /// Where `buffer[at]` stands in the file.
    offset: u64,
    ended: bool,
}

impl<'a> Source<'a> {
    fn new(input: &'a mut dyn Read, offset: u64) -> Source<'a> {
        Source {
            input,
            buffer: Vec::new(),
            at: 0,
            offset,
            ended: false,
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    fn pass(&mut self, len: usize) {
        self.at += len;
        self.offset += len as u64;
    }

    /// What stands here; `More` only at the end of the file.
    fn record(&mut self) -> io::Result<Parsed> {
        loop {
            let parsed = parse(self.bytes());
            if parsed != Parsed::More || !self.read_more()? {
                return Ok(parsed);
            }
        }
    }

    /// Reads until `len` bytes are here; whether there are as many.
    fn ensure(&mut self, len: usize) -> io::Result<bool> {
        while self.bytes().len() < len {
            if !self.read_more()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads about as much as is here already, so that a large record is looked at a few
    /// times only; whether there was any more.
    fn read_more(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        let want = READ_SIZE.max(self.buffer.len());
        let got = (&mut *self.input)
            .take(want as u64)
            .read_to_end(&mut self.buffer)?;
        self.ended = got < want;
        Ok(got > 0)
    }

    /// Looks at everything from this place on.
    fn scan(&mut self) -> io::Result<Rest> {
        let (mut zeros, mut durable) = (true, None);
        self.ensure(1)?;
        loop {
            let from = usize::from(zeros).min(self.bytes().len());
            let found = memchr::memmem::find(&self.bytes()[from..], HEAD_TAG);
            let Some(at) = found.map(|at| at + from) else {
                let keep = self.bytes().len().min(HEAD_LEN);
                zeros &= self.bytes().iter().all(|&byte| byte == 0);
                let passed = self.bytes().len() - keep;
                self.pass(passed);
                if !self.read_more()? {
                    break;
                }
                continue;
            };
            zeros = false;
            self.pass(at);
            if self.ensure(HEAD_LEN)?
                && let Some(head) = Head::parse(&self.bytes()[..HEAD_LEN])
                && durable.is_none_or(|durable| head.durable > durable)
                && self.ensure(HEAD_LEN + head.len as usize)?
                && head.fits(&self.bytes()[HEAD_LEN..HEAD_LEN + head.len as usize])
            {
                durable = Some(head.durable);
            }
            self.pass(1);
        }
        Ok(match durable {
            Some(durable) => Rest::Durable(durable),
            None if zeros => Rest::Zeros,
            None => Rest::Other,
        })
    }
}

#[cfg(test)]
mod tests;
