//! The values behind the `<names>` of the grammar: few keys, so that commands
//! meet on them; few elements, so that searches find some; and for strings
//! and numbers the edges where implementations differ.

use crate::support::Rng;

/// Keys that string commands prefer, then as many that list commands prefer, and so on
/// for each of the kinds.
const KEYS_EACH: usize = 10;

/// Kinds of keys.
const KINDS: usize = 5;

/// How many databases a stream moves between.
const DBS: usize = 4;

/// Instants far ahead, in seconds; the same few, so that GT and LT meet ties.
const INSTANTS: &[i64] = &[4_000_000_000, 4_000_000_001, 5_000_000_000, 9_000_000_000];

/// A value for the name `kind` of the grammar.
///
/// # Panics
/// When the grammar uses a name that is not here.
pub fn draw(kind: &str, prefix: &str, rng: &mut Rng) -> Vec<u8> {
    match kind {
        "key" => any_key(prefix, rng),
        "str" => key_of(0, prefix, rng),
        "list" => key_of(1, prefix, rng),
        "hll" => hyperloglog_key(prefix, rng),
        "letter" => vec![b'a' + rng.below(5) as u8],
        "bit" => bit_offset(rng),
        "int-bit" => bit_index(rng),
        "field" => field(rng),
        "field-at" => field_offset(rng),
        "hash" => key_of(2, prefix, rng),
        "set" => key_of(3, prefix, rng),
        "stream" => stream_key(prefix, rng),
        "sid" => stream_id(rng),
        "sid-new" => new_stream_id(rng),
        "sid-edge" => stream_edge(rng),
        "group" => rng.pick(&["g", "h", "i"]).as_bytes().to_vec(),
        "consumer" => rng.pick(&["alice", "bob", "", "c\0d"]).as_bytes().to_vec(),
        "zset" => key_of(4, prefix, rng),
        // What Redis answers about the texts of elements with different scores is not
        // defined, and what it makes of scores that are no positions: sets apart.
        "lexkey" => format!("{prefix}lexkey:{}", rng.below(3)).into_bytes(),
        "geokey" => format!("{prefix}geokey:{}", rng.below(3)).into_bytes(),
        "score" => score(rng),
        "bound" => bound(rng),
        "lex" => lex(rng),
        "place" => format!("place-{}", rng.below(12)).into_bytes(),
        "lon" => coordinate(rng, 180),
        "lat" => coordinate(rng, 85),
        "radius" => radius(rng),
        "value" => value(rng),
        "elem" => element(rng),
        "int" => integer(rng),
        "int-small" => text(rng.between(-4, 4)),
        "index" => index(rng),
        "count" => count(rng),
        "limit" => text(rng.between(1, 40)),
        "offset" => offset(rng),
        "float" => float(rng),
        // Random enough that two relative expiries never tie within the few
        // milliseconds that the servers are apart.
        "ttl" => text(rng.between(20_000, 2_000_000_000)),
        "ttl-ms" => text(rng.between(20_000_000, 2_000_000_000_000)),
        "bad-ttl" => bad_ttl(rng),
        "unix" => text(INSTANTS[rng.below(INSTANTS.len())]),
        "unix-ms" => text(1000 * INSTANTS[rng.below(INSTANTS.len())]),
        "db" => db(rng),
        "pattern" => pattern(prefix, rng),
        _ => panic!("the grammar names an unknown <{kind}>"),
    }
}

/// Whether `arg` is one of the keys, whatever its prefix; a guess, for reports.
pub fn looks_like_key(arg: &[u8]) -> bool {
    let contains = |part: &[u8]| arg.windows(part.len()).any(|window| window == part);
    arg.is_empty()
        || arg.ends_with(b":")
        || contains(b"key:")
        || contains(b"with space")
        || contains(b"stream:")
        || contains(&[0, b'\r', b'\n', 0xff])
        || contains(&[b'l'; 300])
}

