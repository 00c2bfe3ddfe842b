//! The two conversations with systemd: what the server tells it (`sd_notify`)
//! and what it hands the server (socket activation).
//!
//! Both are small text protocols, so there is no library. A notification is one
//! datagram of `KEY=value` lines to the socket named by NOTIFY_SOCKET; inherited
//! sockets are the descriptors from 3 on, LISTEN_FDS of them, if LISTEN_PID is
//! this process.
//!
//! What must stay true:
//! - Outside systemd everything here does nothing and costs a comparison.
//! - A notification never fails the server and never makes it wait: the socket
//!   does not block, and an error is a debug line in the log. Only READY, sent
//!   once and before anybody is served, waits for a full queue: without it the
//!   manager would end a server that works.
//! - A descriptor that is not a listening stream socket is an error with its
//!   number in it, never a guess: the server would serve the wrong thing.
//! - The variables are taken out of the environment (by boot, while there is
//!   one thread), so that no child process speaks in the server's name.

use crate::base::sys;
use crate::net::listen::Listener;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// How long READY may wait for room in the service manager's queue. Any other
/// message is given up at once.
const READY_PATIENCE: Duration = Duration::from_secs(5);

/// More descriptors than any unit file lists: a larger LISTEN_FDS is an error.
const INHERITED_MAX: usize = 256;

// -------------------------------------------------------------- notifications

/// Tells the service manager how the server is doing (sd_notify(3)).
///
/// Shared by reference; every method but `ready` is one non-blocking `sendto`.
pub struct Notifier {
    peer: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// A notifier that says nothing.
    pub fn silent() -> Notifier {
        Notifier {
            peer: None,
            watchdog: None,
        }
    }

    /// The notifier that NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID call
    /// for, silent without them. Removes them from the environment while the
    /// process has one thread.
    pub fn from_env() -> Notifier {
        let socket = sys::take_env("NOTIFY_SOCKET");
        let timeout = sys::take_env("WATCHDOG_USEC");
        let pid = sys::take_env("WATCHDOG_PID");
        Notifier {
            peer: socket.and_then(|name| connect_or_log(&name)),
            watchdog: watchdog_interval(timeout.as_deref(), pid.as_deref()),
        }
    }

    /// Whether anybody listens.
    pub fn is_active(&self) -> bool {
        self.peer.is_some()
    }

    /// The server accepts connections; `status` is shown by `systemctl status`.
    /// Waits up to 5 s for a manager that is behind with reading.
    pub fn ready(&self, status: &str) {
        self.set_patient(true);
        self.send(&format!("READY=1\nSTATUS={}", one_line(status)));
        self.set_patient(false);
    }

    /// What the server is doing, for people.
    pub fn status(&self, text: &str) {
        self.send(&format!("STATUS={}", one_line(text)));
    }

    /// The server has begun to shut down.
    pub fn stopping(&self, status: &str) {
        self.send(&format!("STOPPING=1\nSTATUS={}", one_line(status)));
    }

    /// The server is reloading; [`Notifier::ready`] ends it.
    pub fn reloading(&self) {
        self.send(&format!(
            "RELOADING=1\nMONOTONIC_USEC={}",
            sys::monotonic_usec()
        ));
    }

    /// Sign of life; due every [`Notifier::watchdog_interval`].
    pub fn watchdog(&self) {
        if self.watchdog.is_some() {
            self.send("WATCHDOG=1");
        }
    }

    /// How often to call [`Notifier::watchdog`]: half of what the unit allows,
    /// as sd_watchdog_enabled(3) advises. None when the unit has no watchdog.
    pub fn watchdog_interval(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Ask that the start or the stop under way be given `time` from now,
    /// beyond the unit's timeout. Repeated while data is loaded or saved.
    pub fn extend_timeout(&self, time: Duration) {
        self.send(&format!("EXTEND_TIMEOUT_USEC={}", time.as_micros()));
    }

    /// Whether to wait when the manager's queue is full.
    fn set_patient(&self, patient: bool) {
        if let Some((socket, _)) = &self.peer {
            // If it cannot be changed, the message may be lost; it is sent anyway.
            let _ = socket.set_nonblocking(!patient);
        }
    }

    fn send(&self, message: &str) {
        let Some((socket, address)) = &self.peer else {
            return;
        };
        if let Err(error) = socket.send_to_addr(message.as_bytes(), address) {
            log::debug!(
                "could not notify the service manager: {}",
                sys::error_text(&error)
            );
        }
    }
}

fn connect_or_log(name: &OsStr) -> Option<(UnixDatagram, SocketAddr)> {
    connect(name)
        .inspect_err(|error| log::debug!("NOTIFY_SOCKET={} is of no use: {error}", name.display()))
        .ok()
}

fn connect(name: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = notify_address(name)?;
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.set_write_timeout(Some(READY_PATIENCE))?;
    Ok((socket, address))
}

/// NOTIFY_SOCKET is a path, or a name in Linux's abstract namespace after `@`.
fn notify_address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(name),
        #[cfg(target_os = "linux")]
        [b'@', rest @ ..] => {
            <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(rest)
        }
        _ => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "neither a path nor an @name",
        )),
    }
}

