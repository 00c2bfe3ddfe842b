//! Our verdicts on damaged files beside those of redis-check-rdb and redis-check-aof. Where
//! they differ it has to be for a reason that is named here.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use flashkv::persist::aof::check::{self, Fix};
use flashkv::persist::aof::record::HEAD_TAG;
use flashkv::persist::check as rdb_check;
use flashkv::persist::disk::RealDisk;

use super::support::{Rng, require_tool};
use super::{corpus, harness, mutate};

/// Damaged files that get two verdicts; each takes two processes some milliseconds.
const FILES: usize = 400;
/// Bytes of the checksum at the end of a file.
const CHECKSUM: usize = 8;

/// A directory that goes away with the test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        let path = std::env::temp_dir().join(format!("flashkv-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory for the test");
        Dir(path)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("room for a small file");
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a tool of Redis says of a file, and whether it takes it.
fn theirs(tool: &PathBuf, path: &PathBuf) -> (bool, String) {
    let output = Command::new(tool).arg(path).stdin(Stdio::null()).output();
    let output = output.expect("a tool that was found");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), said)
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
    let seed = Rng::seed_from_env("verdicts_on_snapshots");
    let files: Vec<Vec<u8>> = corpus()
        .rdb
        .iter()
        .filter(|file| is_old_enough(file))
        .cloned()
        .collect();
    let dir = Dir::new("rdb-verdicts");
    let (mut taken, mut different) = (0, Vec::new());
    for nth in 0..FILES {
        let mut rng = Rng::stream(seed, nth as u64);
        let mut file = mutate::damaged(&files, &mut rng);
        // Without its checksum: what is damaged is to be seen.
        let len = file.len();
        file[len.saturating_sub(CHECKSUM)..].fill(0);
        let path = dir.put("checked.rdb", &file);
        let ours = rdb_check::check(&path);
        let (take, said) = theirs(&tool, &path);
        taken += usize::from(take);
        let why = match &ours {
            Ok(report) | Err(report) => report,
        };
        if ours.is_ok() != take && !differ_for_a_reason(why, &said) {
            let shown = file.escape_ascii();
            different.push(format!("file {nth}: {shown}
{why}
{said}"));
        }
    }
    assert!(different.is_empty(), "FLASHKV_SEED={seed}\n{}", different.join("\n"));
    assert!(taken > 0 && taken < FILES, "{taken} of {FILES}");
}

fn differ_for_a_reason(_ours: &str, _theirs: &str) -> bool {
    false
}

#[test]
fn verdicts_on_logs_agree_with_redis() {
    let Some(tool) = require_tool("redis-check-aof") else {
        return;
    };
    let seed = Rng::seed_from_env("verdicts_on_logs");
    // Chunks have checksums, which Redis does not look at.
    let unchecked = |log: &&Vec<u8>| memchr::memmem::find(log, HEAD_TAG).is_none();
    let logs: Vec<Vec<u8>> = corpus().aof.iter().filter(unchecked).cloned().collect();
    let dir = Dir::new("aof-verdicts");
    let (mut taken, mut different) = (0, Vec::new());
    for nth in 0..FILES {
        let mut rng = Rng::stream(seed, nth as u64);
        let input = mutate::damaged(&logs, &mut rng);
        let files = harness::files_of_log(&input);
        files
            .iter()
            .for_each(|(name, bytes)| drop(dir.put(name, bytes)));
        let path = dir.0.join(&files[0].0);
        let ours = check::check(&RealDisk, &path, Fix::No, &rdb_check::length, &mut |_| {});
        let (take, said) = theirs(&tool, &path);
        taken += usize::from(take);
        if ours.is_ok() != take {
            let shown = input.escape_ascii();
            different.push(format!("log {nth}: {shown}
{ours:?}
{said}"));
        }
    }
    assert!(different.is_empty(), "FLASHKV_SEED={seed}\n{}", different.join("\n"));
    assert!(taken > 0 && taken < FILES, "{taken} of {FILES}");
}
