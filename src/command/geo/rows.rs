//! The rows of the geo commands.

use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Begin, Find, Flags, Group, KeySpec, Spec};

use super::*;

/// The commands of this file.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "geoadd",
        arity: -5,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@geo"],
        keys: &[KeySpec::range(1, 0, 1, &[Rw, Update])],
        group: Group::Geo,
        since: "3.2.0",
        complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
        summary: "Add one or more geospatial items in the geospatial index represented using a sorted set",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("condition", ArgType::OneOf)
                .since("6.2.0")
                .optional()
                .of(&[
                    Arg::new("nx", ArgType::PureToken).token("NX"),
                    Arg::new("xx", ArgType::PureToken).token("XX"),
                ]),
            Arg::new("change", ArgType::PureToken)
                .token("CH")
                .since("6.2.0")
                .optional(),
            Arg::new("longitude_latitude_member", ArgType::Block)
                .multiple()
                .of(&[
                    Arg::new("longitude", ArgType::Double),
                    Arg::new("latitude", ArgType::Double),
                    Arg::new("member", ArgType::String),
                ]),
        ],
        run: geoadd,
        ..Spec::DEFAULT
    },
    Spec {
        name: "geodist",
        arity: -4,
        flags: Flags::READONLY,
        acl: &["@geo"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Geo,
        since: "3.2.0",
        complexity: "O(log(N))",
        summary: "Returns the distance between two members of a geospatial index",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member1", ArgType::String),
            Arg::new("member2", ArgType::String),
            Arg::new("unit", ArgType::OneOf).optional().of(&[
                Arg::new("m", ArgType::PureToken).token("M"),
                Arg::new("km", ArgType::PureToken).token("KM"),
                Arg::new("ft", ArgType::PureToken).token("FT"),
                Arg::new("mi", ArgType::PureToken).token("MI"),
            ]),
        ],
        run: geodist,
        ..Spec::DEFAULT
    },
    Spec {
        name: "geohash",
        arity: -2,
        flags: Flags::READONLY,
        acl: &["@geo"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Geo,
        since: "3.2.0",
        complexity: "O(log(N)) for each member requested, where N is the number of elements in the sorted set.",
        summary: "Returns members of a geospatial index as standard geohash strings",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String).optional().multiple(),
        ],
        run: geohash,
        ..Spec::DEFAULT
    },
    Spec {
        name: "geopos",
        arity: -2,
        flags: Flags::READONLY,
        acl: &["@geo"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Geo,
        since: "3.2.0",
        complexity: "O(N) where N is the number of members requested.",
        summary: "Returns longitude and latitude of members of a geospatial index",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String).optional().multiple(),
        ],
        run: geopos,
        ..Spec::DEFAULT
    },
    Spec {
        name: "geosearch",
        arity: -7,
        flags: Flags::READONLY,
        acl: &["@geo"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Geo,
        since: "6.2.0",
        complexity: "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape",
        summary: "Query a sorted set representing a geospatial index to fetch members inside an area of a box or a circle.",
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("from", ArgType::OneOf).of(&[
                Arg::new("member", ArgType::String).token("FROMMEMBER"),
                Arg::new("longitude_latitude", ArgType::Block)
                    .token("FROMLONLAT")
                    .of(&[
                        Arg::new("longitude", ArgType::Double),
                        Arg::new("latitude", ArgType::Double),
                    ]),
            ]),
            Arg::new("by", ArgType::OneOf).of(&[
                Arg::new("circle", ArgType::Block).of(&[
                    Arg::new("radius", ArgType::Double).token("BYRADIUS"),
                    Arg::new("unit", ArgType::OneOf).of(&[
                        Arg::new("m", ArgType::PureToken).token("M"),
                        Arg::new("km", ArgType::PureToken).token("KM"),
                        Arg::new("ft", ArgType::PureToken).token("FT"),
                        Arg::new("mi", ArgType::PureToken).token("MI"),
                    ]),
                ]),
                Arg::new("box", ArgType::Block).of(&[
                    Arg::new("width", ArgType::Double).token("BYBOX"),
                    Arg::new("height", ArgType::Double),
                    Arg::new("unit", ArgType::OneOf).of(&[
                        Arg::new("m", ArgType::PureToken).token("M"),
                        Arg::new("km", ArgType::PureToken).token("KM"),
                        Arg::new("ft", ArgType::PureToken).token("FT"),
                        Arg::new("mi", ArgType::PureToken).token("MI"),
                    ]),
                ]),
                Arg::new("polygon", ArgType::Block).since("9.0.0").of(&[
                    Arg::new("vertices", ArgType::Integer).token("BYPOLYGON"),
                    Arg::new("vertex", ArgType::Block).multiple().of(&[
                        Arg::new("longitude", ArgType::Double),
                        Arg::new("latitude", ArgType::Double),
                    ]),
                ]),
            ]),
            Arg::new("order", ArgType::OneOf).optional().of(&[
                Arg::new("asc", ArgType::PureToken).token("ASC"),
                Arg::new("desc", ArgType::PureToken).token("DESC"),
            ]),
            Arg::new("count", ArgType::Block).optional().of(&[
                Arg::new("count", ArgType::Integer).token("COUNT"),
                Arg::new("any", ArgType::PureToken).token("ANY").optional(),
            ]),
            Arg::new("withcoord", ArgType::PureToken)
                .token("WITHCOORD")
                .optional(),
            Arg::new("withdist", ArgType::PureToken)
                .token("WITHDIST")
                .optional(),
            Arg::new("withhash", ArgType::PureToken)
                .token("WITHHASH")
                .optional(),
        ],
        run: geosearch,
        ..Spec::DEFAULT
    },
    Spec {
        name: "geosearchstore",
        arity: -8,
        flags: Flags::WRITE.with(Flags::DENYOOM),
        acl: &["@geo"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Ow, Update]),
            KeySpec::range(2, 0, 1, &[Ro, Access]),
        ],
        group: Group::Geo,
        since: "6.2.0",
        complexity: "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape",
        summary: "Query a sorted set representing a geospatial index to fetch members inside an area of a box or a circle, and store the result in another key.",
        args: &[
            Arg::new("destination", ArgType::Key).key(0),
            Arg::new("source", ArgType::Key).key(1),
            Arg::new("from", ArgType::OneOf).of(&[
                Arg::new("member", ArgType::String).token("FROMMEMBER"),
                Arg::new("longitude_latitude", ArgType::Block)
                    .token("FROMLONLAT")
                    .of(&[
                        Arg::new("longitude", ArgType::Double),
                        Arg::new("latitude", ArgType::Double),
                    ]),
            ]),
            Arg::new("by", ArgType::OneOf).of(&[
                Arg::new("circle", ArgType::Block).of(&[
                    Arg::new("radius", ArgType::Double).token("BYRADIUS"),
                    Arg::new("unit", ArgType::OneOf).of(&[
                        Arg::new("m", ArgType::PureToken).token("M"),
                        Arg::new("km", ArgType::PureToken).token("KM"),
                        Arg::new("ft", ArgType::PureToken).token("FT"),
                        Arg::new("mi", ArgType::PureToken).token("MI"),
                    ]),
                ]),
                Arg::new("box", ArgType::Block).of(&[
                    Arg::new("width", ArgType::Double).token("BYBOX"),
                    Arg::new("height", ArgType::Double),
                    Arg::new("unit", ArgType::OneOf).of(&[
                        Arg::new("m", ArgType::PureToken).token("M"),
                        Arg::new("km", ArgType::PureToken).token("KM"),
                        Arg::new("ft", ArgType::PureToken).token("FT"),
                        Arg::new("mi", ArgType::PureToken).token("MI"),
                    ]),
                ]),
                Arg::new("polygon", ArgType::Block).since("9.0.0").of(&[
                    Arg::new("vertices", ArgType::Integer).token("BYPOLYGON"),
                    Arg::new("vertex", ArgType::Block).multiple().of(&[
                        Arg::new("longitude", ArgType::Double),
                        Arg::new("latitude", ArgType::Double),
                    ]),
                ]),
            ]),
            Arg::new("order", ArgType::OneOf).optional().of(&[
                Arg::new("asc", ArgType::PureToken).token("ASC"),
                Arg::new("desc", ArgType::PureToken).token("DESC"),
            ]),
            Arg::new("count", ArgType::Block).optional().of(&[
                Arg::new("count", ArgType::Integer).token("COUNT"),
                Arg::new("any", ArgType::PureToken).token("ANY").optional(),
            ]),
            Arg::new("storedist", ArgType::PureToken)
                .token("STOREDIST")
                .optional(),
        ],
        run: geosearchstore,
        ..Spec::DEFAULT
    },
    Spec {
        name: "georadius",
        arity: -6,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::MOVABLEKEYS),
        acl: &["@geo"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Ro, Access]),
            KeySpec {
                flags: &[Ow, Update],
                begin: Begin::Keyword {
                    word: "STORE",
                    from: 6,
                },
                find: Find::Range {
                    last: 0,
                    step: 1,
                    limit: 0,
                },
            },
            KeySpec {
                flags: &[Ow, Update],
                begin: Begin::Keyword {
                    word: "STOREDIST",
                    from: 6,
                },
                find: Find::Range {
                    last: 0,
                    step: 1,
                    limit: 0,
                },
            },
        ],
        group: Group::Geo,
        since: "3.2.0",
        complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
        summary: "Query a sorted set representing a geospatial index to fetch members matching a given maximum distance from a point",
        deprecated: Some((
            "6.2.0",
            "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
        )),
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("longitude", ArgType::Double),
            Arg::new("latitude", ArgType::Double),
            Arg::new("radius", ArgType::Double),
            Arg::new("unit", ArgType::OneOf).of(&[
                Arg::new("m", ArgType::PureToken).token("M"),
                Arg::new("km", ArgType::PureToken).token("KM"),
                Arg::new("ft", ArgType::PureToken).token("FT"),
                Arg::new("mi", ArgType::PureToken).token("MI"),
            ]),
            Arg::new("withcoord", ArgType::PureToken)
                .token("WITHCOORD")
                .optional(),
            Arg::new("withdist", ArgType::PureToken)
                .token("WITHDIST")
                .optional(),
            Arg::new("withhash", ArgType::PureToken)
                .token("WITHHASH")
                .optional(),
            Arg::new("count", ArgType::Block).optional().of(&[
                Arg::new("count", ArgType::Integer).token("COUNT"),
                Arg::new("any", ArgType::PureToken)
                    .token("ANY")
                    .since("6.2.0")
                    .optional(),
            ]),
            Arg::new("order", ArgType::OneOf).optional().of(&[
                Arg::new("asc", ArgType::PureToken).token("ASC"),
                Arg::new("desc", ArgType::PureToken).token("DESC"),
            ]),
            Arg::new("key", ArgType::Key)
                .token("STORE")
                .key(1)
                .optional(),
            Arg::new("key", ArgType::Key)
                .token("STOREDIST")
                .key(2)
                .optional(),
        ],
        run: georadius,
        ..Spec::DEFAULT
    },
    Spec {
        name: "georadius_ro",
        arity: -6,
        flags: Flags::READONLY,
        acl: &["@geo"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Geo,
        since: "3.2.10",
        complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
        summary: "A read-only variant for GEORADIUS",
        deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument")),
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("longitude", ArgType::Double),
            Arg::new("latitude", ArgType::Double),
            Arg::new("radius", ArgType::Double),
            Arg::new("unit", ArgType::OneOf).of(&[
                Arg::new("m", ArgType::PureToken).token("M"),
                Arg::new("km", ArgType::PureToken).token("KM"),
                Arg::new("ft", ArgType::PureToken).token("FT"),
                Arg::new("mi", ArgType::PureToken).token("MI"),
            ]),
            Arg::new("withcoord", ArgType::PureToken)
                .token("WITHCOORD")
                .optional(),
            Arg::new("withdist", ArgType::PureToken)
                .token("WITHDIST")
                .optional(),
            Arg::new("withhash", ArgType::PureToken)
                .token("WITHHASH")
                .optional(),
            Arg::new("count", ArgType::Block).optional().of(&[
                Arg::new("count", ArgType::Integer).token("COUNT"),
                Arg::new("any", ArgType::PureToken)
                    .token("ANY")
                    .since("6.2.0")
                    .optional(),
            ]),
            Arg::new("order", ArgType::OneOf).optional().of(&[
                Arg::new("asc", ArgType::PureToken).token("ASC"),
                Arg::new("desc", ArgType::PureToken).token("DESC"),
            ]),
        ],
        run: georadius_ro,
        ..Spec::DEFAULT
    },
    Spec {
        name: "georadiusbymember",
        arity: -5,
        flags: Flags::WRITE.with(Flags::DENYOOM).with(Flags::MOVABLEKEYS),
        acl: &["@geo"],
        keys: &[
            KeySpec::range(1, 0, 1, &[Ro, Access]),
            KeySpec {
                flags: &[Ow, Update],
                begin: Begin::Keyword {
                    word: "STORE",
                    from: 5,
                },
                find: Find::Range {
                    last: 0,
                    step: 1,
                    limit: 0,
                },
            },
            KeySpec {
                flags: &[Ow, Update],
                begin: Begin::Keyword {
                    word: "STOREDIST",
                    from: 5,
                },
                find: Find::Range {
                    last: 0,
                    step: 1,
                    limit: 0,
                },
            },
        ],
        group: Group::Geo,
        since: "3.2.0",
        complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
        summary: "Query a sorted set representing a geospatial index to fetch members matching a given maximum distance from a member",
        deprecated: Some((
            "6.2.0",
            "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
        )),
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String),
            Arg::new("radius", ArgType::Double),
            Arg::new("unit", ArgType::OneOf).of(&[
                Arg::new("m", ArgType::PureToken).token("M"),
                Arg::new("km", ArgType::PureToken).token("KM"),
                Arg::new("ft", ArgType::PureToken).token("FT"),
                Arg::new("mi", ArgType::PureToken).token("MI"),
            ]),
            Arg::new("withcoord", ArgType::PureToken)
                .token("WITHCOORD")
                .optional(),
            Arg::new("withdist", ArgType::PureToken)
                .token("WITHDIST")
                .optional(),
            Arg::new("withhash", ArgType::PureToken)
                .token("WITHHASH")
                .optional(),
            Arg::new("count", ArgType::Block).optional().of(&[
                Arg::new("count", ArgType::Integer).token("COUNT"),
                Arg::new("any", ArgType::PureToken).token("ANY").optional(),
            ]),
            Arg::new("order", ArgType::OneOf).optional().of(&[
                Arg::new("asc", ArgType::PureToken).token("ASC"),
                Arg::new("desc", ArgType::PureToken).token("DESC"),
            ]),
            Arg::new("key", ArgType::Key)
                .token("STORE")
                .key(1)
                .optional(),
            Arg::new("key", ArgType::Key)
                .token("STOREDIST")
                .key(2)
                .optional(),
        ],
        run: georadiusbymember,
        ..Spec::DEFAULT
    },
    Spec {
        name: "georadiusbymember_ro",
        arity: -5,
        flags: Flags::READONLY,
        acl: &["@geo"],
        keys: &[KeySpec::range(1, 0, 1, &[Ro, Access])],
        group: Group::Geo,
        since: "3.2.10",
        complexity: "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.",
        summary: "A read-only variant for GEORADIUSBYMEMBER",
        deprecated: Some((
            "6.2.0",
            "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
        )),
        args: &[
            Arg::new("key", ArgType::Key).key(0),
            Arg::new("member", ArgType::String),
            Arg::new("radius", ArgType::Double),
            Arg::new("unit", ArgType::OneOf).of(&[
                Arg::new("m", ArgType::PureToken).token("M"),
                Arg::new("km", ArgType::PureToken).token("KM"),
                Arg::new("ft", ArgType::PureToken).token("FT"),
                Arg::new("mi", ArgType::PureToken).token("MI"),
            ]),
            Arg::new("withcoord", ArgType::PureToken)
                .token("WITHCOORD")
                .optional(),
            Arg::new("withdist", ArgType::PureToken)
                .token("WITHDIST")
                .optional(),
            Arg::new("withhash", ArgType::PureToken)
                .token("WITHHASH")
                .optional(),
            Arg::new("count", ArgType::Block).optional().of(&[
                Arg::new("count", ArgType::Integer).token("COUNT"),
                Arg::new("any", ArgType::PureToken).token("ANY").optional(),
            ]),
            Arg::new("order", ArgType::OneOf).optional().of(&[
                Arg::new("asc", ArgType::PureToken).token("ASC"),
                Arg::new("desc", ArgType::PureToken).token("DESC"),
            ]),
        ],
        run: georadiusbymember_ro,
        ..Spec::DEFAULT
    },
];
