//! What any bytes may do to those who read them: be refused with a reason, or become data
//! like any other. Never a panic, never without end, never more memory than they justify.
//!
//! One function for each reader: [`rdb`], [`aof`], [`restore`], [`request`]. libFuzzer calls
//! them with what it has made up (`make fuzz`), tests/damage.rs with damaged files. Each
//! says whether the bytes were accepted, and panics when something is wrong. What was
//! accepted
//! - can be read completely,
//! - can be saved and loaded, as a file and as commands, and is the same again,
//! - stands commands of its type, and is still sound after them.
//!
//! | file | has |
//! |---|---|
//! | disk | a disk in memory |
//! | rig | a server without sockets over such a disk |
//! | contents | all data in a form that compares |
//! | traffic | commands for each type |
//! | sound | the three promises above |

mod contents;
mod disk;
mod rig;
mod sound;
mod traffic;

use std::path::Path;
use std::sync::Arc;

use flashkv::base::crc64::crc64;
use flashkv::persist::aof::check::{self, Fix};
use flashkv::persist::aof::files::Files;
use flashkv::persist::aof::load::{self, Rules};
use flashkv::persist::aof::record::{HEAD_LEN, HEAD_TAG, Head};
use flashkv::persist::check as rdb_check;
use flashkv::persist::disk::Disk;
use flashkv::resp::{Limits, Requests};

use disk::MemDisk;
use rig::Rig;

/// Where the snapshot of a rig lies.
const SNAPSHOT: &str = "dump.rdb";
/// Directory and first name of a rig's log.
const LOG_DIR: &str = "log";
const LOG: &str = "log";
/// The key that is restored.
const KEY: &[u8] = b"key";

/// The RDB loader: `input` is a file. Its checksum need not be right.
pub fn rdb(input: &[u8]) -> bool {
    let disk = MemDisk::default();
    disk.put(SNAPSHOT, input);
    let mut rig = Rig::new(&disk, input.len());
    let checked = rdb_check::length(
        Box::new(std::io::Cursor::new(input.to_vec())),
        input.len() as u64,
    );
    match rig.load_snapshot() {
        Ok(()) => {
            if let Err(why) = checked {
                assert!(why.contains("checksum"), "loaded, but: {why}");
            }
            sound::assert_sound(&mut rig, input);
            true
        }
        Err(why) => {
            assert!(
                why.contains(": at offset ") || why.contains("key twice"),
                "no reason: {why}"
            );
            false
        }
    }
}

/// The versions of the format that objects are read as.
pub const VERSIONS: [u16; 6] = [6, 9, 10, 11, 12, 80];

/// RESTORE: the first byte of `input` chooses the version, the rest is an object, to which
/// a right envelope is added.
pub fn restore(input: &[u8]) -> bool {
    let Some((&choice, object)) = input.split_first() else {
        return false;
    };
    let mut payload = object.to_vec();
    payload.extend(VERSIONS[usize::from(choice) % VERSIONS.len()].to_le_bytes());
    payload.extend(crc64(0, &payload).to_le_bytes());
    let mut rig = Rig::new(&MemDisk::default(), input.len());
    let reply = rig.run(&[b"RESTORE", KEY, b"0", &payload]);
    match reply.as_slice() {
        b"+OK\r\n" => {
            sound::assert_sound(&mut rig, input);
            true
        }
        b"-ERR Bad data format\r\n" => false,
        other => panic!("a reply of its own: {}", other.escape_ascii()),
    }
}

/// What stands between the files of a log in the input of [`aof`].
pub const SEPARATOR: &[u8] = b"\xff--file--\xff";
/// The manifest of files without one.
const MANIFEST: &[u8] =
    b"file base seq 1 type b\nfile incr1 seq 1 type i\nfile incr2 seq 2 type i\n";
/// The names of the files behind the manifest.
const NAMES: [&str; 3] = ["base", "incr1", "incr2"];
/// In the first byte: the manifest is the input's own.
const OWN_MANIFEST: u8 = 1;
/// In the first byte: checksums of chunks are as they are, which is hardly ever right.
const OWN_CHECKSUMS: u8 = 2;
/// In the first byte: what is cut off or damaged is loaded as far as it goes.
pub const LENIENT: u8 = 4;
/// In the first byte: only a part is loaded, up to a time.
const UNTIL: u8 = 8;
const UNTIL_SECS: i64 = 1_700_000_000;

/// The loader of the append-only file: the first byte of `input` is flags, then come the
/// files, up to four, with a [`SEPARATOR`] between them: the manifest, if the flags say
/// so, a base, and two files of commands.
pub fn aof(input: &[u8]) -> bool {
    let Some((&flags, rest)) = input.split_first() else {
        return false;
    };
    let disk = log_of(flags, rest);
    let lenient = flags & LENIENT != 0;
    let rules = Rules {
        truncated: lenient,
        corrupt_tail_max: if lenient { 1 << 20 } else { 0 },
        until: (flags & UNTIL != 0).then_some(UNTIL_SECS),
    };
    check_and_mend(&disk.copy());
    let mut rig = Rig::new(&disk, input.len());
    let loaded = load_log(&disk, &mut rig, rules);
    match loaded {
        Ok(()) if rules.until.is_none() => {
            sound::assert_sound_log(&disk, &mut rig, input);
            true
        }
        Ok(()) => {
            sound::assert_sound(&mut rig, input);
            true
        }
        Err(why) => {
            assert!(!why.is_empty(), "no reason");
            false
        }
    }
}

