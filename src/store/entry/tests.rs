//! Entries against a plain model, at the edges of their layout.

use super::*;
use crate::base::rng::Rng;
use crate::ds::list::{End, Limit, List};

/// What an entry should be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Plain {
    key: Vec<u8>,
    held: Held,
    expire: Option<Millis>,
    stamp: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    Text(Vec<u8>),
    List(Vec<Vec<u8>>),
}

fn seed(test: &str) -> u64 {
    let seed = (std::env::var("FLASHKV_SEED").ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| Rng::random().next_u64());
    println!("{test}: FLASHKV_SEED={seed}");
    seed
}

fn plain(entry: &Entry) -> Plain {
    let held = match entry.value() {
        ValueRef::Int(int) => Held::Text(int.to_string().into_bytes()),
        ValueRef::Str(text) => Held::Text(text.to_vec()),
        ValueRef::Shared(text) => Held::Text(text.to_vec()),
        ValueRef::Collection(CollectionRef::List(list)) => {
            Held::List(list.iter().map(|elem| elem.to_vec()).collect())
        }
        ValueRef::Collection(_) => unreachable!("no other type is stored here"),
    };
    Plain {
        key: entry.key().to_vec(),
        held,
        expire: entry.expire_at(),
        stamp: entry.stamp(),
    }
}

const LENGTHS: [u64; 12] = [0, 1, 7, 8, 9, 191, 192, 193, 254, 255, 256, 300];

fn bytes(rng: &mut Rng) -> Vec<u8> {
    let len = LENGTHS[rng.below(LENGTHS.len() as u64) as usize];
    let byte = b'a' + rng.below(26) as u8;
    vec![byte; len as usize]
}

fn text(rng: &mut Rng) -> Vec<u8> {
    match rng.below(4) {
        0 => (rng.next_u64() as i64).to_string().into_bytes(),
        1 => rng.below(100).to_string().into_bytes(),
        _ => bytes(rng),
    }
}

fn list_of(texts: &[Vec<u8>]) -> List {
    let mut list = List::new();
    let limit = Limit::from_config(4);
    texts
        .iter()
        .for_each(|text| list.push(End::Tail, text, limit));
    list
}

fn held(rng: &mut Rng) -> Held {
    match rng.below(4) {
        0 => Held::List((0..1 + rng.below(20)).map(|_| text(rng)).collect()),
        _ => Held::Text(text(rng)),
    }
}

/// The value in one of the forms in which it may come.
fn new_value<'a>(rng: &mut Rng, held: &'a Held) -> NewValue<'a> {
    match held {
        Held::List(texts) => NewValue::collection(list_of(texts)),
        Held::Text(text) => match rng.below(3) {
            0 => NewValue::Text(text),
            1 if text.len() > INLINE_MAX => NewValue::Shared(Bytes::copy_from_slice(text)),
            _ => NewValue::Str(text),
        },
    }
}

fn expire(rng: &mut Rng) -> Option<Millis> {
    (rng.below(2) == 0).then(|| rng.next_u64() as i64 >> 1)
}

fn fresh(rng: &mut Rng) -> (Entry, Plain) {
    let want = Plain {
        key: bytes(rng),
        held: held(rng),
        expire: expire(rng),
        stamp: rng.below(1 << 24) as u32,
    };
    let value = new_value(rng, &want.held);
    let entry = Entry::new(&want.key, value, want.expire, want.stamp);
    (entry, want)
}

/// Changes entry and model alike.
fn step(rng: &mut Rng, mut entry: Entry, want: &mut Plain) -> Entry {
    match rng.below(8) {
        0 | 1 => {
            want.held = held(rng);
            drop(entry.set_value(new_value(rng, &want.held)));
        }
        2 => {
            want.expire = expire(rng);
            entry.set_expire(want.expire);
        }
        3 => edit(rng, &mut entry, want),
        4 => {
            want.key = bytes(rng);
            entry = entry.renamed(&want.key);
        }
        5 => {
            want.key = bytes(rng);
            // The original goes, or the copy outlives nothing it shares.
            entry = entry.copied(&want.key);
        }
        6 => {
            want.stamp = rng.below(1 << 24) as u32;
            entry.touch(want.stamp);
        }
        _ => {
            let int = rng.next_u64() as i64;
            if entry.set_int(int) {
                want.held = Held::Text(int.to_string().into_bytes());
            }
        }
    }
    entry
}

