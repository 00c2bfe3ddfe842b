//! What stream commands read from their arguments: ids, intervals, and how XADD
//! and XTRIM are told to trim.

use crate::command::args::Args;
use crate::command::error::Error;
use crate::ds::stream::{Ids, Keep, NewId, References, StreamId, Trim};
use crate::resp::Argv;

const INVALID_ID: Error = Error::text("ERR Invalid stream ID specified as stream command argument");

/// Entries that an approximate trim removes at most, if nothing else is said: those
/// of so many nodes.
const TRIM_NODES: usize = 100;
/// The limit where nodes have none, and the most it is.
const TRIM_LIMIT_DEFAULT: usize = 10_000;
const TRIM_LIMIT_MAX: usize = 1_000_000;

/// An id that an entry can have: neither `-` nor `+`.
pub fn entry_id(text: &[u8]) -> Result<StreamId, Error> {
    StreamId::parse(text, 0).ok_or(INVALID_ID)
}

/// An id, or one of the edges `-` and `+`.
pub fn edge_id(text: &[u8]) -> Result<StreamId, Error> {
    StreamId::parse_edge(text, 0).ok_or(INVALID_ID)
}

/// The arguments from `first` on as ids.
pub fn entry_ids(argv: Argv<'_>, first: usize) -> Result<Vec<StreamId>, Error> {
    argv.from(first).iter().map(entry_id).collect()
}

/// One end of an interval, and whether the id itself is left out.
fn interval_end(text: &[u8], missing_seq: u64) -> Result<(StreamId, bool), Error> {
    let (id, open) = match text {
        [b'(', id @ ..] if !id.is_empty() => (StreamId::parse(id, missing_seq), true),
        _ => (StreamId::parse_edge(text, missing_seq), false),
    };
    Ok((id.ok_or(INVALID_ID)?, open))
}

/// The least id of an interval.
pub fn interval_start(text: &[u8]) -> Result<StreamId, Error> {
    const NONE: Error = Error::text("ERR invalid start ID for the interval");
    match interval_end(text, 0)? {
        (id, false) => Ok(id),
        (id, true) => id.next().ok_or(NONE),
    }
}

/// The ids of an interval.
pub fn interval(start: &[u8], end: &[u8]) -> Result<Ids, Error> {
    const NONE: Error = Error::text("ERR invalid end ID for the interval");
    let start = interval_start(start)?;
    let end = match interval_end(end, u64::MAX)? {
        (id, false) => id,
        (id, true) => id.prev().ok_or(NONE)?,
    };
    Ok(start..=end)
}

/// What stands before an entry's fields, or behind XTRIM's key.
#[derive(Clone, Copy, Debug)]
pub struct TrimOptions {
    keep: Option<Keep>,
    approximate: bool,
    limit: Option<usize>,
    references: References,
    /// XADD alone: make no stream.
    pub no_create: bool,
    /// XADD alone.
    pub id: Option<NewId>,
}

impl TrimOptions {
    /// Reads the options of XADD, up to the id; of XTRIM, all.
    pub fn read(args: &mut Args<'_>, adds: bool) -> Result<TrimOptions, Error> {
        let mut options = TrimOptions {
            keep: None,
            approximate: false,
            limit: None,
            references: References::Keep,
            no_create: false,
            id: None,
        };
        while !args.is_done() && options.id.is_none() {
            let valued = args.left() > 1;
            if valued && args.word("MAXLEN") {
                options.threshold(args, Self::length)?;
            } else if valued && args.word("MINID") {
                options.threshold(args, |args| Ok(Keep::From(entry_id(args.bytes()?)?)))?;
            } else if valued && args.word("LIMIT") {
                options.limit = Some(limit(args)?);
            } else if let Some(references) = references(args) {
                options.references = references;
            } else if adds && args.word("NOMKSTREAM") {
                options.no_create = true;
            } else if adds {
                options.id = Some(NewId::parse(args.bytes()?).ok_or(INVALID_ID)?);
            } else {
                return Err(Error::Syntax);
            }
        }
        options.check(adds)?;
        Ok(options)
    }

    /// Reads what to keep, behind an optional `=` or `~`.
    fn threshold<'a>(
        &mut self,
        args: &mut Args<'a>,
        keep: impl FnOnce(&mut Args<'a>) -> Result<Keep, Error>,
    ) -> Result<(), Error> {
        const BOTH: Error = Error::text(
            "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
        );
        if self.keep.is_some() {
            return Err(BOTH);
        }
        let valued = args.left() > 1;
        self.approximate = valued && args.word("~");
        if valued && !self.approximate {
            args.word("=");
        }
        self.keep = Some(keep(args)?);
        Ok(())
    }

    fn length(args: &mut Args<'_>) -> Result<Keep, Error> {
        const NEGATIVE: Error = Error::text("ERR The MAXLEN argument must be >= 0.");
        let length = usize::try_from(args.int()?).map_err(|_| NEGATIVE)?;
        Ok(Keep::Last(length))
    }

    fn check(&self, adds: bool) -> Result<(), Error> {
        const NO_STRATEGY: Error = Error::text(
            "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
        );
        const NOTHING: Error =
            Error::text("ERR syntax error, XTRIM must be called with a trimming strategy");
        const EXACT: Error =
            Error::text("ERR syntax error, LIMIT cannot be used without the special ~ option");
        if self.keep.is_none() && self.limit.is_some_and(|limit| limit > 0) {
            return Err(NO_STRATEGY);
        }
        if self.keep.is_none() && !adds {
            return Err(NOTHING);
        }
        if self.limit.is_some() && !self.approximate {
            return Err(EXACT);
        }
        Ok(())
    }

    /// How to trim, where nodes have up to `node_entries` entries.
    pub fn trim(&self, node_entries: usize) -> Option<Trim> {
        let usual = match node_entries.saturating_mul(TRIM_NODES) {
            0 => TRIM_LIMIT_DEFAULT,
            limit => limit.min(TRIM_LIMIT_MAX),
        };
        let limit = if self.approximate {
            self.limit.unwrap_or(usual)
        } else {
            0
        };
        Some(Trim {
            keep: self.keep?,
            approximate: self.approximate,
            limit,
            references: self.references,
        })
    }
}

/// Reads the word, if it is the next one, that says what becomes of references to
/// deleted entries.
pub fn references(args: &mut Args<'_>) -> Option<References> {
    if args.word("KEEPREF") {
        Some(References::Keep)
    } else if args.word("DELREF") {
        Some(References::Delete)
    } else if args.word("ACKED") {
        Some(References::Acknowledged)
    } else {
        None
    }
}

fn limit(args: &mut Args<'_>) -> Result<usize, Error> {
    const NEGATIVE: Error = Error::text("ERR The LIMIT argument must be >= 0.");
    usize::try_from(args.int()?).map_err(|_| NEGATIVE)
}
