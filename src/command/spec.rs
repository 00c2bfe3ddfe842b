//! What a command is: one row of plain data.
//!
//! The rows stand in the file of each family. Everything the server knows about a
//! command is read from its row: dispatch, arity, the gates it must pass, the keys
//! it touches and hence the shards it locks, its ACL categories, the answers of
//! COMMAND, and docs/COMMANDS.md.

use std::fmt;
use std::ops::BitOr;

use super::ctx::{Ctx, Outcome};
use crate::resp::Argv;

/// Runs a command whose gates have passed.
pub type Handler = fn(&mut Ctx<'_, '_>, Argv<'_>) -> Outcome;

/// What a command does and where it may run: a set of bits.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u32);

impl Flags {
    pub const NONE: Flags = Flags(0);
    pub const WRITE: Flags = Flags(1);
    pub const READONLY: Flags = Flags(1 << 1);
    /// May make the data grow: refused when memory is full.
    pub const DENYOOM: Flags = Flags(1 << 2);
    pub const ADMIN: Flags = Flags(1 << 3);
    pub const PUBSUB: Flags = Flags(1 << 4);
    pub const NOSCRIPT: Flags = Flags(1 << 5);
    pub const BLOCKING: Flags = Flags(1 << 6);
    /// Answers while the data is being loaded.
    pub const LOADING: Flags = Flags(1 << 7);
    pub const STALE: Flags = Flags(1 << 8);
    pub const SKIP_MONITOR: Flags = Flags(1 << 9);
    pub const SKIP_SLOWLOG: Flags = Flags(1 << 10);
    pub const ASKING: Flags = Flags(1 << 11);
    /// O(1), or bounded by its own arguments.
    pub const FAST: Flags = Flags(1 << 12);
    /// Needs no authentication.
    pub const NO_AUTH: Flags = Flags(1 << 13);
    pub const MAY_REPLICATE: Flags = Flags(1 << 14);
    pub const NO_MANDATORY_KEYS: Flags = Flags(1 << 15);
    pub const PROTECTED: Flags = Flags(1 << 16);
    pub const NO_ASYNC_LOADING: Flags = Flags(1 << 17);
    pub const NO_MULTI: Flags = Flags(1 << 18);
    pub const ALLOW_BUSY: Flags = Flags(1 << 19);
    pub const MOVABLEKEYS: Flags = Flags(1 << 20);
    pub const TOUCHES_ARBITRARY_KEYS: Flags = Flags(1 << 21);

    // Ours, not told by COMMAND.

    /// Runs at once between MULTI and EXEC, where others are queued.
    pub const UNQUEUED: Flags = Flags(1 << 23);
    /// Goes to the pool always: its work grows with the data, not its arguments.
    pub const SLOW: Flags = Flags(1 << 24);
    /// Runs in a group of its own: it locks by itself, takes all shards, or may be
    /// too large to share its locks with other commands in the pool.
    pub const ALONE: Flags = Flags(1 << 25);
    /// Needs all shards for writing.
    pub const ALL_SHARDS: Flags = Flags(1 << 26);
    /// Its footprint is what the session has gathered: queued commands, watched keys.
    pub const SESSION_KEYS: Flags = Flags(1 << 28);
    /// Runs what the session has queued.
    pub const RUNS_QUEUE: Flags = Flags(1 << 31);
    /// Never defers, though Redis does not call it fast.
    pub const LIGHT: Flags = Flags(1 << 29);
    /// Is fast without a count, which may make it much work.
    pub const COUNTED: Flags = Flags(1 << 30);
    /// Changes keys that its specifications, being Redis's, call read-only.
    pub const CHANGES_READ_KEYS: Flags = Flags(1 << 27);

    /// The flags that COMMAND tells, with Redis's names.
    const NAMES: [(Flags, &'static str); 22] = [
        (Flags::WRITE, "write"),
        (Flags::READONLY, "readonly"),
        (Flags::DENYOOM, "denyoom"),
        (Flags::ADMIN, "admin"),
        (Flags::PUBSUB, "pubsub"),
        (Flags::NOSCRIPT, "noscript"),
        (Flags::BLOCKING, "blocking"),
        (Flags::LOADING, "loading"),
        (Flags::STALE, "stale"),
        (Flags::SKIP_MONITOR, "skip_monitor"),
        (Flags::SKIP_SLOWLOG, "skip_slowlog"),
        (Flags::ASKING, "asking"),
        (Flags::FAST, "fast"),
        (Flags::NO_AUTH, "no_auth"),
        (Flags::MAY_REPLICATE, "may_replicate"),
        (Flags::NO_MANDATORY_KEYS, "no_mandatory_keys"),
        (Flags::PROTECTED, "protected"),
        (Flags::NO_ASYNC_LOADING, "no_async_loading"),
        (Flags::NO_MULTI, "no_multi"),
        (Flags::ALLOW_BUSY, "allow_busy"),
        (Flags::MOVABLEKEYS, "movablekeys"),
        (Flags::TOUCHES_ARBITRARY_KEYS, "touches_arbitrary_keys"),
    ];

    /// Whether any of `other`'s bits is set.
    #[inline]
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets together, in a constant.
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// The names of the set flags that Redis knows.
    pub fn names(self) -> impl Iterator<Item = &'static str> + Clone {
        (Self::NAMES.into_iter())
            .filter(move |(flag, _)| self.has(*flag))
            .map(|(_, name)| name)
    }
}

impl BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// What a command does to the keys of one specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFlag {
    Ro,
    Rw,
    Ow,
    Rm,
    Access,
    Update,
    Insert,
    Delete,
    NotKey,
    Incomplete,
    VariableFlags,
}

