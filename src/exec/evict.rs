//! `maxmemory`: when room is made, and for how long; whom it hits says `store::evict`.
//!
//! Before a group of commands takes its locks, what is in use is compared with the limit.
//! Past it keys are evicted for at most the time that `maxmemory-eviction-tenacity` gives
//! (half a millisecond); what is left over then goes on with the next group and with the
//! reactor's timer, and commands run meanwhile, as in Redis. Only when nothing can be
//! evicted are commands refused that need memory (`exec::gate`).
//!
//! What is in use is the allocator's sum (`base::heap`) without
//! - what waits for the reaper, which is as good as free;
//! - what lies with a snapshot that has still to write it, and would without it be free;
//! - what other threads have evicted since this thread's last sum;
//! - buffers of clients and of the log: they have budgets of their own, and what does not
//!   live in the keyspace cannot be evicted from there.
//!
//! Must stay true: without a limit all this costs one look at two numbers per group.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::reaper::Garbage;
use super::run::Executor;
use crate::base::cgroup;
use crate::base::clock::Millis;
use crate::base::heap;
use crate::base::rng::Rng;
use crate::command::Services;
use crate::command::ctx::lfu_settings;
use crate::config::{Config, Id};
use crate::metrics::Backlog;
use crate::store::dict::Dict;
use crate::store::evict::{Evicted, Evictor, Policy, Rank};
use crate::store::snapshot::Kept;
use crate::store::usage::{Lfu, Stamping};
use crate::store::{Db, Locks, Patience};

/// Keys evicted between two looks at the clock.
const KEYS_PER_LOOK: usize = 16;
/// How often a limit that is a share is computed anew.
const SHARE_AGE_MAX: Millis = 1000;
/// Tenacity up to which the time grows by [`STEP`] each, and what follows grows by.
const LINEAR_MAX: i32 = 10;
const STEP: Duration = Duration::from_micros(50);
const GROWTH: f64 = 1.15;

/// The limit and what is known about it, as one executor sees it.
#[derive(Debug)]
pub(super) struct Room {
    /// Of the configuration that the rest was read from.
    generation: u64,
    /// Bytes; 0 is no limit.
    limit: u64,
    /// The limit is a share of what the process may use, last computed then.
    share_of: Option<Millis>,
    evictor: Option<(Policy, Evictor)>,
    samples: usize,
    time_max: Duration,
    pub stamping: Stamping,
    lfu: Lfu,
    /// There is no room, and none can be made.
    pub exhausted: bool,
    /// Evictions have run out of time.
    pub unfinished: bool,
    sum: Sum,
}

/// What the shared counts were when this thread last saw a sum over all threads.
#[derive(Debug, Default)]
struct Sum {
    /// Which one it is.
    number: u64,
    freed: u64,
    evicted: u64,
    /// Of what was evicted since, this thread's part, which it has seen itself.
    own: u64,
}

impl Room {
    /// Without a limit, until the configuration is read.
    pub fn new() -> Room {
        Room {
            generation: u64::MAX,
            limit: 0,
            share_of: None,
            evictor: None,
            samples: 0,
            time_max: Duration::ZERO,
            stamping: Stamping::Lru,
            lfu: Lfu {
                log_factor: 0,
                decay_minutes: 0,
            },
            exhausted: false,
            unfinished: false,
            sum: Sum::default(),
        }
    }

    /// Whether there is a limit.
    #[inline]
    pub fn is_limited(&self) -> bool {
        self.limit != 0
    }

    fn read(&mut self, config: &Config, generation: u64, now: Millis) {
        self.generation = generation;
        self.limit = config.max_memory();
        self.share_of = (config.int(Id::MAXMEMORY) < 0).then_some(now);
        self.samples = config.size(Id::MAXMEMORY_SAMPLES);
        self.time_max = time_max(config.int(Id::MAXMEMORY_EVICTION_TENACITY) as i32);
        self.lfu = lfu_settings(config);
        let policy = Policy::from_name(config.choice(Id::MAXMEMORY_POLICY));
        self.stamping = match policy.map(|policy| policy.rank) {
            Some(Rank::Lfu) => Stamping::Lfu,
            _ => Stamping::Lru,
        };
        self.evictor = policy.map(|policy| (policy, Evictor::new(policy, self.samples)));
        self.exhausted &= self.limit != 0;
        self.unfinished &= self.limit != 0;
    }

