//! The one table of commands, made once from the families' rows.
//!
//! Names are looked up by hash over the lower-case bytes; a subcommand by a scan
//! of its few siblings. Every command and subcommand has an index, which counters
//! are kept by.

use std::sync::LazyLock;

use super::spec::{Begin, Find, Flags, Spec};
use crate::base::hash::KeyHasher;
use crate::resp::Argv;
use crate::store::Footprint;

/// Longest command name; anything longer is unknown without a look-up.
const NAME_MAX: usize = 32;

/// The rows of all families.
static FAMILIES: &[&[Spec]] = &[
    super::string::SPECS,
    super::list::SPECS,
    super::hash::SPECS,
    super::hash::EXPIRE_SPECS,
    super::zset::SPECS,
    super::zset::RANGE_SPECS,
    super::zset::COMBINE_SPECS,
    super::geo::SPECS,
    super::set::SPECS,
    super::stream::SPECS,
    super::generic::SPECS,
    super::server::SPECS,
    super::connection::SPECS,
];

/// How a command's keys are found, decided when the table is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlan {
    None,
    /// Argument 1 and no other: nearly every command of nearly every client.
    First,
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

    /// Adds the keys' hashes to `hashes` and their shards to the footprint.
    #[inline]
    pub fn footprint(
        &self,
        argv: Argv<'_>,
        hasher: &KeyHasher,
        hashes: &mut Vec<u64>,
    ) -> Footprint {
        let mut footprint = Footprint::NONE;
        match self.plan {
            KeyPlan::None if self.spec.flags.has(Flags::ALL_SHARDS) => {
                return Footprint::ALL_WRITE;
            }
            KeyPlan::None => {}
            KeyPlan::First => {
                let hash = hasher.hash(argv.get(1));
                hashes.push(hash);
                footprint.add(hash, self.spec.locks_for_writing(&self.spec.keys[0]));
            }
            KeyPlan::Specs => {
                for keys in self.spec.keys {
                    let writes = self.spec.locks_for_writing(keys);
                    keys.positions(argv, |at| {
                        let hash = hasher.hash(argv.get(at));
                        hashes.push(hash);
                        footprint.add(hash, writes);
                    });
                }
            }
        }
        footprint
    }

    /// The positions of the keys in `argv`.
    pub fn key_positions(&self, argv: Argv<'_>) -> Vec<usize> {
        let mut positions = Vec::new();
        for keys in self.spec.keys {
            keys.positions(argv, |at| positions.push(at));
        }
        positions
    }
}

fn key_plan(spec: &Spec) -> KeyPlan {
    match spec.keys {
        [] => KeyPlan::None,
        [only]
            if only.begin == Begin::Index(1)
                && matches!(only.find, Find::Range { last: 0, .. }) =>
        {
            KeyPlan::First
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
    hasher: KeyHasher,
    len: usize,
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
