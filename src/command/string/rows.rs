//! The rows of the string commands.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Begin, Find, Flags, Group, KeySpec, Spec};

use super::*;

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "set",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::LIGHT),
        acl: &["@string"],
        keys: &[KeySpec::range(
            1,
            0,
            1,
            &[Rw, Access, Update, VariableFlags],
        )],
        group: Group::String,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Set the string value of a key",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("value", ArgType::String),
            Arg::new("condition", ArgType::OneOf)
                .since("2.6.12")
                .optional()
                .of(&[
                    Arg::new("nx", ArgType::PureToken).token("NX"),
                    Arg::new("xx", ArgType::PureToken).token("XX"),
                    Arg::new("ifeq-value", ArgType::String)
                        .token("IFEQ")
                        .since("8.4.0"),
                    Arg::new("ifne-value", ArgType::String)
                        .token("IFNE")
                        .since("8.4.0"),
                    Arg::new("ifdeq-digest", ArgType::String)
                        .token("IFDEQ")
                        .since("8.4.0"),
                    Arg::new("ifdne-digest", ArgType::String)
                        .token("IFDNE")
                        .since("8.4.0"),
                ]),
            Arg::new("get", ArgType::PureToken)
                .token("GET")
                .since("6.2.0")
                .optional(),
            Arg::new("expiration", ArgType::OneOf).optional().of(&[
                Arg::new("seconds", ArgType::Integer)
                    .token("EX")
                    .since("2.6.12"),
                Arg::new("milliseconds", ArgType::Integer)
                    .token("PX")
                    .since("2.6.12"),
                Arg::new("unix-time-seconds", ArgType::UnixTime)
                    .token("EXAT")
                    .since("6.2.0"),
                Arg::new("unix-time-milliseconds", ArgType::UnixTime)
                    .token("PXAT")
                    .since("6.2.0"),
                Arg::new("keepttl", ArgType::PureToken)
                    .token("KEEPTTL")
                    .since("6.0.0"),
            ]),
        ],
        run: set,
        ..Spec::DEFAULT
    },
    Spec {
        name: "get",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::String,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Get the value of a key",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: get,
        ..Spec::DEFAULT
    },
    Spec {
        name: "incr",
        arity: 2,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::String,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Increment the integer value of a key by one",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: incr,
        ..Spec::DEFAULT
    },
    Spec {
        name: "incrby",
        arity: 3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::String,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Increment the integer value of a key by the given amount",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("increment", ArgType::Integer),
        ],
        run: incrby,
        ..Spec::DEFAULT
    },
    Spec {
        name: "decr",
        arity: 2,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::String,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Decrement the integer value of a key by one",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: decr,
        ..Spec::DEFAULT
    },
    Spec {
        name: "decrby",
        arity: 3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::String,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Decrement the integer value of a key by the given number",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("decrement", ArgType::Integer),
        ],
        run: decrby,
        ..Spec::DEFAULT
    },
    Spec {
        name: "append",
        arity: 3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Insert])],
        group: Group::String,
        since: "2.0.0",
        complexity: "O(1). The amortized time complexity is O(1) assuming the appended value is small and the already present value is of any size, since the dynamic string library used by Redis will double the free space available on every reallocation.",
        summary: "Append a value to a key",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("value", ArgType::String),
        ],
        run: append,
        ..Spec::DEFAULT
    },
    Spec {
        name: "strlen",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro])],
        group: Group::String,
        since: "2.2.0",
        complexity: "O(1)",
        summary: "Get the length of the value stored in a key",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: strlen,
        ..Spec::DEFAULT
    },
    Spec {
        name: "mset",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::LIGHT),
        acl: &["@string"],
        keys: &[KeySpec::range(1, -1, 2, &[Ow, Update])],
        tips: &[
            "request_policy:multi_shard",
            "response_policy:all_succeeded",
        ],
        group: Group::String,
        since: "1.0.1",
        complexity: "O(N) where N is the number of keys to set.",
        summary: "Set multiple keys to multiple values",
        args: &[Arg::new("key_value", ArgType::Block).multiple().of(&[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("value", ArgType::String),
        ])],
        run: mset,
        ..Spec::DEFAULT
    },
    Spec {
        name: "mget",
        arity: -2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, -1, 1, &[Ro, Access])],
        tips: &["request_policy:multi_shard"],
        group: Group::String,
        since: "1.0.0",
        complexity: "O(N) where N is the number of keys to retrieve.",
        summary: "Get the values of all the given keys",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple()],
        run: mget,
        ..Spec::DEFAULT
    },
    Spec {
        name: "setnx",
        arity: 3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Ow, Insert])],
        group: Group::String,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Set the value of a key, only if the key does not exist",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("value", ArgType::String),
        ],
        run: setnx,
        ..Spec::DEFAULT
    },
    Spec {
        name: "setex",
        arity: 4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::LIGHT),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Ow, Update])],
        group: Group::String,
        since: "2.0.0",
        complexity: "O(1)",
        summary: "Set the value and expiration of a key",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("seconds", ArgType::Integer),
            Arg::new("value", ArgType::String),
        ],
        run: setex,
        ..Spec::DEFAULT
    },
    Spec {
        name: "psetex",
        arity: 4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::LIGHT),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Ow, Update])],
        group: Group::String,
        since: "2.6.0",
        complexity: "O(1)",
        summary: "Set the value and expiration in milliseconds of a key",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("milliseconds", ArgType::Integer),
            Arg::new("value", ArgType::String),
        ],
        run: psetex,
        ..Spec::DEFAULT
    },
    Spec {
        name: "getset",
        arity: 3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::String,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Set the string value of a key and return its old value",
        deprecated: Some(("6.2.0", "`SET` with the `!GET` argument")),
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("value", ArgType::String),
        ],
        run: getset,
        ..Spec::DEFAULT
    },
    Spec {
        name: "getdel",
        arity: 2,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Delete])],
        group: Group::String,
        since: "6.2.0",
        complexity: "O(1)",
        summary: "Get the value of a key and delete the key",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: getdel,
        ..Spec::DEFAULT
    },
    Spec {
        name: "getex",
        arity: -2,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::String,
        since: "6.2.0",
        complexity: "O(1)",
        summary: "Get the value of a key and optionally set its expiration",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("expiration", ArgType::OneOf).optional().of(&[
                Arg::new("seconds", ArgType::Integer).token("EX"),
                Arg::new("milliseconds", ArgType::Integer).token("PX"),
                Arg::new("unix-time-seconds", ArgType::UnixTime).token("EXAT"),
                Arg::new("unix-time-milliseconds", ArgType::UnixTime).token("PXAT"),
                Arg::new("persist", ArgType::PureToken).token("PERSIST"),
            ]),
        ],
        run: getex,
        ..Spec::DEFAULT
    },
    Spec {
        name: "msetnx",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::LIGHT),
        acl: &["@string"],
        keys: &[KeySpec::range(1, -1, 2, &[Ow, Insert])],
        tips: &["request_policy:multi_shard", "response_policy:agg_min"],
        group: Group::String,
        since: "1.0.1",
        complexity: "O(N) where N is the number of keys to set.",
        summary: "Set multiple keys to multiple values, only if none of the keys exist",
        args: &[Arg::new("key_value", ArgType::Block).multiple().of(&[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("value", ArgType::String),
        ])],
        run: msetnx,
        ..Spec::DEFAULT
    },
    Spec {
        name: "setrange",
        arity: 4,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::String,
        since: "2.2.0",
        complexity: "O(1), not counting the time taken to copy the new string in place. Usually, this string is very small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the length of the value argument.",
        summary: "Overwrite part of a string at key starting at the specified offset",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("offset", ArgType::Integer),
            Arg::new("value", ArgType::String),
        ],
        run: setrange,
        ..Spec::DEFAULT
    },
    Spec {
        name: "getrange",
        arity: 4,
        flags: Flags::READONLY,
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::String,
        since: "2.4.0",
        complexity: "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.",
        summary: "Get a substring of the string stored at a key",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("start", ArgType::Integer),
            Arg::new("end", ArgType::Integer),
        ],
        run: getrange,
        ..Spec::DEFAULT
    },
    Spec {
        name: "substr",
        arity: 4,
        flags: Flags::READONLY,
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::String,
        since: "1.0.0",
        complexity: "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.",
        summary: "Get a substring of the string stored at a key",
        deprecated: Some(("2.0.0", "`GETRANGE`")),
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("start", ArgType::Integer),
            Arg::new("end", ArgType::Integer),
        ],
        run: substr,
        ..Spec::DEFAULT
    },
    Spec {
        name: "incrbyfloat",
        arity: 3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::String,
        since: "2.6.0",
        complexity: "O(1)",
        summary: "Increment the float value of a key by the given amount",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("increment", ArgType::Double),
        ],
        run: incrbyfloat,
        ..Spec::DEFAULT
    },
    Spec {
        name: "lcs",
        arity: -3,
        flags: Flags::READONLY,
        acl: &["@string"],
        keys: &[KeySpec::range(1, 1, 1, &[Ro, Access])],
        group: Group::String,
        since: "7.0.0",
        complexity: "O(N*M) where N and M are the lengths of s1 and s2, respectively",
        summary: "Find longest common substring",
        args: &[
            Arg::new("key1", ArgType::Key).key(0),
            Arg::new("key2", ArgType::Key).key(0),
            Arg::new("len", ArgType::PureToken).token("LEN").optional(),
            Arg::new("idx", ArgType::PureToken).token("IDX").optional(),
            Arg::new("len", ArgType::Integer)
                .token("MINMATCHLEN")
                .optional(),
            Arg::new("withmatchlen", ArgType::PureToken)
                .token("WITHMATCHLEN")
                .optional(),
        ],
        run: lcs,
        ..Spec::DEFAULT
    },
    Spec {
        name: "msetex",
        arity: -4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::MOVABLEKEYS),
        acl: &["@string"],
        keys: &[KeySpec {
            flags: &[Ow, Update],
            begin: Begin::Index(1),
            find: Find::Count {
                count_at: 0,
                first: 1,
                step: 2,
            },
        }],
        tips: &[
            "request_policy:multi_shard",
            "response_policy:all_succeeded",
        ],
        group: Group::String,
        since: "8.4.0",
        complexity: "O(N) where N is the number of keys to set.",
        summary: "Set multiple keys to multiple values with one expiration, all or none of them",
        args: &[
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("data", ArgType::Block).multiple().of(&[
                Arg::new("key", ArgType::Key).key(0),
                Arg::new("value", ArgType::String),
            ]),
            Arg::new("condition", ArgType::OneOf).optional().of(&[
                Arg::new("nx", ArgType::PureToken).token("NX"),
                Arg::new("xx", ArgType::PureToken).token("XX"),
            ]),
            Arg::new("expiration", ArgType::OneOf).optional().of(&[
                Arg::new("seconds", ArgType::Integer).token("EX"),
                Arg::new("milliseconds", ArgType::Integer).token("PX"),
                Arg::new("unix-time-seconds", ArgType::UnixTime).token("EXAT"),
                Arg::new("unix-time-milliseconds", ArgType::UnixTime).token("PXAT"),
                Arg::new("keepttl", ArgType::PureToken).token("KEEPTTL"),
            ]),
        ],
        run: msetex,
        ..Spec::DEFAULT
    },
    Spec {
        name: "delex",
        arity: -2,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete, VariableFlags])],
        group: Group::String,
        since: "8.4.0",
        complexity: "O(1) for IFEQ and IFNE, O(N) for IFDEQ and IFDNE where N is the length of the string.",
        summary: "Delete a key if its value or its digest compares as demanded",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("condition", ArgType::OneOf).optional().of(&[
                Arg::new("ifeq-value", ArgType::String).token("IFEQ"),
                Arg::new("ifne-value", ArgType::String).token("IFNE"),
                Arg::new("ifdeq-digest", ArgType::String).token("IFDEQ"),
                Arg::new("ifdne-digest", ArgType::String).token("IFDNE"),
            ]),
        ],
        run: delex,
        ..Spec::DEFAULT
    },
    Spec {
        name: "delifeq",
        arity: 3,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Rm, Delete])],
        group: Group::String,
        since: "9.0.0",
        complexity: "O(1)",
        summary: "Delete a key if its value is the given string (a command of Valkey)",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("value", ArgType::String),
        ],
        run: delifeq,
        ..Spec::DEFAULT
    },
    Spec {
        name: "digest",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@string"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::String,
        since: "8.4.0",
        complexity: "O(N) where N is the length of the string.",
        summary: "Get the XXH3 digest of a string in hexadecimal",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: digest,
        ..Spec::DEFAULT
    },
];
