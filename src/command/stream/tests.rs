//! Replies and error texts as Redis gives them, what the journal is told, and what
//! is left to the pool.

use crate::command::testing::{Rig, expect};
use crate::config::Id;
use crate::resp::Version;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";
const SYNTAX: &str = "-ERR syntax error";
const BAD_ID: &str = "-ERR Invalid stream ID specified as stream command argument";
const SMALL_ID: &str =
    "-ERR The ID specified in XADD is equal or smaller than the target stream top item";

fn rig() -> Rig {
    let mut rig = Rig::new();
    expect(
        &mut rig,
        &[
            ("SET t abc", "+OK"),
            ("XADD s 1-1 a 1", "$3 1-1"),
            ("XADD s 2-1 a 2 b 3", "$3 2-1"),
            ("XADD s 3-* a x", "$3 3-0"),
            ("XADD s 3-* c y", "$3 3-1"),
        ],
    );
    rig
}

#[test]
fn additions() {
    let mut rig = rig();
    let arity = "-ERR wrong number of arguments for 'xadd' command";
    let both = "-ERR syntax error, MAXLEN and MINID options at the same time are not compatible";
    let no_strategy =
        "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy";
    let exact = "-ERR syntax error, LIMIT cannot be used without the special ~ option";
    expect(
        &mut rig,
        &[
            ("XADD s 3-1 a b", SMALL_ID),
            ("XADD s 2-* a b", SMALL_ID),
            (
                "XADD s 0-0 a b",
                "-ERR The ID specified in XADD must be greater than 0-0",
            ),
            ("XADD s + a b", BAD_ID),
            ("XADD s 4-x a b", BAD_ID),
            ("XADD s * a b c", arity),
            ("XADD s MAXLEN 5 * a", arity),
            (
                "XADD s MAXLEN -1 * a b",
                "-ERR The MAXLEN argument must be >= 0.",
            ),
            ("XADD s MAXLEN x * a b", NOT_INTEGER),
            ("XADD s MAXLEN 5 MINID 3 * a b", both),
            ("XADD s LIMIT 5 * a b", no_strategy),
            ("XADD s MAXLEN 5 LIMIT 5 * a b", exact),
            (
                "XADD s MAXLEN ~ 5 LIMIT -5 * a b",
                "-ERR The LIMIT argument must be >= 0.",
            ),
            ("XADD t * a b", WRONG_TYPE),
            ("XADD none NOMKSTREAM * a b", "$-1"),
            ("EXISTS none", ":0"),
            ("XADD s * a b", "$15 1720000000000-0"),
            ("XADD s * a b", "$15 1720000000000-1"),
            ("XADD s MAXLEN = 2 1720000000001 a b", "$15 1720000000001-0"),
            ("XLEN s", ":2"),
            ("XADD s MINID 1720000000001 * a b", "$15 1720000000001-1"),
            (
                "XRANGE s - + COUNT 1",
                "*1 *2 $15 1720000000001-0 *2 $1 a $1 b",
            ),
            ("XADD s MAXLEN 0 * a b", "$15 1720000000001-2"),
            ("XLEN s", ":0"),
            ("TYPE s", "+stream"),
            ("OBJECT ENCODING s", "$6 stream"),
        ],
    );
}

#[test]
fn the_last_ids() {
    let mut rig = Rig::new();
    let max = u64::MAX;
    rig.line(&format!("XADD s {max}-{} a b", max - 1));
    let (last, none) = (
        format!("$41 {max}-{max}"),
        "-ERR The stream has exhausted the last possible ID, unable to add more items",
    );
    assert_eq!(rig.line("XADD s * a b"), last);
    for line in [
        "XADD s * a b",
        &format!("XADD s {max}-* a b"),
        "XADD s 1-1 a b",
    ] {
        assert_eq!(rig.line(line), none);
    }
    let start = "-ERR invalid start ID for the interval";
    assert_eq!(rig.line(&format!("XRANGE s ({max}-{max} +")), start);
    assert_eq!(
        rig.line("XRANGE s - (0-0"),
        "-ERR invalid end ID for the interval"
    );
}

