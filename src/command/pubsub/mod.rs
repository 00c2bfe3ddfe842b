//! The commands of publish and subscribe. What they do is `crate::pubsub`'s; here is
//! what they are called and what they reply.
//!
//! Confirmations are pushes: they come even while CLIENT REPLY is off. A client of
//! RESP2 that is subscribed can do little else (`exec::gate` sees to that).

mod rows;

pub use rows::SPECS;

use super::ctx::{Ctx, Outcome};
use super::help;
use crate::base::glob;
use crate::pubsub::Kind;
use crate::resp::Argv;

fn subscribe(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    subscribe_to(ctx, Kind::Channel, argv)
}

fn psubscribe(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    subscribe_to(ctx, Kind::Pattern, argv)
}

fn ssubscribe(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    subscribe_to(ctx, Kind::Shard, argv)
}

fn unsubscribe(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    unsubscribe_from(ctx, Kind::Channel, argv)
}

fn punsubscribe(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    unsubscribe_from(ctx, Kind::Pattern, argv)
}

fn sunsubscribe(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    unsubscribe_from(ctx, Kind::Shard, argv)
}

fn subscribe_to(ctx: &mut Ctx<'_, '_>, kind: Kind, argv: Argv<'_>) -> Outcome {
    let (client, names) = (&ctx.session.client, argv.from(1).iter());
    let pubsub = &ctx.services.pubsub;
    pubsub.subscribe(client, kind, names, !ctx.db.is_in_unit(), ctx.reply);
    ctx.session.note_push();
    ctx.session.note_subscriptions();
    Ok(())
}

fn unsubscribe_from(ctx: &mut Ctx<'_, '_>, kind: Kind, argv: Argv<'_>) -> Outcome {
    let client = &ctx.session.client;
    let names = (argv.len() > 1).then(|| argv.from(1).iter());
    let pubsub = &ctx.services.pubsub;
    pubsub.unsubscribe(client, kind, names, !ctx.db.is_in_unit(), ctx.reply);
    ctx.session.note_push();
    ctx.session.note_subscriptions();
    Ok(())
}

fn publish(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let services = ctx.services;
    let receivers = (services.pubsub).publish(&services.clients.post, argv.get(1), argv.get(2));
    ctx.reply.len(receivers);
    Ok(())
}

fn spublish(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let (pubsub, post) = (&ctx.services.pubsub, &ctx.services.clients.post);
    let receivers = pubsub.publish_shard(post, argv.get(1), argv.get(2));
    ctx.reply.len(receivers);
    Ok(())
}

fn channels(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    list_names(ctx, Kind::Channel, argv)
}

fn shard_channels(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    list_names(ctx, Kind::Shard, argv)
}

fn list_names(ctx: &mut Ctx<'_, '_>, kind: Kind, argv: Argv<'_>) -> Outcome {
    if argv.len() > 3 {
        return Err(unknown_form(argv).into());
    }
    let pubsub = &ctx.services.pubsub;
    ctx.afford(pubsub.sizes()[kind as usize])?;
    let pattern = (argv.len() == 3).then(|| argv.get(2));
    let names = pubsub.names(kind, |name| {
        pattern.is_none_or(|pattern| glob::matches(pattern, name))
    });
    ctx.reply.array(names.len());
    names.iter().for_each(|name| ctx.reply.bulk(name));
    Ok(())
}

fn num_sub(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    count_listeners(ctx, Kind::Channel, argv)
}

fn shard_num_sub(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    count_listeners(ctx, Kind::Shard, argv)
}

fn count_listeners(ctx: &mut Ctx<'_, '_>, kind: Kind, argv: Argv<'_>) -> Outcome {
    let names = argv.from(2);
    ctx.reply.array(2 * names.len());
    for name in names.iter() {
        ctx.reply.bulk(name);
        ctx.reply.len(ctx.services.pubsub.listeners(kind, name));
    }
    Ok(())
}

fn num_pat(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    let [_, patterns, _] = ctx.services.pubsub.sizes();
    ctx.reply.len(patterns);
    Ok(())
}

/// Redis's answer to a known subcommand with too many arguments.
fn unknown_form(argv: Argv<'_>) -> super::Error {
    super::Error::Bytes(
        [
            b"ERR unknown subcommand or wrong number of arguments for '",
            argv.get(1),
            b"'. Try PUBSUB HELP.",
        ]
        .concat(),
    )
}

fn pubsub_help(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    help::write(ctx.reply, "PUBSUB", HELP);
    Ok(())
}

const HELP: &[&str] = &[
    "CHANNELS [<pattern>]",
    "    Return the currently active channels matching a <pattern> (default: '*').",
    "NUMPAT",
    "    Return number of subscriptions to patterns.",
    "NUMSUB [<channel> ...]",
    "    Return the number of subscribers for the specified channels, excluding",
    "    pattern subscriptions(default: no channels).",
    "SHARDCHANNELS [<pattern>]",
    "    Return the currently active shard level channels matching a <pattern> (default: '*').",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    Return the number of subscribers for the specified shard level channel(s)",
];

#[cfg(test)]
mod tests;
