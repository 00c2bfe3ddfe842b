//! A directory of a test's own.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::thread;

/// It goes away with the test, unless that fails: what it holds may tell why.
pub struct TempDir(PathBuf);

impl TempDir {
    /// An empty directory; `name` is one that no other test of the program has.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new(name: &str) -> TempDir {
        let name = format!("flashkv-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // One of an earlier run with the same process id.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory for the test");
        TempDir(path)
    }

    /// Its path as an argument.
    pub fn text(&self) -> &str {
        self.0.to_str().expect("a path of ASCII")
    }

    /// The path of what it holds under this name, as an argument.
    pub fn text_path(&self, name: &str) -> String {
        format!("{}/{name}", self.text())
    }
}

impl Deref for TempDir {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if !thread::panicking() {
            // It is temporary: whatever stays, the system clears.
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