impl KeyFlag {
    /// The name that COMMAND INFO has for it.
    pub fn name(self) -> &'static str {
        match self {
            KeyFlag::Ro => "RO",
            KeyFlag::Rw => "RW",
            KeyFlag::Ow => "OW",
            KeyFlag::Rm => "RM",
            KeyFlag::Access => "access",
            KeyFlag::Update => "update",
            KeyFlag::Insert => "insert",
            KeyFlag::Delete => "delete",
            KeyFlag::NotKey => "not_key",
            KeyFlag::Incomplete => "incomplete",
            KeyFlag::VariableFlags => "variable_flags",
        }
    }
}

/// Where the keys of a specification start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At this argument.
    Index(usize),
    /// Behind this word, searched from an argument on (from the end if negative).
    Keyword { word: &'static str, from: i32 },
    /// Not to be known from the arguments.
    Unknown,
    /// Behind the last of this word among options, searched from an argument on, where
    /// other options take so many arguments of their own. COMMAND calls it unknown.
    Option {
        word: &'static str,
        from: usize,
        others: &'static [(&'static str, usize)],
    },
}

/// How the keys go on from where they start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// Up to `last`, relative to the start (from the end if negative), every
    /// `step`-th; a `limit` above 1 divides the rest of the arguments.
    Range {
        last: i32,
        step: usize,
        limit: usize,
    },
    /// Argument `count_at` says how many there are, from `first` on.
    Count {
        count_at: usize,
        first: usize,
        step: usize,
    },
}

/// Which arguments are keys, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    pub flags: &'static [KeyFlag],
    pub begin: Begin,
    pub find: Find,
}

impl KeySpec {
    /// Keys from argument `first` on, every `step`-th up to `last`, which counts
    /// from the first, or from the end of the arguments if negative.
    pub const fn range(first: usize, last: i32, step: usize, flags: &'static [KeyFlag]) -> KeySpec {
        KeySpec {
            flags,
            begin: Begin::Index(first),
            find: Find::Range {
                last,
                step,
                limit: 0,
            },
        }
    }

    /// Keys that the arguments do not tell.
    pub const fn unknown(flags: &'static [KeyFlag]) -> KeySpec {
        KeySpec {
            begin: Begin::Unknown,
            ..KeySpec::range(0, 0, 1, flags)
        }
    }

    /// Whether the command may change these keys.
    pub fn writes(&self) -> bool {
        !self.flags.contains(&KeyFlag::Ro) && !self.flags.contains(&KeyFlag::NotKey)
    }
}

