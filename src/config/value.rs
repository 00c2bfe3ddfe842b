//! Parsing and printing of values, kind by kind.
//!
//! The error texts are Redis's, byte for byte, because CONFIG SET sends them to the
//! client. Lists that have a grammar of their own are in [`super::lists`].

use std::path::Path;
use std::sync::Arc;

use super::lists;
use super::schema::{Directive, Kind};
use crate::base::split;

/// The value of a directive; which variant is fixed by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Bool, numbers and enums (the index of the word).
    Int(i64),
    /// Texts and lists, in their stored form.
    Text(Arc<[u8]>),
}

impl Value {
    fn text(bytes: Vec<u8>) -> Value {
        Value::Text(bytes.into())
    }

    /// The stored form of a text or list; empty for the other kinds.
    pub fn as_text(&self) -> &[u8] {
        match self {
            Value::Int(_) => b"",
            Value::Text(text) => text,
        }
    }
}

/// Parses the arguments of a directive. `present` is the stored form that a list is
/// merged into. A list that comes as one argument is split at each space: so CONFIG SET
/// gives it, and quotes in a file may.
///
/// # Errors
/// The reason, in Redis's words.
pub fn parse(row: &Directive, args: &[Vec<u8>], present: &[u8]) -> Result<Value, String> {
    match (row.kind, args) {
        (kind, [one]) => parse_one(kind, one, present),
        (Kind::List { rule, .. }, _) => rule(args, present).map(Value::text),
        _ => Err(WRONG_COUNT.to_owned()),
    }
}

/// Parses the one argument that CONFIG SET gives.
///
/// # Errors
/// As [`parse`].
pub fn parse_joined(row: &Directive, joined: &[u8], present: &[u8]) -> Result<Value, String> {
    parse(row, &[joined.to_vec()], present)
}

fn parse_one(kind: Kind, arg: &[u8], present: &[u8]) -> Result<Value, String> {
    match kind {
        Kind::Bool => parse_bool(arg),
        Kind::Int { min, max } => within(integer(arg)?, min, max),
        Kind::Clamped { min, max } => {
            let wide = within(integer(arg)?, 0, i64::from(i32::MAX));
            wide.map(|value| clamped(value, min, max))
        }
        Kind::Memory { min, max } => {
            let bytes = bytes(arg).ok_or(NO_MEMORY)?;
            within(i64::try_from(bytes).unwrap_or(i64::MAX), min, max)
        }
        Kind::PercentOrMemory => parse_percent_or_memory(arg),
        Kind::MemoryOrShare => parse_memory_or_share(arg),
        Kind::Octal { max } => within(octal(arg)?, 0, max),
        Kind::Enum(words) => parse_enum(words, arg),
        Kind::Text(rule) => rule(arg).map(Value::text),
        Kind::List { rule, .. } => rule(&split_at_spaces(arg), present).map(Value::text),
    }
}

fn clamped(value: Value, min: i64, max: i64) -> Value {
    match value {
        Value::Int(number) => Value::Int(number.clamp(min, max)),
        text => text,
    }
}

fn parse_bool(arg: &[u8]) -> Result<Value, String> {
    if arg.eq_ignore_ascii_case(b"yes") {
        return Ok(Value::Int(1));
    }
    if arg.eq_ignore_ascii_case(b"no") {
        return Ok(Value::Int(0));
    }
    Err("argument must be 'yes' or 'no'".to_owned())
}

fn parse_enum(words: &[&str], arg: &[u8]) -> Result<Value, String> {
    let at = words
        .iter()
        .position(|word| word.as_bytes().eq_ignore_ascii_case(arg));
    let at = at.ok_or_else(|| one_of(words))?;
    Ok(Value::Int(at as i64))
}

/// Redis's text for a word that is not among `words`.
pub(super) fn one_of(words: &[&str]) -> String {
    format!(
        "argument(s) must be one of the following: {}",
        words.join(", ")
    )
}

