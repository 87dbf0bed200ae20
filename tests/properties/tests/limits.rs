//! Deep and long texts: read, laid out and bound on a small stack, in time
//! that grows with their length and no faster, and with one finding where they
//! are too deep, whatever it is that nests.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests, which say what they did"
)]

use std::fmt::Write as _;

use rulec_kql::{Parsed, parse};
use rulec_properties::{all, lexer, parser, printer};

/// What holds of any text, of one that is long.
fn check(text: &str) -> Parsed {
    lexer(text);
    parser(text);
    printer(text);
    parse(text)
}

/// Runs on a stack as small as that of a worker thread.
fn on_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work);
    let ended = thread.map(std::thread::JoinHandle::join);
    assert!(matches!(ended, Ok(Ok(()))), "the thread died");
}

#[test]
fn depth_is_limited_with_one_finding() {
    on_small_stack(|| {
        for (open, inner, close) in [
            ("(", "1", ")"),
            ("f(", "1", ")"),
            ("a[", "1", "]"),
            ("[", "1", "]"),
            ("(T | where ", "a", ")"),
            ("toscalar(", "T", ")"),
            ("a in (", "1", ")"),
            ("1 + (", "1", ")"),
        ] {
            // Each of these is one level, but for a query inside a condition
            // and for what stands right of an operator.
            let fits = if open.contains("where") || open.contains('+') {
                90
            } else {
                190
            };
            for depth in [20_000, fits] {
                let text = format!("print x = {}{inner}{}", open.repeat(depth), close.repeat(depth));
                let parsed = check(&text);
                let expected: &[&str] = if depth > fits { &["RK110"] } else { &[] };
                let codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code.id).collect();
                assert_eq!(codes, expected, "{open} {depth}");
            }
        }
        for text in [
            format!("print dynamic({}1{})", "[".repeat(20_000), "]".repeat(20_000)),
            format!(
                "print dynamic({}1{})",
                "{\"a\":".repeat(20_000),
                "}".repeat(20_000)
            ),
            "let f = () {".repeat(20_000),
            format!(
                "T | {}take 1{}",
                "mv-apply a on (".repeat(20_000),
                ")".repeat(20_000)
            ),
            format!("T | {}take 1{}", "fork (".repeat(20_000), ")".repeat(20_000)),
            format!("T | {}", "join (U | ".repeat(20_000)),
            "(".repeat(20_000),
        ] {
            let parsed = check(&text);
            assert_eq!(parsed.diagnostics.len(), 1, "{:?}", &parsed.diagnostics[..2]);
            assert_eq!(parsed.diagnostics[0].code.id, "RK110");
        }
    });
}

/// Texts in which as much as possible is open around each bracket.
const CROWDED: [(&str, &str, &str); 11] = [
    ("print x = ", "1 or 1 and 1 == 1 < 1 + 1 * 1 has -(", ")"),
    ("print x = ", "[1 or 1 and 1 == 1 < 1 + 1 * 1 has -", "]"),
    ("print x = ", "a[1 or 1 and 1 == 1 < 1 + 1 * 1 has -", "]"),
    ("print x = ", "a.b(1 or 1 and 1 == 1 < 1 + 1 * 1 has -", ")"),
    ("print x = ", "case(1, 1 or 1 and 1 == 1 < 1 + (", "))"),
    ("print x = ", "a in ((T | where 1 or 1 and a == ", "))"),
    ("print x = ", "toscalar(print 1 or 1 and 1 == 1 + ", ")"),
    (
        "T | ",
        "top 1 by 1 or 1 and 1 == 1 < 1 + 1 * 1 has toscalar(T | ",
        ")",
    ),
    ("", "(range x from 1 to 1 or 1 and 1 == 1 < 1 + 1 * 1 has ", ")"),
    ("", "union (", ")"),
    ("let f = ", "() { print x = 1 or 1 and 1 == (", ")}"),
];

#[test]
fn crowded_nesting_is_read_and_bound_on_a_small_stack() {
    on_small_stack(|| {
        for (head, open, close) in CROWDED {
            for depth in [20, 60, 120, 199] {
                all(&format!("{head}{}1{}", open.repeat(depth), close.repeat(depth)));
            }
            parse(&format!("{head}{}1{}", open.repeat(20_000), close.repeat(20_000)));
        }
    });
}

#[test]
fn the_parser_needs_little_stack() {
    let kilobytes = if cfg!(debug_assertions) { 1280 } else { 512 };
    for (head, open, close) in CROWDED {
        let read = move || {
            for depth in [199, 20_000] {
                let text = format!("{head}{}1{}", open.repeat(depth), close.repeat(depth));
                let parsed = parse(&text);
                assert!(parsed.diagnostics.len() < 3, "{head}{open}");
            }
        };
        let thread = std::thread::Builder::new()
            .stack_size(kilobytes << 10)
            .spawn(read);
        thread.unwrap().join().unwrap();
    }
}

#[test]
fn length_is_not_limited() {
    on_small_stack(|| {
        for (first, more) in [
            ("T | where a", " or a"),
            ("T | where a", " and a == 1"),
            ("print 1", " + 1"),
            ("print 1", " - 1 * 2"),
            ("print a", ".b"),
            ("print a", "[0]"),
            ("T", " | where a"),
            ("let a0 = 1", "; let a = 1"),
            ("print a", ", b"),
            ("print \"a\"", " \"b\""),
            ("union T", ", U"),
            ("T | fork (take 1)", " (take 1)"),
            ("T | top-nested 1 of a by b", ", top-nested 1 of a by b"),
            ("T | parse a with b", " \"x\" c"),
        ] {
            let text = format!("{first}{}", more.repeat(20_000));
            let parsed = check(&text);
            assert!(!parsed.has_errors(), "{first}{more} {:?}", parsed.diagnostics[0]);
        }
        // Signs do not repeat, and say so once.
        assert_eq!(
            check(&format!("print {}1", "-".repeat(20_000))).diagnostics.len(),
            1
        );
    });
}

#[test]
fn brackets_that_never_close_take_no_more_time_than_others() {
    on_small_stack(|| {
        for piece in [
            "(a, ",
            "f(",
            "[",
            "{",
            "| where (",
            ") ",
            "] }",
            "let x = (",
            "dynamic([",
            "\"",
            "case(a, (b ",
        ] {
            let text = piece.repeat(20_000);
            check(&text);
        }
        let mut list = String::from("T | where a in (");
        for n in 0..50_000 {
            let _ = write!(list, "\"value {n}\", ");
        }
        list.push_str("\"last\")");
        assert!(!check(&list).has_errors());
    });
}
