//! What the append-only file asks of those who run commands: to wait while too much waits
//! to be written, to change nothing while it is broken, and to tell replies what they
//! depend on.

use std::time::Duration;

use super::super::batch::Batch;
use super::super::gate::Refusal;
use super::{Executor, Lane, Planned};
use crate::command::{Command, Error, Flags, Session};
use crate::persist::aof::log::Log;
use crate::store::Footprint;

/// How long a worker waits at a time for the log's writer to catch up.
const LOG_WAIT_MAX: Duration = Duration::from_secs(1);

impl Executor {
    /// Looks how the log is: the shards that can't be changed now, because too much waits to
    /// be written. In the pool it is waited for.
    #[inline]
    pub(super) fn look_at_log(&mut self, union: Footprint) -> u64 {
        let Some(log) = &self.log else {
            return 0;
        };
        self.refuses_writes = log.is_broken();
        if union.write == 0 || !log.is_full() {
            return 0;
        }
        match self.lane {
            Lane::Light => union.write,
            Lane::Pool => {
                log.wait_for_room(LOG_WAIT_MAX);
                0
            }
        }
    }

    /// Has what was recorded in this turn written before its replies go out.
    #[inline]
    pub(in crate::exec) fn write_log(&self) {
        if let Some(aof) = self.services.aof() {
            aof.write_now();
        }
    }

    /// Has the replies of a group wait until all that they may have seen is durable.
    #[inline]
    pub(super) fn note_dependence(&self, batches: &mut [Box<Batch>], group: &[Planned]) {
        let Some(log) = self.log.as_ref().filter(|log| log.holds_replies()) else {
            return;
        };
        let position = log.recorded();
        for planned in group {
            batches[planned.batch as usize].depends_on = position;
        }
    }

    /// The log, where there may be one.
    pub fn log(&self) -> Option<&Log> {
        self.log.as_deref()
    }

    /// As [`Executor::note_dependence`], of a reply that somebody else has left.
    pub fn note_dependence_of(&self, batch: &mut Batch) {
        if let Some(log) = self.log.as_ref().filter(|log| log.holds_replies()) {
            batch.depends_on = log.recorded();
        }
    }

    /// The gate of a broken log: what changes data does not pass.
    pub(super) fn pass_log(
        &self,
        command: &'static Command,
        session: &Session,
    ) -> Result<&'static Command, Refusal> {
        let flags = command.spec.flags;
        let writes = |command: &'static Command| command.spec.flags.has(Flags::WRITE);
        let queue = session
            .txn
            .as_deref()
            .filter(|_| flags.has(Flags::RUNS_QUEUE));
        let queued = queue.is_some_and(|txn| !txn.all(|command, _| !writes(command)));
        if !writes(command) && !queued && command.spec.name != "ping" {
            return Ok(command);
        }
        let why = self.log.as_ref().and_then(|log| log.failure());
        let text = format!(
            "MISCONF Errors writing to the AOF file: {}",
            why.unwrap_or_default()
        );
        Err(Error::Bytes(text.into_bytes()).into())
    }
}
