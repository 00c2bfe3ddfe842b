//! The rows of LATENCY, HOTKEYS and MONITOR.

use crate::command::spec::{Arg, ArgType, Flags, Group, Handler, Spec};

use super::{hotkeys, latency, monitor};

const ADMIN: Flags = Flags::ADMIN
    .with(Flags::NOSCRIPT)
    .with(Flags::LOADING)
    .with(Flags::STALE)
    .with(Flags::ALONE);
const OPEN: Flags = Flags::LOADING.with(Flags::STALE).with(Flags::ALONE);

const TIPS: &[&str] = &[
    "nondeterministic_output",
    "request_policy:all_nodes",
    "response_policy:special",
];
const EVENT: Arg = Arg::new("event", ArgType::String);
const COUNT: Arg = Arg::new("count", ArgType::Integer)
    .token("COUNT")
    .optional();

/// The commands of these families.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "latency",
        arity: -2,
        flags: Flags::ALONE,
        group: Group::Server,
        since: "2.8.13",
        complexity: "Depends on subcommand.",
        summary: "A container for latency diagnostics commands",
        subcommands: &[
            latency_row(
                "doctor",
                2,
                "Return a human readable latency analysis report.",
                latency::doctor,
            ),
            Spec {
                args: &[EVENT],
                ..latency_row(
                    "graph",
                    3,
                    "Return a latency graph for the event.",
                    latency::graph,
                )
            },
            Spec {
                since: "7.0.0",
                complexity: "O(N) where N is the number of commands with latency information being retrieved.",
                args: &[Arg::new("command", ArgType::String).optional().multiple()],
                ..latency_row(
                    "histogram",
                    -2,
                    "Return the cumulative distribution of latencies of a subset of commands or all.",
                    latency::histogram,
                )
            },
            Spec {
                args: &[EVENT],
                ..latency_row(
                    "history",
                    3,
                    "Return timestamp-latency samples for the event.",
                    latency::history,
                )
            },
            latency_row(
                "latest",
                2,
                "Return the latest latency samples for all events.",
                latency::latest,
            ),
            Spec {
                tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
                args: &[EVENT.optional().multiple()],
                ..latency_row(
                    "reset",
                    -2,
                    "Reset latency data for one or more events.",
                    latency::reset,
                )
            },
            Spec {
                flags: OPEN,
                tips: &[],
                ..latency_row(
                    "help",
                    2,
                    "Show helpful text about the different subcommands.",
                    latency::help,
                )
            },
        ],
        ..Spec::DEFAULT
    },
    Spec {
        name: "hotkeys",
        arity: -2,
        flags: Flags::ALONE,
        group: Group::Server,
        since: "7.2.4",
        complexity: "Depends on subcommand.",
        summary: "A container for commands about the keys used most and the largest keys",
        subcommands: &[
            Spec {
                args: &[COUNT],
                ..hotkeys_row("get", -2, "Get the keys that are used most", hotkeys::get)
            },
            Spec {
                args: &[COUNT],
                ..hotkeys_row(
                    "big",
                    -2,
                    "Get the keys that take most memory",
                    hotkeys::big,
                )
            },
            hotkeys_row("reset", 2, "Forget which keys were used", hotkeys::reset),
            Spec {
                flags: OPEN,
                tips: &[],
                ..hotkeys_row(
                    "help",
                    2,
                    "Show helpful text about the different subcommands",
                    hotkeys::help,
                )
            },
        ],
        ..Spec::DEFAULT
    },
    Spec {
        name: "monitor",
        arity: 1,
        flags: ADMIN,
        group: Group::Server,
        since: "1.0.0",
        complexity: "O(1) to begin; each command then costs as much as writing it to the client.",
        summary: "Listens for all requests received by the server in real-time.",
        run: monitor::monitor,
        ..Spec::DEFAULT
    },
];

const fn latency_row(name: &'static str, arity: i32, summary: &'static str, run: Handler) -> Spec {
    Spec {
        since: "2.8.13",
        complexity: "O(1)",
        ..row(name, arity, summary, run)
    }
}

const fn hotkeys_row(name: &'static str, arity: i32, summary: &'static str, run: Handler) -> Spec {
    Spec {
        since: "7.2.4",
        complexity: "O(1): both tables are bounded",
        ..row(name, arity, summary, run)
    }
}

/// What the subcommands of both have in common.
const fn row(name: &'static str, arity: i32, summary: &'static str, run: Handler) -> Spec {
    Spec {
        name,
        arity,
        flags: ADMIN,
        tips: TIPS,
        group: Group::Server,
        summary,
        run,
        ..Spec::DEFAULT
    }
}
