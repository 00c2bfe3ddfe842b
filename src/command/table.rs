//! The one table of commands, made once from the families' rows.
//!
//! Names are looked up by hash over the lower-case bytes, short ones as one word in
//! a table of their own; a subcommand by a scan of its few siblings. Every command and subcommand has an index, which counters
//! are kept by.

use std::sync::LazyLock;

use super::spec::{Begin, Find, Flags, Group, KeyFlag, Spec};
use crate::base::hash::KeyHasher;
use crate::resp::Argv;
use crate::store::Footprint;

/// Arguments with which a fast command is little work for sure.
const LIGHT_ARGS_MAX: usize = 256;
/// Without keys, such a command looks at all of them.
const WALKS: Flags = Flags::READONLY.with(Flags::WRITE).with(Flags::ALL_SHARDS);
/// Longest command name; anything longer is unknown without a look-up.
const NAME_MAX: usize = 32;

/// The rows of all families.
static FAMILIES: &[&[Spec]] = &[
    super::string::SPECS,
    super::bitmap::SPECS,
    super::hll::SPECS,
    super::list::SPECS,
    super::list::BLOCKING_SPECS,
    super::hash::SPECS,
    super::hash::EXPIRE_SPECS,
    super::zset::SPECS,
    super::zset::BLOCKING_SPECS,
    super::zset::RANGE_SPECS,
    super::zset::COMBINE_SPECS,
    super::geo::SPECS,
    super::set::SPECS,
    super::stream::SPECS,
    super::pubsub::SPECS,
    super::generic::SPECS,
    super::server::SPECS,
    super::server::OBSERVE_SPECS,
    super::server::COMMANDLOG_SPECS,
    super::server::PERSISTENCE_SPECS,
    super::connection::SPECS,
    super::txn::SPECS,
];

/// How a command's keys are found, decided when the table is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlan {
    None,
    /// Argument 1 and no other: nearly every command of nearly every client.
    First {
        writes: bool,
    },
    Specs,
}

