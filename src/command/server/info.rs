//! INFO: what the server says about itself, in Redis's sections and field names, so
//! that exporters, redis-cli and client libraries can read it.
//!
//! Every value is true. What Redis has and this server has not is 0 where readers
//! expect a number, and left out otherwise; nothing is made up.

mod data;
mod keysizes;
mod process;
mod statistics;

use std::fmt::Display;

use crate::command::ctx::{Ctx, Outcome};
use crate::resp::Argv;
use crate::store::Busy;

/// Writes the fields of a section.
type Fill = fn(&mut Text, &Ctx<'_, '_>) -> Result<(), Busy>;

/// When a section is shown without being named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// By INFO alone.
    Always,
    /// By `all` and `everything`.
    InAll,
}

struct Section {
    /// As its heading has it; a client names it in any case.
    title: &'static str,
    shown: Shown,
    fill: Fill,
}

/// The sections in Redis's order.
const SECTIONS: [Section; 14] = [
    section("Server", Shown::Always, process::server),
    section("Clients", Shown::Always, process::clients),
    section("Memory", Shown::Always, process::memory),
    section("Persistence", Shown::Always, data::persistence),
    section("Stats", Shown::Always, statistics::stats),
    section("Replication", Shown::Always, data::replication),
    section("CPU", Shown::Always, process::cpu),
    section("Modules", Shown::Always, nothing),
    section("Commandstats", Shown::InAll, statistics::commands),
    section("Errorstats", Shown::Always, statistics::errors),
    section("Latencystats", Shown::InAll, statistics::latencies),
    section("Cluster", Shown::Always, data::cluster),
    section("Keyspace", Shown::Always, data::keyspace),
    section("Keysizes", Shown::InAll, keysizes::sizes),
];

const fn section(title: &'static str, shown: Shown, fill: Fill) -> Section {
    Section { title, shown, fill }
}

/// There are no modules.
fn nothing(_text: &mut Text, _ctx: &Ctx<'_, '_>) -> Result<(), Busy> {
    Ok(())
}

pub(super) fn info(ctx: &mut Ctx<'_, '_>, argv: Argv<'_>) -> Outcome {
    // The memory of buffers is summed over all clients.
    ctx.afford(ctx.services.clients.count())?;
    let mut text = Text::default();
    for section in SECTIONS.iter().filter(|section| section.is_wanted(argv)) {
        text.heading(section.title);
        (section.fill)(&mut text, ctx)?;
    }
    ctx.reply.verbatim("txt", text.0.as_bytes());
    Ok(())
}

impl Section {
    fn is_wanted(&self, argv: Argv<'_>) -> bool {
        argv.len() == 1 && self.shown == Shown::Always
            || argv.from(1).iter().any(|name| self.is_named(name))
    }

    fn is_named(&self, name: &[u8]) -> bool {
        match name.to_ascii_lowercase().as_slice() {
            b"all" | b"everything" => true,
            b"default" => self.shown == Shown::Always,
            name => name.eq_ignore_ascii_case(self.title.as_bytes()),
        }
    }
}

/// The text of INFO as it grows.
#[derive(Default)]
struct Text(String);

impl Text {
    fn heading(&mut self, title: &str) {
        if !self.0.is_empty() {
            self.0.push_str("\r\n");
        }
        self.0.push_str(&format!("# {title}\r\n"));
    }

    fn field(&mut self, name: &str, value: impl Display) {
        self.0.push_str(&format!("{name}:{value}\r\n"));
    }

    fn fields<V: Display>(&mut self, fields: &[(&str, V)]) {
        for (name, value) in fields {
            self.field(name, value);
        }
    }

    /// Fields of what does not exist here, as 0.
    fn zeros(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.field(name, 0));
    }

    /// Bytes, and again with a unit under a name that ends in `_human`.
    fn bytes(&mut self, name: &str, bytes: u64) {
        self.field(name, bytes);
        self.field(
            &format!("{name}_human"),
            crate::base::num::human_bytes(bytes),
        );
    }
}

#[cfg(test)]
mod tests;
