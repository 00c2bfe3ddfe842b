//! The log over a disk that loses its power, fails and fills up, thousands of times: what
//! a start finds is always a beginning of what was recorded, and all that was promised is
//! in it.
//!
//! The data is a map in which step `n` sets key `n % KEYS` to `n`, so that any state tells
//! which steps it consists of. Everything happens in one thread, so that a seed repeats it.

use std::collections::BTreeMap;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64};

use super::super::record::push_command;
use super::super::writer::Turn;
use super::*;
use crate::base::rng::Rng;
use crate::persist::disk::sim::{Faults, SimDisk};

const KEYS: u64 = 5;
/// Runs of each kind; `FLASHKV_SIM_RUNS` sets another number.
const RUNS: u64 = 1500;

type Data = BTreeMap<u64, u64>;

/// The data after the first `steps` steps.
fn data_after(steps: u64) -> Data {
    (1..=steps).map(|n| (n % KEYS, n)).collect()
}

/// What fsync is configured, and whether the process has given up.
#[derive(Default)]
struct World {
    fsync: AtomicU8,
    gave_up: AtomicBool,
}

const POLICIES: [Fsync; 3] = [Fsync::Always, Fsync::EverySecond, Fsync::Never];

struct SimAround(Arc<World>);

impl Surroundings for SimAround {
    fn fsync(&self) -> Fsync {
        POLICIES[usize::from(self.0.fsync.load(Relaxed))]
    }

    fn skips_syncs(&self) -> bool {
        false
    }

    fn sums(&self) -> bool {
        true
    }

    fn give_up(&self, _reason: &str) {
        self.0.gave_up.store(true, Relaxed);
    }
}

/// Everything of one process but the log's files.
struct Process {
    aof: Arc<Aof>,
    writer: Mutex<Writer>,
    world: Arc<World>,
    rng: Mutex<Rng>,
    /// Steps so far, and the position at the end of each.
    steps: Mutex<Vec<u64>>,
    /// A clock that goes on with every turn.
    now: Mutex<Instant>,
    first_step: AtomicU64,
}

/// Writes the base: the map as commands, with things happening before and after the cut.
struct SimBase(Mutex<Weak<Process>>, Arc<World>);

impl BaseWriter for SimBase {
    fn write(
        &self,
        file: Arc<dyn File>,
        _as_snapshot: bool,
        cut: &mut dyn FnMut(),
    ) -> Result<u64, BaseError> {
        let process = self.0.lock().upgrade();
        let data = match &process {
            None => Data::new(),
            Some(process) => {
                process.live(4);
                cut();
                let data = process.data();
                process.live(6);
                data
            }
        };
        let mut bytes = Vec::new();
        for (key, value) in data {
            push_set(key, value, &mut bytes);
        }
        let written = file.write_all(&bytes).and_then(|()| file.sync());
        if let Some(process) = process {
            process.live(6);
            // The writer's thread gets to the cut by itself.
            while process.turn() != Turn::Idle {}
            process.turn();
        }
        written.map_err(|error| failed(&error))?;
        Ok(bytes.len() as u64)
    }

    fn cancel(&self) {}

    fn is_busy(&self) -> bool {
        false
    }

    fn is_working(&self) -> bool {
        false
    }

    fn give_up(&self, _reason: &str) {
        self.1.gave_up.store(true, Relaxed);
    }
}

fn push_set(key: u64, value: u64, bytes: &mut Vec<u8>) {
    let (key, value) = (key.to_string(), value.to_string());
    push_command(&[b"SET", key.as_bytes(), value.as_bytes()], bytes);
}

/// Runs what is loaded.
#[derive(Default)]
struct Loading {
    data: Data,
    unit: Option<Data>,
}

impl Target for Loading {
    fn snapshot(&mut self, _input: Box<dyn io::Read + Send>, _size: u64) -> Result<u64, String> {
        Err("there are no snapshots here".into())
    }