#[test]
fn ranges() {
    let mut rig = rig();
    let (one, two) = ("*2 $3 1-1 *2 $1 a $1 1", "*2 $3 2-1 *4 $1 a $1 2 $1 b $1 3");
    expect(
        &mut rig,
        &[
            ("XLEN s", ":4"),
            ("XLEN none", ":0"),
            ("XLEN t", WRONG_TYPE),
            ("XRANGE s - 2", &format!("*2 {one} {two}")),
            ("XRANGE s 1 (2-1", &format!("*1 {one}")),
            ("XRANGE s (1-1 + COUNT 1", &format!("*1 {two}")),
            ("XREVRANGE s 2 - COUNT 5", &format!("*2 {two} {one}")),
            ("XREVRANGE s - +", "*0"),
            ("XRANGE s - + COUNT 0", "*-1"),
            ("XRANGE s - + COUNT -1", "*-1"),
            ("XRANGE s - + COUNT x", NOT_INTEGER),
            ("XRANGE s - + COUNT", SYNTAX),
            ("XRANGE s x +", BAD_ID),
            ("XRANGE s (- +", BAD_ID),
            ("XRANGE none - +", "*0"),
            ("XRANGE none - + COUNT 0", "*0"),
            ("XRANGE t - +", WRONG_TYPE),
        ],
    );
}

#[test]
fn deletions_and_trims() {
    let mut rig = rig();
    let nothing = "-ERR syntax error, XTRIM must be called with a trimming strategy";
    expect(
        &mut rig,
        &[
            ("XDEL none x", ":0"),
            ("XDEL s x", BAD_ID),
            ("XDEL t 1-1", WRONG_TYPE),
            ("XDEL s 2-1 2-1 9-9", ":1"),
            ("XRANGE s 1-2 3-0", "*1 *2 $3 3-0 *2 $1 a $1 x"),
            ("XTRIM s FOO 1", SYNTAX),
            (
                "XTRIM s LIMIT 5",
                "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
            ),
            ("XTRIM s LIMIT 0", nothing),
            ("XTRIM s MAXLEN 3", ":0"),
            ("XTRIM s MAXLEN ~ 1", ":0"),
            ("XTRIM s MINID = 3", ":1"),
            ("XTRIM none MAXLEN 1", ":0"),
            ("XTRIM t MAXLEN 1", WRONG_TYPE),
            ("XTRIM s MAXLEN 1", ":1"),
            (
                "XSETID s 3-0",
                "-ERR The ID specified in XSETID is smaller than the target stream top item",
            ),
            (
                "XSETID s 9-9 ENTRIESADDED 0",
                "-ERR The entries_added specified in XSETID is smaller than the target stream length",
            ),
            (
                "XSETID s 9-9 ENTRIESADDED -1",
                "-ERR entries_added must be positive",
            ),
            (
                "XSETID s 2-0 MAXDELETEDID 3-0",
                "-ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
            ),
            ("XSETID s 9-9 ENTRIESADDED 100 MAXDELETEDID 2-1", "+OK"),
            (
                "XSETID s 2-0",
                "-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
            ),
            ("XSETID none 2-0", "-ERR no such key"),
            ("XADD s 9-9 a b", SMALL_ID),
            ("DEL s", ":1"),
        ],
    );
}

