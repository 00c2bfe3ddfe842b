//! The server as a service: systemd's two protocols, signals, the log file, the
//! pidfile, the background, the Unix socket, and the ways a start can fail.
//!
//! Everything runs the real binary on 127.0.0.1 in a directory of the test's
//! own. Nothing sleeps: what takes time is polled for until a deadline.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use support::{TempDir, free_port, poll_until};

const FLASHKV: &str = env!("CARGO_BIN_EXE_flashkv");

/// How long anything may take on a busy machine before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

// ------------------------------------------------------------------- the tools

/// Ask until there is an answer; `what` is for the message of a test in vain.
fn poll<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    poll_until(PATIENCE, ask).unwrap_or_else(|| panic!("waited in vain for {what}"))
}

/// The binary with a free port, in `dir`, with nothing of the environment that
/// a service manager could have left.
fn flashkv(dir: &TempDir, port: u16) -> Command {
    let mut command = Command::new(FLASHKV);
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    command.args(["--dir", dir.text()]);
    for name in [
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "LISTEN_FDS",
        "JOURNAL_STREAM",
    ] {
        command.env_remove(name);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// A process that ends with the test.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Running {
        Running(command.spawn().expect("the program starts"))
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn wait(&mut self) -> ExitStatus {
        poll("the end of the process", || {
            self.0.try_wait().expect("waitpid")
        })
    }

    fn stop(mut self, signal: &str) -> ExitStatus {
        send_signal(self.pid(), signal);
        self.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Run a command that ends by itself, within the deadline.
fn run(command: &mut Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Running::start(command);
    let status = child.wait();
    output_of(&mut child, status)
}

/// What a process that has ended wrote to its pipes.
fn output_of(child: &mut Running, status: ExitStatus) -> Output {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (out, err) = (child.0.stdout.take(), child.0.stderr.take());
    out.expect("piped").read_to_end(&mut stdout).expect("read");
    err.expect("piped").read_to_end(&mut stderr).expect("read");
    Output {
        status,
        stdout,
        stderr,
    }
}

fn send_signal(pid: u32, signal: &str) {
    let kill = format!("kill -{signal} {pid}");
    let status = Command::new("sh").args(["-c", &kill]).status().expect("sh");
    assert!(status.success(), "{kill}");
}

fn ping(mut stream: impl Read + Write) -> Option<()> {
    stream.write_all(b"PING\r\n").ok()?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).ok()?;
    (&answer == b"+PONG\r\n").then_some(())
}

/// PING over TCP: whether a server answers at `port` now.
fn ping_tcp(port: u16) -> Option<()> {
    let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    ping(stream)
}

/// PING over the Unix socket at `path`.
fn ping_unix(path: &Path) -> Option<()> {
    let stream = UnixStream::connect(path).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    ping(stream)
}

fn await_tcp(port: u16) {
    poll("a server on TCP", || ping_tcp(port));
}

/// Whether a program of Debian's systemd package can be used. In CI it must.
fn have(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    assert!(
        found || std::env::var_os("CI").is_none(),
        "{program} is not installed"
    );
    if !found {
        println!("skipped: {program} not installed");
    }
    found
}

fn text_of(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

// ------------------------------------------------------------ systemd's protocols

/// The service manager's end of NOTIFY_SOCKET.
struct Manager(UnixDatagram);

impl Manager {
    fn at(path: &Path) -> Manager {
        let socket = UnixDatagram::bind(path).expect("bind");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Manager(socket)
    }

    /// The next message that contains the assignment `wanted`.
    fn await_message(&self, wanted: &str) -> String {
        poll(wanted, || {
            let mut buffer = [0; 1024];
            let len = self.0.recv(&mut buffer).expect("a notification");
            let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
            text.lines().any(|line| line == wanted).then_some(text)
        })
    }
}

#[test]
fn systemd_hears_of_ready_and_stopping() {
    let (dir, port) = (TempDir::new("notify"), free_port());
    let manager = Manager::at(&dir.join("notify"));
    let mut command = flashkv(&dir, port);
    command
        .env("NOTIFY_SOCKET", dir.join("notify"))
        .args(["--supervised", "systemd"]);
    let server = Running::start(&mut command);
    let ready = manager.await_message("READY=1");
    assert!(ready.contains("\nSTATUS="), "{ready}");
    // READY means that clients may come now, without a second attempt.
    ping_tcp(port).expect("an answer at once");
    send_signal(server.pid(), "TERM");
    manager.await_message("STOPPING=1");
    assert_eq!({ server }.wait().code(), Some(0));
}

#[test]
fn the_watchdog_is_fed_for_as_long_as_the_server_lives() {
    let (dir, port) = (TempDir::new("watchdog"), free_port());
    let manager = Manager::at(&dir.join("notify"));
    let mut command = flashkv(&dir, port);
    command
        .env("NOTIFY_SOCKET", dir.join("notify"))
        .env("WATCHDOG_USEC", "200000");
    let server = Running::start(command.args(["--supervised", "systemd"]));
    let start = Instant::now();
    for _ in 0..3 {
        manager.await_message("WATCHDOG=1");
    }
    assert!(start.elapsed() < PATIENCE);
    assert_eq!(server.stop("INT").code(), Some(0));
}

#[test]
fn sockets_opened_by_systemd_are_served() {
    if !have("systemd-socket-activate") {
        return;
    }
    let (dir, port) = (TempDir::new("activate"), free_port());
    let path = dir.join("activated.sock");
    let mut command = Command::new("systemd-socket-activate");
    command
        .arg("--fdname=tcp:unix")
        .arg(format!("--listen=127.0.0.1:{port}"));
    command.arg(format!("--listen={}", path.display()));
    command.args([FLASHKV, "--dir", dir.text()]);
    // Its own port would be refused; with inherited sockets it is not opened.
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    command.args([
        "--port",
        &taken.local_addr().expect("an address").port().to_string(),
    ]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let server = Running::start(&mut command);
    await_tcp(port);
    poll("the Unix socket", || ping_unix(&path));
    assert_eq!(server.stop("TERM").code(), Some(0));
    assert!(path.exists(), "systemd's to remove");
}

#[test]
fn an_inherited_socket_of_another_kind_is_refused_by_number() {
    if !have("systemd-socket-activate") {
        return;
    }
    let (dir, port) = (TempDir::new("datagram"), free_port());
    let mut command = Command::new("systemd-socket-activate");
    command.args(["--datagram", &format!("--listen=127.0.0.1:{port}"), FLASHKV]);
    command.args(["--port", &free_port().to_string(), "--dir", dir.text()]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut activator = Running::start(&mut command);
    let client = UdpSocket::bind("127.0.0.1:0").expect("bind");
    let status = poll("the end of the server", || {
        // Until the activator listens, nobody receives the datagram.
        let _ = client.send_to(b"wake", ("127.0.0.1", port));
        activator.0.try_wait().expect("waitpid")
    });
    let output = output_of(&mut activator, status);
    assert_eq!(status.code(), Some(1));
    assert!(
        text_of(&output).contains("inherited descriptor 3"),
        "{}",
        text_of(&output)
    );
}

/// The units in `dir`, with the binary under test in place of the installed.
fn copy_units(dir: &TempDir) -> PathBuf {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist");
    let service = fs::read_to_string(dist.join("flashkv.service")).expect("the service");
    let service = service.replace("/usr/local/bin/flashkv", FLASHKV);
    fs::write(dir.join("flashkv.service"), service).expect("write");
    fs::copy(dist.join("flashkv.socket"), dir.join("flashkv.socket")).expect("copy");
    dir.join("flashkv.service")
}

#[test]
fn the_units_are_valid() {
    if !have("systemd-analyze") {
        return;
    }
    let dir = TempDir::new("verify");
    let service = copy_units(&dir);
    for unit in [service, dir.join("flashkv.socket")] {
        let mut command = Command::new("systemd-analyze");
        let output = command
            .arg("verify")
            .arg("--man=no")
            .arg(&unit)
            .output()
            .expect("verify");
        let text = text_of(&output);
        let about_ours: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("flashkv"))
            .collect();
        assert!(output.status.success() && about_ours.is_empty(), "{text}");
    }
}

#[test]
fn the_service_is_hardened() {
    if !have("systemd-analyze") {
        return;
    }
    let dir = TempDir::new("security");
    let service = copy_units(&dir);
    let mut command = Command::new("systemd-analyze");
    // The threshold is in tenths: exposure 1.5 at most.
    command.args(["security", "--no-pager", "--offline=true", "--threshold=15"]);
    let output = command.arg(service).output().expect("security");
    assert!(output.status.success(), "{}", text_of(&output));
}

// --------------------------------------------------------------- files and signals

#[test]
fn the_pidfile_comes_and_goes() {
    let (dir, port) = (TempDir::new("pidfile"), free_port());
    let path = dir.join("flashkv.pid");
    let mut command = flashkv(&dir, port);
    let server = Running::start(command.args(["--pidfile", &dir.text_path("flashkv.pid")]));
    await_tcp(port);
    assert_eq!(
        fs::read_to_string(&path).expect("written"),
        format!("{}\n", server.pid())
    );
    assert_eq!(server.stop("TERM").code(), Some(0));
    assert!(!path.exists());
}

#[test]
fn a_hangup_reopens_the_log_file() {
    let (dir, port) = (TempDir::new("hangup"), free_port());
    let (log, moved) = (dir.join("flashkv.log"), dir.join("flashkv.log.1"));
    let mut command = flashkv(&dir, port);
    let server = Running::start(command.args(["--logfile", &dir.text_path("flashkv.log")]));
    await_tcp(port);
    fs::rename(&log, &moved).expect("rename");
    send_signal(server.pid(), "HUP");
    poll("the new log file", || log.exists().then_some(()));
    await_tcp(port);
    assert_eq!(server.stop("TERM").code(), Some(0));
    let (new, old) = (fs::read_to_string(&log), fs::read_to_string(&moved));
    assert!(!old.expect("the old file").is_empty());
    assert!(
        new.expect("the new file").contains("exit"),
        "its last lines are in the new file"
    );
}

#[test]
fn the_log_tells_port_and_process_at_the_start() {
    for banner in ["no", "yes"] {
        let (dir, port) = (TempDir::new("banner"), free_port());
        let mut command = flashkv(&dir, port);
        command.args([
            "--logfile",
            &dir.text_path("log"),
            "--always-show-logo",
            banner,
        ]);
        let server = Running::start(&mut command);
        await_tcp(port);
        let pid = server.pid();
        assert_eq!(server.stop("TERM").code(), Some(0));
        let log = fs::read_to_string(dir.join("log")).expect("the log");
        let shown =
            log.contains(&format!("Port: {port}\n")) && log.contains(&format!("PID: {pid}\n"));
        let line = log.contains(&format!("Running mode=standalone, port={port}.\n"));
        assert_eq!((shown, line), (banner == "yes", banner == "no"), "{log}");
    }
}

#[test]
fn lines_in_the_journal_carry_a_priority_and_no_time() {
    let (dir, port) = (TempDir::new("journal"), free_port());
    let stderr = fs::File::create(dir.join("journal")).expect("create");
    let metadata = stderr.metadata().expect("fstat");
    let mut command = flashkv(&dir, port);
    command.env(
        "JOURNAL_STREAM",
        format!("{}:{}", metadata.dev(), metadata.ino()),
    );
    let server = Running::start(command.stderr(stderr));
    await_tcp(port);
    assert_eq!(server.stop("TERM").code(), Some(0));
    let text = fs::read_to_string(dir.join("journal")).expect("the journal");
    let marked = |line: &str| {
        let (priority, rest) = line.split_at_checked(3).unwrap_or_default();
        ["<3>", "<4>", "<5>"].contains(&priority) && !rest.starts_with(|c: char| c.is_ascii_digit())
    };
    assert!(!text.is_empty() && text.lines().all(marked), "{text}");
}

#[test]
fn a_reader_of_the_log_that_goes_away_is_not_missed() {
    let (dir, port) = (TempDir::new("pipe"), free_port());
    let mut command = flashkv(&dir, port);
    command.args(["--loglevel", "debug"]).stdout(Stdio::piped());
    let mut server = Running::start(&mut command);
    drop(server.0.stdout.take());
    await_tcp(port);
    send_signal(server.pid(), "HUP");
    await_tcp(port);
    assert_eq!(server.stop("TERM").code(), Some(0));
}

#[test]
fn the_unix_socket_has_the_configured_permissions() {
    let (dir, port) = (TempDir::new("unix"), free_port());
    let path = dir.join("flashkv.sock");
    let mut command = flashkv(&dir, port);
    command.args([
        "--unixsocket",
        &dir.text_path("flashkv.sock"),
        "--unixsocketperm",
        "640",
    ]);
    let server = Running::start(&mut command);
    poll("the Unix socket", || ping_unix(&path));
    let mode = fs::metadata(&path).expect("bound").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(server.stop("INT").code(), Some(0));
    assert!(!path.exists());
}

#[test]
fn a_socket_left_by_a_crash_is_replaced() {
    let (dir, port) = (TempDir::new("crash"), free_port());
    let path = dir.join("flashkv.sock");
    let unix = dir.text_path("flashkv.sock");
    let start = || Running::start(flashkv(&dir, port).args(["--unixsocket", &unix]));
    let first = start();
    poll("the first server", || ping_unix(&path));
    assert_eq!(first.stop("KILL").code(), None);
    assert!(path.exists());
    let _second = start();
    poll("the second server", || ping_unix(&path));
}

// ----------------------------------------------------------------- the background

#[test]
fn the_launcher_returns_when_the_daemon_serves() {
    let (dir, port) = (TempDir::new("daemonize"), free_port());
    let pidfile = dir.join("flashkv.pid");
    let mut command = flashkv(&dir, port);
    command.args([
        "--daemonize",
        "yes",
        "--pidfile",
        &dir.text_path("flashkv.pid"),
    ]);
    let output = run(command.args(["--logfile", &dir.text_path("flashkv.log")]));
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
    ping_tcp(port).expect("an answer at once");
    let pid = fs::read_to_string(&pidfile).expect("written");
    let pid: u32 = pid.trim_end().parse().expect("a number");
    if let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) {
        // After the name in parentheses: state, parent, group, session, terminal.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or("")
            .split_whitespace()
            .collect();
        assert_ne!(fields[3], pid.to_string(), "it leads no session");
        assert_eq!(fields[4], "0", "it has no terminal");
    }
    send_signal(pid, "TERM");
    poll("the removal of the pidfile", || {
        (!pidfile.exists()).then_some(())
    });
    poll("the closing of the port", || {
        TcpStream::connect(("127.0.0.1", port)).err()
    });
}

#[test]
fn the_launcher_fails_when_the_daemon_cannot_start() {
    let dir = TempDir::new("nodaemon");
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = taken.local_addr().expect("an address").port();
    let output = run(flashkv(&dir, port).args(["--daemonize", "yes"]));
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("bind: Address already in use"), "{text}");
}

// -------------------------------------------------------------- starts that fail

#[test]
fn a_port_in_use_is_named() {
    let dir = TempDir::new("inuse");
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = taken.local_addr().expect("an address").port();
    let output = run(&mut flashkv(&dir, port));
    assert_eq!(output.status.code(), Some(1));
    let wanted = format!(
        "Could not create server TCP listening socket 127.0.0.1:{port}: bind: Address already in use"
    );
    let text = text_of(&output);
    assert!(text.contains(&wanted), "{text}");
    assert!(
        text.contains(&format!("Failed listening on port {port}, aborting.")),
        "{text}"
    );
}

#[test]
fn a_bad_option_shows_the_usage() {
    let dir = TempDir::new("usage");
    let output = run(flashkv(&dir, free_port()).args(["--no-such-option", "1"]));
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.contains("no-such-option") && text.contains("Usage"),
        "{text}"
    );
}

#[test]
fn a_unix_socket_never_replaces_a_file() {
    let (dir, port) = (TempDir::new("precious"), free_port());
    let path = dir.join("data");
    fs::write(&path, "precious").expect("write");
    let output = run(flashkv(&dir, port).args(["--unixsocket", &dir.text_path("data")]));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&path).expect("kept"), "precious");
}

