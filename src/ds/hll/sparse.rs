//! The sparse registers: runs of equal values, for counters that have seen few
//! elements.
//!
//! ```text
//! 00nnnnnn             n + 1 registers that are 0, up to 64
//! 01nnnnnn nnnnnnnn    n + 1 registers that are 0, up to 16384
//! 1vvvvvnn             n + 1 registers, up to 4, that are v + 1, up to 32
//! ```
//!
//! Raising a register splits its run in up to three and then joins runs of one
//! value that have become neighbours. The same elements in the same order have to
//! make the same bytes as in Redis, so which runs are joined, and how far from the
//! change, follows its rule: five runs, from the one before the change on.

use std::fmt::Write;

use super::{Counts, HEADER, Invalid, REGISTERS, Values};

/// One run of zeros for all registers.
pub(super) const ALL_ZERO: [u8; 2] = [0x7f, 0xff];

/// The greatest value of a run.
const VALUE_MAX: u8 = 32;
/// The most registers of a run with a value, and of a one-byte run of zeros.
const VALUES_MAX: usize = 4;
const ZEROS_MAX: usize = 64;
/// Runs that are looked at for joining.
const JOINED_MAX: usize = 5;

/// A run as it is read.
#[derive(Clone, Copy)]
struct Run {
    /// 0 for zeros.
    value: u8,
    registers: usize,
    /// Bytes that it takes.
    len: usize,
}

/// The run that starts at `at`; a second byte that is missing counts as 0.
fn run(bytes: &[u8], at: usize) -> Option<Run> {
    let first = *bytes.get(at)?;
    let low = usize::from(first & 0x3f);
    Some(match first >> 6 {
        0 => Run {
            value: 0,
            registers: low + 1,
            len: 1,
        },
        1 => Run {
            value: 0,
            registers: (low << 8 | usize::from(bytes.get(at + 1).copied().unwrap_or(0))) + 1,
            len: 2,
        },
        _ => Run {
            value: (first >> 2 & 0x1f) + 1,
            registers: usize::from(first & 3) + 1,
            len: 1,
        },
    })
}

fn runs(bytes: &[u8]) -> impl Iterator<Item = Run> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let run = run(bytes, at)?;
        at += run.len;
        Some(run)
    })
}

fn value_run(value: u8, registers: usize) -> u8 {
    0x80 | (value - 1) << 2 | (registers - 1) as u8
}

/// What [`raise`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raised {
    No,
    Yes,
    /// Nothing: the value or the length is too much for this encoding.
    TooLarge,
}

/// Where the next raise of a greater index may start to search: at a run, given
/// with the first of its registers, and what runs before it.
#[derive(Clone, Copy)]
pub(super) struct Cursor {
    here: (usize, usize),
    before: Option<(usize, usize)>,
}

impl Default for Cursor {
    fn default() -> Self {
        Cursor {
            here: (HEADER, 0),
            before: None,
        }
    }
}

/// Raises a register of a whole sparse counter to `rank`. O(length) from the
/// cursor on.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    cursor: &mut Cursor,
    index: usize,
    rank: u8,
    len_max: usize,
) -> Result<Raised, Invalid> {
    if rank > VALUE_MAX {
        return Ok(Raised::TooLarge);
    }
    let ((mut at, mut first), mut before) = (cursor.here, cursor.before);
    let mut before_that = None;
    let found = loop {
        let run = run(bytes, at).ok_or(Invalid::Corrupt)?;
        if index < first + run.registers {
            break run;
        }
        before_that = before;
        before = Some((at, first));
        (at, first) = (at + run.len, first + run.registers);
    };
    if found.value >= rank {
        return Ok(Raised::No);
    }
    if found.registers == 1 && found.len == 1 {
        bytes[at] = value_run(rank, 1);
    } else {
        let split = Split::of(found, index - first, rank);
        let len = bytes.len() - found.len.min(bytes.len() - at) + split.len;
        if len > bytes.len() && len > len_max {
            return Ok(Raised::TooLarge);
        }
        let end = bytes.len().min(at + found.len);
        bytes.splice(at..end, split.bytes[..split.len].iter().copied());
    }
    join(bytes, before.map_or(HEADER, |(at, _)| at));
    // Joining may have moved the next register into the run before this one, but
    // into none before that. Where that one is not known, start over.
    *cursor = match (before, before_that) {
        (Some(here), Some(_)) => Cursor {
            here,
            before: before_that,
        },
        _ => Cursor::default(),
    };
    Ok(Raised::Yes)
}

/// The up to three runs that take the place of one.
struct Split {
    bytes: [u8; 5],
    len: usize,
}

impl Split {
    /// Register `at` of the run gets a value of its own.
    fn of(run: Run, at: usize, rank: u8) -> Split {
        let mut split = Split {
            bytes: [0; 5],
            len: 0,
        };
        split.push(run.value, at);
        split.push(rank, 1);
        split.push(run.value, run.registers - at - 1);
        split
    }

    fn push(&mut self, value: u8, registers: usize) {
        let Some(rest) = registers.checked_sub(1) else {
            return;
        };
        if value > 0 {
            self.byte(value_run(value, registers));
        } else if registers <= ZEROS_MAX {
            self.byte(rest as u8);
        } else {
            self.byte(0x40 | (rest >> 8) as u8);
            self.byte(rest as u8);
        }
    }

    fn byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }
}

/// Joins neighbouring runs of one value, from the run at `at` on.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOINED_MAX {
        let Some(this) = run(bytes, at) else {
            return;
        };
        let next = (this.value > 0)
            .then(|| run(bytes, at + 1))
            .flatten()
            .filter(|next| next.value == this.value);
        match next.map(|next| this.registers + next.registers) {
            // The joined run stays in view: it may join the next one too.
            Some(registers) if registers <= VALUES_MAX => {
                bytes[at + 1] = value_run(this.value, registers);
                bytes.remove(at);
            }
            _ => at += this.len,
        }
    }
}

/// Raises each of `values` to what the register has. O(length).
pub(super) fn merge(bytes: &[u8], values: &mut Values) -> Result<(), Invalid> {
    let mut first = 0;
    for run in runs(bytes) {
        let registers = values.get_mut(first..first + run.registers);
        for value in registers.ok_or(Invalid::Corrupt)? {
            *value = (*value).max(run.value);
        }
        first += run.registers;
    }
    whole(first)
}

/// How many registers have each value. O(length).
pub(super) fn counts(bytes: &[u8]) -> Result<Counts, Invalid> {
    let mut counts = [0; 64];
    let mut first = 0;
    for run in runs(bytes) {
        first += run.registers;
        if first > REGISTERS {
            break;
        }
        counts[run.value as usize] += run.registers as u32;
    }
    whole(first)?;
    Ok(counts)
}

fn whole(registers: usize) -> Result<(), Invalid> {
    if registers == REGISTERS {
        Ok(())
    } else {
        Err(Invalid::Corrupt)
    }
}

/// The runs as text: `z` and `Z` for zeros in one and two bytes, `v` for values.
pub(super) fn decode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for run in runs(bytes) {
        let done = match (run.value, run.len) {
            (0, 1) => write!(text, "z:{} ", run.registers),
            (0, _) => write!(text, "Z:{} ", run.registers),
            (value, _) => write!(text, "v:{value},{} ", run.registers),
        };
        debug_assert!(done.is_ok(), "a String takes all");
    }
    text.truncate(text.trim_end().len());
    text
}
