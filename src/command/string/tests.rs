//! Replies and error texts as Redis gives them.

use crate::command::testing::{Rig, START, expect};
use crate::resp::Version;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";
const NOT_FLOAT: &str = "-ERR value is not a valid float";
const SYNTAX: &str = "-ERR syntax error";

fn rig() -> Rig {
    let mut rig = Rig::new();
    expect(
        &mut rig,
        &[
            ("SET s abc", "+OK"),
            ("SET i 10", "+OK"),
            ("RPUSH l a b c", ":3"),
        ],
    );
    rig
}

#[test]
fn set_and_get() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("GET s", "$3 abc"),
            ("GET i", "$2 10"),
            ("GET none", "$-1"),
            ("GET l", WRONG_TYPE),
            ("SET s x NX", "$-1"),
            ("SET none x XX", "$-1"),
            ("SET n x NX GET", "$-1"),
            ("GET n", "$1 x"),
            ("SET n y NX GET", "$1 x"),
            ("SET n y XX GET", "$1 x"),
            ("GET n", "$1 y"),
            ("SET l v", "+OK"),
            ("GETSET s new", "$3 abc"),
            ("GETDEL s", "$3 new"),
            ("GETDEL s", "$-1"),
            ("SETNX s 1", ":1"),
            ("SETNX s 2", ":0"),
            ("STRLEN s", ":1"),
            ("MSET a 1 b 2 a 3", "+OK"),
            ("MSETNX c 1 a 2", ":0"),
            ("MSETNX c 1 d 2", ":1"),
            ("MGET a b c none a", "*5 $1 3 $1 2 $1 1 $-1 $1 3"),
        ],
    );
}

#[test]
fn set_options_that_contradict() {
    let mut rig = rig();
    for options in [
        "NX XX",
        "EX 10 KEEPTTL",
        "KEEPTTL PX 10",
        "EX 1 PX 1",
        "EX",
        "PERSIST",
        "FOO",
    ] {
        assert_eq!(rig.line(&format!("SET k v {options}")), SYNTAX, "{options}");
    }
    for options in ["KEEPTTL", "FOO", "PERSIST EX 1", "NX", "EX 1 PERSIST"] {
        assert_eq!(rig.line(&format!("GETEX s {options}")), SYNTAX, "{options}");
    }
    expect(
        &mut rig,
        &[
            ("SET k v EX 10 EX 20", "+OK"),
            ("TTL k", ":20"),
            ("SET k v NX NX", "$-1"),
            ("SET l v GET", WRONG_TYPE),
            ("SET l v EX x GET", NOT_INTEGER),
        ],
    );
}

#[test]
fn times() {
    let mut rig = rig();
    let invalid = |name: &str| format!("-ERR invalid expire time in '{name}' command");
    for (line, name) in [
        ("SET k v EX 0", "set"),
        ("SET k v EX 9223372036854775807", "set"),
        ("SET k v PX 9223372036854775807", "set"),
        ("SET k v EXAT -1", "set"),
        ("SETEX k 0 v", "setex"),
        ("PSETEX k -1 v", "psetex"),
        ("GETEX s EX 0", "getex"),
    ] {
        assert_eq!(rig.line(line), invalid(name), "{line}");
    }
    expect(
        &mut rig,
        &[
            ("SET k v EX x", NOT_INTEGER),
            ("SETEX k x v", NOT_INTEGER),
            ("GETEX none EX 0", "$-1"),
            ("GETEX l EX 0", WRONG_TYPE),
            ("GETEX s EX x", NOT_INTEGER),
            ("GETEX s PERSIST PERSIST", "$3 abc"),
            ("GETEX s EX 100", "$3 abc"),
            ("TTL s", ":100"),
            ("SET s x KEEPTTL", "+OK"),
            ("TTL s", ":100"),
            ("GETEX s PERSIST", "$1 x"),
            ("TTL s", ":-1"),
            ("SETEX s 5 x", "+OK"),
            ("APPEND s y", ":2"),
            ("PTTL s", ":5000"),
            ("GETSET s z", "$2 xy"),
            ("TTL s", ":-1"),
            ("PSETEX s 1500 v", "+OK"),
        ],
    );
    rig.now = START + 1499;
    assert_eq!(rig.line("GET s"), "$1 v");
    rig.now += 1;
    assert_eq!(rig.line("GET s"), "$-1");
    assert_eq!(rig.line("SET s x EXAT 1"), "+OK");
    assert_eq!(rig.line("EXISTS s"), ":0");
    assert_eq!(rig.line("SET s x"), "+OK");
    assert_eq!(rig.line("GETEX s PXAT 1"), "$1 x");
    assert_eq!(rig.line("EXISTS s"), ":0");
}

