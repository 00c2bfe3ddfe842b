//! The rules of the streams, a table for each family: how often, and what. The
//! notation is explained in `grammar`.
//!
//! Adding a command is adding a line; adding a family, a table and its name in
//! [`FAMILIES`].

/// A rule's weight among all, and the rule.
pub type Rule = (usize, &'static str);

/// Rules that touch only the keys they name.
pub const FAMILIES: &[&[Rule]] = &[
    STRINGS,
    BITMAPS,
    HYPERLOGLOGS,
    LISTS,
    HASHES,
    SETS,
    STREAMS,
    ZSETS,
    GEO,
    KEYS,
    CONNECTION,
];

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
    (
        4,
        "LCS <str> <str> [LEN|IDX|IDX|IDX MINMATCHLEN <count>] [WITHMATCHLEN]",
    ),
    (1, "LCS <key> <str> {(LEN|IDX|MINMATCHLEN <count>|junk)}"),
];

const BITMAPS: &[Rule] = &[
    (10, "SETBIT <str> <bit> (0|1|1)"),
    (1, "SETBIT <str> <bit> (2|-1|abc)"),
    (8, "GETBIT <str> <bit>"),
    (5, "BITCOUNT <str>"),
    (8, "BITCOUNT <str> <int-bit> <int-bit> [BYTE|BIT|bit]"),
    (5, "BITPOS <str> (0|1)"),
    (4, "BITPOS <str> (0|1) <int-bit>"),
    (8, "BITPOS <str> (0|1) <int-bit> <int-bit> [BYTE|BIT|bit]"),
    (1, "BITPOS <str> (2|-1|abc)"),
    (8, "BITOP (AND|OR|XOR|and) <str> {<str>}"),
    (3, "BITOP NOT <str> <str>"),
    (1, "BITOP (NOT|junk) <str> <str> <key>"),
    (8, "BITFIELD <str> {GET <field> <field-at>}"),
    (
        12,
        "BITFIELD <str> [OVERFLOW (WRAP|SAT|FAIL|sat)] {(SET|INCRBY) <field> <field-at> <int>}",
    ),
    (
        3,
        "BITFIELD <str> {(OVERFLOW FAIL|OVERFLOW SAT|GET <field> <field-at>|INCRBY <field> <field-at> <int>)}",
    ),
    (
        2,
        "BITFIELD <str> {(OVERFLOW junk|GET <elem> 0|SET u8 <bit> abc|INCRBY u8|GET <field> <field-at>|junk)}",
    ),
    (4, "BITFIELD_RO <str> {GET <field> <field-at>}"),
    (1, "BITFIELD_RO <str> SET u8 0 1"),
];

/// The header is spoiled, the registers are not: of elements added to corrupt ones
/// Redis keeps those before its error, and here none is kept.
const HYPERLOGLOGS: &[Rule] = &[
    (15, "PFADD <hll> {<elem>}"),
    (8, "PFADD <hll> {<int>} {<int>} {<int>}"),
    (2, "PFADD <hll>"),
    (8, "PFCOUNT <hll>"),
    (4, "PFCOUNT <hll> {<hll>}"),
    (5, "PFMERGE <hll> {<hll>}"),
    (1, "PFMERGE <hll>"),
    (8, "GET <hll>"),
    (3, "PFDEBUG (ENCODING|DECODE|encoding|junk) <hll>"),
    (1, "PFDEBUG (TODENSE|GETREG) <hll>"),
    (1, "(PFADD|PFCOUNT|PFMERGE) <key> <str>"),
    (1, "DEL <hll>"),
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
    (6, "LMPOP 1 <list> (LEFT|RIGHT|left) [COUNT <count>]"),
    (5, "LMPOP 2 <list> <list> (LEFT|RIGHT) [COUNT <count>]"),
    (
        2,
        "LMPOP (0|1|2|-1|abc) <key> [<key>] (LEFT|junk) [COUNT 0|COUNT -1|COUNT|junk]",
    ),
];

