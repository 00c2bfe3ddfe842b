//! Data structures that know neither keys, nor time, nor commands.

pub mod hash;
pub mod geo;
pub mod list;
pub mod packed;
pub mod quicklist;
pub mod table;
pub mod zset;
