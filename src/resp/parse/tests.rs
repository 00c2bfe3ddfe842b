//! Tests of the parser: forms, errors, limits, and any split of any input.

use super::*;
use proptest::prelude::*;

const OPEN: Limits = Limits {
    bulk_max: 512 << 20,
    authenticated: true,
};
const CLOSED: Limits = Limits {
    authenticated: false,
    ..OPEN
};

type Commands = Vec<Vec<Vec<u8>>>;

/// Feeds the chunks one by one, taking what completes after each.
fn run(chunks: &[&[u8]], limits: Limits) -> (Commands, Option<ProtocolError>) {
    let mut requests = Requests::default();
    let mut out = Vec::new();
    for chunk in chunks {
        requests.feed(chunk);
        loop {
            let result = requests.parse(limits);
            let ready = requests.ready();
            for i in 0..ready {
                out.push(
                    requests
                        .peek(i)
                        .unwrap()
                        .iter()
                        .map(<[u8]>::to_vec)
                        .collect(),
                );
            }
            requests.take(ready);
            requests.compact();
            match result {
                Err(error) => return (out, Some(error)),
                Ok(()) if ready == 0 => break,
                Ok(()) => {}
            }
        }
    }
    (out, None)
}

fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|w| w.as_bytes().to_vec()).collect()
}

