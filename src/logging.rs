//! The log: who hears what, in which format, and what happens when nobody can.
//!
//! Records come through the `log` crate. `simple_logger` decides which of them
//! pass (per module, so that a chatty dependency can be held down) and prints
//! them when stdout is a terminal and a person is watching. The other three
//! places have formats and failures that it has no notion of:
//!
//! | place | when | a line |
//! |---|---|---|
//! | terminal | no `logfile`, stdout is a terminal | `INFO  [flashkv::boot] 22 Nov 2026 21:18:00.123 message` |
//! | stdout | no `logfile`, stdout is a pipe or a file | `421:M 22 Nov 2026 21:18:00.123 * message`, as Redis |
//! | file | `logfile` is set | the same; reopened on SIGHUP |
//! | journal | no `logfile`, stderr is the journal's socket | `<5>message`: systemd adds the time and reads the priority |
//!
//! Redis's levels are log's by another name:
//!
//! | loglevel | log | mark | journal |
//! |---|---|---|---|
//! | debug | Trace | `.` | 7 |
//! | verbose | Debug | `-` | 6 |
//! | notice | Info | `*` | 5 |
//! | warning | Warn, Error | `#` | 4, 3 |
//! | nothing | Off | | |
//!
//! What must stay true:
//! - Logging never panics, never fails and never retries. A line that cannot
//!   be written (disk full, reader gone) is counted and dropped.
//! - One record is one line and one `write`, so that lines of several threads
//!   and processes do not mix. Control characters are escaped: a client's name
//!   cannot forge a line.
//! - A new log file is opened before the old one is let go.

use crate::base::sys;
use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::Mutex;
use simple_logger::SimpleLogger;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Dependencies that log, and the most that is let through from them.
const QUIET_MODULES: [(&str, LevelFilter); 2] =
    [("mio", LevelFilter::Warn), ("rustls", LevelFilter::Warn)];

/// A message is cut at this many bytes before control characters are escaped
/// (Redis cuts at 1024).
const MESSAGE_MAX: usize = 4096;

static LOGGER: OnceLock<Logger> = OnceLock::new();

// ------------------------------------------------------------------ the surface

/// `loglevel`, by Redis's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// Rarely useful detail.
    Verbose,
    /// What an operator wants to know.
    Notice,
    /// Only what needs attention.
    Warning,
    /// No line at all.
    Nothing,
}

impl LogLevel {
    /// The levels with their names in redis.conf, most talkative first.
    pub const NAMES: [(&'static str, LogLevel); 5] = [
        ("debug", LogLevel::Debug),
        ("verbose", LogLevel::Verbose),
        ("notice", LogLevel::Notice),
        ("warning", LogLevel::Warning),
        ("nothing", LogLevel::Nothing),
    ];

    /// The name in redis.conf.
    pub fn name(self) -> &'static str {
        LogLevel::NAMES[self as usize].0
    }

    fn filter(self) -> LevelFilter {
        match self {
            LogLevel::Debug => LevelFilter::Trace,
            LogLevel::Verbose => LevelFilter::Debug,
            LogLevel::Notice => LevelFilter::Info,
            LogLevel::Warning => LevelFilter::Warn,
            LogLevel::Nothing => LevelFilter::Off,
        }
    }
}

impl FromStr for LogLevel {
    type Err = ();

    /// By name, in either case.
    fn from_str(text: &str) -> Result<LogLevel, ()> {
        let found = LogLevel::NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        found.map(|&(_, level)| level).ok_or(())
    }
}

/// The letter after the process id in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// Starting: not yet anything.
    Starting = b'C',
    /// A master.
    Master = b'M',
    /// A replica.
    Replica = b'S',
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Stdout, for a person.
    Terminal,
    /// Stdout, for a program.
    Stdout,
    /// A file, appended to.
    File(PathBuf),
    /// Stderr, which systemd has connected to the journal.
    Journal,
    /// Nowhere: a daemon without `logfile`.
    Discard,
}

