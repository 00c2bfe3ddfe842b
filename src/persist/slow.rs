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
