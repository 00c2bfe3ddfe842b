//! Counters: one set per thread, summed when somebody asks.
//!
//! A thread is the only writer of its set, so counting is a plain load and store
//! of a relaxed atomic, without a locked instruction and without sharing a cache
//! line. Readers add up all sets and may see one a few events behind another.

pub mod backlog;
pub mod commandlog;
pub mod histogram;
pub mod keys;
pub mod latency;
pub mod observed;
pub mod rates;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

pub use backlog::Backlog;
pub use histogram::Histogram;
pub use observed::Observed;
pub use rates::Rates;

/// Error codes counted apart at the most; the rest is lumped together, since a
/// script could make up codes without end.
const ERROR_CODES_MAX: usize = 128;

/// A count that one thread writes and all may read.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds; only the owning thread calls this.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(n), Relaxed);
    }

    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    fn reset(&self) {
        self.0.store(0, Relaxed);
    }
}

/// The largest of what one thread has seen; all may read it.
#[derive(Debug, Default)]
pub struct Peak(AtomicU64);

impl Peak {
    /// Takes note of a value; only the owning thread calls this.
    #[inline]
    pub fn note(&self, value: u64) {
        if value > self.0.load(Relaxed) {
            self.0.store(value, Relaxed);
        }
    }

    /// The largest value.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What one command has cost on one thread.
#[derive(Debug, Default)]
pub struct CommandCounters {
    pub calls: Counter,
    /// Time spent, in ticks of `base::sys::ticks`.
    pub ticks: Counter,
    /// Calls refused by a gate.
    pub rejected: Counter,
    /// Calls that ran and answered with an error.
    pub failed: Counter,
    /// Times per call in ticks; made with the first call.
    pub times: OnceLock<Box<Histogram>>,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counts of one thread beside those of commands.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $name: Counter,)* }

        /// The counts of all threads together.
        #[derive(Clone, Copy, Debug, Default)]
        pub struct Totals { $($(#[$doc])* pub $name: u64,)* }

        impl Counters {
            fn add_to(&self, totals: &mut Totals) { $(totals.$name += self.$name.get();)* }
            fn reset(&self) { $(self.$name.reset();)* }
        }
    };
}

counters! {
    /// Commands run.
    commands,
    /// Reads that found their key.
    hits,
    /// Reads that did not.
    misses,
    /// Keys removed because they had expired.
    expired,
    /// Fields of hashes removed because they had expired.
    expired_fields,
    /// Keys removed to make room.
    evicted,
    /// Steps of the active expiry that ran out of time.
    expire_cut_short,
    /// Changes of the data.
    dirty,
    /// Connections accepted.
    connections,
    /// Connections refused because of `maxclients` or protected mode.
    refused,
    /// Bytes received.
    received,
    /// Bytes sent.
    sent,
    /// Calls of read.
    reads,
    /// Calls of write.
    writes,
    /// Error replies.
    errors,
    /// Batches handed to the pool.
    handed_over,
    /// Batches run by the reactor.
    run_inline,
    /// Connections ended because of their output limit.
    output_limit_closed,
    /// Connections ended because of `maxmemory-clients`.
    evicted_clients,
    /// Connections ended because of their input limit.
    input_limit_closed,
    /// Entries and tables given to the reaper.
    reaped,
    /// Turns of the reactor.
    turns,
    /// Ticks of `base::sys::ticks` that they took, the waits between them left out.
    turn_ticks,
}

/// All counts of one thread.
#[derive(Debug)]
pub struct ThreadMetrics {
    pub counters: Counters,
    /// Ticks of the reactor's longest turn: so long a client may have waited for it.
    pub turn_ticks_max: Peak,
    commands: Box<[CommandCounters]>,
    errors: Mutex<BTreeMap<String, u64>>,
}

impl ThreadMetrics {
    fn new(commands: usize) -> ThreadMetrics {
        ThreadMetrics {
            counters: Counters::default(),
            turn_ticks_max: Peak::default(),
            commands: (0..commands).map(|_| CommandCounters::default()).collect(),
            errors: Mutex::default(),
        }
    }

    /// The counters of the command with this index.
    #[inline]
    pub fn command(&self, index: usize) -> &CommandCounters {
        &self.commands[index]
    }

    /// Counts an error reply by its code word.
    pub fn error(&self, line: &[u8]) {
        self.counters.errors.add(1);
        let code = line.split(|&b| b == b' ').next().unwrap_or_default();
        let code = String::from_utf8_lossy(code);
        let mut errors = self.errors.lock();
        if let Some(count) = errors.get_mut(&*code) {
            *count += 1;
        } else if errors.len() < ERROR_CODES_MAX {
            errors.insert(code.into_owned(), 1);
        }
    }
}

/// What one command has cost on all threads.
#[derive(Clone, Debug, Default)]
pub struct CommandTotals {
    pub calls: u64,
    pub ticks: u64,
    pub rejected: u64,
    pub failed: u64,
    /// Times per call in ticks; empty without a call.
    pub times: histogram::Counts,
}

/// The sets of all threads.
#[derive(Debug)]
pub struct Metrics {
    threads: Mutex<Vec<Arc<ThreadMetrics>>>,
    commands: usize,
    /// Memory on its way out.
    pub backlog: Arc<Backlog>,
}

impl Metrics {
    /// No thread yet, of a server with this many commands.
    pub fn new(commands: usize) -> Metrics {
        Metrics {
            threads: Mutex::default(),
            commands,
            backlog: Arc::default(),
        }
    }

    /// A set for a new thread.
    pub fn thread(&self) -> Arc<ThreadMetrics> {
        let metrics = Arc::new(ThreadMetrics::new(self.commands));
        self.threads.lock().push(Arc::clone(&metrics));
        metrics
    }

    /// The counts of all threads together.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for thread in self.threads.lock().iter() {
            thread.counters.add_to(&mut totals);
        }
        totals
    }

    /// Ticks of the longest turn of any thread.
    pub fn turn_ticks_max(&self) -> u64 {
        let threads = self.threads.lock();
        let longest = threads.iter().map(|thread| thread.turn_ticks_max.get());
        longest.max().unwrap_or_default()
    }

    /// What the command with this index has cost.
    pub fn command(&self, index: usize) -> CommandTotals {
        let mut totals = CommandTotals::default();
        for thread in self.threads.lock().iter() {
            let command = thread.command(index);
            totals.calls += command.calls.get();
            totals.ticks += command.ticks.get();
            totals.rejected += command.rejected.get();
            totals.failed += command.failed.get();
            if let Some(times) = command.times.get() {
                totals.times.add(times);
            }
        }
        totals
    }

    /// Error replies by code word.
    pub fn errors(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for thread in self.threads.lock().iter() {
            for (code, count) in thread.errors.lock().iter() {
                *all.entry(code.clone()).or_default() += count;
            }
        }
        all
    }

    /// CONFIG RESETSTAT. A count that its thread adds to at this moment may
    /// survive.
    pub fn reset(&self) {
        self.backlog.reset();
        for thread in self.threads.lock().iter() {
            thread.counters.reset();
            thread.turn_ticks_max.0.store(0, Relaxed);
            thread.errors.lock().clear();
            for command in &thread.commands {
                for counter in [
                    &command.calls,
                    &command.ticks,
                    &command.rejected,
                    &command.failed,
                ] {
                    counter.reset();
                }
                if let Some(times) = command.times.get() {
                    times.reset();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_add_up_and_reset() {
        let metrics = Metrics::new(3);
        let (a, b) = (metrics.thread(), metrics.thread());
        a.counters.hits.add(2);
        b.counters.hits.add(3);
        a.command(1).calls.add(1);
        b.command(1).calls.add(1);
        a.turn_ticks_max.note(7);
        b.turn_ticks_max.note(9);
        b.turn_ticks_max.note(8);
        a.error(b"ERR syntax error");
        b.error(b"WRONGTYPE no");
        b.error(b"ERR other");
        assert_eq!(metrics.totals().hits, 5);
        assert_eq!(metrics.command(1).calls, 2);
        assert_eq!(metrics.errors()["ERR"], 2);
        assert_eq!(metrics.turn_ticks_max(), 9);
        metrics.reset();
        assert_eq!(metrics.turn_ticks_max(), 0);
        assert_eq!(metrics.totals().hits, 0);
        assert_eq!(metrics.command(1).calls, 0);
        assert!(metrics.errors().is_empty());
    }

    #[test]
    fn error_codes_are_bounded() {
        let metrics = Metrics::new(0);
        let thread = metrics.thread();
        for i in 0..1000 {
            thread.error(format!("E{i} x").as_bytes());
        }
        assert_eq!(metrics.errors().len(), ERROR_CODES_MAX);
        assert_eq!(metrics.totals().errors, 1000);
    }
}
