//! The rows of the commands about fields that expire, as Redis 7.4 and 8.0 brought
//! them.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Flags, Group, KeySpec, Spec};

use super::expire;

const EACH: &str = "O(N) where N is the number of specified fields";

const KEY: Arg = Arg::new("key", ArgType::Key).key(0);
const NUMFIELDS: Arg = Arg::new("numfields", ArgType::Integer);
const FIELDS: Arg = Arg::new("fields", ArgType::Block)
    .token("FIELDS")
    .of(&[NUMFIELDS, Arg::new("field", ArgType::String).multiple()]);
const CONDITION: Arg = Arg::new("condition", ArgType::OneOf).optional().of(&[
    Arg::new("nx", ArgType::PureToken).token("NX"),
    Arg::new("xx", ArgType::PureToken).token("XX"),
    Arg::new("gt", ArgType::PureToken).token("GT"),
    Arg::new("lt", ArgType::PureToken).token("LT"),
]);
const SECONDS: Arg = Arg::new("seconds", ArgType::Integer).token("EX");
const MILLISECONDS: Arg = Arg::new("milliseconds", ArgType::Integer).token("PX");
const UNIX_SECONDS: Arg = Arg::new("unix-time-seconds", ArgType::UnixTime).token("EXAT");
const UNIX_MILLISECONDS: Arg = Arg::new("unix-time-milliseconds", ArgType::UnixTime).token("PXAT");

/// The commands about fields that expire.
pub const EXPIRE_SPECS: &[Spec] = &[
    Spec {
        name: "hexpire",
        arity: -6,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Hash,
        since: "7.4.0",
        complexity: EACH,
        summary: "Set expiry for hash field using relative time to expire (seconds)",
        args: &[
            KEY,
            Arg::new("seconds", ArgType::Integer),
            CONDITION,
            FIELDS,
        ],
        run: expire::hexpire,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hpexpire",
        arity: -6,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Hash,
        since: "7.4.0",
        complexity: EACH,
        summary: "Set expiry for hash field using relative time to expire (milliseconds)",
        args: &[
            KEY,
            Arg::new("milliseconds", ArgType::Integer),
            CONDITION,
            FIELDS,
        ],
        run: expire::hpexpire,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hexpireat",
        arity: -6,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Hash,
        since: "7.4.0",
        complexity: EACH,
        summary: "Set expiry for hash field using an absolute Unix timestamp (seconds)",
        args: &[
            KEY,
            Arg::new("unix-time-seconds", ArgType::UnixTime),
            CONDITION,
            FIELDS,
        ],
        run: expire::hexpireat,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hpexpireat",
        arity: -6,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Hash,
        since: "7.4.0",
        complexity: EACH,
        summary: "Set expiry for hash field using an absolute Unix timestamp (milliseconds)",
        args: &[
            KEY,
            Arg::new("unix-time-milliseconds", ArgType::UnixTime),
            CONDITION,
            FIELDS,
        ],
        run: expire::hpexpireat,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hexpiretime",
        arity: -5,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Hash,
        since: "7.4.0",
        complexity: EACH,
        summary: "Returns the expiration time of a hash field as a Unix timestamp, in seconds.",
        args: &[KEY, FIELDS],
        run: expire::hexpiretime,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hpexpiretime",
        arity: -5,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Hash,
        since: "7.4.0",
        complexity: EACH,
        summary: "Returns the expiration time of a hash field as a Unix timestamp, in msec.",
        args: &[KEY, FIELDS],
        run: expire::hpexpiretime,
        ..Spec::DEFAULT
    },
    Spec {
        name: "httl",
        arity: -5,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output"],
        group: Group::Hash,
        since: "7.4.0",
        complexity: EACH,
        summary: "Returns the TTL in seconds of a hash field.",
        args: &[KEY, FIELDS],
        run: expire::httl,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hpttl",
        arity: -5,
        flags: Flags::READONLY.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        tips: &["nondeterministic_output"],
        group: Group::Hash,
        since: "7.4.0",
        complexity: EACH,
        summary: "Returns the TTL in milliseconds of a hash field.",
        args: &[KEY, FIELDS],
        run: expire::hpttl,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hpersist",
        arity: -5,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Hash,
        since: "7.4.0",
        complexity: EACH,
        summary: "Removes the expiration time for each specified field",
        args: &[KEY, FIELDS],
        run: expire::hpersist,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hgetex",
        arity: -5,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Update])],
        group: Group::Hash,
        since: "8.0.0",
        complexity: EACH,
        summary: "Get the value of one or more fields of a given hash key, and optionally set their expiration.",
        args: &[
            KEY,
            Arg::new("expiration", ArgType::OneOf).optional().of(&[
                SECONDS,
                MILLISECONDS,
                UNIX_SECONDS,
                UNIX_MILLISECONDS,
                Arg::new("persist", ArgType::PureToken).token("PERSIST"),
            ]),
            FIELDS,
        ],
        run: expire::hgetex,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hsetex",
        arity: -6,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Hash,
        since: "8.0.0",
        complexity: "O(N) where N is the number of fields being set.",
        summary: "Set the value of one or more fields of a given hash key, and optionally set their expiration.",
        args: &[
            KEY,
            Arg::new("condition", ArgType::OneOf).optional().of(&[
                Arg::new("fnx", ArgType::PureToken).token("FNX"),
                Arg::new("fxx", ArgType::PureToken).token("FXX"),
            ]),
            Arg::new("expiration", ArgType::OneOf).optional().of(&[
                SECONDS,
                MILLISECONDS,
                UNIX_SECONDS,
                UNIX_MILLISECONDS,
                Arg::new("keepttl", ArgType::PureToken).token("KEEPTTL"),
            ]),
            Arg::new("fields", ArgType::Block).token("FIELDS").of(&[
                NUMFIELDS,
                Arg::new("data", ArgType::Block).multiple().of(&[
                    Arg::new("field", ArgType::String),
                    Arg::new("value", ArgType::String),
                ]),
            ]),
        ],
        run: expire::hsetex,
        ..Spec::DEFAULT
    },
    Spec {
        name: "hgetdel",
        arity: -5,
        flags: Flags::WRITE.with(Flags::FAST),
        acl: &["@hash"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Access, Delete])],
        group: Group::Hash,
        since: "8.0.0",
        complexity: EACH,
        summary: "Returns the value of a field and deletes it from the hash.",
        args: &[KEY, FIELDS],
        run: expire::hgetdel,
        ..Spec::DEFAULT
    },
];
