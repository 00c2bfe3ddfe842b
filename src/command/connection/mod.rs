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
mod tracking;
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
    if argv.len() > 2 {
        return Err(Error::Arity("ping".to_owned()).into());
    }
    if ctx.session.only_listens {
        // In the form of a message, so that it can be told from a reply.
        ctx.reply.array(2);
        ctx.reply.bulk(b"pong");
        ctx.reply.bulk(argv.get(1));
    } else if argv.len() == 1 {
        ctx.reply.simple("PONG");
    } else {
        ctx.reply.bulk(argv.get(1));
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
    ctx.services.pubsub.release(&ctx.session.client);
    ctx.session.note_tracking();
    if std::mem::take(&mut ctx.session.monitors) {
        let clients = &ctx.services.clients;
        clients.monitors.remove(&ctx.session.client);
    }
    speak(ctx, Version::Resp2);
    ctx.session.authenticated = auth::password(ctx).is_empty();
    ctx.session.reply_mode = ReplyMode::On;
    ctx.session.txn = None;
    ctx.db.unwatch(&mut ctx.session.watch);
    ctx.session.publish_txn();
    let client = &ctx.session.client;
    client.no_evict.store(false, Relaxed);
    client.no_touch.store(false, Relaxed);
    client.rename(|names| names.name.clear());
    ctx.reply.simple("RESET");
    Ok(())
}

fn select_db(ctx: &mut Ctx<'_, '_>, index: usize) {
    ctx.session.db = index;
    ctx.db.index = index;
    // There are fewer than 256 databases.
    ctx.session.client.db.store(index as u8, Relaxed);
}

/// Changes the protocol of this reply and those that follow. Messages that came
/// before are in the old one, and stand before the reply.
fn speak(ctx: &mut Ctx<'_, '_>, version: Version) {
    let number = match version {
        Version::Resp2 => 2,
        Version::Resp3 => 3,
    };
    let client = &ctx.session.client;
    client.inbox.switch(version, ctx.reply);
    ctx.reply.set_version(version);
    client.resp.store(number, Relaxed);
    ctx.session.note_subscriptions();
}

const NOT_AN_INT: &str = "ERR value is out of range, value must between -2147483648 and 2147483647";

#[cfg(test)]
mod tests;
