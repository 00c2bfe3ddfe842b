//! Listening sockets, and the connected sockets that come out of them.
//!
//! `Listeners` opens what `bind`, `port` and `unixsocket` ask for, with Redis's
//! meaning and error texts, or takes over what systemd has opened. It hides
//! whether a socket is TCP or Unix from the reactor, and nothing more: how many
//! clients may come, and what an error in `accept` means, is decided there.
//!
//! What must stay true:
//! - Every socket here is non-blocking and close-on-exec.
//! - The Unix socket has its final permissions before the first connection can
//!   reach it: bind, chmod, and only then listen. No umask is involved, which
//!   other threads would share.
//! - Only a socket is ever unlinked, and at shutdown only the one made here.

use super::socket::{Address, Socket};
use crate::base::sys;
use mio::event::Source;
use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};
use socket2::{Domain, SockAddr, Type};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

// ------------------------------------------------------------------- listeners

/// What to listen on, as the configuration says it.
#[derive(Clone, Copy, Debug)]
pub struct ListenSpec<'a> {
    /// `bind`: addresses or host names. `*` is every IPv4 address, `::*` every
    /// IPv6 address; after a leading `-`, an address that this machine lacks
    /// is skipped.
    pub bind: &'a [String],
    /// `port`; 0 is no TCP.
    pub port: u16,
    /// `tcp-backlog`: connections that may wait to be accepted.
    pub backlog: u32,
    /// `unixsocket`.
    pub unix_path: Option<&'a Path>,
    /// `unixsocketperm`: permission bits; None leaves them to the umask.
    pub unix_mode: Option<u32>,
}

/// Why a socket could not be opened, in Redis's words.
#[derive(Debug)]
pub enum ListenError {
    /// A TCP address; `call` is the one that failed.
    Tcp {
        /// As configured (`*` for the wildcards), with the port.
        address: String,
        /// `getaddrinfo`, `socket`, `bind` or `listen`.
        call: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// The Unix socket.
    Unix {
        /// Its path.
        path: PathBuf,
        /// `unlink`, `socket`, `bind`, `chmod` or `listen`.
        call: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// Neither a TCP address nor a Unix socket is configured.
    Nowhere,
}

impl ListenError {
    /// What the user can do about it, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        let (ListenError::Tcp { source, .. } | ListenError::Unix { source, .. }) = self else {
            return Some("Set port or unixsocket.");
        };
        match source.kind() {
            io::ErrorKind::AddrInUse => Some(
                "Another server is listening there (see `ss -ltnp`): stop it, or choose another port with --port.",
            ),
            io::ErrorKind::AddrNotAvailable => Some(
                "No interface of this machine has that address: change bind, or put - before the address.",
            ),
            io::ErrorKind::PermissionDenied => Some(
                "Ports below 1024 need CAP_NET_BIND_SERVICE; a Unix socket needs a writable directory.",
            ),
            _ => None,
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenError::Tcp {
                address,
                call,
                source,
            } => {
                let text = sys::error_text(source);
                write!(
                    f,
                    "Could not create server TCP listening socket {address}: {call}: {text}"
                )
            }
            ListenError::Unix { path, call, source } => {
                let (path, text) = (path.display(), sys::error_text(source));
                write!(f, "Failed opening Unix socket {path}: {call}: {text}")
            }
            ListenError::Nowhere => write!(f, "Configured to not listen anywhere, exiting."),
        }
    }
}

impl std::error::Error for ListenError {}

/// The sockets that the server accepts from. Dropping it closes them and
/// removes the Unix socket's path.
#[derive(Debug, Default)]
pub struct Listeners {
    sockets: Vec<Listener>,
    unix_file: Option<UnixFile>,
}

impl Listeners {
    /// Open everything `spec` names, or nothing. A name is resolved by the
    /// system, which may take its time: for boot and CONFIG SET only.
    pub fn open(spec: &ListenSpec<'_>) -> Result<Listeners, ListenError> {
        let mut all = Listeners::default();
        warn_of_low_somaxconn(spec.backlog);
        if spec.port != 0 {
            for address in spec.bind {
                all.sockets.extend(open_tcp(address, spec)?);
            }
        }
        if let Some(path) = spec.unix_path {
            let (socket, file) = open_unix(path, spec)?;
            all.sockets.push(socket);
            all.unix_file = Some(file);
        }
        if all.sockets.is_empty() {
            Err(ListenError::Nowhere)
        } else {
            Ok(all)
        }
    }

