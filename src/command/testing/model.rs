//! The data families as plainly as they can be told: a map, vectors, and a time.
//! Knows the commands that the property test draws, in their valid forms.

mod hashes;
mod sets;
mod zset;

use std::collections::BTreeMap;

use super::{Data, Held, streams};
use crate::base::clock::Millis;
use crate::base::num;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";

/// How a modelled command ends: its reply, or an error's text.
pub type Answer = Result<String, &'static str>;

/// The model server.
pub struct Model {
    pub now: Millis,
    pub db: usize,
    data: Data,
}

pub fn bulk(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    format!("${} {text}", text.len()).trim_end().to_owned()
}

fn nullable(text: Option<&[u8]>) -> String {
    text.map_or("$-1".to_owned(), bulk)
}

pub fn array(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    let mut words = vec![format!("*{}", items.len())];
    words.extend(items);
    words.join(" ")
}

pub fn int(value: i64) -> String {
    format!(":{value}")
}

pub fn number(word: &str) -> i64 {
    word.parse().expect("the stream draws integers")
}

/// Redis's clamping of a signed, inclusive range.
fn clamp(from: i64, to: i64, len: usize) -> std::ops::Range<usize> {
    let len = len as i64;
    let from = if from < 0 { from + len } else { from }.max(0);
    let to = if to < 0 { to + len } else { to }.min(len - 1);
    if from > to {
        0..0
    } else {
        from as usize..to as usize + 1
    }
}

impl Model {
    pub fn new(now: Millis) -> Model {
        Model {
            now,
            db: 0,
            data: BTreeMap::new(),
        }
    }

    pub fn data(&mut self) -> Data {
        self.expire_all();
        self.data.clone()
    }

    /// Runs a command line.
    pub fn line(&mut self, line: &str) -> String {
        self.expire_all();
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let answer = match words[0] {
            "SET" | "PSETEX" | "GETSET" | "SETNX" => self.set(&words),
            "MSET" | "MSETNX" | "MGET" => self.many(&words),
            "SETBIT" | "GETBIT" | "BITCOUNT" | "BITOP" => self.bits(&words),
            "DELIFEQ" | "MSETEX" | "LMPOP" => self.newer(&words),
            "GET" | "GETDEL" | "GETEX" | "STRLEN" | "GETRANGE" => self.read(&words),
            "INCRBY" | "DECRBY" | "APPEND" | "SETRANGE" => self.edit(&words),
            "DEL" | "EXISTS" | "PEXPIRE" | "PTTL" | "PERSIST" | "TYPE" => self.key(&words),
            "RENAME" | "RENAMENX" | "COPY" | "MOVE" => self.transfer(&words),
            "LMOVE" => self.list_move(&words),
            "HSET" | "HSETNX" | "HSETEX" | "HINCRBY" => self.hash_set(&words),
            "HDEL" | "HGETDEL" | "HPEXPIRE" | "HPERSIST" | "HGETEX" => self.hash_change(&words),
            name if name.starts_with('H') => self.hash_read(&words),
            name if name.starts_with('S') => self.set_command(&words),
            verb if verb.starts_with('X') => self.stream(&words),
            verb if verb.starts_with('Z') => self.zset(&words),
            _ => self.list(&words),
        };
        answer.unwrap_or_else(|error| error.to_owned())
    }

    /// Removes what has expired, keys and fields.
    fn expire_all(&mut self) {
        let now = self.now;
        self.data.retain(|_, (_, at)| at.is_none_or(|at| at > now));
        let data = std::mem::take(&mut self.data).into_iter();
        let live = |(id, (held, at)): (_, (Held, _))| Some((id, (held.live(now)?, at)));
        self.data = data.filter_map(live).collect();
    }

    fn id(&self, key: &str) -> (usize, Vec<u8>) {
        (self.db, key.as_bytes().to_vec())
    }

    fn has(&self, key: &str) -> bool {
        self.data.contains_key(&self.id(key))
    }

