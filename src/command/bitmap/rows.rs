//! The rows of the bitmap commands.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Flags, Group, KeySpec, Spec};

use super::*;

/// The commands of this family.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "setbit",
        arity: 4,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@bitmap"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::Bitmap,
        since: "2.2.0",
        complexity: "O(1)",
        summary: "Sets or clears the bit at offset in the string value stored at key",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("offset", ArgType::Integer),
            Arg::new("value", ArgType::Integer),
        ],
        run: setbit,
        ..Spec::DEFAULT
    },
    Spec {
        name: "getbit",
        arity: 3,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@bitmap"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Bitmap,
        since: "2.2.0",
        complexity: "O(1)",
        summary: "Returns the bit value at offset in the string value stored at key",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("offset", ArgType::Integer),
        ],
        run: getbit,
        ..Spec::DEFAULT
    },
    Spec {
        name: "bitcount",
        arity: -2,
        flags: Flags::READONLY,
        acl: &["@bitmap"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Bitmap,
        since: "2.6.0",
        complexity: "O(N)",
        summary: "Count set bits in a string",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("index", ArgType::Block).optional().of(&[
                Arg::new("start", ArgType::Integer),
                Arg::new("end", ArgType::Integer),
                Arg::new("index_unit", ArgType::OneOf)
                    .since("7.0.0")
                    .optional()
                    .of(&[
                        Arg::new("byte", ArgType::PureToken).token("BYTE"),
                        Arg::new("bit", ArgType::PureToken).token("BIT"),
                    ]),
            ]),
        ],
        run: bitcount,
        ..Spec::DEFAULT
    },
    Spec {
        name: "bitpos",
        arity: -3,
        flags: Flags::READONLY,
        acl: &["@bitmap"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Bitmap,
        since: "2.8.7",
        complexity: "O(N)",
        summary: "Find first bit set or clear in a string",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("bit", ArgType::Integer),
            Arg::new("index", ArgType::Block).optional().of(&[
                Arg::new("start", ArgType::Integer),
                Arg::new("end_index", ArgType::Block).optional().of(&[
                    Arg::new("end", ArgType::Integer),
                    Arg::new("index_unit", ArgType::OneOf)
                        .since("7.0.0")
                        .optional()
                        .of(&[
                            Arg::new("byte", ArgType::PureToken).token("BYTE"),
                            Arg::new("bit", ArgType::PureToken).token("BIT"),
                        ]),
                ]),
            ]),
        ],
        run: bitpos,
        ..Spec::DEFAULT
    },
    Spec {
        name: "bitop",
        arity: -4,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@bitmap"],
        keys: &[
            KeySpec::range(2, 0, 1, &[Ow, Update]),
            KeySpec::range(3, -1, 1, &[Ro, Access]),
        ],
        group: Group::Bitmap,
        since: "2.6.0",
        complexity: "O(N)",
        summary: "Perform bitwise operations between strings",
        args: &[
            Arg::new("operation", ArgType::String),
            Arg::new("destkey", ArgType::Key).key(0),
            Arg::new("key", ArgType::Key).key(1).multiple(),
        ],
        run: bitop,
        ..Spec::DEFAULT
    },
    Spec {
        name: "bitfield",
        arity: -2,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@bitmap"],
        keys: &[KeySpec::range(
            1,
            0,
            1,
            &[Rw, Access, Update, VariableFlags],
        )],
        group: Group::Bitmap,
        since: "3.2.0",
        complexity: "O(1) for each subcommand specified",
        summary: "Perform arbitrary bitfield integer operations on strings",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("operation", ArgType::OneOf)
                .optional()
                .multiple()
                .of(&[
                    Arg::new("encoding_offset", ArgType::Block)
                        .token("GET")
                        .of(&[
                            Arg::new("encoding", ArgType::String),
                            Arg::new("offset", ArgType::Integer),
                        ]),
                    Arg::new("write", ArgType::Block).of(&[
                        Arg::new("wrap_sat_fail", ArgType::OneOf)
                            .token("OVERFLOW")
                            .optional()
                            .of(&[
                                Arg::new("wrap", ArgType::PureToken).token("WRAP"),
                                Arg::new("sat", ArgType::PureToken).token("SAT"),
                                Arg::new("fail", ArgType::PureToken).token("FAIL"),
                            ]),
                        Arg::new("write_operation", ArgType::OneOf).of(&[
                            Arg::new("encoding_offset_value", ArgType::Block)
                                .token("SET")
                                .of(&[
                                    Arg::new("encoding", ArgType::String),
                                    Arg::new("offset", ArgType::Integer),
                                    Arg::new("value", ArgType::Integer),
                                ]),
                            Arg::new("encoding_offset_increment", ArgType::Block)
                                .token("INCRBY")
                                .of(&[
                                    Arg::new("encoding", ArgType::String),
                                    Arg::new("offset", ArgType::Integer),
                                    Arg::new("increment", ArgType::Integer),
                                ]),
                        ]),
                    ]),
                ]),
        ],
        run: bitfield,
        ..Spec::DEFAULT
    },
    Spec {
        name: "bitfield_ro",
        arity: -2,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@bitmap"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Bitmap,
        since: "6.0.0",
        complexity: "O(1) for each subcommand specified",
        summary: "Perform arbitrary bitfield integer operations on strings. Read-only variant of BITFIELD",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("encoding_offset", ArgType::Block)
                .token("GET")
                .optional()
                .multiple()
                .multiple_token()
                .of(&[
                    Arg::new("encoding", ArgType::String),
                    Arg::new("offset", ArgType::Integer),
                ]),
        ],
        run: bitfield_ro,
        ..Spec::DEFAULT
    },
];
