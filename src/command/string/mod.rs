//! The string commands: GET, SET and their kin, counters, ranges.
//!
//! A large value is never copied under a lock: SET keeps the buffer it was
//! received in, GET shares it with the reply.

mod compare;
mod lcs;
mod options;
mod rows;
#[cfg(test)]
mod tests;

pub use rows::SPECS;

use super::args::{Args, value};
use super::ctx::{Ctx, Outcome};
use super::error::Error;
use super::image::BYTES_PER_COST;
use crate::base::float::Extended;
use crate::resp::{Argv, Reply};
use crate::store::entry::Type;
use crate::store::string::{SetIf, StrRef};
use crate::store::{self, Key, Ttl};
use compare::{delex, delifeq, digest};
use lcs::lcs;
use options::{Expiry, Of, Options, Unit};

fn write_string(reply: &mut Reply, string: StrRef<'_>) {
    match string {
        StrRef::Int(int) => reply.bulk_int(int),
        StrRef::Bytes(bytes) => reply.bulk(bytes),
        StrRef::Shared(bytes) => reply.bulk_shared(bytes),
    }
}

/// Replies the string at `key`, or null; whether there is one.
fn reply_string(ctx: &mut Ctx<'_, '_>, key: Key<'_>) -> Result<bool, store::Error> {
    let found = ctx.db.string(key)?;
    match &found {
        Some(string) => write_string(ctx.reply, string.get()),
        None => ctx.reply.null(),
    }
    Ok(found.is_some())
}

fn get(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    reply_string(ctx, key)?;
    Ok(())
}

fn set(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    // Nearly every SET has no options.
    if argv.len() == 3 {
        ctx.db.set(ctx.key(argv), value(argv, 2), Ttl::Clear);
        ctx.reply.ok();
        return Ok(());
    }
    set_with_options(ctx, argv)
}

fn set_with_options(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let options = Options::parse(Args::from(argv, 3), Of::Set)?;
    let ttl = options.ttl(ctx.db.now, "set")?;
    let key = ctx.key(argv);
    let allowed = match options.compare {
        None => ctx.db.set_allowed(key, options.condition),
        Some(compare) => {
            let found = compare.check(ctx, key)?;
            found.unwrap_or(compare.admits_absence())
        }
    };
    if options.get {
        reply_string(ctx, key)?;
    }
    if allowed {
        let value = value(argv, 2);
        if options.compare.is_some() {
            ctx.db.log_set(key, &value, ttl);
        }
        ctx.db.set(key, value, ttl);
    }
    match (options.get, allowed) {
        (true, _) => {}
        (false, true) => ctx.reply.ok(),
        (false, false) => ctx.reply.null(),
    }
    Ok(())
}

fn setnx(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let allowed = ctx.db.set_allowed(key, SetIf::Absent);
    if allowed {
        ctx.db.set(key, value(argv, 2), Ttl::Clear);
    }
    ctx.reply.int(i64::from(allowed));
    Ok(())
}

/// SETEX and PSETEX: key, time, value.
fn set_expiring(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, unit: Unit) -> Outcome {
    let text = argv.get(2);
    let at = Expiry { unit, text }.at(ctx.db.now, &ctx.command.full_name)?;
    ctx.db.set(ctx.key(argv), value(argv, 3), Ttl::At(at));
    ctx.reply.ok();
    Ok(())
}

fn setex(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    set_expiring(ctx, argv, Unit::EX)
}

fn psetex(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    set_expiring(ctx, argv, Unit::PX)
}

fn getset(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    reply_string(ctx, key)?;
    ctx.db.set(key, value(argv, 2), Ttl::Clear);
    Ok(())
}

fn getdel(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    match ctx.db.get_delete(ctx.key(argv))? {
        Some(old) => ctx.reply.bulk_shared(&old),
        None => ctx.reply.null(),
    }
    Ok(())
}

fn getex(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let options = Options::parse(Args::from(argv, 2), Of::GetEx)?;
    let key = ctx.key(argv);
    // Redis looks at the time only when there is a string to give it to.
    let at = match options.expiry {
        Some(expiry) if ctx.db.expect_type(key, Type::String)? => {
            Some(expiry.at(ctx.db.now, "getex")?)
        }
        _ => None,
    };
    if !reply_string(ctx, key)? {
        return Ok(());
    }
    if let Some(at) = at {
        ctx.db.expire(key, at, Default::default());
    } else if options.persist && ctx.db.persist(key) {
        ctx.db.log_instead(&[b"PERSIST", key.bytes]);
    }
    Ok(())
}

fn mget(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let count = argv.len() - 1;
    ctx.afford(count)?;
    ctx.reply.array(count);
    for nth in 0..count {
        let key = ctx.nth_key(argv, nth, nth + 1);
        match ctx.db.string(key) {
            Ok(Some(string)) => write_string(ctx.reply, string.get()),
            Ok(None) | Err(_) => ctx.reply.null(),
        }
    }
    Ok(())
}

