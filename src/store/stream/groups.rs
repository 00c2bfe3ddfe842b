//! What consumer groups do: delivering entries, acknowledging and claiming them.
//!
//! The commands that do so depend on the clock and on what others have read, so the
//! journal is told the outcome, in the words that Redis uses for it: XCLAIM with
//! the time and the count of the delivery, XGROUP SETID with the group's new place,
//! XACK for what a claim has found to be gone, XGROUP CREATECONSUMER for a consumer
//! that came to be.

use std::sync::Arc;

use crate::base::clock::Millis;
use crate::ds::stream::{ConsumerId, Group, Pending, Stream, StreamId};
use crate::store::db::Db;
use crate::store::dict::Key;
use crate::store::error::Error;
use crate::store::journal::Event;

/// Ids that one command in the journal names at most.
const LOGGED_IDS_MAX: usize = 1024;

/// A consumer's request for entries.
#[derive(Clone, Copy, Debug)]
pub struct GroupRead<'a> {
    pub group: &'a [u8],
    pub consumer: &'a [u8],
    /// Entries behind this id that are pending with the consumer; without, entries
    /// that nobody in the group has been given.
    pub after: Option<StreamId>,
    /// The most entries to deliver.
    pub count: usize,
    /// Deliver without keeping anything pending.
    pub no_ack: bool,
}

/// What a request for entries has found. The entries are in the image.
#[derive(Debug)]
pub enum Delivered {
    Nothing,
    /// So many entries from this id on.
    New(Stream, StreamId, usize),
    /// What was pending; some of it may be gone from the stream.
    History(Stream, Vec<StreamId>),
}

/// A request to be given what is pending with others.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    pub group: &'a [u8],
    pub consumer: &'a [u8],
    /// In milliseconds; what was delivered later than that ago stays.
    pub min_idle: i64,
    /// When it counts as delivered.
    pub time: Millis,
    /// How often it counts as delivered.
    pub count: Option<i64>,
    /// Without `count`: whether this is one more delivery.
    pub counts: bool,
    /// Have entries pending that are not.
    pub force: bool,
    /// Moves the group up to here if it is not so far.
    pub last_id: StreamId,
}

/// What was claimed; the entries are in the image.
#[derive(Debug)]
pub struct Claimed {
    pub entries: Stream,
    pub ids: Vec<StreamId>,
}

/// A request to be given whatever is pending for long.
#[derive(Clone, Copy, Debug)]
pub struct AutoClaim<'a> {
    pub group: &'a [u8],
    pub consumer: &'a [u8],
    pub min_idle: i64,
    pub start: StreamId,
    pub count: usize,
    pub counts: bool,
}

/// What a search for pending entries has found.
#[derive(Debug)]
pub struct AutoClaimed {
    /// Where the next search starts; the least id at the end.
    pub next: StreamId,
    pub claimed: Claimed,
    /// What was pending but is gone from the stream.
    pub gone: Vec<StreamId>,
}

/// What the journal has to be told, in order.
#[derive(Debug, Default)]
struct Log {
    created: bool,
    /// What is pending now with the consumer.
    claims: Vec<(StreamId, Pending)>,
    /// What is not pending any more.
    dropped: Vec<StreamId>,
    /// Where the group stands, if it has moved.
    moved: Option<(StreamId, Option<i64>)>,
    /// What Redis counts as changes, besides the consumer.
    changes: usize,
}

impl Log {
    /// Counts each entry that was claimed or dropped, or else that the group moved.
    fn count_each(&mut self) {
        let entries = self.claims.len() + self.dropped.len();
        self.changes = entries.max(usize::from(self.moved.is_some()));
    }

    /// Counts a delivery as one.
    fn count_once(&mut self) {
        self.changes = usize::from(self.moved.is_some() || !self.claims.is_empty());
    }
}

/// Pending entries that one search looks at for each that it may claim, as in
/// Redis.
const ATTEMPTS_FACTOR: usize = 10;

