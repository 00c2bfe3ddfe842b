//! docs/COMMANDS.md, generated from the table of commands.
//!
//! The file is a reader of the table like COMMAND DOCS: nothing in it is written by
//! hand, and a test compares it with what the table says now.

use std::fmt::Write;

use super::spec::{Arg, ArgType, Flags, Group};
use super::table::{Command, Table};

/// The whole file.
pub fn markdown(table: &Table) -> String {
    let mut text = HEAD.to_owned();
    for group in GROUPS {
        let mut commands: Vec<&Command> = (table.iter())
            .filter(|command| command.spec.group == group)
            .collect();
        if commands.is_empty() {
            continue;
        }
        commands.sort_by_key(|command| command.spec.name);
        let _ = write!(text, "\n## {}\n", capitalized(group.name()));
        for command in commands {
            push_command(&mut text, command);
            for sub in sorted(&command.subcommands) {
                push_command(&mut text, sub);
            }
        }
    }
    text
}

fn sorted(commands: &[Command]) -> Vec<&Command> {
    let mut sorted: Vec<&Command> = commands.iter().collect();
    sorted.sort_by_key(|command| command.spec.name);
    sorted
}

// Writing to a String cannot fail; hence the results that are dropped here.
fn push_command(text: &mut String, command: &Command) {
    let spec = command.spec;
    let level = if command.full_name.contains('|') {
        "####"
    } else {
        "###"
    };
    let name = command.full_name.replace('|', " ").to_uppercase();
    let _ = write!(text, "\n{level} {name}\n\n");
    let _ = writeln!(text, "{}", sentence(spec.summary));
    if let Some((since, instead)) = spec.deprecated {
        let _ = write!(text, "\nDeprecated since {since}: use {instead}.\n");
    }
    if spec.subcommands.is_empty() {
        let _ = write!(text, "\n```\n{}\n```\n", usage(&name, spec.args));
    }
    let flags: Vec<&str> = spec.flags.names().collect();
    let categories: Vec<&str> = spec.categories().collect();
    let lane = if spec.flags.has(Flags::SLOW) {
        "always the pool"
    } else {
        ""
    };
    text.push('\n');
    let rows = [
        ("since", spec.since.to_owned()),
        (
            "complexity",
            spec.complexity.trim_end_matches('.').to_owned(),
        ),
        ("flags", flags.join(", ")),
        ("ACL categories", categories.join(", ")),
        ("runs in", lane.to_owned()),
    ];
    for (title, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "- {title}: {value}");
    }
}

fn usage(name: &str, args: &[Arg]) -> String {
    let words = std::iter::once(name.to_owned()).chain(args.iter().map(syntax));
    words.collect::<Vec<_>>().join(" ")
}

/// One argument in the notation that redis-cli hints in: `[...]` is optional,
/// `<a|b>` a choice, `x [x ...]` a repetition.
fn syntax(arg: &Arg) -> String {
    let value = match arg.kind {
        ArgType::PureToken => arg.token.unwrap_or(arg.name).to_owned(),
        ArgType::OneOf => joined(arg.args, "|"),
        ArgType::Block => joined(arg.args, " "),
        _ => arg.name.to_owned(),
    };
    let value = match arg.kind {
        ArgType::OneOf if !(arg.optional && arg.token.is_none()) => format!("<{value}>"),
        _ => value,
    };
    let token = arg
        .token
        .filter(|token| arg.kind != ArgType::PureToken && !token.is_empty());
    let word = match token {
        Some(token) => format!("{token} {value}"),
        None => value.clone(),
    };
    let word = match (arg.multiple, arg.multiple_token) {
        (false, _) => word,
        (true, true) => format!("{word} [{word} ...]"),
        (true, false) => format!("{word} [{value} ...]"),
    };
    if arg.optional {
        format!("[{word}]")
    } else {
        word
    }
}

fn joined(args: &[Arg], separator: &str) -> String {
    args.iter().map(syntax).collect::<Vec<_>>().join(separator)
}

fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

const GROUPS: [Group; 13] = [
    Group::String,
    Group::Bitmap,
    Group::Hyperloglog,
    Group::List,
    Group::Hash,
    Group::Set,
    Group::SortedSet,
    Group::Geo,
    Group::Stream,
    Group::Pubsub,
    Group::Generic,
    Group::Connection,
    Group::Server,
];

const HEAD: &str = "\
# Commands

What FlashKV serves, by group. *since* is the version of Redis that brought the
command; replies and errors are those of Redis 7.2.

This file is generated from the table of commands: `FLASHKV_BLESS=1 cargo test
commands_md` writes it anew.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_md_is_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/COMMANDS.md");
        let text = markdown(Table::get());
        if std::env::var_os("FLASHKV_BLESS").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
            std::fs::write(path, &text).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == text,
            "docs/COMMANDS.md is stale: run FLASHKV_BLESS=1 cargo test commands_md"
        );
    }

    #[test]
    fn arguments_read_like_a_usage() {
        let usage_of = |name: &str| {
            let command = Table::get().find_full(name.as_bytes()).unwrap();
            usage(&name.to_uppercase(), command.spec.args)
        };
        assert_eq!(usage_of("get"), "GET key");
        assert_eq!(usage_of("mset"), "MSET key value [key value ...]");
        assert_eq!(usage_of("echo"), "ECHO message");
        assert_eq!(usage_of("flushall"), "FLUSHALL [ASYNC|SYNC|UNDO]");
        assert_eq!(
            usage_of("hello"),
            "HELLO [protover [AUTH username password] [SETNAME clientname]]"
        );
    }
}
