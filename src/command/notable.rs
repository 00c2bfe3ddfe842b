//! What makes a command notable: the time it took, the size of its request or of its
//! reply. Checked after each command with three comparisons; what is noted, rarely.

use std::sync::atomic::Ordering::Relaxed;

use super::ctx::Services;
use super::limits;
use super::redact;
use super::spec::Flags;
use super::table::Command;
use crate::base::clock::{self, Millis};
use crate::base::sys;
use crate::clients::Client;
use crate::config::{Config, Id};
use crate::metrics::commandlog::{Entry, Kind, kept_args};
use crate::metrics::latency::event;
use crate::resp::Argv;

/// From where on a command is notable. In ticks and bytes, so that a comparison is
/// all that a command costs; renewed when the configuration has changed.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    generation: u64,
    ticks: u64,
    request_bytes: usize,
    reply_bytes: usize,
    /// Single values have limits.
    pub values_limited: bool,
}

impl Thresholds {
    /// Nothing is notable, until they are renewed.
    pub const NONE: Thresholds = Thresholds {
        generation: u64::MAX,
        ticks: u64::MAX,
        request_bytes: usize::MAX,
        reply_bytes: usize::MAX,
        values_limited: false,
    };

    /// The thresholds that are configured now.
    pub fn read(config: &Config) -> Thresholds {
        let per_us = sys::ticks_per_us();
        let ticks = |us: f64| (us * per_us) as u64;
        let slow = match config.int(Id::SLOWLOG_LOG_SLOWER_THAN) {
            us @ 0.. => ticks(us as f64),
            _ => u64::MAX,
        };
        let event = match config.int(Id::LATENCY_MONITOR_THRESHOLD) {
            ms @ 1.. => ticks(ms as f64 * 1000.0),
            _ => u64::MAX,
        };
        let bytes = |id| usize::try_from(config.int(id)).unwrap_or(usize::MAX);
        Thresholds {
            generation: config.generation(),
            ticks: slow.min(event),
            request_bytes: bytes(Id::COMMANDLOG_REQUEST_LARGER_THAN),
            reply_bytes: bytes(Id::COMMANDLOG_REPLY_LARGER_THAN),
            values_limited: limits::are_set(config),
        }
    }

    /// Reads them again if the configuration has changed.
    #[inline]
    pub fn renew(&mut self, config: &Config) {
        if self.generation != config.generation() {
            *self = Thresholds::read(config);
        }
    }

    /// Whether a call may be notable that has run for so many ticks, by the bytes of its
    /// request, or a bound on them, and of its reply.
    #[inline]
    pub fn are_met(&self, ticks: u64, request_bytes: usize, reply_bytes: usize) -> bool {
        ticks >= self.ticks
            || reply_bytes >= self.reply_bytes
            || request_bytes >= self.request_bytes
    }
}

/// One call that has ended.
pub struct Call<'a> {
    pub command: &'a Command,
    pub argv: Argv<'a>,
    pub client: &'a Client,
    pub now: Millis,
    /// Ticks that the command ran, and between its arrival and its start.
    pub ticks: u64,
    pub waited_ticks: u64,
    pub reply_bytes: usize,
}

/// Notes a call in the logs and events where it belongs.
#[cold]
pub fn note(services: &Services, call: &Call<'_>) {
    let config = &services.config;
    let per_us = sys::ticks_per_us();
    let us = (call.ticks as f64 / per_us) as u64;
    let flags = call.command.spec.flags;
    let event_ms = config.int(Id::LATENCY_MONITOR_THRESHOLD);
    if event_ms > 0 && us / 1000 >= event_ms.unsigned_abs() {
        let event = if flags.has(Flags::FAST) {
            event::FAST_COMMAND
        } else {
            event::COMMAND
        };
        let secs = clock::secs_of(call.now);
        services.observed.latency.record(event, secs, us / 1000);
    }
    if flags.has(Flags::SKIP_SLOWLOG) {
        return;
    }
    let waited_us = (call.waited_ticks as f64 / per_us) as u64;
    for (kind, value, from, len_max) in [
        (
            Kind::Slow,
            us,
            Id::SLOWLOG_LOG_SLOWER_THAN,
            Id::SLOWLOG_MAX_LEN,
        ),
        (
            Kind::LargeRequest,
            call.argv.byte_len() as u64,
            Id::COMMANDLOG_REQUEST_LARGER_THAN,
            Id::COMMANDLOG_LARGE_REQUEST_MAX_LEN,
        ),
        (
            Kind::LargeReply,
            call.reply_bytes as u64,
            Id::COMMANDLOG_REPLY_LARGER_THAN,
            Id::COMMANDLOG_LARGE_REPLY_MAX_LEN,
        ),
    ] {
        if u64::try_from(config.int(from)).is_ok_and(|from| value >= from) {
            let entry = entry(call, value, waited_us);
            services
                .observed
                .logs
                .of(kind)
                .add(entry, config.size(len_max));
        }
    }
}

fn entry(call: &Call<'_>, value: u64, waited_us: u64) -> Entry {
    let args = redact::shown(call.command, call.argv);
    Entry {
        // The log gives it.
        id: 0,
        unix_secs: clock::secs_of(call.now),
        value,
        waited_us,
        args: kept_args(args.into_iter()),
        address: call.client.address.to_string(),
        client_name: call.client.names().name,
    }
}

/// Counts a sampled call for the table of hot keys; `nth` chooses one of its keys.
#[cold]
pub fn sample_key(services: &Services, call: &Call<'_>, hashes: &[u64], nth: usize) {
    let nth = nth % hashes.len().max(1);
    let Some(&hash) = hashes.get(nth) else {
        return;
    };
    if let Some(at) = call.command.nth_key_position(call.argv, nth) {
        let db = call.client.db.load(Relaxed).into();
        let name = call.argv.get(at);
        services.observed.hot_keys.sample(db, hash, name, call.now);
    }
}
