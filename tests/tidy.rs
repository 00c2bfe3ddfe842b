//! The rules of the source tree, enforced by a machine so that people can talk
//! about design: layers, sizes, where `unsafe` may stand, plain ASCII, nothing
//! left for later, nothing dead, every dependency explained.
//!
//! Each rule is a function from source text to complaints. It runs over the
//! tree, and over a bad example that it must complain about: a check that cannot
//! fail checks nothing. Exceptions stand in the tables of this file, each with
//! its reason, and an exception that nothing needs any more is a complaint too.

#[path = "tidy/lexer.rs"]
mod lexer;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/tree.rs"]
mod tree;

use rules::{Complaint, Exception};
use tree::Tree;

/// Files that may hold `unsafe`, and why each has to.
const UNSAFE_ALLOWED: &[Exception] = &[
    Exception(
        "base/heap.rs",
        "the allocator's calls, and the counters it points to",
    ),
    Exception("base/sys.rs", "every libc call, behind safe wrappers"),
    Exception("base/sys/", "the parts of sys.rs by operating system"),
    Exception(
        "ds/table.rs",
        "tagged pointers in cache-line buckets, prefetch",
    ),
    Exception("ds/table/", "the parts of the table"),
    Exception(
        "ds/bits/ones.rs",
        "calls what is compiled for a processor that counts bits in vectors",
    ),
    Exception(
        "ds/zset/member.rs",
        "a sorted set's element, counted, in one allocation",
    ),
    Exception(
        "ds/hash/field.rs",
        "header, deadline, name and value in one allocation",
    ),
    Exception(
        "ds/member.rs",
        "length and bytes in one allocation behind a thin pointer",
    ),
    Exception(
        "store/entry.rs",
        "header, expiry, key and value in one allocation",
    ),
    Exception(
        "store/entry/value.rs",
        "owning pointers to collections, by their kind",
    ),
    Exception(
        "store/keyspace.rs",
        "the locks of a footprint, kept in two masks",
    ),
];

/// Files longer than [`rules::FILE_LINES_MAX`], and why each stays whole.
const LONG_FILES: &[Exception] = &[];

/// Functions (`path::name`) longer than [`rules::FUNCTION_LINES_MAX`], and why.
const LONG_FUNCTIONS: &[Exception] = &[];

/// Uses across layers (`path -> layer`) that the table forbids, and why.
const LAYER_EXCEPTIONS: &[Exception] = &[];

/// Which layers each layer may use, besides itself. What is not listed is a
/// complaint, so a new folder needs a line here.
const LAYERS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("resp", &["base"]),
    ("ds", &["base"]),
    ("store", &["base", "ds"]),
    ("logging", &["base"]),
    ("systemd", &["base"]),
    ("daemon", &["base"]),
    ("clients", &["base", "resp"]),
    ("control", &["base", "config"]),
    ("config", &["base", "ds", "store"]),
    ("acl", &["base", "ds", "store", "config"]),
    ("metrics", &["base", "ds", "store", "config"]),
    (
        "pubsub",
        &[
            "base", "resp", "ds", "store", "config", "metrics", "clients",
        ],
    ),
    ("persist", SERVICES),
    ("repl", SERVICES),
    ("cluster", SERVICES),
    ("script", SERVICES),
    (
        "command",
        &[
            "base", "resp", "ds", "store", "config", "acl", "metrics", "pubsub", "persist", "repl",
            "cluster", "script", "clients", "control",
        ],
    ),
    (
        "exec",
        &[
            "base", "resp", "ds", "store", "config", "acl", "metrics", "pubsub", "persist", "repl",
            "cluster", "script", "clients", "control", "command",
        ],
    ),
    (
        "net",
        &[
            "base", "resp", "config", "acl", "metrics", "pubsub", "persist", "repl", "cluster",
            "script", "clients", "control", "logging", "systemd", "exec",
        ],
    ),
    ("boot", EVERYTHING),
    ("main", EVERYTHING),
    ("lib", EVERYTHING),
];

/// What a service may use: what lies below, and the services named before it.
const SERVICES: &[&str] = &["base", "resp", "ds", "store", "config", "acl", "metrics"];