#[test]
fn reading_several_streams() {
    let mut rig = rig();
    let unbalanced = "-ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.";
    let (x, y) = ("*2 $3 3-0 *2 $1 a $1 x", "*2 $3 3-1 *2 $1 c $1 y");
    expect(
        &mut rig,
        &[
            ("XADD other 7-7 k v", "$3 7-7"),
            (
                "XREAD STREAMS s other 2-1 0",
                &format!("*2 *2 $1 s *2 {x} {y} *2 $5 other *1 *2 $3 7-7 *2 $1 k $1 v"),
            ),
            (
                "XREAD COUNT 1 STREAMS s none 2-1 0",
                &format!("*1 *2 $1 s *1 {x}"),
            ),
            ("XREAD STREAMS s $", "*-1"),
            ("XREAD BLOCK 10 STREAMS s $", "*-1"),
            ("XREAD COUNT 5 STREAMS s +", &format!("*1 *2 $1 s *1 {y}")),
            ("XREAD STREAMS none +", "*-1"),
            ("XREAD STREAMS s none 0", unbalanced),
            ("XREAD BLOCK -1 STREAMS s $", "-ERR timeout is negative"),
            (
                "XREAD BLOCK x STREAMS s $",
                "-ERR timeout is not an integer or out of range",
            ),
            ("XREAD COUNT x STREAMS s $", NOT_INTEGER),
            ("XREAD COUNT 5 s $", SYNTAX),
            ("XREAD STREAMS t 0", WRONG_TYPE),
            ("XREAD STREAMS s x", BAD_ID),
            (
                "XREAD NOACK STREAMS s 0",
                "-ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
            ),
        ],
    );
    rig.version = Version::Resp3;
    let want = format!("%1 $1 s *2 {x} {y}");
    assert_eq!(rig.line("XREAD STREAMS s 2-1"), want);
    assert_eq!(rig.line("XREAD STREAMS s 9"), "_");
}

#[test]
fn groups_come_to_be() {
    let mut rig = rig();
    let no_stream = "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you \
        may want to use the MKSTREAM option to create an empty stream automatically.";
    expect(
        &mut rig,
        &[
            ("XGROUP CREATE none g $", no_stream),
            ("XGROUP CREATE none g $ MKSTREAM", "+OK"),
            ("XGROUP CREATE s g 0", "+OK"),
            (
                "XGROUP CREATE s g 0",
                "-BUSYGROUP Consumer Group name already exists",
            ),
            ("XGROUP CREATE s g x", BAD_ID),
            ("XGROUP CREATE t g 0", WRONG_TYPE),
            (
                "XGROUP CREATE s g 0 FOO",
                "-ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.",
            ),
            (
                "XGROUP CREATE s h 0 ENTRIESREAD -2",
                "-ERR value for ENTRIESREAD must be positive or -1",
            ),
            ("XGROUP CREATECONSUMER s g c", ":1"),
            ("XGROUP CREATECONSUMER s g c", ":0"),
            ("XGROUP DELCONSUMER s g c", ":0"),
        ],
    );
}

#[test]
fn groups_read_and_acknowledge() {
    let mut rig = rig();
    let no_group = "-NOGROUP No such key 's' or consumer group 'h' in XREADGROUP with GROUP option";
    let one = "*2 $3 1-1 *2 $1 a $1 1";
    expect(
        &mut rig,
        &[
            ("XGROUP CREATE s g 0", "+OK"),
            ("XREADGROUP GROUP h c STREAMS s >", no_group),
            (
                "XREADGROUP COUNT 1 NOACK STREAMS s >",
                "-ERR Missing GROUP option for XREADGROUP",
            ),
            (
                "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
                &format!("*1 *2 $1 s *1 {one}"),
            ),
            (
                "XREADGROUP GROUP g c STREAMS s 0",
                &format!("*1 *2 $1 s *1 {one}"),
            ),
            ("XREADGROUP GROUP g c STREAMS s 1-1", "*1 *2 $1 s *0"),
            (
                "XREADGROUP NOACK GROUP g streams COUNT 2 STREAMS s >",
                "*1 *2 $1 s *2 *2 $3 2-1 *4 $1 a $1 2 $1 b $1 3 *2 $3 3-0 *2 $1 a $1 x",
            ),
            ("XPENDING s g", "*4 :1 $3 1-1 $3 1-1 *1 *2 $1 c $1 1"),
            ("XPENDING s g - + 10", "*1 *4 $3 1-1 $1 c :0 :2"),
            ("XPENDING s g IDLE 1 - + 10", "*0"),
            ("XPENDING s g - + 10 nobody", "*0"),
            ("XPENDING s g - +", SYNTAX),
            (
                "XPENDING s h",
                "-NOGROUP No such key 's' or consumer group 'h'",
            ),
            ("XDEL s 1-1", ":1"),
            (
                "XREADGROUP GROUP g c STREAMS s 0",
                "*1 *2 $1 s *1 *2 $3 1-1 *-1",
            ),
            ("XACK s g 1-1 2-1", ":1"),
            ("XACK s h x", ":0"),
            ("XACK s g x", BAD_ID),
            ("XPENDING s g", "*4 :0 $-1 $-1 *-1"),
            ("XGROUP SETID s g 0 ENTRIESREAD 1", "+OK"),
            (
                "XGROUP SETID s h 0",
                "-NOGROUP No such consumer group 'h' for key name 's'",
            ),
            (
                "XREADGROUP GROUP g d STREAMS s >",
                "*1 *2 $1 s *3 *2 $3 2-1 *4 $1 a $1 2 $1 b $1 3 *2 $3 3-0 *2 $1 a $1 x *2 $3 3-1 *2 $1 c $1 y",
            ),
            ("XGROUP DELCONSUMER s g d", ":3"),
            ("XGROUP DESTROY s g", ":1"),
            ("XGROUP DESTROY s g", ":0"),
        ],
    );
}

