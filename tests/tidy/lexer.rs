//! Just enough of Rust's lexical grammar to tell code from comments, strings and
//! character literals. Everything that is not code becomes blanks of the same
//! length, so that offsets and line numbers stay those of the file.

/// `source` with comments and the insides of literals blanked out.
pub fn code_only(source: &str) -> String {
    let mut lexer = Lexer {
        input: source.as_bytes(),
        at: 0,
        out: Vec::new(),
    };
    while lexer.at < lexer.input.len() {
        lexer.step();
    }
    String::from_utf8_lossy(&lexer.out).into_owned()
}

struct Lexer<'a> {
    input: &'a [u8],
    at: usize,
    out: Vec<u8>,
}

impl Lexer<'_> {
    fn step(&mut self) {
        let rest = &self.input[self.at..];
        if rest.starts_with(b"//") {
            let length = rest.iter().position(|&byte| byte == b'\n');
            self.blank(length.unwrap_or(rest.len()));
        } else if rest.starts_with(b"/*") {
            self.blank(block_comment_length(rest));
        } else if let Some(length) = raw_string_length(rest).filter(|_| !self.inside_word()) {
            self.blank(length);
        } else if rest[0] == b'"' {
            self.blank(quoted_length(rest, b'"'));
        } else if let Some(length) = char_length(rest) {
            self.blank(length);
        } else {
            self.out.push(rest[0]);
            self.at += 1;
        }
    }

    /// Whether the byte before continues a word, as the `r` of `for` does.
    fn inside_word(&self) -> bool {
        let before = self.at.checked_sub(1).map(|index| self.input[index]);
        before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    fn blank(&mut self, length: usize) {
        for &byte in &self.input[self.at..self.at + length] {
            self.out.push(if byte == b'\n' { b'\n' } else { b' ' });
        }
        self.at += length;
    }
}

fn block_comment_length(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of `r"..."`, `r#"..."#`, `br"..."` at the start of `rest`.
fn raw_string_length(rest: &[u8]) -> Option<usize> {
    let prefix = usize::from(rest[0] == b'b' || rest[0] == b'c');
    if rest.get(prefix) != Some(&b'r') {
        return None;
    }
    let hashes = rest[prefix + 1..]
        .iter()
        .take_while(|&&byte| byte == b'#')
        .count();
    let open = prefix + 1 + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let body = &rest[open + 1..];
    let end = body.windows(close.len()).position(|window| window == close);
    Some(end.map_or(rest.len(), |end| open + 1 + end + close.len()))
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a character literal; a lifetime is none.
fn char_length(rest: &[u8]) -> Option<usize> {
    if rest[0] != b'\'' {
        return None;
    }
    match rest.get(1)? {
        b'\\' => Some(quoted_length(rest, b'\'')),
        byte if byte.is_ascii() => (rest.get(2) == Some(&b'\'')).then_some(3),
        _ => Some(quoted_length(rest, b'\'')),
    }
}

#[test]
fn literals_and_comments_are_blanked() {
    let source = "a('{', \"}\\\"\", r#\"{\"#, b'}'); // {\n/* { /* */ */ fn f<'a>() {}\n";
    let code = code_only(source);
    assert_eq!(code.len(), source.len());
    assert_eq!(code.matches('{').count(), 1);
    assert!(code.contains("fn f<'a>() {}"));
}
