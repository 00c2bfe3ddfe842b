//! The reactor's timers: active expiry, and the cron that looks after everything
//! that has no event of its own.

use std::time::{Duration, Instant};

use super::Reactor;
use crate::base::clock::{self, Millis};
use crate::base::heap;
use crate::config::Id;
use crate::exec::survey::Surveyor;
use crate::metrics::latency::event;
use crate::systemd::Notifier;

/// How often the cron runs.
const CRON_EVERY: Duration = Duration::from_millis(100);
/// The interval of expiry steps while nothing is found, and its least value.
const EXPIRE_IDLE_MAX: Duration = Duration::from_secs(1);
const EXPIRE_IDLE_MIN: Duration = Duration::from_millis(100);
/// Longest time of one step, give or take a slice; a client waits for it.
const EXPIRE_STEP: Duration = Duration::from_micros(250);
/// From one step to the next while keys are left over: twice what a step takes, so
/// that expiry has half of the reactor at the most.
const EXPIRE_BUSY: Duration = Duration::from_micros(500);
/// Time between two steps of eviction while there is too much in use.
const EVICT_BUSY: Duration = Duration::from_millis(1);
/// Time that the search for large keys has in one run of the cron: half a percent.
const SURVEY_STEP: Duration = Duration::from_micros(500);
/// How often the progress of loading is told.
pub(super) const STARTING_EVERY: Duration = Duration::from_secs(2);
/// Connections that one run of the cron looks at.
const CONNS_PER_RUN: usize = 256;

/// When the timers are due next.
pub(super) struct Cron {
    next_cron: Instant,
    next_expire: Instant,
    expire_idle: Duration,
    /// Keys are left over from the last step.
    expire_hurries: bool,
    /// When eviction goes on, while it has not come to an end.
    next_evict: Option<Instant>,
    watchdog: Option<Duration>,
    next_watchdog: Instant,
    next_starting: Instant,
    /// Where the walk over connections goes on.
    conn_cursor: usize,
    surveyor: Surveyor,
}

impl Cron {
    pub(super) fn new(notifier: &Notifier) -> Cron {
        let now = Instant::now();
        Cron {
            next_cron: now,
            next_expire: now,
            expire_idle: EXPIRE_IDLE_MIN,
            expire_hurries: false,
            next_evict: None,
            watchdog: notifier.watchdog_interval(),
            next_watchdog: now,
            next_starting: now + STARTING_EVERY,
            conn_cursor: 0,
            surveyor: Surveyor::default(),
        }
    }

    /// How long the reactor may sleep.
    pub(super) fn until_next(&self, now: Instant) -> Duration {
        if self.expire_hurries {
            // The poller counts in milliseconds, and a step is due sooner.
            return Duration::ZERO;
        }
        self.next_cron
            .min(self.next_expire)
            .min(self.next_evict.unwrap_or(self.next_cron))
            .saturating_duration_since(now)
    }
}

impl Reactor {
    /// Runs the timers that are due.
    pub(super) fn run_timers(&mut self, now: Millis) {
        let instant = Instant::now();
        if instant >= self.cron.next_expire {
            self.expire(now, instant);
        }
        self.end_late_waits(now);
        let evicts = self.cron.next_evict.unwrap_or(self.cron.next_cron);
        if instant >= evicts {
            let more = self.executor.evict(now);
            self.cron.next_evict = more.then(|| instant + EVICT_BUSY);
        }
        if instant >= self.cron.next_cron {
            self.cron.next_cron = instant + CRON_EVERY;
            self.run_cron(now, instant);
            self.executor.take_leave();
            self.executor.drop_flushed(now);
        }
    }

    /// One step of the active expiry; how soon the next comes depends on what was
    /// found.
    fn expire(&mut self, now: Millis, instant: Instant) {
        let report = self.executor.expire(now, EXPIRE_STEP);
        self.note_expiry(now, instant.elapsed());
        self.cron.expire_hurries = report.unfinished;
        let wait = if report.unfinished || report.skipped {
            EXPIRE_BUSY
        } else {
            self.cron.expire_idle = if report.removed > 0 {
                EXPIRE_IDLE_MIN
            } else {
                (self.cron.expire_idle * 2).min(EXPIRE_IDLE_MAX)
            };
            self.cron.expire_idle
        };
        self.cron.next_expire = instant + wait;
    }

    /// Records a step of the active expiry that has taken long.
    fn note_expiry(&self, now: Millis, took: Duration) {
        let threshold = self.services.config.int(Id::LATENCY_MONITOR_THRESHOLD);
        let millis = took.as_millis() as u64;
        if threshold > 0 && millis >= threshold.unsigned_abs() {
            let latency = &self.services.observed.latency;
            latency.record(event::EXPIRE_CYCLE, clock::secs_of(now), millis);
        }
    }

    fn run_cron(&mut self, now: Millis, instant: Instant) {
        let totals = self.services.metrics.totals();
        self.services.rates.sample(now, &totals);
        self.cron
            .surveyor
            .step(&self.services, now, totals.dirty, SURVEY_STEP);
        let max = self.services.config.size(Id::TRACKING_TABLE_MAX_KEYS);
        self.services
            .pubsub
            .tracking
            .trim(&self.services.clients, max);
        // So that a peak between two questions is seen.
        heap::in_use_about(now);
        self.look_after_conns(now);
        self.look_after_readers(instant);
        self.resume_paused(now);
        // The limit may be a share of one that has changed.
        self.limits.client_bytes_max = self.services.config.max_client_memory();
        self.budget.rests = false;
        self.services.persist.cron(now, self.services.changes());
        if let Some(aof) = self.services.aof() {
            aof.cron();
            self.end_log_waits();
        }
        if instant >= self.cron.next_starting {
            self.cron.next_starting = instant + STARTING_EVERY;
            self.tell_starting();
        }
        if let Some(interval) = self.cron.watchdog
            && instant >= self.cron.next_watchdog
            && !self.pool.is_stalled()
        {
            self.cron.next_watchdog = instant + interval;
            self.notifier.watchdog();
        }
    }

    /// Ends connections that have been idle for too long or read too slowly, and
    /// takes memory back from quiet ones; a slice at a time.
    fn look_after_conns(&mut self, now: Millis) {
        let timeout = self.services.config.int(Id::TIMEOUT) * 1000;
        let end = self.conns.capacity();
        let from = if self.cron.conn_cursor >= end {
            0
        } else {
            self.cron.conn_cursor
        };
        let until = (from + CONNS_PER_RUN).min(end);
        self.cron.conn_cursor = until;
        for slot in from..until {
            let Some(conn) = self.conns.get_mut(slot) else {
                continue;
            };
            let idle = now
                - conn
                    .client
                    .last_active
                    .load(std::sync::atomic::Ordering::Relaxed);
            let Some(batch) = &mut conn.batch else {
                continue;
            };
            if idle > 2000 && batch.requests.mem_bytes() > 0 && !batch.requests.is_cut() {
                batch.requests.shrink();
            }
            let unsent = batch.reply.pending();
            // Subscribers have nothing to say, and who waits cannot.
            let quiet = conn.blocked.is_some() || conn.client.only_listens();
            if timeout > 0 && idle > timeout && !quiet {
                log::debug!("Closing idle client {}", conn.client.address);
                self.close(slot);
            } else if unsent > 0 {
                self.is_over_output_limit(slot, unsent, 0);
            }
        }
    }
}
