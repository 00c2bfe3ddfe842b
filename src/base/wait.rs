//! The end of a wait, which exactly one of several may bring: who has the data, the
//! time, somebody who calls it off, or the waiting one, who goes away.

//!
//! Who serves leaves the reply first and settles then; who finds the wait over finds
//! the reply. The server rings after that; the one who blocks looks once after it has
//! taken its place, so that it meets either the end or the bell. Both are modelled
//! below with loom.

#[cfg(loom)]
use loom::sync::atomic::{AtomicU8, Ordering::AcqRel, Ordering::Acquire};
#[cfg(not(loom))]
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

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::sync::{Arc, Condvar, Mutex};
    use loom::thread;

    /// Server, time and caller at once: one of them ends the wait.
    #[test]
    fn one_alone_ends_a_wait() {
        loom::model(|| {
            let wait = Arc::new(Wait::default());
            let served = {
                let wait = Arc::clone(&wait);
                thread::spawn(move || {
                    let claimed = wait.claim();
                    if claimed {
                        wait.settle(true);
                    }
                    claimed
                })
            };
            let late = {
                let wait = Arc::clone(&wait);
                thread::spawn(move || wait.end(Phase::TimedOut))
            };
            let called = wait.end(Phase::Released);
            let ends = [served.join().unwrap(), late.join().unwrap(), called];
            let phase = wait.phase();
            assert_eq!(ends.iter().filter(|&&end| end).count(), 1);
            assert_eq!(phase == Phase::Served, ends[0]);
            assert_eq!(phase == Phase::TimedOut, ends[1]);
        });
    }

    /// However late the connection takes its place, it meets the end or the bell, and
    /// the reply is there: loom reports a deadlock if it waits for ever.
    #[test]
    fn who_is_served_early_is_answered() {
        loom::model(|| {
            let wait = Arc::new(Wait::default());
            let reply = Arc::new(Mutex::new(None));
            let bell = Arc::new((Mutex::new(false), Condvar::new()));
            let server = {
                let (wait, reply, bell) = (wait.clone(), reply.clone(), bell.clone());
                thread::spawn(move || {
                    assert!(wait.claim());
                    *reply.lock().unwrap() = Some("element");
                    wait.settle(true);
                    *bell.0.lock().unwrap() = true;
                    bell.1.notify_one();
                })
            };
            if !wait.is_over() {
                let mut rung = bell.0.lock().unwrap();
                while !*rung {
                    rung = bell.1.wait(rung).unwrap();
                }
            }
            assert!(wait.is_over());
            assert_eq!(reply.lock().unwrap().take(), Some("element"));
            server.join().unwrap();
        });
    }
}

#[cfg(all(test, not(loom)))]
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
