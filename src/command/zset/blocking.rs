//! The sorted set commands that wait, and their rows.

use super::{End, log_pop, multi_pop, pop_from, scored_pair, zmpop_options};
use crate::command::args::Args;
use crate::command::block::{self, Block};
use crate::command::ctx::{Ctx, Outcome};
use crate::command::spec::KeyFlag::*;
use crate::command::spec::{Arg, ArgType, Begin, Find, Flags, Group, KeySpec, Spec};
use crate::resp::Argv;
use crate::store::entry::Type;

fn pop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, end: End) -> Outcome {
    let keys = argv.len() - 2;
    let until = block::seconds(&mut Args::from(argv, keys + 1), ctx.db.now)?;
    for nth in 0..keys {
        let key = ctx.nth_key(argv, nth, nth + 1);
        let popped = pop_from(ctx, key, (end, 1), |reply, _, entries| {
            reply.array(3);
            reply.bulk(key.bytes);
            entries.for_each(|entry| scored_pair(reply, entry.member, entry.score, false));
        })?;
        if popped.is_some() {
            log_pop(ctx, key, end, 1);
            return Ok(());
        }
    }
    let waited = (0..keys).map(|nth| ctx.nth_key(argv, nth, nth + 1));
    let block = Block::on(waited, Type::ZSet, until);
    ctx.block(block)
}

fn bzpopmin(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    pop(ctx, argv, End::Min)
}

fn bzpopmax(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    pop(ctx, argv, End::Max)
}

fn bzmpop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let until = block::seconds(&mut Args::from(argv, 1), ctx.db.now)?;
    let options = zmpop_options(argv, 2)?;
    if multi_pop(ctx, argv, 3, options)? {
        return Ok(());
    }
    let waited = (0..options.0).map(|nth| ctx.nth_key(argv, nth, nth + 3));
    let block = Block::on(waited, Type::ZSet, until);
    ctx.block(block)
}

const WAITS: Flags = Flags::WRITE.with(Flags::BLOCKING);
const TIMEOUT: Arg = Arg::new("timeout", ArgType::Double);
const POPS: &[KeySpec] = &[KeySpec::range(1, -2, 1, &[Rw, Access, Delete])];

/// The sorted set commands that wait.
pub const SPECS: &[Spec] = &[
    Spec {
        name: "bzpopmin",
        arity: -3,
        flags: WAITS.with(Flags::NOSCRIPT).with(Flags::FAST),
        acl: &["@sortedset"],
        keys: POPS,
        group: Group::SortedSet,
        since: "5.0.0",
        complexity: "O(log(N)) with N being the number of elements in the sorted set.",
        summary: "Remove and return the member with the lowest score from one or more sorted sets, or block until one is available",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple(), TIMEOUT],
        run: bzpopmin,
        ..Spec::DEFAULT
    },
    Spec {
        name: "bzpopmax",
        arity: -3,
        flags: WAITS.with(Flags::NOSCRIPT).with(Flags::FAST),
        acl: &["@sortedset"],
        keys: POPS,
        group: Group::SortedSet,
        since: "5.0.0",
        complexity: "O(log(N)) with N being the number of elements in the sorted set.",
        summary: "Remove and return the member with the highest score from one or more sorted sets, or block until one is available",
        args: &[Arg::new("key", ArgType::Key).key(0).multiple(), TIMEOUT],
        run: bzpopmax,
        ..Spec::DEFAULT
    },
    Spec {
        name: "bzmpop",
        arity: -5,
        flags: WAITS.with(Flags::MOVABLEKEYS),
        acl: &["@sortedset"],
        keys: &[KeySpec {
            flags: &[Rw, Access, Delete],
            begin: Begin::Index(2),
            find: Find::Count {
                count_at: 0,
                first: 1,
                step: 1,
            },
        }],
        group: Group::SortedSet,
        since: "7.0.0",
        complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted set, and M being the number of elements popped.",
        summary: "Remove and return members with scores in a sorted set or block until one is available",
        args: &[
            TIMEOUT,
            Arg::new("numkeys", ArgType::Integer),
            Arg::new("key", ArgType::Key).key(0).multiple(),
            Arg::new("where", ArgType::OneOf).of(&[
                Arg::new("min", ArgType::PureToken).token("MIN"),
                Arg::new("max", ArgType::PureToken).token("MAX"),
            ]),
            Arg::new("count", ArgType::Integer)
                .token("COUNT")
                .optional(),
        ],
        run: bzmpop,
        ..Spec::DEFAULT
    },
];
