//! CLIENT INFO, LIST and KILL: the register of clients, shown and filtered.
//!
//! A client that is subscribed to anything is of type `pubsub`, any other `normal`;
//! authenticated or not they are the user `default`. A killed client is gone for every command that follows, although the
//! reactor may need a moment to end it. What a line says of another connection is a
//! snapshot of its atomics: each value is true, but not all of one moment.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::auth::DEFAULT_USER;
use crate::base::clock::Millis;
use crate::base::num;
use crate::clients::{Client, TrackFlags};
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::command::table::Table;
use crate::resp::Argv;

pub(super) fn info(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    let client = ctx.session.client.clone();
    write_list(ctx, &[client]);
    Ok(())
}

/// The clients that nobody has killed, oldest first.
fn alive(ctx: &Ctx<'_, '_>) -> impl Iterator<Item = Arc<Client>> + use<> {
    let clients = ctx.services.clients.all();
    clients
        .into_iter()
        .filter(|client| !client.killed.load(Relaxed))
}

pub(super) fn list(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    ctx.afford(ctx.services.clients.count())?;
    let all = || alive(ctx).collect();
    let option = argv.get(2);
    let chosen = if argv.len() == 2 {
        all()
    } else if argv.len() == 4 && option.eq_ignore_ascii_case(b"type") {
        let kind = Kind::read(argv.get(3))?;
        alive(ctx).filter(|client| kind.admits(client)).collect()
    } else if argv.len() > 3 && option.eq_ignore_ascii_case(b"id") {
        by_ids(ctx, argv.from(3))?
    } else {
        return Err(Error::Syntax.into());
    };
    write_list(ctx, &chosen);
    Ok(())
}

/// The clients of these ids in the order asked for; unknown ids are left out.
fn by_ids(ctx: &Ctx<'_, '_>, ids: Argv<'_>) -> Result<Vec<Arc<Client>>, Error> {
    let mut chosen = Vec::new();
    for id in ids.iter() {
        let id = num::parse_i64(id).ok_or(Error::text("ERR Invalid client ID"))?;
        let id = u64::try_from(id).ok();
        let client = id.and_then(|id| ctx.services.clients.get(id));
        chosen.extend(client.filter(|client| !client.killed.load(Relaxed)));
    }
    Ok(chosen)
}

pub(super) fn kill(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    ctx.afford(ctx.services.clients.count())?;
    let old_form = argv.len() == 3;
    let filter = if old_form {
        Filter::address(argv.get(2))
    } else {
        Filter::read(argv.from(2))?
    };
    let own = ctx.session.client.id;
    let mut killed = 0;
    for client in alive(ctx) {
        if !filter.admits(&client, own) {
            continue;
        }
        killed += 1;
        if client.id == own {
            ctx.session.close = true;
        } else {
            ctx.services.clients.kill(&client);
        }
    }
    if killed > 0 {
        ctx.services.control.wake();
    }
    match (old_form, killed) {
        (true, 0) => return Err(Error::text("ERR No such client").into()),
        (true, _) => ctx.reply.ok(),
        (false, killed) => ctx.reply.int(killed),
    }
    Ok(())
}

/// Which clients CLIENT KILL is to end: those that meet all that is set.
#[derive(Debug, Default)]
struct Filter<'a> {
    id: Option<u64>,
    kind: Option<Kind>,
    address: Option<&'a [u8]>,
    local_address: Option<&'a [u8]>,
    spare_me: bool,
}

impl<'a> Filter<'a> {
    /// The form of old: an address, be it the own.
    fn address(address: &'a [u8]) -> Filter<'a> {
        Filter {
            address: Some(address),
            ..Filter::default()
        }
    }

    /// Options and values in turn.
    fn read(options: Argv<'a>) -> Result<Filter<'a>, Error> {
        let mut filter = Filter {
            spare_me: true,
            ..Filter::default()
        };
        let mut at = 0;
        while at < options.len() {
            if at + 1 == options.len() {
                return Err(Error::Syntax);
            }
            filter.option(options.get(at), options.get(at + 1))?;
            at += 2;
        }
        Ok(filter)
    }

    fn option(&mut self, option: &[u8], value: &'a [u8]) -> Result<(), Error> {
        match option.to_ascii_lowercase().as_slice() {
            b"id" => self.id = Some(client_id(value)?),
            b"type" => self.kind = Some(Kind::read(value)?),
            b"addr" => self.address = Some(value),
            b"laddr" => self.local_address = Some(value),
            b"user" if value == DEFAULT_USER => {}
            b"user" => {
                let text = [b"ERR No such user '", value, b"'"];
                return Err(Error::Bytes(text.concat()));
            }
            b"skipme" if value.eq_ignore_ascii_case(b"yes") => self.spare_me = true,
            b"skipme" if value.eq_ignore_ascii_case(b"no") => self.spare_me = false,
            _ => return Err(Error::Syntax),
        }
        Ok(())
    }

    fn admits(&self, client: &Client, own: u64) -> bool {
        let meets = |wanted: Option<&[u8]>, has: &str| wanted.is_none_or(|w| w == has.as_bytes());
        self.id.is_none_or(|id| id == client.id)
            && self.kind.is_none_or(|kind| kind.admits(client))
            && meets(self.address, &client.address)
            && meets(self.local_address, &client.local_address)
            && !(self.spare_me && client.id == own)
    }
}

fn client_id(text: &[u8]) -> Result<u64, Error> {
    let id = num::parse_i64(text).filter(|&id| id > 0);
    id.map(i64::unsigned_abs)
        .ok_or(Error::text("ERR client-id should be greater than 0"))
}

/// The types of clients that Redis knows: those we have, and all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Normal,
    PubSub,
    Absent,
}

impl Kind {
    fn read(name: &[u8]) -> Result<Kind, Error> {
        match name.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(Kind::Normal),
            b"pubsub" => Ok(Kind::PubSub),
            b"slave" | b"replica" | b"master" => Ok(Kind::Absent),
            _ => {
                let text = [b"ERR Unknown client type '", name, b"'"];
                Err(Error::Bytes(text.concat()))
            }
        }
    }

