//! When rewrites may begin: one at a time, and after failures not at once.

use std::time::{Duration, Instant};

/// Failures in a row after which rewrites that nobody asked for come less often.
const FAILURES_BEFORE_DELAY: u64 = 3;
const DELAY_FIRST: Duration = Duration::from_secs(60);
const DELAY_MAX: Duration = Duration::from_secs(3600);
/// How soon a rewrite that is needed is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The rewrite that runs, and what holds back the next one.
#[derive(Default)]
pub(super) struct Pace {
    /// Since when a rewrite runs.
    pub running: Option<Instant>,
    /// It is to end.
    pub cancelled: bool,
    pub scheduled: bool,
    /// Before this, no rewrite begins that nobody asked for.
    not_before: Option<Instant>,
    delay: Duration,
    /// The log says so.
    delay_told: bool,
}

impl Pace {
    /// A rewrite begins, unless there is one.
    pub fn begin(&mut self) -> bool {
        if self.running.is_some() {
            return false;
        }
        self.running = Some(Instant::now());
        (self.cancelled, self.scheduled) = (false, false);
        true
    }

    /// Whether a rewrite runs that is to end.
    pub fn is_ending(&self) -> bool {
        self.running.is_some() && self.cancelled
    }

    /// Forgets failures: somebody asks for a rewrite, or one has succeeded.
    pub fn forget_failures(&mut self) {
        (self.not_before, self.delay) = (None, Duration::ZERO);
    }

    /// A rewrite has failed, as so many in a row.
    pub fn note_failure(&mut self, failures: u64) {
        let wait = if failures < FAILURES_BEFORE_DELAY {
            RETRY_DELAY
        } else {
            self.delay = (self.delay * 2).clamp(DELAY_FIRST, DELAY_MAX);
            self.delay_told = false;
            self.delay
        };
        self.not_before = Some(Instant::now() + wait);
    }

    /// Whether a rewrite that is due has to wait. The first that does after a failure is
    /// told of.
    pub fn holds_back(&mut self) -> bool {
        let holds = self.not_before.is_some_and(|at| Instant::now() < at);
        if holds && !self.delay.is_zero() && !self.delay_told {
            self.delay_told = true;
            log::warn!(
                "Background AOF rewrite has repeatedly failed and triggered the limit, will \
                 retry in {} minutes",
                self.delay.as_secs() / 60
            );
        }
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rewrite_at_a_time() {
        let mut pace = Pace {
            scheduled: true,
            ..Pace::default()
        };
        assert!(pace.begin() && !pace.scheduled);
        pace.scheduled = true;
        pace.cancelled = true;
        assert!(!pace.begin() && pace.scheduled && pace.cancelled);
        pace.running = None;
        assert!(pace.begin() && !pace.cancelled);
    }

    #[test]
    fn failures_hold_back_ever_longer_until_they_are_forgotten() {
        let mut pace = Pace::default();
        assert!(!pace.holds_back());
        let mut delays = Vec::new();
        for failures in 1..12 {
            pace.note_failure(failures);
            assert!(pace.holds_back());
            delays.push(pace.delay.as_secs());
            assert_eq!(pace.delay_told, failures >= FAILURES_BEFORE_DELAY);
        }
        assert_eq!(delays[..5], [0, 0, 60, 120, 240]);
        assert_eq!(delays.last(), Some(&DELAY_MAX.as_secs()));
        pace.forget_failures();
        assert!(!pace.holds_back());
    }
}