impl Db<'_> {
    /// Adds a group that stands at `start`, by default at the end; makes the stream
    /// where there is none.
    pub fn group_create(
        &mut self,
        key: Key<'_>,
        name: &[u8],
        start: Option<StreamId>,
        entries_read: Option<i64>,
    ) -> Result<(), Error> {
        let added = self.change_or_new(key, |stream: &mut Stream| {
            let start = start.unwrap_or(stream.last_id());
            stream.add_group(name, Group::new(start, entries_read))
        })?;
        if !added {
            return Err(Error::GroupExists);
        }
        self.touched(key.bytes, Event::stream("xgroup-create"));
        Ok(())
    }

    /// Moves a group to `start`, by default to the end; whether there is one.
    pub fn group_set_id(
        &mut self,
        key: Key<'_>,
        name: &[u8],
        start: Option<StreamId>,
        entries_read: Option<i64>,
    ) -> Result<bool, Error> {
        let moved = self.change(key, |stream: &mut Stream| {
            let start = start.unwrap_or(stream.last_id());
            let group = stream.group_mut(name)?;
            (group.last_id, group.entries_read) = (start, entries_read);
            Some(())
        })?;
        let moved = moved.flatten().is_some();
        if moved {
            self.touched(key.bytes, Event::stream("xgroup-setid"));
        }
        Ok(moved)
    }

    /// Removes a group; whether there was one.
    pub fn group_destroy(&mut self, key: Key<'_>, name: &[u8]) -> Result<bool, Error> {
        let removed = self.change(key, |stream: &mut Stream| stream.remove_group(name))?;
        let Some(group) = removed.flatten() else {
            return Ok(false);
        };
        self.drop_stream(group);
        self.touched(key.bytes, Event::stream("xgroup-destroy"));
        Ok(true)
    }

    /// Adds a consumer; whether it is new. `None` without the group.
    pub fn group_add_consumer(
        &mut self,
        key: Key<'_>,
        group: &[u8],
        name: &[u8],
    ) -> Result<Option<bool>, Error> {
        let now = self.now;
        let added = self.change(key, |stream: &mut Stream| {
            Some(stream.group_mut(group)?.add_consumer(name, now).is_some())
        })?;
        let added = added.flatten();
        if added == Some(true) {
            self.touched(key.bytes, Event::stream("xgroup-createconsumer"));
        }
        Ok(added)
    }

    /// Removes a consumer; how much was pending with it. `None` without the group. With
    /// `much`, beside the locks.
    pub fn group_remove_consumer(
        &mut self,
        key: Key<'_>,
        group: &[u8],
        name: &[u8],
        much: bool,
    ) -> Result<Option<usize>, Error> {
        let removed = self.change_group(key, group, much, |group| group.remove_consumer(name))?;
        let removed = Some(removed);
        let Some(removed) = removed.flatten() else {
            return Ok(None);
        };
        if removed.is_some() {
            self.touched(key.bytes, Event::stream("xgroup-delconsumer"));
        }
        Ok(Some(removed.unwrap_or(0)))
    }

    /// Changes a group; `None` without one. With `much`, a copy of it is changed beside
    /// the locks and takes its place; then `change` may be called again.
    fn change_group<R>(
        &mut self,
        key: Key<'_>,
        name: &[u8],
        much: bool,
        mut change: impl FnMut(&mut Group) -> R,
    ) -> Result<Option<R>, Error> {
        let image = |db: &Db<'_>| {
            Ok(db
                .peek_stream(key)?
                .and_then(|stream| stream.group_image(name)))
        };
        let unchanged = |db: &Db<'_>, image: &Option<Arc<Group>>| {
            let stream = db.peek_stream(key).ok().flatten();
            let image = image.as_ref();
            image.is_some_and(|image| stream.is_some_and(|s| s.group_is_as(name, image)))
        };
        let mut done = None;
        if much {
            done = self.aside(image, unchanged, |image| {
                let mut group = Group::clone(image.as_ref()?);
                let result = change(&mut group);
                Some((group, result))
            })?;
        }
        let changed = self.change(key, |stream: &mut Stream| match done.flatten() {
            Some((group, result)) => {
                stream.replace_group(name, group);
                Some(result)
            }
            None => stream.group_mut(name).map(change),
        })?;
        Ok(changed.flatten())
    }

    /// Acknowledges entries; how many were pending.
    pub fn group_acknowledge(
        &mut self,
        key: Key<'_>,
        group: &[u8],
        ids: &[StreamId],
    ) -> Result<usize, Error> {
        let done = self.change(key, |stream: &mut Stream| {
            let group = stream.group_mut(group)?;
            Some(ids.iter().filter(|id| group.acknowledge(**id)).count())
        })?;
        let done = done.flatten().unwrap_or(0);
        self.effects.dirty += done as u64;
        Ok(done)
    }

    /// Delivers entries to a consumer, which comes to be if it is not there. `None`
    /// without the group. O(entries * log n); with `much`, beside the locks.
    pub fn group_read(
        &mut self,
        key: Key<'_>,
        read: &GroupRead<'_>,
        much: bool,
    ) -> Result<Option<Delivered>, Error> {
        let now = self.now;
        let done = self.change_much(key, much, |stream: &mut Stream| {
            let entries = stream.image_of_entries();
            let group = stream.group_mut(read.group)?;
            let (consumer, created) = consumer_of(group, read.consumer, now)?;
            let mut log = Log {
                created,
                ..Log::default()
            };
            let delivered = match read.after {
                None => deliver_new(group, consumer, entries, read, now, &mut log),
                Some(after) => {
                    let from = after.next().unwrap_or(StreamId::MIN);
                    deliver_again(group, consumer, entries, from, read.count, now, &mut log)
                }
            };
            log.count_once();
            Some((delivered, log))
        })?;
        let Some((delivered, log)) = done.flatten() else {
            return Ok(None);
        };
        self.tell(key, read.group, read.consumer, log);
        Ok(Some(delivered))
    }

    /// Gives a consumer what is pending under these ids with others. `None` without
    /// the group. O(ids * (log n + bytes of a node)).
    pub fn group_claim(
        &mut self,
        key: Key<'_>,
        claim: &Claim<'_>,
        ids: &[StreamId],
    ) -> Result<Option<Claimed>, Error> {
        let now = self.now;
        let done = self.change(key, |stream: &mut Stream| {
            let entries = stream.image_of_entries();
            let group = stream.group_mut(claim.group)?;
            let mut log = Log::default();
            if claim.last_id > group.last_id {
                group.last_id = claim.last_id;
                log.moved = Some((group.last_id, group.entries_read));
            }
            let (consumer, created) = consumer_of(group, claim.consumer, now)?;
            log.created = created;
            for &id in ids {
                claim_one(group, consumer, &entries, claim, id, now, &mut log);
            }
            log.count_each();
            Some((entries, log))
        })?;
        let Some((entries, log)) = done.flatten() else {
            return Ok(None);
        };
        let ids = log.claims.iter().map(|(id, _)| *id).collect();
        self.tell(key, claim.group, claim.consumer, log);
        Ok(Some(Claimed { entries, ids }))
    }

    /// Gives a consumer what is pending for long, in the order of ids. `None` without
    /// the group. O(entries looked at * (log n + bytes of a node)).
    pub fn group_auto_claim(
        &mut self,
        key: Key<'_>,
        search: &AutoClaim<'_>,
    ) -> Result<Option<AutoClaimed>, Error> {
        let now = self.now;
        let done = self.change(key, |stream: &mut Stream| {
            let entries = stream.image_of_entries();
            let group = stream.group_mut(search.group)?;
            let (consumer, created) = consumer_of(group, search.consumer, now)?;
            let mut log = Log {
                created,
                ..Log::default()
            };
            let next = auto_claim(group, consumer, &entries, search, now, &mut log);
            log.count_each();
            Some((entries, next, log))
        })?;
        let Some((entries, next, log)) = done.flatten() else {
            return Ok(None);
        };
        let ids = log.claims.iter().map(|(id, _)| *id).collect();
        let found = AutoClaimed {
            next,
            claimed: Claimed { entries, ids },
            gone: log.dropped.clone(),
        };
        self.tell(key, search.group, search.consumer, log);
        Ok(Some(found))
    }

    /// Tells what a delivery or a claim has changed.
    fn tell(&mut self, key: Key<'_>, group: &[u8], consumer: &[u8], log: Log) {
        if log.created {
            self.touched(key.bytes, Event::stream("xgroup-createconsumer"));
        }
        self.effects.dirty += log.changes as u64;
        if !self.is_logged() {
            return;
        }
        if log.created {
            self.log_instead(&[b"XGROUP", b"CREATECONSUMER", key.bytes, group, consumer]);
        }
        self.log_claims(key, group, consumer, &log);
        for ids in log.dropped.chunks(LOGGED_IDS_MAX) {
            let ids: Vec<Vec<u8>> = ids.iter().map(|id| id.to_text()).collect();
            let mut args = vec![b"XACK".as_slice(), key.bytes, group];
            args.extend(ids.iter().map(Vec::as_slice));
            self.log_instead(&args);
        }
        if let Some((last_id, read)) = log.moved {
            let (last_id, read) = (last_id.to_text(), read.unwrap_or(-1).to_string());
            let place = [last_id.as_slice(), b"ENTRIESREAD", read.as_bytes()];
            self.log_instead(
                &[
                    &[b"XGROUP", b"SETID".as_slice(), key.bytes, group],
                    &place[..],
                ]
                .concat(),
            );
        }
    }

    /// Tells claims: neighbours that are alike by one command.
    fn log_claims(&mut self, key: Key<'_>, group: &[u8], consumer: &[u8], log: &Log) {
        let last_id = log
            .moved
            .map_or(StreamId::MIN, |(last_id, _)| last_id)
            .to_text();
        let alike = (log.claims).chunk_by(|(_, a), (_, b)| (a.time, a.count) == (b.time, b.count));
        for claims in alike.flat_map(|claims| claims.chunks(LOGGED_IDS_MAX)) {
            let Some((_, pending)) = claims.first() else {
                continue;
            };
            let ids: Vec<Vec<u8>> = claims.iter().map(|(id, _)| id.to_text()).collect();
            let (time, count) = (pending.time.to_string(), pending.count.to_string());
            let mut args: Vec<&[u8]> = vec![b"XCLAIM", key.bytes, group, consumer, b"0"];
            args.extend(ids.iter().map(Vec::as_slice));
            args.extend([b"TIME".as_slice(), time.as_bytes()]);
            args.extend([b"RETRYCOUNT".as_slice(), count.as_bytes()]);
            args.extend([b"FORCE".as_slice(), b"JUSTID", b"LASTID", &last_id]);
            self.log_instead(&args);
        }
    }
}

