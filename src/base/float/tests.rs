//! The expected texts were captured from redis-server 7.0.15 (what reads as a
//! number, INCRBYFLOAT) and valkey-server 9.1.2 (doubles printed as Redis 7.2
//! prints them).

use super::*;
use proptest::prelude::*;

fn printed(value: f64) -> String {
    let mut out = Vec::new();
    push_f64(&mut out, value);
    String::from_utf8(out).unwrap()
}

fn extended(text: &str) -> Extended {
    Extended::parse(text.as_bytes()).unwrap_or_else(|| panic!("{text:?} does not read"))
}

fn text_of(value: Extended) -> String {
    String::from_utf8(value.to_redis_text()).unwrap()
}

/// What INCRBYFLOAT of `by` makes of a stored `text`.
fn sum(text: &str, by: &str) -> Option<String> {
    extended(text).checked_add(extended(by)).map(text_of)
}

const NOT_NUMBERS: &[&str] = &[
    "",
    ".",
    "+",
    "-",
    "+-1",
    "--1",
    "1e",
    "1e+",
    "1e+-5",
    "1e5.5",
    ".e3",
    " 1",
    "1 ",
    "\t1",
    "\n1",
    "1\n",
    "\x0b1",
    "1\0",
    "\x001",
    "1 2",
    "1,5",
    "1_0",
    "0b1",
    "1f",
    "0x",
    "0x.",
    "0x.p1",
    "0x1p",
    "0x1p+",
    "0xg",
    "0x1 ",
    "0xinf",
    "i",
    "n",
    "infinit",
    "infx",
    "infinity ",
    "nan",
    "NAN",
    "-nan",
    "nan()",
    "nan(12)",
    "\u{663}",
    "1e999999999999999999999",
    "1e-999999999999999999999",
];

#[test]
fn what_is_not_a_number() {
    for text in NOT_NUMBERS {
        assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
        assert_eq!(Extended::parse(text.as_bytes()), None, "{text:?}");
    }
}

#[test]
fn forms_of_numbers() {
    for (text, want) in [
        ("5.", "5"),
        (".5", "0.5"),
        ("+.5", "0.5"),
        ("-.5", "-0.5"),
        ("1e5", "100000"),
        ("1E+05", "100000"),
        ("1e-5", "0.00001"),
        ("1.e3", "1000"),
        ("00001", "1"),
        ("1e00000000000000000000000000005", "100000"),
        ("0e999999999999999999999", "0"),
        ("0e-999999999999999999999", "0"),
        ("0x1", "1"),
        ("0X1.8P3", "12"),
        ("0x.8", "0.5"),
        ("0x8.", "8"),
        ("0x1p-3", "0.125"),
        ("-0xAb.C", "-171.75"),
        ("0x0p999999999999999", "0"),
        ("inf", "inf"),
        ("+INF", "inf"),
        ("Infinity", "inf"),
        ("-infinity", "-inf"),
    ] {
        assert_eq!(
            parse_f64(text.as_bytes()).map(printed).as_deref(),
            Some(want),
            "{text:?}"
        );
        assert_eq!(text_of(extended(text)), want, "{text:?}");
    }
}

#[test]
fn doubles_at_the_ends_of_their_range() {
    for (text, want) in [
        ("1.7976931348623158e308", Some(f64::MAX)),
        ("1.7976931348623159e308", None),
        ("-1e400", None),
        ("0x1.fffffffffffff7p1023", Some(f64::MAX)),
        ("0x1.fffffffffffff8p1023", None),
        ("0x1p1024", None),
        ("0x1p-1022", Some(f64::MIN_POSITIVE)),
        ("0x0.fffffffffffffp-1022", Some(2.225_073_858_507_201e-308)),
        ("3e-324", Some(5e-324)),
        ("2e-324", None),
        ("2.4703282292062327e-324", None),
        ("2.4703282292062328e-324", Some(5e-324)),
        ("0x1p-1074", Some(5e-324)),
        ("0x1p-1075", None),
        ("0x1.8p-1075", Some(5e-324)),
        ("0x1.00000000000008p0", Some(1.0)),
        (
            "0x1.000000000000080000000000000000000000001p0",
            Some(1.000_000_000_000_000_2),
        ),
    ] {
        assert_eq!(parse_f64(text.as_bytes()), want, "{text:?}");
    }
    assert!(parse_f64(b"-0").is_some_and(|zero| zero.is_sign_negative()));
}

