//! HSCAN. A packed hash is reported at once, as in Redis; of a large one a step
//! reports about as many fields as are asked for, each exactly once in a walk.

use bytes::Bytes;

use crate::base::clock::Millis;
use crate::command::args::Args;
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome, afford};
use crate::command::error::Error;
use crate::command::scan::{COUNT_DEFAULT, cursor, matches, scan_count};
use crate::ds::hash::{Hash, Item, Text};
use crate::resp::Argv;

/// Steps per field asked for: bounds a walk through a nearly empty table.
const STEPS_PER_FIELD: usize = 10;

#[derive(Clone, Copy, Debug)]
struct Options<'a> {
    pattern: Option<&'a [u8]>,
    count: usize,
    values: bool,
}

impl<'a> Options<'a> {
    fn parse(mut args: Args<'a>) -> Result<Options<'a>, Error> {
        let mut options = Options {
            pattern: None,
            count: COUNT_DEFAULT,
            values: true,
        };
        while !args.is_done() {
            if args.word("MATCH") {
                options.pattern = Some(args.bytes()?);
            } else if args.word("COUNT") {
                options.count = scan_count(&mut args)?;
            } else if args.word("NOVALUES") {
                options.values = false;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }

    /// What a step takes, in fields.
    fn cost(&self, hash: &Hash) -> usize {
        hash.find_effort().max(self.count.min(hash.len()))
    }
}

/// What a step has found: names and, if asked for, values by turns.
struct Found<'a> {
    options: Options<'a>,
    texts: Vec<Bytes>,
    seen: usize,
}

impl Found<'_> {
    /// Looks at about as many fields as are asked for; where to go on.
    fn walk(&mut self, hash: &Hash, mut cursor: u64, now: Millis) -> u64 {
        for _ in 0..self.options.count.saturating_mul(STEPS_PER_FIELD) {
            cursor = hash.scan(cursor, now, |item| self.take(item));
            if cursor == 0 || self.seen >= self.options.count {
                break;
            }
        }
        cursor
    }

    fn take(&mut self, item: Item<'_>) {
        self.seen += 1;
        let wanted = |name: &[u8]| {
            let pattern = self.options.pattern;
            (pattern.is_none_or(|pattern| matches(pattern, name)))
                .then(|| Bytes::copy_from_slice(name))
        };
        let Some(name) = item.name.with_bytes(wanted) else {
            return;
        };
        self.texts.push(name);
        if self.options.values {
            self.texts.push(match item.value {
                Text::Shared(bytes) => bytes.clone(),
                text => text.with(Bytes::copy_from_slice),
            });
        }
    }
}

pub(super) fn hscan(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let start = cursor(argv.get(2))?;
    let (key, alone, now) = (ctx.key(argv), ctx.alone, ctx.db.now);
    let Some(hash) = ctx.db.hash(key)? else {
        ctx.reply.array(2);
        ctx.reply.bulk(b"0");
        ctx.reply.array(0);
        return Ok(());
    };
    // Redis looks at the options only when there is a hash.
    let options = Options::parse(Args::from(argv, 3))?;
    let cost = options.cost(&hash);
    afford(alone, cost)?;
    let mut found = Found {
        options,
        texts: Vec::new(),
        seen: 0,
    };
    let next = if cost <= LIGHT_COST {
        found.walk(&hash, start, now)
    } else {
        let image = hash.image();
        ctx.db.release();
        found.walk(&image, start, now)
    };
    ctx.reply.array(2);
    ctx.reply.bulk(next.to_string().as_bytes());
    ctx.reply.array(found.texts.len());
    (found.texts.iter()).for_each(|text| ctx.reply.bulk_shared(text));
    Ok(())
}
