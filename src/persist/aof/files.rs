//! The files of the log on the disk, and the manifest that names them.
//!
//! A change of the manifest is made durable as a whole: written beside it, synced, put in
//! its place, the directory synced before and after. If one of these steps fails, either manifest may be
//! what the next start finds, so both have to be true: no file that the old one names is
//! touched, no file that the new one names is removed, and no number that was given is
//! given again.

use std::ffi::OsStr;
use std::io;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::manifest::{FileInfo, FileType, Manifest};
use super::record::{HEAD_LEN, Head};
use crate::persist::disk::{Disk, File};

/// The longest manifest that is read: thousands of lines.
const MANIFEST_BYTES_MAX: u64 = 16 << 20;

/// A file of commands that is written to.
pub struct Open {
    pub file: Arc<dyn File>,
    /// Bytes that are in it.
    pub len: u64,
    /// Bytes of it that are durable.
    pub durable: u64,
}

/// See the head of this file.
pub struct Files {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// `appendfilename`, with which all names begin.
    prefix: Vec<u8>,
    manifest: Manifest,
}

impl Files {
    /// The files in `dir` as its manifest names them; none where there is no manifest.
    ///
    /// # Errors
    /// A text that says what is wrong with the manifest.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, prefix: &[u8]) -> Result<Files, String> {
        let mut files = Files {
            disk,
            dir: dir.to_owned(),
            prefix: prefix.to_vec(),
            manifest: Manifest::default(),
        };
        files.reread()?;
        Ok(files)
    }

    /// Goes by what the manifest says now.
    ///
    /// # Errors
    /// As [`Files::open`].
    pub fn reread(&mut self) -> Result<(), String> {
        let path = self.path(&self.manifest_name());
        let input = match self.disk.read(&path) {
            Ok(input) => input,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.manifest = Manifest::default();
                return Ok(());
            }
            Err(error) => return Err(cannot_read(&path, &error)),
        };
        let mut text = Vec::new();
        let read = input.take(MANIFEST_BYTES_MAX).read_to_end(&mut text);
        read.map_err(|error| cannot_read(&path, &error))?;
        self.manifest = Manifest::parse(&text).map_err(|error| error.to_string())?;
        Ok(())
    }

    /// The manifest as it is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The disk.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// Where the file of this name is.
    pub fn path(&self, name: &[u8]) -> PathBuf {
        self.dir.join(OsStr::from_bytes(name))
    }

    /// Where commands gather that have no base yet.
    pub fn temp_incr(&self) -> PathBuf {
        self.path(&[b"temp-", self.prefix.as_slice(), b".incr"].concat())
    }

    /// Where a base is written until it is whole.
    pub fn temp_base(&self) -> PathBuf {
        self.path(format!("temp-rewriteaof-{}.aof", std::process::id()).as_bytes())
    }

    fn manifest_name(&self) -> Vec<u8> {
        [self.prefix.as_slice(), b".manifest"].concat()
    }

    /// Makes the directory if it is not there.
    ///
    /// # Errors
    /// What the system says.
    pub fn make_dir(&self) -> io::Result<()> {
        self.disk.create_dir(&self.dir)
    }

    /// The sum of the sizes of the files to load.
    ///
    /// # Errors
    /// The first file that can't be looked at, with what the system says.
    pub fn size(&self) -> Result<u64, (FileInfo, io::Error)> {
        let sizes = self.manifest.live().map(|info| {
            let size = self.disk.size(&self.path(&info.name));
            size.map_err(|error| (info.clone(), error))
        });
        sizes.sum()
    }

    /// Changes the manifest, durably; see the head of this file.
    ///
    /// # Errors
    /// Then the manifest in memory is what it was.
    pub fn change(&mut self, edit: impl FnOnce(&mut Manifest)) -> io::Result<()> {
        let mut manifest = self.manifest.clone();
        edit(&mut manifest);
        self.persist(&manifest)?;
        self.manifest = manifest;
        Ok(())
    }

    fn persist(&self, manifest: &Manifest) -> io::Result<()> {
        let name = self.manifest_name();
        let temp = self.path(&[b"temp-", name.as_slice()].concat());
        let file = self.disk.create(&temp)?;
        file.write_all(&manifest.to_text())?;
        file.sync()?;
        // What it names has to be there before it is.
        self.disk.sync_dir(&self.dir)?;
        self.disk.rename(&temp, &self.path(&name))?;
        self.disk.sync_dir(&self.dir)
    }

    /// Opens the last file of commands to go on with it, or begins one. Its name, and
    /// whether it is new. With `sums` chunks follow.
    ///
    /// # Errors
    /// What the system says.
    pub fn open_last(&mut self, sums: bool) -> io::Result<(Open, FileInfo, bool)> {
        let Some(last) = self.manifest.incr.last().cloned() else {
            let (open, info) = self.begin_incr(sums)?;
            return Ok((open, info, true));
        };
        let path = self.path(&last.name);
        let file = self.disk.append(&path)?;
        let len = self.disk.size(&path)?;
        // What was read of it may be in the system's memory only, and its name too.
        let open = started(file, len, sums)?;
        self.disk.sync_dir(&self.dir)?;
        Ok((open, last, false))
    }

    /// Begins a file of commands behind the present ones.
    ///
    /// # Errors
    /// What the system says; the log is then as it was.
    pub fn begin_incr(&mut self, sums: bool) -> io::Result<(Open, FileInfo)> {
        let info = self.manifest.next_incr(&self.prefix);
        let open = started(self.disk.create(&self.path(&info.name))?, 0, sums)?;
        let added = info.clone();
        self.change(|manifest| manifest.incr.push(added))?;
        Ok((open, info))
    }

    /// Begins the file that gathers commands while their base is being written.
    ///
    /// # Errors
    /// What the system says.
    pub fn begin_temp_incr(&self, sums: bool) -> io::Result<Open> {
        started(self.disk.create(&self.temp_incr())?, 0, sums)
    }

    /// Removes that file, if it is there: its base does not come.
    pub fn remove_temp_incr(&self) {
        let path = self.temp_incr();
        if self.disk.size(&path).is_ok() {
            log::info!("Removing the temp incr aof file {}", path.display());
            self.remove(&path);
        }
    }

    /// Puts a base that is whole and synced in its place, under the name that it keeps.
    ///
    /// # Errors
    /// What the system says.
    pub fn place_base(&mut self, temp: &Path, is_rdb: bool) -> io::Result<FileInfo> {
        let info = self.manifest.next_base(&self.prefix, is_rdb);
        self.disk.rename(temp, &self.path(&info.name))?;
        Ok(info)
    }

    /// Gives the file that has gathered commands the name that it keeps.
    ///
    /// # Errors
    /// What the system says.
    pub fn place_temp_incr(&mut self) -> io::Result<FileInfo> {
        let info = self.manifest.next_incr(&self.prefix);
        self.disk
            .rename(&self.temp_incr(), &self.path(&info.name))?;
        Ok(info)
    }

    /// Makes `base` and what was begun at `incr` or later the log; what was before it
    /// becomes history.
    ///
    /// # Errors
    /// What the system says; see the head of this file.
    pub fn rewritten(&mut self, base: FileInfo, incr: &FileInfo) -> io::Result<()> {
        self.change(|manifest| {
            let mut kept: Vec<FileInfo> = manifest.incr.clone();
            kept.retain(|info| info.seq >= incr.seq);
            if kept.is_empty() {
                kept.push(incr.clone());
            }
            manifest.rewritten(base, kept);
        })
    }

    /// Makes `base` and `incr` the log and lets everything before drop out of the manifest.
    /// The files stay on the disk. Their names.
    ///
    /// # Errors
    /// What the system says.
    pub fn restart_with(&mut self, base: FileInfo) -> io::Result<Vec<FileInfo>> {
        let kept: Vec<FileInfo> = self.manifest.live().cloned().collect();
        self.change(|manifest| {
            manifest.rewritten(base, Vec::new());
            manifest.history.clear();
        })?;
        Ok(kept)
    }

    /// Removes the files of the past. One that can't be removed is tried again next time.
    pub fn remove_history(&mut self) {
        let history = self.manifest.history.clone();
        if history.is_empty() {
            return;
        }
        for info in &history {
            log::info!("Removing the history file {}", shown(&info.name));
            self.remove(&self.path(&info.name));
        }
        if let Err(error) = self.change(|manifest| manifest.history.clear()) {
            log::warn!("The AOF manifest still names files of the past: {error}");
        }
    }

    /// Removes what an earlier process has left half done.
    pub fn remove_temporary(&self) {
        let names = self.disk.list(&self.dir).unwrap_or_default();
        for name in names.iter().filter(|name| name.starts_with("temp-")) {
            log::info!("Removing the temporary file {name}");
            self.remove(&self.dir.join(name));
        }
    }

    /// Removes a file, if it is there.
    pub fn remove(&self, path: &Path) {
        match self.disk.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log::warn!("{} can't be removed: {error}", path.display());
            }
            _ => {}
        }
    }

    /// Whether there is the single file of an older Redis.
    pub fn has_old(&self) -> bool {
        self.disk.size(&self.old_path()).is_ok()
    }

    fn old_path(&self) -> PathBuf {
        let beside = self.dir.parent().unwrap_or(Path::new(""));
        beside.join(OsStr::from_bytes(&self.prefix))
    }

    /// Takes over a single file of an older Redis, if there is one and no other log: its
    /// name is `appendfilename`, beside the directory. Repeats what a start before this
    /// one has not finished.
    ///
    /// # Errors
    /// A text that says what failed.
    pub fn adopt_old(&mut self) -> Result<bool, String> {
        let old = self.old_path();
        if !self.has_old() {
            return Ok(false);
        }
        let inside = self.path(&self.prefix);
        let half_done = (self.manifest.base.as_ref())
            .is_some_and(|base| base.name == self.prefix && self.disk.size(&inside).is_err());
        if !(self.manifest.is_empty() || half_done && self.manifest.incr.is_empty()) {
            return Ok(false);
        }
        let dir = self.dir.display().to_string();
        let cannot = |what: &str, error: io::Error| format!("{what}: {error}");
        self.make_dir().map_err(|error| {
            cannot(
                &format!("Can't open or create append-only dir {dir}"),
                error,
            )
        })?;
        let prefix = self.prefix.clone();
        self.change(|manifest| manifest.adopt(&prefix))
            .map_err(|error| cannot("Error writing the AOF manifest file", error))?;
        let moved = self.disk.rename(&old, &inside).and_then(|()| {
            self.disk.sync_dir(&self.dir)?;
            self.disk.sync_dir(old.parent().unwrap_or(Path::new("")))
        });
        moved.map_err(|error| {
            let what = format!(
                "Error trying to move the old AOF file {} into dir {dir}",
                shown(&prefix)
            );
            cannot(&what, error)
        })?;
        log::info!(
            "Successfully migrated an old-style AOF file ({}) into the AOF directory ({dir}).",
            shown(&prefix)
        );
        Ok(true)
    }

    /// Whether the file is one of an older Redis, which may begin with a snapshot and go on
    /// with commands.
    pub fn is_old_style(&self, info: &FileInfo) -> bool {
        info.kind == FileType::Base && info.name == self.prefix
    }
}

