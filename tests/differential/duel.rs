//! One stream of commands against both servers, and the comparison of what they
//! say and, at the end, of what they hold.

use std::collections::BTreeSet;

use crate::support::{Answer, Client, Reply, encode, escape};

use super::agree::{agree, near_ms, same_numbers, sorted, sorted_pairs};
use super::grammar::{Grammar, Op, Step};
use super::values;

/// How many earlier commands a failure shows.
const CONTEXT_SHOWN_MAX: usize = 15;

/// How many calls a whole SCAN may take before it counts as endless.
const SCAN_CALLS_MAX: usize = 10_000;

/// The databases that streams can leave keys in.
const DBS_COMPARED: usize = 4;

/// Two connections fed alike.
pub struct Duel {
    ours: Client,
    theirs: Client,
    /// What was sent and answered, for the report of a failure.
    history: Vec<(Op, Option<Answer>)>,
    label: String,
}

impl Duel {
    /// A duel between the servers on two ports, in the given protocol.
    pub fn new(label: &str, our_port: u16, their_port: u16, protocol: u8) -> Self {
        let mut duel = Self {
            ours: Client::connect(our_port),
            theirs: Client::connect(their_port),
            history: Vec::new(),
            label: label.to_string(),
        };
        let hello = ["HELLO".into(), protocol.to_string()];
        duel.ours.cmd(&hello);
        duel.theirs.cmd(&hello);
        duel
    }

    /// Runs about `ops` commands of `grammar`, in pipelines of random depth.
    pub fn run(&mut self, grammar: &mut Grammar, ops: usize) {
        let mut done = 0;
        while done < ops {
            let depth = grammar.depth();
            let mut batch = Vec::new();
            let mut scan = None;
            while batch.len() < depth && scan.is_none() {
                match grammar.step() {
                    Step::Commands(commands) => batch.extend(commands),
                    Step::ScanAll(args) => scan = Some(args),
                }
            }
            done += batch.len() + 1;
            self.batch(batch);
            if let Some(args) = scan {
                self.scan_all(&args);
            }
        }
    }

    fn batch(&mut self, batch: Vec<Op>) {
        let bytes: Vec<u8> = batch.iter().flat_map(|op| encode(&op.args)).collect();
        self.ours.send_raw(&bytes);
        self.theirs.send_raw(&bytes);
        for op in batch {
            if !op.answered {
                self.history.push((op, None));
                continue;
            }
            let theirs = self.theirs.read_reply();
            let Ok(ours) = self.ours.try_read() else {
                panic!(
                    "{}",
                    self.report(&op, "(none, or the connection was closed)", &theirs)
                );
            };
            if !agree(&op, &ours, &theirs) {
                panic!("{}", self.report(&op, &ours.to_string(), &theirs));
            }
            self.history.push((op, Some(theirs)));
        }
    }

    /// A whole SCAN on each side has to yield the same set.
    fn scan_all(&mut self, args: &[Vec<u8>]) {
        let ours = scan(&mut self.ours, args);
        let theirs = scan(&mut self.theirs, args);
        let shown: Vec<String> = args.iter().map(|arg| escape(arg)).collect();
        assert_eq!(ours, theirs, "{}: SCAN 0 {}", self.label, shown.join(" "));
    }

    /// The last commands that bear on `op`, and both replies.
    fn report(&self, op: &Op, ours: &str, theirs: &Answer) -> String {
        let related = |earlier: &&(Op, Option<Answer>)| bears_on(&earlier.0, op);
        let mut context: Vec<String> = self
            .history
            .iter()
            .rev()
            .filter(related)
            .take(CONTEXT_SHOWN_MAX)
            .map(|(earlier, answer)| {
                let reply = answer
                    .as_ref()
                    .map_or("(no reply)".into(), Answer::to_string);
                format!("  {}\n      -> {reply}", show(earlier))
            })
            .collect();
        context.reverse();
        format!(
            "{}: replies differ after {} commands\n{}\n  {}\n  ours:   {ours}\n  theirs: {theirs}\n",
            self.label,
            self.history.len(),
            context.join("\n"),
            show(op),
        )
    }

    /// Compares every key of every database: type, value and remaining time.
    pub fn compare_data(&mut self) {
        for db in 0..DBS_COMPARED {
            let select = ["SELECT".to_string(), db.to_string()];
            self.same(&select);
            let ours = self.ours.cmd(&["KEYS", "*"]);
            let theirs = self.theirs.cmd(&["KEYS", "*"]);
            assert_eq!(
                sorted(&ours),
                sorted(&theirs),
                "{}: keys of db {db}",
                self.label
            );
            for key in theirs.items() {
                self.compare_key(key.bytes().expect("KEYS yields strings"));
            }
        }
    }