fn edit(rng: &mut Rng, entry: &mut Entry, want: &mut Plain) {
    let added = bytes(rng);
    // Sometimes a reader still holds the old bytes, which must not change.
    let reader = match entry.value() {
        ValueRef::Shared(bytes) if rng.below(2) == 0 => Some((bytes.clone(), bytes.to_vec())),
        _ => None,
    };
    let edited = entry.edit_string(|text| text.extend_from_slice(&added));
    match &mut want.held {
        Held::Text(text) => {
            assert!(edited.is_some());
            text.extend_from_slice(&added);
            assert_eq!(entry.encoding(), "raw");
        }
        Held::List(_) => assert!(edited.is_none()),
    }
    if let Some((bytes, before)) = reader {
        assert_eq!(bytes, before);
    }
}

const ROUNDS: usize = if cfg!(miri) { 6 } else { 300 };

#[test]
fn agrees_with_a_plain_model() {
    let mut rng = Rng::seeded(seed("agrees_with_a_plain_model"));
    for _ in 0..ROUNDS {
        let (mut entry, mut want) = fresh(&mut rng);
        for _ in 0..40 {
            entry = step(&mut rng, entry, &mut want);
            assert_eq!(plain(&entry), want);
            assert_eq!(entry.size() % GRAIN, 0);
            assert!(entry.mem_bytes() >= entry.size());
        }
    }
}

#[test]
fn a_copy_is_apart_from_its_original() {
    let mut rng = Rng::seeded(seed("a_copy_is_apart_from_its_original"));
    for _ in 0..ROUNDS {
        let (mut entry, mut want) = fresh(&mut rng);
        let copy = entry.copied(b"copy");
        let copied = plain(&copy);
        entry.edit_string(|text| text.extend_from_slice(b"more"));
        if let Some(list) = entry.get_mut::<List>() {
            list.push(End::Head, b"more", Limit::from_config(4));
        }
        entry = step(&mut rng, entry, &mut want);
        drop(entry);
        assert_eq!(plain(&copy), copied);
    }
}

#[test]
fn encodings_by_length() {
    for (text, want) in [
        ("12", "int"),
        ("012", "embstr"),
        ("-9223372036854775808", "int"),
        ("9223372036854775808", "embstr"),
    ] {
        let entry = Entry::new(b"k", NewValue::Str(text.as_bytes()), None, 0);
        assert_eq!(entry.encoding(), want, "{text}");
    }
    for (len, want) in [(44, "embstr"), (45, "raw"), (192, "raw"), (193, "raw")] {
        let text = vec![b'x'; len];
        let entry = Entry::new(b"k", NewValue::Str(&text), None, 0);
        assert_eq!(entry.encoding(), want, "{len}");
        assert_eq!(matches!(entry.value(), ValueRef::Str(_)), len <= INLINE_MAX);
    }
    let kept = Entry::new(b"k", NewValue::Text(b"12"), None, 0);
    assert_eq!(kept.encoding(), "embstr");
}

#[test]
fn a_large_value_is_handed_out_when_it_is_replaced() {
    let texts: Vec<Vec<u8>> = (0..100).map(|i| vec![b'x'; i]).collect();
    let mut entry = Entry::new(b"k", NewValue::collection(list_of(&texts)), None, 0);
    let old = entry.set_value(NewValue::Int(1)).expect("the list");
    assert_eq!(plain(&old).held, Held::List(texts));
    assert!(entry.set_value(NewValue::Int(2)).is_none());
}
