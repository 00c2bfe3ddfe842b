//! A disk in memory on which everything works. Files are known by their last names: the
//! harness has one directory.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flashkv::persist::disk::{Disk, File};

type Content = Arc<Mutex<Vec<u8>>>;

/// See the head of this file. A clone is the same disk.
#[derive(Clone, Default)]
pub struct MemDisk(Arc<Mutex<BTreeMap<Vec<u8>, Content>>>);

struct MemFile(Content);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn name(path: &Path) -> Vec<u8> {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().to_vec()
}

impl MemDisk {
    /// Writes a file.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let content = Arc::new(Mutex::new(bytes.to_vec()));
        locked(&self.0).insert(name.as_bytes().to_vec(), content);
    }

    /// The bytes of a file; none where it is not there.
    pub fn get(&self, name: &str) -> Vec<u8> {
        let found = locked(&self.0).get(name.as_bytes()).cloned();
        found
            .map(|content| locked(&content).clone())
            .unwrap_or_default()
    }

    /// Another disk with the same files.
    pub fn copy(&self) -> MemDisk {
        let other = MemDisk::default();
        for (name, content) in locked(&self.0).iter() {
            let content = locked(content).clone();
            locked(&other.0).insert(name.clone(), Arc::new(Mutex::new(content)));
        }
        other
    }

    fn find(&self, path: &Path) -> io::Result<Content> {
        let found = locked(&self.0).get(&name(path)).cloned();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for MemDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let content = Content::default();
        locked(&self.0).insert(name(path), Arc::clone(&content));
        Ok(Arc::new(MemFile(content)))
    }

    fn append(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let content = Arc::clone(locked(&self.0).entry(name(path)).or_default());
        Ok(Arc::new(MemFile(content)))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let bytes = locked(&*self.find(path)?).clone();
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        Ok(locked(&*self.find(path)?).len() as u64)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let content = self.find(from)?;
        let mut files = locked(&self.0);
        files.remove(&name(from));
        files.insert(name(to), content);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = locked(&self.0).remove(&name(path));
        removed
            .map(drop)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, _dir: &Path) -> io::Result<Vec<String>> {
        let files = locked(&self.0);
        let names = files.keys().map(|name| String::from_utf8(name.clone()));
        Ok(names.filter_map(Result::ok).collect())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl File for MemFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        locked(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        locked(&self.0).truncate(len as usize);
        Ok(())
    }
}
