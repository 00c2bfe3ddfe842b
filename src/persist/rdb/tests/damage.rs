//! Damaged payloads under a right checksum: bits turned over, ends cut off, bytes put in
//! at random. None of it panics; what is accepted can be read completely and is not
//! larger than its bytes justify.

use super::*;

/// Bytes of memory that one byte of a payload may become: 88 by compression, times the
/// smallest entry of a table.
const GROWTH_MAX: usize = 88 * 48;
/// What a value may take whatever its payload.
const BASE_BYTES: usize = 16 << 10;

fn mem_bytes(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Collection(value) => value.mem_bytes(),
        ValueRef::Shared(text) => text.len(),
        _ => 0,
    }
}

fn damaged(object: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bad = object.to_vec();
    for _ in 0..=rng.below(3) {
        let at = rng.below(bad.len() as u64) as usize;
        match rng.below(5) {
            0 => bad.truncate(at.max(1)),
            1 => bad[at] = rng.next_u64() as u8,
            2 => bad.insert(at, rng.next_u64() as u8),
            _ => bad[at] ^= 1 << rng.below(8),
        }
    }
    bad
}

fn survives(object: &[u8], version: u16, hasher: &KeyHasher) -> bool {
    let Ok(value) = read(&enveloped(object, version), hasher) else {
        return false;
    };
    plain(value.value());
    let bound = BASE_BYTES + object.len() * GROWTH_MAX;
    assert!(
        mem_bytes(value.value()) <= bound,
        "{}",
        object.escape_ascii()
    );
    // What was accepted can be written and read again.
    let payload = payload::write(value.value(), i64::MIN, Target::default(), true);
    let again = read(&payload, hasher).expect("a value that was accepted");
    assert_eq!(plain(again.value()), plain(value.value()));
    true
}

#[test]
fn damage_does_no_harm() {
    let seed = std::env::var("FLASHKV_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| Rng::random().next_u64());
    println!("damage_does_no_harm: FLASHKV_SEED={seed}");
    let (mut rng, hasher) = (Rng::seeded(seed), KeyHasher::seeded(1));
    let mut accepted = 0;
    for nth in 0..300 {
        let value = value(&mut rng, nth, &layout(&hasher));
        let target = TARGETS[rng.below(4) as usize];
        let compress = rng.below(2) == 0;
        let payload = payload::write(value.value(), NOW, target, compress);
        let object = &payload[..payload.len() - 10];
        for _ in 0..40 {
            let bad = damaged(object, &mut rng);
            accepted += usize::from(survives(&bad, target.version(), &hasher));
        }
    }
    assert!(accepted > 0, "some damage makes another value");
}

#[test]
fn random_bytes_do_no_harm() {
    let seed = Rng::random().next_u64();
    println!("random_bytes_do_no_harm: seed {seed}");
    let (mut rng, hasher) = (Rng::seeded(seed), KeyHasher::seeded(1));
    for _ in 0..30_000 {
        let mut object = vec![rng.below(27) as u8];
        let byte = |rng: &mut Rng| match rng.below(3) {
            0 => rng.below(4) as u8,
            _ => rng.next_u64() as u8,
        };
        for _ in 0..rng.below(80) {
            object.push(byte(&mut rng));
        }
        for version in [10, 12, 80] {
            survives(&object, version, &hasher);
        }
    }
}