fn encode(commands: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let mut out = Vec::new();
    for command in commands {
        out.extend_from_slice(format!("*{}\r\n", command.len()).as_bytes());
        for arg in command {
            out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
            out.extend_from_slice(arg);
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}

#[test]
fn whole_and_inline_commands() {
    let (got, error) = run(
        &[b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n  set a \"b c\" \r\n\r\n*0\r\n*-1\r\nECHO 'x'\n"],
        OPEN,
    );
    assert_eq!(error, None);
    assert_eq!(
        got,
        vec![
            words(&["GET", "k"]),
            words(&["PING"]),
            words(&["set", "a", "b c"]),
            words(&["ECHO", "x"]),
        ]
    );
}

/// What redis-server 7.0.15 has made of these lines.
#[test]
fn inline_words_end_where_redis_ends_them() {
    let lines: &[(&str, &[&str])] = &[
        ("ECHO a\tb", &["ECHO", "a", "b"]),
        ("ECHO a\rb", &["ECHO", "a", "b"]),
        ("\t \r\x0b\x0cECHO a \t\r", &["ECHO", "a"]),
        ("ECHO a\x0bb", &["ECHO", "a\x0bb"]),
        ("ECHO a\x0cb\x0c d", &["ECHO", "a\x0cb\x0c", "d"]),
        ("ECHO\x0ba", &["ECHO\x0ba"]),
        ("ECHO a\x0b\x0c", &["ECHO", "a\x0b\x0c"]),
        ("ECHO \x0b\x0c a", &["ECHO", "a"]),
        ("ECHO \x0b\x0ca", &["ECHO", "a"]),
        ("ECHO \x0b", &["ECHO"]),
        ("ECHO a \x0c", &["ECHO", "a"]),
        ("ECHO \x1c\x01\x7f", &["ECHO", "\x1c\x01\x7f"]),
        ("ECHO \"a\x0bb\tc\rd\"", &["ECHO", "a\x0bb\tc\rd"]),
        ("ECHO 'a\x0cb'", &["ECHO", "a\x0cb"]),
        ("ECHO \"a\"\x0b", &["ECHO", "a"]),
        ("ECHO \"a\"\x0cb", &["ECHO", "a", "b"]),
        ("ECHO \x0b\"a\"", &["ECHO", "a"]),
        ("ECHO a\x0b'b'", &["ECHO", "a\x0bb"]),
        ("ECHO a\"\x0b\"", &["ECHO", "a\x0b"]),
    ];
    for (line, want) in lines {
        for end in ["\r\n", "\n"] {
            let (got, error) = run(&[line.as_bytes(), end.as_bytes()], OPEN);
            assert_eq!((got, error), (vec![words(want)], None), "{line:?}{end:?}");
        }
    }
    for nothing in ["\t\r\n", "\x0b\r\n", "\x0c\n", "\r\r\n", " \n"] {
        assert_eq!(run(&[nothing.as_bytes()], OPEN), (vec![], None));
    }
}

#[test]
fn a_nul_hides_the_end_of_an_inline_line() {
    for line in ["\0", "ECHO a\0b", "ECHO \"a\0b\"", "ECHO a\0"] {
        let line = format!("PING\r\n{line}\r\n");
        let requests = [line.as_bytes(), b"PING\r\n"].concat();
        assert_eq!(run(&[&requests], OPEN), (vec![words(&["PING"])], None));
        let more = vec![b'\n'; LINE_MAX];
        let (got, error) = run(&[&requests, &more], OPEN);
        assert_eq!(got, vec![words(&["PING"])]);
        assert_eq!(error, Some(ProtocolError::InlineTooBig));
    }
}

#[test]
fn every_error_has_its_text() {
    let long = vec![b'1'; LINE_MAX + 2];
    let starred = [b"*".as_slice(), &long].concat();
    let dollar = [b"*1\r\n$".as_slice(), &long].concat();
    for (bytes, want) in [
        (&b"*abc\r\n"[..], "invalid multibulk length"),
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"* 1\r\n", "invalid multibulk length"),
        (b"*1\r\nGET\r\n", "expected '$', got 'G'"),
        (b"*1\r\n\r\n", "expected '$', got '\r'"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$x\r\n", "invalid bulk length"),
        (b"*1\r\n$01\r\n", "invalid bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"set k \"abc\r\n", "unbalanced quotes in request"),
        (&long, "too big inline request"),
        (&starred, "too big mbulk count string"),
        (&dollar, "too big bulk count string"),
    ] {
        let (_, error) = run(&[bytes], OPEN);
        let text = error.map(|e| e.to_string());
        assert_eq!(text, Some(format!("Protocol error: {want}")));
    }
}

#[test]
fn before_authentication_requests_are_small() {
    let error = |bytes: &[u8]| run(&[bytes], CLOSED).1;
    assert_eq!(error(b"*11\r\n"), Some(ProtocolError::UnauthenticatedCount));
    assert_eq!(
        error(b"*2\r\n$4\r\nAUTH\r\n$16385\r\n"),
        Some(ProtocolError::UnauthenticatedLength)
    );
    let mut requests = Requests::default();
    requests.feed(b"PING\r\nPING\r\n");
    requests.parse(CLOSED).unwrap();
    assert_eq!(requests.ready(), 1, "the first may change the limits");
}

#[test]
fn commands_before_an_error_are_kept() {
    let (got, error) = run(&[b"PING\r\n*1\r\n!"], OPEN);
    assert_eq!(got, vec![words(&["PING"])]);
    assert_eq!(error, None, "the line has not ended yet");
    let (got, error) = run(&[b"PING\r\n*1\r\n!\r\n"], OPEN);
    assert_eq!(got, vec![words(&["PING"])]);
    assert_eq!(error, Some(ProtocolError::ExpectedBulk(b'!')));
}

#[test]
fn declared_lengths_allocate_nothing() {
    let mut requests = Requests::default();
    requests.feed(b"*1000000\r\n$536870912\r\nabc");
    requests.parse(OPEN).unwrap();
    assert_eq!(requests.ready(), 0);
    assert!(
        requests.mem_bytes() < 256 * 1024,
        "{}",
        requests.mem_bytes()
    );
}

#[test]
fn a_large_argument_is_received_into_its_own_buffer() {
    let value = vec![b'v'; 3 * BIG_ARG];
    let bytes = encode(&[
        vec![b"SET".to_vec(), b"k".to_vec(), value.clone()],
        words(&["PING"]),
    ]);
    let mut requests = Requests::default();
    requests.feed(&bytes[..100]);
    requests.parse(OPEN).unwrap();
    requests.feed(&bytes[100..]);
    requests.parse(OPEN).unwrap();
    assert_eq!(requests.ready(), 2);
    let argv = requests.peek(0).unwrap();
    let shared = argv.shared(2).expect("received apart");
    assert_eq!(shared, value);
    assert!(argv.shared(1).is_none());
    assert_eq!(shared.as_ptr(), argv.get(2).as_ptr(), "no copy");
}

#[test]
fn quiet_connections_hold_little() {
    let mut requests = Requests::default();
    let (buffer, max) = requests.spare(16 * 1024);
    assert!(max >= 16 * 1024);
    buffer.extend_from_slice(b"*2\r\n$3\r\nGET\r\n$1");
    requests.parse(OPEN).unwrap();
    requests.shrink();
    assert!(requests.mem_bytes() < 200, "{}", requests.mem_bytes());
    requests.feed(b"\r\nk\r\n");
    requests.parse(OPEN).unwrap();
    assert_eq!(requests.peek(0).unwrap().get(1), b"k");
}

fn argument() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        20 => proptest::collection::vec(any::<u8>(), 0..20),
        2 => proptest::collection::vec(any::<u8>(), 90..130),
        1 => (BIG_ARG - 2..BIG_ARG + 5000, any::<u8>()).prop_map(|(n, b)| vec![b; n]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_split_gives_the_same_commands(
        commands in proptest::collection::vec(proptest::collection::vec(argument(), 1..6), 1..8),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let bytes = encode(&commands);
        let mut at: Vec<usize> = cuts.iter().map(|c| c.index(bytes.len())).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let chunks: Vec<&[u8]> = at.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
        let (got, error) = run(&chunks, OPEN);
        prop_assert_eq!(error, None);
        prop_assert_eq!(got, commands);
    }

    #[test]
    fn one_byte_at_a_time(commands in proptest::collection::vec(proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..4), 1..4)) {
        let bytes = encode(&commands);
        let chunks: Vec<&[u8]> = bytes.chunks(1).collect();
        let (got, error) = run(&chunks, OPEN);
        prop_assert_eq!(error, None);
        prop_assert_eq!(got, commands);
    }

    #[test]
    fn noise_never_panics(bytes in proptest::collection::vec(prop_oneof![Just(b'*'), Just(b'$'), Just(b'\r'), Just(b'\n'), b'0'..=b'9', any::<u8>()], 0..300)) {
        let chunks: Vec<&[u8]> = bytes.chunks(7).collect();
        run(&chunks, OPEN);
    }
}
