//! Letting connections in: accepting, refusing, and what a connection is given.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::Interest;

use super::{Reactor, token};
use crate::base::clock;
use crate::clients::Arrival;
use crate::config::Id;
use crate::exec::batch::ConnId;
use crate::exec::{Batch, Outlet};
use crate::net::conn::Conn;
use crate::net::listen::Listener;
use crate::net::socket::{Address, Socket};

/// Connections accepted from one listener in one turn.
const ACCEPTS_MAX: usize = 1024;
/// Pause after the system has refused a descriptor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Reactor {
    fn accept(&mut self, index: usize) {
        for _ in 0..ACCEPTS_MAX {
            let Some(accepted) = self.control.listeners().get(index).map(Listener::accept) else {
                return;
            };
            match accepted {
                Ok((socket, peer)) => self.admit(socket, &peer),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    log::warn!("Accepting client connection: {error}");
                    self.accept_again = Some(Instant::now() + ACCEPT_PAUSE);
                    return;
                }
            }
        }
        // More may be waiting, and the edge is gone.
        self.accept_again = Some(Instant::now());
    }

    /// Accepts when a listener is readable, and again where a turn's bound or a
    /// shortage had cut it off.
    pub(super) fn accept_due(&mut self) {
        if self.accept_again.is_some_and(|at| Instant::now() >= at) {
            self.accept_again = None;
            let listeners = self.control.listeners().len();
            for index in 0..listeners {
                self.accept(index);
            }
        }
    }

    fn admit(&mut self, socket: Socket, peer: &Address) {
        let config = &self.services.config;
        let counters = &self.executor.metrics().counters;
        if self.conns.len() >= config.size(Id::MAXCLIENTS) {
            counters.refused.add(1);
            return turn_away(&socket, b"-ERR max number of clients reached\r\n");
        }
        let has_password = !config.text(Id::REQUIREPASS).is_empty();
        if config.flag(Id::PROTECTED_MODE) && !has_password && !peer.is_local() {
            counters.refused.add(1);
            return turn_away(&socket, PROTECTED_TEXT);
        }
        counters.connections.add(1);
        if let Err(error) = self.register(socket, peer, !has_password) {
            log::warn!("A new connection cannot be served: {error}");
        }
    }

    fn register(&mut self, socket: Socket, peer: &Address, open: bool) -> io::Result<()> {
        // A failure to set an option leaves a usable connection.
        let keepalive = self.services.config.int(Id::TCP_KEEPALIVE).max(0) as u32;
        let _ = socket
            .set_nodelay(true)
            .and_then(|()| socket.set_keepalive(keepalive));
        let client = self.services.clients.register(Arrival {
            address: peer.to_string(),
            local_address: socket.local().to_string(),
            fd: socket.as_raw_fd(),
            unix: socket.is_unix(),
            now: clock::now(),
        });
        let socket = Arc::new(socket);
        let generation = self.next_generation;
        self.next_generation = self.next_generation.wrapping_add(1) & 0x3fff_ffff;
        let entry = self.conns.vacant_entry();
        let slot = entry.key();
        let id = ConnId {
            slot: slot as u32,
            generation,
        };
        (client.token).store(token(id).0 as u64, std::sync::atomic::Ordering::Relaxed);
        let outlet: Arc<dyn Outlet> = Arc::clone(&socket) as _;
        let mut batch = Box::new(Batch::new(id, client, open, outlet));
        batch.log = self.services.aof().map(|aof| Arc::clone(aof.log()));
        entry.insert(Conn::new(Arc::clone(&socket), batch, generation));
        let registered =
            (self.poll.registry()).register(&mut &*socket, token(id), Interest::READABLE);
        if registered.is_err() {
            self.close(slot);
            return registered;
        }
        self.queue(slot);
        Ok(())
    }
}

/// Tells a connection that it is not served, and drops it.
fn turn_away(socket: &Socket, text: &[u8]) {
    // Whether the peer still reads it is not our concern.
    let _ = io::Write::write(&mut &*socket, text);
}

const PROTECTED_TEXT: &[u8] = b"-DENIED FlashKV is running in protected mode because no password \
is set for the default user. In this mode connections are only accepted from the loopback \
interface and over the Unix socket. To accept others, set a password with 'requirepass', or set \
'protected-mode no' and make sure that nobody else can reach the server.\r\n";
