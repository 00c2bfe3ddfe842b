//! How data leaves the process and comes back: Redis's file formats.

pub mod rdb;
