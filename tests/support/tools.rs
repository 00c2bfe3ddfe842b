//! Programs of the machine that some tests need. Where one is missing its test
//! says so and passes, except in CI, where it fails: there everything is
//! installed, and a silent skip would hide a hole.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use super::poll::poll_until;

/// The path of a program found through `PATH`.
pub fn find_tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .map(|dir| dir.join(name))
        .find(|candidate| candidate.is_file())
}

/// The path of a program; without it, the skip is reported and is a failure in
/// CI.
#[track_caller]
pub fn require_tool(name: &str) -> Option<PathBuf> {
    let found = find_tool(name);
    if found.is_none() {
        skip_or_fail(&format!("{name} not installed"));
    }
    found
}

/// Reports that a test cannot run here; in CI that is a failure.
#[track_caller]
pub fn skip_or_fail(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "skipped in CI: {reason}");
    println!("skipped: {reason}");
}

/// Runs a program with `input` on its standard input and gathers what it
/// prints; ends it when `limit` has passed.
///
/// # Panics
/// When it cannot be started or does not end in time.
#[track_caller]
pub fn run_bounded(command: &mut Command, input: &[u8], limit: Duration) -> Output {
    let shown = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("start {shown}: {error}"));
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let input = input.to_vec();
    // A program that ends before it has read everything is no error of ours.
    let feeder = thread::spawn(move || stdin.write_all(&input).is_ok());
    let stdout = gather(child.stdout.take().expect("stdout is piped"));
    let stderr = gather(child.stderr.take().expect("stderr is piped"));
    let status = poll_until(limit, || child.try_wait().ok().flatten());
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let _ = feeder.join();
    let stdout = stdout.join().expect("the reader of stdout does not panic");
    let stderr = stderr.join().expect("the reader of stderr does not panic");
    let Some(status) = status else {
        panic!(
            "not done within {limit:?}: {shown}\n{}",
            String::from_utf8_lossy(&stdout)
        );
    };
    Output {
        status,
        stdout,
        stderr,
    }
}

fn gather(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        // What arrived before a broken pipe is still worth showing.
        let _ = pipe.read_to_end(&mut all);
        all
    })
}
