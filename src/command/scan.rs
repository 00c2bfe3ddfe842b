//! What SCAN and its kin for one key's elements (HSCAN, SSCAN, ZSCAN) share: the
//! cursor, the count and the pattern.

use super::args::Args;
use super::error::Error;
use crate::base::glob;

/// Elements that a scan looks at when it is not told how many, as in Redis.
pub const COUNT_DEFAULT: usize = 10;

/// The number behind COUNT, at least 1.
pub fn scan_count(args: &mut Args<'_>) -> Result<usize, Error> {
    match usize::try_from(args.int()?) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(Error::Syntax),
    }
}

/// A cursor as C's strtoul reads it for Redis, up to 7.2 at least: up to a NUL, with
/// a sign, a negative one counted from 2^64 down, and nothing at all as 0.
pub fn cursor(text: &[u8]) -> Result<u64, Error> {
    const INVALID: Error = Error::text("ERR invalid cursor");
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Ok(0);
    }
    let negative = text.starts_with(b"-");
    let digits = &text[usize::from(negative || text.starts_with(b"+"))..];
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(INVALID);
    }
    let digits = std::str::from_utf8(digits).map_err(|_| INVALID)?;
    let value: u64 = digits.parse().map_err(|_| INVALID)?;
    Ok(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

/// Whether a key or element is what a pattern asks for. The bare star asks for all,
/// the empty one too.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    pattern == b"*" || glob::matches(pattern, text)
}
