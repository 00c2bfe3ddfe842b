//! Times in buckets whose width grows with the time: two significant bits, so a
//! percentile is off by at most a quarter.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Sub-buckets per power of two.
const FINE: usize = 4;
const FINE_BITS: u32 = 2;
/// Buckets up to 2^48 ticks, more than a day.
const BUCKETS: usize = 48 * FINE;

/// The bucket of a value.
#[inline]
fn bucket(value: u64) -> usize {
    if value < FINE as u64 {
        return value as usize;
    }
    let power = value.ilog2();
    let fine = (value >> (power - FINE_BITS)) as usize & (FINE - 1);
    ((power - FINE_BITS + 1) as usize * FINE + fine).min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn upper_bound(bucket: usize) -> u64 {
    if bucket < FINE {
        return bucket as u64;
    }
    let shift = (bucket / FINE - 1) as u32;
    let base = (FINE + bucket % FINE) as u64;
    ((base + 1) << shift) - 1
}

/// A histogram that one thread writes and all may read.
#[derive(Debug)]
pub struct Histogram([AtomicU64; BUCKETS]);

impl Default for Histogram {
    fn default() -> Self {
        Histogram([const { AtomicU64::new(0) }; BUCKETS])
    }
}

impl Histogram {
    /// Counts a value; only the owning thread calls this.
    #[inline]
    pub fn record(&self, value: u64) {
        let cell = &self.0[bucket(value)];
        cell.store(cell.load(Relaxed) + 1, Relaxed);
    }

    /// Forgets all values.
    pub fn reset(&self) {
        self.0.iter().for_each(|cell| cell.store(0, Relaxed));
    }
}

/// The counts of several histograms together.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    buckets: Vec<u64>,
    total: u64,
}

impl Counts {
    /// Adds the counts of a histogram.
    pub fn add(&mut self, histogram: &Histogram) {
        self.buckets.resize(BUCKETS, 0);
        for (sum, cell) in self.buckets.iter_mut().zip(&histogram.0) {
            let count = cell.load(Relaxed);
            *sum += count;
            self.total += count;
        }
    }

    /// Adds other counts.
    pub fn merge(&mut self, other: &Counts) {
        self.buckets.resize(BUCKETS, 0);
        for (sum, count) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum += count;
        }
        self.total += other.total;
    }

    /// How many values were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The largest value of each bucket that has counted any, with its count.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let buckets = self.buckets.iter().enumerate();
        let counted = buckets.filter(|(_, count)| **count > 0);
        counted.map(|(at, count)| (upper_bound(at), *count))
    }

    /// The value that `percent` of all values do not exceed; 0 without values.
    pub fn percentile(&self, percent: f64) -> u64 {
        let wanted = ((percent / 100.0) * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (i, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper_bound(i);
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_within_its_bucket() {
        for value in (0..10_000u64).chain([1 << 20, (1 << 33) + 17]) {
            let upper = upper_bound(bucket(value));
            assert!(upper >= value, "{value}");
            assert!(upper <= value + value / 4, "{value} {upper}");
        }
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn percentiles() {
        let histogram = Histogram::default();
        (1..=1000).for_each(|value| histogram.record(value));
        let mut counts = Counts::default();
        assert_eq!(counts.percentile(50.0), 0);
        counts.add(&histogram);
        assert_eq!(counts.total(), 1000);
        assert!((500..=639).contains(&counts.percentile(50.0)));
        assert!(counts.percentile(100.0) >= 1000);
    }
}
