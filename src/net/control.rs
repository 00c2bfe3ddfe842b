//! What other threads ask of the reactor: to wake up, to end, to listen elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::listen::{ListenSpec, Listeners};
use crate::base::sys;

use crate::config::lists::{BindAddress, bind_view};
use crate::config::{Config, Id};
use crate::control::Control;
use crate::exec::{Wake, WakeFlag};
use crate::logging;

/// Descriptors that are not connections: listeners, files, the poller.
pub const RESERVED_FDS: u64 = 32;

/// How far the end of the server has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shutdown {
    No,
    /// Finish what runs and send what is replied, then end.
    Drain,
    Now,
}

/// The mailbox of the reactor.
pub struct ControlHandle {
    flag: Arc<WakeFlag>,
    waker: Arc<dyn Wake>,
    shutdown: AtomicU8,
    listeners: Mutex<Listeners>,
    exchanged: AtomicBool,
    /// Where readers of metrics are accepted from; empty without `metrics-port`.
    web: Mutex<Listeners>,
    web_exchanged: AtomicBool,
    config: Arc<Config>,
}

impl ControlHandle {
    /// A mailbox over the listening sockets, those of clients and those of readers of
    /// metrics, whose reactor is woken through `flag` and `waker`.
    pub fn new(
        config: Arc<Config>,
        listeners: Listeners,
        web: Listeners,
        flag: Arc<WakeFlag>,
        waker: Arc<dyn Wake>,
    ) -> ControlHandle {
        ControlHandle {
            flag,
            waker,
            shutdown: AtomicU8::new(0),
            listeners: Mutex::new(listeners),
            exchanged: AtomicBool::new(true),
            web: Mutex::new(web),
            web_exchanged: AtomicBool::new(true),
            config,
        }
    }

    /// Whether, and how, the server shall end.
    pub fn shutdown(&self) -> Shutdown {
        match self.shutdown.load(Ordering::Acquire) {
            0 => Shutdown::No,
            1 => Shutdown::Drain,
            _ => Shutdown::Now,
        }
    }

    /// The listening sockets. Held for a moment only: by the reactor to accept, and
    /// by whoever exchanges them.
    pub fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.listeners.lock()
    }

    /// Whether the listening sockets have been exchanged since the last call, so
    /// that the poller does not know them yet.
    pub fn take_exchanged(&self) -> bool {
        self.exchanged.swap(false, Ordering::AcqRel)
    }

    /// The listening sockets of the web server, as above.
    pub fn web_listeners(&self) -> MutexGuard<'_, Listeners> {
        self.web.lock()
    }

    /// As [`ControlHandle::take_exchanged`], of the web server.
    pub fn take_web_exchanged(&self) -> bool {
        self.web_exchanged.swap(false, Ordering::AcqRel)
    }

    /// Exchanges the listening sockets of the web server, as below.
    fn listen_web_again(&self) -> Result<(), String> {
        let mut listeners = self.web.lock();
        drop(std::mem::take(&mut *listeners));
        *listeners = open_web_listeners(&self.config).map_err(|error| {
            log::warn!("{error}");
            "Unable to listen on this port".to_owned()
        })?;
        self.web_exchanged.store(true, Ordering::Release);
        drop(listeners);
        self.wake();
        Ok(())
    }

    /// Closes the listening sockets and opens those that are configured now. The
    /// old ones go first, since new ones may want the same addresses; when that
    /// fails, the caller restores the old configuration and calls again.
    fn listen_again(&self) -> Result<(), String> {
        let mut listeners = self.listeners.lock();
        drop(std::mem::take(&mut *listeners));
        *listeners = open_listeners(&self.config).map_err(|error| {
            log::warn!("{error}");
            "Unable to listen on this port".to_owned()
        })?;
        self.exchanged.store(true, Ordering::Release);
        drop(listeners);
        self.wake();
        Ok(())
    }
}

impl Control for ControlHandle {
    fn wake(&self) {
        if self.flag.announce() {
            self.waker.wake();
        }
    }

    fn shut_down(&self, now: bool) {
        self.shutdown.fetch_max(1 + u8::from(now), Ordering::AcqRel);
        self.wake();
    }

    fn apply(&self, id: Id) -> Result<(), String> {
        match id {
            Id::PORT | Id::BIND => self.listen_again(),
            Id::METRICS_PORT | Id::METRICS_BIND => self.listen_web_again(),
            Id::LOGLEVEL => {
                let level = self.config.choice(Id::LOGLEVEL).parse();
                level
                    .map(logging::set_level)
                    .map_err(|_| "unknown level".to_owned())
            }
            Id::DIR => enter_directory(&self.config),
            Id::MAXCLIENTS => raise_descriptors(&self.config),
            _ => Ok(()),
        }
    }
}

/// Moves the process to the directory that is configured.
///
/// # Errors
/// When it cannot be entered.
pub fn enter_directory(config: &Config) -> Result<(), String> {
    let Some(dir) = config.path(Id::DIR) else {
        return Ok(());
    };
    std::env::set_current_dir(&dir).map_err(|error| sys::error_text(&error))
}

/// Makes room for `maxclients` connections, or says how many there can be.
///
/// # Errors
/// When the system does not allow as many.
pub fn raise_descriptors(config: &Config) -> Result<(), String> {
    let wanted = config.int(Id::MAXCLIENTS) as u64 + RESERVED_FDS;
    match sys::raise_nofile_limit(wanted) {
        Ok(got) if got >= wanted => Ok(()),
        _ => {
            Err("The operating system is not able to handle the specified number of clients".into())
        }
    }
}

/// Opens the sockets that the configuration asks for.
///
/// # Errors
/// When one that must be there cannot be opened.
pub fn open_listeners(config: &Config) -> Result<Listeners, String> {
    let bind = words(&config.bind());
    let path = config.path(Id::UNIXSOCKET);
    let mode = config.int(Id::UNIXSOCKETPERM) as u32;
    open(&ListenSpec {
        bind: &bind,
        port: config.int(Id::PORT) as u16,
        backlog: config.int(Id::TCP_BACKLOG) as u32,
        unix_path: path.as_deref(),
        unix_mode: (mode != 0).then_some(mode),
    })
}

/// Opens the sockets of the web server; none without `metrics-port`.
///
/// # Errors
/// When one that must be there cannot be opened.
pub fn open_web_listeners(config: &Config) -> Result<Listeners, String> {
    let port = config.int(Id::METRICS_PORT) as u16;
    if port == 0 {
        return Ok(Listeners::default());
    }
    let bind = words(&bind_view(&config.text(Id::METRICS_BIND)));
    open(&ListenSpec {
        bind: &bind,
        port,
        backlog: WEB_BACKLOG,
        unix_path: None,
        unix_mode: None,
    })
}

/// Readers of metrics that may wait to be accepted.
const WEB_BACKLOG: u32 = 64;

/// Addresses as a `bind` directive has them.
fn words(addresses: &[BindAddress]) -> Vec<String> {
    let word = |address: &BindAddress| {
        let mark = if address.optional { "-" } else { "" };
        format!("{mark}{}", address.host)
    };
    addresses.iter().map(word).collect()
}

fn open(spec: &ListenSpec<'_>) -> Result<Listeners, String> {
    Listeners::open(spec).map_err(|error| match error.hint() {
        Some(hint) => format!("{error}. {hint}"),
        None => error.to_string(),
    })
}
