//! Lists in nanoseconds per operation: pushes and pops at both ends, indexing
//! and ranges, for a small list, a large one and a queue, and the memory they
//! take. Run with `cargo bench --bench list`.
//!
//! Each line is the best of several rounds: on a shared machine the minimum
//! is what the code costs, the rest is what the neighbours did.

use std::hint::black_box;
use std::time::Instant;

use flashkv::ds::list::{End, Limit, List};

#[global_allocator]
static ALLOCATOR: flashkv::base::heap::Heap = flashkv::base::heap::Heap;

const ROUNDS: usize = 7;
const LARGE: usize = 1_000_000;
const TEXT: &[u8] = b"element-value";

fn main() {
    let limit = Limit::from_config(-2);
    ends(limit);
    reads(limit);
    memory(limit);
}

/// Prints the best time per operation; `run` does `ops` of them.
fn report<S>(name: &str, ops: usize, mut setup: impl FnMut() -> S, mut run: impl FnMut(&mut S)) {
    let best = (0..ROUNDS)
        .map(|_| {
            let mut state = setup();
            let begin = Instant::now();
            run(&mut state);
            begin.elapsed().as_nanos()
        })
        .min()
        .unwrap_or(0);
    println!("{name:<44} {:>10.1} ns/op", best as f64 / ops as f64);
}

fn filled(len: usize, limit: Limit) -> List {
    let mut list = List::new();
    (0..len).for_each(|_| list.push(End::Tail, TEXT, limit));
    list
}

fn ends(limit: Limit) {
    for (name, end) in [("head", End::Head), ("tail", End::Tail)] {
        report(
            &format!("push {name}, string, to 1M"),
            LARGE,
            List::new,
            |list| {
                (0..LARGE).for_each(|_| list.push(end, black_box(TEXT), limit));
            },
        );
        report(
            &format!("push {name}, integer, to 1M"),
            LARGE,
            List::new,
            |list| {
                (0..LARGE).for_each(|_| list.push(end, black_box(b"1234567"), limit));
            },
        );
        report(
            &format!("pop {name}, from 1M"),
            LARGE,
            || filled(LARGE, limit),
            |list| {
                while list.pop_with(end, limit, |elem| elem.text_len()).is_some() {}
            },
        );
        report(
            &format!("push {name} 10 to a new list"),
            LARGE,
            Vec::new,
            |lists| {
                for _ in 0..LARGE / 10 {
                    let mut list = List::new();
                    (0..10).for_each(|_| list.push(end, black_box(TEXT), limit));
                    lists.push(list);
                }
            },
        );
    }
    for len in [100, 100_000] {
        let queue = || filled(len, limit);
        report(
            &format!("queue of {len}: push tail, pop head"),
            LARGE,
            queue,
            |list| {
                for _ in 0..LARGE {
                    list.push(End::Tail, black_box(TEXT), limit);
                    list.pop_with(End::Head, limit, |elem| elem.text_len());
                }
            },
        );
    }
}

fn reads(limit: Limit) {
    for len in [100, 600, LARGE] {
        let list = filled(len, limit);
        for (place, index) in [("head", 5), ("middle", len / 2)] {
            report(
                &format!("index at {place} of {len}"),
                1_000,
                || (),
                |()| {
                    (0..1_000).for_each(|_| {
                        black_box(list.get(black_box(index)));
                    });
                },
            );
        }
        for count in [100, 600].into_iter().filter(|&count| count <= len) {
            report(
                &format!("range 0..{count} of {len}, per element"),
                count * 100,
                Vec::new,
                |out| {
                    for _ in 0..100 {
                        out.clear();
                        list.range(0..black_box(count))
                            .for_each(|elem| elem.write_to(out));
                    }
                },
            );
        }
    }
    let list = filled(LARGE, limit);
    report(
        "image of 1M, dropped",
        100,
        || (),
        |()| {
            (0..100).for_each(|_| drop(black_box(list.image())));
        },
    );
    report(
        "LREM 1 from 1M, no match, per element",
        LARGE,
        || list.image(),
        |list| {
            list.remove(1, black_box(b"no such element"), limit);
        },
    );
}

fn memory(limit: Limit) {
    for len in [1, 10, 100, 10_000, LARGE] {
        let bytes = filled(len, limit).mem_bytes();
        println!(
            "{:<44} {:>10.2} bytes/element",
            format!("heap of {len}"),
            bytes as f64 / len as f64
        );
    }
}
