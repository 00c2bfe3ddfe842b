//! One connection of the web server: bytes in, bytes out, one request at a time.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use super::parse::{self, HEAD_MAX, Request};
use super::respond::{self, Answer, Manner, Status};
use crate::base::clock::Millis;
use crate::net::socket::Socket;

/// How long a connection may take for a request, its answer, or the silence between
/// two. A page asks every second.
pub const EXCHANGE_MAX: Duration = Duration::from_secs(15);

/// What became of a connection's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It waits for the socket.
    Wait,
    /// Another request may be there already.
    Again,
    /// It has ended.
    Over,
}

/// See the head of this file.
#[derive(Debug)]
pub struct HttpConn {
    pub socket: Socket,
    pub generation: u32,
    /// It came to a loopback address.
    pub loopback: bool,
    /// The socket is registered for writability.
    pub wants_write: bool,
    /// It stands in the list of those to look at.
    pub queued: bool,
    input: Vec<u8>,
    output: Vec<u8>,
    sent: usize,
    deadline: Instant,
    closes: bool,
    /// The peer sends no more.
    ended: bool,
}

impl HttpConn {
    /// A fresh connection.
    pub fn new(socket: Socket, generation: u32, loopback: bool, now: Instant) -> HttpConn {
        HttpConn {
            socket,
            generation,
            loopback,
            wants_write: false,
            queued: false,
            input: Vec::new(),
            output: Vec::new(),
            sent: 0,
            deadline: now + EXCHANGE_MAX,
            closes: false,
            ended: false,
        }
    }

    /// Whether its time is over.
    pub fn is_late(&self, now: Instant) -> bool {
        now >= self.deadline
    }

    /// Whether something waits to be sent.
    pub fn has_output(&self) -> bool {
        self.sent < self.output.len()
    }

    /// Sends, reads, and answers at most one request with what `answer` appends.
    pub fn turn(
        &mut self,
        now: Millis,
        instant: Instant,
        answer: impl FnOnce(&Request<'_>, Manner, &mut Vec<u8>),
    ) -> Turn {
        if self.has_output() {
            return self.send();
        }
        if self.receive().is_err() {
            return Turn::Over;
        }
        let used = match parse::head(&self.input) {
            Ok(None) if self.ended => return Turn::Over,
            Ok(None) => return Turn::Wait,
            Ok(Some((request, used))) => {
                self.closes = !request.keep_alive;
                let manner = Manner {
                    head_only: request.head_only,
                    keep_alive: request.keep_alive,
                    now,
                };
                answer(&request, manner, &mut self.output);
                used
            }
            Err(status) => {
                self.refuse(status, now);
                self.input.len()
            }
        };
        self.input.drain(..used);
        self.deadline = instant + EXCHANGE_MAX;
        self.send()
    }

    /// Answers with an error and ends.
    pub fn refuse(&mut self, status: Status, now: Millis) {
        self.closes = true;
        let manner = Manner {
            head_only: false,
            keep_alive: false,
            now,
        };
        respond::write(&mut self.output, Answer::of(status), manner);
    }

    /// Reads until the socket has no more or the longest head would be exceeded.
    fn receive(&mut self) -> io::Result<()> {
        let mut room = [0; HEAD_MAX];
        while self.input.len() < HEAD_MAX && !self.ended {
            let room = &mut room[..HEAD_MAX - self.input.len()];
            match (&self.socket).read(room) {
                Ok(0) => self.ended = true,
                Ok(bytes) => self.input.extend_from_slice(&room[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn send(&mut self) -> Turn {
        while self.has_output() {
            match (&self.socket).write(&self.output[self.sent..]) {
                Ok(bytes) => self.sent += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Turn::Wait,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Turn::Over,
            }
        }
        (self.output, self.sent) = (Vec::new(), 0);
        if !self.closes {
            return Turn::Again;
        }
        self.pass_over_rest();
        Turn::Over
    }

    /// Reads what is left of what was refused: a socket that is closed with bytes
    /// unread takes the answer back before the peer has it.
    fn pass_over_rest(&mut self) {
        const READS_MAX: usize = 16;
        let mut room = [0; HEAD_MAX];
        for _ in 0..READS_MAX {
            if !matches!((&self.socket).read(&mut room), Ok(1..)) {
                return;
            }
        }
    }
}
