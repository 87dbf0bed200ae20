//! Parts of a query as they are written, without comments.

use rulec_kql::{
    TokenKind,
    ast::{Expr, ExprKind, Operator, OperatorKind},
    walk::{Visitor, walk_operator, walk_query},
};
use rulec_source::Span;

use crate::Input;

/// Longer texts are shortened where they stand within a sentence.
pub(crate) const LONG: usize = 80;

/// Reads the text of a query.
#[derive(Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) input: &'a Input<'a>,
}

impl Written<'_> {
    /// The text under a span on one line.
    pub(crate) fn line(self, span: Span) -> String {
        let text = self.uncommented(span);
        let mut line = String::new();
        for part in text.lines().map(str::trim) {
            let close = line.is_empty() || line.ends_with(['(', '[']) || part.starts_with([')', ']']);
            line.push_str(if close { "" } else { " " });
            line.push_str(part);
        }
        line
    }

    /// The text under a span on one line, shortened.
    pub(crate) fn short(self, span: Span) -> String {
        shortened(&self.line(span), LONG)
    }

    /// Where the operator at `place` says what it joins with, parentheses left out.
    pub(crate) fn right_side(self, place: Span) -> Option<Span> {
        let mut finder = RightSide { place, found: None };
        walk_query(&mut finder, &self.input.parsed.query);
        finder.found
    }

    /// The text under a span without comments, and without the blanks they leave.
    pub(crate) fn uncommented(self, span: Span) -> String {
        let source = &self.input.fragment.text;
        let mut text = String::new();
        let mut at = span.start as usize;
        let comments = self
            .input
            .parsed
            .tokens
            .iter()
            .filter(|t| t.kind == TokenKind::Comment)
            .map(|t| t.span);
        for comment in comments.filter(|c| span.contains(*c)) {
            text.push_str(source.get(at..comment.start as usize).unwrap_or_default());
            at = comment.end as usize;
        }
        text.push_str(source.get(at..span.end as usize).unwrap_or_default());
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        // What is below the first line keeps its place relative to it; only the
        // indentation that both have goes.
        let line = source.get(..span.start as usize).unwrap_or_default();
        let line = &line[line.rfind('\n').map_or(0, |at| at + 1)..];
        let own = line.len() - line.trim_start_matches([' ', '\t']).len();
        let indent = lines
            .iter()
            .skip(1)
            .filter(|l| !l.is_empty())
            .map(|l| l.len() - l.trim_start().len())
            .fold(own, usize::min);
        let kept: Vec<&str> = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(index, line)| {
                if index == 0 {
                    line.trim_start()
                } else {
                    line.get(indent..).unwrap_or(line)
                }
            })
            .collect();
        kept.join("\n")
    }
}

/// Looks for the right side of the `join` or `lookup` at a place.
struct RightSide {
    place: Span,
    found: Option<Span>,
}

impl Visitor for RightSide {
    fn operator(&mut self, operator: &Operator) {
        if let OperatorKind::Join { right, .. } | OperatorKind::Lookup { right, .. } = &operator.kind
            && operator.span == self.place
        {
            self.found = Some(opened(right).span);
            return;
        }
        if operator.span.contains(self.place) {
            walk_operator(self, operator);
        }
    }
}

/// Without parentheses and `materialize(…)`, which change no row.
pub(crate) fn opened(expr: &Expr) -> &Expr {
    let mut expr = expr;
    loop {
        expr = match &expr.kind {
            ExprKind::Parenthesised(inner) => inner,
            ExprKind::Call(call) if call.name.text == "materialize" && call.args.len() == 1 => {
                &call.args[0].value
            }
            _ => return expr,
        };
    }
}

/// The beginning of a text.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}
