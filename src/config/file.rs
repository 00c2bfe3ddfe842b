//! redis.conf syntax: one directive a line, `#` comments, quoting, `include`.
//!
//! ```text
//! # a comment
//! maxclients 100
//! requirepass "a \"quoted\" word, \x41 and \n"
//! logfile 'single quotes know only \''
//! include /etc/flashkv/conf.d/*.conf
//! ```
//!
//! Names are looked up in any case. The last line of a directive wins, but `save` adds
//! up after its first line and `client-output-buffer-limit` sets only the classes it
//! names. An included file stands in the place of its `include` line.
//!
//! A [`Loader`] collects all errors up to a bound, so that one run shows them all. A
//! configuration that had errors is never used.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Config;
use super::schema::{Id, Status};
use super::value;
use crate::base::{glob, split};

/// One line that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// The file, or `<stdin>`, or `<command line>`.
    pub source: String,
    /// From 1; 0 where the source could not be read at all.
    pub line: usize,
    pub text: String,
    pub reason: String,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LineError {
            source,
            line,
            text,
            reason,
        } = self;
        match line {
            0 => write!(f, "In {source}\n{reason}"),
            _ => write!(f, "In {source}, at line {line}\n>>> '{text}'\n{reason}"),
        }
    }
}

/// Everything that was wrong; at least one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError(pub Vec<LineError>);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "*** FATAL CONFIG FILE ERROR (FlashKV {}) ***",
            env!("CARGO_PKG_VERSION")
        )?;
        self.0.iter().try_for_each(|error| write!(f, "\n{error}"))
    }
}

impl std::error::Error for LoadError {}

/// Reads sources one after the other into one configuration.
pub struct Loader {
    config: Config,
    errors: Vec<LineError>,
    /// By `Id`, whether a line has set it.
    given: Vec<bool>,
    /// Where relative names in `include` start.
    base: PathBuf,
    /// Files that are being read, each included by the one before.
    open: usize,
    /// Files included so far.
    included: usize,
}

impl Loader {
    /// Starts from the defaults, in the working directory.
    pub fn new() -> Loader {
        Loader::at(&std::env::current_dir().unwrap_or_default())
    }

    /// Starts from the defaults; relative names in `include` start at `base`.
    pub fn at(base: &Path) -> Loader {
        let config = Config::new();
        config.set_base(base);
        let given = vec![false; Id::all().count()];
        let base = base.to_owned();
        Loader {
            config,
            errors: Vec::new(),
            given,
            base,
            open: 0,
            included: 0,
        }
    }

    /// Reads a file and what it includes.
    pub fn file(&mut self, path: &Path) {
        if let Err(reason) = self.try_file(path) {
            self.error(&path.display().to_string(), 0, "", reason);
        }
    }

    fn try_file(&mut self, path: &Path) -> Result<(), String> {
        let text = std::fs::read(path).map_err(|error| cannot_open(path, &error))?;
        self.lines(&path.display().to_string(), &text);
        Ok(())
    }

    /// Reads lines until the end of `input`; `source` is what errors call it.
    pub fn stream(&mut self, source: &str, input: &mut dyn Read) {
        let mut text = Vec::new();
        match input.read_to_end(&mut text) {
            Ok(_) => self.lines(source, &text),
            Err(error) => self.error(source, 0, "", system_text(&error)),
        }
    }

