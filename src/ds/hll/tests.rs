//! Against a plain array of registers, over the change of the encoding, and with
//! bytes that are no counter.

use super::*;
use crate::base::rng::Rng;

const SPARSE_MAX: usize = 3000;

fn one(element: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::once(element)
}

fn values(bytes: &[u8]) -> Vec<u8> {
    let mut registers = Registers::default();
    registers.merge(bytes).expect("a whole counter");
    registers.values().to_vec()
}

/// The runs of a sparse counter, read back; what follows from them.
fn check_sparse(bytes: &[u8]) {
    let counts = sparse::counts(&bytes[HEADER..]).expect("a whole counter");
    assert_eq!(counts.iter().sum::<u32>() as usize, REGISTERS);
}

#[test]
fn hashes_are_those_of_redis() {
    // What PFDEBUG GETREG of redis-server 7.0.15 shows after PFADD.
    for (element, register) in [
        ("a", (12711, 2)),
        ("foo", (7348, 5)),
        ("elements", (7510, 1)),
    ] {
        assert_eq!(place(element.as_bytes()), register, "{element}");
    }
}

#[test]
fn registers_agree_with_a_plain_array() {
    let mut rng = Rng::seeded(4);
    for sparse_max in [0, 40, SPARSE_MAX, usize::MAX] {
        let mut bytes = empty();
        let mut model = vec![0u8; REGISTERS];
        for step in 0..6000 {
            let element = rng.below(5000).to_le_bytes();
            let (index, rank) = place(&element);
            let lower = model[index] < rank;
            let changed = add(&mut bytes, one(&element), sparse_max).unwrap();
            assert_eq!(changed, usize::from(lower), "step {step}");
            model[index] = model[index].max(rank);
            if step % 500 == 0 && encoding(&bytes) == Ok(Encoding::Sparse) {
                check_sparse(&bytes);
            }
        }
        assert_eq!(values(&bytes), model, "{sparse_max}");
        let mut dense = bytes.clone();
        make_dense(&mut dense).unwrap();
        assert_eq!(values(&dense), model);
        assert_eq!(estimate(&dense), estimate(&bytes));
    }
}

#[test]
fn a_run_is_split_and_joined() {
    let mut bytes = empty();
    let mut cursor = sparse::Cursor::default();
    for (index, rank, want) in [
        (100, 2, "Z:100 v:2,1 Z:16283"),
        (101, 2, "Z:100 v:2,2 Z:16282"),
        (104, 2, "Z:100 v:2,2 z:2 v:2,1 Z:16279"),
        (103, 2, "Z:100 v:2,2 z:1 v:2,2 Z:16279"),
        (102, 2, "Z:100 v:2,3 v:2,2 Z:16279"),
        (101, 9, "Z:100 v:2,1 v:9,1 v:2,3 Z:16279"),
        (0, 1, "v:1,1 Z:99 v:2,1 v:9,1 v:2,3 Z:16279"),
        (16383, 32, "v:1,1 Z:99 v:2,1 v:9,1 v:2,3 Z:16278 v:32,1"),
    ] {
        cursor = sparse::Cursor::default();
        let raised = sparse::raise(&mut bytes, &mut cursor, index, rank, SPARSE_MAX);
        assert_eq!(raised, Ok(sparse::Raised::Yes));
        assert_eq!(decode(&bytes).unwrap().unwrap(), want);
    }
    let raised = sparse::raise(&mut bytes, &mut cursor, 16383, 33, SPARSE_MAX);
    assert_eq!(raised, Ok(sparse::Raised::TooLarge));
}

