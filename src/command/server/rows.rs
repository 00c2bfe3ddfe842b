//! The rows of the server commands.

use crate::command::spec::{Arg, ArgType, Flags, Group, Spec};

use super::{
    command, command_docs, config, dbsize, debug,
    flush::{flushall, flushdb},
    info, lolwut, memory, persistence, swapdb, time,
};

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "info",
        arity: -1,
        flags: Flags::LOADING.with(Flags::STALE).with(Flags::ALONE),
        acl: &["@dangerous"],
        tips: &[
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ],
        group: Group::Server,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Get information and statistics about the server",
        args: &[Arg::new("section", ArgType::String).optional().multiple()],
        run: info::info,
        ..Spec::DEFAULT
    },
    Spec {
        name: "dbsize",
        arity: 1,
        flags: Flags::READONLY.with(Flags::FAST).with(Flags::ALONE),
        acl: &["@keyspace"],
        tips: &["request_policy:all_shards", "response_policy:agg_sum"],
        group: Group::Server,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Return the number of keys in the selected database",
        run: dbsize,
        ..Spec::DEFAULT
    },
    Spec {
        name: "flushdb",
        arity: -1,
        flags: Flags::WRITE.with(Flags::ALONE).with(Flags::ALL_SHARDS),
        acl: &["@keyspace", "@dangerous"],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        group: Group::Server,
        since: "1.0.0",
        complexity: "O(N) where N is the number of keys in the selected database",
        summary: "Remove all keys from the current database",
        args: &[Arg::new("async", ArgType::OneOf).optional().of(&[
            Arg::new("async", ArgType::PureToken)
                .token("ASYNC")
                .since("4.0.0"),
            Arg::new("sync", ArgType::PureToken)
                .token("SYNC")
                .since("6.2.0"),
            Arg::new("undo", ArgType::PureToken).token("UNDO"),
        ])],
        run: flushdb,
        ..Spec::DEFAULT
    },
    Spec {
        name: "flushall",
        arity: -1,
        flags: Flags::WRITE.with(Flags::ALONE).with(Flags::ALL_SHARDS),
        acl: &["@keyspace", "@dangerous"],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        group: Group::Server,
        since: "1.0.0",
        complexity: "O(N) where N is the total number of keys in all databases",
        summary: "Remove all keys from all databases",
        args: &[Arg::new("async", ArgType::OneOf).optional().of(&[
            Arg::new("async", ArgType::PureToken)
                .token("ASYNC")
                .since("4.0.0"),
            Arg::new("sync", ArgType::PureToken)
                .token("SYNC")
                .since("6.2.0"),
            Arg::new("undo", ArgType::PureToken).token("UNDO"),
        ])],
        run: flushall,
        ..Spec::DEFAULT
    },
    Spec {
        name: "command",
        arity: -1,
        flags: Flags::LOADING.with(Flags::STALE).with(Flags::ALONE),
        acl: &["@connection"],
        tips: &["nondeterministic_output_order"],
        group: Group::Server,
        since: "2.8.13",
        complexity: "O(N) where N is the total number of Redis commands",
        summary: "Get array of Redis command details",
        subcommands: &[
            Spec {
                name: "count",
                arity: 2,
                flags: Flags::LOADING.with(Flags::STALE).with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Server,
                since: "2.8.13",
                complexity: "O(1)",
                summary: "Get total number of Redis commands",
                run: command::count,
                ..Spec::DEFAULT
            },
            Spec {
                name: "docs",
                arity: -2,
                flags: Flags::LOADING.with(Flags::STALE).with(Flags::ALONE),
                acl: &["@connection"],
                tips: &["nondeterministic_output_order"],
                group: Group::Server,
                since: "7.0.0",
                complexity: "O(N) where N is the number of commands to look up",
                summary: "Get array of specific Redis command documentation",
                args: &[Arg::new("command-name", ArgType::String)
                    .optional()
                    .multiple()],
                run: command_docs::docs,
                ..Spec::DEFAULT
            },
            Spec {
                name: "info",
                arity: -2,
                flags: Flags::LOADING.with(Flags::STALE).with(Flags::ALONE),
                acl: &["@connection"],
                tips: &["nondeterministic_output_order"],
                group: Group::Server,
                since: "2.8.13",
                complexity: "O(N) where N is the number of commands to look up",
                summary: "Get array of specific Redis command details, or all when no argument is given.",
                args: &[Arg::new("command-name", ArgType::String)
                    .optional()
                    .multiple()],
                run: command::info,
                ..Spec::DEFAULT
            },
            Spec {
                name: "list",
                arity: -2,
                flags: Flags::LOADING.with(Flags::STALE).with(Flags::ALONE),
                acl: &["@connection"],
                tips: &["nondeterministic_output_order"],
                group: Group::Server,
                since: "7.0.0",
                complexity: "O(N) where N is the total number of Redis commands",
                summary: "Get an array of Redis command names",
                args: &[Arg::new("filterby", ArgType::OneOf)
                    .token("FILTERBY")
                    .optional()
                    .of(&[
                        Arg::new("module-name", ArgType::String).token("MODULE"),
                        Arg::new("category", ArgType::String).token("ACLCAT"),
                        Arg::new("pattern", ArgType::Pattern).token("PATTERN"),
                    ])],
                run: command::list,
                ..Spec::DEFAULT
            },
            Spec {
                name: "getkeys",
                arity: -4,
                flags: Flags::LOADING.with(Flags::STALE).with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Server,
                since: "2.8.13",
                complexity: "O(N) where N is the number of arguments to the command",
                summary: "Extract keys given a full Redis command",
                run: command::get_keys,
                ..Spec::DEFAULT
            },
            Spec {
                name: "getkeysandflags",
                arity: -4,
                flags: Flags::LOADING.with(Flags::STALE).with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Server,
                since: "7.0.0",
                complexity: "O(N) where N is the number of arguments to the command",
                summary: "Extract keys and access flags given a full Redis command",
                run: command::get_keys_and_flags,
                ..Spec::DEFAULT
            },
            Spec {
                name: "help",
                arity: 2,
                flags: Flags::LOADING.with(Flags::STALE).with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Server,
                since: "5.0.0",
                complexity: "O(1)",
                summary: "Show helpful text about the different subcommands",
                run: command::help,
                ..Spec::DEFAULT
            },
        ],
        run: command::all,
        ..Spec::DEFAULT
    },
    Spec {
        name: "config",
        arity: -2,
        flags: Flags::ALONE,
        group: Group::Server,
        since: "2.0.0",
        complexity: "Depends on subcommand.",
        summary: "A container for server configuration commands",
        subcommands: &[
            Spec {
                name: "get",
                arity: -3,
                flags: Flags::ADMIN
                    .with(Flags::NOSCRIPT)
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                group: Group::Server,
                since: "2.0.0",
                complexity: "O(N) when N is the number of configuration parameters provided",
                summary: "Get the values of configuration parameters",
                args: &[Arg::new("parameter", ArgType::Block)
                    .multiple()
                    .of(&[Arg::new("parameter", ArgType::String)])],
                run: config::get,
                ..Spec::DEFAULT
            },
            Spec {
                name: "set",
                arity: -4,
                flags: Flags::ADMIN
                    .with(Flags::NOSCRIPT)
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                group: Group::Server,
                since: "2.0.0",
                complexity: "O(N) when N is the number of configuration parameters provided",
                summary: "Set configuration parameters to the given values",
                args: &[Arg::new("parameter_value", ArgType::Block).multiple().of(&[
                    Arg::new("parameter", ArgType::String),
                    Arg::new("value", ArgType::String),
                ])],
                run: config::set,
                ..Spec::DEFAULT
            },
            Spec {
                name: "resetstat",
                arity: 2,
                flags: Flags::ADMIN
                    .with(Flags::NOSCRIPT)
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                group: Group::Server,
                since: "2.0.0",
                complexity: "O(1)",
                summary: "Reset the stats returned by INFO",
                run: config::reset_stat,
                ..Spec::DEFAULT
            },
            Spec {
                name: "rewrite",
                arity: 2,
                flags: Flags::ADMIN
                    .with(Flags::NOSCRIPT)
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                group: Group::Server,
                since: "2.8.0",
                complexity: "O(1)",
                summary: "Rewrite the configuration file with the in memory configuration",
                run: config::rewrite,
                ..Spec::DEFAULT
            },
            Spec {
                name: "help",
                arity: 2,
                flags: Flags::LOADING.with(Flags::STALE).with(Flags::ALONE),
                group: Group::Server,
                since: "5.0.0",
                complexity: "O(1)",
                summary: "Show helpful text about the different subcommands",
                run: config::help,
                ..Spec::DEFAULT
            },
        ],
        ..Spec::DEFAULT
    },
    memory::SPEC,
    Spec {
        name: "time",
        arity: 1,
        flags: Flags::LOADING.with(Flags::STALE).with(Flags::FAST),
        tips: &["nondeterministic_output"],
        group: Group::Server,
        since: "2.6.0",
        complexity: "O(1)",
        summary: "Return the current server time",
        run: time,
        ..Spec::DEFAULT
    },
    Spec {
        name: "debug",
        arity: -2,
        flags: Flags::ADMIN
            .with(Flags::NOSCRIPT)
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::SLOW)
            .with(Flags::ALONE),
        group: Group::Server,
        since: "1.0.0",
        complexity: "Depends on subcommand.",
        summary: "A container for debugging commands",
        run: debug::debug,
        ..Spec::DEFAULT
    },
    Spec {
        name: "swapdb",
        arity: 3,
        flags: Flags::WRITE
            .with(Flags::FAST)
            .with(Flags::ALONE)
            .with(Flags::ALL_SHARDS),
        acl: &["@keyspace", "@dangerous"],
        group: Group::Server,
        since: "4.0.0",
        complexity: "O(N) where N is the count of clients watching or blocking on keys from both databases.",
        summary: "Swaps two Redis databases",
        args: &[
            Arg::new("index1", ArgType::Integer),
            Arg::new("index2", ArgType::Integer),
        ],
        run: swapdb,
        ..Spec::DEFAULT
    },
    Spec {
        name: "shutdown",
        arity: -1,
        flags: Flags::ADMIN
            .with(Flags::NOSCRIPT)
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::NO_MULTI)
            .with(Flags::ALLOW_BUSY)
            .with(Flags::ALONE),
        group: Group::Server,
        since: "1.0.0",
        complexity: "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
        summary: "Synchronously save the dataset to disk and then shut down the server",
        args: &[
            Arg::new("nosave_save", ArgType::OneOf).optional().of(&[
                Arg::new("nosave", ArgType::PureToken).token("NOSAVE"),
                Arg::new("save", ArgType::PureToken).token("SAVE"),
            ]),
            Arg::new("now", ArgType::PureToken)
                .token("NOW")
                .since("7.0.0")
                .optional(),
            Arg::new("force", ArgType::PureToken)
                .token("FORCE")
                .since("7.0.0")
                .optional(),
            Arg::new("abort", ArgType::PureToken)
                .token("ABORT")
                .since("7.0.0")
                .optional(),
        ],
        run: persistence::shutdown,
        ..Spec::DEFAULT
    },
    Spec {
        name: "lolwut",
        arity: -1,
        flags: Flags::READONLY.with(Flags::FAST).with(Flags::ALONE),
        group: Group::Server,
        since: "5.0.0",
        summary: "Display some computer art and the Redis version",
        args: &[Arg::new("version", ArgType::Integer)
            .token("VERSION")
            .optional()],
        run: lolwut::lolwut,
        ..Spec::DEFAULT
    },
];
