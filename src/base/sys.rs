//! The operating system and the processor, behind small typed wrappers.
//!
//! Every libc call of the project is made here, so that the obligations of
//! calling C are met and argued in one place, and so that whatever only Linux
//! or only x86-64 offers has its portable path in the line beside it. What std
//! does already is not wrapped again: clocks (`Instant`, `SystemTime`),
//! `std::io::IsTerminal`, `std::os::unix::process::parent_id`,
//! `std::io::pipe`.
//!
//! Two functions are sound only while the process has a single thread: `fork`
//! and the removal of environment variables. They do not take the caller's
//! word where it can be checked: on Linux the kernel is asked how many threads
//! there are, and they refuse when there is more than one. On other systems the
//! rule is the caller's to keep: boot calls them first of all.
#![allow(unsafe_code)]

use bytes::BytesMut;
use std::ffi::{CStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

// ---------------------------------------------------------------- processor

/// Has the scheduler run the calling thread soon after it wakes, for a short time
/// each, instead of seldom and long: it then interrupts threads that compute. A
/// wish, heard by Linux since 6.12.
///
/// # Errors
/// When the system does not take it; nothing is changed then.
#[cfg(target_os = "linux")]
pub fn prefer_short_slices(slice: Duration) -> io::Result<()> {
    const SIZE: u32 = size_of::<libc::sched_attr>() as u32;
    // SAFETY: all zeroes is a value of this plain struct of integers.
    let mut attr: libc::sched_attr = unsafe { std::mem::zeroed() };
    attr.size = SIZE;
    // SAFETY: the kernel writes at most SIZE bytes into `attr`.
    let got = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, SIZE, 0) };
    if got != 0 {
        return Err(io::Error::last_os_error());
    }
    attr.sched_runtime = slice.as_nanos() as u64;
    // SAFETY: the kernel reads `attr.size` bytes, which is what it has written.
    match unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(not(target_os = "linux"))]
pub fn prefer_short_slices(_slice: Duration) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Has the scheduler prefer other threads to this one, by so many steps of niceness
/// from where the process began, or this one to others if it is below zero.
///
/// # Errors
/// When it is more than this user may have (`RLIMIT_NICE`); nothing is changed then.
#[cfg(target_os = "linux")]
pub fn be_nice(steps: i32) -> io::Result<()> {
    // SAFETY: plain system calls. On Linux they concern the calling thread alone.
    static BEGAN: LazyLock<i32> =
        LazyLock::new(|| unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) });
    // SAFETY: as above.
    match unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, *BEGAN + steps) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Elsewhere there is no such call for a single thread.
#[cfg(not(target_os = "linux"))]
pub fn be_nice(_steps: i32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// How long the tick counter is compared with the clock, once per process. An
/// `Instant` is exact to well under 100 ns, so the rate is known to 50 ppm.
const CALIBRATION: Duration = Duration::from_millis(2);

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
static TICKS_PER_US: LazyLock<f64> = LazyLock::new(calibrate_ticks);

/// A monotonic counter for measuring short intervals, cheaper than a clock
/// (about 8 ns against 20 to 30). Only differences mean anything; divide them
/// by [`ticks_per_us`].
///
/// On x86-64 with an invariant time-stamp counter it is that counter, which
/// runs at one rate on all cores; elsewhere nanoseconds since the first call.
#[inline]
pub fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    if *INVARIANT_TSC {
        // SAFETY: rdtsc reads a register and touches no memory; every x86-64
        // processor has it.
        return unsafe { core::arch::x86_64::_rdtsc() };
    }
    // 2^64 ns are 584 years: the cast cannot lose anything.
    START.elapsed().as_nanos() as u64
}

/// Ticks of [`ticks`] in one microsecond. The first call takes about 2 ms to
/// measure it; boot makes that call, so that no request does.
pub fn ticks_per_us() -> f64 {
    *TICKS_PER_US
}

