//! CLIENT for the own connection: its id, names and settings.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::command::help;
use crate::command::session::ReplyMode;
use crate::resp::Argv;

pub(super) fn id(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.reply.int(ctx.session.client.id as i64);
    Ok(())
}

/// An empty name takes the name away.
pub(super) fn set_name(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let name = argv.get(2);
    if !valid_text(name) {
        return Err(Error::text(BAD_NAME).into());
    }
    let client = &ctx.session.client;
    client.rename(|names| names.name = name.to_vec());
    ctx.reply.ok();
    Ok(())
}

pub(super) fn get_name(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    match ctx.session.client.names().name.as_slice() {
        [] => ctx.reply.null(),
        name => ctx.reply.bulk(name),
    }
    Ok(())
}

pub(super) fn set_info(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (attribute, value) = (argv.get(2), argv.get(3));
    let is_name = attribute.eq_ignore_ascii_case(b"lib-name");
    if !is_name && !attribute.eq_ignore_ascii_case(b"lib-ver") {
        let text = [b"ERR Unrecognized option '", attribute, b"'"];
        return Err(Error::Bytes(text.concat()).into());
    }
    if !valid_text(value) {
        let text = [b"ERR ", attribute, NOT_PRINTABLE];
        return Err(Error::Bytes(text.concat()).into());
    }
    ctx.session.client.rename(|names| {
        let field = if is_name {
            &mut names.lib_name
        } else {
            &mut names.lib_version
        };
        *field = value.to_vec();
    });
    ctx.reply.ok();
    Ok(())
}

/// With it, `maxmemory-clients` spares the client.
pub(super) fn no_evict(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let client = ctx.session.client.clone();
    switch(ctx, argv, &client.no_evict)
}

pub(super) fn no_touch(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let client = ctx.session.client.clone();
    switch(ctx, argv, &client.no_touch)
}

fn switch(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>, setting: &AtomicBool) -> Outcome {
    let on = argv.get(2).eq_ignore_ascii_case(b"on");
    if !on && !argv.get(2).eq_ignore_ascii_case(b"off") {
        return Err(Error::Syntax.into());
    }
    setting.store(on, Relaxed);
    ctx.reply.ok();
    Ok(())
}

/// Sets what happens to replies; whoever runs commands drops them. `SKIP` means
/// nothing while replies are off.
pub(super) fn reply(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let mode = argv.get(2);
    let session = &mut *ctx.session;
    if mode.eq_ignore_ascii_case(b"on") {
        session.reply_mode = ReplyMode::On;
        ctx.reply.ok();
    } else if mode.eq_ignore_ascii_case(b"off") {
        session.reply_mode = ReplyMode::Off;
    } else if mode.eq_ignore_ascii_case(b"skip") {
        if session.reply_mode != ReplyMode::Off {
            session.reply_mode = ReplyMode::SkipNext;
        }
    } else {
        return Err(Error::Syntax.into());
    }
    Ok(())
}

pub(super) fn help(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    help::write(ctx.reply, "CLIENT", HELP);
    Ok(())
}

/// Whether CLIENT LIST can show a text as it is: visible ASCII without blanks.
pub(super) fn valid_text(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}

pub(super) const BAD_NAME: &str =
    "ERR Client names cannot contain spaces, newlines or special characters.";
const NOT_PRINTABLE: &[u8] = b" cannot contain spaces, newlines or special characters.";

const HELP: &[&str] = &[
    "CACHING (YES|NO)",
    "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
    "GETREDIR",
    "    Return the client ID we are redirecting to when tracking is enabled.",
    "GETNAME",
    "    Return the name of the current connection.",
    "ID",
    "    Return the ID of the current connection.",
    "INFO",
    "    Return information about the current client connection.",
    "KILL <ip:port>",
    "    Kill connection made from <ip:port>.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Kill connections. Options are:",
    "    * ADDR (<ip:port>|<unixsocket>:0)",
    "      Kill connections made from the specified address",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "      Kill connections made to specified local address",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Kill connections by type.",
    "    * USER <username>",
    "      Kill connections authenticated by <username>.",
    "    * SKIPME (YES|NO)",
    "      Skip killing current connection (default: yes).",
    "    * ID <client-id> [<client-id> ...]",
    "      Kill connections by client ID.",
    "    * MAXAGE <maxage>",
    "      Kill connections older than the specified age.",
    "    * IDLE <seconds>, NAME <name>, IP <ip>, DB <db>, FLAGS <flags>,",
    "      LIB-NAME <name>, LIB-VER <version>",
    "      Kill connections by these. NOT- before an option but SKIPME turns it round.",
    "LIST [options ...]",
    "    Return information about client connections. Options:",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Return clients of specified type.",
    "    * The options of KILL; SKIPME is no by default.",
    "UNPAUSE",
    "    Stop the current client pause, resuming traffic.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Suspend all, or just write, clients for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Control the replies sent to the current connection.",
    "SETNAME <name>",
    "    Assign the name <name> to the current connection.",
    "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
    "         [OPTIN] [OPTOUT] [NOLOOP]",
    "    Control server assisted client side caching.",
    "TRACKINGINFO",
    "    Report tracking status for the current connection.",
    "SETINFO <option> <value>",
    "    Set client meta attr. Options are:",
    "    * LIB-NAME: the client lib name.",
    "    * LIB-VER: the client lib version.",
    "NO-EVICT (ON|OFF)",
    "    Protect current client connection from eviction.",
    "NO-TOUCH (ON|OFF)",
    "    Will not touch LRU/LFU stats when this mode is on.",
];
