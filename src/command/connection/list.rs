//! CLIENT INFO, LIST and KILL: the register of clients, shown and filtered.
//!
//! A client that is subscribed to anything is of type `pubsub`, any other `normal`;
//! authenticated or not they are the user `default`. A killed client is gone for every command that follows, although the
//! reactor may need a moment to end it. What a line says of another connection is a
//! snapshot of its atomics: each value is true, but not all of one moment.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::filter::Filter;
use crate::base::clock::Millis;
use crate::base::num;
use crate::clients::{Client, TrackFlags};
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::command::table::Table;
use crate::resp::Argv;
use crate::resp::write::IN_PLACE_MAX;

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
    let by_ids_alone = argv.len() > 3 && argv.get(2).eq_ignore_ascii_case(b"id");
    let chosen = if by_ids_alone {
        by_ids(ctx, argv.from(3))?
    } else {
        let filter = Filter::read(argv.from(2), false)?;
        let (own, now) = (ctx.session.client.id, ctx.db.now);
        let clients = alive(ctx);
        clients
            .filter(|client| filter.admits(client, own, now))
            .collect()
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
        Filter::read(argv.from(2), true)?
    };
    let own = ctx.session.client.id;
    let mut killed = 0;
    for client in alive(ctx) {
        if !filter.admits(&client, own, ctx.db.now) {
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

/// Appends one line in Redis's format. `obl` counts output as far as Redis's clients have
/// room for it in place, `omem`, which operators watch, what is longer, and `oll` its parts.
fn push_line(text: &mut Vec<u8>, client: &Client, commands: &[&str], now: Millis) {
    let names = client.names();
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
    let args = client.input_args.load(Relaxed);
    let in_place = output.0.min(IN_PLACE_MAX);
    let beyond = output.0 - in_place;
    // The last part, which is still added to, is not among those.
    let parts = if beyond > 0 { parts + 1 } else { 0 };
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
            input.1.saturating_sub(input.0 + args)
        ),
        format!(
            "argv-mem={args} multi-mem={}",
            client.queue_room.load(Relaxed)
        ),
        format!("rbs={} rbp={}", output.1, output.0),
        format!("obl={in_place} oll={parts} omem={beyond}"),
        format!("tot-mem={}", client.mem_bytes()),
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
pub(super) fn flags(client: &Client) -> String {
    let tracks = |flag| client.track_flags.load().has(flag);
    let letters = [
        (client.monitors.load(Relaxed), 'O'),
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