fn calibrate_ticks() -> f64 {
    let (clock, first) = (Instant::now(), ticks());
    while clock.elapsed() < CALIBRATION {
        std::hint::spin_loop();
    }
    let (elapsed, last) = (clock.elapsed(), ticks());
    last.wrapping_sub(first) as f64 / (elapsed.as_nanos() as f64 / 1000.0)
}

#[cfg(target_arch = "x86_64")]
static INVARIANT_TSC: LazyLock<bool> = LazyLock::new(|| {
    use core::arch::x86_64::__cpuid;
    const MAX_EXTENDED_LEAF: u32 = 0x8000_0000;
    const POWER_LEAF: u32 = 0x8000_0007;
    const INVARIANT_BIT: u32 = 1 << 8;
    __cpuid(MAX_EXTENDED_LEAF).eax >= POWER_LEAF && __cpuid(POWER_LEAF).edx & INVARIANT_BIT != 0
});

/// Ask the processor to bring the cache line of `ptr` near. A hint: any
/// address is allowed, null and dangling ones too, and nothing is read.
#[inline(always)]
pub fn prefetch_read<T>(ptr: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: prefetch never faults, whatever the address, and SSE is part
        // of the x86-64 baseline.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(ptr.cast()) };
    }
    #[cfg(target_arch = "aarch64")]
    {
        // SAFETY: prfm is a hint that never faults, whatever the address; it
        // writes no register and no flag.
        unsafe {
            core::arch::asm!("prfm pldl1keep, [{0}]", in(reg) ptr,
                options(nostack, preserves_flags, readonly));
        }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = ptr;
}

/// How many threads this process can run at once: the machine's processors,
/// less what the scheduler affinity and the cgroup's CPU quota (`cpu.max`)
/// withhold. At least 1.
pub fn num_cpus() -> usize {
    // std asks sched_getaffinity and the cgroup (both versions) on Linux.
    std::thread::available_parallelism().map_or(1, usize::from)
}

// -------------------------------------------------------------------- limits

/// The limit of open file descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NofileLimit {
    /// What is enforced now.
    pub soft: u64,
    /// How far this process may raise `soft` without privilege.
    pub hard: u64,
}

/// The limit of open file descriptors of this process.
pub fn nofile_limit() -> io::Result<NofileLimit> {
    let mut raw = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `raw` is a live rlimit for the kernel to fill.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut raw) })?;
    Ok(NofileLimit {
        soft: wide(raw.rlim_cur),
        hard: wide(raw.rlim_max),
    })
}

/// Raise the soft limit of open descriptors to `wanted`, or as near to it as
/// the system allows, and return the soft limit then in force. Never lowers it.
pub fn raise_nofile_limit(wanted: u64) -> io::Result<u64> {
    let now = nofile_limit()?;
    if now.soft >= wanted {
        return Ok(now.soft);
    }
    let privileged = NofileLimit {
        soft: wanted,
        hard: wanted.max(now.hard),
    };
    if set_nofile_limit(privileged).is_ok() {
        return Ok(wanted);
    }
    let soft = wanted.min(nofile_ceiling(now.hard)).max(now.soft);
    set_nofile_limit(NofileLimit {
        soft,
        hard: now.hard,
    })?;
    Ok(soft)
}

/// How far `soft` may go under `hard`: macOS reports an unlimited hard limit
/// and then refuses more than OPEN_MAX.
fn nofile_ceiling(hard: u64) -> u64 {
    const MACOS_OPEN_MAX: u64 = 10_240;
    if cfg!(target_os = "macos") {
        hard.min(MACOS_OPEN_MAX)
    } else {
        hard
    }
}

fn set_nofile_limit(limit: NofileLimit) -> io::Result<()> {
    let raw = libc::rlimit {
        rlim_cur: limit.soft as libc::rlim_t,
        rlim_max: limit.hard as libc::rlim_t,
    };
    // SAFETY: `raw` is a live rlimit that the kernel only reads.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw) })
}

