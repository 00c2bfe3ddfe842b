//! Ranges of BITCOUNT and BITPOS: signed and inclusive, in bytes or bits.

use std::ops::Range;

use crate::command::args::Args;
use crate::command::error::Error;

/// What a range counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Byte,
    Bit,
}

impl Unit {
    /// The next argument; bytes where there is none.
    pub fn read(args: &mut Args<'_>) -> Result<Unit, Error> {
        if args.is_done() || args.word("BYTE") {
            Ok(Unit::Byte)
        } else if args.word("BIT") {
            Ok(Unit::Bit)
        } else {
            Err(Error::Syntax)
        }
    }

    fn bits(self) -> usize {
        match self {
            Unit::Byte => 8,
            Unit::Bit => 1,
        }
    }
}

/// A range as it was written; negative numbers count from the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitRange {
    pub start: i64,
    pub end: i64,
    pub unit: Unit,
}

impl BitRange {
    pub const WHOLE: BitRange = BitRange {
        start: 0,
        end: -1,
        unit: Unit::Byte,
    };

    /// The bits meant in a string of so many bytes.
    pub fn bits(self, len: usize) -> Range<usize> {
        let unit = self.unit.bits();
        let total = (len * 8 / unit) as i64;
        let from_head = |at: i64| if at < 0 { (at + total).max(0) } else { at };
        let (start, end) = (from_head(self.start), from_head(self.end).min(total - 1));
        if start > end {
            return 0..0;
        }
        start as usize * unit..(end as usize + 1) * unit
    }

    /// As BITCOUNT has it: a range that is the wrong way round before its numbers
    /// are clamped is empty after it too.
    pub fn counted(self, len: usize) -> Range<usize> {
        if self.start < 0 && self.end < 0 && self.start > self.end {
            return 0..0;
        }
        self.bits(len)
    }
}
