//! A byte buffer with room at both ends.
//!
//! ```text
//! |  front room  |        bytes        |   back room   |
//! 0            start                  end            buf.len()
//! ```
//!
//! A plain vector makes every insertion at its front move all its bytes; here
//! an insertion moves the shorter side, and at either end it moves nothing.
//! When the wanted end has no room the bytes slide within the buffer, but
//! only if that frees a fair share of it; otherwise a larger buffer is taken.
//! Either way the cost of a reflow is spread over the bytes it made room for.
//!
//! What must stay true: `start <= end <= buf.len()`; an empty buffer of
//! capacity 0 owns no allocation; capacities follow the allocator's size
//! classes, so that no byte paid for is out of reach.

/// Below this many bytes capacities grow in steps of [`SMALL_STEP`]: most
/// lists are short and never grow again, so tightness beats fewer copies.
const SMALL_BYTES: usize = 128;
const SMALL_STEP: usize = 16;

/// Up to this many bytes a slide is as cheap as a few pushes: always slide
/// rather than grow.
const SLIDE_FREELY: usize = 256;

/// A longer buffer slides only when this share (1/8) of it comes free.
const SLIDE_SHARE: usize = 8;

/// The share (1/8) of free room that a reflow leaves at the other end, so
/// that pushes at alternating ends do not reflow each time.
const OTHER_END_SHARE: usize = 8;

/// A buffer more than 3/4 empty after a removal is exchanged for a smaller one.
const SPARSE_FACTOR: usize = 4;

/// Bytes in one allocation, cheap to extend and to cut at both ends.
#[derive(Clone, Debug, Default)]
pub(super) struct GapBuf {
    buf: Box<[u8]>,
    start: u32,
    end: u32,
}

impl GapBuf {
    pub(super) fn from_slice(bytes: &[u8]) -> GapBuf {
        assert!(
            u32::try_from(bytes.len()).is_ok(),
            "more bytes than a buffer can address"
        );
        GapBuf {
            buf: bytes.into(),
            start: 0,
            end: bytes.len() as u32,
        }
    }

    /// An empty buffer with about `room` bytes, all before or all behind the
    /// place where the first bytes will go.
    pub(super) fn with_room(room: usize, at_front: bool) -> GapBuf {
        let buf = vec![0; capacity_for(room)].into_boxed_slice();
        let start = if at_front { buf.len() as u32 } else { 0 };
        GapBuf {
            buf,
            start,
            end: start,
        }
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buf[self.start as usize..self.end as usize]
    }

    #[inline]
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buf[self.start as usize..self.end as usize]
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Size of the allocation in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.buf.len()
    }

    /// Makes `n` bytes of unspecified content at offset `at` and returns them.
    /// Moves the shorter side; nothing at either end, amortised.
    #[inline]
    pub(super) fn open(&mut self, at: usize, n: usize) -> &mut [u8] {
        let (start, end) = (self.start as usize, self.end as usize);
        if at == end - start && self.buf.len() - end >= n {
            self.end += n as u32;
        } else if at == 0 && start >= n {
            self.start -= n as u32;
        } else {
            self.open_within(at, n);
        }
        let from = self.start as usize + at;
        &mut self.buf[from..from + n]
    }

    #[inline(never)]
    fn open_within(&mut self, at: usize, n: usize) {
        let (start, end) = (self.start as usize, self.end as usize);
        let (head, tail) = (at, end - start - at);
        if tail <= head && self.buf.len() - end >= n {
            self.buf.copy_within(end - tail..end, end - tail + n);
            self.end += n as u32;
        } else if head < tail && start >= n {
            self.buf.copy_within(start..start + head, start - n);
            self.start -= n as u32;
        } else {
            self.reflow(at, n);
        }
    }

    /// Removes `n` bytes at offset `at`. Moves the shorter side; nothing at
    /// either end.
    #[inline]
    pub(super) fn close(&mut self, at: usize, n: usize) {
        if at + n == self.len() {
            self.end -= n as u32;
        } else if at == 0 {
            self.start += n as u32;
        } else {
            self.close_within(at, n);
        }
        self.release();
    }

    #[inline(never)]
    fn close_within(&mut self, at: usize, n: usize) {
        let (start, end) = (self.start as usize, self.end as usize);
        let cut = start + at;
        if end - (cut + n) <= at {
            self.buf.copy_within(cut + n..end, cut);
            self.end -= n as u32;
        } else {
            self.buf.copy_within(start..cut, start + n);
            self.start += n as u32;
        }
    }

    /// Cuts the bytes to `len`, which is not more than they are.
    pub(super) fn truncate(&mut self, len: usize) {
        let n = self.len() - len;
        self.close(len, n);
    }

    /// Gives back all room at both ends.
    pub(super) fn shrink_to_fit(&mut self) {
        if self.len() < self.capacity() {
            *self = GapBuf::from_slice(self.bytes());
        }
    }

    /// Gives back most of a buffer that has become sparse, and recentres an
    /// empty one.
    #[inline]
    fn release(&mut self) {
        let len = self.len();
        if len == 0 {
            (self.start, self.end) = (0, 0);
        }
        if self.capacity() > SLIDE_FREELY && len < self.capacity() / SPARSE_FACTOR {
            self.shrink_to(capacity_for(len));
        }
    }

    #[cold]
    fn shrink_to(&mut self, capacity: usize) {
        let len = self.len();
        let start = (capacity - len) / 2;
        let mut buf = vec![0; capacity].into_boxed_slice();
        buf[start..start + len].copy_from_slice(self.bytes());
        *self = GapBuf {
            buf,
            start: start as u32,
            end: (start + len) as u32,
        };
    }

    /// Makes a gap of `n` bytes at `at` by laying out all bytes anew.
    #[cold]
    fn reflow(&mut self, at: usize, n: usize) {
        let used = self.len() + n;
        let free = self.capacity().checked_sub(used);
        let slides = free.is_some_and(|free| used <= SLIDE_FREELY || free >= used / SLIDE_SHARE);
        let capacity = if slides {
            self.capacity()
        } else {
            capacity_for(used)
        };
        let start = front_room(capacity, used, at < self.len() - at);
        if slides {
            self.slide(start, at, n)
        } else {
            self.exchange(capacity, start, at, n)
        }
        self.start = start as u32;
        self.end = (start + used) as u32;
    }

    /// Moves head and tail to their new places; the part that moves towards
    /// the other goes last, so that neither overwrites what is still needed.
    fn slide(&mut self, start: usize, at: usize, n: usize) {
        let (old, old_end) = (self.start as usize, self.end as usize);
        let cut = old + at;
        if start < old {
            self.buf.copy_within(old..cut, start);
            self.buf.copy_within(cut..old_end, start + at + n);
        } else {
            self.buf.copy_within(cut..old_end, start + at + n);
            self.buf.copy_within(old..cut, start);
        }
    }

    fn exchange(&mut self, capacity: usize, start: usize, at: usize, n: usize) {
        let mut buf = vec![0; capacity].into_boxed_slice();
        let (head, tail) = self.bytes().split_at(at);
        buf[start..start + at].copy_from_slice(head);
        buf[start + at + n..start + at + n + tail.len()].copy_from_slice(tail);
        self.buf = buf;
    }
}

