//! Replies of MEMORY, and the doctor's findings.

use super::Overview;
use super::doctor::report;
use super::overview::Database;
use crate::base::heap;
use crate::command::ctx::MemoryUse;
use crate::command::testing::server::Server;
use crate::resp::Version;

const MIB: u64 = 1 << 20;

/// A server of this many bytes in use without any problem.
fn healthy(used: u64) -> Overview {
    Overview {
        memory: MemoryUse {
            used,
            peak: used,
            startup: MIB,
            heap: heap::Stats {
                allocated: used,
                cached: 0,
                active: used,
                resident: used,
                retained: 0,
            },
        },
        resident: used,
        clients: 2,
        client_bytes: 1000,
        keys: 10,
        databases: vec![Database {
            index: 0,
            table_bytes: 2000,
        }],
    }
}

#[test]
fn usage_covers_key_value_and_table() {
    let mut server = Server::new();
    server.run("set k v");
    server.run("set int 12345");
    server.run("set key:000000000001 x2345678901234567890123456789012 ex 100");
    // 8 of header, key and value in the allocation, 12 of table.
    assert_eq!(server.run("memory usage k"), ":28\r\n");
    assert_eq!(server.run("memory usage int samples 0"), ":36\r\n");
    assert_eq!(server.run("MEMORY USAGE key:000000000001"), ":76\r\n");
    assert_eq!(server.run("memory usage none"), "$-1\r\n");
    let mut words = vec!["rpush", "list"];
    words.extend(std::iter::repeat_n("0123456789", 100));
    server.run_words(&words);
    let reply = server.run("memory usage list SAMPLES 5 samples 1");
    let bytes: usize = reply[1..].trim_end().parse().unwrap();
    assert!((1100..2000).contains(&bytes), "{bytes}");
}

#[test]
fn usage_takes_samples_and_nothing_else() {
    let mut server = Server::new();
    for (line, want) in [
        ("memory usage k foo", "-ERR syntax error\r\n"),
        ("memory usage k samples", "-ERR syntax error\r\n"),
        ("memory usage k samples -1", "-ERR syntax error\r\n"),
        (
            "memory usage k samples x",
            "-ERR value is not an integer or out of range\r\n",
        ),
    ] {
        assert_eq!(server.run(line), want, "{line}");
    }
}

#[test]
fn statistics_are_a_map() {
    let mut server = Server::new();
    server.fill(&["a", "b"]);
    server.session.db = 3;
    server.fill(&["c"]);
    let flat = server.run("memory stats");
    assert!(flat.starts_with("*58\r\n$14\r\npeak.allocated\r\n:2000\r\n"));
    assert!(flat.contains("$4\r\ndb.3\r\n*6\r\n$23\r\noverhead.hashtable.main\r\n:"));
    assert!(flat.contains("$15\r\npeak.percentage\r\n$2\r\n50\r\n"));
    server.version = Version::Resp3;
    let map = server.run("memory stats");
    assert!(map.starts_with("%29\r\n") && map.contains("peak.percentage\r\n,50\r\n"));
    assert!(map.contains("keys.count\r\n:3\r\n"));
}

#[test]
fn sums_of_the_overview() {
    let seen = healthy(11 * MIB);
    assert_eq!(seen.overhead(), MIB + 3000);
    assert_eq!(seen.dataset(), 10 * MIB - 3000);
    assert_eq!(seen.bytes_per_key(), MIB);
    assert!(seen.dataset_percent() > 99.9 && seen.dataset_percent() < 100.0);
    assert_eq!(seen.fragmentation().ratio, 1.0);
    assert_eq!(seen.fragmentation().bytes, 0);
}

#[test]
fn the_doctor_finds_each_problem() {
    assert!(report(&healthy(MIB)).contains("next to nothing"));
    assert!(report(&healthy(100 * MIB)).contains("No problem"));
    let find = |change: fn(&mut Overview), name: &str| {
        let mut seen = healthy(100 * MIB);
        change(&mut seen);
        let text = report(&seen);
        assert!(text.contains(name), "{name}: {text}");
    };
    find(|seen| seen.memory.peak *= 2, "Peak memory");
    find(|seen| seen.resident *= 2, "High total fragmentation");
    find(|seen| seen.resident *= 2, "High process RSS overhead");
    let active = |seen: &mut Overview| seen.memory.heap.active *= 2;
    find(active, "High allocator fragmentation");
    let resident = |seen: &mut Overview| seen.memory.heap.resident *= 2;
    find(resident, "High allocator RSS overhead");
    find(|seen| seen.client_bytes = 1 << 20, "Big client buffers");
}

#[test]
fn purge_report_and_help() {
    let mut server = Server::new();
    assert_eq!(server.run("memory purge"), "+OK\r\n");
    assert!(server.run("memory malloc-stats").contains("jemalloc"));
    assert!(server.run("memory help").starts_with("*14\r\n+MEMORY "));
    assert!(server.run("memory doctor").contains("next to nothing"));
}
