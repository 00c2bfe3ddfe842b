//! The list commands that wait: as their kin that do not, and [`Ctx::block`] where
//! those answer that there is nothing.

use super::{end_named, move_element, multi_pop, multi_pop_options, write_elem};
use crate::command::args::Args;
use crate::command::block::{self, Block};
use crate::command::ctx::{Ctx, Outcome};
use crate::ds::list::End;
use crate::resp::Argv;
use crate::store::entry::Type;

fn pop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, end: End) -> Outcome {
    let keys = argv.len() - 2;
    let until = block::seconds(&mut Args::from(argv, keys + 1), ctx.db.now)?;
    let limit = ctx.list_limit();
    for nth in 0..keys {
        let key = ctx.nth_key(argv, nth, nth + 1);
        if ctx.db.list_len(key)? == 0 {
            continue;
        }
        ctx.reply.array(2);
        ctx.reply.bulk(key.bytes);
        let reply = &mut *ctx.reply;
        (ctx.db).list_pop(key, end, limit, |elem| write_elem(reply, elem))?;
        let name: &[u8] = if end == End::Head { b"LPOP" } else { b"RPOP" };
        ctx.db.log_instead(&[name, key.bytes]);
        return Ok(());
    }
    let waited = (0..keys).map(|nth| ctx.nth_key(argv, nth, nth + 1));
    let block = Block::on(waited, Type::List, until);
    ctx.block(block)
}

pub(super) fn blpop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    pop(ctx, argv, End::Head)
}

pub(super) fn brpop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    pop(ctx, argv, End::Tail)
}

fn wait_and_move(
    ctx: &mut Ctx<'_, '_>,
    argv: Argv<'_>,
    (from_end, to_end): (End, End),
    mut timeout: Args<'_>,
) -> Outcome {
    let until = block::seconds(&mut timeout, ctx.db.now)?;
    let from = ctx.nth_key(argv, 0, 1);
    let found = ctx.db.list_len(from)? > 0;
    if !found && ctx.may_block() {
        let block = Block::on(std::iter::once(from), Type::List, until);
        return ctx.block(block);
    }
    move_element(ctx, argv, from_end, to_end)?;
    if found {
        let name = |end| -> &[u8] { if end == End::Head { b"LEFT" } else { b"RIGHT" } };
        let (from, to) = (argv.get(1), argv.get(2));
        (ctx.db).log_instead(&[b"LMOVE", from, to, name(from_end), name(to_end)]);
    }
    Ok(())
}

pub(super) fn blmove(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 3);
    let ends = (end_named(&mut args)?, end_named(&mut args)?);
    wait_and_move(ctx, argv, ends, args)
}

pub(super) fn brpoplpush(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    wait_and_move(ctx, argv, (End::Tail, End::Head), Args::from(argv, 3))
}

pub(super) fn blmpop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let until = block::seconds(&mut Args::from(argv, 1), ctx.db.now)?;
    let options = multi_pop_options(Args::from(argv, 2))?;
    if multi_pop(ctx, argv, 3, options)? {
        return Ok(());
    }
    let waited = (0..options.0).map(|nth| ctx.nth_key(argv, nth, nth + 3));
    let block = Block::on(waited, Type::List, until);
    ctx.block(block)
}
