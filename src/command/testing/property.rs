//! Random commands of all data families against a plain model, and the replay of
//! what they tell the journal.

mod hashes;

use super::model::Model;
use super::{Recorded, Rig, START, seed};
use crate::base::rng::Rng;

/// In milliseconds.
const HOUR: u64 = 3_600_000;
const KEYS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Draws commands over few keys, so that they meet.
pub struct Stream {
    pub rng: Rng,
    /// The expiries drawn, in milliseconds from now.
    pub ttl: std::ops::Range<u64>,
}

impl Stream {
    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[self.rng.below(words.len() as u64) as usize]
    }

    fn key(&mut self) -> &'static str {
        self.pick(&KEYS)
    }

    fn int(&mut self, low: i64, high: i64) -> i64 {
        low + self.rng.below((high - low + 1) as u64) as i64
    }

    fn value(&mut self) -> String {
        match self.rng.below(8) {
            0 => self.int(-20, 20).to_string(),
            1 => "9223372036854775807".to_owned(),
            2 => "x".repeat(self.int(180, 300) as usize),
            3 => "7".repeat(self.int(18, 22) as usize),
            _ => self.pick(&["u", "v", "w", "x", "3.5"]).to_owned(),
        }
    }

    fn ttl(&mut self) -> u64 {
        self.ttl.start + self.rng.below(self.ttl.end - self.ttl.start)
    }

    /// The next command line.
    pub fn next(&mut self) -> String {
        match self.rng.below(10) {
            0 => self.string(),
            1 => self.list(),
            2 => self.keys(),
            3 | 4 => self.hash(),
            5 => self.set(),
            6 => super::streams::draw(&mut self.rng),
            7 => self.bits_and_comparisons(),
            8 => self.zset(),
            _ => self.other_string(),
        }
    }

    fn string(&mut self) -> String {
        let (key, value) = (self.key(), self.value());
        let condition = self.pick(&["", "", "NX", "XX"]);
        let get = self.pick(&["", "", "GET"]);
        let ttl = self.ttl();
        match self.rng.below(8) {
            0 => format!("SET {key} {value} {condition} {get}"),
            1 => format!("SET {key} {value} {condition} PX {ttl} {get}"),
            2 => format!("SET {key} {value} KEEPTTL {condition}"),
            3 => format!("PSETEX {key} {ttl} {value}"),
            4 => format!("GETSET {key} {value}"),
            5 => format!("SETNX {key} {value}"),
            6 => format!("MSET {key} {value} {} x", self.key()),
            _ => format!("MSETNX {key} {value} {} y", self.key()),
        }
    }

    fn other_string(&mut self) -> String {
        let (key, value) = (self.key(), self.value());
        match self.rng.below(12) {
            0 => format!("GET {key}"),
            1 => format!("GETDEL {key}"),
            2 => format!("GETEX {key} PX {}", self.ttl()),
            3 => format!("GETEX {key} PERSIST"),
            4 | 5 => format!("INCRBY {key} {}", self.int(-9, 9)),
            6 => format!("APPEND {key} {value}"),
            7 => format!("SETRANGE {key} {} {value}", self.int(0, 210)),
            8 => format!(
                "GETRANGE {key} {} {}",
                self.int(-250, 250),
                self.int(-250, 250)
            ),
            9 => format!("STRLEN {key}"),
            10 => format!("MGET {key} {} {}", self.key(), self.key()),
            _ => format!("DECRBY {key} {}", self.int(-9, 9)),
        }
    }

    /// Bits 1 and 7 of a byte only: they leave text text.
    fn bits_and_comparisons(&mut self) -> String {
        let (key, other, value) = (self.key(), self.key(), self.value());
        let (old, ttl) = (self.value(), self.ttl());
        let bit = 8 * self.int(0, 220) + self.int(0, 1) * 6 + 1;
        match self.rng.below(12) {
            0..=2 => format!("SETBIT {key} {bit} {}", self.int(0, 1)),
            3 => format!("GETBIT {key} {bit}"),
            4 => format!("BITCOUNT {key}"),
            5 => format!("BITOP OR {key} {other} {}", self.key()),
            6 => format!("SET {key} {value} IFEQ {old} GET"),
            7 => format!("SET {key} {value} IFNE {old} KEEPTTL"),
            8 => format!("SET {key} {value} PX {ttl} IFEQ {old}"),
            9 => format!("DELIFEQ {key} {value}"),
            10 => format!("MSETEX 2 {key} {value} {other} x PX {ttl} NX"),
            _ => format!(
                "LMPOP 2 {key} {other} {} COUNT {}",
                self.pick(&["LEFT", "RIGHT"]),
                self.int(1, 3)
            ),
        }
    }

    fn list(&mut self) -> String {
        let (key, other, value) = (self.key(), self.key(), self.value());
        let (from, to) = (self.int(-6, 6), self.int(-6, 6));
        let (end, other_end) = (self.pick(&["L", "R"]), self.pick(&["LEFT", "RIGHT"]));
        match self.rng.below(14) {
            0..=3 => format!("{end}PUSH {key} {value} u v"),
            4 => format!("{end}PUSHX {key} {value}"),
            5 => format!("{end}POP {key}"),
            6 => format!("{end}POP {key} {}", self.int(0, 4)),
            7 => format!("LRANGE {key} {from} {to}"),
            8 => format!("LINDEX {key} {from}"),
            9 => format!("LSET {key} {from} {value}"),
            10 => format!("LREM {key} {} u", self.int(-2, 2)),
            11 => format!(
                "LINSERT {key} {} u {value}",
                self.pick(&["BEFORE", "AFTER"])
            ),
            12 => format!("LTRIM {key} {from} {to}"),
            _ => format!(
                "LMOVE {key} {other} {other_end} {}",
                self.pick(&["LEFT", "RIGHT"])
            ),
        }
    }

    /// A member: few, so that they meet; some make a set large.
    fn member(&mut self) -> String {
        match self.rng.below(6) {
            0..=2 => self.int(-8, 8).to_string(),
            3 => self.value(),
            _ => self.pick(&["u", "v", "w", "x"]).to_owned(),
        }
    }

    fn set(&mut self) -> String {
        let (key, other, member) = (self.key(), self.key(), self.member());
        match self.rng.below(16) {
            0..=4 => format!("SADD {key} {member} {} {}", self.member(), self.member()),
            5 => format!("SREM {key} {member} {}", self.member()),
            6 => format!("SMOVE {key} {other} {member}"),
            7 => format!("SISMEMBER {key} {member}"),
            8 => format!("SMISMEMBER {key} {member} {}", self.member()),
            9 => format!("SCARD {key}"),
            10 => format!("SINTERCARD 2 {key} {other} LIMIT {}", self.int(0, 3)),
            11 => format!("SINTERSTORE {key} {other} {}", self.key()),
            12 => format!("SUNIONSTORE {key} {other} {}", self.key()),
            13 => format!("SDIFFSTORE {key} {other} {}", self.key()),
            14 => format!("SPOP {key} 100"),
            _ => format!("SMEMBERS {key}"),
        }
    }

    fn zset(&mut self) -> String {
        let (key, other, member) = (self.key(), self.key(), self.value());
        let (from, to) = (self.int(-6, 6), self.int(-6, 6));
        let end = self.pick(&["MIN", "MAX"]);
        match self.rng.below(18) {
            0..=3 => format!("ZADD {key} {from} {member} {to} u"),
            4 => format!("ZINCRBY {key} {from} {member}"),
            5 => format!("ZREM {key} {member} u"),
            6 => format!("ZSCORE {key} {member}"),
            7 => format!("ZRANK {key} u"),
            8 => format!("ZCARD {key}"),
            9 => format!("ZRANGE {key} {from} {to} WITHSCORES"),
            10 => format!("ZCOUNT {key} {from} {to}"),
            11 => format!("ZREMRANGEBYRANK {key} {from} {to}"),
            12 => format!("ZREMRANGEBYSCORE {key} {from} {to}"),
            13 => format!("ZPOP{end} {key} {}", self.int(0, 3)),
            14 => format!("ZMPOP 2 {key} {other} {end} COUNT {}", self.int(1, 3)),
            15 => format!("ZRANGESTORE {key} {other} {from} {to}"),
            _ => {
                let op = self.pick(&["UNION", "INTER", "DIFF"]);
                format!("Z{op}STORE {} 2 {key} {other}", self.key())
            }
        }
    }

    fn keys(&mut self) -> String {
        let (key, other, ttl) = (self.key(), self.key(), self.ttl());
        match self.rng.below(14) {
            0 => format!("DEL {key} {other}"),
            1 => format!("EXISTS {key} {other}"),
            2..=4 => format!(
                "PEXPIRE {key} {ttl} {}",
                self.pick(&["", "NX", "XX", "GT", "LT"])
            ),
            5 => format!("PTTL {key}"),
            6 => format!("PERSIST {key}"),
            7 => format!("TYPE {key}"),
            8 => format!("RENAME {key} {other}"),
            9 => format!("RENAMENX {key} {other}"),
            10 => format!("COPY {key} {other}"),
            11 => format!("COPY {key} {other} REPLACE"),
            12 => format!("COPY {key} {other} DB 1 REPLACE"),
            _ => format!("MOVE {key} {}", self.int(0, 1)),
        }
    }
}

