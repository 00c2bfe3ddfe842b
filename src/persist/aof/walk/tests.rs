//! Files of commands that are whole, cut off at every place, torn and damaged.

use super::super::record::{Encoder, push_command};
use super::super::testing::{chunk, commands};
use super::*;

/// Keeps what it is shown, command by command.
#[derive(Default)]
struct Shown {
    commands: Vec<Vec<u8>>,
    reached: Vec<u64>,
}

impl Visit for Shown {
    fn command(&mut self, raw: &[u8], name: &[u8]) -> Result<(), String> {
        if name == b"STOP" {
            return Err("stopped".into());
        }
        self.commands.push(raw.to_vec());
        Ok(())
    }

    fn reached(&mut self, offset: u64) -> Result<(), String> {
        self.reached.push(offset);
        Ok(())
    }
}

fn walk_until(bytes: &[u8], until: Option<i64>) -> (Walked, Shown) {
    let mut shown = Shown::default();
    let walked = walk(&mut &bytes[..], 0, until, &mut shown);
    (walked, shown)
}

fn walked(bytes: &[u8]) -> (Walked, Shown) {
    walk_until(bytes, None)
}

/// Units of one to three commands, each with the bytes it adds to a file.
fn units() -> Vec<Vec<u8>> {
    let mut encoder = Encoder::default();
    let mut units = Vec::new();
    for n in 0..9usize {
        let mut out = Vec::new();
        encoder.time(100 + n as i64, &mut out);
        let db = n / 3;
        let value = vec![b'a' + n as u8; n * 7];
        match n % 3 {
            0 => encoder.command(db, &[b"SET", b"key", &value], &mut out),
            _ => {
                encoder.select(db, &mut out);
                push_command(&[b"MULTI"], &mut out);
                encoder.command(db, &[b"APPEND", b"key", b"\r\n"], &mut out);
                encoder.command(db + 1, &[b"INCR", &value], &mut out);
                encoder.end(&mut out);
            }
        }
        units.push(out);
    }
    units
}

/// The same as chunks, each of which calls everything before the last one durable.
fn chunks() -> Vec<Vec<u8>> {
    let (mut durable, mut written) = (0, 0);
    let mut chunks = Vec::new();
    for unit in units() {
        let mut chunk = Head::of(&unit, durable).to_bytes().to_vec();
        chunk.extend_from_slice(&unit);
        durable = written;
        written += chunk.len() as u64;
        chunks.push(chunk);
    }
    chunks
}

/// Where each part ends.
fn ends(parts: &[Vec<u8>]) -> Vec<usize> {
    let mut end = 0;
    let ends = parts.iter().map(|part| {
        end += part.len();
        end
    });
    ends.collect()
}

#[test]
fn a_whole_file_is_shown_whole() {
    for parts in [units(), chunks()] {
        let bytes = parts.concat();
        let (walked, shown) = walked(&bytes);
        assert!(matches!(walked.end, End::Whole), "{walked:?}");
        assert_eq!(walked.good, bytes.len() as u64);
        let commands: usize = shown.commands.iter().map(Vec::len).sum();
        let (_, plain) = super::tests::walked(&units().concat());
        assert_eq!(shown.commands, plain.commands);
        assert!(commands > 0);
    }
}

#[test]
fn cut_anywhere_the_whole_units_before_hold() {
    for parts in [units(), chunks()] {
        let (bytes, ends) = (parts.concat(), ends(&parts));
        for cut in 0..bytes.len() {
            let (walked, shown) = walked(&bytes[..cut]);
            let whole = ends.iter().copied().filter(|&end| end <= cut).max();
            let good = walked.good as usize;
            assert!(
                good >= whole.unwrap_or(0) && good <= cut,
                "{cut} {walked:?}"
            );
            match walked.end {
                End::Whole => assert_eq!(good, cut),
                End::Cut(_) => assert!(good < cut),
                other => panic!("{cut}: {other:?}"),
            }
            // What is good holds by itself.
            let (again, _) = super::tests::walked(&bytes[..good]);
            assert!(matches!(again.end, End::Whole), "{cut} {again:?}");
            assert!(shown.reached.last().is_none_or(|&last| last == walked.good));
        }
    }
}

#[test]
fn a_flipped_bit_in_a_chunk_is_a_cut_end_or_damage() {
    let parts = chunks();
    let (bytes, ends) = (parts.concat(), ends(&parts));
    let (_, whole) = walked(&bytes);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let (walked, shown) = walked(&flipped);
            // What was shown is a beginning of what was written, whatever happened.
            assert!(
                whole.commands.starts_with(&shown.commands),
                "{at} {bit} {walked:?}"
            );
            let part = ends.iter().position(|&end| at < end).expect("a part");
            let durable = part + 2 < parts.len();
            match walked.end {
                // The tag of a head is not covered; what follows it was not touched.
                End::Whole => assert_eq!(shown.commands, whole.commands),
                End::Cut(_) => assert!(!durable || walked.good as usize > at, "{at} {bit}"),
                End::Damaged(..) => {}
                other => panic!("{at} {bit}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_flipped_bit_in_plain_commands_never_panics() {
    let bytes = units().concat();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let (walked, _) = walked(&flipped);
            assert!(walked.good <= bytes.len() as u64);
        }
    }
}

