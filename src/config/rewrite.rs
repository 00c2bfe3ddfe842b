//! CONFIG REWRITE: the file is changed to say what the server has come to be.
//!
//! Comments, blank lines, order and the lines of directives that did not change stay
//! as they are, byte for byte. A changed directive is written where its first line
//! was; its other lines go. What the file does not say yet is added at the end, under
//! a marker.
//!
//! Which lines those are is not guessed: the text is loaded again and compared with the
//! configuration in force. That settles, in one way, defaults (not written unless the
//! file said otherwise), included files (which are never touched: what they say and no
//! longer holds is overruled at the end) and directives that add up. The last step
//! loads the result once more and refuses to write a file that would not come back as
//! the same configuration.
//!
//! The file is replaced atomically: temporary file in the same directory, fsync,
//! rename, fsync of the directory. A crash leaves the old file or the new one.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::Config;
use super::file::{self, Loader};
use super::schema::{Id, Kind, ONE_LINE};
use super::value;

/// Why nothing was written; the Display is the reply, without the `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RewriteError {
    /// The server was started without a file.
    NoFile,
    Failed(String),
}

impl fmt::Display for RewriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RewriteError::NoFile => write!(f, "ERR The server is running without a config file"),
            RewriteError::Failed(reason) => write!(f, "ERR Rewriting config file: {reason}"),
        }
    }
}

impl std::error::Error for RewriteError {}

/// Writes the configuration into the file it was read from. Reads and writes the disk,
/// so it may take milliseconds, during
/// which CONFIG SET waits.
///
/// # Errors
/// There is no such file, it holds errors by now, or the disk refused.
pub fn rewrite(config: &Config) -> Result<(), RewriteError> {
    let path = config.file().ok_or(RewriteError::NoFile)?;
    // Until the file is replaced: neither a change nor another rewrite comes between.
    let _guard = config.lock();
    let path = fs::canonicalize(&path).unwrap_or(path);
    let failed = |error: io::Error| RewriteError::Failed(file::system_text(&error));
    let old = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(failed(error)),
    };
    let new = rewritten(config, &path.display().to_string(), &old)?;
    replace(&path, &new).map_err(failed)
}

/// The text `old` changed to say what `config` is; `name` is for errors. The caller
/// keeps other writers out.
///
/// # Errors
/// `old` does not load.
pub(super) fn rewritten(config: &Config, name: &str, old: &[u8]) -> Result<Vec<u8>, RewriteError> {
    let (before, _) = load(config, name, old)?;
    let mut text = in_place(config, &before, old);
    let (after, loader_gave_save) = load(config, name, &text)?;
    let missing: Vec<Id> = differing(config, &after).collect();
    if !missing.is_empty() {
        append(config, &mut text, &missing, loader_gave_save);
    }
    let (last, _) = load(config, name, &text)?;
    match differing(config, &last).next() {
        None => Ok(text),
        Some(id) => {
            let reason = format!("'{}' would not be read back as it is", id.row().name);
            Err(RewriteError::Failed(reason))
        }
    }
}

/// Loads `text` as it would be at the next start; also whether it has a `save` line.
fn load(config: &Config, name: &str, text: &[u8]) -> Result<(Config, bool), RewriteError> {
    let mut loader = Loader::at(&config.base());
    loader.lines(name, text);
    let has_save = loader.was_given(Id::SAVE);
    match loader.finish() {
        Ok((config, _)) => Ok((config, has_save)),
        Err(error) => {
            let first = error
                .0
                .first()
                .map(|line| line.to_string().replace('\n', " "));
            Err(RewriteError::Failed(first.unwrap_or_default()))
        }
    }
}

fn differing<'a>(config: &'a Config, loaded: &'a Config) -> impl Iterator<Item = Id> + 'a {
    Id::all().filter(|id| config.value(*id) != loaded.value(*id))
}

/// The old lines, with changed directives written where they first stood and lines that
/// a later one overrules left out.
fn in_place(config: &Config, before: &Config, old: &[u8]) -> Vec<u8> {
    let body = old.strip_suffix(b"\n").unwrap_or(old);
    let lines: Vec<&[u8]> = match old {
        [] => Vec::new(),
        _ => body.split(|byte| *byte == b'\n').collect(),
    };
    let ids: Vec<Option<Id>> = lines.iter().map(|line| directive_of(line)).collect();
    let mut written = HashSet::new();
    let mut text = Vec::with_capacity(old.len());
    for (at, line) in lines.iter().enumerate() {
        match ids[at] {
            None => push_line(&mut text, line),
            Some(id) if config.value(id) == before.value(id) => {
                if adds_up(id) || !ids[at + 1..].contains(&Some(id)) {
                    push_line(&mut text, line);
                }
            }
            Some(id) if written.insert(id) => push_value(config, &mut text, id),
            Some(_) => {}
        }
    }
    text
}

/// Adds what the file does not say, in the order of the table.
fn append(config: &Config, text: &mut Vec<u8>, missing: &[Id], has_save: bool) {
    let has_marker = text.split(|byte| *byte == b'\n').any(|line| line == MARKER);
    if !has_marker {
        if !text.is_empty() {
            push_line(text, b"");
        }
        push_line(text, MARKER);
    }
    for id in missing {
        // Saves given by an included file add up with ours unless they are cleared.
        if *id == Id::SAVE && has_save {
            push_line(text, b"save \"\"");
        }
        push_value(config, text, *id);
    }
}

fn directive_of(line: &[u8]) -> Option<Id> {
    let line = line.trim_ascii();
    if line.first() == Some(&b'#') {
        return None;
    }
    Id::find(file::split_args(line)?.first()?)
}

/// Whether several lines of this directive are all in force.
fn adds_up(id: Id) -> bool {
    matches!(id.row().kind, Kind::List { line_words, .. } if line_words != ONE_LINE)
}

fn push_value(config: &Config, text: &mut Vec<u8>, id: Id) {
    for line in value::print_lines(id.row(), &config.value(id)) {
        push_line(text, &line);
    }
}

fn push_line(text: &mut Vec<u8>, line: &[u8]) {
    text.extend_from_slice(line);
    text.push(b'\n');
}

/// Replaces the file in one step, with the permissions it had. A new file is private,
/// since it may hold a password.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let dir = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temp = dir.join(format!(".{name}.{}.tmp", std::process::id()));
    let result = write_durably(&temp, path, text).and_then(|()| fs::rename(&temp, path));
    if result.is_err() {
        // The temporary file is of no use to anyone; that it stays is no further error.
        let _ = fs::remove_file(&temp);
    }
    result?;
    File::open(dir)?.sync_all()
}

fn write_durably(temp: &Path, like: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(temp)?;
    file.write_all(text)?;
    if let Ok(old) = fs::metadata(like) {
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()
}

const MARKER: &[u8] = b"# Generated by CONFIG REWRITE";
