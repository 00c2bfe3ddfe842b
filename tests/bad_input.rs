//! Input that no good client sends: each case gets Redis's reply, or the reply
//! and a closed connection, and the next client notices nothing.
//!
//! The replies below are what redis-server 7.0.15 says; run against it with
//! `FLASHKV_TEST_SERVER` the same tables hold.

mod support;

use std::process::{Command, Output};
use std::time::Duration;

use support::{Client, Server, encode, escape, eventually, run_bounded};

/// How long a server may take to close a connection.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// How long a server must keep quiet for it to count as waiting for more.
const QUIET: Duration = Duration::from_millis(150);

/// What becomes of a connection after the bytes of a case.
#[derive(Clone, Copy, PartialEq)]
enum After {
    /// It still answers.
    Open,
    /// It is closed behind the reply.
    Closed,
}

use After::{Closed, Open};

/// What is sent, what comes back, and what becomes of the connection.
type Case = (&'static [u8], &'static str, After);

fn check(server: &Server, (input, expected, after): Case) {
    let mut bystander = server.client();
    bystander.expect(&["SET", "bystander", "fine"], "+OK\r\n");
    let mut client = server.client();
    client.send_raw(input);
    let got = match after {
        Closed => client.read_to_close(CLOSE_LIMIT),
        Open => {
            client.send_raw(b"ECHO end-of-case\r\n");
            Ok(read_until_marker(&mut client))
        }
    };
    let got = got.unwrap_or_else(|error| panic!("{}: stays open: {error}", escape(input)));
    assert_eq!(
        escape(&got),
        escape(expected.as_bytes()),
        "the reply to {}",
        escape(input)
    );
    bystander.expect(&["GET", "bystander"], "$4\r\nfine\r\n");
    server.client().expect(&["PING"], "+PONG\r\n");
}

/// Everything that comes before the reply of the marking ECHO.
fn read_until_marker(client: &mut Client) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let answer = client.read_reply();
        if answer.raw == b"$11\r\nend-of-case\r\n" {
            return all;
        }
        all.extend_from_slice(&answer.raw);
    }
}

fn check_all(cases: &[Case]) {
    let server = Server::start();
    for case in cases {
        check(&server, *case);
    }
}

