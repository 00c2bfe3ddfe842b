//! Rows: snapshots and the append-only file.

use super::{INT_MAX, INT_MIN, LONG_MAX, choice, flag, int, lines, memory, rows, ruled, types};
use crate::config::{lists, value};

rows! {
    from types::END;

    "Snapshots" {
        /// Save after SECONDS when at least CHANGES were made: `save SECONDS CHANGES ...`.
        /// The first `save` replaces the default points, further ones add to it, and
        /// `save ""` removes all.
        SAVE = lines("save", 2, lists::save, "3600 1 300 100 60 10000");
        /// The name of the snapshot file, in `dir`.
        DBFILENAME = ruled("dbfilename", value::file_name, "dump.rdb").protected();
        /// Compress strings in the snapshot and in what DUMP replies.
        RDBCOMPRESSION = flag("rdbcompression", "yes");
        /// The oldest server that has to understand the snapshot and what DUMP replies. A
        /// value that needs more is written in a later form.
        RDB_TARGET = choice("rdb-target", &["redis-7.0", "redis-7.2", "redis-7.4", "valkey-9"], "redis-7.0");
        /// Write and check a checksum at the end of the snapshot.
        RDBCHECKSUM = flag("rdbchecksum", "yes").immutable();
        /// Refuse writes after a snapshot has failed.
        STOP_WRITES_ON_BGSAVE_ERROR = flag("stop-writes-on-bgsave-error", "yes");
        /// Make the snapshot durable step by step while it is written.
        RDB_SAVE_INCREMENTAL_FSYNC = flag("rdb-save-incremental-fsync", "yes");
        /// Memory for the old values of keys that change while they wait to be saved. What
        /// would take more waits for the disk instead. 0: no limit.
        SNAPSHOT_MEMORY_BUDGET = memory("snapshot-memory-budget", 0, LONG_MAX, "64mb");
        /// Microseconds to sleep after each key that is saved, to watch a save at work.
        RDB_KEY_SAVE_DELAY = int("rdb-key-save-delay", INT_MIN, INT_MAX, "0").hidden();
        /// The same for loading.
        KEY_LOAD_DELAY = int("key-load-delay", INT_MIN, INT_MAX, "0").hidden();
        /// Bytes to load between two looks at clients.
        LOADING_PROCESS_EVENTS_INTERVAL_BYTES =
            int("loading-process-events-interval-bytes", 1024, INT_MAX, "2097152")
            .inert("clients are answered all the time while data is loaded")
            .hidden();
        /// Remove snapshot files that only replication needed.
        RDB_DEL_SYNC_FILES = flag("rdb-del-sync-files", "no")
            .inert("a full sync leaves no file behind");
        /// Check the payload of RESTORE down to its last element.
        SANITIZE_DUMP_PAYLOAD = choice("sanitize-dump-payload", &["no", "yes", "clients"], "no")
            .inert("whatever comes in from outside is always checked");
    }

    "Append-only file" {
        /// Log every change to a file.
        APPENDONLY = flag("appendonly", "no");
        /// The first part of the names of its files.
        APPENDFILENAME = ruled("appendfilename", value::append_file_name, "appendonly.aof")
            .immutable();
        /// The directory of its files, in `dir`.
        APPENDDIRNAME = ruled("appenddirname", value::append_dir_name, "appendonlydir")
            .immutable();
        /// When logged changes are made durable.
        APPENDFSYNC = choice("appendfsync", &["everysec", "always", "no"], "everysec");
        /// Leave durability to the kernel while the file is rewritten.
        NO_APPENDFSYNC_ON_REWRITE = flag("no-appendfsync-on-rewrite", "no");
        /// Rewrite when the file has grown by this percentage; 0 never does.
        AUTO_AOF_REWRITE_PERCENTAGE = int("auto-aof-rewrite-percentage", 0, INT_MAX, "100");
        /// The size below which it is not rewritten by itself.
        AUTO_AOF_REWRITE_MIN_SIZE = memory("auto-aof-rewrite-min-size", 0, LONG_MAX, "64mb");
        /// Load a file whose last record is cut off.
        AOF_LOAD_TRUNCATED = flag("aof-load-truncated", "yes");
        /// Load a last file whose end is damaged, without that end, where it has at most this
        /// many bytes; 0 never does.
        AOF_LOAD_CORRUPT_TAIL_MAX_SIZE = memory("aof-load-corrupt-tail-max-size", 0, LONG_MAX, "0");
        /// Write checksums into the file, in lines that other servers pass over.
        AOF_CHECKSUM = flag("aof-checksum", "yes");
        /// Start a rewritten file with a snapshot.
        AOF_USE_RDB_PREAMBLE = flag("aof-use-rdb-preamble", "yes");
        /// Write the time into the file, so that it can be replayed up to a moment.
        AOF_TIMESTAMP_ENABLED = flag("aof-timestamp-enabled", "no");
        /// Make a rewrite durable step by step.
        AOF_REWRITE_INCREMENTAL_FSYNC = flag("aof-rewrite-incremental-fsync", "yes");
        /// Keep files of the past.
        AOF_DISABLE_AUTO_GC = flag("aof-disable-auto-gc", "no");
    }
}
