//! The head of a request, by RFC 9112, as strictly as a server for a few readers may
//! be: what is odd is refused, never guessed at.

use super::respond::Status;

/// Longest head of a request: request line and headers.
pub const HEAD_MAX: usize = 8 * 1024;
/// Longest target of a request line.
const TARGET_MAX: usize = 1024;
/// Headers of one request.
const HEADERS_MAX: usize = 64;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// HEAD: the answer goes without its content.
    pub head_only: bool,
    /// The path of the target, without its query.
    pub path: &'a str,
    /// The value of Host; always there in HTTP/1.1.
    pub host: Option<&'a str>,
    pub authorization: Option<&'a str>,
    /// The connection stays open for another request.
    pub keep_alive: bool,
}

/// A request that is answered with an error, after which the connection ends.
pub type Refused = Status;

/// The first request in `input` and the length of its head; `None` while it is not
/// all there.
///
/// # Errors
/// The status that answers what is no request, or none that is served.
pub fn head(input: &[u8]) -> Result<Option<(Request<'_>, usize)>, Refused> {
    // Empty lines before a request are to be passed over (RFC 9112, 2.2).
    let start = input
        .iter()
        .take_while(|b| matches!(b, b'\r' | b'\n'))
        .count();
    let Some(len) = end_of_head(&input[start..]) else {
        let too_long = input.len() >= HEAD_MAX;
        return if too_long {
            Err(too_long_status(input))
        } else {
            Ok(None)
        };
    };
    if start + len > HEAD_MAX {
        return Err(Status::HeadTooLarge);
    }
    let text = std::str::from_utf8(&input[start..start + len]).map_err(|_| Status::BadRequest)?;
    let mut lines = text.split("\r\n");
    let request = request(lines.next().unwrap_or_default(), lines)?;
    Ok(Some((request, start + len)))
}

/// The length of a head with the empty line that ends it.
fn end_of_head(input: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    let at = input.windows(END.len()).position(|window| window == END)?;
    Some(at + END.len())
}

/// Of an endless head, which part is too long.
fn too_long_status(input: &[u8]) -> Status {
    if input.windows(2).any(|window| window == b"\r\n") {
        Status::HeadTooLarge
    } else {
        Status::TargetTooLong
    }
}

fn request<'a>(
    line: &'a str,
    headers: impl Iterator<Item = &'a str>,
) -> Result<Request<'a>, Refused> {
    let mut words = line.split(' ');
    let parts = (words.next(), words.next(), words.next(), words.next());
    let (Some(method), Some(target), Some(version), None) = parts else {
        return Err(Status::BadRequest);
    };
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(Status::BadRequest);
    }
    let newer = match version {
        "HTTP/1.1" => true,
        "HTTP/1.0" => false,
        _ if version.starts_with("HTTP/") => return Err(Status::VersionNotSupported),
        _ => return Err(Status::BadRequest),
    };
    if target.len() > TARGET_MAX {
        return Err(Status::TargetTooLong);
    }
    let mut request = Request {
        head_only: method == "HEAD",
        path: path(target)?,
        host: None,
        authorization: None,
        keep_alive: newer,
    };
    let body = read_headers(&mut request, headers)?;
    if newer && request.host.is_none() {
        return Err(Status::BadRequest);
    }
    if !matches!(method, "GET" | "HEAD") {
        return Err(Status::MethodNotAllowed);
    }
    // What follows would have to be read as content; nobody who reads sends any.
    if body {
        Err(Status::ContentTooLarge)
    } else {
        Ok(request)
    }
}

/// The path of `/path?query` or `http://host/path?query`.
fn path(target: &str) -> Result<&str, Refused> {
    let target = match target.strip_prefix("http://") {
        Some(rest) => &rest[rest.find('/').unwrap_or(rest.len())..],
        None => target,
    };
    let path = target.split(['?', '#']).next().unwrap_or_default();
    match path {
        "" if target.is_empty() || target.starts_with('?') => Ok("/"),
        path if path.starts_with('/') => Ok(path),
        _ => Err(Status::BadRequest),
    }
}

/// Reads the headers; whether content follows.
fn read_headers<'a>(
    request: &mut Request<'a>,
    headers: impl Iterator<Item = &'a str>,
) -> Result<bool, Refused> {
    let mut body = false;
    for (nth, header) in headers.take_while(|line| !line.is_empty()).enumerate() {
        if nth == HEADERS_MAX {
            return Err(Status::HeadTooLarge);
        }
        let (name, value) = header.split_once(':').ok_or(Status::BadRequest)?;
        if name.is_empty() || !name.bytes().all(is_token) || !value.bytes().all(is_text) {
            return Err(Status::BadRequest);
        }
        let value = value.trim_matches([' ', '\t']);
        match name.to_ascii_lowercase().as_str() {
            "host" if request.host.is_some() => return Err(Status::BadRequest),
            "host" => request.host = Some(value),
            "authorization" => request.authorization = Some(value),
            "connection" => apply_connection(request, value),
            "content-length" => {
                let length: u64 = value.parse().map_err(|_| Status::BadRequest)?;
                body |= length > 0;
            }
            "transfer-encoding" => body = true,
            _ => {}
        }
    }
    Ok(body)
}

fn apply_connection(request: &mut Request<'_>, value: &str) {
    for option in value.split(',').map(str::trim) {
        if option.eq_ignore_ascii_case("close") {
            request.keep_alive = false;
        } else if option.eq_ignore_ascii_case("keep-alive") {
            request.keep_alive = true;
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || byte >= b' ' && byte != 0x7f
}
