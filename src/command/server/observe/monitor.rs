//! MONITOR: this client is told of every command from now on, until RESET or its end.

use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::resp::Argv;

pub(super) fn monitor(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    if ctx.db.is_in_unit() {
        const DENIED: Error = Error::text("ERR MONITOR isn't allowed for DENY BLOCKING client");
        return Err(DENIED.into());
    }
    // The second time nothing happens, and nothing is said, as in Redis.
    if !std::mem::replace(&mut ctx.session.monitors, true) {
        ctx.services.clients.monitors.add(&ctx.session.client);
        ctx.stopwatch.note_monitor();
        ctx.reply.ok();
    }
    Ok(())
}
