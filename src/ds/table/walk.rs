#![allow(unsafe_code)]
//! All that goes along the paths: scan, slices of segments, due elements,
//! random samples, draining, teardown.
//!
//! A cursor is a place in the space of paths, their top 48 bits: everything
//! before it is done, everything from it on is to come. An element's path never
//! changes, so no growth, split or shrinking can bring it to the other side of a
//! cursor. That alone makes a full iteration report each element exactly once
//! that is present throughout it; one that comes or goes meanwhile is reported
//! once or not at all.
//!
//! What remains is that each step must end at a place that the buckets can tell
//! apart. They know the path up to the window behind the segment's prefix, so
//! steps end at a multiple of a window; as depths only rise, a place that a
//! window could tell stays one. (Only a table that was emptied starts again at
//! depth zero, but then no element was present throughout.) A cursor that never
//! came from here is rounded down, and nothing worse happens than elements
//! reported twice.
//!
//! Zero is both the start and the end: an iteration ends when its step returns
//! zero.

use super::bucket::WINDOW_BITS;
use super::directory::DEPTH_MAX;
use super::segment::{Seg, Spot, span_end, window_of};
use super::slot::{Ref, revive};
use super::{Table, Thin, prefetch_addr};

/// Cursors are below two to the power of this.
pub const CURSOR_BITS: u32 = 48;

/// A scan's step reports at most about this many elements...
const SCAN_STEP: u32 = 16;

/// ...and looks at no more segments than this if it finds none.
const SCAN_SEGMENTS: usize = 8;

/// Segments that a step of [`Table::due`] may skip for each that it may visit.
const SKIPS_PER_VISIT: usize = 32;

/// How many elements ahead [`Iter`] fetches; about what a core keeps in flight.
const ITER_AHEAD: usize = 12;

/// Draws of [`Table::sample`] before it takes what is nearest; one that misses costs
/// some nanoseconds.
const SAMPLE_DRAWS: usize = 4096;

/// The answer to whether an element is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Not yet; its value is this, `u64::MAX` if it is never due.
    Keep(u64),
    /// It is, and leaves the table.
    Remove,
}

/// What a step of [`Table::due`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueStep {
    /// Where the next step goes on; zero when the walk is through.
    pub cursor: u64,
    /// Segments whose elements were asked.
    pub segments: usize,
    /// Elements asked.
    pub visited: usize,
}

/// The table's own lower bound of all noted values.
///
/// Noting lowers it at once. It rises only when a walk of `due` went from start
/// to end without a gap, to the least that this walk left behind or that was
/// noted since it began.
#[derive(Clone, Copy)]
pub(super) struct Least {
    bound: u64,
    /// What `bound` becomes at the end of the walk under way.
    walk: u64,
    /// Where that walk goes on; `NO_WALK` if none is under way.
    walk_cursor: u64,
}

const NO_WALK: u64 = u64::MAX;

impl Least {
    pub(super) const NONE: Least = Least {
        bound: u64::MAX,
        walk: u64::MAX,
        walk_cursor: NO_WALK,
    };

    #[inline]
    fn note(&mut self, value: u64) {
        self.bound = self.bound.min(value);
        self.walk = self.walk.min(value);
    }

    fn begin_step(&mut self, cursor: u64) {
        let goes_on = cursor == self.walk_cursor;
        // Until the step has ended, which a panic of who is asked may prevent.
        self.walk_cursor = NO_WALK;
        if cursor == 0 {
            self.walk = u64::MAX;
        } else if !goes_on {
            self.walk = 0;
        }
    }

    fn end_step(&mut self, cursor: u64) {
        if cursor == 0 && self.walk != 0 {
            self.bound = self.walk;
        }
        self.walk_cursor = if cursor == 0 { NO_WALK } else { cursor };
    }
}

