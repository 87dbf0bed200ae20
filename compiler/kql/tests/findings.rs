//! What holds for any text: no panic, nothing lost, places inside the text,
//! layout that means the same, and time and stack within bounds.

use std::fmt::Write;

use proptest::prelude::*;
use rulec_kql::ast::{Expr, Operator, Statement};
use rulec_kql::walk::{self, Visitor};
use rulec_kql::{Parsed, TokenKind, dump_ast, dump_shape, dump_tokens, parse, print};
use rulec_source::Span;

/// Holds every span of a tree inside the text, on character boundaries, and
/// inside the span of its parent unless nothing stands there.
struct Places<'a> {
    text: &'a str,
    outer: Span,
}

impl Places<'_> {
    fn check(&self, span: Span) {
        assert!(
            self.text.get(span.range()).is_some(),
            "{span:?} in {:?}",
            self.text
        );
        // What is missing stands, empty, where the text before it ends; that may
        // be in front of what follows it.
        assert!(
            span.is_empty() || self.outer.contains(span),
            "{span:?} outside of {:?} in {:?}",
            self.outer,
            self.text
        );
    }

    fn within(&mut self, span: Span, inner: impl FnOnce(&mut Self)) {
        self.check(span);
        let outer = std::mem::replace(&mut self.outer, span);
        inner(self);
        self.outer = outer;
    }
}

impl Visitor for Places<'_> {
    fn statement(&mut self, statement: &Statement) {
        self.within(statement.span(), |v| walk::walk_statement(v, statement));
    }

    fn expr(&mut self, expr: &Expr) {
        self.within(expr.span, |v| walk::walk_expr(v, expr));
    }

    fn operator(&mut self, operator: &Operator) {
        self.within(operator.span, |v| walk::walk_operator(v, operator));
    }
}

fn check(text: &str) -> Parsed {
    let parsed = parse(text);
    // Nothing is lost, and nothing overlaps.
    let mut end = 0;
    let mut joined = String::new();
    for token in &parsed.tokens {
        assert_eq!(token.span.start, end, "{text:?}");
        end = token.span.end;
        joined.push_str(&text[token.span.range()]);
    }
    assert_eq!(joined, text);
    assert_eq!(parsed.tokens.last().map(|t| t.kind), Some(TokenKind::Eof));
    // Places.
    for diagnostic in &parsed.diagnostics {
        assert!(diagnostic.span().is_some(), "{diagnostic:?}");
        for label in &diagnostic.labels {
            assert!(
                text.get(label.span.range()).is_some(),
                "{diagnostic:?} in {text:?}"
            );
        }
        for edit in diagnostic.fix.iter().flat_map(|f| &f.edits) {
            assert!(
                text.get(edit.span.range()).is_some(),
                "{diagnostic:?} in {text:?}"
            );
        }
    }
    let mut places = Places {
        text,
        outer: Span::new(0, text.len()),
    };
    walk::walk_query(&mut places, &parsed.query);
    // The dumps work on any tree.
    dump_tokens(&parsed);
    dump_ast(&parsed);
    // Layout keeps the meaning and is stable.
    let printed = print(&parsed);
    if parsed.has_errors() {
        assert_eq!(printed, text);
    } else {
        let again = parse(&printed);
        assert!(
            !again.has_errors(),
            "{text:?}\n{printed}\n{:?}",
            again.diagnostics
        );
        assert_eq!(dump_shape(&parsed), dump_shape(&again), "{text:?}\n{printed}");
        assert_eq!(print(&again), printed, "{text:?}");
        assert_eq!(comments(&parsed), comments(&again), "{text:?}\n{printed}");
    }
    parsed
}

fn comments(parsed: &Parsed) -> Vec<String> {
    parsed
        .tokens
        .iter()
        .filter(|t| t.kind == TokenKind::Comment)
        .map(|t| t.span.of(&parsed.text).trim_end().to_owned())
        .collect()
}

