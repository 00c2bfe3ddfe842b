//! MONITOR: clients that are told of every command that runs.
//!
//! Whoever runs commands looks once a group whether there is one. A line goes into the
//! monitors' inboxes under the locks of the command's keys, so that commands of one key
//! are told in the order in which they ran; the list's own lock gives all monitors one order,
//! and the times in it do not run backwards. Who reads too slowly is closed at the output
//! limit of its class, as with any other mail.
//!
//! Must stay true: a client that has gone is not in the list, whoever still holds its
//! session. Lock order: the list, then an inbox.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{Client, Letter, Post, inbox};
use crate::base::clock;
use crate::resp::Version;

/// Bytes of a line before and behind its text, for the next 260 years.
const FRAME: usize = "+1234567890.123456 \r\n".len();

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Monitors {
    list: Mutex<Vec<Arc<Client>>>,
    /// Whether there is any, read without the lock.
    any: AtomicBool,
}

impl Monitors {
    /// Whether anybody wants to be told.
    #[inline]
    pub fn any(&self) -> bool {
        self.any.load(Relaxed)
    }

    /// Tells this client from now on, unless it has gone.
    pub fn add(&self, client: &Arc<Client>) {
        let mut list = self.list.lock();
        // Stored before the list is locked for its removal.
        if !client.gone.load(Relaxed) && !client.monitors.swap(true, Relaxed) {
            list.push(Arc::clone(client));
            self.any.store(true, Relaxed);
        }
    }

    /// Tells this client no more.
    pub fn remove(&self, client: &Client) {
        let mut list = self.list.lock();
        if client.monitors.swap(false, Relaxed) {
            list.retain(|other| other.id != client.id);
            self.any.store(!list.is_empty(), Relaxed);
        }
    }

    /// Tells a text, with the time before it, to all in the list.
    pub fn tell(&self, text: &[u8], post: &Post) {
        let mut line = Vec::with_capacity(text.len() + FRAME);
        let list = self.list.lock();
        let now_us = clock::now_us();
        // Writing to memory does not fail.
        let _ = write!(line, "+{}.{:06} ", now_us / 1_000_000, now_us % 1_000_000);
        line.extend_from_slice(text);
        line.extend_from_slice(b"\r\n");
        let mut letter = Line(inbox::counted(Bytes::from(line)));
        list.iter()
            .for_each(|client| post.send(client, &mut letter));
    }
}

/// A line is the same in both versions of the protocol.
struct Line(Bytes);

impl Letter for Line {
    fn bytes(&mut self, _version: Version) -> Option<&Bytes> {
        Some(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::{Arrival, Clients};
    use crate::resp::Reply;

    /// The texts that a client has been told, without their times.
    fn mail(client: &Client) -> Vec<String> {
        let mut reply = Reply::default();
        client.inbox.drain_into(&mut reply);
        let bytes = reply.into_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let texts = text.lines().map(|line| {
            let (time, text) = line.strip_prefix('+').unwrap().split_once(' ').unwrap();
            assert!(time.parse::<f64>().unwrap() > 1e9);
            text.to_owned()
        });
        texts.collect()
    }

    #[test]
    fn who_monitors_is_told_until_it_ends_or_goes() {
        let clients = Clients::default();
        let both = [(); 2].map(|()| clients.register(Arrival::default()));
        let monitors = &clients.monitors;
        both.iter().for_each(|client| monitors.add(client));
        monitors.add(&both[0]);
        monitors.tell(b"one", &clients.post);
        monitors.remove(&both[0]);
        monitors.tell(b"two", &clients.post);
        assert_eq!(mail(&both[0]), ["one"]);
        assert_eq!(mail(&both[1]), ["one", "two"]);
        assert!(monitors.any());
        both[1].gone.store(true, Relaxed);
        monitors.remove(&both[1]);
        assert!(!monitors.any());
        // Its session is with a worker still.
        monitors.add(&both[1]);
        assert!(!monitors.any());
    }

    #[test]
    fn a_line_that_does_not_fit_closes_its_reader_only() {
        let clients = Clients::default();
        let slow = clients.register(Arrival::default());
        clients.post.set_limits(0, 100);
        clients.monitors.add(&slow);
        clients.monitors.tell(&[b'x'; 60], &clients.post);
        let other = clients.register(Arrival::default());
        clients.monitors.add(&other);
        clients.monitors.tell(&[b'y'; 60], &clients.post);
        assert!(slow.inbox.is_overrun());
        assert_eq!(mail(&other), ["y".repeat(60)]);
    }
}
