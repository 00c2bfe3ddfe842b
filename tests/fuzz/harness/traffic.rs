//! Commands for values that came from outside: each way to read one, and to change it. What
//! they reply does not matter; damage that was let in shows here.

use flashkv::base::rng::Rng;

use super::contents::Content;
use super::rig::Rig;

/// In a command: the key.
const KEY: &str = "K";
/// In a command: an element of the value, or a group of the stream.
const ELEMENT: &str = "E";

/// Rounds over the commands of a type, in random order.
const ROUNDS: usize = 2;

/// Runs the commands of its type on a key.
pub fn run(rig: &mut Rig, key: &[u8], content: &Content, rng: &mut Rng) {
    let own = match content.kind {
        "string" => STRING,
        "list" => LIST,
        "hash" => HASH,
        "set" => SET,
        "zset" => ZSET,
        _ => STREAM,
    };
    let mut lines: Vec<&str> = own.iter().chain(ANY).copied().collect();
    for _ in 0..ROUNDS {
        for nth in (1..lines.len()).rev() {
            lines.swap(nth, rng.below(nth as u64 + 1) as usize);
        }
        for line in &lines {
            let word = |word| match word {
                KEY => key,
                ELEMENT => &content.sample,
                word => word.as_bytes(),
            };
            let words: Vec<&[u8]> = line.split(' ').map(word).collect();
            rig.run(&words);
        }
    }
}

const ANY: &[&str] = &[
    "TYPE K",
    "OBJECT ENCODING K",
    "MEMORY USAGE K SAMPLES 0",
    "DEBUG DIGEST-VALUE K",
    "DUMP K",
    "COPY K copy REPLACE",
    "EXPIRE K 1000",
    "PERSIST K",
    "SORT K ALPHA",
    "SORT K BY nosort GET # STORE sorted",
];

const STRING: &[&str] = &[
    "GET K",
    "STRLEN K",
    "APPEND K more",
    "GETRANGE K -3 -1",
    "SETRANGE K 5 hello",
    "SETBIT K 77 1",
    "BITCOUNT K",
    "BITPOS K 1",
    "BITFIELD K GET u8 0 INCRBY i5 100 1",
    "BITOP NOT other K",
    "INCR K",
    "INCRBYFLOAT K 1.5",
    "PFCOUNT K",
    "PFADD K a b c",
    "PFMERGE other K",
    "LCS K K LEN",
    "GETEX K EX 100",
];

const LIST: &[&str] = &[
    "LRANGE K 0 -1",
    "LLEN K",
    "LINDEX K 1",
    "LINDEX K -2",
    "LPOS K E",
    "LPOS K 5 RANK -1",
    "LSET K 0 changed",
    "LSET K -1 123456789",
    "LINSERT K BEFORE E before",
    "LINSERT K AFTER E 5",
    "LREM K 1 E",
    "LREM K -1 5",
    "RPUSH K 1 abc -70000",
    "LPUSH K 100000 x",
    "LMOVE K K LEFT RIGHT",
    "LPOP K",
    "RPOP K 2",
    "LTRIM K 1 -2",
];

const HASH: &[&str] = &[
    "HGETALL K",
    "HLEN K",
    "HKEYS K",
    "HVALS K",
    "HGET K E",
    "HMGET K E a",
    "HSTRLEN K E",
    "HSET K a 1 b 22 E 3",
    "HSETNX K c long-long-long-value",
    "HINCRBY K a 5",
    "HINCRBYFLOAT K E 1.5",
    "HEXPIRE K 100 FIELDS 2 a E",
    "HTTL K FIELDS 2 a E",
    "HPERSIST K FIELDS 1 E",
    "HGETEX K PX 5000 FIELDS 1 b",
    "HRANDFIELD K -5 WITHVALUES",
    "HSCAN K 0 COUNT 100",
    "HDEL K b",
    "HGETDEL K FIELDS 1 E",
];

const SET: &[&str] = &[
    "SMEMBERS K",
    "SCARD K",
    "SISMEMBER K E",
    "SMISMEMBER K 5 E",
    "SADD K a 1 99999999999 E",
    "SRANDMEMBER K -5",
    "SRANDMEMBER K 3",
    "SSCAN K 0 COUNT 100",
    "SUNIONSTORE other K K",
    "SINTER K other",
    "SDIFF K other",
    "SMOVE K other E",
    "SREM K a",
    "SPOP K",
];

const ZSET: &[&str] = &[
    "ZRANGE K 0 -1 WITHSCORES",
    "ZCARD K",
    "ZSCORE K E",
    "ZRANK K E",
    "ZREVRANK K E WITHSCORE",
    "ZADD K 5 a -inf b 1e300 c 0.5 E",
    "ZINCRBY K 1.5 E",
    "ZCOUNT K -inf +inf",
    "ZRANGE K (0 +inf BYSCORE LIMIT 1 3",
    "ZRANGEBYLEX K - +",
    "ZLEXCOUNT K - +",
    "ZRANDMEMBER K -5 WITHSCORES",
    "ZSCAN K 0 COUNT 100",
    "ZUNIONSTORE other 2 K K WEIGHTS 1 2",
    "ZINTER 2 K other WITHSCORES",
    "GEOPOS K E",
    "GEODIST K E a",
    "GEOSEARCH K FROMLONLAT 0 0 BYRADIUS 20000 km",
    "ZREM K b",
    "ZPOPMIN K",
    "ZPOPMAX K 2",
    "ZREMRANGEBYSCORE K 0 1",
    "ZREMRANGEBYRANK K 0 0",
    "ZREMRANGEBYLEX K [a [b",
];

const STREAM: &[&str] = &[
    "XRANGE K - +",
    "XREVRANGE K + - COUNT 5",
    "XLEN K",
    "XINFO STREAM K FULL COUNT 0",
    "XINFO STREAM K",
    "XINFO GROUPS K",
    "XINFO CONSUMERS K E",
    "XREAD STREAMS K 0",
    "XADD K * a b",
    "XADD K * field value other 5",
    "XREADGROUP GROUP E alice COUNT 3 STREAMS K >",
    "XREADGROUP GROUP E alice STREAMS K 0",
    "XPENDING K E",
    "XPENDING K E - + 10",
    "XAUTOCLAIM K E bobby 0 0 COUNT 3",
    "XCLAIM K E carol 0 1-1 FORCE",
    "XACK K E 1-1",
    "XGROUP CREATE K fresh 0",
    "XGROUP SETID K E $",
    "XGROUP CREATECONSUMER K E dave",
    "XGROUP DELCONSUMER K E alice",
    "XDEL K 1-1 1000-0",
    "XTRIM K MAXLEN 3",
    "XTRIM K MINID ~ 5",
    "XGROUP DESTROY K fresh",
];
