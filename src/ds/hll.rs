//! HyperLogLog: how many different elements there were, to 0.81 % and in 12 KB at
//! most, whatever their number.
//!
//! Each element's hash names one of 16384 registers and brings it a rank: the
//! place of the first set bit in the rest of the hash. A register keeps the
//! greatest rank it was brought, and the distribution of the registers' values
//! tells the number of elements ([`estimate`]). Two counters merge by the greater
//! value of each register.
//!
//! The value is a string in Redis's own layout, byte for byte, since clients read
//! and write it with GET and SET:
//!
//! ```text
//! 0      4        5       8                 16
//! +------+--------+-------+-----------------+-----------------------------+
//! | HYLL |encoding| unused| cached estimate | registers                   |
//! +------+--------+-------+-----------------+-----------------------------+
//!          0 dense          little endian;    dense:  16384 x 6 bits
//!          1 sparse         bit 63: stale     sparse: runs, see `sparse`
//! ```
//!
//! Must stay true: any client can write any bytes, so nothing here trusts what it
//! reads. Wrong bytes end in [`Invalid`], never in a panic, and never in more work
//! than a full set of registers asks for.

mod dense;
mod sparse;
#[cfg(test)]
mod tests;

use crate::base::rng::Rng;

/// Registers of a counter.
pub const REGISTERS: usize = 1 << INDEX_BITS;
/// Bits of the hash that choose the register.
const INDEX_BITS: u32 = 14;
/// Bits of the hash that make the rank.
const RANK_BITS: u32 = 64 - INDEX_BITS;
/// Bytes in front of the registers.
const HEADER: usize = 16;
const MAGIC: &[u8] = b"HYLL";
/// Bit 63 of the cached estimate: a register has changed since.
const STALE: u8 = 0x80;
/// Where [`STALE`] stands.
const STALE_AT: usize = 15;

/// The value of each register.
type Values = [u8; REGISTERS];
/// How many registers have each value; there are six bits of value.
type Counts = [u32; 64];

/// How the registers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Dense,
    Sparse,
}

impl Encoding {
    /// Redis's name of the encoding.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Dense => "dense",
            Encoding::Sparse => "sparse",
        }
    }
}

/// Why a string is no counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// It is something else.
    Foreign,
    /// It starts like one, but its runs do not make 16384 registers.
    Corrupt,
}

/// The encoding of a counter, by its header and length alone. O(1).
pub fn encoding(bytes: &[u8]) -> Result<Encoding, Invalid> {
    if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
        return Err(Invalid::Foreign);
    }
    match bytes[MAGIC.len()] {
        0 if bytes.len() == HEADER + dense::LEN => Ok(Encoding::Dense),
        1 => Ok(Encoding::Sparse),
        _ => Err(Invalid::Foreign),
    }
}

/// A counter of nothing: sparse, one run of zeros.
pub fn empty() -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    bytes[..MAGIC.len()].copy_from_slice(MAGIC);
    bytes[MAGIC.len()] = 1;
    bytes.extend_from_slice(&sparse::ALL_ZERO);
    bytes
}

/// The estimate that is kept in the header, unless it is stale. O(1).
pub fn cached(bytes: &[u8]) -> Option<u64> {
    let field: [u8; 8] = bytes.get(8..HEADER)?.try_into().ok()?;
    (field[7] & STALE == 0).then_some(u64::from_le_bytes(field))
}

/// Keeps an estimate in the header. O(1).
pub fn cache(bytes: &mut [u8], estimate: u64) {
    bytes[8..HEADER].copy_from_slice(&estimate.to_le_bytes());
}

/// Marks the estimate in the header as out of date. O(1).
pub fn make_stale(bytes: &mut [u8]) {
    bytes[STALE_AT] |= STALE;
}

/// The register of an element, and the rank it brings. O(length).
fn place(element: &[u8]) -> (usize, u8) {
    let hash = murmur64a(element);
    let index = hash as usize & (REGISTERS - 1);
    // The bit behind the last one ends the search where all are zero.
    let rest = hash >> INDEX_BITS | 1 << RANK_BITS;
    (index, rest.trailing_zeros() as u8 + 1)
}

