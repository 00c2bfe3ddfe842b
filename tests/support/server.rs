//! A server process of its own for a test: a free port, a directory that goes
//! away with it, its log shown when the test fails, and an end by pid.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::client::Client;
use super::poll::poll_until;
use super::reply::Reply;
use super::tools::require_tool;

/// How long a start may take.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Another process can take the free port between our look and the bind.
const START_ATTEMPTS_MAX: usize = 5;

/// How much of a log a failed test shows.
const LOG_SHOWN_MAX: usize = 8 * 1024;

/// Directives of FlashKV that Redis and Valkey do not know, each followed by
/// one value.
const OUR_DIRECTIVES: &[&str] = &["--dispatch", "--workers", "--spin-us"];

/// Whose binary a server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// The binary of this repository.
    FlashKv,
    /// redis-server or valkey-server: saving is switched off and our own
    /// directives are left out.
    Peer,
}

/// A running server. Dropping it kills the process and removes its directory.
pub struct Server {
    child: Child,
    port: u16,
    dir: PathBuf,
}

impl Server {
    /// The server under test with its defaults.
    #[track_caller]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// The server under test with directives in the order of a command line:
    /// `&["--maxclients", "10"]`.
    #[track_caller]
    pub fn with(directives: &[&str]) -> Self {
        let (binary, product) = under_test();
        Self::launch(&binary, product, directives)
    }

    /// The real redis-server, or nothing where it is not installed.
    #[track_caller]
    pub fn redis(directives: &[&str]) -> Option<Self> {
        let binary = require_tool("redis-server")?;
        Some(Self::launch(&binary, Product::Peer, directives))
    }

    /// Starts `binary` and waits until it answers.
    ///
    /// # Panics
    /// When it does not answer in time; the message holds its log.
    #[track_caller]
    pub fn launch(binary: &Path, product: Product, directives: &[&str]) -> Self {
        for _ in 0..START_ATTEMPTS_MAX {
            let mut server = Self::spawn(binary, product, directives);
            if server.becomes_ready() {
                return server;
            }
            let log = server.log();
            let port_taken = log.contains("in use") || log.contains("bind");
            assert!(port_taken, "{} did not start:\n{log}", binary.display());
        }
        panic!("no free port in {START_ATTEMPTS_MAX} attempts");
    }

    /// Starts `binary` without waiting for anything.
    #[track_caller]
    pub fn spawn(binary: &Path, product: Product, directives: &[&str]) -> Self {
        let port = free_port();
        let dir = fresh_dir();
        let log = File::create(dir.join("server.log")).expect("a log in a fresh directory");
        let child = command(binary, product, port, directives)
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle of the log"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("start {}: {error}", binary.display()));
        Self { child, port, dir }
    }

    fn becomes_ready(&mut self) -> bool {
        let answered = poll_until(START_LIMIT, || {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return Some(false);
            }
            self.answers_ping().then_some(true)
        });
        answered == Some(true)
    }

    /// Any reply but `-LOADING` will do: with a password it is `-NOAUTH`.
    fn answers_ping(&self) -> bool {
        let Ok(mut client) = Client::open(self.port) else {
            return false;
        };
        if client.try_send(b"PING\r\n").is_err() {
            return false;
        }
        match client.try_read().map(|answer| answer.reply) {
            Ok(Reply::Error(text)) => !text.starts_with(b"LOADING"),
            Ok(_) => true,
            Err(_) => false,
        }
    }

    /// A new connection.
    #[track_caller]
    pub fn client(&self) -> Client {
        Client::connect(self.port)
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The server's working directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.dir.join("server.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Resident memory in bytes, or nothing where there is no /proc.
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib * 1024)
    }

    /// Waits for the process to end by itself.
    pub fn wait_exit(&mut self, limit: Duration) -> Option<ExitStatus> {
        poll_until(limit, || self.child.try_wait().ok().flatten())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let start = log.len().saturating_sub(LOG_SHOWN_MAX);
            let tail = log.get(start..).unwrap_or(&log);
            eprintln!("--- log of the server on port {} ---\n{tail}", self.port);
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The binary under test, and whose it is.
fn under_test() -> (PathBuf, Product) {
    let Some(path) = std::env::var_os("FLASHKV_TEST_SERVER") else {
        return (
            PathBuf::from(env!("CARGO_BIN_EXE_flashkv")),
            Product::FlashKv,
        );
    };
    let path = PathBuf::from(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let product = match name.contains("redis") || name.contains("valkey") {
        true => Product::Peer,
        false => Product::FlashKv,
    };
    (path, product)
}

fn command(binary: &Path, product: Product, port: u16, directives: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command.arg("--port").arg(port.to_string());
    match product {
        Product::FlashKv => command.args(directives),
        Product::Peer => command.args(["--save", ""]).args(without_ours(directives)),
    };
    command
}

fn without_ours<'a>(directives: &[&'a str]) -> Vec<&'a str> {
    let mut kept = Vec::new();
    let mut words = directives.iter();
    while let Some(word) = words.next() {
        if OUR_DIRECTIVES.contains(word) {
            words.next();
        } else {
            kept.push(*word);
        }
    }
    kept
}

/// A port that was free a moment ago: below the range that the system hands to
/// outgoing connections, and never the same twice within this process.
pub fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(61);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = (FIRST + start.wrapping_add(step) % COUNT) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}

fn fresh_dir() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("flashkv-test-{}-{number}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    match fs::create_dir_all(&dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            panic!("create {}: {error}", dir.display())
        }
        _ => dir,
    }
}
