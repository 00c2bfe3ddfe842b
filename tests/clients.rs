//! The programs that people really use, against the server: redis-cli in all its
//! modes, redis-benchmark, telnet, nc and redis-py.

mod support;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use support::{Server, encode, escape, find_tool, require_tool, run_bounded, skip_or_fail};

/// What one program may take; `--pipe` with its million commands is the longest.
const LIMIT: Duration = Duration::from_secs(120);

/// What a program printed, both streams.
fn text(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&all).into_owned()
}

/// Runs a program on the server's port; it has to end well.
#[track_caller]
fn run(tool: &Path, server: &Server, args: &[&str], input: &[u8]) -> String {
    let mut command = Command::new(tool);
    command.args(["-p", &server.port().to_string()]).args(args);
    let output = run_bounded(&mut command, input, LIMIT);
    let shown = text(&output);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{shown}",
        output.status
    );
    shown
}

/// Runs a program that does not end by itself for `seconds`, its output not
/// held back in a buffer that an interrupt would lose.
#[track_caller]
fn run_for(seconds: &str, tool: &Path, server: &Server, args: &[&str]) -> Option<String> {
    let (timeout, stdbuf) = (require_tool("timeout")?, require_tool("stdbuf")?);
    let port = server.port().to_string();
    let mut command = Command::new(timeout);
    command
        .args(["-s", "INT", "-k", "5", seconds])
        .arg(stdbuf)
        .arg("-oL")
        .arg(tool);
    command.args(["-p", &port]).args(args);
    Some(text(&run_bounded(&mut command, b"", LIMIT)))
}

/// Feeds a program that ends with its input, and holds the input open until the
/// output contains `last`.
#[track_caller]
fn converse(command: &mut Command, input: &[u8], last: &str) -> String {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = piped.spawn().expect("a program that was found");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let mut stdout = child.stdout.take().expect("stdout is piped");
    stdin.write_all(input).expect("the program reads its input");
    let (sender, receiver) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(length @ 1..) = stdout.read(&mut chunk) {
            // Nobody listens any more once the last line was seen.
            let _ = sender.send(chunk[..length].to_vec());
        }
    });
    let mut shown = String::new();
    while !shown.contains(last) {
        match receiver.recv_timeout(LIMIT) {
            Ok(chunk) => shown.push_str(&String::from_utf8_lossy(&chunk)),
            Err(_) => break,
        }
    }
    drop(stdin);
    let _ = child.kill();
    let _ = child.wait();
    reader.join().expect("the reader does not panic");
    shown
}

#[test]
fn redis_cli_one_shot() {
    let Some(cli) = require_tool("redis-cli") else {
        return;
    };
    let server = Server::start();
    let ask = |args: &[&str]| run(&cli, &server, args, b"");
    assert_eq!(ask(&["SET", "k", "two words"]), "OK\n");
    assert_eq!(ask(&["GET", "k"]), "two words\n");
    assert_eq!(ask(&["--no-raw", "GET", "k"]), "\"two words\"\n");
    assert_eq!(ask(&["--no-raw", "INCR", "n"]), "(integer) 1\n");
    assert_eq!(ask(&["--no-raw", "GET", "missing"]), "(nil)\n");
    assert_eq!(ask(&["-3", "--no-raw", "GET", "missing"]), "(nil)\n");
    assert_eq!(ask(&["-n", "3", "DBSIZE"]), "0\n");
    assert_eq!(ask(&["-r", "3", "INCR", "n"]), "2\n3\n4\n");
    assert_eq!(
        run(&cli, &server, &["-x", "SET", "stdin"], b"from stdin"),
        "OK\n"
    );
    assert_eq!(ask(&["GET", "stdin"]), "from stdin\n");
    assert!(ask(&["LPUSH", "k", "x"]).contains("WRONGTYPE"));
}

#[test]
fn redis_cli_session() {
    let Some(cli) = require_tool("redis-cli") else {
        return;
    };
    let server = Server::start();
    let script = b"SET k \"a b\"\nget k\nRPUSH l 1 2 3\nLRANGE l 0 -1\nselect 2\ndbsize\nhello 3\n\
        nosuch\nCOMMAND COUNT\n3 INCR n\n";
    let shown = run(&cli, &server, &["--no-raw"], script);
    for part in [
        "OK",
        "\"a b\"",
        "(integer) 3",
        "3) \"3\"",
        "ERR unknown command 'nosuch'",
    ] {
        assert!(shown.contains(part), "{part} is missing:\n{shown}");
    }
    // The hints of an interactive session are built from these.
    let docs = run(&cli, &server, &["COMMAND", "DOCS", "set"], b"");
    assert!(
        docs.contains("summary") && docs.contains("arguments"),
        "{docs}"
    );
}

#[test]
fn redis_cli_watching() {
    let Some(cli) = require_tool("redis-cli") else {
        return;
    };
    let server = Server::start();
    let Some(stat) = run_for("2", &cli, &server, &["--stat", "-i", "0.2"]) else {
        return;
    };
    assert!(stat.contains("keys") && stat.contains("clients"), "{stat}");
    assert!(stat.lines().count() >= 4, "{stat}");
    let latency = run(&cli, &server, &["--latency", "-i", "1", "--raw"], b"");
    let mut words = latency.split_whitespace();
    assert!(
        words.next().is_some_and(|word| word.parse::<f64>().is_ok()),
        "{latency}"
    );
}

