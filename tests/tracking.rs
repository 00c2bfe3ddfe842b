//! Client-side caching: whoever has read a key is told before it could read a value that
//! is no longer the key's, whichever threads read and write.

mod support;

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use support::{Client, Reply, Rng, Server, eventually};

const LIMIT: Duration = Duration::from_secs(20);
const MODES: [&str; 3] = ["adaptive", "pool", "inline"];

fn server(dispatch: &str) -> Server {
    Server::with(&["--dispatch", dispatch, "--workers", "2"])
}

/// A connection in RESP3 that tracks with these options.
fn tracker(server: &Server, options: &[&str]) -> Client {
    let mut client = server.client();
    client.cmd(&["HELLO", "3"]);
    let words = [&["CLIENT", "TRACKING", "ON"], options].concat();
    assert_eq!(client.cmd(&words), Reply::Simple(b"OK".to_vec()));
    client
}

/// The keys of the next message, none for all.
fn invalidated(client: &mut Client) -> Option<Vec<String>> {
    let message = client.read_reply().reply;
    let Reply::Push(items) = &message else {
        panic!("no push: {message:?}");
    };
    assert_eq!(items[0].text(), "invalidate");
    let keys = &items[1];
    (*keys != Reply::Nil).then(|| keys.items().iter().map(Reply::text).collect())
}

