//! What the micro benches share: the median of several runs, and requests.

use std::time::Instant;

/// Runs of each measurement; the median of an odd number is one of them.
const RUNS: usize = 7;

/// Prints the median time per operation of `run`, which does `ops` of them, and
/// the fastest run's beside it: far apart, they tell of other load.
pub fn report(name: &str, ops: usize, mut run: impl FnMut()) {
    run();
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed().as_nanos() as f64 / ops as f64
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    let (median, best) = (times[RUNS / 2], times[0]);
    println!("{name:<52} {median:>9.1} ns  (best {best:.1})");
}

/// Appends a command as an array of bulk strings.
// Not every bench sends requests.
#[allow(dead_code)]
pub fn push_command(bytes: &mut Vec<u8>, words: &[&[u8]]) {
    bytes.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
}
