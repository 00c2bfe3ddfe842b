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
        /// Microseconds from which a command is logged as slow; 0 logs all, -1 none.
        SLOWLOG_LOG_SLOWER_THAN = int("slowlog-log-slower-than", -1, LONG_MAX, "10000")
            .alias(&["commandlog-execution-slower-than"]);
        /// Slow commands kept, the newest.
        SLOWLOG_MAX_LEN = int("slowlog-max-len", 0, LONG_MAX, "128")
            .alias(&["commandlog-slow-execution-max-len"]);
        /// Bytes of arguments from which a command is logged as a large request; -1 logs
        /// none.
        COMMANDLOG_REQUEST_LARGER_THAN = int("commandlog-request-larger-than", -1, LONG_MAX,
            "1048576");
        /// Large requests kept, the newest.
        COMMANDLOG_LARGE_REQUEST_MAX_LEN = int("commandlog-large-request-max-len", 0, LONG_MAX,
            "128");
        /// Bytes from which a command is logged for its large reply; -1 logs none.
        COMMANDLOG_REPLY_LARGER_THAN = int("commandlog-reply-larger-than", -1, LONG_MAX,
            "1048576");
        /// Large replies kept, the newest.
        COMMANDLOG_LARGE_REPLY_MAX_LEN = int("commandlog-large-reply-max-len", 0, LONG_MAX,
            "128");
        /// Milliseconds from which an event is recorded for LATENCY; 0 records none.
        LATENCY_MONITOR_THRESHOLD = int("latency-monitor-threshold", 0, LONG_MAX, "0");
    }

    "Metrics over HTTP" {
        /// The port of a small web server, part of this process: /metrics for Prometheus,
        /// /healthz and /readyz, and at / a page that shows what the server does. It runs
        /// no commands. 0 for none. With `requirepass` set, all but /healthz and /readyz ask
        /// for that password (HTTP Basic, any user).
        METRICS_PORT = int("metrics-port", 0, 65535, "0");
        /// The addresses of that port, written as for `bind`.
        METRICS_BIND = list("metrics-bind", lists::bind, "127.0.0.1");
    }
}
