//! One value that would have to be two.

use rulec_kql::ast::{BinaryOp, ExprKind};

use super::{
    code,
    syntax::{exprs, other_texts},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL033",
        "never-both",
        Severity::Warning,
        "A value has to equal two texts at once.",
    ),
    page: include_str!("../../pages/never-both.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        exprs(query, &mut |expr| {
            let ExprKind::And(parts) = &expr.kind else { return };
            for (span, first) in other_texts(query, parts, [BinaryOp::Equal, BinaryOp::EqualTilde]) {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        "no value equals both of these texts, so the condition never holds",
                    )
                    .at(query.fragment.map(span))
                    .label(query.fragment.map(first), "the other")
                    .help("join them by `or`, or use `in~`"),
                );
            }
        });
    }
}