impl<E: Thin> Table<E> {
    /// Reports the next few elements, about 8 to 16, to `f` and says where to go
    /// on. Start with zero; zero again is the end. Cursors are below
    /// 2^[`CURSOR_BITS`]. An element present from the first to the last step is
    /// reported exactly once, whatever happens in between. (Of elements with
    /// equal paths to 48 bits all come in one step.)
    pub fn scan(&self, cursor: u64, mut f: impl FnMut(&E)) -> u64 {
        let mut path = path_at(cursor);
        for _ in 0..SCAN_SEGMENTS {
            let Some(segment) = self.directory.get(path) else {
                return 0;
            };
            let end = span_end(path, segment.head.depth + parts_log2(segment));
            let found = self.report(segment, path, end, &mut f);
            path = end;
            if path == 0 || found > 0 {
                break;
            }
        }
        cursor_at(path)
    }

    /// As [`Table::scan`], a whole segment to a step: at most about 270
    /// elements. Both kinds of steps may take turns on one cursor.
    pub fn scan_segment(&self, cursor: u64, mut f: impl FnMut(&E)) -> u64 {
        let path = path_at(cursor);
        let Some(segment) = self.directory.get(path) else {
            return 0;
        };
        let end = segment.end(path);
        self.report(segment, path, end, &mut f);
        cursor_at(end)
    }

    /// Whether a walk that stands at `cursor` has passed elements of this hash.
    pub fn has_passed(&self, cursor: u64, hash: u64) -> bool {
        has_passed(self.hash_bits_used.into(), cursor, hash)
    }

    /// Calls `f` with every element, in no promised order.
    pub fn for_each(&self, mut f: impl FnMut(&E)) {
        self.iter().for_each(|element| f(&element));
    }

