//! Kinds that no present server writes, byte by byte, and what must not be accepted.

use super::*;

fn accepted(object: &[u8], version: u16) -> Plain {
    let hasher = KeyHasher::seeded(1);
    let value = read(&enveloped(object, version), &hasher);
    plain(
        value
            .unwrap_or_else(|why| panic!("{}: {why}", object.escape_ascii()))
            .value(),
    )
}

fn refused(object: &[u8], version: u16) -> Error {
    let hasher = KeyHasher::seeded(1);
    match read(&enveloped(object, version), &hasher) {
        Ok(value) => panic!("{}: {:?}", object.escape_ascii(), plain(value.value())),
        Err(why) => why,
    }
}

fn list(items: &[&str]) -> Plain {
    Plain::List(items.iter().map(|item| item.as_bytes().to_vec()).collect())
}

fn hash(fields: &[(&str, &str, i64)]) -> Plain {
    let field = |(name, value, at): &(&str, &str, i64)| {
        (name.as_bytes().to_vec(), (value.as_bytes().to_vec(), *at))
    };
    Plain::Hash(fields.iter().map(field).collect())
}

fn zset(elements: &[(&str, f64)]) -> Plain {
    let element = |(member, score): &(&str, f64)| (member.as_bytes().to_vec(), *score);
    Plain::ZSet(elements.iter().map(element).collect())
}

/// A ziplist of `a` and 2.
const ZIPLIST: &[u8] = b"\x10\0\0\0\x0d\0\0\0\x02\0\x00\x01a\x03\xf3\xff";

fn with_ziplist(head: &[u8]) -> Vec<u8> {
    [head, &[ZIPLIST.len() as u8], ZIPLIST].concat()
}

#[test]
fn lists() {
    assert_eq!(accepted(b"\x01\x02\x01a\xc0\x05", 6), list(&["a", "5"]));
    assert_eq!(accepted(&with_ziplist(b"\x0a"), 6), list(&["a", "2"]));
    assert_eq!(accepted(&with_ziplist(b"\x0e\x01"), 7), list(&["a", "2"]));
    assert_eq!(refused(b"\x01\x00", 10), Error::Empty);
    assert_eq!(refused(b"\x12\x01\x03\x01a", 10), Error::Packed);
    assert_eq!(refused(b"\x01\x02\x01a", 10), Error::Truncated);
    assert_eq!(
        refused(b"\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff", 10),
        Error::Truncated
    );
}

#[test]
fn hashes() {
    let want = hash(&[("a", "2", NEVER)]);
    assert_eq!(accepted(&with_ziplist(b"\x0d"), 6), want);
    assert_eq!(accepted(b"\x04\x01\x01a\x012", 6), want);
    assert_eq!(accepted(b"\x09\x07\x01\x01a\x01\x002\xff", 2), want);
    assert_eq!(
        refused(b"\x04\x02\x01a\x012\x01a\x013", 6),
        Error::Duplicate
    );
    let twice = b"\x10\x11\x11\0\0\0\x04\0\x81a\x02\x01\x01\x81a\x02\x01\x01\xff";
    assert_eq!(refused(twice, 10), Error::Duplicate);
}

#[test]
fn hashes_with_deadlines() {
    let want = hash(&[("a", "1", 1005), ("b", "2", NEVER)]);
    let at = 1005i64.to_le_bytes();
    let metadata = [
        b"\x18".as_slice(),
        &at,
        b"\x02\x01\x01a\xc0\x01\x00\x01b\xc0\x02",
    ]
    .concat();
    assert_eq!(accepted(&metadata, 12), want);
    let candidate = b"\x16\x02\x43\xed\x01a\xc0\x01\x00\x01b\xc0\x02";
    assert_eq!(accepted(candidate, 12), want);
    let never = (-1i64).to_le_bytes();
    let valkey = [
        b"\x16\x02\x01a\xc0\x01".as_slice(),
        &at,
        b"\x01b\xc0\x02",
        &never,
    ]
    .concat();
    assert_eq!(accepted(&valkey, 80), want);
    let packed = b"\x19\x16\0\0\0\x06\0\x81a\x02\x01\x01\xc3\xed\x02\x81b\x02\x02\x01\x00\x01\xff";
    let pre = [b"\x17\x16".as_slice(), &packed[1..]].concat();
    assert_eq!(accepted(&pre, 12), want);
    let released = [b"\x19".as_slice(), &at, b"\x16", &packed[1..]].concat();
    assert_eq!(accepted(&released, 12), want);
    assert_eq!(refused(&released, 80), Error::Kind(25));
    let before = [b"\x18".as_slice(), &never, b"\x01\x01\x01a\xc0\x01"].concat();
    assert_eq!(refused(&before, 12), Error::Time);
}

