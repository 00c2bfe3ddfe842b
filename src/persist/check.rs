//! `--check-rdb`: reads a file to its end and says what is in it, or what is wrong.
//!
//! Everything that loading checks is checked, by the same code; nothing is kept.

use std::fmt::Write as _;
use std::path::Path;

use bytes::Bytes;

use super::disk::{Disk, RealDisk};
use super::load;
use super::rdb::file::read::{self, Pair, Rules, Visitor};
use super::rdb::file::source::FileSource;
use super::rdb::file::{CHECKSUM_FIRST, Problem};
use crate::base::clock;
use crate::base::hash::KeyHasher;
use crate::config::Config;
use crate::store::{DATABASES, Keyspace};

/// Bytes between two lines of progress.
const PROGRESS_BYTES: u64 = 64 << 20;

#[derive(Default)]
struct Census {
    version: u16,
    aux: Vec<String>,
    functions: u64,
    keys: u64,
    expires: u64,
    expired: u64,
    empty: u64,
    now: i64,
    total: u64,
    told: u64,
}

impl Visitor for Census {
    fn version(&mut self, version: u16) {
        self.version = version;
    }

    fn aux(&mut self, name: &[u8], value: &[u8]) {
        let line = format!(
            "AUX FIELD {} = '{}'",
            name.escape_ascii(),
            value.escape_ascii()
        );
        self.aux.push(line);
    }

    fn function(&mut self, _code: Bytes) {
        self.functions += 1;
    }

    fn pair(&mut self, pair: Pair<'_>) -> Result<(), Problem> {
        self.keys += 1;
        self.expires += u64::from(pair.expire.is_some());
        self.expired += u64::from(pair.expire.is_some_and(|at| at < self.now));
        Ok(())
    }

    fn empty(&mut self, _key: &[u8]) {
        self.empty += 1;
    }

    fn progress(&mut self, bytes: u64) {
        if bytes - self.told >= PROGRESS_BYTES {
            self.told = bytes;
            let percent = bytes * 100 / self.total.max(1);
            eprintln!(
                "[offset {bytes}] {percent}% read, {} keys so far",
                self.keys
            );
        }
    }
}

/// Reads the snapshot that `input`, of `size` bytes, begins with; its length.
///
/// # Errors
/// A text that says where and why it cannot be loaded.
pub fn length(input: Box<dyn std::io::Read + Send>, size: u64) -> Result<u64, String> {
    let (_, offset, result) = survey(input, size);
    result.map(|()| offset)
}

/// Reads a snapshot: what is in it, how far it was read, and whether it can be loaded.
fn survey(input: Box<dyn std::io::Read + Send>, size: u64) -> (Census, u64, Result<(), String>) {
    let config = Config::new();
    let keyspace = Keyspace::new(KeyHasher::random());
    let rules = Rules {
        layout: load::layout(&config, &keyspace),
        databases: DATABASES,
        checksum: true,
    };
    let mut source = FileSource::new(input, size, true);
    let mut census = Census {
        now: clock::now(),
        total: size,
        ..Census::default()
    };
    let result = read::load(&mut source, &mut census, &rules);
    let result = result.map(drop).map_err(|error| error.to_string());
    (census, source.offset(), result)
}

/// The report on a file.
///
/// # Errors
/// The report on a file that cannot be loaded.
pub fn check(path: &Path) -> Result<String, String> {
    let system = |error| format!("Cannot open {}: {error}", path.display());
    let size = RealDisk.size(path).map_err(system)?;
    let input = RealDisk.read(path).map_err(system)?;
    let (census, offset, result) = survey(input, size);
    let mut report = format!("[offset 0] Checking RDB file {}\n", path.display());
    // Writing to a text does not fail.
    let _ = writeln!(report, "[info] RDB version {}", census.version);
    for line in &census.aux {
        let _ = writeln!(report, "[info] {line}");
    }
    if let Err(error) = &result {
        let _ = writeln!(report, "--- RDB ERROR DETECTED ---\n{error}");
    }
    for (count, what) in [
        (census.keys, "keys read"),
        (census.expires, "expires"),
        (census.expired, "already expired"),
        (census.empty, "empty keys, which are skipped"),
        (census.functions, "libraries of functions"),
    ] {
        let _ = writeln!(report, "[info] {count} {what}");
    }
    if result.is_err() {
        return Err(report);
    }
    if census.version >= CHECKSUM_FIRST {
        let _ = writeln!(report, "[offset {offset}] Checksum OK");
    }
    let rest = size - offset;
    if rest > 0 {
        let _ = writeln!(
            report,
            "[info] {rest} bytes follow the end, which nobody reads"
        );
    }
    report.push_str("[info] \\o/ RDB looks OK! \\o/");
    Ok(report)
}
