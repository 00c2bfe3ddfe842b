//! DEBUG: a few doors for tests, closed unless `enable-debug-command` opens them.
//!
//! It runs in the pool and holds no lock while it sleeps: DEBUG SLEEP occupies one
//! worker and stops the one client, not the server as in Redis.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::config::admits;
use super::{digest, persistence};
use crate::base::{float, num};
use crate::command::args::Args;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::command::help;
use crate::config::Id;
use crate::ds::list::List;
use crate::resp::Argv;
use crate::store::entry::Entry;
use crate::store::usage;
use crate::store::{self, Db};

/// How long FAIL-SAVE waits for a save to come to its first pause, and how often it looks.
const FAIL_WAIT_MAX: Duration = Duration::from_secs(1);
const FAIL_LOOK: Duration = Duration::from_millis(1);

pub(super) fn debug(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let config = &ctx.services.config;
    if !admits(config, Id::ENABLE_DEBUG_COMMAND, &ctx.session.client) {
        return Err(Error::text(NOT_ALLOWED).into());
    }
    let name = argv.get(1).to_ascii_lowercase();
    match (name.as_slice(), argv.len()) {
        (b"digest", 2) => digest::all(ctx),
        (b"digest-value", 2..) => digest::values(ctx, argv),
        (b"aof-flush-sleep", 3) => aof_flush_sleep(ctx, argv.get(2)),
        (b"fail-save", 2) => fail_save(ctx),
        (b"log", 3) => log_message(ctx, argv.get(2)),
        (b"populate", 3..=5) => populate(ctx, argv),
        (b"reload", 2..) => persistence::reload(ctx, argv),
        (b"sleep", 3) => sleep(ctx, argv.get(2)),
        (b"loadaof", 2) => persistence::load_log(ctx),
        (b"object", 3) => object(ctx, argv.get(2)),
        (b"set-active-expire", 3) => set_active_expire(ctx, argv.get(2)),
        (b"help", 2) => {
            help::write(ctx.reply, "DEBUG", HELP);
            Ok(())
        }
        _ => {
            let text = [
                b"ERR unknown subcommand or wrong number of arguments for '",
                argv.get(1),
                b"'. Try DEBUG HELP.",
            ];
            Err(Error::Bytes(text.concat()).into())
        }
    }
}

