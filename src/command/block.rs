//! Commands that wait: what a handler says when it has found nothing.
//!
//! A handler that may wait ends in [`Ctx::block`]. The executor registers the client
//! with its keys under the locks that are still held, and runs the command again
//! when one of them has changed: so such a handler is written as if it never waited,
//! and waits again if it still finds nothing. Inside a transaction nobody waits: the
//! handler answers at once as if the time had passed.

use super::args::Args;
use super::ctx::{Ctx, Outcome, Stop};
use super::error::Error;
use crate::base::clock::Millis;
use crate::persist::aof::log::{Log, Phase};
use crate::resp::Reply;
use crate::store::Key;
use crate::store::entry::Type;
use crate::store::waiters::WaitKey;

/// Who waits for a log that is off waits in vain.
pub const LOG_IS_OFF: Error =
    Error::text("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");

/// What is answered when the time has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    NullArray,
    Zero,
    /// Whether the log has become durable, and by how many replicas; also when it has.
    Acks(Acks),
}

impl Nothing {
    /// Writes it.
    pub fn write(self, reply: &mut Reply) {
        match self {
            Nothing::NullArray => reply.null_array(),
            Nothing::Zero => reply.int(0),
            // Nobody says of a server without a log that it has anything.
            Nothing::Acks(acks) => acks.write(None, reply),
        }
    }
}

/// What WAITAOF waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acks {
    /// The log's end when it was asked.
    pub position: u64,
    /// The log has to have got there.
    pub local: bool,
    /// So many replicas have to. There are none.
    pub replicas: i64,
}

impl Acks {
    /// Whether this server's disk has it.
    fn are_here(self, log: Option<&Log>) -> bool {
        log.is_some_and(|log| log.phase() == Phase::On && log.durable() >= self.position)
    }

    /// Whether all is as was asked for.
    pub fn suffice(self, log: Option<&Log>) -> bool {
        self.replicas == 0 && (!self.local || self.are_here(log))
    }

    /// Whether it waits for a log that is switched off.
    pub fn are_vain(self, log: Option<&Log>) -> bool {
        self.local && log.is_none_or(|log| log.phase() == Phase::Off)
    }

    /// Answers how things are now.
    pub fn write(self, log: Option<&Log>, reply: &mut Reply) {
        reply.array(2);
        reply.int(i64::from(self.are_here(log)));
        reply.int(0);
    }
}

/// What a command waits for.
#[derive(Debug)]
pub struct Block {
    pub keys: Vec<WaitKey>,
    /// What a key must hold to be worth a try; any change is, without one.
    pub wants: Option<Type>,
    /// When it gives up; `None` never.
    pub until: Option<Millis>,
    pub nothing: Nothing,
    /// The command to be run again, where it is not the client's own.
    pub words: Option<Vec<Vec<u8>>>,
}

impl Block {
    /// Waits for these keys to hold a value of this type.
    pub fn on<'k>(
        keys: impl Iterator<Item = Key<'k>>,
        wants: Type,
        until: Option<Millis>,
    ) -> Block {
        Block {
            keys: keys.map(|key| (key.bytes.into(), key.hash)).collect(),
            wants: Some(wants),
            until,
            nothing: Nothing::NullArray,
            words: None,
        }
    }
}

impl Ctx<'_, '_> {
    /// Ends a command that has found nothing: it waits, or, where nobody waits,
    /// answers so.
    pub fn block(&mut self, block: Block) -> Outcome {
        if self.may_block() {
            return Err(Stop::Block(Box::new(block)));
        }
        block.nothing.write(self.reply);
        Ok(())
    }

    /// Whether the client may be made to wait.
    pub fn may_block(&self) -> bool {
        self.resumed || !self.db.locks.is_pinned()
    }
}

/// Reads a time to wait in seconds, with a fraction, and tells when it is over.
pub fn seconds(args: &mut Args<'_>, now: Millis) -> Result<Option<Millis>, Error> {
    const NOT_FLOAT: Error = Error::text("ERR timeout is not a float or out of range");
    const RANGE: Error = Error::text("ERR timeout is out of range");
    let seconds = args.float_or(NOT_FLOAT)?;
    let millis = (seconds * 1000.0).ceil();
    if !millis.is_finite() || millis > i64::MAX as f64 {
        return Err(RANGE);
    }
    deadline(millis as i64, now)
}

/// Reads a time to wait in milliseconds, and tells when it is over.
pub fn millis(args: &mut Args<'_>, now: Millis) -> Result<Option<Millis>, Error> {
    const NOT_INTEGER: Error = Error::text("ERR timeout is not an integer or out of range");
    deadline(args.int_or(NOT_INTEGER)?, now)
}

fn deadline(wait: i64, now: Millis) -> Result<Option<Millis>, Error> {
    const NEGATIVE: Error = Error::text("ERR timeout is negative");
    const RANGE: Error = Error::text("ERR timeout is out of range");
    match wait {
        ..0 => Err(NEGATIVE),
        0 => Ok(None),
        wait => now.checked_add(wait).map(Some).ok_or(RANGE),
    }
}