/// The family that documentation lists a command in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Generic,
    String,
    Bitmap,
    Hyperloglog,
    List,
    Hash,
    Set,
    SortedSet,
    Geo,
    Stream,
    Pubsub,
    Connection,
    Server,
    Transactions,
}

impl Group {
    /// Redis's name of the group.
    pub fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::Bitmap => "bitmap",
            Group::Hyperloglog => "hyperloglog",
            Group::List => "list",
            Group::Hash => "hash",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Geo => "geo",
            Group::Stream => "stream",
            Group::Pubsub => "pubsub",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Transactions => "transactions",
        }
    }
}

/// The type of an argument, by Redis's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgType {
    String,
    Integer,
    Double,
    Key,
    Pattern,
    UnixTime,
    PureToken,
    OneOf,
    Block,
}

impl ArgType {
    /// Redis's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            ArgType::String => "string",
            ArgType::Integer => "integer",
            ArgType::Double => "double",
            ArgType::Key => "key",
            ArgType::Pattern => "pattern",
            ArgType::UnixTime => "unix-time",
            ArgType::PureToken => "pure-token",
            ArgType::OneOf => "oneof",
            ArgType::Block => "block",
        }
    }
}

/// One argument of a command, as COMMAND DOCS tells it.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    pub name: &'static str,
    pub kind: ArgType,
    pub token: Option<&'static str>,
    pub since: Option<&'static str>,
    pub key_spec: Option<usize>,
    pub optional: bool,
    pub multiple: bool,
    pub multiple_token: bool,
    pub args: &'static [Arg],
}

impl Arg {
    /// A required argument of this type; the rest is set by the methods.
    pub const fn new(name: &'static str, kind: ArgType) -> Arg {
        Arg {
            name,
            kind,
            token: None,
            since: None,
            key_spec: None,
            optional: false,
            multiple: false,
            multiple_token: false,
            args: &[],
        }
    }

    pub const fn token(mut self, token: &'static str) -> Arg {
        self.token = Some(token);
        self
    }

    pub const fn since(mut self, since: &'static str) -> Arg {
        self.since = Some(since);
        self
    }

    pub const fn key(mut self, spec: usize) -> Arg {
        self.key_spec = Some(spec);
        self
    }

    pub const fn optional(mut self) -> Arg {
        self.optional = true;
        self
    }

    pub const fn multiple(mut self) -> Arg {
        self.multiple = true;
        self
    }

    pub const fn multiple_token(mut self) -> Arg {
        self.multiple_token = true;
        self
    }

    pub const fn of(mut self, args: &'static [Arg]) -> Arg {
        self.args = args;
        self
    }
}

/// One command: a row of the table.
pub struct Spec {
    /// Lower-case name; of a subcommand its own part alone.
    pub name: &'static str,
    /// Number of arguments with the name (both names of a subcommand); negative
    /// for "at least".
    pub arity: i32,
    pub flags: Flags,
    /// ACL categories beyond those that flags imply.
    pub acl: &'static [&'static str],
    pub keys: &'static [KeySpec],
    pub tips: &'static [&'static str],
    pub group: Group,
    pub since: &'static str,
    pub complexity: &'static str,
    pub summary: &'static str,
    /// Since when, and in favour of what, the command is deprecated.
    pub deprecated: Option<(&'static str, &'static str)>,
    pub args: &'static [Arg],
    pub subcommands: &'static [Spec],
    pub run: Handler,
}

impl Spec {
    /// What most rows leave as it is.
    pub const DEFAULT: Spec = Spec {
        name: "",
        arity: 0,
        flags: Flags::NONE,
        acl: &[],
        keys: &[],
        tips: &[],
        group: Group::Generic,
        since: "",
        complexity: "",
        summary: "",
        deprecated: None,
        args: &[],
        subcommands: &[],
        run: |_, _| Ok(()),
    };

    /// Whether a call with `count` arguments has the right number.
    #[inline]
    pub fn accepts(&self, count: usize) -> bool {
        let wanted = self.arity.unsigned_abs() as usize;
        if self.arity < 0 {
            count >= wanted
        } else {
            count == wanted
        }
    }

    /// Whether a call has no more arguments than it must have.
    #[inline]
    pub fn is_minimal(&self, count: usize) -> bool {
        count <= self.arity.unsigned_abs() as usize
    }

