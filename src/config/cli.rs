//! The command line.
//!
//! ```text
//! flashkv [FILE] [-] [process options] [--directive value...]...
//! ```
//!
//! Process options are getopts's; every directive is an option as well, in Redis's
//! form (`--save 60 1 --bind 127.0.0.1 ::1`) or with `=`. Directives are taken out
//! first: one with a single value takes one argument, a list takes all up to the next
//! option. What is left goes to getopts.
//!
//! A wrong option or value is a [`UsageError`] (exit code 2); a file with errors is a
//! [`LoadError`] (exit code 1).

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use getopts::Matches;

use super::Config;
use super::file::{LoadError, Loader};
use super::schema::{Id, Kind};

/// What the process was asked to do.
#[derive(Debug)]
pub enum Invocation {
    /// Serve.
    Run(Box<Options>),
    /// Print this and exit 0.
    Help(String),
    /// Print this and exit 0.
    Version(String),
    /// Load, report and exit; see [`Options::check`].
    CheckConfig(Box<Options>),
    /// Read this RDB file, report and exit.
    CheckRdb(PathBuf),
}

/// Where the configuration comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub config_file: Option<PathBuf>,
    /// Read further lines from standard input.
    pub stdin: bool,
    /// Directives of the command line, in order; each overrules the file.
    pub directives: Vec<Given>,
}

/// One directive of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub name: String,
    pub args: Vec<Vec<u8>>,
}

/// A configuration that has been read.
pub struct Loaded {
    pub config: Config,
    /// To be logged once the log is there.
    pub warnings: Vec<String>,
}

/// The command line is wrong; print it and exit 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "flashkv: {}\n{USAGE_BRIEF}\nTry 'flashkv --help' for the options.",
            self.0
        )
    }
}

impl std::error::Error for UsageError {}

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// An unknown option, a missing or superfluous argument, or a value that its directive
/// does not admit.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, UsageError> {
    let (mut directives, rest) = split(args.into_iter().collect())?;
    let matches = process_options()
        .parse(rest)
        .map_err(|fail| UsageError(fail.to_string()))?;
    if matches.opt_present("help") {
        return Ok(Invocation::Help(usage()));
    }
    if matches.opt_present("version") {
        return Ok(Invocation::Version(version()));
    }
    if let Some(file) = matches.opt_str("check-rdb") {
        return Ok(Invocation::CheckRdb(file.into()));
    }
    directives.splice(0..0, shorthands(&matches));
    try_directives(&directives)?;
    let (config_file, stdin) = sources(&matches)?;
    let options = Box::new(Options {
        config_file,
        stdin,
        directives,
    });
    match matches.opt_present("check-config") {
        true => Ok(Invocation::CheckConfig(options)),
        false => Ok(Invocation::Run(options)),
    }
}

impl Options {
    /// Reads defaults, file, `stdin` where it was asked for, and command line, in this
    /// order.
    ///
    /// # Errors
    /// Every line that is wrong.
    pub fn load(&self, stdin: &mut dyn std::io::Read) -> Result<Loaded, LoadError> {
        let mut loader = Loader::new();
        if let Some(path) = &self.config_file {
            loader.file(path);
        }
        if self.stdin {
            loader.stream("<stdin>", stdin);
        }
        add_directives(&mut loader, &self.directives);
        let (config, warnings) = loader.finish()?;
        if let Some(path) = &self.config_file {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            config.set_file(&absolute);
        }
        Ok(Loaded { config, warnings })
    }

    /// The answer of `--check-config`: one line and any warnings.
    ///
    /// # Errors
    /// As [`Options::load`].
    pub fn check(&self, stdin: &mut dyn std::io::Read) -> Result<String, LoadError> {
        let loaded = self.load(stdin)?;
        let name = self
            .config_file
            .as_deref()
            .map(Path::display)
            .map(|path| path.to_string());
        let name = name.unwrap_or_else(|| "<command line>".to_owned());
        let mut lines = vec![format!("{name}: configuration is valid")];
        lines.extend(
            loaded
                .warnings
                .iter()
                .map(|warning| format!("warning: {warning}")),
        );
        Ok(lines.join("\n"))
    }
}

/// Takes the directives out of the arguments and leaves what getopts understands.
fn split(args: Vec<OsString>) -> Result<(Vec<Given>, Vec<OsString>), UsageError> {
    let (mut directives, mut rest) = (Vec::new(), Vec::new());
    let mut args = args.into_iter().peekable();
    while let Some(arg) = args.next() {
        let Some((id, name, inline)) = directive(&arg) else {
            let takes_value = matches!(
                arg.as_bytes(),
                b"--host" | b"--config" | b"-c" | b"-p" | b"-w"
            );
            rest.push(arg);
            rest.extend(args.next_if(|_| takes_value));
            continue;
        };
        let most = match (inline.is_some(), id.row().kind) {
            (true, _) => 0,
            (false, Kind::List { .. }) => usize::MAX,
            (false, _) => 1,
        };
        let mut values: Vec<Vec<u8>> = inline.into_iter().collect();
        while values.len() < most {
            let Some(next) = args.next_if(|next| !is_option(next)) else {
                break;
            };
            values.push(next.as_bytes().to_vec());
        }
        if values.is_empty() {
            return Err(UsageError(format!("--{name}: wrong number of arguments")));
        }
        directives.push(Given { name, args: values });
    }
    Ok((directives, rest))
}

