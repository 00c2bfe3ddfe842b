//! The bitmap commands: strings as arrays of bits.
//!
//! BITCOUNT, BITPOS and BITOP look at whole strings: large ones in the pool, from
//! images, without the locks. SETBIT and BITFIELD change a few bytes where they lie;
//! what they may have to fill up or copy for that is told before it starts.

mod fields;
mod range;
mod rows;
#[cfg(test)]
mod tests;

pub use rows::SPECS;

use bytes::Bytes;

use super::args::Args;
use super::ctx::{Ctx, Outcome};
use super::error::Error;
use super::image::{self, BYTES_PER_COST};
use crate::base::num;
use crate::ds::bits::{self, Op};
use crate::resp::Argv;
use crate::store::{self, Key};
use fields::Access;
use range::{BitRange, Unit};

const OFFSET: Error = Error::text("ERR bit offset is not an integer or out of range");

/// The next argument as the offset of a bit that a string of the longest length
/// has.
fn offset(args: &mut Args<'_>, string_max: usize) -> Result<usize, Error> {
    let offset = args.size_or(OFFSET)?;
    if offset / 8 >= string_max {
        return Err(OFFSET);
    }
    Ok(offset)
}

/// Leaves a change of the string at `key`, which makes it `len` bytes long at least,
/// to the pool if there is much to fill up or to copy.
fn afford_edit(ctx: &Ctx<'_, '_>, key: Key<'_>, len: usize) -> Outcome {
    let bytes = ctx.db.string_edit_bytes(key, len)?;
    ctx.afford(bytes / BYTES_PER_COST)
}

fn setbit(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const BIT: Error = Error::text("ERR bit is not an integer or out of range");
    let mut args = Args::from(argv, 2);
    let offset = offset(&mut args, ctx.string_max())?;
    let on = match args.int_or(BIT)? {
        0 => false,
        1 => true,
        _ => return Err(BIT.into()),
    };
    let key = ctx.key(argv);
    afford_edit(ctx, key, offset / 8 + 1)?;
    let old = ctx.db.set_bit(key, offset, on)?;
    ctx.reply.int(i64::from(old));
    Ok(())
}

fn getbit(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let offset = offset(&mut Args::from(argv, 2), ctx.string_max())?;
    let key = ctx.key(argv);
    let string = ctx.db.string(key)?;
    let bit = string.is_some_and(|string| string.with(|bytes| bits::get(bytes, offset)));
    ctx.reply.int(i64::from(bit));
    Ok(())
}

fn bitcount(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 2);
    let range = match args.left() {
        0 => BitRange::WHOLE,
        2 | 3 => BitRange {
            start: args.int()?,
            end: args.int()?,
            unit: Unit::read(&mut args)?,
        },
        _ => return Err(Error::Syntax.into()),
    };
    let key = ctx.key(argv);
    let count = image::read_string(
        ctx,
        key,
        |len| range.counted(len).len() / 8 / BYTES_PER_COST,
        |bytes| bits::count(bytes, range.counted(bytes.len())),
    )?;
    ctx.reply.len(count.unwrap_or(0));
    Ok(())
}

fn bitpos(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mut args = Args::from(argv, 2);
    let value = match args.int()? {
        0 => false,
        1 => true,
        _ => return Err(Error::text("ERR The bit argument must be 1 or 0.").into()),
    };
    let (range, has_end) = search_range(args)?;
    let key = ctx.key(argv);
    let found = image::read_string(
        ctx,
        key,
        |len| range.bits(len).len() / 8 / BYTES_PER_COST,
        |bytes| {
            let bits = range.bits(bytes.len());
            let found = bits::find(bytes, value, bits.clone());
            // Without an end, what is behind the string counts as clear bits.
            let beyond = !value && !has_end && !bits.is_empty();
            found.or(beyond.then_some(bits.end))
        },
    )?;
    match found {
        Some(Some(at)) => ctx.reply.len(at),
        Some(None) => ctx.reply.int(-1),
        None => ctx.reply.int(if value { -1 } else { 0 }),
    }
    Ok(())
}