/// Pieces from which texts are made that resemble queries.
const PIECES: &[&str] = &[
    "T",
    "a",
    "b",
    "| where",
    "| extend",
    "| project",
    "| summarize",
    "| join kind=inner",
    "| mv-expand",
    "| make-series",
    "| parse",
    "| scan with",
    "| partition by",
    "| fork",
    "| render",
    "| union",
    "| top",
    "| evaluate",
    "| graph-match",
    "| mv-apply",
    "let",
    "set",
    "declare",
    "pattern",
    "query_parameters",
    "view",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    ",",
    ";",
    ":",
    ".",
    "..",
    "=",
    "==",
    "=>",
    "=~",
    "!~",
    "!=",
    "<",
    ">",
    "+",
    "-",
    "*",
    "/",
    "%",
    "@",
    "$left",
    "and",
    "or",
    "in",
    "!in~",
    "between",
    "has",
    "has_any",
    "by",
    "on",
    "with",
    "of",
    "to",
    "typeof",
    "dynamic",
    "datatable",
    "externaldata",
    "toscalar",
    "materialize",
    "\"x\"",
    "'y'",
    "@\"z\"",
    "h\"s\"",
    "```m\nn```",
    "\"open",
    "1",
    "1.5",
    "2h",
    "0x1f",
    "datetime(2020-01-01)",
    "int(null)",
    "long(",
    "true",
    "null",
    "// c\n",
    "\n",
    " ",
    "\t",
    "é",
    "“",
    "#x\n",
    "hint.strategy",
    "kind",
    "step",
    "asc",
    "nulls first",
    "default",
    "from",
    "limit",
    "step s: true;",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in "\\PC{0,60}") {
        check(&text);
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<char>(), 0..60)) {
        check(&bytes.into_iter().collect::<String>());
    }

    #[test]
    fn any_pieces_are_read(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        check(&pieces.join(" "));
        check(&pieces.concat());
    }

    #[test]
    fn damaged_queries_are_read(
        case in 0_usize..10_000,
        at in 0.0_f64..1.0,
        piece in proptest::sample::select(PIECES),
        cut in 0_usize..5,
    ) {
        let cases: Vec<&str> = include_str!("accepted.kql").lines().collect();
        let text = cases[case % cases.len()].replace("\\n", "\n");
        let mut middle = (at * text.len() as f64) as usize;
        while !text.is_char_boundary(middle) {
            middle -= 1;
        }
        let mut end = (middle + cut).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        check(&format!("{}{piece}{}", &text[..middle], &text[end..]));
    }
}

#[test]
fn every_known_query_and_every_part_of_it_is_read() {
    for line in include_str!("accepted.kql")
        .lines()
        .chain(include_str!("rejected.kql").lines())
    {
        let text = line.replace("\\n", "\n");
        check(&text);
        let middle = text.len() / 2;
        if text.is_char_boundary(middle) {
            check(&text[..middle]);
            check(&text[middle..]);
        }
    }
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
            // Each of these is one level, but for a query inside a condition.
            let fits = if open.contains("where") { 90 } else { 190 };
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
        for n in 0..200_000 {
            let _ = write!(list, "\"value {n}\", ");
        }
        list.push_str("\"last\")");
        assert!(!check(&list).has_errors());
    });
}

#[test]
fn one_mistake_is_one_finding() {
    for (text, code) in [
        ("T\n| where (a == 1 and b == 2\n| project a\n| take 1", "RK115"),
        ("T\n| where a == 1\nproject a, b\n| take 1", "RK113"),
        ("T\n| where f(a, b\n| take 1", "RK115"),
        ("T\n| wher a == 1\n| take 1", "RK108"),
        ("T\n| where a == \n| take 1", "RK106"),
        ("T\n| where a = = 1\n| take 1", "RK106"),
        ("T\n| project a b, c\n| take 1", "RK114"),
        ("let x = 1\nlet y = 2;\nT | take x", "RK116"),
        ("let x = 1\nT\n| take x", "RK116"),
        ("T\n| where a == \"open\n| take 1", "RK102"),
        ("T\n| where a == \"c:\\users\"\n| take 1", "RK103"),
        ("T\n| where a == datetime(2020-01-01\n| take 1", "RK104"),
        ("T\n| where a ^ b\n| take 1", "RK101"),
        ("T\n| extend kind = 1\n| take 1", "RK111"),
        ("T\n| extend where\n| take 1", "RK106"),
        ("T\n| sort a\n| take 1", "RK105"),
        ("datatable (a: strin) [1]", "RK112"),
        ("T\n| take 1 2 3\n| count", "RK109"),
        (".show tables", "RK109"),
        ("T\n| where a == “x”\n| take 1", "RK101"),
    ] {
        let parsed = check(text);
        let codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code.id).collect();
        assert_eq!(codes, [code], "{text}\n{:#?}", parsed.diagnostics);
    }
}

#[test]
fn several_mistakes_are_all_found() {
    let parsed = check("T\n| where a ==\n| project b c\n| sort d\n| take 1;\nU | wher x");
    let codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code.id).collect();
    assert_eq!(
        codes,
        ["RK106", "RK114", "RK105", "RK108"],
        "{:#?}",
        parsed.diagnostics
    );
}
