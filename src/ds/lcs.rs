//! The longest common subsequence of two strings, and where it stands in them.
//!
//! The usual table of lengths, `len(i, j)` for the first `i` bytes of one string
//! and the first `j` of the other, takes four bytes a cell. Two neighbours in a row
//! differ by 0 or 1, so a bit a cell tells all; and a row of bits follows from the
//! one before by an addition with carries (Hyyro 2004), 64 cells at a time:
//!
//! ```text
//! row' = (row + (row & match)) | (row & !match)      a 0 where len grows by 1
//! ```
//!
//! That is 32 times less memory and some 50 times less work than the table. The way
//! back through the rows is the one that the table would give, ties included: a
//! match is taken where the last bytes agree, else the way goes to the longer side,
//! and to the side of the second string where both are alike.

#[cfg(test)]
mod tests;

/// Bytes of rows that [`common`] keeps for strings of these lengths; the masks of
/// matches take as much at most.
pub fn bytes_needed(a: usize, b: usize) -> usize {
    a.div_ceil(64).saturating_mul(8).saturating_mul(b)
}

/// A piece of both strings that belongs to the subsequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub a: usize,
    pub b: usize,
    pub len: usize,
}

/// The longest common subsequence.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Common {
    pub text: Vec<u8>,
    /// From the end of the strings to their beginning.
    pub pieces: Vec<Piece>,
}

/// The length of the longest common subsequence. O(a * b / 64).
pub fn length(a: &[u8], b: &[u8]) -> usize {
    let masks = Masks::of(a, b);
    let mut row = vec![u64::MAX; masks.words];
    b.iter()
        .for_each(|&byte| advance(&mut row, masks.get(byte)));
    zeros(&row, a.len())
}

/// The longest common subsequence with its pieces. O(a * b / 64).
pub fn common(a: &[u8], b: &[u8]) -> Common {
    let rows = Rows::of(a, b);
    let mut common = Common::default();
    let (mut i, mut j) = (a.len(), b.len());
    let (mut here, mut above) = (rows.len(i, j), rows.len(i, j.saturating_sub(1)));
    while i > 0 && j > 0 {
        let matched = a[i - 1] == b[j - 1];
        if matched {
            common.take(i - 1, j - 1, a[i - 1]);
        }
        let grows = rows.grows(i, j);
        // The cell to the left is longer than the one above.
        let left = !matched && !grows && above < here;
        if matched || left {
            here -= usize::from(grows);
            above -= usize::from(rows.grows(i, j - 1));
            i -= 1;
        }
        if !left {
            j -= 1;
            here = above;
            above = rows.len(i, j.saturating_sub(1));
        }
    }
    common.text.reverse();
    common
}

impl Common {
    fn take(&mut self, i: usize, j: usize, byte: u8) {
        self.text.push(byte);
        match self.pieces.last_mut() {
            Some(piece) if piece.a == i + 1 && piece.b == j + 1 => {
                *piece = Piece {
                    a: i,
                    b: j,
                    len: piece.len + 1,
                };
            }
            _ => self.pieces.push(Piece { a: i, b: j, len: 1 }),
        }
    }
}

/// All rows, one for each byte of the second string.
struct Rows {
    words: usize,
    bits: Vec<u64>,
}

impl Rows {
    fn of(a: &[u8], b: &[u8]) -> Rows {
        let masks = Masks::of(a, b);
        let words = masks.words;
        let mut bits = Vec::with_capacity(words * b.len());
        let mut row = vec![u64::MAX; words];
        for &byte in b {
            advance(&mut row, masks.get(byte));
            bits.extend_from_slice(&row);
        }
        Rows { words, bits }
    }

    /// The row of the first `j` bytes; none for 0, where all lengths are 0.
    fn row(&self, j: usize) -> Option<&[u64]> {
        let end = j * self.words;
        (j > 0).then(|| &self.bits[end - self.words..end])
    }

    /// Whether `len(i, j)` is more than `len(i - 1, j)`.
    fn grows(&self, i: usize, j: usize) -> bool {
        let bit = i - 1;
        (self.row(j)).is_some_and(|row| row[bit / 64] >> (bit % 64) & 1 == 0)
    }

    /// `len(i, j)`. O(i / 64).
    fn len(&self, i: usize, j: usize) -> usize {
        self.row(j).map_or(0, |row| zeros(row, i))
    }
}

/// For each byte that the second string has, where the first has it too.
struct Masks {
    words: usize,
    /// Where the mask of each byte starts.
    starts: [usize; 256],
    bits: Vec<u64>,
}

impl Masks {
    fn of(a: &[u8], b: &[u8]) -> Masks {
        const NONE: usize = usize::MAX;
        let words = a.len().div_ceil(64);
        let mut masks = Masks {
            words,
            starts: [NONE; 256],
            bits: Vec::new(),
        };
        for &byte in b {
            let start = &mut masks.starts[byte as usize];
            if *start == NONE {
                *start = masks.bits.len();
                masks.bits.resize(*start + words, 0);
            }
        }
        for (at, &byte) in a.iter().enumerate() {
            let start = masks.starts[byte as usize];
            if start != NONE {
                masks.bits[start + at / 64] |= 1 << (at % 64);
            }
        }
        masks
    }

    /// The mask of a byte of the second string.
    fn get(&self, byte: u8) -> &[u64] {
        let start = self.starts[byte as usize];
        &self.bits[start..start + self.words]
    }
}

/// Goes from one row to the next.
fn advance(row: &mut [u64], mask: &[u64]) {
    let mut carry = false;
    for (word, mask) in row.iter_mut().zip(mask) {
        let (sum, over) = word.overflowing_add(*word & mask);
        let (sum, over_again) = sum.overflowing_add(u64::from(carry));
        carry = over || over_again;
        *word = sum | (*word & !mask);
    }
}

/// How many of the first `bits` are 0.
fn zeros(row: &[u64], bits: usize) -> usize {
    let (whole, rest) = (bits / 64, bits % 64);
    let ones: u32 = row[..whole].iter().map(|word| word.count_ones()).sum();
    let tail = match rest {
        0 => 0,
        _ => (row[whole] << (64 - rest)).count_ones(),
    };
    bits - (ones + tail) as usize
}
