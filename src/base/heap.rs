#![allow(unsafe_code)]
//! The allocator, and what it has handed out.
//!
//! jemalloc with steps of 8 bytes between small sizes (`.cargo/config.toml`): an entry
//! needs an alignment of 8 and has a size that is a multiple of 8, and in a class of
//! its own it wastes nothing. docs/ARCHITECTURE.md has the figures of the choice.
//!
//! **Nothing is counted here.** jemalloc counts what it hands out in any case, per
//! thread and per arena, to know when to collect garbage; a second set of counters
//! would cost instructions on every allocation and could only disagree. So the bytes
//! in use are `stats.allocated` without what threads keep in their caches for their
//! next allocations, summed by jemalloc when somebody asks: exact when no thread
//! allocates meanwhile, and off by no more than what they do meanwhile otherwise.
//!
//! Summing takes about 70 us ([`in_use`]), too much for every batch. Who wants to
//! know that often asks [`in_use_about`]: the last sum of this thread and what this
//! very thread has done since, which is two loads. The work of other threads is seen
//! after [`SUM_AGE_MAX`] at the latest.
//!
//! Must stay true: an alignment above [`QUANTUM`] is always asked for by name, since
//! sizes in steps of 8 promise no more than 8.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tikv_jemalloc_sys as je;

use super::clock::Millis;

/// jemalloc as the global allocator.
pub struct Heap;

/// The alignment that every allocation has.
const QUANTUM: usize = 8;
/// How long [`in_use_about`] goes without a sum over all threads.
pub const SUM_AGE_MAX: Millis = 10;

/// How long free pages wait for a new use. jemalloc's own 10 s keep 6 bytes per key
/// more resident while a million keys are loaded, and 0 gives back pages that are
/// wanted again at once.
const DECAY_MS: isize = 1000;

/// The allocator as INFO names it.
pub const NAME: &str = "jemalloc-5.3.1";

#[inline]
fn flags(align: usize) -> c_int {
    if align <= QUANTUM {
        0
    } else {
        je::MALLOCX_ALIGN(align)
    }
}

// SAFETY: jemalloc keeps the contract of malloc, and of mallocx as to alignment;
// blocks are freed with the size and alignment that they were asked for with.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: sizes are not zero, by the trait's contract; alignments are powers
        // of two.
        unsafe {
            match flags(layout.align()) {
                0 => je::malloc(layout.size()).cast(),
                flags => je::mallocx(layout.size(), flags).cast(),
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            match flags(layout.align()) {
                0 => je::calloc(1, layout.size()).cast(),
                flags => je::mallocx(layout.size(), flags | je::MALLOCX_ZERO).cast(),
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the block was made with this size and these flags.
        unsafe { je::sdallocx(ptr.cast(), layout.size(), flags(layout.align())) }
    }

    #[inline]
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the block was made by this allocator; the new size is not zero.
        unsafe { je::rallocx(ptr.cast(), new_size, flags(layout.align())).cast() }
    }
}

/// What the allocator says of itself, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Handed out, or in the caches of threads.
    pub allocated: u64,
    /// Of these, in the caches.
    pub cached: u64,
    /// In pages that hold at least one allocation.
    pub active: u64,
    /// In pages that are resident as far as the allocator knows: active ones, its own
    /// records, and free ones that it has not returned yet.
    pub resident: u64,
    /// Of address space that was returned to the system but is kept for later.
    pub retained: u64,
}

impl Stats {
    /// Bytes in use: in allocations that somebody holds.
    pub fn in_use(&self) -> u64 {
        self.allocated.saturating_sub(self.cached)
    }
}

/// The greatest sum that was seen.
static PEAK: AtomicU64 = AtomicU64::new(0);
/// The sum when the server was ready.
static STARTUP: AtomicU64 = AtomicU64::new(0);

/// The statistics of this moment. About 70 us with four threads; the more arenas are in
/// use, the longer.
pub fn stats() -> Stats {
    sum();
    let stats = Stats {
        allocated: read(c"stats.allocated"),
        cached: read(c"stats.arenas.4096.tcache_bytes"),
        active: read(c"stats.active"),
        resident: read(c"stats.resident"),
        retained: read(c"stats.retained"),
    };
    PEAK.fetch_max(stats.in_use(), Relaxed);
    stats
}

