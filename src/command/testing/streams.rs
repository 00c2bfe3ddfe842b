//! Streams for the property tests: what they hold in a form that compares, a plain
//! model of their commands, and random ones.
//!
//! When consumers were seen is not compared: a replay happens at another time.

use std::collections::BTreeMap;

use super::model::{Answer, array, bulk, int, number};
use crate::base::clock::Millis;
use crate::base::rng::Rng;
use crate::ds::stream::{ALL, Stream, StreamId};

const KEYS: [&str; 4] = ["a", "b", "c", "d"];
const GROUPS: [&str; 2] = ["g", "h"];
const CONSUMERS: [&str; 3] = ["alice", "bob", "carol"];

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// What a stream holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    entries: BTreeMap<StreamId, Fields>,
    last_id: StreamId,
    max_deleted_id: StreamId,
    added: u64,
    groups: BTreeMap<String, GroupState>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct GroupState {
    last_id: StreamId,
    consumers: Vec<String>,
    /// The consumer, when it was delivered and how often.
    pending: BTreeMap<StreamId, (String, Millis, i64)>,
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

impl State {
    /// What a stream holds, after checking that its parts agree.
    pub fn of(stream: &Stream) -> State {
        let entries: BTreeMap<StreamId, Fields> = stream
            .range(ALL)
            .map(|entry| {
                let fields = entry
                    .fields()
                    .map(|(name, value)| (name.to_vec(), value.to_vec()));
                (entry.id, fields.collect())
            })
            .collect();
        let first = entries.keys().next().copied().unwrap_or_default();
        assert_eq!((stream.len(), stream.first_id()), (entries.len(), first));
        let groups = stream.groups().map(|(name, group)| {
            let consumers: Vec<String> = group.consumers().map(|c| shown(c.name())).collect();
            let pending: BTreeMap<_, _> = group
                .pending_from(StreamId::MIN)
                .map(|(id, pending)| {
                    let owner = group.consumer(pending.consumer).expect("it has an owner");
                    (id, (shown(owner.name()), pending.time, pending.count))
                })
                .collect();
            for consumer in group.consumers() {
                let owned: Vec<StreamId> = consumer.pending_from(StreamId::MIN).collect();
                let name = shown(consumer.name());
                let told = pending.iter().filter(|(_, pending)| pending.0 == name);
                assert!(owned.iter().eq(told.map(|(id, _)| id)));
            }
            let state = GroupState {
                last_id: group.last_id,
                consumers,
                pending,
            };
            (shown(name), state)
        });
        State {
            last_id: stream.last_id(),
            max_deleted_id: stream.max_deleted_id(),
            added: stream.entries_added(),
            groups: groups.collect(),
            entries,
        }
    }
}

/// The next command line.
pub fn draw(rng: &mut Rng) -> String {
    let mut pick = |words: &[&'static str]| words[rng.below(words.len() as u64) as usize];
    let (key, group, consumer) = (pick(&KEYS), pick(&GROUPS), pick(&CONSUMERS));
    let fields = pick(&["f 1", "f 2", "f x g y", "g 7", "f 1 f 2"]);
    let options = pick(&[
        "",
        "",
        "",
        "NOMKSTREAM",
        "MAXLEN 8",
        "MAXLEN ~ 4",
        "MINID 20",
    ]);
    let just = pick(&["", "JUSTID"]);
    // The least id is refused before the key is looked at: the model need not know.
    let mut id = |span: u64| format!("{}-{}", 1 + rng.below(span), rng.below(3));
    let (one, other) = (id(60), id(60));
    match rng.below(20) {
        0..=3 => format!("XADD {key} {options} {one} {fields}"),
        4 | 5 => format!("XADD {key} {options} * {fields}"),
        6 => format!("XADD {key} {}-* {fields}", rng.below(60)),
        7 => format!("XLEN {key}"),
        8 => format!("XRANGE {key} {one} {other} COUNT {}", 1 + rng.below(9)),
        9 => format!("XREVRANGE {key} + {one}"),
        10 => format!("XDEL {key} {one} {other}"),
        11 => format!("XTRIM {key} MAXLEN {}", rng.below(12)),
        12 => format!("XTRIM {key} MINID {one}"),
        13 => format!("XGROUP CREATE {key} {group} {one} MKSTREAM"),
        14 if rng.below(4) == 0 => format!("XGROUP DESTROY {key} {group}"),
        14 => format!("XGROUP DELCONSUMER {key} {group} {consumer}"),
        15 | 16 => format!(
            "XREADGROUP GROUP {group} {consumer} COUNT {} STREAMS {key} >",
            1 + rng.below(6)
        ),
        17 => format!("XREADGROUP GROUP {group} {consumer} STREAMS {key} 0"),
        18 => format!("XACK {key} {group} {one} {other}"),
        _ => format!("XCLAIM {key} {group} {consumer} 0 {one} {other} FORCE {just}"),
    }
}

/// The key of a command line.
pub fn key_of<'a>(words: &[&'a str]) -> &'a str {
    match words[0] {
        "XGROUP" => words[2],
        "XREADGROUP" => words[words.len() - 2],
        _ => words[1],
    }
}