    fn admits(self, client: &Client) -> bool {
        match self {
            Kind::Normal => !client.is_subscriber(),
            Kind::PubSub => client.is_subscriber(),
            Kind::Absent => false,
        }
    }
}

fn write_list(ctx: &mut Ctx<'_, '_>, clients: &[Arc<Client>]) {
    // The asking client shows the command that asks.
    (ctx.session.client.last_command).store(ctx.command.index, Relaxed);
    let names = command_names(ctx.services.commands);
    let mut text = Vec::new();
    for client in clients {
        push_line(&mut text, client, &names, ctx.db.now);
    }
    ctx.reply.verbatim("txt", &text);
}

/// Full names by index.
fn command_names(table: &Table) -> Vec<&str> {
    let mut names = vec![""; table.len()];
    for command in table.iter_all() {
        names[usize::from(command.index)] = &command.full_name;
    }
    names
}

/// Appends one line in Redis's format. Our output is one row of parts: `obl` counts
/// it while it is all in the first buffer, `oll` and `omem` when it is longer.
fn push_line(text: &mut Vec<u8>, client: &Client, commands: &[&str], now: Millis) {
    let names = client.names.lock().clone();
    let seconds = |since: Millis| (now - since).max(0) / 1000;
    let input = (
        client.input_len.load(Relaxed),
        client.input_room.load(Relaxed),
    );
    let output = (
        client.output_len.load(Relaxed),
        client.output_room.load(Relaxed),
    );
    let parts = client.output_parts.load(Relaxed);
    let (in_buffer, in_parts) = if parts == 0 {
        (output.0, 0)
    } else {
        (0, output.0)
    };
    let [sub, psub, ssub] = [0, 1, 2].map(|kind| client.subscriptions[kind].load(Relaxed));
    let last = usize::from(client.last_command.load(Relaxed));
    let shown = [
        format!("id={}", client.id),
        format!("addr={} laddr={}", client.address, client.local_address),
        format!("fd={}", client.fd),
        format!("name={}", String::from_utf8_lossy(&names.name)),
        format!("age={}", seconds(client.created)),
        format!("idle={}", seconds(client.last_active.load(Relaxed))),
        format!("flags={}", flags(client)),
        format!("db={}", client.db.load(Relaxed)),
        format!(
            "sub={sub} psub={psub} ssub={ssub} multi={}",
            client.queued.load(Relaxed)
        ),
        format!(
            "qbuf={} qbuf-free={}",
            input.0,
            input.1.saturating_sub(input.0)
        ),
        "argv-mem=0 multi-mem=0".to_owned(),
        format!("rbs={} rbp={}", output.1, output.0),
        format!("obl={in_buffer} oll={parts} omem={in_parts}"),
        format!("tot-mem={}", size_of::<Client>() + input.1 + output.1),
        format!("events={}", if output.0 > 0 { "rw" } else { "r" }),
        format!("cmd={}", commands.get(last).unwrap_or(&"NULL")),
        format!("user=default redir={}", client.redirection()),
        format!("resp={}", client.resp.load(Relaxed)),
        format!("lib-name={}", String::from_utf8_lossy(&names.lib_name)),
        format!("lib-ver={}", String::from_utf8_lossy(&names.lib_version)),
    ];
    text.extend_from_slice(shown.join(" ").as_bytes());
    text.push(b'\n');
}

/// Redis's letters for what is special about a client; `N` for nothing.
fn flags(client: &Client) -> String {
    let tracks = |flag| client.track_flags.load().has(flag);
    let letters = [
        (client.is_subscriber(), 'P'),
        (client.wait.lock().is_some(), 'b'),
        (client.queued.load(Relaxed) >= 0, 'x'),
        (tracks(TrackFlags::ON), 't'),
        (tracks(TrackFlags::BROKEN_REDIRECT), 'R'),
        (tracks(TrackFlags::BCAST), 'B'),
        (client.unix, 'U'),
        (client.no_evict.load(Relaxed), 'e'),
        (client.no_touch.load(Relaxed), 'T'),
    ];
    let set: String = (letters.iter())
        .filter_map(|(on, letter)| on.then_some(*letter))
        .collect();
    if set.is_empty() { "N".to_owned() } else { set }
}
