//! Sockets: who listens, who is connected, and the loop that serves them. Knows
//! nothing of what a command means.

pub mod activation;
pub mod conn;
pub mod control;
pub mod http;
pub mod listen;
pub mod outlet;
pub mod reactor;
pub mod socket;
pub mod spin;
