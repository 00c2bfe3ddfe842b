//! What INFO tells of the log, kept as it happens.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};

/// Counters and states; any thread reads them.
#[derive(Debug)]
pub struct Status {
    /// Bytes of all files that a start would load.
    pub size: AtomicU64,
    /// What they were after the last rewrite, or of the base at the start.
    pub base_size: AtomicU64,
    /// Syncs that took longer than anybody should have to wait.
    pub delayed_syncs: AtomicU64,
    pub syncs: AtomicU64,
    /// When the last sync was, in milliseconds since the Unix epoch; 0 before.
    pub synced_ms: AtomicI64,
    /// Rewrites begun.
    pub rewrites: AtomicU64,
    /// Rewrites that have failed since the last one that has not.
    pub failures: AtomicU64,
    /// Whether the last rewrite was a success.
    pub last_rewrite_ok: AtomicBool,
    /// Seconds that the last rewrite took; -1 before.
    pub last_rewrite_secs: AtomicI64,
}

impl Default for Status {
    fn default() -> Status {
        Status {
            size: AtomicU64::new(0),
            base_size: AtomicU64::new(0),
            delayed_syncs: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            synced_ms: AtomicI64::new(0),
            rewrites: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            last_rewrite_ok: AtomicBool::new(true),
            last_rewrite_secs: AtomicI64::new(-1),
        }
    }
}
