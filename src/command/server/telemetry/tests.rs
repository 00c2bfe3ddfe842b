//! The two forms, over a server that has served something.

use super::{json, prometheus};
use crate::command::testing::server::{NOW, Server};
use crate::metrics::commandlog::{Entry, Kind};

fn served() -> Server {
    let mut server = Server::new();
    server.fill(&["a", "b"]);
    server.run("get a");
    server.metrics().error(b"WRONGTYPE x");
    let get = server.services.commands.find(b"get").unwrap();
    let counters = server.metrics().command(get.index.into());
    counters.calls.add(3);
    counters.times.get_or_init(Box::default).record(100);
    server.services.observed.hot_keys.sample(0, 1, b"a\"", NOW);
    let entry = Entry {
        id: 0,
        unix_secs: 1,
        value: 12_345,
        waited_us: 6,
        args: vec![b"keys".to_vec(), b"*".to_vec()],
        address: "127.0.0.1:1".to_owned(),
        client_name: Vec::new(),
    };
    server.services.observed.logs.of(Kind::Slow).add(entry, 10);
    server
}

#[test]
fn every_line_is_a_comment_or_a_sample() {
    let server = served();
    let text = prometheus(&server.services, NOW);
    let mut families = std::collections::BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(families.insert(name.to_owned()), "twice: {name}");
            assert!(matches!(kind, "gauge" | "counter" | "histogram"), "{line}");
        } else if !line.starts_with("# HELP ") {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let name = sample.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end))
                .unwrap_or(name);
            assert!(families.contains(family), "{line}");
        }
    }
    assert!(
        text.contains("flashkv_command_calls_total{command=\"get\"} 3\n"),
        "{text}"
    );
    assert!(
        text.contains("flashkv_errors_total{code=\"WRONGTYPE\"} 1\n"),
        "{text}"
    );
    assert!(text.contains("flashkv_db_keys{db=\"0\"} 2\n"), "{text}");
    assert!(
        text.contains("flashkv_commandlog_entries{log=\"slow\"} 1\n"),
        "{text}"
    );
}

#[test]
fn the_page_gets_its_figures() {
    let server = served();
    let text = json(&server.services, NOW);
    for part in [
        "\"databases\":[{\"db\":0,\"keys\":2,\"expiring\":0}]",
        "\"hot\":[{\"key\":\"a\\\"\",\"db\":0,\"calls\":64,\"share\":1}]",
        "\"us\":12345,\"waited_us\":6,\"command\":\"keys *\"",
        "\"big\":[]",
        "\"name\":\"get\",\"calls\":3,",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}
