//! `maxmemory-clients`: the memory that the buffers of all clients may take together.
//!
//! Each connection's part is counted when it comes to rest. Past the limit the largest
//! are closed, until the rest fits. Who has asked for CLIENT NO-EVICT is left alone.

use std::sync::atomic::Ordering::Relaxed;

use super::Reactor;
use crate::config::{Config, Id};

/// What all clients take, and whether it is of use to look for one to close.
#[derive(Default)]
pub(super) struct Budget {
    bytes: usize,
    /// Nobody was left to close; the cron has us look again.
    pub(super) rests: bool,
}

/// The limit in bytes; 0 is none. A percentage is one of `maxmemory`.
pub(super) fn limit(config: &Config) -> usize {
    let limit = match config.int(Id::MAXMEMORY_CLIENTS) {
        bytes @ 0.. => bytes,
        percent => config.int(Id::MAXMEMORY) / 100 * -percent,
    };
    usize::try_from(limit).unwrap_or(0)
}

impl Reactor {
    /// Tells the register what a connection holds, and counts it.
    pub(super) fn account(&mut self, slot: usize) {
        if let Some(conn) = self.conns.get_mut(slot) {
            conn.publish();
            let bytes = conn.client.mem_bytes();
            let before = std::mem::replace(&mut conn.bytes, bytes);
            self.budget.bytes = self.budget.bytes + bytes - before;
        }
    }

    /// A connection that was counted with so many bytes has gone.
    pub(super) fn discount(&mut self, bytes: usize) {
        self.budget.bytes -= bytes;
    }

    /// Closes the largest clients while all together are past the limit.
    #[inline]
    pub(super) fn enforce_budget(&mut self) {
        let max = self.limits.client_bytes_max;
        if max > 0 && self.budget.bytes > max && !self.budget.rests {
            self.evict_clients(max);
        }
    }

    #[cold]
    fn evict_clients(&mut self, max: usize) {
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
