//! What can be tried inside a process of many threads. The forks themselves
//! are tried with the real binary, in tests/daemon.rs.

use super::*;

fn temp_path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("flashkv-{}-{name}.pid", std::process::id()))
}

fn word_of(speak: impl FnOnce(Launcher)) -> (u8, String) {
    let (mut reader, writer) = io::pipe().expect("pipe");
    speak(Launcher { pipe: Some(writer) });
    let mut letter = Vec::new();
    reader.read_to_end(&mut letter).expect("read");
    read_letter(&letter)
}

#[test]
fn the_launcher_hears_how_the_start_went() {
    assert_eq!(word_of(Launcher::ready), (0, String::new()));
    assert_eq!(
        word_of(|l| l.failed(2, "bad option")),
        (2, "bad option".to_owned())
    );
    assert_eq!(word_of(|l| l.failed(0, "x")).0, 1, "a failure is never 0");
    let (status, message) = word_of(drop);
    assert!(status == 1 && message.contains("ended before"), "{message}");
}

#[test]
fn a_long_message_fits_the_pipe() {
    let (status, message) = word_of(|l| l.failed(1, &"\u{f6}".repeat(100_000)));
    assert_eq!((status, message.len()), (1, MESSAGE_MAX));
    Launcher::none().failed(1, "nobody waits");
}

#[test]
#[cfg(target_os = "linux")]
fn among_threads_it_refuses() {
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || wait.recv());
    assert_eq!(
        daemonize().expect_err("two threads").kind(),
        io::ErrorKind::Unsupported
    );
    drop(release);
    let _ = other.join();
}

#[test]
fn the_pidfile_holds_the_id_and_goes_away() {
    let path = temp_path("own");
    let pidfile = Pidfile::create(&path).expect("create");
    let text = fs::read_to_string(&path).expect("written");
    assert_eq!(text, format!("{}\n", std::process::id()));
    drop(pidfile);
    assert!(!path.exists());
    assert!(Pidfile::create(Path::new("/nonexistent/flashkv.pid")).is_err());
}

#[test]
fn a_pidfile_of_a_successor_stays() {
    let path = temp_path("successor");
    let pidfile = Pidfile::create(&path).expect("create");
    fs::write(&path, "1\n").expect("write");
    drop(pidfile);
    assert!(path.exists());
    fs::remove_file(&path).expect("remove");
}

#[test]
fn the_supervisor_follows_setting_and_environment() {
    let (set, unset) = (Some("x"), None::<&str>);
    assert_eq!(Supervised::No.resolve(set, set), Ok(Supervisor::Nobody));
    assert_eq!(
        Supervised::Systemd.resolve(set, unset),
        Ok(Supervisor::Systemd)
    );
    assert_eq!(
        Supervised::Systemd.resolve(unset, set),
        Err("NOTIFY_SOCKET")
    );
    assert_eq!(Supervised::Upstart.resolve(set, unset), Err("UPSTART_JOB"));
    assert_eq!(
        Supervised::Auto.resolve(set, unset),
        Ok(Supervisor::Systemd)
    );
    assert_eq!(
        Supervised::Auto.resolve(unset, set),
        Ok(Supervisor::Upstart)
    );
    assert_eq!(
        Supervised::Auto.resolve(unset, unset),
        Ok(Supervisor::Nobody)
    );
    assert!(Supervisor::Nobody.allows_daemonize() && !Supervisor::Systemd.allows_daemonize());
}

#[test]
fn settings_are_read_by_their_names() {
    for (name, setting) in Supervised::NAMES {
        assert_eq!(name.to_uppercase().parse(), Ok(setting));
    }
    assert_eq!("maybe".parse::<Supervised>(), Err(()));
}
