//! A disk in memory that can lose its power, fill up and fail: for tests.
//!
//! It keeps to the rules at the head of the parent module and to nothing more. What was
//! not synced when the power goes is kept or lost sector by sector, and a sector may be
//! torn; names that were not synced are kept or lost one by one. What a failed sync
//! should have made durable is lost for good, whatever later syncs say.
//!
//! Everything follows from the seed and the order of the calls.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Disk, File};
use crate::base::rng::Rng;

const SECTOR: usize = 512;

/// How often what fails, one time in so many; 0 is never.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub write: u64,
    /// A write that writes a part only, and then fails.
    pub short_write: u64,
    pub sync: u64,
    pub rename: u64,
    pub create: u64,
}

/// See the head of this file.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<Inner>>);

struct Inner {
    rng: Rng,
    names: BTreeMap<PathBuf, usize>,
    /// The names that are durable.
    kept: BTreeMap<PathBuf, usize>,
    /// What has happened to names since then.
    changes: Vec<Change>,
    nodes: Vec<Node>,
    faults: Faults,
    /// Bytes that there is room for.
    space: usize,
    /// Calls until the power goes.
    power: Option<u64>,
}

#[derive(Clone, Default)]
struct Node {
    bytes: Vec<u8>,
    /// What is durable.
    synced: Vec<u8>,
    /// Sectors that a failed sync has lost.
    lost: BTreeSet<usize>,
}

#[derive(Clone)]
enum Change {
    Add(PathBuf, usize),
    Rename(PathBuf, PathBuf, usize),
    Remove(PathBuf),
}

impl SimDisk {
    /// An empty disk.
    pub fn new(seed: u64) -> SimDisk {
        SimDisk(Arc::new(Mutex::new(Inner {
            rng: Rng::seeded(seed),
            names: BTreeMap::new(),
            kept: BTreeMap::new(),
            changes: Vec::new(),
            nodes: Vec::new(),
            faults: Faults::default(),
            space: usize::MAX,
            power: None,
        })))
    }

    /// Sets what fails from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.0.lock().faults = faults;
    }

    /// Sets how many bytes there is room for.
    pub fn set_space(&self, bytes: usize) {
        self.0.lock().space = bytes;
    }

    /// Lets the power go after `calls` more calls: nothing has an effect from then on.
    pub fn power_off_after(&self, calls: u64) {
        self.0.lock().power = Some(calls);
    }

    /// Whether the power has gone.
    pub fn is_off(&self) -> bool {
        self.0.lock().power == Some(0)
    }

    /// The disk as it is when the power is back.
    pub fn restart(&self) -> SimDisk {
        let mut inner = self.0.lock();
        let inner = &mut *inner;
        let mood = Mood::draw(&mut inner.rng);
        for change in std::mem::take(&mut inner.changes) {
            if mood.keeps(&mut inner.rng) {
                apply(&mut inner.kept, change);
            }
        }
        let mut nodes = inner.nodes.clone();
        for node in &mut nodes {
            let bytes = survivors(node, mood, &mut inner.rng);
            *node = Node {
                synced: bytes.clone(),
                bytes,
                lost: BTreeSet::new(),
            };
        }
        SimDisk(Arc::new(Mutex::new(Inner {
            rng: Rng::seeded(inner.rng.next_u64()),
            names: inner.kept.clone(),
            kept: inner.kept.clone(),
            changes: Vec::new(),
            nodes,
            faults: Faults::default(),
            space: usize::MAX,
            power: None,
        })))
    }

    /// The disk as another process finds it when this one has been killed.
    pub fn kill(&self) -> SimDisk {
        let inner = self.0.lock();
        SimDisk(Arc::new(Mutex::new(Inner {
            rng: inner.rng.clone(),
            names: inner.names.clone(),
            kept: inner.kept.clone(),
            changes: inner.changes.clone(),
            nodes: inner.nodes.clone(),
            faults: Faults::default(),
            space: usize::MAX,
            power: None,
        })))
    }

    /// Changes bytes of a file behind everybody's back.
    pub fn damage(&self, path: &Path, damage: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = self.0.lock();
        let node = inner.names[path];
        damage(&mut inner.nodes[node].bytes);
        inner.nodes[node].synced = inner.nodes[node].bytes.clone();
    }
}

/// How a power failure treats what was not durable.
#[derive(Clone, Copy)]
enum Mood {
    KeepsAll,
    LosesAll,
    Random,
}

impl Mood {
    fn draw(rng: &mut Rng) -> Mood {
        match rng.below(6) {
            0 => Mood::KeepsAll,
            1 => Mood::LosesAll,
            _ => Mood::Random,
        }
    }

