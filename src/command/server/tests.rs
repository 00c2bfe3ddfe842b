//! Replies of the server commands, and tests over the whole table.

use std::collections::HashSet;
use std::sync::atomic::Ordering::Relaxed;

use crate::command::spec::{Arg, ArgType, Begin, Find, Flags, KeyFlag, KeySpec, Spec};
use crate::command::testing::server::Server;
use crate::command::{Command, Table};
use crate::config::Id;
use crate::resp::Version;

const SYNTAX: &str = "-ERR syntax error\r\n";

fn check(server: &mut Server, script: &[(&str, &str)]) {
    for (line, want) in script {
        assert_eq!(server.run(line), format!("{want}\r\n"), "{line}");
    }
}

#[test]
fn flushing_and_swapping() {
    let mut server = Server::new();
    server.fill(&["a", "b", "c"]);
    server.session.db = 3;
    server.fill(&["d"]);
    check(
        &mut server,
        &[
            ("dbsize", ":1"),
            ("swapdb 0 3", "+OK"),
            ("dbsize", ":3"),
            ("flushdb sync", "+OK"),
            ("dbsize", ":0"),
            ("swapdb 0 3", "+OK"),
            ("dbsize", ":1"),
            ("flushall ASYNC", "+OK"),
            ("dbsize", ":0"),
            ("flushall", "+OK"),
            ("flushall now", "-ERR syntax error"),
            ("flushdb sync async", "-ERR syntax error"),
            ("flushall undo async", "-ERR syntax error"),
            (
                "flushall undo",
                "-ERR Nothing to undo: what is flushed is kept only with flush-undo-window",
            ),
            ("swapdb a 1", "-ERR invalid first DB index"),
            ("swapdb 0 a", "-ERR invalid second DB index"),
            ("swapdb 9999999999 0", "-ERR invalid first DB index"),
            ("swapdb 0 16", "-ERR DB index is out of range"),
            ("swapdb -1 0", "-ERR DB index is out of range"),
        ],
    );
}

/// The same data has the same digest, however it is kept and in whatever order it came.
#[test]
fn digests_are_of_the_data_alone() {
    let mut server = Server::with(&[
        (Id::ENABLE_DEBUG_COMMAND, "yes"),
        (Id::SET_MAX_LISTPACK_ENTRIES, "3"),
        (Id::ZSET_MAX_LISTPACK_ENTRIES, "3"),
        (Id::HASH_MAX_LISTPACK_ENTRIES, "3"),
        (Id::LIST_MAX_LISTPACK_SIZE, "3"),
    ]);
    let zeros = format!("*1\r\n+{}\r\n", "0".repeat(40));
    assert_eq!(server.run("debug digest-value none"), zeros);
    assert_eq!(server.run("debug digest"), zeros[4..].to_owned());
    let pairs = [
        ("set %1 12", "set %2 012", "set %2 12"),
        ("sadd %1 a b c", "sadd %2 d c b a", "srem %2 d"),
        ("sadd %1 1 2 3", "sadd %2 x 3 2 1", "srem %2 x"),
        ("zadd %1 1 a 0 b", "zadd %2 -0 b 1 a 7 d 8 e", "zrem %2 d e"),
        ("hset %1 a 1 b 2", "hset %2 c 1 d 1 b 2 a 1", "hdel %2 c d"),
        ("rpush %1 a 2", "rpush %2 a 2 c d e", "ltrim %2 0 1"),
        ("xadd %1 1-1 a b", "xadd %2 1-1 a b", "xgroup create %2 g 0"),
    ];
    for (first, second, change) in pairs {
        let on = |line: &str, name: &str| line.replace("%1", name).replace("%2", name);
        server.run(&on(first, "k"));
        let digest = |server: &mut Server| {
            (
                server.run("debug digest-value k"),
                server.run("debug digest"),
            )
        };
        let want = digest(&mut server);
        server.run("flushall");
        server.run(&on(second, "k"));
        let differs = second != "xadd %2 1-1 a b";
        assert_eq!(digest(&mut server) != want, differs, "{second}");
        server.run(&on(change, "k"));
        assert_eq!(digest(&mut server), want, "{change}");
        server.run("expire k 100");
        assert_ne!(digest(&mut server), want);
        server.run("persist k");
        server.run("rename k l");
        assert_ne!(digest(&mut server).1, want.1, "keys have names");
        server.run("rename l k");
        server.run("move k 1");
        assert_ne!(digest(&mut server).1, want.1, "and a database");
        server.run("flushall");
    }
}

