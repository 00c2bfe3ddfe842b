//! The logs of notable commands: slow ones, large requests, large replies.
//!
//! Each log is a row of the newest entries, at most as many as its directive says.
//! An entry keeps what an operator needs to find the caller and the reason; of the
//! arguments it keeps so much as Redis does, so that an entry has a bound.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

/// Arguments that an entry keeps; the last one tells how many are left out.
const ARGS_MAX: usize = 32;
/// Bytes of one argument that an entry keeps.
const ARG_BYTES_MAX: usize = 128;

/// Why a command is notable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Slow,
    LargeRequest,
    LargeReply,
}

/// One notable call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Rises with each entry of its log, and is never used twice.
    pub id: u64,
    /// When the call ended, in seconds since the Unix epoch.
    pub unix_secs: i64,
    /// Microseconds served for a slow command, else bytes.
    pub value: u64,
    /// Microseconds between the arrival of the request and the start of the command:
    /// behind others of its pipeline, for a worker, for a lock.
    pub waited_us: u64,
    pub args: Vec<Vec<u8>>,
    pub address: String,
    pub client_name: Vec<u8>,
}

/// One log, newest entry first.
#[derive(Debug, Default)]
pub struct Log(Mutex<Rows>);

#[derive(Debug, Default)]
struct Rows {
    entries: VecDeque<Arc<Entry>>,
    next_id: u64,
}

impl Log {
    /// Adds an entry, which gets its id here, and drops the oldest beyond `len_max`.
    pub fn add(&self, mut entry: Entry, len_max: usize) {
        let mut rows = self.0.lock();
        entry.id = rows.next_id;
        rows.next_id += 1;
        rows.entries.push_front(Arc::new(entry));
        rows.entries.truncate(len_max);
    }

    /// The newest `count` entries.
    pub fn newest(&self, count: usize) -> Vec<Arc<Entry>> {
        let rows = self.0.lock();
        rows.entries.iter().take(count).cloned().collect()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.lock().entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all entries; ids go on.
    pub fn reset(&self) {
        self.0.lock().entries = VecDeque::new();
    }
}

/// The three logs.
#[derive(Debug, Default)]
pub struct CommandLogs {
    slow: Log,
    large_request: Log,
    large_reply: Log,
}

impl CommandLogs {
    /// The log of this kind.
    pub fn of(&self, kind: Kind) -> &Log {
        match kind {
            Kind::Slow => &self.slow,
            Kind::LargeRequest => &self.large_request,
            Kind::LargeReply => &self.large_reply,
        }
    }
}

/// The arguments as an entry keeps them.
pub fn kept_args<'a>(args: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let count = args.len();
    if count <= ARGS_MAX {
        return args.map(kept_arg).collect();
    }
    let mut kept: Vec<_> = args.take(ARGS_MAX - 1).map(kept_arg).collect();
    let left = count - kept.len();
    kept.push(format!("... ({left} more arguments)").into_bytes());
    kept
}

fn kept_arg(arg: &[u8]) -> Vec<u8> {
    if arg.len() <= ARG_BYTES_MAX {
        return arg.to_vec();
    }
    let left = arg.len() - ARG_BYTES_MAX;
    let mut kept = arg[..ARG_BYTES_MAX].to_vec();
    kept.extend_from_slice(format!("... ({left} more bytes)").as_bytes());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: u64) -> Entry {
        Entry {
            id: 0,
            unix_secs: 1,
            value,
            waited_us: 0,
            args: Vec::new(),
            address: String::new(),
            client_name: Vec::new(),
        }
    }

    #[test]
    fn the_newest_are_kept() {
        let log = Log::default();
        (1..=5).for_each(|value| log.add(entry(value), 3));
        let values: Vec<_> = log.newest(9).iter().map(|e| (e.id, e.value)).collect();
        assert_eq!(values, [(4, 5), (3, 4), (2, 3)]);
        assert_eq!(log.newest(1).len(), 1);
        log.reset();
        assert!(log.is_empty());
        log.add(entry(6), 3);
        assert_eq!(log.newest(1)[0].id, 5);
        log.add(entry(7), 0);
        assert!(log.is_empty());
    }

    #[test]
    fn arguments_are_cut_as_in_redis() {
        let text = |count: usize| kept_args(vec![&b"x"[..]; count].into_iter());
        assert_eq!(text(32).len(), 32);
        assert_eq!(text(32)[31], b"x");
        assert_eq!(text(33).len(), 32);
        assert_eq!(text(33)[31], b"... (2 more arguments)");
        let long = [b'a'; 130];
        let kept = kept_args([&long[..]].into_iter());
        assert_eq!(kept[0].len(), 128 + "... (2 more bytes)".len());
        assert!(kept[0].ends_with(b"a... (2 more bytes)"));
    }
}
