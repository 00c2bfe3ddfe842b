//! Access to the disk: the few operations that persistence consists of, behind a trait, so
//! that a test can put a disk in its place that fails, tears and forgets.
//!
//! What survives a crash follows from these rules, and from nothing else:
//! - bytes of a file: those written before a [`File::sync`] that has succeeded;
//! - names (a created file, a rename, a removal): those before a [`Disk::sync_dir`] of
//!   their directory that has succeeded;
//! - a rename within a directory happens as a whole or not at all.
//!
//! Must stay true: a failed [`File::sync`] leaves what was written before it unknown. The
//! file is not to be synced again in the hope of better luck.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// A file that is written from the front to the back. Shared: one thread may sync what
/// another has written.
pub trait File: Send + Sync {
    /// Writes some of `bytes` at the end; how many.
    ///
    /// # Errors
    /// When none could be written.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// Makes what has been written durable.
    ///
    /// # Errors
    /// When that is not certain; see the head of this file.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file off behind its first `len` bytes; the next write follows them.
    ///
    /// # Errors
    /// When the file stays as it is.
    fn truncate(&self, len: u64) -> io::Result<()>;

    /// Writes all of `bytes` at the end.
    ///
    /// # Errors
    /// When not all could be written; a part may be.
    fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A directory tree. Paths are relative to the process's directory, or absolute.
///
/// Every method can fail with what the system says.
#[allow(clippy::missing_errors_doc)]
pub trait Disk: Send + Sync {
    /// A new, empty file; one that is there is emptied.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// A file that is written behind what it has; a new one where there is none.
    fn append(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// The bytes of a file, from its start.
    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;

    /// The length of a file in bytes.
    fn size(&self, path: &Path) -> io::Result<u64>;

    /// Gives a file another name; one of that name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a directory if it is not there yet.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// The names in a directory, sorted.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

/// Who may read what is persisted, before the umask: as Redis.
#[cfg(unix)]
const FILE_MODE: u32 = 0o644;

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, FILE_MODE);
    options
}

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let file = options().write(true).truncate(true).open(path)?;
        Ok(Arc::new(file))
    }

    fn append(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(options().append(true).open(path)?))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let file = fs::File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Box::new(file))
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.len())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        match fs::create_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
            result => result,
        }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            // A name that is no text is none of ours.
            names.extend(entry?.file_name().into_string());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let dir = match dir.as_os_str().is_empty() {
            true => Path::new("."),
            false => dir,
        };
        fs::File::open(dir)?.sync_all()
    }
}

impl File for fs::File {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self;
        Write::write(&mut file, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.set_len(len)?;
        let mut file = self;
        io::Seek::seek(&mut file, io::SeekFrom::Start(len)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(path: &Path) -> Vec<u8> {
        let mut bytes = Vec::new();
        RealDisk
            .read(path)
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .expect("a file that was written");
        bytes
    }

    #[test]
    fn files_and_names() {
        let disk = RealDisk;
        let dir = std::env::temp_dir().join(format!("flashkv-disk-{}", std::process::id()));
        disk.create_dir(&dir).unwrap();
        disk.create_dir(&dir).unwrap();
        let (a, b) = (dir.join("a"), dir.join("b"));
        let file = disk.create(&a).unwrap();
        file.write_all(b"hello world").unwrap();
        file.truncate(5).unwrap();
        file.write_all(b"!").unwrap();
        file.sync().unwrap();
        assert_eq!(content(&a), b"hello!");
        disk.append(&a).unwrap().write_all(b"?").unwrap();
        assert_eq!(disk.size(&a).unwrap(), 7);
        disk.create(&b).unwrap().write_all(b"x").unwrap();
        assert_eq!(disk.list(&dir).unwrap(), ["a", "b"]);
        disk.rename(&a, &b).unwrap();
        disk.sync_dir(&dir).unwrap();
        assert_eq!(content(&b), b"hello!?");
        disk.remove(&b).unwrap();
        assert!(disk.list(&dir).unwrap().is_empty());
        assert_eq!(
            disk.read(&a).err().map(|error| error.kind()),
            Some(io::ErrorKind::NotFound)
        );
        assert!(disk.read(&dir).is_err(), "a directory is no file");
        fs::remove_dir(&dir).unwrap();
    }
}
