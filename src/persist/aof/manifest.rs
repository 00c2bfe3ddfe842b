//! The manifest: which files make up the log, in Redis 7's words.
//!
//! ```text
//! file appendonly.aof.2.base.rdb seq 2 type b      at most one, first
//! file appendonly.aof.1.incr.aof seq 1 type h      no longer needed, to be removed
//! file appendonly.aof.4.incr.aof seq 4 type i      in this order, the last is open
//! ```
//!
//! Must stay true: sequence numbers are never used twice while the manifest lives, so
//! that a name always means the same file; what [`Manifest::to_text`] writes,
//! [`Manifest::parse`] and redis-server read as it was.

use std::fmt;

use crate::base::split;

/// Longest line with its end (Redis: `MANIFEST_MAX_LINE`).
const LINE_MAX: usize = 1024;
/// Most files a manifest may name: each failed rewrite leaves one, and after a few
/// failures they come an hour apart.
const FILES_MAX: usize = 100_000;

/// What a file is to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    /// All data at one moment.
    Base,
    /// Commands since then.
    Incr,
    /// Replaced by a rewrite, not yet removed.
    History,
}

impl FileType {
    fn letter(self) -> char {
        match self {
            FileType::Base => 'b',
            FileType::Incr => 'i',
            FileType::History => 'h',
        }
    }
}

/// One line of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// A name within the directory of the log; any bytes but a slash.
    pub name: Vec<u8>,
    pub seq: i64,
    pub kind: FileType,
}

/// See the head of this file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    pub base: Option<FileInfo>,
    pub history: Vec<FileInfo>,
    pub incr: Vec<FileInfo>,
    /// The greatest numbers given so far.
    base_seq: i64,
    incr_seq: i64,
}

/// Why a text is not a manifest; the Display is what the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// The line, from 1, and what it says; without for the whole file.
    pub line: Option<(usize, Vec<u8>)>,
    pub reason: &'static str,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)?;
        if let Some((number, text)) = &self.line {
            write!(f, " (line {number}: '{}')", text.escape_ascii())?;
        }
        Ok(())
    }
}