#[test]
fn broken_lengths() {
    const MULTIBULK: &str = "-ERR Protocol error: invalid multibulk length\r\n";
    const BULK: &str = "-ERR Protocol error: invalid bulk length\r\n";
    check_all(&[
        (b"*-1\r\n", "", Open),
        (b"*0\r\n", "", Open),
        (b"*-9\r\nPING\r\n", "+PONG\r\n", Open),
        (b"*abc\r\n", MULTIBULK, Closed),
        (b"* 1\r\n$4\r\nPING\r\n", MULTIBULK, Closed),
        (b"*+1\r\n$4\r\nPING\r\n", MULTIBULK, Closed),
        (b"*01\r\n$4\r\nPING\r\n", MULTIBULK, Closed),
        (b"*2147483648\r\n", MULTIBULK, Closed),
        (b"*99999999999999999999\r\n", MULTIBULK, Closed),
        (b"*1\r\n$-1\r\n", BULK, Closed),
        (b"*1\r\n$abc\r\n", BULK, Closed),
        (b"*1\r\n$ 4\r\nPING\r\n", BULK, Closed),
        (b"*1\r\n$04\r\nPING\r\n", BULK, Closed),
        (b"*1\r\n$536870913\r\n", BULK, Closed),
        (b"*1\r\n$99999999999999999999\r\n", BULK, Closed),
        (b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$-5\r\n", BULK, Closed),
        // What was complete before the error is still done.
        (
            b"PING\r\n*1\r\n$x\r\n",
            "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n",
            Closed,
        ),
    ]);
}

#[test]
fn broken_framing() {
    check_all(&[
        (
            b"*1\r\nPING\r\n",
            "-ERR Protocol error: expected '$', got 'P'\r\n",
            Closed,
        ),
        (
            b"*1\r\n+PING\r\n",
            "-ERR Protocol error: expected '$', got '+'\r\n",
            Closed,
        ),
        (
            b"*1\r\n*1\r\n",
            "-ERR Protocol error: expected '$', got '*'\r\n",
            Closed,
        ),
        // The two bytes behind a bulk are skipped unread.
        (
            b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n",
            "+PONG\r\n+PONG\r\n",
            Open,
        ),
        (b"POST / HTTP/1.1\r\n\r\n", "", Closed),
        (b"Host: example.org\r\n", "", Closed),
        (b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", "", Closed),
    ]);
}

#[test]
fn inline_commands() {
    const QUOTES: &str = "-ERR Protocol error: unbalanced quotes in request\r\n";
    check_all(&[
        (b"PING\r\n", "+PONG\r\n", Open),
        (b"PING\n", "+PONG\r\n", Open),
        (b"\r\n\r\n  \r\nPING\r\n", "+PONG\r\n", Open),
        (b"   ping   \r\n", "+PONG\r\n", Open),
        (b"ECHO \"\"\r\n", "$0\r\n\r\n", Open),
        (
            b"ECHO \"a\\x41\\n\\r\\t\\a\\b\\\\\\\"\\q\"\r\n",
            "$10\r\naA\n\r\t\x07\x08\\\"q\r\n",
            Open,
        ),
        (b"ECHO 'it\\'s \\x41'\r\n", "$9\r\nit's \\x41\r\n", Open),
        (b"ECHO a\"b c\"\r\n", "$4\r\nab c\r\n", Open),
        (b"ECHO \"foo\r\n", QUOTES, Closed),
        (b"ECHO 'foo\r\n", QUOTES, Closed),
        (b"ECHO \"a\"b\r\n", QUOTES, Closed),
        (b"ECHO 'a'b\r\n", QUOTES, Closed),
    ]);
}

#[test]
fn lines_without_an_end() {
    let server = Server::start();
    let long = |head: &[u8], byte: u8| [head, &[byte; 70_000]].concat();
    for (input, expected) in [
        (
            long(b"", b'x'),
            "-ERR Protocol error: too big inline request\r\n",
        ),
        (
            long(b"*", b'1'),
            "-ERR Protocol error: too big mbulk count string\r\n",
        ),
        (
            long(b"*1\r\n$", b'1'),
            "-ERR Protocol error: too big bulk count string\r\n",
        ),
    ] {
        let mut client = server.client();
        // The server may close before it has taken everything.
        let _ = client.try_send(&input);
        let got = client
            .read_to_close(CLOSE_LIMIT)
            .expect("a closed connection");
        assert_eq!(escape(&got), escape(expected.as_bytes()));
        server.client().expect(&["PING"], "+PONG\r\n");
    }
}

#[test]
fn wrong_commands() {
    const NOT_INT: &str = "-ERR value is not an integer or out of range\r\n";
    const WRONG_TYPE: &str =
        "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    check_all(&[
        (
            b"GET\r\n",
            "-ERR wrong number of arguments for 'get' command\r\n",
            Open,
        ),
        (
            b"GET a b\r\n",
            "-ERR wrong number of arguments for 'get' command\r\n",
            Open,
        ),
        (
            b"MSET a 1 b\r\n",
            "-ERR wrong number of arguments for 'mset' command\r\n",
            Open,
        ),
        (
            b"NOPE\r\n",
            "-ERR unknown command 'NOPE', with args beginning with: \r\n",
            Open,
        ),
        (
            b"nope a b\r\n",
            "-ERR unknown command 'nope', with args beginning with: 'a' 'b' \r\n",
            Open,
        ),
        (
            b"\"\" a\r\n",
            "-ERR unknown command '', with args beginning with: 'a' \r\n",
            Open,
        ),
        // A reply stays one line whatever the command's name holds.
        (
            b"\"a\\r\\nb\" \"c\\r\\nd\"\r\n",
            "-ERR unknown command 'a  b', with args beginning with: 'c  d' \r\n",
            Open,
        ),
        (
            b"CONFIG NOPE\r\n",
            "-ERR unknown subcommand 'NOPE'. Try CONFIG HELP.\r\n",
            Open,
        ),
        (b"SET k v EX\r\n", "-ERR syntax error\r\n", Open),
        (b"SET k v NX XX\r\n", "-ERR syntax error\r\n", Open),
        (b"SET k v EX abc\r\n", NOT_INT, Open),
        (
            b"SET k v EX 0\r\n",
            "-ERR invalid expire time in 'set' command\r\n",
            Open,
        ),
        (
            b"SET k 9223372036854775807\r\nINCR k\r\n",
            "+OK\r\n-ERR increment or decrement would overflow\r\n",
            Open,
        ),
        (b"INCRBY k 9223372036854775808\r\n", NOT_INT, Open),
        (
            b"SET k 1.5\r\nINCR k\r\n",
            "+OK\r\n-ERR value is not an integer or out of range\r\n",
            Open,
        ),
        (b"RPUSH l a\r\n", ":1\r\n", Open),
        (b"GET l\r\n", WRONG_TYPE, Open),
        (b"LPUSH k v\r\n", WRONG_TYPE, Open),
        (b"SELECT 99\r\n", "-ERR DB index is out of range\r\n", Open),
        (b"SELECT x\r\n", NOT_INT, Open),
        (
            b"HELLO 9\r\n",
            "-NOPROTO unsupported protocol version\r\n",
            Open,
        ),
    ]);
}

