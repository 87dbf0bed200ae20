//! Exclusions joined by `or`.

use rulec_kql::ast::{BinaryOp, ExprKind};

use super::{
    code,
    syntax::{exprs, other_texts},
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
            for (span, first) in other_texts(query, parts, [BinaryOp::NotEqual, BinaryOp::NotEqualTilde]) {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        "every value differs from one of these texts, so the condition always holds",
                    )
                    .at(query.fragment.map(span))
                    .label(query.fragment.map(first), "the other")
                    .help("join them by `and`, or use `!in~`"),
                );
            }
        });
    }
}
