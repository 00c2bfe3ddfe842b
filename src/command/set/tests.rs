//! Replies and error texts as Redis gives them, what is left to the pool, and what
//! goes to the journal.

use std::collections::BTreeSet;

use crate::command::testing::{Held, Rig, expect};
use crate::resp::Version;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";
const SYNTAX: &str = "-ERR syntax error";

fn rig() -> Rig {
    let mut rig = Rig::new();
    expect(
        &mut rig,
        &[
            ("SET str abc", "+OK"),
            ("SADD s a b c", ":3"),
            ("SADD i 1 2 3", ":3"),
        ],
    );
    rig
}

#[test]
fn one_set() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("SADD s a d d", ":1"),
            ("SADD s a", ":0"),
            ("SADD str a", WRONG_TYPE),
            ("SCARD s", ":4"),
            ("SCARD none", ":0"),
            ("SCARD str", WRONG_TYPE),
            ("SMEMBERS s", "*4 $1 a $1 b $1 c $1 d"),
            ("SMEMBERS i", "*3 $1 1 $1 2 $1 3"),
            ("SMEMBERS none", "*0"),
            ("SISMEMBER s a", ":1"),
            ("SISMEMBER s z", ":0"),
            ("SISMEMBER none a", ":0"),
            ("SMISMEMBER s a z b", "*3 :1 :0 :1"),
            ("SMISMEMBER none a z", "*2 :0 :0"),
            ("SREM s a z b", ":2"),
            ("SREM none a", ":0"),
            ("SREM str a", WRONG_TYPE),
            ("SREM s c d", ":2"),
            ("EXISTS s", ":0"),
            ("OBJECT ENCODING i", "$6 intset"),
            ("SADD i x", ":1"),
            ("OBJECT ENCODING i", "$8 listpack"),
        ],
    );
}

#[test]
fn moves() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("SMOVE none str a", ":0"),
            ("SMOVE s str a", WRONG_TYPE),
            ("SMOVE str s a", WRONG_TYPE),
            ("SMOVE s none z", ":0"),
            ("SMOVE s s a", ":1"),
            ("SMOVE s s z", ":0"),
            ("SMOVE s t a", ":1"),
            ("SMOVE t s a", ":1"),
            ("EXISTS t", ":0"),
            ("SMOVE s i a", ":1"),
            ("SMEMBERS i", "*4 $1 1 $1 2 $1 3 $1 a"),
        ],
    );
}

#[test]
fn random_members() {
    let mut rig = rig();
    let positive = "-ERR value is out of range, must be positive";
    let range = "-ERR value is out of range, value must between -9223372036854775807 and \
                 9223372036854775807";
    expect(
        &mut rig,
        &[
            ("SPOP none", "$-1"),
            ("SPOP none 3", "*0"),
            ("SPOP s 0", "*0"),
            ("SPOP s -1", positive),
            ("SPOP none x", positive),
            ("SPOP s 1 2", SYNTAX),
            ("SPOP str", WRONG_TYPE),
            ("SPOP str 1", WRONG_TYPE),
            ("SPOP s 9", "*3 $1 a $1 b $1 c"),
            ("EXISTS s", ":0"),
            ("SADD one x", ":1"),
            ("SRANDMEMBER one", "$1 x"),
            ("SRANDMEMBER one 5", "*1 $1 x"),
            ("SRANDMEMBER one -3", "*3 $1 x $1 x $1 x"),
            ("SRANDMEMBER one 0", "*0"),
            ("SRANDMEMBER one x", NOT_INTEGER),
            ("SRANDMEMBER one -9223372036854775808", range),
            ("SRANDMEMBER one 1 2", SYNTAX),
            ("SRANDMEMBER none", "$-1"),
            ("SRANDMEMBER none 1", "*0"),
            ("SRANDMEMBER str", WRONG_TYPE),
            ("SPOP one", "$1 x"),
            ("EXISTS one", ":0"),
        ],
    );
}