#[test]
fn long_names_are_cut_in_the_error() {
    let server = Server::start();
    let mut client = server.client();
    let name = "n".repeat(300);
    let arg = "a".repeat(200);
    client.send(&[&name, &arg]);
    let text = client.read_reply().reply.text();
    let start = format!("ERR unknown command '{}', with args", "n".repeat(128));
    assert!(text.starts_with(&start), "{text}");
    assert!(text.len() <= 350, "{} bytes of error", text.len());
    client.expect(&["PING"], "+PONG\r\n");
}

#[test]
fn binary_keys_and_values() {
    let server = Server::start();
    let mut client = server.client();
    let all: Vec<u8> = (0..=255).collect();
    for key in [&b""[..], b"\0", b"a\r\nb", &all] {
        client.expect(&[b"SET", key, &all], "+OK\r\n");
        let mut bulk = b"$256\r\n".to_vec();
        bulk.extend_from_slice(&all);
        bulk.extend_from_slice(b"\r\n");
        client.send(&[b"GET", key]);
        assert_eq!(client.read_reply().raw, bulk);
    }
    client.expect(&["DBSIZE"], ":4\r\n");
}

#[test]
fn one_byte_at_a_time() {
    let server = Server::start();
    let mut client = server.client();
    let bytes = [
        encode(&["SET", "slow", "a\r\nb"]),
        b"\r\nGET slow\r\n".to_vec(),
        encode(&["STRLEN", "slow"]),
    ]
    .concat();
    for byte in bytes {
        client.send_raw(&[byte]);
    }
    assert_eq!(client.read_reply().raw, b"+OK\r\n");
    assert_eq!(client.read_reply().raw, b"$4\r\na\r\nb\r\n");
    assert_eq!(client.read_reply().raw, b":4\r\n");
}

#[test]
fn a_half_closed_socket() {
    let server = Server::start();
    let mut client = server.client();
    client.send_raw(b"SET half 1\r\nINCR half\r\nINCR ha");
    client.shutdown_write();
    let got = client
        .read_to_close(CLOSE_LIMIT)
        .expect("a closed connection");
    // Redis closes at once and may drop the replies; it must not run the rest.
    assert!(b"+OK\r\n:2\r\n".starts_with(&got[..]), "{}", escape(&got));
    server.client().expect(&["EXISTS", "ha"], ":0\r\n");
}

#[test]
fn declared_lengths_cost_nothing() {
    const CLIENTS: usize = 50;
    const GROWTH_MAX: u64 = 32 << 20;
    let server = Server::start();
    let Some(before) = server.resident_bytes() else {
        println!("skipped: no /proc to read a process's memory from");
        return;
    };
    let mut waiting: Vec<Client> = (0..CLIENTS).map(|_| server.client()).collect();
    for client in &mut waiting {
        client.send_raw(b"*1000000\r\n$536870912\r\nabc");
    }
    assert!(
        waiting[0].stays_silent(QUIET),
        "an answer to a request that is not whole"
    );
    server.client().expect(&["PING"], "+PONG\r\n");
    let grown = server
        .resident_bytes()
        .expect("/proc is there")
        .saturating_sub(before);
    println!("{CLIENTS} clients that declare 512 MiB each: {grown} bytes more");
    assert!(
        grown < GROWTH_MAX,
        "{grown} bytes for {CLIENTS} unfinished requests"
    );
}

