//! Sockets: who listens, who is connected, and the loop that serves them.

pub mod listen;
pub mod socket;
