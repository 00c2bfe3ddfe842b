//! The end of a wait, which exactly one of several may bring: who has the data, the
//! time, somebody who calls it off, or the waiting one, who goes away.

use std::sync::atomic::{AtomicU8, Ordering::AcqRel, Ordering::Acquire};

/// How far a wait has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    #[default]
    Waiting,
    /// Somebody is trying to serve it.
    Claimed,
    Served,
    TimedOut,
    /// Called off, as if its time had passed.
    Released,
    /// Called off with an error.
    Refused,
    /// Nobody waits any more.
    Gone,
}

const PHASES: [Phase; 7] = [
    Phase::Waiting,
    Phase::Claimed,
    Phase::Served,
    Phase::TimedOut,
    Phase::Released,
    Phase::Refused,
    Phase::Gone,
];

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Wait(AtomicU8);

impl Wait {
    /// Where it is.
    pub fn phase(&self) -> Phase {
        PHASES[usize::from(self.0.load(Acquire))]
    }

    /// Whether it has come to an end.
    pub fn is_over(&self) -> bool {
        !matches!(self.phase(), Phase::Waiting | Phase::Claimed)
    }

    /// Ends it in this way; whether it was still waiting.
    pub fn end(&self, how: Phase) -> bool {
        self.step(Phase::Waiting, how)
    }

    /// Claims it, so that nobody else ends it; whether it was still waiting.
    pub fn claim(&self) -> bool {
        self.step(Phase::Waiting, Phase::Claimed)
    }

    /// Gives a claim back, or ends what was claimed as served.
    pub fn settle(&self, served: bool) {
        let to = if served {
            Phase::Served
        } else {
            Phase::Waiting
        };
        let claimed = self.step(Phase::Claimed, to);
        debug_assert!(claimed, "only who has claimed it settles it");
    }

    fn step(&self, from: Phase, to: Phase) -> bool {
        let (from, to) = (from as u8, to as u8);
        self.0.compare_exchange(from, to, AcqRel, Acquire).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_ends_a_wait() {
        let wait = Wait::default();
        assert!(wait.claim() && !wait.claim() && !wait.end(Phase::TimedOut));
        wait.settle(false);
        assert!(!wait.is_over());
        assert!(wait.end(Phase::Released) && !wait.end(Phase::TimedOut) && !wait.claim());
        assert_eq!(wait.phase(), Phase::Released);
        assert!(wait.is_over());
    }

    #[test]
    fn every_phase_is_read_as_it_was_written() {
        for phase in PHASES {
            assert_eq!(PHASES[phase as usize], phase);
        }
    }
}
