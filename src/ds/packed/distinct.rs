//! Whether elements from outside differ from one another.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;

use super::Elem;

/// Whether no text is there twice. O(N log N), eight bytes for each.
pub fn distinct<'a>(elems: impl Iterator<Item = Elem<'a>> + Clone) -> bool {
    let state = RandomState::default();
    let hash = |elem: Elem<'_>| {
        let mut hasher = state.build_hasher();
        elem.with_bytes(|text| hasher.write(text));
        hasher.finish()
    };
    let mut hashes: Vec<u64> = elems.clone().map(hash).collect();
    hashes.sort_unstable();
    let mut twice = hashes.windows(2).filter(|pair| pair[0] == pair[1]);
    // Different texts of one hash are all but impossible; they are looked at so that
    // nothing depends on that.
    twice.all(|pair| {
        let mut same = elems.clone().filter(|&elem| hash(elem) == pair[0]);
        let first = same.next();
        same.all(|elem| Some(elem) != first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_is_noticed() {
        let elems = [Elem::Int(1), Elem::Str(b"a"), Elem::Int(2)];
        assert!(distinct(elems.into_iter()));
        assert!(!distinct(elems.into_iter().chain([Elem::Str(b"a")])));
    }
}
