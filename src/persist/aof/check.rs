//! `--check-aof`: whether a log holds, in the words of redis-check-aof, and what to cut off
//! where its end does not.

use std::fmt::Write as _;
use std::io;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::load::begins_with_snapshot;
use super::manifest::{FileType, Manifest};
use super::parse::Reason;
use super::walk::{Cut, Damage, End, Survey, Walked, walk};
use crate::base::sys::error_text;
use crate::persist::disk::Disk;

/// Most bytes of a file that is looked at for being a manifest.
const MANIFEST_BYTES_MAX: u64 = 16 << 20;

/// What checks snapshots: the length of the one that the input begins with.
pub type CheckSnapshot<'a> = &'a dyn Fn(Box<dyn Read + Send>, u64) -> Result<u64, String>;

/// What to do where a file does not hold.
#[derive(Clone, Copy)]
pub enum Fix<'a> {
    No,
    /// Ask, with this text; whether to go on.
    Ask(&'a dyn Fn(&str) -> bool),
}

/// Checks a log, tells what it finds through `tell`, line by line. The last line.
///
/// # Errors
/// The last line, when it does not hold.
pub fn check(
    disk: &dyn Disk,
    path: &Path,
    fix: Fix<'_>,
    snapshot: CheckSnapshot<'_>,
    tell: &mut dyn FnMut(&str),
) -> Result<String, String> {
    let path = manifest_in(disk, path)?;
    let text = start_of(disk, &path)?;
    let mut checker = Checker {
        disk,
        fix,
        snapshot,
        tell,
    };
    if !is_manifest(&text) {
        (checker.tell)("Start checking Old-Style AOF");
        let name = path.display().to_string();
        return checker.file("AOF", &name, &path, true);
    }
    (checker.tell)("Start checking Multi Part AOF");
    let manifest = Manifest::parse(&text).map_err(|error| error.to_string())?;
    let dir = path.parent().unwrap_or(Path::new(""));
    let count = manifest.live().count();
    for (at, info) in manifest.live().enumerate() {
        let name = String::from_utf8_lossy(&info.name).into_owned();
        let path = dir.join(&name);
        let what = match info.kind {
            FileType::Base => "BASE AOF",
            _ => "INCR AOF",
        };
        if info.kind == FileType::Base {
            let form = if checker.is_snapshot(&path)? {
                "RDB"
            } else {
                "RESP"
            };
            (checker.tell)(&format!("Start to check BASE AOF ({form} format)."));
        } else if at == usize::from(manifest.base.is_some()) {
            (checker.tell)("Start to check INCR files.");
        }
        let line = checker.file(what, &name, &path, at + 1 == count)?;
        (checker.tell)(&line);
    }
    Ok("All AOF files and manifest are valid".into())
}

/// The one manifest in a directory, or the file itself.
fn manifest_in(disk: &dyn Disk, path: &Path) -> Result<PathBuf, String> {
    let Ok(names) = disk.list(path) else {
        return Ok(path.to_owned());
    };
    let is_manifest = |name: &&String| name.ends_with(".manifest") && !name.starts_with("temp-");
    let mut manifests = names.iter().filter(is_manifest);
    match (manifests.next(), manifests.next()) {
        (Some(name), None) => Ok(path.join(name)),
        (None, _) => Err(format!("There is no AOF manifest in {}", path.display())),
        (Some(_), Some(_)) => Err(format!("Which manifest in {}? Name one", path.display())),
    }
}

fn start_of(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let input = disk.read(path);
    let read = input.and_then(|input| input.take(MANIFEST_BYTES_MAX).read_to_end(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(format!(
            "Cannot open file {}: {}",
            path.display(),
            error_text(&error)
        )),
    }
}

/// As redis-check-aof tells: some line begins with `file`.
fn is_manifest(text: &[u8]) -> bool {
    text.starts_with(b"file") || memchr::memmem::find(text, b"\nfile").is_some()
}

struct Checker<'a> {
    disk: &'a dyn Disk,
    fix: Fix<'a>,
    snapshot: CheckSnapshot<'a>,
    tell: &'a mut dyn FnMut(&str),
}