/// A reply's words in an order of their own.
fn sorted(reply: &str) -> Vec<&str> {
    let mut words: Vec<&str> = reply.split(' ').collect();
    words.sort_unstable();
    words
}

/// Small limits, so that sets of the few members drawn change their encoding.
fn shrink_sets(rig: &mut Rig) {
    use crate::config::Id;
    for id in [Id::SET_MAX_INTSET_ENTRIES, Id::SET_MAX_LISTPACK_ENTRIES] {
        rig.services.config.set(id, b"3").expect("a valid size");
    }
}

#[test]
fn the_engine_agrees_with_a_plain_model() {
    let rng = Rng::seeded(seed("the_engine_agrees_with_a_plain_model"));
    let mut stream = Stream { rng, ttl: 1..200 };
    for round in 0..20 {
        let mut rig = Rig::new();
        // Small limits, so that values change their encoding.
        if round % 2 == 0 {
            for id in [
                crate::config::Id::LIST_MAX_LISTPACK_SIZE,
                crate::config::Id::HASH_MAX_LISTPACK_ENTRIES,
                crate::config::Id::ZSET_MAX_LISTPACK_ENTRIES,
            ] {
                rig.services.config.set(id, b"4").expect("a valid size");
            }
            shrink_sets(&mut rig);
        }
        let mut model = Model::new(rig.now);
        for step in 0..1000 {
            rig.now += stream.rng.below(8) as i64;
            rig.session.db = usize::from(stream.rng.below(5) == 0);
            (model.now, model.db) = (rig.now, rig.session.db);
            let line = stream.next();
            let (ours, modelled) = (rig.line(&line), model.line(&line));
            let unordered = line.starts_with("SMEMBERS") || line.starts_with("SPOP");
            let agree = match unordered {
                true => sorted(&ours) == sorted(&modelled),
                false => super::streams::agree(&ours, &modelled),
            };
            assert!(
                agree,
                "round {round}, step {step}: {line}: {ours} is not {modelled}"
            );
        }
        assert_eq!(rig.data(), model.data());
    }
}

