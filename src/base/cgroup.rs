//! How much memory the process may use: what its control group grants, at most what
//! the machine has.
//!
//! A limit binds a group and all below it, so the least on the way from the process's own
//! group up to the root counts. Both hierarchies are read: the unified one (`memory.max`)
//! and the older one of the memory controller (`memory.limit_in_bytes`). Inside a
//! container the group's path may not be visible below the mount; its root then is.
//!
//! The files are the kernel's, no disk is touched: some 20 us a look.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::sys;

const MOUNT: &str = "/sys/fs/cgroup";
const UNIFIED_FILE: &str = "memory.max";
const OLDER_FILE: &str = "memory.limit_in_bytes";
/// The older hierarchy says "none" by a number close to the greatest.
const NO_LIMIT_MIN: u64 = 1 << 62;
/// Groups on the way to the root that are looked at.
const DEPTH_MAX: usize = 64;

/// What the last look has found; 0 before the first.
static GRANTED: AtomicU64 = AtomicU64::new(0);

/// Bytes that the process may use, as of the last [`refresh`]; never 0.
pub fn granted() -> u64 {
    match GRANTED.load(Relaxed) {
        0 => refresh(),
        bytes => bytes,
    }
}

/// Looks again: limits change while a process runs.
pub fn refresh() -> u64 {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limit = limit_below(Path::new(MOUNT), &groups).unwrap_or(u64::MAX);
    let machine = match sys::total_memory_bytes() {
        0 => u64::MAX,
        bytes => bytes,
    };
    let bytes = limit.min(machine).max(1);
    GRANTED.store(bytes, Relaxed);
    bytes
}

/// The least limit of the groups that `groups` names, which is the text of
/// /proc/self/cgroup: lines of `id:controllers:path`.
fn limit_below(mount: &Path, groups: &str) -> Option<u64> {
    let limits = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        if controllers.is_empty() {
            return least_up_from(mount, path, UNIFIED_FILE);
        }
        let of_memory = controllers.split(',').any(|name| name == "memory");
        of_memory.then(|| least_up_from(&mount.join("memory"), path, OLDER_FILE))?
    });
    limits.min()
}

fn least_up_from(root: &Path, path: &str, file: &str) -> Option<u64> {
    let group = root.join(path.trim_start_matches('/'));
    let inside = group
        .ancestors()
        .take(DEPTH_MAX)
        .take_while(|group| group.starts_with(root));
    inside.filter_map(|group| limit_in(&group.join(file))).min()
}

/// The limit in a file: a number, or `max`.
fn limit_in(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let bytes: u64 = text.trim().parse().ok()?;
    (bytes < NO_LIMIT_MIN).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mount with these files, removed at the end.
    struct Mount(std::path::PathBuf);

    impl Mount {
        fn with(name: &str, files: &[(&str, &str)]) -> Mount {
            let name = format!("flashkv-cgroup-{}-{name}", std::process::id());
            let root = std::env::temp_dir().join(name);
            for (file, text) in files {
                let file = root.join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
            Mount(root)
        }
    }

    impl Drop for Mount {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_least_limit_on_the_way_up_counts() {
        let mount = Mount::with(
            "unified",
            &[
                ("memory.max", "max\n"),
                ("a/memory.max", "1000\n"),
                ("a/b/memory.max", "2000\n"),
                ("c/memory.max", "max\n"),
            ],
        );
        let limit = |text| limit_below(&mount.0, text);
        assert_eq!(limit("0::/a/b\n"), Some(1000));
        assert_eq!(limit("0::/a\n"), Some(1000));
        assert_eq!(limit("0::/c\n"), None);
        assert_eq!(limit("0::/a/not/seen/from/here\n"), Some(1000));
        assert_eq!(limit("no such line\n"), None);
    }

    #[test]
    fn the_older_hierarchy_has_a_mount_of_its_own() {
        let none = "9223372036854771712\n";
        let mount = Mount::with(
            "older",
            &[
                ("memory/memory.limit_in_bytes", none),
                ("memory/d/memory.limit_in_bytes", "4096\n"),
            ],
        );
        let limit = |text: &str| limit_below(&mount.0, text);
        let others = "5:cpu,cpuacct:/d\n0::/\n";
        assert_eq!(limit(&format!("4:memory:/d\n{others}")), Some(4096));
        assert_eq!(limit(&format!("4:hugetlb,memory:/e\n{others}")), None);
        assert_eq!(limit(others), None);
    }

    #[test]
    fn there_is_always_an_answer() {
        assert!(refresh() > 0);
        assert!(granted() <= sys::total_memory_bytes().max(1) || sys::total_memory_bytes() == 0);
    }
}
