//! Tests of socket activation: what is served and what is refused.

use super::*;
use std::net::{TcpListener, TcpStream, UdpSocket};

#[test]
fn counts_and_names_are_read_strictly() {
    assert_eq!(parse_count(OsStr::new("2")).ok(), Some(2));
    for bad in ["", "-1", "257", "two"] {
        let error = parse_count(OsStr::new(bad)).expect_err(bad).to_string();
        assert!(
            error.starts_with(&format!("LISTEN_FDS={bad} is not")),
            "{error}"
        );
    }
    assert_eq!(fd_names("tcp:admin".into(), 3), ["tcp", "admin", "unknown"]);
    assert_eq!(fd_names(OsString::new(), 1), ["unknown"]);
}

#[test]
fn listening_sockets_are_told_by_their_kind() {
    let tcp = TcpListener::bind("127.0.0.1:0").expect("bind");
    assert!(matches!(classify(tcp.into()), Ok(Listener::Tcp(_))));
    let file = format!("flashkv-{}-listen", std::process::id());
    let path = std::env::temp_dir().join(file);
    let unix = std::os::unix::net::UnixListener::bind(&path).expect("bind");
    let _ = std::fs::remove_file(&path);
    assert!(matches!(classify(unix.into()), Ok(Listener::Unix(_))));
}

#[test]
fn anything_else_is_refused_with_the_reason() {
    let udp = UdpSocket::bind("127.0.0.1:0").expect("bind");
    assert!(
        classify(udp.into())
            .expect_err("a datagram socket")
            .contains("stream")
    );
    let file = std::fs::File::open("/dev/null").expect("/dev/null");
    assert!(
        classify(file.into())
            .expect_err("a file")
            .contains("not a socket")
    );
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().expect("an address");
    let connection = TcpStream::connect(address).expect("connect");
    let error = identify(4, connection.into(), "conn".into()).expect_err("a connection");
    assert!(error.to_string().contains("descriptor 4 (conn)"), "{error}");
}
