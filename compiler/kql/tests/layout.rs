//! What holds for the layout of every query: the same tokens and comments in
//! the same order, the same tree, stable, one operator a line.
//!
//! Over the queries of this repository (rules/, tests/cases, accepted.kql),
//! and over public ones where they lie beside it.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // A test reads its cases.

use std::path::{Path, PathBuf};

use rulec_kql::{Parsed, TokenKind, dump_shape, parse, print};

/// A token that means something, or a comment and whether it stands behind code.
#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Token(TokenKind, &'a str),
    Comment(&'a str, bool),
}

fn pieces(parsed: &Parsed) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut behind = false;
    for token in &parsed.tokens {
        let text = token.span.of(&parsed.text);
        match token.kind {
            TokenKind::Whitespace => behind &= !text.contains(['\n', '\r']),
            TokenKind::Comment => pieces.push(Piece::Comment(text.trim_end(), behind)),
            kind => {
                pieces.push(Piece::Token(kind, text));
                behind = true;
            }
        }
    }
    pieces
}

/// Holds one text to all of it; whether it is KQL.
fn hold(name: &str, text: &str) -> bool {
    let parsed = parse(text);
    let printed = print(&parsed);
    if parsed.has_errors() {
        assert_eq!(printed, text, "{name}: a text with errors was changed");
        return false;
    }
    let again = parse(&printed);
    assert!(!again.has_errors(), "{name}: {:?}\n{printed}", again.diagnostics);
    assert_eq!(pieces(&parsed), pieces(&again), "{name}\n{printed}");
    assert_eq!(dump_shape(&parsed), dump_shape(&again), "{name}\n{printed}");
    assert_eq!(print(&again), printed, "{name}: not stable");
    lines(name, &again);
    true
}

/// Every `|` outside of brackets begins a line; no line ends in blanks; no two
/// lines together are empty; line ends are all of one kind.
fn lines(name: &str, printed: &Parsed) {
    let text = printed.text.as_str();
    let crlf = text.contains("\r\n");
    let mut depth = 0;
    let mut before = "\n";
    for token in &printed.tokens {
        let source = token.span.of(text);
        match token.kind {
            TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => depth += 1,
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => depth -= 1,
            TokenKind::Bar if depth == 0 => {
                assert!(before.contains('\n'), "{name}: a pipe within a line\n{text}");
            }
            TokenKind::Whitespace => {
                let ends = source.matches('\n').count();
                assert!(ends < 3, "{name}: two empty lines\n{text}");
                assert_eq!(
                    ends,
                    source.matches("\r\n").count().max(if crlf { 0 } else { ends }),
                    "{name}: mixed line ends\n{text}"
                );
                assert!(
                    !source.trim_start_matches(' ').trim_end_matches(' ').contains(' '),
                    "{name}: an empty line with blanks\n{text}"
                );
                assert!(
                    ends == 0 || source.starts_with(['\n', '\r']),
                    "{name}: blanks at the end of a line\n{text}"
                );
            }
            _ => {}
        }
        before = source;
    }
}

