//! The rules of the streams, a table for each family: how often, and what. The
//! notation is explained in `grammar`.
//!
//! Adding a command is adding a line; adding a family, a table and its name in
//! [`FAMILIES`].

/// A rule's weight among all, and the rule.
pub type Rule = (usize, &'static str);

/// Rules that touch only the keys they name.
pub const FAMILIES: &[&[Rule]] = &[STRINGS, LISTS, HASHES, SETS, STREAMS, KEYS, CONNECTION];

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
    (4, "SRANDMEMBER <set> [<count>]"),
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
    (
        6,
        "SSCAN <set> (0|0|0|-1|junk) [MATCH (*|a|?|[ab]*)] [COUNT (1000|1000|0|junk)]",
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
