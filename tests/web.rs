//! The web server over real sockets: what each path answers, what no request does,
//! that nothing there can run a command, and that the page lives: a headless Chromium
//! opens it and its plots move under load.

mod support;

#[path = "web/browser.rs"]
mod browser;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use browser::Browser;
use support::{Server, eventually, free_port, require_tool};

/// How long any answer may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);
/// Ports tried, since another process can take one between look and bind.
const PORTS_TRIED: usize = 5;

fn tests_a_peer() -> bool {
    let path = std::env::var("FLASHKV_TEST_SERVER").unwrap_or_default();
    ["redis", "valkey"].iter().any(|name| path.contains(name))
}

/// A server with its web server on the port returned.
fn start(directives: &[&str]) -> Option<(Server, u16)> {
    if tests_a_peer() {
        println!("skipped: only FlashKV has a web server");
        return None;
    }
    let server = Server::with(directives);
    let mut client = server.client();
    if let Some(at) = directives.iter().position(|&word| word == "--requirepass") {
        client.cmd(&["AUTH", directives[at + 1]]);
    }
    for _ in 0..PORTS_TRIED {
        let port = free_port();
        let set = client.cmd(&["CONFIG", "SET", "metrics-port", &port.to_string()]);
        if !set.is_error() {
            return Some((server, port));
        }
    }
    panic!("no free port for the web server");
}

struct Answer {
    status: u16,
    head: String,
    content: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the web server listens");
    stream
        .set_read_timeout(Some(LIMIT))
        .expect("a nonzero timeout");
    stream
}

/// Reads one answer by its Content-Length, without content for HEAD.
fn read_answer(stream: &mut TcpStream, has_content: bool) -> Answer {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("a whole head");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("a head is text");
    let status = head[9..12].parse().expect("a status");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .expect("a length");
    let length: usize = length.parse().expect("a number");
    let mut content = vec![0; if has_content { length } else { 0 }];
    stream.read_exact(&mut content).expect("the content");
    Answer {
        status,
        head,
        content,
    }
}

fn ask(port: u16, request: &str) -> Answer {
    let mut stream = connect(port);
    stream.write_all(request.as_bytes()).expect("sent");
    read_answer(&mut stream, !request.starts_with("HEAD"))
}

fn get(port: u16, path: &str) -> Answer {
    ask(
        port,
        &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    )
}

#[test]
fn paths() {
    let Some((server, port)) = start(&[]) else {
        return;
    };
    let mut client = server.client();
    client.cmd(&["SET", "k", "v"]);
    client.cmd(&["GET", "k"]);
    assert_eq!(get(port, "/healthz").text(), "ok\n");
    assert_eq!(get(port, "/readyz").text(), "ready\n");
    let page = get(port, "/");
    assert_eq!(page.status, 200);
    assert!(
        page.head
            .contains("Content-Type: text/html; charset=utf-8\r\n"),
        "{}",
        page.head
    );
    assert!(
        page.head
            .contains("Content-Security-Policy: default-src 'none';"),
        "{}",
        page.head
    );
    for outside in ["http://", "https://", "src=\"//", "@import"] {
        let text = page.text().replace("http://www.w3.org/", "");
        assert!(
            !text.contains(outside),
            "the page fetches something: {outside}"
        );
    }
    let mut metrics = String::new();
    eventually(LIMIT, "the commands are counted", || {
        metrics = get(port, "/metrics").text();
        metrics.contains("flashkv_command_calls_total{command=\"set\"} 1\n")
    });
    assert!(
        metrics.contains("flashkv_db_keys{db=\"0\"} 1\n"),
        "{metrics}"
    );
    let figures = get(port, "/figures.json").text();
    assert!(
        figures.contains("\"databases\":[{\"db\":0,\"keys\":1,"),
        "{figures}"
    );
    assert_eq!(get(port, "/nothing").status, 404);
    assert_eq!(get(port, "/../etc/passwd").status, 404);
}

