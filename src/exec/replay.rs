//! Replaying the append-only file: what was logged runs like any client's commands.
//!
//! Commands gather in a batch of their own and run in groups, with their cache misses
//! waited for together. Nothing expires meanwhile: what had expired when it was logged
//! was logged as a DEL, and what follows counts on the rest.

use std::io::Read;
use std::sync::Arc;

use super::batch::{Batch, ConnId, Halt, Nowhere};
use super::run::Executor;
use crate::base::clock::Millis;
use crate::clients::{Arrival, Clients};
use crate::command::Table;
use crate::persist::aof::load::Target;
use crate::resp::{Limits, Reply};

/// Commands, and bytes of them, that run together.
const COMMANDS: usize = 512;
const BYTES: usize = 256 * 1024;
/// Commands that fail are named up to this many times.
const FAILURES_NAMED_MAX: u64 = 10;

/// Loads a snapshot; how many bytes of the input it took.
pub type LoadSnapshot<'a> = &'a dyn Fn(Box<dyn Read + Send>, u64) -> Result<u64, String>;

/// See the head of this file.
pub struct Replay<'a> {
    executor: Executor,
    batch: [Box<Batch>; 1],
    commands: &'static Table,
    snapshot: LoadSnapshot<'a>,
    progress: &'a dyn Fn(u64),
    now: Millis,
    gathered: usize,
    failures: u64,
}

impl<'a> Replay<'a> {
    /// A replay through `executor`, whose log must be off.
    pub fn new(
        executor: Executor,
        snapshot: LoadSnapshot<'a>,
        progress: &'a dyn Fn(u64),
        now: Millis,
    ) -> Replay<'a> {
        Replay {
            executor: executor.replaying(now),
            batch: [fresh_batch()],
            commands: Table::get(),
            snapshot,
            progress,
            now,
            gathered: 0,
            failures: 0,
        }
    }

    fn run(&mut self) -> Result<(), String> {
        self.gathered = 0;
        let limits = Limits {
            bulk_max: u32::MAX.into(),
            authenticated: true,
        };
        loop {
            let [batch] = &mut self.batch;
            let parsed = batch.requests.parse(limits);
            parsed.map_err(|error| error.to_string())?;
            if batch.waiting() == 0 {
                return Ok(());
            }
            let errors = batch.reply.errors();
            self.executor.turn(&mut self.batch, self.now);
            let [batch] = &mut self.batch;
            let failed = batch.reply.errors() - errors;
            if failed > 0 && self.failures < FAILURES_NAMED_MAX {
                log::warn!("{failed} commands of the append only file have failed");
            }
            self.failures += failed;
            batch.reply = Reply::default();
            if batch.halt == Some(Halt::Close) {
                return Err("A command that ends the connection".into());
            }
            batch.halt = None;
        }
    }
}

impl Target for Replay<'_> {
    fn snapshot(&mut self, input: Box<dyn Read + Send>, size: u64) -> Result<u64, String> {
        (self.snapshot)(input, size)
    }

    fn command(&mut self, raw: &[u8], name: &[u8]) -> Result<(), String> {
        if self.commands.find(name).is_none() {
            let name = name.escape_ascii();
            return Err(format!("Unknown command '{name}'"));
        }
        let [batch] = &mut self.batch;
        batch.requests.feed(raw);
        self.gathered += 1;
        if self.gathered >= COMMANDS || batch.requests.byte_len() >= BYTES {
            self.run()?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), String> {
        self.run()?;
        // Every file begins in database 0.
        let [batch] = &mut self.batch;
        batch.session.db = 0;
        Ok(())
    }

    fn abandon(&mut self) {
        // What came before the unit is whole; an error in it is told by the next step.
        let _ = self.run();
        let [batch] = &mut self.batch;
        if batch.session.txn.take().is_some() {
            log::warn!("Revert incomplete MULTI/EXEC transaction in AOF file");
        }
    }

    fn progress(&mut self, bytes: u64) {
        (self.progress)(bytes);
    }
}

/// A batch that no connection belongs to.
fn fresh_batch() -> Box<Batch> {
    let id = ConnId {
        slot: 0,
        generation: 0,
    };
    let client = Clients::default().register(Arrival::default());
    Box::new(Batch::new(id, client, true, Arc::new(Nowhere)))
}
