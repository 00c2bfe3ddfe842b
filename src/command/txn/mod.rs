//! Transactions: MULTI, EXEC, DISCARD, WATCH, UNWATCH.
//!
//! Between MULTI and EXEC the executor queues what passes the gates; nothing is
//! locked. EXEC's footprint is the union of what is queued and of the watched keys,
//! taken at once, so that its commands are one step for everybody else: no lock is
//! given back before the last has run, and the journal takes them as one unit.
//!
//! An error while queueing dooms the transaction; an error of a command that runs is
//! its reply and stops nothing, as in Redis.

mod rows;

pub use rows::SPECS;

use super::call::call;
use super::ctx::{Ctx, Outcome};
use super::error::Error;
use super::session::Txn;
use crate::resp::Argv;

fn multi(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    if ctx.session.txn.is_some() {
        return Err(Error::text("ERR MULTI calls can not be nested").into());
    }
    ctx.session.txn = Some(Box::default());
    ctx.session.publish_txn();
    ctx.reply.ok();
    Ok(())
}

fn exec(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    let Some(txn) = ctx.session.txn.take() else {
        return Err(Error::text("ERR EXEC without MULTI").into());
    };
    let changed = ctx.db.has_changed(&ctx.session.watch);
    end(ctx);
    if txn.is_aborted() {
        const ABORTED: Error =
            Error::text("EXECABORT Transaction discarded because of previous errors.");
        return Err(ABORTED.into());
    }
    if changed {
        ctx.reply.null_array();
    } else {
        run(ctx, &txn);
    }
    Ok(())
}

/// Runs what is queued, as one unit.
fn run(ctx: &mut Ctx<'_, '_>, txn: &Txn) {
    ctx.reply.array(txn.len());
    ctx.stopwatch.request_bytes = txn.mem_bytes();
    ctx.db.begin_unit();
    for index in 0..txn.len() {
        if let Some((command, argv, hashes)) = txn.get(index) {
            call(&mut ctx.inner(command, hashes), argv);
        }
    }
    ctx.db.end_unit();
}

fn discard(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    if ctx.session.txn.is_none() {
        return Err(Error::text("ERR DISCARD without MULTI").into());
    }
    end(ctx);
    ctx.reply.ok();
    Ok(())
}

/// Ends transaction and watches. The shards of the watched keys are locked.
fn end(ctx: &mut Ctx<'_, '_>) {
    ctx.session.txn = None;
    ctx.db.unwatch(&mut ctx.session.watch);
    ctx.session.publish_txn();
}

fn watch(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    if ctx.session.txn.is_some() {
        return Err(Error::text("ERR WATCH inside MULTI is not allowed").into());
    }
    for nth in 0..argv.len() - 1 {
        let key = ctx.nth_key(argv, nth, nth + 1);
        ctx.db.watch(key, &mut ctx.session.watch);
    }
    ctx.reply.ok();
    Ok(())
}

fn unwatch(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.db.unwatch(&mut ctx.session.watch);
    ctx.reply.ok();
    Ok(())
}
