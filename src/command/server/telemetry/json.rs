//! The figures as JSON, for the page. Texts of clients are shown as they are where
//! they are text, and with escapes where they are not.

use std::fmt::Write;

use super::Figures;
use crate::base::sys;
use crate::command::ctx::Services;
use crate::config::Id;
use crate::metrics::commandlog::{Entry, Kind};

/// Rows of the page's tables.
const ROWS: usize = 16;

/// One object with everything.
pub(super) fn write(figures: &Figures, services: &Services) -> String {
    let mut out = Object::default();
    head(&mut out, figures, services);
    let totals = &figures.totals;
    for (name, value) in [
        ("commands", totals.commands),
        ("hits", totals.hits),
        ("misses", totals.misses),
        ("expired", totals.expired),
        ("received", totals.received),
        ("sent", totals.sent),
        ("connections", totals.connections),
        ("rejected", totals.refused),
        ("errors", totals.errors),
        ("clients", figures.clients as u64),
        ("client_bytes", figures.client_bytes as u64),
        ("used_memory", figures.memory.used),
        ("peak_memory", figures.memory.peak),
        ("resident_memory", figures.resident),
        ("maxmemory", figures.maxmemory),
    ] {
        out.number(name, value);
    }
    out.number(
        "cpu_seconds",
        figures.cpu_user_secs + figures.cpu_system_secs,
    );
    out.raw("databases", &databases(figures));
    out.raw("times", &times(figures));
    out.raw("by_command", &by_command(figures));
    let log = services.observed.logs.of(Kind::Slow);
    out.raw(
        "slow",
        &array(log.newest(ROWS).iter().map(|entry| slow(entry))),
    );
    out.raw("hot", &hot(figures, services));
    out.raw("big", &big(services));
    out.end()
}

fn head(out: &mut Object, figures: &Figures, services: &Services) {
    out.text("version", env!("CARGO_PKG_VERSION").as_bytes());
    out.text("run_id", services.run_id.as_bytes());
    out.text("dispatch", services.config.choice(Id::DISPATCH).as_bytes());
    out.number("port", services.port);
    out.number("workers", services.workers);
    out.number("now_ms", figures.now);
    out.number("uptime", figures.uptime_secs);
}

fn databases(figures: &Figures) -> String {
    let Some(databases) = &figures.databases else {
        return "null".to_owned();
    };
    array(databases.iter().map(|db| {
        let mut out = Object::default();
        out.number("db", db.index);
        out.number("keys", db.keys);
        out.number("expiring", db.volatile);
        out.end()
    }))
}

/// Pairs of the upper bound of a bucket, in microseconds, and its count.
fn times(figures: &Figures) -> String {
    let per_us = sys::ticks_per_us();
    let buckets = figures.times.iter();
    array(buckets.map(|(ticks, count)| format!("[{:.3},{count}]", ticks as f64 / per_us)))
}

fn by_command(figures: &Figures) -> String {
    array(figures.commands.iter().map(|(name, totals)| {
        let mut out = Object::default();
        out.text("name", name.as_bytes());
        out.number("calls", totals.calls);
        out.number("us", (totals.ticks as f64 / sys::ticks_per_us()).round());
        out.number("failed", totals.failed + totals.rejected);
        out.end()
    }))
}

fn slow(entry: &Entry) -> String {
    let mut out = Object::default();
    out.number("id", entry.id);
    out.number("time", entry.unix_secs);
    out.number("us", entry.value);
    out.number("waited_us", entry.waited_us);
    out.text("command", &entry.args.join(&b' '));
    out.text("client", entry.address.as_bytes());
    out.end()
}

fn hot(figures: &Figures, services: &Services) -> String {
    let hottest = services.observed.hot_keys.hottest(ROWS, figures.now);
    array(hottest.iter().map(|key| {
        let mut out = Object::default();
        out.text("key", &key.name);
        out.number("db", key.db);
        out.number("calls", key.calls);
        out.number("share", key.share);
        out.end()
    }))
}

fn big(services: &Services) -> String {
    let largest = services.observed.big_keys.largest(ROWS);
    array(largest.iter().map(|key| {
        let mut out = Object::default();
        out.text("key", &key.name);
        out.number("db", key.db);
        out.text("type", key.type_name.as_bytes());
        out.number("bytes", key.bytes);
        out.number("elements", key.elements);
        out.end()
    }))
}

fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// A JSON object as it grows.
#[derive(Default)]
struct Object(String);

impl Object {
    fn name(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        let _ = write!(self.0, "\"{name}\":");
    }

    /// A finite number.
    fn number(&mut self, name: &str, value: impl std::fmt::Display) {
        self.name(name);
        let _ = write!(self.0, "{value}");
    }

    fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.0.push_str(json);
    }

    fn text(&mut self, name: &str, text: &[u8]) {
        self.name(name);
        push_text(&mut self.0, text);
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A JSON string. What is no UTF-8 is shown with `\x..` escapes.
fn push_text(out: &mut String, text: &[u8]) {
    let escaped;
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(_) => {
            escaped = text.escape_ascii().to_string();
            &escaped
        }
    };
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted() {
        for (text, want) in [
            (&b"plain"[..], r#""plain""#),
            (b"a\"b\\c\n", r#""a\"b\\c\u000a""#),
            (b"\xff", r#""\\xff""#),
            ("\u{e4}".as_bytes(), "\"\u{e4}\""),
            (b"</script>", r#""</script>""#),
        ] {
            let mut out = String::new();
            push_text(&mut out, text);
            assert_eq!(out, want);
        }
    }
}
