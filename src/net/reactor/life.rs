//! How the server's life begins and ends at the reactor: loading, and signals.
//!
//! Both take as long as the disk does, so both happen on other threads; the reactor looks
//! at how far they are.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use signal_hook::consts::{SIGHUP, SIGINT};

use super::Reactor;
use crate::config::Id;

impl Reactor {
    /// Looks whether the server has become ready.
    pub(super) fn go_on_starting(&mut self) -> io::Result<()> {
        let Some(starting) = &mut self.starting else {
            return Ok(());
        };
        match starting.poll() {
            None => Ok(()),
            Some(Ok(text)) => {
                self.starting = None;
                self.announce(&text);
                Ok(())
            }
            Some(Err(reason)) => Err(io::Error::other(reason)),
        }
    }

    /// Tells the service manager how far the start is, and asks it for more time.
    pub(super) fn tell_starting(&self) {
        if let Some(starting) = &self.starting {
            let status = starting.status();
            log::info!("{status}");
            self.notifier.status(&status);
            self.notifier
                .extend_timeout(super::cron::STARTING_EVERY * 10);
        }
    }

    pub(super) fn on_signals(&mut self) {
        let signals: Vec<_> = self.signals.pending().collect();
        for signal in signals {
            match signal {
                SIGHUP => match crate::logging::reopen() {
                    Ok(()) => log::info!("Received SIGHUP, the log file has been reopened"),
                    Err(error) => log::warn!("The log file cannot be reopened: {error}"),
                },
                SIGINT if self.drain_until.is_some() || self.ending => {
                    log::warn!("You insist... exiting now.");
                    self.services.control.shut_down(true);
                }
                SIGINT => {
                    log::warn!("Received SIGINT scheduling shutdown...");
                    self.end_for_signal(Id::SHUTDOWN_ON_SIGINT);
                }
                _ => {
                    log::warn!("Received SIGTERM scheduling shutdown...");
                    self.end_for_signal(Id::SHUTDOWN_ON_SIGTERM);
                }
            }
        }
    }

    /// Ends the server as the directive says. The last save is another thread's.
    fn end_for_signal(&mut self, directive: Id) {
        let services = Arc::clone(&self.services);
        let words = services.config.string(directive);
        let given = |word| words.split(' ').any(|one| one == word);
        let (now, force) = (given("now"), given("force"));
        if services.persist.is_loading() {
            log::warn!("Received shutdown signal during loading, exiting now.");
            return services.control.shut_down(true);
        }
        let points = !services.config.save_points().is_empty();
        let save = given("save") || points && !given("nosave");
        if !save && !services.persist.is_saving() {
            return services.control.shut_down(now);
        }
        if self.end_failed.swap(false, Relaxed) {
            self.ending = false;
        }
        if std::mem::replace(&mut self.ending, true) {
            return;
        }
        self.notifier.stopping("Saving the data");
        let flag = Arc::clone(&self.end_failed);
        let work = move || {
            if services.close(save) || force {
                services.control.shut_down(now || save);
            } else {
                log::warn!(
                    "SIGTERM received but errors trying to shut down the server, \
                     check the logs for more information"
                );
                flag.store(true, Relaxed);
            }
        };
        if let Err(error) = std::thread::Builder::new().name("saver".into()).spawn(work) {
            log::warn!("Can't save before the end: {error}");
            self.ending = false;
        }
    }
}
