//! Rates of the last moments: commands and bytes per second as INFO shows them.
//!
//! The reactor's cron gives the totals every [`SAMPLE_MS`]; a rate is the mean over
//! the last [`SAMPLES`] intervals, as in Redis. The cron is the only writer, readers
//! are anybody: everything is a relaxed atomic, and a reader may see one sample new
//! and its neighbour old, which changes nothing about what a rate means.

use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};

use super::Totals;
use crate::base::clock::Millis;

/// How often the cron samples, in milliseconds.
pub const SAMPLE_MS: i64 = 100;
/// Intervals a rate is averaged over.
const SAMPLES: usize = 16;
/// No sample has been taken yet.
const NEVER: i64 = i64::MIN;

/// One total and its growth per second in each of the last intervals.
#[derive(Debug, Default)]
struct Window {
    total: AtomicU64,
    per_second: [AtomicU64; SAMPLES],
}

impl Window {
    /// A total below the last one was reset in between: growth is unknown, hence 0.
    fn sample(&self, at: usize, total: u64, elapsed_ms: u64) {
        let grown = total.saturating_sub(self.total.swap(total, Relaxed));
        let rate = grown.saturating_mul(1000) / elapsed_ms;
        self.per_second[at].store(rate, Relaxed);
    }

    fn mean(&self) -> u64 {
        let samples = self.per_second.iter().map(|rate| rate.load(Relaxed));
        samples.fold(0, u64::saturating_add) / SAMPLES as u64
    }

    fn reset(&self) {
        self.per_second
            .iter()
            .for_each(|rate| rate.store(0, Relaxed));
    }
}

/// Rates of the whole server.
#[derive(Debug)]
pub struct Rates {
    last_ms: AtomicI64,
    next: AtomicUsize,
    commands: Window,
    received: Window,
    sent: Window,
}

impl Default for Rates {
    fn default() -> Self {
        Rates {
            last_ms: AtomicI64::new(NEVER),
            next: AtomicUsize::new(0),
            commands: Window::default(),
            received: Window::default(),
            sent: Window::default(),
        }
    }
}

impl Rates {
    /// Takes note of the totals at `now`; one thread alone calls this, about every
    /// [`SAMPLE_MS`]. Two samples of one millisecond count as one.
    pub fn sample(&self, now: Millis, totals: &Totals) {
        let last = self.last_ms.load(Relaxed);
        let elapsed = now.saturating_sub(last);
        if last != NEVER && elapsed == 0 {
            return;
        }
        self.last_ms.store(now, Relaxed);
        let windows = [
            (&self.commands, totals.commands),
            (&self.received, totals.received),
            (&self.sent, totals.sent),
        ];
        // Without an earlier sample, or across a clock set back, there is only a
        // total to start from.
        if last == NEVER || elapsed < 0 {
            for (window, total) in windows {
                window.total.store(total, Relaxed);
            }
            return;
        }
        let at = self.next.load(Relaxed);
        self.next.store((at + 1) % SAMPLES, Relaxed);
        for (window, total) in windows {
            window.sample(at, total, elapsed.unsigned_abs());
        }
    }

    /// Commands run per second.
    pub fn commands_per_second(&self) -> u64 {
        self.commands.mean()
    }

    /// Bytes received per second.
    pub fn received_per_second(&self) -> u64 {
        self.received.mean()
    }

    /// Bytes sent per second.
    pub fn sent_per_second(&self) -> u64 {
        self.sent.mean()
    }

    /// CONFIG RESETSTAT.
    pub fn reset(&self) {
        for window in [&self.commands, &self.received, &self.sent] {
            window.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(commands: u64) -> Totals {
        Totals {
            commands,
            received: commands * 10,
            ..Totals::default()
        }
    }

    #[test]
    fn a_steady_rate_is_its_mean() {
        let rates = Rates::default();
        for i in 0..=SAMPLES as u64 {
            rates.sample(1_000_000 + i as i64 * SAMPLE_MS, &totals(i * 500));
        }
        assert_eq!(rates.commands_per_second(), 5000);
        assert_eq!(rates.received_per_second(), 50_000);
        assert_eq!(rates.sent_per_second(), 0);
        rates.reset();
        assert_eq!(rates.commands_per_second(), 0);
    }

    #[test]
    fn odd_clocks_and_reset_totals_make_no_rate() {
        let rates = Rates::default();
        rates.sample(5000, &totals(1_000_000));
        rates.sample(5000, &totals(2_000_000));
        assert_eq!(rates.commands_per_second(), 0, "no interval yet");
        rates.sample(4000, &totals(3_000_000));
        assert_eq!(rates.commands_per_second(), 0, "the clock was set back");
        rates.sample(4100, &totals(0));
        assert_eq!(rates.commands_per_second(), 0, "the totals were reset");
        rates.sample(4200, &totals(160));
        assert_eq!(rates.commands_per_second(), 1600 / SAMPLES as u64);
    }
}