/// `rlim_t` is unsigned on Linux and macOS and signed on FreeBSD.
#[allow(clippy::unnecessary_cast)]
fn wide(limit: libc::rlim_t) -> u64 {
    limit as u64
}

// --------------------------------------------------------------- consumption

/// Whose processor time to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuOf {
    /// All threads of this process.
    Process,
    /// Children that have ended and been waited for.
    Children,
    /// The calling thread; where the system cannot tell (macOS), the process.
    Thread,
}

/// Processor time spent, in user mode and in the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// Time in user mode.
    pub user: Duration,
    /// Time in the kernel.
    pub system: Duration,
}

/// Processor time spent so far; zero where the system does not say.
pub fn cpu_time(of: CpuOf) -> CpuTime {
    let who = match of {
        CpuOf::Process => libc::RUSAGE_SELF,
        CpuOf::Children => libc::RUSAGE_CHILDREN,
        #[cfg(any(target_os = "linux", target_os = "freebsd"))]
        CpuOf::Thread => libc::RUSAGE_THREAD,
        #[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
        CpuOf::Thread => libc::RUSAGE_SELF,
    };
    usage(who).map_or_else(CpuTime::default, |usage| CpuTime {
        user: duration(usage.ru_utime),
        system: duration(usage.ru_stime),
    })
}

fn usage(who: libc::c_int) -> Option<libc::rusage> {
    // SAFETY: rusage is plain integers, for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a live rusage for the kernel to fill.
    let answer = unsafe { libc::getrusage(who, &mut usage) };
    (answer == 0).then_some(usage)
}

fn duration(time: libc::timeval) -> Duration {
    // The kernel reports neither negative times nor a million microseconds.
    Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000)
}

/// Memory of this process that is resident now, in bytes. On systems without
/// /proc/self/statm the largest it has been. 0 when neither can be had.
pub fn resident_bytes() -> u64 {
    resident_from_proc().or_else(peak_resident).unwrap_or(0)
}

fn resident_from_proc() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * sysconf(libc::_SC_PAGESIZE)?)
}

fn peak_resident() -> Option<u64> {
    // ru_maxrss is in bytes on macOS and in KiB elsewhere.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    usage(libc::RUSAGE_SELF).map(|usage| usage.ru_maxrss as u64 * unit)
}

/// Physical memory of the machine in bytes, 0 when unknown. It is not what a
/// cgroup grants: Redis reports the machine's as `total_system_memory`.
pub fn total_memory_bytes() -> u64 {
    let pages = sysconf(libc::_SC_PHYS_PAGES);
    pages
        .zip(sysconf(libc::_SC_PAGESIZE))
        .map_or(0, |(pages, size)| pages * size)
}

fn sysconf(name: libc::c_int) -> Option<u64> {
    // SAFETY: sysconf takes any number and answers -1 for those it does not know.
    u64::try_from(unsafe { libc::sysconf(name) }).ok()
}

// ------------------------------------------------------------------ identity

/// System, release and machine, as in `Linux 6.1.0 x86_64` (INFO's `os`).
pub fn uname_text() -> String {
    // SAFETY: utsname is arrays of bytes, for which all zeroes is a value.
    let mut name: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: `name` is a live utsname for the kernel to fill.
    if unsafe { libc::uname(&mut name) } < 0 {
        return std::env::consts::OS.to_owned();
    }
    let fields = [&name.sysname[..], &name.release[..], &name.machine[..]];
    fields.map(c_text).join(" ")
}

/// The text before the NUL in a field that the kernel has filled.
fn c_text(field: &[libc::c_char]) -> String {
    // c_char is i8 or u8 by platform; the bytes are the same.
    let bytes: Vec<u8> = field.iter().map(|&c| c as u8).collect();
    let text = CStr::from_bytes_until_nul(&bytes).unwrap_or_default();
    text.to_string_lossy().into_owned()
}

/// Set the file mode creation mask; returns the one before.
pub fn set_umask(mask: u32) -> u32 {
    // SAFETY: umask takes any value and cannot fail.
    let old = unsafe { libc::umask((mask & 0o777) as libc::mode_t) };
    #[allow(clippy::unnecessary_cast)] // mode_t is 16 bits wide on macOS
    let old = old as u32;
    old
}

