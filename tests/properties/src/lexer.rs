//! Text to tokens.

use rulec_kql::TokenKind;
use rulec_kql::lexer::{MAX_FINDINGS, lex};

use crate::findings;

/// Tokens follow each other without gap or overlap, are the text when they are
/// put together, each but the last has a length, and the last is the end.
/// Findings lie in the text and do not grow beyond their limit.
pub fn lexer(text: &str) {
    let (tokens, diagnostics) = lex(text);
    let mut end = 0;
    let mut joined = String::with_capacity(text.len());
    for token in &tokens {
        assert_eq!(token.span.start, end, "{text:?}");
        assert_eq!(token.span.is_empty(), token.kind == TokenKind::Eof, "{text:?}");
        end = token.span.end;
        let Some(bytes) = text.get(token.span.range()) else {
            panic!("{token:?} is not on character boundaries of {text:?}")
        };
        joined.push_str(bytes);
    }
    assert_eq!(joined, text);
    assert_eq!(tokens.last().map(|t| t.kind), Some(TokenKind::Eof));
    assert!(diagnostics.len() <= MAX_FINDINGS, "{text:?}");
    findings::in_bounds(text, &diagnostics);
    assert_eq!(lex(text), (tokens, diagnostics), "{text:?}");
}