#[test]
fn connections_are_kept_and_pipelined() {
    let Some((_server, port)) = start(&[]) else {
        return;
    };
    let mut stream = connect(port);
    let get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let head = "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream
        .write_all([get, head, get].concat().as_bytes())
        .expect("sent");
    assert_eq!(read_answer(&mut stream, true).text(), "ok\n");
    let answer = read_answer(&mut stream, false);
    assert!(
        answer.head.contains("Connection: keep-alive"),
        "{}",
        answer.head
    );
    assert_eq!(read_answer(&mut stream, true).text(), "ok\n");
    // Byte by byte, and closed when asked for.
    let last = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for byte in last.bytes() {
        stream.write_all(&[byte]).expect("sent");
    }
    assert_eq!(read_answer(&mut stream, true).text(), "ok\n");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the end");
    assert!(rest.is_empty());
}

#[test]
fn what_is_no_request_is_refused_and_ends() {
    let Some((server, port)) = start(&[]) else {
        return;
    };
    let long = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    for (request, status) in [
        (
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\nFLUSHALL",
            405,
        ),
        ("*1\r\n$8\r\nFLUSHALL\r\n\r\n", 400),
        ("SET k 1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        ("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (&long, 431),
    ] {
        let answer = ask(port, request);
        assert_eq!(answer.status, status, "{request:.40}");
        if status != 421 {
            assert!(answer.head.contains("Connection: close"), "{request:.40}");
        }
    }
    let answer = ask(port, "POST / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        answer.head.contains("Allow: GET, HEAD\r\n"),
        "{}",
        answer.head
    );
    // Nobody else has noticed.
    assert_eq!(server.client().cmd(&["PING"]).text(), "PONG");
}

#[test]
fn readers_are_few_and_others_are_told() {
    let Some((_server, port)) = start(&[]) else {
        return;
    };
    let mut held: Vec<TcpStream> = (0..32).map(|_| connect(port)).collect();
    // Each has been accepted when it has answered.
    for stream in &mut held {
        let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("sent");
        read_answer(stream, true);
    }
    let mut one_more = connect(port);
    assert_eq!(read_answer(&mut one_more, true).status, 503);
    held.pop()
        .expect("many")
        .shutdown(Shutdown::Both)
        .expect("open");
    eventually(LIMIT, "a place is free again", || {
        let mut stream = connect(port);
        let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("sent");
        read_answer(&mut stream, true).status == 200
    });
}

#[test]
fn the_password_guards_what_tells_of_the_data() {
    let Some((_server, port)) = start(&["--requirepass", "secret"]) else {
        return;
    };
    for path in ["/", "/metrics", "/figures.json", "/nothing"] {
        let answer = get(port, path);
        assert_eq!(answer.status, 401, "{path}");
        assert!(
            answer.head.contains("WWW-Authenticate: Basic"),
            "{}",
            answer.head
        );
    }
    assert_eq!(get(port, "/healthz").status, 200);
    assert_eq!(get(port, "/readyz").status, 200);
    let with = |credentials: &str| {
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {credentials}\r\n\r\n"
        );
        ask(port, &request).status
    };
    // prometheus:secret, prometheus:guess
    assert_eq!(with("cHJvbWV0aGV1czpzZWNyZXQ="), 200);
    assert_eq!(with("cHJvbWV0aGV1czpndWVzcw=="), 401);
}