impl Manifest {
    /// Reads a manifest as strictly as Redis does.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &[u8]) -> Result<Manifest, ManifestError> {
        if text.is_empty() {
            return Err(whole(EMPTY));
        }
        let mut manifest = Manifest::default();
        for (at, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
            if line.starts_with(b"#") && line.len() <= LINE_MAX {
                continue;
            }
            let Some(content) = line.strip_suffix(b"\n").filter(|_| line.len() <= LINE_MAX) else {
                return Err(whole(LONG_LINE));
            };
            let content = content.trim_ascii();
            let result = parse_line(content).and_then(|info| manifest.add(info));
            result.map_err(|reason| ManifestError {
                line: Some((at + 1, content.to_vec())),
                reason,
            })?;
        }
        Ok(manifest)
    }

    fn add(&mut self, info: FileInfo) -> Result<(), &'static str> {
        if self.history.len() + self.incr.len() >= FILES_MAX {
            return Err("Too many files in the AOF manifest");
        }
        match info.kind {
            FileType::Base if self.base.is_some() => {
                return Err("Found duplicate base file information");
            }
            FileType::Base => {
                self.base_seq = info.seq;
                self.base = Some(info);
            }
            FileType::History => self.history.push(info),
            FileType::Incr if info.seq <= self.incr_seq => {
                return Err("Found a non-monotonic sequence number");
            }
            FileType::Incr => {
                self.incr_seq = info.seq;
                self.incr.push(info);
            }
        }
        Ok(())
    }

    /// The text of the file.
    pub fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let lines = self.base.iter().chain(&self.history).chain(&self.incr);
        for info in lines {
            text.extend_from_slice(b"file ");
            text.extend_from_slice(&split::quoted(&info.name));
            let rest = format!(" seq {} type {}\n", info.seq, info.kind.letter());
            text.extend_from_slice(rest.as_bytes());
        }
        text
    }

    /// Whether it names no data at all.
    pub fn is_empty(&self) -> bool {
        self.base.is_none() && self.incr.is_empty()
    }

    /// The files to load, in order.
    pub fn live(&self) -> impl DoubleEndedIterator<Item = &FileInfo> {
        self.base.iter().chain(&self.incr)
    }

    /// Takes the next name for a base file, without making it the base: `prefix` is
    /// `appendfilename`.
    pub fn next_base(&mut self, prefix: &[u8], is_rdb: bool) -> FileInfo {
        self.base_seq += 1;
        let format = if is_rdb { "rdb" } else { "aof" };
        self.named(prefix, self.base_seq, "base", format, FileType::Base)
    }

    /// Takes the next name for a file of commands, without adding it.
    pub fn next_incr(&mut self, prefix: &[u8]) -> FileInfo {
        self.incr_seq += 1;
        self.named(prefix, self.incr_seq, "incr", "aof", FileType::Incr)
    }

    fn named(&self, prefix: &[u8], seq: i64, role: &str, form: &str, kind: FileType) -> FileInfo {
        let mut name = prefix.to_vec();
        name.extend_from_slice(format!(".{seq}.{role}.{form}").as_bytes());
        FileInfo { name, seq, kind }
    }

    /// Makes `base` the base and `incr` what follows it; everything before becomes
    /// history, newest first as Redis lists it.
    pub fn rewritten(&mut self, base: FileInfo, incr: Vec<FileInfo>) {
        let old = self.base.take().into_iter().chain(self.incr.drain(..));
        for mut info in old {
            if !incr.contains(&info) {
                info.kind = FileType::History;
                self.history.insert(0, info);
            }
        }
        self.base = Some(base);
        self.incr = incr;
    }

    /// Names an old single file as the base, as Redis does when it takes one over.
    pub fn adopt(&mut self, name: &[u8]) {
        self.base_seq = 1;
        self.base = Some(FileInfo {
            name: name.to_vec(),
            seq: 1,
            kind: FileType::Base,
        });
    }
}

fn whole(reason: &'static str) -> ManifestError {
    ManifestError { line: None, reason }
}

fn parse_line(line: &[u8]) -> Result<FileInfo, &'static str> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    split::split(line, |word| words.push(word.to_vec())).map_err(|split::Unbalanced| FORMAT)?;
    if words.len() < 6 || words.len() % 2 == 1 {
        return Err(FORMAT);
    }
    let (mut name, mut seq, mut kind) = (None, 0, None);
    for pair in words.chunks_exact(2) {
        let value = &pair[1];
        match pair[0].to_ascii_lowercase().as_slice() {
            b"file" if value.contains(&b'/') || value.contains(&b'\\') => {
                return Err("File can't be a path, just a filename");
            }
            b"file" => name = Some(value.clone()),
            b"seq" => seq = leading_number(value),
            b"type" => kind = value.first().copied(),
            // What later versions add.
            _ => {}
        }
    }
    let (Some(name), Some(kind)) = (name, kind) else {
        return Err(FORMAT);
    };
    let kind = match kind {
        b'b' => FileType::Base,
        b'i' => FileType::Incr,
        b'h' => FileType::History,
        _ if seq == 0 => return Err(FORMAT),
        _ => return Err("Unknown AOF file type"),
    };
    if seq == 0 {
        return Err(FORMAT);
    }
    Ok(FileInfo { name, seq, kind })
}

/// What C's `atoll` makes of a text.
fn leading_number(text: &[u8]) -> i64 {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |sum: i64, digit| {
        sum.saturating_mul(10)
            .saturating_add(sign * i64::from(digit - b'0'))
    })
}

