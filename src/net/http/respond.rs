//! Answers: status, headers, content.

use crate::base::clock::{self, Millis};

/// The statuses that this server answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    BadRequest,
    Unauthorized,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    ContentTooLarge,
    TargetTooLong,
    Misdirected,
    HeadTooLarge,
    Unavailable,
    VersionNotSupported,
}

impl Status {
    /// The status line without the version.
    pub fn line(self) -> &'static str {
        match self {
            Status::Ok => "200 OK",
            Status::BadRequest => "400 Bad Request",
            Status::Unauthorized => "401 Unauthorized",
            Status::NotFound => "404 Not Found",
            Status::MethodNotAllowed => "405 Method Not Allowed",
            Status::RequestTimeout => "408 Request Timeout",
            Status::ContentTooLarge => "413 Content Too Large",
            Status::TargetTooLong => "414 URI Too Long",
            Status::Misdirected => "421 Misdirected Request",
            Status::HeadTooLarge => "431 Request Header Fields Too Large",
            Status::Unavailable => "503 Service Unavailable",
            Status::VersionNotSupported => "505 HTTP Version Not Supported",
        }
    }

    /// A header that goes with the status.
    fn header(self) -> &'static str {
        match self {
            Status::MethodNotAllowed => "Allow: GET, HEAD\r\n",
            Status::Unauthorized => {
                "WWW-Authenticate: Basic realm=\"FlashKV\", charset=\"UTF-8\"\r\n"
            }
            _ => "",
        }
    }
}

/// What a path holds.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    pub status: Status,
    pub content_type: &'static str,
    pub content: &'a [u8],
}

/// Plain text in UTF-8.
pub const TEXT: &str = "text/plain; charset=utf-8";

impl Answer<'static> {
    /// An answer that says no more than its status.
    pub fn of(status: Status) -> Answer<'static> {
        Answer {
            status,
            content_type: TEXT,
            content: status.line().as_bytes(),
        }
    }
}

/// How an answer is written.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub head_only: bool,
    pub keep_alive: bool,
    pub now: Millis,
}

/// Nothing from elsewhere runs in the page or is fetched by it, and nobody frames it.
const SAFETY_HEADERS: &str = "Content-Security-Policy: default-src 'none'; \
script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; \
base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n";

/// Appends an answer.
pub fn write(out: &mut Vec<u8>, answer: Answer<'_>, manner: Manner) {
    let connection = if manner.keep_alive {
        "keep-alive"
    } else {
        "close"
    };
    let head = format!(
        "HTTP/1.1 {}\r\nDate: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\n{SAFETY_HEADERS}{}Connection: {connection}\r\n\r\n",
        answer.status.line(),
        date(manner.now),
        answer.content_type,
        answer.content.len(),
        answer.status.header(),
    );
    out.extend_from_slice(head.as_bytes());
    if !manner.head_only {
        out.extend_from_slice(answer.content);
    }
}

/// A time as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(now: Millis) -> String {
    const SECONDS_PER_DAY: i64 = 24 * 60 * 60;
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let secs = clock::secs_of(now);
    let (day, within) = (
        secs.div_euclid(SECONDS_PER_DAY),
        secs.rem_euclid(SECONDS_PER_DAY),
    );
    let (year, month, of_month) = civil(day);
    format!(
        "{}, {of_month:02} {} {year} {:02}:{:02}:{:02} GMT",
        WEEKDAYS[day.rem_euclid(7) as usize],
        MONTHS[month],
        within / 3600,
        within / 60 % 60,
        within % 60
    )
}

/// Year, month from 0 and day of the month of a day counted from 1 January 1970.
///
/// Days are counted from 1 March of the year 0, so that the day that some years have
/// more comes last; 400 years are 146,097 days. (Howard Hinnant's `civil_from_days`.)
fn civil(day: i64) -> (i64, usize, i64) {
    const DAYS_400: i64 = 146_097;
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(DAYS_400), day.rem_euclid(DAYS_400));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    let year = year + era * 400 + i64::from(month < 2);
    (year, month as usize, of_month)
}