/// Whether `arg` is a sorted set whose elements all have the same score.
pub fn is_ordered_by_text(arg: &[u8]) -> bool {
    arg.windows(7).any(|window| window == b"lexkey:")
}

/// Something where a number is expected; none of these is one that a time could
/// be read from.
pub fn not_a_number(rng: &mut Rng) -> Vec<u8> {
    const TEXTS: &[&str] = &[
        "abc",
        "",
        " 1",
        "1 ",
        "+1",
        "01",
        "0x10",
        "1.5",
        "1e3",
        "nan",
        "inf",
        "-",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999",
    ];
    rng.pick(TEXTS).as_bytes().to_vec()
}

fn text(number: i64) -> Vec<u8> {
    number.to_string().into_bytes()
}

fn any_key(prefix: &str, rng: &mut Rng) -> Vec<u8> {
    if rng.one_in(4) {
        return stream_key(prefix, rng);
    }
    let kind = rng.below(KINDS);
    key_of(kind, prefix, rng)
}

/// Mostly one of a few keys for streams, sometimes another.
fn stream_key(prefix: &str, rng: &mut Rng) -> Vec<u8> {
    if rng.one_in(16) {
        return key_of(0, prefix, rng);
    }
    format!("{prefix}stream:{}", rng.below(5)).into_bytes()
}

/// An id for a new entry, mostly one that a stream can still take.
fn new_stream_id(rng: &mut Rng) -> Vec<u8> {
    match rng.below(10) {
        0 => format!("{}-*", rng.between(1, 9)).into_bytes(),
        1 | 2 => stream_id(rng),
        _ => b"9-*".to_vec(),
    }
}

/// An id of a stream's entry, among the few that entries have; or none.
fn stream_id(rng: &mut Rng) -> Vec<u8> {
    match rng.below(40) {
        0 => not_a_number(rng),
        1 if rng.one_in(20) => b"18446744073709551615-18446744073709551615".to_vec(),
        2 => b"0-0".to_vec(),
        3 => format!("{}-x", rng.below(9)).into_bytes(),
        4 => text(rng.between(1, 10)),
        5..=9 => format!("{}-{}", rng.between(1, 9), rng.below(4)).into_bytes(),
        _ => format!("9-{}", rng.below(60)).into_bytes(),
    }
}

/// An id, open or closed, or an edge.
fn stream_edge(rng: &mut Rng) -> Vec<u8> {
    match rng.below(6) {
        0 | 1 => b"-".to_vec(),
        2 | 3 => b"+".to_vec(),
        4 => [b"(", stream_id(rng).as_slice()].concat(),
        _ => stream_id(rng),
    }
}

/// Mostly a key of the given kind, sometimes of another, so that wrong types
/// stay a part of the stream.
fn key_of(kind: usize, prefix: &str, rng: &mut Rng) -> Vec<u8> {
    let kind = if rng.one_in(12) {
        rng.below(KINDS)
    } else {
        kind
    };
    let number = kind * KEYS_EACH + rng.below(KEYS_EACH);
    let mut key = prefix.as_bytes().to_vec();
    match number {
        0 => {}
        1 => key.extend_from_slice(b"with space"),
        2 | 12 | 22 => key.extend_from_slice(&[0, b'\r', b'\n', 0xff, number as u8]),
        3 => key.extend_from_slice(&[b'l'; 300]),
        _ => key.extend_from_slice(format!("key:{number}").as_bytes()),
    }
    key
}

/// Keys of their own, so that counters live long enough to become dense.
fn hyperloglog_key(prefix: &str, rng: &mut Rng) -> Vec<u8> {
    match rng.below(40) {
        0 => any_key(prefix, rng),
        _ => format!("{prefix}key:hll{}", rng.below(4)).into_bytes(),
    }
}

