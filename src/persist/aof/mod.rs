//! The append-only file: every change as the command that repeats it, in the multi-part
//! form of Redis 7. redis-server reads what is written here, and the other way round.
//!
//! ```text
//! appendonlydir/
//!   appendonly.aof.manifest      which of these are the log, in order
//!   appendonly.aof.2.base.rdb    all data at the moment of the last rewrite
//!   appendonly.aof.5.incr.aof    the changes since then; the last one is written to
//! ```
//!
//! | file | has |
//! |---|---|
//! | manifest | which files there are |
//! | record, parse | what stands in a file of commands |
//! | walk | reading one: what holds, what is cut off, what is damaged |
//! | pace | when a rewrite may begin |

pub mod base;
mod buffer;
pub mod check;
pub mod emit;
pub mod files;
pub mod load;
pub mod log;
pub mod manifest;
mod pace;
pub mod parse;
pub mod record;
pub mod service;
pub mod status;
#[cfg(test)]
mod testing;
pub mod walk;
pub mod writer;
