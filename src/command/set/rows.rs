//! The rows of the set commands.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Begin, Find, Flags, Group, KeySpec, Spec};

use super::*;

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "sadd",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@set"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Insert])],
        group: Group::Set,
        since: "1.0.0",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
        summary: "Add one or more members to a set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String).multiple(),
        ],
        run: sadd,
        ..Spec::DEFAULT
    },
    Spec {
        name: "srem",
        arity: -3,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@set"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        group: Group::Set,
        since: "1.0.0",
        complexity: "O(N) where N is the number of members to be removed.",
        summary: "Remove one or more members from a set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String).multiple(),
        ],
        run: srem,
        ..Spec::DEFAULT
    },
    Spec {
        name: "scard",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@set"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro])],
        group: Group::Set,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Get the number of members in a set",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: scard,
        ..Spec::DEFAULT
    },
    Spec {
        name: "sismember",
        arity: 3,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@set"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro])],
        group: Group::Set,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Determine if a given value is a member of a set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String),
        ],
        run: sismember,
        ..Spec::DEFAULT
    },
    Spec {
        name: "smismember",
        arity: -3,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@set"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Set,
        since: "6.2.0",
        complexity: "O(N) where N is the number of elements being checked for membership",
        summary: "Returns the membership associated with the given elements for a set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String).multiple(),
        ],
        run: smismember,
        ..Spec::DEFAULT
    },
    Spec {
        name: "smove",
        arity: 4,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@set"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Rw, Access, Delete]),
            KeySpec::range(2, 0, 1, &[Rw, Insert]),
        ],
        group: Group::Set,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Move a member from one set to another",
        args: &[
            Arg::new("source", ArgType::Key).key(0),
            Arg::new("destination", ArgType::Key).key(1),
            Arg::new("member", ArgType::String),
        ],
        run: smove,
        ..Spec::DEFAULT
    },
    Spec {
        name: "spop",
        arity: -2,
        flags: Flags::WRITE.with(Flags::FAST).with(Flags::COUNTED),
        acl: &["@set"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Delete])],
        tips: &["nondeterministic_output"],
        group: Group::Set,
        since: "1.0.0",
        complexity: "Without the count argument O(1), otherwise O(N) where N is the value of the passed count.",
        summary: "Remove and return one or multiple random members from a set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("count", ArgType::Integer)
                .since("3.2.0")
                .optional(),
        ],
        run: spop,
        ..Spec::DEFAULT
    },
    Spec {
        name: "srandmember",
        arity: -2,
        flags: Flags::READONLY,
        acl: &["@set"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output"],
        group: Group::Set,
        since: "1.0.0",
        complexity: "Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count.",
        summary: "Get one or multiple random members from a set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("count", ArgType::Integer)
                .since("2.6.0")
                .optional(),
        ],
        run: srandmember,
        ..Spec::DEFAULT
    },
    Spec {
        name: "smembers",
        arity: 2,
        flags: Flags::READONLY,
        acl: &["@set"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output_order"],
        group: Group::Set,
        since: "1.0.0",
        complexity: "O(N) where N is the set cardinality.",
        summary: "Get all the members in a set",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: smembers,
        ..Spec::DEFAULT
    },
    Spec {
        name: "sscan",
        arity: -3,
        flags: Flags::READONLY,
        acl: &["@set"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output"],
        group: Group::Set,
        since: "2.8.0",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection..",
        summary: "Incrementally iterate Set elements",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("cursor", ArgType::Integer),
            Arg::new("pattern", ArgType::Pattern)
                .token("MATCH")
                .optional(),
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
        ],
        run: sscan,
        ..Spec::DEFAULT
    },
    Spec {
        name: "sinter",
        arity: -2,
        flags: Flags::READONLY,
        acl: &["@set"],
        keys: &[KeySpec::range(1, -1, 1, &[Ro, Access])],
        tips: &["nondeterministic_output_order"],
        group: Group::Set,
        since: "1.0.0",
        complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
        summary: "Intersect multiple sets",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple()],
        run: sinter,
        ..Spec::DEFAULT
    },
    Spec {
        name: "sintercard",
        arity: -3,
        flags: Flags::READONLY.with(Flags::MOVABLEKEYS),
        acl: &["@set"],
        keys: &[KeySpec {
            flags: &[Ro, Access],
            begin: Begin::Index(1),
            find: Find::Count {
                count_at: 0,
                first: 1,
                step: 1,
            },
        }],
        group: Group::Set,
        since: "7.0.0",
        complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
        summary: "Intersect multiple sets and return the cardinality of the result",
        args: &[
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("key", ArgType::Key).key(0).multiple(),
            Arg::new("limit", ArgType::Integer)
                .token("LIMIT")
                .optional(),
        ],
        run: sintercard,
        ..Spec::DEFAULT
    },
    Spec {
        name: "sinterstore",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@set"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Rw, Update]),
            KeySpec::range(2, -1, 1, &[Ro, Access]),
        ],
        group: Group::Set,
        since: "1.0.0",
        complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
        summary: "Intersect multiple sets and store the resulting set in a key",
        args: &[
            Arg::new("destination", ArgType::Key).key(0),
            Arg::new("key", ArgType::Key).key(1).multiple(),
        ],
        run: sinterstore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "sunion",
        arity: -2,
        flags: Flags::READONLY,
        acl: &["@set"],
        keys: &[KeySpec::range(1, -1, 1, &[Ro, Access])],
        tips: &["nondeterministic_output_order"],
        group: Group::Set,
        since: "1.0.0",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        summary: "Add multiple sets",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple()],
        run: sunion,
        ..Spec::DEFAULT
    },
    Spec {
        name: "sunionstore",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@set"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Ow, Update]),
            KeySpec::range(2, -1, 1, &[Ro, Access]),
        ],
        group: Group::Set,
        since: "1.0.0",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        summary: "Add multiple sets and store the resulting set in a key",
        args: &[
            Arg::new("destination", ArgType::Key).key(0),
            Arg::new("key", ArgType::Key).key(1).multiple(),
        ],
        run: sunionstore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "sdiff",
        arity: -2,
        flags: Flags::READONLY,
        acl: &["@set"],
        keys: &[KeySpec::range(1, -1, 1, &[Ro, Access])],
        tips: &["nondeterministic_output_order"],
        group: Group::Set,
        since: "1.0.0",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        summary: "Subtract multiple sets",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple()],
        run: sdiff,
        ..Spec::DEFAULT
    },
    Spec {
        name: "sdiffstore",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@set"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Ow, Update]),
            KeySpec::range(2, -1, 1, &[Ro, Access]),
        ],
        group: Group::Set,
        since: "1.0.0",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        summary: "Subtract multiple sets and store the resulting set in a key",
        args: &[
            Arg::new("destination", ArgType::Key).key(0),
            Arg::new("key", ArgType::Key).key(1).multiple(),
        ],
        run: sdiffstore,
        ..Spec::DEFAULT
    },
];
