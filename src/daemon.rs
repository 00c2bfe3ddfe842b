//! Becoming a service without systemd: the background, the pidfile, and who
//! supervises.
//!
//! `daemonize` forks twice, so that the server leads no session and can never
//! get a terminal, and the command that started it stays in the foreground
//! until the server answers: a pipe connects them.
//!
//! ```text
//! shell: flashkv --daemonize yes          fork            fork
//!        launcher  ----------------------> session -------> server
//!           |  waits on the pipe           leader, exits       |  loads, binds
//!           |<-------------- status byte and message ----------|  ready() or failed()
//!        exits with that status                                |  serves
//! ```
//!
//! What must stay true:
//! - It happens before any thread exists, before the pidfile (which names the
//!   last process) and after inherited sockets are taken (LISTEN_PID names the
//!   first).
//! - The launcher ends in every case. If the server dies before it has said
//!   anything, the pipe closes and the launcher says so and fails.
//! - Only the file that still holds our process id is removed.

use crate::base::sys::{self, Fork};
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The status byte that says the server is up; any other is its exit status.
const READY: u8 = 0;

/// A message to the launcher is cut here: the pipe's buffer takes it whole, so
/// the server never waits for the launcher.
const MESSAGE_MAX: usize = 2048;

// --------------------------------------------------------------- the background

/// The server's end of the pipe to the process that launched it. Dropping it
/// unused makes the launcher fail.
#[must_use = "the launcher waits until it is told"]
#[derive(Debug)]
pub struct Launcher {
    pipe: Option<PipeWriter>,
}

impl Launcher {
    /// The end of a server in the foreground, whom nobody waits for.
    pub fn none() -> Launcher {
        Launcher { pipe: None }
    }

    /// The server accepts connections: the launcher exits with status 0.
    pub fn ready(self) {
        self.tell(READY, "");
    }

    /// The server cannot start: the launcher prints `message` on stderr and
    /// exits with `status`, which is not 0.
    pub fn failed(self, status: u8, message: &str) {
        self.tell(status.max(1), message);
    }

    fn tell(self, status: u8, message: &str) {
        let Some(mut pipe) = self.pipe else { return };
        let text = &message[..message.floor_char_boundary(MESSAGE_MAX)];
        let mut letter = vec![status];
        letter.extend_from_slice(text.as_bytes());
        // A launcher that was killed in the meantime needs no answer.
        let _ = pipe.write_all(&letter);
    }
}

/// Go into the background. Returns in the new process only, without terminal
/// and with stdin, stdout and stderr at /dev/null; the calling process waits
/// for word through the returned `Launcher` and exits accordingly.
///
/// Errors (in the calling process): the system refuses to fork, or there is
/// more than one thread already.
pub fn daemonize() -> io::Result<Launcher> {
    let (reader, writer) = io::pipe()?;
    // Text left in the buffer would be printed by both processes.
    io::stdout().flush()?;
    if let Fork::Parent(child) = sys::fork()? {
        drop(writer);
        sys::wait_child(child)?;
        std::process::exit(await_word(reader));
    }
    drop(reader);
    let launcher = Launcher { pipe: Some(writer) };
    match detach() {
        Ok(()) => Ok(launcher),
        Err(error) => {
            launcher.failed(1, &format!("Can't daemonize: {}", sys::error_text(&error)));
            std::process::exit(1);
        }
    }
}

/// In the first child: lead a session, leave it to the second, which goes on.
fn detach() -> io::Result<()> {
    sys::new_session()?;
    if let Fork::Parent(_) = sys::fork()? {
        std::process::exit(0);
    }
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    sys::redirect_stdio(null.as_fd())
}

/// In the launcher: wait for the server's word, repeat it, give the status.
fn await_word(reader: PipeReader) -> i32 {
    let mut letter = Vec::new();
    let limit = MESSAGE_MAX as u64 + 1;
    // What arrived before an error still counts.
    let _ = reader.take(limit).read_to_end(&mut letter);
    let (status, message) = read_letter(&letter);
    if !message.is_empty() {
        let _ = writeln!(io::stderr(), "{message}");
    }
    i32::from(status)
}

fn read_letter(letter: &[u8]) -> (u8, String) {
    match letter.split_first() {
        Some((&status, message)) => (status, String::from_utf8_lossy(message).into_owned()),
        None => (
            1,
            "The server in the background ended before it was ready; see its log.".to_owned(),
        ),
    }
}

