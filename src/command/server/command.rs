//! COMMAND: the table of commands over the wire, in the shapes of Redis 7.0, which
//! clients read to route keys and redis-cli to give hints.

use std::borrow::Cow;

use crate::base::glob::{self, Case};
use crate::command::args::Args;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::command::help;
use crate::command::spec::{Begin, Find, Flags, KeyFlag, KeySpec};
use crate::command::table::Command;
use crate::resp::{Argv, Reply};

/// COMMAND without a subcommand.
pub(super) fn all(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    let commands = ctx.services.commands.iter();
    ctx.reply.array(commands.len());
    commands.for_each(|command| write_command(ctx.reply, command));
    Ok(())
}

pub(super) fn count(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.reply.len(ctx.services.commands.iter().len());
    Ok(())
}

pub(super) fn info(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    if argv.len() == 2 {
        return all(ctx, argv);
    }
    ctx.reply.array(argv.len() - 2);
    for name in argv.from(2).iter() {
        match ctx.services.commands.find_full(name) {
            Some(command) => write_command(ctx.reply, command),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}

fn write_command(reply: &mut Reply, command: &Command) {
    let spec = command.spec;
    let (first, last, step) = spec.key_range();
    reply.array(10);
    reply.bulk(command.full_name.as_bytes());
    reply.int(spec.arity.into());
    write_names(reply, spec.flags.names());
    reply.int(first);
    reply.int(last);
    reply.int(step);
    let own: Vec<_> = spec.categories().collect();
    let sorted = CATEGORIES.iter().copied().filter(|name| own.contains(name));
    write_names(reply, sorted);
    reply.set(spec.tips.len());
    spec.tips.iter().for_each(|tip| reply.bulk(tip.as_bytes()));
    reply.set(spec.keys.len());
    spec.keys
        .iter()
        .for_each(|keys| write_key_spec(reply, keys));
    // As in Redis, an empty list of subcommands is a set and any other an array.
    match command.subcommands.len() {
        0 => reply.set(0),
        subcommands => reply.array(subcommands),
    }
    for sub in &command.subcommands {
        write_command(reply, sub);
    }
}

/// A set of names as simple strings.
pub(super) fn write_names<'n>(reply: &mut Reply, names: impl Iterator<Item = &'n str> + Clone) {
    reply.set(names.clone().count());
    names.for_each(|name| reply.simple(name));
}

fn write_key_spec(reply: &mut Reply, keys: &KeySpec) {
    reply.map(3);
    reply.bulk(b"flags");
    write_key_flags(reply, keys.flags);
    reply.bulk(b"begin_search");
    match keys.begin {
        Begin::Index(index) => write_search(reply, "index", &[("index", index as i64)]),
        Begin::Keyword { word, from } => {
            open_search(reply, "keyword", 2);
            reply.bulk(b"keyword");
            reply.bulk(word.as_bytes());
            reply.bulk(b"startfrom");
            reply.int(from.into());
        }
        Begin::Unknown | Begin::Option { .. } => open_search(reply, "unknown", 0),
    }
    reply.bulk(b"find_keys");
    match keys.find {
        _ if matches!(keys.begin, Begin::Unknown | Begin::Option { .. }) => {
            open_search(reply, "unknown", 0);
        }
        Find::Range { last, step, limit } => {
            let fields = [
                ("lastkey", last.into()),
                ("keystep", step as i64),
                ("limit", limit as i64),
            ];
            write_search(reply, "range", &fields);
        }
        Find::Count {
            count_at,
            first,
            step,
        } => {
            let fields = [
                ("keynumidx", count_at as i64),
                ("firstkey", first as i64),
                ("keystep", step as i64),
            ];
            write_search(reply, "keynum", &fields);
        }
    }
}

fn write_search(reply: &mut Reply, kind: &str, fields: &[(&str, i64)]) {
    open_search(reply, kind, fields.len());
    for (name, value) in fields {
        reply.bulk(name.as_bytes());
        reply.int(*value);
    }
}

fn open_search(reply: &mut Reply, kind: &str, fields: usize) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(fields);
}

fn write_key_flags(reply: &mut Reply, flags: &[KeyFlag]) {
    write_names(reply, flags.iter().map(|flag| flag.name()));
}

pub(super) fn list(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let filter = Filter::read(argv)?;
    let names: Vec<&str> = (ctx.services.commands.iter_all())
        .filter(|command| filter.admits(command))
        .map(|command| command.full_name.as_str())
        .collect();
    ctx.reply.array(names.len());
    for name in names {
        ctx.reply.bulk(name.as_bytes());
    }
    Ok(())
}

