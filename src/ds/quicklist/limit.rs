//! How large one node may get: the meaning of `list-max-listpack-size`.

/// The sizes that -1 to -5 stand for, in bytes.
const SIZES: [usize; 5] = [4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10];

/// A limit by count holds for elements of any size, so nodes are also kept
/// to this many bytes.
const SAFETY_BYTES: usize = 8 << 10;

/// The limits of one node, in bytes of its listpack and in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    bytes: usize,
    count: usize,
}

impl Limit {
    /// The limit that a configured value names: -1 to -5 are 4, 8, 16, 32 and
    /// 64 KB, a positive one is a number of elements (in at most 8 KB). Lower
    /// values count as -5 and 0 as 1, as in Redis.
    pub fn from_config(value: i32) -> Limit {
        match usize::try_from(value) {
            Ok(count) => Limit {
                bytes: SAFETY_BYTES,
                count: count.max(1),
            },
            Err(_) => {
                let step = value.unsigned_abs() as usize - 1;
                Limit {
                    bytes: SIZES[step.min(SIZES.len() - 1)],
                    count: usize::MAX,
                }
            }
        }
    }

    /// Whether a node may have this listpack size and this many elements.
    #[inline]
    pub fn allows(self, bytes: usize, count: usize) -> bool {
        bytes <= self.bytes && count <= self.count
    }

    /// Whether an element of this length gets a node of its own.
    #[inline]
    pub fn is_huge(self, element_bytes: usize) -> bool {
        element_bytes > self.bytes
    }

    /// The limit below which a lone node becomes a plain listpack again: half
    /// of what is configured, so that a list at the limit does not convert to
    /// and fro. A limit by count looks at the count alone, as Redis does.
    pub fn halved(self) -> Limit {
        if self.count == usize::MAX {
            Limit {
                bytes: self.bytes / 2,
                ..self
            }
        } else {
            Limit {
                bytes: usize::MAX,
                count: self.count / 2,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configured_values_mean_what_redis_says() {
        let sizes = [
            (-1, 4),
            (-2, 8),
            (-3, 16),
            (-4, 32),
            (-5, 64),
            (-6, 64),
            (i32::MIN, 64),
        ];
        for (value, kilobytes) in sizes {
            let limit = Limit::from_config(value);
            assert!(limit.allows(kilobytes << 10, 1_000_000), "{value}");
            assert!(!limit.allows((kilobytes << 10) + 1, 1), "{value}");
            assert!(limit.is_huge((kilobytes << 10) + 1) && !limit.is_huge(kilobytes << 10));
        }
        for (value, count) in [(0, 1), (1, 1), (128, 128), (i32::MAX, i32::MAX as usize)] {
            let limit = Limit::from_config(value);
            assert!(
                limit.allows(8 << 10, count) && !limit.allows(1, count + 1),
                "{value}"
            );
            assert!(!limit.allows((8 << 10) + 1, 1) && limit.is_huge((8 << 10) + 1));
        }
    }

    #[test]
    fn half_of_a_limit() {
        let by_size = Limit::from_config(-2).halved();
        assert!(by_size.allows(4 << 10, 9_999) && !by_size.allows((4 << 10) + 1, 1));
        let by_count = Limit::from_config(5).halved();
        assert!(by_count.allows(9_999, 2) && !by_count.allows(1, 3));
        assert!(!Limit::from_config(1).halved().allows(1, 1));
    }
}