#[test]
fn sets() {
    let set = |members: &[&str]| {
        Plain::Set(
            members
                .iter()
                .map(|member| member.as_bytes().to_vec())
                .collect(),
        )
    };
    assert_eq!(accepted(b"\x02\x02\x01a\xc0\x05", 6), set(&["a", "5"]));
    let ints = b"\x0b\x0c\x02\0\0\0\x02\0\0\0\xfe\xff\x05\x00";
    assert_eq!(accepted(ints, 6), set(&["-2", "5"]));
    assert_eq!(
        accepted(b"\x14\x0c\x0c\0\0\0\x02\0\x81a\x02\x05\x01\xff", 11),
        set(&["a", "5"])
    );
    let falling = b"\x0b\x0c\x02\0\0\0\x02\0\0\0\x05\x00\xfe\xff";
    assert_eq!(refused(falling, 6), Error::Packed);
    assert_eq!(refused(b"\x02\x02\x01a\x01a", 6), Error::Duplicate);
    let twice = b"\x14\x0d\x0d\0\0\0\x02\0\x81a\x02\x81a\x02\xff";
    assert_eq!(refused(twice, 11), Error::Duplicate);
}

#[test]
fn sorted_sets() {
    assert_eq!(accepted(&with_ziplist(b"\x0c"), 6), zset(&[("a", 2.0)]));
    let texts = b"\x03\x03\x01a\x031.5\x01b\xfe\x01c\xff";
    let infinity = f64::INFINITY;
    assert_eq!(
        accepted(texts, 6),
        zset(&[("c", -infinity), ("a", 1.5), ("b", infinity)])
    );
    assert_eq!(refused(b"\x03\x01\x01a\xfd", 6), Error::Score);
    let nan = [b"\x05\x01\x01a".as_slice(), &f64::NAN.to_le_bytes()].concat();
    assert_eq!(refused(&nan, 10), Error::Score);
    let one = 1f64.to_le_bytes();
    let twice = [b"\x05\x02\x01a".as_slice(), &one, b"\x01a", &one].concat();
    assert_eq!(refused(&twice, 10), Error::Duplicate);
}

/// A stream without entries, whose counter is `added`, with a group that has read `reads`
/// of them and was given the entry 1-1 `count` times.
fn stream_with(added: u64, reads: u64, count: u64) -> Vec<u8> {
    let number = |number: u64| [&[0x81], &number.to_be_bytes()[..]].concat();
    let id = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
    let at = NOW.to_le_bytes();
    [
        // No nodes, no entries; last, first and greatest deleted id.
        b"\x13\x00\x00\x01\x01\x00\x00\x01\x01".as_slice(),
        &number(added),
        b"\x01\x01g\x01\x01",
        &number(reads),
        b"\x01",
        &id,
        &at,
        &number(count),
        b"\x01\x01c",
        &at,
        b"\x01",
        &id,
    ]
    .concat()
}

/// What is told of `stream_with` by XINFO, and again once it was saved and loaded.
fn told_of(added: u64, reads: u64, count: u64) -> (Option<i64>, i64) {
    let hasher = KeyHasher::seeded(1);
    let told = |payload: &[u8]| {
        let value = read(payload, &hasher).expect("a stream");
        let ValueRef::Collection(CollectionRef::Stream(stream)) = value.value() else {
            panic!("a stream");
        };
        assert_eq!(stream.entries_added(), added);
        let group = stream.group(b"g").expect("its group");
        let pending = group.pending(StreamId::new(1, 1)).expect("its entry");
        let payload = payload::write(value.value(), NOW, Target::Redis70, false);
        ((group.entries_read, pending.count), payload)
    };
    let (first, payload) = told(&enveloped(&stream_with(added, reads, count), 10));
    let (second, _) = told(&payload);
    assert_eq!(first, second);
    first
}

/// Redis makes negative numbers of these, and shows and logs them.
#[test]
fn counters_of_streams_past_what_can_be_told() {
    let most = i64::MAX as u64;
    assert_eq!(told_of(7, 5, 3), (Some(5), 3));
    assert_eq!(told_of(most, most, most), (Some(i64::MAX), i64::MAX));
    assert_eq!(told_of(u64::MAX, most + 1, most + 1), (None, i64::MAX));
    assert_eq!(told_of(u64::MAX - 1, u64::MAX, u64::MAX), (None, i64::MAX));
}

#[test]
fn what_is_no_value() {
    assert_eq!(refused(b"\x08", 10), Error::Kind(8));
    assert_eq!(refused(b"\xfc", 10), Error::Kind(252));
    assert_eq!(refused(b"\0\x01ab", 10), Error::Trailing);
    assert_eq!(refused(b"", 10), Error::Truncated);
    assert_eq!(
        refused(b"\0\xc3\x05\x80\xff\xff\xff\xffhello", 10),
        Error::Compression
    );
    let id = b"\x07\x81\x25\x58\x53\x4f\x05\xb0\x90\x00";
    let Error::Module(name) = refused(id, 10) else {
        panic!("a module's value");
    };
    assert!(name.is_ascii());
}