// --------------------------------------------------------------------- clocks

/// Local civil time, as a log line prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CivilTime {
    /// The year, as in 2026.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60: leap seconds exist.
    pub second: u8,
}

/// `unix_secs` (seconds since 1970) in the process's time zone. Thread-safe.
pub fn local_time(unix_secs: i64) -> CivilTime {
    let secs = unix_secs as libc::time_t;
    // SAFETY: tm is integers and a pointer that libc sets; all zeroes is a value.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values. localtime_r reads the
    // environment, which this process changes only while it has one thread
    // (`take_env`). On failure it leaves `tm` zeroed, which is a date too.
    unsafe { libc::localtime_r(&secs, &mut tm) };
    CivilTime {
        year: tm.tm_year + 1900,
        month: tm.tm_mon as u8 + 1,
        day: tm.tm_mday as u8,
        hour: tm.tm_hour as u8,
        minute: tm.tm_min as u8,
        second: tm.tm_sec as u8,
    }
}

/// CLOCK_MONOTONIC in microseconds: the number systemd wants with `RELOADING=1`.
/// `Instant` is this clock but does not give out its value.
pub fn monotonic_usec() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a live timespec for the kernel to fill.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1000
}

// ------------------------------------------------- process, before any thread

/// Which side of a fork this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// The caller goes on; the child's process id.
    Parent(i32),
    /// The new process.
    Child,
}

/// Fork. Only for becoming a daemon, before any thread exists; with a second
/// thread alive it fails (Linux) with `ErrorKind::Unsupported`.
pub fn fork() -> io::Result<Fork> {
    if !is_single_threaded() {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "fork after threads were started",
        ));
    }
    // SAFETY: with one thread, no lock can be held by a thread that the child
    // lacks, so the child may go on running any code.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(pid)),
    }
}

/// Wait for the child `pid` to end, so that it leaves no zombie behind.
pub fn wait_child(pid: i32) -> io::Result<()> {
    // SAFETY: a null status pointer means that the status is not wanted.
    check(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }.min(0))
}

/// Become the leader of a new session, without a terminal.
pub fn new_session() -> io::Result<()> {
    // SAFETY: setsid takes nothing and touches no memory.
    check(unsafe { libc::setsid() }.min(0))
}

/// Stop this process until somebody continues it: how upstart is told that the
/// service is ready (`expect stop`).
pub fn stop_self() -> io::Result<()> {
    // SAFETY: raise takes any signal number; SIGSTOP runs no handler.
    check(unsafe { libc::raise(libc::SIGSTOP) })
}

/// Read an environment variable and, while the process has one thread, remove
/// it, so that a child process does not take it for its own.
pub fn take_env(name: &str) -> Option<OsString> {
    let value = std::env::var_os(name)?;
    if is_single_threaded() {
        // SAFETY: no other thread exists that could be reading the environment.
        unsafe { std::env::remove_var(name) };
    }
    Some(value)
}

/// Whether this thread is the only one. Where the system cannot be asked, the
/// callers' rule holds (see the top of the file).
fn is_single_threaded() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1)
}

// ------------------------------------------------------------ file descriptors

/// Descriptors that a service manager passes start here (sd_listen_fds(3)).
pub const FIRST_INHERITED_FD: RawFd = 3;

static INHERITED_TAKEN: AtomicBool = AtomicBool::new(false);

/// Take ownership of the `count` descriptors that the service manager opened
/// for this process, and mark them close-on-exec. Works once per process.
///
/// The caller has seen by LISTEN_PID and LISTEN_FDS that they are meant for
/// this process. Errors: a descriptor is not open, or a second call.
pub fn adopt_inherited_fds(count: usize) -> io::Result<Vec<OwnedFd>> {
    if INHERITED_TAKEN.swap(true, Ordering::SeqCst) {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "inherited descriptors were taken before",
        ));
    }
    (FIRST_INHERITED_FD..).take(count).map(adopt_fd).collect()
}

