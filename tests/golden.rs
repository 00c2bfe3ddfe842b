//! Golden scripts: what a client sends and, line by line, what it gets, for every
//! command of the table, in all three dispatch modes. The scripts are the part of
//! the contract that a person can read.
//!
//! # A script (tests/golden/*.txt)
//!
//! ```text
//! == setting and getting          a section: empty databases, new connections
//! @flashkv 7.2 says it otherwise  not run against a peer, and why
//! > SET k "a b"                   sent as it stands, as an inline command
//! +OK                             the reply's lines; see golden/notation.rs
//! > GET k
//! "a b"
//! 2> PING                         on the second connection
//! +PONG
//! # a comment
//! ```
//!
//! `@resp3` opens the section's connections with HELLO 3, `@server ARGS` gives it a
//! server of its own, started with ARGS. A command without reply lines expects
//! none; the line `closed` expects the end of the connection.
//!
//! # Against the real one
//!
//! With `FLASHKV_TEST_SERVER` set to a redis-server 7.0.15 the scripts run there and
//! must pass too. With `FLASHKV_GOLDEN=write` the reply lines that do not match are
//! replaced by what the server under test has said; that is how they came to be,
//! and `git diff` then shows how two servers differ.

mod support;

#[path = "golden/notation.rs"]
mod notation;
#[path = "golden/script.rs"]
mod script;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use script::{CLOSED, Script, Section, Step};
use support::{Client, Server};

/// How long a connection may take to end.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// The reply lines that a section's steps really got, by line of the script.
type Replies = BTreeMap<usize, Vec<String>>;

fn scripts() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = fs::read_dir(&dir).expect("the folder of the scripts");
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no scripts in {}", dir.display());
    paths
}

fn tests_a_peer() -> bool {
    let path = std::env::var("FLASHKV_TEST_SERVER").unwrap_or_default();
    ["redis", "valkey"].iter().any(|name| path.contains(name))
}

fn server(dispatch: &str, more: &[String]) -> Server {
    let mut directives = vec!["--dispatch", dispatch, "--workers", "2"];
    directives.extend(more.iter().map(String::as_str));
    Server::with(&directives)
}

/// The connections of a section, opened when they are first used.
struct Clients<'a> {
    server: &'a Server,
    resp3: bool,
    open: BTreeMap<u8, Client>,
}

impl Clients<'_> {
    fn get(&mut self, number: u8) -> &mut Client {
        self.open.entry(number).or_insert_with(|| {
            let mut client = self.server.client();
            if self.resp3 {
                client.cmd(&["HELLO", "3"]);
            }
            client
        })
    }
}

/// Sends one step and returns the lines of its reply.
fn play(step: &Step, clients: &mut Clients<'_>) -> Result<Vec<String>, String> {
    let client = clients.get(step.connection);
    let line = format!("{}\r\n", step.command);
    let sent = client.try_send(line.as_bytes());
    sent.map_err(|error| format!("cannot send: {error}"))?;
    let closes = step.expected.last().is_some_and(|line| line == CLOSED);
    let mut lines = Vec::new();
    if step.expected.len() > usize::from(closes) || step.is_new() {
        let answer = client.try_read();
        let answer = answer.map_err(|error| format!("no reply: {error}"))?;
        lines = notation::lines(&answer.raw);
    }
    if closes {
        let rest = client.read_to_close(CLOSE_LIMIT);
        let rest = rest.map_err(|error| format!("the connection stays open: {error}"))?;
        if !rest.is_empty() {
            return Err(format!("more before the end: {}", rest.escape_ascii()));
        }
        clients.open.remove(&step.connection);
        lines.push(CLOSED.to_string());
    }
    Ok(lines)
}

