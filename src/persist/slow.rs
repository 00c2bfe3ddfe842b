//! Slow saves, for tests: the pause after each key that `rdb-key-save-delay` asks for, and
//! the only place where DEBUG FAIL-SAVE can have a save fail.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::store::snapshot::Handle;

/// How often a pause looks whether it still has a purpose.
const LOOK: Duration = Duration::from_millis(5);

/// The pauses of one save.
#[derive(Clone, Debug)]
pub struct Slow {
    delay: Duration,
    broken: Arc<AtomicBool>,
}

impl Slow {
    /// Pauses of `delay` each.
    pub fn new(delay: Duration) -> Slow {
        Slow {
            delay,
            broken: Arc::default(),
        }
    }

    /// Has the save fail at its present or next pause.
    pub fn fail(&self) {
        self.broken.store(true, Relaxed);
    }

    /// Whether there is still a save with these pauses, beside this handle.
    pub fn is_used(&self) -> bool {
        Arc::strong_count(&self.broken) > 1
    }

    /// Waits, as long as nobody cancels `snapshot`.
    ///
    /// # Errors
    /// After [`Slow::fail`].
    pub fn pause(&self, snapshot: &Handle) -> io::Result<()> {
        let until = Instant::now() + self.delay;
        loop {
            if self.broken.load(Relaxed) {
                return Err(io::Error::other("it was made to fail"));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || snapshot.is_cancelled() {
                return Ok(());
            }
            std::thread::sleep(left.min(LOOK));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::KeyHasher;
    use crate::store::snapshot::Snapshot;
    use crate::store::{Keyspace, Locks, Patience};

    /// Longer than any test waits.
    const LONG: Duration = Duration::from_secs(3600);

    fn snapshot() -> Snapshot {
        let keyspace = Arc::new(Keyspace::new(KeyHasher::seeded(1)));
        let mut locks = Locks::new(&keyspace, Patience::Wait);
        let (snapshot, ()) = Snapshot::start(&keyspace, &mut locks, 0, || ()).expect("no other");
        snapshot
    }

    #[test]
    fn a_pause_ends_when_the_save_has_to() {
        let (slow, snapshot) = (Slow::new(LONG), snapshot());
        let handle = snapshot.handle();
        let result = std::thread::scope(|scope| {
            let waits = scope.spawn(|| slow.pause(&handle));
            slow.fail();
            waits.join().expect("no panic")
        });
        assert!(result.is_err());
        assert!(slow.pause(&handle).is_err(), "and every later one");

        let other = Slow::new(LONG);
        let result = std::thread::scope(|scope| {
            let waits = scope.spawn(|| other.pause(&handle));
            handle.cancel();
            waits.join().expect("no panic")
        });
        assert!(result.is_ok(), "the snapshot tells why it ends");
    }

    #[test]
    fn a_pause_is_over_in_time() {
        let snapshot = snapshot();
        let paused = Slow::new(LOOK * 2).pause(&snapshot.handle());
        assert!(paused.is_ok() && !snapshot.handle().is_cancelled());
    }

    #[test]
    fn pauses_are_used_while_their_save_is_there() {
        let slow = Slow::new(LONG);
        let save = slow.clone();
        assert!(slow.is_used());
        drop(save);
        assert!(!slow.is_used());
    }
}
