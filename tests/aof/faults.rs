//! The log on a disk that fails. The failures come from strace, where it is installed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use super::support::{Client, Server, eventually, poll_until, require_tool};
use super::{Dir, LIMIT, info, number};

/// What strace lets fail in a server, until it is ended.
struct Faults(Child);

impl Faults {
    /// Has each call of this kind fail, of any file or of one; nothing without strace.
    fn inject(server: &Server, call: &str, error: &str, path: Option<&Path>) -> Option<Faults> {
        let strace = require_tool("strace")?;
        let pid = server.pid().to_string();
        let (trace, inject) = (
            format!("trace={call}"),
            format!("inject={call}:error={error}"),
        );
        let mut command = Command::new(strace);
        command.args(["-f", "-e", &trace, "-e", &inject, "-p", &pid]);
        if let Some(path) = path {
            command.arg("-P").arg(path);
        }
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace starts");
        // Its first line says that it is there.
        let mut output = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("strace says something");
        assert!(line.contains("attached"), "{line}");
        // It would wait for who reads what it says.
        thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Some(Faults(child))
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.0.wait();
    }
}

/// Writes until that is refused; the refusal.
fn write_until_refused(client: &mut Client) -> String {
    let refused = poll_until(LIMIT, || {
        let reply = client.cmd(&["SET", "key", "2"]);
        reply.is_error().then(|| reply.text())
    });
    refused.expect("writes are refused")
}

/// With a disk that fails, writes are refused, reads go on, and a rewrite from memory
/// repairs the log; nothing is acknowledged that is lost.
fn fail_and_recover(name: &str, call: &str, error: &str, why: &str) {
    let dir = Dir::new(name);
    let server = dir.start(&["--appendfsync", "everysec"]);
    let mut client = server.client();
    client.cmd(&["SET", "key", "1"]);
    let log = dir.files(".incr.aof").pop();
    let Some(faults) = Faults::inject(&server, call, error, log.as_deref()) else {
        return;
    };
    let refused = write_until_refused(&mut client);
    let expected = format!("MISCONF Errors writing to the AOF file: {why}");
    assert_eq!(refused, expected);
    assert_eq!(number(&mut client, "key"), 2, "reads go on");
    assert!(client.cmd(&["PING"]).text().starts_with("MISCONF"));
    assert_eq!(info(&mut client, "aof_last_write_status"), "err");
    drop(faults);
    eventually(LIMIT, "a rewrite from memory repairs it", || {
        !client.cmd(&["SET", "key", "3"]).is_error()
    });
    assert_eq!(info(&mut client, "aof_last_write_status"), "ok");
    drop(server);
    assert_eq!(number(&mut dir.start(&[]).client(), "key"), 3);
}

#[test]
fn failing_syncs_are_told_and_repaired() {
    fail_and_recover("sync", "fdatasync", "EIO", "Input/output error");
}

#[test]
fn a_full_disk_is_told_and_repaired() {
    fail_and_recover("full", "write", "ENOSPC", "No space left on device");
}

/// With `always` nothing can be promised any more once a sync has failed: the process ends,
/// and what was acknowledged is there.
#[test]
fn a_failing_sync_ends_who_promises_always() {
    let dir = Dir::new("always-fault");
    let mut server = dir.start(&["--appendfsync", "always"]);
    let mut client = server.client();
    client.expect(&["SET", "key", "1"], "+OK\r\n");
    let log = dir.files(".incr.aof").pop();
    let Some(faults) = Faults::inject(&server, "fdatasync", "EIO", log.as_deref()) else {
        return;
    };
    client.send(&["SET", "key", "2"]);
    assert!(client.try_read().is_err(), "nobody says that it is kept");
    assert!(!server.wait_exit(LIMIT).expect("it ends").success());
    drop(faults);
    assert!((1..=2).contains(&number(&mut dir.start(&[]).client(), "key")));
}

/// A rewrite that can't rename its files has failed, and the log goes on as it was.
#[test]
fn failing_renames_leave_the_log_as_it_was() {
    let dir = Dir::new("rename");
    let server = dir.start(&["--appendfsync", "always"]);
    let mut client = server.client();
    client.cmd(&["SET", "key", "1"]);
    let Some(faults) = Faults::inject(&server, "rename,renameat,renameat2", "EIO", None) else {
        return;
    };
    client.cmd(&["BGREWRITEAOF"]);
    eventually(LIMIT, "the rewrite fails", || {
        info(&mut client, "aof_last_bgrewrite_status") == "err"
    });
    client.expect(&["SET", "key", "2"], "+OK\r\n");
    drop(faults);
    client.cmd(&["BGREWRITEAOF"]);
    eventually(LIMIT, "the next one succeeds", || {
        info(&mut client, "aof_last_bgrewrite_status") == "ok"
    });
    client.expect(&["SET", "key", "3"], "+OK\r\n");
    drop(server);
    assert_eq!(number(&mut dir.start(&[]).client(), "key"), 3);
}
