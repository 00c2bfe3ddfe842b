//! Replies, error texts and encodings as Redis gives them; what is told to the
//! journal; what is left to the pool.

use crate::command::testing::{Rig, expect};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";
const OFFSET: &str = "-ERR bit offset is not an integer or out of range";
const SYNTAX: &str = "-ERR syntax error";

fn rig() -> Rig {
    let mut rig = Rig::new();
    expect(&mut rig, &[("SET s foobar", "+OK"), ("RPUSH l a", ":1")]);
    rig.journal.commands.lock().clear();
    rig.journal.events.lock().clear();
    rig
}

#[test]
fn single_bits() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("SETBIT b 7 1", ":0"),
            ("SETBIT b 7 1", ":1"),
            ("GETBIT b 7", ":1"),
            ("GETBIT b 8", ":0"),
            ("GETBIT none 8", ":0"),
            ("STRLEN b", ":1"),
            ("OBJECT ENCODING b", "$3 raw"),
            ("SETBIT l 0 1", WRONG_TYPE),
            ("GETBIT l 0", WRONG_TYPE),
            ("SETBIT l x y", OFFSET),
            ("SETBIT b 4294967296 1", OFFSET),
            ("SETBIT b -1 1", OFFSET),
            ("SETBIT b 1 2", "-ERR bit is not an integer or out of range"),
        ],
    );
}

/// An unchanged bit is no change, but a string that grows for one is.
#[test]
fn what_changes_nothing_is_not_told() {
    let mut rig = rig();
    for line in [
        "SETBIT b 7 0",
        "SETBIT b 7 0",
        "SETBIT b 6 1",
        "SETBIT b 6 1",
        "BITFIELD b SET u8 0 2",
        "BITFIELD b GET u8 0",
        "BITFIELD b OVERFLOW FAIL SET u8 0 256",
        "BITFIELD b SET u8 8 0",
        "BITOP AND none nothing",
    ] {
        rig.line(line);
    }
    let told = rig.journal.commands.lock().len();
    assert_eq!((told, rig.journal.events.lock().len()), (3, 3));
}

#[test]
fn integers_become_raw_strings() {
    let mut rig = rig();
    for write in ["SETBIT n 0 0", "BITFIELD n SET u1 0 0", "BITOP OR n n"] {
        rig.line("SET n 123");
        rig.line(write);
        expect(
            &mut rig,
            &[("OBJECT ENCODING n", "$3 raw"), ("GET n", "$3 123")],
        );
        expect(
            &mut rig,
            &[("INCR n", ":124"), ("OBJECT ENCODING n", "$3 int")],
        );
    }
}

#[test]
fn counts_and_searches() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("BITCOUNT s", ":26"),
            ("BITCOUNT s 1 1 byte", ":6"),
            ("BITCOUNT s 5 30 BIT", ":17"),
            ("BITCOUNT s -1 -2", ":0"),
            ("BITCOUNT s 0", SYNTAX),
            ("BITCOUNT s x 1 1 1", SYNTAX),
            ("BITCOUNT none x 1", NOT_INTEGER),
            ("BITCOUNT none", ":0"),
            ("BITCOUNT l", WRONG_TYPE),
            ("BITPOS s 1", ":1"),
            ("BITPOS s 0 2 -1 BIT", ":3"),
            ("BITPOS s 1 9", ":-1"),
            ("BITPOS none 0", ":0"),
            ("BITPOS none 1", ":-1"),
            ("BITPOS none 1 x", NOT_INTEGER),
            ("BITPOS s 1 0 x junk", SYNTAX),
            ("BITPOS s 2", "-ERR The bit argument must be 1 or 0."),
            ("BITPOS l 1", WRONG_TYPE),
        ],
    );
    rig.run(&[b"SET", b"ones", b"\xff\xff"]);
    expect(
        &mut rig,
        &[
            ("BITPOS ones 0", ":16"),
            ("BITPOS ones 0 1", ":16"),
            ("BITPOS ones 0 0 -1", ":-1"),
            ("BITPOS ones 0 2", ":-1"),
        ],
    );
}

#[test]
fn combinations() {
    let mut rig = rig();
    let single = "-ERR BITOP NOT must be called with a single source key.";
    let two = "-ERR BITOP DIFF must be called with at least two source keys.";
    expect(
        &mut rig,
        &[
            ("SET d x PX 1000", "+OK"),
            ("BITOP OR d s none", ":6"),
            ("GET d", "$6 foobar"),
            ("PTTL d", ":-1"),
            ("BITOP AND d s none", ":6"),
            ("BITCOUNT d", ":0"),
            ("BITOP XOR d none", ":0"),
            ("EXISTS d", ":0"),
            ("BITOP OR l s", ":6"),
            ("TYPE l", "+string"),
            ("RPUSH r x", ":1"),
            ("BITOP OR d r", WRONG_TYPE),
            ("BITOP NOT d s s", single),
            ("BITOP diff d s", two),
            ("BITOP NOR d s", SYNTAX),
        ],
    );
}

#[test]
fn fields() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            (
                "BITFIELD f SET i8 0 -1 GET u8 0 GET i4 #1",
                "*3 :0 :255 :-1",
            ),
            ("BITFIELD f INCRBY u8 0 10 INCRBY u8 0 -11", "*2 :9 :254"),
            (
                "BITFIELD f OVERFLOW SAT INCRBY u8 0 9 OVERFLOW FAIL INCRBY u8 0 1 GET u8 0",
                "*3 :255 $-1 :255",
            ),
            ("BITFIELD f", "*0"),
            ("BITFIELD l", WRONG_TYPE),
            ("BITFIELD none GET u8 0", "*1 :0"),
            ("EXISTS none", ":0"),
            ("BITFIELD none OVERFLOW FAIL SET u8 0 256", "*1 $-1"),
            ("STRLEN none", ":1"),
            ("BITFIELD f GET u8 #999999999999", OFFSET),
            ("BITFIELD f SET u8 0 x", NOT_INTEGER),
            ("BITFIELD f GET u8", SYNTAX),
            (
                "BITFIELD f OVERFLOW odd",
                "-ERR Invalid OVERFLOW type specified",
            ),
            ("BITFIELD_RO f GET u8 0", "*1 :255"),
            (
                "BITFIELD_RO f SET u8 0 1",
                "-ERR BITFIELD_RO only supports the GET subcommand",
            ),
        ],
    );
}

/// Large strings are read and combined in the pool, changed in place everywhere.
#[test]
fn large_strings() {
    let mut rig = rig();
    let large = vec![0x55; 1 << 20];
    rig.run(&[b"SET", b"large", &large]);
    for (line, want, deferred) in [
        ("BITCOUNT large", ":4194304", true),
        ("BITCOUNT large 0 1000", ":4004", false),
        ("BITPOS large 1", ":1", true),
        ("BITOP NOT d large", ":1048576", true),
        ("BITCOUNT d 0 0", ":4", false),
        ("BITOP XOR d d large", ":1048576", true),
        ("BITPOS d 0", ":-1", true),
        ("SETBIT large 8000000 1", ":0", false),
        ("SETBIT large 90000000 1", ":0", true),
        ("BITFIELD large SET u8 8000 1", ":0", false),
    ] {
        let reply = rig.line(line);
        if !line.starts_with("BITFIELD") && !line.starts_with("BITPOS d") {
            assert_eq!(reply, want, "{line}");
        }
        assert_eq!(rig.deferred, deferred, "{line}");
    }
}