impl Target {
    /// What `logfile` means for this process; empty is its default.
    pub fn from_config(logfile: &str) -> Target {
        if !logfile.is_empty() {
            Target::File(PathBuf::from(logfile))
        } else if sys::stderr_is_journal() {
            Target::Journal
        } else if io::stdout().is_terminal() {
            Target::Terminal
        } else {
            Target::Stdout
        }
    }
}

/// Start logging. A second call changes level and target of the first. Errors:
/// the log file cannot be opened, or another logger was installed.
pub fn init(level: LogLevel, target: &Target) -> io::Result<()> {
    let sink = Sink::open(target)?;
    let logger = LOGGER.get_or_init(Logger::new);
    *logger.sink.lock() = sink;
    set_level(level);
    install(logger)
}

fn install(logger: &'static Logger) -> io::Result<()> {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    let installed = *INSTALLED.get_or_init(|| log::set_logger(logger).is_ok());
    let other = || io::Error::new(io::ErrorKind::AlreadyExists, "another logger is installed");
    if installed { Ok(()) } else { Err(other()) }
}

/// Change `loglevel`; takes effect with the next record.
pub fn set_level(level: LogLevel) {
    if let Some(logger) = LOGGER.get() {
        logger.level.store(level as usize, Ordering::Relaxed);
        log::set_max_level(level.filter());
    }
}

/// Change the letter of the lines.
pub fn set_role(role: Role) {
    if let Some(logger) = LOGGER.get() {
        logger.role.store(role as u8, Ordering::Relaxed);
    }
}

/// Change `logfile`. On error the old target stays.
pub fn set_target(target: &Target) -> io::Result<()> {
    let sink = Sink::open(target)?;
    if let Some(logger) = LOGGER.get() {
        *logger.sink.lock() = sink;
    }
    Ok(())
}

/// Open the log file anew, after it was moved away (SIGHUP, logrotate). On
/// error the old file stays in use. Nothing to do for the other targets.
pub fn reopen() -> io::Result<()> {
    LOGGER.get().map_or(Ok(()), Logger::reopen)
}

/// Lines lost since the start because they could not be written.
pub fn dropped_lines() -> u64 {
    LOGGER
        .get()
        .map_or(0, |logger| logger.dropped.load(Ordering::Relaxed))
}

// ------------------------------------------------------------------- the logger

/// The one `log::Log`. The level's place in `LogLevel::NAMES` chooses among
/// filters made beforehand, so changing it takes no lock.
struct Logger {
    filters: [SimpleLogger; 5],
    level: AtomicUsize,
    role: AtomicU8,
    sink: Mutex<Sink>,
    dropped: AtomicU64,
}

impl Logger {
    fn new() -> Logger {
        Logger {
            filters: LogLevel::NAMES.map(|(_, level)| filter_for(level.filter())),
            level: AtomicUsize::new(LogLevel::Notice as usize),
            role: AtomicU8::new(Role::Starting as u8),
            sink: Mutex::new(Sink::Discard),
            dropped: AtomicU64::new(0),
        }
    }

    fn filter(&self) -> &SimpleLogger {
        // `level` only ever holds the number of a LogLevel.
        &self.filters[self.level.load(Ordering::Relaxed)]
    }

    fn role(&self) -> char {
        char::from(self.role.load(Ordering::Relaxed))
    }

    fn write(&self, record: &Record<'_>) -> io::Result<()> {
        // Made before the lock is taken: an argument's Display may log too.
        let message = message_text(record);
        let mut sink = self.sink.lock();
        match &mut *sink {
            Sink::Terminal => print_for_a_person(self.filter(), record, &message),
            Sink::Stdout => io::stdout()
                .lock()
                .write_all(&self.redis_line(record, &message)),
            Sink::File { file, .. } => file.write_all(&self.redis_line(record, &message)),
            Sink::Journal => io::stderr()
                .lock()
                .write_all(&journal_line(record, &message)),
            Sink::Discard => Ok(()),
        }
    }

