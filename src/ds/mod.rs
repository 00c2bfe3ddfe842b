//! Data structures that know neither keys, nor time, nor commands.

pub mod table;
