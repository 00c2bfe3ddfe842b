//! The latency monitor: events that took long, by name, each with its last samples.
//!
//! Nothing is kept while `latency-monitor-threshold` is 0. Who measures an event
//! asks for the threshold first; recording takes a lock, since it is rare.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;

/// Samples kept of one event (Redis's `LATENCY_TS_LEN`).
const SAMPLES_MAX: usize = 160;

/// The events that this server measures. Others may be added by whoever measures
/// them; a name is a fixed text, so there are few.
pub mod event {
    /// A command that is not FAST by its flags.
    pub const COMMAND: &str = "command";
    /// A command that is.
    pub const FAST_COMMAND: &str = "fast-command";
    /// A step of the active expiry.
    pub const EXPIRE_CYCLE: &str = "expire-cycle";
}

/// The longest duration of one event within one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub unix_secs: i64,
    pub millis: u64,
}

/// What is known of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    /// Oldest first; never empty where a caller sees it.
    pub samples: VecDeque<Sample>,
    /// The longest since the event was last reset.
    pub max_ms: u64,
}

impl Series {
    fn add(&mut self, sample: Sample) {
        self.max_ms = self.max_ms.max(sample.millis);
        match self.samples.back_mut() {
            Some(last) if last.unix_secs == sample.unix_secs => {
                last.millis = last.millis.max(sample.millis);
            }
            _ => self.samples.push_back(sample),
        }
        if self.samples.len() > SAMPLES_MAX {
            self.samples.pop_front();
        }
    }

    /// The newest sample.
    pub fn last(&self) -> Sample {
        const NONE: Sample = Sample {
            unix_secs: 0,
            millis: 0,
        };
        self.samples.back().copied().unwrap_or(NONE)
    }
}

/// All events that were recorded.
#[derive(Debug, Default)]
pub struct Latency(Mutex<BTreeMap<&'static str, Series>>);

impl Latency {
    /// Records an event that took `millis`.
    pub fn record(&self, event: &'static str, unix_secs: i64, millis: u64) {
        let sample = Sample { unix_secs, millis };
        self.0.lock().entry(event).or_default().add(sample);
    }

    /// What is known of an event by its name in this spelling.
    pub fn series(&self, event: &[u8]) -> Option<Series> {
        let events = self.0.lock();
        let found = events.iter().find(|(name, _)| name.as_bytes() == event);
        found.map(|(_, series)| series.clone())
    }

    /// All events by name.
    pub fn all(&self) -> Vec<(&'static str, Series)> {
        let events = self.0.lock();
        (events.iter())
            .map(|(name, series)| (*name, series.clone()))
            .collect()
    }

    /// Forgets all events; how many there were.
    pub fn reset_all(&self) -> usize {
        std::mem::take(&mut *self.0.lock()).len()
    }

    /// Forgets one event; whether there was any.
    pub fn reset(&self, event: &[u8]) -> bool {
        let mut events = self.0.lock();
        let before = events.len();
        events.retain(|name, _| name.as_bytes() != event);
        events.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sample_a_second_and_no_more_than_the_bound() {
        let latency = Latency::default();
        latency.record("command", 10, 5);
        latency.record("command", 10, 9);
        latency.record("command", 10, 7);
        assert_eq!(latency.series(b"command").unwrap().samples.len(), 1);
        assert_eq!(latency.series(b"command").unwrap().last().millis, 9);
        (0..300).for_each(|i| latency.record("command", 11 + i, 1));
        let series = latency.series(b"command").unwrap();
        assert_eq!(series.samples.len(), SAMPLES_MAX);
        assert_eq!(series.max_ms, 9);
        assert_eq!(series.last().unix_secs, 310);
    }

    #[test]
    fn reset_by_name_and_as_a_whole() {
        let latency = Latency::default();
        latency.record("a", 1, 1);
        latency.record("b", 1, 1);
        assert!(!latency.reset(b"c"));
        assert!(latency.reset(b"a"));
        assert_eq!(latency.reset_all(), 1);
        assert!(latency.all().is_empty());
    }
}
