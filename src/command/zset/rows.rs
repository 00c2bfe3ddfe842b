//! The rows of the commands on single elements and ends of sorted sets.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Begin, Find, Flags, Group, KeySpec, Spec};

use super::*;

/// The commands of this file.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "zadd",
        arity: -4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::SortedSet,
        since: "1.2.0",
        complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
        summary: "Add one or more members to a sorted set, or update its score if it already exists",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("condition", ArgType::OneOf)
                .since("3.0.2")
                .optional()
                .of(&[
                    Arg::new("nx", ArgType::PureToken).token("NX"),
                    Arg::new("xx", ArgType::PureToken).token("XX"),
                ]),
            Arg::new("comparison", ArgType::OneOf)
                .since("6.2.0")
                .optional()
                .of(&[
                    Arg::new("gt", ArgType::PureToken).token("GT"),
                    Arg::new("lt", ArgType::PureToken).token("LT"),
                ]),
            Arg::new("change", ArgType::PureToken)
                .token("CH")
                .since("3.0.2")
                .optional(),
            Arg::new("increment", ArgType::PureToken)
                .token("INCR")
                .since("3.0.2")
                .optional(),
            Arg::new("score_member", ArgType::Block).multiple().of(&[
                Arg::new("score", ArgType::Double),
                Arg::new("member", ArgType::String),
            ]),
        ],
        run: zadd,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zincrby",
        arity: 4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::SortedSet,
        since: "1.2.0",
        complexity: "O(log(N)) where N is the number of elements in the sorted set.",
        summary: "Increment the score of a member in a sorted set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("increment", ArgType::Integer),
            Arg::new("member", ArgType::String),
        ],
        run: zincrby,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zrem",
        arity: -3,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        group: Group::SortedSet,
        since: "1.2.0",
        complexity: "O(M*log(N)) with N being the number of elements in the sorted set and M the number of elements to be removed.",
        summary: "Remove one or more members from a sorted set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String).multiple(),
        ],
        run: zrem,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zscore",
        arity: 3,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::SortedSet,
        since: "1.2.0",
        complexity: "O(1)",
        summary: "Get the score associated with the given member in a sorted set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String),
        ],
        run: zscore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zmscore",
        arity: -3,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::SortedSet,
        since: "6.2.0",
        complexity: "O(N) where N is the number of members being requested.",
        summary: "Get the score associated with the given members in a sorted set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String).multiple(),
        ],
        run: zmscore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zcard",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro])],
        group: Group::SortedSet,
        since: "1.2.0",
        complexity: "O(1)",
        summary: "Get the number of members in a sorted set",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: zcard,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zcount",
        arity: 4,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::SortedSet,
        since: "2.0.0",
        complexity: "O(log(N)) with N being the number of elements in the sorted set.",
        summary: "Count the members in a sorted set with scores within the given values",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("min", ArgType::Double),
            Arg::new("max", ArgType::Double),
        ],
        run: zcount,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zlexcount",
        arity: 4,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::SortedSet,
        since: "2.8.9",
        complexity: "O(log(N)) with N being the number of elements in the sorted set.",
        summary: "Count the number of members in a sorted set between a given lexicographical range",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("min", ArgType::String),
            Arg::new("max", ArgType::String),
        ],
        run: zlexcount,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zrank",
        arity: -3,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::SortedSet,
        since: "2.0.0",
        complexity: "O(log(N))",
        summary: "Determine the index of a member in a sorted set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String),
            Arg::new("withscore", ArgType::PureToken)
                .token("WITHSCORE")
                .since("7.2.0")
                .optional(),
        ],
        run: zrank,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zrevrank",
        arity: -3,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::SortedSet,
        since: "2.0.0",
        complexity: "O(log(N))",
        summary: "Determine the index of a member in a sorted set, with scores ordered from high to low",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String),
            Arg::new("withscore", ArgType::PureToken)
                .token("WITHSCORE")
                .since("7.2.0")
                .optional(),
        ],
        run: zrevrank,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zpopmin",
        arity: -2,
        flags: Flags::WRITE.with(Flags::FAST).with(Flags::COUNTED),
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Delete])],
        group: Group::SortedSet,
        since: "5.0.0",
        complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.",
        summary: "Remove and return members with the lowest scores in a sorted set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("count", ArgType::Integer).optional(),
        ],
        run: zpopmin,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zpopmax",
        arity: -2,
        flags: Flags::WRITE.with(Flags::FAST).with(Flags::COUNTED),
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Delete])],
        group: Group::SortedSet,
        since: "5.0.0",
        complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.",
        summary: "Remove and return members with the highest scores in a sorted set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("count", ArgType::Integer).optional(),
        ],
        run: zpopmax,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zmpop",
        arity: -4,
        flags: Flags::WRITE.with(Flags::MOVABLEKEYS),
        acl: &["@sortedset"],
        keys: &[KeySpec {
            flags: &[Rw, Access, Delete],
            begin: Begin::Index(1),
            find: Find::Count {
                count_at: 0,
                first: 1,
                step: 1,
            },
        }],
        group: Group::SortedSet,
        since: "7.0.0",
        complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.",
        summary: "Remove and return members with scores in a sorted set",
        args: &[
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("key", ArgType::Key).key(0).multiple(),
            Arg::new("where", ArgType::OneOf).of(&[
                Arg::new("min", ArgType::PureToken).token("MIN"),
                Arg::new("max", ArgType::PureToken).token("MAX"),
            ]),
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
        ],
        run: zmpop,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zrandmember",
        arity: -2,
        flags: Flags::READONLY,
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output"],
        group: Group::SortedSet,
        since: "6.2.0",
        complexity: "O(N) where N is the number of elements returned",
        summary: "Get one or multiple random elements from a sorted set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("options", ArgType::Block).optional().of(&[
                Arg::new("count", ArgType::Integer),
                Arg::new("withscores", ArgType::PureToken)
                    .token("WITHSCORES")
                    .optional(),
            ]),
        ],
        run: zrandmember,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zscan",
        arity: -3,
        flags: Flags::READONLY,
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output"],
        group: Group::SortedSet,
        since: "2.8.0",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection..",
        summary: "Incrementally iterate sorted sets elements and associated scores",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("cursor", ArgType::Integer),
            Arg::new("pattern", ArgType::Pattern)
                .token("MATCH")
                .optional(),
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
            Arg::new("noscores", ArgType::PureToken)
                .token("NOSCORES")
                .optional(),
        ],
        run: zscan,
        ..Spec::DEFAULT
    },
];
