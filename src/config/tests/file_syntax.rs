//! The syntax of the file: splitting, quoting, includes, errors.

use std::path::PathBuf;

use proptest::prelude::*;

use crate::base::split::quoted;
use crate::config::file::{Loader, split_args};
use crate::config::{Config, Id};

/// A directory that is removed at the end of the test.
pub(super) struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let dir = std::env::temp_dir().join(format!("flashkv-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("temporary directory");
        Scratch(dir)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("writable");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn load(text: &str) -> Result<Config, String> {
    let mut loader = Loader::new();
    loader.lines("t.conf", text.as_bytes());
    loader
        .finish()
        .map(|(config, _)| config)
        .map_err(|error| error.to_string())
}

fn save_of(text: &str) -> String {
    String::from_utf8(load(text).expect("valid").printed(Id::SAVE)).expect("ASCII")
}

#[test]
fn lines_are_split_as_redis_splits_them() {
    let cases: &[(&str, Option<&[&str]>)] = &[
        ("", Some(&[])),
        ("  a  b\tc ", Some(&["a", "b", "c"])),
        (r#"a "b c" 'd e'"#, Some(&["a", "b c", "d e"])),
        (r#"a "" ''"#, Some(&["a", "", ""])),
        (r#"a "\x41\n\t\\\"\q""#, Some(&["a", "A\n\t\\\"q"])),
        (r#"a "\xzz""#, Some(&["a", "xzz"])),
        (r"a 'it\'s \n'", Some(&["a", r"it's \n"])),
        (r#"a b"c d""#, Some(&["a", "bc d"])),
        (r#"a "b"#, None),
        (r#"a "b\"#, None),
        (r#"a "b"c"#, None),
        (r"a 'b'c", None),
        ("a b\0c", Some(&["a", "b"])),
    ];
    for (line, expected) in cases {
        let args = split_args(line.as_bytes());
        let expected = expected.map(|args| {
            args.iter()
                .map(|arg| arg.as_bytes().to_vec())
                .collect::<Vec<_>>()
        });
        assert_eq!(args, expected, "{line:?}");
    }
}

#[test]
fn comments_case_and_the_last_line() {
    let config = load("# x\n\n  MaxClients 5\r\nmaxclients 7\nrequirepass \"a b\"").expect("valid");
    assert_eq!(config.int(Id::MAXCLIENTS), 7);
    assert_eq!(config.string(Id::REQUIREPASS), "a b");
}

#[test]
fn save_lines_replace_the_defaults_and_add_up() {
    assert_eq!(save_of(""), "3600 1 300 100 60 10000");
    assert_eq!(save_of("save 60 1"), "60 1");
    assert_eq!(save_of("save 60 1\nsave 5 5 6 6"), "60 1 5 5 6 6");
    assert_eq!(save_of("save 60 1\nsave \"\"\nsave 5 5"), "5 5");
    assert_eq!(save_of("save \"\""), "");
    assert_eq!(save_of("save \"60 1 5 5\"\nsave 7 7"), "60 1 5 5 7 7");
}

#[test]
fn output_limits_keep_what_is_not_named() {
    let config = load("client-output-buffer-limit replica 1mb 1kb 5").expect("valid");
    let text = config.string(Id::CLIENT_OUTPUT_BUFFER_LIMIT);
    assert_eq!(
        text,
        "normal 0 0 0 slave 1048576 1024 5 pubsub 33554432 8388608 60"
    );
}

#[test]
fn errors_name_file_line_text_and_reason() {
    let error = load("port 1\n  maxclients abc \nfoo 1\nport 1 2\nlogfile \"x")
        .err()
        .expect("errors");
    let head = concat!(
        "*** FATAL CONFIG FILE ERROR (FlashKV ",
        env!("CARGO_PKG_VERSION"),
        ") ***"
    );
    let expected = [
        head,
        "In t.conf, at line 2",
        ">>> 'maxclients abc'",
        "argument couldn't be parsed into an integer",
        "In t.conf, at line 3",
        ">>> 'foo 1'",
        "Bad directive or wrong number of arguments",
        "In t.conf, at line 4",
        ">>> 'port 1 2'",
        "wrong number of arguments",
        "In t.conf, at line 5",
        ">>> 'logfile \"x'",
        "Unbalanced quotes in configuration line",
    ];
    assert_eq!(error, expected.join("\n"));
}

#[test]
fn errors_have_a_bound() {
    let error = load(&"foo\n".repeat(1000)).err().expect("errors");
    assert_eq!(error.lines().count(), 1 + 20 * 3);
}

#[test]
fn inert_directives_are_kept_and_warned_about() {
    let mut loader = Loader::new();
    loader.lines("t.conf", b"io-threads 4\nappendonly no\nport 7");
    let (config, warnings) = loader.finish().expect("valid");
    assert_eq!(config.int(Id::IO_THREADS), 4);
    assert_eq!(
        warnings,
        ["'io-threads' has no effect in this version: use workers and dispatch"]
    );
}

#[test]
fn includes_take_wildcards_and_stand_in_place() {
    let dir = Scratch::new("include");
    dir.write("b-2.inc", "port 2\n");
    dir.write("b-1.inc", "port 1\nmaxclients 9\n");
    dir.write("c.other", "port 3\n");
    dir.write("main.conf", "port 5\ninclude b-?.inc\ninclude none-*.inc\n");
    let mut loader = Loader::at(&dir.0);
    loader.file(&dir.0.join("main.conf"));
    let (config, _) = loader.finish().expect("valid");
    assert_eq!((config.int(Id::PORT), config.int(Id::MAXCLIENTS)), (2, 9));
}

#[test]
fn an_include_that_is_missing_or_circular_is_an_error() {
    let dir = Scratch::new("circular");
    let cases = [
        ("include nowhere.inc\n", "No such file or directory"),
        ("include main.conf\n", "include goes deeper than 16 files"),
        (
            "include *.conf\ninclude *.conf\n",
            "include goes deeper than 16 files",
        ),
    ];
    for (text, reason) in cases {
        let main = dir.write("main.conf", text);
        let mut loader = Loader::at(&dir.0);
        loader.file(&main);
        let error = loader.finish().err().expect("an error").to_string();
        assert!(error.contains(reason), "{error}");
        assert!(error.contains("main.conf, at line 1"), "{error}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let mut loader = Loader::new();
    loader.file(std::path::Path::new("/nonexistent/x.conf"));
    let error = loader.finish().err().expect("an error").to_string();
    let place = "In /nonexistent/x.conf\n";
    let reason = "can't open config file '/nonexistent/x.conf': No such file or directory";
    assert!(error.ends_with(&format!("{place}{reason}")), "{error}");
}

proptest! {
    #[test]
    fn quoting_is_undone_by_splitting(words in proptest::collection::vec(
        proptest::collection::vec(any::<u8>(), 0..12), 0..5,
    )) {
        let line = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(&b' ');
        prop_assert!(!line.contains(&b'\n'));
        prop_assert_eq!(split_args(&line), Some(words));
    }

    #[test]
    fn any_line_is_split_or_refused(line in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = split_args(&line);
    }
}
