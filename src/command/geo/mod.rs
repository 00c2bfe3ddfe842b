//! The geo commands: positions kept as the scores of a sorted set.
//!
//! What a score means is [`crate::ds::geo`]'s; the set is a sorted set like any other.
//! Here are the commands on single positions; search.rs has those on areas.

mod rows;
mod search;
#[cfg(test)]
mod tests;

pub use rows::SPECS;

use search::{
    georadius, georadius_ro, georadiusbymember, georadiusbymember_ro, geosearch, geosearchstore,
};

use super::args::Args;
use super::ctx::{Ctx, Outcome};
use super::error::Error;
use crate::ds::geo::{Point, decode, distance, encode, standard_text};
use crate::resp::{Argv, Reply};
use crate::store::zset::Rules;

/// Digits behind the point of a distance.
const DISTANCE_SCALE: f64 = 10_000.0;

/// A position by its longitude and latitude.
fn point(args: &mut Args<'_>) -> Result<Point, Error> {
    let (longitude, latitude) = (args.float()?, args.float()?);
    Point::new(longitude, latitude).ok_or_else(|| {
        let text = format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}");
        Error::Text(text.into())
    })
}

/// How many metres a unit is.
fn unit(args: &mut Args<'_>) -> Result<f64, Error> {
    const UNITS: [(&str, f64); 4] = [("M", 1.0), ("KM", 1000.0), ("FT", 0.3048), ("MI", 1609.34)];
    let found = UNITS.into_iter().find(|(word, _)| args.word(word));
    found.map(|(_, metres)| metres).ok_or(Error::text(
        "ERR unsupported unit provided. please use M, KM, FT, MI",
    ))
}

/// A distance with four digits behind the point, rounded to even from its double.
fn write_distance(reply: &mut Reply, distance: f64) {
    let units = (distance * DISTANCE_SCALE).round_ties_even() as i64;
    let scale = DISTANCE_SCALE as i64;
    let text = format!("{}.{:04}", units / scale, units % scale);
    reply.bulk(text.as_bytes());
}

fn write_point(reply: &mut Reply, point: Point) {
    reply.array(2);
    reply.plain_double(point.longitude);
    reply.plain_double(point.latitude);
}

fn geoadd(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 2);
    let (mut rules, mut changed) = (Rules::default(), false);
    loop {
        if args.word("NX") {
            rules.only_new = true;
        } else if args.word("XX") {
            rules.only_old = true;
        } else if args.word("CH") {
            changed = true;
        } else {
            break;
        }
    }
    let whole = !args.is_done() && args.left().is_multiple_of(3);
    if !whole || rules.only_new && rules.only_old {
        return Err(Error::Syntax.into());
    }
    let mut pairs = Vec::with_capacity(args.left() / 3);
    while !args.is_done() {
        pairs.push((encode(point(&mut args)?), args.bytes()?));
    }
    ctx.afford(pairs.len())?;
    let (key, limits) = (ctx.key(argv), ctx.zset_limits());
    let updated = (ctx.db).zset_update(key, pairs.iter().copied(), rules, limits)?;
    let moved = if changed { updated.moved } else { 0 };
    ctx.reply.len(updated.added + moved);
    Ok(())
}

/// Answers for each member that the arguments name, by its position if it has one.
fn each_position(
    ctx: &mut Ctx<'_, '_>,
    argv: Argv<'_>,
    write: impl Fn(&mut Reply, Option<Point>),
) -> Outcome {
    let (key, members) = (ctx.key(argv), argv.from(2).iter());
    ctx.afford(members.len())?;
    let zset = ctx.db.zset(key)?;
    ctx.reply.array(members.len());
    for member in members {
        let score = zset.as_ref().and_then(|zset| zset.score(member));
        write(ctx.reply, score.map(decode));
    }
    Ok(())
}

fn geopos(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    each_position(ctx, argv, |reply, point| match point {
        Some(point) => write_point(reply, point),
        None => reply.null_array(),
    })
}

fn geohash(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    each_position(ctx, argv, |reply, point| match point {
        Some(point) => reply.bulk(&standard_text(point)),
        None => reply.null(),
    })
}

fn geodist(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 4);
    if args.left() > 1 {
        return Err(Error::Syntax.into());
    }
    let metres = if args.is_done() {
        1.0
    } else {
        unit(&mut args)?
    };
    let key = ctx.key(argv);
    let points = ctx.db.zset(key)?.and_then(|zset| {
        let point = |at| zset.score(argv.get(at)).map(decode);
        point(2).zip(point(3))
    });
    match points {
        Some((from, to)) => write_distance(ctx.reply, distance(from, to) / metres),
        None => ctx.reply.null(),
    }
    Ok(())
}