/// The wiring may name every room.
const EVERYTHING: &[&str] = &[
    "base", "resp", "ds", "store", "config", "acl", "metrics", "pubsub", "persist", "repl",
    "cluster", "script", "clients", "control", "logging", "systemd", "daemon", "command", "exec",
    "net", "boot",
];

fn assert_none(complaints: Vec<Complaint>) {
    let shown: Vec<String> = complaints.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "\n{}\n", shown.join("\n"));
}

#[test]
fn layers_only_look_down() {
    let tree = Tree::sources();
    assert_none(rules::layers(&tree, LAYERS, LAYER_EXCEPTIONS));
}

#[test]
fn families_do_not_know_each_other() {
    assert_none(rules::families(&Tree::sources()));
}

#[test]
fn files_and_functions_stay_short() {
    let tree = Tree::sources();
    assert_none(rules::file_length(&tree, LONG_FILES));
    assert_none(rules::function_length(&tree, LONG_FUNCTIONS));
}

#[test]
fn unsafe_stands_where_it_is_listed() {
    assert_none(rules::unsafe_code(&Tree::sources(), UNSAFE_ALLOWED));
}

#[test]
fn text_is_ascii_and_finished() {
    let tree = Tree::everything();
    assert_none(rules::ascii(&tree));
    assert_none(rules::unfinished(&tree));
    assert_none(rules::machine_paths(&tree));
}

#[test]
fn files_open_with_an_essay() {
    assert_none(rules::opening(&Tree::sources()));
}

#[test]
fn every_file_is_reached_by_a_mod_line() {
    assert_none(rules::dead_files(&Tree::sources()));
}

#[test]
fn every_dependency_is_explained() {
    let manifest = tree::read("Cargo.toml");
    // Before the document exists there is nothing to compare with; once it
    // does, it has to name each of them.
    if let Some(text) = tree::read_if_present("docs/ARCHITECTURE.md") {
        assert_none(rules::dependencies(&manifest, &text));
    }
}

mod the_rules_can_fail {
    use super::rules;
    use super::{Exception, LAYERS, Tree};

    fn tree(path: &str, text: &str) -> Tree {
        Tree::of(&[(path, text)])
    }

    #[test]
    fn a_use_of_a_higher_layer() {
        let bad = tree("store/shard.rs", "use crate::exec::run;\n");
        assert_eq!(rules::layers(&bad, LAYERS, &[]).len(), 1);
        let bad = tree("resp/parse.rs", "fn f() { crate::store::x() }\n");
        assert_eq!(rules::layers(&bad, LAYERS, &[]).len(), 1);
        let grouped = tree(
            "ds/list.rs",
            "use crate::{base::num, net::{conn, listen}};\n",
        );
        assert_eq!(rules::layers(&grouped, LAYERS, &[]).len(), 1);
        let through_super = tree("ds/list.rs", "use super::super::net::conn;\n");
        assert_eq!(rules::layers(&through_super, LAYERS, &[]).len(), 1);
    }

    #[test]
    fn a_use_that_hides_what_it_uses() {
        let bad = tree("store/shard.rs", "use crate::*;\n");
        assert_eq!(rules::layers(&bad, LAYERS, &[]).len(), 1);
    }

    #[test]
    fn a_folder_outside_the_table() {
        let bad = tree("misc/junk.rs", "use crate::base::num;\n");
        assert_eq!(rules::layers(&bad, LAYERS, &[]).len(), 1);
    }

    #[test]
    fn good_layers_and_comments_pass() {
        let good = tree(
            "store/a.rs",
            "// use crate::net::x;\nuse crate::{base::num, ds};\n",
        );
        assert!(rules::layers(&good, LAYERS, &[]).is_empty());
    }

    #[test]
    fn an_exception_that_nothing_needs() {
        let good = tree("store/a.rs", "use crate::base::num;\n");
        let stale = [Exception("store/a.rs -> net", "no longer")];
        assert_eq!(rules::layers(&good, LAYERS, &stale).len(), 1);
    }

    #[test]
    fn a_family_that_knows_another() {
        let bad = tree("command/list.rs", "use crate::command::string::get;\n");
        assert_eq!(rules::families(&bad).len(), 1);
        let bad = tree("command/list/push.rs", "use super::super::string;\n");
        assert_eq!(rules::families(&bad).len(), 1);
        let own = tree("command/list/push.rs", "use crate::command::list::pop;\n");
        assert!(rules::families(&own).is_empty());
    }

