//! Packed elements that come from outside: listpacks as they are, and the older forms
//! that are turned into them.
//!
//! ```text
//! ziplist  bytes(4) last(4) count(2) entries FF        all numbers little-endian
//! entry    before(1) | FE before(4)                    size of the entry before it
//!          00llllll bytes | 01llllll l bytes | 80 l(4, big) bytes
//!          C0 int(2) | F0 int(3) | D0 int(4) | E0 int(8) | FE int(1) | F1..FD: 0..12
//! zipmap   count(1) { length key length spare(1) value spare-bytes } FF
//!          where length is one byte up to 253, or FE and four bytes
//! ```
//!
//! What leaves this file is a [`Packed`] as this server would have written it: every
//! entry checked, and every text that is a canonical integer kept as the integer.

use super::Error;
use super::read::Source;
use crate::base::num;
use crate::ds::packed::{Elem, Packed};

const END: u8 = 0xff;
/// Bytes of a ziplist before its entries.
const ZIPLIST_HEADER: usize = 10;
/// A count that says that it is not known.
const COUNT_UNKNOWN: u16 = u16::MAX;
/// A length or size in one byte is below this; this byte announces four more.
const LONG: u8 = 254;

/// How elements are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Listpack,
    Ziplist,
}

/// The next string of `source` as packed elements. O(bytes).
pub(super) fn read<S: Source>(source: &mut S, form: Form) -> Result<Packed, Error> {
    source.text()?.with(|bytes| match form {
        Form::Listpack => listpack(bytes),
        Form::Ziplist => ziplist(bytes),
    })
}

/// A listpack, with numbers that were written as texts turned into numbers.
pub(super) fn listpack(bytes: &[u8]) -> Result<Packed, Error> {
    let packed = Packed::from_listpack(bytes).map_err(|_| Error::Packed)?;
    if packed.iter().all(is_canonical) {
        return Ok(packed);
    }
    let mut canonical = Packed::with_room(packed.byte_len(), false);
    packed
        .iter()
        .for_each(|elem| elem.with_bytes(|text| canonical.push_back(text)));
    Ok(canonical)
}

fn is_canonical(elem: Elem<'_>) -> bool {
    match elem {
        Elem::Int(_) => true,
        Elem::Str(text) => text.len() > num::I64_TEXT_MAX || num::parse_i64(text).is_none(),
    }
}

/// The next bytes of a packed form; whatever is missing is damage.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Error::Packed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Error::Packed)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn u32(&mut self) -> Result<usize, Error> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }

    /// The end mark, with nothing behind it.
    fn end(&mut self) -> Result<(), Error> {
        if self.byte()? == END && self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Packed)
        }
    }
}

/// A ziplist as packed elements.
pub(super) fn ziplist(whole: &[u8]) -> Result<Packed, Error> {
    let mut bytes = Bytes(whole);
    let (total, last) = (bytes.u32()?, bytes.u32()?);
    let count = u16::from_le_bytes(bytes.array()?);
    if total != whole.len() {
        return Err(Error::Packed);
    }
    let mut packed = Packed::with_room(total, false);
    let (mut before, mut last_at) = (0, ZIPLIST_HEADER);
    while bytes.0.first().is_some_and(|&byte| byte != END) {
        let start = bytes.0.len();
        if ziplist_size_before(&mut bytes)? != before {
            return Err(Error::Packed);
        }
        let elem = ziplist_elem(&mut bytes)?;
        if !packed.can_hold(Packed::elem_size(elem)) {
            return Err(Error::Packed);
        }
        packed.push_back_elem(elem);
        last_at = whole.len() - start;
        before = start - bytes.0.len();
    }
    bytes.end()?;
    let counted = count == COUNT_UNKNOWN || usize::from(count) == packed.len();
    if last != last_at || !counted {
        return Err(Error::Packed);
    }
    Ok(packed)
}

fn ziplist_size_before(bytes: &mut Bytes<'_>) -> Result<usize, Error> {
    match bytes.byte()? {
        LONG => bytes.u32(),
        short => Ok(short.into()),
    }
}

fn ziplist_elem<'a>(bytes: &mut Bytes<'a>) -> Result<Elem<'a>, Error> {
    let tag = bytes.byte()?;
    let len = match tag {
        0..0x40 => usize::from(tag),
        0x40..0x80 => u16::from_be_bytes([tag & 0x3f, bytes.byte()?]).into(),
        0x80 => u32::from_be_bytes(bytes.array()?) as usize,
        _ => return ziplist_int(bytes, tag).map(Elem::Int),
    };
    Ok(Elem::parse(bytes.take(len)?))
}

