//! Writing lengths, strings and numbers.

use super::lzf::Compressor;
use super::read::{INT8, INT16, INT32, LEN32, LEN64, LZF};
use crate::base::num;
use crate::ds::packed::Elem;

/// The longest text of a number that is written as one.
const INT_TEXT_MAX: usize = 11;
/// Strings up to this length are not worth compressing.
const PLAIN_MAX: usize = 20;
const SPECIAL: u8 = 0b1100_0000;

/// Where bytes go. It does not fail: one that can keeps its error for its owner.
pub trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Writes the parts of objects into a sink.
#[derive(Debug)]
pub struct Writer<S> {
    sink: S,
    compressor: Option<Compressor>,
}

impl<S: Sink> Writer<S> {
    /// A writer that compresses strings if it is told to.
    pub fn new(sink: S, compress: bool) -> Writer<S> {
        Writer {
            sink,
            compressor: compress.then(Compressor::default),
        }
    }

    /// The sink, for its owner's questions.
    pub fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Gives the sink back.
    pub fn into_sink(self) -> S {
        self.sink
    }

    /// Bytes as they are.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.sink.put(bytes);
    }

    #[inline]
    pub fn byte(&mut self, byte: u8) {
        self.sink.put(&[byte]);
    }

    /// A number in the form of a length.
    #[inline]
    pub fn number(&mut self, number: u64) {
        if number < 1 << 6 {
            self.byte(number as u8);
        } else if number < 1 << 14 {
            let [high, low] = (number as u16).to_be_bytes();
            self.raw(&[0x40 | high, low]);
        } else if let Ok(number) = u32::try_from(number) {
            self.byte(LEN32);
            self.raw(&number.to_be_bytes());
        } else {
            self.byte(LEN64);
            self.raw(&number.to_be_bytes());
        }
    }

    /// How many items follow.
    pub fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    /// A string, in the shortest of its forms.
    pub fn text(&mut self, text: &[u8]) {
        if text.len() <= INT_TEXT_MAX
            && let Some(int) = num::parse_i64(text)
            && self.short_int(int)
        {
            return;
        }
        self.blob(text);
    }

    /// A string that is no number: an element, or bytes of any kind.
    pub fn blob(&mut self, bytes: &[u8]) {
        let packed = match &mut self.compressor {
            Some(compressor) if bytes.len() > PLAIN_MAX => compressor.compress(bytes),
            _ => None,
        };
        let Some(packed) = packed else {
            self.count(bytes.len());
            return self.raw(bytes);
        };
        // The compressor's memory is lent out until the sink has it.
        let mut header = Writer::new(Vec::with_capacity(16), false);
        header.byte(SPECIAL | LZF);
        header.count(packed.len());
        header.count(bytes.len());
        self.sink.put(&header.sink);
        self.sink.put(packed);
    }

    /// The text of an integer.
    pub fn int(&mut self, int: i64) {
        if !self.short_int(int) {
            self.blob(itoa::Buffer::new().format(int).as_bytes());
        }
    }

    /// An element's text.
    pub fn elem(&mut self, elem: Elem<'_>) {
        match elem {
            Elem::Int(int) => self.int(int),
            Elem::Str(text) => self.text(text),
        }
    }

    /// A point in time, in milliseconds.
    pub fn millis(&mut self, at: i64) {
        self.raw(&at.to_le_bytes());
    }

    /// A score in eight bytes.
    pub fn score(&mut self, score: f64) {
        self.raw(&score.to_le_bytes());
    }

    /// Writes an integer of at most 32 bits; whether it was.
    fn short_int(&mut self, int: i64) -> bool {
        if let Ok(int) = i8::try_from(int) {
            self.raw(&[SPECIAL | INT8, int.cast_unsigned()]);
        } else if let Ok(int) = i16::try_from(int) {
            self.byte(SPECIAL | INT16);
            self.raw(&int.to_le_bytes());
        } else if let Ok(int) = i32::try_from(int) {
            self.byte(SPECIAL | INT32);
            self.raw(&int.to_le_bytes());
        } else {
            return false;
        }
        true
    }
}
