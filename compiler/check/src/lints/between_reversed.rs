//! `between` bounds in the wrong order.

use rulec_kql::ast::{Expr, ExprKind, Literal};

use super::{
    code,
    syntax::{bare, exprs},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL036",
        "between-reversed",
        Severity::Warning,
        "The bounds of `between` are in the wrong order.",
    ),
    page: include_str!("../../pages/between-reversed.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        exprs(query, &mut |expr| {
            let ExprKind::Between(between) = &expr.kind else {
                return;
            };
            let reversed = match (number(&between.from), number(&between.to)) {
                (Some(from), Some(to)) => from > to,
                // Longer ago is earlier.
                _ => matches!((ago(&between.from), ago(&between.to)), (Some(from), Some(to)) if from < to),
            };
            if reversed {
                let from = query.fragment.map(between.from.span);
                let to = query.fragment.map(between.to.span);
                let texts = (
                    between.from.span.of(&query.parsed.text).to_owned(),
                    between.to.span.of(&query.parsed.text).to_owned(),
                );
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        "the first bound is above the second, so nothing lies between them",
                    )
                    .at(from)
                    .help("exchange the bounds")
                    .suggest_all("exchange the bounds", vec![(from, texts.1), (to, texts.0)]),
                );
            }
        });
    }
}

fn number(expr: &Expr) -> Option<i64> {
    match &bare(expr).kind {
        ExprKind::Literal(Literal::Long(n) | Literal::DateTime(n) | Literal::TimeSpan(n)) => Some(*n),
        ExprKind::Literal(Literal::Int(n)) => Some(i64::from(*n)),
        _ => None,
    }
}

/// How long ago; `now()` is not long ago at all.
fn ago(expr: &Expr) -> Option<i64> {
    let ExprKind::Call(call) = &bare(expr).kind else {
        return None;
    };
    match (call.name.text.as_str(), call.args.as_slice()) {
        ("ago", [argument]) => number(&argument.value),
        ("now", []) => Some(0),
        _ => None,
    }
}