    fn redis_line(&self, record: &Record<'_>, message: &str) -> Vec<u8> {
        let (pid, role) = (std::process::id(), self.role());
        let (now, mark) = (Timestamp::now(), mark(record.level()));
        format!("{pid}:{role} {now} {mark} {message}\n").into_bytes()
    }

    fn reopen(&self) -> io::Result<()> {
        let mut sink = self.sink.lock();
        if let Sink::File { file, path } = &mut *sink {
            *file = open_for_append(path)?;
        }
        Ok(())
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter().enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) && self.write(record).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Nothing is kept back.
    fn flush(&self) {}
}

fn filter_for(level: LevelFilter) -> SimpleLogger {
    let filter = SimpleLogger::new().with_level(level);
    QUIET_MODULES
        .iter()
        .fold(filter, |filter, &(module, most)| {
            filter.with_module_level(module, most.min(level))
        })
}

enum Sink {
    Terminal,
    Stdout,
    File { file: File, path: PathBuf },
    Journal,
    Discard,
}

impl Sink {
    fn open(target: &Target) -> io::Result<Sink> {
        Ok(match target {
            Target::Terminal => Sink::Terminal,
            Target::Stdout => Sink::Stdout,
            Target::Journal => Sink::Journal,
            Target::Discard => Sink::Discard,
            Target::File(path) => {
                // `dir` may change the working directory before a reopen.
                let path = std::path::absolute(path)?;
                Sink::File {
                    file: open_for_append(&path)?,
                    path,
                }
            }
        })
    }
}

fn open_for_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Through simple_logger, which prints with `println!` and so panics when the
/// terminal has gone away. That is asked first, and caught if it happens
/// between the question and the line.
fn print_for_a_person(
    printer: &SimpleLogger,
    record: &Record<'_>,
    message: &str,
) -> io::Result<()> {
    if !io::stdout().is_terminal() {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    let print = || {
        let mut copy = Record::builder();
        copy.level(record.level()).target(record.target());
        printer.log(
            &copy
                .args(format_args!("{} {message}", Timestamp::now()))
                .build(),
        );
    };
    catch_unwind(AssertUnwindSafe(print)).map_err(|_| io::ErrorKind::BrokenPipe.into())
}

// -------------------------------------------------------------------- the lines

fn mark(level: Level) -> char {
    match level {
        Level::Error | Level::Warn => '#',
        Level::Info => '*',
        Level::Debug => '-',
        Level::Trace => '.',
    }
}

/// syslog(3)'s priorities: err, warning, notice, info, debug.
fn journal_line(record: &Record<'_>, message: &str) -> Vec<u8> {
    let priority = match record.level() {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 5,
        Level::Debug => 6,
        Level::Trace => 7,
    };
    format!("<{priority}>{message}\n").into_bytes()
}

/// The record's message: on one line and at most `MESSAGE_MAX` bytes.
fn message_text(record: &Record<'_>) -> String {
    let mut text = record.args().to_string();
    text.truncate(text.floor_char_boundary(MESSAGE_MAX));
    if text.contains(char::is_control) {
        escape_controls(&text)
    } else {
        text
    }
}

fn escape_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default())
        } else {
            out.push(c)
        }
    }
    out
}

/// The time of a line, to the millisecond: `22 Nov 2026 21:18:00.123`, local.
struct Timestamp {
    at: Duration,
}

impl Timestamp {
    fn now() -> Timestamp {
        Timestamp {
            at: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        }
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let t = sys::local_time(i64::try_from(self.at.as_secs()).unwrap_or(i64::MAX));
        let month = MONTHS[usize::from(t.month - 1) % MONTHS.len()];
        let (day, year, millis) = (t.day, t.year, self.at.subsec_millis());
        write!(f, "{day:02} {month} {year} ")?;
        write!(
            f,
            "{:02}:{:02}:{:02}.{millis:03}",
            t.hour, t.minute, t.second
        )
    }
}

#[cfg(test)]
mod tests;
