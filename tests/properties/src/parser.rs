//! Tokens to syntax tree.

use rulec_kql::ast::{Expr, Operator, Statement};
use rulec_kql::lexer::lex;
use rulec_kql::walk::{self, Visitor};
use rulec_kql::{Parsed, dump_ast, dump_shape, dump_tokens, parse};
use rulec_source::Span;

use crate::findings;

/// Any text gives a tree whose nodes lie in the text and in each other, tokens
/// that are the lexer's, and findings inside the text, in order, which a fix
/// takes away. The dumps work on any tree, and reading again gives the same.
pub fn parser(text: &str) {
    let parsed = parse(text);
    assert_eq!(parsed.text, text);
    assert_eq!(parsed.tokens, lex(text).0, "{text:?}");
    findings::in_bounds(text, &parsed.diagnostics);
    assert!(
        parsed.diagnostics.is_sorted_by_key(|d| d.span().map(|s| s.start)),
        "{text:?}"
    );
    let mut places = Places {
        text,
        outer: Span::new(0, text.len()),
    };
    walk::walk_query(&mut places, &parsed.query);
    let again = parse(text);
    assert_eq!(dumps(&parsed), dumps(&again), "{text:?}");
    assert_eq!(parsed.diagnostics, again.diagnostics, "{text:?}");
    findings::fixes_work(text, &parsed.diagnostics, |text| parse(text).diagnostics);
}

fn dumps(parsed: &Parsed) -> [String; 3] {
    [dump_tokens(parsed), dump_ast(parsed), dump_shape(parsed)]
}

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