/// How much of the free room goes to the front: all but a share if the bytes
/// grow there, else only that share; in a small buffer the share is nothing.
fn front_room(capacity: usize, used: usize, grows_front: bool) -> usize {
    let free = capacity - used;
    let other = if capacity <= SLIDE_FREELY {
        0
    } else {
        free / OTHER_END_SHARE
    };
    if grows_front { free - other } else { other }
}

/// The capacity to take for `used` bytes: the next step while small, later an
/// eighth more rounded up to a quarter of an octave, as allocators round.
///
/// # Panics
/// If `used` exceeds what offsets can address; see `Packed::can_hold`.
fn capacity_for(used: usize) -> usize {
    if used <= SMALL_BYTES {
        return used.next_multiple_of(SMALL_STEP);
    }
    let wanted = used + used / 8;
    let step = wanted.next_power_of_two() / 8;
    let capacity = wanted.next_multiple_of(step).min(u32::MAX as usize);
    assert!(used <= capacity, "more bytes than a buffer can address");
    capacity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_are_tight_while_small_and_grow_by_an_eighth_to_a_half() {
        assert_eq!(capacity_for(0), 0);
        assert_eq!(capacity_for(1), 16);
        assert_eq!(capacity_for(65), 80);
        for used in 129..100_000 {
            let capacity = capacity_for(used);
            assert!(
                capacity >= used + used / 8 && capacity <= used + used / 2,
                "{used}"
            );
        }
    }

    #[test]
    fn gaps_open_and_close_anywhere() {
        let mut model = Vec::new();
        let mut gap = GapBuf::default();
        for i in 0..2_000usize {
            let at = (i * 7919) % (model.len() + 1);
            let n = i % 11;
            gap.open(at, n).fill(i as u8);
            model.splice(at..at, std::iter::repeat_n(i as u8, n));
            if i % 3 == 0 {
                let cut = (i * 31) % (model.len() + 1);
                let n = (model.len() - cut).min(i % 17);
                gap.close(cut, n);
                model.drain(cut..cut + n);
            }
            assert_eq!(gap.bytes(), model);
        }
        gap.shrink_to_fit();
        assert_eq!(gap.bytes(), model);
        assert_eq!(gap.capacity(), model.len());
    }

    #[test]
    fn pushes_at_one_or_both_ends_move_a_bounded_number_of_bytes() {
        for pattern in [[0, 0], [1, 1], [0, 1]] {
            let mut gap = GapBuf::default();
            let mut moved = 0;
            for i in 0..100_000 {
                let before = (gap.start, gap.end, gap.capacity());
                let at = if pattern[i % 2] == 0 { 0 } else { gap.len() };
                gap.open(at, 2);
                let kept =
                    gap.capacity() == before.2 && (gap.start == before.0 || gap.end == before.1);
                moved += if kept { 0 } else { gap.len() };
            }
            assert!(moved < 200_000 * 80, "{pattern:?} moved {moved}");
        }
    }

    #[test]
    fn a_drained_buffer_gives_its_memory_back() {
        let mut gap = GapBuf::default();
        gap.open(0, 8_000);
        gap.close(0, 7_900);
        assert!(gap.capacity() <= 112, "{}", gap.capacity());
        gap.truncate(0);
        assert_eq!(gap.len(), 0);
    }
}
