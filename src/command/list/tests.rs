//! Replies and error texts as Redis gives them.

use crate::command::testing::{Rig, expect};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";
const SYNTAX: &str = "-ERR syntax error";

fn rig() -> Rig {
    let mut rig = Rig::new();
    expect(&mut rig, &[("SET s abc", "+OK"), ("RPUSH l a b c", ":3")]);
    rig
}

#[test]
fn ends() {
    let mut rig = rig();
    let positive = "-ERR value is out of range, must be positive";
    expect(
        &mut rig,
        &[
            ("LPUSH l x y", ":5"),
            ("LPUSHX none x", ":0"),
            ("RPUSHX l z", ":6"),
            ("LRANGE l 0 -1", "*6 $1 y $1 x $1 a $1 b $1 c $1 z"),
            ("LPOP l", "$1 y"),
            ("RPOP l 2", "*2 $1 z $1 c"),
            ("LPOP l 0", "*0"),
            ("LPOP none", "$-1"),
            ("LPOP none 0", "*-1"),
            ("LPOP none x", positive),
            ("LPOP s x", positive),
            ("LPOP l -1", positive),
            ("LPOP s 1", WRONG_TYPE),
            (
                "LPOP l 1 2",
                "-ERR wrong number of arguments for 'lpop' command",
            ),
            ("LPUSH s 1", WRONG_TYPE),
            ("LPOP l 99", "*3 $1 x $1 a $1 b"),
            ("EXISTS l", ":0"),
        ],
    );
}

#[test]
fn reads() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("LLEN l", ":3"),
            ("LLEN none", ":0"),
            ("LLEN s", WRONG_TYPE),
            ("LINDEX l -1", "$1 c"),
            ("LINDEX l 9", "$-1"),
            ("LINDEX none x", "$-1"),
            ("LINDEX s x", WRONG_TYPE),
            ("LINDEX l x", NOT_INTEGER),
            ("LRANGE s x y", NOT_INTEGER),
            ("LRANGE s 0 1", WRONG_TYPE),
            ("LRANGE l 5 9", "*0"),
            ("LRANGE l -100 0", "*1 $1 a"),
            ("LRANGE none 0 1", "*0"),
        ],
    );
}

#[test]
fn search() {
    let mut rig = rig();
    let zero = "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second \
                ... or use negative to start from the end of the list";
    let range = "-ERR value is out of range, value must between -9223372036854775807 and \
                 9223372036854775807";
    expect(
        &mut rig,
        &[
            ("LPOS l a RANK 0", zero),
            ("LPOS l a RANK -9223372036854775808", range),
            ("LPOS l a RANK x", NOT_INTEGER),
            ("LPOS l a COUNT -1", "-ERR COUNT can't be negative"),
            ("LPOS l a COUNT x", "-ERR COUNT can't be negative"),
            ("LPOS l a MAXLEN x", "-ERR MAXLEN can't be negative"),
            ("LPOS l a FOO 1", SYNTAX),
            ("LPOS l a RANK", SYNTAX),
            ("LPOS s a RANK 0", zero),
            ("LPOS s a", WRONG_TYPE),
            ("LPOS none a", "$-1"),
            ("LPOS none a COUNT 0", "*0"),
            ("RPUSH l a b", ":5"),
            ("LPOS l a", ":0"),
            ("LPOS l a RANK -1", ":3"),
            ("LPOS l a RANK 3", "$-1"),
            ("LPOS l b COUNT 0", "*2 :1 :4"),
            ("LPOS l b COUNT 0 MAXLEN 2", "*1 :1"),
        ],
    );
}

