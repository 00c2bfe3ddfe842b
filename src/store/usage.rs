//! What the stamp of an entry says of its use: 24 bits, read in one of two ways.
//!
//! ```text
//! LRU   when the key was last used: seconds, modulo 2^24 (194 days)
//! LFU   [ minutes : 16 ][ counter : 8 ]   when the counter was last brought up to date,
//!                                         and about the logarithm of how often it was used
//! ```
//!
//! The counter of LFU is Redis's: a use raises it by one with the probability
//! `1 / ((counter - 5) * log_factor + 1)`, so that 255 stands for millions of uses, and it
//! falls by one for every `decay_minutes` without a use. New keys start at 5, so that they
//! are not the first to go.
//!
//! Which way is meant is the policy's choice, not the entry's: after a change of policy
//! the stamps say little until the keys have been used again.

use crate::base::clock::Millis;
use crate::base::rng::Rng;

/// Bits of a stamp.
pub const STAMP_MASK: u32 = (1 << 24) - 1;
/// The counter of a new key.
pub const COUNTER_NEW: u8 = 5;
const MINUTE_MASK: u32 = 0xffff;

/// How uses show in stamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamping {
    /// The time of the last one.
    #[default]
    Lru,
    /// How often.
    Lfu,
    /// Not at all.
    Off,
}

/// The LRU clock at `now`.
#[inline]
pub fn clock(now: Millis) -> u32 {
    (now / 1000) as u32 & STAMP_MASK
}

/// Seconds since a key with this LRU stamp was used.
pub fn idle_secs(stamp: u32, now: Millis) -> u32 {
    clock(now).wrapping_sub(stamp) & STAMP_MASK
}

/// The settings of LFU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lfu {
    /// `lfu-log-factor`.
    pub log_factor: u32,
    /// `lfu-decay-time`; 0 never lets a counter fall.
    pub decay_minutes: u32,
}

impl Lfu {
    /// The stamp of a key whose counter is `counter` now.
    pub fn stamp(counter: u8, now: Millis) -> u32 {
        minutes(now) << 8 | u32::from(counter)
    }

    /// The counter of a key at `now`.
    pub fn frequency(self, stamp: u32, now: Millis) -> u8 {
        let counter = (stamp & 0xff) as u8;
        if self.decay_minutes == 0 {
            return counter;
        }
        let (then, now) = (stamp >> 8 & MINUTE_MASK, minutes(now));
        let elapsed = if now >= then {
            now - then
        } else {
            MINUTE_MASK - then + now
        };
        let fallen = (elapsed / self.decay_minutes).min(u32::from(u8::MAX));
        counter.saturating_sub(fallen as u8)
    }

    /// The stamp of a key after one more use.
    pub fn used(self, stamp: u32, now: Millis, rng: &mut Rng) -> u32 {
        let counter = self.frequency(stamp, now);
        Lfu::stamp(self.raised(counter, rng), now)
    }

    fn raised(self, counter: u8, rng: &mut Rng) -> u8 {
        let above = u64::from(counter.saturating_sub(COUNTER_NEW));
        let one_in = above * u64::from(self.log_factor) + 1;
        if rng.below(one_in) == 0 {
            counter.saturating_add(1)
        } else {
            counter
        }
    }
}

fn minutes(now: Millis) -> u32 {
    (now / 60_000) as u32 & MINUTE_MASK
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;
    const NOW: Millis = 1_700_000_000_000;
    const USUAL: Lfu = Lfu {
        log_factor: 10,
        decay_minutes: 1,
    };

    /// The counter after `uses` uses within one minute.
    fn after(lfu: Lfu, uses: usize, seed: u64) -> u8 {
        let mut rng = Rng::seeded(seed);
        let stamp = Lfu::stamp(COUNTER_NEW, NOW);
        let stamp = (0..uses).fold(stamp, |stamp, _| lfu.used(stamp, NOW, &mut rng));
        lfu.frequency(stamp, NOW)
    }

    #[test]
    fn the_counter_falls_by_one_for_each_period_without_a_use() {
        let stamp = Lfu::stamp(100, NOW);
        let slow = Lfu {
            decay_minutes: 10,
            ..USUAL
        };
        let never = Lfu {
            decay_minutes: 0,
            ..USUAL
        };
        assert_eq!(USUAL.frequency(stamp, NOW), 100);
        assert_eq!(USUAL.frequency(stamp, NOW + 3 * MINUTE), 97);
        assert_eq!(USUAL.frequency(stamp, NOW + 1000 * MINUTE), 0);
        assert_eq!(slow.frequency(stamp, NOW + 29 * MINUTE), 98);
        assert_eq!(never.frequency(stamp, NOW + 60_000 * MINUTE), 100);
    }

    #[test]
    fn the_minutes_wrap() {
        let last = 65_535 * MINUTE;
        let stamp = Lfu::stamp(9, last);
        assert_eq!(stamp, 65_535 << 8 | 9);
        assert_eq!(USUAL.frequency(stamp, last + 3 * MINUTE), 9 - 2);
        assert!(Lfu::stamp(255, NOW) <= STAMP_MASK);
    }

    #[test]
    fn the_counter_grows_with_the_logarithm_of_the_uses() {
        // Redis documents for factor 10: 10 after 100 uses, 18 after 1000, 142 after
        // 100,000; the middle of several runs is near that.
        for (uses, low, high) in [(100, 8, 13), (1000, 15, 22), (100_000, 125, 160)] {
            let mut seen: Vec<u8> = (0..9).map(|seed| after(USUAL, uses, seed)).collect();
            seen.sort_unstable();
            assert!((low..=high).contains(&seen[4]), "{uses} uses: {seen:?}");
        }
        let eager = Lfu {
            log_factor: 0,
            ..USUAL
        };
        assert_eq!(after(eager, 100, 1), 105);
        assert_eq!(after(eager, 1000, 1), 255);
    }

    #[test]
    fn below_the_start_every_use_counts() {
        let mut rng = Rng::seeded(3);
        for counter in 0..=COUNTER_NEW {
            assert_eq!(USUAL.raised(counter, &mut rng), counter + 1);
        }
        assert_eq!(USUAL.raised(255, &mut rng), 255);
    }

    #[test]
    fn idle_time_wraps_after_194_days() {
        assert_eq!(idle_secs(clock(NOW), NOW + 5000), 5);
        assert_eq!(idle_secs(STAMP_MASK, 2000), 3);
    }
}
