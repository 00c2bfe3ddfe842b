//! The connection commands: what a client asks about, or wants of, its own
//! connection, and CLIENT LIST and KILL, which look at the others'.
//!
//! A session is changed in one place, here, and what others may see of it is
//! stored in its `Client` at the same moment.

mod auth;
mod client;
mod filter;
mod list;
mod pause;
mod rows;
mod wait;

pub use rows::SPECS;

use super::ctx::{Ctx, Outcome};
use super::error::Error;
use super::session::ReplyMode;
use crate::base::num;
use crate::config::Id;
use crate::resp::{Argv, Version};
use crate::store;
use crate::store::DATABASES;
use std::sync::atomic::Ordering::Relaxed;

fn ping(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    match argv.len() {
        1 => ctx.reply.simple("PONG"),
        2 => ctx.reply.bulk(argv.get(1)),
        _ => return Err(Error::Arity("ping".to_owned()).into()),
    }
    Ok(())
}

fn echo(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    ctx.reply.bulk(argv.get(1));
    Ok(())
}

fn select(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let index = num::parse_i64(argv.get(1)).ok_or(store::Error::NotInteger)?;
    if i32::try_from(index).is_err() {
        return Err(Error::text(NOT_AN_INT).into());
    }
    let databases = ctx.services.config.size(Id::DATABASES).min(DATABASES);
    let index = usize::try_from(index)
        .ok()
        .filter(|&index| index < databases);
    let index = index.ok_or(Error::text("ERR DB index is out of range"))?;
    select_db(ctx, index);
    ctx.reply.ok();
    Ok(())
}

fn quit(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.session.close = true;
    ctx.reply.ok();
    Ok(())
}

/// Makes the connection as if it had just come. What it told about its library
/// stays: the library is still the same.
fn reset(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    select_db(ctx, 0);
    speak(ctx, Version::Resp2);
    ctx.session.authenticated = auth::password(ctx).is_empty();
    ctx.session.reply_mode = ReplyMode::On;
    ctx.session.txn = None;
    ctx.db.unwatch(&mut ctx.session.watch);
    ctx.session.publish_txn();
    let client = &ctx.session.client;
    client.no_evict.store(false, Relaxed);
    client.no_touch.store(false, Relaxed);
    client.names.lock().name.clear();
    ctx.reply.simple("RESET");
    Ok(())
}

fn select_db(ctx: &mut Ctx<'_, '_>, index: usize) {
    ctx.session.db = index;
    ctx.db.index = index;
    // There are fewer than 256 databases.
    ctx.session.client.db.store(index as u8, Relaxed);
}

/// Changes the protocol of this reply and those that follow.
fn speak(ctx: &mut Ctx<'_, '_>, version: Version) {
    let number = match version {
        Version::Resp2 => 2,
        Version::Resp3 => 3,
    };
    ctx.reply.set_version(version);
    ctx.session.client.resp.store(number, Relaxed);
}

const NOT_AN_INT: &str = "ERR value is out of range, value must between -2147483648 and 2147483647";

#[cfg(test)]
mod tests;
