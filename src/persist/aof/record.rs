//! What stands in a file of commands: requests as a client would send them, lines that
//! begin with `#`, which every reader from Redis 7.0 on passes over, and chunks.
//!
//! ```text
//! #CRC:0000004a:00000001f3a0:9c1f...:\r\n   head: length, durable, checksum
//! #TS:1700000000\r\n                        the time, if it is wanted and has moved
//! *2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n         before commands of another database
//! *1\r\n$5\r\nMULTI\r\n ... EXEC            around units of several commands
//! ```
//!
//! A chunk is what was recorded in one go or soon after each other. Its head tells how
//! many bytes follow, how many bytes of the file were durable when it was written, and
//! a CRC-64 over those two numbers and the bytes. So a reader knows damage before it has
//! run anything of it, and can tell a tail that the power cut short (nothing behind it
//! was ever called durable) from a disk that has lost what it had promised.
//!
//! Must stay true: a unit lies within one chunk; a head has always [`HEAD_LEN`] bytes.

use crate::base::crc64::crc64;
use crate::base::num;

/// Bytes of a chunk's head.
pub const HEAD_LEN: usize = 5 + LEN_DIGITS + 1 + DURABLE_DIGITS + 1 + CRC_DIGITS + 2;
/// Longest line of an annotation with its end (Redis: `AOF_ANNOTATION_LINE_MAX_LEN`,
/// with the zero behind it).
pub const ANNOTATION_MAX: usize = 1023;
/// Most bytes of one chunk that a head can tell.
pub const CHUNK_MAX: usize = u32::MAX as usize;

/// How a head begins.
pub const HEAD_TAG: &[u8] = b"#CRC:";
const LEN_DIGITS: usize = 8;
/// 256 TiB of one file.
const DURABLE_DIGITS: usize = 12;
const CRC_DIGITS: usize = 16;

/// The head of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes that follow.
    pub len: u32,
    /// Bytes at the start of the file that were durable when this was written.
    pub durable: u64,
    pub crc: u64,
}

impl Head {
    /// The head for these bytes.
    pub fn of(bytes: &[u8], durable: u64) -> Head {
        let len = bytes.len() as u32;
        Head {
            len,
            durable,
            crc: checksum(len, durable, bytes),
        }
    }

    /// Whether `bytes` are those that it was made for.
    pub fn fits(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.len as usize && checksum(self.len, self.durable, bytes) == self.crc
    }

    /// As it stands in the file.
    pub fn to_bytes(self) -> [u8; HEAD_LEN] {
        let text = format!(
            "#CRC:{:08x}:{:012x}:{:016x}\r\n",
            self.len, self.durable, self.crc
        );
        // Larger numbers than the digits hold are cut to them, as readers see them.
        let mut bytes = [b'0'; HEAD_LEN];
        bytes.copy_from_slice(&text.as_bytes()[..HEAD_LEN]);
        bytes
    }

    /// Reads a head; `None` for any other line.
    pub fn parse(line: &[u8]) -> Option<Head> {
        let fields = line.strip_prefix(HEAD_TAG)?.strip_suffix(b"\r\n")?;
        let (len, rest) = fields.split_at_checked(LEN_DIGITS)?;
        let (durable, rest) = rest.strip_prefix(b":")?.split_at_checked(DURABLE_DIGITS)?;
        let crc = rest.strip_prefix(b":")?;
        (crc.len() == CRC_DIGITS).then_some(())?;
        Some(Head {
            len: hex(len)? as u32,
            durable: hex(durable)?,
            crc: hex(crc)?,
        })
    }
}

fn checksum(len: u32, durable: u64, bytes: &[u8]) -> u64 {
    let mut head = [0; size_of::<u32>() + size_of::<u64>()];
    let (first, second) = head.split_at_mut(size_of::<u32>());
    first.copy_from_slice(&len.to_le_bytes());
    second.copy_from_slice(&durable.to_le_bytes());
    crc64(crc64(0, &head), bytes)
}