/// A text that is no number is 0 seconds, as in Redis.
fn sleep(ctx: &mut Ctx<'_, '_>, seconds: &[u8]) -> Outcome {
    let seconds = float::parse_f64(seconds).unwrap_or(0.0);
    std::thread::sleep(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    ctx.reply.ok();
    Ok(())
}

fn set_active_expire(ctx: &mut Ctx<'_, '_>, value: &[u8]) -> Outcome {
    let on = num::parse_i64(value).unwrap_or(0) != 0;
    ctx.services.active_expire.store(on, Relaxed);
    ctx.reply.ok();
    Ok(())
}

/// Lets whoever writes to the log sleep before, to see what waits for it.
fn aof_flush_sleep(ctx: &mut Ctx<'_, '_>, micros: &[u8]) -> Outcome {
    let micros = num::parse_i64(micros).unwrap_or(0).max(0).unsigned_abs();
    if let Some(aof) = ctx.services.aof() {
        aof.log().sleep_before_writes(Duration::from_micros(micros));
    }
    ctx.reply.ok();
    Ok(())
}

fn log_message(ctx: &mut Ctx<'_, '_>, message: &[u8]) -> Outcome {
    log::warn!("DEBUG LOG: {}", message.escape_ascii());
    ctx.reply.ok();
    Ok(())
}

/// Makes keys `prefix:0`, `prefix:1` and so on. Values of a certain size are cut off, or
/// filled up with zero bytes, as in Redis.
fn populate(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    const INSIDE: Error = Error::text("ERR DEBUG POPULATE cannot run inside a transaction");
    const POSITIVE: Error = Error::text("ERR value is out of range, must be positive");
    let positive = |number: i64| usize::try_from(number).map_err(|_| POSITIVE);
    let mut args = Args::from(argv, 2);
    let count = positive(args.int()?)?;
    let prefix = if args.is_done() {
        b"key".as_slice()
    } else {
        args.bytes()?
    };
    let size = if args.is_done() {
        0
    } else {
        positive(args.int()?)?
    };
    if size > ctx.services.config.size(Id::PROTO_MAX_BULK_LEN) {
        return Err(store::Error::StringTooLong.into());
    }
    if ctx.db.locks.is_pinned() {
        return Err(INSIDE.into());
    }
    let pairs = (0..count).map(|number| {
        let digits = number.to_string();
        let key = [prefix, b":", digits.as_bytes()].concat();
        let mut value = [b"value:", digits.as_bytes()].concat();
        if size > 0 {
            value.resize(size, 0);
        }
        (key, value)
    });
    ctx.db.populate(pairs);
    ctx.reply.ok();
    Ok(())
}

/// What a test of Redis does by killing the child that saves. A rewrite that has just been
/// asked for may not have come to its first pause yet.
fn fail_save(ctx: &mut Ctx<'_, '_>) -> Outcome {
    const NONE: Error = Error::text("ERR no save or rewrite that rdb-key-save-delay slows down");
    let until = Instant::now() + FAIL_WAIT_MAX;
    while !ctx.services.persist.fail_slow() {
        if Instant::now() >= until {
            return Err(NONE.into());
        }
        std::thread::sleep(FAIL_LOOK);
    }
    ctx.reply.ok();
    Ok(())
}

fn object(ctx: &mut Ctx<'_, '_>, key: &[u8]) -> Outcome {
    let key = ctx.db.key(key);
    let db = &ctx.db;
    let text = db.locks.visit(key.shard(), |shard| {
        let entry = shard.dict(db.index).find(key)?;
        (!entry.is_expired(db.now)).then(|| describe(&entry, db))
    })?;
    let text = text.ok_or(Error::text("ERR no such key"))?;
    ctx.reply.simple(&text);
    Ok(())
}

/// One line as Redis prints it. There is no serialized form to measure yet:
/// `serializedlength` is the memory of the entry.
fn describe(entry: &Entry, db: &Db<'_>) -> String {
    let idle = usage::idle_secs(entry.stamp(), db.now);
    let mut text = format!(
        "Value at:{:p} refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{idle}",
        entry.key().as_ptr(),
        entry.encoding(),
        entry.mem_bytes(),
        entry.stamp(),
    );
    if let Some(list) = entry.get::<List>()
        && entry.encoding() == "quicklist"
    {
        let nodes = list.node_count().max(1);
        let mean = list.len() as f64 / nodes as f64;
        text.push_str(&format!(" ql_nodes:{nodes} ql_avg_node:{mean:.2}"));
    }
    text
}

const NOT_ALLOWED: &str = "ERR DEBUG command not allowed. If the enable-debug-command option is \
    set to \"local\", you can run it from a local connection, otherwise you need to set this \
    option in the configuration file, and then restart the server.";

const HELP: &[&str] = &[
    "AOF-FLUSH-SLEEP <microsec>",
    "    Sleep before each write to the append-only file.",
    "DIGEST",
    "    A number that is the same for the same data.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    The same for the values of the keys.",
    "FAIL-SAVE",
    "    Have the save or rewrite fail that rdb-key-save-delay slows down.",
    "LOADAOF",
    "    Empty the databases and load the append-only file again.",
    "LOG <message>",
    "    Write <message> to the log.",
    "OBJECT <key>",
    "    Show how the value of <key> is stored.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    Make <count> keys named <prefix>:<number>, unless they are there, with strings of",
    "    <size> bytes.",
    "RELOAD [MERGE] [NOFLUSH] [NOSAVE]",
    "    Save the data (unless NOSAVE), remove it (unless NOFLUSH) and load the file; with",
    "    MERGE keys of the file replace those that are there.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Whether expired keys are removed before anybody asks for them.",
    "SLEEP <seconds>",
    "    Keep this connection waiting for <seconds>. Decimals allowed.",
];