#[test]
fn the_port_moves_and_goes() {
    let Some((server, port)) = start(&[]) else {
        return;
    };
    let mut client = server.client();
    let taken = server.port().to_string();
    let refused = client.cmd(&["CONFIG", "SET", "metrics-port", &taken]);
    assert!(refused.is_error(), "{refused:?}");
    eventually(LIMIT, "the old port is back", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    assert_eq!(get(port, "/healthz").status, 200);
    client.cmd(&["CONFIG", "SET", "metrics-port", "0"]);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

/// Runs commands on a connection of its own until it is told to stop.
fn load(server: &Server, stop: &AtomicBool) {
    let mut client = server.client();
    let big = "x".repeat(100_000);
    client.cmd(&["SET", "a-big-one", &big]);
    client.cmd(&["SET", "the-hot-one", "v"]);
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        client.cmd(&["SET", &format!("key:{}", round % 100), "v"]);
        for _ in 0..20 {
            client.cmd(&["GET", "the-hot-one"]);
        }
    }
}

#[test]
fn the_page_moves_under_load() {
    let Some(chromium) = require_tool("chromium") else {
        return;
    };
    let Some((server, port)) = start(&["--slowlog-log-slower-than", "0"]) else {
        return;
    };
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| load(&server, &stop));
        // Whatever happens here, the load ends.
        let looked = std::panic::catch_unwind(|| look_at_the_page(&chromium, server.dir(), port));
        stop.store(true, Ordering::Relaxed);
        if let Err(panic) = looked {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Notes what goes wrong in the page from now on; it draws all anew each second.
const LISTEN: &str = "window.complaints = []; \
    addEventListener('error', e => complaints.push(e.message)); \
    addEventListener('unhandledrejection', e => complaints.push(String(e.reason))); \
    document.addEventListener('securitypolicyviolation', \
        e => complaints.push(e.violatedDirective + ' ' + e.blockedURI)); \
    String(complaints.length)";

/// All plots show lines that move, and numbers.
fn plots_move(browser: &mut Browser) {
    for (plot, lines) in [
        ("throughput", 1),
        ("latency", 3),
        ("memory", 2),
        ("hits", 1),
        ("clients", 1),
        ("network", 2),
        ("keys", 1),
        ("cpu", 1),
    ] {
        let value = format!("document.getElementById('plot-{plot}').dataset.value");
        eventually(LIMIT, &format!("{plot} has a value"), || {
            browser
                .evaluate(&value)
                .parse::<f64>()
                .is_ok_and(|value| value > 0.0)
        });
        let drawn = format!(
            "String([...document.querySelectorAll('#plot-{plot} path')]\
             .filter(p => p.hasAttribute('style') && p.getAttribute('class') !== 'area'\
             && (p.getAttribute('d') || '').includes('L')).length)"
        );
        eventually(LIMIT, &format!("all lines of {plot}"), || {
            browser.evaluate(&drawn) == lines.to_string()
        });
    }
    let parts = "document.querySelector('#plot-latency').getAttribute('aria-label')";
    let told = browser.evaluate(parts);
    for name in ["median ", "99 % ", "99.9 % "] {
        assert!(
            told.contains(name) && !told.contains(&format!("{name}-")),
            "{told}"
        );
    }
}

fn look_at_the_page(chromium: &std::path::Path, dir: &std::path::Path, port: u16) {
    let mut browser = Browser::open(chromium, dir, &format!("http://127.0.0.1:{port}/"));
    eventually(LIMIT, "the page is there", || {
        // Before it there is an empty one.
        browser.evaluate("document.readyState + !!document.getElementById('state')")
            == "completetrue"
    });
    assert_eq!(browser.evaluate(LISTEN), "0");
    let points = |browser: &mut Browser| -> usize {
        let text = browser.evaluate("document.getElementById('plot-throughput').dataset.points");
        text.parse().unwrap_or(0)
    };
    eventually(LIMIT, "three samples are plotted", || {
        points(&mut browser) >= 3
    });
    let rate = browser.evaluate("document.getElementById('plot-throughput').dataset.value");
    assert!(
        rate.parse::<f64>().is_ok_and(|rate| rate > 10.0),
        "throughput {rate}"
    );
    let line = "document.querySelector('#plot-throughput path:last-child').getAttribute('d')";
    let before = browser.evaluate(line);
    assert!(before.starts_with('M') && before.contains('L'), "{before}");
    eventually(LIMIT, "the plot moves", || browser.evaluate(line) != before);
    plots_move(&mut browser);
    assert_eq!(
        browser.evaluate("document.getElementById('state').textContent"),
        "live"
    );
    for (table, wanted) in [
        ("commands", "get"),
        ("hot", "the-hot-one"),
        ("big", "a-big-one"),
        ("slow", "the-hot-one"),
    ] {
        let text = format!("document.getElementById('table-{table}').textContent");
        eventually(LIMIT, &format!("{wanted} in the table of {table}"), || {
            browser.evaluate(&text).contains(wanted)
        });
    }
    let complaints =
        browser.evaluate("complaints.length + ' complaints: ' + complaints.join('; ')");
    assert_eq!(complaints, "0 complaints: ");
}