    /// Accept from sockets that the service manager opened. Their paths are
    /// its to remove.
    pub fn adopt(sockets: Vec<Listener>) -> Listeners {
        Listeners {
            sockets,
            unix_file: None,
        }
    }

    /// How many there are; each has its index for a token.
    pub fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// The one at `index`, if there is.
    pub fn get(&self, index: usize) -> Option<&Listener> {
        self.sockets.get(index)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Listener> {
        self.sockets.iter()
    }

    /// All of them, to be registered.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Listener> {
        self.sockets.iter_mut()
    }

    /// Their addresses as text, for the log and STATUS: `127.0.0.1:6379, /run/x`.
    pub fn describe(&self) -> String {
        let texts: Vec<String> = self.iter().map(|one| one.address().to_string()).collect();
        texts.join(", ")
    }
}

/// The path of a Unix socket made here, removed when dropped unless somebody
/// has put another file in its place.
#[derive(Debug)]
struct UnixFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl UnixFile {
    /// Absolute, because `dir` may change the working directory later.
    fn new(path: &Path) -> UnixFile {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let identity = file_identity(&path);
        UnixFile { path, identity }
    }
}

impl Drop for UnixFile {
    fn drop(&mut self) {
        if self.identity.is_some() && file_identity(&self.path) == self.identity {
            // Nothing is left to do about a path that cannot be removed.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn file_identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path)
        .ok()
        .map(|m| (m.dev(), m.ino()))
}

// --------------------------------------------------------------- opening them

/// The socket for one word of `bind`; None where it may be missing and is.
fn open_tcp(word: &str, spec: &ListenSpec<'_>) -> Result<Option<Listener>, ListenError> {
    let (optional, host) = word
        .strip_prefix('-')
        .map_or((false, word), |host| (true, host));
    let shown = if host == "::*" { "*" } else { host };
    let failed = |(call, source)| ListenError::Tcp {
        address: with_port(shown, spec.port),
        call,
        source,
    };
    match resolve(host, spec.port).and_then(|all| bind_first(&all, spec.backlog)) {
        Ok(listener) => Ok(Some(listener)),
        Err((_, source)) if may_be_missing(&source, optional) => {
            log::info!(
                "Skipping {}: {}",
                with_port(word, spec.port),
                sys::error_text(&source)
            );
            Ok(None)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Redis forgives a protocol that the kernel lacks always, an address that no
/// interface has only after a `-`.
fn may_be_missing(error: &io::Error, optional: bool) -> bool {
    sys::is_protocol_missing(error) || optional && error.kind() == io::ErrorKind::AddrNotAvailable
}

/// The call that failed, and the system's answer.
type CallError = (&'static str, io::Error);

fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, CallError> {
    let ip: IpAddr = match host {
        "*" => Ipv4Addr::UNSPECIFIED.into(),
        "::*" => Ipv6Addr::UNSPECIFIED.into(),
        name => {
            let all = (name, port).to_socket_addrs();
            return all
                .map(Iterator::collect)
                .map_err(|error| ("getaddrinfo", error));
        }
    };
    Ok(vec![SocketAddr::new(ip, port)])
}

/// The first address of a host that can be bound, as Redis takes it.
fn bind_first(addresses: &[SocketAddr], backlog: u32) -> Result<Listener, CallError> {
    let none = || ("getaddrinfo", io::Error::other("no address"));
    let mut failure = None;
    for address in addresses {
        match bind_tcp(*address, backlog) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(none))
}

fn bind_tcp(address: SocketAddr, backlog: u32) -> Result<Listener, CallError> {
    let socket = new_socket(Domain::for_address(address))?;
    let options = || {
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_reuse_address(true)
    };
    options().map_err(|error| ("setsockopt", error))?;
    socket
        .bind(&address.into())
        .map_err(|error| ("bind", error))?;
    listen(&socket, backlog)?;
    Ok(Listener::Tcp(TcpListener::from_std(socket.into())))
}

fn open_unix(path: &Path, spec: &ListenSpec<'_>) -> Result<(Listener, UnixFile), ListenError> {
    bind_unix(path, spec).map_err(|(call, source)| ListenError::Unix {
        path: path.to_owned(),
        call,
        source,
    })
}

fn bind_unix(path: &Path, spec: &ListenSpec<'_>) -> Result<(Listener, UnixFile), CallError> {
    remove_stale_socket(path).map_err(|error| ("unlink", error))?;
    let socket = new_socket(Domain::UNIX)?;
    let address = SockAddr::unix(path).map_err(|error| ("bind", error))?;
    socket.bind(&address).map_err(|error| ("bind", error))?;
    let file = UnixFile::new(path);
    if let Some(mode) = spec.unix_mode {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, mode).map_err(|error| ("chmod", error))?;
    }
    listen(&socket, spec.backlog)?;
    let listener = UnixListener::from_std(OwnedFd::from(socket).into());
    Ok((Listener::Unix(listener), file))
}

/// Redis unlinks whatever is at the path. A socket left behind by a crash is
/// the only thing that this server removes: `unixsocket` may be mistyped.
fn remove_stale_socket(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => std::fs::remove_file(path),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "a file that is not a socket is in the way",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn new_socket(domain: Domain) -> Result<socket2::Socket, CallError> {
    // socket2 sets close-on-exec in the same call where the system can.
    let socket = socket2::Socket::new(domain, Type::STREAM, None);
    let socket = socket.map_err(|error| ("socket", error))?;
    socket
        .set_nonblocking(true)
        .map_err(|error| ("fcntl", error))?;
    Ok(socket)
}

fn listen(socket: &socket2::Socket, backlog: u32) -> Result<(), CallError> {
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    socket.listen(backlog).map_err(|error| ("listen", error))
}

/// The kernel cuts a backlog above somaxconn without a word; Redis says so.
fn warn_of_low_somaxconn(backlog: u32) {
    const SOMAXCONN: &str = "/proc/sys/net/core/somaxconn";
    let Ok(text) = std::fs::read_to_string(SOMAXCONN) else {
        return;
    };
    match text.trim().parse::<u32>() {
        Ok(most) if most < backlog => log::warn!(
            "WARNING: The TCP backlog setting of {backlog} cannot be enforced because {SOMAXCONN} \
             is set to the lower value of {most}."
        ),
        _ => {}
    }
}

// ----------------------------------------------------------------- one listener

/// A socket to accept from.
#[derive(Debug)]
pub enum Listener {
    /// Over IPv4 or IPv6.
    Tcp(TcpListener),
    /// At a path or an abstract name.
    Unix(UnixListener),
}

impl Listener {
    /// A listening TCP socket from elsewhere, made non-blocking.
    pub fn from_tcp(socket: std::net::TcpListener) -> io::Result<Listener> {
        socket.set_nonblocking(true)?;
        Ok(Listener::Tcp(TcpListener::from_std(socket)))
    }

    /// A listening Unix socket from elsewhere, made non-blocking.
    pub fn from_unix(socket: std::os::unix::net::UnixListener) -> io::Result<Listener> {
        socket.set_nonblocking(true)?;
        Ok(Listener::Unix(UnixListener::from_std(socket)))
    }

    /// The next connection and who it is from. `WouldBlock` when none waits;
    /// see [`sys::is_out_of_descriptors`] for errors that will pass.
    pub fn accept(&self) -> io::Result<(Socket, Address)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept()?;
                Ok((Socket::Tcp(stream), Address::Ip(peer)))
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                Ok((Socket::Unix(stream), self.address()))
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> Address {
        match self {
            Listener::Tcp(listener) => Address::from_ip(listener.local_addr()),
            Listener::Unix(listener) => Address::from_unix(listener.local_addr()),
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Listener::Tcp(listener) => listener,
            Listener::Unix(listener) => listener,
        }
    }
}

impl Source for Listener {
    fn register(&mut self, poll: &Registry, token: Token, what: Interest) -> io::Result<()> {
        self.source().register(poll, token, what)
    }

    fn reregister(&mut self, poll: &Registry, token: Token, what: Interest) -> io::Result<()> {
        self.source().reregister(poll, token, what)
    }

    fn deregister(&mut self, poll: &Registry) -> io::Result<()> {
        self.source().deregister(poll)
    }
}

/// `host:port`, an IPv6 host in brackets.
fn with_port(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests;
