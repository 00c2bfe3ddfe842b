//! INFO's sections about the data and where it goes: persistence, replication,
//! cluster, keyspace.

use std::sync::atomic::Ordering::Relaxed;

use super::Text;
use crate::command::ctx::Ctx;
use crate::config::Id;
use crate::store::{Busy, DATABASES};

/// Nothing is saved yet: only the count of changes tells anything.
pub(super) fn persistence(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    let services = ctx.services;
    let changes = services.metrics.totals().dirty.cast_signed();
    let unsaved = changes - services.dirty_base.load(Relaxed);
    text.zeros(&[
        "loading",
        "async_loading",
        "current_cow_peak",
        "current_cow_size",
        "current_cow_size_age",
    ]);
    text.field("current_fork_perc", "0.00");
    text.zeros(&["current_save_keys_processed", "current_save_keys_total"]);
    text.field("rdb_changes_since_last_save", unsaved.max(0));
    text.zeros(&["rdb_bgsave_in_progress", "rdb_last_save_time"]);
    text.field("rdb_last_bgsave_status", "ok");
    text.field("rdb_last_bgsave_time_sec", -1);
    text.field("rdb_current_bgsave_time_sec", -1);
    text.zeros(&[
        "rdb_saves",
        "rdb_last_cow_size",
        "rdb_last_load_keys_expired",
        "rdb_last_load_keys_loaded",
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
    Ok(())
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
