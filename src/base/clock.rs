//! Time, sampled in few places and passed on.
//!
//! Commands and the store never read a clock: the thread that runs a batch
//! samples [`now`] once and hands it down, so that a command sees one time from
//! its first line to its last and a replay can be given the time of the log.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch, the unit of every expiry time.
pub type Millis = i64;

/// The wall clock in milliseconds since the Unix epoch. A clock set before 1970
/// reads as 0.
pub fn now() -> Millis {
    millis_of(SystemTime::now())
}

/// The wall clock in microseconds since the Unix epoch, for TIME and logs.
pub fn now_us() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
}

/// Whole seconds since the Unix epoch, as logs and samples tell them.
pub fn secs_of(now: Millis) -> i64 {
    now.div_euclid(1000)
}

fn millis_of(time: SystemTime) -> Millis {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// Whole seconds since `start` on the monotonic clock.
pub fn seconds_since(start: Instant) -> u64 {
    start.elapsed().as_secs()
}
