//! HTTP Basic authentication (RFC 7617): whether the header carries the password.
//! Any user name will do: there is one user.

/// Longest credentials that are looked at.
const CREDENTIALS_MAX: usize = 4096;

/// Whether an Authorization header carries this password.
pub fn carries(header: &str, password: &[u8]) -> bool {
    let Some((scheme, credentials)) = header.split_once(' ') else {
        return false;
    };
    if !scheme.eq_ignore_ascii_case("basic") || credentials.len() > CREDENTIALS_MAX {
        return false;
    }
    let Some(plain) = decode_base64(credentials.trim().as_bytes()) else {
        return false;
    };
    let given = plain.iter().position(|&byte| byte == b':');
    given.is_some_and(|colon| is_same(&plain[colon + 1..], password))
}

/// Compares in a time that depends on the lengths alone.
fn is_same(given: &[u8], wanted: &[u8]) -> bool {
    let pairs = given.iter().zip(wanted);
    let differing = pairs.fold(0, |differing, (a, b)| differing | (a ^ b));
    differing == 0 && given.len() == wanted.len()
}

fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text
        .strip_suffix(b"==")
        .or(text.strip_suffix(b"="))
        .unwrap_or(text);
    let mut plain = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.chunks(4) {
        let mut bits = 0u32;
        for &digit in group {
            bits = bits << 6 | u32::from(digit_value(digit)?);
        }
        bits <<= 6 * (4 - group.len());
        // Four digits are three bytes, three are two, two are one.
        let bytes = bits.to_be_bytes();
        plain.extend_from_slice(&bytes[1..group.len()]);
    }
    Some(plain)
}

fn digit_value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_behind_any_user() {
        // printf user:secret | base64
        assert!(carries("Basic dXNlcjpzZWNyZXQ=", b"secret"));
        assert!(carries("basic OnNlY3JldA==", b"secret"));
        assert!(!carries("Basic dXNlcjpzZWNyZXQ=", b"secret2"));
        assert!(!carries("Basic dXNlcjpzZWNyZXQ=", b"secre"));
        assert!(!carries("Bearer dXNlcjpzZWNyZXQ=", b"secret"));
        assert!(!carries("Basic !!!", b""));
        assert!(!carries("Basic", b""));
        assert!(!carries("Basic bm9jb2xvbg==", b"nocolon"));
    }

    #[test]
    fn base64_of_all_lengths() {
        for (text, plain) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode_base64(text.as_bytes()).unwrap(), plain.as_bytes());
        }
    }
}
