//! The rules, each a function from files to complaints.

use std::collections::BTreeSet;
use std::fmt;

use super::tree::{Source, Tree};

/// The most lines a file of `src/` may have, tests included.
pub const FILE_LINES_MAX: usize = 700;

/// The most lines a function of `src/` may have, from its `fn` to its brace.
pub const FUNCTION_LINES_MAX: usize = 70;

/// How far above an `unsafe` its SAFETY note may begin.
const SAFETY_NOTE_LINES_MAX: usize = 12;

/// What a rule is not to complain about, and why. A path that ends in `/`
/// stands for all below it.
pub struct Exception(pub &'static str, pub &'static str);

/// What is wrong, and where.
pub struct Complaint {
    place: String,
    what: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.what)
    }
}

fn complaint(place: impl Into<String>, what: impl Into<String>) -> Complaint {
    Complaint {
        place: place.into(),
        what: what.into(),
    }
}

/// Each layer uses only what the table allows it, and names what it uses.
pub fn layers(tree: &Tree, table: &[(&str, &[&str])], exceptions: &[Exception]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut excused = BTreeSet::new();
    for file in &tree.files {
        let layer = layer_of(&file.path);
        let Some((_, allowed)) = table.iter().find(|(name, _)| *name == layer) else {
            complaints.push(complaint(
                &file.path,
                format!("`{layer}` is no layer of the table"),
            ));
            continue;
        };
        let paths = crate_paths(file);
        let heads = paths.iter().filter_map(|path| path.split("::").next());
        for used in heads.collect::<BTreeSet<_>>() {
            let edge = format!("{} -> {used}", file.path);
            let fine = used == layer || allowed.contains(&used);
            if fine || !is_layer_or_glob(used, table) {
                continue;
            }
            if exceptions.iter().any(|exception| exception.0 == edge) {
                excused.insert(edge);
            } else {
                complaints.push(complaint(
                    &file.path,
                    format!("{layer} may not use `{used}`"),
                ));
            }
        }
    }
    complaints.extend(stale(exceptions, |name| excused.contains(name)));
    complaints
}

/// A path into the crate whose head is no layer is a name re-exported at the
/// top; a glob hides what it uses and is never fine.
fn is_layer_or_glob(head: &str, table: &[(&str, &[&str])]) -> bool {
    head == "*" || table.iter().any(|(name, _)| *name == head)
}

/// The command families are independent of each other.
pub fn families(tree: &Tree) -> Vec<Complaint> {
    const FAMILIES: &[&str] = &[
        "string",
        "list",
        "hash",
        "set",
        "zset",
        "stream",
        "bitmap",
        "hll",
        "geo",
        "generic",
        "pubsub",
        "txn",
        "connection",
        "server",
        "scripting",
    ];
    let mut complaints = Vec::new();
    for file in &tree.files {
        let Some(family) = family_of(&file.path).filter(|name| FAMILIES.contains(name)) else {
            continue;
        };
        for path in crate_paths(file) {
            let mut parts = path.split("::");
            let within = (parts.next() == Some("command"))
                .then(|| parts.next())
                .flatten();
            let other = within.filter(|name| FAMILIES.contains(name) && *name != family);
            if let Some(other) = other {
                complaints.push(complaint(&file.path, format!("{family} knows {other}")));
            }
        }
    }
    complaints
}

/// No file is longer than a reader's patience.
pub fn file_length(tree: &Tree, exceptions: &[Exception]) -> Vec<Complaint> {
    let long = |file: &&Source| file.text.lines().count() > FILE_LINES_MAX;
    let found = tree.files.iter().filter(long).map(|file| {
        let lines = file.text.lines().count();
        (
            file.path.clone(),
            format!("{lines} lines, at most {FILE_LINES_MAX}"),
        )
    });
    except(found.collect(), exceptions)
}

/// No function is longer than a screen.
pub fn function_length(tree: &Tree, exceptions: &[Exception]) -> Vec<Complaint> {
    let mut found = Vec::new();
    for file in &tree.files {
        for (name, lines) in functions(&file.code) {
            if lines > FUNCTION_LINES_MAX {
                let what = format!("{lines} lines, at most {FUNCTION_LINES_MAX}");
                found.push((format!("{}::{name}", file.path), what));
            }
        }
    }
    except(found, exceptions)
}

/// `unsafe` stands in the listed files only, each with its SAFETY note.
pub fn unsafe_code(tree: &Tree, allowed: &[Exception]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in &tree.files {
        let listed = allowed
            .iter()
            .any(|exception| covers(exception.0, &file.path));
        for at in words(&file.code, "unsafe") {
            let place = format!("{}:{}", file.path, line_of(&file.code, at));
            if !listed {
                complaints.push(complaint(
                    place,
                    "unsafe in a file that is not listed for it",
                ));
            } else if !has_safety_note(file, at) {
                complaints.push(complaint(place, "unsafe without its SAFETY note"));
            }
        }
    }
    complaints
}