const HASHES: &[Rule] = &[
    (25, "HSET <hash> {<elem> <value>}"),
    (10, "HSET <hash> {<elem> <int>}"),
    (2, "HSET <hash> <elem> <value> <elem>"),
    (5, "HMSET <hash> {<elem> <elem>}"),
    (6, "HSETNX <hash> <elem> <value>"),
    (15, "HGET <hash> <elem>"),
    (8, "HMGET <hash> {<elem>}"),
    (12, "HDEL <hash> {<elem>} [{<elem>}]"),
    (6, "HEXISTS <hash> <elem>"),
    (5, "HSTRLEN <hash> <elem>"),
    (8, "HLEN <hash>"),
    (10, "HGETALL <hash>"),
    (5, "HKEYS <hash>"),
    (5, "HVALS <hash>"),
    (12, "HINCRBY <hash> <elem> <int>"),
    (10, "HINCRBYFLOAT <hash> <elem> <float>"),
    (4, "HRANDFIELD <hash>"),
    (
        6,
        "HRANDFIELD <hash> (<int-small>|100|-9223372036854775808|9223372036854775808) [WITHVALUES|junk]",
    ),
    (
        5,
        "HSCAN <hash> (0|0|0|0|junk) [MATCH (a|[a-c]|*|-*)] [COUNT (1000|5|0|junk)] [junk]",
    ),
    (2, "OBJECT ENCODING <hash>"),
];

const SETS: &[Rule] = &[
    (30, "SADD <set> {<elem>} [{<elem>}]"),
    (10, "SADD <set> {<int-small>} [<int>]"),
    (12, "SREM <set> {<elem>}"),
    (4, "SREM <set> {<int-small>}"),
    (6, "SCARD <set>"),
    (8, "SISMEMBER <set> <elem>"),
    (6, "SMISMEMBER <set> {<elem>}"),
    (12, "SMEMBERS <set>"),
    (10, "SMOVE <set> <set> <elem>"),
    // Fewer would be chosen at random, and the data part ways.
    (3, "SPOP <set> (100000|100000|0|-1|junk|1 2)"),
    (1, "SPOP none"),
    (4, "SRANDMEMBER <set> [(1|2|5)]"),
    (
        4,
        "SRANDMEMBER <set> (100000|0|-3|junk|1 2|-9223372036854775808)",
    ),
    (8, "SINTER {<set>}"),
    (8, "SUNION {<set>}"),
    (8, "SDIFF {<set>}"),
    (6, "SINTERSTORE <set> {<set>}"),
    (6, "SUNIONSTORE <set> {<set>}"),
    (6, "SDIFFSTORE <set> {<set>}"),
    (2, "(SINTERSTORE|SUNIONSTORE|SDIFFSTORE) <key> {<set>}"),
    (4, "SINTERCARD 2 <set> <set> [LIMIT <count>]"),
    (
        2,
        "SINTERCARD (1|2|3|0|-1|junk) {<set>} [LIMIT (1|0|-1|junk)] [junk]",
    ),
    (5, "SSCAN <set> 0 [MATCH (*|a|?|[ab]*)] COUNT 1000"),
    (
        2,
        "SSCAN <set> (junk|0 COUNT 0|0 COUNT junk|0 junk|0 MATCH)",
    ),
];

