//! A look at the tokens of a query: names that are called, and comments.
//!
//! In: a parsed query, with errors or without. Out: places. This is for what
//! targets forbid in the text as such; what a name means is the binder's to
//! say, so nothing here decides what a query does.

use regex::Regex;
use rulec_kql::{Parsed, TokenKind};
use rulec_source::Span;

/// The first call of the function `name` (`workspace`), as the place of its
/// name; case-sensitive.
pub(crate) fn call(parsed: &Parsed, name: &str) -> Option<Span> {
    let mut tokens = parsed
        .tokens
        .iter()
        .filter(|token| !token.kind.is_trivia())
        .peekable();
    while let Some(token) = tokens.next() {
        let called = tokens
            .peek()
            .is_some_and(|next| next.kind == TokenKind::OpenParen);
        let is_word = matches!(token.kind, TokenKind::Ident | TokenKind::Keyword(_));
        if called && is_word && token.span.of(&parsed.text) == name {
            return Some(token.span);
        }
    }
    None
}

/// The first place of a word of the language, such as the name of an operator.
pub(crate) fn word(parsed: &Parsed, name: &str) -> Option<Span> {
    let is_word = |kind: &TokenKind| matches!(kind, TokenKind::Ident | TokenKind::Keyword(_));
    let mut words = parsed.tokens.iter().filter(|token| is_word(&token.kind));
    words
        .find(|token| token.span.of(&parsed.text) == name)
        .map(|token| token.span)
}

/// The first match of a pattern in the query as it would be written with one
/// blank between any two words or signs and without comments: from the first
/// word matched to the last.
pub(crate) fn spaced(parsed: &Parsed, pattern: &Regex) -> Option<Span> {
    let mut text = String::new();
    let mut words: Vec<(usize, Span)> = Vec::new();
    for token in parsed.tokens.iter().filter(|token| !token.kind.is_trivia()) {
        if !text.is_empty() {
            text.push(' ');
        }
        words.push((text.len(), token.span));
        text.push_str(token.span.of(&parsed.text));
    }
    let found = pattern.find(&text)?;
    let at = |offset: usize| {
        let index = words.partition_point(|(start, _)| *start <= offset);
        words.get(index.checked_sub(1)?).map(|(_, span)| *span)
    };
    let last = at(found.end().saturating_sub(1))?;
    Some(Span::new(at(found.start())?.start as usize, last.end as usize))
}

/// The comments, in order.
fn comments(parsed: &Parsed) -> impl Iterator<Item = Span> {
    let tokens = parsed.tokens.iter();
    tokens
        .filter(|token| token.kind == TokenKind::Comment)
        .map(|token| token.span)
}

/// The first comment.
pub(crate) fn comment(parsed: &Parsed) -> Option<Span> {
    comments(parsed).next()
}

/// The text without comments, and without the lines that held nothing else.
pub(crate) fn without_comments(parsed: &Parsed) -> String {
    let text = parsed.text.as_str();
    let mut comments = comments(parsed).peekable();
    let mut out = String::with_capacity(text.len());
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        match comments.next_if(|span| (span.start as usize) < end) {
            Some(span) => {
                let kept = text
                    .get(start..span.start as usize)
                    .unwrap_or_default()
                    .trim_end();
                if !kept.is_empty() {
                    out.push_str(kept);
                    out.push_str(text.get(span.end as usize..end).unwrap_or_default());
                }
            }
            None => out.push_str(line),
        }
        start = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn calls_outside_strings_and_comments() {
        let text = "// workspace('a')\nlet a = \"workspace('b')\"; union workspace /* */ (\"c\").T";
        let text = text.replace("/* */", "// x\n");
        let parsed = rulec_kql::parse(&text);
        let span = call(&parsed, "workspace").unwrap();
        assert_eq!(span.start as usize, text.rfind("workspace").unwrap());
        assert_eq!(
            call(&rulec_kql::parse("T | where workspace == 1"), "workspace"),
            None
        );
    }

    #[test]
    fn patterns_are_found_however_they_are_spaced() {
        let pattern = Regex::new(r"\bunion( \w+ = \w+)* \*").unwrap();
        let find = |text: &str| {
            let parsed = rulec_kql::parse(text);
            spaced(&parsed, &pattern).map(|span| span.of(text).to_owned())
        };
        assert_eq!(
            find("union  // all\n  isfuzzy=true\n* | take 1").as_deref(),
            Some("union  // all\n  isfuzzy=true\n*")
        );
        for other in [
            "union A*, B",
            "// union *\nT",
            "T | union (A | where B * 2 > 1)",
            "",
        ] {
            assert_eq!(find(other), None, "{other}");
        }
    }

    #[test]
    fn comments_go_with_their_lines() {
        let parsed = rulec_kql::parse("T // a\n// b\r\n| where x == \"http://y\" // c");
        assert_eq!(without_comments(&parsed), "T\n| where x == \"http://y\"");
        assert_eq!(comment(&parsed).unwrap().of(&parsed.text), "// a");
        assert_eq!(comment(&rulec_kql::parse("T | where a == '//'")), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_scanned(text in "[a-z/`~@\"'\\\\\r\n é*=(]{0,40}") {
            let parsed = rulec_kql::parse(&text);
            let without = rulec_kql::parse(&without_comments(&parsed));
            prop_assert_eq!(comment(&without), None);
            let _ = call(&parsed, "a");
        }
    }
}