/// Makes a file durable in which `len` bytes are. An empty chunk says that chunks follow:
/// so a start that finds none knows that the power has cut the file short.
fn started(file: Arc<dyn File>, len: u64, sums: bool) -> io::Result<Open> {
    let mut open = Open {
        file,
        len,
        durable: len,
    };
    if sums {
        open.file.write_all(&Head::of(b"", len).to_bytes())?;
        open.len += HEAD_LEN as u64;
    }
    open.file.sync()?;
    open.durable = open.len;
    Ok(open)
}

fn cannot_read(path: &Path, error: &io::Error) -> String {
    format!(
        "Fatal error: can't open the AOF manifest file {} for reading: {error}",
        path.display()
    )
}

/// A name for a log line.
pub fn shown(name: &[u8]) -> String {
    name.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::disk::sim::SimDisk;

    #[test]
    fn a_manifest_that_others_have_changed_is_read_again() {
        let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(1));
        let open = || Files::open(Arc::clone(&disk), Path::new("dir"), b"a.aof").expect("no file");
        let (mut ours, mut theirs) = (open(), open());
        theirs.make_dir().expect("a directory");
        theirs.open_last(false).expect("a new file");
        assert!(ours.manifest().is_empty());
        ours.reread().expect("it is whole");
        assert_eq!(ours.manifest().incr, theirs.manifest().incr);
        assert_eq!(ours.manifest().incr.len(), 1);
        disk.remove(&ours.path(&ours.manifest_name()))
            .expect("it is there");
        ours.reread().expect("no manifest is an empty one");
        assert!(ours.manifest().is_empty());
    }
}
