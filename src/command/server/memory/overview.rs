//! The memory of the whole server at one moment, as INFO, MEMORY STATS and MEMORY
//! DOCTOR tell it.
//!
//! ```text
//! in use   = overhead + data set
//! overhead = what the empty server had + tables of keys + buffers of clients
//! system's view: resident >= the allocator's resident >= active >= allocated
//! ```
//!
//! The tables are overhead because Redis counts its own so; entries and values are
//! the data set.

use crate::base::sys;
use crate::command::ctx::{Ctx, MemoryUse};
use crate::store::{Busy, DATABASES};

/// One database that has keys.
#[derive(Clone, Copy, Debug)]
pub struct Database {
    pub index: usize,
    pub table_bytes: usize,
}

/// See the head of this file. Sizes are bytes.
#[derive(Debug)]
pub struct Overview {
    pub memory: MemoryUse,
    /// Of the process, as the system sees it.
    pub resident: u64,
    pub clients: usize,
    pub client_bytes: usize,
    pub keys: usize,
    pub databases: Vec<Database>,
}

/// One size against another: how often it holds it, and by how much it exceeds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excess {
    pub ratio: f64,
    pub bytes: i64,
}

impl Excess {
    fn of(whole: u64, part: u64) -> Excess {
        Excess {
            ratio: whole as f64 / part.max(1) as f64,
            bytes: whole as i64 - part as i64,
        }
    }
}

impl Overview {
    /// Asks everybody. O(shards and clients).
    pub fn take(ctx: &Ctx<'_, '_>) -> Result<Overview, Busy> {
        let mut keys = 0;
        let mut databases = Vec::new();
        for index in 0..DATABASES {
            let sizes = ctx.db.sizes(index)?;
            keys += sizes.keys;
            if sizes.keys > 0 {
                let table_bytes = sizes.table_bytes;
                databases.push(Database { index, table_bytes });
            }
        }
        let clients = ctx.services.clients.all();
        let held = clients.iter().map(|client| client.mem_bytes());
        Ok(Overview {
            memory: (ctx.services.memory)(),
            resident: sys::resident_bytes(),
            clients: clients.len(),
            client_bytes: held.sum(),
            keys,
            databases,
        })
    }

    /// Everything that is not the data set.
    pub fn overhead(&self) -> u64 {
        let tables: usize = self.databases.iter().map(|db| db.table_bytes).sum();
        self.memory.startup + (tables + self.client_bytes) as u64
    }

    /// What is in use for entries and values.
    pub fn dataset(&self) -> u64 {
        self.memory.used.saturating_sub(self.overhead())
    }

    /// What is in use beyond what the empty server had.
    fn net(&self) -> u64 {
        self.memory.used.saturating_sub(self.memory.startup)
    }

    /// The data set in percent of what is in use beyond the start.
    pub fn dataset_percent(&self) -> f64 {
        percent(self.dataset(), self.net())
    }

    /// Memory in use in percent of its peak.
    pub fn peak_percent(&self) -> f64 {
        percent(self.memory.used, self.memory.peak)
    }

    /// What one key costs on average, all included.
    pub fn bytes_per_key(&self) -> u64 {
        self.net().checked_div(self.keys as u64).unwrap_or(0)
    }

    /// Room in the allocator's pages beside the allocations.
    pub fn allocator_fragmentation(&self) -> Excess {
        Excess::of(self.memory.heap.active, self.memory.heap.allocated)
    }

    /// Pages that the allocator holds beside those with allocations.
    pub fn allocator_resident(&self) -> Excess {
        Excess::of(self.memory.heap.resident, self.memory.heap.active)
    }

    /// What the process has resident beside the allocator: code, stacks.
    pub fn process_resident(&self) -> Excess {
        Excess::of(self.resident, self.memory.heap.resident)
    }

    /// All of these together.
    pub fn fragmentation(&self) -> Excess {
        Excess::of(self.resident, self.memory.used)
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}