/// The consumer of this name, seen now, and whether it is new.
fn consumer_of(group: &mut Group, name: &[u8], now: Millis) -> Option<(ConsumerId, bool)> {
    if let Some(number) = group.find_consumer(name) {
        group.consumer_mut(number)?.seen = now;
        return Some((number, false));
    }
    Some((group.add_consumer(name, now)?, true))
}

/// Notes that a consumer was given something.
fn set_active(group: &mut Group, consumer: ConsumerId, now: Millis) {
    if let Some(consumer) = group.consumer_mut(consumer) {
        consumer.active = Some(now);
    }
}

fn deliver_new(
    group: &mut Group,
    consumer: ConsumerId,
    entries: Stream,
    read: &GroupRead<'_>,
    now: Millis,
    log: &mut Log,
) -> Delivered {
    let Some(from) = group.last_id.next() else {
        return Delivered::Nothing;
    };
    let mut count = 0;
    for entry in entries.range(from..=StreamId::MAX).take(read.count) {
        count += 1;
        group.entries_read = entries.read_after(group.entries_read, entry.id);
        group.last_id = entry.id;
        if !read.no_ack {
            let pending = Pending {
                time: now,
                count: 1,
                consumer,
            };
            group.assign(entry.id, pending);
            log.claims.push((entry.id, pending));
        }
    }
    if count == 0 {
        return Delivered::Nothing;
    }
    log.moved = Some((group.last_id, group.entries_read));
    if !read.no_ack {
        set_active(group, consumer, now);
    }
    Delivered::New(entries, from, count)
}

