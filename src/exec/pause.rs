//! CLIENT PAUSE, as who runs commands sees it: which command must wait.

use super::run::Executor;
use crate::clients::pause::Scope;
use crate::command::{Command, Flags, Session};
use crate::resp::Argv;

impl Executor {
    /// Whether CLIENT PAUSE holds a command up. What is refused anyway is refused at
    /// once, and who ends the pause need not wait for its end.
    #[inline]
    pub(super) fn must_wait(
        &self,
        command: Option<&'static Command>,
        argv: Argv<'_>,
        session: &Session,
    ) -> bool {
        let (Some(scope), Some(known)) = (self.paused, command) else {
            return false;
        };
        // Who monitors is a kind of replica to Redis, and no replica is paused.
        if session.monitors {
            return false;
        }
        let writes = |flags: Flags| flags.has(Flags::WRITE | Flags::MAY_REPLICATE);
        let queue = session
            .txn
            .as_ref()
            .filter(|_| known.spec.flags.has(Flags::RUNS_QUEUE));
        let held = scope == Scope::All
            || writes(known.spec.flags)
            || queue.is_some_and(|txn| !txn.all(|queued, _| !writes(queued.spec.flags)));
        held && known.full_name != "client|unpause" && self.pass(command, argv, session).is_ok()
    }
}