/// One command or subcommand of the table.
#[derive(Debug)]
pub struct Command {
    pub spec: &'static Spec,
    /// Its place in the table.
    pub index: u16,
    /// `get`, or `config|get` for a subcommand.
    pub full_name: String,
    pub plan: KeyPlan,
    pub subcommands: Vec<Command>,
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Command {
    fn new(spec: &'static Spec, parent: Option<&str>, index: &mut u16) -> Command {
        let own = *index;
        *index += 1;
        let full_name = match parent {
            Some(parent) => format!("{parent}|{}", spec.name),
            None => spec.name.to_owned(),
        };
        let subcommands = (spec.subcommands.iter())
            .map(|sub| Command::new(sub, Some(spec.name), index))
            .collect();
        Command {
            spec,
            index: own,
            full_name,
            plan: key_plan(spec),
            subcommands,
        }
    }

    /// The subcommand of this name, in any case.
    pub fn subcommand(&self, name: &[u8]) -> Option<&Command> {
        (self.subcommands.iter()).find(|sub| sub.spec.name.as_bytes().eq_ignore_ascii_case(name))
    }

    /// Adds the keys' hashes to `hashes`; the shards they are in.
    #[inline]
    pub fn footprint(
        &self,
        argv: Argv<'_>,
        hasher: &KeyHasher,
        hashes: &mut Vec<u64>,
    ) -> Footprint {
        let KeyPlan::First { writes } = self.plan else {
            return self.footprint_of_many(argv, hasher, hashes);
        };
        let hash = hasher.hash(argv.get(1));
        hashes.push(hash);
        let mut footprint = Footprint::NONE;
        footprint.add(hash, writes);
        footprint
    }

    /// As [`Command::footprint`], for commands of no key or of several.
    fn footprint_of_many(
        &self,
        argv: Argv<'_>,
        hasher: &KeyHasher,
        hashes: &mut Vec<u64>,
    ) -> Footprint {
        if self.spec.flags.has(Flags::ALL_SHARDS) {
            return Footprint::ALL_WRITE;
        }
        let mut footprint = Footprint::NONE;
        for keys in self.spec.keys {
            let writes = self.spec.locks_for_writing(keys);
            keys.positions(argv, |at| {
                let hash = hasher.hash(argv.get(at));
                hashes.push(hash);
                footprint.add(hash, writes);
            });
        }
        footprint
    }

    /// Whether the footprint does not say all that the command may touch, so that one
    /// that must not take further locks needs all shards: it walks over the keyspace,
    /// or its keys are not to be known for sure from its arguments.
    pub fn needs_all_shards(&self, argv: Argv<'_>) -> bool {
        let spec = self.spec;
        if spec.keys.is_empty() {
            return spec.group == Group::Server || spec.flags.has(WALKS);
        }
        spec.keys.iter().any(|keys| match keys.begin {
            Begin::Unknown | Begin::Option { .. } => true,
            Begin::Keyword { word, .. } => {
                let is_it = |arg: &&[u8]| arg.eq_ignore_ascii_case(word.as_bytes());
                argv.iter().filter(is_it).count() > 1
            }
            Begin::Index(_) => false,
        })
    }

    /// Whether a call can be no more than little work, whatever the data.
    pub fn is_light(&self, argv: Argv<'_>) -> bool {
        let flags = self.spec.flags;
        let counts = flags.has(Flags::COUNTED) && !self.spec.is_minimal(argv.len());
        let fast = flags.has(Flags::FAST | Flags::LIGHT) && !flags.has(Flags::SLOW);
        fast && !counts && argv.len() <= LIGHT_ARGS_MAX
    }

    /// The positions of the keys in `argv`.
    pub fn key_positions(&self, argv: Argv<'_>) -> Vec<usize> {
        let mut positions = Vec::new();
        for keys in self.spec.keys {
            keys.positions(argv, |at| positions.push(at));
        }
        positions
    }

    /// The position of the key that is `nth` in `argv`, from 0.
    pub fn nth_key_position(&self, argv: Argv<'_>, nth: usize) -> Option<usize> {
        let (mut seen, mut found) = (0, None);
        for keys in self.spec.keys {
            keys.positions(argv, |at| {
                found = found.or((seen == nth).then_some(at));
                seen += 1;
            });
        }
        found
    }
}

fn index_words(commands: &[Command]) -> Box<[Option<(Word, u16)>; WORD_SLOTS]> {
    let mut words = Box::new([None; WORD_SLOTS]);
    let mut used = 0;
    for (i, command) in commands.iter().enumerate() {
        let name = command.spec.name.as_bytes();
        let letters = name.iter().all(u8::is_ascii_lowercase);
        let Some(word) = Word::of(name).filter(|_| letters) else {
            continue;
        };
        let mut at = word.slot();
        while words[at].is_some() {
            at = (at + 1) % WORD_SLOTS;
        }
        words[at] = Some((word, i as u16));
        used += 1;
    }
    assert!(used * 4 <= WORD_SLOTS, "too few slots for short names");
    words
}

fn key_plan(spec: &Spec) -> KeyPlan {
    match spec.keys {
        [] => KeyPlan::None,
        // Told to clients of a cluster like a key, and no part of the data.
        [channels] if channels.flags.contains(&KeyFlag::NotKey) => KeyPlan::None,
        [only]
            if only.begin == Begin::Index(1)
                && matches!(only.find, Find::Range { last: 0, .. }) =>
        {
            KeyPlan::First {
                writes: spec.locks_for_writing(only),
            }
        }
        _ => KeyPlan::Specs,
    }
}

/// All commands.
#[derive(Debug)]
pub struct Table {
    commands: Vec<Command>,
    /// Open addressing over name hashes; twice as many slots as commands at least.
    slots: Vec<Option<u16>>,
    /// The same for names of up to eight letters, by their [`Word`].
    words: Box<[Option<(Word, u16)>; WORD_SLOTS]>,
    hasher: KeyHasher,
    len: usize,
}

/// Slots for short names: a power of two, four times their number at least.
const WORD_SLOTS: usize = 1024;

/// A name of two to eight bytes and its length in one number, the same for upper
/// and lower case. Between names of letters it tells as surely as the bytes do: no
/// byte but a letter becomes one by having its case bit set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word(u64, u8);

impl Word {
    #[inline]
    fn of(name: &[u8]) -> Option<Word> {
        const CASE: u64 = 0x2020_2020_2020_2020;
        let bytes = match *name {
            [a, b] => u64::from(u16::from_le_bytes([a, b])),
            [a, b, c] => u64::from(u32::from_le_bytes([a, b, c, 0])),
            // The last four may repeat some of the first.
            [a, b, c, d, ..] if name.len() <= 8 => {
                let last = name.last_chunk::<4>()?;
                u64::from(u32::from_le_bytes([a, b, c, d]))
                    | u64::from(u32::from_le_bytes(*last)) << 32
            }
            _ => return None,
        };
        Some(Word(bytes | CASE, name.len() as u8))
    }

