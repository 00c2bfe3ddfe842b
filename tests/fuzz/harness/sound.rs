//! What data must stand that was made of an input; see the head of this module.

use flashkv::base::rng::Rng;
use flashkv::persist::aof::emit::{Pair, push_pair};
use flashkv::persist::aof::record::Encoder;
use flashkv::persist::rdb::Target;
use flashkv::store::{DATABASES, Footprint, Locks, Patience, SHARDS};

use super::contents::{Contents, contents};
use super::disk::MemDisk;
use super::rig::Rig;
use super::traffic;

/// Keys that get commands.
const KEYS: usize = 6;

/// Panics if the data of `rig` is not sound, now and after some commands. `input` chooses
/// them.
pub fn assert_sound(rig: &mut Rig, input: &[u8]) {
    let before = assert_repeatable(rig, "as it was loaded");
    let seed = input.iter().fold(input.len() as u64, |seed, byte| {
        seed.wrapping_mul(31).wrapping_add(u64::from(*byte))
    });
    let mut rng = Rng::seeded(seed);
    for ((db, key), content) in before.iter().take(KEYS) {
        rig.run(&[b"SELECT", db.to_string().as_bytes()]);
        traffic::run(rig, key, content, &mut rng);
    }
    assert_repeatable(rig, "after commands");
}

/// The same, for what was loaded from the log on a disk: what loading has left of the
/// files is a log without flaws, and means the same.
pub fn assert_sound_log(disk: &MemDisk, rig: &mut Rig, input: &[u8]) {
    let mut again = rig.again();
    let loaded = super::load_log(disk, &mut again, super::STRICT);
    assert_eq!(loaded, Ok(()), "what was loaded before");
    assert_same(&live(rig), &live(&again), "loaded twice");
    assert_sound(rig, input);
}

fn live(rig: &Rig) -> Contents {
    contents(&rig.services.keyspace, rig.now)
}

/// The data, which is the same after it was saved and loaded, and as commands.
fn assert_repeatable(rig: &mut Rig, when: &str) -> Contents {
    let before = live(rig);
    rig.save();
    let loaded = rig.again();
    let result = loaded.load_snapshot();
    assert_eq!(result, Ok(()), "what was just saved, {when}");
    assert_same(
        &before,
        &live(&loaded),
        &format!("saved and loaded, {when}"),
    );
    let replayed = replay(rig, when);
    assert_same(&before, &live(&replayed), &format!("as commands, {when}"));
    before
}

/// A server that has run the commands that make the data of `rig`.
fn replay(rig: &Rig, when: &str) -> Rig {
    let (mut encoder, mut bytes) = (Encoder::default(), Vec::new());
    let mut locks = Locks::new(&rig.services.keyspace, Patience::Wait);
    locks.acquire(Footprint::ALL_WRITE);
    for shard in 0..SHARDS {
        for db in 0..DATABASES {
            locks.shard(shard).dict(db).table().for_each(|entry| {
                if entry.is_gone(rig.now) {
                    return;
                }
                let pair = Pair {
                    db,
                    key: entry.key(),
                    value: entry.value(),
                    expire: entry.expire_at(),
                };
                push_pair(&pair, rig.now, Target::Valkey9, &mut encoder, &mut bytes);
            });
        }
    }
    locks.release();
    let mut other = rig.again();
    let result = other.replay(|target| super::run_commands(&bytes, target));
    assert_eq!(result, Ok(()), "its own commands, {when}");
    other
}

fn assert_same(before: &Contents, after: &Contents, how: &str) {
    for (key, content) in before {
        assert_eq!(Some(content), after.get(key), "{how}: {key:?}");
    }
    assert_eq!(before.len(), after.len(), "{how}: keys from nowhere");
}