#[test]
fn a_torn_end_is_cut_and_lost_data_is_damage() {
    let parts = chunks();
    let (bytes, ends) = (parts.concat(), ends(&parts));
    // Zeros in the last chunk but one: no head calls it durable.
    let torn = ends[ends.len() - 3];
    let mut zeros = bytes.clone();
    zeros[torn + HEAD_LEN..torn + HEAD_LEN + 10].fill(0);
    let (cut, _) = walked(&zeros);
    assert!(matches!(cut.end, End::Cut(Cut::Chunk)), "{cut:?}");
    assert_eq!(cut.good as usize, torn);
    // Zeros in an early one: later heads do.
    let mut zeros = bytes;
    zeros[HEAD_LEN..HEAD_LEN + 10].fill(0);
    let (lost, _) = walked(&zeros);
    assert!(
        matches!(lost.end, End::Damaged(0, Damage::Checksum)),
        "{lost:?}"
    );
}

#[test]
fn time_ends_a_walk_before_what_came_later() {
    let bytes = units().concat();
    let (until, shown) = walk_until(&bytes, Some(103));
    assert!(matches!(until.end, End::Time));
    let (plain, some) = walked(&bytes[..until.good as usize]);
    assert!(matches!(plain.end, End::Whole));
    assert_eq!(some.commands, shown.commands);
    assert_eq!(until.good as usize, ends(&units())[3]);
}

#[test]
fn units_have_two_brackets() {
    let mut bytes = Vec::new();
    push_command(&[b"MULTI"], &mut bytes);
    let (open, _) = walked(&bytes);
    assert!(matches!(open.end, End::Cut(Cut::Unit)));
    assert_eq!(open.good, 0);
    let first = bytes.len() as u64;
    push_command(&[b"multi"], &mut bytes);
    let (twice, _) = walked(&bytes);
    assert!(matches!(twice.end, End::Damaged(at, Damage::Bracket("MULTI")) if at == first));
    let mut bytes = Vec::new();
    push_command(&[b"EXEC"], &mut bytes);
    let (alone, _) = walked(&bytes);
    assert!(matches!(
        alone.end,
        End::Damaged(0, Damage::Bracket("EXEC"))
    ));
}

#[test]
fn a_visitor_may_stop_it() {
    let mut bytes = units()[0].clone();
    let good = bytes.len() as u64;
    push_command(&[b"STOP"], &mut bytes);
    let (stopped, _) = walked(&bytes);
    assert!(matches!(stopped.end, End::Refused(_)));
    assert_eq!(stopped.good, good);
}

/// A record that is larger than what is read at once.
#[test]
fn large_records_are_read_whole() {
    let value = vec![b'x'; 3 * READ_SIZE + 7];
    let mut bytes = Vec::new();
    push_command(&[b"SET", b"k", &value], &mut bytes);
    let mut file = Head::of(&bytes, 0).to_bytes().to_vec();
    file.extend_from_slice(&bytes);
    file.extend_from_slice(&bytes);
    let (walked, shown) = walked(&file);
    assert!(matches!(walked.end, End::Whole));
    assert_eq!(shown.commands, [bytes.clone(), bytes]);
}

#[test]
fn a_walk_is_ahead_where_a_damaged_chunk_has_shown_units() {
    let (a, exec) = (commands(&["A"]), commands(&["EXEC"]));
    let open = commands(&["MULTI", "A"]);
    let whole = commands(&["MULTI", "A", "EXEC"]);
    for (bytes, is_ahead) in [
        (a.clone(), false),
        (open.clone(), false),
        ([&a[..], b"!"].concat(), false),
        (chunk(&a), false),
        (chunk(&open), false),
        (chunk(b"!"), false),
        (chunk(&[&open[..], b"!"].concat()), false),
        // What a later chunk has not shown is not ahead of an earlier one's end.
        ([chunk(&a), chunk(b"!")].concat(), false),
        (chunk(&[&a[..], b"!"].concat()), true),
        (chunk(&[&whole[..], b"!"].concat()), true),
        (chunk(&[&a[..], &open].concat()), true),
        (chunk(&[&whole[..], &exec].concat()), true),
        (
            [chunk(&open), chunk(&exec[..exec.len() - 1])].concat(),
            false,
        ),
        (
            [chunk(&open), chunk(&[&exec[..], b"!"].concat())].concat(),
            true,
        ),
    ] {
        let (walked, shown) = walked(&bytes);
        assert_eq!(
            walked.is_ahead,
            is_ahead,
            "{} {walked:?}",
            bytes.escape_ascii()
        );
        assert!(!is_ahead || !shown.commands.is_empty());
    }
}