    /// All elements, in no promised order; fetches each some steps ahead.
    pub fn iter(&self) -> Iter<'_, E> {
        Iter {
            table: self,
            path: (!self.is_empty()).then_some(0),
            addrs: Vec::new(),
        }
    }

    /// Reports the elements of `segment` from `path` to before `end`, which are
    /// both of it. `end` may be the segment's own end.
    fn report(&self, segment: Seg, path: u64, end: u64, f: &mut impl FnMut(&E)) -> u32 {
        let depth = segment.head.depth;
        let windows = window_of(path, depth)..=window_of(end.wrapping_sub(1), depth);
        let mut found = 0;
        segment.for_each(|item| {
            if windows.contains(&item.window) {
                found += 1;
                // SAFETY: the table owns the element and is borrowed as long.
                f(&*unsafe { Ref::<E>::new(item.addr) });
            }
        });
        found
    }

    /// A random element, each equally likely as far as `rand` is random.
    ///
    /// Draws segments and places until one is hit, [`SAMPLE_DRAWS`] times at most;
    /// then the next element along the paths is taken, which favours those behind
    /// gaps. That happens only where deletion left nothing at all in most segments
    /// (see [`Table::is_hollow`]) or elements of equal hash made one of them huge.
    pub fn sample(&self, rand: impl FnMut() -> u64) -> Option<Ref<'_, E>> {
        let (path, spot) = self.draw_spot(rand)?;
        // SAFETY: the table owns the element and is borrowed as long.
        Some(unsafe { Ref::new(self.addr(path, spot)) })
    }

    /// Takes out a random element, chosen as by [`Table::sample`].
    pub fn take_sample(&mut self, rand: impl FnMut() -> u64) -> Option<E> {
        let (path, spot) = self.draw_spot(rand)?;
        Some(self.take(path, spot))
    }

    /// Whether deletion has left less than one element to a segment, so that samples
    /// and walks are slow. Segments do not merge; who cares moves the elements to a
    /// new table, at the price that a scan under way may report some twice.
    pub fn is_hollow(&self) -> bool {
        self.len() < self.segments()
    }

    fn draw_spot(&self, mut rand: impl FnMut() -> u64) -> Option<(u64, Spot)> {
        if self.is_empty() {
            return None;
        }
        let drawn = (0..SAMPLE_DRAWS).find_map(|_| self.draw(rand(), rand()));
        drawn.or_else(|| self.draw_next(rand(), rand()))
    }

    /// A random path meets a segment the more often the shallower it is; that is
    /// levelled by turning down, for each bit of depth missing, one half. A random
    /// place is vacant the more often the emptier the segment is, which levels that.
    #[inline]
    fn draw(&self, path: u64, dice: u64) -> Option<(u64, Spot)> {
        let segment = self.directory.get(path)?;
        let place = ((dice >> 32) * u64::from(self.places_max)) >> 32;
        let spot = segment.occupied(place as usize)?;
        let missing = u32::from(self.depth_max) - segment.head.depth;
        let turned_down = missing > 31 || dice & ((1 << missing) - 1) != 0;
        (!turned_down).then_some((path, spot))
    }

    fn draw_next(&self, start: u64, dice: u64) -> Option<(u64, Spot)> {
        let mut path = start;
        for _ in 0..=self.segments() {
            let segment = self.directory.get(path)?;
            let place = ((dice >> 32) * u64::from(segment.head.count)) >> 32;
            if let Some(spot) = segment.nth(place as usize) {
                return Some((path, spot));
            }
            path = segment.end(path);
        }
        None
    }

    /// Tells the table that an element of this hash has the value `value` now
    /// (a deadline, say), so that [`Table::due`] looks at it in time. An element
    /// whose value is not noted is looked at whenever another of its segment is.
    #[inline]
    pub fn note_min(&mut self, hash: u64, value: u64) {
        self.note_min_at(self.path(hash), value);
    }

    #[inline]
    pub(super) fn note_min_at(&mut self, path: u64, value: u64) {
        if let Some(segment) = self.segment_mut(path) {
            segment.head.min = segment.head.min.min(value);
            self.least.note(value);
        }
    }

    /// No element's noted value is below this; `u64::MAX` if none was noted.
    /// Exact after a full walk of [`Table::due`], then perhaps too low, never
    /// too high.
    #[inline]
    pub fn min_overall(&self) -> u64 {
        self.least.bound
    }

    /// Asks `visit` about all elements of the next segments (at most
    /// `max_segments`) in which one may have a value up to `now`; those that it
    /// answers with [`Due::Remove`] go to `removed`. Of segments that need no
    /// visit a step passes 32 for each that it may visit. Start with zero.
    pub fn due(
        &mut self,
        cursor: u64,
        now: u64,
        max_segments: usize,
        mut visit: impl FnMut(&E) -> Due,
        mut removed: impl FnMut(E),
    ) -> DueStep {
        let mut step = DueStep {
            cursor,
            segments: 0,
            visited: 0,
        };
        let mut path = path_at(cursor);
        self.least.begin_step(cursor);
        for _ in 0..max_segments.saturating_mul(SKIPS_PER_VISIT) {
            let Some(segment) = self.directory.get(path) else {
                break;
            };
            let end = segment.end(path);
            if segment.head.min <= now {
                step.segments += 1;
                step.visited += segment.head.count as usize;
                self.visit_segment(path, &mut visit, &mut removed);
            } else {
                self.least.walk = self.least.walk.min(segment.head.min);
            }
            path = end;
            if path == 0 || step.segments == max_segments {
                break;
            }
        }
        step.cursor = if self.is_empty() { 0 } else { cursor_at(path) };
        self.least.end_step(step.cursor);
        step
    }

    fn visit_segment(
        &mut self,
        path: u64,
        visit: &mut impl FnMut(&E) -> Due,
        removed: &mut impl FnMut(E),
    ) {
        self.own(path);
        let Some(mut segment) = self.directory.get_mut(path) else {
            return;
        };
        segment.view().for_each(|item| prefetch_addr(item.addr));
        let (len, mut min) = (&mut self.len, u64::MAX);
        let mut gone = Vec::new();
        segment.retain(|addr| {
            // SAFETY: the table owns the element, and the borrow ends here.
            let due = visit(&*unsafe { Ref::<E>::new(addr) });
            if let Due::Keep(value) = due {
                min = min.min(value);
                return true;
            }
            *len -= 1;
            // SAFETY: the lane is emptied next, whatever happens.
            gone.push(unsafe { revive::<E>(addr) });
            false
        });
        segment.head.min = min;
        self.least.walk = self.least.walk.min(min);
        self.give_back(path);
        gone.into_iter().for_each(removed);
    }

    /// Takes all elements out of the next `max_segments` segments and gives them
    /// to `sink`: the way to free a huge table in pieces. Start with zero; zero
    /// again is the end, and the table then without memory unless elements were
    /// inserted behind the cursor meanwhile.
    pub fn drain_some(&mut self, cursor: u64, max_segments: usize, mut sink: impl FnMut(E)) -> u64 {
        let mut path = path_at(cursor);
        for _ in 0..max_segments {
            let Some(segment) = self.directory.get(path) else {
                return 0;
            };
            let end = segment.end(path);
            let taken = self.empty_segment(path);
            self.give_back(path);
            taken.into_iter().for_each(&mut sink);
            path = end;
            if path == 0 {
                break;
            }
        }
        if path == 0 && self.is_empty() {
            self.reset();
        }
        cursor_at(path)
    }

    fn empty_segment(&mut self, path: u64) -> Vec<E> {
        let Some(mut segment) = self.segment_mut(path) else {
            return Vec::new();
        };
        let mut taken = Vec::with_capacity(segment.head.count as usize);
        segment.retain(|addr| {
            // SAFETY: the lane is emptied next, so the element is `taken`'s.
            taken.push(unsafe { revive(addr) });
            false
        });
        segment.head.min = u64::MAX;
        self.len -= taken.len();
        taken
    }
}

