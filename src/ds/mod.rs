//! Data structures that know neither keys, nor time, nor commands.

pub mod bits;
pub mod hll;
pub mod lcs;
pub mod list;
pub mod packed;
pub mod quicklist;
pub mod table;