/// MurmurHash64A by Austin Appleby (public domain), with Redis's seed.
fn murmur64a(bytes: &[u8]) -> u64 {
    const SEED: u64 = 0xadc8_3b19;
    const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
    const SHIFT: u32 = 47;
    let mut hash = SEED ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        word ^= word >> SHIFT;
        hash = (hash ^ word.wrapping_mul(MULTIPLIER)).wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ hash >> SHIFT).wrapping_mul(MULTIPLIER);
    hash ^ hash >> SHIFT
}

/// Adds elements to a dense counter; how many registers have changed. O(bytes of
/// the elements).
pub fn add_dense<'e>(bytes: &mut [u8], elements: impl Iterator<Item = &'e [u8]>) -> usize {
    let registers = &mut bytes[HEADER..];
    let changed = elements
        .filter(|element| {
            let (index, rank) = place(element);
            dense::raise(registers, index, rank)
        })
        .count();
    if changed > 0 {
        make_stale(bytes);
    }
    changed
}

/// Adds elements to a counter of either encoding; how many registers have changed.
/// A sparse one becomes dense where it would exceed `sparse_max` bytes. Where it is
/// corrupt, a part of the elements may have been added.
///
/// O(length) for each element while sparse.
pub fn add<'e>(
    bytes: &mut Vec<u8>,
    mut elements: impl Iterator<Item = &'e [u8]>,
    sparse_max: usize,
) -> Result<usize, Invalid> {
    let mut changed = 0;
    while encoding(bytes)? == Encoding::Sparse {
        let Some(element) = elements.next() else {
            break;
        };
        let (index, rank) = place(element);
        let mut from = sparse::Cursor::default();
        changed += usize::from(raise(bytes, &mut from, index, rank, sparse_max)?);
    }
    if changed > 0 {
        make_stale(bytes);
    }
    // Whatever is left found the counter dense.
    Ok(changed + add_dense_rest(bytes, elements))
}

fn add_dense_rest<'e>(bytes: &mut [u8], elements: impl Iterator<Item = &'e [u8]>) -> usize {
    match encoding(bytes) {
        Ok(Encoding::Dense) => add_dense(bytes, elements),
        _ => 0,
    }
}

/// Raises one register of a sparse counter, making it dense if need be; whether it
/// was lower.
fn raise(
    bytes: &mut Vec<u8>,
    from: &mut sparse::Cursor,
    index: usize,
    rank: u8,
    sparse_max: usize,
) -> Result<bool, Invalid> {
    match sparse::raise(bytes, from, index, rank, sparse_max)? {
        sparse::Raised::No => Ok(false),
        sparse::Raised::Yes => Ok(true),
        sparse::Raised::TooLarge => {
            make_dense(bytes)?;
            Ok(dense::raise(&mut bytes[HEADER..], index, rank))
        }
    }
}

/// Turns a sparse counter into a dense one; whether it was sparse. O(registers).
pub fn make_dense(bytes: &mut Vec<u8>) -> Result<bool, Invalid> {
    if encoding(bytes)? == Encoding::Dense {
        return Ok(false);
    }
    let mut registers = Registers::default();
    registers.merge(bytes)?;
    bytes.truncate(HEADER);
    bytes[MAGIC.len()] = 0;
    bytes.resize(HEADER + dense::LEN, 0);
    dense::pack(&registers.0, &mut bytes[HEADER..]);
    Ok(true)
}

/// The runs of a sparse counter, as PFDEBUG DECODE shows them; `None` for a dense
/// one.
pub fn decode(bytes: &[u8]) -> Result<Option<String>, Invalid> {
    Ok(match encoding(bytes)? {
        Encoding::Dense => None,
        Encoding::Sparse => Some(sparse::decode(&bytes[HEADER..])),
    })
}

/// All registers of one or several counters, a byte each.
pub struct Registers(Box<Values>);

impl Default for Registers {
    fn default() -> Self {
        Registers(Box::new([0; REGISTERS]))
    }
}

impl Registers {
    /// Takes over the values of a counter that are greater; its encoding.
    /// O(registers).
    pub fn merge(&mut self, bytes: &[u8]) -> Result<Encoding, Invalid> {
        let encoding = encoding(bytes)?;
        match encoding {
            Encoding::Dense => dense::merge(&bytes[HEADER..], &mut self.0),
            Encoding::Sparse => sparse::merge(&bytes[HEADER..], &mut self.0)?,
        }
        Ok(encoding)
    }

