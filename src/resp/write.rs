//! Replies: from values to bytes, in RESP2 or RESP3.
//!
//! A handler writes its reply straight into the connection's output; there is no
//! tree of reply objects in between. The output is a row of parts: small replies
//! collect in `tail`, a large value that is shared with the store stands as its
//! own part and goes out by `writev` without having been copied.
//!
//! Methods are named after what the client gets. Where RESP3 has a type of its
//! own (map, set, double, null ...), the method writes it there and Redis's
//! substitute in RESP2.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::Bytes;

use crate::base::float;

/// A shared value of at least this size is sent from where it lies.
pub const SHARED_MIN: usize = 16 * 1024;
/// A tail of this size is closed, so that it never has to move to grow.
const TAIL_MAX: usize = 64 * 1024;
/// Parts handed to one `writev`; Linux takes 1024, a few fill any socket buffer.
pub const SLICES_MAX: usize = 16;

/// Output that no limit is for: Redis's clients have so much room in place.
pub const IN_PLACE_MAX: usize = 16 * 1024;

/// Parts of one output that are measured: megabytes of output behind a slow reader.
const OWN_PARTS_MAX: usize = 256;

/// The protocol version a client has chosen with HELLO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    #[default]
    Resp2,
    Resp3,
}

#[derive(Debug)]
enum Part {
    Own(Vec<u8>),
    /// A value of the store.
    Shared(Bytes),
    /// What others are sent, too.
    Message(Bytes),
}

impl Part {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(bytes) | Self::Message(bytes) => bytes,
        }
    }
}

/// A connection's output: replies that have not been sent yet, in order.
#[derive(Debug, Default)]
pub struct Reply {
    parts: VecDeque<Part>,
    tail: Vec<u8>,
    /// Bytes of the first part (or of the tail, if it is the only one) that have
    /// been sent.
    sent: usize,
    /// Bytes in `parts`, the sent ones included.
    parts_len: usize,
    version: Version,
    errors: u64,
    /// Bytes that may wait to be sent, beyond [`IN_PLACE_MAX`]; 0 for no limit.
    max: usize,
    /// Bytes that have been dropped because there were too many; none are kept then, and
    /// the connection has to end.
    dropped: usize,
}

/// A place in the output to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    parts: usize,
    tail: usize,
}

impl Reply {
    /// The protocol version replies are written in.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Changes the protocol version of the replies that follow.
    pub fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    fn resp3(&self) -> bool {
        self.version == Version::Resp3
    }