#[test]
fn a_client_that_never_reads() {
    const REQUESTS: usize = 400;
    let server = Server::with(&["--client-output-buffer-limit", "normal 8mb 0 0"]);
    let mut client = server.client();
    let value = vec![b'v'; 1 << 20];
    client.expect(&["SET".as_bytes(), b"big", &value], "+OK\r\n");
    // Far more than the limit and the socket buffers hold; the server closes
    // somewhere in the middle.
    let _ = client.try_send(&b"GET big\r\n".repeat(REQUESTS));
    eventually(
        CLOSE_LIMIT,
        "the server drops the client that never reads",
        || {
            server
                .client()
                .cmd(&["CLIENT", "LIST"])
                .text()
                .lines()
                .count()
                == 1
        },
    );
    let rest = client
        .read_to_close(CLOSE_LIMIT)
        .expect("a closed connection");
    assert!(rest.len() < REQUESTS * value.len());
}

#[test]
fn more_clients_than_allowed() {
    let server = Server::with(&["--maxclients", "5"]);
    let mut inside: Vec<Client> = (0..5).map(|_| server.client()).collect();
    for client in &mut inside {
        client.expect(&["PING"], "+PONG\r\n");
    }
    let mut refused = server.client();
    let got = refused
        .read_to_close(CLOSE_LIMIT)
        .expect("a closed connection");
    assert_eq!(
        escape(&got),
        escape(b"-ERR max number of clients reached\r\n")
    );
    inside.pop();
    eventually(CLOSE_LIMIT, "the freed place is given to another", || {
        let mut client = server.client();
        client.try_send(b"PING\r\n").is_ok()
            && client
                .try_read()
                .is_ok_and(|answer| answer.raw == b"+PONG\r\n")
    });
    inside[0].expect(&["PING"], "+PONG\r\n");
}

#[test]
fn out_of_file_descriptors() {
    let Some(prlimit) = support::require_tool("prlimit") else {
        return;
    };
    const DESCRIPTORS: usize = 48;
    let server = Server::start();
    let mut first = server.client();
    first.expect(&["SET", "k", "v"], "+OK\r\n");
    let lowered = Command::new(prlimit)
        .arg(format!("--pid={}", server.pid()))
        .arg(format!("--nofile={DESCRIPTORS}:{DESCRIPTORS}"))
        .status();
    assert!(lowered.is_ok_and(|status| status.success()));
    // The kernel completes all of these; the server cannot accept the last ones.
    let mut waiting: Vec<Client> = (0..2 * DESCRIPTORS).map(|_| server.client()).collect();
    eventually(CLOSE_LIMIT, "the shortage is told in the log", || {
        server.log().contains("Accepting client connection")
    });
    first.expect(&["GET", "k"], "$1\r\nv\r\n");
    let mut last = waiting.pop().expect("many clients");
    drop(waiting);
    last.expect(&["GET", "k"], "$1\r\nv\r\n");
}

/// How the binary of this repository ends when started with `args`.
fn start_fails(args: &[&str]) -> (Option<i32>, String) {
    const START_LIMIT: Duration = Duration::from_secs(10);
    let mut command = Command::new(env!("CARGO_BIN_EXE_flashkv"));
    let Output {
        status,
        stdout,
        stderr,
    } = run_bounded(command.args(args), b"", START_LIMIT);
    let text = [stdout, stderr].concat();
    (status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn a_port_in_use() {
    let server = Server::start();
    let port = server.port().to_string();
    let (code, text) = start_fails(&["--port", &port]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains(&port) && text.to_lowercase().contains("in use"),
        "{text}"
    );
    server.client().expect(&["PING"], "+PONG\r\n");
}

#[test]
fn an_option_that_does_not_exist() {
    let (code, text) = start_fails(&["--no-such-directive", "1"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("no-such-directive"), "{text}");
}

#[test]
fn a_config_file_with_an_error() {
    let server = Server::start();
    let path = server.dir().join("bad.conf");
    std::fs::write(&path, "# fine\nport 0\ntimeout soon\n").expect("a file in our directory");
    let name = path.to_string_lossy().into_owned();
    let (code, text) = start_fails(&[&name]);
    assert_eq!(code, Some(1), "{text}");
    for part in ["bad.conf", "3", "timeout"] {
        assert!(text.contains(part), "{part} is missing from: {text}");
    }
}