    /// Bytes by which what is in use exceeds the limit; `outside` is not data.
    fn excess(&mut self, backlog: &Backlog, kept: &Kept, outside: u64, now: Millis) -> u64 {
        // Counts before the sum: what is freed meanwhile is taken for in flight still.
        let (freed, evicted) = (backlog.reaped() + kept.let_go(), backlog.evicted());
        let used = heap::in_use_about(now);
        let number = heap::sums();
        if number != self.sum.number {
            self.sum = Sum {
                number,
                freed,
                evicted,
                own: 0,
            };
        }
        let in_flight = (backlog.given() + kept.handed()).saturating_sub(self.sum.freed);
        let others = (evicted.saturating_sub(self.sum.evicted)).saturating_sub(self.sum.own);
        let data = used.saturating_sub(in_flight + others + outside);
        data.saturating_sub(self.limit)
    }
}

/// How long one step may take: 0 to 500 us up to a tenacity of 10, then 15 % more for each,
/// two minutes for 99; without an end for 100.
fn time_max(tenacity: i32) -> Duration {
    match tenacity {
        100.. => Duration::MAX,
        _ if tenacity > LINEAR_MAX => {
            (STEP * LINEAR_MAX as u32).mul_f64(GROWTH.powi(tenacity - LINEAR_MAX))
        }
        _ => STEP * tenacity.max(0) as u32,
    }
}

impl Executor {
    /// Looks whether there is room for the next commands, and makes some if not; whether
    /// keys have gone. Holds no locks before and after.
    #[inline]
    pub(super) fn look_at_room(&mut self, db: &mut Db<'_>) -> bool {
        let generation = self.services.config.generation();
        let looks = self.room.generation != generation || self.room.is_limited();
        looks && self.make_room(db, generation)
    }

    /// A step of eviction without any command; whether there is more to do.
    pub fn evict(&mut self, now: Millis) -> bool {
        let (services, journal) = self.handles();
        let locks = Locks::new(&services.keyspace, Patience::Try);
        let mut db = Db::new(locks, &*journal, now);
        self.room.count_uses(&mut db, &mut self.rng);
        self.look_at_room(&mut db);
        drop(db);
        self.write_log();
        self.room.unfinished
    }

    fn make_room(&mut self, db: &mut Db<'_>, generation: u64) -> bool {
        let services = Arc::clone(&self.services);
        let (backlog, kept) = (&services.metrics.backlog, services.keyspace.kept());
        let now = db.now;
        if self.room.generation != generation {
            self.room.read(&services.config, generation, now);
            self.room.count_uses(db, &mut self.rng);
        }
        if let Some(at) = self.room.share_of
            && !(0..SHARE_AGE_MAX).contains(&(now - at))
        {
            self.room.share_of = Some(now);
            cgroup::refresh();
            self.room.limit = services.config.max_memory();
        }
        // What is being loaded is kept; afterwards there is time to choose. What is paused
        // must not change by itself.
        let kept_as_is =
            || services.persist.is_loading() || services.clients.pause.scope(now).is_some();
        if !self.room.is_limited() || kept_as_is() {
            backlog.fits(now);
            return false;
        }
        let outside = self.outside(&services);
        let mut excess = self.room.excess(backlog, kept, outside, now);
        if excess > 0 && self.drop_all_flushed(&services) {
            excess = self.room.excess(backlog, kept, outside, now);
        }
        (self.room.exhausted, self.room.unfinished) = (false, false);
        let evicted = excess > 0 && self.evict_some(db, &services);
        if self.room.exhausted || self.room.unfinished {
            backlog.exceeds(now);
        } else {
            backlog.fits(now);
        }
        evicted
    }

    /// Bytes that are in use and no data.
    fn outside(&self, services: &Services) -> u64 {
        let log = self.log().map_or(0, |log| log.waiting().1);
        services.clients.uncounted_bytes() as u64 + log
    }