/// The range that BITPOS searches, and whether its end was given. The unit is read
/// before the end, as Redis checks them.
fn search_range(mut args: Args<'_>) -> Result<(BitRange, bool), Error> {
    let mut range = BitRange::WHOLE;
    let given = args.left();
    if given > 3 {
        return Err(Error::Syntax);
    }
    if given > 0 {
        range.start = args.int()?;
    }
    if given > 1 {
        let mut unit = args;
        unit.bytes()?;
        range.unit = Unit::read(&mut unit)?;
        range.end = args.int()?;
    }
    Ok((range, given > 1))
}

fn bitop(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let op = Op::named(argv.get(1)).ok_or(Error::Syntax)?;
    let sources = argv.len() - 3;
    match op {
        Op::Not if sources != 1 => {
            return Err(
                Error::text("ERR BITOP NOT must be called with a single source key.").into(),
            );
        }
        Op::Diff | Op::Diff1 | Op::AndOr if sources < 2 => {
            let name = String::from_utf8_lossy(argv.get(1)).to_ascii_uppercase();
            let text = format!("ERR BITOP {name} must be called with at least two source keys.");
            return Err(Error::Text(text.into()).into());
        }
        _ => {}
    }
    let to = ctx.nth_key(argv, 0, 2);
    let from: Vec<Key<'_>> = (1..=sources)
        .map(|nth| ctx.nth_key(argv, nth, nth + 2))
        .collect();
    let result = image::apart(
        ctx,
        &from,
        |images| images.iter().flatten().map(Bytes::len).sum::<usize>() / BYTES_PER_COST,
        |images| {
            let sources: Vec<&[u8]> = (images.iter())
                .map(|image| image.as_deref().unwrap_or_default())
                .collect();
            bits::combine(op, &sources)
        },
    )?;
    ctx.reply.len(result.len());
    ctx.db.store_bits(to, result);
    Ok(())
}

/// BITFIELD and BITFIELD_RO.
fn fields(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, access: Access) -> Outcome {
    let steps = fields::parse(Args::from(argv, 2), ctx.string_max())?;
    let len = (steps.iter().map(store::bitmap::Step::len_needed).max()).unwrap_or(0);
    let key = ctx.key(argv);
    if len == 0 {
        ctx.db.expect_type(key, store::entry::Type::String)?;
        ctx.reply.array(steps.len());
        let reply = &mut *ctx.reply;
        ctx.db.read_fields(key, &steps, |value| reply.int(value))?;
        return Ok(());
    }
    if access == Access::ReadOnly {
        let text = "ERR BITFIELD_RO only supports the GET subcommand";
        return Err(Error::text(text).into());
    }
    ctx.db.expect_type(key, store::entry::Type::String)?;
    afford_edit(ctx, key, len)?;
    ctx.reply.array(steps.len());
    let reply = &mut *ctx.reply;
    ctx.db.bit_fields(key, &steps, |value| match value {
        Some(value) => reply.int(value),
        None => reply.null(),
    })?;
    Ok(())
}

fn bitfield(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    fields(ctx, argv, Access::ReadWrite)
}

fn bitfield_ro(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    fields(ctx, argv, Access::ReadOnly)
}

/// An offset of a field: a number, or `#` and a number of fields of its width.
fn field_offset(text: &[u8], bits: usize, string_max: usize) -> Result<usize, Error> {
    let (digits, scale) = match text {
        [b'#', digits @ ..] => (digits, bits as i64),
        _ => (text, 1),
    };
    let offset = (num::parse_i64(digits).and_then(|number| number.checked_mul(scale)))
        .and_then(|offset| usize::try_from(offset).ok());
    offset
        .filter(|offset| offset / 8 < string_max)
        .ok_or(OFFSET)
}
