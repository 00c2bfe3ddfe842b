//! A batch: one connection's commands on their way, with all that is needed to run
//! them anywhere.
//!
//! A connection has one batch, and so at most one is in flight. It holds what was
//! received and parsed, the session, and the output. Who holds the batch owns the
//! connection's state: that is the lock, there is no other. On the light lane the
//! reactor runs it in place; for the pool it moves to a worker and comes back with
//! the completion.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::blocked::Blocked;
use crate::clients::Client;
use crate::command::Session;
use crate::command::session::Txn;
use crate::metrics::Counters;
use crate::persist::aof::log::Log;
use crate::resp::{ProtocolError, Reply, Requests};

/// Names a connection for good: its place in the reactor's slab, and which of that
/// place's tenants it is. A completion for a former tenant is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnId {
    pub slot: u32,
    pub generation: u32,
}

/// Where a batch's replies go; the connection's socket.
pub trait Outlet: Send + Sync {
    /// Sends what it can without waiting, and drops it from `reply`.
    fn send(&self, reply: &mut Reply) -> io::Result<Sent>;
}

/// The outlet of a batch without a connection: a log that is replayed, tests, benches.
pub struct Nowhere;

impl Outlet for Nowhere {
    fn send(&self, _reply: &mut Reply) -> io::Result<Sent> {
        Ok(Sent::default())
    }
}

/// What a send has achieved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    pub bytes: usize,
    /// Calls into the kernel.
    pub calls: usize,
    /// The socket takes no more; the poller will tell when it does. Without, what is
    /// left is left for the sake of others, and nobody will tell.
    pub full: bool,
}

/// Why a batch has stopped before its last command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The next command is slow or large: the pool, where it may take its time.
    Slow,
    /// A shard is held by somebody else: the pool, where it may wait.
    Busy,
    /// CLIENT PAUSE: the connection, until the pause is over.
    Paused,
    /// The last command waits for data: `blocked` tells for what.
    Blocked,
    /// The connection ends after what has been replied.
    Close,
}

/// See the head of this file.
pub struct Batch {
    pub id: ConnId,
    pub session: Session,
    pub requests: Requests,
    pub reply: Reply,
    pub outlet: Arc<dyn Outlet>,
    /// What followed the last good command was no request.
    pub protocol_error: Option<ProtocolError>,
    /// Commands done since the last [`Batch::settle`].
    pub(super) done: usize,
    pub halt: Option<Halt>,
    /// When its commands were read, in ticks.
    pub arrived: u64,
    /// The wait of the last command, while it lasts.
    pub blocked: Option<Blocked>,
    /// The socket has refused to take more, and has not been writable since.
    pub full: bool,
    /// Sending failed: the peer is gone.
    pub broken: bool,
    /// The log, where replies may have to wait for it.
    pub log: Option<Arc<Log>>,
    /// The position in the log that what is replied depends on; 0 for none.
    pub depends_on: u64,
}

impl Batch {
    /// The batch of a fresh connection.
    ///
    /// `open` says that it needs no authentication.
    pub fn new(id: ConnId, client: Arc<Client>, open: bool, outlet: Arc<dyn Outlet>) -> Batch {
        Batch {
            id,
            session: Session::new(client, open),
            requests: Requests::default(),
            reply: Reply::default(),
            outlet,
            protocol_error: None,
            done: 0,
            halt: None,
            arrived: 0,
            blocked: None,
            full: false,
            broken: false,
            log: None,
            depends_on: 0,
        }
    }

    /// Commands that wait to be run.
    #[inline]
    pub fn waiting(&self) -> usize {
        self.requests.ready() - self.done
    }

    /// Whether what is replied has to wait until what it depends on is durable.
    #[inline]
    pub fn is_held(&self) -> bool {
        self.depends_on > 0 && self.waits_for_log()
    }

    #[cold]
    fn waits_for_log(&self) -> bool {
        let log = self.log.as_ref();
        log.is_some_and(|log| log.holds_replies() && log.durable() < self.depends_on)
    }

    /// Moves what the client is told without having asked behind what it has been replied.
    pub fn take_mail(&mut self) {
        let inbox = &self.session.client.inbox;
        if inbox.has_mail() {
            inbox.drain_into(&mut self.reply);
        }
    }

    /// Bytes of the commands that are queued in its transaction.
    pub fn queue_bytes(&self) -> usize {
        self.session.txn.as_deref().map_or(0, Txn::mem_bytes)
    }

    /// Bytes of memory that are held for the client alone: without what lies in the store.
    pub fn own_bytes(&self) -> usize {
        let (session, client) = (&self.session, &self.session.client);
        let kept = session.watch.mem_bytes() + client.names_room.load(Relaxed);
        self.requests.mem_bytes() + self.reply.own_bytes() + self.queue_bytes() + kept
    }

    /// Sends what has been replied, as much as the socket takes and fairness allows.
    pub fn send(&mut self, counters: &Counters) {
        let idle = self.reply.is_empty() || self.broken || self.is_held();
        if idle || self.reply.keep_limit() {
            return;
        }
        self.depends_on = 0;
        match self.outlet.send(&mut self.reply) {
            Ok(sent) => {
                self.full = sent.full;
                counters.sent.add(sent.bytes as u64);
                counters.writes.add(sent.calls as u64);
                let total = &self.session.client.sent;
                total.fetch_add(sent.bytes as u64, Relaxed);
            }
            Err(_) => self.broken = true,
        }
    }

    /// Whether there is something to send and nobody will tell when it can be.
    pub fn can_send(&self) -> bool {
        !self.reply.is_empty() && !self.full && !self.broken && !self.is_held()
    }

    /// Drops the commands that are done.
    pub(super) fn settle(&mut self) {
        self.requests.take(self.done);
        self.done = 0;
        self.requests.compact();
    }

    /// Tells the error that ends the connection, once all good commands before it
    /// have been answered.
    pub fn tell_protocol_error(&mut self) {
        if self.waiting() == 0
            && let Some(error) = self.protocol_error.take()
        {
            self.reply.error(format!("ERR {error}").as_bytes());
            self.session.close = true;
        }
    }
}