fn deliver_again(
    group: &mut Group,
    consumer: ConsumerId,
    entries: Stream,
    from: StreamId,
    count: usize,
    now: Millis,
    log: &mut Log,
) -> Delivered {
    let ids: Vec<StreamId> = (group.consumer(consumer).into_iter())
        .flat_map(|consumer| consumer.pending_from(from))
        .take(count)
        .collect();
    for &id in &ids {
        if entries.get(id).is_some()
            && let Some(mut pending) = group.pending(id)
        {
            pending.time = now;
            pending.count = pending.count.saturating_add(1);
            group.assign(id, pending);
            log.claims.push((id, pending));
        }
    }
    Delivered::History(entries, ids)
}

fn claim_one(
    group: &mut Group,
    consumer: ConsumerId,
    entries: &Stream,
    claim: &Claim<'_>,
    id: StreamId,
    now: Millis,
    log: &mut Log,
) {
    let old = group.pending(id);
    if entries.get(id).is_none() {
        if group.acknowledge(id) {
            log.dropped.push(id);
        }
        return;
    }
    let count = match old {
        None if !claim.force => return,
        None => 1,
        Some(old) if is_fresh(&old, claim.min_idle, now) => return,
        Some(old) => old.count,
    };
    let pending = Pending {
        time: claim.time,
        count: (claim.count).unwrap_or_else(|| count.saturating_add(i64::from(claim.counts))),
        consumer,
    };
    group.assign(id, pending);
    set_active(group, consumer, now);
    log.claims.push((id, pending));
}

