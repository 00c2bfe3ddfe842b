//! What every command passes before its handler runs, in order.
//!
//! A gate looks at the command and its caller and may refuse. Handlers check
//! nothing of this again.

use crate::command::{Command, Error, Flags, Session};
use crate::persist::service::Persistence;
use crate::resp::Argv;

/// Bytes of a client's arguments that an error quotes (Redis: 128).
const QUOTED_MAX: usize = 128;

/// Why a command does not reach its handler.
#[derive(Debug)]
pub enum Refusal {
    /// It is answered with this.
    Error(Error),
    /// It is a line of HTTP: a web page makes its reader's browser talk to us. The
    /// connection ends without a word, before a line of the body can be a command.
    Http,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Error(error)
    }
}

/// What a gate looks at.
pub struct Call<'a> {
    pub command: Option<&'static Command>,
    pub argv: Argv<'a>,
    pub session: &'a Session,
    pub persist: &'a Persistence,
    /// Whether persistence keeps some commands out at the moment.
    pub closed: bool,
    /// There is no room for more data.
    pub no_room: bool,
}

type Gate = fn(&Call<'_>) -> Result<(), Refusal>;

/// The gates in the order of Redis's `processCommand`.
const GATES: [Gate; 11] = [
    is_no_http,
    is_known,
    subcommand_is_known,
    has_arity,
    is_authenticated,
    is_allowed_in_transaction,
    has_room,
    disk_is_well,
    may_listen_only,
    is_loaded,
    asks_no_data,
];

/// Whether a command between MULTI and EXEC is queued; the others end or govern the
/// transaction.
pub fn is_queued(command: Option<&'static Command>) -> bool {
    command.is_none_or(|command| !command.spec.flags.has(Flags::UNQUEUED))
}

/// Whether all gates stand open to a command of `args` arguments.
#[inline]
pub fn stand_open(command: &Command, args: usize, session: &Session) -> bool {
    command.subcommands.is_empty()
        && command.spec.accepts(args)
        && session.authenticated
        && (session.txn.is_none() || !command.spec.flags.has(Flags::NO_MULTI))
        && !(session.only_listens | session.monitors)
}

/// Sends a command through all gates; what has passed them is known.
#[cold]
pub fn pass(call: &Call<'_>) -> Result<&'static Command, Refusal> {
    GATES.iter().try_for_each(|gate| gate(call))?;
    match call.command {
        Some(command) => Ok(command),
        None => unreachable!("an unknown command is refused"),
    }
}

fn is_no_http(call: &Call<'_>) -> Result<(), Refusal> {
    let first = call.argv.get(0);
    let is_http = first.eq_ignore_ascii_case(b"post") || first.eq_ignore_ascii_case(b"host:");
    if is_http { Err(Refusal::Http) } else { Ok(()) }
}

fn is_known(call: &Call<'_>) -> Result<(), Refusal> {
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
        quoted += push_quoted(&mut text, arg, QUOTED_MAX - quoted) + 3;
        text.extend_from_slice(b"' ");
    }
    Err(Error::Bytes(text).into())
}

/// Quotes an argument as Redis's printf does, at most `max` bytes and up to a NUL;
/// how many bytes that is.
fn push_quoted(text: &mut Vec<u8>, arg: &[u8], max: usize) -> usize {
    let arg = &arg[..arg.len().min(max)];
    let arg = arg.split(|&byte| byte == 0).next().unwrap_or_default();
    text.extend_from_slice(arg);
    arg.len()
}

/// A container that still stands for itself has not found its subcommand.
fn subcommand_is_known(call: &Call<'_>) -> Result<(), Refusal> {
    match call.command {
        Some(command) if !command.subcommands.is_empty() && call.argv.len() >= 2 => {
            let mut text = b"ERR unknown subcommand '".to_vec();
            push_quoted(&mut text, call.argv.get(1), QUOTED_MAX);
            text.extend_from_slice(b"'. Try ");
            text.extend_from_slice(command.spec.name.to_ascii_uppercase().as_bytes());
            text.extend_from_slice(b" HELP.");
            Err(Error::Bytes(text).into())
        }
        _ => Ok(()),
    }
}

fn has_arity(call: &Call<'_>) -> Result<(), Refusal> {
    match call.command {
        Some(command) if !command.spec.accepts(call.argv.len()) => {
            Err(Error::Arity(command.full_name.clone()).into())
        }
        _ => Ok(()),
    }
}

fn is_allowed_in_transaction(call: &Call<'_>) -> Result<(), Refusal> {
    let forbidden = call.session.txn.is_some()
        && (call.command).is_some_and(|command| command.spec.flags.has(Flags::NO_MULTI));
    if forbidden {
        Err(Error::text("ERR Command not allowed inside a transaction").into())
    } else {
        Ok(())
    }
}

/// While nothing can be evicted, what needs memory is refused: commands that say so, EXEC
/// of such, and the queue of a transaction, which whatever is put into it makes longer.
fn has_room(call: &Call<'_>) -> Result<(), Refusal> {
    const NO_ROOM: Error = Error::text("OOM command not allowed when used memory > 'maxmemory'.");
    const ENDS: [&str; 4] = ["exec", "discard", "quit", "reset"];
    let Some(command) = call.command.filter(|_| call.no_room) else {
        return Ok(());
    };
    let needs = match &call.session.txn {
        Some(txn) if command.spec.flags.has(Flags::RUNS_QUEUE) => txn.grows(),
        Some(_) => !ENDS.contains(&&*command.full_name),
        None => command.spec.flags.has(Flags::DENYOOM),
    };
    if needs { Err(NO_ROOM.into()) } else { Ok(()) }
}

fn is_authenticated(call: &Call<'_>) -> Result<(), Refusal> {
    let open = call.session.authenticated
        || (call.command).is_some_and(|command| command.spec.flags.has(Flags::NO_AUTH));
    if open {
        Ok(())
    } else {
        Err(Error::text("NOAUTH Authentication required.").into())
    }
}

/// A subscriber in RESP2 gets messages that look like replies: it may do only what
/// is answered in their form.
fn may_listen_only(call: &Call<'_>) -> Result<(), Refusal> {
    const ALLOWED: [&str; 9] = [
        "ping",
        "subscribe",
        "ssubscribe",
        "unsubscribe",
        "sunsubscribe",
        "psubscribe",
        "punsubscribe",
        "quit",
        "reset",
    ];
    match call.command {
        Some(command) if call.session.only_listens && !ALLOWED.contains(&&*command.full_name) => {
            let text = format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
                 RESET are allowed in this context",
                command.full_name
            );
            Err(Error::Bytes(text.into_bytes()).into())
        }
        _ => Ok(()),
    }
}