fn keys(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn readers_are_told_once_of_the_next_change() {
    for mode in MODES {
        let server = server(mode);
        let mut writer = server.client();
        let mut reader = tracker(&server, &[]);
        reader.cmd(&["MGET", "a", "b"]);
        writer.cmd(&["SET", "a", "1"]);
        writer.cmd(&["SET", "a", "2"]);
        writer.cmd(&["SET", "c", "1"]);
        writer.cmd(&["LPUSH", "b", "1"]);
        assert_eq!(invalidated(&mut reader), keys(&["a"]));
        assert_eq!(invalidated(&mut reader), keys(&["b"]));
        // Its own changes come behind the reply.
        reader.cmd(&["GET", "a"]);
        reader.expect(&["SET", "a", "3"], "+OK\r\n");
        assert_eq!(invalidated(&mut reader), keys(&["a"]));
        reader.cmd(&["GET", "a"]);
        writer.cmd(&["FLUSHALL"]);
        assert_eq!(invalidated(&mut reader), None);
        reader.expect(&["PING"], "+PONG\r\n");
    }
}

#[test]
fn keys_that_expire_are_told_of() {
    for mode in MODES {
        let server = server(mode);
        let mut reader = tracker(&server, &["NOLOOP"]);
        reader.cmd(&["SET", "k", "v", "PX", "20"]);
        reader.cmd(&["GET", "k"]);
        assert_eq!(invalidated(&mut reader), keys(&["k"]), "nobody's doing");
    }
}

#[test]
fn broadcasts_tell_all_changes_of_prefixes_at_once() {
    for mode in MODES {
        let server = server(mode);
        let mut writer = server.client();
        let mut all = tracker(&server, &["BCAST"]);
        let mut some = tracker(
            &server,
            &["BCAST", "NOLOOP", "PREFIX", "a:", "PREFIX", "b:"],
        );
        writer.cmd(&["MSET", "a:2", "1", "a:1", "1", "b:1", "1", "c:1", "1"]);
        assert_eq!(invalidated(&mut all), keys(&["a:1", "a:2", "b:1", "c:1"]));
        assert_eq!(invalidated(&mut some), keys(&["a:1", "a:2"]));
        assert_eq!(invalidated(&mut some), keys(&["b:1"]));
        some.cmd(&["SET", "a:1", "own"]);
        assert_eq!(invalidated(&mut all), keys(&["a:1"]));
        some.cmd(&["MULTI"]);
        some.cmd(&["DEL", "a:2"]);
        some.cmd(&["DEL", "b:1"]);
        some.cmd(&["EXEC"]);
        assert_eq!(invalidated(&mut all), keys(&["a:2", "b:1"]));
        writer.cmd(&["SET", "b:9", "1"]);
        assert_eq!(invalidated(&mut some), keys(&["b:9"]), "none of its own");
        let info = writer.cmd(&["INFO", "everything"]).text();
        assert!(info.contains("tracking_clients:2") && info.contains("tracking_total_prefixes:3"));
    }
}

#[test]
fn reads_are_chosen_by_optin_and_optout() {
    let server = server("adaptive");
    let mut writer = server.client();
    let mut reader = tracker(&server, &["OPTIN"]);
    reader.cmd(&["GET", "unasked"]);
    reader.cmd(&["CLIENT", "CACHING", "YES"]);
    reader.cmd(&["MULTI"]);
    reader.cmd(&["GET", "a"]);
    reader.cmd(&["GET", "b"]);
    reader.cmd(&["EXEC"]);
    reader.cmd(&["GET", "unasked"]);
    for key in ["unasked", "a", "b"] {
        writer.cmd(&["SET", key, "1"]);
    }
    assert_eq!(invalidated(&mut reader), keys(&["a"]));
    assert_eq!(invalidated(&mut reader), keys(&["b"]));
    reader.cmd(&["CLIENT", "TRACKING", "OFF"]);
    reader.cmd(&["CLIENT", "TRACKING", "ON", "OPTOUT"]);
    reader.cmd(&["CLIENT", "CACHING", "NO"]);
    reader.cmd(&["GET", "unwanted"]);
    reader.cmd(&["GET", "a"]);
    writer.cmd(&["SET", "unwanted", "1"]);
    writer.cmd(&["SET", "a", "1"]);
    assert_eq!(invalidated(&mut reader), keys(&["a"]));
}

#[test]
fn redirection_goes_to_a_subscriber_or_breaks() {
    for mode in MODES {
        let server = server(mode);
        let mut writer = server.client();
        let mut other = server.client();
        let id = other.cmd(&["CLIENT", "ID"]).integer().expect("an id");
        other.cmd(&["SUBSCRIBE", "__redis__:invalidate"]);
        let mut reader = tracker(&server, &["REDIRECT", &id.to_string()]);
        reader.cmd(&["GET", "k"]);
        writer.cmd(&["SET", "k", "1"]);
        let raw = other.read_reply().raw;
        let expected = b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n";
        assert_eq!(raw, expected);
        reader.cmd(&["GET", "k"]);
        writer.cmd(&["FLUSHDB"]);
        let raw = other.read_reply().raw;
        assert!(raw.ends_with(b"__redis__:invalidate\r\n$-1\r\n"));
        reader.cmd(&["GET", "k"]);
        drop(other);
        eventually(LIMIT, "the other has gone", || {
            let list = writer.cmd(&["CLIENT", "LIST", "ID", &id.to_string()]);
            list.text().is_empty()
        });
        writer.cmd(&["SET", "k", "2"]);
        let message = reader.read_reply().reply;
        assert_eq!(message.items()[0].text(), "tracking-redir-broken");
        assert_eq!(message.items()[1], Reply::Integer(id));
        let info = reader.cmd(&["CLIENT", "TRACKINGINFO"]);
        assert_eq!(info.items()[1].items()[1].text(), "broken_redirect");
    }
}

#[test]
fn the_table_is_bounded_and_tells_what_it_drops() {
    let server = server("adaptive");
    let mut writer = server.client();
    let mut reader = tracker(&server, &[]);
    for n in 0..250 {
        reader.cmd(&["GET", &format!("k{n}")]);
    }
    writer.cmd(&["CONFIG", "SET", "tracking-table-max-keys", "1"]);
    let mut dropped: Vec<_> = (0..249).map(|_| invalidated(&mut reader)).collect();
    dropped.sort();
    dropped.dedup();
    assert_eq!(dropped.len(), 249);
    reader.expect(&["PING"], "+PONG\r\n");
    reader.cmd(&["GET", "more"]);
    assert!(invalidated(&mut reader).is_some());
    let info = writer.cmd(&["INFO", "stats"]).text();
    assert!(info.contains("tracking_total_keys:1\r\ntracking_total_items:1"));
}

/// A client's cache, kept by the rules, never answers with a value older than one it has
/// seen, and is right once everything is quiet.
#[test]
fn a_cache_is_never_stale_for_good() {
    const KEYS: usize = 20;
    const WRITES: usize = 3000;
    for mode in MODES {
        let server = server(mode);
        let port = server.port();
        let seed = Rng::seed_from_env("a_cache_is_never_stale_for_good");
        let mut reader = tracker(&server, &[]);
        let mut cache: HashMap<String, Reply> = HashMap::new();
        let note = |cache: &mut HashMap<String, Reply>, items: &[Reply]| {
            for key in items[1].items() {
                cache.remove(&key.text());
            }
        };
        thread::scope(|scope| {
            for stream in 0..2 {
                scope.spawn(move || {
                    let mut rng = Rng::stream(seed, stream);
                    let mut writer = Client::connect(port);
                    for n in 0..WRITES / 10 {
                        (0..10).for_each(|_| {
                            let key = format!("k{}", rng.below(KEYS));
                            writer.send(&["SET", &key, &format!("{stream}:{n}")]);
                        });
                        (0..10).for_each(|_| drop(writer.read_reply()));
                    }
                });
            }
            let mut rng = Rng::stream(seed, 9);
            for _ in 0..WRITES {
                let key = format!("k{}", rng.below(KEYS));
                if cache.contains_key(&key) {
                    continue;
                }
                reader.send(&["GET", &key]);
                loop {
                    match reader.read_reply().reply {
                        Reply::Push(items) => note(&mut cache, &items),
                        value => {
                            cache.insert(key, value);
                            break;
                        }
                    }
                }
            }
        });
        reader.send(&["ECHO", "quiet"]);
        while let Reply::Push(items) = reader.read_reply().reply {
            note(&mut cache, &items);
        }
        let mut check = server.client();
        for (key, value) in cache {
            assert_eq!(check.cmd(&["GET", &key]), value, "{mode}: {key}");
        }
    }
}
