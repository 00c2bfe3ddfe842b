//! The rows of the commands of publish and subscribe.

use super::{
    channels, num_pat, num_sub, psubscribe, publish, pubsub_help, punsubscribe, shard_channels,
    shard_num_sub, spublish, ssubscribe, subscribe, sunsubscribe, unsubscribe,
};
use crate::command::spec::{Arg, ArgType, Flags, Group, KeyFlag, KeySpec, Spec};

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "subscribe",
        arity: -2,
        flags: Flags::PUBSUB
            .with(Flags::NOSCRIPT)
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::ALONE),
        group: Group::Pubsub,
        since: "2.0.0",
        complexity: "O(N) where N is the number of channels to subscribe to",
        summary: "Listen for messages to the given channels",
        args: &[Arg::new("channel", ArgType::String).multiple()],
        run: subscribe,
        ..Spec::DEFAULT
    },
    Spec {
        name: "unsubscribe",
        arity: -1,
        flags: Flags::PUBSUB
            .with(Flags::NOSCRIPT)
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::ALONE),
        group: Group::Pubsub,
        since: "2.0.0",
        complexity: "O(N log(M)) where N is the number of channels and M is the number of their subscribers",
        summary: "Stop listening for messages to the given channels, or to all",
        args: &[Arg::new("channel", ArgType::String).optional().multiple()],
        run: unsubscribe,
        ..Spec::DEFAULT
    },
    Spec {
        name: "psubscribe",
        arity: -2,
        flags: Flags::PUBSUB
            .with(Flags::NOSCRIPT)
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::ALONE),
        group: Group::Pubsub,
        since: "2.0.0",
        complexity: "O(N) where N is the number of patterns to subscribe to",
        summary: "Listen for messages to all channels whose names match the given patterns",
        args: &[Arg::new("pattern", ArgType::Block)
            .multiple()
            .of(&[Arg::new("pattern", ArgType::Pattern)])],
        run: psubscribe,
        ..Spec::DEFAULT
    },
    Spec {
        name: "punsubscribe",
        arity: -1,
        flags: Flags::PUBSUB
            .with(Flags::NOSCRIPT)
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::ALONE),
        group: Group::Pubsub,
        since: "2.0.0",
        complexity: "O(N log(M)) where N is the number of patterns and M is the number of their subscribers",
        summary: "Stop listening for messages to channels that match the given patterns, or all",
        args: &[Arg::new("pattern", ArgType::Pattern).optional().multiple()],
        run: punsubscribe,
        ..Spec::DEFAULT
    },
    Spec {
        name: "ssubscribe",
        arity: -2,
        flags: Flags::PUBSUB
            .with(Flags::NOSCRIPT)
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::ALONE),
        keys: &[KeySpec::range(1, -1, 1, &[KeyFlag::NotKey])],
        group: Group::Pubsub,
        since: "7.0.0",
        complexity: "O(N) where N is the number of shard channels to subscribe to",
        summary: "Listen for messages to the given shard channels",
        args: &[Arg::new("shardchannel", ArgType::String).multiple()],
        run: ssubscribe,
        ..Spec::DEFAULT
    },
    Spec {
        name: "sunsubscribe",
        arity: -1,
        flags: Flags::PUBSUB
            .with(Flags::NOSCRIPT)
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::ALONE),
        keys: &[KeySpec::range(1, -1, 1, &[KeyFlag::NotKey])],
        group: Group::Pubsub,
        since: "7.0.0",
        complexity: "O(N log(M)) where N is the number of shard channels and M is the number of their subscribers",
        summary: "Stop listening for messages to the given shard channels, or to all",
        args: &[Arg::new("shardchannel", ArgType::String)
            .optional()
            .multiple()],
        run: sunsubscribe,
        ..Spec::DEFAULT
    },
    Spec {
        name: "publish",
        arity: 3,
        flags: Flags::PUBSUB
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::FAST)
            .with(Flags::MAY_REPLICATE),
        group: Group::Pubsub,
        since: "2.0.0",
        complexity: "O(N+M) where N is the number of subscribers of the channel and M is the number of patterns that anybody has subscribed to",
        summary: "Send a message to the subscribers of a channel",
        args: &[
            Arg::new("channel", ArgType::String),
            Arg::new("message", ArgType::String),
        ],
        run: publish,
        ..Spec::DEFAULT
    },
    Spec {
        name: "spublish",
        arity: 3,
        flags: Flags::PUBSUB
            .with(Flags::LOADING)
            .with(Flags::STALE)
            .with(Flags::FAST)
            .with(Flags::MAY_REPLICATE),
        keys: &[KeySpec::range(1, 0, 1, &[KeyFlag::NotKey])],
        group: Group::Pubsub,
        since: "7.0.0",
        complexity: "O(N) where N is the number of subscribers of the shard channel",
        summary: "Send a message to the subscribers of a shard channel",
        args: &[
            Arg::new("shardchannel", ArgType::String),
            Arg::new("message", ArgType::String),
        ],
        run: spublish,
        ..Spec::DEFAULT
    },
    Spec {
        name: "pubsub",
        arity: -2,
        group: Group::Pubsub,
        since: "2.8.0",
        complexity: "Depends on subcommand.",
        summary: "A container for Pub/Sub commands",
        subcommands: &[
            Spec {
                name: "channels",
                arity: -2,
                flags: Flags::PUBSUB.with(Flags::LOADING).with(Flags::STALE),
                group: Group::Pubsub,
                since: "2.8.0",
                complexity: "O(N) where N is the number of channels with subscribers",
                summary: "List the channels that have subscribers",
                args: &[Arg::new("pattern", ArgType::Pattern).optional()],
                run: channels,
                ..Spec::DEFAULT
            },
            Spec {
                name: "numsub",
                arity: -2,
                flags: Flags::PUBSUB.with(Flags::LOADING).with(Flags::STALE),
                group: Group::Pubsub,
                since: "2.8.0",
                complexity: "O(N) where N is the number of given channels",
                summary: "Count the subscribers of channels",
                args: &[Arg::new("channel", ArgType::String).optional().multiple()],
                run: num_sub,
                ..Spec::DEFAULT
            },
            Spec {
                name: "numpat",
                arity: 2,
                flags: Flags::PUBSUB.with(Flags::LOADING).with(Flags::STALE),
                group: Group::Pubsub,
                since: "2.8.0",
                complexity: "O(1)",
                summary: "Count the patterns that have subscribers",
                run: num_pat,
                ..Spec::DEFAULT
            },
            Spec {
                name: "shardchannels",
                arity: -2,
                flags: Flags::PUBSUB.with(Flags::LOADING).with(Flags::STALE),
                group: Group::Pubsub,
                since: "7.0.0",
                complexity: "O(N) where N is the number of shard channels with subscribers",
                summary: "List the shard channels that have subscribers",
                args: &[Arg::new("pattern", ArgType::Pattern).optional()],
                run: shard_channels,
                ..Spec::DEFAULT
            },
            Spec {
                name: "shardnumsub",
                arity: -2,
                flags: Flags::PUBSUB.with(Flags::LOADING).with(Flags::STALE),
                group: Group::Pubsub,
                since: "7.0.0",
                complexity: "O(N) where N is the number of given shard channels",
                summary: "Count the subscribers of shard channels",
                args: &[Arg::new("shardchannel", ArgType::String)
                    .optional()
                    .multiple()],
                run: shard_num_sub,
                ..Spec::DEFAULT
            },
            Spec {
                name: "help",
                arity: 2,
                flags: Flags::LOADING.with(Flags::STALE),
                group: Group::Pubsub,
                since: "6.2.0",
                complexity: "O(1)",
                summary: "Show helpful text about the different subcommands",
                run: pubsub_help,
                ..Spec::DEFAULT
            },
        ],
        ..Spec::DEFAULT
    },
];
