//! What the server has noticed by itself: notable commands, latency events, hot and
//! big keys. One value of the services; who records and who asks meet here.

use std::sync::atomic::AtomicI64;

use super::commandlog::CommandLogs;
use super::keys::{BigKeys, HotKeys};
use super::latency::Latency;

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Observed {
    pub logs: CommandLogs,
    pub latency: Latency,
    pub hot_keys: HotKeys,
    pub big_keys: BigKeys,
    /// When the log last told of a value past its limit, in milliseconds since the Unix
    /// epoch.
    pub limit_warned: AtomicI64,
}
