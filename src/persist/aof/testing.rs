//! What tests make logs of.

use std::path::Path;

use super::record::{Head, push_command};
use crate::persist::disk::Disk;
use crate::persist::disk::sim::SimDisk;

/// Commands without arguments, as they stand in a file.
pub fn commands(names: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    names
        .iter()
        .for_each(|name| push_command(&[name.as_bytes()], &mut bytes));
    bytes
}

/// A chunk of this content.
pub fn chunk(body: &[u8]) -> Vec<u8> {
    [&Head::of(body, 0).to_bytes(), body].concat()
}

/// Makes `dir/name` with this content.
pub fn put(disk: &SimDisk, name: &str, bytes: &[u8]) {
    let file = disk.create(&Path::new("dir").join(name)).expect("a file");
    file.write_all(bytes).expect("room");
}
