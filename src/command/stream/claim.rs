//! XCLAIM and XAUTOCLAIM: taking over what is pending with others.

use super::options::{entry_id, interval_start};
use super::{no_group, write_entry, write_id};
use crate::base::num;
use crate::command::args::Args;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::ds::stream::StreamId;
use crate::resp::{Argv, Reply};
use crate::store::stream::{AutoClaim, Claim, Claimed};

/// What XCLAIM is told behind the ids.
#[derive(Clone, Copy, Debug, Default)]
struct ClaimOptions {
    just_id: bool,
    force: bool,
    time: Option<i64>,
    /// At least 0.
    retry_count: Option<i64>,
    last_id: Option<StreamId>,
}

impl ClaimOptions {
    fn parse(mut args: Args<'_>, now: i64) -> Result<ClaimOptions, Error> {
        const IDLE: Error = Error::text("ERR Invalid IDLE option argument for XCLAIM");
        const TIME: Error = Error::text("ERR Invalid TIME option argument for XCLAIM");
        const RETRY: Error = Error::text("ERR Invalid RETRYCOUNT option argument for XCLAIM");
        let mut options = ClaimOptions::default();
        while let Some(word) = args.peek() {
            let valued = args.left() > 1;
            if args.word("FORCE") {
                options.force = true;
            } else if args.word("JUSTID") {
                options.just_id = true;
            } else if valued && args.word("IDLE") {
                options.time = Some(now.wrapping_sub(args.int_or(IDLE)?));
            } else if valued && args.word("TIME") {
                options.time = Some(args.int_or(TIME)?);
            } else if valued && args.word("RETRYCOUNT") {
                options.retry_count = Some(args.int_or(RETRY)?).filter(|&count| count >= 0);
            } else if valued && args.word("LASTID") {
                options.last_id = Some(entry_id(args.bytes()?)?);
            } else {
                let text = [b"ERR Unrecognized XCLAIM option '", word, b"'"];
                return Err(super::quoting(&text));
            }
        }
        Ok(options)
    }

    /// When the entries count as delivered: a time that cannot be is now. With LASTID
    /// the command repeats what was decided elsewhere, and the time is as it was.
    fn time(&self, now: i64) -> i64 {
        match self.time {
            Some(time) if time >= 0 && (time <= now || self.last_id.is_some()) => time,
            _ => now,
        }
    }
}

/// Claimed entries, or their ids alone.
fn write_claimed(reply: &mut Reply, claimed: &Claimed, just_id: bool) {
    reply.array(claimed.ids.len());
    for &id in &claimed.ids {
        match claimed.entries.get(id) {
            Some(entry) if !just_id => write_entry(reply, &entry),
            _ => write_id(reply, id),
        }
    }
}

/// An idle time, at least 0.
fn min_idle(text: &[u8], error: Error) -> Result<i64, Error> {
    let idle = num::parse_i64(text).ok_or(error)?;
    Ok(idle.max(0))
}

pub fn xclaim(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const IDLE: Error = Error::text("ERR Invalid min-idle-time argument for XCLAIM");
    let (key, group, now) = (ctx.key(argv), argv.get(2), ctx.db.now);
    let known = (ctx.db.stream(key)?).is_some_and(|stream| stream.group(group).is_some());
    // Redis looks at the rest only when there is a group.
    if !known {
        return Err(no_group(key.bytes, group, "").into());
    }
    let min_idle = min_idle(argv.get(4), IDLE)?;
    // The ids end where an argument is none.
    let ids: Vec<StreamId> = (argv.from(5).iter())
        .map_while(|text| entry_id(text).ok())
        .collect();
    let options = ClaimOptions::parse(Args::from(argv, 5 + ids.len()), now)?;
    ctx.afford(ids.len())?;
    let claim = Claim {
        group,
        consumer: argv.get(3),
        min_idle,
        time: options.time(now),
        count: options.retry_count,
        counts: !options.just_id,
        force: options.force,
        last_id: options.last_id.unwrap_or_default(),
    };
    match ctx.db.group_claim(key, &claim, &ids)? {
        Some(claimed) => write_claimed(ctx.reply, &claimed, options.just_id),
        None => return Err(no_group(key.bytes, group, "").into()),
    }
    Ok(())
}

/// The count and JUSTID of XAUTOCLAIM.
fn auto_options(mut args: Args<'_>) -> Result<(usize, bool), Error> {
    const COUNT: Error = Error::text("ERR COUNT must be > 0");
    /// Redis keeps room for so many ids.
    const COUNT_MAX: usize = i64::MAX as usize / 16;
    const COUNT_DEFAULT: usize = 100;
    let (mut count, mut just_id) = (COUNT_DEFAULT, false);
    while !args.is_done() {
        if args.left() > 1 && args.word("COUNT") {
            count = args.size_or(COUNT)?;
            if !(1..=COUNT_MAX).contains(&count) {
                return Err(COUNT);
            }
        } else if args.word("JUSTID") {
            just_id = true;
        } else {
            return Err(Error::Syntax);
        }
    }
    Ok((count, just_id))
}

pub fn xautoclaim(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const IDLE: Error = Error::text("ERR Invalid min-idle-time argument for XAUTOCLAIM");
    let min_idle = min_idle(argv.get(4), IDLE)?;
    let start = interval_start(argv.get(5))?;
    let (count, just_id) = auto_options(Args::from(argv, 6))?;
    let (key, group) = (ctx.key(argv), argv.get(2));
    let pending = {
        let stream = ctx.db.stream(key)?;
        (stream.as_ref())
            .and_then(|stream| stream.group(group))
            .map(|group| group.pending_len())
    };
    let pending = pending.ok_or_else(|| no_group(key.bytes, group, ""))?;
    ctx.afford(pending.min(count))?;
    let search = AutoClaim {
        group,
        consumer: argv.get(3),
        min_idle,
        start,
        count,
        counts: !just_id,
    };
    let Some(found) = ctx.db.group_auto_claim(key, &search)? else {
        return Err(no_group(key.bytes, group, "").into());
    };
    ctx.reply.array(3);
    write_id(ctx.reply, found.next);
    write_claimed(ctx.reply, &found.claimed, just_id);
    ctx.reply.array(found.gone.len());
    (found.gone.iter()).for_each(|id| write_id(ctx.reply, *id));
    Ok(())
}
