//! The reaper: drops large values and emptied tables off every other thread.
//!
//! Freeing a million small allocations takes a tenth of a second; done here it
//! costs whoever removed the value a pointer move. The queue is not bounded: it
//! holds only what has left the keyspace, and to wait for room in it would stall
//! the very threads it relieves.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use crate::metrics::Backlog;
use crate::store::dict::Dict;
use crate::store::entry::Entry;

/// Segments of a table freed before the reaper lets others have the core.
const SEGMENTS_PER_SLICE: usize = 64;

/// Something to drop.
pub enum Garbage {
    Entry(Entry),
    Table(Dict),
}

/// What goes to the reaper's thread: garbage, and the bytes that it was counted with.
type Parcel = (Garbage, u64);

/// The sending end, one per thread.
#[derive(Clone)]
pub struct Reaper {
    sender: Sender<Parcel>,
    /// Where it is counted.
    backlog: Arc<OnceLock<Arc<Backlog>>>,
}

impl Reaper {
    /// Starts the reaper. Its thread ends when all senders are gone.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start() -> std::io::Result<(Reaper, JoinHandle<()>)> {
        let (sender, receiver) = channel();
        let backlog: Arc<OnceLock<Arc<Backlog>>> = Arc::default();
        let counted = Arc::clone(&backlog);
        let thread = std::thread::Builder::new()
            .name("reaper".into())
            .spawn(move || reap(&receiver, &counted))?;
        Ok((Reaper { sender, backlog }, thread))
    }

    /// Has everything counted there from now on; the first call is the one that counts.
    pub fn count_in(&self, backlog: &Arc<Backlog>) {
        let _ = self.backlog.set(Arc::clone(backlog));
    }

    /// Hands something over to be dropped, which holds about `bytes`. Without a reaper it
    /// is dropped here.
    pub fn give(&self, garbage: Garbage, bytes: u64) {
        if let Some(backlog) = self.backlog.get() {
            backlog.give(bytes);
        }
        if let Err(returned) = self.sender.send((garbage, bytes)) {
            drop(returned);
            reaped(&self.backlog, bytes);
        }
    }
}

fn reaped(backlog: &OnceLock<Arc<Backlog>>, bytes: u64) {
    if let Some(backlog) = backlog.get() {
        backlog.reap(bytes);
    }
}

fn reap(receiver: &Receiver<Parcel>, backlog: &OnceLock<Arc<Backlog>>) {
    while let Ok((garbage, bytes)) = receiver.recv() {
        match garbage {
            Garbage::Entry(entry) => drop(entry),
            Garbage::Table(mut dict) => {
                let mut cursor = 0;
                loop {
                    cursor = dict.drain_some(cursor, SEGMENTS_PER_SLICE);
                    if cursor == 0 {
                        break;
                    }
                    std::thread::yield_now();
                }
            }
        }
        reaped(backlog, bytes);
    }
}
