//! FLUSHDB and FLUSHALL, and their UNDO.
//!
//! FLUSHALL UNDO brings back what the last FLUSHALL has removed, FLUSHDB UNDO what the last
//! flush has removed from the selected database, as long as `flush-undo-window` has not
//! passed. A key that was made since stays as it is. The reply is how many have come back.

use std::time::Duration;

use super::persistence;
use crate::base::clock::Millis;
use crate::command::args::Args;
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome};
use crate::command::error::Error;
use crate::config::Id;
use crate::persist::aof::emit::{Pair, with_words};
use crate::persist::rdb::Target;
use crate::resp::Argv;
use crate::store::entry::Entry;
use crate::store::undo::{Refused, Undo};

/// How long an undo waits at a time for the log's writer to catch up.
const LOG_WAIT_MAX: Duration = Duration::from_secs(1);

pub(super) fn flushdb(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    if Mode::read(argv)? == Mode::Undo {
        return undo(ctx, Some(ctx.db.index));
    }
    ctx.db.flush(Some(ctx.db.index), keep_until(ctx));
    ctx.reply.ok();
    Ok(())
}

pub(super) fn flushall(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    if Mode::read(argv)? == Mode::Undo {
        return undo(ctx, None);
    }
    // A save that is under way is of what goes now.
    ctx.services.persist.cancel();
    ctx.db.flush(None, keep_until(ctx));
    persistence::save_nothing(ctx);
    ctx.reply.ok();
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// ASYNC and SYNC do the same: the databases are empty when the reply is written, and
    /// the tables that were taken out are dropped in the background, which no client can
    /// tell but by the memory that is still in use for a moment.
    Flush,
    Undo,
}

impl Mode {
    fn read(argv: Argv<'_>) -> Result<Mode, Error> {
        let mut args = Args::from(argv, 1);
        let mode = match args.word("undo") {
            true => Mode::Undo,
            false => Mode::Flush,
        };
        let _ = mode == Mode::Undo || args.word("async") || args.word("sync");
        args.end()?;
        Ok(mode)
    }
}

/// Until when what is flushed now can be brought back.
fn keep_until(ctx: &Ctx<'_, '_>) -> Option<Millis> {
    let seconds = ctx.services.config.int(Id::FLUSH_UNDO_WINDOW);
    let keeps = seconds > 0 && !ctx.services.persist.is_loading();
    keeps.then(|| ctx.db.now + seconds * 1000)
}

fn undo(ctx: &mut Ctx<'_, '_>, db: Option<usize>) -> Outcome {
    const IN_UNIT: Error = Error::text("ERR UNDO is not allowed in transactions");
    const INTERRUPTED: Error = Error::text(
        "ERR Databases were flushed or swapped meanwhile. What has not come back is still kept",
    );
    if ctx.db.is_in_unit() {
        return Err(IN_UNIT.into());
    }
    // It may take long, whatever there is.
    ctx.afford(LIGHT_COST + 1)?;
    let footprint = ctx.db.locks.held();
    let shelf = ctx.db.locks.keyspace().shelf();
    let mut undo = shelf.undo(db).map_err(|why| refusal(ctx, why))?;
    ctx.db.release();
    let result = bring_back(ctx, &mut undo);
    ctx.db.acquire(footprint);
    ctx.db.end_undo(&undo);
    ctx.db.index = ctx.session.db;
    let keys = undo.keys;
    drop(undo);
    if !result {
        return Err(INTERRUPTED.into());
    }
    ctx.reply.int(keys.cast_signed());
    Ok(())
}

/// Whether all have come back that shall.
fn bring_back(ctx: &mut Ctx<'_, '_>, undo: &mut Undo<'_>) -> bool {
    let target = Target::from_name(ctx.services.config.choice(Id::RDB_TARGET));
    let now = ctx.db.now;
    let encode = |db: usize, entry: &Entry| {
        let pair = Pair {
            db,
            key: entry.key(),
            value: entry.value(),
            expire: entry.expire_at(),
        };
        let owned = |words: &[&[u8]]| words.iter().map(|word| word.to_vec()).collect();
        with_words(&pair, now, target, owned)
    };
    loop {
        match ctx.db.undo_some(undo, encode) {
            Ok(true) => {}
            Ok(false) => return true,
            Err(_) => return false,
        }
        if let Some(aof) = ctx.services.aof() {
            aof.write_now();
            if aof.log().is_full() {
                aof.log().wait_for_room(LOG_WAIT_MAX);
            }
        }
    }
}

fn refusal(ctx: &Ctx<'_, '_>, why: Refused) -> Error {
    let window = ctx.services.config.int(Id::FLUSH_UNDO_WINDOW);
    Error::text(match why {
        Refused::Nothing if window == 0 => {
            "ERR Nothing to undo: what is flushed is kept only with flush-undo-window"
        }
        Refused::Nothing => "ERR Nothing to undo: nothing was flushed within flush-undo-window",
        Refused::Undoing => "ERR Another UNDO is under way",
        Refused::Saving => {
            "ERR A snapshot has still to save what was flushed. Try again when it has ended"
        }
    })
}
