//! Tests over the whole table, and of what goes through several of these files.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::schema::{COUNT, Change, Directive, Id, Kind, Status, TABLE, names};
use super::value::{parse, parse_joined, print, print_lines};
use super::{Config, Value, file};

mod cli;
mod file_syntax;
mod rewrite;
mod set;

/// A text that is valid for the directive, chosen by `seed`.
pub(super) fn sample(row: &Directive, seed: u64) -> Vec<u8> {
    let between = |min: i64, max: i64| {
        let span = (max as i128 - min as i128 + 1) as u128;
        (min as i128 + (u128::from(seed) % span) as i128) as i64
    };
    match row.kind {
        Kind::Bool => ["no", "yes"][(seed % 2) as usize].into(),
        Kind::Int { min, max } | Kind::Clamped { min, max } | Kind::Memory { min, max } => {
            between(min, max).to_string().into()
        }
        Kind::PercentOrMemory => format!("{}%", seed % 101).into(),
        Kind::MemoryOrShare => format!("{}%", seed % 100 + 1).into(),
        Kind::Octal { max } => format!("{:o}", between(0, max)).into(),
        Kind::Enum(words) => words[(seed % words.len() as u64) as usize].into(),
        Kind::Text(_) | Kind::List { .. } => sample_text(row.name, seed).into_bytes(),
    }
}

fn sample_text(name: &str, seed: u64) -> String {
    let (a, b) = (seed % 900 + 1, seed / 900 % 900);
    match name {
        "aclfile" => String::new(),
        "bind" | "metrics-bind" => format!("127.0.0.{} -::1", a % 250 + 1),
        "save" => {
            ["".to_owned(), format!("{a} {b}"), format!("{a} {b} 7 7")][(seed % 3) as usize].clone()
        }
        "client-output-buffer-limit" => format!("pubsub {a}kb {b} {a} normal {b} 0 0"),
        "oom-score-adj-values" => format!("0 {a} {b}"),
        "shutdown-on-sigint" | "shutdown-on-sigterm" => {
            ["default", "save now", "nosave force", "force"][(seed % 4) as usize].to_owned()
        }
        "notify-keyspace-events" => ["", "KEA", "Kx", "g$lE"][(seed % 4) as usize].to_owned(),
        "latency-tracking-info-percentiles" => format!("{} 99.9", a % 100),
        "replicaof" => format!("127.0.0.1 {a}"),
        "proc-title-template" => format!("{{title}} {a}"),
        "dir" => format!("/tmp/{a}"),
        "cluster-announce-hostname" => format!("host-{a}.example"),
        "appendfilename" | "appenddirname" | "dbfilename" => format!("name {a}\"{b}"),
        _ => format!("a \"b\" '{a}' \\ \t#{b}"),
    }
}

/// All values as CONFIG GET shows them.
pub(super) fn shown(config: &Config) -> BTreeMap<&'static str, Vec<u8>> {
    Id::all()
        .map(|id| (id.row().name, config.printed(id)))
        .collect()
}

#[test]
fn an_id_is_the_index_of_its_row() {
    assert_eq!(Id::all().count(), COUNT);
    for (at, id) in Id::all().enumerate() {
        assert_eq!(id.index(), at);
        assert_eq!(Id::find(TABLE[at].name.as_bytes()), Some(id));
    }
    assert_eq!(Id::MAXCLIENTS.row().name, "maxclients");
    assert_eq!(Id::BIND.index(), 0);
    assert_eq!(Id::IO_THREADS_DO_READS.index(), COUNT - 1);
}

#[test]
fn names_are_unique_and_lower_case() {
    for pair in names().windows(2) {
        assert!(pair[0].0 < pair[1].0, "{} stands twice", pair[0].0);
    }
    assert!(
        names()
            .iter()
            .all(|(name, _)| *name == name.to_ascii_lowercase())
    );
}

#[test]
fn every_row_is_documented() {
    for row in &TABLE {
        assert!(
            !row.section.is_empty() && !row.doc.is_empty(),
            "{}",
            row.name
        );
        assert!(row.doc.iter().all(|line| line.len() <= 90), "{}", row.name);
        if let Status::Inert(why) = row.status {
            assert!(
                !why.is_empty() && !why.ends_with('.'),
                "{}: {why}",
                row.name
            );
        }
    }
}

#[test]
fn every_default_goes_through_print_and_parse() {
    let config = Config::new();
    for id in Id::all() {
        let (row, value) = (id.row(), config.value(id));
        assert_eq!(
            parse_joined(row, &print(row, &value), b""),
            Ok(value.clone()),
            "{}",
            row.name
        );
        assert_eq!(from_lines(row, &value), value, "{}", row.name);
        assert!(config.is_default(id));
    }
}

/// What the lines that CONFIG REWRITE would write make of a value.
fn from_lines(row: &Directive, value: &Value) -> Value {
    let mut present = Value::Text(b"".as_slice().into());
    for line in print_lines(row, value) {
        let args = file::split_args(&line).expect("balanced");
        assert_eq!(args[0], row.name.as_bytes());
        present = parse(row, &args[1..], present.as_text()).expect("valid");
    }
    present
}

