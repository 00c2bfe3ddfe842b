//! The limit on memory, seen from outside: however much is written, the data stays within
//! `maxmemory` and a stated slack, the keys that are used stay, and what is no data
//! evicts none.
//!
//! Values are so large that a thousand of them fill the limit, so that tests are short;
//! what chooses the victims is tested key by key beside the code.

mod support;

use std::time::Duration;

use support::{Client, Reply, Rng, Server, encode, eventually};

const MB: u64 = 1 << 20;
/// Bytes by which `used_memory` may exceed `maxmemory`: what clients of this test hold in
/// buffers, and what is written in the half millisecond that an eviction may last.
const SLACK: u64 = 2 * MB;
const POLICIES: [&str; 7] = [
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
];
/// How long anything that goes on in the background may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A server that saves only when it is told to.
fn server(options: &[&str]) -> Server {
    Server::with(&[&["--save", ""], options].concat())
}

fn info(client: &mut Client, field: &str) -> u64 {
    let text = client.cmd(&["INFO", "everything"]).text();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let value = line.unwrap_or_else(|| panic!("INFO has no {field}"));
    value
        .parse()
        .unwrap_or_else(|_| panic!("{field} is {value}"))
}

/// Sends commands at once; the replies.
fn pipeline(client: &mut Client, commands: &[Vec<Vec<u8>>]) -> Vec<Reply> {
    let bytes: Vec<u8> = commands.iter().flat_map(|words| encode(words)).collect();
    client.send_raw(&bytes);
    commands.iter().map(|_| client.read_reply().reply).collect()
}

/// Begins anew, with nothing left that is still being freed.
fn start_empty(client: &mut Client) {
    client.expect(&["FLUSHALL"], "+OK\r\n");
    eventually(LIMIT, "all is freed", || {
        info(client, "lazyfree_pending_objects") == 0
    });
}

fn words(text: &str) -> Vec<Vec<u8>> {
    text.split(' ')
        .map(|word| word.as_bytes().to_vec())
        .collect()
}

/// SET of a random key out of so many, to a value of random length up to 8 KiB.
fn some_set(rng: &mut Rng, keys: usize, expires: bool) -> Vec<Vec<u8>> {
    let key = format!("key:{}", rng.below(keys)).into_bytes();
    let value = vec![b'x'; 1 + rng.below(8192)];
    let mut words = vec![b"SET".to_vec(), key, value];
    if expires {
        words.extend([b"EX".to_vec(), b"10000".to_vec()]);
    }
    words
}

#[test]
fn an_endless_stream_of_values_stays_within_the_limit() {
    let seed = Rng::seed_from_env("an_endless_stream_of_values_stays_within_the_limit");
    for dispatch in ["adaptive", "pool", "inline"] {
        let server = server(&["--dispatch", dispatch, "--maxmemory", "10mb"]);
        let mut clients: Vec<Client> = (0..4).map(|_| Client::connect(server.port())).collect();
        for (stream, policy) in POLICIES.iter().enumerate() {
            let mut rng = Rng::stream(seed, stream as u64);
            clients[0].expect(&["CONFIG", "SET", "maxmemory-policy", policy], "+OK\r\n");
            start_empty(&mut clients[0]);
            let before = info(&mut clients[0], "evicted_keys");
            // Some 24 MB of values by each policy.
            for round in 0..60 {
                let commands: Vec<_> = (0..100)
                    .map(|_| some_set(&mut rng, 100_000, true))
                    .collect();
                let client = &mut clients[round % 4];
                let replies = pipeline(client, &commands);
                let refused = replies.iter().filter(|reply| reply.is_error()).count();
                assert_eq!(refused, 0, "{policy}, {dispatch}: {:?}", replies[0]);
                let used = info(client, "used_memory");
                assert!(used <= 10 * MB + SLACK, "{policy}, {dispatch}: {used}");
            }
            let evicted = info(&mut clients[0], "evicted_keys") - before;
            assert!(evicted > 1000, "{policy}, {dispatch}: {evicted}");
            // And not much more than had to go has gone.
            let used = info(&mut clients[0], "used_memory");
            assert!(used >= 8 * MB, "{policy}, {dispatch}: {used}");
        }
    }
}

