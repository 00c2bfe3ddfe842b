//! The reaper: drops large values and emptied tables off every other thread.
//!
//! Freeing a million small allocations takes a tenth of a second; done here it
//! costs whoever removed the value a pointer move. The queue is not bounded: it
//! holds only what has left the keyspace, and to wait for room in it would stall
//! the very threads it relieves.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::store::dict::Dict;
use crate::store::entry::Entry;

/// Segments of a table freed before the reaper lets others have the core.
const SEGMENTS_PER_SLICE: usize = 64;

/// Something to drop.
pub enum Garbage {
    Entry(Entry),
    Table(Dict),
}

/// The sending end, one per thread.
#[derive(Clone)]
pub struct Reaper(Sender<Garbage>);

impl Reaper {
    /// Starts the reaper. Its thread ends when all senders are gone.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start() -> std::io::Result<(Reaper, JoinHandle<()>)> {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("reaper".into())
            .spawn(move || reap(&receiver))?;
        Ok((Reaper(sender), thread))
    }

    /// Hands something over to be dropped. Without a reaper it is dropped here.
    pub fn give(&self, garbage: Garbage) {
        if let Err(returned) = self.0.send(garbage) {
            drop(returned);
        }
    }
}

fn reap(receiver: &Receiver<Garbage>) {
    while let Ok(garbage) = receiver.recv() {
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
    }
}
