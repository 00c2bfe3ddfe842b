//! The set commands of the model.

use std::collections::BTreeSet;

use super::{Answer, Held, Model, WRONG_TYPE, array, bulk, int, number};

type Members = BTreeSet<Vec<u8>>;

impl Model {
    fn members(&self, key: &str) -> Result<Option<&Members>, &'static str> {
        match self.data.get(&self.id(key)) {
            None => Ok(None),
            Some((Held::Set(set), _)) => Ok(Some(set)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    /// Stores a set under its old expiry; none when it is empty.
    fn put_set(&mut self, key: &str, set: Members) {
        let at = self.expiry(key);
        if set.is_empty() {
            self.data.remove(&self.id(key));
        } else {
            self.data.insert(self.id(key), (Held::Set(set), at));
        }
    }

    pub(super) fn set_command(&mut self, words: &[&str]) -> Answer {
        match words[0] {
            "SADD" | "SREM" | "SPOP" => self.change_set(words),
            "SMOVE" => self.move_member(words),
            "SINTERSTORE" | "SUNIONSTORE" | "SDIFFSTORE" => {
                let result = self.combined(words[0], &words[2..])?;
                self.data.remove(&self.id(words[1]));
                let len = result.len();
                self.put_set(words[1], result);
                Ok(int(len as i64))
            }
            "SINTERCARD" => {
                let both = self.combined("SINTERSTORE", &words[2..4])?.len() as i64;
                let limit = number(words[5]);
                Ok(int(if limit == 0 { both } else { both.min(limit) }))
            }
            _ => self.read_set(words),
        }
    }

    fn read_set(&mut self, words: &[&str]) -> Answer {
        let set = self.members(words[1])?.cloned().unwrap_or_default();
        let has = |member: &&str| int(i64::from(set.contains(member.as_bytes())));
        Ok(match words[0] {
            "SCARD" => int(set.len() as i64),
            "SISMEMBER" => has(&words[2]),
            "SMISMEMBER" => array(words[2..].iter().map(has)),
            _ => array(set.iter().map(|member| bulk(member))),
        })
    }

    fn change_set(&mut self, words: &[&str]) -> Answer {
        let mut set = self.members(words[1])?.cloned().unwrap_or_default();
        let before = set.len();
        let changed = match words[0] {
            "SADD" => {
                set.extend(words[2..].iter().map(|word| word.as_bytes().to_vec()));
                int((set.len() - before) as i64)
            }
            "SREM" => {
                words[2..].iter().for_each(|word| {
                    set.remove(word.as_bytes());
                });
                int((before - set.len()) as i64)
            }
            // More than there are.
            _ => array(std::mem::take(&mut set).iter().map(|member| bulk(member))),
        };
        self.put_set(words[1], set);
        Ok(changed)
    }

    fn move_member(&mut self, words: &[&str]) -> Answer {
        let Some(mut from) = self.members(words[1])?.cloned() else {
            return Ok(int(0));
        };
        self.members(words[2])?;
        let member = words[3].as_bytes();
        let there = if words[1] == words[2] {
            from.contains(member)
        } else {
            from.remove(member)
        };
        if there && words[1] != words[2] {
            self.put_set(words[1], from);
            let mut to = self.members(words[2])?.cloned().unwrap_or_default();
            to.insert(member.to_vec());
            self.put_set(words[2], to);
        }
        Ok(int(i64::from(there)))
    }

    fn combined(&self, name: &str, keys: &[&str]) -> Result<Members, &'static str> {
        let mut sets = Vec::new();
        for key in keys {
            sets.push(self.members(key)?.cloned().unwrap_or_default());
        }
        let combine = |a: Members, b: Members| match name {
            "SINTERSTORE" => &a & &b,
            "SUNIONSTORE" => &a | &b,
            _ => &a - &b,
        };
        Ok(sets.into_iter().reduce(combine).unwrap_or_default())
    }
}
