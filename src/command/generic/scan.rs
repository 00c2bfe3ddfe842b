//! Walks over the keyspace.
//!
//! They hold no locks of their own: the store takes one shard's lock for each
//! step and gives it back. What may take long, matching a pattern above all, is
//! done between the steps, on copies of the keys.

use crate::command::args::Args;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::command::scan::{COUNT_DEFAULT, cursor, matches, scan_count};
use crate::resp::Argv;
use crate::store::entry::Entry;

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
                filter.count = scan_count(&mut args)?;
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
