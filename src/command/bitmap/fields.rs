//! The arguments of BITFIELD: types, offsets, and what to do with the fields.

use super::field_offset;
use crate::command::args::Args;
use crate::command::error::Error;
use crate::ds::bits::{Field, Overflow};
use crate::store::bitmap::{Action, Step};

/// What a command may do with the fields it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    ReadOnly,
    ReadWrite,
}

/// All steps, in order.
pub fn parse(mut args: Args<'_>, string_max: usize) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    let mut overflow = Overflow::Wrap;
    while !args.is_done() {
        if args.left() >= 3 && args.word("GET") {
            let (field, offset) = place(&mut args, string_max)?;
            let action = Action::Get;
            steps.push(Step {
                field,
                offset,
                action,
            });
        } else if args.left() >= 4 && args.word("SET") {
            steps.push(write(&mut args, string_max, overflow, Action::Set)?);
        } else if args.left() >= 4 && args.word("INCRBY") {
            steps.push(write(&mut args, string_max, overflow, Action::Add)?);
        } else if args.left() >= 2 && args.word("OVERFLOW") {
            overflow = policy(&mut args)?;
        } else {
            return Err(Error::Syntax);
        }
    }
    Ok(steps)
}

/// A step that writes: place and number.
fn write(
    args: &mut Args<'_>,
    string_max: usize,
    overflow: Overflow,
    action: fn(i64, Overflow) -> Action,
) -> Result<Step, Error> {
    let (field, offset) = place(args, string_max)?;
    let action = action(args.int()?, overflow);
    Ok(Step {
        field,
        offset,
        action,
    })
}

/// The type of a field and its offset.
fn place(args: &mut Args<'_>, string_max: usize) -> Result<(Field, usize), Error> {
    let field = field(args.bytes()?)?;
    let offset = field_offset(args.bytes()?, field.bits(), string_max)?;
    Ok((field, offset))
}

fn field(text: &[u8]) -> Result<Field, Error> {
    const TYPE: Error = Error::text(
        "ERR Invalid bitfield type. Use something like i16 u8. \
         Note that u64 is not supported but i64 is.",
    );
    let (signed, digits) = match text {
        [b'i', digits @ ..] => (true, digits),
        [b'u', digits @ ..] => (false, digits),
        _ => return Err(TYPE),
    };
    crate::base::num::parse_i64(digits)
        .and_then(|bits| u32::try_from(bits).ok())
        .and_then(|bits| Field::new(signed, bits))
        .ok_or(TYPE)
}

fn policy(args: &mut Args<'_>) -> Result<Overflow, Error> {
    if args.word("WRAP") {
        Ok(Overflow::Wrap)
    } else if args.word("SAT") {
        Ok(Overflow::Saturate)
    } else if args.word("FAIL") {
        Ok(Overflow::Fail)
    } else {
        Err(Error::text("ERR Invalid OVERFLOW type specified"))
    }
}
