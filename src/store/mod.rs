//! The engine: entries, their tables in 64 locked shards, and one typed API per
//! data type on [`Db`]. Knows neither the wire, nor configuration, nor sockets.

pub mod aside;
pub mod bitmap;
pub mod collection;
pub mod db;
pub mod dict;
pub mod entry;
pub mod error;
pub mod evict;
pub mod expire;
pub mod hash;
pub mod hll;
pub mod image;
pub mod journal;
pub mod keys;
pub mod keyspace;
pub mod list;
pub mod set;
pub mod snapshot;
pub mod sort;
pub mod stream;
pub mod string;
pub mod undo;
pub mod usage;
pub mod waiters;
pub mod walk;
pub mod watch;
pub mod zset;

pub use db::{Db, Effects};
pub use dict::{Key, Ttl};
pub use error::Error;
pub use keyspace::{
    Busy, DATABASES, Footprint, Keyspace, Locks, Patience, SHARD_BITS, SHARDS, shard_of,
};
