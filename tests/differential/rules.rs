//! The rules of the streams, a table for each family: how often, and what. The
//! notation is explained in `grammar`.
//!
//! Adding a command is adding a line; adding a family, a table and its name in
//! [`FAMILIES`].

/// A rule's weight among all, and the rule.
pub type Rule = (usize, &'static str);

/// Rules that touch only the keys they name.
pub const FAMILIES: &[&[Rule]] = &[STRINGS, LISTS, ZSETS, GEO, KEYS, CONNECTION];

const STRINGS: &[Rule] = &[
    (30, "SET <str> <value>"),
    (
        20,
        "SET <str> <value> [EX <ttl>|PX <ttl-ms>|EXAT <unix>|PXAT <unix-ms>|KEEPTTL] [NX|XX] [GET]",
    ),
    (
        6,
        "SET <str> <value> {(NX|XX|GET|KEEPTTL|EX <ttl>|PXAT <unix-ms>|EX <bad-ttl>|junk)}",
    ),
    (25, "GET <str>"),
    (12, "INCR <str>"),
    (8, "DECR <str>"),
    (12, "INCRBY <str> <int>"),
    (8, "DECRBY <str> <int>"),
    (10, "INCRBYFLOAT <str> <float>"),
    (10, "APPEND <str> <value>"),
    (8, "STRLEN <str>"),
    (10, "MSET <str> <value> {<str> <value>}"),
    (2, "MSET <str> <value> <str>"),
    (10, "MGET {<key>}"),
    (6, "MSETNX <str> <value> [<str> <value>]"),
    (6, "SETNX <str> <value>"),
    (5, "SETEX <str> (<ttl>|<ttl>|<bad-ttl>) <value>"),
    (5, "PSETEX <str> (<ttl-ms>|<ttl-ms>|<bad-ttl>) <value>"),
    (6, "GETSET <str> <value>"),
    (6, "GETDEL <str>"),
    (
        8,
        "GETEX <str> [EX <ttl>|PX <ttl-ms>|EXAT <unix>|PXAT <unix-ms>|PERSIST|EX <bad-ttl>|EXAT 1]",
    ),
    (2, "GETEX <str> EX <ttl> (PERSIST|PX <ttl-ms>|junk)"),
    (8, "SETRANGE <str> <offset> <value>"),
    (8, "GETRANGE <str> <index> <index>"),
    (3, "SUBSTR <str> <index> <index>"),
];

const LISTS: &[Rule] = &[
    (20, "LPUSH <list> {<elem>}"),
    (25, "RPUSH <list> {<elem>} [{<elem>}]"),
    (6, "LPUSHX <list> {<elem>}"),
    (6, "RPUSHX <list> {<elem>}"),
    (10, "LPOP <list> [<count>]"),
    (10, "RPOP <list> [<count>]"),
    (8, "LLEN <list>"),
    (10, "LINDEX <list> <index>"),
    (15, "LRANGE <list> <index> <index>"),
    (8, "LRANGE <list> 0 -1"),
    (8, "LSET <list> <index> <elem>"),
    (8, "LREM <list> <int-small> <elem>"),
    (8, "LINSERT <list> (BEFORE|AFTER|before|junk) <elem> <elem>"),
    (8, "LTRIM <list> <index> <index>"),
    (
        10,
        "LPOS <list> <elem> [RANK <int-small>] [COUNT <count>] [MAXLEN <count>]",
    ),
    (
        2,
        "LPOS <list> <elem> {(RANK <int-small>|COUNT -1|MAXLEN -1|RANK 0|junk)}",
    ),
    (
        8,
        "LMOVE <list> <list> (LEFT|RIGHT|left|junk) (LEFT|RIGHT|right)",
    ),
    (6, "RPOPLPUSH <list> <list>"),
];

const ZSETS: &[Rule] = &[
    (25, "ZADD <zset> [NX|XX] [GT|LT] [CH] {<score> <elem>}"),
    (4, "ZADD <zset> [NX|XX|GT|LT] INCR <score> <elem>"),
    (
        2,
        "ZADD <zset> {(NX|XX|GT|LT|CH|INCR|junk)} {<score> <elem>}",
    ),
    (10, "ZINCRBY <zset> <score> <elem>"),
    (6, "ZREM <zset> {<elem>}"),
    (6, "ZSCORE <zset> <elem>"),
    (4, "ZMSCORE <zset> {<elem>}"),
    (4, "ZCARD <zset>"),
    (4, "(ZRANK|ZREVRANK) <zset> <elem>"),
    (6, "ZCOUNT <zset> <bound> <bound>"),
    (8, "ZRANGE <zset> <index> <index> [REV] [WITHSCORES]"),
    (
        8,
        "ZRANGE <zset> <bound> <bound> BYSCORE [REV] [LIMIT <count> <int-small>] [WITHSCORES]",
    ),
    (
        2,
        "ZRANGE <zset> <bound> <bound> {(BYSCORE|BYLEX|REV|LIMIT 0 1|WITHSCORES|junk)}",
    ),
    (4, "ZREVRANGE <zset> <index> <index> [WITHSCORES]"),
    (
        6,
        "(ZRANGEBYSCORE|ZREVRANGEBYSCORE) <zset> <bound> <bound> [WITHSCORES] [LIMIT <int-small> <int-small>]",
    ),
    (4, "ZRANGESTORE <zset> <zset> <index> <index> [REV]"),
    (
        3,
        "ZRANGESTORE <zset> <zset> <bound> <bound> BYSCORE [LIMIT 1 2]",
    ),
    (4, "ZREMRANGEBYRANK <zset> <index> <index>"),
    (4, "ZREMRANGEBYSCORE <zset> <bound> <bound>"),
    (8, "(ZPOPMIN|ZPOPMAX) <zset> [<count>]"),
    (
        4,
        "ZMPOP (1 <zset>|2 <zset> <zset>|0 <zset>) (MIN|MAX|junk) [COUNT <count>]",
    ),
    (4, "ZRANDMEMBER <zset> [<int-small> [WITHSCORES]]"),
    (
        8,
        "(ZUNION|ZINTER) 2 <zset> <zset> [WEIGHTS <score> <int-small>] [AGGREGATE (SUM|MIN|MAX|junk)] [WITHSCORES]",
    ),
    (
        3,
        "ZDIFF (1 <zset>|2 <zset> <zset>|3 <zset> <zset> <zset>|0 <zset>) [WITHSCORES]",
    ),
    (
        8,
        "(ZUNIONSTORE|ZINTERSTORE) <zset> 2 <zset> <zset> [WEIGHTS <int-small> 1] [AGGREGATE (SUM|MIN|MAX)]",
    ),
    (3, "ZDIFFSTORE <zset> 2 <zset> <zset>"),
    (3, "ZINTERCARD 2 <zset> <zset> [LIMIT <count>]"),
    (4, "ZSCAN <zset> 0 COUNT 1000 [MATCH (a*|?|*)]"),
    (6, "ZADD <lexkey> {0 <elem>}"),
    (4, "ZLEXCOUNT <lexkey> <lex> <lex>"),
    (
        4,
        "(ZRANGEBYLEX|ZREVRANGEBYLEX) <lexkey> <lex> <lex> [LIMIT <int-small> <int-small>]",
    ),
    (
        3,
        "ZRANGE <lexkey> <lex> <lex> BYLEX [REV] [LIMIT 1 <count>]",
    ),
    (2, "ZRANGESTORE <zset> <lexkey> <lex> <lex> BYLEX"),
    (2, "ZREMRANGEBYLEX <lexkey> <lex> <lex>"),
];

const GEO: &[Rule] = &[
    (12, "GEOADD <geokey> [NX|XX] [CH] {<lon> <lat> <place>}"),
    (1, "GEOADD <geokey> NX XX <lon> <lat> <place>"),
    (1, "GEOADD <geokey> (200|abc) <lat> <place>"),
    (4, "GEODIST <geokey> <place> <place> [(m|km|ft|mi|junk)]"),
    (4, "(GEOPOS|GEOHASH) <geokey> {<place>}"),
    (
        8,
        "GEOSEARCH <geokey> (FROMMEMBER <place>|FROMLONLAT <lon> <lat>) (BYRADIUS <radius> (km|m|mi)|BYBOX <radius> <radius> (km|ft)) [ASC|DESC] [WITHDIST] [WITHCOORD] [WITHHASH]",
    ),
    (
        3,
        "GEOSEARCH <geokey> FROMLONLAT <lon> <lat> BYRADIUS <radius> km COUNT 2 [ANY] [WITHDIST]",
    ),
    (
        2,
        "GEOSEARCH <geokey> {(FROMMEMBER <place>|BYRADIUS <radius> km|BYBOX 1 1 m|FROMLONLAT 1 1|COUNT 0|ANY|junk)}",
    ),
    (
        3,
        "GEOSEARCHSTORE <geokey> <geokey> FROMMEMBER <place> BYRADIUS <radius> km [COUNT 3]",
    ),
    (
        2,
        "GEOSEARCHSTORE <zset> <geokey> FROMMEMBER <place> BYRADIUS <radius> km STOREDIST",
    ),
    (
        4,
        "(GEORADIUS|GEORADIUS_RO) <geokey> <lon> <lat> <radius> (km|m) [WITHDIST] [WITHHASH] [WITHCOORD] [ASC|DESC]",
    ),
    (
        3,
        "(GEORADIUSBYMEMBER|GEORADIUSBYMEMBER_RO) <geokey> <place> <radius> km [WITHDIST] [ASC]",
    ),
    (
        2,
        "GEORADIUS <geokey> <lon> <lat> <radius> km (STORE <geokey>|STOREDIST <zset>)",
    ),
];

const KEYS: &[Rule] = &[
    (10, "DEL {<key>}"),
    (5, "UNLINK {<key>}"),
    (6, "EXISTS {<key>}"),
    (4, "TOUCH {<key>}"),
    (6, "TYPE <key>"),
    (
        10,
        "EXPIRE <key> (<ttl>|<ttl>|<ttl>|-1|0|<bad-ttl>) [NX|XX|GT|LT]",
    ),
    (
        6,
        "PEXPIRE <key> (<ttl-ms>|<ttl-ms>|-5|<bad-ttl>) [NX|XX|GT|LT]",
    ),
    (
        8,
        "EXPIREAT <key> (<unix>|<unix>|<unix>|1|-1|0) [NX|XX|GT|LT]",
    ),
    (
        8,
        "PEXPIREAT <key> (<unix-ms>|<unix-ms>|<unix-ms>|1|-1) [NX|XX|GT|LT]",
    ),
    (3, "EXPIRE <key> <ttl> {(NX|XX|GT|LT|junk)}"),
    (8, "TTL <key>"),
    (5, "PTTL <key>"),
    (5, "EXPIRETIME <key>"),
    (5, "PEXPIRETIME <key>"),
    (6, "PERSIST <key>"),
    (6, "RENAME <key> <key>"),
    (5, "RENAMENX <key> <key>"),
    (6, "COPY <key> <key> [DB <db>] [REPLACE]"),
    (
        1,
        "COPY <key> <key> (DB|REPLACE REPLACE|junk|DB <db> DB <db>)",
    ),
    (6, "MOVE <key> <db>"),
    (6, "OBJECT ENCODING <key>"),
    (2, "OBJECT (REFCOUNT|IDLETIME|FREQ) <key>"),
    (1, "OBJECT (junk|ENCODING) [<key> <key>]"),
];

const CONNECTION: &[Rule] = &[
    (12, "SELECT <db>"),
    (3, "PING [<value>]"),
    (1, "PING <value> <value>"),
    (3, "ECHO <value>"),
    (2, "CLIENT SETNAME (alice|bob|<elem>|<value>)"),
    (2, "CLIENT GETNAME"),
    (
        1,
        "CLIENT (ID|ID|junk|NO-EVICT on|NO-EVICT off|NO-EVICT junk|REPLY junk)",
    ),
    (
        1,
        "CLIENT KILL (nobody|ID abc|ID 999999999|TYPE junk|ADDR 1.2.3.4:5|SKIPME junk)",
    ),
    (2, "HELLO (2|3|3|3|1|4|abc|3 SETNAME carol|3 junk|3 AUTH|)"),
    (1, "AUTH (<elem>|<elem> <elem>|<elem> <elem> <elem>)"),
    (1, "TIME"),
    (
        1,
        "COMMAND GETKEYS (GET <key>|MSET <key> <value> <key> <value>|LMOVE <key> <key> LEFT LEFT|PING|junk a|GET|SET)",
    ),
    (
        1,
        "CONFIG GET (maxmemory|databases|appendonly|timeout|proto-max-bulk-len|nosuch-directive)",
    ),
    (
        1,
        "CONFIG SET (nosuch-directive 1|timeout abc|timeout -1|timeout 0|databases 5|timeout)",
    ),
    (1, "CONFIG junk"),
    (2, "(NOSUCH|Get1|<elem>) [<value>] [{<elem>}]"),
];

/// Rules that touch a whole database or all of them: for a connection that has
/// the server to itself.
pub const WHOLE: &[Rule] = &[
    (8, "DBSIZE"),
    (8, "KEYS <pattern>"),
    (4, "RANDOMKEY"),
    (4, "SWAPDB <db> <db>"),
    (2, "FLUSHDB [ASYNC|SYNC|junk]"),
    (1, "FLUSHALL [ASYNC|SYNC|junk]"),
    (
        2,
        "SCAN (abc|-1|0 COUNT 0|0 COUNT abc|0 MATCH|0 junk 1|0 COUNT -5)",
    ),
];