/// Bytes in use at this moment; notes a new peak. Costs what [`stats`] costs.
pub fn in_use() -> u64 {
    stats().in_use()
}

/// The most bytes that any sum has found in use.
pub fn peak() -> u64 {
    PEAK.load(Relaxed)
}

/// Bytes that were in use when the server was ready.
pub fn startup() -> u64 {
    STARTUP.load(Relaxed)
}

/// Declares the server ready: what is in use now is its own.
pub fn note_startup() {
    STARTUP.store(in_use(), Relaxed);
}

/// One thread's view of all bytes in use.
struct View {
    /// jemalloc's counts of what this thread has ever allocated and freed; they live
    /// as long as the thread.
    allocated: *const u64,
    freed: *const u64,
    sum: Cell<u64>,
    /// This thread's own balance when the sum was made.
    balance: Cell<u64>,
    at: Cell<Millis>,
    /// How many sums this thread has made for the quick answer.
    sums: Cell<u64>,
}

thread_local! {
    static VIEW: View = View {
        allocated: read_pointer(c"thread.allocatedp"),
        freed: read_pointer(c"thread.deallocatedp"),
        sum: const { Cell::new(0) },
        balance: const { Cell::new(0) },
        at: const { Cell::new(Millis::MIN) },
        sums: const { Cell::new(0) },
    };
}

impl View {
    /// Bytes allocated less bytes freed; wraps where a thread frees what others made.
    fn own(&self) -> u64 {
        if self.allocated.is_null() || self.freed.is_null() {
            return 0;
        }
        // SAFETY: jemalloc gives pointers to counters of the calling thread, which is
        // the one that this view belongs to and the only one that writes them.
        unsafe { self.allocated.read().wrapping_sub(self.freed.read()) }
    }
}

/// Bytes in use, for who asks often: exact as to this thread, and as to others at
/// most [`SUM_AGE_MAX`] old. `now` is the time of the batch.
pub fn in_use_about(now: Millis) -> u64 {
    VIEW.with(|view| {
        let age = now.wrapping_sub(view.at.get());
        if !(0..SUM_AGE_MAX).contains(&age) {
            view.at.set(now);
            view.sum.set(in_use());
            view.balance.set(view.own());
            view.sums.set(view.sums.get() + 1);
        }
        let since = view.own().wrapping_sub(view.balance.get());
        view.sum.get().saturating_add_signed(since.cast_signed())
    })
}

/// Which sum the last [`in_use_about`] of this thread was built on.
pub fn sums() -> u64 {
    VIEW.with(|view| view.sums.get())
}

/// Bytes that the calling thread has allocated less those it has freed; only differences
/// mean something, by wrapping subtraction.
pub fn balance() -> u64 {
    VIEW.with(View::own)
}

/// Bytes that the calling thread has ever allocated; it stands still while nothing is
/// allocated.
pub fn allocated_by_thread() -> u64 {
    VIEW.with(|view| {
        if view.allocated.is_null() {
            return 0;
        }
        // SAFETY: as in `own`.
        unsafe { view.allocated.read() }
    })
}

/// Bytes that an allocation of `size` takes.
pub fn size_class(size: usize) -> usize {
    // SAFETY: the size is not zero; no flags.
    unsafe { je::nallocx(size.max(1), 0) }
}

/// Lets threads of jemalloc's own return free pages to the system, so that it happens
/// without a request, and never in the way of one. Called when no fork is to come and
/// before other threads allocate: they inherit the pace.
pub fn return_in_background() {
    let _ = write(c"arena.0.dirty_decay_ms", DECAY_MS);
    let _ = write(c"arenas.dirty_decay_ms", DECAY_MS);
    // Where the system has no such threads the others do it as they go.
    let _ = write(c"background_thread", true);
}

