//! Rows: what the operator sees.

use super::{LONG_MAX, cluster, flag, int, list, rows};
use crate::config::lists;

rows! {
    from cluster::END;

    "Latency and slow commands" {
        /// Keep a histogram of the time each command takes, for INFO latencystats.
        LATENCY_TRACKING = flag("latency-tracking", "yes");
        /// The percentiles INFO latencystats shows, 0 to 100.
        LATENCY_TRACKING_INFO_PERCENTILES = list("latency-tracking-info-percentiles",
            lists::percentiles, "50 99 99.9");
        /// Microseconds from which a command is slow; 0 logs all, -1 none.
        SLOWLOG_LOG_SLOWER_THAN = int("slowlog-log-slower-than", -1, LONG_MAX, "10000")
            .inert(NO_SLOWLOG);
        /// Entries kept of slow commands.
        SLOWLOG_MAX_LEN = int("slowlog-max-len", 0, LONG_MAX, "128").inert(NO_SLOWLOG);
        /// Milliseconds from which an event is recorded; 0 records none.
        LATENCY_MONITOR_THRESHOLD = int("latency-monitor-threshold", 0, LONG_MAX, "0")
            .inert("INFO latencystats has the times of commands");
    }
}

const NO_SLOWLOG: &str = "there is no log of slow commands";
