//! Random members: one, several different ones, and taking them out.
//!
//! Every choice of that many members is equally likely. A small set is passed once,
//! each member chosen with the probability that the rest of the choice has left
//! (selection sampling); a large one is drawn from, unless so many are asked for
//! that draws would meet the same members again and again.

use std::collections::HashSet;

use crate::base::rng::Rng;
use crate::ds::member::Member;
use crate::ds::packed::{Elem, Packed, Value};

use super::{Item, Repr, Rules, Set};

/// A choice of more than a third of a large set passes all of it, as in Redis.
const DRAWN_PART: usize = 3;

/// Taking all but a fifth or less builds a new set of the rest, as in Redis.
const KEPT_PART: usize = 5;

/// A member that was taken out.
#[derive(Debug)]
pub enum Taken {
    Value(Value),
    Member(Member),
}

impl Taken {
    /// What it was; a number may come as text.
    #[inline]
    pub fn elem(&self) -> Elem<'_> {
        match self {
            Taken::Value(value) => value.as_elem(),
            Taken::Member(member) => Elem::Str(member.bytes()),
        }
    }
}

/// Selection sampling: says of each of `left` things in turn whether it is one of
/// the `wanted`.
struct Selection {
    wanted: usize,
    left: usize,
}

impl Selection {
    fn takes_next(&mut self, rng: &mut Rng) -> bool {
        let taken = rng.below(self.left as u64) < self.wanted as u64;
        self.left -= 1;
        self.wanted -= usize::from(taken);
        taken
    }
}

fn index_below(len: usize, rng: &mut Rng) -> usize {
    rng.below(len as u64) as usize
}

impl Set {
    /// A random member. O(1), or O(bytes) for a listpack.
    pub fn random(&self, rng: &mut Rng) -> Option<Item<'_>> {
        if self.is_empty() {
            return None;
        }
        match &self.repr {
            Repr::Ints(ints) => {
                let value = ints.get(index_below(ints.len(), rng))?;
                Some(Item::Elem(Elem::Int(value)))
            }
            Repr::Packed(packed) => {
                let at = packed.index(index_below(packed.len(), rng) as i64)?;
                Some(Item::Elem(packed.get(at)))
            }
            Repr::Large(large) => large.random(rng).map(Item::Held),
        }
    }

    /// `count` different members at random, or all if there are fewer. O(count) or
    /// O(N), whichever is less, up to a factor.
    pub fn choose(&self, count: usize, rng: &mut Rng) -> Vec<Item<'_>> {
        if let Repr::Large(large) = &self.repr
            && count.saturating_mul(DRAWN_PART) <= large.len()
        {
            let mut seen = HashSet::with_capacity(count);
            let draws = std::iter::from_fn(|| large.random(rng));
            let fresh = draws.filter(|member| seen.insert(member.bytes().as_ptr()));
            return fresh.take(count).map(Item::Held).collect();
        }
        let mut selection = Selection {
            wanted: count.min(self.len()),
            left: self.len(),
        };
        let chosen = self.iter().filter(|_| selection.takes_next(rng));
        chosen.collect()
    }

    /// Hands `count` random members to `each`, any of them perhaps several times;
    /// none of an empty set. O(count), and O(bytes) for a small set.
    pub fn draw(&self, count: usize, rng: &mut Rng, mut each: impl FnMut(Elem<'_>)) {
        if self.is_empty() {
            return;
        }
        if let Repr::Large(large) = &self.repr {
            let draws = std::iter::from_fn(|| large.random(rng)).take(count);
            return draws.for_each(|member| each(Elem::Str(member.bytes())));
        }
        let all: Vec<Item<'_>> = self.iter().collect();
        (0..count).for_each(|_| each(all[index_below(all.len(), rng)].elem()));
    }

    /// Takes out a random member and hands it to `read`. O(1), or O(bytes) for a
    /// small set.
    #[inline]
    pub fn take_random<R>(&mut self, rng: &mut Rng, read: impl FnOnce(Elem<'_>) -> R) -> Option<R> {
        if self.is_empty() {
            return None;
        }
        match &mut self.repr {
            Repr::Large(large) => {
                let member = large.take_random(rng)?;
                Some(read(Elem::Str(member.bytes())))
            }
            Repr::Ints(ints) => {
                let value = ints.get(index_below(ints.len(), rng))?;
                ints.remove(value);
                Some(read(Elem::Int(value)))
            }
            Repr::Packed(packed) => {
                let at = packed.index(index_below(packed.len(), rng) as i64)?;
                let result = read(packed.get(at));
                packed.remove(at);
                Some(result)
            }
        }
    }

    /// Takes out `count` random members, or all if there are fewer. O(count), or
    /// O(bytes) for a small set.
    pub fn take_many(&mut self, count: usize, rng: &mut Rng) -> Vec<Taken> {
        let len = self.len();
        let mut selection = Selection {
            wanted: count.min(len),
            left: len,
        };
        let mut taken = Vec::with_capacity(selection.wanted);
        match &mut self.repr {
            Repr::Ints(ints) => {
                for value in ints.clone().iter() {
                    if selection.takes_next(rng) {
                        ints.remove(value);
                        taken.push(Taken::Value(Value::Int(value)));
                    }
                }
            }
            Repr::Packed(packed) => {
                packed.retain(|elem| {
                    let takes = selection.takes_next(rng);
                    if takes {
                        taken.push(Taken::Value(elem.to_value()));
                    }
                    !takes
                });
            }
            Repr::Large(large) => {
                let draws = std::iter::from_fn(|| large.take_random(rng));
                taken.extend(draws.take(count).map(Taken::Member));
            }
        }
        taken
    }

    /// Ends a [`Set::take_many`] of `count` members as Redis does: where only a
    /// small part is left, it becomes a new set, which may be kept in less.
    pub fn settle_after_taking(&mut self, count: usize, rules: Rules<'_>) {
        let few = self.len().saturating_mul(KEPT_PART) <= count;
        if let Repr::Large(large) = &self.repr
            && few
            && !rules.is_beyond_small(large.len())
        {
            let mut rest = Set::from(Packed::new());
            large.iter().for_each(|member| {
                rest.add(member.bytes(), rules);
            });
            *self = rest;
        }
    }
}
