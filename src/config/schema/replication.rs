//! Rows: masters and replicas.

use super::{INT_MAX, LONG_MAX, choice, flag, int, list, memory, persistence, rows, text};
use crate::config::lists;

rows! {
    from persistence::END;

    "Replication" {
        /// The master to copy: HOST PORT, or `no one`.
        REPLICAOF = list("replicaof", lists::replicaof, "").alias(&["slaveof"]).immutable()
            .inert(NONE);
        /// The user to log in as at the master.
        MASTERUSER = text("masteruser", "").sensitive().inert(NONE);
        /// The password for the master.
        MASTERAUTH = text("masterauth", "").sensitive().inert(NONE);
        /// Answer reads while the link to the master is down.
        REPLICA_SERVE_STALE_DATA = flag("replica-serve-stale-data", "yes")
            .alias(&["slave-serve-stale-data"]).inert(NONE);
        /// Refuse writes on a replica.
        REPLICA_READ_ONLY = flag("replica-read-only", "yes").alias(&["slave-read-only"])
            .inert(NONE);
        /// Go on when a replica cannot write to its disk.
        REPLICA_IGNORE_DISK_WRITE_ERRORS = flag("replica-ignore-disk-write-errors", "no")
            .inert(NONE);
        /// Rank in a failover; 0 is never promoted.
        REPLICA_PRIORITY = int("replica-priority", 0, INT_MAX, "100").alias(&["slave-priority"])
            .inert(NONE);
        /// Whether a monitor is told of this replica.
        REPLICA_ANNOUNCED = flag("replica-announced", "yes").inert(NONE);
        /// The address a replica reports.
        REPLICA_ANNOUNCE_IP = text("replica-announce-ip", "").alias(&["slave-announce-ip"])
            .inert(NONE);
        /// The port a replica reports; 0 is the real one.
        REPLICA_ANNOUNCE_PORT = int("replica-announce-port", 0, 65535, "0")
            .alias(&["slave-announce-port"]).inert(NONE);
        /// What to do when a replicated command fails.
        PROPAGATION_ERROR_BEHAVIOR = choice("propagation-error-behavior",
            &["ignore", "panic", "panic-on-replicas"], "ignore").inert(NONE);
        /// Send a full copy without a file.
        REPL_DISKLESS_SYNC = flag("repl-diskless-sync", "yes").inert(NONE);
        /// Seconds to wait for more replicas before a full copy.
        REPL_DISKLESS_SYNC_DELAY = int("repl-diskless-sync-delay", 0, INT_MAX, "5").inert(NONE);
        /// Replicas that end the wait; 0 never does.
        REPL_DISKLESS_SYNC_MAX_REPLICAS = int("repl-diskless-sync-max-replicas", 0, INT_MAX, "0")
            .inert(NONE);
        /// How a replica loads a full copy without a file.
        REPL_DISKLESS_LOAD = choice("repl-diskless-load",
            &["disabled", "on-empty-db", "swapdb"], "disabled").inert(NONE);
        /// Seconds between two pings to replicas.
        REPL_PING_REPLICA_PERIOD = int("repl-ping-replica-period", 1, INT_MAX, "10")
            .alias(&["repl-ping-slave-period"]).inert(NONE);
        /// Seconds of silence that end the link.
        REPL_TIMEOUT = int("repl-timeout", 1, INT_MAX, "60").inert(NONE);
        /// Let the kernel gather small packets on the link.
        REPL_DISABLE_TCP_NODELAY = flag("repl-disable-tcp-nodelay", "no").inert(NONE);
        /// Bytes kept for replicas that come back.
        REPL_BACKLOG_SIZE = memory("repl-backlog-size", 1, LONG_MAX, "1mb").inert(NONE);
        /// Seconds without replicas after which the backlog is dropped; 0 never.
        REPL_BACKLOG_TTL = int("repl-backlog-ttl", 0, LONG_MAX, "3600").inert(NONE);
        /// Replicas needed to accept writes; 0 needs none.
        MIN_REPLICAS_TO_WRITE = int("min-replicas-to-write", 0, INT_MAX, "0")
            .alias(&["min-slaves-to-write"]).inert(NONE);
        /// Seconds a replica may lag and still count.
        MIN_REPLICAS_MAX_LAG = int("min-replicas-max-lag", 0, INT_MAX, "10")
            .alias(&["min-slaves-max-lag"]).inert(NONE);
    }
}

const NONE: &str = "there is no replication";
