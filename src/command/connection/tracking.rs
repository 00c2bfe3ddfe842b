//! CLIENT TRACKING and what belongs to it: a client asks to be told when what it has
//! read changes. The table of who has read what is `crate::pubsub::tracking`'s.

use crate::base::num;
use crate::clients::TrackFlags;
use crate::command::ctx::{Ctx, Outcome};
use crate::command::error::Error;
use crate::pubsub::{Options, Overlap};
use crate::resp::Argv;
use crate::store;

pub(super) fn tracking(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let options = read_options(ctx, argv)?;
    let switch = argv.get(2);
    let client = &ctx.session.client;
    if switch.eq_ignore_ascii_case(b"on") {
        let old = client.track_flags.load();
        check_options(&options, old)?;
        let kept = TrackFlags(old.0 & TrackFlags::CACHING.0);
        let options = Options {
            flags: options.flags.with(TrackFlags::ON).with(kept),
            ..options
        };
        let enabled = ctx.services.pubsub.tracking.enable(client, &options);
        enabled.map_err(overlap_error)?;
    } else if switch.eq_ignore_ascii_case(b"off") {
        ctx.services.pubsub.tracking.disable(client);
    } else {
        return Err(Error::Syntax.into());
    }
    ctx.session.note_tracking();
    ctx.reply.ok();
    Ok(())
}

fn read_options<'a>(ctx: &Ctx<'_, '_>, argv: Argv<'a>) -> Result<Options<'a>, Error> {
    let mut options = Options::default();
    let mut at = 3;
    while at < argv.len() {
        let more = at + 1 < argv.len();
        let flag = match argv.get(at).to_ascii_lowercase().as_slice() {
            b"bcast" => TrackFlags::BCAST,
            b"optin" => TrackFlags::OPTIN,
            b"optout" => TrackFlags::OPTOUT,
            b"noloop" => TrackFlags::NOLOOP,
            b"redirect" if more => {
                at += 1;
                if options.redirect != 0 {
                    return Err(Error::text(ONE_REDIRECTION));
                }
                options.redirect = other_client(ctx, argv.get(at))?;
                TrackFlags::NONE
            }
            b"prefix" if more => {
                at += 1;
                options.prefixes.push(argv.get(at));
                TrackFlags::NONE
            }
            _ => return Err(Error::Syntax),
        };
        options.flags = options.flags.with(flag);
        at += 1;
    }
    Ok(options)
}

/// The id of a client that is there now.
fn other_client(ctx: &Ctx<'_, '_>, text: &[u8]) -> Result<u64, Error> {
    let id = num::parse_i64(text).ok_or(Error::Store(store::Error::NotInteger))?;
    let id = u64::try_from(id).ok();
    id.filter(|&id| ctx.services.clients.get(id).is_some())
        .ok_or(Error::text(NO_SUCH_CLIENT))
}

/// Refuses what does not go together, with each other or with what is set.
fn check_options(options: &Options<'_>, old: TrackFlags) -> Result<(), Error> {
    let (new, on) = (options.flags, old.has(TrackFlags::ON));
    let broadcasts = new.has(TrackFlags::BCAST);
    if !broadcasts && !options.prefixes.is_empty() {
        return Err(Error::text(
            "ERR PREFIX option requires BCAST mode to be enabled",
        ));
    }
    if on && old.has(TrackFlags::BCAST) != broadcasts {
        return Err(Error::text(NO_SWITCH_OF_BCAST));
    }
    let (optin, optout) = (new.has(TrackFlags::OPTIN), new.has(TrackFlags::OPTOUT));
    if broadcasts && (optin || optout) {
        return Err(Error::text(
            "ERR OPTIN and OPTOUT are not compatible with BCAST",
        ));
    }
    if optin && optout {
        return Err(Error::text(
            "ERR You can't specify both OPTIN mode and OPTOUT mode",
        ));
    }
    if optin && old.has(TrackFlags::OPTOUT) || optout && old.has(TrackFlags::OPTIN) {
        return Err(Error::text(NO_SWITCH_OF_OPT));
    }
    Ok(())
}