fn parse(word: &str) -> StreamId {
    StreamId::parse_edge(word.as_bytes(), 0).expect("ids are drawn well")
}

/// Runs a command on what the key holds; the answer, and what it holds then.
pub fn run(words: &[&str], held: Option<State>, now: Millis) -> (Answer, Option<State>) {
    let missing = held.is_none();
    let mut state = held.unwrap_or_default();
    let answer = match words[0] {
        "XADD" => return add(words, state, missing, now),
        "XLEN" => int(state.entries.len() as i64),
        "XRANGE" | "XREVRANGE" => range(words, &state),
        "XDEL" => int(state.delete(&words[2..])),
        "XTRIM" => int(state.trim(words[2], words[3])),
        "XGROUP" => return group(words, state, missing),
        "XREADGROUP" => return read(words, state, missing, now),
        "XCLAIM" => return claim(words, state, missing, now),
        _ => int(state.acknowledge(words)),
    };
    (Ok(answer), (!missing).then_some(state))
}

fn add(words: &[&str], mut state: State, missing: bool, now: Millis) -> (Answer, Option<State>) {
    let at = (2..words.len()).find(|at| words[*at] == "*" || words[*at].contains('-'));
    let at = at.expect("an id is drawn");
    let options = &words[2..at];
    if missing && options.contains(&"NOMKSTREAM") {
        return (Ok("$-1".to_owned()), None);
    }
    let last = state.last_id;
    let id = match words[at].split_once("-*") {
        _ if words[at] == "*" => {
            StreamId::new(now as u64, 0).max(last.next().expect("ids are small"))
        }
        Some((ms, _)) => {
            let first = StreamId::new(number(ms) as u64, 0);
            if first.ms == last.ms {
                last.next().expect("ids are small")
            } else {
                first
            }
        }
        None => parse(words[at]),
    };
    if id <= last {
        let small =
            "-ERR The ID specified in XADD is equal or smaller than the target stream top item";
        return (Err(small), (!missing).then_some(state));
    }
    let fields = words[at + 1..].chunks_exact(2);
    let fields = fields.map(|pair| (pair[0].as_bytes().to_vec(), pair[1].as_bytes().to_vec()));
    state.entries.insert(id, fields.collect());
    (state.last_id, state.added) = (id, state.added + 1);
    // Nodes are large here: an approximate trim removes none.
    if options.len() == 2 {
        state.trim(options[0], options[1]);
    }
    (Ok(bulk(&id.to_text())), Some(state))
}

fn entry((id, fields): (&StreamId, &Fields)) -> String {
    let texts = fields
        .iter()
        .flat_map(|(name, value)| [bulk(name), bulk(value)]);
    array([bulk(&id.to_text()), array(texts)])
}

fn range(words: &[&str], state: &State) -> String {
    let count = words
        .get(5)
        .map_or(usize::MAX, |count| number(count) as usize);
    let (a, b) = (parse(words[2]), parse(words[3]));
    if words[0] == "XREVRANGE" {
        return array(state.entries.range(b..).rev().take(count).map(entry));
    }
    let within = state
        .entries
        .iter()
        .filter(|(id, _)| **id >= a && **id <= b);
    array(within.take(count).map(entry))
}

impl State {
    fn delete(&mut self, ids: &[&str]) -> i64 {
        let mut deleted = 0;
        for id in ids.iter().map(|id| parse(id)) {
            if self.entries.remove(&id).is_some() {
                self.max_deleted_id = self.max_deleted_id.max(id);
                deleted += 1;
            }
        }
        deleted
    }

    fn trim(&mut self, by: &str, threshold: &str) -> i64 {
        let before = self.entries.len();
        if by == "MAXLEN" {
            while self.entries.len() > number(threshold) as usize {
                self.entries.pop_first();
            }
        } else {
            let least = parse(threshold);
            self.entries.retain(|id, _| *id >= least);
        }
        (before - self.entries.len()) as i64
    }