#[test]
fn redis_cli_scanning() {
    let Some(cli) = require_tool("redis-cli") else {
        return;
    };
    let server = Server::start();
    let mut client = server.client();
    for number in 0..500 {
        client.expect(&["SET", &format!("key:{number}"), "v"], "+OK\r\n");
    }
    client.expect(&["RPUSH", "biglist", "a", "b", "c"], ":3\r\n");
    client.expect(&["SET", "bigstring", &"x".repeat(1000)], "+OK\r\n");
    let all = run(&cli, &server, &["--scan"], b"");
    assert_eq!(all.lines().count(), 502);
    let some = run(&cli, &server, &["--scan", "--pattern", "key:1?"], b"");
    assert_eq!(some.lines().count(), 10);
    let big = run(&cli, &server, &["--bigkeys"], b"");
    for part in [
        "Sampled 502 keys",
        "\"biglist\"' has 3 items",
        "\"bigstring\"' has 1000 bytes",
    ] {
        assert!(big.contains(part), "{part} is missing:\n{big}");
    }
}

#[test]
fn redis_cli_pipe_of_a_million() {
    const COMMANDS: usize = 1_000_000;
    let Some(cli) = require_tool("redis-cli") else {
        return;
    };
    let server = Server::start();
    let mut input = Vec::with_capacity(COMMANDS * 44);
    for number in 0..COMMANDS {
        input.extend_from_slice(&encode(&[
            "SET",
            &format!("key:{number}"),
            &number.to_string(),
        ]));
    }
    let shown = run(&cli, &server, &["--pipe"], &input);
    assert!(
        shown.contains(&format!("errors: 0, replies: {COMMANDS}")),
        "{shown}"
    );
    let mut client = server.client();
    client.expect(&["DBSIZE"], format!(":{COMMANDS}\r\n"));
    client.expect(&["GET", "key:999999"], "$6\r\n999999\r\n");
}

#[test]
fn redis_benchmark() {
    const TESTS: &str = "ping,set,get,incr,lpush,rpush,lpop,rpop,lrange,mset";
    let Some(tool) = require_tool("redis-benchmark") else {
        return;
    };
    let server = Server::start();
    let variants: &[&[&str]] = &[
        &["-n", "2000"],
        &["-n", "10000", "-P", "16"],
        &["-n", "5000", "-c", "500"],
        &["-n", "10000", "-P", "16", "--threads", "2"],
    ];
    for variant in variants {
        let args = [&["-t", TESTS, "-q"], *variant].concat();
        let shown = run(&tool, &server, &args, b"");
        let done = shown.matches("requests per second").count();
        assert!(done >= 14, "{variant:?}: {done} results\n{shown}");
        assert!(
            !shown.to_lowercase().contains("error"),
            "{variant:?}\n{shown}"
        );
    }
}

/// Inline commands as one types them, and everything they are to show.
const TYPED: &[u8] =
    b"SET greeting \"hello\\tworld\"\r\nget greeting\r\nSET 'odd key' 'it\\'s'\r\n\
    GET \"odd key\"\r\nECHO \"\\x41\\x42\"\r\nINCR n\r\nQUIT\r\n";
const SHOWN: &str = "+OK\r\n$11\r\nhello\tworld\r\n+OK\r\n$4\r\nit's\r\n$2\r\nAB\r\n:1\r\n+OK\r\n";

#[test]
fn netcat() {
    let Some(nc) = require_tool("nc") else { return };
    let server = Server::start();
    let mut command = Command::new(nc);
    command.args(["-w", "5", "127.0.0.1", &server.port().to_string()]);
    let output = run_bounded(&mut command, TYPED, LIMIT);
    assert_eq!(escape(&output.stdout), escape(SHOWN.as_bytes()));
}

#[test]
fn telnet() {
    let Some(telnet) = require_tool("telnet") else {
        return;
    };
    let server = Server::start();
    let typed = String::from_utf8_lossy(TYPED);
    // As from a keyboard: telnet itself makes CRLF of the end of a line.
    let typed = typed.replace("QUIT\r\n", "").replace('\r', "");
    let mut command = Command::new(telnet);
    command.args(["127.0.0.1", &server.port().to_string()]);
    let shown = converse(&mut command, typed.as_bytes(), ":1").replace('\r', "");
    for part in ["hello\tworld", "it's", "AB", ":1"] {
        assert!(shown.contains(part), "{part} is missing:\n{shown}");
    }
}

#[test]
fn redis_py() {
    let Some(python) = require_tool("python3") else {
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/redis_py.py");
    let mut probe = Command::new(&python);
    if !run_bounded(probe.args(["-c", "import redis"]), b"", LIMIT)
        .status
        .success()
    {
        return skip_or_fail("redis-py not installed");
    }
    for protocol in ["2", "3"] {
        let server = Server::start();
        let mut command = Command::new(&python);
        command.args([script, &server.port().to_string(), protocol]);
        let output = run_bounded(&mut command, b"", LIMIT);
        assert!(output.status.success(), "RESP{protocol}\n{}", text(&output));
    }
}

#[test]
fn tools_are_found_through_path() {
    assert!(find_tool("sh").is_some());
    assert!(find_tool("no-such-program").is_none());
}
