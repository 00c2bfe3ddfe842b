//! CONFIG SET: texts of the errors, all or nothing, and against a model.

use proptest::prelude::*;

use super::{sample, shown};
use crate::config::schema::{COUNT, Change, TABLE, names};
use crate::config::{Config, Id, Protected};

fn set(config: &Config, words: &[&str]) -> Result<Vec<Id>, String> {
    let pairs: Vec<_> = words
        .chunks(2)
        .map(|pair| (pair[0].as_bytes(), pair[1].as_bytes()))
        .collect();
    let result = config.set_many(&pairs, Protected::Refused, &mut |_| Ok(()));
    result.map_err(|error| error.to_string())
}

#[test]
fn errors_are_those_of_redis() {
    let failed = "ERR CONFIG SET failed (possibly related to argument";
    let unknown = "ERR Unknown option or number of arguments for CONFIG SET -";
    let cases: &[(&[&str], String)] = &[
        (&["foo", "1"], format!("{unknown} 'foo'")),
        (
            &["maxclients", "100", "foo", "3"],
            format!("{unknown} 'foo'"),
        ),
        (&["hz", "abc", "foo", "1"], format!("{unknown} 'foo'")),
        (
            &["daemonize", "yes", "foo", "1"],
            format!("{failed} 'daemonize') - can't set immutable config"),
        ),
        (
            &["maxclients", "5", "DAEMONIZE", "no"],
            format!("{failed} 'DAEMONIZE') - can't set immutable config"),
        ),
        (
            &["dbfilename", "x"],
            format!("{failed} 'dbfilename') - can't set protected config"),
        ),
        (
            &["port", "1", "PORT", "2"],
            format!("{failed} 'PORT') - duplicate parameter"),
        ),
        (
            &["MAXmemory", "foo"],
            format!("{failed} 'maxmemory') - argument must be a memory value"),
        ),
        (
            &["list-max-ziplist-size", "3000000000"],
            format!(
                "{failed} 'list-max-ziplist-size') - \
            argument must be between -2147483648 and 2147483647 inclusive"
            ),
        ),
        (
            &["workers", "3"],
            format!("{failed} 'workers') - can't set immutable config"),
        ),
    ];
    let config = Config::new();
    let before = shown(&config);
    for (words, text) in cases {
        assert_eq!(set(&config, words), Err(text.clone()));
    }
    assert_eq!(shown(&config), before);
}

#[test]
fn only_what_changes_is_applied_and_reported() {
    let config = Config::new();
    let changed = set(&config, &["hz", "10", "timeout", "5", "workers", "0"]);
    assert_eq!(changed, Ok(vec![Id::TIMEOUT]));
}

#[test]
fn two_names_of_one_directive_are_no_duplicate() {
    let config = Config::new();
    assert!(set(&config, &["slave-priority", "1", "replica-priority", "2"]).is_ok());
    assert_eq!(config.int(Id::REPLICA_PRIORITY), 2);
    assert!(set(&config, &["slave-priority", "3", "replica-priority", "x"]).is_err());
    assert_eq!(config.int(Id::REPLICA_PRIORITY), 2);
}

#[test]
fn save_is_replaced_and_limits_are_merged() {
    let config = Config::new();
    set(&config, &["save", "5 5"]).expect("valid");
    set(
        &config,
        &["save", "6 6", "client-output-buffer-limit", "normal 1 2 3"],
    )
    .expect("valid");
    assert_eq!(config.string(Id::SAVE), "6 6");
    assert!(
        config
            .string(Id::CLIENT_OUTPUT_BUFFER_LIMIT)
            .starts_with("normal 1 2 3 slave 268435456")
    );
    set(&config, &["save", ""]).expect("valid");
    assert_eq!(config.save_points(), []);
}

