//! Whether a command may run, as the executor asks it: nearly all pass by one look, and
//! who does not is answered here.

use super::super::batch::{Batch, Halt};
use super::super::gate::{self, Call, Refusal};
use super::{Executor, apply_reply_mode};
use crate::command::call::answer_error;
use crate::command::{Command, Error, Flags, ReplyMode, Session, monitor};
use crate::resp::Argv;

impl Executor {
    /// Whether a command may have to be kept out that is otherwise in order.
    #[inline]
    fn is_shut(&self) -> bool {
        self.closed | self.room.exhausted | self.refuses_writes
    }

    /// As [`Executor::pass`], where nearly every command is let through by one look.
    #[inline]
    pub(super) fn admit(
        &self,
        command: Option<&'static Command>,
        argv: Argv<'_>,
        session: &Session,
    ) -> Result<&'static Command, Refusal> {
        match command {
            Some(command) if !self.is_shut() && gate::stand_open(command, argv.len(), session) => {
                Ok(command)
            }
            command => self.pass(command, argv, session),
        }
    }

    #[cold]
    pub(in crate::exec) fn pass(
        &self,
        command: Option<&'static Command>,
        argv: Argv<'_>,
        session: &Session,
    ) -> Result<&'static Command, Refusal> {
        let passed = gate::pass(&Call {
            command,
            argv,
            session,
            persist: &self.services.persist,
            closed: self.closed,
            no_room: self.room.exhausted,
        });
        match passed {
            Ok(command) if self.refuses_writes => self.pass_log(command, session),
            passed => passed,
        }
    }

    /// Whether somebody is told of what runs (MONITOR); not while the data is loaded, as
    /// in Redis.
    #[inline]
    pub(in crate::exec) fn is_monitored(&self) -> bool {
        self.services.clients.monitors.any() && !self.services.persist.is_loading()
    }

    /// Tells of an EXEC that is refused: who monitors has seen the MULTI, and sees its end.
    pub(super) fn tell_if_exec(
        &self,
        command: Option<&'static Command>,
        argv: Argv<'_>,
        session: &Session,
    ) {
        if let Some(command) = command.filter(|c| c.spec.flags.has(Flags::RUNS_QUEUE))
            && self.is_monitored()
        {
            monitor::tell(&self.services, command, argv, session);
        }
    }

    /// Answers for a command that did not pass the gates. It dooms a transaction, also
    /// where it would not have been queued.
    pub(super) fn refuse(
        &mut self,
        batch: &mut Batch,
        command: Option<&'static Command>,
        refusal: Refusal,
    ) {
        let error = match refusal {
            Refusal::Error(error) => error,
            Refusal::Http => return hang_up(batch),
        };
        if let Some(command) = command {
            let counters = self.metrics.command(command.index as usize);
            counters.rejected.add(1);
        }
        let Batch { session, reply, .. } = batch;
        let runs_queue = command.is_some_and(|c| c.spec.flags.has(Flags::RUNS_QUEUE));
        let error = if runs_queue {
            session.txn = None;
            session.publish_txn();
            self.parted.push(std::mem::take(&mut session.watch));
            transaction_discarded(&error)
        } else {
            if let Some(txn) = &mut session.txn {
                txn.abort();
            }
            error
        };
        let mark = reply.mark();
        answer_error(&error, reply, &self.metrics);
        if session.reply_mode != ReplyMode::On {
            apply_reply_mode(session, reply, mark);
        }
    }
}

/// How a refusal of EXEC itself is told.
fn transaction_discarded(error: &Error) -> Error {
    let line = error.line();
    let reason = line.strip_prefix(b"ERR ").unwrap_or(&line);
    let text = b"EXECABORT Transaction discarded because of: ";
    Error::Bytes([text, reason].concat())
}

/// Ends a connection at once; what it has been answered is not sent any more.
fn hang_up(batch: &mut Batch) {
    log::warn!(
        "Possible SECURITY ATTACK detected: somebody sends POST or Host: lines, perhaps from \
         a web page. Connection from {} aborted.",
        batch.session.client.address
    );
    batch.session.close = true;
    batch.broken = true;
    batch.halt = Some(Halt::Close);
}
