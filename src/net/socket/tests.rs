//! Sockets in pairs: both kinds, shared between threads, polled by reference.

use super::*;
use mio::{Events, Poll};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV6, TcpListener};

fn tcp_pair() -> (Socket, std::net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let client = std::net::TcpStream::connect(listener.local_addr().expect("an address"));
    let (server, _) = listener.accept().expect("accept");
    server.set_nonblocking(true).expect("fcntl");
    (
        Socket::Tcp(TcpStream::from_std(server)),
        client.expect("connect"),
    )
}

fn unix_pair() -> (Socket, std::os::unix::net::UnixStream) {
    let (server, client) = std::os::unix::net::UnixStream::pair().expect("socketpair");
    server.set_nonblocking(true).expect("fcntl");
    (Socket::Unix(UnixStream::from_std(server)), client)
}

fn exchange(socket: Socket, mut client: impl Read + Write) {
    let shared = Arc::new(socket);
    let mut poll = Poll::new().expect("poll");
    let mut events = Events::with_capacity(4);
    let (token, what) = (Token(7), Interest::READABLE);
    poll.registry()
        .register(&mut &*shared, token, what)
        .expect("register");
    client.write_all(b"PING").expect("write");
    poll.poll(&mut events, Some(Duration::from_secs(10)))
        .expect("poll");
    assert!(
        events
            .iter()
            .any(|event| event.token() == token && event.is_readable())
    );

    let mut text = [0; 8];
    assert_eq!((&*shared).read(&mut text).expect("read"), 4);
    let empty = (&*shared).read(&mut text).expect_err("nothing more");
    assert_eq!(empty.kind(), io::ErrorKind::WouldBlock);

    let writer = Arc::clone(&shared);
    let parts = move || (&*writer).write_vectored(&[IoSlice::new(b"PO"), IoSlice::new(b"NG")]);
    let written = std::thread::spawn(parts)
        .join()
        .expect("no panic")
        .expect("write");
    assert_eq!(written, 4);
    client.read_exact(&mut text[..4]).expect("read");
    assert_eq!(&text[..4], b"PONG");

    poll.registry()
        .reregister(&mut &*shared, token, Interest::WRITABLE)
        .expect("reregister");
    poll.registry()
        .deregister(&mut &*shared)
        .expect("deregister");
    shared.shutdown().expect("shutdown");
    assert_eq!(client.read(&mut text).expect("end of file"), 0);
}

#[test]
fn a_tcp_socket_is_polled_read_and_written_by_reference() {
    let (socket, client) = tcp_pair();
    exchange(socket, client);
}

#[test]
fn a_unix_socket_is_polled_read_and_written_by_reference() {
    let (socket, client) = unix_pair();
    exchange(socket, client);
}

#[test]
fn options_reach_tcp_and_pass_unix_by() {
    let (tcp, client) = tcp_pair();
    tcp.set_nodelay(true).expect("nodelay");
    tcp.set_keepalive(300).expect("keepalive");
    let raw = SockRef::from(&tcp);
    assert!(raw.tcp_nodelay().expect("option") && raw.keepalive().expect("option"));
    if cfg!(target_os = "linux") {
        assert_eq!(
            raw.tcp_keepalive_time().expect("option"),
            Duration::from_secs(300)
        );
        assert_eq!(
            raw.tcp_keepalive_interval().expect("option"),
            Duration::from_secs(100)
        );
        assert_eq!(raw.tcp_keepalive_retries().expect("option"), 3);
    }
    tcp.set_keepalive(1).expect("shortest");
    tcp.set_keepalive(0).expect("off");
    assert!(!SockRef::from(&tcp).keepalive().expect("option"));
    assert_eq!(
        tcp.peer(),
        Address::Ip(client.local_addr().expect("an address"))
    );
    assert_eq!(
        tcp.local(),
        Address::Ip(client.peer_addr().expect("an address"))
    );

    let (unix, _client) = unix_pair();
    assert!(unix.is_unix() && !tcp.is_unix());
    unix.set_nodelay(true)
        .and(unix.set_keepalive(300))
        .expect("nothing to do");
}

#[test]
fn addresses_read_as_redis_prints_them() {
    let v4 = Address::Ip((Ipv4Addr::new(127, 0, 0, 9), 50000).into());
    let v6 = Address::Ip((Ipv6Addr::LOCALHOST, 50000).into());
    let link = "fe80::1".parse().expect("an address");
    let scoped = Address::Ip(SocketAddrV6::new(link, 1, 0, 2).into());
    assert_eq!(v4.to_string(), "127.0.0.9:50000");
    assert_eq!(v6.to_string(), "[::1]:50000");
    assert_eq!(scoped.to_string(), "[fe80::1]:1");
    assert_eq!(
        Address::Unix("/run/f.sock".into()).to_string(),
        "/run/f.sock:0"
    );
    assert_eq!(Address::Unknown.to_string(), "?:0");
}

#[test]
fn what_is_local_and_what_is_not() {
    let ip = |text: &str| Address::Ip((text.parse::<IpAddr>().expect("an address"), 1).into());
    for local in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
        assert!(ip(local).is_local(), "{local}");
    }
    for remote in ["10.0.0.1", "0.0.0.0", "::", "::ffff:10.0.0.1", "fe80::1"] {
        assert!(!ip(remote).is_local(), "{remote}");
    }
    assert!(Address::Unix("x".into()).is_local() && !Address::Unknown.is_local());
}
