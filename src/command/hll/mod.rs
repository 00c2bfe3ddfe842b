//! The HyperLogLog commands.
//!
//! Whatever a counter has seen, it is 12 KB at most, so the work follows from the
//! arguments alone: a key costs as much as some dozens of elements.

mod rows;
#[cfg(test)]
mod tests;

pub use rows::SPECS;

use super::ctx::{Ctx, Outcome, Stop};
use super::error::Error;
use crate::ds::hll::{self, Encoding, Registers};
use crate::resp::Argv;
use crate::store::Key;

/// A counter's registers are merged or counted in the time of so many elements.
const COST: usize = 64;

fn pfadd(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let elements = argv.from(2).iter();
    ctx.afford(elements.len())?;
    let sparse_max = ctx.hll_sparse_max();
    let changed = ctx.db.hll_add(ctx.key(argv), elements, sparse_max)?;
    ctx.reply.int(i64::from(changed));
    Ok(())
}

fn pfcount(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let keys = argv.len() - 1;
    let estimate = if keys == 1 {
        ctx.db.hll_estimate(ctx.key(argv))?
    } else {
        ctx.afford(keys * COST)?;
        let (registers, _) = merged(ctx, argv)?;
        registers.estimate()
    };
    ctx.reply.int(i64::try_from(estimate).unwrap_or(i64::MAX));
    Ok(())
}

/// The registers of all keys together, and whether any counter is dense.
fn merged(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Result<(Registers, bool), Stop> {
    let mut registers = Registers::default();
    let mut dense = false;
    for nth in 0..argv.len() - 1 {
        let key = ctx.nth_key(argv, nth, nth + 1);
        dense |= ctx.db.hll_merge(key, &mut registers)? == Some(Encoding::Dense);
    }
    Ok((registers, dense))
}

fn pfmerge(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    ctx.afford(argv.len() * COST)?;
    let (registers, dense) = merged(ctx, argv)?;
    let to = ctx.nth_key(argv, 0, 1);
    let sparse_max = ctx.hll_sparse_max();
    ctx.db.hll_store(to, &registers, dense, sparse_max)?;
    ctx.reply.ok();
    Ok(())
}

// For looking inside.

fn pfdebug(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const NO_KEY: Error = Error::text("ERR The specified key does not exist");
    let key = ctx.nth_key(argv, 0, 2);
    let encoding = ctx.db.peek_hll(key, hll::encoding)?.ok_or(NO_KEY)?;
    let word = argv.get(1);
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    if is("GETREG") {
        return getreg(ctx, key);
    } else if is("DECODE") {
        let text = ctx.db.peek_hll(key, hll::decode)?.flatten();
        let text = text.ok_or(Error::text("ERR HLL encoding is not sparse"))?;
        ctx.reply.bulk(text.as_bytes());
    } else if is("ENCODING") {
        ctx.reply.simple(encoding.name());
    } else if is("TODENSE") {
        let made = ctx.db.hll_make_dense(key)?;
        ctx.reply.int(i64::from(made == Some(true)));
    } else {
        let text = [b"ERR Unknown PFDEBUG subcommand '", word, b"'"].concat();
        return Err(Error::Bytes(text).into());
    }
    Ok(())
}

/// Answers with all registers; as in Redis, the counter is dense then.
fn getreg(ctx: &mut Ctx<'_, '_>, key: Key<'_>) -> Outcome {
    ctx.afford(hll::REGISTERS)?;
    ctx.db.hll_make_dense(key)?;
    let mut registers = Registers::default();
    ctx.db.peek_hll(key, |bytes| registers.merge(bytes))?;
    let values = registers.values();
    ctx.reply.array(values.len());
    values.iter().for_each(|&value| ctx.reply.int(value.into()));
    Ok(())
}

fn pfselftest(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    hll::self_test(ctx.rng).map_err(|text| Error::Text(format!("TESTFAILED {text}").into()))?;
    ctx.reply.ok();
    Ok(())
}
