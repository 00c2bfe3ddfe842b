//! The files that the rules look at, read once: their text as it stands and with
//! everything but code blanked out.

use std::fs;
use std::path::{Path, PathBuf};

use super::lexer::code_only;

/// Folders and files of the repository that hold text of ours.
const OURS: &[&str] = &[
    "src",
    "tests",
    "bench",
    "dist",
    "docs",
    ".ci",
    "Makefile",
    "README.md",
    "Cargo.toml",
];

/// One file.
pub struct Source {
    /// Its path within the tree, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Its code; for a file that is not Rust, its text.
    pub code: String,
}

/// Some files of the repository.
pub struct Tree {
    /// The files, in the order of their paths.
    pub files: Vec<Source>,
}

impl Tree {
    /// The Rust files of `src/`, with paths relative to it.
    pub fn sources() -> Self {
        let root = repository().join("src");
        let files = walk(&root).into_iter().filter(|path| is_rust(path));
        Self {
            files: files.map(|path| load(&root, &path)).collect(),
        }
    }

    /// Every text file that is ours, with paths relative to the repository.
    pub fn everything() -> Self {
        let root = repository();
        let paths = OURS.iter().flat_map(|name| walk(&root.join(name)));
        let text = paths.filter(|path| fs::read_to_string(path).is_ok());
        Self {
            files: text.map(|path| load(&root, &path)).collect(),
        }
    }

    /// A tree of examples.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| source(path, text));
        Self {
            files: files.collect(),
        }
    }
}

/// The text of a file of the repository.
pub fn read(path: &str) -> String {
    read_if_present(path).unwrap_or_else(|| panic!("{path} is missing"))
}

/// The text of a file of the repository, if it is there.
pub fn read_if_present(path: &str) -> Option<String> {
    fs::read_to_string(repository().join(path)).ok()
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn walk(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_path_buf()];
    }
    let Ok(entries) = fs::read_dir(path) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| walk(path)).collect()
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

fn load(root: &Path, path: &Path) -> Source {
    let text = fs::read_to_string(path).expect("a file that was listed a moment ago");
    let within = path.strip_prefix(root).expect("a path below its root");
    source(&within.to_string_lossy(), &text)
}

fn source(path: &str, text: &str) -> Source {
    let code = if is_rust(Path::new(path)) {
        code_only(text)
    } else {
        text.to_string()
    };
    Source {
        path: path.to_string(),
        text: text.to_string(),
        code,
    }
}
