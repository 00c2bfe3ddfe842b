//! What the golden scripts cannot show: what is left to the pool, what the journal is
//! told, and that images and live sets give the same answers.

use crate::command::testing::{Rig, expect};
use crate::config::Id;

/// A set of `count` elements, members and scores alike.
fn fill(rig: &mut Rig, key: &str, range: std::ops::Range<usize>) {
    for first in range.clone().step_by(1000) {
        let words: Vec<String> = (first..range.end.min(first + 1000))
            .flat_map(|i| [i.to_string(), format!("m{i}")])
            .collect();
        let mut args: Vec<&[u8]> = vec![b"ZADD", key.as_bytes()];
        args.extend(words.iter().map(|word| word.as_bytes()));
        rig.run(&args);
    }
}

#[test]
fn large_sets_are_left_to_the_pool() {
    let mut rig = Rig::new();
    fill(&mut rig, "z", 0..5000);
    for (line, want) in [
        ("ZRANGE z 0 999", false),
        ("ZRANGE z 0 -1", true),
        ("ZRANGEBYSCORE z 100 4000 LIMIT 5 5", false),
        ("ZREVRANGEBYSCORE z 4000 100 WITHSCORES", true),
        ("ZCOUNT z 0 5000", false),
        ("ZRANDMEMBER z 2000", true),
        ("ZRANDMEMBER z -2000", true),
        ("ZUNION 2 z none", true),
        ("ZINTERCARD 2 z none", false),
        ("ZRANGESTORE d z 0 -1", true),
        ("ZUNIONSTORE d 2 z z", true),
        ("ZSCAN z 0 COUNT 2000", true),
        ("ZREMRANGEBYRANK z 0 9", false),
        ("ZPOPMIN z 10", false),
        ("ZPOPMAX z 2000", true),
        ("ZREMRANGEBYSCORE z 0 2999", true),
        ("DEL z", false),
    ] {
        rig.line(line);
        assert_eq!(rig.deferred, want, "{line}");
    }
}

/// The same combinations of small sets, looked up, and of large ones, walked.
#[test]
fn combinations_of_large_sets() {
    let mut rig = Rig::new();
    fill(&mut rig, "a", 0..3000);
    fill(&mut rig, "b", 2000..5000);
    expect(
        &mut rig,
        &[
            ("ZUNIONSTORE u 2 a b", ":5000"),
            ("ZSCORE u m2500", "$4 5000"),
            ("ZINTERSTORE i 2 a b WEIGHTS 2 1 AGGREGATE MAX", ":1000"),
            ("ZSCORE i m2500", "$4 5000"),
            ("ZRANK i m2000", ":0"),
            ("ZDIFFSTORE d 2 a b", ":2000"),
            ("ZCOUNT d -inf +inf", ":2000"),
            ("ZSCORE d m2000", "$-1"),
            ("ZINTERCARD 2 a b LIMIT 10", ":10"),
            ("ZADD small 1 m1 1 m2500", ":2"),
            ("ZINTERCARD 2 small b", ":1"),
            ("ZRANGESTORE r a 10 2000 REV", ":1991"),
            ("ZREVRANK r m2989", ":0"),
            ("OBJECT ENCODING r", "$8 skiplist"),
            ("ZDIFFSTORE d 2 a a", ":0"),
            ("EXISTS d", ":0"),
        ],
    );
}

/// Plain sets of every encoding as sources, looked up and walked, with the answers that
/// a sorted set of ones gives.
#[test]
fn plain_sets_count_one() {
    for (count, encoding) in [(300, "intset"), (100, "listpack"), (3000, "hashtable")] {
        let mut rig = Rig::new();
        fill(&mut rig, "z", 0..2000);
        let prefix = if encoding == "intset" { "" } else { "m" };
        for i in 0..count {
            let member = if prefix.is_empty() {
                5000 + i
            } else {
                1000 + i
            };
            rig.line(&format!("SADD s {prefix}{member}"));
            rig.line(&format!("ZADD ones 1 {prefix}{member}"));
        }
        let reply = rig.line("OBJECT ENCODING s");
        assert!(reply.ends_with(encoding), "{reply}");
        for form in ["ZUNION", "ZINTER", "ZDIFF"] {
            for keys in ["2 z @", "2 @ z", "3 @ z @", "2 @ @", "1 @", "2 @ none"] {
                let weights = match (form, keys.as_bytes()[0]) {
                    ("ZDIFF", _) => "",
                    (_, b'2') => "WEIGHTS 3 -0.5",
                    _ => "",
                };
                let ask = |source| keys.replace('@', source);
                let set = rig.line(&format!("{form} {} {weights} WITHSCORES", ask("s")));
                let ones = rig.line(&format!("{form} {} {weights} WITHSCORES", ask("ones")));
                assert!(set == ones, "{form} {keys} of {encoding}");
                for (to, source) in [("a", "s"), ("b", "ones")] {
                    rig.line(&format!("{form}STORE {to} {} {weights}", ask(source)));
                }
                let stored = rig.line("ZRANGE a 0 -1 WITHSCORES");
                assert!(stored == rig.line("ZRANGE b 0 -1 WITHSCORES") && stored == set);
            }
        }
        let both = rig.line("ZINTERCARD 2 z ones LIMIT 50");
        assert_eq!(rig.line("ZINTERCARD 2 z s LIMIT 50"), both);
    }
}

