//! Against plain loops over single bits.

use super::*;
use crate::base::rng::Rng;

fn random(rng: &mut Rng, len: usize) -> Vec<u8> {
    // Runs of equal bytes, so that searches have something to skip.
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let byte = [0, 0xff, rng.next_u64() as u8][rng.below(3) as usize];
        let run = 1 + rng.below(100) as usize;
        bytes.extend(std::iter::repeat_n(byte, run));
    }
    bytes.truncate(len);
    bytes
}

fn range(rng: &mut Rng, bits: usize) -> Range<usize> {
    let start = rng.below(bits as u64 + 1) as usize;
    start..start + rng.below((bits - start) as u64 + 1) as usize
}

#[test]
fn single_bits() {
    let mut bytes = [0u8; 2];
    assert!(!set(&mut bytes, 0, true));
    assert!(!set(&mut bytes, 9, true));
    assert!(set(&mut bytes, 9, true));
    assert_eq!(bytes, [0x80, 0x40]);
    assert!(get(&bytes, 0) && get(&bytes, 9) && !get(&bytes, 10) && !get(&bytes, 99));
    assert!(set(&mut bytes, 0, false));
    assert_eq!(bytes, [0, 0x40]);
}

#[test]
fn counting_and_finding_agree_with_single_bits() {
    let mut rng = Rng::seeded(1);
    for _ in 0..3000 {
        let len = rng.below(700) as usize;
        let bytes = random(&mut rng, len);
        let bits = range(&mut rng, 8 * len);
        let want = bits.clone().filter(|&bit| get(&bytes, bit)).count();
        assert_eq!(count(&bytes, bits.clone()), want, "{bits:?} of {bytes:?}");
        for value in [true, false] {
            let want = bits.clone().find(|&bit| get(&bytes, bit) == value);
            let found = find(&bytes, value, bits.clone());
            assert_eq!(found, want, "{value} in {bits:?} of {bytes:?}");
        }
    }
}

#[test]
fn combining_agrees_with_single_bits() {
    let names = [
        "and", "OR", "Xor", "NOT", "diff", "DIFF1", "andor", "one", "nor",
    ];
    let ops: Vec<Op> = (names.iter().filter_map(|name| Op::named(name.as_bytes()))).collect();
    assert_eq!(ops.len(), 8);
    let mut rng = Rng::seeded(2);
    for round in 0..400 {
        let op = ops[round % 8];
        let number = if op == Op::Not { 1 } else { 1 + rng.below(4) };
        let len = [300, BLOCK as u64 + 300][usize::from(round % 16 < 8)];
        let sources: Vec<Vec<u8>> = (0..number)
            .map(|_| {
                let len = rng.below(len) as usize;
                random(&mut rng, len)
            })
            .collect();
        let slices: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
        let result = combine(op, &slices);
        assert_eq!(result.len(), sources.iter().map(Vec::len).max().unwrap());
        for bit in 0..8 * result.len() {
            let has: Vec<bool> = slices.iter().map(|source| get(source, bit)).collect();
            let others = has[1..].contains(&true);
            let number = has.iter().filter(|has| **has).count();
            let want = match op {
                Op::And => number == has.len(),
                Op::Or => number > 0,
                Op::Xor => number % 2 == 1,
                Op::Not => !has[0],
                Op::Diff => has[0] && !others,
                Op::Diff1 => !has[0] && others,
                Op::AndOr => has[0] && others,
                Op::One => number == 1,
            };
            assert_eq!(get(&result, bit), want, "{op:?}, bit {bit}");
        }
    }
}

#[test]
fn fields_agree_with_single_bits() {
    let mut rng = Rng::seeded(3);
    for _ in 0..5000 {
        let signed = rng.below(2) == 0;
        let bits = 1 + rng.below(if signed { 64 } else { 63 }) as u32;
        let field = Field::new(signed, bits).unwrap();
        let mut bytes = random(&mut rng, 20);
        let offset = rng.below(160 - u64::from(bits) + 1) as usize;
        let value = rng.next_u64() as i64;
        let before = bytes.clone();
        field.write(&mut bytes, offset, value);
        for bit in 0..160 {
            let want = if (offset..offset + field.bits()).contains(&bit) {
                let place = offset + field.bits() - 1 - bit;
                value >> place & 1 == 1
            } else {
                get(&before, bit)
            };
            assert_eq!(get(&bytes, bit), want, "bit {bit} of {field:?} at {offset}");
        }
        assert_eq!(field.read(&bytes, offset), field.wrapped(value));
    }
    let field = Field::new(false, 16).unwrap();
    assert_eq!(field.read(b"\x01", 0), 256, "bits behind the end are 0");
    assert_eq!(field.read(b"", 999), 0);
    assert_eq!(Field::new(false, 64), None);
    assert_eq!(Field::new(true, 65), None);
    assert_eq!(Field::new(true, 0), None);
}

#[test]
fn sums_that_do_not_fit() {
    let (u8, i8) = (Field::new(false, 8).unwrap(), Field::new(true, 8).unwrap());
    let (i64, u63) = (
        Field::new(true, 64).unwrap(),
        Field::new(false, 63).unwrap(),
    );
    use Overflow::{Fail, Saturate, Wrap};
    for (field, value, delta, overflow, want) in [
        (u8, 250, 5, Fail, (255, false)),
        (u8, 250, 6, Wrap, (0, true)),
        (u8, 250, 6, Saturate, (255, true)),
        (u8, 3, -4, Wrap, (255, true)),
        (u8, 3, -4, Saturate, (0, true)),
        (u8, -1, 0, Wrap, (255, true)),
        (i8, 127, 1, Wrap, (-128, true)),
        (i8, 127, 1, Saturate, (127, true)),
        (i8, -128, -1, Wrap, (127, true)),
        (i8, -128, -1, Saturate, (-128, true)),
        (i8, 127, -255, Fail, (-128, false)),
        (i8, 300, 0, Wrap, (44, true)),
        (i8, i64::MIN, 0, Saturate, (127, true)),
        (i8, -129, 0, Saturate, (-128, true)),
        (i64, i64::MAX, 1, Wrap, (i64::MIN, true)),
        (i64, i64::MAX, 1, Saturate, (i64::MAX, true)),
        (i64, i64::MIN, i64::MAX, Fail, (-1, false)),
        (i64, i64::MIN, -1, Saturate, (i64::MIN, true)),
        (u63, i64::MAX, 1, Wrap, (0, true)),
        (u63, 5, i64::MIN, Saturate, (0, true)),
    ] {
        let got = field.add(value, delta, overflow);
        assert_eq!(got, want, "{field:?}: {value} + {delta}, {overflow:?}");
    }
}
