//! The rows of the transaction commands.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Flags, Group, KeySpec, Spec};

use super::*;

const ANYWHERE: Flags = Flags::NOSCRIPT
    .with(Flags::LOADING)
    .with(Flags::STALE)
    .with(Flags::ALONE);
const QUICK: Flags = ANYWHERE.with(Flags::FAST).with(Flags::ALLOW_BUSY);

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "multi",
        arity: 1,
        flags: QUICK.with(Flags::UNQUEUED),
        acl: &["@transaction"],
        group: Group::Transactions,
        since: "1.2.0",
        complexity: "O(1)",
        summary: "Mark the start of a transaction block",
        run: multi,
        ..Spec::DEFAULT
    },
    Spec {
        name: "exec",
        arity: 1,
        flags: ANYWHERE
            .with(Flags::SKIP_SLOWLOG)
            .with(Flags::SESSION_KEYS)
            .with(Flags::RUNS_QUEUE)
            .with(Flags::UNQUEUED),
        acl: &["@transaction"],
        group: Group::Transactions,
        since: "1.2.0",
        complexity: "Depends on commands in the transaction",
        summary: "Execute all commands issued after MULTI",
        run: exec,
        ..Spec::DEFAULT
    },
    Spec {
        name: "discard",
        arity: 1,
        flags: QUICK.with(Flags::SESSION_KEYS).with(Flags::UNQUEUED),
        acl: &["@transaction"],
        group: Group::Transactions,
        since: "2.0.0",
        complexity: "O(N), when N is the number of queued commands",
        summary: "Discard all commands issued after MULTI",
        run: discard,
        ..Spec::DEFAULT
    },
    Spec {
        name: "watch",
        arity: -2,
        flags: QUICK.with(Flags::CHANGES_READ_KEYS).with(Flags::UNQUEUED),
        acl: &["@transaction"],
        keys: &[KeySpec::range(1, -1, 1, &[Ro])],
        group: Group::Transactions,
        since: "2.2.0",
        complexity: "O(1) for every key.",
        summary: "Watch the given keys to determine execution of the MULTI/EXEC block",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple()],
        run: watch,
        ..Spec::DEFAULT
    },
    Spec {
        name: "unwatch",
        arity: 1,
        flags: QUICK.with(Flags::SESSION_KEYS),
        acl: &["@transaction"],
        group: Group::Transactions,
        since: "2.2.0",
        complexity: "O(1)",
        summary: "Forget about all watched keys",
        run: unwatch,
        ..Spec::DEFAULT
    },
];