#[test]
fn writers_beside_each_other_stay_within_the_limit() {
    const WRITERS: u64 = 8;
    let seed = Rng::seed_from_env("writers_beside_each_other_stay_within_the_limit");
    let options = [
        "--maxmemory",
        "16mb",
        "--maxmemory-policy",
        "allkeys-lru",
        "--workers",
        "4",
    ];
    let server = server(&[&options[..], &["--dispatch", "pool"]].concat());
    let port = server.port();
    let writers: Vec<_> = (0..WRITERS)
        .map(|stream| {
            std::thread::spawn(move || {
                let (mut client, mut rng) = (Client::connect(port), Rng::stream(seed, stream));
                for _ in 0..50 {
                    let commands: Vec<_> = (0..50)
                        .map(|_| some_set(&mut rng, 100_000, false))
                        .collect();
                    let replies = pipeline(&mut client, &commands);
                    assert!(!replies.iter().any(Reply::is_error), "{replies:?}");
                }
            })
        })
        .collect();
    let mut observer = Client::connect(port);
    let mut most = 0;
    while writers.iter().any(|writer| !writer.is_finished()) {
        most = most.max(info(&mut observer, "used_memory"));
    }
    for writer in writers {
        writer.join().expect("all values are taken");
    }
    // Each worker sees what the others write 10 ms late; and each writer has a batch of
    // 200 KB on its way.
    assert!(most <= 16 * MB + 16 * MB, "{most}");
    eventually(LIMIT, "what is too much goes", || {
        info(&mut observer, "used_memory") <= 16 * MB + SLACK
    });
}

/// Some keys are read again and again while others come and are not asked for again, four
/// times as many as there is room for. How many of 100 hot and of 100 cold ones are there
/// in the end.
fn left(policy: &str, seed: u64) -> (usize, usize) {
    const HOT: usize = 200;
    const COLD_A_ROUND: usize = 500;
    const ROUNDS: usize = 10;
    let server = server(&["--maxmemory", "6mb", "--maxmemory-policy", policy]);
    let mut client = Client::connect(server.port());
    let mut rng = Rng::new(seed);
    let set = |name: String| vec![b"SET".to_vec(), name.into_bytes(), vec![b'x'; 4096]];
    let hot: Vec<_> = (0..HOT).map(|key| set(format!("hot:{key}"))).collect();
    pipeline(&mut client, &hot);
    for round in 0..ROUNDS {
        // The stamps of LRU count seconds.
        let now = info(&mut client, "uptime_in_seconds");
        eventually(LIMIT, "a second passes", || {
            info(&mut client, "uptime_in_seconds") > now
        });
        for part in 0..COLD_A_ROUND / 50 {
            let mut commands: Vec<_> = (0..HOT)
                .map(|key| words(&format!("GET hot:{key}")))
                .collect();
            let first = round * COLD_A_ROUND + part * 50;
            commands.extend((first..first + 50).map(|key| set(format!("cold:{key}"))));
            // In any order but one.
            for last in (HOT + 1..commands.len()).rev() {
                commands.swap(last, HOT + rng.below(last - HOT));
            }
            pipeline(&mut client, &commands);
        }
    }
    let mut there = |kind: &str, count: usize| {
        let mut exists = vec!["EXISTS".to_string()];
        exists.extend((0..count).map(|key| format!("{kind}:{key}")));
        let found = client.cmd(&exists).integer().unwrap_or(0) as usize;
        found * 100 / count
    };
    (there("hot", HOT), there("cold", COLD_A_ROUND * ROUNDS))
}

#[test]
fn keys_that_are_used_stay() {
    let seed = Rng::seed_from_env("keys_that_are_used_stay");
    let runs: Vec<_> = ["allkeys-lru", "allkeys-lfu", "allkeys-random"]
        .into_iter()
        .map(|policy| (policy, std::thread::spawn(move || left(policy, seed))))
        .collect();
    for (policy, run) in runs {
        let (hot, cold) = run.join().expect("a run to its end");
        println!("{policy}: {hot} % of the hot and {cold} % of the cold keys are left");
        if policy == "allkeys-random" {
            assert!(hot <= 60, "{policy}: {hot} % and {cold} %");
        } else {
            assert!(hot >= 90 && cold <= 35, "{policy}: {hot} % and {cold} %");
        }
    }
}

