//! All figures of the server at one moment, and the two forms in which they leave
//! by HTTP: Prometheus's text, and the JSON that the page at `/` plots.
//!
//! Figures are totals since the start; who reads them twice knows the rates. A shard
//! that somebody holds is not waited for: the sizes of the databases are then left
//! out for once.

mod json;
mod prometheus;

use crate::base::clock::{self, Millis};
use crate::base::sys::{self, CpuOf};
use crate::command::ctx::{MemoryUse, Services};
use crate::metrics::histogram::Counts;
use crate::metrics::{CommandTotals, Totals};
use crate::store::journal::Silent;
use crate::store::{DATABASES, Db, Locks, Patience};

/// Prometheus's text format 0.0.4.
pub fn prometheus(services: &Services, now: Millis) -> String {
    prometheus::write(&Figures::take(services, now), services)
}

/// The figures of the page.
pub fn json(services: &Services, now: Millis) -> String {
    json::write(&Figures::take(services, now), services)
}

/// One database that has keys.
struct Database {
    index: usize,
    keys: usize,
    volatile: usize,
}

/// See the head of this file.
struct Figures {
    now: Millis,
    uptime_secs: u64,
    totals: Totals,
    memory: MemoryUse,
    resident: u64,
    maxmemory: u64,
    clients: usize,
    client_bytes: usize,
    cpu_user_secs: f64,
    cpu_system_secs: f64,
    /// `None` when a shard was held.
    databases: Option<Vec<Database>>,
    /// The commands that were called or refused.
    commands: Vec<(&'static str, CommandTotals)>,
    /// The times of all commands, in ticks.
    times: Counts,
}

impl Figures {
    fn take(services: &Services, now: Millis) -> Figures {
        let commands: Vec<_> = (services.commands.iter_all())
            .map(|command| {
                (
                    command.full_name.as_str(),
                    services.metrics.command(command.index.into()),
                )
            })
            .filter(|(_, totals)| totals.calls + totals.rejected > 0)
            .collect();
        let mut times = Counts::default();
        commands
            .iter()
            .for_each(|(_, totals)| times.merge(&totals.times));
        let cpu = sys::cpu_time(CpuOf::Process);
        let clients = services.clients.all();
        let held = clients.iter().map(|client| client.mem_bytes());
        Figures {
            now,
            uptime_secs: clock::seconds_since(services.started),
            totals: services.metrics.totals(),
            memory: (services.memory)(),
            resident: sys::resident_bytes(),
            maxmemory: services.config.max_memory(),
            clients: clients.len(),
            client_bytes: held.sum(),
            cpu_user_secs: cpu.user.as_secs_f64(),
            cpu_system_secs: cpu.system.as_secs_f64(),
            databases: databases(services, now),
            commands,
            times,
        }
    }
}

fn databases(services: &Services, now: Millis) -> Option<Vec<Database>> {
    let locks = Locks::new(&services.keyspace, Patience::Try);
    let db = Db::new(locks, &Silent, now);
    let mut databases = Vec::new();
    for index in 0..DATABASES {
        let sizes = db.sizes(index).ok()?;
        if sizes.keys > 0 {
            databases.push(Database {
                index,
                keys: sizes.keys,
                volatile: sizes.volatile,
            });
        }
    }
    Some(databases)
}

#[cfg(test)]
mod tests;
