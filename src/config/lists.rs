//! The directives that take several arguments: their grammar, their stored form and
//! the typed view of it.
//!
//! The stored form is one line of single-spaced words, the very line CONFIG GET
//! shows. A rule takes new arguments and the present line and returns the new line;
//! most ignore the present one. Typed views parse the line again; whoever reads one
//! often keeps the view and renews it when [`Config::generation`] moves.
//!
//! [`Config::generation`]: super::Config::generation

use super::value;

/// One address of `bind`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindAddress {
    /// An address, a host name, `*` (all of IPv4) or `::*` (all of IPv6).
    pub host: String,
    /// Set when it may be missing on this machine (a leading `-`).
    pub optional: bool,
}

/// The limits of one class of clients on replies that wait; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Bytes past which the client is closed at once.
    pub hard: u64,
    /// Bytes past which it is closed after `soft_seconds`.
    pub soft: u64,
    pub soft_seconds: u64,
}

/// `client-output-buffer-limit`, class by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimits {
    pub normal: OutputLimit,
    pub replica: OutputLimit,
    pub pubsub: OutputLimit,
}

/// One save point: save when `changes` were made within `seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    pub seconds: u64,
    pub changes: u64,
}

pub(super) fn bind(args: &[Vec<u8>], _present: &[u8]) -> Result<Vec<u8>, String> {
    if args.len() > BIND_MAX {
        return Err("Too many bind addresses specified.".to_owned());
    }
    let args = if is_blank(args) { &[] } else { args };
    if args.iter().any(|arg| arg.is_empty() || arg.contains(&b' ')) {
        return Err("Failed to bind to specified addresses.".to_owned());
    }
    Ok(args.join(&b' '))
}

/// The typed view of `bind`.
pub fn bind_view(line: &[u8]) -> Vec<BindAddress> {
    let address = |word: &str| BindAddress {
        host: word.strip_prefix('-').unwrap_or(word).to_owned(),
        optional: word.starts_with('-'),
    };
    words(line).iter().map(|word| address(word)).collect()
}

/// `save ""` clears; anything else is pairs that are added to what is there.
pub(super) fn save(args: &[Vec<u8>], present: &[u8]) -> Result<Vec<u8>, String> {
    if is_blank(args) {
        return Ok(Vec::new());
    }
    let numbers: Vec<_> = args.iter().map(|arg| loose_integer(arg)).collect();
    let mut line = present.to_vec();
    for pair in numbers.chunks(2) {
        let [Some(seconds @ 1..), Some(changes @ 0..)] = pair else {
            return Err("Invalid save parameters".to_owned());
        };
        let space = if line.is_empty() { "" } else { " " };
        line.extend_from_slice(format!("{space}{seconds} {changes}").as_bytes());
    }
    Ok(line)
}

/// The typed view of `save`.
pub fn save_view(line: &[u8]) -> Vec<SavePoint> {
    let numbers = numbers(line);
    let point = |pair: &[u64]| SavePoint {
        seconds: pair[0],
        changes: pair[1],
    };
    numbers.chunks_exact(2).map(point).collect()
}

/// CLASS HARD SOFT SECONDS, once or more; other classes keep what they have.
pub(super) fn output_limits(args: &[Vec<u8>], present: &[u8]) -> Result<Vec<u8>, String> {
    let mut limits = output_view(present);
    if is_blank(args) {
        return Ok(output_line(&limits));
    }
    if !args.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".to_owned());
    }
    for group in args.chunks(4) {
        let class = class_mut(&mut limits, &group[0])
            .ok_or("Invalid client class specified in buffer limit configuration.")?;
        *class = limit(&group[1..])
            .ok_or("Error in hard, soft or soft_seconds setting in buffer limit configuration.")?;
    }
    Ok(output_line(&limits))
}

fn class_mut<'a>(limits: &'a mut OutputLimits, class: &[u8]) -> Option<&'a mut OutputLimit> {
    match class.to_ascii_lowercase().as_slice() {
        b"normal" => Some(&mut limits.normal),
        b"slave" | b"replica" => Some(&mut limits.replica),
        b"pubsub" => Some(&mut limits.pubsub),
        _ => None,
    }
}

fn limit(args: &[Vec<u8>]) -> Option<OutputLimit> {
    let seconds = value::integer(&args[2]).ok()?;
    Some(OutputLimit {
        hard: value::bytes(&args[0])?,
        soft: value::bytes(&args[1])?,
        soft_seconds: u64::try_from(seconds).ok()?,
    })
}

fn output_line(limits: &OutputLimits) -> Vec<u8> {
    let group = |name: &str, limit: OutputLimit| {
        format!(
            "{name} {} {} {}",
            limit.hard, limit.soft, limit.soft_seconds
        )
    };
    let groups = [
        group("normal", limits.normal),
        group("slave", limits.replica),
        group("pubsub", limits.pubsub),
    ];
    groups.join(" ").into_bytes()
}

/// The typed view of `client-output-buffer-limit`.
pub fn output_view(line: &[u8]) -> OutputLimits {
    let mut limits = OutputLimits::default();
    let words = value::split_at_spaces(line);
    for group in words.chunks_exact(4) {
        if let Some(class) = class_mut(&mut limits, &group[0]) {
            *class = limit(&group[1..]).unwrap_or_default();
        }
    }
    limits
}

