//! The row of MEMORY.

use crate::command::spec::{Arg, ArgType, Flags, Group, KeyFlag, KeySpec, Spec};

use super::{doctor, help, malloc_stats, purge, stats, usage};

const TELLS: &[&str] = &[
    "nondeterministic_output",
    "request_policy:all_shards",
    "response_policy:special",
];

/// The command with its subcommands.
pub const SPEC: Spec = Spec {
    name: "memory",
    arity: -2,
    group: Group::Server,
    since: "4.0.0",
    complexity: "Depends on subcommand.",
    summary: "A container for memory diagnostics commands",
    subcommands: &[
        Spec {
            name: "usage",
            arity: -3,
            flags: Flags::READONLY,
            keys: &[KeySpec::range(2, 0, 1, &[KeyFlag::Ro])],
            group: Group::Server,
            since: "4.0.0",
            complexity: "O(N) where N is the number of samples.",
            summary: "Estimate the memory usage of a key",
            args: &[
                Arg::new("key", ArgType::Key).key(0),
                Arg::new("count", ArgType::Integer)
                    .token("SAMPLES")
                    .optional(),
            ],
            run: usage,
            ..Spec::DEFAULT
        },
        Spec {
            name: "stats",
            arity: 2,
            flags: Flags::ALONE,
            tips: TELLS,
            group: Group::Server,
            since: "4.0.0",
            complexity: "O(1)",
            summary: "Show memory usage details",
            run: stats::stats,
            ..Spec::DEFAULT
        },
        Spec {
            name: "doctor",
            arity: 2,
            flags: Flags::ALONE,
            tips: TELLS,
            group: Group::Server,
            since: "4.0.0",
            complexity: "O(1)",
            summary: "Outputs memory problems report",
            run: doctor::doctor,
            ..Spec::DEFAULT
        },
        Spec {
            name: "purge",
            arity: 2,
            flags: Flags::SLOW.with(Flags::ALONE),
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            group: Group::Server,
            since: "4.0.0",
            complexity: "Depends on how much memory is allocated, could be slow",
            summary: "Ask the allocator to release memory",
            run: purge,
            ..Spec::DEFAULT
        },
        Spec {
            name: "malloc-stats",
            arity: 2,
            flags: Flags::SLOW.with(Flags::ALONE),
            tips: TELLS,
            group: Group::Server,
            since: "4.0.0",
            complexity: "Depends on how much memory is allocated, could be slow",
            summary: "Show allocator internal stats",
            run: malloc_stats,
            ..Spec::DEFAULT
        },
        Spec {
            name: "help",
            arity: 2,
            flags: Flags::LOADING.with(Flags::STALE).with(Flags::ALONE),
            group: Group::Server,
            since: "4.0.0",
            complexity: "O(1)",
            summary: "Show helpful text about the different subcommands",
            run: help,
            ..Spec::DEFAULT
        },
    ],
    ..Spec::DEFAULT
};