// ------------------------------------------------------------------- installation

#[test]
fn an_installation_is_complete_and_keeps_the_configuration() {
    if !have("make") {
        return;
    }
    let dir = TempDir::new("install");
    let install = || {
        let mut make = Command::new("make");
        make.current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["-s", "install", "PREFIX=/opt/f"]);
        make.arg(format!("DESTDIR={}", dir.display()))
            .arg(format!("BINARY={FLASHKV}"));
        let output = make.output().expect("make");
        assert!(output.status.success(), "{}", text_of(&output));
    };
    install();
    let unit = dir.join("opt/f/lib/systemd/system/flashkv.service");
    let unit = fs::read_to_string(unit).expect("the service");
    assert!(
        unit.contains("ExecStart=/opt/f/bin/flashkv /etc/flashkv/flashkv.conf"),
        "{unit}"
    );
    assert!(dir.join("opt/f/lib/systemd/system/flashkv.socket").exists());
    let mode = fs::metadata(dir.join("opt/f/bin/flashkv"))
        .expect("installed")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o755);
    let conf = dir.join("etc/flashkv/flashkv.conf");
    fs::write(&conf, "port 7777\n").expect("an administrator's change");
    install();
    assert_eq!(fs::read_to_string(&conf).expect("kept"), "port 7777\n");
}