// -------------------------------------------------------------------- the pidfile

/// A file that holds this process's id; removed when dropped.
#[derive(Debug)]
pub struct Pidfile {
    path: PathBuf,
    pid: u32,
}

impl Pidfile {
    /// Write the process id to `path`, over whatever is there. A failure is
    /// worth a warning and no more, as in Redis.
    pub fn create(path: &Path) -> io::Result<Pidfile> {
        let pid = std::process::id();
        // `dir` may change the working directory before the removal.
        let path = std::path::absolute(path)?;
        fs::write(&path, format!("{pid}\n"))?;
        Ok(Pidfile { path, pid })
    }
}

impl Drop for Pidfile {
    fn drop(&mut self) {
        let ours = fs::read_to_string(&self.path)
            .is_ok_and(|text| text.trim_end().parse() == Ok(self.pid));
        if ours {
            // Nothing is left to do about a file that cannot be removed.
            let _ = fs::remove_file(&self.path);
        }
    }
}

// ------------------------------------------------------------------ the supervisor

/// `supervised`, as configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supervised {
    /// Nobody is told anything.
    No,
    /// systemd, through NOTIFY_SOCKET.
    Systemd,
    /// upstart, by stopping once ready.
    Upstart,
    /// Whichever of the two the environment shows.
    Auto,
}

impl Supervised {
    /// The settings with their names in redis.conf.
    pub const NAMES: [(&'static str, Supervised); 4] = [
        ("no", Supervised::No),
        ("systemd", Supervised::Systemd),
        ("upstart", Supervised::Upstart),
        ("auto", Supervised::Auto),
    ];

    /// Who supervises this process. A setting that the environment contradicts
    /// is nobody, with a warning in the log.
    pub fn detect(self) -> Supervisor {
        let found = self.resolve(
            std::env::var_os("NOTIFY_SOCKET"),
            std::env::var_os("UPSTART_JOB"),
        );
        found.unwrap_or_else(|missing| {
            log::warn!("supervised is set, but {missing} is not in the environment");
            Supervisor::Nobody
        })
    }

    /// Err names the variable that the setting calls for and that is missing.
    fn resolve<S: AsRef<OsStr>>(
        self,
        notify_socket: Option<S>,
        upstart_job: Option<S>,
    ) -> Result<Supervisor, &'static str> {
        let systemd = notify_socket.map(|_| Supervisor::Systemd);
        let upstart = upstart_job.map(|_| Supervisor::Upstart);
        match self {
            Supervised::No => Ok(Supervisor::Nobody),
            Supervised::Systemd => systemd.ok_or("NOTIFY_SOCKET"),
            Supervised::Upstart => upstart.ok_or("UPSTART_JOB"),
            Supervised::Auto => Ok(upstart.or(systemd).unwrap_or(Supervisor::Nobody)),
        }
    }
}

impl FromStr for Supervised {
    type Err = ();

    /// By name, in either case.
    fn from_str(text: &str) -> Result<Supervised, ()> {
        let found = Supervised::NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        found.map(|&(_, setting)| setting).ok_or(())
    }
}

/// Who supervises this process. Anybody but `Nobody` wants it in the
/// foreground, whatever `daemonize` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supervisor {
    /// Started by a shell, a container or a test.
    Nobody,
    /// systemd: notifications go through [`crate::systemd::Notifier`].
    Systemd,
    /// upstart with `expect stop`.
    Upstart,
}

impl Supervisor {
    /// The word for it in the `supervised` directive, which INFO shows.
    pub fn name(self) -> &'static str {
        match self {
            Supervisor::Nobody => "no",
            Supervisor::Systemd => "systemd",
            Supervisor::Upstart => "upstart",
        }
    }

    /// Whether `daemonize yes` is to be followed.
    pub fn allows_daemonize(self) -> bool {
        self == Supervisor::Nobody
    }

    /// For upstart: stop until it continues the process, which tells it that
    /// the server is ready. Nothing for the others.
    pub fn ready(self) {
        if self != Supervisor::Upstart {
            return;
        }
        let _ = sys::take_env("UPSTART_JOB");
        if let Err(error) = sys::stop_self() {
            log::warn!("Could not tell upstart: {}", sys::error_text(&error));
        }
    }
}

#[cfg(test)]
mod tests;
