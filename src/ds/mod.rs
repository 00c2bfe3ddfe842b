//! Data structures that know neither keys, nor time, nor commands.

pub mod bits;
pub mod geo;
pub mod hash;
pub mod hll;
pub mod intset;
pub mod lcs;
pub mod list;
pub mod member;
pub mod ordmap;
pub mod packed;
pub mod quicklist;
pub mod set;
pub mod stream;
pub mod table;
pub mod zset;
