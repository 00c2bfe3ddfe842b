//! INFO's sections about the process: server, clients, memory, CPU.

use super::Text;
use crate::base::rng::Rng;
use crate::base::sys::{self, CpuOf};
use crate::base::{clock, heap};
use crate::command::ctx::Ctx;
use crate::command::server::memory::Overview;
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
    let waiting = services.clients.blocked() + services.clients.pause.waiting();
    text.field("blocked_clients", waiting);
    text.field("tracking_clients", services.pubsub.tracking.sizes().clients);
    text.zeros(&[
        "clients_in_timeout_table",
        "total_blocking_keys",
        "total_blocking_keys_on_nokey",
    ]);
    Ok(())
}

pub(super) fn memory(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    let seen = Overview::take(ctx)?;
    used(text, &seen);
    allocator(text, &seen);
    text.bytes("total_system_memory", sys::total_memory_bytes());
    scripts(text);
    let config = &ctx.services.config;
    text.bytes("maxmemory", config.max_memory());
    text.field("maxmemory_policy", config.choice(Id::MAXMEMORY_POLICY));
    fragmentation(text, &seen);
    let uncounted = ctx.services.clients.uncounted_bytes();
    text.field("mem_not_counted_for_evict", uncounted);
    text.zeros(&[
        "mem_replication_backlog",
        "mem_total_replication_buffers",
        "mem_clients_slaves",
    ]);
    text.field("mem_clients_normal", seen.client_bytes);
    text.zeros(&["mem_cluster_links", "mem_aof_buffer"]);
    text.field("mem_allocator", heap::NAME);
    text.zeros(&["active_defrag_running"]);
    let pending = ctx.services.metrics.backlog.objects();
    text.field("lazyfree_pending_objects", pending);
    text.field("lazyfreed_objects", ctx.services.metrics.totals().reaped);
    flushed(text, ctx);
    Ok(())
}

/// What UNDO can bring back: it is in use as well.
fn flushed(text: &mut Text, ctx: &Ctx<'_, '_>) {
    // Any seed will do to look at some entries.
    let held = (ctx.services.keyspace.shelf()).held(&mut Rng::seeded(ctx.db.now.unsigned_abs()));
    let left_ms = if held.flushes > 0 {
        held.until - ctx.db.now
    } else {
        0
    };
    text.field("flush_undo_flushes", held.flushes);
    text.field("flush_undo_keys", held.keys);
    text.field("flush_undo_bytes", held.bytes);
    text.field("flush_undo_seconds_left", left_ms.max(0) / 1000);
}

fn used(text: &mut Text, seen: &Overview) {
    let memory = &seen.memory;
    text.bytes("used_memory", memory.used);
    text.bytes("used_memory_rss", seen.resident);
    text.bytes("used_memory_peak", memory.peak);
    text.field("used_memory_peak_perc", percent(seen.peak_percent()));
    text.field("used_memory_overhead", seen.overhead());
    text.field("used_memory_startup", memory.startup);
    text.field("used_memory_dataset", seen.dataset());
    text.field("used_memory_dataset_perc", percent(seen.dataset_percent()));
}

fn allocator(text: &mut Text, seen: &Overview) {
    let heap = &seen.memory.heap;
    text.field("allocator_allocated", heap.allocated);
    text.field("allocator_active", heap.active);
    text.field("allocator_resident", heap.resident);
}

/// There are neither scripts nor functions.
fn scripts(text: &mut Text) {
    text.zeros(&["used_memory_lua", "used_memory_vm_eval"]);
    text.field("used_memory_lua_human", "0B");
    text.zeros(&[
        "used_memory_scripts_eval",
        "number_of_cached_scripts",
        "number_of_functions",
        "number_of_libraries",
        "used_memory_vm_functions",
    ]);
    text.bytes("used_memory_vm_total", 0);
    text.zeros(&["used_memory_functions"]);
    text.bytes("used_memory_scripts", 0);
}

fn fragmentation(text: &mut Text, seen: &Overview) {
    for (name, excess) in [
        ("allocator_frag", seen.allocator_fragmentation()),
        ("allocator_rss", seen.allocator_resident()),
        ("rss_overhead", seen.process_resident()),
        ("mem_fragmentation", seen.fragmentation()),
    ] {
        text.field(
            &format!("{name}_ratio"),
            format_args!("{:.2}", excess.ratio),
        );
        text.field(&format!("{name}_bytes"), excess.bytes);
    }
}

fn percent(percent: f64) -> String {
    format!("{percent:.2}%")
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
