//! Rows: the memory of the data, expiry and freeing.

use super::{INT_MAX, LONG_MAX, access, choice, flag, int, memory, row, rows};
use crate::config::schema::Kind;

/// Seconds.
const DAYS_30: i64 = 30 * 24 * 3600;

rows! {
    from access::END;

    "Memory" {
        /// The memory the data may use, in bytes or as a percentage, such as 75%, of what
        /// the process may use: the limit of its control group, which is looked at again
        /// while the server runs, or without one the memory of the machine. Buffers of
        /// clients have limits of their own and are not counted. 0 is no limit.
        MAXMEMORY = row("maxmemory", Kind::MemoryOrShare, "0");
        /// Which keys go when `maxmemory` is reached: any or only those with an expiry
        /// (volatile), those that have not been used for the longest time (lru) or are
        /// used the least (lfu), that expire first (ttl), or just some (random).
        /// noeviction keeps all, and refuses commands that need memory.
        MAXMEMORY_POLICY = choice("maxmemory-policy", &[
            "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
            "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction",
        ], "noeviction");
        /// Keys looked at to choose one.
        MAXMEMORY_SAMPLES = int("maxmemory-samples", 1, INT_MAX, "5");
        /// How long to evict before serving the next commands: 10 is half a millisecond,
        /// more is up to minutes, 100 until the data fits.
        MAXMEMORY_EVICTION_TENACITY = int("maxmemory-eviction-tenacity", 0, 100, "10");
        /// How slowly the frequency counter of a key saturates.
        LFU_LOG_FACTOR = int("lfu-log-factor", 0, INT_MAX, "10");
        /// Minutes without a use after which the counter falls by one; 0 never.
        LFU_DECAY_TIME = int("lfu-decay-time", 0, INT_MAX, "1");
        /// Whether a replica leaves eviction to its master.
        REPLICA_IGNORE_MAXMEMORY = flag("replica-ignore-maxmemory", "yes")
            .alias(&["slave-ignore-maxmemory"]).inert(NO_REPLICATION);
    }

    "Expiry and freeing" {
        /// How much time active expiry may take, from 1 (little) to 10: more reclaims
        /// expired keys sooner and costs more processor time. An expired key is never
        /// visible, whatever this says.
        ACTIVE_EXPIRE_EFFORT = int("active-expire-effort", 1, 10, "1");
        /// Evicted keys are freed in the background.
        LAZYFREE_LAZY_EVICTION = flag("lazyfree-lazy-eviction", "no").inert(ALWAYS_LAZY);
        /// Expired keys are freed in the background.
        LAZYFREE_LAZY_EXPIRE = flag("lazyfree-lazy-expire", "no").inert(ALWAYS_LAZY);
        /// Overwritten keys are freed in the background.
        LAZYFREE_LAZY_SERVER_DEL = flag("lazyfree-lazy-server-del", "no").inert(ALWAYS_LAZY);
        /// DEL frees in the background, as UNLINK does.
        LAZYFREE_LAZY_USER_DEL = flag("lazyfree-lazy-user-del", "no").inert(ALWAYS_LAZY);
        /// FLUSHALL, FLUSHDB and SCRIPT FLUSH free in the background.
        LAZYFREE_LAZY_USER_FLUSH = flag("lazyfree-lazy-user-flush", "no").inert(ALWAYS_LAZY);
        /// Seconds for which FLUSHALL and FLUSHDB keep what they remove, so that
        /// `FLUSHALL UNDO` and `FLUSHDB UNDO` can bring it back. It stays in memory, and
        /// goes earlier when `maxmemory` needs the room. 0 keeps nothing.
        FLUSH_UNDO_WINDOW = int("flush-undo-window", 0, DAYS_30, "0");
        /// A replica frees its old data in the background.
        REPLICA_LAZY_FLUSH = flag("replica-lazy-flush", "no").alias(&["slave-lazy-flush"])
            .inert(ALWAYS_LAZY);
        /// Spend time on growing tables step by step.
        ACTIVEREHASHING = flag("activerehashing", "yes")
            .inert("tables grow one small segment at a time, by themselves");
    }

    "Defragmentation" {
        /// Move values to fill holes in memory.
        ACTIVEDEFRAG = flag("activedefrag", "no").inert(NO_DEFRAG);
        /// Bytes of waste below which nothing is moved.
        ACTIVE_DEFRAG_IGNORE_BYTES = memory("active-defrag-ignore-bytes", 1, LONG_MAX, "100mb")
            .inert(NO_DEFRAG);
        /// Percentage of waste below which nothing is moved.
        ACTIVE_DEFRAG_THRESHOLD_LOWER = int("active-defrag-threshold-lower", 0, 1000, "10")
            .inert(NO_DEFRAG);
        /// Percentage of waste that calls for the greatest effort.
        ACTIVE_DEFRAG_THRESHOLD_UPPER = int("active-defrag-threshold-upper", 0, 1000, "100")
            .inert(NO_DEFRAG);
        /// The least effort, a percentage of processor time.
        ACTIVE_DEFRAG_CYCLE_MIN = int("active-defrag-cycle-min", 1, 99, "1").inert(NO_DEFRAG);
        /// The greatest effort, a percentage of processor time.
        ACTIVE_DEFRAG_CYCLE_MAX = int("active-defrag-cycle-max", 1, 99, "25").inert(NO_DEFRAG);
        /// Elements of one large value that are looked at in one step.
        ACTIVE_DEFRAG_MAX_SCAN_FIELDS = int("active-defrag-max-scan-fields", 1, LONG_MAX, "1000")
            .inert(NO_DEFRAG);
        /// A background thread of the allocator jemalloc.
        JEMALLOC_BG_THREAD = flag("jemalloc-bg-thread", "yes").inert("jemalloc is not used");
    }
}

const NO_REPLICATION: &str = "there is no replication";
const ALWAYS_LAZY: &str = "large values are always freed in the background";
const NO_DEFRAG: &str = "the allocator keeps its own pages dense";
