//! INFO's sections of counters: stats, commandstats, errorstats, latencystats.

use super::Text;
use crate::base::sys;
use crate::command::ctx::Ctx;
use crate::config::Id;
use crate::metrics::{CommandTotals, Totals};
use crate::store::Busy;

pub(super) fn stats(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    let totals = ctx.services.metrics.totals();
    let rates = &ctx.services.rates;
    text.field("total_connections_received", totals.connections);
    text.field("total_commands_processed", totals.commands);
    text.field("instantaneous_ops_per_sec", rates.commands_per_second());
    text.field("total_net_input_bytes", totals.received);
    text.field("total_net_output_bytes", totals.sent);
    text.zeros(&["total_net_repl_input_bytes", "total_net_repl_output_bytes"]);
    text.field("instantaneous_input_kbps", kib(rates.received_per_second()));
    text.field("instantaneous_output_kbps", kib(rates.sent_per_second()));
    text.field("instantaneous_input_repl_kbps", "0.00");
    text.field("instantaneous_output_repl_kbps", "0.00");
    text.field("rejected_connections", totals.refused);
    text.zeros(&["sync_full", "sync_partial_ok", "sync_partial_err"]);
    text.field("expired_keys", totals.expired);
    text.field("expired_subkeys", totals.expired_fields);
    text.field("expired_time_cap_reached_count", totals.expire_cut_short);
    text.field("evicted_keys", totals.evicted);
    text.field("evicted_clients", totals.evicted_clients);
    let (current, total) = ctx.services.metrics.backlog.exceeded_ms(ctx.db.now);
    text.field("total_eviction_exceeded_time", total);
    text.field("current_eviction_exceeded_time", current);
    text.field("keyspace_hits", totals.hits);
    text.field("keyspace_misses", totals.misses);
    let [channels, patterns, shard_channels] = ctx.services.pubsub.sizes();
    text.field("pubsub_channels", channels);
    text.field("pubsub_patterns", patterns);
    text.field("pubsubshard_channels", shard_channels);
    text.zeros(&[
        "latest_fork_usec",
        "total_forks",
        "migrate_cached_sockets",
        "slave_expires_tracked_keys",
        "active_defrag_hits",
        "active_defrag_misses",
        "active_defrag_key_hits",
        "active_defrag_key_misses",
        "total_active_defrag_time",
        "current_active_defrag_time",
    ]);
    let tracked = ctx.services.pubsub.tracking.sizes();
    text.field("tracking_total_keys", tracked.keys);
    text.field("tracking_total_items", tracked.items);
    text.field("tracking_total_prefixes", tracked.prefixes);
    text.field("unexpected_error_replies", 0);
    text.field("total_error_replies", totals.errors);
    text.field("dump_payload_sanitizations", 0);
    text.field("total_reads_processed", totals.reads);
    text.field("total_writes_processed", totals.writes);
    text.zeros(&[
        "io_threaded_reads_processed",
        "io_threaded_writes_processed",
    ]);
    text.field(
        "client_query_buffer_limit_disconnections",
        totals.input_limit_closed,
    );
    text.field(
        "client_output_buffer_limit_disconnections",
        totals.output_limit_closed,
    );
    event_loop(text, ctx, &totals);
    text.field("batches_handed_over", totals.handed_over);
    text.field("batches_run_inline", totals.run_inline);
    Ok(())
}

fn event_loop(text: &mut Text, ctx: &Ctx<'_, '_>, totals: &Totals) {
    let us = |ticks: u64| (ticks as f64 / sys::ticks_per_us()) as u64;
    let longest = ctx.services.metrics.turn_ticks_max();
    text.field("eventloop_cycles", totals.turns);
    text.field("eventloop_duration_sum", us(totals.turn_ticks));
    text.field("reactor_turn_us_max", us(longest));
}

fn kib(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1024.0)
}

/// The commands that were called or refused, with their names and totals.
fn used<'a>(ctx: &'a Ctx<'_, '_>) -> impl Iterator<Item = (&'static str, CommandTotals)> + 'a {
    ctx.services.commands.iter_all().filter_map(|command| {
        let totals = ctx.services.metrics.command(command.index.into());
        let any = totals.calls + totals.rejected + totals.failed > 0;
        any.then_some((command.full_name.as_str(), totals))
    })
}

pub(super) fn commands(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    for (name, totals) in used(ctx) {
        let usec = totals.ticks as f64 / sys::ticks_per_us();
        let per_call = usec / totals.calls.max(1) as f64;
        let CommandTotals {
            calls,
            rejected,
            failed,
            ..
        } = totals;
        text.field(
            &format!("cmdstat_{name}"),
            format_args!(
                "calls={calls},usec={usec:.0},usec_per_call={per_call:.2},\
                 rejected_calls={rejected},failed_calls={failed}"
            ),
        );
    }
    Ok(())
}

pub(super) fn errors(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    for (code, count) in ctx.services.metrics.errors() {
        // Whatever stands in an error, a line stays `key:value`.
        let code = code.replace([':', '#', '\r', '\n'], "_");
        text.field(&format!("errorstat_{code}"), format_args!("count={count}"));
    }
    Ok(())
}

pub(super) fn latencies(text: &mut Text, ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    if !ctx.services.config.flag(Id::LATENCY_TRACKING) {
        return Ok(());
    }
    let percents = ctx.services.config.percentiles();
    for (name, totals) in used(ctx).filter(|(_, totals)| totals.times.total() > 0) {
        let shown = percents.iter().map(|&percent| {
            let usec = totals.times.percentile(percent) as f64 / sys::ticks_per_us();
            format!("p{percent}={usec:.3}")
        });
        let shown = shown.collect::<Vec<_>>().join(",");
        text.field(&format!("latency_percentiles_usec_{name}"), shown);
    }
    Ok(())
}
