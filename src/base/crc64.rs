//! CRC-64 as Redis uses it for payloads of DUMP and for RDB files: the polynomial of
//! Jones, reflected, without an initial or final inversion.
//!
//! Sixteen bytes are folded at a time: table `k` says what a byte becomes after `k`
//! more bytes have passed, so the look-ups do not wait for each other.

/// The polynomial, least significant bit first.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;
/// Bytes folded at a time.
const SLICE: usize = 16;

static TABLES: [[u64; 256]; SLICE] = tables();

const fn tables() -> [[u64; 256]; SLICE] {
    let mut tables = [[0; 256]; SLICE];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut k = 1;
    while k < SLICE {
        let mut byte = 0;
        while byte < 256 {
            let crc = tables[k - 1][byte];
            tables[k][byte] = (crc >> 8) ^ tables[0][(crc & 0xff) as usize];
            byte += 1;
        }
        k += 1;
    }
    tables
}

/// The checksum of what `crc` is the checksum of, with `bytes` behind it; of `bytes`
/// alone with 0. O(bytes).
pub fn crc64(crc: u64, bytes: &[u8]) -> u64 {
    let (slices, rest) = bytes.as_chunks::<SLICE>();
    let crc = slices.iter().fold(crc, |crc, slice| {
        let mixed = u128::from_le_bytes(*slice) ^ u128::from(crc);
        (mixed.to_le_bytes().into_iter().zip(TABLES.iter().rev()))
            .fold(0, |sum, (byte, table)| sum ^ table[usize::from(byte)])
    });
    rest.iter().fold(crc, |crc, &byte| {
        (crc >> 8) ^ TABLES[0][usize::from(crc as u8 ^ byte)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the polynomial's catalogue entry, which Redis tests too.
    #[test]
    fn known_values() {
        assert_eq!(crc64(0, b""), 0);
        assert_eq!(crc64(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    }

    #[test]
    fn pieces_and_whole_agree() {
        let bytes: Vec<u8> = (0..1000u32).map(|i| ((i * i) >> 3) as u8).collect();
        let whole = crc64(0, &bytes);
        for cut in [0, 1, 7, 8, 9, 63, 500, 999, 1000] {
            let (a, b) = bytes.split_at(cut);
            assert_eq!(crc64(crc64(0, a), b), whole, "cut at {cut}");
        }
    }
}