#[test]
fn a_failing_apply_takes_everything_back() {
    let config = Config::new();
    let before = shown(&config);
    let mut seen = Vec::new();
    let mut apply = |id: Id| {
        seen.push((id, config.int(id)));
        if id == Id::PORT && config.int(id) == 7000 {
            Err("port in use".to_owned())
        } else {
            Ok(())
        }
    };
    let pairs: [(&[u8], &[u8]); 4] = [
        (b"hz", b"20"),
        (b"timeout", b"9"),
        (b"port", b"7000"),
        (b"maxclients", b"8"),
    ];
    let error = config
        .set_many(&pairs, Protected::Refused, &mut apply)
        .expect_err("refused");
    assert_eq!(
        error.to_string(),
        "ERR CONFIG SET failed (possibly related to argument 'port') - port in use"
    );
    let expected = [
        (Id::HZ, 20),
        (Id::TIMEOUT, 9),
        (Id::PORT, 7000),
        (Id::PORT, 6379),
        (Id::TIMEOUT, 0),
        (Id::HZ, 10),
    ];
    assert_eq!(seen, expected);
    assert_eq!(shown(&config), before);
}

#[test]
fn get_by_patterns_is_sorted_and_without_duplicates() {
    let config = Config::new();
    let prefix = |pattern: &[u8], name: &[u8]| {
        pattern
            .strip_suffix(b"*")
            .is_some_and(|start| name.starts_with(start))
    };
    let got = |patterns: &[&str]| {
        let patterns: Vec<_> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
        let pairs = config.get_matching(&patterns, prefix);
        pairs.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(
        got(&["repl-ping*"]),
        ["repl-ping-replica-period", "repl-ping-slave-period"]
    );
    assert_eq!(got(&["MaxMemory"]), ["MaxMemory"]);
    assert_eq!(
        got(&["timeout", "TIME*", "hz", "nothing"]),
        ["hz", "timeout"]
    );
    let all = got(&["*"]);
    let names = names().iter().filter(|(_, id)| !id.row().hidden);
    assert!(all.iter().eq(names.map(|(name, _)| name)));
    assert!(got(&["key-*"]).is_empty() && !all.iter().any(|name| name == "key-load-delay"));
    assert_eq!(got(&["nosuch*", "Key-Load-Delay"]), ["Key-Load-Delay"]);
}

#[derive(Clone, Debug)]
struct Step {
    pairs: Vec<(usize, u64, bool)>,
    refuse: Option<usize>,
}

fn step() -> impl Strategy<Value = Step> {
    let pair = (0..COUNT, any::<u64>(), proptest::bool::weighted(0.1));
    let pairs = proptest::collection::vec(pair, 1..5);
    (pairs, proptest::option::weighted(0.3, 0..4usize))
        .prop_map(|(pairs, refuse)| Step { pairs, refuse })
}

proptest! {
    #[test]
    fn random_sets_agree_with_a_model(steps in proptest::collection::vec(step(), 1..20)) {
        let config = Config::new();
        let mut model = shown(&config);
        for Step { pairs, refuse } in steps {
            let texts: Vec<_> = pairs.iter().map(|(at, seed, bad)| {
                if *bad { b"\xff bad \xff \"".to_vec() } else { sample(&TABLE[*at], *seed) }
            }).collect();
            let rows = pairs.iter().map(|(at, ..)| TABLE[*at].name.as_bytes());
            let asked: Vec<_> = rows.zip(texts.iter().map(Vec::as_slice)).collect();
            let mut calls = 0;
            let result = config.set_many(&asked, Protected::Allowed, &mut |_| {
                calls += 1;
                if refuse == Some(calls - 1) { Err("no".to_owned()) } else { Ok(()) }
            });
            if let Ok(changed) = result {
                prop_assert_eq!(calls, changed.len());
                for (at, ..) in &pairs {
                    prop_assert_ne!(TABLE[*at].change, Change::Never);
                }
                let now = shown(&config);
                let differ: Vec<_> = Id::all()
                    .filter(|id| now[id.row().name] != model[id.row().name]).collect();
                let mut changed = changed;
                changed.sort();
                prop_assert_eq!(&differ, &changed);
                model = now;
            }
            prop_assert_eq!(&shown(&config), &model);
        }
    }
}
