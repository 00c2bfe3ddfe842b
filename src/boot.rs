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

use mio::{Poll, Waker};

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
use crate::net::reactor::{Parts, Reactor, WAKER_TOKEN};
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
        Ok(Invocation::CheckConfig(options)) => check(&options),
        Ok(Invocation::Run(options)) => match start(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure) => ExitCode::FAILURE,
        },
    }
}

/// The start has failed, and the reason has been told.
struct Failure;

fn check(options: &Options) -> ExitCode {
    match options.check(&mut io::stdin()) {
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
    let surroundings = Surroundings {
        sockets: inherited.into_iter().map(|one| one.socket).collect(),
        notifier,
        supervisor,
        daemonized: daemonize,
    };
    match assemble(&config, surroundings) {
        Ok((reactor, pidfile)) => {
            supervisor.ready();
            launcher.ready();
            let result = reactor.run();
            drop(pidfile);
            result.map_err(tell)
        }
        Err(message) => {
            log::error!("{message}");
            launcher.failed(1, &message);
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
    let Some(dir) = config.path(Id::DIR) else {
        return Ok(());
    };
    std::env::set_current_dir(&dir)
        .map_err(|error| tell_early(format!("Can't chdir to '{}': {error}", dir.display())))
}

struct PollWaker(Waker);

impl Wake for PollWaker {
    fn wake(&self) {
        if let Err(error) = self.0.wake() {
            log::error!("The reactor cannot be woken: {error}");
        }
    }
}

/// What the process was started with and by.
struct Surroundings {
    sockets: Vec<Listener>,
    notifier: Notifier,
    supervisor: Supervisor,
    daemonized: bool,
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
    let poll = Poll::new().map_err(|error| format!("Can't create the poller: {error}"))?;
    let waker = Waker::new(poll.registry(), WAKER_TOKEN)
        .map_err(|error| format!("Can't create the waker: {error}"))?;
    let waker: Arc<dyn Wake> = Arc::new(PollWaker(waker));
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
    let services = Arc::new(Services {
        supervised: start.supervisor.name(),
        ..Services::new(
            Arc::clone(config),
            Arc::clone(&control) as _,
            workers,
            memory_use,
        )
    });
    // Freeing every key takes seconds that nobody needs: the system takes the memory
    // back when the process has ended.
    std::mem::forget(Arc::clone(&services));
    let threads = |error: io::Error| format!("Can't start a thread: {error}");
    let (reaper, _) = Reaper::start().map_err(threads)?;
    let journal: Arc<dyn Journal> = Arc::new(Hub::new(vec![
        Arc::new(CacheListener(Arc::clone(&services))),
        Arc::new(KeyEventListener(Arc::clone(&services))),
    ]));
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
    let reactor = Reactor::new(Parts {
        poll,
        services: Arc::clone(&services),
        control,
        executor: executor(Lane::Light),
        pool,
        flag,
        notifier: start.notifier,
        dispatch: Dispatch::from_name(config.choice(Id::DISPATCH)),
    })
    .map_err(|error| format!("Can't set up the reactor: {error}"))?;
    heap::note_startup();
    reactor.announce(&format!("Ready to accept connections on {addresses}"));
    Ok((reactor, pidfile))
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
