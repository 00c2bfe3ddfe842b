//! Unions, intersections and differences of sorted sets, and what is stored of them.
//!
//! Little work is done where the sets stand, under the locks. Much is done on images,
//! with the locks given back: nobody waits for a union of millions. A result that is to
//! be stored must belong to one moment ([`Db::aside`]).
//!
//! An image knows no look-up by member. What Redis does by looking up each member of
//! the smallest set, an image's reader does by walking all sets past a table of the
//! smallest. Where that would be far more steps, the look-ups are done under the locks:
//! they are few then.
//!
//! Plain sets may stand among the sources, their members all with the score 1.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::ops::Range;

use foldhash::quality::RandomState;

use super::{Slice, signed_range};
use crate::ds::packed::Elem;
use crate::ds::set::{Item, Set};
use crate::ds::zset::{Entry, Limits, ZSet};
use crate::store::collection::Held;
use crate::store::db::Db;
use crate::store::dict::Key;
use crate::store::error::Error;

/// Steps over images that are taken instead of one look-up under the locks.
const STEPS_PER_LOOKUP: usize = 16;

/// What is made of several sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Union,
    Inter,
    Diff,
}

impl Op {
    fn store_event(self) -> &'static str {
        match self {
            Op::Union => "zunionstore",
            Op::Inter => "zinterstore",
            Op::Diff => "zdiffstore",
        }
    }
}

/// What becomes of the scores of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn apply(self, score: f64, other: f64) -> f64 {
        match self {
            Aggregate::Sum => number(score + other),
            Aggregate::Min if other < score => other,
            Aggregate::Max if other > score => other,
            Aggregate::Min | Aggregate::Max => score,
        }
    }
}

/// Infinities that cancel each other count as nothing.
fn number(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// What to combine, and how.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    pub op: Op,
    pub keys: &'a [Key<'a>],
    /// One for each key.
    pub weights: &'a [f64],
    pub aggregate: Aggregate,
    /// How many members are wanted at least, of those an intersection has.
    pub limit: usize,
}

impl Plan<'_> {
    /// Look-ups for sources of these sizes.
    fn lookups(&self, lens: &[usize]) -> usize {
        let base = match self.op {
            Op::Union => return lens.iter().sum(),
            Op::Inter => lens.iter().min().copied(),
            Op::Diff => lens.first().copied(),
        };
        base.unwrap_or(0).saturating_mul(lens.len())
    }
}

/// Members with their scores.
pub type Combined<'a> = Vec<(f64, Cow<'a, [u8]>)>;

/// The score of each member of a plain set.
const PLAIN_SCORE: f64 = 1.0;

/// What may be a source: a sorted set or a plain one.
#[derive(Clone, Copy)]
enum Either<Z, S> {
    ZSet(Z),
    Set(S),
}

/// A source as it is read: where it stands, or an image.
type Source<'a> = Either<&'a ZSet, &'a Set>;
/// A source where it stands.
type Standing<'a> = Either<Held<'a, ZSet>, Held<'a, Set>>;
/// The image of a source.
type Image = Either<ZSet, Set>;

impl<'a> Source<'a> {
    fn len(self) -> usize {
        match self {
            Source::ZSet(zset) => zset.len(),
            Source::Set(set) => set.len(),
        }
    }

    /// The members with their scores, in an order of the source's own.
    fn iter(self) -> impl Iterator<Item = (f64, Item<'a>)> {
        let (zset, set) = match self {
            Source::ZSet(zset) => (Some(zset), None),
            Source::Set(set) => (None, Some(set)),
        };
        let scored = zset.into_iter().flat_map(ZSet::iter);
        let plain = set.into_iter().flat_map(Set::iter);
        scored
            .map(|entry| (entry.score, Item::Elem(entry.member)))
            .chain(plain.map(|member| (PLAIN_SCORE, member)))
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Source::ZSet(zset) => zset.score(member),
            Source::Set(set) => set.contains(member).then_some(PLAIN_SCORE),
        }
    }

    fn image(self) -> Image {
        match self {
            Source::ZSet(zset) => Image::ZSet(zset.image()),
            Source::Set(set) => Image::Set(set.image()),
        }
    }

    /// Whether nothing has changed since `image` was taken.
    fn is_as(self, image: &Image) -> bool {
        match (self, image) {
            (Source::ZSet(zset), Image::ZSet(image)) => zset.is_as(image),
            (Source::Set(set), Image::Set(image)) => set.is_as(image),
            _ => false,
        }
    }
}

