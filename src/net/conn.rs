//! One connection: its socket, and its batch while nobody else has it.
//!
//! ```text
//! idle ----readable----> read, parse ----light----> run ----> send ----> idle
//!                             |                                ^
//!                             +---heavy---> in flight ---------+
//! ```
//!
//! While the batch is in flight nothing is read: what the client sends meanwhile
//! waits in the kernel, and pipeline order needs no care. Readiness is edge
//! triggered, so `readable` remembers an edge until a short read has answered it. The
//! edge that tells the peer's end may come with its last bytes: from then on only
//! the end itself, a read of nothing, is the answer.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::socket::Socket;
use crate::base::clock::Millis;
use crate::base::sys;
use crate::clients::Client;
use crate::exec::{Batch, Blocked};
use crate::metrics::Counters;
use crate::resp::Limits;

/// Bytes asked for in one read of a connection without a large argument.
pub const READ_SIZE: usize = 16 * 1024;

/// Bytes received from a connection while it is blocked; the rest waits in the kernel.
const BLOCKED_INPUT_MAX: usize = 64 * 1024;

/// What a read has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// There are commands to run, or an error to tell.
    Work,
    /// Nothing complete yet.
    Nothing,
    /// The connection is broken: close it without another word.
    Broken,
}

/// See the head of this file.
pub struct Conn {
    pub socket: Arc<Socket>,
    /// `None` while it is in flight.
    pub batch: Option<Box<Batch>>,
    pub client: Arc<Client>,
    pub generation: u32,
    /// Its wait for data, while it is blocked.
    pub blocked: Option<Blocked>,
    /// An edge of readability has not been answered by a short read yet.
    pub readable: bool,
    /// The poller has told that the peer sends no more than what has arrived.
    pub ending: bool,
    /// All that the peer has sent is read, and there will be no more.
    pub ended: bool,
    /// The socket is registered for writability.
    pub wants_write: bool,
    /// It stands in the reactor's list of connections to look at.
    pub queued: bool,
    /// Its next command waits for the end of a pause.
    pub paused: bool,
    /// Memory that it was last counted with.
    pub bytes: usize,
    /// When the output first exceeded the soft limit.
    pub over_soft_since: Option<Instant>,
}

impl Conn {
    /// A fresh connection with its batch.
    pub fn new(socket: Arc<Socket>, batch: Box<Batch>, generation: u32) -> Conn {
        Conn {
            client: Arc::clone(&batch.session.client),
            socket,
            batch: Some(batch),
            generation,
            blocked: None,
            readable: true,
            ending: false,
            ended: false,
            wants_write: false,
            queued: false,
            paused: false,
            bytes: 0,
            over_soft_since: None,
        }
    }

    /// Reads once, if there may be something, and parses. One read a turn: a
    /// client with much to say does not keep the others waiting.
    pub fn read(&mut self, bulk_max: i64, counters: &Counters, now: Millis) -> Read {
        let Some(batch) = &mut self.batch else {
            return Read::Nothing;
        };
        if batch.session.close || batch.is_held() || self.paused {
            return Read::Nothing;
        }
        let blocked = self.blocked.is_some();
        if blocked && self.ending {
            // Nobody is there any more to be served.
            return Read::Broken;
        }
        if blocked && batch.requests.byte_len() >= BLOCKED_INPUT_MAX {
            return Read::Nothing;
        }
        if !batch.requests.is_cut() && self.readable && !self.ended {
            match receive(&self.socket, batch) {
                Ok(Received { bytes: 0, .. }) => self.ended = true,
                Ok(received) => {
                    self.readable = received.more || self.ending;
                    counters.received.add(received.bytes as u64);
                    counters.reads.add(1);
                    self.client
                        .received
                        .fetch_add(received.bytes as u64, Relaxed);
                    self.client.last_active.store(now, Relaxed);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Read::Broken,
            }
        }
        if blocked {
            return Read::Nothing;
        }
        let limits = Limits {
            bulk_max,
            authenticated: batch.session.authenticated,
        };
        if let Err(error) = batch.requests.parse(limits) {
            batch.protocol_error = Some(error);
        }
        if batch.waiting() > 0 || batch.protocol_error.is_some() {
            batch.arrived = sys::ticks();
            // For CLIENT LIST, which counts the bytes of its own call.
            self.client
                .input_len
                .store(batch.requests.byte_len(), Relaxed);
            Read::Work
        } else {
            Read::Nothing
        }
    }

    /// Whether there is reason to look at the connection in the next turn.
    pub fn has_more(&self) -> bool {
        let Some(batch) = &self.batch else {
            return false;
        };
        if batch.is_held() {
            return false;
        }
        let input = if self.blocked.is_some() {
            self.readable && !self.ended && batch.requests.byte_len() < BLOCKED_INPUT_MAX
        } else {
            batch.requests.is_cut() || batch.waiting() > 0 || self.readable && !self.ended
        };
        batch.can_send() || !batch.session.close && !self.paused && input
    }

    /// Whether the connection is to be closed now: it is broken, or it has asked
    /// for its end or the peer has, and nothing is left to run or to send.
    pub fn is_over(&self) -> bool {
        let Some(batch) = &self.batch else {
            return false;
        };
        let ended = self.ended && !batch.requests.is_cut() && !self.paused;
        let finished = batch.session.close || ended;
        batch.broken || finished && batch.reply.is_empty()
    }

    /// Tells the register what the connection holds.
    pub fn publish(&self) {
        let Some(batch) = &self.batch else {
            return;
        };
        let client = &self.client;
        let (args, unparsed) = batch.requests.open_lens();
        client.input_args.store(args, Relaxed);
        client.input_len.store(unparsed, Relaxed);
        client.input_room.store(batch.requests.mem_bytes(), Relaxed);
        client.output_len.store(batch.reply.pending(), Relaxed);
        client.output_room.store(batch.reply.mem_bytes(), Relaxed);
        client.output_parts.store(batch.reply.part_count(), Relaxed);
        client.queue_room.store(batch.queue_bytes(), Relaxed);
        client
            .watch_room
            .store(batch.session.watch.mem_bytes(), Relaxed);
    }
}

struct Received {
    bytes: usize,
    /// The read was not short: there may be more.
    more: bool,
}

fn receive(socket: &Socket, batch: &mut Batch) -> io::Result<Received> {
    let (buffer, max) = batch.requests.spare(READ_SIZE);
    let bytes = sys::read_spare(socket.as_fd(), buffer, max)?;
    Ok(Received {
        bytes,
        more: bytes == max,
    })
}
