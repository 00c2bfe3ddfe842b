//! The rows of the hash commands that Redis has had all along.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Flags, Group, KeySpec, Spec};

use super::*;

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "hset",
        arity: -4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is called with multiple field/value pairs.",
        summary: "Set the string value of a hash field",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("field_value", ArgType::Block).multiple().of(&[
                Arg::new("field", ArgType::String),
                Arg::new("value", ArgType::String),
            ]),
        ],
        run: hset,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hsetnx",
        arity: 4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Insert])],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(1)",
        summary: "Set the value of a hash field, only if the field does not exist",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("field", ArgType::String),
            Arg::new("value", ArgType::String),
        ],
        run: hsetnx,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hget",
        arity: 3,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(1)",
        summary: "Get the value of a hash field",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("field", ArgType::String),
        ],
        run: hget,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hmget",
        arity: -3,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(N) where N is the number of fields being requested.",
        summary: "Get the values of all the given hash fields",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("field", ArgType::String).multiple(),
        ],
        run: hmget,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hmset",
        arity: -4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(N) where N is the number of fields being set.",
        summary: "Set multiple hash fields to multiple values",
        deprecated: Some(("4.0.0", "`HSET` with multiple field-value pairs")),
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("field_value", ArgType::Block).multiple().of(&[
                Arg::new("field", ArgType::String),
                Arg::new("value", ArgType::String),
            ]),
        ],
        run: hmset,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hgetall",
        arity: 2,
        flags: Flags::READONLY,
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output_order"],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(N) where N is the size of the hash.",
        summary: "Get all the fields and values in a hash",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: hgetall,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hkeys",
        arity: 2,
        flags: Flags::READONLY,
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output_order"],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(N) where N is the size of the hash.",
        summary: "Get all the fields in a hash",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: hkeys,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hvals",
        arity: 2,
        flags: Flags::READONLY,
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output_order"],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(N) where N is the size of the hash.",
        summary: "Get all the values in a hash",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: hvals,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hlen",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro])],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(1)",
        summary: "Get the number of fields in a hash",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: hlen,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hstrlen",
        arity: 3,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro])],
        group: Group::Hash,
        since: "3.2.0",
        complexity: "O(1)",
        summary: "Get the length of the value of a hash field",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("field", ArgType::String),
        ],
        run: hstrlen,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hexists",
        arity: 3,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro])],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(1)",
        summary: "Determine if a hash field exists",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("field", ArgType::String),
        ],
        run: hexists,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hdel",
        arity: -3,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(N) where N is the number of fields to be removed.",
        summary: "Delete one or more hash fields",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("field", ArgType::String).multiple(),
        ],
        run: hdel,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hincrby",
        arity: 4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::Hash,
        since: "2.0.0",
        complexity: "O(1)",
        summary: "Increment the integer value of a hash field by the given number",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("field", ArgType::String),
            Arg::new("increment", ArgType::Integer),
        ],
        run: hincrby,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hincrbyfloat",
        arity: 4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::Hash,
        since: "2.6.0",
        complexity: "O(1)",
        summary: "Increment the float value of a hash field by the given amount",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("field", ArgType::String),
            Arg::new("increment", ArgType::Double),
        ],
        run: hincrbyfloat,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hrandfield",
        arity: -2,
        flags: Flags::READONLY,
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output"],
        group: Group::Hash,
        since: "6.2.0",
        complexity: "O(N) where N is the number of fields returned",
        summary: "Get one or multiple random fields from a hash",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("options", ArgType::Block).optional().of(&[
                Arg::new("count", ArgType::Integer),
                Arg::new("withvalues", ArgType::PureToken)
                    .token("WITHVALUES")
                    .optional(),
            ]),
        ],
        run: random::hrandfield,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hscan",
        arity: -3,
        flags: Flags::READONLY,
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output"],
        group: Group::Hash,
        since: "2.8.0",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
        summary: "Incrementally iterate hash fields and associated values",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("cursor", ArgType::Integer),
            Arg::new("pattern", ArgType::Pattern)
                .token("MATCH")
                .optional(),
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
            Arg::new("novalues", ArgType::PureToken)
                .token("NOVALUES")
                .since("7.4.0")
                .optional(),
        ],
        run: scan::hscan,
        ..Spec::DEFAULT
    },
];
