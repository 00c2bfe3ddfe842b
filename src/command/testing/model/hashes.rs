//! Hashes in the model: a map of fields, each with its value and perhaps a time.

use super::super::{Held, HeldFields};
use super::{Answer, Model, WRONG_TYPE, array, int, nullable, num, number};
use crate::base::clock::Millis;

impl Model {
    fn fields(&self, key: &str) -> Result<Option<&HeldFields>, &'static str> {
        match self.data.get(&self.id(key)) {
            None => Ok(None),
            Some((Held::Hash(fields), _)) => Ok(Some(fields)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    fn put_fields(&mut self, key: &str, fields: HeldFields) {
        let at = self.expiry(key);
        if fields.is_empty() {
            self.data.remove(&self.id(key));
        } else {
            self.data.insert(self.id(key), (Held::Hash(fields), at));
        }
    }

    pub(super) fn hash_read(&mut self, words: &[&str]) -> Answer {
        let now = self.now;
        let none = HeldFields::new();
        let fields = self.fields(words[1])?.unwrap_or(&none);
        let find = |name: &str| fields.get(name.as_bytes());
        let value = |name: &str| nullable(find(name).map(|(value, _)| value.as_slice()));
        Ok(match words[0] {
            "HGET" => value(words[2]),
            "HMGET" => array(words[2..].iter().map(|name| value(name))),
            "HLEN" => int(fields.len() as i64),
            "HEXISTS" => int(i64::from(find(words[2]).is_some())),
            "HSTRLEN" => int(find(words[2]).map_or(0, |(value, _)| value.len() as i64)),
            _ => array(words[4..].iter().map(|name| {
                int(match find(name) {
                    None => -2,
                    Some((_, None)) => -1,
                    Some((_, Some(at))) => at - now,
                })
            })),
        })
    }

    pub(super) fn hash_set(&mut self, words: &[&str]) -> Answer {
        let key = words[1];
        let mut fields = self.fields(key)?.cloned().unwrap_or_default();
        let before = fields.len();
        let word = |word: &str| words.iter().position(|found| *found == word);
        let reply = match words[0] {
            "HINCRBY" => {
                let (old, at) = (fields.get(words[2].as_bytes()).cloned())
                    .unwrap_or_else(|| (b"0".to_vec(), None));
                let old = num::parse_i64(&old).ok_or("-ERR hash value is not an integer")?;
                let sum = (old.checked_add(number(words[3])))
                    .ok_or("-ERR increment or decrement would overflow")?;
                let text = sum.to_string().into_bytes();
                fields.insert(words[2].as_bytes().to_vec(), (text, at));
                int(sum)
            }
            "HSETNX" if fields.contains_key(words[2].as_bytes()) => return Ok(int(0)),
            "HSETEX" => {
                let start = word("FIELDS").expect("drawn with fields") + 2;
                let names = || words[start..].iter().step_by(2);
                let there = |name: &&str| fields.contains_key(name.as_bytes());
                let refused = word("FNX").is_some() && names().any(there)
                    || word("FXX").is_some() && !names().all(there);
                if refused {
                    return Ok(int(0));
                }
                let at = word("PX").map(|at| self.now + number(words[at + 1]));
                set(&mut fields, &words[start..], at, word("KEEPTTL").is_some());
                int(1)
            }
            _ => {
                set(&mut fields, &words[2..], None, false);
                int((fields.len() - before) as i64)
            }
        };
        self.put_fields(key, fields);
        Ok(reply)
    }

    pub(super) fn hash_change(&mut self, words: &[&str]) -> Answer {
        let (key, now) = (words[1], self.now);
        let mut fields = self.fields(key)?.cloned().unwrap_or_default();
        let start = words.iter().position(|word| *word == "FIELDS");
        let names = &words[start.map_or(2, |at| at + 2)..];
        let mut replies = Vec::new();
        for name in names {
            let name = name.as_bytes();
            let value = nullable(fields.get(name).map(|(value, _)| value.as_slice()));
            let held = fields.get_mut(name);
            replies.push(match (words[0], held) {
                ("HPEXPIRE", held) => int(expire(held, now + number(words[2]), words[3])),
                ("HPERSIST", None) => int(-2),
                ("HPERSIST", Some((_, at))) => int(if at.take().is_some() { 1 } else { -1 }),
                ("HGETEX", Some((_, at))) => {
                    match words[2] {
                        "PX" => *at = Some(now + number(words[3])),
                        "PERSIST" => *at = None,
                        _ => {}
                    }
                    value
                }
                ("HGETEX", None) => value,
                _ => {
                    let found = fields.remove(name).is_some();
                    if words[0] == "HDEL" {
                        int(i64::from(found))
                    } else {
                        value
                    }
                }
            });
        }
        self.put_fields(key, fields);
        if words[0] == "HDEL" {
            let removed = replies.iter().filter(|reply| *reply == ":1").count();
            return Ok(int(removed as i64));
        }
        Ok(array(replies))
    }
}

fn set(fields: &mut HeldFields, pairs: &[&str], at: Option<Millis>, keep: bool) {
    for pair in pairs.chunks_exact(2) {
        let name = pair[0].as_bytes().to_vec();
        let old = fields.get(&name).and_then(|(_, at)| *at);
        let at = if keep { old } else { at };
        fields.insert(name, (pair[1].as_bytes().to_vec(), at));
    }
}

fn expire(held: Option<&mut (Vec<u8>, Option<Millis>)>, new: Millis, condition: &str) -> i64 {
    let Some((_, at)) = held else {
        return -2;
    };
    let allowed = match condition {
        "NX" => at.is_none(),
        "XX" => at.is_some(),
        "GT" => at.is_some_and(|old| new > old),
        "LT" => at.is_none_or(|old| new < old),
        _ => true,
    };
    if allowed {
        *at = Some(new);
    }
    i64::from(allowed)
}
