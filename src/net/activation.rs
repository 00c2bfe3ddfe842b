//! What systemd hands the server: listening sockets (socket activation).
//!
//! Inherited sockets are the descriptors from 3 on, LISTEN_FDS of them, if
//! LISTEN_PID is this process. A descriptor that is not a listening stream socket
//! is an error with its number in it, never a guess: the server would serve the
//! wrong thing. The variables are taken out of the environment (by boot, while
//! there is one thread), so that no child process takes the sockets for its own.

use super::listen::Listener;
use crate::base::sys;
use crate::systemd::is_our_pid;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;

/// More descriptors than any unit file lists: a larger LISTEN_FDS is an error.
const INHERITED_MAX: usize = 256;

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
