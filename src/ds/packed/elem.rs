//! What an element looks like outside its encoding: a borrowed view, an owned
//! value, and a needle to search with.
//!
//! A packed sequence stores the text of a canonical integer as the integer.
//! "Canonical" means that printing the number gives the same text back, so
//! "12" is one and "012", "+12", "-0" and "" are not; nothing is lost, and a
//! reader never has to know which of the two an element was written as.

use bytes::Bytes;

use crate::base::num;

/// A borrowed view of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elem<'a> {
    /// An element whose text is a canonical integer.
    Int(i64),
    /// Any other byte string.
    Str(&'a [u8]),
}

impl<'a> Elem<'a> {
    /// The view under which `bytes` would be stored.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Elem<'a> {
        match num::parse_i64(bytes) {
            Some(value) => Elem::Int(value),
            None => Elem::Str(bytes),
        }
    }

    /// Calls `f` with the element's text, without allocating.
    #[inline]
    pub fn with_bytes<R>(self, f: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Elem::Int(value) => f(itoa::Buffer::new().format(value).as_bytes()),
            Elem::Str(bytes) => f(bytes),
        }
    }

    /// Appends the element's text to `out`.
    #[inline]
    pub fn write_to(self, out: &mut Vec<u8>) {
        self.with_bytes(|text| out.extend_from_slice(text));
    }

    /// The element's text as a new vector.
    pub fn to_vec(self) -> Vec<u8> {
        self.with_bytes(<[u8]>::to_vec)
    }

    /// The element as an owned value; strings are copied.
    pub fn to_value(self) -> Value {
        match self {
            Elem::Int(value) => Value::Int(value),
            Elem::Str(bytes) => Value::Str(Bytes::copy_from_slice(bytes)),
        }
    }

    /// The length of the element's text in bytes.
    pub fn text_len(self) -> usize {
        self.with_bytes(<[u8]>::len)
    }

    /// Whether the element's text is `bytes`. To compare one text with many
    /// elements, parse it once: [`Needle`] with [`Elem::matches`].
    pub fn eq_bytes(self, bytes: &[u8]) -> bool {
        self.matches(&Needle::new(bytes))
    }

    /// Whether the element's text is the needle's.
    #[inline]
    pub fn matches(self, needle: &Needle<'_>) -> bool {
        match self {
            Elem::Int(value) => needle.int == Some(value),
            Elem::Str(bytes) => needle.bytes == bytes,
        }
    }
}

/// One element, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An element whose text is a canonical integer.
    Int(i64),
    /// Any other byte string. A huge element is shared with the list it came
    /// from, not copied.
    Str(Bytes),
}

impl Value {
    /// The borrowed view of the value.
    pub fn as_elem(&self) -> Elem<'_> {
        match self {
            Value::Int(value) => Elem::Int(*value),
            Value::Str(bytes) => Elem::Str(bytes),
        }
    }
}

/// A text to search for, parsed once and compared with many elements.
///
/// It keeps both readings because bytes written by others may hold the text
/// of a number as a string; such an element must still be found.
#[derive(Clone, Copy, Debug)]
pub struct Needle<'a> {
    bytes: &'a [u8],
    int: Option<i64>,
}

impl<'a> Needle<'a> {
    /// Parses `bytes`. O(length), at most 20 bytes of it.
    pub fn new(bytes: &'a [u8]) -> Needle<'a> {
        Needle {
            bytes,
            int: num::parse_i64(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_integers_are_integers() {
        for value in [0, 1, -1, 9, 10, 127, 128, -128, 99_999, i64::MAX, i64::MIN] {
            let text = value.to_string();
            assert_eq!(Elem::parse(text.as_bytes()), Elem::Int(value));
            assert_eq!(Elem::Int(value).to_vec(), text.as_bytes());
        }
    }

    #[test]
    fn everything_else_is_a_string() {
        let texts: [&[u8]; 13] = [
            b"",
            b"-",
            b"-0",
            b"00",
            b"01",
            b"+1",
            b" 1",
            b"1 ",
            b"1a",
            b"1.0",
            b"9223372036854775808",
            b"-9223372036854775809",
            b"99999999999999999999",
        ];
        for text in texts {
            assert_eq!(Elem::parse(text), Elem::Str(text));
        }
    }

    #[test]
    fn a_needle_finds_a_number_in_either_form() {
        let needle = Needle::new(b"17");
        assert!(Elem::Int(17).matches(&needle));
        assert!(Elem::Str(b"17").matches(&needle));
        assert!(!Elem::Int(18).matches(&needle));
        assert!(!Elem::Str(b"017").matches(&needle));
        assert!(Elem::Str(b"017").eq_bytes(b"017"));
    }

    #[test]
    fn views_and_values_agree() {
        for text in [&b"12"[..], b"abc", b""] {
            let elem = Elem::parse(text);
            assert_eq!(elem.to_value().as_elem(), elem);
            assert_eq!(elem.text_len(), text.len());
        }
    }
}
