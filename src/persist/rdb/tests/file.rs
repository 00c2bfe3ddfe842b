//! Whole files: they come back as they were, and damage is told with its place.

use std::io::{self, Read};

use super::*;
use crate::persist::rdb::file::read::{Pair, Rules as ReadRules, Visitor, load};
use crate::persist::rdb::file::source::FileSource;
use crate::persist::rdb::file::write::FileWriter;
use crate::persist::rdb::file::{LoadError, Problem, Usage};
use crate::store::entry::Entry;

type Key = (usize, Vec<u8>);
type Kept = BTreeMap<Key, (Plain, Option<i64>, Usage)>;

/// Keeps all that a file has.
#[derive(Default)]
struct Keeper {
    keys: Kept,
    functions: Vec<Vec<u8>>,
    aux: BTreeMap<Vec<u8>, Vec<u8>>,
    empty: usize,
}

impl Visitor for Keeper {
    fn aux(&mut self, name: &[u8], value: &[u8]) {
        self.aux.insert(name.to_vec(), value.to_vec());
    }

    fn function(&mut self, code: bytes::Bytes) {
        self.functions.push(code.to_vec());
    }

    fn pair(&mut self, pair: Pair<'_>) -> Result<(), Problem> {
        let entry = Entry::new(pair.key, pair.value, None, 0);
        let kept = (plain(entry.value()), pair.expire, pair.usage);
        match self.keys.insert((pair.db, pair.key.to_vec()), kept) {
            None => Ok(()),
            Some(_) => Err(Problem::DuplicateKey),
        }
    }

    fn empty(&mut self, _key: &[u8]) {
        self.empty += 1;
    }
}

/// Gives a few bytes at a time.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1 % 7 + 1;
        let some = self.1.min(self.0.len()).min(out.len());
        out[..some].copy_from_slice(&self.0[..some]);
        self.0 = &self.0[some..];
        Ok(some)
    }
}

fn load_from(input: impl Read, len: usize, checksum: bool) -> Result<Keeper, LoadError> {
    let hasher = KeyHasher::seeded(1);
    let rules = ReadRules {
        layout: layout(&hasher),
        databases: 16,
        checksum,
    };
    let mut keeper = Keeper::default();
    let mut source = FileSource::new(input, len as u64, checksum);
    load(&mut source, &mut keeper, &rules).map(|()| keeper)
}

fn load_bytes(bytes: &[u8], checksum: bool) -> Result<Keeper, LoadError> {
    load_from(bytes, bytes.len(), checksum)
}

fn ended(writer: FileWriter<Vec<u8>>) -> Vec<u8> {
    let mut file = writer.finish();
    file.extend(crc64(0, &file).to_le_bytes());
    file
}

fn random_file(rng: &mut Rng, keys: u64, target: Target) -> (Vec<u8>, Kept) {
    let hasher = KeyHasher::seeded(1);
    let mut writer = FileWriter::new(Vec::new(), target, rng.below(2) == 0);
    writer.aux("redis-ver", b"7.2.4");
    writer.aux("ctime", b"1720000000");
    writer.function(b"#!lua name=mylib\n");
    let mut kept = Kept::new();
    for nth in 0..keys {
        let (db, key) = (rng.below(3) as usize, format!("key:{nth}"));
        let value = value(rng, nth, &layout(&hasher));
        let expire = (rng.below(3) == 0).then(|| NOW + rng.below(1 << 40) as i64 - 1000);
        let usage = match rng.below(3) {
            0 => Usage::Unknown,
            1 => Usage::Idle(rng.below(1 << 20)),
            _ => Usage::Frequency(rng.below(256) as u8),
        };
        writer.pair(db, key.as_bytes(), value.value(), expire, usage, NOW);
        kept.insert(
            (db, key.into_bytes()),
            (plain(value.value()), expire, usage),
        );
    }
    (ended(writer), kept)
}

