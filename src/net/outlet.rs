//! Sending replies: one `write` or `writev` for all that a batch has said.

use std::io::{self, IoSlice, Write};

use super::socket::Socket;
use crate::exec::Outlet;
use crate::exec::batch::Sent;
use crate::resp::Reply;
use crate::resp::write::SLICES_MAX;

/// Bytes sent to one connection before others have their turn; through the loopback
/// device, which has the receiver's part done by the sender, some 100 us.
const SEND_MAX: usize = 128 * 1024;

impl Outlet for Socket {
    fn send(&self, reply: &mut Reply) -> io::Result<Sent> {
        let mut sent = Sent::default();
        let mut socket = self;
        while !reply.is_empty() && sent.bytes < SEND_MAX {
            let result = match reply.single() {
                Some(bytes) => socket.write(bytes),
                None => {
                    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
                    let used = reply.slices(&mut slices);
                    socket.write_vectored(&slices[..used])
                }
            };
            sent.calls += 1;
            match result {
                Ok(bytes) => {
                    reply.advance(bytes);
                    sent.bytes += bytes;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sent.full = true;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }
}
