//! Listening for real on 127.0.0.1 and in a directory of the test's own.

use super::*;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// A directory of one test's own, removed when dropped.
struct TempDir(PathBuf);

impl TempDir {
    fn new(name: &str) -> TempDir {
        let path = std::env::temp_dir().join(format!("flashkv-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary directory");
        TempDir(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn free_port() -> u16 {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    probe.local_addr().expect("an address").port()
}

fn open_tcp_only(bind: &[&str], port: u16) -> Result<Listeners, ListenError> {
    let bind: Vec<String> = bind.iter().map(|&word| word.to_owned()).collect();
    Listeners::open(&ListenSpec {
        bind: &bind,
        port,
        backlog: 16,
        unix_path: None,
        unix_mode: None,
    })
}

fn open_unix_only(path: &Path, mode: Option<u32>) -> Result<Listeners, ListenError> {
    let unix_path = Some(path);
    Listeners::open(&ListenSpec {
        bind: &[],
        port: 0,
        backlog: 16,
        unix_path,
        unix_mode: mode,
    })
}

fn accept(listener: &Listener) -> (Socket, Address) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match listener.accept() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                assert!(Instant::now() < deadline, "no connection came");
                std::thread::yield_now();
            }
            answer => return answer.expect("accept"),
        }
    }
}

#[test]
fn a_connection_arrives_with_its_address() {
    let port = free_port();
    let listeners = open_tcp_only(&["127.0.0.1"], port).expect("free");
    let listener = listeners.get(0).expect("one");
    assert_eq!(
        listener.accept().expect_err("nobody yet").kind(),
        io::ErrorKind::WouldBlock
    );
    let mut client = std::net::TcpStream::connect(("127.0.0.1", port)).expect("connect");
    let (socket, peer) = accept(listener);
    assert_eq!(peer, Address::Ip(client.local_addr().expect("an address")));
    assert_eq!(
        (listeners.len(), listeners.describe()),
        (1, format!("127.0.0.1:{port}"))
    );
    (&socket).write_all(b"hello").expect("write");
    let mut text = [0; 5];
    client.read_exact(&mut text).expect("read");
    assert_eq!(&text, b"hello");
}

#[test]
fn a_port_in_use_is_told_in_the_words_of_redis() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = taken.local_addr().expect("an address").port();
    let error = open_tcp_only(&["127.0.0.1"], port).expect_err("in use");
    assert_eq!(
        error.to_string(),
        format!(
            "Could not create server TCP listening socket 127.0.0.1:{port}: bind: Address already in use"
        )
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("--port")));
    let error = open_tcp_only(&["-127.0.0.1"], port).expect_err("a - forgives other errors");
    assert!(error.to_string().contains(": bind: "), "{error}");
}

#[test]
fn an_address_of_another_machine_fails_unless_optional() {
    let port = free_port();
    // TEST-NET-1: no interface has it.
    let error = open_tcp_only(&["127.0.0.1", "192.0.2.1"], port).expect_err("not ours");
    assert!(
        error
            .to_string()
            .ends_with("bind: Cannot assign requested address"),
        "{error}"
    );
    let listeners = open_tcp_only(&["127.0.0.1", "-192.0.2.1"], port).expect("optional");
    assert_eq!(listeners.len(), 1);
}

#[test]
fn names_are_resolved_and_nonsense_is_refused() {
    let listeners = open_tcp_only(&["localhost"], free_port()).expect("localhost");
    assert!(listeners.get(0).is_some_and(|one| one.address().is_local()));
    let error = open_tcp_only(&["no such host"], 1).expect_err("no name");
    assert!(
        error.to_string().contains("no such host:1: getaddrinfo: "),
        "{error}"
    );
}

#[test]
fn wildcards_name_the_unspecified_addresses() {
    let ip = |word| resolve(word, 7).expect("fixed")[0].to_string();
    assert_eq!(
        (ip("*"), ip("::*"), ip("::1")),
        ("0.0.0.0:7".into(), "[::]:7".into(), "[::1]:7".into())
    );
    assert_eq!(with_port("::1", 7), "[::1]:7");
}