/// Whether the last delivery is less than `min_idle` ago.
fn is_fresh(pending: &Pending, min_idle: i64, now: Millis) -> bool {
    min_idle > 0 && now.saturating_sub(pending.time) < min_idle
}

/// Claims; where the next search starts.
fn auto_claim(
    group: &mut Group,
    consumer: ConsumerId,
    entries: &Stream,
    search: &AutoClaim<'_>,
    now: Millis,
    log: &mut Log,
) -> StreamId {
    let mut attempts = search.count.saturating_mul(ATTEMPTS_FACTOR);
    let mut next = Some(search.start);
    let found = |group: &Group, next: Option<StreamId>| {
        let (id, pending) = group.pending_from(next?).next()?;
        Some((id, *pending))
    };
    while attempts > 0
        && log.claims.len() + log.dropped.len() < search.count
        && let Some((id, mut pending)) = found(group, next)
    {
        attempts -= 1;
        next = id.next();
        if entries.get(id).is_none() {
            group.acknowledge(id);
            log.dropped.push(id);
        } else if !is_fresh(&pending, search.min_idle, now) {
            pending.time = now;
            pending.count = pending.count.saturating_add(i64::from(search.counts));
            pending.consumer = consumer;
            group.assign(id, pending);
            set_active(group, consumer, now);
            log.claims.push((id, pending));
        }
    }
    found(group, next).map_or(StreamId::MIN, |(id, _)| id)
}
