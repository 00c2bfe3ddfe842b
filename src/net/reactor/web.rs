//! The web server's part of the loop: a few connections that read figures.
//!
//! They have a slab, tokens and a list of their own, so that nothing of theirs stands
//! in the way of clients. A turn answers at most one request of each.

use std::collections::VecDeque;
use std::time::Instant;

use mio::event::Event;
use mio::{Interest, Token};
use slab::Slab;

use super::Reactor;
use crate::base::clock::Millis;
use crate::base::sys;
use crate::config::Id;
use crate::exec::{Services, telemetry};
use crate::net::control::Shutdown;
use crate::net::http::conn::{HttpConn, Turn};
use crate::net::http::respond::{self, Status};
use crate::net::http::site::{Site, Source};
use crate::net::listen::Listener;
use crate::net::socket::{Address, Socket};

/// Readers at a time; a page, a scraper and a few probes need no more.
const CONNS_MAX: usize = 32;
/// Connections accepted in one turn.
const ACCEPTS_MAX: usize = 32;
/// Tokens of listeners, below those of clients' listeners.
const LISTENERS: usize = usize::MAX - 128;
/// What distinguishes tokens of these connections from those of clients, whose
/// generations have 30 bits.
const MARK: usize = 1 << 62;
const GENERATION_MASK: u32 = (1 << 30) - 1;

/// See the head of this file.
#[derive(Default)]
pub(super) struct Web {
    conns: Slab<HttpConn>,
    next_generation: u32,
    due: VecDeque<usize>,
    site: Site,
    accepts: bool,
}

impl Web {
    /// Whether there is something to do without another event.
    pub(super) fn is_due(&self) -> bool {
        self.accepts || !self.due.is_empty()
    }

    /// Takes an event that is one of ours; whether it is.
    pub(super) fn takes(&mut self, event: &Event) -> bool {
        let Token(token) = event.token();
        // Above are the listeners of clients, the signals and the waker.
        if token >= LISTENERS {
            let ours = token < super::LISTENERS;
            self.accepts |= ours;
            return ours;
        }
        if token & MARK == 0 {
            return false;
        }
        let (slot, generation) = (token & 0xffff_ffff, (token >> 32) as u32 & GENERATION_MASK);
        if (self.conns.get(slot)).is_some_and(|conn| conn.generation == generation) {
            self.queue(slot);
        }
        true
    }

    fn queue(&mut self, slot: usize) {
        if let Some(conn) = self.conns.get_mut(slot)
            && !conn.queued
        {
            conn.queued = true;
            self.due.push_back(slot);
        }
    }
}

impl Reactor {
    /// Has the poller watch the web server's listeners, where they are new to it.
    pub(super) fn listen_web(&mut self) -> std::io::Result<()> {
        if !self.control.take_web_exchanged() {
            return Ok(());
        }
        let registry = self.poll.registry();
        for (i, listener) in self.control.web_listeners().iter_mut().enumerate() {
            registry.register(listener, Token(LISTENERS + i), Interest::READABLE)?;
        }
        Ok(())
    }

    /// Accepts readers, and answers those that have asked.
    pub(super) fn run_web(&mut self, now: Millis) {
        if !self.web.is_due() {
            return;
        }
        if std::mem::take(&mut self.web.accepts) {
            let listeners = self.control.web_listeners().len();
            (0..listeners).for_each(|index| self.accept_readers(index, now));
        }
        let instant = Instant::now();
        for _ in 0..self.web.due.len() {
            if let Some(slot) = self.web.due.pop_front() {
                self.turn_of_reader(slot, now, instant);
            }
        }
    }

    fn accept_readers(&mut self, index: usize, now: Millis) {
        for _ in 0..ACCEPTS_MAX {
            let accepted = self
                .control
                .web_listeners()
                .get(index)
                .map(Listener::accept);
            match accepted {
                Some(Ok((socket, _))) => self.admit_reader(socket, now),
                Some(Err(error)) if sys::is_out_of_descriptors(&error) => {
                    log::warn!("Accepting a reader of metrics: {error}");
                    return;
                }
                Some(Err(error)) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Some(Err(_)) => {}
                None => return,
            }
        }
        // More may be waiting, and the edge is gone.
        self.web.accepts = true;
    }