/// A file with a small value of each type.
fn small_file(rng: &mut Rng) -> Vec<u8> {
    const VALUE_BYTES_MAX: usize = 150;
    let hasher = KeyHasher::seeded(1);
    let mut writer = FileWriter::new(Vec::new(), Target::Redis70, true);
    writer.aux("redis-ver", b"7.2.4");
    writer.size(0, 6, 1);
    for nth in 0..6 {
        let value = std::iter::repeat_with(|| value(rng, nth, &layout(&hasher)))
            .find(|one| {
                payload::write(one.value(), NOW, Target::Redis70, true).len() < VALUE_BYTES_MAX
            })
            .expect("some are small");
        let expire = (nth == 2).then_some(NOW + 5);
        let key = format!("key:{nth}");
        writer.pair(
            0,
            key.as_bytes(),
            value.value(),
            expire,
            Usage::Idle(7),
            NOW,
        );
    }
    ended(writer)
}

#[test]
fn files_come_back_from_every_target() {
    let seed = Rng::random().next_u64();
    println!("files_come_back_from_every_target: seed {seed}");
    let mut rng = Rng::seeded(seed);
    for target in TARGETS {
        let (file, want) = random_file(&mut rng, 120, target);
        for slow in [false, true] {
            let loaded = match slow {
                false => load_bytes(&file, true),
                true => load_from(Dribble(&file, 0), file.len(), true),
            };
            let loaded = loaded.unwrap_or_else(|error| panic!("{target:?}: {error}"));
            assert_eq!(loaded.keys, want, "{target:?}");
            assert_eq!(loaded.functions, [b"#!lua name=mylib\n"]);
            assert_eq!(loaded.aux[b"redis-ver".as_slice()], b"7.2.4");
        }
    }
}

/// Where the target has no form for fields that expire, an older server finds a plain hash.
#[test]
fn deadlines_of_fields_stand_beside_a_plain_hash() {
    let hasher = KeyHasher::seeded(1);
    let mut hash = Hash::new();
    for (name, at) in [
        ("a", NOW - 1),
        ("b", NOW + 500),
        ("c", NEVER),
        ("d", NOW + 1),
    ] {
        let until = Until::At(at);
        hash.set(
            name.as_bytes(),
            Given::Text(b"1"),
            until,
            layout(&hasher).hash,
        );
    }
    let mut writer = FileWriter::new(Vec::new(), Target::Redis70, false);
    writer.pair(0, b"h", image(hash).value(), None, Usage::Unknown, NOW);
    let file = ended(writer);
    assert!(file.starts_with(b"REDIS0010"));
    let loaded = load_bytes(&file, true).expect("a good file");
    let (Plain::Hash(fields), ..) = &loaded.keys[&(0, b"h".to_vec())] else {
        panic!("a hash was written");
    };
    let deadlines: Vec<i64> = fields.values().map(|(_, at)| *at).collect();
    assert_eq!(deadlines, [NOW + 500, NEVER, NOW + 1]);
    // Its plain form alone, as another server reads it.
    let at = file
        .windows(2)
        .position(|two| two == b"\x04\x01")
        .expect("kind 4");
    assert_eq!(&file[at + 2..at + 4], b"h\x03");
}

#[test]
fn deadlines_that_are_cut_off_are_told_from_a_file_that_is() {
    for value in [b"".as_slice(), b"1234567", b"12345678\x40"] {
        let mut writer = FileWriter::new(Vec::new(), Target::Redis70, false);
        writer.aux("flashkv-field-deadlines", value);
        let error = load_bytes(&ended(writer), true)
            .err()
            .expect("no deadlines");
        let problem = error.problem.to_string();
        assert_eq!(problem, "impossible time", "{}", value.escape_ascii());
    }
}

#[test]
fn a_hash_of_which_nothing_lives_is_left_out() {
    let hasher = KeyHasher::seeded(1);
    let mut hash = Hash::new();
    let growth = layout(&hasher).hash;
    hash.set(b"a", Given::Text(b"1"), Until::At(NOW), growth);
    for target in TARGETS {
        let mut writer = FileWriter::new(Vec::new(), target, false);
        let value = image(hash.image());
        writer.pair(0, b"h", value.value(), None, Usage::Unknown, NOW);
        let loaded = load_bytes(&ended(writer), true).expect("a good file");
        assert!(loaded.keys.is_empty());
    }
}

