//! What commands may ask of the process. The reactor's mailbox answers it; a
//! command never touches a socket, a signal or the log itself.

use crate::config::Id;

/// How the process ends and what it is asked to do; read by the reactor.
pub trait Control: Send + Sync {
    /// Wakes the reactor so that it looks at what has been asked.
    fn wake(&self);
    /// Asks for an orderly end. `now` does not wait for anybody.
    fn shut_down(&self, now: bool);
    /// Applies a directive that lives outside the configuration (listening
    /// sockets, the log, limits of the process).
    fn apply(&self, id: Id) -> Result<(), String>;
}

/// A process that nobody steers: for tests and benches without a reactor.
pub struct Nobody;

impl Control for Nobody {
    fn wake(&self) {}
    fn shut_down(&self, _now: bool) {}
    fn apply(&self, _id: Id) -> Result<(), String> {
        Ok(())
    }
}
