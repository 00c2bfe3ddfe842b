//! The rows of the commands about snapshots.

use crate::command::spec::{Arg, ArgType, Flags, Group, Spec};

use super::persistence;

/// The commands about snapshots.
pub const PERSISTENCE_SPECS: &[Spec] = &[
    Spec {
        name: "save",
        arity: 1,
        flags: Flags::ADMIN
            .with(Flags::NOSCRIPT)
            .with(Flags::NO_ASYNC_LOADING)
            .with(Flags::NO_MULTI)
            .with(Flags::SLOW)
            .with(Flags::ALONE),
        group: Group::Server,
        since: "1.0.0",
        complexity: "O(N) where N is the total number of keys in all databases",
        summary: "Synchronously save the dataset to disk",
        run: persistence::save,
        ..Spec::DEFAULT
    },
    Spec {
        name: "bgsave",
        arity: -1,
        flags: Flags::ADMIN
            .with(Flags::NOSCRIPT)
            .with(Flags::NO_ASYNC_LOADING)
            .with(Flags::ALONE)
            .with(Flags::ALL_SHARDS),
        group: Group::Server,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Asynchronously save the dataset to disk",
        args: &[Arg::new("schedule", ArgType::PureToken)
            .token("SCHEDULE")
            .since("3.2.2")
            .optional()],
        run: persistence::bgsave,
        ..Spec::DEFAULT
    },
    Spec {
        name: "lastsave",
        arity: 1,
        flags: Flags::LOADING.with(Flags::STALE).with(Flags::FAST),
        acl: &["@admin", "@dangerous"],
        tips: &["nondeterministic_output"],
        group: Group::Server,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Get the UNIX time stamp of the last successful save to disk",
        run: persistence::lastsave,
        ..Spec::DEFAULT
    },
];