    fn acknowledge(&mut self, words: &[&str]) -> i64 {
        let Some(group) = self.groups.get_mut(words[2]) else {
            return 0;
        };
        let ids = words[3..].iter();
        ids.filter(|id| group.pending.remove(&parse(id)).is_some())
            .count() as i64
    }
}

const NO_GROUP: &str = "no group";

fn group(words: &[&str], mut state: State, missing: bool) -> (Answer, Option<State>) {
    let name = words[3].to_owned();
    if words[1] == "CREATE" {
        if state.groups.contains_key(&name) {
            let exists = "-BUSYGROUP Consumer Group name already exists";
            return (Err(exists), Some(state));
        }
        let group = GroupState {
            last_id: parse(words[4]),
            ..GroupState::default()
        };
        state.groups.insert(name, group);
        return (Ok("+OK".to_owned()), Some(state));
    }
    let kept = |state| (!missing).then_some(state);
    if missing {
        let text = "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you \
                    may want to use the MKSTREAM option to create an empty stream automatically.";
        return (Err(text), None);
    }
    if words[1] == "DESTROY" {
        let removed = state.groups.remove(&name).is_some();
        return (Ok(int(i64::from(removed))), kept(state));
    }
    let Some(group) = state.groups.get_mut(&name) else {
        return (Err(NO_GROUP), kept(state));
    };
    let before = group.pending.len();
    group.consumers.retain(|name| name != words[4]);
    group.pending.retain(|_, pending| pending.0 != words[4]);
    let gone = (before - group.pending.len()) as i64;
    (Ok(int(gone)), kept(state))
}

impl GroupState {
    fn join(&mut self, consumer: &str) {
        if !self.consumers.iter().any(|name| name == consumer) {
            self.consumers.push(consumer.to_owned());
            self.consumers.sort();
        }
    }
}

fn read(words: &[&str], mut state: State, missing: bool, now: Millis) -> (Answer, Option<State>) {
    let (consumer, key) = (words[3], words[words.len() - 2]);
    let kept = |state| (!missing).then_some(state);
    let Some(group) = state.groups.get_mut(words[2]) else {
        return (Err(NO_GROUP), kept(state));
    };
    group.join(consumer);
    let items: Vec<String> = if words[words.len() - 1] == ">" {
        let last = group.last_id;
        let new = state.entries.iter().filter(|(id, _)| **id > last);
        let new: Vec<_> = new.take(number(words[5]) as usize).collect();
        for (id, _) in &new {
            group.last_id = **id;
            group.pending.insert(**id, (consumer.to_owned(), now, 1));
        }
        new.into_iter().map(entry).collect()
    } else {
        let mine = (group.pending.iter_mut()).filter(|(_, pending)| pending.0 == consumer);
        mine.map(|(id, pending)| match state.entries.get_key_value(id) {
            Some(found) => {
                (pending.1, pending.2) = (now, pending.2 + 1);
                entry(found)
            }
            None => array([bulk(&id.to_text()), "*-1".to_owned()]),
        })
        .collect()
    };
    if items.is_empty() && words[words.len() - 1] == ">" {
        return (Ok("*-1".to_owned()), kept(state));
    }
    let stream = array([bulk(key.as_bytes()), array(items)]);
    (Ok(array([stream])), kept(state))
}

fn claim(words: &[&str], mut state: State, missing: bool, now: Millis) -> (Answer, Option<State>) {
    let kept = |state| (!missing).then_some(state);
    let Some(group) = state.groups.get_mut(words[2]) else {
        return (Err(NO_GROUP), kept(state));
    };
    group.join(words[3]);
    let just = words.contains(&"JUSTID");
    let mut claimed = Vec::new();
    for id in words[5..7].iter().map(|id| parse(id)) {
        let Some(found) = state.entries.get_key_value(&id) else {
            group.pending.remove(&id);
            continue;
        };
        let count = group.pending.get(&id).map_or(1, |pending| pending.2);
        let count = count + i64::from(!just);
        group.pending.insert(id, (words[3].to_owned(), now, count));
        claimed.push(if just {
            bulk(&id.to_text())
        } else {
            entry(found)
        });
    }
    (Ok(array(claimed)), kept(state))
}

/// Whether a reply is what the model has answered, whose text about a group that is
/// not there is short.
pub fn agree(ours: &str, model: &str) -> bool {
    ours == model || model == NO_GROUP && ours.starts_with("-NOGROUP")
}
