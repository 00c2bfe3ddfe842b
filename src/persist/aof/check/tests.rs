//! Verdicts on logs of each kind of damage, and what repairing leaves of them.

use super::super::record::push_command;
use super::super::testing::{commands, put};
use super::*;
use crate::persist::disk::sim::SimDisk;

/// The verdict on `dir/name`, and all that was told on the way.
fn verdict(disk: &SimDisk, name: &str, fix: Fix<'_>) -> (Result<String, String>, String) {
    let mut told = Vec::new();
    let snapshot = |_input: Box<dyn Read + Send>, _size: u64| Ok(9);
    let mut tell = |line: &str| told.push(line.to_owned());
    let path = Path::new("dir").join(name);
    let result = check(disk, &path, fix, &snapshot, &mut tell);
    (result, told.join("\n"))
}

#[test]
fn a_good_log_is_told_file_by_file() {
    let disk = SimDisk::new(1);
    put(
        &disk,
        "log.manifest",
        b"file b seq 1 type b\nfile x seq 1 type i\n",
    );
    put(&disk, "b", b"REDIS0010");
    put(&disk, "x", &commands(&["A"]));
    let (result, told) = verdict(&disk, "log.manifest", Fix::No);
    assert_eq!(
        result.as_deref(),
        Ok("All AOF files and manifest are valid")
    );
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], "Start checking Multi Part AOF");
    assert_eq!(lines[1], "Start to check BASE AOF (RDB format).");
    assert_eq!(lines[2], "RDB preamble is OK, proceeding with AOF tail...");
    assert!(told.contains("INCR AOF x is valid"));
    // The directory is as good as its one manifest.
    assert!(verdict(&disk, "", Fix::No).0.is_ok());
}

#[test]
fn a_bad_end_is_cut_off_if_that_is_wanted() {
    let disk = SimDisk::new(1);
    let mut bytes = Vec::new();
    push_command(&[b"SET", b"foo", b"hello"], &mut bytes);
    let good = bytes.len();
    bytes.extend_from_slice(b"!!!");
    put(&disk, "old.aof", &bytes);
    let (result, told) = verdict(&disk, "old.aof", Fix::No);
    let why = result.expect_err("it is damaged");
    assert!(why.contains("is not valid. Use the --fix option"), "{why}");
    assert!(told.contains("ok_up_to_line=8, diff=3"), "{told}");
    let (result, _) = verdict(&disk, "old.aof", Fix::Ask(&|_| false));
    assert_eq!(result, Err("Aborting...".into()));
    let (result, _) = verdict(&disk, "old.aof", Fix::Ask(&|_| true));
    assert_eq!(
        result.as_deref(),
        Ok("Successfully truncated AOF dir/old.aof")
    );
    assert_eq!(disk.size(Path::new("dir/old.aof")).ok(), Some(good as u64));
    assert!(verdict(&disk, "old.aof", Fix::No).0.is_ok());
}

#[test]
fn only_the_last_file_is_cut_off() {
    let disk = SimDisk::new(1);
    put(
        &disk,
        "log.manifest",
        b"file x seq 1 type i\nfile y seq 2 type i\n",
    );
    put(&disk, "x", b"*1\r\n");
    put(&disk, "y", &commands(&["A"]));
    let (result, _) = verdict(&disk, "log.manifest", Fix::Ask(&|_| true));
    let why = "Failed to truncate AOF x because it is not the last file";
    assert_eq!(result, Err(why.into()));
}
