//! The worker pool: runs what would stall the reactor, and writes its replies.
//!
//! Two queues, one lock. Light batches (a shard was held, or the work is spread)
//! go first; slow ones may occupy all threads but one, so that a light batch never
//! waits for a slow command to end. The pool therefore has one thread more than
//! `--workers` asks for.
//!
//! A worker that finds nothing spins for a moment, then parks. Completions go back
//! through one queue; the reactor is woken once for all that has gathered
//! ([`WakeFlag`]).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::batch::{Batch, Halt};
use super::run::Executor;
use super::wake::{Wake, WakeFlag};
use crate::base::clock;

/// Looks at the queue before a worker parks; some ten microseconds.
const SPINS: usize = 2000;
/// A light batch that has waited this long says that no worker makes progress.
const STALL: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Queues {
    light: VecDeque<(Instant, Box<Batch>)>,
    slow: VecDeque<Box<Batch>>,
    slow_running: usize,
    parked: usize,
    stop: bool,
}

struct Shared {
    queues: Mutex<Queues>,
    changed: Condvar,
    /// Batches that a worker may take; a hint for those who spin.
    waiting: AtomicUsize,
    slow_max: usize,
    /// Batches handed over and not yet taken back.
    in_flight: AtomicUsize,
    done: Mutex<Vec<Box<Batch>>>,
    flag: Arc<WakeFlag>,
    waker: Arc<dyn Wake>,
}

/// The pool as the reactor sees it.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts the workers, one more than `workers`; `executor` makes one for each.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(
        workers: usize,
        flag: Arc<WakeFlag>,
        waker: Arc<dyn Wake>,
        mut executor: impl FnMut() -> Executor,
    ) -> std::io::Result<Pool> {
        let shared = Arc::new(Shared {
            queues: Mutex::default(),
            changed: Condvar::new(),
            waiting: AtomicUsize::new(0),
            slow_max: workers,
            in_flight: AtomicUsize::new(0),
            done: Mutex::default(),
            flag,
            waker,
        });
        let mut threads = Vec::new();
        for i in 0..=workers {
            let (shared, executor) = (Arc::clone(&shared), executor());
            let name = format!("worker-{i}");
            let thread = std::thread::Builder::new().name(name);
            threads.push(thread.spawn(move || work(&shared, executor))?);
        }
        Ok(Pool { shared, threads })
    }

    /// Hands a batch over.
    pub fn submit(&self, batch: Box<Batch>) {
        self.shared.in_flight.fetch_add(1, Ordering::Relaxed);
        let mut queues = self.shared.queues.lock();
        if batch.halt == Some(Halt::Slow) {
            queues.slow.push_back(batch);
        } else {
            queues.light.push_back((Instant::now(), batch));
        }
        self.shared.waiting.fetch_add(1, Ordering::Release);
        let parked = queues.parked > 0;
        drop(queues);
        if parked {
            self.shared.changed.notify_one();
        }
    }

    /// Takes back what has been finished since the last call.
    pub fn take_finished(&self, into: &mut Vec<Box<Batch>>) {
        let from = into.len();
        into.append(&mut self.shared.done.lock());
        let taken = into.len() - from;
        self.shared.in_flight.fetch_sub(taken, Ordering::Relaxed);
    }

    /// Batches handed over and not taken back.
    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::Relaxed)
    }

    /// Workers that have nothing to do.
    pub fn idle(&self) -> usize {
        self.shared.queues.lock().parked
    }

    /// Whether light work has been waiting for so long that the workers must be
    /// stuck.
    pub fn is_stalled(&self) -> bool {
        let queues = self.shared.queues.lock();
        (queues.light.front()).is_some_and(|(since, _)| since.elapsed() > STALL)
    }

    /// Ends the workers. One that is in the middle of a batch is not waited for: the
    /// process ends without it. What still waits is dropped.
    pub fn stop(self) {
        self.shared.queues.lock().stop = true;
        self.shared.changed.notify_all();
        if self.in_flight() > 0 {
            return;
        }
        for thread in self.threads {
            if thread.join().is_err() {
                log::error!("a worker thread has panicked");
            }
        }
    }
}

impl Queues {
    fn take(&mut self, slow_max: usize) -> Option<(Box<Batch>, bool)> {
        if let Some((_, batch)) = self.light.pop_front() {
            return Some((batch, false));
        }
        if self.slow_running < slow_max
            && let Some(batch) = self.slow.pop_front()
        {
            self.slow_running += 1;
            return Some((batch, true));
        }
        None
    }
}

impl Shared {
    /// The next batch and whether it is slow; `None` when the pool stops.
    fn next(&self) -> Option<(Box<Batch>, bool)> {
        let mut spins = SPINS;
        loop {
            let mut queues = self.queues.lock();
            if queues.stop {
                return None;
            }
            if let Some(taken) = queues.take(self.slow_max) {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                return Some(taken);
            }
            if spins == 0 {
                queues.parked += 1;
                self.changed.wait(&mut queues);
                queues.parked -= 1;
                continue;
            }
            drop(queues);
            while spins > 0 && self.waiting.load(Ordering::Acquire) == 0 {
                std::hint::spin_loop();
                spins -= 1;
            }
            spins = spins.saturating_sub(SPINS / 8);
        }
    }

    fn slow_ended(&self) {
        let mut queues = self.queues.lock();
        queues.slow_running -= 1;
        if !queues.slow.is_empty() && queues.parked > 0 {
            self.changed.notify_one();
        }
    }

    fn complete(&self, batch: Box<Batch>) {
        self.done.lock().push(batch);
        if self.flag.announce() {
            self.waker.wake();
        }
    }
}

fn work(shared: &Shared, mut executor: Executor) {
    while let Some((batch, slow)) = shared.next() {
        let mut one = [batch];
        one[0].halt = None;
        executor.turn(&mut one, clock::now());
        let [mut batch] = one;
        batch.tell_protocol_error();
        batch.send(&executor.metrics().counters);
        if slow {
            shared.slow_ended();
        }
        shared.complete(batch);
    }
}