#[test]
fn claims() {
    let mut rig = rig();
    rig.line("XGROUP CREATE s g 0");
    rig.line("XREADGROUP GROUP g a COUNT 3 STREAMS s >");
    rig.now += 100;
    expect(
        &mut rig,
        &[
            ("XCLAIM s g b 101 1-1", "*0"),
            ("XCLAIM s g b 100 1-1", "*1 *2 $3 1-1 *2 $1 a $1 1"),
            ("XPENDING s g - + 1", "*1 *4 $3 1-1 $1 b :0 :2"),
            (
                "XCLAIM s g b 0 1-1 JUSTID IDLE 50 RETRYCOUNT 9",
                "*1 $3 1-1",
            ),
            ("XPENDING s g - + 1", "*1 *4 $3 1-1 $1 b :50 :9"),
            ("XCLAIM s g b 0 3-1", "*0"),
            ("XCLAIM s g b 0 3-1 FORCE JUSTID LASTID 3-1", "*1 $3 3-1"),
            (
                "XCLAIM s g b 0 3-1 FOO",
                "-ERR Unrecognized XCLAIM option 'FOO'",
            ),
            (
                "XCLAIM s g b x 3-1",
                "-ERR Invalid min-idle-time argument for XCLAIM",
            ),
            (
                "XCLAIM s h b 0 3-1",
                "-NOGROUP No such key 's' or consumer group 'h'",
            ),
            ("XDEL s 2-1", ":1"),
            (
                "XAUTOCLAIM s g c 0 - COUNT 2 JUSTID",
                "*3 $3 3-0 *1 $3 1-1 *1 $3 2-1",
            ),
            (
                "XAUTOCLAIM s g c 0 3-0",
                "*3 $3 0-0 *2 *2 $3 3-0 *2 $1 a $1 x *2 $3 3-1 *2 $1 c $1 y *0",
            ),
            ("XAUTOCLAIM s g c 0 - COUNT 0", "-ERR COUNT must be > 0"),
            (
                "XAUTOCLAIM s g c x -",
                "-ERR Invalid min-idle-time argument for XAUTOCLAIM",
            ),
            ("XAUTOCLAIM s g c 0 - FOO", SYNTAX),
            ("XPENDING s g", "*4 :3 $3 1-1 $3 3-1 *1 *2 $1 c $1 3"),
        ],
    );
}

#[test]
fn deletions_with_regard_to_groups() {
    let mut rig = rig();
    for line in [
        "XGROUP CREATE s g 0",
        "XGROUP CREATE s h 0",
        "XREADGROUP GROUP g a STREAMS s >",
        "XREADGROUP GROUP h a COUNT 2 STREAMS s >",
    ] {
        rig.line(line);
    }
    expect(
        &mut rig,
        &[
            ("XDELEX none IDS 2 1-1 2-1", "*2 :-1 :-1"),
            ("XDELEX t IDS 1 1-1", WRONG_TYPE),
            (
                "XDELEX s IDS 0 1-1",
                "-ERR Number of IDs must be a positive integer",
            ),
            (
                "XDELEX s IDS 2 1-1",
                "-ERR The `numids` parameter must match the number of arguments",
            ),
            ("XDELEX s ACKED IDS 2 1-1 9-9", "*2 :2 :-1"),
            ("XACK s g 1-1 3-0", ":2"),
            ("XACKDEL s h ACKED IDS 1 1-1", "*1 :1"),
            ("XDELEX s ACKED IDS 1 3-0", "*1 :2"),
            ("XDELEX s DELREF IDS 1 2-1", "*1 :1"),
            ("XPENDING s h", "*4 :0 $-1 $-1 *-1"),
            ("XPENDING s g - + 9", "*1 *4 $3 3-1 $1 a :0 :1"),
            ("XDELEX s KEEPREF IDS 1 3-1", "*1 :1"),
            ("XACKDEL s g IDS 2 3-1 3-0", "*2 :1 :-1"),
            ("XACKDEL s none IDS 1 3-1", "*1 :-1"),
            ("XLEN s", ":1"),
        ],
    );
}

