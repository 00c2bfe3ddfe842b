//! The rows of SLOWLOG and COMMANDLOG.

use crate::command::spec::{Arg, ArgType, Flags, Group, Spec};

use super::commandlog as log;

const ADMIN: Flags = Flags::ADMIN
    .with(Flags::LOADING)
    .with(Flags::STALE)
    .with(Flags::ALONE);
const OPEN: Flags = Flags::LOADING.with(Flags::STALE).with(Flags::ALONE);

const COUNT: Arg = Arg::new("count", ArgType::Integer);
const KIND: Arg = Arg::new("type", ArgType::String);

/// The commands of these logs.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "slowlog",
        arity: -2,
        flags: Flags::ALONE,
        group: Group::Server,
        since: "2.2.12",
        complexity: "Depends on subcommand.",
        summary: "A container for slow log commands",
        subcommands: &[
            Spec {
                name: "get",
                arity: -2,
                flags: ADMIN,
                tips: &["request_policy:all_nodes", "nondeterministic_output"],
                group: Group::Server,
                since: "2.2.12",
                complexity: "O(N) where N is the number of entries returned",
                summary: "Get the slow log's entries",
                args: &[COUNT.optional()],
                run: log::slow_get,
                ..Spec::DEFAULT
            },
            Spec {
                name: "details",
                arity: -2,
                flags: ADMIN,
                tips: &["request_policy:all_nodes", "nondeterministic_output"],
                group: Group::Server,
                since: "7.2.4",
                complexity: "O(N) where N is the number of entries returned",
                summary: "Get the slow log's entries with names and the time each request waited",
                args: &[COUNT.optional()],
                run: log::slow_details,
                ..Spec::DEFAULT
            },
            Spec {
                name: "len",
                arity: 2,
                flags: ADMIN,
                tips: &[
                    "request_policy:all_nodes",
                    "response_policy:agg_sum",
                    "nondeterministic_output",
                ],
                group: Group::Server,
                since: "2.2.12",
                complexity: "O(1)",
                summary: "Get the slow log's length",
                run: log::slow_len,
                ..Spec::DEFAULT
            },
            Spec {
                name: "reset",
                arity: 2,
                flags: ADMIN,
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                group: Group::Server,
                since: "2.2.12",
                complexity: "O(N) where N is the number of entries in the slowlog",
                summary: "Clear all entries from the slow log",
                run: log::slow_reset,
                ..Spec::DEFAULT
            },
            Spec {
                name: "help",
                arity: 2,
                flags: OPEN,
                group: Group::Server,
                since: "6.2.0",
                complexity: "O(1)",
                summary: "Show helpful text about the different subcommands",
                run: log::slow_help,
                ..Spec::DEFAULT
            },
        ],
        ..Spec::DEFAULT
    },
    Spec {
        name: "commandlog",
        arity: -2,
        flags: Flags::ALONE,
        group: Group::Server,
        since: "8.1.0",
        complexity: "Depends on subcommand.",
        summary: "A container for command log commands",
        subcommands: &[
            Spec {
                name: "get",
                arity: 4,
                flags: ADMIN,
                tips: &["request_policy:all_nodes", "nondeterministic_output"],
                group: Group::Server,
                since: "8.1.0",
                complexity: "O(N) where N is the number of entries returned",
                summary: "Get entries of one of the command logs",
                args: &[COUNT, KIND],
                run: log::get,
                ..Spec::DEFAULT
            },
            Spec {
                name: "len",
                arity: 3,
                flags: ADMIN,
                tips: &[
                    "request_policy:all_nodes",
                    "response_policy:agg_sum",
                    "nondeterministic_output",
                ],
                group: Group::Server,
                since: "8.1.0",
                complexity: "O(1)",
                summary: "Get the length of one of the command logs",
                args: &[KIND],
                run: log::len,
                ..Spec::DEFAULT
            },
            Spec {
                name: "reset",
                arity: 3,
                flags: ADMIN,
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                group: Group::Server,
                since: "8.1.0",
                complexity: "O(N) where N is the number of entries in the log",
                summary: "Clear all entries from one of the command logs",
                args: &[KIND],
                run: log::reset,
                ..Spec::DEFAULT
            },
            Spec {
                name: "help",
                arity: 2,
                flags: OPEN,
                group: Group::Server,
                since: "8.1.0",
                complexity: "O(1)",
                summary: "Show helpful text about the different subcommands",
                run: log::help,
                ..Spec::DEFAULT
            },
        ],
        ..Spec::DEFAULT
    },
];