    fn keeps(self, rng: &mut Rng) -> bool {
        match self {
            Mood::KeepsAll => true,
            Mood::LosesAll => false,
            Mood::Random => rng.below(2) == 0,
        }
    }
}

/// What is left of a file's bytes.
fn survivors(node: &Node, mood: Mood, rng: &mut Rng) -> Vec<u8> {
    let (new, old) = (&node.bytes, &node.synced);
    let span = old.len().abs_diff(new.len()) as u64 + 1;
    let len = match mood {
        Mood::KeepsAll => new.len(),
        Mood::LosesAll => old.len(),
        Mood::Random => old.len().min(new.len()) + rng.below(span) as usize,
    };
    // What was never written to its place is zero.
    let at = |bytes: &[u8], i: usize| bytes.get(i).copied().unwrap_or(0);
    let mut left: Vec<u8> = (0..len).map(|i| at(old, i)).collect();
    for sector in 0..len.div_ceil(SECTOR) {
        if node.lost.contains(&sector) || !mood.keeps(rng) {
            continue;
        }
        let start = sector * SECTOR;
        let mut end = len.min(start + SECTOR);
        if matches!(mood, Mood::Random) && rng.below(8) == 0 {
            end = start + rng.below((end - start) as u64) as usize;
        }
        for (i, byte) in left.iter_mut().enumerate().take(end).skip(start) {
            *byte = at(new, i);
        }
    }
    left
}

fn apply(names: &mut BTreeMap<PathBuf, usize>, change: Change) {
    match change {
        Change::Add(path, node) => {
            names.insert(path, node);
        }
        Change::Rename(from, to, node) => {
            names.remove(&from);
            names.insert(to, node);
        }
        Change::Remove(path) => {
            names.remove(&path);
        }
    }
}

impl Inner {
    /// Counts a call; whether there is still power for it.
    fn begin(&mut self) -> io::Result<()> {
        match &mut self.power {
            Some(0) => return Err(io::Error::other("no power")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(())
    }

    fn fails(&mut self, one_in: u64) -> bool {
        one_in > 0 && self.rng.below(one_in) == 0
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        let found = self.names.get(path).copied();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.names, change.clone());
        self.changes.push(change);
    }

    fn used(&self) -> usize {
        let nodes: BTreeSet<usize> = self.names.values().copied().collect();
        nodes.iter().map(|&node| self.nodes[node].bytes.len()).sum()
    }
}

impl Disk for SimDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut inner = self.0.lock();
        inner.begin()?;
        let one_in = inner.faults.create;
        if inner.fails(one_in) {
            return Err(io::Error::other("create failed"));
        }
        if let Ok(node) = inner.find(path) {
            inner.nodes[node].bytes.clear();
            inner.nodes[node].lost.clear();
        }
        drop(inner);
        self.append_to(path)
    }

    fn append(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.0.lock().begin()?;
        self.append_to(path)
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let mut inner = self.0.lock();
        inner.begin()?;
        let node = inner.find(path)?;
        Ok(Box::new(Cursor::new(inner.nodes[node].bytes.clone())))
    }

    fn size(&self, path: &Path) -> io::Result<u64> {
        let mut inner = self.0.lock();
        inner.begin()?;
        let node = inner.find(path)?;
        Ok(inner.nodes[node].bytes.len() as u64)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.0.lock();
        inner.begin()?;
        let one_in = inner.faults.rename;
        if inner.fails(one_in) {
            return Err(io::Error::other("rename failed"));
        }
        let node = inner.find(from)?;
        inner.change(Change::Rename(from.to_owned(), to.to_owned(), node));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.0.lock();
        inner.begin()?;
        inner.find(path)?;
        inner.change(Change::Remove(path.to_owned()));
        Ok(())
    }

    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        self.0.lock().begin()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut inner = self.0.lock();
        inner.begin()?;
        if inner.find(dir).is_ok() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let inside = inner.names.keys().filter(|path| path.parent() == Some(dir));
        let names = inside.filter_map(|path| path.file_name()?.to_str().map(str::to_owned));
        Ok(names.collect())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut inner = self.0.lock();
        inner.begin()?;
        let one_in = inner.faults.sync;
        if inner.fails(one_in) {
            return Err(io::Error::other("sync failed"));
        }
        let within = |path: &PathBuf| path.parent() == Some(dir);
        for change in std::mem::take(&mut inner.changes) {
            let here = match &change {
                Change::Add(path, _) | Change::Remove(path) => within(path),
                Change::Rename(from, to, _) => within(from) || within(to),
            };
            if here {
                apply(&mut inner.kept, change);
            } else {
                inner.changes.push(change);
            }
        }
        Ok(())
    }
}