#[test]
fn information() {
    let mut rig = rig();
    rig.line("XGROUP CREATE s g 1-1 ENTRIESREAD 1");
    rig.line("XREADGROUP GROUP g a COUNT 1 STREAMS s >");
    rig.now += 5;
    let form = "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.";
    let counters = "$6 length :4 $15 radix-tree-keys :1 $16 radix-tree-nodes :2 \
        $17 last-generated-id $3 3-1 $20 max-deleted-entry-id $3 0-0 $13 entries-added :4 \
        $23 recorded-first-entry-id $3 1-1";
    let stream = format!(
        "*20 {counters} $6 groups :1 $11 first-entry *2 $3 1-1 *2 $1 a $1 1 $10 last-entry *2 $3 \
         3-1 *2 $1 c $1 y"
    );
    let full = format!(
        "%9 {counters} $7 entries *1 *2 $3 1-1 *2 $1 a $1 1 $6 groups *1 %7 $4 name $1 g $17 \
         last-delivered-id $3 2-1 $12 entries-read :2 $3 lag :2 $9 pel-count :1 $7 pending *1 *4 \
         $3 2-1 $1 a :1720000000000 :1 $9 consumers *1 %5 $4 name $1 a $9 seen-time \
         :1720000000000 $11 active-time :1720000000000 $9 pel-count :1 $7 pending *1 *3 $3 2-1 \
         :1720000000000 :1"
    );
    expect(
        &mut rig,
        &[
            ("XINFO STREAM s", &stream),
            ("XINFO STREAM s FOO", form),
            ("XINFO STREAM s FULL COUNT x", NOT_INTEGER),
            ("XINFO STREAM none FOO", "-ERR no such key"),
            ("XINFO GROUPS none", "-ERR no such key"),
            ("XINFO GROUPS t", WRONG_TYPE),
            (
                "XINFO GROUPS s",
                "*1 *12 $4 name $1 g $9 consumers :1 $7 pending :1 $17 last-delivered-id $3 2-1 $12 entries-read :2 $3 lag :2",
            ),
            (
                "XINFO CONSUMERS s g",
                "*1 *8 $4 name $1 a $7 pending :1 $4 idle :5 $8 inactive :5",
            ),
            (
                "XINFO CONSUMERS s h",
                "-NOGROUP No such consumer group 'h' for key name 's'",
            ),
        ],
    );
    rig.version = Version::Resp3;
    assert_eq!(rig.line("XINFO STREAM s FULL COUNT 1"), full);
}

/// What the journal was told since the last time, as lines.
fn told(rig: &mut Rig) -> Vec<String> {
    let commands = std::mem::take(&mut *rig.journal.commands.lock());
    let line = |words: Vec<Vec<u8>>| String::from_utf8(words.join(&b' ')).unwrap();
    commands.into_iter().map(|(_, words)| line(words)).collect()
}

