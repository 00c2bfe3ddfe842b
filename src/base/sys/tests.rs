//! The wrappers against the real kernel. Tests of this crate run on several
//! threads, so what is sound with one thread only must refuse here.

use super::*;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;

/// Ticks against the clock over 2 ms, as the ratio of the two.
fn measured_over_claimed(rate: f64) -> f64 {
    let (clock, first) = (Instant::now(), ticks());
    while clock.elapsed() < Duration::from_millis(2) {
        std::hint::spin_loop();
    }
    let (last, wall) = (ticks(), clock.elapsed());
    (last - first) as f64 / rate / (wall.as_nanos() as f64 / 1000.0)
}

#[test]
fn ticks_advance_at_the_rate_they_claim() {
    let rate = ticks_per_us();
    // A busy machine may run something else between the two readings of one
    // round; it does not do so in all of them.
    let agrees = (0..20).any(|_| (measured_over_claimed(rate) - 1.0).abs() < 0.02);
    assert!(rate > 0.0 && agrees, "rate {rate}");
}

#[test]
fn prefetch_takes_any_address() {
    prefetch_read(&7u64);
    prefetch_read(std::ptr::null::<u8>());
    prefetch_read(std::ptr::dangling::<u128>());
    prefetch_read(usize::MAX as *const u8);
}

#[test]
fn the_descriptor_limit_is_raised_but_never_lowered() {
    let before = nofile_limit().expect("getrlimit");
    assert!(before.soft <= before.hard);
    assert_eq!(raise_nofile_limit(1).expect("nothing to do"), before.soft);
    let raised = raise_nofile_limit(before.soft + 1).expect("setrlimit");
    assert!(raised >= before.soft);
    assert_eq!(nofile_limit().expect("getrlimit").soft, raised);
}

#[test]
fn consumption_is_plausible() {
    let mut sum = 0u64;
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(20) {
        sum = std::hint::black_box(sum + 1);
    }
    let (process, thread) = (cpu_time(CpuOf::Process), cpu_time(CpuOf::Thread));
    assert!(thread.user + thread.system > Duration::ZERO);
    assert!(process.user + process.system >= thread.user);
    let _ = cpu_time(CpuOf::Children);
    assert!(resident_bytes() > 100_000);
    assert!(peak_resident().is_some_and(|bytes| bytes > 100_000));
    assert!(total_memory_bytes() > resident_bytes());
    assert!(num_cpus() >= 1);
}

#[test]
fn uname_names_system_release_and_machine() {
    let text = uname_text();
    assert_eq!(text.split(' ').count(), 3, "{text}");
    if cfg!(target_os = "linux") {
        assert!(text.starts_with("Linux "), "{text}");
    }
}

#[test]
fn local_time_is_civil() {
    let time = local_time(1_795_383_090);
    assert_eq!((time.year, time.month), (2026, 11));
    assert!((22..=23).contains(&time.day) && time.hour < 24 && time.minute < 60);
}

#[test]
fn the_monotonic_clock_advances() {
    let first = monotonic_usec();
    assert!(first > 0 && monotonic_usec() >= first);
}

#[test]
#[cfg(target_os = "linux")]
fn fork_and_removal_from_the_environment_refuse_among_threads() {
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || wait.recv());
    assert_eq!(
        fork().expect_err("two threads").kind(),
        io::ErrorKind::Unsupported
    );
    assert!(take_env("PATH").is_some());
    assert!(std::env::var_os("PATH").is_some(), "left alone");
    drop(release);
    let _ = other.join();
}

#[test]
fn a_descriptor_is_marked_close_on_exec_and_a_closed_one_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    set_cloexec(listener.as_raw_fd()).expect("open");
    assert_eq!(
        set_cloexec(-1).expect_err("no descriptor").raw_os_error(),
        Some(libc::EBADF)
    );
}

#[test]
fn the_journal_is_known_by_device_and_inode() {
    let file = std::fs::File::open("/dev/null").expect("/dev/null");
    let metadata = file.metadata().expect("fstat");
    let here = format!("{}:{}", metadata.dev(), metadata.ino());
    let elsewhere = format!("{}:{}", metadata.dev(), metadata.ino() + 1);
    assert!(journal_stream_matches(&here, file.as_fd()));
    assert!(!journal_stream_matches(&elsewhere, file.as_fd()));
    for nonsense in ["", ":", "1", "x:y", "-1:2"] {
        assert!(
            !journal_stream_matches(nonsense, file.as_fd()),
            "{nonsense}"
        );
    }
}

#[test]
fn errors_read_as_strerror_writes_them() {
    let in_use = io::Error::from_raw_os_error(libc::EADDRINUSE);
    assert_eq!(error_text(&in_use), "Address already in use");
    assert_eq!(
        error_text(&io::Error::other("own (os error words)")),
        "own (os error words)"
    );
    assert!(is_out_of_descriptors(&io::Error::from_raw_os_error(
        libc::EMFILE
    )));
    assert!(!is_out_of_descriptors(&in_use));
    assert!(is_protocol_missing(&io::Error::from_raw_os_error(
        libc::EAFNOSUPPORT
    )));
    assert!(!is_protocol_missing(&in_use));
}

#[test]
fn umask_returns_what_it_replaced() {
    let before = set_umask(0o027);
    let ours = set_umask(before);
    assert_eq!(ours, 0o027);
}
