//! Formats, filtering, rotation and failure of a `Logger` of the test's own:
//! the process-wide one is shared by all tests and stays out of it.

use super::*;

/// A path of this test's own, removed when dropped.
struct LogPath(PathBuf);

impl LogPath {
    fn new(name: &str) -> LogPath {
        let path = std::env::temp_dir().join(format!("flashkv-{}-{name}.log", std::process::id()));
        let _ = std::fs::remove_file(&path);
        LogPath(path)
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.0).expect("the log file")
    }
}

impl Drop for LogPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn logger(target: &Target) -> Logger {
    let logger = Logger::new();
    *logger.sink.lock() = Sink::open(target).expect("the target");
    logger
}

fn say(logger: &Logger, level: Level, target: &str, message: &str) {
    let mut record = Record::builder();
    logger.log(
        &record
            .level(level)
            .target(target)
            .args(format_args!("{message}"))
            .build(),
    );
}

fn journal_text(level: Level, message: &str) -> String {
    let mut record = Record::builder();
    record.level(level);
    let line = |record: &Record<'_>| journal_line(record, &message_text(record));
    String::from_utf8(line(&record.args(format_args!("{message}")).build())).expect("text")
}

#[test]
fn a_line_in_a_file_reads_as_redis_writes_it() {
    let path = LogPath::new("format");
    let logger = logger(&Target::File(path.0.clone()));
    logger.role.store(Role::Master as u8, Ordering::Relaxed);
    say(
        &logger,
        Level::Info,
        "flashkv",
        "Ready to accept connections tcp",
    );
    let text = path.text();
    let words: Vec<&str> = text.trim_end().splitn(6, ' ').collect();
    assert_eq!(words[0], format!("{}:M", std::process::id()));
    assert!(
        words[1].len() == 2 && words[2].len() == 3 && words[3].len() == 4,
        "{text}"
    );
    assert_eq!(words[4].len(), "21:18:00.123".len(), "{text}");
    assert_eq!(words[5], "* Ready to accept connections tcp");
    assert!(text.ends_with('\n'));
}

#[test]
fn every_level_has_its_mark_and_priority() {
    let all = [
        Level::Error,
        Level::Warn,
        Level::Info,
        Level::Debug,
        Level::Trace,
    ];
    assert_eq!(all.map(mark), ['#', '#', '*', '-', '.']);
    let lines = all.map(|level| journal_text(level, "hello"));
    assert_eq!(
        lines,
        [
            "<3>hello\n",
            "<4>hello\n",
            "<5>hello\n",
            "<6>hello\n",
            "<7>hello\n"
        ]
    );
}

#[test]
fn a_message_cannot_forge_a_line() {
    assert_eq!(
        journal_text(Level::Info, "a\n<3>b\x1b[1m\r"),
        "<5>a\\n<3>b\\u{1b}[1m\\r\n"
    );
    assert_eq!(journal_text(Level::Info, "sch\u{f6}n"), "<5>sch\u{f6}n\n");
    let long = journal_text(Level::Info, &"\u{f6}".repeat(MESSAGE_MAX));
    assert!(long.len() <= MESSAGE_MAX + 4 && long.ends_with('\n'));
}

#[test]
fn the_level_filters_and_dependencies_are_held_down() {
    let logger = Logger::new();
    let passes = |level: Level, target: &str| {
        logger.enabled(&Metadata::builder().level(level).target(target).build())
    };
    assert!(passes(Level::Info, "flashkv::boot") && !passes(Level::Debug, "flashkv::boot"));
    logger
        .level
        .store(LogLevel::Debug as usize, Ordering::Relaxed);
    assert!(passes(Level::Trace, "flashkv::boot") && !passes(Level::Trace, "mio::poll"));
    assert!(passes(Level::Warn, "mio::poll"));
    logger
        .level
        .store(LogLevel::Nothing as usize, Ordering::Relaxed);
    assert!(!passes(Level::Error, "flashkv::boot") && !passes(Level::Error, "mio::poll"));
}

#[test]
fn level_names_are_those_of_redis() {
    for (name, level) in LogLevel::NAMES {
        assert_eq!(name.to_uppercase().parse(), Ok(level));
        assert_eq!(level.name(), name);
    }
    assert_eq!("loud".parse::<LogLevel>(), Err(()));
}

#[test]
fn a_moved_file_is_reopened_and_a_vanished_directory_keeps_the_old() {
    let (path, moved) = (LogPath::new("rotate"), LogPath::new("rotated"));
    let logger = logger(&Target::File(path.0.clone()));
    say(&logger, Level::Info, "flashkv", "first");
    std::fs::rename(&path.0, &moved.0).expect("rename");
    say(&logger, Level::Info, "flashkv", "second");
    logger.reopen().expect("reopen");
    say(&logger, Level::Info, "flashkv", "third");
    assert!(moved.text().contains("first") && moved.text().contains("second"));
    assert!(path.text().contains("third") && !path.text().contains("second"));

    if let Sink::File { path, .. } = &mut *logger.sink.lock() {
        *path = PathBuf::from("/nonexistent/flashkv.log");
    }
    assert!(logger.reopen().is_err());
    say(&logger, Level::Info, "flashkv", "fourth");
    assert!(path.text().contains("fourth"));
    assert_eq!(logger.dropped.load(Ordering::Relaxed), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_costs_lines_and_nothing_else() {
    let logger = logger(&Target::File(PathBuf::from("/dev/full")));
    for _ in 0..3 {
        say(&logger, Level::Warn, "flashkv", "no space left");
    }
    assert_eq!(logger.dropped.load(Ordering::Relaxed), 3);
}

#[test]
fn an_argument_that_logs_does_not_wait_for_itself() {
    struct Chatty<'a>(&'a Logger);
    impl std::fmt::Display for Chatty<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            say(self.0, Level::Info, "flashkv", "inner");
            f.write_str("outer")
        }
    }
    let path = LogPath::new("chatty");
    let logger = logger(&Target::File(path.0.clone()));
    let mut record = Record::builder();
    record.level(Level::Info).target("flashkv");
    logger.log(&record.args(format_args!("{}", Chatty(&logger))).build());
    let ends: Vec<String> = path
        .text()
        .lines()
        .filter_map(|line| line.rsplit(' ').next().map(str::to_owned))
        .collect();
    assert_eq!(ends, ["inner", "outer"]);
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error() {
    assert!(Sink::open(&Target::File("/nonexistent/flashkv.log".into())).is_err());
    assert_eq!(Target::from_config("x.log"), Target::File("x.log".into()));
    say(&logger(&Target::Discard), Level::Info, "flashkv", "unheard");
}

#[test]
fn lines_of_several_threads_do_not_mix() {
    let path = LogPath::new("threads");
    let logger = logger(&Target::File(path.0.clone()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..200).for_each(|_| say(&logger, Level::Info, "flashkv", "one line")));
        }
    });
    let text = path.text();
    assert_eq!(text.lines().count(), 800);
    assert!(text.lines().all(|line| line.ends_with(" * one line")));
}