#[test]
fn shutdown_says_nothing_or_why_not() {
    let mut server = Server::new();
    for line in [
        "shutdown foo",
        "shutdown save nosave",
        "shutdown abort now",
        "shutdown abort save",
    ] {
        assert_eq!(server.run(line), SYNTAX, "{line}");
    }
    check(
        &mut server,
        &[
            ("shutdown abort", "-ERR No shutdown in progress."),
            (
                "shutdown save",
                "-ERR Errors trying to SHUTDOWN. Check logs.",
            ),
        ],
    );
    assert_eq!(server.asked.ends.load(Relaxed), 0);
    server.run("config set save \"\"");
    server.services.config.set(Id::SAVE, b"").unwrap();
    for (i, line) in ["shutdown", "shutdown NOSAVE", "shutdown save force now"]
        .into_iter()
        .enumerate()
    {
        assert_eq!(server.run(line), "");
        assert_eq!(server.asked.ends.load(Relaxed), i + 1, "{line}");
    }
}

#[test]
fn config_over_the_wire() {
    let mut server = Server::new();
    check(
        &mut server,
        &[
            ("config get TIMEOUT", "*2\r\n$7\r\nTIMEOUT\r\n$1\r\n0"),
            ("config set timeout 5 hz", "-ERR syntax error"),
            ("config set timeout 5 hz 20", "+OK"),
            (
                "config get hz time[o]ut",
                "*4\r\n$2\r\nhz\r\n$2\r\n20\r\n$7\r\ntimeout\r\n$1\r\n5",
            ),
            (
                "config set foo 1",
                "-ERR Unknown option or number of arguments for CONFIG SET - 'foo'",
            ),
            (
                "config set dir /",
                "-ERR CONFIG SET failed (possibly related to argument 'dir') \
                 - can't set protected config",
            ),
            (
                "config rewrite",
                "-ERR The server is running without a config file",
            ),
        ],
    );
    assert_eq!(server.asked.applied.load(Relaxed), 2);
    server.asked.refuse.store(true, Relaxed);
    let refused = server.run("config set hz 30");
    assert!(refused.contains("argument 'hz') - refused"), "{refused}");
    server.version = Version::Resp3;
    assert_eq!(
        server.run("config get hz"),
        "%1\r\n$2\r\nhz\r\n$2\r\n20\r\n"
    );
}

#[test]
fn resetting_statistics() {
    let mut server = Server::new();
    server.metrics().counters.hits.add(9);
    server.metrics().error(b"ERR x");
    assert!(server.run("info").contains("\r\nkeyspace_hits:9\r\n"));
    check(&mut server, &[("config resetstat", "+OK")]);
    let info = server.run("info");
    assert!(info.contains("\r\nkeyspace_hits:0\r\n"));
    assert!(!info.contains("errorstat_"));
}

