//! The commands that the streams are made of, written as a grammar.
//!
//! A rule is one line. Words stand for themselves, `<name>` for a value drawn
//! at random, `[a|b]` for nothing or one of the alternatives, `(a|b)` for one of
//! them, `{a}` for one to four times `a`. So the tables in
//! `rules` read like the synopses in a manual.
//!
//! Some commands are then spoiled on purpose: a dropped or surplus argument, a
//! number replaced by something that is none, a name in odd case. What the rules
//! never yield is a time near the present: every expiry lies hours ahead or far
//! in the past, so that no reply depends on when it was asked for.

use crate::support::Rng;

use super::rules::{FAMILIES, WHOLE};
use super::values;

/// One command of a stream.
#[derive(Clone, Debug)]
pub struct Op {
    /// The command and its arguments.
    pub args: Vec<Vec<u8>>,
    /// Whether it is answered; not so behind `CLIENT REPLY OFF`.
    pub answered: bool,
}

impl Op {
    fn new(args: Vec<Vec<u8>>) -> Self {
        Self {
            args,
            answered: true,
        }
    }

    fn silent(words: &str) -> Self {
        let args = words.split(' ').map(|word| word.as_bytes().to_vec());
        Self {
            args: args.collect(),
            answered: false,
        }
    }

    /// The command's name in upper case.
    pub fn name(&self) -> String {
        let name = self.args.first().map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(name).to_ascii_uppercase()
    }

    /// Argument `index` in upper case, empty when there is none.
    pub fn word(&self, index: usize) -> String {
        let word = self.args.get(index).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(word).to_ascii_uppercase()
    }
}

/// What comes next on a connection.
pub enum Step {
    /// Commands that belong together, pipelined with their neighbours.
    Commands(Vec<Op>),
    /// A whole iteration of SCAN with these arguments behind the cursor, run on
    /// its own and compared as a set.
    ScanAll(Vec<Vec<u8>>),
}

/// How seldom each kind of spoiling happens, as one in so many.
const SPOILED_ONE_IN: usize = 25;
const ODD_CASE_ONE_IN: usize = 10;
const SCAN_ONE_IN: usize = 80;
const MACRO_ONE_IN: usize = 60;

/// A source of steps for one connection.
pub struct Grammar {
    rng: Rng,
    /// Before every key, so that connections can keep apart.
    prefix: String,
    /// Whether commands about whole databases may be drawn.
    alone: bool,
    /// The protocol to return to after RESET.
    protocol: u8,
}

impl Grammar {
    /// Steps drawn from `rng`.
    pub fn new(rng: Rng, prefix: &str, alone: bool, protocol: u8) -> Self {
        Self {
            rng,
            prefix: prefix.to_string(),
            alone,
            protocol,
        }
    }

    /// How deep the next pipeline is to be.
    pub fn depth(&mut self) -> usize {
        match self.rng.below(4) {
            0 => 1,
            1 => 1 + self.rng.below(4),
            2 => 1 + self.rng.below(32),
            _ => 1 + self.rng.below(200),
        }
    }

    /// The next step.
    pub fn step(&mut self) -> Step {
        if self.alone && self.rng.one_in(SCAN_ONE_IN) {
            return Step::ScanAll(
                self.expand("[MATCH <pattern>] [COUNT <limit>] [TYPE (string|list|hash|zset)]"),
            );
        }
        if self.rng.one_in(MACRO_ONE_IN) {
            return Step::Commands(self.macro_step());
        }
        let rule = self.draw_rule();
        let mut args = self.expand(rule);
        // 7.0 keeps the name of a HELLO that fails at a later word, 7.2 does not.
        let names = args[0] == b"HELLO" && args.len() > 2;
        // Nor is anything defined about the texts of elements with different scores.
        let by_text = args
            .get(1)
            .is_some_and(|key| values::is_ordered_by_text(key));
        // Without its count it would take a member of its own choice.
        let chooses = args[0] == b"SPOP";
        if self.rng.one_in(SPOILED_ONE_IN) && !(names || by_text || chooses) {
            self.spoil(&mut args);
        }
        if self.rng.one_in(ODD_CASE_ONE_IN) {
            self.odd_case(&mut args[0]);
        }
        Step::Commands(vec![Op::new(args)])
    }