/// A disk with the files of a log.
fn log_of(flags: u8, mut rest: &[u8]) -> MemDisk {
    let disk = MemDisk::default();
    let mut next = || {
        let at = rest
            .windows(SEPARATOR.len())
            .position(|bytes| bytes == SEPARATOR);
        let (file, behind) = match at {
            Some(at) => (&rest[..at], &rest[at + SEPARATOR.len()..]),
            None => (rest, [].as_slice()),
        };
        rest = behind;
        let mut file = file.to_vec();
        if flags & OWN_CHECKSUMS == 0 {
            mend_checksums(&mut file);
        }
        file
    };
    let manifest = if flags & OWN_MANIFEST != 0 {
        next()
    } else {
        MANIFEST.to_vec()
    };
    disk.put(&format!("{LOG}.manifest"), &manifest);
    NAMES.iter().for_each(|name| disk.put(name, &next()));
    disk
}

/// The files of the log that `input` stands for, the manifest first.
pub fn files_of_log(input: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (flags, rest) = input.split_first().unwrap_or((&0, &[]));
    let disk = log_of(*flags, rest);
    let manifest = format!("{LOG}.manifest");
    let names = std::iter::once(manifest.as_str()).chain(NAMES);
    names
        .map(|name| (name.to_owned(), disk.get(name)))
        .collect()
}

/// Makes the checksum right in the head of each chunk that has all its bytes.
fn mend_checksums(file: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = file[at..]
        .windows(HEAD_TAG.len())
        .position(|tag| tag == HEAD_TAG)
    {
        at += found;
        let head = file.get(at..at + HEAD_LEN).and_then(Head::parse);
        let body = head.and_then(|head| file.get(at + HEAD_LEN..at + HEAD_LEN + head.len as usize));
        match (head, body) {
            (Some(head), Some(body)) => {
                let (right, len) = (Head::of(body, head.durable).to_bytes(), body.len());
                file[at..at + HEAD_LEN].copy_from_slice(&right);
                at += HEAD_LEN + len;
            }
            _ => at += 1,
        }
    }
}

/// No flaw is passed over.
const STRICT: Rules = Rules {
    truncated: false,
    corrupt_tail_max: 0,
    until: None,
};

fn load_log(disk: &MemDisk, rig: &mut Rig, rules: Rules) -> Result<(), String> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let files = Files::open(disk, Path::new(LOG_DIR), LOG.as_bytes())?;
    rig.replay(|target| load::load(&files, rules, target).map(drop))
}

/// Runs the commands in `bytes`.
fn run_commands(bytes: &[u8], target: &mut dyn load::Target) -> Result<(), String> {
    let disk = MemDisk::default();
    disk.put(&format!("{LOG}.manifest"), b"file incr seq 1 type i\n");
    disk.put("incr", bytes);
    let files = Files::open(Arc::new(disk), Path::new(LOG_DIR), LOG.as_bytes())?;
    load::load(&files, STRICT, target).map(drop)
}

/// What --check-aof mends is in order afterwards.
fn check_and_mend(disk: &MemDisk) {
    let path = Path::new(LOG_DIR).join(format!("{LOG}.manifest"));
    let run = |fix| check::check(disk, &path, fix, &rdb_check::length, &mut |_| {});
    if run(Fix::Ask(&|_| true)).is_ok() {
        let again = run(Fix::No);
        assert!(again.is_ok(), "mended, and still: {again:?}");
    }
}

const LIMITS: Limits = Limits {
    bulk_max: 1 << 20,
    authenticated: true,
};

/// The parser of requests: the first byte of `input` says how large the pieces are in
/// which the rest comes. It makes no difference.
pub fn request(input: &[u8]) -> bool {
    let Some((&piece, bytes)) = input.split_first() else {
        return false;
    };
    let whole = commands(bytes, bytes.len().max(1));
    let pieces = commands(bytes, usize::from(piece) + 1);
    assert_eq!(
        whole,
        pieces,
        "in pieces of {} bytes",
        usize::from(piece) + 1
    );
    !whole.0.is_empty()
}

type Commands = Vec<Vec<Vec<u8>>>;

/// The commands in `bytes`, and the error behind them.
fn commands(bytes: &[u8], piece: usize) -> (Commands, Option<String>) {
    let (mut requests, mut found) = (Requests::default(), Vec::new());
    for bytes in bytes.chunks(piece) {
        requests.feed(bytes);
        loop {
            let parsed = requests.parse(LIMITS);
            for nth in 0..requests.ready() {
                let argv = requests.peek(nth);
                found.extend(argv.map(|argv| argv.iter().map(<[u8]>::to_vec).collect::<Vec<_>>()));
            }
            requests.take(requests.ready());
            requests.compact();
            match parsed {
                Err(error) => return (found, Some(error.to_string())),
                Ok(()) if requests.is_cut() => {}
                Ok(()) => break,
            }
        }
    }
    (found, None)
}
