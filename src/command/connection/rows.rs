//! The rows of the connection commands.

use crate::command::spec::{Arg, ArgType, Flags, Group, Spec};

use super::{auth, client, echo, list, pause, ping, quit, reset, select, tracking, wait};

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "wait",
        arity: 3,
        flags: Flags::NOSCRIPT,
        acl: &["@connection"],
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        group: Group::Generic,
        since: "3.0.0",
        complexity: "O(1)",
        summary: "Wait for the synchronous replication of all the write commands sent in the context of the current connection",
        args: &[
            Arg::new("numreplicas", ArgType::Integer),
            Arg::new("timeout", ArgType::Integer),
        ],
        run: wait::wait,
        ..Spec::DEFAULT
    },
    Spec {
        name: "waitaof",
        arity: 4,
        flags: Flags::BLOCKING,
        acl: &["@connection"],
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        group: Group::Generic,
        since: "7.2.0",
        complexity: "O(1)",
        summary: "Wait until all that the current connection has changed is in the append-only files of this server and of its replicas",
        args: &[
            Arg::new("numlocal", ArgType::Integer),
            Arg::new("numreplicas", ArgType::Integer),
            Arg::new("timeout", ArgType::Integer),
        ],
        run: wait::wait_for_log,
        ..Spec::DEFAULT
    },
    Spec {
        name: "ping",
        arity: -1,
        flags: Flags::FAST,
        acl: &["@connection"],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        group: Group::Connection,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Ping the server",
        args: &[Arg::new("message", ArgType::String).optional()],
        run: ping,
        ..Spec::DEFAULT
    },
    Spec {
        name: "echo",
        arity: 2,
        flags: Flags::LOADING.with(Flags::STALE).with(Flags::FAST),
        acl: &["@connection"],
        group: Group::Connection,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Echo the given string",
        args: &[Arg::new("message", ArgType::String)],
        run: echo,
        ..Spec::DEFAULT
    },
    Spec {
        name: "select",
        arity: 2,
        flags: Flags::LOADING.with(Flags::STALE).with(Flags::FAST),
        acl: &["@connection"],
        group: Group::Connection,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Change the selected database for the current connection",
        args: &[Arg::new("index", ArgType::Integer)],
        run: select,
        ..Spec::DEFAULT
    },
    Spec {
        name: "quit",
        arity: -1,
        flags: Flags::NOSCRIPT
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::FAST)
            .with(Flags::UNQUEUED)
            .with(Flags::NO_AUTH)
            .with(Flags::ALLOW_BUSY)
            .with(Flags::ALONE),
        acl: &["@connection"],
        group: Group::Connection,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "Close the connection",
        run: quit,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hello",
        arity: -1,
        flags: Flags::NOSCRIPT
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::FAST)
            .with(Flags::NO_AUTH)
            .with(Flags::ALLOW_BUSY)
            .with(Flags::ALONE),
        acl: &["@connection"],
        group: Group::Connection,
        since: "6.0.0",
        complexity: "O(1)",
        summary: "Handshake with Redis",
        args: &[Arg::new("arguments", ArgType::Block).optional().of(&[
            Arg::new("protover", ArgType::Integer),
            Arg::new("username_password", ArgType::Block)
                .token("AUTH")
                .optional()
                .of(&[
                    Arg::new("username", ArgType::String),
                    Arg::new("password", ArgType::String),
                ]),
            Arg::new("clientname", ArgType::String)
                .token("SETNAME")
                .optional(),
        ])],
        run: auth::hello,
        ..Spec::DEFAULT
    },
    Spec {
        name: "reset",
        arity: 1,
        flags: Flags::NOSCRIPT
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::FAST)
            .with(Flags::UNQUEUED)
            .with(Flags::NO_AUTH)
            .with(Flags::ALLOW_BUSY)
            .with(Flags::ALONE)
            .with(Flags::SESSION_KEYS),
        acl: &["@connection"],
        group: Group::Connection,
        since: "6.2.0",
        complexity: "O(1)",
        summary: "Reset the connection",
        run: reset,
        ..Spec::DEFAULT
    },
    Spec {
        name: "client",
        arity: -2,
        flags: Flags::ALONE,
        group: Group::Connection,
        since: "2.4.0",
        complexity: "Depends on subcommand.",
        summary: "A container for client connection commands",
        subcommands: &[
            Spec {
                name: "id",
                arity: 2,
                flags: Flags::NOSCRIPT
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "5.0.0",
                complexity: "O(1)",
                summary: "Returns the client ID for the current connection",
                run: client::id,
                ..Spec::DEFAULT
            },
            Spec {
                name: "setname",
                arity: 3,
                flags: Flags::NOSCRIPT
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "2.6.9",
                complexity: "O(1)",
                summary: "Set the current connection name",
                args: &[Arg::new("connection-name", ArgType::String)],
                run: client::set_name,
                ..Spec::DEFAULT
            },
            Spec {
                name: "getname",
                arity: 2,
                flags: Flags::NOSCRIPT
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "2.6.9",
                complexity: "O(1)",
                summary: "Get the current connection name",
                run: client::get_name,
                ..Spec::DEFAULT
            },
            Spec {
                name: "info",
                arity: 2,
                flags: Flags::NOSCRIPT
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                tips: &["nondeterministic_output"],
                group: Group::Connection,
                since: "6.2.0",
                complexity: "O(1)",
                summary: "Returns information about the current client connection.",
                run: list::info,
                ..Spec::DEFAULT
            },
            Spec {
                name: "list",
                arity: -2,
                flags: Flags::ADMIN
                    .with(Flags::NOSCRIPT)
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                tips: &["nondeterministic_output"],
                group: Group::Connection,
                since: "2.4.0",
                complexity: "O(N) where N is the number of client connections",
                summary: "Get the list of client connections",
                args: &[
                    Arg::new("normal_master_replica_pubsub", ArgType::OneOf)
                        .token("TYPE")
                        .since("5.0.0")
                        .optional()
                        .of(&[
                            Arg::new("normal", ArgType::PureToken).token("NORMAL"),
                            Arg::new("master", ArgType::PureToken).token("MASTER"),
                            Arg::new("replica", ArgType::PureToken).token("REPLICA"),
                            Arg::new("pubsub", ArgType::PureToken).token("PUBSUB"),
                        ]),
                    Arg::new("id", ArgType::Block)
                        .token("ID")
                        .since("6.2.0")
                        .optional()
                        .of(&[Arg::new("client-id", ArgType::Integer).multiple()]),
                ],
                run: list::list,
                ..Spec::DEFAULT
            },
            Spec {
                name: "unblock",
                arity: -3,
                flags: Flags::ADMIN
                    .with(Flags::NOSCRIPT)
                    .with(Flags::LOADING)
                    .with(Flags::STALE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "5.0.0",
                complexity: "O(log N) where N is the number of client connections",
                summary: "Unblock a client blocked in a blocking command from a different connection",
                args: &[
                    Arg::new("client-id", ArgType::Integer),
                    Arg::new("timeout_error", ArgType::OneOf).optional().of(&[
                        Arg::new("timeout", ArgType::PureToken).token("TIMEOUT"),
                        Arg::new("error", ArgType::PureToken).token("ERROR"),
                    ]),
                ],
                run: wait::unblock,
                ..Spec::DEFAULT
            },
            Spec {
                name: "kill",
                arity: -3,
                flags: Flags::ADMIN
                    .with(Flags::NOSCRIPT)
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "2.4.0",
                complexity: "O(N) where N is the number of client connections",
                summary: "Kill the connection of a client",
                args: &[Arg::new("filter", ArgType::OneOf).of(&[
                    Arg::new("ip:port", ArgType::String),
                    Arg::new("new-format", ArgType::OneOf).multiple().of(&[
                        Arg::new("client-id", ArgType::Integer)
                            .token("ID")
                            .since("2.8.12")
                            .optional(),
                        Arg::new("normal_master_slave_pubsub", ArgType::OneOf)
                            .token("TYPE")
                            .since("2.8.12")
                            .optional()
                            .of(&[
                                Arg::new("normal", ArgType::PureToken).token("NORMAL"),
                                Arg::new("master", ArgType::PureToken)
                                    .token("MASTER")
                                    .since("3.2.0"),
                                Arg::new("slave", ArgType::PureToken).token("SLAVE"),
                                Arg::new("replica", ArgType::PureToken)
                                    .token("REPLICA")
                                    .since("5.0.0"),
                                Arg::new("pubsub", ArgType::PureToken).token("PUBSUB"),
                            ]),
                        Arg::new("username", ArgType::String)
                            .token("USER")
                            .optional(),
                        Arg::new("ip:port", ArgType::String)
                            .token("ADDR")
                            .optional(),
                        Arg::new("ip:port", ArgType::String)
                            .token("LADDR")
                            .since("6.2.0")
                            .optional(),
                        Arg::new("yes/no", ArgType::String)
                            .token("SKIPME")
                            .optional(),
                        Arg::new("maxage", ArgType::Integer)
                            .token("MAXAGE")
                            .since("7.4.0")
                            .optional(),
                    ]),
                ])],
                run: list::kill,
                ..Spec::DEFAULT
            },
            Spec {
                name: "pause",
                arity: -3,
                flags: Flags::ADMIN
                    .with(Flags::NOSCRIPT)
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "2.9.50",
                complexity: "O(1)",
                summary: "Stop processing commands from clients for some time",
                args: &[
                    Arg::new("timeout", ArgType::Integer),
                    Arg::new("mode", ArgType::OneOf)
                        .since("6.2.0")
                        .optional()
                        .of(&[
                            Arg::new("write", ArgType::PureToken).token("WRITE"),
                            Arg::new("all", ArgType::PureToken).token("ALL"),
                        ]),
                ],
                run: pause::pause,
                ..Spec::DEFAULT
            },
            Spec {
                name: "unpause",
                arity: 2,
                flags: Flags::ADMIN
                    .with(Flags::NOSCRIPT)
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "6.2.0",
                complexity: "O(N) Where N is the number of paused clients",
                summary: "Resume processing of clients that were paused",
                run: pause::unpause,
                ..Spec::DEFAULT
            },
            Spec {
                name: "no-evict",
                arity: 3,
                flags: Flags::ADMIN
                    .with(Flags::NOSCRIPT)
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "7.0.0",
                complexity: "O(1)",
                summary: "Set client eviction mode for the current connection",
                args: &[Arg::new("enabled", ArgType::OneOf).of(&[
                    Arg::new("on", ArgType::PureToken).token("ON"),
                    Arg::new("off", ArgType::PureToken).token("OFF"),
                ])],
                run: client::no_evict,
                ..Spec::DEFAULT
            },
            Spec {
                name: "setinfo",
                arity: 4,
                flags: Flags::NOSCRIPT
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                group: Group::Connection,
                since: "7.2.0",
                complexity: "O(1)",
                summary: "Tell the name or version of the client's library",
                args: &[Arg::new("attr", ArgType::OneOf).of(&[
                    Arg::new("libname", ArgType::String).token("LIB-NAME"),
                    Arg::new("libver", ArgType::String).token("LIB-VER"),
                ])],
                run: client::set_info,
                ..Spec::DEFAULT
            },
            Spec {
                name: "no-touch",
                arity: 3,
                flags: Flags::NOSCRIPT
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "7.2.0",
                complexity: "O(1)",
                summary: "Set whether the connection's commands count as use of their keys",
                args: &[Arg::new("enabled", ArgType::OneOf).of(&[
                    Arg::new("on", ArgType::PureToken).token("ON"),
                    Arg::new("off", ArgType::PureToken).token("OFF"),
                ])],
                run: client::no_touch,
                ..Spec::DEFAULT
            },
            Spec {
                name: "reply",
                arity: 3,
                flags: Flags::NOSCRIPT
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "3.2.0",
                complexity: "O(1)",
                summary: "Instruct the server whether to reply to commands",
                args: &[Arg::new("on_off_skip", ArgType::OneOf).of(&[
                    Arg::new("on", ArgType::PureToken).token("ON"),
                    Arg::new("off", ArgType::PureToken).token("OFF"),
                    Arg::new("skip", ArgType::PureToken).token("SKIP"),
                ])],
                run: client::reply,
                ..Spec::DEFAULT
            },
            Spec {
                name: "tracking",
                arity: -3,
                flags: Flags::NOSCRIPT
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "6.0.0",
                complexity: "O(1). Some options may introduce additional complexity.",
                summary: "Ask to be told when keys change that the client has read, or any",
                args: &[
                    Arg::new("status", ArgType::OneOf).of(&[
                        Arg::new("on", ArgType::PureToken).token("ON"),
                        Arg::new("off", ArgType::PureToken).token("OFF"),
                    ]),
                    Arg::new("client-id", ArgType::Integer)
                        .token("REDIRECT")
                        .optional(),
                    Arg::new("prefix", ArgType::String)
                        .token("PREFIX")
                        .optional()
                        .multiple()
                        .multiple_token(),
                    Arg::new("BCAST", ArgType::PureToken)
                        .token("BCAST")
                        .optional(),
                    Arg::new("OPTIN", ArgType::PureToken)
                        .token("OPTIN")
                        .optional(),
                    Arg::new("OPTOUT", ArgType::PureToken)
                        .token("OPTOUT")
                        .optional(),
                    Arg::new("NOLOOP", ArgType::PureToken)
                        .token("NOLOOP")
                        .optional(),
                ],
                run: tracking::tracking,
                ..Spec::DEFAULT
            },
            Spec {
                name: "caching",
                arity: 3,
                flags: Flags::NOSCRIPT
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "6.0.0",
                complexity: "O(1)",
                summary: "Say whether the next command's keys are tracked",
                args: &[Arg::new("mode", ArgType::OneOf).of(&[
                    Arg::new("yes", ArgType::PureToken).token("YES"),
                    Arg::new("no", ArgType::PureToken).token("NO"),
                ])],
                run: tracking::caching,
                ..Spec::DEFAULT
            },
            Spec {
                name: "getredir",
                arity: 2,
                flags: Flags::NOSCRIPT
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "6.0.0",
                complexity: "O(1)",
                summary: "Get the client that is told of changes instead",
                run: tracking::get_redirection,
                ..Spec::DEFAULT
            },
            Spec {
                name: "trackinginfo",
                arity: 2,
                flags: Flags::NOSCRIPT
                    .with(Flags::LOADING)
                    .with(Flags::STALE)
                    .with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "6.2.0",
                complexity: "O(1)",
                summary: "Return how the connection tracks keys",
                run: tracking::tracking_info,
                ..Spec::DEFAULT
            },
            Spec {
                name: "help",
                arity: 2,
                flags: Flags::LOADING.with(Flags::STALE).with(Flags::ALONE),
                acl: &["@connection"],
                group: Group::Connection,
                since: "5.0.0",
                complexity: "O(1)",
                summary: "Show helpful text about the different subcommands",
                run: client::help,
                ..Spec::DEFAULT
            },
        ],
        ..Spec::DEFAULT
    },
    Spec {
        name: "auth",
        arity: -2,
        flags: Flags::NOSCRIPT
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::FAST)
            .with(Flags::NO_AUTH)
            .with(Flags::ALLOW_BUSY)
            .with(Flags::ALONE),
        acl: &["@connection"],
        group: Group::Connection,
        since: "1.0.0",
        complexity: "O(N) where N is the number of passwords defined for the user",
        summary: "Authenticate to the server",
        args: &[
            Arg::new("username", ArgType::String)
                .since("6.0.0")
                .optional(),
            Arg::new("password", ArgType::String),
        ],
        run: auth::auth,
        ..Spec::DEFAULT
    },
];
