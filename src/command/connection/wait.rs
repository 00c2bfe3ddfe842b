//! Waiting for others: WAIT, and CLIENT UNBLOCK, which ends somebody's wait.

use crate::base::num;
use crate::base::wait::Phase;
use crate::command::args::Args;
use crate::command::block::{self, Block, Nothing};
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
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