    // Scalars.

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.raw(b"+OK\r\n");
    }

    /// A simple string; `text` holds no line break.
    pub fn simple(&mut self, text: &str) {
        debug_assert!(!text.contains(['\r', '\n']));
        self.line(b'+', text.as_bytes());
    }

    /// An error. `text` starts with its code word, as in `ERR syntax error`; line
    /// breaks in it become blanks, since it may quote a client's bytes.
    pub fn error(&mut self, text: &[u8]) {
        self.errors += 1;
        self.tail.push(b'-');
        let text = text.iter().map(|&b| match b {
            b'\r' | b'\n' => b' ',
            other => other,
        });
        self.tail.extend(text);
        self.raw(b"\r\n");
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, value: i64) {
        // One digit is by far the most common.
        if (0..10).contains(&value) {
            self.raw(&[b':', b'0' + value as u8, b'\r', b'\n']);
        } else {
            self.line(b':', itoa::Buffer::new().format(value).as_bytes());
        }
    }

    /// A length or count, which always fits.
    #[inline]
    pub fn len(&mut self, value: usize) {
        self.int(i64::try_from(value).unwrap_or(i64::MAX));
    }

    /// A bulk string.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.tail.reserve(bytes.len() + 16);
        self.header(b'$', bytes.len());
        self.tail.extend_from_slice(bytes);
        self.raw(b"\r\n");
        self.close_full_tail();
    }

    /// A bulk string of bytes that are shared with the store: a large one is sent
    /// from where it lies.
    pub fn bulk_shared(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARED_MIN {
            return self.bulk(bytes);
        }
        self.header(b'$', bytes.len());
        self.close_tail();
        self.parts_len += bytes.len();
        self.parts.push_back(Part::Shared(bytes.clone()));
        self.raw(b"\r\n");
        self.keep_limit();
    }

    /// The decimal text of an integer as a bulk string.
    #[inline]
    pub fn bulk_int(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A double; its text as a bulk string in RESP2.
    pub fn double(&mut self, value: f64) {
        let start = self.tail.len();
        if self.resp3() {
            self.tail.push(b',');
            float::push_f64(&mut self.tail, value);
            return self.raw(b"\r\n");
        }
        // The text first, the length when it is known: one digit or two.
        self.raw(b"$00\r\n");
        float::push_f64(&mut self.tail, value);
        let len = (self.tail.len() - start - 5) as u8;
        self.tail[start + 1] = b'0' + len / 10;
        self.tail[start + 2] = b'0' + len % 10;
        if len < 10 {
            self.tail.remove(start + 1);
        }
        self.raw(b"\r\n");
    }

    /// A double as plain decimals without an exponent, of which no digit is left out
    /// that Redis would print of its `long double`; a bulk string in RESP2.
    pub fn plain_double(&mut self, value: f64) {
        let text = float::Extended::from_f64(value).map(float::Extended::to_redis_text);
        let text = text.unwrap_or_else(|| b"nan".to_vec());
        if self.resp3() {
            self.line(b',', &text);
        } else {
            self.bulk(&text);
        }
    }

    /// No value where a bulk string would stand.
    #[inline]
    pub fn null(&mut self) {
        self.raw(if self.resp3() { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// No value where an array would stand.
    pub fn null_array(&mut self) {
        self.raw(if self.resp3() { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// A truth value; 1 or 0 in RESP2.
    pub fn boolean(&mut self, value: bool) {
        match (self.resp3(), value) {
            (true, true) => self.raw(b"#t\r\n"),
            (true, false) => self.raw(b"#f\r\n"),
            (false, value) => self.int(i64::from(value)),
        }
    }

    /// Text with a three-letter format such as `txt`; a bulk string in RESP2.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        if !self.resp3() {
            return self.bulk(text);
        }
        self.header(b'=', text.len() + 4);
        self.raw(format.as_bytes());
        self.raw(b":");
        self.raw(text);
        self.raw(b"\r\n");
    }

    // Aggregates: a header, after which the caller writes the elements.

    /// An array of `count` elements.
    #[inline]
    pub fn array(&mut self, count: usize) {
        self.header(b'*', count);
    }

    /// A map of `pairs` keys and values; a flat array in RESP2.
    pub fn map(&mut self, pairs: usize) {
        if self.resp3() {
            self.header(b'%', pairs);
        } else {
            self.header(b'*', pairs * 2);
        }
    }

    /// A set of `count` elements; an array in RESP2.
    pub fn set(&mut self, count: usize) {
        self.header(if self.resp3() { b'~' } else { b'*' }, count);
    }

    /// An out-of-band message of `count` elements; an array in RESP2.
    pub fn push(&mut self, count: usize) {
        self.header(if self.resp3() { b'>' } else { b'*' }, count);
    }

    /// Bytes that are already a reply in this protocol version.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
    }

    /// A whole message that others are sent, too: a large one goes out from where it
    /// lies.
    pub fn message(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARED_MIN {
            self.raw(bytes);
            return self.close_full_tail();
        }
        self.close_tail();
        self.parts_len += bytes.len();
        self.parts.push_back(Part::Message(bytes.clone()));
    }

    /// Moves all of `other`, of which nothing has been sent, behind what is here.
    pub fn append(&mut self, mut other: Reply) {
        debug_assert_eq!(other.sent, 0);
        if !other.parts.is_empty() {
            self.close_tail();
            self.parts_len += other.parts_len;
            self.parts.append(&mut other.parts);
        }
        if self.tail.capacity() == 0 {
            self.tail = other.tail;
        } else {
            self.raw(&other.tail);
        }
        self.close_full_tail();
    }

    #[inline]
    fn header(&mut self, marker: u8, count: usize) {
        match count {
            0..10 => self.raw(&[marker, b'0' + count as u8, b'\r', b'\n']),
            10..100 => {
                let (tens, ones) = (count as u8 / 10, count as u8 % 10);
                self.raw(&[marker, b'0' + tens, b'0' + ones, b'\r', b'\n']);
            }
            _ => self.line(marker, itoa::Buffer::new().format(count).as_bytes()),
        }
    }

    #[inline]
    fn line(&mut self, marker: u8, text: &[u8]) {
        self.tail.reserve(text.len() + 3);
        self.tail.push(marker);
        self.tail.extend_from_slice(text);
        self.tail.extend_from_slice(b"\r\n");
    }

    // The output as a whole.

    /// Bytes written since `mark`, which is of this call of a handler.
    #[inline]
    pub fn bytes_since(&self, mark: Mark) -> usize {
        let closed = if self.parts.len() == mark.parts {
            0
        } else {
            self.parts_since(mark)
        };
        // What closed first began with the tail of then.
        (closed + self.tail.len()).saturating_sub(mark.tail)
    }

    #[cold]
    fn parts_since(&self, mark: Mark) -> usize {
        let parts = self.parts.iter().skip(mark.parts);
        parts.map(|part| part.bytes().len()).sum()
    }

    /// Errors written so far; a caller compares two readings.
    pub fn errors(&self) -> u64 {
        self.errors
    }

    /// Bytes not yet sent.
    #[inline]
    pub fn pending(&self) -> usize {
        self.parts_len + self.tail.len() - self.sent
    }

    /// Whether everything has been sent.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.pending() == 0
    }

    /// Parts of the output, for `omem` and `oll` of CLIENT LIST.
    pub fn part_count(&self) -> usize {
        self.parts.len()
    }

    /// Sets how many bytes may wait to be sent; 0 for no limit. What grows beyond is
    /// dropped as it is written, so that no reply needs more memory than that and a tail.
    #[inline]
    pub fn set_limit(&mut self, max: usize) {
        self.max = max;
    }

    /// Bytes that had to be dropped: the connection has to end. 0 while all is well.
    #[inline]
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Drops everything if it is too much; whether it is, or was.
    #[inline]
    pub fn keep_limit(&mut self) -> bool {
        if self.max > 0 && (self.dropped > 0 || self.pending() > self.max.max(IN_PLACE_MAX)) {
            self.drop_all();
        }
        self.dropped > 0
    }

    #[cold]
    fn drop_all(&mut self) {
        self.dropped += self.pending();
        self.parts = VecDeque::new();
        self.tail.clear();
        (self.parts_len, self.sent) = (0, 0);
    }

    /// Remembers this place, for [`Reply::rewind`].
    pub fn mark(&self) -> Mark {
        Mark {
            parts: self.parts.len(),
            tail: self.tail.len(),
        }
    }

    /// Drops what has been written since `mark`; nothing of it has been sent.
    pub fn rewind(&mut self, mark: Mark) {
        if self.parts.len() <= mark.parts {
            self.tail.truncate(mark.tail);
            return;
        }
        // The tail at the mark was closed since: it is the first part behind it.
        for (i, part) in self.parts.drain(mark.parts..).enumerate() {
            self.parts_len -= part.bytes().len();
            if let (0, Part::Own(tail)) = (i, part) {
                self.tail = tail;
            }
        }
        self.tail.truncate(mark.tail);
    }

    /// The unsent bytes as slices for `writev`; how many of `slices` are set.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; SLICES_MAX]) -> usize {
        let mut skip = self.sent;
        let mut used = 0;
        let tail = std::iter::once(&self.tail[..]);
        for bytes in self.parts.iter().map(Part::bytes).chain(tail) {
            let unsent = &bytes[skip.min(bytes.len())..];
            skip = 0;
            if unsent.is_empty() {
                continue;
            }
            if used == SLICES_MAX {
                break;
            }
            slices[used] = IoSlice::new(unsent);
            used += 1;
        }
        used
    }

    /// The unsent bytes where they are one slice, the common case.
    #[inline]
    pub fn single(&self) -> Option<&[u8]> {
        self.parts.is_empty().then(|| &self.tail[self.sent..])
    }

    /// All that has been written, of which nothing has been sent, as shared bytes.
    pub fn into_bytes(self) -> Bytes {
        debug_assert_eq!(self.sent, 0);
        if self.parts.is_empty() {
            return self.tail.into();
        }
        let mut all = Vec::with_capacity(self.pending());
        let tail = std::iter::once(&self.tail[..]);
        for bytes in self.parts.iter().map(Part::bytes).chain(tail) {
            all.extend_from_slice(bytes);
        }
        all.into()
    }

    /// Marks `count` bytes as sent and drops parts that are through.
    pub fn advance(&mut self, count: usize) {
        self.sent += count;
        while let Some(part) = self.parts.front() {
            let len = part.bytes().len();
            if self.sent < len {
                return;
            }
            self.sent -= len;
            self.parts_len -= len;
            self.parts.pop_front();
        }
        if self.sent == self.tail.len() {
            self.tail.clear();
            self.sent = 0;
        }
    }

    /// Bytes of memory held.
    pub fn mem_bytes(&self) -> usize {
        self.parts_len + self.tail.capacity() + self.parts.capacity() * size_of::<Part>()
    }

    /// Bytes of memory that nobody but this output holds: without messages, and values
    /// that still lie in the store. Of many parts only the first [`OWN_PARTS_MAX`] are looked at.
    pub fn own_bytes(&self) -> usize {
        let parts = self.parts.iter().take(OWN_PARTS_MAX);
        let own = parts.map(|part| match part {
            Part::Own(bytes) => bytes.capacity(),
            Part::Shared(bytes) if bytes.is_unique() => bytes.len(),
            Part::Shared(_) | Part::Message(_) => 0,
        });
        self.tail.capacity() + own.sum::<usize>()
    }

    /// Lends one of the spare buffers to an output that has none.
    pub fn borrow_from(&mut self, spare: &mut Vec<Vec<u8>>) {
        if self.tail.capacity() == 0
            && let Some(buffer) = spare.pop()
        {
            self.tail = buffer;
        }
    }

    /// Takes the buffer back when everything has been sent, so that quiet
    /// connections hold none.
    pub fn reclaim(&mut self) -> Option<Vec<u8>> {
        if !self.is_empty() || self.tail.capacity() == 0 {
            return None;
        }
        self.parts = VecDeque::new();
        Some(std::mem::take(&mut self.tail))
    }

    #[inline]
    fn close_full_tail(&mut self) {
        if self.tail.len() >= TAIL_MAX {
            self.close_tail();
            self.keep_limit();
        }
    }

    fn close_tail(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        let room = self.tail.capacity().min(TAIL_MAX);
        let tail = std::mem::replace(&mut self.tail, Vec::with_capacity(room));
        self.parts_len += tail.len();
        self.parts.push_back(Part::Own(tail));
    }
}

/// Error replies that quote a client's bytes are built here.
pub fn error_text(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(reply: &Reply) -> String {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let used = reply.slices(&mut slices);
        let bytes: Vec<u8> = slices[..used].iter().flat_map(|s| s.to_vec()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn written(version: Version, write: impl Fn(&mut Reply)) -> String {
        let mut reply = Reply::default();
        reply.set_version(version);
        write(&mut reply);
        text(&reply)
    }

    #[test]
    fn types_in_both_versions() {
        type Case = (fn(&mut Reply), &'static str, &'static str);
        let cases: [Case; 16] = [
            (|r| r.ok(), "+OK\r\n", "+OK\r\n"),
            (|r| r.int(-42), ":-42\r\n", ":-42\r\n"),
            (|r| r.bulk(b"hi"), "$2\r\nhi\r\n", "$2\r\nhi\r\n"),
            (|r| r.bulk_int(1234), "$4\r\n1234\r\n", "$4\r\n1234\r\n"),
            (|r| r.double(3.0), "$1\r\n3\r\n", ",3\r\n"),
            (|r| r.double(-0.125), "$6\r\n-0.125\r\n", ",-0.125\r\n"),
            (
                |r| r.double(1e-300 / 3.0),
                "$23\r\n3.3333333333333334e-301\r\n",
                ",3.3333333333333334e-301\r\n",
            ),
            (
                |r| r.plain_double(0.1),
                "$19\r\n0.10000000000000001\r\n",
                ",0.10000000000000001\r\n",
            ),
            (|r| r.null(), "$-1\r\n", "_\r\n"),
            (|r| r.null_array(), "*-1\r\n", "_\r\n"),
            (|r| r.boolean(true), ":1\r\n", "#t\r\n"),
            (|r| r.map(2), "*4\r\n", "%2\r\n"),
            (|r| r.set(12), "*12\r\n", "~12\r\n"),
            (|r| r.push(3), "*3\r\n", ">3\r\n"),
            (
                |r| r.verbatim("txt", b"ab"),
                "$2\r\nab\r\n",
                "=6\r\ntxt:ab\r\n",
            ),
            (|r| r.error(b"ERR a\r\nb"), "-ERR a  b\r\n", "-ERR a  b\r\n"),
        ];
        for (write, resp2, resp3) in cases {
            assert_eq!(written(Version::Resp2, write), resp2);
            assert_eq!(written(Version::Resp3, write), resp3);
        }
    }

    #[test]
    fn large_values_are_shared() {
        let value = Bytes::from(vec![b'x'; SHARED_MIN]);
        let mut reply = Reply::default();
        reply.ok();
        reply.bulk_shared(&value);
        reply.ok();
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        assert_eq!(reply.slices(&mut slices), 3);
        assert_eq!(slices[1].as_ptr(), value.as_ptr());
        assert_eq!(reply.pending(), 5 + 8 + SHARED_MIN + 2 + 5);
    }

    #[test]
    fn sending_in_pieces() {
        let value = Bytes::from(vec![b'x'; SHARED_MIN]);
        let mut reply = Reply::default();
        reply.ok();
        reply.bulk_shared(&value);
        let whole = text(&reply);
        let mut got = String::new();
        while !reply.is_empty() {
            let step = text(&reply).len().min(777);
            got.push_str(&text(&reply)[..step]);
            reply.advance(step);
        }
        assert_eq!(got, whole);
        assert_eq!(reply.mem_bytes() / 1024, 0, "parts are dropped when sent");
    }

    #[test]
    fn messages_of_any_size_are_moved_in_order() {
        let sizes = [3, SHARED_MIN, 5, TAIL_MAX - 7, 9, 4, 2 * SHARED_MIN];
        let message = |i: usize| Bytes::from(vec![b'a' + i as u8; sizes[i]]);
        let (mut here, mut whole) = (Reply::default(), String::new());
        here.ok();
        whole.push_str("+OK\r\n");
        for i in 0..sizes.len() {
            let mut other = Reply::default();
            other.message(&message(i));
            other.message(&message(0));
            here.append(other);
            whole.push_str(std::str::from_utf8(&message(i)).expect("letters"));
            whole.push_str("aaa");
        }
        let mut got = String::new();
        assert_eq!(here.pending(), whole.len());
        while !here.is_empty() {
            let step = text(&here).len().min(10_000);
            got.push_str(&text(&here)[..step]);
            here.advance(step);
        }
        assert_eq!(got, whole);
    }

    #[test]
    fn rewinding_over_closed_parts() {
        let mut reply = Reply::default();
        reply.int(7);
        let mark = reply.mark();
        reply.bulk(b"x");
        reply.bulk_shared(&Bytes::from(vec![b'x'; SHARED_MIN]));
        assert_eq!(reply.bytes_since(mark), reply.pending() - 4);
        reply.bulk(&vec![b'y'; 2 * TAIL_MAX]);
        reply.ok();
        assert_eq!(reply.bytes_since(mark), reply.pending() - 4);
        reply.rewind(mark);
        assert_eq!(reply.bytes_since(mark), 0);
        assert_eq!(text(&reply), ":7\r\n");
        assert_eq!(reply.pending(), 4);
        reply.ok();
        reply.rewind(reply.mark());
        assert_eq!(text(&reply), ":7\r\n+OK\r\n");
    }

    #[test]
    fn what_is_too_much_is_dropped_as_it_is_written() {
        let mut reply = Reply::default();
        reply.set_limit(100_000);
        let line = [b'x'; 1000];
        (0..90).for_each(|_| reply.bulk(&line));
        assert!(!reply.keep_limit() && reply.pending() > 90_000);
        let mark = reply.mark();
        (0..10_000).for_each(|_| reply.bulk(&line));
        assert!(reply.dropped() > 100_000 && reply.mem_bytes() < 4 * TAIL_MAX);
        reply.rewind(mark);
        reply.bulk_shared(&Bytes::from(vec![0; SHARED_MIN]));
        assert!(reply.keep_limit() && reply.is_empty());
        // So little that it has room in any case.
        let mut reply = Reply::default();
        reply.set_limit(1);
        (0..16).for_each(|_| reply.bulk(&line));
        assert!(!reply.keep_limit());
        reply.bulk(&line);
        assert!(reply.keep_limit());
    }
}
