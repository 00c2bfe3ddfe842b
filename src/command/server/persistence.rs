//! SAVE, BGSAVE, LASTSAVE, DEBUG RELOAD: snapshots on request.

use super::SHUTDOWN_WORDS;
use crate::base::clock;
use crate::command::args::Args;
use crate::command::ctx::{Ctx, Outcome, Stop};
use crate::command::error::Error;
use crate::persist::aof::service::Asked;
use crate::persist::service::Refused;
use crate::resp::Argv;
use crate::store::Footprint;

const RUNNING: Error = Error::text("ERR Background save already in progress");
const BUSY: Error = Error::text(
    "ERR Another child process is active (AOF?): can't BGSAVE right now. \
     Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.",
);
/// What Redis says when the log has the reason.
const FAILED: Error = Error::text("ERR");

fn refused(why: Refused) -> Error {
    match why {
        Refused::Running => RUNNING,
        Refused::Busy => BUSY,
        Refused::Failed => FAILED,
    }
}

/// The client waits until the file is there; others do not.
pub(super) fn save(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    let services = ctx.services;
    services.persist.wait_for_nothing();
    let changes = services.changes();
    (services.persist)
        .save(&mut ctx.db.locks, ctx.db.now, changes)
        .map_err(refused)?;
    ctx.reply.ok();
    Ok(())
}

/// The moment of the snapshot is this command's; all shards are held.
pub(super) fn bgsave(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 1);
    let (schedule, cancel) = (args.word("schedule"), args.word("cancel"));
    if schedule && cancel {
        return Err(Error::Syntax.into());
    }
    args.end()?;
    if cancel {
        return cancel_save(ctx);
    }
    let services = ctx.services;
    let persist = &services.persist;
    if ctx.db.locks.is_pinned() {
        // Inside a transaction, whose changes are not all told yet.
        persist.schedule();
        ctx.reply.simple("Background saving scheduled");
        return Ok(());
    }
    wait_for_the_last(ctx)?;
    let changes = services.changes();
    match persist.begin(&mut ctx.db.locks, ctx.db.now, changes) {
        Ok(()) => ctx.reply.simple("Background saving started"),
        Err(Refused::Busy) if schedule => {
            persist.schedule();
            ctx.reply.simple("Background saving scheduled");
        }
        Err(why) => return Err(refused(why).into()),
    }
    Ok(())
}

/// Waits for what is over in a moment: a save of empty data, as FLUSHALL has one made, and
/// a rewrite that has been cancelled.
fn wait_for_the_last(ctx: &mut Ctx<'_, '_>) -> Result<(), Stop> {
    let (persist, aof) = (&ctx.services.persist, ctx.services.aof());
    let ending = aof.filter(|aof| aof.is_ending());
    if ending.is_none() && !persist.is_saving_nothing() {
        return Ok(());
    }
    if !ctx.alone {
        return Err(Stop::Defer);
    }
    let footprint = ctx.db.locks.held();
    ctx.db.release();
    persist.wait_for_nothing();
    if let Some(aof) = ending {
        aof.wait_for_end();
    }
    ctx.db.acquire(footprint);
    Ok(())
}

/// As Valkey 8.1 does it.
fn cancel_save(ctx: &mut Ctx<'_, '_>) -> Outcome {
    let persist = &ctx.services.persist;
    if persist.cancel() {
        log::info!("Background saving will be aborted due to user request");
        ctx.reply.simple("Background saving cancelled");
    } else if persist.unschedule() {
        ctx.reply.simple("Scheduled background saving cancelled");
    } else {
        let none = "ERR Background saving is currently not in progress or scheduled";
        return Err(Error::text(none).into());
    }
    Ok(())
}

pub(super) fn lastsave(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.reply.int(ctx.services.persist.last_save_secs());
    Ok(())
}

/// A rewrite within a transaction, or beside a save, begins a little later.
pub(super) fn bgrewriteaof(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    let aof = ctx.services.aof().ok_or(CANNOT_REWRITE)?;
    let asked = if ctx.db.locks.is_pinned() {
        aof.schedule();
        Asked::Scheduled
    } else {
        wait_for_the_last(ctx)?;
        aof.rewrite()
    };
    match asked {
        Asked::Started => {
            (ctx.reply).simple("Background append only file rewriting started");
        }
        Asked::Scheduled => {
            (ctx.reply).simple("Background append only file rewriting scheduled");
        }
        Asked::Running => return Err(REWRITING.into()),
        Asked::Failed => return Err(CANNOT_REWRITE.into()),
    }
    Ok(())
}