#[test]
fn debug_is_behind_a_door() {
    let mut shut = Server::new();
    assert!(
        shut.run("debug sleep 0")
            .starts_with("-ERR DEBUG command not allowed.")
    );
    let mut local = Server::with(&[(Id::ENABLE_DEBUG_COMMAND, "local")]);
    assert_eq!(local.run("debug sleep 0"), "+OK\r\n", "from 127.0.0.1");
    let mut open = Server::with(&[(Id::ENABLE_DEBUG_COMMAND, "yes")]);
    open.fill(&["key"]);
    check(
        &mut open,
        &[
            ("debug SLEEP x", "+OK"),
            ("debug sleep -1", "+OK"),
            ("debug set-active-expire 0", "+OK"),
            ("debug object nokey", "-ERR no such key"),
            (
                "debug Foo",
                "-ERR unknown subcommand or wrong number of arguments for 'Foo'. Try DEBUG HELP.",
            ),
            (
                "debug sleep",
                "-ERR unknown subcommand or wrong number of arguments for 'sleep'. Try DEBUG HELP.",
            ),
        ],
    );
    assert!(!open.services.active_expire.load(Relaxed));
    let object = open.run("debug object key");
    assert!(object.starts_with("+Value at:0x"), "{object}");
    assert!(object.contains(" refcount:1 encoding:embstr "), "{object}");
}

#[test]
fn debug_populate_makes_keys_that_are_not_there() {
    let mut server = Server::with(&[(Id::ENABLE_DEBUG_COMMAND, "yes")]);
    check(
        &mut server,
        &[
            ("set key:1 mine", "+OK"),
            ("debug populate 3", "+OK"),
            (
                "mget key:0 key:1 key:2",
                "*3\r\n$7\r\nvalue:0\r\n$4\r\nmine\r\n$7\r\nvalue:2",
            ),
            ("debug populate 1 p 3", "+OK"),
            ("debug populate 1 q 9", "+OK"),
            ("mget p:0 q:0", "*2\r\n$3\r\nval\r\n$9\r\nvalue:0\0\0"),
            ("dbsize", ":5"),
            ("debug populate 0", "+OK"),
            (
                "debug populate -1",
                "-ERR value is out of range, must be positive",
            ),
            (
                "debug populate x",
                "-ERR value is not an integer or out of range",
            ),
            (
                "debug populate 1 p -1",
                "-ERR value is out of range, must be positive",
            ),
            (
                "debug populate 1 p 1000000000",
                "-ERR string exceeds maximum allowed size (proto-max-bulk-len)",
            ),
            ("dbsize", ":5"),
        ],
    );
}

#[test]
fn art_and_time() {
    let mut server = Server::new();
    let art = server.run("lolwut version 5");
    assert!(art.contains("FlashKV ver. ") && art.contains("Redis ver. 7.2.4"));
    assert_eq!(
        server.run("lolwut version x"),
        "-ERR value is not an integer or out of range\r\n"
    );
    assert!(server.run("time").starts_with("*2\r\n$10\r\n"));
}

/// Replies of redis-server 7.0.15. What its COMMAND tells beyond ours - `notes` of
/// key specifications, `history`, the doc flag `syscmd` and deprecations of single
/// arguments - does not occur in these commands.
#[test]
fn command_replies_are_those_of_redis() {
    let captured = [
        (Version::Resp2, "info", include_str!("captured/info.resp2")),
        (Version::Resp3, "info", include_str!("captured/info.resp3")),
        (Version::Resp2, "docs", include_str!("captured/docs.resp2")),
        (Version::Resp3, "docs", include_str!("captured/docs.resp3")),
    ];
    let mut server = Server::new();
    for (version, subcommand, want) in captured {
        let names = match subcommand {
            "info" => "get lpos mset config|get lmove nosuch",
            _ => "ping substr object|freq copy lmove nosuch",
        };
        server.version = version;
        let got = server.run(&format!("command {subcommand} {names}"));
        assert!(got == want, "{subcommand} {version:?}:\n{got}\n{want}");
    }
}

/// Redis lists subcommands in the order of a hash table, so lines are compared in
/// no order.
#[test]
fn subcommands_are_those_of_redis() {
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let got = Server::new().run("command info object");
    assert_eq!(sorted(&got), sorted(include_str!("captured/object.resp2")));
}

