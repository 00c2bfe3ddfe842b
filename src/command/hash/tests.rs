//! Replies and error texts as Redis gives them.

use crate::command::testing::{Rig, expect};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";
const SYNTAX: &str = "-ERR syntax error";

fn rig() -> Rig {
    let mut rig = Rig::new();
    expect(
        &mut rig,
        &[("SET s abc", "+OK"), ("HSET h a 1 b two c 3", ":3")],
    );
    rig
}

#[test]
fn setting() {
    let mut rig = rig();
    let arity = "-ERR wrong number of arguments for 'hset' command";
    expect(
        &mut rig,
        &[
            ("HSET h a 4 d 5 d 6", ":1"),
            ("HSET h a", arity),
            ("HSET s a b c", arity),
            ("HSET s a b", WRONG_TYPE),
            ("HMSET h a 1", "+OK"),
            ("HSETNX h a 9", ":0"),
            ("HSETNX h e 9", ":1"),
            ("HSETNX s e 9", WRONG_TYPE),
            ("HMGET h a b d e f", "*5 $1 1 $3 two $1 6 $1 9 $-1"),
            ("HINCRBY h a 41", ":42"),
            ("HINCRBY h b 1", "-ERR hash value is not an integer"),
            ("HINCRBY h a x", NOT_INTEGER),
            ("HINCRBY s a x", NOT_INTEGER),
            ("HINCRBY s a 1", WRONG_TYPE),
            ("HINCRBY new n 9223372036854775807", ":9223372036854775807"),
            (
                "HINCRBY new n 1",
                "-ERR increment or decrement would overflow",
            ),
            ("HINCRBYFLOAT h a 0.5", "$4 42.5"),
            ("HINCRBYFLOAT h b 1", "-ERR hash value is not a float"),
            ("HINCRBYFLOAT h a x", "-ERR value is not a valid float"),
            ("HINCRBYFLOAT s a inf", "-ERR value is NaN or Infinity"),
            ("HINCRBYFLOAT none a nan", "-ERR value is not a valid float"),
            ("EXISTS none", ":0"),
        ],
    );
}

#[test]
fn reading_and_removing() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("HGET h a", "$1 1"),
            ("HGET h z", "$-1"),
            ("HGET none a", "$-1"),
            ("HGET s a", WRONG_TYPE),
            ("HMGET none a b", "*2 $-1 $-1"),
            ("HMGET s a b", WRONG_TYPE),
            ("HEXISTS h a", ":1"),
            ("HEXISTS none a", ":0"),
            ("HSTRLEN h b", ":3"),
            ("HSTRLEN h a", ":1"),
            ("HSTRLEN h z", ":0"),
            ("HLEN h", ":3"),
            ("HLEN none", ":0"),
            ("HGETALL h", "*6 $1 a $1 1 $1 b $3 two $1 c $1 3"),
            ("HGETALL none", "*0"),
            ("HKEYS h", "*3 $1 a $1 b $1 c"),
            ("HVALS h", "*3 $1 1 $3 two $1 3"),
            ("HVALS s", WRONG_TYPE),
            ("HDEL h a z", ":1"),
            ("HDEL none a z", ":0"),
            ("HDEL s a z", WRONG_TYPE),
            ("HDEL h b c", ":2"),
            ("EXISTS h", ":0"),
        ],
    );
}

#[test]
fn random_fields() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("HRANDFIELD none", "$-1"),
            ("HRANDFIELD none 3", "*0"),
            ("HRANDFIELD h 0", "*0"),
            ("HRANDFIELD h 9", "*3 $1 a $1 b $1 c"),
            (
                "HRANDFIELD h 3 WITHVALUES",
                "*6 $1 a $1 1 $1 b $3 two $1 c $1 3",
            ),
            ("HRANDFIELD h x", NOT_INTEGER),
            ("HRANDFIELD s x", NOT_INTEGER),
            ("HRANDFIELD s 1", WRONG_TYPE),
            ("HRANDFIELD h 1 FOO", SYNTAX),
            ("HRANDFIELD h 1 WITHVALUES FOO", SYNTAX),
            (
                "HRANDFIELD h -9223372036854775807 WITHVALUES",
                "-ERR value is out of range",
            ),
            (
                "HRANDFIELD h -9223372036854775808",
                "-ERR value is out of range, value must between -9223372036854775807 and \
                 9223372036854775807",
            ),
        ],
    );
    assert!(rig.line("HRANDFIELD h -20").starts_with("*20 $1 "));
    assert!(rig.line("HRANDFIELD h -2 WITHVALUES").starts_with("*4 "));
    assert!(rig.line("HRANDFIELD h 2").starts_with("*2 "));
    assert!(rig.line("HRANDFIELD h").starts_with("$1 "));
}

