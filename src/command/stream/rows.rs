//! The rows of the stream commands.

use crate::command::spec::KeyFlag::{self, *};
use crate::command::spec::{Arg, ArgType, Begin, Find, Flags, Group, KeySpec, Spec};

use super::claim::{xautoclaim, xclaim};
use super::entries::{xackdel, xadd, xdel, xdelex, xlen, xrange, xrevrange, xsetid, xtrim};
use super::groups::*;
use super::info::{xinfo_consumers, xinfo_groups, xinfo_help, xinfo_stream};
use super::read::{xread, xreadgroup};

/// Keys that stand behind the word STREAMS: the first half of the rest.
const fn behind_streams(from: i32, flags: &'static [KeyFlag]) -> KeySpec {
    KeySpec {
        flags,
        begin: Begin::Keyword {
            word: "STREAMS",
            from,
        },
        find: Find::Range {
            last: -1,
            step: 1,
            limit: 2,
        },
    }
}

/// What becomes of references to deleted entries.
const REFERENCES: Arg = Arg::new("condition", ArgType::OneOf).optional().of(&[
    Arg::new("keepref", ArgType::PureToken).token("KEEPREF"),
    Arg::new("delref", ArgType::PureToken).token("DELREF"),
    Arg::new("acked", ArgType::PureToken).token("ACKED"),
]);

/// The same for the commands that had to do without.
const TRIM_REFERENCES: Arg = REFERENCES.since("8.2.0");

