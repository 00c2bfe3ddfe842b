//! Data structures that know neither keys, nor time, nor commands.

pub mod list;
pub mod ordmap;
pub mod packed;
pub mod quicklist;
pub mod stream;
pub mod table;