fn overlap_error(overlap: Overlap) -> Error {
    let kind = if overlap.existing {
        b"an existing prefix".as_slice()
    } else {
        b"another provided prefix"
    };
    let text = [
        b"ERR Prefix '",
        &*overlap.given,
        b"' overlaps with ",
        kind,
        b" '",
        &*overlap.other,
        b"'. Prefixes for a single client must not overlap.",
    ];
    Error::Bytes(text.concat())
}

/// Says whether the next command's keys are tracked, where that has to be said.
pub(super) fn caching(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    let flags = ctx.session.client.track_flags.load();
    if !flags.has(TrackFlags::ON) {
        return Err(Error::text(CACHING_NEEDS_TRACKING).into());
    }
    let word = argv.get(2);
    let (mode, otherwise) = if word.eq_ignore_ascii_case(b"yes") {
        (TrackFlags::OPTIN, CACHING_YES_NEEDS_OPTIN)
    } else if word.eq_ignore_ascii_case(b"no") {
        (TrackFlags::OPTOUT, CACHING_NO_NEEDS_OPTOUT)
    } else {
        return Err(Error::Syntax.into());
    };
    if !flags.has(mode) {
        return Err(Error::text(otherwise).into());
    }
    ctx.session.client.track_flags.add(TrackFlags::CACHING);
    ctx.reply.ok();
    Ok(())
}

pub(super) fn get_redirection(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    ctx.reply.int(ctx.session.client.redirection());
    Ok(())
}

pub(super) fn tracking_info(ctx: &mut Ctx<'_, '_>, _argv: Argv<'_>) -> Outcome {
    let client = &ctx.session.client;
    let flags = client.track_flags.load();
    let caching = flags.has(TrackFlags::CACHING);
    let words = [
        (flags.has(TrackFlags::ON), "on"),
        (!flags.has(TrackFlags::ON), "off"),
        (flags.has(TrackFlags::BCAST), "bcast"),
        (flags.has(TrackFlags::OPTIN), "optin"),
        (flags.has(TrackFlags::OPTIN) && caching, "caching-yes"),
        (flags.has(TrackFlags::OPTOUT), "optout"),
        (flags.has(TrackFlags::OPTOUT) && caching, "caching-no"),
        (flags.has(TrackFlags::NOLOOP), "noloop"),
        (flags.has(TrackFlags::BROKEN_REDIRECT), "broken_redirect"),
    ];
    let shown: Vec<&str> = (words.iter())
        .filter_map(|(set, word)| set.then_some(*word))
        .collect();
    let prefixes = ctx.services.pubsub.tracking.prefixes(client);
    let reply = &mut *ctx.reply;
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(shown.len());
    shown.iter().for_each(|word| reply.bulk(word.as_bytes()));
    reply.bulk(b"redirect");
    reply.int(client.redirection());
    reply.bulk(b"prefixes");
    reply.array(prefixes.len());
    prefixes.iter().for_each(|prefix| reply.bulk(prefix));
    Ok(())
}

const ONE_REDIRECTION: &str = "ERR A client can only redirect to a single other client";
const NO_SUCH_CLIENT: &str = "ERR The client ID you want redirect to does not exist";
const NO_SWITCH_OF_BCAST: &str = "ERR You can't switch BCAST mode on/off before disabling tracking \
    for this client, and then re-enabling it with a different mode.";
const NO_SWITCH_OF_OPT: &str = "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking \
    for this client, and then re-enabling it with a different mode.";
const CACHING_NEEDS_TRACKING: &str = "ERR CLIENT CACHING can be called only when the client is in \
    tracking mode with OPTIN or OPTOUT mode enabled";
const CACHING_YES_NEEDS_OPTIN: &str =
    "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.";
const CACHING_NO_NEEDS_OPTOUT: &str =
    "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.";
