//! Waiting for something that another process does: polled with a deadline, so
//! that a slow machine only makes a test slower.

use std::time::{Duration, Instant};

/// The pause between two looks; short beside any deadline used here.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Calls `look` until it yields a value or `limit` has passed.
pub fn poll_until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Fails the test unless `condition` becomes true within `limit`.
#[track_caller]
pub fn eventually(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let reached = poll_until(limit, || condition().then_some(()));
    assert!(reached.is_some(), "not within {limit:?}: {what}");
}
