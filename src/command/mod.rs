//! Commands: the table and the families. A family speaks the protocol; what it
//! does to data, the store's typed API does.

pub mod args;
pub mod bitmap;
pub mod block;
pub mod call;
pub mod connection;
pub mod ctx;
pub mod docs;
pub mod error;
pub mod generic;
pub mod geo;
pub mod hash;
pub mod help;
pub mod hll;
pub mod image;
pub mod limits;
pub mod list;
pub mod monitor;
pub mod notable;
pub mod pubsub;
pub mod redact;
pub mod scan;
pub mod scored;
pub mod server;
pub mod session;
pub mod set;
pub mod spec;
pub mod stream;
pub mod string;
pub mod table;
#[cfg(test)]
mod testing;
pub mod txn;
pub mod zset;

pub use args::Args;
pub use ctx::{Ctx, LIGHT_COST, MemoryUse, Outcome, Services, Stop};
pub use error::Error;
pub use session::{ReplyMode, Session};
pub use spec::{Flags, Spec};
pub use table::{Command, Table};