const REWRITING: Error =
    Error::text("ERR Background append only file rewriting already in progress");
const CANNOT_REWRITE: Error = Error::text(
    "ERR Can't execute an AOF background rewriting. Please check the server logs for more \
     information.",
);

/// Saves the empty data, if there are save points: Redis does so before it replies to
/// FLUSHALL, since the last file would bring everything back. All shards are held.
pub(super) fn save_nothing(ctx: &mut Ctx<'_, '_>) {
    let services = ctx.services;
    let persist = &services.persist;
    if services.config.save_points().is_empty() {
        return;
    }
    let changes = services.changes() + ctx.db.effects.dirty.cast_signed();
    let waits = ctx.db.locks.is_pinned() || persist.is_loading();
    if waits || (persist.begin(&mut ctx.db.locks, ctx.db.now, changes)).is_err() {
        persist.schedule();
    }
}

/// DEBUG RELOAD: saves, empties and loads while nobody else gets at the data.
pub(super) fn reload(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const OPTIONS: Error =
        Error::text("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    const LOAD: Error = Error::text("ERR Error trying to load the RDB dump");
    let mut args = Args::from(argv, 2);
    let (mut merge, mut flush, mut save) = (false, true, true);
    while !args.is_done() {
        if args.word("MERGE") {
            merge = true;
        } else if args.word("NOFLUSH") {
            flush = false;
        } else if args.word("NOSAVE") {
            save = false;
        } else {
            return Err(OPTIONS.into());
        }
    }
    if ctx.db.locks.is_pinned() {
        return Err(Error::text("ERR DEBUG RELOAD cannot run inside a transaction").into());
    }
    let services = ctx.services;
    let (persist, changes) = (&services.persist, services.changes());
    if save && persist.is_saving() {
        // A child that saves is no hindrance to Redis's SAVE for a reload.
        persist.close();
        persist.reopen();
    }
    ctx.db.acquire(Footprint::ALL_WRITE);
    let now = clock::now();
    if save {
        (persist.save(&mut ctx.db.locks, now, changes)).map_err(|_| FAILED)?;
    }
    if flush {
        ctx.db.empty();
    }
    if let Err(why) = persist.load(&mut ctx.db.locks, merge, now) {
        log::warn!("{why}");
        return Err(LOAD.into());
    }
    log::warn!("DB reloaded by DEBUG RELOAD");
    ctx.reply.ok();
    Ok(())
}

/// DEBUG LOADAOF: empties and loads the log while nobody else gets at the data.
pub(super) fn load_log(ctx: &mut Ctx<'_, '_>) -> Outcome {
    const LOAD: Error = Error::text("ERR Error trying to load the AOF files, check server logs");
    let services = ctx.services;
    let aof = services.aof().ok_or(LOAD)?;
    if ctx.db.locks.is_pinned() {
        return Err(LOAD.into());
    }
    let result = aof.reload(|| {
        services.persist.set_loading(true);
        ctx.db.locks.acquire(Footprint::ALL_WRITE);
        ctx.db.empty();
        ctx.db.locks.release();
    });
    services.persist.set_loading(false);
    if let Err(why) = result {
        log::warn!("{why}");
        return Err(LOAD.into());
    }
    services.persist.changes_are_saved(services.changes());
    log::warn!("Append Only File loaded by DEBUG LOADAOF");
    ctx.reply.ok();
    Ok(())
}

/// Ends the server without a reply; the connection ends with it. Before that the data is
/// saved if there are save points, or SAVE is given; if that fails the server goes on,
/// unless FORCE is given.
pub(super) fn shutdown(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 1);
    let mut given = [false; SHUTDOWN_WORDS.len()];
    while !args.is_done() {
        let word = SHUTDOWN_WORDS.iter().position(|word| args.word(word));
        given[word.ok_or(Error::Syntax)?] = true;
    }
    let [nosave, save, now, force, abort] = given;
    if (save && nosave) || (abort && (save || nosave || now || force)) {
        return Err(Error::Syntax.into());
    }
    if abort {
        return Err(Error::text("ERR No shutdown in progress.").into());
    }
    if !ctx.alone {
        // It waits for the saver and the disk.
        return Err(Stop::Defer);
    }
    let points = !ctx.services.config.save_points().is_empty();
    let saves = save || points && !nosave;
    if !ctx.services.close(saves) && !force {
        return Err(Error::text("ERR Errors trying to SHUTDOWN. Check logs.").into());
    }
    // Who has saved holds all shards: nobody is to wait for them.
    ctx.shut_down(now || saves);
    Ok(())
}
