//! The figures that the table promises, computed and therefore the same on every
//! machine: bytes per key at every size, and what a single insertion can touch.
//!
//! `cargo test --lib ds::table::tests::figures -- --include-ignored --nocapture` prints
//! them, up to ten million keys; without `--include-ignored` up to two.
//!
//! What an insertion touches is counted from outside: the segment that it replaces
//! is read, those in its place are written, the items pass through vectors between
//! the two, and a directory that doubles is read and written. Elements are touched
//! only to be hashed again, which the callback counts.

use std::cell::Cell;

use super::super::bucket::Item;
use super::super::directory::Directory;
use super::*;

const SIZE_MIN: u64 = 10_000;
const SIZE_MAX: u64 = 10_000_000;
/// Up to where every run of the tests goes.
const SIZE_USUAL: u64 = if cfg!(miri) { 12_000 } else { 2_000_000 };
/// From one size to the next: nearer than the steps in which segments grow.
const SIZE_STEP: f64 = 1.01;
/// Sizes from which on the mean over all sizes is taken.
const MEAN_FROM: u64 = 100_000;

/// Places of the largest segment: what a split may have to hash again.
const ELEMENTS_MAX: usize = 39 * 7;
/// Of a directory with a single leaf.
const LEAF_BYTES_MAX: usize = 4096 * 8;
/// Segments, items on their way, and one leaf of the directory, the largest of
/// which has 4096 entries.
const BYTES_MAX: usize = 96 * 1024;

fn sizes(size_max: u64) -> Vec<u64> {
    let step = |size: &f64| Some(size * SIZE_STEP);
    let mut sizes: Vec<u64> = std::iter::successors(Some(SIZE_MIN as f64), step)
        .map(|size| size as u64)
        .take_while(|&size| size < size_max)
        .collect();
    sizes.push(size_max);
    sizes
}

/// Bytes of 64 tables together, the tables themselves included, per key at each of
/// `sizes`.
fn bytes_per_key(sizes: &[u64]) -> Vec<f64> {
    let mut shards: Vec<Table<Fake>> = (0..64).map(|_| Table::new(6)).collect();
    let mut next = 0;
    let grow = |&size: &u64| {
        for key in next..size {
            let hash = mix(key);
            shards[(hash >> 58) as usize].insert_new(hash, Fake(key), |fake| mix(fake.0));
        }
        next = size;
        let bytes = |table: &Table<Fake>| table.mem_bytes() + size_of::<Table<Fake>>();
        shards.iter().map(bytes).sum::<usize>() as f64 / size as f64
    };
    sizes.iter().map(grow).collect()
}

#[test]
fn bytes_per_key_stay_low_at_every_size() {
    bytes_stay_low(SIZE_USUAL);
}

#[test]
#[ignore = "takes seconds"]
fn bytes_per_key_stay_low_up_to_ten_million() {
    bytes_stay_low(SIZE_MAX);
}

fn bytes_stay_low(size_max: u64) {
    let sizes = sizes(size_max);
    let curve = bytes_per_key(&sizes);
    let points = || sizes.iter().copied().zip(curve.iter().copied());
    let worst = points().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    let least = points().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    let large: Vec<f64> = points()
        .filter(|&(size, _)| size >= MEAN_FROM)
        .map(|(_, bytes)| bytes)
        .collect();
    let mean = large.iter().sum::<f64>() / large.len().max(1) as f64;
    eprintln!("bytes per key, 64 tables, {} sizes:", sizes.len());
    eprintln!("  mean from {MEAN_FROM}: {mean:.2}");
    eprintln!("  worst {:.2} at {}", worst.1, worst.0);
    eprintln!("  least {:.2} at {}", least.1, least.0);
    assert!(worst.1 <= 18.0, "{} bytes at {}", worst.1, worst.0);
    assert!(mean <= 14.0, "mean {mean}");
}

