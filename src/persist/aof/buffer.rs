//! What has been recorded and not yet written: bytes, and where their chunks begin.

use super::record::{CHUNK_MAX, Encoder, HEAD_LEN, Head, push_words};

/// Bytes from which on the next record begins a chunk of its own. A chunk is what is
/// lost at once when a file is cut off, and its head costs 45 bytes.
const CHUNK_SIZE: usize = 64 * 1024;
/// Room that an emptied buffer keeps for what comes next.
const SPARE_MAX: usize = 1 << 20;

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    /// Where heads stand, to be filled in by [`Buffer::seal`], and where plain records
    /// follow a chunk.
    heads: Vec<usize>,
    /// The last of `heads` is one, and its chunk takes more.
    open: bool,
}

impl Buffer {
    /// How many bytes it holds.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes of memory it holds.
    pub fn room(&self) -> usize {
        self.bytes.capacity()
    }

    /// Begins a record, which stays within one chunk.
    pub fn record<'a>(&'a mut self, encoder: &'a mut Encoder, sums: bool) -> Recorder<'a> {
        let start = self.bytes.len();
        let last = self.heads.last().copied().unwrap_or(0);
        if sums && (!self.open || start - last >= CHUNK_SIZE) {
            self.heads.push(start);
            self.bytes.resize(start + HEAD_LEN, b' ');
        } else if !sums && self.open {
            self.heads.push(start);
        }
        self.open = sums;
        Recorder {
            body: self.bytes.len(),
            start,
            sums,
            second: None,
            buffer: self,
            encoder,
            unit: None,
        }
    }

    /// Fills in the heads: `durable` bytes of the file are durable now. The bytes.
    pub fn seal(&mut self, durable: u64) -> &[u8] {
        self.open = false;
        let ends = self.heads.iter().copied().skip(1);
        let ends: Vec<usize> = ends.chain([self.bytes.len()]).collect();
        for (head, end) in self.heads.drain(..).zip(ends) {
            let (before, body) = self.bytes[head..end].split_at_mut_checked(HEAD_LEN).unzip();
            let (Some(before), Some(body)) = (before, body) else {
                continue;
            };
            if before.iter().all(|&byte| byte == b' ') {
                before.copy_from_slice(&head_of(body, durable));
            }
        }
        &self.bytes
    }

    /// Puts what `other` holds behind what is here.
    pub fn append(&mut self, other: &mut Buffer) {
        let base = self.bytes.len();
        self.heads.extend(other.heads.drain(..).map(|at| at + base));
        self.bytes.append(&mut other.bytes);
        self.open = std::mem::take(&mut other.open);
    }

    /// Empties it; much room goes back to the system.
    pub fn clear(&mut self) {
        self.heads.clear();
        self.open = false;
        self.bytes.clear();
        self.bytes.shrink_to(SPARE_MAX);
    }
}

/// The head of a chunk. One that is longer than a head can tell goes without: as a line
/// that means nothing, and its commands are read like those of any other server.
fn head_of(body: &[u8], durable: u64) -> [u8; HEAD_LEN] {
    if body.len() <= CHUNK_MAX {
        return Head::of(body, durable).to_bytes();
    }
    let mut line = [b'#'; HEAD_LEN];
    line[HEAD_LEN - 2..].copy_from_slice(b"\r\n");
    line
}

/// Takes commands, and brackets units of more than one of them.
pub struct Recorder<'a> {
    buffer: &'a mut Buffer,
    encoder: &'a mut Encoder,
    start: usize,
    body: usize,
    sums: bool,
    second: Option<i64>,
    unit: Option<Unit>,
}

/// A unit that is open.
#[derive(Clone, Copy, Debug, Default)]
struct Unit {
    depth: usize,
    commands: usize,
    /// Where its first command stands, behind the SELECT before it.
    first: usize,
}