    /// Evicts until there is room, nothing is left or the time is over; whether keys have
    /// gone.
    fn evict_some(&mut self, db: &mut Db<'_>, services: &Services) -> bool {
        let Some((policy, mut evictor)) = self.room.evictor.take() else {
            self.room.exhausted = true;
            return false;
        };
        let mut evicted = false;
        let started = Instant::now();
        let selected = db.index;
        let (backlog, kept) = (&services.metrics.backlog, services.keyspace.kept());
        for count in 1.. {
            let before = heap::balance();
            let outcome = evictor.evict_one(db, &mut self.rng);
            self.give_garbage(db);
            let freed = before.wrapping_sub(heap::balance()).cast_signed().max(0);
            backlog.evict(freed.unsigned_abs());
            self.room.sum.own += freed.unsigned_abs();
            self.room.exhausted = outcome == Evicted::Nothing;
            if outcome != Evicted::One {
                self.room.unfinished = outcome == Evicted::Busy;
                break;
            }
            evicted = true;
            let outside = self.outside(services);
            if self.room.excess(backlog, kept, outside, db.now) == 0 {
                break;
            }
            if count % KEYS_PER_LOOK == 0 && started.elapsed() >= self.room.time_max {
                self.room.unfinished = true;
                break;
            }
        }
        self.room.evictor = Some((policy, evictor));
        self.after_group(db);
        db.index = selected;
        evicted
    }
}

impl Executor {
    /// Whether there is a limit on memory.
    #[inline]
    pub fn is_limited(&self) -> bool {
        self.room.is_limited()
    }

    /// Tells how much the buffers of the clients of a group take, whose batches these are.
    pub(super) fn note_buffers(&self, batches: &[Box<Batch>], group: impl Iterator<Item = usize>) {
        let mut last = usize::MAX;
        for index in group {
            if index != last {
                last = index;
                let batch = &batches[index];
                let clients = &self.services.clients;
                clients.note_buffers(&batch.session.client, batch.own_bytes());
            }
        }
    }

    /// Gives what is too large to be dropped here to the reaper. How much that is must
    /// be known only where there is a limit.
    pub(super) fn give_garbage(&mut self, db: &mut Db<'_>) {
        let limited = self.room.is_limited();
        let counters = &self.metrics.counters;
        for entry in db.effects.garbage.drain(..) {
            counters.reaped.add(1);
            let bytes = if limited { entry.mem_bytes() } else { 0 };
            self.reaper.give(Garbage::Entry(entry), bytes as u64);
        }
        for dict in db.effects.emptied.drain(..) {
            self.give_table(dict);
        }
    }

    fn give_table(&mut self, dict: Dict) {
        self.metrics.counters.reaped.add(1);
        let limited = self.room.is_limited();
        let bytes = if limited {
            dict.about_bytes(&mut self.rng)
        } else {
            0
        };
        self.reaper.give(Garbage::Table(dict), bytes as u64);
    }

    /// Drops what was flushed so long ago that nobody may have it back at `now`.
    pub fn drop_flushed(&mut self, now: Millis) {
        let services = Arc::clone(&self.services);
        if !services.keyspace.shelf().is_empty() {
            let none = services.config.int(Id::FLUSH_UNDO_WINDOW) == 0;
            let over = services.keyspace.shelf().clear(now, none);
            over.into_iter().for_each(|dict| self.give_table(dict));
        }
    }

    /// Drops all that was flushed, to make room; whether there was something.
    fn drop_all_flushed(&mut self, services: &Services) -> bool {
        let shelf = services.keyspace.shelf();
        let dropped = if shelf.is_empty() {
            Vec::new()
        } else {
            shelf.clear(0, true)
        };
        let some = !dropped.is_empty();
        dropped.into_iter().for_each(|dict| self.give_table(dict));
        some
    }
}

impl Room {
    /// Has the stamps of what `db` uses say what the policy wants to know.
    pub fn count_uses(&self, db: &mut Db<'_>, rng: &mut Rng) {
        if self.stamping == Stamping::Lfu {
            db.count_uses(self.lfu, Rng::seeded(rng.next_u64()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenacity_gives_time() {
        assert_eq!(time_max(0), Duration::ZERO);
        assert_eq!(time_max(10), Duration::from_micros(500));
        assert_eq!(time_max(11), Duration::from_micros(575));
        let most = time_max(99);
        assert!(most > Duration::from_secs(100) && most < Duration::from_secs(150));
        assert_eq!(time_max(100), Duration::MAX);
    }
}