/// Runs random writes; what they told the journal, and the server after them.
fn recorded(seed: u64, ttl: std::ops::Range<u64>) -> (Rig, Vec<Recorded>) {
    let mut stream = Stream {
        rng: Rng::seeded(seed),
        ttl,
    };
    let mut rig = Rig::new();
    if seed.is_multiple_of(2) {
        shrink_sets(&mut rig);
    }
    for _ in 0..1500 {
        rig.now += stream.rng.below(8) as i64;
        rig.session.db = usize::from(stream.rng.below(5) == 0);
        let line = match stream.rng.below(20) {
            0 => format!("INCRBYFLOAT {} 0.{}", stream.key(), stream.int(1, 9)),
            1 => format!("HINCRBYFLOAT {} f1 0.{}", stream.key(), stream.int(1, 9)),
            2 => format!("SPOP {}", stream.key()),
            3 => format!("SPOP {} {}", stream.key(), stream.int(0, 5)),
            _ => stream.next(),
        };
        rig.line(&line);
    }
    let told = std::mem::take(&mut *rig.journal.commands.lock());
    (rig, told)
}

fn replayed(commands: &[Recorded], now: i64) -> Rig {
    let mut rig = Rig::new();
    rig.now = now;
    for (db, words) in commands {
        rig.session.db = *db;
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let reply = rig.run(&words);
        assert!(!reply.starts_with(b"-"), "{words:?}: {reply:?}");
    }
    rig
}

#[test]
fn replaying_the_journal_later_gives_the_same_data() {
    let seed = seed("replaying_the_journal_later_gives_the_same_data");
    for round in 0..10 {
        let (rig, told) = recorded(seed.wrapping_add(round), HOUR..2 * HOUR);
        let again = replayed(&told, START + HOUR as i64 / 2);
        assert!(!rig.data().is_empty());
        assert_eq!(rig.data(), again.data_at(rig.now), "round {round}");
    }
}

/// A log is replayed at time 0, where nothing expires by itself: that keys went
/// is in the log.
#[test]
fn replaying_a_journal_with_expired_keys_gives_the_same_data() {
    let seed = seed("replaying_a_journal_with_expired_keys_gives_the_same_data");
    for round in 0..10 {
        let (rig, told) = recorded(seed.wrapping_add(round), 1..100);
        let again = replayed(&told, 0);
        assert_eq!(rig.data(), again.data_at(rig.now), "round {round}");
    }
}