    fn compare_key(&mut self, key: &[u8]) {
        let kind = self.same(&[b"TYPE", key]);
        match kind.text().as_str() {
            "string" => self.same(&[b"GET", key]),
            "list" => self.same(&[b"LRANGE", key, b"0", b"-1"]),
            "hash" => self.same_pairs(&[b"HGETALL", key]),
            "set" => self.same_sorted(&[b"SMEMBERS", key]),
            "stream" => self.same(&[b"XRANGE", key, b"-", b"+"]),
            "zset" => self.same_scores(key),
            other => panic!("{}: no way to compare a {other}", self.label),
        };
        let ours = self.ours.cmd(&[b"PTTL", key]);
        let theirs = self.theirs.cmd(&[b"PTTL", key]);
        let label = &self.label;
        assert!(
            near_ms(&ours, &theirs),
            "{label}: PTTL {}: {ours:?} {theirs:?}",
            escape(key)
        );
    }

    fn same_pairs(&mut self, args: &[&[u8]]) -> Reply {
        let (ours, theirs) = (self.ours.cmd(args), self.theirs.cmd(args));
        let label = format!("{}, at the end: {}", self.label, escape(args[1]));
        assert_eq!(sorted_pairs(&ours), sorted_pairs(&theirs), "{label}");
        theirs
    }

    /// As `same`, for replies in an order of their own.
    fn same_sorted(&mut self, args: &[impl AsRef<[u8]>]) -> Reply {
        let (ours, theirs) = (self.ours.cmd(args), self.theirs.cmd(args));
        assert_eq!(sorted(&ours), sorted(&theirs), "{}", self.label);
        theirs
    }

    /// A sorted set; the two servers write some scores differently.
    fn same_scores(&mut self, key: &[u8]) -> Reply {
        let args: [&[u8]; 5] = [b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"];
        let (ours, theirs) = (self.ours.cmd(&args), self.theirs.cmd(&args));
        let label = &self.label;
        assert!(
            same_numbers(&ours, &theirs),
            "{label}: ZRANGE {}: {ours:?} {theirs:?}",
            escape(key)
        );
        theirs
    }

    fn same(&mut self, args: &[impl AsRef<[u8]>]) -> Reply {
        self.ours.send(args);
        self.theirs.send(args);
        let ours = self.ours.read_reply();
        let theirs = self.theirs.read_reply();
        let shown: Vec<String> = args.iter().map(|arg| escape(arg.as_ref())).collect();
        let label = format!("{}, at the end: {}", self.label, shown.join(" "));
        assert_eq!(ours.to_string(), theirs.to_string(), "{label}");
        assert!(
            ours.raw == theirs.raw,
            "{label}: differs beyond what is shown"
        );
        theirs.reply
    }
}

fn scan(client: &mut Client, args: &[Vec<u8>]) -> BTreeSet<Reply> {
    let mut found = BTreeSet::new();
    let mut cursor = b"0".to_vec();
    for _ in 0..SCAN_CALLS_MAX {
        let mut call = vec![b"SCAN".to_vec(), cursor];
        call.extend_from_slice(args);
        let reply = client.cmd(&call);
        let [next, keys] = reply.items() else {
            panic!("SCAN yields a cursor and keys, not {reply:?}");
        };
        found.extend(keys.items().iter().cloned());
        cursor = next.bytes().expect("a cursor is a string").to_vec();
        if cursor == b"0" {
            return found;
        }
    }
    panic!("SCAN does not end within {SCAN_CALLS_MAX} calls");
}

/// Whether an earlier command can have to do with what `op` finds: it names one
/// of its keys, or moves databases.
fn bears_on(earlier: &Op, op: &Op) -> bool {
    const ABOUT_DBS: &[&str] = &["SELECT", "SWAPDB", "FLUSHDB", "FLUSHALL", "RESET", "HELLO"];
    let keys = earlier.args.iter().skip(1);
    let mut keys = keys.filter(|arg| values::looks_like_key(arg));
    let shares_key = keys.any(|key| op.args[1..].contains(key));
    shares_key || ABOUT_DBS.contains(&earlier.name().as_str())
}

fn show(op: &Op) -> String {
    let words: Vec<String> = op
        .args
        .iter()
        .map(|arg| format!("\"{}\"", escape(arg)))
        .collect();
    words.join(" ")
}