const EMPTY: &str = "Found an empty AOF manifest";
const FORMAT: &str = "Invalid AOF manifest file format";
const LONG_LINE: &str = "The AOF manifest file contains too long line";

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> &'static str {
        Manifest::parse(text.as_bytes()).expect_err(text).reason
    }

    #[test]
    fn what_redis_writes_is_read_and_written_back() {
        let text = b"file appendonly.aof.2.base.rdb seq 2 type b\n\
            file appendonly.aof.1.base.rdb seq 1 type h\n\
            file appendonly.aof.1.incr.aof seq 1 type h\n\
            file appendonly.aof.4.incr.aof seq 4 type i\n\
            file appendonly.aof.5.incr.aof seq 5 type i\n";
        let manifest = Manifest::parse(text).expect("a manifest");
        assert_eq!(manifest.live().count(), 3);
        assert_eq!(manifest.history.len(), 2);
        assert_eq!(manifest.to_text(), text);
    }

    #[test]
    fn comments_and_what_later_versions_add_are_passed_over() {
        let text = b"# comment\nfile a seq 1 type b newkey value\nFILE b SEQ 3x TYPE incr\n";
        let manifest = Manifest::parse(text).expect("a manifest");
        assert_eq!(manifest.base.expect("a base").name, b"a");
        assert_eq!(manifest.incr[0].seq, 3);
    }

    /// The texts are Redis's, which its tests look for.
    #[test]
    fn what_redis_refuses_is_refused() {
        assert_eq!(reason(""), EMPTY);
        assert_eq!(
            reason("file a seq 1 type b\n\nfile b seq 1 type i\n"),
            FORMAT
        );
        assert_eq!(reason("filx a seq 1 type b\n"), FORMAT);
        assert_eq!(reason("file a seq 1 type b extra\n"), FORMAT);
        assert_eq!(reason("file a type i\n"), FORMAT);
        assert_eq!(reason("file a seq 0 type i\n"), FORMAT);
        assert_eq!(reason("file \"a seq 1 type i\n"), FORMAT);
        assert_eq!(reason("file a seq 1 type x\n"), "Unknown AOF file type");
        assert_eq!(reason("file a seq 1 type b"), LONG_LINE);
        let long = format!("file {} seq 1 type b\n", "a".repeat(LINE_MAX));
        assert_eq!(reason(&long), LONG_LINE);
        let twice = "file a seq 1 type b\nfile b seq 2 type b\n";
        assert_eq!(reason(twice), "Found duplicate base file information");
        let falling = "file a seq 2 type i\nfile b seq 1 type i\n";
        assert_eq!(reason(falling), "Found a non-monotonic sequence number");
        let path = "file ../a seq 2 type i\n";
        assert_eq!(reason(path), "File can't be a path, just a filename");
    }

    #[test]
    fn odd_names_are_quoted() {
        let mut manifest = Manifest::default();
        let info = manifest.next_incr(b"my \"log\"\n\t\x01");
        manifest.incr.push(info);
        let text = manifest.to_text();
        let quoted = b"file \"my \\\"log\\\"\\n\\t\\x01.1.incr.aof\" seq 1 type i\n";
        assert_eq!(
            text.escape_ascii().to_string(),
            quoted.escape_ascii().to_string()
        );
        assert_eq!(Manifest::parse(&text), Ok(manifest));
    }

    #[test]
    fn a_rewrite_makes_history_of_what_was_before() {
        let mut manifest = Manifest::default();
        let base = manifest.next_base(b"a", true);
        let first = manifest.next_incr(b"a");
        manifest.rewritten(base, vec![first.clone()]);
        let second = manifest.next_incr(b"a");
        manifest.incr.push(second.clone());
        let base = manifest.next_base(b"a", false);
        assert_eq!(base.name, b"a.2.base.aof");
        manifest.rewritten(base, vec![second]);
        let text = String::from_utf8(manifest.to_text()).expect("text");
        assert_eq!(
            text,
            "file a.2.base.aof seq 2 type b\nfile a.1.incr.aof seq 1 type h\n\
             file a.1.base.rdb seq 1 type h\nfile a.2.incr.aof seq 2 type i\n"
        );
    }
}