/// MSET and MSETNX; whether the keys were set.
fn set_pairs(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, condition: SetIf) -> Result<bool, super::Stop> {
    if argv.len().is_multiple_of(2) {
        return Err(Error::Arity(ctx.command.full_name.clone()).into());
    }
    let count = argv.len() / 2;
    ctx.afford(count)?;
    let hashes = ctx.hashes;
    let pairs = (0..count).map(|nth| {
        let bytes = argv.get(1 + 2 * nth);
        let hash = hashes[nth];
        (Key { bytes, hash }, value(argv, 2 + 2 * nth))
    });
    Ok(ctx.db.set_many(pairs, condition, Ttl::Clear))
}

fn mset(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    set_pairs(ctx, argv, SetIf::Always)?;
    ctx.reply.ok();
    Ok(())
}

fn msetnx(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let done = set_pairs(ctx, argv, SetIf::Absent)?;
    ctx.reply.int(i64::from(done));
    Ok(())
}

fn msetex(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const KEYS: Error = Error::text("ERR invalid numkeys value or out of range");
    let count = Args::from(argv, 1).size_or(KEYS)?;
    if count == 0 || i32::try_from(count).is_err() {
        return Err(KEYS.into());
    }
    if 2 + 2 * count > argv.len() {
        return Err(Error::Syntax.into());
    }
    let options = Options::parse(Args::from(argv, 2 + 2 * count), Of::MSetEx)?;
    let ttl = options.ttl(ctx.db.now, "msetex")?;
    ctx.afford(count)?;
    let hashes = ctx.hashes;
    let pairs = (0..count).map(|nth| {
        let bytes = argv.get(2 + 2 * nth);
        let hash = hashes[nth];
        (Key { bytes, hash }, value(argv, 3 + 2 * nth))
    });
    let done = ctx.db.set_many(pairs, options.condition, ttl);
    ctx.reply.int(i64::from(done));
    Ok(())
}

// Counters.

#[inline]
fn add(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, delta: i64) -> Outcome {
    let sum = ctx.db.increment(ctx.key(argv), delta)?;
    ctx.reply.int(sum);
    Ok(())
}

fn incr(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    add(ctx, argv, 1)
}

fn decr(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    add(ctx, argv, -1)
}

fn incrby(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let delta = Args::from(argv, 2).int()?;
    add(ctx, argv, delta)
}

fn decrby(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let delta = Args::from(argv, 2).int()?;
    let delta = (delta.checked_neg()).ok_or(store::Error::DecrementOverflow)?;
    add(ctx, argv, delta)
}

fn incrbyfloat(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    // A wrong type is told before a wrong number.
    ctx.db.expect_type(key, Type::String)?;
    let delta = Extended::parse(argv.get(2)).ok_or(store::Error::NotFloat)?;
    let sum = ctx.db.increment_float(key, delta)?;
    ctx.reply.bulk(&sum);
    Ok(())
}

// Parts.

fn strlen(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let len = (ctx.db.string(key)?).map_or(0, |string| string.len());
    ctx.reply.len(len);
    Ok(())
}

fn append(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let copied = ctx.db.string_edit_bytes(ctx.key(argv), 0)?;
    ctx.afford(copied / BYTES_PER_COST)?;
    let len_max = ctx.string_max();
    let len = (ctx.db).append(ctx.key(argv), argv.get(2), len_max)?;
    ctx.reply.len(len);
    Ok(())
}

fn setrange(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let offset = Args::from(argv, 2).int()?;
    let offset = usize::try_from(offset).map_err(|_| store::Error::OffsetOutOfRange)?;
    // A far offset has much to fill with zero bytes.
    let end = offset.saturating_add(argv.get(3).len());
    let bytes = ctx.db.string_edit_bytes(ctx.key(argv), end)?;
    ctx.afford(bytes / BYTES_PER_COST)?;
    let len_max = ctx.string_max();
    let len = (ctx.db).set_range(ctx.key(argv), offset, argv.get(3), len_max)?;
    ctx.reply.len(len);
    Ok(())
}

fn getrange(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 2);
    let (start, end) = (args.int()?, args.int()?);
    let key = ctx.key(argv);
    let Some(string) = ctx.db.string(key)? else {
        ctx.reply.bulk(b"");
        return Ok(());
    };
    let range = byte_range(start, end, string.len());
    match string.get() {
        StrRef::Shared(bytes) => ctx.reply.bulk_shared(&bytes.slice(range)),
        _ => string.with(|bytes| ctx.reply.bulk(&bytes[range])),
    }
    Ok(())
}

fn substr(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    getrange(ctx, argv)
}

/// The bytes that a signed, inclusive range names. An end before the first byte
/// counts as the first byte, as in Redis.
fn byte_range(start: i64, end: i64, len: usize) -> std::ops::Range<usize> {
    if len == 0 || (start < 0 && end < 0 && start > end) {
        return 0..0;
    }
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_head = |at: i64| if at < 0 { at + len } else { at }.max(0);
    let (start, end) = (from_head(start), from_head(end).min(len - 1));
    if start > end {
        return 0..0;
    }
    start as usize..end as usize + 1
}