    /// Whether the shards of these keys are locked for writing.
    #[inline]
    pub fn locks_for_writing(&self, keys: &KeySpec) -> bool {
        keys.writes() || self.flags.has(Flags::CHANGES_READ_KEYS)
    }

    /// The ACL categories: those that flags imply, then the row's own.
    pub fn categories(&self) -> impl Iterator<Item = &'static str> {
        let speed = if self.flags.has(Flags::FAST) {
            "@fast"
        } else {
            "@slow"
        };
        let implied = [
            (Flags::WRITE, "@write"),
            (Flags::READONLY, "@read"),
            (Flags::ADMIN, "@admin"),
            (Flags::ADMIN, "@dangerous"),
            (Flags::PUBSUB, "@pubsub"),
            (Flags::BLOCKING, "@blocking"),
        ];
        (implied.into_iter())
            .filter(|(flag, _)| self.flags.has(*flag))
            .map(|(_, name)| name)
            .chain(self.acl.iter().copied())
            .chain([speed])
    }

    /// The first key, the last and the step, as old clients want them; all 0
    /// without a simple range.
    pub fn key_range(&self) -> (i64, i64, i64) {
        match self.keys.first() {
            Some(KeySpec {
                begin: Begin::Index(first),
                find: Find::Range { last, step, .. },
                ..
            }) => {
                let first = *first as i64;
                let end = self.keys.iter().map(|spec| spec.last_index()).max();
                let last = if *last < 0 {
                    i64::from(*last)
                } else {
                    end.unwrap_or(first)
                };
                (first, last, *step as i64)
            }
            _ => (0, 0, 0),
        }
    }
}

impl KeySpec {
    fn last_index(&self) -> i64 {
        match (self.begin, self.find) {
            (Begin::Index(first), Find::Range { last, .. }) if last >= 0 => {
                first as i64 + i64::from(last)
            }
            _ => -1,
        }
    }

    /// Hands the positions of the keys in `argv` to `each`. Positions beyond the
    /// arguments are left out.
    pub fn positions(&self, argv: Argv<'_>, mut each: impl FnMut(usize)) {
        let len = argv.len();
        let start = match self.begin {
            Begin::Index(index) => index,
            Begin::Keyword { word, from } => {
                let from = if from < 0 {
                    len.saturating_sub(from.unsigned_abs() as usize)
                } else {
                    from as usize
                };
                let hit = (from..len).find(|&i| argv.get(i).eq_ignore_ascii_case(word.as_bytes()));
                match hit {
                    Some(at) => at + 1,
                    None => return,
                }
            }
            Begin::Unknown => return,
            Begin::Option { word, from, others } => match last_option(argv, word, from, others) {
                Some(at) => at,
                None => return,
            },
        };
        let (first, last, step) = match self.find {
            Find::Range { last, step, limit } => {
                let last = if last >= 0 {
                    start + last as usize
                } else if limit > 1 {
                    start + (len - start.min(len)) / limit - 1
                } else {
                    len.saturating_sub(last.unsigned_abs() as usize)
                };
                (start, last, step)
            }
            Find::Count {
                count_at,
                first,
                step,
            } => {
                let count = crate::base::num::parse_i64(argv.get(start + count_at));
                let count = count.and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
                let Some(last) = count.checked_sub(1) else {
                    return;
                };
                let first = start + first;
                (first, first.saturating_add(last.saturating_mul(step)), step)
            }
        };
        (first..len.min(last.saturating_add(1)))
            .step_by(step.max(1))
            .for_each(&mut each);
    }
}

/// The argument behind the last `word` among options.
fn last_option(argv: Argv<'_>, word: &str, from: usize, others: &[(&str, usize)]) -> Option<usize> {
    let is = |at: usize, word: &str| argv.get(at).eq_ignore_ascii_case(word.as_bytes());
    let (mut at, mut found) = (from, None);
    while at < argv.len() {
        if let Some((_, own)) = others.iter().find(|(other, _)| is(at, other)) {
            at += own;
        } else if is(at, word) && at + 1 < argv.len() {
            found = Some(at + 1);
        }
        at += 1;
    }
    found
}
