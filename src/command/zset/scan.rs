//! ZSCAN: a few elements at a time, each that stays exactly once.
//!
//! A small set comes whole. A large one comes in the order of its table, in which a
//! cursor means the same whatever grows or goes meanwhile.

use crate::base::float;
use crate::command::args::Args;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::command::scan::{COUNT_DEFAULT, cursor, matches, scan_count};
use crate::ds::zset::{Entry, ZSet};
use crate::resp::Argv;

/// Steps for each element asked for: bounds a scan over a table that is nearly empty.
const STEPS_PER_ELEMENT: usize = 10;

struct Filter<'a> {
    pattern: Option<&'a [u8]>,
    count: usize,
    with_scores: bool,
}

impl<'a> Filter<'a> {
    fn parse(mut args: Args<'a>) -> Result<Filter<'a>, Error> {
        let mut filter = Filter {
            pattern: None,
            count: COUNT_DEFAULT,
            with_scores: true,
        };
        while !args.is_done() {
            if args.left() > 1 && args.word("MATCH") {
                filter.pattern = Some(args.bytes()?);
            } else if args.left() > 1 && args.word("COUNT") {
                filter.count = scan_count(&mut args)?;
            } else if args.word("NOSCORES") {
                filter.with_scores = false;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(filter)
    }
}

/// The texts that a scan answers with.
#[derive(Default)]
struct Found(Vec<Vec<u8>>);

impl Found {
    fn add(&mut self, entry: Entry<'_>, filter: &Filter<'_>, packed: bool) {
        let member = entry.member.to_vec();
        if filter
            .pattern
            .is_some_and(|pattern| !matches(pattern, &member))
        {
            return;
        }
        self.0.push(member);
        if filter.with_scores {
            let mut score = Vec::new();
            // Redis copies a packed score and prints another one at full length.
            if packed {
                float::push_f64(&mut score, entry.score);
            } else {
                float::push_general(&mut score, entry.score);
            }
            self.0.push(score);
        }
    }
}

/// Steps until enough was seen; where to go on.
fn walk(zset: &ZSet, mut cursor: u64, filter: &Filter<'_>, found: &mut Found) -> u64 {
    let packed = zset.listpack().is_some();
    let mut seen = 0;
    for _ in 0..filter.count.saturating_mul(STEPS_PER_ELEMENT) {
        cursor = zset.scan(cursor, |entry| {
            seen += 1;
            found.add(entry, filter, packed);
        });
        if cursor == 0 || seen >= filter.count {
            break;
        }
    }
    cursor
}

pub fn zscan(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let from = cursor(argv.get(2))?;
    let key = ctx.key(argv);
    let (mut next, mut found) = (0, Found::default());
    // Redis looks at the options only when there is a set.
    if ctx.db.peek_zset(key)?.is_some() {
        let filter = Filter::parse(Args::from(argv, 3))?;
        ctx.afford(filter.count)?;
        if let Some(zset) = ctx.db.zset(key)? {
            next = walk(&zset, from, &filter, &mut found);
        }
    }
    ctx.reply.array(2);
    ctx.reply.bulk(next.to_string().as_bytes());
    ctx.reply.array(found.0.len());
    found.0.iter().for_each(|text| ctx.reply.bulk(text));
    Ok(())
}
