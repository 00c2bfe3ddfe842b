//! The envelope of DUMP and RESTORE.
//!
//! ```text
//! payload  kind(1) body version(2, little) crc64(8, little, over all before it)
//! ```

use super::decode::{self, Layout};
use super::read::Source;
use super::write::Writer;
use super::{Error, Target, VALKEY_FIRST, encode};
use crate::base::clock::Millis;
use crate::base::crc64::crc64;
use crate::store::entry::ValueRef;
use crate::store::image::Image;

const VERSION_BYTES: usize = 2;
const CHECKSUM_BYTES: usize = 8;
/// The greatest version that Redis 8 writes.
const REDIS_LAST: u16 = 13;
/// The greatest version that Valkey 9 writes.
const VALKEY_LAST: u16 = 81;

/// Whether this is a version whose objects can be read.
pub fn is_known_version(version: u16) -> bool {
    version <= REDIS_LAST || (VALKEY_FIRST..=VALKEY_LAST).contains(&version)
}

/// `value` as a payload, as it is at `now`. O(bytes).
pub fn write(value: ValueRef<'_>, now: Millis, target: Target, compress: bool) -> Vec<u8> {
    let (kind, target) = encode::form(value, now, target);
    let mut out = Writer::new(Vec::new(), compress);
    out.byte(kind);
    encode::body(&mut out, value, now, kind);
    let mut payload = out.into_sink();
    payload.extend(target.version().to_le_bytes());
    payload.extend(crc64(0, &payload).to_le_bytes());
    payload
}

/// A payload whose version is known and whose checksum is right.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    object: &'a [u8],
    version: u16,
}

impl<'a> Payload<'a> {
    /// Looks at the envelope alone; `None` where it is wrong. O(bytes).
    pub fn open(payload: &'a [u8]) -> Option<Payload<'a>> {
        let (signed, checksum) = payload.split_last_chunk::<CHECKSUM_BYTES>()?;
        let (object, version) = signed.split_last_chunk::<VERSION_BYTES>()?;
        let version = u16::from_le_bytes(*version);
        let whole = crc64(0, signed) == u64::from_le_bytes(*checksum);
        (is_known_version(version) && whole).then_some(Payload { object, version })
    }

    /// The value inside. O(bytes), O(bytes log bytes) for sorted sets.
    ///
    /// # Errors
    /// When it is not a value.
    pub fn value(self, layout: &Layout<'_>) -> Result<Image, Error> {
        let mut source = self.object;
        let kind = source.byte()?;
        let image = decode::object(&mut source, kind, self.version, layout)?;
        if source.left() > 0 {
            return Err(Error::Trailing);
        }
        Ok(image)
    }
}
