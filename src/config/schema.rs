//! The schema: one row of plain data per directive, grouped by theme.
//!
//! A row is written once, as a documented constant:
//!
//! ```text
//! /// Close a connection that has been idle for this many seconds; 0 never does.
//! TIMEOUT = int("timeout", 0, INT_MAX, "0");
//! ```
//!
//! The `rows!` macro turns it into `Id::TIMEOUT` (with that documentation), into
//! the row of [`TABLE`] at the same index, and keeps the documentation as text for
//! the sample file. A theme numbers its rows after those of the theme before it,
//! so an `Id` is an index into `TABLE` by construction.
//!
//! A directive is either [`Status::Active`], and then something reads it, or
//! [`Status::Inert`], and then its row says why it has no effect. There is no third
//! state: a directive nobody knows is an error. Inert directives exist because
//! tools, libraries and existing redis.conf files name them; they keep the value
//! they are given, within Redis's range, so CONFIG GET and CONFIG REWRITE are true.

use std::fmt;
use std::sync::LazyLock;

mod access;
mod cluster;
mod engine;
mod memory;
mod network;
mod observe;
mod persistence;
mod process;
mod replication;
mod types;

/// Names one directive; an index into [`TABLE`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(u16);

/// One row of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Directive {
    /// The name CONFIG REWRITE and the sample file use; lower case.
    pub name: &'static str,
    /// Older names of the same value; each answers to CONFIG GET and SET as well.
    pub aliases: &'static [&'static str],
    pub kind: Kind,
    /// The default in the syntax of the file.
    pub default: &'static str,
    pub change: Change,
    /// Set when the value is a secret that logs and MONITOR must not show.
    pub sensitive: bool,
    /// For tests: CONFIG GET answers to the exact name only, and the sample file is silent.
    pub hidden: bool,
    pub status: Status,
    pub section: &'static str,
    /// What it does, line by line, as the sample file prints it.
    pub doc: &'static [&'static str],
}

/// The type of a value, with its range.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `yes` or `no`.
    Bool,
    /// A decimal integer.
    Int { min: i64, max: i64 },
    /// A decimal integer from 0 that is silently moved into its range (Redis's `hz`).
    Clamped { min: i64, max: i64 },
    /// Bytes with an optional unit: `k` = 1000, `kb` = 1024, likewise `m` and `g`.
    Memory { min: i64, max: i64 },
    /// Bytes as above, or `N%` of `maxmemory`; a percentage is stored negated.
    PercentOrMemory,
    /// Bytes as above, or `N%` of the memory that the process may use; a percentage is
    /// stored negated.
    MemoryOrShare,
    /// Permission bits in octal.
    Octal { max: i64 },
    /// One of these words in any case; stored as its index.
    Enum(&'static [&'static str]),
    /// One argument of any bytes, checked and brought to its stored form by a rule.
    Text(TextRule),
    /// Any number of arguments; stored as one line, separated by single spaces. A file
    /// has them in lines of `line_words` that add up, or all in one ([`ONE_LINE`]).
    List { rule: ListRule, line_words: usize },
}

/// Checks a text and returns its stored form.
pub type TextRule = fn(&[u8]) -> Result<Vec<u8>, String>;

/// Checks the arguments of a list and merges them into its present stored form.
pub type ListRule = fn(args: &[Vec<u8>], present: &[u8]) -> Result<Vec<u8>, String>;

/// The `line_words` of a list whose last line wins.
pub const ONE_LINE: usize = usize::MAX;

/// When CONFIG SET may change a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    AnyTime,
    /// Only where `enable-protected-configs` admits it.
    Protected,
    /// Never, as Redis refuses it: even the present value is an error.
    Never,
    /// Never, but naming the present value is accepted. For directives Redis does
    /// not have: a tool that writes back all that CONFIG GET told it must not fail.
    Fixed,
}

/// Whether anything reads the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Active,
    /// No effect, and why: what does the job instead, or what is not there.
    Inert(&'static str),
}

impl Id {
    /// The row of this directive. O(1).
    pub fn row(self) -> &'static Directive {
        &TABLE[self.index()]
    }

    /// The position in [`TABLE`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Every directive, in the order of the table.
    pub fn all() -> impl DoubleEndedIterator<Item = Id> + Clone {
        (0..COUNT as u16).map(Id)
    }

    /// The directive called `name`, an alias included, in any case. O(log n).
    pub fn find(name: &[u8]) -> Option<Id> {
        let lower = name.to_ascii_lowercase();
        let at = NAMES.binary_search_by(|(known, _)| known.as_bytes().cmp(&lower));
        at.ok().map(|at| NAMES[at].1)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.row().name)
    }
}