    fn admit_reader(&mut self, socket: Socket, now: Millis) {
        let loopback = match socket.local() {
            Address::Ip(address) => address.ip().to_canonical().is_loopback(),
            Address::Unix(_) | Address::Unknown => false,
        };
        // A failure to set an option leaves a usable connection.
        let _ = socket.set_nodelay(true);
        let generation = self.web.next_generation;
        self.web.next_generation = (generation + 1) & GENERATION_MASK;
        let mut conn = HttpConn::new(socket, generation, loopback, Instant::now());
        if self.web.conns.len() >= CONNS_MAX {
            conn.refuse(Status::Unavailable, now);
            let _ = conn.turn(now, Instant::now(), |_, _, _| {});
            return;
        }
        let slot = self.web.conns.insert(conn);
        let token = Token(MARK | (generation as usize) << 32 | slot);
        let registry = self.poll.registry();
        let conn = &self.web.conns[slot];
        if let Err(error) = registry.register(&mut &conn.socket, token, Interest::READABLE) {
            log::warn!("A reader of metrics cannot be served: {error}");
            self.web.conns.remove(slot);
            return;
        }
        self.web.queue(slot);
    }

    fn turn_of_reader(&mut self, slot: usize, now: Millis, instant: Instant) {
        let Web { conns, site, .. } = &mut self.web;
        let Some(conn) = conns.get_mut(slot) else {
            return;
        };
        conn.queued = false;
        let loopback = conn.loopback;
        let source = Figures {
            services: &self.services,
            draining: self.control.shutdown() != Shutdown::No,
        };
        let turn = conn.turn(now, instant, |request, manner, out| {
            let answer = site.answer(request, loopback, &source, now);
            respond::write(out, answer, manner);
        });
        match turn {
            Turn::Over => self.close_reader(slot),
            Turn::Again => {
                self.watch_reader(slot);
                self.web.queue(slot);
            }
            Turn::Wait => self.watch_reader(slot),
        }
    }

    /// Registers for writability while there is something to send, and only then.
    fn watch_reader(&mut self, slot: usize) {
        let Some(conn) = self.web.conns.get_mut(slot) else {
            return;
        };
        if conn.wants_write == conn.has_output() {
            return;
        }
        conn.wants_write = conn.has_output();
        let interest = if conn.wants_write {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        let token = Token(MARK | (conn.generation as usize) << 32 | slot);
        let registry = self.poll.registry();
        if registry
            .reregister(&mut &conn.socket, token, interest)
            .is_err()
        {
            self.close_reader(slot);
        }
    }

    fn close_reader(&mut self, slot: usize) {
        if let Some(conn) = self.web.conns.try_remove(slot) {
            // It fails only for a socket that is gone already.
            let _ = self.poll.registry().deregister(&mut &conn.socket);
        }
    }

    /// Ends readers whose time is over.
    pub(super) fn look_after_readers(&mut self, instant: Instant) {
        let late: Vec<usize> = (self.web.conns.iter())
            .filter(|(_, conn)| conn.is_late(instant))
            .map(|(slot, _)| slot)
            .collect();
        late.into_iter().for_each(|slot| self.close_reader(slot));
    }
}

/// Where the web server's texts come from.
struct Figures<'a> {
    services: &'a Services,
    draining: bool,
}

impl Source for Figures<'_> {
    fn metrics(&self, now: Millis) -> String {
        telemetry::prometheus(self.services, now)
    }

    fn figures(&self, now: Millis) -> String {
        telemetry::json(self.services, now)
    }

    fn readiness(&self) -> Result<(), &'static str> {
        if self.draining {
            return Err("shutting down\n");
        }
        if self.services.persist.is_loading() {
            return Err("loading\n");
        }
        Ok(())
    }

    fn password(&self) -> Vec<u8> {
        self.services.config.text(Id::REQUIREPASS).to_vec()
    }
}