/// The files below a folder with one of these extensions, in order.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(next) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            if path.is_dir() {
                folders.push(path);
            } else if extensions.contains(&extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The queries of a file: all of a query file, the code blocks of a document.
fn queries(path: &Path) -> Vec<String> {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    if path.extension().is_some_and(|e| e != "md") {
        return vec![text];
    }
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for line in text.split_inclusive('\n') {
        match (&mut block, line.trim_start().starts_with("```")) {
            (None, true) => block = Some(String::new()),
            (Some(_), true) => found.extend(block.take()),
            (Some(block), false) => block.push_str(line),
            (None, false) => {}
        }
    }
    found
}

/// How many queries of a folder are KQL.
fn hold_folder(folder: &Path) -> usize {
    let mut held = 0;
    for path in files(folder, &["md", "kql"]) {
        for query in queries(&path) {
            let name = path.display().to_string();
            held += usize::from(hold(&name, &query));
            // The same query where lines end as on Windows.
            hold(&name, &query.replace("\r\n", "\n").replace('\n', "\r\n"));
        }
    }
    held
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_layout_of_our_queries_says_the_same() {
    assert!(hold_folder(&root().join("rules")) >= 30);
    assert!(hold_folder(&root().join("tests/cases")) >= 50);
    for line in include_str!("accepted.kql").lines() {
        let text = line.replace("\\n", "\n");
        assert!(hold(line, &text), "{line}");
        assert!(hold(line, &text.replace('\n', "\r\n")), "{line}");
    }
}

#[test]
fn the_layout_of_public_queries_says_the_same() {
    let shared = root().join("../shared");
    let (corpus, conformance) = (shared.join("corpus"), shared.join("conformance/kql.ndjson"));
    let (true, Ok(lines)) = (corpus.is_dir(), std::fs::read_to_string(conformance)) else {
        println!("skipped: there are no public queries beside the repository");
        return;
    };
    assert!(hold_folder(&corpus) >= 400);
    for line in lines.lines() {
        let request: serde_json::Value = serde_json::from_str(line).unwrap();
        hold(
            &request["id"].to_string(),
            request["query"].as_str().unwrap_or_default(),
        );
    }
}

/// Every gap between two tokens of a query takes a comment, on the line or on
/// its own, and the layout keeps it there.
#[test]
fn comments_anywhere_stay_where_they_are() {
    for line in include_str!("accepted.kql").lines() {
        let text = line.replace("\\n", "\n");
        let parsed = parse(&text);
        for token in &parsed.tokens {
            let at = token.span.start as usize;
            for comment in [" // c\n", "\n// c\n", "\n\n// c\n\n// d\n"] {
                let with = format!("{}{comment}{}", &text[..at], &text[at..]);
                // What depends on tokens standing together is no KQL any more.
                hold(&with, &with);
            }
        }
    }
}

/// However the author has set the blanks, the layout keeps to its own rules.
#[test]
fn any_blanks_are_laid_out() {
    let mut texts: Vec<String> = include_str!("accepted.kql")
        .lines()
        .map(|line| line.replace("\\n", "\n"))
        .collect();
    for path in files(&root().join("rules"), &["md"]) {
        texts.extend(queries(&path));
    }
    // The steps of a linear congruential generator: the same in every run.
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for text in &texts {
        let parsed = parse(text);
        for _ in 0..4 {
            let mut other = String::new();
            let mut comment = false;
            for token in &parsed.tokens {
                let source = token.span.of(text);
                let blanks = [" ", "\n", "  \n\t", "\n\n\n", "\t", " // c\n"];
                if token.kind == TokenKind::Whitespace {
                    // What follows a comment has to begin a line.
                    let ends = if comment { "\n" } else { "" };
                    other.push_str(ends);
                    other.push_str(blanks[usize::try_from(random(6)).unwrap()]);
                } else {
                    other.push_str(source);
                }
                comment = matches!(token.kind, TokenKind::Comment | TokenKind::Directive);
            }
            // Where a line begins decides in a few places what is KQL.
            hold(&other, &other);
        }
    }
}

#[test]
fn time_is_linear_in_length() {
    let time = |repeated: usize| {
        let mut text = String::from("let f = (x: int) { T | where a == x };\nT\n| where a in (");
        for n in 0..repeated {
            use std::fmt::Write;
            let _ = write!(text, "\"value {n}\", ");
        }
        text.push_str("\"last\")\n");
        for n in 0..repeated / 10 {
            use std::fmt::Write;
            let _ = write!(
                text,
                "| where a == {n} and (b has \"x\" or c in (1, 2)) // {n}\n| extend x = f(g(1), h(2), [3])\n"
            );
        }
        let parsed = parse(&text);
        assert!(!parsed.has_errors());
        (0..3)
            .map(|_| {
                let start = std::time::Instant::now();
                assert!(print(&parsed).len() > text.len());
                start.elapsed()
            })
            .min()
            .unwrap()
    };
    let (once, twice) = (time(10_000), time(40_000));
    // Four times the length; quadratic would be sixteen times the time.
    assert!(twice < once * 9, "{once:?} and {twice:?}");
}
