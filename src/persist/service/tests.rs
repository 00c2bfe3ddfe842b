//! Saves on a disk that fails at any one of its operations: the old file stays, the keyspace
//! is whole, and the next save works.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::AtomicUsize;

use super::*;
use crate::base::hash::KeyHasher;
use crate::persist::disk::File;
use crate::store::Ttl;
use crate::store::entry::NewValue;

type Files = Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>;

/// A disk in memory that fails at its operation of a given number.
#[derive(Clone)]
struct Frail {
    files: Files,
    /// Operations until the failure.
    left: Arc<AtomicUsize>,
}

const NEVER: usize = usize::MAX;
/// Bytes that one write takes at most.
const SHORT_WRITE: usize = 1000;

impl Frail {
    fn step(&self) -> io::Result<()> {
        let left = self.left.load(Relaxed);
        if left == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        if left != NEVER {
            self.left.store(left - 1, Relaxed);
        }
        Ok(())
    }
}

struct FrailFile(Frail, PathBuf);

impl File for FrailFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.step()?;
        let some = bytes.len().min(SHORT_WRITE);
        let mut files = self.0.files.lock();
        let file = files.get_mut(&self.1).ok_or(ErrorKind::NotFound)?;
        file.extend_from_slice(&bytes[..some]);
        Ok(some)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.step()
    }

    fn truncate(&self, _len: u64) -> io::Result<()> {
        self.0.step()
    }
}

impl Disk for Frail {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.step()?;
        self.files.lock().insert(path.into(), Vec::new());
        Ok(Arc::new(FrailFile(self.clone(), path.into())))
    }

    fn append(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.step()?;
        Ok(Arc::new(FrailFile(self.clone(), path.into())))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let bytes = self.files.lock().get(path).cloned();
        Ok(Box::new(io::Cursor::new(bytes.ok_or(ErrorKind::NotFound)?)))
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        let files = self.files.lock();
        let file = files.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(file.len() as u64)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        let mut files = self.files.lock();
        let file = files.remove(from).ok_or(ErrorKind::NotFound)?;
        files.insert(to.into(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files.lock().remove(path);
        Ok(())
    }

    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        self.step()
    }

    fn list(&self, _dir: &Path) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        self.step()
    }
}

const KEYS: u32 = 300;

fn well() -> Frail {
    Frail {
        files: Files::default(),
        left: Arc::new(AtomicUsize::new(NEVER)),
    }
}

/// The moment of the test. Saves note the real time when they end.
fn now() -> Millis {
    clock::now()
}

fn service(disk: &Frail) -> Arc<Persistence> {
    let keyspace = Arc::new(Keyspace::new(KeyHasher::seeded(1)));
    let config = Arc::new(Config::new());
    Arc::new(Persistence::new(
        config,
        keyspace,
        Arc::new(disk.clone()),
        || 0,
        now(),
    ))
}

fn put(service: &Persistence, nth: u32, value: &[u8]) {
    let name = format!("key:{nth}");
    let key = service.keyspace.key(name.as_bytes());
    let mut locks = Locks::new(&service.keyspace, Patience::Wait);
    let put = locks.visit_mut(key.shard(), |shard| {
        let hasher = service.keyspace.hasher();
        let value = NewValue::Str(value);
        drop(shard.dict_mut(0).put(key, value, Ttl::Clear, 0, hasher));
    });
    assert!(put.is_ok());
}

/// The values in a fresh keyspace that has loaded the file.
fn loaded(disk: &Frail) -> BTreeMap<Vec<u8>, String> {
    let service = service(disk);
    service.load_at_start().expect("the file is whole");
    all(&service)
}

/// The values of all keys.
fn all(service: &Persistence) -> BTreeMap<Vec<u8>, String> {
    let mut locks = Locks::new(&service.keyspace, Patience::Wait);
    let mut all = BTreeMap::new();
    let started = Snapshot::start(&service.keyspace, &mut locks, 0, || ());
    let (snapshot, ()) = started.expect("no other runs");
    let walked = snapshot.walk(&mut locks, |item| {
        all.insert(item.key.to_vec(), format!("{:?}", item.value));
        Ok::<_, ()>(())
    });
    assert_eq!(walked, Ok(()));
    all
}