#[test]
fn keys_of_a_command() {
    let mut server = Server::new();
    check(
        &mut server,
        &[
            ("command getkeys get a", "*1\r\n$1\r\na"),
            ("command getkeys mset a 1 b 2", "*2\r\n$1\r\na\r\n$1\r\nb"),
            ("command getkeys object encoding x", "*1\r\n$1\r\nx"),
            ("command getkeys foo bar", "-ERR Invalid command specified"),
            (
                "command getkeys config xx x",
                "-ERR Invalid command specified",
            ),
            (
                "command getkeys ping a",
                "-ERR The command has no key arguments",
            ),
            (
                "command getkeys get a b",
                "-ERR Invalid number of arguments specified for command",
            ),
            (
                "command getkeysandflags set a b",
                "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update",
            ),
            (
                "command getkeysandflags set a b nx get",
                "*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+update",
            ),
            (
                "command getkeysandflags rename a b",
                "*2\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+delete\r\n\
                 *2\r\n$1\r\nb\r\n*2\r\n+OW\r\n+update",
            ),
        ],
    );
}

#[test]
fn lists_of_commands() {
    let mut server = Server::new();
    // Without a filter as with one, subcommands are listed beside commands.
    let all = server.run("command list");
    assert_eq!(all, server.run("command list filterby pattern *"));
    check(
        &mut server,
        &[
            (
                "command list filterby pattern CLIENT|K*",
                "*1\r\n$11\r\nclient|kill",
            ),
            ("command list filterby module m", "*0"),
            ("command list filterby aclcat nosuch", "*0"),
            ("command list filterby", "-ERR syntax error"),
            ("command list filterby foo a", "-ERR syntax error"),
            ("command list filterby pattern a b", "-ERR syntax error"),
        ],
    );
    let strings = server.run("command list filterby aclcat STRING");
    assert!(strings.contains("\r\nget\r\n") && !strings.contains("\r\nlpush\r\n"));
}

#[test]
fn names_are_unique_and_found() {
    let table = Table::get();
    let mut seen = HashSet::new();
    for command in table.iter_all() {
        let name = &command.full_name;
        assert!(seen.insert(name.clone()), "{name}");
        assert_eq!(name.to_lowercase(), *name);
        let found = table.find_full(name.to_uppercase().as_bytes());
        assert_eq!(found.map(|c| c.index), Some(command.index), "{name}");
    }
    assert_eq!(seen.len(), table.len());
}

#[test]
fn rows_are_complete() {
    for command in Table::get().iter_all() {
        let (name, spec) = (&command.full_name, command.spec);
        assert!(!spec.summary.is_empty() && !spec.since.is_empty(), "{name}");
        let version: Vec<_> = spec.since.split('.').map(str::parse::<u32>).collect();
        assert!(
            version.len() == 3 && version.iter().all(Result::is_ok),
            "{name}"
        );
        let untold = matches!(name.as_str(), "lolwut" | "xread");
        assert!(untold || !spec.complexity.is_empty(), "{name}");
        assert!(
            !(spec.flags.has(Flags::WRITE) && spec.flags.has(Flags::READONLY)),
            "{name}"
        );
        assert!(
            spec.tips.iter().all(|tip| tip.to_lowercase() == **tip),
            "{name}"
        );
        assert!(
            spec.subcommands.iter().all(|sub| sub.group == spec.group),
            "{name}"
        );
    }
}

/// Words that a call has at the least for these arguments.
fn words_min(args: &[Arg]) -> usize {
    let one = |arg: &Arg| {
        let token = usize::from(arg.token.is_some_and(|token| !token.is_empty()));
        let value = match arg.kind {
            ArgType::PureToken => return 1,
            ArgType::OneOf => (arg.args.iter())
                .map(|a| words_min(std::slice::from_ref(a)))
                .min()
                .unwrap_or(0),
            ArgType::Block => words_min(arg.args),
            _ => 1,
        };
        token + value
    };
    args.iter().filter(|arg| !arg.optional).map(one).sum()
}

fn can_repeat(args: &[Arg]) -> bool {
    args.iter()
        .any(|arg| arg.optional || arg.multiple || can_repeat(arg.args))
}

