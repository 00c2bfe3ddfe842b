//! INFO's sections about the data and where it goes: persistence, replication,
//! cluster, keyspace.

use std::sync::atomic::Ordering::Relaxed;

use super::Text;
use crate::base::clock;
use crate::command::ctx::Ctx;
use crate::config::Id;
use crate::persist::service::Persistence;
use crate::store::{Busy, DATABASES};

/// Everything about snapshots. There is no child process: what Redis tells of copied pages
/// is here what writers have left for the saver.
pub(super) fn persistence(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    let persist = &ctx.services.persist;
    let changes = ctx.services.changes();
    let status = persist.save_status();
    let progress = persist.progress();
    let loading = persist.is_loading();
    let secs = |secs: Option<u64>| secs.map_or(-1, u64::cast_signed);
    text.field("loading", u8::from(loading));
    text.field("async_loading", 0);
    text.field("current_cow_peak", status.waiting_bytes);
    text.field("current_cow_size", status.waiting_bytes);
    text.field("current_cow_size_age", 0);
    let percent = status.keys_done as f64 * 100.0 / status.keys_total.max(1) as f64;
    text.field("current_fork_perc", format_args!("{percent:.2}"));
    text.field("current_save_keys_processed", status.keys_done);
    text.field("current_save_keys_total", status.keys_total);
    text.field("rdb_changes_since_last_save", persist.unsaved(changes));
    text.field("rdb_bgsave_in_progress", u8::from(status.background));
    text.field("rdb_last_save_time", status.last_save_secs);
    let outcome = if status.last_ok { "ok" } else { "err" };
    text.field("rdb_last_bgsave_status", outcome);
    text.field("rdb_last_bgsave_time_sec", secs(status.last_secs));
    let current = status.current_secs.filter(|_| status.background);
    text.field("rdb_current_bgsave_time_sec", secs(current));
    text.field("rdb_saves", status.saves);
    text.field("rdb_last_cow_size", 0);
    let expired = progress.expired_keys.load(Relaxed);
    text.field("rdb_last_load_keys_expired", expired);
    let loaded = progress.loaded_keys.load(Relaxed);
    text.field("rdb_last_load_keys_loaded", loaded);
    append_only(text);
    if loading {
        loading_fields(text, persist);
    }
    Ok(())
}

fn append_only(text: &mut Text) {
    text.zeros(&[
        "aof_enabled",
        "aof_rewrite_in_progress",
        "aof_rewrite_scheduled",
    ]);
    text.field("aof_last_rewrite_time_sec", -1);
    text.field("aof_current_rewrite_time_sec", -1);
    text.field("aof_last_bgrewrite_status", "ok");
    text.zeros(&["aof_rewrites", "aof_rewrites_consecutive_failures"]);
    text.field("aof_last_write_status", "ok");
    text.zeros(&[
        "aof_last_cow_size",
        "module_fork_in_progress",
        "module_fork_last_cow_size",
    ]);
}

fn loading_fields(text: &mut Text, persist: &Persistence) {
    let progress = persist.progress();
    let total = progress.total_bytes.load(Relaxed);
    let loaded = progress.loaded_bytes.load(Relaxed);
    let since = persist.loading_since_secs();
    let passed = (clock::now() / 1000 - since).max(0) as u64;
    let left = total.saturating_sub(loaded);
    text.field("loading_start_time", since);
    text.field("loading_total_bytes", total);
    let memory = progress.file_memory.load(Relaxed);
    text.field("loading_rdb_used_mem", memory);
    text.field("loading_loaded_bytes", loaded);
    let percent = loaded as f64 * 100.0 / total.max(1) as f64;
    text.field("loading_loaded_perc", format_args!("{percent:.2}"));
    text.field("loading_eta_seconds", passed * left / loaded.max(1));
}

/// A master that nobody follows; it has no history to number, so both ids are
/// zeros.
pub(super) fn replication(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    let no_history = "0".repeat(40);
    text.field("role", "master");
    text.field("connected_slaves", 0);
    text.field("master_failover_state", "no-failover");
    text.field("master_replid", &no_history);
    text.field("master_replid2", &no_history);
    text.field("master_repl_offset", 0);
    text.field("second_repl_offset", -1);
    text.field("repl_backlog_active", 0);
    let backlog = ctx.services.config.int(Id::REPL_BACKLOG_SIZE);
    text.field("repl_backlog_size", backlog);
    text.zeros(&["repl_backlog_first_byte_offset", "repl_backlog_histlen"]);
    Ok(())
}

pub(super) fn cluster(text: &mut Text, _ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    text.field("cluster_enabled", 0);
    Ok(())
}

/// The databases that have keys. Nobody keeps a mean of the times to live.
pub(super) fn keyspace(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    for db in 0..DATABASES {
        let sizes = ctx.db.sizes(db)?;
        if sizes.keys > 0 {
            let (keys, volatile) = (sizes.keys, sizes.volatile);
            text.field(
                &format!("db{db}"),
                format_args!("keys={keys},expires={volatile},avg_ttl=0"),
            );
        }
    }
    Ok(())
}
