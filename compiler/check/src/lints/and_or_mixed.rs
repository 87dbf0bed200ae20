//! Conditions that are read in another way than they look.

use rulec_kql::ast::ExprKind;

use super::{code, syntax::exprs};
use crate::{Input, Lint};
use rulec_source::{Diagnostic, Severity};

pub(crate) const LINT: Lint = Lint {
    code: code(
        "RL057",
        "and-or-mixed",
        Severity::Note,
        "`and` and `or` stand beside each other without brackets.",
    ),
    page: include_str!("../../pages/and-or-mixed.md"),
    run,
};

fn run(input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for query in input.queries {
        exprs(query, &mut |expr| {
            let ExprKind::Or(parts) = &expr.kind else { return };
            if let Some(part) = parts.iter().find(|part| matches!(part.kind, ExprKind::And(_))) {
                found.push(
                    Diagnostic::new(
                        LINT.code,
                        "`and` binds closer than `or`, and no brackets say whether that is meant",
                    )
                    .at(query.fragment.map(part.span))
                    .help("put brackets around what belongs together"),
                );
            }
        });
    }
}