/// What one insertion has touched besides the two lines of a place that is free.
#[derive(Clone, Copy, Default)]
struct Touched {
    elements: usize,
    segments: usize,
    items: usize,
    directory: usize,
}

impl Touched {
    fn bytes(self) -> usize {
        self.segments + self.items + self.directory
    }

    fn max(self, other: Touched) -> Touched {
        Touched {
            elements: self.elements.max(other.elements),
            segments: self.segments.max(other.segments),
            items: self.items.max(other.items),
            directory: self.directory.max(other.directory),
        }
    }
}

/// A table that is watched while it grows.
struct Watched {
    table: Table<Fake>,
    directory_bytes: usize,
}

impl Watched {
    /// Inserts, and says what was touched if anything was rebuilt.
    fn insert(&mut self, key: u64) -> Option<Touched> {
        let (hash, hashed) = (mix(key), Cell::new(0));
        let before = self.table.directory.get(hash);
        let (old, count, depth) = before.map_or((0, 0, 0), |segment| {
            let head = segment.head;
            (segment.bytes(), head.count as usize, head.depth)
        });
        let shape = |table: &Table<Fake>| (table.segments(), table.segment_bytes);
        let was = shape(&self.table);
        self.table.insert_new(hash, Fake(key), |fake| {
            hashed.set(hashed.get() + 1);
            mix(fake.0)
        });
        if shape(&self.table) == was {
            return None;
        }
        let elements = hashed.get();
        Some(Touched {
            elements,
            segments: old + span_bytes(&self.table.directory, hash, depth),
            // All of them once, and those of a split again by half.
            items: (count + elements) * size_of::<Item>(),
            directory: self.directory_copied(),
        })
    }

    /// Bytes read and written of a directory that has become larger.
    fn directory_copied(&mut self) -> usize {
        let (before, after) = (self.directory_bytes, self.table.directory.bytes());
        self.directory_bytes = after;
        match after - before {
            0 => 0,
            // A single leaf has doubled, or has become 256 of them.
            _ if before <= LEAF_BYTES_MAX => before + after,
            // One of 256 leaves has doubled.
            grown => 3 * grown,
        }
    }
}

/// Bytes of all segments under the prefix of `depth` bits.
fn span_bytes(directory: &Directory, path: u64, depth: u32) -> usize {
    let rest = u64::MAX.checked_shr(depth).unwrap_or(0);
    let (mut at, last) = (path & !rest, path | rest);
    let mut bytes = 0;
    while let Some(segment) = directory.get(at) {
        bytes += segment.bytes();
        at = segment.end(at);
        if at == 0 || at > last {
            break;
        }
    }
    bytes
}

#[test]
fn no_insertion_touches_much() {
    touches_little(SIZE_USUAL);
}

#[test]
#[ignore = "takes seconds"]
fn no_insertion_touches_much_up_to_ten_million() {
    touches_little(SIZE_MAX);
}

/// One table, unsharded, as a large set is: the largest directory.
fn touches_little(size_max: u64) {
    let mut watched = Watched {
        table: Table::new(0),
        directory_bytes: 0,
    };
    let (mut worst, mut most, mut rebuilt) = (Touched::default(), 0, 0u64);
    for key in 0..size_max {
        if let Some(touched) = watched.insert(key) {
            worst = worst.max(touched);
            most = most.max(touched.bytes());
            rebuilt += 1;
        }
    }
    eprintln!("one insertion of {size_max} into one table touches at most");
    eprintln!("  {} elements, to hash them again", worst.elements);
    eprintln!("  {} bytes of segments, old and new", worst.segments);
    eprintln!("  {} bytes of items between them", worst.items);
    eprintln!("  {} bytes of directory", worst.directory);
    eprintln!(
        "  {most} bytes in all; one in {} rebuilds",
        size_max / rebuilt
    );
    assert!(worst.elements <= ELEMENTS_MAX, "{}", worst.elements);
    assert!(most <= BYTES_MAX, "{most}");
}