/// See [`Table::iter`].
pub struct Iter<'a, E: Thin> {
    table: &'a Table<E>,
    /// A path of the next segment, if there is one.
    path: Option<u64>,
    /// What is left of the segment before, from behind.
    addrs: Vec<u64>,
}

impl<E: Thin> Iter<'_, E> {
    /// Takes up the next segment; false behind the last.
    fn advance(&mut self) -> bool {
        let next = |path| Some((path, self.table.directory.get(path)?));
        let Some((path, segment)) = self.path.and_then(next) else {
            return false;
        };
        self.path = Some(segment.end(path)).filter(|&path| path != 0);
        segment.for_each(|item| self.addrs.push(item.addr));
        let first = self.addrs.iter().rev().take(ITER_AHEAD);
        first.for_each(|&addr| prefetch_addr(addr));
        true
    }
}

impl<'a, E: Thin> Iterator for Iter<'a, E> {
    type Item = Ref<'a, E>;

    #[inline]
    fn next(&mut self) -> Option<Ref<'a, E>> {
        while self.addrs.is_empty() {
            if !self.advance() {
                return None;
            }
        }
        let addr = self.addrs.pop()?;
        if let Some(ahead) = self.addrs.len().checked_sub(ITER_AHEAD) {
            prefetch_addr(self.addrs[ahead]);
        }
        // SAFETY: the table holds the element and is borrowed as long.
        Some(unsafe { Ref::new(addr) })
    }
}

/// [`Table::has_passed`] of any table with `hash_bits_used`.
pub fn has_passed(hash_bits_used: u32, cursor: u64, hash: u64) -> bool {
    hash << hash_bits_used < path_at(cursor)
}

/// Into how many parts, as a power of two, scans take a segment.
fn parts_log2(segment: Seg) -> u32 {
    let parts = segment.head.count.div_ceil(SCAN_STEP).next_power_of_two();
    parts.trailing_zeros().min(WINDOW_BITS)
}

#[inline]
fn path_at(cursor: u64) -> u64 {
    cursor << (64 - CURSOR_BITS)
}

#[inline]
fn cursor_at(path: u64) -> u64 {
    path >> (64 - CURSOR_BITS)
}

const _: () = assert!(DEPTH_MAX + WINDOW_BITS <= CURSOR_BITS);
