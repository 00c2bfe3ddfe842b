//! Waking a thread that may be about to sleep, without a wake-up too many or one
//! too few.
//!
//! Many threads announce work; one takes it. Waking costs a system call, so it is
//! done only when the taker sleeps or is about to:
//!
//! ```text
//! announcer                         taker
//!   put work                          sleeping = true
//!   pending = true                    -- fence(SeqCst) --
//!   -- fence(SeqCst) --               pending? -> do not sleep
//!   sleeping.swap(false)? -> wake     sleep ... awake: sleeping = false
//! ```
//!
//! Each side writes its own flag, then, behind a full fence, reads the other's. The
//! fences are totally ordered, so at least one of the two sees the other: either
//! the taker finds `pending` and stays awake, or the announcer finds `sleeping` and
//! wakes it. That is modelled below with loom.

#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, Ordering, fence};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, Ordering, fence};

/// Wakes a sleeping thread; [`mio::Waker`](https://docs.rs/mio) outside of tests.
pub trait Wake: Send + Sync {
    /// Ends the thread's present or next sleep.
    fn wake(&self);
}

/// The two flags of the protocol.
#[derive(Debug)]
pub struct WakeFlag {
    pending: AtomicBool,
    sleeping: AtomicBool,
}

impl Default for WakeFlag {
    fn default() -> Self {
        WakeFlag {
            pending: AtomicBool::new(false),
            sleeping: AtomicBool::new(false),
        }
    }
}

impl WakeFlag {
    /// Announces work that has been put down before. Whether the announcer must
    /// wake the taker now.
    #[must_use]
    pub fn announce(&self) -> bool {
        self.pending.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
        self.sleeping.load(Ordering::Relaxed) && self.sleeping.swap(false, Ordering::Relaxed)
    }

    /// Whether the taker may go to sleep. If so, it calls [`WakeFlag::awake`]
    /// after.
    #[must_use]
    pub fn may_sleep(&self) -> bool {
        self.sleeping.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.pending.load(Ordering::Acquire) {
            self.awake();
            return false;
        }
        true
    }

    /// The taker does not sleep any more.
    pub fn awake(&self) {
        self.sleeping.store(false, Ordering::Relaxed);
    }

    /// Whether work was announced since the last call; the taker looks for it now.
    #[inline]
    pub fn take(&self) -> bool {
        self.pending.load(Ordering::Relaxed) && self.pending.swap(false, Ordering::AcqRel)
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::sync::{Arc, Condvar, Mutex};
    use loom::thread;

    /// What mio's waker is: a wake-up that is remembered until the next sleep.
    struct Sleeper {
        token: Mutex<bool>,
        changed: Condvar,
    }

    impl Sleeper {
        fn wake(&self) {
            *self.token.lock().unwrap() = true;
            self.changed.notify_one();
        }

        fn sleep(&self) {
            let mut token = self.token.lock().unwrap();
            while !*token {
                token = self.changed.wait(token).unwrap();
            }
            *token = false;
        }
    }

    /// Every announced item is taken and nobody sleeps for ever: loom reports a
    /// deadlock if a wake-up is lost.
    fn all_are_taken(announcers: usize) {
        let flag = Arc::new(WakeFlag::default());
        let queue = Arc::new(Mutex::new(0));
        let sleeper = Arc::new(Sleeper {
            token: Mutex::new(false),
            changed: Condvar::new(),
        });
        let threads: Vec<_> = (0..announcers)
            .map(|_| {
                let (flag, queue, sleeper) = (flag.clone(), queue.clone(), sleeper.clone());
                thread::spawn(move || {
                    *queue.lock().unwrap() += 1;
                    if flag.announce() {
                        sleeper.wake();
                    }
                })
            })
            .collect();
        let mut taken = 0;
        while taken < announcers {
            if flag.take() {
                taken += std::mem::take(&mut *queue.lock().unwrap());
            } else if flag.may_sleep() {
                sleeper.sleep();
                flag.awake();
            }
        }
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    }

    fn explore(announcers: usize, preemptions: usize) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(preemptions);
        model.check(move || all_are_taken(announcers));
    }

    /// With either fence removed this one fails: a deadlock.
    #[test]
    fn no_wake_up_of_one_is_lost() {
        explore(1, 4);
    }

    /// All interleavings of three threads are too many for any patience; two
    /// preemptions are what a lost wake-up takes.
    #[test]
    fn no_wake_up_of_two_is_lost() {
        explore(2, 2);
    }
}
