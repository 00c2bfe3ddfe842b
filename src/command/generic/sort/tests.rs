//! Replies and error texts as Redis gives them, and what the journal is told.

use crate::base::rng::Rng;
use crate::command::testing::{Rig, expect, seed};

const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";
const NOT_DOUBLES: &str = "-ERR One or more scores can't be converted into double";
const SYNTAX: &str = "-ERR syntax error";
const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

fn rig() -> Rig {
    let mut rig = Rig::new();
    expect(
        &mut rig,
        &[
            ("SET s abc", "+OK"),
            ("RPUSH n 3 10 2 1.5 -7", ":5"),
            ("RPUSH w b a C c", ":4"),
            ("MSET w_a 3 w_b 1 w_c 2 o_a A o_b B", "+OK"),
        ],
    );
    rig
}

#[test]
fn numbers_and_texts() {
    expect(
        &mut rig(),
        &[
            ("SORT n", "*5 $2 -7 $3 1.5 $1 2 $1 3 $2 10"),
            ("SORT n DESC LIMIT 1 2", "*2 $1 3 $1 2"),
            ("SORT n ALPHA", "*5 $2 -7 $3 1.5 $2 10 $1 2 $1 3"),
            ("SORT w", NOT_DOUBLES),
            ("SORT w ALPHA", "*4 $1 C $1 a $1 b $1 c"),
            ("SORT w ALPHA DESC ASC", "*4 $1 C $1 a $1 b $1 c"),
            ("SORT_RO w ALPHA DESC", "*4 $1 c $1 b $1 a $1 C"),
            ("SORT none", "*0"),
            ("SORT s", WRONG_TYPE),
            ("SORT s FOO", SYNTAX),
            ("SORT n LIMIT 1", SYNTAX),
            ("SORT n LIMIT 1 x", NOT_INTEGER),
            ("SORT n BY", SYNTAX),
            ("SORT_RO n STORE d", SYNTAX),
            ("SORT n LIMIT -5 2", "*2 $2 -7 $3 1.5"),
            ("SORT n LIMIT 3 -1", "*2 $1 3 $2 10"),
            ("SORT n LIMIT 9 9", "*0"),
            ("SORT n LIMIT 0 0", "*0"),
        ],
    );
}

#[test]
fn by_and_get() {
    expect(
        &mut rig(),
        &[
            ("SORT w BY w_*", "*4 $1 C $1 b $1 c $1 a"),
            (
                "SORT w BY w_* GET # GET o_*",
                "*8 $1 C $-1 $1 b $1 B $1 c $-1 $1 a $1 A",
            ),
            ("SORT w BY nosort", "*4 $1 b $1 a $1 C $1 c"),
            ("SORT w BY nosort DESC LIMIT 1 2", "*2 $1 C $1 a"),
            ("SORT w BY nosort LIMIT 1 2", "*2 $1 a $1 C"),
            ("SORT w BY o_*", NOT_DOUBLES),
            ("SORT w BY o_* ALPHA LIMIT 2 2", "*2 $1 a $1 b"),
            ("SORT w BY nosort GET constant LIMIT 0 1", "*1 $-1"),
            ("SORT w BY s->x ALPHA", "*4 $1 b $1 a $1 C $1 c"),
        ],
    );
}

#[test]
fn stores() {
    let mut rig = rig();
    expect(
        &mut rig,
        &[
            ("SORT n STORE d", ":5"),
            ("LRANGE d 0 -1", "*5 $2 -7 $3 1.5 $1 2 $1 3 $2 10"),
            ("SORT w BY w_* GET o_* STORE d STORE e", ":4"),
            ("LRANGE e 0 -1", "*4 $0  $1 B $0  $1 A"),
            ("SORT none STORE e", ":0"),
            ("EXISTS e", ":0"),
            ("SORT w STORE d", NOT_DOUBLES),
            ("LLEN d", ":5"),
            ("SORT n STORE n", ":5"),
            ("LRANGE n 0 1", "*2 $2 -7 $3 1.5"),
            ("OBJECT ENCODING n", "$8 listpack"),
        ],
    );
    assert!(rig.journal.events.lock().contains(&"sortstore"));
}

/// The journal's commands give the same lists, whatever has become of the sources.
#[test]
fn stored_lists_are_repeated_as_they_came_out() {
    let mut rig = rig();
    rig.line("SORT w BY w_* GET o_* STORE d");
    rig.line("SORT n DESC STORE e");
    rig.line("SORT none STORE w");
    let mut again = Rig::new();
    for (_, words) in std::mem::take(&mut *rig.journal.commands.lock()) {
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        assert_ne!(words[0], b"SORT");
        again.run(&words);
    }
    assert_eq!(rig.data(), again.data());
}

#[test]
fn large_and_small_sorts_agree_with_a_model() {
    let seed = seed("large_and_small_sorts_agree_with_a_model");
    let mut rng = Rng::seeded(seed);
    for len in [0, 1, 30, 1000, 3000] {
        let mut rig = Rig::new();
        let mut numbers: Vec<i64> = (0..len).map(|_| rng.below(1 << 20) as i64 - 9999).collect();
        for chunk in numbers.chunks(500) {
            let texts: Vec<String> = chunk.iter().map(ToString::to_string).collect();
            let mut words: Vec<&[u8]> = vec![b"RPUSH", b"l"];
            words.extend(texts.iter().map(|text| text.as_bytes()));
            rig.run(&words);
        }
        let shown = |numbers: &[i64]| {
            let mut words = vec![format!("*{}", numbers.len())];
            words.extend(
                numbers
                    .iter()
                    .map(|n| format!("${} {n}", n.to_string().len())),
            );
            words.join(" ")
        };
        numbers.sort_unstable();
        assert_eq!(rig.line("SORT l"), shown(&numbers));
        assert_eq!(rig.deferred, len > 1024);
        let cut = numbers.len().min(7);
        assert_eq!(rig.line("SORT l LIMIT 0 7"), shown(&numbers[..cut]));
        assert_eq!(rig.line("SORT l STORE d"), format!(":{len}"));
        assert_eq!(rig.line("LRANGE d 0 -1"), shown(&numbers));
    }
}
