//! AUTH and HELLO: who a client is and which protocol it speaks.
//!
//! There is one user, `default`, and one password, `requirepass`. Without a
//! password any is right for that user, and no other user exists. HELLO does all it
//! was asked to or nothing: its arguments are read before anything changes.

use std::sync::Arc;

use super::client::valid_text;
use super::speak;
use crate::base::num;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::config::Id;
use crate::config::cli::REDIS_COMPAT;
use crate::resp::{Argv, Version};

pub(super) const DEFAULT_USER: &[u8] = b"default";

/// The password that is asked for; empty for none.
pub(super) fn password(ctx: &Ctx<'_, '_>) -> Arc<[u8]> {
    ctx.services.config.text(Id::REQUIREPASS)
}

pub(super) fn auth(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (user, given) = match argv.len() {
        2 if password(ctx).is_empty() => return Err(Error::text(NO_PASSWORD).into()),
        2 => (DEFAULT_USER, argv.get(1)),
        3 => (argv.get(1), argv.get(2)),
        _ => return Err(Error::Syntax.into()),
    };
    authenticate(ctx, user, given)?;
    ctx.reply.ok();
    Ok(())
}

pub(super) fn hello(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let wishes = Wishes::read(argv)?;
    if let Some((user, given)) = wishes.login {
        authenticate(ctx, user, given)?;
    }
    if !ctx.session.authenticated {
        return Err(Error::text(HELLO_NEEDS_AUTH).into());
    }
    if let Some(name) = wishes.name {
        let client = &ctx.session.client;
        client.rename(|names| names.name = name.to_vec());
    }
    if let Some(version) = wishes.version {
        speak(ctx, version);
    }
    introduce(ctx);
    Ok(())
}

/// What HELLO was asked for.
#[derive(Default)]
struct Wishes<'a> {
    version: Option<Version>,
    login: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

impl<'a> Wishes<'a> {
    fn read(argv: Argv<'a>) -> Result<Wishes<'a>, Error> {
        let mut wishes = Wishes::default();
        if argv.len() > 1 {
            wishes.version = Some(protocol(argv.get(1))?);
        }
        let mut at = 2;
        while at < argv.len() {
            let (option, more) = (argv.get(at), argv.len() - at - 1);
            if option.eq_ignore_ascii_case(b"AUTH") && more >= 2 {
                wishes.login = Some((argv.get(at + 1), argv.get(at + 2)));
                at += 3;
            } else if option.eq_ignore_ascii_case(b"SETNAME") && more >= 1 {
                if !valid_text(argv.get(at + 1)) {
                    return Err(Error::text(super::client::BAD_NAME));
                }
                wishes.name = Some(argv.get(at + 1));
                at += 2;
            } else {
                let text = [b"ERR Syntax error in HELLO option '", option, b"'"];
                return Err(Error::Bytes(text.concat()));
            }
        }
        Ok(wishes)
    }
}

fn protocol(text: &[u8]) -> Result<Version, Error> {
    match num::parse_i64(text) {
        Some(2) => Ok(Version::Resp2),
        Some(3) => Ok(Version::Resp3),
        Some(_) => Err(Error::text("NOPROTO unsupported protocol version")),
        None => Err(Error::text(
            "ERR Protocol version is not an integer or out of range",
        )),
    }
}

fn introduce(ctx: &mut Ctx<'_, '_>) {
    let id = ctx.session.client.id as i64;
    let reply = &mut *ctx.reply;
    let proto = match reply.version() {
        Version::Resp2 => 2,
        Version::Resp3 => 3,
    };
    reply.map(7);
    reply.bulk(b"server");
    reply.bulk(b"redis");
    reply.bulk(b"version");
    reply.bulk(REDIS_COMPAT.as_bytes());
    reply.bulk(b"proto");
    reply.int(proto);
    reply.bulk(b"id");
    reply.int(id);
    reply.bulk(b"mode");
    reply.bulk(b"standalone");
    reply.bulk(b"role");
    reply.bulk(b"master");
    reply.bulk(b"modules");
    reply.array(0);
}

fn authenticate(ctx: &mut Ctx<'_, '_>, user: &[u8], given: &[u8]) -> Result<(), Error> {
    let wanted = password(ctx);
    let right = wanted.is_empty() || same(given, &wanted);
    if user != DEFAULT_USER || !right {
        return Err(Error::text(WRONG_PASSWORD));
    }
    ctx.session.authenticated = true;
    Ok(())
}

/// Compares without telling by its time how much of a guess was right; only the
/// length shows.
fn same(given: &[u8], wanted: &[u8]) -> bool {
    let differing = given
        .iter()
        .zip(wanted)
        .fold(0, |bits, (a, b)| bits | (a ^ b));
    given.len() == wanted.len() && std::hint::black_box(differing) == 0
}

const NO_PASSWORD: &str = "ERR AUTH <password> called without any password configured for the \
    default user. Are you sure your configuration is correct?";
const WRONG_PASSWORD: &str = "WRONGPASS invalid username-password pair or user is disabled.";
const HELLO_NEEDS_AUTH: &str = "NOAUTH HELLO must be called with the client already authenticated, \
    otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client \
    and select the RESP protocol version at the same time";
