//! Whether a text is one KQL condition and nothing else.
//!
//! It is read on its own, behind `T | where`: what is exactly one predicate
//! there is an expression of the language, and stays one within parentheses.
//! Text that would leave them (a bracket too many, a pipe, another statement,
//! a comment that swallows what follows) is something else there already.

use rulec_kql::{
    TokenKind,
    ast::{ExprKind, OperatorKind, Statement},
};
use rulec_source::{Diagnostic, Span};

use crate::{codes::BAD_CONDITION, splice::Part};

const HEAD: &str = "T\n| where ";

/// What to do about a text that is not one condition.
const ONE: &str = "an exclusion is one condition, such as `DeviceName startswith \"scan-\"`; write another exclusion for another";

/// Longer conditions are lists, and lists belong into watchlists.
const LONGEST: usize = 64 << 10;

/// Why a text is no condition, and where in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    message: String,
    span: Span,
    help: String,
}

impl Refusal {
    /// As a finding about the file that the parts lead back to.
    pub(crate) fn diagnostic(&self, condition: &str, parts: &[Part], whole: Span) -> Diagnostic {
        let fragment = crate::splice::whole(parts);
        let mut at = self.span;
        // A place of no length is the character before it.
        if at.is_empty() {
            let before = condition[..at.start as usize].trim_end();
            let start = before.char_indices().next_back().map_or(0, |(start, _)| start);
            at = Span::new(start, before.len());
        }
        Diagnostic::new(BAD_CONDITION, self.message.clone())
            .at(if condition.trim().is_empty() {
                whole
            } else {
                fragment.map(at)
            })
            .help(self.help.clone())
    }
}

/// Whether a text is one condition.
pub(crate) fn check(condition: &str) -> Result<(), Refusal> {
    let refused = |message: String, span: Span, help: &str| {
        Err(Refusal {
            message,
            span,
            help: help.to_owned(),
        })
    };
    if condition.trim().is_empty() {
        let all = Span::new(0, condition.len());
        return refused(
            "the condition is empty".to_owned(),
            all,
            "say which events are left out: `DeviceName startswith \"scan-\"`",
        );
    }
    if condition.len() > LONGEST {
        let message = format!("the condition is longer than {LONGEST} bytes");
        return refused(message, Span::new(0, 1), "put its values into a watchlist");
    }
    let parsed = rulec_kql::parse(&format!("{HEAD}{condition}\n"));
    let within = |span: Span| {
        let part = |at: u32| (at as usize).saturating_sub(HEAD.len()).min(condition.len());
        Span::new(part(span.start), part(span.end))
    };
    // What separates operators and statements says more than the parser's words
    // about what comes behind it.
    let mut depth = 0_usize;
    for token in &parsed.tokens {
        let at = within(token.span);
        match token.kind {
            _ if (token.span.start as usize) < HEAD.len() => {}
            TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => depth += 1,
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace if depth == 0 => {
                return refused(
                    "the condition closes a bracket that it does not open".to_owned(),
                    at,
                    ONE,
                );
            }
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => depth -= 1,
            TokenKind::Bar if depth == 0 => {
                return refused(
                    "the condition goes on with `|`: it is a pipeline".to_owned(),
                    at,
                    ONE,
                );
            }
            TokenKind::Semicolon if depth == 0 => {
                return refused(
                    "the condition ends with `;`: it is a statement".to_owned(),
                    at,
                    ONE,
                );
            }
            TokenKind::Directive => {
                return refused(
                    "the condition has a line that begins with `#`".to_owned(),
                    at,
                    ONE,
                );
            }
            _ => {}
        }
    }
    if let Some(error) = parsed.diagnostics.iter().find(|d| d.is_error()) {
        let help = error.help.as_deref().unwrap_or(ONE);
        let span = within(error.span().unwrap_or_default());
        return refused(
            format!("the condition cannot be read: {}", error.message),
            span,
            help,
        );
    }
    let all = Span::new(0, condition.len());
    let no_condition = || refused("this is not one condition".to_owned(), all, ONE);
    let [Statement::Expression(expr)] = &parsed.query.statements[..] else {
        return no_condition();
    };
    let ExprKind::Pipeline(pipeline) = &expr.kind else {
        return no_condition();
    };
    let [only] = &pipeline.operators[..] else {
        return no_condition();
    };
    let OperatorKind::Where { predicate } = &only.kind else {
        return no_condition();
    };
    let trivia = |kind| matches!(kind, TokenKind::Whitespace | TokenKind::Comment);
    let mut own = parsed
        .tokens
        .iter()
        .filter(|t| t.span.start as usize >= HEAD.len() && !trivia(t.kind) && !t.span.is_empty());
    let named = matches!(predicate.kind, ExprKind::Named(_));
    if named || !only.params.is_empty() || !own.all(|token| predicate.span.contains(token.span)) {
        return no_condition();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_one_expression() {
        for text in [
            "X == 1",
            "X startswith \"a|b;c)\" // a comment",
            "X == 1\n  or Y == 2 // first\n",
            "(X == 1)",
            "X in (\"a\", \"b\")",
            "X in ((_GetWatchlist('hosts') | project SearchKey))",
            "not(X)",
            "X matches regex @\"^\\)\"",
            "// before\nX == 1",
            "true",
            "tobool(P.flag)",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_would_leave_its_parentheses_is_refused() {
        for (text, at) in [
            ("", ""),
            ("  \n ", "  \n "),
            ("// only a comment", ""),
            ("X == 1 | take 0", "|"),
            ("X == 1) | take 0 //", ")"),
            ("1 == 1, false)) | where (true", ")"),
            ("X == 1; T", ";"),
            ("X == 1;", ";"),
            ("X == 1\n#connect cluster('x')", "#connect cluster('x')"),
            ("]", "]"),
            ("X == 1 }", "}"),
            ("a = 1", ""),
            ("X == 1, Y == 2", ""),
            ("X ==", ""),
            ("X == 'abc", ""),
            ("(X == 1", ""),
            ("X == 1 // End environment-specific filter.\n| take 0", "|"),
            ("let x = 1", ""),
            ("where X == 1", ""),
            ("X == \u{0}", ""),
            ("kind=x Y == 1", ""),
        ] {
            let refusal = check(text).expect_err(text);
            if !at.is_empty() {
                assert_eq!(refusal.span.of(text), at, "{text}: {}", refusal.message);
            }
        }
        let deep = format!("{}X{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(check(&deep).is_err());
        assert!(check(&format!("{}X{}", "(".repeat(9_000), ")".repeat(9_000))).is_err());
    }
}