/// Every name and alias with its directive, sorted by name.
pub fn names() -> &'static [(&'static str, Id)] {
    &NAMES
}

static NAMES: LazyLock<Vec<(&'static str, Id)>> = LazyLock::new(|| {
    let mut names = Vec::with_capacity(2 * COUNT);
    for id in Id::all() {
        let row = id.row();
        names.push((row.name, id));
        names.extend(row.aliases.iter().map(|alias| (*alias, id)));
    }
    names.sort_unstable_by_key(|(name, _)| *name);
    names
});

/// How many directives there are.
pub const COUNT: usize = engine::END as usize;

/// The schema, in the order of the sample file.
pub static TABLE: [Directive; COUNT] = joined();

const THEMES: [&[Directive]; 10] = [
    network::ROWS,
    process::ROWS,
    access::ROWS,
    memory::ROWS,
    types::ROWS,
    persistence::ROWS,
    replication::ROWS,
    cluster::ROWS,
    observe::ROWS,
    engine::ROWS,
];

const fn joined() -> [Directive; COUNT] {
    let mut table = [THEMES[0][0]; COUNT];
    let (mut theme, mut at) = (0, 0);
    while theme < THEMES.len() {
        let mut row = 0;
        while row < THEMES[theme].len() {
            table[at] = THEMES[theme][row];
            at += 1;
            row += 1;
        }
        theme += 1;
    }
    table
}

/// Declares the rows of one theme, section by section, numbered from `$first` on.
macro_rules! rows {
    (from $first:expr; $( $section:literal {
        $( $(#[doc = $doc:literal])+ $id:ident = $row:expr; )+
    } )+) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Row { $($( $id, )+)+ }

        impl $crate::config::schema::Id {
            $($( $(#[doc = $doc])+ pub const $id: Self = Self($first + Row::$id as u16); )+)+
        }

        pub(super) const ROWS: &[$crate::config::schema::Directive] =
            &[ $($( $row.described($section, &[ $($doc),+ ]), )+)+ ];

        /// The number of the first row of the next theme.
        pub(super) const END: u16 = $first + ROWS.len() as u16;
    };
}
use rows;

/// The bounds of the C types behind Redis's ranges; error texts show them.
const INT_MIN: i64 = i32::MIN as i64;
const INT_MAX: i64 = i32::MAX as i64;
const UINT_MAX: i64 = u32::MAX as i64;
const LONG_MAX: i64 = i64::MAX;

const YES_NO_LOCAL: &[&str] = &["no", "yes", "local"];

const fn row(name: &'static str, kind: Kind, default: &'static str) -> Directive {
    Directive {
        name,
        aliases: &[],
        kind,
        default,
        change: Change::AnyTime,
        sensitive: false,
        hidden: false,
        status: Status::Active,
        section: "",
        doc: &[],
    }
}

const fn flag(name: &'static str, default: &'static str) -> Directive {
    row(name, Kind::Bool, default)
}

const fn int(name: &'static str, min: i64, max: i64, default: &'static str) -> Directive {
    row(name, Kind::Int { min, max }, default)
}

const fn memory(name: &'static str, min: i64, max: i64, default: &'static str) -> Directive {
    row(name, Kind::Memory { min, max }, default)
}

const fn choice(
    name: &'static str,
    words: &'static [&'static str],
    default: &'static str,
) -> Directive {
    row(name, Kind::Enum(words), default)
}

/// A text without a rule of its own.
const fn text(name: &'static str, default: &'static str) -> Directive {
    row(name, Kind::Text(crate::config::value::any_text), default)
}

const fn ruled(name: &'static str, rule: TextRule, default: &'static str) -> Directive {
    row(name, Kind::Text(rule), default)
}

const fn list(name: &'static str, rule: ListRule, default: &'static str) -> Directive {
    row(
        name,
        Kind::List {
            rule,
            line_words: ONE_LINE,
        },
        default,
    )
}

/// A list that a file gives in several lines of `line_words` words.
const fn lines(
    name: &'static str,
    line_words: usize,
    rule: ListRule,
    default: &'static str,
) -> Directive {
    row(name, Kind::List { rule, line_words }, default)
}

impl Directive {
    const fn alias(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    const fn change(mut self, change: Change) -> Self {
        self.change = change;
        self
    }

    const fn immutable(self) -> Self {
        self.change(Change::Never)
    }

    const fn protected(self) -> Self {
        self.change(Change::Protected)
    }

    const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    const fn inert(mut self, why: &'static str) -> Self {
        self.status = Status::Inert(why);
        self
    }

    const fn described(mut self, section: &'static str, doc: &'static [&'static str]) -> Self {
        self.section = section;
        self.doc = doc;
        self
    }
}