#[test]
fn a_disk_that_fails_anywhere_leaves_the_old_file() {
    let disk = well();
    let service = service(&disk);
    (0..KEYS).for_each(|nth| put(&service, nth, b"old"));
    let mut locks = Locks::new(&service.keyspace, Patience::Wait);
    service
        .save(&mut locks, now(), 0)
        .expect("the disk is well");
    let old = loaded(&disk);
    assert_eq!(old.len(), KEYS as usize);
    (0..KEYS).for_each(|nth| put(&service, nth, b"new"));
    let mut failures = 0;
    loop {
        disk.left.store(failures, Relaxed);
        let result = service.save(&mut locks, now(), 1);
        disk.left.store(NEVER, Relaxed);
        let files: Vec<PathBuf> = disk.files.lock().keys().cloned().collect();
        assert_eq!(
            files,
            [Path::new("dump.rdb")],
            "after {failures} operations"
        );
        if result.is_ok() {
            break;
        }
        failures += 1;
        assert!(!service.is_saving());
        let found = loaded(&disk);
        // What fails last is to make the new name durable: the file may be either.
        assert_eq!(found.len(), old.len());
        assert!(service.unsaved(1) > 0);
    }
    assert!(
        failures >= 5,
        "create, write, sync, rename, sync: {failures}"
    );
    assert_ne!(loaded(&disk), old);
    assert_eq!(service.unsaved(1), 0);
}

#[test]
fn a_save_in_the_background_that_fails_is_told_and_tried_again_later() {
    let disk = well();
    let service = service(&disk);
    put(&service, 1, b"x");
    let mut locks = Locks::new(&service.keyspace, Patience::Wait);
    disk.left.store(1, Relaxed);
    service.begin(&mut locks, now(), 5).expect("it begins");
    service.wait();
    assert!(service.has_failed() && service.stops_writes() && service.closes_gates());
    assert_eq!(service.unsaved(5), 5);
    disk.left.store(NEVER, Relaxed);
    // Not at once: the points of `save` leave a failed save alone for a while.
    assert!(!service.is_due(now() + 7_200_000, 5));
    service.begin(&mut locks, now(), 5).expect("it begins");
    service.wait();
    assert!(!service.has_failed() && !service.stops_writes());
    assert_eq!((service.unsaved(5), loaded(&disk).len()), (0, 1));
    assert!(
        service.is_due(now() + 7_200_000, 6),
        "one change in an hour"
    );
    assert!(!service.is_due(now() + 10_000, 6));
    service.close();
    assert_eq!(service.begin(&mut locks, now(), 5), Err(Refused::Failed));
}

#[test]
fn a_slow_save_is_made_to_fail() {
    let disk = well();
    let service = service(&disk);
    put(&service, 1, b"x");
    let mut locks = Locks::new(&service.keyspace, Patience::Wait);
    assert!(!service.fail_slow(), "there is none");
    let delay = |micros: &[u8]| service.config.set(Id::RDB_KEY_SAVE_DELAY, micros);
    delay(b"2000000000").expect("half an hour");
    service.begin(&mut locks, now(), 1).expect("it begins");
    assert!(service.fail_slow());
    service.wait();
    assert!(service.has_failed() && !service.fail_slow());
    assert!(disk.files.lock().is_empty());
    delay(b"0").expect("none");
    service.begin(&mut locks, now(), 1).expect("it begins");
    assert!(!service.fail_slow(), "it is not slow");
    service.wait();
    assert!(!service.has_failed());
}

#[test]
fn a_key_that_is_there_already_is_named_or_replaced() {
    let disk = well();
    let saved = service(&disk);
    (0..KEYS).for_each(|nth| put(&saved, nth, b"saved"));
    let mut locks = Locks::new(&saved.keyspace, Patience::Wait);
    saved.save(&mut locks, now(), 0).expect("the disk is well");
    let other = service(&disk);
    put(&other, 7, b"there");
    let refused = other.load_at_start().expect_err("key:7 is there");
    assert!(
        refused.contains("putting in the value of key 'key:7': key twice"),
        "{refused}"
    );
    let other = service(&disk);
    put(&other, 7, b"there");
    let mut locks = Locks::new(&other.keyspace, Patience::Wait);
    locks.acquire(Footprint::ALL_WRITE);
    other
        .load(&mut locks, true, now())
        .expect("it takes its place");
    locks.release();
    assert_eq!(all(&other), all(&saved));
}
