//! What several lints look at in the syntax tree of a query.

use rulec_kql::TokenKind;
use rulec_kql::ast::{BinaryOp, Expr, ExprKind, JsonKind, Literal, Operator, Pipeline, Statement};
use rulec_kql::walk::{Visitor, walk_expr, walk_query};
use rulec_source::Span;

use crate::Query;

/// The comments of a query.
pub(super) fn comments<'q>(query: &Query<'q>) -> impl Iterator<Item = (&'q str, Span)> {
    let comments = query
        .parsed
        .tokens
        .iter()
        .filter(|t| t.kind == TokenKind::Comment);
    comments.map(|token| (token.span.of(&query.parsed.text), token.span))
}

/// Shows the patterns that `matches regex` looks for.
pub(super) fn patterns(query: &Query<'_>, visit: &mut dyn FnMut(&str, Span)) {
    if !query.says("regex") {
        return;
    }
    comparisons(query, &mut |c| {
        if c.op == "matches regex" {
            for (pattern, span) in c.texts() {
                visit(&pattern, span);
            }
        }
    });
}

/// Where a part of a condition compares what another does with another text:
/// the two places, the later one first.
pub(super) fn other_texts(query: &Query<'_>, parts: &[Expr], ops: [BinaryOp; 2]) -> Vec<(Span, Span)> {
    let compared = |part: &Expr| match &bare(part).kind {
        ExprKind::Binary(binary) if ops.contains(&binary.op) => {
            let value = text(&binary.rhs)?.to_owned();
            Some((words(query, binary.lhs.span), value, part.span))
        }
        _ => None,
    };
    let all: Vec<_> = parts.iter().filter_map(compared).collect();
    let pair = |(index, (what, value, span)): (usize, &(Vec<&str>, String, Span))| {
        let other = all[..index]
            .iter()
            .find(|(w, v, _)| w == what && !v.eq_ignore_ascii_case(value));
        other.map(|(_, _, first)| (*span, *first))
    };
    all.iter().enumerate().filter_map(pair).collect()
}

/// Something compared with one value or several.
pub(super) struct Comparison<'e> {
    /// As KQL writes it: `has`, `in~`.
    pub op: &'static str,
    pub op_span: Span,
    pub lhs: &'e Expr,
    pub values: &'e [Expr],
    /// Whether the values stand in a list.
    pub is_list: bool,
}

impl<'e> Comparison<'e> {
    /// The values that are written as texts.
    pub(super) fn texts(&self) -> Vec<(String, Span)> {
        let texts = self
            .values
            .iter()
            .filter_map(|v| Some((text(v)?.to_owned(), v.span)));
        texts.collect()
    }

    /// The column, when nothing is done to it.
    pub(super) fn column(&self) -> Option<&'e str> {
        name(self.lhs)
    }

    /// The function that the left side is a call of.
    pub(super) fn call(&self) -> Option<&'e str> {
        match &bare(self.lhs).kind {
            ExprKind::Call(call) => Some(call.name.text.as_str()),
            _ => None,
        }
    }
}

struct Each<'f>(&'f mut dyn FnMut(&Expr));

impl Visitor for Each<'_> {
    fn expr(&mut self, expr: &Expr) {
        (self.0)(expr);
        walk_expr(self, expr);
    }
}

/// Shows every expression of a query.
pub(super) fn exprs(query: &Query<'_>, visit: &mut dyn FnMut(&Expr)) {
    walk_query(&mut Each(visit), &query.parsed.query);
}

/// Shows every pipeline, those within others too.
pub(super) fn pipelines(query: &Query<'_>, visit: &mut dyn FnMut(&Pipeline)) {
    exprs(query, &mut |expr| {
        if let ExprKind::Pipeline(pipeline) = &expr.kind {
            visit(pipeline);
        }
    });
}

/// Shows every comparison.
pub(super) fn comparisons(query: &Query<'_>, visit: &mut dyn FnMut(&Comparison<'_>)) {
    exprs(query, &mut |expr| match &expr.kind {
        ExprKind::Binary(binary) => visit(&Comparison {
            op: binary.op.as_str(),
            op_span: binary.op_span,
            lhs: &binary.lhs,
            values: std::slice::from_ref(&binary.rhs),
            is_list: false,
        }),
        ExprKind::InList(list) => visit(&Comparison {
            op: list.op.as_str(),
            op_span: list.op_span,
            lhs: &list.lhs,
            values: &list.list,
            is_list: true,
        }),
        _ => {}
    });
}

/// The operators of the pipeline that gives the result.
pub(super) fn main_operators<'q>(query: &Query<'q>) -> &'q [Operator] {
    let mut statements = query.parsed.query.statements.iter().rev();
    let result = statements.find_map(|statement| match statement {
        Statement::Expression(expr) => Some(expr),
        _ => None,
    });
    match result.map(|expr| &bare(expr).kind) {
        Some(ExprKind::Pipeline(pipeline)) => &pipeline.operators,
        _ => &[],
    }
}

/// An expression without the brackets around it.
pub(super) fn bare(expr: &Expr) -> &Expr {
    let mut inner = expr;
    while let ExprKind::Parenthesised(next) = &inner.kind {
        inner = next;
    }
    inner
}