#[test]
fn scans() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("HSCAN h 0 MATCH [ab]", "*2 $1 0 *4 $1 a $1 1 $1 b $3 two"),
            ("HSCAN h 0 NOVALUES COUNT 1", "*2 $1 0 *3 $1 a $1 b $1 c"),
            ("HSCAN none 0 FOO", "*2 $1 0 *0"),
            ("HSCAN s x", "-ERR invalid cursor"),
            ("HSCAN s 0 FOO", WRONG_TYPE),
            ("HSCAN h 0 FOO", SYNTAX),
            ("HSCAN h 0 COUNT 0", SYNTAX),
            ("HSCAN h 0 COUNT x", NOT_INTEGER),
        ],
    );
}

/// A hash of `count` fields, large enough to be a table.
fn large(rig: &mut Rig, count: usize) {
    let words: Vec<String> = (0..count).map(|i| format!("field-{i:06}")).collect();
    for chunk in words.chunks(500) {
        let mut args: Vec<&[u8]> = vec![b"HSET", b"h"];
        for word in chunk {
            args.extend([word.as_bytes(), b"value".as_slice()]);
        }
        rig.run(&args);
    }
}

#[test]
fn large_hashes_are_left_to_the_pool() {
    let mut rig = Rig::new();
    large(&mut rig, 5000);
    for (line, want) in [
        ("HGETALL h", true),
        ("HKEYS h", true),
        ("HVALS h", true),
        ("HLEN h", false),
        ("HGET h field-000001", false),
        ("HRANDFIELD h", false),
        ("HRANDFIELD h 10", false),
        ("HRANDFIELD h 4000", true),
        ("HRANDFIELD h -2000", true),
        ("HSCAN h 0", false),
        ("HSCAN h 0 COUNT 3000", true),
        ("DEL h", false),
    ] {
        let reply = rig.line(line);
        assert_eq!(rig.deferred, want, "{line}");
        assert!(!reply.starts_with('-'), "{line}: {reply}");
    }
}

#[test]
fn walks_of_large_hashes_report_every_field_once() {
    let mut rig = Rig::new();
    large(&mut rig, 3000);
    let (mut cursor, mut names) = ("0".to_owned(), Vec::new());
    loop {
        let reply = rig.line(&format!("HSCAN h {cursor} COUNT 100 NOVALUES"));
        let words: Vec<&str> = reply.split(' ').collect();
        cursor = words[2].to_owned();
        names.extend(words[4..].iter().skip(1).step_by(2).map(|w| w.to_string()));
        if cursor == "0" {
            break;
        }
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 3000);
    for count in [1, 700, 2999, 5000] {
        let reply = rig.line(&format!("HRANDFIELD h {count}"));
        let mut names: Vec<&str> = reply.split(' ').skip(2).step_by(2).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count.min(3000));
    }
}

#[test]
fn resp3_has_maps_and_nested_pairs() {
    let mut rig = Rig::new();
    rig.version = crate::resp::Version::Resp3;
    expect(
        &mut rig,
        &[
            ("HSET h a 1", ":1"),
            ("HGETALL h", "%1 $1 a $1 1"),
            ("HGETALL none", "%0"),
            ("HRANDFIELD h 1 WITHVALUES", "*1 *2 $1 a $1 1"),
            ("HRANDFIELD h -2 WITHVALUES", "*2 *2 $1 a $1 1 *2 $1 a $1 1"),
            ("HRANDFIELD none", "_"),
            ("HSCAN h 0", "*2 $1 0 *2 $1 a $1 1"),
            ("HGET h z", "_"),
        ],
    );
}

#[test]
fn fields_expire_one_by_one() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("HPEXPIRE h 10 FIELDS 3 a b z", "*3 :1 :1 :-2"),
            ("OBJECT ENCODING h", "$10 listpackex"),
            ("HPTTL h FIELDS 3 a c z", "*3 :10 :-1 :-2"),
            ("HTTL h FIELDS 1 a", "*1 :1"),
            ("HPEXPIRE h 20 GT FIELDS 2 a c", "*2 :1 :0"),
            ("HPEXPIRE h 30 LT FIELDS 2 a c", "*2 :0 :1"),
            ("HPEXPIRE h 5 NX FIELDS 1 a", "*1 :0"),
            ("HPEXPIRE h 15 XX FIELDS 1 a", "*1 :1"),
            ("HPERSIST h FIELDS 3 c a z", "*3 :1 :1 :-2"),
            ("HPERSIST h FIELDS 1 c", "*1 :-1"),
            ("HPEXPIRE h 15 FIELDS 1 a", "*1 :1"),
        ],
    );
    rig.now += 10;
    expect(
        &mut rig,
        &[
            ("HLEN h", ":2"),
            ("HGETALL h", "*4 $1 a $1 1 $1 c $1 3"),
            ("HGET h b", "$-1"),
            ("HEXPIRE h 0 FIELDS 1 c", "*1 :2"),
            ("HSETNX h b new", ":1"),
            ("HDEL h b", ":1"),
        ],
    );
    rig.now += 5;
    let before = rig.journal.events.lock().len();
    expect(
        &mut rig,
        &[
            ("EXISTS h", ":0"),
            ("TYPE h", "+none"),
            ("HGETALL h", "*0"),
            ("RPUSH h x", ":1"),
        ],
    );
    assert_eq!(
        rig.journal.events.lock()[before..before + 2],
        ["hexpired", "del"]
    );
}