fn hex(digits: &[u8]) -> Option<u64> {
    let lower = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    if !digits.iter().all(lower) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The time of an annotation `#TS:seconds`; `None` for any other line.
pub fn timestamp(line: &[u8]) -> Option<i64> {
    num::parse_i64(line.strip_prefix(b"#TS:")?.strip_suffix(b"\r\n")?)
}

/// Puts effects into words. Remembers what the file's reader knows at this point.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    /// The database that is selected.
    db: Option<usize>,
    /// The last time written, in seconds.
    second: i64,
}

impl Encoder {
    /// What follows goes to a file of its own: its reader knows nothing.
    pub fn restart(&mut self) {
        *self = Encoder::default();
    }

    /// Writes the time if it has moved on since it was last written.
    pub fn time(&mut self, second: i64, out: &mut Vec<u8>) {
        if second > self.second {
            self.second = second;
            out.extend_from_slice(b"#TS:");
            push_int(second as u64, out);
        }
    }

    /// Writes a command that is run in database `db`.
    pub fn command(&mut self, db: usize, args: &[&[u8]], out: &mut Vec<u8>) {
        self.select(db, out);
        push_command(args, out);
    }

    /// Ends a unit.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        push_command(&[b"EXEC"], out);
    }

    /// Selects a database, if it is not.
    pub fn select(&mut self, db: usize, out: &mut Vec<u8>) {
        if self.db != Some(db) {
            self.db = Some(db);
            let mut digits = itoa::Buffer::new();
            push_command(&[b"SELECT", digits.format(db).as_bytes()], out);
        }
    }
}

/// Appends a command as an array of bulk strings.
pub fn push_command(args: &[&[u8]], out: &mut Vec<u8>) {
    push_words(args.iter().copied(), out);
}

/// As [`push_command`], of words that come one by one.
pub fn push_words<'w>(words: impl ExactSizeIterator<Item = &'w [u8]>, out: &mut Vec<u8>) {
    out.push(b'*');
    push_int(words.len() as u64, out);
    for word in words {
        push_bulk(word, out);
    }
}

/// Appends one argument.
pub fn push_bulk(arg: &[u8], out: &mut Vec<u8>) {
    out.push(b'$');
    push_int(arg.len() as u64, out);
    out.extend_from_slice(arg);
    out.extend_from_slice(b"\r\n");
}

/// Appends a number and the end of its line.
fn push_int(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_select_their_database_once() {
        let (mut encoder, mut out) = (Encoder::default(), Vec::new());
        encoder.command(0, &[b"SET", b"a", b""], &mut out);
        encoder.command(3, &[b"DEL", b"a"], &mut out);
        encoder.end(&mut out);
        let text = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$0\r\n\r\n\
            *2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n\
            *1\r\n$4\r\nEXEC\r\n";
        assert_eq!(String::from_utf8(out).expect("text"), text);
    }

    #[test]
    fn the_time_is_written_when_it_moves_on() {
        let (mut encoder, mut out) = (Encoder::default(), Vec::new());
        for second in [7, 7, 6, 9] {
            encoder.time(second, &mut out);
        }
        assert_eq!(out, b"#TS:7\r\n#TS:9\r\n");
        assert_eq!(timestamp(b"#TS:7\r\n"), Some(7));
        assert_eq!(timestamp(b"#TS:7x\r\n"), None);
    }

    #[test]
    fn a_head_knows_its_bytes() {
        let head = Head::of(b"some bytes", 77);
        let bytes = head.to_bytes();
        assert!(bytes.len() <= ANNOTATION_MAX && bytes.ends_with(b"\r\n"));
        assert_eq!(Head::parse(&bytes), Some(head));
        assert!(head.fits(b"some bytes"));
        assert!(!head.fits(b"some Bytes") && !head.fits(b"some"));
        for at in 0..HEAD_LEN {
            for bit in 0..8 {
                let mut flipped = bytes;
                flipped[at] ^= 1 << bit;
                let read = Head::parse(&flipped);
                assert!(
                    !read.is_some_and(|head| head.fits(b"some bytes")),
                    "{at} {bit}"
                );
            }
        }
    }
}
