//! The rows of the generic commands.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Flags, Group, KeySpec, Spec};

use super::*;

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "del",
        arity: -2,
        flags: Flags::WRITE,
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