impl SimDisk {
    fn append_to(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut inner = self.0.lock();
        let node = match inner.find(path) {
            Ok(node) => node,
            Err(_) => {
                inner.nodes.push(Node::default());
                let node = inner.nodes.len() - 1;
                inner.change(Change::Add(path.to_owned(), node));
                node
            }
        };
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            node,
        }))
    }
}

struct SimFile {
    disk: SimDisk,
    node: usize,
}

impl File for SimFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.disk.0.lock();
        inner.begin()?;
        let faults = inner.faults;
        if inner.fails(faults.write) {
            return Err(io::Error::other("write failed"));
        }
        let room = inner.space.saturating_sub(inner.used());
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut len = bytes.len().min(room);
        if inner.fails(faults.short_write) {
            len = len.div_ceil(2);
        }
        let node = self.node;
        inner.nodes[node].bytes.extend_from_slice(&bytes[..len]);
        Ok(len)
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.disk.0.lock();
        inner.begin()?;
        let one_in = inner.faults.sync;
        let fails = inner.fails(one_in);
        let node = &mut inner.nodes[self.node];
        if fails {
            let dirty = node.synced.len().min(node.bytes.len()) / SECTOR;
            let end = node.bytes.len().div_ceil(SECTOR);
            node.lost.extend(dirty..end);
            return Err(io::Error::other("sync failed"));
        }
        let mut synced = node.bytes.clone();
        for &sector in &node.lost {
            for i in sector * SECTOR..synced.len().min((sector + 1) * SECTOR) {
                synced[i] = node.synced.get(i).copied().unwrap_or(0);
            }
        }
        node.synced = synced;
        Ok(())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let mut inner = self.disk.0.lock();
        inner.begin()?;
        inner.nodes[self.node].bytes.truncate(len as usize);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(disk: &SimDisk, path: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut input = disk.read(Path::new(path)).ok()?;
        input.read_to_end(&mut bytes).expect("memory");
        Some(bytes)
    }

    /// Over many seeds everything that may happen to what was not synced does happen, and
    /// nothing to what was.
    #[test]
    fn what_was_synced_stays_and_the_rest_may_go() {
        let (mut named, mut torn, mut whole) = (0, 0, 0);
        for seed in 0..500 {
            let disk = SimDisk::new(seed);
            let file = disk.create(Path::new("d/a")).expect("a file");
            file.write_all(&[1; 700]).expect("room");
            file.sync().expect("no faults");
            disk.sync_dir(Path::new("d")).expect("no faults");
            file.write_all(&[2; 1000]).expect("room");
            disk.rename(Path::new("d/a"), Path::new("d/b"))
                .expect("it is there");
            let disk = disk.restart();
            let (a, b) = (content(&disk, "d/a"), content(&disk, "d/b"));
            assert!(a.is_some() != b.is_some(), "one name: {seed}");
            named += usize::from(b.is_some());
            let bytes = a.or(b).expect("one of them");
            assert!(bytes.len() >= 700 && bytes[..700] == [1; 700]);
            let rest = &bytes[700..];
            torn += usize::from(rest.contains(&0) && rest.contains(&2));
            whole += usize::from(rest == [2; 1000]);
        }
        assert!(
            named > 50 && torn > 50 && whole > 20,
            "{named} {torn} {whole}"
        );
    }

    #[test]
    fn what_a_failed_sync_has_lost_stays_lost() {
        let disk = SimDisk::new(1);
        let file = disk.create(Path::new("d/a")).expect("a file");
        file.write_all(&[1; 512]).expect("room");
        let faults = Faults {
            sync: 1,
            ..Faults::default()
        };
        disk.set_faults(faults);
        file.sync().expect_err("a fault");
        disk.set_faults(Faults::default());
        file.sync().expect("no faults any more");
        disk.sync_dir(Path::new("d")).expect("no faults");
        assert_eq!(content(&disk, "d/a"), Some(vec![1; 512]));
        assert_eq!(content(&disk.restart(), "d/a"), Some(vec![0; 512]));
    }

    #[test]
    fn power_and_space_end() {
        let disk = SimDisk::new(1);
        disk.set_space(10);
        let file = disk.create(Path::new("d/a")).expect("a file");
        file.write_all(&[1; 20]).expect_err("no room");
        assert_eq!(content(&disk, "d/a").map(|bytes| bytes.len()), Some(10));
        disk.power_off_after(1);
        file.sync().expect("the last call");
        file.sync().expect_err("no power");
        assert!(disk.is_off());
    }
}