/// A line break in a status would start another assignment.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// Half of WATCHDOG_USEC, if it is positive and WATCHDOG_PID, where given, is
/// this process.
fn watchdog_interval(timeout: Option<&OsStr>, pid: Option<&OsStr>) -> Option<Duration> {
    let usec: u64 = timeout?.to_str()?.parse().ok()?;
    let ours = pid.is_none_or(is_our_pid);
    (usec > 0 && ours).then(|| Duration::from_micros(usec) / 2)
}

fn is_our_pid(text: &OsStr) -> bool {
    text.to_str().and_then(|text| text.parse().ok()) == Some(std::process::id())
}

// ---------------------------------------------------------- socket activation

/// A listening socket that the service manager opened.
#[derive(Debug)]
pub struct Inherited {
    /// `FileDescriptorName=` of its unit; `unknown` when it has none.
    pub name: String,
    /// The socket, ready to accept from.
    pub socket: Listener,
}

/// Why the sockets handed over cannot be used. Its Display is a sentence for
/// the log; the server does not start.
#[derive(Debug)]
pub enum ActivationError {
    /// LISTEN_FDS is not a number up to 256.
    BadCount(String),
    /// The descriptors could not be taken.
    Lost(io::Error),
    /// The descriptor at this place is not a listening TCP or Unix stream
    /// socket; says what it is.
    Unfit {
        /// The descriptor's number.
        fd: usize,
        /// Its name from the unit.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl fmt::Display for ActivationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActivationError::BadCount(text) => {
                write!(
                    f,
                    "LISTEN_FDS={text} is not a number from 0 to {INHERITED_MAX}"
                )
            }
            ActivationError::Lost(error) => {
                write!(
                    f,
                    "cannot take the sockets of LISTEN_FDS: {}",
                    sys::error_text(error)
                )
            }
            ActivationError::Unfit { fd, name, reason } => {
                write!(
                    f,
                    "inherited descriptor {fd} ({name}) cannot be served: {reason}"
                )
            }
        }
    }
}

impl std::error::Error for ActivationError {}

/// The listening sockets that the service manager passed, in its order; empty
/// when it passed none or they are meant for another process. They are
/// close-on-exec from here on. Once per process, before any thread and before
/// becoming a daemon, which would change the process id.
pub fn listen_fds() -> Result<Vec<Inherited>, ActivationError> {
    let pid = sys::take_env("LISTEN_PID");
    let count = sys::take_env("LISTEN_FDS").unwrap_or_default();
    let names = sys::take_env("LISTEN_FDNAMES").unwrap_or_default();
    let count = if pid.is_some_and(|pid| is_our_pid(&pid)) {
        parse_count(&count)?
    } else {
        0
    };
    if count == 0 {
        return Ok(Vec::new());
    }
    let fds = sys::adopt_inherited_fds(count).map_err(ActivationError::Lost)?;
    let names = fd_names(names, count);
    let first = sys::FIRST_INHERITED_FD as usize;
    fds.into_iter()
        .zip(names)
        .enumerate()
        .map(|(i, (fd, name))| identify(first + i, fd, name))
        .collect()
}

fn parse_count(text: &OsStr) -> Result<usize, ActivationError> {
    let count = text.to_str().and_then(|text| text.parse().ok());
    let bad = || ActivationError::BadCount(text.to_string_lossy().into_owned());
    count
        .filter(|&count| count <= INHERITED_MAX)
        .ok_or_else(bad)
}

/// One name for each of `count` descriptors from LISTEN_FDNAMES (`a:b:c`).
fn fd_names(names: OsString, count: usize) -> Vec<String> {
    let names = names.to_string_lossy();
    let given = names
        .split(':')
        .filter(|name| !name.is_empty())
        .map(str::to_owned);
    given
        .chain(std::iter::repeat("unknown".to_owned()))
        .take(count)
        .collect()
}

fn identify(number: usize, fd: OwnedFd, name: String) -> Result<Inherited, ActivationError> {
    match classify(fd) {
        Ok(socket) => Ok(Inherited { name, socket }),
        Err(reason) => Err(ActivationError::Unfit {
            fd: number,
            name,
            reason,
        }),
    }
}

fn classify(fd: OwnedFd) -> Result<Listener, String> {
    let socket = socket2::Socket::from(fd);
    let kind = socket
        .r#type()
        .map_err(|_| "it is not a socket".to_owned())?;
    if kind != socket2::Type::STREAM {
        return Err("it is not a stream socket (use ListenStream=)".to_owned());
    }
    if !is_listening(&socket) {
        return Err("it is a connection, not a listening socket (use Accept=no)".to_owned());
    }
    let address = socket
        .local_addr()
        .map_err(|error| sys::error_text(&error))?;
    let listener = match address.domain() {
        socket2::Domain::IPV4 | socket2::Domain::IPV6 => Listener::from_tcp(socket.into()),
        socket2::Domain::UNIX => Listener::from_unix(OwnedFd::from(socket).into()),
        _ => return Err("it is neither an IP nor a Unix socket".to_owned()),
    };
    listener.map_err(|error| sys::error_text(&error))
}

/// Systems that cannot tell get the benefit of the doubt: `accept` will say.
fn is_listening(socket: &socket2::Socket) -> bool {
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
    return socket.is_listener().unwrap_or(true);
    #[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
    {
        let _ = socket;
        true
    }
}

#[cfg(test)]
mod tests;
