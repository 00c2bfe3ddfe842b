//! The rows of the generic commands.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Begin, Flags, Group, KeySpec, Spec};

use super::*;

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "del",
        arity: -2,
        flags: Flags::WRITE.with(Flags::LIGHT),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, -1, 1, &[Rm, Delete])],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(N) where N is the number of keys that will be removed. When a key to remove holds a value other than a string, the individual complexity for this key is O(M) where M is the number of elements in the list, set, sorted set or hash. Removing a single key that holds a string value is O(1).",
        summary: "Delete a key",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple()],
        run: del,
        ..Spec::DEFAULT
    },
    Spec {
        name: "unlink",
        arity: -2,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, -1, 1, &[Rm, Delete])],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        group: Group::Generic,
        since: "4.0.0",
        complexity: "O(1) for each key removed regardless of its size. Then the command does O(N) work in a different thread in order to reclaim memory, where N is the number of allocations the deleted objects where composed of.",
        summary: "Delete a key asynchronously in another thread. Otherwise it is just as DEL, but non blocking.",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple()],
        run: unlink,
        ..Spec::DEFAULT
    },
    Spec {
        name: "exists",
        arity: -2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, -1, 1, &[Ro])],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(N) where N is the number of keys to check.",
        summary: "Determine if a key exists",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple()],
        run: exists,
        ..Spec::DEFAULT
    },
    Spec {
        name: "touch",
        arity: -2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, -1, 1, &[Ro])],
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        group: Group::Generic,
        since: "3.2.1",
        complexity: "O(N) where N is the number of keys that will be touched.",
        summary: "Alters the last access time of a key(s). Returns the number of existing keys specified.",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple()],
        run: touch,
        ..Spec::DEFAULT
    },
    Spec {
        name: "expire",
        arity: -3,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Set a key's time to live in seconds",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("seconds", ArgType::Integer),
            Arg::new("condition", ArgType::OneOf)
                .since("7.0.0")
                .optional()
                .of(&[
                    Arg::new("nx", ArgType::PureToken).token("NX"),
                    Arg::new("xx", ArgType::PureToken).token("XX"),
                    Arg::new("gt", ArgType::PureToken).token("GT"),
                    Arg::new("lt", ArgType::PureToken).token("LT"),
                ]),
        ],
        run: expire,
        ..Spec::DEFAULT
    },
    Spec {
        name: "pexpire",
        arity: -3,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Generic,
        since: "2.6.0",
        complexity: "O(1)",
        summary: "Set a key's time to live in milliseconds",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("milliseconds", ArgType::Integer),
            Arg::new("condition", ArgType::OneOf)
                .since("7.0.0")
                .optional()
                .of(&[
                    Arg::new("nx", ArgType::PureToken).token("NX"),
                    Arg::new("xx", ArgType::PureToken).token("XX"),
                    Arg::new("gt", ArgType::PureToken).token("GT"),
                    Arg::new("lt", ArgType::PureToken).token("LT"),
                ]),
        ],
        run: pexpire,
        ..Spec::DEFAULT
    },
    Spec {
        name: "expireat",
        arity: -3,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Generic,
        since: "1.2.0",
        complexity: "O(1)",
        summary: "Set the expiration for a key as a UNIX timestamp",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("unix-time-seconds", ArgType::UnixTime),
            Arg::new("condition", ArgType::OneOf)
                .since("7.0.0")
                .optional()
                .of(&[
                    Arg::new("nx", ArgType::PureToken).token("NX"),
                    Arg::new("xx", ArgType::PureToken).token("XX"),
                    Arg::new("gt", ArgType::PureToken).token("GT"),
                    Arg::new("lt", ArgType::PureToken).token("LT"),
                ]),
        ],
        run: expireat,
        ..Spec::DEFAULT
    },
    Spec {
        name: "pexpireat",
        arity: -3,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Generic,
        since: "2.6.0",
        complexity: "O(1)",
        summary: "Set the expiration for a key as a UNIX timestamp specified in milliseconds",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("unix-time-milliseconds", ArgType::UnixTime),
            Arg::new("condition", ArgType::OneOf)
                .since("7.0.0")
                .optional()
                .of(&[
                    Arg::new("nx", ArgType::PureToken).token("NX"),
                    Arg::new("xx", ArgType::PureToken).token("XX"),
                    Arg::new("gt", ArgType::PureToken).token("GT"),
                    Arg::new("lt", ArgType::PureToken).token("LT"),
                ]),
        ],
        run: pexpireat,
        ..Spec::DEFAULT
    },
    Spec {
        name: "ttl",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output"],
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Get the time to live for a key in seconds",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: ttl,
        ..Spec::DEFAULT
    },
    Spec {
        name: "pttl",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output"],
        group: Group::Generic,
        since: "2.6.0",
        complexity: "O(1)",
        summary: "Get the time to live for a key in milliseconds",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: pttl,
        ..Spec::DEFAULT
    },
    Spec {
        name: "expiretime",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Generic,
        since: "7.0.0",
        complexity: "O(1)",
        summary: "Get the expiration Unix timestamp for a key",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: expiretime,
        ..Spec::DEFAULT
    },
    Spec {
        name: "pexpiretime",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Generic,
        since: "7.0.0",
        complexity: "O(1)",
        summary: "Get the expiration Unix timestamp for a key in milliseconds",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: pexpiretime,
        ..Spec::DEFAULT
    },
    Spec {
        name: "persist",
        arity: 2,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Generic,
        since: "2.2.0",
        complexity: "O(1)",
        summary: "Remove the expiration from a key",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: persist,
        ..Spec::DEFAULT
    },
    Spec {
        name: "keys",
        arity: 2,
        flags: Flags::READONLY.with(Flags::SLOW).with(Flags::ALONE),
        acl: &["@keyspace", "@dangerous"],
        tips: &["request_policy:all_shards", "nondeterministic_output_order"],
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(N) with N being the number of keys in the database, under the assumption that the key names in the database and the given pattern have limited length.",
        summary: "Find all keys matching the given pattern",
        args: &[Arg::new("pattern", ArgType::Pattern)],
        run: keys,
        ..Spec::DEFAULT
    },
    Spec {
        name: "type",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro])],
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Determine the type stored at key",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: type_,
        ..Spec::DEFAULT
    },
    Spec {
        name: "rename",
        arity: 3,
        flags: Flags::WRITE,
        acl: &["@keyspace"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Rw, Access, Delete]),
            KeySpec::range(2, 0, 1, &[Ow, Update]),
        ],
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Rename a key",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("newkey", ArgType::Key).key(1),
        ],
        run: rename,
        ..Spec::DEFAULT
    },
    Spec {
        name: "renamenx",
        arity: 3,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Rw, Access, Delete]),
            KeySpec::range(2, 0, 1, &[Ow, Insert]),
        ],
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Rename a key, only if the new key does not exist",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("newkey", ArgType::Key).key(1),
        ],
        run: renamenx,
        ..Spec::DEFAULT
    },
    Spec {
        name: "scan",
        arity: -2,
        flags: Flags::READONLY.with(Flags::ALONE),
        acl: &["@keyspace"],
        tips: &["nondeterministic_output", "request_policy:special"],
        group: Group::Generic,
        since: "2.8.0",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
        summary: "Incrementally iterate the keys space",
        args: &[
            Arg::new("cursor", ArgType::Integer),
            Arg::new("pattern", ArgType::Pattern)
                .token("MATCH")
                .optional(),
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
            Arg::new("type", ArgType::String)
                .token("TYPE")
                .since("6.0.0")
                .optional(),
        ],
        run: scan,
        ..Spec::DEFAULT
    },
    Spec {
        name: "randomkey",
        arity: 1,
        flags: Flags::READONLY.with(Flags::ALONE),
        acl: &["@keyspace"],
        tips: &["request_policy:all_shards", "nondeterministic_output"],
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Return a random key from the keyspace",
        run: randomkey,
        ..Spec::DEFAULT
    },
    Spec {
        name: "copy",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@keyspace"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Ro, Access]),
            KeySpec::range(2, 0, 1, &[Ow, Update]),
        ],
        group: Group::Generic,
        since: "6.2.0",
        complexity: "O(N) worst case for collections, where N is the number of nested items. O(1) for string values.",
        summary: "Copy a key",
        args: &[
            Arg::new("source", ArgType::Key).key(0),
            Arg::new("destination", ArgType::Key).key(1),
            Arg::new("destination-db", ArgType::Integer)
                .token("DB")
                .optional(),
            Arg::new("replace", ArgType::PureToken)
                .token("REPLACE")
                .optional(),
        ],
        run: copy,
        ..Spec::DEFAULT
    },
    Spec {
        name: "move",
        arity: 3,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Move a key to another database",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("db", ArgType::Integer),
        ],
        run: move_,
        ..Spec::DEFAULT
    },
    Spec {
        name: "dump",
        arity: 2,
        flags: Flags::READONLY,
        acl: &["@keyspace"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output"],
        group: Group::Generic,
        since: "2.6.0",
        complexity: "O(1) to access the key and additional O(N*M) to serialize it, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1).",
        summary: "Return a serialized version of the value stored at the specified key.",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: dump,
        ..Spec::DEFAULT
    },
    Spec {
        name: "restore",
        arity: -4,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@keyspace", "@dangerous"],
        keys: &[KeySpec::range(1, 0, 1, &[Ow, Update])],
        group: Group::Generic,
        since: "2.6.0",
        complexity: "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is the number of Redis objects composing the value and M their average size. For small string values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).",
        summary: "Create a key using the provided serialized value, previously obtained using DUMP.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("ttl", ArgType::Integer),
            Arg::new("serialized-value", ArgType::String),
            Arg::new("replace", ArgType::PureToken)
                .token("REPLACE")
                .since("3.0.0")
                .optional(),
            Arg::new("absttl", ArgType::PureToken)
                .token("ABSTTL")
                .since("5.0.0")
                .optional(),
            Arg::new("seconds", ArgType::Integer)
                .token("IDLETIME")
                .since("5.0.0")
                .optional(),
            Arg::new("frequency", ArgType::Integer)
                .token("FREQ")
                .since("5.0.0")
                .optional(),
        ],
        run: restore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "sort",
        arity: -2,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::MOVABLEKEYS),
        acl: &["@set", "@sortedset", "@list", "@dangerous"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Ro, Access]),
            KeySpec::unknown(&[Ro, Access]),
            KeySpec {
                begin: Begin::Option {
                    word: "STORE",
                    from: 2,
                    others: &[("LIMIT", 2), ("GET", 1), ("BY", 1)],
                },
                ..KeySpec::unknown(&[Ow, Update])
            },
        ],
        group: Group::Generic,
        since: "1.0.0",
        complexity: SORT_COMPLEXITY,
        summary: "Sort the elements in a list, set or sorted set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            SORT_BY,
            SORT_LIMIT,
            SORT_GET,
            SORT_ORDER,
            SORT_ALPHA,
            Arg::new("destination", ArgType::Key)
                .key(2)
                .token("STORE")
                .optional(),
        ],
        run: sort,
        ..Spec::DEFAULT
    },
    Spec {
        name: "sort_ro",
        arity: -2,
        flags: Flags::READONLY.with(Flags::MOVABLEKEYS),
        acl: &["@set", "@sortedset", "@list", "@dangerous"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Ro, Access]),
            KeySpec::unknown(&[Ro, Access]),
        ],
        group: Group::Generic,
        since: "7.0.0",
        complexity: SORT_COMPLEXITY,
        summary: "Sort the elements in a list, set or sorted set. Read-only variant of SORT.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            SORT_BY,
            SORT_LIMIT,
            SORT_GET,
            SORT_ORDER,
            SORT_ALPHA,
        ],
        run: sort_ro,
        ..Spec::DEFAULT
    },
    Spec {
        name: "object",
        arity: -2,
        flags: Flags::NONE,
        group: Group::Generic,
        since: "2.2.3",
        complexity: "Depends on subcommand.",
        summary: "A container for object introspection commands",
        subcommands: &[
            Spec {
                name: "encoding",
                arity: 3,
                flags: Flags::READONLY,
                acl: &["@keyspace"],
                keys: &[KeySpec::range(2, 0, 1, &[Ro])],
                tips: &["nondeterministic_output"],
                group: Group::Generic,
                since: "2.2.3",
                complexity: "O(1)",
                summary: "Inspect the internal encoding of a Redis object",
                args: &[Arg::new("key", ArgType::Key).key(0)],
                run: object_encoding,
                ..Spec::DEFAULT
            },
            Spec {
                name: "refcount",
                arity: 3,
                flags: Flags::READONLY,
                acl: &["@keyspace"],
                keys: &[KeySpec::range(2, 0, 1, &[Ro])],
                tips: &["nondeterministic_output"],
                group: Group::Generic,
                since: "2.2.3",
                complexity: "O(1)",
                summary: "Get the number of references to the value of the key",
                args: &[Arg::new("key", ArgType::Key).key(0)],
                run: object_refcount,
                ..Spec::DEFAULT
            },
            Spec {
                name: "idletime",
                arity: 3,
                flags: Flags::READONLY,
                acl: &["@keyspace"],
                keys: &[KeySpec::range(2, 0, 1, &[Ro])],
                tips: &["nondeterministic_output"],
                group: Group::Generic,
                since: "2.2.3",
                complexity: "O(1)",
                summary: "Get the time since a Redis object was last accessed",
                args: &[Arg::new("key", ArgType::Key).key(0)],
                run: object_idletime,
                ..Spec::DEFAULT
            },
            Spec {
                name: "freq",
                arity: 3,
                flags: Flags::READONLY,
                acl: &["@keyspace"],
                keys: &[KeySpec::range(2, 0, 1, &[Ro])],
                tips: &["nondeterministic_output"],
                group: Group::Generic,
                since: "4.0.0",
                complexity: "O(1)",
                summary: "Get the logarithmic access frequency counter of a Redis object",
                args: &[Arg::new("key", ArgType::Key).key(0)],
                run: object_freq,
                ..Spec::DEFAULT
            },
            Spec {
                name: "help",
                arity: 2,
                flags: Flags::LOADING.with(Flags::STALE),
                acl: &["@keyspace"],
                group: Group::Generic,
                since: "6.2.0",
                complexity: "O(1)",
                summary: "Show helpful text about the different subcommands",
                run: object_help,
                ..Spec::DEFAULT
            },
        ],
        ..Spec::DEFAULT
    },
];

const SORT_COMPLEXITY: &str = "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the elements are not sorted, complexity is O(N).";

// The arguments that SORT and SORT_RO share.

const SORT_BY: Arg = Arg::new("pattern", ArgType::Pattern)
    .key(1)
    .token("BY")
    .optional();
const SORT_LIMIT: Arg = Arg::new("offset_count", ArgType::Block)
    .token("LIMIT")
    .optional()
    .of(&[
        Arg::new("offset", ArgType::Integer),
        Arg::new("count", ArgType::Integer),
    ]);
const SORT_GET: Arg = Arg::new("pattern", ArgType::Pattern)
    .key(1)
    .token("GET")
    .optional()
    .multiple()
    .multiple_token();
const SORT_ORDER: Arg = Arg::new("order", ArgType::OneOf).optional().of(&[
    Arg::new("asc", ArgType::PureToken).token("ASC"),
    Arg::new("desc", ArgType::PureToken).token("DESC"),
]);
const SORT_ALPHA: Arg = Arg::new("sorting", ArgType::PureToken)
    .token("ALPHA")
    .optional();