impl Checker<'_> {
    fn is_snapshot(&self, path: &Path) -> Result<bool, String> {
        begins_with_snapshot(&mut self.open(path)?).map_err(|error| unreadable(path, &error))
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>, String> {
        self.disk.read(path).map_err(|error| {
            let (path, why) = (path.display(), error_text(&error));
            format!("Cannot open file {path}: {why}, aborting...")
        })
    }

    fn file(
        &mut self,
        what: &str,
        name: &str,
        path: &Path,
        is_last: bool,
    ) -> Result<String, String> {
        let input = self.open(path)?;
        let size = self
            .disk
            .size(path)
            .map_err(|error| unreadable(path, &error))?;
        if size == 0 {
            return Ok(format!("{what} {name} is empty"));
        }
        drop(input);
        let start = match self.is_snapshot(path)? {
            true => self.check_snapshot(path, size)?,
            false => 0,
        };
        let mut input = self.open(path)?;
        let skipped = io::copy(&mut (&mut input).take(start), &mut io::sink());
        skipped.map_err(|error| unreadable(path, &error))?;
        let walked = walk(&mut input, start, None, &mut Survey);
        self.verdict(what, name, path, is_last, size, &walked)
    }

    fn check_snapshot(&mut self, path: &Path, size: u64) -> Result<u64, String> {
        match (self.snapshot)(self.open(path)?, size) {
            Ok(len) => {
                (self.tell)("RDB preamble is OK, proceeding with AOF tail...");
                Ok(len)
            }
            Err(why) => {
                (self.tell)(&why);
                Err("RDB preamble of AOF file is not sane, aborting.".into())
            }
        }
    }

    fn verdict(
        &mut self,
        what: &str,
        name: &str,
        path: &Path,
        is_last: bool,
        size: u64,
        walked: &Walked,
    ) -> Result<String, String> {
        if let End::Io(error) = &walked.end {
            return Err(unreadable(path, error));
        }
        if let Some(flaw) = flaw(walked, name) {
            (self.tell)(&flaw);
        }
        let diff = size - walked.good;
        (self.tell)(&format!(
            "AOF analyzed: filename={name}, size={size}, ok_up_to={}, ok_up_to_line={}, diff={diff}",
            walked.good, walked.line
        ));
        if diff == 0 {
            return Ok(format!("{what} {name} is valid"));
        }
        let Fix::Ask(ask) = self.fix else {
            return Err(format!(
                "AOF {name} is not valid. Use the --fix option to try fixing it."
            ));
        };
        if !is_last {
            return Err(format!(
                "Failed to truncate AOF {name} because it is not the last file"
            ));
        }
        let question = format!(
            "This will shrink the AOF {name} from {size} bytes, with {diff} bytes, to {} bytes\n\
             Continue? [y/N]: ",
            walked.good
        );
        if !ask(&question) {
            return Err("Aborting...".into());
        }
        let cut = self.disk.append(path).and_then(|file| {
            file.truncate(walked.good)?;
            file.sync()
        });
        cut.map_err(|error| format!("Failed to truncate AOF {name}: {}", error_text(&error)))?;
        Ok(format!("Successfully truncated AOF {name}"))
    }
}

/// What is wrong, with the offset where it was seen.
fn flaw(walked: &Walked, name: &str) -> Option<String> {
    let mut text = String::new();
    let (at, why) = match &walked.end {
        End::Damaged(_, Damage::Record(Reason::Start)) => {
            return Some(format!("AOF {name} format error"));
        }
        End::Damaged(at, damage) => (*at, damage.to_string()),
        End::Cut(Cut::Unit) => (
            walked.good,
            "Reached EOF before reading EXEC for MULTI".into(),
        ),
        End::Cut(Cut::Record) => (walked.good, "Reached EOF in the middle of a record".into()),
        End::Cut(Cut::Chunk) => (walked.good, "The last chunk is not whole".into()),
        End::Whole | End::Time | End::Io(_) | End::Refused(_) => return None,
    };
    // Writing to a string does not fail.
    let _ = write!(text, "{at:#18x}: {why}");
    Some(text)
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!(
        "Failed to read from AOF {}: {}, aborting...",
        path.display(),
        error_text(error)
    )
}

#[cfg(test)]
mod tests;
