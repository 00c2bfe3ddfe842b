//! Starting the server: from the command line to the running reactor.
//!
//! The order matters: descriptors handed over by systemd are claimed before
//! anything is opened, the process goes into the background before it has
//! threads, and it reports readiness only once it listens.
//!
//! Exit codes: 0 after an orderly end, 1 when the server could not start or its
//! reactor failed, 2 for a command line that makes no sense.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, TryRecvError};

use mio::{Poll, Waker};
use parking_lot::Mutex;

use crate::base::rng::Rng;
use crate::base::{heap, sys};
use crate::command::{MemoryUse, Services};
use crate::config::cli::{self, Invocation, Options};
use crate::config::{Config, Id};
use crate::daemon::{self, Launcher, Pidfile, Supervised, Supervisor};
use crate::exec::hub::Hub;
use crate::exec::listeners::{CacheListener, KeyEventListener};
use crate::exec::policy::Dispatch;
use crate::exec::reaper::Reaper;
use crate::exec::{Executor, Lane, Pool, Wake, WakeFlag};
use crate::logging::{self, Role, Target};
use crate::net::activation;
use crate::net::control::{self, ControlHandle};
use crate::net::listen::{Listener, Listeners};
use crate::net::reactor::{Parts, Reactor, Starting, WAKER_TOKEN};
use crate::persist::check;
use crate::store::journal::Journal;
use crate::systemd::Notifier;

/// Workers at the most by default.
const WORKERS_MAX: usize = 8;
/// Where the process id goes when a daemon is not told where.
const DAEMON_PIDFILE: &str = "/var/run/flashkv.pid";

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
        Ok(Invocation::Run(options)) => match start(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure) => ExitCode::FAILURE,
        },
    }
}

/// The start has failed, and the reason has been told.
struct Failure;

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
    };
    match assemble(&config, surroundings) {
        Ok((reactor, pidfile)) => {
            let result = reactor.run();
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
    ) -> io::Result<Loading> {
        let (sender, outcome) = mpsc::channel();
        services.persist.set_loading(true);
        let loader = Arc::clone(services);
        let work = move || {
            let result = loader.persist.load_at_start();
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
}

/// Builds all parts and starts the threads. Ready to serve when it returns.
fn assemble(
    config: &Arc<Config>,
    start: Surroundings,
) -> Result<(Reactor, Option<Pidfile>), String> {
    log::warn!("oO0OoO0OoO0Oo FlashKV is starting oO0OoO0OoO0Oo");
    if let Err(reason) = control::raise_descriptors(config) {
        log::warn!("{reason}");
    }
    let (listeners, web) = listen(config, start.sockets)?;
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
    let services = services(config, &control, workers, start.supervisor.name());
    let threads = |error: io::Error| format!("Can't start a thread: {error}");
    let (reaper, _) = Reaper::start().map_err(threads)?;
    let journal: Arc<dyn Journal> = Arc::new(listeners_of(&services));
    let executor = |lane| {
        Executor::new(
            Arc::clone(&services),
            Arc::clone(&journal),
            reaper.clone(),
            Rng::random(),
            lane,
        )
    };
    let pool =
        Pool::start(workers, Arc::clone(&flag), waker, || executor(Lane::Pool)).map_err(threads)?;
    let pidfile = pidfile(config, start.daemonized)?;
    logging::set_role(Role::Master);
    log_what_runs(config, workers);
    let ready_text = format!("Ready to accept connections on {addresses}");
    let starting = starting(&services, &start.herald, &ready_text)?;
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
    Ok((reactor, pidfile))
}

/// What all commands share. It is never freed: that would take seconds that nobody needs,
/// and the system takes the memory back when the process has ended.
fn services(
    config: &Arc<Config>,
    control: &Arc<ControlHandle>,
    workers: usize,
    supervised: &'static str,
) -> Arc<Services> {
    let services = Arc::new(Services {
        supervised,
        ..Services::new(
            Arc::clone(config),
            Arc::clone(control) as _,
            workers,
            memory_use,
        )
    });
    std::mem::forget(Arc::clone(&services));
    services
}

/// Who is told of effects, in this order.
fn listeners_of(services: &Arc<Services>) -> Hub {
    Hub::new(vec![
        Arc::new(CacheListener(Arc::clone(services))),
        Arc::new(KeyEventListener(Arc::clone(services))),
    ])
}

/// What is left to do once the reactor runs: to load the data, if there is any.
fn starting(
    services: &Arc<Services>,
    herald: &Arc<Herald>,
    ready_text: &str,
) -> Result<Option<Box<dyn Starting>>, String> {
    let size = services.persist.file_size();
    if size
        .map_err(|error| format!("Can't look for the data: {error}"))?
        .is_none()
    {
        return Ok(None);
    }
    let loading = Loading::begin(services, Arc::clone(herald), ready_text.to_owned());
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
        control::open_listeners(config)?
    } else {
        Listeners::adopt(inherited)
    };
    let web = control::open_web_listeners(config)?;
    if !web.is_empty() {
        log::info!("Metrics over HTTP on {}", web.describe());
    }
    Ok((listeners, web))
}

fn log_what_runs(config: &Config, workers: usize) {
    log::warn!(
        "FlashKV version={}, pid={}, workers={workers}, dispatch={}",
        env!("CARGO_PKG_VERSION"),
        std::process::id(),
        config.choice(Id::DISPATCH)
    );
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
