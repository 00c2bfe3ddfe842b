//! Rows: where each data type changes from its packed to its indexed encoding.

use super::{INT_MAX, INT_MIN, LONG_MAX, choice, int, memory, rows};

rows! {
    from super::memory::END;

    "Lists" {
        /// The largest packed list and the size of the nodes of a longer one: a positive
        /// number counts elements, -1 to -5 bound the bytes to 4, 8, 16, 32 and 64 kb.
        LIST_MAX_LISTPACK_SIZE = int("list-max-listpack-size", INT_MIN, INT_MAX, "-2")
            .alias(&["list-max-ziplist-size"]);
        /// Nodes at each end of a list that are not compressed; 0 compresses none.
        LIST_COMPRESS_DEPTH = int("list-compress-depth", 0, INT_MAX, "0")
            .inert("list nodes are never compressed");
    }

    "Limits of one value" {
        /// The longest string, and the longest element of a collection; 0 is no limit but
        /// `proto-max-bulk-len`.
        MAX_VALUE_BYTES = memory("max-value-bytes", 0, LONG_MAX, "0");
        /// The most elements of a list, hash, set, sorted set or stream; 0 is no limit.
        MAX_COLLECTION_ELEMENTS = int("max-collection-elements", 0, LONG_MAX, "0");
        /// What happens to a command that goes past one of these limits: `refuse` answers
        /// it with an error, `warn` runs it and says so in the log.
        VALUE_LIMITS_ACTION = choice("value-limits-action", &["refuse", "warn"], "refuse");
    }

    "Other types" {
        /// Fields of the largest packed hash.
        HASH_MAX_LISTPACK_ENTRIES = int("hash-max-listpack-entries", 0, LONG_MAX, "512")
            .alias(&["hash-max-ziplist-entries"]);
        /// Bytes of the longest field or value in a packed hash.
        HASH_MAX_LISTPACK_VALUE = memory("hash-max-listpack-value", 0, LONG_MAX, "64")
            .alias(&["hash-max-ziplist-value"]);
        /// Members of the largest set of integers that is stored as a sorted array.
        SET_MAX_INTSET_ENTRIES = int("set-max-intset-entries", 0, LONG_MAX, "512");
        /// Members of the largest packed set.
        SET_MAX_LISTPACK_ENTRIES = int("set-max-listpack-entries", 0, LONG_MAX, "128");
        /// Bytes of the longest member of a packed set.
        SET_MAX_LISTPACK_VALUE = memory("set-max-listpack-value", 0, LONG_MAX, "64");
        /// Members of the largest packed sorted set.
        ZSET_MAX_LISTPACK_ENTRIES = int("zset-max-listpack-entries", 0, LONG_MAX, "128")
            .alias(&["zset-max-ziplist-entries"]);
        /// Bytes of the longest member of a packed sorted set.
        ZSET_MAX_LISTPACK_VALUE = memory("zset-max-listpack-value", 0, LONG_MAX, "64")
            .alias(&["zset-max-ziplist-value"]);
        /// Bytes of the largest sparse HyperLogLog.
        HLL_SPARSE_MAX_BYTES = memory("hll-sparse-max-bytes", 0, LONG_MAX, "3000");
        /// Bytes of one node of a stream; 0 is no limit.
        STREAM_NODE_MAX_BYTES = memory("stream-node-max-bytes", 0, LONG_MAX, "4kb");
        /// Entries of one node of a stream; 0 is no limit.
        STREAM_NODE_MAX_ENTRIES = int("stream-node-max-entries", 0, LONG_MAX, "100");
    }
}
