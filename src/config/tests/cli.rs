//! The command line.

use std::ffi::OsString;

use super::file_syntax::Scratch;
use crate::config::cli::{Invocation, Options, UsageError, parse};
use crate::config::{Config, Id};

fn invoke(line: &[&str]) -> Result<Invocation, UsageError> {
    parse(line.iter().map(OsString::from))
}

fn options(line: &[&str]) -> Options {
    match invoke(line) {
        Ok(Invocation::Run(options)) => *options,
        other => panic!("{line:?}: {other:?}"),
    }
}

fn config(line: &[&str]) -> Config {
    config_with(line, "")
}

fn config_with(line: &[&str], stdin: &str) -> Config {
    match options(line).load(&mut stdin.as_bytes()) {
        Ok(loaded) => loaded.config,
        Err(error) => panic!("{error}"),
    }
}

fn usage_error(line: &[&str]) -> String {
    invoke(line).map(|_| ()).expect_err("a usage error").0
}

#[test]
fn directives_take_their_values() {
    let line = [
        "--save",
        "60",
        "1",
        "--port",
        "7000",
        "--bind",
        "127.0.0.1",
        "-::1",
        "--hz=20",
    ];
    let config = config(&line);
    assert_eq!(config.string(Id::SAVE), "60 1");
    assert_eq!(config.int(Id::PORT), 7000);
    assert_eq!(config.string(Id::BIND), "127.0.0.1 -::1");
    assert_eq!(config.int(Id::HZ), 20);
}

#[test]
fn values_may_be_empty_or_negative() {
    let line = [
        "--save",
        "",
        "--list-max-ziplist-size",
        "-3",
        "--requirepass=",
        "--BIND",
        "",
    ];
    let config = config(&line);
    assert_eq!(config.string(Id::SAVE), "");
    assert_eq!(config.int(Id::LIST_MAX_LISTPACK_SIZE), -3);
    assert_eq!(config.bind(), []);
}

#[test]
fn a_list_may_come_as_one_argument() {
    assert_eq!(config(&["--save", "60 1"]).string(Id::SAVE), "60 1");
    assert_eq!(
        config(&["--save=60 1", "--hz", "9"]).string(Id::SAVE),
        "60 1"
    );
    assert_eq!(
        config(&["--save", "60", "1", "--save", "5 5"]).string(Id::SAVE),
        "60 1 5 5"
    );
}

#[test]
fn process_options_stand_for_directives() {
    let config = config(&["--host", "127.0.0.2", "-p", "7001", "--workers", "3"]);
    assert_eq!(config.string(Id::BIND), "127.0.0.2");
    assert_eq!((config.int(Id::PORT), config.int(Id::WORKERS)), (7001, 3));
}

#[test]
fn the_file_overrules_defaults_and_the_line_overrules_the_file() {
    let dir = Scratch::new("cli");
    let path = dir.write("a.conf", "port 1\nhz 30\ntimeout 4\n");
    let path = path.to_str().expect("UTF-8");
    for line in [[path, "--port", "2"], ["--port", "2", path]] {
        let config = config(&line);
        assert_eq!((config.int(Id::PORT), config.int(Id::HZ)), (2, 30));
        assert_eq!(config.file().as_deref(), Some(path.as_ref()));
    }
    let config = config_with(&["-c", path, "-", "-w", "2"], "hz 40\n");
    assert_eq!((config.int(Id::HZ), config.int(Id::TIMEOUT)), (40, 4));
    assert_eq!(config_with(&["-"], "hz 50").int(Id::HZ), 50);
    assert_eq!(config_with(&["-"], "hz 50").file(), None);
}

#[test]
fn errors_of_use() {
    assert_eq!(usage_error(&["--nosuch"]), "Unrecognized option: 'nosuch'");
    assert_eq!(
        usage_error(&["--port"]),
        "--port: wrong number of arguments"
    );
    assert_eq!(
        usage_error(&["--port", "--hz", "1"]),
        "--port: wrong number of arguments"
    );
    assert_eq!(
        usage_error(&["a.conf", "b.conf"]),
        "unexpected argument 'b.conf'"
    );
    assert_eq!(
        usage_error(&["--maxclients", "abc"]),
        "--maxclients abc: argument couldn't be parsed into an integer"
    );
    assert_eq!(
        usage_error(&["-p", "70000"]),
        "--port 70000: argument must be between 0 and 65535 inclusive"
    );
    let text = UsageError("x".to_owned()).to_string();
    assert!(text.starts_with("flashkv: x\nUsage: flashkv ["), "{text}");
    assert!(
        text.ends_with("Try 'flashkv --help' for the options."),
        "{text}"
    );
}

#[test]
fn help_and_version() {
    for line in [["--help"], ["-h"]] {
        let Ok(Invocation::Help(text)) = invoke(&line) else {
            panic!("{line:?}")
        };
        for option in [
            "--config",
            "--host",
            "--port",
            "--workers",
            "--check-config",
            "--version",
        ] {
            assert!(text.contains(option), "{option} in {text}");
        }
        assert!(text.lines().all(|line| line.len() <= 90), "{text}");
    }
    let Ok(Invocation::Version(text)) = invoke(&["-v"]) else {
        panic!("no version")
    };
    let start = concat!(
        "FlashKV server v=",
        env!("CARGO_PKG_VERSION"),
        " redis_compat=7.2.4 "
    );
    assert!(text.starts_with(start) && !text.contains('\n'), "{text}");
}

#[test]
fn check_config_says_valid_or_what_is_wrong() {
    let dir = Scratch::new("check");
    let good = dir.write("good.conf", "hz 30\nio-threads 4\n");
    let bad = dir.write("bad.conf", "hz 30\nhz x\n");
    let check = |path: &std::path::Path| {
        let line = ["--check-config", path.to_str().expect("UTF-8")];
        let Ok(Invocation::CheckConfig(options)) = invoke(&line) else {
            panic!("{line:?}")
        };
        options
            .check(&mut std::io::empty())
            .map_err(|error| error.to_string())
    };
    let text = check(&good).expect("valid");
    let mut lines = text.lines();
    let first = format!("{}: configuration is valid", good.display());
    assert_eq!(lines.next(), Some(first.as_str()));
    assert!(
        lines
            .next()
            .is_some_and(|line| line.starts_with("warning: 'io-threads'"))
    );
    let error = check(&bad).expect_err("invalid");
    assert!(error.contains("bad.conf, at line 2\n>>> 'hz x'"), "{error}");
}
