//! Randomness comes in through the door: one small generator per executor,
//! seeded by whoever builds it, so that a seed replays everything.

/// A seedable pseudo-random generator; not for secrets.
#[derive(Clone, Debug)]
pub struct Rng(fastrand::Rng);

impl Rng {
    /// A generator seeded from the operating system's randomness.
    pub fn random() -> Self {
        Self(fastrand::Rng::new())
    }

    /// A generator that repeats its sequence for the same `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// A uniform number in `0..bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.u64(0..bound) }
    }

    /// `len` random lowercase hexadecimal digits, as in Redis's run id.
    pub fn hex(&mut self, len: usize) -> String {
        (0..len)
            .map(|_| char::from(b"0123456789abcdef"[self.0.usize(0..16)]))
            .collect()
    }
}
