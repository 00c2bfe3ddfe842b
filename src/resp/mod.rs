//! The wire: RESP2, RESP3 and inline commands. Knows neither keys nor commands
//! nor sockets.

pub mod parse;
pub mod write;

pub use parse::{Argv, Limits, ProtocolError, Requests, Saved};
pub use write::{Reply, Version};
