//! Memory on its way out, and for how long there has been too much of it: what those who
//! make room tell each other, and INFO.
//!
//! Sums over all threads are made now and then (`base::heap`). Who compares one with a
//! limit has to know what has been freed since by others, and what the reaper has still
//! to free, or too much is evicted: hence counts that only grow, to be compared with what
//! they were at the time of the sum.

use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::base::clock::Millis;

/// See the head of this file. All counts are bytes unless they say otherwise.
#[derive(Debug, Default)]
pub struct Backlog {
    given: AtomicU64,
    reaped: AtomicU64,
    evicted: AtomicU64,
    objects: AtomicUsize,
    /// Since when there has been too much, 0 if there is not.
    exceeded_since: AtomicI64,
    exceeded_ms: AtomicU64,
}

impl Backlog {
    /// Something of `bytes` has been given to the reaper.
    pub fn give(&self, bytes: u64) {
        self.objects.fetch_add(1, Relaxed);
        self.given.fetch_add(bytes, Relaxed);
    }

    /// The reaper has freed something that was given with `bytes`.
    pub fn reap(&self, bytes: u64) {
        self.reaped.fetch_add(bytes, Relaxed);
        self.objects.fetch_sub(1, Relaxed);
    }

    /// An eviction has freed `bytes` itself.
    pub fn evict(&self, bytes: u64) {
        self.evicted.fetch_add(bytes, Relaxed);
    }

    /// Ever given to the reaper.
    pub fn given(&self) -> u64 {
        self.given.load(Relaxed)
    }

    /// Of it, freed by now.
    pub fn reaped(&self) -> u64 {
        self.reaped.load(Relaxed)
    }

    /// Ever freed by evictions themselves.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Relaxed)
    }

    /// Values and tables that the reaper has still to free.
    pub fn objects(&self) -> usize {
        self.objects.load(Relaxed)
    }

    /// There is too much in use at `now`, and no room could be made at once.
    pub fn exceeds(&self, now: Millis) {
        let _ = (self.exceeded_since).compare_exchange(0, now.max(1), Relaxed, Relaxed);
    }

    /// What is in use is within the limit at `now`.
    pub fn fits(&self, now: Millis) {
        if self.exceeded_since.load(Relaxed) != 0 {
            let since = self.exceeded_since.swap(0, Relaxed);
            self.add_exceeded(since, now);
        }
    }

    fn add_exceeded(&self, since: Millis, now: Millis) {
        if since != 0 {
            let spent = now.saturating_sub(since).max(0).unsigned_abs();
            self.exceeded_ms.fetch_add(spent, Relaxed);
        }
    }

    /// Milliseconds for which there has been too much: now, and in all.
    pub fn exceeded_ms(&self, now: Millis) -> (u64, u64) {
        let current = match self.exceeded_since.load(Relaxed) {
            0 => 0,
            since => now.saturating_sub(since).max(0).unsigned_abs(),
        };
        (current, self.exceeded_ms.load(Relaxed) + current)
    }

    /// Forgets the time so far.
    pub fn reset(&self) {
        self.exceeded_since.store(0, Relaxed);
        self.exceeded_ms.store(0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_above_the_limit_adds_up() {
        let backlog = Backlog::default();
        backlog.fits(500);
        assert_eq!(backlog.exceeded_ms(500), (0, 0));
        backlog.exceeds(1000);
        backlog.exceeds(1100);
        assert_eq!(backlog.exceeded_ms(1200), (200, 200));
        backlog.fits(1300);
        assert_eq!(backlog.exceeded_ms(1400), (0, 300));
        backlog.exceeds(2000);
        backlog.fits(1000);
        assert_eq!(backlog.exceeded_ms(2000), (0, 300), "a clock set back");
        backlog.reset();
        assert_eq!(backlog.exceeded_ms(2000), (0, 0));
    }

    #[test]
    fn what_is_given_is_in_flight_until_it_is_reaped() {
        let backlog = Backlog::default();
        backlog.give(10);
        backlog.give(0);
        backlog.reap(10);
        assert_eq!((backlog.given(), backlog.reaped()), (10, 10));
        assert_eq!(backlog.objects(), 1);
    }
}