    /// The estimate for these registers. O(registers).
    pub fn estimate(&self) -> u64 {
        // Four counters by turns: neighbours are often equal, and a counter is not
        // raised again before it has been written.
        let mut turns = [[0; 64]; 4];
        let (fours, _) = self.0.as_chunks::<4>();
        for four in fours {
            for (counts, value) in turns.iter_mut().zip(four) {
                counts[usize::from(*value)] += 1;
            }
        }
        let counts = std::array::from_fn(|value| turns.iter().map(|counts| counts[value]).sum());
        estimate_of(&counts)
    }

    /// The values.
    pub fn values(&self) -> &[u8] {
        &self.0[..]
    }

    /// Writes these values, none of which is below the counter's own, into a
    /// counter; into a dense one if `dense` asks for it. O(registers).
    pub fn write(
        &self,
        bytes: &mut Vec<u8>,
        dense: bool,
        sparse_max: usize,
    ) -> Result<(), Invalid> {
        if dense {
            make_dense(bytes)?;
        }
        let mut from = sparse::Cursor::default();
        let raised = self.0.iter().enumerate().filter(|(_, value)| **value > 0);
        for (index, &value) in raised {
            if encoding(bytes)? == Encoding::Dense {
                dense::pack(&self.0, &mut bytes[HEADER..]);
                break;
            }
            raise(bytes, &mut from, index, value, sparse_max)?;
        }
        make_stale(bytes);
        Ok(())
    }
}

/// The number of different elements a counter has seen, computed anew.
/// O(registers) when dense, O(length) when sparse.
pub fn estimate(bytes: &[u8]) -> Result<u64, Invalid> {
    match encoding(bytes)? {
        Encoding::Dense => {
            let mut registers = Registers::default();
            registers.merge(bytes)?;
            Ok(registers.estimate())
        }
        Encoding::Sparse => sparse::counts(&bytes[HEADER..]).map(|counts| estimate_of(&counts)),
    }
}

/// The estimate by the distribution of the registers' values: algorithm 6 of Otmar
/// Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017.
fn estimate_of(counts: &Counts) -> u64 {
    /// 1 / (2 ln 2), the bias of infinitely many registers.
    const ALPHA: f64 = 0.721_347_520_444_481_7;
    let registers = REGISTERS as f64;
    let full = f64::from(counts[RANK_BITS as usize + 1]);
    let mut z = registers * tau((registers - full) / registers);
    for value in (1..=RANK_BITS as usize).rev() {
        z = (z + f64::from(counts[value])) * 0.5;
    }
    z += registers * sigma(f64::from(counts[0]) / registers);
    (ALPHA * registers * registers / z).round() as u64
}

/// What the registers still at zero add.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// What the registers at their greatest value add.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

/// What PFSELFTEST runs: dense registers keep what is written into them, both
/// encodings count alike, and estimates stay within six standard errors.
pub fn self_test(rng: &mut Rng) -> Result<(), String> {
    /// Elements counted; checked at each power of ten.
    const ELEMENTS_MAX: u64 = 1_000_000;
    /// Six standard errors, 1.04 / sqrt(16384) each, in 1600ths.
    const ERROR_MAX: u64 = 6 * 13;
    let mut values = [0; REGISTERS];
    let mut packed = vec![0; dense::LEN];
    for (index, value) in values.iter_mut().enumerate() {
        *value = rng.below(64) as u8;
        dense::raise(&mut packed, index, *value);
    }
    let mut unpacked = [0; REGISTERS];
    dense::merge(&packed, &mut unpacked);
    if unpacked != values {
        return Err("a register does not keep its value".to_owned());
    }
    let (mut sparse, mut dense) = (empty(), empty());
    make_dense(&mut dense).map_err(|invalid| format!("{invalid:?}"))?;
    let (seed, mut next) = (rng.next_u64(), 10);
    for number in 1..=ELEMENTS_MAX {
        let element = (seed ^ number).to_le_bytes();
        let one = || std::iter::once(element.as_slice());
        add_dense(&mut dense, one());
        add(&mut sparse, one(), 3000).map_err(|invalid| format!("{invalid:?}"))?;
        if number == next {
            let (a, b) = (estimate(&sparse), estimate(&dense));
            let error = b.map(|found| found.abs_diff(number)).unwrap_or(u64::MAX);
            if a != b || error > (number * ERROR_MAX / 1600).max(1) {
                return Err(format!("{number} elements are counted as {a:?} and {b:?}"));
            }
            next *= 10;
        }
    }
    Ok(())
}
