//! Large strings read without the locks: what the families that look at whole
//! strings share.
//!
//! A large string is shared bytes: an image of it is one more reference, taken under
//! the lock and read when the locks are given back. While somebody holds an image
//! nobody changes those bytes; a writer makes others. So whether a string is still
//! the one that an image was taken of is one comparison of addresses, and a long
//! computation that ends in a write ([`apart`]) needs the locks only for a moment at
//! each end.

use bytes::Bytes;

use super::ctx::{Ctx, LIGHT_COST, Stop, afford};
use crate::store::entry::INLINE_MAX;
use crate::store::{Db, Error, Key};

/// Bytes that are looked at, filled or copied in the time that one element takes.
pub const BYTES_PER_COST: usize = 256;

/// Hands the string at `key` to `read`; `None` without one. Where `cost`, given the
/// length, says that reading takes long, it happens without the locks.
pub fn read_string<R>(
    ctx: &mut Ctx<'_, '_>,
    key: Key<'_>,
    cost: impl FnOnce(usize) -> usize,
    read: impl FnOnce(&[u8]) -> R,
) -> Result<Option<R>, Stop> {
    let alone = ctx.alone;
    let Some(string) = ctx.db.string(key)? else {
        return Ok(None);
    };
    let cost = cost(string.len());
    afford(alone, cost)?;
    if cost <= LIGHT_COST {
        return Ok(Some(string.with(read)));
    }
    let image = string.to_bytes();
    ctx.db.release();
    Ok(Some(read(&image)))
}

/// Images of several strings.
pub type Images = Vec<Option<Bytes>>;

/// Computes something of the strings at `keys`; when it returns the locks are held
/// and the strings are still those that were computed from. Where `cost` says that
/// it takes long, the locks are given back meanwhile.
pub fn apart<R>(
    ctx: &mut Ctx<'_, '_>,
    keys: &[Key<'_>],
    cost: impl FnOnce(&Images) -> usize,
    compute: impl Fn(&Images) -> R,
) -> Result<R, Stop> {
    let images = images(ctx.db, keys)?;
    let cost = cost(&images);
    ctx.afford(cost)?;
    let aside = if cost > LIGHT_COST {
        drop(images);
        ctx.db.aside(
            |db| self::images(db, keys),
            |db, images| self::images(db, keys).is_ok_and(|now| are_same(images, &now)),
            |images| compute(images),
        )?
    } else {
        None
    };
    match aside {
        Some(result) => Ok(result),
        None => Ok(compute(&self::images(ctx.db, keys)?)),
    }
}

fn images(db: &Db<'_>, keys: &[Key<'_>]) -> Result<Images, Error> {
    keys.iter().map(|key| db.string_image(*key)).collect()
}

fn are_same(a: &Images, b: &Images) -> bool {
    a.iter().zip(b).all(|(a, b)| is_same(a, b))
}

/// Whether two images are of one string that has not changed in between. The first
/// is still held, so bytes at its address are its own.
fn is_same(a: &Option<Bytes>, b: &Option<Bytes>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) if a.len() <= INLINE_MAX => a == b,
        (Some(a), Some(b)) => a.len() == b.len() && a.as_ptr() == b.as_ptr(),
        _ => false,
    }
}
