//! The sorted set commands on several sets: union, intersection, difference.

mod rows;

pub use rows::SPECS;

use crate::command::args::Args;
use crate::command::ctx::{Ctx, LIGHT_COST, Outcome, Stop};
use crate::command::error::Error;
use crate::command::scored;
use crate::ds::packed::Elem;
use crate::resp::Argv;
use crate::store::Key;
use crate::store::zset::{Aggregate, Op, Plan};

/// What else stands behind the keys.
struct Options {
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    /// As many members of an intersection are wanted at most.
    limit: usize,
}

/// Which options a command takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Read,
    Store,
    Count,
}

/// The keys behind their number, which is argument `at`; `nth` of the command's key
/// hashes belongs to the first.
fn keys<'a>(
    ctx: &Ctx<'_, '_>,
    argv: Argv<'a>,
    at: usize,
    nth: usize,
) -> Result<Vec<Key<'a>>, Error> {
    let mut args = Args::from(argv, at);
    let count = args.int()?;
    if count < 1 {
        let name = &ctx.command.full_name;
        let text = format!("ERR at least 1 input key is needed for '{name}' command");
        return Err(Error::Text(text.into()));
    }
    match usize::try_from(count) {
        Ok(count) if count <= args.left() => Ok((0..count)
            .map(|i| ctx.nth_key(argv, nth + i, at + 1 + i))
            .collect()),
        _ => Err(Error::Syntax),
    }
}

fn options(mut args: Args<'_>, op: Op, form: Form, keys: usize) -> Result<Options, Error> {
    const LIMIT: Error = Error::text("ERR LIMIT can't be negative");
    let mut options = Options {
        weights: vec![1.0; keys],
        aggregate: Aggregate::Sum,
        with_scores: false,
        limit: usize::MAX,
    };
    let scores = op != Op::Diff && form != Form::Count;
    while !args.is_done() {
        if scores && args.left() > keys && args.word("WEIGHTS") {
            for weight in &mut options.weights {
                *weight = args.float_or(Error::text("ERR weight value is not a float"))?;
            }
        } else if scores && args.left() > 1 && args.word("AGGREGATE") {
            options.aggregate = aggregate(&mut args)?;
        } else if form == Form::Read && args.word("WITHSCORES") {
            options.with_scores = true;
        } else if form == Form::Count && args.left() > 1 && args.word("LIMIT") {
            let limit = args.size_or(LIMIT)?;
            options.limit = if limit == 0 { usize::MAX } else { limit };
        } else {
            return Err(Error::Syntax);
        }
    }
    Ok(options)
}

fn aggregate(args: &mut Args<'_>) -> Result<Aggregate, Error> {
    let words = [
        ("SUM", Aggregate::Sum),
        ("MIN", Aggregate::Min),
        ("MAX", Aggregate::Max),
    ];
    let found = words.into_iter().find(|(word, _)| args.word(word));
    found.map(|(_, aggregate)| aggregate).ok_or(Error::Syntax)
}

/// Parses what follows argument `at`, the number of keys, makes a plan of it, and hands
/// that on with whether it is much work.
fn planned<'a>(
    ctx: &mut Ctx<'_, '_>,
    argv: Argv<'a>,
    (op, form): (Op, Form),
    run: impl FnOnce(&mut Ctx<'_, '_>, &Plan<'_>, &Options, bool) -> Outcome,
) -> Outcome {
    let (at, nth) = if form == Form::Store { (2, 1) } else { (1, 0) };
    let keys: Vec<Key<'a>> = keys(ctx, argv, at, nth)?;
    // A wrong type is told before wrong options.
    ctx.db.zset_sources(&keys)?;
    let rest = Args::from(argv, at + 1 + keys.len());
    let options = options(rest, op, form, keys.len())?;
    let plan = Plan {
        op,
        keys: &keys,
        weights: &options.weights,
        aggregate: options.aggregate,
        limit: options.limit,
    };
    let cost = ctx.db.zset_cost(&plan)?;
    ctx.afford(cost)?;
    run(ctx, &plan, &options, cost > LIGHT_COST)
}

fn read(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, op: Op) -> Outcome {
    planned(ctx, argv, (op, Form::Read), |ctx, plan, options, much| {
        let (reply, with_scores) = (&mut *ctx.reply, options.with_scores);
        ctx.db.zset_combine(plan, much, |combined| {
            scored::head(reply, combined.len(), with_scores);
            for (score, member) in combined {
                scored::element(reply, Elem::Str(member), *score, with_scores);
            }
        })?;
        Ok(())
    })
}

fn store(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, op: Op) -> Outcome {
    let to = ctx.nth_key(argv, 0, 1);
    planned(ctx, argv, (op, Form::Store), |ctx, plan, _, much| {
        let limits = ctx.zset_limits();
        let stored = ctx.db.zset_store_combined(to, plan, limits, much)?;
        ctx.reply.len(stored);
        Ok(())
    })
}

fn zunion(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    read(ctx, argv, Op::Union)
}

fn zinter(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    read(ctx, argv, Op::Inter)
}

fn zdiff(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    read(ctx, argv, Op::Diff)
}

fn zunionstore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    store(ctx, argv, Op::Union)
}

fn zinterstore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    store(ctx, argv, Op::Inter)
}

fn zdiffstore(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    store(ctx, argv, Op::Diff)
}

fn zintercard(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    planned(ctx, argv, (Op::Inter, Form::Count), |ctx, plan, _, much| {
        let count: Result<usize, Stop> =
            (ctx.db.zset_combine(plan, much, |combined| combined.len())).map_err(Stop::from);
        ctx.reply.len(count?.min(plan.limit));
        Ok(())
    })
}