    #[inline]
    fn slot(self) -> usize {
        // The high bits of a product by an odd number depend on all bits.
        let mixed = (self.0 ^ u64::from(self.1)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize % WORD_SLOTS
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

impl Table {
    /// The table of this server.
    pub fn get() -> &'static Table {
        &TABLE
    }

    fn build() -> Table {
        let mut index = 0;
        let commands: Vec<Command> = (FAMILIES.iter().copied().flatten())
            .map(|spec| Command::new(spec, None, &mut index))
            .collect();
        let hasher = KeyHasher::seeded(0);
        let mut slots = vec![None; (commands.len() * 4).next_power_of_two()];
        let mask = slots.len() - 1;
        for (i, command) in commands.iter().enumerate() {
            let mut at = hasher.hash(command.spec.name.as_bytes()) as usize & mask;
            while slots[at].is_some() {
                at = (at + 1) & mask;
            }
            slots[at] = Some(i as u16);
        }
        Table {
            words: index_words(&commands),
            commands,
            slots,
            hasher,
            len: index as usize,
        }
    }

    /// How many commands and subcommands there are: one more than the greatest
    /// index.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no command, which is never.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The commands without their subcommands.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Command> {
        self.commands.iter()
    }

    /// Commands and subcommands.
    pub fn iter_all(&self) -> impl Iterator<Item = &Command> {
        (self.commands.iter()).flat_map(|c| std::iter::once(c).chain(c.subcommands.iter()))
    }

    /// The command of this name, in any case. O(1).
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&Command> {
        if let Some(word) = Word::of(name) {
            let mut at = word.slot();
            while let Some((found, i)) = self.words[at] {
                if found == word {
                    return self.commands.get(usize::from(i));
                }
                at = (at + 1) % WORD_SLOTS;
            }
        }
        self.find_any(name)
    }

    /// As [`Table::find`], for names that are no [`Word`] of the table.
    #[cold]
    fn find_any(&self, name: &[u8]) -> Option<&Command> {
        let mut lower = [0u8; NAME_MAX];
        let lower = lower.get_mut(..name.len())?;
        for (to, from) in lower.iter_mut().zip(name) {
            *to = from.to_ascii_lowercase();
        }
        let mask = self.slots.len() - 1;
        let mut at = self.hasher.hash(lower) as usize & mask;
        while let Some(i) = self.slots[at] {
            let command = &self.commands[i as usize];
            if command.spec.name.as_bytes() == &*lower {
                return Some(command);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// The command or subcommand that is called as `name`, `name|sub`.
    pub fn find_full(&self, name: &[u8]) -> Option<&Command> {
        match name.iter().position(|&b| b == b'|') {
            None => self.find(name),
            Some(bar) => self.find(&name[..bar])?.subcommand(&name[bar + 1..]),
        }
    }

    /// The command or subcommand with this index.
    pub fn by_index(&self, index: u16) -> Option<&Command> {
        self.iter_all().find(|command| command.index == index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_by_its_name_in_any_case_and_by_no_other() {
        let table = Table::get();
        for command in table.iter() {
            let name = command.spec.name.as_bytes();
            for name in [name.to_vec(), name.to_ascii_uppercase()] {
                let found = table.find(&name).map(|found| found.index);
                assert_eq!(found, Some(command.index), "{}", command.full_name);
            }
            for at in 0..name.len() {
                for bit in (0..8).filter(|&bit| bit != 5) {
                    let mut other = name.to_vec();
                    other[at] ^= 1 << bit;
                    let found = table.find(&other).map(|found| found.spec.name.as_bytes());
                    assert!(found.is_none_or(|found| found == other.to_ascii_lowercase()));
                }
                let mut no_letter = name.to_vec();
                no_letter[at] &= !0x60;
                assert!(table.find(&no_letter).is_none(), "{no_letter:?}");
            }
        }
        for name in [b"".as_slice(), b"g", b"gett", &[b'x'; 100]] {
            assert!(table.find(name).is_none());
        }
    }
}
