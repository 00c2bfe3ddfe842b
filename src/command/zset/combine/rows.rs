//! The rows of the commands on several sorted sets.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Begin, Find, Flags, Group, KeySpec, Spec};

use super::*;

/// The commands of this file.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "zunion",
        arity: -3,
        flags: Flags::READONLY.with(Flags::MOVABLEKEYS),
        acl: &["@sortedset"],
        keys: &[KeySpec {
            flags: &[Ro, Access],
            begin: Begin::Index(1),
            find: Find::Count {
                count_at: 0,
                first: 1,
                step: 1,
            },
        }],
        group: Group::SortedSet,
        since: "6.2.0",
        complexity: "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.",
        summary: "Add multiple sorted sets",
        args: &[
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("key", ArgType::Key).key(0).multiple(),
            Arg::new("weight", ArgType::Integer)
                .token("WEIGHTS")
                .optional()
                .multiple(),
            Arg::new("aggregate", ArgType::OneOf)
                .token("AGGREGATE")
                .optional()
                .of(&[
                    Arg::new("sum", ArgType::PureToken).token("SUM"),
                    Arg::new("min", ArgType::PureToken).token("MIN"),
                    Arg::new("max", ArgType::PureToken).token("MAX"),
                ]),
            Arg::new("withscores", ArgType::PureToken)
                .token("WITHSCORES")
                .optional(),
        ],
        run: zunion,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zinter",
        arity: -3,
        flags: Flags::READONLY.with(Flags::MOVABLEKEYS),
        acl: &["@sortedset"],
        keys: &[KeySpec {
            flags: &[Ro, Access],
            begin: Begin::Index(1),
            find: Find::Count {
                count_at: 0,
                first: 1,
                step: 1,
            },
        }],
        group: Group::SortedSet,
        since: "6.2.0",
        complexity: "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.",
        summary: "Intersect multiple sorted sets",
        args: &[
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("key", ArgType::Key).key(0).multiple(),
            Arg::new("weight", ArgType::Integer)
                .token("WEIGHTS")
                .optional()
                .multiple(),
            Arg::new("aggregate", ArgType::OneOf)
                .token("AGGREGATE")
                .optional()
                .of(&[
                    Arg::new("sum", ArgType::PureToken).token("SUM"),
                    Arg::new("min", ArgType::PureToken).token("MIN"),
                    Arg::new("max", ArgType::PureToken).token("MAX"),
                ]),
            Arg::new("withscores", ArgType::PureToken)
                .token("WITHSCORES")
                .optional(),
        ],
        run: zinter,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zdiff",
        arity: -3,
        flags: Flags::READONLY.with(Flags::MOVABLEKEYS),
        acl: &["@sortedset"],
        keys: &[KeySpec {
            flags: &[Ro, Access],
            begin: Begin::Index(1),
            find: Find::Count {
                count_at: 0,
                first: 1,
                step: 1,
            },
        }],
        group: Group::SortedSet,
        since: "6.2.0",
        complexity: "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.",
        summary: "Subtract multiple sorted sets",
        args: &[
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("key", ArgType::Key).key(0).multiple(),
            Arg::new("withscores", ArgType::PureToken)
                .token("WITHSCORES")
                .optional(),
        ],
        run: zdiff,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zunionstore",
        arity: -4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::MOVABLEKEYS),
        acl: &["@sortedset"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Ow, Update]),
            KeySpec {
                flags: &[Ro, Access],
                begin: Begin::Index(2),
                find: Find::Count {
                    count_at: 0,
                    first: 1,
                    step: 1,
                },
            },
        ],
        group: Group::SortedSet,
        since: "2.0.0",
        complexity: "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being the number of elements in the resulting sorted set.",
        summary: "Add multiple sorted sets and store the resulting sorted set in a new key",
        args: &[
            Arg::new("destination", ArgType::Key).key(0),
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("key", ArgType::Key).key(1).multiple(),
            Arg::new("weight", ArgType::Integer)
                .token("WEIGHTS")
                .optional()
                .multiple(),
            Arg::new("aggregate", ArgType::OneOf)
                .token("AGGREGATE")
                .optional()
                .of(&[
                    Arg::new("sum", ArgType::PureToken).token("SUM"),
                    Arg::new("min", ArgType::PureToken).token("MIN"),
                    Arg::new("max", ArgType::PureToken).token("MAX"),
                ]),
        ],
        run: zunionstore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zinterstore",
        arity: -4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::MOVABLEKEYS),
        acl: &["@sortedset"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Ow, Update]),
            KeySpec {
                flags: &[Ro, Access],
                begin: Begin::Index(2),
                find: Find::Count {
                    count_at: 0,
                    first: 1,
                    step: 1,
                },
            },
        ],
        group: Group::SortedSet,
        since: "2.0.0",
        complexity: "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of input sorted sets and M being the number of elements in the resulting sorted set.",
        summary: "Intersect multiple sorted sets and store the resulting sorted set in a new key",
        args: &[
            Arg::new("destination", ArgType::Key).key(0),
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("key", ArgType::Key).key(1).multiple(),
            Arg::new("weight", ArgType::Integer)
                .token("WEIGHTS")
                .optional()
                .multiple(),
            Arg::new("aggregate", ArgType::OneOf)
                .token("AGGREGATE")
                .optional()
                .of(&[
                    Arg::new("sum", ArgType::PureToken).token("SUM"),
                    Arg::new("min", ArgType::PureToken).token("MIN"),
                    Arg::new("max", ArgType::PureToken).token("MAX"),
                ]),
        ],
        run: zinterstore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zdiffstore",
        arity: -4,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::MOVABLEKEYS),
        acl: &["@sortedset"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Ow, Update]),
            KeySpec {
                flags: &[Ro, Access],
                begin: Begin::Index(2),
                find: Find::Count {
                    count_at: 0,
                    first: 1,
                    step: 1,
                },
            },
        ],
        group: Group::SortedSet,
        since: "6.2.0",
        complexity: "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the size of the first set, and K is the size of the result set.",
        summary: "Subtract multiple sorted sets and store the resulting sorted set in a new key",
        args: &[
            Arg::new("destination", ArgType::Key).key(0),
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("key", ArgType::Key).key(1).multiple(),
        ],
        run: zdiffstore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "zintercard",
        arity: -3,
        flags: Flags::READONLY.with(Flags::MOVABLEKEYS),
        acl: &["@sortedset"],
        keys: &[KeySpec {
            flags: &[Ro, Access],
            begin: Begin::Index(1),
            find: Find::Count {
                count_at: 0,
                first: 1,
                step: 1,
            },
        }],
        group: Group::SortedSet,
        since: "7.0.0",
        complexity: "O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted sets.",
        summary: "Intersect multiple sorted sets and return the cardinality of the result",
        args: &[
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("key", ArgType::Key).key(0).multiple(),
            Arg::new("limit", ArgType::Integer)
                .token("LIMIT")
                .optional(),
        ],
        run: zintercard,
        ..Spec::DEFAULT
    },
];
