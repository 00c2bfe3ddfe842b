//! The sorted set commands on ranges: by rank, by score, by text.
//!
//! All of them become ranks first, by two descents of the tree; so a count costs
//! nothing more, an offset is an addition, and what is read or removed is known before
//! it is begun.

mod rows;

pub use rows::SPECS;

use crate::base::float;
use crate::command::args::Args;
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome};
use crate::command::error::Error;
use crate::command::scored::{elements, read_zset};
use crate::ds::zset::{LexBound, LexRange, ScoreRange, Span, ZSet};
use crate::resp::Argv;
use crate::store::zset::{Slice, taken};

/// What the ranks, scores or texts of a range are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

// The ends of ranges.

/// A score at the end of a range, and whether it is left out. Read as C's strtod does
/// for Redis: blanks before it are passed, nothing at all is 0, and what is too large
/// is infinite.
fn score_bound(text: &[u8]) -> Option<(f64, bool)> {
    let (open, text) = match text {
        [b'(', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if text.is_empty() {
        return Some((0.0, open));
    }
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let blanks = text.iter().take_while(|byte| is_blank(byte)).count();
    let text = &text[blanks..];
    let score = float::parse_f64(text).or_else(|| std::str::from_utf8(text).ok()?.parse().ok())?;
    (!score.is_nan()).then_some((score, open))
}

fn score_range(min: &[u8], max: &[u8]) -> Result<Span<'static>, Error> {
    let bounds = score_bound(min).zip(score_bound(max));
    let Some(((min, min_open), (max, max_open))) = bounds else {
        return Err(Error::text("ERR min or max is not a float"));
    };
    Ok(Span::Score(ScoreRange {
        min,
        min_open,
        max,
        max_open,
    }))
}

fn lex_bound(text: &[u8]) -> Option<LexBound<'_>> {
    match text {
        b"-" => Some(LexBound::Least),
        b"+" => Some(LexBound::Greatest),
        [b'[', rest @ ..] => Some(LexBound::Closed(rest)),
        [b'(', rest @ ..] => Some(LexBound::Open(rest)),
        _ => None,
    }
}

fn lex_range<'a>(min: &'a [u8], max: &'a [u8]) -> Result<Span<'a>, Error> {
    let Some((min, max)) = lex_bound(min).zip(lex_bound(max)) else {
        return Err(Error::text("ERR min or max not valid string range item"));
    };
    Ok(Span::Lex(LexRange { min, max }))
}

fn slice<'a>(by: By, min: &'a [u8], max: &'a [u8]) -> Result<Slice<'a>, Error> {
    Ok(match by {
        By::Score => Slice::Span(score_range(min, max)?),
        By::Lex => Slice::Span(lex_range(min, max)?),
        By::Rank => {
            let int = |text| crate::base::num::parse_i64(text);
            let ranks = int(min).zip(int(max));
            let (start, stop) = ranks.ok_or(Error::Store(crate::store::Error::NotInteger))?;
            Slice::Ranks(start, stop)
        }
    })
}

// Reading.

/// A range as the commands of the ZRANGE family name it.
struct Request<'a> {
    slice: Slice<'a>,
    reverse: bool,
    offset: usize,
    count: usize,
    with_scores: bool,
}

/// What is known of a request by the command's name.
#[derive(Clone, Copy)]
struct Form {
    by: Option<By>,
    reverse: Option<bool>,
    stores: bool,
}

