//! What it costs to find commands in received bytes: nanoseconds per command, by
//! command and by the length of the pipeline. Run with `cargo bench --bench parse`.

mod timing;

use std::hint::black_box;

use flashkv::resp::{Limits, Requests};
use timing::{push_command, report};

#[global_allocator]
static ALLOCATOR: flashkv::base::heap::Heap = flashkv::base::heap::Heap;

const COMMANDS: usize = 1 << 19;
const KEY: &[u8] = b"key:000000123456";
const LIMITS: Limits = Limits {
    bulk_max: 512 << 20,
    authenticated: true,
};

fn main() {
    let value = [b'v'; 32];
    let large = [b'v'; 1024];
    let commands: [(&str, Vec<&[u8]>); 4] = [
        ("GET", vec![b"GET", KEY]),
        ("SET of 32 bytes", vec![b"SET", KEY, &value]),
        ("SET of 1024 bytes", vec![b"SET", KEY, &large]),
        ("MSET of 10", vec![b"MSET".as_slice(); 21]),
    ];
    for (name, words) in &commands {
        for depth in [1, 16, 64] {
            let mut bytes = Vec::new();
            (0..depth).for_each(|_| push_command(&mut bytes, words));
            report(&format!("{name}, pipeline of {depth}"), COMMANDS, || {
                parse(&bytes, depth);
            });
        }
    }
    let inline = b"SET key:000000123456 value\r\n".repeat(16);
    report("inline SET, pipeline of 16", COMMANDS, || {
        parse(&inline, 16);
    });
}

/// Receives and takes pipelines until [`COMMANDS`] have been taken.
fn parse(bytes: &[u8], depth: usize) {
    let mut requests = Requests::default();
    for _ in 0..COMMANDS / depth {
        requests.feed(black_box(bytes));
        requests.parse(LIMITS).expect("good requests");
        for nth in 0..depth {
            black_box(requests.peek(nth).map(|argv| argv.get(0).len()));
        }
        requests.take(depth);
        requests.compact();
    }
}
