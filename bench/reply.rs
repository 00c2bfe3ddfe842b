//! What it costs to write a reply and to hand it to the socket: nanoseconds per
//! reply, 64 replies to one send. Run with `cargo bench --bench reply`.

mod timing;

use std::hint::black_box;
use std::io::IoSlice;

use bytes::Bytes;
use flashkv::resp::Reply;
use flashkv::resp::write::SLICES_MAX;
use timing::report;

#[global_allocator]
static ALLOCATOR: flashkv::base::heap::Heap = flashkv::base::heap::Heap;

const REPLIES: usize = 1 << 20;
const PER_SEND: usize = 64;

fn main() {
    let value = [b'v'; 32];
    let page = vec![b'v'; 4096];
    let shared = Bytes::from(vec![b'v'; 64 * 1024]);
    measure("OK", |reply| reply.ok());
    measure("integer of one digit", |reply| reply.int(black_box(7)));
    measure("integer of seven digits", |reply| {
        reply.int(black_box(1_234_567))
    });
    measure("null", |reply| reply.null());
    measure("bulk of 32 bytes", |reply| reply.bulk(black_box(&value)));
    measure("bulk of 4096 bytes", |reply| reply.bulk(black_box(&page)));
    measure("shared bulk of 64 KiB", |reply| reply.bulk_shared(&shared));
    measure("array of 10 bulks of 32 bytes", |reply| {
        reply.array(10);
        (0..10).for_each(|_| reply.bulk(black_box(&value)));
    });
    measure("error", |reply| reply.error(b"ERR syntax error"));
}

fn measure(name: &str, write: impl Fn(&mut Reply)) {
    let mut reply = Reply::default();
    report(name, REPLIES, || {
        for _ in 0..REPLIES / PER_SEND {
            (0..PER_SEND).for_each(|_| write(&mut reply));
            send(&mut reply);
        }
    });
}

/// Takes everything, as a socket with room does.
fn send(reply: &mut Reply) {
    while !reply.is_empty() {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let used = reply.slices(&mut slices);
        let count = slices[..used].iter().map(|slice| slice.len()).sum();
        black_box(&slices);
        reply.advance(count);
    }
}
