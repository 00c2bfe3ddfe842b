//! Comparing before changing: the conditions IFEQ, IFNE, IFDEQ and IFDNE of SET and
//! DELEX, and the digest that the latter two compare.
//!
//! A value is compared where it lies. A digest reads all of it: of a large one from
//! an image, without the locks, and what was read is still the value when the change
//! is made.

use twox_hash::XxHash3_64;

use super::*;
use crate::command::Stop;
use crate::command::image;

/// Hexadecimal digits of a digest.
const DIGITS: usize = 16;

/// What the value of a key is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare<'a> {
    Equal(&'a [u8]),
    NotEqual(&'a [u8]),
    DigestEqual(&'a [u8]),
    DigestNotEqual(&'a [u8]),
}

/// Makes a comparison of its argument.
pub type Make<'a> = fn(&'a [u8]) -> Compare<'a>;

impl<'a> Compare<'a> {
    /// What makes the comparison with this name, in any case.
    pub fn named(name: &[u8]) -> Option<Make<'a>> {
        let named: [(&str, Make<'a>); 4] = [
            ("IFEQ", Compare::Equal),
            ("IFNE", Compare::NotEqual),
            ("IFDEQ", Compare::DigestEqual),
            ("IFDNE", Compare::DigestNotEqual),
        ];
        (named.into_iter())
            .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
            .map(|(_, compare)| compare)
    }

    /// Whether a key that is not there may be set.
    pub fn admits_absence(self) -> bool {
        matches!(self, Compare::NotEqual(_) | Compare::DigestNotEqual(_))
    }

    /// Whether the comparison holds for the string at `key`; `None` without one.
    pub fn check(self, ctx: &mut Ctx<'_, '_>, key: Key<'_>) -> Result<Option<bool>, Stop> {
        let (want, equal) = match self {
            Compare::Equal(value) => return Ok(is_value(ctx, key, value)?),
            Compare::NotEqual(value) => return Ok(is_value(ctx, key, value)?.map(|is| !is)),
            Compare::DigestEqual(digest) => (digest, true),
            Compare::DigestNotEqual(digest) => (digest, false),
        };
        let found = digest_of(ctx, key)?;
        if found.is_some() && want.len() != DIGITS {
            let text = "ERR must be exactly 16 hexadecimal characters";
            return Err(Error::text(text).into());
        }
        Ok(found.map(|digest| digest.as_bytes().eq_ignore_ascii_case(want) == equal))
    }
}

fn is_value(
    ctx: &mut Ctx<'_, '_>,
    key: Key<'_>,
    value: &[u8],
) -> Result<Option<bool>, store::Error> {
    let string = ctx.db.string(key)?;
    Ok(string.map(|string| string.with(|bytes| bytes == value)))
}

fn hex_digest(bytes: &[u8]) -> String {
    format!("{:016x}", XxHash3_64::oneshot(bytes))
}

/// The digest of the string at `key`, which is that string still.
fn digest_of(ctx: &mut Ctx<'_, '_>, key: Key<'_>) -> Result<Option<String>, Stop> {
    image::apart(
        ctx,
        &[key],
        |images| {
            images[0]
                .as_ref()
                .map_or(0, |image| image.len() / BYTES_PER_COST)
        },
        |images| images[0].as_deref().map(hex_digest),
    )
}

pub fn digest(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    match image::read_string(ctx, key, |len| len / BYTES_PER_COST, hex_digest)? {
        Some(digest) => ctx.reply.bulk(digest.as_bytes()),
        None => ctx.reply.null(),
    }
    Ok(())
}

pub fn delifeq(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let key = ctx.key(argv);
    let holds = Compare::Equal(argv.get(2)).check(ctx, key)?;
    delete_if(ctx, key, holds == Some(true));
    Ok(())
}

pub fn delex(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const TYPE: Error = Error::text("ERR Key should be of string type if conditions are specified");
    const CONDITION: Error = Error::text("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
    let key = ctx.key(argv);
    let found = ctx.db.peek(key).map(|entry| entry.value_type());
    let allowed = match (argv.len(), found) {
        (2, _) => found.is_some(),
        (4, None) => false,
        (4, Some(Type::String)) => {
            let compare = Compare::named(argv.get(2)).ok_or(CONDITION)?;
            compare(argv.get(3)).check(ctx, key)? == Some(true)
        }
        (4, Some(_)) => return Err(TYPE.into()),
        _ => return Err(Error::Arity(ctx.command.full_name.clone()).into()),
    };
    delete_if(ctx, key, allowed);
    Ok(())
}

fn delete_if(ctx: &mut Ctx<'_, '_>, key: Key<'_>, allowed: bool) {
    if allowed {
        ctx.db.delete_compared(key);
    }
    ctx.reply.int(i64::from(allowed));
}
