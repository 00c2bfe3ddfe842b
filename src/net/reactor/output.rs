//! `client-output-buffer-limit`: what may wait for a client that does not read.
//!
//! The hard limit is kept where output is written: replies drop what is too much
//! (`Reply::set_limit`), inboxes refuse it. Here the connection is closed, and the soft
//! limit is looked after, whenever a connection comes to rest and by the cron.

use std::time::Instant;

use super::Reactor;
use crate::clients::Client;
use crate::config::lists::{OutputLimit, OutputLimits};
use crate::resp::write::IN_PLACE_MAX;

/// The limit of a client's class.
pub(super) fn limit(limits: &OutputLimits, client: &Client) -> OutputLimit {
    if client.is_subscriber() {
        limits.pubsub
    } else {
        limits.normal
    }
}

impl Reactor {
    /// Closes a connection that does not read its replies, by the limits of its class.
    /// So many bytes are unsent, and so many had to be dropped.
    pub(super) fn is_over_output_limit(
        &mut self,
        slot: usize,
        unsent: usize,
        dropped: usize,
    ) -> bool {
        let limits = self.limits.output;
        let Some(conn) = self.conns.get_mut(slot) else {
            return true;
        };
        let limit = limit(&limits, &conn.client);
        let over = |bound: u64, bytes: usize| bound > 0 && bytes as u64 > bound;
        let mut closes = over(limit.hard, unsent) || dropped > 0 || conn.client.inbox.is_overrun();
        // What CLIENT LIST shows as omem: who waits for the limit sees it passed.
        if over(limit.soft, unsent.saturating_sub(IN_PLACE_MAX)) {
            let since = *conn.over_soft_since.get_or_insert_with(Instant::now);
            closes |= since.elapsed().as_secs() >= limit.soft_seconds;
        } else {
            conn.over_soft_since = None;
        }
        if closes {
            let counters = &self.executor.metrics().counters;
            counters.output_limit_closed.add(1);
            log::warn!(
                "Client {} closed for overcoming of output buffer limits ({} bytes).",
                conn.client.address,
                unsent + dropped
            );
            self.close(slot);
        }
        closes
    }
}