/// As [`offset`], in bits.
fn bit_offset(rng: &mut Rng) -> Vec<u8> {
    match rng.below(20) {
        0 => text(-1),
        1 => text(4_294_967_296),
        2 => text(i64::MAX),
        3 => not_a_number(rng),
        _ => text(rng.between(0, 400)),
    }
}

/// Around the lengths of the strings, in bytes and bits.
fn bit_index(rng: &mut Rng) -> Vec<u8> {
    match rng.below(12) {
        0 => index(rng),
        1..=5 => text(rng.between(-12, 12)),
        _ => text(rng.between(-300, 300)),
    }
}

fn field(rng: &mut Rng) -> Vec<u8> {
    const EDGES: &[&str] = &[
        "u1", "i1", "u8", "i8", "u63", "i64", "u64", "i65", "u0", "U8", "8",
    ];
    match rng.below(4) {
        0 => rng.pick(EDGES).as_bytes().to_vec(),
        1 => format!("u{}", rng.between(1, 63)).into_bytes(),
        2 => format!("i{}", rng.between(1, 64)).into_bytes(),
        _ => b"u8".to_vec(),
    }
}

fn field_offset(rng: &mut Rng) -> Vec<u8> {
    match rng.below(4) {
        0 => format!("#{}", rng.between(0, 12)).into_bytes(),
        1 => bit_offset(rng),
        _ => text(rng.between(0, 120)),
    }
}

fn value(rng: &mut Rng) -> Vec<u8> {
    match rng.below(20) {
        0..=5 => integer(rng),
        6..=7 => float(rng),
        8 => Vec::new(),
        9..=10 => {
            let length = rng.below(40);
            rng.bytes(length)
        }
        // Around the lengths where an encoding changes.
        11 => vec![b'e'; 40 + rng.below(8)],
        12 => vec![b'v'; 60 + rng.below(200)],
        13 if rng.one_in(4) => {
            let length = rng.below(40_000);
            rng.bytes(length)
        }
        _ => format!("value-{}", rng.below(1000)).into_bytes(),
    }
}

fn element(rng: &mut Rng) -> Vec<u8> {
    match rng.below(12) {
        0..=6 => vec![b'a' + rng.below(5) as u8],
        7..=9 => text(rng.between(-3, 3)),
        10 => integer(rng),
        _ if rng.one_in(8) => {
            let length = rng.below(10_000);
            rng.bytes(length)
        }
        _ => rng.bytes(3),
    }
}

fn integer(rng: &mut Rng) -> Vec<u8> {
    const EDGES: &[i64] = &[
        0,
        1,
        -1,
        9999,
        10_000,
        127,
        128,
        -128,
        32_767,
        -32_769,
        8_388_608,
        2_147_483_647,
        2_147_483_648,
        -2_147_483_649,
        i64::MAX,
        i64::MAX - 1,
        i64::MIN,
        i64::MIN + 1,
    ];
    match rng.below(4) {
        0 => text(EDGES[rng.below(EDGES.len())]),
        1 => text(rng.between(-1_000_000_000_000, 1_000_000_000_000)),
        _ => text(rng.between(-100, 100)),
    }
}

fn index(rng: &mut Rng) -> Vec<u8> {
    match rng.below(10) {
        0 => integer(rng),
        1 => not_a_number(rng),
        _ => text(rng.between(-12, 12)),
    }
}

fn count(rng: &mut Rng) -> Vec<u8> {
    match rng.below(10) {
        0 => text(-1),
        1 => integer(rng),
        _ => text(rng.between(0, 6)),
    }
}

/// Never an offset that both makes sense and takes much memory.
fn offset(rng: &mut Rng) -> Vec<u8> {
    match rng.below(12) {
        0 => text(-1),
        1 => text(536_870_912),
        2 => text(i64::MAX),
        3 => not_a_number(rng),
        _ => text(rng.between(0, 300)),
    }
}

