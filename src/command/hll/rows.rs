//! The rows of the HyperLogLog commands.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Flags, Group, KeySpec, Spec};

use super::*;

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "pfadd",
        arity: -2,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@hyperloglog"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Insert])],
        group: Group::Hyperloglog,
        since: "2.8.9",
        complexity: "O(1) to add every element.",
        summary: "Adds the specified elements to the specified HyperLogLog.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("element", ArgType::String).optional().multiple(),
        ],
        run: pfadd,
        ..Spec::DEFAULT
    },
    Spec {
        name: "pfcount",
        arity: -2,
        flags: Flags::READONLY.with(Flags::MAY_REPLICATE),
        acl: &["@hyperloglog"],
        keys: &[KeySpec::range(1, -1, 1, &[Rw, Access])],
        group: Group::Hyperloglog,
        since: "2.8.9",
        complexity: "O(1) with a very small average constant time when called with a single key. O(N) with N being the number of keys, and much bigger constant times, when called with multiple keys.",
        summary: "Return the approximated cardinality of the set(s) observed by the HyperLogLog at key(s).",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple()],
        run: pfcount,
        ..Spec::DEFAULT
    },
    Spec {
        name: "pfmerge",
        arity: -2,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@hyperloglog"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Rw, Access, Insert]),
            KeySpec::range(2, -1, 1, &[Ro, Access]),
        ],
        group: Group::Hyperloglog,
        since: "2.8.9",
        complexity: "O(N) to merge N HyperLogLogs, but with high constant times.",
        summary: "Merge N different HyperLogLogs into a single one.",
        args: &[
            Arg::new("destkey", ArgType::Key).key(0),
            Arg::new("sourcekey", ArgType::Key)
                .key(1)
                .optional()
                .multiple(),
        ],
        run: pfmerge,
        ..Spec::DEFAULT
    },
    Spec {
        name: "pfdebug",
        arity: 3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::ADMIN),
        acl: &["@hyperloglog"],
        keys: &[KeySpec::range(2, 0, 1, &[Rw, Access])],
        group: Group::Hyperloglog,
        since: "2.8.9",
        complexity: "N/A",
        summary: "Internal commands for debugging HyperLogLog values",
        args: &[
            Arg::new("subcommand", ArgType::String),
            Arg::new("key", ArgType::Key).key(0),
        ],
        run: pfdebug,
        ..Spec::DEFAULT
    },
    Spec {
        name: "pfselftest",
        arity: 1,
        flags: Flags::ADMIN.with(Flags::SLOW),
        acl: &["@hyperloglog"],
        group: Group::Hyperloglog,
        since: "2.8.9",
        complexity: "N/A",
        summary: "An internal command for testing HyperLogLog values",
        run: pfselftest,
        ..Spec::DEFAULT
    },
];
