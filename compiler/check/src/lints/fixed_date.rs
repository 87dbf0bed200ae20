//! Dates in a rule that runs forever.

use rulec_kql::ast::{ExprKind, Literal};
use rulec_model::RuleKind;

use super::{
    code,
    syntax::{bare, exprs, is_time},
};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL038",
        "fixed-date",
        Severity::Warning,
        "A detection compares the time of events with a date written into it.",
    ),
    page: include_str!("../../pages/fixed-date.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    if input.rule.kind != RuleKind::Detection {
        return;
    }
    for query in input.queries {
        exprs(query, &mut |expr| {
            let (column, bounds) = match &expr.kind {
                ExprKind::Binary(binary) => (&binary.lhs, vec![&binary.rhs]),
                ExprKind::Between(between) => (&between.operand, vec![&between.from, &between.to]),
                _ => return,
            };
            if !is_time(column) {
                return;
            }
            for bound in bounds {
                if matches!(bare(bound).kind, ExprKind::Literal(Literal::DateTime(_))) {
                    found.push(
                        Diagnostic::new(
                            LINT.code,
                            "a detection runs for years, and this date stays as it is",
                        )
                        .at(query.fragment.map(bound.span))
                        .help("use `ago(…)`"),
                    );
                }
            }
        });
    }
}