/// Arguments that Redis's own table does not describe as they are.
const UNDESCRIBED: [&str; 6] = [
    "command|getkeys",
    "command|getkeysandflags",
    "quit",
    "debug",
    "client|kill",
    "client|list",
];

#[test]
fn arity_agrees_with_arguments() {
    for command in Table::get().iter_all() {
        let (name, spec) = (command.full_name.as_str(), command.spec);
        if UNDESCRIBED.contains(&name) || !spec.subcommands.is_empty() {
            continue;
        }
        let own = name.split('|').count();
        let least = spec.arity.unsigned_abs() as usize;
        assert_eq!(own + words_min(spec.args), least, "{name}");
        assert_eq!(spec.arity < 0, can_repeat(spec.args), "{name}");
    }
}

#[test]
fn subcommands_count_their_parents_name() {
    for command in Table::get().iter() {
        for sub in command.spec.subcommands {
            assert!(sub.arity.abs() >= 2, "{}", command.full_name);
            assert!(sub.subcommands.is_empty());
        }
        let container = !command.spec.subcommands.is_empty();
        assert!(
            !container || command.spec.arity < 0,
            "{}",
            command.full_name
        );
    }
}

/// `variable_flags` means what `flags_of_call` makes of it.
#[test]
fn few_commands_have_variable_flags() {
    let variable = |command: &&Command| {
        let mut keys = command.spec.keys.iter();
        keys.any(|keys| keys.flags.contains(&KeyFlag::VariableFlags))
    };
    let names: Vec<_> = (Table::get().iter_all().filter(variable))
        .map(|command| command.full_name.as_str())
        .collect();
    assert_eq!(names, ["set", "delex", "bitfield"]);
}

#[test]
fn keys_are_within_the_arity() {
    for command in Table::get().iter_all() {
        command.spec.keys.iter().for_each(|keys| {
            let (Begin::Index(first), Find::Range { last, step, .. }) = (keys.begin, keys.find)
            else {
                return;
            };
            let arity = command.spec.arity.unsigned_abs() as usize;
            let name = &command.full_name;
            // Keys up to the last argument may be none, as the sources of PFMERGE.
            let reaches = |at: i64| at < arity as i64 || (last < 0 && at == arity as i64);
            assert!(first >= first_argument(command), "{name}");
            assert!(
                step > 0 && reaches(first as i64 + i64::from(last.max(0))),
                "{name}"
            );
            assert!(last >= 0 || command.spec.arity < 0, "{name}");
        });
        let of_data = |keys: &&KeySpec| !keys.flags.contains(&KeyFlag::NotKey);
        let has_specs = command.spec.keys.iter().any(|keys| of_data(&keys));
        let has_key_args = has_keys(command.spec.args);
        assert_eq!(has_key_args, has_specs, "{}", command.full_name);
    }
}

fn has_keys(args: &[Arg]) -> bool {
    args.iter()
        .any(|arg| arg.kind == ArgType::Key || has_keys(arg.args))
}

fn first_argument(command: &Command) -> usize {
    command.full_name.split('|').count()
}

/// A command that takes keys and changes data says so, or it would run under a
/// reader's lock.
#[test]
fn writers_lock_for_writing() {
    let writes = |spec: &Spec| spec.keys.iter().any(|keys| spec.locks_for_writing(keys));
    for command in Table::get().iter_all() {
        let spec = command.spec;
        let name = &command.full_name;
        // PFCOUNT keeps its result in the value and yet counts as a reader; WATCH
        // and XREAD
        // change what stands beside the keys.
        let reader = matches!(spec.name, "pfcount" | "watch" | "xread");
        assert!(
            !writes(spec) || spec.flags.has(Flags::WRITE) || reader,
            "{name}"
        );
        let covered = writes(spec) || spec.flags.has(Flags::ALL_SHARDS);
        assert!(!spec.flags.has(Flags::WRITE) || covered, "{name}");
    }
}
