//! Our verdicts on damaged files beside those of redis-check-rdb and redis-check-aof. Where
//! they differ it has to be for a reason that is named here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flashkv::persist::aof::check::{self, Fix};
use flashkv::persist::aof::record::HEAD_TAG;
use flashkv::persist::check as rdb_check;
use flashkv::persist::disk::RealDisk;

use super::support::{Rng, TempDir, require_tool};
use super::{corpus, harness, mutate, seed};

/// Damaged files that get two verdicts; each takes two processes some milliseconds.
const FILES: usize = 400;
/// Bytes of the checksum at the end of a file.
const CHECKSUM: usize = 8;

fn put(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, bytes).expect("room for a small file");
    path
}

/// What a tool of Redis says of a file, and whether it takes it.
fn theirs(tool: &PathBuf, path: &PathBuf) -> (bool, String) {
    let output = Command::new(tool).arg(path).stdin(Stdio::null()).output();
    let output = output.expect("a tool that was found");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), said)
}

/// No verdict differs, and there were both kinds.
fn assert_agree(different: &[String], taken: usize, seed: u64) {
    let told = different.join("\n");
    assert!(different.is_empty(), "FLASHKV_SEED={seed}\n{told}");
    assert!(taken > 0 && taken < FILES, "{taken} of {FILES}");
}

/// Whether Redis 7.0 knows the version of this file.
fn is_old_enough(file: &[u8]) -> bool {
    file.starts_with(b"REDIS0010") || file.starts_with(b"REDIS0003")
}

#[test]
fn verdicts_on_snapshots_agree_with_redis() {
    let Some(tool) = require_tool("redis-check-rdb") else {
        return;
    };
    let seed = seed("verdicts_on_snapshots");
    let files: Vec<Vec<u8>> = corpus()
        .rdb
        .iter()
        .filter(|file| is_old_enough(file))
        .cloned()
        .collect();
    let dir = TempDir::new("rdb-verdicts");
    let (mut taken, mut different) = (0, Vec::new());
    for nth in 0..FILES {
        let mut rng = Rng::stream(seed, nth as u64);
        let mut file = mutate::damaged(&files, &mut rng);
        // Without its checksum: what is damaged is to be seen.
        let len = file.len();
        file[len.saturating_sub(CHECKSUM)..].fill(0);
        let path = put(&dir, "checked.rdb", &file);
        let ours = rdb_check::check(&path);
        let (take, said) = theirs(&tool, &path);
        taken += usize::from(take);
        let why = match &ours {
            Ok(report) | Err(report) => report,
        };
        let expected = match take {
            true => is_stricter_for_a_reason(why),
            false => is_wider_for_a_reason(why, &said),
        };
        if ours.is_ok() != take && !expected {
            let shown = file.escape_ascii();
            different.push(format!(
                "file {nth}: {shown}
{why}
{said}"
            ));
        }
    }
    assert_agree(&different, taken, seed);
}

/// Why we refuse what Redis takes, by our words.
const STRICTER: &[(&str, &str)] = &[
    (
        "wrong signature",
        "Redis reads the digits of a version as far as there are some",
    ),
    (
        "impossible length",
        "Redis takes the number of another encoding for a length where it needs none",
    ),
    (
        "reading an AUX field: impossible time",
        "Redis passes over the times at which fields expire",
    ),
    (
        "is beyond `databases`",
        "Redis finds out when it loads the file",
    ),
    (
        "damaged packed elements",
        "Redis does not look into listpacks when it checks a file",
    ),
    (
        "inconsistent stream",
        "Redis does not add up what nodes and groups say of each other",
    ),
];

fn is_stricter_for_a_reason(ours: &str) -> bool {
    STRICTER.iter().any(|(words, _)| ours.contains(words))
}

/// Why we take what Redis refuses: it is older, and its tool stops at an empty key, which
/// the server skips.
fn is_wider_for_a_reason(ours: &str, theirs: &str) -> bool {
    let is_newer = theirs.contains("Can't handle RDB format version");
    let skips = ours.contains(" empty keys") && !ours.contains("[info] 0 empty keys");
    is_newer || skips
}

#[test]
fn verdicts_on_logs_agree_with_redis() {
    let Some(tool) = require_tool("redis-check-aof") else {
        return;
    };
    let seed = seed("verdicts_on_logs");
    // Chunks have checksums, which Redis does not look at, and Valkey's snapshots are none
    // for it.
    let has = |log: &[u8], what: &[u8]| memchr::memmem::find(log, what).is_some();
    let foreign = |log: &&Vec<u8>| has(log, HEAD_TAG) || has(log, b"VALKEY");
    let logs: Vec<Vec<u8>> = corpus()
        .aof
        .iter()
        .filter(|log| !foreign(log))
        .cloned()
        .collect();
    let dir = TempDir::new("aof-verdicts");
    let (mut taken, mut different) = (0, Vec::new());
    for nth in 0..FILES {
        let mut rng = Rng::stream(seed, nth as u64);
        let input = mutate::damaged(&logs, &mut rng);
        let files = harness::files_of_log(&input);
        files
            .iter()
            .for_each(|(name, bytes)| drop(put(&dir, name, bytes)));
        let path = dir.join(&files[0].0);
        let ours = check::check(&RealDisk, &path, Fix::No, &rdb_check::length, &mut |_| {});
        let (take, said) = theirs(&tool, &path);
        taken += usize::from(take);
        let expected = take && files.iter().any(|(_, file)| is_taken_by_redis_alone(file));
        if ours.is_ok() != take && !expected {
            let shown = input.escape_ascii();
            different.push(format!(
                "log {nth}: {shown}
{ours:?}
{said}"
            ));
        }
    }
    assert_agree(&different, taken, seed);
}

/// Numbers that strtol reads and we do not, with signs, blanks or nothing at all; commands
/// without words, which its loader refuses; annotations with zero bytes, which are heads of
/// chunks that the power has torn; and the start of an annotation at the end, of which what
/// is appended would become a part.
fn is_taken_by_redis_alone(file: &[u8]) -> bool {
    let is_odd = |line: &[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line {
            [b'*' | b'$', digits @ ..] => {
                let is_zero = digits.iter().all(|&digit| digit == b'0');
                is_zero || !digits.iter().all(u8::is_ascii_digit)
            }
            [b'#', text @ ..] => text.contains(&0),
            _ => false,
        }
    };
    let mut lines = file.split(|&byte| byte == b'\n');
    let last = file
        .rsplit(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    lines.any(is_odd) || last.starts_with(b"#")
}