#[test]
fn names_and_defaults_are_those_of_redis() {
    let ours = Config::new();
    let differs = ["bind", "save"];
    for line in include_str!("tests/redis_7_0_15.txt").lines() {
        let (name, default) = line.split_once('\t').expect("name, tab, default");
        let id = Id::find(name.as_bytes()).unwrap_or_else(|| panic!("{name} is missing"));
        let printed = if id == Id::DIR {
            b".".to_vec()
        } else {
            ours.printed(id)
        };
        let printed = String::from_utf8(printed).expect("ASCII");
        if !differs.contains(&name) {
            assert_eq!(printed, default, "{name}");
        }
    }
    assert_eq!(
        ours.printed(Id::BIND),
        b"127.0.0.1 -::1",
        "loopback, not everything"
    );
    assert_eq!(ours.printed(Id::SAVE), b"3600 1 300 100 60 10000");
}

#[test]
fn what_redis_lets_change_can_be_set_to_what_it_is() {
    let config = Config::new();
    for (name, id) in names() {
        let text = config.printed(*id);
        let pair = [(name.as_bytes(), text.as_slice())];
        let result = config.set_many(&pair, super::Protected::Allowed, &mut |_| Ok(()));
        assert_eq!(
            result.is_ok(),
            id.row().change != Change::Never,
            "{name}: {result:?}"
        );
    }
}

#[test]
fn typed_views_follow_the_values() {
    let config = Config::new();
    assert_eq!(config.int(Id::PORT), 6379);
    assert_eq!(config.size(Id::PROTO_MAX_BULK_LEN), 512 << 20);
    assert_eq!(config.choice(Id::DISPATCH), "adaptive");
    assert!(config.flag(Id::PROTECTED_MODE));
    assert_eq!(config.path(Id::UNIXSOCKET), None);
    assert_eq!(config.percentiles(), [50.0, 99.0, 99.9]);
    assert_eq!(config.save_points().len(), 3);
    let limits = config.output_limits();
    assert_eq!(
        (limits.pubsub.hard, limits.pubsub.soft_seconds),
        (32 << 20, 60)
    );
    let bind = config.bind();
    assert_eq!(
        (bind[0].host.as_str(), bind[0].optional),
        ("127.0.0.1", false)
    );
    assert_eq!((bind[1].host.as_str(), bind[1].optional), ("::1", true));
    let before = config.generation();
    config.set(Id::UNIXSOCKET, b"/run/s").expect("valid");
    assert_ne!(config.generation(), before);
    assert_eq!(config.path(Id::UNIXSOCKET), Some("/run/s".into()));
}

/// Bad values, and what Redis says of them.
const BAD_VALUES: &[(Id, &str, &str)] = &[
    (
        Id::MAXCLIENTS,
        "0",
        "argument must be between 1 and 4294967295 inclusive",
    ),
    (
        Id::MAXCLIENTS,
        "",
        "argument couldn't be parsed into an integer",
    ),
    (
        Id::MAXCLIENTS,
        "010",
        "argument couldn't be parsed into an integer",
    ),
    (
        Id::MAXCLIENTS,
        "+5",
        "argument couldn't be parsed into an integer",
    ),
    (Id::MAXMEMORY, "1zb", "argument must be a memory value"),
    (Id::MAXMEMORY, "-1", "argument must be a memory value"),
    (Id::APPENDONLY, "maybe", "argument must be 'yes' or 'no'"),
    (
        Id::LOGLEVEL,
        "loud",
        "argument(s) must be one of the following: debug, verbose, notice, warning",
    ),
    (
        Id::UNIXSOCKETPERM,
        "999",
        "argument couldn't be parsed as an octal number",
    ),
    (
        Id::MAXMEMORY_CLIENTS,
        "101%",
        "percentage argument must be less or equal to 100",
    ),
    (
        Id::MAXMEMORY_CLIENTS,
        "-1%",
        "argument must be a memory or percent value",
    ),
    (Id::SAVE, "60", "Invalid save parameters"),
    (Id::SAVE, "60   1", "Invalid save parameters"),
    (Id::SAVE, "0 1", "Invalid save parameters"),
    (
        Id::CLIENT_OUTPUT_BUFFER_LIMIT,
        "normal 0 0",
        "Wrong number of arguments in buffer limit configuration.",
    ),
    (
        Id::CLIENT_OUTPUT_BUFFER_LIMIT,
        "other 0 0 0",
        "Invalid client class specified in buffer limit configuration.",
    ),
    (
        Id::CLIENT_OUTPUT_BUFFER_LIMIT,
        "normal 1 1 -1",
        "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
    ),
    (
        Id::LATENCY_TRACKING_INFO_PERCENTILES,
        "a",
        "Invalid latency-tracking-info-percentiles parameters",
    ),
    (
        Id::LATENCY_TRACKING_INFO_PERCENTILES,
        "101",
        "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
    ),
    (
        Id::NOTIFY_KEYSPACE_EVENTS,
        "q",
        "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.",
    ),
    (
        Id::SHUTDOWN_ON_SIGINT,
        "save nosave",
        "shutdown options SAVE and NOSAVE can't be used simultaneously",
    ),
    (
        Id::SHUTDOWN_ON_SIGINT,
        "bad",
        "argument(s) must be one of the following: default, save, nosave, now, force",
    ),
    (
        Id::PROC_TITLE_TEMPLATE,
        "{bad}",
        "template format is invalid or contains unknown variables",
    ),
    (Id::OOM_SCORE_ADJ_VALUES, "1 2", "wrong number of arguments"),
    (
        Id::BIND,
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
        "Too many bind addresses specified.",
    ),
];