fn parse_percent_or_memory(arg: &[u8]) -> Result<Value, String> {
    const NEITHER: &str = "argument must be a memory or percent value";
    let Some(percent) = arg.strip_suffix(b"%") else {
        let bytes = bytes(arg).ok_or(NEITHER)?;
        return within(i64::try_from(bytes).unwrap_or(i64::MAX), 0, i64::MAX);
    };
    match integer(percent) {
        Ok(percent @ 0..=100) => Ok(Value::Int(-percent)),
        Ok(101..) => Err("percentage argument must be less or equal to 100".to_owned()),
        _ => Err(NEITHER.to_owned()),
    }
}

fn parse_memory_or_share(arg: &[u8]) -> Result<Value, String> {
    let Some(percent) = arg.strip_suffix(b"%") else {
        let bytes = bytes(arg).ok_or(NO_MEMORY)?;
        return within(i64::try_from(bytes).unwrap_or(i64::MAX), 0, i64::MAX);
    };
    match integer(percent) {
        Ok(percent @ 1..=100) => Ok(Value::Int(-percent)),
        _ => Err(NO_MEMORY.to_owned()),
    }
}

fn within(number: i64, min: i64, max: i64) -> Result<Value, String> {
    if (min..=max).contains(&number) {
        return Ok(Value::Int(number));
    }
    Err(format!(
        "argument must be between {min} and {max} inclusive"
    ))
}

/// An integer as Redis writes them: no plus sign, no leading zeros, no spaces.
pub(super) fn integer(arg: &[u8]) -> Result<i64, String> {
    let text = std::str::from_utf8(arg).ok();
    let number = text.and_then(|text| text.parse::<i64>().ok().filter(|n| n.to_string() == text));
    number.ok_or_else(|| "argument couldn't be parsed into an integer".to_owned())
}

fn octal(arg: &[u8]) -> Result<i64, String> {
    let text = std::str::from_utf8(arg)
        .ok()
        .filter(|text| !text.starts_with('+'));
    let number = text.and_then(|text| i64::from_str_radix(text, 8).ok());
    number.ok_or_else(|| "argument couldn't be parsed as an octal number".to_owned())
}

/// A number of bytes with an optional unit in any case; no digits at all are 0, as in
/// Redis. `None` for anything else and for more than a `u64` holds.
pub fn bytes(arg: &[u8]) -> Option<u64> {
    let digits = arg.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, unit) = arg.split_at(digits);
    let unit = unit.to_ascii_lowercase();
    let (_, factor) = UNITS.iter().find(|(name, _)| name.as_bytes() == unit)?;
    let number = std::str::from_utf8(number).ok()?;
    match number {
        "" => Some(0),
        _ => number.parse::<u64>().ok()?.checked_mul(*factor),
    }
}

/// Prints a value as CONFIG GET shows it.
pub fn print(row: &Directive, value: &Value) -> Vec<u8> {
    let number = match value {
        Value::Text(text) => return text.to_vec(),
        Value::Int(number) => *number,
    };
    match row.kind {
        Kind::Bool => yes_no(number).into(),
        Kind::Enum(words) => words[number as usize].into(),
        Kind::Octal { .. } => format!("{number:o}").into_bytes(),
        Kind::PercentOrMemory | Kind::MemoryOrShare if number < 0 => {
            format!("{}%", -number).into_bytes()
        }
        _ => number.to_string().into_bytes(),
    }
}

/// Prints a value as the lines of a file that set it, from nothing, to this value.
pub fn print_lines(row: &Directive, value: &Value) -> Vec<Vec<u8>> {
    let name = row.name.as_bytes();
    let line = |rest: &[u8]| [name, b" ", rest].concat();
    match (row.kind, value) {
        (Kind::List { line_words, .. }, Value::Text(text)) => {
            let groups = lists::groups(line_words, text);
            groups.iter().map(|group| line(group)).collect()
        }
        (_, Value::Text(text)) => vec![line(&split::quoted(text))],
        (
            Kind::Memory { .. } | Kind::PercentOrMemory | Kind::MemoryOrShare,
            Value::Int(bytes @ 1..),
        ) => {
            vec![line(with_unit(*bytes as u64).as_bytes())]
        }
        _ => vec![line(&print(row, value))],
    }
}

fn yes_no(number: i64) -> &'static str {
    if number == 0 { "no" } else { "yes" }
}