pub(super) fn percentiles(args: &[Vec<u8>], _present: &[u8]) -> Result<Vec<u8>, String> {
    let args = if is_blank(args) { &[] } else { args };
    let mut words = Vec::with_capacity(args.len());
    for arg in args {
        let number = decimal(arg).ok_or("Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&number) {
            return Err(
                "latency-tracking-info-percentiles parameters should sit between \
                        [0.0,100.0]"
                    .to_owned(),
            );
        }
        words.push(number.to_string());
    }
    Ok(words.join(" ").into_bytes())
}

fn decimal(arg: &[u8]) -> Option<f64> {
    std::str::from_utf8(arg).ok()?.parse().ok()
}

/// The typed view of `latency-tracking-info-percentiles`.
pub fn percentiles_view(line: &[u8]) -> Vec<f64> {
    words(line)
        .iter()
        .filter_map(|word| word.parse().ok())
        .collect()
}

pub(super) fn oom_values(args: &[Vec<u8>], _present: &[u8]) -> Result<Vec<u8>, String> {
    if args.len() != 3 {
        return Err("wrong number of arguments".to_owned());
    }
    let allowed = |arg: &Vec<u8>| matches!(loose_integer(arg), Some(-2000..=2000));
    if !args.iter().all(allowed) {
        return Err(
            "Invalid oom-score-adj-values, elements must be between -2000 and 2000.".into(),
        );
    }
    Ok(args.join(&b' '))
}

/// `default`, or any of the other words; the line keeps them in the order of the list.
pub(super) fn shutdown(args: &[Vec<u8>], _present: &[u8]) -> Result<Vec<u8>, String> {
    let mut given = [false; SHUTDOWN_WORDS.len()];
    for arg in args {
        let known = |word: &&str| word.as_bytes().eq_ignore_ascii_case(arg);
        let at = SHUTDOWN_WORDS.iter().position(known);
        given[at.ok_or_else(|| value::one_of(&SHUTDOWN_WORDS))?] = true;
    }
    if given[1] && given[2] {
        return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".to_owned());
    }
    given[0] = !given[1..].contains(&true);
    let words = SHUTDOWN_WORDS.iter().zip(given).filter(|(_, given)| *given);
    Ok(words
        .map(|(word, _)| *word)
        .collect::<Vec<_>>()
        .join(" ")
        .into_bytes())
}

/// HOST PORT, or `no one` for none.
pub(super) fn replicaof(args: &[Vec<u8>], _present: &[u8]) -> Result<Vec<u8>, String> {
    let [host, port] = args else {
        let none = is_blank(args);
        return if none {
            Ok(Vec::new())
        } else {
            Err("wrong number of arguments".to_owned())
        };
    };
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        return Ok(Vec::new());
    }
    if host.is_empty() || host.contains(&b' ') {
        return Err("Invalid master host".to_owned());
    }
    match value::integer(port) {
        Ok(0..=65535) => Ok(args.join(&b' ')),
        _ => Err("Invalid master port".to_owned()),
    }
}

/// The classes of `notify-keyspace-events` in the order Redis shows them; `A` stands
/// for the first ten.
pub(super) fn notify_events(text: &[u8]) -> Result<Vec<u8>, String> {
    let known = |byte: &u8| EVENT_ORDER.contains(byte) || *byte == b'A';
    if !text.iter().all(known) {
        return Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".to_owned());
    }
    let (in_all, others) = EVENT_ORDER.split_at(EVENTS_IN_ALL);
    let given = |byte: &&u8| text.contains(byte);
    let mut line: Vec<u8> = in_all.iter().filter(given).copied().collect();
    if text.contains(&b'A') || line.len() == in_all.len() {
        line = b"A".to_vec();
    }
    line.extend(others.iter().filter(given));
    Ok(line)
}

/// The stored line of a list as the arguments of lines of a file, `line_words` words
/// each. Never empty: a list without words is written as `""`.
pub(super) fn groups(line_words: usize, line: &[u8]) -> Vec<Vec<u8>> {
    if line.is_empty() {
        return vec![b"\"\"".to_vec()];
    }
    let words = value::split_at_spaces(line);
    words
        .chunks(line_words)
        .map(|group| group.join(&b' '))
        .collect()
}

/// An integer that may have leading zeros, as C's strtol reads it.
fn loose_integer(arg: &[u8]) -> Option<i64> {
    std::str::from_utf8(arg).ok()?.parse().ok()
}

fn is_blank(args: &[Vec<u8>]) -> bool {
    args.is_empty() || (args.len() == 1 && args[0].is_empty())
}

fn words(line: &[u8]) -> Vec<String> {
    let words = line
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

fn numbers(line: &[u8]) -> Vec<u64> {
    words(line)
        .iter()
        .filter_map(|word| word.parse().ok())
        .collect()
}

/// Addresses one server listens on, as in Redis.
const BIND_MAX: usize = 16;

const SHUTDOWN_WORDS: [&str; 5] = ["default", "save", "nosave", "now", "force"];

const EVENT_ORDER: &[u8] = b"g$lshzxetdKEmn";
const EVENTS_IN_ALL: usize = 10;
