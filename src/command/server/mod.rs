//! The server commands: what an operator asks and does, and what clients ask about
//! the server before they start.

mod command;
mod command_docs;
mod config;
mod debug;
mod digest;
mod flush;
mod info;
mod lolwut;
mod memory;
mod observe;
mod persistence;
mod persistence_rows;
mod rows;
pub mod telemetry;

pub use observe::{COMMANDLOG_SPECS, SPECS as OBSERVE_SPECS};
pub use persistence_rows::PERSISTENCE_SPECS;
pub use rows::SPECS;

use super::ctx::{Ctx, Outcome};
use super::error::Error;
use crate::base::{clock, num};
use crate::config::Id;
use crate::resp::Argv;
use crate::store::DATABASES;

fn dbsize(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    let sizes = ctx.db.sizes(ctx.db.index)?;
    ctx.reply.len(sizes.keys);
    Ok(())
}

fn swapdb(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let first = db_number(argv.get(1), "ERR invalid first DB index")?;
    let second = db_number(argv.get(2), "ERR invalid second DB index")?;
    let databases = ctx.services.config.size(Id::DATABASES).min(DATABASES);
    let within = |index: i32| usize::try_from(index).ok().filter(|&i| i < databases);
    let (Some(first), Some(second)) = (within(first), within(second)) else {
        return Err(Error::text("ERR DB index is out of range").into());
    };
    ctx.db.swap_databases(first, second);
    ctx.reply.ok();
    Ok(())
}

fn db_number(text: &[u8], error: &'static str) -> Result<i32, Error> {
    let number = num::parse_i64(text).and_then(|number| i32::try_from(number).ok());
    number.ok_or(Error::text(error))
}

/// The one command that reads a clock: it needs microseconds, where all others
/// take the milliseconds of their batch.
fn time(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    let now = clock::now_us();
    ctx.reply.array(2);
    ctx.reply.bulk_int(now / 1_000_000);
    ctx.reply.bulk_int(now % 1_000_000);
    Ok(())
}

const SHUTDOWN_WORDS: [&str; 5] = ["nosave", "save", "now", "force", "abort"];

#[cfg(test)]
mod tests;