#[test]
fn every_cut_and_every_turned_bit_is_told() {
    let seed = Rng::random().next_u64();
    println!("every_cut_and_every_turned_bit_is_told: seed {seed}");
    let mut rng = Rng::seeded(seed);
    let file = small_file(&mut rng);
    for len in 0..file.len() {
        let error = load_bytes(&file[..len], true).err().expect("it is cut off");
        assert!(error.offset <= len as u64, "{error}");
    }
    for bit in 0..file.len() * 8 {
        let mut bad = file.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(load_bytes(&bad, true).is_err(), "bit {bit}");
        // Without a checksum there is a refusal or other data, and no harm.
        let _ = load_bytes(&bad, false);
    }
}

fn refused(items: &[u8]) -> String {
    let file = [b"REDIS0010".as_slice(), items].concat();
    match load_bytes(&file, false) {
        Ok(_) => panic!("{} was accepted", items.escape_ascii()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (items, want) in [
        (
            b"\xfe\x10".as_slice(),
            "at offset 11, reading what comes next: database 16 is beyond `databases`",
        ),
        (
            b"\x00\x01a\x01b\x00\x01a\x01c\xff",
            "at offset 19, reading a value of kind 0 of key 'a': key twice in a database",
        ),
        (
            b"\x1e\x01a",
            "at offset 10, reading what comes next: unknown kind of object 30",
        ),
        (
            b"\x00\x05ab",
            "at offset 11, reading a key: unexpected end of the file",
        ),
        (
            b"\x07\x01a\x81\x25\x58\x53\x4f\x05\xb0\x90\x00",
            "at offset 21, reading a value of kind 7 of key 'a': data of module ",
        ),
        (
            b"\xf6",
            "at offset 10, reading what comes next: functions in the form",
        ),
        (
            b"\xfa\x01a",
            "at offset 12, reading an AUX field: unexpected end of the file",
        ),
        (
            b"\x02\x01a\x81\x7f\xff\xff\xff\xff\xff\xff\xff",
            "at offset 21, reading a value of kind 2 of key 'a': unexpected end",
        ),
    ] {
        let text = refused(items);
        assert!(text.starts_with(want), "{text}");
    }
    for (file, want) in [
        (
            b"REDIS0099\xff".as_slice(),
            "RDB version 99 is not known here",
        ),
        (b"REDIS0000\xff", "RDB version 0 is not known here"),
        (b"REDIX0010\xff", "wrong signature"),
        (b"REDIS00x0\xff", "wrong signature"),
        (b"REDIS001", "unexpected end"),
        (b"REDIS0010\xff12345678", "checksum 3837363534333231, but"),
    ] {
        let error = load_bytes(file, true).err().expect("it is wrong");
        assert!(error.to_string().contains(want), "{error}");
    }
}

#[test]
fn old_and_odd_files() {
    // Before version 5 there was no checksum; expiries were in seconds.
    let file = b"REDIS0003\xfe\x00\xfd\x00\x00\x00\x01\x00\x01a\x01b\x02\x01e\x00\xff";
    let loaded = load_bytes(file, true).expect("an old file");
    let want = (
        Plain::Text(b"b".to_vec()),
        Some(0x0100_0000_i64 * 1000),
        Usage::Unknown,
    );
    assert_eq!(loaded.keys[&(0, b"a".to_vec())], want);
    assert_eq!(loaded.empty, 1);
    // No checksum was made; sizes of slots, and what follows the end, do not matter.
    let file = b"VALKEY080\xf4\x01\x02\x03\xff\0\0\0\0\0\0\0\0rest";
    assert!(load_bytes(file, true).expect("a good file").keys.is_empty());
}

/// Strings of more than a piece, and what comes behind them.
#[test]
fn long_strings() {
    let mut writer = FileWriter::new(Vec::new(), Target::Redis70, false);
    let mut rng = Rng::seeded(4);
    let mut want = Kept::new();
    for nth in 0..4 {
        let text: Vec<u8> = (0..700_000 * nth).map(|_| rng.next_u64() as u8).collect();
        let key = vec![b'k'; 1 + 300_000 * nth];
        let value = ValueRef::Str(&text);
        writer.pair(0, &key, value, None, Usage::Unknown, NOW);
        want.insert((0, key), (Plain::Text(text), None, Usage::Unknown));
    }
    let file = ended(writer);
    assert!(load_bytes(&file, true).expect("a good file").keys == want);
}