/// A note above a block or an impl; an `unsafe fn` states its rules in its docs.
fn has_safety_note(file: &Source, at: usize) -> bool {
    let line = line_of(&file.code, at);
    let first = line.saturating_sub(SAFETY_NOTE_LINES_MAX);
    let above = file.text.lines().take(line).skip(first);
    above
        .into_iter()
        .any(|text| text.contains("SAFETY:") || text.contains("# Safety"))
}

/// Plain ASCII, so that every tool shows the same.
pub fn ascii(tree: &Tree) -> Vec<Complaint> {
    each_line(
        tree,
        |line| !line.is_ascii(),
        "a character that is not ASCII",
    )
}

/// Nothing is left for later.
pub fn unfinished(tree: &Tree) -> Vec<Complaint> {
    // Spelled in halves, or this file would complain about itself.
    let marks = [
        ["FIX", "ME"].concat(),
        ["TO", "DO"].concat(),
        ["XX", "X:"].concat(),
        ["unimple", "mented!"].concat(),
        ["to", "do!("].concat(),
    ];
    each_line(
        tree,
        |line| marks.iter().any(|mark| line.contains(mark)),
        "left for later",
    )
}

/// No path that exists on one machine only.
pub fn machine_paths(tree: &Tree) -> Vec<Complaint> {
    let marks = [
        ["/ho", "me/"].concat(),
        ["/ro", "ot/"].concat(),
        ["/Us", "ers/"].concat(),
        ["/wo", "rk/"].concat(),
        ["/tmp/", "wt-"].concat(),
    ];
    each_line(
        tree,
        |line| marks.iter().any(|mark| line.contains(mark)),
        "a path of one machine",
    )
}

/// A file opens with what it is and why; attributes for the whole file may
/// stand before it.
pub fn opening(tree: &Tree) -> Vec<Complaint> {
    let silent = |file: &&Source| {
        let mut lines = file.text.lines();
        let first = lines.find(|line| !line.is_empty() && !line.starts_with("#!["));
        !first.is_some_and(|line| line.starts_with("//!"))
    };
    let files = tree.files.iter().filter(silent);
    files
        .map(|file| complaint(&file.path, "does not open with what it is"))
        .collect()
}

/// Every file is reached by `mod` lines from a root of the crate.
pub fn dead_files(tree: &Tree) -> Vec<Complaint> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = vec!["lib.rs".into(), "main.rs".into()];
    while let Some(path) = open.pop() {
        let Some(file) = tree.files.iter().find(|file| file.path == path) else {
            continue;
        };
        if reached.insert(path.clone()) {
            let folder = child_folder(&path);
            for name in declared_modules(&file.code) {
                open.push(format!("{folder}{name}.rs"));
                open.push(format!("{folder}{name}/mod.rs"));
            }
        }
    }
    let dead = tree
        .files
        .iter()
        .filter(|file| !reached.contains(&file.path));
    dead.map(|file| complaint(&file.path, "no mod line reaches it"))
        .collect()
}

/// Each dependency of the manifest is named, in backquotes, by the document.
pub fn dependencies(manifest: &str, document: &str) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.trim_end_matches(']').ends_with("dependencies");
            continue;
        }
        let Some((name, _)) = line.split_once('=').filter(|_| inside) else {
            continue;
        };
        let name = name.trim();
        if !document.contains(&format!("`{name}`")) {
            complaints.push(complaint(
                "docs/ARCHITECTURE.md",
                format!("`{name}` has no line"),
            ));
        }
    }
    complaints
}

fn each_line(tree: &Tree, bad: impl Fn(&str) -> bool, what: &str) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in &tree.files {
        for (index, line) in file.text.lines().enumerate() {
            if bad(line) {
                complaints.push(complaint(format!("{}:{}", file.path, index + 1), what));
            }
        }
    }
    complaints
}

fn except(found: Vec<(String, String)>, exceptions: &[Exception]) -> Vec<Complaint> {
    let excused = |place: &str| exceptions.iter().any(|exception| exception.0 == place);
    let needed: BTreeSet<String> = found.iter().map(|(place, _)| place.clone()).collect();
    let mut complaints = stale(exceptions, |name| needed.contains(name));
    let open = found.into_iter().filter(|(place, _)| !excused(place));
    complaints.extend(open.map(|(place, what)| complaint(place, what)));
    complaints
}

