//! Starting the server: from the command line to the running reactor.
//!
//! The order matters: descriptors handed over by systemd are claimed before
//! anything is opened, the process goes into the background before it has
//! threads, and it reports readiness only once it listens.
//!
//! Exit codes: 0 after an orderly end, 1 when the server could not start or its
//! reactor failed, 2 for a command line that makes no sense.

use std::io;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, TryRecvError};
use std::time::Instant;

use mio::{Poll, Waker};
use parking_lot::Mutex;

use crate::base::rng::Rng;
use crate::base::{clock, heap, sys};
use crate::command::{MemoryUse, Services};
use crate::config::cli::{self, Invocation, Options};
use crate::config::{Config, Id};
use crate::control::Control;
use crate::daemon::{self, Launcher, Pidfile, Supervised, Supervisor};
use crate::exec::hub::Hub;
use crate::exec::listeners::{CacheListener, KeyEventListener};
use crate::exec::policy::Dispatch;
use crate::exec::reaper::Reaper;
use crate::exec::replay::Replay;
use crate::exec::{Executor, Lane, Pool, Wake, WakeFlag};
use crate::logging::{self, Role, Target};
use crate::net::activation;
use crate::net::control::{self, ControlHandle};
use crate::net::listen::{Listener, Listeners};
use crate::net::reactor::{Parts, Reactor, Starting, WAKER_TOKEN};
use crate::persist::aof::base::SnapshotBase;
use crate::persist::aof::check::Fix;
use crate::persist::aof::service::{Aof, Reloader};
use crate::persist::disk::RealDisk;
use crate::persist::{aof, check};
use crate::store::journal::Journal;
use crate::systemd::Notifier;

/// Workers at the most by default.
const WORKERS_MAX: usize = 8;
/// Where the process id goes when a daemon is not told where.
const DAEMON_PIDFILE: &str = "/var/run/flashkv.pid";

/// What runs here, for the log.
const VERSION: &str = concat!("FlashKV version=", env!("CARGO_PKG_VERSION"));

/// The whole life of the process.
pub fn main() -> ExitCode {
    match cli::parse(std::env::args_os().skip(1)) {
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
        Ok(Invocation::Help(text) | Invocation::Version(text)) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Invocation::CheckConfig(options)) => check_config(&options),
        Ok(Invocation::CheckRdb(file)) => report(check::check(&file)),
        Ok(Invocation::CheckAof { path, fix }) => report(check_aof(&path, fix)),
        Ok(Invocation::Run(options)) => match start(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure) => ExitCode::FAILURE,
        },
    }
}

/// The start has failed, and the reason has been told.
struct Failure;

/// Checks a log; asks before it cuts anything off.
fn check_aof(path: &Path, fix: bool) -> Result<String, String> {
    let ask = |question: &str| {
        print!("{question}");
        let _ = io::stdout().flush();
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        read.is_ok() && answer.starts_with(['y', 'Y'])
    };
    let fix = if fix { Fix::Ask(&ask) } else { Fix::No };
    let mut tell = |line: &str| println!("{line}");
    aof::check::check(&RealDisk, path, fix, &check::length, &mut tell)
}

fn check_config(options: &Options) -> ExitCode {
    report(options.check(&mut io::stdin()))
}