/// A counted block of ids.
const IDS: Arg = Arg::new("ids", ArgType::Block).token("IDS").of(&[
    Arg::new("numids", ArgType::Integer),
    Arg::new("id", ArgType::String).multiple(),
]);

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "xadd",
        arity: -5,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        tips: &["nondeterministic_output"],
        group: Group::Stream,
        since: "5.0.0",
        complexity: "O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.",
        summary: "Appends a new message to a stream. Creates the key if it doesn't exist.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("nomkstream", ArgType::PureToken)
                .token("NOMKSTREAM")
                .since("6.2.0")
                .optional(),
            TRIM_REFERENCES,
            Arg::new("trim", ArgType::Block).optional().of(&[
                Arg::new("strategy", ArgType::OneOf).of(&[
                    Arg::new("maxlen", ArgType::PureToken).token("MAXLEN"),
                    Arg::new("minid", ArgType::PureToken)
                        .token("MINID")
                        .since("6.2.0"),
                ]),
                Arg::new("operator", ArgType::OneOf).optional().of(&[
                    Arg::new("equal", ArgType::PureToken).token("="),
                    Arg::new("approximately", ArgType::PureToken).token("~"),
                ]),
                Arg::new("threshold", ArgType::String),
                Arg::new("count", ArgType::Integer)
                    .token("LIMIT")
                    .since("6.2.0")
                    .optional(),
            ]),
            Arg::new("id-selector", ArgType::OneOf).of(&[
                Arg::new("auto-id", ArgType::PureToken).token("*"),
                Arg::new("id", ArgType::String),
            ]),
            Arg::new("data", ArgType::Block).multiple().of(&[
                Arg::new("field", ArgType::String),
                Arg::new("value", ArgType::String),
            ]),
        ],
        run: xadd,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xlen",
        arity: 2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro])],
        group: Group::Stream,
        since: "5.0.0",
        complexity: "O(1)",
        summary: "Returns the number of messages in a stream.",
        args: &[Arg::new("key", ArgType::Key).key(0)],
        run: xlen,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xrange",
        arity: -4,
        flags: Flags::READONLY,
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Stream,
        since: "5.0.0",
        complexity: "O(N) with N being the number of elements being returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).",
        summary: "Returns the messages from a stream within a range of IDs.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("start", ArgType::String),
            Arg::new("end", ArgType::String),
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
        ],
        run: xrange,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xrevrange",
        arity: -4,
        flags: Flags::READONLY,
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Stream,
        since: "5.0.0",
        complexity: "O(N) with N being the number of elements returned. If N is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).",
        summary: "Returns the messages from a stream within a range of IDs in reverse order.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("end", ArgType::String),
            Arg::new("start", ArgType::String),
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
        ],
        run: xrevrange,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xread",
        arity: -4,
        // Who waits is registered beside the key.
        flags: Flags::READONLY
            .with(Flags::BLOCKING)
            .with(Flags::MOVABLEKEYS)
            .with(Flags::CHANGES_READ_KEYS),
        acl: &["@stream"],
        keys: &[behind_streams(1, &[Ro, Access])],
        group: Group::Stream,
        since: "5.0.0",
        complexity: "",
        summary: "Returns messages from multiple streams with IDs greater than the ones requested. Blocks until a message is available otherwise.",
        args: &[
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
            Arg::new("milliseconds", ArgType::Integer)
                .token("BLOCK")
                .optional(),
            Arg::new("streams", ArgType::Block).token("STREAMS").of(&[
                Arg::new("key", ArgType::Key).key(0).multiple(),
                Arg::new("id", ArgType::String).multiple(),
            ]),
        ],
        run: xread,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xdel",
        arity: -3,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        group: Group::Stream,
        since: "5.0.0",
        complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
        summary: "Returns the number of messages after removing them from a stream.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("id", ArgType::String).multiple(),
        ],
        run: xdel,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xtrim",
        arity: -4,
        flags: Flags::WRITE,
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        tips: &["nondeterministic_output"],
        group: Group::Stream,
        since: "5.0.0",
        complexity: "O(N), with N being the number of evicted entries. Constant times are very small however, since entries are organized in macro nodes containing multiple entries that can be released with a single deallocation.",
        summary: "Deletes messages from the beginning of a stream.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("trim", ArgType::Block).of(&[
                Arg::new("strategy", ArgType::OneOf).of(&[
                    Arg::new("maxlen", ArgType::PureToken).token("MAXLEN"),
                    Arg::new("minid", ArgType::PureToken)
                        .token("MINID")
                        .since("6.2.0"),
                ]),
                Arg::new("operator", ArgType::OneOf).optional().of(&[
                    Arg::new("equal", ArgType::PureToken).token("="),
                    Arg::new("approximately", ArgType::PureToken).token("~"),
                ]),
                Arg::new("threshold", ArgType::String),
                Arg::new("count", ArgType::Integer)
                    .token("LIMIT")
                    .since("6.2.0")
                    .optional(),
                TRIM_REFERENCES,
            ]),
        ],
        run: xtrim,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xsetid",
        arity: -3,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Stream,
        since: "5.0.0",
        complexity: "O(1)",
        summary: "An internal command for replicating stream values.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("last-id", ArgType::String),
            Arg::new("entries-added", ArgType::Integer)
                .token("ENTRIESADDED")
                .since("7.0.0")
                .optional(),
            Arg::new("max-deleted-id", ArgType::String)
                .token("MAXDELETEDID")
                .since("7.0.0")
                .optional(),
        ],
        run: xsetid,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xinfo",
        arity: -2,
        flags: Flags::NONE,
        group: Group::Stream,
        since: "5.0.0",
        complexity: "Depends on subcommand.",
        summary: "A container for stream introspection commands.",
        subcommands: &[
            Spec {
                name: "consumers",
                arity: 4,
                flags: Flags::READONLY,
                acl: &["@stream"],
                keys: &[KeySpec::range(2, 0, 1, &[Ro, Access])],
                tips: &["nondeterministic_output"],
                group: Group::Stream,
                since: "5.0.0",
                complexity: "O(1)",
                summary: "Returns a list of the consumers in a consumer group.",
                args: &[
                    Arg::new("key", ArgType::Key).key(0),
                    Arg::new("group", ArgType::String),
                ],
                run: xinfo_consumers,
                ..Spec::DEFAULT
            },
            Spec {
                name: "groups",
                arity: 3,
                flags: Flags::READONLY,
                acl: &["@stream"],
                keys: &[KeySpec::range(2, 0, 1, &[Ro, Access])],
                group: Group::Stream,
                since: "5.0.0",
                complexity: "O(1)",
                summary: "Returns a list of the consumer groups of a stream.",
                args: &[Arg::new("key", ArgType::Key).key(0)],
                run: xinfo_groups,
                ..Spec::DEFAULT
            },
            Spec {
                name: "help",
                arity: 2,
                flags: Flags::LOADING.with(Flags::STALE),
                acl: &["@stream"],
                group: Group::Stream,
                since: "5.0.0",
                complexity: "O(1)",
                summary: "Returns helpful text about the different subcommands.",
                run: xinfo_help,
                ..Spec::DEFAULT
            },
            Spec {
                name: "stream",
                arity: -3,
                flags: Flags::READONLY,
                acl: &["@stream"],
                keys: &[KeySpec::range(2, 0, 1, &[Ro, Access])],
                group: Group::Stream,
                since: "5.0.0",
                complexity: "O(1)",
                summary: "Returns information about a stream.",
                args: &[
                    Arg::new("key", ArgType::Key).key(0),
                    Arg::new("full-block", ArgType::Block).optional().of(&[
                        Arg::new("full", ArgType::PureToken).token("FULL"),
                        Arg::new("count", ArgType::Integer)
                            .token("COUNT")
                            .optional(),
                    ]),
                ],
                run: xinfo_stream,
                ..Spec::DEFAULT
            },
        ],
        ..Spec::DEFAULT
    },
    Spec {
        name: "xgroup",
        arity: -2,
        flags: Flags::NONE,
        group: Group::Stream,
        since: "5.0.0",
        complexity: "Depends on subcommand.",
        summary: "A container for consumer groups commands.",
        subcommands: &[
            Spec {
                name: "create",
                arity: -5,
                flags: Flags::WRITE.with(Flags::DENYOOM),
                acl: &["@stream"],
                keys: &[KeySpec::range(2, 0, 1, &[Rw, Insert])],
                group: Group::Stream,
                since: "5.0.0",
                complexity: "O(1)",
                summary: "Creates a consumer group.",
                args: &[
                    Arg::new("key", ArgType::Key).key(0),
                    Arg::new("group", ArgType::String),
                    Arg::new("id-selector", ArgType::OneOf).of(&[
                        Arg::new("id", ArgType::String),
                        Arg::new("new-id", ArgType::PureToken).token("$"),
                    ]),
                    Arg::new("mkstream", ArgType::PureToken)
                        .token("MKSTREAM")
                        .optional(),
                    Arg::new("entriesread", ArgType::Integer)
                        .token("ENTRIESREAD")
                        .optional(),
                ],
                run: xgroup_create,
                ..Spec::DEFAULT
            },
            Spec {
                name: "createconsumer",
                arity: 5,
                flags: Flags::WRITE.with(Flags::DENYOOM),
                acl: &["@stream"],
                keys: &[KeySpec::range(2, 0, 1, &[Rw, Insert])],
                group: Group::Stream,
                since: "6.2.0",
                complexity: "O(1)",
                summary: "Creates a consumer in a consumer group.",
                args: &[
                    Arg::new("key", ArgType::Key).key(0),
                    Arg::new("group", ArgType::String),
                    Arg::new("consumer", ArgType::String),
                ],
                run: xgroup_createconsumer,
                ..Spec::DEFAULT
            },
            Spec {
                name: "delconsumer",
                arity: 5,
                flags: Flags::WRITE,
                acl: &["@stream"],
                keys: &[KeySpec::range(2, 0, 1, &[Rw, Delete])],
                group: Group::Stream,
                since: "5.0.0",
                complexity: "O(1)",
                summary: "Deletes a consumer from a consumer group.",
                args: &[
                    Arg::new("key", ArgType::Key).key(0),
                    Arg::new("group", ArgType::String),
                    Arg::new("consumer", ArgType::String),
                ],
                run: xgroup_delconsumer,
                ..Spec::DEFAULT
            },
            Spec {
                name: "destroy",
                arity: 4,
                flags: Flags::WRITE,
                acl: &["@stream"],
                keys: &[KeySpec::range(2, 0, 1, &[Rw, Delete])],
                group: Group::Stream,
                since: "5.0.0",
                complexity: "O(N) where N is the number of entries in the group's pending entries list (PEL).",
                summary: "Destroys a consumer group.",
                args: &[
                    Arg::new("key", ArgType::Key).key(0),
                    Arg::new("group", ArgType::String),
                ],
                run: xgroup_destroy,
                ..Spec::DEFAULT
            },
            Spec {
                name: "help",
                arity: 2,
                flags: Flags::LOADING.with(Flags::STALE),
                acl: &["@stream"],
                group: Group::Stream,
                since: "5.0.0",
                complexity: "O(1)",
                summary: "Returns helpful text about the different subcommands.",
                run: xgroup_help,
                ..Spec::DEFAULT
            },
            Spec {
                name: "setid",
                arity: -5,
                flags: Flags::WRITE,
                acl: &["@stream"],
                keys: &[KeySpec::range(2, 0, 1, &[Rw, Update])],
                group: Group::Stream,
                since: "5.0.0",
                complexity: "O(1)",
                summary: "Sets the last-delivered ID of a consumer group.",
                args: &[
                    Arg::new("key", ArgType::Key).key(0),
                    Arg::new("group", ArgType::String),
                    Arg::new("id-selector", ArgType::OneOf).of(&[
                        Arg::new("id", ArgType::String),
                        Arg::new("new-id", ArgType::PureToken).token("$"),
                    ]),
                    Arg::new("entriesread", ArgType::Integer)
                        .token("ENTRIESREAD")
                        .optional(),
                ],
                run: xgroup_setid,
                ..Spec::DEFAULT
            },
        ],
        ..Spec::DEFAULT
    },
    Spec {
        name: "xreadgroup",
        arity: -7,
        // What is pending in a group is not the value of the key to Redis.
        flags: Flags::WRITE
            .with(Flags::BLOCKING)
            .with(Flags::MOVABLEKEYS)
            .with(Flags::CHANGES_READ_KEYS),
        acl: &["@stream"],
        keys: &[behind_streams(4, &[Ro, Access])],
        group: Group::Stream,
        since: "5.0.0",
        complexity: "For each stream mentioned: O(M) with M being the number of elements returned. If M is constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1). On the other side when XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N clients blocked on the stream getting new data.",
        summary: "Returns new or historical messages from a stream for a consumer in a group. Blocks until a message is available otherwise.",
        args: &[
            Arg::new("group-block", ArgType::Block).token("GROUP").of(&[
                Arg::new("group", ArgType::String),
                Arg::new("consumer", ArgType::String),
            ]),
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
            Arg::new("milliseconds", ArgType::Integer)
                .token("BLOCK")
                .optional(),
            Arg::new("noack", ArgType::PureToken)
                .token("NOACK")
                .optional(),
            Arg::new("streams", ArgType::Block).token("STREAMS").of(&[
                Arg::new("key", ArgType::Key).key(0).multiple(),
                Arg::new("id", ArgType::String).multiple(),
            ]),
        ],
        run: xreadgroup,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xack",
        arity: -4,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Stream,
        since: "5.0.0",
        complexity: "O(1) for each message ID processed.",
        summary: "Returns the number of messages that were successfully acknowledged by the consumer group member of a stream.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("group", ArgType::String),
            Arg::new("id", ArgType::String).multiple(),
        ],
        run: xack,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xpending",
        arity: -3,
        flags: Flags::READONLY,
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output"],
        group: Group::Stream,
        since: "5.0.0",
        complexity: "O(N) with N being the number of elements returned, so asking for a small fixed number of entries per call is O(1). O(M), where M is the total number of entries scanned when used with the IDLE filter. When the command returns just the summary and the list of consumers is small, it runs in O(1) time; otherwise, an additional O(N) time for iterating every consumer.",
        summary: "Returns the information and entries from a stream consumer group's pending entries list.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("group", ArgType::String),
            Arg::new("filters", ArgType::Block).optional().of(&[
                Arg::new("min-idle-time", ArgType::Integer)
                    .token("IDLE")
                    .since("6.2.0")
                    .optional(),
                Arg::new("start", ArgType::String),
                Arg::new("end", ArgType::String),
                Arg::new("count", ArgType::Integer),
                Arg::new("consumer", ArgType::String).optional(),
            ]),
        ],
        run: xpending,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xclaim",
        arity: -6,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        tips: &["nondeterministic_output"],
        group: Group::Stream,
        since: "5.0.0",
        complexity: "O(log N) with N being the number of messages in the PEL of the consumer group.",
        summary: "Changes, or acquires, ownership of a message in a consumer group, as if the message was delivered to a consumer group member.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("group", ArgType::String),
            Arg::new("consumer", ArgType::String),
            Arg::new("min-idle-time", ArgType::String),
            Arg::new("id", ArgType::String).multiple(),
            Arg::new("ms", ArgType::Integer).token("IDLE").optional(),
            Arg::new("unix-time-milliseconds", ArgType::UnixTime)
                .token("TIME")
                .optional(),
            Arg::new("count", ArgType::Integer)
                .token("RETRYCOUNT")
                .optional(),
            Arg::new("force", ArgType::PureToken)
                .token("FORCE")
                .optional(),
            Arg::new("justid", ArgType::PureToken)
                .token("JUSTID")
                .optional(),
            Arg::new("lastid", ArgType::String)
                .token("LASTID")
                .optional(),
        ],
        run: xclaim,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xautoclaim",
        arity: -6,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        tips: &["nondeterministic_output"],
        group: Group::Stream,
        since: "6.2.0",
        complexity: "O(1) if COUNT is small.",
        summary: "Changes, or acquires, ownership of messages in a consumer group, as if the messages were delivered to a consumer group member.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("group", ArgType::String),
            Arg::new("consumer", ArgType::String),
            Arg::new("min-idle-time", ArgType::String),
            Arg::new("start", ArgType::String),
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
            Arg::new("justid", ArgType::PureToken)
                .token("JUSTID")
                .optional(),
        ],
        run: xautoclaim,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xdelex",
        arity: -5,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        group: Group::Stream,
        since: "8.2.0",
        complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
        summary: "Deletes one or multiple entries from the stream, and says what becomes of references to them.",
        args: &[Arg::new("key", ArgType::Key).key(0), REFERENCES, IDS],
        run: xdelex,
        ..Spec::DEFAULT
    },
    Spec {
        name: "xackdel",
        arity: -6,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@stream"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Delete])],
        group: Group::Stream,
        since: "8.2.0",
        complexity: "O(1) for each entry ID processed.",
        summary: "Acknowledges and deletes one or multiple messages of a stream consumer group.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("group", ArgType::String),
            REFERENCES,
            IDS,
        ],
        run: xackdel,
        ..Spec::DEFAULT
    },
];
