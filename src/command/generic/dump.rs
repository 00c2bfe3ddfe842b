//! DUMP and RESTORE: values as bytes that Redis and Valkey understand.
//!
//! A large value is written from an image, and a large payload is read, while no lock is
//! held.

use bytes::Bytes;

use crate::command::args::Args;
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome, afford};
use crate::command::error::Error;
use crate::config::Id;
use crate::ds::hash::Growth;
use crate::persist::rdb::Target;
use crate::persist::rdb::decode::Layout;
use crate::persist::rdb::payload::{self, Payload};
use crate::resp::Argv;
use crate::store::image::{Image, Restored};

/// Bytes of a value or payload that cost as much as one element of a collection:
/// compressing and checking them takes about 50 ns.
const COST_BYTES: usize = 16;

pub fn dump(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let config = &ctx.services.config;
    let target = Target::from_name(config.choice(Id::RDB_TARGET));
    let compress = config.flag(Id::RDBCOMPRESSION);
    let (key, alone, now) = (ctx.key(argv), ctx.alone, ctx.db.now);
    let Some(entry) = ctx.db.read(key) else {
        ctx.reply.null();
        return Ok(());
    };
    let cost = entry.mem_bytes() / COST_BYTES;
    afford(alone, cost)?;
    if cost <= LIGHT_COST {
        let payload = payload::write(entry.value(), now, target, compress);
        ctx.reply.bulk(&payload);
        return Ok(());
    }
    let image = Image::of(entry.value());
    ctx.db.release();
    if image.is_spent(now) {
        ctx.reply.null();
        return Ok(());
    }
    let payload = payload::write(image.value(), now, target, compress);
    ctx.reply.bulk_shared(&Bytes::from(payload));
    Ok(())
}

/// The options of RESTORE.
#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    idle_secs: Option<u64>,
    frequency: Option<u8>,
}

impl Options {
    fn read(mut args: Args<'_>) -> Result<Options, Error> {
        const IDLE: Error = Error::text("ERR Invalid IDLETIME value, must be >= 0");
        const FREQUENCY: Error = Error::text("ERR Invalid FREQ value, must be >= 0 and <= 255");
        let mut options = Options::default();
        while !args.is_done() {
            let valued = args.left() > 1;
            if args.word("REPLACE") {
                options.replace = true;
            } else if args.word("ABSTTL") {
                options.absolute = true;
            } else if valued && options.frequency.is_none() && args.word("IDLETIME") {
                options.idle_secs = Some(u64::try_from(args.int()?).map_err(|_| IDLE)?);
            } else if valued && options.idle_secs.is_none() && args.word("FREQ") {
                options.frequency = Some(u8::try_from(args.int()?).map_err(|_| FREQUENCY)?);
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }
}

pub fn restore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const BUSY: Error = Error::text("BUSYKEY Target key name already exists.");
    const TTL: Error = Error::text("ERR Invalid TTL value, must be >= 0");
    const ENVELOPE: Error = Error::text("ERR DUMP payload version or checksum are wrong");
    const VALUE: Error = Error::text("ERR Bad data format");
    let options = Options::read(Args::from(argv, 4))?;
    let (key, bytes) = (ctx.key(argv), argv.get(3));
    if !options.replace && ctx.db.peek(key).is_some() {
        return Err(BUSY.into());
    }
    let ttl = Args::from(argv, 2).int()?;
    if ttl < 0 {
        return Err(TTL.into());
    }
    let cost = bytes.len() / COST_BYTES;
    ctx.afford(cost)?;
    let layout = layout(ctx);
    let decode = || {
        let payload = Payload::open(bytes).ok_or(ENVELOPE)?;
        payload.value(&layout).map_err(|_| VALUE)
    };
    let image = if cost <= LIGHT_COST {
        decode()?
    } else {
        let footprint = ctx.db.locks.held();
        ctx.db.release();
        let image = decode()?;
        ctx.db.acquire(footprint);
        if !options.replace && ctx.db.peek(key).is_some() {
            return Err(BUSY.into());
        }
        image
    };
    let base = if options.absolute { 0 } else { ctx.db.now };
    let expire = (ttl > 0).then(|| ttl.saturating_add(base));
    let with = Restored {
        expire,
        idle_secs: options.idle_secs.unwrap_or(0),
    };
    let stored = ctx.db.restore(key, image, with);
    if let (true, Some(at), false) = (stored, expire, options.absolute) {
        let mut digits = itoa::Buffer::new();
        let at = digits.format(at).as_bytes();
        let words: [&[u8]; 6] = [b"RESTORE", key.bytes, at, bytes, b"ABSTTL", b"REPLACE"];
        ctx.db.log_instead(&words);
    }
    ctx.reply.ok();
    Ok(())
}

/// The settings that choose encodings.
fn layout<'s>(ctx: &Ctx<'s, '_>) -> Layout<'s> {
    Layout {
        list: ctx.list_limit(),
        hash: Growth {
            limit: ctx.hash_limit(),
            hasher: ctx.services.keyspace.hasher(),
        },
        set: ctx.set_rules(),
        zset: ctx.zset_limits(),
    }
}

#[cfg(test)]
mod tests;