/// Prints the outcome of a check.
fn report(outcome: Result<String, impl std::fmt::Display>) -> ExitCode {
    match outcome {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn start(options: &Options) -> Result<(), Failure> {
    let loaded = options.load(&mut io::stdin()).map_err(|error| {
        eprintln!("{error}");
        Failure
    })?;
    let config = Arc::new(loaded.config);
    let inherited = activation::listen_fds().map_err(tell_early)?;
    enter_directory(&config)?;
    let unknown = |()| tell_early("loglevel or supervised has an unknown value");
    let level = config.choice(Id::LOGLEVEL).parse().map_err(unknown)?;
    let target = Target::from_config(&config.string(Id::LOGFILE));
    logging::init(level, &target).map_err(tell_early)?;
    let supervised: Supervised = config.choice(Id::SUPERVISED).parse().map_err(unknown)?;
    let supervisor = supervised.detect();
    let notifier = Notifier::from_env();
    let daemonize = config.flag(Id::DAEMONIZE) && supervisor.allows_daemonize();
    let launcher = if daemonize {
        daemon::daemonize().map_err(tell)?
    } else {
        Launcher::none()
    };
    // No fork comes after this, and no other thread is there yet.
    heap::return_in_background();
    loaded
        .warnings
        .iter()
        .for_each(|warning| log::warn!("{warning}"));
    let herald = Arc::new(Herald {
        supervisor,
        launcher: Mutex::new(Some(launcher)),
    });
    let surroundings = Surroundings {
        sockets: inherited.into_iter().map(|one| one.socket).collect(),
        notifier,
        supervisor,
        daemonized: daemonize,
        herald: Arc::clone(&herald),
        restore_to: options.restore_to,
    };
    match assemble(&config, surroundings) {
        Ok((reactor, pidfile, aof)) => {
            let result = reactor.run();
            aof.close();
            drop(pidfile);
            result.map_err(tell)
        }
        Err(message) => {
            log::error!("{message}");
            herald.failed(&message);
            Err(Failure)
        }
    }
}

/// Tells a failure before there is a log.
fn tell_early(error: impl std::fmt::Display) -> Failure {
    eprintln!("{error}");
    Failure
}

fn tell(error: impl std::fmt::Display) -> Failure {
    log::error!("{error}");
    Failure
}

fn enter_directory(config: &Config) -> Result<(), Failure> {
    control::enter_directory(config).map_err(|error| {
        let dir = config.path(Id::DIR).unwrap_or_default();
        tell_early(format!("Can't chdir to '{}': {error}", dir.display()))
    })
}

struct PollWaker(Waker);

impl Wake for PollWaker {
    fn wake(&self) {
        if let Err(error) = self.0.wake() {
            log::error!("The reactor cannot be woken: {error}");
        }
    }
}

/// Tells those who have started the process how that went.
struct Herald {
    supervisor: Supervisor,
    launcher: Mutex<Option<Launcher>>,
}

impl Herald {
    fn ready(&self) {
        self.supervisor.ready();
        self.launcher
            .lock()
            .take()
            .into_iter()
            .for_each(Launcher::ready);
    }

    fn failed(&self, message: &str) {
        let launcher = self.launcher.lock().take();
        launcher
            .into_iter()
            .for_each(|launcher| launcher.failed(1, message));
    }
}

/// What loads the data.
type Load = Box<dyn FnOnce() -> Result<(), String> + Send>;

/// The data is being loaded by a thread of its own.
struct Loading {
    outcome: mpsc::Receiver<Result<(), String>>,
    services: Arc<Services>,
    herald: Arc<Herald>,
    ready_text: String,
}

impl Loading {
    /// Starts the thread.
    fn begin(
        services: &Arc<Services>,
        herald: Arc<Herald>,
        ready_text: String,
        load: Load,
    ) -> io::Result<Loading> {
        let (sender, outcome) = mpsc::channel();
        services.persist.set_loading(true);
        let loader = Arc::clone(services);
        let work = move || {
            let result = load();
            // The reactor that would listen may have ended.
            let _ = sender.send(result);
            loader.control.wake();
        };
        std::thread::Builder::new()
            .name("loader".into())
            .spawn(work)?;
        Ok(Loading {
            outcome,
            services: Arc::clone(services),
            herald,
            ready_text,
        })
    }
}

impl Starting for Loading {
    fn poll(&mut self) -> Option<Result<String, String>> {
        let outcome = match self.outcome.try_recv() {
            Ok(outcome) => outcome,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err("the loader has panicked".to_owned()),
        };
        Some(match outcome {
            Ok(()) => {
                self.services.persist.set_loading(false);
                self.herald.ready();
                Ok(self.ready_text.clone())
            }
            Err(reason) => {
                let text =
                    format!("Fatal error loading the DB, check server logs. Exiting. {reason}");
                self.herald.failed(&text);
                Err(text)
            }
        })
    }

    fn status(&self) -> String {
        let progress = self.services.persist.progress();
        let (loaded, total) = (&progress.loaded_bytes, &progress.total_bytes);
        let (loaded, total) = (loaded.load(Relaxed), total.load(Relaxed));
        let percent = loaded * 100 / total.max(1);
        let keys = progress.loaded_keys.load(Relaxed);
        format!("Loading the data: {percent}% of {total} bytes, {keys} keys")
    }
}

/// What the process was started with and by.
struct Surroundings {
    sockets: Vec<Listener>,
    notifier: Notifier,
    supervisor: Supervisor,
    daemonized: bool,
    herald: Arc<Herald>,
    restore_to: Option<i64>,
}

/// Builds all parts and starts the threads. Ready to serve when it returns.
fn assemble(
    config: &Arc<Config>,
    start: Surroundings,
) -> Result<(Reactor, Option<Pidfile>, Arc<Aof>), String> {
    log::warn!("oO0OoO0OoO0Oo FlashKV is starting oO0OoO0OoO0Oo");
    if let Err(reason) = control::raise_descriptors(config) {
        log::warn!("{reason}");
    }
    let (listeners, web) = listen(config, start.sockets)?;
    log_what_runs(config);
    let (poll, waker) = poller()?;
    let flag = Arc::new(WakeFlag::default());
    let addresses = listeners.describe();
    let control = Arc::new(ControlHandle::new(
        Arc::clone(config),
        listeners,
        web,
        Arc::clone(&flag),
        Arc::clone(&waker),
    ));
    let workers = worker_count(config);
    let services = services_of(config, &control, workers, start.supervisor);
    let threads = |error: io::Error| format!("Can't start a thread: {error}");
    let (reaper, _) = Reaper::start().map_err(threads)?;
    let aof = append_only_file(&services, &control)?;
    let journal: Arc<dyn Journal> = Arc::new(listeners_of(&services, &aof));
    let executor = |lane| {
        Executor::new(
            Arc::clone(&services),
            Arc::clone(&journal),
            reaper.clone(),
            Rng::random(),
            lane,
        )
    };
    aof.set_reloader(reloader(&services, &aof, &journal, &reaper));
    let pool =
        Pool::start(workers, Arc::clone(&flag), waker, || executor(Lane::Pool)).map_err(threads)?;
    let pidfile = pidfile(config, start.daemonized)?;
    logging::set_role(Role::Master);
    log::warn!(
        "{VERSION}, pid={}, workers={workers}, dispatch={}",
        std::process::id(),
        config.choice(Id::DISPATCH)
    );
    let ready_text = format!("Ready to accept connections on {addresses}");
    let load = load_of(&services, &aof, executor(Lane::Pool), start.restore_to)?;
    let starting = starting(&services, &aof, &start.herald, &ready_text, load)?;
    let ready = starting.is_none();
    let reactor = Reactor::new(Parts {
        poll,
        services: Arc::clone(&services),
        control,
        executor: executor(Lane::Light),
        pool,
        flag,
        notifier: start.notifier,
        dispatch: Dispatch::from_name(config.choice(Id::DISPATCH)),
        starting,
    })
    .map_err(|error| format!("Can't set up the reactor: {error}"))?;
    heap::note_startup();
    if ready {
        reactor.announce(&ready_text);
        start.herald.ready();
    }
    Ok((reactor, pidfile, aof))
}

/// What commands work with.
fn services_of(
    config: &Arc<Config>,
    control: &Arc<ControlHandle>,
    workers: usize,
    supervisor: Supervisor,
) -> Arc<Services> {
    let control = Arc::clone(control);
    let services = Arc::new(Services {
        supervised: supervisor.name(),
        ..Services::new(Arc::clone(config), control as _, workers, memory_use)
    });
    // Freeing every key takes seconds that nobody needs: the system takes the memory
    // back when the process has ended.
    std::mem::forget(Arc::clone(&services));
    services
}

/// What loads the data: the log, all or up to a time, or else the last snapshot.
fn load_of(
    services: &Arc<Services>,
    aof: &Arc<Aof>,
    executor: Executor,
    restore_to: Option<i64>,
) -> Result<Load, String> {
    let services = Arc::clone(services);
    if services.config.flag(Id::APPENDONLY) {
        let aof = Arc::clone(aof);
        return Ok(Box::new(move || {
            load_log(&services, &aof, executor, restore_to)
        }));
    }
    if restore_to.is_some() {
        return Err("--restore-to needs 'appendonly yes'".to_owned());
    }
    Ok(Box::new(move || services.persist.load_at_start()))
}

/// The append-only file, which is off until the data is there.
fn append_only_file(
    services: &Arc<Services>,
    control: &Arc<ControlHandle>,
) -> Result<Arc<Aof>, String> {
    let base = SnapshotBase::new(
        Arc::clone(&services.config),
        Arc::clone(&services.keyspace),
        Arc::clone(&services.persist),
    );
    let disk = Arc::clone(services.persist.disk());
    let aof = Aof::new(Arc::clone(&services.config), disk, Arc::new(base));
    let aof = Arc::new(aof.map_err(|why| format!("*** FATAL AOF MANIFEST FILE ERROR ***: {why}"))?);
    let control = Arc::clone(control);
    aof.log().listen(Box::new(move || control.wake()));
    if services.aof.set(Arc::clone(&aof)).is_err() {
        return Err("there is a second append-only file".to_owned());
    }
    Ok(aof)
}

fn reloader(
    services: &Arc<Services>,
    aof: &Arc<Aof>,
    journal: &Arc<dyn Journal>,
    reaper: &Reaper,
) -> Reloader {
    let (services, journal) = (Arc::clone(services), Arc::clone(journal));
    let (aof, reaper) = (Arc::downgrade(aof), Mutex::new(reaper.clone()));
    Box::new(move || {
        let aof = aof.upgrade().ok_or("the server ends")?;
        let reaper = reaper.lock().clone();
        let (services, journal) = (Arc::clone(&services), Arc::clone(&journal));
        let executor = Executor::new(
            Arc::clone(&services),
            journal,
            reaper,
            Rng::random(),
            Lane::Pool,
        );
        reload_log(&services, &aof, executor)
    })
}

/// Loads the append-only file, all or up to a time, and opens it for what follows.
fn load_log(
    services: &Services,
    aof: &Aof,
    executor: Executor,
    until: Option<i64>,
) -> Result<(), String> {
    let started = Instant::now();
    let persist = &services.persist;
    let progress = persist.progress();
    progress.total_bytes.store(aof.files_size(), Relaxed);
    let snapshot = |input: Box<dyn io::Read + Send>, size| persist.load_base(input, size);
    let read = |bytes| progress.loaded_bytes.store(bytes, Relaxed);
    let mut replay = Replay::new(executor, &snapshot, &read, clock::now());
    let loaded = aof.load(until, &mut replay)?;
    let base_secs = progress.file_secs.load(Relaxed).cast_signed();
    if until.is_some_and(|until| base_secs > until) {
        return Err(format!(
            "The base of the append only file is of {base_secs}, which is later"
        ));
    }
    if loaded.found {
        let took = started.elapsed().as_secs_f64();
        log::info!("DB loaded from append only file: {took:.3} seconds");
    }
    // Somebody may have switched it off meanwhile.
    if services.config.flag(Id::APPENDONLY) {
        aof.open(loaded.stopped)?;
    }
    Ok(())
}

/// What DEBUG LOADAOF does once the data is gone and nobody else gets at it.
fn reload_log(services: &Services, aof: &Aof, executor: Executor) -> Result<(), String> {
    let snapshot = |input: Box<dyn io::Read + Send>, size| services.persist.load_base(input, size);
    let mut replay = Replay::new(executor, &snapshot, &|_| {}, clock::now());
    aof.load(None, &mut replay).map(drop)
}

/// Who is told of effects, in this order.
fn listeners_of(services: &Arc<Services>, aof: &Arc<Aof>) -> Hub {
    Hub::new(vec![
        Arc::clone(aof) as _,
        Arc::new(CacheListener(Arc::clone(services))),
        Arc::new(KeyEventListener(Arc::clone(services))),
    ])
}

/// What is left to do once the reactor runs: to load the data, if there is any. An empty
/// log is begun at once, so that nobody is told that there is something to wait for.
fn starting(
    services: &Arc<Services>,
    aof: &Aof,
    herald: &Arc<Herald>,
    ready_text: &str,
    load: Load,
) -> Result<Option<Box<dyn Starting>>, String> {
    let size = services.persist.file_size();
    let none = size
        .map_err(|error| format!("Can't look for the data: {error}"))?
        .is_none();
    let is_logged = services.config.flag(Id::APPENDONLY);
    if is_logged && !aof.has_files() {
        return load().map(|()| None);
    }
    if none && !is_logged {
        return Ok(None);
    }
    let loading = Loading::begin(services, Arc::clone(herald), ready_text.to_owned(), load);
    let loading = loading.map_err(|error| format!("Can't start a thread: {error}"))?;
    Ok(Some(Box::new(loading)))
}

fn poller() -> Result<(Poll, Arc<dyn Wake>), String> {
    let poll = Poll::new().map_err(|error| format!("Can't create the poller: {error}"))?;
    let waker = Waker::new(poll.registry(), WAKER_TOKEN)
        .map_err(|error| format!("Can't create the waker: {error}"))?;
    Ok((poll, Arc::new(PollWaker(waker))))
}

/// Opens the sockets of clients, or takes those that were handed over, and those of the
/// web server.
fn listen(config: &Config, inherited: Vec<Listener>) -> Result<(Listeners, Listeners), String> {
    let listeners = if inherited.is_empty() {
        control::open_listeners(config).inspect_err(|_| {
            log::error!(
                "Failed listening on port {}, aborting.",
                config.int(Id::PORT)
            );
        })?
    } else {
        Listeners::adopt(inherited)
    };
    let web = control::open_web_listeners(config)?;
    if !web.is_empty() {
        log::info!("Metrics over HTTP on {}", web.describe());
    }
    Ok((listeners, web))
}

/// What Redis shows beside its logo, or in one line where nobody looks: port and process
/// id, once the port is ours. Scripts wait for it.
fn log_what_runs(config: &Config) {
    let port = config.int(Id::PORT);
    let is_seen = Target::from_config(&config.string(Id::LOGFILE)) == Target::Terminal;
    if !is_seen && !config.flag(Id::ALWAYS_SHOW_LOGO) {
        log::info!("Running mode=standalone, port={port}.");
        return;
    }
    let pid = std::process::id();
    log::info!("   __/|   {VERSION} ({} bit)", usize::BITS);
    log::info!("  /_ /    Running in standalone mode");
    log::info!("   / /    Port: {port}");
    log::info!("  |/`     PID: {pid}");
}

fn worker_count(config: &Config) -> usize {
    match config.size(Id::WORKERS) {
        0 => (sys::num_cpus() - 1).clamp(1, WORKERS_MAX),
        configured => configured,
    }
}

fn memory_use() -> MemoryUse {
    let heap = heap::stats();
    MemoryUse {
        used: heap.in_use(),
        peak: heap::peak(),
        startup: heap::startup(),
        heap,
    }
}

fn pidfile(config: &Config, daemonized: bool) -> Result<Option<Pidfile>, String> {
    let path = match config.path(Id::PIDFILE) {
        Some(path) => path,
        None if daemonized => PathBuf::from(DAEMON_PIDFILE),
        None => return Ok(None),
    };
    match Pidfile::create(&path) {
        Ok(pidfile) => Ok(Some(pidfile)),
        // As in Redis: a server without its pidfile is better than none.
        Err(error) => {
            log::warn!("Can't write the pidfile {}: {error}", path.display());
            Ok(None)
        }
    }
}
