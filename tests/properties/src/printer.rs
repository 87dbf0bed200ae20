//! The canonical layout.

use rulec_kql::{Parsed, TokenKind, dump_shape, parse, print};

use crate::binder;

/// A text with errors comes out as it went in. Any other, laid out, is read as
/// the same tree and bound to the same algebra, has the same comments, and is
/// laid out as it is.
pub fn printer(text: &str) {
    let parsed = parse(text);
    let printed = print(&parsed);
    if parsed.has_errors() {
        assert_eq!(printed, text);
        return;
    }
    let again = parse(&printed);
    assert!(
        !again.has_errors(),
        "{text:?}\n{printed}\n{:?}",
        again.diagnostics
    );
    assert_eq!(dump_shape(&parsed), dump_shape(&again), "{text:?}\n{printed}");
    assert_eq!(print(&again), printed, "{text:?}");
    assert_eq!(comments(&parsed), comments(&again), "{text:?}\n{printed}");
    assert_eq!(
        binder::algebra(&parsed),
        binder::algebra(&again),
        "{text:?}\n{printed}"
    );
    // No line ends in blanks, but within strings of several lines and where
    // they belong to an instruction for a client.
    let own = again
        .tokens
        .iter()
        .filter(|t| matches!(t.kind, TokenKind::String | TokenKind::Directive));
    if own
        .map(|t| t.span.of(&printed))
        .all(|text| !text.ends_with([' ', '\t']) && !text.contains('\n'))
    {
        assert!(
            printed
                .lines()
                .all(|line| line.trim_end_matches([' ', '\t']) == line),
            "{text:?}\n{printed}"
        );
    }
}

fn comments(parsed: &Parsed) -> Vec<&str> {
    parsed
        .tokens
        .iter()
        .filter(|t| t.kind == TokenKind::Comment)
        .map(|t| t.span.of(&parsed.text).trim_end())
        .collect()
}