/// A merge goes on from where it was; that must not show in the bytes.
#[test]
fn raising_from_a_cursor_makes_the_same_bytes() {
    let mut rng = Rng::seeded(5);
    for _ in 0..300 {
        let mut bytes = empty();
        let registers = 1 + rng.below(300);
        (0..rng.below(300)).for_each(|_| {
            let mut cursor = sparse::Cursor::default();
            let (index, rank) = (rng.below(registers) as usize, 1 + rng.below(3) as u8);
            sparse::raise(&mut bytes, &mut cursor, index, rank, SPARSE_MAX).unwrap();
        });
        let mut again = bytes.clone();
        let mut cursor = sparse::Cursor::default();
        for index in 0..registers as usize {
            let rank = rng.below(5) as u8;
            if rank == 0 {
                continue;
            }
            let mut fresh = sparse::Cursor::default();
            let a = sparse::raise(&mut bytes, &mut fresh, index, rank, SPARSE_MAX);
            let b = sparse::raise(&mut again, &mut cursor, index, rank, SPARSE_MAX);
            assert_eq!((a, &bytes), (b, &again), "register {index}");
        }
        check_sparse(&bytes);
    }
}

#[test]
fn merging_takes_the_greater_values() {
    let mut rng = Rng::seeded(6);
    for round in 0..40 {
        let sizes = [10, 3000, 100];
        let mut counters = sizes.map(|_| empty());
        for (bytes, size) in counters.iter_mut().zip(sizes) {
            (0..size).for_each(|_| {
                let element = rng.below(4000).to_le_bytes();
                add(bytes, one(&element), SPARSE_MAX).unwrap();
            });
        }
        counters.rotate_left(round % 3);
        let mut registers = Registers::default();
        let mut dense = false;
        for bytes in &counters {
            dense |= registers.merge(bytes) == Ok(Encoding::Dense);
        }
        let mut merged = counters[0].clone();
        registers.write(&mut merged, dense, SPARSE_MAX).unwrap();
        let want: Vec<u8> = (0..REGISTERS)
            .map(|at| {
                counters
                    .iter()
                    .map(|bytes| values(bytes)[at])
                    .max()
                    .unwrap()
            })
            .take(64)
            .collect();
        assert_eq!(values(&merged)[..64], want);
        assert_eq!(values(&merged), registers.values());
        assert_eq!(estimate(&merged), Ok(registers.estimate()));
        assert_eq!(cached(&merged), None);
    }
}

#[test]
fn the_estimate_is_kept_until_a_register_changes() {
    let mut bytes = empty();
    assert_eq!(cached(&bytes), Some(0));
    assert_eq!(estimate(&bytes), Ok(0));
    add(&mut bytes, one(b"a"), SPARSE_MAX).unwrap();
    assert_eq!((cached(&bytes), estimate(&bytes)), (None, Ok(1)));
    cache(&mut bytes, 1);
    add(&mut bytes, one(b"a"), SPARSE_MAX).unwrap();
    assert_eq!(cached(&bytes), Some(1));
}

#[test]
fn estimates_are_close() {
    assert_eq!(self_test(&mut Rng::seeded(7)), Ok(()));
}

#[test]
fn wrong_bytes_are_refused() {
    let mut rng = Rng::seeded(8);
    for bytes in [b"".as_slice(), b"HYLL", b"HYLK\x01..............", &[0; 20]] {
        assert_eq!(encoding(bytes), Err(Invalid::Foreign));
    }
    for _ in 0..20_000 {
        let mut bytes = empty();
        bytes.truncate(HEADER);
        (0..rng.below(12)).for_each(|_| bytes.push(rng.next_u64() as u8));
        let known = estimate(&bytes);
        let mut registers = Registers::default();
        assert_eq!(registers.merge(&bytes).is_ok(), known.is_ok());
        assert_eq!(make_dense(&mut bytes.clone()).is_ok(), known.is_ok());
        let mut more = bytes.clone();
        let added = add(&mut more, one(&rng.next_u64().to_le_bytes()), SPARSE_MAX);
        assert!(added.is_ok() || known.is_err());
        assert!(decode(&bytes).is_ok());
    }
    let mut long = empty();
    long.push(0);
    assert_eq!(estimate(&long), Err(Invalid::Corrupt));
}
