//! How data leaves the process and comes back: Redis's file formats.

pub mod aof;
pub mod check;
pub mod disk;
pub mod load;
#[cfg(test)]
pub mod nowhere;
pub mod output;
pub mod rdb;
pub mod save;
pub mod service;
pub mod slow;