fn float(rng: &mut Rng) -> Vec<u8> {
    const EDGES: &[&str] = &[
        "0.1",
        "0.2",
        "-0.3",
        "1e3",
        "-1.5e-3",
        "3.0",
        "5",
        "-5",
        "0",
        "1e17",
        "123456789.125",
        "abc",
        "nan",
        "inf",
        "-inf",
        " 1",
        "1 ",
        "",
        "0x1p3",
        "1e400",
        ".5",
        "5.",
    ];
    match rng.below(3) {
        0 => rng.pick(EDGES).as_bytes().to_vec(),
        1 => format!("{}.{}", rng.between(-50, 50), rng.below(100)).into_bytes(),
        _ => format!("{}.{:03}", rng.between(-5000, 5000), rng.below(1000)).into_bytes(),
    }
}

fn score(rng: &mut Rng) -> Vec<u8> {
    const EDGES: &[&str] = &[
        "inf",
        "-inf",
        "0.5",
        "-2.25",
        "1e3",
        "1e-7",
        "1234567.125",
        "3.0",
        "abc",
        "nan",
        "",
        "0x1p3",
    ];
    match rng.below(8) {
        0 => rng.pick(EDGES).as_bytes().to_vec(),
        _ => text(rng.between(-5, 5)),
    }
}

fn bound(rng: &mut Rng) -> Vec<u8> {
    const EDGES: &[&str] = &[
        "-inf", "+inf", "inf", "(inf", "(-inf", " 1", "", "(", "abc", "((1", "1e400",
    ];
    match rng.below(6) {
        0 => rng.pick(EDGES).as_bytes().to_vec(),
        1 => format!("({}", rng.between(-5, 5)).into_bytes(),
        _ => text(rng.between(-6, 6)),
    }
}

fn lex(rng: &mut Rng) -> Vec<u8> {
    const EDGES: &[&str] = &["-", "+", "-x", "a", "", "[", "("];
    match rng.below(6) {
        0 => rng.pick(EDGES).as_bytes().to_vec(),
        1 => b"-".to_vec(),
        2 => b"+".to_vec(),
        _ => {
            let mut bound = rng.pick(&["[", "("]).as_bytes().to_vec();
            bound.extend(element(rng));
            bound
        }
    }
}

/// So many digits that no two distances are the same.
fn coordinate(rng: &mut Rng, max: i64) -> Vec<u8> {
    let limit = max * 1_000_000;
    let millionths = if rng.one_in(2) {
        rng.between(10_000_000, 15_000_000)
    } else {
        rng.between(-limit, limit)
    };
    format!("{}", millionths as f64 / 1e6).into_bytes()
}

fn radius(rng: &mut Rng) -> Vec<u8> {
    match rng.below(8) {
        0 => rng.pick(&["-1", "abc", "0"]).as_bytes().to_vec(),
        1 => text(rng.between(1, 30_000)),
        _ => text(rng.between(1, 900)),
    }
}

fn bad_ttl(rng: &mut Rng) -> Vec<u8> {
    const TEXTS: &[&str] = &[
        "0",
        "-1",
        "abc",
        "1.5",
        "",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "9223372036854776",
    ];
    rng.pick(TEXTS).as_bytes().to_vec()
}

fn db(rng: &mut Rng) -> Vec<u8> {
    match rng.below(20) {
        0 => text(16),
        1 => text(-1),
        2 => not_a_number(rng),
        _ => text(rng.below(DBS) as i64),
    }
}

fn pattern(prefix: &str, rng: &mut Rng) -> Vec<u8> {
    const PATTERNS: &[&str] = &[
        "*",
        "key:*",
        "*1*",
        "key:?",
        "key:[1-5]",
        "key:[^1]",
        "key:1[0-3]",
        "nosuch",
        "",
        "[",
        "key:\\1*",
        "*space",
        "key:[5-1]",
        "**",
        "key:[a-",
        "k*y*:*",
    ];
    format!("{prefix}{}", rng.pick(PATTERNS)).into_bytes()
}