    fn draw_rule(&mut self) -> &'static str {
        let whole = if self.alone { WHOLE } else { &[] };
        let rules = || FAMILIES.iter().copied().flatten().chain(whole);
        let total: usize = rules().map(|(weight, _)| weight).sum();
        let mut left = self.rng.below(total);
        for (weight, rule) in rules() {
            if left < *weight {
                return rule;
            }
            left -= weight;
        }
        unreachable!("a draw below the sum of the weights ends within the table")
    }

    /// Commands that only make sense together.
    fn macro_step(&mut self) -> Vec<Op> {
        match self.rng.below(3) {
            // A key stored as expired is gone for every reader; DEL makes sure
            // that both servers have also reclaimed it, for DBSIZE's sake.
            0 => {
                let mut set = self.expand("SET <str> <value> (EXAT 1|PXAT 1000|EXAT 1000000000)");
                let key = set[1].clone();
                set[0] = b"SET".to_vec();
                let on_key = |name: &str| Op::new(vec![name.as_bytes().to_vec(), key.clone()]);
                vec![
                    Op::new(set),
                    on_key("GET"),
                    on_key("EXISTS"),
                    on_key("TTL"),
                    on_key("DEL"),
                ]
            }
            1 => {
                let hello = self.protocol.to_string();
                let words = [
                    vec!["RESET"],
                    vec!["CLIENT", "GETNAME"],
                    vec!["HELLO", &hello],
                ];
                let bytes =
                    |line: &Vec<&str>| line.iter().map(|word| word.as_bytes().to_vec()).collect();
                words.iter().map(|line| Op::new(bytes(line))).collect()
            }
            _ => {
                let mut hidden =
                    Op::new(self.expand("(APPEND <str> <value>|RPUSH <list> <elem>|junk)"));
                hidden.answered = false;
                let on = ["CLIENT", "REPLY", "ON"].map(|word| word.as_bytes().to_vec());
                match self.rng.one_in(2) {
                    true => vec![Op::silent("CLIENT REPLY OFF"), hidden, Op::new(on.to_vec())],
                    false => vec![Op::silent("CLIENT REPLY SKIP"), hidden],
                }
            }
        }
    }

    /// Among other connections keys are left alone: a junk key, or a value
    /// that moves into a key's place, would be shared with the others.
    fn spoil(&mut self, args: &mut Vec<Vec<u8>>) {
        let position = self.rng.below(args.len());
        let is_key = !self.alone && args[position].starts_with(self.prefix.as_bytes());
        match self.rng.below(3) {
            0 if position > 0 && !is_key => {
                args.remove(position);
            }
            1 if position > 0 && !is_key => args[position] = values::not_a_number(&mut self.rng),
            _ => args.push(values::not_a_number(&mut self.rng)),
        }
    }

    fn odd_case(&mut self, name: &mut [u8]) {
        for byte in name {
            if self.rng.one_in(2) {
                *byte ^= if byte.is_ascii_alphabetic() { 0x20 } else { 0 };
            }
        }
    }

    /// One command as `rule` has it.
    fn expand(&mut self, rule: &str) -> Vec<Vec<u8>> {
        let mut args = Vec::new();
        self.sequence(rule, &mut args);
        args
    }

    fn sequence(&mut self, rule: &str, args: &mut Vec<Vec<u8>>) {
        for item in split_top(rule, ' ') {
            self.item(item, args);
        }
    }

    fn item(&mut self, item: &str, args: &mut Vec<Vec<u8>>) {
        let inner = || &item[1..item.len() - 1];
        match item.as_bytes().first() {
            None => {}
            Some(b'[') if self.rng.one_in(2) => {}
            Some(b'[' | b'(') => {
                let alternatives = split_top(inner(), '|');
                let chosen = alternatives[self.rng.below(alternatives.len())];
                self.sequence(chosen, args);
            }
            Some(b'{') => {
                for _ in 0..1 + self.rng.below(4) {
                    self.sequence(inner(), args);
                }
            }
            Some(b'<') => args.push(values::draw(inner(), &self.prefix, &mut self.rng)),
            Some(_) => args.push(item.as_bytes().to_vec()),
        }
    }
}

/// Splits at `separator` where no bracket is open.
fn split_top(rule: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (at, c) in rule.char_indices() {
        match c {
            '[' | '(' | '{' | '<' => depth += 1,
            ']' | ')' | '}' | '>' => depth -= 1,
            c if c == separator && depth == 0 => {
                parts.push(&rule[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&rule[start..]);
    parts
}

#[test]
fn brackets_hold_their_alternatives_together() {
    assert_eq!(split_top("A (b c|d) [e]", ' '), ["A", "(b c|d)", "[e]"]);
    assert_eq!(split_top("b (x|y)|d|", '|'), ["b (x|y)", "d", ""]);
}
