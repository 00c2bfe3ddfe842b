//! The configuration: one schema table and everything derived from it.
//!
//! ```text
//!            schema (one row per directive)
//!      ________|__________________________________
//!     |        |         |        |       |       |
//!   value    file       cli      set   rewrite   doc
//!  parse &  redis.conf  --name  CONFIG  CONFIG   dist/
//!  print    syntax      value   SET/GET REWRITE  flashkv.conf
//!     |________|_________|________|_______|
//!                     |
//!                  Config (the values, lock-free to read)
//! ```
//!
//! Names, types, ranges, defaults, what may change at run time and the words of
//! the sample file stand in the table and nowhere else. Adding a directive is
//! adding a row; nothing else changes.
//!
//! Precedence: defaults < file < command line < CONFIG SET.
//!
//! What must stay true:
//! - a value in a `Config` has passed its row's parser; readers never check it again;
//! - `parse(print(v)) == v` for every value of every kind;
//! - CONFIG SET changes all it was asked to or nothing;
//! - a file that CONFIG REWRITE wrote loads to the configuration that wrote it.
//!
//! This layer knows no command, no socket and no thread. What a changed value
//! means for the running server is said by the `apply` function that
//! [`Config::set_many`] is given.

pub mod cli;
pub mod doc;
pub mod file;
pub mod lists;
pub mod rewrite;
pub mod schema;
pub mod set;
mod store;
pub mod value;

pub use schema::{Directive, Id, Kind, Status};
pub use set::{Protected, SetError};
pub use store::Config;
pub use value::Value;

#[cfg(test)]
mod tests;