#[test]
fn changes_in_the_middle() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("LSET none x y", "-ERR no such key"),
            ("LSET s x y", WRONG_TYPE),
            ("LSET l x y", NOT_INTEGER),
            ("LSET l 10 y", "-ERR index out of range"),
            ("LSET l -1 z", "+OK"),
            ("LREM l x x", NOT_INTEGER),
            ("LREM s 0 x", WRONG_TYPE),
            ("LREM none 0 x", ":0"),
            ("LINSERT s foo a b", SYNTAX),
            ("LINSERT none AFTER a b", ":0"),
            ("LINSERT l AFTER q b", ":-1"),
            ("LINSERT l before z y", ":4"),
            ("LRANGE l 0 -1", "*4 $1 a $1 b $1 y $1 z"),
            ("LREM l -1 b", ":1"),
            ("LTRIM l x y", NOT_INTEGER),
            ("LTRIM s 0 1", WRONG_TYPE),
            ("LTRIM none 0 1", "+OK"),
            ("LTRIM l 1 -1", "+OK"),
            ("LRANGE l 0 -1", "*2 $1 y $1 z"),
            ("LTRIM l 5 9", "+OK"),
            ("TYPE l", "+none"),
        ],
    );
}

#[test]
fn moves() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("LMOVE l l LEFT FOO", SYNTAX),
            ("LMOVE none s LEFT LEFT", "$-1"),
            ("LMOVE l s LEFT LEFT", WRONG_TYPE),
            ("LMOVE s l LEFT LEFT", WRONG_TYPE),
            ("LMOVE l l LEFT RIGHT", "$1 a"),
            ("RPOPLPUSH l m", "$1 a"),
            ("LRANGE l 0 -1", "*2 $1 b $1 c"),
            ("RPOPLPUSH m m", "$1 a"),
            ("RPOPLPUSH m l", "$1 a"),
            ("EXISTS m", ":0"),
            ("LRANGE l 0 -1", "*3 $1 a $1 b $1 c"),
        ],
    );
}

#[test]
fn large_lists_are_left_to_the_pool() {
    let mut rig = Rig::new();
    let words: Vec<String> = (0..1000).map(|i| format!("element-{i:06}")).collect();
    for _ in 0..5 {
        let mut args: Vec<&[u8]> = vec![b"RPUSH", b"l"];
        args.extend(words.iter().map(|word| word.as_bytes()));
        rig.run(&args);
    }
    for (line, want) in [
        ("LRANGE l 0 999", false),
        ("LRANGE l 0 -1", true),
        ("LPOS l absent", true),
        ("LPOS l absent MAXLEN 10", false),
        ("LREM l 0 absent", true),
        ("LINSERT l AFTER absent x", true),
        ("LINDEX l 2500", false),
        ("LPOP l 10", false),
        ("LPOP l 2000", true),
        ("DEL l", false),
    ] {
        rig.line(line);
        assert_eq!(rig.deferred, want, "{line}");
    }
}

#[test]
fn popping_from_several() {
    let mut rig = rig();
    let (keys, count) = (
        "-ERR numkeys should be greater than 0",
        "-ERR count should be greater than 0",
    );
    expect(
        &mut rig,
        &[
            ("LMPOP 2 none l LEFT", "*2 $1 l *1 $1 a"),
            ("LMPOP 2 l none RIGHT COUNT 9", "*2 $1 l *2 $1 c $1 b"),
            ("LMPOP 1 l LEFT", "*-1"),
            ("LMPOP 2 l s LEFT", WRONG_TYPE),
            ("LMPOP 0 l LEFT", keys),
            ("LMPOP x l LEFT", keys),
            ("LMPOP 1 l LEFT COUNT 0", count),
            ("LMPOP 1 l LEFT COUNT 1 COUNT 1", SYNTAX),
            ("LMPOP 3 l LEFT COUNT", SYNTAX),
            ("LMPOP 1 l UP", SYNTAX),
        ],
    );
    let told = rig.journal.commands.lock();
    let lines: Vec<String> = (told.iter().map(|(_, words)| words.join(&b' ')))
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .collect();
    assert_eq!(lines[lines.len() - 2..], ["LPOP l 1", "RPOP l 2"]);
}