#[test]
fn a_hash_whose_last_live_field_goes_is_gone() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("DEL h", ":1"),
            ("HSET h a 1 b 2", ":2"),
            ("HPEXPIRE h 10 FIELDS 1 a", "*1 :1"),
        ],
    );
    rig.now += 10;
    expect(
        &mut rig,
        &[
            ("HDEL h a b", ":1"),
            ("EXISTS h", ":0"),
            ("DBSIZE", ":1"),
            ("SET h text", "+OK"),
        ],
    );
}

#[test]
fn what_a_write_does_to_a_deadline() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("HPEXPIRE h 500 FIELDS 3 a b c", "*3 :1 :1 :1"),
            ("HSET h a 1", ":0"),
            ("HINCRBY h c 1", ":4"),
            ("HPTTL h FIELDS 3 a b c", "*3 :-1 :500 :500"),
            ("HINCRBYFLOAT h c 0.5", "$3 4.5"),
            ("HSETEX h KEEPTTL FIELDS 1 b x", ":1"),
            ("HPTTL h FIELDS 3 a b c", "*3 :-1 :500 :500"),
            ("HSETEX h FIELDS 1 b x", ":1"),
            ("HPTTL h FIELDS 1 b", "*1 :-1"),
            ("HGETEX h PX 100 FIELDS 2 a z", "*2 $1 1 $-1"),
            ("HPTTL h FIELDS 1 a", "*1 :100"),
            ("HGETEX h PERSIST FIELDS 1 a", "*1 $1 1"),
            ("HPTTL h FIELDS 1 a", "*1 :-1"),
            ("COPY h i", ":1"),
            ("HPTTL i FIELDS 1 c", "*1 :500"),
            ("RENAME i j", "+OK"),
            ("HPTTL j FIELDS 1 c", "*1 :500"),
        ],
    );
    rig.now += 500;
    expect(
        &mut rig,
        &[
            ("HINCRBY h c 1", ":1"),
            ("HPTTL h FIELDS 1 c", "*1 :-1"),
            ("HGETDEL j FIELDS 2 c a", "*2 $-1 $1 1"),
            ("HEXISTS j a", ":0"),
        ],
    );
}

#[test]
fn what_redis_refuses_about_field_expiry() {
    let mut rig = rig();
    let missing = "-ERR Mandatory argument FIELDS is missing or not at the right position";
    let mismatch = "-ERR The `numfields` parameter must match the number of arguments";
    let number = "-ERR Parameter `numFields` should be greater than 0";
    let invalid = "-ERR invalid expire time in 'hexpire' command";
    expect(
        &mut rig,
        &[
            ("HEXPIRE s 10 FIELDS 0 a", WRONG_TYPE),
            ("HEXPIRE h x FOO 1 a", NOT_INTEGER),
            (
                "HEXPIRE h -1 FIELDS 1 a",
                "-ERR invalid expire time, must be >= 0",
            ),
            ("HEXPIRE h 70368744178 FIELDS 1 a", invalid),
            ("HEXPIRE h 70368744177 FIELDS 1 a", invalid),
            ("HEXPIRE h 10 FOO 1 a", missing),
            ("HEXPIRE h 10 NX XX FIELDS 1 a", missing),
            ("HEXPIRE h 10 FIELDS x a", number),
            ("HEXPIRE h 10 FIELDS 0 a", number),
            ("HEXPIRE h 10 FIELDS 2 a", mismatch),
            ("HEXPIRE h 10 FIELDS 1 a b", mismatch),
            ("HEXPIRE none 10 FIELDS 2 a b", "*2 :-2 :-2"),
            ("HTTL h FOO 1 a", missing),
            (
                "HTTL h FIELDS 0 a",
                "-ERR Number of fields must be a positive integer",
            ),
            ("HTTL h FIELDS 2 a", mismatch),
            ("HTTL none FIELDS 1 a", "*1 :-2"),
            ("HPERSIST none FIELDS 1 a", "*1 :-2"),
            ("HPERSIST h FIELDS 2 a", mismatch),
            ("HGETDEL none FIELDS 1 a", "*1 $-1"),
            ("HGETDEL h FIELDS 2 a", mismatch),
            ("HEXISTS h a", ":1"),
        ],
    );
}

