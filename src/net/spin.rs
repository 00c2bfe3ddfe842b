//! How long the reactor looks for work before it sleeps.
//!
//! A sleeping thread takes some 10 us to wake, and the system call that wakes it
//! costs whoever sends. Under load the next request is often nearer than that, so
//! after activity the reactor polls without sleeping for up to `spin-us`. Whether
//! that pays is learned: a spin that ends with work earns credit, one that ends
//! without costs some, and without credit only every sixteenth turn is tried. A
//! server with one core never spins, since it would keep the client from running.
//!
//! A thread that spins uses up its share of the processor. Where others want it,
//! too, it is taken away for some milliseconds in the end, and every client waits;
//! one that sleeps is woken at once. So a spin in which time was lost ends all
//! spinning for a while.

use std::time::{Duration, Instant};

/// Credit that a long run of successes can build up.
const CREDIT_MAX: u32 = 64;
/// What a vain spin costs; a successful one earns 1.
const VAIN_COST: u32 = 4;
/// Without credit, one turn in this many spins all the same, to learn.
const PROBE_EVERY: u32 = 16;

/// Time between two looks of one spin that says that the processor was taken away.
const LOST: Duration = Duration::from_micros(300);
/// How long not to spin after that.
const PAUSE: Duration = Duration::from_millis(200);

/// The state of the spinning reactor.
#[derive(Debug)]
pub struct Spinner {
    credit: u32,
    turns: u32,
    until: Option<Instant>,
    last_look: Instant,
    paused_until: Instant,
    single_core: bool,
}

impl Spinner {
    /// A spinner that trusts in the first spins.
    pub fn new(cores: usize) -> Spinner {
        Spinner {
            credit: CREDIT_MAX,
            turns: 0,
            until: None,
            last_look: Instant::now(),
            paused_until: Instant::now(),
            single_core: cores < 2,
        }
    }

    /// A turn had work: spin for `length` from now on. What the last spin, if any,
    /// was good for is learned.
    pub fn worked(&mut self, now: Instant, length: Duration) {
        if self.until.is_some() {
            self.credit = (self.credit + 1).min(CREDIT_MAX);
        }
        self.turns = self.turns.wrapping_add(1);
        let trusted = self.credit > 0 || self.turns.is_multiple_of(PROBE_EVERY);
        let tries = trusted && now >= self.paused_until;
        self.last_look = now;
        self.until = (tries && !length.is_zero() && !self.single_core).then(|| now + length);
    }

    /// A turn had no work: whether to look once more without sleeping.
    pub fn goes_on(&mut self, now: Instant) -> bool {
        let Some(until) = self.until else {
            return false;
        };
        let lost = now.saturating_duration_since(self.last_look) > LOST;
        self.last_look = now;
        if lost {
            self.paused_until = now + PAUSE;
        } else if now < until {
            return true;
        }
        self.until = None;
        self.credit = self.credit.saturating_sub(VAIN_COST);
        false
    }

    /// Whether the reactor is spinning.
    pub fn is_spinning(&self) -> bool {
        self.until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vain_spins_are_given_up_and_tried_again() {
        let mut spinner = Spinner::new(2);
        let (start, length) = (Instant::now(), Duration::from_micros(50));
        let later = start + length;
        let mut spun = 0;
        for _ in 0..1000 {
            spinner.worked(start, length);
            spun += usize::from(spinner.goes_on(start));
            spinner.goes_on(later);
        }
        assert!((40..150).contains(&spun), "{spun}");
        for _ in 0..200 {
            spinner.worked(start, length);
        }
        assert!(spinner.goes_on(start), "success earns trust");
    }

    #[test]
    fn a_spin_that_loses_the_processor_is_the_last_for_a_while() {
        let mut spinner = Spinner::new(2);
        let (start, length) = (Instant::now(), Duration::from_millis(1));
        spinner.worked(start, length);
        assert!(spinner.goes_on(start + LOST / 2));
        let back = start + LOST * 2;
        assert!(!spinner.goes_on(back), "the processor was away for long");
        spinner.worked(back, length);
        assert!(!spinner.goes_on(back));
        let later = back + PAUSE;
        spinner.worked(later, length);
        assert!(spinner.goes_on(later));
    }

    #[test]
    fn no_spin_on_one_core_or_without_length() {
        let now = Instant::now();
        let mut one = Spinner::new(1);
        one.worked(now, Duration::from_micros(50));
        assert!(!one.goes_on(now));
        let mut off = Spinner::new(8);
        off.worked(now, Duration::ZERO);
        assert!(!off.goes_on(now));
    }
}
