//! Both conversations with the other side played by the test.

use super::*;
use std::path::PathBuf;

/// A path of this test's own for a socket, removed when dropped.
struct SocketPath(PathBuf);

impl SocketPath {
    fn new(name: &str) -> SocketPath {
        let file = format!("flashkv-{}-{name}", std::process::id());
        SocketPath(std::env::temp_dir().join(file))
    }
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn notifier_to(name: &OsStr, watchdog: Option<Duration>) -> Notifier {
    Notifier {
        peer: Some(connect(name).expect("a valid name")),
        watchdog,
    }
}

fn receive(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 512];
    manager
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    let len = manager.recv(&mut buffer).expect("a notification");
    String::from_utf8_lossy(&buffer[..len]).into_owned()
}

#[test]
fn every_notification_arrives_as_its_assignments() {
    let path = SocketPath::new("notify");
    let manager = UnixDatagram::bind(&path.0).expect("bind");
    let notifier = notifier_to(path.0.as_os_str(), Some(Duration::from_secs(5)));
    notifier.ready("Ready to accept\nconnections");
    assert_eq!(
        receive(&manager),
        "READY=1\nSTATUS=Ready to accept connections"
    );
    notifier.status("Loading");
    assert_eq!(receive(&manager), "STATUS=Loading");
    notifier.watchdog();
    assert_eq!(receive(&manager), "WATCHDOG=1");
    notifier.extend_timeout(Duration::from_secs(3));
    assert_eq!(receive(&manager), "EXTEND_TIMEOUT_USEC=3000000");
    notifier.reloading();
    assert!(receive(&manager).starts_with("RELOADING=1\nMONOTONIC_USEC="));
    notifier.stopping("Saving");
    assert_eq!(receive(&manager), "STOPPING=1\nSTATUS=Saving");
}

#[test]
#[cfg(target_os = "linux")]
fn an_abstract_name_is_reached_too() {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("flashkv-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a short name");
    let manager = UnixDatagram::bind_addr(&address).expect("bind");
    notifier_to(OsStr::new(&format!("@{name}")), None).ready("up");
    assert_eq!(receive(&manager), "READY=1\nSTATUS=up");
}

#[test]
fn nobody_listening_is_no_trouble() {
    let silent = Notifier::silent();
    assert!(!silent.is_active() && silent.watchdog_interval().is_none());
    silent.ready("up");
    let gone = SocketPath::new("gone");
    notifier_to(gone.0.as_os_str(), None).ready("up");
    assert!(connect(OsStr::new("vsock:2:1234")).is_err());
    assert!(connect(OsStr::new("")).is_err());
    assert!(connect_or_log(OsStr::new(&"/x".repeat(200))).is_none());
}

#[test]
fn a_manager_that_does_not_read_never_blocks_the_server() {
    let path = SocketPath::new("full");
    let _manager = UnixDatagram::bind(&path.0).expect("bind");
    let notifier = notifier_to(path.0.as_os_str(), None);
    // Far more than any socket queue holds; it would hang here if it waited.
    (0..100_000).for_each(|_| notifier.status("busy"));
}

#[test]
fn ready_waits_for_a_manager_that_is_behind() {
    let path = SocketPath::new("behind");
    let manager = UnixDatagram::bind(&path.0).expect("bind");
    let notifier = notifier_to(path.0.as_os_str(), None);
    (0..10_000).for_each(|_| notifier.status("busy"));
    std::thread::scope(|scope| {
        scope.spawn(|| notifier.ready("up"));
        while receive(&manager) != "READY=1\nSTATUS=up" {}
    });
}

#[test]
fn the_watchdog_interval_is_half_and_for_this_process_only() {
    let ours = std::process::id().to_string();
    let interval = |usec: &str, pid: Option<&str>| {
        watchdog_interval(Some(OsStr::new(usec)), pid.map(OsStr::new))
    };
    assert_eq!(interval("30000000", None), Some(Duration::from_secs(15)));
    assert_eq!(
        interval("30000000", Some(&ours)),
        Some(Duration::from_secs(15))
    );
    assert_eq!(interval("30000000", Some("1")), None);
    assert_eq!(interval("0", None), None);
    assert_eq!(interval("soon", None), None);
    assert_eq!(watchdog_interval(None, None), None);
}