#[test]
fn errors_are_in_the_words_of_redis() {
    for (id, text, reason) in BAD_VALUES {
        let result = parse_joined(id.row(), text.as_bytes(), b"");
        assert_eq!(
            result,
            Err((*reason).to_owned()),
            "{} {text}",
            id.row().name
        );
    }
}

#[test]
fn stored_forms_are_those_redis_shows() {
    let cases: &[(Id, &str, &str)] = &[
        (Id::MAXMEMORY, "1GB", "1073741824"),
        (Id::MAXMEMORY, "1k", "1000"),
        (Id::MAXMEMORY, "", "0"),
        (Id::MAXMEMORY_CLIENTS, "5%", "5%"),
        (Id::MAXMEMORY_POLICY, "ALLKEYS-LRU", "allkeys-lru"),
        (Id::HZ, "1000", "500"),
        (Id::HZ, "0", "1"),
        (Id::SAVE, "01 02", "1 2"),
        (
            Id::SHUTDOWN_ON_SIGINT,
            "force default nosave",
            "nosave force",
        ),
        (Id::NOTIFY_KEYSPACE_EVENTS, "KEA", "AKE"),
        (Id::NOTIFY_KEYSPACE_EVENTS, "gKEx$", "g$xKE"),
        (Id::NOTIFY_KEYSPACE_EVENTS, "nmd", "dmn"),
        (
            Id::LATENCY_TRACKING_INFO_PERCENTILES,
            "+5 .5 99.999",
            "5 0.5 99.999",
        ),
        (
            Id::CLIENT_OUTPUT_BUFFER_LIMIT,
            "normal 1k 1kb 1",
            "normal 1000 1024 1 slave 0 0 0 pubsub 0 0 0",
        ),
        (Id::UNIXSOCKETPERM, "0700", "700"),
    ];
    for (id, text, stored) in cases {
        let value = parse_joined(id.row(), text.as_bytes(), b"").expect(text);
        let printed = String::from_utf8(print(id.row(), &value)).expect("ASCII");
        assert_eq!(printed, *stored, "{} {text}", id.row().name);
    }
}

#[test]
fn the_committed_sample_file_is_the_generated_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/dist/flashkv.conf");
    let generated = super::doc::conf_file();
    if std::env::var_os("FLASHKV_BLESS").is_some_and(|bless| bless == "1") {
        std::fs::write(path, &generated).expect("dist/flashkv.conf can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == generated,
        "dist/flashkv.conf is stale: run FLASHKV_BLESS=1 cargo test --lib sample_file"
    );
}

#[test]
fn the_sample_file_uncommented_is_the_default() {
    let text = super::doc::conf_file();
    assert!(text.is_ascii());
    let setting =
        |line: &&str| line.len() > 1 && !line.starts_with("##") && !line.starts_with("# ");
    let lines: Vec<_> = text
        .lines()
        .filter(setting)
        .map(|line| &line[1..])
        .collect();
    let mut loader = file::Loader::new();
    loader.lines("flashkv.conf", lines.join("\n").as_bytes());
    let (config, warnings) = loader.finish().expect("valid");
    assert_eq!(shown(&config), shown(&Config::new()));
    assert_eq!(warnings, [""; 0]);
    for row in &TABLE {
        let named = lines.iter().any(|line| line.starts_with(row.name));
        assert_eq!(named, !row.hidden, "{}", row.name);
    }
}

proptest! {
    #[test]
    fn any_value_goes_through_print_and_parse(at in 0..COUNT, seed: u64) {
        let row = &TABLE[at];
        let value = parse_joined(row, &sample(row, seed), b"").expect(row.name);
        prop_assert_eq!(&parse_joined(row, &print(row, &value), b"").expect(row.name), &value);
        prop_assert_eq!(&from_lines(row, &value), &value);
    }

    #[test]
    fn any_text_is_parsed_or_refused_without_a_panic(
        at in 0..COUNT,
        text in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            "[-+]?[0-9]{0,20}[kmgb%]{0,2}".prop_map(String::into_bytes),
            "[0-9a-z ]{0,20}".prop_map(String::into_bytes),
        ],
    ) {
        let row = &TABLE[at];
        if let Ok(value) = parse_joined(row, &text, b"") {
            let again = parse_joined(row, &print(row, &value), b"");
            prop_assert_eq!(again, Ok(value), "{}", row.name);
        }
    }
}
