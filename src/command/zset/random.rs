//! ZRANDMEMBER: elements by random ranks.

use std::collections::HashSet;

use crate::base::rng::Rng;
use crate::command::args::Args;
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome, afford};
use crate::command::error::Error;
use crate::command::scored::{element, elements, head, member};
use crate::ds::zset::{Entry, ZSet};
use crate::resp::{Argv, Reply};

/// Distinct ranks are drawn until there are enough, if at most one in so many is
/// wanted; else those that are not wanted are shuffled out.
const SPARSE: usize = 3;

pub fn zrandmember(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let args = Args::from(argv, 2);
    if !args.is_done() {
        return many(ctx, argv, args);
    }
    let key = ctx.key(argv);
    let Some(zset) = ctx.db.zset(key)? else {
        ctx.reply.null();
        return Ok(());
    };
    let rank = ctx.rng.below(zset.len() as u64) as usize;
    match zset.range(rank..rank + 1).next() {
        Some(entry) => member(ctx.reply, entry.member),
        None => ctx.reply.null(),
    }
    Ok(())
}

/// The count, and whether scores are wanted.
fn options(mut args: Args<'_>) -> Result<(i64, bool), Error> {
    const RANGE: Error = Error::text(
        "ERR value is out of range, value must between \
         -9223372036854775807 and 9223372036854775807",
    );
    let count = args.int()?;
    if count == i64::MIN {
        return Err(RANGE);
    }
    let with_scores = args.word("WITHSCORES");
    args.end()?;
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(Error::text("ERR value is out of range"));
    }
    Ok((count, with_scores))
}

fn many(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, args: Args<'_>) -> Outcome {
    let (count, with_scores) = options(args)?;
    let key = ctx.key(argv);
    let alone = ctx.alone;
    let Some(zset) = ctx.db.zset(key)? else {
        ctx.reply.array(0);
        return Ok(());
    };
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let distinct = count > 0;
    let cost = if distinct {
        wanted.min(zset.len())
    } else {
        wanted
    };
    afford(alone, cost)?;
    if cost <= LIGHT_COST {
        draw(ctx.reply, ctx.rng, &zset, (wanted, distinct), with_scores);
        return Ok(());
    }
    let image = zset.image();
    ctx.db.release();
    draw(ctx.reply, ctx.rng, &image, (wanted, distinct), with_scores);
    Ok(())
}

/// Answers with `count` elements, no two alike if `distinct`.
fn draw(
    reply: &mut Reply,
    rng: &mut Rng,
    zset: &ZSet,
    (count, distinct): (usize, bool),
    with_scores: bool,
) {
    let len = zset.len();
    if distinct && count >= len {
        return elements(reply, zset.iter(), with_scores);
    }
    // A packed set is walked once, and not for each rank.
    let packed: Option<Vec<Entry<'_>>> = zset.listpack().map(|_| zset.iter().collect());
    let entry = |rank: usize| match &packed {
        Some(entries) => entries.get(rank).copied(),
        None => zset.get(rank),
    };
    if distinct {
        let ranks = distinct_ranks(rng, len, count);
        let entries: Vec<Entry<'_>> = ranks.into_iter().filter_map(entry).collect();
        return elements(reply, entries.into_iter(), with_scores);
    }
    head(reply, count, with_scores);
    for _ in 0..count {
        if reply.dropped() > 0 {
            return;
        }
        if let Some(entry) = entry(rng.below(len as u64) as usize) {
            element(reply, entry.member, entry.score, with_scores);
        }
    }
}

/// `count` distinct numbers below `len`, each choice equally likely.
fn distinct_ranks(rng: &mut Rng, len: usize, count: usize) -> Vec<usize> {
    if count * SPARSE <= len {
        let mut seen = HashSet::with_capacity(count);
        let mut ranks = Vec::with_capacity(count);
        while ranks.len() < count {
            let rank = rng.below(len as u64) as usize;
            if seen.insert(rank) {
                ranks.push(rank);
            }
        }
        return ranks;
    }
    let mut ranks: Vec<usize> = (0..len).collect();
    for at in 0..count {
        let other = at + rng.below((len - at) as u64) as usize;
        ranks.swap(at, other);
    }
    ranks.truncate(count);
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_distinct_and_all_come() {
        let mut rng = Rng::seeded(7);
        for (len, count) in [(10, 1), (10, 3), (10, 9), (1000, 300), (1000, 700)] {
            let mut seen = vec![0; len];
            for _ in 0..20_000 / len {
                let ranks = distinct_ranks(&mut rng, len, count);
                assert_eq!(ranks.len(), count);
                let set: HashSet<_> = ranks.iter().copied().collect();
                assert_eq!(set.len(), count);
                ranks.iter().for_each(|rank| seen[*rank] += 1);
            }
            assert!(seen.iter().all(|times| *times > 0), "{len} {count}");
        }
    }
}
