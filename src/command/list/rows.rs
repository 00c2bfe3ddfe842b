//! The rows of the list commands.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Begin, Find, Flags, Group, KeySpec, Spec};

use super::*;

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "lpush",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Insert])],
        group: Group::List,
        since: "1.0.0",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
        summary: "Prepend one or multiple elements to a list",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("element", ArgType::String).multiple(),
        ],
        run: lpush,
        ..Spec::DEFAULT
    },
    Spec {
        name: "rpush",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Insert])],
        group: Group::List,
        since: "1.0.0",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
        summary: "Append one or multiple elements to a list",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("element", ArgType::String).multiple(),
        ],
        run: rpush,
        ..Spec::DEFAULT
    },
    Spec {
        name: "lpop",
        arity: -2,
        flags: Flags::WRITE.with(Flags::FAST).with(Flags::COUNTED),
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Delete])],
        group: Group::List,
        since: "1.0.0",
        complexity: "O(N) where N is the number of elements returned",
        summary: "Remove and get the first elements in a list",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("count", ArgType::Integer)
                .since("6.2.0")
                .optional(),
        ],
        run: lpop,
        ..Spec::DEFAULT
    },
    Spec {
        name: "rpop",
        arity: -2,
        flags: Flags::WRITE.with(Flags::FAST).with(Flags::COUNTED),
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Delete])],
        group: Group::List,
        since: "1.0.0",
        complexity: "O(N) where N is the number of elements returned",
        summary: "Remove and get the last elements in a list",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("count", ArgType::Integer)
                .since("6.2.0")
                .optional(),
        ],
        run: rpop,
        ..Spec::DEFAULT
    },
    Spec {
        name: "llen",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro])],
        group: Group::List,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Get the length of a list",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: llen,
        ..Spec::DEFAULT
    },
    Spec {
        name: "lindex",
        arity: 3,
        flags: Flags::READONLY,
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::List,
        since: "1.0.0",
        complexity: "O(N) where N is the number of elements to traverse to get to the element at index. This makes asking for the first or the last element of the list O(1).",
        summary: "Get an element from a list by its index",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("index", ArgType::Integer),
        ],
        run: lindex,
        ..Spec::DEFAULT
    },
    Spec {
        name: "lrange",
        arity: 4,
        flags: Flags::READONLY,
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::List,
        since: "1.0.0",
        complexity: "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD or TAIL) for large lists; and N is the number of elements in the specified range.",
        summary: "Get a range of elements from a list",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("start", ArgType::Integer),
            Arg::new("stop", ArgType::Integer),
        ],
        run: lrange,
        ..Spec::DEFAULT
    },
    Spec {
        name: "lset",
        arity: 4,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::List,
        since: "1.0.0",
        complexity: "O(N) where N is the length of the list. Setting either the first or the last element of the list is O(1).",
        summary: "Set the value of an element in a list by its index",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("index", ArgType::Integer),
            Arg::new("element", ArgType::String),
        ],
        run: lset,
        ..Spec::DEFAULT
    },
    Spec {
        name: "lrem",
        arity: 4,
        flags: Flags::WRITE,
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        group: Group::List,
        since: "1.0.0",
        complexity: "O(N+M) where N is the length of the list and M is the number of elements removed.",
        summary: "Remove elements from a list",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("count", ArgType::Integer),
            Arg::new("element", ArgType::String),
        ],
        run: lrem,
        ..Spec::DEFAULT
    },
    Spec {
        name: "lpushx",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Insert])],
        group: Group::List,
        since: "2.2.0",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
        summary: "Prepend an element to a list, only if the list exists",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("element", ArgType::String).multiple(),
        ],
        run: lpushx,
        ..Spec::DEFAULT
    },
    Spec {
        name: "rpushx",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Insert])],
        group: Group::List,
        since: "2.2.0",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.",
        summary: "Append an element to a list, only if the list exists",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("element", ArgType::String).multiple(),
        ],
        run: rpushx,
        ..Spec::DEFAULT
    },
    Spec {
        name: "linsert",
        arity: 5,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Insert])],
        group: Group::List,
        since: "2.2.0",
        complexity: "O(N) where N is the number of elements to traverse before seeing the value pivot. This means that inserting somewhere on the left end on the list (head) can be considered O(1) and inserting somewhere on the right end (tail) is O(N).",
        summary: "Insert an element before or after another element in a list",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("where", ArgType::OneOf).of(&[
                Arg::new("before", ArgType::PureToken).token("BEFORE"),
                Arg::new("after", ArgType::PureToken).token("AFTER"),
            ]),
            Arg::new("pivot", ArgType::String),
            Arg::new("element", ArgType::String),
        ],
        run: linsert,
        ..Spec::DEFAULT
    },
    Spec {
        name: "ltrim",
        arity: 4,
        flags: Flags::WRITE,
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        group: Group::List,
        since: "1.0.0",
        complexity: "O(N) where N is the number of elements to be removed by the operation.",
        summary: "Trim a list to the specified range",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("start", ArgType::Integer),
            Arg::new("stop", ArgType::Integer),
        ],
        run: ltrim,
        ..Spec::DEFAULT
    },
    Spec {
        name: "lpos",
        arity: -3,
        flags: Flags::READONLY,
        acl: &["@list"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::List,
        since: "6.0.6",
        complexity: "O(N) where N is the number of elements in the list, for the average case. When searching for elements near the head or the tail of the list, or when the MAXLEN option is provided, the command may run in constant time.",
        summary: "Return the index of matching elements on a list",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("element", ArgType::String),
            Arg::new("rank", ArgType::Integer).token("RANK").optional(),
            Arg::new("num-matches", ArgType::Integer)
                .token("COUNT")
                .optional(),
            Arg::new("len", ArgType::Integer).token("MAXLEN").optional(),
        ],
        run: lpos,
        ..Spec::DEFAULT
    },
    Spec {
        name: "lmove",
        arity: 5,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@list"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Rw, Access, Delete]),
            KeySpec::range(2, 0, 1, &[Rw, Insert]),
        ],
        group: Group::List,
        since: "6.2.0",
        complexity: "O(1)",
        summary: "Pop an element from a list, push it to another list and return it",
        args: &[
            Arg::new("source", ArgType::Key).key(0),
            Arg::new("destination", ArgType::Key).key(1),
            Arg::new("wherefrom", ArgType::OneOf).of(&[
                Arg::new("left", ArgType::PureToken).token("LEFT"),
                Arg::new("right", ArgType::PureToken).token("RIGHT"),
            ]),
            Arg::new("whereto", ArgType::OneOf).of(&[
                Arg::new("left", ArgType::PureToken).token("LEFT"),
                Arg::new("right", ArgType::PureToken).token("RIGHT"),
            ]),
        ],
        run: lmove,
        ..Spec::DEFAULT
    },
    Spec {
        name: "rpoplpush",
        arity: 3,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@list"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Rw, Access, Delete]),
            KeySpec::range(2, 0, 1, &[Rw, Insert]),
        ],
        group: Group::List,
        since: "1.2.0",
        complexity: "O(1)",
        summary: "Remove the last element in a list, prepend it to another list and return it",
        deprecated: Some(("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments")),
        args: &[
            Arg::new("source", ArgType::Key).key(0),
            Arg::new("destination", ArgType::Key).key(1),
        ],
        run: rpoplpush,
        ..Spec::DEFAULT
    },
    Spec {
        name: "lmpop",
        arity: -4,
        flags: Flags::WRITE.with(Flags::MOVABLEKEYS),
        acl: &["@list"],
        keys: &[KeySpec {
            flags: &[Rw, Access, Delete],
            begin: Begin::Index(1),
            find: Find::Count {
                count_at: 0,
                first: 1,
                step: 1,
            },
        }],
        group: Group::List,
        since: "7.0.0",
        complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
        summary: "Pop elements from a list",
        args: &[
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("key", ArgType::Key).key(0).multiple(),
            Arg::new("where", ArgType::OneOf).of(&[
                Arg::new("left", ArgType::PureToken).token("LEFT"),
                Arg::new("right", ArgType::PureToken).token("RIGHT"),
            ]),
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
        ],
        run: lmpop,
        ..Spec::DEFAULT
    },
];