/// What a text says.
pub(super) fn text(expr: &Expr) -> Option<&str> {
    match &bare(expr).kind {
        ExprKind::Literal(Literal::String(text)) => Some(&text.value),
        _ => None,
    }
}

/// What a name says.
pub(super) fn name(expr: &Expr) -> Option<&str> {
    match &bare(expr).kind {
        ExprKind::Name(name) => Some(&name.text),
        _ => None,
    }
}

/// The texts of a `dynamic` array.
pub(super) fn dynamic_texts(literal: &Literal) -> Vec<(String, Span)> {
    let Literal::Dynamic(json) = literal else {
        return Vec::new();
    };
    let JsonKind::Array(items) = &json.kind else {
        return Vec::new();
    };
    let texts = items.iter().filter_map(|item| match &item.kind {
        JsonKind::String(text) => Some((text.clone(), item.span)),
        _ => None,
    });
    texts.collect()
}

/// Whether an expression is the column with the time of the event.
pub(super) fn is_time(expr: &Expr) -> bool {
    name(expr).is_some_and(|name| TIMES.contains(&name))
}

const TIMES: [&str; 2] = ["Timestamp", "TimeGenerated"];

/// Whether a stretch of the query compares the time of events with now.
pub(super) fn bounds_time(query: &Query<'_>, span: Span) -> bool {
    let words = words(query, span);
    words.contains(&"ago") && TIMES.iter().any(|time| words.contains(time))
}

/// What stands in a stretch of the query, without blanks and comments.
pub(super) fn words<'q>(query: &Query<'q>, span: Span) -> Vec<&'q str> {
    let tokens = &query.parsed.tokens;
    let from = tokens.partition_point(|token| token.span.start < span.start);
    tokens[from..]
        .iter()
        .take_while(|token| token.span.end <= span.end)
        .filter(|token| !matches!(token.kind, TokenKind::Whitespace | TokenKind::Comment))
        .map(|token| token.span.of(&query.parsed.text))
        .filter(|word| !word.is_empty())
        .collect()
}

/// How often a name stands in a query, its definition included.
pub(super) fn mentions(query: &Query<'_>, name: &str) -> usize {
    let quoted = |word: &str| word.trim_matches(['\'', '"', '@']) == name;
    let tokens = query.parsed.tokens.iter();
    tokens
        .filter(|token| token.kind != TokenKind::Comment)
        .filter(|token| quoted(token.span.of(&query.parsed.text)))
        .count()
}

/// Regular expressions, as far as lints read them.
pub(super) mod regex {
    /// Whether a pattern is a text and nothing else.
    pub(in super::super) fn is_plain(pattern: &str) -> bool {
        !pattern.contains([
            '\\', '.', '^', '$', '|', '?', '*', '+', '(', ')', '[', ']', '{', '}',
        ])
    }

    /// Ends of names of files and hosts.
    const ENDS: [&str; 11] = [
        "exe", "dll", "ps1", "bat", "vbs", "msi", "sys", "hta", "lnk", "com", "org",
    ];

    /// The first name of a file or host whose dot is not escaped.
    pub(in super::super) fn open_dot(pattern: &str) -> Option<String> {
        let mut open = None;
        each(pattern, &mut |at, c| {
            if c != '.' || open.is_some() {
                return;
            }
            let before = &pattern[..at];
            let word = before
                .rfind(|c: char| !c.is_ascii_alphanumeric())
                .map_or(before, |i| {
                    before[i..].trim_start_matches(|c: char| !c.is_ascii_alphanumeric())
                });
            // A letter behind a backslash is no part of the name.
            let escapes = before[..before.len() - word.len()]
                .bytes()
                .rev()
                .take_while(|b| *b == b'\\');
            let word = if escapes.count() % 2 == 1 {
                word.get(1..).unwrap_or_default()
            } else {
                word
            };
            let after = &pattern[at + 1..];
            let end = after
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(after.len());
            let ending = &after[..end];
            if !word.is_empty() && before.ends_with(word) && ENDS.contains(&ending) {
                open = Some(format!("{word}.{ending}"));
            }
        });
        open
    }

    /// How many groups a pattern has.
    pub(in super::super) fn groups(pattern: &str) -> usize {
        let mut groups = 0;
        each(pattern, &mut |at, c| {
            let after = &pattern[at..];
            let named = after.starts_with("(?P<")
                || (after.starts_with("(?<") && !after.starts_with("(?<=") && !after.starts_with("(?<!"));
            if c == '(' && (!after.starts_with("(?") || named) {
                groups += 1;
            }
        });
        groups
    }

    /// Shows the characters that are neither escaped nor in a class.
    fn each(pattern: &str, visit: &mut dyn FnMut(usize, char)) {
        let (mut escaped, mut class) = (false, false);
        for (at, c) in pattern.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                ']' => class = false,
                '[' => class = true,
                _ if class => {}
                _ => visit(at, c),
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn groups_and_dots() {
            assert_eq!(groups(r"(a)(?:b)\((?P<c>d)[(](?<e>f)(?<=g)"), 3);
            assert_eq!(open_dot(r"\bcmd.exe\b").as_deref(), Some("cmd.exe"));
            assert_eq!(open_dot(r"cmd\.exe|[a.exe]|.exe|a.*b"), None);
        }
    }
}
