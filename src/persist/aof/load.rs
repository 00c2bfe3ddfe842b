//! Loading the log: its base, then its commands, file by file.
//!
//! What Redis refuses is refused: a file that the manifest names and that is not there,
//! anything damaged, a file that is cut off and not the last. The last one may be cut
//! off where `aof-load-truncated` says so; it is then shortened to what holds, because
//! the log goes on behind it.

use std::io::{self, Read};
use std::path::Path;
use std::time::Instant;

use super::files::{Files, shown};
use super::manifest::{FileInfo, FileType};
use super::walk::{Damage, End, Visit, Walked, walk};
use crate::base::sys::error_text;

/// How a snapshot begins, whoever has written it.
const MAGICS: [&[u8]; 2] = [b"REDIS", b"VALKE"];
const MAGIC_LEN: usize = 5;

/// Where what is loaded goes to.
pub trait Target {
    /// Loads the snapshot that `input`, of `size` bytes, begins with; how many bytes of it
    /// that were.
    ///
    /// # Errors
    /// A text that says what is wrong.
    fn snapshot(&mut self, input: Box<dyn Read + Send>, size: u64) -> Result<u64, String>;

    /// Runs a command. `raw` is a request as a client would send it.
    ///
    /// # Errors
    /// A text that says why it can't be run.
    fn command(&mut self, raw: &[u8], name: &[u8]) -> Result<(), String>;

    /// Has all commands so far run.
    ///
    /// # Errors
    /// As [`Target::command`].
    fn settle(&mut self) -> Result<(), String>;

    /// Forgets a unit that has been begun: its end is missing.
    fn abandon(&mut self);

    /// `bytes` of all files have been read.
    fn progress(&mut self, bytes: u64);
}

/// What may be loaded.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// A last file that is cut off.
    pub truncated: bool,
    /// A damaged end of the last file, of at most as many bytes.
    pub corrupt_tail_max: u64,
    /// Nothing that was written after this second.
    pub until: Option<i64>,
}

/// What has been loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Whether there was any log.
    pub found: bool,
    pub base_bytes: u64,
    pub bytes: u64,
    /// The files have more, from after the time that was asked for.
    pub stopped: bool,
}

/// Loads the files that the manifest names, all or up to a time.
///
/// # Errors
/// A text for the log, in Redis's words.
pub fn load(files: &Files, rules: Rules, target: &mut dyn Target) -> Result<Loaded, String> {
    let infos: Vec<FileInfo> = files.manifest().live().cloned().collect();
    let mut loaded = Loaded {
        found: !infos.is_empty(),
        ..Loaded::default()
    };
    let sizes = sizes(files, &infos)?;
    if sizes.iter().sum::<u64>() == 0 {
        return Ok(loaded);
    }
    if files.manifest().base.is_some() {
        loaded.base_bytes = sizes[0];
    }
    for (at, info) in infos.iter().enumerate() {
        let one = One {
            files,
            info,
            size: sizes[at],
            later: &infos[at + 1..],
            rules,
            before: loaded.bytes,
        };
        let stopped = one.load(target)?;
        if stopped && info.kind == FileType::Base {
            let name = shown(&info.name);
            return Err(format!(
                "AOF {name} has nothing before the time that was asked for"
            ));
        }
        loaded.bytes += sizes[at];
        target.progress(loaded.bytes);
        if stopped {
            loaded.stopped = true;
            break;
        }
    }
    Ok(loaded)
}

fn sizes(files: &Files, infos: &[FileInfo]) -> Result<Vec<u64>, String> {
    let size = |info: &FileInfo| {
        let size = files.disk().size(&files.path(&info.name));
        size.map_err(|error| {
            let (name, why) = (shown(&info.name), error_text(&error));
            format!("Unable to obtain the AOF file {name} length. stat: {why}")
        })
    };
    infos.iter().map(size).collect()
}

/// One file.
struct One<'a> {
    files: &'a Files,
    info: &'a FileInfo,
    size: u64,
    /// The files behind it.
    later: &'a [FileInfo],
    rules: Rules,
    /// Bytes of the files before it.
    before: u64,
}

