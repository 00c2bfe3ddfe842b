//! A file as a [`Source`]: read in pieces, with its offset, and its checksum on the way.
//!
//! Memory: a piece, or the longest string there is if that is longer. Nothing is
//! reserved for a length before its bytes have come, and a length beyond the end of the
//! file is refused at once.

use std::io::{self, Read};

use crate::base::crc64::crc64;
use crate::persist::rdb::Error;
use crate::persist::rdb::read::Source;

/// Bytes read at once.
const PIECE: usize = 256 << 10;
/// Room that the buffer keeps when a long string is done with.
const KEPT_MAX: usize = 4 * PIECE;

/// See the head of this file.
pub struct FileSource<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where in the buffer the next byte is.
    at: usize,
    /// Up to where the buffer is in the checksum.
    summed: usize,
    crc: u64,
    checks: bool,
    /// The offset of the buffer's first byte.
    base: u64,
    /// Bytes that are not in the buffer yet.
    beyond: u64,
    error: Option<io::Error>,
}

impl<R: Read> FileSource<R> {
    /// The next `len` bytes of `input`. With `checks` they are summed up.
    pub fn new(input: R, len: u64, checks: bool) -> FileSource<R> {
        FileSource {
            input,
            buffer: Vec::new(),
            at: 0,
            summed: 0,
            crc: 0,
            checks,
            base: 0,
            beyond: len,
            error: None,
        }
    }

    /// Bytes handed out so far.
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// The checksum of all bytes handed out so far; 0 without `checks`.
    pub fn checksum(&mut self) -> u64 {
        if self.checks {
            self.crc = crc64(self.crc, &self.buffer[self.summed..self.at]);
        }
        self.summed = self.at;
        self.crc
    }

    /// Why the last [`Source::take`] has failed, if the system was to blame.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Sees to it that `len` bytes are in the buffer.
    #[cold]
    fn fill(&mut self, len: usize) -> Result<(), Error> {
        if len > self.left() {
            return Err(Error::Truncated);
        }
        self.checksum();
        self.base += self.at as u64;
        self.buffer.drain(..self.at);
        (self.at, self.summed) = (0, 0);
        if self.buffer.capacity() > KEPT_MAX && len <= PIECE {
            self.buffer.shrink_to(KEPT_MAX);
        }
        while self.buffer.len() < len {
            let missing = len - self.buffer.len();
            let wanted = (missing.max(PIECE) as u64).min(self.beyond);
            match (&mut self.input).take(wanted).read_to_end(&mut self.buffer) {
                Ok(0) => return Err(Error::Truncated),
                Ok(read) => self.beyond -= read as u64,
                Err(error) => {
                    self.error = Some(error);
                    return Err(Error::Truncated);
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Source for FileSource<R> {
    #[inline]
    fn take(&mut self, len: usize) -> Result<&[u8], Error> {
        if len > self.buffer.len() - self.at {
            self.fill(len)?;
        }
        let at = self.at;
        self.at += len;
        Ok(&self.buffer[at..self.at])
    }

    #[inline]
    fn left(&self) -> usize {
        let buffered = self.buffer.len() - self.at;
        usize::try_from(self.beyond).map_or(usize::MAX, |beyond| beyond.saturating_add(buffered))
    }
}

/// What follows the bytes handed out: for a file that goes on as something else.
impl<R: Read> Read for FileSource<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let some = out.len().min(self.buffer.len() - self.at);
        if some == 0 {
            return self.input.read(out);
        }
        out[..some].copy_from_slice(&self.buffer[self.at..self.at + some]);
        self.at += some;
        Ok(some)
    }
}
