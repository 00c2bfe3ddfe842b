//! The answers of HELP subcommands.

use crate::resp::Reply;

/// Writes what `<NAME> HELP` answers: the usage, the lines of the subcommands, and
/// HELP itself. A line that explains is indented by four blanks.
pub fn write(reply: &mut Reply, name: &str, lines: &[&str]) {
    reply.array(lines.len() + 3);
    reply.simple(&format!(
        "{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    ));
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    reply.simple("    Prints this help.");
}
