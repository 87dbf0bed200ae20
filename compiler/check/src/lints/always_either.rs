//! Exclusions joined by `or`.

use rulec_kql::ast::{BinaryOp, Expr, ExprKind};
use rulec_source::Span;

use super::{
    code,
    syntax::{bare, exprs, text, words},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL034",
        "always-either",
        Severity::Warning,
        "A value has to differ from one of two texts, which every value does.",
    ),
    page: include_str!("../../pages/always-either.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        exprs(query, &mut |expr| {
            let ExprKind::Or(parts) = &expr.kind else { return };
            let equal: Vec<(Vec<&str>, String, Span)> = parts
                .iter()
                .filter_map(|part| {
                    let (lhs, value) = compared(part)?;
                    Some((words(query, lhs.span), value.to_owned(), part.span))
                })
                .collect();
            for (index, (column, value, span)) in equal.iter().enumerate() {
                let other = equal[..index]
                    .iter()
                    .find(|(c, v, _)| c == column && !v.eq_ignore_ascii_case(value));
                if let Some((_, _, first)) = other {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            "every value differs from one of these texts, so the condition always holds",
                        )
                        .at(query.fragment.map(*span))
                        .label(query.fragment.map(*first), "the other")
                        .help("join them by `and`, or use `!in~`"),
                    );
                }
            }
        });
    }
}

/// What is compared with which text.
fn compared(part: &Expr) -> Option<(&Expr, &str)> {
    match &bare(part).kind {
        ExprKind::Binary(binary) if matches!(binary.op, BinaryOp::NotEqual | BinaryOp::NotEqualTilde) => {
            Some((&binary.lhs, text(&binary.rhs)?))
        }
        _ => None,
    }
}