#[test]
fn algebra() {
    let mut rig = rig();
    let too_many = "-ERR Number of keys can't be greater than number of args";
    expect(
        &mut rig,
        &[
            ("SADD t b c d", ":3"),
            ("SINTER s t", "*2 $1 b $1 c"),
            ("SINTER s none", "*0"),
            ("SINTER none str", WRONG_TYPE),
            ("SUNION s t s", "*4 $1 a $1 b $1 c $1 d"),
            ("SUNION none", "*0"),
            ("SDIFF s t", "*1 $1 a"),
            ("SDIFF none s", "*0"),
            ("SDIFF s s", "*0"),
            ("SINTERCARD 2 s t", ":2"),
            ("SINTERCARD 2 s t LIMIT 1", ":1"),
            ("SINTERCARD 2 s t limit 0 LIMIT 9", ":2"),
            ("SINTERCARD 0 s", "-ERR numkeys should be greater than 0"),
            ("SINTERCARD x s", "-ERR numkeys should be greater than 0"),
            ("SINTERCARD 3 s t", too_many),
            ("SINTERCARD 1 s LIMIT -1", "-ERR LIMIT can't be negative"),
            ("SINTERCARD 1 s t", SYNTAX),
            ("SINTERSTORE d s t", ":2"),
            ("SUNIONSTORE d d i", ":5"),
            ("SDIFFSTORE str s t", ":1"),
            ("SMEMBERS str", "*1 $1 a"),
            ("SINTERSTORE d s none", ":0"),
            ("EXISTS d", ":0"),
            ("SUNIONSTORE e i none", ":3"),
            ("OBJECT ENCODING e", "$6 intset"),
        ],
    );
}

#[test]
fn scans() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("SSCAN s 0", "*2 $1 0 *3 $1 a $1 b $1 c"),
            ("SSCAN s 7 COUNT 1 MATCH [ab]", "*2 $1 0 *2 $1 a $1 b"),
            ("SSCAN none 0 junk", "*2 $1 0 *0"),
            ("SSCAN none x", "-ERR invalid cursor"),
            ("SSCAN s 0 COUNT 0", SYNTAX),
            ("SSCAN s 0 COUNT x", NOT_INTEGER),
            ("SSCAN s 0 TYPE set", SYNTAX),
            ("SSCAN str 0 junk", WRONG_TYPE),
        ],
    );
}

#[test]
fn sets_of_their_own_in_resp3() {
    let mut rig = rig();
    rig.version = Version::Resp3;
    expect(
        &mut rig,
        &[
            ("SMEMBERS s", "~3 $1 a $1 b $1 c"),
            ("SMEMBERS none", "~0"),
            ("SINTER s none", "~0"),
            ("SUNION i", "~3 $1 1 $1 2 $1 3"),
            ("SDIFF none", "~0"),
            ("SRANDMEMBER none 2", "*0"),
            ("SRANDMEMBER none", "_"),
            ("SRANDMEMBER s 5", "*3 $1 a $1 b $1 c"),
            ("SPOP none 2", "~0"),
            ("SPOP none", "_"),
            ("SPOP s 5", "~3 $1 a $1 b $1 c"),
        ],
    );
}

#[test]
fn what_is_told_to_the_journal() {
    let mut rig = rig();
    rig.journal.events.lock().clear();
    rig.journal.commands.lock().clear();
    for line in [
        "SADD s a",
        "SADD s d",
        "SREM s z",
        "SMOVE s t d",
        "SPOP t",
        "SPOP s 2",
        "SPOP s 2",
        "SINTERSTORE u i i",
        "SDIFFSTORE u i i",
    ] {
        rig.line(line);
    }
    let events = std::mem::take(&mut *rig.journal.events.lock());
    assert_eq!(
        events,
        [
            "sadd",
            "srem",
            "sadd",
            "spop",
            "del",
            "spop",
            "spop",
            "del",
            "sinterstore",
            "del",
        ]
    );
    let commands = std::mem::take(&mut *rig.journal.commands.lock());
    let names: Vec<String> = (commands.iter())
        .map(|(_, args)| String::from_utf8_lossy(&args[0]).into_owned())
        .collect();
    assert_eq!(
        names,
        [
            "SADD",
            "SMOVE",
            "SREM",
            "SREM",
            "DEL",
            "SINTERSTORE",
            "SDIFFSTORE"
        ]
    );
}