#[test]
fn what_a_snapshot_holds_evicts_nothing() {
    let seed = Rng::seed_from_env("what_a_snapshot_holds_evicts_nothing");
    let server = server(&["--maxmemory", "10mb", "--maxmemory-policy", "allkeys-lru"]);
    let (mut client, mut rng) = (Client::connect(server.port()), Rng::new(seed));
    for round in 0..120 {
        if round % 10 == 5 {
            // While the last one runs this is refused.
            client.cmd(&["BGSAVE"]);
        }
        let commands: Vec<_> = (0..50)
            .map(|_| some_set(&mut rng, 100_000, false))
            .collect();
        let replies = pipeline(&mut client, &commands);
        assert!(!replies.iter().any(Reply::is_error), "{replies:?}");
        let keys = client.cmd(&["DBSIZE"]).integer().unwrap_or(0);
        // 10 MB are some 2500 values.
        assert!(round < 60 || keys > 2000, "{keys} in round {round}");
    }
    eventually(LIMIT, "the snapshot ends", || {
        info(&mut client, "rdb_bgsave_in_progress") == 0
    });
    let used = info(&mut client, "used_memory");
    assert!((8 * MB..=10 * MB + SLACK).contains(&used), "{used}");
}

#[test]
fn keys_without_an_expiry_stay_under_volatile_policies() {
    let seed = Rng::seed_from_env("keys_without_an_expiry_stay_under_volatile_policies");
    let server = server(&["--maxmemory", "10mb"]);
    let mut client = Client::connect(server.port());
    for policy in POLICIES.iter().filter(|name| name.starts_with("volatile")) {
        let mut rng = Rng::new(seed);
        start_empty(&mut client);
        client.expect(&["CONFIG", "SET", "maxmemory-policy", policy], "+OK\r\n");
        let kept: Vec<_> = (0..500)
            .map(|key| {
                vec![
                    b"SET".to_vec(),
                    format!("kept:{key}").into_bytes(),
                    vec![b'x'; 4096],
                ]
            })
            .collect();
        pipeline(&mut client, &kept);
        for _ in 0..50 {
            let commands: Vec<_> = (0..100).map(|_| some_set(&mut rng, 10_000, true)).collect();
            let replies = pipeline(&mut client, &commands);
            assert!(!replies.iter().any(Reply::is_error), "{policy}");
        }
        let mut exists = vec!["EXISTS".to_string()];
        exists.extend((0..500).map(|key| format!("kept:{key}")));
        assert_eq!(client.cmd(&exists).integer(), Some(500), "{policy}");
        // When nothing is left that expires, writing is over; reading is not.
        let mut commands = Vec::new();
        for key in 0..2000 {
            let name = format!("more:{key}").into_bytes();
            commands.push(vec![b"SET".to_vec(), name, vec![b'x'; 8192]]);
        }
        let replies = pipeline(&mut client, &commands);
        let last = replies.last().map(Reply::text).unwrap_or_default();
        assert_eq!(
            last, "OOM command not allowed when used memory > 'maxmemory'.",
            "{policy}"
        );
        assert_eq!(client.cmd(&exists).integer(), Some(500), "{policy}");
        assert!(
            info(&mut client, "used_memory") <= 10 * MB + SLACK,
            "{policy}"
        );
        client.expect(&["DEL", "more:0", "more:1", "more:2"], ":3\r\n");
    }
}

