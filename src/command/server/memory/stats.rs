//! MEMORY STATS: the overview as a map, with Redis's names in Redis's order.

use super::Overview;
use super::overview::Excess;
use crate::command::ctx::{Ctx, Outcome};
use crate::resp::{Argv, Reply};

/// A value of the map.
enum Value {
    Int(i64),
    Double(f64),
}

pub(super) fn stats(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.afford(ctx.services.clients.count())?;
    let overview = Overview::take(ctx)?;
    let (head, tail) = (head(&overview), tail(&overview));
    let reply = &mut *ctx.reply;
    reply.map(head.len() + overview.databases.len() + tail.len());
    write(reply, &head);
    for db in &overview.databases {
        reply.bulk(format!("db.{}", db.index).as_bytes());
        reply.map(3);
        // Expiries stand in the entries and slots in the keys: no tables of their own.
        let main = db.table_bytes as i64;
        let tables = [
            ("overhead.hashtable.main", Value::Int(main)),
            ("overhead.hashtable.expires", Value::Int(0)),
            ("overhead.hashtable.slot-to-keys", Value::Int(0)),
        ];
        write(reply, &tables);
    }
    write(reply, &tail);
    Ok(())
}

fn write(reply: &mut Reply, pairs: &[(&str, Value)]) {
    for (name, value) in pairs {
        reply.bulk(name.as_bytes());
        match *value {
            Value::Int(int) => reply.int(int),
            Value::Double(double) => reply.double(double),
        }
    }
}

/// What stands in front of the databases. There are no replicas, cluster, append-only
/// file, scripts or functions that could need memory.
fn head(overview: &Overview) -> [(&'static str, Value); 10] {
    let memory = &overview.memory;
    let size = |bytes: u64| Value::Int(bytes as i64);
    [
        ("peak.allocated", size(memory.peak)),
        ("total.allocated", size(memory.used)),
        ("startup.allocated", size(memory.startup)),
        ("replication.backlog", size(0)),
        ("clients.slaves", size(0)),
        ("clients.normal", size(overview.client_bytes as u64)),
        ("cluster.links", size(0)),
        ("aof.buffer", size(0)),
        ("lua.caches", size(0)),
        ("functions.caches", size(0)),
    ]
}

/// What stands behind them.
fn tail(overview: &Overview) -> [(&'static str, Value); 17] {
    let heap = &overview.memory.heap;
    let size = |bytes: u64| Value::Int(bytes as i64);
    let ratio = |excess: Excess| Value::Double(excess.ratio);
    let bytes = |excess: Excess| Value::Int(excess.bytes);
    let inner = overview.allocator_fragmentation();
    let allocator = overview.allocator_resident();
    let process = overview.process_resident();
    let all = overview.fragmentation();
    [
        ("overhead.total", size(overview.overhead())),
        ("keys.count", size(overview.keys as u64)),
        ("keys.bytes-per-key", size(overview.bytes_per_key())),
        ("dataset.bytes", size(overview.dataset())),
        (
            "dataset.percentage",
            Value::Double(overview.dataset_percent()),
        ),
        ("peak.percentage", Value::Double(overview.peak_percent())),
        ("allocator.allocated", size(heap.allocated)),
        ("allocator.active", size(heap.active)),
        ("allocator.resident", size(heap.resident)),
        ("allocator-fragmentation.ratio", ratio(inner)),
        ("allocator-fragmentation.bytes", bytes(inner)),
        ("allocator-rss.ratio", ratio(allocator)),
        ("allocator-rss.bytes", bytes(allocator)),
        ("rss-overhead.ratio", ratio(process)),
        ("rss-overhead.bytes", bytes(process)),
        ("fragmentation", ratio(all)),
        ("fragmentation.bytes", bytes(all)),
    ]
}