#[test]
fn doubles_print_as_in_redis_7_2() {
    for (value, want) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (3.0, "3"),
        (-0.5, "-0.5"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (0.001, "0.001"),
        (1e-5, "0.00001"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-6, "1.5e-6"),
        (1.5e-7, "1.5e-7"),
        (0.00001234567, "1.234567e-5"),
        (0.0001234567, "1.234567e-4"),
        (1234567.1234567, "1.2345671234567e+6"),
        (1.1e9, "1100000000"),
        (1e18, "1000000000000000000"),
        (4611686018427387904.0, "4611686018427387904"),
        (-1.354685686308011e+18, "-1354685686308011008"),
        (9223372036854775807.0, "9223372036854776000"),
        (1e20, "1e+20"),
        (1e21, "1e+21"),
        (1e22, "1e+22"),
        (123e20, "12300000000000001000000"),
        (1e23, "99999999999999990000000"),
        (123456789012345680000.0, "123456789012345680000"),
        (1234567890123456789012.0, "1234567890123456800000"),
        (1e100, "1e+100"),
        (-1e300, "-1e+300"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (5e-324, "5e-324"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
        (-f64::NAN, "nan"),
    ] {
        assert_eq!(printed(value), want);
    }
}

#[test]
fn doubles_whose_shortest_text_redis_misses() {
    for (value, want) in [
        (-1.547182503134182e-78, "-1.5471825031341819e-78"),
        (-1.651484200947297e+116, "-1.6514842009472968e+116"),
    ] {
        assert_eq!(printed(value), want);
    }
}

#[test]
fn sums_show_64_bits_of_mantissa() {
    for (stored, by, want) in [
        ("10.5", "0.1", "10.6"),
        ("5.0e3", "2.0e2", "5200"),
        ("-0.1", "0.1", "0"),
        ("0.1", "-0.2", "-0.1"),
        ("-5e-18", "0", "0"),
        ("15e-18", "0", "0.00000000000000002"),
        ("0x1.8p-57", "0", "0.00000000000000001"),
        ("1e18", "0.1", "1000000000000000000.125"),
        ("1e19", "0.1", "10000000000000000000"),
        ("0x1p64", "1", "18446744073709551616"),
        ("0x1p64", "3", "18446744073709551620"),
        ("36893488147419103232", "0.5", "36893488147419103232"),
    ] {
        assert_eq!(sum(stored, by).as_deref(), Some(want), "{stored} + {by}");
    }
}

#[test]
fn bits_lost_in_alignment_break_ties() {
    let tiny = "0x1p-16445";
    for (half_way, by, want) in [
        ("0x1.00000000000000010p0", tiny, "0x1p0"),
        ("0x1p0", "0x1p-64", "0x1p0"),
        (
            "0x1.0000000000000002p0",
            "0x1p-64",
            "0x1.0000000000000004p0",
        ),
        ("0x1p0", "0x1.000000000000002p-64", "0x1.0000000000000002p0"),
        ("0x1p0", "-0x1p-65", "0x1p0"),
        (
            "0x1p0",
            "-0x1.000000000000002p-65",
            "0x1.fffffffffffffffep-1",
        ),
        ("0x1p0", "-0x1p-16445", "0x1p0"),
        ("-0x1p0", tiny, "-0x1p0"),
    ] {
        let sum = extended(half_way).checked_add(extended(by));
        assert_eq!(sum, Some(extended(want)), "{half_way} + {by}");
    }
}

#[test]
fn extended_at_the_ends_of_its_range() {
    for text in [
        "1e4933",
        "1.19e4932",
        "0x1p16384",
        "0x1.ffffffffffffffffp16383",
        "1e-4951",
        "1.82e-4951",
        "0x1p-16446",
    ] {
        assert_eq!(Extended::parse(text.as_bytes()), None, "{text}");
    }
    let least = extended("0x1p-16445");
    assert_eq!(extended("1.83e-4951"), least);
    assert_eq!(extended("0x1.8p-16446"), least);
    assert_eq!(text_of(least), "0");
    assert_eq!(sum("0x1p-16445", "-0x1p-16445").as_deref(), Some("0"));

    let largest = text_of(extended("0x1.fffffffffffffffep16383"));
    assert_eq!(largest.len(), 4933);
    assert!(largest.starts_with("1189731495357231765021263"));
    assert!(largest.ends_with("6604419552086811989770240"));
    let power = text_of(extended("1e4932"));
    assert!(power.starts_with("1000000000000000000006018"));
    assert!(power.ends_with("1086538418113791886622720"));
}

#[test]
fn sums_that_are_not_finite_are_refused() {
    assert_eq!(sum("1e4932", "1e4932"), None);
    assert_eq!(sum("inf", "1"), None);
    assert_eq!(sum("1", "-inf"), None);
    assert_eq!(sum("inf", "-inf"), None);
    assert!(extended("-inf").is_infinite());
    assert!(!extended("1e4932").is_infinite());
}

#[test]
fn long_texts() {
    let zeros = |count: usize| "0".repeat(count);
    let longest = zeros(MAX_TEXT_LEN - 2) + "1";
    assert_eq!(text_of(extended(&longest)), "1");
    assert_eq!(Extended::parse(format!("0{longest}").as_bytes()), None);
    assert_eq!(parse_f64(format!("0{longest}").as_bytes()), Some(1.0));
    let (small, large) = (zeros(5000), zeros(5000));
    for (text, want) in [
        (format!("0.{small}1e5000"), "0.1"),
        (format!("1{large}e-5000"), "1"),
        (format!("0x1{large}p-20000"), "1"),
        (format!("0x0.{small}1p20004"), "1"),
    ] {
        assert_eq!(text_of(extended(&text)), want);
        assert_eq!(
            parse_f64(text.as_bytes()).map(printed).as_deref(),
            Some(want)
        );
    }
}

/// The text of `units * 10^-17` without trailing zeros.
fn fixed_point(units: i128) -> String {
    let one = 10u128.pow(17);
    let (whole, rest) = (units.unsigned_abs() / one, units.unsigned_abs() % one);
    let sign = if units < 0 { "-" } else { "" };
    let text = format!("{sign}{whole}.{rest:017}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number with `decimals` digits behind the point, exactly.
fn decimal(digits: u128, decimals: usize) -> String {
    let text = format!("{digits:0width$}", width = decimals + 1);
    let (whole, fraction) = text.split_at(text.len() - decimals);
    format!("{whole}.{fraction}")
}

proptest! {
    /// Up to 16 the errors of two readings and a sum stay below half a unit of
    /// the 17th decimal.
    #[test]
    fn small_decimals_add_exactly(a in -8 * 10i128.pow(17)..8 * 10i128.pow(17),
                                  b in -8 * 10i128.pow(17)..8 * 10i128.pow(17)) {
        prop_assert_eq!(sum(&fixed_point(a), &fixed_point(b)), Some(fixed_point(a + b)));
    }

    /// Checks addition against reading, which rounds by another path.
    #[test]
    fn integers_add_as_the_text_of_their_sum_reads(a: i64, b: i64, a_shift in 0..60u32,
                                                   b_shift in 0..60u32) {
        let (a, b) = (i128::from(a) << a_shift, i128::from(b) << b_shift);
        let total = extended(&a.to_string()).checked_add(extended(&b.to_string()));
        prop_assert_eq!(total.map(text_of), Some(text_of(extended(&(a + b).to_string()))));
    }

    #[test]
    fn integers_read_back(mantissa: u64, exponent in 0..=16320u32) {
        let value = extended(&format!("0x{mantissa:x}p{exponent}"));
        prop_assert_eq!(extended(&text_of(value)), value);
    }

    /// 70 bits of mantissa: six too many, so ties and near ties are among them.
    #[test]
    fn decimal_and_hexadecimal_texts_read_alike(top: u64, low in 0u128..64, decimals in 0..24usize) {
        let mantissa = u128::from(top) << 6 | low;
        let scaled = mantissa * 5u128.pow(decimals as u32);
        let (dec, hex) = (decimal(scaled, decimals), format!("0x{mantissa:x}p-{decimals}"));
        prop_assert_eq!(extended(&dec), extended(&hex), "{}", &dec);
        prop_assert_eq!(parse_f64(dec.as_bytes()), parse_f64(hex.as_bytes()), "{}", &dec);
    }

    #[test]
    fn doubles_read_back(bits: u64) {
        let value = f64::from_bits(bits);
        let text = printed(value);
        prop_assert!(text.len() <= 25, "{}", &text);
        let back = parse_f64(text.as_bytes()).map(f64::to_bits);
        prop_assert_eq!(back, (!value.is_nan()).then_some(bits), "{}", &text);
    }

    /// Grisu2 now and then gives a digit more than the shortest text, as Redis does;
    /// it is the same number all the same.
    #[test]
    fn short_decimals_keep_their_value(digits in 1i64..10i64.pow(9), decimals in 1..7usize) {
        let text = decimal(digits.unsigned_abs().into(), decimals);
        let value = parse_f64(text.as_bytes());
        let again = value.and_then(|value| parse_f64(printed(value).as_bytes()));
        prop_assert_eq!(again, value);
        prop_assert!(value.is_some());
    }

    #[test]
    fn decimals_read_as_the_standard_library_reads_them(text in "-?[0-9]{1,14}(\\.[0-9]{1,13})?") {
        let want: f64 = text.parse().expect("a number");
        prop_assert_eq!(parse_f64(text.as_bytes()).map(f64::to_bits), Some(want.to_bits()), "{}", text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(text in "[-+0-9a-fA-F.xXpPin]{0,24}") {
        if let Some(value) = Extended::parse(text.as_bytes()) {
            prop_assert!(value.is_infinite() || extended(&text_of(value)).checked_add(value).is_some());
        }
        prop_assert_ne!(parse_f64(text.as_bytes()).map(f64::is_nan), Some(true));
    }
}

#[test]
fn doubles_become_extended_exactly() {
    for (value, want) in [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (13.361389338970184, "13.36138933897018433"),
        (-122.27652043104172, "-122.27652043104171753"),
        (1e300 / 1e300, "1"),
        (f64::INFINITY, "inf"),
    ] {
        let extended = Extended::from_f64(value).expect("no NaN");
        assert_eq!(String::from_utf8_lossy(&extended.to_redis_text()), want);
    }
    assert!(Extended::from_f64(f64::NAN).is_none());
}