    fn text(&self, key: &str) -> Result<Option<&[u8]>, &'static str> {
        match self.data.get(&self.id(key)) {
            None => Ok(None),
            Some((Held::Text(text), _)) => Ok(Some(text)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    fn elements(&self, key: &str) -> Result<Option<&Vec<Vec<u8>>>, &'static str> {
        match self.data.get(&self.id(key)) {
            None => Ok(None),
            Some((Held::List(list), _)) => Ok(Some(list)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    /// Runs a command on a stream, which may come to be.
    fn stream(&mut self, words: &[&str]) -> Answer {
        let key = streams::key_of(words);
        let held = match self.data.get(&self.id(key)) {
            None => None,
            Some((Held::Stream(state), _)) => Some(state.clone()),
            Some(_) => return Err(WRONG_TYPE),
        };
        let (answer, held) = streams::run(words, held, self.now);
        if let Some(state) = held {
            let at = self.expiry(key);
            self.data.insert(self.id(key), (Held::Stream(state), at));
        }
        answer
    }

    fn put(&mut self, key: &str, text: &[u8], at: Option<Millis>) {
        let held = Held::Text(text.to_vec());
        self.data.insert(self.id(key), (held, at));
    }

    /// Stores a list under its old expiry; none when it is empty.
    fn put_list(&mut self, key: &str, list: Vec<Vec<u8>>) {
        let at = self.expiry(key);
        if list.is_empty() {
            self.data.remove(&self.id(key));
        } else {
            self.data.insert(self.id(key), (Held::List(list), at));
        }
    }

    fn expiry(&self, key: &str) -> Option<Millis> {
        self.data.get(&self.id(key)).and_then(|(_, at)| *at)
    }

    fn set(&mut self, words: &[&str]) -> Answer {
        let key = words[1];
        let has = |word: &str| words[3..].contains(&word);
        let (value, at, get, allowed) = match words[0] {
            "PSETEX" => (words[3], Some(self.now + number(words[2])), false, true),
            "GETSET" => (words[2], None, true, true),
            "SETNX" => (words[2], None, false, !self.has(key)),
            _ => {
                let px = words.iter().position(|word| *word == "PX");
                let at = px.map(|at| self.now + number(words[at + 1]));
                let at = if has("KEEPTTL") { self.expiry(key) } else { at };
                let mut blocked = has("NX") && self.has(key) || has("XX") && !self.has(key);
                if let Some(at) = (words.iter()).position(|word| ["IFEQ", "IFNE"].contains(word)) {
                    let is = self.text(key)?.map(|text| text == words[at + 1].as_bytes());
                    blocked = is.unwrap_or(false) != (words[at] == "IFEQ");
                }
                (words[2], at, has("GET"), !blocked)
            }
        };
        let old = if get {
            Some(nullable(self.text(key)?))
        } else {
            None
        };
        if allowed {
            self.put(key, value.as_bytes(), at);
        }
        Ok(match (old, words[0], allowed) {
            (Some(old), ..) => old,
            (None, "SETNX", done) => int(i64::from(done)),
            (None, _, true) => "+OK".to_owned(),
            (None, _, false) => "$-1".to_owned(),
        })
    }

    fn many(&mut self, words: &[&str]) -> Answer {
        if words[0] == "MGET" {
            let texts = (words[1..].iter()).map(|key| nullable(self.text(key).unwrap_or(None)));
            return Ok(array(texts));
        }
        let pairs = words[1..].chunks_exact(2);
        if words[0] == "MSETNX" && pairs.clone().any(|pair| self.has(pair[0])) {
            return Ok(int(0));
        }
        pairs.for_each(|pair| self.put(pair[0], pair[1].as_bytes(), None));
        Ok(if words[0] == "MSET" {
            "+OK".to_owned()
        } else {
            int(1)
        })
    }

    fn bits(&mut self, words: &[&str]) -> Answer {
        let text = |key: &str| self.text(key).map(|text| text.unwrap_or(b"").to_vec());
        if words[0] == "BITOP" {
            let (mut a, b) = (text(words[3])?, text(words[4])?);
            a.resize(a.len().max(b.len()), 0);
            a.iter_mut().zip(&b).for_each(|(a, b)| *a |= b);
            if a.is_empty() {
                self.data.remove(&self.id(words[2]));
            } else {
                self.put(words[2], &a, None);
            }
            return Ok(int(a.len() as i64));
        }
        let mut text = text(words[1])?;
        if words[0] == "BITCOUNT" {
            return Ok(int(text
                .iter()
                .map(|byte| i64::from(byte.count_ones()))
                .sum()));
        }
        let bit = number(words[2]) as usize;
        let (at, mask) = (bit / 8, 0x80 >> (bit % 8));
        let old = text.get(at).is_some_and(|byte| byte & mask != 0);
        if words[0] == "SETBIT" {
            text.resize(text.len().max(at + 1), 0);
            text[at] = text[at] & !mask | if words[3] == "1" { mask } else { 0 };
            self.put(words[1], &text, self.expiry(words[1]));
        }
        Ok(int(i64::from(old)))
    }

    fn newer(&mut self, words: &[&str]) -> Answer {
        match words[0] {
            "DELIFEQ" => {
                let is = self.text(words[1])? == Some(words[2].as_bytes());
                if is {
                    self.data.remove(&self.id(words[1]));
                }
                Ok(int(i64::from(is)))
            }
            "MSETEX" => {
                let pairs = [(words[2], words[3]), (words[4], words[5])];
                if pairs.iter().any(|(key, _)| self.has(key)) {
                    return Ok(int(0));
                }
                let at = Some(self.now + number(words[7]));
                pairs
                    .iter()
                    .for_each(|(key, value)| self.put(key, value.as_bytes(), at));
                Ok(int(1))
            }
            _ => {
                for key in [words[2], words[3]] {
                    let Some(list) = self.elements(key)?.cloned() else {
                        continue;
                    };
                    let name = if words[4] == "LEFT" { "LPOP" } else { "RPOP" };
                    let popped = self.pop(&[name, key, words[6]], list);
                    return Ok(array([bulk(key.as_bytes()), popped]));
                }
                Ok("*-1".to_owned())
            }
        }
    }

    fn read(&mut self, words: &[&str]) -> Answer {
        let text = self.text(words[1])?.map(<[u8]>::to_vec);
        let id = self.id(words[1]);
        match words[0] {
            "GETDEL" => drop(self.data.remove(&id)),
            "GETEX" => {
                let at = words.get(3).map(|ms| self.now + number(ms));
                self.data.entry(id).and_modify(|(_, old)| *old = at);
            }
            "STRLEN" => return Ok(int(text.map_or(0, |text| text.len() as i64))),
            "GETRANGE" => {
                let text = text.unwrap_or_default();
                let (from, mut to) = (number(words[2]), number(words[3]));
                if from < 0 && to < 0 && from > to {
                    return Ok(bulk(b""));
                }
                to = if to < 0 {
                    (to + text.len() as i64).max(0)
                } else {
                    to
                };
                return Ok(bulk(&text[clamp(from, to, text.len())]));
            }
            _ => {}
        }
        Ok(nullable(text.as_deref()))
    }

    fn edit(&mut self, words: &[&str]) -> Answer {
        let (key, at) = (words[1], self.expiry(words[1]));
        let mut text = self.text(key)?.unwrap_or(b"").to_vec();
        match words[0] {
            "APPEND" => text.extend_from_slice(words[2].as_bytes()),
            "SETRANGE" => {
                let from = number(words[2]) as usize;
                let end = from + words[3].len();
                text.resize(text.len().max(end), 0);
                text[from..end].copy_from_slice(words[3].as_bytes());
            }
            verb => {
                let old = if self.has(key) {
                    num::parse_i64(&text)
                } else {
                    Some(0)
                };
                let delta = number(words[2]) * if verb == "INCRBY" { 1 } else { -1 };
                let sum = (old.ok_or(NOT_INTEGER)?.checked_add(delta))
                    .ok_or("-ERR increment or decrement would overflow")?;
                self.put(key, sum.to_string().as_bytes(), at);
                return Ok(int(sum));
            }
        }
        self.put(key, &text, at);
        Ok(int(text.len() as i64))
    }

    fn key(&mut self, words: &[&str]) -> Answer {
        let id = self.id(words[1]);
        let count = match words[0] {
            "DEL" => (words[1..].iter())
                .filter(|key| self.data.remove(&self.id(key)).is_some())
                .count(),
            "EXISTS" => words[1..].iter().filter(|key| self.has(key)).count(),
            "PEXPIRE" => usize::from(self.expire(words)),
            "PERSIST" => {
                let at = self.data.get_mut(&id).and_then(|(_, at)| at.take());
                usize::from(at.is_some())
            }
            "TYPE" => {
                return Ok(match self.data.get(&id) {
                    None => "+none",
                    Some((Held::Text(_), _)) => "+string",
                    Some((Held::List(_), _)) => "+list",
                    Some((Held::Hash(_), _)) => "+hash",
                    Some((Held::ZSet(_), _)) => "+zset",
                    Some((Held::Set(_), _)) => "+set",
                    Some((Held::Stream(_), _)) => "+stream",
                }
                .to_owned());
            }
            _ => {
                return Ok(int(match self.data.get(&id) {
                    None => -2,
                    Some((_, None)) => -1,
                    Some((_, Some(at))) => at - self.now,
                }));
            }
        };
        Ok(int(count as i64))
    }

    fn expire(&mut self, words: &[&str]) -> bool {
        let new = self.now + number(words[2]);
        let id = self.id(words[1]);
        let Some((_, at)) = self.data.get_mut(&id) else {
            return false;
        };
        let allowed = match words.get(3) {
            Some(&"NX") => at.is_none(),
            Some(&"XX") => at.is_some(),
            Some(&"GT") => at.is_some_and(|old| new > old),
            Some(&"LT") => at.is_none_or(|old| new < old),
            _ => true,
        };
        if allowed {
            *at = Some(new);
        }
        allowed
    }

    fn transfer(&mut self, words: &[&str]) -> Answer {
        let from = self.id(words[1]);
        let mut to = self.id(words[2]);
        let held = self.data.get(&from).cloned();
        let mut replace = words[0] == "RENAME";
        match words[0] {
            "RENAME" | "RENAMENX" if held.is_none() => return Err("-ERR no such key"),
            "COPY" => {
                if words.contains(&"DB") {
                    to.0 = 1;
                }
                replace = words.contains(&"REPLACE");
            }
            "MOVE" => to = (number(words[2]) as usize, from.1.clone()),
            _ => {}
        }
        if from == to && !words[0].starts_with("RENAME") {
            return Err("-ERR source and destination objects are the same");
        }
        let done = held.is_some() && (replace || !self.data.contains_key(&to));
        if let (true, Some(held)) = (done, held) {
            if words[0] != "COPY" {
                self.data.remove(&from);
            }
            self.data.insert(to, held);
        }
        Ok(if words[0] == "RENAME" {
            "+OK".to_owned()
        } else {
            int(i64::from(done))
        })
    }

    fn list_move(&mut self, words: &[&str]) -> Answer {
        let Some(mut from) = self.elements(words[1])?.cloned() else {
            return Ok("$-1".to_owned());
        };
        self.elements(words[2])?;
        let at = if words[3] == "LEFT" {
            0
        } else {
            from.len() - 1
        };
        let item = from.remove(at);
        let same = words[1] == words[2];
        let mut to = if same {
            from.clone()
        } else {
            self.elements(words[2])?.cloned().unwrap_or_default()
        };
        let at = if words[4] == "LEFT" { 0 } else { to.len() };
        to.insert(at, item.clone());
        if !same {
            self.put_list(words[1], from);
        }
        self.put_list(words[2], to);
        Ok(bulk(&item))
    }

    fn list(&mut self, words: &[&str]) -> Answer {
        let key = words[1];
        let Some(list) = self.elements(key)?.cloned() else {
            return self.no_list(words);
        };
        match words[0] {
            "LRANGE" => {
                let range = clamp(number(words[2]), number(words[3]), list.len());
                Ok(array(list[range].iter().map(|item| bulk(item))))
            }
            "LINDEX" => Ok(nullable(at(&list, words[2]).map(|at| list[at].as_slice()))),
            "LPOP" | "RPOP" => Ok(self.pop(words, list)),
            _ => self.change(words, list),
        }
    }

    fn no_list(&mut self, words: &[&str]) -> Answer {
        Ok(match words[0] {
            "LPUSH" | "RPUSH" => return self.change(words, Vec::new()),
            "LPUSHX" | "RPUSHX" | "LREM" | "LINSERT" => int(0),
            "LSET" => return Err("-ERR no such key"),
            "LTRIM" => "+OK".to_owned(),
            "LRANGE" => "*0".to_owned(),
            "LPOP" | "RPOP" if words.len() > 2 => "*-1".to_owned(),
            _ => "$-1".to_owned(),
        })
    }

    fn pop(&mut self, words: &[&str], mut list: Vec<Vec<u8>>) -> String {
        let count = words
            .get(2)
            .map_or(1, |count| number(count) as usize)
            .min(list.len());
        let gone: Vec<String> = (0..count)
            .map(|_| {
                let at = if words[0] == "LPOP" {
                    0
                } else {
                    list.len() - 1
                };
                bulk(&list.remove(at))
            })
            .collect();
        self.put_list(words[1], list);
        if words.len() > 2 {
            array(gone)
        } else {
            gone.concat()
        }
    }

    fn change(&mut self, words: &[&str], mut list: Vec<Vec<u8>>) -> Answer {
        let item = |word: &str| word.as_bytes().to_vec();
        let reply = match words[0] {
            "LPUSH" | "LPUSHX" => {
                words[2..]
                    .iter()
                    .for_each(|word| list.insert(0, item(word)));
                int(list.len() as i64)
            }
            "RPUSH" | "RPUSHX" => {
                list.extend(words[2..].iter().map(|word| item(word)));
                int(list.len() as i64)
            }
            "LSET" => {
                let at = at(&list, words[2]).ok_or("-ERR index out of range")?;
                list[at] = item(words[3]);
                "+OK".to_owned()
            }
            "LREM" => {
                let count = number(words[2]);
                int(remove(&mut list, count, words[3].as_bytes()))
            }
            "LINSERT" => match list.iter().position(|old| *old == words[3].as_bytes()) {
                None => int(-1),
                Some(at) => {
                    list.insert(at + usize::from(words[2] == "AFTER"), item(words[4]));
                    int(list.len() as i64)
                }
            },
            _ => {
                let range = clamp(number(words[2]), number(words[3]), list.len());
                list = list[range].to_vec();
                "+OK".to_owned()
            }
        };
        self.put_list(words[1], list);
        Ok(reply)
    }
}

/// The index that a signed index names.
fn at(list: &[Vec<u8>], word: &str) -> Option<usize> {
    let index = number(word);
    let index = if index < 0 {
        index + list.len() as i64
    } else {
        index
    };
    usize::try_from(index).ok().filter(|at| *at < list.len())
}

fn remove(list: &mut Vec<Vec<u8>>, count: i64, text: &[u8]) -> i64 {
    let mut left = if count == 0 { i64::MAX } else { count.abs() };
    let before = list.len();
    let mut keep = |old: &Vec<u8>| {
        let hit = old == text && left > 0;
        left -= i64::from(hit);
        !hit
    };
    if count < 0 {
        list.reverse();
        list.retain(&mut keep);
        list.reverse();
    } else {
        list.retain(&mut keep);
    }
    (before - list.len()) as i64
}
