//! Sorted sets as plainly as they can be told: members with whole scores, sorted when
//! somebody asks.

use std::collections::BTreeMap;

use super::{Answer, Held, Model, WRONG_TYPE, array, bulk, clamp, int, nullable, number};

type Scores = BTreeMap<Vec<u8>, i64>;

/// By score, then by member.
fn sorted(scores: &Scores) -> Vec<(Vec<u8>, i64)> {
    let mut all: Vec<_> = scores.iter().map(|(m, s)| (m.clone(), *s)).collect();
    all.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    all
}

fn texts(elements: impl IntoIterator<Item = (Vec<u8>, i64)>) -> String {
    let texts = elements
        .into_iter()
        .flat_map(|(member, score)| [bulk(&member), bulk(score.to_string().as_bytes())]);
    array(texts)
}

impl Model {
    fn scores(&self, key: &str) -> Result<Scores, &'static str> {
        match self.data.get(&self.id(key)) {
            None => Ok(Scores::new()),
            Some((Held::ZSet(elements), _)) => Ok((elements.iter())
                .map(|(member, score)| {
                    let score = String::from_utf8_lossy(score);
                    (member.clone(), number(&score))
                })
                .collect()),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    /// The scores of what may be a source: a plain set has ones.
    fn source(&self, key: &str) -> Result<Scores, &'static str> {
        match self.data.get(&self.id(key)) {
            Some((Held::Set(set), _)) => Ok(set.iter().map(|m| (m.clone(), 1)).collect()),
            _ => self.scores(key),
        }
    }

    /// Stores a set under its old expiry; none when it is empty.
    fn put_scores(&mut self, key: &str, scores: &Scores) {
        let at = self.expiry(key);
        let elements: Vec<_> = (sorted(scores).into_iter())
            .map(|(member, score)| (member, score.to_string().into_bytes()))
            .collect();
        if elements.is_empty() {
            self.data.remove(&self.id(key));
        } else {
            self.data.insert(self.id(key), (Held::ZSet(elements), at));
        }
    }

    /// A command that starts with Z.
    pub(super) fn zset(&mut self, words: &[&str]) -> Answer {
        match words[0] {
            "ZUNIONSTORE" | "ZINTERSTORE" | "ZDIFFSTORE" => return self.zset_combine(words),
            "ZRANGESTORE" => {
                let elements = sorted(&self.scores(words[2])?);
                let range = clamp(number(words[3]), number(words[4]), elements.len());
                let kept: Scores = elements[range].iter().cloned().collect();
                self.data.remove(&self.id(words[1]));
                self.put_scores(words[1], &kept);
                return Ok(int(kept.len() as i64));
            }
            "ZMPOP" => return self.zset_mpop(words),
            _ => {}
        }
        let mut scores = self.scores(words[1])?;
        let before = scores.clone();
        let answer = change(words, &mut scores);
        if scores != before {
            self.put_scores(words[1], &scores);
        }
        Ok(answer)
    }

    fn zset_combine(&mut self, words: &[&str]) -> Answer {
        let (a, b) = (self.source(words[3])?, self.source(words[4])?);
        let mut made = Scores::new();
        let members = a.keys().chain(b.keys());
        for member in members {
            let score = match (words[0], a.get(member), b.get(member)) {
                ("ZUNIONSTORE", a, b) => Some(a.unwrap_or(&0) + b.unwrap_or(&0)),
                ("ZINTERSTORE", Some(a), Some(b)) => Some(a + b),
                ("ZDIFFSTORE", Some(a), None) => Some(*a),
                _ => None,
            };
            made.extend(score.map(|score| (member.clone(), score)));
        }
        self.data.remove(&self.id(words[1]));
        self.put_scores(words[1], &made);
        Ok(int(made.len() as i64))
    }

    fn zset_mpop(&mut self, words: &[&str]) -> Answer {
        for key in &words[2..4] {
            let mut scores = self.scores(key)?;
            if scores.is_empty() {
                continue;
            }
            let popped = pop(&mut scores, words[4] == "MIN", number(words[6]) as usize);
            self.put_scores(key, &scores);
            let pairs = popped.into_iter().map(|pair| texts([pair]));
            return Ok(array([bulk(key.as_bytes()), array(pairs)]));
        }
        Ok("*-1".to_owned())
    }
}

fn pop(scores: &mut Scores, from_min: bool, count: usize) -> Vec<(Vec<u8>, i64)> {
    let mut all = sorted(scores);
    if !from_min {
        all.reverse();
    }
    all.truncate(count);
    all.iter().for_each(|(member, _)| {
        scores.remove(member);
    });
    all
}

/// What a command on one set does to it, and its answer.
fn change(words: &[&str], scores: &mut Scores) -> String {
    let member = |at: usize| words[at].as_bytes().to_vec();
    let elements = sorted(scores);
    match words[0] {
        "ZADD" => {
            let added = words[2..].chunks_exact(2).filter(|pair| {
                let member = pair[1].as_bytes().to_vec();
                scores.insert(member, number(pair[0])).is_none()
            });
            int(added.count() as i64)
        }
        "ZINCRBY" => {
            let score = scores.entry(member(3)).or_default();
            *score += number(words[2]);
            bulk(score.to_string().as_bytes())
        }
        "ZREM" => {
            let gone = (2..words.len()).filter(|at| scores.remove(&member(*at)).is_some());
            int(gone.count() as i64)
        }
        "ZSCORE" => {
            let score = scores
                .get(&member(2))
                .map(|score| score.to_string().into_bytes());
            nullable(score.as_deref())
        }
        "ZRANK" => {
            let rank = elements.iter().position(|(other, _)| *other == member(2));
            rank.map_or("$-1".to_owned(), |rank| int(rank as i64))
        }
        "ZCARD" => int(scores.len() as i64),
        "ZRANGE" => {
            let range = clamp(number(words[2]), number(words[3]), elements.len());
            texts(elements[range].iter().cloned())
        }
        "ZCOUNT" => {
            let range = number(words[2])..=number(words[3]);
            let inside = scores.values().filter(|score| range.contains(score));
            int(inside.count() as i64)
        }
        "ZREMRANGEBYRANK" => {
            let range = clamp(number(words[2]), number(words[3]), elements.len());
            let gone = elements[range]
                .iter()
                .filter(|(m, _)| scores.remove(m).is_some());
            int(gone.count() as i64)
        }
        "ZREMRANGEBYSCORE" => {
            let range = number(words[2])..=number(words[3]);
            let before = scores.len();
            scores.retain(|_, score| !range.contains(score));
            int((before - scores.len()) as i64)
        }
        verb => texts(pop(scores, verb == "ZPOPMIN", number(words[2]) as usize)),
    }
}
