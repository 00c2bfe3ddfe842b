//! Connections that are blocked: from the batch that comes back waiting to the reply
//! that ends the wait.
//!
//! While a connection is blocked none of its commands runs. What it sends meanwhile
//! is received up to a bound; its end is noticed, and ends the wait.

use super::{Deadline, Reactor};
use crate::base::clock::Millis;
use crate::base::wait::Phase;
use crate::exec::Blocked;

/// When to look again at a wait that is being served at the moment of its end.
const AGAIN_MS: Millis = 1;

impl Reactor {
    /// Has a connection wait that has just come back with its batch.
    pub(super) fn block(&mut self, slot: usize, blocked: Blocked) {
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        if let Some(at) = blocked.until() {
            self.deadlines.insert(Deadline {
                at,
                slot,
                generation: conn.generation,
            });
        }
        let for_log = blocked.acks().is_some();
        conn.blocked = Some(blocked);
        // It may have been served before it came here.
        self.end_wait(slot);
        if for_log {
            self.log_waits.insert(slot);
            self.end_log_waits();
        }
    }

    /// The log may have got further: sends the replies that have waited for it, and ends
    /// the waits of clients.
    pub(super) fn follow_log(&mut self) {
        for slot in std::mem::take(&mut self.held) {
            self.send_rest(slot);
        }
        self.end_log_waits();
    }

    /// Ends the waits for the log that it has got far enough for, or that are in vain.
    pub(super) fn end_log_waits(&mut self) {
        for slot in std::mem::take(&mut self.log_waits) {
            let blocked = self.conns.get(slot).and_then(|conn| conn.blocked.as_ref());
            let Some((acks, wait)) = blocked.and_then(|b| Some((b.acks()?, b.wait()))) else {
                continue;
            };
            let log = self.executor.log();
            if !(acks.suffice(log) || acks.are_vain(log)) {
                self.log_waits.insert(slot);
            } else if wait.end(Phase::Released) {
                self.end_wait(slot);
            }
        }
    }

    /// Ends the waits of those who have been served or called off.
    pub(super) fn end_rung_waits(&mut self) {
        for token in self.services.clients.take_rung() {
            let (slot, generation) = (token as u32 as usize, (token >> 32) as u32);
            let present = (self.conns.get(slot)).is_some_and(|conn| conn.generation == generation);
            if present {
                self.end_wait(slot);
            }
        }
    }

    /// Ends the waits whose time has passed.
    pub(super) fn end_late_waits(&mut self, now: Millis) {
        while let Some(due) = self.deadlines.first().filter(|due| due.at <= now).copied() {
            self.deadlines.remove(&due);
            let conn = self.conns.get(due.slot);
            let conn = conn.filter(|conn| conn.generation == due.generation);
            let Some(blocked) = conn.and_then(|conn| conn.blocked.as_ref()) else {
                continue;
            };
            if blocked.until().is_none_or(|at| at > now) {
                // An earlier wait of the same connection.
                continue;
            }
            if blocked.wait().end(Phase::TimedOut) || blocked.wait().is_over() {
                self.end_wait(due.slot);
            } else {
                let at = now + AGAIN_MS;
                self.deadlines.insert(Deadline { at, ..due });
            }
        }
    }

    /// Sends the reply of a wait that is over, and goes on with what the connection
    /// has sent meanwhile.
    fn end_wait(&mut self, slot: usize) {
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        let Some(blocked) = conn.blocked.take_if(|blocked| blocked.wait().is_over()) else {
            return;
        };
        let mut has_input = false;
        if let Some(batch) = &mut conn.batch {
            has_input = batch.requests.byte_len() > 0;
            self.executor.answer(&blocked, batch);
            self.executor.note_dependence_of(batch);
        }
        self.part_with_wait(slot, &blocked);
        self.send_rest(slot);
        if has_input {
            // It came while nothing was parsed.
            self.queue(slot);
        }
    }

    fn part_with_wait(&mut self, slot: usize, blocked: &Blocked) {
        let Some(conn) = self.conns.get(slot) else {
            return;
        };
        self.services.clients.set_wait(&conn.client, None);
        if let Some(at) = blocked.until() {
            self.deadlines.remove(&Deadline {
                at,
                slot,
                generation: conn.generation,
            });
        }
        if blocked.wait().phase() != Phase::Served {
            self.executor.forget(blocked);
        }
    }

    /// Gives up the wait of a connection that is about to be closed.
    pub(super) fn leave_wait(&mut self, slot: usize) {
        let blocked = (self.conns.get_mut(slot)).and_then(|conn| conn.blocked.take());
        if let Some(blocked) = blocked {
            blocked.wait().end(Phase::Gone);
            self.part_with_wait(slot, &blocked);
        }
    }
}