#[test]
fn the_journal_is_told_what_was_decided() {
    let mut rig = rig();
    let id = Id::STREAM_NODE_MAX_ENTRIES;
    rig.services.config.set(id, b"1").unwrap();
    told(&mut rig);
    let script: &[(&str, &[&str])] = &[
        ("XADD s * a b", &["XADD s 1720000000000-0 a b"]),
        (
            "XADD s MAXLEN ~ 2 * a b",
            &["XADD s MAXLEN = 2 1720000000000-1 a b"],
        ),
        ("XTRIM s MAXLEN ~ 1", &["XTRIM s MAXLEN = 1"]),
        (
            "XADD s 1720000000000-5 c d",
            &["XADD s 1720000000000-5 c d"],
        ),
        ("XGROUP CREATE s g 0", &["XGROUP CREATE s g 0"]),
        (
            "XREADGROUP GROUP g a STREAMS s >",
            &[
                "XGROUP CREATECONSUMER s g a",
                "XCLAIM s g a 0 1720000000000-1 1720000000000-5 TIME 1720000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1720000000000-5",
                "XGROUP SETID s g 1720000000000-5 ENTRIESREAD 7",
            ],
        ),
        ("XREADGROUP GROUP g a STREAMS s >", &[]),
        ("XDEL s 1720000000000-1", &["XDEL s 1720000000000-1"]),
        (
            "XAUTOCLAIM s g b 0 -",
            &[
                "XGROUP CREATECONSUMER s g b",
                "XCLAIM s g b 0 1720000000000-5 TIME 1720000000000 RETRYCOUNT 2 FORCE JUSTID LASTID 0-0",
                "XACK s g 1720000000000-1",
            ],
        ),
    ];
    for (line, want) in script {
        rig.line(line);
        assert_eq!(told(&mut rig), *want, "{line}");
    }
    rig.line("XGROUP DELCONSUMER s g a");
    rig.line("XGROUP DELCONSUMER s g nobody");
    let events = rig.journal.events.lock();
    assert_eq!(events[5..9], ["xadd", "xadd", "xtrim", "xtrim"]);
    assert!(events.ends_with(&[
        "xgroup-create",
        "xgroup-createconsumer",
        "xdel",
        "xgroup-createconsumer",
        "xgroup-delconsumer"
    ]));
}

#[test]
fn what_is_large_is_left_to_the_pool() {
    let mut rig = Rig::new();
    rig.services
        .config
        .set(Id::STREAM_NODE_MAX_ENTRIES, b"2")
        .unwrap();
    for nth in 1..=3000 {
        rig.line(&format!("XADD s {nth} f v"));
    }
    rig.line("XGROUP CREATE s g 0");
    for (line, want) in [
        ("XRANGE s - +", true),
        ("XRANGE s - + COUNT 1000", false),
        ("XRANGE s 100 200", false),
        ("XREVRANGE s + 100", true),
        ("XREAD STREAMS s 2000", false),
        ("XREAD STREAMS s s 2000 2500", true),
        ("XREADGROUP GROUP g a COUNT 10 STREAMS s >", false),
        ("XREADGROUP GROUP g a STREAMS s >", true),
        ("XPENDING s g - + 10", false),
        ("XPENDING s g IDLE 5 - + 10", true),
        ("XINFO STREAM s", true),
        ("XINFO GROUPS s", false),
        ("XADD s MAXLEN 2990 * f v", false),
        ("XTRIM s MAXLEN 10", true),
        ("XGROUP DELCONSUMER s g a", true),
        // STREAMS is found in the wrong place by the specification of the keys.
        ("XREADGROUP COUNT 5 GROUP g streams STREAMS s >", true),
    ] {
        rig.line(line);
        assert_eq!(rig.deferred, want, "{line}");
    }
    assert_eq!(rig.line("XINFO GROUPS s").matches("pending :1").count(), 1);
}

/// What a stream has, to compare.
fn full(rig: &mut Rig) -> String {
    rig.line("XINFO STREAM s FULL")
}

/// Runs what the journal of `rig` was told on an empty server; it must take all of it.
fn replayed(rig: &mut Rig) -> Rig {
    let mut again = Rig::new();
    for line in told(rig) {
        let reply = again.line(&line);
        assert!(!reply.starts_with('-'), "{line}: {reply}");
    }
    again
}