const STREAMS: &[Rule] = &[
    (30, "XADD <stream> <sid-new> {<elem> <value>}"),
    (10, "XADD <stream> <sid-new> name <elem> age <int>"),
    (
        8,
        "XADD <stream> [NOMKSTREAM] [(MAXLEN|MINID) [=|~] (<limit>|<sid>) [LIMIT <limit>]] <sid-new> <elem> <elem>",
    ),
    (4, "XLEN <stream>"),
    (8, "XRANGE <stream> <sid-edge> <sid-edge> [COUNT <count>]"),
    (
        8,
        "XREVRANGE <stream> <sid-edge> <sid-edge> [COUNT <count>]",
    ),
    (6, "XDEL <stream> {<sid>}"),
    (
        4,
        "XTRIM <stream> (MAXLEN [=|~] <limit>|MINID [=|~] <sid>) [LIMIT <count>]",
    ),
    (1, "XSETID <stream> <sid> ENTRIESADDED -1"),
    (6, "XREAD [COUNT <count>] STREAMS <stream> (<sid>|0|$|junk)"),
    (
        4,
        "XREAD [COUNT <count>] STREAMS <stream> <stream> <sid> (<sid>|0)",
    ),
    (
        1,
        "XREAD {(COUNT <count>|NOACK|GROUP g h|BLOCK junk|junk)} STREAMS <stream> (0|<sid> 0)",
    ),
    (
        8,
        "XGROUP CREATE <stream> <group> (<sid>|0|$|junk) [MKSTREAM] [ENTRIESREAD <count>]",
    ),
    (
        3,
        "XGROUP SETID <stream> <group> (<sid-edge>|$) [ENTRIESREAD <count>]",
    ),
    (1, "XGROUP DESTROY <stream> <group>"),
    (2, "XGROUP CREATECONSUMER <stream> <group> <consumer>"),
    (2, "XGROUP DELCONSUMER <stream> <group> <consumer>"),
    (
        1,
        "XGROUP (HELP|junk|CREATE <stream>|SETID <stream> <group> 0 junk)",
    ),
    (
        14,
        "XREADGROUP GROUP <group> <consumer> [COUNT <count>] [NOACK] STREAMS <stream> (>|>|>|<sid>|0|$)",
    ),
    (
        4,
        "XREADGROUP GROUP <group> <consumer> COUNT <limit> STREAMS <stream> <stream> (>|0) >",
    ),
    (6, "XACK <stream> <group> {<sid>}"),
    (6, "XPENDING <stream> <group>"),
    (
        6,
        "XPENDING <stream> <group> [IDLE (0|90000000|junk)] <sid-edge> <sid-edge> <count> [<consumer>]",
    ),
    (
        6,
        "XCLAIM <stream> <group> <consumer> (0|90000000|junk) {<sid>} [TIME 1000] [RETRYCOUNT <count>] [FORCE] [JUSTID] [LASTID <sid>]",
    ),
    (
        4,
        "XAUTOCLAIM <stream> <group> <consumer> (0|0|90000000|junk) <sid-edge> [COUNT <count>] [JUSTID]",
    ),
    (4, "XINFO STREAM <stream> [FULL [COUNT <count>]|junk]"),
    (3, "XINFO GROUPS <stream>"),
    (3, "XINFO CONSUMERS <stream> <group>"),
    (1, "XINFO (HELP|junk|junk <stream>)"),
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
    (6, "SADD <set> {<elem>}"),
    (2, "SREM <set> {<elem>}"),
    (
        6,
        "(ZUNION|ZINTER) 3 <set> <zset> <set> [WEIGHTS <score> <int-small> 2] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]",
    ),
    (3, "ZDIFF 2 (<set> <zset>|<zset> <set>) [WITHSCORES]"),
    (
        4,
        "(ZUNIONSTORE|ZINTERSTORE|ZDIFFSTORE) (<zset>|<set>) 2 <set> (<zset>|<set>)",
    ),
    (2, "ZINTERCARD 2 <zset> <set> [LIMIT <count>]"),
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
    (4, "SORT (<list>|<set>) [DESC] [LIMIT <int-small> <count>]"),
    (
        3,
        "SORT <list> BY nosort [DESC] [LIMIT <int-small> <count>] [GET #] [GET none_*]",
    ),
    (4, "SORT (<list>|<set>) ALPHA [DESC] STORE <list>"),
    (2, "SORT <list> BY none_* STORE <list>"),
    (1, "SORT_RO <key> (STORE <list>|LIMIT 0|BY|junk)"),
    (1, "RESTORE <key> (0|-1|junk) junk [REPLACE|junk]"),
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