impl Standing<'_> {
    fn source(&self) -> Source<'_> {
        match self {
            Standing::ZSet(zset) => Source::ZSet(zset),
            Standing::Set(set) => Source::Set(set),
        }
    }
}

impl Image {
    fn source(&self) -> Source<'_> {
        match self {
            Image::ZSet(zset) => Source::ZSet(zset),
            Image::Set(set) => Source::Set(set),
        }
    }
}

/// Sources where they stand.
fn standing<'a>(held: &'a [Option<Standing<'_>>]) -> Vec<Option<Source<'a>>> {
    let sources = held.iter().map(Option::as_ref);
    sources.map(|held| held.map(Standing::source)).collect()
}

/// Sources of which images were taken.
fn imaged(images: &[Option<Image>]) -> Vec<Option<Source<'_>>> {
    let sources = images.iter().map(Option::as_ref);
    sources.map(|image| image.map(Image::source)).collect()
}

/// The sorted set that is the only source; plain sets will not do.
fn only_zset<'a>(sources: &[Option<Source<'a>>]) -> Result<Option<&'a ZSet>, Error> {
    match sources {
        [Some(Source::ZSet(zset))] => Ok(Some(zset)),
        [Some(Source::Set(_))] => Err(Error::WrongType),
        _ => Ok(None),
    }
}

/// How members are found in other sources.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One by one.
    LookUp,
    /// By walking the other sources past a table.
    Walk,
}

