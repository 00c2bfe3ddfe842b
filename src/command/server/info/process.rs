//! INFO's sections about the process: server, clients, memory, CPU.

use super::Text;
use crate::base::sys::{self, CpuOf};
use crate::base::{clock, num};
use crate::command::ctx::{Ctx, MemoryUse};
use crate::config::Id;
use crate::config::cli::REDIS_COMPAT;
use crate::store::Busy;

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

pub(super) fn server(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    let services = ctx.services;
    let config = &services.config;
    let uptime = clock::seconds_since(services.started);
    text.field("redis_version", REDIS_COMPAT);
    text.field("flashkv_version", env!("CARGO_PKG_VERSION"));
    text.field("redis_git_sha1", "00000000");
    text.field("redis_git_dirty", 0);
    text.field("redis_mode", "standalone");
    text.field("os", sys::uname_text());
    text.field("arch_bits", usize::BITS);
    text.field("monotonic_clock", "POSIX clock_gettime");
    text.field("multiplexing_api", MULTIPLEXER);
    text.field("process_id", std::process::id());
    text.field("process_supervised", services.supervised);
    text.field("run_id", &services.run_id);
    text.field("tcp_port", services.port);
    text.field("server_time_usec", clock::now_us());
    text.field("uptime_in_seconds", uptime);
    text.field("uptime_in_days", uptime / SECONDS_PER_DAY);
    text.field("hz", config.int(Id::HZ));
    text.field("configured_hz", config.int(Id::HZ));
    text.field("lru_clock", ctx.db.stamp());
    text.field("executable", path(std::env::current_exe().ok()));
    text.field("config_file", path(config.file()));
    text.field("io_threads_active", 0);
    text.field("workers", services.workers);
    text.field("dispatch", config.choice(Id::DISPATCH));
    Ok(())
}

/// A path as one line of text; empty without one.
fn path(path: Option<std::path::PathBuf>) -> String {
    let text = path.unwrap_or_default().display().to_string();
    text.replace(['\r', '\n'], " ")
}

pub(super) fn clients(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    let services = ctx.services;
    text.field("connected_clients", services.clients.count());
    text.field("cluster_connections", 0);
    text.field("maxclients", services.config.int(Id::MAXCLIENTS));
    text.zeros(&[
        "blocked_clients",
        "tracking_clients",
        "clients_in_timeout_table",
        "total_blocking_keys",
        "total_blocking_keys_on_nokey",
    ]);
    Ok(())
}

pub(super) fn memory(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    let MemoryUse { used, peak } = (ctx.services.memory)();
    let resident = sys::resident_bytes();
    let config = &ctx.services.config;
    text.bytes("used_memory", used);
    text.bytes("used_memory_rss", resident);
    text.bytes("used_memory_peak", peak);
    text.field("used_memory_peak_perc", percent(used, peak));
    text.bytes("total_system_memory", sys::total_memory_bytes());
    text.field("used_memory_lua", 0);
    text.field("used_memory_scripts", 0);
    text.zeros(&[
        "number_of_cached_scripts",
        "number_of_functions",
        "number_of_libraries",
    ]);
    let limit = config.int(Id::MAXMEMORY).unsigned_abs();
    text.field("maxmemory", limit);
    text.field("maxmemory_human", num::human_bytes(limit));
    text.field("maxmemory_policy", config.choice(Id::MAXMEMORY_POLICY));
    text.field("mem_fragmentation_ratio", ratio(resident, used));
    text.field("mem_fragmentation_bytes", resident as i64 - used as i64);
    text.zeros(&[
        "mem_not_counted_for_evict",
        "mem_replication_backlog",
        "mem_total_replication_buffers",
        "mem_clients_slaves",
    ]);
    text.field("mem_clients_normal", client_bytes(ctx));
    text.zeros(&["mem_cluster_links", "mem_aof_buffer"]);
    text.field("mem_allocator", "mimalloc");
    text.zeros(&["active_defrag_running", "lazyfree_pending_objects"]);
    text.field("lazyfreed_objects", ctx.services.metrics.totals().reaped);
    Ok(())
}

/// Input and output buffers of all clients.
fn client_bytes(ctx: &Ctx<'_, '_>) -> usize {
    use std::sync::atomic::Ordering::Relaxed;
    let clients = ctx.services.clients.all();
    let buffers = clients
        .iter()
        .map(|c| c.input_room.load(Relaxed) + c.output_room.load(Relaxed));
    buffers.sum()
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.2}%", part as f64 / whole.max(1) as f64 * 100.0)
}

fn ratio(a: u64, b: u64) -> String {
    format!("{:.2}", a as f64 / b.max(1) as f64)
}

pub(super) fn cpu(text: &mut Text, _ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    let own = sys::cpu_time(CpuOf::Process);
    let children = sys::cpu_time(CpuOf::Children);
    text.fields(
        &[
            ("used_cpu_sys", own.system),
            ("used_cpu_user", own.user),
            ("used_cpu_sys_children", children.system),
            ("used_cpu_user_children", children.user),
        ]
        .map(|(name, time)| (name, format!("{:.6}", time.as_secs_f64()))),
    );
    Ok(())
}

const MULTIPLEXER: &str = if cfg!(target_os = "linux") {
    "epoll"
} else {
    "kqueue"
};
