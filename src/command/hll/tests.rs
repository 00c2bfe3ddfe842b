//! Replies and error texts as Redis gives them, the bytes of the values, and that
//! wrong bytes change nothing.

use crate::base::rng::Rng;
use crate::command::testing::{Rig, expect};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const FOREIGN: &str = "-WRONGTYPE Key is not a valid HyperLogLog string value.";
const CORRUPT: &str = "-INVALIDOBJ Corrupted HLL object detected";

#[test]
fn adding_counting_merging() {
    let mut rig = Rig::new();
    expect(
        &mut rig,
        &[
            ("PFADD h a b c", ":1"),
            ("PFADD h a", ":0"),
            ("PFADD h", ":0"),
            ("PFADD new", ":1"),
            ("PFCOUNT h", ":3"),
            ("PFCOUNT none", ":0"),
            ("PFADD g c d", ":1"),
            ("PFCOUNT h g none", ":4"),
            ("PFMERGE m h g", "+OK"),
            ("PFCOUNT m", ":4"),
            ("PFMERGE m2", "+OK"),
            ("PFCOUNT m2", ":0"),
            ("OBJECT ENCODING h", "$3 raw"),
            ("PFDEBUG ENCODING m", "+sparse"),
            ("PFDEBUG TODENSE g", ":1"),
            ("PFDEBUG TODENSE g", ":0"),
            ("PFMERGE m g", "+OK"),
            ("PFDEBUG ENCODING m", "+dense"),
            ("STRLEN m", ":12304"),
            ("PFCOUNT m", ":4"),
            ("PFDEBUG DECODE m", "-ERR HLL encoding is not sparse"),
            (
                "PFDEBUG ENCODING none",
                "-ERR The specified key does not exist",
            ),
            ("PFDEBUG odd m", "-ERR Unknown PFDEBUG subcommand 'odd'"),
        ],
    );
}

/// The count is kept in the value, which is a change without an event.
#[test]
fn counting_is_told_once() {
    let mut rig = Rig::new();
    rig.line("PFADD h a");
    rig.journal.commands.lock().clear();
    rig.journal.events.lock().clear();
    rig.line("PFCOUNT h");
    rig.line("PFCOUNT h");
    assert_eq!(rig.journal.commands.lock().len(), 1);
    assert!(rig.journal.events.lock().is_empty());
}

#[test]
fn what_is_no_counter() {
    let mut rig = Rig::new();
    rig.line("SET s hello");
    rig.line("RPUSH l a");
    for (line, want) in [
        ("PFADD s a", FOREIGN),
        ("PFCOUNT s", FOREIGN),
        ("PFCOUNT none s", FOREIGN),
        ("PFMERGE d s", FOREIGN),
        ("PFDEBUG DECODE s", FOREIGN),
        ("PFADD l a", WRONG_TYPE),
        ("PFCOUNT l", WRONG_TYPE),
        ("PFMERGE l", WRONG_TYPE),
        ("EXISTS d", ":0"),
    ] {
        assert_eq!(rig.line(line), want, "{line}");
    }
    expect(
        &mut rig,
        &[
            ("PFADD h a", ":1"),
            ("APPEND h xx", ":23"),
            ("PFCOUNT h", CORRUPT),
            ("PFMERGE d h", CORRUPT),
            ("PFCOUNT h h", CORRUPT),
            ("PFDEBUG TODENSE h", CORRUPT),
            ("PFDEBUG GETREG h", CORRUPT),
            ("EXISTS d", ":0"),
        ],
    );
    let long = [b"HYLL\x01".as_slice(), &[0; 60_000]].concat();
    rig.run(&[b"SET", b"long", &long]);
    expect(
        &mut rig,
        &[("PFADD long a", CORRUPT), ("PFCOUNT long", CORRUPT)],
    );
}

/// Any bytes under any command: an answer, and none of an error's changes.
#[test]
fn hostile_bytes() {
    let mut rng = Rng::seeded(11);
    let mut rig = Rig::new();
    for _ in 0..3000 {
        let mut bytes = b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        (0..rng.below(40)).for_each(|_| bytes.push(rng.next_u64() as u8));
        let at = rng.below(bytes.len() as u64 * 3) as usize;
        if let Some(byte) = bytes.get_mut(at) {
            *byte = rng.next_u64() as u8;
        }
        rig.run(&[b"SET", b"h", &bytes]);
        let before = rig.data();
        for line in [
            "PFADD h a b c d e f g h i j k l m n",
            "PFCOUNT h",
            "PFCOUNT h h",
            "PFDEBUG DECODE h",
            "PFMERGE h h",
            "PFDEBUG TODENSE h",
        ] {
            let failed = rig.line(line).starts_with('-');
            assert!(!failed || rig.data() == before, "{line} of {bytes:?}");
            rig.run(&[b"SET", b"h", &bytes]);
        }
    }
}

/// Replaying what is told makes the same bytes.
#[test]
fn a_replay_makes_the_same_counters() {
    let mut rng = Rng::seeded(12);
    let mut rig = Rig::new();
    for _ in 0..3000 {
        let (a, b) = (rng.below(4), rng.below(4));
        let line = match rng.below(12) {
            0 => format!("PFMERGE h{a} h{b}"),
            1 => format!("PFCOUNT h{a}"),
            2 if rng.below(20) == 0 => format!("PFDEBUG GETREG h{a}"),
            3 if rng.below(20) == 0 => format!("DEL h{a}"),
            _ => format!("PFADD h{a} {} {}", rng.below(9000), rng.below(9000)),
        };
        rig.line(&line);
    }
    let mut again = Rig::new();
    for (_, words) in rig.journal.commands.lock().iter() {
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        again.run(&words);
    }
    assert_eq!(rig.data(), again.data());
}
