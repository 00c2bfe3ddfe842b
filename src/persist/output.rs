//! A file on its way to the disk: gathered, summed up, made durable step by step.
//!
//! An error does not stop who writes; it is kept, nothing more is written, and
//! [`Output::finish`] tells it.

use std::io;
use std::sync::Arc;

use super::disk::File;
use super::rdb::write::Sink;
use crate::base::crc64::crc64;

/// Bytes that are written at once.
const BUFFER: usize = 128 << 10;
/// Bytes after which a file is synced on the way, so that the last sync is short and the
/// kernel does not hold others up. As in Redis.
pub const SYNC_BYTES: usize = 4 << 20;

/// See the head of this file.
pub struct Output {
    file: Arc<dyn File>,
    buffer: Vec<u8>,
    crc: u64,
    checks: bool,
    syncs: bool,
    unsynced: usize,
    written: u64,
    error: Option<io::Error>,
}

impl Output {
    /// An empty `file`. With `checks` its bytes are summed up, with `syncs` it is made
    /// durable on the way.
    pub fn new(file: Arc<dyn File>, checks: bool, syncs: bool) -> Output {
        Output {
            file,
            buffer: Vec::with_capacity(2 * BUFFER),
            crc: 0,
            checks,
            syncs,
            unsynced: 0,
            written: 0,
            error: None,
        }
    }

    /// Whether something could not be written.
    pub fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// Writes the checksum of all that came before (0 without one), and makes the file
    /// durable. Its length.
    ///
    /// # Errors
    /// The first there was.
    pub fn finish(mut self) -> io::Result<u64> {
        self.flush();
        let crc = self.crc;
        self.put(&crc.to_le_bytes());
        self.flush();
        if let Some(error) = self.error {
            return Err(error);
        }
        self.file.sync()?;
        Ok(self.written)
    }

    fn flush(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.write(&buffer);
        self.buffer = buffer;
        self.buffer.clear();
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.error.is_some() {
            return;
        }
        if self.checks {
            self.crc = crc64(self.crc, bytes);
        }
        let mut result = self.file.write_all(bytes);
        self.written += bytes.len() as u64;
        self.unsynced += bytes.len();
        if self.syncs && self.unsynced >= SYNC_BYTES {
            self.unsynced = 0;
            result = result.and_then(|()| self.file.sync());
        }
        self.error = result.err();
    }
}

impl Sink for Output {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        if bytes.len() >= BUFFER {
            self.flush();
            return self.write(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }
}
