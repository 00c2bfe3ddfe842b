//! Serving blocked clients: running their commands again when a key they wait for
//! has changed, before the locks of the change are given back.

use std::sync::Arc;

use super::batch::Batch;
use super::blocked::{Blocked, Caller};
use super::run::Executor;
use crate::command::Ctx;
use crate::command::call::{Called, Stopwatch, call};
use crate::store::waiters::Waiter;
use crate::store::{Db, Footprint};

impl Executor {
    /// Extends the locks by what those need who wait in the shards that are held;
    /// the shards that are busy now.
    ///
    /// Where such a lock cannot be had, the shards with waiters count as busy: what
    /// would have to serve them is left to who may wait.
    pub(super) fn lock_for_waiters(db: &mut Db<'_>, footprint: Footprint, busy: u64) -> u64 {
        let (mut wanted, mut busy) = (footprint, busy);
        loop {
            let needs = db.waiters_need();
            // It grows with each round, and has an end.
            if wanted.covers(needs) {
                break;
            }
            db.release();
            wanted.add_all(needs);
            busy = db.acquire(wanted);
        }
        if busy & !footprint.shards() != 0 {
            let waiting = db.shards_with_waiters().map(|shard| 1u64 << shard);
            busy |= waiting.fold(0, |mask, bit| mask | bit);
        }
        busy
    }

    /// Serves those who wait for keys that have changed; the locks of the change are
    /// held, and what is needed for it was locked with them.
    pub(super) fn serve_ready(&mut self, db: &mut Db<'_>, stopwatch: &mut Stopwatch) {
        // Whoever is served waits no more, so there is an end.
        while let Some((index, key)) = db.effects.ready.pop_front() {
            for waiter in db.waiters_of(index, &key) {
                if !db.locks.held().covers(waiter.needs()) {
                    self.late.push((index, key));
                    break;
                }
                self.serve(db, &waiter, stopwatch);
                let served_up = (waiter.wants()).is_some_and(|wanted| {
                    db.index = index;
                    let found = db.peek(db.key(&key)).map(|entry| entry.value_type());
                    found != Some(wanted)
                });
                if served_up {
                    break;
                }
            }
        }
    }

    /// Runs the command of one waiter again.
    fn serve(&mut self, db: &mut Db<'_>, waiter: &Arc<Waiter>, stopwatch: &mut Stopwatch) {
        let Some((caller, argv)) = Caller::of(waiter).and_then(|c| Some((c, c.argv()?))) else {
            return;
        };
        let killed = (caller.client.killed).load(std::sync::atomic::Ordering::Relaxed);
        if killed || !waiter.wait.claim() {
            return;
        }
        let mut session = caller.session(waiter.db);
        let mut reply = caller.fresh_reply();
        let mut hashes = Vec::new();
        let hasher = db.locks.keyspace().hasher();
        caller.command.footprint(argv, hasher, &mut hashes);
        db.index = waiter.db;
        let was_pinned = db.locks.is_pinned();
        db.locks.pin();
        let called = call(
            &mut Ctx {
                db,
                session: &mut session,
                reply: &mut reply,
                services: &self.services,
                metrics: &self.metrics,
                rng: &mut self.rng,
                command: caller.command,
                hashes: &hashes,
                alone: true,
                resumed: true,
                stopwatch,
            },
            argv,
        );
        if !was_pinned {
            db.locks.unpin();
        }
        let served = matches!(called, Called::Done);
        if served {
            db.unpark(waiter);
            caller.leave(reply);
        }
        waiter.wait.settle(served);
        if served {
            self.services.clients.ring(&caller.client);
            self.services.control.wake();
        }
    }

    /// Serves who could not be served with the change itself, as far as the locks can
    /// be had; holds none before and after.
    pub(super) fn serve_late(&mut self, db: &mut Db<'_>) {
        self.late.extend(db.effects.ready.drain(..));
        for (index, key) in std::mem::take(&mut self.late) {
            let mut footprint = Footprint::NONE;
            footprint.add(db.key(&key).hash, true);
            let busy = db.acquire(footprint);
            let busy = Executor::lock_for_waiters(db, footprint, busy);
            if busy == 0 {
                db.effects.ready.push_back((index, key));
                let mut stopwatch = self.stopwatch;
                stopwatch.restart(&self.services.config, self.is_monitored());
                self.serve_ready(db, &mut stopwatch);
                self.stopwatch = stopwatch;
            } else {
                self.late.push((index, key));
            }
            db.release();
        }
    }

    /// Writes the reply of a wait that is over into its connection's batch.
    pub fn answer(&self, blocked: &Blocked, batch: &mut Batch) {
        // Who has served it has changed data in its name.
        batch.session.has_written = true;
        blocked.answer(batch, &self.metrics, self.log());
    }

    /// Forgets the wait of a connection that is served, called off or gone. What is
    /// held by somebody else now is tried again by [`Executor::take_leave`].
    pub fn forget(&mut self, blocked: &Blocked) {
        self.forgotten.push(Arc::clone(blocked.waiter()));
        self.take_leave();
    }
}
