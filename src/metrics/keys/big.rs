//! Big keys: the largest keys of the data by memory, and how sizes are spread.
//!
//! A walk over all entries shows each of them to a [`Round`]; what that has found
//! replaces the finding of the round before when the walk ends. Until the first has
//! ended, what there is of it is shown: part of the truth is better than nothing.

use parking_lot::Mutex;

use super::kept;

/// Keys that a round remembers.
pub const BIG_KEYS_MAX: usize = 64;
/// Classes of sizes: powers of two up to 2^40.
const CLASSES: usize = 41;
/// Types whose sizes are counted apart.
const TYPES_MAX: usize = 8;

/// A large key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Big {
    pub db: u8,
    pub name: Vec<u8>,
    pub type_name: &'static str,
    pub bytes: u64,
    /// Elements; for a string its bytes.
    pub elements: u64,
}

/// How many keys of one type in one database have a size of each class: class `n`
/// holds sizes from `2^n` to below `2^(n+1)`, class 0 also holds 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes {
    pub db: u8,
    pub type_name: &'static str,
    pub counts: [u64; CLASSES],
}

/// The finding of the last round. See the head of this file.
#[derive(Debug, Default)]
pub struct BigKeys(Mutex<Shown>);

#[derive(Debug, Default)]
struct Shown {
    round: Round,
    /// It is the finding of a whole round.
    whole: bool,
}

impl BigKeys {
    /// Shows a round that has ended.
    pub fn end_round(&self, round: Round) {
        *self.0.lock() = Shown { round, whole: true };
    }

    /// Shows what there is of a round, if no other has ended yet.
    pub fn preview(&self, round: &Round) {
        let mut shown = self.0.lock();
        if !shown.whole {
            shown.round = round.clone();
        }
    }

    /// The largest `count` keys.
    pub fn largest(&self, count: usize) -> Vec<Big> {
        let mut keys = self.0.lock().round.keys.clone();
        keys.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        keys.truncate(count);
        keys
    }

    /// How sizes are spread, by database and type.
    pub fn sizes(&self) -> Vec<Sizes> {
        self.0.lock().round.sizes.clone()
    }
}

/// What a walk over all entries finds; owned by who walks.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// Not in order; the smallest is searched when a place is needed.
    keys: Vec<Big>,
    /// A key has to exceed this size to get a place.
    least: u64,
    sizes: Vec<Sizes>,
}

/// One entry as the walk sees it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub db: u8,
    pub name: &'a [u8],
    pub type_name: &'static str,
    pub bytes: u64,
    pub elements: u64,
}

impl Round {
    /// Takes note of an entry.
    pub fn see(&mut self, seen: Seen<'_>) {
        self.count(seen.db, seen.type_name, seen.elements);
        if seen.bytes > self.least {
            self.keep(Big {
                db: seen.db,
                name: kept(seen.name).to_vec(),
                type_name: seen.type_name,
                bytes: seen.bytes,
                elements: seen.elements,
            });
        }
    }

    fn count(&mut self, db: u8, type_name: &'static str, elements: u64) {
        let class = (elements.max(1).ilog2() as usize).min(CLASSES - 1);
        let known = |sizes: &&mut Sizes| sizes.db == db && sizes.type_name == type_name;
        if let Some(sizes) = self.sizes.iter_mut().find(known) {
            sizes.counts[class] += 1;
        } else if self.sizes.len() < TYPES_MAX * 16 {
            let mut counts = [0; CLASSES];
            counts[class] = 1;
            self.sizes.push(Sizes {
                db,
                type_name,
                counts,
            });
        }
    }

    fn keep(&mut self, key: Big) {
        if self.keys.len() < BIG_KEYS_MAX {
            self.keys.push(key);
            return;
        }
        let least = self.keys.iter().enumerate().min_by_key(|(_, k)| k.bytes);
        if let Some((at, _)) = least {
            self.keys[at] = key;
        }
        self.least = self.keys.iter().map(|k| k.bytes).min().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &[u8], bytes: u64) -> Seen<'_> {
        Seen {
            db: 0,
            name,
            type_name: "list",
            bytes,
            elements: bytes,
        }
    }

    #[test]
    fn the_largest_of_a_round() {
        let big = BigKeys::default();
        let mut round = Round::default();
        for size in (0..1000u64).map(|i| i * 7919 % 1000) {
            round.see(seen(format!("k{size}").as_bytes(), size));
        }
        big.preview(&round);
        let shown: Vec<u64> = big.largest(100).iter().map(|key| key.bytes).collect();
        let want: Vec<u64> = (0..1000).rev().take(BIG_KEYS_MAX).collect();
        assert_eq!(shown, want);
        assert_eq!(big.sizes()[0].counts.iter().sum::<u64>(), 1000);
        assert_eq!(big.sizes()[0].counts[9], 1000 - 512);
        big.end_round(round);
        // The next round shows when it has ended, and then alone.
        let mut next = Round::default();
        next.see(seen(b"other", 5));
        big.preview(&next);
        assert_eq!(big.largest(1)[0].bytes, 999);
        big.end_round(next);
        assert_eq!(big.largest(9).len(), 1);
        assert_eq!(big.largest(9)[0].name, b"other");
    }
}
