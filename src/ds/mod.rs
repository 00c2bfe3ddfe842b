//! Data structures that know neither keys, nor time, nor commands.

pub mod bits;
pub mod hll;
pub mod lcs;
pub mod geo;
pub mod hash;
pub mod intset;
pub mod list;
pub mod member;
pub mod ordmap;
pub mod packed;
pub mod quicklist;
pub mod set;
pub mod stream;
pub mod table;
pub mod zset;
