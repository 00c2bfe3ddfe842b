//! Waiting for others: WAIT, WAITAOF, and CLIENT UNBLOCK, which ends somebody's wait.

use crate::base::num;
use crate::base::wait::Phase;
use crate::command::args::Args;
use crate::command::block::{self, Acks, Block, LOG_IS_OFF, Nothing};
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::persist::aof::log::Log;
use crate::resp::Argv;
use crate::store;

/// There are no replicas: who waits for one waits for all of its time.
pub(super) fn wait(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 1);
    let replicas = args.int()?;
    let until = block::millis(&mut args, ctx.db.now)?;
    if replicas <= 0 {
        ctx.reply.int(0);
        return Ok(());
    }
    ctx.block(Block {
        keys: Vec::new(),
        wants: None,
        until,
        nothing: Nothing::Zero,
        words: None,
    })
}

/// Waits until what the client has changed is durable in the log. What others have
/// changed up to this command counts as its own, if it has changed anything itself.
pub(super) fn wait_for_log(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const LOCAL: Error = Error::text("ERR value is out of range, value must between 0 and 1");
    const REPLICAS: Error = Error::text("ERR value is out of range, must be positive");
    let mut args = Args::from(argv, 1);
    let local = match args.int()? {
        0 => false,
        1 => true,
        _ => return Err(LOCAL.into()),
    };
    let replicas = args.int_or(REPLICAS)?;
    if replicas < 0 {
        return Err(REPLICAS.into());
    }
    let until = block::millis(&mut args, ctx.db.now)?;
    let log = ctx.services.aof().map(|aof| &**aof.log());
    if ctx.session.has_written {
        ctx.session.has_written = false;
        ctx.session.logged_to = log.map_or(0, Log::recorded);
    }
    let acks = Acks {
        position: ctx.session.logged_to,
        local,
        replicas,
    };
    if acks.are_vain(log) {
        return Err(LOG_IS_OFF.into());
    }
    if acks.suffice(log) || !ctx.may_block() {
        acks.write(log, ctx.reply);
        return Ok(());
    }
    ctx.block(Block {
        keys: Vec::new(),
        wants: None,
        until,
        nothing: Nothing::Acks(acks),
        words: None,
    })
}

pub(super) fn unblock(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const REASON: Error = Error::text("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    let how = if argv.len() == 3 || argv.get(3).eq_ignore_ascii_case(b"timeout") {
        Phase::Released
    } else if argv.len() == 4 && argv.get(3).eq_ignore_ascii_case(b"error") {
        Phase::Refused
    } else {
        return Err(REASON.into());
    };
    let id = num::parse_i64(argv.get(2)).ok_or(store::Error::NotInteger)?;
    let clients = &ctx.services.clients;
    let client = u64::try_from(id).ok().and_then(|id| clients.get(id));
    let ended = client.is_some_and(|client| clients.unblock(&client, how));
    if ended {
        ctx.services.control.wake();
    }
    ctx.reply.int(i64::from(ended));
    Ok(())
}
