//! Rows: who may come in, and how much one client may cost.

use super::{
    LONG_MAX, UINT_MAX, YES_NO_LOCAL, choice, int, lines, memory, process, row, rows, ruled, text,
};
use crate::config::schema::Kind;
use crate::config::{lists, value};

rows! {
    from process::END;

    "Security" {
        /// The password AUTH and HELLO must give before anything else is served; empty for
        /// none. It travels in clear text, and a fast server can be asked very often: choose
        /// a long one.
        REQUIREPASS = text("requirepass", "").sensitive();
        /// Whether CONFIG SET may change protected directives (`dir` and file names), since
        /// whoever can write files anywhere owns the machine: `no`, `yes`, or `local` for
        /// clients of this machine only.
        ENABLE_PROTECTED_CONFIGS = choice("enable-protected-configs", YES_NO_LOCAL, "no")
            .immutable();
        /// Whether DEBUG is served: `no`, `yes`, or `local`.
        ENABLE_DEBUG_COMMAND = choice("enable-debug-command", YES_NO_LOCAL, "no").immutable();
        /// Whether MODULE is served: `no`, `yes`, or `local`.
        ENABLE_MODULE_COMMAND = choice("enable-module-command", YES_NO_LOCAL, "no").immutable()
            .inert("modules cannot be loaded");
        /// A file of users and their rights.
        ACLFILE = ruled("aclfile", value::no_acl_file, "").immutable().inert(NO_ACL);
        /// Entries of the log of refused accesses.
        ACLLOG_MAX_LEN = int("acllog-max-len", 0, LONG_MAX, "128").inert(NO_ACL);
        /// The channels a new user may use.
        ACL_PUBSUB_DEFAULT = choice("acl-pubsub-default", &["allchannels", "resetchannels"],
            "resetchannels").inert(NO_ACL);
    }

    "Clients" {
        /// Connections served at once; one more is told so and closed. Each needs a file
        /// descriptor, so the limit of the process is raised to fit when it may be.
        MAXCLIENTS = int("maxclients", 1, UINT_MAX, "10000");
        /// The largest single argument a client may send. Memory grows with the bytes that
        /// arrive, never with the length that is announced.
        PROTO_MAX_BULK_LEN = memory("proto-max-bulk-len", 1 << 20, (4 << 30) - 1, "512mb");
        /// The most input of one client that is kept while it waits to be run; more closes
        /// the connection.
        CLIENT_QUERY_BUFFER_LIMIT = memory("client-query-buffer-limit", 1 << 20, LONG_MAX, "1gb");
        /// Close a client that does not read its replies: CLASS HARD SOFT SECONDS closes one
        /// that has more than HARD bytes waiting, or more than SOFT for SECONDS. The classes
        /// are `normal`, `replica` and `pubsub`; 0 is no limit. A class that is not named
        /// keeps its limits.
        CLIENT_OUTPUT_BUFFER_LIMIT = lines("client-output-buffer-limit", 4, lists::output_limits,
            "normal 0 0 0 slave 256mb 64mb 60 pubsub 32mb 8mb 60");
        /// The memory of all clients' buffers, in bytes or as a percentage of `maxmemory`;
        /// past it the largest are closed. 0 is no limit.
        MAXMEMORY_CLIENTS = row("maxmemory-clients", Kind::PercentOrMemory, "0");
        /// Keys remembered for clients that cache them.
        TRACKING_TABLE_MAX_KEYS = int("tracking-table-max-keys", 0, LONG_MAX, "1000000");
        /// The events published when keys change: any of the characters Ag$lshzxeKEtmdn.
        NOTIFY_KEYSPACE_EVENTS = ruled("notify-keyspace-events", lists::notify_events, "");
    }

    "Scripts" {
        /// Milliseconds a script may run before others are told that the server is busy.
        BUSY_REPLY_THRESHOLD = int("busy-reply-threshold", 0, LONG_MAX, "5000")
            .alias(&["lua-time-limit"])
            .inert("there are no scripts");
    }
}

const NO_ACL: &str = "there is one user, guarded by requirepass";