#[test]
fn plain_sets_are_sources_of_nothing_else() {
    const WRONG: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    let mut rig = Rig::new();
    expect(
        &mut rig,
        &[
            ("SADD s a b", ":2"),
            ("ZADD z 1 a", ":1"),
            ("ZRANGESTORE z s 0 -1", WRONG),
            ("ZREMRANGEBYRANK s 0 -1", WRONG),
            ("ZCARD z", ":1"),
            ("ZUNIONSTORE s 1 s", ":2"),
            ("TYPE s", "+zset"),
        ],
    );
}

#[test]
fn a_large_part_is_removed() {
    let mut rig = Rig::new();
    fill(&mut rig, "z", 0..5000);
    rig.line("EXPIRE z 100");
    expect(
        &mut rig,
        &[
            ("ZREMRANGEBYSCORE z 1000 3999", ":3000"),
            ("ZCARD z", ":2000"),
            ("ZRANK z m4000", ":1000"),
            ("ZSCORE z m1000", "$-1"),
            ("TTL z", ":100"),
            ("ZREMRANGEBYRANK z 0 -1", ":2000"),
            ("EXISTS z", ":0"),
        ],
    );
    let events = rig.journal.events.lock().clone();
    let last = &events[events.len() - 3..];
    assert_eq!(last, ["zremrangebyscore", "zremrangebyrank", "del"]);
}

#[test]
fn many_are_popped_from_an_image() {
    let mut rig = Rig::new();
    fill(&mut rig, "z", 0..5000);
    rig.line("EXPIRE z 100");
    let first = rig.line("ZPOPMAX z 2000");
    assert!(
        first.starts_with("*4000 $5 m4999 $4 4999 $5 m4998"),
        "{first:.60}"
    );
    let line = rig.line("ZMPOP 2 none z MIN COUNT 1500");
    assert!(
        line.starts_with("*2 $1 z *1500 *2 $2 m0 $1 0 *2 $2 m1"),
        "{line:.60}"
    );
    expect(
        &mut rig,
        &[
            ("ZCARD z", ":1500"),
            ("ZRANK z m1500", ":0"),
            ("ZREVRANK z m2999", ":0"),
            ("ZSCORE z m3000", "$-1"),
            ("TTL z", ":100"),
        ],
    );
    assert!(rig.line("ZPOPMIN z 9999").starts_with("*3000 "));
    assert_eq!(rig.line("EXISTS z"), ":0");
    assert_eq!(rig.line("ZPOPMIN z 9999"), "*0");
    let events = rig.journal.events.lock().clone();
    assert_eq!(
        events[events.len() - 4..],
        ["zpopmax", "zpopmin", "zpopmin", "del"]
    );
}

#[test]
fn the_journal_is_told_effects() {
    let mut rig = Rig::new();
    rig.line("ZADD z 1 a 2 b 3 c");
    rig.journal.commands.lock().clear();
    rig.journal.events.lock().clear();
    for line in [
        "ZADD z 1 a",
        "ZADD z XX INCR 1 none",
        "ZREM z none",
        "ZREMRANGEBYSCORE z 7 9",
        "ZPOPMIN z 0",
    ] {
        rig.line(line);
        assert!(
            rig.journal.commands.lock().is_empty(),
            "{line} does nothing"
        );
    }
    rig.line("ZINCRBY z 1 a");
    rig.line("ZMPOP 2 none z MAX COUNT 2");
    rig.line("ZPOPMIN z");
    let told: Vec<String> = (rig.journal.commands.lock().iter())
        .map(|(_, words)| String::from_utf8_lossy(&words.join(&b' ')).into_owned())
        .collect();
    assert_eq!(told, ["ZINCRBY z 1 a", "ZPOPMAX z 2", "ZPOPMIN z"]);
    let events = rig.journal.events.lock().clone();
    assert_eq!(events, ["zincr", "zpopmax", "zpopmin", "del"]);
}

#[test]
fn scans_see_each_element_once() {
    let mut rig = Rig::new();
    fill(&mut rig, "z", 0..2000);
    let (mut cursor, mut seen) = ("0".to_owned(), 0);
    loop {
        let reply = rig.line(&format!("ZSCAN z {cursor} COUNT 100 MATCH m*"));
        let words: Vec<&str> = reply.split_ascii_whitespace().collect();
        cursor = words[2].to_owned();
        seen += (words.len() - 4) / 4;
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen, 2000);
}

#[test]
fn a_failing_increment_changes_nothing() {
    let mut rig = Rig::new();
    expect(
        &mut rig,
        &[
            ("ZADD z inf a", ":1"),
            (
                "ZINCRBY z -inf a",
                "-ERR resulting score is not a number (NaN)",
            ),
            ("ZSCORE z a", "$3 inf"),
        ],
    );
}

#[test]
fn a_copy_has_elements_of_its_own() {
    let mut rig = Rig::new();
    let id = Id::ZSET_MAX_LISTPACK_ENTRIES;
    rig.services.config.set(id, b"0").expect("a valid number");
    fill(&mut rig, "z", 0..100);
    expect(
        &mut rig,
        &[
            ("COPY z y", ":1"),
            ("ZADD y 1000 m5", ":0"),
            ("ZSCORE z m5", "$1 5"),
            ("ZRANK y m5", ":99"),
            ("ZRANK z m5", ":5"),
        ],
    );
}