    #[test]
    fn a_long_file_and_a_long_function() {
        let long = "x;\n".repeat(rules::FILE_LINES_MAX + 1);
        assert_eq!(rules::file_length(&tree("a.rs", &long), &[]).len(), 1);
        let body = "    x();\n".repeat(rules::FUNCTION_LINES_MAX);
        let function = format!("fn long() {{\n{body}}}\nfn short() {{}}\n");
        let complaints = rules::function_length(&tree("a.rs", &function), &[]);
        assert_eq!(complaints.len(), 1);
        assert!(complaints[0].to_string().contains("long"));
        let allowed = [Exception("a.rs::long", "one table")];
        assert!(rules::function_length(&tree("a.rs", &function), &allowed).is_empty());
    }

    #[test]
    fn braces_in_strings_do_not_end_a_function() {
        let body = "    x(\"}\", '}', r#\"}\"#);\n".repeat(rules::FUNCTION_LINES_MAX);
        let function = format!("fn long<'a>() {{\n{body}}}\n");
        assert_eq!(
            rules::function_length(&tree("a.rs", &function), &[]).len(),
            1
        );
    }

    #[test]
    fn unsafe_elsewhere_or_without_its_note() {
        let block = "fn f() { unsafe { g() } }\n";
        assert_eq!(rules::unsafe_code(&tree("net/a.rs", block), &[]).len(), 1);
        let listed = [Exception("base/sys.rs", "libc")];
        assert_eq!(
            rules::unsafe_code(&tree("base/sys.rs", block), &listed).len(),
            1
        );
        let noted = "fn f() {\n    // SAFETY: g has no rules.\n    unsafe { g() }\n}\n";
        assert!(rules::unsafe_code(&tree("base/sys.rs", noted), &listed).is_empty());
        let word = "// unsafe is a word here\nfn f() { log(\"unsafe\") }\n";
        assert!(rules::unsafe_code(&tree("net/a.rs", word), &[]).is_empty());
    }

    #[test]
    fn odd_characters_and_things_left_for_later() {
        assert_eq!(rules::ascii(&tree("a.rs", "// caf\u{e9}\n")).len(), 1);
        let later = ["FIX", "ME: soon\n"].concat();
        assert_eq!(rules::unfinished(&tree("a.rs", &later)).len(), 1);
        let macro_call = ["fn f() { unimple", "mented!() }\n"].concat();
        assert_eq!(rules::unfinished(&tree("a.rs", &macro_call)).len(), 1);
        let home = ["const P: &str = \"/ho", "me/me/x\";\n"].concat();
        assert_eq!(rules::machine_paths(&tree("a.rs", &home)).len(), 1);
    }

    #[test]
    fn a_file_without_an_opening() {
        assert_eq!(rules::opening(&tree("a.rs", "use std::io;\n")).len(), 1);
        assert!(rules::opening(&tree("a.rs", "//! What it is.\n")).is_empty());
    }

    #[test]
    fn a_file_that_no_mod_line_reaches() {
        let bad = Tree::of(&[("lib.rs", "mod a;\n"), ("a.rs", ""), ("b.rs", "")]);
        assert_eq!(rules::dead_files(&bad).len(), 1);
        let good = Tree::of(&[
            ("lib.rs", "pub mod a;\n#[cfg(test)]\nmod t;\n"),
            ("a/mod.rs", "mod c;\n"),
            ("a/c.rs", "mod d;\n"),
            ("a/c/d.rs", ""),
            ("t.rs", ""),
        ]);
        assert!(rules::dead_files(&good).is_empty());
    }

    #[test]
    fn a_dependency_without_a_reason() {
        let manifest = "[dependencies]\nmio = \"1\"\n[dev-dependencies]\nproptest = \"1\"\n";
        assert_eq!(
            rules::dependencies(manifest, "- `proptest`: tests\n").len(),
            1
        );
        let both = "- `mio`: the poller\n- `proptest`: tests\n";
        assert!(rules::dependencies(manifest, both).is_empty());
    }
}