#[test]
fn counters() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("INCR i", ":11"),
            ("DECR i", ":10"),
            ("INCRBY i 5", ":15"),
            ("DECRBY i 5", ":10"),
            (
                "DECRBY i -9223372036854775808",
                "-ERR decrement would overflow",
            ),
            ("INCR none", ":1"),
            ("DECRBY s x", NOT_INTEGER),
            ("INCRBY l 5", WRONG_TYPE),
            ("INCRBY l x", NOT_INTEGER),
            ("INCRBY s 5", NOT_INTEGER),
            ("SET big 9223372036854775807", "+OK"),
            ("INCR big", "-ERR increment or decrement would overflow"),
            ("INCRBYFLOAT l x", WRONG_TYPE),
            ("INCRBYFLOAT s 1", NOT_FLOAT),
            ("INCRBYFLOAT i x", NOT_FLOAT),
            ("INCRBYFLOAT i nan", NOT_FLOAT),
            (
                "INCRBYFLOAT i inf",
                "-ERR increment would produce NaN or Infinity",
            ),
            ("INCRBYFLOAT i 0.1", "$4 10.1"),
            ("INCRBYFLOAT i 0.9", "$2 11"),
            ("OBJECT ENCODING i", "$6 embstr"),
            ("INCR i", ":12"),
            ("OBJECT ENCODING i", "$3 int"),
        ],
    );
}

#[test]
fn ranges() {
    let mut rig = rig();
    let too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    expect(
        &mut rig,
        &[
            ("GETRANGE s x 1", NOT_INTEGER),
            ("GETRANGE l 0 1", WRONG_TYPE),
            ("GETRANGE s 0 -1", "$3 abc"),
            ("GETRANGE s 0 -100", "$1 a"),
            ("GETRANGE s -2 -1", "$2 bc"),
            ("GETRANGE s -1 -5", "$0"),
            ("GETRANGE s 5 1", "$0"),
            ("GETRANGE s 0 9223372036854775807", "$3 abc"),
            ("GETRANGE s -9223372036854775808 0", "$1 a"),
            ("SUBSTR i 0 0", "$1 1"),
            ("GETRANGE none 0 1", "$0"),
            ("SETRANGE l x v", NOT_INTEGER),
            ("SETRANGE l -1 v", "-ERR offset is out of range"),
            ("SETRANGE l 1 v", WRONG_TYPE),
            ("SETRANGE none 536870912 v", too_long),
            ("SETRANGE none 1 \"\"", ":0"),
            ("EXISTS none", ":0"),
            ("SETRANGE s 5 x", ":6"),
            ("GET s", "$6 abc\0\0x"),
            ("SETRANGE s 1 Z", ":6"),
            ("GET s", "$6 aZc\0\0x"),
            ("SETRANGE i 0 9", ":2"),
            ("OBJECT ENCODING i", "$3 raw"),
            ("INCR i", ":91"),
            ("APPEND l x", WRONG_TYPE),
            ("APPEND a 12", ":2"),
            ("OBJECT ENCODING a", "$3 int"),
            ("APPEND a 3", ":3"),
            ("OBJECT ENCODING a", "$3 raw"),
            ("COPY a b", ":1"),
            ("OBJECT ENCODING b", "$3 raw"),
            (
                "MSET a",
                "-ERR wrong number of arguments for 'mset' command",
            ),
            (
                "MSET a b c",
                "-ERR wrong number of arguments for 'mset' command",
            ),
            (
                "MSETNX a b c",
                "-ERR wrong number of arguments for 'msetnx' command",
            ),
            ("MGET l s", "*2 $-1 $6 aZc\0\0x"),
        ],
    );
}

#[test]
fn nulls_of_resp3() {
    let mut rig = rig();
    rig.version = Version::Resp3;
    expect(
        &mut rig,
        &[
            ("GET none", "_"),
            ("LPOP none 1", "_"),
            ("MGET none", "*1 _"),
        ],
    );
}

#[test]
fn large_values_in_and_out() {
    let mut rig = rig();
    let large = vec![b'x'; 100_000];
    assert_eq!(rig.run(&[b"SET", b"k", &large]), b"+OK\r\n");
    for (args, want) in [
        (vec![b"GET".as_slice(), b"k"], &large[..]),
        (vec![b"GETRANGE", b"k", b"1", b"20000"], &large[..20000]),
        (vec![b"GETSET", b"k", b"small"], &large[..]),
    ] {
        let mut reply = format!("${}\r\n", want.len()).into_bytes();
        reply.extend_from_slice(want);
        reply.extend_from_slice(b"\r\n");
        assert!(rig.run(&args) == reply);
    }
    assert_eq!(rig.line("GET k"), "$5 small");
}

#[test]
fn long_fills_are_left_to_the_pool() {
    let mut rig = rig();
    for (line, want) in [
        ("SETRANGE k 10000000 x", true),
        ("SETRANGE k 10000000 y", false),
        ("SETRANGE k 10000001 y", false),
        ("SETRANGE s 1000 x", false),
    ] {
        rig.line(line);
        assert_eq!(rig.deferred, want, "{line}");
    }
}