/// Nothing is changed that could not be saved. PING tells of it too, as in Redis.
fn disk_is_well(call: &Call<'_>) -> Result<(), Refusal> {
    const MISCONF: Error = Error::text(
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist \
         to disk. Commands that may modify the data set are disabled, because this instance is \
         configured to report errors during writes if RDB snapshotting fails \
         (stop-writes-on-bgsave-error option). Please check the Redis logs for details about \
         the RDB error.",
    );
    let concerned = (call.command)
        .is_some_and(|command| command.spec.flags.has(Flags::WRITE) || command.spec.name == "ping");
    if call.closed && concerned && call.persist.stops_writes() {
        return Err(MISCONF.into());
    }
    Ok(())
}

fn is_loaded(call: &Call<'_>) -> Result<(), Refusal> {
    const LOADING: Error = Error::text("LOADING Redis is loading the dataset in memory");
    let waits = (call.command).is_some_and(|command| !command.spec.flags.has(Flags::LOADING));
    if call.closed && waits && call.persist.is_loading() {
        return Err(LOADING.into());
    }
    Ok(())
}

/// Who monitors is no client of the data, as in Redis, where it is a kind of replica.
fn asks_no_data(call: &Call<'_>) -> Result<(), Refusal> {
    const REFUSED: Error = Error::text("ERR Replica can't interact with the keyspace");
    let data = Flags::READONLY | Flags::WRITE | Flags::MAY_REPLICATE;
    let asks = (call.command).is_some_and(|command| command.spec.flags.has(data));
    if call.session.monitors && asks {
        return Err(REFUSED.into());
    }
    Ok(())
}
