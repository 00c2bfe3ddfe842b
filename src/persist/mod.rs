//! How data leaves the process and comes back: Redis's file formats.

pub mod disk;
pub mod rdb;
