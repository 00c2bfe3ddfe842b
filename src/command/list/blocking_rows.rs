//! The rows of the list commands that wait.

use super::blocking::{blmove, blmpop, blpop, brpop, brpoplpush};
use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Begin, Find, Flags, Group, KeySpec, Spec};

const WAITS: Flags = Flags::WRITE.with(Flags::BLOCKING);
const TIMEOUT: Arg = Arg::new("timeout", ArgType::Double);
const POPS: &[KeySpec] = &[KeySpec::range(1, -2, 1, &[Rw, Access, Delete])];
const MOVES: &[KeySpec] = &[
    KeySpec::range(1, 0, 1, &[Rw, Access, Delete]),
    KeySpec::range(2, 0, 1, &[Rw, Insert]),
];

/// The list commands that wait.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "blpop",
        arity: -3,
        flags: WAITS.with(Flags::NOSCRIPT),
        acl: &["@list"],
        keys: POPS,
        group: Group::List,
        since: "2.0.0",
        complexity: "O(N) where N is the number of provided keys.",
        summary: "Remove and get the first element in a list, or block until one is available",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple(), TIMEOUT],
        run: blpop,
        ..Spec::DEFAULT
    },
    Spec {
        name: "brpop",
        arity: -3,
        flags: WAITS.with(Flags::NOSCRIPT),
        acl: &["@list"],
        keys: POPS,
        group: Group::List,
        since: "2.0.0",
        complexity: "O(N) where N is the number of provided keys.",
        summary: "Remove and get the last element in a list, or block until one is available",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple(), TIMEOUT],
        run: brpop,
        ..Spec::DEFAULT
    },
    Spec {
        name: "blmove",
        arity: 6,
        flags: WAITS.with(Flags::NOSCRIPT).with(Flags::DENYOOM),
        acl: &["@list"],
        keys: MOVES,
        group: Group::List,
        since: "6.2.0",
        complexity: "O(1)",
        summary: "Pop an element from a list, push it to another list and return it; or block until one is available",
        args: &[
            Arg::new("source", ArgType::Key).key(0),
            Arg::new("destination", ArgType::Key).key(1),
            Arg::new("wherefrom", ArgType::OneOf).of(SIDES),
            Arg::new("whereto", ArgType::OneOf).of(SIDES),
            TIMEOUT,
        ],
        run: blmove,
        ..Spec::DEFAULT
    },
    Spec {
        name: "brpoplpush",
        arity: 4,
        flags: WAITS.with(Flags::NOSCRIPT).with(Flags::DENYOOM),
        acl: &["@list"],
        keys: MOVES,
        group: Group::List,
        since: "2.2.0",
        complexity: "O(1)",
        summary: "Pop an element from a list, push it to another list and return it; or block until one is available",
        deprecated: Some(("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments")),
        args: &[
            Arg::new("source", ArgType::Key).key(0),
            Arg::new("destination", ArgType::Key).key(1),
            TIMEOUT,
        ],
        run: brpoplpush,
        ..Spec::DEFAULT
    },
    Spec {
        name: "blmpop",
        arity: -5,
        flags: WAITS.with(Flags::MOVABLEKEYS),
        acl: &["@list"],
        keys: &[KeySpec {
            flags: &[Rw, Access, Delete],
            begin: Begin::Index(2),
            find: Find::Count {
                count_at: 0,
                first: 1,
                step: 1,
            },
        }],
        group: Group::List,
        since: "7.0.0",
        complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
        summary: "Pop elements from a list, or block until one is available",
        args: &[
            TIMEOUT,
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("key", ArgType::Key).key(0).multiple(),
            Arg::new("where", ArgType::OneOf).of(SIDES),
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
        ],
        run: blmpop,
        ..Spec::DEFAULT
    },
];

const SIDES: &[Arg] = &[
    Arg::new("left", ArgType::PureToken).token("LEFT"),
    Arg::new("right", ArgType::PureToken).token("RIGHT"),
];