/// Returns all free pages to the system now. Milliseconds per gigabyte.
pub fn purge() {
    // The calling thread's cache; the other threads' hold some pages at the most.
    let _ = call(c"thread.tcache.flush");
    // 4096 stands for all arenas.
    let _ = call(c"arena.4096.purge");
}

/// jemalloc's own report, many lines.
pub fn report() -> String {
    // SAFETY: asks for a pointer to a vector that nobody else uses and for C text.
    unsafe extern "C" fn append(text: *mut c_void, part: *const c_char) {
        // SAFETY: by the caller's word; `text` is the vector below.
        let (text, part) = unsafe { (&mut *text.cast::<Vec<u8>>(), CStr::from_ptr(part)) };
        text.extend_from_slice(part.to_bytes());
    }
    let mut text = Vec::with_capacity(REPORT_LEN);
    let raw = (&raw mut text).cast::<c_void>();
    // SAFETY: the callback gets the pointer that it expects, during this call.
    unsafe { je::malloc_stats_print(Some(append), raw, null()) };
    String::from_utf8_lossy(&text).into_owned()
}

/// Usual length of the report.
const REPORT_LEN: usize = 64 * 1024;

/// Makes jemalloc add up its counters; what is read next is of now.
fn sum() {
    let _ = write(c"epoch", 1_u64);
}

fn read(name: &CStr) -> u64 {
    let mut value = 0_usize;
    get(name, &mut value);
    value as u64
}

fn read_pointer(name: &CStr) -> *const u64 {
    let mut pointer: *const u64 = null();
    get(name, &mut pointer);
    pointer
}

/// Leaves `value` as it is where the name is unknown.
fn get<T: Copy>(name: &CStr, value: &mut T) {
    let mut len = size_of::<T>();
    let out = (&raw mut *value).cast::<c_void>();
    // SAFETY: `out` has `len` bytes of a plain type; jemalloc refuses another size
    // than its own.
    unsafe { je::mallctl(name.as_ptr(), out, &raw mut len, null_mut(), 0) };
}

fn write<T: Copy>(name: &CStr, mut value: T) -> bool {
    let new = (&raw mut value).cast::<c_void>();
    // SAFETY: `new` is a value of the size told, which jemalloc compares with its own.
    unsafe { je::mallctl(name.as_ptr(), null_mut(), null_mut(), new, size_of::<T>()) == 0 }
}

fn call(name: &CStr) -> bool {
    // SAFETY: neither an old nor a new value.
    unsafe { je::mallctl(name.as_ptr(), null_mut(), null_mut(), null_mut(), 0) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sizes_come_in_steps_of_eight() {
        for size in (8..=64).step_by(8) {
            assert_eq!(size_class(size), size, "is .cargo/config.toml in use?");
        }
        assert_eq!(size_class(1), 8);
        assert_eq!(size_class(65), 80);
    }

    #[test]
    fn alignments_are_kept() {
        for align in [1, 2, 8, 16, 32, 64, 4096] {
            for size in [1, 8, 24, 40, 56, 200, 5000] {
                let layout = Layout::from_size_align(size, align).unwrap();
                // SAFETY: sizes are not zero, and each block is freed as it was made.
                unsafe {
                    let blocks: Vec<*mut u8> = (0..9).map(|_| Heap.alloc(layout)).collect();
                    assert!(
                        blocks
                            .iter()
                            .all(|&ptr| (ptr as usize).is_multiple_of(align))
                    );
                    let zeroed = Heap.alloc_zeroed(layout);
                    assert!((0..size).all(|at| *zeroed.add(at) == 0));
                    let larger = Heap.realloc(zeroed, layout, size * 3);
                    assert!((larger as usize).is_multiple_of(align));
                    Heap.dealloc(larger, Layout::from_size_align(size * 3, align).unwrap());
                    blocks.iter().for_each(|&ptr| Heap.dealloc(ptr, layout));
                }
            }
        }
    }

    #[test]
    fn a_report_and_a_purge() {
        assert!(report().contains("jemalloc statistics"));
        purge();
        assert!(stats().resident > 0);
    }
}
