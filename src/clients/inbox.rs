//! Mail: what a client is told without having asked, by whatever thread.
//!
//! Replies are written by whoever holds the client's batch. Messages of publishers,
//! which hold other batches, cannot go there: they go into the client's inbox, and
//! the client's name into one list. The reactor walks the list, moves each inbox behind what its
//! client has been replied, and sends all of it with one write. While a batch is with
//! a worker its inbox waits, so a message never stands within a reply.
//!
//! ```text
//! publisher:  inbox.lock { append, marked? }  ->  list, once a client  ->  wake, once a list
//! reactor:    list  ->  inbox.lock { take all, unmark }  ->  output  ->  write
//! ```
//!
//! Must stay true: a client with mail is in the list or is about to be looked at; an
//! inbox never holds more than the output limit of its client's class, and a client
//! that has been denied a message is closed. An inbox is locked for a moment only, and
//! no other lock is taken meanwhile.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use parking_lot::Mutex;

use super::Client;
use crate::resp::{Reply, Version};

/// The messages that wait for one client.
#[derive(Debug, Default)]
pub struct Inbox {
    held: Mutex<Held>,
    /// Whether it holds anything; a hint without the lock.
    has_mail: AtomicBool,
    /// A message did not fit: the client is to be closed.
    overrun: AtomicBool,
}

#[derive(Debug, Default)]
struct Held {
    /// Boxed, so that the many clients without mail hold none.
    messages: Option<Box<Reply>>,
    /// In which protocol messages are written.
    version: Version,
    /// It stands in the list.
    marked: bool,
    /// The client is gone, or going.
    shut: bool,
}

impl Inbox {
    /// Whether there is mail; false only if there was none a moment ago.
    #[inline]
    pub fn has_mail(&self) -> bool {
        self.has_mail.load(Relaxed)
    }

    /// Whether mail was denied for want of room.
    pub fn is_overrun(&self) -> bool {
        self.overrun.load(Relaxed)
    }

    /// Moves all mail behind what is in `reply`.
    pub fn drain_into(&self, reply: &mut Reply) {
        let mut held = self.held.lock();
        self.empty(&mut held, reply);
    }

    /// Moves all mail into `reply`; what comes from now on is of this version.
    pub fn switch(&self, version: Version, reply: &mut Reply) {
        let mut held = self.held.lock();
        self.empty(&mut held, reply);
        held.version = version;
    }

    fn empty(&self, held: &mut Held, reply: &mut Reply) {
        held.marked = false;
        self.has_mail.store(false, Relaxed);
        if let Some(messages) = held.messages.take() {
            reply.append(*messages);
        }
    }

    /// Takes no more mail: the client has gone.
    pub fn shut(&self) {
        let mut held = self.held.lock();
        held.shut = true;
        held.messages = None;
    }
}

/// A message in both protocol versions, the second made when it is first needed.
pub trait Letter {
    /// The whole message, if there is one in this version.
    fn bytes(&mut self, version: Version) -> Option<&Bytes>;
}

/// The list of clients with mail, and how much each may have.
#[derive(Default)]
pub struct Post {
    /// Tokens of clients with mail.
    list: Mutex<Vec<u64>>,
    waiting: AtomicBool,
    /// Bytes of unsent output at which a client is closed; 0 for no limit.
    max: AtomicU64,
    max_subscriber: AtomicU64,
    /// Wakes who delivers.
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Post {
    /// Sets the bytes of unsent output at which clients are closed, subscribers and
    /// others; 0 for no limit.
    pub fn set_limits(&self, subscriber: u64, other: u64) {
        self.max_subscriber.store(subscriber, Relaxed);
        self.max.store(other, Relaxed);
    }

    /// Has `wake` called when a list begins; before, nobody is told.
    pub fn call_when_due(&self, wake: Box<dyn Fn() + Send + Sync>) {
        // A second one would have nobody to deliver for.
        let _ = self.wake.set(wake);
    }

    /// Puts a message into a client's inbox.
    pub fn send(&self, client: &Client, letter: &mut impl Letter) {
        let inbox = &client.inbox;
        let mut held = inbox.held.lock();
        if held.shut || inbox.is_overrun() {
            return;
        }
        let Some(bytes) = letter.bytes(held.version) else {
            return;
        };
        let messages = held.messages.get_or_insert_default();
        let max = if client.is_subscriber() {
            self.max_subscriber.load(Relaxed)
        } else {
            self.max.load(Relaxed)
        };
        let unsent = messages.pending() + client.output_len.load(Relaxed);
        if max > 0 && (unsent + bytes.len()) as u64 > max {
            inbox.overrun.store(true, Relaxed);
        } else {
            messages.message(bytes);
            inbox.has_mail.store(true, Relaxed);
        }
        if !std::mem::replace(&mut held.marked, true) {
            drop(held);
            self.enlist(client.token.load(Relaxed));
        }
    }

    fn enlist(&self, token: u64) {
        let mut list = self.list.lock();
        list.push(token);
        let first = !self.waiting.swap(true, Relaxed);
        drop(list);
        if first && let Some(wake) = self.wake.get() {
            wake();
        }
    }

    /// Takes the list of clients with mail.
    pub fn collect(&self, into: &mut impl Extend<u64>) {
        if self.waiting.load(Relaxed) {
            let mut list = self.list.lock();
            self.waiting.store(false, Relaxed);
            into.extend(list.drain(..));
        }
    }
}
