//! When keys expire: setting and telling it.
//!
//! Whatever a client says, the store knows absolute milliseconds only.

use crate::base::clock::Millis;
use crate::command::args::Args;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::resp::Argv;
use crate::resp::write::error_text;
use crate::store::expire::ExpireIf;

/// Reads NX, XX, GT and LT, and says which do not go together.
fn condition(mut args: Args<'_>) -> Result<ExpireIf, Error> {
    let mut only = ExpireIf::default();
    while !args.is_done() {
        if args.word("NX") {
            only.absent = true;
        } else if args.word("XX") {
            only.present = true;
        } else if args.word("GT") {
            only.greater = true;
        } else if args.word("LT") {
            only.less = true;
        } else {
            let text = error_text(&[b"ERR Unsupported option ", args.bytes()?]);
            return Err(Error::Bytes(text));
        }
    }
    if only.absent && (only.present || only.greater || only.less) {
        return Err(Error::text(
            "ERR NX and XX, GT or LT options at the same time are not compatible",
        ));
    }
    if only.greater && only.less {
        return Err(Error::text(
            "ERR GT and LT options at the same time are not compatible",
        ));
    }
    Ok(only)
}

/// EXPIRE and its variants: the time counts from `base` in units of `scale`
/// milliseconds.
fn set_expiry(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, base: Millis, scale: i64) -> Outcome {
    let condition = condition(Args::from(argv, 3))?;
    let at = (Args::from(argv, 2).int()?)
        .checked_mul(scale)
        .and_then(|millis| millis.checked_add(base))
        .ok_or(Error::InvalidExpire(&ctx.command.full_name))?;
    let done = ctx.db.expire(ctx.key(argv), at, condition);
    ctx.reply.int(i64::from(done));
    Ok(())
}

pub fn expire(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    set_expiry(ctx, argv, ctx.db.now, 1000)
}

pub fn pexpire(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    set_expiry(ctx, argv, ctx.db.now, 1)
}

pub fn expireat(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    set_expiry(ctx, argv, 0, 1000)
}

pub fn pexpireat(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    set_expiry(ctx, argv, 0, 1)
}

pub fn persist(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let done = ctx.db.persist(ctx.key(argv));
    ctx.reply.int(i64::from(done));
    Ok(())
}

/// TTL and its variants: -2 without the key, -1 if it lives for ever, else what
/// `tell` makes of its time.
fn tell_expiry(
    ctx: &mut Ctx<'_, '_>,
    argv: Argv<'_>,
    tell: impl FnOnce(Millis) -> Millis,
) -> Outcome {
    let answer = match ctx.db.expiry(ctx.key(argv)) {
        None => -2,
        Some(None) => -1,
        Some(Some(at)) => tell(at),
    };
    ctx.reply.int(answer);
    Ok(())
}

/// Milliseconds as seconds, rounded to nearest as Redis does.
fn seconds(millis: Millis) -> i64 {
    millis.saturating_add(500) / 1000
}

pub fn ttl(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let now = ctx.db.now;
    tell_expiry(ctx, argv, |at| seconds(at - now))
}

pub fn pttl(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let now = ctx.db.now;
    tell_expiry(ctx, argv, |at| at - now)
}

pub fn expiretime(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    tell_expiry(ctx, argv, seconds)
}

pub fn pexpiretime(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    tell_expiry(ctx, argv, |at| at)
}
