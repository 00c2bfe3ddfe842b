//! What the server tells systemd (`sd_notify`).
//!
//! That is a small text protocol, so there is no library: a notification is one
//! datagram of `KEY=value` lines to the socket named by NOTIFY_SOCKET.
//!
//! What must stay true:
//! - Outside systemd everything here does nothing and costs a comparison.
//! - A notification never fails the server and never makes it wait: the socket
//!   does not block, and an error is a debug line in the log. Only READY, sent
//!   once and before anybody is served, waits for a full queue: without it the
//!   manager would end a server that works.
//! - The variables are taken out of the environment (by boot, while there is
//!   one thread), so that no child process speaks in the server's name.

use crate::base::sys;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// How long READY may wait for room in the service manager's queue. Any other
/// message is given up at once.
const READY_PATIENCE: Duration = Duration::from_secs(5);

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

/// Whether `text` is this process's id.
pub fn is_our_pid(text: &OsStr) -> bool {
    text.to_str().and_then(|text| text.parse().ok()) == Some(std::process::id())
}

#[cfg(test)]
mod tests;
