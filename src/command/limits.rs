//! `max-value-bytes` and `max-collection-elements`: what a single value may grow to.
//!
//! Checked before a command that may make the data grow, by its arguments and by the
//! collections that it adds to: what it brings is counted as if all of it were new.
//! Results of long commands (SUNIONSTORE, SORT STORE) are not checked, nor is RESTORE's
//! inside. Without limits nothing of this is looked at.

use std::sync::atomic::Ordering::Relaxed;

use super::ctx::Ctx;
use super::error::Error;
use super::spec::{Group, KeyFlag, KeySpec};
use crate::base::clock::Millis;
use crate::config::{Config, Id};
use crate::resp::Argv;

/// Time between two warnings in the log.
const WARNING_MS_MIN: i64 = 1_000;

/// Whether there is any limit.
pub fn are_set(config: &Config) -> bool {
    config.int(Id::MAX_VALUE_BYTES) > 0 || config.int(Id::MAX_COLLECTION_ELEMENTS) > 0
}

/// Refuses a command that goes past a limit, or says so in the log.
///
/// # Errors
/// The reply of a command that is refused.
#[cold]
pub fn check(ctx: &Ctx<'_, '_>, argv: Argv<'_>) -> Result<(), Error> {
    let Err(error) = bytes(ctx, argv).and_then(|()| elements(ctx, argv)) else {
        return Ok(());
    };
    if ctx.services.config.choice(Id::VALUE_LIMITS_ACTION) == "refuse" {
        return Err(error);
    }
    warn(ctx, &error, ctx.db.now);
    Ok(())
}

/// No argument is longer than a value may be.
fn bytes(ctx: &Ctx<'_, '_>, argv: Argv<'_>) -> Result<(), Error> {
    let max = ctx.services.config.size(Id::MAX_VALUE_BYTES);
    if max == 0 || argv.iter().all(|arg| arg.len() <= max) {
        return Ok(());
    }
    let text = format!("LIMIT value is longer than max-value-bytes ({max})");
    Err(Error::Text(text.into()))
}

/// No collection that is added to gets more elements than it may have.
fn elements(ctx: &Ctx<'_, '_>, argv: Argv<'_>) -> Result<(), Error> {
    let max = ctx.services.config.size(Id::MAX_COLLECTION_ELEMENTS);
    if max == 0 {
        return Ok(());
    }
    let mut nth = 0;
    for keys in ctx.command.spec.keys {
        let grows = adds_to(keys);
        let mut over = false;
        keys.positions(argv, |at| {
            let key = ctx.nth_key(argv, nth, at);
            nth += 1;
            if grows {
                let present = ctx.db.peek(key).map_or(0, |entry| entry.value().elements());
                over |= present + added(ctx, argv) > max;
            }
        });
        if over {
            let text = format!("LIMIT collection has max-collection-elements ({max})");
            return Err(Error::Text(text.into()));
        }
    }
    Ok(())
}

/// Whether elements come to what is there under these keys.
fn adds_to(keys: &KeySpec) -> bool {
    let has = |flag| keys.flags.contains(&flag);
    has(KeyFlag::Rw) && (has(KeyFlag::Insert) || has(KeyFlag::Update))
}

/// How many elements the command's arguments are, at the most.
fn added(ctx: &Ctx<'_, '_>, argv: Argv<'_>) -> usize {
    let args = argv.len() - 2;
    match ctx.command.spec.group {
        Group::List | Group::Set => args,
        Group::Hash | Group::SortedSet => args.div_ceil(2),
        Group::Geo => args / 3,
        Group::Stream => 1,
        _ => 0,
    }
}

fn warn(ctx: &Ctx<'_, '_>, error: &Error, now: Millis) {
    let last = &ctx.services.observed.limit_warned;
    if (0..WARNING_MS_MIN).contains(&(now - last.load(Relaxed))) {
        return;
    }
    last.store(now, Relaxed);
    let line = error.line();
    log::warn!(
        "{} from {}: {}",
        ctx.command.full_name,
        ctx.session.client.address,
        String::from_utf8_lossy(&line)
    );
}