/// Plays one section; complaints go to `wrong`.
fn play_section(
    script: &Script,
    section: &Section,
    server: &Server,
    wrong: &mut Vec<String>,
) -> Replies {
    let mut replies = Replies::new();
    let mut clients = Clients {
        server,
        resp3: section.resp3,
        open: BTreeMap::new(),
    };
    for step in &section.steps {
        let place = format!("{}:{}: > {}", script.name, step.line + 1, step.command);
        match play(step, &mut clients) {
            Ok(got) if notation::matches(&step.expected, &got) => {}
            Ok(got) => {
                let (want, found) = (step.expected.join("\n  "), got.join("\n  "));
                wrong.push(format!("{place}\n want\n  {want}\n got\n  {found}"));
                replies.insert(step.line, recorded(step, &got));
            }
            Err(error) => {
                wrong.push(format!("{place}\n {error}"));
                break;
            }
        }
    }
    replies
}

/// The lines that a script is given for a reply.
fn recorded(step: &Step, got: &[String]) -> Vec<String> {
    let unordered = step
        .expected
        .iter()
        .find(|line| *line == notation::UNORDERED);
    let got = got.iter().map(|line| line.trim_end().to_string());
    unordered.cloned().into_iter().chain(got).collect()
}

/// Plays a whole script on fresh servers.
fn play_script(script: &Script, dispatch: &str, wrong: &mut Vec<String>) -> Replies {
    let common = server(dispatch, &[]);
    let mut replies = Replies::new();
    for section in &script.sections {
        if section.only_flashkv && tests_a_peer() {
            continue;
        }
        if let Some(directives) = &section.server {
            let own = server(dispatch, directives);
            replies.extend(play_section(script, section, &own, wrong));
        } else {
            common.client().expect(&["FLUSHALL"], "+OK\r\n");
            replies.extend(play_section(script, section, &common, wrong));
        }
    }
    replies
}

fn play_all(dispatch: &str) {
    let mut wrong = Vec::new();
    for path in scripts() {
        let script = Script::read(&path);
        let replies = play_script(&script, dispatch, &mut wrong);
        if std::env::var_os("FLASHKV_GOLDEN").is_some() {
            fs::write(&path, script.with_replies(&replies)).expect("write the script");
        }
    }
    let count = wrong.len();
    assert!(wrong.is_empty(), "{count} wrong\n\n{}", wrong.join("\n\n"));
}

#[test]
fn scripts_adaptive() {
    play_all("adaptive");
}

#[test]
fn scripts_pool() {
    if std::env::var_os("FLASHKV_GOLDEN").is_none() {
        play_all("pool");
    }
}

#[test]
fn scripts_inline() {
    if std::env::var_os("FLASHKV_GOLDEN").is_none() {
        play_all("inline");
    }
}

/// The names that a command line may stand for: its first word, and the first two
/// as a subcommand.
fn names(command: &str) -> [String; 2] {
    let mut words = command.split_ascii_whitespace().map(str::to_lowercase);
    let name = words.next().unwrap_or_default();
    let sub = format!("{name}|{}", words.next().unwrap_or_default());
    [name, sub]
}

/// All commands and subcommands that the running server has.
fn table(server: &Server) -> BTreeSet<String> {
    let list = ["COMMAND", "LIST", "FILTERBY", "PATTERN", "*"];
    let reply = server.client().cmd(&list);
    reply.items().iter().map(|name| name.text()).collect()
}

#[test]
fn every_command_has_its_script() {
    if tests_a_peer() {
        return;
    }
    let table = table(&Server::start());
    let containers: BTreeSet<&str> = table
        .iter()
        .filter_map(|n| Some(n.split_once('|')?.0))
        .collect();
    assert!(table.len() > 90 && containers.len() > 3, "{table:?}");
    let exercised: BTreeSet<String> = scripts()
        .iter()
        .flat_map(|path| Script::read(path).sections)
        .flat_map(|section| section.steps)
        .filter(|step| step.reaches_its_handler())
        .flat_map(|step| names(&step.command))
        .collect();
    let missing: Vec<&String> = table.difference(&exercised).collect();
    assert!(missing.is_empty(), "in no golden script: {missing:?}");
}