/// The bytes of a large string stay where they are when some of them change, and
/// are copied only while somebody else reads them.
#[test]
fn large_strings_change_in_place() {
    let mut rig = rig();
    rig.run(&[b"SET", b"k", &vec![b'x'; 1 << 20]]);
    let at = |rig: &Rig| rig.string(b"k").as_ptr();
    rig.line("APPEND k y");
    let before = at(&rig);
    for line in ["SETRANGE k 5 abc", "SETBIT k 80 1", "BITFIELD k SET u8 8 1"] {
        rig.line(line);
        assert!(!rig.deferred, "{line}");
        assert_eq!(at(&rig), before, "{line}");
    }
    let image = rig.string(b"k");
    rig.line("SETBIT k 80 0");
    assert!(rig.deferred, "a copy of a megabyte is for the pool");
    assert_ne!(at(&rig), image.as_ptr());
    assert_eq!(rig.line("GETBIT k 80"), ":0");
}

#[test]
fn comparing_commands_are_told_decided() {
    let mut rig = rig();
    for line in [
        "SET k a IFNE x",
        "SET k b IFEQ x",
        "SET k b IFEQ a KEEPTTL",
        "SET k c IFEQ b PXAT 9000000000000",
        "DELIFEQ k x",
        "DELEX k IFEQ c",
        "SET k d",
        "DELEX k",
        "MSETEX 2 k 1 n 2 PXAT 9000000000000",
        "DELIFEQ n 2",
    ] {
        rig.line(line);
    }
    let told = rig.journal.commands.lock();
    let lines: Vec<String> = (told.iter().map(|(_, words)| words.join(&b' ')))
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .collect();
    let want = [
        "SET k a",
        "SET k b KEEPTTL",
        "SET k c PXAT 9000000000000",
        "DEL k",
        "SET k d",
        "DEL k",
        "SET k 1 PXAT 9000000000000",
        "SET n 2 PXAT 9000000000000",
        "DEL n",
    ];
    assert_eq!(lines[lines.len() - want.len()..], want);
}

#[test]
fn common_subsequences() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("MSET a ohmytext b mynewtext", "+OK"),
            ("LCS a b", "$6 mytext"),
            ("LCS a b LEN", ":6"),
            (
                "LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN",
                "*4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6",
            ),
            ("LCS a none LEN", ":0"),
            (
                "LCS a b LEN IDX",
                "-ERR If you want both the length and indexes, please just use IDX.",
            ),
        ],
    );
    let large = vec![b'x'; 100_000];
    rig.run(&[b"SET", b"large", &large]);
    assert_eq!(rig.line("LCS a large LEN"), ":1");
    assert!(!rig.deferred);
    assert_eq!(rig.line("LCS s large LEN"), ":0");
    rig.run(&[b"SET", b"larger", &large[..20_000]]);
    assert_eq!(rig.line("LCS larger large LEN"), ":20000");
    assert!(rig.deferred);
    let memory = "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
    assert_eq!(rig.line("LCS large large"), memory);
}

/// The encodings that OBJECT ENCODING names, by length and by who has written.
#[test]
fn encodings() {
    let mut rig = rig();
    for len in [1, 43, 44, 45, 191, 192, 193, 300] {
        let (text, other) = ("x".repeat(len), "z".repeat(len));
        let plain = if len <= 44 { "$6 embstr" } else { "$3 raw" };
        for (write, want) in [
            (format!("SET k {text}"), plain),
            (format!("SET k {text} IFNE y"), plain),
            (format!("GETSET k {text}"), plain),
            (format!("MSET k {text}"), plain),
            (format!("MSETEX 1 k {text} EX 100"), plain),
            ("PERSIST k".to_owned(), plain),
            ("SETBIT k 1 1".to_owned(), "$3 raw"),
            (format!("SET k {other}"), plain),
            ("BITFIELD k SET u1 1 1".to_owned(), "$3 raw"),
            (format!("SETEX k 100 {text}"), plain),
            ("SETRANGE k 0 y".to_owned(), "$3 raw"),
            (format!("PSETEX k 10000 {text}"), plain),
            ("APPEND k y".to_owned(), "$3 raw"),
            ("COPY k k2 REPLACE".to_owned(), "$3 raw"),
            ("RENAME k2 k".to_owned(), "$3 raw"),
            ("EXPIRE k 100".to_owned(), "$3 raw"),
            (format!("SET k {text}"), plain),
            ("BITOP OR k k".to_owned(), "$3 raw"),
        ] {
            rig.line(&write);
            let encoding = rig.line("OBJECT ENCODING k");
            assert_eq!(encoding, want, "{len} bytes after {write:.40}");
        }
    }
    for (write, want) in [
        ("SET k 9223372036854775807", "$3 int"),
        ("SET k 9223372036854775808", "$6 embstr"),
        ("SET k -1", "$3 int"),
        ("APPEND k 0", "$3 raw"),
        ("INCRBY k 5", "$3 int"),
        ("SETRANGE k 0 7", "$3 raw"),
        ("DECR k", "$3 int"),
        ("INCRBYFLOAT k 1", "$6 embstr"),
        ("INCR k", "$3 int"),
        ("SETBIT k 0 0", "$3 raw"),
        ("SET k 01", "$6 embstr"),
    ] {
        rig.line(write);
        assert_eq!(rig.line("OBJECT ENCODING k"), want, "after {write}");
    }
}
