//! FlashKV: a Redis-compatible in-memory database server.
//!
//! One reactor over mio owns the sockets, a small worker pool runs what would
//! stall it, and an engine of 64 `RwLock` shards holds the data. The way of a
//! request, each room entered once:
//!
//! ```text
//! net::reactor -> net::conn -> resp::parse -> exec::{gate, run}
//!     -> command::<family> -> store -> resp::write -> net::conn
//! ```
//!
//! docs/ARCHITECTURE.md has the map, the lock order and the invariants.

pub mod base;
pub mod boot;
pub mod clients;
pub mod command;
pub mod config;
pub mod control;
pub mod daemon;
pub mod ds;
pub mod exec;
pub mod logging;
pub mod metrics;
pub mod net;
pub mod persist;
pub mod pubsub;
pub mod resp;
pub mod store;
pub mod systemd;