#[test]
fn both_families_share_a_port() {
    let Ok(_) = std::net::TcpListener::bind("[::1]:0") else {
        println!("skipped: IPv6 not available");
        return;
    };
    let listeners = open_tcp_only(&["127.0.0.1", "-::1"], free_port()).expect("both");
    assert_eq!(listeners.len(), 2);
}

#[test]
fn nowhere_to_listen_is_an_error() {
    let error = open_tcp_only(&["127.0.0.1"], 0).expect_err("port 0 is no TCP");
    assert!(matches!(error, ListenError::Nowhere) && error.hint().is_some());
    assert!(matches!(
        open_tcp_only(&[], 6379),
        Err(ListenError::Nowhere)
    ));
}

#[test]
fn the_unix_socket_has_its_permissions_and_goes_away() {
    let dir = TempDir::new("unix");
    let path = dir.path("f.sock");
    let listeners = open_unix_only(&path, Some(0o640)).expect("a fresh path");
    let mode = std::fs::metadata(&path)
        .expect("bound")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    let _client = std::os::unix::net::UnixStream::connect(&path).expect("connect");
    let (socket, peer) = accept(listeners.get(0).expect("one"));
    let text = format!("{}:0", path.display());
    assert_eq!(
        (peer.to_string(), socket.local().to_string()),
        (text.clone(), text)
    );
    drop(listeners);
    assert!(!path.exists());
}

#[test]
fn a_stale_socket_is_replaced_and_any_other_file_is_not() {
    let dir = TempDir::new("stale");
    let path = dir.path("f.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("bind"));
    assert!(path.exists(), "left behind");
    drop(open_unix_only(&path, None).expect("replaced"));
    std::fs::write(&path, "precious").expect("write");
    let error = open_unix_only(&path, None).expect_err("not a socket");
    assert!(
        error
            .to_string()
            .contains("unlink: a file that is not a socket"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&path).expect("kept"), "precious");
}

#[test]
fn a_path_that_somebody_else_took_over_is_left_alone() {
    let dir = TempDir::new("taken");
    let path = dir.path("f.sock");
    let old = open_unix_only(&path, None).expect("a fresh path");
    let new = open_unix_only(&path, None).expect("as Redis does");
    drop(old);
    assert!(path.exists());
    drop(new);
    assert!(!path.exists());
}

#[test]
fn a_bad_unix_path_names_itself() {
    let error = open_unix_only(Path::new("/nonexistent/f.sock"), None).expect_err("no directory");
    let text = error.to_string();
    assert!(
        text.starts_with("Failed opening Unix socket /nonexistent/f.sock: bind: "),
        "{text}"
    );
}

#[test]
fn inherited_sockets_are_served_and_registered() {
    let dir = TempDir::new("inherit");
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = tcp.local_addr().expect("an address");
    let path = dir.path("i.sock");
    let unix = std::os::unix::net::UnixListener::bind(&path).expect("bind");
    let sockets = vec![Listener::from_tcp(tcp), Listener::from_unix(unix)];
    let sockets = sockets.into_iter().map(|one| one.expect("non-blocking"));
    let mut listeners = Listeners::adopt(sockets.collect());
    let mut poll = mio::Poll::new().expect("poll");
    for (index, listener) in listeners.iter_mut().enumerate() {
        let registry = poll.registry();
        registry
            .register(listener, Token(index), Interest::READABLE)
            .expect("register");
    }
    let _client = std::net::TcpStream::connect(address).expect("connect");
    let mut events = mio::Events::with_capacity(4);
    poll.poll(&mut events, Some(Duration::from_secs(10)))
        .expect("poll");
    assert_eq!(events.iter().next().expect("an event").token(), Token(0));
    accept(listeners.get(0).expect("tcp"));
    drop(listeners);
    assert!(path.exists(), "its owner removes it");
}
