//! Rows: the cluster.

use super::{INT_MAX, LONG_MAX, choice, flag, int, memory, replication, rows, ruled, text};
use crate::config::value;

rows! {
    from replication::END;

    "Cluster" {
        /// Be a node of a cluster.
        CLUSTER_ENABLED = flag("cluster-enabled", "no").immutable().inert(NONE);
        /// The file in which a node keeps what it knows of the cluster.
        CLUSTER_CONFIG_FILE = text("cluster-config-file", "nodes.conf").immutable().inert(NONE);
        /// Milliseconds of silence after which a node counts as failing.
        CLUSTER_NODE_TIMEOUT = int("cluster-node-timeout", 0, LONG_MAX, "15000").inert(NONE);
        /// The port of the cluster bus; 0 is the client port plus 10000.
        CLUSTER_PORT = int("cluster-port", 0, 65535, "0").immutable().inert(NONE);
        /// How old a replica's data may be for it to take over.
        CLUSTER_REPLICA_VALIDITY_FACTOR = int("cluster-replica-validity-factor", 0, INT_MAX, "10")
            .alias(&["cluster-slave-validity-factor"]).inert(NONE);
        /// Replicas a master keeps when one moves to an orphaned master.
        CLUSTER_MIGRATION_BARRIER = int("cluster-migration-barrier", 0, INT_MAX, "1").inert(NONE);
        /// Whether replicas move to orphaned masters.
        CLUSTER_ALLOW_REPLICA_MIGRATION = flag("cluster-allow-replica-migration", "yes")
            .inert(NONE);
        /// Stop serving when some slots have no node.
        CLUSTER_REQUIRE_FULL_COVERAGE = flag("cluster-require-full-coverage", "yes").inert(NONE);
        /// Never take over.
        CLUSTER_REPLICA_NO_FAILOVER = flag("cluster-replica-no-failover", "no")
            .alias(&["cluster-slave-no-failover"]).inert(NONE);
        /// Serve reads while the cluster is down.
        CLUSTER_ALLOW_READS_WHEN_DOWN = flag("cluster-allow-reads-when-down", "no").inert(NONE);
        /// Serve sharded channels while the cluster is down.
        CLUSTER_ALLOW_PUBSUBSHARD_WHEN_DOWN = flag("cluster-allow-pubsubshard-when-down", "yes")
            .inert(NONE);
        /// Bytes that may wait for one node; 0 is no limit.
        CLUSTER_LINK_SENDBUF_LIMIT = memory("cluster-link-sendbuf-limit", 0, LONG_MAX, "0")
            .inert(NONE);
        /// The address a node reports.
        CLUSTER_ANNOUNCE_IP = text("cluster-announce-ip", "").inert(NONE);
        /// The host name a node reports.
        CLUSTER_ANNOUNCE_HOSTNAME = ruled("cluster-announce-hostname", value::host_name, "")
            .inert(NONE);
        /// A name for people, shown in the log.
        CLUSTER_ANNOUNCE_HUMAN_NODENAME = text("cluster-announce-human-nodename", "").inert(NONE);
        /// The port a node reports; 0 is the real one.
        CLUSTER_ANNOUNCE_PORT = int("cluster-announce-port", 0, 65535, "0").inert(NONE);
        /// The TLS port a node reports.
        CLUSTER_ANNOUNCE_TLS_PORT = int("cluster-announce-tls-port", 0, 65535, "0").inert(NONE);
        /// The bus port a node reports.
        CLUSTER_ANNOUNCE_BUS_PORT = int("cluster-announce-bus-port", 0, 65535, "0").inert(NONE);
        /// What a redirection names.
        CLUSTER_PREFERRED_ENDPOINT_TYPE = choice("cluster-preferred-endpoint-type",
            &["ip", "hostname", "unknown-endpoint"], "ip").inert(NONE);
    }
}

const NONE: &str = "there is no cluster";
