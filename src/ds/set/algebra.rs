//! Intersection, union and difference of several sets.
//!
//! Where sets hash alike they are in the same order, so that walking one and looking
//! up in another goes through both from start to end, and finds the other's lines in
//! the cache.

use super::{Item, Iter, Repr, Rules, Set};

/// The members that all of some sets have, in the order of the smallest.
pub struct Intersection<'a> {
    smallest: Iter<'a>,
    others: Vec<&'a Set>,
}

impl<'a> Intersection<'a> {
    /// Of these sets; nothing of none. O(sets); to the end O(N * sets) for the N
    /// members of the smallest.
    pub fn of(sets: &[&'a Set]) -> Option<Intersection<'a>> {
        let mut others = sets.to_vec();
        // Small ones first: they refuse the most.
        others.sort_by_key(|set| set.len());
        let smallest = *others.first()?;
        others.remove(0);
        others.retain(|set| !std::ptr::eq(*set, smallest));
        Some(Intersection {
            smallest: smallest.iter(),
            others,
        })
    }
}

impl<'a> Iterator for Intersection<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        let others = &self.others;
        (self.smallest).find(|item| others.iter().all(|set| set.contains_elem(item.elem())))
    }
}

/// All members of these sets. O(members of all but the largest), which the result
/// shares as far as it can, or O(members of all) if they are few.
pub fn union(sets: &[&Set], rules: Rules<'_>) -> Set {
    let largest = sets.iter().max_by_key(|set| set.len());
    let Some(largest) = largest.filter(|set| rules.is_beyond_small(set.len())) else {
        return Set::gather(sets.iter().flat_map(|set| set.iter()), rules);
    };
    let mut all = match largest.repr {
        Repr::Large(_) => largest.image(),
        _ => Set::gather(largest.iter(), rules),
    };
    for set in sets.iter().filter(|set| !std::ptr::eq(**set, *largest)) {
        add_all(&mut all, set, rules);
    }
    all
}

fn add_all(all: &mut Set, set: &Set, rules: Rules<'_>) {
    for member in set {
        member.elem().with_bytes(|text| all.add(text, rules));
    }
}

/// Which way a difference is computed, after its costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Each member of the first is looked up in the others: little work where the
    /// first is small.
    LookUp,
    /// The members of the others are removed from an image of the first.
    Remove,
}

impl Difference {
    /// The cheaper way for these, and its cost in members handled. A look-up is
    /// expected to end half way, by the second set that is asked.
    pub fn plan(first: &Set, others: &[&Set]) -> (Difference, usize) {
        let look_up = first.len() * (others.len() + 1);
        let all: usize = others.iter().map(|set| set.len()).sum();
        let remove = first.len() + all;
        if look_up / 2 <= remove {
            (Difference::LookUp, look_up)
        } else {
            (Difference::Remove, remove)
        }
    }
}

/// The members of `first` that none of the others has.
pub fn difference(first: &Set, others: &[&Set], rules: Rules<'_>) -> Set {
    if others.iter().any(|set| std::ptr::eq(*set, first)) {
        return Set::new();
    }
    match Difference::plan(first, others).0 {
        Difference::LookUp => {
            let absent = |item: &Item<'_>| !others.iter().any(|set| set.contains_elem(item.elem()));
            Set::gather(first.iter().filter(absent), rules)
        }
        Difference::Remove => {
            let mut rest = first.image();
            for set in others {
                for member in *set {
                    member.elem().with_bytes(|text| rest.remove(text));
                }
            }
            // What is left may be few enough to be kept in less.
            if rules.is_beyond_small(rest.len()) {
                return rest;
            }
            Set::gather(rest.iter(), rules)
        }
    }
}
