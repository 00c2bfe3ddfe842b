//! Prometheus's text format: a family of samples after its `# HELP` and `# TYPE`.

use std::fmt::{Display, Write};

use super::Figures;
use crate::base::sys;
use crate::command::ctx::Services;
use crate::config::Id;
use crate::config::cli::REDIS_COMPAT;
use crate::metrics::CommandTotals;

/// Upper bounds of the histogram's buckets in microseconds.
const BOUNDS_US: [u64; 14] = [
    1, 2, 5, 10, 20, 50, 100, 500, 1_000, 5_000, 10_000, 100_000, 1_000_000, 10_000_000,
];

/// All families.
pub(super) fn write(figures: &Figures, services: &Services) -> String {
    let mut text = Text::default();
    about(&mut text, services);
    gauges(&mut text, figures, services);
    counters(&mut text, figures);
    databases(&mut text, figures);
    errors(&mut text, services);
    commands(&mut text, figures);
    durations(&mut text, figures);
    logs(&mut text, services);
    text.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(
            self.0,
            "# HELP flashkv_{name} {help}\n# TYPE flashkv_{name} {kind}"
        );
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.0, "flashkv_{name}");
        for (nth, (label, text)) in labels.iter().enumerate() {
            let before = if nth == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{before}{label}=\"{}\"", escaped(text));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{after} {value}");
    }

    /// A family of one sample.
    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn about(text: &mut Text, services: &Services) {
    text.family("info", "gauge", "What runs, in labels; always 1.");
    let labels = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("redis_version", REDIS_COMPAT),
        ("run_id", &services.run_id),
        ("dispatch", services.config.choice(Id::DISPATCH)),
    ];
    text.sample("info", &labels, 1);
}

fn gauges(text: &mut Text, figures: &Figures, services: &Services) {
    let memory = &figures.memory;
    let maxclients = services.config.int(Id::MAXCLIENTS);
    text.single(
        "uptime_seconds",
        "gauge",
        "Time since the start.",
        figures.uptime_secs,
    );
    text.single(
        "connected_clients",
        "gauge",
        "Clients connected now.",
        figures.clients,
    );
    text.single("maxclients", "gauge", "Clients allowed.", maxclients);
    text.single(
        "client_buffer_bytes",
        "gauge",
        "Memory of clients' buffers.",
        figures.client_bytes,
    );
    text.single(
        "memory_used_bytes",
        "gauge",
        "Memory in allocations.",
        memory.used,
    );
    text.single(
        "memory_peak_bytes",
        "gauge",
        "The most that was in allocations.",
        memory.peak,
    );
    text.single(
        "memory_resident_bytes",
        "gauge",
        "Memory of the process.",
        figures.resident,
    );
    text.single(
        "memory_max_bytes",
        "gauge",
        "maxmemory; 0 is no limit.",
        figures.maxmemory,
    );
    text.family("cpu_seconds_total", "counter", "Processor time used.");
    text.sample(
        "cpu_seconds_total",
        &[("mode", "user")],
        figures.cpu_user_secs,
    );
    text.sample(
        "cpu_seconds_total",
        &[("mode", "system")],
        figures.cpu_system_secs,
    );
}

fn counters(text: &mut Text, figures: &Figures) {
    let totals = &figures.totals;
    for (name, help, value) in [
        ("commands_processed_total", "Commands run.", totals.commands),
        (
            "connections_received_total",
            "Connections accepted.",
            totals.connections,
        ),
        (
            "connections_rejected_total",
            "Connections turned away.",
            totals.refused,
        ),
        (
            "keyspace_hits_total",
            "Reads that found their key.",
            totals.hits,
        ),
        (
            "keyspace_misses_total",
            "Reads that did not.",
            totals.misses,
        ),
        (
            "expired_keys_total",
            "Keys removed because their time was over.",
            totals.expired,
        ),
        ("net_input_bytes_total", "Bytes received.", totals.received),
        ("net_output_bytes_total", "Bytes sent.", totals.sent),
        ("changes_total", "Changes of the data.", totals.dirty),
        (
            "batches_inline_total",
            "Batches run by the reactor.",
            totals.run_inline,
        ),
        (
            "batches_handed_over_total",
            "Batches given to workers.",
            totals.handed_over,
        ),
        (
            "evicted_clients_total",
            "Clients ended because of maxmemory-clients.",
            totals.evicted_clients,
        ),
        (
            "output_limit_disconnections_total",
            "Clients ended for not reading their replies.",
            totals.output_limit_closed,
        ),
        (
            "input_limit_disconnections_total",
            "Clients ended for the size of their requests.",
            totals.input_limit_closed,
        ),
    ] {
        text.single(name, "counter", help, value);
    }
}