    /// Reads lines from memory.
    pub fn lines(&mut self, source: &str, text: &[u8]) {
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if let Err(reason) = self.line(line) {
                self.error(source, number + 1, &trimmed_lossy(line), reason);
            }
        }
    }

    /// Takes one directive that is already split into its arguments, as from the command
    /// line.
    pub fn directive(&mut self, source: &str, line: usize, name: &[u8], args: &[Vec<u8>]) {
        if let Err(reason) = self.assign(name, args) {
            let words = std::iter::once(name).chain(args.iter().map(Vec::as_slice));
            let words: Vec<_> = words.map(|word| String::from_utf8_lossy(word)).collect();
            self.error(source, line, &words.join(" "), reason);
        }
    }

    /// Whether a line so far has set this directive.
    pub(super) fn was_given(&self, id: Id) -> bool {
        self.given[id.index()]
    }

    /// The configuration and its warnings.
    ///
    /// # Errors
    /// All lines that were wrong, up to a bound.
    pub fn finish(self) -> Result<(Config, Vec<String>), LoadError> {
        if !self.errors.is_empty() {
            return Err(LoadError(self.errors));
        }
        let warnings = warnings(&self.config);
        Ok((self.config, warnings))
    }

    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        let line = line.trim_ascii();
        if line.is_empty() || line[0] == b'#' {
            return Ok(());
        }
        let args = split_args(line).ok_or("Unbalanced quotes in configuration line")?;
        match args.split_first() {
            Some((name, paths)) if name.eq_ignore_ascii_case(b"include") => self.include(paths),
            Some((name, args)) => self.assign(name, args),
            None => Ok(()),
        }
    }

    fn assign(&mut self, name: &[u8], args: &[Vec<u8>]) -> Result<(), String> {
        let id = Id::find(name).ok_or("Bad directive or wrong number of arguments")?;
        let present = self.config.value(id);
        let adds = id != Id::SAVE || self.given[id.index()];
        let present: &[u8] = if adds { present.as_text() } else { b"" };
        let value = value::parse(id.row(), args, present)?;
        self.config.put(id, value);
        self.given[id.index()] = true;
        Ok(())
    }

    fn include(&mut self, args: &[Vec<u8>]) -> Result<(), String> {
        let [pattern] = args else {
            return Err("wrong number of arguments".to_owned());
        };
        if self.open == INCLUDE_DEPTH_MAX {
            return Err(format!(
                "include goes deeper than {INCLUDE_DEPTH_MAX} files"
            ));
        }
        self.open += 1;
        let done = self.include_each(expand(&self.base, pattern)?);
        self.open -= 1;
        done
    }

    fn include_each(&mut self, paths: Vec<PathBuf>) -> Result<(), String> {
        for path in paths {
            self.included += 1;
            if self.included > INCLUDED_MAX {
                return Err(format!("more than {INCLUDED_MAX} files are included"));
            }
            self.try_file(&path)?;
        }
        Ok(())
    }

    fn error(&mut self, source: &str, line: usize, text: &str, reason: String) {
        if self.errors.len() < ERRORS_MAX {
            let (source, text) = (source.to_owned(), text.to_owned());
            self.errors.push(LineError {
                source,
                line,
                text,
                reason,
            });
        }
    }
}

impl Default for Loader {
    fn default() -> Self {
        Loader::new()
    }
}

fn cannot_open(path: &Path, error: &std::io::Error) -> String {
    format!(
        "can't open config file '{}': {}",
        path.display(),
        system_text(error)
    )
}

/// One line for each directive that is set although it has no effect.
fn warnings(config: &Config) -> Vec<String> {
    let warning = |id: Id| match id.row().status {
        Status::Inert(why) if !config.is_default(id) => Some(format!(
            "'{}' has no effect in this version: {why}",
            id.row().name
        )),
        _ => None,
    };
    Id::all().filter_map(warning).collect()
}

/// Splits a line into its arguments. `None` when a quote is not closed, or is closed in
/// the middle of a word.
pub fn split_args(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut args = Vec::new();
    split::split(line, |word| args.push(word.to_vec())).ok()?;
    Some(args)
}

/// The files a pattern of `include` names, sorted; wildcards stand in any component.
/// A pattern with wildcards may match nothing; a plain name must exist.
fn expand(base: &Path, pattern: &[u8]) -> Result<Vec<PathBuf>, String> {
    let pattern = std::str::from_utf8(pattern).map_err(|_| "include needs a UTF-8 path")?;
    if !pattern.contains(['*', '?']) {
        return Ok(vec![base.join(pattern)]);
    }
    let mut found = vec![base.to_owned()];
    for component in Path::new(pattern).components() {
        let name = component.as_os_str().to_string_lossy();
        found = found
            .iter()
            .flat_map(|base| step_into(base, &name))
            .collect();
    }
    found.retain(|path| path.exists());
    Ok(found)
}

fn step_into(base: &Path, component: &str) -> Vec<PathBuf> {
    if !component.contains(['*', '?']) {
        return vec![base.join(component)];
    }
    let Ok(entries) = std::fs::read_dir(base) else {
        return Vec::new();
    };
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let fits = |name: &String| {
        name.starts_with('.') == component.starts_with('.')
            && glob::matches(component.as_bytes(), name.as_bytes())
    };
    let mut paths: Vec<_> = names.filter(fits).map(|name| base.join(name)).collect();
    paths.sort();
    paths
}

/// The text of a system error without Rust's `(os error N)`.
pub(super) fn system_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn trimmed_lossy(line: &[u8]) -> String {
    String::from_utf8_lossy(line.trim_ascii()).into_owned()
}

/// Errors shown at once; a file of another program would fill the screen otherwise.
const ERRORS_MAX: usize = 20;

/// Files within files; a file that includes itself ends here.
const INCLUDE_DEPTH_MAX: usize = 16;

/// Files included in all; bounds a directory whose files include the directory.
const INCLUDED_MAX: usize = 1024;
