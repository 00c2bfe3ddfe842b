//! Arguments that no log and no MONITOR may show: passwords.

use super::table::Command;
use crate::config::Id;
use crate::resp::Argv;

/// What stands for a secret.
pub const REDACTED: &[u8] = b"(redacted)";

/// The arguments of a command with its secrets replaced.
pub fn shown<'a>(command: &Command, argv: Argv<'a>) -> Vec<&'a [u8]> {
    let mut args: Vec<&[u8]> = argv.iter().collect();
    match command.full_name.as_str() {
        "auth" => hide(&mut args, 1..),
        "acl|setuser" => hide(&mut args, 2..),
        "hello" => hide_after(&mut args, argv, b"auth", 2),
        "migrate" => {
            hide_after(&mut args, argv, b"auth", 1);
            hide_after(&mut args, argv, b"auth2", 2);
        }
        "config|set" => hide_sensitive(&mut args),
        _ => {}
    }
    args
}

fn hide(args: &mut [&[u8]], from: std::ops::RangeFrom<usize>) {
    if let Some(secrets) = args.get_mut(from) {
        secrets.fill(REDACTED);
    }
}

/// Hides the `count` arguments behind a word, wherever it stands: a name may be the same
/// word, and rather too much is hidden than a secret shown.
fn hide_after(args: &mut [&[u8]], argv: Argv<'_>, word: &[u8], count: usize) {
    for (at, arg) in argv.iter().enumerate() {
        if arg.eq_ignore_ascii_case(word) {
            let secrets = args.iter_mut().skip(at + 1).take(count);
            secrets.for_each(|secret| *secret = REDACTED);
        }
    }
}

/// Hides the values of directives that are secrets.
fn hide_sensitive(args: &mut [&[u8]]) {
    for pair in args.get_mut(2..).unwrap_or_default().chunks_exact_mut(2) {
        if Id::find(pair[0]).is_some_and(|id| id.row().sensitive) {
            pair[1] = REDACTED;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Table;
    use crate::resp::{Limits, Requests};

    fn shown_text(line: &str) -> String {
        let mut requests = Requests::default();
        requests.feed(format!("{line}\r\n").as_bytes());
        let limits = Limits {
            bulk_max: 1000,
            authenticated: true,
        };
        requests.parse(limits).unwrap();
        let argv = requests.peek(0).unwrap();
        let table = Table::get();
        let command = table.find(argv.get(0)).unwrap();
        let command = command.subcommand(argv.get(1)).unwrap_or(command);
        let args = shown(command, argv);
        String::from_utf8(args.join(&b' ')).unwrap()
    }

    #[test]
    fn secrets_are_hidden() {
        for (line, want) in [
            ("AUTH user secret", "AUTH (redacted) (redacted)"),
            ("auth secret", "auth (redacted)"),
            ("auth", "auth"),
            (
                "HELLO 3 AUTH u p SETNAME n",
                "HELLO 3 AUTH (redacted) (redacted) SETNAME n",
            ),
            ("hello 3 auth u", "hello 3 auth (redacted)"),
            (
                "HELLO 3 SETNAME auth AUTH u p",
                "HELLO 3 SETNAME auth (redacted) (redacted) (redacted)",
            ),
            (
                "CONFIG SET requirepass x maxclients 10 REQUIREPASS y",
                "CONFIG SET requirepass (redacted) maxclients 10 REQUIREPASS (redacted)",
            ),
            ("config set requirepass", "config set requirepass"),
            ("set auth secret", "set auth secret"),
        ] {
            assert_eq!(shown_text(line), want);
        }
    }
}