#[test]
fn buffers_of_clients_evict_nothing() {
    let options = ["--maxmemory", "10mb", "--maxmemory-policy", "allkeys-lru"];
    let server = server(&options);
    let mut client = Client::connect(server.port());
    let value = vec![b'v'; 100_000];
    for key in 0..50 {
        let name = key.to_string();
        client.expect(&[b"SET", name.as_bytes(), &value], "+OK\r\n");
    }
    // Half of what is asked for is more than sockets take.
    let mut readers: Vec<Client> = (0..10).map(|_| Client::connect(server.port())).collect();
    for reader in &mut readers {
        let copies: Vec<u8> = (0..100)
            .flat_map(|_| encode(&["GETRANGE", "1", "0", "9999"]))
            .collect();
        for _ in 0..20 {
            reader.send_raw(&copies);
        }
    }
    // Senders that never come to an end of their command.
    let mut senders: Vec<Client> = (0..10).map(|_| Client::connect(server.port())).collect();
    for sender in &mut senders {
        sender.send_raw(b"*250\r\n");
        for _ in 0..249 {
            sender.send_raw(b"$2000\r\n");
            sender.send_raw(&[b'x'; 2000]);
            sender.send_raw(b"\r\n");
        }
    }
    // Messages, to subscribers that do not read.
    let mut subscribers: Vec<Client> = (0..10).map(|_| Client::connect(server.port())).collect();
    for subscriber in &mut subscribers {
        subscriber.cmd(&["SUBSCRIBE", "news"]);
    }
    for _ in 0..60 {
        client.expect(&[&b"PUBLISH"[..], b"news", &value], ":10\r\n");
        client.expect(&[&b"PUBLISH"[..], b"news", &value[..5000]], ":10\r\n");
    }
    eventually(LIMIT, "the buffers are full", || {
        info(&mut client, "mem_not_counted_for_evict") > 15 * MB
    });
    // Used memory without them is what it was.
    client.expect(&[&b"SET"[..], b"small", b"x"], "+OK\r\n");
    assert_eq!(client.cmd(&["DBSIZE"]).integer(), Some(51));
    assert_eq!(info(&mut client, "evicted_keys"), 0);
    drop((readers, senders, subscribers));
    eventually(LIMIT, "the buffers have gone", || {
        // But for what waits for the next client.
        info(&mut client, "mem_not_counted_for_evict") < 2 * MB
    });
    assert_eq!(info(&mut client, "evicted_keys"), 0);
}

#[test]
fn large_values_go_without_taking_others_along() {
    let options = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];
    let server = server(&options);
    let mut client = Client::connect(server.port());
    // Sets of some 2 MB each, of 20,000 members that are freed one by one.
    for set in 0..40 {
        for part in 0..20 {
            let mut sadd = vec!["SADD".to_string(), format!("set:{set}")];
            sadd.extend((0..1000).map(|n| format!("{:>60}", part * 1000 + n)));
            client.cmd(&sadd);
        }
    }
    let sets = client.cmd(&["DBSIZE"]).integer().unwrap_or(0);
    let used = info(&mut client, "used_memory");
    assert_eq!(sets, 40, "{used}");
    let limit = (used - 8 * MB).to_string();
    client.expect(&["CONFIG", "SET", "maxmemory", &limit], "+OK\r\n");
    eventually(LIMIT, "there is room", || {
        info(&mut client, "used_memory") <= used - 8 * MB + SLACK
            && info(&mut client, "lazyfree_pending_objects") == 0
    });
    let gone = sets - client.cmd(&["DBSIZE"]).integer().unwrap_or(0);
    let each = used as i64 / sets;
    let needed = 8 * MB as i64 / each + 1;
    assert!(
        (1..=needed + 1).contains(&gone),
        "{gone} of {each} bytes each"
    );
}

#[test]
fn a_share_is_one_of_what_the_process_may_use() {
    let server = server(&["--maxmemory", "50%"]);
    let mut client = Client::connect(server.port());
    client.expect(
        &["CONFIG", "GET", "maxmemory"],
        "*2\r\n$9\r\nmaxmemory\r\n$3\r\n50%\r\n",
    );
    let machine = info(&mut client, "total_system_memory");
    let half = info(&mut client, "maxmemory");
    assert!(half > 0 && half <= machine / 2, "{half} of {machine}");
    client.expect(&["CONFIG", "SET", "maxmemory", "100%"], "+OK\r\n");
    let whole = info(&mut client, "maxmemory");
    assert!(whole.abs_diff(2 * half) <= 200, "{whole} and {half}");
}
