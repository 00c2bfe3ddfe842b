//! Batches that CLIENT PAUSE has stopped: they lie with their connections until the
//! pause is over or has changed, and are then run again in the order they came.

use super::Reactor;
use crate::base::clock::Millis;
use crate::exec::batch::ConnId;

/// The connections that wait.
#[derive(Default)]
pub(super) struct Paused {
    waiting: Vec<ConnId>,
    /// The number of changes of the pause when they were last looked at.
    changes: u64,
}

impl Reactor {
    /// Lets a connection wait for the end of the pause.
    pub(super) fn park(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get_mut(id.slot as usize) {
            conn.paused = true;
            self.paused.waiting.push(id);
            let count = self.paused.waiting.len();
            self.services.clients.pause.set_waiting(count);
        }
    }

    /// Runs who waits, if the pause is over or another by now. Who must wait on comes
    /// back.
    pub(super) fn resume_paused(&mut self, now: Millis) {
        let pause = &self.services.clients.pause;
        let changes = pause.changes();
        let changed = std::mem::replace(&mut self.paused.changes, changes) != changes;
        if self.paused.waiting.is_empty() {
            return;
        }
        if !changed && pause.scope(now).is_some() {
            return self.forget_gone();
        }
        for id in std::mem::take(&mut self.paused.waiting) {
            let slot = id.slot as usize;
            let conn = self.conns.get_mut(slot);
            if let Some(conn) = conn.filter(|conn| conn.generation == id.generation) {
                conn.paused = false;
                self.queue(slot);
            }
        }
        self.services.clients.pause.set_waiting(0);
    }

    /// Forgets connections that have gone.
    fn forget_gone(&mut self) {
        let conns = &self.conns;
        let is_there = |id: &ConnId| {
            let conn = conns.get(id.slot as usize);
            conn.is_some_and(|conn| conn.generation == id.generation)
        };
        self.paused.waiting.retain(is_there);
        let count = self.paused.waiting.len();
        self.services.clients.pause.set_waiting(count);
    }
}