fn databases(text: &mut Text, figures: &Figures) {
    let Some(databases) = &figures.databases else {
        return;
    };
    text.family("db_keys", "gauge", "Keys of a database.");
    for db in databases {
        text.sample("db_keys", &[("db", &db.index.to_string())], db.keys);
    }
    text.family(
        "db_keys_expiring",
        "gauge",
        "Keys of a database that will expire.",
    );
    for db in databases {
        text.sample(
            "db_keys_expiring",
            &[("db", &db.index.to_string())],
            db.volatile,
        );
    }
}

fn errors(text: &mut Text, services: &Services) {
    text.family("errors_total", "counter", "Error replies by their code.");
    for (code, count) in services.metrics.errors() {
        text.sample("errors_total", &[("code", &code)], count);
    }
}

fn commands(text: &mut Text, figures: &Figures) {
    type Value = fn(&CommandTotals) -> f64;
    let families: [(&str, &str, Value); 4] = [
        ("command_calls_total", "Calls of a command.", |t| {
            t.calls as f64
        }),
        ("command_seconds_total", "Time served to a command.", |t| {
            t.ticks as f64 / sys::ticks_per_us() / 1e6
        }),
        (
            "command_rejected_total",
            "Calls refused before they ran.",
            |t| t.rejected as f64,
        ),
        (
            "command_failed_total",
            "Calls answered with an error.",
            |t| t.failed as f64,
        ),
    ];
    for (name, help, value) in families {
        text.family(name, "counter", help);
        for (command, totals) in &figures.commands {
            text.sample(name, &[("command", command)], value(totals));
        }
    }
}

/// The times of all commands together.
fn durations(text: &mut Text, figures: &Figures) {
    const NAME: &str = "command_duration_seconds";
    text.family(
        NAME,
        "histogram",
        "How long commands took, without waiting.",
    );
    let per_us = sys::ticks_per_us();
    let bucket = format!("{NAME}_bucket");
    for bound in BOUNDS_US {
        let within = figures
            .times
            .iter()
            .filter(|(ticks, _)| *ticks as f64 <= bound as f64 * per_us);
        let count: u64 = within.map(|(_, count)| count).sum();
        let le = (bound as f64 / 1e6).to_string();
        text.sample(&bucket, &[("le", &le)], count);
    }
    text.sample(&bucket, &[("le", "+Inf")], figures.times.total());
    let ticks: u64 = figures
        .commands
        .iter()
        .map(|(_, totals)| totals.ticks)
        .sum();
    text.sample(&format!("{NAME}_sum"), &[], ticks as f64 / per_us / 1e6);
    text.sample(&format!("{NAME}_count"), &[], figures.times.total());
}

fn logs(text: &mut Text, services: &Services) {
    use crate::metrics::commandlog::Kind;
    const NAME: &str = "commandlog_entries";
    text.family(NAME, "gauge", "Entries of the logs of notable commands.");
    let kinds = [
        ("slow", Kind::Slow),
        ("large-request", Kind::LargeRequest),
        ("large-reply", Kind::LargeReply),
    ];
    for (name, kind) in kinds {
        text.sample(
            NAME,
            &[("log", name)],
            services.observed.logs.of(kind).len(),
        );
    }
    text.family(
        "latency_event_max_seconds",
        "gauge",
        "The longest of each latency event.",
    );
    for (event, series) in services.observed.latency.all() {
        let seconds = series.max_ms as f64 / 1000.0;
        text.sample("latency_event_max_seconds", &[("event", event)], seconds);
    }
}