/// Bytes in the largest unit that leaves a whole number.
pub fn with_unit(bytes: u64) -> String {
    for (unit, factor) in [("gb", 1 << 30), ("mb", 1 << 20), ("kb", 1 << 10)] {
        if bytes != 0 && bytes.is_multiple_of(factor) {
            return format!("{}{unit}", bytes / factor);
        }
    }
    bytes.to_string()
}

pub(super) fn split_at_spaces(joined: &[u8]) -> Vec<Vec<u8>> {
    joined
        .split(|byte| *byte == b' ')
        .map(<[u8]>::to_vec)
        .collect()
}

/// The rule of a text that may be anything.
///
/// # Errors
/// None; the type is that of every rule.
pub fn any_text(text: &[u8]) -> Result<Vec<u8>, String> {
    Ok(text.to_vec())
}

/// A directory, stored as an absolute path, so that it stays the same one after the
/// process has moved there. `.` is kept: it is where the process is.
pub(super) fn directory(text: &[u8]) -> Result<Vec<u8>, String> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    if text == b"." || text == b"./" {
        return Ok(b".".to_vec());
    }
    let path = std::path::absolute(Path::new(std::ffi::OsStr::from_bytes(text)));
    let path = path.map_err(|error| error.to_string())?;
    Ok(path.into_os_string().into_vec())
}

pub(super) fn file_name(text: &[u8]) -> Result<Vec<u8>, String> {
    plain_name(text, "dbfilename can't be a path, just a filename")
}

pub(super) fn append_file_name(text: &[u8]) -> Result<Vec<u8>, String> {
    not_empty(text, "appendfilename can't be empty")?;
    plain_name(text, "appendfilename can't be a path, just a filename")
}

pub(super) fn append_dir_name(text: &[u8]) -> Result<Vec<u8>, String> {
    not_empty(text, "appenddirname can't be empty")?;
    plain_name(text, "appenddirname can't be a path, just a dirname")
}

fn not_empty(text: &[u8], otherwise: &str) -> Result<(), String> {
    if text.is_empty() {
        Err(otherwise.to_owned())
    } else {
        Ok(())
    }
}

fn plain_name(text: &[u8], otherwise: &str) -> Result<Vec<u8>, String> {
    if text.contains(&b'/') {
        Err(otherwise.to_owned())
    } else {
        any_text(text)
    }
}

/// Users that the file would define are not there: a server that ignored it would be open
/// to everyone, so a name is refused.
pub(super) fn no_acl_file(text: &[u8]) -> Result<Vec<u8>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Err("users cannot be defined; guard the server with requirepass".to_owned())
}

pub(super) fn host_name(text: &[u8]) -> Result<Vec<u8>, String> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if text.len() > HOST_NAME_MAX {
        return Err(format!(
            "Hostnames must be less than {} characters",
            HOST_NAME_MAX + 1
        ));
    }
    if !text.iter().all(allowed) {
        return Err("Hostnames may only contain alphanumeric characters, hyphens or dots".into());
    }
    any_text(text)
}

/// The template of a process title: not empty, and every `{name}` known.
pub(super) fn title_template(text: &[u8]) -> Result<Vec<u8>, String> {
    const BAD: &str = "template format is invalid or contains unknown variables";
    not_empty(text, BAD)?;
    let mut rest = text;
    while let Some(open) = rest.iter().position(|byte| *byte == b'{') {
        rest = &rest[open + 1..];
        let close = rest.iter().position(|byte| *byte == b'}').ok_or(BAD)?;
        let name = String::from_utf8_lossy(&rest[..close]);
        if !TITLE_VARIABLES.contains(&name.as_ref()) {
            return Err(BAD.to_owned());
        }
        rest = &rest[close + 1..];
    }
    any_text(text)
}

const WRONG_COUNT: &str = "wrong number of arguments";
const NO_MEMORY: &str = "argument must be a memory value";

const HOST_NAME_MAX: usize = 255;

const TITLE_VARIABLES: &[&str] = &[
    "title",
    "listen-addr",
    "server-mode",
    "port",
    "tls-port",
    "unixsocket",
    "config-file",
];

const UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("b", 1),
    ("k", 1000),
    ("kb", 1 << 10),
    ("m", 1_000_000),
    ("mb", 1 << 20),
    ("g", 1_000_000_000),
    ("gb", 1 << 30),
];
