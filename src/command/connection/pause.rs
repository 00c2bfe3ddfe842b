//! CLIENT PAUSE and UNPAUSE. Who waits and how, whoever runs commands knows.

use crate::base::num;
use crate::clients::pause::Scope;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::resp::Argv;

pub(super) fn pause(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mode = argv.get(3);
    let scope = match argv.len() {
        3 => Scope::All,
        4 if mode.eq_ignore_ascii_case(b"all") => Scope::All,
        4 if mode.eq_ignore_ascii_case(b"write") => Scope::Writes,
        4 => return Err(Error::text("ERR CLIENT PAUSE mode must be WRITE or ALL").into()),
        _ => return Err(unknown(argv).into()),
    };
    let millis = num::parse_i64(argv.get(2))
        .ok_or(Error::text("ERR timeout is not an integer or out of range"))?;
    if millis < 0 {
        return Err(Error::text("ERR timeout is negative").into());
    }
    let now = ctx.db.now;
    let pause = &ctx.services.clients.pause;
    pause.begin(now.saturating_add(millis), scope, now);
    ctx.reply.ok();
    Ok(())
}

/// Redis takes a wrong number of arguments for a subcommand that it does not know.
fn unknown(argv: Argv<'_>) -> Error {
    let text = [
        b"ERR unknown subcommand or wrong number of arguments for '",
        argv.get(1),
        b"'. Try CLIENT HELP.",
    ];
    Error::Bytes(text.concat())
}

pub(super) fn unpause(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.services.clients.pause.end();
    ctx.services.control.wake();
    ctx.reply.ok();
    Ok(())
}