#[test]
fn a_count_of_reads_past_its_end_is_not_known() {
    let mut rig = Rig::new();
    for line in [
        "XADD s 1-1 a b",
        "XSETID s 1-1 ENTRIESADDED 9223372036854775807",
        "XADD s 2-1 a b",
        "XADD s 3-1 a b",
        "XGROUP CREATE s g 0",
    ] {
        rig.line(line);
    }
    expect(
        &mut rig,
        &[
            (
                "XREADGROUP GROUP g a COUNT 1 STREAMS s >",
                "*1 *2 $1 s *1 *2 $3 1-1 *2 $1 a $1 b",
            ),
            (
                "XINFO GROUPS s",
                "*1 *12 $4 name $1 g $9 consumers :1 $7 pending :1 $17 last-delivered-id $3 1-1 \
                 $12 entries-read :9223372036854775807 $3 lag :2",
            ),
        ],
    );
    for _ in 0..2 {
        rig.line("XREADGROUP GROUP g a COUNT 1 STREAMS s >");
        let groups = rig.line("XINFO GROUPS s");
        assert!(groups.contains("entries-read $-1"), "{groups}");
    }
    assert_eq!(full(&mut replayed(&mut rig)), full(&mut rig));
}

#[test]
fn a_count_of_deliveries_stays_at_its_end() {
    let mut rig = rig();
    let most = "9223372036854775807";
    rig.line("XGROUP CREATE s g 0");
    rig.line("XREADGROUP GROUP g a COUNT 1 STREAMS s >");
    rig.line("XCLAIM s g a 0 1-1 JUSTID RETRYCOUNT -1");
    let pending = |count: &str| format!("*1 *4 $3 1-1 $1 a :0 :{count}");
    assert_eq!(rig.line("XPENDING s g - + 9"), pending("1"));
    rig.line(&format!("XCLAIM s g a 0 1-1 RETRYCOUNT {most}"));
    for again in [
        "XCLAIM s g a 0 1-1",
        "XAUTOCLAIM s g a 0 -",
        "XREADGROUP GROUP g a STREAMS s 0",
    ] {
        rig.line(again);
        assert_eq!(rig.line("XPENDING s g - + 9"), pending(most), "{again}");
    }
    assert_eq!(full(&mut replayed(&mut rig)), full(&mut rig));
}

/// As Valkey 9.1.2 has it.
#[test]
fn consumers_are_seen_when_they_ask_and_active_when_they_are_given_something() {
    const STEP_MS: i64 = 10;
    let mut rig = rig();
    rig.line("XGROUP CREATE s g $");
    for (line, idle, inactive) in [
        ("XGROUP CREATECONSUMER s g a", 0, -1),
        ("XREADGROUP GROUP g a STREAMS s >", 0, -1),
        ("XGROUP SETID s g 0", 10, -1),
        ("XREADGROUP GROUP g a COUNT 1 NOACK STREAMS s >", 0, -1),
        ("XREADGROUP GROUP g a COUNT 1 STREAMS s >", 0, 0),
        ("XREADGROUP GROUP g a STREAMS s 0", 0, 10),
        ("XACK s g 2-1", 10, 20),
        ("XREADGROUP GROUP g b COUNT 2 STREAMS s >", 20, 30),
        ("XCLAIM s g a 100000 3-0", 0, 40),
        ("XCLAIM s g a 0 3-0 JUSTID", 0, 0),
        ("XAUTOCLAIM s g a 100000 -", 0, 10),
        ("XAUTOCLAIM s g a 0 -", 0, 0),
        ("XCLAIM s g a 0 9-9", 0, 10),
        ("XREADGROUP GROUP g a STREAMS s >", 0, 20),
        ("XGROUP CREATECONSUMER s g a", 10, 30),
    ] {
        rig.now += STEP_MS;
        rig.line(line);
        let consumers = rig.line("XINFO CONSUMERS s g");
        let (_, a) = consumers.split_once("$4 name $1 a ").expect("it is first");
        let want = format!("$4 idle :{idle} $8 inactive :{inactive}");
        assert!(a.contains(&want), "{line}: {a}");
        let full = rig.line("XINFO STREAM s FULL");
        let active = if inactive < 0 { -1 } else { rig.now - inactive };
        let times = format!("seen-time :{} $11 active-time :{active}", rig.now - idle);
        assert!(full.contains(&times), "{line}: {full}");
    }
}
