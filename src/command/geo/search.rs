//! What lies within an area: GEOSEARCH and the older GEORADIUS family, and what they
//! store.
//!
//! All of them fill in one [`Query`]; the searching is the same. A large search works on
//! an image of the set.

use std::borrow::Cow;

use super::{point, unit, write_distance, write_point};
use crate::command::args::Args;
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome};
use crate::command::error::Error;
use crate::command::scored::read_zset;
use crate::ds::geo::{Point, Shape, decode};
use crate::ds::zset::{ScoreRange, Span, ZSet};
use crate::resp::{Argv, Reply};
use crate::store::Key;
use crate::store::zset::taken;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    None,
    Ascending,
    Descending,
}

/// Which command is parsed, as far as its arguments depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// GEORADIUS and GEORADIUSBYMEMBER; whether they may store.
    Radius {
        stores: bool,
    },
    Search,
    SearchStore,
}

impl Form {
    fn is_search(self) -> bool {
        matches!(self, Form::Search | Form::SearchStore)
    }
}

/// Where a search stores.
#[derive(Clone, Copy, Debug)]
struct Target<'a> {
    key: &'a [u8],
    event: &'static str,
    /// Distances instead of positions.
    distances: bool,
}

/// An extent whose place may still be unknown, in metres.
enum Extent {
    Radius(f64),
    Box { width: f64, height: f64 },
    Polygon(Vec<Point>),
}

/// A search as its arguments describe it.
struct Query<'a> {
    center: Option<Point>,
    /// Whether a member was named, which may be in a set that is not there.
    from_member: bool,
    extent: Option<Extent>,
    /// Metres of the unit that distances are told in.
    unit: f64,
    order: Order,
    count: usize,
    any: bool,
    with_distance: bool,
    with_hash: bool,
    with_point: bool,
    target: Option<Target<'a>>,
}

/// Something that was found.
struct Hit<'a> {
    member: Cow<'a, [u8]>,
    score: f64,
    point: Point,
    /// In metres, from the centre.
    distance: f64,
}

fn radius(args: &mut Args<'_>) -> Result<(Extent, f64), Error> {
    let radius = args.float_or(Error::text("ERR need numeric radius"))?;
    if radius < 0.0 {
        return Err(Error::text("ERR radius cannot be negative"));
    }
    let unit = unit(args)?;
    Ok((Extent::Radius(radius * unit), unit))
}

fn rectangle(args: &mut Args<'_>) -> Result<(Extent, f64), Error> {
    let width = args.float_or(Error::text("ERR need numeric width"))?;
    let height = args.float_or(Error::text("ERR need numeric height"))?;
    if width < 0.0 || height < 0.0 {
        return Err(Error::text("ERR height or width cannot be negative"));
    }
    let unit = unit(args)?;
    let (width, height) = (width * unit, height * unit);
    Ok((Extent::Box { width, height }, unit))
}

fn polygon(args: &mut Args<'_>) -> Result<(Extent, f64), Error> {
    const FEW: Error = Error::text("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices");
    let count = args.int_or(Error::text("ERR invalid number of vertices"))?;
    let count = usize::try_from(count).unwrap_or(0);
    if count < 3 || args.left() / 2 < count {
        return Err(FEW);
    }
    let corners: Result<Vec<Point>, Error> = (0..count).map(|_| point(args)).collect();
    Ok((Extent::Polygon(corners?), 1.0))
}

