//! Logs of several files that are loaded, cut off or refused as Redis does it.

use super::super::record::Head;
use super::super::testing::{chunk, commands, put};
use super::*;
use crate::persist::disk::Disk;
use crate::persist::disk::sim::SimDisk;
use std::sync::Arc;

/// Keeps the names of what it is given.
#[derive(Default)]
struct Names(Vec<String>);

impl Target for Names {
    fn snapshot(&mut self, mut input: Box<dyn Read + Send>, _size: u64) -> Result<u64, String> {
        let mut bytes = [0; 9];
        input
            .read_exact(&mut bytes)
            .map_err(|error| error.to_string())?;
        self.0.push("<snapshot>".into());
        Ok(9)
    }

    fn command(&mut self, _raw: &[u8], name: &[u8]) -> Result<(), String> {
        if name == b"BLA" {
            return Err("Unknown command 'BLA'".into());
        }
        self.0.push(String::from_utf8_lossy(name).into_owned());
        Ok(())
    }

    fn settle(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn abandon(&mut self) {
        self.0.push("<abandoned>".into());
    }

    fn progress(&mut self, _bytes: u64) {}
}

fn content(disk: &SimDisk, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut input = disk.read(&Path::new("dir").join(name)).expect("a file");
    input.read_to_end(&mut bytes).expect("memory");
    bytes
}

const STRICT: Rules = Rules {
    truncated: false,
    corrupt_tail_max: 0,
    until: None,
};
const LENIENT: Rules = Rules {
    truncated: true,
    ..STRICT
};

/// Loads a log of a base and two files of commands.
fn load_three(disk: &SimDisk, rules: Rules) -> (Result<Loaded, String>, Vec<String>) {
    let manifest = b"file b seq 1 type b\nfile x seq 1 type i\nfile y seq 2 type i\n";
    put(disk, "log.manifest", manifest);
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let files = Files::open(disk, Path::new("dir"), b"log").expect("a manifest");
    let mut names = Names::default();
    let loaded = load(&files, rules, &mut names);
    (loaded, names.0)
}

fn three(base: &[u8], x: &[u8], y: &[u8]) -> SimDisk {
    let disk = SimDisk::new(1);
    put(&disk, "b", base);
    put(&disk, "x", x);
    put(&disk, "y", y);
    disk
}

#[test]
fn files_are_loaded_in_order() {
    let disk = three(b"REDIS0010", &commands(&["A", "B"]), &commands(&["C"]));
    let (loaded, names) = load_three(&disk, STRICT);
    let loaded = loaded.expect("a good log");
    assert_eq!(names, ["<snapshot>", "A", "B", "C"]);
    assert_eq!(
        (loaded.base_bytes, loaded.found, loaded.stopped),
        (9, true, false)
    );
}

#[test]
fn nothing_is_a_good_log_too() {
    let (loaded, names) = load_three(&three(b"", b"", b""), STRICT);
    assert!(loaded.expect("an empty log").found && names.is_empty());
}

#[test]
fn a_missing_file_is_refused() {
    let disk = three(b"", b"", b"");
    disk.remove(Path::new("dir/x")).expect("it is there");
    let (loaded, _) = load_three(&disk, LENIENT);
    let why = loaded.expect_err("a file is missing");
    assert!(
        why.starts_with("Unable to obtain the AOF file x length. stat:"),
        "{why}"
    );
}

#[test]
fn only_the_last_file_may_be_cut_off() {
    let whole = commands(&["A", "B"]);
    let cut = &whole[..whole.len() - 1];
    let good = commands(&["A"]);
    let disk = three(b"", cut, &commands(&["C"]));
    let (loaded, _) = load_three(&disk, LENIENT);
    let why = "Fatal error: the truncated file is not the last file";
    assert_eq!(loaded, Err(why.into()));
    // What follows it is nothing.
    let disk = three(b"", cut, b"");
    let (loaded, names) = load_three(&disk, LENIENT);
    assert!(loaded.is_ok());
    assert_eq!(names, ["A", "<abandoned>"]);
    assert_eq!(content(&disk, "x"), good);
    let (loaded, _) = load_three(&three(b"", b"", cut), STRICT);
    let why = loaded.expect_err("that is not allowed");
    assert!(
        why.starts_with("Unexpected end of file reading the append only file y."),
        "{why}"
    );
}

#[test]
fn an_open_unit_is_left_out() {
    let bytes = commands(&["A", "MULTI", "B"]);
    let disk = three(b"", b"", &bytes);
    let (loaded, names) = load_three(&disk, LENIENT);
    assert!(loaded.is_ok());
    assert_eq!(names, ["A", "MULTI", "B", "<abandoned>"]);
    assert_eq!(content(&disk, "y"), commands(&["A"]));
}

#[test]
fn damage_is_refused_unless_it_is_short_and_at_the_end() {
    let mut bytes = commands(&["A"]);
    bytes.extend_from_slice(b"!!!");
    bytes.extend_from_slice(&commands(&["B"]));
    let tail = (bytes.len() - commands(&["A"]).len()) as u64;
    let disk = three(b"", b"", &bytes);
    let rules = Rules {
        corrupt_tail_max: tail - 1,
        ..LENIENT
    };
    let (loaded, _) = load_three(&disk, rules);
    let why = loaded.expect_err("it is damaged");
    assert!(
        why.starts_with("Bad file format reading the append only file y:"),
        "{why}"
    );
    let rules = Rules {
        corrupt_tail_max: tail,
        ..LENIENT
    };
    let (loaded, _) = load_three(&disk, rules);
    assert!(loaded.is_ok());
    assert_eq!(content(&disk, "y"), commands(&["A"]));
}

#[test]
fn unknown_commands_are_refused() {
    let (loaded, _) = load_three(&three(b"", b"", &commands(&["A", "BLA"])), LENIENT);
    let why = "Unknown command 'BLA' reading the append only file y";
    assert_eq!(loaded, Err(why.into()));
}

#[test]
fn time_stops_it() {
    let mut bytes = b"#TS:10\r\n".to_vec();
    bytes.extend_from_slice(&commands(&["A"]));
    bytes.extend_from_slice(b"#TS:20\r\n");
    bytes.extend_from_slice(&commands(&["B"]));
    let rules = Rules {
        until: Some(15),
        ..STRICT
    };
    let (loaded, names) = load_three(&three(b"", &bytes, &commands(&["C"])), rules);
    assert!(loaded.expect("a good log").stopped);
    assert_eq!(names, ["A"]);
    let (loaded, _) = load_three(&three(&bytes[bytes.len() - 19..], b"", b""), rules);
    assert!(
        loaded
            .expect_err("the base is later")
            .contains("nothing before")
    );
}

/// Chunks that the power has torn are a cut end; the loader leaves nothing of them.
#[test]
fn a_torn_chunk_is_cut_off() {
    let mut bytes = Head::of(b"", 0).to_bytes().to_vec();
    let good = bytes.len();
    let body = commands(&["A", "B"]);
    bytes.extend_from_slice(&Head::of(&body, good as u64).to_bytes());
    bytes.extend_from_slice(&body);
    for torn in good..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[torn..].fill(0);
        let disk = three(b"", b"", &bytes);
        let (loaded, names) = load_three(&disk, LENIENT);
        assert!(loaded.is_ok(), "{torn}: {loaded:?}");
        assert!(!names.contains(&"A".into()));
        assert_eq!(content(&disk, "y").len(), good);
    }
}

/// No writer makes such chunks: their checksums fit, and yet a unit is open at the end of
/// one, or something in it is no command. Before that, `A` has run.
#[test]
fn nothing_is_cut_off_that_has_run() {
    let open_unit = chunk(&commands(&["A", "MULTI", "B"]));
    let no_command = chunk(&[commands(&["A"]), b"!!!".to_vec()].concat());
    let rules = Rules {
        corrupt_tail_max: u64::MAX,
        ..LENIENT
    };
    for bytes in [open_unit, no_command] {
        let disk = three(b"", b"", &bytes);
        let (loaded, names) = load_three(&disk, rules);
        let why = loaded.expect_err("A would be lost");
        assert!(
            why.starts_with("Bad file format reading the append only file y:"),
            "{why}"
        );
        assert_eq!(names[0], "A");
        assert_eq!(content(&disk, "y"), bytes);
    }
    // Where nothing has run, the whole chunk goes.
    for body in [commands(&["MULTI", "B"]), b"!!!".to_vec()] {
        let disk = three(b"", b"", &chunk(&body));
        let (loaded, _) = load_three(&disk, rules);
        assert!(loaded.is_ok(), "{loaded:?}");
        assert_eq!(content(&disk, "y"), b"");
    }
}