fn adopt_fd(fd: RawFd) -> io::Result<OwnedFd> {
    set_cloexec(fd)?;
    // SAFETY: the descriptor is open, as fcntl has just found. It has no other
    // owner: it was open before this process ran any code, is not one of the
    // three that std uses, and `INHERITED_TAKEN` lets nobody adopt it twice.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn set_cloexec(fd: RawFd) -> io::Result<()> {
    // SAFETY: fcntl checks the descriptor itself; F_GETFD takes no argument.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    check(flags.min(0))?;
    // SAFETY: as above; F_SETFD takes an int and touches no memory.
    check(unsafe { libc::fcntl(fd, libc::F_SETFD, flags | libc::FD_CLOEXEC) })
}

/// Point stdin, stdout and stderr at `target` (a daemon's /dev/null).
pub fn redirect_stdio(target: BorrowedFd<'_>) -> io::Result<()> {
    for stdio in 0..3 {
        // SAFETY: dup2 checks both numbers. It replaces only 0 to 2, which
        // std's handles use by number and never own.
        check(unsafe { libc::dup2(target.as_raw_fd(), stdio) }.min(0))?;
    }
    Ok(())
}

/// Whether stderr is the socket that systemd connected to the journal, and not
/// something a shell put in its place: JOURNAL_STREAM holds its `device:inode`.
pub fn stderr_is_journal() -> bool {
    let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    journal_stream_matches(&stream, io::stderr().as_fd())
}

fn journal_stream_matches(stream: &str, fd: BorrowedFd<'_>) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Some((device, inode)) = stream.split_once(':') else {
        return false;
    };
    let Ok(copy) = fd.try_clone_to_owned() else {
        return false;
    };
    let metadata = std::fs::File::from(copy).metadata();
    metadata.is_ok_and(|m| device.parse() == Ok(m.dev()) && inode.parse() == Ok(m.ino()))
}

// -------------------------------------------------------------------- errors

/// The system's words for an error, without std's ` (os error 98)`: what
/// strerror gives and Redis prints.
pub fn error_text(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) if error.raw_os_error().is_some() => text[..end].to_owned(),
        _ => text,
    }
}

/// Whether `error` says that this process (EMFILE) or the machine (ENFILE) is
/// out of file descriptors, or the kernel out of socket memory: not the fault
/// of the one socket, and gone once something is closed.
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)
    )
}

/// Whether `error` says that the machine lacks a protocol altogether, such as
/// a kernel without IPv6.
pub fn is_protocol_missing(error: &io::Error) -> bool {
    let missing = [
        libc::ENOPROTOOPT,
        libc::EPROTONOSUPPORT,
        libc::ESOCKTNOSUPPORT,
        libc::EPFNOSUPPORT,
        libc::EAFNOSUPPORT,
    ];
    error
        .raw_os_error()
        .is_some_and(|code| missing.contains(&code))
}

/// libc's convention: 0 is success, -1 is failure with errno set.
fn check(answer: libc::c_int) -> io::Result<()> {
    if answer == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Reads once into the free room of `buffer`, at most `max` bytes, without
/// clearing that room first. `Ok(0)` is the end of the stream.
///
/// # Errors
/// Those of recv(2); `WouldBlock` when there is nothing to read now.
pub fn read_spare(source: BorrowedFd<'_>, buffer: &mut BytesMut, max: usize) -> io::Result<usize> {
    let spare = buffer.spare_capacity_mut();
    let room = spare.len().min(max);
    // SAFETY: the pointer and length are those of memory that `buffer` owns.
    let got = unsafe { libc::recv(source.as_raw_fd(), spare.as_mut_ptr().cast(), room, 0) };
    let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the kernel has written `got <= room` bytes behind the present ones.
    unsafe { buffer.set_len(buffer.len() + got) };
    Ok(got)
}

#[cfg(test)]
mod tests;
