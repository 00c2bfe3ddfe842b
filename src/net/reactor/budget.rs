//! What clients take beside the data: buffers, and what is queued, watched or listened to.
//!
//! Each connection is counted when it comes to rest, for two limits:
//! - `maxmemory-clients` bounds what all of them hold. Past it the largest are closed, until
//!   the rest fits; who has asked for CLIENT NO-EVICT is left alone.
//! - `maxmemory` is for data. While there is such a limit the register is told what is held
//!   for clients alone, so that no key goes to make room for it. A reply that is part of a value
//!   counts for the first and not for the second: it is data still.

use std::sync::atomic::Ordering::Relaxed;

use bytes::BytesMut;

use super::Reactor;
use super::cached::Cached;
use crate::net::conn::Conn;

/// What all clients hold, and whether it is of use to look for one to close.
#[derive(Default)]
pub(super) struct Budget {
    bytes: u64,
    /// Nobody was left to close; the cron has us look again.
    pub(super) rests: bool,
}

impl Reactor {
    /// Tells the register what a connection holds, and counts it.
    pub(super) fn account(&mut self, slot: usize) {
        let Some(conn) = self.conns.get_mut(slot) else {
            return;
        };
        conn.publish();
        let bytes = conn.client.mem_bytes();
        let before = std::mem::replace(&mut conn.bytes, bytes);
        self.budget.bytes = self.budget.bytes + bytes as u64 - before as u64;
        if self.executor.is_limited()
            && let Some(batch) = &conn.batch
        {
            let clients = &self.services.clients;
            clients.note_buffers(&conn.client, batch.own_bytes());
        }
    }

    /// A connection has gone, and what was counted of it.
    pub(super) fn discount(&mut self, conn: &Conn) {
        self.budget.bytes -= conn.bytes as u64;
        self.services.clients.note_buffers(&conn.client, 0);
    }

    /// Tells what the buffers of this turn's batches take before they run, and those that
    /// wait for a connection.
    #[inline]
    pub(super) fn note_buffers(&self) {
        if !self.executor.is_limited() {
            return;
        }
        let clients = &self.services.clients;
        for batch in &self.turn {
            clients.note_buffers(&batch.session.client, batch.own_bytes());
        }
        let inputs = self.inputs.iter().map(BytesMut::capacity);
        let outputs = self.outputs.iter().map(Vec::capacity);
        clients.note_spare(inputs.chain(outputs).sum());
    }

    /// Closes the largest clients while all together are past the limit, as it is by now.
    #[inline]
    pub(super) fn enforce_budget(&mut self) {
        if self.services.config.generation() != self.limits.generation {
            self.limits = Cached::read(&self.services);
            self.budget.rests = false;
        }
        let max = self.limits.client_bytes_max;
        if max > 0 && self.budget.bytes > max && !self.budget.rests {
            self.evict_clients(max);
        }
    }

    #[cold]
    fn evict_clients(&mut self, max: u64) {
        let may_go = self
            .conns
            .iter()
            .filter(|(_, conn)| !conn.client.no_evict.load(Relaxed));
        let mut clients: Vec<(usize, usize)> =
            may_go.map(|(slot, conn)| (conn.bytes, slot)).collect();
        clients.sort_unstable_by(|a, b| b.cmp(a));
        for (bytes, slot) in clients {
            if self.budget.bytes <= max {
                return;
            }
            if let Some(conn) = self.conns.get(slot) {
                log::info!(
                    "Evicting client {}: its buffers take {bytes} bytes",
                    conn.client.address
                );
            }
            self.executor.metrics().counters.evicted_clients.add(1);
            self.close(slot);
        }
        self.budget.rests = self.budget.bytes > max;
    }
}