fn ziplist_int(bytes: &mut Bytes<'_>, tag: u8) -> Result<i64, Error> {
    Ok(match tag {
        0xc0 => i16::from_le_bytes(bytes.array()?).into(),
        0xd0 => i32::from_le_bytes(bytes.array()?).into(),
        0xe0 => i64::from_le_bytes(bytes.array()?),
        0xf0 => {
            let [a, b, c] = bytes.array()?;
            // At the top, so that the shift brings the sign down.
            i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)
        }
        0xf1..=0xfd => i64::from(tag - 0xf1),
        0xfe => i8::from_le_bytes(bytes.array()?).into(),
        _ => return Err(Error::Packed),
    })
}

/// A zipmap as packed elements, keys and values by turns.
pub(super) fn zipmap(whole: &[u8]) -> Result<Packed, Error> {
    let mut bytes = Bytes(whole);
    let count = bytes.byte()?;
    let mut packed = Packed::with_room(whole.len(), false);
    while bytes.0.first().is_some_and(|&byte| byte != END) {
        let len = zipmap_len(&mut bytes)?;
        packed.push_back(bytes.take(len)?);
        let len = zipmap_len(&mut bytes)?;
        let spare = bytes.byte()?;
        packed.push_back(bytes.take(len)?);
        bytes.take(spare.into())?;
    }
    bytes.end()?;
    // A count of 254 says that there are so many or more.
    if count < LONG && usize::from(count) * 2 != packed.len() {
        return Err(Error::Packed);
    }
    Ok(packed)
}

fn zipmap_len(bytes: &mut Bytes<'_>) -> Result<usize, Error> {
    match bytes.byte()? {
        END => Err(Error::Packed),
        LONG => bytes.u32(),
        short => Ok(short.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(packed: &Packed) -> Vec<String> {
        let text = |elem: Elem<'_>| String::from_utf8_lossy(&elem.to_vec()).into_owned();
        packed.iter().map(text).collect()
    }

    /// What redis 3.2 made of `RPUSH l 0 12 -1 300 70000 9000000000 hello`.
    fn sample() -> Vec<u8> {
        let mut entries: Vec<Vec<u8>> = vec![
            vec![0xf1],
            vec![0xfd],
            vec![0xfe, 0xff],
            vec![0xc0, 0x2c, 0x01],
            vec![0xf0, 0x70, 0x11, 0x01],
        ];
        entries.push([&[0xe0], 9_000_000_000i64.to_le_bytes().as_slice()].concat());
        entries.push(b"\x05hello".to_vec());
        let (mut body, mut before, mut last) = (Vec::new(), 0u8, 0);
        for entry in &entries {
            last = ZIPLIST_HEADER + body.len();
            body.push(before);
            body.extend(entry);
            before = entry.len() as u8 + 1;
        }
        let mut out = ((ZIPLIST_HEADER + body.len() + 1) as u32)
            .to_le_bytes()
            .to_vec();
        out.extend((last as u32).to_le_bytes());
        out.extend((entries.len() as u16).to_le_bytes());
        out.extend(body);
        out.push(END);
        out
    }

    #[test]
    fn ziplists() {
        let packed = ziplist(&sample()).expect("a whole ziplist");
        let want = ["0", "12", "-1", "300", "70000", "9000000000", "hello"];
        assert_eq!(texts(&packed), want);
        for at in 0..sample().len() {
            let mut bad = sample();
            bad.truncate(at);
            assert_eq!(ziplist(&bad).err(), Some(Error::Packed), "cut at {at}");
        }
    }

    #[test]
    fn zipmaps() {
        let whole = b"\x02\x03foo\x03\x00bar\x05hello\x05\x02world..\xff";
        let packed = zipmap(whole).expect("a whole zipmap");
        assert_eq!(texts(&packed), ["foo", "bar", "hello", "world"]);
        for at in 0..whole.len() {
            assert!(zipmap(&whole[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn numbers_as_texts_become_numbers() {
        let bytes = b"\x0d\0\0\0\x02\0\x8212\x03\x05\x01\xff";
        let packed = listpack(bytes).expect("a whole listpack");
        let elems: Vec<Elem<'_>> = packed.iter().collect();
        assert_eq!(elems, [Elem::Int(12), Elem::Int(5)]);
    }
}
