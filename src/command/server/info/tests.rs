//! INFO as its readers parse it.

use std::collections::BTreeMap;

use crate::base::sys;
use crate::command::Table;
use crate::command::testing::server::{NOW, Server};
use crate::resp::Version;

/// Headings, and fields by name, as a client library reads them.
fn parse(reply: &str) -> (Vec<String>, BTreeMap<String, String>) {
    let (_, body) = reply.split_once("\r\n").unwrap();
    let body = body.strip_suffix("\r\n").unwrap();
    let (mut headings, mut fields) = (Vec::new(), BTreeMap::new());
    for line in body.split("\r\n").filter(|line| !line.is_empty()) {
        if let Some(heading) = line.strip_prefix("# ") {
            headings.push(heading.to_owned());
            continue;
        }
        let (name, value) = line.split_once(':').expect(line);
        assert!(!name.is_empty() && !name.contains(' '), "{line}");
        let twice = fields.insert(name.to_owned(), value.to_owned());
        assert!(twice.is_none(), "{line}");
    }
    (headings, fields)
}

fn headings(server: &mut Server, line: &str) -> String {
    parse(&server.run(line)).0.join(" ")
}

#[test]
fn sections_by_name() {
    let mut server = Server::new();
    let default = "Server Clients Memory Persistence Stats Replication CPU Modules Errorstats \
                   Cluster Keyspace";
    let all = "Server Clients Memory Persistence Stats Replication CPU Modules Commandstats \
               Errorstats Latencystats Cluster Keyspace Keysizes";
    for (line, want) in [
        ("info", default),
        ("info default", default),
        ("info all", all),
        ("info EVERYTHING", all),
        (
            "info default latencystats",
            &all.replace("Commandstats ", "").replace(" Keysizes", ""),
        ),
        ("info keyspace cpu keyspace", "CPU Keyspace"),
        ("info nosuch", ""),
    ] {
        assert_eq!(headings(&mut server, line), want, "{line}");
    }
    assert_eq!(server.run("info modules"), "$11\r\n# Modules\r\n\r\n");
    server.version = Version::Resp3;
    assert_eq!(server.run("info modules"), "=15\r\ntxt:# Modules\r\n\r\n");
}

#[test]
fn every_line_is_a_field() {
    let mut server = Server::new();
    server.fill(&["a", "b"]);
    server.metrics().error(b"A:B\rC# x");
    let get = Table::get().find(b"get").unwrap();
    let counters = server.metrics().command(get.index.into());
    counters.calls.add(2);
    counters.ticks.add((sys::ticks_per_us() * 10.0) as u64);
    let histogram = counters.times.get_or_init(Box::default);
    histogram.record(5);
    let (_, fields) = parse(&server.run("info everything"));
    assert_eq!(fields["redis_version"], "7.2.4");
    assert_eq!(fields["connected_clients"], "1");
    assert_eq!(fields["used_memory_peak"], "2000");
    assert_eq!(fields["db0"], "keys=2,expires=0,avg_ttl=0");
    assert_eq!(fields["errorstat_A_B_C_"], "count=1");
    let stat = &fields["cmdstat_get"];
    let (calls, rest) = stat.split_once(",usec=").unwrap();
    assert_eq!(calls, "calls=2");
    assert!(rest.contains(",usec_per_call="), "{stat}");
    assert!(rest.ends_with(",rejected_calls=0,failed_calls=0"), "{stat}");
    let latency = &fields["latency_percentiles_usec_get"];
    assert!(
        latency.starts_with("p50=0.0") && latency.contains(",p99.9="),
        "{latency}"
    );
    server.run("config set latency-tracking no");
    assert_eq!(
        server.run("info latencystats"),
        "$16\r\n# Latencystats\r\n\r\n"
    );
    assert_eq!(fields["lru_clock"], ((NOW / 1000) & 0xff_ffff).to_string());
}

#[test]
fn sizes_of_keys() {
    use crate::metrics::keys::{Round, Seen};
    let mut server = Server::new();
    let mut round = Round::default();
    for (type_name, elements) in [("hash", 3), ("string", 0), ("string", 1500), ("string", 1)] {
        round.see(Seen {
            db: 2,
            name: b"k",
            type_name,
            bytes: 1,
            elements,
        });
    }
    server.services.observed.big_keys.end_round(round);
    let (_, fields) = parse(&server.run("info keysizes"));
    assert_eq!(fields["db2_distrib_strings_sizes"], "1=2,1K=1");
    assert_eq!(fields["db2_distrib_hashes_items"], "2=1");
}

#[test]
fn fields_that_tools_read() {
    let mut server = Server::new();
    let (_, fields) = parse(&server.run("info everything"));
    for name in [
        "used_memory_human",
        "used_memory_rss",
        "mem_fragmentation_ratio",
        "maxmemory",
        "blocked_clients",
        "total_commands_processed",
        "total_connections_received",
        "instantaneous_ops_per_sec",
        "keyspace_hits",
        "expired_keys",
        "evicted_keys",
        "role",
        "connected_slaves",
        "master_repl_offset",
        "rdb_changes_since_last_save",
        "loading",
        "aof_enabled",
        "used_cpu_user",
        "cluster_enabled",
        "uptime_in_seconds",
        "run_id",
        "redis_mode",
        "os",
        "tcp_port",
    ] {
        assert!(fields.contains_key(name), "{name}");
    }
}
