//! OBJECT: how a key's value is kept. Looking does not count as using.

use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::config::{Config, Id};
use crate::ds::table::Ref;
use crate::resp::Argv;
use crate::store::entry::{Entry, ValueRef};
use crate::store::usage;

/// Redis shares its small integers, and answers with this number of references.
const SHARED_REFERENCES: i64 = i32::MAX as i64;
const SHARED_INTEGERS: std::ops::Range<i64> = 0..10_000;

/// The entry of the key, argument 2; replies null without one.
fn entry<'c>(ctx: &'c mut Ctx<'_, '_>, argv: Argv<'_>) -> Option<Ref<'c, Entry>> {
    let key = ctx.nth_key(argv, 0, 2);
    let found = ctx.db.look(key);
    if found.is_none() {
        ctx.reply.null();
    }
    found
}

pub fn object_encoding(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let Some(name) = entry(ctx, argv).map(|entry| entry.encoding()) else {
        return Ok(());
    };
    ctx.reply.bulk(name.as_bytes());
    Ok(())
}

pub fn object_refcount(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let shares = shares_integers(&ctx.services.config);
    let count = entry(ctx, argv).map(|entry| match entry.value() {
        ValueRef::Int(int) if shares && SHARED_INTEGERS.contains(&int) => SHARED_REFERENCES,
        _ => 1,
    });
    if let Some(count) = count {
        ctx.reply.int(count);
    }
    Ok(())
}

pub fn object_idletime(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let Some(stamp) = entry(ctx, argv).map(|entry| entry.stamp()) else {
        return Ok(());
    };
    if ctx.lfu().is_some() {
        return Err(Error::text(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that \
             when switching between policies at runtime LRU and LFU data will take some time to \
             adjust.",
        )
        .into());
    }
    let idle = usage::idle_secs(stamp, ctx.db.now);
    ctx.reply.int(i64::from(idle));
    Ok(())
}

/// Integers that are shared cannot have a time of use each: with a policy that asks for
/// it Redis shares none.
fn shares_integers(config: &Config) -> bool {
    let policy = config.choice(Id::MAXMEMORY_POLICY);
    config.max_memory() == 0 || !(policy.ends_with("-lru") || policy.ends_with("-lfu"))
}

pub fn object_freq(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let Some(stamp) = entry(ctx, argv).map(|entry| entry.stamp()) else {
        return Ok(());
    };
    if let Some(lfu) = ctx.lfu() {
        let frequency = lfu.frequency(stamp, ctx.db.now);
        ctx.reply.int(i64::from(frequency));
        return Ok(());
    }
    Err(Error::text(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note \
         that when switching between policies at runtime LRU and LFU data will take some time \
         to adjust.",
    )
    .into())
}

pub fn object_help(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.reply.array(HELP.len());
    HELP.iter().for_each(|line| ctx.reply.simple(line));
    Ok(())
}

/// The words of Redis, which tools compare with.
const HELP: [&str; 15] = [
    "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
    "HELP",
    "    Prints this help.",
];