/// Fills `key` with the numbers of a range, as texts of fifteen bytes.
fn fill(rig: &mut Rig, key: &str, numbers: std::ops::Range<u32>) {
    let words: Vec<String> = numbers.map(|n| format!("member-{n:08}")).collect();
    for some in words.chunks(1000) {
        let mut args: Vec<&[u8]> = vec![b"SADD", key.as_bytes()];
        args.extend(some.iter().map(|word| word.as_bytes()));
        rig.run(&args);
    }
}

fn held(rig: &Rig, key: &str) -> BTreeSet<Vec<u8>> {
    match rig.data().remove(&(0, key.as_bytes().to_vec())) {
        Some((Held::Set(set), _)) => set,
        None => BTreeSet::new(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn large_sets_are_left_to_the_pool() {
    let mut rig = Rig::new();
    fill(&mut rig, "a", 0..5000);
    fill(&mut rig, "b", 2500..9000);
    fill(&mut rig, "c", 0..10);
    for (line, want) in [
        ("SMEMBERS a", true),
        ("SMEMBERS c", false),
        ("SINTER a c", false),
        ("SINTERCARD 2 a b", true),
        ("SUNION c c", false),
        ("SDIFF c a", false),
        ("SDIFF a c", true),
        ("SRANDMEMBER a 1000", false),
        ("SRANDMEMBER a 2000", true),
        ("SRANDMEMBER a -2000", true),
        ("SSCAN a 0 COUNT 5000", true),
        ("SSCAN a 0 COUNT 500", false),
        ("SPOP a 100", false),
        ("SPOP c 9", false),
        ("DEL a", false),
    ] {
        rig.line(line);
        assert_eq!(rig.deferred, want, "{line}");
    }
}

#[test]
fn large_results_are_right_and_change_no_source() {
    let mut rig = Rig::new();
    fill(&mut rig, "a", 0..5000);
    fill(&mut rig, "b", 2500..9000);
    let (a, b) = (held(&rig, "a"), held(&rig, "b"));
    for (line, want) in [
        ("SUNIONSTORE d a b", &a | &b),
        ("SINTERSTORE d a b", &a & &b),
        ("SDIFFSTORE d a b", &a - &b),
        ("SDIFFSTORE d b a", &b - &a),
        ("SUNIONSTORE d d a", &(&b - &a) | &a),
        ("SINTERSTORE d d b a", &(&(&(&b - &a) | &a) & &b) & &a),
    ] {
        assert_eq!(rig.line(line), format!(":{}", want.len()), "{line}");
        assert!(rig.deferred);
        assert_eq!(held(&rig, "d"), want, "{line}");
    }
    assert_eq!((held(&rig, "a"), held(&rig, "b")), (a.clone(), b));
    rig.line("SPOP a 4000");
    let rest = held(&rig, "a");
    assert!(rig.deferred && rest.len() == 1000 && rest.is_subset(&a));
    rig.line("SPOP b 6450");
    assert_eq!(rig.line("OBJECT ENCODING b"), "$8 listpack");
    assert_eq!(rig.line("SCARD b"), ":50");
    rig.line("PEXPIRE d 100000");
    rig.line("SPOP d 2000");
    assert_eq!(rig.line("PTTL d"), ":100000");
    rig.line("SPOP d 2000");
    assert_eq!(rig.line("EXISTS d"), ":0");
}