impl Recorder<'_> {
    /// Notes the time, in seconds, ahead of the first command.
    pub fn time(&mut self, second: i64) {
        self.second = Some(second);
    }

    /// Begins a unit: what it consists of is run as a whole or not at all. Of one within
    /// another only the outer counts.
    pub fn begin(&mut self) {
        self.unit.get_or_insert_default().depth += 1;
    }

    /// Ends the unit that was begun last.
    pub fn end(&mut self) {
        let Some(unit) = &mut self.unit else {
            return;
        };
        unit.depth -= 1;
        if unit.depth == 0 {
            self.close();
        }
    }

    fn close(&mut self) {
        if self.unit.take().is_some_and(|unit| unit.commands > 1) {
            self.encoder.end(&mut self.buffer.bytes);
        }
    }

    /// Takes a command that repeats a change of database `db`.
    pub fn command<'w>(&mut self, db: usize, words: impl ExactSizeIterator<Item = &'w [u8]>) {
        let bytes = &mut self.buffer.bytes;
        if let Some(second) = self.second.take() {
            self.encoder.time(second, bytes);
        }
        self.encoder.select(db, bytes);
        if let Some(unit) = &mut self.unit {
            match unit.commands {
                0 => unit.first = bytes.len(),
                // Now it is known to be one of several.
                1 => drop(bytes.splice(unit.first..unit.first, MULTI.iter().copied())),
                _ => {}
            }
            unit.commands += 1;
        }
        push_words(words, bytes);
    }
}

impl Drop for Recorder<'_> {
    /// A chunk without content is not begun.
    fn drop(&mut self) {
        self.close();
        if self.sums && self.body > self.start && self.buffer.bytes.len() == self.body {
            self.buffer.bytes.truncate(self.start);
            self.buffer.heads.pop();
            self.buffer.open = false;
        }
    }
}

const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";

#[cfg(test)]
mod tests {
    use super::super::walk::{End, Visit, walk};
    use super::*;

    struct Words(Vec<String>);

    impl Visit for Words {
        fn command(&mut self, raw: &[u8], _name: &[u8]) -> Result<(), String> {
            let text = String::from_utf8_lossy(raw);
            let words = text.split("\r\n").skip(2).step_by(2);
            self.0.push(words.collect::<Vec<_>>().join(" "));
            Ok(())
        }
    }

    fn words(bytes: &[u8]) -> Vec<String> {
        let mut words = Words(Vec::new());
        let walked = walk(&mut &bytes[..], 0, None, &mut words);
        assert!(matches!(walked.end, End::Whole), "{walked:?}");
        words.0
    }

    fn put(recorder: &mut Recorder<'_>, db: usize, words: &[&[u8]]) {
        recorder.command(db, words.iter().copied());
    }

    #[test]
    fn units_of_several_commands_are_bracketed() {
        for sums in [false, true] {
            let (mut buffer, mut encoder) = (Buffer::default(), Encoder::default());
            drop(buffer.record(&mut encoder, sums));
            assert!(buffer.is_empty());
            let mut recorder = buffer.record(&mut encoder, sums);
            recorder.begin();
            put(&mut recorder, 0, &[b"SET", b"a", b"1"]);
            recorder.end();
            recorder.begin();
            put(&mut recorder, 2, &[b"SET", b"b", b"1"]);
            recorder.begin();
            put(&mut recorder, 0, &[b"SET", b"c", b"1"]);
            recorder.end();
            recorder.end();
            recorder.begin();
            recorder.end();
            drop(recorder);
            let shown = words(buffer.seal(0));
            let expected = "SELECT 0,SET a 1,SELECT 2,MULTI,SET b 1,SELECT 0,SET c 1,EXEC";
            assert_eq!(shown.join(","), expected);
        }
    }

    #[test]
    fn long_buffers_have_several_chunks() {
        let (mut buffer, mut encoder) = (Buffer::default(), Encoder::default());
        let value = [b'x'; 1000];
        for n in 0..200 {
            // Checksums are switched off in between.
            let mut recorder = buffer.record(&mut encoder, !(100..120).contains(&n));
            put(&mut recorder, 0, &[b"SET", b"a", &value]);
        }
        let mut more = Buffer::default();
        put(&mut more.record(&mut encoder, true), 0, &[b"LAST"]);
        buffer.append(&mut more);
        assert!(more.is_empty());
        let bytes = buffer.seal(7).to_vec();
        let shown = words(&bytes);
        assert_eq!(shown.len(), 202);
        assert_eq!(shown.last().map(String::as_str), Some("LAST"));
        let heads = memchr::memmem::find_iter(&bytes, b"#CRC:").count();
        assert!((4..=6).contains(&heads), "{heads}");
    }
}
