//! The web server without sockets: heads, answers, who may read.

use super::parse::{HEAD_MAX, head};
use super::respond::{self, Answer, Manner, Status};
use super::site::{Site, Source};
use crate::base::clock::Millis;
use std::cell::Cell;

#[derive(Default)]
struct Fake {
    password: &'static [u8],
    stops: bool,
    written: Cell<u32>,
}

impl Source for Fake {
    fn metrics(&self, _now: Millis) -> String {
        self.written.set(self.written.get() + 1);
        format!("figure {}\n", self.written.get())
    }

    fn figures(&self, _now: Millis) -> String {
        "{}".to_owned()
    }

    fn readiness(&self) -> Result<(), &'static str> {
        if self.stops { Err("stops\n") } else { Ok(()) }
    }

    fn password(&self) -> Vec<u8> {
        self.password.to_vec()
    }
}

fn status_of(text: &str) -> Option<Status> {
    head(text.as_bytes()).err()
}

#[test]
fn a_good_head() {
    let text = "\r\nGET /metrics?x=1 HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n\r\nGET /";
    let (request, used) = head(text.as_bytes()).unwrap().unwrap();
    assert_eq!(request.path, "/metrics");
    assert_eq!(request.host, Some("a:1"));
    assert!(!request.keep_alive && !request.head_only);
    assert_eq!(&text[used..], "GET /");
    let old = head(b"HEAD / HTTP/1.0\r\n\r\n").unwrap().unwrap().0;
    assert!(old.head_only && !old.keep_alive);
    let kept = head(b"GET / HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n")
        .unwrap()
        .unwrap()
        .0;
    assert!(kept.keep_alive);
    let absolute = head(b"GET http://h/x HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap()
        .unwrap()
        .0;
    assert_eq!(absolute.path, "/x");
}

#[test]
fn a_head_in_pieces_is_waited_for() {
    let text = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for cut in 0..text.len() {
        assert_eq!(head(&text[..cut]), Ok(None), "{cut}");
    }
    assert!(head(text).unwrap().is_some());
}

#[test]
fn what_is_no_request_gets_its_status() {
    let long_target = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(2000));
    let long_header = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(HEAD_MAX));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(70));
    let endless = "G".repeat(HEAD_MAX);
    for (text, want) in [
        ("GET / HTTP/1.1\r\n\r\n", Status::BadRequest),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            Status::BadRequest,
        ),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Status::BadRequest),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", Status::BadRequest),
        ("GET x HTTP/1.1\r\nHost: a\r\n\r\n", Status::BadRequest),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", Status::BadRequest),
        (
            "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            Status::BadRequest,
        ),
        ("*1\r\n$4\r\nPING\r\n\r\n", Status::BadRequest),
        (
            "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            Status::VersionNotSupported,
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
            Status::MethodNotAllowed,
        ),
        (
            "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
            Status::MethodNotAllowed,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
            Status::ContentTooLarge,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            Status::ContentTooLarge,
        ),
        (&long_target, Status::TargetTooLong),
        (&long_header, Status::HeadTooLarge),
        (&many, Status::HeadTooLarge),
        (&endless, Status::TargetTooLong),
    ] {
        assert_eq!(status_of(text), Some(want), "{text:.60}");
    }
}

fn answered(source: &Fake, text: &str, loopback: bool) -> (Status, String) {
    let mut site = Site::default();
    let (request, _) = head(text.as_bytes()).unwrap().unwrap();
    let answer = site.answer(&request, loopback, source, 1000);
    (
        answer.status,
        String::from_utf8_lossy(answer.content).into_owned(),
    )
}

#[test]
fn paths_and_passwords() {
    let get =
        |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost:1\r\n{more}\r\n");
    let open = Fake::default();
    assert_eq!(answered(&open, &get("/metrics", ""), true).1, "figure 1\n");
    assert_eq!(answered(&open, &get("/figures.json", ""), true).1, "{}");
    assert_eq!(
        answered(&open, &get("/nothing", ""), true).0,
        Status::NotFound
    );
    assert!(
        answered(&open, &get("/", ""), true)
            .1
            .starts_with("<!doctype html>")
    );
    let locked = Fake {
        password: b"secret",
        stops: true,
        ..Fake::default()
    };
    assert_eq!(
        answered(&locked, &get("/metrics", ""), true).0,
        Status::Unauthorized
    );
    let header = "Authorization: Basic dXNlcjpzZWNyZXQ=\r\n";
    assert_eq!(
        answered(&locked, &get("/metrics", header), true).0,
        Status::Ok
    );
    assert_eq!(answered(&locked, &get("/healthz", ""), true).0, Status::Ok);
    assert_eq!(
        answered(&locked, &get("/readyz", ""), true).0,
        Status::Unavailable
    );
    assert_eq!(answered(&open, &get("/readyz", ""), true).0, Status::Ok);
}

#[test]
fn a_foreign_name_does_not_read_the_loopback() {
    let open = Fake::default();
    let asked = |host: &str| {
        let text = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n");
        (
            answered(&open, &text, true).0,
            answered(&open, &text, false).0,
        )
    };
    for host in [
        "127.0.0.1:9100",
        "localhost",
        "LOCALHOST:1",
        "[::1]:1",
        "a.localhost:2",
    ] {
        assert_eq!(asked(host), (Status::Ok, Status::Ok), "{host}");
    }
    for host in ["evil.example", "evil.example:80", "localhost.evil.example"] {
        assert_eq!(asked(host), (Status::Misdirected, Status::Ok), "{host}");
    }
}

#[test]
fn a_text_is_kept_for_a_moment() {
    let source = Fake::default();
    let mut site = Site::default();
    let (request, _) = head(b"GET /metrics HTTP/1.1\r\nHost: 1.2.3.4\r\n\r\n")
        .unwrap()
        .unwrap();
    for now in [1000, 1050, 1099, 1100, 900] {
        site.answer(&request, true, &source, now);
    }
    assert_eq!(source.written.get(), 3);
}

#[test]
fn answers_as_bytes() {
    let mut out = Vec::new();
    let manner = Manner {
        head_only: false,
        keep_alive: true,
        now: 784_111_777_000,
    };
    respond::write(&mut out, Answer::of(Status::MethodNotAllowed), manner);
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"),
        "{text}"
    );
    assert!(
        text.contains("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
        "{text}"
    );
    assert!(text.contains("\r\nAllow: GET, HEAD\r\n"), "{text}");
    assert!(text.contains("\r\nContent-Length: 22\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\n405 Method Not Allowed"), "{text}");
    let mut out = Vec::new();
    let manner = Manner {
        head_only: true,
        ..manner
    };
    respond::write(&mut out, Answer::of(Status::Ok), manner);
    assert!(out.ends_with(b"\r\n\r\n"));
}
