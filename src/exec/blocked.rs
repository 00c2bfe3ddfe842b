//! Blocked clients as executor and reactor see them.
//!
//! A [`Blocked`] is shared by three: the queues of the keys in the store, the
//! connection, and whoever serves it. The one who ends the wait (`base::wait`) says
//! how: a server leaves the reply in it and rings, so that the reactor, which alone
//! touches the connection, sends it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use parking_lot::Mutex;

use super::batch::Batch;
use crate::base::clock::Millis;
use crate::base::wait::{Phase, Wait};
use crate::clients::Client;
use crate::command::block::{Block, Nothing};
use crate::command::call::answer_error;
use crate::command::{Command, Error, ReplyMode, Session};
use crate::metrics::ThreadMetrics;
use crate::resp::{Argv, Reply, Saved, Version};
use crate::store::Footprint;
use crate::store::waiters::Waiter;

const CALLED_OFF: Error = Error::text("UNBLOCKED client unblocked via CLIENT UNBLOCK");

/// What it takes to run a waiting command again.
pub(super) struct Caller {
    pub client: Arc<Client>,
    pub command: &'static Command,
    request: Saved,
    until: Option<Millis>,
    nothing: Nothing,
    reply: Mutex<Option<Reply>>,
}

impl Caller {
    /// The caller of a waiter that an executor has made.
    pub fn of(waiter: &Waiter) -> Option<&Caller> {
        waiter.caller.downcast_ref()
    }

    /// The command's arguments.
    pub fn argv(&self) -> Option<Argv<'_>> {
        self.request.get(0)
    }

    /// A session like the client's own, which is with its connection.
    pub fn session(&self, db: usize) -> Session {
        let mut session = Session {
            db,
            ..Session::new(Arc::clone(&self.client), true)
        };
        session.note_tracking();
        session
    }

    /// An empty reply in the client's protocol.
    pub fn fresh_reply(&self) -> Reply {
        let mut reply = Reply::default();
        if self.client.resp.load(Relaxed) == 3 {
            reply.set_version(Version::Resp3);
        }
        reply
    }

    /// Leaves the reply for the reactor.
    pub fn leave(&self, reply: Reply) {
        *self.reply.lock() = Some(reply);
    }
}

/// A connection's view of its wait.
#[derive(Clone)]
pub struct Blocked(Arc<Waiter>);

impl Blocked {
    /// The wait of a client whose command, which touches `footprint`, has ended in
    /// `block`.
    pub(super) fn new(
        block: Block,
        (command, argv): (&'static Command, Argv<'_>),
        session: &Session,
        footprint: Footprint,
    ) -> Blocked {
        let mut request = Saved::default();
        // There is room: the command came in one request.
        match &block.words {
            Some(words) => request.push_words(words.iter().map(Vec::as_slice)),
            None => request.push(argv),
        };
        let caller = Caller {
            client: Arc::clone(&session.client),
            command,
            request,
            until: block.until,
            nothing: block.nothing,
            reply: Mutex::default(),
        };
        let of = (session.db, block.keys);
        Blocked(Arc::new(Waiter::new(
            of,
            block.wants,
            footprint,
            Box::new(caller),
        )))
    }

    pub(super) fn waiter(&self) -> &Arc<Waiter> {
        &self.0
    }

    /// The wait itself.
    pub fn wait(&self) -> &Arc<Wait> {
        &self.0.wait
    }

    /// When it gives up; `None` never.
    pub fn until(&self) -> Option<Millis> {
        Caller::of(&self.0).and_then(|caller| caller.until)
    }

    /// Writes the reply of a wait that is over into its connection's batch.
    pub(super) fn answer(&self, batch: &mut Batch, metrics: &ThreadMetrics) {
        let mark = batch.reply.mark();
        self.write(&mut batch.reply, metrics);
        if batch.session.reply_mode != ReplyMode::On {
            batch.reply.rewind(mark);
            batch.session.reply_mode = batch.session.reply_mode.after_command();
        }
    }

    fn write(&self, reply: &mut Reply, metrics: &ThreadMetrics) {
        let Some(caller) = Caller::of(&self.0) else {
            return;
        };
        match self.0.wait.phase() {
            Phase::Served => {
                if let Some(served) = caller.reply.lock().take() {
                    reply.append(served);
                }
            }
            Phase::TimedOut | Phase::Released => caller.nothing.write(reply),
            Phase::Refused => {
                answer_error(&CALLED_OFF, reply, metrics);
                metrics.command(caller.command.index as usize).failed.add(1);
            }
            Phase::Waiting | Phase::Claimed | Phase::Gone => {}
        }
    }
}

impl std::fmt::Debug for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Blocked")
            .field(&self.0.wait.phase())
            .finish()
    }
}
