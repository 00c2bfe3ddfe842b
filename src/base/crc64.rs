//! CRC-64 as Redis uses it for payloads of DUMP and for RDB files: the polynomial of
//! Jones, reflected, without an initial or final inversion.

use crc_fast::{CrcAlgorithm, Digest};

/// The checksum of what `crc` is the checksum of, with `bytes` behind it; of `bytes`
/// alone with 0. O(bytes), some 40 ns and then 60 bytes in a nanosecond.
pub fn crc64(crc: u64, bytes: &[u8]) -> u64 {
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc64Redis, crc);
    digest.update(bytes);
    digest.finalize()
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