/// `--name` or `--name=value`, where a directive has this name.
fn directive(arg: &OsStr) -> Option<(Id, String, Option<Vec<u8>>)> {
    let text = arg.as_bytes().strip_prefix(b"--")?;
    let end = text.iter().position(|byte| *byte == b'=');
    let name = &text[..end.unwrap_or(text.len())];
    let id = Id::find(name)?;
    let inline = end.map(|end| text[end + 1..].to_vec());
    Some((
        id,
        String::from_utf8_lossy(name).to_ascii_lowercase(),
        inline,
    ))
}

/// Whether an argument ends the values before it. `-5` and `-::1` are values.
fn is_option(arg: &OsStr) -> bool {
    let arg = arg.as_bytes();
    arg.starts_with(b"--") || matches!(arg, b"-c" | b"-p" | b"-w" | b"-h" | b"-v")
}

fn process_options() -> getopts::Options {
    let mut options = getopts::Options::new();
    options
        .optopt(
            "c",
            "config",
            "the configuration file; - is standard input",
            "FILE",
        )
        .optopt("", "host", "listen on ADDR (like --bind ADDR)", "ADDR")
        .optopt("p", "port", "listen on PORT; 0 for no TCP", "PORT")
        .optopt(
            "w",
            "workers",
            "run N worker threads; 0 chooses by the processors",
            "N",
        )
        .optflag("", "check-config", "check the configuration and exit")
        .optopt("", "check-rdb", "check an RDB file and exit", "FILE")
        .optflag("h", "help", "print this and exit")
        .optflag("v", "version", "print the version and exit");
    options
}

/// The process options that stand for a directive.
fn shorthands(matches: &Matches) -> Vec<Given> {
    let pairs = [("host", "bind"), ("port", "port"), ("workers", "workers")];
    let given = |(option, name): (&str, &str)| {
        let value = matches.opt_str(option)?;
        Some(Given {
            name: name.to_owned(),
            args: vec![value.into_bytes()],
        })
    };
    pairs.into_iter().filter_map(given).collect()
}

/// The file, and whether standard input is read as well.
fn sources(matches: &Matches) -> Result<(Option<PathBuf>, bool), UsageError> {
    let named = matches
        .opt_str("config")
        .into_iter()
        .chain(matches.free.iter().cloned());
    let (dashes, files): (Vec<_>, Vec<_>) = named.partition(|name| name == "-");
    match files.as_slice() {
        [] => Ok((None, !dashes.is_empty())),
        [file] => Ok((Some(PathBuf::from(file)), !dashes.is_empty())),
        [_, extra, ..] => Err(UsageError(format!("unexpected argument '{extra}'"))),
    }
}

/// A wrong value of the command line is a usage error, whatever the file says.
fn try_directives(directives: &[Given]) -> Result<(), UsageError> {
    let mut loader = Loader::new();
    add_directives(&mut loader, directives);
    match loader.finish() {
        Ok(_) => Ok(()),
        Err(error) => {
            let lines = error
                .0
                .iter()
                .map(|line| format!("--{}: {}", line.text, line.reason));
            Err(UsageError(lines.collect::<Vec<_>>().join("\nflashkv: ")))
        }
    }
}

fn add_directives(loader: &mut Loader, directives: &[Given]) {
    for (at, given) in directives.iter().enumerate() {
        loader.directive("<command line>", at + 1, given.name.as_bytes(), &given.args);
    }
}

/// The text of `--help`.
pub fn usage() -> String {
    let options = process_options().usage(USAGE_BRIEF);
    format!("{options}\n{USAGE_TAIL}")
}

/// The one line of `--version`.
pub fn version() -> String {
    let number = env!("CARGO_PKG_VERSION");
    let (arch, os, bits) = (std::env::consts::ARCH, std::env::consts::OS, usize::BITS);
    format!("FlashKV server v={number} redis_compat={REDIS_COMPAT} bits={bits} arch={arch} os={os}")
}

/// The version of Redis whose behaviour is the contract.
pub const REDIS_COMPAT: &str = "7.2.4";

const USAGE_BRIEF: &str = "Usage: flashkv [FILE] [options] [--DIRECTIVE VALUE...]...";

const USAGE_TAIL: &str = "\
Every directive of the configuration file is an option too, and overrules the file:

    flashkv
    flashkv /etc/flashkv/flashkv.conf
    flashkv --port 7000 --save 60 1 --bind 127.0.0.1 ::1
    flashkv /etc/flashkv/flashkv.conf --loglevel=debug
    echo 'maxclients 100' | flashkv -

All directives, with their ranges and defaults, are in flashkv.conf.
";
