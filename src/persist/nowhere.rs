//! A disk that refuses everything, for tests that must leave no files.

use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use super::disk::{Disk, File};

/// See the head of this file.
pub struct Nowhere;

fn refused<T>() -> io::Result<T> {
    Err(ErrorKind::PermissionDenied.into())
}

impl Disk for Nowhere {
    fn create(&self, _path: &Path) -> io::Result<Arc<dyn File>> {
        refused()
    }

    fn append(&self, _path: &Path) -> io::Result<Arc<dyn File>> {
        refused()
    }

    fn read(&self, _path: &Path) -> io::Result<Box<dyn Read + Send>> {
        refused()
    }

    fn size(&self, _path: &Path) -> io::Result<u64> {
        refused()
    }

    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _path: &Path) -> io::Result<()> {
        refused()
    }

    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        refused()
    }

    fn list(&self, _dir: &Path) -> io::Result<Vec<String>> {
        refused()
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        refused()
    }
}
