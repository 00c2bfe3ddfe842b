//! Replies and error texts as Redis gives them.

use crate::base::crc64::crc64;
use crate::command::testing::{Rig, START, expect};

const BUSY: &str = "-BUSYKEY Target key name already exists.";
const ENVELOPE: &str = "-ERR DUMP payload version or checksum are wrong";
const VALUE: &str = "-ERR Bad data format";
const SYNTAX: &str = "-ERR syntax error";

/// The payload of a key: what DUMP replies, without its header and line end.
fn dumped(rig: &mut Rig, key: &str) -> Vec<u8> {
    let reply = rig.run(&[b"DUMP", key.as_bytes()]);
    let start = reply
        .iter()
        .position(|&byte| byte == b'\n')
        .map(|at| at + 1);
    reply[start.expect("a bulk string")..reply.len() - 2].to_vec()
}

fn restored(rig: &mut Rig, words: &[&[u8]]) -> String {
    let reply = rig.run(words);
    String::from_utf8_lossy(&reply).trim_end().to_owned()
}

/// An object in an envelope of this version.
fn enveloped(object: &[u8], version: u16) -> Vec<u8> {
    let mut payload = object.to_vec();
    payload.extend(version.to_le_bytes());
    payload.extend(crc64(0, &payload).to_le_bytes());
    payload
}

#[test]
fn the_bytes_are_those_of_redis() {
    let mut rig = Rig::new();
    rig.line("MSET i 10 s abc");
    assert_eq!(dumped(&mut rig, "i"), b"\0\xc0\n\n\0n\x9fWE\x0e\xaec\xbb");
    assert_eq!(dumped(&mut rig, "s")[..7], *b"\0\x03abc\n\0");
    assert_eq!(rig.line("DUMP none"), "$-1");
}

#[test]
fn values_come_back() {
    let mut rig = Rig::new();
    rig.line("RPUSH l a 1 -5 70000 4000000000 xyz");
    rig.run(&[b"SET", b"long", &b"some text ".repeat(5000)]);
    rig.run(&[b"RPUSH", b"plain", &[b'p'; 20_000], b"q"]);
    for key in ["l", "long", "plain"] {
        let payload = dumped(&mut rig, key);
        assert_eq!(
            restored(&mut rig, &[b"RESTORE", b"again", b"0", &payload]),
            "+OK"
        );
        let data = rig.data();
        let held = |key: &str| data.get(&(0, key.as_bytes().to_vec())).cloned();
        assert_eq!(held(key), held("again"), "{key}");
        rig.line("DEL again");
    }
}

#[test]
fn options_and_errors() {
    let mut rig = Rig::new();
    rig.line("SET s abc");
    let payload = dumped(&mut rig, "s");
    let p = payload.as_slice();
    let mut bad = payload.clone();
    bad[2] ^= 1;
    let idle = "-ERR Invalid IDLETIME value, must be >= 0";
    let frequency = "-ERR Invalid FREQ value, must be >= 0 and <= 255";
    let cases: &[(&[&[u8]], &str)] = &[
        (&[b"s", b"0", p], BUSY),
        (&[b"s", b"x", b"junk"], BUSY),
        (
            &[b"t", b"x", p],
            "-ERR value is not an integer or out of range",
        ),
        (&[b"t", b"-1", p], "-ERR Invalid TTL value, must be >= 0"),
        (&[b"t", b"0", &bad], ENVELOPE),
        (&[b"t", b"0", b""], ENVELOPE),
        (&[b"t", b"0", p, b"FOO"], SYNTAX),
        (&[b"t", b"0", p, b"IDLETIME"], SYNTAX),
        (&[b"t", b"0", p, b"IDLETIME", b"-1"], idle),
        (&[b"t", b"0", p, b"FREQ", b"256"], frequency),
        (&[b"t", b"0", p, b"FREQ", b"1", b"IDLETIME", b"1"], SYNTAX),
        (&[b"t", b"0", &enveloped(b"\0\x03abcd", 10)], VALUE),
        (&[b"t", b"0", &enveloped(b"\x07", 10)], VALUE),
        (&[b"t", b"0", &enveloped(b"\0\x03abc", 14)], ENVELOPE),
        (&[b"t", b"0", &enveloped(b"\0\x03abc", 79)], ENVELOPE),
        (&[b"v", b"0", &enveloped(b"\0\x03abc", 80)], "+OK"),
        (&[b"t", b"0", p, b"IDLETIME", b"1000"], "+OK"),
        (&[b"s", b"5000", p, b"REPLACE"], "+OK"),
    ];
    for (words, want) in cases {
        let mut all: Vec<&[u8]> = vec![b"RESTORE"];
        all.extend(*words);
        assert_eq!(restored(&mut rig, &all), *want, "{words:?}");
    }
    expect(
        &mut rig,
        &[
            ("PTTL s", ":5000"),
            ("OBJECT IDLETIME t", ":1000"),
            ("GET t", "$3 abc"),
        ],
    );
}

#[test]
fn times_are_absolute_in_the_journal_and_a_past_one_removes() {
    let mut rig = Rig::new();
    rig.line("SET s abc");
    let payload = dumped(&mut rig, "s");
    rig.journal.commands.lock().clear();
    restored(&mut rig, &[b"RESTORE", b"t", b"100", &payload]);
    let told = rig.journal.commands.lock()[0].1.clone();
    assert_eq!(told[2], (START + 100).to_string().as_bytes());
    assert_eq!(told[4], b"ABSTTL");
    let past = [
        b"RESTORE".as_slice(),
        b"s",
        b"1",
        &payload,
        b"ABSTTL",
        b"REPLACE",
    ];
    assert_eq!(restored(&mut rig, &past), "+OK");
    assert_eq!(rig.line("EXISTS s"), ":0");
    let told = rig.journal.commands.lock().pop();
    assert_eq!(
        told.map(|(_, words)| words),
        Some(vec![b"DEL".to_vec(), b"s".to_vec()])
    );
}

#[test]
fn a_hash_of_which_all_fields_are_due_is_not_there() {
    for count in [3, 2000] {
        let mut rig = Rig::new();
        let names: Vec<String> = (0..count).map(|nth| format!("field-{nth}")).collect();
        let mut words: Vec<&[u8]> = vec![b"HSETEX", b"h", b"PX", b"1000", b"FIELDS"];
        let number = count.to_string();
        words.push(number.as_bytes());
        for name in &names {
            words.extend([name.as_bytes(), b"v"]);
        }
        assert_eq!(rig.run(&words), b":1\r\n");
        assert_ne!(rig.line("DUMP h"), "$-1");
        rig.now += 1000;
        assert_eq!(rig.line("DUMP h"), "$-1", "{count} fields");
    }
}