impl One<'_> {
    /// Loads it; whether the time that was asked for is over.
    fn load(&self, target: &mut dyn Target) -> Result<bool, String> {
        if self.size == 0 {
            return Ok(false);
        }
        let started = Instant::now();
        let path = self.files.path(&self.info.name);
        let offset = match self.begins_with_snapshot(&path)? {
            true => self.load_snapshot(&path, target)?,
            false => 0,
        };
        let stopped = offset < self.size && self.load_commands(&path, offset, target)?;
        target.settle().map_err(|why| self.refused(&why))?;
        let kind = match self.info.kind {
            FileType::Base => "base",
            _ => "incr",
        };
        log::info!(
            "DB loaded from {kind} file {}: {:.3} seconds",
            self.name(),
            started.elapsed().as_secs_f64()
        );
        Ok(stopped)
    }

    fn begins_with_snapshot(&self, path: &Path) -> Result<bool, String> {
        begins_with_snapshot(&mut self.open(path)?).map_err(|error| self.unreadable(&error))
    }

    fn load_snapshot(&self, path: &Path, target: &mut dyn Target) -> Result<u64, String> {
        let old_style = self.files.is_old_style(self.info);
        let (doing, what) = match old_style {
            true => (
                "Reading RDB preamble from AOF file...",
                "the RDB preamble of the AOF file",
            ),
            false => (
                "Reading RDB base file on AOF loading...",
                "the RDB base file",
            ),
        };
        log::info!("{doing}");
        let loaded = target.snapshot(self.open(path)?, self.size);
        let offset = loaded.map_err(|why| {
            format!(
                "Error reading {what} {}, AOF loading aborted: {why}",
                self.name()
            )
        })?;
        if old_style && offset < self.size {
            log::info!("Reading the remaining AOF tail...");
        }
        Ok(offset)
    }

    /// Runs the commands from `offset` on; whether the time that was asked for is over.
    fn load_commands(
        &self,
        path: &Path,
        offset: u64,
        target: &mut dyn Target,
    ) -> Result<bool, String> {
        let mut input = self.open(path)?;
        if offset > 0 {
            let skipped = io::copy(&mut (&mut input).take(offset), &mut io::sink());
            skipped.map_err(|error| self.unreadable(&error))?;
        }
        let mut runner = Runner {
            target,
            before: self.before,
        };
        let walked = walk(&mut input, offset, self.rules.until, &mut runner);
        match &walked.end {
            End::Whole => Ok(false),
            End::Time => Ok(true),
            End::Cut(_) => {
                runner.target.abandon();
                self.cut_off(path, &walked).map(|()| false)
            }
            End::Damaged(at, damage) => {
                runner.target.abandon();
                self.damaged(path, &walked, *at, *damage).map(|()| false)
            }
            End::Io(error) => Err(self.unreadable(error)),
            End::Refused(why) => Err(self.refused(why)),
        }
    }

    fn cut_off(&self, path: &Path, walked: &Walked) -> Result<(), String> {
        if !self.is_last() {
            return Err("Fatal error: the truncated file is not the last file".into());
        }
        if !self.rules.truncated {
            return Err(format!(
                "Unexpected end of file reading the append only file {}. You can: 1) Make a \
                 backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. \
                 2) Alternatively you can set the 'aof-load-truncated' configuration option to \
                 yes and restart the server.",
                self.name()
            ));
        }
        log::warn!(
            "!!! Warning: short read while loading the AOF file {}!!!",
            self.name()
        );
        self.shorten(path, walked)?;
        log::warn!(
            "AOF {} loaded anyway because aof-load-truncated is enabled",
            self.name()
        );
        Ok(())
    }

    fn damaged(&self, path: &Path, walked: &Walked, at: u64, what: Damage) -> Result<(), String> {
        let name = self.name();
        log::warn!("AOF file {name} is damaged at offset {at}: {what}");
        let tail = self.size - walked.good;
        if tail <= self.rules.corrupt_tail_max && self.is_last() {
            self.shorten(path, walked)?;
            log::warn!(
                "AOF {name} loaded anyway because its damaged tail of {tail} bytes is within \
                 aof-load-corrupt-tail-max-size"
            );
            return Ok(());
        }
        Err(self.bad_format())
    }

    /// Whether no command follows this file. One behind it may have been begun and left.
    fn is_last(&self) -> bool {
        self.later.iter().all(|info| {
            let Ok(mut input) = self.files.disk().read(&self.files.path(&info.name)) else {
                return false;
            };
            matches!(walk(&mut input, 0, None, &mut NoCommand).end, End::Whole)
        })
    }

    /// Cuts off what does not hold: the log goes on from there. Refuses where commands behind
    /// that place have run: the log would lack what the data has.
    fn shorten(&self, path: &Path, walked: &Walked) -> Result<(), String> {
        if walked.is_ahead {
            return Err(self.bad_format());
        }
        let (name, good) = (self.name(), walked.good);
        log::warn!("!!! Truncating the AOF {name} at offset {good} !!!");
        let file = self.files.disk().append(path);
        let cut = file.and_then(|file| {
            file.truncate(good)?;
            file.sync()
        });
        cut.map_err(|error| {
            format!(
                "Error truncating the AOF file {name}: {}",
                error_text(&error)
            )
        })
    }

    fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>, String> {
        self.files.disk().read(path).map_err(|error| {
            let (name, why) = (self.name(), error_text(&error));
            format!("Fatal error: can't open the append log file {name} for reading: {why}")
        })
    }

    fn unreadable(&self, error: &io::Error) -> String {
        let (name, why) = (self.name(), error_text(error));
        format!("Unrecoverable error reading the append only file {name}: {why}")
    }

    fn bad_format(&self) -> String {
        format!(
            "Bad file format reading the append only file {}: make a backup of your AOF \
             file, then use ./redis-check-aof --fix <filename.manifest>",
            self.name()
        )
    }

    fn refused(&self, why: &str) -> String {
        format!("{why} reading the append only file {}", self.name())
    }

    fn name(&self) -> String {
        shown(&self.info.name)
    }
}

/// Whether a file begins like a snapshot.
///
/// # Errors
/// What the system says.
pub fn begins_with_snapshot(input: &mut dyn Read) -> io::Result<bool> {
    let mut start = Vec::with_capacity(MAGIC_LEN);
    input.take(MAGIC_LEN as u64).read_to_end(&mut start)?;
    Ok(MAGICS.contains(&start.as_slice()))
}

/// Wants to see no command at all.
struct NoCommand;

impl Visit for NoCommand {
    fn command(&mut self, _raw: &[u8], _name: &[u8]) -> Result<(), String> {
        Err(String::new())
    }
}

/// Passes what a walk shows on.
struct Runner<'a> {
    target: &'a mut dyn Target,
    before: u64,
}

impl Visit for Runner<'_> {
    fn command(&mut self, raw: &[u8], name: &[u8]) -> Result<(), String> {
        self.target.command(raw, name)
    }

    fn reached(&mut self, offset: u64) -> Result<(), String> {
        self.target.progress(self.before + offset);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
