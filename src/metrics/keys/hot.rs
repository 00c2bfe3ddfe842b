//! Hot keys: the Space-Saving sketch of Metwally, Agrawal and El Abbadi (2005) over
//! a sample of all calls.
//!
//! There are [`HOT_KEYS_MAX`] places. A key that has one is counted; one that has
//! none takes the place with the smallest count and inherits that count as its
//! possible error. So a key with more than `1/HOT_KEYS_MAX` of the calls surely has a
//! place, and `calls - error <= true calls <= calls`.
//!
//! Counts are halved every [`HALF_LIFE_MS`]: what was hot an hour ago is not hot.
//!
//! Threads share one sketch behind a lock that they only try: with one call in
//! [`SAMPLE_EVERY`] sampled it is nearly always free, and a lost sample is no loss.

use parking_lot::Mutex;

use super::kept;
use crate::base::clock::Millis;

/// Keys that have a place.
pub const HOT_KEYS_MAX: usize = 128;
/// One call in this many is sampled, on average.
pub const SAMPLE_EVERY: u32 = 64;
/// After this time a call counts half.
const HALF_LIFE_MS: i64 = 60_000;
/// Halvings after which nothing is left of any count.
const HALVINGS_MAX: i64 = 32;

/// A hot key. Counts are estimates over all calls, weighted by age.
#[derive(Clone, Debug, PartialEq)]
pub struct Hot {
    pub db: u8,
    pub name: Vec<u8>,
    pub calls: u64,
    /// `calls` is too high by this at the most, sampling aside.
    pub error: u64,
    /// Its part of all calls, 0 to 1.
    pub share: f64,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub struct HotKeys(Mutex<Sketch>);

impl HotKeys {
    /// Counts a sampled call of a key. `hash` is the key's.
    pub fn sample(&self, db: usize, hash: u64, name: &[u8], now: Millis) {
        if let Some(mut sketch) = self.0.try_lock() {
            sketch.age(now);
            sketch.count(db as u8, hash, name);
        }
    }

    /// The hottest `count` keys. A key whose count may be mostly error is not among them:
    /// where all keys are used alike, none is hot.
    pub fn hottest(&self, count: usize, now: Millis) -> Vec<Hot> {
        let mut sketch = self.0.lock();
        sketch.age(now);
        let total = sketch.total.max(1) as f64;
        let mut all: Vec<Hot> = (0..sketch.places.len())
            .map(|at| sketch.hot(at, total))
            .collect();
        drop(sketch);
        all.retain(|hot| hot.calls > 0 && hot.error <= hot.calls / 2);
        let surely = |hot: &Hot| hot.calls - hot.error;
        all.sort_by(|a, b| surely(b).cmp(&surely(a)).then_with(|| a.name.cmp(&b.name)));
        all.truncate(count);
        all
    }

