//! Replies of the connection commands, and what they do to the session.

use std::sync::atomic::Ordering::Relaxed;

use crate::command::ReplyMode;
use crate::command::testing::server::Server;
use crate::config::Id;
use crate::resp::Version;

fn check(server: &mut Server, script: &[(&str, &str)]) {
    for (line, want) in script {
        assert_eq!(server.run(line), format!("{want}\r\n"), "{line}");
    }
}

const WRONG: &str = "-WRONGPASS invalid username-password pair or user is disabled.";
const BAD_NAME: &str = "-ERR Client names cannot contain spaces, newlines or special characters.";

#[test]
fn small_replies() {
    let mut server = Server::new();
    check(
        &mut server,
        &[
            ("ping", "+PONG"),
            ("ping hi", "$2\r\nhi"),
            (
                "ping a b",
                "-ERR wrong number of arguments for 'ping' command",
            ),
            ("echo x", "$1\r\nx"),
            ("select 16", "-ERR DB index is out of range"),
            ("select -1", "-ERR DB index is out of range"),
            ("select a", "-ERR value is not an integer or out of range"),
            (
                "select 99999999999",
                "-ERR value is out of range, value must between -2147483648 and 2147483647",
            ),
            ("select 3", "+OK"),
        ],
    );
    assert_eq!(server.session.db, 3);
    assert_eq!(server.session.client.db.load(Relaxed), 3);
    assert!(!server.session.close);
    check(&mut server, &[("quit", "+OK")]);
    assert!(server.session.close);
}

#[test]
fn hello_introduces_the_server() {
    let mut server = Server::new();
    let fields = "$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n\
                  $5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n\
                  $4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0";
    let in_two = format!("*14\r\n{}", fields.replace(":3", ":2"));
    let in_three = format!("%7\r\n{fields}");
    check(
        &mut server,
        &[
            ("hello", &in_two),
            ("hello 4", "-NOPROTO unsupported protocol version"),
            (
                "hello x",
                "-ERR Protocol version is not an integer or out of range",
            ),
            ("hello 3 FOO", "-ERR Syntax error in HELLO option 'FOO'"),
            ("hello 3 auth a", "-ERR Syntax error in HELLO option 'auth'"),
            ("hello 3 auth foo x", WRONG),
            ("hello 2", &in_two),
            ("hello 3 AUTH default x SETNAME me", &in_three),
            ("hello", &in_three),
            ("client getname", "$2\r\nme"),
        ],
    );
    let spaced = server.run_words(&["hello", "2", "setname", "a b"]);
    assert_eq!(spaced, format!("{BAD_NAME}\r\n"));
    assert_eq!(server.version, Version::Resp3);
}

#[test]
fn passwords() {
    let mut server = Server::new();
    let none = "-ERR AUTH <password> called without any password configured for the default user. \
                Are you sure your configuration is correct?";
    check(
        &mut server,
        &[
            ("auth x", none),
            ("auth default x", "+OK"),
            ("auth foo x", WRONG),
            ("auth a b c", "-ERR syntax error"),
        ],
    );
    let mut server = Server::with(&[(Id::REQUIREPASS, "secret")]);
    assert!(!server.session.authenticated);
    assert!(
        server
            .run("hello 3")
            .starts_with("-NOAUTH HELLO must be called with")
    );
    assert_eq!(server.version, Version::Resp2);
    check(
        &mut server,
        &[("auth secre", WRONG), ("auth secretx", WRONG)],
    );
    assert!(!server.session.authenticated);
    check(
        &mut server,
        &[("auth secret", "+OK"), ("auth wrong", WRONG)],
    );
    assert!(
        server.session.authenticated,
        "a failed AUTH takes nothing away"
    );
    check(&mut server, &[("reset", "+RESET")]);
    assert!(!server.session.authenticated);
    assert!(
        server
            .run("hello 3 auth default secret")
            .starts_with("%7\r\n")
    );
}

#[test]
fn reset_makes_a_fresh_connection() {
    let mut server = Server::new();
    for line in [
        "hello 3 setname me",
        "select 5",
        "client setinfo LIB-NAME lib",
        "client no-evict on",
        "client no-touch on",
        "client reply off",
    ] {
        server.run(line);
    }
    assert_eq!(server.session.reply_mode, ReplyMode::Off);
    check(
        &mut server,
        &[("reset", "+RESET"), ("client getname", "$-1")],
    );
    assert_eq!(server.session.reply_mode, ReplyMode::On);
    assert_eq!(server.session.db, 0);
    assert_eq!(server.version, Version::Resp2);
    let line = server.run("client info");
    assert!(line.contains(" flags=N db=0 "), "{line}");
    assert!(line.contains(" resp=2 lib-name=lib "), "{line}");
}