    fn command(&mut self, raw: &[u8], name: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(raw).map_err(|error| error.to_string())?;
        let words: Vec<&str> = text.split("\r\n").skip(2).step_by(2).collect();
        match name {
            b"SELECT" => {}
            b"MULTI" => self.unit = Some(self.data.clone()),
            b"EXEC" => self.data = self.unit.take().ok_or("no unit")?,
            _ => {
                let number = |at: usize| words[at].parse().map_err(|_| "no number".to_owned());
                let data = self.unit.as_mut().unwrap_or(&mut self.data);
                data.insert(number(1)?, number(2)?);
            }
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn abandon(&mut self) {
        self.unit = None;
    }

    fn progress(&mut self, _bytes: u64) {}
}

impl Process {
    /// Starts on what `disk` has; the process and what it has loaded.
    fn start(disk: &SimDisk, seed: u64) -> Result<(Arc<Process>, Data), String> {
        let config = Arc::new(Config::new());
        config.set(Id::AOF_USE_RDB_PREAMBLE, b"no")?;
        let world = Arc::new(World::default());
        let base = Arc::new(SimBase(Mutex::default(), Arc::clone(&world)));
        let aof = Aof::new(config, Arc::new(disk.clone()), Arc::clone(&base) as _)?;
        let mut loading = Loading::default();
        aof.load(None, &mut loading)?;
        let opened = aof.open_files(false).map_err(|error| error.to_string())?;
        aof.log.change(&[Phase::Off], Phase::On);
        let writer = Writer::new(
            Arc::clone(&aof.log),
            Arc::clone(&aof.files),
            Arc::clone(&aof.status),
            Arc::new(SimAround(Arc::clone(&world))),
            Some(opened),
        );
        let first_step = loading.data.values().max().copied().unwrap_or(0);
        let process = Arc::new(Process {
            aof: Arc::new(aof),
            writer: Mutex::new(writer),
            world,
            rng: Mutex::new(Rng::seeded(seed)),
            steps: Mutex::default(),
            now: Mutex::new(Instant::now()),
            first_step: AtomicU64::new(first_step),
        });
        *base.0.lock() = Arc::downgrade(&process);
        Ok((process, loading.data))
    }

    fn below(&self, bound: u64) -> u64 {
        self.rng.lock().below(bound)
    }

    fn last_step(&self) -> u64 {
        self.first_step.load(Relaxed) + self.steps.lock().len() as u64
    }

    fn data(&self) -> Data {
        data_after(self.last_step())
    }

    /// One or two steps as one unit.
    fn step(&self) {
        let count = 1 + self.below(4) / 3;
        let last = self.last_step();
        let end = self.aof.log.record(self.format(), 0, |recorder| {
            recorder.begin();
            for n in last + 1..=last + count {
                let (key, value) = ((n % KEYS).to_string(), n.to_string());
                // Some are longer than a sector.
                let padding = vec![b'x'; if n % 7 == 0 { 700 } else { 0 }];
                let args: [&[u8]; 4] = [b"SET", key.as_bytes(), value.as_bytes(), &padding];
                recorder.command(0, args.into_iter());
            }
            recorder.end();
        });
        let mut steps = self.steps.lock();
        // Within a unit all or nothing is there.
        steps.extend((0..count).map(|_| end));
    }

    fn format(&self) -> Format {
        Format {
            sums: true,
            times: false,
        }
    }

    fn turn(&self) -> Turn {
        let mut now = self.now.lock();
        *now += Duration::from_millis(self.rng.lock().below(700));
        self.writer.lock().turn(*now)
    }

    /// What who has run commands does at the end of his turn.
    fn end_turn(&self) {
        let now = *self.now.lock();
        self.writer.lock().write_now(now);
    }

    /// Some steps and turns.
    fn live(&self, most: u64) {
        for _ in 0..self.below(most + 1) {
            match self.below(4) {
                0 => drop(self.turn()),
                1 => self.end_turn(),
                _ => self.step(),
            }
        }
    }

    /// The last step that is promised to outlive a loss of power.
    fn promised(&self) -> u64 {
        let durable = self.aof.log.durable();
        let steps = self.steps.lock();
        let kept = steps.iter().filter(|&&end| end <= durable).count() as u64;
        self.first_step.load(Relaxed) + if durable == 0 { 0 } else { kept }
    }

    /// Lives until the power goes or the process gives up.
    fn live_out(&self, disk: &SimDisk) {
        for _ in 0..400 {
            if disk.is_off() || self.world.gave_up.load(Relaxed) {
                return;
            }
            self.live(8);
            let broken = self.aof.log.is_broken();
            if broken || self.below(12) == 0 {
                // It fails where the disk does.
                let _ = self.aof.run_rewrite();
            }
        }
    }
}

/// What went on in some runs, so that it can be seen that all of it did.
#[derive(Debug, Default)]
struct Tally {
    rewrites: u64,
    broken: u64,
    gave_up: u64,
    lost: u64,
}

/// Lives and loses its power several times on one disk.
fn run(seed: u64, policy: u8, faults: Faults, tally: &mut Tally) {
    let mut rng = Rng::seeded(seed);
    let mut disk = SimDisk::new(rng.next_u64());
    let (mut promised, mut recorded) = (0, 0);
    for life in 0..4 {
        let tell = |what: &str| panic!("seed {seed}, policy {policy}, life {life}: {what}");
        let (process, data) = match Process::start(&disk, rng.next_u64()) {
            Ok(started) => started,
            Err(why) => tell(&why),
        };
        let found = process.last_step();
        if data != data_after(found) {
            tell(&format!("{data:?} is no beginning"));
        }
        if found < promised || found > recorded {
            tell(&format!(
                "{found}, promised {promised}, recorded {recorded}"
            ));
        }
        tally.lost += recorded - found;
        process.world.fsync.store(policy, Relaxed);
        disk.set_faults(faults);
        disk.power_off_after(rng.below(300));
        process.live_out(&disk);
        (promised, recorded) = (process.promised().max(found), process.last_step());
        let manifest = process.aof.files.lock().manifest().clone();
        tally.rewrites += u64::from(manifest.base.is_some_and(|base| base.seq > 1));
        tally.broken += u64::from(process.aof.log.is_broken());
        tally.gave_up += u64::from(process.world.gave_up.load(Relaxed));
        disk = disk.restart();
    }
}

fn run_many(faults: Faults) -> Tally {
    let runs = std::env::var("FLASHKV_SIM_RUNS")
        .ok()
        .and_then(|runs| runs.parse().ok());
    let first = std::env::var("FLASHKV_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let first = first.unwrap_or_else(|| Rng::random().next_u64() >> 32);
    println!("FLASHKV_SEED={first}");
    let mut tally = Tally::default();
    for seed in first..first + runs.unwrap_or(RUNS) {
        run(seed, (seed % 3) as u8, faults, &mut tally);
    }
    println!("{tally:?}");
    tally
}

#[test]
fn power_is_lost_at_any_moment() {
    let tally = run_many(Faults::default());
    assert!(tally.rewrites > 100 && tally.lost > 100, "{tally:?}");
}

#[test]
fn the_disk_fails_and_power_is_lost() {
    let faults = Faults {
        write: 40,
        short_write: 40,
        sync: 40,
        rename: 20,
        create: 20,
    };
    let tally = run_many(faults);
    assert!(tally.broken > 20 && tally.gave_up > 20, "{tally:?}");
}

/// A disk that is full refuses, and the log comes back by itself when there is room.
#[test]
fn a_full_disk_is_survived() {
    let disk = SimDisk::new(7);
    let (process, _) = Process::start(&disk, 7).expect("an empty disk");
    process.world.fsync.store(1, Relaxed);
    (0..20).for_each(|_| process.step());
    disk.set_space(100);
    while !process.aof.log.is_broken() {
        process.step();
        process.turn();
    }
    assert!(process.aof.log.failure().is_some());
    process.aof.run_rewrite().expect_err("no room");
    assert!(process.aof.log.is_broken());
    disk.set_space(usize::MAX);
    process.aof.run_rewrite().expect("room again");
    assert!(!process.aof.log.is_broken());
    process.step();
    while process.promised() < process.last_step() {
        process.turn();
    }
    let (_, data) = Process::start(&disk.restart(), 8).expect("what was promised");
    assert_eq!(data, process.data());
}

/// Whether what starts off, is switched on, off and on again, ends up on the disk.
#[test]
fn it_is_switched_at_run_time() {
    let disk = SimDisk::new(3);
    let (process, _) = Process::start(&disk, 3).expect("an empty disk");
    let log = &process.aof.log;
    process.step();
    assert!(log.change(&[Phase::On], Phase::Off));
    process.turn();
    let before = log.recorded();
    process.step();
    assert_eq!(log.recorded(), before, "nothing is kept while it is off");
    assert!(log.change(&[Phase::Off], Phase::Starting));
    process.step();
    assert_eq!(log.recorded(), before, "nor before the cut");
    process.aof.run_rewrite().expect("no faults");
    assert_eq!(log.phase(), Phase::On);
    process.step();
    while process.promised() < process.last_step() {
        process.turn();
    }
    let (_, data) = Process::start(&disk.restart(), 4).expect("what was promised");
    assert_eq!(data, process.data());
}