impl<'a> Request<'a> {
    /// Reads the arguments from the first bound on.
    fn parse(mut args: Args<'a>, form: Form) -> Result<Request<'a>, Error> {
        let (first, second) = (args.bytes()?, args.bytes()?);
        let (mut by, mut reverse, mut with_scores) = (form.by, form.reverse, false);
        let (mut offset, mut count) = (0, -1);
        while !args.is_done() {
            if !form.stores && args.word("WITHSCORES") {
                with_scores = true;
            } else if args.left() > 2 && args.word("LIMIT") {
                (offset, count) = (args.int()?, args.int()?);
            } else if reverse.is_none() && args.word("REV") {
                reverse = Some(true);
            } else if by.is_none() && args.word("BYLEX") {
                by = Some(By::Lex);
            } else if by.is_none() && args.word("BYSCORE") {
                by = Some(By::Score);
            } else {
                return Err(Error::Syntax);
            }
        }
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        check(by, count, with_scores)?;
        // By score and by text the greater bound comes first in reverse.
        let (min, max) = match reverse && by != By::Rank {
            true => (second, first),
            false => (first, second),
        };
        // By rank there is no limit; one that says nothing is let pass.
        let offset = if by == By::Rank { 0 } else { offset };
        Ok(Request {
            slice: slice(by, min, max)?,
            reverse,
            offset: usize::try_from(offset).unwrap_or(usize::MAX),
            count: usize::try_from(count).unwrap_or(usize::MAX),
            with_scores,
        })
    }

    fn ranks(&self, zset: &ZSet) -> std::ops::Range<usize> {
        (self.slice).limited(zset, self.reverse, self.offset, self.count)
    }
}

fn check(by: By, count: i64, with_scores: bool) -> Result<(), Error> {
    if by == By::Rank && count != -1 {
        return Err(Error::text(
            "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        ));
    }
    if by == By::Lex && with_scores {
        return Err(Error::text(
            "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
        ));
    }
    Ok(())
}

fn read(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, by: Option<By>, reverse: Option<bool>) -> Outcome {
    let form = Form {
        by,
        reverse,
        stores: false,
    };
    let request = Request::parse(Args::from(argv, 2), form)?;
    let key = ctx.key(argv);
    let found = read_zset(
        ctx,
        key,
        |zset| request.ranks(zset).len(),
        |reply, zset| {
            let entries = zset.range(request.ranks(zset));
            if request.reverse {
                elements(reply, entries.rev(), request.with_scores);
            } else {
                elements(reply, entries, request.with_scores);
            }
        },
    )?;
    if !found {
        ctx.reply.array(0);
    }
    Ok(())
}

fn zrange(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    read(ctx, argv, None, None)
}

fn zrevrange(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    read(ctx, argv, Some(By::Rank), Some(true))
}

fn zrangebyscore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    read(ctx, argv, Some(By::Score), Some(false))
}

fn zrevrangebyscore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    read(ctx, argv, Some(By::Score), Some(true))
}

fn zrangebylex(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    read(ctx, argv, Some(By::Lex), Some(false))
}

fn zrevrangebylex(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    read(ctx, argv, Some(By::Lex), Some(true))
}

fn zrangestore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let form = Form {
        by: None,
        reverse: None,
        stores: true,
    };
    let request = Request::parse(Args::from(argv, 3), form)?;
    let (to, from) = (ctx.nth_key(argv, 0, 1), ctx.nth_key(argv, 1, 2));
    let cost = (ctx.db.peek_zset(from)?).map_or(0, |zset| request.ranks(&zset).len());
    ctx.afford(cost)?;
    let (limits, much) = (ctx.zset_limits(), cost > LIGHT_COST);
    let stored = ctx
        .db
        .zset_store_chosen((from, to), "zrangestore", limits, much, |zset| {
            zset.range(request.ranks(zset)).map(taken).collect()
        })?;
    ctx.reply.len(stored);
    Ok(())
}

// Counting and removing.

fn count(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, by: By) -> Outcome {
    let slice = slice(by, argv.get(2), argv.get(3))?;
    let key = ctx.key(argv);
    let count = (ctx.db.zset(key)?).map_or(0, |zset| slice.ranks(&zset).len());
    ctx.reply.len(count);
    Ok(())
}

pub fn zcount(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    count(ctx, argv, By::Score)
}

pub fn zlexcount(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    count(ctx, argv, By::Lex)
}

fn remove(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, by: By) -> Outcome {
    let slice = slice(by, argv.get(2), argv.get(3))?;
    let key = ctx.key(argv);
    let cost = (ctx.db.peek_zset(key)?).map_or(0, |zset| slice.ranks(&zset).len());
    ctx.afford(cost)?;
    let removed = ctx.db.zset_remove_slice(key, slice)?;
    ctx.reply.len(removed);
    Ok(())
}

fn zremrangebyrank(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    remove(ctx, argv, By::Rank)
}

fn zremrangebyscore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    remove(ctx, argv, By::Score)
}

fn zremrangebylex(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    remove(ctx, argv, By::Lex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_scores_are_read_as_by_strtod() {
        for (text, want) in [
            ("1.5", Some((1.5, false))),
            ("(1", Some((1.0, true))),
            ("(-inf", Some((f64::NEG_INFINITY, true))),
            ("+inf", Some((f64::INFINITY, false))),
            ("", Some((0.0, false))),
            ("(", Some((0.0, true))),
            (" 2", Some((2.0, false))),
            ("1e400", Some((f64::INFINITY, false))),
            ("2 ", None),
            (" ", None),
            ("nan", None),
            ("((1", None),
            ("abc", None),
        ] {
            assert_eq!(score_bound(text.as_bytes()), want, "{text:?}");
        }
    }

    #[test]
    fn bounds_of_texts() {
        assert_eq!(lex_bound(b"-"), Some(LexBound::Least));
        assert_eq!(lex_bound(b"+"), Some(LexBound::Greatest));
        assert_eq!(lex_bound(b"["), Some(LexBound::Closed(b"")));
        assert_eq!(lex_bound(b"(ab"), Some(LexBound::Open(b"ab")));
        for text in [&b""[..], b"a", b"-x", b"+x"] {
            assert_eq!(lex_bound(text), None);
        }
    }
}
