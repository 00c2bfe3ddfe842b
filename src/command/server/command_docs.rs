//! COMMAND DOCS: summary, deprecation and arguments of commands, from their rows.

use super::command::write_names;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::spec::{Arg, Spec};
use crate::command::table::Command;
use crate::resp::{Argv, Reply};

/// Unknown names are left out.
pub(super) fn docs(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let table = ctx.services.commands;
    let commands: Vec<&Command> = if argv.len() == 2 {
        table.iter().collect()
    } else {
        let names = argv.from(2);
        names
            .iter()
            .filter_map(|name| table.find_full(name))
            .collect()
    };
    write_docs(ctx.reply, &commands);
    Ok(())
}

fn write_docs(reply: &mut Reply, commands: &[&Command]) {
    reply.map(commands.len());
    for command in commands {
        reply.bulk(command.full_name.as_bytes());
        write_doc(reply, command);
    }
}

fn write_doc(reply: &mut Reply, command: &Command) {
    let spec = command.spec;
    let texts = texts(spec);
    let parts = [
        spec.deprecated.is_some(),
        !spec.args.is_empty(),
        !command.subcommands.is_empty(),
    ];
    let parts = parts.into_iter().filter(|&part| part).count();
    let deprecation = usize::from(spec.deprecated.is_some()) * 2;
    reply.map(texts.len() + parts + deprecation);
    for (name, text) in texts {
        reply.bulk(name.as_bytes());
        reply.bulk(text.as_bytes());
    }
    if let Some((since, instead)) = spec.deprecated {
        reply.bulk(b"doc_flags");
        write_names(reply, ["deprecated"].into_iter());
        reply.bulk(b"deprecated_since");
        reply.bulk(since.as_bytes());
        reply.bulk(b"replaced_by");
        reply.bulk(instead.as_bytes());
    }
    if !spec.args.is_empty() {
        reply.bulk(b"arguments");
        write_args(reply, spec.args);
    }
    if !command.subcommands.is_empty() {
        reply.bulk(b"subcommands");
        write_docs(reply, &command.subcommands.iter().collect::<Vec<_>>());
    }
}

/// The plain texts that a command has, in Redis's order.
fn texts(spec: &Spec) -> Vec<(&'static str, &'static str)> {
    let all = [
        ("summary", spec.summary),
        ("since", spec.since),
        ("group", spec.group.name()),
        ("complexity", spec.complexity),
    ];
    all.into_iter()
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

fn write_args(reply: &mut Reply, args: &[Arg]) {
    reply.array(args.len());
    for arg in args {
        write_arg(reply, arg);
    }
}

fn write_arg(reply: &mut Reply, arg: &Arg) {
    let flags = [
        (arg.optional, "optional"),
        (arg.multiple, "multiple"),
        (arg.multiple_token, "multiple_token"),
    ];
    let flags = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name);
    let optional = [
        arg.key_spec.is_some(),
        arg.token.is_some(),
        arg.since.is_some(),
        flags.clone().next().is_some(),
        !arg.args.is_empty(),
    ];
    reply.map(2 + optional.into_iter().filter(|&part| part).count());
    reply.bulk(b"name");
    reply.bulk(arg.name.as_bytes());
    reply.bulk(b"type");
    reply.bulk(arg.kind.name().as_bytes());
    if let Some(index) = arg.key_spec {
        reply.bulk(b"key_spec_index");
        reply.len(index);
    }
    for (name, text) in [("token", arg.token), ("since", arg.since)] {
        if let Some(text) = text {
            reply.bulk(name.as_bytes());
            reply.bulk(text.as_bytes());
        }
    }
    if flags.clone().next().is_some() {
        reply.bulk(b"flags");
        write_names(reply, flags);
    }
    if !arg.args.is_empty() {
        reply.bulk(b"arguments");
        write_args(reply, arg.args);
    }
}