fn stale(exceptions: &[Exception], needed: impl Fn(&str) -> bool) -> Vec<Complaint> {
    let unused = exceptions.iter().filter(|exception| !needed(exception.0));
    unused
        .map(|Exception(place, why)| {
            complaint(*place, format!("nothing needs this exception ({why})"))
        })
        .collect()
}

fn covers(pattern: &str, path: &str) -> bool {
    path == pattern || (pattern.ends_with('/') && path.starts_with(pattern))
}

/// `store` for `store/shard.rs`, `main` for `main.rs`.
fn layer_of(path: &str) -> &str {
    let head = path.split('/').next().unwrap_or(path);
    head.strip_suffix(".rs").unwrap_or(head)
}

/// `list` for `command/list.rs` and for `command/list/push.rs`.
fn family_of(path: &str) -> Option<&str> {
    let head = path.strip_prefix("command/")?.split('/').next()?;
    Some(head.strip_suffix(".rs").unwrap_or(head))
}

/// Every path into the crate that a file names, without its `crate::`: groups are
/// spread out, and chains of `super` that reach the top are followed.
fn crate_paths(file: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for at in words(&file.code, "crate") {
        if let Some(rest) = file.code[at + "crate".len()..].strip_prefix("::") {
            spread(rest, "", &mut found);
        }
    }
    for at in words(&file.code, "super") {
        let chained = file.code[..at].ends_with("::");
        if !chained {
            follow_super(file, at, &mut found);
        }
    }
    found
}

fn follow_super(file: &Source, at: usize, found: &mut Vec<String>) {
    let mut module = module_path(&file.path);
    let mut rest = &file.code[at..];
    while let Some(shorter) = rest.strip_prefix("super::") {
        module.pop();
        rest = shorter;
    }
    // At the top a glob can only come from an inline module of this file, whose
    // depth is not tracked: `mod tests { use super::*; }`.
    if module.is_empty() && rest.starts_with('*') {
        return;
    }
    let prefix: String = module.iter().map(|part| format!("{part}::")).collect();
    spread(rest, &prefix, found);
}

/// The module that a file is: `["store", "shard"]` for `store/shard.rs`.
fn module_path(path: &str) -> Vec<&str> {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    stem.split('/').collect()
}

/// Appends the paths that `rest` begins with, `prefix` before each.
fn spread(rest: &str, prefix: &str, found: &mut Vec<String>) -> usize {
    if let Some(group) = rest.strip_prefix('{') {
        return 1 + spread_group(group, prefix, found);
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '*';
    let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let path = format!("{prefix}{}", &rest[..length]);
    match rest[length..].strip_prefix("::") {
        Some(more) => length + 2 + spread(more, &format!("{path}::"), found),
        None => {
            found.push(path);
            length
        }
    }
}

fn spread_group(group: &str, prefix: &str, found: &mut Vec<String>) -> usize {
    let mut at = 0;
    while at < group.len() {
        let rest = &group[at..];
        match rest.chars().next() {
            Some('}') => return at + 1,
            Some(c) if c.is_ascii_alphabetic() || c == '_' || c == '*' || c == '{' => {
                at += spread(rest, prefix, found).max(1);
            }
            Some(c) => at += c.len_utf8(),
            None => break,
        }
    }
    at
}

/// Where `word` stands as a word of its own.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            !joins(code[..at].chars().next_back()) && !joins(code[at + word.len()..].chars().next())
        })
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// The name and length in lines of every function with a body.
fn functions(code: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for at in words(code, "fn") {
        let rest = &code[at..];
        let name: String = rest[2..]
            .trim_start()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        if let Some(end) = body_end(rest).filter(|_| !name.is_empty()) {
            found.push((name, 1 + rest[..end].matches('\n').count()));
        }
    }
    found
}

/// The offset of the brace that closes the first body in `rest`; none when a
/// semicolon ends the declaration first.
fn body_end(rest: &str) -> Option<usize> {
    let mut braces = 0;
    let mut brackets = 0;
    for (at, c) in rest.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces -= 1;
                if braces == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where the modules that a file declares live: `a/` for `a/mod.rs` and for
/// `a.rs`, the top for the roots.
fn child_folder(path: &str) -> String {
    match path.strip_suffix("mod.rs") {
        Some(folder) => folder.to_string(),
        None if path == "lib.rs" || path == "main.rs" => String::new(),
        None => format!("{}/", path.strip_suffix(".rs").unwrap_or(path)),
    }
}

fn declared_modules(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for at in words(code, "mod") {
        let rest = code[at + "mod".len()..].trim_start();
        let name: String = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        if rest[name.len()..].trim_start().starts_with(';') {
            names.push(name);
        }
    }
    names
}
