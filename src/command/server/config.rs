//! CONFIG: the configuration over the wire. What a value means, how a change is
//! undone and how the file is written is all in `crate::config`.

use std::sync::Arc;

use crate::base::glob::{self, Case};
use crate::clients::Client;
use crate::command::ctx::{Ctx, Outcome, Stop};
use crate::command::error::Error;
use crate::command::help;
use crate::config::{Config, Id, Protected, rewrite};
use crate::resp::Argv;

pub(super) fn get(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let patterns: Vec<&[u8]> = argv.from(2).iter().collect();
    let found = ctx
        .services
        .config
        .get_matching(&patterns, |pattern, name| {
            glob::matches_case(pattern, name, Case::Insensitive)
        });
    ctx.reply.map(found.len());
    for (name, value) in &found {
        ctx.reply.bulk(name.as_bytes());
        ctx.reply.bulk(value);
    }
    Ok(())
}

pub(super) fn set(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let pairs: Vec<(&[u8], &[u8])> = (2..argv.len())
        .step_by(2)
        .map(|at| (argv.get(at), argv.get(at + 1)))
        .collect();
    if argv.len() % 2 == 1 {
        return Err(Error::Syntax.into());
    }
    let collects = |(name, _): &(&[u8], _)| name.eq_ignore_ascii_case(b"aof-disable-auto-gc");
    if !ctx.alone && pairs.iter().any(collects) {
        // It may remove files.
        return Err(Stop::Defer);
    }
    let (services, is_pinned) = (ctx.services, ctx.db.locks.is_pinned());
    let protected = if admits(
        &services.config,
        Id::ENABLE_PROTECTED_CONFIGS,
        &ctx.session.client,
    ) {
        Protected::Allowed
    } else {
        Protected::Refused
    };
    let mut apply = |id| match (id, services.aof()) {
        (Id::APPENDONLY, Some(aof)) => aof.switch(),
        (Id::APPENDFSYNC, Some(aof)) => {
            aof.apply_fsync();
            Ok(())
        }
        // Inside a transaction the next rewrite does.
        (Id::AOF_DISABLE_AUTO_GC, Some(aof)) if !is_pinned => {
            aof.collect();
            Ok(())
        }
        (Id::NOTIFY_KEYSPACE_EVENTS, _) => {
            (services.pubsub.events).set_classes(&services.config.text(id));
            Ok(())
        }
        _ => services.control.apply(id),
    };
    match services.config.set_many(&pairs, protected, &mut apply) {
        Ok(_) => ctx.reply.ok(),
        Err(error) => return Err(Error::Bytes(error.to_string().into_bytes()).into()),
    }
    Ok(())
}

/// Whether a `no|yes|local` directive admits this client.
pub(super) fn admits(config: &Config, id: Id, client: &Arc<Client>) -> bool {
    match config.choice(id) {
        "yes" => true,
        "local" => client.is_local(),
        _ => false,
    }
}

pub(super) fn reset_stat(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    let changes = ctx.services.changes();
    ctx.services.metrics.reset();
    ctx.services.persist.changes_were_reset(changes);
    ctx.services.rates.reset();
    ctx.reply.ok();
    Ok(())
}

/// Reads and writes the disk, hence never on the reactor.
pub(super) fn rewrite(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    if !ctx.alone {
        return Err(Stop::Defer);
    }
    match rewrite::rewrite(&ctx.services.config) {
        Ok(()) => {
            log::info!("CONFIG REWRITE executed with success.");
            ctx.reply.ok();
            Ok(())
        }
        Err(error) => {
            log::warn!("CONFIG REWRITE failed: {error}");
            Err(Error::Bytes(error.to_string().into_bytes()).into())
        }
    }
}

pub(super) fn help(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    help::write(ctx.reply, "CONFIG", HELP);
    Ok(())
}

const HELP: &[&str] = &[
    "GET <pattern>",
    "    Return parameters matching the glob-like <pattern> and their values.",
    "SET <directive> <value>",
    "    Set the configuration <directive> to <value>.",
    "RESETSTAT",
    "    Reset statistics reported by the INFO command.",
    "REWRITE",
    "    Rewrite the configuration file.",
];
