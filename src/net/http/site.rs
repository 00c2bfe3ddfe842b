//! What the paths hold, and who may read them.
//!
//! What is written anew is kept for [`KEEP_MS`], so that no number of readers can
//! make the reactor write it more often.

use std::net::IpAddr;

use super::basic;
use super::parse::Request;
use super::respond::{Answer, Status, TEXT};
use crate::base::clock::Millis;

/// How long a text is told again before it is written anew.
const KEEP_MS: i64 = 100;

/// Where the texts come from.
pub trait Source {
    /// All figures in Prometheus's text format.
    fn metrics(&self, now: Millis) -> String;
    /// The figures of the page, as JSON.
    fn figures(&self, now: Millis) -> String;
    /// Whether commands would be served now; else why not.
    fn readiness(&self) -> Result<(), &'static str>;
    /// The password that readers must give; empty for none.
    fn password(&self) -> Vec<u8>;
}

/// The page at `/`: all of it, styles and program included.
const PAGE: &str = include_str!("page.html");

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The texts told last.
#[derive(Debug, Default)]
pub struct Site {
    metrics: Kept,
    figures: Kept,
}

#[derive(Debug, Default)]
struct Kept {
    text: String,
    at: Option<Millis>,
}

impl Kept {
    fn renew(&mut self, now: Millis, write: impl FnOnce() -> String) -> &[u8] {
        // A clock that was set back makes it old as well.
        let fresh = |at: Millis| (0..KEEP_MS).contains(&(now - at));
        if !self.at.is_some_and(fresh) {
            self.text = write();
            self.at = Some(now);
        }
        self.text.as_bytes()
    }
}

impl Site {
    /// The answer to a request. `loopback` says that it came to an address of this
    /// machine alone.
    pub fn answer(
        &mut self,
        request: &Request<'_>,
        loopback: bool,
        source: &dyn Source,
        now: Millis,
    ) -> Answer<'_> {
        match request.path {
            "/healthz" => return plain(Status::Ok, b"ok\n"),
            "/readyz" => return readiness(source),
            _ => {}
        }
        if loopback && !request.host.is_none_or(is_own_name) {
            return Answer::of(Status::Misdirected);
        }
        if !may_read(request, source) {
            return Answer::of(Status::Unauthorized);
        }
        let (content_type, content) = match request.path {
            "/" => (HTML, PAGE.as_bytes()),
            "/metrics" => (PROMETHEUS, self.metrics.renew(now, || source.metrics(now))),
            "/figures.json" => (JSON, self.figures.renew(now, || source.figures(now))),
            _ => return Answer::of(Status::NotFound),
        };
        Answer {
            status: Status::Ok,
            content_type,
            content,
        }
    }
}

fn plain(status: Status, content: &'static [u8]) -> Answer<'static> {
    Answer {
        status,
        content_type: TEXT,
        content,
    }
}

fn readiness(source: &dyn Source) -> Answer<'static> {
    match source.readiness() {
        Ok(()) => plain(Status::Ok, b"ready\n"),
        Err(reason) => plain(Status::Unavailable, reason.as_bytes()),
    }
}

fn may_read(request: &Request<'_>, source: &dyn Source) -> bool {
    let password = source.password();
    let carries = |header| basic::carries(header, &password);
    password.is_empty() || request.authorization.is_some_and(carries)
}

/// Whether a Host header names this machine as itself. A page from elsewhere whose
/// name was made to resolve to the loopback address (DNS rebinding) has its own name
/// there, and must not read what only this machine may.
fn is_own_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
}