impl<'a> Query<'a> {
    fn new() -> Query<'a> {
        Query {
            center: None,
            from_member: false,
            extent: None,
            unit: 1.0,
            order: Order::None,
            count: 0,
            any: false,
            with_distance: false,
            with_hash: false,
            with_point: false,
            target: None,
        }
    }

    /// Reads the options. `zset` is where members are looked up; without one a member
    /// is taken on trust.
    fn parse(&mut self, mut args: Args<'a>, form: Form, zset: Option<&ZSet>) -> Result<(), Error> {
        while !args.is_done() {
            if args.word("WITHDIST") {
                self.with_distance = true;
            } else if args.word("WITHHASH") {
                self.with_hash = true;
            } else if args.word("WITHCOORD") {
                self.with_point = true;
            } else if args.word("ANY") {
                self.any = true;
            } else if args.word("ASC") {
                self.order = Order::Ascending;
            } else if args.word("DESC") {
                self.order = Order::Descending;
            } else if args.left() > 1 && args.word("COUNT") {
                self.count = count(&mut args)?;
            } else {
                let known = self.parse_target(&mut args, form)?
                    || form.is_search() && self.parse_area(&mut args, zset)?;
                if !known {
                    return Err(Error::Syntax);
                }
            }
        }
        Ok(())
    }

    /// Reads an option about storing, if it is one.
    fn parse_target(&mut self, args: &mut Args<'a>, form: Form) -> Result<bool, Error> {
        match form {
            Form::Radius { stores: true } if args.left() > 1 => {
                let distances = if args.word("STORE") {
                    false
                } else if args.word("STOREDIST") {
                    true
                } else {
                    return Ok(false);
                };
                self.target = Some(Target {
                    key: args.bytes()?,
                    event: "georadiusstore",
                    distances,
                });
                Ok(true)
            }
            Form::SearchStore if args.word("STOREDIST") => {
                if let Some(target) = &mut self.target {
                    target.distances = true;
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Reads an option about where to search, if it is one that may still come.
    fn parse_area(&mut self, args: &mut Args<'a>, zset: Option<&ZSet>) -> Result<bool, Error> {
        let is_polygon = matches!(self.extent, Some(Extent::Polygon(_)));
        let from_point = self.center.is_some() && !self.from_member;
        let parsed = if !from_point && !is_polygon && args.left() > 1 && args.word("FROMMEMBER") {
            let member = args.bytes()?;
            self.from_member = true;
            if let Some(zset) = zset {
                self.center = Some(position(zset, member)?);
            }
            return Ok(true);
        } else if !self.from_member && !is_polygon && args.left() > 2 && args.word("FROMLONLAT") {
            self.center = Some(point(args)?);
            return Ok(true);
        } else if self.may_be(&Extent::Radius(0.0)) && args.left() > 2 && args.word("BYRADIUS") {
            radius(args)?
        } else if self.may_be(&Extent::Box {
            width: 0.0,
            height: 0.0,
        }) && args.left() > 3
            && args.word("BYBOX")
        {
            rectangle(args)?
        } else if self.may_be(&Extent::Polygon(Vec::new()))
            && self.center.is_none()
            && !self.from_member
            && args.left() > 2
            && args.word("BYPOLYGON")
        {
            polygon(args)?
        } else {
            return Ok(false);
        };
        (self.extent, self.unit) = (Some(parsed.0), parsed.1);
        Ok(true)
    }

    /// Whether no extent of another kind has been named.
    fn may_be(&self, other: &Extent) -> bool {
        let kind = std::mem::discriminant(other);
        (self.extent.as_ref()).is_none_or(|extent| std::mem::discriminant(extent) == kind)
    }

    /// What options do not go together.
    fn check(&self, form: Form, name: &[u8]) -> Result<(), Error> {
        let named = |text: &str| Error::Bytes([text.as_bytes(), name].concat());
        if self.target.is_some() && (self.with_distance || self.with_hash || self.with_point) {
            let what = if form == Form::SearchStore {
                "GEOSEARCHSTORE"
            } else {
                "STORE option in GEORADIUS"
            };
            let text = format!(
                "ERR {what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            );
            return Err(Error::Text(text.into()));
        }
        let has_center = self.from_member
            || self.center.is_some()
            || matches!(self.extent, Some(Extent::Polygon(_)));
        if form.is_search() && !has_center {
            return Err(named(
                "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ",
            ));
        }
        if form.is_search() && self.extent.is_none() {
            return Err(named(
                "ERR exactly one of BYRADIUS and BYBOX can be specified for ",
            ));
        }
        if self.any && self.count == 0 {
            return Err(Error::text("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }

    /// The shape to search in; none without a set to find its centre in.
    fn shape(&mut self) -> Option<Shape> {
        let center = self.center;
        Some(match self.extent.take()? {
            Extent::Radius(radius) => Shape::Circle {
                center: center?,
                radius,
            },
            Extent::Box { width, height } => Shape::Rectangle {
                center: center?,
                width,
                height,
            },
            Extent::Polygon(corners) => Shape::polygon(corners),
        })
    }
}

fn count(args: &mut Args<'_>) -> Result<usize, Error> {
    match usize::try_from(args.int()?) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(Error::text("ERR COUNT must be > 0")),
    }
}

fn position(zset: &ZSet, member: &[u8]) -> Result<Point, Error> {
    const UNKNOWN: Error = Error::text("ERR could not decode requested zset member");
    zset.score(member).map(decode).ok_or(UNKNOWN)
}

// Searching.

/// The ranks in which everything within the shape lies.
fn ranks(zset: &ZSet, shape: &Shape) -> Vec<std::ops::Range<usize>> {
    let ranges = shape.score_ranges().into_iter();
    let span = |(min, max)| {
        Span::Score(ScoreRange {
            min,
            min_open: false,
            max,
            max_open: true,
        })
    };
    ranges.map(|range| zset.ranks(&span(range))).collect()
}

/// What lies within the shape; nothing without one.
fn search<'z>(zset: &'z ZSet, shape: Option<&Shape>, query: &Query<'_>) -> Vec<Hit<'z>> {
    let Some(shape) = shape else {
        return Vec::new();
    };
    let enough = if query.any { query.count } else { usize::MAX };
    let mut hits: Vec<Hit<'z>> = Vec::new();
    for entry in ranks(zset, shape)
        .into_iter()
        .flat_map(|ranks| zset.range(ranks))
    {
        if hits.len() >= enough {
            break;
        }
        let point = decode(entry.score);
        if let Some(distance) = shape.distance_within(point) {
            let (score, member) = taken(entry);
            hits.push(Hit {
                member,
                score,
                point,
                distance,
            });
        }
    }
    // The nearest are meant where only some are wanted and nothing is said.
    let order = match query.order {
        Order::None if query.count > 0 && !query.any => Order::Ascending,
        order => order,
    };
    match order {
        Order::None => {}
        Order::Ascending => hits.sort_by(|a, b| a.distance.total_cmp(&b.distance)),
        Order::Descending => hits.sort_by(|a, b| b.distance.total_cmp(&a.distance)),
    }
    if query.count > 0 {
        hits.truncate(query.count);
    }
    hits
}

fn write_hits(reply: &mut Reply, hits: &[Hit<'_>], query: &Query<'_>) {
    let options = [query.with_distance, query.with_hash, query.with_point];
    let extra = options.into_iter().filter(|option| *option).count();
    reply.array(hits.len());
    for hit in hits {
        if extra > 0 {
            reply.array(1 + extra);
        }
        reply.bulk(&hit.member);
        if query.with_distance {
            write_distance(reply, hit.distance / query.unit);
        }
        if query.with_hash {
            reply.int(hit.score as i64);
        }
        if query.with_point {
            write_point(reply, hit.point);
        }
    }
}

/// Runs a query whose set is at `key`, the `nth` key of the command.
fn run(ctx: &mut Ctx<'_, '_>, key: Key<'_>, mut query: Query<'_>) -> Outcome {
    let shape = query.shape();
    let cost = match (ctx.db.peek_zset(key)?, &shape) {
        (Some(zset), Some(shape)) => ranks(&zset, shape).into_iter().map(|r| r.len()).sum(),
        _ => 0,
    };
    ctx.afford(cost)?;
    let shape = shape.as_ref();
    let Some(target) = query.target else {
        let found = read_zset(
            ctx,
            key,
            |_| cost,
            |reply, zset| write_hits(reply, &search(zset, shape, &query), &query),
        )?;
        if !found {
            ctx.reply.array(0);
        }
        return Ok(());
    };
    let (to, limits) = (target_key(ctx, target)?, ctx.zset_limits());
    let score = |hit: &Hit<'_>| match target.distances {
        true => hit.distance / query.unit,
        false => hit.score,
    };
    let much = cost > LIGHT_COST;
    let stored = (ctx.db).zset_store_chosen((key, to), target.event, limits, much, |zset| {
        let hits = search(zset, shape, &query).into_iter();
        hits.map(|hit| (score(&hit), hit.member)).collect()
    })?;
    ctx.reply.len(stored);
    Ok(())
}

/// The key to store under. The key specifications see the first STORE and the first
/// STOREDIST, and so do the locks; Redis takes the last of several.
fn target_key<'a>(ctx: &Ctx<'_, '_>, target: Target<'a>) -> Result<Key<'a>, Error> {
    let key = ctx.db.key(target.key);
    if ctx.db.locks.holds_write(key.shard()) {
        Ok(key)
    } else {
        Err(Error::Syntax)
    }
}

// The commands.

fn search_command(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, form: Form) -> Outcome {
    let (at, nth) = if form == Form::SearchStore {
        (2, 1)
    } else {
        (1, 0)
    };
    let key = ctx.nth_key(argv, nth, at);
    let mut query = Query::new();
    if form == Form::SearchStore {
        query.target = Some(Target {
            key: argv.get(1),
            event: "geosearchstore",
            distances: false,
        });
    }
    let zset = ctx.db.peek_zset(key)?;
    query.parse(Args::from(argv, at + 1), form, zset.as_deref())?;
    query.check(form, argv.get(0))?;
    run(ctx, key, query)
}

pub fn geosearch(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    search_command(ctx, argv, Form::Search)
}

pub fn geosearchstore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    search_command(ctx, argv, Form::SearchStore)
}

fn radius_command(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, by_member: bool, stores: bool) -> Outcome {
    let (key, form) = (ctx.key(argv), Form::Radius { stores });
    let mut query = Query::new();
    let zset = ctx.db.peek_zset(key)?;
    let mut args = Args::from(argv, 2);
    if !by_member {
        query.center = Some(point(&mut args)?);
    } else if let Some(zset) = &zset {
        query.center = Some(position(zset, args.bytes()?)?);
    }
    // Redis reads no radius where it has no centre.
    if query.center.is_some() {
        let (extent, unit) = radius(&mut args)?;
        (query.extent, query.unit) = (Some(extent), unit);
    }
    let options = if by_member { 5 } else { 6 };
    query.parse(Args::from(argv, options), form, zset.as_deref())?;
    query.check(form, argv.get(0))?;
    run(ctx, key, query)
}

pub fn georadius(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    radius_command(ctx, argv, false, true)
}

pub fn georadius_ro(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    radius_command(ctx, argv, false, false)
}

pub fn georadiusbymember(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    radius_command(ctx, argv, true, true)
}

pub fn georadiusbymember_ro(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    radius_command(ctx, argv, true, false)
}
