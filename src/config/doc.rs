//! The sample file dist/flashkv.conf, made from the table.
//!
//! Every directive that is not hidden stands there once, commented out, at its default: `#name value`
//! without a space, so that taking the `#` away sets it. What follows `# ` is text.
//! Directives without effect come last in their section, gathered by the reason why,
//! and without their descriptions: nobody should read what cannot be used.

use std::collections::HashSet;
use std::fmt::Write;

use super::schema::{Change, Directive, Id, Kind, Status};
use super::store::default_of;
use super::value;

/// The text of dist/flashkv.conf.
pub fn conf_file() -> String {
    let mut out = String::from(HEAD);
    for section in sections() {
        let _ = write!(out, "\n{:#<80}\n# {section}\n{:#<80}\n", "", "");
        rows_of(section).for_each(|row| active(&mut out, row));
        inert(&mut out, section);
    }
    out
}

/// The sections in the order of the table, each once.
fn sections() -> Vec<&'static str> {
    let mut sections: Vec<_> = Id::all().map(|id| id.row().section).collect();
    sections.dedup();
    sections
}

fn rows_of(section: &'static str) -> impl Iterator<Item = &'static Directive> {
    Id::all()
        .map(Id::row)
        .filter(move |row| row.section == section && !row.hidden)
}

fn active(out: &mut String, row: &Directive) {
    if row.status == Status::Active {
        out.push('\n');
        row.doc.iter().for_each(|line| comment(out, line));
        comment(out, &facts(row));
        setting(out, row);
    }
}

/// The directives without effect, under the reasons why.
fn inert(out: &mut String, section: &'static str) {
    let reason = |row: &Directive| match row.status {
        Status::Active => None,
        Status::Inert(why) => Some(why),
    };
    let mut reasons: Vec<_> = rows_of(section).filter_map(reason).collect();
    let mut seen = HashSet::new();
    reasons.retain(|why| seen.insert(*why));
    for why in reasons {
        out.push('\n');
        comment(out, &format!("No effect in this version: {why}."));
        rows_of(section)
            .filter(|row| reason(row) == Some(why))
            .for_each(|row| setting(out, row));
    }
}

fn comment(out: &mut String, line: &str) {
    let _ = writeln!(out, "# {}", line.trim());
}

fn setting(out: &mut String, row: &Directive) {
    let id = Id::find(row.name.as_bytes());
    for line in id
        .iter()
        .flat_map(|id| value::print_lines(row, &default_of(*id)))
    {
        let _ = writeln!(out, "#{}", String::from_utf8_lossy(&line));
    }
}

/// Type, range, other names, and when it can change; in one line.
fn facts(row: &Directive) -> String {
    let mut facts = format!("Value: {}.", range(row.kind));
    if !row.aliases.is_empty() {
        let _ = write!(facts, " Also called {}.", row.aliases.join(", "));
    }
    facts.push_str(match row.change {
        Change::AnyTime => "",
        Change::Protected => " CONFIG SET needs enable-protected-configs.",
        Change::Never | Change::Fixed => " Fixed at start.",
    });
    facts
}

fn range(kind: Kind) -> String {
    match kind {
        Kind::Bool => "yes or no".to_owned(),
        Kind::Int { min, .. } if min <= i64::from(i32::MIN) => "a number".to_owned(),
        Kind::Int { min, max } if max >= i64::from(i32::MAX) => format!("a number, from {min}"),
        Kind::Int { min, max } | Kind::Clamped { min, max } => {
            format!("a number, {min} to {max}")
        }
        Kind::Memory { min, max: i64::MAX } => format!("bytes, from {}", size(min)),
        Kind::Memory { min, max } => format!("bytes, {} to {}", size(min), size(max)),
        Kind::PercentOrMemory => "bytes, or a percentage of maxmemory".to_owned(),
        Kind::MemoryOrShare => "bytes, or a percentage of what the process may use".to_owned(),
        Kind::Octal { max } => format!("an octal number, up to {max:o}"),
        Kind::Enum(words) => words.join(", "),
        Kind::Text(_) => "a text".to_owned(),
        Kind::List { .. } => "words separated by spaces".to_owned(),
    }
}

fn size(bytes: i64) -> String {
    value::with_unit(bytes.unsigned_abs())
}

const HEAD: &str = "\
# FlashKV's configuration. Start with it:  flashkv /etc/flashkv/flashkv.conf
#
# Every directive is listed with its default; take away the # before one to set it.
# The syntax is that of redis.conf, and a redis.conf can be used as it is. Each
# directive is an option of the command line too, which overrules the file:
#
#   flashkv /etc/flashkv/flashkv.conf --port 7000 --loglevel debug
#
# Most can be changed while the server runs (CONFIG SET) and written back here
# (CONFIG REWRITE). `flashkv --check-config FILE` checks a file without starting.
#
# Sizes take units, in any case: 1k = 1000, 1kb = 1024, and likewise m, mb, g, gb.
# Text with spaces goes into quotes: \"a b\". `include FILE` reads another file in its
# place; * and ? in it are wildcards. The last line of a directive wins.
#
# This file is generated from the table of directives, src/config/schema.
";
