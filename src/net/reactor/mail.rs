//! Bringing mail: what clients are told without having asked.
//!
//! A message to a thousand subscribers costs a thousand writes, some milliseconds. Only
//! so many are made in a turn ([`DELIVERIES_MAX`]); then others have theirs. What is
//! published meanwhile joins what waits, so the busier the server, the more messages
//! one write carries.

use super::Reactor;

/// Connections that are sent mail in one turn: some 200 us of writes.
const DELIVERIES_MAX: usize = 64;

impl Reactor {
    /// Sends mail to the clients that have waited longest for it.
    pub(super) fn deliver_mail(&mut self) {
        self.services.clients.post.collect(&mut self.mail);
        for _ in 0..self.mail.len().min(DELIVERIES_MAX) {
            if let Some(token) = self.mail.pop_front() {
                self.deliver_to(token);
            }
        }
    }

    fn deliver_to(&mut self, token: u64) {
        let (slot, generation) = (token as u32 as usize, (token >> 32) as u32);
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        if conn.generation != generation {
            return;
        }
        // A batch in flight takes its mail when it is back.
        let Some(mut batch) = conn.batch.take() else {
            if conn.client.inbox.is_overrun() {
                self.is_over_output_limit(slot, 0, 0);
            }
            return;
        };
        batch.reply.borrow_from(&mut self.outputs);
        batch.take_mail();
        self.return_batch(batch);
    }
}
