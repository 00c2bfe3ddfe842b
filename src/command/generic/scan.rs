//! Walks over the keyspace.
//!
//! They hold no locks of their own: the store takes one shard's lock for each
//! step and gives it back. What may take long, matching a pattern above all, is
//! done between the steps, on copies of the keys.

use crate::base::glob;
use crate::command::args::Args;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::resp::Argv;
use crate::store::entry::Entry;

/// Keys that SCAN looks at when it is not told how many, as in Redis.
const COUNT_DEFAULT: usize = 10;
/// Steps per key asked for: bounds a SCAN over nearly empty tables, and lets one
/// call see all of a small database.
const STEPS_PER_KEY: usize = 10;

/// What SCAN shall report.
#[derive(Clone, Copy, Debug)]
struct Filter<'a> {
    pattern: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
    count: usize,
}

impl<'a> Filter<'a> {
    fn parse(mut args: Args<'a>) -> Result<Filter<'a>, Error> {
        let mut filter = Filter {
            pattern: None,
            kind: None,
            count: COUNT_DEFAULT,
        };
        while !args.is_done() {
            if args.word("MATCH") {
                filter.pattern = Some(args.bytes()?);
            } else if args.word("TYPE") {
                filter.kind = Some(args.bytes()?);
            } else if args.word("COUNT") {
                let count = usize::try_from(args.int()?).map_err(|_| Error::Syntax)?;
                filter.count = if count > 0 {
                    count
                } else {
                    return Err(Error::Syntax);
                };
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(filter)
    }

    fn wants(&self, entry: &Entry) -> bool {
        let name = entry.value_type().name().as_bytes();
        (self.kind).is_none_or(|kind| kind.eq_ignore_ascii_case(name))
    }
}

/// A cursor as C's strtoul reads it for Redis, up to 7.2 at least: up to a NUL, with
/// a sign, a negative one counted from 2^64 down, and nothing at all as 0.
fn cursor(text: &[u8]) -> Result<u64, Error> {
    const INVALID: Error = Error::text("ERR invalid cursor");
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Ok(0);
    }
    let negative = text.starts_with(b"-");
    let digits = &text[usize::from(negative || text.starts_with(b"+"))..];
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(INVALID);
    }
    let digits = std::str::from_utf8(digits).map_err(|_| INVALID)?;
    let value: u64 = digits.parse().map_err(|_| INVALID)?;
    Ok(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

/// Whether a key is what a pattern of KEYS or SCAN asks for. The bare star asks for
/// every key, the empty one too.
fn matches(pattern: &[u8], key: &[u8]) -> bool {
    pattern == b"*" || glob::matches(pattern, key)
}

pub fn scan(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut cursor = cursor(argv.get(1))?;
    let filter = Filter::parse(Args::from(argv, 2))?;
    ctx.afford(filter.count)?;
    let mut seen = 0;
    let mut found: Vec<Vec<u8>> = Vec::new();
    for _ in 0..filter.count.saturating_mul(STEPS_PER_KEY) {
        cursor = ctx.db.scan_step(cursor, |entry| {
            seen += 1;
            if filter.wants(entry) {
                found.push(entry.key().to_vec());
            }
        })?;
        if cursor == 0 || seen >= filter.count {
            break;
        }
    }
    if let Some(pattern) = filter.pattern {
        found.retain(|key| matches(pattern, key));
    }
    ctx.reply.array(2);
    ctx.reply.bulk(cursor.to_string().as_bytes());
    ctx.reply.array(found.len());
    found.iter().for_each(|key| ctx.reply.bulk(key));
    Ok(())
}

pub fn keys(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let pattern = argv.get(1);
    let mut found: Vec<Box<[u8]>> = Vec::new();
    let mut cursor = 0;
    loop {
        let first = found.len();
        cursor = (ctx.db).walk_segment(cursor, |entry| found.push(entry.key().into()))?;
        retain_from(&mut found, first, |key| matches(pattern, key));
        if cursor == 0 {
            break;
        }
    }
    ctx.reply.array(found.len());
    found.iter().for_each(|key| ctx.reply.bulk(key));
    Ok(())
}

/// Removes the items from `first` on that `keep` refuses.
fn retain_from<T>(items: &mut Vec<T>, first: usize, keep: impl Fn(&T) -> bool) {
    let mut end = first;
    for at in first..items.len() {
        if keep(&items[at]) {
            items.swap(end, at);
            end += 1;
        }
    }
    items.truncate(end);
}

pub fn randomkey(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    match ctx.db.random_key(ctx.rng)? {
        Some(key) => ctx.reply.bulk(&key),
        None => ctx.reply.null(),
    }
    Ok(())
}