    /// Forgets all calls.
    pub fn reset(&self) {
        *self.0.lock() = Sketch::default();
    }
}

/// Parallel columns, so that the search reads little more than one of them, and a place
/// with the smallest count is found without a search: no count is smaller than `least`,
/// and those that are equal to it are found by going round.
#[derive(Debug, Default)]
struct Sketch {
    /// The low bits of the marks, which tell nearly all of them apart.
    tags: Vec<u16>,
    /// Hash of key and database.
    marks: Vec<u64>,
    counts: Vec<u32>,
    least: u32,
    /// Where the going round is.
    hand: usize,
    places: Vec<Place>,
    /// All samples, of keys without a place too.
    total: u64,
    halved_at: Millis,
}

#[derive(Debug, Default)]
struct Place {
    db: u8,
    error: u32,
    name: Vec<u8>,
}

impl Sketch {
    fn count(&mut self, db: u8, hash: u64, name: &[u8]) {
        self.total += 1;
        // Databases differ by an odd factor, so that one key in two is two marks.
        let mark = hash ^ (u64::from(db) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let at = match self.find(mark) {
            Some(at) => at,
            None if self.marks.len() < HOT_KEYS_MAX => self.open(mark, db, name),
            None => self.replace(mark, db, name),
        };
        self.counts[at] = self.counts[at].saturating_add(1);
    }

    fn open(&mut self, mark: u64, db: u8, name: &[u8]) -> usize {
        self.tags.push(mark as u16);
        self.marks.push(mark);
        self.counts.push(0);
        let name = kept(name).to_vec();
        self.places.push(Place { db, error: 0, name });
        self.marks.len() - 1
    }

    /// Gives the place with the smallest count to another key.
    fn replace(&mut self, mark: u64, db: u8, name: &[u8]) -> usize {
        let at = self.next_least();
        (self.tags[at], self.marks[at]) = (mark as u16, mark);
        let place = &mut self.places[at];
        (place.db, place.error) = (db, self.least);
        place.name.clear();
        place.name.extend_from_slice(kept(name));
        at
    }

    /// A place with the smallest count, which becomes `least`. Looks at two places on
    /// average: who is found is counted and passed over until all have been.
    fn next_least(&mut self) -> usize {
        for _ in 0..self.counts.len() {
            let at = self.hand;
            self.hand = (at + 1) % self.counts.len();
            if self.counts[at] == self.least {
                return at;
            }
        }
        self.least = self.counts.iter().copied().min().unwrap_or(0);
        let at = self.counts.iter().position(|&count| count == self.least);
        at.unwrap_or(0)
    }

    /// The place of a mark; sixteen tags at a time, which the compiler makes vectors of.
    fn find(&self, mark: u64) -> Option<usize> {
        const LANES: usize = 16;
        let tag = mark as u16;
        for (nth, lanes) in self.tags.chunks(LANES).enumerate() {
            if lanes.iter().fold(false, |hit, &one| hit | (one == tag)) {
                let start = nth * LANES;
                let marks = &self.marks[start..start + lanes.len()];
                if let Some(within) = marks.iter().position(|&one| one == mark) {
                    return Some(start + within);
                }
            }
        }
        None
    }

    /// Halves the counts once for each half-life that has passed.
    fn age(&mut self, now: Millis) {
        if self.halved_at == 0 || now < self.halved_at {
            self.halved_at = now;
        }
        let halvings = (now - self.halved_at) / HALF_LIFE_MS;
        if halvings == 0 {
            return;
        }
        self.halved_at += halvings * HALF_LIFE_MS;
        let shift = halvings.min(HALVINGS_MAX - 1) as u32;
        self.total >>= shift;
        self.least >>= shift;
        for (count, place) in self.counts.iter_mut().zip(&mut self.places) {
            *count >>= shift;
            place.error >>= shift;
        }
    }

    fn hot(&self, at: usize, total: f64) -> Hot {
        let place = &self.places[at];
        let count = self.counts[at];
        Hot {
            db: place.db,
            name: place.name.clone(),
            calls: u64::from(count) * u64::from(SAMPLE_EVERY),
            error: u64::from(place.error) * u64::from(SAMPLE_EVERY),
            share: f64::from(count) / total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Rng;

    fn names(hot: &HotKeys, count: usize) -> Vec<Vec<u8>> {
        let hottest = hot.hottest(count, 1);
        hottest.into_iter().map(|hot| hot.name).collect()
    }

    #[test]
    fn a_hot_key_is_found_among_many() {
        let mut rng = Rng::seeded(3);
        let hot = HotKeys::default();
        let mut truth = 0;
        for _ in 0..100_000 {
            if rng.below(20) == 0 {
                truth += 1;
                hot.sample(0, 42, b"hot", 1);
            } else {
                let key = rng.next_u64();
                hot.sample(0, key, &key.to_le_bytes(), 1);
            }
        }
        let first = &hot.hottest(1, 1)[0];
        assert_eq!(first.name, b"hot");
        let calls = first.calls / u64::from(SAMPLE_EVERY);
        let error = first.error / u64::from(SAMPLE_EVERY);
        assert!(calls >= truth && calls - error <= truth, "{first:?}");
        assert!((first.share - 0.05).abs() < 0.02, "{first:?}");
    }

    #[test]
    fn where_all_keys_are_used_alike_none_is_hot() {
        let mut rng = Rng::seeded(4);
        let hot = HotKeys::default();
        for _ in 0..100_000 {
            let key = rng.below(10_000);
            hot.sample(0, key << 20, &key.to_le_bytes(), 1);
        }
        assert!(hot.hottest(10, 1).len() < 3);
    }

    #[test]
    fn databases_are_told_apart_and_names_cut() {
        let hot = HotKeys::default();
        hot.sample(0, 7, b"k", 1);
        hot.sample(1, 7, b"k", 1);
        hot.sample(1, 7, b"k", 1);
        let found = hot.hottest(9, 1);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].db, found[1].db), (1, 0));
        hot.sample(2, 8, &[b'x'; 5000], 1);
        assert!(names(&hot, 9).iter().all(|name| name.len() <= 256));
        hot.reset();
        assert!(names(&hot, 9).is_empty());
    }

    #[test]
    fn old_calls_fade() {
        let hot = HotKeys::default();
        (0..8).for_each(|_| hot.sample(0, 1, b"old", 1000));
        let then = hot.hottest(1, 1000)[0].calls;
        let later = hot.hottest(1, 1000 + HALF_LIFE_MS)[0].calls;
        assert_eq!(later * 2, then);
        // A clock set back changes nothing.
        assert_eq!(hot.hottest(1, 500)[0].calls, later);
        assert!(hot.hottest(1, 1000 + 100 * HALF_LIFE_MS).is_empty());
    }

    #[test]
    fn a_place_is_found_wherever_it_is() {
        let mut sketch = Sketch::default();
        assert_eq!(sketch.find(1), None);
        // The last ones have tags of others.
        let marks: Vec<u64> = (100..210).chain((100..118).map(|n| n | 1 << 40)).collect();
        for &mark in &marks {
            sketch.open(mark, 0, b"");
        }
        assert_eq!(sketch.marks.len(), HOT_KEYS_MAX);
        for (at, &mark) in marks.iter().enumerate() {
            assert_eq!(sketch.find(mark), Some(at));
        }
        assert_eq!(sketch.find(1), None);
        assert_eq!(sketch.find(100 | 1 << 41), None);
    }

    #[test]
    fn it_is_always_a_smallest_count_that_goes() {
        let (mut sketch, mut rng) = (Sketch::default(), Rng::seeded(5));
        for n in 0..20_000 {
            let key = rng.below(if n % 3 == 0 { 50 } else { 1000 }) * 65_537;
            if sketch.find(key).is_none() && sketch.marks.len() == HOT_KEYS_MAX {
                let before = sketch.counts.clone();
                let at = sketch.replace(key, 0, b"key");
                assert_eq!(Some(before[at]), before.iter().copied().min());
                sketch.counts[at] += 1;
            } else {
                sketch.count(0, key ^ 0x9E37_79B9_7F4A_7C15, b"key");
            }
            if n % 5000 == 4999 {
                sketch.age(n * 100);
            }
        }
    }
}
