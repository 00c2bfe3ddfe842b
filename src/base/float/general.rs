//! C's `%.17g`, which Redis still prints some doubles with: the scores of ZSCAN.
//!
//! Seventeen significant digits, correctly rounded, without trailing zeros; plain from
//! `1e-4` to below `1e17`, else with an exponent of at least two digits.

use std::io::Write;

/// Significant digits.
const DIGITS: usize = 17;

/// Appends the text of `value`.
pub fn push_general(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() || value == 0.0 {
        return super::push_f64(out, value);
    }
    // Rust's scientific form has the digits; the rest is layout.
    let text = format!("{:.*e}", DIGITS - 1, value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let digits = digits.trim_end_matches('0');
    if value < 0.0 {
        out.push(b'-');
    }
    match usize::try_from(exponent) {
        Ok(power) if power < DIGITS => push_plain(out, digits, power),
        Err(_) if exponent >= -4 => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + (-exponent - 1).unsigned_abs() as usize, b'0');
            out.extend_from_slice(digits.as_bytes());
        }
        _ => push_with_exponent(out, digits, exponent),
    }
}

/// Digits with the point behind the first `power + 1` of them.
fn push_plain(out: &mut Vec<u8>, digits: &str, power: usize) {
    let whole = digits.len().min(power + 1);
    out.extend_from_slice(&digits.as_bytes()[..whole]);
    out.resize(out.len() + power + 1 - whole, b'0');
    if whole < digits.len() {
        out.push(b'.');
        out.extend_from_slice(&digits.as_bytes()[whole..]);
    }
}

fn push_with_exponent(out: &mut Vec<u8>, digits: &str, exponent: i32) {
    let (first, others) = digits.split_at(1);
    out.extend_from_slice(first.as_bytes());
    if !others.is_empty() {
        out.push(b'.');
        out.extend_from_slice(others.as_bytes());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    // Writing to a vector cannot fail.
    let _ = write!(out, "e{sign}{:02}", exponent.unsigned_abs());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_printf_does() {
        for (value, want) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-17.5, "-17.5"),
            (0.1, "0.10000000000000001"),
            (100.0, "100"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (1.5e20, "1.5e+20"),
            (0.0001, "0.0001"),
            (0.00001, "1.0000000000000001e-05"),
            (std::f64::consts::PI, "3.1415926535897931"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            let mut out = Vec::new();
            push_general(&mut out, value);
            assert_eq!(String::from_utf8_lossy(&out), want);
        }
    }
}
