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
