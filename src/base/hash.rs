//! The keyed hash of the keyspace.
//!
//! Every process draws its own seed, so that nobody outside can prepare keys
//! that fall into one bucket. The top bits choose the shard and the table's
//! segment, the low ones the bucket and its tag, so all 64 bits must be good:
//! that is foldhash's `quality` variant. And what a look-up by hash ends with: the
//! comparison of two keys.

use std::hash::{BuildHasher, Hasher};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

/// Hashes keys with this process's seed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct KeyHasher(SeedableRandomState);

impl KeyHasher {
    /// A hasher with a seed from the operating system's randomness.
    pub fn random() -> Self {
        Self(SeedableRandomState::random())
    }

    /// A hasher whose results repeat from run to run, for tests.
    pub fn seeded(seed: u64) -> Self {
        Self(SeedableRandomState::with_seed(
            seed,
            SharedSeed::global_fixed(),
        ))
    }

    /// The 64-bit hash of `bytes`.
    #[inline]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }
}

/// Whether two keys are the same bytes: as `==`, but without a call for lengths that
/// most keys have.
#[inline]
pub fn same_key(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        4..8 => ends::<4>(a) == ends::<4>(b),
        8..16 => ends::<8>(a) == ends::<8>(b),
        16..=32 => ends::<16>(a) == ends::<16>(b),
        _ => a == b,
    }
}

/// The first and the last bytes, which between them are all of up to twice as many.
#[inline]
fn ends<const N: usize>(bytes: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    Some((bytes.first_chunk()?, bytes.last_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_same_if_all_bytes_are() {
        for len in 0..100usize {
            let key: Vec<u8> = (0..len as u8).collect();
            assert!(same_key(&key, &key.clone()));
            for at in 0..len {
                let mut other = key.clone();
                other[at] ^= 0x10;
                assert!(!same_key(&key, &other), "byte {at} of {len}");
            }
            assert!(!same_key(&key, &[&key[..], b"x"].concat()));
        }
    }

    #[test]
    fn same_seed_same_hash_other_seed_other_hash() {
        let (a, b) = (KeyHasher::seeded(1), KeyHasher::seeded(2));
        assert_eq!(a.hash(b"key"), a.hash(b"key"));
        assert_ne!(a.hash(b"key"), b.hash(b"key"));
        assert_ne!(a.hash(b"key"), a.hash(b"kez"));
    }

    #[test]
    fn top_bits_spread_over_shards() {
        let hasher = KeyHasher::seeded(7);
        let mut counts = [0u32; 64];
        for i in 0..64_000u32 {
            counts[(hasher.hash(format!("key:{i:012}").as_bytes()) >> 58) as usize] += 1;
        }
        assert!(
            counts.iter().all(|&c| (800..1200).contains(&c)),
            "{counts:?}"
        );
    }
}