#[test]
fn what_redis_refuses_about_options_before_fields() {
    let mut rig = rig();
    let one_ttl = "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified";
    let one_ttl_get = "-ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified";
    let arity = "-ERR wrong number of arguments for 'hsetex' command";
    let arity_get = "-ERR wrong number of arguments for 'hgetex' command";
    expect(
        &mut rig,
        &[
            ("HSETEX s EX 10 FIELDS 1 a b", WRONG_TYPE),
            ("HSETEX s EX 10 EX 10 FIELDS 1 a b", one_ttl),
            ("HSETEX h KEEPTTL PX 10 FIELDS 1 a b", one_ttl),
            ("HSETEX h FOO FIELDS 1 a b", "-ERR unknown argument: FOO"),
            (
                "HSETEX h FNX FNX FIELDS 1 a b",
                "-ERR Only one of FXX or FNX arguments can be specified",
            ),
            ("HSETEX h FIELDS x a b", "-ERR invalid number of fields"),
            ("HSETEX h FIELDS 0 a b", "-ERR invalid number of fields"),
            ("HSETEX h FIELDS 2 a b", arity),
            ("HSETEX h FIELDS 1 a b c", arity),
            (
                "HSETEX h FNX FNX FNX EX",
                "-ERR Only one of FXX or FNX arguments can be specified",
            ),
            ("HSETEX h FNX KEEPTTL FOO EX", "-ERR unknown argument: FOO"),
            ("HSETEX h KEEPTTL FNX FIELDS 1", arity),
            ("HSETEX h FXX FIELDS 2 a 1 z 1", ":0"),
            ("HSETEX h FNX FIELDS 2 a 1 z 1", ":0"),
            ("HSETEX none FXX FIELDS 1 a 1", ":0"),
            ("EXISTS none", ":0"),
            ("HSETEX none EXAT 1 FIELDS 1 a 1", ":1"),
            ("EXISTS none", ":0"),
            ("HSETEX h EXAT 1 FIELDS 2 a 1 z 1", ":1"),
            ("HKEYS h", "*2 $1 b $1 c"),
            ("HGETEX s EX 10 EX 10 FIELDS 1 b", WRONG_TYPE),
            ("HGETEX h EX 10 PERSIST FIELDS 1 b", one_ttl_get),
            (
                "HGETEX h KEEPTTL FIELDS 1 b",
                "-ERR unknown argument: KEEPTTL",
            ),
            ("HGETEX h EX x FIELDS 1 b", NOT_INTEGER),
            ("HGETEX h FIELDS 2 b", arity_get),
            ("HGETEX h FIELDS 1 b", "*1 $3 two"),
            ("HGETEX none FIELDS 2 b c", "*2 $-1 $-1"),
            ("HGETEX h EXAT 0 FIELDS 2 b c", "*2 $3 two $1 3"),
            ("EXISTS h", ":0"),
        ],
    );
}

#[test]
fn what_the_journal_is_told() {
    let mut rig = rig();
    rig.journal.commands.lock().clear();
    for line in [
        "HEXPIRE h 10 FIELDS 3 a b z",
        "HINCRBYFLOAT h c 0.5",
        "HINCRBYFLOAT h a 0.5",
        "HSETEX h PX 50 FIELDS 1 d 4",
        "HGETEX h PERSIST FIELDS 2 a c",
        "HGETEX h PXAT 1 FIELDS 1 a",
        "HGETEX h FIELDS 1 b",
    ] {
        rig.line(line);
    }
    rig.now += 50;
    rig.line("HDEL h d c");
    let told = std::mem::take(&mut *rig.journal.commands.lock());
    let told: Vec<String> = (told.iter())
        .map(|(_, words)| String::from_utf8_lossy(&words.join(&b' ')).into_owned())
        .collect();
    assert_eq!(
        told,
        [
            "HPEXPIREAT h 1720000010000 FIELDS 2 a b",
            "HSET h c 3.5",
            "HSETEX h KEEPTTL FIELDS 1 a 1.5",
            "HSETEX h PXAT 1720000000050 FIELDS 1 d 4",
            "HPERSIST h FIELDS 1 a",
            "HDEL h a",
            "HDEL h d",
            "HDEL h d c",
        ]
    );
}