impl Db<'_> {
    /// Refuses keys that are no sources.
    pub fn zset_sources(&self, keys: &[Key<'_>]) -> Result<(), Error> {
        self.zset_held(keys).map(drop)
    }

    fn zset_held(&self, keys: &[Key<'_>]) -> Result<Vec<Option<Standing<'_>>>, Error> {
        keys.iter().map(|key| self.zset_source(*key)).collect()
    }

    fn zset_source(&self, key: Key<'_>) -> Result<Option<Standing<'_>>, Error> {
        match self.peek_collection(key) {
            Err(Error::WrongType) => Ok(self.peek_collection(key)?.map(Standing::Set)),
            found => Ok(found?.map(Standing::ZSet)),
        }
    }

    fn zset_images(&self, keys: &[Key<'_>]) -> Result<Vec<Option<Image>>, Error> {
        let held = self.zset_held(keys)?;
        let sources = standing(&held).into_iter();
        Ok(sources.map(|source| source.map(Source::image)).collect())
    }

    /// Whether the keys hold what they held when the images were taken.
    fn zset_unchanged(&self, keys: &[Key<'_>], images: &[Option<Image>]) -> bool {
        let Ok(held) = self.zset_held(keys) else {
            return false;
        };
        (standing(&held).into_iter().zip(images)).all(|pair| match pair {
            (Some(source), Some(image)) => source.is_as(image),
            (None, None) => true,
            _ => false,
        })
    }

    /// How many look-ups the combination takes where the sets stand; counts the sources
    /// as read.
    pub fn zset_cost(&mut self, plan: &Plan<'_>) -> Result<usize, Error> {
        for key in plan.keys {
            self.read(*key);
        }
        Ok(plan.lookups(&self.zset_lens(plan.keys)?))
    }

    fn zset_lens(&self, keys: &[Key<'_>]) -> Result<Vec<usize>, Error> {
        let held = self.zset_held(keys)?;
        let sources = standing(&held).into_iter();
        Ok(sources
            .map(|source| source.map_or(0, Source::len))
            .collect())
    }

    /// Whether walking images takes at most so many more steps than look-ups.
    fn zset_walks(&self, plan: &Plan<'_>) -> Result<bool, Error> {
        let lens = self.zset_lens(plan.keys)?;
        let steps: usize = lens.iter().sum();
        Ok(steps / STEPS_PER_LOOKUP <= plan.lookups(&lens))
    }

    /// Combines and hands the result to `read`. With `much`, on images and without the
    /// locks, if that does not take too many more steps.
    pub fn zset_combine<R>(
        &mut self,
        plan: &Plan<'_>,
        much: bool,
        read: impl FnOnce(&Combined<'_>) -> R,
    ) -> Result<R, Error> {
        if much && self.zset_walks(plan)? {
            let images = self.zset_images(plan.keys)?;
            self.release();
            return Ok(read(&combine(plan, &imaged(&images), Way::Walk)));
        }
        self.zset_combine_here(plan, read)
    }

    fn zset_combine_here<R>(
        &self,
        plan: &Plan<'_>,
        read: impl FnOnce(&Combined<'_>) -> R,
    ) -> Result<R, Error> {
        let held = self.zset_held(plan.keys)?;
        Ok(read(&combine(plan, &standing(&held), Way::LookUp)))
    }

    /// Combines and stores the result under `to`; how many elements it has.
    pub fn zset_store_combined(
        &mut self,
        to: Key<'_>,
        plan: &Plan<'_>,
        limits: Limits,
        much: bool,
    ) -> Result<usize, Error> {
        let much = much && self.zset_walks(plan)?;
        let made = self.zset_made(plan.keys, much, |sources, way| {
            Ok(ZSet::from_sorted(&combine(plan, sources, way), limits))
        })?;
        Ok(self.zset_put(to, made, plan.op.store_event()))
    }

    /// Stores elements of `from` under `to`, with the scores they are given; how many
    /// there are. With `much`, they are chosen from an image.
    pub fn zset_store_chosen(
        &mut self,
        (from, to): (Key<'_>, Key<'_>),
        event: &'static str,
        limits: Limits,
        much: bool,
        choose: impl Fn(&ZSet) -> Combined<'_>,
    ) -> Result<usize, Error> {
        self.read(from);
        let made = self.zset_made(&[from], much, |sources, _| {
            let mut chosen = only_zset(sources)?.map_or_else(Vec::new, &choose);
            put_in_order(&mut chosen);
            Ok(ZSet::from_sorted(&chosen, limits))
        })?;
        Ok(self.zset_put(to, made, event))
    }

    /// What `make` makes of the sources, all of one moment, which is now: the locks are
    /// held when this returns, though with `much` not all the time.
    fn zset_made(
        &mut self,
        keys: &[Key<'_>],
        much: bool,
        mut make: impl FnMut(&[Option<Source<'_>>], Way) -> Result<ZSet, Error>,
    ) -> Result<ZSet, Error> {
        let made = if much {
            self.aside(
                |db| db.zset_images(keys),
                |db, images| db.zset_unchanged(keys, images),
                |images| make(&imaged(images), Way::Walk),
            )?
        } else {
            None
        };
        if let Some(made) = made {
            return made;
        }
        let held = self.zset_held(keys)?;
        make(&standing(&held), Way::LookUp)
    }
}

impl Slice<'_> {
    /// The ranks that are left of the slice behind an offset, at most `count` of them,
    /// seen from its end if `reverse`.
    pub fn limited(&self, zset: &ZSet, reverse: bool, offset: usize, count: usize) -> Range<usize> {
        let ranks = match *self {
            Slice::Ranks(start, stop) if reverse => {
                let ranks = signed_range(start, stop, zset.len());
                zset.len() - ranks.end..zset.len() - ranks.start
            }
            slice => slice.ranks(zset),
        };
        let skipped = offset.min(ranks.len());
        let count = count.min(ranks.len() - skipped);
        if reverse {
            ranks.end - skipped - count..ranks.end - skipped
        } else {
            ranks.start + skipped..ranks.start + skipped + count
        }
    }
}

/// An element as a result holds it.
pub fn taken(entry: Entry<'_>) -> (f64, Cow<'_, [u8]>) {
    (entry.score, text(entry.member))
}

/// The text of a member; only that of a packed integer is copied.
fn text(elem: Elem<'_>) -> Cow<'_, [u8]> {
    match elem {
        Elem::Str(bytes) => Cow::Borrowed(bytes),
        Elem::Int(_) => Cow::Owned(elem.to_vec()),
    }
}

/// The text of a source's member; that of a large plain set is copied, as its table
/// lends members no longer than it is at them.
fn item_text(item: Item<'_>) -> Cow<'_, [u8]> {
    match item {
        Item::Elem(elem) => text(elem),
        Item::Held(member) => Cow::Owned(member.bytes().to_vec()),
    }
}

type Scores<'a> = HashMap<Cow<'a, [u8]>, f64, RandomState>;

/// Combines sources, one for each key of the plan.
fn combine<'a>(plan: &Plan<'_>, sources: &[Option<Source<'a>>], way: Way) -> Combined<'a> {
    let weighted = sources.iter().copied().zip(plan.weights.iter().copied());
    let mut inputs: Vec<(Option<Source<'a>>, f64)> = weighted.collect();
    if plan.op != Op::Diff {
        // From the smallest to the largest, as Redis does: sums of floats depend on it.
        inputs.sort_by_key(|(source, _)| source.map_or(0, Source::len));
    }
    let mut combined = match (plan.op, way) {
        (Op::Union, _) => union(&inputs, plan.aggregate),
        (Op::Inter, Way::LookUp) => inter_by_lookup(&inputs, plan.aggregate, plan.limit),
        (Op::Inter, Way::Walk) => inter_by_walk(&inputs, plan.aggregate),
        (Op::Diff, Way::LookUp) => diff_by_lookup(&inputs),
        (Op::Diff, Way::Walk) => diff_by_walk(&inputs),
    };
    put_in_order(&mut combined);
    combined
}

/// Sorts by score, then by text.
fn put_in_order(elements: &mut Combined<'_>) {
    // No score is NaN.
    elements.sort_unstable_by(|a, b| {
        let by_score = a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal);
        by_score.then_with(|| a.1.cmp(&b.1))
    });
}

fn union<'a>(inputs: &[(Option<Source<'a>>, f64)], aggregate: Aggregate) -> Combined<'a> {
    let largest = inputs.last().and_then(|(source, _)| *source);
    let room = largest.map_or(0, Source::len);
    let mut scores = Scores::with_capacity_and_hasher(room, RandomState::default());
    for (source, weight) in inputs {
        for (score, item) in source.iter().flat_map(|source| source.iter()) {
            let score = number(score * weight);
            match scores.entry(item_text(item)) {
                Slot::Vacant(slot) => {
                    slot.insert(score);
                }
                Slot::Occupied(mut slot) => {
                    let sum = aggregate.apply(*slot.get(), score);
                    slot.insert(sum);
                }
            }
        }
    }
    scores
        .into_iter()
        .map(|(member, score)| (score, member))
        .collect()
}

fn inter_by_lookup<'a>(
    inputs: &[(Option<Source<'a>>, f64)],
    aggregate: Aggregate,
    limit: usize,
) -> Combined<'a> {
    let Some(((Some(first), weight), others)) = inputs.split_first() else {
        return Vec::new();
    };
    let mut found = Combined::new();
    for (score, item) in first.iter() {
        let member = item_text(item);
        let start = number(score * weight);
        let score = others.iter().try_fold(start, |score, (source, weight)| {
            let other = source.and_then(|source| source.score(&member))?;
            Some(aggregate.apply(score, other * weight))
        });
        found.extend(score.map(|score| (score, member)));
        if found.len() >= limit {
            break;
        }
    }
    found
}

fn inter_by_walk<'a>(inputs: &[(Option<Source<'a>>, f64)], aggregate: Aggregate) -> Combined<'a> {
    let Some(((Some(first), weight), others)) = inputs.split_first() else {
        return Vec::new();
    };
    let mut kept: Scores<'a> = (first.iter())
        .map(|(score, item)| (item_text(item), number(score * weight)))
        .collect();
    for (source, weight) in others {
        let mut still = Scores::with_capacity_and_hasher(kept.len(), RandomState::default());
        for (other, item) in source.iter().flat_map(|source| source.iter()) {
            let other = other * weight;
            let found = (item.elem()).with_bytes(|text| kept.remove_entry(text));
            if let Some((member, score)) = found {
                still.insert(member, aggregate.apply(score, other));
            }
        }
        kept = still;
    }
    kept.into_iter()
        .map(|(member, score)| (score, member))
        .collect()
}

fn diff_by_lookup<'a>(inputs: &[(Option<Source<'a>>, f64)]) -> Combined<'a> {
    let Some(((Some(first), _), others)) = inputs.split_first() else {
        return Vec::new();
    };
    let others = others.iter().filter_map(|(source, _)| *source);
    let is_left = |(_, member): &(f64, Cow<'_, [u8]>)| {
        !others.clone().any(|source| source.score(member).is_some())
    };
    let members = first.iter().map(|(score, item)| (score, item_text(item)));
    members.filter(is_left).collect()
}

fn diff_by_walk<'a>(inputs: &[(Option<Source<'a>>, f64)]) -> Combined<'a> {
    let Some(((Some(first), _), others)) = inputs.split_first() else {
        return Vec::new();
    };
    let mut left: Scores<'a> = (first.iter())
        .map(|(score, item)| (item_text(item), score))
        .collect();
    for source in others.iter().filter_map(|(source, _)| *source) {
        for (_, item) in source.iter() {
            item.elem().with_bytes(|text| left.remove(text));
        }
    }
    left.into_iter()
        .map(|(member, score)| (score, member))
        .collect()
}
