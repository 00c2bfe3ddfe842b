//! A connected socket and its address, the same for TCP and Unix.
//!
//! A `Socket` is shared: the reactor polls and reads it while a worker writes
//! replies through the same `Arc`. So everything works through `&Socket`, as
//! the kernel's own calls do: `Read`, `Write`, and `mio::event::Source`, which
//! registers the descriptor itself. Nothing here buffers, frames or decides.

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use socket2::{SockRef, TcpKeepalive};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

/// Unanswered probes after which a silent peer is taken for dead.
const KEEPALIVE_PROBES: u32 = 3;

/// A connected, non-blocking stream socket.
#[derive(Debug)]
pub enum Socket {
    /// Over IPv4 or IPv6.
    Tcp(TcpStream),
    /// On this machine, through a path or an abstract name.
    Unix(UnixStream),
}

impl Socket {
    /// The peer's address; a Unix peer has none of its own, so the server's.
    pub fn peer(&self) -> Address {
        match self {
            Socket::Tcp(stream) => Address::from_ip(stream.peer_addr()),
            Socket::Unix(_) => self.local(),
        }
    }

    /// The server's address of this connection.
    pub fn local(&self) -> Address {
        match self {
            Socket::Tcp(stream) => Address::from_ip(stream.local_addr()),
            Socket::Unix(stream) => Address::from_unix(stream.local_addr()),
        }
    }

    /// Whether it is a Unix socket.
    pub fn is_unix(&self) -> bool {
        matches!(self, Socket::Unix(_))
    }

    /// Send small segments at once. Nothing to do for a Unix socket.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.set_nodelay(on),
            Socket::Unix(_) => Ok(()),
        }
    }

    /// Probe a peer that has been silent for `secs` seconds, and give it up
    /// after three probes a third of that apart (Redis's `tcp-keepalive`). 0
    /// turns probing off. Nothing to do for a Unix socket.
    pub fn set_keepalive(&self, secs: u32) -> io::Result<()> {
        let Socket::Tcp(stream) = self else {
            return Ok(());
        };
        let socket = SockRef::from(stream);
        if secs == 0 {
            return socket.set_keepalive(false);
        }
        let (idle, between) = (u64::from(secs), u64::from(secs / 3).max(1));
        let probes = TcpKeepalive::new()
            .with_time(Duration::from_secs(idle))
            .with_interval(Duration::from_secs(between))
            .with_retries(KEEPALIVE_PROBES);
        socket.set_tcp_keepalive(&probes)
    }

    /// End the connection in both directions. Whoever reads or writes it in
    /// another thread is told at once; the descriptor is closed on drop.
    pub fn shutdown(&self) -> io::Result<()> {
        SockRef::from(self).shutdown(Shutdown::Both)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
        }
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl Read for &Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match *self {
            Socket::Tcp(stream) => (&*stream).read(into),
            Socket::Unix(stream) => (&*stream).read(into),
        }
    }

    fn read_vectored(&mut self, into: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        match *self {
            Socket::Tcp(stream) => (&*stream).read_vectored(into),
            Socket::Unix(stream) => (&*stream).read_vectored(into),
        }
    }
}

impl Write for &Socket {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match *self {
            Socket::Tcp(stream) => (&*stream).write(from),
            Socket::Unix(stream) => (&*stream).write(from),
        }
    }

    fn write_vectored(&mut self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        match *self {
            Socket::Tcp(stream) => (&*stream).write_vectored(from),
            Socket::Unix(stream) => (&*stream).write_vectored(from),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for &Socket {
    fn register(&mut self, poll: &Registry, token: Token, what: Interest) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).register(poll, token, what)
    }

    fn reregister(&mut self, poll: &Registry, token: Token, what: Interest) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).reregister(poll, token, what)
    }

    fn deregister(&mut self, poll: &Registry) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).deregister(poll)
    }
}

/// One end of a connection. Its Display is Redis's `addr=`: `127.0.0.1:50000`,
/// `[::1]:50000`, `/run/flashkv.sock:0`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// IPv4 or IPv6 with a port.
    Ip(SocketAddr),
    /// The path of the server's Unix socket, `@name` for an abstract one.
    Unix(Arc<str>),
    /// The peer was gone before it could be asked.
    Unknown,
}

impl Address {
    pub(super) fn from_ip(answer: io::Result<SocketAddr>) -> Address {
        answer.map_or(Address::Unknown, Address::Ip)
    }

    pub(super) fn from_unix(answer: io::Result<std::os::unix::net::SocketAddr>) -> Address {
        answer.map_or(Address::Unknown, |address| {
            Address::Unix(unix_name(&address))
        })
    }

    /// Whether the peer is on this machine: the loopback network (also when
    /// IPv6 carries it) or a Unix socket. Protected mode asks.
    pub fn is_local(&self) -> bool {
        match self {
            Address::Ip(address) => address.ip().to_canonical().is_loopback(),
            Address::Unix(_) => true,
            Address::Unknown => false,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Unlike SocketAddr's own text this leaves out an IPv6 scope, as
            // Redis does.
            Address::Ip(address) => match address.ip() {
                IpAddr::V4(ip) => write!(f, "{ip}:{}", address.port()),
                IpAddr::V6(ip) => write!(f, "[{ip}]:{}", address.port()),
            },
            Address::Unix(path) => write!(f, "{path}:0"),
            Address::Unknown => f.write_str("?:0"),
        }
    }
}

fn unix_name(address: &std::os::unix::net::SocketAddr) -> Arc<str> {
    if let Some(path) = address.as_pathname() {
        return path.to_string_lossy().into();
    }
    #[cfg(target_os = "linux")]
    if let Some(name) = std::os::linux::net::SocketAddrExt::as_abstract_name(address) {
        return format!("@{}", String::from_utf8_lossy(name)).into();
    }
    "".into()
}

#[cfg(test)]
mod tests;
