//! A client that adds nothing: what is given is sent, what comes is returned.
//!
//! It blocks, with a deadline on every read and write, so that a server which
//! goes silent fails a test instead of hanging it.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::reply::{Answer, Reply, escape};

/// How long a reply may take; generous, for sanitizers and busy machines.
const REPLY_LIMIT: Duration = Duration::from_secs(30);

/// One connection.
pub struct Client {
    input: BufReader<TcpStream>,
}

impl Client {
    /// Connects to a port of this machine.
    ///
    /// # Errors
    /// Those of `connect`.
    pub fn open(port: u16) -> io::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let stream = TcpStream::connect_timeout(&address, REPLY_LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_LIMIT))?;
        stream.set_write_timeout(Some(REPLY_LIMIT))?;
        Ok(Self {
            input: BufReader::new(stream),
        })
    }

    /// Connects, or fails the test.
    #[track_caller]
    pub fn connect(port: u16) -> Self {
        Self::open(port).unwrap_or_else(|error| panic!("connect to port {port}: {error}"))
    }

    /// The socket beneath, for shutdowns and odd reads.
    pub fn stream(&self) -> &TcpStream {
        self.input.get_ref()
    }

    /// Sends `bytes` as they are.
    ///
    /// # Errors
    /// Those of a write; a closed connection is one.
    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.input.get_mut().write_all(bytes)
    }

    /// Sends `bytes` as they are, or fails the test.
    #[track_caller]
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.try_send(bytes)
            .unwrap_or_else(|error| panic!("send {}: {error}", escape(bytes)));
    }

    /// Reads one reply.
    ///
    /// # Errors
    /// `UnexpectedEof` when the server closed, `WouldBlock` past the deadline.
    pub fn try_read(&mut self) -> io::Result<Answer> {
        Answer::read(&mut self.input)
    }

    /// Reads one reply, or fails the test.
    #[track_caller]
    pub fn read_reply(&mut self) -> Answer {
        self.try_read()
            .unwrap_or_else(|error| panic!("no reply: {error}"))
    }

    /// Sends one command as an array of bulk strings.
    #[track_caller]
    pub fn send(&mut self, args: &[impl AsRef<[u8]>]) {
        self.send_raw(&encode(args));
    }

    /// Sends one command and reads its reply.
    #[track_caller]
    pub fn cmd(&mut self, args: &[impl AsRef<[u8]>]) -> Reply {
        self.send(args);
        self.read_reply().reply
    }

    /// Sends one command and fails the test unless the reply is `raw`, byte for
    /// byte.
    #[track_caller]
    pub fn expect(&mut self, args: &[impl AsRef<[u8]>], raw: impl AsRef<[u8]>) {
        self.send(args);
        let answer = self.read_reply();
        let shown: Vec<String> = args.iter().map(|arg| escape(arg.as_ref())).collect();
        assert_eq!(
            answer.to_string(),
            escape(raw.as_ref()),
            "the reply to {}",
            shown.join(" ")
        );
    }

    /// Everything the server still sends until it closes the connection; an
    /// abrupt close counts as a close.
    ///
    /// # Errors
    /// `WouldBlock` or `TimedOut` when it stays open past `limit`.
    pub fn read_to_close(&mut self, limit: Duration) -> io::Result<Vec<u8>> {
        self.stream().set_read_timeout(Some(limit))?;
        let mut rest = Vec::new();
        let outcome = self.input.read_to_end(&mut rest);
        self.stream().set_read_timeout(Some(REPLY_LIMIT))?;
        match outcome {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => Err(error),
            _ => Ok(rest),
        }
    }

    /// Whether nothing arrives for `quiet` and the connection stays open.
    pub fn stays_silent(&mut self, quiet: Duration) -> bool {
        let stream = self.stream();
        stream
            .set_read_timeout(Some(quiet))
            .expect("a nonzero timeout");
        let seen = self.input.fill_buf().map(<[u8]>::len);
        let stream = self.stream();
        stream
            .set_read_timeout(Some(REPLY_LIMIT))
            .expect("a nonzero timeout");
        let timed_out = |kind| matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut);
        seen.is_err_and(|error| timed_out(error.kind()))
    }

    /// Ends our half of the connection.
    pub fn shutdown_write(&self) {
        // A server that closed first has made this pointless, not wrong.
        let _ = self.stream().shutdown(Shutdown::Write);
    }
}

/// A command as an array of bulk strings.
pub fn encode(args: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        let arg = arg.as_ref();
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
    out
}
