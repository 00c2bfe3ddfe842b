//! What every command passes before its handler runs, in order.
//!
//! A gate looks at the command and its caller and may refuse. Handlers check
//! nothing of this again.

use crate::command::{Command, Error, Flags, Session};
use crate::resp::Argv;

/// Bytes of a client's arguments that an error quotes (Redis: 128).
const QUOTED_MAX: usize = 128;

/// What a gate looks at.
pub struct Call<'a> {
    pub command: Option<&'static Command>,
    pub argv: Argv<'a>,
    pub session: &'a Session,
}

type Gate = fn(&Call<'_>) -> Result<(), Error>;

/// The gates in the order of Redis's `processCommand`.
const GATES: [Gate; 4] = [is_known, subcommand_is_known, has_arity, is_authenticated];

/// Sends a command through all gates.
#[inline]
pub fn pass(call: &Call<'_>) -> Result<(), Error> {
    // The way of nearly every command, in one look.
    if let Some(command) = call.command
        && command.subcommands.is_empty()
        && command.spec.accepts(call.argv.len())
        && call.session.authenticated
    {
        return Ok(());
    }
    GATES.iter().try_for_each(|gate| gate(call))
}

fn is_known(call: &Call<'_>) -> Result<(), Error> {
    if call.command.is_some() {
        return Ok(());
    }
    let mut text = b"ERR unknown command '".to_vec();
    push_quoted(&mut text, call.argv.get(0), QUOTED_MAX);
    text.extend_from_slice(b"', with args beginning with: ");
    let mut quoted = 0;
    for arg in call.argv.iter().skip(1) {
        if quoted >= QUOTED_MAX {
            break;
        }
        text.push(b'\'');
        push_quoted(&mut text, arg, QUOTED_MAX - quoted);
        text.extend_from_slice(b"' ");
        quoted += arg.len().min(QUOTED_MAX - quoted) + 3;
    }
    Err(Error::Bytes(text))
}

fn push_quoted(text: &mut Vec<u8>, arg: &[u8], max: usize) {
    text.extend_from_slice(&arg[..arg.len().min(max)]);
}

/// A container that still stands for itself has not found its subcommand.
fn subcommand_is_known(call: &Call<'_>) -> Result<(), Error> {
    match call.command {
        Some(command) if !command.subcommands.is_empty() && call.argv.len() >= 2 => {
            let mut text = b"ERR unknown subcommand '".to_vec();
            push_quoted(&mut text, call.argv.get(1), QUOTED_MAX);
            text.extend_from_slice(b"'. Try ");
            text.extend_from_slice(command.spec.name.to_ascii_uppercase().as_bytes());
            text.extend_from_slice(b" HELP.");
            Err(Error::Bytes(text))
        }
        _ => Ok(()),
    }
}

fn has_arity(call: &Call<'_>) -> Result<(), Error> {
    match call.command {
        Some(command) if !command.spec.accepts(call.argv.len()) => {
            Err(Error::Arity(command.full_name.clone()))
        }
        _ => Ok(()),
    }
}

fn is_authenticated(call: &Call<'_>) -> Result<(), Error> {
    let open = call.session.authenticated
        || (call.command).is_some_and(|command| command.spec.flags.has(Flags::NO_AUTH));
    if open {
        Ok(())
    } else {
        Err(Error::text("NOAUTH Authentication required."))
    }
}
