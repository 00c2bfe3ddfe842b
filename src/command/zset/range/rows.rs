//! The rows of the commands on ranges.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Flags, Group, KeySpec, Spec};

use super::*;

/// The commands of this file.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "zrange",
        arity: -4,
        flags: Flags::READONLY,
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::SortedSet,
        since: "1.2.0",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.",
        summary: "Return a range of members in a sorted set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("start", ArgType::String),
            Arg::new("stop", ArgType::String),
            Arg::new("sortby", ArgType::OneOf)
                .since("6.2.0")
                .optional()
                .of(&[
                    Arg::new("byscore", ArgType::PureToken).token("BYSCORE"),
                    Arg::new("bylex", ArgType::PureToken).token("BYLEX"),
                ]),
            Arg::new("rev", ArgType::PureToken)
                .token("REV")
                .since("6.2.0")
                .optional(),
            Arg::new("offset_count", ArgType::Block)
                .token("LIMIT")
                .since("6.2.0")
                .optional()
                .of(&[
                    Arg::new("offset", ArgType::Integer),
                    Arg::new("count", ArgType::Integer),
                ]),
            Arg::new("withscores", ArgType::PureToken)
                .token("WITHSCORES")
                .optional(),
        ],
        run: zrange,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zrangestore",
        arity: -5,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@sortedset"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Ow, Update]),
            KeySpec::range(2, 0, 1, &[Ro, Access]),
        ],
        group: Group::SortedSet,
        since: "6.2.0",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements stored into the destination key.",
        summary: "Store a range of members from sorted set into another key",
        args: &[
            Arg::new("dst", ArgType::Key).key(0),
            Arg::new("src", ArgType::Key).key(1),
            Arg::new("min", ArgType::String),
            Arg::new("max", ArgType::String),
            Arg::new("sortby", ArgType::OneOf).optional().of(&[
                Arg::new("byscore", ArgType::PureToken).token("BYSCORE"),
                Arg::new("bylex", ArgType::PureToken).token("BYLEX"),
            ]),
            Arg::new("rev", ArgType::PureToken).token("REV").optional(),
            Arg::new("offset_count", ArgType::Block)
                .token("LIMIT")
                .optional()
                .of(&[
                    Arg::new("offset", ArgType::Integer),
                    Arg::new("count", ArgType::Integer),
                ]),
        ],
        run: zrangestore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zrangebyscore",
        arity: -4,
        flags: Flags::READONLY,
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::SortedSet,
        since: "1.0.5",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
        summary: "Return a range of members in a sorted set, by score",
        deprecated: Some(("6.2.0", "`ZRANGE` with the `BYSCORE` argument")),
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("min", ArgType::Double),
            Arg::new("max", ArgType::Double),
            Arg::new("withscores", ArgType::PureToken)
                .token("WITHSCORES")
                .since("2.0.0")
                .optional(),
            Arg::new("offset_count", ArgType::Block)
                .token("LIMIT")
                .optional()
                .of(&[
                    Arg::new("offset", ArgType::Integer),
                    Arg::new("count", ArgType::Integer),
                ]),
        ],
        run: zrangebyscore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zrevrangebyscore",
        arity: -4,
        flags: Flags::READONLY,
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::SortedSet,
        since: "2.2.0",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
        summary: "Return a range of members in a sorted set, by score, with scores ordered from high to low",
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments")),
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("max", ArgType::Double),
            Arg::new("min", ArgType::Double),
            Arg::new("withscores", ArgType::PureToken)
                .token("WITHSCORES")
                .optional(),
            Arg::new("offset_count", ArgType::Block)
                .token("LIMIT")
                .optional()
                .of(&[
                    Arg::new("offset", ArgType::Integer),
                    Arg::new("count", ArgType::Integer),
                ]),
        ],
        run: zrevrangebyscore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zrangebylex",
        arity: -4,
        flags: Flags::READONLY,
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::SortedSet,
        since: "2.8.9",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
        summary: "Return a range of members in a sorted set, by lexicographical range",
        deprecated: Some(("6.2.0", "`ZRANGE` with the `BYLEX` argument")),
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("min", ArgType::String),
            Arg::new("max", ArgType::String),
            Arg::new("offset_count", ArgType::Block)
                .token("LIMIT")
                .optional()
                .of(&[
                    Arg::new("offset", ArgType::Integer),
                    Arg::new("count", ArgType::Integer),
                ]),
        ],
        run: zrangebylex,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zrevrangebylex",
        arity: -4,
        flags: Flags::READONLY,
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::SortedSet,
        since: "2.8.9",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider it O(log(N)).",
        summary: "Return a range of members in a sorted set, by lexicographical range, ordered from higher to lower strings.",
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments")),
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("max", ArgType::String),
            Arg::new("min", ArgType::String),
            Arg::new("offset_count", ArgType::Block)
                .token("LIMIT")
                .optional()
                .of(&[
                    Arg::new("offset", ArgType::Integer),
                    Arg::new("count", ArgType::Integer),
                ]),
        ],
        run: zrevrangebylex,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zrevrange",
        arity: -4,
        flags: Flags::READONLY,
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::SortedSet,
        since: "1.2.0",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.",
        summary: "Return a range of members in a sorted set, by index, with scores ordered from high to low",
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` argument")),
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("start", ArgType::Integer),
            Arg::new("stop", ArgType::Integer),
            Arg::new("withscores", ArgType::PureToken)
                .token("WITHSCORES")
                .optional(),
        ],
        run: zrevrange,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zremrangebyrank",
        arity: 4,
        flags: Flags::WRITE,
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        group: Group::SortedSet,
        since: "2.0.0",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.",
        summary: "Remove all members in a sorted set within the given indexes",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("start", ArgType::Integer),
            Arg::new("stop", ArgType::Integer),
        ],
        run: zremrangebyrank,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zremrangebyscore",
        arity: 4,
        flags: Flags::WRITE,
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        group: Group::SortedSet,
        since: "1.2.0",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.",
        summary: "Remove all members in a sorted set within the given scores",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("min", ArgType::Double),
            Arg::new("max", ArgType::Double),
        ],
        run: zremrangebyscore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zremrangebylex",
        arity: 4,
        flags: Flags::WRITE,
        acl: &["@sortedset"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        group: Group::SortedSet,
        since: "2.8.9",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed by the operation.",
        summary: "Remove all members in a sorted set between the given lexicographical range",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("min", ArgType::String),
            Arg::new("max", ArgType::String),
        ],
        run: zremrangebylex,
        ..Spec::DEFAULT
    },
];