/// COMMAND LIST's FILTERBY.
enum Filter<'a> {
    None,
    /// There are no modules, so nothing passes.
    Module,
    Category(Cow<'a, str>),
    Pattern(&'a [u8]),
}

impl<'a> Filter<'a> {
    fn read(argv: Argv<'a>) -> Result<Filter<'a>, Error> {
        let mut args = Args::from(argv, 2);
        if args.is_done() {
            return Ok(Filter::None);
        }
        if args.left() != 3 || !args.word("filterby") {
            return Err(Error::Syntax);
        }
        let kind = args.bytes()?.to_ascii_lowercase();
        let value = args.bytes()?;
        match kind.as_slice() {
            b"module" => Ok(Filter::Module),
            b"aclcat" => Ok(Filter::Category(String::from_utf8_lossy(value))),
            b"pattern" => Ok(Filter::Pattern(value)),
            _ => Err(Error::Syntax),
        }
    }

    fn admits(&self, command: &Command) -> bool {
        match self {
            Filter::None => true,
            Filter::Module => false,
            Filter::Category(wanted) => (command.spec.categories())
                .any(|category| category[1..].eq_ignore_ascii_case(wanted)),
            Filter::Pattern(pattern) => {
                let name = command.full_name.as_bytes();
                glob::matches_case(pattern, name, Case::Insensitive)
            }
        }
    }
}

pub(super) fn get_keys(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let keys = found_keys(ctx, argv.from(2))?;
    ctx.reply.array(keys.len());
    for (key, _) in keys {
        ctx.reply.bulk(key);
    }
    Ok(())
}

pub(super) fn get_keys_and_flags(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let keys = found_keys(ctx, argv.from(2))?;
    ctx.reply.array(keys.len());
    for (key, flags) in keys {
        ctx.reply.array(2);
        ctx.reply.bulk(key);
        write_key_flags(ctx.reply, flags);
    }
    Ok(())
}

/// A key, and the flags of the specification that it was found by.
type FlaggedKey<'a> = (&'a [u8], &'static [KeyFlag]);

/// The keys of a whole command, each with the flags of its specification.
fn found_keys<'a>(ctx: &Ctx<'_, '_>, argv: Argv<'a>) -> Result<Vec<FlaggedKey<'a>>, Error> {
    let command = resolve(ctx, argv).ok_or(Error::text("ERR Invalid command specified"))?;
    let spec = command.spec;
    if spec.keys.is_empty() {
        return Err(Error::text("ERR The command has no key arguments"));
    }
    if !spec.accepts(argv.len()) {
        return Err(Error::text(
            "ERR Invalid number of arguments specified for command",
        ));
    }
    let mut found = Vec::new();
    for keys in spec.keys {
        let flags = flags_of_call(keys.flags, argv);
        keys.positions(argv, |at| found.push((argv.get(at), flags)));
    }
    if found.is_empty() && !spec.flags.has(Flags::NO_MANDATORY_KEYS) {
        return Err(Error::text("ERR Invalid arguments specified for command"));
    }
    Ok(found)
}

/// What this very call does to its keys, where that varies with the arguments: SET
/// reads the old value only if it is told to GET or compare it, DELEX only if it
/// compares, and a BITFIELD of nothing but GET changes nothing.
fn flags_of_call(flags: &'static [KeyFlag], argv: Argv<'_>) -> &'static [KeyFlag] {
    use KeyFlag::{Access, Delete, Ow, Rm, Ro, Rw, Update};
    let has = |from: usize, words: &[&str]| {
        let is = |arg: &[u8], word: &str| arg.eq_ignore_ascii_case(word.as_bytes());
        argv.from(from.min(argv.len()))
            .iter()
            .any(|arg| words.iter().any(|word| is(arg, word)))
    };
    if !flags.contains(&KeyFlag::VariableFlags) {
        return flags;
    }
    match argv.get(0).to_ascii_lowercase().as_slice() {
        b"bitfield" if has(2, &["set", "incrby"]) => &[Rw, Access, Update],
        b"bitfield" => &[Ro, Access],
        b"delex" if argv.len() == 2 => &[Rm, Delete],
        b"delex" => &[Rw, Access, Delete],
        _ if has(3, &["get", "ifeq", "ifne", "ifdeq", "ifdne"]) => &[Rw, Access, Update],
        _ => &[Ow, Update],
    }
}

/// The command that these arguments would run.
fn resolve(ctx: &Ctx<'_, '_>, argv: Argv<'_>) -> Option<&'static Command> {
    let command = ctx.services.commands.find(argv.get(0))?;
    if command.subcommands.is_empty() || argv.len() == 1 {
        return Some(command);
    }
    command.subcommand(argv.get(1))
}

pub(super) fn help(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    help::write(ctx.reply, "COMMAND", HELP);
    Ok(())
}

/// The order in which Redis names ACL categories.
const CATEGORIES: &[&str] = &[
    "@keyspace",
    "@read",
    "@write",
    "@set",
    "@sortedset",
    "@list",
    "@hash",
    "@string",
    "@bitmap",
    "@hyperloglog",
    "@geo",
    "@stream",
    "@pubsub",
    "@admin",
    "@fast",
    "@slow",
    "@blocking",
    "@dangerous",
    "@connection",
    "@transaction",
    "@scripting",
];

const HELP: &[&str] = &[
    "(no subcommand)",
    "    Return details about all Redis commands.",
    "COUNT",
    "    Return the total number of commands in this Redis server.",
    "LIST",
    "    Return a list of all commands in this Redis server.",
    "INFO [<command-name> ...]",
    "    Return details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "DOCS [<command-name> ...]",
    "    Return documentation details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "GETKEYS <full-command>",
    "    Return the keys from a full Redis command.",
    "GETKEYSANDFLAGS <full-command>",
    "    Return the keys and the access flags from a full Redis command.",
];