#[test]
fn names_and_settings() {
    let mut server = Server::new();
    check(
        &mut server,
        &[
            ("client id", ":1"),
            ("client getname", "$-1"),
            ("client setname me", "+OK"),
            ("client getname", "$2\r\nme"),
            ("client setname ", "+OK"),
            ("client getname", "$-1"),
            ("client setinfo lib-ver 1.2", "+OK"),
            ("client setinfo foo 1", "-ERR Unrecognized option 'foo'"),
            ("client no-evict x", "-ERR syntax error"),
            ("client no-evict ON", "+OK"),
            ("client no-touch on", "+OK"),
            ("client reply x", "-ERR syntax error"),
            ("client reply on", "+OK"),
        ],
    );
    assert_eq!(
        server.run_words(&["client", "setinfo", "LIB-name", "a b"]),
        "-ERR LIB-name cannot contain spaces, newlines or special characters.\r\n"
    );
    assert!(server.run("client info").contains(" flags=eT "));
    assert_eq!(server.run("client reply skip"), "");
    assert_eq!(server.session.reply_mode, ReplyMode::SkipNext);
    assert_eq!(server.run("client reply off"), "");
    assert_eq!(server.run("client reply skip"), "");
    assert_eq!(server.session.reply_mode, ReplyMode::Off);
}

/// The names of the fields in redis-server 7.2.4's order.
const FIELDS: &str = "id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free \
    argv-mem multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp lib-name lib-ver";

#[test]
fn a_line_of_client_list() {
    let mut server = Server::new();
    server.run("client setname me");
    let reply = server.run("client list");
    let line = reply.split("\r\n").nth(1).unwrap();
    let names: Vec<&str> = (line.trim_end().split(' '))
        .map(|field| field.split_once('=').unwrap().0)
        .collect();
    assert_eq!(names.join(" "), FIELDS);
    assert!(line.starts_with(
        "id=1 addr=127.0.0.1:1 laddr=127.0.0.1:6379 fd=8 name=me age=5 idle=5 flags=N db=0 "
    ));
    assert!(line.ends_with(" cmd=client|list user=default redir=-1 resp=2 lib-name= lib-ver=\n"));
}

/// Ids of the clients that a reply lists.
fn ids(reply: &str) -> String {
    let starts = reply
        .split('\n')
        .filter_map(|line| line.strip_prefix("id="));
    let ids: Vec<&str> = starts.filter_map(|line| line.split(' ').next()).collect();
    ids.join(" ")
}

#[test]
fn filters_of_client_list() {
    let mut server = Server::new();
    let _others = [server.connect(2), server.connect(3)];
    for (line, want) in [
        ("client list", "1 2 3"),
        ("client list type NORMAL", "1 2 3"),
        ("client list type pubsub", ""),
        ("client list id 3 9 1 0", "3 1"),
    ] {
        assert_eq!(ids(&server.run(line)), want, "{line}");
    }
    check(
        &mut server,
        &[
            ("client list type foo", "-ERR Unknown client type 'foo'"),
            ("client list type normal x", "-ERR syntax error"),
            ("client list id", "-ERR syntax error"),
            ("client list id a", "-ERR Invalid client ID"),
            ("client list foo", "-ERR syntax error"),
            ("client list type master", "$0\r\n"),
        ],
    );
}

#[test]
fn filters_of_client_kill() {
    let greater = "-ERR client-id should be greater than 0";
    let mut server = Server::new();
    check(
        &mut server,
        &[
            ("client kill 1:2", "-ERR No such client"),
            ("client kill id", "-ERR No such client"),
            ("client kill id 77", ":0"),
            ("client kill id a", greater),
            ("client kill id 0", greater),
            ("client kill type foo", "-ERR Unknown client type 'foo'"),
            ("client kill user foo", "-ERR No such user 'foo'"),
            ("client kill user default", ":0"),
            ("client kill skipme foo", "-ERR syntax error"),
            ("client kill id 1 foo", "-ERR syntax error"),
            ("client kill foo bar", "-ERR syntax error"),
            ("client kill id 1", ":0"),
        ],
    );
    assert_eq!(server.asked.wakes.load(Relaxed), 0);
    let others = [server.connect(2), server.connect(3), server.connect(4)];
    check(
        &mut server,
        &[
            ("client kill 127.0.0.1:2", "+OK"),
            ("client kill addr 127.0.0.1:3 laddr 127.0.0.1:1", ":0"),
            ("client kill addr 127.0.0.1:3 id 3", ":1"),
            ("client kill type master", ":0"),
        ],
    );
    assert_eq!(ids(&server.run("client list")), "1 4");
    assert_eq!(ids(&server.run("client list id 2 4")), "4");
    let killed = others.each_ref().map(|client| client.killed.load(Relaxed));
    assert_eq!(killed, [true, true, false]);
    assert!(server.services.clients.take_kills());
    assert!(!server.session.close);
    assert_eq!(
        server.run("client kill laddr 127.0.0.1:6379 skipme no"),
        ":2\r\n"
    );
    assert!(server.session.close && others[2].killed.load(Relaxed));
    assert_eq!(server.asked.wakes.load(Relaxed), 3);
}

#[test]
fn who_is_local() {
    let server = Server::new();
    assert!(server.connect(9).is_local());
    let address = |address: &str, unix| {
        let arrival = crate::clients::Arrival {
            address: address.to_owned(),
            unix,
            ..Default::default()
        };
        server.services.clients.register(arrival).is_local()
    };
    assert!(address("[::1]:5", false));
    assert!(address("/tmp/socket:0", true));
    assert!(!address("10.0.0.1:5", false));
    assert!(!address("127.0.0.1.example:5", false));
}
